/* memfn_test.c: the components' mem* against plain loops, at all small sizes and offsets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Under other names, so that the program keeps libc's. */
#define memcpy  our_memcpy
#define memmove our_memmove
#define memset  our_memset
#define memcmp  our_memcmp
#include "sdk/memfn.c"

enum { SIZE = 160 };

static void fill(uint8_t *at)
{
    for (uint32_t i = 0; i < SIZE; i++)
        at[i] = (uint8_t)(i * 37 + 11);
}

static void test_copy_and_set(void **state)
{
    (void)state;
    uint8_t from[SIZE], to[SIZE];
    fill(from);
    for (uint32_t n = 0; n <= 100; n++)
        for (uint32_t a = 0; a < 9; a++) {
            uint32_t b = (a * 5 + n) % 9;
            our_memset(to, 0xee, SIZE);
            assert_ptr_equal(our_memcpy(to + a + 1, from + b, n), to + a + 1);
            for (uint32_t i = 0; i < SIZE; i++)
                assert_int_equal(to[i], i > a && i <= a + n ? from[i - a - 1 + b] : 0xee);
            assert_ptr_equal(our_memset(to + a + 1, -256 + 0x5a, n), to + a + 1);
            for (uint32_t i = 0; i < SIZE; i++)
                assert_int_equal(to[i], i > a && i <= a + n ? 0x5a : 0xee);
        }
}

static void test_move(void **state)
{
    (void)state;
    uint8_t was[SIZE], is[SIZE];
    for (uint32_t n = 0; n <= 80; n++)
        for (uint32_t a = 0; a < 40; a += a < 18 ? 1 : 7)
            for (uint32_t b = 0; b < 40; b += b < 18 ? 1 : 7) {
                fill(was);
                fill(is);
                assert_ptr_equal(our_memmove(is + a, is + b, n), is + a);
                for (uint32_t i = 0; i < SIZE; i++)
                    if (is[i] != (i >= a && i < a + n ? was[i - a + b] : was[i]))
                        fail_msg("%u bytes from %u to %u: at %u", n, b, a, i);
            }
}

static void test_compare(void **state)
{
    (void)state;
    uint8_t a[SIZE], b[SIZE];
    for (uint32_t n = 0; n <= 40; n++)
        for (uint32_t differs = 0; differs <= n; differs++) {
            fill(a);
            fill(b);
            b[n + 1] ^= 0xff; /* beyond: does not count */
            assert_int_equal(our_memcmp(a + 1, b + 1, n), 0);
            a[differs + 1] = 0x80;
            b[differs + 1] = 0x7f;
            int sign = our_memcmp(a + 1, b + 1, n);
            assert_true(differs == n ? sign == 0 : sign > 0);
            sign = our_memcmp(b + 1, a + 1, n);
            assert_true(differs == n ? sign == 0 : sign < 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy_and_set),
        cmocka_unit_test(test_move),
        cmocka_unit_test(test_compare),
    };
    return cmocka_run_group_tests_name("memfn", tests, NULL, NULL);
}
