/* stack.c: stacks with a guard page below, on a bare machine.
 *
 * As on a host, every size asked for has a shelf: equal slots in a range of its own, each a guard
 * page and then a stack; a stack whose size is a power of two is aligned to itself. The pages of a
 * slot come from the machine's own when it is first taken, and stay. */
#include "base/assert.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "machine/bare/bare_int.h"
#include "machine/bare/layout.h"
#include "machine/bare/paging.h"

enum { STACK_SIZES_MAX = 8, STACK_SLOTS_MAX = 16384, SHELF_BYTES_LOG2 = 40 };

struct shelf {
    size_t stack_bytes, slot_bytes;
    uint32_t fresh; /* slots taken at least once */
    void *free;     /* the first of the returned ones, whose top word is the next; NULL: none */
};

static struct {
    struct bare_lock lock;
    struct shelf shelves[1 + STACK_SIZES_MAX]; /* the first is of boot stacks, and stays */
    uint32_t n;
} stacks = {.n = 1};

static uint64_t shelf_base(uint32_t shelf)
{
    return LAYOUT_STACK + ((uint64_t)shelf << SHELF_BYTES_LOG2);
}

static uint64_t stack_at(uint32_t shelf, uint32_t slot)
{
    const struct shelf *s = &stacks.shelves[shelf];
    return shelf_base(shelf) + (slot + UINT64_C(1)) * s->slot_bytes - s->stack_bytes;
}

static bool map_pages(uint64_t at, size_t bytes)
{
    for (size_t done = 0; done < bytes; done += PAGE_BYTES) {
        uint64_t phys = frame_get();
        if (phys != 0 && paging_map(at + done, phys, PAGE_BYTES, PAGE_WRITE))
            continue;
        if (phys != 0)
            frame_put(phys);
        /* Nobody has used what there is of it, so no CPU remembers it. */
        while (done > 0) {
            done -= PAGE_BYTES;
            frame_put(paging_unmap(at + done));
        }
        return false;
    }
    return true;
}

static void **link_of(void *stack, const struct shelf *shelf)
{
    return (void **)((char *)stack + shelf->stack_bytes - sizeof(void *));
}

static void *take(uint32_t i)
{
    struct shelf *shelf = &stacks.shelves[i];
    void *stack = shelf->free;
    if (stack != NULL) {
        shelf->free = *link_of(stack, shelf);
        return stack;
    }
    if (shelf->fresh == STACK_SLOTS_MAX ||
        !map_pages(stack_at(i, shelf->fresh), shelf->stack_bytes))
        return NULL;
    return (void *)(uintptr_t)stack_at(i, shelf->fresh++);
}

/* The shelf for stacks of `bytes`, made when there is none; how many there can be when there are
 * too many sizes. */
static uint32_t shelf_find(size_t bytes)
{
    for (uint32_t i = 1; i < stacks.n; i++)
        if (stacks.shelves[i].stack_bytes == bytes)
            return i;
    if (stacks.n == ARRAY_LEN(stacks.shelves))
        return stacks.n;
    struct shelf *shelf = &stacks.shelves[stacks.n];
    shelf->stack_bytes = bytes;
    shelf->slot_bytes = is_pow2(bytes) ? 2 * bytes : bytes + PAGE_BYTES;
    shelf->fresh = 0;
    shelf->free = NULL;
    return stacks.n++;
}

void *machine_stack_get(size_t bytes)
{
    ASSERT(bytes > 0 && bytes % PAGE_BYTES == 0 && bytes < UINT64_C(1) << 24);
    bare_lock_take(&stacks.lock);
    uint32_t i = shelf_find(bytes);
    void *stack = i < ARRAY_LEN(stacks.shelves) ? take(i) : NULL;
    bare_lock_drop(&stacks.lock);
    return stack;
}

void machine_stack_put(void *stack, size_t bytes)
{
    if (stack == NULL)
        return;
    bare_lock_take(&stacks.lock);
    uint32_t i = shelf_find(bytes);
    ASSERT(i < ARRAY_LEN(stacks.shelves));
    struct shelf *shelf = &stacks.shelves[i];
    uint64_t off = (uint64_t)(uintptr_t)stack - stack_at(i, 0);
    ASSERT(off % shelf->slot_bytes == 0 && off / shelf->slot_bytes < shelf->fresh);
    *link_of(stack, shelf) = shelf->free;
    shelf->free = stack;
    bare_lock_drop(&stacks.lock);
}

void *stack_boot_get(size_t bytes)
{
    struct shelf *shelf = &stacks.shelves[0];
    ASSERT(shelf->stack_bytes == 0 || shelf->stack_bytes == bytes);
    shelf->stack_bytes = bytes;
    shelf->slot_bytes = 2 * bytes;
    return take(0);
}

void stacks_reset(void)
{
    for (uint32_t i = 1; i < stacks.n; i++) {
        const struct shelf *shelf = &stacks.shelves[i];
        for (uint32_t slot = 0; slot < shelf->fresh; slot++)
            for (size_t off = 0; off < shelf->stack_bytes; off += PAGE_BYTES)
                frame_put(paging_unmap(stack_at(i, slot) + off));
    }
    stacks.n = 1;
    cpus_forget_pages();
}

bool stack_guards(uint64_t at)
{
    if (at < LAYOUT_STACK)
        return false;
    uint64_t i = (at - LAYOUT_STACK) >> SHELF_BYTES_LOG2;
    if (i >= stacks.n || stacks.shelves[i].slot_bytes == 0)
        return false;
    const struct shelf *shelf = &stacks.shelves[i];
    uint64_t off = at - shelf_base((uint32_t)i);
    return off / shelf->slot_bytes < shelf->fresh &&
           off % shelf->slot_bytes < shelf->slot_bytes - shelf->stack_bytes;
}
