/* cap_race_test.c: capabilities under several virtual CPUs: what a lookup returns is what the
 * handle was given for, and stays whole until the CPU's next boundary. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "kernel/cap/lookup.h"
#include "kernel/mem/limbo.h"
#include "kernel/mem/mem.h"
#include "machine/sim/sim.h"

enum { CPUS = 3, SPACES = 2, HANDLES = 10, TURNS = 60, SEEDS_DEFAULT = 200, MIB = 1 << 20 };
#define MAGIC UINT64_C(0x7468696e67206f6b)

/* An object that knows the badge of all its capabilities. */
struct thing {
    struct object object;
    uint64_t magic, id;
};

/* A handle that was given out, perhaps stale, and the id of its thing. Plain memory: virtual CPUs
 * change over only where an atomic operation stands. */
struct given {
    tn_cap cap;
    uint64_t id;
};

static struct {
    struct limbo limbo;
    struct cap_root root;
    struct untyped *mem;
    struct space *space[SPACES];
    struct given given[SPACES][HANDLES];
    uint64_t ids, found, stale, held;
    uint32_t things, orphaned, done;
} world;

static void thing_orphan(struct object *object)
{
    assert_true(CONTAINER_OF(object, struct thing, object)->magic == MAGIC);
    world.orphaned++;
}

static void thing_destroy(struct object *object)
{
    struct thing *thing = CONTAINER_OF(object, struct thing, object);
    assert_true(thing->magic == MAGIC);
    memset(thing, 0xdd, sizeof(*thing));
    mem_free(world.mem, thing, sizeof(*thing));
    world.things--;
}

static const struct object_class thing_class = {
    .type = OBJ_NOTE, .name = "thing", .orphan = thing_orphan, .destroy = thing_destroy};

static void publish(uint32_t space, tn_cap cap, uint64_t id)
{
    world.given[space][sim_choose(HANDLES)] = (struct given){cap, id};
}

static struct given recall(uint32_t space)
{
    return world.given[space][sim_choose(HANDLES)];
}

static struct thing *thing_new(void)
{
    struct thing *thing = mem_alloc(world.mem, sizeof(*thing));
    assert_non_null(thing);
    thing->magic = MAGIC;
    thing->id = ++world.ids;
    object_init(&thing->object, &thing_class, world.mem, &world.limbo);
    world.things++;
    return thing;
}

static void do_make(uint32_t space)
{
    struct thing *thing = thing_new();
    tn_cap cap = 0;
    uint32_t other = (uint32_t)sim_choose(SPACES);
    tn_cap parent = recall(other).cap;
    bool below = sim_choose(2) == 0;
    tn_err err = cap_insert(world.space[space], &thing->object, TN_R_ALL, thing->id,
                            below ? world.space[other] : NULL, parent, &cap);
    if (err == TN_OK)
        publish(space, cap, thing->id);
    else
        assert_true(err == TN_ENOSLOT || (below && err == TN_EBADCAP));
    object_unref(&thing->object);
}

static void do_lookup(uint32_t space)
{
    struct cap_view view = {0};
    struct given given = recall(space);
    if (cap_find(world.space[space], given.cap, OBJ_NOTE, TN_R_CALL, &view) != TN_OK) {
        world.stale++;
        return;
    }
    world.found++;
    struct thing *thing = CONTAINER_OF(view.object, struct thing, object);
    assert_true(thing->magic == MAGIC && thing->id == view.badge && view.rights == TN_R_ALL);
    assert_true(thing->id == given.id);
    bool holds = sim_choose(4) == 0; /* now and then, while others delete it */
    for (uint64_t i = sim_choose(30); i > 0; i--) {
        machine_relax();
        if (!holds || !object_try_ref(view.object))
            continue;
        world.held++;
        machine_relax();
        object_unref(view.object);
    }
    assert_true(thing->magic == MAGIC && thing->id == view.badge);
}

static void do_one(void)
{
    uint32_t space = (uint32_t)sim_choose(SPACES), to = (uint32_t)sim_choose(SPACES);
    struct given given = recall(space);
    tn_cap cap = 0, from = given.cap;
    tn_err err = TN_OK;
    switch (sim_choose(12)) {
    case 0:
    case 1:
        do_make(space);
        break;
    case 2:
    case 3:
        err = cap_copy(world.space[space], from, world.space[to], &cap);
        break;
    case 4:
        err = cap_move(world.space[space], from, world.space[to], &cap);
        break;
    case 5:
    case 6:
        err = cap_delete(world.space[space], from);
        break;
    case 7:
        err = cap_revoke(world.space[space], from);
        break;
    default:
        do_lookup(space);
        break;
    }
    assert_true(err == TN_OK || err == TN_EBADCAP || err == TN_ENOSLOT);
    if (cap != 0)
        publish(to, cap, given.id);
}

static void mixed_entry(void *arg, uint32_t cpu)
{
    (void)arg;
    limbo_busy(&world.limbo, cpu);
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        if (sim_choose(4) == 0) {
            limbo_idle(&world.limbo, cpu);
            machine_relax();
            limbo_busy(&world.limbo, cpu);
        }
        for (uint64_t i = 1 + sim_choose(3); i > 0; i--)
            do_one();
        limbo_boundary(&world.limbo, cpu);
        limbo_reap(&world.limbo, 1 + (uint32_t)sim_choose(4));
    }
    if (sim_choose(4) == 0)
        space_clear(world.space[0]);
    limbo_idle(&world.limbo, cpu);
    world.done++;
}

static void world_open(uint64_t seed, enum sim_schedule schedule, uint32_t slots_max)
{
    struct sim_machine config = {.seed = seed,
                                 .cpus = CPUS,
                                 .memory_bytes = 4 * MIB,
                                 .schedule = schedule,
                                 .drain_one_in = seed % 4 == 0 ? 100 : 0};
    struct machine_region region;
    memset(&world, 0, sizeof(world));
    assert_int_equal(sim_machine_init(&config), 0);
    assert_true(machine_region(0, &region));
    limbo_init(&world.limbo, CPUS);
    cap_root_init(&world.root);
    assert_int_equal(untyped_boot(region.base, region.size_bytes, &world.limbo, &world.mem), 0);
    for (uint32_t i = 0; i < SPACES; i++)
        assert_int_equal(
            space_make(world.mem, &world.root, &world.limbo, slots_max, &world.space[i]), 0);
}

static void world_close(void)
{
    struct sim_stats stats = sim_machine_stats();
    assert_false(stats.hung || stats.deadlock);
    assert_int_equal(world.done, CPUS);
    for (uint32_t i = 0; i < SPACES; i++) {
        cap_check(world.space[i]);
        object_unref(space_object(world.space[i]));
    }
    limbo_drain(&world.limbo);
    mem_check(world.mem);
    assert_int_equal(world.things, 0);
    assert_int_equal(mem_stats(world.mem).used_bytes, 0);
    sim_machine_destroy();
}

/* With few slots handles are reused all the time; with many the spaces grow meanwhile. */
static void test_mixed(void **state)
{
    (void)state;
    uint64_t found = 0, stale = 0, held = 0, orphaned = 0;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        world_open(seed, seed % 2 == 0 ? SIM_RANDOM : SIM_PCT, seed % 3 == 0 ? 200 : 6);
        machine_run(mixed_entry, NULL);
        found += world.found;
        stale += world.stale;
        held += world.held;
        orphaned += world.orphaned;
        world_close();
    }
    assert_true(sim_one_seed() || (found > 1000 && stale > 1000 && held > 100 && orphaned > 1000));
}

/* CPU 0 revokes a tree of more than one step while the others mint from its descendants: when the
 * revoke returns, none is left, and none comes after. */
static struct {
    tn_cap top;
    atomic_u32 revoked;
} tree;

static void revoke_entry(void *arg, uint32_t cpu)
{
    (void)arg;
    struct cap_view view;
    limbo_busy(&world.limbo, cpu);
    if (cpu == 0) {
        for (uint64_t i = sim_choose(40); i > 0; i--)
            machine_relax();
        assert_int_equal(cap_revoke(world.space[0], tree.top), TN_OK);
        at_store(&tree.revoked, 1, SEQ_CST);
        assert_true(space_count(world.space[1]) == 0);
    }
    while (cpu != 0 && at_load(&tree.revoked, SEQ_CST) == 0) {
        struct given given = recall(1);
        tn_cap cap = 0;
        tn_err err = cap_copy(world.space[1], given.cap, world.space[1], &cap);
        assert_true(err == TN_OK || err == TN_EBADCAP || err == TN_ENOSLOT);
        if (err == TN_OK)
            publish(1, cap, given.id);
    }
    for (uint32_t i = 0; i < HANDLES; i++)
        assert_int_equal(cap_lookup(world.space[1], world.given[1][i].cap, OBJ_NONE, 0, &view),
                         TN_EBADCAP);
    limbo_idle(&world.limbo, cpu);
    world.done++;
}

static void test_revoke_against_mint(void **state)
{
    (void)state;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        world_open(seed, SIM_RANDOM, 300);
        struct thing *thing = thing_new();
        at_init(&tree.revoked, 0);
        tn_cap cap = 0;
        assert_int_equal(
            cap_insert(world.space[0], &thing->object, TN_R_ALL, thing->id, NULL, 0, &tree.top),
            TN_OK);
        object_unref(&thing->object);
        assert_int_equal(cap_copy(world.space[0], tree.top, world.space[1], &cap), TN_OK);
        for (uint32_t i = 0; i < 150; i++) {
            publish(1, cap, thing->id);
            tn_cap from = recall(1).cap;
            assert_int_equal(cap_copy(world.space[1], from != 0 ? from : cap, world.space[1], &cap),
                             TN_OK);
        }
        machine_run(revoke_entry, NULL);
        assert_int_equal(space_count(world.space[0]), 1);
        world_close();
    }
}

/* A space grows without the lock: what was decoded before may be gone then. Each CPU derives into
 * an empty space of its own turn after turn, while the last one deletes the source. */
static void grow_entry(void *arg, uint32_t cpu)
{
    tn_cap *sources = arg, cap = 0;
    limbo_busy(&world.limbo, cpu);
    for (uint32_t i = 0; i < HANDLES; i++) {
        if (cpu == CPUS - 1) {
            assert_int_equal(cap_delete(world.space[0], sources[i]), TN_OK);
            continue;
        }
        struct space *own = NULL;
        assert_int_equal(space_make(world.mem, &world.root, &world.limbo, 20, &own), TN_OK);
        tn_err err = TN_OK;
        switch (sim_choose(3)) {
        case 0:
            err = cap_copy(world.space[0], sources[i], own, &cap);
            break;
        case 1:
            err = cap_move(world.space[0], sources[HANDLES + i], own, &cap);
            break;
        default:
            err = cap_insert(own, space_object(own), 0, 0, world.space[0], sources[i], &cap);
            break;
        }
        assert_true(err == TN_OK || err == TN_EBADCAP);
        assert_int_equal(space_count(own), err == TN_OK);
        cap_check(own);
        space_clear(own);
        object_unref(space_object(own));
    }
    limbo_idle(&world.limbo, cpu);
    world.done++;
}

static void test_grow_against_delete(void **state)
{
    (void)state;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        world_open(seed, seed % 2 == 0 ? SIM_RANDOM : SIM_PCT, 100);
        tn_cap sources[2 * HANDLES];
        for (uint32_t i = 0; i < ARRAY_LEN(sources); i++) {
            struct thing *thing = thing_new();
            assert_int_equal(cap_insert(world.space[0], &thing->object, TN_R_ALL, thing->id, NULL,
                                        0, &sources[i]),
                             TN_OK);
            object_unref(&thing->object);
        }
        machine_run(grow_entry, sources);
        world_close();
    }
}

/* Two CPUs revoke: the same capability, or one and its ancestor, in steps with boundaries between;
 * the last looks objects up all the while. When a ticket that was drawn after the revoke has
 * passed, no CPU is still using what it deleted. */
static struct {
    tn_cap top[2];            /* in space 0 */
    atomic_u32 ended, passed; /* revokes that have returned; whose ticket has passed */
} pair;

/* Between two steps of a revoke nothing is derived from what it is of. */
static bool nothing_derived(uint32_t cpu)
{
    tn_cap cap = 0;
    return cap_copy(world.space[0], pair.top[cpu], world.space[1], &cap) == TN_EBADCAP;
}

static void pair_revoke(uint32_t cpu)
{
    tn_err err;
    while ((err = cap_revoke_step(world.space[0], pair.top[cpu])) == TN_EAGAIN) {
        /* Of one capability the other's revoke may be over, and its mark gone. */
        assert_true(pair.top[0] == pair.top[1] || nothing_derived(cpu));
        limbo_boundary(&world.limbo, cpu);
        limbo_reap(&world.limbo, 8);
    }
    assert_true(err == TN_OK || (err == TN_EBADCAP && pair.top[0] != pair.top[1]));
    at_add(&pair.ended, 1, SEQ_CST);
    uint64_t ticket = limbo_ticket(&world.limbo);
    do {
        machine_relax();
        limbo_boundary(&world.limbo, cpu);
        limbo_reap(&world.limbo, 1 + (uint32_t)sim_choose(8));
    } while (!limbo_passed(&world.limbo, ticket));
    at_add(&pair.passed, 1, SEQ_CST);
}

static void pair_look(void)
{
    struct cap_view view = {0};
    /* Those that revoked found what is below them all gone; but only both together are all. */
    bool ended = at_load(&pair.ended, SEQ_CST) == 2;
    tn_err err = cap_find(world.space[1], recall(1).cap, OBJ_NOTE, TN_R_CALL, &view);
    if (err != TN_OK)
        return;
    assert_false(ended);
    for (uint64_t i = sim_choose(10); i > 0; i--)
        machine_relax();
    assert_int_not_equal(at_load(&pair.passed, SEQ_CST), 2);
    assert_true(CONTAINER_OF(view.object, struct thing, object)->magic == MAGIC);
}

static void pair_entry(void *arg, uint32_t cpu)
{
    (void)arg;
    limbo_busy(&world.limbo, cpu);
    for (uint64_t i = sim_choose(30); i > 0; i--)
        machine_relax();
    if (cpu < 2)
        pair_revoke(cpu);
    while (at_load(&pair.passed, SEQ_CST) < 2) {
        pair_look();
        machine_relax();
        limbo_boundary(&world.limbo, cpu);
        limbo_reap(&world.limbo, 1 + (uint32_t)sim_choose(4));
    }
    limbo_idle(&world.limbo, cpu);
    world.done++;
}

static void preempt_revoke_by_two(void **state)
{
    (void)state;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        world_open(seed, seed % 2 == 0 ? SIM_RANDOM : SIM_PCT, 300);
        memset(&pair, 0, sizeof(pair));
        struct thing *thing = thing_new();
        tn_cap cap = 0;
        assert_int_equal(
            cap_insert(world.space[0], &thing->object, TN_R_ALL, thing->id, NULL, 0, &pair.top[0]),
            TN_OK);
        object_unref(&thing->object);
        pair.top[1] = pair.top[0];
        if (seed % 3 != 0)
            assert_int_equal(cap_copy(world.space[0], pair.top[0], world.space[0], &pair.top[1]),
                             TN_OK);
        for (uint32_t i = 0; i < 140; i++) {
            thing = thing_new();
            assert_int_equal(cap_insert(world.space[1], &thing->object, TN_R_ALL, thing->id,
                                        world.space[0], pair.top[i % 2], &cap),
                             TN_OK);
            object_unref(&thing->object);
            publish(1, cap, thing->id);
        }
        machine_run(pair_entry, NULL);
        assert_int_equal(space_count(world.space[1]), 0);
        world_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_revoke_against_mint),
        cmocka_unit_test(test_grow_against_delete),
        cmocka_unit_test(preempt_revoke_by_two),
    };
    return cmocka_run_group_tests_name("cap_race", tests, NULL, NULL);
}
