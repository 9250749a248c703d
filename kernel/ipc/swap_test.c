/* swap_test.c: instances replaced under live actors: under load, at any moment, with every step
 * failing in its turn, paused, killed, and without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "kernel/mem/mem.h"
#include "runtime/kernel/native.h"
#include "tests/kit/explore.h"

enum {
    M_COUNT = TN_METHOD(9, 1),
    M_ASK = TN_METHOD(9, 2),
    M_WAIT = TN_METHOD(9, 3),
    M_HOLD = TN_METHOD(9, 4),
    M_ANSWER = TN_METHOD(9, 5),
    M_MODE = TN_METHOD(9, 6),
    SENDERS = 2,
    SENDS = 30,
    SWAPS = 14,
    SAVED_BYTES = 8 * (SENDERS + 4),
    E_SAVE = 71,
    E_RESTORE = 72,
    E_LOAD = 73,
    E_START = 74,
};

/* What a counter does wrong when it is told to. */
enum mode { WELL, SAVE_FAILS, SAVE_WAITS, SAVE_TOO_LONG, SAVE_MANY_CAPS, MODES };

static const struct tn_pack nothing;
static struct kit_actor *swapped;
static atomic_u32 counted, waiting, done_senders;
static uint32_t rounds;

static tn_err pause_turn(void)
{
    machine_relax();
    return tn_yield();
}

/* The counter, in two versions that keep the same things in another order. */
struct first {
    uint64_t next[SENDERS], timers, mode;
    tn_cap held;
    uint64_t takeovers;
};
struct second {
    uint64_t takeovers;
    tn_cap held;
    uint64_t mode, timers, next[SENDERS];
};

static void count(uint64_t *next, const struct tn_turn *turn, const struct tn_pack *in)
{
    uint64_t bits;
    KIT_CHECK(turn->badge < SENDERS);
    /* In order, none lost, none twice, whoever takes it. */
    KIT_CHECK(*(const uint64_t *)in->data == next[turn->badge]);
    next[turn->badge]++;
    (void)at_add(&counted, 1, SEQ_CST);
    uint64_t n = next[turn->badge];
    tn_err err = n % 5 == 0 ? tn_yield() : TN_OK;
    KIT_CHECK(err == TN_OK || err == TN_ECANCELLED);
    if (n % 7 == 0) {
        err = tn_wait(kit_need("never"), machine_now_ns() + 2000, &bits);
        KIT_CHECK(err == TN_ETIME || err == TN_ECANCELLED);
        KIT_CHECK(err != TN_ECANCELLED || tn_cancelled() == 1);
    }
}

static tn_err serve(tn_cap *held, uint64_t *mode, const struct tn_turn *turn,
                    const struct tn_pack *in)
{
    uint64_t bits;
    switch (turn->method) {
    case M_WAIT:
        at_store(&waiting, 1, SEQ_CST);
        return tn_wait(kit_need("bell"), TN_NEVER, &bits);
    case M_HOLD:
        KIT_CHECK(tn_defer(held) == TN_OK);
        at_store(&waiting, 1, SEQ_CST);
        return TN_DEFERRED;
    case M_ANSWER:
        return tn_reply(*held, 5, NULL);
    case M_MODE:
        *mode = *(const uint64_t *)in->data;
        return TN_OK;
    default:
        return TN_EMETHOD;
    }
}

static tn_err put_state(const uint64_t *state, struct tn_pack *out)
{
    uint64_t bits;
    tn_err err = TN_OK;
    KIT_CHECK(out->size >= SAVED_BYTES);
    KIT_CHECK(tn_cancelled() == 0);
    memcpy(out->data, state, SAVED_BYTES);
    out->len = SAVED_BYTES;
    switch (state[SENDERS]) {
    case SAVE_FAILS:
        return E_SAVE;
    case SAVE_WAITS: /* nothing that may wait does anything here */
        KIT_CHECK(tn_yield() == TN_EAGAIN);
        KIT_CHECK(tn_call(kit_need("self"), M_ASK, NULL, NULL, TN_NEVER) == TN_EAGAIN);
        err = tn_wait(kit_need("never"), TN_NEVER, &bits);
        KIT_CHECK(err == TN_EAGAIN);
        return err;
    case SAVE_TOO_LONG:
        out->len = TN_ARGS_MAX + 1;
        return TN_OK;
    case SAVE_MANY_CAPS:
        out->ncaps = TN_PACK_CAPS + 1;
        return TN_OK;
    default:
        out->ncaps = 1; /* handles are the same numbers to whoever comes next */
        out->caps[0] = state[SENDERS + 2];
        return TN_OK;
    }
}

static tn_err say(uint64_t value, struct tn_pack *out)
{
    memcpy(out->data, &value, sizeof(value));
    out->len = sizeof(value);
    return TN_OK;
}

static void first_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    count(((struct first *)self)->next, turn, in);
}

static tn_err first_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                         struct tn_pack *out)
{
    struct first *s = self;
    return turn->method == M_ASK ? say(1000 + s->takeovers, out)
                                 : serve(&s->held, &s->mode, turn, in);
}

static tn_err first_save(void *self, struct tn_pack *out)
{
    struct first *s = self;
    uint64_t state[SENDERS + 4] = {s->next[0], s->next[1], s->mode,
                                   s->timers,  s->held,    s->takeovers};
    return put_state(state, out);
}

static tn_err first_restore(void *self, uint32_t from_version, const struct tn_pack *in)
{
    struct first *s = self;
    const uint64_t *state = in->data;
    KIT_CHECK(from_version == 2 || from_version == 1);
    KIT_CHECK(in->len == SAVED_BYTES && in->ncaps == 1 && in->caps[0] == state[SENDERS + 2]);
    KIT_CHECK(tn_yield() == TN_EAGAIN);
    *s = (struct first){.next = {state[0], state[1]},
                        .mode = state[2],
                        .timers = state[3],
                        .held = state[4],
                        .takeovers = state[5] + 1};
    return TN_OK;
}

static void first_timer(void *self, const struct tn_turn *turn)
{
    KIT_CHECK(turn->cookie == 42);
    ((struct first *)self)->timers++;
    at_store(&waiting, 2, SEQ_CST);
}
KIT_ROLE(first, .state_size = sizeof(struct first), .state_version = 1, .event = first_event,
         .call = first_call, .timer = first_timer, .save = first_save, .restore = first_restore);

static void second_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    count(((struct second *)self)->next, turn, in);
}

static tn_err second_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    struct second *s = self;
    return turn->method == M_ASK ? say(2000 + s->takeovers, out)
                                 : serve(&s->held, &s->mode, turn, in);
}

static tn_err second_save(void *self, struct tn_pack *out)
{
    struct second *s = self;
    uint64_t state[SENDERS + 4] = {s->next[0], s->next[1], s->mode,
                                   s->timers,  s->held,    s->takeovers};
    return put_state(state, out);
}

static tn_err second_restore(void *self, uint32_t from_version, const struct tn_pack *in)
{
    struct second *s = self;
    const uint64_t *state = in->data;
    KIT_CHECK(from_version == 1 && in->len == SAVED_BYTES);
    *s = (struct second){.next = {state[0], state[1]},
                         .mode = state[2],
                         .timers = state[3],
                         .held = state[4],
                         .takeovers = state[5] + 1};
    return TN_OK;
}

static void second_timer(void *self, const struct tn_turn *turn)
{
    KIT_CHECK(turn->cookie == 42);
    ((struct second *)self)->timers++;
    at_store(&waiting, 2, SEQ_CST);
}
KIT_ROLE(second, .state_size = sizeof(struct second), .state_version = 2, .event = second_event,
         .call = second_call, .timer = second_timer, .save = second_save,
         .restore = second_restore);

/* Counters that come to nothing, after they collected a capability each. */
static tn_err collect(void)
{
    tn_cap cap;
    return tn_cap_mint(kit_need("never"), TN_R_READ, 0, &cap);
}

static tn_err refusing_restore(void *self, uint32_t from_version, const struct tn_pack *in)
{
    (void)self;
    (void)from_version;
    (void)in;
    KIT_CHECK(collect() == TN_OK);
    return E_RESTORE;
}
KIT_ROLE(refusing, .state_size = 8, .restore = refusing_restore, .event = NULL);
KIT_ROLE(dumb, .state_size = 8); /* it restores nothing */

static tn_err unloadable_load(void *self, const struct tn_turn *turn, const struct tn_pack *config)
{
    (void)self;
    (void)turn;
    (void)config;
    tn_err err = tn_yield(); /* load may wait */
    KIT_CHECK(err == TN_OK || err == TN_ECANCELLED);
    KIT_CHECK(collect() == TN_OK);
    return E_LOAD;
}
KIT_ROLE(unloadable, .load = unloadable_load, .restore = first_restore);

static tn_err unstartable_start(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    KIT_CHECK(collect() == TN_OK);
    return E_START;
}
KIT_ROLE(unstartable, .start = unstartable_start);

/* Swaps, from a turn on a fiber. */
static tn_err swap_to(const struct tn_component *component, uint32_t flags, tn_time deadline)
{
    const struct native_config config = {.component = component, .needs = &swapped->needs};
    struct instance *fresh;
    tn_err err = native_new(swapped->actor, &config, &fresh);
    if (err != TN_OK)
        return err;
    struct turn *turn = &fiber_self()->turn;
    err = swap_begin(fiber_self()->cpu, turn, swapped->actor, fresh, flags, deadline);
    if (err != IPC_PENDING)
        return err;
    return call_end(turn_wait(fiber_self()->cpu, turn), turn, NULL);
}

static uint64_t ask(void)
{
    uint64_t value = 0;
    struct tn_pack out = {.data = &value, .size = sizeof(value)};
    tn_err err;
    while ((err = tn_call(kit_need("counter"), M_ASK, &nothing, &out, TN_NEVER)) == TN_EFULL)
        KIT_CHECK(pause_turn() == TN_OK);
    KIT_CHECK(err == TN_OK);
    return value;
}

static void set_mode(uint64_t mode)
{
    const struct tn_pack in = {.data = &mode, .len = sizeof(mode)};
    KIT_CHECK(tn_call(kit_need("counter"), M_MODE, &in, NULL, TN_NEVER) == TN_OK);
}

static struct kit_actor *make_counter(struct kit *kit, uint32_t mailbox, uint64_t memory_bytes)
{
    const struct kit_config config = {
        .name = "counter", .cpu = 0, .mailbox = mailbox, .memory_bytes = memory_bytes};
    at_init(&counted, 0);
    at_init(&waiting, 0);
    at_init(&done_senders, 0);
    swapped = kit_make_with(kit, &config, &first);
    kit_give(swapped, "never", note_object(kit_note()), TN_R_ALL);
    kit_wire(swapped, "self", swapped, TN_R_CALL, 0);
    return swapped;
}

/* Under load, at any moment: numbered messages from other CPUs, swaps that go well and swaps that
 * do not, and somebody who pauses. */
static void sender_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint64_t i = 0; i < SENDS; i++) {
        struct tn_pack pack = {.data = &i, .len = sizeof(i)};
        KIT_CHECK(tn_send(kit_need("counter"), M_COUNT, &pack, TN_SEND_WAIT) == TN_OK);
        if (i % 6 == 5)
            KIT_CHECK(ask() >= 1000); /* a call among them */
    }
    (void)at_add(&done_senders, 1, SEQ_CST);
    kit_done();
}
KIT_ROLE(sender, .event = sender_event);

/* The same, once the one before, that came too late, is over. */
static tn_err swap_after(const struct tn_component *component, uint32_t flags, tn_time deadline)
{
    tn_err err;
    while ((err = swap_to(component, flags, deadline)) == TN_EBUSY)
        KIT_CHECK(pause_turn() == TN_OK);
    return err;
}

static void swapper_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    static const struct tn_component *const bad[] = {&refusing, &unloadable, &dumb};
    static const tn_err bad_err[] = {E_RESTORE, E_LOAD, TN_EVERSION};
    bool is_first = true;
    uint32_t swaps = 0;
    for (uint32_t i = 0; i < SWAPS; i++) {
        tn_time soon = machine_now_ns() + 1000 + 700 * i;
        uint32_t flags = (rounds + i) % 3 == 0 ? SWAP_CANCEL : 0;
        const struct tn_component *next = is_first ? &second : &first;
        bool hurry = (rounds + i) % 4 == 1;
        tn_err err = swap_after(next, flags, hurry ? soon : TN_NEVER);
        KIT_CHECK(err == TN_OK || (hurry && err == TN_ETIME));
        if (err == TN_OK) {
            is_first = !is_first;
            swaps++;
        }
        uint32_t k = (rounds + i) % ARRAY_LEN(bad);
        KIT_CHECK(swap_after(bad[k], flags, TN_NEVER) == bad_err[k]);
        KIT_CHECK(pause_turn() == TN_OK);
    }
    while (at_load(&counted, SEQ_CST) < SENDERS * SENDS)
        KIT_CHECK(pause_turn() == TN_OK);
    KIT_CHECK(ask() == (is_first ? 1000 : 2000) + swaps && swaps > 0);
    kit_done();
}
KIT_ROLE(swapper, .event = swapper_event);

static void pauser_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < 8; i++) {
        actor_pause(fiber_self()->cpu, swapped->actor);
        for (uint32_t k = 0; k < (rounds + i) % 5; k++)
            KIT_CHECK(pause_turn() == TN_OK);
        actor_resume(fiber_self()->cpu, swapped->actor);
        for (uint32_t k = 0; k < i; k++)
            KIT_CHECK(pause_turn() == TN_OK);
    }
    kit_done();
}
KIT_ROLE(pauser, .event = pauser_event);

static void any_moment(struct kit *kit)
{
    rounds = (uint32_t)kit->run;
    make_counter(kit, 4, 0);
    struct kit_actor *drivers[SENDERS + 2];
    for (uint32_t i = 0; i < SENDERS; i++) {
        drivers[i] = kit_make(kit, "sender", &sender, i + 1, 1);
        kit_wire(drivers[i], "counter", swapped, TN_R_CALL, i);
    }
    drivers[SENDERS] = kit_make(kit, "swapper", &swapper, 2, 1);
    drivers[SENDERS + 1] = kit_make(kit, "pauser", &pauser, 3, 1);
    kit_wire(drivers[SENDERS], "counter", swapped, TN_R_CALL, 0);
    kit_run_all(kit, drivers, ARRAY_LEN(drivers));
    KIT_CHECK(at_load(&counted, RELAXED) == SENDERS * SENDS);
    KIT_CHECK(space_count(swapped->space) == swapped->needs.n);
}

static void test_at_any_moment(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = any_moment});
}

/* Killed at any moment, the counter or who swaps it. */
static struct kit_actor *victim;

static void doomed_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    tn_err err = TN_OK;
    for (uint32_t i = 0; err != TN_EGONE && err != TN_ECANCELLED; i++) {
        err =
            swap_to(i % 3 == 2   ? &unloadable
                    : i % 2 == 0 ? &second
                                 : &first,
                    i % 2 == 0 ? SWAP_CANCEL | SWAP_FRESH : SWAP_FRESH, machine_now_ns() + 100000);
        KIT_CHECK(err == TN_OK || err == TN_EGONE || err == TN_ETIME || err == TN_ECANCELLED ||
                  err == TN_EBUSY || err == E_LOAD);
        if (err != TN_EGONE && pause_turn() != TN_OK)
            err = TN_ECANCELLED;
    }
    if (err == TN_EGONE)
        kit_done();
}
KIT_ROLE(doomed, .event = doomed_event);

static void client_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    uint64_t value;
    struct tn_pack out = {.data = &value, .size = sizeof(value)};
    uint32_t method = turn->badge == 2 ? M_WAIT : M_ASK;
    tn_err err;
    do {
        err = tn_call(kit_need("counter"), method, &nothing, &out, machine_now_ns() + 50000);
        KIT_CHECK(err == TN_OK || err == TN_EGONE || err == TN_EFULL || err == TN_ETIME ||
                  err == TN_ECANCELLED);
        KIT_CHECK(pause_turn() == TN_OK);
    } while (err != TN_EGONE && at_load(&done_senders, SEQ_CST) == 0);
    kit_done();
}
KIT_ROLE(client, .event = client_event);

static void killer_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < rounds * 13 % 64; i++)
        KIT_CHECK(pause_turn() == TN_OK);
    kit_kill(victim);
    if (victim != swapped) {
        while (actor_life(victim->actor) != ACTOR_DEAD)
            KIT_CHECK(pause_turn() == TN_OK);
        /* Whatever it was about, the counter serves again in time. */
        while (ask() == 0)
            KIT_CHECK(pause_turn() == TN_OK);
        at_store(&done_senders, 1, SEQ_CST);
        kit_done(); /* for the one that is dead */
    }
    kit_done();
}
KIT_ROLE(killer, .event = killer_event);

static void kill_any_moment(struct kit *kit)
{
    rounds = (uint32_t)kit->run;
    make_counter(kit, 8, 0);
    kit_give(swapped, "bell", note_object(kit_note()), TN_R_READ);
    struct kit_actor *drivers[4];
    drivers[0] = kit_make(kit, "doomed", &doomed, 1, 1);
    drivers[1] = kit_make(kit, "client", &client, 2, 1);
    drivers[2] = kit_make(kit, "client", &client, 0, 1);
    drivers[3] = kit_make(kit, "killer", &killer, 3, 1);
    for (uint32_t i = 1; i < 4; i++)
        kit_wire(drivers[i], "counter", swapped, TN_R_CALL, 0);
    victim = rounds % 2 == 0 ? swapped : drivers[0];
    kit_run_all(kit, drivers, ARRAY_LEN(drivers));
}

static void test_killed_at_any_moment(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = kill_any_moment});
}

/* Each step that can fail, one after the other; what there was goes on. */
static uint32_t caps_before;

static bool goes_on(uint64_t as)
{
    return ask() == as && space_count(swapped->space) == caps_before &&
           actor_life(swapped->actor) == ACTOR_READY;
}

static void helper_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    /* badge 1: waits in the counter; 2: holds; each says how that ended. */
    uint32_t method = turn->badge == 1 ? M_WAIT : M_HOLD;
    tn_err err = tn_call(kit_need("counter"), method, &nothing, NULL, TN_NEVER);
    KIT_CHECK(tn_signal(kit_need("told"), UINT64_C(1) << (err < 0 ? -err : 40 + err)) == TN_OK);
}
KIT_ROLE(helper, .event = helper_event);

static void let_wait(const char *who)
{
    at_store(&waiting, 0, SEQ_CST);
    KIT_CHECK(tn_send(kit_need(who), M_ASK, NULL, 0) == TN_OK);
    while (at_load(&waiting, SEQ_CST) == 0)
        KIT_CHECK(pause_turn() == TN_OK);
}

static bool told(uint32_t bit)
{
    uint64_t bits = 0;
    KIT_CHECK(tn_wait(kit_need("told"), TN_NEVER, &bits) == TN_OK);
    return bits == UINT64_C(1) << bit;
}

static void try_refusals(void)
{
    static const struct {
        uint64_t mode;
        tn_err err;
    } saves[] = {{SAVE_FAILS, E_SAVE},
                 {SAVE_WAITS, TN_EAGAIN},
                 {SAVE_TOO_LONG, TN_ETOOBIG},
                 {SAVE_MANY_CAPS, TN_EINVAL}};
    for (uint32_t i = 0; i < ARRAY_LEN(saves); i++) {
        set_mode(saves[i].mode);
        KIT_CHECK(swap_to(&second, 0, TN_NEVER) == saves[i].err && goes_on(1000));
    }
    set_mode(WELL);
    KIT_CHECK(swap_to(&refusing, 0, TN_NEVER) == E_RESTORE && goes_on(1000));
    KIT_CHECK(swap_to(&dumb, 0, TN_NEVER) == TN_EVERSION && goes_on(1000));
    KIT_CHECK(swap_to(&unloadable, 0, TN_NEVER) == E_LOAD && goes_on(1000));
    KIT_CHECK(swap_to(&unstartable, SWAP_FRESH, TN_NEVER) == E_START && goes_on(1000));
    KIT_CHECK(swap_to(&second, 4, TN_NEVER) == TN_EINVAL && goes_on(1000));
    KIT_CHECK(swap_to(&second, 0, 1) == TN_ETIME && goes_on(1000));
}

/* A turn that waits: until the deadline, told to end, or ended in time. */
static void try_waiting(void)
{
    let_wait("waiter");
    KIT_CHECK(swap_to(&second, 0, machine_now_ns() + 200000) == TN_ETIME);
    KIT_CHECK(tn_signal(kit_need("bell"), 1) == TN_OK && told(40) && goes_on(1000));
    let_wait("waiter");
    KIT_CHECK(swap_to(&second, SWAP_CANCEL, TN_NEVER) == TN_OK);
    KIT_CHECK(told(-TN_ECANCELLED) && goes_on(2001));
    /* Paused, it can be swapped all the same; not while a turn waits. */
    actor_pause(fiber_self()->cpu, swapped->actor);
    KIT_CHECK(swap_to(&first, 0, TN_NEVER) == TN_OK);
    KIT_CHECK(tn_call(kit_need("counter"), M_MODE, &nothing, NULL, machine_now_ns() + 100000) ==
              TN_ETIME);
    actor_resume(fiber_self()->cpu, swapped->actor);
    KIT_CHECK(goes_on(1002));
    let_wait("waiter");
    actor_pause(fiber_self()->cpu, swapped->actor);
    KIT_CHECK(swap_to(&second, 0, machine_now_ns() + 200000) == TN_ETIME);
    KIT_CHECK(tn_signal(kit_need("bell"), 1) == TN_OK);
    actor_resume(fiber_self()->cpu, swapped->actor);
    KIT_CHECK(told(40) && goes_on(1002));
}

/* What the old one owes: answered by the next one, which was told, or by nobody. */
static void try_held(void)
{
    let_wait("holder");
    KIT_CHECK(swap_to(&second, 0, TN_NEVER) == TN_OK && ask() == 2003);
    KIT_CHECK(tn_call(kit_need("counter"), M_ANSWER, &nothing, NULL, TN_NEVER) == TN_OK);
    KIT_CHECK(told(45) && goes_on(2003));
    let_wait("holder");
    KIT_CHECK(swap_to(&first, SWAP_FRESH, TN_NEVER) == TN_OK);
    KIT_CHECK(told(-TN_EGONE) && goes_on(1000));
    /* A timer that was set before goes off after. */
    at_store(&waiting, 0, SEQ_CST);
    KIT_CHECK(tn_timer_set(kit_need("timer"), machine_now_ns() + 300000, 42) == TN_OK);
    KIT_CHECK(swap_to(&second, 0, TN_NEVER) == TN_OK && ask() == 2001);
    while (at_load(&waiting, SEQ_CST) != 2)
        KIT_CHECK(pause_turn() == TN_OK);
}

/* Two at a time: the second is told so. */
static void rival_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    tn_err err;
    while ((err = swap_to(&second, 0, TN_NEVER)) == TN_EBUSY)
        KIT_CHECK(pause_turn() == TN_OK);
    KIT_CHECK(err == TN_OK && tn_signal(kit_need("told"), UINT64_C(1) << 50) == TN_OK);
}
KIT_ROLE(rival, .event = rival_event);

static struct kit_actor *own, *young;

static void try_odd_ones(void)
{
    let_wait("waiter");
    KIT_CHECK(tn_send(kit_need("rival"), M_ASK, NULL, 0) == TN_OK);
    tn_err err;
    while ((err = swap_to(&second, 0, machine_now_ns() + 1000)) != TN_EBUSY) {
        KIT_CHECK(err == TN_ETIME);
        for (uint32_t i = 0; i < 20; i++) /* let the rival have its chance */
            KIT_CHECK(pause_turn() == TN_OK);
    }
    KIT_CHECK(tn_signal(kit_need("bell"), 1) == TN_OK);
    uint64_t bits, both = 0; /* the one that waited, and the rival */
    while (both != (UINT64_C(1) << 50 | UINT64_C(1) << 40)) {
        KIT_CHECK(tn_wait(kit_need("told"), TN_NEVER, &bits) == TN_OK);
        both |= bits;
    }
    KIT_CHECK(goes_on(2001));
    struct kit_actor *counter = swapped;
    swapped = own; /* its own turn would have to end first */
    KIT_CHECK(swap_to(&second, SWAP_CANCEL, TN_NEVER) == TN_EDEADLK);
    swapped = young; /* it has not started */
    KIT_CHECK(swap_to(&second, 0, TN_NEVER) == TN_EAGAIN);
    swapped = counter;
}

static void edges_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    caps_before = space_count(swapped->space);
    try_refusals();
    try_waiting();
    try_held();
    /* One that has failed is revived, without its state. */
    KIT_CHECK(actor_fail(swapped->actor));
    KIT_CHECK(tn_call(kit_need("counter"), M_ASK, &nothing, NULL, TN_NEVER) == TN_EGONE);
    KIT_CHECK(swap_to(&unstartable, 0, TN_NEVER) == E_START);
    KIT_CHECK(actor_life(swapped->actor) == ACTOR_FAILED);
    KIT_CHECK(swap_to(&first, 0, TN_NEVER) == TN_OK && goes_on(1000));
    try_odd_ones();
    kit_kill(swapped);
    while (actor_life(swapped->actor) != ACTOR_DEAD)
        KIT_CHECK(pause_turn() == TN_OK);
    KIT_CHECK(swap_to(&second, 0, TN_NEVER) == TN_EGONE);
    kit_done();
}
KIT_ROLE(edges, .event = edges_event);

static void edges_scenario(struct kit *kit)
{
    struct kernel *kernel = kit->kernel;
    make_counter(kit, 4, 0);
    struct note *bell = kit_note(), *told_note = kit_note();
    struct timer *timer = NULL;
    kit_give(swapped, "bell", note_object(bell), TN_R_READ);
    own = kit_make(kit, "edges", &edges, 1, 1);
    young = kit_make_bare(kit, "young", 1 << 20, 0, 1);
    assert_int_equal(native_make(young->actor, &first, &young->needs), TN_OK);
    kit_wire(own, "counter", swapped, TN_R_CALL, 0);
    kit_share(own, "bell", note_object(bell), TN_R_WRITE);
    kit_give(own, "told", note_object(told_note), TN_R_READ);
    assert_int_equal(timer_make(kernel->root, &kernel->limbo, swapped->actor, &timer), TN_OK);
    kit_give(own, "timer", timer_object(timer), TN_R_WRITE);
    static const char *const names[] = {"rival", "waiter", "holder"};
    for (uint32_t i = 0; i < ARRAY_LEN(names); i++) {
        struct kit_actor *one = kit_make(kit, names[i], i == 0 ? &rival : &helper, i, 1);
        kit_wire(own, names[i], one, TN_R_CALL, i);
        kit_wire(one, "counter", swapped, TN_R_CALL, 0);
        kit_share(one, "told", note_object(told_note), TN_R_WRITE);
    }
    kit_run_all(kit, &own, 1);
}

static void test_each_step_fails(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = edges_scenario});
}

/* Memory of the actor's runs out at every page that a swap takes. */
enum { POOR_BYTES = 256 * 1024, PAGES = POOR_BYTES / MEM_PAGE };

static uint32_t pages_left;
static bool got_by;

static void poor_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    KIT_CHECK(ask() == 1000);
    tn_err err = swap_to(&second, 0, TN_NEVER);
    KIT_CHECK(err == TN_OK || err == TN_ENOMEM);
    KIT_CHECK(ask() == (err == TN_OK ? 2001 : 1000));
    got_by = err == TN_OK;
    kit_done();
}
KIT_ROLE(poor, .event = poor_event);

static void poverty(struct kit *kit)
{
    make_counter(kit, 4, POOR_BYTES);
    struct kit_actor *driver = kit_make(kit, "poor", &poor, 1, 1);
    kit_wire(driver, "counter", swapped, TN_R_CALL, 0);
    void *pages[PAGES] = {NULL};
    uint32_t n = 0;
    while (n < PAGES && (pages[n] = mem_alloc(swapped->memory, MEM_PAGE)) != NULL)
        n++;
    assert_true(n < PAGES && n > pages_left);
    for (uint32_t i = 0; i < pages_left; i++)
        mem_free(swapped->memory, pages[--n], MEM_PAGE);
    kit_run_all(kit, &driver, 1);
    while (n > 0)
        mem_free(swapped->memory, pages[--n], MEM_PAGE);
}

static void test_memory_runs_out(void **state)
{
    (void)state;
    got_by = false;
    for (pages_left = 0; !got_by; pages_left++) {
        assert_true(pages_left < 40);
        explore(&(struct explore){.scenario = poverty});
    }
    assert_true(pages_left > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_any_moment),
        cmocka_unit_test(test_killed_at_any_moment),
        cmocka_unit_test(test_each_step_fails),
        cmocka_unit_test(test_memory_runs_out),
    };
    return cmocka_run_group_tests_name("swap", tests, NULL, NULL);
}
