/* series.c: one series through the components: each piece of rows goes to all three, so the file
 * is read once and no component holds it. */
#include "components/report/report_int.h"
#include "interfaces/demo_rows.h"
#include "sdk/mem.h"

enum { PROGRESS_ROWS = 20000 };

static void copy_text(char *to, size_t size, struct tn_text from)
{
    size_t n = from.len < size - 1 ? from.len : size - 1;
    memcpy(to, from.at, n);
    to[n] = '\0';
}

static tn_err begin(struct report *r, struct series *s)
{
    tn_err err = demo_rows_rewind(s->rows, TN_NEVER);
    if (err != TN_OK)
        return problem(r, s->name, "could not be begun", err);
    err = demo_detect_begin(r->detector, 0, TN_NEVER);
    if (err != TN_OK)
        return problem(r, "detector", "could not begin", err);
    err = demo_forecast_begin(r->forecaster, r->now.seed, r->now.paths, r->now.steps, TN_NEVER);
    if (err != TN_OK)
        return problem(r, "forecaster", "could not begin", err);
    err = demo_plot_begin(r->plotter, s->name, (uint32_t)str_length(s->name), r->room,
                          sizeof(r->room), TN_NEVER);
    return err == TN_OK ? TN_OK : problem(r, "plotter", "could not begin", err);
}

/* What the reader has to say for itself. */
static tn_err fail_rows(struct report *r, const struct series *s, tn_err err)
{
    struct demo_rows_about_reply about;
    if (err > 0 && demo_rows_about(s->rows, &about, r->room, sizeof(r->room), TN_NEVER) == TN_OK &&
        about.problem.len > 0) {
        (void)fmt_print(r->problem, PROBLEM_MAX, "%s: %.*s", s->name, (int)about.problem.len,
                        about.problem.at);
        return err;
    }
    return problem(r, s->name, "could not be read", err);
}

static tn_err pass_on(struct report *r, const struct demo_rows_next_reply *rows)
{
    const int64_t *times = rows->times_ms.at; /* aligned: the first list of a message in `room` */
    const double *values = rows->values.at;
    uint32_t n = rows->times_ms.count, size = sizeof(r->room);
    tn_err err = demo_detect_feed(r->detector, times, n, values, n, r->room, size, TN_NEVER);
    if (err != TN_OK)
        return problem(r, "detector", "failed", err);
    err = demo_forecast_feed(r->forecaster, times, n, values, n, r->room, size, TN_NEVER);
    if (err != TN_OK)
        return problem(r, "forecaster", "failed", err);
    err = demo_plot_feed(r->plotter, times, n, values, n, r->room, size, TN_NEVER);
    return err == TN_OK ? TN_OK : problem(r, "plotter", "failed", err);
}

/* The earliest and the latest so far: rows may be out of order. */
static void take_times(struct series *s, struct tn_i64s times)
{
    if (s->nrows == 0)
        s->first_ms = s->last_ms = tn_i64s_at(times, 0);
    for (uint32_t i = 0; i < times.count; i++) {
        int64_t ms = tn_i64s_at(times, i);
        if (ms < s->first_ms)
            s->first_ms = ms;
        if (ms > s->last_ms)
            s->last_ms = ms;
    }
}

static tn_err stream(struct report *r, struct series *s, uint32_t number)
{
    uint64_t said = 0;
    s->nrows = 0;
    for (;;) {
        struct demo_rows_next_reply rows;
        tn_err err =
            demo_rows_next(s->rows, 0, &rows, r->rows_room, sizeof(r->rows_room), TN_NEVER);
        if (err != TN_OK)
            return fail_rows(r, s, err);
        uint32_t n = rows.times_ms.count;
        if (n == 0)
            return TN_OK;
        if (rows.values.count != n)
            return problem(r, s->name, "has rows without values", TN_EARGS);
        take_times(s, rows.times_ms);
        err = pass_on(r, &rows);
        if (err != TN_OK)
            return err;
        s->nrows += n;
        if (s->nrows - said >= PROGRESS_ROWS) {
            progress(r, "series %u of %u, %s: %llu rows", number, r->nseries, s->name,
                     (unsigned long long)s->nrows);
            said = s->nrows;
        }
    }
}

static tn_err take_about(struct report *r, struct series *s)
{
    struct demo_rows_about_reply about;
    tn_err err = demo_rows_about(s->rows, &about, r->room, sizeof(r->room), TN_NEVER);
    if (err != TN_OK)
        return problem(r, s->name, "does not answer", err);
    s->lines = about.lines;
    s->skipped = about.skipped;
    s->disordered_line = about.disordered_line;
    s->bad_line = about.bad_line;
    copy_text(s->bad_reason, sizeof(s->bad_reason), about.bad_reason);
    return TN_OK;
}

static tn_err take_findings(struct report *r, struct series *s)
{
    struct demo_detect_finish_reply reply;
    tn_err err = demo_detect_finish(r->detector, &reply, r->room, sizeof(r->room), TN_NEVER);
    if (err != TN_OK)
        return problem(r, "detector", "could not finish", err);
    uint32_t n = reply.starts_ms.count;
    if (n > FINDINGS_MAX || reply.ends_ms.count != n || reply.peaks_ms.count != n ||
        reply.scores.count != n || reply.values.count != n || reply.expected.count != n ||
        reply.directions.count != n || reply.kinds.count != n)
        return problem(r, "detector", "answered lists of unequal length", TN_EARGS);
    s->found = reply.found;
    s->disordered = reply.disordered;
    s->nfindings = n;
    for (uint32_t i = 0; i < n; i++)
        s->findings[i] = (struct finding){
            .start_ms = tn_i64s_at(reply.starts_ms, i),
            .end_ms = tn_i64s_at(reply.ends_ms, i),
            .peak_ms = tn_i64s_at(reply.peaks_ms, i),
            .score = tn_f64s_at(reply.scores, i),
            .value = tn_f64s_at(reply.values, i),
            .expected = tn_f64s_at(reply.expected, i),
            .direction = tn_u8s_at(reply.directions, i),
            .kind = tn_u8s_at(reply.kinds, i),
        };
    return TN_OK;
}

/* What the plotter is told of windows and findings, taken apart into lists. */
static tn_err mark(struct report *r, const struct series *s)
{
    int64_t starts[FINDINGS_MAX], ends[FINDINGS_MAX], peaks[FINDINGS_MAX];
    double values[FINDINGS_MAX];
    uint8_t alarms[FINDINGS_MAX];
    uint32_t size = sizeof(r->room), n = s->nwindows;
    for (uint32_t i = 0; i < n; i++) {
        starts[i] = s->windows[i].start_ms;
        ends[i] = s->windows[i].end_ms;
    }
    tn_err err = demo_plot_windows(r->plotter, starts, n, ends, n, r->room, size, TN_NEVER);
    n = s->nfindings;
    for (uint32_t i = 0; i < n; i++) {
        starts[i] = s->findings[i].start_ms;
        ends[i] = s->findings[i].end_ms;
        peaks[i] = s->findings[i].peak_ms;
        values[i] = s->findings[i].value;
        alarms[i] = r->labelled && !s->findings[i].hit;
    }
    if (err == TN_OK)
        err = demo_plot_findings(r->plotter, starts, n, ends, n, peaks, n, values, n, alarms, n,
                                 r->room, size, TN_NEVER);
    return err == TN_OK ? TN_OK : problem(r, "plotter", "took no marks", err);
}

static tn_err take_forecast(struct report *r, struct series *s)
{
    struct demo_forecast_finish_reply f;
    uint32_t room_size = sizeof(r->room);
    s->steps = 0;
    tn_err err =
        demo_forecast_finish(r->forecaster, &f, r->rows_room, sizeof(r->rows_room), TN_NEVER);
    if (err == DEMO_FORECAST_E_TOO_FEW)
        return TN_OK; /* a short series has no forecast */
    if (err != TN_OK)
        return problem(r, "forecaster", "could not finish", err);
    uint32_t n = f.times_ms.count;
    if (n == 0 || f.low.count != n || f.lower.count != n || f.middle.count != n ||
        f.upper.count != n || f.high.count != n)
        return problem(r, "forecaster", "answered lists of unequal length", TN_EARGS);
    s->hash = f.hash;
    s->paths = f.paths;
    s->steps = n;
    s->step_ms = f.step_ms;
    s->threshold = f.threshold;
    s->cross_any = f.cross_any;
    s->end_low = tn_f64s_at(f.low, n - 1);
    s->end_middle = tn_f64s_at(f.middle, n - 1);
    s->end_high = tn_f64s_at(f.high, n - 1);
    err = demo_plot_forecast(r->plotter, f.threshold, f.times_ms.at, n, f.low.at, n, f.lower.at, n,
                             f.middle.at, n, f.upper.at, n, f.high.at, n, r->room, room_size,
                             TN_NEVER);
    return err == TN_OK ? TN_OK : problem(r, "plotter", "took no forecast", err);
}

static tn_err put_picture(struct report *r)
{
    struct demo_plot_draw_reply drawn;
    tn_err err = demo_plot_draw(r->plotter, &drawn, TN_NEVER);
    for (uint32_t at = 0; err == TN_OK && at < drawn.size_bytes;) {
        struct demo_plot_read_reply piece;
        err = demo_plot_read(r->plotter, at, &piece, r->room, sizeof(r->room), TN_NEVER);
        if (err == TN_OK && piece.data.len == 0)
            err = TN_EARGS;
        if (err == TN_OK) {
            page_raw(&r->page, piece.data.at, piece.data.len);
            at += piece.data.len;
        }
    }
    return err == TN_OK ? TN_OK : problem(r, "plotter", "could not draw", err);
}

uint64_t series_found(const struct report *r, const struct series *s)
{
    return r->labelled ? s->nfindings : s->found;
}

tn_err series_run(struct report *r, uint32_t index)
{
    struct series *s = &r->series[index];
    progress(r, "series %u of %u, %s", index + 1, r->nseries, s->name);
    tn_err err = begin(r, s);
    if (err == TN_OK)
        err = stream(r, s, index + 1);
    if (err == TN_OK)
        err = take_about(r, s);
    if (err == TN_OK)
        err = take_findings(r, s);
    if (err != TN_OK)
        return err;
    series_judge(r, s);
    err = mark(r, s);
    if (err == TN_OK)
        err = take_forecast(r, s);
    if (err != TN_OK)
        return err;
    html_series_begin(r, s, index + 1);
    err = put_picture(r);
    if (err == TN_OK)
        html_series_end(r, s);
    return err;
}
