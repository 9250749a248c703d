/* core.c: what the kernel core costs: messages, calls, capabilities, timers, actors.
 *
 *   bench_core [--json] [--check] [--runs N] [NAME...]
 *
 * Each figure is the median of the runs (five unless said), each on a kernel of its own with two
 * workers, of some hundred thousand operations: CPU time of the one worker that does the work, or
 * wall-clock time where two take part or timers fire. A figure above its floor is marked, named at
 * the end, and makes the exit status 1 in --check. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/conditions.h"
#include "bench/core/core.h"
#include "machine/linux/linux.h"

enum { RUNS_DEFAULT = 5, RUNS_MAX = 101, WORKERS = 2, MEMORY_BYTES = 1 << 30, EXIT_USAGE = 2 };

struct options {
    bool json, check;
    uint32_t runs;
};

static bool open_machine(uint32_t cpus)
{
    const struct linux_machine machine = {.cpus = cpus, .memory_bytes = MEMORY_BYTES};
    return linux_machine_init(&machine) == 0;
}

static bool measure(const struct question *q, uint32_t runs, double *ret_median)
{
    double values[RUNS_MAX];
    bench_wall = q->wall;
    if (q->run_bare != NULL) {
        if (!open_machine(1))
            return false;
        *ret_median = q->run_bare(runs);
        linux_machine_destroy();
        return true;
    }
    for (uint32_t i = 0; i < runs; i++) {
        struct kit kit;
        if (!open_machine(WORKERS))
            return false;
        kit_boot_with(&kit, &(struct kernel_config){.spin = 0});
        values[i] = q->run(&kit);
        kit_end(&kit);
        linux_machine_destroy();
    }
    *ret_median = bench_median(values, runs);
    return true;
}

static void begin(const struct options *options, struct conditions *conditions, json_t *root)
{
    char method[128];
    snprintf(
        method, sizeof(method),
        "CPU time (between CPUs, and of timers that fire, wall-clock time), median of %u runs, "
        "%u workers",
        options->runs, WORKERS);
    conditions_begin(conditions, options->json ? root : NULL, "core", method);
    if (options->json) {
        json_object_set_new(root, "runs", json_integer(options->runs));
        json_object_set_new(root, "workers", json_integer(WORKERS));
        return;
    }
    printf("\n%-24s %10s %8s  %s\n", "name", "median", "floor", "what");
}

/* Prints one line. */
static void report(const struct options *options, struct conditions *conditions,
                   const struct question *q, double median, json_t *figures)
{
    bool holds = q->floor <= 0 || conditions_floor(conditions, q->name, q->unit, median, q->floor);
    if (options->json) {
        json_t *figure = json_pack("{s:s, s:s, s:s, s:f, s:b}", "name", q->name, "what", q->text,
                                   "unit", q->unit, "median", median, "holds", holds);
        if (q->floor > 0)
            json_object_set_new(figure, "floor", json_real(q->floor));
        json_array_append_new(figures, figure);
        return;
    }
    char floor[32] = "-";
    if (q->floor > 0)
        snprintf(floor, sizeof(floor), "%.0f%s", q->floor, holds ? "" : " !");
    printf("%-24s %7.1f %-5s %5s  %s\n", q->name, median, q->unit, floor, q->text);
    fflush(stdout);
}

static void print_parts(const struct options *options, json_t *root)
{
    json_t *sizes = json_object();
    if (!options->json)
        printf("\n");
    for (uint32_t i = 0; i < nparts; i++) {
        json_object_set_new(sizes, parts[i].name, json_integer((json_int_t)parts[i].bytes));
        if (!options->json)
            printf("%7llu bytes  %s\n", (unsigned long long)parts[i].bytes, parts[i].name);
    }
    if (!options->json)
        printf("\n");
    json_object_set_new(root, "sizes", sizes);
}

static bool wanted(const struct question *q, int argc, char **argv, int first)
{
    for (int i = first; i < argc; i++) {
        if (strcmp(argv[i], q->name) == 0)
            return true;
    }
    return first == argc;
}

int main(int argc, char **argv)
{
    struct options options = {.runs = RUNS_DEFAULT};
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--json") == 0)
            options.json = true;
        else if (strcmp(argv[at], "--check") == 0)
            options.check = true;
        else if (strcmp(argv[at], "--runs") == 0 && at + 1 < argc)
            options.runs = (uint32_t)strtoul(argv[++at], NULL, 10);
        else
            options.runs = 0;
    }
    if (options.runs == 0 || options.runs > RUNS_MAX) {
        fprintf(stderr, "usage: %s [--json] [--check] [--runs N] [NAME...]\n", argv[0]);
        return EXIT_USAGE;
    }
    json_t *root = json_object(), *figures = json_array();
    struct conditions conditions;
    begin(&options, &conditions, root);
    for (uint32_t i = 0; i < nquestions; i++) {
        double median = 0;
        if (!wanted(&questions[i], argc, argv, at))
            continue;
        if (!measure(&questions[i], options.runs, &median)) {
            fprintf(stderr, "%s: no threads or memory for a kernel\n", questions[i].name);
            return EXIT_FAILURE;
        }
        report(&options, &conditions, &questions[i], median, figures);
    }
    json_object_set_new(root, "figures", figures);
    print_parts(&options, root);
    bool hold = conditions_end(&conditions);
    if (options.json)
        json_dumpf(root, stdout, JSON_INDENT(2));
    json_decref(root);
    return hold || !options.check ? EXIT_SUCCESS : EXIT_FAILURE;
}
