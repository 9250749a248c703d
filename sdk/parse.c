/* parse.c: text as numbers.
 *
 * A double is found in one of three ways, each for what the one before cannot decide:
 *   quick   64 bits and one rounding are exact (Clinger 1990);
 *   near    the first DIGITS digits times a power of ten, in 64 bits with a bound on what was cut
 *           off: mostly both ends of that interval round to the same double;
 *   exact   a quotient of whole numbers: 64 bits of it, the rest as a sticky bit, rounded once.
 *
 * The work for one number is bounded: digits beyond KEPT only say whether there was something more
 * (no double, and no middle of two, has more than 768 that count), and the quotient takes three
 * steps of limbs, however small the number. Factors of 2 are kept out of it: numbers stay below
 * 10^KEPT, or 5^(KEPT + 330), which is less than 2^2562, and alignment adds two limbs at most. */
#include "sdk/big_int.h"
#include "sdk/fmt.h"
#include "sdk/mem.h"

enum {
    KEPT = 770,
    EXPONENT_LIMIT = 100000,
    DIGITS = 19, /* that always fit into 64 bits */
    POINT_MOST = 310,
    POINT_LEAST = -330, /* beyond these no double is, but 0 */
    COARSE = 27,        /* 5^27 is the largest power that fits into 64 bits */
    COARSE_LEAST = -13, /* 10^(COARSE * COARSE_LEAST) is below 10^(POINT_LEAST - DIGITS) */
};

/* 0.digits * 10^point; `more`: digits other than 0 were left out. */
struct decimal {
    uint8_t digit[KEPT];
    uint32_t n;
    int32_t point;
    bool more;
};

tn_err sdk_parse_u64(const char *at, size_t len, uint64_t *ret_x)
{
    uint64_t x = 0;
    bool over = false;
    if (len == 0)
        return TN_EFORMAT;
    for (size_t i = 0; i < len; i++) {
        if (at[i] < '0' || at[i] > '9')
            return TN_EFORMAT;
        over = over || x > UINT64_MAX / 10; /* no 128-bit product: wasm32 has none */
        x *= 10;
        over = __builtin_add_overflow(x, (uint64_t)(at[i] - '0'), &x) || over;
    }
    if (over)
        return TN_ELIMIT;
    *ret_x = x;
    return TN_OK;
}

tn_err sdk_parse_i64(const char *at, size_t len, int64_t *ret_x)
{
    uint64_t size;
    bool negative = len > 0 && at[0] == '-', sign = negative || (len > 0 && at[0] == '+');
    tn_err err = sdk_parse_u64(at + sign, len - sign, &size);
    if (err != TN_OK)
        return err;
    if (size > (uint64_t)INT64_MAX + negative)
        return TN_ELIMIT;
    *ret_x = negative ? (int64_t)(0 - size) : (int64_t)size;
    return TN_OK;
}

/* Digits around one point; false when there are none. *i is moved behind them. */
static bool take_digits(struct decimal *d, const char *at, size_t len, size_t *i)
{
    bool any = false, fraction = false;
    d->n = 0; /* the digits need no clearing, and there may be many numbers */
    d->point = 0;
    d->more = false;
    for (; *i < len; ++*i) {
        char c = at[*i];
        if (c == '.' && !fraction) {
            fraction = true;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        any = true;
        if (d->n > 0 || c != '0') {
            if (d->n < KEPT)
                d->digit[d->n++] = (uint8_t)(c - '0');
            else
                d->more = d->more || c != '0';
            d->point += !fraction && d->point < EXPONENT_LIMIT;
        } else if (fraction && d->point > -EXPONENT_LIMIT)
            d->point--; /* a zero between the point and the first digit */
    }
    return any;
}

/* e, a sign, digits; false when it is malformed. */
static bool take_exponent(struct decimal *d, const char *at, size_t len, size_t *i)
{
    if (*i == len)
        return true;
    if (at[*i] != 'e' && at[*i] != 'E')
        return false;
    ++*i;
    bool negative = *i < len && at[*i] == '-';
    *i += negative || (*i < len && at[*i] == '+');
    int32_t e = 0;
    if (*i == len)
        return false;
    for (; *i < len; ++*i) {
        if (at[*i] < '0' || at[*i] > '9')
            return false;
        if (e < 2 * EXPONENT_LIMIT)
            e = e * 10 + (at[*i] - '0');
    }
    d->point += negative ? -e : e;
    return true;
}

/* Up to 15 digits times or by a power of ten that a double holds: one rounding. */
static bool quick(const struct decimal *d, double *ret_x)
{
    static const double ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int32_t e = d->point - (int32_t)d->n;
    uint64_t m = 0;
    if (d->n > 15 || e < -22 || e > 22)
        return false;
    for (uint32_t i = 0; i < d->n; i++)
        m = m * 10 + d->digit[i];
    *ret_x = e < 0 ? (double)m / ten[-e] : (double)m * ten[e];
    return true;
}

/* One digit of the long division, of up to 32 bits: a * 2^bits / b, and a becomes what is left.
 * a < b, and b's first bit is the first of a limb (Knuth 1997, 4.3.1, algorithm D). */
static uint32_t divide_step(struct big *a, const struct big *b, uint32_t bits)
{
    big_shift_left(a, bits);
    uint64_t top = b->n < a->n ? a->limb[b->n] : 0;
    uint64_t next = b->n <= a->n ? a->limb[b->n - 1] : 0;
    uint64_t digit = (top << 32 | next) / b->limb[b->n - 1];
    if (digit > UINT32_MAX)
        digit = UINT32_MAX;
    if (digit == 0)
        return 0;
    struct big product = *b;
    big_multiply_add(&product, (uint32_t)digit, 0);
    for (; big_compare(&product, a) > 0; digit--) /* twice at most */
        big_subtract(&product, b);
    big_subtract(a, &product);
    return (uint32_t)digit;
}

/* 64 bits of a / b with the first one set, and whether something is left. Returns the exponent of
 * their last bit. a and b are changed. */
static int32_t quotient(struct big *a, struct big *b, uint64_t *ret_bits, bool *ret_rest)
{
    uint32_t a_bits = big_bits(a), b_bits = big_bits(b);
    uint32_t bits = ((a_bits > b_bits ? a_bits : b_bits) + 31) / 32 * 32;
    int32_t shift = (int32_t)a_bits - (int32_t)b_bits;
    big_shift_left(a, bits - a_bits);
    big_shift_left(b, bits - b_bits);
    if (big_compare(a, b) < 0) {
        big_shift_left(a, 1);
        shift--;
    }
    big_subtract(a, b); /* b <= a < 2 b: the first bit is 1 */
    uint64_t high = divide_step(a, b, 32);
    *ret_bits = UINT64_C(1) << 63 | high << 31 | divide_step(a, b, 31);
    *ret_rest = a->n > 0;
    return shift - 63;
}

/* m * 2^e, m with its first bit set, and a little more when `rest`; rounded half to even. */
static tn_err assemble(uint64_t m, int32_t e, bool rest, double *ret_x)
{
    int32_t exponent = e + 63 + 1023; /* biased, of a normal number */
    uint32_t drop = exponent >= 1 ? 11 : exponent > -53 ? (uint32_t)(12 - exponent) : 65;
    uint64_t kept = drop < 64 ? m >> drop : 0;
    uint64_t half = drop <= 64 ? UINT64_C(1) << (drop - 1) : 0;
    uint64_t left = drop < 64 ? m & (half * 2 - 1) : m;
    if (drop <= 64 && (left > half || (left == half && (rest || kept & 1))))
        kept++;
    uint64_t bits = exponent >= 1 ? ((uint64_t)(exponent - 1) << 52) + kept : kept;
    if (exponent > 2046 || bits >= UINT64_C(0x7ff) << 52)
        return TN_ELIMIT;
    memcpy(ret_x, &bits, sizeof(bits));
    return TN_OK;
}

/* m * 2^e at least, (m + over) * 2^e at most; m with its first bit set. */
struct span {
    uint64_t m, over;
    int32_t e;
};

static uint64_t high_half(uint64_t a, uint64_t b)
{
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
    uint64_t other = a0 * b1 + (uint32_t)middle;
    return a1 * b1 + (middle >> 32) + (other >> 32);
}

/* s = s * t. What is cut off the product, and the two ends' own product, add one each. */
static void span_multiply(struct span *s, struct span t)
{
    s->m = high_half(s->m, t.m);
    s->over += t.over + 2;
    s->e += t.e + 64;
    if (s->m >> 63 == 0) {
        s->m <<= 1;
        s->over *= 2;
        s->e--;
    }
}

/* 10^power, with 0 <= power < COARSE: without error. */
static struct span fine_power(uint32_t power)
{
    struct span s = {.m = 1, .e = (int32_t)power};
    for (uint32_t i = 0; i < power; i++)
        s.m *= 5;
    int32_t shift = __builtin_clzll(s.m);
    s.m <<= shift;
    s.e -= shift;
    return s;
}

/* 10^(COARSE * power), cut off. */
static struct span coarse_power(int32_t power)
{
    static const uint64_t m[] = {
        UINT64_C(0x8049a4ac0c5811ae), UINT64_C(0xcf42894a5dce35ea), UINT64_C(0xa76c582338ed2621),
        UINT64_C(0x873e4f75e2224e68), UINT64_C(0xda7f5bf590966848), UINT64_C(0xb080392cc4349dec),
        UINT64_C(0x8e938662882af53e), UINT64_C(0xe65829b3046b0afa), UINT64_C(0xba121a4650e4ddeb),
        UINT64_C(0x964e858c91ba2655), UINT64_C(0xf2d56790ab41c2a2), UINT64_C(0xc428d05aa4751e4c),
        UINT64_C(0x9e74d1b791e07e48), UINT64_C(0x8000000000000000), UINT64_C(0xcecb8f27f4200f3a),
        UINT64_C(0xa70c3c40a64e6c51), UINT64_C(0x86f0ac99b4e8dafd), UINT64_C(0xda01ee641a708de9),
        UINT64_C(0xb01ae745b101e9e4), UINT64_C(0x8e41ade9fbebc27d), UINT64_C(0xe5d3ef282a242e81),
        UINT64_C(0xb9a74a0637ce2ee1), UINT64_C(0x95f83d0a1fb69cd9), UINT64_C(0xf24a01a73cf2dccf),
        UINT64_C(0xc3b8358109e84f07),
    };
    enum { LOG2_10 = 217706 }; /* * 2^16; enough for these powers */
    return (struct span){
        .m = m[power - COARSE_LEAST], .over = 1, .e = (LOG2_10 * (COARSE * power) >> 16) - 63};
}

/* false: the double lies too close to the middle of two, or beyond the largest. */
static bool near(const struct decimal *d, double *ret_x)
{
    uint32_t n = d->n < DIGITS ? d->n : DIGITS;
    struct span s = {.m = 0, .over = d->n > DIGITS || d->more};
    double least, most;
    for (uint32_t i = 0; i < n; i++)
        s.m = s.m * 10 + d->digit[i];
    int32_t shift = __builtin_clzll(s.m);
    s.m <<= shift;
    s.over <<= shift;
    s.e = -shift;
    int32_t power = d->point - (int32_t)n - COARSE * COARSE_LEAST;
    int32_t coarse = power / COARSE + COARSE_LEAST, fine = power % COARSE;
    if (fine > 0)
        span_multiply(&s, fine_power((uint32_t)fine));
    if (coarse != 0)
        span_multiply(&s, coarse_power(coarse));
    if (s.m + s.over < s.m || assemble(s.m, s.e, false, &least) != TN_OK ||
        assemble(s.m + s.over, s.e, false, &most) != TN_OK || least < most)
        return false;
    *ret_x = least;
    return true;
}

static tn_err exact(const struct decimal *d, double *ret_x)
{
    static const uint32_t ten[] = {1,      10,      100,      1000,      10000,
                                   100000, 1000000, 10000000, 100000000, 1000000000};
    enum { CHUNK = 9 };
    struct big a, b;
    uint64_t bits;
    bool rest;
    big_set(&a, 0);
    big_set(&b, 1);
    for (uint32_t i = 0; i < d->n;) {
        uint32_t chunk = 0, n = d->n - i < CHUNK ? d->n - i : CHUNK;
        for (uint32_t end = i + n; i < end; i++)
            chunk = chunk * 10 + d->digit[i];
        big_multiply_add(&a, ten[n], chunk);
    }
    int32_t e = d->point - (int32_t)d->n;
    big_multiply_power_of_5(e < 0 ? &b : &a, (uint32_t)(e < 0 ? -e : e));
    e += quotient(&a, &b, &bits, &rest);
    return assemble(bits, e, rest || d->more, ret_x);
}

static tn_err to_double(const struct decimal *d, double *ret_x)
{
    if (d->n == 0 || d->point < POINT_LEAST) {
        *ret_x = 0;
        return TN_OK;
    }
    if (d->point > POINT_MOST)
        return TN_ELIMIT;
    return quick(d, ret_x) || near(d, ret_x) ? TN_OK : exact(d, ret_x);
}

static bool special(const char *at, size_t len, double *ret_x)
{
    if (len != 3 || (memcmp(at, "inf", 3) != 0 && memcmp(at, "nan", 3) != 0))
        return false;
    *ret_x = at[0] == 'i' ? __builtin_inf() : __builtin_nan("");
    return true;
}

tn_err sdk_parse_f64(const char *at, size_t len, double *ret_x)
{
    struct decimal d;
    double x;
    size_t i = len > 0 && (at[0] == '-' || at[0] == '+');
    bool negative = i > 0 && at[0] == '-';
    if (!special(at + i, len - i, &x)) {
        if (!take_digits(&d, at, len, &i) || !take_exponent(&d, at, len, &i))
            return TN_EFORMAT;
        tn_err err = to_double(&d, &x);
        if (err != TN_OK)
            return err;
    }
    *ret_x = negative ? -x : x;
    return TN_OK;
}
