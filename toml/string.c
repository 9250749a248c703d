/* string.c: strings in quotes, of one line and of several, unescaped into the arena. */
#include "base/utf8.h"
#include "toml/toml_int.h"

/* One string while it is read. */
struct quoted {
    char quote;
    bool lines; /* three quotes: may span lines */
    struct toml_pos from;
};

static const char *kind_of(const struct quoted *q)
{
    if (q->lines)
        return q->quote == '"' ? "a string in \"\"\"" : "a string in '''";
    return q->quote == '"' ? "a string in \"" : "a string in '";
}

static int hex_digit(int c)
{
    if (toml_is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The cursor is at the u or U. */
static bool read_unicode_escape(struct toml_parser *p)
{
    static const char hint[] = "\\u takes 4 hexadecimal digits, \\U takes 8";
    uint32_t want = *p->at == 'u' ? 4 : 8;
    struct toml_pos from = toml_here(p);
    uint32_t scalar = 0;
    p->at++;
    for (uint32_t i = 0; i < want; i++, p->at++) {
        int digit = hex_digit(toml_peek(p));
        if (digit < 0)
            return toml_expected(p, "a hexadecimal digit", hint);
        scalar = scalar << 4 | (uint32_t)digit;
    }
    uint8_t bytes[4];
    uint32_t n = utf8_put(scalar, bytes);
    if (n == 0)
        return toml_fail(p, from, TN_EFORMAT,
                         "characters are U+0000 to U+D7FF and U+E000 to U+10FFFF",
                         "the escape does not name a Unicode character");
    return toml_append(p, (const char *)bytes, n);
}

/* A backslash that ends its line: it and all blanks and line ends after it count for nothing. False
 * when the line goes on, with nothing read. */
static bool skip_line_continuation(struct toml_parser *p)
{
    size_t n = 1;
    while (toml_peek_at(p, n) == ' ' || toml_peek_at(p, n) == '\t')
        n++;
    int c = toml_peek_at(p, n);
    if (c != '\n' && !(c == '\r' && toml_peek_at(p, n + 1) == '\n'))
        return false;
    p->at += n;
    do
        toml_skip_blanks(p);
    while (toml_skip_newline(p));
    return true;
}

/* The cursor is at the backslash. */
static bool read_escape(struct toml_parser *p, const struct quoted *q)
{
    if (q->lines && skip_line_continuation(p))
        return true;
    static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
    p->at++;
    int c = toml_peek(p);
    if (c == 'u' || c == 'U')
        return read_unicode_escape(p);
    for (size_t i = 0; i < sizeof(from) - 1; i++) {
        if (c == from[i]) {
            p->at++;
            return toml_append(p, &to[i], 1);
        }
    }
    return toml_expected(p, "an escape: one of b t n f r \" \\ u U after the backslash",
                         "write \\\\ for a backslash, or put the string in ' quotes");
}

/* What may stand in the string for itself, but for quotes, backslashes and line ends. */
static bool is_plain(const struct quoted *q, int c)
{
    if (c == q->quote || (c == '\\' && q->quote == '"'))
        return false;
    return c == '\t' || (c >= 0x20 && c != 0x7f);
}

static bool fail_open(struct toml_parser *p, const struct quoted *q)
{
    bool ends = toml_ended(p) || toml_newline_bytes(p) > 0;
    if (!ends)
        return toml_fail(p, toml_here(p), TN_EFORMAT,
                         q->quote == '"' ? "write it as an escape, such as \\u001B"
                                         : "put the string in \" quotes and write it as an escape",
                         "%f may not stand in %s", kind_of(q));
    return toml_fail(p, toml_here(p), TN_EFORMAT,
                     q->lines ? "close it with the same three quotes"
                              : "close it on the same line, or use three quotes for several lines",
                     "%s that opens at line %u, column %u is not closed: found %f", kind_of(q),
                     q->from.line, q->from.column);
}

/* A run of quotes inside of or at the end of a string of several lines: three close it, one or two
 * before those, or alone, belong to it. *ret_closed says which. */
static bool read_quote_run(struct toml_parser *p, const struct quoted *q, bool *ret_closed)
{
    size_t n = 0;
    while (n < 5 && toml_peek_at(p, n) == q->quote)
        n++;
    size_t inside = n < 3 ? n : n - 3;
    if (!toml_append(p, p->at, inside))
        return false;
    p->at += n;
    *ret_closed = n >= 3;
    return true;
}

/* The cursor is after the opening quotes; ends after the closing ones. */
static bool read_inside(struct toml_parser *p, const struct quoted *q)
{
    for (;;) {
        const char *run = p->at;
        while (is_plain(q, toml_peek(p)))
            p->at++;
        if (!toml_append(p, run, (size_t)(p->at - run)))
            return false;
        int c = toml_peek(p);
        size_t newline = q->lines ? toml_newline_bytes(p) : 0;
        if (newline > 0) {
            if (!toml_append(p, p->at, newline))
                return false;
            toml_skip_newline(p);
        } else if (c == '\\' && q->quote == '"') {
            if (!read_escape(p, q))
                return false;
        } else if (c != q->quote) {
            return fail_open(p, q);
        } else if (!q->lines) {
            p->at++;
            return true;
        } else {
            bool closed = false;
            if (!read_quote_run(p, q, &closed))
                return false;
            if (closed)
                return true;
        }
    }
}

static bool read_quoted(struct toml_parser *p, struct quoted *q, struct str *ret_string)
{
    q->from = toml_here(p);
    p->at += q->lines ? 3 : 1;
    if (q->lines)
        toml_skip_newline(p);
    size_t from = p->arena->used;
    if (!read_inside(p, q)) {
        /* Where such a string ends is anybody's guess. */
        p->stop |= q->lines;
        return false;
    }
    *ret_string = (struct str){(const char *)p->arena->at + from, p->arena->used - from};
    return true;
}

bool toml_read_string(struct toml_parser *p, struct str *ret_string)
{
    struct quoted q = {.quote = *p->at};
    q.lines = toml_peek_at(p, 1) == q.quote && toml_peek_at(p, 2) == q.quote;
    return read_quoted(p, &q, ret_string);
}

bool toml_read_line_string(struct toml_parser *p, struct str *ret_string)
{
    struct quoted q = {.quote = *p->at};
    return read_quoted(p, &q, ret_string);
}
