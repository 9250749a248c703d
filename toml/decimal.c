/* decimal.c: decimal text to the nearest double, exactly.
 *
 * Up to 770 significant digits are kept; the rest only says "and a little more", for no midpoint
 * between two doubles has more than 767 digits. A number of at most 53 bits times a power of ten up
 * to 10^22 is one exact operation (Clinger 1990). All others are a quotient of two big integers,
 * digits * 5^e * 2^e, divided once to 64 bits and a remainder (Knuth 4.3.1, algorithm D), and
 * rounded from those. Both integers are below 2^2600, so time and space are bounded. */
#include "base/assert.h"
#include "base/bits.h"
#include "toml/toml_int.h"

enum {
    MAX_DIGITS = 770,
    MAX_LIMBS = 96,
    MAX_EXPONENT = 1000000000, /* beyond what any document's digits can bring back */
    MAX_POINT = 309,           /* 10^309 is over the greatest double */
    MIN_POINT = -323,          /* 10^-324 is under half the least */
    QUOTIENT_BITS = 64,
    MANTISSA_BITS = 53,
    MIN_NORMAL_EXP = -1022,
    EXP_BIAS = 1023,
    INFINITE_EXP = 0x7ff,
};

/* An integer of n limbs, least first; the top one is not 0. */
struct big {
    uint32_t n;
    uint32_t limb[MAX_LIMBS];
};

/* digits * 10^exp10; neither the first nor the last digit is 0. */
struct decimal {
    uint32_t count;
    bool more; /* a digit that is not 0 was dropped after the last */
    int64_t exp10;
    uint8_t digit[MAX_DIGITS + 1];
};

static void big_mul_add(struct big *b, uint32_t factor, uint32_t add)
{
    uint64_t carry = add;
    for (uint32_t i = 0; i < b->n; i++) {
        carry += (uint64_t)b->limb[i] * factor;
        b->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0) {
        ASSERT(b->n < MAX_LIMBS);
        b->limb[b->n++] = (uint32_t)carry;
    }
}

static void big_mul_pow5(struct big *b, uint32_t exp)
{
    for (; exp >= 13; exp -= 13)
        big_mul_add(b, 1220703125u, 0); /* 5^13 */
    for (; exp > 0; exp--)
        big_mul_add(b, 5, 0);
}

static uint32_t big_bits(const struct big *b)
{
    ASSERT(b->n > 0 && b->limb[b->n - 1] != 0);
    return 32 * (b->n - 1) + log2_floor(b->limb[b->n - 1]) + 1;
}

static void big_shift_left(struct big *b, uint32_t bits)
{
    uint32_t limbs = bits / 32, rest = bits % 32;
    uint32_t n = b->n + limbs + 1;
    ASSERT(n <= MAX_LIMBS);
    for (uint32_t i = n; i-- > 0;) {
        uint32_t high = i >= limbs && i - limbs < b->n ? b->limb[i - limbs] : 0;
        uint32_t low = i > limbs && i - limbs - 1 < b->n ? b->limb[i - limbs - 1] : 0;
        b->limb[i] = rest == 0 ? high : high << rest | low >> (32 - rest);
    }
    while (n > 0 && b->limb[n - 1] == 0)
        n--;
    b->n = n;
}

/* num[0..n] -= den * q, for a quotient digit q that may be up to 2 too great; returns the right
 * one. */
static uint32_t divide_step(uint32_t *num, const struct big *den, uint64_t q)
{
    uint64_t carry = 0;
    int64_t borrow = 0;
    for (uint32_t i = 0; i < den->n; i++) {
        carry += q * den->limb[i];
        borrow += (int64_t)num[i] - (int64_t)(uint32_t)carry;
        num[i] = (uint32_t)borrow;
        borrow >>= 32;
        carry >>= 32;
    }
    borrow += (int64_t)num[den->n] - (int64_t)carry;
    num[den->n] = (uint32_t)borrow;
    for (borrow >>= 32; borrow < 0; q--) {
        uint64_t sum = 0;
        for (uint32_t i = 0; i <= den->n; i++) {
            sum += (uint64_t)num[i] + (i < den->n ? den->limb[i] : 0);
            num[i] = (uint32_t)sum;
            sum >>= 32;
        }
        borrow += (int64_t)sum;
    }
    return (uint32_t)q;
}

/* num / den = (*ret_quotient and a remainder) * 2^result; the quotient has its top bit set, and
 * *ret_more says whether the remainder is not 0. */
static int32_t divide(struct big *num, struct big *den, uint64_t *ret_quotient, bool *ret_more)
{
    uint32_t num_bits = big_bits(num), den_bits = big_bits(den);
    uint32_t least = num_bits > den_bits + QUOTIENT_BITS ? num_bits - QUOTIENT_BITS : den_bits;
    uint32_t bits = (uint32_t)align_up(least, 32);
    int32_t exp2 = (int32_t)(bits - den_bits) - (int32_t)(bits + QUOTIENT_BITS - num_bits);
    big_shift_left(den, bits - den_bits);
    big_shift_left(num, bits + QUOTIENT_BITS - num_bits);
    ASSERT(num->n == den->n + 2 && num->n < MAX_LIMBS);
    num->limb[num->n] = 0;
    uint32_t quotient[3];
    for (uint32_t i = 3; i-- > 0;) {
        uint32_t *at = num->limb + i;
        uint64_t top = (uint64_t)at[den->n] << 32 | at[den->n - 1];
        uint64_t guess = top / den->limb[den->n - 1];
        quotient[i] = divide_step(at, den, guess > UINT32_MAX ? UINT32_MAX : guess);
    }
    bool more = false;
    for (uint32_t i = 0; i < den->n; i++)
        more |= num->limb[i] != 0;
    uint64_t q = (uint64_t)quotient[1] << 32 | quotient[0];
    if (quotient[2] != 0) {
        ASSERT(quotient[2] == 1);
        more |= (q & 1) != 0;
        q = q >> 1 | 1ull << 63;
        exp2++;
    }
    ASSERT(q >> 63 == 1);
    *ret_quotient = q;
    *ret_more = more;
    return exp2;
}

/* The bits of the double nearest to (q and, if more, a little) * 2^exp2; q's top bit is set. */
static uint64_t round_to_double(uint64_t q, bool more, int32_t exp2)
{
    int32_t top = exp2 + QUOTIENT_BITS - 1; /* the value is in [2^top, 2^(top + 1)) */
    int32_t drop = QUOTIENT_BITS - MANTISSA_BITS;
    if (top < MIN_NORMAL_EXP)
        drop += MIN_NORMAL_EXP - top;
    if (drop > QUOTIENT_BITS)
        return 0;
    uint64_t kept = drop == QUOTIENT_BITS ? 0 : q >> drop;
    uint64_t rest = drop == QUOTIENT_BITS ? q : q & ((1ull << drop) - 1);
    uint64_t half = 1ull << (drop - 1);
    if (rest > half || (rest == half && (more || (kept & 1) != 0)))
        kept++;
    /* The hidden bit of a normal mantissa adds 1 to the exponent, and so does a carry into it. */
    if (top >= MIN_NORMAL_EXP)
        kept += (uint64_t)(top + EXP_BIAS - 1) << (MANTISSA_BITS - 1);
    return kept;
}

static int64_t scan_exponent(struct str text, size_t i)
{
    bool negative = i < text.len && text.at[i] == '-';
    int64_t value = 0;
    for (; i < text.len; i++) {
        if (toml_is_digit(text.at[i]) && value < MAX_EXPONENT)
            value = value * 10 + (text.at[i] - '0');
    }
    return negative ? -value : value;
}

static void scan_decimal(struct str text, struct decimal *ret)
{
    ret->count = 0;
    ret->more = false;
    ret->exp10 = 0;
    bool fraction = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == 'e' || c == 'E') {
            ret->exp10 += scan_exponent(text, i + 1);
            break;
        }
        fraction |= c == '.';
        if (!toml_is_digit(c))
            continue;
        bool keep = (ret->count > 0 || c != '0') && ret->count < MAX_DIGITS;
        bool drop = ret->count == MAX_DIGITS;
        if (keep)
            ret->digit[ret->count++] = (uint8_t)(c - '0');
        ret->more |= drop && c != '0';
        ret->exp10 += (drop ? 1 : 0) - (fraction ? 1 : 0);
    }
    while (!ret->more && ret->count > 0 && ret->digit[ret->count - 1] == 0) {
        ret->count--;
        ret->exp10++;
    }
}

/* One exact multiplication or division, when there is one. */
static bool decimal_fast(const struct decimal *d, double *ret_value)
{
    static const double pow10[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (d->count > 16 || d->exp10 < -22 || d->exp10 > 22)
        return false;
    uint64_t value = 0;
    for (uint32_t i = 0; i < d->count; i++)
        value = value * 10 + d->digit[i];
    if (value > 1ull << MANTISSA_BITS)
        return false;
    *ret_value = d->exp10 < 0 ? (double)value / pow10[-d->exp10] : (double)value * pow10[d->exp10];
    return true;
}

bool toml_decimal(struct str text, double *ret_value)
{
    struct decimal d;
    scan_decimal(text, &d);
    int64_t point = d.exp10 + d.count; /* the value is in [10^(point - 1), 10^point) */
    if (d.count == 0 || point < MIN_POINT) {
        *ret_value = 0;
        return true;
    }
    if (point > MAX_POINT)
        return false;
    if (decimal_fast(&d, ret_value))
        return true;
    struct big num = {.n = 0}, den = {.n = 1, .limb = {1}};
    for (uint32_t i = 0; i < d.count; i++)
        big_mul_add(&num, 10, d.digit[i]);
    if (d.exp10 >= 0)
        big_mul_pow5(&num, (uint32_t)d.exp10);
    else
        big_mul_pow5(&den, (uint32_t)-d.exp10);
    uint64_t quotient;
    bool more;
    int32_t exp2 = divide(&num, &den, &quotient, &more) + (int32_t)d.exp10;
    uint64_t bits = round_to_double(quotient, more || d.more, exp2);
    if (bits >= (uint64_t)INFINITE_EXP << (MANTISSA_BITS - 1))
        return false;
    memcpy(ret_value, &bits, sizeof(bits));
    return true;
}
