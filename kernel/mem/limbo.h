/* limbo.h: grace periods. Objects whose last ref is gone wait here until every CPU has passed a
 * turn boundary, for until then a CPU may still use a pointer that it looked up in its turn
 * (quiescent-state-based reclamation: Hart, McKenney et al., "Performance of memory reclamation for
 * lockless synchronization", JPDC 2007). */
#ifndef KERNEL_MEM_LIMBO_H
#define KERNEL_MEM_LIMBO_H

#include <stdbool.h>
#include <stdint.h>
#include <tenon/limits.h>

#include "base/list.h"
#include "kernel/mem/lock.h"

struct object;

struct limbo_cpu {
    _Alignas(64) atomic_u64 seen; /* epoch at this CPU's last boundary; UINT64_MAX: idle */
};

struct limbo {
    struct spinlock lock;
    atomic_u64 epoch;     /* changed under the lock */
    atomic_u64 held;      /* objects here; changed under the lock */
    struct list waiting;  /* objects of the closed epoch */
    struct list arriving; /* objects that came since */
    uint32_t cpus;        /* 1 to TN_CPUS_MAX */
    struct limbo_cpu cpu[TN_CPUS_MAX];
};

/* Every CPU begins idle: it calls limbo_busy first. */
void limbo_init(struct limbo *limbo, uint32_t cpus);
/* Takes an object whose refs are 0 and whose link is in no list. Any CPU. */
void limbo_add(struct limbo *limbo, struct object *object);
/* This CPU, which is busy, holds no pointer from before. Cheap: called between turns. */
void limbo_boundary(struct limbo *limbo, uint32_t cpu);
/* Around sleep, also for good: a CPU that is idle counts as passed. limbo_busy before it touches
 * any object. */
void limbo_idle(struct limbo *limbo, uint32_t cpu);
void limbo_busy(struct limbo *limbo, uint32_t cpu);
/* Destroys objects whose grace period is over, at most `max` > 0; true when some are left here. A
 * grace period needs a boundary of every busy CPU, so a caller that wants an empty limbo passes its
 * own between calls. Called without locks by CPUs between turns and before they sleep. */
bool limbo_reap(struct limbo *limbo, uint32_t max);
/* At shutdown, when no CPU runs: destroys all, also what that sends here. */
void limbo_drain(struct limbo *limbo);

#endif
