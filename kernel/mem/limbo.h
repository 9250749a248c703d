/* limbo.h: grace periods. Objects whose last ref is gone wait here until every CPU has passed a
 * turn boundary, for until then a CPU may still use a pointer that it looked up in its turn
 * (quiescent-state-based reclamation: Hart, McKenney et al., "Performance of memory reclamation for
 * lockless synchronization", JPDC 2007). */
#ifndef KERNEL_MEM_LIMBO_H
#define KERNEL_MEM_LIMBO_H

#include <stdbool.h>
#include <stdint.h>
#include <tenon/limits.h>

#include "base/bits.h"
#include "base/list.h"
#include "kernel/mem/lock.h"
#include "kernel/mem/object.h"

struct limbo_cpu {
    _Alignas(64) atomic_u64 seen; /* epoch at this CPU's last boundary; UINT64_MAX: idle */
    atomic_u32 owned;             /* objects in `own`; changed under the lock */
    struct list own;              /* objects that only this CPU destroys */
};

struct limbo {
    atomic_u64 epoch; /* changed under the lock; every batch reads it */
    _Alignas(64) struct spinlock lock;
    atomic_u64 held;      /* objects here; changed under the lock */
    atomic_u32 begun;     /* objects in `going`; changed under the lock */
    uint64_t closed;      /* the epoch that every CPU must note before `waiting` is destroyed */
    struct list waiting;  /* objects that came before it began */
    struct list arriving; /* objects that came since */
    struct list going;    /* objects whose end has begun, and goes on in steps */
    uint32_t cpus;        /* 1 to TN_THREADS_MAX */
    bool drains;          /* no CPU will run any more */
    struct limbo_cpu cpu[TN_THREADS_MAX];
};
_Static_assert(LINE_OF(struct limbo, lock) > LINE_OF(struct limbo, epoch) &&
                   LINE_OF(struct limbo, cpu[0]) > LINE_OF(struct limbo, drains) &&
                   LINE_OF(struct limbo, cpu[1]) > LINE_OF(struct limbo, cpu[0]),
               "each CPU notes its boundaries in a line of its own");

/* Every CPU begins idle: it calls limbo_busy first. */
void limbo_init(struct limbo *limbo, uint32_t cpus);
/* Takes an object whose refs are 0 and whose link is in no list. Any CPU. */
void limbo_add(struct limbo *limbo, struct object *object);
/* This CPU, which is busy, holds no pointer from before. Cheap: called between turns. */
static inline void limbo_boundary(struct limbo *limbo, uint32_t cpu)
{
    struct limbo_cpu *own = &limbo->cpu[cpu];
    uint64_t seen = at_load(&own->seen, RELAXED); /* only this CPU writes it */
    /* ACQUIRE pairs with the RELEASE of epoch_close: lookups from here on see every unlinking that
     * came before the epoch. */
    uint64_t epoch = at_load(&limbo->epoch, ACQUIRE);
    if (__builtin_expect(seen == epoch, 1))
        return;
    ASSERT(seen != UINT64_MAX); /* it is not idle */
    /* RELEASE pairs with the ACQUIRE of all_passed: uses of old pointers end before. */
    at_store(&own->seen, epoch, RELEASE);
}
/* Around sleep, also for good: a CPU that is idle counts as passed. limbo_busy before it touches
 * any object. */
void limbo_idle(struct limbo *limbo, uint32_t cpu);
void limbo_busy(struct limbo *limbo, uint32_t cpu);
/* Destroys objects whose grace period is over, at most `max` > 0, and goes on with one whose end
 * has begun; true when some are left here. A grace period needs a boundary of every busy CPU, so a
 * caller that wants an empty limbo passes its own between calls. Called without locks by CPUs
 * between turns and before they sleep. */
bool limbo_reap(struct limbo *limbo, uint32_t max);
/* For class->destroy of an object that is more work than may be done between two turns: it has done
 * a part, and is called again by who reaps next. Without locks. */
void limbo_again(struct limbo *limbo, struct object *object);
/* The same, but by that CPU alone (limbo_reap_own), where the object has something to undo. It is
 * up to the caller to wake it. */
void limbo_hand_over(struct limbo *limbo, struct object *object, uint32_t cpu);
/* Destroys what was handed over to this CPU, at most `max`. As limbo_reap. */
void limbo_reap_own(struct limbo *limbo, uint32_t cpu, uint32_t max);
/* There is an object whose end has begun: who has nothing else to do reaps again. */
static inline bool limbo_goes_on(struct limbo *limbo)
{
    return at_load(&limbo->begun, RELAXED) != 0; /* a hint */
}
/* Waiting for a grace period, for who may reuse or announce something only when no CPU can still
 * act on a pointer from before: a revoke that promises that nothing of what it deleted is in use.
 *
 * A ticket is a number to ask about: limbo_passed is true when every CPU has passed a boundary, or
 * was idle, since it was drawn. Any CPU; it waits for the asker's own boundary too. */
uint64_t limbo_ticket(struct limbo *limbo);
bool limbo_passed(struct limbo *limbo, uint64_t ticket);
/* Such a number may have been drawn: what comes from a component is asked for first. */
static inline bool limbo_drew(struct limbo *limbo, uint64_t ticket)
{
    return ticket > 0 && ticket <= at_load(&limbo->epoch, RELAXED); /* it only grows */
}
/* At shutdown, when no CPU runs: destroys all, also what that sends here. From then on limbo_drains
 * is true: nobody waits for what a CPU still has to do. */
void limbo_drain(struct limbo *limbo);
static inline bool limbo_drains(const struct limbo *limbo)
{
    return limbo->drains;
}

#endif
