/* object_test.c: one component uses kernel objects natively and as a guest, under many schedules:
 * what it sees of them is the same, and a guest pays for what is cleared for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <tenon/object.h>

#include "machine/sim/sim.h"
#include "runtime/kernel/native.h"
#include "runtime/wasm/guest.h"
#include "tests/kit/kit.h"

extern const struct tn_component objects_component; /* test/objects.c, linked */

enum { SEEDS_DEFAULT = 10, MEMORY = 4 << 20, CODE_MAX = 1 << 20, LINES = 128, LARGE = 1 << 20 };
enum { USE = 1, TOLD, BUFFER };

static uint8_t *code;
static size_t code_len;
static struct kit_actor *guest_actor;

/* Whom the component makes doors to, pauses and looks at. */
static tn_err peer_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                        struct tn_pack *out)
{
    (void)self;
    (void)in;
    if (out->size >= sizeof(turn->badge)) {
        memcpy(out->data, &turn->badge, sizeof(turn->badge));
        out->len = sizeof(turn->badge);
    }
    return TN_OK;
}
KIT_ROLE(peer_role, .call = peer_call);

static struct kit_actor *make_keeper(struct kit *kit, struct kit_actor *main_, const char *name,
                                     uint32_t cpu)
{
    bool guest = strcmp(name, "guest") == 0;
    struct kit_actor *peer = kit_make(kit, "peer", &peer_role, cpu + 1, 4);
    struct kit_actor *a = kit_make_bare(kit, name, MEMORY, cpu, 8);
    kit_share(a, "memory", untyped_object(a->memory), TN_R_ALL);
    kit_share(a, "self", actor_object(a->actor), TN_R_ALL);
    kit_share(a, "peer", actor_object(peer->actor), TN_R_ALL);
    struct guest_config config = {
        .needs = a->needs, .fuel_per_call = 50000000, .stack_bytes = 64 << 10};
    struct wasm_error error = {0};
    if (!guest)
        assert_int_equal(native_make(a->actor, &objects_component, &a->needs), TN_OK);
    else if (guest_make(a->actor, code, code_len, &config, &error) != TN_OK)
        fail_msg("guest_make: %s", error.text);
    assert_true(actor_ready(a->actor));
    kit_wire(main_, name, a, TN_R_CALL, 1);
    return a;
}

struct seen {
    uint64_t line[LINES], told[4];
    uint32_t len;
};

static void look(const char *who, tn_time now, struct seen *seen)
{
    struct tn_pack in = {.len = 0};
    struct tn_pack out = {.data = seen->line, .size = sizeof(seen->line)};
    uint64_t bits;
    memset(seen, 0, sizeof(*seen));
    KIT_CHECK(tn_call(kit_need(who), TN_METHOD(902, USE), &in, &out, TN_NEVER) == TN_OK);
    seen->len = out.len;
    /* Its messages have come by then: they are not later than the timer. */
    do {
        now += 2000000;
        KIT_CHECK(tn_wait(kit_need("note"), now, &bits) == TN_ETIME);
        out = (struct tn_pack){.data = seen->told, .size = sizeof(seen->told)};
        KIT_CHECK(tn_call(kit_need(who), TN_METHOD(902, TOLD), &in, &out, TN_NEVER) == TN_OK);
    } while (seen->told[0] == 0 || seen->told[2] == 0);
}

static void expect_same(const struct seen *native, const struct seen *guest)
{
    char text[80];
    KIT_CHECK(native->len > 64 * 8 && native->len == guest->len);
    for (uint32_t i = 0; i < native->len / 8; i++) {
        snprintf(text, sizeof(text), "line %u: %lld natively, %lld as a guest", i,
                 (long long)native->line[i], (long long)guest->line[i]);
        kit_check(native->line[i] == guest->line[i], text, __FILE__, __LINE__);
    }
    KIT_CHECK(memcmp(native->told, guest->told, sizeof(native->told)) == 0);
    KIT_CHECK(native->told[0] == MSG_INTERRUPT_NOTIFY * 100u && native->told[1] == 6);
    KIT_CHECK(native->told[2] == MSG_TIMER_EXPIRED && native->told[3] == 33);
}

/* What the guest has used, once its turn has ended. */
static uint64_t fuel_used(void)
{
    struct tn_actor_state state;
    struct tn_actor_stats stats;
    do {
        machine_relax();
        KIT_CHECK(tn_yield() == TN_OK);
        KIT_CHECK(tn_actor_state(kit_need("watched"), &state) == TN_OK);
    } while (state.state == TN_STATE_RUNNING);
    KIT_CHECK(tn_actor_stats(kit_need("watched"), &stats) == TN_OK);
    return stats.fuel_used;
}

static uint64_t fuel_for(uint64_t bytes)
{
    struct tn_pack in = {.data = &bytes, .len = sizeof(bytes)};
    uint64_t before = fuel_used();
    KIT_CHECK(tn_call(kit_need("guest"), TN_METHOD(902, BUFFER), &in, NULL, TN_NEVER) == TN_OK);
    return fuel_used() - before;
}

static tn_err drive(void *self, const struct tn_turn *turn)
{
    static struct seen native, guest;
    (void)self;
    look("native", turn->now, &native);
    look("guest", turn->now, &guest);
    expect_same(&native, &guest);
    KIT_CHECK(fuel_for(LARGE) - fuel_for(64) >= (LARGE - 64) / 64);
    kit_stop();
    return TN_OK;
}
KIT_ROLE(drive_role, .start = drive);

static void test_same_in_both_domains(void **state)
{
    (void)state;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        struct kit kit;
        struct sim_machine sim = {.seed = seed,
                                  .cpus = 1 + (uint32_t)(seed % 3),
                                  .memory_bytes = 128 << 20,
                                  .schedule = seed % 2 == 0 ? SIM_RANDOM : SIM_PCT};
        assert_int_equal(sim_machine_init(&sim), 0);
        kit_boot(&kit);
        struct kit_actor *main_ = kit_make(&kit, "main", &drive_role, 0, 8);
        kit_give(main_, "note", note_object(kit_note()), TN_R_READ);
        make_keeper(&kit, main_, "native", 1);
        guest_actor = make_keeper(&kit, main_, "guest", 2);
        kit_share(main_, "watched", actor_object(guest_actor->actor), TN_R_CALL | TN_R_READ);
        kit_run(&kit, main_);
        struct sim_stats stats = sim_machine_stats();
        assert_false(stats.deadlock || stats.hung);
        kit_end(&kit);
        sim_machine_destroy();
    }
}

int main(int argc, char **argv)
{
    assert_int_equal(argc, 2);
    FILE *file = fopen(argv[1], "rb");
    assert_non_null(file);
    code = malloc(CODE_MAX);
    code_len = fread(code, 1, CODE_MAX, file);
    fclose(file);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_in_both_domains)};
    int failed = cmocka_run_group_tests_name("guest_objects", tests, NULL, NULL);
    free(code);
    return failed;
}
