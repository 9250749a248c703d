/* number.c: integers in four bases, and floats. */
#include "toml/toml_int.h"

/* The digit's value, or 16 and more for what is none. */
static uint32_t digit_value(int c)
{
    if (toml_is_digit(c))
        return (uint32_t)(c - '0');
    int lower = c | 0x20;
    return c >= 'A' && lower >= 'a' && lower <= 'f' ? (uint32_t)(lower - 'a' + 10) : 16;
}

static bool fail_digit(struct toml_parser *p, uint32_t base)
{
    static const char *const names[17] = {[2] = "a binary digit",
                                          [8] = "an octal digit",
                                          [10] = "a digit",
                                          [16] = "a hexadecimal digit"};
    const char *hint = "text goes in quotes";
    if (toml_peek(p) == '_' || p->at[-1] == '_')
        hint = "an underscore stands between two digits";
    else if (toml_peek(p) == '.' || p->at[-1] == '.')
        hint = "a point stands between two digits";
    return toml_expected(p, names[base], hint);
}

/* Past digits of the base, with single underscores between them. The cursor is not at the first
 * character of the document. */
static bool skip_digits(struct toml_parser *p, uint32_t base)
{
    for (;;) {
        if (digit_value(toml_peek(p)) >= base)
            return fail_digit(p, base);
        while (digit_value(toml_peek(p)) < base)
            p->at++;
        if (toml_peek(p) != '_')
            return true;
        p->at++;
    }
}

static bool fail_range(struct toml_parser *p, struct toml_pos at, const char *hint)
{
    return toml_fail(p, at, TN_EFORMAT, hint, "the number does not fit in 64 bits");
}

static bool read_integer(struct toml_parser *p, struct str digits, uint32_t base, bool negative,
                         struct toml_pos at, struct toml_node *node)
{
    int64_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.at[i] == '_')
            continue;
        int64_t digit = digit_value(digits.at[i]);
        if (__builtin_mul_overflow(value, (int64_t)base, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return fail_range(p, at, "integers are -9223372036854775808 to 9223372036854775807");
    }
    node->type = TOML_INTEGER;
    node->integer = value;
    return true;
}

/* After 0x, 0o or 0b, which take no sign. */
static bool read_prefixed(struct toml_parser *p, uint32_t base, struct toml_pos at,
                          struct toml_node *node)
{
    p->at += 2;
    const char *from = p->at;
    if (!skip_digits(p, base))
        return false;
    return read_integer(p, (struct str){from, (size_t)(p->at - from)}, base, false, at, node);
}

static bool at_word(const struct toml_parser *p, const char *word)
{
    for (size_t i = 0; i < 3; i++) {
        if (toml_peek_at(p, i) != word[i])
            return false;
    }
    return true;
}

static void set_float(struct toml_node *node, double value, bool negative)
{
    node->type = TOML_FLOAT;
    node->number = negative ? -value : value;
}

/* The cursor is after the integer part, which began at `from`. */
static bool read_fraction(struct toml_parser *p, const char *from, bool negative,
                          struct toml_pos at, struct toml_node *node)
{
    if (toml_peek(p) == '.') {
        p->at++;
        if (!skip_digits(p, 10))
            return false;
    }
    int c = toml_peek(p);
    if (c == 'e' || c == 'E') {
        p->at++;
        c = toml_peek(p);
        if (c == '+' || c == '-')
            p->at++;
        if (!skip_digits(p, 10))
            return false;
    }
    double value = 0;
    if (!toml_decimal((struct str){from, (size_t)(p->at - from)}, &value))
        return fail_range(p, at, "floats are up to 1.7976931348623157e308; or write inf");
    set_float(node, value, negative);
    return true;
}

bool toml_read_number(struct toml_parser *p, struct toml_node *node)
{
    struct toml_pos at = toml_here(p);
    bool negative = toml_peek(p) == '-';
    bool sign = negative || toml_peek(p) == '+';
    if (sign)
        p->at++;
    if (at_word(p, "inf") || at_word(p, "nan")) {
        set_float(node, *p->at == 'i' ? __builtin_inf() : __builtin_nan(""), negative);
        p->at += 3;
        return true;
    }
    int next = toml_peek_at(p, 1);
    if (!sign && toml_peek(p) == '0') {
        uint32_t base = next == 'x' ? 16 : next == 'o' ? 8 : next == 'b' ? 2 : 0;
        if (base != 0)
            return read_prefixed(p, base, at, node);
    }
    if (toml_peek(p) == '0' && (toml_is_digit(next) || next == '_'))
        return toml_fail(p, at, TN_EFORMAT, "leave the zeros out; octal numbers begin with 0o",
                         "a number may not begin with 0");
    const char *from = p->at;
    if (!skip_digits(p, 10))
        return false;
    int c = toml_peek(p);
    if (c == '.' || c == 'e' || c == 'E')
        return read_fraction(p, from, negative, at, node);
    return read_integer(p, (struct str){from, (size_t)(p->at - from)}, 10, negative, at, node);
}
