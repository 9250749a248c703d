/* plotter.c: a series of any length as a picture of one size.
 *
 * Of the whole series it keeps the least and the greatest value in each of PLOT_BUCKETS stretches
 * of time. When a row lies beyond the last one, neighbours are merged and all become twice as wide:
 * so a spike is never averaged away, and memory is this struct however long the series is. The last
 * PLOT_TAIL rows are kept as they are, for the part of the picture that shows the end.
 *
 *   1. buckets[i] holds rows of first_ms + [i, i + 1) * width_ms; the last used one has rows.
 *   2. A row earlier than the first counts as at the first's time.
 *   3. svg[0, svg_len) is what the last draw made; begin empties it. */
#include <tenon/component.h>

#include "components/plotter/plotter_int.h"
#include "sdk/math.h"
#include "sdk/mem.h"

static tn_err begin(struct plotter *p, const struct tn_pack *in)
{
    struct demo_plot_begin_args args;
    tn_err err = demo_plot_begin_args_decode(in, &args);
    if (err != TN_OK)
        return err;
    p->begun = true;
    p->rows = 0;
    p->used = p->tail_rows = p->tail_first = p->nwindows = p->nfindings = p->svg_len = 0;
    p->fan.steps = 0;
    p->title_len = args.title.len;
    memcpy(p->title, args.title.at, args.title.len);
    return TN_OK;
}

static void bucket_add(struct bucket *b, const struct bucket *from)
{
    if (from->rows == 0)
        return;
    if (b->rows == 0 || from->low < b->low)
        b->low = from->low;
    if (b->rows == 0 || from->high > b->high)
        b->high = from->high;
    b->rows += from->rows;
}

static void widen(struct plotter *p)
{
    for (uint32_t i = 0; i < PLOT_BUCKETS / 2; i++) {
        struct bucket both = {0};
        bucket_add(&both, &p->buckets[2 * i]);
        bucket_add(&both, &p->buckets[2 * i + 1]);
        p->buckets[i] = both;
    }
    memset(p->buckets + PLOT_BUCKETS / 2, 0, sizeof(p->buckets) / 2);
    p->used = (p->used + 1) / 2;
    p->width_ms *= 2;
}

static void add_row(struct plotter *p, int64_t time_ms, double value)
{
    if (value > PLOT_VALUE_MOST || value < -PLOT_VALUE_MOST)
        value = value < 0 ? -PLOT_VALUE_MOST : PLOT_VALUE_MOST;
    if (p->rows == 0) {
        memset(p->buckets, 0, sizeof(p->buckets));
        p->first_ms = p->last_ms = time_ms;
        p->width_ms = 1;
    }
    if (time_ms < p->first_ms)
        time_ms = p->first_ms;
    uint64_t since = (uint64_t)time_ms - (uint64_t)p->first_ms;
    while (since / p->width_ms >= PLOT_BUCKETS)
        widen(p);
    uint32_t at = (uint32_t)(since / p->width_ms);
    bucket_add(&p->buckets[at], &(struct bucket){1, value, value});
    if (at >= p->used)
        p->used = at + 1;
    if (time_ms > p->last_ms)
        p->last_ms = time_ms;
    uint32_t tail = (p->tail_first + p->tail_rows) % PLOT_TAIL;
    if (p->tail_rows < PLOT_TAIL)
        p->tail_rows++;
    else
        p->tail_first = (p->tail_first + 1) % PLOT_TAIL;
    p->tail_times[tail] = time_ms;
    p->tail_values[tail] = value;
    p->rows++;
}

static tn_err feed(struct plotter *p, const struct tn_pack *in)
{
    struct demo_plot_feed_args args;
    tn_err err = demo_plot_feed_args_decode(in, &args);
    if (err != TN_OK)
        return err;
    if (!p->begun)
        return DEMO_PLOT_E_NOT_BEGUN;
    if (args.times_ms.count != args.values.count)
        return DEMO_PLOT_E_UNEQUAL;
    for (uint32_t i = 0; i < args.values.count; i++) {
        double value = tn_f64s_at(args.values, i);
        int64_t time_ms = tn_i64s_at(args.times_ms, i);
        if (sdk_isfinite(value) && time_ms >= -PLOT_TIME_MOST && time_ms <= PLOT_TIME_MOST)
            add_row(p, time_ms, value);
    }
    return TN_OK;
}

static tn_err take_windows(struct plotter *p, const struct tn_pack *in)
{
    struct demo_plot_windows_args args;
    tn_err err = demo_plot_windows_args_decode(in, &args);
    if (err != TN_OK)
        return err;
    if (!p->begun)
        return DEMO_PLOT_E_NOT_BEGUN;
    if (args.starts_ms.count != args.ends_ms.count)
        return DEMO_PLOT_E_UNEQUAL;
    p->nwindows = args.starts_ms.count;
    for (uint32_t i = 0; i < p->nwindows; i++)
        p->windows[i] = (struct mark){.start_ms = tn_i64s_at(args.starts_ms, i),
                                      .end_ms = tn_i64s_at(args.ends_ms, i)};
    return TN_OK;
}

static tn_err take_findings(struct plotter *p, const struct tn_pack *in)
{
    struct demo_plot_findings_args args;
    tn_err err = demo_plot_findings_args_decode(in, &args);
    if (err != TN_OK)
        return err;
    uint32_t n = args.starts_ms.count;
    if (!p->begun)
        return DEMO_PLOT_E_NOT_BEGUN;
    if (args.ends_ms.count != n || args.peaks_ms.count != n || args.values.count != n ||
        args.alarms.count != n)
        return DEMO_PLOT_E_UNEQUAL;
    p->nfindings = n;
    for (uint32_t i = 0; i < n; i++)
        p->findings[i] = (struct mark){
            .start_ms = tn_i64s_at(args.starts_ms, i),
            .end_ms = tn_i64s_at(args.ends_ms, i),
            .peak_ms = tn_i64s_at(args.peaks_ms, i),
            .value = tn_f64s_at(args.values, i),
            .alarm = tn_u8s_at(args.alarms, i) != 0,
        };
    return TN_OK;
}

static tn_err take_forecast(struct plotter *p, const struct tn_pack *in)
{
    struct demo_plot_forecast_args args;
    tn_err err = demo_plot_forecast_args_decode(in, &args);
    if (err != TN_OK)
        return err;
    const struct tn_f64s lines[5] = {args.low, args.lower, args.middle, args.upper, args.high};
    if (!p->begun)
        return DEMO_PLOT_E_NOT_BEGUN;
    for (uint32_t k = 0; k < 5; k++)
        if (lines[k].count != args.times_ms.count)
            return DEMO_PLOT_E_UNEQUAL;
    p->fan.steps = args.times_ms.count;
    p->fan.threshold = args.threshold;
    for (uint32_t i = 0; i < p->fan.steps; i++) {
        p->fan.times[i] = tn_i64s_at(args.times_ms, i);
        for (uint32_t k = 0; k < 5; k++)
            p->fan.line[k][i] = tn_f64s_at(lines[k], i);
    }
    return TN_OK;
}

static tn_err draw(struct plotter *p, struct tn_pack *out)
{
    if (!p->begun)
        return DEMO_PLOT_E_NOT_BEGUN;
    if (p->rows == 0)
        return DEMO_PLOT_E_NO_ROWS;
    tn_err err = plot_draw(p);
    struct demo_plot_draw_reply reply = {p->svg_len};
    return err != TN_OK ? err : demo_plot_draw_reply_encode(&reply, out);
}

static tn_err read_piece(struct plotter *p, const struct tn_pack *in, struct tn_pack *out)
{
    struct demo_plot_read_args args;
    tn_err err = demo_plot_read_args_decode(in, &args);
    if (err != TN_OK)
        return err;
    uint32_t from = args.offset_bytes < p->svg_len ? args.offset_bytes : p->svg_len;
    uint32_t len = p->svg_len - from;
    uint32_t most = out->size < 64 ? 0 : out->size - 64;
    if (len > DEMO_PLOT_PIECE_MAX)
        len = DEMO_PLOT_PIECE_MAX;
    if (len > most)
        len = most;
    struct demo_plot_read_reply reply = {{p->svg + from, len}};
    return demo_plot_read_reply_encode(&reply, out);
}

static tn_err plotter_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                           struct tn_pack *out)
{
    struct plotter *p = self;
    struct demo_plot_about_reply about = {p->rows};
    switch (turn->method) {
    case DEMO_PLOT_BEGIN:
        return begin(p, in);
    case DEMO_PLOT_FEED:
        return feed(p, in);
    case DEMO_PLOT_WINDOWS:
        return take_windows(p, in);
    case DEMO_PLOT_FINDINGS:
        return take_findings(p, in);
    case DEMO_PLOT_FORECAST:
        return take_forecast(p, in);
    case DEMO_PLOT_DRAW:
        return draw(p, out);
    case DEMO_PLOT_READ:
        return read_piece(p, in, out);
    case DEMO_PLOT_ABOUT:
        return demo_plot_about_reply_encode(&about, out);
    default:
        return TN_EMETHOD;
    }
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct plotter),
    .state_version = 1,
    .call = plotter_call,
};
