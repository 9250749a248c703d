/* thing_test.h: what tests of capabilities begin with: an arena, four spaces, and objects that
 * count what happens to them. Included by one file of a test program. */
#ifndef KERNEL_CAP_THING_TEST_H
#define KERNEL_CAP_THING_TEST_H

#include "kernel/mem/stub_test.h"

#include "kernel/cap/cap.h"
#include "kernel/cap/cap_int.h"

enum { MIB = 1 << 20 };

/* An object that counts what happens to it. */
struct thing {
    struct object object;
    uint32_t orphaned;
};

static uint32_t things;

static void thing_orphan(struct object *object)
{
    struct thing *thing = CONTAINER_OF(object, struct thing, object);
    assert_true(at_load(&object->refs, RELAXED) > 0);
    thing->orphaned++;
}

static void thing_destroy(struct object *object)
{
    struct untyped *home = object->home;
    memset(object, 0xdd, sizeof(struct thing));
    mem_free(home, object, sizeof(struct thing));
    things--;
}

static const struct object_class thing_class = {
    .type = OBJ_NOTE, .name = "thing", .orphan = thing_orphan, .destroy = thing_destroy};
static const struct object_class reply_class
    __attribute__((unused)) = {.type = OBJ_REPLY, .name = "reply", .destroy = thing_destroy};

struct fixture {
    struct stub_arena arena;
    struct cap_root root;
    struct space *space[4];
    uint64_t used_bytes; /* before the spaces were made */
};

static inline void fixture_open(struct fixture *f, uint32_t slots_max)
{
    things = 0;
    arena_open(&f->arena, 64 * MIB);
    cap_root_init(&f->root);
    f->used_bytes = mem_stats(f->arena.root).used_bytes;
    for (uint32_t i = 0; i < ARRAY_LEN(f->space); i++)
        assert_int_equal(
            space_make(f->arena.root, &f->root, &f->arena.limbo, slots_max, &f->space[i]), TN_OK);
}

static inline void fixture_close(struct fixture *f)
{
    for (uint32_t i = 0; i < ARRAY_LEN(f->space); i++) {
        cap_check(f->space[i]);
        object_unref(space_object(f->space[i]));
    }
    limbo_drain(&f->arena.limbo);
    mem_check(f->arena.root);
    assert_int_equal(things, 0);
    assert_int_equal(mem_stats(f->arena.root).used_bytes, f->used_bytes);
    arena_close(&f->arena);
}

static inline struct thing *thing_make(struct fixture *f, const struct object_class *class)
{
    struct thing *thing = mem_alloc(f->arena.root, sizeof(*thing));
    assert_non_null(thing);
    object_init(&thing->object, class, f->arena.root, &f->arena.limbo);
    things++;
    return thing;
}

/* A new thing that only its capability holds. */
static inline tn_cap thing_cap(struct fixture *f, struct space *space, uint32_t rights,
                               uint64_t badge)
{
    struct thing *thing = thing_make(f, &thing_class);
    tn_cap cap = 0;
    assert_int_equal(cap_insert(space, &thing->object, rights, badge, NULL, 0, &cap), TN_OK);
    object_unref(&thing->object);
    return cap;
}

static inline struct cap_view look(struct space *space, tn_cap cap)
{
    struct cap_view view = {0};
    assert_int_equal(cap_lookup(space, cap, OBJ_NONE, 0, &view), TN_OK);
    return view;
}

static inline bool stale(struct space *space, tn_cap cap)
{
    struct cap_view view;
    return cap_lookup(space, cap, OBJ_NONE, 0, &view) == TN_EBADCAP;
}

#endif
