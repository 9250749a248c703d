/* decimal_test.c: decimal text to doubles, bit for bit as glibc's strtod, which is exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "toml/toml_int.h"

static void check(const char *text)
{
    double want = strtod(text, NULL);
    double got = -1;
    bool fits = toml_decimal(str_of(text), &got);
    bool finite = want <= 1.7976931348623157e308;
    if (fits != finite || (fits && memcmp(&got, &want, sizeof(got)) != 0))
        fail_msg("%.60s: got %a, want %a", text, got, want);
}

static void test_known(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "0",
        "0.0",
        "0e0",
        "0e999999999999999999",
        "1",
        "0.1",
        "0.3",
        "3.14",
        "1e22",
        "1e23",
        "123456789012345678",
        "9007199254740991",
        "9007199254740992",
        "9007199254740993",
        "9007199254740993.0000000000000000000000000000000000001",
        "9007199254740995e0",
        "8.5e22",
        "4503599627370496.5",
        "4503599627370497.5",
        /* the least normal, the greatest subnormal, between them */
        "2.2250738585072014e-308",
        "2.2250738585072011e-308",
        "2.2250738585072012e-308",
        "4.9406564584124654e-324",
        "5e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "7.4e-324",
        "7.5e-324",
        "1e-323",
        "1e-324",
        "1e-325",
        "1e-1000000000000",
        /* the greatest, and half a unit more */
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "1e308",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017"
        "977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273"
        "854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704"
        "342711559699508093042880",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017"
        "977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273"
        "854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704"
        "342711559699508093042879.99999",
        "1e309",
        "1e999999999999",
        "18446744073709551615",
        "18446744073709551616e-10",
        "6.631236846766476e-316",
        "3.237883913302901e-319",
        "1.5e-5",
        "0.000000000000000000001e21",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check(cases[i]);
}

static void test_underscores(void **state)
{
    (void)state;
    double got = 0;
    assert_true(toml_decimal(STR("1_000.000_1e1_0"), &got));
    assert_true(got == 1000.0001e10);
}

/* Always the same numbers (Knuth's MMIX constants). */
static uint64_t random_from(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed ^ *seed >> 33;
}

static double random_double(uint64_t *seed)
{
    uint64_t bits = random_from(seed) & 0x7fffffffffffffffu;
    if (bits >> 52 == 0x7ff)
        bits &= ~(1ull << 62);
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void test_every_double_comes_back(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (uint32_t i = 0; i < 100000; i++) {
        char text[64];
        snprintf(text, sizeof(text), "%.*e", (int)(15 + i % 5), random_double(&seed));
        check(text);
    }
}

static void test_random_digits(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (uint32_t i = 0; i < 20000; i++) {
        char text[1100];
        size_t n = 1 + random_from(&seed) % (i % 16 == 0 ? 1000 : 30);
        size_t point = 1 + random_from(&seed) % n;
        size_t at = 0;
        for (size_t k = 0; k < n; k++) {
            text[at++] = (char)('0' + random_from(&seed) % 10);
            if (k + 1 == point && k + 1 < n)
                text[at++] = '.';
        }
        int64_t exp = (int64_t)(random_from(&seed) % 700) - 350 - (int64_t)point;
        snprintf(text + at, sizeof(text) - at, "e%lld", (long long)exp);
        check(text);
    }
}

/* A midpoint between two doubles, exactly; then a little under and over it. */
static void check_midpoint(uint64_t bits)
{
    double low, high;
    memcpy(&low, &bits, sizeof(low));
    bits++;
    memcpy(&high, &bits, sizeof(high));
    char text[1300];
    long double middle = ((long double)low + (long double)high) / 2;
    int n = snprintf(text, sizeof(text), "%.1100Le", middle);
    assert_true(n > 0 && (size_t)n < sizeof(text));
    check(text);
    /* The digits end with zeros: the last before the e becomes a 1. */
    char *e = strchr(text, 'e');
    e[-1] = '1';
    check(text);
    /* One less in the last digit that is not 0, and nines after it. */
    char *last = e - 2;
    while (*last == '0')
        *last-- = '9';
    (*last)--;
    check(text);
}

static void test_midpoints(void **state)
{
    (void)state;
    uint64_t seed = 3;
    check_midpoint(0);
    check_midpoint(1);
    check_midpoint(0x000fffffffffffffu);
    check_midpoint(0x0010000000000000u);
    check_midpoint(0x7feffffffffffffeu);
    for (uint32_t i = 0; i < 1000; i++) {
        double value = random_double(&seed);
        uint64_t bits;
        memcpy(&bits, &value, sizeof(bits));
        check_midpoint(i % 4 == 0 ? bits & 0x001fffffffffffffu : bits);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_underscores),
        cmocka_unit_test(test_every_double_comes_back),
        cmocka_unit_test(test_random_digits),
        cmocka_unit_test(test_midpoints),
    };
    return cmocka_run_group_tests_name("toml_decimal", tests, NULL, NULL);
}
