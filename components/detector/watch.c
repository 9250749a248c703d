/* watch.c: judging a row by those before it.
 *
 * A baseline keeps a level, an exponentially weighted mean whose steps are clipped to CLIP spreads,
 * so an outlier moves it little (Huber 1964); a profile by hour of the period, used while it makes
 * the mean deviation at least PROFILE_GAIN smaller; and, for either side, the deviation that 9 of
 * 10 rows do not reach, followed by small steps up and down (stochastic approximation: Robbins and
 * Monro 1951). A deviation is measured in a mix of that and the spread, because series with regular
 * bursts have tails that a spread says nothing of.
 *
 * The threshold is what is usual for this very series: PEAK_FACTOR times the lower quartile of the
 * greatest scores of the last WATCH_BLOCKS blocks, and SCORE_LEAST at least. A series that is quiet
 * on most half days and bursts on some is judged by its quiet ones.
 *
 * A range fires when the mean of RANGE_SPAN rows leaves all that it was in the last blocks by
 * RANGE_MARGIN of its width: slow series, whose level wanders more than a baseline forgives, still
 * fail visibly. */
#include "components/detector/watch.h"
#include "sdk/math.h"

enum {
    ROWS_JUDGED_FROM = 6,   /* of a baseline, before a score means anything */
    ROWS_CLIPPED_FROM = 51, /* and before its steps are clipped */
    RANGE_SPAN = 3,
    RANGE_BLOCKS_LEAST = 8,
};
#define CLIP          3.0
#define CLIP_SPREAD   4.0
#define CLIP_ERROR    5.0
#define PROFILE_GAIN  0.1
#define TAIL_SHARE    0.9
#define TAIL_GAIN     5.0
#define SPREAD_WEIGHT 0.3
#define SIGMA         1.25  /* standard deviations in a mean absolute one, were it normal */
#define LEVEL_WEIGHT  0.002 /* of a level counts as spread: rounding is no news */
#define SCORE_LEAST   5.0
#define PEAK_FACTOR   2.0
#define RANGE_MARGIN  0.2
#define TINY          1e-9

static double least(double a, double b)
{
    return a < b ? a : b;
}

static double most(double a, double b)
{
    return a > b ? a : b;
}

static double clip(double x, double limit)
{
    return most(-limit, least(limit, x));
}

void baseline_init(struct baseline *b, uint32_t span)
{
    *b = (struct baseline){.span = span, .threshold = {SCORE_LEAST, SCORE_LEAST}};
}

/* Before its first row. */
static void baseline_first(struct baseline *b, double value)
{
    b->smooth = b->level = value;
    b->spread = sdk_fabs(value) * 0.01 + 1e-6;
    b->error_plain = b->error_profile = TINY;
    b->tail[0] = b->tail[1] = 3 * b->spread;
}

static void learn_tail(struct baseline *b, uint32_t side, double deviation, double gain)
{
    double step = TAIL_GAIN * gain * (b->tail[side] + b->spread);
    b->tail[side] += step * (deviation > b->tail[side] ? TAIL_SHARE : TAIL_SHARE - 1);
    b->tail[side] = most(b->tail[side], b->spread);
}

/* `plain` is the deviation from the level, `left` what of it the profile in use leaves. */
static void learn(struct baseline *b, const struct pace *pace, uint32_t hour, double plain,
                  double left)
{
    bool clipped = b->rows >= ROWS_CLIPPED_FROM;
    double gain = 1 / least((double)b->rows, pace->rows_of_memory), limit = CLIP * b->spread;
    double of_hour = plain - b->profile[hour], size = sdk_fabs(left);
    b->level += gain * (clipped ? clip(left, limit) : left);
    b->spread += gain * ((clipped ? least(size, CLIP_SPREAD * b->spread) : size) - b->spread);
    double error_most = CLIP_ERROR * b->spread;
    b->error_plain += gain * (least(sdk_fabs(plain), error_most) - b->error_plain);
    b->error_profile += gain * (least(sdk_fabs(of_hour), error_most) - b->error_profile);
    b->seen[hour]++;
    double hour_gain = least(1, most(1 / (double)b->seen[hour], pace->profile_gain));
    b->profile[hour] += hour_gain * (clipped ? clip(of_hour, limit) : of_hour);
    learn_tail(b, 0, left, gain);
    learn_tail(b, 1, -left, gain);
}

static uint32_t hour_of(const struct pace *pace, int64_t time_ms)
{
    int64_t phase = time_ms % pace->period_ms;
    if (phase < 0)
        phase += pace->period_ms;
    return (uint32_t)((double)phase / (double)pace->period_ms * WATCH_HOURS) % WATCH_HOURS;
}

struct verdict baseline_judge(struct baseline *b, const struct pace *pace, int64_t time_ms,
                              double value)
{
    if (b->rows++ == 0)
        baseline_first(b, value);
    b->smooth += most(1.0 / b->span, 1 / (double)b->rows) * (value - b->smooth);
    uint32_t hour = hour_of(pace, time_ms);
    bool profiled = b->error_profile < b->error_plain * (1 - PROFILE_GAIN);
    double usual = profiled ? b->profile[hour] : 0;
    double plain = b->smooth - b->level, left = plain - usual, score = 0;
    struct verdict verdict = {.expected = b->level + usual, .below = left < 0};
    if (b->rows >= ROWS_JUDGED_FROM)
        score = sdk_fabs(left) /
                (SPREAD_WEIGHT * SIGMA * b->spread + (1 - SPREAD_WEIGHT) * b->tail[verdict.below] +
                 TINY + LEVEL_WEIGHT * sdk_fabs(b->level));
    verdict.score = score / b->threshold[verdict.below];
    b->peak[verdict.below] = most(b->peak[verdict.below], score);
    learn(b, pace, hour, plain, left);
    return verdict;
}

/* The lower quartile of the remembered peaks. */
static double quiet_peak(const double *peaks, uint32_t n)
{
    double sorted[WATCH_BLOCKS] = {0};
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = i;
        for (; k > 0 && sorted[k - 1] > peaks[i]; k--)
            sorted[k] = sorted[k - 1];
        sorted[k] = peaks[i];
    }
    return sorted[n / 4];
}

void baseline_block(struct baseline *b)
{
    uint32_t at = b->blocks++ % WATCH_BLOCKS;
    uint32_t n = b->blocks < WATCH_BLOCKS ? b->blocks : WATCH_BLOCKS;
    for (uint32_t side = 0; side < 2; side++) {
        b->peaks[side][at] = b->peak[side];
        b->peak[side] = 0;
        b->threshold[side] = most(SCORE_LEAST, PEAK_FACTOR * quiet_peak(b->peaks[side], n));
    }
}

struct verdict range_judge(struct range *r, double value)
{
    struct verdict verdict = {0};
    if (r->rows++ == 0)
        r->smooth = r->low = r->high = value;
    r->smooth += most(1.0 / RANGE_SPAN, 1 / (double)r->rows) * (value - r->smooth);
    if (r->blocks >= RANGE_BLOCKS_LEAST) {
        double width = r->highest - r->lowest + TINY;
        verdict.below = r->smooth < r->lowest;
        verdict.expected = verdict.below ? r->lowest : r->highest;
        double beyond = verdict.below ? r->lowest - r->smooth : r->smooth - r->highest;
        verdict.score = beyond > 0 ? beyond / width / RANGE_MARGIN : 0;
    }
    r->low = least(r->low, r->smooth);
    r->high = most(r->high, r->smooth);
    return verdict;
}

void range_block(struct range *r)
{
    uint32_t at = r->blocks++ % WATCH_BLOCKS;
    uint32_t n = r->blocks < WATCH_BLOCKS ? r->blocks : WATCH_BLOCKS;
    r->lows[at] = r->low;
    r->highs[at] = r->high;
    r->low = r->high = r->smooth;
    r->lowest = r->lows[0];
    r->highest = r->highs[0];
    for (uint32_t i = 1; i < n; i++) {
        r->lowest = least(r->lowest, r->lows[i]);
        r->highest = most(r->highest, r->highs[i]);
    }
}
