/* rogue.c: a hostile component, as somebody else might send one. It holds capabilities to `victim`
 * and `peer`, and to its own memory and timer, as all do; and it tries everything else: each
 * attempt is a function, and says how it was stopped. Some do not come back: a trap, or the end of
 * their fuel, is what their caller sees.
 *
 * Nothing here is feigned: an attempt that succeeds does what it says, so that a system which lets
 * it is shown to. Attempts that would take an unprotected host down are made only in a sandbox. */
#include "components/rogue/rogue_int.h"
#include "interfaces/demo_rogue.h"
#include "sdk/mem.h"

const struct attempt rogue_attempts[ROGUE_ATTEMPTS] = {
    {"read a file it was not given", rogue_read_file},
    {"call what it is not wired to", rogue_call_unwired},
    {"forge capabilities", rogue_forge},
    {"hand the kernel wild pointers", rogue_bad_pointers},
    {"flood a mailbox", rogue_flood},
    {"call in a circle", rogue_circle},
    {"overflow its stack", rogue_overflow_stack},
    {"loop for ever", rogue_loop},
    {"eat all memory", rogue_eat_memory},
};

static tn_err rogue_names(struct tn_pack *out)
{
    uint64_t room[64];
    uint32_t used = 0;
    for (uint32_t i = 0; i < ROGUE_ATTEMPTS; i++) {
        const char *name = rogue_attempts[i].name;
        struct tn_text text = {name, (uint32_t)str_length(name)};
        tn_err err = tn_texts_add(room, sizeof(room), &used, text);
        if (err != TN_OK)
            return err;
    }
    struct demo_rogue_attempts_reply reply = {{room, used}};
    return demo_rogue_attempts_reply_encode(&reply, out);
}

static tn_err rogue_attempt(struct rogue *r, const struct tn_pack *in, struct tn_pack *out)
{
    struct demo_rogue_attempt_args args;
    struct outcome outcome = {0};
    tn_err err = demo_rogue_attempt_args_decode(in, &args);
    if (err != TN_OK)
        return err;
    if (args.number >= ROGUE_ATTEMPTS)
        return DEMO_ROGUE_E_NO_ATTEMPT;
    err = rogue_attempts[args.number].make(r, &outcome);
    if (err != TN_OK)
        return err;
    struct demo_rogue_attempt_reply reply = {
        .stopped_by = outcome.stopped_by,
        .gained = outcome.gained,
        .text = {outcome.text, (uint32_t)str_length(outcome.text)},
    };
    return demo_rogue_attempt_reply_encode(&reply, out);
}

static tn_err rogue_start(void *self, const struct tn_turn *turn)
{
    (void)turn;
    struct rogue *r = self;
    struct {
        const char *name;
        tn_cap *cap;
    } needs[] = {
        {"victim", &r->victim}, {"peer", &r->peer}, {"memory", &r->memory}, {"timer", &r->timer}};
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        tn_err err = tn_need(needs[i].name, (uint32_t)str_length(needs[i].name), needs[i].cap);
        if (err != TN_OK && err != TN_ENOTWIRED)
            return err;
    }
    return TN_OK;
}

static tn_err rogue_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                         struct tn_pack *out)
{
    switch (turn->method) {
    case DEMO_ROGUE_ATTEMPTS:
        return rogue_names(out);
    case DEMO_ROGUE_ATTEMPT:
        return rogue_attempt(self, in, out);
    default:
        return TN_EMETHOD;
    }
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct rogue),
    .state_version = 1,
    .start = rogue_start,
    .call = rogue_call,
};
