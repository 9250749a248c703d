/* limbo.c: grace periods.
 *
 * Objects arrive with their last ref gone, so no new pointer to them can be found; but a CPU may
 * still use one that it looked up before. The arrivals are closed into `waiting` by a new epoch,
 * `closed`; they are destroyed when every CPU has either noted that epoch, or a later one, at a
 * boundary or is idle. A ticket begins an epoch of its own, which delays no object.
 *
 * Invariants:
 *  1. An object in `waiting` was unreachable before the epoch `closed` began.
 *  2. A CPU whose `seen` is an epoch or a later one passed a boundary after that epoch began; what
 *     it looks up from then on cannot be an object that was unreachable before.
 *  3. An idle CPU holds no pointer; it becomes busy under the lock, so a reaper that counted it as
 *     idle came before, and what that reaper knew to be unreachable the CPU finds unreachable.
 *
 * States of an object here:
 *
 *   arriving --(close)--> waiting --(all passed: limbo_reap)--> destroyed
 *   destroyed --(there is more to do: limbo_again)--> going
 *   going --(limbo_reap, one at a time)--> destroyed
 *   destroyed --(there is something to do on one CPU: limbo_hand_over)--> that CPU's own
 *   own --(limbo_reap_own)--> destroyed
 *
 * It is out of the lists before class->destroy is called without the lock. Nobody has a pointer to
 * what has begun to end, so that waits for no CPU. */
#include "kernel/mem/limbo.h"

#include "base/bits.h"
#include "kernel/mem/object.h"

static const uint64_t IDLE = UINT64_MAX;

void limbo_init(struct limbo *limbo, uint32_t cpus)
{
    ASSERT(cpus >= 1 && cpus <= TN_THREADS_MAX);
    lock_init(&limbo->lock, LOCK_LIMBO);
    at_init(&limbo->epoch, 1);
    at_init(&limbo->held, 0);
    at_init(&limbo->begun, 0);
    limbo->closed = 1;
    list_init(&limbo->waiting);
    list_init(&limbo->arriving);
    list_init(&limbo->going);
    limbo->cpus = cpus;
    for (uint32_t i = 0; i < TN_THREADS_MAX; i++) {
        at_init(&limbo->cpu[i].seen, IDLE);
        at_init(&limbo->cpu[i].owned, 0);
        list_init(&limbo->cpu[i].own);
    }
}

void limbo_add(struct limbo *limbo, struct object *object)
{
    ASSERT(at_load(&object->refs, RELAXED) == 0 && list_empty(&object->link));
    lock_take(&limbo->lock);
    list_push_back(&limbo->arriving, &object->link);
    at_store(&limbo->held, at_load(&limbo->held, RELAXED) + 1, RELAXED);
    lock_drop(&limbo->lock);
}

void limbo_again(struct limbo *limbo, struct object *object)
{
    ASSERT(at_load(&object->refs, RELAXED) == 0 && list_empty(&object->link));
    lock_take(&limbo->lock);
    list_push_back(&limbo->going, &object->link);
    /* RELAXED: as `held`, who is late by a look looks again. */
    at_store(&limbo->begun, at_load(&limbo->begun, RELAXED) + 1, RELAXED);
    at_store(&limbo->held, at_load(&limbo->held, RELAXED) + 1, RELAXED);
    lock_drop(&limbo->lock);
}

void limbo_hand_over(struct limbo *limbo, struct object *object, uint32_t cpu)
{
    ASSERT(at_load(&object->refs, RELAXED) == 0 && list_empty(&object->link) && cpu < limbo->cpus);
    struct limbo_cpu *owner = &limbo->cpu[cpu];
    lock_take(&limbo->lock);
    list_push_back(&owner->own, &object->link);
    at_store(&owner->owned, at_load(&owner->owned, RELAXED) + 1, RELAXED);
    at_store(&limbo->held, at_load(&limbo->held, RELAXED) + 1, RELAXED);
    lock_drop(&limbo->lock);
}

void limbo_idle(struct limbo *limbo, uint32_t cpu)
{
    ASSERT(cpu < limbo->cpus);
    /* RELEASE: as in limbo_boundary. */
    at_store(&limbo->cpu[cpu].seen, IDLE, RELEASE);
}

void limbo_busy(struct limbo *limbo, uint32_t cpu)
{
    ASSERT(cpu < limbo->cpus);
    struct limbo_cpu *own = &limbo->cpu[cpu];
    /* Under the lock (invariant 3): a store and later loads of other words would need a full
     * barrier here and in the reaper otherwise. */
    lock_take(&limbo->lock);
    at_store(&own->seen, at_load(&limbo->epoch, RELAXED), RELAXED);
    lock_drop(&limbo->lock);
}

static bool all_passed(struct limbo *limbo, uint64_t epoch)
{
    for (uint32_t i = 0; i < limbo->cpus; i++) {
        /* ACQUIRE pairs with the RELEASE of limbo_boundary and limbo_idle. */
        if (at_load(&limbo->cpu[i].seen, ACQUIRE) < epoch)
            return false;
    }
    return true;
}

/* Moves all of `from` to the end of `to`. */
static void list_take_all(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

/* A boundary that notes the epoch returned comes after all that came before this. Lock held. */
static uint64_t epoch_begin(struct limbo *limbo)
{
    uint64_t epoch = at_load(&limbo->epoch, RELAXED) + 1;
    ASSERT(epoch < IDLE);
    /* RELEASE pairs with the ACQUIRE of limbo_boundary. */
    at_store(&limbo->epoch, epoch, RELEASE);
    return epoch;
}

/* Arrivals wait for the CPUs from here on. Lock held. */
static void epoch_close(struct limbo *limbo)
{
    if (!list_empty(&limbo->waiting) || list_empty(&limbo->arriving))
        return;
    list_take_all(&limbo->waiting, &limbo->arriving);
    limbo->closed = epoch_begin(limbo);
}

static uint64_t destroy_all(struct list *done)
{
    uint64_t n = 0;
    for (struct list *link = list_pop_front(done); link != NULL; link = list_pop_front(done)) {
        struct object *object = CONTAINER_OF(link, struct object, link);
        ASSERT(at_load(&object->refs, RELAXED) == 0 && object->caps == 0);
        object->class->destroy(object);
        n++;
    }
    return n;
}

bool limbo_reap(struct limbo *limbo, uint32_t max)
{
    ASSERT(max > 0);
    /* RELAXED: a count that is late by one call costs nothing but that call. */
    if (at_load(&limbo->held, RELAXED) == 0)
        return false;
    struct list done;
    list_init(&done);
    uint32_t n = 0;
    lock_take(&limbo->lock);
    epoch_close(limbo);
    if (all_passed(limbo, limbo->closed)) {
        for (; n < max && !list_empty(&limbo->waiting); n++)
            list_push_back(&done, list_pop_front(&limbo->waiting));
        epoch_close(limbo);
    }
    if (!list_empty(&limbo->going)) {
        list_push_back(&done, list_pop_front(&limbo->going));
        at_store(&limbo->begun, at_load(&limbo->begun, RELAXED) - 1, RELAXED);
        n++;
    }
    at_store(&limbo->held, at_load(&limbo->held, RELAXED) - n, RELAXED);
    lock_drop(&limbo->lock);
    uint64_t destroyed = destroy_all(&done);
    ASSERT(destroyed == n);
    return at_load(&limbo->held, RELAXED) != 0;
}

void limbo_reap_own(struct limbo *limbo, uint32_t cpu, uint32_t max)
{
    ASSERT(max > 0 && cpu < limbo->cpus);
    struct limbo_cpu *own = &limbo->cpu[cpu];
    if (at_load(&own->owned, RELAXED) == 0)
        return;
    struct list done;
    list_init(&done);
    uint32_t n = 0;
    lock_take(&limbo->lock);
    for (; n < max && !list_empty(&own->own); n++)
        list_push_back(&done, list_pop_front(&own->own));
    at_store(&own->owned, at_load(&own->owned, RELAXED) - n, RELAXED);
    at_store(&limbo->held, at_load(&limbo->held, RELAXED) - n, RELAXED);
    lock_drop(&limbo->lock);
    uint64_t destroyed = destroy_all(&done);
    ASSERT(destroyed == n);
}

uint64_t limbo_ticket(struct limbo *limbo)
{
    lock_take(&limbo->lock);
    uint64_t ticket = epoch_begin(limbo);
    lock_drop(&limbo->lock);
    return ticket;
}

bool limbo_passed(struct limbo *limbo, uint64_t ticket)
{
    /* Without the lock: who became busy before the ticket was drawn is seen busy, for both were
     * done under the lock; who became busy after holds no pointer from before (invariant 3). */
    ASSERT(limbo_drew(limbo, ticket));
    return all_passed(limbo, ticket);
}

void limbo_drain(struct limbo *limbo)
{
    limbo->drains = true;
    for (;;) {
        struct list done;
        list_init(&done);
        lock_take(&limbo->lock);
        list_take_all(&done, &limbo->waiting);
        list_take_all(&done, &limbo->arriving);
        list_take_all(&done, &limbo->going);
        at_store(&limbo->held, 0, RELAXED);
        at_store(&limbo->begun, 0, RELAXED);
        for (uint32_t i = 0; i < limbo->cpus; i++) {
            list_take_all(&done, &limbo->cpu[i].own);
            at_store(&limbo->cpu[i].owned, 0, RELAXED);
        }
        lock_drop(&limbo->lock);
        if (destroy_all(&done) == 0)
            return;
    }
}
