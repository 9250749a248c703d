/* numeric.h: arithmetic that C leaves open or that would need a libm: rounding, minimum and
 * maximum, saturating conversions, counting bits. Results that are a NaN may be any NaN: the
 * interpreter makes it the canonical one. */
#ifndef WASM_EXEC_NUMERIC_H
#define WASM_EXEC_NUMERIC_H

#include <stdint.h>

#define NUM_NAN32 0x7fc00000u
#define NUM_NAN64 0x7ff8000000000000u

static inline uint32_t num_bits32(float x)
{
    uint32_t v;
    __builtin_memcpy(&v, &x, sizeof v);
    return v;
}

static inline uint64_t num_bits64(double x)
{
    uint64_t v;
    __builtin_memcpy(&v, &x, sizeof v);
    return v;
}

static inline float num_float(uint32_t bits)
{
    float v;
    __builtin_memcpy(&v, &bits, sizeof v);
    return v;
}

static inline double num_double(uint64_t bits)
{
    double v;
    __builtin_memcpy(&v, &bits, sizeof v);
    return v;
}

/* The bits of a result, a NaN made canonical. */
static inline uint32_t num_canon32(float x)
{
    return x != x ? NUM_NAN32 : num_bits32(x);
}

static inline uint64_t num_canon64(double x)
{
    return x != x ? NUM_NAN64 : num_bits64(x);
}

static inline uint32_t num_clz32(uint32_t x)
{
    return x == 0 ? 32 : (uint32_t)__builtin_clz(x);
}

static inline uint32_t num_ctz32(uint32_t x)
{
    return x == 0 ? 32 : (uint32_t)__builtin_ctz(x);
}

static inline uint64_t num_clz64(uint64_t x)
{
    return x == 0 ? 64 : (uint64_t)__builtin_clzll(x);
}

static inline uint64_t num_ctz64(uint64_t x)
{
    return x == 0 ? 64 : (uint64_t)__builtin_ctzll(x);
}

/* By halves: no instruction that every machine has, and no library. */
static inline uint64_t num_popcnt(uint64_t x)
{
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return x * 0x0101010101010101u >> 56;
}

/* Above 2^52 (2^23) a float has no fraction. Below, conversion to an integer and back truncates;
 * the sign is kept, for zero has one. */
static inline double num_trunc64(double x)
{
    double size = num_double(num_bits64(x) & INT64_MAX);
    if (!(size < 4503599627370496.0))
        return x;
    uint64_t sign = num_bits64(x) & 0x8000000000000000u;
    return num_double(num_bits64((double)(int64_t)size) | sign);
}

static inline double num_floor64(double x)
{
    double t = num_trunc64(x);
    return t > x ? t - 1.0 : t;
}

static inline double num_ceil64(double x)
{
    double t = num_trunc64(x);
    return t < x ? t + 1.0 : t; /* -0.5 becomes -0 */
}

/* To even: adding and taking away 2^52 rounds. */
static inline double num_nearest64(double x)
{
    double size = num_double(num_bits64(x) & INT64_MAX);
    if (!(size < 4503599627370496.0))
        return x;
    double r = (size + 4503599627370496.0) - 4503599627370496.0;
    return num_double(num_bits64(r) | (num_bits64(x) & 0x8000000000000000u));
}

static inline float num_trunc32(float x)
{
    float size = num_float(num_bits32(x) & INT32_MAX);
    if (!(size < 8388608.0f))
        return x;
    uint32_t sign = num_bits32(x) & 0x80000000u;
    return num_float(num_bits32((float)(int32_t)size) | sign);
}

static inline float num_floor32(float x)
{
    float t = num_trunc32(x);
    return t > x ? t - 1.0f : t;
}

static inline float num_ceil32(float x)
{
    float t = num_trunc32(x);
    return t < x ? t + 1.0f : t;
}

static inline float num_nearest32(float x)
{
    float size = num_float(num_bits32(x) & INT32_MAX);
    if (!(size < 8388608.0f))
        return x;
    float r = (size + 8388608.0f) - 8388608.0f;
    return num_float(num_bits32(r) | (num_bits32(x) & 0x80000000u));
}

/* Equal operands may be zeros of both signs. */
static inline double num_min64(double x, double y)
{
    if (x == y)
        return num_double(num_bits64(x) | num_bits64(y));
    return x != x ? x : x < y ? x : y;
}

static inline double num_max64(double x, double y)
{
    if (x == y)
        return num_double(num_bits64(x) & num_bits64(y));
    return x != x ? x : x > y ? x : y;
}

static inline float num_min32(float x, float y)
{
    if (x == y)
        return num_float(num_bits32(x) | num_bits32(y));
    return x != x ? x : x < y ? x : y;
}

static inline float num_max32(float x, float y)
{
    if (x == y)
        return num_float(num_bits32(x) & num_bits32(y));
    return x != x ? x : x > y ? x : y;
}

/* A float is exactly a double, so these serve both. */
static inline uint32_t num_sat_s32(double x)
{
    if (x != x)
        return 0;
    if (x <= -2147483648.0)
        return 0x80000000u;
    return x >= 2147483647.0 ? INT32_MAX : (uint32_t)(int32_t)x;
}

static inline uint32_t num_sat_u32(double x)
{
    if (!(x > 0.0))
        return 0;
    return x >= 4294967295.0 ? UINT32_MAX : (uint32_t)x;
}

static inline uint64_t num_sat_s64(double x)
{
    if (x != x)
        return 0;
    if (x <= -9223372036854775808.0)
        return 0x8000000000000000u;
    return x >= 9223372036854775808.0 ? INT64_MAX : (uint64_t)(int64_t)x;
}

static inline uint64_t num_sat_u64(double x)
{
    if (!(x > 0.0))
        return 0;
    return x >= 18446744073709551616.0 ? UINT64_MAX : (uint64_t)x;
}

#endif
