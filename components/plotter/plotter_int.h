/* plotter_int.h: what the plotter's files share: what it keeps of a series, text that grows in a
 * bounded place, and axes. */
#ifndef COMPONENTS_PLOTTER_INT_H
#define COMPONENTS_PLOTTER_INT_H

#include <stdbool.h>
#include <stdint.h>
#include <tenon/errors.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "interfaces/demo_plot.h"

enum {
    PLOT_BUCKETS = 1024,  /* of the whole series */
    PLOT_TAIL = 512,      /* rows kept as they are, the last ones */
    PLOT_TITLE_MAX = 120, /* bytes */
    PLOT_SVG_BYTES = 160 << 10,
    PLOT_TICKS_MAX = 12,
    PLOT_LABEL_MAX = 24,
};

/* Values beyond are drawn as these, so that differences of two are finite. */
#define PLOT_VALUE_MOST 1e300
/* Rows beyond are left out: the years 1 BC to 10000 are within. */
#define PLOT_TIME_MOST INT64_C(253402300800000)

struct bucket {
    uint32_t rows; /* 0: the rest means nothing */
    double low, high;
};

struct mark {
    int64_t start_ms, end_ms, peak_ms;
    double value;
    bool alarm;
};

struct fan {
    uint32_t steps;
    double threshold;
    int64_t times[DEMO_PLOT_STEPS_MAX];
    double line[5][DEMO_PLOT_STEPS_MAX]; /* low, lower, middle, upper, high */
};

struct plotter {
    bool begun;
    uint64_t rows;
    int64_t first_ms, last_ms;
    uint64_t width_ms; /* of a bucket: a power of two */
    uint32_t used;     /* buckets up to the last with rows */
    struct bucket buckets[PLOT_BUCKETS];
    uint32_t tail_rows, tail_first; /* a ring */
    int64_t tail_times[PLOT_TAIL];
    double tail_values[PLOT_TAIL];
    uint32_t nwindows, nfindings;
    struct mark windows[DEMO_PLOT_MARKS_MAX], findings[DEMO_PLOT_MARKS_MAX];
    struct fan fan;
    uint32_t title_len;
    char title[PLOT_TITLE_MAX];
    uint32_t svg_len;
    char svg[PLOT_SVG_BYTES];
};

/* Text that is cut, and says so, where its room ends. */
struct text {
    char *at;
    size_t size, len; /* len >= size: cut */
};

void text_put(struct text *text, const char *format, ...) FMT_LIKE(2, 3);
/* With one digit behind the point. */
void text_put_tenths(struct text *text, double x);
/* With & < > " as entities. */
void text_put_escaped(struct text *text, const char *at, size_t len);

/* A straight scale: values low to high lie at places from to to. */
struct scale {
    double low, high, from, to;
};

double scale_at(const struct scale *scale, double value);

struct tick {
    double at; /* on the scale's own axis of values */
    char label[PLOT_LABEL_MAX];
};

/* Round values within the scale, about `wanted` of them. Returns how many; at most PLOT_TICKS_MAX.
 */
uint32_t ticks_of_values(const struct scale *scale, uint32_t wanted, struct tick *ret_ticks);
/* Round times, where the scale's values are ms since `origin_ms`. */
uint32_t ticks_of_times(const struct scale *scale, int64_t origin_ms, uint32_t wanted,
                        struct tick *ret_ticks);
/* 14 May 2014; with `clock`, 14 May 2014 09:05. */
void time_text(int64_t ms, bool clock, char ret_text[PLOT_LABEL_MAX]);

/* draw.c: the whole picture into plotter->svg. DEMO_PLOT_E_TOO_LONG. */
tn_err plot_draw(struct plotter *plotter);

#endif
