/* cap.c: capabilities: what names a kernel object and says what may be done with it.
 *
 * Each operation first decodes (finds slots, tests rights, sees to a free slot), with no effect,
 * then acts, which cannot fail. All changes are made under the derivation lock of the kernel; the
 * lock is never held while an object is told that it is orphaned or dropped.
 *
 * Invariants (cap_check tests them):
 *  1. A slot is live, free, retired or never used; live + free + retired = fresh, and only live
 *     ones have an object and a place in a tree.
 *  2. object->caps is the number of live slots that name it; while it is above 0 they hold one ref.
 *  3. A generation is used for one life of a slot: it grows when the life ends, and a slot at
 *     GENERATION_MAX is retired. So index and generation never name two capabilities.
 *  4. A derived capability has no more rights than its parent had, and its badge unless that was 0.
 *
 * States of a slot:
 *     never used --(space_take)--> live --(space_put)--> free --(space_take)--> live
 *     live --(space_put at GENERATION_MAX)--> retired
 *
 * Lookup without a lock. It reads the word, then object and badge, then the word again, each load
 * ACQUIRE; if both words carry the handle's generation and are live, the values between belong to
 * that life. For if object or badge came from a later life, their RELEASE store came after the word
 * that ended this one, so the second load would see a later generation (a seqlock without the spin;
 * Boehm, "Can Seqlocks Get Along with Programming Language Memory Models?", MSPC 2012). Values from
 * an earlier life cannot be seen, for the first load saw the word that was stored after the new
 * ones.
 *
 * The object stays good after the lookup: a CPU that found the slot live had not passed a turn
 * boundary that would show it the slot's end; the capabilities' ref is dropped after that end; so
 * the grace period that begins then waits for this CPU's next boundary (limbo.h). */
#include "kernel/cap/cap.h"

#include "kernel/cap/cap_int.h"
#include "kernel/mem/limbo.h"

void cap_root_init(struct cap_root *root)
{
    lock_init(&root->lock, LOCK_CAPS);
}

/* The slot that `cap` names at this moment, and its word. Also without the lock. */
static struct slot *cap_slot(struct space *space, tn_cap cap, uint64_t *ret_word)
{
    uint32_t index = (uint32_t)(cap & ((1u << WORD_GENERATION_SHIFT) - 1));
    if (index >= space->slots_max)
        return NULL;
    struct slot *slot = space_slot(space, index);
    if (slot == NULL)
        return NULL;
    uint64_t word = at_load(&slot->word, ACQUIRE);
    if (word_generation(word) != word_generation(cap) || (word & WORD_LIVE) == 0)
        return NULL;
    *ret_word = word;
    return slot;
}

tn_err cap_lookup(struct space *space, tn_cap cap, enum object_type type, uint32_t rights,
                  struct cap_view *ret_view)
{
    uint64_t word = 0;
    struct slot *slot = cap_slot(space, cap, &word);
    if (slot == NULL)
        return TN_EBADCAP;
    struct object *object = at_load(&slot->object, ACQUIRE);
    uint64_t badge = at_load(&slot->badge, ACQUIRE);
    /* RELAXED: the two loads before keep it behind them. */
    uint64_t again = at_load(&slot->word, RELAXED);
    if (((word ^ again) & ~(uint64_t)(WORD_REVOKING | WORD_POSTED)) != 0)
        return TN_EBADCAP;
    ASSERT(object != NULL);
    if (type != OBJ_NONE && word_type(word) != type)
        return TN_ETYPE;
    if ((rights & ~word & WORD_RIGHTS) != 0 || rights > WORD_RIGHTS)
        return TN_ERIGHTS;
    *ret_view =
        (struct cap_view){.object = object, .badge = badge, .rights = (uint32_t)word & WORD_RIGHTS};
    return TN_OK;
}

/* A slot from which something may be derived, for operations that need `rights`. Lock held. */
static tn_err decode(struct space *space, tn_cap cap, uint32_t rights, struct slot **ret_slot,
                     uint64_t *ret_word)
{
    uint64_t word = 0;
    struct slot *slot = cap_slot(space, cap, &word);
    if (slot == NULL || (word & WORD_REVOKING) != 0)
        return TN_EBADCAP;
    if ((rights & ~word) != 0)
        return TN_ERIGHTS;
    *ret_slot = slot;
    *ret_word = word;
    return TN_OK;
}

static struct object *slot_object(struct slot *slot)
{
    return at_load(&slot->object, RELAXED); /* lock held */
}

/* Sets or clears a flag of a live slot's word. Lock held. */
static void slot_mark(struct slot *slot, uint64_t flag, bool on)
{
    uint64_t word = at_load(&slot->word, RELAXED);
    ASSERT((word & WORD_LIVE) != 0);
    /* RELEASE: a lookup that sees this word sees what the slot names, as after space_take. */
    at_store(&slot->word, on ? word | flag : word & ~flag, RELEASE);
}

static void count_cap(struct object *object)
{
    ASSERT(object->caps < UINT32_MAX);
    if (object->caps == 0)
        object_ref(object);
    object->caps++;
}

tn_err cap_insert(struct space *space, struct object *object, uint32_t rights, uint64_t badge,
                  struct space *parent_space, tn_cap parent, tn_cap *ret_cap)
{
    ASSERT(object != NULL && ret_cap != NULL && rights <= TN_R_ALL);
    ASSERT(parent_space == NULL || parent_space->root == space->root);
    struct slot *above = NULL, *slot = NULL;
    tn_err err;
    lock_take(&space->root->lock);
    do {
        uint64_t word = 0;
        err = parent_space != NULL ? decode(parent_space, parent, 0, &above, &word) : TN_OK;
        if (err == TN_OK)
            err = space_reserve(space, 1);
    } while (err == TN_EAGAIN);
    if (err == TN_OK) {
        count_cap(object);
        *ret_cap = space_take(space, object, badge, rights, &slot);
        if (above != NULL)
            tree_add(above, slot);
    }
    lock_drop(&space->root->lock);
    return err;
}

tn_err cap_mint(struct space *from_space, tn_cap from, struct space *to, uint32_t rights,
                uint64_t badge, tn_cap *ret_cap)
{
    ASSERT(to != NULL && ret_cap != NULL && from_space->root == to->root);
    struct slot *above = NULL, *slot = NULL;
    uint64_t word = 0, own = 0;
    tn_err err;
    lock_take(&to->root->lock);
    do {
        err = decode(from_space, from, TN_R_GRANT, &above, &word);
        if (err != TN_OK)
            break;
        own = at_load(&above->badge, RELAXED);
        if (own != 0 && badge != 0 && badge != own)
            err = TN_EINVAL;
        else
            err = space_reserve(to, 1);
    } while (err == TN_EAGAIN);
    if (err == TN_OK) {
        struct object *object = slot_object(above);
        count_cap(object);
        *ret_cap = space_take(to, object, own != 0 ? own : badge,
                              rights & (uint32_t)word & WORD_RIGHTS, &slot);
        tree_add(above, slot);
    }
    lock_drop(&to->root->lock);
    return err;
}

tn_err cap_copy(struct space *from_space, tn_cap from, struct space *to, tn_cap *ret_cap)
{
    return cap_mint(from_space, from, to, TN_R_ALL, 0, ret_cap);
}

tn_err cap_move(struct space *from_space, tn_cap from, struct space *to, tn_cap *ret_cap)
{
    ASSERT(to != NULL && ret_cap != NULL && from_space->root == to->root);
    struct slot *old = NULL, *slot = NULL;
    uint64_t word = 0;
    tn_err err;
    lock_take(&to->root->lock);
    do {
        err = decode(from_space, from, 0, &old, &word);
        if (err != TN_OK)
            break;
        if (word_type(word) != OBJ_REPLY && (word & TN_R_GRANT) == 0)
            err = TN_ERIGHTS;
        else
            err = space_reserve(to, 1);
    } while (err == TN_EAGAIN);
    if (err == TN_OK) {
        /* The object's count and ref go along. */
        *ret_cap = space_take(to, slot_object(old), at_load(&old->badge, RELAXED),
                              (uint32_t)word & WORD_RIGHTS, &slot);
        tree_replace(old, slot);
        space_put(old);
    }
    lock_drop(&to->root->lock);
    return err;
}

/* The slots of a pack, each fit to be copied or moved. Lock held. */
static tn_err decode_pack(struct space *space, const tn_cap *caps, uint32_t n, uint32_t move,
                          struct slot **ret_slots)
{
    for (uint32_t i = 0; i < n; i++) {
        uint64_t word = 0;
        tn_err err = decode(space, caps[i], 0, &ret_slots[i], &word);
        if (err != TN_OK)
            return err;
        bool reply_moves = (move >> i & 1) != 0 && word_type(word) == OBJ_REPLY;
        if ((word & TN_R_GRANT) == 0 && !reply_moves)
            return TN_ERIGHTS;
        for (uint32_t k = 0; k < i; k++) {
            if (ret_slots[k] == ret_slots[i] && ((move >> i | move >> k) & 1) != 0)
                return TN_EINVAL;
        }
    }
    return TN_OK;
}

static tn_err transfer(struct space *from_space, const tn_cap *from, uint32_t n, uint32_t move,
                       struct space *to, bool posted, tn_cap *ret_caps)
{
    ASSERT(to != NULL && from_space->root == to->root && n <= TN_PACK_CAPS);
    struct slot *old[TN_PACK_CAPS], *slot = NULL;
    tn_err err;
    lock_take(&to->root->lock);
    do {
        err = decode_pack(from_space, from, n, move, old);
        if (err == TN_OK)
            err = space_reserve(to, n);
    } while (err == TN_EAGAIN);
    for (uint32_t i = 0; err == TN_OK && i < n; i++) {
        struct object *object = slot_object(old[i]);
        uint32_t rights = (uint32_t)at_load(&old[i]->word, RELAXED) & WORD_RIGHTS;
        if ((move >> i & 1) == 0)
            count_cap(object);
        ret_caps[i] = space_take(to, object, at_load(&old[i]->badge, RELAXED), rights, &slot);
        if ((move >> i & 1) == 0) {
            tree_add(old[i], slot);
        } else {
            tree_replace(old[i], slot);
            space_put(old[i]);
        }
        if (posted)
            slot_mark(slot, WORD_POSTED, true);
    }
    lock_drop(&to->root->lock);
    return err;
}

tn_err cap_transfer(struct space *from_space, const tn_cap *from, uint32_t n, uint32_t move,
                    struct space *to, tn_cap *ret_caps)
{
    return transfer(from_space, from, n, move, to, false, ret_caps);
}

tn_err cap_post(struct space *from_space, const tn_cap *from, uint32_t n, uint32_t move,
                struct space *to, tn_cap *ret_caps)
{
    return transfer(from_space, from, n, move, to, true, ret_caps);
}

void cap_receive(struct space *space, const tn_cap *caps, uint32_t n)
{
    lock_take(&space->root->lock);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t word = 0;
        struct slot *slot = cap_slot(space, caps[i], &word);
        if (slot != NULL)
            slot_mark(slot, WORD_POSTED, false);
    }
    lock_drop(&space->root->lock);
}

void cap_unlink(struct slot *slot, struct orphans *orphans)
{
    struct object *object = slot_object(slot);
    ASSERT(object != NULL && object->caps > 0 && orphans->count < CAP_STEP);
    tree_remove(slot);
    space_put(slot);
    object->caps--;
    if (object->caps == 0)
        orphans->object[orphans->count++] = object;
}

void orphans_tell(struct orphans *orphans)
{
    for (uint32_t i = 0; i < orphans->count; i++) {
        struct object *object = orphans->object[i];
        if (object->class->orphan != NULL)
            object->class->orphan(object);
        object_unref(object);
    }
    orphans->count = 0;
}

tn_err cap_delete(struct space *space, tn_cap cap)
{
    struct orphans orphans = {.count = 0};
    uint64_t word = 0;
    lock_take(&space->root->lock);
    struct slot *slot = cap_slot(space, cap, &word);
    if (slot != NULL)
        cap_unlink(slot, &orphans);
    lock_drop(&space->root->lock);
    orphans_tell(&orphans);
    return slot != NULL ? TN_OK : TN_EBADCAP;
}

/* Deletes up to CAP_STEP descendants: always the first child, whose children move up. TN_EAGAIN
 * when some are left; the slot is then marked. TN_EBADCAP when the capability is gone. */
static tn_err revoke_step(struct space *space, tn_cap cap, struct orphans *orphans)
{
    uint64_t word = 0;
    struct slot *slot = cap_slot(space, cap, &word);
    if (slot == NULL)
        return TN_EBADCAP;
    if ((word & TN_R_CONTROL) == 0)
        return TN_ERIGHTS;
    for (uint32_t n = 0; n < CAP_STEP && slot->first != NULL; n++)
        cap_unlink(slot->first, orphans);
    bool more = slot->first != NULL;
    slot_mark(slot, WORD_REVOKING, more);
    return more ? TN_EAGAIN : TN_OK;
}

tn_err cap_revoke(struct space *space, tn_cap cap)
{
    tn_err err;
    do {
        struct orphans orphans = {.count = 0};
        lock_take(&space->root->lock);
        err = revoke_step(space, cap, &orphans);
        lock_drop(&space->root->lock);
        orphans_tell(&orphans);
    } while (err == TN_EAGAIN);
    return err;
}

tn_cap cap_test_set_generation(struct space *space, tn_cap cap, uint64_t generation)
{
    uint64_t word = 0;
    lock_take(&space->root->lock);
    struct slot *slot = cap_slot(space, cap, &word);
    ASSERT(slot != NULL && generation > 0 && generation <= GENERATION_MAX);
    uint64_t low = (UINT64_C(1) << WORD_GENERATION_SHIFT) - 1;
    at_store(&slot->word, generation << WORD_GENERATION_SHIFT | (word & low), RELEASE);
    lock_drop(&space->root->lock);
    return generation << WORD_GENERATION_SHIFT | (cap & low);
}
