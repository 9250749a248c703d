/* inspect.c: what is in a space, for who may look into it: one capability, the next one, how many
 * there are. Bounded work under the derivation lock; nothing is changed. */
#include "kernel/cap/cap_int.h"

struct space_stats space_stats(struct space *space)
{
    lock_take(&space->root->lock);
    struct space_stats stats = {.capabilities = space->count,
                                .reserved = space->reserved,
                                .retired = space->retired,
                                .slots_max = space->slots_max};
    lock_drop(&space->root->lock);
    ASSERT(stats.capabilities + stats.reserved + stats.retired <= stats.slots_max);
    return stats;
}

/* What a live slot is. Lock held. */
static struct cap_info slot_info(struct slot *slot, uint64_t word, uint32_t index)
{
    return (struct cap_info){.cap = (word & WORD_GENERATION) | index,
                             .type = word_type(word),
                             .rights = (uint32_t)word & WORD_RIGHTS,
                             .badge = at_load(&slot->badge, RELAXED),
                             .derived = slot->first != NULL,
                             .posted = (word & WORD_POSTED) != 0,
                             .revoking = (word & WORD_REVOKING) != 0};
}

tn_err cap_inspect(struct space *space, tn_cap cap, struct cap_info *ret_info)
{
    uint64_t word = 0;
    lock_take(&space->root->lock);
    struct slot *slot = slot_find(space, cap, WORD_LIVE, &word);
    if (slot != NULL)
        *ret_info = slot_info(slot, word, (uint32_t)(cap & ~WORD_GENERATION));
    lock_drop(&space->root->lock);
    return slot != NULL ? TN_OK : TN_EBADCAP;
}

bool cap_next(struct space *space, uint32_t from, struct cap_info *ret_info, uint32_t *ret_next)
{
    bool found = false;
    lock_take(&space->root->lock);
    uint32_t i = from, end = space->fresh;
    if (i < end && end - i > CAP_STEP)
        end = i + CAP_STEP;
    for (; i < end && !found; i++) {
        struct slot *slot = space_slot(space, i);
        uint64_t word = at_load(&slot->word, RELAXED); /* lock held */
        found = (word & WORD_LIVE) != 0;
        if (found)
            *ret_info = slot_info(slot, word, i);
    }
    *ret_next = i < space->fresh ? i : 0;
    lock_drop(&space->root->lock);
    return found;
}
