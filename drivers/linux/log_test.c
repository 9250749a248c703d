/* log_test.c: a line says truly who wrote it, and no text can be more than one line or act on a
 * terminal. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bits.h"
#include "drivers/linux/drivers.h"
#include "drivers/linux/log.h"
#include "interfaces/tenon_log.h"

static struct log *start_with(const struct tn_component *driver, uint32_t writers, tn_err expected)
{
    static uint8_t room[TN_ARGS_MAX];
    struct log *log = calloc(1, driver->state_size);
    struct tn_pack config = tn_pack_room(room, sizeof(room));
    for (uint32_t i = 0; i < writers; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), i == 0 ? "web" : "writer%u", i);
        struct tn_grant grant = {.badge = i + 1,
                                 .kind = TN_GRANT_NAME,
                                 .text = name,
                                 .text_len = (uint32_t)strlen(name)};
        assert_int_equal(tn_grants_add(&config, grant), TN_OK);
    }
    struct tn_turn turn = {0};
    assert_int_equal(driver->load(log, &turn, &config), expected);
    return log;
}

static struct log *start(uint32_t writers, tn_err expected)
{
    return start_with(&driver_linux_log, writers, expected);
}

static tn_time now = 12345678901;

/* Runs one write with standard error in a file; what it wrote. */
static const char *logged(struct log *log, uint64_t badge, uint8_t level, const char *text,
                          size_t len)
{
    static char line[32768];
    static uint64_t args[1024];
    char path[] = "/tmp/tenon-log-XXXXXX";
    int file = mkstemp(path), was = dup(STDERR_FILENO);
    assert_true(file >= 0 && was >= 0 && unlink(path) == 0);
    struct tn_pack in = tn_pack_room(args, sizeof(args));
    struct tenon_log_write_args what = {.level = level, .text = {text, (uint32_t)len}};
    assert_int_equal(tenon_log_write_args_encode(&what, &in), TN_OK);
    struct tn_turn turn = {
        .badge = badge, .method = TENON_LOG_WRITE, .now = now, .flags = TN_TURN_ONEWAY};
    (void)fflush(stderr);
    assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
    driver_linux_log.event(log, &turn, &in);
    assert_int_equal(dup2(was, STDERR_FILENO), STDERR_FILENO);
    ssize_t n = pread(file, line, sizeof(line) - 1, 0);
    assert_true(n >= 0);
    line[n] = '\0';
    (void)close(file);
    (void)close(was);
    return line;
}

static void test_errors_only(void **state)
{
    (void)state;
    struct log *log = start_with(&driver_linux_log_errors, 1, TN_OK);
    for (uint8_t level = TENON_LOG_DEBUG; level <= TENON_LOG_PROGRESS; level++)
        assert_string_equal(logged(log, 1, level, "x", 1),
                            level == TENON_LOG_ERROR ? "[   12.345678] web error: x\n" : "");
    assert_string_equal(logged(log, 1, 200, "x", 1), "[   12.345678] web error: x\n");
    assert_int_equal(log->lines, 2);
    assert_int_equal(log->lost, 0);
    free(log);
}

static void test_lines(void **state)
{
    (void)state;
    struct log *log = start(2, TN_OK);
    assert_string_equal(logged(log, 1, TENON_LOG_INFO, "ready", 5),
                        "[   12.345678] web info: ready\n");
    assert_string_equal(logged(log, 2, TENON_LOG_DEBUG, "", 0), "[   12.345678] writer1 debug: \n");
    assert_string_equal(logged(log, 99, TENON_LOG_WARNING, "who", 3),
                        "[   12.345678] badge-63 warning: who\n");
    assert_string_equal(logged(log, 1, 200, "x", 1), "[   12.345678] web error: x\n");
    assert_int_equal(log->lines, 4);
    assert_int_equal(log->lost, 0);
    assert_true(log->bytes > 100);
    struct tn_turn turn = {.badge = 1, .method = TENON_LOG_WRITE + 1};
    struct tn_pack in = {0};
    assert_int_equal(driver_linux_log.call(log, &turn, &in, NULL), TN_EMETHOD);
    free(log);
}

static void test_escapes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        const char *shown;
    } cases[] = {
        {"a\nb\tc\\", 6, "a\\nb\\tc\\\\"},
        {"\x1b[2J\x7f\0\r", 7, "\\x1b[2J\\x7f\\x00\\x0d"},
        {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", 15,
         "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xc2\x9b", 2, "\\u{9b}"}, /* C1: begins a sequence, like ESC [ */
        {"\xe2\x80\xae"
         "x\xe2\x81\xa6",
         7, "\\u{202e}x\\u{2066}"}, /* turns text around */
        {"\xe2\x80\xa8", 3, "\\u{2028}"},
        {"\xff\xc3", 2, "\\xff\\xc3"}, /* not UTF-8, cut */
        {"\xed\xa0\x80", 3, "\\xed\\xa0\\x80"},
    };
    struct log *log = start(1, TN_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char expected[256];
        (void)snprintf(expected, sizeof(expected), "[   12.345678] web info: %s\n", cases[i].shown);
        assert_string_equal(logged(log, 1, TENON_LOG_INFO, cases[i].text, cases[i].len), expected);
    }
    /* The longest text, all of it escaped, is whole. */
    char text[LOG_TEXT_MAX];
    memset(text, 1, sizeof(text));
    const char *line = logged(log, 1, TENON_LOG_INFO, text, sizeof(text));
    assert_int_equal(strlen(line), strlen("[   12.345678] web info: \n") + 4 * sizeof(text));
    assert_int_equal(line[strlen(line) - 1], '\n');
    free(log);
}

/* What cannot be written over is shown once a second for each writer; all else always. */
static void test_progress_in_a_file(void **state)
{
    (void)state;
    struct log *log = start(2, TN_OK);
    const tn_time first = now;
    assert_string_equal(logged(log, 1, TENON_LOG_PROGRESS, "1", 1),
                        "[   12.345678] web progress: 1\n");
    now = first + LOG_PROGRESS_NS - 1;
    assert_string_equal(logged(log, 1, TENON_LOG_PROGRESS, "2", 1), "");
    assert_string_equal(logged(log, 2, TENON_LOG_PROGRESS, "1", 1),
                        "[   13.345678] writer1 progress: 1\n");
    assert_string_equal(logged(log, 1, TENON_LOG_INFO, "x", 1), "[   13.345678] web info: x\n");
    now = first + LOG_PROGRESS_NS;
    assert_string_equal(logged(log, 1, TENON_LOG_PROGRESS, "3", 1),
                        "[   13.345678] web progress: 3\n");
    now = first;
    assert_int_equal(log->lines, 4);
    assert_int_equal(log->lost, 0);
    free(log);
}

static void test_lost(void **state)
{
    (void)state;
    struct log *log = start(1, TN_OK);
    uint64_t args[8];
    struct tn_pack in = tn_pack_room(args, sizeof(args));
    struct tenon_log_write_args what = {.text = TN_TEXT("gone")};
    assert_int_equal(tenon_log_write_args_encode(&what, &in), TN_OK);
    struct tn_turn turn = {.badge = 1, .method = TENON_LOG_WRITE};
    int was = dup(STDERR_FILENO), full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(was >= 0 && full >= 0);
    assert_int_equal(dup2(full, STDERR_FILENO), STDERR_FILENO);
    for (int i = 0; i < 3; i++)
        (void)driver_linux_log.call(log, &turn, &in, NULL);
    assert_int_equal(dup2(was, STDERR_FILENO), STDERR_FILENO);
    (void)close(full);
    (void)close(was);
    assert_int_equal(log->lost, 3);
    assert_string_equal(logged(log, 1, TENON_LOG_INFO, "back", 4),
                        "[   12.345678] (3 lines lost) web info: back\n");
    assert_string_equal(logged(log, 1, TENON_LOG_INFO, "back", 4),
                        "[   12.345678] web info: back\n");
    free(log);
}

static void test_limits(void **state)
{
    (void)state;
    free(start(LOG_WRITERS_MAX, TN_OK));
    free(start(LOG_WRITERS_MAX + 1, TN_ELIMIT));
    free(start(0, TN_OK));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),   cmocka_unit_test(test_errors_only),
        cmocka_unit_test(test_escapes), cmocka_unit_test(test_progress_in_a_file),
        cmocka_unit_test(test_lost),    cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests_name("driver_log", tests, NULL, NULL);
}
