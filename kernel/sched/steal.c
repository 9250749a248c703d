/* steal.c: moving actors between CPUs, and the watch that idle ones keep.
 *
 * An actor moves while it is not RUNNING, under the lock of its old home: into the new home's run
 * queue if it was QUEUED (work_steal), or by asking the new home to look at it (actor_follow). All
 * that the old home knew of it is in the actor and goes along; what is on its way (the list of
 * those that asked, an event in the old home's wheel) finds the new home by itself.
 *
 * All of this is within a team (cpu.h); a team of one has nobody to move anything to.
 *
 * The watch. Work that is queued behind a long turn is seen by idle CPUs only if one of them looks.
 * While any CPU works and another sleeps, one of those that sleep is the sentinel
 * (team.sentinel): it wakes up by itself from time to time and looks. A CPU that would sleep and
 * finds that there is none becomes it; a CPU that is about to run with more in its queue, while
 * nobody watches, pokes a sleeper. When all sleep nobody watches, so an idle system is idle. */
#include "kernel/sched/sched_int.h"

enum { LOOKS_MAX = 256 }; /* at queued actors, of which many may be pinned */

/* The pool of its cells lives where the actor does. */
static void actor_set_home(struct actor *actor, struct cpu *home)
{
    ASSERT(actor->run != ACTOR_RUNNING && !actor->pinned);
    if (actor->pool != NULL) /* RELEASE: its free list is seen by who finds itself there */
        at_store(&actor->pool->cpu, home, RELEASE);
    at_store(&actor->home, home, RELEASE); /* so is all that is marked "home" */
}

void actor_follow(struct cpu *cpu, struct actor *actor, struct cpu *to)
{
    ASSERT(actor->run == ACTOR_IDLE && actor_here(cpu, actor));
    /* Asked first: at no moment has it work that nobody knows of. Whoever asked it already has put
     * it on a list, or is about to, and that finds the new home. */
    uint32_t before = at_or(&actor->asked, ASK_MAIL | ASK_WOKEN | ASK_LOOK, ACQ_REL);
    actor_set_home(actor, to);
    if (before == 0)
        asked_push(to, actor);
}

/* In nobody's queue until the thief has put it into its own: whoever has the thief's lock
 * meanwhile, a thief himself, does not look for it there. */
static void take_one(struct actor *actor, struct cpu *thief, struct list *ret_taken)
{
    actor->run = ACTOR_MOVING;
    actor_set_home(actor, thief);
    list_push_back(ret_taken, &actor->queue_link);
}

/* Moves up to `most` of the victim's queued actors to the list: the head of its queues, then most
 * urgent and oldest first. With the victim's lock. */
static uint32_t take_queued(struct cpu *victim, struct cpu *thief, uint32_t most,
                            struct list *ret_taken)
{
    uint32_t n = 0;
    struct actor *next = at_load(&victim->next, RELAXED);
    if (next != NULL && !next->pinned) {
        at_store(&victim->next, NULL, RELAXED);
        take_one(next, thief, ret_taken);
        n++;
    }
    for (uint32_t p = 0, looks = 0; p < TN_PRIORITIES && n < most; p++) {
        struct list *link = victim->queue[p].next;
        while (link != &victim->queue[p] && n < most && looks++ < LOOKS_MAX) {
            struct actor *actor = CONTAINER_OF(link, struct actor, queue_link);
            link = link->next;
            if (actor->pinned)
                continue;
            queue_remove(victim, actor);
            take_one(actor, thief, ret_taken);
            n++;
        }
    }
    return n;
}

bool work_steal(struct cpu *cpu)
{
    uint32_t most = 0;
    struct cpu *victim = cpu->kernel->config.policy->victim(cpu, &most);
    if (victim == NULL)
        return false;
    struct list taken;
    list_init(&taken);
    /* Not inside our own lock: two that take from each other would wait for each other. What is
     * taken is nobody's until it is in our queue, but it asks here from now on. */
    cpu_seize(victim);
    /* Who asked it while it is in a long turn gets its answer from us. */
    queue_take_asked(victim, false);
    uint32_t n = take_queued(victim, cpu, most, &taken);
    bool left = !queue_empty(victim);
    cpu_release(victim);
    /* What we found in its list and left in its queue it may not have seen before it fell asleep;
     * the machine remembers the unpark if it is about to. */
    if (left)
        machine_unpark(victim->id);
    if (n == 0)
        return false;
    cpu_enter(cpu);
    for (struct list *link = list_pop_front(&taken); link != NULL; link = list_pop_front(&taken)) {
        struct actor *actor = CONTAINER_OF(link, struct actor, queue_link);
        actor->run = ACTOR_QUEUED;
        queue_push(cpu, actor);
    }
    cpu_leave(cpu);
    cpu->stats.stolen += n;
    return true;
}

void watch_poke(struct cpu *cpu)
{
    struct kernel *kernel = cpu->kernel;
    struct team *team = cpu->team;
    uint32_t nobody = SENTINEL_NOBODY;
    if (at_load(&team->awake, RELAXED) >= team->n ||
        !at_cas(&team->sentinel, &nobody, SENTINEL_POKED, RELAXED, RELAXED))
        return;
    for (uint32_t i = team->first; i < team->first + team->n; i++) {
        struct cpu *other = kernel->cpu[i];
        if (other != cpu && at_load(&other->asleep, RELAXED) != 0) {
            machine_unpark(other->id);
            return;
        }
    }
    uint32_t poked = SENTINEL_POKED; /* they have just woken up */
    (void)at_cas(&team->sentinel, &poked, SENTINEL_NOBODY, RELAXED, RELAXED);
}

uint64_t watch_begin(struct cpu *cpu)
{
    struct team *team = cpu->team;
    uint32_t awake = at_sub(&team->awake, 1, SEQ_CST) - 1;
    uint32_t sentinel = at_load(&team->sentinel, RELAXED);
    bool free = sentinel == SENTINEL_NOBODY || sentinel == SENTINEL_POKED;
    /* SEQ_CST above: of two that fall asleep at once the second sees that nobody is awake. */
    if (awake == 0 || !free || !at_cas(&team->sentinel, &sentinel, cpu->id, RELAXED, RELAXED)) {
        cpu->looks = 0;
        return UINT64_MAX;
    }
    uint64_t patience = cpu->kernel->config.policy->patience_ns(cpu, cpu->looks++);
    return patience == UINT64_MAX ? UINT64_MAX : cpu->now + patience;
}

void watch_end(struct cpu *cpu)
{
    struct team *team = cpu->team;
    (void)at_add(&team->awake, 1, SEQ_CST);
    /* The one that was poked may have woken up for something else, and watches nothing. */
    uint32_t sentinel = at_load(&team->sentinel, RELAXED);
    if (sentinel == cpu->id || sentinel == SENTINEL_POKED)
        (void)at_cas(&team->sentinel, &sentinel, SENTINEL_NOBODY, RELAXED, RELAXED);
}
