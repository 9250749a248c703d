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

#include "machine/sim/sim.h"
#include "runtime/kernel/native.h"
#include "runtime/wasm/guest.h"
#include "tests/kit/kit.h"

extern const struct tn_component probe_component; /* test/probe.c, linked */

enum { SEEDS_DEFAULT = 10, MEMORY = 4 << 20, CONFIG_LEN = 7 };

static uint8_t *code;
static size_t code_len;
static uint32_t faults[64];
static uint32_t nfaults;

static uint64_t seeds(void)
{
    return sim_seeds(SEEDS_DEFAULT);
}

static void on_fault(void *ctx, const struct guest_fault *fault)
{
    (void)ctx;
    if (nfaults < 64)
        faults[nfaults++] = (uint32_t)-fault->err;
    KIT_CHECK(fault->text != NULL && fault->text[0] != '\0');
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
                                  .fuel_per_call = 5000000,
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

static void test_domains(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < seeds(); seed++) {
        uint32_t cpus = 1 + (uint32_t)(seed % 3);
        struct sim_machine sim = {.seed = seed,
                                  .cpus = cpus,
                                  .memory_bytes = 64 << 20,
                                  .schedule = seed % 2 == 0 ? SIM_RANDOM : SIM_PCT};
        assert_int_equal(sim_machine_init(&sim), 0);
        struct kit kit;
        kit_boot(&kit);
        nfaults = 0;
        struct kit_actor *main_ = kit_make(&kit, "main", &drive_component, 0, 8);
        struct note *note = NULL;
        assert_int_equal(note_make(kit.kernel->root, &kit.kernel->limbo, &note), TN_OK);
        kit_give(main_, "note", note_object(note), TN_R_READ);
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
        assert_true(guest->actor->stats.fuel_used > 300000);
        struct sim_stats stats = sim_machine_stats();
        assert_false(stats.deadlock);
        assert_false(stats.hung);
        kit_end(&kit);
        sim_machine_destroy();
    }
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
    };
    int failed = cmocka_run_group_tests_name("guest", tests, NULL, NULL);
    free(code);
    return failed;
}
