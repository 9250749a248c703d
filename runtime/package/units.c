/* units.c: sizes and times as people write them, exactly: whole numbers that fit in 64 bits, times
 * in 63. */
#include "base/bits.h"
#include "runtime/package/package_int.h"

const struct units size_units = {
    .what = "a size",
    .such_as = "\"4 MiB\"",
    .last = "bytes",
    .name = {"B", "KiB", "MiB", "GiB"},
    .factor = {1, 1u << 10, 1u << 20, 1u << 30},
    .n = 4,
    .bits = 64,
};

const struct units time_units = {
    .what = "a time",
    .such_as = "\"100 ms\"",
    .last = "nanoseconds",
    .name = {"ns", "us", "ms", "s", "min", "h"},
    .factor = {1, 1000, 1000000, 1000000000, 60000000000, 3600000000000},
    .n = 6,
    .bits = 63, /* a time from now on is a time still */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum amount_error amount_parse(const struct units *units, struct str text, uint64_t *ret,
                               struct str *ret_unit)
{
    size_t i = 0;
    bool negative = i < text.len && text.at[i] == '-';
    i += negative;
    size_t first = i;
    uint64_t value = 0;
    bool over = false;
    for (; i < text.len && is_digit(text.at[i]); i++)
        over = over || mul_overflows(value, 10, &value) ||
               add_overflows(value, (uint64_t)(text.at[i] - '0'), &value);
    if (i == first)
        return AMOUNT_FORM;
    if (negative)
        return AMOUNT_NEGATIVE;
    if (i + 1 < text.len && text.at[i] == '.' && is_digit(text.at[i + 1]))
        return AMOUNT_FRACTION;
    i += i < text.len && text.at[i] == ' ';
    struct str unit = {text.at + i, text.len - i};
    for (uint32_t u = 0; u < units->n; u++) {
        if (!str_eq(unit, str_of(units->name[u])))
            continue;
        if (over || mul_overflows(value, units->factor[u], &value) ||
            value > UINT64_MAX >> (64 - units->bits))
            return AMOUNT_RANGE;
        *ret = value;
        return AMOUNT_OK;
    }
    *ret_unit = unit;
    return AMOUNT_UNIT;
}

struct amount size_text(uint64_t bytes)
{
    uint32_t u = size_units.n - 1;
    while (u > 0 && (bytes == 0 || bytes % size_units.factor[u] != 0))
        u--;
    struct amount a;
    fmt_print(a.text, sizeof(a.text), "%llu %s", (unsigned long long)(bytes / size_units.factor[u]),
              size_units.name[u]);
    return a;
}
