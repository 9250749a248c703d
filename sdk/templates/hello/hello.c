/* hello.c: a component to start from: it answers a job with a greeting, and logs that it did.
 *
 * One source, every domain: nothing here knows whether it runs in the kernel, in wasm or in a
 * process. What it keeps between turns is in struct hello, which begins zeroed; a component has no
 * static variables, no libc, and no rights but those that component.toml asks for. */
#include <tenon/component.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "interfaces/tenon_job.h"
#include "interfaces/tenon_log.h"

enum { SUMMARY_MAX = 200 };

struct hello {
    tn_cap log;    /* 0 where the system wires none */
    uint64_t runs; /* jobs done since the start */
};

static tn_err hello_start(void *self, const struct tn_turn *turn)
{
    (void)turn;
    struct hello *h = self;
    tn_err err = tn_need("log", 3, &h->log);
    return err == TN_ENOTWIRED ? TN_OK : err; /* the log is optional */
}

/* When its code is replaced while it runs, what save leaves is what restore of the next version is
 * given, perhaps in another domain: no pointers, and a layout that does not change. */
static tn_err hello_save(void *self, struct tn_pack *out)
{
    const struct hello *h = self;
    if (out->size < sizeof(h->runs))
        return TN_ETOOBIG;
    memcpy(out->data, &h->runs, sizeof(h->runs));
    out->len = sizeof(h->runs);
    return TN_OK;
}

static tn_err hello_restore(void *self, uint32_t from_version, const struct tn_pack *in)
{
    struct hello *h = self;
    if (from_version != 1 || in->len != sizeof(h->runs))
        return TN_EVERSION;
    memcpy(&h->runs, in->data, sizeof(h->runs));
    tn_err err = tn_need("log", 3, &h->log); /* start is not called again */
    return err == TN_ENOTWIRED ? TN_OK : err;
}

static tn_err hello_run(struct hello *h, const struct tn_pack *in, struct tn_pack *out)
{
    struct tenon_job_run_args args;
    tn_err err = tenon_job_run_args_decode(in, &args);
    if (err != TN_OK)
        return err;
    struct tn_text who = TN_TEXT("world");
    (void)tn_texts_next(&args.args, &who); /* the first argument, if there is one */
    h->runs++;

    char text[SUMMARY_MAX];
    size_t len = fmt_print(text, sizeof(text), "Hello, %.*s! This is run %llu.", (int)who.len,
                           who.at, (unsigned long long)h->runs);
    if (len >= sizeof(text))
        return TN_ETOOBIG;
    if (h->log != 0) {
        uint64_t room[SUMMARY_MAX / 8 + 4];
        /* A log that is full or gone is no reason to fail the job. */
        err = tenon_log_write(h->log, TENON_LOG_INFO, text, (uint32_t)len, room, sizeof(room), 0);
        (void)err;
    }
    struct tenon_job_run_reply reply = {.exit_code = 0, .summary = {text, (uint32_t)len}};
    return tenon_job_run_reply_encode(&reply, out);
}

static tn_err hello_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                         struct tn_pack *out)
{
    switch (turn->method) {
    case TENON_JOB_RUN:
        return hello_run(self, in, out);
    default:
        return TN_EMETHOD;
    }
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct hello),
    .state_version = 1,
    .start = hello_start,
    .call = hello_call,
    .save = hello_save,
    .restore = hello_restore,
};
