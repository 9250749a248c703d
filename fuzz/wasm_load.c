/* wasm_load.c: any bytes as a WebAssembly module: load it and, if that works, run its exports.
 *
 * What must hold, besides the sanitizers' silence:
 * 1. A refused module holds no memory, leaves *ret_module alone and says why in a terminated text.
 * 2. Everything that was taken from the allocator is given back, at its size.
 * 3. A module runs the same whether its fuel comes at once or a little at a time: the same
 *    outcomes, results, traps, fuel and memory.
 *
 * Imports: functions trap, return, or are pending, by their index; memories, tables and mutable
 * globals come from a module that is written for the purpose. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "wasm/wasm.h"

enum {
    MEMORY_BYTES = 32 << 20, /* that the engine may hold */
    MEMORY_PAGES = 4,
    STACK_SLOTS = 4096,
    CALL_DEPTH = 64,
    FUEL = 5000, /* for each export */
    MAX_EXPORTS = 32,
    MAX_IMPORTS = 64,
    MAX_VALUES = 16,
    PROVIDER_BYTES = 4096,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(cond)                                                                    \
    do {                                                                              \
        if (!(cond)) {                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond); \
            abort();                                                                  \
        }                                                                             \
    } while (0)

static void *capped_alloc(void *ctx, size_t bytes)
{
    size_t *live = ctx;
    void *at = NULL;
    if (bytes > MEMORY_BYTES - *live || posix_memalign(&at, bytes >= 4096 ? 4096 : 16, bytes) != 0)
        return NULL;
    memset(at, 0, bytes);
    *live += bytes;
    return at;
}

static void capped_free(void *ctx, void *at, size_t bytes)
{
    size_t *live = ctx;
    if (at == NULL)
        return;
    MUST(bytes <= *live);
    *live -= bytes;
    free(at);
}

/* FNV-1a over all that can be observed of a run. */
static void note(uint64_t *digest, const void *at, size_t len)
{
    const uint8_t *bytes = at;
    for (size_t i = 0; i < len; i++)
        *digest = (*digest ^ bytes[i]) * UINT64_C(0x100000001b3);
}

static void note_u64(uint64_t *digest, uint64_t value)
{
    note(digest, &value, sizeof(value));
}

/* A value of the type that looks random; references are null. */
static wasm_value made_up(uint8_t type, uint64_t salt)
{
    uint64_t x = (salt + 1) * UINT64_C(0x9e3779b97f4a7c15);
    x ^= x >> 29;
    if ((salt & 3) == 0)
        x &= 0xff; /* small numbers reach more code */
    switch (type) {
    case WASM_I32:
    case WASM_F32:
        return (uint32_t)x;
    case WASM_I64:
    case WASM_F64:
        return x;
    default:
        return 0;
    }
}

static void fill_results(const struct wasm_functype *type, wasm_value *results)
{
    for (uint32_t i = 0; i < type->nresults; i++)
        results[i] = made_up(type->results[i], i);
}

/* `host` is the function's type. */
static enum wasm_status host_trap(void *host, struct wasm_instance *instance,
                                  const wasm_value *args, wasm_value *results)
{
    (void)host;
    (void)args;
    (void)results;
    wasm_trap(instance, "an import was called");
    return WASM_TRAP;
}

static enum wasm_status host_return(void *host, struct wasm_instance *instance,
                                    const wasm_value *args, wasm_value *results)
{
    (void)instance;
    (void)args;
    fill_results(host, results);
    return WASM_DONE;
}

/* What a pending call must be resumed with; one call can be pending at a time. */
static const struct wasm_functype *pending_type;

static enum wasm_status host_pending(void *host, struct wasm_instance *instance,
                                     const wasm_value *args, wasm_value *results)
{
    (void)instance;
    (void)args;
    (void)results;
    pending_type = host;
    return WASM_PENDING;
}

/* One world: the module's instance and, where it imports what only an instance can give, another
 * one that gives it. */
struct world {
    size_t live;
    struct wasm_alloc alloc;
    struct wasm_module *provider_module;
    struct wasm_instance *provider, *instance;
    struct wasm_binding bindings[MAX_IMPORTS];
};

struct writer {
    uint8_t bytes[PROVIDER_BYTES];
    size_t len;
};

static void put(struct writer *w, uint8_t byte)
{
    if (w->len < sizeof(w->bytes))
        w->bytes[w->len++] = byte;
}

static void put_u32(struct writer *w, uint32_t value)
{
    for (; value >= 0x80; value >>= 7)
        put(w, (uint8_t)(value | 0x80));
    put(w, (uint8_t)value);
}

static void put_limits(struct writer *w, struct wasm_limits limits)
{
    put(w, limits.max == UINT32_MAX ? 0 : 1);
    put_u32(w, limits.min);
    if (limits.max != UINT32_MAX)
        put_u32(w, limits.max);
}

/* A constant 0 or null of the type. */
static void put_zero(struct writer *w, uint8_t type)
{
    static const uint8_t opcodes[] = {[WASM_I32 - 0x7c] = 0x41,
                                      [WASM_I64 - 0x7c] = 0x42,
                                      [WASM_F32 - 0x7c] = 0x43,
                                      [WASM_F64 - 0x7c] = 0x44};
    if (type >= WASM_F64) {
        put(w, opcodes[type - 0x7c]);
        uint32_t zeros = type == WASM_F32 ? 4 : type == WASM_F64 ? 8 : 1;
        for (uint32_t i = 0; i < zeros; i++)
            put(w, 0);
    } else {
        put(w, 0xd0);
        put(w, type);
    }
    put(w, 0x0b);
}

static bool needs_provider(const struct wasm_import_info *import)
{
    return import->kind != WASM_EXT_FUNC && !(import->kind == WASM_EXT_GLOBAL && !import->mutable);
}

/* Writes one section of the provider: everything of `kind` that the module imports from it. */
static void put_section(struct writer *w, struct wasm_module *module, enum wasm_extern kind,
                        uint8_t id)
{
    struct writer body = {.len = 0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < wasm_import_count(module); i++) {
        struct wasm_import_info import = wasm_import(module, i);
        if (import.kind != kind || !needs_provider(&import))
            continue;
        count++;
        if (kind != WASM_EXT_MEMORY)
            put(&body, import.type);
        if (kind == WASM_EXT_GLOBAL) {
            put(&body, 1);
            put_zero(&body, import.type);
        } else {
            put_limits(&body, import.limits);
        }
    }
    struct writer head = {.len = 0};
    put_u32(&head, count);
    put(w, id);
    put_u32(w, (uint32_t)(head.len + body.len));
    for (size_t i = 0; i < head.len; i++)
        put(w, head.bytes[i]);
    for (size_t i = 0; i < body.len; i++)
        put(w, body.bytes[i]);
}

static bool make_provider(struct world *world, struct wasm_module *module)
{
    static const uint8_t magic[] = {0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00};
    struct writer w = {.len = sizeof(magic)};
    memcpy(w.bytes, magic, sizeof(magic));
    put_section(&w, module, WASM_EXT_TABLE, 4);
    put_section(&w, module, WASM_EXT_MEMORY, 5);
    put_section(&w, module, WASM_EXT_GLOBAL, 6);
    MUST(w.len < sizeof(w.bytes));
    struct wasm_error error;
    tn_err err = wasm_load(&world->alloc, w.bytes, w.len, &world->provider_module, &error);
    MUST(err == TN_OK || err == TN_ENOMEM || err == TN_ELIMIT);
    if (err != TN_OK)
        return false;
    const struct wasm_config config = {
        .memory_max_pages = MEMORY_PAGES, .stack_slots = STACK_SLOTS, .call_depth_max = CALL_DEPTH};
    return wasm_instantiate(world->provider_module, &world->alloc, &config, &world->provider,
                            &error) == TN_OK;
}

static void bind_imports(struct world *world, struct wasm_module *module)
{
    static const wasm_host_fn host_fns[] = {host_trap, host_return, host_pending};
    uint32_t next[4] = {0};
    for (uint32_t i = 0; i < wasm_import_count(module); i++) {
        struct wasm_import_info import = wasm_import(module, i);
        struct wasm_binding *b = &world->bindings[i];
        *b = (struct wasm_binding){.kind = import.kind};
        if (import.kind == WASM_EXT_FUNC) {
            bool small = import.func->nresults <= MAX_VALUES;
            b->host_fn = host_fns[small ? i % 3 : 0];
            b->host = (void *)(uintptr_t)import.func;
            b->host_type = import.func;
        } else if (needs_provider(&import)) {
            b->instance = world->provider;
            b->index = next[import.kind]++;
        } else {
            b->value = made_up(import.type, i);
            b->value_type = import.type;
        }
    }
}

static bool world_open(struct world *world, struct wasm_module *module)
{
    *world = (struct world){.live = 0};
    world->alloc = (struct wasm_alloc){capped_alloc, capped_free, &world->live};
    if (!make_provider(world, module))
        return false;
    bind_imports(world, module);
    const struct wasm_config config = {
        .bindings = world->bindings,
        .nbindings = wasm_import_count(module),
        .memory_max_pages = MEMORY_PAGES,
        .stack_slots = STACK_SLOTS,
        .call_depth_max = CALL_DEPTH,
    };
    struct wasm_error error = {0};
    tn_err err = wasm_instantiate(module, &world->alloc, &config, &world->instance, &error);
    MUST((err == TN_OK) == (world->instance != NULL));
    MUST(memchr(error.text, '\0', sizeof(error.text)) != NULL);
    return err == TN_OK;
}

static void world_close(struct world *world)
{
    if (world->instance != NULL)
        wasm_destroy(world->instance);
    if (world->provider != NULL)
        wasm_destroy(world->provider);
    wasm_unload(world->provider_module);
    MUST(world->live == 0);
}

/* Runs what was begun on FUEL in all, `slice` at a time, and notes how it ended. */
static void run_noted(struct wasm_instance *instance, uint64_t slice,
                      const struct wasm_functype *type, uint64_t *digest)
{
    uint64_t given = slice < FUEL ? slice : FUEL;
    wasm_fuel_set(instance, given);
    enum wasm_status status = wasm_run(instance);
    while (status == WASM_PENDING || (status == WASM_FUEL && given < FUEL)) {
        if (status == WASM_PENDING) {
            wasm_value results[MAX_VALUES];
            const struct wasm_functype *of = pending_type;
            fill_results(of, results);
            status = wasm_resume(instance, results, of->nresults);
            continue;
        }
        uint64_t more = slice < FUEL - given ? slice : FUEL - given;
        given += more;
        wasm_fuel_set(instance, wasm_fuel_left(instance) + more);
        status = wasm_run(instance);
    }
    struct wasm_frame_info frames[CALL_DEPTH];
    uint64_t left = wasm_fuel_left(instance);
    MUST(left <= given);
    note_u64(digest, (uint64_t)status);
    note_u64(digest, given - left);
    uint32_t depth = status == WASM_DONE ? 0 : wasm_backtrace(instance, frames, CALL_DEPTH);
    for (uint32_t i = 0; i < depth && i < CALL_DEPTH; i++) {
        note_u64(digest, frames[i].func);
        note_u64(digest, frames[i].offset);
    }
    if (status == WASM_DONE && type->nresults > 0)
        note(digest, wasm_results(instance), type->nresults * sizeof(wasm_value));
    if (status == WASM_TRAP) {
        const char *text = wasm_trap_text(instance);
        MUST(text != NULL);
        note(digest, text, strlen(text));
    }
    wasm_cancel(instance);
}

/* The digest of all that the module does. */
static uint64_t behaviour(struct wasm_module *module, uint64_t slice)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    struct world world;
    if (!world_open(&world, module)) {
        world_close(&world);
        return digest;
    }
    static const struct wasm_functype start_type = {0};
    if (wasm_start(world.instance) == TN_OK)
        run_noted(world.instance, slice, &start_type, &digest);
    uint32_t ran = 0;
    for (uint32_t i = 0; i < wasm_export_count(module) && ran < MAX_EXPORTS; i++) {
        struct wasm_export_info export = wasm_export(module, i);
        wasm_value args[MAX_VALUES];
        if (export.kind != WASM_EXT_FUNC || export.func->nparams > MAX_VALUES)
            continue;
        for (uint32_t k = 0; k < export.func->nparams; k++)
            args[k] = made_up(export.func->params[k], i + k);
        MUST(wasm_begin(world.instance, export.index, args, export.func->nparams) == TN_OK);
        run_noted(world.instance, slice, export.func, &digest);
        ran++;
    }
    uint64_t bytes = 0;
    const uint8_t *memory = wasm_memory(world.instance, &bytes);
    note_u64(&digest, bytes);
    if (bytes > 0)
        note(&digest, memory, (size_t)bytes);
    for (uint32_t i = 0; i < wasm_export_count(module); i++) {
        struct wasm_export_info export = wasm_export(module, i);
        wasm_value value = 0;
        bool number = export.kind == WASM_EXT_GLOBAL && export.type >= WASM_F64;
        if (number && wasm_global_get(world.instance, export.index, &value) == TN_OK)
            note_u64(&digest, value);
    }
    world_close(&world);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t live = 0;
    const struct wasm_alloc alloc = {capped_alloc, capped_free, &live};
    struct wasm_module *module = NULL;
    struct wasm_error error;
    memset(&error, 0xa5, sizeof(error));
    tn_err err = wasm_load(&alloc, data, size, &module, &error);
    if (err != TN_OK) {
        MUST(module == NULL && live == 0);
        MUST(err < 0 && err >= TN_ERRORS_LAST && error.err == err);
        MUST(memchr(error.text, '\0', sizeof(error.text)) != NULL);
        return 0;
    }
    MUST(module != NULL && wasm_module_bytes(module) <= live);
    if (wasm_import_count(module) <= MAX_IMPORTS)
        MUST(behaviour(module, FUEL) == behaviour(module, 1 + size % 37));
    wasm_unload(module);
    MUST(live == 0);
    return 0;
}
