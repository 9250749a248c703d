/* plotter_test.c: pictures of series of any length, in pieces, within their room. */
#include "components/test/kit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "components/plotter/plotter_int.h"

#define STEP_MS INT64_C(300000)

enum { ROWS = 4000 };

static uint64_t room[(TN_ARGS_MAX + 64) / 8];
static int64_t times[ROWS];
static double values[ROWS];
static char svg[PLOT_SVG_BYTES + 1];

static void begin(const char *title)
{
    kit_start();
    assert_int_equal(
        demo_plot_begin(KIT_SELF, title, (uint32_t)strlen(title), room, sizeof(room), TN_NEVER),
        TN_OK);
}

static void feed(uint32_t n)
{
    assert_int_equal(demo_plot_feed(KIT_SELF, times, n, values, n, room, sizeof(room), TN_NEVER),
                     TN_OK);
}

static void draw(void)
{
    struct demo_plot_draw_reply drawn = {0};
    struct demo_plot_read_reply piece = {0};
    uint32_t len = 0;
    assert_int_equal(demo_plot_draw(KIT_SELF, &drawn, TN_NEVER), TN_OK);
    do {
        assert_int_equal(demo_plot_read(KIT_SELF, len, &piece, room, sizeof(room), TN_NEVER),
                         TN_OK);
        memcpy(svg + len, piece.data.at, piece.data.len);
        len += piece.data.len;
    } while (piece.data.len > 0);
    svg[len] = '\0';
    assert_int_equal(len, drawn.size_bytes);
    assert_non_null(strstr(svg, "<svg "));
    assert_string_equal(svg + len - 7, "</svg>\n");
    assert_null(strstr(svg, "nan"));
    assert_null(strstr(svg, "inf"));
}

/* A million rows; the only spike is still in the picture, at the top of its scale. */
static void test_million(void **unused)
{
    (void)unused;
    begin("a & \"b\" <c>");
    for (int part = 0; part < 250; part++) {
        for (int i = 0; i < ROWS; i++) {
            times[i] = ((int64_t)part * ROWS + i) * STEP_MS;
            values[i] = part == 100 && i == 77 ? 1000 : i % 7;
        }
        feed(ROWS);
    }
    struct demo_plot_about_reply about;
    assert_int_equal(demo_plot_about(KIT_SELF, &about, TN_NEVER), TN_OK);
    assert_int_equal(about.rows, 250 * ROWS);
    draw();
    assert_non_null(strstr(svg, "a &amp; &quot;b&quot; &lt;c&gt;"));
    assert_non_null(strstr(svg, ">1000<"));
}

static void test_everything(void **unused)
{
    static int64_t starts[DEMO_PLOT_MARKS_MAX], ends[DEMO_PLOT_MARKS_MAX];
    static double at[DEMO_PLOT_MARKS_MAX], line[DEMO_PLOT_STEPS_MAX];
    static uint8_t alarms[DEMO_PLOT_MARKS_MAX];
    static int64_t next[DEMO_PLOT_STEPS_MAX];
    uint32_t n = DEMO_PLOT_MARKS_MAX, s = DEMO_PLOT_STEPS_MAX, size = sizeof(room);
    (void)unused;
    begin("full");
    for (int i = 0; i < ROWS; i++) {
        times[i] = 1394150400000 + i * STEP_MS;
        values[i] = sin(i) * 1e7;
    }
    feed(ROWS);
    for (uint32_t i = 0; i < n; i++) {
        starts[i] = times[i * 10];
        ends[i] = times[i * 10 + 5];
        at[i] = -1.23456789e6;
        alarms[i] = i % 2;
    }
    for (uint32_t i = 0; i < s; i++) {
        next[i] = times[ROWS - 1] + (i + 1) * STEP_MS;
        line[i] = i;
    }
    assert_int_equal(demo_plot_windows(KIT_SELF, starts, n, ends, n, room, size, TN_NEVER), TN_OK);
    assert_int_equal(demo_plot_findings(KIT_SELF, starts, n, ends, n, starts, n, at, n, alarms, n,
                                        room, size, TN_NEVER),
                     TN_OK);
    assert_int_equal(demo_plot_forecast(KIT_SELF, 0, next, s, line, s, line, s, line, s, line, s,
                                        line, s, room, size, TN_NEVER),
                     TN_OK);
    draw();
    assert_non_null(strstr(svg, "found, not labelled"));
    assert_non_null(strstr(svg, "highest so far"));
    assert_int_equal(demo_plot_windows(KIT_SELF, starts, 2, ends, 1, room, size, TN_NEVER),
                     DEMO_PLOT_E_UNEQUAL);
}

/* Series that are hard to draw. */
static void test_odd(void **unused)
{
    static const double odd[][3] = {
        {5, 5, 5},    {0, 0, 0},          {1e308, -1e308, 0}, {1e-300, 0, 0},
        {-1, -1, -1}, {NAN, INFINITY, 1}, {1e15, 1e15, 1},    {1e300, 1e300, 1e300}};
    (void)unused;
    for (size_t k = 0; k < sizeof(odd) / sizeof(odd[0]); k++) {
        for (int t = 0; t < 3; t++) {
            static const int64_t when[3][3] = {
                {0, 1, 2}, {5, 5, 5}, {-62135596800000, 0, 253402300000000}};
            begin("odd");
            memcpy(times, when[t], sizeof(when[t]));
            memcpy(values, odd[k], sizeof(odd[k]));
            feed(3);
            draw();
        }
    }
}

static void test_refusals(void **unused)
{
    struct demo_plot_draw_reply drawn;
    (void)unused;
    kit_start();
    assert_int_equal(demo_plot_draw(KIT_SELF, &drawn, TN_NEVER), DEMO_PLOT_E_NOT_BEGUN);
    assert_int_equal(demo_plot_feed(KIT_SELF, times, 1, values, 1, room, sizeof(room), TN_NEVER),
                     DEMO_PLOT_E_NOT_BEGUN);
    begin("");
    assert_int_equal(demo_plot_draw(KIT_SELF, &drawn, TN_NEVER), DEMO_PLOT_E_NO_ROWS);
    assert_int_equal(demo_plot_feed(KIT_SELF, times, 1, values, 2, room, sizeof(room), TN_NEVER),
                     DEMO_PLOT_E_UNEQUAL);
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
        cmocka_unit_test(test_million),
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_odd),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, stop);
}
