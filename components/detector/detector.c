/* detector.c: the times when a series did not behave as it used to, found as its rows come by.
 *
 * Four watches judge each row by the rows before it: baselines over one row, some and many, and the
 * range (watch.h). The row's score is the greatest of theirs; above 1 it is a detection, and
 * detections at most MERGE_HOURS apart are one finding. One set of parameters serves all series.
 *   1. Nothing is judged during the first WARM_UP_DAYS, nor in the first WARM_UP_ROWS rows.
 *   2. A row is judged before anything is learned from it.
 *   3. Memory is this struct, whatever the series' length.
 *   4. The first HEAD_ROWS rows wait until there are so many: their usual distance sets the pace.
 *   5. The last finding in the list is the one that may still grow; finish ends nothing.
 *
 * EMPTY -> WAITING (begin) -> JUDGING (set_pace, by the row that fills the head, or by finish). */
#include <tenon/component.h>

#include "components/detector/watch.h"
#include "interfaces/demo_detect.h"
#include "sdk/math.h"
#include "sdk/mem.h"

enum {
    HEAD_ROWS = 64,
    BASELINES = 3,
    WARM_UP_DAYS = 2,
    WARM_UP_ROWS = 200,
    MEMORY_DAYS = 2,
    BLOCKS_A_DAY = 2,
    BLOCK_ROWS_LEAST = 48,
    PROFILE_PERIODS = 5, /* of the period: how long its profile remembers */
    MERGE_HOURS = 24,
};
#define MS_OF_HOUR 3600000
#define MS_OF_DAY  (24 * (int64_t)MS_OF_HOUR)
#define TIME_MOST  INT64_C(253402300800000) /* the year 10000; times beyond are left out */
#define VALUE_MOST 1e300 /* beyond, values count as this, so that differences are finite */

enum detector_state { EMPTY, WAITING, JUDGING };

struct finding {
    int64_t start_ms, end_ms, peak_ms;
    double score, value, expected;
    uint8_t direction, kind;
};

struct detector {
    enum detector_state state;
    uint64_t rows, disordered, found;
    int64_t last_ms, warm_up_ms;
    uint64_t warm_up_rows, block_rows;
    uint32_t nhead;
    int64_t head_times[HEAD_ROWS];
    double head_values[HEAD_ROWS];
    struct pace pace;
    struct baseline baselines[BASELINES];
    struct range range;
    int64_t detected_ms; /* the last detection; only where found > 0 */
    uint64_t judged;     /* rows */
    uint32_t nfindings;
    struct finding findings[DEMO_DETECT_FINDINGS_MAX];
    struct { /* the findings as finish answers them */
        int64_t starts[DEMO_DETECT_FINDINGS_MAX], ends[DEMO_DETECT_FINDINGS_MAX],
            peaks[DEMO_DETECT_FINDINGS_MAX];
        double scores[DEMO_DETECT_FINDINGS_MAX], values[DEMO_DETECT_FINDINGS_MAX],
            expected[DEMO_DETECT_FINDINGS_MAX];
        uint8_t directions[DEMO_DETECT_FINDINGS_MAX], kinds[DEMO_DETECT_FINDINGS_MAX];
    } lists;
};

static tn_err begin(struct detector *d, const struct tn_pack *in)
{
    static const uint32_t spans[BASELINES] = {1, 6, 36};
    struct demo_detect_begin_args args;
    tn_err err = demo_detect_begin_args_decode(in, &args);
    if (err != TN_OK)
        return err;
    memset(d, 0, sizeof(*d));
    d->state = WAITING;
    d->pace.period_ms = args.period_ms > 0 ? args.period_ms : MS_OF_DAY;
    for (uint32_t i = 0; i < BASELINES; i++)
        baseline_init(&d->baselines[i], spans[i]);
    return TN_OK;
}

static void detection(struct detector *d, int64_t time_ms, double value,
                      const struct verdict *verdict, uint8_t kind)
{
    bool grows = d->found > 0 && time_ms - d->detected_ms <= (int64_t)MERGE_HOURS * MS_OF_HOUR;
    d->detected_ms = time_ms;
    if (!grows) {
        d->found++;
        if (d->nfindings < DEMO_DETECT_FINDINGS_MAX)
            d->findings[d->nfindings++] = (struct finding){.start_ms = time_ms};
    }
    if (d->found > d->nfindings)
        return;
    struct finding *f = &d->findings[d->nfindings - 1];
    f->end_ms = time_ms;
    if (verdict->score <= f->score)
        return;
    f->peak_ms = time_ms;
    f->score = verdict->score;
    f->value = value;
    f->expected = verdict->expected;
    f->direction = verdict->below ? DEMO_DETECT_LOW : DEMO_DETECT_HIGH;
    f->kind = kind;
}

static void judge(struct detector *d, int64_t time_ms, double value)
{
    static const uint8_t kinds[BASELINES] = {DEMO_DETECT_SPIKE, DEMO_DETECT_RUN, DEMO_DETECT_SHIFT};
    if (d->judged > 0 && d->judged % d->block_rows == 0) {
        for (uint32_t i = 0; i < BASELINES; i++)
            baseline_block(&d->baselines[i]);
        range_block(&d->range);
    }
    struct verdict worst = range_judge(&d->range, value);
    uint8_t kind = DEMO_DETECT_RANGE;
    for (uint32_t i = 0; i < BASELINES; i++) {
        struct verdict v = baseline_judge(&d->baselines[i], &d->pace, time_ms, value);
        if (v.score > worst.score) {
            worst = v;
            kind = kinds[i];
        }
    }
    if (++d->judged <= d->warm_up_rows)
        d->warm_up_ms = time_ms;
    else if (worst.score > 1)
        detection(d, time_ms, value, &worst, kind);
}

static double at_least(double x, double limit)
{
    return x > limit ? x : limit;
}

/* From the head's usual distance of rows; then judges the head. */
static void set_pace(struct detector *d)
{
    int64_t steps[HEAD_ROWS] = {0};
    uint32_t n = d->nhead > 0 ? d->nhead - 1 : 0;
    for (uint32_t i = 0; i < n; i++) {
        int64_t step = d->head_times[i + 1] - d->head_times[i];
        uint32_t k = i;
        for (; k > 0 && steps[k - 1] > step; k--)
            steps[k] = steps[k - 1];
        steps[k] = step;
    }
    int64_t middle = steps[n / 2];
    double step = n > 0 ? (double)middle : 1, day = MS_OF_DAY / step;
    d->pace.rows_of_memory = at_least(MEMORY_DAYS * day, 1);
    d->pace.profile_gain = step / (PROFILE_PERIODS * (double)d->pace.period_ms / WATCH_HOURS);
    d->warm_up_rows = (uint64_t)at_least(WARM_UP_DAYS * day, WARM_UP_ROWS);
    d->block_rows = (uint64_t)at_least(day / BLOCKS_A_DAY, BLOCK_ROWS_LEAST);
    d->state = JUDGING;
    for (uint32_t i = 0; i < d->nhead; i++)
        judge(d, d->head_times[i], d->head_values[i]);
}

static void add_row(struct detector *d, int64_t time_ms, double value)
{
    bool later = d->rows == 0 || time_ms > d->last_ms;
    if (!sdk_isfinite(value) || !later || time_ms < -TIME_MOST || time_ms > TIME_MOST) {
        d->disordered++;
        return;
    }
    if (sdk_fabs(value) > VALUE_MOST)
        value = value < 0 ? -VALUE_MOST : VALUE_MOST;
    d->rows++;
    d->last_ms = time_ms;
    if (d->state == JUDGING) {
        judge(d, time_ms, value);
        return;
    }
    d->head_times[d->nhead] = time_ms;
    d->head_values[d->nhead++] = value;
    if (d->nhead == HEAD_ROWS)
        set_pace(d);
}

static tn_err feed(struct detector *d, const struct tn_pack *in)
{
    struct demo_detect_feed_args args;
    tn_err err = demo_detect_feed_args_decode(in, &args);
    if (err != TN_OK)
        return err;
    if (d->state == EMPTY)
        return DEMO_DETECT_E_NOT_BEGUN;
    if (args.times_ms.count != args.values.count)
        return DEMO_DETECT_E_UNEQUAL;
    for (uint32_t i = 0; i < args.values.count; i++)
        add_row(d, tn_i64s_at(args.times_ms, i), tn_f64s_at(args.values, i));
    return TN_OK;
}

static tn_err finish(struct detector *d, struct tn_pack *out)
{
    if (d->state == EMPTY)
        return DEMO_DETECT_E_NOT_BEGUN;
    if (d->state == WAITING)
        set_pace(d);
    uint32_t n = d->nfindings;
    for (uint32_t i = 0; i < n; i++) {
        const struct finding *f = &d->findings[i];
        d->lists.starts[i] = f->start_ms;
        d->lists.ends[i] = f->end_ms;
        d->lists.peaks[i] = f->peak_ms;
        d->lists.scores[i] = f->score;
        d->lists.values[i] = f->value;
        d->lists.expected[i] = f->expected;
        d->lists.directions[i] = f->direction;
        d->lists.kinds[i] = f->kind;
    }
    struct demo_detect_finish_reply reply = {
        .found = d->found,
        .disordered = d->disordered,
        .warm_up_ms = d->warm_up_ms,
        .starts_ms = {d->lists.starts, n},
        .ends_ms = {d->lists.ends, n},
        .peaks_ms = {d->lists.peaks, n},
        .scores = {d->lists.scores, n},
        .values = {d->lists.values, n},
        .expected = {d->lists.expected, n},
        .directions = {d->lists.directions, n},
        .kinds = {d->lists.kinds, n},
    };
    return demo_detect_finish_reply_encode(&reply, out);
}

static tn_err detector_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                            struct tn_pack *out)
{
    struct detector *d = self;
    struct demo_detect_about_reply about = {d->rows};
    switch (turn->method) {
    case DEMO_DETECT_BEGIN:
        return begin(d, in);
    case DEMO_DETECT_FEED:
        return feed(d, in);
    case DEMO_DETECT_FINISH:
        return finish(d, out);
    case DEMO_DETECT_ABOUT:
        return demo_detect_about_reply_encode(&about, out);
    default:
        return TN_EMETHOD;
    }
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct detector),
    .state_version = 1,
    .call = detector_call,
};
