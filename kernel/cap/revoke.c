/* revoke.c: the ends of capabilities: delete, and revoke in steps.
 *
 * A step deletes at most CAP_STEP descendants in one hold of the lock: always the first child,
 * whose own children take its place, so no step looks for its place and none depends on how deep or
 * wide the tree is. While some are left the revoked capability is marked, and nothing can be
 * derived from it. What another CPU derives from a descendant meanwhile becomes a descendant too,
 * so it is deleted by a later step.
 *
 * An object that loses its last capability is told so, and the capabilities' ref dropped, after the
 * lock: what class->orphan does may take other locks, and delete capabilities itself. */
#include "kernel/cap/cap_int.h"

struct object *cap_unlink(struct slot *slot)
{
    struct object *object = slot_object(slot);
    ASSERT(object != NULL && object->caps > 0);
    tree_remove(slot);
    space_put(slot);
    object->caps--;
    return object->caps == 0 ? object : NULL;
}

void orphan_tell(struct object *object)
{
    if (object->class->orphan != NULL)
        object->class->orphan(object);
    object_unref(object);
}

void orphans_tell(struct orphans *orphans)
{
    for (uint32_t i = 0; i < orphans->count; i++)
        orphan_tell(orphans->object[i]);
}

tn_err cap_delete(struct space *space, tn_cap cap)
{
    struct object *orphan = NULL;
    uint64_t word = 0;
    lock_take(&space->root->lock);
    struct slot *slot = slot_find(space, cap, WORD_LIVE, &word);
    if (slot != NULL)
        orphan = cap_unlink(slot);
    lock_drop(&space->root->lock);
    if (orphan != NULL)
        orphan_tell(orphan);
    return slot != NULL ? TN_OK : TN_EBADCAP;
}

/* What cap_revoke_step does with the lock held. */
static tn_err step(struct space *space, tn_cap cap, struct orphans *orphans)
{
    uint64_t word = 0;
    struct slot *slot = slot_find(space, cap, WORD_LIVE, &word);
    if (slot == NULL)
        return TN_EBADCAP;
    if ((word & TN_R_CONTROL) == 0)
        return TN_ERIGHTS;
    for (uint32_t n = 0; n < CAP_STEP && slot->first != NULL; n++)
        orphans_unlink(orphans, slot->first);
    bool more = slot->first != NULL;
    slot_mark(slot, WORD_REVOKING, more);
    return more ? TN_EAGAIN : TN_OK;
}

tn_err cap_revoke_step(struct space *space, tn_cap cap)
{
    struct orphans orphans;
    orphans.count = 0;
    lock_take(&space->root->lock);
    tn_err err = step(space, cap, &orphans);
    lock_drop(&space->root->lock);
    orphans_tell(&orphans);
    return err;
}

tn_err cap_revoke(struct space *space, tn_cap cap)
{
    tn_err err;
    do {
        err = cap_revoke_step(space, cap);
    } while (err == TN_EAGAIN);
    return err;
}
