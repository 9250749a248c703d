/* rng.c: seeded random numbers. */
#include "sdk/math.h"

static uint64_t rotate(uint64_t x, uint32_t n)
{
    return x << n | x >> (64 - n);
}

void sdk_rng_seed(struct sdk_rng *rng, uint64_t seed)
{
    *rng = (struct sdk_rng){.has_spare = 0};
    for (uint32_t i = 0; i < 4; i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = seed;
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        rng->s[i] = z ^ z >> 31;
    }
}

uint64_t sdk_rng_u64(struct sdk_rng *rng)
{
    uint64_t *s = rng->s, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t sdk_rng_below(struct sdk_rng *rng, uint64_t limit)
{
    /* Draws below 2^64 mod limit would make small results likelier: drawn again. */
    uint64_t least = (0 - limit) % limit, x;
    do
        x = sdk_rng_u64(rng);
    while (x < least);
    return x % limit;
}

double sdk_rng_f64(struct sdk_rng *rng)
{
    return (double)(sdk_rng_u64(rng) >> 11) * 0x1p-53;
}

/* The polar method (Marsaglia and Bray 1964). */
double sdk_rng_normal(struct sdk_rng *rng)
{
    double u, v, s;
    if (rng->has_spare) {
        rng->has_spare = 0;
        return rng->spare;
    }
    do {
        u = 2 * sdk_rng_f64(rng) - 1;
        v = 2 * sdk_rng_f64(rng) - 1;
        s = u * u + v * v;
    } while (s >= 1 || s == 0);
    double scale = sdk_sqrt(-2 * sdk_log(s) / s);
    rng->spare = v * scale;
    rng->has_spare = 1;
    return u * scale;
}
