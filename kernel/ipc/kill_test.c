/* kill_test.c: the death of actors in every state, seen from all sides, and memory that runs out at
 * every page of a scenario, under many schedules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "kernel/mem/mem.h"
#include "tests/kit/explore.h"

enum {
    M_ECHO = TN_METHOD(9, 1),
    M_WAIT = TN_METHOD(9, 2),
    M_CALL = TN_METHOD(9, 3),
    M_HOLD = TN_METHOD(9, 4),
    M_FILL = TN_METHOD(9, 5),
    M_BUSY = TN_METHOD(9, 6),
    M_YIELD = TN_METHOD(9, 7),
    BUSY_TURNS = 3000,
};

static const struct tn_pack nothing;
static struct kit_actor *victim;
static atomic_u32 killed;
static uint32_t rounds; /* says what happens in this run, and when */

/* The victim does what it is told until it dies: waits for a signal, for an answer, for a credit,
 * yields, works on, holds a call. */
static tn_err victim_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    tn_cap *held = self;
    uint64_t bits;
    tn_err err = TN_OK;
    (void)in;
    (void)out;
    switch (turn->method) {
    case M_WAIT:
        err = tn_wait(kit_need("never"), TN_NEVER, &bits);
        break;
    case M_CALL:
        err = tn_call(kit_need("sink"), M_WAIT, &nothing, NULL, TN_NEVER);
        break;
    case M_FILL:
        while (err == TN_OK)
            err = tn_send(kit_need("sink"), M_ECHO, &nothing, TN_SEND_WAIT);
        break;
    case M_YIELD:
        while (err == TN_OK)
            err = kit_pause();
        break;
    case M_BUSY: /* not for ever: the killer may be queued behind it, and nobody idle to take him */
        for (uint32_t i = 0; i < BUSY_TURNS && at_load(&killed, SEQ_CST) == 0; i++)
            machine_relax();
        break;
    case M_HOLD:
        if (*held != 0)
            return TN_EBUSY;
        err = tn_defer(held);
        KIT_CHECK(err == TN_OK);
        return TN_DEFERRED;
    default:
        return TN_OK;
    }
    KIT_CHECK(err == TN_ECANCELLED || err == TN_EFULL || turn->method == M_BUSY);
    if (err == TN_ECANCELLED) {
        /* It is told at once, every time, and can clean up by itself. */
        KIT_CHECK(tn_cancelled() == 1 && tn_yield() == TN_ECANCELLED);
        KIT_CHECK(tn_wait(kit_need("never"), TN_NEVER, &bits) == TN_ECANCELLED);
        KIT_CHECK(tn_call(kit_need("sink"), M_ECHO, &nothing, NULL, TN_NEVER) == TN_ECANCELLED);
        tn_err sent = tn_send(kit_need("sink"), M_ECHO, &nothing, TN_SEND_WAIT);
        KIT_CHECK(sent == TN_OK || sent == TN_ECANCELLED);
    }
    return TN_OK;
}
KIT_ROLE(victim_role, .state_size = sizeof(tn_cap), .call = victim_call);

/* Keeps every call waiting, so that its mailbox fills. */
static tn_err sink_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                        struct tn_pack *out)
{
    (void)self;
    (void)turn;
    (void)in;
    (void)out;
    uint64_t bits;
    return tn_wait(kit_need("never"), TN_NEVER, &bits);
}

static void sink_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)sink_call(self, turn, in, NULL);
}
KIT_ROLE(sink, .call = sink_call, .event = sink_event);

/* Clients call with what their number says; whatever the moment, each gets an answer or TN_EGONE.
 */
static void client_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    static const uint32_t methods[] = {M_ECHO, M_WAIT, M_CALL, M_FILL, M_YIELD, M_BUSY, M_HOLD};
    uint8_t bytes[600] = {0};
    struct tn_pack pack = {.data = bytes, .len = turn->badge % 2 == 0 ? 600 : 0};
    tn_cap note = kit_need("never");
    tn_err err = TN_OK;
    for (uint32_t i = 0; err != TN_EGONE; i++) {
        uint32_t method = methods[(rounds + turn->badge + i) % ARRAY_LEN(methods)];
        pack.ncaps = i % 2;
        pack.caps[0] = note;
        err = tn_call(kit_need("victim"), method, &pack, NULL, TN_NEVER);
        KIT_CHECK(err == TN_OK || err == TN_EGONE || err == TN_EFULL || err == TN_EBUSY ||
                  err == TN_ENOSLOT);
        if (err == TN_EGONE)
            break;
        err = tn_send(kit_need("victim"), M_ECHO, &pack, 0);
        KIT_CHECK(err == TN_OK || err == TN_EGONE || err == TN_EFULL || err == TN_ENOSLOT);
        KIT_CHECK(kit_pause() == TN_OK);
    }
    kit_done();
}
KIT_ROLE(client, .event = client_event);

static void killer_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < rounds * 13 % 64; i++)
        KIT_CHECK(kit_pause() == TN_OK);
    kit_kill(victim);
    kit_kill(victim); /* again: nothing */
    at_store(&killed, 1, SEQ_CST);
    kit_done();
}
KIT_ROLE(killer, .event = killer_event);

static void deaths(struct kit *kit)
{
    rounds = (uint32_t)kit->run + 1;
    at_init(&killed, 0);
    struct note *never = kit_note();
    struct kit_actor *drivers[5];
    victim = kit_make(kit, "victim", &victim_role, 1, 3);
    struct kit_actor *end = kit_make(kit, "sink", &sink, rounds % 2, 2);
    kit_wire(victim, "sink", end, TN_R_CALL, 0);
    kit_share(victim, "never", note_object(never), TN_R_READ);
    kit_share(end, "never", note_object(never), TN_R_READ);
    drivers[0] = kit_make(kit, "killer", &killer, 2, 1);
    for (uint32_t i = 1; i < ARRAY_LEN(drivers); i++) {
        drivers[i] = kit_make(kit, "client", &client, i, 1);
        kit_wire(drivers[i], "victim", victim, TN_R_CALL, i);
        kit_share(drivers[i], "never", note_object(never), TN_R_ALL);
    }
    object_unref(note_object(never));
    kit_run_all(kit, drivers, ARRAY_LEN(drivers));
}

/* Killed with a queue of calls from others, in each kind of wait in turn. */
static uint32_t method_now;

static void one_client_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    tn_err err;
    do {
        err = tn_call(kit_need("victim"), turn->badge == 0 ? method_now : M_ECHO, &nothing, NULL,
                      TN_NEVER);
    } while (err == TN_OK && turn->badge != 0 && kit_pause() == TN_OK);
    if (turn->badge == 0 && method_now == M_BUSY)
        KIT_CHECK(err == TN_OK || err == TN_EGONE);
    else if (turn->badge == 0)
        KIT_CHECK(err == TN_EGONE || err == TN_OK); /* cleaned up and answered, or dropped */
    else
        KIT_CHECK(err == TN_EGONE || err == TN_EFULL);
    kit_done();
}
KIT_ROLE(one_client, .event = one_client_event);

static void death_in(struct kit *kit)
{
    at_init(&killed, 0);
    rounds = (uint32_t)kit->run + 1;
    struct note *never = kit_note();
    struct kit_actor *drivers[4];
    victim = kit_make(kit, "victim", &victim_role, 0, 8);
    struct kit_actor *end = kit_make(kit, "sink", &sink, 1, 2);
    kit_wire(victim, "sink", end, TN_R_CALL, 0);
    kit_share(victim, "never", note_object(never), TN_R_READ);
    kit_give(end, "never", note_object(never), TN_R_READ);
    drivers[3] = kit_make(kit, "killer", &killer, 1, 1);
    for (uint32_t i = 0; i < 3; i++) {
        drivers[i] = kit_make(kit, "client", &one_client, i, 1);
        kit_wire(drivers[i], "victim", victim, TN_R_CALL, i);
    }
    kit_run_all(kit, drivers, ARRAY_LEN(drivers));
}

static void test_deaths(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = deaths, .cpus_min = 2});
    static const uint32_t methods[] = {M_ECHO, M_WAIT, M_CALL, M_FILL, M_YIELD, M_BUSY, M_HOLD};
    for (uint32_t i = 0; i < ARRAY_LEN(methods); i++) {
        method_now = methods[i];
        explore(&(struct explore){.scenario = death_in, .cpus_min = methods[i] == M_BUSY ? 2 : 1});
    }
}

/* The caller dies while its callee works: the callee is told, its late answer goes nowhere. */

static atomic_u32 abandoned, begun;

static tn_err worker_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    tn_cap *held = self;
    (void)in;
    (void)out;
    at_add(&begun, 1, SEQ_CST);
    if (turn->method == M_HOLD) {
        KIT_CHECK(tn_defer(held) == TN_OK);
        return TN_DEFERRED;
    }
    if (turn->method == M_ECHO) { /* by the killer, when the caller is dead */
        KIT_CHECK(tn_reply(*held, TN_OK, NULL) == TN_EGONE);
        return TN_OK;
    }
    while (tn_cancelled() == 0)
        KIT_CHECK(kit_pause() == TN_OK);
    at_add(&abandoned, 1, SEQ_CST);
    return TN_OK;
}
KIT_ROLE(worker, .state_size = sizeof(tn_cap), .call = worker_call);

static void doomed_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    uint32_t method = rounds % 2 == 0 ? M_WAIT : M_HOLD;
    KIT_CHECK(tn_call(kit_need("worker"), method, &nothing, NULL, TN_NEVER) == TN_ECANCELLED);
}
KIT_ROLE(doomed, .event = doomed_event);

static void avenger_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    KIT_CHECK(tn_send(kit_need("doomed"), M_ECHO, &nothing, 0) == TN_OK);
    while (at_load(&begun, SEQ_CST) == 0)
        KIT_CHECK(kit_pause() == TN_OK);
    kit_kill(victim);
    while (actor_life(victim->actor) != ACTOR_DEAD)
        KIT_CHECK(kit_pause() == TN_OK);
    if (rounds % 2 != 0)
        KIT_CHECK(tn_call(kit_need("worker"), M_ECHO, &nothing, NULL, TN_NEVER) == TN_OK);
    while (rounds % 2 == 0 && at_load(&abandoned, SEQ_CST) == 0)
        KIT_CHECK(kit_pause() == TN_OK);
    KIT_CHECK(tn_send(kit_need("doomed"), M_ECHO, &nothing, 0) == TN_EGONE);
    kit_done();
}
KIT_ROLE(avenger, .event = avenger_event);

static void caller_dies(struct kit *kit)
{
    rounds = (uint32_t)kit->run + 1;
    at_init(&begun, 0);
    at_init(&abandoned, 0);
    struct kit_actor *first = kit_make(kit, "avenger", &avenger, 0, 1);
    struct kit_actor *work = kit_make(kit, "worker", &worker, 1, 2);
    victim = kit_make(kit, "doomed", &doomed, 1, 1);
    kit_wire(first, "doomed", victim, TN_R_CALL, 0);
    kit_wire(first, "worker", work, TN_R_CALL, 0);
    kit_wire(victim, "worker", work, TN_R_CALL, 0);
    kit_run_all(kit, &first, 1);
}

/* Memory runs out at every page that a scenario takes, of the caller's or of the callee's. What
 * fails leaves no trace. */

enum { POOR_BYTES = 256 * 1024, PAGES = POOR_BYTES / MEM_PAGE };

static uint32_t pages_left;
static bool poor_caller, got_by;

static tn_err rich_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                        struct tn_pack *out)
{
    tn_cap *held = self;
    for (uint32_t i = 0; i < in->ncaps; i++)
        KIT_CHECK(tn_cap_drop(in->caps[i]) == TN_OK);
    if (turn->method == M_HOLD)
        return tn_defer(held) == TN_OK ? TN_DEFERRED : TN_ENOMEM;
    if (turn->method == M_CALL)
        return tn_reply(*held, TN_OK, NULL);
    out->len = in->len < out->size ? in->len : out->size;
    return TN_OK;
}

static void rich_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    for (uint32_t i = 0; i < in->ncaps; i++)
        KIT_CHECK(tn_cap_drop(in->caps[i]) == TN_OK);
}
KIT_ROLE(rich, .state_size = sizeof(tn_cap), .call = rich_call, .event = rich_event);

static bool fine(tn_err err)
{
    KIT_CHECK(err == TN_OK || err == TN_ENOMEM || err == TN_EFULL);
    return err == TN_OK;
}

/* One round of everything that takes memory; true when nothing failed. */
static bool spend(tn_cap to, tn_cap note, tn_cap memory)
{
    static uint8_t bytes[9000];
    uint64_t bits;
    tn_cap cap = 0, buf = 0, slice = 0;
    bool all = fine(tn_cap_mint(note, TN_R_ALL, 0, &cap));
    struct tn_pack gift = {.data = bytes, .len = 300, .ncaps = 1, .move = 1, .caps = {cap}};
    struct tn_pack out = {.data = bytes, .size = sizeof(bytes)};
    if (all && !fine(tn_send(to, M_ECHO, &gift, 0))) {
        KIT_CHECK(tn_cap_drop(cap) == TN_OK); /* still ours */
        all = false;
    }
    gift.len = sizeof(bytes);
    gift.caps[0] = 0;
    if (fine(tn_cap_mint(note, TN_R_ALL, 0, &gift.caps[0])) &&
        !fine(tn_call(to, M_ECHO, &gift, &out, TN_NEVER))) {
        /* Still ours, unless the callee had it and then no room to answer. */
        KIT_CHECK(tn_cap_drop(gift.caps[0]) == TN_OK || !poor_caller);
        all = false;
    }
    tn_err err = tn_wait(note, machine_now_ns() + 1000, &bits);
    KIT_CHECK(err == TN_ETIME || err == TN_ENOMEM);
    all = all && err == TN_ETIME;
    all = fine(tn_buf_new(memory, 100, &buf)) && all;
    all = buf != 0 && fine(tn_buf_slice(buf, 1, 2, TN_R_ALL, &slice)) && all;
    KIT_CHECK(buf == 0 || tn_cap_drop(buf) == TN_OK);
    KIT_CHECK(slice == 0 || tn_cap_drop(slice) == TN_OK);
    err = tn_call(to, M_HOLD, &nothing, NULL, machine_now_ns() + 300000);
    KIT_CHECK(err == TN_ETIME || err == TN_ENOMEM || err == TN_EFULL);
    if (err == TN_ETIME) {
        err = tn_call(to, M_CALL, &nothing, NULL, TN_NEVER);
        if (err == TN_EBADCAP) /* it expired before it was held */
            err = TN_EGONE;
        KIT_CHECK(err == TN_EGONE || err == TN_ENOMEM || err == TN_EFULL);
    }
    return all && err == TN_EGONE;
}

static void poor_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    got_by = spend(kit_need("rich"), kit_need("note"), kit_need("memory"));
    kit_done();
}
KIT_ROLE(poor, .event = poor_event);

static void poverty(struct kit *kit)
{
    struct note *note = kit_note();
    const struct kit_config little = {.name = "poor", .mailbox = 4, .memory_bytes = POOR_BYTES};
    const struct kit_config enough = {.name = "rich", .cpu = 1, .mailbox = 4};
    struct kit_actor *from = kit_make_with(kit, poor_caller ? &little : &enough, &poor);
    struct kit_actor *to = kit_make_with(kit, poor_caller ? &enough : &little, &rich);
    kit_wire(from, "rich", to, TN_R_CALL, 0);
    kit_give(from, "note", note_object(note), TN_R_ALL);
    kit_memory(from, "memory", 65536);
    struct untyped *memory = poor_caller ? from->memory : to->memory;
    void *pages[PAGES];
    uint32_t n = 0;
    while (n < PAGES && (pages[n] = mem_alloc(memory, MEM_PAGE)) != NULL)
        n++;
    assert_true(n < PAGES && n > pages_left);
    for (uint32_t i = 0; i < pages_left; i++)
        mem_free(memory, pages[--n], MEM_PAGE);
    kit_run_all(kit, &from, 1);
    while (n > 0)
        mem_free(memory, pages[--n], MEM_PAGE);
}

/* A sender without memory takes the only credit and gives it back; who began to wait for it in that
 * moment must not be left waiting. */

enum { RIVAL_SENDS = 20 };

static void rival_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    for (uint32_t i = 0; i < RIVAL_SENDS; i++) {
        bool broke = turn->badge == 0;
        tn_err err = tn_send(kit_need("rich"), M_ECHO, &nothing, broke ? 0 : TN_SEND_WAIT);
        KIT_CHECK(broke ? err == TN_ENOMEM || err == TN_EFULL : err == TN_OK);
        err = broke ? tn_call(kit_need("rich"), M_ECHO, &nothing, NULL, TN_NEVER) : TN_ENOMEM;
        KIT_CHECK(err == TN_OK || err == TN_ENOMEM || err == TN_EFULL);
        KIT_CHECK(kit_pause() == TN_OK);
    }
    kit_done();
}
KIT_ROLE(rival, .event = rival_event);

static void rivals(struct kit *kit)
{
    struct kit_actor *drivers[2], *to = kit_make(kit, "rich", &rich, 2, 1);
    for (uint32_t i = 0; i < 2; i++) {
        const struct kit_config config = {
            .name = "rival", .cpu = i, .mailbox = 1, .memory_bytes = i == 0 ? POOR_BYTES : 0};
        drivers[i] = kit_make_with(kit, &config, &rival);
        kit_wire(drivers[i], "rich", to, TN_R_CALL, 0);
    }
    void *pages[PAGES];
    uint32_t n = 0;
    while (n < PAGES && (pages[n] = mem_alloc(drivers[0]->memory, MEM_PAGE)) != NULL)
        n++;
    kit_run_all(kit, drivers, 2);
    while (n > 0)
        mem_free(drivers[0]->memory, pages[--n], MEM_PAGE);
}

static void test_memory_runs_out(void **state)
{
    (void)state;
    for (uint32_t who = 0; who < 2; who++) {
        poor_caller = who == 0;
        got_by = false;
        for (pages_left = 0; !got_by; pages_left++) {
            assert_true(pages_left < 40);
            explore(&(struct explore){.scenario = poverty});
        }
        assert_true(pages_left > 3);
    }
    explore(&(struct explore){.scenario = rivals});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deaths),
        EXPLORE(caller_dies),
        cmocka_unit_test(test_memory_runs_out),
    };
    return cmocka_run_group_tests_name("kill", tests, NULL, NULL);
}
