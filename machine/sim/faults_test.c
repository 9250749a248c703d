/* faults_test.c: what goes wrong on purpose, where invariants are looked at, and which seeds run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <tenon/limits.h>

#include "base/bits.h"
#include "kernel/machine.h"
#include "kernel/mem/limbo.h"
#include "kernel/mem/mem.h"
#include "machine/sim/sim.h"

enum { MEMORY_BYTES = 2 * 1024 * 1024, CHANCES = 4000 };
#define SECOND_NS UINT64_C(1000000000)

static struct sim_machine config_of(uint64_t seed, uint32_t cpus)
{
    return (struct sim_machine){.seed = seed, .cpus = cpus, .memory_bytes = MEMORY_BYTES};
}

static struct sim_stats run(struct sim_machine config, void (*entry)(void *, uint32_t), void *arg)
{
    assert_int_equal(sim_machine_init(&config), 0);
    machine_run(entry, arg);
    struct sim_stats stats = sim_machine_stats();
    assert_false(stats.deadlock || stats.hung);
    sim_machine_destroy();
    return stats;
}

/* Chances for a crash; counts those that come, and when. */
struct crashes {
    uint64_t came, when;
};

static void crashes_entry(void *arg, uint32_t cpu)
{
    struct crashes *c = arg;
    for (uint64_t i = 0; i < CHANCES; i++) {
        bool crash = sim_fault(SIM_FAULT_CRASH);
        c[cpu].came += crash;
        c[cpu].when += crash ? i : 0;
        race_point();
    }
}

static void test_rate(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct sim_machine config = config_of(seed, 2);
        struct crashes none[2] = {{0}}, first[2] = {{0}}, second[2] = {{0}}, all[2] = {{0}};
        struct sim_stats quiet = run(config, crashes_entry, none);
        config.faults[SIM_FAULT_CRASH] = 100;
        struct sim_stats a = run(config, crashes_entry, first);
        struct sim_stats b = run(config, crashes_entry, second);
        config.faults[SIM_FAULT_CRASH] = 1;
        (void)run(config, crashes_entry, all);
        assert_int_equal(none[0].came + none[1].came, 0);
        assert_int_equal(all[0].came + all[1].came, 2 * CHANCES);
        assert_memory_equal(first, second, sizeof(first));
        assert_int_equal(a.trace_hash, b.trace_hash);
        assert_true(a.trace_hash != quiet.trace_hash);
        assert_int_equal(a.chances[SIM_FAULT_CRASH], 2 * CHANCES);
        assert_int_equal(a.faults[SIM_FAULT_CRASH], first[0].came + first[1].came);
        assert_in_range(a.faults[SIM_FAULT_CRASH], 20, 300); /* 80 on average */
        assert_int_equal(a.chances[SIM_FAULT_LOST], 0);
    }
}

static void test_not_outside_of_a_run(void **state)
{
    (void)state;
    struct sim_machine config = config_of(1, 1);
    for (uint32_t i = 0; i < SIM_FAULTS; i++)
        config.faults[i] = 1;
    assert_int_equal(sim_machine_init(&config), 0);
    for (uint32_t i = 0; i < SIM_FAULTS; i++)
        assert_false(sim_fault((enum sim_fault)i));
    assert_int_equal(sim_machine_stats().chances[0], 0);
    sim_machine_destroy();
}

/* The nth allocation fails, and no other. */
struct allocation {
    struct untyped *root;
    uint32_t made;
};

static void allocation_entry(void *arg, uint32_t cpu)
{
    (void)cpu;
    struct allocation *a = arg;
    struct untyped *child;
    void *small = mem_alloc(a->root, 40);
    void *large = mem_alloc(a->root, 5 * MEM_PAGE);
    tn_err err = untyped_make(a->root, 64 * 1024, &child);
    a->made = (small != NULL) + (large != NULL) * 2u + (err == TN_OK) * 4u;
    if (err == TN_OK)
        object_unref(untyped_object(child));
    mem_free(a->root, large, 5 * MEM_PAGE);
    mem_free(a->root, small, 40);
}

static void test_nth_allocation(void **state)
{
    (void)state;
    for (uint32_t nth = 0; nth <= 4; nth++) {
        struct sim_machine config = config_of(nth, 1);
        struct allocation a;
        struct machine_region region;
        struct limbo limbo;
        config.memory_bytes = 2 * MEMORY_BYTES;
        assert_int_equal(sim_machine_init(&config), 0);
        assert_true(machine_region(0, &region));
        limbo_init(&limbo, 1);
        assert_int_equal(untyped_boot(region.base, region.size_bytes, &limbo, &a.root), TN_OK);
        sim_fault_nth(SIM_FAULT_MEMORY, nth);
        machine_run(allocation_entry, &a);
        assert_int_equal(a.made, nth >= 1 && nth <= 3 ? 7u & ~(1u << (nth - 1)) : 7u);
        assert_int_equal(sim_machine_stats().faults[SIM_FAULT_MEMORY], nth >= 1 && nth <= 3);
        limbo_drain(&limbo);
        assert_int_equal(mem_stats(a.root).used_bytes, 0);
        sim_machine_destroy();
    }
}

/* The clock jumps, and only forward. */
struct jumps {
    uint64_t last_ns, longest_ns;
    bool back;
};

static void jumps_entry(void *arg, uint32_t cpu)
{
    struct jumps *j = arg;
    for (uint32_t i = 0; i < 200; i++) {
        uint64_t now_ns = machine_now_ns();
        j->back |= now_ns < j->last_ns;
        if (now_ns - j->last_ns > j->longest_ns)
            j->longest_ns = now_ns - j->last_ns;
        j->last_ns = now_ns;
        if (i % 20 == 0) {
            uint64_t until_ns = now_ns + 1000;
            while (machine_now_ns() < until_ns)
                machine_park(cpu, until_ns);
        }
        machine_relax();
    }
}

static uint32_t long_jumps(uint32_t one_in)
{
    uint32_t found = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct sim_machine config = config_of(seed, 2);
        struct jumps j = {0};
        config.faults[SIM_FAULT_CLOCK] = one_in;
        (void)run(config, jumps_entry, &j);
        assert_false(j.back);
        found += j.longest_ns > SECOND_NS;
    }
    return found;
}

static void test_clock_jumps(void **state)
{
    (void)state;
    assert_int_equal(long_jumps(0), 0);
    assert_true(long_jumps(20) > 25);
}

static void test_nodes(void **state)
{
    (void)state;
    struct sim_machine config = config_of(1, TN_THREADS_MAX);
    assert_int_equal(sim_machine_init(&config), 0);
    for (uint32_t cpu = 0; cpu < TN_THREADS_MAX; cpu++)
        assert_int_equal(machine_node(cpu), 0);
    for (uint32_t nodes = 2; nodes <= 5; nodes++) {
        config.nodes = nodes;
        assert_int_equal(sim_machine_init(&config), 0);
        uint32_t last = 0;
        for (uint32_t cpu = 0; cpu < TN_THREADS_MAX; cpu++) {
            assert_in_range(machine_node(cpu), last, last + 1);
            last = machine_node(cpu);
        }
        assert_int_equal(last, nodes - 1);
    }
    config.cpus = 2;
    config.nodes = 3;
    assert_true(sim_machine_init(&config) < 0);
    sim_machine_destroy();
}

/* Two numbers that are equal whenever the lock is free. */
struct pair {
    struct spinlock lock;
    uint64_t a, b;
    atomic_u64 rounds;
    uint64_t looks, unlocked, broken;
    bool careless; /* forgets the lock */
};

static void pair_entry(void *arg, uint32_t cpu)
{
    struct pair *pair = arg;
    (void)cpu;
    for (uint32_t i = 0; i < 100; i++) {
        if (!pair->careless)
            lock_take(&pair->lock);
        pair->a++;
        at_store(&pair->rounds, i, RELAXED);
        pair->b++;
        if (!pair->careless)
            lock_drop(&pair->lock);
        race_point();
    }
}

static void pair_check(void *arg)
{
    struct pair *pair = arg;
    pair->looks++;
    if (at_load(&pair->lock.held, RELAXED) != 0)
        return;
    lock_take(&pair->lock); /* as the kernel's checkers do */
    pair->unlocked++;
    pair->broken += pair->a != pair->b;
    lock_drop(&pair->lock);
}

static struct sim_stats pair_run(struct sim_machine config, struct pair *pair, bool check)
{
    assert_int_equal(sim_machine_init(&config), 0);
    lock_init(&pair->lock, LOCK_MEM);
    if (check)
        sim_on_step(pair_check, pair);
    machine_run(pair_entry, pair);
    struct sim_stats stats = sim_machine_stats();
    assert_false(stats.deadlock || stats.hung);
    sim_machine_destroy();
    return stats;
}

static void test_on_step(void **state)
{
    (void)state;
    uint64_t unlocked = 0, careless = 0, rates = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct sim_machine config = config_of(seed, 3);
        config.schedule = seed % 2 == 0 ? SIM_RANDOM : SIM_PCT;
        struct pair unchecked = {.a = 0}, checked = {.a = 0}, often = {.a = 0}, wrong = {.a = 0};
        struct sim_stats a = pair_run(config, &unchecked, false);
        struct sim_stats b = pair_run(config, &checked, true);
        config.check_one_in = 1;
        struct sim_stats c = pair_run(config, &often, true);
        assert_int_equal(a.trace_hash, b.trace_hash);
        assert_int_equal(a.trace_hash, c.trace_hash);
        assert_int_equal(unchecked.looks, 0);
        assert_int_equal(checked.looks, b.checks);
        assert_true(often.looks >= c.steps / 2);
        assert_int_equal(checked.broken + often.broken, 0);
        unlocked += often.unlocked;
        rates |= checked.looks;
        wrong.careless = true;
        (void)pair_run(config, &wrong, true);
        careless += wrong.broken;
    }
    assert_true(unlocked > 0 && careless > 0 && rates > 60);
}

/* A lock of its owner's, taken by a store that waits: a check must see it before the plain stores
 * that it guards, and the atomic stores with the plain ones. */
struct owned {
    atomic_u32 inside;
    uint64_t plain;
    atomic_u64 word;
    uint64_t held, free, broken;
};

static void owned_entry(void *arg, uint32_t cpu)
{
    struct owned *owned = arg;
    for (uint64_t i = 1; i <= 100; i++) {
        if (cpu == 0) {
            at_store(&owned->inside, 1, RELAXED);
            at_fence_light();
            owned->plain = i;
            at_store(&owned->word, i, RELAXED);
            at_store(&owned->inside, 0, RELEASE);
        }
        race_point();
    }
}

static void owned_check(void *arg)
{
    struct owned *owned = arg;
    bool held = at_load(&owned->inside, RELAXED) != 0;
    owned->held += held;
    owned->free += !held;
    owned->broken += !held && at_load(&owned->word, RELAXED) != owned->plain;
}

static void test_check_sees_what_waits(void **state)
{
    (void)state;
    uint64_t held = 0, free_ = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct sim_machine config = config_of(seed, 2);
        struct owned owned = {.plain = 0};
        config.check_one_in = 1;
        assert_int_equal(sim_machine_init(&config), 0);
        sim_on_step(owned_check, &owned);
        machine_run(owned_entry, &owned);
        sim_machine_destroy();
        assert_int_equal(owned.broken, 0);
        assert_int_equal(owned.word, 100);
        held += owned.held;
        free_ += owned.free;
    }
    assert_true(held > 100 && free_ > 100);
}

/* Sets or (NULL) unsets the variables, and counts the seeds from the first. */
static uint64_t seeds_with(const char *seeds, const char *from, const char *one,
                           uint64_t *ret_first)
{
    const char *const names[] = {"SEEDS", "SEED_FROM", "SEED"};
    const char *const values[] = {seeds, from, one};
    char *former[ARRAY_LEN(names)];
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        former[i] = getenv(names[i]) != NULL ? strdup(getenv(names[i])) : NULL;
        assert_int_equal(values[i] != NULL ? setenv(names[i], values[i], 1) : unsetenv(names[i]),
                         0);
    }
    uint64_t count = 0;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(10, &seed); count++) {
        if (count == 0)
            *ret_first = seed;
        assert_int_equal(seed, *ret_first + count);
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(former[i] != NULL ? setenv(names[i], former[i], 1) : unsetenv(names[i]),
                         0);
        free(former[i]);
    }
    return count;
}

static void test_seeds(void **state)
{
    (void)state;
    uint64_t first;
    assert_int_equal(seeds_with(NULL, NULL, NULL, &first), 10);
    assert_int_equal(first, 0);
    assert_int_equal(seeds_with("4", NULL, NULL, &first), 10);
    assert_int_equal(seeds_with("25", "100", NULL, &first), 25);
    assert_int_equal(first, 100);
    assert_int_equal(seeds_with("25", "100", "7", &first), 1);
    assert_int_equal(first, 7);
}

/* A loop that is left early has failed: the next one says so. */
static void test_failed_seed_is_said(void **state)
{
    (void)state;
    int ends[2], former = dup(STDERR_FILENO);
    char text[1024] = {0};
    uint64_t seed = SIM_BEGIN, first;
    unsetenv("SEED");
    setenv("SEED_FROM", "0", 1);
    for (uint32_t i = 0; i < 4; i++)
        assert_true(sim_next_seed(10, &seed));
    assert_int_equal(seed, 3);
    assert_int_equal(pipe(ends), 0);
    assert_true(former >= 0 && dup2(ends[1], STDERR_FILENO) >= 0);
    (void)seeds_with(NULL, NULL, NULL, &first);
    assert_true(dup2(former, STDERR_FILENO) >= 0);
    ssize_t n = read(ends[0], text, sizeof(text) - 1);
    assert_true(n > 0);
    assert_non_null(strstr(text, "seed 3;"));
    assert_non_null(strstr(text, "./dev sim --seed 3 sim_faults\n"));
    (void)close(ends[0]);
    (void)close(ends[1]);
    (void)close(former);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_not_outside_of_a_run),
        cmocka_unit_test(test_nth_allocation),
        cmocka_unit_test(test_clock_jumps),
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_on_step),
        cmocka_unit_test(test_check_sees_what_waits),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_failed_seed_is_said),
    };
    return cmocka_run_group_tests_name("faults of the simulator", tests, NULL, NULL);
}
