/* bits.h: powers of two, alignment, arithmetic that says when it overflows. */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
/* The object of type T whose member m is at p. */
#define CONTAINER_OF(p, T, m) ((T *)(void *)((char *)(p)-offsetof(T, m)))

/* Which cache line of a T, whose memory is aligned to one, a member begins in, and ends in: two
 * CPUs that write to one line wait for each other, whatever they write. */
enum { CACHE_LINE = 64 };
#define LINE_OF(T, m)  (offsetof(T, m) / CACHE_LINE)
#define LINE_END(T, m) ((offsetof(T, m) + sizeof(((T *)0)->m) - 1) / CACHE_LINE)

static inline bool is_pow2(uint64_t x)
{
    return x != 0 && (x & (x - 1)) == 0;
}

/* `to` is a power of two; x + to - 1 must not overflow. */
static inline uint64_t align_up(uint64_t x, uint64_t to)
{
    return (x + to - 1) & ~(to - 1);
}

static inline uint64_t align_down(uint64_t x, uint64_t to)
{
    return x & ~(to - 1);
}

/* Floor and ceiling of the binary logarithm; x > 0. */
static inline uint32_t log2_floor(uint64_t x)
{
    return 63u - (uint32_t)__builtin_clzll(x);
}

static inline uint32_t log2_ceil(uint64_t x)
{
    return x <= 1 ? 0 : log2_floor(x - 1) + 1;
}

/* true when the result does not fit; *ret is then unspecified. */
static inline bool add_overflows(uint64_t a, uint64_t b, uint64_t *ret)
{
    return __builtin_add_overflow(a, b, ret);
}

static inline bool mul_overflows(uint64_t a, uint64_t b, uint64_t *ret)
{
    return __builtin_mul_overflow(a, b, ret);
}

/* [off, off + len) lies within [0, size). */
static inline bool range_within(uint64_t off, uint64_t len, uint64_t size)
{
    return off <= size && len <= size - off;
}

#endif
