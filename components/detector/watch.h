/* watch.h: the two ways in which the detector judges a row by those before it. */
#ifndef COMPONENTS_DETECTOR_WATCH_H
#define COMPONENTS_DETECTOR_WATCH_H

#include <stdbool.h>
#include <stdint.h>

enum {
    WATCH_BLOCKS = 28, /* that are remembered */
    WATCH_HOURS = 24,  /* parts of the period */
};

/* What both ways know of the series as a whole. */
struct pace {
    int64_t period_ms;
    double rows_of_memory; /* rows in MEMORY_DAYS */
    double profile_gain;   /* least weight of a new row in its hour's mean */
};

/* How much a row stands out. */
struct verdict {
    double score; /* 1: at the threshold */
    double expected;
    bool below;
};

/* The mean of the last `span` rows against the level and the hour's usual deviation from it. */
struct baseline {
    uint32_t span;
    uint64_t rows;
    double smooth;        /* the mean, exponentially weighted */
    double level, spread; /* and of its absolute deviations */
    double profile[WATCH_HOURS];
    uint64_t seen[WATCH_HOURS];
    double error_plain, error_profile; /* mean deviation without and with the profile */
    double tail[2];                    /* what 9 of 10 deviations do not reach, above and below */
    double peak[2];                    /* of this block */
    double peaks[2][WATCH_BLOCKS];
    uint32_t blocks;
    double threshold[2];
};

void baseline_init(struct baseline *b, uint32_t span);
struct verdict baseline_judge(struct baseline *b, const struct pace *pace, int64_t time_ms,
                              double value);
/* A block of rows ended. */
void baseline_block(struct baseline *b);

/* The mean of some rows against all that it was in the last blocks. */
struct range {
    uint64_t rows;
    double smooth;
    double low, high; /* of this block */
    double lows[WATCH_BLOCKS], highs[WATCH_BLOCKS];
    uint32_t blocks;
    double lowest, highest; /* of those */
};

struct verdict range_judge(struct range *r, double value);
void range_block(struct range *r);

#endif
