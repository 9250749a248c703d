/* bytes.h: memory and text by pointer and length. mem* come from libc, or from machine/bare. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *at, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* memcpy for n <= 32 without a call: two copies of a fixed size that may overlap. */
static inline void bytes_copy_short(void *restrict to, const void *restrict from, size_t n)
{
    unsigned char *t = to;
    const unsigned char *f = from;
    if (n == 8) { /* by far the most frequent */
        __builtin_memcpy(t, f, 8);
    } else if (n >= 16) {
        __builtin_memcpy(t, f, 16);
        __builtin_memcpy(t + n - 16, f + n - 16, 16);
    } else if (n > 8) {
        __builtin_memcpy(t, f, 8);
        __builtin_memcpy(t + n - 8, f + n - 8, 8);
    } else {
        for (size_t i = 0; i < n; i++)
            t[i] = f[i];
    }
}

/* Text that somebody else owns; not terminated. */
struct str {
    const char *at;
    size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})

static inline size_t str_length(const char *z)
{
    size_t n = 0;
    while (z[n] != '\0')
        n++;
    return n;
}

static inline struct str str_of(const char *z)
{
    return (struct str){z, str_length(z)};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

#endif
