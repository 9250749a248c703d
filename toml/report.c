/* report.c: what the reader says about a mistake: where, what was expected, what was found. */
#include <stdarg.h>

#include "base/utf8.h"
#include "toml/toml_int.h"

enum { MAX_SHOWN_CHARS = 40 };

/* A text that is cut rather than too long, and never inside of a character. */
struct text {
    char *at;
    size_t len, room; /* room leaves a byte for the terminator */
};

static void put(struct text *t, const char *at, size_t n)
{
    if (n > t->room - t->len) {
        t->room = t->len; /* what follows a cut is cut as well */
        return;
    }
    memcpy(t->at + t->len, at, n);
    t->len += n;
}

static void put_string(struct text *t, const char *z)
{
    put(t, z, str_length(z));
}

static void put_number(struct text *t, uint32_t value, uint32_t base, size_t least_digits)
{
    char digits[10];
    size_t i = sizeof(digits);
    do {
        digits[--i] = "0123456789ABCDEF"[value % base];
        value /= base;
    } while (value > 0 || sizeof(digits) - i < least_digits);
    put(t, digits + i, sizeof(digits) - i);
}

/* Characters that would not show, or would disturb what is around them. */
static bool is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

static void put_code(struct text *t, uint32_t c)
{
    put_string(t, "U+");
    put_number(t, c, 16, 4);
}

static void put_quoted(struct text *t, struct str s)
{
    put_string(t, "'");
    size_t i = 0;
    for (uint32_t shown = 0; i < s.len; shown++) {
        uint32_t c = 0;
        uint32_t n = utf8_decode((const uint8_t *)s.at + i, s.len - i, &c);
        if (n == 0 || shown == MAX_SHOWN_CHARS) {
            put_string(t, "...");
            break;
        }
        if (is_hidden(c)) {
            put_string(t, c < 0x10000 ? "\\u" : "\\U");
            put_number(t, c, 16, c < 0x10000 ? 4 : 8);
        } else {
            put(t, s.at + i, n);
        }
        i += n;
    }
    put_string(t, "'");
}

static void put_found(struct text *t, const struct toml_parser *p)
{
    uint32_t c = 0;
    uint32_t n = utf8_decode((const uint8_t *)p->at, (size_t)(p->end - p->at), &c);
    if (n == 0) {
        put_string(t, "the end of the document");
    } else if (toml_newline_bytes(p) > 0) {
        put_string(t, "the end of the line");
    } else if (is_hidden(c)) {
        put_string(t, c < 0xa0 ? "the control character " : "the invisible character ");
        put_code(t, c);
    } else {
        put_quoted(t, (struct str){p->at, n});
        if (n > 1) {
            put_string(t, " (");
            put_code(t, c);
            put_string(t, ")");
        }
    }
}

bool toml_fail(struct toml_parser *p, struct toml_pos at, tn_err err, const char *hint,
               const char *form, ...)
{
    if (p->errors->count == TOML_MAX_ERRORS) {
        p->stop = true;
        return false;
    }
    struct toml_error *e = &p->errors->at[p->errors->count++];
    e->err = err;
    e->at = at;
    e->hint = hint;
    struct text t = {e->text, 0, sizeof(e->text) - 1};
    va_list args;
    va_start(args, form);
    for (const char *f = form; *f != '\0'; f++) {
        if (*f != '%') {
            put(&t, f, 1);
            continue;
        }
        f++;
        if (*f == 's')
            put_string(&t, va_arg(args, const char *));
        else if (*f == 'u')
            put_number(&t, va_arg(args, uint32_t), 10, 1);
        else if (*f == 'b')
            put_number(&t, va_arg(args, uint32_t), 16, 2);
        else if (*f == 'k')
            put_quoted(&t, *va_arg(args, const struct str *));
        else
            put_found(&t, p);
    }
    va_end(args);
    e->text[t.len] = '\0';
    return false;
}

bool toml_expected(struct toml_parser *p, const char *what, const char *hint)
{
    return toml_fail(p, toml_here(p), TN_EFORMAT, hint, "expected %s, found %f", what);
}
