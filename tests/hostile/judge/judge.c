/* judge.c: lets an abuser try, one attempt at a time, and says of each what became of it: a line
 * "name: error, gained, victim's answer: text". It judges nothing: abuse_test.py does. */
#include <tenon/component.h>

#include "base/fmt.h"
#include "interfaces/demo_rogue.h"
#include "interfaces/demo_victim.h"
#include "interfaces/tenon_job.h"
#include "sdk/mem.h"

enum { TEXT_MAX = 16384, TRIES = 1000 };

struct judge {
    tn_cap abuser, victim;
    uint64_t names_room[128], room[128];
    char text[TEXT_MAX];
    size_t used;
};

/* Asks until the victim's mailbox, which may be flooded, has room. */
static tn_err victim_answers(const struct judge *j)
{
    struct demo_victim_count_reply count;
    tn_err err = TN_EFULL;
    for (uint32_t i = 0; i < TRIES && err == TN_EFULL; i++) {
        err = demo_victim_count(j->victim, &count, TN_NEVER);
        if (err == TN_EFULL && tn_yield() != TN_OK)
            break;
    }
    return err;
}

static void attempt(struct judge *j, uint32_t number, struct tn_text name)
{
    struct demo_rogue_attempt_reply reply = {0};
    tn_err err = TN_EFULL;
    for (uint32_t i = 0; i < TRIES && err == TN_EFULL; i++) {
        err = demo_rogue_attempt(j->abuser, number, &reply, j->room, sizeof(j->room), TN_NEVER);
        if (err != TN_OK && tn_yield() != TN_OK)
            break;
    }
    tn_err others = victim_answers(j);
    j->used = fmt_add(j->text, TEXT_MAX, j->used, "%.*s: %d, %llu, %d: %.*s\n", (int)name.len,
                      name.at, (int)err, (unsigned long long)reply.gained, (int)others,
                      (int)reply.text.len, reply.text.at != NULL ? reply.text.at : "");
}

static tn_err run(struct judge *j, struct tn_pack *out)
{
    struct demo_rogue_attempts_reply attempts;
    struct tn_text name;
    tn_err err =
        demo_rogue_attempts(j->abuser, &attempts, j->names_room, sizeof(j->names_room), TN_NEVER);
    if (err != TN_OK)
        return err;
    j->used = 0;
    for (uint32_t i = 0; tn_texts_next(&attempts.names, &name); i++)
        attempt(j, i, name);
    uint32_t len = (uint32_t)(j->used < TEXT_MAX ? j->used : TEXT_MAX - 1);
    struct tenon_job_run_reply reply = {.summary = {j->text, len}};
    return tenon_job_run_reply_encode(&reply, out);
}

static tn_err judge_start(void *self, const struct tn_turn *turn)
{
    (void)turn;
    struct judge *j = self;
    tn_err err = tn_need("abuser", 6, &j->abuser);
    return err != TN_OK ? err : tn_need("victim", 6, &j->victim);
}

static tn_err judge_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                         struct tn_pack *out)
{
    (void)in;
    return turn->method == TENON_JOB_RUN ? run(self, out) : TN_EMETHOD;
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct judge),
    .state_version = 1,
    .start = judge_start,
    .call = judge_call,
};
