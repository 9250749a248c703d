/* detector_test.c: what is found in series made for it, what is not, and what is refused. */
#include "components/test/kit.h"

#include <math.h>
#include <stdbool.h>

#include "interfaces/demo_detect.h"
#include "sdk/math.h"

#define STEP_MS INT64_C(300000)
#define START   INT64_C(1394150400000)

enum { ROWS = 288 * 14 };

static uint64_t room[(TN_ARGS_MAX + 64) / 8];
static int64_t times[ROWS];
static double values[ROWS];

/* Two weeks of a daily wave with noise. */
static void make_series(double wave, double noise)
{
    struct sdk_rng rng;
    sdk_rng_seed(&rng, 7);
    for (int i = 0; i < ROWS; i++) {
        times[i] = START + i * STEP_MS;
        values[i] = 50 + wave * sin(i * 2 * 3.14159265358979 / 288) + noise * sdk_rng_normal(&rng);
    }
}

static struct demo_detect_finish_reply detect(uint32_t piece)
{
    struct demo_detect_finish_reply reply;
    kit_start();
    assert_int_equal(demo_detect_begin(KIT_SELF, 0, TN_NEVER), TN_OK);
    for (uint32_t i = 0; i < ROWS; i += piece) {
        uint32_t n = ROWS - i < piece ? ROWS - i : piece;
        assert_int_equal(
            demo_detect_feed(KIT_SELF, times + i, n, values + i, n, room, sizeof(room), TN_NEVER),
            TN_OK);
    }
    assert_int_equal(demo_detect_finish(KIT_SELF, &reply, room, sizeof(room), TN_NEVER), TN_OK);
    return reply;
}

static void test_quiet(void **unused)
{
    (void)unused;
    make_series(0, 1);
    assert_int_equal(detect(1000).found, 0);
    make_series(20, 1);
    assert_int_equal(detect(1000).found, 0);
    make_series(0, 0);
    assert_int_equal(detect(1000).found, 0);
}

static void test_spike(void **unused)
{
    (void)unused;
    make_series(10, 1);
    values[3000] = 150;
    struct demo_detect_finish_reply r = detect(1000);
    assert_int_equal(r.found, 1);
    assert_int_equal(tn_i64s_at(r.peaks_ms, 0), times[3000]);
    assert_true(tn_f64s_at(r.values, 0) == 150);
    assert_int_equal(tn_u8s_at(r.directions, 0), DEMO_DETECT_HIGH);
    assert_true(tn_f64s_at(r.scores, 0) > 1);
    assert_true(fabs(tn_f64s_at(r.expected, 0) - 55) < 15);
}

static void test_shift_down(void **unused)
{
    (void)unused;
    make_series(0, 1);
    for (int i = 3000; i < ROWS; i++)
        values[i] -= 12;
    struct demo_detect_finish_reply r = detect(1000);
    assert_true(r.found >= 1);
    assert_true(tn_i64s_at(r.starts_ms, 0) >= times[3000]);
    assert_true(tn_i64s_at(r.starts_ms, 0) <= times[3012]);
    assert_int_equal(tn_u8s_at(r.directions, 0), DEMO_DETECT_LOW);
}

/* The same rows give the same findings, in whatever pieces; nothing in the warm-up counts. */
static void test_pieces_and_warm_up(void **unused)
{
    (void)unused;
    make_series(10, 1);
    values[100] = 500;
    values[3000] = 150;
    struct demo_detect_finish_reply whole = detect(4000);
    double score = tn_f64s_at(whole.scores, 0);
    assert_int_equal(whole.found, 1);
    assert_int_equal(whole.warm_up_ms, times[2 * 288 - 1]);
    struct demo_detect_finish_reply pieces = detect(17);
    assert_int_equal(pieces.found, 1);
    assert_true(tn_f64s_at(pieces.scores, 0) == score);
}

/* A detection a day after the last one belongs to its finding; a row later it is another. */
static void test_merging(void **unused)
{
    (void)unused;
    make_series(0, 1);
    values[2000] = 500;
    int64_t end = tn_i64s_at(detect(1000).ends_ms, 0);
    int last = (int)((end - START) / STEP_MS);
    for (int apart = 288; apart <= 289; apart++) {
        make_series(0, 1);
        values[2000] = 500;
        values[last + apart] = -500;
        assert_int_equal(detect(1000).found, apart == 288 ? 1 : 2);
    }
}

static void test_refusals(void **unused)
{
    (void)unused;
    struct demo_detect_finish_reply r;
    kit_start();
    make_series(0, 1);
    assert_int_equal(demo_detect_feed(KIT_SELF, times, 1, values, 1, room, sizeof(room), TN_NEVER),
                     DEMO_DETECT_E_NOT_BEGUN);
    assert_int_equal(demo_detect_finish(KIT_SELF, &r, room, sizeof(room), TN_NEVER),
                     DEMO_DETECT_E_NOT_BEGUN);
    assert_int_equal(demo_detect_begin(KIT_SELF, 0, TN_NEVER), TN_OK);
    assert_int_equal(demo_detect_feed(KIT_SELF, times, 2, values, 1, room, sizeof(room), TN_NEVER),
                     DEMO_DETECT_E_UNEQUAL);
    int64_t odd_times[6] = {5000, 5000, 4000, INT64_MAX, INT64_MIN, 6000};
    double odd_values[6] = {1, 1, 1, 1, 1, NAN};
    assert_int_equal(
        demo_detect_feed(KIT_SELF, odd_times, 6, odd_values, 6, room, sizeof(room), TN_NEVER),
        TN_OK);
    assert_int_equal(demo_detect_finish(KIT_SELF, &r, room, sizeof(room), TN_NEVER), TN_OK);
    assert_int_equal(r.disordered, 5);
    assert_int_equal(r.found, 0);
}

/* Values that no series has: nothing overflows into nonsense, the list has its limit. */
static void test_extremes(void **unused)
{
    (void)unused;
    make_series(0, 1);
    for (int i = 1000; i < ROWS; i += 300)
        values[i] = i % 600 == 100 ? 1.7e308 : -1.7e308;
    struct demo_detect_finish_reply r = detect(1000);
    assert_true(r.starts_ms.count <= DEMO_DETECT_FINDINGS_MAX);
    for (uint32_t i = 0; i < r.scores.count; i++)
        assert_true(sdk_isfinite(tn_f64s_at(r.scores, i)));
}

static int stop(void **unused)
{
    (void)unused;
    kit_stop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quiet),    cmocka_unit_test(test_spike),
        cmocka_unit_test(test_merging),  cmocka_unit_test(test_pieces_and_warm_up),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_shift_down),
        cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, stop);
}
