/* html.c: the page: one file that opens from disk, light or dark as the reader's system is. */
#include "components/report/report_int.h"
#include "sdk/fmt.h"

enum { FINDINGS_SHOWN = 40 };

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
    "<meta name=\"color-scheme\" content=\"light dark\"><title>Tenon: demo "
    "report</title>\n<style>\n"
    ":root{--bg:#f3f5f8;--card:#fff;--ink:#1b2430;--soft:#5b6878;--line:#e4e9ef;--good:#0a8f62;"
    "--bad:#d8284a;--warn:#9a6700}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--card:#151b23;--ink:#e8edf4;"
    "--soft:#95a3b5;--line:#2a3441;--good:#3ddc9a;--bad:#ff6f86;--warn:#e0a030}}\n"
    "*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 "
    "system-ui,-apple-system,'Segoe UI',sans-serif}main{max-width:1240px;margin:0 auto;"
    "padding:28px 20px 60px}h1{font-size:28px;line-height:1.2;margin:0 0 6px}"
    "h2{font-size:19px;margin:0 0 4px}p{margin:6px 0}.soft{color:var(--soft)}"
    "section{background:var(--card);border:1px solid var(--line);border-radius:12px;"
    "padding:18px 20px;margin-top:18px}h1,h2,p{overflow-wrap:anywhere}"
    ".wide{overflow-x:auto}.t{white-space:nowrap}"
    "table{border-collapse:collapse;width:100%;margin-top:10px;font-variant-numeric:tabular-nums}"
    "th,td{text-align:left;padding:6px 14px 6px 0;border-top:1px solid var(--line);"
    "vertical-align:top}th{color:var(--soft);font-weight:500;border-top:0;white-space:nowrap}"
    "td.r,th.r{text-align:right}.good{color:var(--good);font-weight:600}"
    "td.r,td.good,td.bad{white-space:nowrap}td.d{min-width:16em}td.n{min-width:11em;overflow-wrap:"
    "anywhere}.bad{"
    "color:var(--bad);font-weight:600}.warn{color:var(--warn);"
    "font-weight:600}"
    "code{font:13px ui-monospace,SFMono-Regular,Menlo,monospace}svg{display:block;width:100%;"
    "min-width:760px;height:auto;margin-top:8px}.nums{display:flex;flex-wrap:wrap;gap:10px 34px;"
    "margin:14px 0 4px}.nums b{display:block;font-size:26px;line-height:1.2}\n"
    "</style></head>\n<body><main>\n";

void html_begin(struct page *p)
{
    page_raw(p, head, sizeof(head) - 1);
}

void html_end(struct page *p, bool labelled)
{
    page_put(p, "<p class=\"soft\">Times are UTC.%s</p>\n</main></body></html>\n",
             labelled ? " Data and labels: Numenta Anomaly Benchmark (MIT)." : "");
}

static void put_count(struct page *p, uint64_t n)
{
    char text[NUMBER_TEXT];
    count_text(n, text);
    page_put(p, "%s", text);
}

/* A table is as wide as it must be; on a narrow screen it alone moves sideways. */
static void table_begin(struct page *p)
{
    page_put(p, "<div class=\"wide\" tabindex=\"0\"><table>");
}

static void table_end(struct page *p)
{
    page_put(p, "</table></div>\n");
}

static void put_big(struct page *p, uint64_t n, const char *of, const char *what)
{
    page_put(p, "<div><b>");
    put_count(p, n);
    page_put(p, "%s</b><span class=\"soft\">%s</span></div>", of, what);
}

static void put_numbers(struct report *r)
{
    uint64_t rows = 0, found = 0;
    uint32_t hit = 0, windows = 0, alarms = 0, contained = 0;
    char of[64];
    for (uint32_t i = 0; i < r->nseries; i++) {
        const struct series *s = &r->series[i];
        rows += s->nrows;
        found += series_found(r, s);
        hit += s->windows_hit;
        windows += s->nwindows;
        alarms += s->alarms;
    }
    for (uint32_t i = 0; i < r->nattempts; i++)
        contained += r->attempts[i].gained == 0 && r->attempts[i].others_answer;
    page_put(&r->page, "<div class=\"nums\">");
    put_big(&r->page, rows, "", "rows read");
    if (r->labelled) {
        (void)fmt_print(of, sizeof(of), " of %u", windows);
        put_big(&r->page, hit, of, "labelled failures found");
        (void)fmt_print(of, sizeof(of), "finding%s: %llu hit%s, %u false alarm%s",
                        found == 1 ? "" : "s", (unsigned long long)(found - alarms),
                        found - alarms == 1 ? "" : "s", alarms, alarms == 1 ? "" : "s");
        put_big(&r->page, found, "", of);
    } else {
        put_big(&r->page, found, "", found == 1 ? "finding" : "findings");
    }
    if (r->nattempts > 0) {
        (void)fmt_print(of, sizeof(of), " of %u", r->nattempts);
        put_big(&r->page, contained, of, "hostile attempts contained");
    }
    page_put(&r->page, "</div>\n");
}

void html_head(struct report *r)
{
    struct page *p = &r->page;
    uint64_t from = p->offset;
    page_put(p,
             "<h1>What went wrong, and what may come</h1>\n<p class=\"soft\">%u series went "
             "through a detector, a simulation and a plotter, each a component of its own%s"
             "</p>\n",
             r->nseries, r->nattempts > 0 ? ", while a hostile one tried to break out." : ".");
    put_numbers(r);
    page_put(p, "<section><h2>Series</h2>");
    table_begin(p);
    page_put(p,
             "<tr><th>series<th class=\"r\">rows<th class=\"r\">findings%s"
             "<th class=\"r\">chance of a new high</tr>\n",
             r->labelled ? "<th class=\"r\">hits<th class=\"r\">false alarms"
                           "<th class=\"r\">failures found"
                         : "");
    for (uint32_t i = 0; i < r->nseries; i++) {
        const struct series *s = &r->series[i];
        page_put(p, "<tr><td class=\"n\"><a href=\"#s%u\" style=\"color:inherit\">", i + 1);
        page_text(p, s->name);
        page_put(p, "</a><td class=\"r\">");
        put_count(p, s->nrows);
        page_put(p, "<td class=\"r\">%llu", (unsigned long long)series_found(r, s));
        if (r->labelled)
            page_put(p, "<td class=\"r\">%u<td class=\"r\">%u<td class=\"r\">%u of %u",
                     s->nfindings - s->alarms, s->alarms, s->windows_hit, s->nwindows);
        page_put(p, "<td class=\"r t\">");
        if (s->steps > 0) {
            char percent[NUMBER_TEXT], span[NUMBER_TEXT];
            (void)sdk_f64_fixed(s->cross_any * 100, 1, percent, sizeof(percent));
            span_text(s->step_ms * s->steps, span);
            page_put(p, "%s %% in the next %s", percent, span);
        }
        page_put(p, "</tr>\n");
    }
    table_end(p);
    if (r->labelled)
        page_put(p, "<p class=\"soft\">A finding is a hit where it overlaps a labelled failure, "
                    "else a false alarm. A failure can have more than one hit.</p>");
    page_put(p, "</section>\n");
    page_pad(p, from, HEAD_BYTES);
}

static void put_disordered(struct page *p, const struct series *s)
{
    page_put(p, "; %llu not later than a row before", (unsigned long long)s->disordered);
    if (s->disordered_line > 0)
        page_put(p, ", the first on line %llu", (unsigned long long)s->disordered_line);
    page_put(p, ", left out of the detection");
}

void html_series_begin(struct report *r, const struct series *s, uint32_t number)
{
    struct page *p = &r->page;
    page_put(p, "<section id=\"s%u\"><h2>", number);
    page_text(p, s->name);
    page_put(p, "</h2><p class=\"soft\">");
    put_count(p, s->nrows);
    page_put(p, " rows from ");
    page_time(p, s->first_ms);
    page_put(p, " to ");
    page_time(p, s->last_ms);
    if (s->disordered > 0)
        put_disordered(p, s);
    if (s->skipped > 0) {
        page_put(p,
                 "; %llu line%s no row, the first is line %llu: ", (unsigned long long)s->skipped,
                 s->skipped == 1 ? " is" : "s are", (unsigned long long)s->bad_line);
        page_text(p, s->bad_reason);
    }
    page_put(p, ".</p>\n<div class=\"wide\" tabindex=\"0\">");
}

static void put_finding(struct report *r, const struct finding *f)
{
    struct page *p = &r->page;
    page_put(p, "<tr><td class=\"t\">");
    page_time(p, f->start_ms);
    page_put(p, "<td class=\"t\">");
    page_time(p, f->end_ms);
    page_put(p, "<td class=\"t\">");
    page_time(p, f->peak_ms);
    page_put(p, "<td class=\"r\">");
    page_number(p, f->value);
    page_put(p, "<td class=\"r\">");
    page_number(p, f->expected);
    page_put(p, "<td class=\"t\">%s, %s<td class=\"r\">", kind_word(f->kind),
             direction_word(f->direction));
    page_number(p, f->score);
    if (r->labelled)
        page_put(p, "<td class=\"%s\">%s", f->hit ? "good" : "bad", f->hit ? "hit" : "false alarm");
    page_put(p, "</tr>\n");
}

static void put_findings(struct report *r, const struct series *s)
{
    struct page *p = &r->page;
    if (s->nfindings == 0) {
        page_put(p, "<p>Nothing was found.</p>\n");
        return;
    }
    table_begin(p);
    page_put(p,
             "<tr><th>from<th>to<th>at its worst<th class=\"r\">value"
             "<th class=\"r\">expected<th>kind<th class=\"r\">score%s</tr>\n",
             r->labelled ? "<th>against the labels" : "");
    for (uint32_t i = 0; i < s->nfindings && i < FINDINGS_SHOWN; i++)
        put_finding(r, &s->findings[i]);
    table_end(p);
    if (s->found > FINDINGS_SHOWN)
        page_put(p, "<p class=\"soft\">and %llu more.</p>\n",
                 (unsigned long long)(s->found - FINDINGS_SHOWN));
}

static void put_missed(struct report *r, const struct series *s)
{
    struct page *p = &r->page;
    for (uint32_t i = 0; i < s->nwindows; i++) {
        if (s->windows[i].hit)
            continue;
        page_put(p, "<p><span class=\"warn\">missed</span> the window from ");
        page_time(p, s->windows[i].start_ms);
        page_put(p, " to ");
        page_time(p, s->windows[i].end_ms);
        page_put(p, "</p>\n");
    }
}

void html_series_end(struct report *r, const struct series *s)
{
    struct page *p = &r->page;
    char text[NUMBER_TEXT];
    page_put(p, "</div>\n");
    put_findings(r, s);
    put_missed(r, s);
    if (s->steps == 0) {
        page_put(p, "<p class=\"soft\">Too short for a forecast.</p></section>\n");
        return;
    }
    page_put(p, "<p>Simulated ");
    put_count(p, s->paths);
    span_text(s->step_ms * s->steps, text);
    page_put(p, " paths of the next %s: 9 of 10 end between ", text);
    page_number(p, s->end_low);
    page_put(p, " and ");
    page_number(p, s->end_high);
    page_put(p, ", the middle one at ");
    page_number(p, s->end_middle);
    (void)sdk_f64_fixed(s->cross_any * 100, 1, text, sizeof(text));
    page_put(p, "; %s %% exceed the highest value so far, ", text);
    page_number(p, s->threshold);
    page_put(p,
             ". <span class=\"soft\">Hash of all values: <code>%016llx</code></span></p>"
             "</section>\n",
             (unsigned long long)s->hash);
}

static void put_attempt(struct page *p, const struct attempt *a)
{
    page_put(p, "<tr><td>");
    page_text(p, a->name);
    page_put(p, "<td class=\"d\">");
    if (!a->made)
        page_put(p, "not made: it runs outside of a sandbox, and is trusted there");
    else if (a->died)
        page_put(p, "it did not come back");
    page_text(p, a->text);
    page_put(p, "<td class=\"d\"><code>%s</code><br><span class=\"soft\">",
             a->made ? error_name(a->err) : "");
    page_text(p, a->made ? error_meaning(a->err) : "");
    page_put(p, "</span><td class=\"%s\">%llu<td class=\"%s\">%s</tr>\n",
             a->gained == 0 ? "good" : "bad", (unsigned long long)a->gained,
             a->others_answer ? "good" : "bad", a->others_answer ? "yes" : "no");
}

void html_attempts(struct report *r)
{
    struct page *p = &r->page;
    if (r->nattempts == 0)
        return;
    page_put(p, "<section><h2>What the hostile component tried</h2><p class=\"soft\">Between the "
                "series, a component that holds two capabilities tried to get more. After each "
                "attempt all others were asked whether they still answer.</p>");
    table_begin(p);
    page_put(p, "<tr><th>attempt<th>what it did<th>stopped by<th>gained"
                "<th>others answer</tr>\n");
    for (uint32_t i = 0; i < r->nattempts; i++)
        put_attempt(p, &r->attempts[i]);
    table_end(p);
    if (r->victim != 0)
        page_put(p,
                 "<p class=\"soft\">The flooded component handled %llu messages and went on."
                 "</p>",
                 (unsigned long long)r->pokes);
    page_put(p, "</section>\n");
}
