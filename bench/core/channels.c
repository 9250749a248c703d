/* channels.c: what channels cost: between two processes over one mapping, between actors on two
 * CPUs, and between actors that sleep.
 *
 * All but the last poll: what is measured is the ring. A message is 32 bytes, copied in and out;
 * bulk is 64 KiB at a time, copied in and out. Wall-clock time, for two CPUs take part. */
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/core/core.h"
#include "sdk/chan.h"

enum {
    ROUND_TRIPS = 200000,
    MESSAGES = 1000000,
    SLEEPS = 100000,
    BULKS = 4096,
    MESSAGE_BYTES = 32,
    BULK_BYTES = 65536,
    SMALL = 65536,  /* capacity for messages */
    LARGE = 524288, /* for bulk */
};

/* The two that work: both ends of two rings, one each way. */
struct side {
    struct ring_producer out;
    struct ring_consumer in;
};

static uint64_t begin_ns, end_ns;
static uint8_t own[2][BULK_BYTES]; /* of each side */

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void send(struct side *s, const void *data, uint32_t len)
{
    tn_err err;
    while ((err = ring_write(&s->out, data, len)) == TN_EAGAIN)
        machine_relax();
    must(err == TN_OK);
    ring_publish(&s->out);
}

static void receive(struct side *s, void *data, uint32_t size)
{
    uint32_t len;
    tn_err err;
    while ((err = ring_read(&s->in, data, size, &len)) == TN_EAGAIN)
        machine_relax();
    must(err == TN_OK);
}

/* Gives room back now and then, as it comes cheapest. */
static void receive_many(struct side *s, void *data, uint32_t size, uint64_t n, uint32_t batch)
{
    for (uint64_t i = 0; i < n; i++) {
        receive(s, data, size);
        if (i % batch == batch - 1)
            ring_release(&s->in);
    }
    ring_release(&s->in);
}

/* What is asked: how one side works, and the other. */
struct work {
    void (*first)(struct side *s), (*second)(struct side *s);
    uint64_t capacity;
};

static void ping(struct side *s)
{
    begin_ns = bench_now_ns();
    for (uint32_t i = 0; i < ROUND_TRIPS; i++) {
        send(s, own[0], MESSAGE_BYTES);
        receive(s, own[0], MESSAGE_BYTES);
        ring_release(&s->in);
    }
    end_ns = bench_now_ns();
}

static void pong(struct side *s)
{
    for (uint32_t i = 0; i < ROUND_TRIPS; i++) {
        receive(s, own[1], MESSAGE_BYTES);
        send(s, own[1], MESSAGE_BYTES);
        ring_release(&s->in);
    }
}
static const struct work round_trip = {ping, pong, SMALL};

static void pour(struct side *s)
{
    begin_ns = bench_now_ns();
    for (uint32_t i = 0; i < MESSAGES; i++)
        send(s, own[0], MESSAGE_BYTES);
    receive(s, own[0], MESSAGE_BYTES);
    end_ns = bench_now_ns();
}

static void drain(struct side *s)
{
    receive_many(s, own[1], MESSAGE_BYTES, MESSAGES, 64);
    send(s, own[1], MESSAGE_BYTES);
}
static const struct work messages = {pour, drain, SMALL};

static void pour_bulk(struct side *s)
{
    begin_ns = bench_now_ns();
    for (uint32_t i = 0; i < BULKS; i++)
        send(s, own[0], BULK_BYTES);
    receive(s, own[0], MESSAGE_BYTES);
    end_ns = bench_now_ns();
}

static void drain_bulk(struct side *s)
{
    receive_many(s, own[1], BULK_BYTES, BULKS, 1);
    send(s, own[1], MESSAGE_BYTES);
}
static const struct work bulk = {pour_bulk, drain_bulk, LARGE};

static double per(uint64_t operations)
{
    return (double)(end_ns - begin_ns) / (double)operations;
}

static double bulk_rate(void)
{
    return (double)BULK_BYTES / per(BULKS);
}

/* Between two processes */

static void pin(uint32_t nth)
{
    cpu_set_t allowed, one;
    must(sched_getaffinity(0, sizeof(allowed), &allowed) == 0);
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &allowed) && nth-- == 0)
            CPU_SET(cpu, &one);
    }
    if (CPU_COUNT(&one) == 1)
        (void)sched_setaffinity(0, sizeof(one), &one);
}

static void between_processes(const struct work *work)
{
    size_t size = RING_HEADER + work->capacity;
    cpu_set_t before;
    uint8_t *at = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    must(at != MAP_FAILED && sched_getaffinity(0, sizeof(before), &before) == 0);
    must(ring_format(at, work->capacity) == TN_OK);
    must(ring_format(at + size, work->capacity) == TN_OK);
    pid_t child = fork();
    must(child >= 0);
    uint32_t me = child == 0;
    struct side side;
    must(ring_produce(&side.out, at + me * size, size) == TN_OK);
    must(ring_consume(&side.in, at + (1 - me) * size, size) == TN_OK);
    memset(own, 1, sizeof(own)); /* touched, in either process */
    if (child == 0) {
        pin(1);
        work->second(&side);
        _exit(EXIT_SUCCESS);
    }
    pin(0);
    work->first(&side);
    must(waitpid(child, NULL, 0) == child);
    must(sched_setaffinity(0, sizeof(before), &before) == 0);
    (void)munmap(at, 2 * size);
}

double channel_round_trip(struct kit *kit)
{
    (void)kit;
    between_processes(&round_trip);
    return per(ROUND_TRIPS);
}

double channel_message(struct kit *kit)
{
    (void)kit;
    between_processes(&messages);
    return per(MESSAGES);
}

double channel_bulk(struct kit *kit)
{
    (void)kit;
    between_processes(&bulk);
    return bulk_rate();
}

/* Between actors */

static const struct work *work_now;

static void open_side(struct side *s)
{
    struct chan_out out;
    struct chan_in in;
    KIT_CHECK(chan_out_open(&out, kit_need("out")) == TN_OK);
    KIT_CHECK(chan_in_open(&in, kit_need("in")) == TN_OK);
    s->out = out.ring;
    s->in = in.ring;
}

static void work_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    struct side side;
    (void)self;
    (void)in;
    open_side(&side);
    if (turn->badge == 0)
        work_now->first(&side);
    else
        work_now->second(&side);
    kit_done();
}
KIT_ROLE(worker, .event = work_event);

/* Two actors with a channel each way. */
static void between_actors(struct kit *kit, const struct tn_component *role, uint64_t capacity,
                           uint32_t other_cpu)
{
    struct kit_actor *drivers[2] = {kit_make(kit, "a", role, 0, 1),
                                    kit_make(kit, "b", role, other_cpu, 1)};
    for (uint32_t i = 0; i < 2; i++) {
        struct channel_end *out = NULL, *in = NULL;
        must(channel_make(kit->kernel->root, &kit->kernel->limbo, capacity, &out, &in) == TN_OK);
        kit_give(drivers[i], "out", channel_end_object(out), TN_R_WRITE);
        kit_give(drivers[1 - i], "in", channel_end_object(in), TN_R_READ);
    }
    kit_run_all(kit, drivers, 2);
}

double channel_round_trip_cpus(struct kit *kit)
{
    work_now = &round_trip;
    between_actors(kit, &worker, round_trip.capacity, 1);
    return per(ROUND_TRIPS);
}

double channel_message_cpus(struct kit *kit)
{
    work_now = &messages;
    between_actors(kit, &worker, messages.capacity, 1);
    return per(MESSAGES);
}

double channel_bulk_cpus(struct kit *kit)
{
    work_now = &bulk;
    between_actors(kit, &worker, bulk.capacity, 1);
    return bulk_rate();
}

/* Each sleeps until the other rings. */
static void sleeper_event(void *self, const struct tn_turn *turn, const struct tn_pack *pack)
{
    struct chan_out out;
    struct chan_in in;
    uint8_t data[MESSAGE_BYTES] = {0};
    uint32_t len;
    (void)self;
    (void)pack;
    KIT_CHECK(chan_out_open(&out, kit_need("out")) == TN_OK);
    KIT_CHECK(chan_in_open(&in, kit_need("in")) == TN_OK);
    if (turn->badge == 0)
        begin_ns = bench_now_ns();
    for (uint32_t i = 0; i < SLEEPS; i++) {
        if (turn->badge != 0)
            KIT_CHECK(chan_receive(&in, data, sizeof(data), &len, TN_NEVER) == TN_OK);
        KIT_CHECK(chan_out_map(&out) == TN_OK);
        KIT_CHECK(chan_write(&out, data, sizeof(data)) == TN_OK && chan_flush(&out) == TN_OK);
        if (turn->badge == 0)
            KIT_CHECK(chan_receive(&in, data, sizeof(data), &len, TN_NEVER) == TN_OK);
    }
    if (turn->badge == 0)
        end_ns = bench_now_ns();
    kit_done();
}
KIT_ROLE(sleeper, .event = sleeper_event);

double channel_round_trip_asleep(struct kit *kit)
{
    between_actors(kit, &sleeper, SMALL, 0);
    return per(SLEEPS);
}
