/* park_word_test.c: no wake-up is lost in any interleaving that the simulator tries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "kernel/machine.h"
#include "machine/common/park_word.h"
#include "machine/sim/sim.h"

enum { CPUS = 3, ROUNDS = 8, SEEDS_DEFAULT = 300, MEMORY_BYTES = 2 * 1024 * 1024 };

struct sleeper {
    atomic_u32 word;
    bool waits; /* in the futex */
};

struct game {
    struct sleeper sleepers[CPUS];
    atomic_u32 turn;
    bool (*sleep)(atomic_u32 *word);
};

/* FUTEX_WAIT: looks at the word and waits in one step; wakes for no reason only as the simulator's
 * park does, which is hidden here. */
static void futex_wait(struct sleeper *sleeper, uint32_t cpu)
{
    race_point();
    sleeper->waits = sleeper->word == PARK_PARKED;
    while (sleeper->waits)
        machine_park(cpu, UINT64_MAX);
}

static void futex_wake(struct sleeper *sleeper, uint32_t cpu)
{
    race_point();
    sleeper->waits = false;
    machine_unpark(cpu);
}

static void game_entry(void *arg, uint32_t cpu)
{
    struct game *game = arg;
    struct sleeper *self = &game->sleepers[cpu];
    for (uint32_t i = 0; i < ROUNDS; i++) {
        while (at_load(&game->turn, ACQUIRE) % CPUS != cpu) {
            if (game->sleep(&self->word))
                futex_wait(self, cpu);
            park_word_wake(&self->word);
        }
        at_add(&game->turn, 1, RELEASE);
        uint32_t next = (cpu + 1) % CPUS;
        if (park_word_notify(&game->sleepers[next].word))
            futex_wake(&game->sleepers[next], next);
    }
}

static bool deadlocks(uint64_t seed, bool (*sleep)(atomic_u32 *word))
{
    struct sim_machine config = {.seed = seed,
                                 .cpus = CPUS,
                                 .memory_bytes = MEMORY_BYTES,
                                 .schedule = seed % 2 == 0 ? SIM_RANDOM : SIM_PCT,
                                 .pct_steps = 300,
                                 .steps_max = 100000};
    struct game game = {.sleep = sleep};
    assert_int_equal(sim_machine_init(&config), 0);
    machine_run(game_entry, &game);
    struct sim_stats stats = sim_machine_stats();
    sim_machine_destroy();
    assert_false(stats.hung);
    if (!stats.deadlock)
        assert_int_equal(game.turn, CPUS * ROUNDS);
    return stats.deadlock;
}

static void test_no_wake_up_is_lost(void **state)
{
    (void)state;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);)
        assert_false(deadlocks(seed, park_word_sleep));
}

/* The mistake that the compare-and-swap avoids: a look and a store. */
static bool careless_sleep(atomic_u32 *word)
{
    if (at_load(word, RELAXED) != PARK_AWAKE)
        return false;
    at_store(word, PARK_PARKED, RELAXED);
    return true;
}

static void test_the_test_finds_a_lost_wake_up(void **state)
{
    (void)state;
    uint32_t found = 0;
    for (uint64_t seed = 0; seed < SEEDS_DEFAULT; seed++)
        found += deadlocks(seed, careless_sleep);
    assert_true(found > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_wake_up_is_lost),
        cmocka_unit_test(test_the_test_finds_a_lost_wake_up),
    };
    return cmocka_run_group_tests_name("park word", tests, NULL, NULL);
}
