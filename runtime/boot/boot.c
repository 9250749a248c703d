/* boot.c: the root component: takes a system through its phases, runs its job and stops it.
 *
 * It is an actor of a domain of its own, whose code is this file. Everything that it asks of the
 * components are ordinary calls, so a component that hangs or traps in its load or start is a
 * failed phase and no more.
 *
 *   start message -> phases 1 to 8 -> ready -> job -> stop all -> all are killed -> the kernel ends
 *                       |  fails                ^ (no job: at the stop message)
 *                       +-----------------------+ */
#include "base/assert.h"
#include "base/fmt.h"
#include "runtime/boot/boot_int.h"

const char *boot_phase_name(enum boot_phase phase)
{
    static const char *const names[BOOT_PHASES] = {
        [BOOT_CORE] = "core",
        [BOOT_CONFIGURATION] = "configuration",
        [BOOT_SECURITY] = "security",
        [BOOT_CORE_SERVICES] = "core services",
        [BOOT_SYSTEM_CAPABILITIES] = "system capabilities",
        [BOOT_MONITORING] = "monitoring",
        [BOOT_API_GATEWAY] = "API gateway",
        [BOOT_USER_CAPABILITIES] = "user capabilities",
    };
    ASSERT(phase < BOOT_PHASES);
    return names[phase];
}

const char *boot_error_name(tn_err err)
{
    switch (err) {
#define CASE(name, number, text) \
    case name:                   \
        return #name;
        TN_ERRORS(CASE)
#undef CASE
    default:
        return err > 0 ? "an error of its interface" : "an unknown error";
    }
}

static void say(char *text, const char *name, const char *format, va_list args)
{
    size_t len = fmt_print(text, BOOT_TEXT, "%s: ", name);
    if (len < BOOT_TEXT)
        fmt_vprint(text + len, BOOT_TEXT - len, format, args);
}

tn_err boot_say(struct boot *boot, tn_err err, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(boot->result->text, name, format, args);
    va_end(args);
    return err;
}

tn_err boot_text(char *ret_text, tn_err err, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(ret_text, name, format, args);
    va_end(args);
    return err;
}

/* A call on a part's lifecycle, to its end. */
static tn_err life(struct boot *boot, struct turn *turn, struct part *part, uint32_t method)
{
    static const struct tn_pack nothing;
    (void)boot;
    struct cpu *cpu = fiber_self()->cpu;
    const struct tn_pack *in = method == LIFE_LOAD ? &part->config : &nothing;
    tn_time deadline = machine_now_ns() + BOOT_STEP_NS;
    tn_err err = life_begin(cpu, turn, part->actor, method, in, deadline);
    if (err == IPC_PENDING)
        cpu = turn_wait(cpu, turn);
    else if (err != TN_OK)
        return err;
    return call_end(cpu, turn, NULL);
}

static tn_err start_part(struct boot *boot, struct turn *turn, struct part *part)
{
    tn_err err = boot_load(boot, part);
    if (err != TN_OK)
        return err;
    err = life(boot, turn, part, LIFE_LOAD);
    if (err != TN_OK)
        return boot_say(boot, err, part->name, "its load failed: %s", boot_error_name(err));
    err = life(boot, turn, part, LIFE_START);
    if (err != TN_OK)
        return boot_say(boot, err, part->name, "its start failed: %s", boot_error_name(err));
    part->started = true;
    return TN_OK;
}

static tn_err start_rings(struct boot *boot, struct turn *turn, uint32_t from, uint32_t to)
{
    const struct system_spec *spec = boot->input.spec;
    for (uint32_t i = 0; i < spec->ncomponents; i++) {
        struct part *part = boot_component(boot, spec->order[i]);
        if (part->spec->ring < from || part->spec->ring > to)
            continue;
        tn_err err = start_part(boot, turn, part);
        if (err != TN_OK)
            return err;
    }
    return TN_OK;
}

static tn_err start_drivers(struct boot *boot, struct turn *turn)
{
    tn_err err = TN_OK;
    for (uint32_t i = 0; i < boot->ndrivers && err == TN_OK; i++)
        err = start_part(boot, turn, boot_driver(boot, i));
    return err;
}

static tn_err phase_run(struct boot *boot, struct turn *turn, enum boot_phase phase)
{
    switch (phase) {
    case BOOT_CORE:
        return boot_make_parts(boot);
    case BOOT_CONFIGURATION:
        return boot_configure(boot);
    case BOOT_SECURITY:
        return boot_wire(boot);
    case BOOT_CORE_SERVICES:
        return start_drivers(boot, turn);
    case BOOT_SYSTEM_CAPABILITIES:
        return start_rings(boot, turn, 0, 1);
    case BOOT_MONITORING:  /* faults are reported from here on; nothing is started */
    case BOOT_API_GATEWAY: /* there is no gateway yet */
        return TN_OK;
    case BOOT_USER_CAPABILITIES:
        return start_rings(boot, turn, 2, 3);
    case BOOT_PHASES:
        break;
    }
    UNREACHABLE("a phase that is none");
}

static tn_err phases(struct boot *boot, struct turn *turn)
{
    const struct boot_input *input = &boot->input;
    for (uint32_t i = 0; i < BOOT_PHASES; i++) {
        enum boot_phase phase = (enum boot_phase)i;
        tn_time before = machine_now_ns();
        tn_err err =
            at_load(&boot->stopping, ACQUIRE) ? TN_ECANCELLED : phase_run(boot, turn, phase);
        tn_time took = machine_now_ns() - before;
        if (input->on_phase != NULL)
            input->on_phase(input->ctx, phase, took, err, boot->result->text);
        if (err != TN_OK) {
            boot->result->phase = phase;
            return err;
        }
    }
    boot->result->ready_ns = machine_now_ns() - boot->began_ns;
    if (input->on_ready != NULL)
        input->on_ready(input->ctx, boot->result->ready_ns);
    return TN_OK;
}

/* Stops what was started, last first; a part that does not end in time is killed with the rest. */
static void stop_parts(struct boot *boot, struct turn *turn)
{
    const struct system_spec *spec = boot->input.spec;
    for (uint32_t i = spec->ncomponents; i > 0; i--) {
        struct part *part = boot_component(boot, spec->order[i - 1]);
        if (part->started && actor_life(part->actor) == ACTOR_READY)
            (void)life(boot, turn, part, LIFE_STOP);
    }
    for (uint32_t i = boot->ndrivers; i > 0; i--) {
        struct part *part = boot_driver(boot, i - 1);
        if (part->started)
            (void)life(boot, turn, part, LIFE_STOP);
    }
}

static void end_all(struct boot *boot, struct turn *turn)
{
    stop_parts(boot, turn);
    struct cpu *cpu = fiber_self()->cpu;
    for (uint32_t i = 0; i < boot->nparts; i++) {
        struct part *part = &boot->parts[i];
        if (part->actor == NULL)
            continue;
        part->failed = actor_life(part->actor) == ACTOR_FAILED;
        actor_kill(cpu, part->actor);
    }
    actor_kill(cpu, boot->actor);
    kernel_drain(boot->kernel);
}

static enum turn_end root_run(struct cpu *cpu, struct turn *turn)
{
    struct boot *boot = (struct boot *)turn->actor->instance;
    struct boot_result *result = boot->result;
    (void)cpu;
    if (turn->info.cls == MSG_RECOVERY_ACTION) { /* the stop message */
        result->stopped = true;
        end_all(boot, turn);
        return TURN_DONE;
    }
    result->err = phases(boot, turn);
    bool serves = result->err == TN_OK && !boot->input.spec->job.given;
    if (serves)
        return TURN_DONE; /* until the stop message, which may be here already */
    if (result->err == TN_OK)
        result->err = boot_job(boot, turn);
    result->stopped = at_load(&boot->stopping, ACQUIRE) != 0;
    end_all(boot, turn);
    return TURN_DONE;
}

static void root_destroy(struct instance *instance)
{
    (void)instance; /* boot_run's caller still reads it */
}

static const struct domain root_domain = {
    .name = "root",
    .on_fiber = true,
    .run = root_run,
    .destroy = root_destroy,
};

tn_err boot_make(const struct boot_input *input, struct boot **ret_boot)
{
    struct kernel *kernel = input->kernel;
    struct untyped *memory = kernel->root;
    const struct system_spec *spec = input->spec;
    ASSERT(input->ndrivers <= BOOT_DRIVERS_MAX);
    struct boot *boot = mem_alloc(memory, sizeof(*boot));
    if (boot == NULL)
        return TN_ENOMEM;
    boot->input = *input;
    boot->kernel = kernel;
    boot->memory = memory;
    boot->ndrivers = input->ndrivers;
    boot->nparts = spec->ncomponents + input->ndrivers;
    at_init(&boot->stopping, 0);
    at_init(&boot->job, NULL);
    if (boot->nparts > 0) {
        boot->parts = mem_alloc(memory, boot->nparts * sizeof(*boot->parts));
        if (boot->parts == NULL)
            return TN_ENOMEM;
    }
    tn_err err = space_make(memory, &kernel->caps, &kernel->limbo, 64, &boot->space);
    if (err != TN_OK)
        return err;
    struct actor_config config = {.name = "root",
                                  .patient = true, /* its job is not more urgent than others */
                                  .memory = memory,
                                  .space = boot->space,
                                  .mailbox = 4,
                                  .priority = 0,
                                  .home = kernel_worker(kernel, 0),
                                  .limbo = &kernel->limbo,
                                  .alive = &kernel->alive};
    err = actor_make(&config, &boot->actor);
    if (err != TN_OK)
        return err;
    boot->instance.domain = &root_domain;
    actor_set_instance(boot->actor, &boot->instance);
    bool ready = actor_ready(boot->actor);
    ASSERT(ready);
    boot->stop.object = actor_object(boot->actor);
    boot->stop.cell.flags = CELL_EMBEDDED;
    boot->stop.cell.cls = MSG_RECOVERY_ACTION;
    at_init(&boot->stop.queued, 0);
    *ret_boot = boot;
    return TN_OK;
}

void boot_run(struct boot *boot, struct boot_result *ret_result)
{
    ret_result->err = TN_OK;
    ret_result->phase = BOOT_PHASES;
    ret_result->text[0] = '\0';
    ret_result->job_ran = false;
    ret_result->stopped = false;
    ret_result->exit_code = 0;
    ret_result->summary_len = 0;
    boot->result = ret_result;
    boot->began_ns = machine_now_ns();
    kernel_begin(boot->kernel, boot->actor);
    kernel_run(boot->kernel);
    boot_drop_parts(boot);
}

void boot_stop(struct boot *boot)
{
    at_store(&boot->stopping, 1, SEQ_CST);
    struct actor *job = at_load(&boot->job, SEQ_CST);
    if (job != NULL)
        actor_kill(NULL, job); /* its caller, the root, goes on with TN_EGONE */
    if (embedded_claim(&boot->stop)) {
        sched_post(NULL, boot->actor, &boot->stop.cell);
    }
}

static void account(struct part *part, struct boot_account *ret)
{
    struct mem_stats memory = mem_stats(part->memory);
    ret->stats = actor_account(part->actor);
    ret->memory_bytes = memory.used_bytes;
    ret->memory_peak_bytes = memory.peak_bytes;
    ret->memory_granted_bytes = memory.size_bytes;
    ret->failed = part->failed;
}

void boot_account(struct boot *boot, uint32_t component, struct boot_account *ret_account)
{
    struct part *part = boot_component(boot, component);
    *ret_account = (struct boot_account){.failed = true};
    if (part->actor != NULL)
        account(part, ret_account);
}

bool boot_driver_account(struct boot *boot, uint32_t driver, struct boot_account *ret_account)
{
    struct part *part = boot_driver(boot, driver);
    if (part->actor == NULL || part->grants == 0)
        return false;
    account(part, ret_account);
    return true;
}
