/* component_test.c: component.toml: all that it may say, and each mistake, word by word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <tenon/interface.h>

#include "runtime/package/trial_test.h"

#define HEAD                \
    "[component]\n"         \
    "name = \"a\"\n"        \
    "version = \"1.0.0\"\n" \
    "kind = \"operator\"\n"
#define C "component.toml:"

static tn_err parse(const char *text, void *arena, uint64_t bytes, struct component_spec *ret)
{
    static struct faults faults;
    tn_err e = component_parse(STR("component.toml"), str_of(text), arena, bytes, ret, &faults);
    assert_int_equal(faults.total, 0);
    return e;
}

static const char full[] = "[component]\n"
                           "name = \"detector_2\"\n"
                           "version = \"1.2.0-rc.1+x\"\n"
                           "kind = \"instrument\"\n"
                           "ring = 1\n"
                           "description = \"Finds what is odd.\"\n"
                           "[provides]\n"
                           "run = \"tenon.job\"\n"
                           "files = \"tenon.file\"\n"
                           "[needs.rows]\n"
                           "interface = \"tenon.file\"\n"
                           "rights = [\"call\", \"read\", \"write\", \"control\", \"grant\"]\n"
                           "optional = true\n"
                           "[needs]\n"
                           "clock.interface = \"tenon.clock\"\n"
                           "log = { interface = \"tenon.log\" }\n"
                           "[resources]\n"
                           "memory = \"2 MiB\"\n"
                           "fuel_per_call = 9223372036854775807\n"
                           "mailbox = 65536\n"
                           "deadline = \"5 s\"\n"
                           "stack = 65536\n"
                           "[code]\n"
                           "wasm = \"d.wasm\"\n"
                           "native = \"d..so\"\n";

static void every_key_is_read(void **state)
{
    (void)state;
    static struct component_spec c;
    void *arena = malloc(1 << 20);
    assert_int_equal(parse(full, arena, 1 << 20, &c), TN_OK);
    assert_str(c.name, "detector_2");
    assert_str(c.manifest_name, "detector_2");
    assert_str(c.version.text, "1.2.0-rc.1+x");
    assert_int_equal(c.kind, KIND_INSTRUMENT);
    assert_string_equal(component_kind_name(c.kind), "instrument");
    assert_int_equal(c.ring, 1);
    assert_str(c.description, "Finds what is odd.");
    assert_int_equal(c.nprovides, 2);
    assert_str(c.provides[0].name, "run");
    assert_str(c.provides[0].interface_name, "tenon.job");
    assert_string_equal(c.provides[0].interface->name, "tenon.job");
    assert_string_equal(c.provides[1].interface->name, "tenon.file");
    assert_int_equal(c.nneeds, 3);
    assert_str(c.needs[0].name, "rows");
    assert_int_equal(c.needs[0].rights, TN_R_ALL);
    assert_true(c.needs[0].optional);
    assert_int_equal(c.needs[0].wire, WIRE_NONE);
    assert_str(c.needs[1].name, "clock");
    assert_int_equal(c.needs[1].rights, TN_R_CALL);
    assert_false(c.needs[1].optional);
    assert_str(c.needs[2].interface_name, "tenon.log");
    assert_true(c.resources.memory_bytes == 2 << 20);
    assert_true(c.resources.fuel_per_call == INT64_MAX);
    assert_int_equal(c.resources.mailbox, TN_MAILBOX_MAX);
    assert_true(c.resources.deadline_ns == 5000000000);
    assert_true(c.resources.stack_bytes == 65536);
    assert_str(c.wasm_file, "d.wasm");
    assert_str(c.native_file, "d..so");
    free(arena);
}

static void defaults_are_as_documented(void **state)
{
    (void)state;
    static struct component_spec c;
    void *arena = malloc(1 << 20);
    assert_int_equal(parse(HEAD, arena, 1 << 20, &c), TN_OK);
    assert_int_equal(c.ring, 2);
    assert_int_equal(c.description.len, 0);
    assert_int_equal(c.nprovides + c.nneeds, 0);
    assert_true(c.resources.memory_bytes == SYSTEM_MEMORY_DEFAULT);
    assert_true(c.resources.fuel_per_call == SYSTEM_FUEL_DEFAULT);
    assert_int_equal(c.resources.mailbox, TN_MAILBOX_DEFAULT);
    assert_true(c.resources.deadline_ns == 0);
    assert_true(c.resources.stack_bytes == SYSTEM_STACK_DEFAULT);
    assert_str(c.wasm_file, "a.wasm");
    assert_str(c.native_file, "a.tn.so");
    assert_int_equal(c.domain, DOMAIN_WASM);
    assert_int_equal(c.priority, TN_PRIORITY_DEFAULT);
    assert_false(c.restart);
    free(arena);
}

static void every_kind_has_its_name(void **state)
{
    (void)state;
    static const char *const names[] = {"service", "driver",      "operator", "instrument",
                                        "motif",   "integration", "agent",    "meta"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        static struct component_spec c;
        char text[200];
        void *arena = malloc(1 << 20);
        snprintf(text, sizeof(text),
                 "[component]\nname = \"a\"\nversion = \"1.0.0\"\nkind = \"%s\"\n", names[i]);
        assert_int_equal(parse(text, arena, 1 << 20, &c), TN_OK);
        assert_int_equal(c.kind, i);
        assert_string_equal(component_kind_name(c.kind), names[i]);
        free(arena);
    }
}

/* At every size of the arena it is TN_ENOMEM or right, and stays within: the arena ends where its
 * block ends. */
static void any_arena_will_do_or_not(void **state)
{
    (void)state;
    static struct component_spec c;
    static struct faults faults;
    tn_err e = TN_ENOMEM;
    size_t bytes = 0;
    for (; e == TN_ENOMEM; bytes++) {
        uint8_t *arena = malloc(bytes + 1);
        memset(&c, 0xa5, sizeof(c));
        e = component_parse(STR("c"), STR(full), arena + 1, bytes, &c, &faults);
        assert_true(e == TN_OK || (e == TN_ENOMEM && *(uint8_t *)&c == 0xa5));
        assert_int_equal(faults.total, 0);
        free(arena);
    }
    assert_int_equal(e, TN_OK);
    assert_true(bytes > sizeof(c));
}

static void mistakes_in_component(void **state)
{
    (void)state;
    trial_expect_manifest("", C "0:0: the file lacks 'component': write [component] with name, "
                                "version, kind\n");
    trial_expect_manifest("component = 1",
                          C "1:13: component in the file: expected a table, found an integer\n");
    trial_expect_manifest("\n[component]\n",
                          C "2:2: [component] lacks 'name': write name = \"my-component\"\n" C
                            "2:2: [component] lacks 'version': write version = \"0.1.0\"\n" C
                            "2:2: [component] lacks 'kind': write kind = \"operator\" or another "
                            "kind\n");
    trial_expect_manifest(
        "[component]\nname = \"Det\"\nversion = \"1.2\"\nkind = \"servise\"\nring = 4\n"
        "description = 5\nkindd = 1\nzzzzzz = 2\n",
        C "2:8: 'Det' is not a component's name: write lower case letters, digits, '-' and '_'\n" C
          "3:11: version '1.2' in [component] is no semantic version: write three numbers such as "
          "\"1.2.0\"\n" C "4:8: unknown kind 'servise' in [component]: did you mean 'service'?\n" C
          "5:8: ring in [component]: 4 is out of range, expected 0 to 3\n" C
          "6:15: description in [component]: expected a string, found an integer\n" C
          "7:1: unknown key 'kindd' in [component]: did you mean 'kind'?\n" C
          "8:1: unknown key 'zzzzzz' in [component]: expected name, version, kind, ring, "
          "description, blocking or compute\n");
    trial_expect_manifest("[component]\nname = 1\nversion = 2.0\nkind = true\nring = \"2\"\n",
                          C "2:8: name in [component]: expected a string, found an integer\n" C
                            "3:11: version in [component]: expected a string, found a float\n" C
                            "4:8: kind in [component]: expected a string, found a boolean\n" C
                            "5:8: ring in [component]: expected an integer, found a string\n");
    trial_expect_manifest(
        "[component]\nname = \"\"\nversion = \"1.0.0\"\nkind = \"gadget\"\nring = -1\n",
        C "2:8: '' is not a component's name: write lower case letters, digits, '-' and '_'\n" C
          "4:8: unknown kind 'gadget' in [component]: expected service, driver, operator, "
          "instrument, motif, integration, agent or meta\n" C
          "5:8: ring in [component]: -1 is out of range, expected 0 to 3\n");
    trial_expect_manifest(HEAD "[resource]\n[zz]\n",
                          C "5:2: unknown key 'resource' in the file: did you mean 'resources'?\n" C
                            "6:2: unknown key 'zz' in the file: expected component, provides, "
                            "needs, resources or code\n");
}

static void mistakes_in_provides_and_needs(void **state)
{
    (void)state;
    trial_expect_manifest(
        HEAD "[provides]\nA = \"tenon.job\"\nb = 1\nc = \"tenon.jab\"\n",
        C "6:1: 'A' is not a name for what is provided: write lower case letters, digits, '-' and "
          "'_'\n" C "7:5: b in [provides]: expected a string, found an integer\n" C
          "8:5: unknown interface 'tenon.jab': did you mean 'tenon.job'?\n");
    trial_expect_manifest(HEAD "provides = 1\n",
                          C "5:1: unknown key 'provides' in [component]: expected name, version, "
                            "kind, ring, description, blocking or compute\n");
    trial_expect_manifest(
        HEAD "[needs.rows]\ninterfac = \"tenon.log\"\n[needs.\"b.c\"]\n"
             "interface = \"tenon.log\"\n[needs]\nd = \"tenon.log\"\n",
        C "5:8: [needs.rows] lacks 'interface': write interface = \"tenon.file\" or another one\n" C
          "6:1: unknown key 'interfac' in [needs.rows]: did you mean 'interface'?\n" C
          "7:8: 'b.c' is not a need's name: write lower case letters, digits, '-' and '_'\n" C
          "10:5: d in [needs]: expected a table, found a string: write [needs.d] and interface = "
          "...\n");
    trial_expect_manifest(
        HEAD "[needs.a]\ninterface = \"tenon.lag\"\nrights = [\"cal\", 1, \"own\"]\n"
             "optional = \"no\"\n[needs.b]\ninterface = 3\nrights = \"call\"\n",
        C "6:13: unknown interface 'tenon.lag': did you mean 'tenon.log'?\n" C
          "7:11: unknown right 'cal' in [needs.a]: did you mean 'call'?\n" C
          "7:18: an item of rights in [needs.a]: expected a string, found an integer\n" C
          "7:21: unknown right 'own' in [needs.a]: expected call, read, write, control or grant\n" C
          "8:12: optional in [needs.a]: expected a boolean, found a string\n" C
          "10:13: interface in [needs.b]: expected a string, found an integer\n" C
          "11:10: rights in [needs.b]: expected an array, found a string\n");
}

/* The build says which interfaces there are: the first of them are named. */
static void unknown_interfaces(void **state)
{
    (void)state;
    char said[400];
    assert_true(tn_interfaces_count > 2);
    snprintf(said, sizeof(said), C "6:5: unknown interface 'acme.rows': expected %s, %s, ",
             tn_interfaces[0].name, tn_interfaces[1].name);
    static struct faults faults;
    static struct component_spec spec;
    void *arena = malloc(1 << 20);
    const char text[] = HEAD "[provides]\nd = \"acme.rows\"\n";
    assert_int_equal(component_parse(STR("c"), STR(text), arena, 1 << 20, &spec, &faults),
                     TN_EFORMAT);
    assert_int_equal(faults.total, 1);
    assert_int_equal(faults.at[0].line, 6);
    assert_int_equal(faults.at[0].column, 5);
    const char *expected = strstr(said, "unknown");
    assert_memory_equal(faults.at[0].text, expected, strlen(expected));
    free(arena);
}

static void rights_must_allow_something(void **state)
{
    (void)state;
    trial_expect_manifest(
        HEAD "[needs.b]\ninterface = \"tenon.file\"\nrights = [\"read\"]\n"
             "[needs.c]\ninterface = \"tenon.log\"\nrights = []\n",
        C
        "7:10: rights in [needs.b]: with \"read\" no method of tenon.file can be called: they ask "
        "for \"call\", \"read\", \"write\"\n" C
        "10:10: rights in [needs.c]: with no right no method of tenon.log can be called: they ask "
        "for \"call\"\n");
    /* More than the methods ask for is no mistake. */
    trial_expect_manifest(
        HEAD "[needs.a]\ninterface = \"tenon.log\"\nrights = [\"call\", \"write\", \"call\"]\n",
        "");
}

static void mistakes_in_resources(void **state)
{
    (void)state;
    trial_expect_manifest(
        HEAD "[resources]\nmemory = \"4 MB\"\nfuel_per_call = 0\nmailbox = 65537\n"
             "deadline = 5\nstack = \"1.5 KiB\"\nmemmory = 1\n",
        C
        "6:10: memory in [resources]: '4 MB' has an unknown unit: did you mean 'MiB'?\n" C
        "7:17: fuel_per_call in [resources]: 0 is out of range, expected 1 to "
        "9223372036854775807\n" C
        "8:11: mailbox in [resources]: 65537 is out of range, expected 1 to 65536\n" C
        "9:12: deadline in [resources]: expected a string such as \"100 ms\", found an integer\n" C
        "10:9: stack in [resources]: '1.5 KiB' is a fraction: write a whole number with a smaller "
        "unit\n" C "11:1: unknown key 'memmory' in [resources]: did you mean 'memory'?\n");
    trial_expect_manifest(
        HEAD "[resources]\nmemory = -1\nfuel_per_call = \"1\"\nmailbox = 0\ndeadline = \"0 s\"\n"
             "stack = 0\n",
        C "6:10: memory in [resources]: -1 is negative, expected a size such as \"4 MiB\"\n" C
          "7:17: fuel_per_call in [resources]: expected an integer, found a string\n" C
          "8:11: mailbox in [resources]: 0 is out of range, expected 1 to 65536\n" C
          "9:12: deadline in [resources] is zero, expected a time such as \"100 ms\"\n" C
          "10:9: stack in [resources] is zero, expected a size such as \"4 MiB\"\n");
    trial_expect_manifest(
        HEAD "[resources]\nmemory = 1.0\ndeadline = \"-1 s\"\nstack = \"lots\"\nmailbox = 1.5\n",
        C "6:10: memory in [resources]: expected a string such as \"4 MiB\" or an integer of "
          "bytes, found a float\n" C
          "7:12: deadline in [resources]: '-1 s' is negative, expected a time such as "
          "\"100 ms\"\n" C "8:9: stack in [resources]: 'lots' is not a size such as \"4 MiB\"\n" C
          "9:11: mailbox in [resources]: expected an integer, found a float\n");
    trial_expect_manifest(
        HEAD "[resources]\nmemory = \"17179869184 GiB\"\ndeadline = \"5124096 h\"\n"
             "stack = \"64\"\n",
        C "6:10: memory in [resources]: '17179869184 GiB' is more than 2^64 - 1 bytes\n" C
          "7:12: deadline in [resources]: '5124096 h' is more than 2^63 - 1 nanoseconds\n" C
          "8:9: stack in [resources]: '64' has no unit: expected B, KiB, MiB or GiB\n");
    trial_expect_manifest(HEAD "[resources]\nmemory = \"4 KB\"\nstack = \"4 mib\"\n"
                               "deadline = \"4 sec\"\n",
                          C "6:10: memory in [resources]: '4 KB' has an unknown unit: did you mean "
                            "'KiB'?\n" C
                            "7:9: stack in [resources]: '4 mib' has an unknown unit: expected B, "
                            "KiB, MiB or GiB\n" C
                            "8:12: deadline in [resources]: '4 sec' has an unknown unit: expected "
                            "ns, us, ms, s, min or h\n");
}

static void mistakes_in_code(void **state)
{
    (void)state;
    trial_expect_manifest(
        HEAD "[code]\nwasm = \"../a.wasm\"\nnative = \"..\"\nnativ = \"a\"\n",
        C "6:8: wasm in [code]: '../a.wasm' is not a file's name in the component's folder\n" C
          "7:10: native in [code]: '..' is not a file's name in the component's folder\n" C
          "8:1: unknown key 'nativ' in [code]: did you mean 'native'?\n");
    trial_expect_manifest(
        HEAD "[code]\nwasm = \"\"\nnative = \"a\\u0000b\"\n",
        C "6:8: '' is not a file's name: write a path without control characters\n" C
          "7:10: 'a\\u0000b' is not a file's name: write a path without control characters\n");
    trial_expect_manifest(
        HEAD "[code]\nwasm = 1\nnative = \".\"\n",
        C "6:8: wasm in [code]: expected a string, found an integer\n" C
          "7:10: native in [code]: '.' is not a file's name in the component's folder\n");
}

static void mistakes_of_toml(void **state)
{
    (void)state;
    trial_expect_manifest("[component\nname = \"a\"\n",
                          C "1:11: expected ']' after the key, found the end of the line; a header "
                            "is [key]; dots separate parts\n");
    trial_expect_manifest(HEAD "name = \"b\"\n",
                          C "5:1: 'name' is defined already, at line 2, column 1; remove one of "
                            "the two, or rename it\n");
}

/* Room for `n` copies of a line with a number in it, after HEAD and `head`. */
static char *numbered(const char *head, const char *line, uint32_t n)
{
    size_t size = strlen(HEAD) + strlen(head) + n * (strlen(line) + 8) + 1;
    char *text = malloc(size);
    int used = snprintf(text, size, HEAD "%s", head);
    for (uint32_t i = 0; i < n; i++) {
        const char *mark = strchr(line, '#');
        used += snprintf(text + used, size - (size_t)used, "%.*s%u%s", (int)(mark - line), line, i,
                         mark + 1);
    }
    return text;
}

static void limits_hold_at_their_edge(void **state)
{
    (void)state;
    char *text = numbered("[provides]\n", "p# = \"tenon.job\"\n", SYSTEM_PROVIDES_MAX);
    trial_expect_manifest(text, "");
    free(text);
    text = numbered("[provides]\n", "p# = \"tenon.job\"\n", SYSTEM_PROVIDES_MAX + 2);
    trial_expect_manifest(text,
                          C "22:1: [provides] has 18 keys, at most 16 (SYSTEM_PROVIDES_MAX)\n");
    free(text);
    text = numbered("[needs]\n", "n#.interface = \"tenon.log\"\n", SYSTEM_NEEDS_MAX);
    trial_expect_manifest(text, "");
    free(text);
    text = numbered("[needs]\n", "n#.interface = \"tenon.log\"\n", SYSTEM_NEEDS_MAX + 1);
    trial_expect_manifest(text, C "38:1: [needs] has 33 keys, at most 32 (SYSTEM_NEEDS_MAX)\n");
    free(text);

    char name[TN_NAME_MAX + 2];
    memset(name, 'n', sizeof(name));
    char manifest[256];
    for (int over = 0; over < 2; over++) {
        snprintf(manifest, sizeof(manifest),
                 "[component]\nname = \"%.*s\"\nversion = \"1.0.0\"\nkind = \"meta\"\n",
                 TN_NAME_MAX + over, name);
        trial_expect_manifest(manifest, over == 0 ? ""
                                                  : C
                                            "2:8: 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn...' is "
                                            "too long for a component's name: 64 bytes, at most 63 "
                                            "(TN_NAME_MAX)\n");
    }
}

/* The first SYSTEM_FAULTS_MAX in the order of the file are kept, whichever was found first. */
static void faults_are_counted_beyond_their_limit(void **state)
{
    (void)state;
    static struct faults faults;
    static struct component_spec spec;
    for (uint32_t more = 0; more < 2; more++) {
        uint32_t lines = SYSTEM_FAULTS_MAX - 1 + more;
        char *text = numbered("ring = 9\n[resources]\n", "zzzzzz# = 1\n", lines);
        void *arena = malloc(1 << 20);
        assert_int_equal(component_parse(STR("c"), str_of(text), arena, 1 << 20, &spec, &faults),
                         TN_EFORMAT);
        assert_int_equal(faults.total, lines + 1);
        assert_int_equal(faults.n, SYSTEM_FAULTS_MAX);
        for (uint32_t i = 0; i < faults.n; i++)
            assert_int_equal(faults.at[i].line, i == 0 ? 5 : 6 + i);
        free(arena);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(defaults_are_as_documented),
        cmocka_unit_test(every_kind_has_its_name),
        cmocka_unit_test(any_arena_will_do_or_not),
        cmocka_unit_test(mistakes_in_component),
        cmocka_unit_test(mistakes_in_provides_and_needs),
        cmocka_unit_test(unknown_interfaces),
        cmocka_unit_test(rights_must_allow_something),
        cmocka_unit_test(mistakes_in_resources),
        cmocka_unit_test(mistakes_in_code),
        cmocka_unit_test(mistakes_of_toml),
        cmocka_unit_test(limits_hold_at_their_edge),
        cmocka_unit_test(faults_are_counted_beyond_their_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
