/* bench.c: what our WebAssembly engine costs beside native code, another interpreter and V8.
 *
 *   bench_wasm [--json] [--check] [--runs N] DIR V8_JS NAME:N...
 *
 * Each program of programs/ is one C source, compiled natively (gcc or clang -O2, as the build) and
 * to wasm32 by clang -O2. Each NAME is run with its n: natively in this process, by our engine in
 * this process with fuel counted, by Debian's wasm-interp in a process a run (its start taken off),
 * and by Node's V8 in one process after warm-up. All times are CPU time; each figure is the median
 * of the runs (five unless said). The checksums of all must be equal, or the exit status is 1.
 * Peers that are not installed are left out. --check runs natively and ours once and compares only.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "bench/conditions.h"
#include "bench/wasm/bench.h"
#include "wasm/wasm.h"

enum { EXIT_USAGE = 2, NATIVE = 0, TENON = 1, DEFAULT_RUNS = 5, LINE_BYTES = 256 };

static const struct engine {
    const char *name;
    bool (*run)(const struct bench *bench, const char *name, uint32_t n, struct timing *ret_timing);
    const char *version_command; /* prints something when it is installed; NULL: always there */
} engines[] = {
    {"native", run_native, NULL},
    {"tenon", run_tenon, NULL},
    {"wasm-interp", run_wabt, "wasm-interp --version 2>/dev/null"},
    {"v8", run_v8, "node --version 2>/dev/null"},
};

enum { ENGINES = ARRAY_LEN(engines) };

struct report {
    char versions[ENGINES][LINE_BYTES]; /* "": not installed */
    double log_ratios[ENGINES];         /* sums over the programs */
    bool failed[ENGINES];               /* in any program: then it has no mean */
    json_t *programs;
    uint32_t nprograms;
};

static void print_conditions(const struct bench *bench, const struct report *report,
                             struct conditions *conditions, json_t *root)
{
    char method[128];
    snprintf(method, sizeof(method), "CPU time, median of %u runs; fuel counted (table %u)",
             bench->nruns, WASM_FUEL_TABLE_VERSION);
    conditions_begin(conditions, bench->json ? root : NULL, "wasm", method);
    if (bench->json) {
        json_object_set_new(root, "runs", json_integer(bench->nruns));
        json_object_set_new(root, "fuel_table", json_integer(WASM_FUEL_TABLE_VERSION));
    }
    for (size_t e = TENON + 1; e < ENGINES; e++)
        conditions_add(conditions, engines[e].name,
                       report->versions[e][0] != '\0' || bench->json ? report->versions[e]
                                                                     : "not installed, left out");
    if (bench->json)
        return;
    printf("\n%-10s %8s", "program", "n");
    for (size_t e = 0; e < ENGINES; e++)
        printf(" %11s %7s", engines[e].name, e == NATIVE ? "" : "ratio");
    printf(" %9s %8s\n", "load", "ns/fuel");
}

static bool run_program(const struct bench *bench, struct report *report, const char *name,
                        uint32_t n)
{
    static struct timing timings[ENGINES];
    uint64_t times[ENGINES] = {0};
    json_t *json = json_pack("{s:s, s:I}", "name", name, "n", (json_int_t)n);
    bool ok = true;
    for (size_t e = 0; e < ENGINES; e++) {
        if (report->versions[e][0] == '\0')
            continue;
        timings[e] = (struct timing){.checksum = 0};
        if (!engines[e].run(bench, name, n, &timings[e])) {
            fprintf(stderr, "%s: %s failed\n", name, engines[e].name);
            report->failed[e] = true;
            ok = false;
            continue;
        }
        if (timings[e].checksum != timings[NATIVE].checksum) {
            fprintf(stderr, "%s: %s says %u, native %u\n", name, engines[e].name,
                    timings[e].checksum, timings[NATIVE].checksum);
            ok = false;
        }
        times[e] = median(timings[e].ns, bench->nruns);
        report->log_ratios[e] += log((double)times[e] / (double)times[NATIVE]);
        json_object_set_new(json, engines[e].name, json_integer((json_int_t)times[e]));
    }
    double ns_per_fuel = (double)times[TENON] / (double)(timings[TENON].fuel + 1);
    json_object_set_new(json, "load", json_integer((json_int_t)timings[TENON].load_ns));
    json_object_set_new(json, "fuel", json_integer((json_int_t)timings[TENON].fuel));
    json_array_append_new(report->programs, json);
    report->nprograms++;
    if (bench->json)
        return ok;
    printf("%-10s %8u", name, n);
    for (size_t e = 0; e < ENGINES; e++) {
        if (times[e] == 0)
            printf(" %11s %7s", "-", "");
        else if (e == NATIVE)
            printf(" %8.3f ms %7s", (double)times[e] / 1e6, "");
        else
            printf(" %8.2f ms %7.2f", (double)times[e] / 1e6,
                   (double)times[e] / (double)times[NATIVE]);
    }
    printf(" %6.0f us %8.3f\n", (double)timings[TENON].load_ns / 1e3, ns_per_fuel);
    return ok;
}

static void print_means(const struct bench *bench, const struct report *report, json_t *root)
{
    json_t *means = json_object();
    if (!bench->json)
        printf("%-19s", "geometric mean");
    for (size_t e = 0; e < ENGINES; e++) {
        double mean = exp(report->log_ratios[e] / report->nprograms);
        bool counts = report->versions[e][0] != '\0' && !report->failed[e];
        if (counts)
            json_object_set_new(means, engines[e].name, json_real(mean));
        if (!bench->json && e != NATIVE && counts)
            printf(" %11s %7.2f", "", mean);
        else if (!bench->json)
            printf(" %11s %7s", "", "");
    }
    json_object_set_new(root, "geometric_mean_ratio", means);
    json_object_set(root, "programs_ns", report->programs);
    if (!bench->json)
        printf("\n\n");
}

/* Takes the options from argv; the index of the first argument, or 0 when they are wrong. */
static int read_options(int argc, char **argv, struct bench *bench, bool *ret_check)
{
    int at = 1;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        if (strcmp(argv[at], "--json") == 0)
            bench->json = true;
        else if (strcmp(argv[at], "--check") == 0)
            *ret_check = true;
        else if (strcmp(argv[at], "--runs") == 0 && at + 1 < argc)
            bench->nruns = (uint32_t)strtoul(argv[++at], NULL, 10);
        else
            return 0;
    }
    return argc - at < 3 || bench->nruns == 0 || bench->nruns > MAX_RUNS ? 0 : at;
}

int main(int argc, char **argv)
{
    struct bench bench = {.nruns = DEFAULT_RUNS};
    static struct report report;
    bool check = false;
    int at = read_options(argc, argv, &bench, &check);
    if (at == 0) {
        fprintf(stderr, "usage: %s [--json] [--check] [--runs N] DIR V8_JS NAME:N...\n", argv[0]);
        return EXIT_USAGE;
    }
    bench.dir = argv[at++];
    bench.v8_js = argv[at++];
    if (check)
        bench.nruns = 1;
    for (size_t e = 0; e < ENGINES; e++) {
        if (engines[e].version_command == NULL)
            snprintf(report.versions[e], LINE_BYTES, "here");
        else if (!check)
            first_line(engines[e].version_command, report.versions[e], LINE_BYTES);
    }
    json_t *root = json_object();
    report.programs = json_array();
    struct conditions conditions;
    print_conditions(&bench, &report, &conditions, root);
    bool ok = true;
    for (; at < argc; at++) {
        char name[64];
        unsigned n = 0;
        if (sscanf(argv[at], "%63[a-z0-9]:%u", name, &n) != 2) {
            fprintf(stderr, "%s: not NAME:N\n", argv[at]);
            return EXIT_USAGE;
        }
        ok = run_program(&bench, &report, name, n) && ok;
        fflush(stdout);
    }
    print_means(&bench, &report, root);
    (void)conditions_end(&conditions); /* it has no floors */
    if (bench.json)
        json_dumpf(root, stdout, JSON_INDENT(2));
    json_decref(report.programs);
    json_decref(root);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
