/* actors.c: messages among n actors that all talk, on one CPU: one message that goes round a ring
 * of them, and pairs of which each has one under way. Who comes next is nobody the prefetcher would
 * guess: all of an actor's memory is fetched anew when the actors are more than the caches hold. */
#include <stdlib.h>

#include "bench/core/crowd.h"
#include "bench/curves/curves.h"
#include "kernel/ipc/ipc.h"

enum {
    MESSAGES = 400000,  /* of a run, at least */
    ACTOR_BYTES = 4096, /* more than one takes, with its cells */
    MARGIN_BYTES = 64 << 20,
    M_ONE = TN_METHOD(9, 1),
};

static struct {
    struct kernel *kernel;
    uint64_t messages, left, begin_ns;
    uint32_t run, runs;
    double values[RUNS_MAX + 1];
    uint64_t actor_bytes;
} all;

/* A run is over; the first warmed up. */
static void next_run(void)
{
    uint64_t now = bench_now_ns();
    all.values[all.run] = (double)(now - all.begin_ns) / (double)all.messages;
    all.left = all.messages;
    if (++all.run > all.runs)
        kernel_stop(all.kernel);
    all.begin_ns = bench_now_ns();
}

static void talk_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    tn_cap *other = self;
    uint64_t number = 1;
    struct tn_pack first = {.data = &number, .len = sizeof(number)};
    if (*other == 0)
        BENCH_MUST(tn_need("other", 5, other) == TN_OK);
    if (turn->cls != TN_CLS_USER)
        in = &first;
    else if (--all.left == 0)
        next_run();
    BENCH_MUST(tn_send(*other, M_ONE, in, 0) == TN_OK);
}
static const struct tn_component talker = {.abi = TN_ABI,
                                           .size = sizeof(struct tn_component),
                                           .state_size = sizeof(tn_cap),
                                           .event = talk_event};

/* In a ring each names the next of the order and the first begins; of a pair one begins. */
static bool talk(uint32_t n, uint32_t runs, bool pairs, double *ret_value)
{
    struct crowd crowd;
    if (!curves_open((uint64_t)n * ACTOR_BYTES + MARGIN_BYTES))
        return false;
    BENCH_MUST(kernel_boot(&(struct kernel_config){.spin = 0}, &all.kernel) == TN_OK);
    uint32_t *order = bench_shuffled(n), *other = malloc(n * sizeof(other[0]));
    BENCH_MUST(other != NULL);
    for (uint32_t i = 0; i < n; i++)
        other[order[i]] = order[pairs ? i ^ 1 : (i + 1) % n];
    const struct crowd_config config = {
        .kernel = all.kernel, .component = &talker, .n = n, .other = other, .pinned = true};
    uint64_t used = mem_stats(all.kernel->root).used_bytes;
    crowd_make(&crowd, &config);
    for (uint32_t i = 0; i < (pairs ? n : 1); i += 2)
        crowd_poke(&crowd, order[i]);
    all.messages = n > MESSAGES ? n : MESSAGES;
    all.left = 2 * all.messages;
    all.run = 0;
    all.runs = runs;
    kernel_run(all.kernel);
    all.actor_bytes = (mem_stats(all.kernel->root).used_bytes - used) / n;
    *ret_value = bench_median(all.values + 1, runs);
    free(order);
    free(other);
    crowd_forget(&crowd);
    kernel_destroy(all.kernel);
    curves_close();
    return true;
}

bool message_ring(uint32_t n, uint32_t runs, double *ret_value)
{
    return talk(n, runs, false, ret_value);
}

bool message_pairs(uint32_t n, uint32_t runs, double *ret_value)
{
    return talk(n, runs, true, ret_value);
}

/* Counted, see linux.c; the pieces are actor, space, slots, endpoint, instance with its state, pool
 * and cells. The bytes are those of the last that talked. */
static bool machine(uint32_t lines, uint32_t n, uint32_t runs, double *ret_value)
{
    const struct chase what = {.bytes = all.actor_bytes, .lines = lines, .pieces = 7};
    return chase(&what, n, runs, ret_value);
}

bool message_ring_machine(uint32_t n, uint32_t runs, double *ret_value)
{
    return machine(15, n, runs, ret_value);
}

bool message_pairs_machine(uint32_t n, uint32_t runs, double *ret_value)
{
    return machine(20, n, runs, ret_value);
}
