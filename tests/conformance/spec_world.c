/* spec_world.c: the instances of a script, the module `spectest`, memory and fuel for them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bits.h"
#include "tests/conformance/wasm_spec.h"

/* (module
 *   (memory (export "memory") 1 2)
 *   (table (export "table") 10 20 funcref)
 *   (global (export "global_i32") i32 (i32.const 666))
 *   (global (export "global_i64") i64 (i64.const 666))
 *   (global (export "global_f32") f32 (f32.const 666.6))
 *   (global (export "global_f64") f64 (f64.const 666.6))) */
static const uint8_t spectest_bytes[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x04, 0x05, 0x01, 0x70, 0x01, 0x0a, 0x14, 0x05,
    0x04, 0x01, 0x01, 0x01, 0x02, 0x06, 0x21, 0x04, 0x7f, 0x00, 0x41, 0x9a, 0x05, 0x0b, 0x7e, 0x00,
    0x42, 0x9a, 0x05, 0x0b, 0x7d, 0x00, 0x43, 0x66, 0xa6, 0x26, 0x44, 0x0b, 0x7c, 0x00, 0x44, 0xcd,
    0xcc, 0xcc, 0xcc, 0xcc, 0xd4, 0x84, 0x40, 0x0b, 0x07, 0x46, 0x06, 0x06, 0x6d, 0x65, 0x6d, 0x6f,
    0x72, 0x79, 0x02, 0x00, 0x05, 0x74, 0x61, 0x62, 0x6c, 0x65, 0x01, 0x00, 0x0a, 0x67, 0x6c, 0x6f,
    0x62, 0x61, 0x6c, 0x5f, 0x69, 0x33, 0x32, 0x03, 0x00, 0x0a, 0x67, 0x6c, 0x6f, 0x62, 0x61, 0x6c,
    0x5f, 0x69, 0x36, 0x34, 0x03, 0x01, 0x0a, 0x67, 0x6c, 0x6f, 0x62, 0x61, 0x6c, 0x5f, 0x66, 0x33,
    0x32, 0x03, 0x02, 0x0a, 0x67, 0x6c, 0x6f, 0x62, 0x61, 0x6c, 0x5f, 0x66, 0x36, 0x34, 0x03, 0x03,
};

/* The print functions of spectest; what they print is nobody's concern here. */
struct print_fn {
    const char *name;
    struct wasm_functype type;
};
static const struct print_fn print_fns[] = {
    {"print", {0, 0, NULL, NULL}},
    {"print_i32", {1, 0, (const uint8_t[]){WASM_I32}, NULL}},
    {"print_i64", {1, 0, (const uint8_t[]){WASM_I64}, NULL}},
    {"print_f32", {1, 0, (const uint8_t[]){WASM_F32}, NULL}},
    {"print_f64", {1, 0, (const uint8_t[]){WASM_F64}, NULL}},
    {"print_i32_f32", {2, 0, (const uint8_t[]){WASM_I32, WASM_F32}, NULL}},
    {"print_f64_f64", {2, 0, (const uint8_t[]){WASM_F64, WASM_F64}, NULL}},
};

static enum wasm_status print_nothing(void *host, struct wasm_instance *instance,
                                      const wasm_value *args, wasm_value *results)
{
    (void)host;
    (void)instance;
    (void)args;
    (void)results;
    return WASM_DONE;
}

/* Small blocks come from the heap at their exact size, where a sanitizer watches their ends; large
 * ones are mapped, so that memory that is never touched costs nothing. */
enum { MAPPED_BYTES = 1 << 20 };

static void *world_alloc(void *ctx, size_t bytes)
{
    struct spec_world *world = ctx;
    void *at = NULL;
    if (bytes >= MAPPED_BYTES) {
        at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                  -1, 0);
        if (at == MAP_FAILED)
            return NULL;
    } else {
        if (posix_memalign(&at, bytes >= 4096 ? 4096 : 16, bytes) != 0)
            return NULL;
        memset(at, 0, bytes);
    }
    world->live_bytes += bytes;
    return at;
}

static void world_free(void *ctx, void *at, size_t bytes)
{
    struct spec_world *world = ctx;
    if (at == NULL)
        return;
    world->live_bytes -= bytes;
    if (bytes >= MAPPED_BYTES)
        munmap(at, bytes);
    else
        free(at);
}

static bool same(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a_len == b_len && memcmp(a, b, a_len) == 0;
}

struct wasm_instance *spec_find(const struct spec_world *world, const char *name, size_t len,
                                bool registered)
{
    if (name == NULL)
        return world->last;
    for (uint32_t i = world->nnames; i > 0; i--) {
        const struct spec_name *n = &world->names[i - 1];
        if (n->registered == registered && same(n->at, n->len, name, len))
            return n->instance;
    }
    return NULL;
}

bool spec_name_add(struct spec_world *world, const char *name, size_t len, bool registered,
                   struct wasm_instance *instance)
{
    if (world->nnames == SPEC_MAX_NAMES)
        return false;
    world->names[world->nnames++] = (struct spec_name){name, len, registered, instance};
    return true;
}

/* A block may cost more than a slice: the slice doubles as long as nothing gets done. */
enum wasm_status spec_run(struct spec_world *world, struct wasm_instance *instance)
{
    uint64_t step = world->slice_fuel == 0 ? SPEC_FUEL : world->slice_fuel;
    uint64_t used = 0;
    enum wasm_status status;
    uint64_t given = step;
    do {
        wasm_fuel_set(instance, given);
        status = wasm_run(instance);
        uint64_t left = wasm_fuel_left(instance);
        used += given - left;
        given = left == given ? given * 2 : step;
    } while (status == WASM_FUEL && used < SPEC_FUEL && given <= SPEC_FUEL);
    world->fuel_used += used;
    return status;
}

/* Fills the binding of one import; false when nobody provides it. */
static bool bind_import(const struct spec_world *world, const struct wasm_import_info *import,
                        struct wasm_binding *ret_binding)
{
    struct wasm_instance *from = NULL;
    if (same(import->module, import->module_len, "spectest", 8)) {
        from = world->spectest;
        for (size_t i = 0; i < ARRAY_LEN(print_fns); i++) {
            const struct print_fn *p = &print_fns[i];
            if (!same(import->name, import->name_len, p->name, strlen(p->name)))
                continue;
            *ret_binding = (struct wasm_binding){
                .kind = WASM_EXT_FUNC, .host_fn = print_nothing, .host_type = &p->type};
            return true;
        }
    } else {
        from = spec_find(world, import->module, import->module_len, true);
    }
    struct wasm_export_info found;
    if (from == NULL ||
        !wasm_find_export(wasm_instance_module(from), import->name, import->name_len, &found))
        return false;
    *ret_binding =
        (struct wasm_binding){.kind = found.kind, .instance = from, .index = found.index};
    return true;
}

/* Links `module`, which the world owns from now on. */
static enum spec_stage link_module(struct spec_world *world, struct wasm_module *module,
                                   tn_err *ret_err, char text[SPEC_TEXT])
{
    struct spec_instance *slot = &world->instances[world->ninstances++];
    slot->module = module;
    uint32_t n = wasm_import_count(module);
    struct wasm_binding *bindings = calloc(n + 1, sizeof(*bindings));
    if (bindings == NULL)
        abort();
    enum spec_stage stage = SPEC_READY;
    for (uint32_t i = 0; i < n && stage == SPEC_READY; i++) {
        struct wasm_import_info import = wasm_import(module, i);
        if (!bind_import(world, &import, &bindings[i])) {
            snprintf(text, SPEC_TEXT, "unknown import %.*s", (int)import.name_len, import.name);
            *ret_err = TN_ENOTFOUND;
            stage = SPEC_UNLINKED;
        }
    }
    const struct wasm_config config = {
        .bindings = bindings,
        .nbindings = n,
        .memory_max_pages = SPEC_MEMORY_PAGES,
        .stack_slots = SPEC_STACK_SLOTS,
        .call_depth_max = SPEC_CALL_DEPTH,
        .fuel = SPEC_FUEL,
    };
    struct wasm_error error = {0};
    if (stage == SPEC_READY) {
        *ret_err = wasm_instantiate(module, &world->alloc, &config, &slot->instance, &error);
        if (*ret_err != TN_OK) {
            snprintf(text, SPEC_TEXT, "%s", error.text);
            stage = strncmp(error.text, "out of bounds", 13) == 0 ? SPEC_TRAPPED : SPEC_UNLINKED;
        }
    }
    free(bindings);
    return stage;
}

static uint8_t *read_file(const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    uint8_t *bytes = NULL;
    long len = -1;
    if (fseek(file, 0, SEEK_END) == 0 && (len = ftell(file)) >= 0 &&
        fseek(file, 0, SEEK_SET) == 0) {
        /* Exactly as long as the module, for a sanitizer to watch its end. */
        bytes = malloc(len == 0 ? 1 : (size_t)len);
        if (bytes != NULL && fread(bytes, 1, (size_t)len, file) != (size_t)len) {
            free(bytes);
            bytes = NULL;
        }
    }
    fclose(file);
    if (bytes != NULL)
        *ret_len = (size_t)len;
    return bytes;
}

static enum spec_stage load(struct spec_world *world, const char *path,
                            struct wasm_module **ret_module, tn_err *ret_err, char text[SPEC_TEXT])
{
    size_t len = 0;
    uint8_t *bytes = read_file(path, &len);
    if (bytes == NULL || world->ninstances == SPEC_MAX_INSTANCES) {
        snprintf(text, SPEC_TEXT, "%s", bytes == NULL ? "cannot read it" : "too many instances");
        free(bytes);
        return SPEC_UNREADABLE;
    }
    struct wasm_error error = {0};
    *ret_err = wasm_load(&world->alloc, bytes, len, ret_module, &error);
    free(bytes);
    if (*ret_err == TN_OK)
        return SPEC_READY;
    snprintf(text, SPEC_TEXT, "%s at byte %u", error.text, error.offset);
    return SPEC_REFUSED;
}

enum spec_stage spec_load_only(struct spec_world *world, const char *file, tn_err *ret_err,
                               char text[SPEC_TEXT])
{
    struct wasm_module *module = NULL;
    enum spec_stage stage = load(world, file, &module, ret_err, text);
    wasm_unload(module);
    return stage;
}

enum spec_stage spec_instantiate(struct spec_world *world, const char *file, tn_err *ret_err,
                                 char text[SPEC_TEXT])
{
    struct wasm_module *module = NULL;
    enum spec_stage stage = load(world, file, &module, ret_err, text);
    if (stage != SPEC_READY)
        return stage;
    stage = link_module(world, module, ret_err, text);
    if (stage != SPEC_READY)
        return stage;
    struct wasm_instance *instance = world->instances[world->ninstances - 1].instance;
    tn_err err = wasm_start(instance);
    if (err == TN_OK && spec_run(world, instance) != WASM_DONE) {
        const char *trap = wasm_trap_text(instance);
        snprintf(text, SPEC_TEXT, "%s", trap == NULL ? "no trap, not done" : trap);
        *ret_err = TN_ETRAP;
        return SPEC_TRAPPED;
    }
    if (err != TN_OK && err != TN_ENOTFOUND) {
        snprintf(text, SPEC_TEXT, "wasm_start: %d", err);
        *ret_err = err;
        return SPEC_UNLINKED;
    }
    world->last = instance;
    return SPEC_READY;
}

bool spec_world_open(struct spec_world *world, uint64_t slice_fuel)
{
    *world = (struct spec_world){.slice_fuel = slice_fuel};
    world->alloc = (struct wasm_alloc){world_alloc, world_free, world};
    struct wasm_module *module = NULL;
    struct wasm_error error = {0};
    tn_err err = wasm_load(&world->alloc, spectest_bytes, sizeof(spectest_bytes), &module, &error);
    if (err != TN_OK) {
        fprintf(stderr, "spectest does not load: %d %s\n", err, error.text);
        return false;
    }
    char text[SPEC_TEXT] = "";
    if (link_module(world, module, &err, text) != SPEC_READY) {
        fprintf(stderr, "spectest does not link: %d %s\n", err, text);
        return false;
    }
    world->spectest = world->instances[0].instance;
    return true;
}

bool spec_world_close(struct spec_world *world)
{
    for (uint32_t i = world->ninstances; i > 0; i--) {
        struct spec_instance *slot = &world->instances[i - 1];
        if (slot->instance != NULL)
            wasm_destroy(slot->instance);
    }
    for (uint32_t i = world->ninstances; i > 0; i--)
        wasm_unload(world->instances[i - 1].module);
    return world->live_bytes == 0;
}
