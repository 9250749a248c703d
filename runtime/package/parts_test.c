/* parts_test.c: amounts, versions, answers to unknown names, quoted text: the parts below the
 * files. */
#include "runtime/package/package_int.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/package/trial_test.h"

static void amounts_are_exact(void **state)
{
    (void)state;
    static const struct {
        const struct units *units;
        const char *text;
        enum amount_error error;
        uint64_t value;
    } cases[] = {
        {&size_units, "0 B", AMOUNT_OK, 0},
        {&size_units, "4 MiB", AMOUNT_OK, 4 << 20},
        {&size_units, "4MiB", AMOUNT_OK, 4 << 20},
        {&size_units, "007 KiB", AMOUNT_OK, 7 << 10},
        {&size_units, "18446744073709551615 B", AMOUNT_OK, UINT64_MAX},
        {&size_units, "18446744073709551616 B", AMOUNT_RANGE, 0},
        {&size_units, "99999999999999999999999999 B", AMOUNT_RANGE, 0},
        {&size_units, "17179869183 GiB", AMOUNT_OK, UINT64_MAX - (1u << 30) + 1},
        {&size_units, "17179869184 GiB", AMOUNT_RANGE, 0},
        {&size_units, "-4 MiB", AMOUNT_NEGATIVE, 0},
        {&size_units, "1.5 MiB", AMOUNT_FRACTION, 0},
        {&size_units, "1. MiB", AMOUNT_UNIT, 0},
        {&size_units, "4", AMOUNT_UNIT, 0},
        {&size_units, "4  MiB", AMOUNT_UNIT, 0},
        {&size_units, "4 MiB ", AMOUNT_UNIT, 0},
        {&size_units, "4 MB", AMOUNT_UNIT, 0},
        {&size_units, "4 mib", AMOUNT_UNIT, 0},
        {&size_units, "4 ms", AMOUNT_UNIT, 0},
        {&size_units, "", AMOUNT_FORM, 0},
        {&size_units, "-", AMOUNT_FORM, 0},
        {&size_units, "MiB", AMOUNT_FORM, 0},
        {&size_units, " 4 MiB", AMOUNT_FORM, 0},
        {&size_units, "+4 MiB", AMOUNT_FORM, 0},
        {&time_units, "1 ns", AMOUNT_OK, 1},
        {&time_units, "1 us", AMOUNT_OK, 1000},
        {&time_units, "100 ms", AMOUNT_OK, 100000000},
        {&time_units, "5 s", AMOUNT_OK, 5000000000},
        {&time_units, "1 min", AMOUNT_OK, 60000000000},
        {&time_units, "9223372036854775807 ns", AMOUNT_OK, INT64_MAX},
        {&time_units, "9223372036854775808 ns", AMOUNT_RANGE, 0},
        {&time_units, "2562048 h", AMOUNT_RANGE, 0},
        {&time_units, "5 MiB", AMOUNT_UNIT, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t value = 0;
        struct str unit = STR("");
        assert_int_equal(amount_parse(cases[i].units, str_of(cases[i].text), &value, &unit),
                         cases[i].error);
        assert_true(value == cases[i].value);
    }
}

static void sizes_read_well(void **state)
{
    (void)state;
    assert_string_equal(size_text(0).text, "0 B");
    assert_string_equal(size_text(1000).text, "1000 B");
    assert_string_equal(size_text(1536).text, "1536 B");
    assert_string_equal(size_text(64 << 20).text, "64 MiB");
    assert_string_equal(size_text(1ull << 40).text, "1024 GiB");
    assert_string_equal(size_text(UINT64_MAX).text, "18446744073709551615 B");
}

static void versions_are_semantic(void **state)
{
    (void)state;
    static const char *const good[] = {
        "0.0.0",       "1.2.3",       "4294967295.0.1",
        "1.0.0-alpha", "1.0.0-0.3.7", "1.0.0-x-y-z.--",
        "1.0.0-0a",    "1.0.0+001",   "1.0.0-beta+exp.sha.5114f85",
    };
    static const char *const bad[] = {
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "01.2.3",
        "1.02.3",
        "1.2.03",
        "v1.2.3",
        "1.2.3 ",
        " 1.2.3",
        "1.2.3-",
        "1.2.3-a..b",
        "1.2.3-01",
        "1.2.3+",
        "1.2.3+a..b",
        "1.2.-3",
        "4294967296.0.0",
        "99999999999999999999.0.0",
        "1.2.3-a_b",
        "1..3",
        "1.2.3+a+b",
    };
    struct version v;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(version_parse(str_of(good[i]), &v));
        assert_str(v.text, good[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(version_parse(str_of(bad[i]), &v));
    assert_true(version_parse(STR("1.2.3-rc.1+build.7"), &v));
    assert_int_equal(v.major, 1);
    assert_int_equal(v.minor, 2);
    assert_int_equal(v.patch, 3);
    assert_str(v.pre, "rc.1");
}

/* The example of section 11 of the specification, and the three numbers. */
static void versions_have_precedence(void **state)
{
    (void)state;
    static const char *const rising[] = {
        "0.9.9",
        "1.0.0-1",
        "1.0.0-2",
        "1.0.0-10",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1",
        "1.1.0",
        "2.0.0",
        "10.0.0",
    };
    for (size_t i = 0; i < ARRAY_LEN(rising); i++) {
        for (size_t j = 0; j < ARRAY_LEN(rising); j++) {
            struct version a, b;
            assert_true(version_parse(str_of(rising[i]), &a));
            assert_true(version_parse(str_of(rising[j]), &b));
            int32_t order = version_compare(&a, &b);
            assert_true(i < j ? order < 0 : i > j ? order > 0 : order == 0);
        }
    }
    struct version a, b;
    assert_true(version_parse(STR("1.0.0+a"), &a) && version_parse(STR("1.0.0+b"), &b));
    assert_int_equal(version_compare(&a, &b), 0);
}

static void requirements_hold(void **state)
{
    (void)state;
    static const struct {
        const char *requirement, *meets, *fails; /* versions with blanks between them */
    } cases[] = {
        {"^1.2.3", "1.2.3 1.2.4 1.3.0 1.99.0", "1.2.2 2.0.0 0.9.0 1.3.0-a 2.0.0-a"},
        {"^1.2", "1.2.0 1.3.0", "1.1.9 2.0.0"},
        {"^1", "1.0.0 1.9.9", "0.9.9 2.0.0 1.0.0-rc.1"},
        {"^0.2.3", "0.2.3 0.2.9", "0.2.2 0.3.0 1.0.0"},
        {"^0.0.3", "0.0.3", "0.0.2 0.0.4 0.1.0"},
        {"^0.0", "0.0.0 0.0.9", "0.1.0 1.0.0"},
        {"^0", "0.0.0 0.9.9", "1.0.0"},
        {"^1.2.3-beta.2", "1.2.3-beta.2 1.2.3-beta.4 1.2.3 1.5.0", "1.2.3-beta.1 1.2.4-beta.2"},
        {"^4294967295", "4294967295.4294967295.0", "4294967294.0.0"},
        {"~1.2.3", "1.2.3 1.2.9", "1.2.2 1.3.0 2.2.3"},
        {"~1.2", "1.2.0 1.2.9", "1.1.0 1.3.0"},
        {"~1", "1.0.0 1.9.0", "2.0.0 0.1.0"},
        {"=1.2.3", "1.2.3 1.2.3+build", "1.2.4 1.2.2 1.2.3-a"},
        {"=1.2", "1.2.0 1.2.9", "1.3.0 1.1.0 2.2.0"},
        {"=1", "1.0.0 1.9.9", "2.0.0 0.1.0"},
        {"=1.0.0-a", "1.0.0-a", "1.0.0 1.0.0-b"},
        {">=1.2", "1.2.0 9.0.0", "1.1.9"},
        {">1.2", "1.3.0 2.0.0", "1.2.0 1.2.9 1.1.0"},
        {">1.2.3", "1.2.4", "1.2.3"},
        {"<2", "1.9.9 0.0.0", "2.0.0 2.1.0 2.0.0-a"},
        {"<2.1.0-rc", "2.0.0 2.1.0-beta", "2.1.0 2.1.0-rc"},
        {"<=2", "2.0.0 2.9.9 1.0.0", "3.0.0"},
        {"<=2.1.0", "2.1.0 2.0.0", "2.1.1"},
        {">=1.2, <2", "1.2.0 1.9.9", "1.1.0 2.0.0"},
        {">=1.2 <2", "1.2.0 1.9.9", "1.1.0 2.0.0"},
        {" >= 1.2 ,<2 ", "1.2.0 1.9.9", "1.1.0 2.0.0"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int side = 0; side < 2; side++) {
            char text[128];
            snprintf(text, sizeof(text), "%s", side == 0 ? cases[i].meets : cases[i].fails);
            char *rest = NULL;
            for (char *word = strtok_r(text, " ", &rest); word != NULL;
                 word = strtok_r(NULL, " ", &rest)) {
                struct version v;
                bool meets = side != 0;
                assert_true(version_parse(str_of(word), &v));
                assert_true(version_meets(&v, str_of(cases[i].requirement), &meets));
                if (meets != (side == 0))
                    fail_msg("%s and %s", cases[i].requirement, word);
            }
        }
    }
}

static void bad_requirements_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",      " ",     "1.2.0", "*",    "^",       "^a",          "^1.2.3.4", "^01",
        "^1.",   "^1.2.", ">=1,",  ",>=1", ">=1,,<2", "^1 || ^2",    "^1-a",     "^1.2-a",
        "1 - 2", "=>1",   "^1<2",  "==1",  "^1.2.3-", "^4294967296",
    };
    struct version v;
    assert_true(version_parse(STR("1.2.3"), &v));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        bool meets = true;
        if (version_meets(&v, str_of(bad[i]), &meets))
            fail_msg("'%s' is taken", bad[i]);
        assert_true(meets);
    }
}

static void unknown_names_are_answered(void **state)
{
    (void)state;
    static const char *const names[] = {"n1", "n2", "n3", "n4",  "n5",     "n6",
                                        "n7", "n8", "n9", "n10", "memory", "mailbox"};
    struct message m = {.len = 0};
    near_add(&m, STR("memmory"), names, 12);
    assert_string_equal(m.text, ": did you mean 'memory'?");
    m.len = 0;
    near_add(&m, STR("zzzz"), names, 1);
    assert_string_equal(m.text, ": expected n1");
    m.len = 0;
    near_add(&m, STR("zzzz"), names, 2);
    assert_string_equal(m.text, ": expected n1 or n2");
    m.len = 0;
    near_add(&m, STR("zzzz"), names, LIST_MAX);
    assert_string_equal(m.text, ": expected n1, n2, n3, n4, n5, n6, n7, n8, n9 or n10");
    m.len = 0;
    near_add(&m, STR("zzzz"), names, LIST_MAX + 2);
    assert_string_equal(m.text, ": expected n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, ...");
}

static void shown_text_is_safe(void **state)
{
    (void)state;
    assert_string_equal(quote(STR("a'b")).text, "'a'b'");
    assert_string_equal(quote(STR("a\n\x1b\x7f")).text, "'a\\u000a\\u001b\\u007f'");
    assert_string_equal(quote((struct str){"a\0b", 3}).text, "'a\\u0000b'");
    assert_string_equal(quote(STR("caf\xc3\xa9 \xe2\x80\xae")).text, "'caf\xc3\xa9 \\u202e'");
    assert_string_equal(quote(STR("1234567890123456789012345678901234567890")).text,
                        "'1234567890123456789012345678901234567890'");
    assert_string_equal(quote(STR("12345678901234567890123456789012345678901")).text,
                        "'1234567890123456789012345678901234567890...'");
    char hidden[64];
    memset(hidden, '\n', sizeof(hidden));
    struct quoted q = quote((struct str){hidden, sizeof(hidden)});
    assert_int_equal(strlen(q.text), 2 + 40 * 6 + 3);
    assert_string_equal(plain(STR("a\tb")).text, "a\\u0009b");

    struct message m = {.len = 0};
    for (int i = 0; i < 100; i++)
        message_add(&m, "\xc3\xa9\xc3\xa9\xc3\xa9");
    assert_true(m.len < sizeof(m.text) && strlen(m.text) == m.len);
    assert_string_equal(m.text + m.len - 5, "\xc3\xa9...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_are_exact),
        cmocka_unit_test(sizes_read_well),
        cmocka_unit_test(versions_are_semantic),
        cmocka_unit_test(versions_have_precedence),
        cmocka_unit_test(requirements_hold),
        cmocka_unit_test(bad_requirements_are_refused),
        cmocka_unit_test(unknown_names_are_answered),
        cmocka_unit_test(shown_text_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
