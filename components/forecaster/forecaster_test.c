/* forecaster_test.c: what is simulated follows from the rows and the seed, and stays in bounds. */
#include "components/test/kit.h"

#include <math.h>

#include "interfaces/demo_forecast.h"
#include "sdk/math.h"

#define STEP_MS INT64_C(300000)

enum { ROWS = 3000 };

static uint64_t room[(TN_ARGS_MAX + 64) / 8], reply_room[(TN_ARGS_MAX + 64) / 8];
static int64_t times[ROWS];
static double values[ROWS];

static void make_series(double level, double noise)
{
    struct sdk_rng rng;
    sdk_rng_seed(&rng, 3);
    for (int i = 0; i < ROWS; i++) {
        times[i] = i * STEP_MS;
        values[i] = level + noise * sdk_rng_normal(&rng);
    }
}

static struct demo_forecast_finish_reply forecast(uint64_t seed, uint32_t paths, uint32_t rows)
{
    struct demo_forecast_finish_reply reply;
    kit_start();
    assert_int_equal(demo_forecast_begin(KIT_SELF, seed, paths, 24, TN_NEVER), TN_OK);
    assert_int_equal(
        demo_forecast_feed(KIT_SELF, times, rows, values, rows, room, sizeof(room), TN_NEVER),
        TN_OK);
    assert_int_equal(
        demo_forecast_finish(KIT_SELF, &reply, reply_room, sizeof(reply_room), TN_NEVER), TN_OK);
    return reply;
}

static void test_shape(void **unused)
{
    (void)unused;
    make_series(50, 2);
    struct demo_forecast_finish_reply r = forecast(1, 2000, ROWS);
    assert_int_equal(r.paths, 2000);
    assert_int_equal(r.step_ms, STEP_MS);
    assert_int_equal(r.times_ms.count, 24);
    for (uint32_t i = 0; i < 24; i++) {
        double low = tn_f64s_at(r.low, i), lower = tn_f64s_at(r.lower, i);
        double middle = tn_f64s_at(r.middle, i), upper = tn_f64s_at(r.upper, i);
        double high = tn_f64s_at(r.high, i), cross = tn_f64s_at(r.cross, i);
        assert_int_equal(tn_i64s_at(r.times_ms, i), times[ROWS - 1] + (i + 1) * STEP_MS);
        assert_true(low <= lower && lower <= middle && middle <= upper && upper <= high);
        /* of a normal distribution around 50 with deviation 2 */
        assert_true(fabs(middle - 50) < 1 && fabs(high - 53.3) < 1 && fabs(low - 46.7) < 1);
        assert_true(cross >= 0 && cross <= r.cross_any && r.cross_any <= 1);
    }
}

static void test_repeats(void **unused)
{
    (void)unused;
    struct demo_forecast_finish_reply again;
    make_series(50, 2);
    uint64_t hash = forecast(1, 500, ROWS).hash;
    assert_int_equal(
        demo_forecast_finish(KIT_SELF, &again, reply_room, sizeof(reply_room), TN_NEVER), TN_OK);
    assert_true(again.hash == hash);
    assert_true(forecast(1, 500, ROWS).hash == hash);
    assert_true(forecast(2, 500, ROWS).hash != hash);
    values[ROWS - 1] += 1;
    assert_true(forecast(1, 500, ROWS).hash != hash);
}

static void test_bounds(void **unused)
{
    (void)unused;
    make_series(1, 3);
    for (int i = 0; i < ROWS; i++)
        values[i] = values[i] < 0 ? 0 : values[i] > 5 ? 5 : values[i];
    struct demo_forecast_finish_reply r = forecast(1, 0, ROWS);
    assert_int_equal(r.paths, DEMO_FORECAST_PATHS_MAX);
    assert_true(r.cross_any == 0); /* 5 is a ceiling */
    for (uint32_t i = 0; i < 24; i++)
        assert_true(tn_f64s_at(r.low, i) >= 0 && tn_f64s_at(r.high, i) <= 5);
    make_series(7, 0);
    r = forecast(1, 100, ROWS);
    assert_true(tn_f64s_at(r.low, 23) == 7 && tn_f64s_at(r.high, 23) == 7);
}

static void test_refusals(void **unused)
{
    (void)unused;
    struct demo_forecast_finish_reply r;
    make_series(50, 2);
    kit_start();
    assert_int_equal(demo_forecast_finish(KIT_SELF, &r, room, sizeof(room), TN_NEVER),
                     DEMO_FORECAST_E_NOT_BEGUN);
    assert_int_equal(demo_forecast_begin(KIT_SELF, 1, 10, 10, TN_NEVER), TN_OK);
    assert_int_equal(
        demo_forecast_feed(KIT_SELF, times, 3, values, 2, room, sizeof(room), TN_NEVER),
        DEMO_FORECAST_E_UNEQUAL);
    uint32_t few = DEMO_FORECAST_ROWS_MIN - 1;
    assert_int_equal(
        demo_forecast_feed(KIT_SELF, times, few, values, few, room, sizeof(room), TN_NEVER), TN_OK);
    assert_int_equal(demo_forecast_finish(KIT_SELF, &r, room, sizeof(room), TN_NEVER),
                     DEMO_FORECAST_E_TOO_FEW);
    assert_int_equal(forecast(1, 10, DEMO_FORECAST_ROWS_MIN).times_ms.count, 24);
}

/* Rows that no series has are left out, or do no harm. */
static void test_extremes(void **unused)
{
    (void)unused;
    make_series(50, 2);
    values[10] = 1e308;
    values[11] = NAN;
    times[12] = INT64_MAX;
    values[13] = -1e149;
    for (int i = 100; i < 200; i++)
        times[i] = -times[i];
    struct demo_forecast_finish_reply r = forecast(1, 100, ROWS);
    for (uint32_t i = 0; i < 24; i++)
        assert_true(sdk_isfinite(tn_f64s_at(r.middle, i)));
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
        cmocka_unit_test(test_shape),    cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_bounds),   cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, stop);
}
