/* forecaster.c: the next hours of a series, simulated many times, and what share of the paths went
 * where. Its results are the same bits in the kernel and in wasm: only + - * / in an order that the
 * source fixes, and random numbers that repeat with their seed; `hash`, over every simulated value,
 * shows it.
 *
 * Paths advance together, step by step, so what is kept of each is its last few values:
 *   1. Memory is this struct, whatever the series' length.
 *   2. Path p of step s gets its random number after all of step s - 1 and paths 0 to p - 1 of s.
 *
 * EMPTY -> LEARNING (begin) -> LEARNING (feed, finish): finish changes nothing, so it may be
 * repeated and gives the same. */
#include <tenon/component.h>

#include "components/forecaster/model.h"
#include "interfaces/demo_forecast.h"
#include "sdk/mem.h"

enum { QUANTILES = 5, CEILING_ROWS = 10 };
/* Rows beyond are left out: times after the year 10000, values whose squares add up to infinity. */
#define TIME_MOST  INT64_C(253402300800000)
#define VALUE_MOST 1e150

struct forecaster {
    bool begun;
    uint64_t seed, rows;
    uint32_t paths, steps;
    double highest, lowest;
    uint64_t rows_highest; /* that are exactly that */
    struct tail tail;
    struct model model;
    struct path {
        double recent[MODEL_ORDER];
        bool crossed;
    } path[DEMO_FORECAST_PATHS_MAX];
    double step[DEMO_FORECAST_PATHS_MAX]; /* of one step, by path, then in part sorted */
    int64_t times[DEMO_FORECAST_STEPS_MAX];
    double quantile[QUANTILES][DEMO_FORECAST_STEPS_MAX];
    double cross[DEMO_FORECAST_STEPS_MAX];
};

static tn_err begin(struct forecaster *f, const struct tn_pack *in)
{
    struct demo_forecast_begin_args args;
    tn_err err = demo_forecast_begin_args_decode(in, &args);
    if (err != TN_OK)
        return err;
    f->begun = true;
    f->seed = args.seed;
    f->rows = 0;
    f->tail.rows = f->tail.first = 0;
    f->paths = args.paths == 0 || args.paths > DEMO_FORECAST_PATHS_MAX ? DEMO_FORECAST_PATHS_MAX
                                                                       : args.paths;
    f->steps = args.steps == 0 || args.steps > DEMO_FORECAST_STEPS_MAX ? DEMO_FORECAST_STEPS_MAX
                                                                       : args.steps;
    return TN_OK;
}

static tn_err feed(struct forecaster *f, const struct tn_pack *in)
{
    struct demo_forecast_feed_args args;
    tn_err err = demo_forecast_feed_args_decode(in, &args);
    if (err != TN_OK)
        return err;
    if (!f->begun)
        return DEMO_FORECAST_E_NOT_BEGUN;
    if (args.times_ms.count != args.values.count)
        return DEMO_FORECAST_E_UNEQUAL;
    for (uint32_t i = 0; i < args.values.count; i++) {
        double value = tn_f64s_at(args.values, i);
        int64_t time_ms = tn_i64s_at(args.times_ms, i);
        bool fits = value >= -VALUE_MOST && value <= VALUE_MOST;
        if (!fits || time_ms < -TIME_MOST || time_ms > TIME_MOST)
            continue;
        tail_add(&f->tail, time_ms, value);
        if (f->rows == 0 || value > f->highest) {
            f->highest = value;
            f->rows_highest = 0;
        }
        f->rows_highest += value == f->highest;
        if (f->rows == 0 || value < f->lowest)
            f->lowest = value;
        f->rows++;
    }
    return TN_OK;
}

/* Puts the value that is at `rank` in order of size there; smaller ones before it, larger ones
 * behind (Hoare 1961). */
static double select_rank(double *at, uint32_t low, uint32_t high, uint32_t rank)
{
    while (low < high) {
        double pivot = at[low + (high - low) / 2];
        uint32_t i = low, k = high;
        for (;;) {
            while (at[i] < pivot)
                i++;
            while (at[k] > pivot)
                k--;
            if (i >= k)
                break;
            double swap = at[i];
            at[i++] = at[k];
            at[k--] = swap;
        }
        if (rank <= k)
            high = k;
        else
            low = k + 1;
    }
    return at[rank];
}

static void take_quantiles(struct forecaster *f, uint32_t step)
{
    static const double share[QUANTILES] = {0.05, 0.25, 0.5, 0.75, 0.95};
    uint32_t low = 0;
    for (uint32_t q = 0; q < QUANTILES; q++) {
        uint32_t rank = (uint32_t)((double)(f->paths - 1) * share[q]);
        f->quantile[q][step] = select_rank(f->step, low, f->paths - 1, rank);
        low = rank;
    }
}

static uint64_t mix(uint64_t hash, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    hash = (hash ^ bits) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* All paths; the hash over their values. */
static uint64_t simulate(struct forecaster *f)
{
    struct sdk_rng rng;
    uint64_t hash = f->seed;
    sdk_rng_seed(&rng, f->seed);
    for (uint32_t p = 0; p < f->paths; p++) {
        memcpy(f->path[p].recent, f->model.recent, sizeof(f->model.recent));
        f->path[p].crossed = false;
    }
    for (uint32_t s = 0; s < f->steps; s++) {
        uint32_t above = 0;
        f->times[s] = f->model.last_ms + (int64_t)(s + 1) * f->model.step_ms;
        for (uint32_t p = 0; p < f->paths; p++) {
            struct path *path = &f->path[p];
            double value = model_step(&f->model, &rng, f->times[s], path->recent);
            f->step[p] = value;
            hash = mix(hash, value);
            above += value > f->highest;
            path->crossed |= value > f->highest;
        }
        f->cross[s] = (double)above / f->paths;
        take_quantiles(f, s);
    }
    return hash;
}

/* What was never negative stays so; what was often exactly its highest value is at a ceiling. */
static struct bounds bounds_of(const struct forecaster *f)
{
    bool ceiling = f->rows_highest >= CEILING_ROWS && f->highest > f->lowest;
    return (struct bounds){.low = f->lowest >= 0 ? 0 : -__builtin_inf(),
                           .high = ceiling ? f->highest : __builtin_inf()};
}

static tn_err finish(struct forecaster *f, struct tn_pack *out)
{
    if (!f->begun)
        return DEMO_FORECAST_E_NOT_BEGUN;
    if (f->rows < DEMO_FORECAST_ROWS_MIN)
        return DEMO_FORECAST_E_TOO_FEW;
    model_fit(&f->model, &f->tail, bounds_of(f));
    uint64_t hash = simulate(f);
    uint32_t crossed = 0;
    for (uint32_t p = 0; p < f->paths; p++)
        crossed += f->path[p].crossed;
    struct demo_forecast_finish_reply reply = {
        .hash = hash,
        .paths = f->paths,
        .step_ms = f->model.step_ms,
        .threshold = f->highest,
        .cross_any = (double)crossed / f->paths,
        .times_ms = {f->times, f->steps},
        .low = {f->quantile[0], f->steps},
        .lower = {f->quantile[1], f->steps},
        .middle = {f->quantile[2], f->steps},
        .upper = {f->quantile[3], f->steps},
        .high = {f->quantile[4], f->steps},
        .cross = {f->cross, f->steps},
    };
    return demo_forecast_finish_reply_encode(&reply, out);
}

static tn_err forecaster_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                              struct tn_pack *out)
{
    struct forecaster *f = self;
    struct demo_forecast_about_reply about = {f->rows};
    switch (turn->method) {
    case DEMO_FORECAST_BEGIN:
        return begin(f, in);
    case DEMO_FORECAST_FEED:
        return feed(f, in);
    case DEMO_FORECAST_FINISH:
        return finish(f, out);
    case DEMO_FORECAST_ABOUT:
        return demo_forecast_about_reply_encode(&about, out);
    default:
        return TN_EMETHOD;
    }
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct forecaster),
    .state_version = 1,
    .call = forecaster_call,
};
