/* chase.c: see curves.h. */
#include "base/bits.h"
#include "bench/core/crowd.h"
#include "bench/curves/curves.h"
#include "kernel/machine.h"

#include <stdlib.h>

enum { LINE_BYTES = 64, THINGS = 200000, MARGIN_BYTES = 16 << 20 };

/* Lines of a thing lie in its pieces, one behind the other; pieces of one kind lie together, as
 * objects of one size do. */
struct line {
    struct line *next;
};

static struct line *line_at(char *base, const struct chase *what, uint32_t n, uint32_t thing,
                            uint32_t nth)
{
    uint64_t piece_bytes = align_up((what->bytes + what->pieces - 1) / what->pieces, LINE_BYTES);
    uint64_t piece = nth % what->pieces, within = nth / what->pieces * LINE_BYTES;
    BENCH_MUST(within < piece_bytes);
    return (struct line *)(void *)(base + (piece * n + thing) * piece_bytes + within);
}

bool chase(const struct chase *what, uint32_t n, uint32_t runs, double *ret_value)
{
    uint64_t bytes = (what->bytes + (uint64_t)what->pieces * LINE_BYTES) * n + MARGIN_BYTES;
    struct machine_region region;
    double values[RUNS_MAX];
    if (!curves_open(bytes))
        return false;
    BENCH_MUST(machine_region(0, &region) && region.size_bytes >= bytes);
    uint32_t *order = bench_shuffled(n);
    struct line *last = line_at(region.base, what, n, order[n - 1], what->lines - 1);
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < what->lines; k++) {
            struct line *line = line_at(region.base, what, n, order[i], k);
            last->next = line;
            last = line;
        }
    }
    free(order);
    uint32_t things = n > THINGS ? n : THINGS;
    for (uint32_t run = 0; run <= runs; run++) { /* the first warms up */
        uint64_t begin = bench_now_ns();
        for (uint64_t i = (uint64_t)things * what->lines; i > 0; i--) {
            last = last->next;
            __asm__ volatile("" : "+r"(last));
        }
        values[run > 0 ? run - 1 : 0] = (double)(bench_now_ns() - begin) / things;
    }
    *ret_value = bench_median(values, runs);
    curves_close();
    return true;
}
