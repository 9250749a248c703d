/* arena_buddy.c: the arena that Tenon uses: pages in blocks of powers of two (buddy.c), and slabs
 * of small objects inside pages (slab.c).
 *
 * A range begins with its head: struct untyped, struct buddy and the page map, one entry a page.
 * The pages after it are free blocks, pages handed out, or slab pages.
 *
 * Invariants (buddy_check.c tests them all):
 *  1. Every page after the head belongs to exactly one free block, block in use, slab page or block
 *     on its way to the machine. The map entry of its first page says which; all others are zero.
 *     So the map of a fresh range is right without being touched.
 *  2. A free block is in the list of its order, and no two free buddies of one order exist, except
 *     that the warm block (buddy.c) does not merge.
 *  3. A free block of MEM_RELEASE or more reads as zero, except the warm one. A free block with its
 *     zero flag reads as zero.
 *  4. A slab page is in the list of its class just when it has room; used + came back = fresh. */
#include "kernel/mem/buddy_int.h"

uint64_t arena_head_bytes(uint64_t pages)
{
    return sizeof(struct buddy) + pages * sizeof(struct page);
}

void arena_setup(struct untyped *untyped, bool zero)
{
    page_map(untyped)[0].kind = PAGE_HEAD;
    lock_take(&untyped->lock);
    pages_put(untyped, untyped->head_pages, untyped->pages - untyped->head_pages, zero);
    lock_drop(&untyped->lock);
}

static uint64_t pages_for(uint64_t bytes)
{
    return bytes / MEM_PAGE + (bytes % MEM_PAGE != 0);
}

uint64_t arena_charge(uint64_t bytes)
{
    return bytes <= MEM_SLAB_MAX ? slab_bytes(slab_class(bytes)) : pages_for(bytes) * MEM_PAGE;
}

void *arena_alloc(struct untyped *untyped, size_t bytes, bool *ret_zero, uint64_t *ret_charge)
{
    if (bytes <= MEM_SLAB_MAX) {
        uint32_t class = slab_class(bytes);
        *ret_charge = slab_bytes(class);
        return slab_alloc(untyped, class, ret_zero);
    }
    uint32_t pages = (uint32_t)pages_for(bytes);
    uint32_t page = pages_take(untyped, pages, ret_zero);
    *ret_charge = (uint64_t)pages * MEM_PAGE;
    /* Invariant 3: what a turn has to clear stays bounded. */
    ASSERT(page == 0 || *ret_zero || pages <= MEM_RELEASE / MEM_PAGE);
    return page != 0 ? page_at(untyped, page) : NULL;
}

uint64_t arena_free(struct untyped *untyped, void *at, size_t bytes)
{
    if (bytes <= MEM_SLAB_MAX) {
        uint32_t class = slab_class(bytes);
        slab_free(untyped, class, at);
        return slab_bytes(class);
    }
    size_t off = (size_t)((char *)at - (char *)untyped);
    uint32_t page = (uint32_t)(off / MEM_PAGE), pages = (uint32_t)pages_for(bytes);
    struct page *entry = &page_map(untyped)[page];
    ASSERT(off % MEM_PAGE == 0 && entry->kind == PAGE_BLOCK && entry->next == pages);
    *entry = (struct page){0};
    pages_put(untyped, page, pages, false);
    return (uint64_t)pages * MEM_PAGE;
}

uint64_t arena_trim(struct untyped *untyped, void *at, size_t bytes, size_t keep)
{
    size_t off = (size_t)((char *)at - (char *)untyped);
    uint32_t page = (uint32_t)(off / MEM_PAGE), pages = (uint32_t)pages_for(bytes);
    uint32_t kept = (uint32_t)(keep / MEM_PAGE);
    struct page *entry = &page_map(untyped)[page];
    ASSERT(off % MEM_PAGE == 0 && entry->kind == PAGE_BLOCK && entry->next == pages);
    ASSERT(kept > 0 && kept < pages && keep % MEM_GIVE == 0);
    entry->next = kept;
    pages_put(untyped, page + kept, pages - kept, false);
    return (uint64_t)(pages - kept) * MEM_PAGE;
}
