/* chan_test.c: channels between the domains under many schedules: one component, natively and as a
 * guest, at each end; what one writes the other reads, and what a guest spoils is its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine/sim/sim.h"
#include "runtime/kernel/native.h"
#include "runtime/wasm/guest.h"
#include "tests/kit/kit.h"

extern const struct tn_component stream_component; /* test/stream.c, linked */

enum { SEEDS_DEFAULT = 10, MEMORY = 4 << 20, RECORDS = 60, RECORD_MAX = 500, CODE_MAX = 1 << 20 };
enum { MAKE = 1, POUR, DRINK, TAKE, SIP, SPOIL, SIZES };

static uint8_t *code;
static size_t code_len;

static void make_stream(struct kit *kit, struct kit_actor *main_, bool guest, const char *name,
                        uint32_t cpu)
{
    struct kit_actor *a = kit_make_bare(kit, name, MEMORY, cpu, 8);
    object_ref(untyped_object(a->memory));
    kit_give(a, "memory", untyped_object(a->memory), TN_R_WRITE);
    struct guest_config config = {
        .needs = a->needs, .fuel_per_call = 50000000, .stack_bytes = 64 << 10};
    struct wasm_error error = {0};
    if (!guest)
        assert_int_equal(native_make(a->actor, &stream_component, &a->needs), TN_OK);
    else if (guest_make(a->actor, code, code_len, &config, &error) != TN_OK)
        fail_msg("guest_make: %s", error.text);
    assert_true(actor_ready(a->actor));
    kit_wire(main_, name, a, TN_R_CALL, 1);
}

static tn_err ask(const char *who, uint32_t ordinal, tn_cap give, tn_cap *ret_cap, uint64_t *ret)
{
    uint64_t both[2] = {0, 0};
    struct tn_pack in = {.ncaps = give != 0, .move = give != 0, .caps = {give}};
    struct tn_pack out = {.data = both, .size = sizeof(both), .ncaps = ret_cap != NULL};
    tn_err err = tn_call(kit_need(who), TN_METHOD(901, ordinal), &in, &out, TN_NEVER);
    if (ret_cap != NULL)
        *ret_cap = out.caps[0];
    if (ret != NULL)
        memcpy(ret, both, sizeof(both));
    return err;
}

static void send_pour(const char *who, uint64_t n)
{
    struct tn_pack in = {.data = &n, .len = sizeof(n)};
    KIT_CHECK(tn_send(kit_need(who), TN_METHOD(901, POUR), &in, 0) == TN_OK);
}

static uint32_t length_of(uint64_t i)
{
    return (uint32_t)(i * 37 % RECORD_MAX);
}

static uint64_t expected_hash(uint64_t n)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (uint64_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < length_of(i); k++)
            hash = (hash ^ (uint8_t)(i * 31 + k)) * UINT64_C(0x100000001b3);
        hash = (hash ^ length_of(i)) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static tn_err drive(void *self, const struct tn_turn *turn)
{
    static const char *const names[] = {"native", "guest", "native2", "guest2"};
    (void)self;
    (void)turn;
    for (uint32_t pair = 0; pair < 4; pair++) {
        const char *producer = names[pair / 2], *consumer = names[2 + pair % 2];
        tn_cap end = 0;
        uint64_t got[2] = {0, 0};
        KIT_CHECK(ask(producer, MAKE, 0, &end, NULL) == TN_OK);
        send_pour(producer, RECORDS);
        KIT_CHECK(ask(consumer, DRINK, end, NULL, got) == TN_OK);
        KIT_CHECK(got[0] == RECORDS && got[1] == expected_hash(RECORDS));
        /* Record by record, in a turn each: what was not read stays. The ring is small, so the
         * producer waits in between. */
        KIT_CHECK(ask(producer, MAKE, 0, &end, NULL) == TN_OK);
        send_pour(producer, 8);
        KIT_CHECK(ask(consumer, TAKE, end, NULL, NULL) == TN_OK);
        for (uint64_t i = 0; i < 8;) {
            tn_err err = ask(consumer, SIP, 0, NULL, got);
            KIT_CHECK(err == TN_EAGAIN || (err == TN_OK && got[0] == length_of(i)));
            i += err == TN_OK;
            machine_relax();
            KIT_CHECK(tn_yield() == TN_OK);
        }
        KIT_CHECK(ask(consumer, SIP, 0, NULL, got) == TN_EAGAIN);
    }
    kit_stop();
    return TN_OK;
}

static const struct tn_component drive_component = {
    .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive};

/* The guest's own ring is spoilt, and nobody else's: the other end goes on. */
static tn_err drive_spoil(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    tn_cap end = 0;
    uint64_t got[2] = {0, 0};
    KIT_CHECK(ask("guest", MAKE, 0, &end, NULL) == TN_OK);
    KIT_CHECK(ask("guest", SPOIL, 0, NULL, got) == TN_OK);
    KIT_CHECK(got[0] == (uint32_t)-TN_EFORMAT && got[1] == (uint32_t)-TN_EFORMAT);
    KIT_CHECK(ask("native2", TAKE, end, NULL, NULL) == TN_OK);
    KIT_CHECK(ask("native2", SIP, 0, NULL, got) == TN_EAGAIN);
    KIT_CHECK(ask("guest", SIZES, 0, NULL, got) == TN_OK);
    KIT_CHECK(got[0] == GUEST_CHANS_MAX - 1 && got[1] == (uint32_t)-TN_ENOMEM);
    KIT_CHECK(ask("native", SIZES, 0, NULL, got) == TN_OK);
    KIT_CHECK(got[0] == 12 && got[1] == TN_OK);
    kit_stop();
    return TN_OK;
}

static const struct tn_component spoil_component = {
    .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive_spoil};

static void run(const struct tn_component *driver)
{
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        struct sim_machine sim = {.seed = seed,
                                  .cpus = 1 + (uint32_t)(seed % 3),
                                  .memory_bytes = 64 << 20,
                                  .schedule = seed % 2 == 0 ? SIM_RANDOM : SIM_PCT};
        struct kit kit;
        assert_int_equal(sim_machine_init(&sim), 0);
        snprintf(kit_where, sizeof(kit_where), "seed %llu", (unsigned long long)seed);
        kit_boot(&kit);
        struct kit_actor *main_ = kit_make(&kit, "main", driver, 0, 8);
        make_stream(&kit, main_, false, "native", 1);
        make_stream(&kit, main_, true, "guest", 2);
        make_stream(&kit, main_, false, "native2", 2);
        make_stream(&kit, main_, true, "guest2", 0);
        kernel_begin(kit.kernel, main_->actor);
        kernel_run(kit.kernel);
        struct sim_stats stats = sim_machine_stats();
        KIT_CHECK(!stats.deadlock);
        KIT_CHECK(!stats.hung);
        kit_assert();
        kit_end(&kit);
        sim_machine_destroy();
    }
}

static void test_records_pass_between_all_domains(void **state)
{
    (void)state;
    run(&drive_component);
}

static void test_a_guest_spoils_its_own(void **state)
{
    (void)state;
    run(&spoil_component);
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL) {
        fprintf(stderr, "usage: guest_chan_test STREAM.wasm\n");
        return 2;
    }
    code = malloc(CODE_MAX);
    code_len = fread(code, 1, CODE_MAX, file);
    fclose(file);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_pass_between_all_domains),
        cmocka_unit_test(test_a_guest_spoils_its_own),
    };
    int failed = cmocka_run_group_tests_name("guest_chan", tests, NULL, NULL);
    free(code);
    return failed;
}
