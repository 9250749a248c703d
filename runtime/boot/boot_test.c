/* boot_test.c: whole systems booted in the simulator: the job's answer in both domains, every
 * phase, what fails and how it says so, and the stop of a system that serves or works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine/sim/sim.h"
#include "runtime/boot/boot.h"
#include <tenon/interface.h>

enum { SEEDS_DEFAULT = 10, ARENA = 1 << 20, CODE_MAX = 1 << 20 };

static struct str wasm, native; /* what `hello` is in this test */
static struct str bits[2];      /* wasm, native */

#define MANIFEST                                                                          \
    "[component]\nname = \"hello\"\nversion = \"0.1.0\"\nkind = \"operator\"\nring = 2\n" \
    "[provides]\njob = \"tenon.job\"\n"                                                   \
    "[needs.log]\ninterface = \"tenon.log\"\nrights = [\"call\"]\noptional = true\n"      \
    "[resources]\nmemory = \"2 MiB\"\nfuel_per_call = 4000000000\nmailbox = 8\n"
#define SYSTEM(more)                                                                 \
    "[system]\nname = \"test\"\nmemory = \"24 MiB\"\n[components.hello]\npackage = " \
    "\"hello\"\n" more
#define JOB "[job]\nrun = \"hello.job\"\nargs = [\"Ada\"]\n"

static const char *manifest = MANIFEST;

static tn_err read_file(void *ctx, struct str path, struct str *ret)
{
    (void)ctx;
    if (!str_eq(path, STR("hello/component.toml")))
        return TN_ENOTFOUND;
    *ret = str_of(manifest);
    return TN_OK;
}

static tn_err code(void *ctx, uint32_t component, struct str *ret)
{
    const struct system_spec *spec = ctx;
    *ret = spec->components[component].domain == DOMAIN_KERNEL ? native : wasm;
    return ret->len == 0 ? TN_ENOTFOUND : TN_OK;
}

static tn_err path(void *ctx, const struct need_spec *need, struct str *ret)
{
    (void)ctx;
    *ret = need->path;
    return TN_OK;
}

struct world {
    uint8_t *arena;
    struct system_spec spec;
    struct kernel *kernel;
    struct boot *boot;
    struct boot_result *result;
};

static bool no_threads; /* a kernel without those that the system asks for */

static void world_make(struct world *w, const char *text, uint64_t seed)
{
    memset(w, 0, sizeof(*w));
    w->arena = malloc(ARENA);
    struct faults *faults = calloc(1, sizeof(*faults));
    struct system_input input = {.file = STR("system.toml"),
                                 .text = str_of(text),
                                 .read = read_file,
                                 .arena = w->arena,
                                 .arena_bytes = ARENA};
    if (system_parse(&input, &w->spec, faults) != TN_OK)
        fail_msg("%u faults: %s", faults->total, faults->at[0].text);
    free(faults);
    uint32_t cpus = 1 + (uint32_t)(seed % 3);
    struct system_threads threads = system_threads(&w->spec, cpus);
    if (no_threads)
        threads = (struct system_threads){0, 0};
    struct sim_machine sim = {.seed = seed,
                              .cpus = cpus + threads.compute + threads.blocking,
                              .memory_bytes = 32 << 20,
                              .schedule = seed % 2 == 0 ? SIM_RANDOM : SIM_PCT};
    assert_int_equal(sim_machine_init(&sim), 0);
    struct kernel_config config = {
        .spin = 4, .compute = threads.compute, .blocking = threads.blocking};
    assert_int_equal(kernel_boot(&config, &w->kernel), TN_OK);
    w->result = calloc(1, sizeof(*w->result));
}

static void world_run(struct world *w, void (*on_ready)(void *, uint64_t))
{
    struct boot_input input = {.kernel = w->kernel,
                               .spec = &w->spec,
                               .code = code,
                               .path = path,
                               .ctx = &w->spec,
                               .on_ready = on_ready};
    assert_int_equal(boot_make(&input, &w->boot), TN_OK);
    boot_run(w->boot, w->result);
    struct sim_stats stats = sim_machine_stats();
    assert_false(stats.deadlock);
    assert_false(stats.hung);
}

static void world_end(struct world *w)
{
    kernel_destroy(w->kernel);
    sim_machine_destroy();
    free(w->result);
    free(w->arena);
}

/* The summary of a system's job, in one run. */
static void job_summary(const char *system, char *ret, size_t size)
{
    struct world w;
    world_make(&w, system, 1);
    world_run(&w, NULL);
    if (w.result->err != TN_OK)
        fail_msg("%s", w.result->text);
    assert_true(w.result->summary_len > 0 && w.result->summary_len < size);
    memcpy(ret, w.result->summary, w.result->summary_len);
    ret[w.result->summary_len] = '\0';
    world_end(&w);
}

#define IN_KERNEL "domain = \"kernel\"\n[trust]\ncomponents = [\"hello\"]\n"

/* One source, one answer: a component that hashes thousands of results of the sdk's arithmetic,
 * formatting and parsing. */
static void test_same_bits_in_both_domains(void **state)
{
    (void)state;
    struct str hello[2] = {wasm, native};
    wasm = bits[0];
    native = bits[1];
    char in_wasm[200], in_kernel[200];
    job_summary(SYSTEM("") JOB, in_wasm, sizeof(in_wasm));
    job_summary(SYSTEM(IN_KERNEL) JOB, in_kernel, sizeof(in_kernel));
    assert_string_equal(in_wasm, in_kernel);
    wasm = hello[0];
    native = hello[1];
}

/* Beside the CPUs: of its own, and in the pool. */
static const char *const run_lines[] = {"ring = 2\nblocking = true\n",
                                        "ring = 2\ncompute = true\n"};

static const char *manifest_with(const char *line)
{
    static char text[sizeof(MANIFEST) + 64];
    const char *ring = strstr(MANIFEST, "ring = 2\n");
    assert_non_null(ring);
    snprintf(text, sizeof(text), "%.*s%s%s", (int)(ring - MANIFEST), MANIFEST, line, ring + 9);
    return text;
}

static void check_job(const char *system, bool fuel)
{
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        struct world w;
        world_make(&w, system, seed);
        world_run(&w, NULL);
        if (w.result->err != TN_OK)
            fail_msg("seed %u: %s", (unsigned)seed, w.result->text);
        assert_true(w.result->job_ran);
        assert_int_equal(w.result->exit_code, 0);
        assert_string_equal(w.result->summary, "Hello, Ada! This is run 1.");
        struct boot_account account;
        boot_account(w.boot, 0, &account);
        assert_int_equal(account.stats.fuel_used > 0, fuel);
        assert_true(account.memory_peak_bytes > 0);
        world_end(&w);
    }
}

static void test_job_in_wasm(void **state)
{
    (void)state;
    check_job(SYSTEM("") JOB, true);
}

static void test_job_in_kernel(void **state)
{
    (void)state;
    check_job(SYSTEM(IN_KERNEL) JOB, false);
}

static void test_job_beside_the_cpus(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        manifest = manifest_with(run_lines[i]);
        check_job(SYSTEM("") JOB, true);
        check_job(SYSTEM(IN_KERNEL) JOB, false);
    }
    manifest = MANIFEST;
}

static void test_no_thread_for_it(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct world w;
        manifest = manifest_with(run_lines[i]);
        no_threads = true;
        world_make(&w, SYSTEM("") JOB, 1);
        no_threads = false;
        manifest = MANIFEST;
        world_run(&w, NULL);
        assert_int_equal(w.result->err, TN_ELIMIT);
        assert_int_equal(w.result->phase, BOOT_SECURITY);
        assert_string_equal(w.result->text, "hello: it is to have a thread beside the CPUs, and "
                                            "this kernel has none left");
        world_end(&w);
    }
}

static struct boot *serving;

static void stop_when_ready(void *ctx, uint64_t ready_ns)
{
    (void)ctx;
    (void)ready_ns;
    boot_stop(serving);
}

static void test_serves_until_stopped(void **state)
{
    (void)state;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        struct world w;
        world_make(&w, SYSTEM(""), seed);
        struct boot_input input = {.kernel = w.kernel,
                                   .spec = &w.spec,
                                   .code = code,
                                   .path = path,
                                   .ctx = &w.spec,
                                   .on_ready = stop_when_ready};
        assert_int_equal(boot_make(&input, &w.boot), TN_OK);
        serving = w.boot;
        boot_run(w.boot, w.result);
        assert_int_equal(w.result->err, TN_OK);
        assert_true(w.result->stopped);
        assert_false(w.result->job_ran);
        world_end(&w);
    }
}

/* A component is given other code in the root's own turn, between its start and its job. */
static enum component_domain swap_domain;
static struct str swap_bytes;
static tn_err swap_err;
static char swap_text[BOOT_TEXT];

static void swap_when_ready(void *ctx, uint64_t ready_ns)
{
    (void)ctx;
    (void)ready_ns;
    const struct boot_swap swap = {
        .domain = swap_domain, .bytes = swap_bytes, .deadline = TN_NEVER};
    swap_text[0] = '\0';
    swap_err = boot_swap(serving, &fiber_self()->turn, &swap, swap_text);
}

static void check_swap(const char *system, enum component_domain domain, struct str bytes,
                       tn_err err, const char *text)
{
    swap_domain = domain;
    swap_bytes = bytes;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        struct world w;
        world_make(&w, system, seed);
        struct boot_input input = {.kernel = w.kernel,
                                   .spec = &w.spec,
                                   .code = code,
                                   .path = path,
                                   .ctx = &w.spec,
                                   .on_ready = swap_when_ready};
        assert_int_equal(boot_make(&input, &w.boot), TN_OK);
        serving = w.boot;
        boot_run(w.boot, w.result);
        if (swap_err != err)
            fail_msg("%d: %s (domain %d, %s)", swap_err, swap_text, (int)domain, system);
        assert_non_null(strstr(swap_text, text));
        assert_int_equal(w.result->err, TN_OK);
        assert_string_equal(w.result->summary, "Hello, Ada! This is run 1.");
        world_end(&w);
    }
}

static void test_swapped(void **state)
{
    (void)state;
    static const char trusted[] =
        SYSTEM("domain = \"wasm\"\n[trust]\ncomponents = [\"hello\"]\n") JOB;
    struct str part = {wasm.at, 100};
    check_swap(SYSTEM("") JOB, DOMAIN_WASM, wasm, TN_OK, "");
    check_swap(trusted, DOMAIN_KERNEL, native, TN_OK, "");
    check_swap(SYSTEM(IN_KERNEL) JOB, DOMAIN_KERNEL, native, TN_OK, "");
    check_swap(SYSTEM(IN_KERNEL) JOB, DOMAIN_WASM, wasm, TN_OK, "");
    check_swap(SYSTEM("") JOB, DOMAIN_KERNEL, native, TN_EDENIED, "hello: it may not be placed");
    check_swap(SYSTEM("") JOB, DOMAIN_PROCESS, native, TN_ENOSYS, "hello: it may not be placed");
    check_swap(SYSTEM("") JOB, DOMAIN_WASM, part, TN_EFORMAT, "hello: hello/hello.wasm: byte ");
    check_swap(trusted, DOMAIN_KERNEL, part, TN_EFORMAT, "hello: hello/hello.tn.so: ");
    manifest = MANIFEST "concurrency = 2\n";
    check_swap(SYSTEM(IN_KERNEL) JOB, DOMAIN_KERNEL, native, TN_OK, "");
    check_swap(SYSTEM(IN_KERNEL) JOB, DOMAIN_WASM, wasm, TN_EINVAL,
               "hello: it may have 2 turns at a time, and one in wasm");
    /* Wherever it runs: on a thread of its own it stays there. */
    manifest = manifest_with(run_lines[0]);
    check_swap(trusted, DOMAIN_KERNEL, native, TN_OK, "");
    manifest = manifest_with(run_lines[1]);
    check_swap(trusted, DOMAIN_KERNEL, native, TN_OK, "");
    manifest = MANIFEST;
}

/* A driver takes messages of its interface and no others. */
static tn_err drive_self(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    tn_cap own;
    const struct tn_interface *log = tn_interface_by_name("tenon.log", 9);
    if (tn_need("self", 4, &own) != TN_OK || tn_send(own, TN_METHOD(log->id, 1), NULL, 0) != TN_OK)
        return TN_EINTERNAL;
    tn_err other = tn_send(own, TN_METHOD(log->id + 1, 1), NULL, 0);
    return other == TN_EMETHOD ? TN_OK : TN_EINTERNAL;
}

static void test_driver_has_its_interface(void **state)
{
    (void)state;
    static const struct tn_component component = {
        .abi = TN_ABI, .size = sizeof(struct tn_component), .start = drive_self};
    static const struct boot_driver driver = {WIRE_LOG, "log", &component};
    struct world w;
    world_make(&w, SYSTEM("") JOB, 1);
    struct boot_input input = {.kernel = w.kernel,
                               .spec = &w.spec,
                               .drivers = &driver,
                               .ndrivers = 1,
                               .code = code,
                               .path = path,
                               .ctx = &w.spec};
    assert_int_equal(boot_make(&input, &w.boot), TN_OK);
    boot_run(w.boot, w.result);
    if (w.result->err != TN_OK)
        fail_msg("%s", w.result->text);
    world_end(&w);
}

static void test_code_that_is_none(void **state)
{
    (void)state;
    struct str whole = wasm;
    struct world w;
    wasm.len = 100;
    world_make(&w, SYSTEM("") JOB, 1);
    world_run(&w, NULL);
    wasm = whole;
    assert_int_equal(w.result->err, TN_EFORMAT);
    assert_int_equal(w.result->phase, BOOT_USER_CAPABILITIES);
    assert_non_null(strstr(w.result->text, "hello: hello/hello.wasm: byte "));
    world_end(&w);
}

static struct str slurp(const char *name)
{
    FILE *file = fopen(name, "rb");
    char *at = malloc(CODE_MAX);
    size_t len = file != NULL ? fread(at, 1, CODE_MAX, file) : 0;
    if (file != NULL)
        fclose(file);
    return (struct str){at, len};
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: boot_test HELLO.wasm HELLO.tn.so BITS.wasm BITS.tn.so\n");
        return 2;
    }
    wasm = slurp(argv[1]);
    native = slurp(argv[2]);
    bits[0] = slurp(argv[3]);
    bits[1] = slurp(argv[4]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job_in_wasm),
        cmocka_unit_test(test_job_in_kernel),
        cmocka_unit_test(test_same_bits_in_both_domains),
        cmocka_unit_test(test_serves_until_stopped),
        cmocka_unit_test(test_swapped),
        cmocka_unit_test(test_driver_has_its_interface),
        cmocka_unit_test(test_code_that_is_none),
        cmocka_unit_test(test_job_beside_the_cpus),
        cmocka_unit_test(test_no_thread_for_it),
    };
    int failed = cmocka_run_group_tests_name("boot", tests, NULL, NULL);
    free((void *)(uintptr_t)wasm.at);
    free((void *)(uintptr_t)native.at);
    for (uint32_t i = 0; i < 2; i++)
        free((void *)(uintptr_t)bits[i].at);
    return failed;
}
