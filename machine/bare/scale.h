/* scale.h: from one clock's ticks to another's, without a division. */
#ifndef MACHINE_BARE_SCALE_H
#define MACHINE_BARE_SCALE_H

#include <stdint.h>

/* How many of `to` per second make one of `from`, times 2^32; to < 2^32. */
static inline uint64_t scale_factor(uint64_t from, uint64_t to)
{
    return (to << 32) / from;
}

/* value * factor / 2^32, modulo 2^64. */
static inline uint64_t scale(uint64_t value, uint64_t factor)
{
    uint64_t low = value & UINT32_MAX, high = value >> 32;
    uint64_t below = factor & UINT32_MAX, above = factor >> 32;
    return (low * below >> 32) + high * below + low * above + (high * above << 32);
}

#endif
