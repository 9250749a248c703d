/* memmap.h: the map of physical memory: what firmware said, made into ranges that do not overlap.
 *
 * Knows nothing of the machine it runs on, so that it is tested on any. */
#ifndef MACHINE_BARE_MEMMAP_H
#define MACHINE_BARE_MEMMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/machine.h"

enum { MEMMAP_MAX = 128 };

struct memmap_range {
    uint64_t base, bytes;
    enum machine_region_kind kind;
};

struct memmap {
    struct memmap_range at[MEMMAP_MAX];
    uint32_t n;
};

/* Adds what somebody said; nothing for 0 bytes. NULL, or what is wrong with it: it wraps round the
 * end of the address space, or there are more than MEMMAP_MAX. */
const char *memmap_add(struct memmap *map, uint64_t base, uint64_t bytes,
                       enum machine_region_kind kind);

/* Sorts the ranges, whole pages each: where some overlap, device wins over reserved and that over
 * available, and an available page that is not whole is none. Neighbours of a kind become one.
 * NULL, or what is wrong: nothing is available, or too many are left. */
const char *memmap_finish(struct memmap *map);

/* Whether all of [base, base + bytes) is of that kind. The map is finished. */
bool memmap_is(const struct memmap *map, uint64_t base, uint64_t bytes,
               enum machine_region_kind kind);

/* Makes `bytes` (whole pages), aligned, of available memory that ends at or below `below` reserved:
 * the highest that there are. False when there are not so many in one piece. */
bool memmap_take(struct memmap *map, uint64_t bytes, uint64_t align, uint64_t below,
                 uint64_t *ret_base);

/* Bytes of that kind. */
uint64_t memmap_bytes(const struct memmap *map, enum machine_region_kind kind);

#endif
