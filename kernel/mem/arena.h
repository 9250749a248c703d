/* arena.h: what shares out the range of an untyped: the seam at which the allocator is exchanged.
 *
 * mem.c makes and ends untypeds, holds the lock, clears, and counts what is handed out; an arena
 * finds room and takes it back. There are two, and the build picks one (option `arena`), so that
 * nothing goes through a pointer:
 *   buddy      buddy.c and slab.c, arena_buddy.c: what Tenon uses
 *   first_fit  first_fit.c: a list of what is free, to show that it can be replaced, and a second
 *              opinion for the tests, which run on both
 *
 * An arena keeps what it needs to know at the head of the range, behind struct untyped. */
#ifndef KERNEL_MEM_ARENA_H
#define KERNEL_MEM_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct untyped;

/* Bytes of its own at the head of a range of so many pages. */
uint64_t arena_head_bytes(uint64_t pages);
/* Makes the pages after the head available, which read as zero if `zero`; the head does. */
void arena_setup(struct untyped *untyped, bool zero);
/* What an allocation of `bytes` > 0 is counted as; at least `bytes`. */
uint64_t arena_charge(uint64_t bytes);

/* With the untyped's lock held, which they may drop and take again. */

/* Room for `bytes`, of which there are no more than the untyped has, aligned as mem_alloc promises.
 * *ret_zero: it reads as zero already; *ret_charge: what it is counted as (arena_charge). NULL:
 * there is none, whatever was held back for speed. */
void *arena_alloc(struct untyped *untyped, size_t bytes, bool *ret_zero, uint64_t *ret_charge);
/* Returns what it was counted as. */
uint64_t arena_free(struct untyped *untyped, void *at, size_t bytes);
/* The same for what is behind the first `keep` of those `bytes`, which stay handed out: a multiple
 * of MEM_GIVE, above 0. */
uint64_t arena_trim(struct untyped *untyped, void *at, size_t bytes, size_t keep);

/* What a walk of the whole range has found. */
struct arena_census {
    uint64_t live, used_bytes; /* allocations that are out, and what they are counted as */
};
/* Every invariant of the arena: panics on a breach. Does not drop the lock. An arena that does not
 * know what is out takes the untyped's word for `live`. */
struct arena_census arena_check(struct untyped *untyped);

#endif
