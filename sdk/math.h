/* math.h: elementary functions and random numbers that have the same bits in every domain.
 *
 * Only + - * /, square root and integer operations, in an order that the source fixes (built with
 * -ffp-contract=off): so native code on any target and wasm give identical results, which libm
 * does not promise. Errors stay below 1 ulp, 2 for sdk_expm1 and sdk_log1p, 3 for sdk_tanh
 * (measured in math_test.c). Special values are C's, Annex F; every NaN that comes out is the same
 * one. */
#ifndef SDK_MATH_H
#define SDK_MATH_H

#include <stdbool.h>
#include <stdint.h>

double sdk_exp(double x);
double sdk_expm1(double x); /* exp(x) - 1, accurate near 0 */
double sdk_log(double x);
double sdk_log1p(double x); /* log(1 + x), accurate near 0 */
double sdk_pow(double x, double y);
double sdk_sin(double x); /* radians; any finite x is reduced exactly */
double sdk_cos(double x);
double sdk_tanh(double x);
double sdk_floor(double x);
double sdk_ceil(double x);
double sdk_trunc(double x);
double sdk_round(double x); /* halves away from 0 */

/* In this form no compiler takes the root of a negative number, whose NaN differs. */
static inline double sdk_sqrt(double x)
{
    return x >= 0 ? __builtin_sqrt(x) : __builtin_nan("");
}

static inline double sdk_fabs(double x)
{
    return __builtin_fabs(x);
}

static inline bool sdk_isnan(double x)
{
    return x != x;
}

static inline bool sdk_isfinite(double x)
{
    return x - x == 0;
}

/* Numbers that look random and repeat with their seed (xoshiro256**, seeded by SplitMix64:
 * Blackman and Vigna 2018). Not for keys: those come from tenon.random. */
struct sdk_rng {
    uint64_t s[4];
    double spare; /* the second of a pair of normal variates */
    uint64_t has_spare;
};

void sdk_rng_seed(struct sdk_rng *rng, uint64_t seed);
uint64_t sdk_rng_u64(struct sdk_rng *rng);
/* 0 <= result < limit, all alike; limit > 0. */
uint64_t sdk_rng_below(struct sdk_rng *rng, uint64_t limit);
/* 0 <= result < 1, a multiple of 2^-53. */
double sdk_rng_f64(struct sdk_rng *rng);
/* Mean 0, variance 1. */
double sdk_rng_normal(struct sdk_rng *rng);

#endif
