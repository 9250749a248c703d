/* math.c: exponentials, logarithms and powers; rounding to whole numbers.
 *
 * Every function reduces its argument to a small interval, sums a Taylor series there whose rest is
 * below 2^-57, and puts the result together so that the one rounding that matters comes last.
 * Coefficients are quotients that the compiler rounds correctly, so no table has to be believed.
 *
 * Invariants:
 *   1. No operation but + - * /, square root, conversions and integer ones; no contraction; hence
 *      one result on all targets.
 *   2. A NaN is never the result of arithmetic here, whose sign differs between machines: it is
 *      returned as the constant.
 *   3. exp_reduced and log_parts are for finite arguments in the stated ranges; the public
 *      functions deal with the rest before. */
#include "sdk/math.h"

#include "sdk/math_int.h"

/* (exp(r) - 1 - r) / r^2 for |r| <= 0.35. */
static double exp_tail(double r)
{
    static const double c[] = {
        1.0 / 2,
        1.0 / 6,
        1.0 / 24,
        1.0 / 120,
        1.0 / 720,
        1.0 / 5040,
        1.0 / 40320,
        1.0 / 362880,
        1.0 / 3628800,
        1.0 / 39916800,
        1.0 / 479001600,
        1.0 / 6227020800.0,
        1.0 / 87178291200.0,
    };
    double p = c[12];
    for (int i = 11; i >= 0; i--)
        p = p * r + c[i];
    return p;
}

/* k and r with x = k log 2 + r + lo, |r| <= 0.35; |x| < 800. */
static int32_t exp_split(double x, double *ret_r, double *ret_lo)
{
    int32_t k = (int32_t)(x * INV_LN2 + (x < 0 ? -0.5 : 0.5));
    double hi = x - k * LN2_HI, lo = k * LN2_LO;
    double r = hi - lo;
    *ret_r = r;
    *ret_lo = (hi - r) - lo;
    return k;
}

/* x * 2^k for 0.5 <= x <= 2 and any k that exp meets, rounded once. */
static double scale(double x, int32_t k)
{
    if (k > 1000)
        return x * power_of_2(1000) * power_of_2(k - 1000);
    if (k < -1000)
        return x * power_of_2(k + 1000) * power_of_2(-1000);
    return x * power_of_2(k);
}

/* exp(x + extra), |extra| tiny beside x. */
static double exp_reduced(double x, double extra)
{
    double r, lo;
    if (x > 710)
        return MATH_INFINITY;
    if (x < -746)
        return 0;
    int32_t k = exp_split(x, &r, &lo);
    struct dd rest = two_sum(r, lo + extra);
    r = rest.hi;
    return scale(1 + (r + (r * r * exp_tail(r) + rest.lo)), k);
}

double sdk_exp(double x)
{
    if (x != x)
        return MATH_NAN;
    return exp_reduced(x, 0);
}

double sdk_expm1(double x)
{
    if (x != x)
        return MATH_NAN;
    if (x > 710)
        return MATH_INFINITY;
    if (x < -40)
        return -1;
    if (x > 40) /* the 1 is less than half an ulp */
        return exp_reduced(x, 0);
    if (x > -0.35 && x < 0.35)
        return x == 0 ? x : x + x * x * exp_tail(x);
    double r, lo;
    int32_t k = exp_split(x, &r, &lo);
    double p = r + (r * r * exp_tail(r) + lo), two_k = power_of_2(k);
    struct dd sum = two_sum(two_k - 1, two_k * p);
    return sum.hi + sum.lo;
}

/* (2 atanh(s) / s - 2) for z = s * s, |s| <= 0.172. */
static double atanh_tail(double z)
{
    double p = 2.0 / 25;
    for (int i = 23; i >= 3; i -= 2)
        p = p * z + 2.0 / i;
    return p * z;
}

/* k and f with x = 2^k (1 + f), sqrt(1/2) <= 1 + f < sqrt(2); x > 0 and finite. */
static int32_t log_split(double x, double *ret_f)
{
    int32_t k = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        k = -54;
    }
    uint64_t bits = bits_of(x);
    k += (int32_t)(bits >> 52) - 1023;
    double m = from_bits((bits & 0xfffffffffffff) | (UINT64_C(1023) << 52));
    if (m >= 0x1.6a09e667f3bcdp+0) {
        m *= 0.5;
        k++;
    }
    *ret_f = m - 1; /* exact */
    return k;
}

/* k log 2 + log(1 + f + c), |c| at most an ulp of f. log(1+f) = f - (f^2/2 - s (f^2/2 + tail)) with
 * s = f / (2 + f), because 2 atanh(s) = log(1 + f) and 2 s = f - s f. */
static double log_join(int32_t k, double f, double c)
{
    double s = f / (2 + f), half = 0.5 * f * f;
    double rest = s * (half + atanh_tail(s * s));
    if (k == 0)
        return f - (half - (rest + c));
    return k * LN2_HI - ((half - (rest + (k * LN2_LO + c))) - f);
}

double sdk_log(double x)
{
    double f;
    if (x != x || x < 0)
        return MATH_NAN;
    if (x == 0)
        return -MATH_INFINITY;
    if (x == MATH_INFINITY)
        return x;
    int32_t k = log_split(x, &f);
    return log_join(k, f, 0);
}

double sdk_log1p(double x)
{
    double f;
    if (x != x || x < -1)
        return MATH_NAN;
    if (x == -1)
        return -MATH_INFINITY;
    if (x == MATH_INFINITY || x == 0)
        return x;
    if (x > -0.29 && x < 0.41)
        return log_join(0, x, 0);
    struct dd u = two_sum(1, x);
    int32_t k = log_split(u.hi, &f);
    return log_join(k, f, u.lo / u.hi);
}

/* log(x) to about 2^-64 of itself, for finite x > 0. */
static struct dd log_parts(double x)
{
    double f;
    int32_t k = log_split(x, &f);
    struct dd d = two_sum(2, f);
    double s = f / d.hi; /* then s to twice the precision: s + (f - s d) / d */
    struct dd sd = two_product(s, d.hi);
    struct dd sdd = quick_sum(s, (((f - sd.hi) - sd.lo) - s * d.lo) / d.hi);
    struct dd z = dd_multiply(sdd, sdd);
    double p = 2.0 / 25;
    for (int i = 23; i >= 5; i -= 2)
        p = p * z.hi + 2.0 / i;
    struct dd two_thirds = {2.0 / 3, 0x1.5555555555555p-55};
    struct dd series = dd_multiply(z, dd_add(two_thirds, (struct dd){z.hi * p, 0}));
    struct dd twice = {2 * sdd.hi, 2 * sdd.lo};
    struct dd sum = dd_add(twice, dd_multiply(sdd, series));
    struct dd whole = two_sum(k * LN2_HI, k * LN2_LO);
    return dd_add(whole, sum);
}

/* 0: no whole number, 1: odd, 2: even. y is finite. */
static int whole_kind(double y)
{
    if (sdk_fabs(y) >= 0x1p53)
        return 2;
    int64_t n = (int64_t)y;
    if ((double)n != y)
        return 0;
    return n & 1 ? 1 : 2;
}

/* x is 0 or infinite, y is neither 0 nor NaN. */
static double pow_of_extreme(double x, double y)
{
    bool odd = sdk_isfinite(y) && whole_kind(y) == 1;
    double size = (x == 0) == (y > 0) ? 0 : MATH_INFINITY;
    return odd && bits_of(x) >> 63 ? -size : size;
}

double sdk_pow(double x, double y)
{
    if (y == 0 || x == 1)
        return 1;
    if (x != x || y != y)
        return MATH_NAN;
    if (x == 0 || !sdk_isfinite(x))
        return pow_of_extreme(x, y);
    double size = sdk_fabs(x);
    if (!sdk_isfinite(y))
        return size == 1 ? 1 : (size > 1) == (y > 0) ? MATH_INFINITY : 0;
    double sign = 1;
    if (x < 0) {
        int kind = whole_kind(y);
        if (kind == 0)
            return MATH_NAN;
        sign = kind == 1 ? -1 : 1;
    }
    if (size == 1)
        return sign;
    if (sdk_fabs(y) > 0x1p64) /* |log size| is at least 2^-53 */
        return sign * ((size > 1) == (y > 0) ? MATH_INFINITY : 0);
    if (sdk_fabs(y) < 0x1p-65) /* the result rounds to 1, and products stay normal */
        return sign;
    struct dd log = log_parts(size), p = two_product(y, log.hi);
    double lo = p.lo + y * log.lo;
    return sign * exp_reduced(p.hi, lo);
}

double sdk_tanh(double x)
{
    double size = sdk_fabs(x), t;
    if (x != x)
        return MATH_NAN;
    if (size > 22)
        t = 1;
    else if (size < 0x1p-28)
        return x;
    else if (size < 1) {
        t = sdk_expm1(2 * size);
        t = t / (t + 2);
    } else
        t = 1 - 2 / (sdk_expm1(2 * size) + 2);
    return x < 0 ? -t : t;
}

double sdk_trunc(double x)
{
    if (x != x)
        return MATH_NAN;
    if (sdk_fabs(x) >= 0x1p52)
        return x;
    double t = (double)(int64_t)x;
    return from_bits(bits_of(t) | (bits_of(x) & (UINT64_C(1) << 63))); /* -0.5 becomes -0 */
}

double sdk_floor(double x)
{
    double t = sdk_trunc(x);
    return t > x ? t - 1 : t;
}

double sdk_ceil(double x)
{
    double t = sdk_trunc(x);
    if (t >= x || x != x)
        return t;
    return t + 1;
}

double sdk_round(double x)
{
    double t = sdk_trunc(x);
    if (sdk_fabs(x) >= 0x1p52 || sdk_fabs(x - t) < 0.5)
        return t;
    return x < 0 ? t - 1 : t + 1;
}
