/* row.c: a line as a row: the first two fields, apart by comma, semicolon or tab. */
#include "base/fmt.h"
#include "components/reader/reader_int.h"
#include "sdk/fmt.h"
#include "sdk/math.h"
#include "sdk/mem.h"

enum { SHOWN = 40 }; /* bytes of a field that a reason quotes */

static bool is_space(char c)
{
    return c == ' ' || c == '\r';
}

static struct str trimmed(struct str s)
{
    while (s.len > 0 && is_space(s.at[s.len - 1]))
        s.len--;
    while (s.len > 0 && is_space(s.at[0])) {
        s.at++;
        s.len--;
    }
    return s;
}

/* Takes a field off `rest`. *mark is what divides fields, 0 until it is known. false: a quotation
 * mark is missing. *ret_more: something divides it from another field. */
static bool take_field(struct str *rest, char *mark, struct str *ret, bool *ret_more)
{
    struct str s = trimmed(*rest), field;
    size_t i = 0, from = 0;
    bool quoted = s.len > 0 && s.at[0] == '"';
    if (quoted) {
        for (from = i = 1; i < s.len && s.at[i] != '"'; i++)
            ;
        if (i == s.len)
            return false;
    }
    field = (struct str){s.at + from, i - from};
    i += quoted;
    for (; i < s.len; i++) {
        char c = s.at[i];
        if (*mark == 0 && (c == ',' || c == ';' || c == '\t'))
            *mark = c;
        if (*mark != 0 && c == *mark)
            break;
    }
    if (!quoted)
        field.len = i;
    *ret = trimmed(field);
    *ret_more = i < s.len;
    *rest = i < s.len ? (struct str){s.at + i + 1, s.len - i - 1} : (struct str){s.at + i, 0};
    return true;
}

/* What of a field can be shown. */
static int printable(struct str s, char at[SHOWN + 1])
{
    size_t n = 0;
    for (; n < s.len && n < SHOWN; n++)
        at[n] = s.at[n] >= ' ' && s.at[n] <= '~' ? s.at[n] : '?';
    at[n] = '\0';
    return (int)n;
}

static tn_err wrong(char reason[READER_REASON_MAX], struct str field, const char *why)
{
    char shown[SHOWN + 1];
    int n = printable(field, shown);
    if (field.len == 0)
        (void)fmt_print(reason, READER_REASON_MAX, "%s", why);
    else
        (void)fmt_print(reason, READER_REASON_MAX, "'%.*s%s' %s", n, shown,
                        field.len > SHOWN ? "..." : "", why);
    return TN_EFORMAT;
}

/* In files whose fields a semicolon divides, a comma may stand for the point. */
static tn_err parse_value(struct str field, char mark, double *ret)
{
    char copy[64];
    if (mark != ';' || field.len >= sizeof(copy))
        return sdk_parse_f64(field.at, field.len, ret);
    for (size_t i = 0; i < field.len; i++)
        copy[i] = field.at[i] == ',' ? '.' : field.at[i];
    return sdk_parse_f64(copy, field.len, ret);
}

tn_err reader_row(const char *at, size_t len, struct row *ret_row,
                  char ret_reason[READER_REASON_MAX])
{
    struct str rest = {at, len}, time, value;
    char mark = 0;
    bool more;
    struct row row;
    if (!take_field(&rest, &mark, &time, &more))
        return wrong(ret_reason, trimmed(rest), "lacks a closing quotation mark");
    if (!more)
        return wrong(ret_reason, time,
                     "is one field; a row has a time and a value, divided by , ; or tab");
    if (!take_field(&rest, &mark, &value, &more))
        return wrong(ret_reason, trimmed(rest), "lacks a closing quotation mark");
    if (!reader_time(time.at, time.len, &row.time_ms))
        return wrong(ret_reason, time, time.len == 0 ? "the time is missing" : "is not a time");
    if (value.len == 0)
        return wrong(ret_reason, value, "the value is missing");
    tn_err err = parse_value(value, mark, &row.value);
    if (err == TN_ELIMIT)
        return wrong(ret_reason, value, "is too large for a value");
    if (err != TN_OK)
        return wrong(ret_reason, value, "is not a number");
    if (!sdk_isfinite(row.value))
        return wrong(ret_reason, value, "is not a finite number");
    *ret_row = row;
    return TN_OK;
}
