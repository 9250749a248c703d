/* wires_test.c: [wires] in every form, what it resolves to, circles, the order of start, and each
 * mistake. */
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

/* Component a needs one of each, optionally; b provides a file and a log; [wires] starts on line
 * 9. */
static void wire(const char *wires, const char *said)
{
    trial_begin(&trial,
                TRIAL_SYSTEM "[components.a]\npackage = \"a\"\n[components.b]\npackage = \"b\"\n"
                             "[wires]\n",
                wires);
    trial.files[0] = (struct trial_file){
        "a/component.toml",
        TRIAL_MANIFEST
        "[needs]\nin = { interface = \"tenon.file\", rights = [\"call\", \"read\"], "
        "optional = true }\nboth = { interface = \"tenon.file\", rights = [\"call\", "
        "\"read\", \"write\"], optional = true }\n"
        "clock = { interface = \"tenon.clock\", optional = true }\n"
        "random = { interface = \"tenon.random\", optional = true }\n"
        "log = { interface = \"tenon.log\", optional = true }\n"
        "bare = { interface = \"tenon.file\", optional = true }\n",
        TN_OK};
    trial.files[1] = (struct trial_file){
        "b/component.toml",
        TRIAL_MANIFEST "[provides]\nfile = \"tenon.file\"\nlines = \"tenon.log\"\n", TN_OK};
    trial_expect(&trial, said);
}

static const struct need_spec *need(const char *name)
{
    return trial_need(&trial, "a", name);
}

static void every_form_of_wire(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "\"a.in\" = \"b.file\"\n\"a.log\" = { to = \"b.lines\", circle = true }\n",
        "a.in = \"b.file\"\na.log = { to = \"b.lines\", circle = true }\n",
        "a = { in.to = \"b.file\", log = { to = \"b.lines\", circle = true } }\n",
        "[wires.a]\nin.to = \"b.file\"\nlog.to = \"b.lines\"\nlog.circle = true\n",
        "a.in = { to = \"b.file\", circle = false }\na.log = { to = \"b.lines\", circle = true }\n",
        "[wires.a.log]\nto = \"b.lines\"\ncircle = true\n[wires.\"a.in\"]\nto = \"b.file\"\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        wire(forms[i], "");
        assert_int_equal(need("in")->wire, WIRE_COMPONENT);
        assert_int_equal(need("in")->component, 1);
        assert_int_equal(need("in")->provide, 0);
        assert_false(need("in")->circle);
        assert_int_equal(need("log")->wire, WIRE_COMPONENT);
        assert_int_equal(need("log")->provide, 1);
        assert_true(need("log")->circle);
        assert_int_equal(need("clock")->wire, WIRE_NONE);
    }
}

static void every_driver(void **state)
{
    (void)state;
    wire("a.in = { driver = \"files\", path = \"data/in.csv\" }\n"
         "a.both = { driver = \"files\", path = \"/out\", rights = [\"write\", \"read\"], "
         "directory = true }\n"
         "a.clock = { driver = \"clock\" }\na.random = { driver = \"random\" }\n"
         "a.log = { driver = \"log\" }\n",
         "");
    assert_int_equal(need("in")->wire, WIRE_FILES);
    assert_str(need("in")->path, "data/in.csv");
    assert_int_equal(need("in")->arg, 0);
    assert_int_equal(need("in")->grant, TN_R_READ);
    assert_false(need("in")->directory);
    assert_str(need("both")->path, "/out");
    assert_int_equal(need("both")->grant, TN_R_READ | TN_R_WRITE);
    assert_true(need("both")->directory);
    assert_int_equal(need("clock")->wire, WIRE_CLOCK);
    assert_int_equal(need("random")->wire, WIRE_RANDOM);
    assert_int_equal(need("log")->wire, WIRE_LOG);
}

static void paths_may_be_arguments(void **state)
{
    (void)state;
    wire("a.in = { driver = \"files\", path = \"$1\" }\n"
         "a.both = { driver = \"files\", path = \"$9\", default = \"data/cpu.csv\", "
         "rights = [\"read\", \"write\"] }\n",
         "");
    assert_int_equal(need("in")->arg, 1);
    assert_int_equal(need("in")->path.len, 0);
    assert_int_equal(need("both")->arg, 9);
    assert_str(need("both")->path, "data/cpu.csv");
    wire("a.in = { driver = \"files\", path = \"a$b\" }\n", "");
    assert_str(need("in")->path, "a$b");
    wire("a.in = { driver = \"files\", path = \"$0\" }\n"
         "a.both = { driver = \"files\", path = \"$10\", rights = [\"read\", \"write\"] }\n",
         S "9:35: path in wire a.in: '$0': an argument is the whole path, \"$1\" to \"$9\"\n" S
           "10:37: path in wire a.both: '$10': an argument is the whole path, \"$1\" to \"$9\"\n");
    wire("a.in = { driver = \"files\", path = \"data/$1.csv\" }\n"
         "a.both = { driver = \"files\", path = \"x\", default = \"y\", "
         "rights = [\"read\", \"write\"] }\n",
         S "9:35: path in wire a.in: 'data/$1.csv': an argument is the whole path, \"$1\" to "
           "\"$9\"\n" S "10:52: default in wire a.both is for a path that is an argument, such as "
           "\"$1\"\n");
    wire("a.in = { driver = \"files\", path = \"\" }\n"
         "a.both = { driver = \"files\", path = \"$1\", default = \"a\\nb\", "
         "rights = [\"read\", \"write\"] }\n",
         S "9:35: '' is not a path: write a path without control characters\n" S
           "10:53: 'a\\u000ab' is not a path: write a path without control characters\n");
}

static void what_is_asked_for_must_be_granted(void **state)
{
    (void)state;
    wire("a.in = { driver = \"files\", path = \"x\", rights = [\"write\"] }\n"
         "a.both = { driver = \"files\", path = \"x\" }\n",
         S "9:49: wire a.in grants \"write\", which is less than the component asks for: write "
           "rights = [\"read\", \"write\"]\n" S
           "10:10: wire a.both grants \"read\", which is less than the component asks for: write "
           "rights = [\"read\", \"write\"]\n");
    wire("a.in = { driver = \"files\", path = \"x\", rights = [\"call\"] }\n"
         "a.both = { driver = \"files\", path = \"x\", rights = [] }\n",
         S "9:50: unknown right 'call' in wire a.in: expected read or write\n" S
           "10:51: wire a.both grants no right, which is less than the component asks for: write "
           "rights = [\"read\", \"write\"]\n");
}

static void files_are_read_or_written(void **state)
{
    (void)state;
    wire("a.bare = { driver = \"files\", path = \"x\" }\n",
         S "9:10: wire a.bare grants nothing: the rights of this need in its component.toml have "
           "neither \"read\" nor \"write\"\n");
}

static void mistakes_in_keys(void **state)
{
    (void)state;
    static const struct {
        const char *wires, *said;
    } cases[] = {
        {"\"a.inn\" = \"b.file\"\n", S "9:1: 'a' does not need 'inn': did you mean 'in'?\n"},
        {"\"a.zzzzz\" = \"b.file\"\n",
         S "9:1: 'a' does not need 'zzzzz': it needs in, both, clock, random, log or bare\n"},
        {"\"b.in\" = \"b.file\"\n", S "9:1: 'b' does not need 'in': it needs nothing\n"},
        {"\"c.in\" = \"b.file\"\n",
         S "9:1: unknown component 'c': there is no [components] entry of that name\n"},
        {"\"a.in.x\" = \"b.file\"\n",
         S "9:1: 'a.in.x' in [wires] is not of the form \"component.need\"\n"},
        {"in = \"b.file\"\n", S "9:1: 'in' in [wires] is not of the form \"component.need\"\n"},
        {"a.in = \"b.file\"\n\"a.in\" = \"b.file\"\n",
         S "10:1: wire a.in is there twice: see line 9\n"},
        {"\"\\n.\\n\" = 1\n",
         S "9:1: unknown component '\\u000a': there is no [components] entry of that name\n" S
           "9:11: wire \\u000a.\\u000a: expected a string or a table, found an integer\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        wire(cases[i].wires, cases[i].said);
}

static void mistakes_in_values(void **state)
{
    (void)state;
    static const struct {
        const char *wires, *said;
    } cases[] = {
        {"\"a.in\" = \"b.fil\"\n", S "9:10: 'b' does not provide 'fil': did you mean 'file'?\n"},
        {"\"a.in\" = \"b.xyzxyz\"\n",
         S "9:10: 'b' does not provide 'xyzxyz': it provides file or lines\n"},
        {"\"a.in\" = \"a.file\"\n", S "9:10: 'a' does not provide 'file': it provides nothing\n"},
        {"\"a.in\" = \"b\"\n",
         S "9:10: wire a.in: 'b' is not of the form \"component.provided\"\n"},
        {"\"a.in\" = \"b.lines\"\n",
         S "9:10: wire a.in needs tenon.file, but 'b.lines' provides tenon.log\n"},
        {"\"a.in\" = 1\n", S "9:10: wire a.in: expected a string or a table, found an integer\n"},
        {"\"a.in\" = {}\n", S "9:10: wire a.in lacks 'to': write to = \"component.provided\", or "
                              "driver = \"files\" or another one\n"},
        {"\"a.in\" = { to = 1, circle = 1, too = 1 }\n",
         S "9:17: to in wire a.in: expected a string, found an integer\n" S
           "9:29: circle in wire a.in: expected a boolean, found an integer\n" S
           "9:32: unknown key 'too' in wire a.in: did you mean 'to'?\n"},
        {"\"a.in\" = { driver = \"file\" }\n",
         S "9:21: unknown driver 'file' in wire a.in: did you mean 'files'?\n"},
        {"\"a.in\" = { driver = 1 }\n",
         S "9:21: driver in wire a.in: expected a string, found an integer\n"},
        {"\"a.in\" = { driver = \"clock\", path = \"x\" }\n",
         S "9:21: wire a.in needs tenon.file, but the driver 'clock' provides tenon.clock\n" S
           "9:30: unknown key 'path' in wire a.in: expected driver\n"},
        {"\"a.in\" = { driver = \"files\", to = \"b.file\" }\n",
         S "9:10: wire a.in lacks 'path': write path = \"FILE\", or \"$1\" for an argument\n" S
           "9:30: unknown key 'to' in wire a.in: expected driver, path, default, rights or "
           "directory\n"},
        {"\"a.in\" = { driver = \"files\", path = 1, default = 1, rights = 1, directory = 1 }\n",
         S "9:37: path in wire a.in: expected a string, found an integer\n" S
           "9:50: default in wire a.in: expected a string, found an integer\n" S
           "9:62: rights in wire a.in: expected an array, found an integer\n" S
           "9:77: directory in wire a.in: expected a boolean, found an integer\n"},
        {"\"a.zz\" = { driver = \"files\", path = \"$0\" }\n",
         S "9:1: 'a' does not need 'zz': it needs in, both, clock, random, log or bare\n" S
           "9:37: path in wire a.zz: '$0': an argument is the whole path, \"$1\" to \"$9\"\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        wire(cases[i].wires, cases[i].said);
}

/* n components of one package each that need the ones in `needs` ("b", "ca": a letter each, its own
 * name in front) as optional jobs, and provide one. */
static void graph(const char *const *needs, uint32_t n, const char *circle, const char *said)
{
    static char text[4000], manifests[TRIAL_FILES][600], paths[TRIAL_FILES][30];
    trial_end(&trial);
    memset(&trial, 0, sizeof(trial));
    int used = snprintf(text, sizeof(text), TRIAL_SYSTEM);
    for (uint32_t i = 0; i < n; i++)
        used += snprintf(text + used, sizeof(text) - (size_t)used,
                         "[components.%c]\npackage = \"%c\"\n", needs[i][0], needs[i][0]);
    used += snprintf(text + used, sizeof(text) - (size_t)used, "[wires]\n");
    for (uint32_t i = 0; i < n; i++) {
        snprintf(paths[i], sizeof(paths[i]), "%c/component.toml", needs[i][0]);
        int m = snprintf(manifests[i], sizeof(manifests[i]),
                         TRIAL_MANIFEST "[provides]\njob = \"tenon.job\"\n");
        for (const char *to = needs[i] + 1; *to != '\0'; to++) {
            m += snprintf(manifests[i] + m, sizeof(manifests[i]) - (size_t)m,
                          "[needs.n%c]\ninterface = \"tenon.job\"\n", *to);
            bool closes = circle[0] == needs[i][0] && circle[1] == *to;
            used += snprintf(text + used, sizeof(text) - (size_t)used,
                             closes ? "%c.n%c = { to = \"%c.job\", circle = true }\n"
                                    : "%c.n%c = \"%c.job\"\n",
                             needs[i][0], *to, *to);
        }
        trial.files[i] = (struct trial_file){paths[i], manifests[i], TN_OK};
    }
    trial.text = text;
    trial_expect(&trial, said);
}

static void expect_order(const char *letters)
{
    assert_int_equal(trial.spec.ncomponents, strlen(letters));
    for (uint32_t i = 0; i < trial.spec.ncomponents; i++)
        assert_int_equal(trial.spec.components[trial.spec.order[i]].name.at[0], letters[i]);
}

static void providers_start_first(void **state)
{
    (void)state;
    static const char *const none[] = {"a", "b", "c"};
    graph(none, 3, "  ", "");
    expect_order("abc");
    static const char *const chain[] = {"ab", "bc", "c"};
    graph(chain, 3, "  ", "");
    expect_order("cba");
    static const char *const diamond[] = {"abc", "bd", "cd", "d", "e"};
    graph(diamond, 5, "  ", "");
    expect_order("dbcae");
    static const char *const circle[] = {"ab", "ba"};
    graph(circle, 2, "ab", "");
    expect_order("ab");
    graph(circle, 2, "ba", "");
    expect_order("ba");
    static const char *const self[] = {"aa"};
    graph(self, 1, "aa", "");
    expect_order("a");
}

#define CIRCLE "a circle of calls, for which one wire must say circle = true: "

static void circles_are_named(void **state)
{
    (void)state;
    static const char *const self[] = {"aa"};
    graph(self, 1, "  ", S "7:3: " CIRCLE "a.na -> a.na\n");
    static const char *const two[] = {"ab", "ba"};
    graph(two, 2, "  ", S "10:3: " CIRCLE "a.nb -> b.na -> a.nb\n");
    static const char *const three[] = {"ab", "bc", "cb", "db"};
    graph(three, 4, "  ", S "15:3: " CIRCLE "b.nc -> c.nb -> b.nc\n");
    /* Two circles through a: each is named; one wire that both share can close both. */
    static const char *const pair[] = {"ab", "bca", "ca"};
    graph(pair, 3, "  ",
          S "13:3: " CIRCLE "a.nb -> b.na -> a.nb\n" S "14:3: " CIRCLE
            "a.nb -> b.nc -> c.na -> a.nb\n");
    graph(pair, 3, "ab", "");
    expect_order("acb");
}

static void needs_must_be_wired(void **state)
{
    (void)state;
    trial_end(&trial);
    memset(&trial, 0, sizeof(trial));
    trial.text = TRIAL_SYSTEM "[components.a]\npackage = \"a\"\n[components.b]\npackage = \"b\"\n";
    trial.files[0] = (struct trial_file){
        "a/component.toml",
        TRIAL_MANIFEST
        "[needs]\nin = { interface = \"tenon.file\", rights = [\"call\", \"read\"] }\n"
        "clock = { interface = \"tenon.clock\" }\n"
        "random = { interface = \"tenon.random\" }\n"
        "log = { interface = \"tenon.log\" }\njob = { interface = \"tenon.job\" }\n"
        "spare = { interface = \"tenon.job\", optional = true }\n",
        TN_OK};
    trial.files[1] = (struct trial_file){"b/component.toml",
                                         TRIAL_MANIFEST "[provides]\nl = \"tenon.log\"\n", TN_OK};
    trial_expect(
        &trial,
        S "4:13: a needs in (tenon.file), which is not wired: write \"a.in\" = { driver = "
          "\"files\", path = \"...\" } in [wires]\n" S
          "4:13: a needs clock (tenon.clock), which is not wired: write \"a.clock\" = { driver = "
          "\"clock\" } in [wires]\n" S
          "4:13: a needs random (tenon.random), which is not wired: write \"a.random\" = { driver "
          "= \"random\" } in [wires]\n" S
          "4:13: a needs log (tenon.log), which is not wired: write \"a.log\" = \"b.l\" in "
          "[wires]\n" S "4:13: a needs job (tenon.job), which is not wired: write \"a.job\" = "
          "\"COMPONENT.PROVIDED\" in [wires]\n");
}

/* As many components as there may be, each calling the next: the longest path there is. */
static void the_longest_circle(void **state)
{
    (void)state;
    static char text[SYSTEM_COMPONENTS_MAX * 200];
    trial_end(&trial);
    memset(&trial, 0, sizeof(trial));
    trial.files[0] = (struct trial_file){
        "p/component.toml",
        TRIAL_MANIFEST "[provides]\njob = \"tenon.job\"\n[needs.next]\ninterface = \"tenon.job\"\n",
        TN_OK};
    for (int circle = 0; circle < 2; circle++) {
        int used = snprintf(text, sizeof(text), TRIAL_SYSTEM "[components]\n");
        for (uint32_t i = 0; i < SYSTEM_COMPONENTS_MAX; i++)
            used += snprintf(text + used, sizeof(text) - (size_t)used, "c%u.package = \"p\"\n", i);
        used += snprintf(text + used, sizeof(text) - (size_t)used, "[wires]\n");
        for (uint32_t i = 0; i < SYSTEM_COMPONENTS_MAX; i++)
            used +=
                snprintf(text + used, sizeof(text) - (size_t)used,
                         "c%u.next = { to = \"c%u.job\", circle = %s }\n", i,
                         (i + 1) % SYSTEM_COMPONENTS_MAX, circle == 1 && i == 0 ? "true" : "false");
        trial.text = text;
        trial_parse(&trial);
        assert_int_equal(trial.faults.total, 1 - circle);
        if (circle == 0) {
            const char *said = trial.faults.at[0].text;
            assert_int_equal(strlen(said), sizeof(trial.faults.at[0].text) - 1);
            assert_memory_equal(said, CIRCLE "c0.next -> c1.next", strlen(CIRCLE) + 18);
            assert_string_equal(said + strlen(said) - 3, "...");
            assert_int_equal(trial.faults.at[0].line, 5 + 2 * SYSTEM_COMPONENTS_MAX);
        } else {
            assert_int_equal(trial.spec.order[0], 0);
            assert_int_equal(trial.spec.order[1], SYSTEM_COMPONENTS_MAX - 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_wire),
        cmocka_unit_test(every_driver),
        cmocka_unit_test(paths_may_be_arguments),
        cmocka_unit_test(what_is_asked_for_must_be_granted),
        cmocka_unit_test(files_are_read_or_written),
        cmocka_unit_test(mistakes_in_keys),
        cmocka_unit_test(mistakes_in_values),
        cmocka_unit_test(providers_start_first),
        cmocka_unit_test(circles_are_named),
        cmocka_unit_test(needs_must_be_wired),
        cmocka_unit_test(the_longest_circle),
    };
    return cmocka_run_group_tests(tests, NULL, trial_over);
}
