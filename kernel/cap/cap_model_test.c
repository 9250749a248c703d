/* cap_model_test.c: random histories of capabilities over several spaces against a plain model: an
 * array of records that name their parent. */
#include "kernel/mem/stub_test.h"

#include "kernel/cap/cap.h"
#include "kernel/cap/cap_int.h"

enum { SPACES = 4, THINGS = 12, RECORDS = 600, OLD = 256, SLOTS_MAX = 90, MIB = 1 << 20 };

struct thing {
    struct object object;
    uint32_t orphaned;
};

/* One capability as the model knows it. */
struct record {
    bool live;
    uint32_t space, thing, rights;
    int parent; /* record, or -1 */
    uint64_t badge;
    tn_cap cap;
};

static struct model {
    struct stub_arena arena;
    struct cap_root root;
    struct space *space[SPACES];
    struct thing *thing[THINGS];
    uint32_t orphaned[THINGS];
    struct record record[RECORDS];
    struct {
        uint32_t space;
        tn_cap cap;
    } old[OLD]; /* handles that were deleted */
    uint32_t olds;
} m;

static void thing_orphan(struct object *object)
{
    CONTAINER_OF(object, struct thing, object)->orphaned++;
}

static void thing_destroy(struct object *object)
{
    mem_free(object->home, object, sizeof(struct thing));
}

static const struct object_class thing_class = {
    .type = OBJ_NOTE, .name = "thing", .orphan = thing_orphan, .destroy = thing_destroy};

static uint32_t model_count(uint32_t space)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < RECORDS; i++)
        n += m.record[i].live && m.record[i].space == space;
    return n;
}

static uint32_t model_caps(uint32_t thing)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < RECORDS; i++)
        n += m.record[i].live && m.record[i].thing == thing;
    return n;
}

static int model_new(void)
{
    for (int i = 0; i < RECORDS; i++)
        if (!m.record[i].live)
            return i;
    return -1;
}

static void model_delete(int gone)
{
    struct record *r = &m.record[gone];
    for (uint32_t i = 0; i < RECORDS; i++)
        if (m.record[i].live && m.record[i].parent == gone)
            m.record[i].parent = r->parent;
    r->live = false;
    uint32_t i = m.olds++ % OLD;
    m.old[i].space = r->space;
    m.old[i].cap = r->cap;
    if (model_caps(r->thing) == 0)
        m.orphaned[r->thing]++;
}

static bool model_below(int i, int top)
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

/* Records a new capability that is to be as these say; `err` is what the kernel answered. */
static void expect_new(struct record wanted, tn_err err)
{
    int i = model_new();
    assert_true(i >= 0);
    uint32_t room = SLOTS_MAX - model_count(wanted.space);
    assert_int_equal(err, room > 0 ? TN_OK : TN_ENOSLOT);
    if (err == TN_OK)
        m.record[i] = wanted;
}

static void do_insert(void)
{
    struct record r = {.live = true,
                       .space = stub_random(SPACES),
                       .thing = stub_random(THINGS),
                       .rights = stub_random(3) == 0 ? stub_random(TN_R_ALL + 1) : TN_R_ALL,
                       .badge = stub_random(3) == 0 ? 1 + stub_random(9) : 0,
                       .parent = stub_random(2) == 0 ? random_record() : -1};
    /* What an object is made from is another object, and was there before it. */
    if (r.parent >= 0 && m.record[r.parent].thing >= r.thing)
        r.parent = -1;
    struct record *parent = r.parent >= 0 ? &m.record[r.parent] : NULL;
    tn_err err = cap_insert(m.space[r.space], &m.thing[r.thing]->object, r.rights, r.badge,
                            parent != NULL ? m.space[parent->space] : NULL,
                            parent != NULL ? parent->cap : 0, &r.cap);
    expect_new(r, err);
}

static void do_mint(int from)
{
    struct record *above = &m.record[from];
    bool copy = stub_random(2) == 0;
    uint32_t rights = copy ? TN_R_ALL : stub_random(TN_R_ALL + 1) | stub_random(TN_R_ALL + 1);
    uint64_t badge = copy || stub_random(2) == 0 ? 0 : 1 + stub_random(9);
    struct record r = {.live = true,
                       .space = stub_random(SPACES),
                       .thing = above->thing,
                       .rights = rights & above->rights,
                       .badge = above->badge != 0 ? above->badge : badge,
                       .parent = from};
    struct space *in = m.space[above->space], *to = m.space[r.space];
    tn_err err = copy ? cap_copy(in, above->cap, to, &r.cap)
                      : cap_mint(in, above->cap, to, rights, badge, &r.cap);
    if ((above->rights & TN_R_GRANT) == 0)
        assert_int_equal(err, TN_ERIGHTS);
    else if (above->badge != 0 && badge != 0 && badge != above->badge)
        assert_int_equal(err, TN_EINVAL);
    else
        expect_new(r, err);
}

static void do_move(int from)
{
    struct record *r = &m.record[from];
    uint32_t to = stub_random(SPACES);
    tn_cap cap = 0, before = r->cap;
    tn_err err = cap_move(m.space[r->space], r->cap, m.space[to], &cap);
    if ((r->rights & TN_R_GRANT) == 0) {
        assert_int_equal(err, TN_ERIGHTS);
    } else if (model_count(to) == SLOTS_MAX) {
        assert_int_equal(err, TN_ENOSLOT);
    } else {
        assert_int_equal(err, TN_OK);
        uint32_t i = m.olds++ % OLD;
        m.old[i].space = r->space;
        m.old[i].cap = before;
        r->space = to;
        r->cap = cap;
    }
}

static void do_revoke(int top)
{
    struct record *r = &m.record[top];
    tn_err err = cap_revoke(m.space[r->space], r->cap);
    if ((r->rights & TN_R_CONTROL) == 0) {
        assert_int_equal(err, TN_ERIGHTS);
        return;
    }
    assert_int_equal(err, TN_OK);
    bool below[RECORDS];
    for (int i = 0; i < RECORDS; i++)
        below[i] = m.record[i].live && model_below(i, top);
    for (int i = 0; i < RECORDS; i++)
        if (below[i])
            model_delete(i);
}

static void do_one(void)
{
    int from = random_record();
    uint32_t what = stub_random(100);
    if (from < 0 || what < 10) {
        do_insert();
    } else if (what < 60) {
        do_mint(from);
    } else if (what < 72) {
        do_move(from);
    } else if (what < 95) {
        assert_int_equal(cap_delete(m.space[m.record[from].space], m.record[from].cap), TN_OK);
        model_delete(from);
    } else if (what < 99) {
        do_revoke(from);
    } else {
        uint32_t space = stub_random(SPACES);
        space_clear(m.space[space]);
        for (int i = 0; i < RECORDS; i++)
            if (m.record[i].live && m.record[i].space == space)
                model_delete(i);
    }
}

static struct slot *record_slot(const struct record *r)
{
    return space_slot(m.space[r->space], (uint32_t)(r->cap & 0xffffff));
}

static void compare_all(void)
{
    struct cap_view view;
    for (uint32_t i = 0; i < RECORDS; i++) {
        const struct record *r = &m.record[i];
        if (!r->live)
            continue;
        assert_int_equal(cap_lookup(m.space[r->space], r->cap, OBJ_NOTE, r->rights, &view), TN_OK);
        assert_ptr_equal(view.object, &m.thing[r->thing]->object);
        assert_int_equal(view.rights, r->rights);
        assert_int_equal(view.badge, r->badge);
        struct slot *parent = r->parent >= 0 ? record_slot(&m.record[r->parent]) : NULL;
        assert_ptr_equal(tree_parent(record_slot(r)), parent);
    }
    for (uint32_t i = 0; i < THINGS; i++) {
        assert_int_equal(m.thing[i]->object.caps, model_caps(i));
        assert_int_equal(m.thing[i]->orphaned, m.orphaned[i]);
        assert_int_equal(at_load(&m.thing[i]->object.refs, RELAXED), 1 + (model_caps(i) > 0));
    }
    for (uint32_t i = 0; i < SPACES; i++) {
        assert_int_equal(space_count(m.space[i]), model_count(i));
        cap_check(m.space[i]);
    }
    for (uint32_t i = 0; i < OLD && i < m.olds; i++)
        assert_int_equal(cap_lookup(m.space[m.old[i].space], m.old[i].cap, OBJ_NONE, 0, &view),
                         TN_EBADCAP);
}

static void test_random_histories(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        stub_random_state = seed;
        memset(&m, 0, sizeof(m));
        arena_open(&m.arena, 4 * MIB);
        cap_root_init(&m.root);
        for (uint32_t i = 0; i < SPACES; i++)
            assert_int_equal(
                space_make(m.arena.root, &m.root, &m.arena.limbo, SLOTS_MAX, &m.space[i]), TN_OK);
        for (uint32_t i = 0; i < THINGS; i++) {
            m.thing[i] = mem_alloc(m.arena.root, sizeof(struct thing));
            object_init(&m.thing[i]->object, &thing_class, m.arena.root, &m.arena.limbo);
        }
        for (uint32_t op = 0; op < 1500; op++) {
            do_one();
            if (op % 8 == 0)
                compare_all();
        }
        for (uint32_t i = 0; i < SPACES; i++)
            object_unref(space_object(m.space[i]));
        for (uint32_t i = 0; i < THINGS; i++)
            object_unref(&m.thing[i]->object);
        limbo_drain(&m.arena.limbo);
        mem_check(m.arena.root);
        assert_int_equal(mem_stats(m.arena.root).used_bytes, 0);
        arena_close(&m.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_histories)};
    return cmocka_run_group_tests_name("cap_model", tests, NULL, NULL);
}
