/* wasm_diff.c: runs modules made at random through our engine and through wabt's wasm-interp, and
 * compares.
 *
 *   wasm_diff WORK_DIR FIRST_SEED COUNT
 *
 * For each seed gen_module.c makes a module; wasm-interp runs all its exports in order; our engine
 * does the same twice, with its fuel at once and in slices. Every result must be equal, a trap must
 * be a trap, and both of our runs must use the same fuel. A module that differs stays in WORK_DIR
 * as diff-SEED.wasm. wasm-interp 1.0.32 aborts on an assertion of its own for about one module in
 * two thousand; then only our two runs are compared, and more than one in fifty is a failure.
 *
 * Exit status: 0 when all agree, 1 when not, 77 (skipped) when wasm-interp is not there, 2 on wrong
 * arguments. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/conformance/wasm_gen.h"
#include "tests/conformance/wasm_spec.h"

enum { EXIT_USAGE = 2, EXIT_SKIPPED = 77, PATH_BYTES = 4096, LINE_BYTES = 256, MAX_LINES = 16 };

/* What the exports of a module did, one line each, as wasm-interp prints it: "f0() => i32:5", or
 * "f0() => error". */
struct outcome {
    char lines[MAX_LINES][LINE_BYTES];
    uint32_t nlines;
    uint64_t fuel;
};

enum interp { INTERP_RAN, INTERP_ABORTED, INTERP_FAILED };

static enum interp run_interp(const char *path, struct outcome *ret_outcome)
{
    char command[PATH_BYTES + 64];
    snprintf(command, sizeof(command), "wasm-interp '%s' --run-all-exports 2>/dev/null", path);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL)
        return INTERP_FAILED;
    *ret_outcome = (struct outcome){.nlines = 0};
    while (ret_outcome->nlines < MAX_LINES) {
        char *line = ret_outcome->lines[ret_outcome->nlines];
        if (fgets(line, LINE_BYTES, pipe) == NULL)
            break;
        line[strcspn(line, "\n")] = '\0';
        char *error = strstr(line, "error:");
        if (error != NULL)
            error[strlen("error")] = '\0';
        ret_outcome->nlines++;
    }
    int status = pclose(pipe);
    if (WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGABRT))
        return INTERP_ABORTED;
    return status == 0 && ret_outcome->nlines > 0 ? INTERP_RAN : INTERP_FAILED;
}

static void run_export(struct spec_world *world, const struct wasm_export_info *export,
                       char line[LINE_BYTES])
{
    struct wasm_instance *instance = world->last;
    int len = snprintf(line, LINE_BYTES, "%.*s() => ", (int)export->name_len, export->name);
    char *end = line + len;
    size_t room = (size_t)(LINE_BYTES - len);
    tn_err err = wasm_begin(instance, export->index, NULL, 0);
    enum wasm_status status = err == TN_OK ? spec_run(world, instance) : WASM_PENDING;
    if (status == WASM_DONE)
        snprintf(end, room, "%s:%" PRIu64, export->func->results[0] == WASM_I32 ? "i32" : "i64",
                 wasm_results(instance)[0]);
    else if (status == WASM_TRAP)
        snprintf(end, room, "error");
    else
        snprintf(end, room, "begin %d, status %d", err, status);
}

static bool run_tenon(const char *path, uint64_t slice_fuel, struct outcome *ret_outcome)
{
    static struct spec_world world;
    char text[SPEC_TEXT] = "";
    tn_err err = TN_OK;
    *ret_outcome = (struct outcome){.nlines = 0};
    bool ok = spec_world_open(&world, slice_fuel);
    if (ok && spec_instantiate(&world, path, &err, text) != SPEC_READY) {
        printf("%s: %d %s\n", path, err, text);
        ok = false;
    }
    struct wasm_module *module = ok ? wasm_instance_module(world.last) : NULL;
    for (uint32_t i = 0; ok && i < wasm_export_count(module) && i < MAX_LINES; i++) {
        struct wasm_export_info export = wasm_export(module, i);
        run_export(&world, &export, ret_outcome->lines[ret_outcome->nlines++]);
    }
    ret_outcome->fuel = world.fuel_used;
    return spec_world_close(&world) && ok;
}

static bool same(const char *path, const char *who, const struct outcome *a,
                 const struct outcome *b)
{
    bool ok = a->nlines == b->nlines;
    for (uint32_t i = 0; i < a->nlines && i < b->nlines; i++) {
        if (strcmp(a->lines[i], b->lines[i]) == 0)
            continue;
        printf("%s: %s: expected %s, got %s\n", path, who, a->lines[i], b->lines[i]);
        ok = false;
    }
    if (a->nlines != b->nlines)
        printf("%s: %s: %u exports, not %u\n", path, who, b->nlines, a->nlines);
    return ok;
}

static bool compare(const char *path, uint64_t seed, uint64_t *aborted)
{
    static struct outcome wabt, whole, sliced;
    enum interp interp = run_interp(path, &wabt);
    *aborted += interp == INTERP_ABORTED;
    if (interp == INTERP_FAILED) {
        printf("%s: wasm-interp failed\n", path);
        return false;
    }
    if (!run_tenon(path, 0, &whole) || !run_tenon(path, 1 + seed % 50, &sliced))
        return false;
    bool ok = same(path, "tenon in slices", &whole, &sliced);
    if (interp == INTERP_RAN)
        ok = same(path, "tenon", &wabt, &whole) && ok;
    if (whole.fuel != sliced.fuel) {
        printf("%s: fuel %" PRIu64 ", in slices %" PRIu64 "\n", path, whole.fuel, sliced.fuel);
        ok = false;
    }
    return ok;
}

static bool write_module(const char *path, uint64_t seed)
{
    static uint8_t bytes[GEN_MODULE_BYTES];
    size_t len = gen_module(seed, bytes);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        return false;
    }
    bool ok = fwrite(bytes, 1, len, file) == len;
    return fclose(file) == 0 && ok;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s WORK_DIR FIRST_SEED COUNT\n", argv[0]);
        return EXIT_USAGE;
    }
    if (system("command -v wasm-interp >/dev/null") != 0) {
        printf("skipped: wasm-interp (Debian package wabt) is not installed\n");
        return EXIT_SKIPPED;
    }
    if (mkdir(argv[1], 0777) != 0 && errno != EEXIST) {
        perror(argv[1]);
        return EXIT_FAILURE;
    }
    uint64_t first = strtoull(argv[2], NULL, 10), count = strtoull(argv[3], NULL, 10);
    uint64_t differ = 0, aborted = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        char path[PATH_BYTES];
        snprintf(path, sizeof(path), "%s/diff-%" PRIu64 ".wasm", argv[1], seed);
        if (!write_module(path, seed))
            return EXIT_FAILURE;
        if (compare(path, seed, &aborted))
            unlink(path);
        else
            differ++;
    }
    printf("%" PRIu64 " modules, %" PRIu64 " differ; wasm-interp aborted on %" PRIu64 "\n", count,
           differ, aborted);
    return differ == 0 && count > 0 && aborted <= count / 50 ? EXIT_SUCCESS : EXIT_FAILURE;
}
