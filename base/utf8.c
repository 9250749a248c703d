/* utf8.c: checking and coding UTF-8. */
#include "base/utf8.h"

static bool is_scalar(uint32_t c)
{
    return c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

uint32_t utf8_decode(const uint8_t *at, size_t len, uint32_t *ret_scalar)
{
    if (len == 0)
        return 0;
    uint8_t first = at[0];
    if (first < 0x80) {
        *ret_scalar = first;
        return 1;
    }
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || len < n)
        return 0;
    uint32_t c = first & (0x7fu >> n);
    for (uint32_t i = 1; i < n; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (at[i] & 0x3fu);
    }
    if (c < least[n] || !is_scalar(c))
        return 0;
    *ret_scalar = c;
    return n;
}

uint32_t utf8_put(uint32_t c, uint8_t ret_bytes[4])
{
    if (!is_scalar(c))
        return 0;
    if (c < 0x80) {
        ret_bytes[0] = (uint8_t)c;
        return 1;
    }
    uint32_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (uint32_t i = n - 1; i > 0; i--) {
        ret_bytes[i] = (uint8_t)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    ret_bytes[0] = (uint8_t)((0xf00u >> n) | c);
    return n;
}

size_t utf8_valid_prefix(const uint8_t *at, size_t len)
{
    size_t i = 0;
    while (i < len) {
        uint32_t c;
        uint32_t n = utf8_decode(at + i, len - i, &c);
        if (n == 0)
            break;
        i += n;
    }
    return i;
}
