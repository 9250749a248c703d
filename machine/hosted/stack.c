/* stack.c: stacks with a guard page below, on a host.
 *
 * Every size asked for has a shelf: one reserved range of equal slots, each a guard page and then a
 * stack, taken in order the first time and from a list of returned ones after that. A stack and
 * its guard would be two mappings of the 65,530 that a process has; where Linux offers guards that
 * are marks in the page table (MADV_GUARD_INSTALL, 6.13) a whole shelf is two mappings, elsewhere
 * the guard is what was never made accessible.
 *
 * Invariants:
 *  1. A shelf's base, once published by shelf_count, changes only at stack_destroy, so that the
 *     fault handler reads shelves without a lock.
 *  2. Slots [0, fresh) are accessible above their guard. Without mark_guards no guard ever was.
 *  3. A slot below fresh is in use, or on the free list once. */
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/atomic.h"
#include "base/bits.h"
#include "kernel/machine.h"
#include "machine/common/fiber.h"
#include "machine/hosted/memory.h"

/* Not yet in Debian 12's headers. */
#define LINUX_MADV_GUARD_INSTALL 102

/* Returned stacks that keep their pages warm, per shelf; those beyond give them back. */
enum { STACK_WARM_MAX = 64, SLOT_NONE = -1 };

struct shelf {
    void *reserved; /* what mmap gave; base is the first aligned byte of it */
    char *base;
    size_t stack_bytes, slot_bytes;
    int32_t fresh;      /* slots taken at least once */
    int32_t free_first; /* slot index, SLOT_NONE at the end of the list */
    uint32_t free_count;
    bool mark_guards; /* guards are marks in the page table */
    int32_t next_free[STACK_SLOTS_MAX];
};

static struct {
    pthread_mutex_t lock; /* everything but the reading of shelf_count and the bases */
    atomic_u32 shelf_count;
    struct shelf shelves[STACK_SIZES_MAX];
} stacks = {.lock = PTHREAD_MUTEX_INITIALIZER};

static size_t guard_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static char *shelf_stack(const struct shelf *shelf, int32_t slot)
{
    return shelf->base + (size_t)(slot + 1) * shelf->slot_bytes - shelf->stack_bytes;
}

static char *shelf_guard(const struct shelf *shelf, int32_t slot)
{
    return shelf_stack(shelf, slot) - guard_bytes();
}

/* The shelf for stacks of `bytes`, made when there is none; NULL when there are too many sizes or
 * no address space. */
static struct shelf *shelf_find(size_t bytes)
{
    uint32_t count = at_load(&stacks.shelf_count, RELAXED); /* written under our lock only */
    for (uint32_t i = 0; i < count; i++)
        if (stacks.shelves[i].stack_bytes == bytes)
            return &stacks.shelves[i];
    if (count == STACK_SIZES_MAX)
        return NULL;
    struct shelf *shelf = &stacks.shelves[count];
    /* A power of two is aligned to itself: each slot is twice as large, the stack its upper half.
     */
    uint64_t slot_bytes = is_pow2(bytes) ? 2 * bytes : bytes + guard_bytes();
    uint64_t total_bytes;
    if (mul_overflows(slot_bytes, STACK_SLOTS_MAX + 1, &total_bytes))
        return NULL;
    void *at =
        mmap(NULL, total_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    (void)madvise(at, total_bytes, MADV_DONTDUMP); /* gigabytes that no debugger needs */
    shelf->reserved = at;
    shelf->base = is_pow2(bytes) ? (char *)(uintptr_t)align_up((uintptr_t)at, slot_bytes) : at;
    shelf->stack_bytes = bytes;
    shelf->slot_bytes = slot_bytes;
    shelf->fresh = 0;
    shelf->free_first = SLOT_NONE;
    shelf->free_count = 0;
    shelf->mark_guards = true;
    /* Release: the fault handler that sees the count sees the shelf. */
    at_store(&stacks.shelf_count, count + 1, RELEASE);
    return shelf;
}

/* Makes a slot's stack accessible, its guard not. False when Linux has no mapping left. */
static bool shelf_open(struct shelf *shelf, int32_t slot)
{
    char *guard = shelf_guard(shelf, slot);
    int access = PROT_READ | PROT_WRITE;
    (void)madvise(shelf_stack(shelf, slot), shelf->stack_bytes, MADV_DODUMP);
    if (shelf->mark_guards) {
        if (mprotect(guard, guard_bytes() + shelf->stack_bytes, access) != 0)
            return false;
        if (madvise(guard, guard_bytes(), LINUX_MADV_GUARD_INSTALL) == 0)
            return true;
        /* An older Linux, or locked memory: for this shelf, guards by protection from now on. */
        if (mprotect(guard, guard_bytes(), PROT_NONE) != 0)
            return false;
        shelf->mark_guards = false;
        return true;
    }
    return mprotect(guard + guard_bytes(), shelf->stack_bytes, access) == 0;
}

void *machine_stack_get(size_t bytes)
{
    ASSERT(bytes > 0 && bytes % guard_bytes() == 0);
    void *stack = NULL;
    (void)pthread_mutex_lock(&stacks.lock);
    struct shelf *shelf = shelf_find(bytes);
    int32_t slot = SLOT_NONE;
    if (shelf != NULL && shelf->free_first != SLOT_NONE) {
        slot = shelf->free_first;
        shelf->free_first = shelf->next_free[slot];
        shelf->free_count--;
    } else if (shelf != NULL && shelf->fresh < STACK_SLOTS_MAX && shelf_open(shelf, shelf->fresh)) {
        slot = shelf->fresh++;
    }
    if (slot != SLOT_NONE)
        stack = shelf_stack(shelf, slot);
    (void)pthread_mutex_unlock(&stacks.lock);
    return stack;
}

void machine_stack_put(void *stack, size_t bytes)
{
    if (stack == NULL)
        return;
    fiber_stack_unused(stack, bytes);
    (void)pthread_mutex_lock(&stacks.lock);
    struct shelf *shelf = shelf_find(bytes);
    ASSERT(shelf != NULL);
    size_t off = (size_t)((char *)stack + shelf->stack_bytes - shelf->slot_bytes - shelf->base);
    ASSERT(off % shelf->slot_bytes == 0 && off / shelf->slot_bytes < (size_t)shelf->fresh);
    int32_t slot = (int32_t)(off / shelf->slot_bytes);
    if (shelf->free_count >= STACK_WARM_MAX)
        (void)madvise(stack, bytes, MADV_DONTNEED); /* a saving; failing changes nothing */
    shelf->next_free[slot] = shelf->free_first;
    shelf->free_first = slot;
    shelf->free_count++;
    (void)pthread_mutex_unlock(&stacks.lock);
}

/* The shelf that the address lies in, or NULL. Async-signal-safe. */
static const struct shelf *shelf_at(uintptr_t address)
{
    uint32_t count = at_load(&stacks.shelf_count, ACQUIRE); /* see shelf_find */
    for (uint32_t i = 0; i < count; i++) {
        const struct shelf *shelf = &stacks.shelves[i];
        if (address - (uintptr_t)shelf->base < (uint64_t)shelf->slot_bytes * STACK_SLOTS_MAX)
            return shelf;
    }
    return NULL;
}

bool stack_holds(uintptr_t address)
{
    return shelf_at(address) != NULL;
}

bool stack_guards(uintptr_t address)
{
    const struct shelf *shelf = shelf_at(address);
    if (shelf == NULL)
        return false;
    uint64_t off = address - (uintptr_t)shelf->base;
    return off % shelf->slot_bytes < shelf->slot_bytes - shelf->stack_bytes;
}

void stack_destroy(void)
{
    (void)pthread_mutex_lock(&stacks.lock);
    uint32_t count = at_load(&stacks.shelf_count, RELAXED); /* under our lock */
    at_store(&stacks.shelf_count, 0,
             RELEASE); /* the handler may still see stale ranges: harmless */
    for (uint32_t i = 0; i < count; i++) {
        struct shelf *shelf = &stacks.shelves[i];
        for (int32_t slot = 0; slot < shelf->fresh; slot++)
            fiber_stack_unused(shelf_stack(shelf, slot), shelf->stack_bytes);
        (void)munmap(shelf->reserved, shelf->slot_bytes * (STACK_SLOTS_MAX + 1));
        shelf->base = NULL;
    }
    (void)pthread_mutex_unlock(&stacks.lock);
}
