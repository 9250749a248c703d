/* memmap.c: the map of physical memory (memmap.h). */
#include "machine/bare/memmap.h"

#include "base/assert.h"
#include "base/bits.h"

enum { PAGE = 4096 };

const char *memmap_add(struct memmap *map, uint64_t base, uint64_t bytes,
                       enum machine_region_kind kind)
{
    uint64_t end;
    if (bytes == 0)
        return NULL;
    if (add_overflows(base, bytes, &end) || end > UINT64_MAX - PAGE)
        return "a range wraps round the end of the address space";
    if (map->n == MEMMAP_MAX)
        return "more ranges than the limit";
    map->at[map->n++] = (struct memmap_range){base, bytes, kind};
    return NULL;
}

/* Whole pages: available ones shrink, the others grow. */
static void round_to_pages(struct memmap_range *range)
{
    uint64_t end = range->base + range->bytes;
    if (range->kind == MACHINE_AVAILABLE) {
        range->base = align_up(range->base, PAGE);
        end = align_down(end, PAGE);
    } else {
        range->base = align_down(range->base, PAGE);
        end = align_up(end, PAGE);
    }
    range->bytes = end > range->base ? end - range->base : 0;
}

/* The first place after `from` at which some range begins or ends; UINT64_MAX: none. */
static uint64_t next_edge(const struct memmap *map, uint64_t from)
{
    uint64_t edge = UINT64_MAX;
    for (uint32_t i = 0; i < map->n; i++) {
        uint64_t base = map->at[i].base, end = base + map->at[i].bytes;
        if (base > from && base < edge)
            edge = base;
        if (end > from && end < edge)
            edge = end;
    }
    return edge;
}

/* The strictest kind that somebody says of the memory at `at`; false when nobody says any. */
static bool kind_at(const struct memmap *map, uint64_t at, enum machine_region_kind *ret_kind)
{
    bool found = false;
    for (uint32_t i = 0; i < map->n; i++) {
        const struct memmap_range *range = &map->at[i];
        if (at < range->base || at - range->base >= range->bytes)
            continue;
        if (!found || range->kind > *ret_kind)
            *ret_kind = range->kind;
        found = true;
    }
    return found;
}

/* Puts a piece behind those that there are, or makes the last one longer; false when it is full. */
static bool append(struct memmap *to, uint64_t base, uint64_t bytes, enum machine_region_kind kind)
{
    struct memmap_range *last = to->n > 0 ? &to->at[to->n - 1] : NULL;
    if (last != NULL && last->kind == kind && last->base + last->bytes == base) {
        last->bytes += bytes;
        return true;
    }
    if (to->n == MEMMAP_MAX)
        return false;
    to->at[to->n++] = (struct memmap_range){base, bytes, kind};
    return true;
}

_Static_assert(MACHINE_DEVICE > MACHINE_RESERVED && MACHINE_RESERVED > MACHINE_AVAILABLE,
               "the stricter kind is the greater");

const char *memmap_finish(struct memmap *map)
{
    struct memmap whole = {.n = 0};
    for (uint32_t i = 0; i < map->n; i++)
        round_to_pages(&map->at[i]);
    enum machine_region_kind kind = MACHINE_AVAILABLE;
    uint64_t at = 0;
    do {
        uint64_t end = next_edge(map, at);
        if (kind_at(map, at, &kind) && !append(&whole, at, end - at, kind))
            return "more ranges than the limit, once they do not overlap";
        at = end;
    } while (at != UINT64_MAX);
    *map = whole;
    return memmap_bytes(map, MACHINE_AVAILABLE) == 0 ? "no memory is available" : NULL;
}

bool memmap_is(const struct memmap *map, uint64_t base, uint64_t bytes,
               enum machine_region_kind kind)
{
    for (uint32_t i = 0; i < map->n; i++) {
        const struct memmap_range *range = &map->at[i];
        if (range->kind == kind && base >= range->base &&
            range_within(base - range->base, bytes, range->bytes))
            return true;
    }
    return false;
}

bool memmap_take(struct memmap *map, uint64_t bytes, uint64_t align, uint64_t below,
                 uint64_t *ret_base)
{
    ASSERT(is_pow2(align) && align >= PAGE && bytes > 0 && bytes % PAGE == 0);
    for (uint32_t i = map->n; i-- > 0;) {
        const struct memmap_range *range = &map->at[i];
        uint64_t end = range->base + range->bytes;
        if (end > below)
            end = below;
        if (range->kind != MACHINE_AVAILABLE || end < range->base || end - range->base < bytes)
            continue;
        uint64_t base = align_down(end - bytes, align);
        if (base < range->base)
            continue;
        if (memmap_add(map, base, bytes, MACHINE_RESERVED) != NULL || memmap_finish(map) != NULL)
            return false;
        *ret_base = base;
        return true;
    }
    return false;
}

uint64_t memmap_bytes(const struct memmap *map, enum machine_region_kind kind)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < map->n; i++)
        if (map->at[i].kind == kind)
            bytes += map->at[i].bytes;
    return bytes;
}
