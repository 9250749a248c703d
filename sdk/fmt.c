/* fmt.c: doubles as decimal text, exactly.
 *
 * A double is a fraction of whole numbers r / s; digits come out of it by long division (Steele and
 * White 1990, "dragon4"). For the shortest text, m is half the distance to each neighbour in the
 * same unit: digits stop when what is left can no longer leave that interval.
 *
 * Invariants:
 *   1. value = 0.d1 d2 d3... * 10^point, d1 != 0 unless the value is 0.
 *   2. After scaling, r / s is in [1/10, 1), so each digit is floor(10 r / s) < 10.
 *   3. Numbers stay below 2^1180 (2^53 * 10^324 * 2^3, or 2^1077 * 10): far within BIG_LIMBS. */
#include "sdk/fmt.h"

#include "sdk/big_int.h"
#include "sdk/mem.h"

enum { DIGITS_MAX = 309 + SDK_DECIMALS_MAX };

struct digits {
    char at[DIGITS_MAX + 1];
    uint32_t n;
    int32_t point;
};

struct fraction {
    struct big r, s;
    struct big up, down; /* half the distance to the neighbour above and below */
    bool even;           /* a value exactly between two doubles is rounded to this one */
};

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

/* x > 0 and finite, with all four numbers twice as large as they are, to have halves. */
static void fraction_set(struct fraction *f, double x)
{
    uint64_t bits = bits_of(x), m = bits & 0xfffffffffffff;
    int32_t e = (int32_t)(bits >> 52);
    bool narrow = m == 0 && e > 1; /* below a power of 2 doubles are twice as dense */
    if (e > 0)
        m |= UINT64_C(1) << 52;
    e = (e > 0 ? e : 1) - 1075;
    f->even = (m & 1) == 0;
    big_set(&f->r, m);
    big_set(&f->s, 1);
    big_set(&f->up, 1);
    big_set(&f->down, 1);
    big_shift_left(&f->r, (e > 0 ? (uint32_t)e : 0) + (narrow ? 2 : 1));
    big_shift_left(&f->s, (e < 0 ? (uint32_t)-e : 0) + (narrow ? 2 : 1));
    big_shift_left(&f->up, (e > 0 ? (uint32_t)e : 0) + (narrow ? 1 : 0));
    big_shift_left(&f->down, e > 0 ? (uint32_t)e : 0);
}

/* Scales to invariant 2 and returns the point. `shortest`: r + up counts instead of r, because
 * digits may round up to it. */
static int32_t fraction_scale(struct fraction *f, double x, bool shortest)
{
    /* floor(log10(x)) or one less, from the exponent of the normalised number */
    uint64_t m = bits_of(x) & 0xfffffffffffff;
    int32_t e = (int32_t)(bits_of(x) >> 52) - 1023;
    if (e == -1023)
        e = -1011 - __builtin_clzll(m); /* a subnormal's highest bit */
    int32_t point = (e * 1233) >> 12;   /* e log10(2), rounded down */
    if (point >= 0)
        big_multiply_power_of_10(&f->s, (uint32_t)point);
    else {
        big_multiply_power_of_10(&f->r, (uint32_t)-point);
        big_multiply_power_of_10(&f->up, (uint32_t)-point);
        big_multiply_power_of_10(&f->down, (uint32_t)-point);
    }
    for (;;) {
        int order = shortest ? big_compare_sum(&f->r, &f->up, &f->s) : big_compare(&f->r, &f->s);
        if (order < 0 || (order == 0 && shortest && !f->even))
            return point;
        big_multiply_add(&f->s, 10, 0);
        point++;
    }
}

static uint32_t next_digit(struct fraction *f)
{
    uint32_t digit = 0;
    big_multiply_add(&f->r, 10, 0);
    while (big_compare(&f->r, &f->s) >= 0) {
        big_subtract(&f->r, &f->s);
        digit++;
    }
    return digit;
}

/* Adds one unit in the last of the digits; 9...9 becomes 10...0 with the point moved. */
static void round_up(struct digits *d)
{
    uint32_t i = d->n;
    while (i > 0 && d->at[i - 1] == '9')
        d->at[--i] = '0';
    if (i > 0) {
        d->at[i - 1]++;
        return;
    }
    memmove(d->at + 1, d->at, d->n);
    d->at[0] = '1';
    d->n++;
    d->point++;
}

static void digits_shortest(struct digits *d, double x)
{
    struct fraction f;
    fraction_set(&f, x);
    d->n = 0;
    d->point = fraction_scale(&f, x, true);
    for (;;) {
        big_multiply_add(&f.up, 10, 0);
        big_multiply_add(&f.down, 10, 0);
        uint32_t digit = next_digit(&f);
        int below = big_compare(&f.r, &f.down), above = big_compare_sum(&f.r, &f.up, &f.s);
        bool low = below < 0 || (below == 0 && f.even), high = above > 0 || (above == 0 && f.even);
        d->at[d->n++] = (char)('0' + digit);
        if (!low && !high)
            continue;
        int half = big_compare_sum(&f.r, &f.r, &f.s);
        if (high && (!low || half > 0 || (half == 0 && digit & 1)))
            round_up(d);
        return;
    }
}

/* Digits up to `decimals` after the point, correctly rounded; may be none. */
static void digits_fixed(struct digits *d, double x, uint32_t decimals)
{
    struct fraction f;
    fraction_set(&f, x);
    d->n = 0;
    d->point = fraction_scale(&f, x, false);
    int32_t count = d->point + (int32_t)decimals;
    if (count < 0)
        return; /* below a tenth of the last place */
    while (d->n < (uint32_t)count)
        d->at[d->n++] = (char)('0' + next_digit(&f));
    int half = big_compare_sum(&f.r, &f.r, &f.s);
    if (half > 0 || (half == 0 && d->n > 0 && d->at[d->n - 1] & 1))
        round_up(d);
}

struct out {
    char *at;
    uint32_t size, len;
};

static void put(struct out *o, char c)
{
    if (o->len + 1 < o->size)
        o->at[o->len] = c;
    o->len++;
}

/* The digit of weight 10^place; zero outside of those that are there. */
static char digit_at(const struct digits *d, int32_t place)
{
    int32_t i = d->point - 1 - place;
    return i >= 0 && i < (int32_t)d->n ? d->at[i] : '0';
}

static void put_plain(struct out *o, const struct digits *d, uint32_t decimals)
{
    for (int32_t place = d->point > 1 ? d->point - 1 : 0; place >= 0; place--)
        put(o, digit_at(d, place));
    if (decimals > 0)
        put(o, '.');
    for (int32_t place = -1; place >= -(int32_t)decimals; place--)
        put(o, digit_at(d, place));
}

static void put_exponent(struct out *o, const struct digits *d)
{
    int32_t e = d->point - 1;
    put(o, d->at[0]);
    if (d->n > 1)
        put(o, '.');
    for (uint32_t i = 1; i < d->n; i++)
        put(o, d->at[i]);
    put(o, 'e');
    put(o, e < 0 ? '-' : '+');
    uint32_t size = (uint32_t)(e < 0 ? -e : e);
    for (uint32_t unit = size >= 100 ? 100 : size >= 10 ? 10 : 1; unit > 0; unit /= 10)
        put(o, (char)('0' + size / unit % 10));
}

static uint32_t finish(const struct out *o)
{
    if (o->size > 0)
        o->at[o->len < o->size ? o->len : o->size - 1] = '\0';
    return o->len;
}

/* The sign, and all of what is no finite number: true when that was all. */
static bool put_special(struct out *o, double x)
{
    const char *name = x != x ? "nan" : x - x != 0 ? "inf" : "";
    if (x == x && bits_of(x) >> 63)
        put(o, '-');
    for (const char *c = name; *c != '\0'; c++)
        put(o, *c);
    return name[0] != '\0';
}

uint32_t sdk_f64_text(double x, char ret_text[SDK_F64_MAX])
{
    struct out o = {ret_text, SDK_F64_MAX, 0};
    struct digits d = {.at = "0", .n = 1, .point = 1};
    if (put_special(&o, x))
        return finish(&o);
    if (x != 0)
        digits_shortest(&d, __builtin_fabs(x));
    if (d.point > 21 || d.point < -5)
        put_exponent(&o, &d);
    else
        put_plain(&o, &d, (int32_t)d.n > d.point ? (uint32_t)((int32_t)d.n - d.point) : 0);
    return finish(&o);
}

uint32_t sdk_f64_fixed(double x, uint32_t decimals, char *at, uint32_t size)
{
    struct out o = {at, size, 0};
    struct digits d = {.at = "0", .n = 1, .point = 1};
    if (decimals > SDK_DECIMALS_MAX)
        decimals = SDK_DECIMALS_MAX;
    if (put_special(&o, x))
        return finish(&o);
    if (x != 0)
        digits_fixed(&d, __builtin_fabs(x), decimals);
    put_plain(&o, &d, decimals);
    return finish(&o);
}
