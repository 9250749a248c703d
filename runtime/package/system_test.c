/* system_test.c: whole compositions: what each key becomes, where components are placed, and each
 * mistake of a system.toml, but for [wires] (wires_test.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/package/trial_test.h"

#define SYSTEM       \
    "[system]\n"     \
    "name = \"t\"\n" \
    "memory = \"64 MiB\"\n"
#define MANIFEST(name, more) \
    "[component]\nname = \"" name "\"\nversion = \"1.2.0\"\nkind = \"service\"\n" more
#define S "system.toml:"

static void fresh(const char *text)
{
    trial_begin(&trial, text, NULL);
}

static const char full_system[] = "[system]\n"
                                  "name = \"demo\"\n"
                                  "architecture = \"mono\"\n"
                                  "memory = \"64 MiB\"\n"
                                  "cpus = 2\n"
                                  "[components.detector]\n"
                                  "package = \"../parts/detector/\"\n"
                                  "version = \"^1.0\"\n"
                                  "domain = \"wasm\"\n"
                                  "priority = 7\n"
                                  "restart = \"always\"\n"
                                  "restarts_max = 3\n"
                                  "[components.detector.config]\n"
                                  "threshold = 3.0\n"
                                  "any.thing = [1, \"a\"]\n"
                                  "[components.detector.limits]\n"
                                  "memory = \"2 MiB\"\n"
                                  "fuel_per_call = 5\n"
                                  "mailbox = 1000\n"
                                  "deadline = \"1 s\"\n"
                                  "stack = \"32 KiB\"\n"
                                  "[components.reader]\n"
                                  "package = \"reader\"\n"
                                  "[wires]\n"
                                  "\"detector.rows\" = \"reader.rows\"\n"
                                  "detector.log = { driver = \"log\" }\n"
                                  "[wires.reader]\n"
                                  "in = { driver = \"files\", path = \"$2\", default = \"a b\", "
                                  "rights = [\"read\", \"write\"], directory = true }\n"
                                  "[place]\n"
                                  "reader = \"kernel\"\n"
                                  "[trust]\n"
                                  "components = [\"reader\"]\n"
                                  "[job]\n"
                                  "run = \"detector.job\"\n"
                                  "args = [\"a\", \"\"]\n"
                                  "deadline = \"30 s\"\n";

static void fresh_full(void)
{
    fresh(full_system);
    trial.files[0] = (struct trial_file){
        "../parts/detector/component.toml",
        MANIFEST("detector", "[provides]\njob = \"tenon.job\"\n[needs.log]\n"
                             "interface = \"tenon.log\"\n[needs.spare]\n"
                             "interface = \"tenon.clock\"\noptional = true\n[needs.rows]\n"
                             "interface = \"tenon.file\"\nrights = [\"call\", \"read\"]\n"
                             "[resources]\nmailbox = 10\ndeadline = \"5 s\"\n"),
        TN_OK};
    trial.files[1] = (struct trial_file){
        "reader/component.toml",
        MANIFEST("reader", "ring = 1\n[provides]\nmeta = \"tenon.file\"\nrows = \"tenon.file\"\n"
                           "[needs.in]\ninterface = \"tenon.file\"\nrights = [\"call\", "
                           "\"read\"]\n[code]\nnative = \"r.so\"\n"),
        TN_OK};
    trial.files[2] = (struct trial_file){"../parts/detector/detector.wasm", "", TN_OK};
    trial.files[3] = (struct trial_file){"reader/r.so", "", TN_OK};
    trial.input.probe = trial_probe;
    trial.input.machine_cpus = 2;
    trial.input.machine_memory_bytes = 64 << 20;
}

static void check_detector(const struct component_spec *c)
{
    assert_str(c->package, "../parts/detector");
    assert_str(c->wasm_file, "../parts/detector/detector.wasm");
    assert_int_equal(c->domain, DOMAIN_WASM);
    assert_string_equal(component_domain_name(c->domain), "wasm");
    assert_int_equal(c->priority, 7);
    assert_true(c->restart);
    assert_int_equal(c->restarts_max, 3);
    assert_false(c->trusted);
    assert_int_equal(toml_table_count(c->config), 2);
    assert_true(toml_get(c->config, STR("threshold"))->number == 3.0);
    assert_true(c->resources.memory_bytes == 2 << 20);
    assert_true(c->resources.fuel_per_call == 5);
    assert_int_equal(c->resources.mailbox, 10); /* limits lower, and never raise */
    assert_true(c->resources.deadline_ns == 1000000000);
    assert_true(c->resources.stack_bytes == 32 << 10);
    assert_int_equal(c->needs[0].wire, WIRE_LOG);
    assert_int_equal(c->needs[1].wire, WIRE_NONE);
    assert_int_equal(c->needs[2].wire, WIRE_COMPONENT);
    assert_int_equal(c->needs[2].component, 1);
    assert_int_equal(c->needs[2].provide, 1);
    assert_false(c->needs[2].circle);
}

static void check_reader(const struct component_spec *c)
{
    assert_str(c->native_file, "reader/r.so");
    assert_int_equal(c->domain, DOMAIN_KERNEL);
    assert_string_equal(component_domain_name(c->domain), "kernel");
    assert_true(c->trusted);
    assert_int_equal(c->priority, TN_PRIORITY_DEFAULT);
    assert_false(c->restart);
    assert_int_equal(c->restarts_max, 0);
    assert_null(c->config);
    assert_true(c->resources.fuel_per_call == 0); /* native code is not metered */
    assert_int_equal(c->needs[0].wire, WIRE_FILES);
    assert_int_equal(c->needs[0].arg, 2);
    assert_str(c->needs[0].path, "a b");
    assert_int_equal(c->needs[0].grant, TN_R_READ); /* what is not asked for is not granted */
    assert_true(c->needs[0].directory);
}

static void every_key_is_read(void **state)
{
    (void)state;
    fresh_full();
    trial_expect(&trial, "");
    const struct system_spec *s = &trial.spec;
    assert_str(s->name, "demo");
    assert_str(s->architecture, "mono");
    assert_true(s->memory_bytes == 64 << 20);
    assert_int_equal(s->cpus, 2);
    assert_int_equal(s->ncomponents, 2);
    assert_str(s->components[0].name, "detector");
    assert_str(s->components[1].name, "reader");
    check_detector(&s->components[0]);
    check_reader(&s->components[1]);
    assert_int_equal(s->order[0], 1);
    assert_int_equal(s->order[1], 0);
    assert_true(s->job.given);
    assert_int_equal(s->job.component, 0);
    assert_int_equal(s->job.provide, 0);
    assert_int_equal(s->job.nargs, 2);
    assert_str(s->job.args[0], "a");
    assert_str(s->job.args[1], "");
    assert_true(s->job.deadline_ns == 30000000000);
}

static void defaults_are_as_documented(void **state)
{
    (void)state;
    fresh(SYSTEM "[components.a]\npackage = \"p\"\nrestart = \"always\"\n");
    trial.files[0] = (struct trial_file){"p/component.toml", MANIFEST("x", ""), TN_OK};
    trial_expect(&trial, "");
    const struct component_spec *c = trial_component(&trial, "a");
    assert_str(trial.spec.architecture, "hybrid");
    assert_int_equal(trial.spec.cpus, 0);
    assert_str(c->manifest_name, "x");
    assert_str(c->wasm_file, "p/x.wasm");
    assert_int_equal(c->restarts_max, SYSTEM_RESTARTS_DEFAULT);
    assert_false(trial.spec.job.given);
    assert_true(trial.spec.job.deadline_ns == 0);
}

/* One package may stand for many components; its faults are said once. */
static void a_package_is_read_once(void **state)
{
    (void)state;
    fresh(SYSTEM "[components.a]\npackage = \"p\"\n[components.b]\npackage = \"p/\"\n"
                 "limits.memory = \"1 MiB\"\n");
    trial.files[0] = (struct trial_file){"p/component.toml", MANIFEST("x", ""), TN_OK};
    trial_expect(&trial, "");
    assert_true(trial_component(&trial, "a")->resources.memory_bytes == SYSTEM_MEMORY_DEFAULT);
    assert_true(trial_component(&trial, "b")->resources.memory_bytes == 1 << 20);
    trial.files[0].text = MANIFEST("x", "rong = 1\n");
    trial_expect(&trial, "p/component.toml:5:1: unknown key 'rong' in [component]: did you mean "
                         "'ring'?\n");
}

/* At every size of the arena it is TN_ENOMEM or right, and stays within: the arena ends where its
 * block ends. */
static void any_arena_will_do_or_not(void **state)
{
    (void)state;
    fresh_full();
    trial_parse(&trial);
    static struct system_spec spec;
    static struct faults faults;
    struct system_input input = trial.input;
    tn_err e = TN_ENOMEM;
    size_t bytes = 0;
    for (; e == TN_ENOMEM; bytes += 3) {
        uint8_t *arena = malloc(bytes + 1);
        memset(&spec, 0xa5, sizeof(spec));
        input.arena = arena + 1;
        input.arena_bytes = bytes;
        e = system_parse(&input, &spec, &faults);
        assert_true(e == TN_OK || (e == TN_ENOMEM && *(uint8_t *)&spec == 0xa5));
        assert_int_equal(faults.total, 0);
        free(arena);
    }
    assert_int_equal(e, TN_OK);
    assert_true(bytes > 2 * sizeof(struct component_spec));
}

/* The same for files with mistakes, of TOML and of ours: all of them, or TN_ENOMEM. */
static void any_arena_finds_all_or_none(void **state)
{
    (void)state;
    fresh(SYSTEM "[components.a]\npackage = \"p\"\n[components.b]\npackage = \"q\"\nrong = 1\n");
    trial.files[0] = (struct trial_file){"p/component.toml", "a = \nb = 1\n[c]\nd = \n", TN_OK};
    trial.files[1] = (struct trial_file){"q/component.toml", MANIFEST("y", "ring = 4\n"), TN_OK};
    trial_parse(&trial);
    assert_int_equal(trial.faults.total, 4);
    static struct system_spec spec;
    static struct faults faults;
    struct system_input input = trial.input;
    tn_err e = TN_ENOMEM;
    for (size_t bytes = 0; e == TN_ENOMEM; bytes++) {
        input.arena = malloc(bytes + 1);
        input.arena_bytes = bytes;
        e = system_parse(&input, &spec, &faults);
        assert_true(e == TN_ENOMEM || (e == TN_EFORMAT && faults.total == 4));
        free(input.arena);
    }
}

static void place(const char *architecture, const char *ring, const char *more)
{
    static char text[600], manifest[300];
    snprintf(text, sizeof(text),
             "[system]\nname = \"t\"\nmemory = \"64 MiB\"\narchitecture = \"%s\"\n"
             "[components.a]\npackage = \"p\"\n%s",
             architecture, more);
    snprintf(manifest, sizeof(manifest), MANIFEST("x", "ring = %s\n"), ring);
    fresh(text);
    trial.files[0] = (struct trial_file){"p/component.toml", manifest, TN_OK};
    trial_parse(&trial);
}

static void architecture_decides_the_domain(void **state)
{
    (void)state;
    static const char trust[] = "[trust]\ncomponents = [\"a\"]\n";
    static const struct {
        const char *architecture, *ring, *more;
        enum component_domain domain;
    } cases[] = {
        {"hybrid", "0", trust, DOMAIN_KERNEL},
        {"hybrid", "1", trust, DOMAIN_KERNEL},
        {"mono", "1", trust, DOMAIN_KERNEL},
        {"hybrid", "2", trust, DOMAIN_WASM},
        {"hybrid", "3", trust, DOMAIN_WASM},
        {"mono", "1", "", DOMAIN_WASM},
        {"hybrid", "0", "", DOMAIN_WASM},
        {"micro", "1", trust, DOMAIN_WASM},
        {"exo", "0", trust, DOMAIN_WASM},
        {"nano", "0", trust, DOMAIN_WASM},
        {"nano", "1", "domain = \"kernel\"\n", DOMAIN_KERNEL},
        {"hybrid", "2", "domain = \"kernel\"\n[trust]\ncomponents = [\"a\"]\n", DOMAIN_KERNEL},
        {"mono", "1", "[trust]\ncomponents = [\"a\"]\n[place]\na = \"wasm\"\n", DOMAIN_WASM},
        {"hybrid", "1", "domain = \"kernel\"\n[place]\na = \"kernel\"\n", DOMAIN_KERNEL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        place(cases[i].architecture, cases[i].ring, cases[i].more);
        assert_string_equal(trial.said, "");
        assert_int_equal(trial_component(&trial, "a")->domain, cases[i].domain);
    }
}

static void mistakes_in_placement(void **state)
{
    (void)state;
    place("hybrid", "2", "domain = \"kernel\"\n");
    assert_string_equal(trial.said,
                        S "7:10: 'a' is of ring 2 and may not be in the kernel: write \"wasm\", or "
                          "add it to components in [trust]\n");
    place("hybrid", "1", "domain = \"process\"\n");
    assert_string_equal(trial.said, S "7:10: domain \"process\" is not available yet: write "
                                      "\"wasm\" for 'a'\n");
    place("hybrid", "1", "domain = \"wasn\"\n[place]\na = \"x\"\nb = \"wasm\"\n");
    assert_string_equal(
        trial.said, S "7:10: unknown domain 'wasn' in [components.a]: did you mean 'wasm'?\n" S
                      "9:5: unknown domain 'x' in [place]: expected kernel, wasm or process\n" S
                      "10:1: unknown component 'b': there is no [components] entry of that name\n");
    place("hybrid", "1", "domain = \"wasm\"\n[place]\na = \"kernel\"\n");
    assert_string_equal(trial.said, S "9:5: 'a' is placed in kernel here and in wasm on line 7: "
                                      "write it once\n");
    place("hybrid", "1",
          "domain = 1\n[place]\na = 1\n[trust]\ncomponents = [\"aaaa\", 1]\nal = 1\n");
    assert_string_equal(
        trial.said,
        S "7:10: domain in [components.a]: expected a string, found an integer\n" S
          "9:5: a in [place]: expected a string, found an integer\n" S
          "11:15: unknown component 'aaaa': there is no [components] entry of that name\n" S
          "11:23: an item of components in [trust]: expected a string, found an integer\n" S
          "12:1: unknown key 'al' in [trust]: expected components\n");
    place("hybrid", "1", "[place]\na = \"process\"\n[trust]\ncomponents = \"a\"\n");
    assert_string_equal(trial.said,
                        S "8:5: domain \"process\" is not available yet: write \"wasm\" for 'a'\n" S
                          "10:14: components in [trust]: expected an array, found a string\n");
}

static void mistakes_in_system(void **state)
{
    (void)state;
    fresh("");
    trial_expect(&trial, S "0:0: the file lacks 'system': write [system] with name and memory\n");
    fresh("system = 1\ncomponents = []\nwire = 1\nplace = 2\n");
    trial_expect(&trial, S "1:10: system in the file: expected a table, found an integer\n" S
                           "2:14: components in the file: expected a table, found an array\n" S
                           "3:1: unknown key 'wire' in the file: did you mean 'wires'?\n");
    fresh("[system]\n[components]\n");
    trial_expect(&trial, S "1:2: [system] lacks 'name': write name = \"my-system\"\n" S
                           "1:2: [system] lacks 'memory': write memory = \"64 MiB\"\n");
    fresh("[system]\nname = \"My System\"\nmemory = \"64\"\narchitecture = \"mirco\"\ncpus = 65\n"
          "memori = 1\n[components]\n");
    trial_expect(
        &trial,
        S "2:8: 'My System' is not a system's name: write lower case letters, digits, '-' and "
          "'_'\n" S "3:10: memory in [system]: '64' has no unit: expected B, KiB, MiB or GiB\n" S
          "4:16: unknown architecture 'mirco' in [system]: did you mean 'micro'?\n" S
          "5:8: cpus in [system]: 65 is out of range, expected 1 to 64\n" S
          "6:1: unknown key 'memori' in [system]: did you mean 'memory'?\n");
    fresh("[system]\nname = \"t\"\nmemory = \"64 MiB\"\narchitecture = \"macro\"\ncpus = 3\n"
          "[components]\n");
    trial.input.machine_cpus = 2;
    trial.input.machine_memory_bytes = (64 << 20) - 1;
    trial_expect(&trial, S
                 "3:10: memory in [system]: 64 MiB is more than the 67108863 B of this machine\n" S
                 "4:16: unknown architecture 'macro' in [system]: did you mean 'micro'?\n" S
                 "5:8: cpus in [system]: 3 are asked for, but this machine has 2\n");
}

static void no_components(void **state)
{
    (void)state;
    static const char *const without[] = {"", "[components]\n", "[wires]\n[place]\n"};
    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "[system]\nname = \"t\"\nmemory = \"16 MiB\"\n%s", without[i]);
        fresh(text);
        trial_expect(&trial, "");
        assert_int_equal(trial.spec.ncomponents, 0);
    }
}

static void placed_from_outside(void **state)
{
    (void)state;
    const struct system_place places[] = {
        {STR("a"), DOMAIN_KERNEL}, {STR("nobody"), DOMAIN_KERNEL}, {STR("a"), DOMAIN_WASM}};
    place("hybrid", "2", "[place]\na = \"wasm\"\n");
    trial.input.places = places;
    trial.input.nplaces = 2;
    trial.input.places_by = "--place";
    trial_expect(&trial, S "0:0: --place a=kernel: 'a' is of ring 2 and may not be in the kernel: "
                           "write \"wasm\", or add it to components in [trust]\n");
    trial.input.nplaces = 3; /* the last one counts */
    trial_parse(&trial);
    assert_string_equal(trial.said, "");
    assert_int_equal(trial.spec.components[0].domain, DOMAIN_WASM);
}

static void mistakes_in_components(void **state)
{
    (void)state;
    fresh(SYSTEM "[components.A]\npackage = \"p\"\n[components.b]\n[components]\nc = 1\n"
                 "[components.d]\npackage = \"\"\nversion = \"1.0\"\npriority = 8\n"
                 "restart = \"allways\"\nrestarts_max = -1\nconfig = 1\nlimits.memory = 0\n"
                 "limits.mailbx = 1\npakage = 1\n[components.e]\npackage = 1\nversion = 1\n");
    trial_expect(
        &trial,
        S "4:13: 'A' is not a component's name: write lower case letters, digits, '-' and '_'\n" S
          "6:13: [components.b] lacks 'package': write package = \"FOLDER\", where its "
          "component.toml is\n" S "8:5: c in [components]: expected a table, found an integer\n" S
          "10:11: '' is not a package's folder: write a path without control characters\n" S
          "11:11: version '1.0' in [components.d] is no requirement: write \"^1.2\" (compatible), "
          "\"=1.2.0\" (only this) or \">=1.2, <3\"\n" S
          "12:12: priority in [components.d]: 8 is out of range, expected 0 to 7\n" S
          "13:11: unknown restart 'allways' in [components.d]: did you mean 'always'?\n" S
          "14:16: restarts_max in [components.d]: -1 is out of range, expected 0 to 4294967295\n" S
          "15:10: config in [components.d]: expected a table, found an integer\n" S
          "16:17: memory in [components.d.limits] is zero, expected a size such as \"4 MiB\"\n" S
          "17:8: unknown key 'mailbx' in [components.d.limits]: did you mean 'mailbox'?\n" S
          "18:1: unknown key 'pakage' in [components.d]: did you mean 'package'?\n" S
          "20:11: package in [components.e]: expected a string, found an integer\n" S
          "21:11: version in [components.e]: expected a string, found an integer\n");
}

static void version_conflicts(void **state)
{
    (void)state;
    fresh(SYSTEM "[components.reader]\npackage = \"p\"\nversion = \"^2.0\"\n");
    trial.files[0] = (struct trial_file){"p/component.toml", MANIFEST("x", ""), TN_OK};
    trial_expect(&trial, S "6:11: reader is 1.2.0, but ^2.0 is asked for\n");
    fresh(SYSTEM "[components.reader]\npackage = \"p\"\nversion = \">=1.2, <1.3\"\n");
    trial.files[0] = (struct trial_file){"p/component.toml", MANIFEST("x", ""), TN_OK};
    trial_expect(&trial, "");
}

static void packages_that_cannot_be_read(void **state)
{
    (void)state;
    fresh(SYSTEM "[components.a]\npackage = \"none\"\nversion = \"^1\"\ndomain = \"kernel\"\n"
                 "[components.b]\npackage = \"none\"\n[components.c]\npackage = \"io\"\n"
                 "[components.d]\npackage = \"big\"\n[components.e]\npackage = \"mem\"\n"
                 "[components.f]\npackage = \"odd\"\n[components.g]\npackage = \"toml\"\n"
                 "[wires]\n\"a.x\" = \"b.y\"\n[job]\nrun = \"a.job\"\n");
    trial.files[0] = (struct trial_file){"io/component.toml", NULL, TN_EIO};
    trial.files[1] = (struct trial_file){"big/component.toml", NULL, TN_ETOOBIG};
    trial.files[2] = (struct trial_file){"mem/component.toml", NULL, TN_ENOMEM};
    trial.files[3] = (struct trial_file){"odd/component.toml", NULL, 7};
    trial.files[4] = (struct trial_file){"toml/component.toml", "a\nb = \n", TN_OK};
    trial_expect(
        &trial,
        S "5:11: there is no component.toml in 'none'\n" S
          "9:11: there is no component.toml in 'none'\n" S
          "11:11: component.toml in 'io' cannot be read: the outside failed: input or output "
          "error\n" S "13:11: component.toml in 'big' cannot be read: larger than the limit\n" S
          "15:11: component.toml in 'mem' cannot be read: the memory granted is used up\n" S
          "17:11: component.toml in 'odd' cannot be read: unknown error\n"
          "toml/component.toml:1:2: expected '=' after the key, found the end of the line; write "
          "key = value; a key with other characters goes in quotes\n"
          "toml/component.toml:2:5: expected a value, found the end of the line; a value is text "
          "in quotes, a number, true, false, a date or time, [an array] or {a table}\n");
}

static void code_that_is_not_there(void **state)
{
    (void)state;
    fresh(SYSTEM "[components.a]\npackage = \"p\"\n[components.b]\npackage = \"p\"\n"
                 "domain = \"kernel\"\n[components.c]\npackage = \"q\"\n");
    trial.input.probe = trial_probe;
    trial.files[0] = (struct trial_file){"p/component.toml", MANIFEST("x", "ring = 1\n"), TN_OK};
    trial.files[1] =
        (struct trial_file){"q/component.toml", MANIFEST("q", "[code]\nwasm = 1\n"), TN_OK};
    trial_expect(&trial, S "5:11: 'a' runs in wasm, but there is no 'p/x.wasm': build it\n" S
                           "7:11: 'b' runs in kernel, but there is no 'p/x.tn.so': build it\n"
                           "q/component.toml:6:8: wasm in [code]: expected a string, found an "
                           "integer\n");
    trial.input.probe = NULL;
    trial_expect(&trial, "q/component.toml:6:8: wasm in [code]: expected a string, found an "
                         "integer\n");
}

static void mistakes_in_job(void **state)
{
    (void)state;
    static const struct {
        const char *job, *said;
    } cases[] = {
        {"run = \"a.job\"\n", ""},
        {"", S "6:2: [job] lacks 'run': write run = \"component.provided\"\n"},
        {"run = \"a\"\n", S "7:7: run in [job]: 'a' is not of the form \"component.provided\"\n"},
        {"run = \"a.b.c\"\n",
         S "7:7: run in [job]: 'a.b.c' is not of the form \"component.provided\"\n"},
        {"run = \"z.job\"\n",
         S "7:7: unknown component 'z': there is no [components] entry of that name\n"},
        {"run = \"a.jib\"\n", S "7:7: 'a' does not provide 'jib': did you mean 'job'?\n"},
        {"run = \"a.zzz\"\n", S "7:7: 'a' does not provide 'zzz': it provides job or log\n"},
        {"run = \"a.log\"\n",
         S "7:7: run in [job]: 'a.log' provides tenon.log, but a job is tenon.job\n"},
        {"run = 1\nargs = 1\ndeadline = 1\nrum = 1\n",
         S "7:7: run in [job]: expected a string, found an integer\n" S
           "8:8: args in [job]: expected an array, found an integer\n" S
           "9:12: deadline in [job]: expected a string such as \"100 ms\", found an integer\n" S
           "10:1: unknown key 'rum' in [job]: did you mean 'run'?\n"},
        {"run = \"a.job\"\nargs = [\"a\", 1, []]\n",
         S "8:14: an item of args in [job]: expected a string, found an integer\n" S
           "8:17: an item of args in [job]: expected a string, found an array\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[400];
        snprintf(text, sizeof(text), SYSTEM "[components.a]\npackage = \"p\"\n[job]\n%s",
                 cases[i].job);
        fresh(text);
        trial.files[0] = (struct trial_file){
            "p/component.toml",
            MANIFEST("x", "[provides]\njob = \"tenon.job\"\nlog = \"tenon.log\"\n"), TN_OK};
        trial_expect(&trial, cases[i].said);
    }
}

static void memory_must_suffice(void **state)
{
    (void)state;
    static const struct {
        const char *memory, *of_a, *said;
    } cases[] = {
        {"16 MiB", "4 MiB", ""}, /* 4 + 4 and the reserve of 8 */
        {"16777215 B", "4 MiB",
         S "3:10: memory in [system]: the components ask for 8 MiB and the kernel for 8 MiB, "
           "together 16 MiB of 16777215 B: write memory = \"16 MiB\", or less in their limits\n"},
        {"16 MiB", "4194305 B",
         S "3:10: memory in [system]: the components ask for 8388609 B and the kernel for 8 MiB, "
           "together 16777217 B of 16 MiB: write memory = \"16777217 B\", or less in their "
           "limits\n"},
        {"17179869183 GiB", "18446744073709551615 B",
         S "3:10: memory in [system]: the components ask for more than 2^64 bytes\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[400], manifest[300];
        snprintf(text, sizeof(text),
                 "[system]\nname = \"t\"\nmemory = \"%s\"\n[components.a]\npackage = \"p\"\n"
                 "[components.b]\npackage = \"q\"\n",
                 cases[i].memory);
        snprintf(manifest, sizeof(manifest), MANIFEST("x", "[resources]\nmemory = \"%s\"\n"),
                 cases[i].of_a);
        fresh(text);
        trial.files[0] = (struct trial_file){"p/component.toml", manifest, TN_OK};
        trial.files[1] = (struct trial_file){"q/component.toml", MANIFEST("y", ""), TN_OK};
        trial_expect(&trial, cases[i].said);
    }
}

static void limits_hold_at_their_edge(void **state)
{
    (void)state;
    for (uint32_t over = 0; over < 2; over++) {
        static char text[SYSTEM_COMPONENTS_MAX * 40 + 200];
        int used = snprintf(text, sizeof(text),
                            "[system]\nname = \"t\"\nmemory = \"2 GiB\"\n[components]\n");
        for (uint32_t i = 0; i < SYSTEM_COMPONENTS_MAX + over; i++)
            used += snprintf(text + used, sizeof(text) - (size_t)used, "c%u.package = \"p\"\n", i);
        fresh(text);
        trial.files[0] = (struct trial_file){"p/component.toml", MANIFEST("x", ""), TN_OK};
        trial_expect(&trial, over == 0 ? ""
                                       : S "4:2: [components] has 257 components, at most 256 "
                                           "(SYSTEM_COMPONENTS_MAX)\n");
        if (over == 0)
            assert_int_equal(trial.spec.ncomponents, SYSTEM_COMPONENTS_MAX);
    }
    for (uint32_t over = 0; over < 2; over++) {
        static char text[SYSTEM_JOB_ARGS_MAX * 4 + 300];
        int used =
            snprintf(text, sizeof(text),
                     SYSTEM "[components.a]\npackage = \"p\"\n[job]\nrun = \"a.job\"\nargs = [");
        for (uint32_t i = 0; i < SYSTEM_JOB_ARGS_MAX + over; i++)
            used += snprintf(text + used, sizeof(text) - (size_t)used, "'',");
        snprintf(text + used, sizeof(text) - (size_t)used, "]\n");
        fresh(text);
        trial.files[0] = (struct trial_file){
            "p/component.toml", MANIFEST("x", "[provides]\njob = \"tenon.job\"\n"), TN_OK};
        trial_expect(&trial, over == 0 ? ""
                                       : S "8:8: args in [job] has 65 items, at most 64 "
                                           "(SYSTEM_JOB_ARGS_MAX)\n");
    }
    for (uint32_t over = 0; over < 2; over++) {
        static char text[SYSTEM_PATH_MAX + 200], path[SYSTEM_PATH_MAX + 21];
        memset(path, 'p', SYSTEM_PATH_MAX + over);
        snprintf(path + SYSTEM_PATH_MAX + over, 20, "/component.toml");
        snprintf(text, sizeof(text), SYSTEM "[components.a]\npackage = \"%.*s\"\n",
                 (int)(SYSTEM_PATH_MAX + over), path);
        fresh(text);
        trial.files[0] = (struct trial_file){path, MANIFEST("x", ""), TN_OK};
        trial_expect(&trial, over == 0 ? ""
                                       : S "5:11: 'pppppppppppppppppppppppppppppppppppppppp...' is "
                                           "too long for a package's folder: 1024 bytes, at most "
                                           "1023 (SYSTEM_PATH_MAX)\n");
    }
}

static void all_files_faults_come_in_order(void **state)
{
    (void)state;
    fresh("[job]\nrun = \"c.x\"\n[components.b]\npackage = \"q\"\n[components.a]\n"
          "package = \"p\"\ndomain = \"cernel\"\n[system]\nname = \"t\"\nmemory = \"1 MiB\"\n");
    trial.files[0] = (struct trial_file){"p/component.toml", MANIFEST("x", "ring = 4\n"), TN_OK};
    trial.files[1] = (struct trial_file){
        "q/component.toml", MANIFEST("y", "[provide]\n[needs.a]\ninterface = \"tenon.log\"\n"),
        TN_OK};
    trial_expect(
        &trial, S
        "2:7: unknown component 'c': there is no [components] entry of that name\n" S
        "3:13: b needs a (tenon.log), which is not wired: write \"b.a\" = { driver = \"log\" } in "
        "[wires]\n" S "7:10: unknown domain 'cernel' in [components.a]: did you mean 'kernel'?\n" S
        "10:10: memory in [system]: the components ask for 8 MiB and the kernel for 8 MiB, "
        "together 16 MiB of 1 MiB: write memory = \"16 MiB\", or less in their limits\n"
        "q/component.toml:5:2: unknown key 'provide' in the file: did you mean 'provides'?\n"
        "p/component.toml:5:8: ring in [component]: 4 is out of range, expected 0 to 3\n");
}

static void mistakes_of_toml(void **state)
{
    (void)state;
    fresh("[system\nname = 1\n[components.a]\npackage = \n");
    trial_expect(&trial,
                 S "1:8: expected ']' after the key, found the end of the line; a header is "
                   "[key]; dots separate parts\n" S
                   "4:11: expected a value, found the end of the line; a value is text in quotes, "
                   "a number, true, false, a date or time, [an array] or {a table}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(defaults_are_as_documented),
        cmocka_unit_test(a_package_is_read_once),
        cmocka_unit_test(any_arena_will_do_or_not),
        cmocka_unit_test(any_arena_finds_all_or_none),
        cmocka_unit_test(architecture_decides_the_domain),
        cmocka_unit_test(mistakes_in_placement),
        cmocka_unit_test(mistakes_in_system),
        cmocka_unit_test(mistakes_in_components),
        cmocka_unit_test(version_conflicts),
        cmocka_unit_test(packages_that_cannot_be_read),
        cmocka_unit_test(code_that_is_not_there),
        cmocka_unit_test(mistakes_in_job),
        cmocka_unit_test(no_components),
        cmocka_unit_test(placed_from_outside),
        cmocka_unit_test(memory_must_suffice),
        cmocka_unit_test(limits_hold_at_their_edge),
        cmocka_unit_test(all_files_faults_come_in_order),
        cmocka_unit_test(mistakes_of_toml),
    };
    return cmocka_run_group_tests(tests, NULL, trial_over);
}
