/* invoke_race_test.c: kernel objects that several actors use at once, on several CPUs and under
 * many schedules: no bit of a bound notification is lost or told twice, what watches an actor sees
 * sense, and a space that all change stays whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <tenon/object.h>

#include "base/bits.h"
#include "tests/kit/explore.h"

enum { M_GO = TN_METHOD(1, 1), M_ECHO = TN_METHOD(9, 1), TICK_NS = 1000000 };

static tn_err pass(void)
{
    machine_relax();
    return tn_yield();
}

/* A number from its own steps: the schedule is the seed's. */
static uint32_t dice(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

/* Bound notifications. Each of 64 bits is signalled once; it is told once, whoever is bound then,
 * and polls and waits may have it instead. */

enum { SIGNALLERS = 3, BITS = 63 / SIGNALLERS, REBINDS = 12 };

static atomic_u64 told; /* bits that somebody had */
static atomic_u32 ntold, turned;

/* One for each bit, and one for the binder. */
static void count(uint32_t n)
{
    if (n > 0 && at_add(&ntold, n, SEQ_CST) + n == SIGNALLERS * BITS + 1)
        kit_stop();
}

static void have(uint64_t bits)
{
    uint64_t before = at_load(&told, SEQ_CST);
    do {
        KIT_CHECK((before & bits) == 0);
    } while (!at_cas(&told, &before, before | bits, SEQ_CST, SEQ_CST));
    count((uint32_t)__builtin_popcountll(bits));
}

static void hearer_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    if (turn->cls != MSG_INTERRUPT_NOTIFY)
        return;
    KIT_CHECK(turn->cookie != 0);
    have(turn->cookie);
}
KIT_ROLE(hearer_role, .event = hearer_event);

static void signaller_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    for (uint32_t i = 0; i < BITS; i++) {
        KIT_CHECK(tn_signal(kit_need("note"), UINT64_C(1) << (turn->badge * BITS + i)) == TN_OK);
        if (i % 4 == 3)
            (void)pass();
    }
}
KIT_ROLE(signaller_role, .event = signaller_event);

/* Binds the notification to one after the other, and polls in between; in the end it is bound. */
static void binder_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    static const char *const names[] = {"a", "b"};
    tn_cap note = kit_need("note");
    uint64_t bits = 0;
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < REBINDS; i++) {
        KIT_CHECK(tn_notification_bind(note, kit_need(names[i % 2])) == TN_OK);
        KIT_CHECK(tn_notification_bind(note, 0) == TN_EBUSY);
        KIT_CHECK(pass() == TN_OK);
        KIT_CHECK(tn_notification_unbind(note) == TN_OK);
        if (i % 3 == 0 && tn_notification_poll(note, &bits) == TN_OK)
            have(bits);
        if (i % 5 == 1 && tn_wait(note, 1, &bits) == TN_OK)
            have(bits);
    }
    KIT_CHECK(tn_notification_bind(note, kit_need("a")) == TN_OK);
    count(1);
}
KIT_ROLE(binder_role, .event = binder_event);

static tn_err starter(void *self, const struct tn_turn *turn)
{
    static const char *const names[] = {"d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7"};
    tn_cap cap;
    (void)self;
    (void)turn;
    for (uint32_t i = 0; i < ARRAY_LEN(names) && tn_need(names[i], 2, &cap) == TN_OK; i++)
        KIT_CHECK(tn_send(cap, M_GO, NULL, 0) == TN_OK);
    return TN_OK;
}
KIT_ROLE(starter_role, .start = starter);

static void binding(struct kit *kit)
{
    at_init(&told, 0);
    at_init(&ntold, 0);
    struct kit_actor *first = kit_make(kit, "starter", &starter_role, 0, 4);
    struct kit_actor *a = kit_make(kit, "a", &hearer_role, 1, 4);
    struct kit_actor *b = kit_make(kit, "b", &hearer_role, 2, 4);
    struct kit_actor *binder = kit_make(kit, "binder", &binder_role, 3, 4);
    struct note *note = kit_note();
    kit_share(binder, "note", note_object(note), TN_R_ALL);
    kit_share(binder, "a", actor_object(a->actor), TN_R_WRITE);
    kit_share(binder, "b", actor_object(b->actor), TN_R_WRITE);
    kit_wire(first, "d0", binder, TN_R_CALL, 0);
    static const char *const names[SIGNALLERS] = {"d1", "d2", "d3"};
    for (uint32_t i = 0; i < SIGNALLERS; i++) {
        struct kit_actor *signaller = kit_make(kit, "signaller", &signaller_role, i, 4);
        kit_share(signaller, "note", note_object(note), TN_R_WRITE);
        kit_wire(first, names[i], signaller, TN_R_CALL, i);
    }
    object_unref(note_object(note));
    kit_run(kit, first);
    KIT_CHECK(at_load(&told, RELAXED) == UINT64_MAX >> 1);
}

/* Whom a notification is bound to dies: then it can be bound to another, who is told what is left.
 */

static atomic_u32 killed;

static void mourner_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    tn_cap note = kit_need("note"), bound = kit_need("bound");
    tn_err err;
    (void)self;
    (void)in;
    if (turn->cls == MSG_INTERRUPT_NOTIFY) {
        KIT_CHECK((turn->cookie & 4) != 0 && at_load(&killed, SEQ_CST) != 0);
        kit_done();
        return;
    }
    KIT_CHECK(tn_notification_bind(note, bound) == TN_OK);
    KIT_CHECK(tn_signal(note, 1) == TN_OK);
    KIT_CHECK(pass() == TN_OK);
    KIT_CHECK(tn_signal(note, 2) == TN_OK);
    KIT_CHECK(tn_actor_kill(bound) == TN_OK);
    at_store(&killed, 1, SEQ_CST);
    KIT_CHECK(tn_signal(note, 4) == TN_OK);
    err = tn_notification_bind(note, 0);
    KIT_CHECK(err == TN_OK);
    KIT_CHECK(tn_notification_bind(note, bound) != TN_OK);
}
KIT_ROLE(mourner_role, .event = mourner_event);

static void quiet_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    KIT_CHECK(turn->cls == MSG_INTERRUPT_NOTIFY && (turn->cookie & 4) == 0);
    KIT_CHECK(turn->cookie != 0);
}
KIT_ROLE(quiet_role, .event = quiet_event);

static void mourning(struct kit *kit)
{
    at_init(&killed, 0);
    struct kit_actor *bound = kit_make(kit, "bound", &quiet_role, 1, 4);
    struct kit_actor *mourner = kit_make(kit, "mourner", &mourner_role, 0, 4);
    kit_give(mourner, "note", note_object(kit_note()), TN_R_ALL);
    kit_share(mourner, "bound", actor_object(bound->actor), TN_R_ALL);
    struct kit_actor *drivers[] = {mourner};
    kit_run_all(kit, drivers, 1);
}

/* Actors that are watched, paused and resumed by several while they talk. */

enum { CALLS = 30, WATCHERS = 3, LOOKS = 20 };

static tn_err echo_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                        struct tn_pack *out)
{
    (void)self;
    (void)turn;
    (void)in;
    (void)out;
    return at_load(&turned, RELAXED) % 3 == 0 ? tn_yield() : TN_OK;
}
KIT_ROLE(echo_role, .call = echo_call);

static void talker_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < CALLS; i++) {
        at_add(&turned, 1, RELAXED);
        KIT_CHECK(tn_call(kit_need("echo"), M_ECHO, NULL, NULL, TN_NEVER) == TN_OK);
        if (i % 5 == 0)
            KIT_CHECK(pass() == TN_OK);
    }
    kit_done();
}
KIT_ROLE(talker_role, .event = talker_event);

static void expect_more(const struct tn_actor_stats *before, const struct tn_actor_stats *after)
{
    KIT_CHECK(after->cpu_time_used >= before->cpu_time_used);
    KIT_CHECK(after->messages_processed >= before->messages_processed);
    KIT_CHECK(after->errors_encountered == 0 && after->fuel_used == 0);
    KIT_CHECK(after->calls_answered >= before->calls_answered);
    KIT_CHECK(after->calls_made >= before->calls_made && after->calls_made <= CALLS);
    KIT_CHECK(after->messages_sent >= before->messages_sent);
}

static void watcher_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    static const char *const names[] = {"talker", "echo_", "self"};
    struct tn_actor_stats seen[ARRAY_LEN(names)] = {{0}}, now;
    struct tn_actor_state state;
    uint32_t random = (uint32_t)turn->badge;
    (void)self;
    (void)in;
    for (uint32_t i = 0; i < LOOKS; i++) {
        uint32_t k = dice(&random) % ARRAY_LEN(names);
        tn_cap actor = kit_need(names[k]);
        KIT_CHECK(tn_actor_stats(actor, &now) == TN_OK);
        expect_more(&seen[k], &now);
        seen[k] = now;
        KIT_CHECK(tn_actor_state(actor, &state) == TN_OK);
        KIT_CHECK(state.state >= TN_STATE_READY && state.state <= TN_STATE_PAUSED);
        KIT_CHECK(k != 2 || state.state == TN_STATE_RUNNING);
        if (k != 2) {
            KIT_CHECK(tn_actor_pause(actor) == TN_OK);
            if (dice(&random) % 2 == 0)
                (void)pass();
            KIT_CHECK(tn_actor_resume(actor) == TN_OK);
        }
        (void)pass();
    }
    kit_done();
}
KIT_ROLE(watcher_role, .event = watcher_event);

static void watching(struct kit *kit)
{
    at_init(&turned, 0);
    struct kit_actor *echo = kit_make(kit, "echo", &echo_role, 0, 4);
    struct kit_actor *talker = kit_make(kit, "talker", &talker_role, 1, 4);
    kit_wire(talker, "echo", echo, TN_R_CALL, 0);
    struct kit_actor *drivers[1 + WATCHERS] = {talker};
    for (uint32_t i = 0; i < WATCHERS; i++) {
        struct kit_actor *watcher = kit_make(kit, "watcher", &watcher_role, i + 2, 4);
        kit_share(watcher, "talker", actor_object(talker->actor), TN_R_ALL);
        kit_share(watcher, "echo_", actor_object(echo->actor), TN_R_ALL);
        kit_share(watcher, "self", actor_object(watcher->actor), TN_R_ALL);
        drivers[1 + i] = watcher;
    }
    kit_run_all(kit, drivers, 1 + WATCHERS);
}

/* A space, and a notification in it, that several change as they like. */

enum { STEPS = 60, SHARERS = 3, SLOTS = 24 };

struct hands {
    tn_cap space, note;
    uint64_t handle, slot;
    uint32_t random;
};

static bool is_one_of(tn_err err, tn_err a, tn_err b, tn_err c)
{
    return err == TN_OK || err == a || err == b || err == c;
}

static void change_one(struct hands *h)
{
    struct tn_space_inspect what;
    tn_cap cap = 0;
    tn_err err;
    switch (dice(&h->random) % 8) {
    case 0:
        err = tn_space_put(h->space, h->note, TN_R_ALL, 0, &h->handle);
        KIT_CHECK(is_one_of(err, TN_ENOSLOT, TN_EBADCAP, TN_OK));
        break;
    case 1:
        err = tn_space_copy(h->space, h->handle, 0, &h->handle);
        KIT_CHECK(is_one_of(err, TN_ENOSLOT, TN_EBADCAP, TN_OK));
        break;
    case 2:
        err = tn_space_take(h->space, h->handle, &cap);
        KIT_CHECK(is_one_of(err, TN_EBADCAP, TN_OK, TN_OK));
        if (err == TN_OK)
            KIT_CHECK(is_one_of(tn_cap_drop(cap), TN_EBADCAP, TN_OK, TN_OK)); /* or revoked */
        break;
    case 3:
        err = tn_space_revoke(h->space, h->handle);
        KIT_CHECK(is_one_of(err, TN_EBADCAP, TN_OK, TN_OK));
        break;
    case 4:
        err = tn_space_drop(h->space, h->handle);
        KIT_CHECK(is_one_of(err, TN_EBADCAP, TN_OK, TN_OK));
        break;
    case 5:
        err = tn_space_reserve(h->space, 1, &h->slot);
        KIT_CHECK(is_one_of(err, TN_ENOSLOT, TN_OK, TN_OK));
        break;
    case 6:
        err = tn_space_fill(h->space, h->slot, h->note);
        KIT_CHECK(is_one_of(err, TN_ENOSLOT, TN_EBADCAP, TN_OK));
        break;
    default:
        err = tn_space_inspect(h->space, h->handle, &what);
        KIT_CHECK(is_one_of(err, TN_EBADCAP, TN_OK, TN_OK));
        KIT_CHECK(err != TN_OK || what.type == TN_TYPE_NOTIFICATION);
        KIT_CHECK(tn_space_unreserve(h->space, h->slot) == TN_OK);
        break;
    }
}

static void sharer_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    struct tn_space_next found;
    struct tn_space_info info;
    struct hands h = {.space = kit_need("space"),
                      .note = kit_need("note"),
                      .random = (uint32_t)turn->badge * 77u};
    (void)self;
    (void)in;
    for (uint32_t i = 0; i < STEPS; i++) {
        change_one(&h);
        if (i % 16 == 0)
            (void)pass();
    }
    KIT_CHECK(tn_space_info(h.space, &info) == TN_OK);
    KIT_CHECK(info.capabilities + info.reserved + info.retired <= info.slots_max);
    for (uint32_t from = 0; tn_space_next(h.space, &from, &found) == TN_OK;)
        KIT_CHECK(found.type == TN_TYPE_NOTIFICATION);
    kit_done();
}
KIT_ROLE(sharer_role, .event = sharer_event);

static void sharing(struct kit *kit)
{
    struct kernel *kernel = kit->kernel;
    struct space *space = NULL;
    struct kit_actor *drivers[SHARERS];
    assert_int_equal(space_make(kernel->root, &kernel->caps, &kernel->limbo, SLOTS, &space), TN_OK);
    struct note *note = kit_note();
    for (uint32_t i = 0; i < SHARERS; i++) {
        drivers[i] = kit_make(kit, "sharer", &sharer_role, i, 4);
        kit_share(drivers[i], "space", space_object(space), TN_R_ALL);
        kit_share(drivers[i], "note", note_object(note), TN_R_ALL);
    }
    object_unref(space_object(space));
    object_unref(note_object(note));
    kit_run_all(kit, drivers, SHARERS);
}

/* An actor that ends itself, and one that pauses itself, go on to the end of their turn. */

static void selfless_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    struct tn_actor_state state;
    tn_cap own = kit_need("self");
    (void)self;
    (void)in;
    if (turn->badge == 0) {
        KIT_CHECK(tn_actor_kill(own) == TN_OK && tn_actor_kill(own) == TN_OK);
        KIT_CHECK(tn_actor_state(own, &state) == TN_OK && state.state == TN_STATE_DYING);
        KIT_CHECK(tn_actor_pause(own) == TN_EGONE);
    } else {
        KIT_CHECK(tn_actor_pause(own) == TN_OK);
        KIT_CHECK(tn_actor_state(own, &state) == TN_OK && state.state == TN_STATE_RUNNING);
    }
    kit_done();
}
KIT_ROLE(selfless_role, .event = selfless_event);

static void selfless(struct kit *kit)
{
    struct kit_actor *drivers[2];
    for (uint32_t i = 0; i < 2; i++) {
        drivers[i] = kit_make(kit, "selfless", &selfless_role, i, 4);
        kit_share(drivers[i], "self", actor_object(drivers[i]->actor), TN_R_ALL);
    }
    kit_run_all(kit, drivers, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EXPLORE(binding), EXPLORE(mourning), EXPLORE(watching), EXPLORE(sharing), EXPLORE(selfless),
    };
    return cmocka_run_group_tests_name("invoke_race", tests, NULL, NULL);
}
