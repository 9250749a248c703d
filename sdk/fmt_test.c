/* fmt_test.c: doubles as text and back, against libc's exact conversions. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/fmt.h"
#include "sdk/math.h"

static struct sdk_rng rng;

static double of_bits(uint64_t b)
{
    double x;
    memcpy(&x, &b, sizeof(x));
    return x;
}

/* All exponents alike, and values with few digits or few bits in between. */
static double draw(uint32_t i)
{
    uint64_t b = sdk_rng_u64(&rng);
    if (i % 4 == 1)
        return (double)(int64_t)(b >> (b & 63)) / 1e3;
    if (i % 4 == 2)
        b &= ~UINT64_C(0) << 44; /* near and at powers of 2 */
    if (i % 16 == 3)
        b &= ~(UINT64_C(0x7ff) << 52); /* subnormal */
    if ((b >> 52 & 0x7ff) == 0x7ff)
        b ^= UINT64_C(1) << 62;
    return of_bits(b);
}

static const double edges[] = {
    0.0,
    -0.0,
    1,
    -1,
    0.1,
    0.3,
    0.5,
    1.5,
    2.5,
    9.5,
    99.5,
    0.05,
    0.95,
    0.995,
    1e21,
    1e22,
    1e23,
    123456789012345680000.0,
    1e-6,
    1e-7,
    5e-324,
    1e-323,
    0x1p-1022,
    0x1.fffffffffffffp-1023,
    0x1.fffffffffffffp1023,
    0x1p1023,
    0x1p53,
    0x1p54,
    9007199254740993.0,
    0x1p-1074,
    4.35,
    1e100,
    123.456,
    8.5e-5,
    9.999999999999999e22,
    2.2250738585072011e-308,
    4.4501477170144023e-308,
};
enum { EDGES = sizeof(edges) / sizeof(edges[0]), DRAWS = 60000 };

static double edge_or_draw(uint32_t i)
{
    return i < EDGES ? edges[i] : i < 2 * EDGES ? -edges[i - EDGES] : draw(i);
}

/* The digits of a text without zeros around them. */
static uint32_t digits_of(const char *text, char *digits)
{
    uint32_t n = 0;
    for (; *text != '\0' && *text != 'e'; text++)
        if (*text >= '0' && *text <= '9' && (n > 0 || *text != '0'))
            digits[n++] = *text;
    while (n > 0 && digits[n - 1] == '0')
        n--;
    return n;
}

static void test_shortest(void **state)
{
    (void)state;
    sdk_rng_seed(&rng, 1);
    for (uint32_t i = 0; i < DRAWS; i++) {
        double x = edge_or_draw(i);
        char text[SDK_F64_MAX], other[64], digits[64], theirs[64];
        uint32_t len = sdk_f64_text(x, text);
        assert_int_equal(len, strlen(text));
        assert_true(len < SDK_F64_MAX);
        double back = strtod(text, NULL);
        if (memcmp(&back, &x, sizeof(x)) != 0)
            fail_msg("%a became %s", x, text);
        double ours = 0;
        assert_int_equal(sdk_parse_f64(text, len, &ours), TN_OK);
        assert_memory_equal(&ours, &x, sizeof(x));
        uint32_t n = digits_of(text, digits);
        if (n > 1) { /* one digit less does not do */
            snprintf(other, sizeof(other), "%.*e", (int)n - 2, x);
            assert_true(strtod(other, NULL) != x);
        }
        if (n > 0) { /* of that many digits, the nearest, where it reads back */
            snprintf(other, sizeof(other), "%.*e", (int)n - 1, x);
            if (strtod(other, NULL) == x) {
                assert_int_equal(digits_of(other, theirs), n);
                assert_memory_equal(theirs, digits, n);
            }
        }
    }
}

static void test_form(void **state)
{
    (void)state;
    static const struct {
        double x;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {0.1, "0.1"},
        {120, "120"},
        {1e20, "100000000000000000000"},
        {1e21, "1e+21"},
        {1.5e300, "1.5e+300"},
        {1e-6, "0.000001"},
        {1e-7, "1e-7"},
        {-1.25e-7, "-1.25e-7"},
        {5e-324, "5e-324"},
        {123.456, "123.456"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {-2.2250738585072014e-308, "-2.2250738585072014e-308"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
        {NAN, "nan"},
        {-NAN, "nan"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[SDK_F64_MAX];
        assert_int_equal(sdk_f64_text(cases[i].x, text), strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
}

static void test_fixed(void **state)
{
    (void)state;
    sdk_rng_seed(&rng, 2);
    for (uint32_t i = 0; i < DRAWS / 2; i++) {
        double x = edge_or_draw(i);
        uint32_t decimals = i < 2 * EDGES ? i % 21 : i % 4 == 1 ? i / 4 % 5 : i % 101;
        char text[512], theirs[512];
        uint32_t len = sdk_f64_fixed(x, decimals, text, sizeof(text));
        assert_int_equal(len, snprintf(theirs, sizeof(theirs), "%.*f", (int)decimals, x));
        assert_string_equal(text, theirs);
    }
    for (uint32_t decimals = 0; decimals <= SDK_DECIMALS_MAX + 1; decimals++) {
        char text[512], theirs[512]; /* the longest texts; one decimal more than there is is cut */
        uint32_t asked = decimals > SDK_DECIMALS_MAX ? SDK_DECIMALS_MAX : decimals;
        snprintf(theirs, sizeof(theirs), "%.*f", (int)asked, -0x1.fffffffffffffp1023);
        sdk_f64_fixed(-0x1.fffffffffffffp1023, decimals, text, sizeof(text));
        assert_string_equal(text, theirs);
    }
    for (uint32_t size = 0; size < 9; size++) {
        char text[10] = "#########";
        assert_int_equal(sdk_f64_fixed(-12.345, 3, text, size), 7);
        for (uint32_t i = size; i < 9; i++)
            assert_int_equal(text[i], '#');
        if (size > 0)
            assert_memory_equal(text, "-12.345", size - 1 < 7 ? size - 1 : 7);
    }
}

static void parse_as_libc(const char *text)
{
    double ours = 77, theirs = strtod(text, NULL);
    tn_err err = sdk_parse_f64(text, strlen(text), &ours);
    if (isinf(theirs)) {
        assert_int_equal(err, TN_ELIMIT);
        assert_true(ours == 77);
        return;
    }
    assert_int_equal(err, TN_OK);
    if (memcmp(&ours, &theirs, sizeof(ours)) != 0)
        fail_msg("%s: %a, not %a", text, ours, theirs);
}

/* Random digits and exponents, and texts at and near the middle of two doubles. */
static void test_parse(void **state)
{
    (void)state;
    static char text[2600];
    sdk_rng_seed(&rng, 3);
    for (uint32_t i = 0; i < 40000; i++) {
        uint32_t n = 1 + (uint32_t)sdk_rng_below(&rng, i % 8 == 0 ? 60 : 20), at = 0;
        uint32_t point = (uint32_t)sdk_rng_below(&rng, n + 3);
        for (uint32_t j = 0; j < n; j++) {
            if (j == point)
                text[at++] = '.';
            text[at++] = (char)('0' + sdk_rng_below(&rng, 10));
        }
        int e = (int)sdk_rng_below(&rng, i % 2 ? 700 : 50) - (i % 2 ? 350 : 25);
        snprintf(text + at, sizeof(text) - at, "e%d", e);
        parse_as_libc(text);
    }
    for (uint32_t i = 0; i < 3000; i++) {
        double x = fabs(edge_or_draw(i));
        double up = nextafter(x, INFINITY);
        if (isinf(up))
            continue;
        /* the middle is exact in 64 bits of mantissa, and its decimal text in 1100 digits */
        int len = snprintf(text, sizeof(text), "%.1100Lf", ((long double)x + (long double)up) / 2);
        assert_true(LDBL_MANT_DIG >= 64);
        parse_as_libc(text);
        text[len - 1] = '1'; /* a little above */
        parse_as_libc(text);
        snprintf(text, sizeof(text), "%.17g", x);
        parse_as_libc(text);
        snprintf(text, sizeof(text), "%.1080f", x);
        parse_as_libc(text);
    }
    static const char *const more[] = {
        "0",
        "-0",
        "+1",
        "00001",
        ".5",
        "5.",
        "0e999999999999",
        "0.0e-5",
        "1e400",
        "-1e400",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "179769313486231580793e289",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1e-400",
        "1e-99999999999",
        "4.9e-324",
        "9007199254740993",
        "9007199254740992.99999999999999999999999999999999",
        "0.000000000000000000000000000000000000000000000000000000000000000000000000000000001e81",
        "1E5",
        "1e+5",
        "1e99999999999",
    };
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
        parse_as_libc(more[i]);
}

/* Every power of ten that a double reaches, with more and fewer digits than 64 bits hold. */
static void test_powers(void **state)
{
    (void)state;
    char text[64];
    sdk_rng_seed(&rng, 4);
    for (int e = -370; e <= 330; e++) {
        for (uint32_t n = 1; n <= 24; n++) {
            for (uint32_t j = 0; j < n; j++)
                text[j] = (char)('0' + sdk_rng_below(&rng, 10));
            snprintf(text + n, sizeof(text) - n, "e%d", e);
            parse_as_libc(text);
        }
    }
}

static void test_no_number(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",      "-",    "+",     ".",   "e5",       "1e",  "1e+", "1e-", "1 ",  " 1",
        "1.2.3", "0x10", "1e5.0", "--1", "infinity", "INF", "na",  "1,5", ".e1", "1e5e5",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        double x = 77;
        assert_int_equal(sdk_parse_f64(bad[i], strlen(bad[i]), &x), TN_EFORMAT);
        assert_true(x == 77);
    }
    double x = 0;
    assert_int_equal(sdk_parse_f64("-inf", 4, &x), TN_OK);
    assert_true(x == -INFINITY);
    assert_int_equal(sdk_parse_f64("nan", 3, &x), TN_OK);
    assert_true(isnan(x));
}

static void test_whole(void **state)
{
    (void)state;
    uint64_t u = 77;
    int64_t i = 77;
    assert_int_equal(sdk_parse_u64("18446744073709551616", 20, &u), TN_ELIMIT);
    assert_int_equal(sdk_parse_u64("99999999999999999999999", 23, &u), TN_ELIMIT);
    assert_int_equal(sdk_parse_u64("-1", 2, &u), TN_EFORMAT);
    assert_int_equal(sdk_parse_u64("", 0, &u), TN_EFORMAT);
    assert_int_equal(sdk_parse_u64("99999999999999999999x", 21, &u), TN_EFORMAT);
    assert_true(u == 77);
    assert_int_equal(sdk_parse_u64("18446744073709551615", 20, &u), TN_OK);
    assert_true(u == UINT64_MAX);
    assert_int_equal(sdk_parse_i64("9223372036854775808", 19, &i), TN_ELIMIT);
    assert_int_equal(sdk_parse_i64("-9223372036854775809", 20, &i), TN_ELIMIT);
    assert_int_equal(sdk_parse_i64("-", 1, &i), TN_EFORMAT);
    assert_int_equal(sdk_parse_i64("", 0, &i), TN_EFORMAT);
    assert_true(i == 77);
    assert_int_equal(sdk_parse_i64("-9223372036854775808", 20, &i), TN_OK);
    assert_true(i == INT64_MIN);
    assert_int_equal(sdk_parse_i64("+0012", 5, &i), TN_OK);
    assert_true(i == 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shortest), cmocka_unit_test(test_form),
        cmocka_unit_test(test_fixed),    cmocka_unit_test(test_parse),
        cmocka_unit_test(test_powers),   cmocka_unit_test(test_no_number),
        cmocka_unit_test(test_whole),
    };
    return cmocka_run_group_tests_name("sdk_fmt", tests, NULL, NULL);
}
