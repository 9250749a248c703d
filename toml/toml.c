/* toml.c: the TOML 1.0.0 reader: the cursor, and the document line by line.
 *
 * Purpose. Text that somebody else wrote becomes a tree in the caller's arena, or errors that a
 * person can act on. toml.c reads lines, key.c finds the place of a key in the tree, value.c reads
 * what belongs there with string.c, number.c (decimal.c) and datetime.c, table.c holds the tree,
 * report.c the errors.
 *
 * Invariants.
 * 1. The text is UTF-8 before the first line is read, so that only ASCII needs to be looked at.
 * 2. The cursor only moves forward, and no byte is looked at more than a bounded number of times:
 *    looking ahead ends within the word at the cursor, columns are counted on from `mark`, a key
 *    is compared with at most one other, found by its own bits.
 * 3. The C stack is bounded: open arrays and inline tables are in `open`, parts of a key in `path`.
 * 4. A table is closed to a definition that TOML forbids by its origin and section:
 *      origin      [header] of itself   deeper [header]   dotted keys
 *      by path     once, by header      yes               yes, by dots then
 *      by header   no                   yes               only directly under it
 *      by dots     no                   yes               under the same header only
 *      inline      no                   no                inside of its braces only
 *    `section` names the header, or the braces, under which dotted keys made a table.
 * 5. When an error was reported no tree is handed out, so what is half made is never seen.
 *
 * After an error. An expression (a header, or a key with its value) either succeeds or fails,
 * which is reported unless it is only the consequence of an error before. If no array or inline
 * table is open and `stop` is not set, the next line begins a new expression (recover). A header
 * that fails makes a table outside of the tree current, so that its keys collide with nothing. A
 * key that may not be defined gets a slot outside of the tree. */
#include "base/assert.h"
#include "base/utf8.h"
#include "toml/toml_int.h"

struct toml_pos toml_here(struct toml_parser *p)
{
    for (; p->mark < p->at; p->mark++) {
        if ((*p->mark & 0xc0) != 0x80)
            p->mark_column++;
    }
    return (struct toml_pos){p->line, p->mark_column};
}

size_t toml_newline_bytes(const struct toml_parser *p)
{
    int c = toml_peek(p);
    if (c == '\n')
        return 1;
    return c == '\r' && toml_peek_at(p, 1) == '\n' ? 2 : 0;
}

bool toml_skip_newline(struct toml_parser *p)
{
    size_t n = toml_newline_bytes(p);
    if (n == 0)
        return false;
    p->at += n;
    p->line++;
    p->mark = p->at;
    p->mark_column = 1;
    return true;
}

void toml_skip_rest(struct toml_parser *p)
{
    while (!toml_ended(p) && toml_newline_bytes(p) == 0)
        p->at++;
}

void toml_skip_blanks(struct toml_parser *p)
{
    while (toml_peek(p) == ' ' || toml_peek(p) == '\t')
        p->at++;
}

/* Past the comment at the cursor, if there is one, to the end of the line. */
static bool skip_comment(struct toml_parser *p)
{
    if (toml_peek(p) != '#')
        return true;
    for (; !toml_ended(p) && toml_newline_bytes(p) == 0; p->at++) {
        int c = toml_peek(p);
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return toml_fail(p, toml_here(p), TN_EFORMAT, "remove it",
                             "%f may not stand in a comment");
    }
    return true;
}

bool toml_skip_lines(struct toml_parser *p)
{
    do {
        toml_skip_blanks(p);
        if (!skip_comment(p))
            return false;
    } while (toml_skip_newline(p));
    return true;
}

/* What may follow an expression: blanks, a comment, the line's end. */
static bool read_line_end(struct toml_parser *p)
{
    toml_skip_blanks(p);
    if (!skip_comment(p))
        return false;
    if (!toml_ended(p) && !toml_skip_newline(p))
        return toml_expected(p, "the end of the line", "begin a new line for the next key");
    return true;
}

/* The cursor is at the '['. */
static bool read_header(struct toml_parser *p)
{
    bool element = toml_peek_at(p, 1) == '[';
    p->at += element ? 2 : 1;
    toml_skip_blanks(p);
    if (!toml_read_path(p))
        return false;
    if (toml_peek(p) != ']' || (element && toml_peek_at(p, 1) != ']'))
        return toml_expected(p, element ? "']]' after the key" : "']' after the key",
                             element ? "a header of an array element is [[key]]"
                                     : "a header is [key]; dots separate parts");
    p->at += element ? 2 : 1;
    return toml_place_header(p, element);
}

static bool read_expression(struct toml_parser *p)
{
    int c = toml_peek(p);
    if (c == '[') {
        if (!read_header(p)) {
            if (!p->stop)
                p->current = toml_new_table(p, TOML_BY_HEADER, 0);
            return false;
        }
    } else if (c != '#' && !toml_ended(p) && toml_newline_bytes(p) == 0) {
        struct toml_slot slot;
        if (!toml_read_key(p) || !toml_place_value(p, p->current, &slot) ||
            !toml_read_value(p, slot))
            return false;
    }
    return read_line_end(p);
}

/* To the next line, unless that may be the middle of something. */
static void recover(struct toml_parser *p)
{
    if (p->opens > 0)
        p->stop = true;
    toml_skip_rest(p);
    toml_skip_newline(p);
}

static void read_document(struct toml_parser *p)
{
    while (!p->stop && !toml_ended(p)) {
        p->opens = 0;
        toml_skip_blanks(p);
        if (!read_expression(p)) {
            ASSERT(p->errors->count > 0);
            recover(p);
        }
    }
}

/* Puts the cursor at the first byte that is not UTF-8, if there is one, and reports it. */
static bool check_encoding(struct toml_parser *p)
{
    size_t len = (size_t)(p->end - p->at);
    size_t good = utf8_valid_prefix((const uint8_t *)p->at, len);
    if (good == len)
        return true;
    const char *bad = p->at + good;
    uint32_t byte = (uint8_t)*bad;
    const char *hint = "save it as UTF-8";
    if (good == 0 && (byte == 0xfe || byte == 0xff))
        hint = "it looks like UTF-16: save it as UTF-8";
    while (p->at < bad) {
        if (!toml_skip_newline(p))
            p->at++;
    }
    return toml_fail(p, toml_here(p), TN_EFORMAT, hint,
                     "the document is not UTF-8: found the byte 0x%b", byte);
}

static void begin(struct toml_parser *p, const char *text, size_t len)
{
    p->errors->count = 0;
    p->at = p->mark = p->end = len > 0 ? text : "";
    p->end += len;
    p->line = p->mark_column = 1;
    if (len > TOML_MAX_DOCUMENT_BYTES) {
        toml_fail(p, toml_here(p), TN_ETOOBIG, "split it",
                  "the document has more than %u bytes (TOML_MAX_DOCUMENT_BYTES)",
                  (uint32_t)TOML_MAX_DOCUMENT_BYTES);
        return;
    }
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        p->at = p->mark = text + 3;
    if (check_encoding(p))
        p->root = p->current = toml_new_table(p, TOML_BY_HEADER, 0);
}

tn_err toml_parse(struct toml_arena *arena, const char *text, size_t len,
                  const struct toml_table **ret_root, struct toml_errors *ret_errors)
{
    ASSERT(arena->used <= arena->bytes);
    size_t used_before = arena->used;
    struct toml_parser p;
    memset(&p, 0, offsetof(struct toml_parser, path));
    p.parts = p.opens = 0;
    p.arena = arena;
    p.errors = ret_errors;
    begin(&p, text, len);
    if (ret_errors->count == 0)
        read_document(&p);
    if (ret_errors->count > 0) {
        arena->used = used_before;
        return ret_errors->at[0].err;
    }
    *ret_root = p.root;
    return TN_OK;
}
