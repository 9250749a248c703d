/* fmt_test.c: the same text and length as libc's snprintf, at every size of the room. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fmt.h"

/* Every room from 0 bytes to more than enough; each on the heap, so that a byte too far is seen. */
FMT_LIKE(1, 2) static void same(const char *format, ...)
{
    char whole[512];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(whole, sizeof(whole), format, again);
    va_end(again);
    assert_in_range(len, 0, sizeof(whole) - 1);
    for (size_t size = 0; size <= (size_t)len + 2; size++) {
        char *at = malloc(size + 1);
        assert_non_null(at);
        at[size] = '#';
        va_copy(again, args);
        assert_int_equal(fmt_vprint(size > 0 ? at : NULL, size, format, again), len);
        va_end(again);
        if (size > 0) {
            size_t kept = size > (size_t)len ? (size_t)len : size - 1;
            assert_memory_equal(at, whole, kept);
            assert_int_equal(at[kept], 0);
        }
        assert_int_equal(at[size], '#');
        free(at);
    }
    va_end(args);
}

static void test_as_libc(void **state)
{
    (void)state;
    same("%s", "");
    same("plain");
    same("100%% of %s|%5s|%-5s|%.2s|%7.3s|%-7.3s|", "it", "ab", "ab", "abc", "abcdef", "abcdef");
    same("%.*s|%*s|%-*s|%*s", 3, "abcdef", 6, "x", 6, "y", -6, "z");
    same("%.*s", -1, "all of it");
    same("%c|%3c|%-3c|", 'a', 'b', 'c');
    same("%d %i %d %d %d", 0, 1, -1, INT_MAX, INT_MIN);
    same("%5d|%-5d|%05d|%05d|%.3d|%8.3d|%-8.3d|", 42, 42, 42, -42, 7, -7, 7);
    same("%.0d|%.0u|%.0x|", 0, 0u, 0u);
    same("%u %x %X %08x %lu %lx", UINT_MAX, 0xbeefu, 0xbeefu, 0xbeefu, ULONG_MAX, ULONG_MAX);
    same("%ld %lld %llu %zu %zd", LONG_MIN, LLONG_MIN, ULLONG_MAX, SIZE_MAX, (ssize_t)-1);
    same("%hhd %hhu %hd %hu", (signed char)-1, (unsigned char)255, (short)-1,
         (unsigned short)65535);
    same("%jd %ju %td", INTMAX_MIN, UINTMAX_MAX, (ptrdiff_t)-5);
    same("%020llu|%-20llu|%25.20llu", 1ull, 1ull, ULLONG_MAX);
}

static void test_add(void **state)
{
    (void)state;
    char at[8];
    size_t used = fmt_add(at, sizeof(at), 0, "%d", 123);
    used = fmt_add(at, sizeof(at), used, "-%s", "ab");
    assert_int_equal(used, 6);
    assert_string_equal(at, "123-ab");
    used = fmt_add(at, sizeof(at), used, "xyz");
    assert_int_equal(used, 9);
    assert_string_equal(at, "123-abx");
    used = fmt_add(at, sizeof(at), used, "%u", 7u);
    assert_int_equal(used, 10);
    assert_string_equal(at, "123-abx");
}

static void test_unknown(void **state)
{
    (void)state;
    char at[64];
    const char *volatile format = "%d %q %d"; /* hidden from the compiler's check */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
    assert_int_equal(fmt_print(at, sizeof(at), format, 1, 2), 7);
    assert_string_equal(at, "1 %q %d");
    format = "end %";
    assert_int_equal(fmt_print(at, sizeof(at), format, 1), 5);
    assert_string_equal(at, "end %");
#pragma GCC diagnostic pop
    const char *volatile nothing = NULL;
    assert_int_equal(fmt_print(at, sizeof(at), "%s", nothing), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_libc),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_unknown),
    };
    return cmocka_run_group_tests_name("fmt", tests, NULL, NULL);
}
