/* victim.c: counts what it is sent. Its mailbox is bounded by its manifest, so whoever floods it
 * fills that and no more, and the component answers questions as before. */
#include <tenon/component.h>

#include "interfaces/demo_victim.h"

struct victim {
    uint64_t pokes;
};

static tn_err victim_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    (void)in;
    struct victim *v = self;
    struct demo_victim_count_reply reply;
    switch (turn->method) {
    case DEMO_VICTIM_POKE:
        v->pokes++;
        return TN_OK;
    case DEMO_VICTIM_COUNT:
        reply.pokes = v->pokes;
        return demo_victim_count_reply_encode(&reply, out);
    default:
        return TN_EMETHOD;
    }
}

static void victim_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)in;
    struct victim *v = self;
    if (turn->method == DEMO_VICTIM_POKE)
        v->pokes++;
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct victim),
    .state_version = 1,
    .call = victim_call,
    .event = victim_event,
};
