/* threads_test.c: how components run: concurrency, blocking, compute, and [drivers]; what threads a
 * system needs, and each mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/package/trial_test.h"

#define S "system.toml:"
#define C "component.toml:"

/* A system of that text, with a package "p" of that manifest. */
static void fresh(const char *text, const char *manifest)
{
    trial_begin(&trial, text, NULL);
    trial.files[0] = (struct trial_file){"p/component.toml", manifest, TN_OK};
}

static void keys_are_read(void **state)
{
    (void)state;
    fresh(TRIAL_SYSTEM "compute = 3\n[components.a]\npackage = \"p\"\ndomain = \"kernel\"\n"
                       "[components.b]\npackage = \"p\"\n[components.b.limits]\nconcurrency = 1\n"
                       "[components.c]\npackage = \"p\"\n[components.c.limits]\nconcurrency = 16\n"
                       "[place]\nc = \"kernel\"\n[trust]\ncomponents = [\"a\", \"c\"]\n",
          TRIAL_MANIFEST "compute = true\n[resources]\nconcurrency = 4\n");
    trial_expect(&trial, "");
    assert_int_equal(trial.spec.compute, 3);
    assert_true(trial_component(&trial, "a")->compute);
    assert_false(trial_component(&trial, "a")->blocking);
    assert_int_equal(trial_component(&trial, "a")->resources.concurrency, 4);
    assert_int_equal(trial_component(&trial, "b")->resources.concurrency, 1);
    assert_int_equal(trial_component(&trial, "c")->resources.concurrency, 4);
    fresh(TRIAL_SYSTEM "[components.a]\npackage = \"p\"\n", TRIAL_MANIFEST "blocking = true\n");
    trial_expect(&trial, "");
    assert_true(trial_component(&trial, "a")->blocking);
    assert_int_equal(trial_component(&trial, "a")->resources.concurrency, 1);
    assert_int_equal(trial.spec.compute, 0);
}

static void mistakes_in_keys(void **state)
{
    (void)state;
    trial_expect_manifest(
        TRIAL_MANIFEST "blocking = true\ncompute = true\n[resources]\nconcurrency = 0\n",
        C "6:11: compute in [component]: what has a thread of its own is not in the pool: write "
          "blocking or compute\n" C
          "8:15: concurrency in [resources]: 0 is out of range, expected 1 to 16\n");
    trial_expect_manifest(
        TRIAL_MANIFEST
        "blocking = 1\nconpute = true\n[resources]\nconcurrency = 17\nconcurency = 2\n",
        C "5:12: blocking in [component]: expected a boolean, found an integer\n" C
          "6:1: unknown key 'conpute' in [component]: did you mean 'compute'?\n" C
          "8:15: concurrency in [resources]: 17 is out of range, expected 1 to 16\n" C
          "9:1: unknown key 'concurency' in [resources]: did you mean 'concurrency'?\n");
    fresh(TRIAL_SYSTEM "compute = 0\n", "");
    trial_expect(&trial, S "4:11: compute in [system]: 0 is out of range, expected 1 to 16\n");
    fresh(TRIAL_SYSTEM "compute = 17\n", "");
    trial_expect(&trial, S "4:11: compute in [system]: 17 is out of range, expected 1 to 16\n");
}

#define ONE_TURN                                                                              \
    " runs in wasm, where a component has one turn at a time, and asks for concurrency = 2: " \
    "write "                                                                                  \
    "concurrency = 1 in "

static void one_turn_in_wasm(void **state)
{
    (void)state;
    static const char *manifest = TRIAL_MANIFEST "[resources]\nconcurrency = 2\n";
    fresh(TRIAL_SYSTEM
          "[components.a]\npackage = \"p\"\n[components.b]\npackage = \"p\"\n"
          "domain = \"wasm\"\n[components.c]\npackage = \"p\"\n[place]\nc = \"wasm\"\n",
          manifest);
    trial_expect(&trial,
                 S "5:11: 'a'" ONE_TURN "[components.a.limits], or place it in the kernel\n" S
                   "8:10: 'b'" ONE_TURN "[components.b.limits], or place it in the kernel\n" S
                   "12:5: 'c'" ONE_TURN "[components.c.limits], or place it in the kernel\n");
    fresh(TRIAL_SYSTEM "[components.a]\npackage = \"p\"\n[trust]\ncomponents = [\"a\"]\n",
          manifest);
    static const struct system_place place = {{"a", 1}, DOMAIN_KERNEL};
    trial.input.places = &place;
    trial.input.nplaces = 1;
    trial_expect(&trial, "");
}

static void threads_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *system;
        uint32_t cpus, compute, blocking;
    } cases[] = {
        {"", 4, 0, 0},
        {"compute = 2\n", 4, 0, 0}, /* nobody is to run there */
        {"[components.a]\npackage = \"p\"\n", 4, 1, 0},
        {"[components.a]\npackage = \"p\"\n[components.b]\npackage = \"p\"\n", 1, 1, 0},
        {"compute = 2\n[components.a]\npackage = \"p\"\n[components.b]\npackage = \"p\"\n"
         "[components.c]\npackage = \"p\"\n",
         1, 2, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[1000];
        snprintf(text, sizeof(text), TRIAL_SYSTEM "%s", cases[i].system);
        fresh(text, TRIAL_MANIFEST "compute = true\n");
        trial_expect(&trial, "");
        struct system_threads threads = system_threads(&trial.spec, cases[i].cpus);
        assert_int_equal(threads.compute, cases[i].compute);
        assert_int_equal(threads.blocking, cases[i].blocking);
    }
}

#define WIRED                                                 \
    TRIAL_SYSTEM "[components.a]\npackage = \"p\"\n[wires]\n" \
                 "a.in = { driver = \"files\", path = \"x\" }\na.log = { driver = \"log\" }\n"
#define NEEDS                                                                                      \
    TRIAL_MANIFEST "[needs]\nin = { interface = \"tenon.file\", rights = [\"call\", \"read\"] }\n" \
                   "log = { interface = \"tenon.log\" }\n"

static void drivers(void **state)
{
    (void)state;
    fresh(WIRED, NEEDS);
    trial_expect(&trial, "");
    bool by_default = trial.spec.driver_blocks[WIRE_FILES];
    assert_false(trial.spec.driver_blocks[WIRE_LOG]);
    fresh(WIRED "[drivers]\nlog.blocking = true\nfiles.blocking = true\nclock.blocking = true\n",
          NEEDS);
    trial_expect(&trial, "");
    assert_true(trial.spec.driver_blocks[WIRE_FILES] && trial.spec.driver_blocks[WIRE_LOG]);
    assert_false(trial.spec.driver_blocks[WIRE_CLOCK]); /* nobody asks it anything */
    assert_int_equal(system_threads(&trial.spec, 1).blocking, 2);
    fresh(WIRED "[drivers.files]\nblocking = false\n", NEEDS);
    trial_expect(&trial, "");
    assert_false(trial.spec.driver_blocks[WIRE_FILES]);
    assert_int_equal(system_threads(&trial.spec, 1).blocking, 0);
    fresh(WIRED "[drivers.files]\n", NEEDS);
    trial_expect(&trial, "");
    assert_int_equal(trial.spec.driver_blocks[WIRE_FILES], by_default);
    fresh(WIRED "[drivers]\nfile.blocking = true\nlog = 1\nrandom.blocking = 1\nclock.bloking = "
                "true\n",
          NEEDS);
    trial_expect(&trial,
                 S "10:1: unknown key 'file' in [drivers]: did you mean 'files'?\n" S
                   "11:7: log in [drivers]: expected a table, found an integer\n" S
                   "12:19: blocking in [drivers.random]: expected a boolean, found an integer\n" S
                   "13:7: unknown key 'bloking' in [drivers.clock]: did you mean 'blocking'?\n");
}

/* As many as there may be, and one more: the first that is too many is named. */
static void threads_are_few(void **state)
{
    (void)state;
    for (uint32_t over = 0; over < 3; over++) {
        char text[4000];
        int used = snprintf(text, sizeof(text), TRIAL_SYSTEM "[components]\n");
        for (uint32_t i = 0; i < TN_BLOCKING_MAX + over; i++)
            used += snprintf(text + used, sizeof(text) - (size_t)used,
                             "c%u = { package = \"p\" }\n", i);
        fresh(text, TRIAL_MANIFEST "blocking = true\n");
        trial_expect(&trial, over == 0 ? ""
                                       : S
                                 "21:19: 'c16' blocks, as 16 components and drivers before it "
                                 "do: each has a thread of its own, and there are at most 16 "
                                 "(TN_BLOCKING_MAX)\n");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_read),    cmocka_unit_test(mistakes_in_keys),
        cmocka_unit_test(one_turn_in_wasm), cmocka_unit_test(threads_are_counted),
        cmocka_unit_test(drivers),          cmocka_unit_test(threads_are_few),
    };
    return cmocka_run_group_tests(tests, NULL, trial_over);
}
