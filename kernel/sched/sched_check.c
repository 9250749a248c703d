/* sched_check.c: the invariants of run queues and actors, for tests and the simulator. */
#include "kernel/sched/sched_int.h"

#include "base/bits.h"

static void check_queued(struct cpu *cpu, struct actor *actor, uint32_t priority)
{
    ASSERT(actor->run == ACTOR_QUEUED && actor->queued_at == priority);
    ASSERT(actor_here(cpu, actor));
}

void sched_check_cpu(struct cpu *cpu)
{
    uint32_t n = 0;
    for (uint32_t p = 0; p < TN_PRIORITIES; p++) {
        struct list *queue = &cpu->queue[p];
        ASSERT(list_empty(queue) == ((cpu->queued >> p & 1) == 0));
        for (struct list *link = queue->next; link != queue; link = link->next) {
            ASSERT(link->next->prev == link && link->prev->next == link);
            check_queued(cpu, CONTAINER_OF(link, struct actor, queue_link), p);
            n++;
        }
    }
    ASSERT(n == at_load(&cpu->nqueued, RELAXED));
    struct actor *next = at_load(&cpu->next, RELAXED);
    if (next != NULL)
        check_queued(cpu, next, next->queued_at);
}

static uint32_t turns_in(const struct turn *turn, bool ready)
{
    uint32_t n = 0;
    for (; turn != NULL; turn = ready ? turn->link : turn->waits_link)
        n++;
    return n;
}

static uint32_t messages_with_credit(const struct mbox *mbox)
{
    uint32_t n = 0;
    for (const struct cell *cell = mbox->first; cell != NULL; cell = cell->link) {
        n += (cell->flags & CELL_EMBEDDED) == 0;
        ASSERT(cell->link != NULL || cell == mbox->last);
    }
    return n;
}

void sched_check_actor(struct actor *actor, uint32_t mailbox)
{
    uint32_t parked = turns_in(actor->waiting, false) + turns_in(actor->ready, true);
    uint32_t asked = at_load(&actor->asked, RELAXED);
    ASSERT(actor->turns <= actor->concurrency && parked <= actor->turns);
    /* Nobody runs it: its turns are all parked, and it is queued if there is anything to do. Who
     * kills it, or no longer waits for its swap, asks a moment later. */
    if (actor->run == ACTOR_IDLE) {
        ASSERT(parked == actor->turns);
        ASSERT(!actor_has_work(actor) || asked != 0 || actor_life(actor) == ACTOR_DYING ||
               actor->swap != NULL);
    }
    ASSERT(actor->swap == NULL || actor->room == 0);
    if (actor->run == ACTOR_GONE)
        ASSERT(actor->turns == 0 && actor_life(actor) == ACTOR_DEAD);
    /* Never more messages and free credits together than the mailbox holds. */
    uint32_t credits = at_load(&actor->mbox.credits, RELAXED);
    credits += at_load(&actor->mbox.away, RELAXED) + at_load(&actor->mbox.freed, RELAXED);
    ASSERT(credits + messages_with_credit(&actor->mbox) <= mailbox);
}
