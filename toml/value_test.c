/* value_test.c: each type of value, as written and as read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "toml/toml.h"

static uint8_t arena_bytes[1 << 16];

/* The value of `v` in the document; fails the test when there is none. */
static const struct toml_node *value_of(const char *text, size_t len)
{
    struct toml_arena arena = {arena_bytes, sizeof(arena_bytes), 0};
    const struct toml_table *root = NULL;
    static struct toml_errors errors;
    if (toml_parse(&arena, text, len, &root, &errors) != 0)
        fail_msg("%s: %u:%u: %s", text, errors.at[0].at.line, errors.at[0].at.column,
                 errors.at[0].text);
    const struct toml_node *n = toml_get(root, STR("v"));
    assert_non_null(n);
    return n;
}

static tn_err error_of(const char *text)
{
    struct toml_arena arena = {arena_bytes, sizeof(arena_bytes), 0};
    const struct toml_table *root = NULL;
    static struct toml_errors errors;
    return toml_parse(&arena, text, strlen(text), &root, &errors);
}

static void test_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        {"v=0", 0},
        {"v=+0", 0},
        {"v=-0", 0},
        {"v = 1_000", 1000},
        {"v=-17", -17},
        {"v=9223372036854775807", INT64_MAX},
        {"v=-9223372036854775808", INT64_MIN},
        {"v=0x7fff_ffff_ffff_FFFF", INT64_MAX},
        {"v=0o777", 0777},
        {"v=0b1101", 13},
        {"v=0x00DEADbeef", 0xdeadbeef},
        {"v=0o0", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct toml_node *n = value_of(cases[i].text, strlen(cases[i].text));
        assert_int_equal(n->type, TOML_INTEGER);
        assert_true(n->integer == cases[i].value);
    }
    static const char *const wrong[] = {
        "v=9223372036854775808",
        "v=-9223372036854775809",
        "v=0x8000000000000000",
        "v=0o1000000000000000000000",
        "v=99999999999999999999999999",
        "v=01",
        "v=+0x1",
        "v=1__0",
        "v=1_",
        "v=_1",
        "v=0x",
        "v=0x_1",
        "v=0b2",
        "v=0o8",
        "v=0xg",
        "v=+",
        "v=--1",
        "v=1a",
        "v=0X1",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(error_of(wrong[i]), TN_EFORMAT);
}

static void test_floats(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bits;
    } cases[] = {
        {"v=1.0", 0x3ff0000000000000},
        {"v=-0.0", 0x8000000000000000},
        {"v=+1e+06", 0x412e848000000000},
        {"v=6.626e-34", 0x390b85f8c5445f02},
        {"v=inf", 0x7ff0000000000000},
        {"v=+inf", 0x7ff0000000000000},
        {"v=-inf", 0xfff0000000000000},
        {"v=nan", 0x7ff8000000000000},
        {"v=-nan", 0xfff8000000000000},
        {"v=1.7976931348623157e308", 0x7fefffffffffffff},
        {"v=5e-324", 1},
        {"v=1e-400", 0},
        {"v=224_617.445_991_228", 0x410b6b4b9163d955},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct toml_node *n = value_of(cases[i].text, strlen(cases[i].text));
        uint64_t bits;
        assert_int_equal(n->type, TOML_FLOAT);
        memcpy(&bits, &n->number, sizeof(bits));
        assert_true(bits == cases[i].bits);
    }
    static const char *const wrong[] = {
        "v=.5",     "v=5.",   "v=5.e1", "v=1e",   "v=1e+",   "v=1_.0",  "v=1._0",  "v=1e400",
        "v=-1e309", "v=03.1", "v=Inf",  "v=infx", "v=1.0.0", "v=1e1.0", "v=+nanx",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(error_of(wrong[i]), TN_EFORMAT);
}

static void test_booleans(void **state)
{
    (void)state;
    assert_true(value_of("v=true", 6)->boolean);
    assert_int_equal(value_of("v=true", 6)->type, TOML_BOOLEAN);
    assert_false(value_of("v=false", 7)->boolean);
    assert_int_equal(error_of("v=TRUE"), TN_EFORMAT);
}

static void test_datetimes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum toml_type type;
        struct toml_datetime d; /* nanosecond, offset, year, month, day, hour, minute, second */
    } cases[] = {
        {"v=1979-05-27T07:32:00Z", TOML_OFFSET_DATETIME, {0, 0, 1979, 5, 27, 7, 32, 0}},
        {"v=1979-05-27t00:32:00.999999-07:30",
         TOML_OFFSET_DATETIME,
         {999999000, -450, 1979, 5, 27, 0, 32, 0}},
        {"v=1979-05-27 07:32:60z # leap", TOML_OFFSET_DATETIME, {0, 0, 1979, 5, 27, 7, 32, 60}},
        {"v=0000-02-29T23:59:59+23:59", TOML_OFFSET_DATETIME, {0, 1439, 0, 2, 29, 23, 59, 59}},
        {"v=1979-05-27T07:32:00", TOML_LOCAL_DATETIME, {0, 0, 1979, 5, 27, 7, 32, 0}},
        {"v=1979-05-27 00:32:00.1234567899",
         TOML_LOCAL_DATETIME,
         {123456789, 0, 1979, 5, 27, 0, 32, 0}},
        {"v=2024-02-29 # day", TOML_LOCAL_DATE, {0, 0, 2024, 2, 29, 0, 0, 0}},
        {"v=07:32:00.5", TOML_LOCAL_TIME, {500000000, 0, 0, 0, 0, 7, 32, 0}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct toml_node *n = value_of(cases[i].text, strlen(cases[i].text));
        const struct toml_datetime *a = &n->datetime, *b = &cases[i].d;
        assert_int_equal(n->type, cases[i].type);
        assert_int_equal(a->nanosecond, b->nanosecond);
        assert_int_equal(a->offset_minutes, b->offset_minutes);
        assert_true(a->year == b->year && a->month == b->month && a->day == b->day);
        assert_true(a->hour == b->hour && a->minute == b->minute && a->second == b->second);
    }
    static const char *const wrong[] = {
        "v=2023-02-29",
        "v=1900-02-29",
        "v=2023-04-31",
        "v=2023-00-01",
        "v=2023-13-01",
        "v=2023-01-00",
        "v=24:00:00",
        "v=00:60:00",
        "v=00:00:61",
        "v=00:00",
        "v=00:00:00Z",
        "v=2023-01-01T",
        "v=2023-01-01T00:00Z",
        "v=2023-01-01T00:00:00+24:00",
        "v=2023-01-01T00:00:00+01:60",
        "v=2023-01-01T00:00:00+0100",
        "v=10000-01-01",
        "v=00:00:00.",
        "v=2023-1-1",
        "v=2023-01-01 00",
        "v=2023-01-01  00:00:00",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(error_of(wrong[i]), TN_EFORMAT);
}

static void test_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct str value;
    } cases[] = {
        {"v=\"\"", {"", 0}},
        {"v=''", {"", 0}},
        {"v=\"a\\u0000\\U0001F600\\b\\t\\n\\f\\r\\\"\\\\\"",
         {"a\0\xf0\x9f\x98\x80\b\t\n\f\r\"\\", 13}},
        {"v='C:\\new\\u0041'", {"C:\\new\\u0041", 12}},
        {"v=\"\"\"\"\"\"", {"", 0}},
        {"v=\"\"\"\na\r\nb\"\"\"", {"a\r\nb", 4}},
        {"v=\"\"\"\r\n\n\"\"\"", {"\n", 1}},
        {"v=\"\"\"a\\\n  \t\r\n  b \\  \n\"\"\"", {"ab ", 3}},
        {"v=\"\"\"\"\"a\"\"b\"\"\"\"\"", {"\"\"a\"\"b\"\"", 8}},
        {"v='''\n'a''\\'''''", {"'a''\\''", 7}},
        {"v=\"\t\"", {"\t", 1}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct toml_node *n = value_of(cases[i].text, strlen(cases[i].text));
        assert_int_equal(n->type, TOML_STRING);
        assert_int_equal(n->string.len, cases[i].value.len);
        assert_true(str_eq(n->string, cases[i].value));
    }
    static const char *const wrong[] = {
        "v=\"",
        "v='",
        "v=\"a\nb\"",
        "v='a\nb'",
        "v=\"\\x41\"",
        "v=\"\\e\"",
        "v=\"\\u12\"",
        "v=\"\\ud800\"",
        "v=\"\\U00110000\"",
        "v=\"\"\"a\\ b\"\"\"",
        "v=\"\"\"\"",
        "v=\"\x7f\"",
        "v=\"\"\"a\rb\"\"\"",
        "v='\x01'",
        "v='''''''''",
        "v=\"\"\"a\"\"\"\"\"\"",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(error_of(wrong[i]), TN_EFORMAT);
}

static void test_arrays(void **state)
{
    (void)state;
    static const char text[] = "v = [ # one\n 1, 'two',\r\n\n [3.0, {x = 4}], # last\n ,]";
    assert_int_equal(error_of(text), TN_EFORMAT);
    static const char good[] = "v = [ # one\n 1, 'two',\r\n\n [3.0, {x = 4}], # last\n ]";
    const struct toml_node *n = value_of(good, sizeof(good) - 1);
    assert_int_equal(n->type, TOML_ARRAY);
    assert_int_equal(toml_array_count(n->array), 3);
    const struct toml_node *e = toml_array_first(n->array);
    assert_int_equal(e->integer, 1);
    assert_null(e->key.at);
    assert_int_equal(e->at.line, 2);
    assert_int_equal(e->at.column, 2);
    e = e->next;
    assert_true(str_eq(e->string, STR("two")));
    e = e->next;
    assert_null(e->next);
    assert_int_equal(e->at.line, 4);
    e = toml_array_first(e->array);
    assert_true(e->number == 3.0);
    e = e->next;
    assert_int_equal(e->type, TOML_TABLE);
    assert_int_equal(toml_get(e->table, STR("x"))->integer, 4);
    assert_int_equal(toml_array_count(value_of("v=[]", 4)->array), 0);
    assert_null(toml_array_first(value_of("v=[]", 4)->array));
    assert_int_equal(toml_table_count(value_of("v={}", 4)->table), 0);
    assert_null(toml_table_first(value_of("v={}", 4)->table));
    assert_null(toml_get(value_of("v={}", 4)->table, STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers), cmocka_unit_test(test_floats),
        cmocka_unit_test(test_booleans), cmocka_unit_test(test_datetimes),
        cmocka_unit_test(test_strings),  cmocka_unit_test(test_arrays),
    };
    return cmocka_run_group_tests_name("toml_value", tests, NULL, NULL);
}
