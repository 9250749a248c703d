/* stdio.h: as much of it as the kernel's tests use, for tests that run on a bare machine. */
#ifndef TESTS_BOOT_LIBC_STDIO_H
#define TESTS_BOOT_LIBC_STDIO_H

#include <stddef.h>

__attribute__((format(printf, 3, 4))) int snprintf(char *at, size_t size, const char *format, ...);

#endif
