/* exports.c: the export section, and finding an export by its name. */
#include "base/assert.h"
#include "wasm/decode/loader.h"

static int name_compare(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n == 0 ? 0 : memcmp(a.at, b.at, n);
    return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

/* Sifts down element `i` of a heap of `n`, the greatest name at the top. */
static void sift(const struct export_decl *exports, uint32_t *order, uint32_t i, uint32_t n)
{
    ASSERT(i < n);
    for (;;) {
        uint32_t big = i;
        for (uint32_t child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
            if (name_compare(exports[order[big]].name, exports[order[child]].name) < 0)
                big = child;
        if (big == i)
            return;
        uint32_t t = order[i];
        order[i] = order[big];
        order[big] = t;
        i = big;
    }
}

/* Heap sort: no worst case, no memory. */
static void sort_names(const struct export_decl *exports, uint32_t *order, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    for (uint32_t i = n / 2; i-- > 0;)
        sift(exports, order, i, n);
    for (uint32_t left = n; left-- > 1;) {
        uint32_t t = order[0];
        order[0] = order[left];
        order[left] = t;
        sift(exports, order, 0, left);
    }
}

static uint32_t space_size(const struct wasm_module *m, uint8_t kind)
{
    switch (kind) {
    case WASM_EXT_FUNC:
        return m->nfuncs;
    case WASM_EXT_TABLE:
        return m->ntables;
    case WASM_EXT_MEMORY:
        return m->nmemories;
    default:
        return m->nglobals;
    }
}

void load_exports(struct loader *l)
{
    static const char *const unknown[] = {"unknown function", "unknown table", "unknown memory",
                                          "unknown global"};
    struct reader *r = &l->r;
    struct wasm_module *m = l->module;
    const uint8_t *from = r->at;
    uint32_t n = read_count(r, WASM_MAX_EXPORTS, "too many exports: WASM_MAX_EXPORTS is");
    m->exports = loader_take(l, n, sizeof *m->exports);
    m->exports_by_name = loader_take(l, n, sizeof *m->exports_by_name);
    for (uint32_t i = 0; i < n && r->err == TN_OK; i++) {
        struct export_decl *e = &m->exports[i];
        e->name = loader_keep(l, read_name(r));
        const uint8_t *at = r->at;
        uint8_t kind = read_byte(r);
        if (kind > WASM_EXT_GLOBAL)
            reader_fail(r, TN_EFORMAT, at, "malformed export kind");
        e->kind = (enum wasm_extern)kind;
        at = r->at;
        e->index = read_u32(r);
        if (r->err == TN_OK && e->index >= space_size(m, kind))
            reader_fail_number(r, TN_EFORMAT, at, unknown[kind], e->index);
        if (r->err == TN_OK && kind == WASM_EXT_FUNC)
            m->funcs[e->index].referable = true;
    }
    if (r->err != TN_OK)
        return;
    m->nexports = n;
    sort_names(m->exports, m->exports_by_name, n);
    for (uint32_t i = 1; i < n; i++)
        if (str_eq(m->exports[m->exports_by_name[i - 1]].name,
                   m->exports[m->exports_by_name[i]].name))
            reader_fail(r, TN_EFORMAT, from, "duplicate export name");
}

uint32_t exports_find(const struct wasm_module *module, struct str name)
{
    uint32_t low = 0, high = module->nexports;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        uint32_t i = module->exports_by_name[mid];
        int c = name_compare(module->exports[i].name, name);
        if (c == 0)
            return i;
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NO_INDEX;
}
