/* mem_int.h: the inside of an untyped, for the files of kernel/mem and their tests. */
#ifndef KERNEL_MEM_MEM_INT_H
#define KERNEL_MEM_MEM_INT_H

#include "kernel/mem/arena.h"
#include "kernel/mem/lock.h"
#include "kernel/mem/mem.h"

/* At the beginning of what was freed and is being given back. */
struct going {
    struct going *next;
    uint64_t bytes; /* that are left */
};

struct untyped {
    struct object object;
    struct object giver; /* limbo's, while something is being given back; never a capability's */
    /* Set when made. */
    uint32_t pages;      /* its head included */
    uint32_t head_pages; /* this struct and what the arena keeps behind it */

    /* Under the lock, as all of the arena's. */
    _Alignas(64) struct spinlock lock;
    bool dying;    /* no ref is left: it ends when `live` reaches 0 */
    uint64_t live; /* allocations handed out */
    uint64_t used_bytes, peak_bytes;
    struct going *going; /* what is being given back, from its ends */
    bool gives;          /* `giver` is in limbo, or on its way there */
};

static inline void *page_at(struct untyped *untyped, uint32_t page)
{
    return (char *)untyped + (size_t)page * MEM_PAGE;
}

#endif
