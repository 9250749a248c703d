/* mem.h: untyped memory. The kernel never allocates for itself at run time: every object is made by
 * retyping untyped memory that somebody was given, and stays charged to it.
 *
 * An untyped is a contiguous range, shared out by an arena (arena.h): a buddy allocator of 4 KiB
 * pages with slabs of small objects, whose map sits at the range's own head. A child untyped is a
 * block of its parent.
 */
#ifndef KERNEL_MEM_MEM_H
#define KERNEL_MEM_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tenon/errors.h>

#include "kernel/mem/object.h"

enum {
    MEM_PAGE = 4096,
    MEM_RELEASE = 2 << 20,   /* free blocks of this size go back to the machine */
    MEM_GIVE = MEM_RELEASE,  /* bytes that are given back in one step */
    MEM_SLAB_MAX = 2048,     /* larger ones take pages */
    MEM_UNTYPED_MIN = 16384, /* the smallest untyped: its head and three pages */
};
#define MEM_UNTYPED_MAX (UINT64_C(1) << 40) /* bytes of the largest */

struct untyped;

/* Makes a root of the range [base, base + size_bytes), which reads as zero; base is aligned to 2
 * MiB, size a multiple of MEM_PAGE, at least MEM_UNTYPED_MIN. The head of the range becomes the
 * untyped; refs = 1 is the caller's. TN_EINVAL, TN_ETOOBIG (above MEM_UNTYPED_MAX). Boot. */
tn_err untyped_boot(void *base, uint64_t size_bytes, struct limbo *limbo,
                    struct untyped **ret_untyped);
/* A child of `parent` with size_bytes (rounded up to a power of two) of its own: TN_ENOMEM,
 * TN_EINVAL (below MEM_UNTYPED_MIN). refs = 1 is the caller's. Any CPU.
 *
 * An untyped outlives its last ref until all that was allocated from it is freed, children
 * included; so no object needs a ref to the memory that it is made from. */
tn_err untyped_make(struct untyped *parent, uint64_t size_bytes, struct untyped **ret_untyped);

/* `bytes` > 0 zeroed bytes, aligned to 16, to 64 when bytes is a multiple of 64, to bytes when that
 * is a power of two up to MEM_PAGE, and to MEM_PAGE when it is more. NULL when there is no room.
 * However many are asked for, the buddy arena has at most MEM_RELEASE of them cleared here: larger
 * free blocks read as zero already. Any CPU. */
void *mem_alloc(struct untyped *untyped, size_t bytes);
/* `bytes` as given to mem_alloc. NULL is harmless. What is more than MEM_GIVE is given back in
 * parts of that size, by whoever reaps limbo, and counts as used until then. Any CPU, without a
 * lock of LOCK_LIMBO or above. */
void mem_free(struct untyped *untyped, void *at, size_t bytes);
/* One such part, now; false when nothing is left to be given back. mem_alloc does a few of them
 * when it finds no room. By who has a ref to the untyped, or something of it; any CPU, as mem_free.
 */
bool mem_give_back(struct untyped *untyped);

struct mem_stats {
    uint64_t size_bytes; /* of the untyped, its head included */
    uint64_t used_bytes; /* handed out, as arena_charge counts it */
    uint64_t free_bytes; /* the rest, without the head */
    uint64_t peak_bytes; /* the highest used_bytes so far */
};
struct mem_stats mem_stats(struct untyped *untyped);
struct object *untyped_object(struct untyped *untyped);
struct untyped *untyped_of(struct object *object);
/* Every invariant of it and its arena, for tests and the simulator: panics on a breach. */
void mem_check(struct untyped *untyped);

#endif
