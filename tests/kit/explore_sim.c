/* explore_sim.c: a scenario on the simulated machine: seeds, CPUs and both kinds of schedule in
 * turn.
 */
#include "tests/kit/explore.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "machine/sim/sim.h"
#include "tests/kit/watch.h"

enum { SEEDS_DEFAULT = 40, CPUS = 4, MEMORY_BYTES = 64 << 20, CHECK_ONE_IN = 4096 };

static void explore_seed(const struct explore *e, uint64_t seed)
{
    uint32_t least = e->cpus_min > 0 ? e->cpus_min : 1, most = e->cpus_max > 0 ? e->cpus_max : CPUS;
    const struct sim_machine sim = {.seed = seed,
                                    .cpus = least + (uint32_t)(seed / 4 % (most - least + 1)) +
                                            e->compute + e->blocking,
                                    .nodes = 1 + (uint32_t)(seed / 8 % least),
                                    .memory_bytes = MEMORY_BYTES,
                                    .check_one_in = CHECK_ONE_IN,
                                    .switch_one_in = seed % 4 == 2 ? 2 : 0,
                                    .schedule = seed % 2 == 0 ? SIM_RANDOM : SIM_PCT,
                                    .pct_depth = (uint32_t)(seed / 2 % 4) + 1};
    bool restless = seed / 2 % 2 != 0; /* its actors change CPU whenever they can */
    struct kit kit;
    snprintf(kit_where, sizeof(kit_where), "seed %" PRIu64 " of sim, %u CPUs", seed, sim.cpus);
    assert_int_equal(sim_machine_init(&sim), 0);
    kit_boot_with(&kit, &(struct kernel_config){.spin = 4,
                                                .fibers_max = e->fibers_max,
                                                .compute = e->compute,
                                                .blocking = e->blocking,
                                                .policy = restless ? &kit_restless : NULL});
    kit.move = restless;
    kit.run = seed;
    kit_watch(&kit);
    e->scenario(&kit);
    KIT_CHECK(!sim_machine_stats().deadlock);
    KIT_CHECK(!sim_machine_stats().hung);
    kit_assert();
    kit_end(&kit);
    sim_machine_destroy();
}

void explore(const struct explore *e)
{
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);)
        explore_seed(e, seed);
}
