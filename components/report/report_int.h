/* report_int.h: what the report's files share: what was wired, what came out, and the page. */
#ifndef COMPONENTS_REPORT_INT_H
#define COMPONENTS_REPORT_INT_H

#include <stdbool.h>
#include <stdint.h>
#include <tenon/component.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "interfaces/demo_detect.h"
#include "interfaces/demo_forecast.h"
#include "interfaces/demo_plot.h"
#include "interfaces/demo_rogue.h"

enum {
    SERIES_MAX = 4,
    NAME_MAX = 64,        /* bytes of a series' name */
    WINDOWS_MAX = 64,     /* labelled, of one series */
    FINDINGS_MAX = 256,   /* as the detector's */
    LABELS_BYTES = 32768, /* of the labels file */
    PAGE_BYTES = 32768,   /* written at once */
    HEAD_BYTES = 6144,    /* kept free for what is known only at the end */
    PROBLEM_MAX = 480,
    SUMMARY_BYTES = 8192,
    TIME_TEXT = 20, /* 2014-03-07 03:41 and its zero */
    PATHS_DEFAULT = 2000,
    STEPS_DEFAULT = 48,
};

/* The page: text on its way to the file. An error stays: all that follows it does nothing. */
struct page {
    tn_cap out;
    uint64_t offset; /* in the file, of at[0] */
    uint32_t len;
    tn_err err;
    char at[PAGE_BYTES];
    uint64_t room[(PAGE_BYTES + 64) / 8];
};

struct finding {
    int64_t start_ms, end_ms, peak_ms;
    double score, value, expected;
    uint8_t direction, kind;
    bool hit; /* it overlaps a labelled window */
};

struct window {
    int64_t start_ms, end_ms;
    bool hit; /* a finding overlaps it */
};

struct series {
    tn_cap rows;
    uint32_t slot; /* seriesN is N - 1 */
    char name[NAME_MAX + 1];
    uint64_t lines, nrows, skipped, bad_line, disordered, disordered_line, found;
    char bad_reason[208];
    int64_t first_ms, last_ms;
    uint32_t nfindings, nwindows, windows_hit, alarms; /* findings are hits or alarms */
    struct finding findings[FINDINGS_MAX];
    struct window windows[WINDOWS_MAX];
    uint64_t hash; /* and the rest of the forecast */
    uint32_t paths, steps;
    int64_t step_ms;
    double threshold, cross_any, end_low, end_middle, end_high;
};

struct attempt {
    char name[NAME_MAX + 1], text[404];
    tn_err err; /* of the call, or what it said stopped it */
    bool made, died, others_answer;
    uint64_t gained;
};

/* What a composition sets, and arguments change for one run. */
struct settings {
    char names[SERIES_MAX][NAME_MAX + 1]; /* by slot; empty: not named */
    uint64_t seed;
    uint32_t paths, steps;
};

struct report {
    struct settings config, now;
    tn_cap detector, forecaster, plotter, labels, out, rogue, victim, log;
    uint32_t nseries, nattempts;
    uint64_t pokes;
    bool labelled; /* there is a labels file */
    char problem[PROBLEM_MAX];
    struct series series[SERIES_MAX];
    struct attempt attempts[DEMO_ROGUE_ATTEMPTS_MAX];
    char labels_text[LABELS_BYTES];
    uint32_t labels_len;
    uint64_t rows_room[(TN_ARGS_MAX + 64) / 8];
    uint64_t room[(TN_ARGS_MAX + 64) / 8];
    char summary[SUMMARY_BYTES];
    uint32_t summary_len;
    struct page page;
};

/* page.c */
void page_begin(struct page *page, tn_cap out, uint64_t offset);
void page_put(struct page *page, const char *format, ...) FMT_LIKE(2, 3);
/* As it is. */
void page_raw(struct page *page, const void *at, uint32_t len);
/* With & < > " as entities. */
void page_text(struct page *page, const char *at);
void page_number(struct page *page, double x);
void page_time(struct page *page, int64_t ms);
/* Spaces, until `bytes` were written since `from`; sets an error when there are more already. */
void page_pad(struct page *page, uint64_t from, uint64_t bytes);
tn_err page_flush(struct page *page);

/* words.c: numbers, times and errors for people. */
enum { NUMBER_TEXT = 32 };
/* Four digits that matter; as it is when it is very large or small. */
void number_text(double x, char ret_text[NUMBER_TEXT]);
/* 1,234,567 */
void count_text(uint64_t n, char ret_text[NUMBER_TEXT]);
void time_text(int64_t ms, char ret_text[TIME_TEXT]);
/* TN_EFUEL and what it means; never NULL. */
const char *error_name(tn_err err);
const char *error_meaning(tn_err err);
const char *kind_word(uint8_t kind);
/* high, low */
const char *direction_word(uint8_t direction);
/* How long something takes: 4 h, 2.5 days, 30 min. */
void span_text(int64_t ms, char ret_text[NUMBER_TEXT]);

/* report.c: one line to the log, in the place of the last such line. */
void progress(struct report *report, const char *format, ...) FMT_LIKE(2, 3);
/* Says in `problem` who failed and how; returns err. */
tn_err problem(struct report *report, const char *who, const char *what, tn_err err);

/* judge.c: findings against labels. */
/* Reads the labels file whole. TN_EFORMAT and a problem when a line of it is wrong. */
tn_err labels_read(struct report *report);
/* Takes the series' windows from the labels, and marks which findings and windows meet. */
void series_judge(struct report *report, struct series *series);

/* series.c: one series through the components, its section onto the page. */
tn_err series_run(struct report *report, uint32_t index);
/* How many findings there are: with labels those that were judged, all of which are kept. */
uint64_t series_found(const struct report *report, const struct series *series);

/* attempts.c: the hostile component's attempts. */
/* Asks for their names; none when there is no rogue. */
tn_err attempts_ask(struct report *report);
void attempts_make(struct report *report, uint32_t index);

/* html.c: parts of the page. */
void html_begin(struct page *page);
void html_end(struct page *page, bool labelled);
/* What the whole came to, for the place kept for it. */
void html_head(struct report *report);
/* Up to where its picture stands, and what is behind it. */
void html_series_begin(struct report *report, const struct series *series, uint32_t number);
void html_series_end(struct report *report, const struct series *series);
void html_attempts(struct report *report);

/* summary.c: the same for a terminal. */
void summary_write(struct report *report);

#endif
