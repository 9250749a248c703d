/* revoke.c: a revoke as a turn asks for it: in steps, between which others run, and over only when
 * no CPU can still act on what is gone.
 *
 * The turn waits between the steps of a large revoke as one that yields does. After the last step
 * it draws a ticket of the grace periods (kernel/mem/limbo.h) and looks, from time to time, whether
 * every CPU has passed a boundary since: the first time after its own, then in growing intervals,
 * so that a long turn elsewhere costs few looks. Its wait is open from the first step on, so that
 * nothing can fail for want of memory once a capability is gone. */
#include "kernel/ipc/ipc_int.h"

#include "base/assert.h"

enum {
    STEPS = 16,              /* of at most 64 capabilities each, before others run */
    LOOK_NS = 20000,         /* from the second look to the third; then doubled */
    LOOK_DOUBLINGS = 6,      /* 1.28 ms at most */
    TICKET_NONE = UINT8_MAX, /* of looks: it has not come to that yet */
};

/* Deletes descendants: TN_EAGAIN when some are left and others should run, which they cannot if the
 * turn may not wait. */
static tn_err some_steps(struct turn *turn, tn_cap cap, bool waits)
{
    tn_err err = TN_EAGAIN;
    for (uint32_t i = 0; err == TN_EAGAIN && (i < STEPS || !waits); i++)
        err = cap_revoke_step(turn->actor->space, cap);
    return err;
}

/* The turn comes back to revoke_end: when others that are queued had their turns, or at a time. */
static tn_err come_back(struct cpu *cpu, struct turn *turn, tn_time at)
{
    struct wait *wait = turn->wait;
    if (at > cpu->now) {
        wait_expire_at(cpu, wait, at);
        return IPC_PENDING;
    }
    uint64_t generation = wait_generation(wait);
    bool claimed = wait_claim(wait, generation, WAIT_FILLING);
    ASSERT(claimed); /* nobody else knows of it but who kills the actor, and that runs it */
    wait_filled(wait, generation);
    turn_wake(cpu, turn);
    return IPC_PENDING;
}

/* Goes on as far as it can now, with the turn's wait open. `looks` at the ticket were in vain. */
static tn_err go_on(struct cpu *cpu, struct turn *turn, tn_cap cap, uint64_t ticket, uint32_t looks)
{
    bool waits = turn_may_wait(cpu, turn) == TN_OK;
    struct limbo *limbo = actor_object(turn->actor)->limbo;
    struct wait *wait = turn->wait;
    tn_time at = cpu->now;
    tn_err err = TN_OK;
    if (looks == TICKET_NONE) {
        err = some_steps(turn, cap, waits);
        if (err == TN_OK) {
            ticket = limbo_ticket(limbo);
            looks = 0;
        }
    } else if (!limbo_passed(limbo, ticket)) {
        uint32_t doublings = looks < LOOK_DOUBLINGS ? looks : LOOK_DOUBLINGS;
        at = cpu->now + ((tn_time)LOOK_NS << doublings);
        looks = looks < LOOK_DOUBLINGS ? looks + 1 : looks;
        if (at > turn->info.deadline)
            at = turn->info.deadline;
        err = at > cpu->now ? TN_EAGAIN : TN_ETIME;
    } else {
        return TN_OK;
    }
    if (err != TN_OK && err != TN_EAGAIN)
        return err;
    if (!waits)
        return turn->refuses == TURN_CANCELLED ? TN_ECANCELLED : TN_ETIME;
    wait->bits = ticket;
    wait->len = looks;
    return come_back(cpu, turn, at);
}

tn_err revoke_begin(struct cpu *cpu, struct turn *turn, tn_cap cap)
{
    struct wait *wait;
    uint64_t generation;
    tn_err err = turn_may_wait(cpu, turn);
    if (err != TN_OK && err != TN_ECANCELLED)
        return err;
    err = wait_begin(turn, &wait, &generation);
    if (err != TN_OK)
        return err;
    err = go_on(cpu, turn, cap, 0, TICKET_NONE);
    if (err != IPC_PENDING)
        wait_release(cpu, wait);
    return err;
}

tn_err revoke_end(struct cpu *cpu, struct turn *turn, tn_cap cap)
{
    struct wait *wait = turn->wait;
    ASSERT(wait != NULL && wait->turn == turn);
    uint64_t ticket = wait->bits;
    uint32_t looks = wait->len;
    wait_release(cpu, wait);
    /* The one that was released, or another that the actor has had before: none is made now. */
    uint64_t generation;
    tn_err err = wait_begin(turn, &wait, &generation);
    ASSERT(err == TN_OK);
    err = go_on(cpu, turn, cap, ticket, looks);
    if (err != IPC_PENDING)
        wait_release(cpu, wait);
    return err;
}
