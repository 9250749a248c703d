/* policy.c: the two policies (policy.h).
 *
 * Adaptive. A wake across CPUs costs ten messages on one, so an actor that is woken again and again
 * from one other CPU, with nothing else to do, moves there. Of two actors that wake each other only
 * one must move: towards a lower number it takes half as long. A pair that keeps a CPU busy is
 * taken apart again by the next rule.
 *
 * To take an actor from another CPU costs a barrier on all of them and the actor's warm caches, so
 * it must save more: an idle CPU takes when a look at a queue, STEAL_AFTER_NS after the last one,
 * shows that fewer batches were run than actors had been queued then, so that somebody has waited
 * all that time. Half of what is queued goes along (Blumofe and Leiserson, "Scheduling
 * multithreaded computations by work stealing", JACM 1999, take one; halving spreads a burst in a
 * logarithmic number of steps: Hendler and Shavit, "Non-blocking steal-half work queues", 2002). */
#include "kernel/sched/policy.h"

#include "base/assert.h"
#include "kernel/sched/cpu.h"

enum {
    FOLLOW_DOWN = 4,        /* wakes in a row that move an actor to a lower CPU */
    FOLLOW_UP = 8,          /* to a higher one */
    STEAL_AFTER_NS = 20000, /* that an actor must have been queued */
    STEAL_MOST = 32,        /* taken at once */
    PATIENCE_NS = 100000,   /* at first, then doubled */
    PATIENCE_DOUBLINGS = 5,
};

static bool adaptive_follows(struct cpu *cpu, struct actor *actor, struct cpu *from)
{
    ASSERT(from != cpu);
    struct actor_talk *talk = &actor->talk;
    if (talk->cpu != from->id) {
        talk->cpu = (uint8_t)from->id;
        talk->wakes = 0;
    }
    if (++talk->wakes < (from->id < cpu->id ? FOLLOW_DOWN : FOLLOW_UP))
        return false;
    talk->wakes = 0;
    return true;
}

static struct cpu *adaptive_victim(struct cpu *cpu, uint32_t *ret_most)
{
    struct kernel *kernel = cpu->kernel;
    struct cpu *victim = NULL;
    uint32_t longest = 0;
    const struct team *team = cpu->team;
    *ret_most = 0;
    if (cpu->now - cpu->looked_ns < STEAL_AFTER_NS)
        return NULL; /* a look takes the cache lines from whom it looks at */
    cpu->looked_ns = cpu->now;
    for (uint32_t i = team->first; i < team->first + team->n; i++) {
        struct cpu *other = kernel->cpu[i];
        struct cpu_look *look = &cpu->look[i];
        if (other == cpu)
            continue;
        /* RELAXED: guesses; what is taken is counted under the lock. */
        uint32_t batches = at_load(&other->batches, RELAXED);
        uint32_t queued = cpu_queue_length(other);
        bool slow = look->queued > 0 && batches - look->batches < look->queued;
        if (slow && queued > longest) {
            longest = queued;
            victim = other;
        }
        *look = (struct cpu_look){.batches = batches, .queued = queued};
    }
    *ret_most = longest / 2 + 1 < STEAL_MOST ? longest / 2 + 1 : STEAL_MOST;
    return victim;
}

static uint64_t adaptive_patience_ns(struct cpu *cpu, uint32_t looks)
{
    (void)cpu;
    uint32_t doublings = looks < PATIENCE_DOUBLINGS ? looks : PATIENCE_DOUBLINGS;
    return (uint64_t)PATIENCE_NS << doublings;
}

const struct sched_policy policy_adaptive = {
    .name = "adaptive",
    .follows = adaptive_follows,
    .victim = adaptive_victim,
    .patience_ns = adaptive_patience_ns,
};

static bool fixed_follows(struct cpu *cpu, struct actor *actor, struct cpu *from)
{
    (void)cpu;
    (void)actor;
    (void)from;
    return false;
}

static struct cpu *fixed_victim(struct cpu *cpu, uint32_t *ret_most)
{
    (void)cpu;
    *ret_most = 0;
    return NULL;
}

static uint64_t fixed_patience_ns(struct cpu *cpu, uint32_t looks)
{
    (void)cpu;
    (void)looks;
    return UINT64_MAX;
}

const struct sched_policy policy_fixed = {
    .name = "fixed",
    .follows = fixed_follows,
    .victim = fixed_victim,
    .patience_ns = fixed_patience_ns,
};
