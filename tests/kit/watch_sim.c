/* watch_sim.c: the kernel's checkers between the steps (watch.h).
 *
 * A checker takes the lock of what it checks, which nobody could give it on the host's stack while
 * it is held; so it is asked only where the lock is free, and finds what that guards whole. */
#include "tests/kit/watch.h"

#include "kernel/cap/cap_int.h"
#include "kernel/mem/mem_int.h"
#include "machine/sim/sim.h"

static bool is_free(const struct spinlock *lock)
{
    return at_load(&lock->held, RELAXED) == 0;
}

static bool is_outside(struct cpu *cpu)
{
    return at_load(&cpu->inside, RELAXED) == 0 && at_load(&cpu->wanted, RELAXED) == 0;
}

static void look_at_scheduler(const struct kit *kit)
{
    const struct kernel *kernel = kit->kernel;
    for (uint32_t i = 0; i < kernel->ncpus; i++) {
        if (is_outside(kernel->cpu[i]))
            sched_check_cpu(kernel->cpu[i]);
    }
    for (uint32_t i = 0; i < kit->nactors; i++) {
        struct actor *actor = kit->actors[i].actor;
        if (is_outside(at_load(&actor->home, RELAXED)))
            sched_check_actor(actor, kit->actors[i].mailbox);
    }
}

static void look(void *arg)
{
    const struct kit *kit = arg;
    struct untyped *root = kit->kernel->root;
    look_at_scheduler(kit);
    if (is_free(&root->lock))
        mem_check(root);
    for (uint32_t i = 0; i < kit->nactors; i++) {
        const struct kit_actor *actor = &kit->actors[i];
        if (is_free(&actor->space->root->lock))
            cap_check(actor->space);
        if (actor->memory != NULL && is_free(&actor->memory->lock))
            mem_check(actor->memory);
    }
}

void kit_watch(struct kit *kit)
{
    sim_on_step(look, kit);
}
