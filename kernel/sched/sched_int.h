/* sched_int.h: what the scheduler's own files share. */
#ifndef KERNEL_SCHED_SCHED_INT_H
#define KERNEL_SCHED_SCHED_INT_H

#include "base/assert.h"
#include "base/bytes.h"
#include "kernel/sched/cpu.h"

/* What every fiber runs: its call if it has one, then the loop. Never returns. */
void fiber_main(void *fiber);
/* The loop of `cpu`, on a fiber; leaves for the boot stack when the kernel stops. */
__attribute__((noreturn)) void sched_loop(struct cpu *cpu);
/* How many stacks one CPU may keep at hand: all together at most half of what there are, so that
 * none goes short while others hoard. */
uint32_t fiber_cache(const struct kernel *kernel);
void fiber_switch_to(struct cpu *cpu, struct machine_fiber *from, struct fiber *to);
/* First thing on the far side of every switch: finishes what the side that left could not. */
void sched_landed(struct cpu *cpu);

/* Fills a turn from a message; frees nothing: turn_finish does, after the answer. False when the
 * message came to nothing: it is gone, there is no turn. Outside. */
bool turn_from_cell(struct turn *turn, struct cpu *cpu, struct actor *actor, struct cell *cell);
/* Frees what a turn that has ended held. Inside. */
void turn_finish(struct cpu *cpu, struct turn *turn);
/* Leaves a turn waiting, or ready again if it was woken meanwhile, and releases its actor. Inside.
 */
void turn_park(struct cpu *cpu, struct turn *turn);
/* A parked turn of an actor that lives here goes to the end of the ready ones. Inside. */
void turn_made_ready(struct actor *actor, struct turn *turn);
/* The message that a cell was is out of the mailbox: its credit goes to who waits for one, or back.
 * Inside. */
void credit_freed(struct cpu *cpu, struct actor *actor, const struct cell *cell);
/* Hands out credits to those who wait for one. Inside. */
void credits_grant(struct cpu *cpu, struct actor *actor);
/* Frees a message unread; a call is answered with TN_EGONE. By the receiver's runner, outside. */
void cell_drop(struct cpu *cpu, struct actor *actor, struct cell *cell);
/* Drops all that is in the mailbox. By the receiver's runner, outside. */
void mailbox_drain(struct cpu *cpu, struct actor *actor);
/* The runner of a DYING actor ends what can be ended now, outside; true when it is DEAD. Else it is
 * still the runner. */
bool actor_reap(struct cpu *cpu, struct actor *actor);
/* Empties the mailbox of a DEAD actor that was taken from a queue, and drops the queue's ref.
 * Outside. */
void sched_run_dead(struct cpu *cpu, struct actor *actor);

/* From now on this CPU's time is charged to `actor` (NULL: to nobody), exactly where that is asked.
 */
void sched_meter_exactly(struct cpu *cpu, struct actor *actor);
static inline void sched_meter(struct cpu *cpu, struct actor *actor)
{
    struct actor *from = cpu->metered;
    if ((from != NULL && from->exact_time) || (actor != NULL && actor->exact_time))
        sched_meter_exactly(cpu, actor);
    cpu->metered = actor;
}

/* Timers and queues of this CPU. Inside. */
void sched_fire(struct cpu *cpu);
void queue_push(struct cpu *cpu, struct actor *actor);
struct actor *queue_pop(struct cpu *cpu);
/* A QUEUED actor whose priority has risen moves to that queue. */
void queue_again(struct cpu *cpu, struct actor *actor);
void queue_take_asked(struct cpu *cpu);

#endif
