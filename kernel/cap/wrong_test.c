/* wrong_test.c: every operation with every wrong capability: which error it is, and that nothing
 * has changed; with exactly the rights that it needs it succeeds. */
#include "kernel/cap/thing_test.h"

enum { SLOTS = 40 };

static struct {
    struct fixture f;
    struct space *space, *to;
    tn_cap slot; /* reserved in `to` */
} w;

/* The operations: each with `cap` where it takes one, all else right. */

static tn_err do_lookup(tn_cap cap)
{
    struct cap_view view;
    return cap_lookup(w.space, cap, OBJ_UNTYPED, TN_R_READ | TN_R_WRITE, &view);
}

static tn_err do_find(tn_cap cap)
{
    struct cap_view view;
    return cap_find(w.space, cap, OBJ_UNTYPED, TN_R_READ | TN_R_WRITE, &view);
}

static tn_err do_mint(tn_cap cap)
{
    tn_cap made = 0;
    return cap_mint(w.space, cap, w.to, TN_R_ALL, 0, &made);
}

static tn_err do_mint_here(tn_cap cap)
{
    tn_cap made = 0;
    return cap_mint(w.space, cap, w.space, 0, 7, &made);
}

static tn_err do_copy(tn_cap cap)
{
    tn_cap made = 0;
    return cap_copy(w.space, cap, w.to, &made);
}

static tn_err do_move(tn_cap cap)
{
    tn_cap made = 0;
    return cap_move(w.space, cap, w.to, &made);
}

static tn_err do_move_here(tn_cap cap)
{
    tn_cap made = 0;
    return cap_move(w.space, cap, w.space, &made);
}

static tn_err do_transfer_copy(tn_cap cap)
{
    tn_cap made = 0;
    return cap_transfer(w.space, &cap, 1, 0, w.to, &made);
}

static tn_err do_transfer_move(tn_cap cap)
{
    tn_cap made = 0;
    return cap_transfer(w.space, &cap, 1, 1, w.to, &made);
}

static tn_err do_deliver_copy(tn_cap cap)
{
    return cap_deliver(w.space, &cap, 1, 0, w.to, &w.slot);
}

static tn_err do_deliver_move(tn_cap cap)
{
    return cap_deliver(w.space, &cap, 1, 1, w.to, &w.slot);
}

static tn_err do_delete(tn_cap cap)
{
    return cap_delete(w.space, cap);
}

static tn_err do_revoke(tn_cap cap)
{
    return cap_revoke(w.space, cap);
}

static tn_err do_revoke_step(tn_cap cap)
{
    return cap_revoke_step(w.space, cap);
}

static tn_err do_retype(tn_cap cap)
{
    const struct retype_untyped wanted = {.size_bytes = MEM_UNTYPED_MIN};
    tn_cap made = 0;
    return cap_retype(w.space, cap, retype_untyped, &wanted, TN_R_ALL, w.to, &made);
}

static tn_err do_insert_below(tn_cap cap)
{
    tn_cap made = 0;
    return cap_insert(w.to, space_object(w.f.space[2]), TN_R_ALL, 0, w.space, cap, &made);
}

static const struct operation {
    const char *name;
    tn_err (*run)(tn_cap cap);
    enum object_type type; /* that it demands, or OBJ_NONE */
    uint32_t rights;       /* that it demands */
} operations[] = {
    {"lookup", do_lookup, OBJ_UNTYPED, TN_R_READ | TN_R_WRITE},
    {"find", do_find, OBJ_UNTYPED, TN_R_READ | TN_R_WRITE},
    {"mint", do_mint, OBJ_NONE, TN_R_GRANT},
    {"mint within a space", do_mint_here, OBJ_NONE, TN_R_GRANT},
    {"copy", do_copy, OBJ_NONE, TN_R_GRANT},
    {"move", do_move, OBJ_NONE, TN_R_GRANT},
    {"move within a space", do_move_here, OBJ_NONE, TN_R_GRANT},
    {"transfer, copied", do_transfer_copy, OBJ_NONE, TN_R_GRANT},
    {"transfer, moved", do_transfer_move, OBJ_NONE, TN_R_GRANT},
    {"deliver, copied", do_deliver_copy, OBJ_NONE, TN_R_GRANT},
    {"deliver, moved", do_deliver_move, OBJ_NONE, TN_R_GRANT},
    {"delete", do_delete, OBJ_NONE, 0},
    {"revoke", do_revoke, OBJ_NONE, TN_R_CONTROL},
    {"revoke, a step", do_revoke_step, OBJ_NONE, TN_R_CONTROL},
    {"retype", do_retype, OBJ_UNTYPED, TN_R_WRITE},
    {"insert below", do_insert_below, OBJ_NONE, 0},
};

static tn_cap insert(struct object *object, uint32_t rights)
{
    tn_cap cap = 0;
    assert_int_equal(cap_insert(w.space, object, rights, 0, NULL, 0, &cap), TN_OK);
    return cap;
}

static void world_open(void)
{
    fixture_open(&w.f, SLOTS);
    w.space = w.f.space[0];
    w.to = w.f.space[1];
    assert_int_equal(cap_reserve(w.to, 1, &w.slot), TN_OK);
}

static uint32_t total(void)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < ARRAY_LEN(w.f.space); i++)
        n += space_count(w.f.space[i]);
    return n;
}

/* Runs an operation that must fail so; nothing has changed after it. */
static void expect_refused(const struct operation *op, const char *what, tn_cap cap, tn_err err)
{
    uint32_t before = total();
    uint64_t used = mem_stats(w.f.arena.root).used_bytes;
    tn_err got = op->run(cap);
    if (got != err)
        fail_msg("%s with %s: %d, not %d", op->name, what, got, err);
    assert_int_equal(total(), before);
    limbo_drain(&w.f.arena.limbo);
    assert_int_equal(mem_stats(w.f.arena.root).used_bytes, used);
    for (uint32_t i = 0; i < ARRAY_LEN(w.f.space); i++)
        cap_check(w.f.space[i]);
}

/* Handles that name nothing here. */
static void test_no_capability(void **state)
{
    (void)state;
    world_open();
    struct object *memory = untyped_object(w.f.arena.root);
    tn_cap live = insert(memory, TN_R_ALL), deleted = insert(memory, TN_R_ALL), moved = 0, x = 0;
    tn_cap reserved = 0, elsewhere = 0;
    assert_int_equal(cap_delete(w.space, deleted), TN_OK);
    tn_cap gone = insert(memory, TN_R_ALL);
    assert_int_equal(cap_move(w.space, gone, w.f.space[3], &x), TN_OK);
    assert_int_equal(cap_reserve(w.space, 1, &reserved), TN_OK);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(cap_copy(w.space, live, w.f.space[3], &elsewhere), TN_OK);
    assert_int_equal(cap_move(w.space, live, w.space, &moved), TN_OK);
    const struct {
        const char *what;
        tn_cap cap;
    } wrong[] = {
        {"null", 0},
        {"a deleted one", deleted},
        {"one that was moved to another space", gone},
        {"one that was moved within its space", live},
        {"one of another space", elsewhere},
        {"a reserved slot", reserved},
        {"generation 0", moved & ~WORD_GENERATION},
        {"an older generation", moved - (UINT64_C(1) << WORD_GENERATION_SHIFT)},
        {"a later generation", moved + (UINT64_C(1) << WORD_GENERATION_SHIFT)},
        {"the last generation", moved | WORD_GENERATION},
        {"the next slot, never used", (UINT64_C(1) << WORD_GENERATION_SHIFT) | 30},
        {"the slot after the last", (UINT64_C(1) << WORD_GENERATION_SHIFT) | SLOTS},
        {"a slot after the largest space", (UINT64_C(1) << WORD_GENERATION_SHIFT) | TN_SPACE_MAX},
        {"the last index", (moved & WORD_GENERATION) | ~WORD_GENERATION},
        {"all bits", UINT64_MAX},
        {"the sign bit", UINT64_C(1) << 63},
    };
    for (uint32_t i = 0; i < ARRAY_LEN(wrong); i++)
        for (uint32_t k = 0; k < ARRAY_LEN(operations); k++)
            expect_refused(&operations[k], wrong[i].what, wrong[i].cap, TN_EBADCAP);
    fixture_close(&w.f);
}

static void test_other_type(void **state)
{
    (void)state;
    world_open();
    struct object *objects[] = {space_object(w.f.space[2]), &thing_make(&w.f, &thing_class)->object,
                                &thing_make(&w.f, &reply_class)->object};
    for (uint32_t i = 0; i < ARRAY_LEN(objects); i++) {
        tn_cap cap = insert(objects[i], TN_R_ALL);
        for (uint32_t k = 0; k < ARRAY_LEN(operations); k++)
            if (operations[k].type != OBJ_NONE)
                expect_refused(&operations[k], objects[i]->class->name, cap, TN_ETYPE);
        assert_int_equal(cap_delete(w.space, cap), TN_OK);
    }
    object_unref(objects[1]);
    object_unref(objects[2]);
    fixture_close(&w.f);
}

/* Every set of rights with every operation: refused just where one that it needs is missing. */
static void test_missing_rights(void **state)
{
    (void)state;
    for (uint32_t rights = 0; rights <= TN_R_ALL; rights++) {
        for (uint32_t k = 0; k < ARRAY_LEN(operations); k++) {
            world_open();
            const struct operation *op = &operations[k];
            tn_cap cap = insert(untyped_object(w.f.arena.root), rights);
            if ((op->rights & ~rights) != 0)
                expect_refused(op, "rights missing", cap, TN_ERIGHTS);
            else if (op->run(cap) != TN_OK)
                fail_msg("%s with rights %u", op->name, rights);
            for (uint32_t i = 0; i < ARRAY_LEN(w.f.space); i++) {
                cap_check(w.f.space[i]);
                space_clear(w.f.space[i]);
            }
            limbo_drain(&w.f.arena.limbo);
            fixture_close(&w.f);
        }
    }
}

/* A reply moves without the right to grant, and does nothing else. */
static void test_reply_only_moves(void **state)
{
    (void)state;
    for (uint32_t k = 0; k < ARRAY_LEN(operations); k++) {
        const struct operation *op = &operations[k];
        if (op->rights != TN_R_GRANT)
            continue;
        world_open();
        struct thing *reply = thing_make(&w.f, &reply_class);
        tn_cap cap = insert(&reply->object, TN_R_CALL);
        object_unref(&reply->object);
        bool moves = op->run == do_move || op->run == do_move_here || op->run == do_transfer_move ||
                     op->run == do_deliver_move;
        if (moves)
            assert_int_equal(op->run(cap), TN_OK);
        else
            expect_refused(op, "a reply", cap, TN_ERIGHTS);
        assert_int_equal(reply->object.caps, 1);
        fixture_close(&w.f);
    }
}

/* While a revoke is between two steps nothing new comes from the capability. */
static void test_revoking(void **state)
{
    (void)state;
    world_open();
    struct space *many = NULL;
    assert_int_equal(space_make(w.f.arena.root, &w.f.root, &w.f.arena.limbo, 1000, &many), TN_OK);
    tn_cap cap = insert(untyped_object(w.f.arena.root), TN_R_ALL), child = 0;
    for (uint32_t i = 0; i <= CAP_STEP; i++)
        assert_int_equal(cap_copy(w.space, cap, many, &child), TN_OK);
    assert_int_equal(cap_revoke_step(w.space, cap), TN_EAGAIN);
    assert_int_equal(space_count(many), 1);
    for (uint32_t k = 0; k < ARRAY_LEN(operations); k++) {
        const struct operation *op = &operations[k];
        bool uses = op->run == do_lookup || op->run == do_find;
        bool ends = op->run == do_delete || op->rights == TN_R_CONTROL;
        if (uses)
            assert_int_equal(op->run(cap), TN_OK);
        else if (!ends)
            expect_refused(op, "one that is being revoked", cap, TN_EBADCAP);
    }
    assert_int_equal(cap_revoke_step(w.space, cap), TN_OK);
    assert_int_equal(space_count(many), 0);
    assert_int_equal(do_mint(cap), TN_OK);
    /* One that is deleted between two steps leaves the rest to its parent: here to nobody. */
    for (uint32_t i = 0; i <= CAP_STEP; i++)
        assert_int_equal(cap_copy(w.space, cap, many, &child), TN_OK);
    assert_int_equal(cap_revoke_step(w.space, cap), TN_EAGAIN);
    assert_int_equal(cap_delete(w.space, cap), TN_OK);
    assert_int_equal(cap_revoke_step(w.space, cap), TN_EBADCAP);
    object_unref(space_object(many));
    fixture_close(&w.f);
}

/* Badges, sizes and packs at their edges. */
static void test_wrong_values(void **state)
{
    (void)state;
    world_open();
    struct object *memory = untyped_object(w.f.arena.root);
    tn_cap plain = insert(memory, TN_R_ALL), badged = 0, made = 0;
    assert_int_equal(cap_mint(w.space, plain, w.space, TN_R_ALL, UINT64_MAX, &badged), TN_OK);
    static const uint64_t badges[] = {1, 7, UINT64_MAX - 1, UINT64_C(1) << 63};
    for (uint32_t i = 0; i < ARRAY_LEN(badges); i++)
        assert_int_equal(cap_mint(w.space, badged, w.to, TN_R_ALL, badges[i], &made), TN_EINVAL);
    assert_int_equal(cap_mint(w.space, badged, w.to, UINT32_MAX, UINT64_MAX, &made), TN_OK);
    assert_int_equal(look(w.to, made).rights, TN_R_ALL);
    /* Rights beyond those there are are not granted, and not there when they are asked for. */
    assert_int_equal(cap_mint(w.space, plain, w.to, ~(uint32_t)TN_R_ALL, 0, &made), TN_OK);
    assert_int_equal(look(w.to, made).rights, 0);
    struct cap_view view;
    for (uint32_t bit = 5; bit < 32; bit++)
        assert_int_equal(cap_lookup(w.space, plain, OBJ_NONE, 1u << bit, &view), TN_ERIGHTS);
    /* A pack that names one twice: copied is well, moved is not. */
    const tn_cap twice[] = {plain, badged, plain, badged};
    tn_cap got[4];
    for (uint32_t move = 0; move < 16; move++) {
        uint32_t before = space_count(w.to);
        tn_err err = cap_transfer(w.space, twice, 4, move, w.to, got);
        assert_int_equal(err, move == 0 ? TN_OK : TN_EINVAL);
        assert_int_equal(space_count(w.to), before + (move == 0 ? 4 : 0));
    }
    fixture_close(&w.f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_capability),  cmocka_unit_test(test_other_type),
        cmocka_unit_test(test_missing_rights), cmocka_unit_test(test_reply_only_moves),
        cmocka_unit_test(test_revoking),       cmocka_unit_test(test_wrong_values),
    };
    return cmocka_run_group_tests_name("cap_wrong", tests, NULL, NULL);
}
