/* queue.c: a CPU's lock, its run queues, who asked, and the events of its wheel. */
#include "kernel/sched/sched_int.h"

#include "base/assert.h"
#include "base/bits.h"

enum {
    ASKED_MANY = 64,    /* actors that asked, in one hold of the lock */
    FIRE_MANY = 64,     /* timers that fire, or move in the wheel, in one hold of the lock */
    FIRE_AHEAD = 8,     /* of them taken out of the wheel before the first fires */
    POLITE_LOOKS = 256, /* that who would seize a CPU gives one who is waiting to get in again */
};

void cpu_step_back(struct cpu *cpu)
{
    at_store(&cpu->waits, 1, RELAXED);
    do {
        at_store(&cpu->inside, 0, RELEASE);
        /* ACQUIRE: as in cpu_enter. */
        while (at_load(&cpu->wanted, ACQUIRE) != 0)
            machine_relax();
        at_store(&cpu->inside, 1, RELAXED);
        at_fence_light();
    } while (at_load(&cpu->wanted, ACQUIRE) != 0);
    at_store(&cpu->waits, 0, RELAXED);
}

void cpu_seize(struct cpu *cpu)
{
    lock_take(&cpu->seize);
    race_lock_wants(cpu, LOCK_CPU);
    /* Who comes after another lets the owner in between, so that many do not keep it out. */
    for (uint32_t i = 0; i < POLITE_LOOKS && at_load(&cpu->waits, RELAXED) != 0; i++)
        machine_relax();
    at_store(&cpu->wanted, 1, RELAXED);
    /* The owner's store of `inside` before this is seen below; an owner that stores it later sees
     * `wanted`. */
    machine_barrier();
    while (at_load(&cpu->inside, ACQUIRE) != 0) /* pairs with cpu_leave */
        machine_relax();
    race_lock_has(cpu, LOCK_CPU);
}

void cpu_release(struct cpu *cpu)
{
    race_lock_drops(cpu);
    at_store(&cpu->wanted, 0, RELEASE); /* pairs with the ACQUIRE in cpu_enter */
    lock_drop(&cpu->seize);
}

struct cpu *actor_lock(struct cpu *own, struct actor *actor)
{
    for (;;) {
        struct cpu *home = at_load(&actor->home, ACQUIRE);
        if (home == own)
            cpu_enter(home);
        else
            cpu_seize(home);
        if (actor_here(home, actor))
            return home;
        actor_unlock(own, home); /* it has moved in this moment */
    }
}

void actor_unlock(struct cpu *own, struct cpu *home)
{
    if (home == own)
        cpu_leave(home);
    else
        cpu_release(home);
}

void queue_push_behind(struct cpu *cpu, struct actor *actor)
{
    uint32_t priority = actor->queued_at;
    list_push_back(&cpu->queue[priority], &actor->queue_link);
    cpu->queued |= 1u << priority;
    at_store(&cpu->nqueued, at_load(&cpu->nqueued, RELAXED) + 1, RELAXED);
}

void queue_remove(struct cpu *cpu, struct actor *actor)
{
    struct list *queue = &cpu->queue[actor->queued_at];
    ASSERT(at_load(&cpu->nqueued, RELAXED) > 0 && !list_empty(&actor->queue_link));
    list_remove(&actor->queue_link);
    if (list_empty(queue))
        cpu->queued &= ~(1u << actor->queued_at);
    at_store(&cpu->nqueued, at_load(&cpu->nqueued, RELAXED) - 1, RELAXED);
}

struct actor *queue_pop_listed(struct cpu *cpu)
{
    ASSERT(cpu->queued != 0);
    uint32_t priority = (uint32_t)__builtin_ctz(cpu->queued);
    struct actor *actor = CONTAINER_OF(cpu->queue[priority].next, struct actor, queue_link);
    queue_remove(cpu, actor);
    return actor;
}

void queue_again(struct cpu *cpu, struct actor *actor)
{
    if (actor->run != ACTOR_QUEUED || actor_priority(actor) >= actor->queued_at)
        return;
    if (at_load(&cpu->next, RELAXED) == actor) {
        actor->queued_at = (uint8_t)actor_priority(actor);
        return;
    }
    queue_remove(cpu, actor);
    queue_push(cpu, actor);
}

void asked_push(struct cpu *home, struct actor *actor)
{
    struct actor *head = at_load(&home->asked, RELAXED);
    do {
        actor->asked_link = head;
        /* SEQ_CST: before the look at `asleep`. The owner that takes the list sees the link. */
    } while (!at_cas(&home->asked, &head, actor, SEQ_CST, RELAXED));
    /* SEQ_CST: either we see that it sleeps, or its last look before it does sees the list. */
    if (at_load(&home->asleep, SEQ_CST) != 0)
        machine_unpark(home->id);
}

void sched_ask(struct actor *actor, uint32_t bits)
{
    ASSERT(bits != 0);
    /* RELEASE: who takes the bits sees what they speak of. ACQUIRE: whoever took them before is
     * done with the link. */
    if (at_or(&actor->asked, bits, ACQ_REL) != 0)
        return;
    /* It may be on its way out; its memory stays until its home has looked. It may move in this
     * moment: then its old home passes it on. */
    asked_push(at_load(&actor->home, ACQUIRE), actor);
}

/* Takes the turns that others woke, oldest first, behind those that are ready. Inside. */
static void take_woken(struct actor *actor)
{
    /* ACQUIRE pairs with the RELEASE of turn_wake. */
    struct turn *turn = at_swap(&actor->woken, NULL, ACQUIRE), *oldest = NULL;
    while (turn != NULL) {
        struct turn *next = turn->link;
        turn->link = oldest;
        oldest = turn;
        turn = next;
    }
    while (oldest != NULL) {
        struct turn *next = oldest->link;
        turn_made_ready(actor, oldest);
        oldest = next;
    }
}

/* An actor that was woken by a message from another CPU may move there. Inside its home. */
static bool follows(struct cpu *cpu, struct actor *actor)
{
    struct kernel *kernel = cpu->kernel;
    uint32_t from = at_load(&actor->talker, RELAXED);
    if (actor->pinned || from >= kernel->ncpus || from == cpu->id ||
        kernel->cpu[from]->team != cpu->team || actor_life(actor) >= ACTOR_DYING ||
        !kernel->config.policy->follows(cpu, actor, kernel->cpu[from]))
        return false;
    actor_follow(cpu, actor, kernel->cpu[from]);
    return true;
}

/* One that asked is looked at. Inside its home. */
static void answer_asked(struct cpu *cpu, struct actor *actor)
{
    /* Nobody but the list may hold it any more, so it is kept until we are done. */
    bool dead = actor_life(actor) == ACTOR_DEAD;
    if (dead)
        at_store(&actor->kept, 1, RELAXED);
    /* ACQ_REL: from here on it can be put on a list again; what the bits speak of is seen. */
    uint32_t bits = at_swap(&actor->asked, 0, ACQ_REL);
    ASSERT(bits != 0);
    bool woken_by_mail = actor->run == ACTOR_IDLE && actor->mbox.first == NULL;
    if ((bits & ASK_MAIL) != 0)
        mbox_collect(&actor->mbox);
    if ((bits & ASK_WOKEN) != 0)
        take_woken(actor);
    actor_take_applied(actor);
    if (!wait_queue_empty(&actor->senders))
        credits_grant(cpu, actor);
    if (woken_by_mail && bits == ASK_MAIL && follows(cpu, actor))
        return;
    queue_again(cpu, actor);
    sched_ready(cpu, actor);
    if (dead)
        sched_let_go(actor);
}

void queue_take_asked(struct cpu *cpu, bool own)
{
    /* ACQUIRE pairs with asked_push. */
    struct actor *actor = at_swap(&cpu->asked, NULL, ACQUIRE);
    struct actor *oldest = NULL;
    while (actor != NULL) {
        struct actor *next = actor->asked_link;
        actor->asked_link = oldest;
        oldest = actor;
        actor = next;
    }
    for (uint32_t i = 1; oldest != NULL; i++) {
        struct actor *next = oldest->asked_link;
        struct cpu *home = at_load(&oldest->home, ACQUIRE);
        if (home == cpu) {
            answer_asked(cpu, oldest);
        } else {
            asked_push(home, oldest); /* it has moved */
        }
        oldest = next;
        if (own && i % ASKED_MANY == 0) { /* whoever wants the lock gets it */
            cpu_leave(cpu);
            cpu_enter(cpu);
        }
    }
}

void event_arm(struct cpu *cpu, struct event *event, tn_time at)
{
    cpu_enter(cpu);
    at_store(&event->cpu, cpu, RELAXED); /* arming and cancelling have one owner */
    wheel_add(&cpu->wheel, &event->timer, at);
    cpu_leave(cpu);
}

void event_cancel(struct cpu *cpu, struct event *event)
{
    struct cpu *where = at_load(&event->cpu, RELAXED);
    if (where == NULL)
        return;
    if (where == cpu)
        cpu_enter(where);
    else
        cpu_seize(where);
    wheel_cancel(&where->wheel, &event->timer);
    actor_unlock(cpu, where);
    /* Who cancels is the one who may arm: nothing to look for a second time. */
    at_store(&event->cpu, NULL, RELAXED);
}

/* A few are taken out of the wheel before the first of them fires, and what they are a part of is
 * asked for meanwhile. Nobody can cancel one in between: that takes the lock. */
bool sched_fire(struct cpu *cpu)
{
    uint32_t steps = FIRE_MANY, taken = 0, fired = 0;
    struct event *due[FIRE_AHEAD];
    struct wheel_timer *timer;
    while ((timer = wheel_pop_due(&cpu->wheel, cpu->now, &steps)) != NULL) {
        struct event *event = CONTAINER_OF(timer, struct event, timer);
        __builtin_prefetch((char *)event - CACHE_LINE);
        __builtin_prefetch((char *)event + CACHE_LINE);
        if (taken - fired == FIRE_AHEAD) {
            struct event *first = due[fired++ % FIRE_AHEAD];
            first->fire(cpu, first);
        }
        due[taken++ % FIRE_AHEAD] = event;
    }
    for (; fired < taken; fired++)
        due[fired % FIRE_AHEAD]->fire(cpu, due[fired % FIRE_AHEAD]);
    if (steps > 0)
        return false;
    cpu_leave(cpu); /* whoever wants the lock gets it */
    cpu_enter(cpu);
    return true;
}
