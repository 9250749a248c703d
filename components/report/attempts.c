/* attempts.c: lets the hostile component try, one attempt at a time, and asks all others after each
 * whether they still answer. */
#include "components/report/report_int.h"
#include "interfaces/demo_rows.h"
#include "interfaces/demo_victim.h"
#include "sdk/mem.h"

enum { RETRIES = 2000 }; /* of a call to who is being restarted or has a full mailbox */

/* Is it worth asking again? Lets others run first. */
static bool try_again(tn_err err, uint32_t *tries)
{
    bool soon = err == TN_EGONE || err == TN_EFULL || err == TN_EAGAIN || err == TN_EBUSY;
    return soon && (*tries)++ < RETRIES && tn_yield() == TN_OK;
}

tn_err attempts_ask(struct report *r)
{
    struct demo_rogue_attempts_reply reply;
    struct tn_text name;
    r->nattempts = 0;
    if (r->rogue == 0)
        return TN_OK;
    tn_err err = demo_rogue_attempts(r->rogue, &reply, r->room, sizeof(r->room), TN_NEVER);
    if (err != TN_OK)
        return problem(r, "rogue", "does not say what it tries", err);
    while (r->nattempts < DEMO_ROGUE_ATTEMPTS_MAX && tn_texts_next(&reply.names, &name)) {
        struct attempt *a = &r->attempts[r->nattempts++];
        memset(a, 0, sizeof(*a));
        memcpy(a->name, name.at, name.len < NAME_MAX ? name.len : NAME_MAX);
    }
    return TN_OK;
}

static bool victim_answers(struct report *r)
{
    struct demo_victim_count_reply count;
    uint32_t tries = 0;
    tn_err err;
    if (r->victim == 0)
        return true;
    do
        err = demo_victim_count(r->victim, &count, TN_NEVER);
    while (err != TN_OK && try_again(err, &tries));
    if (err == TN_OK)
        r->pokes = count.pokes;
    return err == TN_OK;
}

static bool others_answer(struct report *r)
{
    struct demo_detect_about_reply detect;
    struct demo_forecast_about_reply forecast;
    struct demo_plot_about_reply plot;
    bool all = demo_detect_about(r->detector, &detect, TN_NEVER) == TN_OK;
    all = demo_forecast_about(r->forecaster, &forecast, TN_NEVER) == TN_OK && all;
    all = demo_plot_about(r->plotter, &plot, TN_NEVER) == TN_OK && all;
    for (uint32_t i = 0; i < r->nseries; i++) {
        struct demo_rows_about_reply rows;
        tn_err err = demo_rows_about(r->series[i].rows, &rows, r->room, sizeof(r->room), TN_NEVER);
        all = err == TN_OK && all;
    }
    return victim_answers(r) && all;
}

void attempts_make(struct report *r, uint32_t index)
{
    struct attempt *a = &r->attempts[index];
    struct demo_rogue_attempt_reply reply = {0};
    uint32_t tries = 0;
    tn_err err;
    progress(r, "hostile attempt %u of %u: %s", index + 1, r->nattempts, a->name);
    do
        err = demo_rogue_attempt(r->rogue, index, &reply, r->room, sizeof(r->room), TN_NEVER);
    while (err == TN_EGONE && try_again(err, &tries));
    a->made = err != DEMO_ROGUE_E_HARMLESS;
    a->died = err != TN_OK && a->made;
    a->err = err == TN_OK ? reply.stopped_by : err;
    if (err == TN_OK) {
        a->gained = reply.gained;
        size_t n = reply.text.len < sizeof(a->text) - 1 ? reply.text.len : sizeof(a->text) - 1;
        memcpy(a->text, reply.text.at, n);
        a->text[n] = '\0';
    }
    a->others_answer = others_answer(r);
}
