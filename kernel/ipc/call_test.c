/* call_test.c: calls: arguments and replies at their limits, deadlines, deferred replies, circles,
 * depth and stacks, under many schedules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "tests/kit/explore.h"

enum {
    M_ECHO = TN_METHOD(9, 1),
    M_NEXT = TN_METHOD(9, 2),
    M_WAIT = TN_METHOD(9, 3),
    M_HOLD = TN_METHOD(9, 4),
    M_GIVE = TN_METHOD(9, 5),
    M_ODD = TN_METHOD(9, 6),
    M_WIDE = TN_METHOD(9, 7),
    SOON_NS = 300000,
};

static const struct tn_pack nothing;

static tn_err call(const char *need, uint32_t method)
{
    return tn_call(kit_need(need), method, &nothing, NULL, TN_NEVER);
}

static tn_err call_until(const char *need, uint32_t method, tn_time deadline)
{
    return tn_call(kit_need(need), method, &nothing, NULL, deadline);
}

/* In loops that wait for another CPU: lets it run, also under a schedule by priorities. */
static tn_err pause_turn(void)
{
    machine_relax();
    return tn_yield();
}

static tn_time later(const struct tn_turn *turn, tn_time ns)
{
    return (turn->now > machine_now_ns() ? turn->now : machine_now_ns()) + ns;
}

/* Arguments and replies at their limits */

static uint8_t big[TN_ARGS_MAX + 1], back[TN_ARGS_MAX + 1];

static tn_err echo_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                        struct tn_pack *out)
{
    (void)self;
    KIT_CHECK(turn->badge == 77);
    if (turn->method == M_ODD) {
        static const tn_err odd[] = {INT32_MIN, TN_DEFERRED, TN_ERRORS_LAST - 1, 5, TN_EAGAIN};
        return odd[*(const uint8_t *)in->data];
    }
    if (turn->method == M_WIDE)
        out->len = out->size + 1;
    if (turn->method != M_ECHO)
        return TN_OK;
    out->len = in->len < out->size ? in->len : out->size;
    memcpy(out->data, in->data, out->len);
    return TN_OK;
}
KIT_ROLE(echo, .call = echo_call);

static tn_err drive_sizes(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    static const uint32_t sizes[] = {0, 1, TURN_SMALL, TURN_SMALL + 1, 256, 257, TN_ARGS_MAX};
    for (uint32_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct tn_pack in = {.data = big, .len = sizes[i]};
        struct tn_pack out = {.data = back, .size = sizes[i]};
        memset(back, 0, sizes[i] + 1);
        KIT_CHECK(tn_call(kit_need("echo"), M_ECHO, &in, &out, TN_NEVER) == TN_OK);
        KIT_CHECK(out.len == sizes[i] && memcmp(big, back, sizes[i]) == 0 && back[sizes[i]] == 0);
    }
    struct tn_pack in = {.data = big, .len = TN_ARGS_MAX + 1}, out = {.data = back, .size = 8};
    KIT_CHECK(tn_call(kit_need("echo"), M_ECHO, &in, &out, TN_NEVER) == TN_ETOOBIG);
    in.len = 0;
    in.ncaps = TN_PACK_CAPS + 1;
    KIT_CHECK(tn_call(kit_need("echo"), M_ECHO, &in, &out, TN_NEVER) == TN_EINVAL);
    in.ncaps = 0;
    KIT_CHECK(tn_call(kit_need("echo"), M_WIDE, &in, &out, TN_NEVER) == TN_EINTERNAL);
    static const tn_err want[] = {TN_EINTERNAL, TN_EINTERNAL, TN_EINTERNAL, 5, TN_EAGAIN};
    for (uint8_t i = 0; i < ARRAY_LEN(want); i++) {
        in = (struct tn_pack){.data = &i, .len = 1};
        KIT_CHECK(tn_call(kit_need("echo"), M_ODD, &in, &out, TN_NEVER) == want[i]);
    }
    KIT_CHECK(tn_call(kit_need("mute"), M_ECHO, &nothing, &out, TN_NEVER) == TN_EMETHOD);
    kit_stop();
    return TN_OK;
}
KIT_ROLE(sizes_main, .start = drive_sizes);
KIT_ROLE(mute, .call = NULL);

static void sizes(struct kit *kit)
{
    for (uint32_t i = 0; i < sizeof(big); i++)
        big[i] = (uint8_t)(i * 7 + 1);
    struct kit_actor *main_ = kit_make(kit, "main", &sizes_main, 0, 1);
    struct kit_actor *server = kit_make(kit, "echo", &echo, 1, 1);
    kit_wire(main_, "echo", server, TN_R_CALL, 77);
    kit_wire(main_, "mute", kit_make(kit, "mute", &mute, 0, 1), TN_R_CALL, 0);
    kit_run(kit, main_);
}

static void test_sizes(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = sizes});
}

/* Deadlines: one caller's call runs and waits, the other's is queued behind it, when they expire;
 * the callee sees it. */

static atomic_u32 cancelled_seen;

static tn_err stuck_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                         struct tn_pack *out)
{
    (void)self;
    (void)in;
    (void)out;
    uint64_t bits;
    if (turn->method == M_ECHO)
        return TN_OK;
    KIT_CHECK(turn->deadline != TN_NEVER);
    tn_err err = tn_wait(kit_need("never"), TN_NEVER, &bits);
    KIT_CHECK(err == TN_ETIME || err == TN_ECANCELLED);
    while (err == TN_ETIME && tn_cancelled() == 0)
        err = pause_turn() == TN_OK ? TN_ETIME : TN_ECANCELLED; /* the caller's expiry is due */
    if (err == TN_ETIME)
        at_add(&cancelled_seen, 1, RELAXED);
    return TN_OK;
}
KIT_ROLE(stuck, .call = stuck_call);

static void late_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    for (uint32_t i = 0; i < 3; i++) {
        tn_time at = later(turn, SOON_NS);
        KIT_CHECK(call_until("stuck", M_WAIT, at) == TN_ETIME);
        KIT_CHECK(machine_now_ns() >= at);
    }
    KIT_CHECK(call_until("stuck", M_ECHO, turn->now) == TN_ETIME);
    while (call("stuck", M_ECHO) == TN_EFULL) /* expired calls are in the mailbox until taken */
        KIT_CHECK(pause_turn() == TN_OK);
    kit_done();
}
KIT_ROLE(late, .event = late_event);

static void deadlines(struct kit *kit)
{
    struct kit_actor *server = kit_make(kit, "stuck", &stuck, 1, 16), *drivers[3];
    struct note *never = kit_note();
    kit_give(server, "never", note_object(never), TN_R_ALL);
    for (uint32_t i = 0; i < 3; i++) {
        drivers[i] = kit_make(kit, "late", &late, i, 1);
        kit_wire(drivers[i], "stuck", server, TN_R_CALL, 0);
    }
    kit_run_all(kit, drivers, 3);
}

static void test_deadlines(void **state)
{
    (void)state;
    at_init(&cancelled_seen, 0);
    explore(&(struct explore){.scenario = deadlines});
    assert_true(at_load(&cancelled_seen, RELAXED) >
                0); /* in some run: all may expire in the queue */
}

/* Deferred replies: kept and answered later, moved to another actor that answers, dropped, answered
 * when the caller has given up. */

static atomic_u32 held;

struct holder {
    tn_cap held[4];
    uint32_t n;
};

static tn_err holder_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    struct holder *holder = self;
    (void)in;
    (void)out;
    if (turn->method == M_ODD)
        return TN_DEFERRED; /* without tn_defer */
    if (turn->method == M_HOLD) {
        tn_cap again, copy;
        KIT_CHECK(holder->n < ARRAY_LEN(holder->held));
        KIT_CHECK(tn_defer(&holder->held[holder->n]) == TN_OK);
        KIT_CHECK(tn_defer(&again) == TN_EINVAL);
        KIT_CHECK(tn_cap_mint(holder->held[holder->n], TN_R_ALL, 0, &copy) == TN_ERIGHTS);
        holder->n++;
        at_add(&held, 1, SEQ_CST);
        return TN_DEFERRED;
    }
    struct tn_pack gift = {.ncaps = 1};
    if (holder->n == 0) { /* the call that gives up may have done so in the queue */
        KIT_CHECK(turn->method == M_NEXT);
        return TN_EGONE;
    }
    gift.caps[0] = holder->held[--holder->n];
    if (turn->method == M_WAIT)
        return tn_cap_drop(gift.caps[0]);
    if (turn->method == M_NEXT)
        return tn_reply(gift.caps[0], TN_OK, NULL);
    /* A reply is not copied, it moves. */
    KIT_CHECK(tn_send(kit_need("next"), M_GIVE, &gift, 0) == TN_ERIGHTS);
    gift.move = 1;
    KIT_CHECK(tn_send(kit_need("next"), M_GIVE, &gift, TN_SEND_WAIT) == TN_OK);
    KIT_CHECK(tn_reply(gift.caps[0], TN_OK, NULL) == TN_EBADCAP);
    return TN_OK;
}
KIT_ROLE(holder, .state_size = sizeof(struct holder), .call = holder_call);

static void answer_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    struct tn_pack out = {.data = (void *)(uintptr_t) "late", .len = 4};
    tn_cap none;
    KIT_CHECK(in->ncaps == 1 && tn_defer(&none) == TN_EINVAL);
    KIT_CHECK(tn_reply(in->caps[0], 12, &out) == TN_OK);
    KIT_CHECK(tn_reply(in->caps[0], TN_OK, &out) == TN_EBADCAP);
}
KIT_ROLE(answerer, .event = answer_event);

/* Waits until the holder has held `n` calls in all. */
static void until_held(uint32_t n)
{
    while (at_load(&held, SEQ_CST) < n)
        KIT_CHECK(pause_turn() == TN_OK);
}

static void asks_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    char text[8] = "";
    struct tn_pack out = {.data = text, .size = sizeof(text)};
    KIT_CHECK(tn_call(kit_need("holder"), M_HOLD, &nothing, &out, TN_NEVER) == 12);
    KIT_CHECK(out.len == 4 && memcmp(text, "late", 4) == 0);
    KIT_CHECK(call("holder", M_ODD) == TN_EINTERNAL);
    KIT_CHECK(call("holder", M_HOLD) == TN_EGONE); /* dropped */
    KIT_CHECK(call_until("holder", M_HOLD, later(turn, SOON_NS)) == TN_ETIME);
    KIT_CHECK(tn_signal(kit_need("gave up"), 1) == TN_OK);
    kit_done();
}
KIT_ROLE(asks, .event = asks_event);

static void lets_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    uint64_t bits;
    until_held(1);
    KIT_CHECK(call("holder", M_GIVE) == TN_OK);
    until_held(2);
    KIT_CHECK(call("holder", M_WAIT) == TN_OK);
    KIT_CHECK(tn_wait(kit_need("gave up"), TN_NEVER, &bits) == TN_OK);
    KIT_CHECK(call("holder", M_NEXT) == TN_EGONE); /* answered too late */
    kit_done();
}
KIT_ROLE(lets, .event = lets_event);

static void deferred(struct kit *kit)
{
    at_init(&held, 0);
    struct kit_actor *server = kit_make(kit, "holder", &holder, 1, 4);
    kit_wire(server, "next", kit_make(kit, "answerer", &answerer, 2, 4), TN_R_CALL, 0);
    struct kit_actor *drivers[] = {kit_make(kit, "asks", &asks, 0, 1),
                                   kit_make(kit, "lets", &lets, 3, 1)};
    struct note *note = kit_note();
    kit_share(drivers[0], "gave up", note_object(note), TN_R_WRITE);
    kit_give(drivers[1], "gave up", note_object(note), TN_R_READ);
    for (uint32_t i = 0; i < 2; i++)
        kit_wire(drivers[i], "holder", server, TN_R_CALL, 0);
    kit_run_all(kit, drivers, 2);
}

static void test_deferred(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = deferred});
}

/* Circles: N actors each call the next at the same time; each handler calls on. At least one is
 * told and nobody hangs. */

static atomic_u32 circles;

static tn_err ring_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                        struct tn_pack *out)
{
    (void)self;
    (void)turn;
    (void)in;
    (void)out;
    tn_err err = call("next", M_NEXT);
    if (err == TN_EDEADLK)
        at_add(&circles, 1, RELAXED);
    KIT_CHECK(err == TN_OK || err == TN_EDEADLK);
    return TN_OK;
}

static void ring_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    tn_err err = call("next", M_NEXT);
    if (err == TN_EDEADLK)
        at_add(&circles, 1, RELAXED);
    KIT_CHECK(err == TN_OK || err == TN_EDEADLK);
    kit_done();
}
KIT_ROLE(ring, .call = ring_call, .event = ring_event);

static void circle(struct kit *kit, uint32_t n)
{
    struct kit_actor *actors[3];
    at_init(&circles, 0);
    for (uint32_t i = 0; i < n; i++)
        actors[i] = kit_make(kit, "ring", &ring, i, 4);
    for (uint32_t i = 0; i < n; i++)
        kit_wire(actors[i], "next", actors[(i + 1) % n], TN_R_CALL, 0);
    kit_run_all(kit, actors, n);
    KIT_CHECK(at_load(&circles, RELAXED) > 0);
}

static void circle_of_one(struct kit *kit)
{
    circle(kit, 1);
}

static void circle_of_two(struct kit *kit)
{
    circle(kit, 2);
}

static void circle_of_three(struct kit *kit)
{
    circle(kit, 3);
}

static void test_circles(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = circle_of_one});
    explore(&(struct explore){.scenario = circle_of_two});
    explore(&(struct explore){.scenario = circle_of_three});
}

/* Who has just been answered does not wait any more, though it has not gone on yet: calling it back
 * from a later turn is no circle. */

enum { ROUNDS = 20 };

static tn_err ping_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                        struct tn_pack *out)
{
    (void)self;
    (void)turn;
    (void)in;
    (void)out;
    return TN_OK;
}

static void ping_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        tn_err err = call("pong", M_NEXT);
        KIT_CHECK(err == TN_OK || err == TN_EDEADLK);
    }
    kit_done();
}
KIT_ROLE(ping, .call = ping_call, .event = ping_event);

/* Answers, and calls back in a turn of its own that it sent to itself. */
static tn_err pong_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                        struct tn_pack *out)
{
    (void)self;
    (void)turn;
    (void)in;
    (void)out;
    KIT_CHECK(tn_send(kit_need("self"), M_GIVE, &nothing, 0) == TN_OK);
    return TN_OK;
}

static void pong_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    tn_err err = call_until("ping", M_NEXT, later(turn, SOON_NS));
    /* It may have called again by now, which is a circle for one of us; or the test is over and it
     * died first. */
    KIT_CHECK(err == TN_OK || err == TN_EDEADLK || err == TN_ETIME || err == TN_ECANCELLED ||
              err == TN_EGONE);
}
KIT_ROLE(pong, .call = pong_call, .event = pong_event);

static void once_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    KIT_CHECK(call("ping", M_NEXT) == TN_OK); /* it calls us only once, so there is no circle */
    kit_done();
}
KIT_ROLE(once, .call = pong_call, .event = once_event);

static tn_err drive_once(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    KIT_CHECK(call("pong", M_NEXT) == TN_OK);
    return TN_OK;
}
KIT_ROLE(ping_once, .start = drive_once, .call = ping_call);

static void no_circle(struct kit *kit)
{
    struct kit_actor *a = kit_make(kit, "ping", &ping_once, 0, 4);
    struct kit_actor *b = kit_make(kit, "pong", &once, 1, 4);
    kit_wire(a, "pong", b, TN_R_CALL, 0);
    kit_wire(b, "ping", a, TN_R_CALL, 0);
    kit_wire(b, "self", b, TN_R_CALL, 0);
    kit_expect(1);
    kit_run(kit, a);
}

static void both_ways(struct kit *kit)
{
    struct kit_actor *a = kit_make(kit, "ping", &ping, 0, 64);
    struct kit_actor *b = kit_make(kit, "pong", &pong, 1, 64);
    kit_wire(a, "pong", b, TN_R_CALL, 0);
    kit_wire(b, "ping", a, TN_R_CALL, 0);
    kit_wire(b, "self", b, TN_R_CALL, 0);
    kit_run_all(kit, &a, 1);
}

static void test_calling_back(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = no_circle});
    explore(&(struct explore){.scenario = both_ways});
}

/* Depth and stacks: a chain of actors each of which calls the next. */

static atomic_u32 deepest;

static tn_err chain_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                         struct tn_pack *out)
{
    (void)self;
    (void)turn;
    (void)in;
    (void)out;
    tn_cap next;
    at_add(&deepest, 1, RELAXED);
    if (tn_need("next", 4, &next) != TN_OK)
        return TN_OK;
    return tn_call(next, M_NEXT, &nothing, NULL, TN_NEVER);
}
KIT_ROLE(chain, .call = chain_call);

static tn_err chain_result;

static tn_err drive_chain(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    chain_result = call("next", M_NEXT);
    kit_stop();
    return TN_OK;
}
KIT_ROLE(chain_main, .start = drive_chain);

/* All on one CPU run in each other, spread they queue. */
static void chain_of(struct kit *kit, uint32_t n, uint32_t spread)
{
    at_init(&deepest, 0);
    struct kit_actor *first = kit_make(kit, "main", &chain_main, 0, 1), *last = first;
    for (uint32_t i = 0; i < n; i++) {
        struct kit_actor *next = kit_make(kit, "chain", &chain, i * spread, 1);
        kit_wire(last, "next", next, TN_R_CALL, 0);
        last = next;
    }
    kit_run(kit, first);
}

static void deep_enough(struct kit *kit)
{
    chain_of(kit, TN_DEPTH_MAX, kit->kernel->ncpus > 2);
    KIT_CHECK(chain_result == TN_OK && at_load(&deepest, RELAXED) == TN_DEPTH_MAX);
}

static void too_deep(struct kit *kit)
{
    chain_of(kit, TN_DEPTH_MAX + 1, kit->kernel->ncpus > 2);
    KIT_CHECK(chain_result == TN_EDEPTH && at_load(&deepest, RELAXED) == TN_DEPTH_MAX);
}

static void no_stack(struct kit *kit)
{
    chain_of(kit, 16, 0);
    KIT_CHECK(chain_result == TN_ESTACK);
    KIT_CHECK(at_load(&deepest, RELAXED) > 4 && at_load(&deepest, RELAXED) < 16);
}

static void test_depth(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = deep_enough});
    explore(&(struct explore){.scenario = too_deep});
    explore(&(struct explore){.scenario = no_stack, .fibers_max = 12, .cpus_max = 2});
}

/* A reply's capabilities have their place before the call is sent: nothing that comes to the caller
 * meanwhile takes it, and who has no place left is told before anybody does anything. */

static uint32_t gives;
static struct kit_actor *taker_actor;

/* Fills the caller's space as far as it can, then answers with a capability. */
static tn_err giver_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                         struct tn_pack *out)
{
    (void)self;
    (void)turn;
    (void)in;
    struct tn_pack gift = {.ncaps = 1, .caps = {kit_need("note")}};
    tn_err err;
    gives++;
    while ((err = tn_send(kit_need("taker"), M_ECHO, &gift, 0)) == TN_OK)
        continue;
    KIT_CHECK(err == TN_ENOSLOT);
    out->ncaps = 1;
    out->caps[0] = gift.caps[0];
    return TN_OK;
}
KIT_ROLE(giver, .call = giver_call);

static void take_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    if (turn->badge != 0)
        return; /* a gift */
    (void)in;
    struct tn_pack out = {.ncaps = 1}, none = {.ncaps = 0};
    uint32_t before = space_count(taker_actor->space);
    KIT_CHECK(tn_call(kit_need("giver"), M_ECHO, &nothing, &none, TN_NEVER) == TN_ETOOBIG);
    KIT_CHECK(tn_call(kit_need("giver"), M_ECHO, &nothing, &out, TN_NEVER) == TN_ENOSLOT);
    KIT_CHECK(gives == 1); /* it was not even asked */
    KIT_CHECK(tn_cap_drop(kit_need("spare")) == TN_OK);
    KIT_CHECK(tn_call(kit_need("giver"), M_ECHO, &nothing, &out, TN_NEVER) == TN_OK);
    KIT_CHECK(gives == 2 && out.ncaps == 1);
    uint64_t bits;
    KIT_CHECK(tn_signal(out.caps[0], 4) == TN_OK && tn_wait(out.caps[0], TN_NEVER, &bits) == TN_OK);
    KIT_CHECK(space_count(taker_actor->space) > before);
    /* What is expected and does not come leaves its place. */
    KIT_CHECK(tn_cap_drop(out.caps[0]) == TN_OK);
    out.ncaps = 1;
    KIT_CHECK(tn_call(kit_need("echo"), M_ECHO, &nothing, &out, TN_NEVER) == TN_OK);
    KIT_CHECK(out.ncaps == 0);
    tn_cap again;
    KIT_CHECK(tn_cap_mint(kit_need("giver"), TN_R_CALL, 0, &again) == TN_OK);
    kit_done();
}
KIT_ROLE(taker, .event = take_event);

static void reserved(struct kit *kit)
{
    const struct kit_config config = {.name = "taker", .mailbox = 64, .slots = 6};
    gives = 0;
    struct note *note = kit_note();
    taker_actor = kit_make_with(kit, &config, &taker);
    struct kit_actor *from = kit_make(kit, "giver", &giver, 1, 4);
    kit_wire(from, "taker", taker_actor, TN_R_CALL, 1);
    kit_share(from, "note", note_object(note), TN_R_ALL);
    kit_wire(taker_actor, "giver", from, TN_R_CALL | TN_R_GRANT, 0);
    kit_wire(taker_actor, "echo", kit_make(kit, "echo", &echo, 1, 4), TN_R_CALL, 77);
    kit_give(taker_actor, "spare", note_object(note), TN_R_ALL);
    kit_run_all(kit, &taker_actor, 1);
}

static void test_place_for_the_reply(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = reserved});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_deferred),
        cmocka_unit_test(test_circles),
        cmocka_unit_test(test_calling_back),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_place_for_the_reply),
    };
    return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
