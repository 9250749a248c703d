/* cap.c: capabilities: what names a kernel object and says what may be done with it.
 *
 * Each operation first decodes (finds slots, tests rights, sees to a free slot), with no effect,
 * then acts, which cannot fail. All changes are made under the derivation lock of the kernel; the
 * lock is never held while an object is told that it is orphaned or dropped.
 *
 * Invariants (cap_check tests them):
 *  1. A slot is live, free, reserved, retired or never used; their sum without the last is `fresh`,
 *     and only live ones have an object and a place in a tree.
 *  2. object->caps is the number of live slots that name it; while it is above 0 they hold one ref.
 *  3. A generation is used for one life of a slot: it grows when the life ends, and a slot at
 *     GENERATION_MAX is retired. So index and generation never name two capabilities.
 *  4. A derived capability has no more rights than its parent had, and its badge unless that was 0.
 *
 * States of a slot:
 *     never used or free --(space_take)--> live --(space_put)--> free
 *     never used or free --(space_reserve)--> reserved --(space_fill)--> live
 *     reserved --(space_put)--> free
 *     live or reserved --(space_put at GENERATION_MAX)--> retired
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

tn_err cap_lookup(struct space *space, tn_cap cap, enum object_type type, uint32_t rights,
                  struct cap_view *ret_view)
{
    uint64_t word = 0;
    struct slot *slot = slot_find(space, cap, WORD_LIVE, &word);
    if (slot == NULL)
        return TN_EBADCAP;
    struct object *object = at_load(&slot->object, ACQUIRE);
    uint64_t badge = at_load(&slot->badge, ACQUIRE);
    /* RELAXED: the two loads before keep it behind them. */
    uint64_t again = at_load(&slot->word, RELAXED);
    if (((word ^ again) & ~(uint64_t)(WORD_REVOKING | WORD_POSTED | WORD_MARKED)) != 0)
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
        err = parent_space != NULL ? slot_decode(parent_space, parent, 0, &above, &word) : TN_OK;
        if (err == TN_OK)
            err = space_make_room(space, 1);
    } while (err == TN_EAGAIN);
    if (err == TN_OK) {
        object_count_cap(object);
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
        err = slot_decode(from_space, from, TN_R_GRANT, &above, &word);
        if (err != TN_OK)
            break;
        own = at_load(&above->badge, RELAXED);
        if (own != 0 && badge != 0 && badge != own)
            err = TN_EINVAL;
        else
            err = space_make_room(to, 1);
    } while (err == TN_EAGAIN);
    if (err == TN_OK) {
        struct object *object = slot_object(above);
        object_count_cap(object);
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
        err = slot_decode(from_space, from, 0, &old, &word);
        if (err != TN_OK)
            break;
        if (word_type(word) != OBJ_REPLY && (word & TN_R_GRANT) == 0)
            err = TN_ERIGHTS;
        else
            err = space_make_room(to, 1);
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

tn_cap cap_test_set_generation(struct space *space, tn_cap cap, uint64_t generation)
{
    uint64_t word = 0;
    lock_take(&space->root->lock);
    struct slot *slot = slot_find(space, cap, WORD_LIVE, &word);
    ASSERT(slot != NULL && generation > 0 && generation <= GENERATION_MAX);
    uint64_t low = (UINT64_C(1) << WORD_GENERATION_SHIFT) - 1;
    at_store(&slot->word, generation << WORD_GENERATION_SHIFT | (word & low), RELEASE);
    lock_drop(&space->root->lock);
    return generation << WORD_GENERATION_SHIFT | (cap & low);
}
