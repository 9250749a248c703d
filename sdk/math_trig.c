/* math_trig.c: sine and cosine.
 *
 * x is reduced to a multiple of pi/2 and a rest of at most pi/4, as hi + lo. Up to 2^20 that takes
 * products with four parts of pi/2, the first three of them exact (Cody and Waite 1980). Above,
 * where no such product is, it takes the 224 bits of 2/pi that matter for the exponent and an exact
 * integer product (Payne and Hanek 1983); at least 137 bits of the fraction are then right, and
 * no double comes closer to a multiple of pi/2 than 2^-62. */
#include "sdk/math.h"

#include "sdk/math_int.h"

/* pi/2 in 33 + 33 + 33 + 53 bits. */
#define PIO2_1 0x1.921fb544p+0
#define PIO2_2 0x1.0b4611a6p-34
#define PIO2_3 0x1.3198a2ep-69
#define PIO2_4 0x1.b839a252049c1p-104

enum { WINDOW = 7 }; /* words of 2/pi in one product */

/* 2/pi, the first 1280 bits after the point. */
static const uint32_t two_over_pi[] = {
    0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561,
    0xb7246e3a, 0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c, 0xb129a73e, 0xe88235f5, 0x2ebb4484,
    0xe99c7026, 0xb45f7e41, 0x3991d639, 0x835339f4, 0x9c845f8b, 0xbdf9283b, 0x1ff897ff, 0xde05980f,
    0xef2f118b, 0x5a0a6d1f, 0x6d367ecf, 0x27cb09b7, 0x4f463f66, 0x9e5fea2d, 0x7527bac7, 0xebe5f17b,
    0x3d0739f7, 0x8a5292ea, 0x6bfb5fb1, 0x1f8d5d08, 0x56033046, 0xfc7b6bab, 0xf0cfbc20, 0x9af4361d,
};

/* Bits [at, at + 53) of a little-endian number as a double; bits below 0 read as 0. */
static double bits_at(const uint32_t *limb, int32_t at)
{
    uint64_t x = 0;
    for (int32_t i = 52; i >= 0; i--) {
        int32_t bit = at + i;
        x = x << 1 | (bit < 0 ? 0 : limb[bit / 32] >> (bit % 32) & 1);
    }
    return (double)x;
}

/* product = m times words [first, first + WINDOW) of 2/pi, read as one number. */
static void window_product(uint64_t m, uint32_t first, uint32_t product[WINDOW + 2])
{
    uint64_t low = m & 0xffffffff, high = m >> 32, carry = 0;
    for (uint32_t i = 0; i < WINDOW + 2; i++)
        product[i] = 0;
    for (uint32_t i = 0; i < WINDOW; i++) {
        uint64_t word = two_over_pi[first + WINDOW - 1 - i];
        uint64_t t = word * low + product[i] + carry;
        product[i] = (uint32_t)t;
        t = word * high + product[i + 1] + (t >> 32);
        product[i + 1] = (uint32_t)t;
        carry = 0;
        product[i + 2] = (uint32_t)(t >> 32);
    }
}

/* Quadrant of |x| >= 2^20, and what is left of it. */
static uint32_t reduce_large(double x, struct dd *ret_rest)
{
    uint32_t product[WINDOW + 2];
    uint64_t bits = bits_of(x);
    int32_t e = (int32_t)(bits >> 52 & 0x7ff) - 1075;
    uint64_t m = (bits & 0xfffffffffffff) | UINT64_C(1) << 52;
    uint32_t first = e >= 34 ? (uint32_t)(e - 2) / 32 : 0;
    window_product(m, first, product);
    /* x 2/pi = product 2^-point, whole multiples of 4 left out */
    int32_t point = 32 * WINDOW - (e - 32 * (int32_t)first);
    uint32_t quadrant = (product[point / 32] >> (point % 32)) & 1;
    quadrant |= ((product[(point + 1) / 32] >> ((point + 1) % 32)) & 1) << 1;
    bool up = product[(point - 1) / 32] >> ((point - 1) % 32) & 1; /* the rest is over a half */
    if (up) {
        quadrant++;
        for (uint32_t i = 0; i < WINDOW + 2; i++)
            product[i] = ~product[i]; /* one unit too small: 2^-190 and less */
    }
    int32_t top = point - 1;
    while (top > 0 && !(product[top / 32] >> (top % 32) & 1))
        top--;
    struct dd turns = {bits_at(product, top - 52) * power_of_2(top - 52 - point),
                       bits_at(product, top - 105) * power_of_2(top - 105 - point)};
    struct dd rest = dd_multiply(turns, (struct dd){0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54});
    *ret_rest = up ? (struct dd){-rest.hi, -rest.lo} : rest;
    return quadrant & 3;
}

/* Quadrant 0 to 3 of a finite x >= 0, and what is left of it. */
static uint32_t reduce(double x, struct dd *ret_rest)
{
    if (x <= 0.78) {
        *ret_rest = (struct dd){x, 0};
        return 0;
    }
    if (x >= 0x1p20)
        return reduce_large(x, ret_rest);
    int32_t k = (int32_t)(x * 0x1.45f306dc9c883p-1 + 0.5);
    double r = x - k * PIO2_1;
    struct dd a = two_sum(r, -(k * PIO2_2)), b = two_sum(a.hi, -(k * PIO2_3));
    *ret_rest = quick_sum(b.hi, (a.lo + b.lo) - k * PIO2_4);
    return (uint32_t)k & 3;
}

static double sin_near_0(struct dd x)
{
    static const double c[] = {
        -1.0 / 6,
        1.0 / 120,
        -1.0 / 5040,
        1.0 / 362880,
        -1.0 / 39916800,
        1.0 / 6227020800.0,
        -1.0 / 1307674368000.0,
        1.0 / 355687428096000.0,
    };
    double z = x.hi * x.hi, p = c[7];
    for (int i = 6; i >= 0; i--)
        p = p * z + c[i];
    return x.hi + (x.hi * z * p + x.lo * (1 - 0.5 * z));
}

static double cos_near_0(struct dd x)
{
    static const double c[] = {
        1.0 / 24,
        -1.0 / 720,
        1.0 / 40320,
        -1.0 / 3628800,
        1.0 / 479001600,
        -1.0 / 87178291200.0,
        1.0 / 20922789888000.0,
        -1.0 / 6402373705728000.0,
    };
    double z = x.hi * x.hi, p = c[7];
    for (int i = 6; i >= 0; i--)
        p = p * z + c[i];
    double half = 0.5 * z, w = 1 - half;
    return w + (((1 - w) - half) + (z * z * p - x.hi * x.lo));
}

double sdk_sin(double x)
{
    struct dd rest;
    if (!sdk_isfinite(x))
        return MATH_NAN;
    if (x == 0)
        return x;
    uint32_t quadrant = reduce(sdk_fabs(x), &rest);
    double y = quadrant & 1 ? cos_near_0(rest) : sin_near_0(rest);
    return ((quadrant & 2) != 0) != (x < 0) ? -y : y;
}

double sdk_cos(double x)
{
    struct dd rest;
    if (!sdk_isfinite(x))
        return MATH_NAN;
    uint32_t quadrant = (reduce(sdk_fabs(x), &rest) + 1) & 3;
    double y = quadrant & 1 ? cos_near_0(rest) : sin_near_0(rest);
    return quadrant & 2 ? -y : y;
}
