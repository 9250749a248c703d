/* explore_linux.c: a scenario on real threads. */
#include "tests/kit/explore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "machine/linux/linux.h"

enum { RUNS = 8, CPUS = 4, MEMORY_BYTES = 64 << 20 };

void explore(const struct explore *e)
{
    uint32_t least = e->cpus_min > 0 ? e->cpus_min : 1, most = e->cpus_max > 0 ? e->cpus_max : CPUS;
    for (uint32_t run = 0; run < RUNS; run++) {
        const struct linux_machine machine = {.cpus = most - run / 2 % (most - least + 1),
                                              .more = e->compute + e->blocking,
                                              .memory_bytes = MEMORY_BYTES};
        bool restless = run % 2 != 0; /* its actors change CPU whenever they can */
        struct kit kit;
        snprintf(kit_where, sizeof(kit_where), "run %u, %u threads", run, machine.cpus);
        linux_machine_destroy(); /* of a test that failed */
        assert_int_equal(linux_machine_init(&machine), 0);
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
        linux_machine_destroy();
    }
}
