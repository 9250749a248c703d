/* note_test.c: notifications, timers, yield, priorities and buffers, under many schedules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "tests/kit/explore.h"

enum { M_GO = TN_METHOD(9, 1), SOON_NS = 300000 };

static const struct tn_pack nothing;

/* Signals from several actors reach several waiters; no bit is lost or seen twice. */

enum { BITS_EACH = 16, SIGNALLERS = 3 };

static atomic_u64 seen_bits;

static void signal_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    uint32_t first = (uint32_t)turn->badge * BITS_EACH;
    for (uint32_t i = 0; i < BITS_EACH; i++)
        KIT_CHECK(tn_signal(kit_need("note"), UINT64_C(1) << (first + i)) == TN_OK);

    kit_done();
}
KIT_ROLE(signaller, .event = signal_event);

/* Waiters may read only; their deadlines race with the signals. */
static void wait_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    uint64_t all = (UINT64_C(1) << (BITS_EACH * SIGNALLERS)) - 1;
    while (at_load(&seen_bits, SEQ_CST) != all) {
        uint64_t bits = 0;
        tn_time at = machine_now_ns() + SOON_NS;
        tn_err err = tn_wait(kit_need("note"), at, &bits);
        KIT_CHECK(err == TN_OK || err == TN_ETIME);
        if (err == TN_ETIME)
            KIT_CHECK(bits == 0 && machine_now_ns() >= at);
        else
            KIT_CHECK(bits != 0 && (at_or(&seen_bits, bits, SEQ_CST) & bits) == 0);
    }
    kit_done();
}
KIT_ROLE(waiter, .event = wait_event);

static void many_waiters(struct kit *kit)
{
    struct note *note = kit_note();
    struct kit_actor *drivers[SIGNALLERS + 3];
    at_init(&seen_bits, 0);
    for (uint32_t i = 0; i < ARRAY_LEN(drivers); i++) {
        bool signals = i < SIGNALLERS;
        drivers[i] = kit_make(kit, "driver", signals ? &signaller : &waiter, i, 1);
        kit_share(drivers[i], "note", note_object(note), signals ? TN_R_WRITE : TN_R_READ);
    }
    object_unref(note_object(note));
    kit_run_all(kit, drivers, ARRAY_LEN(drivers));
}

static tn_err drive_rights(void *self, const struct tn_turn *turn)
{
    (void)self;
    uint64_t bits = 7;
    tn_cap note = kit_need("note"), reader = 0, writer = 0;
    KIT_CHECK(tn_cap_mint(note, TN_R_READ, 0, &reader) == TN_OK);
    KIT_CHECK(tn_cap_mint(note, TN_R_WRITE, 0, &writer) == TN_OK);
    KIT_CHECK(tn_signal(reader, 1) == TN_ERIGHTS);
    KIT_CHECK(tn_wait(writer, TN_NEVER, &bits) == TN_ERIGHTS);
    KIT_CHECK(tn_wait(reader, turn->now, &bits) == TN_ETIME);
    KIT_CHECK(tn_signal(99, 1) == TN_EBADCAP && bits == 7);
    KIT_CHECK(tn_signal(writer, 0) == TN_OK);
    KIT_CHECK(tn_wait(reader, turn->now, &bits) == TN_ETIME);
    KIT_CHECK(tn_signal(writer, 5) == TN_OK && tn_signal(writer, 6) == TN_OK);
    KIT_CHECK(tn_wait(reader, turn->now, &bits) == TN_OK && bits == 7);
    KIT_CHECK(tn_wait(reader, machine_now_ns() + SOON_NS, &bits) == TN_ETIME);
    kit_stop();
    return TN_OK;
}
KIT_ROLE(rights, .start = drive_rights);

static void note_rights(struct kit *kit)
{
    struct kit_actor *main_ = kit_make(kit, "main", &rights, 0, 1);
    struct note *note = kit_note();
    kit_give(main_, "note", note_object(note), TN_R_ALL);
    kit_run(kit, main_);
}

/* The last capability goes while somebody waits, or just before: it is told. */
static tn_cap owned;
static struct kit_actor *sleeper;

static void forlorn_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    uint64_t bits;
    tn_err err = tn_wait(kit_need("note"), TN_NEVER, &bits);
    KIT_CHECK(err == TN_EGONE || err == TN_EBADCAP);
    kit_done();
}
KIT_ROLE(forlorn, .event = forlorn_event);

static void dropper_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < 4; i++)
        KIT_CHECK(kit_pause() == TN_OK);
    KIT_CHECK(cap_delete(sleeper->space, owned) == TN_OK);
    kit_done();
}
KIT_ROLE(dropper, .event = dropper_event);

static void orphaned(struct kit *kit)
{
    struct kit_actor *drivers[] = {kit_make(kit, "forlorn", &forlorn, 0, 1),
                                   kit_make(kit, "dropper", &dropper, 1, 1)};
    struct note *note = kit_note();
    sleeper = drivers[0];
    owned = kit_give(sleeper, "note", note_object(note), TN_R_READ);
    kit_run_all(kit, drivers, 2);
}

static void test_notifications(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = many_waiters});
    explore(&(struct explore){.scenario = note_rights});
    explore(&(struct explore){.scenario = orphaned});
}

/* Timers: never early, in order, armed again from their own handler, disarmed, replaced. */

struct clock_state {
    tn_time at;
    uint64_t cookie, ticks;
};

enum { TICKS = 8 };

static void arm(struct clock_state *clock_, tn_time at)
{
    clock_->at = at;
    clock_->cookie++;
    KIT_CHECK(tn_timer_set(kit_need("timer"), at, clock_->cookie) == TN_OK);
}

static tn_err clock_start(void *self, const struct tn_turn *turn)
{
    arm(self, turn->now + SOON_NS);
    return TN_OK;
}

static void clock_timer(void *self, const struct tn_turn *turn)
{
    struct clock_state *clock_ = self;
    KIT_CHECK(turn->cookie == clock_->cookie && machine_now_ns() >= clock_->at);
    KIT_CHECK(turn->cls == MSG_TIMER_EXPIRED && (turn->flags & TN_TURN_ONEWAY) != 0);
    if (++clock_->ticks == TICKS) {
        kit_stop();
        return;
    }
    tn_time now = machine_now_ns();
    arm(clock_, now + 10); /* replaced at once: only the second may be heard of */
    arm(clock_, clock_->ticks % 2 == 0 ? now : now + SOON_NS);
}
KIT_ROLE(ticking, .state_size = sizeof(struct clock_state), .start = clock_start,
         .timer = clock_timer);

static void ticks(struct kit *kit)
{
    struct kit_actor *main_ = kit_make(kit, "clock", &ticking, 0, 1);
    kit_timer(main_, "timer");
    kit_run(kit, main_);
}

/* The first arming fires and its message waits behind this turn; then it is replaced or disarmed,
 * so it must never be heard of, while what fires several times unheard is one message. */
struct replaced {
    uint64_t heard, step;
};

static tn_err replace_start(void *self, const struct tn_turn *turn)
{
    (void)self;
    tn_cap timer = kit_need("timer"), other = kit_need("other");
    KIT_CHECK(tn_timer_set(timer, turn->now, 1) == TN_OK);
    KIT_CHECK(tn_timer_set(other, turn->now, 100) == TN_OK);
    tn_time until = machine_now_ns() + SOON_NS;
    while (machine_now_ns() < until)
        KIT_CHECK(kit_pause() == TN_OK);
    KIT_CHECK(tn_timer_set(other, TN_NEVER, 0) == TN_OK);
    KIT_CHECK(tn_timer_set(timer, machine_now_ns(), 2) == TN_OK);
    until = machine_now_ns() + SOON_NS;
    while (machine_now_ns() < until)
        KIT_CHECK(kit_pause() == TN_OK);
    KIT_CHECK(tn_timer_set(timer, machine_now_ns(), 3) == TN_OK);
    KIT_CHECK(tn_timer_set(kit_need("note"), machine_now_ns(), 3) == TN_ETYPE);
    return TN_OK;
}

static void replace_timer(void *self, const struct tn_turn *turn)
{
    struct replaced *r = self;
    KIT_CHECK(turn->cookie == 3 && r->heard++ == 0);
    kit_stop();
}
KIT_ROLE(replacing, .state_size = sizeof(struct replaced), .start = replace_start,
         .timer = replace_timer);

static void replaced(struct kit *kit)
{
    struct kit_actor *main_ = kit_make(kit, "main", &replacing, 0, 1);
    struct note *note = kit_note();
    kit_timer(main_, "timer");
    kit_timer(main_, "other");
    kit_give(main_, "note", note_object(note), TN_R_ALL);
    kit_run(kit, main_);
}

/* Another actor holds the timer's only capability: it arms it, and drops it while it is armed,
 * fires or is queued; the owner dies at any of these moments. */
static void abuse_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    tn_cap timer = kit_need("timer");
    for (uint32_t i = 0; i < 6; i++) {
        KIT_CHECK(tn_timer_set(timer, machine_now_ns() + i * 30000, i) == TN_OK);
        if (i % 2 == 0)
            KIT_CHECK(kit_pause() == TN_OK);
    }
    if (turn->badge == 0)
        kit_kill(sleeper);
    KIT_CHECK(tn_timer_set(timer, machine_now_ns(), 9) == TN_OK);
    if (turn->badge == 1)
        KIT_CHECK(tn_cap_drop(timer) == TN_OK);
    kit_done();
}
KIT_ROLE(abuser, .event = abuse_event);

static void abused_timer(void *self, const struct tn_turn *turn)
{
    (void)self;
    KIT_CHECK(turn->cookie < 10);
}
KIT_ROLE(abused, .timer = abused_timer);

static void foreign_timers(struct kit *kit)
{
    struct kit_actor *drivers[2];
    sleeper = kit_make(kit, "owner", &abused, 2, 1);
    for (uint32_t i = 0; i < 2; i++) {
        struct timer *timer = NULL;
        drivers[i] = kit_make(kit, "abuser", &abuser, i, 1);
        assert_int_equal(timer_make(kit->kernel->root, &kit->kernel->limbo, sleeper->actor, &timer),
                         TN_OK);
        kit_give(drivers[i], "timer", timer_object(timer), TN_R_ALL);
    }
    kit_run_all(kit, drivers, 2);
}

/* Its capability is deleted by somebody else while its holder arms it: the setter may have looked
 * it up before. What is armed then must not fire on its way out. */
static void unlucky_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    tn_cap timer = kit_need("timer");
    tn_err err;
    do {
        err = tn_timer_set(timer, machine_now_ns(), 1);
        KIT_CHECK(err == TN_OK || err == TN_EBADCAP);
        /* Idle for a moment: the clock is looked at when the turn has been left. */
        uint64_t bits;
        KIT_CHECK(tn_wait(kit_need("note"), machine_now_ns() + 1, &bits) == TN_ETIME);
    } while (err == TN_OK);
    kit_done();
}
KIT_ROLE(unlucky, .event = unlucky_event);

static void snatched_timer(struct kit *kit)
{
    struct kit_actor *drivers[] = {kit_make(kit, "unlucky", &unlucky, 0, 1),
                                   kit_make(kit, "dropper", &dropper, 1, 1)};
    sleeper = drivers[0];
    struct kit_actor *owner = kit_make(kit, "owner", &abused, 2, 1);
    struct timer *timer = NULL;
    assert_int_equal(timer_make(kit->kernel->root, &kit->kernel->limbo, owner->actor, &timer),
                     TN_OK);
    owned = kit_give(sleeper, "timer", timer_object(timer), TN_R_ALL);
    struct note *note = kit_note();
    kit_give(sleeper, "note", note_object(note), TN_R_READ);
    kit_run_all(kit, drivers, 2);
}

static void test_timers(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = ticks});
    explore(&(struct explore){.scenario = replaced});
    explore(&(struct explore){.scenario = foreign_timers});
    explore(&(struct explore){.scenario = snatched_timer, .cpus_min = 2});
}

/* Turns that do nothing but yield do not keep timers from firing, nor others from running. */

static atomic_u32 rang;

static tn_err yielder_start(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    KIT_CHECK(tn_send(kit_need("other"), M_GO, &nothing, 0) == TN_OK);
    while (at_load(&rang, SEQ_CST) == 0)
        KIT_CHECK(kit_pause() == TN_OK);
    kit_stop();
    return TN_OK;
}
KIT_ROLE(yielder, .start = yielder_start);

static void alarm_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    KIT_CHECK(tn_timer_set(kit_need("timer"), turn->now + 1000, 0) == TN_OK);
}

static void alarm_timer(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    at_store(&rang, 1, SEQ_CST);
}
KIT_ROLE(alarm_clock, .event = alarm_event, .timer = alarm_timer);

static void yields(struct kit *kit)
{
    at_init(&rang, 0);
    struct kit_actor *main_ = kit_make(kit, "main", &yielder, 0, 1);
    struct kit_actor *other = kit_make(kit, "alarm", &alarm_clock, 0, 1);
    kit_timer(other, "timer");
    kit_wire(main_, "other", other, TN_R_CALL, 0);
    kit_run(kit, main_);
}

/* Of what is queued on one CPU the most urgent runs first. */
static uint32_t order[8], norder;

static void order_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    order[norder++] = (uint32_t)turn->badge;
    if (norder == 4)
        kit_stop();
}
KIT_ROLE(ordered, .event = order_event);

static tn_err order_start(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    KIT_CHECK(tn_send(kit_need("slow"), M_GO, &nothing, 0) == TN_OK);
    KIT_CHECK(tn_send(kit_need("slow"), M_GO, &nothing, 0) == TN_OK);
    KIT_CHECK(tn_send(kit_need("urgent"), M_GO, &nothing, 0) == TN_OK);
    KIT_CHECK(tn_send(kit_need("urgent"), M_GO, &nothing, 0) == TN_OK);
    return TN_OK;
}
KIT_ROLE(order_main, .start = order_start);

static void priorities(struct kit *kit)
{
    kit->move = false; /* all on one CPU */
    norder = 0;
    struct kit_actor *main_ = kit_make(kit, "main", &order_main, 0, 1);
    const struct kit_config fast = {.name = "urgent", .mailbox = 2, .urgent = true};
    kit_wire(main_, "slow", kit_make(kit, "slow", &ordered, 0, 2), TN_R_CALL, 1);
    kit_wire(main_, "urgent", kit_make_with(kit, &fast, &ordered), TN_R_CALL, 2);
    kit_run(kit, main_);
    static const uint32_t want[] = {2, 2, 1, 1};
    KIT_CHECK(memcmp(order, want, sizeof(want)) == 0);
}

static void test_turns(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = yields});
    explore(&(struct explore){.scenario = priorities});
}

/* Buffers: rights, ranges, slices, memory used up and given back. */
static tn_err drive_buffers(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    tn_cap memory = kit_need("memory"), buf = 0, slice = 0, read = 0, none = 0;
    void *at = NULL, *part = NULL;
    KIT_CHECK(tn_buf_new(memory, 0, &buf) == TN_EINVAL);
    KIT_CHECK(tn_buf_new(memory, (uint64_t)TN_BUFFER_MAX + 1, &buf) == TN_ETOOBIG);
    KIT_CHECK(tn_buf_new(memory, 1 << 20, &buf) == TN_ENOMEM);
    KIT_CHECK(tn_buf_new(memory, 5000, &buf) == TN_OK);
    KIT_CHECK(tn_buf_map(buf, 0, 5000, TN_MAP_READ | TN_MAP_WRITE, &at) == TN_OK);
    for (uint32_t i = 0; i < 5000; i++)
        KIT_CHECK(((uint8_t *)at)[i] == 0);
    memset(at, 7, 5000);
    KIT_CHECK(tn_buf_map(buf, 1, 5000, TN_MAP_READ, &part) == TN_EINVAL);
    KIT_CHECK(tn_buf_map(buf, UINT64_MAX, 2, TN_MAP_READ, &part) == TN_EINVAL);
    KIT_CHECK(tn_buf_map(buf, 0, 1, 0, &part) == TN_EINVAL);
    KIT_CHECK(tn_buf_slice(buf, 4999, 2, TN_R_ALL, &slice) == TN_EINVAL);
    KIT_CHECK(tn_buf_slice(buf, 10, 0, TN_R_ALL, &slice) == TN_EINVAL);
    KIT_CHECK(tn_buf_slice(buf, 10, 20, TN_R_READ | TN_R_GRANT, &slice) == TN_OK);
    KIT_CHECK(tn_buf_map(slice, 0, 20, TN_MAP_READ, &part) == TN_OK);
    KIT_CHECK(part == (uint8_t *)at + 10);
    KIT_CHECK(tn_buf_map(slice, 0, 20, TN_MAP_WRITE, &part) == TN_ERIGHTS);
    KIT_CHECK(tn_buf_map(slice, 0, 21, TN_MAP_READ, &part) == TN_EINVAL);
    KIT_CHECK(tn_buf_slice(slice, 5, 5, TN_R_ALL, &read) == TN_OK);
    KIT_CHECK(tn_buf_map(read, 0, 5, TN_MAP_WRITE, &part) == TN_ERIGHTS);
    KIT_CHECK(tn_buf_slice(read, 0, 1, TN_R_ALL, &none) == TN_OK);
    KIT_CHECK(tn_buf_unmap(buf, at) == TN_OK && tn_buf_unmap(99, at) == TN_EBADCAP);
    KIT_CHECK(tn_buf_map(buf, 0, 5000, TN_MAP_WRITE, &at) == TN_OK);
    /* The whole may go before its parts. */
    KIT_CHECK(tn_cap_drop(buf) == TN_OK && tn_cap_drop(slice) == TN_OK);
    KIT_CHECK(tn_buf_map(read, 0, 5, TN_MAP_READ, &part) == TN_OK);
    KIT_CHECK(*(uint8_t *)part == 7);
    KIT_CHECK(tn_cap_revoke(memory) == TN_OK);
    KIT_CHECK(tn_buf_map(read, 0, 5, TN_MAP_READ, &part) == TN_EBADCAP);
    /* What is mapped stays, though nothing names it any more: nobody else gets that memory. */
    memset(at, 8, 5000);
    for (uint32_t i = 0; i < 100; i++) {
        tn_err err;
        while ((err = tn_buf_new(memory, 5000, &buf)) == TN_ENOMEM) /* of a grace period ago */
            KIT_CHECK(kit_pause() == TN_OK);
        KIT_CHECK(err == TN_OK && tn_buf_map(buf, 0, 5000, TN_MAP_WRITE, &part) == TN_OK);
        memset(part, 9, 5000);
        KIT_CHECK(tn_buf_unmap(buf, part) == TN_OK && tn_cap_drop(buf) == TN_OK);
    }
    for (uint32_t i = 0; i < 5000; i++)
        KIT_CHECK(((uint8_t *)at)[i] == 8);
    kit_stop();
    return TN_OK;
}
KIT_ROLE(buffers_main, .start = drive_buffers);

static void buffers(struct kit *kit)
{
    struct kit_actor *main_ = kit_make(kit, "main", &buffers_main, 0, 1);
    kit_memory(main_, "memory", 65536);
    kit_run(kit, main_);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notifications),
        cmocka_unit_test(test_timers),
        cmocka_unit_test(test_turns),
        EXPLORE(buffers),
    };
    return cmocka_run_group_tests_name("note", tests, NULL, NULL);
}
