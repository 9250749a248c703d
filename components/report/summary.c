/* summary.c: what came out, for a terminal of 80 columns or more. */
#include "components/report/report_int.h"
#include "sdk/fmt.h"

enum { FINDINGS_TOLD = 5 };

static void put(struct report *r, const char *format, ...) FMT_LIKE(2, 3);

static void put(struct report *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t left = sizeof(r->summary) - r->summary_len;
    size_t n = fmt_vprint(r->summary + r->summary_len, left, format, args);
    va_end(args);
    if (n < left)
        r->summary_len += (uint32_t)n; /* a line that does not fit is left out */
}

/* The text in a column of `width`, on the left. */
static void put_cell(struct report *r, const char *text, int width)
{
    put(r, "%-*s  ", width, text);
}

/* What the file had that is no part of the series. */
static void put_notes(struct report *r, const struct series *s)
{
    char count[NUMBER_TEXT];
    if (s->skipped > 0) {
        count_text(s->skipped, count);
        put(r, "%s: %s line%s no row, the first is line %llu: %s\n", s->name, count,
            s->skipped == 1 ? " is" : "s are", (unsigned long long)s->bad_line, s->bad_reason);
    }
    if (s->disordered == 0)
        return;
    count_text(s->disordered, count);
    put(r, "%s: %s row%s not later than a row before", s->name, count,
        s->disordered == 1 ? " is" : "s are");
    if (s->disordered_line > 0)
        put(r, ", the first on line %llu", (unsigned long long)s->disordered_line);
    put(r, "; left out of the detection\n");
}

static void put_finding(struct report *r, const struct finding *f)
{
    char start[TIME_TEXT], end[TIME_TEXT], value[NUMBER_TEXT], expected[NUMBER_TEXT];
    time_text(f->start_ms, start);
    time_text(f->end_ms, end);
    number_text(f->value, value);
    number_text(f->expected, expected);
    put(r, "  %s to %s  %s, %s: %s where %s was expected\n", start, end, kind_word(f->kind),
        direction_word(f->direction), value, expected);
}

/* When and what, of a series that has no labels to say so. */
static void put_findings(struct report *r, const struct series *s)
{
    char count[NUMBER_TEXT];
    count_text(s->found, count);
    put(r, "%s: %s finding%s%s\n", s->name, s->found > 0 ? count : "no", s->found == 1 ? "" : "s",
        s->found > 0 ? " (times are UTC)" : "");
    for (uint32_t i = 0; i < s->nfindings && i < FINDINGS_TOLD; i++)
        put_finding(r, &s->findings[i]);
    if (s->found > FINDINGS_TOLD) {
        count_text(s->found - FINDINGS_TOLD, count);
        put(r, "  and %s more, in the report\n", count);
    }
}

static void put_series(struct report *r, const struct series *s)
{
    char rows[NUMBER_TEXT], percent[NUMBER_TEXT] = "-", span[NUMBER_TEXT] = "";
    count_text(s->nrows, rows);
    put_cell(r, s->name, 42);
    put(r, "%9s  %8llu  ", rows, (unsigned long long)series_found(r, s));
    if (r->labelled)
        put(r, "%4u  %6u  %3u of %-3u  ", s->nfindings - s->alarms, s->alarms, s->windows_hit,
            s->nwindows);
    if (s->steps > 0) {
        (void)sdk_f64_fixed(s->cross_any * 100, 1, percent, sizeof(percent));
        span_text(s->step_ms * s->steps, span);
    }
    put(r, "%5s%s%-11s  %016llx\n", percent, s->steps > 0 ? "% in " : "     ", span,
        (unsigned long long)s->hash);
}

void summary_write(struct report *r)
{
    uint32_t found = 0, hit = 0, windows = 0, alarms = 0, contained = 0;
    r->summary_len = 0;
    put_cell(r, "series", 42);
    put(r, "%9s  %8s  ", "rows", "findings");
    if (r->labelled)
        put(r, "%4s  %6s  %-10s  ", "hits", "alarms", "failures");
    put(r, "%-21s  %s\n", "chance of a new high", "forecast hash");
    for (uint32_t i = 0; i < r->nseries; i++) {
        const struct series *s = &r->series[i];
        put_series(r, s);
        found += s->nfindings;
        hit += s->windows_hit;
        windows += s->nwindows;
        alarms += s->alarms;
    }
    put(r, "\n");
    for (uint32_t i = 0; i < r->nseries; i++)
        put_notes(r, &r->series[i]);
    for (uint32_t i = 0; i < r->nseries && !r->labelled; i++)
        put_findings(r, &r->series[i]);
    if (r->labelled)
        put(r,
            "%u findings: %u hits, which find %u of %u labelled failures, and %u false alarm%s\n",
            found, found - alarms, hit, windows, alarms, alarms == 1 ? "" : "s");
    if (r->nattempts == 0)
        return;
    put(r, "\n");
    put_cell(r, "hostile attempt", 32);
    put(r, "%-12s  %6s  %s\n", "stopped by", "gained", "others answer");
    for (uint32_t i = 0; i < r->nattempts; i++) {
        const struct attempt *a = &r->attempts[i];
        put_cell(r, a->name, 32);
        put(r, "%-12s  %6llu  %s\n", a->made ? error_name(a->err) : "not made",
            (unsigned long long)a->gained, a->others_answer ? "yes" : "NO");
        contained += a->gained == 0 && a->others_answer;
    }
    put(r, "\n%u of %u hostile attempts contained\n", contained, r->nattempts);
}
