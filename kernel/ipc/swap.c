/* swap.c: a turn asks for another actor's instance to be replaced (sched/swap.h is how). */
#include "kernel/sched/swap.h"

#include "kernel/ipc/ipc_int.h"

/* With a ref to the actor, which is the wait's from the moment that there is one. */
static tn_err ask(struct cpu *cpu, struct turn *turn, struct actor *actor, struct instance *fresh,
                  uint32_t flags, tn_time deadline)
{
    struct wait *wait;
    uint64_t generation;
    tn_err err = wait_begin(turn, &wait, &generation);
    if (err != TN_OK)
        return err;
    calls_publish(turn); /* before this turn says for whom it waits */
    object_ref(actor_object(actor));
    wait->callee_ref = true;
    wait_set_callee(wait, actor, SEQ_CST);
    /* Turns that are told to end hold nobody up. */
    if ((flags & SWAP_CANCEL) == 0 && wait_comes_round(wait, NEEDS_NO_TURN))
        err = TN_EDEADLK;
    if (err == TN_OK && !turn->actor->patient)
        (void)wait_lend(wait, generation, actor, actor_priority(turn->actor));
    if (err == TN_OK)
        err = swap_post(cpu, turn, actor, fresh, flags, deadline);
    if (err != TN_OK)
        wait_release(cpu, wait);
    return err;
}

tn_err swap_begin(struct cpu *cpu, struct turn *turn, struct actor *actor, struct instance *fresh,
                  uint32_t flags, tn_time deadline)
{
    tn_err err = TN_OK;
    tn_time most = cpu->now + TN_SWAP_NS;
    if (deadline > turn->info.deadline)
        deadline = turn->info.deadline;
    if (deadline > most)
        deadline = most;
    if ((flags & ~(uint32_t)(SWAP_CANCEL | SWAP_FRESH)) != 0)
        err = TN_EINVAL;
    else if (!fresh->domain->on_fiber && actor->concurrency > 1)
        err = TN_EINVAL; /* a domain that keeps turns as data has room for one */
    else if (actor == turn->actor)
        err = TN_EDEADLK; /* this turn would have to end first */
    else if (deadline <= cpu->now)
        err = TN_ETIME;
    else
        err = turn_may_wait(cpu, turn);
    if (err == TN_OK && !object_try_ref(actor_object(actor)))
        err = TN_EGONE;
    if (err == TN_OK) {
        err = ask(cpu, turn, actor, fresh, flags, deadline);
        object_unref(actor_object(actor));
    }
    if (err == TN_OK)
        return IPC_PENDING;
    fresh->domain->destroy(fresh);
    return err;
}
