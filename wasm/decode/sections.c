/* sections.c: the sections that declare: types, imports, functions, tables, memories, globals. */
#include "base/assert.h"
#include "wasm/decode/loader.h"

uint8_t read_value_type(struct reader *r)
{
    const uint8_t *at = r->at;
    uint8_t type = read_byte(r);
    bool known = (type <= WASM_I32 && type >= WASM_F64) || is_ref_type(type);
    if (r->err == TN_OK && !known)
        reader_fail(r, TN_EFORMAT, at, "malformed value type");
    return type;
}

uint8_t read_ref_type(struct reader *r)
{
    const uint8_t *at = r->at;
    uint8_t type = read_byte(r);
    if (r->err == TN_OK && !is_ref_type(type))
        reader_fail(r, TN_EFORMAT, at, "malformed reference type");
    return type;
}

static uint8_t *load_type_list(struct loader *l, uint32_t limit, const char *name, uint32_t *ret_n)
{
    uint32_t n = read_count(&l->r, limit, name);
    uint8_t *types = loader_take(l, n, 1);
    for (uint32_t i = 0; i < n && l->r.err == TN_OK; i++)
        types[i] = read_value_type(&l->r);
    *ret_n = n;
    return types;
}

void load_types(struct loader *l)
{
    struct reader *r = &l->r;
    struct wasm_module *m = l->module;
    uint32_t n = read_count(r, WASM_MAX_TYPES, "too many types: WASM_MAX_TYPES is");
    m->types = loader_take(l, n, sizeof *m->types);
    for (uint32_t i = 0; i < n && r->err == TN_OK; i++) {
        const uint8_t *at = r->at;
        struct wasm_functype *t = &m->types[i];
        if (read_byte(r) != 0x60)
            reader_fail(r, TN_EFORMAT, at, "malformed functype: integer representation too long");
        t->params = load_type_list(l, WASM_MAX_PARAMS, "too many parameters: WASM_MAX_PARAMS is",
                                   &t->nparams);
        t->results = load_type_list(l, WASM_MAX_RESULTS, "too many results: WASM_MAX_RESULTS is",
                                    &t->nresults);
        m->ntypes = i + 1;
    }
}

static const struct wasm_functype *load_type_index(struct loader *l)
{
    const uint8_t *at = l->r.at;
    uint32_t index = read_u32(&l->r);
    if (l->r.err == TN_OK && index >= l->module->ntypes)
        reader_fail_number(&l->r, TN_EFORMAT, at, "unknown type", index);
    return l->r.err == TN_OK ? &l->module->types[index] : NULL;
}

static struct wasm_limits load_limits(struct loader *l, uint32_t most, const char *too_large)
{
    struct reader *r = &l->r;
    struct wasm_limits limits = {0, UINT32_MAX};
    const uint8_t *at = r->at;
    uint8_t flags = read_byte(r);
    if (flags > 0x7f)
        reader_fail(r, TN_EFORMAT, at, "integer representation too long");
    else if (flags > 1)
        reader_fail(r, TN_EFORMAT, at, "integer too large: malformed limits flags");
    at = r->at;
    limits.min = read_u32(r);
    if (limits.min > most)
        reader_fail(r, TN_EFORMAT, at, too_large);
    if ((flags & 1) != 0) {
        limits.max = read_u32(r);
        if (limits.max > most)
            reader_fail(r, TN_EFORMAT, at, too_large);
        if (limits.max < limits.min)
            reader_fail(r, TN_EFORMAT, at, "size minimum must not be greater than maximum");
    }
    return limits;
}

static struct table_decl load_table_type(struct loader *l)
{
    struct table_decl t = {0};
    t.type = read_ref_type(&l->r);
    const uint8_t *at = l->r.at;
    t.limits = load_limits(l, UINT32_MAX, "");
    if (l->r.err == TN_OK && t.limits.min > WASM_MAX_TABLE_ELEMS)
        reader_fail_number(&l->r, TN_ELIMIT, at, "table too large: WASM_MAX_TABLE_ELEMS is",
                           WASM_MAX_TABLE_ELEMS);
    return t;
}

static struct wasm_limits load_memory_type(struct loader *l)
{
    return load_limits(l, WASM_MAX_MEMORY_PAGES, "memory size must be at most 65536 pages (4GiB)");
}

static struct global_decl load_global_type(struct loader *l)
{
    struct global_decl g = {0};
    g.type = read_value_type(&l->r);
    const uint8_t *at = l->r.at;
    uint8_t mutable = read_byte(&l->r);
    if (mutable > 1)
        reader_fail(&l->r, TN_EFORMAT, at, "malformed mutability");
    g.mutable = mutable == 1;
    return g;
}

static void load_import(struct loader *l, struct import_decl *import)
{
    struct reader *r = &l->r;
    struct wasm_module *m = l->module;
    import->offset = reader_offset(r);
    import->module = loader_keep(l, read_name(r));
    import->name = loader_keep(l, read_name(r));
    const uint8_t *at = r->at;
    uint8_t kind = read_byte(r);
    if (r->err != TN_OK)
        return;
    import->kind = (enum wasm_extern)kind;
    switch (kind) {
    case WASM_EXT_FUNC:
        import->index = m->nfuncs++;
        m->funcs[import->index].type = load_type_index(l);
        break;
    case WASM_EXT_TABLE:
        if (m->ntables == WASM_MAX_TABLES) {
            reader_fail_number(r, TN_ELIMIT, at, "too many tables: WASM_MAX_TABLES is",
                               WASM_MAX_TABLES);
            return;
        }
        import->index = m->ntables++;
        m->tables[import->index] = load_table_type(l);
        break;
    case WASM_EXT_MEMORY:
        import->index = m->nmemories++;
        m->memory = load_memory_type(l);
        if (m->nmemories > 1)
            reader_fail(r, TN_EFORMAT, at, "multiple memories");
        break;
    case WASM_EXT_GLOBAL:
        import->index = m->nglobals++;
        m->globals[import->index] = load_global_type(l);
        break;
    default:
        reader_fail(r, TN_EFORMAT, at, "malformed import kind");
    }
}

void load_imports(struct loader *l)
{
    struct wasm_module *m = l->module;
    uint32_t n = read_count(&l->r, WASM_MAX_IMPORTS, "too many imports: WASM_MAX_IMPORTS is");
    m->imports = loader_take(l, n, sizeof *m->imports);
    m->funcs = loader_take(l, n, sizeof *m->funcs);
    m->tables = loader_take(l, n, sizeof *m->tables);
    m->globals = loader_take(l, n, sizeof *m->globals);
    for (uint32_t i = 0; i < n && l->r.err == TN_OK; i++) {
        load_import(l, &m->imports[i]);
        m->nimports = i + 1;
    }
    m->nimported_funcs = m->nfuncs;
    m->nimported_tables = m->ntables;
    m->nimported_memories = m->nmemories;
    m->nimported_globals = m->nglobals;
}

/* Room for `more` behind the `n` imported ones. */
static void *load_room(struct loader *l, const void *imported, uint32_t n, uint32_t more,
                       size_t elem_bytes)
{
    uint8_t *at = loader_take(l, (uint64_t)n + more, elem_bytes);
    if (at != NULL && n > 0)
        memcpy(at, imported, n * elem_bytes);
    return at;
}

void load_functions(struct loader *l)
{
    struct wasm_module *m = l->module;
    ASSERT(m->nfuncs == m->nimported_funcs);
    uint32_t n = read_count(&l->r, WASM_MAX_FUNCTIONS - m->nfuncs,
                            "too many functions: with imports, WASM_MAX_FUNCTIONS leaves");
    struct func_decl *room = load_room(l, m->funcs, m->nfuncs, n, sizeof *m->funcs);
    if (room == NULL)
        return;
    m->funcs = room;
    for (uint32_t i = 0; i < n && l->r.err == TN_OK; i++)
        m->funcs[m->nfuncs++].type = load_type_index(l);
}

void load_tables(struct loader *l)
{
    struct wasm_module *m = l->module;
    ASSERT(m->ntables <= WASM_MAX_TABLES);
    uint32_t n = read_count(&l->r, WASM_MAX_TABLES - m->ntables,
                            "too many tables: with imports, WASM_MAX_TABLES leaves");
    struct table_decl *room = load_room(l, m->tables, m->ntables, n, sizeof *m->tables);
    if (room == NULL)
        return;
    m->tables = room;
    for (uint32_t i = 0; i < n && l->r.err == TN_OK; i++)
        m->tables[m->ntables++] = load_table_type(l);
}

void load_memories(struct loader *l)
{
    const uint8_t *at = l->r.at;
    uint32_t n = read_count(&l->r, UINT32_MAX, "");
    for (uint32_t i = 0; i < n && l->r.err == TN_OK; i++) {
        l->module->memory = load_memory_type(l);
        if (++l->module->nmemories > 1)
            reader_fail(&l->r, TN_EFORMAT, at, "multiple memories");
    }
}

void load_globals(struct loader *l)
{
    struct wasm_module *m = l->module;
    ASSERT(m->nglobals == m->nimported_globals);
    uint32_t n = read_count(&l->r, WASM_MAX_GLOBALS - m->nglobals,
                            "too many globals: with imports, WASM_MAX_GLOBALS leaves");
    struct global_decl *room = load_room(l, m->globals, m->nglobals, n, sizeof *m->globals);
    if (room == NULL)
        return;
    m->globals = room;
    for (uint32_t i = 0; i < n && l->r.err == TN_OK; i++) {
        struct global_decl g = load_global_type(l);
        g.init = load_const_expr(l, g.type);
        m->globals[m->nglobals++] = g;
    }
}

void load_start(struct loader *l)
{
    struct wasm_module *m = l->module;
    const uint8_t *at = l->r.at;
    uint32_t index = read_u32(&l->r);
    if (l->r.err != TN_OK)
        return;
    if (index >= m->nfuncs) {
        reader_fail_number(&l->r, TN_EFORMAT, at, "unknown function", index);
        return;
    }
    const struct wasm_functype *type = m->funcs[index].type;
    if (type->nparams != 0 || type->nresults != 0)
        reader_fail(&l->r, TN_EFORMAT, at, "start function");
    m->start = index;
}
