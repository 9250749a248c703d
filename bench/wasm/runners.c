/* runners.c: one program of the WebAssembly benchmark, run natively, by our engine, by wabt's
 * interpreter and by V8. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#include "base/bits.h"
#include "bench/wasm/bench.h"
#include "wasm/wasm.h"

enum { WARM_RUNS = 5, STACK_SLOTS = 1 << 16, CALL_DEPTH = 4096, MEMORY_PAGES = 256 };

#define DECLARE(name) uint32_t run_##name(uint32_t n);
BENCH_PROGRAMS(DECLARE)

static uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

uint64_t median(const uint64_t *values, uint32_t n)
{
    uint64_t sorted[MAX_RUNS];
    memcpy(sorted, values, n * sizeof(values[0]));
    qsort(sorted, n, sizeof(sorted[0]), compare);
    return sorted[n / 2];
}

void first_line(const char *command, char *ret_line, size_t room)
{
    ret_line[0] = '\0';
    FILE *pipe = popen(command, "r");
    if (pipe == NULL)
        return;
    if (fgets(ret_line, (int)room, pipe) != NULL)
        ret_line[strcspn(ret_line, "\n")] = '\0';
    pclose(pipe);
}

bool run_native(const struct bench *bench, const char *name, uint32_t n, struct timing *ret_timing)
{
#define ENTRY(name) {#name, run_##name},
    static const struct {
        const char *name;
        uint32_t (*run)(uint32_t n);
    } programs[] = {BENCH_PROGRAMS(ENTRY)};
    for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
        if (strcmp(programs[i].name, name) != 0)
            continue;
        programs[i].run(n);
        for (uint32_t k = 0; k < bench->nruns; k++) {
            uint64_t start = cpu_ns();
            ret_timing->checksum = programs[i].run(n);
            ret_timing->ns[k] = cpu_ns() - start;
        }
        return true;
    }
    fprintf(stderr, "%s: no such program\n", name);
    return false;
}

static void *map(void *ctx, size_t bytes)
{
    (void)ctx;
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

static void unmap(void *ctx, void *at, size_t bytes)
{
    (void)ctx;
    if (at != NULL)
        munmap(at, bytes);
}

static uint8_t *read_program(const struct bench *bench, const char *name, size_t *ret_len)
{
    enum { ROOM = 1 << 20 };
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/%s.wasm", bench->dir, name);
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(ROOM);
    if (file == NULL || bytes == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    *ret_len = fread(bytes, 1, ROOM, file);
    fclose(file);
    return bytes;
}

static bool run_timed(struct wasm_instance *instance, uint32_t func, uint32_t n, uint32_t nruns,
                      struct timing *ret_timing)
{
    for (uint32_t k = 0; k < nruns + 1; k++) {
        const wasm_value arg = n;
        wasm_fuel_set(instance, UINT64_MAX / 2);
        uint64_t start = cpu_ns();
        if (wasm_begin(instance, func, &arg, 1) != TN_OK || wasm_run(instance) != WASM_DONE) {
            const char *trap = wasm_trap_text(instance);
            fprintf(stderr, "tenon: %s\n", trap == NULL ? "does not run" : trap);
            return false;
        }
        if (k > 0) /* the first run touches the memory */
            ret_timing->ns[k - 1] = cpu_ns() - start;
        ret_timing->checksum = (uint32_t)wasm_results(instance)[0];
        ret_timing->fuel = UINT64_MAX / 2 - wasm_fuel_left(instance);
    }
    return true;
}

bool run_tenon(const struct bench *bench, const char *name, uint32_t n, struct timing *ret_timing)
{
    static const struct wasm_alloc alloc = {map, unmap, NULL};
    const struct wasm_config config = {
        .memory_max_pages = MEMORY_PAGES,
        .stack_slots = STACK_SLOTS,
        .call_depth_max = CALL_DEPTH,
    };
    size_t len = 0;
    uint8_t *bytes = read_program(bench, name, &len);
    struct wasm_module *module = NULL;
    struct wasm_instance *instance = NULL;
    struct wasm_error error = {0};
    struct wasm_export_info export;
    uint64_t start = cpu_ns();
    tn_err err = wasm_load(&alloc, bytes, len, &module, &error);
    ret_timing->load_ns = cpu_ns() - start;
    free(bytes);
    if (err == TN_OK)
        err = wasm_instantiate(module, &alloc, &config, &instance, &error);
    bool ok =
        err == TN_OK && wasm_find_export(module, "run", 3, &export) && export.kind == WASM_EXT_FUNC;
    if (ok)
        ok = run_timed(instance, export.index, n, bench->nruns, ret_timing);
    else
        fprintf(stderr, "tenon: %s: %d %s\n", name, err, error.text);
    if (instance != NULL)
        wasm_destroy(instance);
    wasm_unload(module);
    return ok;
}

bool run_v8(const struct bench *bench, const char *name, uint32_t n, struct timing *ret_timing)
{
    char command[4 * PATH_BYTES];
    snprintf(command, sizeof(command),
             "node '%s' '%s/%s.wasm' %" PRIu32 " %" PRIu32 " %d 2>/dev/null", bench->v8_js,
             bench->dir, name, n, bench->nruns, WARM_RUNS);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL)
        return false;
    json_t *root = json_loadf(pipe, 0, NULL);
    bool ok = pclose(pipe) == 0 && root != NULL;
    const json_t *ns = json_object_get(root, "ns");
    ok = ok && json_array_size(ns) == bench->nruns;
    for (uint32_t k = 0; ok && k < bench->nruns; k++)
        ret_timing->ns[k] = (uint64_t)json_integer_value(json_array_get(ns, k));
    ret_timing->checksum = (uint32_t)json_integer_value(json_object_get(root, "checksum"));
    json_decref(root);
    return ok;
}

static uint64_t children_ns(void)
{
    struct rusage use;
    getrusage(RUSAGE_CHILDREN, &use);
    return ((uint64_t)use.ru_utime.tv_sec + (uint64_t)use.ru_stime.tv_sec) * 1000000000u +
           ((uint64_t)use.ru_utime.tv_usec + (uint64_t)use.ru_stime.tv_usec) * 1000u;
}

/* One process; its time, the shell's included, and what "fixed() => i32:123" says. */
static bool run_interp(const struct bench *bench, const char *name, const char *variant,
                       uint64_t *ret_ns, uint32_t *ret_checksum)
{
    char command[2 * PATH_BYTES], line[256];
    snprintf(command, sizeof(command), "wasm-interp '%s/%s-%s.wasm' --run-all-exports 2>/dev/null",
             bench->dir, name, variant);
    uint64_t start = children_ns();
    first_line(command, line, sizeof(line));
    *ret_ns = children_ns() - start;
    const char *colon = strrchr(line, ':');
    if (colon == NULL)
        return false;
    *ret_checksum = (uint32_t)strtoul(colon + 1, NULL, 10);
    return true;
}

bool run_wabt(const struct bench *bench, const char *name, uint32_t n, struct timing *ret_timing)
{
    (void)n; /* part of NAME-fixed.wasm */
    for (uint32_t k = 0; k < bench->nruns; k++) {
        uint64_t empty = 0, full = 0;
        uint32_t ignored;
        if (!run_interp(bench, name, "empty", &empty, &ignored) ||
            !run_interp(bench, name, "fixed", &full, &ret_timing->checksum))
            return false;
        ret_timing->ns[k] = full > empty ? full - empty : 1;
    }
    return true;
}
