/* object_test.c: counts, and grace periods: nothing is destroyed before every busy CPU has passed a
 * boundary, and then it is. */
#include "kernel/mem/stub_test.h"

#include "kernel/mem/object.h"

enum { MIB = 1 << 20 };

struct thing {
    struct object object;
    struct object *sends; /* a ref that its end drops */
    uint32_t more;        /* steps of its end after the first */
    uint32_t owner;       /* the CPU that destroys it, + 1; 0: any */
};

static uint32_t destroyed;
static struct object *last_destroyed;

static void thing_destroy(struct object *object)
{
    struct thing *thing = CONTAINER_OF(object, struct thing, object);
    destroyed++;
    last_destroyed = object;
    if (thing->more > 0) {
        thing->more--;
        limbo_again(object->limbo, object);
        return;
    }
    if (thing->owner > 0) {
        limbo_hand_over(object->limbo, object, thing->owner - 1);
        thing->owner = 0;
        return;
    }
    if (thing->sends != NULL)
        object_unref(thing->sends);
}

static const struct object_class thing_class = {
    .type = OBJ_NOTE, .name = "thing", .destroy = thing_destroy};

static void thing_init(struct thing *thing, struct limbo *limbo)
{
    *thing = (struct thing){0};
    object_init(&thing->object, &thing_class, NULL, limbo);
}

static void test_counts(void **state)
{
    (void)state;
    struct limbo limbo;
    limbo_init(&limbo, 1);
    destroyed = 0;
    struct thing thing;
    thing_init(&thing, &limbo);
    assert_int_equal(thing.object.caps, 0);
    object_ref(&thing.object);
    assert_true(object_try_ref(&thing.object));
    object_unref(&thing.object);
    object_unref(&thing.object);
    assert_false(limbo_reap(&limbo, 1));
    object_unref(&thing.object);
    assert_false(object_try_ref(&thing.object));
    assert_false(limbo_reap(&limbo, 1));
    assert_int_equal(destroyed, 1);
    EXPECT_PANIC(object_ref(&thing.object));
    static const struct object_class no_destroy = {.type = OBJ_NOTE};
    static const struct object_class no_type = {.destroy = thing_destroy};
    EXPECT_PANIC(object_init(&thing.object, &no_destroy, NULL, &limbo));
    EXPECT_PANIC(object_init(&thing.object, &no_type, NULL, &limbo));
    EXPECT_PANIC(object_init(&thing.object, &thing_class, NULL, NULL));
    thing_init(&thing, &limbo);
    at_store(&thing.object.refs, 0, RELAXED);
    EXPECT_PANIC(object_unref(&thing.object));
}

static void test_every_busy_cpu_must_pass(void **state)
{
    (void)state;
    struct limbo limbo;
    limbo_init(&limbo, 3);
    destroyed = 0;
    for (uint32_t cpu = 0; cpu < 3; cpu++)
        limbo_busy(&limbo, cpu);
    struct thing thing;
    thing_init(&thing, &limbo);
    object_unref(&thing.object);
    /* Boundaries from before the epoch was closed do not count. */
    for (uint32_t cpu = 0; cpu < 3; cpu++)
        limbo_boundary(&limbo, cpu);
    assert_true(limbo_reap(&limbo, 10));
    limbo_boundary(&limbo, 0);
    limbo_boundary(&limbo, 0);
    limbo_boundary(&limbo, 2);
    assert_true(limbo_reap(&limbo, 10));
    assert_int_equal(destroyed, 0);
    limbo_boundary(&limbo, 1);
    assert_false(limbo_reap(&limbo, 10));
    assert_int_equal(destroyed, 1);
    EXPECT_PANIC(limbo_boundary(&limbo, 3));
}

static void test_idle_counts_as_passed(void **state)
{
    (void)state;
    struct limbo limbo;
    limbo_init(&limbo, 2);
    destroyed = 0;
    limbo_busy(&limbo, 0);
    struct thing first, second;
    thing_init(&first, &limbo);
    object_unref(&first.object);
    assert_true(limbo_reap(&limbo, 10)); /* closes the epoch */
    limbo_busy(&limbo, 1);               /* after the end of `first`: does not hold it up */
    thing_init(&second, &limbo);
    object_unref(&second.object);
    limbo_boundary(&limbo, 0);
    assert_true(limbo_reap(&limbo, 10));
    assert_int_equal(destroyed, 1);
    assert_ptr_equal(last_destroyed, &first.object);
    limbo_boundary(&limbo, 0);
    assert_true(limbo_reap(&limbo, 10)); /* CPU 1 was busy when `second` came */
    limbo_idle(&limbo, 1);
    assert_false(limbo_reap(&limbo, 10));
    assert_int_equal(destroyed, 2);
    limbo_idle(&limbo, 0);
    EXPECT_PANIC(limbo_boundary(&limbo, 0));
}

static void test_at_most_and_in_order(void **state)
{
    (void)state;
    struct limbo limbo;
    limbo_init(&limbo, TN_THREADS_MAX);
    destroyed = 0;
    struct thing thing[10];
    for (uint32_t i = 0; i < 10; i++) {
        thing_init(&thing[i], &limbo);
        object_unref(&thing[i].object);
    }
    assert_true(limbo_reap(&limbo, 1));
    assert_ptr_equal(last_destroyed, &thing[0].object);
    assert_true(limbo_reap(&limbo, 8));
    assert_int_equal(destroyed, 9);
    assert_ptr_equal(last_destroyed, &thing[8].object);
    assert_false(limbo_reap(&limbo, 1));
    assert_int_equal(destroyed, 10);
    assert_false(limbo_reap(&limbo, 1));
    EXPECT_PANIC(limbo_init(&limbo, 0));
    EXPECT_PANIC(limbo_init(&limbo, TN_THREADS_MAX + 1));
}

static void test_drain(void **state)
{
    (void)state;
    struct limbo limbo;
    limbo_init(&limbo, 2);
    destroyed = 0;
    struct thing thing[5];
    for (uint32_t i = 0; i < 5; i++)
        thing_init(&thing[i], &limbo);
    for (uint32_t i = 0; i < 4; i++)
        thing[i].sends = &thing[i + 1].object;
    limbo_busy(&limbo, 0);
    struct thing other;
    thing_init(&other, &limbo);
    object_unref(&other.object);
    assert_true(limbo_reap(&limbo, 9)); /* `other` waits, the next ones arrive */
    object_unref(&thing[0].object);
    limbo_drain(&limbo);
    assert_int_equal(destroyed, 6);
    assert_false(limbo_reap(&limbo, 9));
    limbo_drain(&limbo);
}

/* An end in steps: one of them in each look, in turn with others, whatever CPUs do meanwhile; and
 * the other objects need not wait for it. */
static void test_ends_in_steps(void **state)
{
    (void)state;
    struct limbo limbo;
    limbo_init(&limbo, 2);
    destroyed = 0;
    struct thing thing[3];
    for (uint32_t i = 0; i < ARRAY_LEN(thing); i++) {
        thing_init(&thing[i], &limbo);
        thing[i].more = i < 2 ? 2 : 0;
    }
    object_unref(&thing[0].object);
    object_unref(&thing[1].object);
    assert_false(limbo_goes_on(&limbo));
    assert_true(limbo_reap(&limbo, 9));
    assert_int_equal(destroyed, 2);
    assert_true(limbo_goes_on(&limbo));
    limbo_busy(&limbo, 1); /* and stays so */
    object_unref(&thing[2].object);
    assert_true(limbo_reap(&limbo, 9));
    assert_ptr_equal(last_destroyed, &thing[0].object);
    assert_true(limbo_reap(&limbo, 9));
    assert_ptr_equal(last_destroyed, &thing[1].object);
    assert_int_equal(destroyed, 4);
    limbo_boundary(&limbo, 1);
    assert_true(limbo_reap(&limbo, 9)); /* the third, and a last step of the first */
    assert_ptr_equal(last_destroyed, &thing[0].object);
    assert_int_equal(destroyed, 6);
    assert_false(limbo_reap(&limbo, 9));
    assert_ptr_equal(last_destroyed, &thing[1].object);
    assert_int_equal(destroyed, 7);
    assert_false(limbo_goes_on(&limbo));
    thing_init(&thing[0], &limbo);
    thing[0].more = 5;
    object_unref(&thing[0].object);
    limbo_drain(&limbo);
    assert_int_equal(destroyed, 13);
    assert_false(limbo_goes_on(&limbo));
}

/* What is handed over is destroyed by that CPU and by no other, at most so many at a time. */
static void test_handed_over(void **state)
{
    (void)state;
    struct limbo limbo;
    limbo_init(&limbo, 3);
    destroyed = 0;
    struct thing thing[5];
    for (uint32_t i = 0; i < ARRAY_LEN(thing); i++) {
        thing_init(&thing[i], &limbo);
        thing[i].owner = i < 3 ? 2 : 3;
        object_unref(&thing[i].object);
    }
    assert_true(limbo_reap(&limbo, 9)); /* they are there, with their CPUs */
    assert_int_equal(destroyed, 5);
    assert_true(limbo_reap(&limbo, 9));
    limbo_reap_own(&limbo, 0, 9);
    assert_int_equal(destroyed, 5);
    limbo_reap_own(&limbo, 1, 2);
    assert_int_equal(destroyed, 7);
    limbo_reap_own(&limbo, 1, 2);
    assert_int_equal(destroyed, 8);
    assert_ptr_equal(last_destroyed, &thing[2].object);
    assert_true(limbo_reap(&limbo, 9));
    limbo_drain(&limbo);
    assert_int_equal(destroyed, 10);
    limbo_reap_own(&limbo, 2, 9);
    assert_false(limbo_reap(&limbo, 9));
    EXPECT_PANIC(limbo_reap_own(&limbo, 3, 9));
}

/* A ticket waits for every busy CPU and for no idle one, and delays no object. */
static void test_tickets(void **state)
{
    (void)state;
    struct limbo limbo;
    limbo_init(&limbo, 3);
    uint64_t idle = limbo_ticket(&limbo);
    assert_true(limbo_passed(&limbo, idle));
    limbo_busy(&limbo, 0);
    limbo_busy(&limbo, 1);
    assert_true(limbo_passed(&limbo, idle));
    uint64_t first = limbo_ticket(&limbo);
    assert_false(limbo_passed(&limbo, first));
    limbo_boundary(&limbo, 0);
    assert_false(limbo_passed(&limbo, first));
    uint64_t second = limbo_ticket(&limbo);
    limbo_boundary(&limbo, 1);
    assert_true(limbo_passed(&limbo, first));
    assert_false(limbo_passed(&limbo, second));
    limbo_idle(&limbo, 0);
    assert_true(limbo_passed(&limbo, second));
    /* Who becomes busy afterwards holds nothing from before. */
    limbo_busy(&limbo, 2);
    limbo_busy(&limbo, 0);
    assert_true(limbo_passed(&limbo, second));
    limbo_idle(&limbo, 0);
    limbo_idle(&limbo, 2);
    limbo_boundary(&limbo, 1);
    struct thing thing;
    thing_init(&thing, &limbo);
    object_unref(&thing.object);
    assert_true(limbo_reap(&limbo, 1)); /* closed: waits for CPU 1 */
    uint64_t later = limbo_ticket(&limbo);
    limbo_boundary(&limbo, 1);
    (void)limbo_ticket(&limbo);
    assert_false(limbo_reap(&limbo, 1));
    assert_true(limbo_passed(&limbo, later));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_every_busy_cpu_must_pass),
        cmocka_unit_test(test_idle_counts_as_passed),
        cmocka_unit_test(test_at_most_and_in_order),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_ends_in_steps),
        cmocka_unit_test(test_handed_over),
        cmocka_unit_test(test_tickets),
    };
    return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}
