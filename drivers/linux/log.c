/* log.c: lines for people on standard error (tenon.log).
 *
 * A line is "[seconds since boot] NAME LEVEL: TEXT", or "[...] (N lines lost) NAME ...". Who wrote
 * it is found by the badge, which the sender cannot choose, so a line's beginning is true whatever
 * its text says.
 *
 * Invariants:
 * 1. One line of a component is one line on the terminal: every control character (C0, DEL, C1),
 *    what reorders text (the bidirectional controls) and what ends lines (U+2028, U+2029) is shown
 *    escaped, as \n, \t, \xNN or \u{N}; a backslash is shown doubled; bytes that are not UTF-8 as
 *    \xNN. No text can forge a line, move the cursor or hide another.
 * 2. A line is written whole with one write where the system takes it whole.
 * 3. What could not be written is counted, and the next line that can be says how many were lost.
 * 4. There is no limit of rate; lines and bytes are counted. Only progress is passed over where it
 *    cannot be written over: off a terminal each writer's is shown once in LOG_PROGRESS_NS; and,
 *    for who wants quiet, all that is no error. */
#include "drivers/linux/log.h"

#include <errno.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/utf8.h"
#include "drivers/linux/drivers.h"
#include "interfaces/tenon_log.h"

static tn_err log_load(void *self, const struct tn_turn *turn, const struct tn_pack *config)
{
    struct log *log = self;
    struct tn_grants grants;
    struct tn_grant grant;
    (void)turn;
    log->terminal = isatty(STDERR_FILENO) == 1;
    tn_err e = tn_grants_open(config, &grants);
    while (e == TN_OK && (e = tn_grants_next(&grants, &grant)) == TN_OK) {
        if (grant.kind != TN_GRANT_NAME || grant.text_len == 0 || grant.text_len > TN_NAME_MAX)
            return TN_EARGS;
        if (log->nwriters == LOG_WRITERS_MAX)
            return TN_ELIMIT;
        struct log_writer *writer = &log->writers[log->nwriters++];
        writer->badge = grant.badge;
        __builtin_memcpy(writer->name, grant.text, grant.text_len);
        writer->name[grant.text_len] = '\0';
    }
    return e == TN_ENOTFOUND ? TN_OK : e;
}

static tn_err log_load_errors(void *self, const struct tn_turn *turn, const struct tn_pack *config)
{
    struct log *log = self;
    log->errors_only = true;
    return log_load(self, turn, config);
}

/* Whether a scalar value would do something to a terminal besides appearing. */
static bool acts(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || (c >= 0x200e && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* Appends `text`, escaped; returns the new length. The line has room for any text. */
static size_t add_escaped(struct log *log, size_t used, struct tn_text text)
{
    const uint8_t *at = (const uint8_t *)text.at;
    size_t size = sizeof(log->line);
    for (uint32_t i = 0; i < text.len;) {
        uint32_t c = 0, n = utf8_decode(at + i, text.len - i, &c);
        if (n == 0 || (c < 0x80 && acts(c) && c != '\n' && c != '\t'))
            used = fmt_add(log->line, size, used, "\\x%02x", at[i]);
        else if (c == '\n' || c == '\t' || c == '\\')
            used = fmt_add(log->line, size, used, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : '\\');
        else if (acts(c))
            used = fmt_add(log->line, size, used, "\\u{%x}", c);
        else
            used = fmt_add(log->line, size, used, "%.*s", (int)n, text.at + i);
        i += n > 0 ? n : 1;
    }
    return used;
}

static bool write_line(const char *at, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* NULL: a badge without a grant. */
static struct log_writer *writer_of(struct log *log, uint64_t badge)
{
    for (uint32_t i = 0; i < log->nwriters; i++) {
        if (log->writers[i].badge == badge)
            return &log->writers[i];
    }
    return NULL;
}

/* Is it not wanted, or progress that follows too soon on what a file or a pipe has already? */
static bool passed_over(struct log *log, const struct tn_turn *turn, uint8_t level)
{
    struct log_writer *writer = writer_of(log, turn->badge);
    if (log->errors_only && (level < TENON_LOG_ERROR || level == TENON_LOG_PROGRESS))
        return true;
    if (level != TENON_LOG_PROGRESS || log->terminal || writer == NULL)
        return false;
    if (turn->now < writer->progress_from)
        return true;
    writer->progress_from = turn->now + LOG_PROGRESS_NS;
    return false;
}

static size_t add_head(struct log *log, const struct tn_turn *turn, uint8_t level)
{
    static const char levels[][9] = {"debug", "info", "warning", "error", "progress"};
    size_t size = sizeof(log->line);
    uint64_t us = turn->now / 1000;
    size_t used = fmt_print(log->line, size, "%s[%5llu.%06llu] ", log->terminal ? "\x1b[K" : "",
                            (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000));
    if (log->lost_since > 0)
        used = fmt_add(log->line, size, used, "(%llu lines lost) ",
                       (unsigned long long)log->lost_since);
    const struct log_writer *writer = writer_of(log, turn->badge);
    if (writer != NULL)
        used = add_escaped(log, used,
                           (struct tn_text){writer->name, (uint32_t)str_length(writer->name)});
    else
        used = fmt_add(log->line, size, used, "badge-%llx", (unsigned long long)turn->badge);
    return fmt_add(log->line, size, used,
                   " %s: ", levels[level <= TENON_LOG_PROGRESS ? level : TENON_LOG_ERROR]);
}

static tn_err log_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                       struct tn_pack *out)
{
    struct log *log = self;
    struct tenon_log_write_args args;
    if (turn->method != TENON_LOG_WRITE)
        return TN_EMETHOD;
    tn_err e = tenon_log_write_args_decode(in, &args);
    if (e != TN_OK)
        return e;
    if (out != NULL)
        out->len = 0;
    if (passed_over(log, turn, args.level))
        return TN_OK;
    /* Progress on a terminal is one line that is written over; whoever writes next clears it. */
    bool over = args.level == TENON_LOG_PROGRESS && log->terminal;
    size_t used = add_head(log, turn, args.level);
    used = add_escaped(log, used, args.text);
    used = fmt_add(log->line, sizeof(log->line), used, over ? "\x1b[K\r" : "\n");
    if (write_line(log->line, used)) {
        log->lines++;
        log->bytes += used;
        log->lost_since = 0;
    } else {
        log->lost++;
        log->lost_since++;
    }
    return TN_OK;
}

/* A line is sent oneway: nobody waits to hear that its arguments were wrong. */
static void log_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)log_call(self, turn, in, NULL);
}

const struct tn_component driver_linux_log = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct log),
    .load = log_load,
    .call = log_call,
    .event = log_event,
};

const struct tn_component driver_linux_log_errors = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct log),
    .load = log_load_errors,
    .call = log_call,
    .event = log_event,
};
