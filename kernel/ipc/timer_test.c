/* timer_test.c: many timers at once: each comes once, in order and not early; and those that nobody
 * holds any more: they come to nothing, and their memory comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <tenon/object.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "tests/kit/explore.h"

enum {
    M_SET = TN_METHOD(9, 1),
    TICK_NS = WHEEL_TICK_NS,
    FIRE_STEPS = 64, /* of the wheel, in one look at it */
};

/* More, as many and fewer than one look at the wheel can move, or fire, are set for one tick of one
 * slot: so they move and fire in several looks. Others that are due earlier are not held up for
 * ever by one that arms anew in each of its turns. */

static const uint32_t how_many[] = {FIRE_STEPS - 1, FIRE_STEPS, FIRE_STEPS + 1, 150};
static uint32_t wanted, came;
static tn_time due;

static void many_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    came = 0;
    due = (turn->now / TICK_NS + 100) * TICK_NS;
    for (uint32_t i = 0; i < wanted; i++) {
        tn_cap timer = 0;
        KIT_CHECK(tn_untyped_make_timer(kit_need("memory"), &timer) == TN_OK);
        KIT_CHECK(tn_timer_set(timer, due - i % 2, i) == TN_OK);
    }
}

static void many_timer(void *self, const struct tn_turn *turn)
{
    (void)self;
    KIT_CHECK(turn->now >= due && machine_now_ns() >= due);
    KIT_CHECK(turn->cookie == came);
    if (++came == wanted)
        kit_done();
}
KIT_ROLE(many_role, .event = many_event, .timer = many_timer);

static void rearm_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    KIT_CHECK(tn_timer_set(kit_need("timer"), turn->now + 1, 1) == TN_OK);
    kit_done();
}

static void rearm_timer(void *self, const struct tn_turn *turn)
{
    (void)self;
    KIT_CHECK(tn_timer_set(kit_need("timer"), turn->now + 1, turn->cookie + 1) == TN_OK);
}
KIT_ROLE(rearm_role, .event = rearm_event, .timer = rearm_timer);

static void many(struct kit *kit)
{
    wanted = how_many[kit->run % ARRAY_LEN(how_many)];
    struct kit_actor *drivers[2] = {kit_make(kit, "many", &many_role, 0, 2),
                                    kit_make(kit, "rearm", &rearm_role, 0, 2)};
    kit_memory(drivers[0], "memory", 256 << 10);
    kit_timer(drivers[1], "timer");
    kit_run_all(kit, drivers, 2);
}

/* The last capability to a timer goes while it is in the wheel of a CPU that sleeps, or is busy:
 * that takes it out, and its memory can be had again long before its time. */

enum { TIMERS = 5, FAR_TICKS = 1 << 30 };

static tn_err set_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                       struct tn_pack *out)
{
    (void)self;
    (void)out;
    KIT_CHECK(in->ncaps == 1);
    KIT_CHECK(tn_timer_set(in->caps[0], turn->now + (tn_time)FAR_TICKS * TICK_NS, 1) == TN_OK);
    KIT_CHECK(tn_cap_drop(in->caps[0]) == TN_OK);
    return TN_OK;
}
KIT_ROLE(setter, .call = set_call);

static uint64_t used_of(tn_cap memory)
{
    struct tn_untyped_info info = {0};
    KIT_CHECK(tn_untyped_info(memory, &info) == TN_OK);
    return info.used_bytes;
}

static void drop_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    tn_cap memory = kit_need("memory"), timer[TIMERS];
    uint64_t used = used_of(memory);
    tn_time until = turn->now + (tn_time)FAR_TICKS * TICK_NS;
    for (uint32_t i = 0; i < TIMERS; i++) {
        KIT_CHECK(tn_untyped_make_timer(memory, &timer[i]) == TN_OK);
        const struct tn_pack pack = {.ncaps = 1, .caps = {timer[i]}};
        KIT_CHECK(tn_call(kit_need("setter"), M_SET, &pack, NULL, TN_NEVER) == TN_OK);
    }
    for (uint32_t i = 0; i < TIMERS; i++)
        KIT_CHECK(tn_cap_drop(timer[i]) == TN_OK);
    while (used_of(memory) != used)
        KIT_CHECK(kit_pause() == TN_OK);
    KIT_CHECK(machine_now_ns() < until);
    kit_done();
}

static void drop_timer(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    KIT_CHECK(false); /* they are nobody's */
}
KIT_ROLE(dropper, .event = drop_event, .timer = drop_timer);

static void dropped(struct kit *kit)
{
    struct kit_actor *driver = kit_make(kit, "dropper", &dropper, 0, 2);
    struct kit_actor *other = kit_make(kit, "setter", &setter, 1, 2);
    kit_memory(driver, "memory", 64 << 10);
    kit_wire(driver, "setter", other, TN_R_CALL, 0);
    kit_run_all(kit, &driver, 1);
}

/* One whose last capability goes while somebody holds it otherwise does not fire; set anew, it
 * does. */

static void held_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    struct space *space = fiber_self()->turn.actor->space;
    tn_cap timer = 0, again = 0;
    struct cap_view view;
    uint64_t bits;
    came = 0;
    KIT_CHECK(tn_untyped_make_timer(kit_need("memory"), &timer) == TN_OK);
    KIT_CHECK(cap_lookup(space, timer, OBJ_TIMER, 0, &view) == TN_OK);
    KIT_CHECK(object_try_ref(view.object));
    tn_time at = turn->now + (tn_time)2 * TICK_NS;
    KIT_CHECK(tn_timer_set(timer, at, 1) == TN_OK);
    KIT_CHECK(tn_cap_drop(timer) == TN_OK);
    KIT_CHECK(tn_wait(kit_need("note"), at + (tn_time)9 * TICK_NS, &bits) == TN_ETIME);
    KIT_CHECK(came == 0);
    KIT_CHECK(cap_insert(space, view.object, TN_R_ALL, 0, NULL, 0, &again) == TN_OK);
    KIT_CHECK(tn_timer_set(again, at, 2) == TN_OK);
    while (came == 0)
        KIT_CHECK(kit_pause() == TN_OK);
    object_unref(view.object);
    kit_done();
}

static void held_timer(void *self, const struct tn_turn *turn)
{
    (void)self;
    KIT_CHECK(turn->cookie == 2 && came++ == 0);
}
KIT_ROLE(held_role, .event = held_event, .timer = held_timer);

static void held(struct kit *kit)
{
    const struct kit_config config = {.name = "held", .mailbox = 2, .concurrency = 2};
    struct kit_actor *driver = kit_make_with(kit, &config, &held_role);
    kit_memory(driver, "memory", 64 << 10);
    kit_give(driver, "note", note_object(kit_note()), TN_R_READ);
    kit_run_all(kit, &driver, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EXPLORE(many),
        EXPLORE_ON(dropped, .cpus_min = 2),
        EXPLORE(held),
    };
    return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
