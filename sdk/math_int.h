/* math_int.h: what the files of sdk/math share: doubles as bits, and sums that keep their error. */
#ifndef SDK_MATH_INT_H
#define SDK_MATH_INT_H

#include <stdint.h>

#define MATH_NAN      __builtin_nan("")
#define MATH_INFINITY __builtin_inf()

/* hi + lo, with |lo| at most half an ulp of hi: about 106 bits. */
struct dd {
    double hi, lo;
};

static inline uint64_t bits_of(double x)
{
    uint64_t bits;
    __builtin_memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static inline double from_bits(uint64_t bits)
{
    double x;
    __builtin_memcpy(&x, &bits, sizeof(x));
    return x;
}

/* 2^k for a normal result. */
static inline double power_of_2(int32_t k)
{
    return from_bits((uint64_t)(k + 1023) << 52);
}

/* a + b exactly (Knuth 1969, no order of magnitude needed). */
static inline struct dd two_sum(double a, double b)
{
    double s = a + b, t = s - a;
    return (struct dd){s, (a - (s - t)) + (b - t)};
}

/* a + b exactly, |a| >= |b| or a == 0 (Dekker 1971). */
static inline struct dd quick_sum(double a, double b)
{
    double s = a + b;
    return (struct dd){s, b - (s - a)};
}

/* a * b exactly (Dekker 1971); |a| and |b| below 2^970, the product not near underflow. */
static inline struct dd two_product(double a, double b)
{
    double p = a * b;
    double ta = a * 134217729.0, ah = ta - (ta - a), al = a - ah; /* 2^27 + 1 */
    double tb = b * 134217729.0, bh = tb - (tb - b), bl = b - bh;
    return (struct dd){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

static inline struct dd dd_multiply(struct dd a, struct dd b)
{
    struct dd p = two_product(a.hi, b.hi);
    return quick_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

static inline struct dd dd_add(struct dd a, struct dd b)
{
    struct dd s = two_sum(a.hi, b.hi);
    return quick_sum(s.hi, s.lo + (a.lo + b.lo));
}

/* log(2): k * LN2_HI is exact for |k| < 2^21. */
#define LN2_HI  0x1.62e42feep-1
#define LN2_LO  0x1.a39ef35793c76p-33
#define INV_LN2 0x1.71547652b82fep+0

#endif
