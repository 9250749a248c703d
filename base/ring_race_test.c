/* ring_race_test.c: a producer and a consumer on virtual CPUs, under many schedules: every record
 * arrives, in order and whole; nobody sleeps while there is work for him; and a third who writes
 * garbage into the shared words at any moment makes neither of them loop, sleep for ever or touch
 * what is not theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/ring.h"
#include "kernel/machine.h"
#include "machine/sim/sim.h"

enum { CAPACITY = 256, SIZE = RING_HEADER + CAPACITY, RECORDS = 60, SEEDS_DEFAULT = 200 };
enum { PRODUCER, CONSUMER, HOSTILE, GARBAGE = 40, GUARD = 64 };

static struct {
    _Alignas(RING_ALIGN) uint8_t guard0[GUARD];
    uint8_t at[SIZE];
    uint8_t guard1[GUARD];
} room;
static bool hostile;
static uint32_t arrived;
static tn_err errors[2];
static struct ring_producer out;
static struct ring_consumer in;

static uint32_t length_of(uint32_t record)
{
    return record * 37 % (uint32_t)(ring_record_max(CAPACITY) + 1);
}

static tn_err write_one(uint32_t record)
{
    uint8_t data[CAPACITY];
    memset(data, (int)record + 1, sizeof(data));
    return ring_write(&out, data, length_of(record));
}

/* Sleeps in the machine; a hostile third may have taken the word, so that no bell comes: as a turn
 * has its deadline, so has this sleep. */
static void rest(uint32_t cpu)
{
    machine_park(cpu, hostile ? machine_now_ns() + 10000 : UINT64_MAX);
}

static void produce(void)
{
    for (uint32_t i = 0; i < RECORDS && errors[PRODUCER] == TN_OK;) {
        tn_err err = write_one(i);
        if (err == TN_OK) {
            i++;
            if ((hostile || sim_choose(3) == 0) && ring_producer_bell(&out))
                machine_unpark(CONSUMER);
            continue;
        }
        if (err != TN_EAGAIN) {
            errors[PRODUCER] = err;
            break;
        }
        if (ring_producer_bell(&out))
            machine_unpark(CONSUMER);
        if (hostile && at_load(&out.ring->tail, RELAXED) % 8 == 0 && errors[CONSUMER] != TN_OK)
            break; /* it will not come back */
        if (ring_producer_sleeps(&out))
            rest(PRODUCER);
        ring_producer_awake(&out);
    }
    if (ring_producer_bell(&out))
        machine_unpark(CONSUMER);
}

static bool consume_one(void)
{
    const void *at;
    uint32_t len;
    tn_err err = ring_peek(&in, &at, &len);
    if (err == TN_EAGAIN)
        return false;
    if (err != TN_OK) {
        errors[CONSUMER] = err;
        return true;
    }
    const uint8_t *bytes = at;
    assert_true(bytes >= room.at && bytes + len <= room.at + SIZE);
    if (!hostile) {
        assert_int_equal(len, length_of(arrived));
        for (uint32_t i = 0; i < len; i++)
            assert_int_equal(bytes[i], (uint8_t)(arrived + 1));
    }
    ring_next(&in);
    arrived++;
    return true;
}

static void consume(void)
{
    uint32_t patience = 2000; /* for a producer whose ring a third has spoilt */
    while (arrived < RECORDS && errors[CONSUMER] == TN_OK && (!hostile || patience-- > 0)) {
        if (consume_one()) {
            if (sim_choose(3) == 0 && ring_consumer_bell(&in))
                machine_unpark(PRODUCER);
            continue;
        }
        if (ring_consumer_bell(&in))
            machine_unpark(PRODUCER);
        if (hostile && errors[PRODUCER] != TN_OK)
            break;
        if (ring_consumer_sleeps(&in))
            rest(CONSUMER);
        ring_consumer_awake(&in);
    }
    if (errors[CONSUMER] == TN_OK && arrived < RECORDS)
        errors[CONSUMER] = TN_EGONE;
    machine_unpark(PRODUCER);
}

/* Only words are written: bytes of records may be anything anyway. At once, for the simulator holds
 * it for a mistake when a store waits while somebody else writes there. */
static void spoil(void)
{
    struct ring *ring = (struct ring *)(void *)room.at;
    for (uint32_t i = 0; i < GARBAGE; i++) {
        uint64_t value = sim_choose(UINT64_MAX) >> sim_choose(64);
        switch (sim_choose(8)) {
        case 0:
            at_store(&ring->head, value, SEQ_CST);
            break;
        case 1:
            at_store(&ring->tail, value, SEQ_CST);
            break;
        case 2:
            at_store(&ring->head, at_load(&ring->tail, RELAXED) + 8 * sim_choose(40), SEQ_CST);
            break;
        case 3:
            at_store(&ring->consumer_sleeps, (uint32_t)value, SEQ_CST);
            at_store(&ring->producer_sleeps, (uint32_t)value, SEQ_CST);
            break;
        case 4:
            at_store(&ring->capacity, value, SEQ_CST);
            break;
        case 5:
        case 6: /* the record that is about to be read */
            at_store((atomic_u64 *)(void *)(room.at + RING_HEADER + (in.next & (CAPACITY - 1))),
                     (uint64_t)RING_DATA << 32 | sim_choose(CAPACITY), SEQ_CST);
            break;
        default:
            at_store((atomic_u64 *)(void *)(room.at + RING_HEADER + 8 * sim_choose(CAPACITY / 8)),
                     value, SEQ_CST);
        }
        for (uint64_t n = sim_choose(30); n > 0; n--)
            machine_relax();
    }
}

static void entry(void *arg, uint32_t cpu)
{
    (void)arg;
    if (cpu == PRODUCER)
        produce();
    else if (cpu == CONSUMER)
        consume();
    else
        spoil();
}

static void one_run(uint64_t seed)
{
    const struct sim_machine sim = {.seed = seed,
                                    .cpus = hostile ? 3 : 2,
                                    .memory_bytes = 2 << 20,
                                    .schedule = seed % 2 == 0 ? SIM_RANDOM : SIM_PCT,
                                    .pct_depth = (uint32_t)(seed / 2 % 4) + 1};
    assert_int_equal(sim_machine_init(&sim), 0);
    memset(&room, 0xa5, sizeof(room));
    memset(errors, 0, sizeof(errors));
    arrived = 0;
    assert_int_equal(ring_format(room.at, CAPACITY), TN_OK);
    assert_int_equal(ring_produce(&out, room.at, SIZE), TN_OK);
    assert_int_equal(ring_consume(&in, room.at, SIZE), TN_OK);
    machine_run(entry, NULL);
    struct sim_stats stats = sim_machine_stats();
    sim_machine_destroy();
    if (stats.deadlock || stats.hung)
        fail_msg("%s", stats.deadlock ? "somebody sleeps for ever" : "somebody loops for ever");
    for (uint32_t i = 0; i < GUARD; i++)
        assert_true(room.guard0[i] == 0xa5 && room.guard1[i] == 0xa5);
    if (!hostile)
        assert_true(arrived == RECORDS && errors[PRODUCER] == TN_OK && errors[CONSUMER] == TN_OK);
}

static void test_every_record_arrives_and_nobody_oversleeps(void **state)
{
    (void)state;
    hostile = false;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);)
        one_run(seed);
}

static void test_garbage_at_any_moment(void **state)
{
    (void)state;
    hostile = true;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);)
        one_run(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_record_arrives_and_nobody_oversleeps),
        cmocka_unit_test(test_garbage_at_any_moment),
    };
    return cmocka_run_group_tests_name("ring_race", tests, NULL, NULL);
}
