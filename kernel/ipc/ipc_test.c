/* ipc_test.c: calls, sends, replies, notifications, timers and the death of actors, under many
 * schedules of the simulated machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine/sim/sim.h"
#include "tests/kit/kit.h"

enum {
    SEEDS_DEFAULT = 20,
    M_ECHO = TN_METHOD(9, 1),
    M_FORWARD = TN_METHOD(9, 2),
    M_NOTE = TN_METHOD(9, 3),
    M_HOLD = TN_METHOD(9, 4),
    M_RELEASE = TN_METHOD(9, 5),
    M_SLEEP = TN_METHOD(9, 6),
    M_DIE = TN_METHOD(9, 7)
};

/* echo: answers with its arguments; holds, forwards and sleeps when asked to. */
struct echo {
    uint64_t got, sum, next[8];
    tn_cap held;
};

static tn_err echo_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                        struct tn_pack *out)
{
    struct echo *echo = self;
    echo->got++;
    if (turn->method == M_ECHO) {
        memcpy(out->data, in->data, in->len);
        out->len = in->len;
        return TN_OK;
    }
    if (turn->method == M_FORWARD) {
        struct tn_pack back = {.data = out->data, .size = out->size};
        tn_err err = tn_call(kit_need("next"), M_FORWARD, in, &back, TN_NEVER);
        out->len = back.len;
        return err;
    }
    if (turn->method == M_HOLD) {
        KIT_CHECK(echo->held == 0);
        tn_err err = tn_defer(&echo->held);
        return err != TN_OK ? err : TN_DEFERRED;
    }
    if (turn->method == M_RELEASE) {
        struct tn_pack answer = {.data = (void *)(uintptr_t) "held", .len = 4};
        tn_cap held = echo->held;
        echo->held = 0;
        return tn_reply(held, TN_OK, &answer);
    }
    if (turn->method == M_SLEEP) {
        uint64_t bits;
        tn_err err = tn_wait(kit_need("note"), turn->now + 5000000, &bits);
        return err;
    }
    return TN_EMETHOD;
}

/* Events carry (sender, number): order per sender is checked. */
static void echo_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    struct echo *echo = self;
    uint64_t number;
    KIT_CHECK(in->len >= sizeof(number));
    memcpy(&number, in->data, sizeof(number));
    KIT_CHECK(turn->badge < 8 && echo->next[turn->badge] == number);
    echo->next[turn->badge] = number + 1;
    echo->sum += number;
    echo->got++;
}

static const struct tn_component echo_component = {.abi = TN_ABI,
                                                   .size = sizeof(struct tn_component),
                                                   .state_size = sizeof(struct echo),
                                                   .call = echo_call,
                                                   .event = echo_event};

static void boot(struct kit *kit, uint64_t seed, uint32_t cpus)
{
    struct sim_machine sim = {.seed = seed,
                              .cpus = cpus,
                              .memory_bytes = 64 << 20,
                              .schedule = seed % 2 == 0 ? SIM_RANDOM : SIM_PCT};
    assert_int_equal(sim_machine_init(&sim), 0);
    kit_boot(kit);
}

static void end(struct kit *kit)
{
    struct sim_stats stats = sim_machine_stats();
    assert_false(stats.deadlock);
    assert_false(stats.hung);
    kit_end(kit);
    sim_machine_destroy();
}

static tn_err call_text(const char *need, uint32_t method, const char *text, char *ret_text,
                        uint32_t *ret_len)
{
    struct tn_pack in = {.data = (void *)(uintptr_t)text, .len = (uint32_t)strlen(text)};
    struct tn_pack out = {.data = ret_text, .size = 100};
    tn_err err = tn_call(kit_need(need), method, &in, &out, TN_NEVER);
    *ret_len = out.len;
    return err;
}

/* Each driver below is one test; main's start runs it. */

static tn_err drive_calls(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    char text[100], big[5000], back[5000];
    uint32_t len = 0;
    for (int i = 0; i < 10; i++) {
        KIT_CHECK(call_text("echo", M_ECHO, "hello", text, &len) == TN_OK);
        KIT_CHECK(len == 5 && memcmp(text, "hello", 5) == 0);
    }
    memset(big, 'x', sizeof(big));
    struct tn_pack in = {.data = big, .len = sizeof(big)};
    struct tn_pack out = {.data = back, .size = sizeof(back)};
    KIT_CHECK(tn_call(kit_need("echo"), M_ECHO, &in, &out, TN_NEVER) == TN_OK);
    KIT_CHECK(out.len == sizeof(big) && memcmp(big, back, sizeof(big)) == 0);
    out.size = 10; /* the callee sees the room, and its answer does not fit */
    in.len = 10;
    KIT_CHECK(tn_call(kit_need("echo"), M_ECHO, &in, &out, TN_NEVER) == TN_OK);
    KIT_CHECK(tn_call(kit_need("echo"), TN_METHOD(9, 99), &in, &out, TN_NEVER) == TN_EMETHOD);
    KIT_CHECK(tn_call(kit_need("echo"), TN_METHOD(0, 1), &in, &out, TN_NEVER) == TN_EMETHOD);
    KIT_CHECK(tn_call(kit_need("mute"), M_ECHO, &in, &out, TN_NEVER) == TN_ERIGHTS);
    KIT_CHECK(tn_call(12345, M_ECHO, &in, &out, TN_NEVER) == TN_EBADCAP);
    KIT_CHECK(tn_call(0, M_ECHO, &in, &out, TN_NEVER) == TN_EBADCAP);
    KIT_CHECK(tn_call(kit_need("echo"), M_ECHO, &in, &out, turn->now) == TN_ETIME);
    in.len = TN_ARGS_MAX + 1;
    KIT_CHECK(tn_call(kit_need("echo"), M_ECHO, &in, &out, TN_NEVER) == TN_ETOOBIG);
    KIT_CHECK(call_text("self", M_ECHO, "me", text, &len) == TN_EDEADLK);
    KIT_CHECK(call_text("circle", M_FORWARD, "round", text, &len) == TN_EDEADLK);
    kit_stop();
    return TN_OK;
}

#define DRIVER(fn)                                      \
    static const struct tn_component fn##_component = { \
        .abi = TN_ABI, .size = sizeof(struct tn_component), .start = fn}
DRIVER(drive_calls);

static void test_calls(void **state)
{
    (void)state;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        for (uint32_t cpus = 1; cpus <= 3; cpus++) {
            struct kit kit;
            boot(&kit, seed, cpus);
            struct kit_actor *main_ = kit_make(&kit, "main", &drive_calls_component, 0, 8);
            struct kit_actor *echo = kit_make(&kit, "echo", &echo_component, 1, 8);
            struct kit_actor *a = kit_make(&kit, "a", &echo_component, 2, 8);
            struct kit_actor *b = kit_make(&kit, "b", &echo_component, 0, 8);
            kit_wire(main_, "echo", echo, TN_R_CALL, 1);
            kit_wire(main_, "mute", echo, TN_R_READ, 1);
            kit_wire(main_, "self", main_, TN_R_CALL, 1);
            kit_wire(main_, "circle", a, TN_R_CALL, 1);
            kit_wire(a, "next", b, TN_R_CALL, 1);
            kit_wire(b, "next", main_, TN_R_CALL, 1);
            kit_run(&kit, main_);
            end(&kit);
        }
    }
}

enum { SENDS = 40 };

/* Waits until both senders have signalled. */
static tn_err drive_collect(void *self, const struct tn_turn *turn)
{
    (void)self;
    uint64_t bits = 0, got;
    tn_err err = TN_OK;
    while (err == TN_OK && bits != 3) {
        err = tn_wait(kit_need("done"), TN_NEVER, &got);
        bits |= got;
    }
    KIT_CHECK(err == TN_OK);
    char text[100];
    uint32_t len;
    err = call_text("echo", M_ECHO, "after", text, &len);

    for (tn_time at = turn->now; err == TN_EFULL; at += 1000000) {
        KIT_CHECK(tn_wait(kit_need("done"), at, &got) == TN_ETIME);
        err = call_text("echo", M_ECHO, "after", text, &len);
    }
    KIT_CHECK(err == TN_OK);
    kit_stop();
    return TN_OK;
}

static void send_all(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    tn_cap to = kit_need("echo");
    for (uint64_t i = 0; i < SENDS; i++) {
        uint8_t bytes[200] = {0};
        memcpy(bytes, &i, sizeof(i));
        struct tn_pack pack = {.data = bytes, .len = i % 5 == 0 ? 200 : 8};
        KIT_CHECK(tn_send(to, M_NOTE, &pack, TN_SEND_WAIT) == TN_OK);
    }
    KIT_CHECK(tn_signal(kit_need("done"), turn->badge) == TN_OK);
}

static const struct tn_component sender_component = {
    .abi = TN_ABI, .size = sizeof(struct tn_component), .event = send_all};

static tn_err drive_order(void *self, const struct tn_turn *turn)
{
    struct tn_pack none = {0};
    KIT_CHECK(tn_send(kit_need("a"), M_NOTE, &none, 0) == TN_OK);
    KIT_CHECK(tn_send(kit_need("b"), M_NOTE, &none, 0) == TN_OK);
    return drive_collect(self, turn);
}
DRIVER(drive_order);

static void test_order_and_backpressure(void **state)
{
    (void)state;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        for (uint32_t cpus = 1; cpus <= 3; cpus++) {
            struct kit kit;
            boot(&kit, seed, cpus);
            struct kit_actor *main_ = kit_make(&kit, "main", &drive_order_component, 0, 8);
            struct kit_actor *echo = kit_make(&kit, "echo", &echo_component, 1, 4);
            struct kit_actor *a = kit_make(&kit, "a", &sender_component, 2, 8);
            struct kit_actor *b = kit_make(&kit, "b", &sender_component, 0, 8);
            struct note *done = NULL;
            assert_int_equal(note_make(kit.kernel->root, &kit.kernel->limbo, &done), TN_OK);
            object_ref(note_object(done));
            object_ref(note_object(done));
            kit_give(main_, "done", note_object(done), TN_R_READ);
            kit_give(a, "done", note_object(done), TN_R_WRITE);
            kit_give(b, "done", note_object(done), TN_R_WRITE);
            kit_wire(main_, "a", a, TN_R_CALL, 1);
            kit_wire(main_, "b", b, TN_R_CALL, 2);
            kit_wire(main_, "echo", echo, TN_R_CALL, 5);
            kit_wire(a, "echo", echo, TN_R_CALL, 1);
            kit_wire(b, "echo", echo, TN_R_CALL, 2);
            kit_run(&kit, main_);
            assert_int_equal(actor_account(echo->actor).messages_processed, 2 * SENDS);
            end(&kit);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_order_and_backpressure),
    };
    return cmocka_run_group_tests_name("ipc", tests, NULL, NULL);
}
