/* world_model_test.c: a million random operations on capabilities, spaces and memory against a
 * plain model: records that name their parent, objects that end when nothing names them, spaces
 * that take their capabilities along, memory that stays until all made from it has ended.
 *
 * One capability to all memory is never deleted, and everything derives from it: revoking it at the
 * end must give back every byte, circles of spaces that hold themselves included. */
#include "kernel/mem/stub_test.h"

#include "kernel/cap/cap.h"
#include "kernel/cap/cap_int.h"

enum {
    RUNS = 4,
    OPERATIONS = 250000, /* in each */
    COMPARE_EVERY = 400,
    RECORDS = 400,
    OBJECTS = 200,
    OLD = 128,
    SLOTS_MAX = 60,
    MEMORY_BYTES = 4 << 20,
    SMALL_BYTES = 256 << 10, /* with less than this left, an allocation may fail */
};

struct thing {
    struct object object;
    uint32_t *orphaned; /* outlives the thing */
};

enum { ROOT = 0, BASE = 1 }; /* objects that are always there: all memory, and the first space */

/* One object as the model knows it. */
struct item {
    bool alive; /* capabilities or the test hold it */
    enum object_type type;
    struct object *object;
    uint64_t born; /* how many were before it */
    uint32_t orphaned, wanted_orphaned;
    uint32_t reserved; /* slots, of a space */
};

/* One capability. */
struct record {
    bool live;
    uint32_t space, item, rights;
    int parent;
    uint64_t badge;
    tn_cap cap;
};

static struct {
    struct stub_arena arena;
    struct cap_root root;
    struct item item[OBJECTS];
    struct record record[RECORDS];
    uint32_t caps[OBJECTS], count[OBJECTS]; /* live records by item named, by space */
    struct {
        uint32_t space;
        uint64_t born; /* the space's, so that a later one is not meant */
        tn_cap cap;
    } old[OLD];
    uint32_t olds;
    uint64_t births;
    uint64_t done[16], failed; /* operations that succeeded, by kind, and that did not */
} m;

static void thing_orphan(struct object *object)
{
    ++*CONTAINER_OF(object, struct thing, object)->orphaned;
}

static void thing_destroy(struct object *object)
{
    mem_free(object->home, object, sizeof(struct thing));
}

static const struct object_class thing_class = {
    .type = OBJ_NOTE, .name = "thing", .orphan = thing_orphan, .destroy = thing_destroy};

static struct space *space_at(uint32_t item)
{
    return space_of(m.item[item].object);
}

static struct untyped *memory_at(uint32_t item)
{
    return untyped_of(m.item[item].object);
}

/* The model's own bookkeeping */

static int record_new(void)
{
    for (int i = 0; i < RECORDS; i++)
        if (!m.record[i].live)
            return i;
    return -1;
}

static int item_new(void)
{
    for (int i = 0; i < OBJECTS; i++)
        if (m.item[i].object == NULL)
            return i;
    return -1;
}

static void record_add(int i, struct record r)
{
    r.live = true;
    m.record[i] = r;
    m.caps[r.item]++;
    m.count[r.space]++;
}

static void old_add(uint32_t space, tn_cap cap)
{
    uint32_t i = m.olds++ % OLD;
    m.old[i].space = space;
    m.old[i].born = m.item[space].born;
    m.old[i].cap = cap;
}

static void record_delete(int gone)
{
    struct record *r = &m.record[gone];
    for (uint32_t i = 0; i < RECORDS; i++)
        if (m.record[i].live && m.record[i].parent == gone)
            m.record[i].parent = r->parent;
    r->live = false;
    m.count[r->space]--;
    old_add(r->space, r->cap);
    if (--m.caps[r->item] == 0)
        m.item[r->item].wanted_orphaned += m.item[r->item].type == OBJ_NOTE;
}

static bool record_below(int i, int top)
{
    for (i = m.record[i].parent; i != -1; i = m.record[i].parent)
        if (i == top)
            return true;
    return false;
}

static int random_record(void)
{
    uint32_t start = stub_random(RECORDS);
    for (uint32_t i = 0; i < RECORDS; i++)
        if (m.record[(start + i) % RECORDS].live)
            return (int)((start + i) % RECORDS);
    return -1;
}

static uint32_t random_space(void)
{
    for (uint32_t tries = 0; tries < 20; tries++) {
        uint32_t i = stub_random(OBJECTS);
        if (m.item[i].alive && m.item[i].type == OBJ_SPACE)
            return i;
    }
    return BASE;
}

static uint32_t room_of(uint32_t space)
{
    return SLOTS_MAX - m.count[space] - m.item[space].reserved;
}

/* What nothing names any more ends, and what only that named, until nothing changes; then the
 * kernel has passed a grace period as well. A dead untyped goes on being home to what is left in
 * it. */
static void settle(void)
{
    bool again = true;
    while (again) {
        again = false;
        for (uint32_t i = BASE + 1; i < OBJECTS; i++) {
            struct item *item = &m.item[i];
            if (!item->alive || m.caps[i] > 0)
                continue;
            item->alive = false;
            again = true;
            for (int r = 0; item->type == OBJ_SPACE && r < RECORDS; r++)
                if (m.record[r].live && m.record[r].space == i)
                    record_delete(r);
        }
    }
    limbo_drain(&m.arena.limbo);
    for (uint32_t i = BASE + 1; i < OBJECTS; i++) {
        if (m.item[i].object == NULL || m.item[i].alive)
            continue;
        assert_int_equal(m.item[i].orphaned, m.item[i].wanted_orphaned);
        m.item[i].object = NULL;
    }
}

/* The operations: each predicts what the kernel answers */

/* An error is one that the model knows of, or memory is short where room was to come from. */
static bool went(tn_err err, tn_err wanted, uint32_t space)
{
    if (err == TN_ENOMEM && wanted == TN_OK)
        assert_true(mem_stats(m.item[space].object->home).free_bytes < SMALL_BYTES);
    else
        assert_int_equal(err, wanted);
    if (err != TN_OK)
        m.failed++;
    return err == TN_OK;
}

static tn_err make_thing(struct untyped *mem, struct limbo *limbo, const void *args,
                         struct object **ret_object)
{
    struct thing *thing = mem_alloc(mem, sizeof(*thing));
    if (thing == NULL)
        return TN_ENOMEM;
    object_init(&thing->object, &thing_class, mem, limbo);
    thing->orphaned = *(uint32_t *const *)args;
    *ret_object = &thing->object;
    return TN_OK;
}

static bool do_retype(int from)
{
    const struct record *above = &m.record[from];
    int item = item_new(), record = record_new();
    if (item < 0 || record < 0)
        return false;
    uint32_t to = random_space(), kind = stub_random(4);
    const struct retype_untyped memory = {.size_bytes = (uint64_t)MEM_UNTYPED_MIN
                                                        << stub_random(4)};
    const struct retype_space space = {.root = &m.root, .slots_max = SLOTS_MAX};
    uint32_t *orphaned = &m.item[item].orphaned;
    const void *args[] = {&memory, &space, &orphaned, &orphaned};
    static const retype_fn makers[] = {retype_untyped, retype_space, make_thing, make_thing};
    static const enum object_type types[] = {OBJ_UNTYPED, OBJ_SPACE, OBJ_NOTE, OBJ_NOTE};
    uint32_t rights = stub_random(3) == 0 ? stub_random(TN_R_ALL + 1) : TN_R_ALL;
    tn_cap cap = 0;
    m.item[item].orphaned = 0;
    tn_err err = cap_retype(space_at(above->space), above->cap, makers[kind], args[kind], rights,
                            space_at(to), &cap);
    if (m.item[above->item].type != OBJ_UNTYPED) {
        assert_int_equal(err, TN_ETYPE);
        return false;
    }
    if ((above->rights & TN_R_WRITE) == 0) {
        assert_int_equal(err, TN_ERIGHTS);
        return false;
    }
    if (err == TN_ENOMEM) { /* of the object or of its slot */
        assert_true(mem_stats(memory_at(above->item)).free_bytes < SMALL_BYTES ||
                    mem_stats(m.item[to].object->home).free_bytes < SMALL_BYTES);
        return false;
    }
    if (!went(err, room_of(to) > 0 ? TN_OK : TN_ENOSLOT, to))
        return false;
    struct cap_view view;
    assert_int_equal(cap_lookup(space_at(to), cap, types[kind], rights, &view), TN_OK);
    m.item[item] = (struct item){
        .alive = true, .type = types[kind], .object = view.object, .born = ++m.births};
    record_add(
        record,
        (struct record){
            .space = to, .item = (uint32_t)item, .rights = rights, .parent = from, .cap = cap});
    return true;
}

static bool do_mint(int from)
{
    const struct record *above = &m.record[from];
    int record = record_new();
    if (record < 0)
        return false;
    uint32_t rights = stub_random(TN_R_ALL + 1) | stub_random(TN_R_ALL + 1), to = random_space();
    uint64_t badge = stub_random(2) == 0 ? 0 : 1 + stub_random(9);
    tn_cap cap = 0;
    tn_err wanted = room_of(to) > 0 ? TN_OK : TN_ENOSLOT;
    if (above->badge != 0 && badge != 0 && badge != above->badge)
        wanted = TN_EINVAL;
    if ((above->rights & TN_R_GRANT) == 0)
        wanted = TN_ERIGHTS;
    if (!went(cap_mint(space_at(above->space), above->cap, space_at(to), rights, badge, &cap),
              wanted, to))
        return false;
    record_add(record, (struct record){.space = to,
                                       .item = above->item,
                                       .rights = rights & above->rights,
                                       .parent = from,
                                       .badge = above->badge != 0 ? above->badge : badge,
                                       .cap = cap});
    return true;
}

static void record_moved(int i, uint32_t to, tn_cap cap)
{
    struct record *r = &m.record[i];
    old_add(r->space, r->cap);
    m.count[r->space]--;
    m.count[to]++;
    r->space = to;
    r->cap = cap;
}

static bool do_move(int from)
{
    const struct record *r = &m.record[from];
    uint32_t to = random_space();
    tn_cap cap = 0;
    tn_err wanted = room_of(to) > 0 ? TN_OK : TN_ENOSLOT;
    if ((r->rights & TN_R_GRANT) == 0)
        wanted = TN_ERIGHTS;
    if (!went(cap_move(space_at(r->space), r->cap, space_at(to), &cap), wanted, to))
        return false;
    record_moved(from, to, cap);
    return true;
}

/* A pack of one space: copied and moved, into fresh or reserved slots; all or none. */
static bool do_transfer(int first)
{
    int from[TN_PACK_CAPS] = {first};
    tn_cap caps[TN_PACK_CAPS] = {m.record[first].cap}, got[TN_PACK_CAPS] = {0};
    uint32_t space = m.record[first].space, to = random_space(), n = 1;
    uint32_t move = stub_random(1 << TN_PACK_CAPS);
    for (uint32_t tries = 0; tries < 12 && n < TN_PACK_CAPS; tries++) {
        int other = random_record();
        if (m.record[other].space == space && other != 0) {
            from[n] = other;
            caps[n++] = m.record[other].cap;
        }
    }
    tn_err wanted = TN_OK;
    for (uint32_t i = 0; i < n && wanted == TN_OK; i++) {
        if ((m.record[from[i]].rights & TN_R_GRANT) == 0)
            wanted = TN_ERIGHTS;
        for (uint32_t k = 0; k < i && wanted == TN_OK; k++)
            if (from[i] == from[k] && ((move >> i | move >> k) & 1) != 0)
                wanted = TN_EINVAL;
    }
    bool reserved = stub_random(2) == 0;
    tn_err err;
    if (reserved) {
        tn_err room = room_of(to) >= n ? TN_OK : TN_ENOSLOT;
        if (!went(cap_reserve(space_at(to), n, got), room, to))
            return false;
        err = cap_deliver(space_at(space), caps, n, move, space_at(to), got);
        cap_unreserve(space_at(to), got, n); /* nothing, where it was delivered */
    } else {
        err = cap_transfer(space_at(space), caps, n, move, space_at(to), got);
        if (wanted == TN_OK && room_of(to) < n)
            wanted = TN_ENOSLOT;
    }
    if (!went(err, wanted, to))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        int record = record_new();
        if ((move >> i & 1) != 0)
            record_moved(from[i], to, got[i]);
        else if (record < 0) /* no record is left: the model forgets it, so it must go */
            assert_int_equal(cap_delete(space_at(to), got[i]), TN_OK);
        else {
            struct record copy = m.record[from[i]];
            copy.space = to;
            copy.parent = from[i];
            copy.cap = got[i];
            record_add(record, copy);
        }
    }
    return true;
}

static bool do_delete(int gone)
{
    assert_int_equal(cap_delete(space_at(m.record[gone].space), m.record[gone].cap), TN_OK);
    record_delete(gone);
    return true;
}

static bool do_revoke(int top)
{
    const struct record *r = &m.record[top];
    bool allowed = (r->rights & TN_R_CONTROL) != 0;
    tn_err err = cap_revoke(space_at(r->space), r->cap);
    assert_int_equal(err, allowed ? TN_OK : TN_ERIGHTS);
    if (!allowed)
        return false;
    bool below[RECORDS];
    for (int i = 0; i < RECORDS; i++)
        below[i] = m.record[i].live && record_below(i, top);
    for (int i = 0; i < RECORDS; i++)
        if (below[i])
            record_delete(i);
    return true;
}

/* Slots that stay reserved for a while, and are given up, or go with their space. */
static bool do_reserve(void)
{
    static tn_cap slots[OBJECTS][TN_PACK_CAPS];
    uint32_t space = random_space(), n = 1 + stub_random(TN_PACK_CAPS);
    if (m.item[space].reserved > 0) {
        cap_unreserve(space_at(space), slots[space], m.item[space].reserved);
        m.item[space].reserved = 0;
        return true;
    }
    tn_err wanted = room_of(space) >= n ? TN_OK : TN_ENOSLOT;
    if (!went(cap_reserve(space_at(space), n, slots[space]), wanted, space))
        return false;
    m.item[space].reserved = n;
    return true;
}

static bool do_clear(void)
{
    uint32_t space = random_space();
    space_clear_but(space_at(space), &m.record[0].cap, space == BASE);
    m.item[space].reserved = 0;
    for (int i = 1; i < RECORDS; i++)
        if (m.record[i].live && m.record[i].space == space)
            record_delete(i);
    return true;
}

enum { RETYPE, MINT, MOVE, TRANSFER, DELETE, REVOKE, RESERVE, CLEAR, KINDS };

static bool do_one(uint32_t kind)
{
    int from = random_record();
    bool first = from == 0; /* is never deleted or moved, and revoked at the end */
    switch (kind) {
    case RETYPE:
        return do_retype(from);
    case MINT:
        return do_mint(from);
    case MOVE:
        return !first && do_move(from);
    case TRANSFER:
        return !first && do_transfer(from);
    case DELETE:
        return !first && do_delete(from);
    case REVOKE:
        return !first && do_revoke(from);
    case RESERVE:
        return do_reserve();
    default:
        return do_clear();
    }
}

static struct slot *record_slot(const struct record *r)
{
    return space_slot(space_at(r->space), (uint32_t)(r->cap & ~WORD_GENERATION));
}

static void compare_records(void)
{
    struct cap_view view;
    for (uint32_t i = 0; i < RECORDS; i++) {
        const struct record *r = &m.record[i];
        if (!r->live)
            continue;
        assert_int_equal(
            cap_lookup(space_at(r->space), r->cap, m.item[r->item].type, r->rights, &view), TN_OK);
        assert_ptr_equal(view.object, m.item[r->item].object);
        assert_int_equal(view.rights, r->rights);
        assert_int_equal(view.badge, r->badge);
        struct slot *parent = r->parent >= 0 ? record_slot(&m.record[r->parent]) : NULL;
        assert_ptr_equal(tree_parent(record_slot(r)), parent);
    }
    for (uint32_t i = 0; i < OLD && i < m.olds; i++)
        if (m.item[m.old[i].space].born == m.old[i].born && m.item[m.old[i].space].alive)
            assert_int_equal(cap_lookup(space_at(m.old[i].space), m.old[i].cap, OBJ_NONE, 0, &view),
                             TN_EBADCAP);
}

static void compare_items(void)
{
    for (uint32_t i = 0; i < OBJECTS; i++) {
        const struct item *item = &m.item[i];
        if (!item->alive)
            continue;
        assert_int_equal(item->object->caps, m.caps[i]);
        assert_int_equal(item->orphaned, item->wanted_orphaned);
        if (item->type == OBJ_UNTYPED)
            mem_check(memory_at(i));
        if (item->type != OBJ_SPACE)
            continue;
        assert_int_equal(space_count(space_at(i)), m.count[i]);
        cap_check(space_at(i));
    }
}

static void run(uint64_t seed)
{
    static const uint32_t weight[KINDS] = {22, 28, 10, 8, 20, 3, 4, 1};
    stub_random_state = seed;
    memset(&m, 0, sizeof(m));
    arena_open(&m.arena, MEMORY_BYTES);
    cap_root_init(&m.root);
    struct space *base = NULL;
    uint64_t used = mem_stats(m.arena.root).used_bytes;
    assert_int_equal(space_make(m.arena.root, &m.root, &m.arena.limbo, SLOTS_MAX, &base), TN_OK);
    m.item[ROOT] =
        (struct item){.alive = true, .type = OBJ_UNTYPED, .object = untyped_object(m.arena.root)};
    m.item[BASE] = (struct item){.alive = true, .type = OBJ_SPACE, .object = space_object(base)};
    struct record first = {.space = BASE, .item = ROOT, .rights = TN_R_ALL, .parent = -1};
    assert_int_equal(cap_insert(base, m.item[ROOT].object, TN_R_ALL, 0, NULL, 0, &first.cap),
                     TN_OK);
    record_add(0, first);
    for (uint32_t op = 0; op < OPERATIONS; op++) {
        uint32_t kind = 0;
        for (uint32_t at = stub_random(96); at >= weight[kind]; kind++)
            at -= weight[kind];
        if (do_one(kind))
            m.done[kind]++;
        settle();
        if (op % COMPARE_EVERY == 0) {
            compare_records();
            compare_items();
        }
    }
    for (uint32_t kind = 0; kind < KINDS; kind++)
        assert_true(m.done[kind] > OPERATIONS / 1000);
    assert_true(m.failed > OPERATIONS / 1000);
    assert_true(do_revoke(0));
    settle();
    for (uint32_t i = BASE + 1; i < OBJECTS; i++)
        assert_null(m.item[i].object);
    assert_int_equal(space_count(base), 1);
    object_unref(space_object(base));
    limbo_drain(&m.arena.limbo);
    mem_check(m.arena.root);
    assert_int_equal(mem_stats(m.arena.root).used_bytes, used);
    arena_close(&m.arena);
}

static void test_a_million_operations(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= RUNS; seed++)
        run(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_million_operations)};
    return cmocka_run_group_tests_name("world_model", tests, NULL, NULL);
}
