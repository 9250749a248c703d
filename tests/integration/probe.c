/* probe.c: a job that does what its first argument says: ends well or badly, traps, burns fuel,
 * fails, reads the file it was given. */
#include <tenon/component.h>

#include "base/bytes.h"
#include "interfaces/tenon_file.h"
#include "interfaces/tenon_job.h"

enum { SUMMARY_MAX = 4000 };

struct probe {
    volatile uint64_t sink;
};

static bool is(struct tn_text word, struct str name)
{
    return str_eq((struct str){word.at, word.len}, name);
}

__attribute__((noinline)) static void fall(struct probe *p)
{
#ifdef __wasm__
    volatile uint8_t *outside = (volatile uint8_t *)(uintptr_t)0xfffffff0;
    p->sink = *outside;
#else
    p->sink = 0; /* native code would end this process */
#endif
}

/* Calls itself until the stack of frames is used up. */
__attribute__((noinline)) static uint64_t deeper(struct probe *p, uint64_t n)
{
    p->sink += n;
    uint64_t below = n == UINT64_MAX ? 0 : deeper(p, n + 1);
    return below + p->sink;
}

static uint32_t number_of(struct tn_text word)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < word.len; i++)
        n = n * 10 + (uint32_t)(word.at[i] - '0');
    return n;
}

/* The file's first bytes. */
static tn_err read_file(char *text, uint32_t *ret_len)
{
    tn_cap file;
    uint64_t room[SUMMARY_MAX / 8 + 16];
    tn_err err = tn_need("in", 2, &file);
    if (err != TN_OK)
        return err;
    struct tenon_file_read_reply reply;
    err = tenon_file_read(file, 0, SUMMARY_MAX, &reply, room, sizeof(room), TN_NEVER);
    if (err != TN_OK)
        return err;
    memcpy(text, reply.data.at, reply.data.len);
    *ret_len = reply.data.len;
    return TN_OK;
}

static tn_err probe_run(struct probe *p, const struct tn_pack *in, struct tn_pack *out)
{
    struct tenon_job_run_args args;
    tn_err err = tenon_job_run_args_decode(in, &args);
    if (err != TN_OK)
        return err;
    struct tn_text what = TN_TEXT(""), more = TN_TEXT("");
    char text[SUMMARY_MAX];
    (void)tn_texts_next(&args.args, &what);
    (void)tn_texts_next(&args.args, &more);
    struct tenon_job_run_reply reply = {.exit_code = 0, .summary = more};
    if (is(what, STR("trap")))
        fall(p);
    if (is(what, STR("deeper")))
        p->sink = deeper(p, 0);
    while (is(what, STR("loop")))
        p->sink++;
    if (is(what, STR("fail")))
        return TN_EDENIED;
    if (is(what, STR("exit")))
        reply = (struct tenon_job_run_reply){number_of(more), TN_TEXT("ended")};
    if (is(what, STR("read"))) {
        reply.summary.at = text;
        err = read_file(text, &reply.summary.len);
    }
    return err != TN_OK ? err : tenon_job_run_reply_encode(&reply, out);
}

static tn_err probe_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                         struct tn_pack *out)
{
    return turn->method == TENON_JOB_RUN ? probe_run(self, in, out) : TN_EMETHOD;
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct probe),
    .state_version = 1,
    .call = probe_call,
};
