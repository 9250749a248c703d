/* curves.c: see curves.h. */
#include "bench/curves/curves.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/conditions.h"

enum { RUNS_DEFAULT = 5, EXIT_USAGE = 2 };

static void measure_at(const struct curve *curve, uint32_t n, uint32_t runs, json_t *points)
{
    double value = 0;
    fprintf(stderr, "curves: %s, %u\n", curve->name, n);
    json_t *figure = curve->measure(n, runs, &value) ? json_real(value) : json_null();
    json_array_append_new(points, json_pack("{s:i, s:o}", "n", (int)n, "value", figure));
}

static void measure_all(const struct curve *curve, uint32_t runs, json_t *points)
{
    for (uint32_t i = 0; i < POINTS_MAX && curve->point[i] > 0; i++)
        measure_at(curve, curve->point[i], runs, points);
}

/* What the words say of it: NAME, or NAME@N; all when there are none. */
static json_t *measure(const struct curve *curve, uint32_t runs, int argc, char **argv, int first)
{
    json_t *points = json_array();
    size_t len = strlen(curve->name);
    if (first == argc)
        measure_all(curve, runs, points);
    for (int i = first; i < argc; i++) {
        if (strncmp(argv[i], curve->name, len) != 0)
            continue;
        uint32_t n = argv[i][len] == '@' ? (uint32_t)strtoul(argv[i] + len + 1, NULL, 10) : 0;
        if (n > 0)
            measure_at(curve, n, runs, points);
        else if (argv[i][len] == '\0')
            measure_all(curve, runs, points);
    }
    return points;
}

int curves_main(int argc, char **argv, const char *what, const struct curve *curves, uint32_t n)
{
    char method[128];
    uint32_t runs = RUNS_DEFAULT;
    int at = 1;
    if (at + 1 < argc && strcmp(argv[at], "--runs") == 0) {
        runs = (uint32_t)strtoul(argv[at + 1], NULL, 10);
        at += 2;
    }
    if (runs == 0 || runs > RUNS_MAX || (at < argc && argv[at][0] == '-')) {
        fprintf(stderr, "usage: %s [--runs N] [NAME[@POINT]...]\n", argv[0]);
        return EXIT_USAGE;
    }
    json_t *root = json_object(), *figures = json_array();
    struct conditions conditions;
    snprintf(method, sizeof(method), "%s, medians of %u runs", what, runs);
    conditions_begin(&conditions, root, "curves", method);
    for (uint32_t i = 0; i < n; i++) {
        json_t *points = measure(&curves[i], runs, argc, argv, at);
        if (json_array_size(points) > 0)
            json_array_append_new(figures,
                                  json_pack("{s:s, s:s, s:s, s:s, s:O}", "group", curves[i].group,
                                            "name", curves[i].name, "what", curves[i].what, "unit",
                                            curves[i].unit, "points", points));
        json_decref(points);
    }
    json_object_set_new(root, "curves", figures);
    (void)conditions_end(&conditions); /* it has no floors */
    json_dumpf(root, stdout, JSON_INDENT(2));
    json_decref(root);
    return EXIT_SUCCESS;
}
