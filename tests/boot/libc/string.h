/* string.h: as much of it as the kernel's tests use, for tests that run on a bare machine. */
#ifndef TESTS_BOOT_LIBC_STRING_H
#define TESTS_BOOT_LIBC_STRING_H

#include "base/bytes.h"

static inline size_t strlen(const char *z)
{
    return str_length(z);
}

#endif
