/* report.c: the conductor of the demo. It takes each series it is wired to through the detector,
 * the forecaster and the plotter, lets the hostile component try in between, and writes one page.
 *
 *   1. The page is written beside its target and committed at the very end: a run that fails leaves
 *      nothing behind, and the target as it was.
 *   2. Whatever fails, the job says who, what and which error, and exits with 1.
 *   3. The rogue is expected to fail, and to die: that is a result, not a failure of the job. That
 *      it gained something, or took another down, is: the page is written, and the exit code is 2.
 *
 * Its configuration names the series as the labels file does, series1 to series4, and may set the
 * simulation: paths, steps, seed. Arguments NAME=VALUE change these for one run. An argument that
 * is not of that form is a path: it names the first series where the configuration does not. */
#include <tenon/component.h>
#include <tenon/config.h>

#include "components/report/report_int.h"
#include "interfaces/tenon_file.h"
#include "interfaces/tenon_job.h"
#include "interfaces/tenon_log.h"
#include "sdk/fmt.h"
#include "sdk/mem.h"

enum { EXIT_FAILED = 1, EXIT_NOT_CONTAINED = 2 };

void progress(struct report *r, const char *format, ...)
{
    char text[200];
    uint64_t room[40];
    va_list args;
    if (r->log == 0)
        return;
    va_start(args, format);
    size_t n = fmt_vprint(text, sizeof(text), format, args);
    va_end(args);
    uint32_t len = (uint32_t)(n < sizeof(text) ? n : sizeof(text) - 1);
    /* A log that is full or gone is no reason to fail. */
    tn_err err = tenon_log_write(r->log, TENON_LOG_PROGRESS, text, len, room, sizeof(room), 0);
    (void)err;
}

tn_err problem(struct report *r, const char *who, const char *what, tn_err err)
{
    if (err > 0)
        (void)fmt_print(r->problem, PROBLEM_MAX, "%s %s: error %d of its interface", who, what,
                        (int)err);
    else
        (void)fmt_print(r->problem, PROBLEM_MAX, "%s %s: %s (%s)", who, what, error_name(err),
                        error_meaning(err));
    return err;
}

static tn_err need(const char *name, bool optional, tn_cap *ret_cap)
{
    tn_err err = tn_need(name, (uint32_t)str_length(name), ret_cap);
    return err == TN_ENOTWIRED && optional ? TN_OK : err;
}

static tn_err report_start(void *self, const struct tn_turn *turn)
{
    (void)turn;
    struct report *r = self;
    struct {
        const char *name;
        bool optional;
        tn_cap *cap;
    } needs[] = {
        {"detector", false, &r->detector}, {"forecaster", false, &r->forecaster},
        {"plotter", false, &r->plotter},   {"out", false, &r->out},
        {"labels", true, &r->labels},      {"rogue", true, &r->rogue},
        {"victim", true, &r->victim},      {"log", true, &r->log},
    };
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        tn_err err = need(needs[i].name, needs[i].optional, needs[i].cap);
        if (err != TN_OK)
            return err;
    }
    for (uint32_t i = 0; i < SERIES_MAX; i++) {
        char name[16];
        tn_cap rows = 0;
        (void)fmt_print(name, sizeof(name), "series%u", i + 1);
        tn_err err = need(name, i > 0, &rows);
        if (err != TN_OK)
            return err;
        if (rows == 0)
            continue;
        r->series[r->nseries].slot = i;
        r->series[r->nseries++].rows = rows;
    }
    return TN_OK;
}

static struct str file_name(struct str path)
{
    size_t from = path.len;
    while (from > 0 && path.at[from - 1] != '/')
        from--;
    return (struct str){path.at + from, path.len - from};
}

static void set_name(struct settings *s, uint32_t slot, struct str name)
{
    size_t n = name.len < NAME_MAX ? name.len : NAME_MAX;
    memcpy(s->names[slot], name.at, n);
    s->names[slot][n] = '\0';
}

/* One setting by its name. TN_EINVAL and a problem: there is none, or its value cannot be. */
static tn_err set(struct report *r, struct settings *s, struct str name, struct str value)
{
    uint64_t x = 0;
    bool number = sdk_parse_u64(value.at, value.len, &x) == TN_OK;
    for (uint32_t i = 0; i < SERIES_MAX; i++) {
        char wanted[16];
        (void)fmt_print(wanted, sizeof(wanted), "series%u", i + 1);
        if (str_eq(name, str_of(wanted))) {
            set_name(s, i, value);
            return TN_OK;
        }
    }
    if (number && str_eq(name, STR("seed")))
        s->seed = x;
    else if (number && str_eq(name, STR("paths")) && x > 0 && x <= DEMO_FORECAST_PATHS_MAX)
        s->paths = (uint32_t)x;
    else if (number && str_eq(name, STR("steps")) && x > 0 && x <= DEMO_FORECAST_STEPS_MAX)
        s->steps = (uint32_t)x;
    else {
        (void)fmt_print(r->problem, PROBLEM_MAX,
                        "'%.*s=%.*s': there are series1= to series4=, seed=, paths= (1 to %u) and "
                        "steps= (1 to %u)",
                        (int)(name.len < 60 ? name.len : 60), name.at,
                        (int)(value.len < 60 ? value.len : 60), value.at,
                        (unsigned)DEMO_FORECAST_PATHS_MAX, (unsigned)DEMO_FORECAST_STEPS_MAX);
        return TN_EINVAL;
    }
    return TN_OK;
}

static tn_err report_load(void *self, const struct tn_turn *turn, const struct tn_pack *config)
{
    (void)turn;
    struct report *r = self;
    struct tn_config_item item;
    uint32_t at = 0;
    tn_err err;
    r->config = (struct settings){.seed = 1, .paths = PATHS_DEFAULT, .steps = STEPS_DEFAULT};
    while ((err = tn_config_next(config, &at, &item)) == TN_OK) {
        char digits[24];
        struct str value = {item.text, item.text_len};
        if (item.type == TN_CONFIG_INTEGER) {
            size_t n = fmt_print(digits, sizeof(digits), "%lld", (long long)item.integer);
            value = (struct str){digits, n};
        } else if (item.type != TN_CONFIG_TEXT) {
            return TN_EINVAL;
        }
        err = set(r, &r->config, (struct str){item.key, item.key_len}, value);
        if (err != TN_OK)
            return err;
    }
    return err == TN_ENOTFOUND ? TN_OK : err;
}

static tn_err take_arguments(struct report *r, struct tn_texts args)
{
    struct tn_text text;
    r->now = r->config;
    while (tn_texts_next(&args, &text)) {
        struct str name = {text.at, 0};
        while (name.len < text.len && text.at[name.len] != '=')
            name.len++;
        tn_err err = TN_OK;
        if (name.len < text.len)
            err = set(r, &r->now, name,
                      (struct str){text.at + name.len + 1, text.len - name.len - 1});
        else if (r->now.names[0][0] == '\0')
            set_name(&r->now, 0, file_name(name));
        if (err != TN_OK)
            return err;
    }
    for (uint32_t i = 0; i < r->nseries; i++) {
        struct series *s = &r->series[i];
        memcpy(s->name, r->now.names[s->slot], sizeof(s->name));
        if (s->name[0] == '\0')
            (void)fmt_print(s->name, sizeof(s->name), "series %u", s->slot + 1);
    }
    return TN_OK;
}

/* All series, and after each its share of the attempts. */
static tn_err conduct(struct report *r)
{
    uint32_t made = 0;
    for (uint32_t i = 0; i < r->nseries; i++) {
        tn_err err = series_run(r, i);
        if (err != TN_OK)
            return err;
        for (; made < r->nattempts * (i + 1) / r->nseries; made++)
            attempts_make(r, made);
    }
    return TN_OK;
}

/* The errors of tenon.file that a person can do something about. */
static tn_err unwritten(struct report *r, tn_err err)
{
    const char *why = err == TENON_FILE_E_NO_SPACE    ? "the disk is full"
                      : err == TENON_FILE_E_NOT_FOUND ? "its folder is gone, or takes no files"
                      : err == TENON_FILE_E_IO        ? "the disk reports an error"
                      : err == TN_EDENIED             ? "permission denied"
                                                      : NULL;
    if (why == NULL)
        return problem(r, "the report's file", "cannot be written", err);
    (void)fmt_print(r->problem, PROBLEM_MAX, "the report's file cannot be written: %s", why);
    return err;
}

static tn_err write_page(struct report *r)
{
    struct page *p = &r->page;
    tn_err err = tenon_file_truncate(r->out, 0, TN_NEVER);
    if (err != TN_OK)
        return unwritten(r, err);
    page_begin(p, r->out, 0);
    html_begin(p);
    uint64_t place = p->offset + p->len; /* of the head, which is known at the end */
    page_pad(p, place, HEAD_BYTES);
    err = conduct(r);
    if (err != TN_OK)
        return err;
    html_attempts(r);
    html_end(p, r->labelled);
    err = page_flush(p);
    page_begin(p, r->out, place);
    p->err = err;
    html_head(r);
    err = page_flush(p);
    if (err == TN_OK)
        err = tenon_file_commit(r->out, TN_NEVER);
    return err == TN_OK ? TN_OK : unwritten(r, err);
}

static bool all_contained(const struct report *r)
{
    for (uint32_t i = 0; i < r->nattempts; i++)
        if (r->attempts[i].gained > 0 || !r->attempts[i].others_answer)
            return false;
    return true;
}

static tn_err run(struct report *r, const struct tn_pack *in, struct tn_pack *out)
{
    struct tenon_job_run_args args;
    struct tenon_job_run_reply reply = {.exit_code = EXIT_FAILED};
    tn_err err = tenon_job_run_args_decode(in, &args);
    if (err != TN_OK)
        return err;
    r->problem[0] = '\0';
    err = take_arguments(r, args.args);
    if (err == TN_OK)
        err = labels_read(r);
    if (err == TN_OK)
        err = attempts_ask(r);
    if (err == TN_OK)
        err = write_page(r);
    if (err != TN_OK) {
        tn_err closed = tenon_file_close(r->out, TN_NEVER); /* drops what was not committed */
        (void)closed;
        reply.summary = (struct tn_text){r->problem, (uint32_t)str_length(r->problem)};
        return tenon_job_run_reply_encode(&reply, out);
    }
    summary_write(r);
    reply.exit_code = all_contained(r) ? 0 : EXIT_NOT_CONTAINED;
    reply.summary = (struct tn_text){r->summary, r->summary_len};
    return tenon_job_run_reply_encode(&reply, out);
}

static tn_err report_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    switch (turn->method) {
    case TENON_JOB_RUN:
        return run(self, in, out);
    default:
        return TN_EMETHOD;
    }
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct report),
    .state_version = 1,
    .load = report_load,
    .start = report_start,
    .call = report_call,
};
