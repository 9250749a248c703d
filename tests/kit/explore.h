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

#endif
