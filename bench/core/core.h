/* core.h: the questions of the core benchmark. */
#ifndef BENCH_CORE_CORE_H
#define BENCH_CORE_CORE_H

#include <stdint.h>

#include "tests/kit/kit.h"

/* One question. `run` sets up actors on a booted kit of two CPUs, runs it and returns what one
 * operation took, in ns (or bytes). */
struct question {
    const char *name, *text, *unit;
    double floor; /* it must not be above; 0: none */
    /* Between CPUs: wall-clock time; else CPU time of the one thread that does all the work. */
    bool across;
    double (*run)(struct kit *kit);
};

/* The question that is measured; says which clock. */
extern const struct question *question_now;
/* By that clock. */
uint64_t bench_now_ns(void);

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
