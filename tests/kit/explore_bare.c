/* explore_bare.c: a scenario on the CPUs of a bare machine. */
#include "tests/kit/explore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "machine/bare/bare.h"

enum { RUNS = 4, CPUS = 4, MEMORY_BYTES = 64 << 20 };

void explore(const struct explore *e)
{
    uint32_t least = e->cpus_min > 0 ? e->cpus_min : 1, most = e->cpus_max > 0 ? e->cpus_max : CPUS;
    uint32_t more = e->compute + e->blocking;
    for (uint32_t run = 0; run < RUNS; run++) {
        uint32_t cpus = most - run % (most - least + 1);
        bool restless = run % 2 != 0; /* its actors change CPU whenever they can */
        struct kit kit;
        snprintf(kit_where, sizeof(kit_where), "run %u, %u CPUs", run, cpus);
        assert_true(bare_limit(cpus + more, MEMORY_BYTES));
        kit_boot_with(&kit, &(struct kernel_config){.spin = 4,
                                                    .fibers_max = e->fibers_max,
                                                    .compute = e->compute,
                                                    .blocking = e->blocking,
                                                    .policy = restless ? &kit_restless : NULL});
        kit.move = restless;
        kit.run = run;
        e->scenario(&kit);
        kit_assert();
        kit_end(&kit);
    }
}
