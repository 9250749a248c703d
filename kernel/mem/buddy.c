/* buddy.c: the pages of an untyped: power-of-two blocks that split and merge.
 *
 * Block b of order o has its buddy at b ^ (1 << o). A request that is no power of two takes the
 * next block and gives the tail back, so memory is charged by pages (Knuth, The Art of Computer
 * Programming 1, 2.5, "buddy system"). What is dirty and has grown to MEM_RELEASE goes back to the
 * machine and reads as zero from then on. One such block, `warm`, is kept as it is, so that a page
 * that comes and goes does not take the machine's time; it merges only when memory runs short. */
#include "kernel/mem/buddy_int.h"

void page_link(struct untyped *untyped, uint32_t *head, uint32_t page)
{
    struct page *map = page_map(untyped);
    ASSERT(page != 0 && page < untyped->pages);
    map[page].prev = 0;
    map[page].next = *head;
    if (*head != 0)
        map[*head].prev = page;
    *head = page;
}

void page_unlink(struct untyped *untyped, uint32_t *head, uint32_t page)
{
    struct page *map = page_map(untyped);
    uint32_t next = map[page].next, prev = map[page].prev;
    ASSERT(page != 0 && (prev != 0) == (*head != page));
    if (prev != 0)
        map[prev].next = next;
    else
        *head = next;
    if (next != 0)
        map[next].prev = prev;
    map[page].next = 0;
    map[page].prev = 0;
}

static void block_insert(struct untyped *untyped, uint32_t page, uint32_t order, bool zero)
{
    struct page *entry = &page_map(untyped)[page];
    ASSERT(entry->kind == PAGE_INSIDE);
    entry->kind = PAGE_FREE;
    entry->order = (uint8_t)order;
    entry->zero = zero;
    page_link(untyped, &buddy_of(untyped)->free[order], page);
    buddy_of(untyped)->orders |= UINT64_C(1) << order;
}

/* Takes a free block out of its list; its map entry is zero afterwards. */
static void block_remove(struct untyped *untyped, uint32_t page)
{
    struct page *entry = &page_map(untyped)[page];
    ASSERT(entry->kind == PAGE_FREE);
    uint32_t order = entry->order;
    page_unlink(untyped, &buddy_of(untyped)->free[order], page);
    if (buddy_of(untyped)->free[order] == 0)
        buddy_of(untyped)->orders &= ~(UINT64_C(1) << order);
    if (buddy_of(untyped)->warm == page)
        buddy_of(untyped)->warm = 0;
    *entry = (struct page){0};
}

/* Gives a block in no list back to the machine, without the lock: nobody else can find it. */
static void block_release(struct untyped *untyped, uint32_t page, uint32_t order)
{
    struct page *entry = &page_map(untyped)[page];
    ASSERT(order >= MEM_ORDER_RELEASE && entry->kind == PAGE_INSIDE);
    entry->kind = PAGE_AWAY;
    entry->order = (uint8_t)order;
    buddy_of(untyped)->away++;
    lock_drop(&untyped->lock);
    machine_pages_release(page_at(untyped, page), (size_t)MEM_PAGE << order);
    lock_take(&untyped->lock);
    buddy_of(untyped)->away--;
    ASSERT(entry->kind == PAGE_AWAY);
    *entry = (struct page){0};
}

static void block_put(struct untyped *untyped, uint32_t page, uint32_t order, bool zero)
{
    struct page *map = page_map(untyped);
    for (;;) {
        ASSERT(order < MEM_ORDERS && (page & ((1u << order) - 1)) == 0);
        if (!zero && order == MEM_ORDER_RELEASE && buddy_of(untyped)->warm == 0) {
            block_insert(untyped, page, order, false);
            buddy_of(untyped)->warm = page;
            return;
        }
        if (!zero && order >= MEM_ORDER_RELEASE) {
            block_release(untyped, page, order);
            zero = true;
        }
        uint32_t buddy = page ^ (1u << order);
        if (order == MEM_ORDERS - 1 || buddy >= untyped->pages || map[buddy].kind != PAGE_FREE ||
            map[buddy].order != order || buddy == buddy_of(untyped)->warm)
            break;
        zero = zero && map[buddy].zero;
        block_remove(untyped, buddy);
        page &= ~(1u << order);
        order++;
    }
    block_insert(untyped, page, order, zero);
}

void pages_put(struct untyped *untyped, uint32_t first, uint32_t count, bool zero)
{
    ASSERT(first >= untyped->head_pages && first < untyped->pages);
    ASSERT(count > 0 && count <= untyped->pages - first);
    while (count > 0) {
        uint32_t order = (uint32_t)__builtin_ctz(first);
        if (count < (UINT64_C(1) << order))
            order = log2_floor(count);
        block_put(untyped, first, order, zero);
        first += 1u << order;
        count -= 1u << order;
    }
}

/* A block of exactly `order`, in no list and with a zero map entry; 0 when there is none. */
static uint32_t block_take(struct untyped *untyped, uint32_t order, bool *ret_zero)
{
    uint64_t fit = order < MEM_ORDERS ? buddy_of(untyped)->orders >> order << order : 0;
    if (fit == 0)
        return 0;
    uint32_t have = (uint32_t)__builtin_ctzll(fit);
    uint32_t page = buddy_of(untyped)->free[have];
    bool zero = page_map(untyped)[page].zero;
    block_remove(untyped, page);
    while (have > order) {
        have--;
        block_insert(untyped, page + (1u << have), have, zero);
    }
    *ret_zero = zero;
    return page;
}

/* Makes memory that is held back available; false when there is none. */
static bool pages_recover(struct untyped *untyped)
{
    if (slab_flush(untyped))
        return true;
    uint32_t warm = buddy_of(untyped)->warm;
    if (warm != 0) {
        block_remove(untyped, warm);
        block_release(untyped, warm, MEM_ORDER_RELEASE);
        block_put(untyped, warm, MEM_ORDER_RELEASE, true);
        return true;
    }
    if (buddy_of(untyped)->away == 0)
        return false;
    /* Another CPU is about to make a free block available: wait for it. */
    lock_drop(&untyped->lock);
    machine_relax();
    lock_take(&untyped->lock);
    return true;
}

uint32_t pages_take(struct untyped *untyped, uint32_t count, bool *ret_zero)
{
    ASSERT(count > 0);
    uint32_t order = log2_ceil(count);
    if (count > untyped->pages)
        return 0;
    bool zero = false;
    uint32_t page = block_take(untyped, order, &zero);
    while (page == 0) {
        if (!pages_recover(untyped))
            return 0;
        page = block_take(untyped, order, &zero);
    }
    struct page *entry = &page_map(untyped)[page];
    entry->kind = PAGE_BLOCK;
    entry->next = count;
    if (count < (UINT64_C(1) << order))
        pages_put(untyped, page + count, (1u << order) - count, zero);
    *ret_zero = zero;
    return page;
}
