/* peer.c: calls back what it is wired to. When that is what called it, directly or through others,
 * nobody could ever answer; the kernel says so at once. */
#include <tenon/component.h>

#include "interfaces/demo_peer.h"
#include "interfaces/demo_rogue.h"

struct peer {
    tn_cap back;
};

static tn_err peer_start(void *self, const struct tn_turn *turn)
{
    (void)turn;
    struct peer *p = self;
    return tn_need("back", 4, &p->back);
}

static tn_err peer_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                        struct tn_pack *out)
{
    (void)in;
    struct peer *p = self;
    uint64_t room[128];
    struct demo_rogue_attempts_reply names;
    if (turn->method != DEMO_PEER_BOUNCE)
        return TN_EMETHOD;
    struct demo_peer_bounce_reply reply = {
        .stopped_by = demo_rogue_attempts(p->back, &names, room, sizeof(room), TN_NEVER)};
    return demo_peer_bounce_reply_encode(&reply, out);
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct peer),
    .state_version = 1,
    .start = peer_start,
    .call = peer_call,
};
