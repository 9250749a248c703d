/* draw.c: the picture: the whole series on the left; its end, and what may follow, on the right.
 * Colours are variables with a light and a dark set; nothing comes from outside of the file. */
#include "components/plotter/plotter_int.h"
#include "sdk/fmt.h"
#include "sdk/math.h"

enum {
    WIDTH = 1200,
    HEIGHT = 366,
    TOP = 36,
    BOTTOM = 296,
    GAP_BUCKETS = 8, /* a hole in the series is wider than so many, and than usual */
};
#define TAIL_MS   86400000.0
#define HOUR_MS   3600000.0
#define Y_MARGIN  0.06
#define MARK_SIZE 5.0

/* One part of the picture; x counts in ms since the series' first row. */
struct panel {
    struct scale x, y;
};

static const char style[] =
    "<style>.tnp{--pb:#fff;--pi:#1b2430;--ps:#5b6878;--pg:#e4e9ef;--pl:#2868d8;--pw:#f0a500;"
    "--ph:#0a8f62;--pa:#d8284a;--pf:#7a4fe0;font:12px system-ui,-apple-system,'Segoe UI',"
    "sans-serif}@media(prefers-color-scheme:dark){.tnp{--pb:#151b23;--pi:#e8edf4;--ps:#95a3b5;"
    "--pg:#2a3441;--pl:#6fa8ff;--pw:#e0a030;--ph:#3ddc9a;--pa:#ff6f86;--pf:#b196ff}}"
    ".tnp .b{fill:var(--pb)}.tnp text{fill:var(--ps)}.tnp .t{fill:var(--pi);font-weight:600}"
    ".tnp .g{stroke:var(--pg)}.tnp .d{fill:none;stroke:var(--pl);stroke-width:1.2;"
    "stroke-linejoin:round}.tnp .w{fill:var(--pw);fill-opacity:.2}.tnp .we{fill:var(--pw)}"
    ".tnp .h{fill:var(--ph);stroke:var(--pb);stroke-width:1.5}.tnp .a{fill:var(--pa);"
    "stroke:var(--pb);stroke-width:1.5}.tnp .f1{fill:var(--pf);fill-opacity:.18}"
    ".tnp .f2{fill:var(--pf);fill-opacity:.3}.tnp .f3{fill:none;stroke:var(--pf);"
    "stroke-width:1.8}.tnp .th{stroke:var(--pa);stroke-dasharray:4 4}"
    ".tnp .n{stroke:var(--ps);stroke-dasharray:2 3}.tnp .e{text-anchor:end}"
    ".tnp .m{text-anchor:middle}</style>";

static double since(const struct plotter *p, int64_t ms)
{
    return (double)ms - (double)p->first_ms;
}

/* A scale for values low to high, with room around them, upwards on the page. */
static struct scale value_scale(double low, double high)
{
    double room = (high - low) * Y_MARGIN;
    if (!(room > 0)) {
        room = sdk_fabs(high) * 0.05;
        room = room > 0 ? room : 1;
    }
    struct scale s = {low - room, high + room, BOTTOM, TOP};
    if (low >= 0 && s.low < 0)
        s.low = 0;
    return s;
}

static void put_axes(struct text *t, const struct panel *panel, int64_t origin_ms)
{
    struct tick ticks[PLOT_TICKS_MAX];
    uint32_t n = ticks_of_values(&panel->y, 5, ticks);
    for (uint32_t i = 0; i < n; i++) {
        double y = scale_at(&panel->y, ticks[i].at);
        text_put(t, "<path class=\"g\" d=\"M");
        text_put_tenths(t, panel->x.from);
        text_put(t, ",");
        text_put_tenths(t, y);
        text_put(t, "H");
        text_put_tenths(t, panel->x.to);
        text_put(t, "\"/><text class=\"e\" x=\"");
        text_put_tenths(t, panel->x.from - 8);
        text_put(t, "\" y=\"");
        text_put_tenths(t, y + 4);
        text_put(t, "\">%s</text>", ticks[i].label);
    }
    uint32_t wanted = (uint32_t)(panel->x.to - panel->x.from) / 90;
    n = ticks_of_times(&panel->x, origin_ms, wanted, ticks);
    for (uint32_t i = 0; i < n; i++) {
        text_put(t, "<path class=\"g\" d=\"M");
        text_put_tenths(t, scale_at(&panel->x, ticks[i].at));
        text_put(t, ",%dv6\"/><text class=\"m\" x=\"", BOTTOM);
        text_put_tenths(t, scale_at(&panel->x, ticks[i].at));
        text_put(t, "\" y=\"%d\">%s</text>", BOTTOM + 20, ticks[i].label);
    }
}

static void put_point(struct text *t, const struct panel *panel, const char *how, double x,
                      double y)
{
    text_put(t, "%s", how);
    text_put_tenths(t, scale_at(&panel->x, x));
    text_put(t, ",");
    text_put_tenths(t, scale_at(&panel->y, y));
}

/* The least and greatest value of each bucket, as one line that turns back and forth. */
static void put_buckets(struct text *t, const struct plotter *p, const struct panel *panel)
{
    uint32_t filled = 0, last = 0;
    bool up = false, any = false;
    for (uint32_t i = 0; i < p->used; i++)
        filled += p->buckets[i].rows > 0;
    uint32_t spacing = filled > 0 ? p->used / filled : 0;
    uint32_t hole = 4 * spacing > GAP_BUCKETS ? 4 * spacing : GAP_BUCKETS;
    text_put(t, "<path class=\"d\" d=\"");
    for (uint32_t i = 0; i < p->used; i++) {
        const struct bucket *b = &p->buckets[i];
        if (b->rows == 0)
            continue;
        double x = ((double)i + 0.5) * (double)p->width_ms;
        x = x < panel->x.high ? x : panel->x.high;
        put_point(t, panel, !any || i - last > hole ? "M" : "L", x, up ? b->low : b->high);
        if (b->low < b->high || !any)
            put_point(t, panel, "L", x, up ? b->high : b->low);
        up = !up;
        any = true;
        last = i;
    }
    text_put(t, "\"/>");
}

static void put_windows(struct text *t, const struct plotter *p, const struct panel *panel)
{
    for (uint32_t i = 0; i < p->nwindows; i++) {
        double from = since(p, p->windows[i].start_ms), to = since(p, p->windows[i].end_ms);
        if (!(to >= panel->x.low && from <= panel->x.high && from <= to))
            continue;
        from = scale_at(&panel->x, from > panel->x.low ? from : panel->x.low);
        to = scale_at(&panel->x, to < panel->x.high ? to : panel->x.high);
        double width = to - from > 2 ? to - from : 2;
        static const char *const parts[2] = {"w", "we"};
        for (int k = 0; k < 2; k++) {
            text_put(t, "<rect class=\"%s\" x=\"", parts[k]);
            text_put_tenths(t, from);
            text_put(t, "\" y=\"%d\" width=\"", TOP);
            text_put_tenths(t, width);
            text_put(t, "\" height=\"%d\"/>", k == 0 ? BOTTOM - TOP : 3);
        }
    }
}

/* A dot for what a window explains, a triangle for what none does. */
static void put_sign(struct text *t, double x, double y, bool alarm)
{
    if (alarm) {
        text_put(t, "<path class=\"a\" d=\"M");
        text_put_tenths(t, x);
        text_put(t, ",");
        text_put_tenths(t, y - MARK_SIZE - 1);
        text_put(t, "l6,11h-12z\"");
        return;
    }
    text_put(t, "<circle class=\"h\" r=\"5\" cx=\"");
    text_put_tenths(t, x);
    text_put(t, "\" cy=\"");
    text_put_tenths(t, y);
    text_put(t, "\"");
}

static void put_findings(struct text *t, const struct plotter *p, const struct panel *panel)
{
    char when[PLOT_LABEL_MAX], value[SDK_F64_MAX];
    for (uint32_t i = 0; i < p->nfindings; i++) {
        const struct mark *m = &p->findings[i];
        double peak = since(p, m->peak_ms), from = since(p, m->start_ms), to = since(p, m->end_ms);
        if (!(peak >= panel->x.low && peak <= panel->x.high && from <= to &&
              sdk_isfinite(m->value)))
            continue;
        from = scale_at(&panel->x, from > panel->x.low ? from : panel->x.low);
        to = scale_at(&panel->x, to < panel->x.high ? to : panel->x.high);
        text_put(t, "<rect class=\"%s\" stroke=\"none\" x=\"", m->alarm ? "a" : "h");
        text_put_tenths(t, from);
        text_put(t, "\" y=\"%d\" width=\"", BOTTOM - 3);
        text_put_tenths(t, to - from > 3 ? to - from : 3);
        text_put(t, "\" height=\"6\"/>");
        double y = scale_at(&panel->y, m->value);
        put_sign(t, scale_at(&panel->x, peak), y < TOP ? TOP : y > BOTTOM ? BOTTOM : y, m->alarm);
        time_text(m->peak_ms, true, when);
        (void)sdk_f64_text(m->value, value);
        text_put(t, "><title>%s: %s</title></%s>", when, value, m->alarm ? "path" : "circle");
    }
}

/* Between line `a` and line `b` of the fan, from the last row on. */
static void put_band(struct text *t, const struct plotter *p, const struct panel *panel,
                     const char *class, int a, int b)
{
    uint32_t last = (p->tail_first + p->tail_rows - 1) % PLOT_TAIL;
    text_put(t, "<path class=\"%s\" d=\"", class);
    put_point(t, panel, "M", since(p, p->tail_times[last]), p->tail_values[last]);
    for (uint32_t i = 0; i < p->fan.steps; i++)
        put_point(t, panel, "L", since(p, p->fan.times[i]), p->fan.line[b][i]);
    for (uint32_t i = p->fan.steps; a != b && i > 0; i--)
        put_point(t, panel, "L", since(p, p->fan.times[i - 1]), p->fan.line[a][i - 1]);
    text_put(t, "%s\"/>", a != b ? "z" : "");
}

static void put_tail(struct text *t, const struct plotter *p, const struct panel *panel)
{
    const char *how = "M";
    text_put(t, "<path class=\"d\" d=\"");
    for (uint32_t i = 0; i < p->tail_rows; i++) {
        uint32_t at = (p->tail_first + i) % PLOT_TAIL;
        double x = since(p, p->tail_times[at]);
        if (x < panel->x.low)
            continue;
        put_point(t, panel, how, x, p->tail_values[at]);
        how = "L";
    }
    text_put(t, "\"/>");
}

static void put_threshold(struct text *t, const struct plotter *p, const struct panel *panel)
{
    double threshold = p->fan.threshold;
    if (!(threshold >= panel->y.low && threshold <= panel->y.high))
        return;
    double y = scale_at(&panel->y, threshold);
    text_put(t, "<path class=\"th\" d=\"M");
    text_put_tenths(t, panel->x.from);
    text_put(t, ",");
    text_put_tenths(t, y);
    text_put(t, "H");
    text_put_tenths(t, panel->x.to);
    text_put(t, "\"/><text class=\"e\" x=\"");
    text_put_tenths(t, panel->x.to - 4);
    text_put(t, "\" y=\"");
    text_put_tenths(t, y + 14);
    text_put(t, "\">highest so far</text>");
}

static void put_title(struct text *t, const struct panel *panel, const char *title)
{
    text_put(t, "<text class=\"t\" x=\"");
    text_put_tenths(t, panel->x.from);
    text_put(t, "\" y=\"20\">%s</text>", title);
}

static void put_whole(struct text *t, const struct plotter *p, double right)
{
    char first[PLOT_LABEL_MAX], last[PLOT_LABEL_MAX], title[2 * PLOT_LABEL_MAX + 8];
    double low = PLOT_VALUE_MOST, high = -PLOT_VALUE_MOST, span = since(p, p->last_ms);
    for (uint32_t i = 0; i < p->used; i++) {
        if (p->buckets[i].rows == 0)
            continue;
        low = p->buckets[i].low < low ? p->buckets[i].low : low;
        high = p->buckets[i].high > high ? p->buckets[i].high : high;
    }
    struct panel panel = {{0, span > 0 ? span : 1, 56, right}, value_scale(low, high)};
    put_windows(t, p, &panel);
    put_axes(t, &panel, p->first_ms);
    put_buckets(t, p, &panel);
    put_findings(t, p, &panel);
    time_text(p->first_ms, false, first);
    time_text(p->last_ms, false, last);
    (void)fmt_print(title, sizeof(title), "%s to %s", first, last);
    put_title(t, &panel, title);
}

static void put_end(struct text *t, const struct plotter *p, double left)
{
    double now = since(p, p->last_ms), from = now > TAIL_MS ? now - TAIL_MS : 0, to = now;
    double low = PLOT_VALUE_MOST, high = -PLOT_VALUE_MOST, begins = now;
    for (uint32_t i = 0; i < p->tail_rows; i++) {
        double x = since(p, p->tail_times[i]), value = p->tail_values[i];
        if (x < from)
            continue;
        begins = x < begins ? x : begins;
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    for (uint32_t i = 0; i < p->fan.steps; i++) {
        double x = since(p, p->fan.times[i]);
        to = x > to ? x : to;
        low = p->fan.line[0][i] < low ? p->fan.line[0][i] : low;
        high = p->fan.line[4][i] > high ? p->fan.line[4][i] : high;
    }
    char title[64];
    struct panel panel = {{begins, to, left, WIDTH - 20}, value_scale(low, high)};
    put_windows(t, p, &panel);
    put_axes(t, &panel, p->first_ms);
    put_band(t, p, &panel, "f1", 0, 4);
    put_band(t, p, &panel, "f2", 1, 3);
    put_band(t, p, &panel, "f3", 2, 2);
    put_tail(t, p, &panel);
    put_threshold(t, p, &panel);
    text_put(t, "<path class=\"n\" d=\"M");
    text_put_tenths(t, scale_at(&panel.x, now));
    text_put(t, ",%dV%d\"/>", TOP, BOTTOM);
    char past[16], next[16];
    (void)sdk_f64_fixed((now - begins) / HOUR_MS, 0, past, sizeof(past));
    (void)sdk_f64_fixed((to - now) / HOUR_MS, 0, next, sizeof(next));
    (void)fmt_print(title, sizeof(title), "The last %s h, and %s h simulated", past, next);
    put_title(t, &panel, title);
}

static void put_legend(struct text *t, const struct plotter *p)
{
    int x = 56, y = HEIGHT - 22;
    bool alarms = false, hits = false;
    for (uint32_t i = 0; i < p->nfindings; i++) {
        alarms |= p->findings[i].alarm;
        hits |= !p->findings[i].alarm;
    }
    if (p->nwindows > 0) {
        text_put(t, "<rect class=\"w\" x=\"%d\" y=\"%d\" width=\"14\" height=\"14\"/>", x, y);
        text_put(t, "<text x=\"%d\" y=\"%d\">labelled: something went wrong</text>", x + 20,
                 y + 11);
        x += 236;
    }
    if (hits) {
        put_sign(t, x + 6, y + 7, false);
        text_put(t, "/><text x=\"%d\" y=\"%d\">found</text>", x + 18, y + 11);
        x += 84;
    }
    if (alarms) {
        put_sign(t, x + 6, y + 7, true);
        text_put(t, "/><text x=\"%d\" y=\"%d\">found, not labelled</text>", x + 18, y + 11);
    }
    if (p->fan.steps > 0) {
        text_put(t, "<rect class=\"f2\" x=\"870\" y=\"%d\" width=\"14\" height=\"14\"/>", y);
        text_put(t, "<text x=\"890\" y=\"%d\">half of the paths</text>", y + 11);
        text_put(t, "<rect class=\"f1\" x=\"1016\" y=\"%d\" width=\"14\" height=\"14\"/>", y);
        text_put(t, "<text x=\"1036\" y=\"%d\">9 of 10</text>", y + 11);
    }
}

tn_err plot_draw(struct plotter *p)
{
    struct text t = {p->svg, sizeof(p->svg), 0};
    text_put(&t, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tnp\" viewBox=\"0 0 %d %d\" ",
             WIDTH, HEIGHT);
    text_put(&t, "role=\"img\" aria-label=\"");
    text_put_escaped(&t, p->title, p->title_len);
    text_put(&t, "\">%s<rect class=\"b\" width=\"%d\" height=\"%d\"/>", style, WIDTH, HEIGHT);
    put_whole(&t, p, p->fan.steps > 0 ? 800 : WIDTH - 20);
    if (p->fan.steps > 0)
        put_end(&t, p, 870);
    put_legend(&t, p);
    text_put(&t, "</svg>\n");
    p->svg_len = 0;
    if (t.len >= t.size)
        return DEMO_PLOT_E_TOO_LONG;
    p->svg_len = (uint32_t)t.len;
    return TN_OK;
}
