/* sched_check.c: the invariants of run queues and actors, for tests and the simulator. Each has a
 * name, which docs/simulation.md tells of. */
#include "kernel/sched/sched_int.h"

#include "base/bits.h"

enum { MESSAGES_MAX = 2 * TN_MAILBOX_MAX }; /* that a mailbox may hold, embedded ones among them */

static void check_queued(struct cpu *cpu, struct actor *actor, uint32_t priority)
{
    INVARIANT("queued-once", actor->run == ACTOR_QUEUED && actor->queued_at == priority);
    INVARIANT("queued-once", actor_here(cpu, actor));
}

/* What is gathered is bounded, and bears the mark of its credits' door. */
static void check_outbox(const struct outbox *out)
{
    uint32_t n = 0;
    INVARIANT("outbox-whole", out->target != NULL || out->n + out->credits == 0);
    INVARIANT("outbox-whole", out->n + out->credits <= OUTBOX_MANY);
    for (const struct cell *cell = out->newest; n < out->n; cell = cell->link, n++)
        INVARIANT("outbox-whole", (cell->flags & CELL_AWAY) != 0);
}

void sched_check_cpu(struct cpu *cpu)
{
    uint32_t n = 0;
    for (uint32_t p = 0; p < TN_PRIORITIES; p++) {
        struct list *queue = &cpu->queue[p];
        INVARIANT("queues-whole", list_empty(queue) == ((cpu->queued >> p & 1) == 0));
        for (struct list *link = queue->next; link != queue; link = link->next) {
            INVARIANT("queues-whole", link->next->prev == link && link->prev->next == link);
            check_queued(cpu, CONTAINER_OF(link, struct actor, queue_link), p);
            n++;
        }
    }
    INVARIANT("queues-whole", n == at_load(&cpu->nqueued, RELAXED));
    struct actor *next = at_load(&cpu->next, RELAXED);
    if (next != NULL)
        check_queued(cpu, next, next->queued_at);
    check_outbox(&cpu->out);
}

/* How often the actor stands in the queues of its home. */
static uint32_t times_queued(struct actor *actor)
{
    struct cpu *home = at_load(&actor->home, RELAXED);
    uint32_t n = at_load(&home->next, RELAXED) == actor;
    for (uint32_t p = 0; p < TN_PRIORITIES; p++) {
        const struct list *queue = &home->queue[p];
        for (const struct list *link = queue->next; link != queue; link = link->next)
            n += link == &actor->queue_link;
    }
    return n;
}

static uint32_t turns_in(const struct turn *turn, bool ready)
{
    uint32_t n = 0;
    for (; turn != NULL; turn = ready ? turn->link : turn->waits_link) {
        INVARIANT("turns-counted", n < TN_TURNS_MAX);
        n++;
    }
    return n;
}

static uint32_t messages_with_credit(const struct mbox *mbox)
{
    uint32_t n = 0, all = 0;
    for (const struct cell *cell = mbox->first; cell != NULL; cell = cell->link) {
        n += (cell->flags & CELL_EMBEDDED) == 0;
        INVARIANT("cell-once", cell->link != NULL || cell == mbox->last);
        INVARIANT("cell-once", ++all < MESSAGES_MAX); /* else it goes round in a circle */
    }
    return n;
}

/* Nobody runs the actor: its turns are all parked, and what is open of its waits is theirs. */
static void check_waits(struct actor *actor)
{
    struct wait *wait = at_load(&actor->waits, RELAXED);
    for (; wait != NULL; wait = wait->made) {
        uint64_t state = at_load(&wait->state, RELAXED) & WAIT_STATE_MASK;
        INVARIANT("waits-whole", wait->actor == actor);
        INVARIANT("waits-whole", (state == WAIT_FREE) == (wait->turn == NULL));
        INVARIANT("waits-whole", wait->turn == NULL || wait->turn->wait == wait);
        INVARIANT("waits-whole", wait->turn != NULL || list_empty(&wait->link));
    }
}

void sched_check_actor(struct actor *actor, uint32_t mailbox)
{
    uint32_t parked = turns_in(actor->waiting, false) + turns_in(actor->ready, true);
    uint32_t asked = at_load(&actor->asked, RELAXED);
    INVARIANT("turns-counted", actor->turns <= actor->concurrency && parked <= actor->turns);
    INVARIANT("queued-once", times_queued(actor) == (actor->run == ACTOR_QUEUED));
    /* Nobody runs it: its turns are all parked, and it is queued if there is anything to do. Who
     * kills it, or no longer waits for its swap, asks a moment later. */
    if (actor->run == ACTOR_IDLE) {
        INVARIANT("turns-counted", parked == actor->turns);
        INVARIANT("no-lost-wake-up", !actor_has_work(actor) || asked != 0 ||
                                         actor_life(actor) == ACTOR_DYING || actor->swap != NULL);
    }
    if (actor->run == ACTOR_IDLE || actor->run == ACTOR_QUEUED)
        check_waits(actor);
    INVARIANT("turns-counted", actor->swap == NULL || actor->room == 0);
    if (actor->run == ACTOR_GONE)
        INVARIANT("turns-counted", actor->turns == 0 && actor_life(actor) == ACTOR_DEAD);
    /* Never more messages and free credits together than the mailbox holds. */
    uint32_t credits = at_load(&actor->mbox.credits, RELAXED);
    credits += at_load(&actor->mbox.away, RELAXED) + at_load(&actor->mbox.freed, RELAXED);
    INVARIANT("credits-conserved", credits + messages_with_credit(&actor->mbox) <= mailbox);
}
