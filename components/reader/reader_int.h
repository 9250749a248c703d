/* reader_int.h: what the reader's files share: lines taken apart, and why one is not a row. */
#ifndef COMPONENTS_READER_INT_H
#define COMPONENTS_READER_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tenon/errors.h>

enum {
    READER_LINE_MAX = 1024,  /* bytes of a line; longer ones are no rows */
    READER_REASON_MAX = 160, /* bytes of a reason, with its zero */
};

struct row {
    int64_t time_ms;
    double value;
};

/* A time as people and programs write it, in UTC where it names no zone:
 *   2014-03-07 03:41:00   2014-03-07T03:41:00.25Z   2014/03/07 03:41+01:00   2014-03-07
 * or a number: seconds since 1970, with or without a fraction, or milliseconds from 10^11 on.
 * false when it is none of these or no day of the calendar; years 1 to 9999. */
bool reader_time(const char *at, size_t len, int64_t *ret_ms);

/* A line without its end. TN_EFORMAT when it is no row: ret_reason then says why, in printable
 * ASCII, with a piece of the line. */
tn_err reader_row(const char *at, size_t len, struct row *ret_row,
                  char ret_reason[READER_REASON_MAX]);

#endif
