/* model.h: what the forecaster learns of a series, and simulating it. */
#ifndef COMPONENTS_FORECASTER_MODEL_H
#define COMPONENTS_FORECASTER_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "sdk/math.h"

enum {
    MODEL_ROWS = 2016, /* learned from: the last week of rows five minutes apart */
    MODEL_HOURS = 24,  /* of the daily profile */
    MODEL_ORDER = 3,   /* of the autoregression */
};

/* The last rows: `rows` of them, the oldest at `first`, in a ring. */
struct tail {
    uint32_t rows, first;
    int64_t times_ms[MODEL_ROWS];
    double values[MODEL_ROWS];
};

/* What is known of the whole series, not only of its tail: where a path cannot go. */
struct bounds {
    double low, high; /* minus and plus infinity where nothing speaks for one */
};

struct model {
    int64_t step_ms, last_ms;
    struct bounds bounds;
    double profile[MODEL_HOURS]; /* by hour of the day; all 0 when it does not help */
    double level;                /* where the series is now, without the profile */
    double ar[MODEL_ORDER];      /* weight of the row before, of the one before that, ... */
    double recent[MODEL_ORDER];  /* the last deviations, the newest first */
    uint32_t nresiduals;
    double residuals[MODEL_ROWS]; /* what remains unexplained: drawn from when simulating */
    double deviations[MODEL_ROWS];
};

void tail_add(struct tail *tail, int64_t time_ms, double value);
/* Learns; at least 2 rows. */
void model_fit(struct model *model, const struct tail *tail, struct bounds bounds);
/* The next value of a path. `recent` is the path's own, begun as a copy of the model's; `time_ms`
 * is when. */
double model_step(const struct model *model, struct sdk_rng *rng, int64_t time_ms,
                  double recent[MODEL_ORDER]);

#endif
