/* reader.c: the rows of a CSV file, streamed: its length does not matter, only its lines do.
 *
 * It holds a capability to one file and asks it for pieces. A line that lies within a piece is read
 * where it is; one that crosses two is put together in `carry`.
 *   1. Memory is this struct; nothing grows with the file.
 *   2. A line longer than READER_LINE_MAX is no row, and is passed over without being kept.
 *   3. The first line that is not empty may be a header: it has a letter and is no row.
 *   4. Lines that are no rows are counted and passed over, SKIP_FREE of them always and
 *      SKIP_PERCENT of all; more is an error, which names the first. So is a file without a row.
 *   5. The work for one answer is bounded by the bytes read for it, however hard their numbers are
 *      to read: it ends at ANSWER_BYTES with the rows it has, or else with the first piece that
 *      has one.
 *   6. An error is kept: `next` repeats it and `about` explains it, until `rewind`.
 *
 * READING -> ENDED (reader_next, at the end of the file), -> FAILED (fail); all -> READING
 * (reader_rewind). */
#include <tenon/component.h>

#include "base/fmt.h"
#include "components/reader/reader_int.h"
#include "interfaces/demo_rows.h"
#include "interfaces/tenon_file.h"
#include "sdk/mem.h"

enum {
    PIECE_BYTES = 32768,
    ANSWER_BYTES = 4 * PIECE_BYTES, /* read for one answer that has rows */
    PROBLEM_MAX = 400,
    SKIP_FREE = 10,
    SKIP_PERCENT = 10,
};

enum reader_state { READING, ENDED, FAILED };

struct reader {
    tn_cap file;
    enum reader_state state;
    tn_err err; /* FAILED: what next answers */
    uint64_t offset, lines, rows, skipped, bad_line;
    uint64_t disordered, disordered_line; /* rows not later than latest_ms; the first of them */
    int64_t latest_ms;                    /* of all rows so far */
    bool header_seen;
    bool too_long;        /* the line in carry is, and its rest is passed over */
    uint32_t at, len;     /* in piece: what was not read yet */
    const uint8_t *piece; /* in room */
    uint32_t carried;     /* bytes in carry */
    char carry[READER_LINE_MAX];
    char bad_reason[READER_REASON_MAX];
    char problem[PROBLEM_MAX];
    uint64_t room[(PIECE_BYTES + 256) / 8];
    uint32_t nrows; /* in times and values */
    int64_t times[DEMO_ROWS_ROWS_MAX];
    double values[DEMO_ROWS_ROWS_MAX];
};

static void reader_rewind(struct reader *r)
{
    r->state = READING;
    r->offset = r->lines = r->rows = r->skipped = r->bad_line = 0;
    r->disordered = r->disordered_line = 0;
    r->header_seen = r->too_long = false;
    r->at = r->len = r->carried = 0;
    r->bad_reason[0] = r->problem[0] = '\0';
}

static tn_err fail(struct reader *r, tn_err err)
{
    r->state = FAILED;
    r->err = err;
    return err;
}

static tn_err fail_unreadable(struct reader *r, tn_err err)
{
    const char *why = "";
    switch (err) {
    case TENON_FILE_E_IS_DIRECTORY:
        why = ": it is a directory";
        break;
    case TENON_FILE_E_NOT_FOUND:
    case TN_ENOTFOUND:
        why = ": there is none of that name";
        break;
    case TENON_FILE_E_IO:
    case TN_EIO:
        why = ": input or output error";
        break;
    case TN_EDENIED:
        why = ": permission denied";
        break;
    default:
        break;
    }
    (void)fmt_print(r->problem, PROBLEM_MAX, "the file cannot be read%s (error %d at byte %llu)",
                    why, (int)err, (unsigned long long)r->offset);
    return fail(r, DEMO_ROWS_E_UNREADABLE);
}

static tn_err fail_garbage(struct reader *r)
{
    (void)fmt_print(r->problem, PROBLEM_MAX,
                    "line %llu: %s; %llu of %llu lines are no rows of a time and a value",
                    (unsigned long long)r->bad_line, r->bad_reason, (unsigned long long)r->skipped,
                    (unsigned long long)r->lines);
    return fail(r, DEMO_ROWS_E_GARBAGE);
}

static tn_err fail_empty(struct reader *r)
{
    (void)fmt_print(r->problem, PROBLEM_MAX, "%s; rows are a time and a value, such as %s",
                    r->lines == 0    ? "the file is empty"
                    : r->header_seen ? "the file has a header and no rows"
                                     : "the file has no rows",
                    "2014-03-07 03:41:00,45.868");
    return fail(r, DEMO_ROWS_E_EMPTY);
}

static bool has_letter(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((at[i] >= 'a' && at[i] <= 'z') || (at[i] >= 'A' && at[i] <= 'Z'))
            return true;
    return false;
}

static bool is_blank(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (at[i] != ' ' && at[i] != '\t' && at[i] != '\r')
            return false;
    return true;
}

static void skip_line(struct reader *r, const char *reason)
{
    if (r->skipped++ == 0) {
        r->bad_line = r->lines;
        (void)fmt_print(r->bad_reason, sizeof(r->bad_reason), "%s", reason);
    }
}

/* What is out of order is a row all the same: who reads decides what to do with it. */
static void take_row(struct reader *r, const struct row *row)
{
    if (r->rows > 0 && row->time_ms <= r->latest_ms) {
        if (r->disordered++ == 0)
            r->disordered_line = r->lines;
    } else {
        r->latest_ms = row->time_ms;
    }
    r->times[r->nrows] = row->time_ms;
    r->values[r->nrows++] = row->value;
    r->rows++;
}

/* One whole line; `at` has no line end. */
static void take_line(struct reader *r, const char *at, size_t len)
{
    char reason[READER_REASON_MAX];
    struct row row;
    r->lines++;
    if (r->too_long) {
        (void)fmt_print(reason, sizeof(reason), "it is longer than %u bytes",
                        (unsigned)READER_LINE_MAX);
        skip_line(r, reason);
        return;
    }
    if (r->lines == 1 && len >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) {
        at += 3; /* the mark that some programs begin UTF-8 with */
        len -= 3;
    }
    if (is_blank(at, len))
        return;
    if (reader_row(at, len, &row, reason) == TN_OK) {
        take_row(r, &row);
    } else if (!r->header_seen && r->rows == 0 && r->skipped == 0 && has_letter(at, len)) {
        r->header_seen = true;
    } else {
        skip_line(r, reason);
    }
}

static void carry(struct reader *r, const char *at, size_t len)
{
    if (len > READER_LINE_MAX - r->carried)
        r->too_long = true;
    if (r->too_long)
        return;
    memcpy(r->carry + r->carried, at, len);
    r->carried += (uint32_t)len;
}

static void end_line(struct reader *r, const char *at, size_t len)
{
    if (r->carried > 0 || r->too_long) {
        carry(r, at, len);
        at = r->carry;
        len = r->carried;
    } else if (len > READER_LINE_MAX) {
        r->too_long = true;
    }
    take_line(r, at, len);
    r->carried = 0;
    r->too_long = false;
}

/* Lines of the piece, until it or the room for rows ends. */
static void take_lines(struct reader *r, uint32_t max)
{
    while (r->at < r->len && r->nrows < max) {
        const char *from = (const char *)r->piece + r->at;
        uint32_t rest = r->len - r->at, n = 0;
        while (n < rest && from[n] != '\n')
            n++;
        if (n == rest) {
            carry(r, from, n);
            r->at = r->len;
            return;
        }
        end_line(r, from, n);
        r->at += n + 1;
    }
}

static tn_err fetch(struct reader *r)
{
    struct tenon_file_read_reply reply;
    tn_err err = tenon_file_read(r->file, r->offset, PIECE_BYTES, &reply, r->room, sizeof(r->room),
                                 TN_NEVER);
    if (err != TN_OK)
        return fail_unreadable(r, err);
    if (reply.data.len == 0) {
        if (r->carried > 0 || r->too_long)
            end_line(r, "", 0);
        r->state = ENDED;
        return TN_OK;
    }
    r->piece = reply.data.at;
    r->at = 0;
    r->len = reply.data.len;
    r->offset += reply.data.len;
    return TN_OK;
}

static bool too_much_garbage(const struct reader *r)
{
    return r->skipped > SKIP_FREE &&
           r->skipped * 100 > (r->rows + r->skipped) * (uint64_t)SKIP_PERCENT;
}

static tn_err reader_next(struct reader *r, const struct tn_pack *in, struct tn_pack *out)
{
    struct demo_rows_next_args args;
    tn_err err = demo_rows_next_args_decode(in, &args);
    if (err != TN_OK)
        return err;
    if (r->state == FAILED)
        return r->err;
    uint32_t max = args.max == 0 || args.max > DEMO_ROWS_ROWS_MAX ? DEMO_ROWS_ROWS_MAX : args.max;
    uint32_t fit = out->size < 64 ? 0 : (out->size - 32) / 16;
    if (fit == 0)
        return TN_ETOOBIG;
    if (max > fit)
        max = fit;
    uint64_t from = r->offset;
    r->nrows = 0;
    while (r->state == READING && r->nrows < max) {
        take_lines(r, max);
        if (too_much_garbage(r))
            return fail_garbage(r);
        if (r->at == r->len && r->nrows > 0 && r->offset - from >= ANSWER_BYTES)
            break;
        if (r->at == r->len && r->nrows < max) {
            err = fetch(r);
            if (err != TN_OK)
                return err;
        }
    }
    if (r->state == ENDED && r->rows == 0)
        return r->skipped > 0 ? fail_garbage(r) : fail_empty(r);
    struct demo_rows_next_reply reply = {.times_ms = {r->times, r->nrows},
                                         .values = {r->values, r->nrows}};
    return demo_rows_next_reply_encode(&reply, out);
}

static tn_err reader_about(const struct reader *r, struct tn_pack *out)
{
    struct demo_rows_about_reply reply = {
        .lines = r->lines,
        .rows = r->rows,
        .skipped = r->skipped,
        .bytes = r->offset,
        .bad_line = r->bad_line,
        .bad_reason = {r->bad_reason, (uint32_t)str_length(r->bad_reason)},
        .problem = {r->problem, (uint32_t)str_length(r->problem)},
        .disordered = r->disordered,
        .disordered_line = r->disordered_line,
    };
    return demo_rows_about_reply_encode(&reply, out);
}

static tn_err reader_start(void *self, const struct tn_turn *turn)
{
    (void)turn;
    struct reader *r = self;
    return tn_need("file", 4, &r->file);
}

static tn_err reader_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    struct reader *r = self;
    switch (turn->method) {
    case DEMO_ROWS_NEXT:
        return reader_next(r, in, out);
    case DEMO_ROWS_REWIND:
        reader_rewind(r);
        return TN_OK;
    case DEMO_ROWS_ABOUT:
        return reader_about(r, out);
    default:
        return TN_EMETHOD;
    }
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct reader),
    .state_version = 1,
    .start = reader_start,
    .call = reader_call,
};
