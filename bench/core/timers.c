/* timers.c: see timers.h.
 *
 * Keepers own the timers and hold the capabilities to them, as many as a space has room for. A
 * driver has all of them arm, calls by calls, then burns the time until the moment has come, begins
 * to measure and ends its turn: what follows is all the kernel's, and the keepers' handlers'. */
#include "bench/core/timers.h"

#include <stdlib.h>

#include "bench/core/crowd.h"
#include "kernel/ipc/ipc.h"

enum {
    KEEPER_TIMERS = 60000,
    KEEPER_SLOTS = KEEPER_TIMERS + 1024,
    SOME = 256,            /* fired at a time among others */
    SOME_ROUNDS = 512,     /* of a run */
    OPERATIONS = 200000,   /* of a run, at least */
    AHEAD_NS = 2000000,    /* to the moment when all end, */
    AHEAD_EACH_NS = 500,   /* and for each that is to be set until then; doubled when too little */
    SOME_AHEAD_NS = 50000, /* likewise where it is some */
    M_SET = TN_METHOD(9, 1),
    M_RESET = TN_METHOD(9, 2),
    M_AGAIN = TN_METHOD(9, 3),
};
_Static_assert((int)KEEPER_SLOTS <= (int)TN_SPACE_MAX, "a space has room for a keeper's timers");
#define MINUTE_NS UINT64_C(60000000000)
#define HOUR_NS   (60 * MINUTE_NS)

/* What a keeper is asked: timers [first, first + n) of the order. */
struct request {
    uint32_t first, n, times;
    uint64_t at_ns; /* 0: any, within an hour */
};

enum job { JOB_ARM, JOB_RESET, JOB_FIRE_ALL, JOB_FIRE_SOME };

static struct {
    struct kernel *kernel;
    struct crowd crowd; /* the keepers, then the driver */
    uint32_t n, nkeepers;
    tn_cap *cap;      /* of each timer in its keeper's space */
    tn_cap *keeper;   /* in the driver's space */
    uint32_t **order; /* in which each keeper uses its own */
    uint64_t bytes, random, ahead_each_ns;
    enum job job;
    bool late;
    uint32_t rounds, repeats;
    uint64_t left; /* to be fired */
    uint64_t begin_ns, took_ns;
} all;

static uint32_t keeper_timers(uint32_t keeper)
{
    uint32_t rest = all.n - keeper * KEEPER_TIMERS;
    return rest < KEEPER_TIMERS ? rest : KEEPER_TIMERS;
}

static tn_cap cap_of(uint32_t keeper, uint32_t i)
{
    return all.cap[keeper * KEEPER_TIMERS + all.order[keeper][i]];
}

static uint64_t some_time(uint64_t now_ns)
{
    return now_ns + MINUTE_NS + bench_random(&all.random) % HOUR_NS;
}

static tn_err keeper_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    const struct request *r = in->data;
    uint32_t keeper = (uint32_t)turn->badge - 1;
    (void)self;
    (void)out;
    uint64_t now = machine_now_ns(), begin = bench_now_ns();
    for (uint64_t i = 0; i < (uint64_t)r->n * r->times; i++) {
        tn_cap cap = cap_of(keeper, r->first + (uint32_t)(i % r->n));
        if (turn->method == M_RESET)
            BENCH_MUST(tn_timer_set(cap, TN_NEVER, 1) == TN_OK);
        BENCH_MUST(tn_timer_set(cap, r->at_ns != 0 ? r->at_ns : some_time(now), 1) == TN_OK);
    }
    if (turn->method == M_RESET)
        all.took_ns += bench_now_ns() - begin;
    return TN_OK;
}

static void ask(uint32_t keeper, uint32_t method, const struct request *request)
{
    struct tn_pack in = {.data = (void *)(uintptr_t)request, .len = sizeof(*request)};
    BENCH_MUST(tn_call(all.keeper[keeper], method, &in, NULL, TN_NEVER) == TN_OK);
}

static void ask_all(uint32_t method, uint32_t times, uint64_t at_ns)
{
    for (uint32_t k = 0; k < all.nkeepers; k++)
        ask(k, method, &(struct request){0, keeper_timers(k), times, at_ns});
}

/* Burns the time until what is armed at `at_ns` is due. */
static void begin_at(uint64_t at_ns, uint64_t timers)
{
    all.left = timers;
    all.late = machine_now_ns() >= at_ns;
    while (machine_now_ns() < at_ns + WHEEL_TICK_NS)
        machine_relax();
    all.begin_ns = bench_now_ns();
}

/* The timers of a round: the next of a keeper's order, all others being armed. */
static struct request some_of(uint32_t round, uint32_t *ret_keeper)
{
    uint32_t keeper = round % all.nkeepers, timers = keeper_timers(keeper);
    uint32_t n = timers < SOME ? timers : SOME;
    *ret_keeper = keeper;
    return (struct request){
        .first = round / all.nkeepers * n % (timers - n + 1), .n = n, .times = 1};
}

static void fire_some(void)
{
    uint32_t keeper;
    struct request r = some_of(all.rounds, &keeper);
    r.at_ns = machine_now_ns() + SOME_AHEAD_NS + r.n * all.ahead_each_ns;
    ask(keeper, M_SET, &r);
    begin_at(r.at_ns, r.n);
}

static void fire_all(void)
{
    uint64_t at_ns = machine_now_ns() + AHEAD_NS + all.n * all.ahead_each_ns;
    ask_all(M_SET, 1, at_ns);
    begin_at(at_ns, all.n);
}

/* The last of a round was handled: they are armed again. */
static void fired_some(void)
{
    uint32_t keeper;
    struct request r = some_of(all.rounds, &keeper);
    ask(keeper, M_SET, &r);
    if (++all.rounds < SOME_ROUNDS)
        fire_some();
    else
        kernel_stop(all.kernel);
}

static void driver_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    if (turn->cls == TN_CLS_USER) {
        fired_some();
    } else if (all.job == JOB_FIRE_ALL) {
        fire_all();
    } else if (all.job == JOB_FIRE_SOME) {
        fire_some();
    } else {
        ask_all(all.job == JOB_ARM ? M_SET : M_RESET, all.repeats, 0);
        kernel_stop(all.kernel);
    }
}

static void keeper_timer(void *self, const struct tn_turn *turn)
{
    tn_cap driver;
    (void)self;
    (void)turn;
    if (--all.left > 0)
        return;
    all.took_ns += bench_now_ns() - all.begin_ns;
    if (all.job == JOB_FIRE_ALL)
        kernel_stop(all.kernel);
    else
        BENCH_MUST(tn_need("other", 5, &driver) == TN_OK &&
                   tn_send(driver, M_AGAIN, NULL, 0) == TN_OK);
}

static const struct tn_component component = {.abi = TN_ABI,
                                              .size = sizeof(struct tn_component),
                                              .call = keeper_call,
                                              .event = driver_event,
                                              .timer = keeper_timer};

/* An endpoint of the keeper, in the driver's space: the badge says which keeper it is. */
static void wire_keeper(uint32_t keeper)
{
    struct kernel *kernel = all.kernel;
    struct actor *driver = all.crowd.actor[all.nkeepers];
    struct endpoint *endpoint;
    BENCH_MUST(endpoint_make(kernel->root, &kernel->limbo, all.crowd.actor[keeper], 0, &endpoint) ==
               TN_OK);
    BENCH_MUST(cap_insert(driver->space, endpoint_object(endpoint), TN_R_CALL, keeper + 1, NULL, 0,
                          &all.keeper[keeper]) == TN_OK);
    object_unref(endpoint_object(endpoint));
}

static void make_timers(uint32_t keeper, bool shuffled)
{
    struct kernel *kernel = all.kernel;
    struct actor *owner = all.crowd.actor[keeper];
    all.order[keeper] = bench_shuffled(keeper_timers(keeper));
    for (uint32_t i = 0; i < keeper_timers(keeper); i++) {
        struct timer *timer;
        if (!shuffled)
            all.order[keeper][i] = i;
        BENCH_MUST(timer_make(kernel->root, &kernel->limbo, owner, &timer) == TN_OK);
        BENCH_MUST(cap_insert(owner->space, timer_object(timer), TN_R_ALL, 0, NULL, 0,
                              &all.cap[keeper * KEEPER_TIMERS + i]) == TN_OK);
        object_unref(timer_object(timer));
    }
}

static void run(enum job job)
{
    all.job = job;
    all.rounds = 0;
    all.took_ns = 0;
    crowd_poke(&all.crowd, all.nkeepers);
    kernel_run(all.kernel);
}

void timers_open(uint32_t n, bool shuffled)
{
    BENCH_MUST(kernel_boot(&(struct kernel_config){.spin = 0}, &all.kernel) == TN_OK);
    all.n = n;
    all.nkeepers = (n + KEEPER_TIMERS - 1) / KEEPER_TIMERS;
    all.random = 1;
    all.ahead_each_ns = AHEAD_EACH_NS;
    all.repeats = 1;
    all.cap = malloc(n * sizeof(all.cap[0]));
    all.keeper = malloc(all.nkeepers * sizeof(all.keeper[0]));
    all.order = malloc(all.nkeepers * sizeof(all.order[0]));
    BENCH_MUST(all.cap != NULL && all.keeper != NULL && all.order != NULL);
    const struct crowd_config config = {.kernel = all.kernel,
                                        .component = &component,
                                        .n = all.nkeepers + 1,
                                        .slots = KEEPER_SLOTS,
                                        .pinned = true};
    crowd_make(&all.crowd, &config);
    uint64_t used = mem_stats(all.kernel->root).used_bytes;
    for (uint32_t k = 0; k < all.nkeepers; k++) {
        wire_keeper(k);
        make_timers(k, shuffled);
    }
    all.bytes = (mem_stats(all.kernel->root).used_bytes - used) / n;
    run(JOB_ARM);
}

void timers_close(void)
{
    for (uint32_t k = 0; k < all.nkeepers; k++)
        free(all.order[k]);
    free(all.order);
    free(all.keeper);
    free(all.cap);
    crowd_forget(&all.crowd);
    kernel_destroy(all.kernel);
}

uint64_t timers_bytes(void)
{
    return all.bytes;
}

double timers_set_cancel(uint32_t runs)
{
    double values[TIMERS_RUNS];
    BENCH_MUST(runs > 0 && runs <= TIMERS_RUNS);
    all.repeats = 1 + OPERATIONS / all.n;
    run(JOB_RESET); /* warms up */
    for (uint32_t i = 0; i < runs; i++) {
        run(JOB_RESET);
        values[i] = (double)all.took_ns / ((double)all.n * all.repeats);
    }
    all.repeats = 1;
    return bench_median(values, runs);
}

double timers_fire_all(uint32_t runs)
{
    double values[TIMERS_RUNS];
    BENCH_MUST(runs > 0 && runs <= TIMERS_RUNS);
    for (uint32_t i = 0; i < runs;) {
        run(JOB_FIRE_ALL);
        if (all.late)
            all.ahead_each_ns *= 2;
        else
            values[i++] = (double)all.took_ns / all.n;
    }
    run(JOB_ARM);
    return bench_median(values, runs);
}

double timers_fire_some(uint32_t runs)
{
    double values[TIMERS_RUNS];
    uint32_t each = all.n < SOME ? all.n : SOME;
    BENCH_MUST(runs > 0 && runs <= TIMERS_RUNS);
    for (uint32_t i = 0; i < runs; i++) {
        run(JOB_FIRE_SOME);
        values[i] = (double)all.took_ns / ((double)each * SOME_ROUNDS);
    }
    return bench_median(values, runs);
}
