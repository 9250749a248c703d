/* cases_test.c: what a capability kernel must do, case by case, after the case list of sel4test
 * (https://github.com/seL4/sel4test), for those of its groups that have a counterpart here:
 *
 *   group                here
 *   CNODEOP              cnodeop_* below; wrong_test.c with every wrong capability
 *   CSPACE               cspace_* below
 *   RETYPE               retype_* in retype_test.c
 *   PREEMPT_REVOKE       preempt_revoke_* below, and in cap_race_test.c with other CPUs
 *   CANCEL_BADGED_SENDS  cancel_badged_sends_* in cases_ipc_test.c
 *   IPC                  ipc_* there; kernel/ipc has a test for each kind of call and send
 *   IPCRIGHTS            ipcrights_* there
 *   BIND                 bind_* there
 *
 * Mutate and SaveCaller have no counterpart: a move keeps rights and badge, and the capability to a
 * reply is made by tn_defer. There are no guards: a handle is an index and a generation. */
#include "kernel/cap/thing_test.h"

enum { MANY = 1000 };

static void cnodeop_copy_names_the_same(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 100);
    tn_cap top = thing_cap(&f, f.space[0], TN_R_GRANT | TN_R_READ, 9), copy = 0;
    assert_int_equal(cap_copy(f.space[0], top, f.space[1], &copy), TN_OK);
    struct cap_view from = look(f.space[0], top), to = look(f.space[1], copy);
    assert_ptr_equal(from.object, to.object);
    assert_int_equal(from.rights, to.rights);
    assert_int_equal(from.badge, to.badge);
    fixture_close(&f);
}

static void cnodeop_delete_spares_the_others(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 100);
    tn_cap top = thing_cap(&f, f.space[0], TN_R_ALL, 0), child = 0, grandchild = 0, sibling = 0;
    assert_int_equal(cap_copy(f.space[0], top, f.space[0], &child), TN_OK);
    assert_int_equal(cap_copy(f.space[0], child, f.space[1], &grandchild), TN_OK);
    assert_int_equal(cap_copy(f.space[0], top, f.space[1], &sibling), TN_OK);
    assert_int_equal(cap_delete(f.space[0], child), TN_OK);
    assert_true(stale(f.space[0], child));
    assert_false(stale(f.space[0], top) || stale(f.space[1], grandchild));
    assert_int_equal(things, 1);
    /* The grandchild is the top's child now. */
    assert_int_equal(cap_revoke(f.space[0], top), TN_OK);
    assert_true(stale(f.space[1], grandchild) && stale(f.space[1], sibling));
    assert_int_equal(cap_delete(f.space[0], top), TN_OK);
    limbo_drain(&f.arena.limbo);
    assert_int_equal(things, 0);
    fixture_close(&f);
}

/* Down a chain, for every pair of sets: what was taken away never comes back. */
static void cnodeop_mint_narrows_rights(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 100);
    for (uint32_t own = 0; own <= TN_R_ALL; own++) {
        for (uint32_t asked = 0; asked <= TN_R_ALL; asked++) {
            tn_cap from = thing_cap(&f, f.space[0], own, 0), got = 0, back = 0;
            tn_err err = cap_mint(f.space[0], from, f.space[1], asked, 0, &got);
            assert_int_equal(err, (own & TN_R_GRANT) != 0 ? TN_OK : TN_ERIGHTS);
            if (err == TN_OK) {
                assert_int_equal(look(f.space[1], got).rights, own & asked);
                if (cap_mint(f.space[1], got, f.space[2], TN_R_ALL, 0, &back) == TN_OK)
                    assert_int_equal(look(f.space[2], back).rights, own & asked);
            }
            for (uint32_t i = 0; i < 3; i++)
                space_clear(f.space[i]);
        }
    }
    limbo_drain(&f.arena.limbo);
    fixture_close(&f);
}

static void cnodeop_mint_sets_a_badge_once(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 100);
    tn_cap top = thing_cap(&f, f.space[0], TN_R_ALL, 0), badged = 0, child = 0;
    assert_int_equal(cap_mint(f.space[0], top, f.space[0], TN_R_ALL, 0, &child), TN_OK);
    assert_int_equal(look(f.space[0], child).badge, 0);
    assert_int_equal(cap_mint(f.space[0], child, f.space[0], TN_R_ALL, 5, &badged), TN_OK);
    assert_int_equal(cap_mint(f.space[0], badged, f.space[0], TN_R_ALL, 6, &child), TN_EINVAL);
    assert_int_equal(cap_mint(f.space[0], badged, f.space[0], TN_R_ALL, 5, &child), TN_OK);
    assert_int_equal(cap_mint(f.space[0], child, f.space[0], TN_R_ALL, 0, &child), TN_OK);
    assert_int_equal(look(f.space[0], child).badge, 5);
    fixture_close(&f);
}

static void cnodeop_move_leaves_nothing_behind(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 100);
    tn_cap first = thing_cap(&f, f.space[0], TN_R_ALL, 4), cap = first, child = 0;
    assert_int_equal(cap_copy(f.space[0], cap, f.space[3], &child), TN_OK);
    struct object *object = look(f.space[0], cap).object;
    for (uint32_t i = 0; i < MANY; i++) {
        struct space *from = f.space[i % 3], *to = f.space[(i + 1) % 3];
        tn_cap before = cap;
        assert_int_equal(cap_move(from, before, to, &cap), TN_OK);
        assert_true(stale(from, before));
        assert_int_equal(object->caps, 2);
        assert_int_equal(look(to, cap).badge, 4);
        assert_int_equal(space_count(from), 0);
    }
    assert_int_equal(cap_revoke(f.space[MANY % 3], cap), TN_OK);
    assert_true(stale(f.space[3], child));
    fixture_close(&f);
}

/* Two capabilities change places by way of a free slot; each keeps its descendants. */
static void cnodeop_rotate_by_moves(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 100);
    struct space *a = f.space[0], *b = f.space[1];
    tn_cap x = thing_cap(&f, a, TN_R_ALL, 1), y = thing_cap(&f, b, TN_R_ALL, 2), z = 0;
    tn_cap below_x = 0, below_y = 0;
    assert_int_equal(cap_copy(a, x, f.space[3], &below_x), TN_OK);
    assert_int_equal(cap_copy(b, y, f.space[3], &below_y), TN_OK);
    assert_int_equal(cap_move(a, x, f.space[2], &z), TN_OK);
    assert_int_equal(cap_move(b, y, a, &y), TN_OK);
    assert_int_equal(cap_move(f.space[2], z, b, &x), TN_OK);
    assert_int_equal(look(a, y).badge, 2);
    assert_int_equal(look(b, x).badge, 1);
    assert_int_equal(cap_revoke(b, x), TN_OK);
    assert_true(stale(f.space[3], below_x) && !stale(f.space[3], below_y));
    fixture_close(&f);
}

static void cnodeop_revoke_spares_itself_and_siblings(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 100);
    tn_cap top = thing_cap(&f, f.space[0], TN_R_ALL, 0), middle = 0, sibling = 0, below = 0;
    assert_int_equal(cap_copy(f.space[0], top, f.space[0], &middle), TN_OK);
    assert_int_equal(cap_copy(f.space[0], top, f.space[1], &sibling), TN_OK);
    tn_cap from = middle;
    for (uint32_t i = 0; i < 50; i++) {
        assert_int_equal(cap_copy(f.space[i == 0 ? 0 : 2], from, f.space[2], &below), TN_OK);
        from = below;
    }
    assert_int_equal(cap_revoke(f.space[0], middle), TN_OK);
    assert_int_equal(space_count(f.space[2]), 0);
    assert_false(stale(f.space[0], middle) || stale(f.space[0], top));
    assert_false(stale(f.space[1], sibling));
    assert_int_equal(cap_revoke(f.space[0], middle), TN_OK);
    fixture_close(&f);
}

/* Each slot of the largest space is found by its own handle and by no other. */
static void cspace_every_slot(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, TN_SPACE_MAX);
    tn_cap top = thing_cap(&f, f.space[1], TN_R_ALL, 0), cap = 0;
    for (uint32_t i = 0; i < TN_SPACE_MAX; i++) {
        assert_int_equal(cap_mint(f.space[1], top, f.space[0], TN_R_ALL, i + 1, &cap), TN_OK);
        assert_int_equal(cap & ~WORD_GENERATION, i);
    }
    for (uint32_t i = 0; i < TN_SPACE_MAX; i++) {
        tn_cap handle = (UINT64_C(1) << WORD_GENERATION_SHIFT) | i;
        struct cap_view view = {0};
        assert_int_equal(cap_find(f.space[0], handle, OBJ_NOTE, TN_R_READ, &view), TN_OK);
        assert_int_equal(view.badge, i + 1);
    }
    assert_int_equal(cap_mint(f.space[1], top, f.space[0], TN_R_ALL, 0, &cap), TN_ENOSLOT);
    fixture_close(&f);
}

/* A handle with any of its bits changed, or any two, is another handle. */
static void cspace_every_bit_of_a_handle(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, TN_SPACE_MAX);
    tn_cap cap = 0;
    for (uint32_t round = 0; round < 50; round++) {
        cap = thing_cap(&f, f.space[0], TN_R_ALL, 0);
        if (round < 49)
            assert_int_equal(cap_delete(f.space[0], cap), TN_OK);
    }
    assert_false(stale(f.space[0], cap));
    for (uint32_t i = 0; i < 64; i++)
        for (uint32_t k = 0; k <= i; k++)
            assert_true(stale(f.space[0], cap ^ UINT64_C(1) << i ^ (k < i ? UINT64_C(1) << k : 0)));
    limbo_drain(&f.arena.limbo);
    fixture_close(&f);
}

/* Children of `cap`, each an object of its own that only it names. */
static void make_children(struct fixture *f, tn_cap cap, struct space *to, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct thing *thing = thing_make(f, &thing_class);
        tn_cap child = 0;
        assert_int_equal(cap_insert(to, &thing->object, TN_R_ALL, 0, f->space[0], cap, &child),
                         TN_OK);
        object_unref(&thing->object);
    }
}

/* No step deletes more than its number, and others are served between any two. */
static void preempt_revoke_in_bounded_steps(void **state)
{
    (void)state;
    static const uint32_t counts[] = {0, 1, CAP_STEP, CAP_STEP + 1, MANY};
    for (uint32_t i = 0; i < ARRAY_LEN(counts); i++) {
        struct fixture f;
        fixture_open(&f, 2 * MANY);
        tn_cap top = thing_cap(&f, f.space[0], TN_R_ALL, 0);
        tn_cap other = thing_cap(&f, f.space[2], TN_R_ALL, 0), cap = 0;
        make_children(&f, top, f.space[1], counts[i]);
        uint32_t steps = 1, left = counts[i];
        while (cap_revoke_step(f.space[0], top) == TN_EAGAIN) {
            uint32_t now = space_count(f.space[1]);
            assert_int_equal(left - now, CAP_STEP);
            left = now;
            assert_int_equal(cap_copy(f.space[2], other, f.space[3], &cap), TN_OK);
            limbo_drain(&f.arena.limbo);
            assert_int_equal(things, 2 + left);
            steps++;
        }
        assert_int_equal(space_count(f.space[1]), 0);
        assert_int_equal(steps, counts[i] == 0 ? 1 : (counts[i] + CAP_STEP - 1) / CAP_STEP);
        fixture_close(&f);
    }
}

/* Left half done by one, it is finished by another; in between nothing is derived anew. */
static void preempt_revoke_taken_over(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, MANY);
    tn_cap top = thing_cap(&f, f.space[0], TN_R_ALL, 0), cap = 0;
    make_children(&f, top, f.space[1], 3 * CAP_STEP);
    assert_int_equal(cap_revoke_step(f.space[0], top), TN_EAGAIN);
    assert_int_equal(cap_copy(f.space[0], top, f.space[1], &cap), TN_EBADCAP);
    assert_int_equal(cap_revoke(f.space[0], top), TN_OK);
    assert_int_equal(space_count(f.space[1]), 0);
    assert_int_equal(cap_copy(f.space[0], top, f.space[1], &cap), TN_OK);
    fixture_close(&f);
}

/* An ancestor's revoke between two steps takes the capability itself, and then all of it. */
static void preempt_revoke_overtaken_by_an_ancestor(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, MANY);
    tn_cap root = thing_cap(&f, f.space[0], TN_R_ALL, 0), top = 0;
    assert_int_equal(cap_copy(f.space[0], root, f.space[0], &top), TN_OK);
    make_children(&f, top, f.space[1], 3 * CAP_STEP);
    assert_int_equal(cap_revoke_step(f.space[0], top), TN_EAGAIN);
    assert_int_equal(cap_revoke(f.space[0], root), TN_OK);
    assert_int_equal(cap_revoke_step(f.space[0], top), TN_EBADCAP);
    assert_int_equal(space_count(f.space[0]), 1);
    assert_int_equal(space_count(f.space[1]), 0);
    fixture_close(&f);
}

/* What is derived from a descendant between two steps goes too, whatever its depth. */
static void preempt_revoke_catches_new_descendants(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 4 * MANY);
    tn_cap top = thing_cap(&f, f.space[0], TN_R_ALL, 0), last = 0, cap = 0;
    assert_int_equal(cap_copy(f.space[0], top, f.space[2], &last), TN_OK);
    make_children(&f, top, f.space[1], 5 * CAP_STEP);
    while (cap_revoke_step(f.space[0], top) == TN_EAGAIN) {
        for (uint32_t i = 0; i < CAP_STEP / 2 && !stale(f.space[2], last); i++) {
            assert_int_equal(cap_copy(f.space[2], last, f.space[2], &cap), TN_OK);
            if (i % 2 == 0)
                last = cap;
        }
    }
    assert_int_equal(space_count(f.space[2]), 0);
    assert_int_equal(space_count(f.space[1]), 0);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cnodeop_copy_names_the_same),
        cmocka_unit_test(cnodeop_delete_spares_the_others),
        cmocka_unit_test(cnodeop_mint_narrows_rights),
        cmocka_unit_test(cnodeop_mint_sets_a_badge_once),
        cmocka_unit_test(cnodeop_move_leaves_nothing_behind),
        cmocka_unit_test(cnodeop_rotate_by_moves),
        cmocka_unit_test(cnodeop_revoke_spares_itself_and_siblings),
        cmocka_unit_test(cspace_every_slot),
        cmocka_unit_test(cspace_every_bit_of_a_handle),
        cmocka_unit_test(preempt_revoke_in_bounded_steps),
        cmocka_unit_test(preempt_revoke_taken_over),
        cmocka_unit_test(preempt_revoke_overtaken_by_an_ancestor),
        cmocka_unit_test(preempt_revoke_catches_new_descendants),
    };
    return cmocka_run_group_tests_name("cap_cases", tests, NULL, NULL);
}
