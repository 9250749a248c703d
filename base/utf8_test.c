/* utf8_test.c: every scalar value round trips; what is not UTF-8 is found at its first byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"

static void test_round_trip(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x110010; c++) {
        uint8_t bytes[4];
        uint32_t n = utf8_put(c, bytes);
        if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
            assert_int_equal(n, 0);
            continue;
        }
        uint32_t back = UINT32_MAX;
        assert_int_equal(utf8_decode(bytes, n, &back), n);
        assert_int_equal(back, c);
        assert_int_equal(utf8_decode(bytes, n - 1, &back), 0);
    }
}

static void test_invalid(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len, good;
    } cases[] = {
        {"ab\x80", 3, 2},           {"\xc0\x80", 2, 0},         {"\xc1\xbf", 2, 0},
        {"\xe0\x9f\xbf", 3, 0},     {"\xed\xa0\x80", 3, 0},     {"\xf0\x8f\xbf\xbf", 4, 0},
        {"\xf4\x90\x80\x80", 4, 0}, {"\xf5\x80\x80\x80", 4, 0}, {"x\xe2\x82", 3, 1},
        {"\xc3\xa9\xff", 3, 2},     {"\xe2\x28\xa1", 3, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint8_t *at = (const uint8_t *)cases[i].bytes;
        assert_int_equal(utf8_valid_prefix(at, cases[i].len), cases[i].good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_invalid),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
