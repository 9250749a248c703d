/* objects_test.c: wires to kernel objects: what they resolve to, who may have them, each mistake.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/package/trial_test.h"

#define S "system.toml:"

/* Component a may need one of each; b is another; [wires] starts on line 9. */
static void wire(const char *wires, const char *said)
{
    trial_begin(&trial,
                TRIAL_SYSTEM "[components.a]\npackage = \"a\"\n[components.b]\npackage = \"b\"\n"
                             "[wires]\n",
                wires);
    trial.files[0] = (struct trial_file){
        "a/component.toml",
        TRIAL_MANIFEST
        "[needs]\nmem = { interface = \"tenon.kernel.untyped\", rights = [\"call\", "
        "\"write\"], optional = true }\n"
        "space = { interface = \"tenon.kernel.space\", rights = [\"call\", \"read\"], "
        "optional = true }\n"
        "actor = { interface = \"tenon.kernel.actor\", rights = [\"call\", \"control\"], "
        "optional = true }\n"
        "log = { interface = \"tenon.log\", optional = true }\n",
        TN_OK};
    trial.files[1] = (struct trial_file){
        "b/component.toml", TRIAL_MANIFEST "[provides]\nstore = \"tenon.kernel.untyped\"\n", TN_OK};
    trial_expect(&trial, said);
}

static const struct need_spec *need(const char *name)
{
    return trial_need(&trial, "a", name);
}

static void ones_own(void **state)
{
    (void)state;
    wire("a.mem = { kernel = \"memory\" }\na.space = { kernel = \"space\" }\n"
         "a.actor = { kernel = \"actor\" }\n",
         "");
    static const char *const names[] = {"mem", "space", "actor"};
    for (uint32_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(need(names[i])->wire, WIRE_OBJECT);
        assert_int_equal(need(names[i])->object, i);
        assert_int_equal(need(names[i])->component, 0);
    }
    assert_int_equal(need("actor")->rights, TN_R_CALL | TN_R_CONTROL);
    wire("a.actor = { kernel = \"actor\", of = \"a\" }\n", "");
    assert_int_equal(need("actor")->component, 0);
}

static void anothers_actor_is_for_who_is_trusted(void **state)
{
    (void)state;
    wire("a.actor = { kernel = \"actor\", of = \"b\" }\n[trust]\ncomponents = [\"a\"]\n", "");
    assert_int_equal(need("actor")->component, 1);
    wire("a.actor = { kernel = \"actor\", of = \"b\" }\n[trust]\ncomponents = [\"b\"]\n",
         S "9:3: a.actor is the actor of 'b': only who is trusted may watch or stop others: add "
           "'a' to components in [trust]\n");
}

/* Who provides the interface stands in for the object. */
static void a_component_stands_in(void **state)
{
    (void)state;
    wire("a.mem = \"b.store\"\n", "");
    assert_int_equal(need("mem")->wire, WIRE_COMPONENT);
    assert_int_equal(need("mem")->component, 1);
}

static void mistakes(void **state)
{
    (void)state;
    wire("a.mem = { kernel = \"memroy\" }\n",
         S "9:20: unknown kernel 'memroy' in wire a.mem: did you mean 'memory'?\n");
    wire("a.mem = { kernel = \"space\" }\n",
         S "9:20: wire a.mem needs tenon.kernel.untyped, but the kernel's 'space' is "
           "tenon.kernel.space\n");
    wire("a.log = { kernel = \"actor\" }\n",
         S "9:20: wire a.log needs tenon.log, but the kernel's 'actor' is tenon.kernel.actor\n");
    wire("a.actor = { kernel = \"actor\", of = \"c\" }\n",
         S "9:36: unknown component 'c': there is no [components] entry of that name\n");
    wire("a.mem = { kernel = \"memory\", of = \"b\" }\n",
         S "9:30: unknown key 'of' in wire a.mem: expected kernel\n");
    wire("a.actor = { kernel = \"actor\", rights = [] }\n",
         S "9:31: unknown key 'rights' in wire a.actor: expected kernel or of\n");
    wire("a.none = { kernel = \"memory\" }\n",
         S "9:3: 'a' does not need 'none': it needs mem, space, actor or log\n");
}

/* What the kernel says of every endpoint is nobody's to provide. */
static void endpoints_are_the_kernels(void **state)
{
    (void)state;
    trial_expect_manifest(
        TRIAL_MANIFEST "[provides]\ndoor = \"tenon.kernel.endpoint\"\n",
        "component.toml:6:8: tenon.kernel.endpoint is answered by the kernel for every endpoint: "
        "no component provides it\n");
    trial_expect_manifest(
        TRIAL_MANIFEST "[needs.door]\ninterface = \"tenon.kernel.endpoint\"\n",
        "component.toml:6:13: tenon.kernel.endpoint is answered by the kernel for every endpoint: "
        "no component provides it\n");
    trial_expect_manifest(TRIAL_MANIFEST "[needs.mem]\ninterface = \"tenon.kernel.untyped\"\n",
                          "component.toml:5:8: rights in [needs.mem]: with \"call\" no method of "
                          "tenon.kernel.untyped can be called: they ask for \"call\", \"read\", "
                          "\"write\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ones_own),
        cmocka_unit_test(anothers_actor_is_for_who_is_trusted),
        cmocka_unit_test(a_component_stands_in),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(endpoints_are_the_kernels),
    };
    return cmocka_run_group_tests(tests, NULL, trial_over);
}
