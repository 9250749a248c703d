/* composition_test.c: docs/composition.md: its example is a system without a fault, and comes out
 * as the page says; every key and limit that the page must name is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/package/trial_test.h"

static char page[64 << 10];
static int read_page(void **state)
{
    (void)state;
    FILE *file = fopen("docs/composition.md", "r");
    assert_non_null(file);
    size_t n = fread(page, 1, sizeof(page) - 1, file);
    assert_true(n > 0 && n < sizeof(page) - 1);
    page[n] = '\0';
    return fclose(file);
}

/* The block of TOML whose first line begins with "# PATH:", as text of its own. */
static char *block(const char *path)
{
    char mark[128];
    snprintf(mark, sizeof(mark), "```toml\n# %s:", path);
    const char *start = strstr(page, mark);
    assert_non_null(start);
    start += strlen("```toml\n");
    const char *stop = strstr(start, "\n```");
    assert_non_null(stop);
    return strndup(start, (size_t)(stop + 1 - start));
}

static void the_example_is_a_system(void **state)
{
    (void)state;
    static const char *const paths[] = {"components/report/component.toml",
                                        "components/relay/component.toml"};
    char *text = block("system.toml");
    char *manifests[] = {block(paths[0]), block(paths[1])};
    trial.text = text;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        trial.files[i] = (struct trial_file){paths[i], manifests[i], TN_OK};
    trial_expect(&trial, "");
    const struct component_spec *report = trial_component(&trial, "report");
    const struct component_spec *relay = trial_component(&trial, "relay");
    assert_int_equal(report->domain, DOMAIN_WASM);
    assert_int_equal(relay->domain, DOMAIN_KERNEL);
    assert_true(report->resources.memory_bytes == 2 << 20);
    assert_true(report->resources.deadline_ns == 10000000000);
    assert_int_equal(report->needs[0].arg, 1);
    assert_str(report->needs[0].path, "data/cpu.csv");
    assert_int_equal(report->needs[1].grant, TN_R_WRITE);
    assert_int_equal(trial.spec.order[0], 0);
    assert_int_equal(trial.spec.components + trial.spec.job.component == relay, 1);
    free(text);
    free(manifests[0]);
    free(manifests[1]);
}

/* A row of a table of limits: "| `NAME` | VALUE |", thousands with a comma. */
static void expect_limit(const char *name, uint32_t value)
{
    char row[100];
    if (value >= 1000)
        snprintf(row, sizeof(row), "| `%s` | %u,%03u |", name, value / 1000, value % 1000);
    else
        snprintf(row, sizeof(row), "| `%s` | %u |", name, value);
    if (strstr(page, row) == NULL)
        fail_msg("the page lacks: %s", row);
}

static void the_page_has_every_limit(void **state)
{
    (void)state;
    expect_limit("SYSTEM_COMPONENTS_MAX", SYSTEM_COMPONENTS_MAX);
    expect_limit("SYSTEM_PROVIDES_MAX", SYSTEM_PROVIDES_MAX);
    expect_limit("SYSTEM_NEEDS_MAX", SYSTEM_NEEDS_MAX);
    expect_limit("SYSTEM_JOB_ARGS_MAX", SYSTEM_JOB_ARGS_MAX);
    expect_limit("SYSTEM_PATH_MAX", SYSTEM_PATH_MAX);
    expect_limit("SYSTEM_FAULTS_MAX", SYSTEM_FAULTS_MAX);
    expect_limit("TN_NAME_MAX", TN_NAME_MAX);
    expect_limit("TN_TARGETS_MAX", TN_TARGETS_MAX);
    expect_limit("TN_TURNS_MAX", TN_TURNS_MAX);
    expect_limit("TN_BLOCKING_MAX", TN_BLOCKING_MAX);
    expect_limit("TN_COMPUTE_MAX", TN_COMPUTE_MAX);
}

static void the_page_has_every_key(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "name",       "version",  "kind",     "ring",          "description", "interface",
        "rights",     "optional", "memory",   "fuel_per_call", "mailbox",     "deadline",
        "stack",      "wasm",     "native",   "architecture",  "cpus",        "package",
        "domain",     "priority", "restart",  "restarts_max",  "config",      "limits",
        "components", "path",     "default",  "directory",     "run",         "args",
        "blocking",   "compute",  "channel",  "concurrency",   "to",          "route",
        "weights",    "hash",     "capacity",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char row[64];
        snprintf(row, sizeof(row), "\n| `%s` | ", rows[i]);
        if (strstr(page, row) == NULL)
            fail_msg("the page lacks a row for %s", rows[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_is_a_system),
        cmocka_unit_test(the_page_has_every_limit),
        cmocka_unit_test(the_page_has_every_key),
    };
    return cmocka_run_group_tests(tests, read_page, trial_over);
}
