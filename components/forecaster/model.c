/* model.c: a daily profile, a level that follows the series, an autoregression of what these leave,
 * and the residuals of it all.
 *
 * The profile is used where it takes away at least SEASON_GAIN of the variance. The autoregression
 * comes from the autocovariances by Levinson's recursion, so it is stable whatever the data are: a
 * path returns to the level, which is where the series was lately, not long ago: an exponentially
 * weighted mean. Simulating draws from the residuals as they were (a bootstrap: Efron
 * 1979), so their spread and their tails are the series' own, not a normal distribution's. */
#include "components/forecaster/model.h"
#include "sdk/mem.h"

enum { STEPS_LOOKED_AT = 255, MS_OF_HOUR = 3600000 };
#define SEASON_GAIN 0.1
#define LEVEL_GAIN  (1.0 / 72)

static uint32_t index_of(const struct tail *t, uint32_t i)
{
    uint32_t at = t->first + i;
    return at < MODEL_ROWS ? at : at - MODEL_ROWS;
}

void tail_add(struct tail *t, int64_t time_ms, double value)
{
    uint32_t at = index_of(t, t->rows < MODEL_ROWS ? t->rows : 0);
    t->times_ms[at] = time_ms;
    t->values[at] = value;
    if (t->rows < MODEL_ROWS)
        t->rows++;
    else
        t->first = index_of(t, 1);
}

/* The middle one of the last distances; at least 1 ms. */
static int64_t usual_step(const struct tail *t)
{
    int64_t steps[STEPS_LOOKED_AT];
    uint32_t n = t->rows - 1 < STEPS_LOOKED_AT ? t->rows - 1 : STEPS_LOOKED_AT;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t newer = t->rows - 1 - i;
        int64_t step = t->times_ms[index_of(t, newer)] - t->times_ms[index_of(t, newer - 1)];
        uint32_t k = i;
        for (; k > 0 && steps[k - 1] > step; k--)
            steps[k] = steps[k - 1];
        steps[k] = step;
    }
    int64_t step = n > 0 ? steps[n / 2] : 1;
    return step > 0 ? step : 1;
}

/* Milliseconds since midnight. */
static int64_t phase_of(int64_t time_ms)
{
    int64_t day = MODEL_HOURS * (int64_t)MS_OF_HOUR, phase = time_ms % day;
    return phase < 0 ? phase + day : phase;
}

/* Between the middles of the hours, a straight line. */
static double profile_at(const struct model *m, int64_t time_ms)
{
    double hours = (double)phase_of(time_ms) / MS_OF_HOUR - 0.5;
    if (hours < 0)
        hours += MODEL_HOURS;
    uint32_t hour = (uint32_t)hours % MODEL_HOURS, next = (hour + 1) % MODEL_HOURS;
    double part = hours - sdk_floor(hours);
    return m->profile[hour] + part * (m->profile[next] - m->profile[hour]);
}

static double mean_of(const struct tail *t)
{
    double sum = 0;
    for (uint32_t i = 0; i < t->rows; i++)
        sum += t->values[i];
    return sum / t->rows;
}

static double variance_around(const struct model *m, const struct tail *t, double mean)
{
    double sum = 0;
    for (uint32_t i = 0; i < t->rows; i++) {
        double d = t->values[i] - mean - profile_at(m, t->times_ms[i]);
        sum += d * d;
    }
    return sum / t->rows;
}

/* Leaves the profile at 0 unless each hour was seen and it explains enough. */
static void fit_profile(struct model *m, const struct tail *t)
{
    double sum[MODEL_HOURS] = {0}, mean = mean_of(t), plain = variance_around(m, t, mean);
    uint32_t seen[MODEL_HOURS] = {0};
    for (uint32_t i = 0; i < t->rows; i++) {
        uint32_t hour = (uint32_t)(phase_of(t->times_ms[i]) / MS_OF_HOUR);
        sum[hour] += t->values[i] - mean;
        seen[hour]++;
    }
    for (uint32_t h = 0; h < MODEL_HOURS; h++) {
        if (seen[h] < 2)
            return;
    }
    for (uint32_t h = 0; h < MODEL_HOURS; h++)
        m->profile[h] = sum[h] / seen[h];
    if (!(variance_around(m, t, mean) < plain * (1 - SEASON_GAIN)))
        memset(m->profile, 0, sizeof(m->profile));
}

/* Levinson 1947, Durbin 1960. `cov` are autocovariances at lags 0 to MODEL_ORDER. */
static void fit_ar(const double cov[MODEL_ORDER + 1], double ar[MODEL_ORDER])
{
    double left = cov[0];
    memset(ar, 0, MODEL_ORDER * sizeof(*ar));
    for (uint32_t k = 0; k < MODEL_ORDER && left > cov[0] * 1e-9; k++) {
        double before[MODEL_ORDER], reflection = cov[k + 1];
        memcpy(before, ar, sizeof(before));
        for (uint32_t i = 0; i < k; i++)
            reflection -= before[i] * cov[k - i];
        reflection /= left;
        ar[k] = reflection;
        for (uint32_t i = 0; i < k; i++)
            ar[i] = before[i] - reflection * before[k - 1 - i];
        left *= 1 - reflection * reflection;
    }
}

/* From the level as it was before each row. */
static void fit_level(struct model *m, const struct tail *t)
{
    m->level = t->values[index_of(t, 0)] - profile_at(m, t->times_ms[index_of(t, 0)]);
    for (uint32_t i = 0; i < t->rows; i++) {
        uint32_t at = index_of(t, i);
        m->deviations[i] = t->values[at] - profile_at(m, t->times_ms[at]) - m->level;
        m->level += LEVEL_GAIN * m->deviations[i];
    }
}

static void fit_residuals(struct model *m, uint32_t rows)
{
    double sum = 0;
    for (uint32_t i = MODEL_ORDER; i < rows; i++) {
        double r = m->deviations[i];
        for (uint32_t k = 0; k < MODEL_ORDER; k++)
            r -= m->ar[k] * m->deviations[i - 1 - k];
        m->residuals[m->nresiduals++] = r;
        sum += r;
    }
    for (uint32_t i = 0; i < m->nresiduals; i++)
        m->residuals[i] -= sum / m->nresiduals; /* drawing from them adds no drift */
}

void model_fit(struct model *m, const struct tail *t, struct bounds bounds)
{
    double cov[MODEL_ORDER + 1] = {0};
    memset(m, 0, sizeof(*m));
    m->step_ms = usual_step(t);
    m->last_ms = t->times_ms[index_of(t, t->rows - 1)];
    m->bounds = bounds;
    fit_profile(m, t);
    fit_level(m, t);
    for (uint32_t i = 0; i < t->rows; i++)
        for (uint32_t lag = 0; lag <= MODEL_ORDER && lag <= i; lag++)
            cov[lag] += m->deviations[i] * m->deviations[i - lag];
    fit_ar(cov, m->ar);
    fit_residuals(m, t->rows);
    double last = t->values[index_of(t, t->rows - 1)] - profile_at(m, m->last_ms);
    for (uint32_t k = 0; k < MODEL_ORDER && k < t->rows; k++)
        m->recent[k] = k == 0 ? last - m->level : m->deviations[t->rows - 1 - k];
}

double model_step(const struct model *m, struct sdk_rng *rng, int64_t time_ms,
                  double recent[MODEL_ORDER])
{
    double d = m->nresiduals > 0 ? m->residuals[sdk_rng_below(rng, m->nresiduals)] : 0;
    for (uint32_t k = 0; k < MODEL_ORDER; k++)
        d += m->ar[k] * recent[k];
    double level = m->level + profile_at(m, time_ms), value = level + d;
    value = value < m->bounds.low ? m->bounds.low : value;
    value = value > m->bounds.high ? m->bounds.high : value;
    for (uint32_t k = MODEL_ORDER - 1; k > 0; k--)
        recent[k] = recent[k - 1];
    recent[0] = value - level;
    return value;
}
