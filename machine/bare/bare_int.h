/* bare_int.h: what the bare machines' own files know of each other. */
#ifndef MACHINE_BARE_BARE_INT_H
#define MACHINE_BARE_BARE_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tenon/limits.h>

#include "base/atomic.h"
#include "kernel/machine.h"
#include "machine/bare/boot.h"

/* Where two locks are held, the lower number was taken first. Interrupts stay as they are: none of
 * their handlers takes one, but for fault_lock, which is taken with interrupts off. */
struct bare_lock {
    atomic_u32 taken;
};
static inline void bare_lock_take(struct bare_lock *lock)
{
    /* ACQUIRE pairs with the RELEASE of bare_lock_drop. */
    while (at_swap(&lock->taken, 1, ACQUIRE) != 0)
        machine_relax();
}
static inline void bare_lock_drop(struct bare_lock *lock)
{
    at_store(&lock->taken, 0, RELEASE);
}

/* frames.c: physical memory of the machine's own, in pages. */
void frames_init(uint64_t base, uint64_t bytes);
/* A zeroed page; 0 when none is left. */
uint64_t frame_get(void);
void frame_put(uint64_t phys);

/* region.c: what is handed over. */
void region_init(const struct memmap *map);
bool region_limit(uint64_t memory_bytes);
/* A fault at `at`: true when it was available memory that nobody had touched, which is there now.
 */
bool region_touched(uint64_t at);

/* stack.c */
void *stack_boot_get(size_t bytes);
void stacks_reset(void);
/* Whether `at` is in a guard page below a stack. Any, also while the machine ends. */
bool stack_guards(uint64_t at);

/* cpu.c */
void cpus_start(uint32_t n);
bool cpus_limit(uint32_t n);
/* Like machine_barrier, and all CPUs forget what they remember of page tables before they run on.
 */
void cpus_forget_pages(void);
/* All other CPUs stop where they are, as far as they listen. */
void cpus_stop_others(void);

#endif
