/* datetime.c: the four kinds of dates and times (RFC 3339, with or without offset, date or time).
 */
#include "toml/toml_int.h"

#include "base/assert.h"

static const char form_hint[] = "write 2026-01-31T23:59:00Z, 2026-01-31T23:59:00, 2026-01-31 or "
                                "23:59:00";

/* A field of exactly `width` digits and its range. */
struct field {
    const char *name;
    uint32_t width, least, most;
};

static bool read_field(struct toml_parser *p, struct field f, uint32_t *ret_value)
{
    struct toml_pos from = toml_here(p);
    uint32_t value = 0;
    for (uint32_t i = 0; i < f.width; i++, p->at++) {
        if (!toml_is_digit(toml_peek(p)))
            return toml_fail(p, toml_here(p), TN_EFORMAT, form_hint,
                             "expected %u digits for the %s, found %f", f.width, f.name);
        value = value * 10 + (uint32_t)(*p->at - '0');
    }
    if (value < f.least || value > f.most)
        return toml_fail(p, from, TN_EFORMAT, NULL, "the %s is %u; it goes from %u to %u", f.name,
                         value, f.least, f.most);
    *ret_value = value;
    return true;
}

static bool read_char(struct toml_parser *p, char c, const char *what)
{
    if (toml_peek(p) != c)
        return toml_expected(p, what, form_hint);
    p->at++;
    return true;
}

static uint32_t days_in(uint32_t year, uint32_t month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    ASSERT(month >= 1 && month <= 12);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool read_date(struct toml_parser *p, struct toml_datetime *d)
{
    uint32_t year = 0, month = 0, day = 0;
    if (!read_field(p, (struct field){"year", 4, 0, 9999}, &year) ||
        !read_char(p, '-', "'-' after the year") ||
        !read_field(p, (struct field){"month", 2, 1, 12}, &month) ||
        !read_char(p, '-', "'-' after the month"))
        return false;
    struct field f = {"day", 2, 1, days_in(year, month)};
    if (!read_field(p, f, &day))
        return false;
    d->year = (uint16_t)year;
    d->month = (uint8_t)month;
    d->day = (uint8_t)day;
    return true;
}

static bool read_time(struct toml_parser *p, struct toml_datetime *d)
{
    uint32_t hour = 0, minute = 0, second = 0;
    if (!read_field(p, (struct field){"hour", 2, 0, 23}, &hour) ||
        !read_char(p, ':', "':' after the hour") ||
        !read_field(p, (struct field){"minute", 2, 0, 59}, &minute) ||
        !read_char(p, ':', "':' and the seconds after the minute") ||
        !read_field(p, (struct field){"second", 2, 0, 60}, &second))
        return false;
    d->hour = (uint8_t)hour;
    d->minute = (uint8_t)minute;
    d->second = (uint8_t)second;
    if (toml_peek(p) != '.')
        return true;
    p->at++;
    if (!toml_is_digit(toml_peek(p)))
        return toml_expected(p, "a digit of the fraction of a second", form_hint);
    for (uint32_t unit = 100000000; toml_is_digit(toml_peek(p)); unit /= 10)
        d->nanosecond += (uint32_t)(*p->at++ - '0') * unit;
    return true;
}

/* Sets *ret_found when there is an offset. */
static bool read_offset(struct toml_parser *p, struct toml_datetime *d, bool *ret_found)
{
    int c = toml_peek(p);
    if (c == 'Z' || c == 'z') {
        p->at++;
        *ret_found = true;
        return true;
    }
    if (c != '+' && c != '-')
        return true;
    uint32_t hours = 0, minutes = 0;
    p->at++;
    if (!read_field(p, (struct field){"hours of the offset", 2, 0, 23}, &hours) ||
        !read_char(p, ':', "':' after the hours of the offset") ||
        !read_field(p, (struct field){"minutes of the offset", 2, 0, 59}, &minutes))
        return false;
    int32_t offset = (int32_t)(hours * 60 + minutes);
    d->offset_minutes = (int16_t)(c == '-' ? -offset : offset);
    *ret_found = true;
    return true;
}

bool toml_at_datetime(const struct toml_parser *p)
{
    size_t n = 0;
    while (toml_is_digit(toml_peek_at(p, n)))
        n++;
    int c = toml_peek_at(p, n);
    return n > 0 && (c == '-' || c == ':');
}

bool toml_read_datetime(struct toml_parser *p, struct toml_node *node)
{
    struct toml_datetime d = {0};
    size_t digits = 0;
    while (toml_is_digit(toml_peek_at(p, digits)))
        digits++;
    bool date = toml_peek_at(p, digits) == '-', time = !date, offset = false;
    if (date) {
        if (!read_date(p, &d))
            return false;
        int c = toml_peek(p);
        time = c == 'T' || c == 't' || (c == ' ' && toml_is_digit(toml_peek_at(p, 1)));
        if (time)
            p->at++;
    }
    if (time && !read_time(p, &d))
        return false;
    if (date && time && !read_offset(p, &d, &offset))
        return false;
    node->type = offset         ? TOML_OFFSET_DATETIME
                 : date && time ? TOML_LOCAL_DATETIME
                 : date         ? TOML_LOCAL_DATE
                                : TOML_LOCAL_TIME;
    node->datetime = d;
    return true;
}
