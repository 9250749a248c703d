/* traffic_test.c: actors that talk to each other in every way, in good weather, with a ledger of
 * what was said. Nothing fails and nobody dies, so the ledger is exact: each message arrives once
 * and in order, each answer belongs to its call, a timer fires as it was last set, a signal is
 * taken by one. docs/simulation.md tells of the invariants by their names.
 *
 * Virtual CPUs change over only where an atomic operation stands, so the ledger is plain memory. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "machine/sim/sim.h"
#include "tests/kit/watch.h"

enum {
    SEEDS_DEFAULT = 200,
    MEMORY_BYTES = 8 << 20,
    PEERS = 4,
    TURNS = 10, /* of each peer's timer, in which it does something */
    M_GO = TN_METHOD(9, 1),
    M_TELL = TN_METHOD(9, 2),
    M_ASK = TN_METHOD(9, 3),   /* is answered at once */
    M_YIELD = TN_METHOD(9, 4), /* after others have run */
    M_LATER = TN_METHOD(9, 5), /* by a reply capability */
    LETTER_MAX = 120,
    STACKS_FEW = 24,
    PATIENCE = 400, /* looks of the keeper at the ledger */
};
#define LOOK_NS     UINT64_C(200000)
#define NAG         (UINT64_C(1) << 32) /* cookies from here on are of the neighbour's timer */
#define ALL_PEERS   ((UINT64_C(1) << PEERS) - 1)
#define FOR_EVER_NS (UINT64_C(1) << 50)

/* What one peer did, and what came to it. */
struct peer {
    uint32_t sent[PEERS], came[PEERS]; /* messages to, and from, each */
    uint32_t turns_left;
    uint32_t inside;            /* turns between their first line and their last */
    uint64_t cookie, cookies;   /* its timer's; 0: disarmed. Those that were given out */
    uint64_t at;                /* when that is to come */
    uint64_t nag_set, nag_came; /* its neighbour's timer: the last set, the last that came */
    bool signalled;             /* its bit, and nobody has taken it */
    tn_cap held;                /* a reply that is due */
    uint64_t held_question;
    uint32_t late_ok, late_kept; /* deferred calls: of its own answered; answers it gave */
};

static struct {
    struct peer peers[PEERS];
    struct kit_actor *actors[PEERS];
    uint64_t questions;
    uint64_t messages, answers, expired, nags, taken;
} ledger;

static const char *const peer_names[PEERS] = {"p0", "p1", "p2", "p3"};

static uint32_t me(void)
{
    uint32_t i = 0;
    while (ledger.actors[i]->actor != fiber_self()->turn->actor)
        i++;
    return i;
}

/* One turn at a time, from its first line to its last, whatever it waits for. */
static struct peer *enter(void)
{
    struct peer *peer = &ledger.peers[me()];
    KIT_INVARIANT("one-turn-at-a-time", peer->inside == 0);
    peer->inside++;
    return peer;
}

static void leave(struct peer *peer)
{
    machine_relax();
    KIT_INVARIANT("one-turn-at-a-time", peer->inside == 1);
    peer->inside--;
}

static tn_time soon(void)
{
    return machine_now_ns() + sim_choose(UINT64_C(1) << (4 + sim_choose(15)));
}

/* Long enough that a timer which fires too early is seen. */
static tn_time later(void)
{
    return machine_now_ns() + sim_choose(UINT64_C(1) << (4 + sim_choose(19)));
}

static void answer_held(struct peer *peer)
{
    if (peer->held == 0)
        return;
    uint64_t answer = ~peer->held_question;
    const struct tn_pack out = {.data = &answer, .len = sizeof(answer)};
    tn_cap held = peer->held;
    peer->held = 0;
    tn_err err = tn_reply(held, TN_OK, &out);
    KIT_CHECK(err == TN_OK || err == TN_EGONE);
    peer->late_kept += err == TN_OK;
    KIT_INVARIANT("answered-once", tn_reply(held, TN_OK, &out) == TN_EBADCAP);
}

static void tell_one(struct peer *peer, uint32_t to)
{
    uint32_t letter[LETTER_MAX / sizeof(uint32_t)] = {peer->sent[to]};
    const struct tn_pack in = {.data = letter, .len = 4 + (uint32_t)sim_choose(LETTER_MAX - 4)};
    peer->sent[to]++; /* it may arrive before the send is over */
    tn_err err = tn_send(kit_need(peer_names[to]), M_TELL, &in, sim_choose(2) ? TN_SEND_WAIT : 0);
    KIT_CHECK(err == TN_OK || err == TN_EFULL || err == TN_EDEADLK);
    peer->sent[to] -= err != TN_OK;
    ledger.messages += err == TN_OK;
}

static void ask_one(struct peer *peer, uint32_t to)
{
    static const uint32_t methods[] = {M_ASK, M_YIELD, M_LATER};
    uint32_t method = methods[sim_choose(ARRAY_LEN(methods))];
    /* The number of messages that were sent before it is part of the question. */
    uint64_t question = ++ledger.questions << 16 | peer->sent[to], answer = 0;
    const struct tn_pack in = {.data = &question, .len = sizeof(question)};
    struct tn_pack out = {.data = &answer, .size = sizeof(answer)};
    bool patient = method != M_LATER && sim_choose(2) == 0;
    tn_err err = tn_call(kit_need(peer_names[to]), method, &in, &out, patient ? TN_NEVER : soon());
    KIT_CHECK(err == TN_OK || err == TN_EFULL || err == TN_EDEADLK ||
              (err == TN_ETIME && !patient));
    if (err == TN_OK)
        KIT_INVARIANT("answer-to-its-call", out.len == sizeof(answer) && answer == ~question);
    ledger.answers += err == TN_OK;
    ledger.expired += err == TN_ETIME;
    peer->late_ok += err == TN_OK && method == M_LATER;
}

/* Each signals a bit of its own, when nobody has yet to take it. */
static void signal_one(struct peer *peer)
{
    if (peer->signalled)
        return;
    peer->signalled = true;
    KIT_CHECK(tn_signal(kit_need("bell"), UINT64_C(1) << (peer - ledger.peers)) == TN_OK);
}

static void took(uint64_t bits)
{
    for (uint32_t i = 0; i < PEERS; i++) {
        if ((bits >> i & 1) == 0)
            continue;
        KIT_INVARIANT("signals-kept", ledger.peers[i].signalled);
        ledger.peers[i].signalled = false;
        ledger.taken++;
    }
}

static void await_one(void)
{
    uint64_t bits = 0;
    tn_err err = tn_wait(kit_need("bell"), soon(), &bits);
    KIT_CHECK(err == TN_OK || err == TN_ETIME);
    if (err == TN_OK)
        took(bits);
}

/* The neighbour's timer, which nobody else sets: anew while the message of the last time may be on
 * its way; then no more until it has come. */
static void nag_one(struct peer *peer)
{
    if (peer->nag_came != peer->nag_set)
        return;
    for (uint64_t i = 1 + sim_choose(3); i > 0; i--) {
        uint64_t cookie = ++peer->nag_set;
        KIT_CHECK(tn_timer_set(kit_need("nag"), machine_now_ns(), NAG + cookie) == TN_OK);
        ledger.nags++;
        if (sim_choose(2) == 0)
            await_one(); /* this CPU looks at its timers */
    }
}

/* Its own timer. What was armed before comes to nothing, though it be in the mailbox already. */
static void arm(struct peer *peer, tn_time at)
{
    peer->cookie = at != TN_NEVER ? ++peer->cookies : 0;
    peer->at = at;
    KIT_CHECK(tn_timer_set(kit_need("timer"), at, peer->cookie) == TN_OK);
}

static void act(struct peer *peer)
{
    uint32_t self = (uint32_t)(peer - ledger.peers);
    uint32_t to = (self + 1 + (uint32_t)sim_choose(PEERS - 1)) % PEERS;
    switch (sim_choose(9)) {
    case 0:
    case 1:
        tell_one(peer, to);
        tell_one(peer, to);
        break;
    case 2:
    case 3:
        ask_one(peer, to);
        break;
    case 4:
        signal_one(peer);
        break;
    case 5:
        await_one();
        break;
    case 6:
        KIT_CHECK(tn_yield() == TN_OK);
        break;
    default:
        nag_one(peer);
    }
}

static void own_timer(struct peer *peer, uint64_t cookie)
{
    KIT_INVARIANT("timer-as-set", cookie != 0 && cookie == peer->cookie);
    KIT_INVARIANT("timer-as-set", machine_now_ns() >= peer->at);
    peer->cookie = 0;
    if (peer->turns_left == 0) {
        KIT_CHECK(tn_signal(kit_need("done"), UINT64_C(1) << (peer - ledger.peers)) == TN_OK);
        return;
    }
    peer->turns_left--;
    if (sim_choose(3) == 0) /* replaced below */
        arm(peer, machine_now_ns());
    for (uint64_t i = 1 + sim_choose(2); i > 0; i--)
        act(peer);
    if (sim_choose(4) == 0)
        arm(peer, TN_NEVER);
    arm(peer, later());
}

static void peer_timer(void *self, const struct tn_turn *turn)
{
    (void)self;
    struct peer *peer = enter();
    answer_held(peer);
    if (turn->cookie >= NAG) {
        struct peer *nagger = &ledger.peers[(me() + PEERS - 1) % PEERS];
        uint64_t cookie = turn->cookie - NAG;
        KIT_INVARIANT("timer-as-set", cookie > nagger->nag_came && cookie <= nagger->nag_set);
        nagger->nag_came = cookie;
    } else {
        own_timer(peer, turn->cookie);
    }
    leave(peer);
}

static void peer_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    struct peer *peer = enter();
    if (turn->method == M_GO) {
        arm(peer, soon());
    } else {
        uint32_t *came = &peer->came[turn->badge], number;
        memcpy(&number, in->data, sizeof(number));
        KIT_INVARIANT("messages-in-order", number == *came);
        ++*came;
    }
    answer_held(peer);
    leave(peer);
}

static tn_err peer_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                        struct tn_pack *out)
{
    (void)self;
    struct peer *peer = enter();
    uint64_t question;
    memcpy(&question, in->data, sizeof(question));
    KIT_INVARIANT("messages-in-order", (question & UINT16_MAX) == peer->came[turn->badge]);
    answer_held(peer);
    tn_err err = TN_OK;
    if (turn->method == M_LATER) {
        KIT_CHECK(tn_defer(&peer->held) == TN_OK);
        peer->held_question = question;
        err = TN_DEFERRED;
    } else {
        if (turn->method == M_YIELD)
            KIT_CHECK(tn_yield() == TN_OK);
        uint64_t answer = ~question;
        out->len = sizeof(answer);
        if (out->size >= sizeof(answer)) /* else the caller has gone */
            memcpy(out->data, &answer, sizeof(answer));
    }
    leave(peer);
    return err;
}
KIT_ROLE(peer_role, .call = peer_call, .event = peer_event, .timer = peer_timer);

/* All that was sent and set has come. */
static bool is_settled(void)
{
    for (uint32_t i = 0; i < PEERS; i++) {
        const struct peer *peer = &ledger.peers[i];
        if (peer->nag_came != peer->nag_set)
            return false;
        for (uint32_t k = 0; k < PEERS; k++) {
            if (peer->sent[k] != ledger.peers[k].came[i])
                return false;
        }
    }
    return true;
}

static void settle(void)
{
    uint64_t bits = 0, left = 0;
    for (uint32_t i = 0; i < PATIENCE && !is_settled(); i++)
        KIT_CHECK(tn_wait(kit_need("done"), machine_now_ns() + LOOK_NS, &bits) == TN_ETIME);
    for (uint32_t i = 0; i < PEERS; i++) {
        const struct peer *peer = &ledger.peers[i];
        KIT_INVARIANT("timers-fire", peer->nag_came == peer->nag_set);
        for (uint32_t k = 0; k < PEERS; k++)
            KIT_INVARIANT("messages-kept", peer->sent[k] == ledger.peers[k].came[i]);
        left |= (uint64_t)peer->signalled << i;
    }
    bits = 0;
    tn_err err = tn_wait(kit_need("bell"), machine_now_ns(), &bits);
    KIT_INVARIANT("signals-kept", bits == left);
    KIT_CHECK(err == (left != 0 ? TN_OK : TN_ETIME));
}

static void check_answers(void)
{
    uint32_t got = 0, given = 0;
    for (uint32_t i = 0; i < PEERS; i++) {
        got += ledger.peers[i].late_ok;
        given += ledger.peers[i].late_kept;
    }
    KIT_INVARIANT("answered-once", got == given);
}

static tn_err keeper_start(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    for (uint32_t i = 0; i < PEERS; i++)
        KIT_CHECK(tn_send(kit_need(peer_names[i]), M_GO, NULL, TN_SEND_WAIT) == TN_OK);
    for (uint64_t bits = 0, done = 0; done != ALL_PEERS; done |= bits) {
        tn_err err = tn_wait(kit_need("done"), turn->now + FOR_EVER_NS, &bits);
        if (!KIT_INVARIANT("everybody-ends", err == TN_OK))
            break;
    }
    settle();
    check_answers();
    kit_stop();
    return TN_OK;
}
KIT_ROLE(keeper, .start = keeper_start);

static void build(struct kit *kit, bool restless)
{
    struct kit_actor *first = kit_make(kit, "keeper", &keeper, 0, 2);
    struct note *bell = kit_note(), *done = kit_note();
    struct kernel *kernel = kit->kernel;
    for (uint32_t i = 0; i < PEERS; i++) {
        const struct kit_config config = {.name = peer_names[i],
                                          .cpu = i,
                                          .mailbox = 2 + i % 2,
                                          .urgent = i == 0,
                                          .idle = i == PEERS - 1};
        kit->move = restless && i != 2; /* one stays, whatever the others do */
        ledger.actors[i] = kit_make_with(kit, &config, &peer_role);
        ledger.peers[i].turns_left = TURNS;
        kit_timer(ledger.actors[i], "timer");
        kit_wire(first, peer_names[i], ledger.actors[i], TN_R_CALL, PEERS);
    }
    for (uint32_t i = 0; i < PEERS; i++) {
        struct kit_actor *one = ledger.actors[i];
        for (uint32_t k = 0; k < PEERS; k++) {
            if (k != i)
                kit_wire(one, peer_names[k], ledger.actors[k], TN_R_CALL, i);
        }
        struct timer *nag = NULL;
        assert_int_equal(
            timer_make(kernel->root, &kernel->limbo, ledger.actors[(i + 1) % PEERS]->actor, &nag),
            TN_OK);
        kit_give(one, "nag", timer_object(nag), TN_R_WRITE);
        kit_share(one, "bell", note_object(bell), TN_R_READ | TN_R_WRITE);
        kit_share(one, "done", note_object(done), TN_R_WRITE);
    }
    kit_give(first, "bell", note_object(bell), TN_R_READ);
    kit_give(first, "done", note_object(done), TN_R_READ);
    kit_run(kit, first);
}

static struct sim_stats traffic_run(uint64_t seed)
{
    const struct sim_machine sim = {
        .seed = seed,
        .cpus = 1 + (uint32_t)((seed / 4 + 2) % 4),
        .memory_bytes = MEMORY_BYTES,
        .schedule = seed % 2 == 0 ? SIM_RANDOM : SIM_PCT,
        .pct_depth = 1 + (uint32_t)(seed / 16 % 4),
        .switch_one_in = seed % 4 == 2 ? 2 : 0,
        .check_one_in = UINT32_C(64) << seed % 3,
        .faults = {[SIM_FAULT_CLOCK] = seed % 3 == 0 ? 50 : 0}, /* so timers fire at any moment */
    };
    bool restless = seed / 2 % 2 != 0; /* its actors change CPU whenever they can */
    struct kit kit;
    memset(ledger.peers, 0, sizeof(ledger.peers));
    snprintf(kit_where, sizeof(kit_where), "seed %" PRIu64 " of sim, %u CPUs", seed, sim.cpus);
    assert_int_equal(sim_machine_init(&sim), 0);
    /* Few stacks: CPUs keep none to themselves that others need. */
    kit_boot_with(&kit, &(struct kernel_config){.spin = 4,
                                                .fibers_max = seed % 5 == 0 ? STACKS_FEW : 0,
                                                .policy = restless ? &kit_restless : NULL});
    kit.move = restless;
    kit_watch(&kit);
    build(&kit, restless);
    kit_end(&kit);
    struct sim_stats stats = sim_machine_stats();
    assert_false(stats.deadlock || stats.hung);
    sim_machine_destroy();
    return stats;
}

static void test_traffic(void **state)
{
    (void)state;
    struct sim_stats sum = {0};
    memset(&ledger, 0, sizeof(ledger));
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        struct sim_stats stats = traffic_run(seed);
        sum.checks += stats.checks;
        sum.rests += stats.rests;
        sum.drains += stats.drains;
    }
    if (sim_one_seed())
        return;
    assert_true(sum.checks > 1000 && sum.rests > 1000 && sum.drains > 10000);
    assert_true(ledger.messages > 1000 && ledger.answers > 500 && ledger.expired > 50);
    assert_true(ledger.nags > 500 && ledger.taken > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_traffic)};
    return cmocka_run_group_tests_name("traffic", tests, NULL, NULL);
}
