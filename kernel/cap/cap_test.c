/* cap_test.c: capabilities: every wrong argument, reuse of handles, memory that runs out at each
 * allocation in turn, and random derivation trees against an independent model. */
#include "kernel/cap/thing_test.h"

static void test_space_arguments(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 8);
    struct space *space = NULL;
    struct limbo *limbo = &f.arena.limbo;
    assert_int_equal(space_make(f.arena.root, &f.root, limbo, 0, &space), TN_EINVAL);
    assert_int_equal(space_make(f.arena.root, &f.root, limbo, TN_SPACE_MAX + 1, &space), TN_EINVAL);
    assert_null(space);
    assert_ptr_equal(space_of(space_object(f.space[0])), f.space[0]);
    assert_int_equal(space_count(f.space[0]), 0);
    fixture_close(&f);
}

/* An actor that holds nothing pays for the space alone. */
static void test_empty_space_is_small(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, TN_SPACE_MAX);
    uint64_t used = mem_stats(f.arena.root).used_bytes - f.used_bytes;
    assert_in_range(used / ARRAY_LEN(f.space), 1, 128);
    /* In a space without slots no handle names anything. */
    const tn_cap any[] = {0, 1, 7, 8, UINT64_C(1) << 24, TN_SPACE_MAX - 1, UINT64_MAX};
    for (uint32_t i = 0; i < ARRAY_LEN(any); i++)
        assert_true(stale(f.space[0], any[i]));
    fixture_close(&f);
}

static void test_lookup(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 100);
    tn_cap cap = thing_cap(&f, f.space[0], TN_R_READ | TN_R_CALL, 7);
    struct cap_view view = {0};
    assert_int_equal(cap_lookup(f.space[0], cap, OBJ_NOTE, TN_R_READ | TN_R_CALL, &view), TN_OK);
    assert_int_equal(view.badge, 7);
    assert_int_equal(view.rights, TN_R_READ | TN_R_CALL);
    assert_int_equal(view.object->class->type, OBJ_NOTE);
    struct cap_view untouched = view;
    const tn_cap index_mask = (1u << 24) - 1;
    const tn_cap bad[] = {0,       cap + 1,          cap + (1u << 24), cap & index_mask,
                          cap + 8, cap + index_mask, cap | 99,         UINT64_MAX,
                          100,     TN_SPACE_MAX,     cap + 100,        cap + TN_SPACE_MAX};
    for (uint32_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(cap_lookup(f.space[0], bad[i], OBJ_NOTE, TN_R_READ, &view), TN_EBADCAP);
        assert_int_equal(cap_lookup(f.space[0], bad[i], OBJ_ACTOR, TN_R_ALL, &view), TN_EBADCAP);
        assert_int_equal(cap_find(f.space[0], bad[i], OBJ_NOTE, TN_R_READ, &view), TN_EBADCAP);
    }
    assert_int_equal(cap_lookup(f.space[1], cap, OBJ_NOTE, 0, &view), TN_EBADCAP);
    assert_int_equal(cap_lookup(f.space[0], cap, OBJ_ACTOR, TN_R_ALL, &view), TN_ETYPE);
    assert_int_equal(cap_lookup(f.space[0], cap, OBJ_NOTE, TN_R_WRITE, &view), TN_ERIGHTS);
    assert_int_equal(cap_lookup(f.space[0], cap, OBJ_NONE, TN_R_ALL, &view), TN_ERIGHTS);
    assert_int_equal(cap_lookup(f.space[0], cap, OBJ_NOTE, 1u << 20, &view), TN_ERIGHTS);
    assert_int_equal(cap_find(f.space[1], cap, OBJ_NOTE, 0, &view), TN_EBADCAP);
    assert_int_equal(cap_find(f.space[0], cap, OBJ_ACTOR, TN_R_ALL, &view), TN_ETYPE);
    assert_int_equal(cap_find(f.space[0], cap, OBJ_NOTE, TN_R_READ | TN_R_WRITE, &view),
                     TN_ERIGHTS);
    assert_memory_equal(&view, &untouched, sizeof(view));
    view = (struct cap_view){0};
    assert_int_equal(cap_find(f.space[0], cap, OBJ_NOTE, TN_R_READ, &view), TN_OK);
    assert_ptr_equal(view.object, untouched.object);
    assert_int_equal(view.badge, 7);
    assert_int_equal(view.rights, TN_R_READ | TN_R_CALL);
    fixture_close(&f);
}

static void test_mint_arguments(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 100);
    struct space *from = f.space[0], *to = f.space[1];
    tn_cap plain = thing_cap(&f, from, TN_R_GRANT | TN_R_CALL, 0);
    tn_cap badged = thing_cap(&f, from, TN_R_ALL, 5);
    tn_cap closed = thing_cap(&f, from, TN_R_ALL & ~TN_R_GRANT, 0);
    tn_cap ret = 42;
    assert_int_equal(cap_mint(from, 0, to, TN_R_ALL, 0, &ret), TN_EBADCAP);
    assert_int_equal(cap_mint(to, plain, to, TN_R_ALL, 0, &ret), TN_EBADCAP);
    assert_int_equal(cap_mint(from, closed, to, TN_R_ALL, 0, &ret), TN_ERIGHTS);
    assert_int_equal(cap_mint(from, badged, to, TN_R_ALL, 6, &ret), TN_EINVAL);
    assert_int_equal(cap_copy(from, closed, to, &ret), TN_ERIGHTS);
    assert_int_equal(cap_copy(from, 0, to, &ret), TN_EBADCAP);
    assert_int_equal(cap_move(from, closed, to, &ret), TN_ERIGHTS);
    assert_int_equal(cap_move(from, 0, to, &ret), TN_EBADCAP);
    assert_int_equal(cap_delete(from, 0), TN_EBADCAP);
    assert_int_equal(cap_delete(to, plain), TN_EBADCAP);
    assert_int_equal(cap_revoke(from, 0), TN_EBADCAP);
    assert_int_equal(cap_revoke(from, plain), TN_ERIGHTS);
    struct object *object = look(from, plain).object;
    assert_int_equal(cap_insert(to, object, 0, 0, from, 0, &ret), TN_EBADCAP);
    assert_int_equal(ret, 42);
    assert_int_equal(space_count(to), 0);
    assert_int_equal(cap_mint(from, plain, to, TN_R_ALL, 9, &ret), TN_OK);
    assert_int_equal(look(to, ret).rights, TN_R_GRANT | TN_R_CALL);
    assert_int_equal(look(to, ret).badge, 9);
    assert_int_equal(cap_mint(to, ret, to, TN_R_CALL, 9, &ret), TN_OK);
    assert_int_equal(look(to, ret).rights, TN_R_CALL);
    assert_int_equal(cap_mint(from, badged, to, 0, 0, &ret), TN_OK);
    assert_int_equal(look(to, ret).rights, 0);
    assert_int_equal(look(to, ret).badge, 5);
    assert_int_equal(cap_copy(from, badged, to, &ret), TN_OK);
    assert_int_equal(look(to, ret).rights, TN_R_ALL);
    assert_int_equal(look(to, ret).badge, 5);
    fixture_close(&f);
}

static void test_move(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 100);
    tn_cap old = thing_cap(&f, f.space[0], TN_R_ALL, 3), moved = 0, child = 0, none = 0;
    struct object *object = look(f.space[0], old).object;
    assert_int_equal(cap_copy(f.space[0], old, f.space[2], &child), TN_OK);
    assert_int_equal(cap_move(f.space[0], old, f.space[1], &moved), TN_OK);
    assert_true(stale(f.space[0], old));
    assert_ptr_equal(look(f.space[1], moved).object, object);
    assert_int_equal(look(f.space[1], moved).badge, 3);
    assert_int_equal(object->caps, 2);
    assert_int_equal(cap_revoke(f.space[1], moved), TN_OK);
    assert_true(stale(f.space[2], child));
    assert_int_equal(cap_move(f.space[0], old, f.space[1], &none), TN_EBADCAP);
    /* Within one space, and a reply without the right to grant. */
    assert_int_equal(cap_move(f.space[1], moved, f.space[1], &old), TN_OK);
    assert_true(stale(f.space[1], moved));
    struct thing *reply = thing_make(&f, &reply_class);
    assert_int_equal(cap_insert(f.space[0], &reply->object, 0, 0, NULL, 0, &old), TN_OK);
    object_unref(&reply->object);
    assert_int_equal(cap_copy(f.space[0], old, f.space[1], &moved), TN_ERIGHTS);
    assert_int_equal(cap_move(f.space[0], old, f.space[1], &moved), TN_OK);
    fixture_close(&f);
}

/* All or none: what stays behind when one of a pack cannot go is exactly what was there. */
static void test_transfer(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 4);
    tn_cap none[TN_PACK_CAPS] = {0}, got[TN_PACK_CAPS] = {0}, child = 0;
    tn_cap pack[] = {thing_cap(&f, f.space[0], TN_R_ALL, 3),
                     thing_cap(&f, f.space[0], TN_R_GRANT | TN_R_READ, 0)};
    tn_cap closed = thing_cap(&f, f.space[0], TN_R_ALL & ~TN_R_GRANT, 0);
    assert_int_equal(cap_copy(f.space[0], pack[0], f.space[2], &child), TN_OK);
    const tn_cap wrong[][2] = {{pack[0], closed}, {pack[0], 99}, {pack[0], pack[0]}};
    static const tn_err why[] = {TN_ERIGHTS, TN_EBADCAP, TN_EINVAL};
    for (uint32_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_equal(cap_transfer(f.space[0], wrong[i], 2, 3, f.space[1], none), why[i]);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(
            cap_insert(f.space[1], look(f.space[0], closed).object, 0, 0, NULL, 0, &got[i]), TN_OK);
    assert_int_equal(cap_transfer(f.space[0], pack, 2, 1, f.space[1], none), TN_ENOSLOT);
    assert_int_equal(space_count(f.space[0]), 3);
    assert_int_equal(space_count(f.space[1]), 3);
    assert_int_equal(none[0], 0);
    assert_int_equal(cap_delete(f.space[1], got[0]), TN_OK);
    assert_int_equal(cap_transfer(f.space[0], pack, 2, 1, f.space[1], got), TN_OK);
    assert_true(stale(f.space[0], pack[0]));
    assert_false(stale(f.space[0], pack[1]));
    assert_int_equal(look(f.space[1], got[0]).badge, 3);
    assert_int_equal(look(f.space[1], got[1]).rights, TN_R_GRANT | TN_R_READ);
    /* What was moved keeps what was derived from it, what was copied is derived itself. */
    assert_int_equal(cap_revoke(f.space[1], got[0]), TN_OK);
    assert_true(stale(f.space[2], child));
    cap_check(f.space[1]);
    assert_int_equal(cap_transfer(f.space[1], got, 0, 0, f.space[0], none), TN_OK);
    /* A reply without the right to grant moves, and is not copied. */
    struct thing *reply = thing_make(&f, &reply_class);
    tn_cap once = 0;
    assert_int_equal(cap_insert(f.space[0], &reply->object, TN_R_CALL, 0, NULL, 0, &once), TN_OK);
    object_unref(&reply->object);
    assert_int_equal(cap_transfer(f.space[0], &once, 1, 0, f.space[3], none), TN_ERIGHTS);
    assert_int_equal(cap_transfer(f.space[0], &once, 1, 1, f.space[3], none), TN_OK);
    fixture_close(&f);
}

/* What one instance had and what came after it are told apart by a mark; what a message brings, and
 * what is reserved, is neither's. */
static void test_marked(void **state)
{
    (void)state;
    for (uint32_t former_stays = 0; former_stays < 2; former_stays++) {
        struct fixture f;
        fixture_open(&f, 200);
        struct space *space = f.space[1];
        tn_cap top = thing_cap(&f, f.space[0], TN_R_ALL, 0);
        tn_cap before[100] = {0}, after[70] = {0}, posted[2] = {0}, slot = 0;
        for (uint32_t i = 0; i < ARRAY_LEN(before); i++) /* more than one hold of the lock */
            assert_int_equal(cap_copy(f.space[0], top, space, &before[i]), TN_OK);
        assert_int_equal(cap_post(f.space[0], &top, 1, 0, space, &posted[0]), TN_OK);
        space_mark(space);
        assert_int_equal(look(space, before[0]).rights, TN_R_ALL);
        assert_int_equal(cap_post(f.space[0], &top, 1, 0, space, &posted[1]), TN_OK);
        for (uint32_t i = 0; i < ARRAY_LEN(after); i++)
            assert_int_equal(cap_copy(f.space[0], top, space, &after[i]), TN_OK);
        assert_int_equal(cap_reserve(space, 1, &slot), TN_OK);
        if (former_stays != 0)
            space_clear_unmarked(space);
        else
            space_clear_marked_but(space, &before[7], 1);
        for (uint32_t i = 0; i < ARRAY_LEN(before); i++)
            assert_int_equal(stale(space, before[i]), former_stays == 0 && i != 7);
        for (uint32_t i = 0; i < ARRAY_LEN(after); i++)
            assert_int_equal(stale(space, after[i]), former_stays != 0);
        assert_false(stale(space, posted[0]) || stale(space, posted[1]));
        assert_int_equal(cap_deliver(f.space[0], &top, 1, 0, space, &slot), TN_OK);
        cap_check(space);
        fixture_close(&f);
    }
}

/* What is under way outlives a clearing, until it is received; a whole clearing takes it too. */
static void test_posted(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 100);
    tn_cap pack[] = {thing_cap(&f, f.space[0], TN_R_ALL, 3),
                     thing_cap(&f, f.space[0], TN_R_ALL, 0)};
    tn_cap got[2] = {0}, plain[2] = {0}, moved = 0;
    assert_int_equal(cap_post(f.space[0], pack, 2, 1, f.space[1], got), TN_OK);
    assert_int_equal(cap_transfer(f.space[0], &pack[1], 1, 0, f.space[1], plain), TN_OK);
    assert_int_equal(look(f.space[1], got[0]).rights, TN_R_ALL);
    assert_int_equal(look(f.space[1], got[0]).badge, 3);
    space_clear_but(f.space[1], NULL, 0);
    assert_true(stale(f.space[1], plain[0]));
    assert_false(stale(f.space[1], got[0]) || stale(f.space[1], got[1]));
    cap_check(f.space[1]);
    /* A mark is not lost by a revoke, nor passed on. */
    assert_int_equal(cap_copy(f.space[1], got[0], f.space[1], &plain[0]), TN_OK);
    assert_int_equal(cap_revoke(f.space[1], got[0]), TN_OK);
    assert_int_equal(cap_copy(f.space[1], got[0], f.space[1], &plain[0]), TN_OK);
    assert_int_equal(cap_move(f.space[1], got[1], f.space[1], &moved), TN_OK);
    cap_receive(f.space[1], &got[1], 1); /* stale: of no effect */
    space_clear_but(f.space[1], &moved, 1);
    assert_true(stale(f.space[1], plain[0]));
    assert_int_equal(space_count(f.space[1]), 2);
    cap_receive(f.space[1], got, 2);
    space_clear_but(f.space[1], NULL, 0);
    assert_int_equal(space_count(f.space[1]), 0);
    /* None is posted when not all are. */
    const tn_cap wrong[] = {pack[1], 99};
    assert_int_equal(cap_post(f.space[0], wrong, 2, 0, f.space[1], got), TN_EBADCAP);
    assert_int_equal(cap_post(f.space[0], &pack[1], 1, 0, f.space[1], got), TN_OK);
    space_clear(f.space[1]);
    assert_int_equal(space_count(f.space[1]), 0);
    fixture_close(&f);
}

/* The end of a space takes steps, of a bounded number of capabilities each; those that are reserved
 * count too. */
static void test_space_ends_in_steps(void **state)
{
    (void)state;
    enum { STEP = CAP_STEP * CLEAR_STEPS, MANY = 2 * STEP + 1 };
    for (uint32_t count = STEP - 1; count <= MANY; count += count < STEP + 1 ? 1 : STEP) {
        struct fixture f;
        fixture_open(&f, 10);
        struct space *space = NULL;
        tn_cap cap = 0;
        struct thing *thing = thing_make(&f, &thing_class);
        struct limbo *limbo = &f.arena.limbo;
        assert_int_equal(space_make(f.arena.root, &f.root, limbo, MANY, &space), TN_OK);
        assert_int_equal(cap_reserve(space, 1, &cap), TN_OK);
        for (uint32_t i = 1; i < count; i++)
            assert_int_equal(cap_insert(space, &thing->object, TN_R_ALL, 0, NULL, 0, &cap), TN_OK);
        object_unref(space_object(space));
        uint32_t looks = 0;
        for (uint32_t left = count; left > STEP; left -= STEP) {
            assert_true(limbo_reap(limbo, 1));
            assert_int_equal(thing->object.caps, left - STEP - 1);
            looks++;
        }
        assert_int_equal(limbo_goes_on(limbo), looks > 0);
        assert_false(limbo_reap(limbo, 1));
        assert_int_equal(thing->object.caps, 0);
        assert_int_equal(thing->orphaned, 1);
        object_unref(&thing->object);
        fixture_close(&f);
    }
}

static void test_last_capability(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 100);
    struct thing *thing = thing_make(&f, &thing_class);
    tn_cap first = 0, second = 0;
    assert_int_equal(cap_insert(f.space[0], &thing->object, TN_R_ALL, 0, NULL, 0, &first), TN_OK);
    assert_int_equal(at_load(&thing->object.refs, RELAXED), 2);
    assert_int_equal(cap_copy(f.space[0], first, f.space[1], &second), TN_OK);
    assert_int_equal(at_load(&thing->object.refs, RELAXED), 2);
    assert_int_equal(cap_delete(f.space[0], first), TN_OK);
    assert_int_equal(thing->orphaned, 0);
    assert_int_equal(cap_delete(f.space[1], second), TN_OK);
    assert_int_equal(thing->orphaned, 1);
    assert_int_equal(at_load(&thing->object.refs, RELAXED), 1);
    assert_int_equal(cap_delete(f.space[1], second), TN_EBADCAP);
    /* Who holds a ref may name it again. */
    assert_int_equal(cap_insert(f.space[0], &thing->object, TN_R_ALL, 0, NULL, 0, &first), TN_OK);
    space_clear(f.space[0]);
    assert_int_equal(thing->orphaned, 2);
    assert_true(object_try_ref(&thing->object));
    object_unref(&thing->object);
    object_unref(&thing->object);
    assert_false(object_try_ref(&thing->object));
    assert_int_equal(things, 1);
    fixture_close(&f);
}

static void test_handles_first_in_first_out(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 20);
    tn_cap cap[20], again = 0, none = 0;
    for (uint32_t i = 0; i < 20; i++) {
        cap[i] = thing_cap(&f, f.space[0], TN_R_ALL, 0);
        assert_int_equal(cap[i], (UINT64_C(1) << 24) | i);
    }
    assert_int_equal(cap_copy(f.space[0], cap[0], f.space[0], &none), TN_ENOSLOT);
    assert_int_equal(cap_move(f.space[0], cap[0], f.space[0], &none), TN_ENOSLOT);
    assert_int_equal(cap_insert(f.space[0], look(f.space[0], cap[0]).object, 0, 0, NULL, 0, &none),
                     TN_ENOSLOT);
    assert_int_equal(cap_mint(f.space[0], 0, f.space[0], 0, 0, &none), TN_EBADCAP);
    assert_int_equal(none, 0);
    static const uint32_t order[] = {7, 3, 19, 0, 12};
    for (uint32_t i = 0; i < ARRAY_LEN(order); i++)
        assert_int_equal(cap_delete(f.space[0], cap[order[i]]), TN_OK);
    cap_check(f.space[0]);
    for (uint32_t i = 0; i < ARRAY_LEN(order); i++) {
        assert_int_equal(cap_copy(f.space[0], cap[1], f.space[0], &again), TN_OK);
        assert_int_equal(again, (UINT64_C(2) << 24) | order[i]);
        assert_true(stale(f.space[0], cap[order[i]]));
        assert_int_equal(cap_delete(f.space[0], cap[order[i]]), TN_EBADCAP);
    }
    fixture_close(&f);
}

static void test_generations_retire(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 2);
    tn_cap cap = thing_cap(&f, f.space[0], TN_R_ALL, 0), last = 0, other = 0;
    cap = cap_test_set_generation(f.space[0], cap, GENERATION_MAX - 1);
    assert_int_equal(cap_copy(f.space[0], cap, f.space[0], &other), TN_OK);
    assert_int_equal(cap_delete(f.space[0], cap), TN_OK);
    assert_int_equal(cap_copy(f.space[0], other, f.space[0], &last), TN_OK);
    assert_int_equal(last, GENERATION_MAX << 24);
    assert_int_equal(cap_delete(f.space[0], last), TN_OK);
    assert_true(stale(f.space[0], last));
    assert_true(stale(f.space[0], cap));
    assert_int_equal(f.space[0]->retired, 1);
    assert_int_equal(cap_copy(f.space[0], other, f.space[0], &last), TN_ENOSLOT);
    cap_check(f.space[0]);
    fixture_close(&f);
}

static void test_largest_space(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, TN_SPACE_MAX);
    tn_cap first = thing_cap(&f, f.space[0], TN_R_ALL, 0), cap = 0;
    for (uint32_t i = 1; i < TN_SPACE_MAX; i++) {
        /* A chain for half of it, then a star. */
        tn_cap from = i < TN_SPACE_MAX / 2 && i > 1 ? cap : first;
        assert_int_equal(cap_copy(f.space[0], from, f.space[0], &cap), TN_OK);
        assert_int_equal(cap & 0xffffff, i);
    }
    assert_int_equal(cap_copy(f.space[0], first, f.space[0], &cap), TN_ENOSLOT);
    assert_int_equal(space_count(f.space[0]), TN_SPACE_MAX);
    assert_int_equal(look(f.space[0], first).object->caps, TN_SPACE_MAX);
    cap_check(f.space[0]);
    assert_int_equal(cap_revoke(f.space[0], first), TN_OK);
    assert_int_equal(space_count(f.space[0]), 1);
    cap_check(f.space[0]);
    fixture_close(&f);
}

/* One more child than a step deletes, and children in several spaces. */
static void test_revoke_in_steps(void **state)
{
    (void)state;
    for (uint32_t n = CAP_STEP - 1; n <= 3 * CAP_STEP + 1; n++) {
        struct fixture f;
        fixture_open(&f, 1000);
        tn_cap top = thing_cap(&f, f.space[0], TN_R_ALL, 0), middle = 0, cap = 0;
        assert_int_equal(cap_copy(f.space[0], top, f.space[1], &middle), TN_OK);
        for (uint32_t i = 1; i < n; i++) {
            struct thing *thing = thing_make(&f, &thing_class);
            assert_int_equal(
                cap_insert(f.space[1 + i % 3], &thing->object, 0, 0, f.space[1], middle, &cap),
                TN_OK);
            object_unref(&thing->object);
        }
        assert_int_equal(cap_revoke(f.space[0], top), TN_OK);
        for (uint32_t i = 1; i < 4; i++) {
            assert_int_equal(space_count(f.space[i]), 0);
            cap_check(f.space[i]);
        }
        limbo_drain(&f.arena.limbo);
        assert_int_equal(things, 1);
        assert_int_equal(cap_copy(f.space[0], top, f.space[1], &cap), TN_OK);
        fixture_close(&f);
    }
}

/* What an object that is orphaned between two steps of a revoke finds and does. */
static struct {
    struct space *space;
    tn_cap cap;
    uint32_t calls, delete_at;
} between;

static void between_orphan(struct object *object)
{
    (void)object;
    struct cap_view view;
    tn_cap cap = 0;
    between.calls++;
    tn_err found = cap_lookup(between.space, between.cap, OBJ_NOTE, 0, &view);
    if (between.calls > between.delete_at) {
        assert_int_equal(found, TN_EBADCAP);
        return;
    }
    assert_int_equal(found, TN_OK);
    if (between.calls > CAP_STEP)
        return; /* the last step has been done: the capability is as before */
    assert_int_equal(cap_copy(between.space, between.cap, between.space, &cap), TN_EBADCAP);
    assert_int_equal(cap_move(between.space, between.cap, between.space, &cap), TN_EBADCAP);
    assert_int_equal(cap_insert(between.space, view.object, 0, 0, between.space, between.cap, &cap),
                     TN_EBADCAP);
    if (between.calls == between.delete_at)
        assert_int_equal(cap_delete(between.space, between.cap), TN_OK);
}

static void run_between_steps(uint32_t delete_at, tn_err wanted, uint32_t left)
{
    static const struct object_class class = {
        .type = OBJ_NOTE, .name = "between", .orphan = between_orphan, .destroy = thing_destroy};
    struct fixture f;
    fixture_open(&f, 1000);
    between.space = f.space[0];
    between.cap = thing_cap(&f, f.space[0], TN_R_ALL, 0);
    between.calls = 0;
    between.delete_at = delete_at;
    for (uint32_t i = 0; i < 2 * CAP_STEP; i++) {
        struct thing *thing = thing_make(&f, &class);
        tn_cap cap = 0;
        assert_int_equal(
            cap_insert(f.space[1], &thing->object, 0, 0, f.space[0], between.cap, &cap), TN_OK);
        object_unref(&thing->object);
    }
    assert_int_equal(cap_revoke(f.space[0], between.cap), wanted);
    assert_int_equal(space_count(f.space[1]), left);
    cap_check(f.space[1]);
    between.delete_at = 0; /* those that are left find nothing */
    if (wanted == TN_OK)
        assert_int_equal(cap_copy(f.space[0], between.cap, f.space[0], &(tn_cap){0}), TN_OK);
    else
        space_clear(f.space[1]);
    fixture_close(&f);
}

static void test_between_steps(void **state)
{
    (void)state;
    run_between_steps(UINT32_MAX, TN_OK, 0);
    run_between_steps(10, TN_EBADCAP, CAP_STEP);
}

/* Fails the Nth allocation until the history succeeds; nothing is lost or half done. */
static bool history(struct untyped *mem, struct fixture *f)
{
    struct space *space = NULL;
    tn_err err = space_make(mem, &f->root, &f->arena.limbo, 300, &space);
    if (err != TN_OK) {
        assert_int_equal(err, TN_ENOMEM);
        return false;
    }
    tn_cap top = thing_cap(f, f->space[0], TN_R_ALL, 0), cap = 0;
    uint32_t n = 0;
    while (n < 200 && err == TN_OK) {
        tn_cap before = cap;
        err = n % 3 == 0 ? cap_insert(space, look(f->space[0], top).object, TN_R_ALL, 0,
                                      f->space[0], top, &cap)
                         : cap_copy(f->space[0], top, space, &cap);
        if (err == TN_OK)
            n++;
        else
            assert_int_equal(cap, before);
        assert_int_equal(space_count(space), n);
    }
    assert_true(err == TN_OK || err == TN_ENOMEM);
    if (err == TN_ENOMEM) {
        tn_cap moved = 77;
        assert_int_equal(cap_move(f->space[0], top, space, &moved), TN_ENOMEM);
        assert_int_equal(moved, 77);
    }
    cap_check(space);
    assert_int_equal(look(f->space[0], top).object->caps, n + 1);
    object_unref(space_object(space));
    limbo_drain(&f->arena.limbo);
    assert_int_equal(look(f->space[0], top).object->caps, 1);
    assert_int_equal(cap_delete(f->space[0], top), TN_OK);
    limbo_drain(&f->arena.limbo);
    return err == TN_OK;
}

static void test_memory_runs_out(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 100);
    uint32_t failures = 0;
    struct untyped *mem = NULL;
    assert_int_equal(untyped_make(f.arena.root, 64 * 1024, &mem), TN_OK);
    uint64_t whole = mem_stats(mem).free_bytes;
    /* Leaves ever more memory to the history. */
    for (uint64_t pages = 0; pages <= whole / MEM_PAGE; pages++) {
        void *held[16];
        uint32_t n = 0;
        while (mem_stats(mem).free_bytes > pages * MEM_PAGE)
            held[n++] = mem_alloc(mem, MEM_PAGE);
        if (!history(mem, &f))
            failures++;
        mem_check(mem);
        while (n > 0)
            mem_free(mem, held[--n], MEM_PAGE);
        assert_int_equal(mem_stats(mem).free_bytes, whole);
    }
    assert_in_range(failures, 4, 14);
    object_unref(untyped_object(mem));
    fixture_close(&f);
}

static void test_no_leak(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 100);
    tn_cap top = thing_cap(&f, f.space[0], TN_R_ALL, 0);
    tn_cap warm = 0;
    assert_int_equal(cap_copy(f.space[0], top, f.space[1], &warm), TN_OK);
    struct mem_stats before = mem_stats(f.arena.root);
    for (uint32_t i = 0; i < 100000; i++) {
        struct space *space = NULL;
        assert_int_equal(space_make(f.arena.root, &f.root, &f.arena.limbo, 64, &space), TN_OK);
        tn_cap own = thing_cap(&f, space, TN_R_ALL, 0), cap = 0;
        assert_int_equal(cap_copy(f.space[0], top, space, &cap), TN_OK);
        assert_int_equal(cap_copy(space, own, f.space[1], &cap), TN_OK);
        object_unref(space_object(space));
        limbo_drain(&f.arena.limbo);
        assert_int_equal(cap_delete(f.space[1], cap), TN_OK);
        limbo_drain(&f.arena.limbo);
    }
    assert_int_equal(mem_stats(f.arena.root).used_bytes, before.used_bytes);
    assert_int_equal(things, 1);
    fixture_close(&f);
}

static void test_check_finds_breaches(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f, 100);
    tn_cap top = thing_cap(&f, f.space[0], TN_R_ALL, 0), cap[3];
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(cap_copy(f.space[0], top, f.space[0], &cap[i]), TN_OK);
    assert_int_equal(cap_delete(f.space[0], cap[1]), TN_OK);
    struct space *space = f.space[0];
    struct slot *slot = space_slot(space, 0), *gone = space_slot(space, 2);
    uint8_t *bytes[] = {(uint8_t *)&slot->first,
                        (uint8_t *)&slot->last,
                        (uint8_t *)&slot->object,
                        (uint8_t *)&slot->word + 1,
                        (uint8_t *)&slot->word + 2,
                        (uint8_t *)&gone->badge,
                        (uint8_t *)&gone->word + 2,
                        (uint8_t *)&space->count,
                        (uint8_t *)&space->retired,
                        (uint8_t *)&space->fresh,
                        (uint8_t *)&space_slot(space, 1)->prev,
                        (uint8_t *)&space_slot(space, 3)->next};
    for (uint32_t i = 0; i < ARRAY_LEN(bytes); i++) {
        cap_check(space);
        uint8_t held[8];
        memcpy(held, bytes[i], 1);
        /* Pointers become NULL, so that the check itself reads no wild memory. */
        uint64_t word = 0;
        bool pointer = i < 3 || i >= 10;
        if (pointer) {
            memcpy(held, bytes[i], 8);
            memcpy(bytes[i], &word, 8);
        } else {
            *bytes[i] = (uint8_t)(held[0] ^ 1);
        }
        EXPECT_PANIC(cap_check(space));
        memcpy(bytes[i], held, pointer ? 8 : 1);
        at_store(&f.root.lock.held, 0, RELAXED);
    }
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_space_arguments),
        cmocka_unit_test(test_empty_space_is_small),
        cmocka_unit_test(test_lookup),
        cmocka_unit_test(test_mint_arguments),
        cmocka_unit_test(test_move),
        cmocka_unit_test(test_transfer),
        cmocka_unit_test(test_posted),
        cmocka_unit_test(test_marked),
        cmocka_unit_test(test_space_ends_in_steps),
        cmocka_unit_test(test_last_capability),
        cmocka_unit_test(test_handles_first_in_first_out),
        cmocka_unit_test(test_generations_retire),
        cmocka_unit_test(test_largest_space),
        cmocka_unit_test(test_revoke_in_steps),
        cmocka_unit_test(test_between_steps),
        cmocka_unit_test(test_memory_runs_out),
        cmocka_unit_test(test_no_leak),
        cmocka_unit_test(test_check_finds_breaches),
    };
    return cmocka_run_group_tests_name("cap", tests, NULL, NULL);
}
