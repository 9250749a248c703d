/* arena_test.c: alignment, exhaustion at the last byte, zeroing, marks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/arena.h"

static void test_get(void **state)
{
    (void)state;
    _Alignas(64) uint8_t block[128];
    struct sdk_arena a;
    memset(block, 0xaa, sizeof(block));
    sdk_arena_init(&a, block + 1, 127);
    assert_ptr_equal(sdk_arena_get(&a, 1, 1), block + 1);
    uint8_t *at = sdk_arena_get(&a, 16, 16);
    assert_ptr_equal(at, block + 16);
    for (int i = 0; i < 16; i++)
        assert_int_equal(at[i], 0);
    assert_int_equal(block[32], 0xaa);
    size_t mark = sdk_arena_mark(&a);
    assert_null(sdk_arena_get(&a, 97, 1));
    assert_null(sdk_arena_get(&a, SIZE_MAX, 8));
    assert_int_equal(sdk_arena_left(&a), 96);
    assert_ptr_equal(sdk_arena_get(&a, 96, 1), block + 32);
    assert_non_null(sdk_arena_get(&a, 0, 1));
    assert_null(sdk_arena_get(&a, 1, 1));
    sdk_arena_reset(&a, mark);
    assert_null(sdk_arena_array(&a, SIZE_MAX / 4, 8));
    assert_null(sdk_arena_array(&a, 13, 8));
    assert_ptr_equal(sdk_arena_array(&a, 12, 8), block + 32);
    sdk_arena_reset(&a, 0);
    assert_int_equal(sdk_arena_left(&a), 127);
    sdk_arena_reset(&a, 5); /* forward: nothing happens */
    assert_int_equal(sdk_arena_left(&a), 127);
    assert_null(sdk_arena_get(&a, 65, 64));
    assert_ptr_equal(sdk_arena_get(&a, 64, 64), block + 64);
}

static void test_nothing(void **state)
{
    (void)state;
    struct sdk_arena a;
    sdk_arena_init(&a, NULL, 100);
    assert_null(sdk_arena_get(&a, 0, 1));
    assert_int_equal(sdk_arena_left(&a), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
