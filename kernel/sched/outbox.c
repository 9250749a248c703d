/* outbox.c: see outbox.h. */
#include "kernel/sched/outbox.h"

bool outbox_open(struct cpu *cpu, struct actor *target)
{
    struct outbox *out = &cpu->out;
    outbox_let_go(cpu);
    bool again = out->last == target;
    out->last = target;
    /* RELAXED: a guess at whether it waits for mail. */
    if (!again || at_load(&target->mbox.pushed, RELAXED) == NULL)
        return false;
    uint32_t got = mbox_reserve_some(&target->mbox, OUTBOX_MANY);
    if (got == 0)
        return false;
    out->target = target;
    out->credits = got - 1;
    return true;
}

void outbox_flush(struct cpu *cpu)
{
    struct outbox *out = &cpu->out;
    struct actor *target = out->target;
    uint32_t credits = out->credits, n = out->n;
    out->target = NULL;
    out->credits = 0;
    out->n = 0;
    /* First, so that the home finds them when it looks for the messages: somebody may wait. */
    if (credits > 0)
        mbox_credit_away(&target->mbox, credits);
    if (n == 0) {
        sched_ask(target, ASK_LOOK);
        return;
    }
    at_store(&target->talker, cpu->id, RELAXED); /* a hint for policies */
    if (mbox_push(&target->mbox, out->newest, out->oldest))
        sched_ask(target, ASK_MAIL);
}
