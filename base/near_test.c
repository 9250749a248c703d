/* near_test.c: distances by hand, names that are near enough, and the longest one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/near.h"

static uint32_t distance(const char *a, const char *b)
{
    uint32_t there = edit_distance(str_of(a), str_of(b), 5);
    assert_int_equal(edit_distance(str_of(b), str_of(a), 5), there);
    return there;
}

static void test_distances(void **state)
{
    (void)state;
    assert_int_equal(distance("", ""), 0);
    assert_int_equal(distance("run", "run"), 0);
    assert_int_equal(distance("", "run"), 3);
    assert_int_equal(distance("memmory", "memory"), 1);
    assert_int_equal(distance("chekc", "check"), 1); /* neighbours swapped */
    assert_int_equal(distance("kitten", "sitting"), 3);
    assert_int_equal(distance("ca", "abc"), 3);            /* no place twice */
    assert_int_equal(distance("abcdefgh", "ijklmnop"), 6); /* more than asked for */
    assert_int_equal(edit_distance(STR("abc"), STR("xyz"), 2), 3);
}

static void expect_near(const char *wanted, const char *best)
{
    struct near near = near_to(str_of(wanted));
    near_try(&near, STR("run"));
    near_try(&near, STR("inspect"));
    near_try(&near, STR("check"));
    near_try(&near, STR("q"));
    assert_int_equal(near_found(&near), best != NULL);
    if (best != NULL)
        assert_true(str_eq(near.best, str_of(best)));
}

static void test_near(void **state)
{
    (void)state;
    expect_near("runn", "run");
    expect_near("check", "check");
    expect_near("insepct", "inspect");
    expect_near("cheek", "check");
    expect_near("chk", "check");
    expect_near("deploy", NULL);
    expect_near("x", NULL); /* one letter is no hint */
    expect_near("", NULL);
}

static void test_longest_name(void **state)
{
    (void)state;
    char a[NEAR_NAME_MAX + 1], b[NEAR_NAME_MAX + 1];
    memset(a, 'a', sizeof(a));
    memset(b, 'a', sizeof(b));
    b[0] = 'b';
    assert_int_equal(
        edit_distance((struct str){a, NEAR_NAME_MAX}, (struct str){b, NEAR_NAME_MAX}, 2), 1);
    assert_int_equal(edit_distance((struct str){a, sizeof(a)}, (struct str){b, sizeof(b)}, 2), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distances),
        cmocka_unit_test(test_near),
        cmocka_unit_test(test_longest_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
