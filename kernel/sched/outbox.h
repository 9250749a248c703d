/* outbox.h: messages to actors of other CPUs, several at a time.
 *
 * A message to another CPU costs changes of cache lines that the receiver writes too: for a credit,
 * and to push it. While the home has not taken what was pushed before, it is in no hurry for more,
 * so what follows is gathered here, with credits that were taken together, and goes together. It
 * stays at the longest until OUTBOX_MANY have come, or until an actor of this CPU comes to rest
 * (actor_rest) or dies, whichever is first. So who sent it has not moved, order per pair is kept
 * where everything else to the same mailbox lets it go first (outbox_let_go), and its target needs
 * no ref: the next turn boundary comes later.
 *
 * All of this is the CPU's own: nobody else looks here. */
#ifndef KERNEL_SCHED_OUTBOX_H
#define KERNEL_SCHED_OUTBOX_H

#include "kernel/sched/cpu.h"

/* Where a message to that mailbox would be gathered: by its distance in memory, which is the same
 * in every run of the simulator. */
static inline struct outbox *outbox_of(struct cpu *cpu, const struct actor *target)
{
    return &cpu->out[((uintptr_t)target - (uintptr_t)cpu) / sizeof(struct actor) % OUTBOXES];
}

/* Takes a credit for one more message that is gathered. False: it is to go by itself, because the
 * home took all that came before, or there is no credit. */
bool outbox_open(struct cpu *cpu, struct actor *target);
static inline bool outbox_reserve(struct cpu *cpu, struct actor *target)
{
    struct outbox *out = outbox_of(cpu, target);
    if (out->target != target || out->credits == 0)
        return outbox_open(cpu, target);
    out->credits--;
    return true;
}

/* Puts in a message that took a credit here, or gives that back. */
static inline void outbox_put(struct cpu *cpu, struct actor *target, struct cell *cell)
{
    struct outbox *out = outbox_of(cpu, target);
    ASSERT(out->target == target && out->n < OUTBOX_MANY);
    cell->link = out->newest;
    if (out->n++ == 0)
        out->oldest = cell;
    out->newest = cell;
}
static inline void outbox_unreserve(struct cpu *cpu, struct actor *target)
{
    struct outbox *out = outbox_of(cpu, target);
    ASSERT(out->target == target);
    out->credits++;
}

/* Pushes what was gathered for that mailbox, or for all. Inside or not. */
void outbox_flush(struct cpu *cpu, struct outbox *out);
void outbox_flush_all(struct cpu *cpu);
static inline void outbox_let_go(struct cpu *cpu, const struct actor *target)
{
    struct outbox *out = outbox_of(cpu, target);
    if (out->target == target)
        outbox_flush(cpu, out);
}

#endif
