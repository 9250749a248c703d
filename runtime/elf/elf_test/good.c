/* good.c: a component that uses what a component may: constants, pointers to them, imports. */
#include <tenon/component.h>

static const char text[] = "hello";
static const char *const names[] = {text, text + 1};
extern const struct tn_component *const good_self;

struct good_state {
    uint64_t calls;
};

static tn_err good_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                        struct tn_pack *out)
{
    struct good_state *state = self;
    tn_cap cap = 0;
    (void)in;
    state->calls++;
    if (turn->method == 0 && tn_need(names[turn->badge & 1], 4, &cap) == TN_OK)
        out->caps[0] = cap;
    return good_self == &tn_component ? tn_yield() : TN_EINTERNAL;
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(tn_component),
    .state_size = sizeof(struct good_state),
    .state_version = 7,
    .call = good_call,
};
const struct tn_component *const good_self = &tn_component;
