/* names.c: the function names of the name section. It is a custom section: what is malformed in it
 * is ignored, with all after it. */
#include "base/assert.h"
#include "wasm/decode/loader.h"

enum { SUBSECTION_FUNCTIONS = 1 };

static void load_func_names(struct loader *l, struct reader *r)
{
    struct wasm_module *m = l->module;
    ASSERT(m->nfunc_names <= m->nfuncs);
    uint32_t n = read_u32(r);
    for (uint32_t i = 0; i < n && r->err == TN_OK; i++) {
        uint32_t func = read_u32(r);
        struct str name = read_name(r);
        if (r->err == TN_OK && func < m->nfunc_names && m->func_names[func].at == NULL)
            m->func_names[func] = loader_keep(l, name);
        if (l->r.err != TN_OK)
            return;
    }
}

void load_names(struct loader *l)
{
    struct wasm_module *m = l->module;
    if (m->nfunc_names != 0 || m->nfuncs == 0)
        return;
    m->func_names = loader_take(l, m->nfuncs, sizeof *m->func_names);
    if (m->func_names != NULL)
        m->nfunc_names = m->nfuncs;
    struct wasm_error ignored;
    struct reader r = l->r; /* its errors do not count */
    r.error = &ignored;
    while (l->r.err == TN_OK && r.err == TN_OK && r.at < r.end) {
        uint8_t id = read_byte(&r);
        uint32_t len = read_u32(&r);
        const uint8_t *at = read_bytes(&r, len);
        if (at == NULL)
            return;
        struct reader sub = r;
        sub.at = at;
        sub.end = at + len;
        if (id == SUBSECTION_FUNCTIONS)
            load_func_names(l, &sub);
    }
}
