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
