/* utf8.h: checking and coding UTF-8 (RFC 3629: no surrogates, no overlong forms). */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the scalar value that starts at `at`, 1 to 4, and the value; 0 when the bytes are not
 * UTF-8 or end early. */
uint32_t utf8_decode(const uint8_t *at, size_t len, uint32_t *ret_scalar);
/* Writes 1 to 4 bytes and returns how many; 0 for what is no scalar value. */
uint32_t utf8_put(uint32_t scalar, uint8_t ret_bytes[4]);
/* Index of the first byte that is not part of valid UTF-8, or `len`. */
size_t utf8_valid_prefix(const uint8_t *at, size_t len);

static inline bool utf8_valid(const uint8_t *at, size_t len)
{
    return utf8_valid_prefix(at, len) == len;
}

#endif
