/* mem.c: memcpy and its like, which compilers call, where there is no libc. */
#include "base/bytes.h"

#include <stdint.h>

/* Words are read and written through these, whatever their memory holds and however it lies. */
typedef uint64_t __attribute__((may_alias, aligned(1))) word;

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    unsigned char *t = to;
    const unsigned char *f = from;
    for (; n >= sizeof(word); n -= sizeof(word), t += sizeof(word), f += sizeof(word))
        *(word *)t = *(const word *)f;
    while (n-- > 0)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    unsigned char *t = to;
    const unsigned char *f = from;
    if ((uintptr_t)t - (uintptr_t)f >= n) {
        for (; n >= sizeof(word); n -= sizeof(word), t += sizeof(word), f += sizeof(word))
            *(word *)t = *(const word *)f;
        while (n-- > 0)
            *t++ = *f++;
        return to;
    }
    for (; n >= sizeof(word); n -= sizeof(word))
        *(word *)(t + n - sizeof(word)) = *(const word *)(f + n - sizeof(word));
    while (n-- > 0)
        t[n] = f[n];
    return to;
}

void *memset(void *at, int byte, size_t n)
{
    unsigned char *t = at;
    uint64_t all = (unsigned char)byte * UINT64_C(0x0101010101010101);
    for (; n >= sizeof(word); n -= sizeof(word), t += sizeof(word))
        *(word *)t = all;
    while (n-- > 0)
        *t++ = (unsigned char)byte;
    return at;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    for (; n >= sizeof(word); n -= sizeof(word), x += sizeof(word), y += sizeof(word))
        if (*(const word *)x != *(const word *)y)
            break;
    for (; n > 0; n--, x++, y++)
        if (*x != *y)
            return *x < *y ? -1 : 1;
    return 0;
}
