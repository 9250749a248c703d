/* component.c: a component.toml: what a component is, provides, needs and may use. */
#include <tenon/interface.h>

#include "runtime/package/package_int.h"

static const char *const kind_names[] = {"service", "driver",      "operator", "instrument",
                                         "motif",   "integration", "agent",    "meta"};
enum { KINDS = 8 };

const char *const domain_names[] = {"kernel", "wasm", "process"};

const char *component_kind_name(enum component_kind kind)
{
    return kind_names[kind];
}

const char *component_domain_name(enum component_domain domain)
{
    return domain_names[domain];
}

enum { ENDPOINT_ITSELF = 0 }; /* the id of what the kernel answers about every endpoint */

/* NULL and a fault for a name that is in no table of this build, or that nobody could provide. */
static const struct tn_interface *interface_get(struct doc *doc, struct toml_pos at,
                                                struct str name)
{
    const struct tn_interface *interface =
        name.len > TN_NAME_MAX ? NULL : tn_interface_by_name(name.at, (uint32_t)name.len);
    if (interface != NULL && interface->id != ENDPOINT_ITSELF)
        return interface;
    if (interface != NULL) {
        fault(doc, at, "%s is answered by the kernel for every endpoint: no component provides it",
              interface->name);
        return NULL;
    }
    struct near near = near_to(name);
    struct message m = {.len = 0};
    for (uint32_t i = 0; i < tn_interfaces_count; i++)
        near_try(&near, str_of(tn_interfaces[i].name));
    if (near_found(&near)) {
        message_add(&m, "did you mean %s?", quote(near.best).text);
    } else {
        message_add(&m, "expected ");
        for (uint32_t i = 0; i < tn_interfaces_count; i++)
            list_add(&m, i, tn_interfaces_count, str_of(tn_interfaces[i].name));
    }
    fault(doc, at, "unknown interface %s: %s", quote(name).text, m.text);
    return NULL;
}

static void provides_parse(const struct section *s, struct component_spec *c)
{
    const struct toml_node *node = toml_table_first(s->table);
    for (; node != NULL; node = node->next) {
        if (c->nprovides == SYSTEM_PROVIDES_MAX) {
            fault(s->doc, node->key_at, "%s has %u keys, at most %u (SYSTEM_PROVIDES_MAX)",
                  s->label, toml_table_count(s->table), SYSTEM_PROVIDES_MAX);
            return;
        }
        if (!name_check(s->doc, node->key_at, "a name for what is provided", node->key))
            continue;
        struct provide *p = &c->provides[c->nprovides++];
        p->name = node->key;
        if (node->type != TOML_STRING) {
            fault(s->doc, node->at, "%s in %s: expected a string, found %s", plain(node->key).text,
                  s->label, toml_type_name(node->type));
            continue;
        }
        p->interface_name = node->string;
        p->interface = interface_get(s->doc, node->at, node->string);
    }
}

/* Rights with which no method can be called are a mistake. */
static void rights_check(const struct section *s, const struct need_spec *need)
{
    uint32_t all = TN_R_CALL;
    for (uint32_t i = 0; i < need->interface->nmethods; i++) {
        uint32_t asked = need->interface->methods[i].rights | (uint32_t)TN_R_CALL;
        if ((asked & ~need->rights) == 0)
            return;
        all |= asked;
    }
    const struct toml_node *node = toml_get(s->table, STR("rights"));
    struct message has = {.len = 0}, asked = {.len = 0};
    rights_add(&has, need->rights);
    rights_add(&asked, all);
    fault(s->doc, node == NULL ? s->at : node->at,
          "rights in %s: with %s no method of %s can be called: they ask for %s", s->label,
          has.text, need->interface->name, asked.text);
}

/* An end of a channel, which has neither an interface nor rights to choose. */
static void channel_parse(const struct section *s, struct need_spec *need)
{
    static const char *const others[] = {"interface", "rights"};
    uint32_t side = UINT32_MAX;
    section_choice(s, "channel", channel_names, 2, &side);
    section_bool(s, "optional", &need->optional);
    for (size_t i = 0; i < 2; i++) {
        const struct toml_node *node = toml_get(s->table, str_of(others[i]));
        if (node != NULL)
            fault(s->doc, node->key_at, "%s in %s: an end of a channel has none: leave it out",
                  others[i], s->label);
    }
    if (side == UINT32_MAX)
        return;
    need->channel = side == 0 ? CHANNEL_PRODUCER : CHANNEL_CONSUMER;
    need->rights = side == 0 ? TN_R_WRITE : TN_R_READ;
}

static void need_parse(const struct section *s, struct need_spec *need)
{
    static const char *const keys[] = {"interface", "rights", "optional", "channel"};
    section_check(s, keys, 4);
    if (toml_get(s->table, STR("channel")) != NULL) {
        channel_parse(s, need);
        return;
    }
    const struct toml_node *name =
        section_need(s, "interface", TOML_STRING, "interface = \"tenon.file\" or another one");
    if (name != NULL) {
        need->interface_name = name->string;
        need->interface = interface_get(s->doc, name->at, name->string);
    }
    uint64_t before = s->doc->reading->faults->total;
    section_rights(s, "rights", TN_R_ALL, &need->rights);
    section_bool(s, "optional", &need->optional);
    if (need->interface != NULL && s->doc->reading->faults->total == before)
        rights_check(s, need);
}

static void needs_parse(const struct section *s, struct component_spec *c)
{
    const struct toml_node *node = toml_table_first(s->table);
    for (; node != NULL; node = node->next) {
        if (c->nneeds == SYSTEM_NEEDS_MAX) {
            fault(s->doc, node->key_at, "%s has %u keys, at most %u (SYSTEM_NEEDS_MAX)", s->label,
                  toml_table_count(s->table), SYSTEM_NEEDS_MAX);
            return;
        }
        if (!name_check(s->doc, node->key_at, "a need's name", node->key))
            continue;
        struct need_spec *need = &c->needs[c->nneeds++];
        need->name = node->key;
        need->rights = TN_R_CALL;
        if (node->type != TOML_TABLE) {
            fault(s->doc, node->at,
                  "%s in %s: expected a table, found %s: write [needs.%s] and interface = ...",
                  plain(node->key).text, s->label, toml_type_name(node->type),
                  plain(node->key).text);
            continue;
        }
        struct section inner;
        section_init(&inner, s->doc, node->table, node->at, "[needs.%s]", plain(node->key).text);
        need_parse(&inner, need);
    }
}

/* A name of a file in the component's folder, and nowhere else. */
static void code_name(const struct section *s, const char *key, struct str *ret)
{
    const struct toml_node *node = section_get(s, key, TOML_STRING);
    if (node == NULL || !path_check(s->doc, node->at, "a file's name", node->string))
        return;
    bool plain_name = !str_eq(node->string, STR(".")) && !str_eq(node->string, STR(".."));
    for (size_t i = 0; i < node->string.len; i++)
        plain_name = plain_name && node->string.at[i] != '/';
    if (plain_name)
        *ret = node->string;
    else
        fault(s->doc, node->at, "%s in %s: %s is not a file's name in the component's folder", key,
              s->label, quote(node->string).text);
}

static void code_parse(const struct section *root, struct package *package)
{
    static const char *const keys[] = {"wasm", "native"};
    struct component_spec *c = &package->spec;
    struct message wasm = {.len = 0}, native = {.len = 0};
    message_add(&wasm, "%s.wasm", plain(c->manifest_name).text);
    message_add(&native, "%s.tn.so", plain(c->manifest_name).text);
    c->wasm_file = (struct str){wasm.text, wasm.len};
    c->native_file = (struct str){native.text, native.len};
    struct section s;
    if (section_table(root, "code", &s)) {
        section_check(&s, keys, 2);
        code_name(&s, "wasm", &c->wasm_file);
        code_name(&s, "native", &c->native_file);
    }
    c->wasm_file = path_join(root->doc->reading, package->folder, c->wasm_file);
    c->native_file = path_join(root->doc->reading, package->folder, c->native_file);
}

static void identity_parse(const struct section *s, struct component_spec *c)
{
    static const char *const keys[] = {"name",        "version",  "kind",   "ring",
                                       "description", "blocking", "compute"};
    section_check(s, keys, 7);
    const struct toml_node *node = section_need(s, "name", TOML_STRING, "name = \"my-component\"");
    if (node != NULL && name_check(s->doc, node->at, "a component's name", node->string))
        c->manifest_name = node->string;
    node = section_need(s, "version", TOML_STRING, "version = \"0.1.0\"");
    if (node != NULL && !version_parse(node->string, &c->version))
        fault(s->doc, node->at,
              "version %s in %s is no semantic version: write three numbers such as \"1.2.0\"",
              quote(node->string).text, s->label);
    uint32_t kind = KIND_OPERATOR;
    if (toml_get(s->table, STR("kind")) == NULL)
        (void)section_need(s, "kind", TOML_STRING, "kind = \"operator\" or another kind");
    section_choice(s, "kind", kind_names, KINDS, &kind);
    c->kind = (enum component_kind)kind;
    section_uint32(s, "ring", 0, 3, &c->ring);
    node = section_get(s, "description", TOML_STRING);
    if (node != NULL)
        c->description = node->string;
    section_bool(s, "blocking", &c->blocking);
    section_bool(s, "compute", &c->compute);
    if (c->blocking && c->compute)
        fault(s->doc, toml_get(s->table, STR("compute"))->at,
              "compute in %s: what has a thread of its own is not in the pool: write blocking or "
              "compute",
              s->label);
}

/* Has the table under `key` n keys? A missing one has none. */
static bool has_keys(const struct toml_table *root, struct str key, uint32_t n)
{
    const struct toml_node *node = toml_get(root, key);
    if (node == NULL)
        return n == 0;
    return node->type == TOML_TABLE && toml_table_count(node->table) == n;
}

void manifest_parse(struct doc *doc, struct str text, struct package *package)
{
    static const char *const keys[] = {"component", "provides", "needs", "resources", "code"};
    struct component_spec *c = &package->spec;
    uint32_t before = doc->reading->faults->total;
    struct section root, s;
    const struct toml_table *table = doc_parse(doc, text);
    if (table == NULL)
        return;
    section_init(&root, doc, table, (struct toml_pos){0, 0}, "the file");
    c->ring = 2;
    c->domain = DOMAIN_WASM;
    c->priority = TN_PRIORITY_DEFAULT;
    c->resources = (struct resources){
        SYSTEM_MEMORY_DEFAULT, SYSTEM_FUEL_DEFAULT, TN_MAILBOX_DEFAULT, 0, SYSTEM_STACK_DEFAULT, 1};
    section_check(&root, keys, 5);
    bool all_tables_known = doc->reading->faults->total == before;
    if (toml_get(table, STR("component")) == NULL)
        (void)section_need(&root, "component", TOML_TABLE, "[component] with name, version, kind");
    else if (section_table(&root, "component", &s))
        identity_parse(&s, c);
    if (section_table(&root, "provides", &s))
        provides_parse(&s, c);
    if (section_table(&root, "needs", &s))
        needs_parse(&s, c);
    if (section_table(&root, "resources", &s))
        section_resources(&s, false, &c->resources);
    code_parse(&root, package);
    package->known = true;
    package->complete = all_tables_known && has_keys(table, STR("provides"), c->nprovides) &&
                        has_keys(table, STR("needs"), c->nneeds);
    package->sound = doc->reading->faults->total == before;
}

tn_err component_parse(struct str file, struct str text, void *arena, uint64_t arena_bytes,
                       struct component_spec *ret_component, struct faults *faults)
{
    struct reading reading = {.arena = {arena, (size_t)arena_bytes, 0}, .faults = faults};
    struct doc doc = {&reading, file, 0};
    faults->n = faults->total = 0;
    struct package *package = arena_get(&reading, sizeof(*package));
    if (package == NULL)
        return TN_ENOMEM;
    manifest_parse(&doc, text, package);
    if (reading.full)
        return TN_ENOMEM;
    if (faults->total > 0)
        return TN_EFORMAT;
    package->spec.name = package->spec.manifest_name;
    *ret_component = package->spec;
    return TN_OK;
}
