/* outbox.h: messages to an actor of another CPU, several at a time.
 *
 * A message to another CPU costs changes of cache lines that the receiver writes too: for a credit,
 * and to push it. While the home has not taken what was pushed before, it is in no hurry for more,
 * so what follows to the same mailbox is gathered here, with credits that were taken together, and
 * goes together. It stays until OUTBOX_MANY have come, or until an actor of this CPU does anything
 * else that others may see (outbox_let_go), comes to rest (actor_rest) or dies, whichever is first.
 * So effects come in the order of their causes, who sent it has not moved, and its target needs no
 * ref, for the next turn boundary comes later.
 *
 * All of this is the CPU's own: nobody else looks here. */
#ifndef KERNEL_SCHED_OUTBOX_H
#define KERNEL_SCHED_OUTBOX_H

#include "kernel/sched/cpu.h"

/* Takes a credit for one more message that is gathered. False: it is to go by itself, because it is
 * the first to that mailbox, the home took all that came before, or there is no credit. */
bool outbox_open(struct cpu *cpu, struct actor *target);
static inline bool outbox_reserve(struct cpu *cpu, struct actor *target)
{
    struct outbox *out = &cpu->out;
    if (out->target != target || out->credits == 0)
        return outbox_open(cpu, target);
    out->credits--;
    return true;
}

/* Puts in a message that took a credit here, or gives that back. */
static inline void outbox_put(struct cpu *cpu, struct cell *cell)
{
    struct outbox *out = &cpu->out;
    ASSERT(out->target != NULL && out->n < OUTBOX_MANY);
    cell->link = out->newest;
    if (out->n++ == 0)
        out->oldest = cell;
    out->newest = cell;
}
static inline void outbox_unreserve(struct cpu *cpu)
{
    ASSERT(cpu->out.target != NULL);
    cpu->out.credits++;
}

/* Pushes what was gathered, which is something. Inside or not. */
void outbox_flush(struct cpu *cpu);
/* The same if it is, before anything else that others may see. `cpu` is the caller's. */
static inline void outbox_let_go(struct cpu *cpu)
{
    if (__builtin_expect(cpu->out.target != NULL, 0))
        outbox_flush(cpu);
}

#endif
