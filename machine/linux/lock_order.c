/* lock_order.c: the order of the kernel's locks on real threads, in builds with a sanitizer. */
#include "base/race/checked/lock_order.h"

#include "machine/hosted/held.h"

/* No lock is held across a switch of fiber, so what a thread holds is what its CPU holds. */
static __thread struct held held;

void race_lock_wants(const void *lock, uint32_t rank)
{
    held_wants(&held, lock, rank);
}

void race_lock_has(const void *lock, uint32_t rank)
{
    held_add(&held, lock, rank);
}

void race_lock_drops(const void *lock)
{
    held_remove(&held, lock);
}

void race_lock_forget(void)
{
    held.count = 0;
}
