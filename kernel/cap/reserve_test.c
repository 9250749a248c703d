/* reserve_test.c: slots that a receiver sets aside, and what is delivered into them. */
#include "kernel/cap/thing_test.h"

static void test_reserve_names_nothing(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 12);
    struct space *space = f.space[0];
    tn_cap slots[TN_PACK_CAPS] = {0}, none[TN_PACK_CAPS] = {0}, cap = 0;
    tn_cap top = thing_cap(&f, space, TN_R_ALL, 0);
    assert_int_equal(cap_reserve(space, 0, none), TN_OK);
    assert_int_equal(cap_reserve(space, TN_PACK_CAPS, slots), TN_OK);
    assert_int_equal(space_count(space), 1);
    cap_check(space);
    for (uint32_t i = 0; i < TN_PACK_CAPS; i++) {
        assert_true(stale(space, slots[i]));
        assert_int_equal(cap_copy(space, slots[i], space, &cap), TN_EBADCAP);
        assert_int_equal(cap_move(space, slots[i], space, &cap), TN_EBADCAP);
        assert_int_equal(cap_delete(space, slots[i]), TN_EBADCAP);
        assert_int_equal(cap_revoke(space, slots[i]), TN_EBADCAP);
        assert_int_equal(cap_transfer(space, &slots[i], 1, 0, f.space[1], &cap), TN_EBADCAP);
    }
    /* Nobody else gets them, however full the space. */
    for (uint32_t i = 0; i < 7; i++)
        assert_int_equal(cap_copy(space, top, space, &cap), TN_OK);
    assert_int_equal(cap_copy(space, top, space, &cap), TN_ENOSLOT);
    assert_int_equal(cap_reserve(space, 1, none), TN_ENOSLOT);
    assert_int_equal(none[0], 0);
    cap_unreserve(space, slots, 1);
    cap_unreserve(space, slots, 1);
    assert_int_equal(cap_reserve(space, 2, none), TN_ENOSLOT);
    assert_int_equal(cap_copy(space, top, space, &cap), TN_OK);
    assert_int_equal((uint32_t)cap, (uint32_t)slots[0] + (1u << 24));
    cap_check(space);
    fixture_close(&f); /* with three slots still reserved */
}

static void test_deliver(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 4);
    struct space *from = f.space[0], *to = f.space[1];
    tn_cap slots[3] = {0}, child = 0, cap = 0;
    tn_cap pack[2] = {thing_cap(&f, from, TN_R_ALL, 3), thing_cap(&f, from, TN_R_GRANT, 0)};
    assert_int_equal(cap_copy(from, pack[0], f.space[2], &child), TN_OK);
    assert_int_equal(cap_reserve(to, 3, slots), TN_OK);
    assert_int_equal(cap_insert(to, look(from, pack[1]).object, 0, 0, NULL, 0, &cap), TN_OK);
    /* A space that is full has room for what it expects. */
    assert_int_equal(cap_transfer(from, pack, 1, 0, to, &cap), TN_ENOSLOT);
    assert_int_equal(cap_deliver(from, pack, 2, 1, to, slots), TN_OK);
    assert_true(stale(from, pack[0]));
    assert_int_equal(look(to, slots[0]).badge, 3);
    assert_int_equal(look(to, slots[0]).rights, TN_R_ALL);
    assert_int_equal(look(to, slots[1]).rights, TN_R_GRANT);
    /* Once; what was moved keeps what was derived from it; a copy is derived. */
    assert_int_equal(cap_deliver(from, pack + 1, 1, 0, to, slots), TN_ENOSLOT);
    assert_int_equal(cap_revoke(to, slots[0]), TN_OK);
    assert_true(stale(f.space[2], child));
    assert_int_equal(cap_delete(from, pack[1]), TN_OK);
    assert_false(stale(to, slots[1]));
    cap_unreserve(to, slots, 3);
    assert_false(stale(to, slots[1]));
    assert_int_equal(cap_deliver(to, slots + 1, 1, 0, to, slots + 2), TN_ENOSLOT);
    fixture_close(&f);
}

static void test_deliver_all_or_none(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 100);
    struct space *from = f.space[0], *to = f.space[1];
    tn_cap slots[2] = {0};
    assert_int_equal(cap_reserve(to, 2, slots), TN_OK);
    tn_cap live = thing_cap(&f, to, TN_R_ALL, 0);
    tn_cap good = thing_cap(&f, from, TN_R_ALL, 0);
    tn_cap closed = thing_cap(&f, from, TN_R_ALL & ~TN_R_GRANT, 0);
    const struct {
        tn_cap caps[2], slots[2];
        uint32_t move;
        tn_err err;
    } wrong[] = {
        {{good, closed}, {slots[0], slots[1]}, 0, TN_ERIGHTS},
        {{good, 0}, {slots[0], slots[1]}, 0, TN_EBADCAP},
        {{good, good}, {slots[0], slots[1]}, 1, TN_EINVAL},
        {{good, good}, {slots[0], slots[0]}, 0, TN_ENOSLOT},
        {{good, good}, {slots[0], 0}, 0, TN_ENOSLOT},
        {{good, good}, {slots[0], slots[1] + 1}, 0, TN_ENOSLOT},
        {{good, good}, {slots[0], slots[1] + (1u << 24)}, 0, TN_ENOSLOT},
        {{good, good}, {slots[0], UINT64_MAX}, 0, TN_ENOSLOT},
        {{good, good}, {live, slots[1]}, 0, TN_ENOSLOT},
    };
    for (uint32_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(cap_deliver(from, wrong[i].caps, 2, wrong[i].move, to, wrong[i].slots),
                         wrong[i].err);
        assert_int_equal(space_count(from), 2);
        assert_int_equal(space_count(to), 1);
        cap_check(to);
    }
    /* Cleared with its actor, a space expects nothing any more. */
    space_clear(to);
    assert_int_equal(cap_deliver(from, &good, 1, 0, to, slots), TN_ENOSLOT);
    fixture_close(&f);
}

static void test_reserved_slot_retires(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 1);
    tn_cap slot = 0, cap = thing_cap(&f, f.space[0], TN_R_ALL, 0);
    cap = cap_test_set_generation(f.space[0], cap, GENERATION_MAX - 1);
    assert_int_equal(cap_delete(f.space[0], cap), TN_OK);
    assert_int_equal(cap_reserve(f.space[0], 1, &slot), TN_OK);
    assert_int_equal(slot >> 24, GENERATION_MAX);
    cap_unreserve(f.space[0], &slot, 1);
    assert_int_equal(cap_reserve(f.space[0], 1, &slot), TN_ENOSLOT);
    cap_check(f.space[0]);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reserve_names_nothing),
        cmocka_unit_test(test_deliver),
        cmocka_unit_test(test_deliver_all_or_none),
        cmocka_unit_test(test_reserved_slot_retires),
    };
    return cmocka_run_group_tests_name("cap_reserve", tests, NULL, NULL);
}
