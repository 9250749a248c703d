/* fmt.h: bounded formatting with printf's words: %s %c %d %i %u %x %X %% with the flags - and 0,
 * width and precision (numbers or *), and the lengths hh h l ll z j t. No floating point (sdk/fmt.h
 * has it) and no %p: no address enters a trace. The compiler checks the arguments. */
#ifndef BASE_FMT_H
#define BASE_FMT_H

#include <stdarg.h>
#include <stddef.h>

#define FMT_LIKE(text, first) __attribute__((format(printf, text, first)))

/* Writes at most size - 1 bytes and a terminating zero into `at` (nothing when size is 0; `at` may
 * then be NULL). Returns the length that the whole text has, without the zero: it was cut when
 * that is >= size. A conversion that is not in the list above is written as it stands, and ends
 * the use of arguments. */
size_t fmt_print(char *at, size_t size, const char *format, ...) FMT_LIKE(3, 4);
size_t fmt_vprint(char *at, size_t size, const char *format, va_list args) FMT_LIKE(3, 0);
/* Writes after the first `used` bytes of the text in `at` and returns the new length; `used` may
 * be the result of a call that did not fit: then only the length grows. */
size_t fmt_add(char *at, size_t size, size_t used, const char *format, ...) FMT_LIKE(4, 5);

#endif
