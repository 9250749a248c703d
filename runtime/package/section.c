/* section.c: the keys of a table: the ones that are known, of the type and in the range that they
 * must have; whatever is not is a fault at the place where it stands. */
#include <stdarg.h>

#include "runtime/package/package_int.h"

static const char *const right_names[] = {"call", "read", "write", "control", "grant"};
static const uint32_t right_bits[] = {TN_R_CALL, TN_R_READ, TN_R_WRITE, TN_R_CONTROL, TN_R_GRANT};
enum { RIGHTS = 5 };

void section_init(struct section *s, struct doc *doc, const struct toml_table *table,
                  struct toml_pos at, const char *format, ...)
{
    s->doc = doc;
    s->table = table;
    s->at = at;
    va_list args;
    va_start(args, format);
    fmt_vprint(s->label, sizeof(s->label), format, args);
    va_end(args);
}

void section_check(const struct section *s, const char *const *names, size_t n)
{
    for (const struct toml_node *node = toml_table_first(s->table); node != NULL;
         node = node->next) {
        bool known = false;
        for (size_t i = 0; i < n; i++)
            known = known || str_eq(node->key, str_of(names[i]));
        if (known)
            continue;
        struct message m = {.len = 0};
        near_add(&m, node->key, names, n);
        fault(s->doc, node->key_at, "unknown key %s in %s%s", quote(node->key).text, s->label,
              m.text);
    }
}

static void type_fault(const struct section *s, const char *key, const char *expected,
                       const struct toml_node *node)
{
    fault(s->doc, node->at, "%s in %s: expected %s, found %s", key, s->label, expected,
          toml_type_name(node->type));
}

const struct toml_node *section_get(const struct section *s, const char *key, enum toml_type type)
{
    const struct toml_node *node = toml_get(s->table, str_of(key));
    if (node == NULL || node->type == type)
        return node;
    type_fault(s, key, toml_type_name(type), node);
    return NULL;
}

const struct toml_node *section_need(const struct section *s, const char *key, enum toml_type type,
                                     const char *such_as)
{
    if (toml_get(s->table, str_of(key)) == NULL)
        fault(s->doc, s->at, "%s lacks '%s': write %s", s->label, key, such_as);
    return section_get(s, key, type);
}

bool section_table(const struct section *s, const char *key, struct section *ret)
{
    const struct toml_node *node = section_get(s, key, TOML_TABLE);
    if (node == NULL)
        return false;
    if (s->label[0] == '[')
        section_init(ret, s->doc, node->table, node->at, "%.*s.%s]",
                     (int)(str_length(s->label) - 1), s->label, key);
    else
        section_init(ret, s->doc, node->table, node->at, "[%s]", key);
    return true;
}

void section_uint(const struct section *s, const char *key, uint64_t least, uint64_t most,
                  uint64_t *ret)
{
    const struct toml_node *node = section_get(s, key, TOML_INTEGER);
    if (node == NULL)
        return;
    if (node->integer >= 0 && (uint64_t)node->integer >= least && (uint64_t)node->integer <= most)
        *ret = (uint64_t)node->integer;
    else
        fault(s->doc, node->at, "%s in %s: %lld is out of range, expected %llu to %llu", key,
              s->label, (long long)node->integer, (unsigned long long)least,
              (unsigned long long)most);
}

void section_uint32(const struct section *s, const char *key, uint32_t least, uint32_t most,
                    uint32_t *ret)
{
    uint64_t value = *ret;
    section_uint(s, key, least, most, &value);
    *ret = (uint32_t)value;
}

void section_bool(const struct section *s, const char *key, bool *ret)
{
    const struct toml_node *node = section_get(s, key, TOML_BOOLEAN);
    if (node != NULL)
        *ret = node->boolean;
}

static void amount_fault(const struct section *s, const char *key, const struct toml_node *node,
                         const struct units *units, enum amount_error error, struct str unit)
{
    struct message m = {.len = 0};
    message_add(&m, "%s in %s: %s", key, s->label, quote(node->string).text);
    switch (error) {
    case AMOUNT_NEGATIVE:
        message_add(&m, " is negative, expected %s such as %s", units->what, units->such_as);
        break;
    case AMOUNT_FRACTION:
        message_add(&m, " is a fraction: write a whole number with a smaller unit");
        break;
    case AMOUNT_RANGE:
        message_add(&m, " is more than 2^%u - 1 %s", units->bits, units->last);
        break;
    case AMOUNT_UNIT:
        message_add(&m, unit.len == 0 ? " has no unit" : " has an unknown unit");
        near_add(&m, unit, units->name, units->n);
        break;
    default:
        message_add(&m, " is not %s such as %s", units->what, units->such_as);
        break;
    }
    fault(s->doc, node->at, "%s", m.text);
}

static void section_amount(const struct section *s, const char *key, const struct units *units,
                           uint64_t *ret)
{
    const struct toml_node *node = toml_get(s->table, str_of(key));
    bool integers = units == &size_units; /* of bytes; of time no unit is the natural one */
    if (node == NULL)
        return;
    uint64_t value = 0;
    if (node->type == TOML_STRING) {
        struct str unit = STR("");
        enum amount_error e = amount_parse(units, node->string, &value, &unit);
        if (e != AMOUNT_OK) {
            amount_fault(s, key, node, units, e, unit);
            return;
        }
    } else if (node->type == TOML_INTEGER && integers) {
        if (node->integer < 0) {
            fault(s->doc, node->at, "%s in %s: %lld is negative, expected %s such as %s", key,
                  s->label, (long long)node->integer, units->what, units->such_as);
            return;
        }
        value = (uint64_t)node->integer;
    } else {
        struct message m = {.len = 0};
        message_add(&m, "a string such as %s%s", units->such_as,
                    integers ? " or an integer of bytes" : "");
        type_fault(s, key, m.text, node);
        return;
    }
    if (value > 0)
        *ret = value;
    else
        fault(s->doc, node->at, "%s in %s is zero, expected %s such as %s", key, s->label,
              units->what, units->such_as);
}

void section_size(const struct section *s, const char *key, uint64_t *ret_bytes)
{
    section_amount(s, key, &size_units, ret_bytes);
}

void section_time(const struct section *s, const char *key, uint64_t *ret_ns)
{
    section_amount(s, key, &time_units, ret_ns);
}

void section_choice(const struct section *s, const char *key, const char *const *names, size_t n,
                    uint32_t *ret)
{
    const struct toml_node *node = section_get(s, key, TOML_STRING);
    if (node == NULL)
        return;
    for (uint32_t i = 0; i < n; i++) {
        if (str_eq(node->string, str_of(names[i]))) {
            *ret = i;
            return;
        }
    }
    struct message m = {.len = 0};
    near_add(&m, node->string, names, n);
    fault(s->doc, node->at, "unknown %s %s in %s%s", key, quote(node->string).text, s->label,
          m.text);
}

/* One right of a list; 0 and a fault for what is none. */
static uint32_t right_of(const struct section *s, const char *key, const struct toml_node *item,
                         uint32_t among)
{
    const char *names[RIGHTS];
    size_t n = 0;
    if (item->type != TOML_STRING) {
        fault(s->doc, item->at, "an item of %s in %s: expected a string, found %s", key, s->label,
              toml_type_name(item->type));
        return 0;
    }
    for (size_t i = 0; i < RIGHTS; i++) {
        if ((right_bits[i] & among) == 0)
            continue;
        if (str_eq(item->string, str_of(right_names[i])))
            return right_bits[i];
        names[n++] = right_names[i];
    }
    struct message m = {.len = 0};
    near_add(&m, item->string, names, n);
    fault(s->doc, item->at, "unknown right %s in %s%s", quote(item->string).text, s->label, m.text);
    return 0;
}

void section_rights(const struct section *s, const char *key, uint32_t among, uint32_t *ret)
{
    const struct toml_node *node = section_get(s, key, TOML_ARRAY);
    if (node == NULL)
        return;
    uint32_t rights = 0;
    const struct toml_node *item = toml_array_first(node->array);
    for (; item != NULL; item = item->next)
        rights |= right_of(s, key, item, among);
    *ret = rights;
}

void rights_add(struct message *m, uint32_t rights)
{
    const char *between = "";
    for (size_t i = 0; i < RIGHTS; i++) {
        if ((rights & right_bits[i]) == 0)
            continue;
        message_add(m, "%s\"%s\"", between, right_names[i]);
        between = ", ";
    }
    if (rights == 0)
        message_add(m, "no right");
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The same where 0 stands for no limit at all. */
static uint64_t lesser_limit(uint64_t a, uint64_t b)
{
    return a == 0 || b == 0 ? a + b : lesser(a, b);
}

void section_resources(const struct section *s, bool lower, struct resources *resources)
{
    static const char *const keys[] = {"memory",   "fuel_per_call", "mailbox",
                                       "deadline", "stack",         "concurrency"};
    section_check(s, keys, 6);
    struct resources r = *resources;
    section_size(s, "memory", &r.memory_bytes);
    section_uint(s, "fuel_per_call", 1, INT64_MAX, &r.fuel_per_call);
    section_uint32(s, "mailbox", 1, TN_MAILBOX_MAX, &r.mailbox);
    section_time(s, "deadline", &r.deadline_ns);
    section_size(s, "stack", &r.stack_bytes);
    section_uint32(s, "concurrency", 1, TN_TURNS_MAX, &r.concurrency);
    if (lower) {
        r.memory_bytes = lesser(r.memory_bytes, resources->memory_bytes);
        r.fuel_per_call = lesser_limit(r.fuel_per_call, resources->fuel_per_call);
        r.mailbox = (uint32_t)lesser(r.mailbox, resources->mailbox);
        r.deadline_ns = lesser_limit(r.deadline_ns, resources->deadline_ns);
        r.stack_bytes = lesser(r.stack_bytes, resources->stack_bytes);
        r.concurrency = (uint32_t)lesser(r.concurrency, resources->concurrency);
    }
    *resources = r;
}

bool name_check(struct doc *doc, struct toml_pos at, const char *what, struct str name)
{
    bool valid = name.len > 0;
    for (size_t i = 0; i < name.len && valid; i++) {
        char c = name.at[i];
        valid = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    }
    if (!valid)
        fault(doc, at, "%s is not %s: write lower case letters, digits, '-' and '_'",
              quote(name).text, what);
    else if (name.len > TN_NAME_MAX)
        fault(doc, at, "%s is too long for %s: %u bytes, at most %u (TN_NAME_MAX)",
              quote(name).text, what, (unsigned)name.len, TN_NAME_MAX);
    return valid && name.len <= TN_NAME_MAX;
}

bool path_check(struct doc *doc, struct toml_pos at, const char *what, struct str path)
{
    bool valid = path.len > 0;
    for (size_t i = 0; i < path.len; i++)
        valid = valid && (uint8_t)path.at[i] >= 0x20 && path.at[i] != 0x7f;
    if (!valid)
        fault(doc, at, "%s is not %s: write a path without control characters", quote(path).text,
              what);
    else if (path.len > SYSTEM_PATH_MAX)
        fault(doc, at, "%s is too long for %s: %llu bytes, at most %u (SYSTEM_PATH_MAX)",
              quote(path).text, what, (unsigned long long)path.len, SYSTEM_PATH_MAX);
    return valid && path.len <= SYSTEM_PATH_MAX;
}
