/* math_test.c: errors in ulp against libm's long double functions over many points, special values
 * against libm, and the random numbers' moments and first values. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/math.h"

static uint64_t bits(double x)
{
    uint64_t b;
    memcpy(&b, &x, sizeof(b));
    return b;
}

static double of_bits(uint64_t b)
{
    double x;
    memcpy(&x, &b, sizeof(x));
    return x;
}

/* Distance in units of the last place of the exact result. */
static double ulps(double got, long double want)
{
    double rounded = (double)want;
    if (isnan(got) || isnan(rounded))
        return isnan(got) && isnan(rounded) ? 0 : INFINITY;
    if (isinf(got) || isinf(rounded))
        return got == rounded ? 0 : INFINITY;
    double size = fabs(rounded);
    double unit = size < 0x1p-1022 ? 0x1p-1074 : ldexp(1, ilogb(size) - 52);
    return (double)(fabsl((long double)got - want) / (long double)unit);
}

static struct sdk_rng rng;

/* A double in [low, high], evenly or, when `spread`, by exponent. */
static double draw(double low, double high, int spread)
{
    if (!spread)
        return low + (high - low) * sdk_rng_f64(&rng);
    double x = exp2(log2(low) + (log2(high) - log2(low)) * sdk_rng_f64(&rng));
    return of_bits(bits(x) ^ (sdk_rng_u64(&rng) & 0xffff));
}

static void accuracy(const char *name, double (*ours)(double), long double (*theirs)(long double),
                     double low, double high, int spread, double most)
{
    double worst = 0, at = 0;
    for (int i = 0; i < 200000; i++) {
        double x = draw(low, high, spread);
        if (spread && i & 1 && strcmp(name, "log") != 0)
            x = -x;
        double error = ulps(ours(x), theirs(x));
        if (!(error <= worst)) {
            worst = error;
            at = x;
        }
    }
    printf("    %-6s %10.3g to %10.3g: %.3f ulp at %a\n", name, low, high, worst, at);
    if (!(worst <= most))
        fail_msg("%s: %g ulp at %a", name, worst, at);
}

static void test_accuracy(void **state)
{
    (void)state;
    sdk_rng_seed(&rng, 7);
    accuracy("exp", sdk_exp, expl, -1, 1, 0, 1);
    accuracy("exp", sdk_exp, expl, -745.5, 710, 0, 1);
    accuracy("exp", sdk_exp, expl, 1e-20, 700, 1, 1);
    accuracy("expm1", sdk_expm1, expm1l, -2, 2, 0, 2);
    accuracy("expm1", sdk_expm1, expm1l, 1e-300, 700, 1, 2);
    accuracy("log", sdk_log, logl, 0.5, 2, 0, 1);
    accuracy("log", sdk_log, logl, 5e-324, 1.7e308, 1, 1);
    accuracy("log1p", sdk_log1p, log1pl, -0.999, 1, 0, 2);
    accuracy("log1p", sdk_log1p, log1pl, 1e-300, 0.99, 1, 2);
    accuracy("log1p", sdk_log1p, log1pl, 1, 1e300, 0, 2);
    accuracy("tanh", sdk_tanh, tanhl, -3, 3, 0, 3);
    accuracy("tanh", sdk_tanh, tanhl, 1e-300, 30, 1, 3);
    accuracy("sin", sdk_sin, sinl, -10, 10, 0, 1);
    accuracy("cos", sdk_cos, cosl, -10, 10, 0, 1);
    accuracy("sin", sdk_sin, sinl, 1e-300, 1.7e308, 1, 1);
    accuracy("cos", sdk_cos, cosl, 1e-5, 1.7e308, 1, 1);
    accuracy("sin", sdk_sin, sinl, 1e4, 3e6, 0, 1);
    accuracy("cos", sdk_cos, cosl, 1e4, 3e6, 0, 1);
}

/* Multiples of pi/2, rounded: where almost nothing is left after the reduction. */
static void test_near_multiples(void **state)
{
    (void)state;
    double worst = 0;
    for (int k = 1; k < 2000000; k += k < 1000 ? 1 : 37) {
        double x = (double)(k * 1.57079632679489661923132169163975144L);
        double s = ulps(sdk_sin(x), sinl(x)), c = ulps(sdk_cos(x), cosl(x));
        worst = s > worst ? s : worst;
        worst = c > worst ? c : worst;
    }
    assert_true(worst <= 1);
    /* the double that is nearest to a multiple of pi/2 (Kahan), and the greatest */
    assert_true(ulps(sdk_cos(0x1.6ac5b262ca1ffp+849), cosl(0x1.6ac5b262ca1ffp+849)) <= 1);
    assert_true(ulps(sdk_sin(0x1.fffffffffffffp+1023), sinl(0x1.fffffffffffffp+1023)) <= 1);
}

static void test_pow(void **state)
{
    (void)state;
    double worst = 0, at[2] = {0, 0};
    sdk_rng_seed(&rng, 8);
    for (int i = 0; i < 600000; i++) {
        double x, y;
        if (i % 3 == 0) {
            x = draw(0.01, 100, 0);
            y = draw(-150, 150, 0);
        } else if (i % 3 == 1) {
            x = draw(1e-300, 1e300, 1);
            y = draw(1e-3, 2, 1) * (i & 1 ? 1 : -1);
        } else {
            x = 1 + draw(1e-12, 1e-3, 1) * (i & 1 ? 1 : -1);
            y = draw(1, 1e14, 1);
        }
        double error = ulps(sdk_pow(x, y), powl(x, y));
        if (!(error <= worst)) {
            worst = error;
            at[0] = x;
            at[1] = y;
        }
    }
    printf("    pow: %.3f ulp at %a %a\n", worst, at[0], at[1]);
    assert_true(worst <= 1);
}

static const double special[] = {
    0.0,
    -0.0,
    1,
    -1,
    2,
    -2,
    3,
    -3,
    0.5,
    -0.5,
    1.5,
    -1.5,
    INFINITY,
    -INFINITY,
    NAN,
    1e300,
    -1e300,
    5e-324,
    -5e-324,
    0x1p53,
    0x1p52,
    -0x1p52,
    0x1.fffffffffffffp52,
    -0x1.fffffffffffffp51,
    0x1p64,
    0x1p70,
    -0x1p70,
    709.782712893384,
    709.7827128933841,
    -745.1332191019411,
    -745.1332191019412,
    -745.13321910194122,
    2.5,
    -2.5,
    0.49999999999999994,
    0x1.fffffffffffffp-1,
    0x1.0000000000001p0,
    1e-20,
    4503599627370495.5,
};
enum { SPECIALS = sizeof(special) / sizeof(special[0]) };

/* The same number, the same sign of zero; and all NaN are one. */
static void same(const char *name, double ours, double theirs, double most)
{
    if (isnan(theirs))
        assert_true(bits(ours) == UINT64_C(0x7ff8000000000000));
    else if (theirs == 0 || isinf(theirs) || most == 0) {
        if (bits(ours) != bits(theirs))
            fail_msg("%s: %a, not %a", name, ours, theirs);
    } else if (!(ulps(ours, theirs) <= most))
        fail_msg("%s: %a, not %a", name, ours, theirs);
}

static void test_special(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPECIALS; i++) {
        double x = special[i];
        same("exp", sdk_exp(x), exp(x), 1);
        same("expm1", sdk_expm1(x), expm1(x), 2);
        same("log", sdk_log(x), log(x), 1);
        same("log1p", sdk_log1p(x), log1p(x), 2);
        same("sin", sdk_sin(x), sin(x), 1.5);
        same("cos", sdk_cos(x), cos(x), 1.5);
        same("tanh", sdk_tanh(x), tanh(x), 3);
        same("sqrt", sdk_sqrt(x), sqrt(x), 0);
        same("floor", sdk_floor(x), floor(x), 0);
        same("ceil", sdk_ceil(x), ceil(x), 0);
        same("trunc", sdk_trunc(x), trunc(x), 0);
        same("round", sdk_round(x), round(x), 0);
        same("fabs", sdk_fabs(x), isnan(x) ? x : fabs(x), 0);
        for (size_t j = 0; j < SPECIALS; j++)
            same("pow", sdk_pow(x, special[j]), pow(x, special[j]), 1.5);
    }
}

static void test_rng(void **state)
{
    (void)state;
    sdk_rng_seed(&rng, 0);
    assert_true(rng.s[0] == UINT64_C(0xe220a8397b1dcdaf)); /* SplitMix64's first, from its paper */
    rng = (struct sdk_rng){.s = {1, 2, 3, 4}};
    static const uint64_t first[] = {11520, 0, 1509978240, 1215971899390074240};
    for (int i = 0; i < 4; i++)
        assert_true(sdk_rng_u64(&rng) == first[i]);
    enum { DRAWS = 400000 };
    double mean = 0, square = 0, fourth = 0;
    uint32_t counts[7] = {0};
    sdk_rng_seed(&rng, 42);
    for (int i = 0; i < DRAWS; i++) {
        double x = sdk_rng_normal(&rng);
        mean += x / DRAWS;
        square += x * x / DRAWS;
        fourth += x * x * x * x / DRAWS;
        uint64_t die = sdk_rng_below(&rng, 7);
        assert_true(die < 7);
        counts[die]++;
        double f = sdk_rng_f64(&rng);
        assert_true(f >= 0 && f < 1);
    }
    /* six standard deviations of each moment's estimate */
    assert_true(fabs(mean) < 6 / sqrt(DRAWS));
    assert_true(fabs(square - 1) < 6 * sqrt(2.0 / DRAWS));
    assert_true(fabs(fourth - 3) < 6 * sqrt(96.0 / DRAWS));
    for (int i = 0; i < 7; i++)
        assert_true(fabs(counts[i] - DRAWS / 7.0) < 6 * sqrt(DRAWS * 6.0 / 49));
    assert_int_equal(sdk_rng_below(&rng, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accuracy), cmocka_unit_test(test_near_multiples),
        cmocka_unit_test(test_pow),      cmocka_unit_test(test_special),
        cmocka_unit_test(test_rng),
    };
    return cmocka_run_group_tests_name("math", tests, NULL, NULL);
}
