/* run.h: what the files of `tenon run` share: one run, from words to report. */
#ifndef APPS_TENON_RUN_H
#define APPS_TENON_RUN_H

#include <jansson.h>
#include <pthread.h>

#include "apps/tenon/composition.h"
#include "apps/tenon/files.h"
#include "apps/tenon/verb.h"
#include "runtime/boot/boot.h"

enum {
    RUN_FAULTS_MAX = 256, /* of guests, kept for --json; more are counted */
    RUN_FRAMES_MAX = 16,  /* lines of a backtrace that are printed */
    RUN_EXIT_MAX = 255,   /* what an exit status can hold */
};

struct run_phase {
    bool ran;
    uint64_t took_ns;
    tn_err err;
};

/* What a files wire stands for. */
struct run_path {
    const struct need_spec *need;
    char *path;              /* absolute */
    struct file_mark before; /* of what is there before the run */
};

/* Faults of one component. */
struct run_faults {
    uint32_t faults, restarts;
};

struct run {
    const struct args *args;
    struct composition composition;
    struct system_place places[ARGS_VALUES_MAX];
    struct str job_args[SYSTEM_JOB_ARGS_MAX];
    struct str *codes; /* one a component */
    struct run_path *paths;
    uint32_t npaths;
    uint64_t began_ns; /* of the monotonic clock, when the verb began */

    /* of the kernel's turns; read when it has ended */
    struct run_phase phases[BOOT_PHASES];
    uint64_t ready_ns;         /* since the command began; 0: it never was */
    pthread_mutex_t lock;      /* of what follows */
    struct run_faults *faults; /* one a component */
    json_t *json_faults;
    uint32_t nfaults;

    struct boot_result *result;
    struct boot_account *accounts; /* of the components, then of the drivers */
    bool driver_used[BOOT_DRIVERS_MAX];
};

extern const struct boot_driver run_drivers[];
extern const uint32_t run_ndrivers;

static inline bool run_has(const struct run *run, enum flag_id flag)
{
    return args_has(run->args, flag);
}

/* The monotonic clock of the system. */
uint64_t run_clock_ns(void);

/* A file that the run had to write, and wrote. */
bool run_wrote(const struct run_path *at);

/* run_input.c: reads all that a run needs of words and files. EXIT_OK, or it was said and *run is
 * only good for run_free. */
int run_prepare(struct run *run, const struct args *args);
void run_free(struct run *run);

/* run_signals.c: from here on SIGINT, SIGTERM and SIGHUP are held back in all threads, */
void signals_hold(void);
/* and stop that boot, the second one this process. false: no thread for it, which was said. */
bool signals_watch(struct boot *boot);
void signals_end(void);

/* run_report.c */

/* Callbacks of the boot: `ctx` is the run. */
void report_phase(void *ctx, enum boot_phase phase, uint64_t took_ns, tn_err err, const char *text);
void report_ready(void *ctx, uint64_t since_boot_ns);
void report_fault(void *ctx, uint32_t component, const struct guest_fault *fault);
/* All at the end; returns the exit status. */
int report_end(struct run *run);

#endif
