/* first_fit.c: an arena that keeps nothing but a list of what is free, in the order of addresses,
 * and takes the first piece that is large enough (Knuth, The Art of Computer Programming 1, 2.5,
 * algorithms A and B). Each operation walks the list, and all that it hands out is cleared, however
 * much: it is here to be simple, not fast.
 *
 * Invariants (arena_check tests them):
 *  1. A free piece begins with its struct piece; its place and size are multiples of UNIT.
 *  2. Pieces lie after the head, in ascending order, and no two touch.
 *  3. What is neither head nor free is handed out: its sum is the untyped's used_bytes. */
#include "base/bits.h"
#include "kernel/mem/mem_int.h"

enum { UNIT = 64 }; /* every allocation is aligned to it */

struct piece {
    uint64_t bytes;
    struct piece *next;
};

/* Behind struct untyped. */
struct first_fit {
    _Alignas(64) struct piece *first;
};

static struct first_fit *arena_of(struct untyped *untyped)
{
    return (struct first_fit *)(void *)(untyped + 1);
}

uint64_t arena_head_bytes(uint64_t pages)
{
    (void)pages;
    return sizeof(struct first_fit);
}

static uint64_t align_of(uint64_t bytes)
{
    if (bytes >= MEM_PAGE)
        return MEM_PAGE;
    return bytes > UNIT && (bytes & (bytes - 1)) == 0 ? bytes : UNIT;
}

uint64_t arena_charge(uint64_t bytes)
{
    return align_up(bytes, bytes < MEM_PAGE ? UNIT : MEM_PAGE);
}

void arena_setup(struct untyped *untyped, bool zero)
{
    (void)zero; /* it does not remember */
    struct piece *all = page_at(untyped, untyped->head_pages);
    *all = (struct piece){.bytes = (uint64_t)(untyped->pages - untyped->head_pages) * MEM_PAGE,
                          .next = NULL};
    arena_of(untyped)->first = all;
}

static uintptr_t piece_end(const struct piece *piece)
{
    return (uintptr_t)piece + piece->bytes;
}

/* A piece of [begin, end) before `next`, unless that is empty; else `next`. */
static struct piece *piece_make(uintptr_t begin, uintptr_t end, struct piece *next)
{
    if (begin == end)
        return next;
    struct piece *piece = (struct piece *)begin;
    *piece = (struct piece){.bytes = end - begin, .next = next};
    return piece;
}

void *arena_alloc(struct untyped *untyped, size_t bytes, bool *ret_zero, uint64_t *ret_charge)
{
    uint64_t size = arena_charge(bytes), align = align_of(bytes);
    for (struct piece **link = &arena_of(untyped)->first; *link != NULL; link = &(*link)->next) {
        struct piece *piece = *link, *next = piece->next;
        uintptr_t begin = (uintptr_t)piece, end = piece_end(piece);
        uintptr_t at = align_up(begin, align);
        if (at >= end || end - at < size)
            continue;
        next = piece_make(at + size, end, next);
        *link = piece_make(begin, at, next);
        *ret_zero = false;
        *ret_charge = size;
        return (void *)at;
    }
    return NULL;
}

uint64_t arena_free(struct untyped *untyped, void *place, size_t bytes)
{
    uint64_t charge = arena_charge(bytes);
    uintptr_t at = (uintptr_t)place, end = at + charge;
    ASSERT(at % align_of(bytes) == 0);
    ASSERT(end <= (uintptr_t)page_at(untyped, untyped->pages));
    struct piece **link = &arena_of(untyped)->first, *before = NULL;
    while (*link != NULL && (uintptr_t)*link < at) {
        before = *link;
        link = &before->next;
    }
    struct piece *next = *link;
    ASSERT(before == NULL || piece_end(before) <= at); /* it is not free already */
    ASSERT(next == NULL || end <= (uintptr_t)next);
    if (next != NULL && end == (uintptr_t)next) {
        end = piece_end(next);
        next = next->next;
    }
    if (before != NULL && piece_end(before) == at) {
        before->bytes = end - (uintptr_t)before;
        before->next = next;
    } else {
        *link = piece_make(at, end, next);
    }
    return charge;
}

uint64_t arena_trim(struct untyped *untyped, void *place, size_t bytes, size_t keep)
{
    ASSERT(keep > 0 && keep < bytes && keep % MEM_GIVE == 0);
    return arena_free(untyped, (char *)place + keep, arena_charge(bytes) - keep);
}

struct arena_census arena_check(struct untyped *untyped)
{
    uintptr_t low = (uintptr_t)page_at(untyped, untyped->head_pages), end = low;
    uintptr_t high = (uintptr_t)page_at(untyped, untyped->pages);
    uint64_t used_bytes = high - low;
    for (const struct piece *piece = arena_of(untyped)->first; piece != NULL; piece = piece->next) {
        uintptr_t at = (uintptr_t)piece;
        ASSERT(at % UNIT == 0 && piece->bytes % UNIT == 0 && piece->bytes > 0);
        ASSERT(at >= end && at < high && piece->bytes <= high - at);
        ASSERT(end == low || at > end); /* the last one would have merged with it */
        end = at + piece->bytes;
        used_bytes -= piece->bytes;
    }
    return (struct arena_census){.live = untyped->live, .used_bytes = used_bytes};
}
