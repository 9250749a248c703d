/* lock.h: the kernel's spin lock. Held for short, bounded work; never across a switch of fiber, a
 * park or a call out of the kernel core. */
#ifndef KERNEL_MEM_LOCK_H
#define KERNEL_MEM_LOCK_H

#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/machine.h"
#include "lock_order.h"

/* The order in which locks may nest: a CPU that holds one takes only greater ones. The simulator
 * and builds with a sanitizer see to it (lock_order.h). */
enum lock_rank {
    LOCK_NOTE = 1,  /* waiters of one notification */
    LOCK_SEIZE = 2, /* one CPU's, by others */
    LOCK_CPU = 3,   /* one CPU's, which is no spin lock (sched/cpu.h) */
    LOCK_CAPS = 4,  /* derivation trees (cap_root) */
    LOCK_SPACE = 5, /* slots of one space */
    LOCK_SCHED = 6, /* the kernel's stacks */
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
    race_lock_wants(lock, lock->rank);
    /* ACQUIRE pairs with the RELEASE of lock_drop: what the last holder wrote is seen. */
    while (at_swap(&lock->held, 1, ACQUIRE) != 0) {
        while (at_load(&lock->held, RELAXED) != 0)
            machine_relax();
    }
    race_lock_has(lock, lock->rank);
}

static inline void lock_drop(struct spinlock *lock)
{
    ASSERT(at_load(&lock->held, RELAXED) == 1);
    race_lock_drops(lock);
    at_store(&lock->held, 0, RELEASE);
}

#endif
