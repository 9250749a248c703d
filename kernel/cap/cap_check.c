/* cap_check.c: tests every invariant of a space and of the trees around it (cap.c numbers them). */
#include "kernel/cap/cap_int.h"

static bool live(const struct slot *slot)
{
    return (at_load(&slot->word, RELAXED) & WORD_LIVE) != 0;
}

/* The neighbours and the children at both ends know this slot. */
static void check_links(const struct slot *slot)
{
    uintptr_t self = (uintptr_t)slot;
    const struct slot *next = (const struct slot *)(slot->next & ~(uintptr_t)LINK_UP);
    const struct slot *prev = (const struct slot *)(slot->prev & ~(uintptr_t)LINK_UP);
    ASSERT((slot->next & LINK_UP) != 0 || next == NULL || next->prev == self);
    ASSERT((slot->next & LINK_UP) == 0 || next->last == slot);
    ASSERT((slot->prev & LINK_UP) != 0 || prev == NULL || prev->next == self);
    ASSERT((slot->prev & LINK_UP) == 0 || prev->first == slot);
    ASSERT((next == NULL || live(next)) && (prev == NULL || live(prev)));
    ASSERT((slot->first == NULL) == (slot->last == NULL));
    if (slot->first != NULL) {
        ASSERT(slot->first->prev == (self | LINK_UP) && live(slot->first));
        ASSERT(slot->last->next == (self | LINK_UP) && live(slot->last));
    }
}

static void check_live(const struct slot *slot)
{
    uint64_t word = at_load(&slot->word, RELAXED);
    const struct object *object = at_load(&slot->object, RELAXED);
    ASSERT(object != NULL && object->caps > 0 && at_load(&object->refs, RELAXED) > 0);
    ASSERT(object->class->type == word_type(word) && (word & WORD_RIGHTS) <= TN_R_ALL);
    ASSERT(word_generation(word) > 0);
    check_links(slot);
}

static uint32_t check_free_list(struct space *space)
{
    uint32_t n = 0;
    const struct slot *last = NULL;
    for (const struct slot *slot = space->free_first; slot != NULL;
         slot = (const struct slot *)slot->next) {
        ASSERT(n < space->fresh && slot_space(slot) == space);
        ASSERT((at_load(&slot->word, RELAXED) & ~WORD_GENERATION) == 0);
        ASSERT(at_load(&slot->badge, RELAXED) == space_index(space, slot));
        ASSERT(slot->prev == 0 && slot->first == NULL && slot->last == NULL);
        last = slot;
        n++;
    }
    ASSERT(last == space->free_last);
    return n;
}

void cap_check(struct space *space)
{
    lock_take(&space->root->lock);
    ASSERT(space->fresh <= space->room && space->room <= space->slots_max);
    uint32_t lives = 0, reserved = 0;
    for (uint32_t i = 0; i < space->fresh; i++) {
        struct slot *slot = space_slot(space, i);
        ASSERT(slot != NULL && slot_space(slot) == space && space_index(space, slot) == i);
        if (live(slot)) {
            check_live(slot);
            lives++;
        } else {
            ASSERT(at_load(&slot->object, RELAXED) == NULL);
            reserved += (at_load(&slot->word, RELAXED) & WORD_RESERVED) != 0;
        }
    }
    uint32_t frees = check_free_list(space);
    ASSERT(lives == space->count && reserved == space->reserved);
    ASSERT(lives + reserved + frees + space->retired == space->fresh);
    lock_drop(&space->root->lock);
}
