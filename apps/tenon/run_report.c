/* run_report.c: what a run tells a person, while it runs and at its end, or a program, as JSON. */
#include <stdio.h>

#include "apps/tenon/describe.h"
#include "apps/tenon/files.h"
#include "apps/tenon/json.h"
#include "apps/tenon/run.h"
#include "apps/tenon/table.h"
#include "apps/tenon/term.h"

enum { FAULT_TEXT_MAX = 4000, NAME_SHOWN_MAX = 120 };

void report_phase(void *ctx, enum boot_phase phase, uint64_t took_ns, tn_err err, const char *text)
{
    struct run *run = ctx;
    (void)text; /* the boot's result has it */
    run->phases[phase] = (struct run_phase){.ran = true, .took_ns = took_ns, .err = err};
    if (run_has(run, FLAG_VERBOSE) && !run_has(run, FLAG_QUIET))
        say("phase %u of %d: %-20s %12s%s", (uint32_t)phase + 1, BOOT_PHASES,
            boot_phase_name(phase), amount_took(took_ns).text, err == TN_OK ? "" : "  failed");
}

void report_ready(void *ctx, uint64_t since_boot_ns)
{
    struct run *run = ctx;
    const struct system_spec *spec = &run->composition.spec;
    (void)since_boot_ns; /* a person waits from the beginning of the command */
    run->ready_ns = run_clock_ns() - run->began_ns;
    if (run_has(run, FLAG_QUIET))
        return;
    say("%.*s is ready after %s: %u component%s%s", (int)spec->name.len, spec->name.at,
        amount_took(run->ready_ns).text, spec->ncomponents, spec->ncomponents == 1 ? "" : "s",
        spec->job.given ? "" : "; it serves until SIGINT or SIGTERM");
}

/* How many frames from the i-th on are at the same place: a recursion is one line. */
static uint32_t same_frames(const struct guest_fault *fault, uint32_t i)
{
    uint32_t end = i + 1;
    while (end < fault->nframes && fault->frames[end].func == fault->frames[i].func &&
           fault->frames[end].offset == fault->frames[i].offset)
        end++;
    return end - i;
}

static size_t add_frames(char *text, size_t used, const struct guest_fault *fault)
{
    uint32_t i = 0;
    for (uint32_t lines = 0; i < fault->nframes && lines < RUN_FRAMES_MAX; lines++) {
        const struct wasm_frame_info *frame = &fault->frames[i];
        uint32_t same = same_frames(fault, i);
        char name[NAME_SHOWN_MAX];
        (void)fmt_print(name, sizeof(name), "function %u", frame->func);
        if (frame->name_len > 0)
            (void)show_add(name, sizeof(name), 0, (struct str){frame->name, frame->name_len});
        used = fmt_add(text, FAULT_TEXT_MAX, used, "\n  in %s (offset 0x%x)", name, frame->offset);
        if (same > 1)
            used = fmt_add(text, FAULT_TEXT_MAX, used, ", %u frames", same);
        i += same;
    }
    if (i < fault->nframes)
        used = fmt_add(text, FAULT_TEXT_MAX, used, "\n  and %u more frames", fault->nframes - i);
    return used;
}

static void print_fault(struct str name, const struct guest_fault *fault)
{
    char text[FAULT_TEXT_MAX];
    size_t used = fmt_print(text, sizeof(text), "%.*s: %s%s", (int)name.len, name.at,
                            fault->err == TN_ETRAP ? "trap: " : "stopped: ", fault->text);
    used = add_frames(text, used, fault);
    (void)fmt_add(text, sizeof(text), used, "\n  %s",
                  fault->restarts ? "it goes on with a fresh instance"
                                  : "it has failed: it may not be restarted any more");
    say("%s", text);
}

static json_t *fault_json(struct str name, const struct guest_fault *fault)
{
    json_t *object = must_get(json_object()), *frames = must_get(json_array());
    json_put(object, "component", json_str(name));
    json_put(object, "error", json_string(error_name(fault->err)));
    json_put(object, "text", json_str(str_of(fault->text)));
    json_put(object, "restarted", json_boolean(fault->restarts));
    for (uint32_t i = 0; i < fault->nframes; i++) {
        const struct wasm_frame_info *at = &fault->frames[i];
        json_t *frame = must_get(json_object());
        json_put(frame, "function", json_integer(at->func));
        json_put(frame, "name", json_str((struct str){at->name, at->name_len}));
        json_put(frame, "offset", json_integer(at->offset));
        json_add(frames, frame);
    }
    json_put(object, "frames", frames);
    return object;
}

void report_fault(void *ctx, uint32_t component, const struct guest_fault *fault)
{
    struct run *run = ctx;
    struct str name = run->composition.spec.components[component].name;
    print_fault(name, fault);
    (void)pthread_mutex_lock(&run->lock);
    run->faults[component].faults++;
    run->faults[component].restarts += fault->restarts;
    if (json_wanted && run->nfaults < RUN_FAULTS_MAX)
        json_add(run->json_faults, fault_json(name, fault));
    run->nfaults++;
    (void)pthread_mutex_unlock(&run->lock);
}

/* The end: text */

static void stats_row(struct table *table, struct str name, const char *domain,
                      const struct boot_account *account, uint32_t restarts)
{
    const struct actor_account *stats = &account->stats;
    table_cell(table, "%.*s%s", (int)name.len, name.at, account->failed ? " (failed)" : "");
    table_cell(table, "%s", domain);
    table_cell(table, "%s", amount_count(stats->calls_answered).text);
    table_cell(table, "%s", amount_count(stats->messages_processed).text);
    table_cell(table, "%s", amount_count(stats->fuel_used).text);
    table_cell(table, "%s KiB", amount_count((account->memory_peak_bytes + 1023) / 1024).text);
    table_cell(table, "%s", amount_bytes(account->memory_granted_bytes).text);
    table_cell(table, "%s", amount_took(stats->cpu_time_ns).text);
    table_cell(table, "%s", amount_count(stats->errors_encountered).text);
    table_cell(table, "%u", restarts);
}

static void print_stats(const struct run *run)
{
    static const char *const heads[] = {"COMPONENT", "DOMAIN",  "CALLS", "MESSAGES", "FUEL",
                                        "PEAK",      "GRANTED", "TIME",  "ERRORS",   "RESTARTS"};
    const struct system_spec *spec = &run->composition.spec;
    struct table table;
    table_begin(&table, 10, heads, "llrrrrrrrr");
    for (uint32_t i = 0; i < spec->ncomponents; i++)
        stats_row(&table, spec->components[i].name,
                  component_domain_name(spec->components[i].domain), &run->accounts[i],
                  run->faults[i].restarts);
    for (uint32_t i = 0; i < run_ndrivers; i++) {
        if (run->driver_used[i])
            stats_row(&table, str_of(run_drivers[i].name), "driver",
                      &run->accounts[spec->ncomponents + i], 0);
    }
    table_print(&table, stderr, 0);
}

/* Why the run failed, in words; false: it did not, but for what its job says. */
static bool why_failed(const struct run *run, char *ret_text, size_t size)
{
    const struct boot_result *result = run->result;
    const char *why = result->text[0] != '\0' ? result->text : error_text(result->err);
    if (result->err == TN_OK)
        return false;
    if (result->stopped)
        (void)fmt_print(ret_text, size, "stopped before %s",
                        result->phase < BOOT_PHASES ? "it was ready" : "its job was done");
    else if (result->phase < BOOT_PHASES)
        (void)fmt_print(ret_text, size, "the boot failed in phase %u, %s: %s",
                        (uint32_t)result->phase + 1, boot_phase_name(result->phase),
                        show_z(why).text);
    else
        (void)fmt_print(ret_text, size, "%s", show_z(why).text);
    return true;
}

static int exit_status(const struct run *run)
{
    const struct boot_result *result = run->result;
    if (result->err != TN_OK)
        return EXIT_FAILED;
    uint32_t code = result->job_ran ? result->exit_code : 0;
    return (int)(code < RUN_EXIT_MAX ? code : RUN_EXIT_MAX);
}

/* Where the results are that do not fit on a terminal. */
static void print_written(const struct run *run)
{
    for (uint32_t i = 0; i < run->npaths && !run_has(run, FLAG_QUIET); i++) {
        if (run_wrote(&run->paths[i]))
            say("wrote %s", show_z(run->paths[i].path).text);
    }
}

static void print_end(const struct run *run)
{
    const struct boot_result *result = run->result;
    const struct system_spec *spec = &run->composition.spec;
    char why[BOOT_TEXT + 1200];
    if (term_is_terminal(stderr))
        fputs("\033[K", stderr); /* the last line of progress */
    if (result->job_ran && result->summary_len > 0) {
        print_text(stdout, (struct str){result->summary, result->summary_len});
        if (result->summary[result->summary_len - 1] != '\n')
            (void)fputc('\n', stdout);
        (void)fflush(stdout); /* before what follows on standard error */
    }
    print_written(run);
    if (why_failed(run, why, sizeof(why)))
        say("%.*s: %s", (int)spec->name.len, spec->name.at, why);
    else if (result->job_ran && result->exit_code != 0)
        say("%.*s: its job ended with exit code %u", (int)spec->name.len, spec->name.at,
            result->exit_code);
    else if (result->stopped && !run_has(run, FLAG_QUIET))
        say("%.*s has stopped", (int)spec->name.len, spec->name.at);
}

/* The end: JSON */

static json_t *phases_json(const struct run *run)
{
    json_t *array = must_get(json_array());
    for (uint32_t i = 0; i < BOOT_PHASES; i++) {
        if (!run->phases[i].ran)
            break;
        json_t *object = must_get(json_object());
        json_put(object, "name", json_string(boot_phase_name((enum boot_phase)i)));
        json_put(object, "ms", json_ms(run->phases[i].took_ns));
        json_put(object, "ok", json_boolean(run->phases[i].err == TN_OK));
        json_add(array, object);
    }
    return array;
}

static json_t *account_json(struct str name, const char *domain, const struct boot_account *account)
{
    const struct actor_account *stats = &account->stats;
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {
        {"calls_answered", stats->calls_answered},
        {"calls_made", stats->calls_made},
        {"messages_processed", stats->messages_processed},
        {"messages_sent", stats->messages_sent},
        {"fuel_used", stats->fuel_used},
        {"cpu_time_ns", stats->cpu_time_ns},
        {"errors", stats->errors_encountered},
        {"memory_bytes", account->memory_bytes},
        {"memory_peak_bytes", account->memory_peak_bytes},
        {"memory_granted_bytes", account->memory_granted_bytes},
    };
    json_t *object = must_get(json_object());
    json_put(object, "name", json_str(name));
    json_put(object, "domain", json_string(domain));
    json_put(object, "failed", json_boolean(account->failed));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        json_put(object, numbers[i].key, json_integer((json_int_t)numbers[i].value));
    return object;
}

static void put_accounts(json_t *object, const struct run *run)
{
    const struct system_spec *spec = &run->composition.spec;
    json_t *components = must_get(json_array()), *drivers = must_get(json_array());
    for (uint32_t i = 0; i < spec->ncomponents; i++) {
        json_t *one =
            account_json(spec->components[i].name,
                         component_domain_name(spec->components[i].domain), &run->accounts[i]);
        json_put(one, "faults", json_integer(run->faults[i].faults));
        json_put(one, "restarts", json_integer(run->faults[i].restarts));
        json_add(components, one);
    }
    for (uint32_t i = 0; i < run_ndrivers; i++) {
        if (run->driver_used[i])
            json_add(drivers, account_json(str_of(run_drivers[i].name), "driver",
                                           &run->accounts[spec->ncomponents + i]));
    }
    json_put(object, "components", components);
    json_put(object, "drivers", drivers);
}

static json_t *written_json(const struct run *run)
{
    json_t *array = must_get(json_array());
    for (uint32_t i = 0; i < run->npaths; i++) {
        if (run_wrote(&run->paths[i]))
            json_add(array, json_str(str_of(run->paths[i].path)));
    }
    return array;
}

static void print_json(struct run *run)
{
    const struct boot_result *result = run->result;
    char why[BOOT_TEXT + 1200];
    bool failed = why_failed(run, why, sizeof(why));
    json_t *object = must_get(json_object());
    json_put(object, "system", json_str(run->composition.spec.name));
    json_put(object, "ok", json_boolean(!failed && (!result->job_ran || result->exit_code == 0)));
    if (failed)
        json_put(object, "error", json_str(str_of(why)));
    json_put(object, "stopped", json_boolean(result->stopped));
    json_put(object, "ready_ms", run->ready_ns > 0 ? json_ms(run->ready_ns) : json_null());
    json_put(object, "phases", phases_json(run));
    if (result->job_ran) {
        json_t *job = must_get(json_object());
        json_put(job, "exit_code", json_integer(result->exit_code));
        json_put(job, "summary", json_str((struct str){result->summary, result->summary_len}));
        json_put(object, "job", job);
    } else {
        json_put(object, "job", json_null());
    }
    json_put(object, "written", written_json(run));
    put_accounts(object, run);
    json_put(object, "faults", json_incref(run->json_faults));
    json_put(object, "faults_total", json_integer(run->nfaults));
    json_print(object);
}

int report_end(struct run *run)
{
    if (json_wanted) {
        char why[BOOT_TEXT + 1200];
        print_json(run);
        if (why_failed(run, why, sizeof(why)))
            say("%s", why);
    } else {
        print_end(run);
    }
    if (run_has(run, FLAG_STATS))
        print_stats(run);
    return exit_status(run);
}
