/* explore.h: one scenario over many schedules: on machine sim with a seed each, on machine linux
 * with real threads a few times. A test picks one by linking explore_sim.c or explore_linux.c. */
#ifndef TESTS_KIT_EXPLORE_H
#define TESTS_KIT_EXPLORE_H

#include "tests/kit/kit.h"

struct explore {
    /* Makes actors on the booted kit, runs it, and checks what came of it with KIT_CHECK. */
    void (*scenario)(struct kit *kit);
    uint32_t cpus_min, cpus_max; /* 0: 1 and 4 */
    uint32_t fibers_max;         /* 0: the default */
    uint32_t compute, blocking;  /* CPUs beyond those, as in kernel_config */
};

/* The environment's SEEDS says how often; afterwards every actor dies and memory is what it was. */
void explore(const struct explore *explore);

/* A scenario as a line in a list of tests: EXPLORE(deferred), EXPLORE_ON(in_use, .cpus_min = 2). */
static inline void explore_test(void **state)
{
    explore(*state);
}
#define EXPLORE(what) EXPLORE_ON(what, .fibers_max = 0)
#define EXPLORE_ON(what, ...)                                                \
    {                                                                        \
        .name = #what, .test_func = explore_test,                            \
        .initial_state = &(struct explore){.scenario = (what), __VA_ARGS__}, \
    }

#endif
