/* stress_test.c: many actors on four real threads that send, call, signal, arm timers, pass
 * capabilities and yield in a fixed amount of random work; and what an idle system costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "machine/linux/linux.h"
#include "tests/kit/kit.h"

enum {
    THREADS = 4,
    WORKERS = 12,
    DRIVERS = 6,
    STEPS = 400, /* of each driver, and as many turns that they cause */
    MEMORY_BYTES = 64 << 20,
    M_WORK = TN_METHOD(9, 1),
    M_CHAIN = TN_METHOD(9, 2),
    M_HOLD = TN_METHOD(9, 3),
};

static const struct tn_pack nothing;
static atomic_u64 turns;

/* One of the actor's three peers. */
static tn_cap peer(uint32_t i)
{
    static const char *const names[] = {"a", "b", "c"};
    return kit_need(names[i % ARRAY_LEN(names)]);
}

static uint32_t roll(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 16;
}

struct worker {
    uint32_t dice;
    tn_cap held;
};

/* Errors that load may bring about; none of them may be anything else. */
static void allowed(tn_err err)
{
    KIT_CHECK(err == TN_OK || err == TN_EFULL || err == TN_ETIME || err == TN_EDEADLK ||
              err == TN_EDEPTH || err == TN_EGONE || err == TN_ESTACK || err == TN_ECANCELLED ||
              err == TN_EBUSY || err == TN_ENOSLOT);
}

static tn_err worker_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    struct worker *w = self;
    at_add(&turns, 1, RELAXED);
    for (uint32_t i = 0; i < in->ncaps; i++)
        KIT_CHECK(tn_cap_drop(in->caps[i]) == TN_OK);
    if (turn->method == M_CHAIN) {
        allowed(tn_call(peer(roll(&w->dice)), M_CHAIN, &nothing, NULL, turn->deadline));
        return TN_OK;
    }
    if (turn->method == M_HOLD) {
        if (w->held != 0) {
            tn_err err = tn_reply(w->held, TN_OK, NULL);
            KIT_CHECK(err == TN_OK || err == TN_EGONE);
            w->held = 0;
        }
        return tn_defer(&w->held) == TN_OK ? TN_DEFERRED : TN_EBUSY;
    }
    out->len = in->len < out->size ? in->len : out->size;
    memcpy(out->data, in->data, out->len);
    return TN_OK;
}

static void worker_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    struct worker *w = self;
    (void)turn;
    at_add(&turns, 1, RELAXED);
    for (uint32_t i = 0; i < in->ncaps; i++)
        KIT_CHECK(tn_cap_drop(in->caps[i]) == TN_OK);
    if (roll(&w->dice) % 8 == 0)
        allowed(tn_timer_set(kit_need("timer"), machine_now_ns() + roll(&w->dice), 1));
}

static void worker_timer(void *self, const struct tn_turn *turn)
{
    struct worker *w = self;
    (void)turn;
    at_add(&turns, 1, RELAXED);
    allowed(tn_send(peer(roll(&w->dice)), M_WORK, &nothing, 0));
}
KIT_ROLE(worker, .state_size = sizeof(struct worker), .call = worker_call, .event = worker_event,
         .timer = worker_timer);

static void one_step(uint32_t *dice)
{
    uint8_t bytes[700], back[700];
    struct tn_pack in = {.data = bytes, .len = roll(dice) % 700};
    struct tn_pack out = {.data = back, .size = sizeof(back)};
    uint64_t bits;
    tn_time soon = machine_now_ns() + 2000000;
    memset(bytes, (int)roll(dice), sizeof(bytes));
    switch (roll(dice) % 7) {
    case 0:
    case 1: {
        tn_err err = tn_call(peer(roll(dice)), M_WORK, &in, &out, soon);
        allowed(err);
        KIT_CHECK(err != TN_OK || (out.len == in.len && memcmp(bytes, back, in.len) == 0));
        break;
    }
    case 2:
        allowed(tn_send(peer(roll(dice)), M_WORK, &in, TN_SEND_WAIT));
        break;
    case 3:
        allowed(tn_call(peer(roll(dice)), M_CHAIN, &nothing, NULL, soon));
        break;
    case 4:
        allowed(tn_call(peer(roll(dice)), M_HOLD, &nothing, NULL, soon));
        break;
    case 5:
        allowed(tn_signal(kit_need("note"), 1));
        allowed(tn_wait(kit_need("note"), soon, &bits));
        break;
    default:
        in.ncaps = 1;
        in.move = 1;
        KIT_CHECK(tn_cap_mint(kit_need("note"), TN_R_ALL, 0, &in.caps[0]) == TN_OK);
        tn_err err = tn_send(peer(roll(dice)), M_WORK, &in, 0);
        allowed(err);
        KIT_CHECK(err == TN_OK || tn_cap_drop(in.caps[0]) == TN_OK);
    }
}

static void driver_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    uint32_t dice = (uint32_t)turn->badge * 77 + 1;
    for (uint32_t i = 0; i < STEPS; i++) {
        one_step(&dice);
        KIT_CHECK(tn_yield() == TN_OK);
    }
    kit_done();
}
KIT_ROLE(driver, .event = driver_event);

static void machine_up(struct kit *kit)
{
    const struct linux_machine machine = {.cpus = THREADS, .memory_bytes = MEMORY_BYTES};
    linux_machine_destroy(); /* of a test that failed */
    assert_int_equal(linux_machine_init(&machine), 0);
    kit_boot(kit);
}

static void wire_peers(struct kit_actor *from, struct kit_actor **workers, uint32_t first)
{
    static const char *const names[] = {"a", "b", "c"};
    for (uint32_t i = 0; i < ARRAY_LEN(names); i++)
        kit_wire(from, names[i], workers[(first + i * i + 1) % WORKERS], TN_R_CALL, first);
}

static void test_stress(void **state)
{
    (void)state;
    struct kit kit;
    struct kit_actor *workers[WORKERS], *drivers[DRIVERS];
    machine_up(&kit);
    struct note *note = kit_note();
    for (uint32_t i = 0; i < WORKERS; i++) {
        workers[i] = kit_make(&kit, "worker", &worker, i, 4);
        kit_timer(workers[i], "timer");
    }
    for (uint32_t i = 0; i < WORKERS; i++)
        wire_peers(workers[i], workers, i);
    for (uint32_t i = 0; i < DRIVERS; i++) {
        drivers[i] = kit_make(&kit, "driver", &driver, i, 1);
        wire_peers(drivers[i], workers, 2 * i);
        kit_share(drivers[i], "note", note_object(note), TN_R_ALL);
    }
    object_unref(note_object(note));
    at_init(&turns, 0);
    kit_run_all(&kit, drivers, DRIVERS);
    kit_end(&kit);
    linux_machine_destroy();
    assert_true(at_load(&turns, RELAXED) > STEPS);
}

/* Idle: nothing is queued, and one timer is armed, whose firing ends the measurement: but for it
 * every CPU parks and stays there. */

enum {
    SETTLE_NS = 20000000, /* for all to come to rest; a slow machine only costs the bound below */
    IDLE_NS = 300000000,
    IDLE_CPU_NS_MAX = 30000000,
    IDLE_PARKS_MAX = 8,
    IDLE_TRIES = 10,
};

/* CPU time of the process until all had come to rest, then from there on. */
static uint64_t idle_cpu_ns;

static uint64_t cpu_time_ns(void)
{
    struct rusage usage;
    KIT_CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static void idle_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    KIT_CHECK(tn_timer_set(kit_need("timer"), machine_now_ns() + SETTLE_NS, 0) == TN_OK);
}

static void idle_timer(void *self, const struct tn_turn *turn)
{
    (void)self;
    idle_cpu_ns = cpu_time_ns() - idle_cpu_ns;
    if (turn->cookie == 1)
        kit_done();
    else
        KIT_CHECK(tn_timer_set(kit_need("timer"), machine_now_ns() + IDLE_NS, 1) == TN_OK);
}
KIT_ROLE(idler, .event = idle_event, .timer = idle_timer);

/* Whether all came to rest and stayed there. */
static bool rests(void)
{
    struct kit kit;
    machine_up(&kit);
    struct kit_actor *actor = kit_make(&kit, "idle", &idler, 1, 1);
    kit_timer(actor, "timer");
    idle_cpu_ns = 0;
    kit_run_all(&kit, &actor, 1);
    uint64_t parks = 0;
    for (uint32_t i = 0; i < THREADS; i++) {
        uint64_t own = kit.kernel->cpu[i]->stats.parks;
        parks = own > parks ? own : parks;
    }
    kit_end(&kit);
    linux_machine_destroy();
    return parks <= IDLE_PARKS_MAX && idle_cpu_ns < IDLE_CPU_NS_MAX;
}

/* A CPU that the host holds up counts as awake, and somebody keeps watch meanwhile; but that does
 * not happen every time. */
static void test_idle(void **state)
{
    (void)state;
    uint32_t tries = 0;
    while (!rests())
        assert_true(++tries < IDLE_TRIES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stress),
        cmocka_unit_test(test_idle),
    };
    return cmocka_run_group_tests_name("stress", tests, NULL, NULL);
}
