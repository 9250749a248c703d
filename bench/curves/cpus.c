/* cpus.c: what a message costs by the number of CPUs, counted in the simulator.
 *
 *   bench_curves_sim [--runs N] [NAME[@POINT]...]
 *
 * Prints JSON. Real CPUs are few here, and virtual ones share one thread, so no time can be
 * measured; counted are steps, which are race points: atomic operations, fences, parks, barriers,
 * switches and looks at the clock, of all CPUs together, those that idle and look for work
 * included, for each message that was handled. So a cost that grows with the number of CPUs, as a
 * search through all of them, shows; what a cache line costs that many CPUs want does not. The
 * clock moves by a few ns a step, whichever CPU takes it: seen from one CPU it runs the faster the
 * more there are, so what is done every so many microseconds is counted too often, never too
 * seldom. Work is stolen as ever. Each point is the median of as many seeds as there are runs. */
#include <stdlib.h>

#include "base/bits.h"
#include "bench/core/crowd.h"
#include "bench/curves/curves.h"
#include "machine/sim/sim.h"

enum {
    PAIRS = 2,          /* of a CPU */
    TRIPS = 1000,       /* of a pair */
    TRIPS_ALONE = 8000, /* of one that is alone: what it takes to start the CPUs fades */
    MEMORY_BYTES = 64 << 20,
    M_ONE = TN_METHOD(9, 1),
};
#define STEPS_MAX UINT64_C(10000000000)

struct talker {
    tn_cap other;
    uint32_t trips;
};

static struct {
    struct kernel *kernel;
    uint32_t cpus, trips, running; /* pairs that are not done */
} all;

/* Who was poked counts the trips; the other one answers. */
static void talk_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    struct talker *talker = self;
    uint64_t number = 1;
    struct tn_pack first = {.data = &number, .len = sizeof(number)};
    if (talker->other == 0)
        BENCH_MUST(tn_need("other", 5, &talker->other) == TN_OK);
    if (turn->cls != TN_CLS_USER) {
        talker->trips = all.trips;
        in = &first;
    } else if (talker->trips > 0 && --talker->trips == 0) {
        if (--all.running == 0) /* the CPUs are one thread */
            kernel_stop(all.kernel);
        return;
    }
    BENCH_MUST(tn_send(talker->other, M_ONE, in, 0) == TN_OK);
}
static const struct tn_component talker = {.abi = TN_ABI,
                                           .size = sizeof(struct tn_component),
                                           .state_size = sizeof(struct talker),
                                           .event = talk_event};

/* The pairs are dealt out. */
static uint32_t home_of(uint32_t i)
{
    return i / 2 % all.cpus;
}

/* Steps for each message of one seed. */
static double run(uint32_t cpus, uint32_t pairs, bool dealt, uint64_t seed)
{
    const struct sim_machine machine = {
        .seed = seed, .cpus = cpus, .memory_bytes = MEMORY_BYTES, .steps_max = STEPS_MAX};
    struct crowd crowd;
    BENCH_MUST(sim_machine_init(&machine) == 0);
    BENCH_MUST(kernel_boot(&(struct kernel_config){.spin = 4}, &all.kernel) == TN_OK);
    all.cpus = cpus;
    all.running = pairs;
    all.trips = pairs == 1 ? TRIPS_ALONE : TRIPS;
    uint32_t *other = malloc(2 * (size_t)pairs * sizeof(other[0]));
    BENCH_MUST(other != NULL);
    for (uint32_t i = 0; i < 2 * pairs; i++)
        other[i] = i ^ 1;
    const struct crowd_config config = {.kernel = all.kernel,
                                        .component = &talker,
                                        .n = 2 * pairs,
                                        .other = other,
                                        .home = dealt ? home_of : NULL};
    crowd_make(&crowd, &config);
    for (uint32_t i = 0; i < 2 * pairs; i += 2)
        crowd_poke(&crowd, i);
    uint64_t before = sim_machine_stats().steps;
    kernel_run(all.kernel);
    struct sim_stats stats = sim_machine_stats();
    BENCH_MUST(all.running == 0 && !stats.deadlock && !stats.hung);
    free(other);
    crowd_forget(&crowd);
    kernel_destroy(all.kernel);
    sim_machine_destroy();
    return (double)(stats.steps - before) / (2.0 * all.trips * pairs);
}

static bool steps(uint32_t cpus, uint32_t pairs, bool dealt, uint32_t runs, double *ret_value)
{
    double values[RUNS_MAX];
    for (uint32_t i = 0; i < runs; i++)
        values[i] = run(cpus, pairs, dealt, i);
    *ret_value = bench_median(values, runs);
    return true;
}

static bool busy(uint32_t n, uint32_t runs, double *ret_value)
{
    return steps(n, PAIRS * n, true, runs, ret_value);
}

static bool from_one(uint32_t n, uint32_t runs, double *ret_value)
{
    return steps(n, PAIRS * n, false, runs, ret_value);
}

static bool idle(uint32_t n, uint32_t runs, double *ret_value)
{
    return steps(n, 1, true, runs, ret_value);
}

#define CPUS "virtual CPUs"
#define BY_CPUS                \
    {                          \
        2, 4, 8, 16, 32, 64, 0 \
    }
static const struct curve curves[] = {
    {CPUS, "cpus_busy", "two pairs on each talk: a message", "steps", busy, BY_CPUS},
    {CPUS, "cpus_from_one", "as many pairs, that all begin on the first: a message", "steps",
     from_one, BY_CPUS},
    {CPUS, "cpus_idle", "one pair talks, the others idle: a message", "steps", idle, BY_CPUS},
};

int main(int argc, char **argv)
{
    return curves_main(argc, argv, "steps of all virtual CPUs", curves, ARRAY_LEN(curves));
}
