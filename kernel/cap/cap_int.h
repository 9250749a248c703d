/* cap_int.h: slots, the derivation tree and spaces, for the files of kernel/cap and their tests. */
#ifndef KERNEL_CAP_CAP_INT_H
#define KERNEL_CAP_CAP_INT_H

#include "base/atomic.h"
#include "base/bits.h"
#include "kernel/cap/lookup.h"

#define GENERATION_MAX ((UINT64_C(1) << 40) - 1)

enum {
    CAP_STEP = 64,     /* capabilities deleted in one hold of the derivation lock */
    CLEAR_STEPS = 8,   /* such holds, of a space that nobody has, before others run */
    SPACE_CHUNKS = 14, /* enough for TN_SPACE_MAX */
};
_Static_assert(CHUNK_SLOTS *((1 << SPACE_CHUNKS) - 1) >= TN_SPACE_MAX, "chunks for every slot");

/* An end of a list of siblings points up to the parent, with this bit set, or is 0 where there is
 * no parent. */
enum { LINK_UP = 1 };

/* The low bits of slot.owner: a space is aligned to 16. */
enum { OWNER_CHUNK = 15 };
_Static_assert(SPACE_CHUNKS - 1 <= OWNER_CHUNK, "a chunk's number fits");

/* The chunks of a space after the first. */
struct far_chunks {
    atomic_ptr chunk[SPACE_CHUNKS - 1]; /* set once, under the lock; read without */
};

static inline struct space *slot_space(const struct slot *slot)
{
    return (struct space *)(slot->owner & ~(uintptr_t)OWNER_CHUNK);
}

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

/* The index of a slot that was used before. */
uint32_t space_index(struct space *space, const struct slot *slot);
/* Sees to it that space_take can be called n times. TN_EAGAIN: it can, but the lock was dropped
 * meanwhile, so what was decoded must be decoded again. TN_ENOSLOT, TN_ENOMEM. */
tn_err space_make_room(struct space *space, uint32_t n);
/* A free slot becomes a capability in no tree; returns its handle. */
tn_cap space_take(struct space *space, struct object *object, uint64_t badge, uint32_t rights,
                  struct slot **ret_slot);
/* A capability in no tree, or a reserved slot becomes a free slot, or is retired. */
void space_put(struct slot *slot);

/* A free slot is reserved for whoever has its handle, which names nothing until space_fill; room
 * for it was seen to as for space_take. */
tn_cap space_reserve(struct space *space);
/* A reserved slot becomes a capability in no tree. */
void space_fill(struct slot *slot, struct object *object, uint64_t badge, uint32_t rights);

/* What every operation begins with. */

/* The slot that `cap` names at this moment, and its word: `state` is WORD_LIVE, or WORD_RESERVED.
 * Also without the lock. */
static inline struct slot *slot_find(struct space *space, tn_cap cap, uint64_t state,
                                     uint64_t *ret_word)
{
    struct slot *slot = space_slot(space, (uint32_t)(cap & ~WORD_GENERATION));
    if (slot == NULL)
        return NULL;
    /* ACQUIRE: not older than the life that it tells of. */
    uint64_t word = at_load(&slot->word, ACQUIRE);
    if (word_generation(word) != word_generation(cap) || (word & state) == 0)
        return NULL;
    *ret_word = word;
    return slot;
}

/* A slot from which something may be derived, for operations that need `rights`. Lock held. */
static inline tn_err slot_decode(struct space *space, tn_cap cap, uint32_t rights,
                                 struct slot **ret_slot, uint64_t *ret_word)
{
    uint64_t word = 0;
    struct slot *slot = slot_find(space, cap, WORD_LIVE, &word);
    if (slot == NULL || (word & WORD_REVOKING) != 0)
        return TN_EBADCAP;
    if ((rights & ~word) != 0)
        return TN_ERIGHTS;
    *ret_slot = slot;
    *ret_word = word;
    return TN_OK;
}

static inline struct object *slot_object(struct slot *slot)
{
    return at_load(&slot->object, RELAXED); /* lock held */
}

/* Sets or clears a flag of a live slot's word. Lock held. */
static inline void slot_mark(struct slot *slot, uint64_t flag, bool on)
{
    uint64_t word = at_load(&slot->word, RELAXED);
    ASSERT((word & WORD_LIVE) != 0);
    /* RELEASE: a lookup that sees this word sees what the slot names, as after space_take. */
    at_store(&slot->word, on ? word | flag : word & ~flag, RELEASE);
}

/* One more capability names the object. Lock held. */
static inline void object_count_cap(struct object *object)
{
    ASSERT(object->caps < UINT32_MAX);
    if (object->caps == 0)
        object_ref(object);
    object->caps++;
}

/* revoke.c */

/* Deletes one capability; the object when that was the last to it, which must then be told by
 * orphan_tell, else NULL. Lock held. */
struct object *cap_unlink(struct slot *slot);
/* Without locks. */
void orphan_tell(struct object *object);

/* Objects that lost their last capability in one hold of the lock. */
struct orphans {
    uint32_t count;
    struct object *object[CAP_STEP];
};
/* cap_unlink; room for one more orphan. Lock held. */
static inline void orphans_unlink(struct orphans *orphans, struct slot *slot)
{
    ASSERT(orphans->count < CAP_STEP);
    struct object *object = cap_unlink(slot);
    if (object != NULL)
        orphans->object[orphans->count++] = object;
}
/* Without locks. */
void orphans_tell(struct orphans *orphans);

/* For tests: makes the slot of `cap`, a live capability, carry `generation` from now on. */
tn_cap cap_test_set_generation(struct space *space, tn_cap cap, uint64_t generation);

#endif
