/* mem_race_test.c: untyped memory under several virtual CPUs: nothing is handed out twice, all
 * comes back, and an untyped ends exactly once, whoever leaves it last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "kernel/machine.h"
#include "kernel/mem/limbo.h"
#include "kernel/mem/mem.h"
#include "machine/sim/sim.h"

enum { CPUS = 3, HELD = 12, OPS = 120, SEEDS_DEFAULT = 200, MIB = 1 << 20 };

static struct {
    struct limbo limbo;
    struct untyped *root, *child;
    uint32_t done, short_of_memory;
    atomic_u32 left; /* CPUs that need nothing any more */
} world;

struct held {
    uint8_t *at;
    size_t bytes;
    struct untyped *from;
    uint8_t fill;
};

static size_t choose_bytes(void)
{
    switch (sim_choose(6)) {
    case 0:
        return (size_t)(MIB + sim_choose(3 * MIB));
    case 1:
        return 1 + (size_t)sim_choose(10 * MEM_PAGE);
    default:
        return 1 + (size_t)sim_choose(MEM_SLAB_MAX);
    }
}

/* Large ones are filled and checked at their ends only. */
static void fill(struct held *held)
{
    size_t part = held->bytes < 256 ? held->bytes : 256;
    for (size_t i = 0; i < part; i++)
        assert_true(held->at[i] == 0 && held->at[held->bytes - 1 - i] == 0);
    memset(held->at, held->fill, part);
    memset(held->at + held->bytes - part, held->fill, part);
}

static void give(struct held *held)
{
    size_t part = held->bytes < 256 ? held->bytes : 256;
    for (size_t i = 0; i < part; i++)
        assert_true(held->at[i] == held->fill && held->at[held->bytes - 1 - i] == held->fill);
    mem_free(held->from, held->at, held->bytes);
    held->at = NULL;
}

static void alloc_entry(void *arg, uint32_t cpu)
{
    (void)arg;
    struct held held[HELD] = {0};
    limbo_busy(&world.limbo, cpu);
    for (uint32_t op = 0; op < OPS; op++) {
        struct held *h = &held[sim_choose(HELD)];
        if (h->at != NULL) {
            give(h);
            continue;
        }
        *h = (struct held){.bytes = choose_bytes(),
                           .from = sim_choose(2) == 0 ? world.child : world.root,
                           .fill = (uint8_t)(1 + cpu * 64 + sim_choose(64))};
        h->at = mem_alloc(h->from, h->bytes);
        if (h->at != NULL)
            fill(h);
        else
            world.short_of_memory++;
        limbo_boundary(&world.limbo, cpu);
        limbo_reap(&world.limbo, 1);
    }
    for (uint32_t i = 0; i < HELD; i++)
        if (held[i].at != NULL)
            give(&held[i]);
    limbo_idle(&world.limbo, cpu);
    world.done++;
}

static void world_open(uint64_t seed, uint64_t memory_bytes)
{
    struct sim_machine config = {.seed = seed,
                                 .cpus = CPUS,
                                 .memory_bytes = memory_bytes,
                                 .schedule = seed % 2 == 0 ? SIM_RANDOM : SIM_PCT};
    struct machine_region region;
    memset(&world, 0, sizeof(world));
    assert_int_equal(sim_machine_init(&config), 0);
    assert_true(machine_region(0, &region));
    limbo_init(&world.limbo, CPUS);
    assert_int_equal(untyped_boot(region.base, region.size_bytes, &world.limbo, &world.root), 0);
}

static void world_close(void)
{
    struct sim_stats stats = sim_machine_stats();
    assert_false(stats.hung || stats.deadlock);
    assert_true(stats.switches > 0);
    assert_int_equal(world.done, CPUS);
    limbo_drain(&world.limbo);
    mem_check(world.root);
    assert_int_equal(mem_stats(world.root).used_bytes, 0);
    sim_machine_destroy();
}

static void test_alloc_and_free(void **state)
{
    (void)state;
    uint32_t short_of_memory = 0;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        world_open(seed, 12 * MIB);
        assert_int_equal(untyped_make(world.root, 64 * 1024, &world.child), 0);
        machine_run(alloc_entry, NULL);
        short_of_memory += world.short_of_memory;
        mem_check(world.child);
        object_unref(untyped_object(world.child));
        world_close();
    }
    assert_true(short_of_memory > 0 || sim_one_seed());
}

/* All CPUs leave a dying child at once, one drops its last ref: its memory comes back once. Some of
 * what they leave is given back in parts, by whoever looks after limbo, or is short of memory. */
enum { LEAVES = 8, CHILD_BYTES = 32 * MIB };

static size_t leave_bytes(uint32_t cpu, uint32_t i)
{
    return i == cpu + 2 ? (size_t)(3 * MIB + cpu * MIB) : 40 + 600 * i;
}

static void leave_entry(void *arg, uint32_t cpu)
{
    void **at = arg;
    limbo_busy(&world.limbo, cpu);
    if (cpu == 0)
        object_unref(untyped_object(world.child));
    for (uint32_t i = 0; i < LEAVES; i++) {
        if (i == 6) { /* it has something of the child yet */
            void *late = mem_alloc(world.child, 4 * MIB);
            mem_free(world.child, late, 4 * MIB);
        }
        mem_free(world.child, at[cpu * LEAVES + i], leave_bytes(cpu, i));
        limbo_boundary(&world.limbo, cpu);
        limbo_reap(&world.limbo, 4);
    }
    limbo_idle(&world.limbo, cpu);
    at_add(&world.left, 1, RELEASE);
    while (cpu == 1 && (at_load(&world.left, ACQUIRE) < CPUS || limbo_reap(&world.limbo, 4)))
        machine_relax();
    world.done++;
}

static void test_last_to_leave(void **state)
{
    (void)state;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        world_open(seed, 2 * CHILD_BYTES);
        assert_int_equal(untyped_make(world.root, CHILD_BYTES, &world.child), 0);
        void *at[CPUS * LEAVES];
        for (uint32_t i = 0; i < ARRAY_LEN(at); i++) {
            at[i] = mem_alloc(world.child, leave_bytes(i / LEAVES, i % LEAVES));
            assert_non_null(at[i]);
        }
        machine_run(leave_entry, at);
        assert_int_equal(mem_stats(world.root).used_bytes, 0);
        world_close();
    }
}

/* While a block is on its way to the machine, who needs it waits and is not refused: CPU 0 asks for
 * more than there is and so gives the only free block back; the others need a page of it each. */
static void need_entry(void *arg, uint32_t cpu)
{
    (void)arg;
    for (uint32_t i = 0; i < 20; i++) {
        if (cpu == 0) {
            assert_null(mem_alloc(world.root, 4 * MIB));
            continue;
        }
        uint8_t *at = mem_alloc(world.root, MEM_PAGE);
        assert_non_null(at);
        at[0] = 1;
        mem_free(world.root, at, MEM_PAGE);
    }
    world.done++;
}

static void test_away_is_not_gone(void **state)
{
    (void)state;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        world_open(seed, 12 * MIB);
        void *block[8];
        uint32_t n = 0, pages = 0;
        while ((block[n] = mem_alloc(world.root, MEM_RELEASE)) != NULL)
            n++;
        static void *page[2 * MIB / MEM_PAGE];
        while ((page[pages] = mem_alloc(world.root, MEM_PAGE)) != NULL)
            pages++;
        mem_free(world.root, block[--n], MEM_RELEASE);
        machine_run(need_entry, NULL);
        while (n > 0)
            mem_free(world.root, block[--n], MEM_RELEASE);
        while (pages > 0)
            mem_free(world.root, page[--pages], MEM_PAGE);
        world_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alloc_and_free),
        cmocka_unit_test(test_last_to_leave),
        cmocka_unit_test(test_away_is_not_gone),
    };
    return cmocka_run_group_tests_name("mem_race", tests, NULL, NULL);
}
