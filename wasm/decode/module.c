/* module.c: loads a module: its sections in order, its functions compiled as they are read.
 *
 * Invariants:
 * 1. One pass: a byte of the module is read once, and checked where it is read.
 * 2. Memory asked for is bounded by the bytes left in the module before it is asked for.
 * 3. All that a module keeps is in its arena; all else is given back before wasm_load returns.
 * 4. A module that was returned never changes, except for its count of references. */
#include "wasm/wasm.h"

#include "base/assert.h"
#include "wasm/decode/loader.h"

static const uint8_t magic[4] = {0x00, 'a', 's', 'm'};
static const uint8_t version[4] = {1, 0, 0, 0};

enum { SECTION_CUSTOM = 0, SECTION_CODE = 10, SECTION_COUNT = 13 };

void *loader_take(struct loader *l, uint64_t n, size_t elem_bytes)
{
    if (l->r.err != TN_OK)
        return NULL;
    void *at = arena_take(&l->module->arena, n * elem_bytes);
    if (at == NULL)
        reader_fail(&l->r, TN_ENOMEM, l->r.at, "no memory for the module");
    return at;
}

struct str loader_keep(struct loader *l, struct str s)
{
    char *to = loader_take(l, s.len, 1);
    if (to == NULL || s.len == 0)
        return (struct str){to, 0};
    memcpy(to, s.at, s.len);
    return (struct str){to, s.len};
}

static void load_code(struct loader *l)
{
    const uint8_t *from = l->r.at, *section_end = l->r.end;
    const struct wasm_module *m = l->module;
    uint32_t n = read_count(&l->r, WASM_MAX_FUNCTIONS, "too many functions: WASM_MAX_FUNCTIONS is");
    if (l->r.err == TN_OK && n != m->nfuncs - m->nimported_funcs)
        reader_fail(&l->r, TN_EFORMAT, from, "function and code section have inconsistent lengths");
    for (uint32_t i = 0; i < n && l->r.err == TN_OK; i++) {
        const uint8_t *at = l->r.at;
        uint32_t len = read_u32(&l->r);
        if (len > reader_left(&l->r)) {
            reader_fail(&l->r, TN_EFORMAT, at, "unexpected end: length out of bounds");
            return;
        }
        if (len > WASM_MAX_BODY_BYTES) {
            reader_fail_number(&l->r, TN_ELIMIT, at, "function too large: WASM_MAX_BODY_BYTES is",
                               WASM_MAX_BODY_BYTES);
            return;
        }
        l->r.end = l->r.at + len;
        l->r.func = m->nimported_funcs + i;
        load_body(l, m->nimported_funcs + i);
        l->r.func = UINT32_MAX;
        l->r.end = section_end;
        l->nbodies++;
    }
}

static void load_custom(struct loader *l)
{
    struct str name = read_name(&l->r);
    if (l->r.err == TN_OK && str_eq(name, STR("name")))
        load_names(l);
    l->r.at = l->r.end;
}

/* In the order that sections must come in; the section of data counts stands before the code. */
static const struct {
    uint8_t rank;
    void (*load)(struct loader *l);
} sections[SECTION_COUNT] = {
    [0] = {0, load_custom},       [1] = {1, load_types},   [2] = {2, load_imports},
    [3] = {3, load_functions},    [4] = {4, load_tables},  [5] = {5, load_memories},
    [6] = {6, load_globals},      [7] = {7, load_exports}, [8] = {8, load_start},
    [9] = {9, load_elems},        [10] = {11, load_code},  [11] = {12, load_datas},
    [12] = {10, load_data_count},
};

static void load_sections(struct loader *l)
{
    struct reader *r = &l->r;
    const uint8_t *module_end = r->end;
    uint8_t rank = 0;
    while (r->err == TN_OK && r->at < r->end) {
        const uint8_t *from = r->at;
        uint8_t id = read_byte(r);
        uint32_t len = read_u32(r);
        if (r->err != TN_OK)
            return;
        if (id >= SECTION_COUNT) {
            reader_fail(r, TN_EFORMAT, from, "malformed section id");
        } else if (len > reader_left(r)) {
            reader_fail(r, TN_EFORMAT, from, "unexpected end: length out of bounds");
        } else if (id != SECTION_CUSTOM && sections[id].rank <= rank) {
            reader_fail(r, TN_EFORMAT, from, "unexpected content after last section");
        } else {
            if (id != SECTION_CUSTOM)
                rank = sections[id].rank;
            r->end = r->at + len;
            sections[id].load(l);
            if (r->err == TN_OK && r->at != r->end)
                reader_fail(r, TN_EFORMAT, r->at, "section size mismatch");
            r->end = module_end;
        }
    }
}

static void load_module(struct loader *l)
{
    struct reader *r = &l->r;
    struct wasm_module *m = l->module;
    const uint8_t *at = read_bytes(r, sizeof magic);
    if (at == NULL)
        return;
    if (memcmp(at, magic, sizeof magic) != 0)
        reader_fail(r, TN_EFORMAT, at, "magic header not detected");
    at = read_bytes(r, sizeof version);
    if (at != NULL && r->err == TN_OK && memcmp(at, version, sizeof version) != 0)
        reader_fail(r, TN_EFORMAT, at, "unknown binary version");
    load_sections(l);
    if (r->err != TN_OK)
        return;
    ASSERT(r->at == r->end);
    if (l->nbodies != m->nfuncs - m->nimported_funcs)
        reader_fail(r, TN_EFORMAT, r->at, "function and code section have inconsistent lengths");
    if (l->ndatas_declared != NO_INDEX && l->ndatas_declared != m->ndatas)
        reader_fail(r, TN_EFORMAT, r->at, "data count and data section have inconsistent lengths");
}

tn_err wasm_load(const struct wasm_alloc *alloc, const uint8_t *bytes, size_t len,
                 struct wasm_module **ret_module, struct wasm_error *ret_error)
{
    ASSERT(alloc != NULL && ret_module != NULL && ret_error != NULL);
    if (len > WASM_MAX_MODULE_BYTES) {
        error_set(ret_error, TN_ELIMIT, 0, UINT32_MAX, "module too large: WASM_MAX_MODULE_BYTES is",
                  WASM_MAX_MODULE_BYTES);
        return TN_ELIMIT;
    }
    struct arena arena = {.heap = {.alloc = *alloc}};
    struct wasm_module *m = arena_take(&arena, sizeof *m);
    if (m == NULL) {
        error_set(ret_error, TN_ENOMEM, 0, UINT32_MAX, "no memory for the module", NO_NUMBER);
        return TN_ENOMEM;
    }
    m->arena = arena;
    m->start = NO_INDEX;
    at_init(&m->refs, 1);
    struct loader l = {
        .r = {bytes, bytes, bytes + len, UINT32_MAX, TN_OK, ret_error},
        .module = m,
        .emitter = {.heap = {.alloc = *alloc}},
        .ndatas_declared = NO_INDEX,
    };
    load_module(&l);
    load_body_end(&l);
    emit_give_all(&l.emitter);
    if (l.r.err != TN_OK) {
        module_release(m);
        return l.r.err;
    }
    *ret_module = m;
    return TN_OK;
}

void module_release(struct wasm_module *module)
{
    /* Acquire and release: whoever frees must see all that the others did with it. */
    uint32_t before = at_sub(&module->refs, 1, ACQ_REL);
    ASSERT(before > 0);
    if (before > 1)
        return;
    struct arena arena = module->arena;
    arena_give_all(&arena);
}

void wasm_unload(struct wasm_module *module)
{
    if (module != NULL)
        module_release(module);
}
