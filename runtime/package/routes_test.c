/* routes_test.c: wires to several targets, and channels: what they resolve to, circles and the
 * order of start with them, and each mistake. */
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

/* Two clients a and z, three of one package that serve: b, c, d. [wires] starts on line 15. */
static void wire(const char *wires, const char *said)
{
    trial_begin(&trial,
                TRIAL_SYSTEM "[components.a]\npackage = \"a\"\n[components.b]\npackage = \"b\"\n"
                             "[components.c]\npackage = \"b\"\n[components.d]\npackage = \"b\"\n"
                             "[components.z]\npackage = \"a\"\n[wires]\n",
                wires);
    trial.files[0] =
        (struct trial_file){"a/component.toml",
                            TRIAL_MANIFEST "[provides]\nback = \"tenon.job\"\n[needs]\n"
                                           "job = { interface = \"tenon.job\", optional = true }\n"
                                           "log = { interface = \"tenon.log\", optional = true }\n"
                                           "out = { channel = \"producer\", optional = true }\n"
                                           "in = { channel = \"consumer\", optional = true }\n",
                            TN_OK};
    trial.files[1] = (struct trial_file){
        "b/component.toml",
        TRIAL_MANIFEST "[provides]\njob = \"tenon.job\"\nlog = \"tenon.log\"\n[needs]\n"
                       "next = { interface = \"tenon.job\", optional = true }\n",
        TN_OK};
    trial_expect(&trial, said);
}

static const struct need_spec *need(const char *component, const char *name)
{
    return trial_need(&trial, component, name);
}

static void every_rule(void **state)
{
    (void)state;
    wire(
        "a.job = { to = [\"b.job\", \"c.job\", \"d.job\"], route = \"weights\", weights = [90, 10, "
        "0] }\nz.job = { to = [\"d.job\", \"b.job\"], route = \"hash\", hash = { at = 8, len = 4 } "
        "}\na.log = { to = [\"b.log\", \"c.log\"], route = \"single\" }\n"
        "z.log = { to = [\"c.log\", \"b.log\"], route = \"per-cpu\", circle = true }\n",
        "");
    const struct route_spec *route = need("a", "job")->route;
    assert_int_equal(need("a", "job")->wire, WIRE_COMPONENT);
    assert_int_equal(need_ntargets(need("a", "job")), 3);
    assert_int_equal(need_target(need("a", "job"), 2), 3);
    assert_int_equal(route->rule, WIRE_WEIGHTS);
    assert_int_equal(route->target[0].weight, 90);
    assert_int_equal(route->target[2].weight, 0);
    assert_int_equal(route->target[1].component, 2);
    assert_int_equal(route->target[1].provide, 0);
    route = need("z", "job")->route;
    assert_int_equal(route->rule, WIRE_HASH);
    assert_int_equal(route->hash_at, 8);
    assert_int_equal(route->hash_len, 4);
    assert_int_equal(need("z", "job")->component, 3);
    assert_int_equal(need("a", "log")->route->rule, WIRE_SINGLE);
    assert_int_equal(need("a", "log")->route->target[0].provide, 1);
    assert_int_equal(need("z", "log")->route->rule, WIRE_PER_CPU);
    assert_string_equal(wire_rule_name(WIRE_PER_CPU), "per-cpu");
    assert_true(need("z", "log")->circle);
}

static void a_list_of_one(void **state)
{
    (void)state;
    wire("a.job = { to = [\"c.job\"] }\nz.job = { to = [\"b.job\"], route = \"weights\" }\n", "");
    assert_null(need("a", "job")->route);
    assert_int_equal(need("a", "job")->component, 2);
    assert_int_equal(need_ntargets(need("a", "job")), 1);
    assert_int_equal(need_ntargets(need("a", "log")), 0);
    wire("a.job = { to = [\"c.job\", \"d.job\"], route = \"weights\" }\n", "");
    assert_int_equal(need("a", "job")->route->target[1].weight, 1);
}

#define TO "a.job = { to = [\"b.job\", \"c.job\"]"

static void mistakes_in_routes(void **state)
{
    (void)state;
    static const struct {
        const char *wires, *said;
    } cases[] = {
        {TO " }\n",
         S "15:9: wire a.job lacks 'route': write route = \"single\" (the others stand by), "
           "\"weights\", \"hash\" or \"per-cpu\"\n"},
        {TO ", route = \"weight\" }\n",
         S "15:44: unknown route 'weight' in wire a.job: did you mean 'weights'?\n"},
        {TO ", route = 1 }\n",
         S "15:44: route in wire a.job: expected a string, found an integer\n"},
        {"a.job = { to = [], route = \"single\" }\n",
         S "15:16: to in wire a.job has 0 targets, expected 1 to 16 (TN_TARGETS_MAX)\n"},
        {"a.job = { to = [\"b.job\", 1, \"b.log\", \"e.job\", \"b.jbo\", \"b.job\"], route = "
         "\"single\" }\n",
         S "15:26: an item of to in wire a.job: expected a string, found an integer\n" S
           "15:29: wire a.job needs tenon.job, but 'b.log' provides tenon.log\n" S
           "15:38: unknown component 'e': there is no [components] entry of that name\n" S
           "15:47: 'b' does not provide 'jbo': did you mean 'job'?\n" S
           "15:56: 'b.job' in wire a.job is there twice: write it once\n"},
        {TO ", route = \"weights\", weights = [1] }\n",
         S "15:65: weights in wire a.job has 1 items for 2 targets: write one for each\n"},
        {TO ", route = \"weights\", weights = [0, 0] }\n",
         S "15:65: weights in wire a.job are all 0: nobody would get anything\n"},
        {TO ", route = \"weights\", weights = [0, 1048577] }\n",
         S "15:69: an item of weights in wire a.job: 1048577 is out of range, expected 0 to "
           "1048576\n"},
        {TO ", route = \"weights\", weights = [-1, 1.5] }\n",
         S "15:66: an item of weights in wire a.job: -1 is out of range, expected 0 to "
           "1048576\n"},
        {TO ", route = \"weights\", weights = [1, 1.5] }\n",
         S "15:69: an item of weights in wire a.job: expected an integer, found a float\n"},
        {TO ", route = \"weights\", weights = 1, hash = { len = 1 } }\n",
         S "15:65: weights in wire a.job: expected an array, found an integer\n" S
           "15:68: hash in wire a.job goes with route = \"hash\" alone\n"},
        {TO ", route = \"hash\" }\n",
         S "15:9: wire a.job lacks 'hash': write hash = { at = 0, len = 8 }: the bytes of the "
           "arguments that choose\n"},
        {TO ", route = \"hash\", weights = [1, 1], hash = { at = 65536, leng = 0 } }\n",
         S "15:52: weights in wire a.job goes with route = \"weights\" alone\n" S
           "15:77: hash of wire a.job lacks 'len': write len = 8, of bytes\n" S
           "15:84: at in hash of wire a.job: 65536 is out of range, expected 0 to 65535\n" S
           "15:91: unknown key 'leng' in hash of wire a.job: did you mean 'len'?\n"},
        {TO ", route = \"hash\", hash = { len = 257 } }\n",
         S "15:67: len in hash of wire a.job: 257 is out of range, expected 1 to 256\n"},
        {"a.job = { to = \"b.job\", route = \"single\", weights = [1] }\n",
         S "15:25: route in wire a.job is for several targets: write to = ['b.job', \"...\"]\n" S
           "15:43: weights in wire a.job is for several targets: write to = ['b.job', "
           "\"...\"]\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        wire(cases[i].wires, cases[i].said);
}

static void limits_hold_at_their_edge(void **state)
{
    (void)state;
    for (uint32_t over = 0; over < 2; over++) {
        static char text[8000];
        int used = snprintf(text, sizeof(text), TRIAL_SYSTEM "[components]\na.package = \"a\"\n");
        for (uint32_t i = 0; i < TN_TARGETS_MAX + over; i++)
            used += snprintf(text + used, sizeof(text) - (size_t)used, "b%u.package = \"b\"\n", i);
        used += snprintf(text + used, sizeof(text) - (size_t)used,
                         "[wires]\na.job = { route = \"per-cpu\", to = [");
        for (uint32_t i = 0; i < TN_TARGETS_MAX + over; i++)
            used += snprintf(text + used, sizeof(text) - (size_t)used, "\"b%u.job\",", i);
        snprintf(text + used, sizeof(text) - (size_t)used, "] }\n");
        trial_end(&trial);
        struct trial_file files[2] = {trial.files[0], trial.files[1]};
        memset(&trial, 0, sizeof(trial));
        memcpy(trial.files, files, sizeof(files));
        trial.text = text;
        trial_expect(&trial, over == 0 ? ""
                                       : S "24:35: to in wire a.job has 17 targets, expected 1 to "
                                           "16 (TN_TARGETS_MAX)\n");
    }
    wire(TO ", route = \"weights\", weights = [1048576, 1048576] }\n"
            "z.job = { to = [\"b.job\", \"c.job\"], route = \"hash\", hash = { at = 65535, len = "
            "256 } }\n",
         "");
}

static void circles_and_order(void **state)
{
    (void)state;
    wire(TO ", route = \"single\" }\nc.next = \"d.job\"\n", "");
    static const uint32_t order[] = {1, 3, 2, 0, 4};
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(trial.spec.order[i], order[i]);
    wire(TO ", route = \"single\" }\nc.next = \"a.back\"\n",
         S "16:3: a circle of calls, for which one wire must say circle = true: a.job -> c.next -> "
           "a.job\n");
    wire(TO ", route = \"single\", circle = true }\nc.next = \"a.back\"\n", "");
}

static void channels(void **state)
{
    (void)state;
    wire("a.out = { channel = \"z.in\", capacity = \"64 KiB\" }\n"
         "\"z.out\" = { channel = \"a.in\", capacity = 64 }\n",
         "");
    const struct need_spec *out = need("a", "out"), *in = need("z", "in");
    assert_int_equal(out->wire, WIRE_CHANNEL);
    assert_int_equal(in->wire, WIRE_CHANNEL);
    assert_int_equal(out->channel, CHANNEL_PRODUCER);
    assert_int_equal(in->channel, CHANNEL_CONSUMER);
    assert_int_equal(out->capacity_bytes, 64 << 10);
    assert_int_equal(out->component, 4);
    assert_ptr_equal(&trial.spec.components[4].needs[out->provide], in);
    assert_int_equal(in->component, 0);
    assert_ptr_equal(&trial.spec.components[0].needs[in->provide], out);
    assert_int_equal(out->rights, TN_R_WRITE);
    assert_int_equal(in->rights, TN_R_READ);
    assert_int_equal(need("z", "out")->capacity_bytes, 64);
}

#define KIB ", capacity = \"64 KiB\" }\n"

static void mistakes_in_channels(void **state)
{
    (void)state;
    static const struct {
        const char *wires, *said;
    } cases[] = {
        {"a.in = { channel = \"z.out\"" KIB,
         S "15:8: wire a.in is a consumer: the line begins with the producer: write "
           "\"PRODUCER.NEED\" = { channel = \"a.in\", ... }\n"},
        {"a.out = { channel = \"z.out\"" KIB,
         S "15:21: channel in wire a.out: 'z.out' is a producer too: name a consumer's need\n"},
        {"a.out = { channel = \"z.job\"" KIB,
         S "15:21: channel in wire a.out: 'z.job' needs tenon.job, not an end of a channel\n"},
        {"a.out = { channel = \"z.i\"" KIB, S "15:21: 'z' does not need 'i': did you mean 'in'?\n"},
        {"a.out = { channel = \"y.in\"" KIB,
         S "15:21: unknown component 'y': there is no [components] entry of that name\n"},
        {"a.out = { channel = \"z\"" KIB,
         S "15:21: channel in wire a.out: 'z' is not of the form \"component.need\"\n"},
        {"a.out = { channel = 1" KIB,
         S "15:21: channel in wire a.out: expected a string, found an integer\n"},
        {"a.out = { channel = \"z.in\", capacty = 64 }\n",
         S "15:9: wire a.out lacks 'capacity': write capacity = \"64 KiB\"\n" S
           "15:29: unknown key 'capacty' in wire a.out: did you mean 'capacity'?\n"},
        {"a.out = { channel = \"z.in\", capacity = \"100 KiB\" }\n",
         S "15:40: capacity in wire a.out: 100 KiB is no power of two from 64 B to 256 MiB: write "
           "\"128 KiB\"\n"},
        {"a.out = { channel = \"z.in\", capacity = 32 }\n",
         S "15:40: capacity in wire a.out: 32 B is no power of two from 64 B to 256 MiB: write "
           "\"64 B\"\n"},
        {"a.out = { channel = \"z.in\", capacity = \"512 MiB\" }\n",
         S "15:40: capacity in wire a.out: 512 MiB is no power of two from 64 B to 256 MiB: write "
           "\"256 MiB\"\n"},
        {"a.out = { channel = \"z.in\", capacity = \"4 MiB\" }\n",
         S "15:40: capacity in wire a.out: the ring is charged to 'a', which has 4 MiB of memory "
           "in all: write less, or more memory in its component.toml\n"},
        {"a.out = { channel = \"z.in\"" KIB "z.out = { channel = \"z.in\"" KIB,
         S "16:21: 'z.in' is wired already: see line 15\n"},
        {"a.out = { channel = \"z.in\"" KIB "z.in = { channel = \"a.out\"" KIB,
         S "16:3: wire z.in is there twice: see line 15\n" S
           "16:20: 'a.out' is wired already: see line 15\n"},
        {"a.job = { channel = \"z.in\"" KIB,
         S "15:9: wire a.job needs tenon.job, not an end of a channel: its component.toml would "
           "say channel = \"producer\"\n"},
        {"a.out = \"b.job\"\n",
         S "15:9: wire a.out: the need is the producer's end of a channel: write "
           "\"PRODUCER.NEED\" = { channel = \"CONSUMER.NEED\", capacity = \"64 KiB\" }\n"},
        {"a.in = { driver = \"log\" }\n",
         S "15:8: wire a.in: the need is the consumer's end of a channel: write "
           "\"PRODUCER.NEED\" = { channel = \"CONSUMER.NEED\", capacity = \"64 KiB\" }\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        wire(cases[i].wires, cases[i].said);
}

static void channels_must_be_wired(void **state)
{
    (void)state;
    trial_end(&trial);
    memset(&trial, 0, sizeof(trial));
    trial.text = TRIAL_SYSTEM "[components.a]\npackage = \"a\"\n";
    trial.files[0] = (struct trial_file){
        "a/component.toml",
        TRIAL_MANIFEST "[needs]\nout.channel = \"producer\"\nin.channel = \"consumer\"\n", TN_OK};
    trial_expect(
        &trial,
        S "4:13: a needs out (a channel, as its producer), which is not wired: write \"a.out\" = { "
          "channel = \"CONSUMER.NEED\", capacity = \"64 KiB\" } in [wires]\n" S
          "4:13: a needs in (a channel, as its consumer), which is not wired: write "
          "\"PRODUCER.NEED\" = { channel = \"a.in\", capacity = \"64 KiB\" } in [wires]\n");
}

static void mistakes_in_ends(void **state)
{
    (void)state;
    trial_expect_manifest(
        TRIAL_MANIFEST "[needs.a]\nchannel = \"produce\"\n[needs.b]\nchannel = \"consumer\"\n"
                       "rights = [\"read\"]\ninterface = \"tenon.log\"\noptional = 1\n",
        "component.toml:6:11: unknown channel 'produce' in [needs.a]: did you mean 'producer'?\n"
        "component.toml:9:1: rights in [needs.b]: an end of a channel has none: leave it out\n"
        "component.toml:10:1: interface in [needs.b]: an end of a channel has none: leave it out\n"
        "component.toml:11:12: optional in [needs.b]: expected a boolean, found an integer\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule),           cmocka_unit_test(a_list_of_one),
        cmocka_unit_test(mistakes_in_routes),   cmocka_unit_test(limits_hold_at_their_edge),
        cmocka_unit_test(circles_and_order),    cmocka_unit_test(channels),
        cmocka_unit_test(mistakes_in_channels), cmocka_unit_test(channels_must_be_wired),
        cmocka_unit_test(mistakes_in_ends),
    };
    return cmocka_run_group_tests(tests, NULL, trial_over);
}
