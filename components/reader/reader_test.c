/* reader_test.c: files of all kinds, good and bad, in pieces of any size. */
#include "components/test/kit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "components/reader/reader_int.h"
#include "interfaces/demo_rows.h"
#include "interfaces/tenon_file.h"

enum { ROWS_MOST = 16 };

/* The file that the component reads: `text` is its begin; then `lines` lines of `line` follow. */
static struct {
    const char *text, *line;
    size_t text_len, line_len;
    uint64_t lines;
    uint32_t piece; /* most bytes of an answer */
    tn_err err;
} file;

static char byte_at(uint64_t offset)
{
    return offset < file.text_len ? file.text[offset]
                                  : file.line[(offset - file.text_len) % file.line_len];
}

static tn_err read_file(uint32_t method, const struct tn_pack *in, struct tn_pack *out)
{
    static char data[65000];
    struct tenon_file_read_args args = {0};
    uint64_t size = file.text_len + file.lines * file.line_len;
    assert_int_equal(method, TENON_FILE_READ);
    assert_int_equal(tenon_file_read_args_decode(in, &args), TN_OK);
    if (file.err != TN_OK)
        return file.err;
    uint32_t len = args.len < file.piece ? args.len : file.piece;
    if (args.offset_bytes >= size)
        len = 0;
    else if (len > size - args.offset_bytes)
        len = (uint32_t)(size - args.offset_bytes);
    for (uint32_t i = 0; i < len; i++)
        data[i] = byte_at(args.offset_bytes + i);
    struct tenon_file_read_reply reply = {{data, len}};
    return tenon_file_read_reply_encode(&reply, out);
}

static uint64_t room[(TN_ARGS_MAX + 64) / 8], about_room[128];

static void set_file(const char *text, size_t len)
{
    memset(&file, 0, sizeof(file));
    file.text = text;
    file.text_len = len;
    file.piece = 65000;
    file.line = "\n";
    file.line_len = 1;
    kit_other = read_file;
    kit_start();
}

static struct demo_rows_about_reply about(void)
{
    struct demo_rows_about_reply reply;
    assert_int_equal(demo_rows_about(KIT_SELF, &reply, about_room, sizeof(about_room), TN_NEVER),
                     TN_OK);
    return reply;
}

/* All rows, at most `max` at a time; how many there are. */
static uint64_t read_all(uint32_t max, struct row *rows, tn_err *ret_err)
{
    uint64_t n = 0;
    struct demo_rows_next_reply reply;
    while ((*ret_err = demo_rows_next(KIT_SELF, max, &reply, room, sizeof(room), TN_NEVER)) ==
               TN_OK &&
           reply.times_ms.count > 0) {
        assert_int_equal(reply.times_ms.count, reply.values.count);
        for (uint32_t i = 0; i < reply.times_ms.count; i++, n++) {
            if (n < ROWS_MOST)
                rows[n] = (struct row){tn_i64s_at(reply.times_ms, i), tn_f64s_at(reply.values, i)};
        }
    }
    return n;
}

static void test_forms(void **unused)
{
    static const struct {
        const char *text;
        int64_t time_ms;
        double value;
    } cases[] = {
        {"2014-03-07 03:41:00,45.868", 1394163660000, 45.868},
        {"time,value\n2014-03-07 03:41:00,45.868\n", 1394163660000, 45.868},
        {"\xef\xbb\xbf"
         "2014-03-07 03:41:00,1",
         1394163660000, 1},
        {"\"2014-03-07T03:41:00Z\";\"4,5\"\r\n", 1394163660000, 4.5},
        {"2014-03-07T03:41:00.250+01:00\t-1e3", 1394160060250, -1000},
        {"  2014/03/07 03:41 , 7 \r\n", 1394163660000, 7},
        {"2014-03-07,7,more,fields", 1394150400000, 7},
        {"1394163660,1", 1394163660000, 1},
        {"1394163660.5,1", 1394163660500, 1},
        {"1394163660000,1", 1394163660000, 1},
        {"\n\n\r\n1,1\n\n", 1000, 1},
        {"0001-01-01 00:00,1", -62135596800000, 1},
        {"2012-02-29 23:59:60,1", 1330560000000, 1},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (uint32_t piece = 1; piece < 40; piece += 19) {
            struct row rows[ROWS_MOST];
            tn_err err;
            set_file(cases[i].text, strlen(cases[i].text));
            file.piece = piece;
            assert_int_equal(read_all(0, rows, &err), 1);
            assert_int_equal(err, TN_OK);
            assert_int_equal(rows[0].time_ms, cases[i].time_ms);
            assert_true(rows[0].value == cases[i].value);
            assert_int_equal(about().skipped, 0);
        }
    }
}

/* Among good rows each of these is passed over, counted, and named with its reason. */
static void test_garbage(void **unused)
{
    static const char *const cases[][2] = {
        {"hello", "divided by"},
        {"2014-02-30 00:00:00,1", "is not a time"},
        {"2014-13-01 00:00:00,1", "is not a time"},
        {"2014-03-07 24:00:00,1", "is not a time"},
        {"0000-03-07,1", "is not a time"},
        {"-5,1", "is not a time"},
        {",1", "the time is missing"},
        {"5,", "the value is missing"},
        {"5,abc", "'abc' is not a number"},
        {"5,nan", "is not a finite number"},
        {"5,-inf", "is not a finite number"},
        {"5,1e999", "is too large"},
        {"\"5,1", "closing quotation mark"},
        {"5,\x01\xff", "'?"
                       "?' is not a number"},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[256];
        struct row rows[ROWS_MOST];
        tn_err err;
        int n = snprintf(text, sizeof(text), "t,v\n1,1\n%s\n2,2\n", cases[i][0]);
        set_file(text, (size_t)n);
        assert_int_equal(read_all(1, rows, &err), 2);
        assert_int_equal(err, TN_OK);
        assert_int_equal(rows[1].time_ms, 2000);
        struct demo_rows_about_reply a = about();
        assert_int_equal(a.lines, 4);
        assert_int_equal(a.skipped, 1);
        assert_int_equal(a.bad_line, 3);
        char reason[256];
        (void)snprintf(reason, sizeof(reason), "%.*s", (int)a.bad_reason.len, a.bad_reason.at);
        if (strstr(reason, cases[i][1]) == NULL)
            fail_msg("'%s': '%s' lacks '%s'", cases[i][0], reason, cases[i][1]);
    }
}

static void expect_failure(tn_err wanted, const char *text)
{
    struct row rows[ROWS_MOST];
    tn_err err;
    char problem[512];
    (void)read_all(0, rows, &err);
    assert_int_equal(err, wanted);
    (void)read_all(0, rows, &err); /* and it stays */
    assert_int_equal(err, wanted);
    struct demo_rows_about_reply a = about();
    (void)snprintf(problem, sizeof(problem), "%.*s", (int)a.problem.len, a.problem.at);
    if (strstr(problem, text) == NULL)
        fail_msg("'%s' lacks '%s'", problem, text);
}

static void test_failures(void **unused)
{
    (void)unused;
    set_file("", 0);
    expect_failure(DEMO_ROWS_E_EMPTY, "the file is empty");
    set_file("time,value\n", 11);
    expect_failure(DEMO_ROWS_E_EMPTY, "a header and no rows");
    set_file("\n \n\r\n", 5);
    expect_failure(DEMO_ROWS_E_EMPTY, "no rows");
    set_file("a,b\nc,d\n", 8);
    expect_failure(DEMO_ROWS_E_GARBAGE, "line 2: 'c' is not a time");
    set_file("1,1\n", 4);
    file.line = "x\n";
    file.line_len = 2;
    file.lines = 1000;
    expect_failure(DEMO_ROWS_E_GARBAGE, "line 2: 'x' is one field");
    file.err = TENON_FILE_E_IS_DIRECTORY;
    kit_start();
    expect_failure(DEMO_ROWS_E_UNREADABLE, "it is a directory");
}

/* Garbage up to the share that is named passes; one line more does not. */
static void test_share(void **unused)
{
    char text[2048];
    struct row rows[ROWS_MOST];
    (void)unused;
    for (int bad = 11; bad <= 12; bad++) {
        size_t n = 0;
        tn_err err;
        for (int i = 0; i < 99; i++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%d,1\n", i);
        for (int i = 0; i < bad; i++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "bad\n");
        set_file(text, n);
        (void)read_all(0, rows, &err);
        assert_int_equal(err, bad == 11 ? TN_OK : DEMO_ROWS_E_GARBAGE);
    }
}

/* A line at its limit is a row, one byte more is none, and a huge one is passed over. */
static void test_long_lines(void **unused)
{
    static char text[200000];
    struct row rows[ROWS_MOST];
    tn_err err;
    (void)unused;
    for (size_t len = READER_LINE_MAX; len <= READER_LINE_MAX + 1; len++) {
        for (uint32_t piece = 100; piece <= 60000; piece += 59900) {
            size_t n = (size_t)snprintf(text, sizeof(text), "1,1\n2,2");
            memset(text + n, ' ', len - 3);
            n += len - 3;
            n += (size_t)snprintf(text + n, sizeof(text) - n, "\n3,3");
            set_file(text, n);
            file.piece = piece;
            bool fits = len == READER_LINE_MAX;
            assert_int_equal(read_all(0, rows, &err), fits ? 3 : 2);
            assert_int_equal(err, TN_OK);
            assert_int_equal(about().skipped, fits ? 0 : 1);
        }
    }
    memset(text, 'x', sizeof(text));
    memcpy(text, "1,1\n", 4);
    set_file(text, sizeof(text));
    assert_int_equal(read_all(0, rows, &err), 1);
    assert_int_equal(about().bad_line, 2);
}

static void test_many_rows_and_rewind(void **unused)
{
    struct row rows[ROWS_MOST];
    tn_err err;
    (void)unused;
    set_file("t,v\n", 4);
    file.line = "2014-03-07 03:41:00,45.868\n";
    file.line_len = strlen(file.line);
    file.lines = 100000;
    for (int round = 0; round < 2; round++) {
        assert_int_equal(read_all(round == 0 ? 0 : 333, rows, &err), 100000);
        assert_int_equal(err, TN_OK);
        assert_int_equal(about().rows, 100000);
        assert_int_equal(about().bytes, 4 + 100000 * file.line_len);
        assert_int_equal(demo_rows_rewind(KIT_SELF, TN_NEVER), TN_OK);
        assert_int_equal(about().rows, 0);
    }
}

/* Rows out of order are rows, counted against the latest time so far; headers, garbage and empty
 * lines count as lines. */
static void test_order(void **unused)
{
    static const struct {
        const char *text;
        uint64_t disordered, line;
    } cases[] = {
        {"1,1\n2,1\n3,1\n", 0, 0},
        {"1,1\n1,1\n", 1, 2},
        {"t,v\n\n5,1\nbad\n3,1\n4,1\n5,1\n6,1\n", 3, 5},
    };
    struct row rows[ROWS_MOST];
    tn_err err;
    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set_file(cases[i].text, strlen(cases[i].text));
        for (int round = 0; round < 2; round++) {
            (void)read_all(1, rows, &err);
            assert_int_equal(err, TN_OK);
            assert_int_equal(about().disordered, cases[i].disordered);
            assert_int_equal(about().disordered_line, cases[i].line);
            assert_int_equal(demo_rows_rewind(KIT_SELF, TN_NEVER), TN_OK);
        }
    }
}

/* An answer ends with the bytes read for it, but never without a row before the end. */
static void test_bytes_of_an_answer(void **unused)
{
    static char line[1000];
    struct demo_rows_next_reply reply;
    uint64_t rows = 0, before = 0;
    (void)unused;
    memset(line, '7', sizeof(line));
    memcpy(line, "1,", 2);
    line[300] = '.'; /* a value that a double holds */
    line[sizeof(line) - 1] = '\n';
    set_file("", 0);
    file.line = line;
    file.line_len = sizeof(line);
    file.lines = 4000;
    do {
        assert_int_equal(demo_rows_next(KIT_SELF, 0, &reply, room, sizeof(room), TN_NEVER), TN_OK);
        rows += reply.times_ms.count;
        assert_true(about().bytes - before <= 5 * 32768);
        before = about().bytes;
    } while (reply.times_ms.count > 0);
    assert_int_equal(rows, 4000);
    assert_int_equal(before, 4000 * sizeof(line));
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
        cmocka_unit_test(test_forms),      cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_failures),   cmocka_unit_test(test_share),
        cmocka_unit_test(test_long_lines), cmocka_unit_test(test_many_rows_and_rewind),
        cmocka_unit_test(test_order),      cmocka_unit_test(test_bytes_of_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, stop);
}
