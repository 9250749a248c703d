/* conditions.h: what the figures of a benchmark depend on, and which of them are above their floor,
 * printed alike by all benchmarks: as lines, or into a JSON object.
 *
 * conditions_begin -> conditions_floor, for each figure that has one -> conditions_end */
#ifndef BENCH_CONDITIONS_H
#define BENCH_CONDITIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { CONDITIONS_TEXT = 2048 };

struct conditions {
    json_t *root; /* NULL: lines on standard output */
    const char *name;
    uint32_t floors, nmissed;
    json_t *missed;             /* names; NULL for lines */
    char said[CONDITIONS_TEXT]; /* the same for a person */
};

/* Says cpu, cpus, compiler, date, method and the load of the machine. `name` is the benchmark's and
 * lives until conditions_end, as `root` does (NULL: lines). */
void conditions_begin(struct conditions *conditions, json_t *root, const char *name,
                      const char *method);
/* One more line, or member, of the conditions. */
void conditions_add(struct conditions *conditions, const char *key, const char *value);
/* Is the figure at most its floor? Remembers it if not. */
bool conditions_floor(struct conditions *conditions, const char *name, const char *unit,
                      double figure, double floor);
/* Says the load of the machine at the end and which floors were missed; false: some were. Then the
 * line goes as well to the end of the file that the environment names BENCH_MISSED. */
bool conditions_end(struct conditions *conditions);

#endif
