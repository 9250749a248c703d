/* big.c: whole numbers of up to 4096 bits. */
#include "sdk/big_int.h"

void big_set(struct big *b, uint64_t x)
{
    b->limb[0] = (uint32_t)x;
    b->limb[1] = (uint32_t)(x >> 32);
    b->n = b->limb[1] != 0 ? 2 : b->limb[0] != 0 ? 1 : 0;
}

void big_multiply_add(struct big *b, uint32_t m, uint32_t add)
{
    uint64_t carry = add;
    for (uint32_t i = 0; i < b->n; i++) {
        carry += (uint64_t)b->limb[i] * m;
        b->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0)
        b->limb[b->n++] = (uint32_t)carry;
}

void big_multiply_power_of_10(struct big *b, uint32_t power)
{
    for (; power >= 9; power -= 9)
        big_multiply_add(b, 1000000000, 0);
    for (; power > 0; power--)
        big_multiply_add(b, 10, 0);
}

void big_multiply_power_of_5(struct big *b, uint32_t power)
{
    enum { STEP = 13, FIVE_TO_STEP = 1220703125 };
    for (; power >= STEP; power -= STEP)
        big_multiply_add(b, FIVE_TO_STEP, 0);
    for (; power > 0; power--)
        big_multiply_add(b, 5, 0);
}

void big_shift_left(struct big *b, uint32_t bits)
{
    uint32_t limbs = bits / 32;
    if (b->n == 0)
        return;
    if (bits % 32 != 0)
        big_multiply_add(b, 1u << (bits % 32), 0);
    if (limbs == 0)
        return;
    for (uint32_t i = b->n; i > 0; i--)
        b->limb[i - 1 + limbs] = b->limb[i - 1];
    for (uint32_t i = 0; i < limbs; i++)
        b->limb[i] = 0;
    b->n += limbs;
}

void big_subtract(struct big *a, const struct big *b)
{
    uint64_t borrow = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        uint64_t x = (uint64_t)a->limb[i] - (i < b->n ? b->limb[i] : 0) - borrow;
        a->limb[i] = (uint32_t)x;
        borrow = x >> 63;
    }
    while (a->n > 0 && a->limb[a->n - 1] == 0)
        a->n--;
}

int big_compare(const struct big *a, const struct big *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (uint32_t i = a->n; i > 0; i--)
        if (a->limb[i - 1] != b->limb[i - 1])
            return a->limb[i - 1] < b->limb[i - 1] ? -1 : 1;
    return 0;
}

int big_compare_sum(const struct big *a, const struct big *b, const struct big *c)
{
    struct big sum = *a;
    uint64_t carry = 0;
    while (sum.n < b->n)
        sum.limb[sum.n++] = 0;
    for (uint32_t i = 0; i < sum.n; i++) {
        carry += (uint64_t)sum.limb[i] + (i < b->n ? b->limb[i] : 0);
        sum.limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0)
        sum.limb[sum.n++] = (uint32_t)carry;
    return big_compare(&sum, c);
}

uint32_t big_bits(const struct big *b)
{
    return b->n == 0 ? 0 : b->n * 32 - (uint32_t)__builtin_clz(b->limb[b->n - 1]);
}
