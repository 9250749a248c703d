/* cases_ipc_test.c: capabilities as messages use them, case by case (cases_test.c has the table of
 * groups): badges and their revoke, replies that are used once, the right that each operation
 * needs, and what is bound to an actor. In actors, under many schedules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bits.h"
#include "tests/kit/explore.h"

enum {
    BADGES = 4,
    SENDS = 6,
    REPLIES = 800, /* in one schedule; ./dev sim tries a thousand */
    M_ONE = TN_METHOD(9, 1),
    M_LATER = TN_METHOD(9, 2),
    M_SLOW = TN_METHOD(9, 3),
};

static const struct tn_pack nothing;

/* The server: counts what comes by badge, answers later when asked to. */

static atomic_u32 came[BADGES + 1];

static void server_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    KIT_CHECK(turn->badge <= BADGES);
    at_add(&came[turn->badge], 1, SEQ_CST);
}

static tn_err server_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    (void)self;
    (void)in;
    (void)out;
    if (turn->method == M_SLOW)
        return tn_yield();
    if (turn->method != M_LATER)
        return TN_OK;
    tn_cap reply = 0, copy = 0;
    KIT_CHECK(tn_defer(&reply) == TN_OK);
    KIT_CHECK(tn_cap_mint(reply, TN_R_ALL, 0, &copy) == TN_ERIGHTS);
    KIT_CHECK(tn_cap_revoke(reply) == TN_ERIGHTS);
    KIT_CHECK(tn_call(reply, M_ONE, &nothing, NULL, TN_NEVER) == TN_ETYPE);
    KIT_CHECK(tn_reply(reply, 7, NULL) == TN_OK);
    KIT_CHECK(tn_reply(reply, TN_OK, NULL) == TN_EBADCAP);
    return TN_DEFERRED;
}
KIT_ROLE(server, .call = server_call, .event = server_event);

static tn_err call(tn_cap to, uint32_t method)
{
    return tn_call(to, method, &nothing, NULL, TN_NEVER);
}

static struct kit_actor *with_server(struct kit *kit, const struct tn_component *driver)
{
    struct kit_actor *to = kit_make(kit, "server", &server, 1, 64);
    struct kit_actor *from = kit_make(kit, "driver", driver, 0, 4);
    kit_wire(from, "server", to, TN_R_ALL, 0);
    return from;
}

/* Nothing is sent with a badge any more once its capability's revoke has returned; what was sent
 * before arrives once, and the other badges know nothing of it. */
static void badges_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    tn_cap badged[BADGES + 1], user[BADGES + 1];
    uint32_t sent[BADGES + 1] = {0};
    for (uint32_t b = 1; b <= BADGES; b++) {
        KIT_CHECK(tn_cap_mint(kit_need("server"), TN_R_ALL, b, &badged[b]) == TN_OK);
        KIT_CHECK(tn_cap_mint(badged[b], TN_R_CALL, 0, &user[b]) == TN_OK);
    }
    for (uint32_t i = 0; i < SENDS; i++) {
        for (uint32_t b = 1; b <= BADGES; b++) {
            tn_err err = tn_send(user[b], M_ONE, &nothing, TN_SEND_WAIT);
            KIT_CHECK(err == (b % 2 == 1 && i > SENDS / 2 ? TN_EBADCAP : TN_OK));
            sent[b] += err == TN_OK;
        }
        if (i == SENDS / 2) {
            for (uint32_t b = 1; b <= BADGES; b += 2)
                KIT_CHECK(tn_cap_revoke(badged[b]) == TN_OK);
        }
    }
    KIT_CHECK(call(user[1], M_ONE) == TN_EBADCAP);
    KIT_CHECK(call(user[2], M_ONE) == TN_OK); /* behind all that was sent */
    for (uint32_t b = 1; b <= BADGES; b++)
        KIT_CHECK(at_load(&came[b], SEQ_CST) == sent[b]);
    /* The badge itself is not used up: its holder gives it out again. */
    KIT_CHECK(tn_cap_mint(badged[1], TN_R_CALL, 1, &user[1]) == TN_OK);
    KIT_CHECK(call(user[1], M_ONE) == TN_OK);
    kit_done();
}
KIT_ROLE(badges, .event = badges_event);

static void badges_scenario(struct kit *kit)
{
    for (uint32_t b = 0; b <= BADGES; b++)
        at_init(&came[b], 0);
    struct kit_actor *driver = with_server(kit, &badges);
    kit_run_all(kit, &driver, 1);
}

static void cancel_badged_sends_by_revoke(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = badges_scenario});
}

/* A reply is used once, is nobody else's, and its object's memory comes back each time: the kit
 * compares the kernel's memory at the end. */
static void replies_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < REPLIES; i++)
        KIT_CHECK(call(kit_need("server"), M_LATER) == 7);
    kit_done();
}
KIT_ROLE(replies, .event = replies_event);

static void replies_scenario(struct kit *kit)
{
    struct kit_actor *driver = with_server(kit, &replies);
    kit_run_all(kit, &driver, 1);
}

static void ipc_reply_is_used_once(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = replies_scenario, .cpus_max = 2});
}

/* A call that is under way when its capability is revoked ends as it would have; none begins
 * afterwards. */
static atomic_u32 user_ended;

static void revoker_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    struct tn_pack gift = {.ncaps = 1, .caps = {kit_need("server")}};
    KIT_CHECK(tn_send(kit_need("user"), M_ONE, &gift, 0) == TN_OK);
    for (uint32_t i = 0; i < 3; i++)
        KIT_CHECK(call(kit_need("server"), M_SLOW) == TN_OK);
    KIT_CHECK(tn_cap_revoke(kit_need("server")) == TN_OK);
    KIT_CHECK(call(kit_need("server"), M_SLOW) == TN_OK);
    while (at_load(&user_ended, SEQ_CST) == 0) {
        machine_relax();
        KIT_CHECK(tn_yield() == TN_OK);
    }
    kit_done();
}
KIT_ROLE(revoker, .event = revoker_event);

static void user_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    tn_err err;
    do {
        machine_relax(); /* others get on under a schedule by priorities too */
        err = call(in->caps[0], M_SLOW);
        KIT_CHECK(err == TN_OK || err == TN_EBADCAP);
    } while (err == TN_OK);
    at_store(&user_ended, 1, SEQ_CST);
}
KIT_ROLE(user, .event = user_event);

static void under_way_scenario(struct kit *kit)
{
    at_init(&user_ended, 0);
    struct kit_actor *from = with_server(kit, &revoker);
    kit_wire(from, "user", kit_make(kit, "user", &user, 2, 4), TN_R_CALL, 0);
    kit_run_all(kit, &from, 1);
}

static void ipc_call_under_way_survives_a_revoke(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = under_way_scenario});
}

/* Each operation with each set of rights: refused just where the right that it needs is missing. */

static tn_err do_call(tn_cap cap)
{
    return call(cap, M_ONE);
}

static tn_err do_send(tn_cap cap)
{
    return tn_send(cap, M_ONE, &nothing, TN_SEND_WAIT);
}

static tn_err do_signal(tn_cap cap)
{
    return tn_signal(cap, 1);
}

static tn_err do_wait(tn_cap cap)
{
    uint64_t bits;
    KIT_CHECK(tn_signal(kit_need("note"), 2) == TN_OK);
    return tn_wait(cap, TN_NEVER, &bits);
}

static tn_err do_timer(tn_cap cap)
{
    return tn_timer_set(cap, TN_NEVER, 0);
}

static tn_err do_buf_new(tn_cap cap)
{
    tn_cap made = 0;
    tn_err err = tn_buf_new(cap, 100, &made);
    return err == TN_OK ? tn_cap_drop(made) : err;
}

static tn_err do_map(tn_cap cap, uint32_t how)
{
    void *at = NULL;
    tn_err err = tn_buf_map(cap, 0, 10, how, &at);
    return err == TN_OK ? tn_buf_unmap(cap, at) : err;
}

static tn_err do_map_read(tn_cap cap)
{
    return do_map(cap, TN_MAP_READ);
}

static tn_err do_map_write(tn_cap cap)
{
    return do_map(cap, TN_MAP_WRITE);
}

static tn_err do_map_both(tn_cap cap)
{
    return do_map(cap, TN_MAP_READ | TN_MAP_WRITE);
}

static tn_err do_slice(tn_cap cap)
{
    tn_cap made = 0;
    tn_err err = tn_buf_slice(cap, 1, 2, TN_R_ALL, &made);
    return err == TN_OK ? tn_cap_drop(made) : err;
}

static tn_err do_mint(tn_cap cap)
{
    tn_cap made = 0;
    tn_err err = tn_cap_mint(cap, TN_R_ALL, 0, &made);
    return err == TN_OK ? tn_cap_drop(made) : err;
}

static tn_err do_give(tn_cap cap)
{
    struct tn_pack gift = {.ncaps = 1, .caps = {cap}};
    return tn_send(kit_need("server"), M_ONE, &gift, TN_SEND_WAIT);
}

static tn_err do_revoke(tn_cap cap)
{
    return tn_cap_revoke(cap);
}

static const struct {
    tn_err (*run)(tn_cap cap);
    const char *need; /* what it is done to */
    uint32_t rights;  /* that it takes */
} operations[] = {
    {do_call, "server", TN_R_CALL},
    {do_send, "server", TN_R_CALL},
    {do_signal, "note", TN_R_WRITE},
    {do_wait, "note", TN_R_READ},
    {do_timer, "timer", TN_R_WRITE},
    {do_buf_new, "memory", TN_R_WRITE},
    {do_map_read, "buffer", TN_R_READ},
    {do_map_write, "buffer", TN_R_WRITE},
    {do_map_both, "buffer", TN_R_READ | TN_R_WRITE},
    {do_slice, "buffer", TN_R_GRANT},
    {do_mint, "note", TN_R_GRANT},
    {do_give, "note", TN_R_GRANT},
    {do_revoke, "note", TN_R_CONTROL},
};

/* The right types of all, to be confused. */
static const char *const needs[] = {"server", "note", "timer", "memory", "buffer"};

static void rights_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < ARRAY_LEN(operations); i++) {
        for (uint32_t rights = 0; rights <= TN_R_ALL; rights++) {
            tn_cap cap = 0;
            KIT_CHECK(tn_cap_mint(kit_need(operations[i].need), rights, 0, &cap) == TN_OK);
            bool enough = (operations[i].rights & ~rights) == 0;
            KIT_CHECK(operations[i].run(cap) == (enough ? TN_OK : TN_ERIGHTS));
            KIT_CHECK(tn_cap_drop(cap) == TN_OK);
            KIT_CHECK(operations[i].run(cap) == TN_EBADCAP);
        }
    }
    kit_done();
}
KIT_ROLE(rights, .event = rights_event);

static void types_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < ARRAY_LEN(operations); i++) {
        if ((operations[i].rights & (TN_R_GRANT | TN_R_CONTROL)) != 0 &&
            operations[i].run != do_slice)
            continue; /* those are done to anything */
        for (uint32_t k = 0; k < ARRAY_LEN(needs); k++) {
            tn_cap right = kit_need(operations[i].need), cap = kit_need(needs[k]);
            if (right != cap)
                KIT_CHECK(operations[i].run(cap) == TN_ETYPE);
        }
    }
    kit_done();
}
KIT_ROLE(types, .event = types_event);

static void with_everything(struct kit *kit, const struct tn_component *component)
{
    for (uint32_t b = 0; b <= BADGES; b++)
        at_init(&came[b], 0);
    struct kit_actor *driver = with_server(kit, component);
    struct buffer *buffer = NULL;
    struct kernel *kernel = kit->kernel;
    kit_give(driver, "note", note_object(kit_note()), TN_R_ALL);
    kit_timer(driver, "timer");
    kit_memory(driver, "memory", 1 << 16);
    assert_int_equal(buffer_make(kernel->root, &kernel->limbo, 100, &buffer), TN_OK);
    kit_give(driver, "buffer", buffer_object(buffer), TN_R_ALL);
    kit_run_all(kit, &driver, 1);
}

static void rights_scenario(struct kit *kit)
{
    with_everything(kit, &rights);
}

static void types_scenario(struct kit *kit)
{
    with_everything(kit, &types);
}

static void ipcrights_each_operation_needs_its_right(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = rights_scenario});
}

static void ipcrights_each_operation_needs_its_type(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = types_scenario});
}

/* What is bound to an actor: a notification's bits wait for it, a timer's message comes to it and
 * not into the middle of a turn that waits. */
enum { TICK_NS = 1000000, COOKIE = 99 };

static atomic_u32 ticked;

static void bound_timer(void *self, const struct tn_turn *turn)
{
    (void)self;
    KIT_CHECK(turn->cookie == COOKIE && turn->cls == MSG_TIMER_EXPIRED);
    at_store(&ticked, 1, SEQ_CST);
    kit_done();
}

static void bound_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    uint64_t bits = 0;
    tn_cap note = kit_need("note");
    /* Signals before the wait gather, are taken at once and all, and then are gone. */
    KIT_CHECK(tn_signal(note, 1) == TN_OK && tn_signal(note, 4) == TN_OK);
    KIT_CHECK(tn_wait(note, TN_NEVER, &bits) == TN_OK && bits == 5);
    KIT_CHECK(tn_wait(note, turn->now, &bits) == TN_ETIME && bits == 5);
    /* The timer fires while the turn waits for something else: its message comes afterwards. */
    KIT_CHECK(tn_timer_set(kit_need("timer"), turn->now + TICK_NS, COOKIE) == TN_OK);
    KIT_CHECK(tn_wait(note, turn->now + 3 * TICK_NS, &bits) == TN_ETIME);
    KIT_CHECK(call(kit_need("server"), M_SLOW) == TN_OK);
    KIT_CHECK(at_load(&ticked, SEQ_CST) == 0);
    /* With the memory that it is made of, but not its own capability: gone for everybody. */
    tn_cap buffer = 0, copy = 0;
    KIT_CHECK(tn_buf_new(kit_need("memory"), 1000, &buffer) == TN_OK);
    KIT_CHECK(tn_cap_mint(buffer, TN_R_READ, 0, &copy) == TN_OK);
    KIT_CHECK(tn_cap_revoke(kit_need("memory")) == TN_OK);
    KIT_CHECK(do_map_read(buffer) == TN_EBADCAP && do_map_read(copy) == TN_EBADCAP);
}
KIT_ROLE(bound, .event = bound_event, .timer = bound_timer);

static void bound_scenario(struct kit *kit)
{
    at_init(&ticked, 0);
    with_everything(kit, &bound);
}

static void bind_signals_and_timers(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = bound_scenario});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cancel_badged_sends_by_revoke),
        cmocka_unit_test(ipc_reply_is_used_once),
        cmocka_unit_test(ipc_call_under_way_survives_a_revoke),
        cmocka_unit_test(ipcrights_each_operation_needs_its_right),
        cmocka_unit_test(ipcrights_each_operation_needs_its_type),
        cmocka_unit_test(bind_signals_and_timers),
    };
    return cmocka_run_group_tests_name("cap_cases_ipc", tests, NULL, NULL);
}
