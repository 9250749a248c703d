/* describe.c: what a module says of itself: imports, exports, names, places in the code. */
#include "base/assert.h"
#include "wasm/decode/loader.h"

uint32_t wasm_import_count(const struct wasm_module *module)
{
    return module->nimports;
}

struct wasm_import_info wasm_import(const struct wasm_module *module, uint32_t i)
{
    ASSERT(i < module->nimports);
    const struct import_decl *d = &module->imports[i];
    struct wasm_import_info info = {
        .module = d->module.at,
        .name = d->name.at,
        .module_len = d->module.len,
        .name_len = d->name.len,
        .kind = d->kind,
    };
    switch (d->kind) {
    case WASM_EXT_FUNC:
        info.func = module->funcs[d->index].type;
        break;
    case WASM_EXT_TABLE:
        info.type = module->tables[d->index].type;
        info.limits = module->tables[d->index].limits;
        break;
    case WASM_EXT_MEMORY:
        info.limits = module->memory;
        break;
    case WASM_EXT_GLOBAL:
        info.type = module->globals[d->index].type;
        info.mutable = module->globals[d->index].mutable;
        break;
    }
    return info;
}

uint32_t wasm_export_count(const struct wasm_module *module)
{
    return module->nexports;
}

struct wasm_export_info wasm_export(const struct wasm_module *module, uint32_t i)
{
    ASSERT(i < module->nexports);
    const struct export_decl *d = &module->exports[i];
    struct wasm_export_info info = {
        .name = d->name.at,
        .name_len = d->name.len,
        .kind = d->kind,
        .index = d->index,
    };
    switch (d->kind) {
    case WASM_EXT_FUNC:
        info.func = module->funcs[d->index].type;
        break;
    case WASM_EXT_TABLE:
        info.type = module->tables[d->index].type;
        info.limits = module->tables[d->index].limits;
        break;
    case WASM_EXT_MEMORY:
        info.limits = module->memory;
        break;
    case WASM_EXT_GLOBAL:
        info.type = module->globals[d->index].type;
        info.mutable = module->globals[d->index].mutable;
        break;
    }
    return info;
}

bool wasm_find_export(const struct wasm_module *module, const char *name, size_t len,
                      struct wasm_export_info *ret_export)
{
    ASSERT(ret_export != NULL);
    uint32_t i = exports_find(module, (struct str){name, len});
    if (i == NO_INDEX)
        return false;
    *ret_export = wasm_export(module, i);
    return true;
}

const char *wasm_func_name(const struct wasm_module *module, uint32_t func, size_t *ret_len)
{
    ASSERT(ret_len != NULL);
    if (func >= module->nfunc_names) {
        *ret_len = 0;
        return "";
    }
    *ret_len = module->func_names[func].len;
    return *ret_len == 0 ? "" : module->func_names[func].at;
}

size_t wasm_module_bytes(const struct wasm_module *module)
{
    return module->arena.heap.bytes;
}

uint32_t func_offset(const struct func_decl *func, uint32_t at, bool block)
{
    ASSERT(at < func->ncode);
    uint32_t low = 0, high = func->npositions;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (func->positions[mid].at <= at)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == 0)
        return func->offset;
    /* A block's start is noted before the first instruction's own place. */
    for (low--; block && low > 0 && func->positions[low - 1].at == at; low--)
        ;
    return func->positions[low].offset;
}
