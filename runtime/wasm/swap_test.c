/* swap_test.c: one component swapped between the domains under load, its count intact; guests that
 * fall in save or restore; swaps that end at any moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "base/ring.h"
#include "machine/sim/sim.h"
#include "runtime/kernel/native.h"
#include "runtime/wasm/guest.h"
#include "tests/kit/kit.h"

extern const struct tn_component counter_component, counter2_component; /* test/counter.c */

enum {
    SEEDS_DEFAULT = 12,
    MEMORY = 6 << 20,
    CODE_MAX = 1 << 20,
    SENDERS = 3,
    SENDS = 60,
    CONFIG_LEN = 7,
    E_SAVE = 77,
};
enum { COUNT = 1, ASK, MODE, HOLD, ANSWER, TAKE, NOTE, SLEEP };
enum mode { WELL, SAVE_FAILS, SAVE_LONG, SAVE_TRAPS, RESTORE_TRAPS, RESTORE_LOOPS, RESTORE_LONG };

struct answer {
    uint64_t total, bad, takeovers, loads, starts, version, pointer_bytes, config, holds;
};

static uint8_t *code[2];
static size_t code_len[2];
static struct kit_actor *counter;
static uint32_t nfaults;
static tn_err last_fault;

static tn_err pause_turn(void)
{
    machine_relax();
    return tn_yield();
}

static void on_fault(void *ctx, const struct guest_fault *fault)
{
    (void)ctx;
    nfaults++;
    last_fault = fault->err;
    KIT_CHECK(fault->actor == counter->actor && fault->text != NULL);
}

/* An instance of the counter, in either domain. */
static tn_err make(bool guest, uint32_t version, struct instance **ret)
{
    static const char config[] = "7 bytes";
    const struct native_config native = {
        .component = version == 1 ? &counter_component : &counter2_component,
        .needs = &counter->needs,
        .config = {.data = (void *)(uintptr_t)config, .len = CONFIG_LEN}};
    const struct guest_config wasm = {.needs = counter->needs,
                                      .fuel_per_call = 20000000,
                                      .stack_bytes = 64 << 10,
                                      .restarts_max = 2,
                                      .config = config,
                                      .config_len = CONFIG_LEN,
                                      .on_fault = on_fault};
    struct wasm_error error = {0};
    if (!guest)
        return native_new(counter->actor, &native, ret);
    return guest_new(counter->actor, code[version - 1], code_len[version - 1], &wasm, ret, &error);
}

static tn_err swap_for(struct instance *fresh, uint32_t flags, tn_time deadline)
{
    struct turn *turn = &fiber_self()->turn;
    tn_err err = swap_begin(fiber_self()->cpu, turn, counter->actor, fresh, flags, deadline);
    if (err != IPC_PENDING)
        return err;
    return call_end(turn_wait(fiber_self()->cpu, turn), turn, NULL);
}

/* Memory of what went before may come back a grace period later. */
static tn_err swap_to(bool guest, uint32_t version, uint32_t flags, tn_time deadline)
{
    struct instance *fresh = NULL;
    tn_err err;
    for (uint32_t i = 0; (err = make(guest, version, &fresh)) == TN_ENOMEM && i < 100; i++) {
        if (pause_turn() != TN_OK)
            return TN_ECANCELLED;
    }
    return err != TN_OK ? err : swap_for(fresh, flags, deadline);
}

static tn_err ask_for(struct answer *ret)
{
    struct tn_pack in = {.len = 0}, out = {.data = ret, .size = sizeof(*ret)};
    memset(ret, 0, sizeof(*ret));
    tn_err err;
    while ((err = tn_call(kit_need("counter"), TN_METHOD(902, ASK), &in, &out, TN_NEVER)) ==
           TN_EFULL)
        KIT_CHECK(pause_turn() == TN_OK);
    return err;
}

static struct answer ask(void)
{
    struct answer a;
    KIT_CHECK(ask_for(&a) == TN_OK && a.bad == 0);
    return a;
}

static tn_err call(uint32_t ordinal, uint64_t argument)
{
    struct tn_pack in = {.data = &argument, .len = sizeof(argument)};
    return tn_call(kit_need("counter"), TN_METHOD(902, ordinal), &in, NULL, TN_NEVER);
}

static struct kit_actor *begin(struct kit *kit, uint64_t seed, bool guest,
                               const struct tn_component *driver)
{
    struct sim_machine sim = {.seed = seed,
                              .cpus = 1 + (uint32_t)(seed % 4),
                              .memory_bytes = 128 << 20,
                              .schedule = seed % 2 == 0 ? SIM_RANDOM : SIM_PCT};
    assert_int_equal(sim_machine_init(&sim), 0);
    kit_boot(kit);
    kit->move = seed % 3 == 0;
    nfaults = 0;
    struct kit_actor *main_ = kit_make(kit, "main", driver, 0, 8);
    counter = kit_make_bare(kit, "counter", MEMORY, 1, 8);
    kit_give(counter, "never", note_object(kit_note()), TN_R_READ);
    struct instance *instance = NULL;
    assert_int_equal(make(guest, 1, &instance), TN_OK);
    actor_set_instance(counter->actor, instance);
    assert_true(actor_ready(counter->actor));
    kit_wire(main_, "counter", counter, TN_R_CALL, SENDERS);
    kit_memory(main_, "memory", 64 << 10);
    return main_;
}

static void end(struct kit *kit)
{
    struct sim_stats stats = sim_machine_stats();
    kit_assert();
    assert_false(stats.deadlock || stats.hung);
    kit_end(kit);
    sim_machine_destroy();
}

/* Numbered messages from other CPUs, and calls, while main swaps. */
static void sender_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint64_t i = 0; i < SENDS; i++) {
        struct tn_pack pack = {.data = &i, .len = sizeof(i)};
        KIT_CHECK(tn_send(kit_need("counter"), TN_METHOD(902, COUNT), &pack, TN_SEND_WAIT) ==
                  TN_OK);
        if (i % 16 == 7)
            KIT_CHECK(ask().total > i);
    }
    kit_done();
}
KIT_ROLE(sender, .event = sender_event);

static void conform_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    static const struct {
        bool guest;
        uint32_t version;
    } way[] = {{true, 1}, {false, 1}, {false, 1}, {true, 1},
               {true, 2}, {false, 2}, {true, 2},  {false, 2}};
    for (uint32_t i = 0; i < ARRAY_LEN(way); i++) {
        KIT_CHECK(swap_to(way[i].guest, way[i].version, 0, TN_NEVER) == TN_OK);
        struct answer a = ask();
        KIT_CHECK(a.takeovers == i + 1 && a.version == way[i].version);
        KIT_CHECK(a.pointer_bytes == (way[i].guest ? 4 : sizeof(void *)));
        KIT_CHECK(a.config == CONFIG_LEN && a.loads == 1 && a.starts == 0);
    }
    /* What an older version cannot read it refuses, and the newer one goes on. */
    KIT_CHECK(swap_to(true, 1, 0, TN_NEVER) == TN_EVERSION);
    KIT_CHECK(swap_to(false, 1, 0, TN_NEVER) == TN_EVERSION);
    KIT_CHECK(ask().takeovers == ARRAY_LEN(way));
    while (ask().total < SENDERS * SENDS)
        KIT_CHECK(pause_turn() == TN_OK);
    KIT_CHECK(ask().total == SENDERS * SENDS && nfaults == 0);
    kit_done();
}
KIT_ROLE(conform, .event = conform_event);

static void test_native_and_wasm_under_load(void **state)
{
    (void)state;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        struct kit kit;
        struct kit_actor *drivers[SENDERS + 1];
        drivers[SENDERS] = begin(&kit, seed, false, &conform);
        for (uint32_t i = 0; i < SENDERS; i++) {
            drivers[i] = kit_make(&kit, "sender", &sender, i, 1);
            kit_wire(drivers[i], "counter", counter, TN_R_CALL, i);
        }
        kit_run_all(&kit, drivers, ARRAY_LEN(drivers));
        end(&kit);
    }
}

/* Guests that fall on the way, or take long. */
static void falls_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    KIT_CHECK(call(MODE, SAVE_FAILS) == TN_OK);
    KIT_CHECK(swap_to(true, 1, 0, TN_NEVER) == E_SAVE && ask().takeovers == 0);
    /* The new one falls: the old one goes on, and nobody counts that as a fault of its own. */
    KIT_CHECK(call(MODE, RESTORE_TRAPS) == TN_OK);
    KIT_CHECK(swap_to(true, 1, 0, TN_NEVER) == TN_ETRAP && ask().takeovers == 0);
    KIT_CHECK(nfaults == 1 && last_fault == TN_ETRAP);
    KIT_CHECK(call(MODE, RESTORE_LOOPS) == TN_OK);
    KIT_CHECK(swap_to(true, 1, 0, TN_NEVER) == TN_EFUEL && ask().takeovers == 0);
    tn_err err = swap_to(true, 1, 0, machine_now_ns() + 30000);
    KIT_CHECK((err == TN_ETIME || err == TN_EFUEL) && ask().takeovers == 0);
    /* Many slices, between which others run. */
    KIT_CHECK(call(MODE, RESTORE_LONG) == TN_OK);
    KIT_CHECK(swap_to(true, 1, 0, TN_NEVER) == TN_OK && ask().takeovers == 1);
    KIT_CHECK(call(MODE, SAVE_LONG) == TN_OK);
    KIT_CHECK(swap_to(true, 2, 0, TN_NEVER) == TN_OK && ask().takeovers == 2);
    /* A save that is late is left to end: the instance goes on as it was. */
    KIT_CHECK(call(MODE, SAVE_LONG) == TN_OK);
    err = swap_to(true, 2, 0, machine_now_ns() + 1);
    KIT_CHECK(err == TN_ETIME || err == TN_OK);
    KIT_CHECK(ask().takeovers == (err == TN_OK ? 3 : 2));
    /* A save that traps is a fault like any other: it starts anew, when a message comes. */
    KIT_CHECK(call(MODE, SAVE_TRAPS) == TN_OK);
    nfaults = 0;
    KIT_CHECK(swap_to(true, 2, 0, TN_NEVER) == TN_ETRAP && nfaults == 1);
    /* Not yet: it has nothing to hand on, so the next one begins as it would have. */
    KIT_CHECK(swap_to(true, 2, 0, TN_NEVER) == TN_OK);
    struct answer a = ask();
    KIT_CHECK(a.takeovers == 0 && a.loads == 1 && a.starts == 1 && a.version == 2);
    KIT_CHECK(swap_to(true, 1, SWAP_FRESH, TN_NEVER) == TN_OK && ask().version == 1);
    kit_done();
}
KIT_ROLE(falls, .event = falls_event);

static void test_falls(void **state)
{
    (void)state;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        struct kit kit;
        struct kit_actor *main_ = begin(&kit, seed, true, &falls);
        kit_run_all(&kit, &main_, 1);
        end(&kit);
    }
}

/* What an instance holds: a call that it owes, a record that nobody was told of; a turn that waits.
 */
enum { NOT_YET = -1000 };
static uint32_t held_method;
static tn_err held_result;

static void holder_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    held_result = call(held_method, 0);
    kit_done();
}
KIT_ROLE(holder, .event = holder_event);

static uint64_t read_note(tn_cap consumer)
{
    struct ring_consumer ring;
    void *at;
    uint64_t size, number = 0;
    uint32_t len = 0;
    KIT_CHECK(tn_chan_map(consumer, &at, &size) == TN_OK);
    KIT_CHECK(ring_consume(&ring, at, size) == TN_OK);
    KIT_CHECK(ring_read(&ring, &number, sizeof(number), &len) == TN_OK && len == sizeof(number));
    ring_release(&ring);
    return number;
}

static void holds_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    tn_cap producer, consumer;
    KIT_CHECK(tn_chan_new(kit_need("memory"), 1024, &producer, &consumer) == TN_OK);
    struct tn_pack give = {.ncaps = 1, .move = 1, .caps = {producer}};
    KIT_CHECK(tn_call(kit_need("counter"), TN_METHOD(902, TAKE), &give, NULL, TN_NEVER) == TN_OK);
    while (ask().holds == 0)
        KIT_CHECK(pause_turn() == TN_OK);
    for (uint64_t i = 0; i < 4; i++) {
        KIT_CHECK(call(NOTE, 0) == TN_OK);
        KIT_CHECK(swap_to(i % 2 != 0, 2, 0, TN_NEVER) == TN_OK);
        /* The first version has not handed on how many there were. */
        KIT_CHECK(read_note(consumer) == (i == 0 ? 1 : i));
    }
    KIT_CHECK(call(ANSWER, 0) == TN_OK);
    kit_done();
}
KIT_ROLE(holds, .event = holds_event);

static void cancels_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint64_t i = 1; held_result == NOT_YET; i++) {
        KIT_CHECK(swap_to(i % 2 != 0, 1, SWAP_CANCEL, TN_NEVER) == TN_OK);
        KIT_CHECK(pause_turn() == TN_OK);
    }
    KIT_CHECK(ask().takeovers > 0);
    kit_done();
}
KIT_ROLE(cancels, .event = cancels_event);

static void with_holder(const struct tn_component *driver, uint32_t method, tn_err result)
{
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        struct kit kit;
        struct kit_actor *drivers[2] = {begin(&kit, seed, true, driver)};
        held_method = method;
        held_result = NOT_YET;
        drivers[1] = kit_make(&kit, "holder", &holder, 0, 1);
        kit_wire(drivers[1], "counter", counter, TN_R_CALL, 0);
        kit_run_all(&kit, drivers, 2);
        assert_int_equal(held_result, result);
        end(&kit);
    }
}

static void test_what_it_holds(void **state)
{
    (void)state;
    with_holder(&holds, HOLD, 5);
}

static void test_a_turn_that_waits_is_told_to_end(void **state)
{
    (void)state;
    with_holder(&cancels, SLEEP, TN_ECANCELLED);
}

/* Killed at any moment of swaps that take long: nothing is left of either instance. */
static uint32_t moment;

static void doomed_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    tn_err err = TN_OK;
    for (uint32_t i = moment; err != TN_EGONE; i++) {
        uint64_t mode = i % 2 == 0 ? SAVE_LONG : RESTORE_LONG;
        struct tn_pack pack = {.data = &mode, .len = sizeof(mode)};
        err = tn_call(kit_need("counter"), TN_METHOD(902, MODE), &pack, NULL, TN_NEVER);
        KIT_CHECK(err == TN_OK || err == TN_EGONE);
        if (err == TN_OK)
            err = swap_to(i % 3 != 0, 1, i % 5 == 0 ? SWAP_FRESH : 0, TN_NEVER);
        KIT_CHECK(err == TN_OK || err == TN_EGONE);
    }
    kit_done();
}
KIT_ROLE(doomed, .event = doomed_event);

static void killer_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < moment * 7 % 50; i++) {
        KIT_CHECK(pause_turn() == TN_OK);
    }
    kit_kill(counter);
    kit_done();
}
KIT_ROLE(killer, .event = killer_event);

static void test_killed_at_any_moment(void **state)
{
    (void)state;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(4 * SEEDS_DEFAULT, &seed);) {
        struct kit kit;
        struct kit_actor *drivers[2] = {begin(&kit, seed, seed % 2 == 0, &doomed)};
        moment = (uint32_t)seed;
        drivers[1] = kit_make(&kit, "killer", &killer, 0, 1);
        kit_run_all(&kit, drivers, 2);
        end(&kit);
    }
}

static void read_code(const char *path, uint32_t i)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    code[i] = malloc(CODE_MAX);
    code_len[i] = fread(code[i], 1, CODE_MAX, file);
    assert_true(code_len[i] > 0 && code_len[i] < CODE_MAX);
    fclose(file);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s COUNTER.WASM COUNTER2.WASM\n", argv[0]);
        return 2;
    }
    read_code(argv[1], 0);
    read_code(argv[2], 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_native_and_wasm_under_load),
        cmocka_unit_test(test_falls),
        cmocka_unit_test(test_what_it_holds),
        cmocka_unit_test(test_a_turn_that_waits_is_told_to_end),
        cmocka_unit_test(test_killed_at_any_moment),
    };
    int failed = cmocka_run_group_tests_name("guest_swap", tests, NULL, NULL);
    free(code[0]);
    free(code[1]);
    return failed;
}
