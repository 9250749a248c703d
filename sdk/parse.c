/* parse.c: text as numbers.
 *
 * A double that 64 bits and one rounding decide is computed so (Clinger 1990). All others are exact
 * quotients of whole numbers: 64 bits of the quotient by long division, the rest as a sticky bit,
 * then rounded once. Digits beyond KEPT only say whether there was something more: no double, and
 * no middle of two, has more than 768 that count. So numbers stay below 10^1100 * 2^66 < 2^3721,
 * within BIG_LIMBS. */
#include "sdk/big_int.h"
#include "sdk/fmt.h"
#include "sdk/mem.h"

enum { KEPT = 770, EXPONENT_LIMIT = 100000 };

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
    *d = (struct decimal){.n = 0};
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

/* 64 bits of a / b with the first one set, and whether something is left. Returns the exponent of
 * their last bit. a and b are changed. */
static int32_t quotient(struct big *a, struct big *b, uint64_t *ret_bits, bool *ret_rest)
{
    int32_t shift = (int32_t)big_bits(a) - (int32_t)big_bits(b);
    if (shift > 0)
        big_shift_left(b, (uint32_t)shift);
    else
        big_shift_left(a, (uint32_t)-shift);
    if (big_compare(a, b) < 0) {
        big_shift_left(a, 1);
        shift--;
    }
    uint64_t bits = 0;
    for (uint32_t i = 0; i < 64; i++) { /* b <= a < 2 b at the start: the first bit is 1 */
        bits <<= 1;
        if (big_compare(a, b) >= 0) {
            big_subtract(a, b);
            bits |= 1;
        }
        big_shift_left(a, 1);
    }
    *ret_bits = bits;
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

static tn_err exact(const struct decimal *d, double *ret_x)
{
    struct big a, b;
    uint64_t bits;
    bool rest;
    if (d->point > 310)
        return TN_ELIMIT;
    if (d->point < -330) {
        *ret_x = 0;
        return TN_OK;
    }
    big_set(&a, 0);
    big_set(&b, 1);
    for (uint32_t i = 0; i < d->n; i++)
        big_multiply_add(&a, 10, d->digit[i]);
    int32_t e = d->point - (int32_t)d->n;
    big_multiply_power_of_10(e < 0 ? &b : &a, (uint32_t)(e < 0 ? -e : e));
    e = quotient(&a, &b, &bits, &rest);
    return assemble(bits, e, rest || d->more, ret_x);
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
        tn_err err = TN_OK;
        if (d.n == 0)
            x = 0;
        else if (!quick(&d, &x))
            err = exact(&d, &x);
        if (err != TN_OK)
            return err;
    }
    *ret_x = negative ? -x : x;
    return TN_OK;
}
