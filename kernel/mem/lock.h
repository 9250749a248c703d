/* lock.h: the kernel's spin lock. Held for short, bounded work; never across a switch of fiber, a
 * park or a call out of the kernel core. */
#ifndef KERNEL_MEM_LOCK_H
#define KERNEL_MEM_LOCK_H

#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/machine.h"

/* The order in which locks may nest: a CPU that holds one takes only greater ones. */
enum lock_rank {
    LOCK_CAPS = 1,  /* derivation trees (cap_root) */
    LOCK_SPACE = 2, /* slots of one space */
    LOCK_ACTOR = 3, /* waiters of one actor, turns of one actor */
    LOCK_NOTE = 4,  /* waiters of one notification */
    LOCK_WHEEL = 5, /* one CPU's timers */
    LOCK_SCHED = 6, /* one CPU's run queues */
    LOCK_LIMBO = 7, /* objects that wait for their grace period */
    LOCK_MEM = 8,   /* one untyped's allocator */
};

struct spinlock {
    atomic_u32 held;
    uint32_t rank; /* enum lock_rank */
};

static inline void lock_init(struct spinlock *lock, enum lock_rank rank)
{
    at_init(&lock->held, 0);
    lock->rank = rank;
}

static inline void lock_take(struct spinlock *lock)
{
    /* ACQUIRE pairs with the RELEASE of lock_drop: what the last holder wrote is seen. */
    while (at_swap(&lock->held, 1, ACQUIRE) != 0) {
        while (at_load(&lock->held, RELAXED) != 0)
            machine_relax();
    }
}

static inline void lock_drop(struct spinlock *lock)
{
    ASSERT(at_load(&lock->held, RELAXED) == 1);
    at_store(&lock->held, 0, RELEASE);
}

#endif
