/* units.c: the kernel's tests, unchanged, on a bare machine: the main of each test program under
 * the name units_NAME, run in turn, or those that the command line names. */
#include "base/bytes.h"
#include "kernel/machine.h"
#include "machine/bare/bare.h"
#include "machine/setup_test.h"

#include <stdio.h>

#include <cmocka.h>

enum { TEXT_BYTES = 400, EXIT_FAILED = 1 };

/* UNITS(X) names them: the build defines it. */
#define DECLARE(name) int units_##name(void);
UNITS(DECLARE)

static const struct {
    const char *name;
    int (*run)(void);
} units[] = {
#define LIST(name) {#name, units_##name},
    UNITS(LIST)};

/* Of the machine's contract, what only a machine of threads can do: more CPUs than there are. */
static const char *const not_here[] = {"test_setup_limits"};

static uint32_t passed, skipped;
static const char *group_now, *test_now;

static void say(const char *format, ...) FMT_LIKE(1, 2);
static void say(const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;
    va_start(args, format);
    size_t len = fmt_vprint(text, sizeof(text), format, args);
    va_end(args);
    machine_console(text, len < sizeof(text) ? len : sizeof(text) - 1);
}

int snprintf(char *at, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t len = fmt_vprint(at, size, format, args);
    va_end(args);
    return (int)len;
}

void units_fail(const char *file, int line, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;
    va_start(args, format);
    (void)fmt_vprint(text, sizeof(text), format, args);
    va_end(args);
    say("units: failed: %s, %s: %s:%d: %s\n", group_now, test_now, file, line, text);
    bare_exit(EXIT_FAILED);
}

static bool is_here(const char *name)
{
    for (size_t i = 0; i < sizeof(not_here) / sizeof(not_here[0]); i++)
        if (str_eq(str_of(name), str_of(not_here[i])))
            return false;
    return true;
}

int units_run(const char *group, const struct CMUnitTest *tests, size_t n,
              int (*setup)(void **state), int (*teardown)(void **state))
{
    void *state = NULL;
    group_now = group;
    test_now = "set up";
    assert_true(setup == NULL || setup(&state) == 0);
    for (size_t i = 0; i < n; i++) {
        test_now = tests[i].name;
        if (!is_here(test_now)) {
            skipped++;
            continue;
        }
        void *own = tests[i].initial_state != NULL ? tests[i].initial_state : state;
        assert_true(tests[i].setup_func == NULL || tests[i].setup_func(&own) == 0);
        tests[i].test_func(&own);
        assert_true(tests[i].teardown_func == NULL || tests[i].teardown_func(&own) == 0);
        passed++;
    }
    assert_true(teardown == NULL || teardown(&state) == 0);
    return 0;
}

/* Whether the word is one of those in `text`. */
static bool has_word(const char *text, const char *word)
{
    size_t len = str_length(word);
    for (const char *at = text; *at != '\0';) {
        size_t here = 0;
        while (at[here] != '\0' && at[here] != ' ')
            here++;
        if (here == len && memcmp(at, word, len) == 0)
            return true;
        at += here;
        while (*at == ' ')
            at++;
    }
    return false;
}

int setup_machine(uint32_t cpus, uint64_t memory_bytes)
{
    return bare_limit(cpus, memory_bytes) ? 0 : -1;
}

void setup_end(void)
{
    assert_true(bare_limit(0, 0));
}

uint32_t bare_main(const char *cmdline)
{
    bool all = cmdline[0] == '\0';
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (!all && !has_word(cmdline, units[i].name))
            continue;
        uint64_t began_ns = machine_now_ns();
        uint32_t before = passed;
        if (units[i].run() != 0)
            return EXIT_FAILED;
        say("units: %s: %u passed in %llu ms\n", units[i].name, passed - before,
            (unsigned long long)(machine_now_ns() - began_ns) / 1000000);
    }
    say("units: %u passed, %u not for this machine\n", passed, skipped);
    return passed > 0 ? 0 : EXIT_FAILED;
}
