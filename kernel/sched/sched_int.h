/* sched_int.h: what the scheduler's own files share. */
#ifndef KERNEL_SCHED_SCHED_INT_H
#define KERNEL_SCHED_SCHED_INT_H

#include "base/assert.h"
#include "base/bytes.h"
#include "kernel/sched/outbox.h"
#include "kernel/sched/post.h"
#include "kernel/sched/swap.h"

/* What every fiber runs: its call if it has one, then the loop. Never returns. */
void fiber_main(void *fiber);
/* The loop of `cpu`, on a fiber; leaves for the boot stack when the kernel stops. */
__attribute__((noreturn)) void sched_loop(struct cpu *cpu);
/* How many stacks one CPU may keep at hand: all together at most half of what there are, so that
 * none goes short while others hoard. */
uint32_t fiber_cache(const struct kernel *kernel);
void fiber_switch_to(struct cpu *cpu, struct machine_fiber *from, struct fiber *to);
void sched_park(struct cpu *cpu);
/* First thing on the far side of every switch: finishes what the side that left could not. */
static inline void sched_landed(struct cpu *cpu)
{
    struct fiber *leaving = cpu->leaving;
    if (leaving != NULL) {
        cpu->leaving = NULL;
        fiber_put(cpu, leaving);
    }
    if (__builtin_expect(cpu->parking != NULL, 0))
        sched_park(cpu);
}

/* Frees what a turn that has ended held. Inside. */
static inline void turn_finish(struct cpu *cpu, struct turn *turn)
{
    struct actor *actor = turn->actor;
    ASSERT(actor->turns > 0 && turn->caller == NULL && turn->wait == NULL);
    actor->turns--;
    if (turn->block != NULL)
        block_free(turn->block);
    if (turn->cell != NULL)
        cell_give(cpu, &cpu->back, turn->cell);
}
/* Leaves a turn waiting, or ready again if it was woken meanwhile, and releases its actor. Inside.
 */
void turn_park(struct cpu *cpu, struct turn *turn);
/* A parked turn of an actor that lives here goes to the end of the ready ones. Inside. */
void turn_made_ready(struct actor *actor, struct turn *turn);
/* Hands out credits to those who wait for one: all there are, or, while it runs with more in its
 * mailbox, at least half of the mailbox at a time, so that who pours and who drains do not take
 * turns message by message. Inside. */
void credits_grant(struct cpu *cpu, struct actor *actor);
/* The message that a cell was is out of the mailbox: its credit goes to who waits for one, or back.
 * Inside. */
static inline void credit_freed(struct cpu *cpu, struct actor *actor, const struct cell *cell)
{
    if ((cell->flags & CELL_AWAY) != 0)
        mbox_credit_freed(&actor->mbox);
    else
        mbox_credit(&actor->mbox);
    if (__builtin_expect(!wait_queue_empty(&actor->senders), 0))
        credits_grant(cpu, actor);
}
/* Frees a message unread; a call is answered with TN_EGONE. By the receiver's runner, outside. */
void cell_drop(struct cpu *cpu, struct actor *actor, struct cell *cell);
/* Drops what is in the mailbox, a bounded number; true when it is empty. By the receiver's runner,
 * outside. */
bool mailbox_drain(struct cpu *cpu, struct actor *actor);
/* The runner of a DYING actor ends what can be ended in a bounded time, outside; true when it is
 * DEAD. Else it is still the runner, and there is more to be done. */
bool actor_reap(struct cpu *cpu, struct actor *actor);
/* Empties the mailbox of a DEAD actor that was taken from a queue. Outside. */
void sched_run_dead(struct cpu *cpu, struct actor *actor);

/* Nobody is looking at the DEAD actor any more, unless it is in a queue: its memory may go. Inside;
 * the last access. */
static inline void sched_let_go(struct actor *actor)
{
    if (actor->run == ACTOR_GONE)
        at_store(&actor->kept, 0, RELEASE); /* pairs with actor_destroy */
}

/* All that is left of a dying actor is native turns that wait, and know that they are to end. */
bool actor_is_stuck(struct actor *actor);

/* Every turn of the actor that waits, or is woken, is told once that it is to end: from now on its
 * waits fail, and it ends by itself. Inside. */
void turns_cancel(struct cpu *cpu, struct actor *actor);
/* What room it has now, after a change of `paused` or `swap`. With the lock of its home. */
void actor_set_room(struct actor *actor);

/* swap.c */

/* Its swap has a turn of its own, which goes on though the actor is paused. */
bool swap_has_turn(const struct actor *actor);
/* Whether there is something to do for the swap of an actor without room. Inside. */
bool swap_may_go_on(struct actor *actor);
static inline bool swap_has_work(struct actor *actor)
{
    return __builtin_expect(actor->swap != NULL, 0) && swap_may_go_on(actor);
}
/* Does it; the CPU that it is then on, and whether the actor is still ours. Inside before and
 * after. */
struct cpu *swap_run(struct cpu *cpu, struct actor *actor, bool *ret_mine);
/* The actor dies: its swap ends, if there is one. By its runner, outside, when no turn is left. */
void swap_abandon(struct cpu *cpu, struct actor *actor);

/* Something that a runner could do now: go on with a turn, begin one, or clear away. Inside. */
static inline bool actor_has_work(struct actor *actor)
{
    if (actor->ready != NULL && !actor->held)
        return true;
    if (actor->turns >= actor->room) {
        if (swap_has_work(actor))
            return true;
    } else if (actor->mbox.first != NULL) {
        return true;
    }
    /* A dying actor waits for the native turns that it has told so (reap_turns). */
    return __builtin_expect(actor_life(actor) == ACTOR_DYING, 0) && !actor_is_stuck(actor);
}

/* actor_release, inline. `works`: whether it has work (actor_has_work). */
static inline void actor_rest_as(struct cpu *cpu, struct actor *actor, bool works)
{
    outbox_let_go(cpu); /* before it can move */
    mbox_settle(&actor->mbox);
    actor->run = ACTOR_IDLE;
    if (works) {
        actor->run = ACTOR_QUEUED;
        queue_push(cpu, actor);
    }
    if (__builtin_expect(!wait_queue_empty(&actor->senders), 0))
        credits_grant(cpu, actor);
}
static inline void actor_rest(struct cpu *cpu, struct actor *actor)
{
    ASSERT(actor->run == ACTOR_RUNNING);
    actor_rest_as(cpu, actor, actor_has_work(actor));
}

/* From now on this CPU's time is charged to `actor` if that is to be done exactly, or to nobody
 * (also where it is NULL). */
void sched_meter_exactly(struct cpu *cpu, struct actor *actor);
static inline void sched_meter(struct cpu *cpu, struct actor *actor)
{
    struct actor *exact = actor != NULL && actor->exact_time ? actor : NULL;
    if (__builtin_expect(exact != cpu->metered, 0))
        sched_meter_exactly(cpu, exact);
}

/* Fires timers that are due, a bounded number; true when more may be. Inside before and after. */
bool sched_fire(struct cpu *cpu);
/* Takes a listed actor (not `next`) out. */
void queue_remove(struct cpu *cpu, struct actor *actor);
/* A QUEUED actor whose priority has risen moves to that queue. */
void queue_again(struct cpu *cpu, struct actor *actor);
/* Looks at those that asked. `own`: the caller runs on that CPU, and may be outside in between. */
void queue_take_asked(struct cpu *cpu, bool own);
/* Puts an actor whose first bit the caller has set on its home's list. Any CPU. */
void asked_push(struct cpu *home, struct actor *actor);

/* steal.c */

/* An IDLE actor moves to another CPU, which is asked to look at it. Inside its home. */
void actor_follow(struct cpu *cpu, struct actor *actor, struct cpu *to);
/* Takes queued actors from a CPU that the policy names; false when there were none. Outside. */
bool work_steal(struct cpu *cpu);
/* Before and after a sleep: when to wake up to look for work, UINT64_MAX: never. Outside. */
uint64_t watch_begin(struct cpu *cpu);
void watch_end(struct cpu *cpu);
/* There is more in the queue than runs, and nobody watches: wakes somebody up who does. */
void watch_poke(struct cpu *cpu);

#endif
