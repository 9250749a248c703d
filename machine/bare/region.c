/* region.c: the memory that a bare machine hands over.
 *
 * Available memory is mapped, a block of 2 MiB at a time, when it is first touched: then it is
 * cleared, at an address that nobody else uses, and becomes visible. So a boot takes no longer
 * where there is more memory, and what was never used never was cleared.
 *
 * Regions are told with the largest available one first, for a kernel takes the first; then the
 * other available ones, then reserved and device ones, by address. */
#include "base/assert.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "machine/bare/bare_int.h"
#include "machine/bare/layout.h"
#include "machine/bare/paging.h"

static struct {
    struct machine_region at[MEMMAP_MAX];
    uint32_t n;
    uint64_t limit_bytes; /* 0: none */
    struct bare_lock fault_lock;
} regions;

/* The whole blocks of an available range, as far as we can reach. */
static struct memmap_range blocks_of(struct memmap_range range)
{
    uint64_t end = range.base + range.bytes;
    if (end > LAYOUT_PHYS_MAX)
        end = LAYOUT_PHYS_MAX;
    range.base = align_up(range.base, BLOCK_BYTES);
    end = align_down(end, BLOCK_BYTES);
    range.bytes = end > range.base ? end - range.base : 0;
    return range;
}

static void add_region(const struct memmap_range *range)
{
    regions.at[regions.n++] = (struct machine_region){
        .base = (void *)(uintptr_t)(LAYOUT_PHYS + range->base),
        .size_bytes = range->bytes,
        .kind = range->kind,
    };
}

static void add_available(const struct memmap *map)
{
    for (uint32_t i = 0; i < map->n; i++) {
        struct memmap_range range = blocks_of(map->at[i]);
        if (range.kind != MACHINE_AVAILABLE || range.bytes == 0)
            continue;
        if (!paging_promise(LAYOUT_PHYS + range.base, range.base, range.bytes))
            bare_cannot("no memory is left for the page tables of %llu MiB",
                        (unsigned long long)(range.bytes >> 20));
        add_region(&range);
        struct machine_region *last = &regions.at[regions.n - 1];
        if (last->size_bytes > regions.at[0].size_bytes) {
            struct machine_region first = regions.at[0];
            regions.at[0] = *last;
            *last = first;
        }
    }
}

void region_init(const struct memmap *map)
{
    uint64_t phys;
    add_available(map);
    if (regions.n == 0 || regions.at[0].size_bytes < BOOT_KERNEL_MIN)
        bare_cannot("too little memory: %llu MiB are available in one piece, the kernel needs %u",
                    regions.n == 0 ? 0 : (unsigned long long)(regions.at[0].size_bytes >> 20),
                    (unsigned)BOOT_KERNEL_MIN >> 20);
    for (uint32_t i = 0; i < map->n; i++)
        if (map->at[i].kind != MACHINE_AVAILABLE)
            add_region(&map->at[i]);
    bool promised = paging_promised((uint64_t)(uintptr_t)regions.at[0].base, &phys);
    /* The tables of the window are there from now on: a fault needs no memory. */
    if (!promised || !paging_window(LAYOUT_CLEAR, phys))
        bare_cannot("no memory is left for page tables");
}

bool region_limit(uint64_t memory_bytes)
{
    if (memory_bytes % BLOCK_BYTES != 0 || memory_bytes > regions.at[0].size_bytes)
        return false;
    machine_pages_release(regions.at[0].base, regions.at[0].size_bytes);
    regions.limit_bytes = memory_bytes;
    return true;
}

bool machine_region(uint32_t i, struct machine_region *ret_region)
{
    if (i >= (regions.limit_bytes > 0 ? 1 : regions.n))
        return false;
    *ret_region = regions.at[i];
    if (regions.limit_bytes > 0)
        ret_region->size_bytes = regions.limit_bytes;
    return true;
}

bool region_touched(uint64_t at)
{
    uint64_t block = align_down(at, BLOCK_BYTES), phys;
    if (block < LAYOUT_PHYS || block >= LAYOUT_DEVICE)
        return false;
    bool on = arch_irq_off();
    bare_lock_take(&regions.fault_lock);
    bool promised = paging_promised(block, &phys);
    if (promised) {
        (void)paging_window(LAYOUT_CLEAR, phys); /* its tables are there */
        memset((void *)(uintptr_t)LAYOUT_CLEAR, 0, BLOCK_BYTES);
        paging_keep(block);
    }
    bare_lock_drop(&regions.fault_lock);
    if (on)
        arch_irq_on();
    uint32_t access;
    /* Somebody else may have been first. */
    return promised || (paging_find(at, &phys, &access) && (access & PAGE_WRITE) != 0);
}

void machine_pages_release(void *at, size_t bytes)
{
    char *base = regions.at[0].base;
    uint64_t off = (uint64_t)((char *)at - base), phys;
    ASSERT(range_within(off, bytes, regions.at[0].size_bytes));
    ASSERT(off % BLOCK_BYTES == 0 && bytes % BLOCK_BYTES == 0);
    for (uint64_t done = 0; done < bytes; done += BLOCK_BYTES)
        if (!paging_promised((uint64_t)(uintptr_t)at + done, &phys))
            memset((char *)at + done, 0, BLOCK_BYTES);
}
