/* cap_check.c: tests every invariant of a space and of the trees around it (cap.c numbers them;
 * docs/simulation.md tells of their names). */
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
    INVARIANT("tree-whole", (slot->next & LINK_UP) != 0 || next == NULL || next->prev == self);
    INVARIANT("tree-whole", (slot->next & LINK_UP) == 0 || next->last == slot);
    INVARIANT("tree-whole", (slot->prev & LINK_UP) != 0 || prev == NULL || prev->next == self);
    INVARIANT("tree-whole", (slot->prev & LINK_UP) == 0 || prev->first == slot);
    INVARIANT("tree-whole", (next == NULL || live(next)) && (prev == NULL || live(prev)));
    INVARIANT("tree-whole", (slot->first == NULL) == (slot->last == NULL));
    if (slot->first != NULL) {
        INVARIANT("tree-whole", slot->first->prev == (self | LINK_UP) && live(slot->first));
        INVARIANT("tree-whole", slot->last->next == (self | LINK_UP) && live(slot->last));
    }
}

/* What is derived from a capability to the same object can do no more, and has its badge. */
static void check_derived(const struct slot *slot, const struct object *object)
{
    uint64_t rights = at_load(&slot->word, RELAXED) & WORD_RIGHTS;
    uint64_t badge = at_load(&slot->badge, RELAXED);
    const struct slot *child = slot->first;
    while (child != NULL) {
        bool same = at_load(&child->object, RELAXED) == object;
        uint64_t word = at_load(&child->word, RELAXED);
        INVARIANT("rights-shrink", !same || (word & WORD_RIGHTS & ~rights) == 0);
        INVARIANT("rights-shrink", !same || badge == 0 || at_load(&child->badge, RELAXED) == badge);
        child = (child->next & LINK_UP) != 0 ? NULL : (const struct slot *)child->next;
    }
}

static void check_live(const struct slot *slot)
{
    uint64_t word = at_load(&slot->word, RELAXED);
    const struct object *object = at_load(&slot->object, RELAXED);
    INVARIANT("slots-conserved",
              object != NULL && object->caps > 0 && at_load(&object->refs, RELAXED) > 0);
    INVARIANT("slots-conserved",
              object->class->type == word_type(word) && (word & WORD_RIGHTS) <= TN_R_ALL);
    INVARIANT("slots-conserved", word_generation(word) > 0);
    check_links(slot);
    check_derived(slot, object);
}

static uint32_t check_free_list(struct space *space)
{
    uint32_t n = 0;
    const struct slot *last = NULL;
    for (const struct slot *slot = space->free_first; slot != NULL;
         slot = (const struct slot *)slot->next) {
        INVARIANT("slots-conserved", n < space->fresh && slot_space(slot) == space);
        INVARIANT("slots-conserved", (at_load(&slot->word, RELAXED) & ~WORD_GENERATION) == 0);
        INVARIANT("slots-conserved", at_load(&slot->badge, RELAXED) == space_index(space, slot));
        INVARIANT("slots-conserved", slot->prev == 0 && slot->first == NULL && slot->last == NULL);
        last = slot;
        n++;
    }
    INVARIANT("slots-conserved", last == space->free_last);
    return n;
}

void cap_check(struct space *space)
{
    lock_take(&space->root->lock);
    INVARIANT("slots-conserved", space->fresh <= space->room && space->room <= space->slots_max);
    uint32_t lives = 0, reserved = 0;
    for (uint32_t i = 0; i < space->fresh; i++) {
        struct slot *slot = space_slot(space, i);
        INVARIANT("slots-conserved",
                  slot != NULL && slot_space(slot) == space && space_index(space, slot) == i);
        if (live(slot)) {
            check_live(slot);
            lives++;
        } else {
            INVARIANT("slots-conserved", at_load(&slot->object, RELAXED) == NULL);
            reserved += (at_load(&slot->word, RELAXED) & WORD_RESERVED) != 0;
        }
    }
    uint32_t frees = check_free_list(space);
    INVARIANT("slots-conserved", lives == space->count && reserved == space->reserved);
    INVARIANT("slots-conserved", lives + reserved + frees + space->retired == space->fresh);
    lock_drop(&space->root->lock);
}
