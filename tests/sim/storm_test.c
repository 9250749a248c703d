/* storm_test.c: the kernel in bad weather: actors are killed at turn boundaries, allocations fail,
 * the clock jumps, stores wait, and between the steps every invariant is looked at. Whatever comes
 * of the single operations, nothing hangs, nothing is lost, and in the end memory is what it was.
 */
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
    SEEDS_DEFAULT = 100,
    MEMORY_BYTES = 12 << 20,
    SERVERS = 4,
    CLIENTS = 3,
    OPS = 120,
    WATCHES = 60,
    M_ECHO = TN_METHOD(9, 1),
    M_CHAIN = TN_METHOD(9, 2),
    M_HOLD = TN_METHOD(9, 3),
};

static struct {
    struct kit *kit;
    struct kit_actor *victims[SERVERS + CLIENTS];
    uint64_t errors, answers, kills;
} storm;

/* At a turn boundary, and where a turn goes on after a wait, the seed may kill somebody. */
static void maybe_crash(void)
{
    if (!sim_fault(SIM_FAULT_CRASH))
        return;
    storm.kills++;
    kit_kill(storm.victims[sim_choose(ARRAY_LEN(storm.victims))]);
}

/* What an operation may answer in such weather: not that the kernel is at fault, nor that a
 * capability that was never given away is not there. */
static tn_err weathered(tn_err err)
{
    KIT_CHECK(err <= 0 && err != TN_EINTERNAL && err != TN_EBADCAP && err != TN_ETYPE &&
              err != TN_ERIGHTS && err != TN_EARGS && err != TN_EFAULT);
    storm.answers += err == TN_OK;
    storm.errors += err != TN_OK;
    return err;
}

static tn_time soon(void)
{
    return machine_now_ns() + sim_choose(UINT64_C(1) << (4 + sim_choose(18)));
}

struct server {
    tn_cap held;
};

static void answer_held(struct server *server)
{
    if (server->held == 0)
        return;
    tn_cap held = server->held;
    server->held = 0;
    (void)weathered(tn_reply(held, TN_OK, NULL));
}

static tn_err server_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    struct server *server = self;
    maybe_crash();
    tn_err err = TN_OK;
    if (turn->method == M_CHAIN && sim_choose(3) > 0) {
        struct tn_pack back = {.data = out->data, .size = out->size};
        err = weathered(tn_call(kit_need("next"), M_CHAIN, in, &back, soon()));
        out->len = err == TN_OK ? back.len : 0;
    } else if (turn->method == M_HOLD) {
        answer_held(server);
        if (weathered(tn_defer(&server->held)) == TN_OK)
            return TN_DEFERRED;
    } else if (in->len <= out->size) {
        memcpy(out->data, in->data, in->len);
        out->len = in->len;
    }
    return err;
}

static void server_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)turn;
    (void)in;
    maybe_crash();
    answer_held(self);
    if (sim_choose(4) == 0)
        (void)weathered(tn_signal(kit_need("note"), 1));
}
KIT_ROLE(server, .state_size = sizeof(struct server), .call = server_call, .event = server_event);

static void call_one(uint32_t method)
{
    uint8_t text[200] = {1, 2, 3}, room[256];
    struct tn_pack in = {.data = text, .len = 1 + (uint32_t)sim_choose(sizeof(text))};
    struct tn_pack out = {.data = room, .size = sizeof(room)};
    const char *const needs[] = {"s0", "s1", "s2", "s3"};
    tn_err err = tn_call(kit_need(needs[sim_choose(SERVERS)]), method, &in, &out, soon());
    if (weathered(err) == TN_OK && method == M_ECHO)
        KIT_CHECK(out.len == in.len && memcmp(text, room, in.len) == 0);
}

static void send_one(void)
{
    uint8_t text[100] = {4};
    struct tn_pack in = {.data = text, .len = (uint32_t)sim_choose(sizeof(text))};
    const char *const needs[] = {"s0", "s1", "s2", "s3"};
    (void)weathered(tn_send(kit_need(needs[sim_choose(SERVERS)]), TN_METHOD(9, 9), &in,
                            sim_choose(4) == 0 ? TN_SEND_WAIT : 0));
}

/* A buffer, and capabilities derived from it: made, revoked and dropped. */
static void derive_one(void)
{
    tn_cap buf, slice[4] = {0};
    uint32_t made = 0;
    if (weathered(tn_buf_new(kit_need("memory"), 1 + sim_choose(9000), &buf)) != TN_OK)
        return;
    while (made < ARRAY_LEN(slice)) {
        bool below = made > 0 && sim_choose(2) == 0; /* asks for more than its parent may */
        if (weathered(tn_cap_mint(below ? slice[made - 1] : buf,
                                  below ? TN_R_ALL : TN_R_READ | TN_R_GRANT, 0, &slice[made])) !=
            TN_OK)
            break;
        made++;
    }
    maybe_crash();
    if (sim_choose(2) == 0) {
        tn_err err = weathered(tn_cap_revoke(buf));
        if (err == TN_OK || err == TN_ETIME || err == TN_ECANCELLED)
            made = 0;
    }
    for (uint32_t i = 0; i < made; i++)
        (void)weathered(tn_cap_drop(slice[i]));
    (void)weathered(tn_cap_drop(buf));
}

static void client_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    uint64_t bits;
    for (uint32_t i = 0; i < OPS; i++) {
        maybe_crash();
        switch (sim_choose(7)) {
        case 0:
            call_one(M_CHAIN);
            break;
        case 1:
            call_one(M_HOLD);
            break;
        case 2:
            call_one(M_ECHO);
            break;
        case 3:
            send_one();
            break;
        case 4:
            derive_one();
            break;
        case 5:
            (void)weathered(tn_wait(kit_need("note"), soon(), &bits));
            break;
        default:
            (void)weathered(tn_yield());
        }
    }
}
KIT_ROLE(client, .event = client_event);

/* Nobody kills the one that begins it, watches for a while, and ends it. */
static tn_err keeper_start(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    const char *const needs[CLIENTS] = {"c0", "c1", "c2"};
    uint64_t bits;
    for (uint32_t i = 0; i < CLIENTS; i++)
        while (tn_send(kit_need(needs[i]), TN_METHOD(9, 9), NULL, 0) == TN_ENOMEM)
            ;
    for (uint32_t i = 0; i < WATCHES; i++)
        KIT_CHECK(tn_wait(kit_need("watch"), machine_now_ns() + 20000, &bits) != TN_OK);
    kit_stop();
    return TN_OK;
}
KIT_ROLE(keeper, .start = keeper_start);

static struct kit_actor *make(struct kit *kit, const char *name, uint32_t cpu, uint32_t mailbox,
                              const struct tn_component *component)
{
    const struct kit_config config = {
        .name = name, .cpu = cpu, .mailbox = mailbox, .memory_bytes = 256 * 1024};
    return kit_make_with(kit, &config, component);
}

static void build(struct kit *kit)
{
    static const char *const servers[SERVERS] = {"s0", "s1", "s2", "s3"};
    static const char *const clients[CLIENTS] = {"c0", "c1", "c2"};
    struct kit_actor *first = kit_make(kit, "keeper", &keeper, 0, 2);
    struct note *note = kit_note();
    for (uint32_t i = 0; i < SERVERS; i++) {
        storm.victims[i] = make(kit, servers[i], i, 3, &server);
        kit_share(storm.victims[i], "note", note_object(note), TN_R_WRITE);
    }
    for (uint32_t i = 0; i < SERVERS; i++)
        kit_wire(storm.victims[i], "next", storm.victims[(i + 1) % SERVERS], TN_R_CALL, i);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        struct kit_actor *one = make(kit, clients[i], i + 1, 2, &client);
        storm.victims[SERVERS + i] = one;
        kit_wire(first, clients[i], one, TN_R_CALL, 0);
        for (uint32_t s = 0; s < SERVERS; s++)
            kit_wire(one, servers[s], storm.victims[s], TN_R_CALL, i);
        kit_share(one, "note", note_object(note), TN_R_READ);
        kit_memory(one, "memory", 64 * 1024);
    }
    kit_give(first, "watch", note_object(kit_note()), TN_R_READ);
    object_unref(note_object(note));
    kit_run(kit, first);
}

static struct sim_stats storm_run(uint64_t seed)
{
    const struct sim_machine sim = {
        .seed = seed,
        .cpus = 1 + (uint32_t)(seed / 2 % 4),
        .nodes = 1 + (uint32_t)(seed / 2 % 4) / 2,
        .memory_bytes = MEMORY_BYTES,
        .schedule = seed % 2 == 0 ? SIM_RANDOM : SIM_PCT,
        .pct_depth = 1 + (uint32_t)(seed / 8 % 4),
        .check_one_in = UINT32_C(128) << seed % 3,
        .faults = {[SIM_FAULT_MEMORY] = seed % 3 == 0 ? 0 : 40,
                   [SIM_FAULT_CLOCK] = seed % 5 == 0 ? 0 : 300,
                   [SIM_FAULT_CRASH] = seed % 4 == 0 ? 0 : 60},
    };
    struct kit kit;
    snprintf(kit_where, sizeof(kit_where), "seed %" PRIu64 " of sim, %u CPUs", seed, sim.cpus);
    assert_int_equal(sim_machine_init(&sim), 0);
    kit_boot(&kit);
    kit_watch(&kit);
    build(&kit);
    kit_end(&kit);
    struct sim_stats stats = sim_machine_stats();
    assert_false(stats.deadlock || stats.hung);
    sim_machine_destroy();
    return stats;
}

static void test_storm(void **state)
{
    (void)state;
    struct sim_stats sum = {0};
    memset(&storm, 0, sizeof(storm));
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        struct sim_stats stats = storm_run(seed);
        sum.checks += stats.checks;
        sum.drains += stats.drains;
        for (uint32_t i = 0; i < SIM_FAULTS; i++)
            sum.faults[i] += stats.faults[i];
    }
    if (sim_one_seed())
        return;
    assert_true(sum.checks > 100 && sum.drains > 1000);
    assert_true(sum.faults[SIM_FAULT_MEMORY] > 100 && sum.faults[SIM_FAULT_CLOCK] > 20);
    assert_true(storm.kills > 20 && storm.answers > 1000 && storm.errors > 500);
}

static void test_same_seed_same_storm(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct sim_stats a = storm_run(seed), b = storm_run(seed);
        assert_int_equal(a.trace_hash, b.trace_hash);
        assert_int_equal(a.steps, b.steps);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_storm),
        cmocka_unit_test(test_same_seed_same_storm),
    };
    return cmocka_run_group_tests_name("storm", tests, NULL, NULL);
}
