/* summary.c: what came out, for a terminal of 80 columns or more. */
#include "components/report/report_int.h"
#include "sdk/fmt.h"

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

static void put_series(struct report *r, const struct series *s)
{
    char rows[NUMBER_TEXT], percent[NUMBER_TEXT] = "-";
    count_text(s->nrows, rows);
    put_cell(r, s->name, 42);
    put(r, "%9s  %8u  ", rows, s->nfindings);
    if (r->labelled)
        put(r, "%3u of %-3u  %6u  ", s->windows_hit, s->nwindows, s->alarms);
    if (s->steps > 0)
        (void)sdk_f64_fixed(s->cross_any * 100, 1, percent, sizeof(percent));
    put(r, "%8s%s  %016llx\n", percent, s->steps > 0 ? "%" : " ", (unsigned long long)s->hash);
}

void summary_write(struct report *r)
{
    uint32_t hit = 0, windows = 0, alarms = 0, contained = 0;
    r->summary_len = 0;
    put_cell(r, "series", 42);
    put(r, "%9s  %8s  ", "rows", "findings");
    if (r->labelled)
        put(r, "%-10s  %6s  ", "failures", "alarms");
    put(r, "%9s  %s\n", "new high", "forecast hash");
    for (uint32_t i = 0; i < r->nseries; i++) {
        const struct series *s = &r->series[i];
        put_series(r, s);
        hit += s->windows_hit;
        windows += s->nwindows;
        alarms += s->alarms;
    }
    if (r->labelled)
        put(r, "\nfound %u of %u labelled failures, with %u false alarms\n", hit, windows, alarms);
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
