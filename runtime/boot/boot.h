/* boot.h: from a composition to a running system.
 *
 * The composition root has booted a kernel, parsed a system_spec and hands in code and drivers. One
 * native actor, the root component, holds all of the machine's memory and takes the system through
 * the eight phases of its boot; each is timed and can fail with a reason that names the component:
 *
 *   core, configuration, security, core services, system capabilities, monitoring, API gateway,
 *   user capabilities
 *
 * ("capability" in two of these names means a component: the names are older than this kernel.)
 * Then the kernel is ready; the job runs if there is one, and its end, boot_stop or a fault in the
 * boot stops what was started, in reverse order, and ends the kernel. Whoever is not wired to a
 * thing has no capability to it. */
#ifndef RUNTIME_BOOT_BOOT_H
#define RUNTIME_BOOT_BOOT_H

#include <tenon/component.h>

#include "kernel/sched/cpu.h"
#include "runtime/package/system.h"
#include "runtime/wasm/guest.h"

enum boot_phase {
    BOOT_CORE,
    BOOT_CONFIGURATION,
    BOOT_SECURITY,
    BOOT_CORE_SERVICES,
    BOOT_SYSTEM_CAPABILITIES,
    BOOT_MONITORING,
    BOOT_API_GATEWAY,
    BOOT_USER_CAPABILITIES,
    BOOT_PHASES,
};
const char *boot_phase_name(enum boot_phase phase);

enum { BOOT_TEXT = 256, BOOT_SUMMARY_MAX = 60000, BOOT_DRIVERS_MAX = 16 };

/* A driver that the program holds, for one kind of wire. */
struct boot_driver {
    enum wire_kind kind;
    const char *name; /* "files" */
    const struct tn_component *component;
};

struct boot_input {
    struct kernel *kernel;
    const struct system_spec *spec;
    const struct boot_driver *drivers;
    uint32_t ndrivers;
    /* The bytes of a component's code, which live until the kernel has ended. */
    tn_err (*code)(void *ctx, uint32_t component, struct str *ret_bytes);
    /* What a path of a files wire stands for: an absolute path. */
    tn_err (*path)(void *ctx, const struct need_spec *need, struct str *ret_path);
    void *ctx;
    const struct str *args; /* of the job: instead of the composition's when nargs > 0 */
    uint32_t nargs;
    bool exact_time; /* CPU time of each component to the nanosecond, not sampled: two looks at the
                    clock for each turn */
    /* News as it happens, each in a turn of the kernel; any may be NULL. */
    void (*on_phase)(void *ctx, enum boot_phase phase, uint64_t took_ns, tn_err err,
                     const char *text);
    void (*on_ready)(void *ctx, uint64_t since_boot_ns);
    void (*on_fault)(void *ctx, uint32_t component, const struct guest_fault *fault);
};

/* What one component did, read when the system has stopped. */
struct boot_account {
    struct actor_account stats;
    uint64_t memory_bytes, memory_peak_bytes; /* charged; of memory_granted_bytes */
    uint64_t memory_granted_bytes;
    bool failed;
};

struct boot_result {
    tn_err err;            /* the boot, or the job's call, failed */
    enum boot_phase phase; /* in which the boot failed; BOOT_PHASES: it did not */
    char text[BOOT_TEXT];  /* why, naming the component; terminated */
    bool job_ran;
    uint32_t exit_code; /* of the job */
    uint32_t summary_len;
    char summary[BOOT_SUMMARY_MAX];
    uint64_t ready_ns; /* from the boot's begin */
    bool stopped;      /* by boot_stop */
};

struct boot;

/* What the kernel is to be booted with is system_threads of the spec (kernel_config); without, the
 * boot fails when it comes to the first component that asks for a thread.
 *
 * Makes the boot's own memory in the kernel's root; the input lives until boot_end. TN_ENOMEM. */
tn_err boot_make(const struct boot_input *input, struct boot **ret_boot);
/* Boots, runs and stops the system; returns when the kernel has ended. */
void boot_run(struct boot *boot, struct boot_result *ret_result);
/* Asks a running system to stop: a job ends with TN_EGONE. Any thread, any time between boot_make
 * and the return of boot_run; async-signal-safe. */
void boot_stop(struct boot *boot);
/* New code for a component that runs (kernel/sched/swap.h says how that goes): built for either
 * domain from the same interface, whatever domain it began in, with the needs and the configuration
 * of its manifest. */
struct boot_swap {
    uint32_t component; /* in the spec */
    enum component_domain domain;
    struct str bytes; /* not used afterwards */
    uint32_t flags;   /* SWAP_ */
    tn_time deadline;
};
/* In a turn on a fiber, of whoever in the kernel domain may do that; waits. TN_EDENIED: it is not
 * trusted in the kernel domain; TN_EINVAL: it may have several turns, and goes to wasm; errors of
 * elf_load and native_new or of guest_new, and of swap_begin; with any, the component goes on as it
 * was, and ret_text (BOOT_TEXT bytes, or NULL) says why. */
tn_err boot_swap(struct boot *boot, struct turn *turn, const struct boot_swap *swap,
                 char *ret_text);
/* After boot_run. */
void boot_account(struct boot *boot, uint32_t component, struct boot_account *ret_account);
/* Accounts of the drivers, by index into boot_input.drivers; false: it was not needed. */
bool boot_driver_account(struct boot *boot, uint32_t driver, struct boot_account *ret_account);

#endif
