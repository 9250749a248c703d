/* big_int.h: whole numbers of up to 4096 bits, for exact conversion of doubles. Callers keep within
 * BIG_LIMBS; fmt.c and parse.c say why they do. */
#ifndef SDK_BIG_INT_H
#define SDK_BIG_INT_H

#include <stdbool.h>
#include <stdint.h>

enum { BIG_LIMBS = 128 };

/* Little-endian; limb[n - 1] != 0, n = 0 for zero. */
struct big {
    uint32_t n;
    uint32_t limb[BIG_LIMBS];
};

void big_set(struct big *b, uint64_t x);
/* b = b * m + add, m > 0. */
void big_multiply_add(struct big *b, uint32_t m, uint32_t add);
void big_multiply_power_of_10(struct big *b, uint32_t power);
void big_multiply_power_of_5(struct big *b, uint32_t power);
void big_shift_left(struct big *b, uint32_t bits);
/* a = a - b, a >= b. */
void big_subtract(struct big *a, const struct big *b);
int big_compare(const struct big *a, const struct big *b);
/* a + b against c. */
int big_compare_sum(const struct big *a, const struct big *b, const struct big *c);
uint32_t big_bits(const struct big *b); /* without leading zeros */

#endif
