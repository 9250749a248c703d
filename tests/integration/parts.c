/* parts.c: one component for systems of several: it says which one it is, asks whoever its need
 * "peers" leads to, and is either end of a channel. What it does its job's first argument says. */
#include <tenon/component.h>
#include <tenon/config.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "interfaces/tenon_job.h"
#include "sdk/chan.h"

enum { SUMMARY_MAX = 200, NUMBERS_MAX = 8, CALL_ROOM = 512 };

struct parts {
    uint32_t number; /* which one it is, from its configuration */
    uint64_t count, sum;
    struct chan_in in;
    struct chan_out out;
};

static bool is(struct tn_text word, struct str name)
{
    return str_eq((struct str){word.at, word.len}, name);
}

static uint32_t number_of(struct tn_text word)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < word.len; i++)
        n = n * 10 + (uint32_t)(word.at[i] - '0');
    return n;
}

/* `what` and a number as a job's arguments. */
static tn_err words(const char *what, uint32_t number, void *room, uint32_t bytes,
                    struct tn_texts *ret)
{
    char text[16];
    uint32_t used = 0;
    uint32_t len = (uint32_t)fmt_print(text, sizeof(text), "%04u", number);
    tn_err err =
        tn_texts_add(room, bytes, &used, (struct tn_text){what, (uint32_t)str_length(what)});
    if (err == TN_OK)
        err = tn_texts_add(room, bytes, &used, (struct tn_text){text, len});
    *ret = (struct tn_texts){room, used};
    return err;
}

/* Calls the job behind a need; its exit code and summary. */
static tn_err ask(const char *need, const char *what, uint32_t number, uint32_t *ret_code,
                  char summary[SUMMARY_MAX])
{
    uint64_t args[8], room[CALL_ROOM / 8];
    struct tn_texts texts;
    struct tenon_job_run_reply reply = {0};
    tn_cap to;
    tn_err err = tn_need(need, (uint32_t)str_length(need), &to);
    if (err == TN_OK)
        err = words(what, number, args, sizeof(args), &texts);
    if (err == TN_OK)
        err = tenon_job_run(to, texts, &reply, room, sizeof(room), TN_NEVER);
    if (err != TN_OK)
        return err;
    uint32_t len = reply.summary.len < SUMMARY_MAX - 1 ? reply.summary.len : SUMMARY_MAX - 1;
    memcpy(summary, reply.summary.at, len);
    summary[len] = '\0';
    *ret_code = reply.exit_code;
    return TN_OK;
}

/* Asks n times; how often whom. */
static tn_err ask_all(uint32_t n, char summary[SUMMARY_MAX])
{
    uint32_t from[NUMBERS_MAX] = {0}, code = 0;
    for (uint32_t i = 0; i < n; i++) {
        tn_err err = ask("peers", "who", i, &code, summary);
        if (err != TN_OK)
            return err;
        from[code % NUMBERS_MAX]++;
    }
    size_t len = 0;
    summary[0] = '\0';
    for (uint32_t i = 0; i < NUMBERS_MAX; i++) {
        if (from[i] > 0)
            len += fmt_print(summary + len, SUMMARY_MAX - len, "%s%u: %u", len > 0 ? ", " : "", i,
                             from[i]);
    }
    return TN_OK;
}

/* Writes n records while the consumer, told by a message, reads them; what it made of them. */
static tn_err pump(struct parts *p, uint32_t n, char summary[SUMMARY_MAX], tn_time deadline)
{
    uint64_t args[8], room[16];
    struct tn_texts texts;
    tn_cap peers, end;
    struct tn_pack pack = {.data = room, .size = sizeof(room)};
    tn_err err = tn_need("peers", 5, &peers);
    if (err == TN_OK)
        err = tn_need("out", 3, &end);
    if (err == TN_OK)
        err = words("drain", n, args, sizeof(args), &texts);
    if (err == TN_OK)
        err = tenon_job_run_args_encode(&(struct tenon_job_run_args){texts}, &pack);
    if (err == TN_OK)
        err = tn_send(peers, TENON_JOB_RUN, &pack, 0);
    if (err == TN_OK)
        err = chan_out_open(&p->out, end);
    for (uint64_t i = 1; i <= n && err == TN_OK; i++)
        err = chan_send(&p->out, &i, sizeof(i), deadline);
    if (err == TN_OK)
        err = chan_flush(&p->out);
    uint32_t code;
    return err == TN_OK ? ask("peers", "sum", 0, &code, summary) : err;
}

static tn_err drain(struct parts *p, uint32_t n, tn_time deadline)
{
    tn_cap end;
    tn_err err = tn_need("in", 2, &end);
    if (err == TN_OK)
        err = chan_in_open(&p->in, end);
    for (uint32_t i = 0; i < n && err == TN_OK; i++) {
        uint64_t number = 0;
        uint32_t len = 0;
        err = chan_receive(&p->in, &number, sizeof(number), &len, deadline);
        p->count += err == TN_OK;
        p->sum += err == TN_OK ? number : 0;
    }
    return err == TN_OK ? chan_release(&p->in) : err;
}

static tn_err parts_run(struct parts *p, const struct tn_turn *turn, const struct tn_pack *in,
                        struct tn_pack *out)
{
    struct tenon_job_run_args args;
    struct tn_text what = TN_TEXT(""), more = TN_TEXT("");
    char text[SUMMARY_MAX] = "";
    uint32_t code = 0;
    tn_err err = tenon_job_run_args_decode(in, &args);
    if (err != TN_OK)
        return err;
    (void)tn_texts_next(&args.args, &what);
    (void)tn_texts_next(&args.args, &more);
    uint32_t n = number_of(more);
    if (is(what, STR("who")))
        code = p->number;
    else if (is(what, STR("ask")))
        err = ask_all(n, text);
    else if (is(what, STR("again")))
        err = ask("peers", "who", 0, &code, text);
    else if (is(what, STR("pump")))
        err = pump(p, n, text, turn->deadline);
    else if (is(what, STR("drain")))
        return drain(p, n, turn->deadline);
    else if (is(what, STR("sum")))
        (void)fmt_print(text, sizeof(text), "%llu records, their sum is %llu",
                        (unsigned long long)p->count, (unsigned long long)p->sum);
    if (err != TN_OK || out == NULL)
        return err;
    struct tenon_job_run_reply reply = {code, {text, (uint32_t)str_length(text)}};
    return tenon_job_run_reply_encode(&reply, out);
}

static tn_err parts_load(void *self, const struct tn_turn *turn, const struct tn_pack *config)
{
    struct parts *p = self;
    struct tn_config_item item;
    uint32_t at = 0;
    (void)turn;
    while (tn_config_next(config, &at, &item) == TN_OK) {
        if (str_eq((struct str){item.key, item.key_len}, STR("number")))
            p->number = (uint32_t)item.integer;
    }
    return TN_OK;
}

static tn_err parts_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                         struct tn_pack *out)
{
    return turn->method == TENON_JOB_RUN ? parts_run(self, turn, in, out) : TN_EMETHOD;
}

static void parts_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    if (turn->method == TENON_JOB_RUN)
        (void)parts_run(self, turn, in, NULL);
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct parts),
    .state_version = 1,
    .load = parts_load,
    .call = parts_call,
    .event = parts_event,
};
