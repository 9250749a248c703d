/* cell_race_test.c: a pool is closed while other CPUs still give its cells back: its memory goes
 * with the last of them, whoever that is, once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/actor/cell.h"
#include "kernel/mem/limbo.h"
#include "kernel/mem/mem.h"
#include "machine/sim/sim.h"

enum { CPUS = 3, CELLS = 7, SEEDS_DEFAULT = 400, MEMORY_BYTES = 2 << 20 };

static struct cell_pool *pool;
static struct cell *held[CPUS][CELLS];
static uint8_t home; /* its address stands for the owner's CPU */

static void linger(void)
{
    for (uint64_t i = sim_choose(12); i > 0; i--)
        machine_relax();
}

static void entry(void *arg, uint32_t cpu)
{
    (void)arg;
    struct cells_back back = {.pool = NULL};
    linger();
    if (cpu == 0) {
        cell_pool_close(pool);
        return;
    }
    for (uint32_t i = 0; i < CELLS; i++) {
        cell_give((const struct cpu *)128, &back, held[cpu][i]);
        if (sim_choose(2) == 0)
            cells_back_flush(&back);
    }
    cells_back_flush(&back);
}

static void close_once(uint64_t seed)
{
    const struct sim_machine sim = {.seed = seed,
                                    .cpus = CPUS,
                                    .memory_bytes = MEMORY_BYTES,
                                    .schedule = seed % 2 == 0 ? SIM_RANDOM : SIM_PCT};
    struct machine_region region;
    struct untyped *memory = NULL;
    struct limbo limbo;
    assert_int_equal(sim_machine_init(&sim), 0);
    assert_true(machine_region(0, &region));
    limbo_init(&limbo, CPUS);
    assert_int_equal(untyped_boot(region.base, region.size_bytes, &limbo, &memory), TN_OK);
    assert_int_equal(cell_pool_make(memory, (const struct cpu *)(const void *)&home, &pool), TN_OK);
    for (uint32_t cpu = 1; cpu < CPUS; cpu++) {
        for (uint32_t i = 0; i < CELLS; i++)
            held[cpu][i] = cell_take(pool);
    }
    machine_run(entry, NULL);
    mem_check(memory);
    assert_true(mem_stats(memory).used_bytes == 0);
    sim_machine_destroy();
}

static void test_closed_while_cells_come_back(void **state)
{
    (void)state;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);)
        close_once(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_closed_while_cells_come_back)};
    return cmocka_run_group_tests_name("cell_race", tests, NULL, NULL);
}
