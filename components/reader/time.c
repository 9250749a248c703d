/* time.c: times as text, as milliseconds since 1970. */
#include "components/reader/reader_int.h"
#include "sdk/fmt.h"
#include "sdk/math.h"

enum { YEAR_MAX = 9999, MS_OF_DAY = 86400000 };
#define MS_LEAST 100000000000.0    /* numbers from here on are milliseconds: 1973 in them */
#define MS_MOST  253402300800000.0 /* the year 10000 */

struct cursor {
    const char *at;
    size_t len, i;
};

/* Exactly `digits` of them. */
static bool take_number(struct cursor *c, uint32_t digits, int32_t *ret)
{
    int32_t x = 0;
    if (c->len - c->i < digits)
        return false;
    for (uint32_t k = 0; k < digits; k++) {
        char d = c->at[c->i + k];
        if (d < '0' || d > '9')
            return false;
        x = x * 10 + (d - '0');
    }
    c->i += digits;
    *ret = x;
    return true;
}

static bool take_char(struct cursor *c, char wanted)
{
    if (c->i >= c->len || c->at[c->i] != wanted)
        return false;
    c->i++;
    return true;
}

/* Days since 1970-01-01 in the Gregorian calendar (Hinnant 2013, days_from_civil). */
static int64_t days_of(int32_t year, int32_t month, int32_t day)
{
    int32_t y = year - (month <= 2), era = y / 400, yoe = y - era * 400;
    int32_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int32_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return (int64_t)era * 146097 + doe - 719468;
}

static bool take_date(struct cursor *c, int64_t *ret_ms)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int32_t year, month, day;
    if (!take_number(c, 4, &year) || c->i >= c->len)
        return false;
    char mark = c->at[c->i];
    if ((mark != '-' && mark != '/') || !take_char(c, mark) || !take_number(c, 2, &month) ||
        !take_char(c, mark) || !take_number(c, 2, &day))
        return false;
    if (year < 1 || year > YEAR_MAX || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > days[month - 1] + (month == 2 && leap ? 1 : 0))
        return false;
    *ret_ms = days_of(year, month, day) * MS_OF_DAY;
    return true;
}

/* .25 as 250; digits beyond the third are dropped. */
static bool take_fraction(struct cursor *c, int64_t *ret_ms)
{
    int64_t ms = 0, unit = 100;
    if (!take_char(c, '.') && !take_char(c, ',')) {
        *ret_ms = 0;
        return true;
    }
    size_t from = c->i;
    for (; c->i < c->len && c->at[c->i] >= '0' && c->at[c->i] <= '9'; c->i++) {
        ms += unit * (c->at[c->i] - '0');
        unit /= 10;
    }
    *ret_ms = ms;
    return c->i > from;
}

/* Z, +01:00, +0100, +01 or nothing. */
static bool take_zone(struct cursor *c, int64_t *ret_ms)
{
    int32_t hours, minutes = 0;
    *ret_ms = 0;
    if (take_char(c, 'Z') || take_char(c, 'z') || c->i == c->len)
        return true;
    bool west = take_char(c, '-');
    if (!west && !take_char(c, '+'))
        return false;
    if (!take_number(c, 2, &hours) || hours > 23)
        return false;
    bool colon = take_char(c, ':');
    if ((colon || c->i < c->len) && (!take_number(c, 2, &minutes) || minutes > 59))
        return false;
    *ret_ms = (int64_t)(hours * 60 + minutes) * (west ? -60000 : 60000);
    return true;
}

static bool calendar_time(const char *at, size_t len, int64_t *ret_ms)
{
    struct cursor c = {at, len, 0};
    int64_t ms, fraction = 0, zone = 0;
    int32_t hour, minute, second = 0;
    if (!take_date(&c, &ms))
        return false;
    if (c.i == len) {
        *ret_ms = ms;
        return true;
    }
    if (!take_char(&c, ' ') && !take_char(&c, 'T') && !take_char(&c, 't'))
        return false;
    if (!take_number(&c, 2, &hour) || !take_char(&c, ':') || !take_number(&c, 2, &minute))
        return false;
    if (take_char(&c, ':') && (!take_number(&c, 2, &second) || !take_fraction(&c, &fraction)))
        return false;
    (void)take_char(&c, ' ');
    if (hour > 23 || minute > 59 || second > 60 || !take_zone(&c, &zone) || c.i != len)
        return false;
    *ret_ms = ms + ((int64_t)hour * 3600 + minute * 60 + second) * 1000 + fraction - zone;
    return true;
}

bool reader_time(const char *at, size_t len, int64_t *ret_ms)
{
    double x;
    if (len == 0 || at[0] < '0' || at[0] > '9')
        return false;
    if (calendar_time(at, len, ret_ms))
        return true;
    if (sdk_parse_f64(at, len, &x) != TN_OK || !(x < MS_MOST))
        return false;
    *ret_ms = (int64_t)sdk_floor(x < MS_LEAST ? x * 1000 + 0.5 : x);
    return true;
}
