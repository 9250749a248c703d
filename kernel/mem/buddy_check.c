/* buddy_check.c: tests every invariant of the buddy arena (arena_buddy.c numbers them). */
#include "base/bytes.h"
#include "kernel/mem/buddy_int.h"

/* What a walk of the page map found. */
struct census {
    uint64_t live, used_bytes;
    uint64_t slabs, slabs_with_room;
    uint32_t free[MEM_ORDERS];
    uint32_t away, warm;
};

static void check_free_block(struct untyped *untyped, uint32_t page, struct census *census)
{
    struct page *map = page_map(untyped);
    const struct page *entry = &map[page];
    uint32_t order = entry->order;
    INVARIANT("arena-whole", order < MEM_ORDERS && (page & ((1u << order) - 1)) == 0);
    census->free[order]++;
    if (page == buddy_of(untyped)->warm) {
        INVARIANT("arena-whole", order == MEM_ORDER_RELEASE);
        census->warm++;
        return;
    }
    INVARIANT("arena-whole", order < MEM_ORDER_RELEASE || entry->zero);
    uint32_t buddy = page ^ (1u << order);
    if (order + 1 < MEM_ORDERS && buddy < untyped->pages && buddy != buddy_of(untyped)->warm)
        INVARIANT("arena-whole", map[buddy].kind != PAGE_FREE || map[buddy].order != order);
}

static void check_slab(struct untyped *untyped, uint32_t page, struct census *census)
{
    const struct page *entry = &page_map(untyped)[page];
    INVARIANT("arena-whole", entry->class < MEM_CLASSES);
    uint32_t bytes = slab_bytes(entry->class), objects = slab_objects(entry->class);
    INVARIANT("arena-whole", entry->used <= entry->fresh && entry->fresh <= objects);
    uint32_t back = 0;
    for (uint32_t i = entry->first; i != 0;) {
        INVARIANT("arena-whole", i <= entry->fresh && back < objects);
        back++;
        i = *((uint8_t *)page_at(untyped, page) + (size_t)(i - 1) * bytes);
    }
    INVARIANT("arena-whole", entry->used + back == entry->fresh);
    if (entry->used == 0)
        INVARIANT("arena-whole", buddy_of(untyped)->empty[entry->class] == page);
    census->live += entry->used;
    census->used_bytes += (uint64_t)entry->used * bytes;
    census->slabs++;
    if (entry->used < objects)
        census->slabs_with_room++;
}

/* Pages of what begins at `page`. */
static uint32_t check_page(struct untyped *untyped, uint32_t page, struct census *census)
{
    const struct page *entry = &page_map(untyped)[page];
    switch ((enum page_kind)entry->kind) {
    case PAGE_FREE:
        check_free_block(untyped, page, census);
        return 1u << entry->order;
    case PAGE_AWAY:
        INVARIANT("arena-whole", entry->order >= MEM_ORDER_RELEASE && entry->order < MEM_ORDERS);
        census->away++;
        return 1u << entry->order;
    case PAGE_BLOCK:
        INVARIANT("arena-whole", entry->next > 0);
        census->live++;
        census->used_bytes += (uint64_t)entry->next * MEM_PAGE;
        return entry->next;
    case PAGE_SLAB:
        check_slab(untyped, page, census);
        return 1;
    case PAGE_INSIDE:
    case PAGE_HEAD:
        break;
    }
    UNREACHABLE("a page that belongs to nothing");
}

/* Walks a list; returns its length. */
static uint32_t check_list(struct untyped *untyped, uint32_t head, enum page_kind kind)
{
    const struct page *map = page_map(untyped);
    uint32_t n = 0, prev = 0;
    for (uint32_t page = head; page != 0; page = map[page].next) {
        INVARIANT("arena-whole",
                  page < untyped->pages && map[page].kind == kind && map[page].prev == prev);
        INVARIANT("arena-whole", n < untyped->pages);
        prev = page;
        n++;
    }
    return n;
}

static void check_lists(struct untyped *untyped, const struct census *census)
{
    const struct page *map = page_map(untyped);
    for (uint32_t order = 0; order < MEM_ORDERS; order++) {
        uint32_t head = buddy_of(untyped)->free[order];
        INVARIANT("arena-whole", check_list(untyped, head, PAGE_FREE) == census->free[order]);
        INVARIANT("arena-whole", (head != 0) == (buddy_of(untyped)->orders >> order & 1));
        for (uint32_t page = head; page != 0; page = map[page].next)
            INVARIANT("arena-whole", map[page].order == order);
    }
    uint64_t with_room = 0;
    for (uint32_t class = 0; class < MEM_CLASSES; class ++) {
        uint32_t empty = buddy_of(untyped)->empty[class];
        with_room += check_list(untyped, buddy_of(untyped)->slab[class], PAGE_SLAB);
        for (uint32_t page = buddy_of(untyped)->slab[class]; page != 0; page = map[page].next)
            INVARIANT("arena-whole",
                      map[page].class == class && map[page].used < slab_objects(class));
        INVARIANT("arena-whole",
                  empty == 0 || (map[empty].kind == PAGE_SLAB && map[empty].used == 0));
        INVARIANT("arena-whole", empty == 0 || map[empty].class == class);
    }
    INVARIANT("arena-whole", with_room == census->slabs_with_room);
}

struct arena_census arena_check(struct untyped *untyped)
{
    static const struct page inside;
    struct census census = {0};
    const struct buddy *buddy = buddy_of(untyped);
    const struct page *map = page_map(untyped);
    INVARIANT("arena-whole", map[0].kind == PAGE_HEAD && untyped->head_pages < untyped->pages);
    for (uint32_t page = 1; page < untyped->head_pages; page++)
        INVARIANT("arena-whole", memcmp(&map[page], &inside, sizeof(inside)) == 0);
    for (uint32_t page = untyped->head_pages; page < untyped->pages;) {
        uint32_t end = page + check_page(untyped, page, &census);
        INVARIANT("arena-whole", end > page && end <= untyped->pages);
        while (++page < end)
            INVARIANT("arena-whole", memcmp(&map[page], &inside, sizeof(inside)) == 0);
    }
    check_lists(untyped, &census);
    INVARIANT("arena-whole", census.away == buddy->away && census.warm == (buddy->warm != 0));
    return (struct arena_census){.live = census.live, .used_bytes = census.used_bytes};
}
