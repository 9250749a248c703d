/* guest_test.c: one component in both domains under many schedules: the same answers, and a guest
 * that traps, loops, recurses or reaches outside is contained and starts anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "machine/sim/sim.h"
#include "runtime/kernel/native.h"
#include "runtime/wasm/guest_int.h"
#include "tests/kit/kit.h"
#include <tenon/interface.h>

extern const struct tn_component probe_component; /* test/probe.c, linked */

enum { SEEDS_DEFAULT = 10, MEMORY = 4 << 20, CONFIG_LEN = 7, FUEL = 5000000 };

static uint8_t *code;
static size_t code_len;
static uint32_t faults[64];
static uint32_t nfaults;
static uint64_t fuel_per_call = FUEL;
static size_t stack_left = SIZE_MAX; /* where it was deepest when a fault was told */

static void on_fault(void *ctx, const struct guest_fault *fault)
{
    (void)ctx;
    if (nfaults < 64)
        faults[nfaults++] = (uint32_t)-fault->err;
    KIT_CHECK(fault->text != NULL && fault->text[0] != '\0');
    size_t left = (size_t)((char *)__builtin_frame_address(0) - (char *)fiber_self());
    if (left < stack_left)
        stack_left = left;
}

static struct kit_actor *make_probe(struct kit *kit, bool guest, const char *name, uint32_t cpu)
{
    struct kit_actor *a = kit_make_bare(kit, name, MEMORY, cpu, 8);
    struct kernel *kernel = kit->kernel;
    struct note *note = NULL;
    assert_int_equal(note_make(a->memory, &kernel->limbo, &note), TN_OK);
    kit_give(a, "note", note_object(note), TN_R_READ | TN_R_WRITE);
    object_ref(untyped_object(a->memory));
    kit_give(a, "memory", untyped_object(a->memory), TN_R_WRITE);
    if (!guest)
        assert_int_equal(native_make(a->actor, &probe_component, &a->needs), TN_OK);
    return a;
}

/* After the wiring: the guest keeps a copy of its needs. */
static void give_code(struct kit_actor *a, uint32_t restarts)
{
    struct guest_config config = {.needs = a->needs,
                                  .fuel_per_call = fuel_per_call,
                                  .stack_bytes = 64 << 10,
                                  .restarts_max = restarts,
                                  .config = "7 bytes",
                                  .config_len = CONFIG_LEN,
                                  .on_fault = on_fault};
    struct wasm_error error = {0};
    tn_err err = guest_make(a->actor, code, code_len, &config, &error);
    if (err != TN_OK)
        fail_msg("guest_make: %d at %u: %s", err, error.offset, error.text);
}

static tn_err ask(const char *need, uint32_t ordinal, uint64_t *ret)
{
    struct tn_pack in = {.len = 0};
    struct tn_pack out = {.data = ret, .size = sizeof(*ret)};
    *ret = 0;
    return tn_call(kit_need(need), TN_METHOD(900, ordinal), &in, &out, TN_NEVER);
}

/* Until a flooded mailbox has room for a call again. */
static void settle(const char *need, tn_time now)
{
    uint64_t value, bits;
    for (tn_time at = now + 1000000; ask(need, 6, &value) == TN_EFULL; at += 1000000)
        KIT_CHECK(tn_wait(kit_need("note"), at, &bits) == TN_ETIME);
}

static void check_echo(const char *need, uint32_t ordinal, uint32_t len)
{
    static uint8_t in_bytes[TN_ARGS_MAX], out_bytes[TN_ARGS_MAX];
    for (uint32_t i = 0; i < len; i++)
        in_bytes[i] = (uint8_t)(i * 7);
    memset(out_bytes, 0, len);
    struct tn_pack in = {.data = in_bytes, .len = len};
    struct tn_pack out = {.data = out_bytes, .size = sizeof(out_bytes)};
    tn_err err = tn_call(kit_need(need), TN_METHOD(900, ordinal), &in, &out, TN_NEVER);
    KIT_CHECK(err == TN_OK && out.len == len && memcmp(in_bytes, out_bytes, len) == 0);
}

/* The part that both domains answer alike. */
static void drive_same(const char *need)
{
    uint64_t value;
    check_echo(need, 1, 0);
    check_echo(need, 1, 10);
    check_echo(need, 1, 60000);
    check_echo(need, 2, 10);
    check_echo(need, 2, 60000);
    KIT_CHECK(ask(need, 7, &value) == TN_ETIME);
    KIT_CHECK(ask(need, 8, &value) == TN_OK && value == 4950);
    KIT_CHECK(ask(need, 25, &value) == TN_OK && value == 0);
    KIT_CHECK(ask(need, 9, &value) == TN_OK && value == 300000);
    KIT_CHECK(ask(need, 99, &value) == TN_EMETHOD);
    KIT_CHECK(ask(need, 13, &value) == TN_OK && value > 0);
}

static tn_err drive(void *self, const struct tn_turn *turn)
{
    uint64_t value;
    (void)self;
    drive_same("native");
    settle("guest", turn->now);
    drive_same("guest");
    settle("native", turn->now);
    /* What only a sandbox survives. Each leaves a fresh instance: calls begin again at 1. */
    static const struct {
        uint32_t ordinal;
        tn_err err;
    } wild[] = {{3, TN_ETRAP}, {4, TN_EFUEL}, {5, TN_ETRAP}};
    for (uint32_t i = 0; i < 3; i++) {
        KIT_CHECK(ask("guest", wild[i].ordinal, &value) == wild[i].err);
        KIT_CHECK(ask("guest", 6, &value) == TN_OK && value == 1000000 + CONFIG_LEN);
        KIT_CHECK(nfaults == i + 1 && faults[i] == (uint32_t)-wild[i].err);
        check_echo("guest", 1, 100);
    }
    KIT_CHECK(ask("guest", 12, &value) == TN_EFAULT);
    KIT_CHECK(nfaults == 3);
    /* What a lost instance had hoarded does not starve the fresh one. */
    KIT_CHECK(ask("guest", 15, &value) == TN_ETRAP);
    KIT_CHECK(ask("guest", 6, &value) == TN_OK && value == 1000000 + CONFIG_LEN);
    check_echo("guest", 1, 60000);
    /* The one without restarts is gone after its first fault. */
    KIT_CHECK(ask("mortal", 3, &value) == TN_ETRAP);
    KIT_CHECK(ask("mortal", 6, &value) == TN_EGONE);
    kit_stop();
    return TN_OK;
}

static const struct tn_component drive_component = {
    .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive};

/* A kernel with the actor that drives the test. */
static struct kit_actor *begin(struct kit *kit, uint64_t seed, const struct tn_component *driver)
{
    struct sim_machine sim = {.seed = seed,
                              .cpus = 1 + (uint32_t)(seed % 3),
                              .memory_bytes = 128 << 20,
                              .schedule = seed % 2 == 0 ? SIM_RANDOM : SIM_PCT};
    assert_int_equal(sim_machine_init(&sim), 0);
    kit_boot(kit);
    nfaults = 0;
    struct kit_actor *main_ = kit_make(kit, "main", driver, 0, 8);
    kit_give(main_, "note", note_object(kit_note()), TN_R_READ);
    return main_;
}

static void end(struct kit *kit)
{
    struct sim_stats stats = sim_machine_stats();
    assert_false(stats.deadlock);
    assert_false(stats.hung);
    kit_end(kit);
    sim_machine_destroy();
}

static void test_domains(void **state)
{
    (void)state;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        struct kit kit;
        struct kit_actor *main_ = begin(&kit, seed, &drive_component);
        struct kit_actor *native = make_probe(&kit, false, "native", 1);
        struct kit_actor *guest = make_probe(&kit, true, "guest", 2);
        struct kit_actor *mortal = make_probe(&kit, true, "mortal", 0);
        kit_wire(main_, "native", native, TN_R_CALL, 1);
        kit_wire(main_, "guest", guest, TN_R_CALL, 2);
        kit_wire(main_, "mortal", mortal, TN_R_CALL, 3);
        kit_wire(native, "next", guest, TN_R_CALL, 1);
        kit_wire(guest, "next", native, TN_R_CALL, 1);
        give_code(guest, 8);
        give_code(mortal, 0);
        assert_true(actor_ready(native->actor));
        assert_true(actor_ready(guest->actor));
        assert_true(actor_ready(mortal->actor));
        kit_run(&kit, main_);
        assert_true(actor_account(guest->actor).fuel_used > 300000);
        end(&kit);
    }
}

/* One guest, whose "next" is a native probe, and one who calls it. */

static struct kit_actor *lone;
static uint64_t lone_bytes = 64; /* of the buffer of who calls it */

static struct guest *lone_guest(void)
{
    return (struct guest *)lone->actor->instance;
}

static void one_guest(const struct tn_component *driver)
{
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        struct kit kit;
        struct kit_actor *main_ = begin(&kit, seed, driver);
        struct buffer *buffer = NULL;
        assert_int_equal(buffer_make(kit.kernel->root, &kit.kernel->limbo, lone_bytes, &buffer),
                         TN_OK);
        uint64_t size;
        memset(buffer_bytes(buffer, &size), 0x5a, 64);
        kit_give(main_, "buffer", buffer_object(buffer), TN_R_WRITE | TN_R_GRANT);
        struct kit_actor *native = make_probe(&kit, false, "native", 1);
        lone = make_probe(&kit, true, "guest", 2);
        kit_wire(main_, "guest", lone, TN_R_CALL, 1);
        kit_wire(lone, "next", native, TN_R_CALL, 1);
        give_code(lone, 8);
        assert_true(actor_ready(native->actor));
        assert_true(actor_ready(lone->actor));
        kit_run(&kit, main_);
        end(&kit);
    }
}

static void pause_until(tn_time at)
{
    uint64_t bits;
    KIT_CHECK(tn_wait(kit_need("note"), at, &bits) == TN_ETIME);
}

static tn_err drive_gone_caller(void *self, const struct tn_turn *turn)
{
    uint64_t value;
    (void)self;
    KIT_CHECK(ask("guest", 6, &value) == TN_OK);
    uint32_t before = space_count(lone->space);
    struct tn_pack in = {.len = 0}, out = {.ncaps = 1};
    tn_time at = turn->now + 300000;
    tn_err err = tn_call(kit_need("guest"), TN_METHOD(900, 16), &in, &out, at);
    /* The callee's wait ends at the same deadline: on another CPU its answer may win the race. */
    KIT_CHECK(err == TN_ETIME || err == TN_OK);
    pause_until(at + 10000000);
    KIT_CHECK(space_count(lone->space) == before);
    kit_stop();
    return TN_OK;
}

static void test_a_gift_that_nobody_takes_is_not_kept(void **state)
{
    (void)state;
    static const struct tn_component driver = {
        .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive_gone_caller};
    one_guest(&driver);
}

static tn_err drive_peek(void *self, const struct tn_turn *turn)
{
    uint64_t value = 1;
    (void)self;
    (void)turn;
    struct tn_pack in = {.ncaps = 1, .caps = {kit_need("buffer")}};
    struct tn_pack out = {.data = &value, .size = sizeof(value)};
    KIT_CHECK(tn_call(kit_need("guest"), TN_METHOD(900, 17), &in, &out, TN_NEVER) == TN_OK);
    KIT_CHECK(value == 0);
    kit_stop();
    return TN_OK;
}

static void test_the_right_to_write_shows_nothing(void **state)
{
    (void)state;
    static const struct tn_component driver = {
        .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive_peek};
    one_guest(&driver);
}

/* The widest window, for which a guest of this size has no memory; and one that is wider. */
static tn_err drive_wide(void *self, const struct tn_turn *turn)
{
    static const struct {
        uint32_t len;
        tn_err err;
    } maps[] = {{1 << 20, TN_OK},
                {GUEST_MAP_BYTES_MAX, TN_ENOMEM},
                {GUEST_MAP_BYTES_MAX + 1, TN_ETOOBIG},
                {GUEST_MAP_BYTES_MAX + 2, TN_EINVAL}};
    (void)self;
    (void)turn;
    for (uint32_t i = 0; i < ARRAY_LEN(maps); i++) {
        uint64_t value = 1;
        uint32_t len = maps[i].len;
        struct tn_pack in = {.data = &len, .len = 4, .ncaps = 1, .caps = {kit_need("buffer")}};
        struct tn_pack out = {.data = &value, .size = sizeof(value)};
        KIT_CHECK(tn_call(kit_need("guest"), TN_METHOD(900, 26), &in, &out, TN_NEVER) == TN_OK);
        KIT_CHECK(value == (uint32_t)-maps[i].err);
    }
    kit_stop();
    return TN_OK;
}

static void test_a_window_has_a_limit(void **state)
{
    (void)state;
    static const struct tn_component driver = {
        .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive_wide};
    lone_bytes = GUEST_MAP_BYTES_MAX + 1;
    one_guest(&driver);
    lone_bytes = 64;
}

static tn_err drive_copy(void *self, const struct tn_turn *turn)
{
    uint64_t value;
    (void)self;
    (void)turn;
    KIT_CHECK(ask("guest", 18, &value) == TN_EFUEL);
    kit_stop();
    return TN_OK;
}

static void test_copying_costs_fuel(void **state)
{
    (void)state;
    static const struct tn_component driver = {
        .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive_copy};
    one_guest(&driver);
}

static tn_err talk(uint32_t len, uint32_t size, uint32_t times)
{
    uint64_t value;
    uint32_t what[3] = {len, size, times};
    struct tn_pack in = {.data = what, .len = sizeof(what)};
    struct tn_pack out = {.data = &value, .size = sizeof(value)};
    return tn_call(kit_need("guest"), TN_METHOD(900, 24), &in, &out, TN_NEVER);
}

/* What long messages cost, beyond what short ones do. */
static tn_err drive_talk(void *self, const struct tn_turn *turn)
{
    enum { LONG = 64000, TIMES = 10, COST = LONG / GUEST_BYTES_PER_FUEL * TIMES };
    static const uint32_t sizes[][2] = {{0, 32}, {LONG, 32}, {0, LONG + 32}};
    uint64_t cost[3];
    (void)self;
    (void)turn;
    KIT_CHECK(talk(0, 8, 1) == TN_OK); /* load and start are over */
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t before = actor_account(lone->actor).fuel_used;
        KIT_CHECK(talk(sizes[i][0], sizes[i][1], TIMES) == TN_OK);
        cost[i] = actor_account(lone->actor).fuel_used - before;
    }
    KIT_CHECK(cost[1] == cost[0] + COST && cost[2] == cost[0] + COST);
    KIT_CHECK(talk(LONG, 8, 100 * TIMES) == TN_EFUEL);
    kit_stop();
    return TN_OK;
}

static void test_messages_cost_fuel(void **state)
{
    (void)state;
    static const struct tn_component driver = {
        .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive_talk};
    fuel_per_call = FUEL / 16;
    one_guest(&driver);
    fuel_per_call = FUEL;
}

/* A guest that yields for ever ends at its deadline, not when its fuel is used up. */
static tn_err drive_yields(void *self, const struct tn_turn *turn)
{
    struct tn_pack in = {.len = 0};
    (void)self;
    tn_time at = turn->now + 100000;
    KIT_CHECK(tn_call(kit_need("guest"), TN_METHOD(900, 19), &in, NULL, at) == TN_ETIME);
    while (nfaults == 0)
        pause_until(at += 1000000);
    KIT_CHECK(faults[0] == (uint32_t)-TN_ETIME);
    kit_stop();
    return TN_OK;
}

static void test_yielding_does_not_outlive_the_deadline(void **state)
{
    (void)state;
    static const struct tn_component driver = {
        .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive_yields};
    one_guest(&driver);
}

/* What a guest without a handler is sent is not kept. */
static tn_err drive_unheard(void *self, const struct tn_turn *turn)
{
    uint64_t value;
    (void)self;
    (void)turn;
    KIT_CHECK(ask("guest", 6, &value) == TN_OK);
    lone_guest()->component.event = 0;
    uint32_t before = space_count(lone->space);
    struct tn_pack in = {.ncaps = 1, .caps = {kit_need("buffer")}};
    KIT_CHECK(tn_send(kit_need("guest"), TN_METHOD(900, 1), &in, 0) == TN_OK);
    KIT_CHECK(ask("guest", 6, &value) == TN_OK);
    KIT_CHECK(space_count(lone->space) == before);
    kit_stop();
    return TN_OK;
}

static void test_what_nobody_hears_is_dropped(void **state)
{
    (void)state;
    static const struct tn_component driver = {
        .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive_unheard};
    one_guest(&driver);
}

/* What waits in the mailbox of one that falls reaches the next instance whole. */
static tn_err drive_fall(void *self, const struct tn_turn *turn)
{
    uint64_t value = 1;
    struct tn_pack in = {.ncaps = 1, .caps = {kit_need("buffer")}};
    struct tn_pack out = {.data = &value, .size = sizeof(value)};
    (void)self;
    (void)turn;
    KIT_CHECK(ask("guest", 6, &value) == TN_OK);
    uint32_t before = space_count(lone->space);
    KIT_CHECK(tn_send(kit_need("guest"), TN_METHOD(900, 23), NULL, 0) == TN_OK);
    KIT_CHECK(tn_send(kit_need("guest"), TN_METHOD(900, 17), &in, 0) == TN_OK);
    KIT_CHECK(tn_call(kit_need("guest"), TN_METHOD(900, 17), &in, &out, TN_NEVER) == TN_OK);
    KIT_CHECK(nfaults == 1);
    KIT_CHECK(ask("guest", 6, &value) == TN_OK && value == 2001000 + CONFIG_LEN);
    KIT_CHECK(space_count(lone->space) == before + 2);
    /* Once they were received they are the instance's, and go with it. */
    KIT_CHECK(ask("guest", 3, &value) == TN_ETRAP);
    KIT_CHECK(space_count(lone->space) == before);
    kit_stop();
    return TN_OK;
}

static void test_a_fall_spares_what_is_posted(void **state)
{
    (void)state;
    static const struct tn_component driver = {
        .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive_fall};
    one_guest(&driver);
}

/* What load says when a guest begins anew is no answer to who called it: it is one more fall. */
static tn_err drive_reload(void *self, const struct tn_turn *turn)
{
    uint64_t value;
    struct tn_pack in = {.ncaps = 1, .caps = {kit_need("buffer")}};
    (void)self;
    (void)turn;
    KIT_CHECK(ask("guest", 3, &value) == TN_ETRAP);
    uint32_t before = space_count(lone->space);
    lone_guest()->config.config_len = 3;
    KIT_CHECK(ask("guest", 6, &value) == TN_EGONE);
    KIT_CHECK(nfaults == 2 && faults[1] == (uint32_t)-TN_EGONE);
    KIT_CHECK(tn_call(kit_need("guest"), TN_METHOD(900, 17), &in, NULL, TN_NEVER) == TN_EGONE);
    KIT_CHECK(nfaults == 3 && space_count(lone->space) == before);
    lone_guest()->config.config_len = CONFIG_LEN;
    KIT_CHECK(ask("guest", 6, &value) == TN_OK && value == 1000000 + CONFIG_LEN);
    kit_stop();
    return TN_OK;
}

static void test_a_failed_reload_is_a_fall(void **state)
{
    (void)state;
    static const struct tn_component driver = {
        .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive_reload};
    one_guest(&driver);
}

/* One that gets no memory for a fresh instance is told of, as one that falls. */
static tn_err drive_starved(void *self, const struct tn_turn *turn)
{
    enum { BLOCKS = 256, SMALLEST = 4096 };
    static void *block[BLOCKS];
    static size_t size[BLOCKS];
    uint64_t value;
    uint32_t n = 0;
    (void)self;
    (void)turn;
    KIT_CHECK(ask("guest", 3, &value) == TN_ETRAP);
    for (size_t bytes = 2 << 20; bytes >= SMALLEST; bytes /= 2) {
        while (n < BLOCKS && (block[n] = mem_alloc(lone->memory, bytes)) != NULL)
            size[n++] = bytes;
    }
    KIT_CHECK(ask("guest", 6, &value) == TN_EGONE);
    KIT_CHECK(nfaults == 2 && faults[1] == (uint32_t)-TN_ENOMEM);
    KIT_CHECK(ask("guest", 6, &value) == TN_EGONE && nfaults == 2);
    while (n-- > 0)
        mem_free(lone->memory, block[n], size[n]);
    kit_stop();
    return TN_OK;
}

static void test_no_memory_to_go_on_is_told(void **state)
{
    (void)state;
    static const struct tn_component driver = {
        .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive_starved};
    one_guest(&driver);
}

/* What fell and was not started again is not made anew only to be stopped. */
static tn_err drive_stop(void *self, const struct tn_turn *turn)
{
    uint64_t value;
    struct tn_pack in = {.len = 0};
    (void)self;
    (void)turn;
    KIT_CHECK(ask("guest", 3, &value) == TN_ETRAP);
    struct fiber *here = fiber_self();
    tn_err err = life_begin(here->cpu, &here->turn, lone->actor, LIFE_STOP, &in, TN_NEVER);
    struct cpu *cpu = err == IPC_PENDING ? turn_wait(here->cpu, &here->turn) : here->cpu;
    KIT_CHECK(err == IPC_PENDING || err == TN_OK);
    KIT_CHECK(call_end(cpu, &here->turn, NULL) == TN_OK);
    KIT_CHECK(guest_memory_bytes(lone->actor) == 0);
    kit_stop();
    return TN_OK;
}

static void test_a_fallen_guest_is_not_made_to_be_stopped(void **state)
{
    (void)state;
    static const struct tn_component driver = {
        .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive_stop};
    one_guest(&driver);
}

/* Guests that call each other at once share a stack; the last one falls. */
static tn_err drive_chain(void *self, const struct tn_turn *turn)
{
    uint64_t value;
    (void)self;
    (void)turn;
    KIT_CHECK(ask("guest", 21, &value) == TN_ETRAP);
    kit_stop();
    return TN_OK;
}

static void test_a_stack_holds_a_chain_of_guests(void **state)
{
    (void)state;
    static const struct tn_component driver = {
        .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive_chain};
    enum { CHAIN = 4, WHOEVER_IS_TOLD = 8 << 10 };
    struct kit kit;
    struct kit_actor *main_ = begin(&kit, 0, &driver), *guests[CHAIN];
    for (uint32_t i = 0; i < CHAIN; i++)
        guests[i] = make_probe(&kit, true, "guest", 0);
    kit_wire(main_, "guest", guests[0], TN_R_CALL, 1);
    for (uint32_t i = 0; i + 1 < CHAIN; i++)
        kit_wire(guests[i], "next", guests[i + 1], TN_R_CALL, 1);
    for (uint32_t i = 0; i < CHAIN; i++) {
        give_code(guests[i], 1);
        assert_true(actor_ready(guests[i]->actor));
    }
    stack_left = SIZE_MAX;
    kit_run(&kit, main_);
    assert_true(stack_left > WHOEVER_IS_TOLD);
    end(&kit);
}

/* A reply is used up whatever it was answered with, so the caller hears of it. */
static tn_err drive_misreply(void *self, const struct tn_turn *turn)
{
    struct tn_pack in = {.len = 0};
    (void)self;
    tn_time at = turn->now + 50000000;
    KIT_CHECK(tn_call(kit_need("guest"), TN_METHOD(900, 22), &in, NULL, at) == TN_EFAULT);
    kit_stop();
    return TN_OK;
}

static void test_a_reply_out_of_bounds_is_used_up(void **state)
{
    (void)state;
    static const struct tn_component driver = {
        .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive_misreply};
    one_guest(&driver);
}

static uint64_t forged(const struct tn_interface *interface, uint32_t ordinal, uint32_t ncaps)
{
    uint64_t value = 0;
    uint32_t what[2] = {TN_METHOD(interface->id, ordinal), ncaps};
    struct tn_pack in = {.data = what, .len = sizeof(what)};
    struct tn_pack out = {.data = &value, .size = sizeof(value)};
    KIT_CHECK(tn_call(kit_need("guest"), TN_METHOD(900, 20), &in, &out, TN_NEVER) == TN_OK);
    return value;
}

/* A callee never looks at capabilities that its interface has no place for: they would fill its
 * space. */
static tn_err drive_forge(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    const struct tn_interface *log = tn_interface_by_name("tenon.log", 9);
    const struct tn_method *write = tn_method_by_name(log, "write", 5);
    KIT_CHECK(forged(log, write->ordinal, 0) == TN_OK);
    for (uint32_t n = 1; n <= TN_PACK_CAPS; n++) {
        KIT_CHECK(forged(log, write->ordinal, n) == (uint32_t)-TN_EARGS);
        KIT_CHECK(forged(log, 999, n) == (uint32_t)-TN_EMETHOD);
    }
    KIT_CHECK(forged(log, 999, 0) == TN_OK); /* of a later version of the interface */
    kit_stop();
    return TN_OK;
}

static void test_no_more_capabilities_than_the_method_has(void **state)
{
    (void)state;
    static const struct tn_component driver = {
        .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive_forge};
    one_guest(&driver);
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL) {
        fprintf(stderr, "usage: guest_test PROBE.wasm\n");
        return 2;
    }
    code = malloc(1 << 20);
    code_len = fread(code, 1, 1 << 20, file);
    fclose(file);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_domains),
        cmocka_unit_test(test_a_gift_that_nobody_takes_is_not_kept),
        cmocka_unit_test(test_the_right_to_write_shows_nothing),
        cmocka_unit_test(test_a_window_has_a_limit),
        cmocka_unit_test(test_copying_costs_fuel),
        cmocka_unit_test(test_messages_cost_fuel),
        cmocka_unit_test(test_yielding_does_not_outlive_the_deadline),
        cmocka_unit_test(test_what_nobody_hears_is_dropped),
        cmocka_unit_test(test_a_fall_spares_what_is_posted),
        cmocka_unit_test(test_a_failed_reload_is_a_fall),
        cmocka_unit_test(test_no_memory_to_go_on_is_told),
        cmocka_unit_test(test_a_stack_holds_a_chain_of_guests),
        cmocka_unit_test(test_a_reply_out_of_bounds_is_used_up),
        cmocka_unit_test(test_a_fallen_guest_is_not_made_to_be_stopped),
        cmocka_unit_test(test_no_more_capabilities_than_the_method_has),
    };
    int failed = cmocka_run_group_tests_name("guest", tests, NULL, NULL);
    free(code);
    return failed;
}
