/* core.h: the questions of the core benchmark. */
#ifndef BENCH_CORE_CORE_H
#define BENCH_CORE_CORE_H

#include <stdint.h>

#include "bench/core/crowd.h"
#include "tests/kit/kit.h"

/* One question. `run` sets up actors on a booted kit of two CPUs, runs it and returns what one
 * operation took, in ns (or bytes). */
struct question {
    const char *name, *text, *unit;
    double floor; /* it must not be above; 0: none */
    bool wall;    /* wall-clock time; else CPU time of the one thread that does all the work */
    double (*run)(struct kit *kit);
    /* Instead of it, where a run is long to set up: on a machine of one CPU without a kernel, the
     * median of so many runs. */
    double (*run_bare)(uint32_t runs);
};

/* crowds.c */
double ring(struct kit *kit);
double eight_to_one(struct kit *kit);
double eight_to_one_across(struct kit *kit);
double eight_to_one_free(struct kit *kit);
double timer_fire(uint32_t runs);

/* channels.c */
double channel_round_trip(struct kit *kit);
double channel_message(struct kit *kit);
double channel_bulk(struct kit *kit);
double channel_round_trip_cpus(struct kit *kit);
double channel_message_cpus(struct kit *kit);
double channel_bulk_cpus(struct kit *kit);
double channel_round_trip_asleep(struct kit *kit);

/* swap.c */
double swap_alone(struct kit *kit);
double swap_under_load(struct kit *kit);

extern const struct question questions[];
extern const uint32_t nquestions;

/* Bytes of an idle actor by part, printed below the table. */
struct part {
    const char *name;
    uint64_t bytes;
};
extern const struct part parts[];
extern const uint32_t nparts;

#endif
