/* run.c: `tenon run`: machine, kernel, drivers and composition put together, run and taken apart.
 *
 *   words and files (run_input.c) -> machine -> kernel -> boot, which runs until the job or a
 * signal (run_signals.c) ends it -> accounts -> report (run_report.c)
 *
 * Whatever fails on the way, all that was made before is undone in reverse order. */
#include "apps/tenon/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apps/tenon/describe.h"
#include "apps/tenon/files.h"
#include "apps/tenon/json.h"
#include "apps/tenon/term.h"
#include "base/bits.h"
#include "drivers/linux/drivers.h"
#include "machine/linux/linux.h"

enum { MACHINE_BLOCK_BYTES = 2 << 20 };

const struct boot_driver run_drivers[] = {
    {WIRE_FILES, "files", &driver_linux_files},
    {WIRE_CLOCK, "clock", &driver_linux_clock},
    {WIRE_RANDOM, "random", &driver_linux_random},
    {WIRE_LOG, "log", &driver_linux_log},
};
const uint32_t run_ndrivers = sizeof(run_drivers) / sizeof(run_drivers[0]);
_Static_assert(sizeof(run_drivers) / sizeof(run_drivers[0]) <= BOOT_DRIVERS_MAX, "a boot's limit");

static tn_err code_of(void *ctx, uint32_t component, struct str *ret_bytes)
{
    struct run *run = ctx;
    *ret_bytes = run->codes[component];
    return TN_OK;
}

static tn_err path_of(void *ctx, const struct need_spec *need, struct str *ret_path)
{
    struct run *run = ctx;
    for (uint32_t i = 0; i < run->npaths; i++) {
        if (run->paths[i].need != need)
            continue;
        *ret_path = str_of(run->paths[i].path);
        return TN_OK;
    }
    return TN_ENOTFOUND;
}

uint64_t run_clock_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* exists on every Linux */
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Says why the run did not come to a boot; EXIT_FAILED. */
static int no_boot(const char *what, const char *why)
{
    char text[512];
    (void)fmt_print(text, sizeof(text), "%s: %s", what, why);
    say("%s", text);
    json_print_error(text);
    return EXIT_FAILED;
}

static void take_accounts(struct run *run, struct boot *boot)
{
    uint32_t n = run->composition.spec.ncomponents;
    for (uint32_t i = 0; i < n; i++)
        boot_account(boot, i, &run->accounts[i]);
    for (uint32_t i = 0; i < run_ndrivers; i++)
        run->driver_used[i] = boot_driver_account(boot, i, &run->accounts[n + i]);
}

static int run_in_kernel(struct run *run, struct kernel *kernel)
{
    struct boot_driver drivers[sizeof(run_drivers) / sizeof(run_drivers[0])];
    memcpy(drivers, run_drivers, sizeof(drivers));
    for (uint32_t i = 0; i < run_ndrivers && run_has(run, FLAG_QUIET); i++) {
        if (drivers[i].kind == WIRE_LOG)
            drivers[i].component = &driver_linux_log_errors;
    }
    const struct boot_input input = {
        .kernel = kernel,
        .spec = &run->composition.spec,
        .drivers = drivers,
        .ndrivers = run_ndrivers,
        .code = code_of,
        .path = path_of,
        .ctx = run,
        .args = run->job_args,
        .nargs = run->args->nrest,
        .exact_time = json_wanted || args_has(run->args, FLAG_STATS),
        .on_phase = report_phase,
        .on_ready = report_ready,
        .on_fault = report_fault,
    };
    struct boot *boot;
    tn_err err = boot_make(&input, &boot);
    if (err != TN_OK)
        return no_boot("the boot has no memory", "raise memory in [system]");
    if (!signals_watch(boot))
        return no_boot("no thread for signals", "the process or the machine is at its limit");
    boot_run(boot, run->result);
    signals_end();
    take_accounts(run, boot);
    return EXIT_OK;
}

static int run_in_machine(struct run *run, struct system_threads threads)
{
    const struct kernel_config config = {.compute = threads.compute, .blocking = threads.blocking};
    struct kernel *kernel;
    tn_err err = kernel_boot(&config, &kernel);
    if (err != TN_OK)
        return no_boot("the kernel has no memory", "raise memory in [system]");
    int status = run_in_kernel(run, kernel);
    kernel_destroy(kernel);
    return status;
}

static int run_system(struct run *run)
{
    const struct system_spec *spec = &run->composition.spec;
    const struct system_threads threads = system_threads(spec, composition_cpus(spec));
    const struct linux_machine machine = {
        .cpus = composition_cpus(spec),
        .more = threads.compute + threads.blocking,
        .memory_bytes = align_up(spec->memory_bytes, MACHINE_BLOCK_BYTES),
    };
    signals_hold();
    int err = linux_machine_init(&machine);
    if (err == -ENOMEM) {
        char what[128];
        (void)fmt_print(what, sizeof(what), "%s of memory cannot be reserved",
                        amount_bytes(machine.memory_bytes).text);
        return no_boot(what, "lower memory in [system]");
    }
    if (err == -ENOSYS)
        return no_boot("the membarrier system call is refused",
                       "allow it in the seccomp profile that this runs under");
    if (err != 0)
        return no_boot("the machine cannot be set up", strerror(-err));
    int status = run_in_machine(run, threads);
    linux_machine_destroy();
    return status == EXIT_OK ? report_end(run) : status;
}

int verb_run(const struct args *args)
{
    struct run *run = must_get(calloc(1, sizeof(*run)));
    run->began_ns = run_clock_ns();
    (void)pthread_mutex_init(&run->lock, NULL);
    run->json_faults = must_get(json_array());
    int status = run_prepare(run, args);
    if (status == EXIT_OK) {
        size_t n = run->composition.spec.ncomponents;
        run->faults = must_get(calloc(n + 1, sizeof(*run->faults)));
        run->accounts = must_get(calloc(n + run_ndrivers, sizeof(*run->accounts)));
        run->result = must_get(calloc(1, sizeof(*run->result)));
        status = run_system(run);
    }
    run_free(run);
    free(run);
    return status;
}
