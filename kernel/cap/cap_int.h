/* cap_int.h: slots, the derivation tree and spaces, for the files of kernel/cap and their tests. */
#ifndef KERNEL_CAP_CAP_INT_H
#define KERNEL_CAP_CAP_INT_H

#include "base/atomic.h"
#include "base/bits.h"
#include "kernel/cap/cap.h"

/* A slot's word: generation:40 | unused:5 | flags:3 | type:8 | rights:8. */
enum {
    WORD_RIGHTS = 0xff,
    WORD_TYPE_SHIFT = 8,
    WORD_LIVE = 1 << 16,     /* the slot is a capability */
    WORD_REVOKING = 1 << 17, /* nothing may be derived from it now */
    WORD_POSTED = 1 << 18,   /* it came with a message that nobody has taken yet */
    WORD_GENERATION_SHIFT = 24,
};
#define GENERATION_MAX ((UINT64_C(1) << 40) - 1)

enum {
    CAP_STEP = 64,     /* capabilities deleted in one hold of the derivation lock */
    CHUNK_SLOTS = 8,   /* slots of the first chunk of a space; each next one has twice as many */
    SPACE_CHUNKS = 14, /* enough for TN_SPACE_MAX */
};
_Static_assert(CHUNK_SLOTS *((1 << SPACE_CHUNKS) - 1) >= TN_SPACE_MAX, "chunks for every slot");

/* An end of a list of siblings points up to the parent, with this bit set, or is 0 where there is
 * no parent. */
enum { LINK_UP = 1 };

/* One capability, or a free slot. Changed under the derivation lock. The first three words are read
 * without it by cap_lookup; cap.c says how. */
struct slot {
    atomic_u64 word;
    atomic_ptr object;
    atomic_u64 badge;    /* of a free slot: its index in the space */
    struct space *space; /* set when the slot is first used */
    uintptr_t next;      /* sibling, or LINK_UP | parent, or 0; free: the next free slot */
    uintptr_t prev;
    struct slot *first, *last; /* children, or NULL */
};
_Static_assert(sizeof(struct slot) == 64, "a cache line");

struct space {
    struct object object;
    struct cap_root *root;
    uint32_t slots_max;
    atomic_ptr chunk[SPACE_CHUNKS]; /* set once, under the lock; read without */

    /* Under the derivation lock. */
    uint32_t room;                       /* slots in the chunks there are */
    uint32_t fresh;                      /* slots from this index on were never used */
    uint32_t count;                      /* capabilities */
    uint32_t retired;                    /* slots that will never be used again */
    struct slot *free_first, *free_last; /* first in, first out */
};

static inline uint64_t word_generation(uint64_t word)
{
    return word >> WORD_GENERATION_SHIFT;
}

static inline enum object_type word_type(uint64_t word)
{
    return (enum object_type)(word >> WORD_TYPE_SHIFT & 0xff);
}

/* tree.c: derivation trees. Under the derivation lock; each O(1). */

/* Makes `slot`, in no tree, a child of `parent`. */
void tree_add(struct slot *parent, struct slot *slot);
/* Takes `slot` out; its children take its place below its parent. */
void tree_remove(struct slot *slot);
/* Puts `to`, in no tree, where `from` is; `from` is in no tree afterwards. */
void tree_replace(struct slot *from, struct slot *to);
/* NULL for a root. Walks the siblings: for checks and tests. */
struct slot *tree_parent(const struct slot *slot);

/* space.c: the slots of a space. Under the derivation lock. */

/* The slot at `index` < slots_max; NULL when it was never used. Also without the lock. */
struct slot *space_slot(struct space *space, uint32_t index);
uint32_t space_index(struct space *space, const struct slot *slot);
/* Sees to it that space_take can be called n times. TN_EAGAIN: it can, but the lock was dropped
 * meanwhile, so what was decoded must be decoded again. TN_ENOSLOT, TN_ENOMEM. */
tn_err space_reserve(struct space *space, uint32_t n);
/* A free slot becomes a capability in no tree; returns its handle. */
tn_cap space_take(struct space *space, struct object *object, uint64_t badge, uint32_t rights,
                  struct slot **ret_slot);
/* A capability in no tree becomes a free slot, or is retired. */
void space_put(struct slot *slot);

/* cap.c */

/* Objects that lost their last capability, to be told so without locks. */
struct orphans {
    struct object *object[CAP_STEP];
    uint32_t count;
};
/* Deletes one capability; room for one more orphan. Lock held. */
void cap_unlink(struct slot *slot, struct orphans *orphans);
/* Without locks. */
void orphans_tell(struct orphans *orphans);

/* For tests: makes the slot of `cap`, a live capability, carry `generation` from now on. */
tn_cap cap_test_set_generation(struct space *space, tn_cap cap, uint64_t generation);

#endif
