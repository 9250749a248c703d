/* lookup.h: the layout of slots and spaces, and the lookup that callers inline.
 *
 * Every call and send looks a capability up, so the lookup is the one operation of this module that
 * may not cost a call: it is here, in a header that other modules include, and with it the layout
 * that it reads. All else about slots and spaces stays in cap_int.h; nobody but kernel/cap touches
 * a field, and nobody but kernel/cap writes one.
 *
 * A slot's word carries generation, state, type and rights, so that one comparison answers all
 * four: the handle's generation, with the wanted type and rights where the handle has its index, is
 * what the word must look like. cap.c says why the values read between the two loads of the word
 * belong to that life of the slot. */
#ifndef KERNEL_CAP_LOOKUP_H
#define KERNEL_CAP_LOOKUP_H

#include "base/atomic.h"
#include "kernel/cap/cap.h"

/* A slot's word: generation:40 | unused:3 | flags:5 | type:8 | rights:8. */
enum {
    WORD_RIGHTS = 0xff,
    WORD_TYPE_SHIFT = 8,
    WORD_TYPE = 0xff << WORD_TYPE_SHIFT,
    WORD_LIVE = 1 << 16,     /* the slot is a capability */
    WORD_REVOKING = 1 << 17, /* nothing may be derived from it now */
    WORD_RESERVED = 1 << 18, /* the slot waits for a capability (cap_reserve) */
    WORD_POSTED = 1 << 19,   /* it came with a message that nobody has taken yet */
    WORD_MARKED = 1 << 20,   /* it was there at the last space_mark */
    WORD_GENERATION_SHIFT = 24,
};
#define WORD_GENERATION (~UINT64_C(0) << WORD_GENERATION_SHIFT)

enum { CHUNK_SLOTS = 8 }; /* slots of the first chunk of a space; each next one has twice as many */

/* One capability, or a free slot. Changed under the derivation lock. The first three words are read
 * without it by lookups. */
struct slot {
    atomic_u64 word;
    atomic_ptr object;
    atomic_u64 badge; /* of a free slot: its index in the space */
    uintptr_t owner;  /* the space | the slot's chunk; set when the slot is first used */
    uintptr_t next;   /* sibling, or LINK_UP | parent, or 0; free: the next free slot */
    uintptr_t prev;
    struct slot *first, *last; /* children, or NULL */
};
_Static_assert(sizeof(struct slot) == 64, "a cache line");

struct space {
    struct object object;
    struct cap_root *root;
    atomic_ptr near; /* the first chunk: CHUNK_SLOTS slots, dead ones while there is none */
    atomic_ptr far;  /* struct far_chunks, made with the second chunk */
    uint32_t slots_max;

    /* Under the derivation lock. */
    uint32_t room;                       /* slots in the chunks there are */
    uint32_t fresh;                      /* slots from this index on were never used */
    uint32_t count;                      /* capabilities */
    uint32_t reserved;                   /* slots that wait for a capability */
    uint32_t retired;                    /* slots that will never be used again */
    struct slot *free_first, *free_last; /* first in, first out */
};
_Static_assert(sizeof(struct space) <= 128, "what an empty space costs");

/* The slot at `index` >= CHUNK_SLOTS; NULL when there is no memory for it yet. */
struct slot *space_far_slot(struct space *space, uint32_t index);

/* The slot at `index`, which may be any number; NULL or a slot that is not live when it was never
 * used. Without a lock. */
static inline struct slot *space_slot(struct space *space, uint32_t index)
{
    /* ACQUIRE pairs with the RELEASE of space_grow: a chunk is seen cleared. */
    if (__builtin_expect(index < CHUNK_SLOTS, 1))
        return (struct slot *)at_load(&space->near, ACQUIRE) + index;
    return space_far_slot(space, index);
}

/* What a capability's slot of that type with those rights must look like, and where. The handle's
 * index is in its lower bits, so that they do no harm there. */
static inline bool slot_is(struct slot *slot, tn_cap cap, enum object_type type, uint32_t rights,
                           struct cap_view *ret_view)
{
    const uint64_t wanted = WORD_LIVE | (uint64_t)type << WORD_TYPE_SHIFT | rights;
    const uint64_t care = WORD_GENERATION | WORD_LIVE | WORD_TYPE | rights;
    uint64_t word = at_load(&slot->word, ACQUIRE);
    struct object *object = at_load(&slot->object, ACQUIRE);
    uint64_t badge = at_load(&slot->badge, ACQUIRE);
    /* RELAXED: the two loads before keep it behind them. */
    uint64_t again = at_load(&slot->word, RELAXED);
    ret_view->object = object;
    ret_view->badge = badge;
    ret_view->rights = (uint32_t)word & WORD_RIGHTS;
    return ((word ^ ((cap & WORD_GENERATION) | wanted)) & care) == 0 && word == again;
}

/* The same as cap_find for a capability in the space's first chunk; false: it is not there, or not
 * at this moment, and cap_find is to say what it is. */
static inline bool cap_find_near(struct space *space, tn_cap cap, enum object_type type,
                                 uint32_t rights, struct cap_view *ret_view)
{
    uint32_t index = (uint32_t)(cap & ~WORD_GENERATION);
    struct slot *near = at_load(&space->near, ACQUIRE);
    return __builtin_expect(index < CHUNK_SLOTS, 1) &&
           __builtin_expect(slot_is(near + index, cap, type, rights, ret_view), 1);
}

/* cap_lookup for callers that know the type (not OBJ_NONE) and the rights (<= TN_R_ALL) when they
 * are compiled: the same contract. */
static inline tn_err cap_find(struct space *space, tn_cap cap, enum object_type type,
                              uint32_t rights, struct cap_view *ret_view)
{
    struct slot *slot = space_slot(space, (uint32_t)(cap & ~WORD_GENERATION));
    if (__builtin_expect(slot != NULL && slot_is(slot, cap, type, rights, ret_view), 1))
        return TN_OK;
    /* It says which of the errors it is, or succeeds where a revoke began between the loads. */
    struct cap_view found; /* so that the caller's, whose address stays here, can be in registers */
    tn_err err = cap_lookup(space, cap, type, rights, &found);
    if (err == TN_OK)
        *ret_view = found;
    return err;
}

#endif
