/* sched_int.h: what the scheduler's own files share. */
#ifndef KERNEL_SCHED_SCHED_INT_H
#define KERNEL_SCHED_SCHED_INT_H

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

/* Runs a batch of an actor that was taken from a queue; returns the CPU that it is then on. */
struct cpu *sched_run_actor(struct cpu *cpu, struct actor *actor);

/* Fills a turn from a message, without `fiber`; frees nothing: turn_finish does, after the answer.
 * False when the message came to nothing: it is gone, there is no turn. */
bool turn_from_cell(struct turn *turn, struct cpu *cpu, struct actor *actor, struct cell *cell);
void turn_finish(struct cpu *cpu, struct turn *turn);
/* Leaves a turn waiting, or queues it again if it was woken meanwhile, and releases its actor. */
void turn_park(struct cpu *cpu, struct turn *turn);
/* Frees a message unread; a call is answered with TN_EGONE. By the receiver's runner. */
void cell_drop(struct cpu *cpu, struct actor *actor, struct cell *cell);
/* After a SEQ_CST store that follows the freeing of credits: who waits for one gets it. */
void credits_look(struct cpu *cpu, struct actor *actor);
/* Drops all that is in the mailbox. By the receiver's runner. */
void mailbox_drain(struct cpu *cpu, struct actor *actor);
/* Queues the actor whatever it waits for: it is dying. */
void sched_rouse(struct cpu *cpu, struct actor *actor);
/* The runner of a DYING actor ends what can be ended now; true when it is DEAD. */
bool actor_reap(struct cpu *cpu, struct actor *actor);
/* Empties the mailbox of a DEAD actor that was taken from a queue, and drops the queue's ref. */
void sched_run_dead(struct cpu *cpu, struct actor *actor);

/* From now on this CPU's time is charged to `actor` (NULL: to nobody), exactly where that is asked.
 */
void sched_meter(struct cpu *cpu, struct actor *actor);

/* Timers and queues of this CPU. */
void sched_fire(struct cpu *cpu);
void queue_push(struct cpu *cpu, struct actor *actor);
struct actor *queue_pop(struct cpu *cpu);
void queue_take_remote(struct cpu *cpu);
/* Puts an actor that was just made QUEUED where its CPU finds it. */
void queue_enter(struct cpu *cpu, struct actor *actor);

#endif
