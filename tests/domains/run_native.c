/* run_native.c: runs the job of one native component in the place of a kernel, for tests of the
 * sdk. The first argument says which component, to run_native_dl.c or run_native_linked.c; the
 * job's arguments follow. Prints the summary, and before it what was logged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interfaces/tenon_job.h"
#include "interfaces/tenon_log.h"
#include "tests/domains/run_native.h"

enum { LOG_CAP = 5 };

tn_err tn_need(const char *name, uint32_t len, tn_cap *ret_cap)
{
    if (len != 3 || memcmp(name, "log", 3) != 0)
        return TN_ENOTWIRED;
    *ret_cap = LOG_CAP;
    return TN_OK;
}

tn_err tn_send(tn_cap to, uint32_t method, const struct tn_pack *in, uint32_t flags)
{
    struct tenon_log_write_args args;
    if (to != LOG_CAP || method != TENON_LOG_WRITE || flags != 0)
        return TN_EINVAL;
    tn_err err = tenon_log_write_args_decode(in, &args);
    if (err == TN_OK)
        printf("log %u: %.*s\n", args.level, (int)args.text.len, args.text.at);
    return err;
}

static int run(const struct tn_component *c, void *self, const struct tn_pack *in)
{
    static uint64_t reply_room[TN_ARGS_MAX / 8];
    struct tn_pack out = tn_pack_room(reply_room, sizeof(reply_room));
    struct tn_turn turn = {.method = TENON_JOB_RUN, .deadline = TN_NEVER};
    struct tenon_job_run_reply reply;
    if (c->start != NULL && c->start(self, &turn) != TN_OK)
        return 2;
    tn_err err = c->call(self, &turn, in, &out);
    if (err == TN_OK)
        err = tenon_job_run_reply_decode(&out, &reply);
    if (err != TN_OK) {
        fprintf(stderr, "run_native: error %d\n", err);
        return 2;
    }
    printf("%.*s\n", (int)reply.summary.len, reply.summary.at);
    return (int)reply.exit_code;
}

int main(int argc, char **argv)
{
    uint64_t texts[128], room[256];
    uint32_t used = 0;
    const struct tn_component *c = argc > 1 ? find_component(argv[1]) : NULL;
    if (c == NULL || c->abi != TN_ABI || c->size != sizeof(*c))
        return 2;
    for (int i = 2; i < argc; i++) {
        struct tn_text text = {argv[i], (uint32_t)strlen(argv[i])};
        if (tn_texts_add(texts, sizeof(texts), &used, text) != TN_OK)
            return 2;
    }
    struct tenon_job_run_args args = {{texts, used}};
    struct tn_pack in = tn_pack_room(room, sizeof(room));
    void *self = calloc(1, c->state_size > 0 ? c->state_size : 1);
    if (self == NULL || tenon_job_run_args_encode(&args, &in) != TN_OK)
        return 2;
    int code = run(c, self, &in);
    free(self);
    return code;
}
