/* watch_sim.c: the kernel's checkers between the steps, and when every CPU sleeps (watch.h).
 *
 * A checker takes the lock of what it checks, which nobody could give it on the host's stack while
 * it is held; so it is asked only where the lock is free, and finds what that guards whole.
 *
 * When every CPU sleeps nothing is in anybody's hands: no credit, cell, stack or wake-up is on its
 * way. Then sums are exact, and what could be done has been. docs/simulation.md tells of the names.
 */
#include "tests/kit/watch.h"

#include "base/bits.h"
#include "kernel/cap/cap_int.h"
#include "kernel/mem/mem_int.h"
#include "kernel/sched/sched_int.h"
#include "machine/sim/sim.h"

enum { WALK_MAX = 1 << 20 }; /* of any list: more is a circle */

static bool is_free(const struct spinlock *lock)
{
    return at_load(&lock->held, RELAXED) == 0;
}

static bool is_outside(struct cpu *cpu)
{
    return at_load(&cpu->inside, RELAXED) == 0 && at_load(&cpu->wanted, RELAXED) == 0;
}

/* How many timers are in a list of the wheel, and those that were counted before. */
static uint64_t count_timers(const struct list *list, uint64_t armed)
{
    for (const struct list *link = list->next; link != list; link = link->next) {
        INVARIANT("timers-whole", link->next->prev == link && armed < WALK_MAX);
        armed++;
    }
    return armed;
}

/* The armed timers are counted, and the marks say where they stand. */
static void look_at_wheel(const struct wheel *wheel)
{
    uint64_t armed = count_timers(&wheel->moving, 0);
    for (uint32_t level = 0; level < WHEEL_LEVELS; level++) {
        for (uint32_t i = 0; i < WHEEL_SLOTS; i++) {
            const struct list *slot = &wheel->slot[level][i];
            INVARIANT("timers-whole", (wheel->occupied[level] >> i & 1) == !list_empty(slot));
            armed = count_timers(slot, armed);
        }
    }
    INVARIANT("timers-whole", armed == wheel->armed);
}

static void look_at_scheduler(const struct kit *kit)
{
    const struct kernel *kernel = kit->kernel;
    for (uint32_t i = 0; i < kernel->ncpus; i++) {
        if (!is_outside(kernel->cpu[i]))
            continue;
        sched_check_cpu(kernel->cpu[i]);
        look_at_wheel(&kernel->cpu[i]->wheel);
    }
    for (uint32_t i = 0; i < kit->nactors; i++) {
        struct actor *actor = kit->actors[i].actor;
        struct cpu *home = at_load(&actor->home, RELAXED);
        if (is_outside(home))
            sched_check_actor(actor, kit->actors[i].mailbox);
        INVARIANT("pinned-stays", !actor->pinned || home == kit->actors[i].home);
    }
}

static uint64_t objects_in(const struct list *list)
{
    uint64_t n = 0;
    for (const struct list *link = list->next; link != list; link = link->next) {
        const struct object *object = CONTAINER_OF(link, struct object, link);
        INVARIANT("dead-stay-dead", at_load(&object->refs, RELAXED) == 0 && object->caps == 0);
        INVARIANT("limbo-counted", ++n < WALK_MAX);
    }
    return n;
}

/* What waits for its grace period has no ref, and nobody is ahead of the epoch. */
static void look_at_limbo(const struct limbo *limbo)
{
    if (!is_free(&limbo->lock))
        return;
    uint64_t epoch = at_load(&limbo->epoch, RELAXED);
    INVARIANT("limbo-counted", limbo->closed <= epoch);
    uint64_t going = objects_in(&limbo->going);
    INVARIANT("limbo-counted", going == at_load(&limbo->begun, RELAXED));
    uint64_t held = objects_in(&limbo->waiting) + objects_in(&limbo->arriving) + going;
    for (uint32_t i = 0; i < limbo->cpus; i++) {
        uint64_t own = objects_in(&limbo->cpu[i].own);
        INVARIANT("limbo-counted", own == at_load(&limbo->cpu[i].owned, RELAXED));
        held += own;
        uint64_t seen = at_load(&limbo->cpu[i].seen, RELAXED);
        INVARIANT("limbo-counted", seen <= epoch || seen == UINT64_MAX);
    }
    INVARIANT("limbo-counted", held == at_load(&limbo->held, RELAXED));
}

static void look(void *arg)
{
    const struct kit *kit = arg;
    struct untyped *root = kit->kernel->root;
    look_at_scheduler(kit);
    look_at_limbo(&kit->kernel->limbo);
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

/* At rest */

static uint32_t cells_in(const struct cell *cell, bool with_embedded)
{
    uint32_t n = 0, all = 0;
    for (; cell != NULL; cell = cell->link) {
        n += with_embedded || (cell->flags & CELL_EMBEDDED) == 0;
        INVARIANT("cell-once", ++all < WALK_MAX);
    }
    return n;
}

static bool is_of(const struct cell *cell, const struct cell_pool *pool)
{
    const struct chunk *chunk =
        (const struct chunk *)align_down((uintptr_t)cell, (uintptr_t)CELL_CHUNK);
    return (cell->flags & CELL_EMBEDDED) == 0 && chunk->pool == pool;
}

/* How many of the pool's cells this actor has: in its mailbox, and in turns that wait. */
static uint32_t cells_at(struct actor *actor, const struct cell_pool *pool)
{
    uint32_t n = 0;
    for (const struct cell *cell = actor->mbox.first; cell != NULL; cell = cell->link)
        n += is_of(cell, pool);
    for (const struct turn *turn = actor->waiting; turn != NULL; turn = turn->waits_link)
        n += turn->cell != NULL && is_of(turn->cell, pool);
    for (const struct turn *turn = actor->ready; turn != NULL; turn = turn->link)
        n += turn->cell != NULL && is_of(turn->cell, pool);
    return n;
}

static void rest_cells(const struct kit *kit, const struct cell_pool *pool)
{
    uint32_t made = pool->nchunks * (uint32_t)ARRAY_LEN(pool->chunks->cells);
    uint32_t n = cells_in(pool->free, true) + cells_in(at_load(&pool->returned, RELAXED), true);
    for (uint32_t i = 0; i < kit->nactors; i++)
        n += cells_at(kit->actors[i].actor, pool);
    INVARIANT("cell-once", n == made);
}

/* Credits of this actor's mailbox that waits of `other` were granted. */
static uint32_t credits_granted(struct actor *other, const struct actor *actor)
{
    uint32_t n = 0;
    for (struct wait *wait = at_load(&other->waits, RELAXED); wait != NULL; wait = wait->made)
        n += wait->turn != NULL && wait->credit_of == actor && wait->credit_held;
    return n;
}

/* Waits of `other` that lend the actor this priority. */
static uint64_t lent_by(struct actor *other, struct actor *actor, uint32_t priority)
{
    uint64_t n = 0;
    for (struct wait *wait = at_load(&other->waits, RELAXED); wait != NULL; wait = wait->made)
        n += at_load(&wait->callee, RELAXED) == actor &&
             (at_load(&wait->lending, RELAXED) & 0xff) == priority + 1;
    return n;
}

static void rest_sums(const struct kit *kit, const struct kit_actor *one)
{
    struct actor *actor = one->actor;
    uint32_t credits = at_load(&actor->mbox.credits, RELAXED) +
                       at_load(&actor->mbox.away, RELAXED) + at_load(&actor->mbox.freed, RELAXED) +
                       cells_in(actor->mbox.first, false);
    uint64_t lent = 0;
    for (uint32_t i = 0; i < kit->nactors; i++) {
        struct actor *other = kit->actors[i].actor;
        credits += credits_granted(other, actor);
        for (uint32_t p = 0; p < TN_PRIORITIES; p++)
            lent += lent_by(other, actor, p) << (8 * p);
    }
    INVARIANT("credits-conserved", credits == one->mailbox);
    INVARIANT("lent-is-owed", lent == at_load(&actor->lent, RELAXED));
}

/* A turn that waits is waited for: what completes it has not been there yet. */
static void rest_turns(struct actor *actor)
{
    for (const struct turn *turn = actor->waiting; turn != NULL; turn = turn->waits_link) {
        INVARIANT("no-lost-wake-up", at_load(&turn->state, RELAXED) == TURN_PARKED);
        INVARIANT("no-lost-wake-up", turn->wait != NULL);
        uint64_t state = at_load(&turn->wait->state, RELAXED);
        INVARIANT("no-lost-wake-up", (state & WAIT_STATE_MASK) == WAIT_OPEN);
    }
}

static void rest_actor(const struct kit *kit, const struct kit_actor *one)
{
    struct actor *actor = one->actor;
    INVARIANT("no-lost-wake-up", at_load(&actor->asked, RELAXED) == 0);
    INVARIANT("no-lost-wake-up", at_load(&actor->mbox.pushed, RELAXED) == NULL);
    INVARIANT("no-lost-wake-up", at_load(&actor->woken, RELAXED) == NULL);
    INVARIANT("no-lost-wake-up", actor->run == ACTOR_IDLE || actor->run == ACTOR_GONE);
    rest_turns(actor);
    rest_sums(kit, one);
    if (actor->pool != NULL)
        rest_cells(kit, actor->pool);
}

static uint32_t fibers_in(const struct fiber *fiber)
{
    uint32_t n = 0;
    for (; fiber != NULL; fiber = fiber->link)
        INVARIANT("stacks-conserved", ++n < WALK_MAX);
    return n;
}

/* Every stack is at hand, free, a CPU's loop, or a turn's that waits. */
static void rest_stacks(const struct kit *kit)
{
    const struct kernel *kernel = kit->kernel;
    uint32_t n = kernel->ncpus + fibers_in(kernel->fiber_free);
    for (uint32_t i = 0; i < kernel->ncpus; i++) {
        INVARIANT("stacks-conserved", kernel->cpu[i]->leaving == NULL);
        n += fibers_in(kernel->cpu[i]->free);
    }
    for (uint32_t i = 0; i < kit->nactors; i++) {
        const struct actor *actor = kit->actors[i].actor;
        for (const struct turn *turn = actor->waiting; turn != NULL; turn = turn->waits_link)
            n += turn->fiber != NULL;
        for (const struct turn *turn = actor->ready; turn != NULL; turn = turn->link)
            n += turn->fiber != NULL;
    }
    INVARIANT("stacks-conserved", n == kernel->nfibers);
}

/* A turn sleeps in a call of the system below: it has its CPU, and what is in its hands. */
static bool somebody_blocks(const struct kernel *kernel)
{
    for (uint32_t i = 0; i < kernel->ncpus; i++) {
        if (kernel->cpu[i]->blocks_since_ns != 0)
            return true;
    }
    return false;
}

static void look_at_rest(void *arg)
{
    const struct kit *kit = arg;
    const struct kernel *kernel = kit->kernel;
    if (at_load(&kernel->stopping, RELAXED) != 0 || somebody_blocks(kernel))
        return; /* some have left, or are, in the middle of what they had */
    for (uint32_t i = 0; i < kernel->ncpus; i++) {
        struct cpu *cpu = kernel->cpu[i];
        INVARIANT("no-lost-wake-up", at_load(&cpu->asked, RELAXED) == NULL && queue_empty(cpu));
        INVARIANT("outbox-whole", cpu->out.target == NULL);
        INVARIANT("awake-counted", at_load(&cpu->team->awake, RELAXED) == 0);
        INVARIANT("no-late-timer", wheel_next_ns(&cpu->wheel) > machine_now_ns());
    }
    for (uint32_t i = 0; i < kit->nactors; i++)
        rest_actor(kit, &kit->actors[i]);
    rest_stacks(kit);
    look_at_scheduler(kit);
    look_at_limbo(&kernel->limbo);
}

void kit_watch(struct kit *kit)
{
    sim_on_step(look, kit);
    sim_on_rest(look_at_rest, kit);
}
