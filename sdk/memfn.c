/* memfn.c: mem* for native components; built with -fno-builtin, so that no loop here is turned
 * into a call of itself. Words are 8 bytes and need no alignment on the targets that we have. */
#include "sdk/mem.h"

typedef uint64_t __attribute__((may_alias, aligned(1))) word;

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    for (; n >= 32; n -= 32, t += 32, f += 32) {
        word a = ((const word *)f)[0], b = ((const word *)f)[1];
        word c = ((const word *)f)[2], d = ((const word *)f)[3];
        ((word *)t)[0] = a;
        ((word *)t)[1] = b;
        ((word *)t)[2] = c;
        ((word *)t)[3] = d;
    }
    for (; n >= 8; n -= 8, t += 8, f += 8)
        *(word *)t = *(const word *)f;
    for (; n > 0; n--)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((uintptr_t)t - (uintptr_t)f >= n) { /* `to` is not inside of `from`: forward is right */
        for (; n >= 8; n -= 8, t += 8, f += 8)
            *(word *)t = *(const word *)f;
        for (; n > 0; n--)
            *t++ = *f++;
        return to;
    }
    for (; n >= 8; n -= 8)
        *(word *)(t + n - 8) = *(const word *)(f + n - 8);
    for (; n > 0; n--)
        t[n - 1] = f[n - 1];
    return to;
}

void *memset(void *at, int byte, size_t n)
{
    uint8_t *t = at;
    word pattern = (uint8_t)byte * UINT64_C(0x0101010101010101);
    for (; n >= 8; n -= 8, t += 8)
        *(word *)t = pattern;
    for (; n > 0; n--)
        *t++ = (uint8_t)byte;
    return at;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;
    for (; n >= 8 && *(const word *)x == *(const word *)y; n -= 8) {
        x += 8;
        y += 8;
    }
    for (; n > 0; n--, x++, y++)
        if (*x != *y)
            return *x < *y ? -1 : 1;
    return 0;
}
