/* conditions_test.c: conditions are complete, and what missed its floor is named, in both forms. */
#include "bench/conditions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_json(void **state)
{
    (void)state;
    static const char *const texts[] = {"benchmark", "cpu", "compiler", "date", "method", "extra"};
    struct conditions c;
    json_t *root = json_object();
    conditions_begin(&c, root, "name", "how");
    conditions_add(&c, "extra", "more");
    assert_true(conditions_floor(&c, "at", "ns", 60, 60));
    assert_false(conditions_floor(&c, "above", "ns", 60.1, 60));
    assert_false(conditions_floor(&c, "far", "ms", 7, 5));
    assert_false(conditions_end(&c));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_true(json_string_length(json_object_get(root, texts[i])) > 0);
    assert_true(json_integer_value(json_object_get(root, "cpus")) > 0);
    assert_true(json_is_real(json_object_get(root, "load_start")));
    assert_true(json_is_real(json_object_get(root, "load_end")));
    assert_int_equal(json_integer_value(json_object_get(root, "floors")), 3);
    const json_t *missed = json_object_get(root, "missed");
    assert_int_equal(json_array_size(missed), 2);
    assert_string_equal(json_string_value(json_array_get(missed, 0)), "above");
    assert_string_equal(json_string_value(json_array_get(missed, 1)), "far");
    json_decref(root);
}

/* Each benchmark that misses adds one line; more names than there is room for are cut. */
static void test_lines(void **state)
{
    (void)state;
    char path[] = "/tmp/tenon-missed-XXXXXX", line[CONDITIONS_TEXT + 256];
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    FILE *file = fdopen(descriptor, "r");
    assert_non_null(file);
    assert_int_equal(setenv("BENCH_MISSED", path, 1), 0);
    for (uint32_t misses = 0; misses < 3; misses++) {
        struct conditions c;
        conditions_begin(&c, NULL, "name", "how");
        (void)conditions_floor(&c, "good", "ns", 1, 60);
        for (uint32_t i = 0; i < (misses == 2 ? 1000 : misses); i++)
            (void)conditions_floor(&c, "bad", "ns", 61, 60);
        assert_int_equal(conditions_end(&c), misses == 0);
    }
    assert_non_null(fgets(line, sizeof(line), file));
    assert_string_equal(line, "name: 1 of 2 missed: bad (61.0 ns, floor 60)\n");
    assert_non_null(fgets(line, sizeof(line), file));
    assert_non_null(strstr(line, "1000 of 1001 missed"));
    assert_null(fgets(line, sizeof(line), file));
    assert_int_equal(unsetenv("BENCH_MISSED"), 0);
    (void)fclose(file);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_json), cmocka_unit_test(test_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
