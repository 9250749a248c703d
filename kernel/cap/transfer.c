/* transfer.c: capabilities that travel in messages: up to TN_PACK_CAPS of them, copied or moved in
 * one step, all or none, into fresh slots of the receiver or into slots that it reserved. */
#include "kernel/cap/cap_int.h"

/* The slots of a pack, each fit to be copied or moved. Lock held. */
static tn_err decode_pack(struct space *space, const tn_cap *caps, uint32_t n, uint32_t move,
                          struct slot **ret_slots)
{
    for (uint32_t i = 0; i < n; i++) {
        uint64_t word = 0;
        tn_err err = slot_decode(space, caps[i], 0, &ret_slots[i], &word);
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

/* The slots where a pack shall go, each reserved and named once. Lock held. */
static tn_err decode_reserved(struct space *space, const tn_cap *caps, uint32_t n,
                              struct slot **ret_slots)
{
    for (uint32_t i = 0; i < n; i++) {
        uint64_t word = 0;
        ret_slots[i] = slot_find(space, caps[i], WORD_RESERVED, &word);
        if (ret_slots[i] == NULL)
            return TN_ENOSLOT;
        for (uint32_t k = 0; k < i; k++) {
            if (ret_slots[k] == ret_slots[i])
                return TN_ENOSLOT;
        }
    }
    return TN_OK;
}

/* `to`, which names an object already, takes the place that `from` has in the tree, or one below
 * it. Lock held. */
static void slot_place(struct slot *from, struct slot *to, bool moves)
{
    if (moves) {
        tree_replace(from, to); /* the object's count and ref go along */
        space_put(from);
    } else {
        object_count_cap(slot_object(from));
        tree_add(from, to);
    }
}

static uint32_t slot_rights(struct slot *slot)
{
    return (uint32_t)at_load(&slot->word, RELAXED) & WORD_RIGHTS; /* lock held */
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
            err = space_make_room(to, n);
    } while (err == TN_EAGAIN);
    for (uint32_t i = 0; err == TN_OK && i < n; i++) {
        uint64_t badge = at_load(&old[i]->badge, RELAXED);
        ret_caps[i] = space_take(to, slot_object(old[i]), badge, slot_rights(old[i]), &slot);
        slot_place(old[i], slot, (move >> i & 1) != 0);
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
        struct slot *slot = slot_find(space, caps[i], WORD_LIVE, &word);
        if (slot != NULL)
            slot_mark(slot, WORD_POSTED, false);
    }
    lock_drop(&space->root->lock);
}

tn_err cap_deliver(struct space *from_space, const tn_cap *from, uint32_t n, uint32_t move,
                   struct space *to, const tn_cap *slots)
{
    ASSERT(to != NULL && from_space->root == to->root && n <= TN_PACK_CAPS);
    struct slot *old[TN_PACK_CAPS], *slot[TN_PACK_CAPS];
    lock_take(&to->root->lock);
    tn_err err = decode_pack(from_space, from, n, move, old);
    if (err == TN_OK)
        err = decode_reserved(to, slots, n, slot);
    for (uint32_t i = 0; err == TN_OK && i < n; i++) {
        uint64_t badge = at_load(&old[i]->badge, RELAXED);
        space_fill(slot[i], slot_object(old[i]), badge, slot_rights(old[i]));
        slot_place(old[i], slot[i], (move >> i & 1) != 0);
    }
    lock_drop(&to->root->lock);
    return err;
}

tn_err cap_reserve(struct space *space, uint32_t n, tn_cap *ret_slots)
{
    ASSERT(space != NULL && ret_slots != NULL && n <= TN_PACK_CAPS);
    tn_err err;
    lock_take(&space->root->lock);
    do {
        err = space_make_room(space, n);
    } while (err == TN_EAGAIN);
    for (uint32_t i = 0; err == TN_OK && i < n; i++)
        ret_slots[i] = space_reserve(space);
    lock_drop(&space->root->lock);
    return err;
}

void cap_unreserve(struct space *space, const tn_cap *slots, uint32_t n)
{
    ASSERT(space != NULL && n <= TN_PACK_CAPS);
    lock_take(&space->root->lock);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t word = 0;
        struct slot *slot = slot_find(space, slots[i], WORD_RESERVED, &word);
        if (slot != NULL)
            space_put(slot);
    }
    lock_drop(&space->root->lock);
}
