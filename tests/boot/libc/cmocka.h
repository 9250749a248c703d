/* cmocka.h: as much of cmocka as the kernel's tests use, for tests that run on a bare machine. A
 * failure says where and ends the machine: nothing is unwound. */
#ifndef TESTS_BOOT_LIBC_CMOCKA_H
#define TESTS_BOOT_LIBC_CMOCKA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct CMUnitTest {
    const char *name;
    void (*test_func)(void **state);
    int (*setup_func)(void **state);
    int (*teardown_func)(void **state);
    void *initial_state; /* what *state is when the test begins */
};

#define cmocka_unit_test(f) ((struct CMUnitTest){#f, (f), NULL, NULL, NULL})
#define cmocka_unit_test_setup_teardown(f, setup, teardown) \
    ((struct CMUnitTest){#f, (f), (setup), (teardown), NULL})
#define cmocka_run_group_tests_name(name, tests, setup, teardown) \
    units_run((name), (tests), sizeof(tests) / sizeof((tests)[0]), (setup), (teardown))

/* How many failed: none, for the first that fails ends the machine. */
int units_run(const char *group, const struct CMUnitTest *tests, size_t n,
              int (*setup)(void **state), int (*teardown)(void **state));
__attribute__((noreturn, format(printf, 3, 4))) void units_fail(const char *file, int line,
                                                                const char *format, ...);

#define fail_msg(...)                    units_fail(__FILE__, __LINE__, __VA_ARGS__)
#define assert_true(c)                   ((c) ? (void)0 : fail_msg("%s", #c))
#define assert_false(c)                  ((c) ? fail_msg("not wanted: %s", #c) : (void)0)
#define assert_non_null(p)               assert_true((p) != NULL)
#define assert_null(p)                   assert_true((p) == NULL)
#define assert_ptr_equal(a, b)           assert_true((const void *)(a) == (const void *)(b))
#define assert_memory_equal(a, b, n)     assert_true(memcmp((a), (b), (n)) == 0)
#define assert_memory_not_equal(a, b, n) assert_true(memcmp((a), (b), (n)) != 0)
#define assert_int_equal(a, b)                                                     \
    do {                                                                           \
        uint64_t a_ = (uint64_t)(a), b_ = (uint64_t)(b);                           \
        if (a_ != b_)                                                              \
            fail_msg("%s is 0x%llx, %s is 0x%llx", #a, (unsigned long long)a_, #b, \
                     (unsigned long long)b_);                                      \
    } while (0)

#endif
