/* retype_test.c: objects of every type made of untyped memory and ended again: exactly, 100,000
 * times, with memory that runs out at each of them in turn, and by revoking the memory. A reply is
 * made by answering a call later; cases_ipc_test.c does that. */
#include "kernel/cap/thing_test.h"

#include "kernel/ipc/ipc.h"
#include "kernel/mem/idle_test.h"

enum { ROUNDS = 100000, SLOTS = 64, CHILD_BYTES = 64 * 1024, NOTHING = 0 };

/* What the makers of the other modules need of the world. */
static struct {
    struct fixture f;
    struct space *space;    /* that the memory is named in, and what is made */
    tn_cap memory;          /* an untyped of CHILD_BYTES below the root */
    struct untyped *within; /* that untyped */
    struct actor *actor;
    atomic_u32 alive;
} w;

static tn_err make_actor(struct untyped *mem, struct limbo *limbo, const void *args,
                         struct object **ret_object)
{
    (void)args;
    const struct actor_config config = {.name = "made",
                                        .memory = mem,
                                        .space = w.f.space[3],
                                        .mailbox = 4,
                                        .limbo = limbo,
                                        .alive = &w.alive};
    struct actor *actor = NULL;
    tn_err err = actor_make(&config, &actor);
    if (err != TN_OK)
        return err;
    object_unref(actor_object(actor)); /* what its life holds: it never lives */
    *ret_object = actor_object(actor);
    return TN_OK;
}

static tn_err make_endpoint(struct untyped *mem, struct limbo *limbo, const void *args,
                            struct object **ret_object)
{
    struct endpoint *endpoint = NULL;
    (void)args;
    tn_err err = endpoint_make(mem, limbo, w.actor, 0, &endpoint);
    if (err == TN_OK)
        *ret_object = endpoint_object(endpoint);
    return err;
}

static tn_err make_note(struct untyped *mem, struct limbo *limbo, const void *args,
                        struct object **ret_object)
{
    struct note *note = NULL;
    (void)args;
    tn_err err = note_make(mem, limbo, &note);
    if (err == TN_OK)
        *ret_object = note_object(note);
    return err;
}

static tn_err make_timer(struct untyped *mem, struct limbo *limbo, const void *args,
                         struct object **ret_object)
{
    struct timer *timer = NULL;
    (void)args;
    tn_err err = timer_make(mem, limbo, w.actor, &timer);
    if (err == TN_OK)
        *ret_object = timer_object(timer);
    return err;
}

static tn_err make_buffer(struct untyped *mem, struct limbo *limbo, const void *args,
                          struct object **ret_object)
{
    struct buffer *buffer = NULL;
    tn_err err = buffer_make(mem, limbo, *(const uint64_t *)args, &buffer);
    if (err == TN_OK)
        *ret_object = buffer_object(buffer);
    return err;
}

static const struct retype_untyped small_untyped = {.size_bytes = MEM_UNTYPED_MIN};
static const struct retype_space small_space = {.root = &w.f.root, .slots_max = 20};
static const uint64_t buffer_bytes_wanted = 3 * MEM_PAGE;

static const struct kind {
    enum object_type type;
    retype_fn make;
    const void *args;
} kinds[] = {
    {OBJ_UNTYPED, retype_untyped, &small_untyped},
    {OBJ_SPACE, retype_space, &small_space},
    {OBJ_ACTOR, make_actor, NULL},
    {OBJ_ENDPOINT, make_endpoint, NULL},
    {OBJ_NOTE, make_note, NULL},
    {OBJ_TIMER, make_timer, NULL},
    {OBJ_BUFFER, make_buffer, &buffer_bytes_wanted},
};

static void world_open(void)
{
    fixture_open(&w.f, SLOTS);
    w.space = w.f.space[0];
    at_init(&w.alive, 0);
    tn_cap root = 0;
    assert_int_equal(
        cap_insert(w.space, untyped_object(w.f.arena.root), TN_R_ALL, 0, NULL, 0, &root), TN_OK);
    const struct retype_untyped wanted = {.size_bytes = CHILD_BYTES};
    assert_int_equal(
        cap_retype(w.space, root, retype_untyped, &wanted, TN_R_ALL, w.space, &w.memory), TN_OK);
    w.within = untyped_of(look(w.space, w.memory).object);
    struct object *actor = NULL;
    assert_int_equal(make_actor(w.f.arena.root, &w.f.arena.limbo, NULL, &actor), TN_OK);
    w.actor = actor_of(actor);
}

static void world_close(void)
{
    assert_int_equal(mem_stats(w.within).used_bytes, NOTHING);
    mem_check(w.within);
    object_unref(actor_object(w.actor));
    fixture_close(&w.f);
}

static tn_err retype(const struct kind *kind, tn_cap *ret_cap)
{
    return cap_retype(w.space, w.memory, kind->make, kind->args, TN_R_ALL, w.space, ret_cap);
}

static void retype_into_every_type(void **state)
{
    (void)state;
    world_open();
    for (uint32_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct cap_view view = {0};
        tn_cap cap = 0;
        assert_int_equal(retype(&kinds[i], &cap), TN_OK);
        assert_int_equal(cap_lookup(w.space, cap, kinds[i].type, TN_R_ALL, &view), TN_OK);
        assert_ptr_equal(view.object->home, w.within);
        assert_int_equal(view.object->caps, 1);
        assert_true(mem_stats(w.within).used_bytes > 0);
        assert_ptr_equal(tree_parent(space_slot(w.space, (uint32_t)(cap & ~WORD_GENERATION))),
                         space_slot(w.space, (uint32_t)(w.memory & ~WORD_GENERATION)));
        assert_int_equal(cap_delete(w.space, cap), TN_OK);
        limbo_drain(&w.f.arena.limbo);
        assert_int_equal(mem_stats(w.within).used_bytes, NOTHING);
    }
    world_close();
}

static void retype_every_type_100000_times(void **state)
{
    (void)state;
    world_open();
    struct mem_stats before = {0};
    for (uint32_t round = 0; round < ROUNDS; round++) {
        if (round == 1) /* the space has grown */
            before = mem_stats(w.f.arena.root);
        tn_cap cap[ARRAY_LEN(kinds)];
        for (uint32_t i = 0; i < ARRAY_LEN(kinds); i++)
            assert_int_equal(retype(&kinds[i], &cap[i]), TN_OK);
        if (round % 2 == 0) {
            assert_int_equal(cap_revoke(w.space, w.memory), TN_OK);
        } else {
            for (uint32_t i = 0; i < ARRAY_LEN(kinds); i++)
                assert_int_equal(cap_delete(w.space, cap[i]), TN_OK);
        }
        limbo_drain(&w.f.arena.limbo);
    }
    assert_int_equal(mem_stats(w.f.arena.root).used_bytes, before.used_bytes);
    assert_int_equal(mem_stats(w.within).used_bytes, NOTHING);
    /* All of it, together: nothing is left that keeps two blocks apart. */
    uint64_t whole = mem_stats(w.within).free_bytes;
    assert_int_equal(whole / MEM_PAGE, CHILD_BYTES / MEM_PAGE - 1);
    world_close();
}

/* Takes memory until only `left_bytes` of w.within are left, or fewer; returns how many pieces. */
static uint32_t hog(void **pieces, uint32_t *sizes, uint64_t left_bytes)
{
    static const uint32_t wanted[] = {MEM_PAGE, 512, 64, 32};
    uint32_t n = 0;
    for (uint32_t i = 0; i < ARRAY_LEN(wanted); i++) {
        while (mem_stats(w.within).free_bytes >= left_bytes + wanted[i]) {
            void *at = mem_alloc(w.within, wanted[i]);
            if (at == NULL)
                break;
            pieces[n] = at;
            sizes[n++] = wanted[i];
        }
    }
    return n;
}

/* Of each type, with ever more memory: it fails with nothing left behind, until it succeeds. */
static void retype_out_of_memory_at_each(void **state)
{
    (void)state;
    static void *pieces[CHILD_BYTES / 32];
    static uint32_t sizes[CHILD_BYTES / 32];
    world_open();
    for (uint32_t i = 0; i < ARRAY_LEN(kinds); i++) {
        bool made = false;
        uint32_t failures = 0;
        for (uint64_t left = 0; !made && left < CHILD_BYTES; left += 512) {
            uint32_t n = hog(pieces, sizes, left);
            uint64_t used = mem_stats(w.within).used_bytes;
            tn_cap cap = 42;
            tn_err err = retype(&kinds[i], &cap);
            made = err == TN_OK;
            if (!made) {
                failures++;
                assert_int_equal(err, TN_ENOMEM);
                assert_int_equal(cap, 42);
                assert_int_equal(space_count(w.space), 2);
            } else {
                assert_int_equal(cap_delete(w.space, cap), TN_OK);
            }
            limbo_drain(&w.f.arena.limbo);
            assert_int_equal(mem_stats(w.within).used_bytes, used);
            mem_check(w.within);
            while (n > 0) {
                n--;
                mem_free(w.within, pieces[n], sizes[n]);
            }
        }
        assert_true(made && failures > 0);
    }
    world_close();
}

/* The object is made, but there is no slot for its capability, or no memory for one. */
static void retype_out_of_slots(void **state)
{
    (void)state;
    world_open();
    struct space *full = NULL, *poor = NULL;
    struct untyped *none = NULL;
    tn_cap cap = 42;
    assert_int_equal(space_make(w.f.arena.root, &w.f.root, &w.f.arena.limbo, 1, &full), TN_OK);
    assert_int_equal(cap_copy(w.space, w.memory, full, &cap), TN_OK);
    assert_int_equal(untyped_make(w.f.arena.root, MEM_UNTYPED_MIN, &none), TN_OK);
    assert_int_equal(space_make(none, &w.f.root, &w.f.arena.limbo, 1, &poor), TN_OK);
    while (mem_alloc(none, MEM_PAGE) != NULL || mem_alloc(none, 64) != NULL)
        ;
    cap = 42;
    for (uint32_t i = 0; i < ARRAY_LEN(kinds); i++) {
        assert_int_equal(cap_retype(w.space, w.memory, kinds[i].make, kinds[i].args, 0, full, &cap),
                         TN_ENOSLOT);
        assert_int_equal(cap_retype(w.space, w.memory, kinds[i].make, kinds[i].args, 0, poor, &cap),
                         TN_ENOMEM);
        limbo_drain(&w.f.arena.limbo);
        assert_int_equal(mem_stats(w.within).used_bytes, NOTHING);
    }
    assert_int_equal(cap, 42);
    object_unref(space_object(full));
    object_unref(space_object(poor));
    limbo_drain(&w.f.arena.limbo);
    /* `none` stays: its pages are not given back one by one. */
    w.f.used_bytes += MEM_UNTYPED_MIN;
    object_unref(untyped_object(none));
    world_close();
}

/* Sizes and counts that no object can have. */
static void retype_wrong_sizes(void **state)
{
    (void)state;
    world_open();
    static const struct {
        uint64_t bytes;
        tn_err untyped, buffer;
    } sizes[] = {
        {0, TN_EINVAL, TN_EINVAL},
        {MEM_UNTYPED_MIN - 1, TN_EINVAL, TN_OK},
        {CHILD_BYTES, TN_ENOMEM, TN_ENOMEM},
        {TN_BUFFER_MAX, TN_ENOMEM, TN_ENOMEM},
        {(uint64_t)TN_BUFFER_MAX + 1, TN_ENOMEM, TN_ETOOBIG},
        {MEM_UNTYPED_MAX, TN_ENOMEM, TN_ETOOBIG},
        {MEM_UNTYPED_MAX + 1, TN_ENOMEM, TN_ETOOBIG},
        {UINT64_MAX / 2 + 1, TN_ENOMEM, TN_ETOOBIG},
        {UINT64_MAX - MEM_PAGE + 2, TN_ENOMEM, TN_ETOOBIG},
        {UINT64_MAX, TN_ENOMEM, TN_ETOOBIG},
    };
    static const struct {
        uint32_t slots;
        tn_err err;
    } slots[] = {{0, TN_EINVAL},
                 {TN_SPACE_MAX + 1, TN_EINVAL},
                 {UINT32_MAX, TN_EINVAL},
                 {1, TN_OK},
                 {TN_SPACE_MAX, TN_OK}};
    tn_cap cap = 0;
    for (uint32_t i = 0; i < ARRAY_LEN(sizes); i++) {
        const struct retype_untyped wanted = {.size_bytes = sizes[i].bytes};
        assert_int_equal(cap_retype(w.space, w.memory, retype_untyped, &wanted, 0, w.space, &cap),
                         sizes[i].untyped);
        assert_int_equal(
            cap_retype(w.space, w.memory, make_buffer, &sizes[i].bytes, 0, w.space, &cap),
            sizes[i].buffer);
    }
    for (uint32_t i = 0; i < ARRAY_LEN(slots); i++) {
        const struct retype_space wanted = {.root = &w.f.root, .slots_max = slots[i].slots};
        assert_int_equal(cap_retype(w.space, w.memory, retype_space, &wanted, 0, w.space, &cap),
                         slots[i].err);
    }
    assert_int_equal(cap_revoke(w.space, w.memory), TN_OK);
    limbo_drain(&w.f.arena.limbo);
    world_close();
}

/* Memory within memory within memory, objects at each level: revoking the first reclaims all, in
 * any order of the ends. */
static void retype_revoke_reclaims_everything(void **state)
{
    (void)state;
    world_open();
    for (uint32_t seed = 1; seed <= 200; seed++) {
        stub_random_state = seed;
        tn_cap within[3] = {w.memory};
        for (uint32_t level = 0; level < 3; level++) {
            const struct retype_untyped wanted = {.size_bytes = CHILD_BYTES >> (level + 1)};
            for (uint32_t i = stub_random(8); i > 0; i--) {
                const struct kind *kind = &kinds[stub_random(ARRAY_LEN(kinds))];
                struct space *to = w.f.space[stub_random(3)];
                tn_cap cap = 0, copy = 0;
                tn_err err =
                    cap_retype(w.space, within[level], kind->make, kind->args, TN_R_ALL, to, &cap);
                assert_true(err == TN_OK || err == TN_ENOMEM);
                if (err == TN_OK && stub_random(2) == 0)
                    assert_int_equal(cap_copy(to, cap, w.f.space[stub_random(3)], &copy), TN_OK);
            }
            if (level == 2 || cap_retype(w.space, within[level], retype_untyped, &wanted, TN_R_ALL,
                                         w.space, &within[level + 1]) != TN_OK)
                break;
        }
        assert_int_equal(cap_revoke(w.space, w.memory), TN_OK);
        assert_int_equal(space_count(w.space), 2);
        assert_int_equal(space_count(w.f.space[1]) + space_count(w.f.space[2]), 0);
        limbo_drain(&w.f.arena.limbo);
        assert_int_equal(mem_stats(w.within).used_bytes, NOTHING);
        mem_check(w.within);
    }
    world_close();
}

/* A space may hold the capability to its own memory and to itself; deleting them ends both. */
static void retype_self_reference(void **state)
{
    (void)state;
    world_open();
    const struct retype_space wanted = {.root = &w.f.root, .slots_max = 8};
    tn_cap cap = 0, own = 0;
    assert_int_equal(cap_retype(w.space, w.memory, retype_space, &wanted, TN_R_ALL, w.space, &cap),
                     TN_OK);
    struct space *inner = space_of(look(w.space, cap).object);
    assert_int_equal(cap_copy(w.space, w.memory, inner, &own), TN_OK);
    assert_int_equal(cap_move(w.space, cap, inner, &own), TN_OK);
    assert_true(stale(w.space, cap));
    assert_int_equal(space_of(look(inner, own).object) == inner, 1);
    /* Nobody outside names it now; its memory's owner still ends it. */
    assert_int_equal(cap_revoke(w.space, w.memory), TN_OK);
    limbo_drain(&w.f.arena.limbo);
    assert_int_equal(mem_stats(w.within).used_bytes, NOTHING);
    world_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retype_into_every_type),
        cmocka_unit_test(retype_every_type_100000_times),
        cmocka_unit_test(retype_out_of_memory_at_each),
        cmocka_unit_test(retype_out_of_slots),
        cmocka_unit_test(retype_wrong_sizes),
        cmocka_unit_test(retype_revoke_reclaims_everything),
        cmocka_unit_test(retype_self_reference),
    };
    return cmocka_run_group_tests_name("retype", tests, NULL, NULL);
}
