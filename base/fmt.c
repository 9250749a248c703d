/* fmt.c: bounded formatting.
 *
 * One pass over the format. Every byte goes through put(), which counts all and keeps those that
 * fit, so the length is right whether or not the text is. Invariant: `len` is the length of the
 * whole text so far; at[0 .. min(len, size - 1)) holds its beginning. */
#include "base/fmt.h"

#include <stdbool.h>
#include <stdint.h>

struct out {
    char *at;
    size_t size, len;
};

struct spec { /* one conversion */
    bool left, zero;
    size_t width, precision;
    bool has_precision;
    enum { SIZE_CHAR, SIZE_SHORT, SIZE_INT, SIZE_LONG, SIZE_LONGLONG, SIZE_SIZE, SIZE_MAX_T } size;
};

static void put(struct out *o, char c)
{
    if (o->len + 1 < o->size)
        o->at[o->len] = c;
    o->len++;
}

static void put_run(struct out *o, char c, size_t n)
{
    while (n-- > 0)
        put(o, c);
}

/* `body` with its sign or nothing in front, in the spec's width. */
static void put_padded(struct out *o, const struct spec *s, const char *sign, const char *body,
                       size_t len, size_t zeros)
{
    size_t sign_len = sign[0] != '\0', whole = sign_len + zeros + len;
    size_t pad = s->width > whole ? s->width - whole : 0;
    if (!s->left)
        put_run(o, ' ', pad);
    if (sign_len > 0)
        put(o, sign[0]);
    put_run(o, '0', zeros);
    for (size_t i = 0; i < len; i++)
        put(o, body[i]);
    if (s->left)
        put_run(o, ' ', pad);
}

static void put_number(struct out *o, const struct spec *s, const char *sign, uint64_t x,
                       uint32_t base, const char *digits)
{
    char body[20];
    size_t len = 0;
    for (uint64_t rest = x; rest > 0; rest /= base)
        body[sizeof(body) - ++len] = digits[rest % base];
    size_t least = s->has_precision ? s->precision : 1;
    if (!s->has_precision && s->zero && !s->left && s->width > (sign[0] != '\0'))
        least = s->width - (sign[0] != '\0');
    put_padded(o, s, sign, body + sizeof(body) - len, len, least > len ? least - len : 0);
}

static void put_text(struct out *o, const struct spec *s, const char *text)
{
    if (text == NULL)
        text = "(null)";
    size_t len = 0;
    while ((!s->has_precision || len < s->precision) && text[len] != '\0')
        len++;
    put_padded(o, s, "", text, len, 0);
}

static int64_t take_signed(const struct spec *s, va_list *args)
{
    switch (s->size) {
    case SIZE_LONG:
        return va_arg(*args, long);
    case SIZE_LONGLONG:
        return va_arg(*args, long long);
    case SIZE_SIZE:
        return va_arg(*args, ptrdiff_t);
    case SIZE_MAX_T:
        return va_arg(*args, intmax_t);
    case SIZE_CHAR:
        return (signed char)va_arg(*args, int);
    case SIZE_SHORT:
        return (short)va_arg(*args, int);
    default:
        return va_arg(*args, int);
    }
}

static uint64_t take_unsigned(const struct spec *s, va_list *args)
{
    switch (s->size) {
    case SIZE_LONG:
        return va_arg(*args, unsigned long);
    case SIZE_LONGLONG:
        return va_arg(*args, unsigned long long);
    case SIZE_SIZE:
        return va_arg(*args, size_t);
    case SIZE_MAX_T:
        return va_arg(*args, uintmax_t);
    case SIZE_CHAR:
        return (unsigned char)va_arg(*args, unsigned);
    case SIZE_SHORT:
        return (unsigned short)va_arg(*args, unsigned);
    default:
        return va_arg(*args, unsigned);
    }
}

/* A number or *; a negative * is 0 for a width and none for a precision. */
static const char *take_count(const char *f, va_list *args, size_t *ret_count, bool *ret_negative)
{
    size_t count = 0;
    *ret_negative = false;
    if (*f == '*') {
        int n = va_arg(*args, int);
        *ret_negative = n < 0;
        *ret_count = n < 0 ? 0u - (size_t)n : (size_t)n;
        return f + 1;
    }
    for (; *f >= '0' && *f <= '9'; f++)
        count = count * 10 + (size_t)(*f - '0');
    *ret_count = count;
    return f;
}

static const char *take_size(const char *f, struct spec *s)
{
    s->size = SIZE_INT;
    if (*f == 'h') {
        s->size = f[1] == 'h' ? SIZE_CHAR : SIZE_SHORT;
        return f + (f[1] == 'h' ? 2 : 1);
    }
    if (*f == 'l') {
        s->size = f[1] == 'l' ? SIZE_LONGLONG : SIZE_LONG;
        return f + (f[1] == 'l' ? 2 : 1);
    }
    if (*f == 'z' || *f == 't')
        s->size = SIZE_SIZE;
    else if (*f == 'j')
        s->size = SIZE_MAX_T;
    else
        return f;
    return f + 1;
}

/* Flags, width, precision and length; returns where the conversion's letter is. */
static const char *take_spec(const char *f, va_list *args, struct spec *s)
{
    bool negative;
    *s = (struct spec){0};
    for (; *f == '-' || *f == '0'; f++) {
        s->left = s->left || *f == '-';
        s->zero = s->zero || *f == '0';
    }
    f = take_count(f, args, &s->width, &negative);
    s->left = s->left || negative;
    if (*f == '.') {
        f = take_count(f + 1, args, &s->precision, &negative);
        s->has_precision = !negative;
    }
    return take_size(f, s);
}

/* false: not a conversion that we have. */
static bool convert(struct out *o, const struct spec *s, char letter, va_list *args)
{
    char c;
    int64_t x;
    switch (letter) {
    case '%':
        put(o, '%');
        return true;
    case 'c':
        c = (char)va_arg(*args, int);
        put_padded(o, s, "", &c, 1, 0);
        return true;
    case 's':
        put_text(o, s, va_arg(*args, const char *));
        return true;
    case 'd':
    case 'i':
        x = take_signed(s, args);
        put_number(o, s, x < 0 ? "-" : "", x < 0 ? 0u - (uint64_t)x : (uint64_t)x, 10,
                   "0123456789");
        return true;
    case 'u':
        put_number(o, s, "", take_unsigned(s, args), 10, "0123456789");
        return true;
    case 'x':
    case 'X':
        put_number(o, s, "", take_unsigned(s, args), 16,
                   letter == 'x' ? "0123456789abcdef" : "0123456789ABCDEF");
        return true;
    default:
        return false;
    }
}

static size_t print(struct out *o, const char *format, va_list *args)
{
    bool known = true;
    for (const char *f = format; *f != '\0'; f++) {
        struct spec s;
        if (*f != '%' || !known) {
            put(o, *f);
            continue;
        }
        const char *letter = take_spec(f + 1, args, &s);
        known = convert(o, &s, *letter, args);
        if (known)
            f = letter;
        else
            put(o, *f);
    }
    if (o->size > 0)
        o->at[o->len < o->size ? o->len : o->size - 1] = '\0';
    return o->len;
}

size_t fmt_vprint(char *at, size_t size, const char *format, va_list args)
{
    struct out o = {at, size, 0};
    va_list copy; /* so that its address is a va_list * on every target */
    va_copy(copy, args);
    size_t len = print(&o, format, &copy);
    va_end(copy);
    return len;
}

size_t fmt_print(char *at, size_t size, const char *format, ...)
{
    struct out o = {at, size, 0};
    va_list args;
    va_start(args, format);
    size_t len = print(&o, format, &args);
    va_end(args);
    return len;
}

size_t fmt_add(char *at, size_t size, size_t used, const char *format, ...)
{
    struct out o = {at, size, used};
    va_list args;
    va_start(args, format);
    size_t len = print(&o, format, &args);
    va_end(args);
    return len;
}
