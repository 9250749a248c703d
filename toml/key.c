/* key.c: dotted keys and headers: reading them, and finding their place in the tree. */
#include "base/assert.h"
#include "toml/toml_int.h"

static bool is_bare(int c)
{
    return toml_is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '-';
}

static bool read_part(struct toml_parser *p, struct toml_part *part)
{
    static const char hint[] = "a key is letters, digits, '_' and '-'; any other goes in quotes";
    part->at = toml_here(p);
    int c = toml_peek(p);
    if (c == '"' || c == '\'') {
        if (!toml_read_line_string(p, &part->key))
            return false;
    } else {
        const char *from = p->at;
        while (is_bare(toml_peek(p)))
            p->at++;
        if (p->at == from)
            return toml_expected(p, "a key", hint);
        size_t n = (size_t)(p->at - from);
        if (!toml_append(p, from, n))
            return false;
        part->key = (struct str){(const char *)p->arena->at + p->arena->used - n, n};
    }
    if (part->key.len > TOML_MAX_KEY_BYTES)
        return toml_fail(p, part->at, TN_ELIMIT, "use a shorter key",
                         "the key %k has more than %u bytes (TOML_MAX_KEY_BYTES)", &part->key,
                         (uint32_t)TOML_MAX_KEY_BYTES);
    return true;
}

bool toml_read_path(struct toml_parser *p)
{
    for (p->parts = 0;;) {
        if (p->parts > TOML_MAX_DEPTH)
            return toml_fail(p, toml_here(p), TN_ELIMIT, "nest less deeply",
                             "the key has more than %u parts (TOML_MAX_DEPTH)",
                             (uint32_t)TOML_MAX_DEPTH + 1);
        if (!read_part(p, &p->path[p->parts]))
            return false;
        p->parts++;
        toml_skip_blanks(p);
        if (toml_peek(p) != '.')
            return true;
        p->at++;
        toml_skip_blanks(p);
    }
}

bool toml_read_key(struct toml_parser *p)
{
    if (!toml_read_path(p))
        return false;
    if (toml_peek(p) != '=')
        return toml_expected(p, "'=' after the key",
                             "write key = value; a key with other characters goes in quotes");
    p->at++;
    toml_skip_blanks(p);
    return true;
}

static bool fail_defined(struct toml_parser *p, const struct toml_part *part,
                         const struct toml_node *first)
{
    return toml_fail(p, part->at, TN_EFORMAT, "remove one of the two, or rename it",
                     "%k is defined already, at line %u, column %u", &part->key, first->key_at.line,
                     first->key_at.column);
}

/* Says nothing when the value could not be read: that has been reported. */
static bool fail_closed(struct toml_parser *p, const struct toml_part *part,
                        const struct toml_node *node)
{
    if (node->type == TOML_UNREAD)
        return false;
    const char *what = toml_type_name(node->type);
    const char *hint = "only tables hold keys";
    if (node->type == TOML_TABLE && node->table->origin == TOML_INLINE) {
        what = "an inline table";
        hint = "an inline table is complete: write the key inside of its braces";
    } else if (node->type == TOML_TABLE) {
        what = node->table->origin == TOML_BY_HEADER ? "a table with a [header] of its own"
                                                     : "a table made by dotted keys";
        hint = "write the key where the table is defined";
    } else if (node->type == TOML_ARRAY && node->array->of_headers) {
        what = "an array of tables";
        hint = "write the key below one of its [[headers]]";
    } else if (node->type == TOML_ARRAY) {
        hint = "an array in brackets is complete: write the table inside of it";
    }
    return toml_fail(p, part->at, TN_EFORMAT, hint,
                     "%k is %s, defined at line %u, column %u: nothing can be added to it here",
                     &part->key, what, node->at.line, node->at.column);
}

/* The table that `part`, not the last of a dotted key, names in `table`. NULL when there can be
 * none, reported. */
static struct toml_table *enter_dots(struct toml_parser *p, struct toml_table *table,
                                     const struct toml_part *part, uint32_t section)
{
    struct toml_member *m = toml_find(table, part->key);
    struct toml_node *node = m == NULL ? toml_add(p, table, part) : &m->node;
    if (node == NULL)
        return NULL;
    if (m == NULL) {
        if (!toml_make_table(p, node, part->at, TOML_BY_DOTS, table->depth))
            return NULL;
        node->table->section = section;
        return node->table;
    }
    struct toml_table *t = node->type == TOML_TABLE ? node->table : NULL;
    if (t != NULL && t->origin == TOML_BY_PATH) {
        t->origin = TOML_BY_DOTS;
        t->section = section;
    }
    if (t == NULL || t->origin != TOML_BY_DOTS || t->section != section) {
        fail_closed(p, part, node);
        return NULL;
    }
    return t;
}

bool toml_place_value(struct toml_parser *p, struct toml_table *table, struct toml_slot *ret_slot)
{
    ASSERT(p->parts > 0);
    uint32_t section = table->section;
    uint32_t depth = table->depth;
    uint32_t last = p->parts - 1;
    for (uint32_t i = 0; i < last && table != NULL; i++) {
        table = enter_dots(p, table, &p->path[i], section);
        if (table != NULL)
            depth = table->depth;
    }
    struct toml_node *node = NULL;
    if (table != NULL) {
        struct toml_member *m = toml_find(table, p->path[last].key);
        if (m == NULL)
            node = toml_add(p, table, &p->path[last]);
        else
            fail_defined(p, &p->path[last], &m->node);
    }
    if (node == NULL && !p->stop) {
        node = toml_alloc(p, sizeof(*node));
        if (node != NULL)
            *node = (struct toml_node){.at = p->path[last].at, .type = TOML_UNREAD};
    }
    if (node == NULL)
        return false;
    *ret_slot = (struct toml_slot){node, depth};
    return true;
}

/* The table that `part`, not the last of a header, names in `table`. NULL as above. */
static struct toml_table *enter_path(struct toml_parser *p, struct toml_table *table,
                                     const struct toml_part *part)
{
    struct toml_member *m = toml_find(table, part->key);
    if (m == NULL) {
        struct toml_node *node = toml_add(p, table, part);
        if (node == NULL || !toml_make_table(p, node, part->at, TOML_BY_PATH, table->depth))
            return NULL;
        return node->table;
    }
    struct toml_node *node = &m->node;
    if (node->type == TOML_TABLE && node->table->origin != TOML_INLINE)
        return node->table;
    if (node->type == TOML_ARRAY && node->array->of_headers) {
        node = node->array->last;
        if (node->type == TOML_TABLE)
            return node->table;
    }
    fail_closed(p, part, node);
    return NULL;
}

/* The table that [[header]] adds to the array in `node`. */
static struct toml_table *add_element(struct toml_parser *p, struct toml_node *node,
                                      const struct toml_part *part)
{
    struct toml_node *element = toml_push(p, node->array);
    if (element == NULL ||
        !toml_make_table(p, element, part->at, TOML_BY_HEADER, node->array->depth))
        return NULL;
    return element->table;
}

/* The table that the last part of a header opens in `table`. */
static struct toml_table *open_header(struct toml_parser *p, struct toml_table *table,
                                      const struct toml_part *part, bool element)
{
    struct toml_member *m = toml_find(table, part->key);
    if (m == NULL) {
        struct toml_node *node = toml_add(p, table, part);
        if (node == NULL)
            return NULL;
        if (!element)
            return toml_make_table(p, node, part->at, TOML_BY_HEADER, table->depth) ? node->table
                                                                                    : NULL;
        if (!toml_make_array(p, node, part->at, true, table->depth))
            return NULL;
        return add_element(p, node, part);
    }
    struct toml_node *node = &m->node;
    if (element && node->type == TOML_ARRAY && node->array->of_headers)
        return add_element(p, node, part);
    if (!element && node->type == TOML_TABLE && node->table->origin == TOML_BY_PATH) {
        node->table->origin = TOML_BY_HEADER;
        node->at = part->at;
        node->key_at = part->at;
        return node->table;
    }
    fail_defined(p, part, node);
    return NULL;
}

bool toml_place_header(struct toml_parser *p, bool element)
{
    ASSERT(p->parts > 0);
    struct toml_table *table = p->root;
    for (uint32_t i = 0; i < p->parts - 1 && table != NULL; i++)
        table = enter_path(p, table, &p->path[i]);
    if (table != NULL)
        table = open_header(p, table, &p->path[p->parts - 1], element);
    if (table == NULL)
        return false;
    table->section = ++p->sections;
    p->current = table;
    return true;
}
