/* toml_parse.c: any bytes as a TOML document. It must end without a trap; errors must come in order
 * and leave the arena as it was; a tree must hold what it says and fit exactly where it fits. */
#include <stdlib.h>

#include "toml/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_BYTES = 4096 };

static uint8_t arena_bytes[TOML_ARENA_BYTES(MAX_BYTES)];

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void walk(const struct toml_node *n, const struct toml_table *table, uint32_t count,
                 uint32_t depth)
{
    must(depth <= TOML_MAX_DEPTH);
    uint32_t seen = 0;
    for (; n != NULL; n = n->next, seen++) {
        must(n->at.line > 0 && n->at.column > 0);
        must(table == NULL || (toml_get(table, n->key) == n && n->key_at.line > 0));
        must(toml_type_name(n->type) != NULL);
        if (n->type == TOML_TABLE)
            walk(toml_table_first(n->table), n->table, toml_table_count(n->table), depth + 1);
        else if (n->type == TOML_ARRAY)
            walk(toml_array_first(n->array), NULL, toml_array_count(n->array), depth + 1);
    }
    must(seen == count);
}

static void check_errors(const struct toml_errors *errors)
{
    must(errors->count > 0 && errors->count <= TOML_MAX_ERRORS);
    for (uint32_t i = 0; i < errors->count; i++) {
        const struct toml_error *e = &errors->at[i];
        must(e->err < 0 && e->text[0] != '\0' && e->at.line > 0 && e->at.column > 0);
        if (i > 0) {
            must(e->at.line >= e[-1].at.line);
            must(e->at.line > e[-1].at.line || e->at.column >= e[-1].at.column);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > MAX_BYTES)
        return 0;
    const char *text = (const char *)data;
    struct toml_arena arena = {arena_bytes, TOML_ARENA_BYTES(size), 0};
    const struct toml_table *root = NULL;
    struct toml_errors errors;
    tn_err err = toml_parse(&arena, text, size, &root, &errors);
    if (err != 0) {
        must(root == NULL && arena.used == 0 && errors.at[0].err == err);
        must(err == TN_EFORMAT || err == TN_ELIMIT);
        check_errors(&errors);
        return 0;
    }
    must(errors.count == 0);
    walk(toml_table_first(root), root, toml_table_count(root), 0);
    size_t used = arena.used;
    root = NULL;
    arena = (struct toml_arena){arena_bytes, used - 1, 0};
    must(toml_parse(&arena, text, size, &root, &errors) == TN_ENOMEM && root == NULL);
    check_errors(&errors);
    arena = (struct toml_arena){arena_bytes, used, 0};
    must(toml_parse(&arena, text, size, &root, &errors) == 0 && arena.used == used);
    return 0;
}
