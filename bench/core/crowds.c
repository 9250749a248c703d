/* crowds.c: questions with many actors: a ring of a thousand, eight producers for one consumer, and
 * timers by the million. */
#include "bench/core/core.h"
#include "bench/core/crowd.h"
#include "bench/core/timers.h"

enum {
    RING = 1000,
    HOPS = 400000,
    PRODUCERS = 8,
    EACH = 50000, /* messages of a producer */
    MAILBOX = 1024,
    TIMERS = 1000000,
    M_ONE = TN_METHOD(9, 1),
};
_Static_assert(HOPS % RING == 0, "whole laps");

static uint64_t left, begin_ns, end_ns;

static tn_cap other_of(void *self)
{
    tn_cap *other = self;
    if (*other == 0)
        *other = kit_need("other");
    return *other;
}

/* The ring: one message goes round, two laps of which warm up. */

static void pass_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    uint64_t number = 1;
    struct tn_pack first = {.data = &number, .len = sizeof(number)};
    if (turn->cls != TN_CLS_USER)
        in = &first;
    else if (--left == HOPS)
        begin_ns = bench_now_ns();
    if (left > 0) {
        KIT_CHECK(tn_send(other_of(self), M_ONE, in, 0) == TN_OK);
        return;
    }
    end_ns = bench_now_ns();
    kit_stop();
}
KIT_ROLE(passer, .state_size = sizeof(tn_cap), .event = pass_event);

double ring(struct kit *kit)
{
    static uint32_t next[RING];
    struct crowd crowd;
    for (uint32_t i = 0; i < RING; i++)
        next[i] = (i + 1) % RING;
    const struct crowd_config config = {
        .kernel = kit->kernel, .component = &passer, .n = RING, .other = next, .pinned = true};
    crowd_make(&crowd, &config);
    left = HOPS + 2 * RING;
    crowd_poke(&crowd, 0);
    kernel_run(kit->kernel);
    kit_assert();
    crowd_kill(&crowd);
    return (double)(end_ns - begin_ns) / HOPS;
}

/* Eight to one: producers wait where the mailbox is full. */

static atomic_u32 begun;

static void take_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    if (--left > 0)
        return;
    end_ns = bench_now_ns();
    kit_stop();
}
KIT_ROLE(taker, .event = take_event);

static void give_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    uint64_t number = 1;
    struct tn_pack pack = {.data = &number, .len = sizeof(number)};
    tn_cap to = kit_need("other");
    (void)self;
    (void)turn;
    (void)in;
    if (at_swap(&begun, 1, RELAXED) == 0) /* the messages bring it to whoever reads it */
        begin_ns = bench_now_ns();
    for (uint32_t i = 0; i < EACH; i++)
        KIT_CHECK(tn_send(to, M_ONE, &pack, TN_SEND_WAIT) == TN_OK);
}
KIT_ROLE(giver, .event = give_event);

/* From the CPU `from`, or from all where they may move, to `to`. */
static double eight(struct kit *kit, uint32_t to)
{
    struct kit_actor *producers[PRODUCERS];
    struct kit_actor *consumer = kit_make(kit, "consumer", &taker, to, MAILBOX);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        producers[i] = kit_make(kit, "producer", &giver, kit->move ? i : 0, 1);
        kit_wire(producers[i], "other", consumer, TN_R_CALL, 1);
    }
    left = PRODUCERS * EACH;
    at_init(&begun, 0);
    kit_run_all(kit, producers, PRODUCERS);
    return (double)(end_ns - begin_ns) / (PRODUCERS * EACH);
}

double eight_to_one(struct kit *kit)
{
    return eight(kit, 0);
}

double eight_to_one_across(struct kit *kit)
{
    return eight(kit, 1);
}

double eight_to_one_free(struct kit *kit)
{
    kit->move = true;
    return eight(kit, 0);
}

double timer_fire(uint32_t runs)
{
    timers_open(TIMERS, false);
    double value = timers_fire_all(runs);
    timers_close();
    return value;
}
