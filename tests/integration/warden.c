/* warden.c: a job that uses the kernel objects that it was wired: its own memory, space and actor,
 * and the actor of another component, which it looks at, pauses and ends. Natively and in wasm it
 * says the same. */
#include <tenon/object.h>

#include "base/fmt.h"
#include "interfaces/tenon_job.h"

enum { SUMMARY_MAX = 400 };

/* A notification of its own memory, put into its own space and looked at there. */
static tn_err own_objects(tn_cap *ret_note, uint32_t *ret_type)
{
    tn_cap memory = 0, space = 0;
    uint64_t handle = 0;
    struct tn_space_inspect found = {0};
    tn_err err = tn_need("store", 5, &memory);
    if (err == TN_OK)
        err = tn_need("space", 5, &space);
    if (err == TN_OK)
        err = tn_untyped_make_notification(memory, ret_note);
    if (err == TN_OK)
        err = tn_space_put(space, *ret_note, TN_R_READ, 3, &handle);
    if (err == TN_OK)
        err = tn_space_inspect(space, handle, &found);
    if (err == TN_OK)
        err = tn_space_drop(space, handle);
    *ret_type = found.type;
    return err;
}

/* The states that the other one goes through. */
static tn_err other_one(tn_cap other, uint32_t states[3])
{
    struct tn_actor_state state = {0};
    tn_err err = tn_actor_state(other, &state);
    states[0] = state.state;
    if (err == TN_OK)
        err = tn_actor_pause(other);
    if (err == TN_OK)
        err = tn_actor_state(other, &state);
    states[1] = state.state;
    if (err == TN_OK)
        err = tn_actor_kill(other);
    while (err == TN_OK && state.state != TN_STATE_DEAD) {
        err = tn_yield();
        if (err == TN_OK)
            err = tn_actor_state(other, &state);
    }
    states[2] = state.state;
    return err;
}

static tn_err warden_run(struct tn_pack *out)
{
    tn_cap other = 0, self = 0, note = 0;
    uint32_t type = 0, states[3] = {0};
    struct tn_actor_limits limits = {0};
    uint64_t bits = 0;
    tn_err err = own_objects(&note, &type);
    if (err == TN_OK)
        err = tn_need("self", 4, &self);
    if (err == TN_OK)
        err = tn_actor_limits(self, &limits);
    if (err == TN_OK)
        err = tn_signal(note, 9);
    if (err == TN_OK)
        err = tn_notification_poll(note, &bits);
    if (err == TN_OK)
        err = tn_need("other", 5, &other);
    if (err == TN_OK)
        err = other_one(other, states);
    if (err == TN_OK && tn_actor_kill(self) != TN_ERIGHTS)
        err = TN_EINTERNAL; /* it was wired to look only */
    if (err != TN_OK)
        return err;
    char text[SUMMARY_MAX];
    size_t len = fmt_print(text, sizeof(text),
                           "type %u, bits %llu, memory %llu KiB, the other was %u, %u, %u", type,
                           (unsigned long long)bits, (unsigned long long)(limits.max_memory / 1024),
                           states[0], states[1], states[2]);
    struct tenon_job_run_reply reply = {.summary = {text, (uint32_t)len}};
    return tenon_job_run_reply_encode(&reply, out);
}

static tn_err warden_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    (void)self;
    (void)in;
    return turn->method == TENON_JOB_RUN ? warden_run(out) : TN_EMETHOD;
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .call = warden_call,
};
