/* tree.c: derivation trees as threaded lists of siblings.
 *
 * A slot knows its first and last child and its neighbours, and only the two ends of a list of
 * siblings know the parent. So a capability with any number of children is taken out, and its
 * children handed to its parent, by changing the two ends: O(1), where a parent pointer in each
 * would be O(children) under the lock. The children of a deleted root stay neighbours of each
 * other, with nothing above them. */
#include "kernel/cap/cap_int.h"

static uintptr_t link_up(struct slot *parent)
{
    return parent != NULL ? (uintptr_t)parent | LINK_UP : 0;
}

/* The slot that a link names: a sibling when it is not an end. */
static struct slot *link_slot(uintptr_t link)
{
    return (struct slot *)(link & ~(uintptr_t)LINK_UP);
}

static bool link_is_sibling(uintptr_t link)
{
    return link != 0 && (link & LINK_UP) == 0;
}

/* Makes what comes before `first` know it: its neighbour, its parent or nobody. */
static void join_prev(uintptr_t prev, struct slot *first)
{
    if (link_is_sibling(prev))
        link_slot(prev)->next = (uintptr_t)first;
    else if (prev != 0)
        link_slot(prev)->first = first;
}

static void join_next(uintptr_t next, struct slot *last)
{
    if (link_is_sibling(next))
        link_slot(next)->prev = (uintptr_t)last;
    else if (next != 0)
        link_slot(next)->last = last;
}

static void assert_alone(const struct slot *slot)
{
    ASSERT(slot->next == 0 && slot->prev == 0);
    ASSERT(slot->first == NULL && slot->last == NULL);
}

void tree_add(struct slot *parent, struct slot *slot)
{
    assert_alone(slot);
    ASSERT((parent->first == NULL) == (parent->last == NULL));
    slot->prev = link_up(parent);
    if (parent->first != NULL) {
        slot->next = (uintptr_t)parent->first;
        parent->first->prev = (uintptr_t)slot;
    } else {
        slot->next = link_up(parent);
        parent->last = slot;
    }
    parent->first = slot;
}

void tree_remove(struct slot *slot)
{
    uintptr_t prev = slot->prev, next = slot->next;
    struct slot *first = slot->first, *last = slot->last;
    if (first != NULL) {
        first->prev = prev;
        last->next = next;
        join_prev(prev, first);
        join_next(next, last);
    } else {
        if (link_is_sibling(prev))
            link_slot(prev)->next = next;
        else if (prev != 0)
            link_slot(prev)->first = link_is_sibling(next) ? link_slot(next) : NULL;
        if (link_is_sibling(next))
            link_slot(next)->prev = prev;
        else if (next != 0)
            link_slot(next)->last = link_is_sibling(prev) ? link_slot(prev) : NULL;
    }
    slot->next = 0;
    slot->prev = 0;
    slot->first = NULL;
    slot->last = NULL;
}

void tree_replace(struct slot *from, struct slot *to)
{
    assert_alone(to);
    ASSERT(from != to);
    to->prev = from->prev;
    to->next = from->next;
    to->first = from->first;
    to->last = from->last;
    join_prev(to->prev, to);
    join_next(to->next, to);
    if (to->first != NULL) {
        to->first->prev = link_up(to);
        to->last->next = link_up(to);
    }
    from->next = 0;
    from->prev = 0;
    from->first = NULL;
    from->last = NULL;
}

struct slot *tree_parent(const struct slot *slot)
{
    uintptr_t link = slot->next;
    while (link_is_sibling(link))
        link = link_slot(link)->next;
    return link_slot(link);
}
