/* fmt.h: numbers as text and text as numbers, with the same result in every domain. Conversions of
 * doubles are exact: what is printed shortest reads back as the same bits, and what is printed or
 * read with any number of digits is rounded correctly (half to even). For text with numbers in it,
 * see base/fmt.h. */
#ifndef SDK_FMT_H
#define SDK_FMT_H

#include <stddef.h>
#include <stdint.h>
#include <tenon/component.h>

enum {
    SDK_F64_MAX = 32,       /* bytes that sdk_f64_text needs at most, with the zero */
    SDK_DECIMALS_MAX = 100, /* most digits after the point */
};

/* The shortest text that reads back as x, written as JavaScript does: 0.1, 120, 1e+21, 1.5e-7; also
 * -0, inf, -inf, nan. Terminated; returns the length. */
uint32_t sdk_f64_text(double x, char ret_text[SDK_F64_MAX]);
/* x with that many digits after the point (at most SDK_DECIMALS_MAX; more count as that). Writes at
 * most size - 1 bytes and a zero, nothing when size is 0; returns the whole length. */
uint32_t sdk_f64_fixed(double x, uint32_t decimals, char *at, uint32_t size);

/* Each reads all of the text, which has no spaces: TN_EFORMAT when it is no number of the kind,
 * TN_ELIMIT when it is one that the type cannot hold. Whole numbers are decimal, with a sign where
 * the type has one; doubles are [+-]digits[.digits][e[+-]digits], with a digit before or after the
 * point, or what sdk_f64_text writes. A double too small becomes 0. */
TN_MUST tn_err sdk_parse_u64(const char *at, size_t len, uint64_t *ret_x);
TN_MUST tn_err sdk_parse_i64(const char *at, size_t len, int64_t *ret_x);
TN_MUST tn_err sdk_parse_f64(const char *at, size_t len, double *ret_x);

#endif
