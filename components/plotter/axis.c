/* axis.c: scales, and ticks at the values and times that people count in. */
#include "base/bits.h"
#include "components/plotter/plotter_int.h"
#include "sdk/fmt.h"
#include "sdk/math.h"

#define MS_OF_MINUTE INT64_C(60000)
#define MS_OF_HOUR   (60 * MS_OF_MINUTE)
#define MS_OF_DAY    (24 * MS_OF_HOUR)

double scale_at(const struct scale *s, double value)
{
    double span = s->high - s->low;
    return span > 0 ? s->from + (value - s->low) / span * (s->to - s->from) : s->from;
}

/* The least of 1, 2, 5 times a power of ten that is not below x > 0; and the power. */
static double round_up(double x, int32_t *ret_exponent)
{
    int32_t exponent = (int32_t)sdk_floor(sdk_log(x) * 0.43429448190325182);
    double power = sdk_pow(10, exponent), part = x / power;
    if (part > 5) {
        exponent++;
        power = sdk_pow(10, exponent);
        part = 1;
    }
    *ret_exponent = exponent;
    return power * (part <= 1 ? 1 : part <= 2 ? 2 : 5);
}

/* Thousands and millions by letter; what is beyond all letters by exponent. */
static void label_value(double value, double step, int32_t exponent, double most,
                        char label[PLOT_LABEL_MAX])
{
    static const char letters[][2] = {"", "k", "M", "G", "T"};
    uint32_t letter = 0;
    if (most >= 1e15 || most < 1e-6) {
        char all[SDK_F64_MAX];
        (void)sdk_f64_text(value, all);
        (void)fmt_print(label, PLOT_LABEL_MAX, "%s", all);
        return;
    }
    while (most >= 10000 && letter + 1 < ARRAY_LEN(letters)) {
        most /= 1000;
        value /= 1000;
        step /= 1000;
        exponent -= 3;
        letter++;
    }
    char digits[PLOT_LABEL_MAX];
    if (sdk_fabs(value) < step / 2)
        value = 0;
    (void)sdk_f64_fixed(value, exponent < 0 ? (uint32_t)-exponent : 0, digits, sizeof(digits));
    (void)fmt_print(label, PLOT_LABEL_MAX, "%s%s", digits, value == 0 ? "" : letters[letter]);
}

uint32_t ticks_of_values(const struct scale *s, uint32_t wanted, struct tick *ret_ticks)
{
    int32_t exponent;
    double step = round_up((s->high - s->low) / wanted, &exponent);
    double first = sdk_ceil(s->low / step), most = sdk_fabs(s->low);
    uint32_t n = 0;
    if (sdk_fabs(s->high) > most)
        most = sdk_fabs(s->high);
    for (; n < PLOT_TICKS_MAX && (first + n) * step <= s->high; n++) {
        ret_ticks[n].at = (first + n) * step;
        label_value(ret_ticks[n].at, step, exponent, most, ret_ticks[n].label);
    }
    return n;
}

struct date {
    int64_t year;
    uint32_t month, day, hour, minute;
};

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Hinnant 2013, civil_from_days. */
static struct date date_of(int64_t ms)
{
    int64_t days = floor_divide(ms, MS_OF_DAY), z = days + 719468, era = floor_divide(z, 146097);
    uint32_t minutes = (uint32_t)((ms - days * MS_OF_DAY) / MS_OF_MINUTE);
    uint32_t doe = (uint32_t)(z - era * 146097);
    uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    struct date d = {.day = doy - (153 * mp + 2) / 5 + 1, .month = mp < 10 ? mp + 3 : mp - 9};
    d.year = (int64_t)yoe + era * 400 + (d.month <= 2);
    d.hour = minutes / 60;
    d.minute = minutes % 60;
    return d;
}

static const char *month_name(uint32_t month)
{
    static const char names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    return names[month - 1];
}

void time_text(int64_t ms, bool clock, char ret_text[PLOT_LABEL_MAX])
{
    struct date d = date_of(ms);
    size_t n = fmt_print(ret_text, PLOT_LABEL_MAX, "%u %s %lld", d.day, month_name(d.month),
                         (long long)d.year);
    if (clock)
        (void)fmt_add(ret_text, PLOT_LABEL_MAX, n, " %02u:%02u", d.hour, d.minute);
}

static void label_time(int64_t ms, int64_t step, char label[PLOT_LABEL_MAX])
{
    struct date d = date_of(ms);
    if (step >= 180 * MS_OF_DAY)
        (void)fmt_print(label, PLOT_LABEL_MAX, "%s %lld", month_name(d.month), (long long)d.year);
    else if (step >= MS_OF_DAY || (d.hour == 0 && d.minute == 0))
        (void)fmt_print(label, PLOT_LABEL_MAX, "%u %s", d.day, month_name(d.month));
    else
        (void)fmt_print(label, PLOT_LABEL_MAX, "%02u:%02u", d.hour, d.minute);
}

uint32_t ticks_of_times(const struct scale *s, int64_t origin_ms, uint32_t wanted,
                        struct tick *ret_ticks)
{
    static const int64_t steps[] = {
        MS_OF_MINUTE,   5 * MS_OF_MINUTE, 15 * MS_OF_MINUTE, MS_OF_HOUR,
        3 * MS_OF_HOUR, 6 * MS_OF_HOUR,   12 * MS_OF_HOUR,   MS_OF_DAY,
        2 * MS_OF_DAY,  7 * MS_OF_DAY,    14 * MS_OF_DAY,    30 * MS_OF_DAY,
        90 * MS_OF_DAY, 180 * MS_OF_DAY,  365 * MS_OF_DAY,   3650 * MS_OF_DAY};
    double span = s->high - s->low;
    uint32_t k = 0, n = 0;
    while (k + 1 < ARRAY_LEN(steps) && span / (double)steps[k] > wanted)
        k++;
    int64_t at = (floor_divide(origin_ms + (int64_t)s->low - 1, steps[k]) + 1) * steps[k];
    for (; n < PLOT_TICKS_MAX && (double)(at - origin_ms) <= s->high; n++, at += steps[k]) {
        ret_ticks[n].at = (double)(at - origin_ms);
        label_time(at, steps[k], ret_ticks[n].label);
    }
    return n;
}
