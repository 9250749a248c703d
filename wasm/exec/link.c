/* link.c: see link.h. */
#include "wasm/exec/link.h"

#include "base/assert.h"
#include "wasm/decode/reader.h"

/* Do limits as they are fit those that an import declares? `size` is the size now. */
static bool limits_fit(uint64_t size, struct wasm_limits have, struct wasm_limits want)
{
    if (size < want.min)
        return false;
    return want.max == UINT32_MAX || (have.max != UINT32_MAX && have.max <= want.max);
}

static bool func_fits(const struct wasm_binding *b, const struct wasm_functype *want)
{
    if (b->host_fn != NULL)
        return b->host_type != NULL && functype_eq(b->host_type, want);
    if (b->instance == NULL || b->index >= b->instance->module->nfuncs)
        return false;
    return functype_eq(b->instance->funcs[b->index]->type, want);
}

static bool table_fits(const struct wasm_binding *b, const struct table_decl *want)
{
    if (b->instance == NULL || b->index >= b->instance->module->ntables)
        return false;
    const struct table *t = b->instance->tables[b->index];
    return t->type == want->type && limits_fit(t->size, t->limits, want->limits);
}

static bool memory_fits(const struct wasm_binding *b, struct wasm_limits want)
{
    if (b->instance == NULL || b->index != 0 || b->instance->memory == NULL)
        return false;
    const struct memory *m = b->instance->memory;
    return limits_fit(m->bytes / WASM_PAGE_BYTES, m->limits, want);
}

static bool global_fits(const struct wasm_binding *b, const struct global_decl *want)
{
    if (b->instance == NULL)
        return b->value_type == want->type && !want->mutable;
    if (b->index >= b->instance->module->nglobals)
        return false;
    const struct global *g = b->instance->globals[b->index];
    return g->type == want->type && g->mutable == want->mutable;
}

static bool binding_fits(const struct wasm_module *m, const struct import_decl *import,
                         const struct wasm_binding *b)
{
    if (b->kind != import->kind)
        return false;
    switch (import->kind) {
    case WASM_EXT_FUNC:
        return func_fits(b, m->funcs[import->index].type);
    case WASM_EXT_TABLE:
        return table_fits(b, &m->tables[import->index]);
    case WASM_EXT_MEMORY:
        return memory_fits(b, m->memory);
    case WASM_EXT_GLOBAL:
        return global_fits(b, &m->globals[import->index]);
    }
    UNREACHABLE("no such kind of import");
}

tn_err link_check(const struct wasm_module *module, const struct wasm_binding *bindings,
                  uint32_t nbindings, struct wasm_error *ret_error)
{
    ASSERT(ret_error != NULL);
    if (nbindings != module->nimports) {
        error_set(ret_error, TN_EINVAL, 0, UINT32_MAX,
                  "bindings wanted, one for each import:", module->nimports);
        return TN_EINVAL;
    }
    for (uint32_t i = 0; i < nbindings; i++) {
        const struct import_decl *import = &module->imports[i];
        if (!binding_fits(module, import, &bindings[i])) {
            error_set(ret_error, TN_ETYPE, import->offset, UINT32_MAX,
                      "incompatible import type: import", i);
            return TN_ETYPE;
        }
    }
    return TN_OK;
}

void link_imports(struct wasm_instance *inst, const struct wasm_binding *bindings)
{
    const struct wasm_module *m = inst->module;
    uint32_t nhost = 0, nvalues = m->nglobals - m->nimported_globals;
    for (uint32_t i = 0; i < m->nimports; i++) {
        const struct wasm_binding *b = &bindings[i];
        uint32_t index = m->imports[i].index;
        switch (b->kind) {
        case WASM_EXT_FUNC:
            if (b->host_fn == NULL) {
                inst->funcs[index] = b->instance->funcs[b->index];
                break;
            }
            inst->funcs[index] = &inst->host_funcs[nhost++];
            *inst->funcs[index] = (struct wasm_func){
                .type = m->funcs[index].type,
                .instance = inst,
                .nparams = m->funcs[index].type->nparams,
                .index = index,
                .host_fn = b->host_fn,
                .host = b->host,
            };
            break;
        case WASM_EXT_TABLE:
            inst->tables[index] = b->instance->tables[b->index];
            break;
        case WASM_EXT_MEMORY:
            inst->memory = b->instance->memory;
            break;
        case WASM_EXT_GLOBAL:
            if (b->instance != NULL) {
                inst->globals[index] = b->instance->globals[b->index];
                break;
            }
            inst->globals[index] = &inst->own_globals[nvalues++];
            *inst->globals[index] =
                (struct global){value_tidy(b->value_type, b->value), b->value_type, false};
            break;
        }
    }
    ASSERT(nhost == inst->nhost_funcs);
}
