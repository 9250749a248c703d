/* post.h: the near end of a message: the run queue and the mailbox of an actor that lives on this
 * CPU, inline, because every message passes here. Inside the CPU.
 *
 * `next` is the head of the run queues while they are empty: an actor that is made QUEUED when
 * nothing else is goes there, so two actors that talk cost no list. It is older than all in the
 * queues, and taken first unless something more urgent came. */
#ifndef KERNEL_SCHED_POST_H
#define KERNEL_SCHED_POST_H

#include "base/bits.h"
#include "kernel/sched/cpu.h"

void queue_push_behind(struct cpu *cpu, struct actor *actor);
struct actor *queue_pop_listed(struct cpu *cpu);

static inline bool queue_empty(struct cpu *cpu)
{
    return at_load(&cpu->next, RELAXED) == NULL && cpu->queued == 0;
}

static inline void queue_push(struct cpu *cpu, struct actor *actor)
{
    actor->queued_at = (uint8_t)actor_priority(actor);
    if (__builtin_expect(queue_empty(cpu), 1))
        at_store(&cpu->next, actor, RELAXED); /* others only look */
    else
        queue_push_behind(cpu, actor);
}

/* The most urgent, of those the oldest; NULL when nothing is queued. */
static inline struct actor *queue_pop(struct cpu *cpu)
{
    struct actor *actor = at_load(&cpu->next, RELAXED);
    if (__builtin_expect(cpu->queued == 0, 1) ||
        (actor != NULL && actor->queued_at <= (uint32_t)__builtin_ctz(cpu->queued))) {
        at_store(&cpu->next, NULL, RELAXED);
        return actor;
    }
    return queue_pop_listed(cpu);
}

/* What came too late for a dead actor queues it once more. */
void sched_ready_dead(struct cpu *cpu, struct actor *actor);

/* A message that has its credit, to an actor that lives here. */
static inline void post_here(struct cpu *cpu, struct actor *actor, struct cell *cell)
{
    mbox_put(&actor->mbox, cell);
    if (actor->run == ACTOR_IDLE && actor->turns < actor->room) {
        actor->run = ACTOR_QUEUED;
        queue_push(cpu, actor);
    } else if (__builtin_expect(actor->run == ACTOR_GONE, 0)) {
        sched_ready_dead(cpu, actor);
    }
}

#endif
