/* slab.c: small objects inside pages of an untyped (after Bonwick, "The Slab Allocator", USENIX
 * 1994). An object that came back holds the index + 1 of the next one in its first byte; the others
 * were never touched, which is why a page of known zeros is not cleared again. A slab page is in
 * the list of its class while it has room. One empty page a class is kept, so that an object that
 * comes and goes does not split and merge blocks. */
#include "kernel/mem/buddy_int.h"

/* What alloc and free would divide for: objects in a page, and 2^16 / bytes rounded up, exact for
 * the offsets of objects within a page. */
struct slab_size {
    uint16_t bytes, objects, inverse;
};
#define SIZE(n)                                    \
    {                                              \
        (n), MEM_PAGE / (n), (65536 + (n)-1) / (n) \
    }
/* Kernel objects are multiples of 16 bytes up to 384, most of them: what a class and the end of its
 * page waste on one of these is at most an eighth. Each class that an untyped uses costs it a page,
 * so there are no more than that takes. */
static const struct slab_size sizes[MEM_CLASSES] = {
    SIZE(32),  SIZE(48),  SIZE(64),  SIZE(80),   SIZE(96),   SIZE(112), SIZE(128), SIZE(160),
    SIZE(192), SIZE(224), SIZE(256), SIZE(288),  SIZE(320),  SIZE(352), SIZE(384), SIZE(448),
    SIZE(512), SIZE(640), SIZE(768), SIZE(1024), SIZE(1344), SIZE(2048)};

/* The class by size in units of 16 bytes, up to SMALL_MAX, and of 64 bytes, up to MEM_SLAB_MAX. */
enum { SMALL_MAX = 384 };
static const uint8_t class_of_16[] = {0, 0, 0,  1,  2,  3,  4,  5,  6,  7,  7,  8, 8,
                                      9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14};
static const uint8_t class_of_64[] = {0,  2,  6,  8,  10, 12, 14, 15, 16, 17, 17,
                                      18, 18, 19, 19, 19, 19, 20, 20, 20, 20, 20,
                                      21, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21};
_Static_assert(ARRAY_LEN(class_of_16) == SMALL_MAX / 16 + 1, "a class for every small size");
_Static_assert(ARRAY_LEN(class_of_64) == MEM_SLAB_MAX / 64 + 1, "a class for every size");

uint32_t slab_class(size_t bytes)
{
    ASSERT(bytes > 0 && bytes <= MEM_SLAB_MAX);
    return bytes <= SMALL_MAX ? class_of_16[(bytes + 15) / 16] : class_of_64[(bytes + 63) / 64];
}

uint32_t slab_bytes(uint32_t class)
{
    ASSERT(class < MEM_CLASSES);
    return sizes[class].bytes;
}

uint32_t slab_objects(uint32_t class)
{
    ASSERT(class < MEM_CLASSES);
    return sizes[class].objects;
}

/* A new slab page with room; 0 when there is no memory. */
static uint32_t slab_grow(struct untyped *untyped, uint32_t class)
{
    bool zero = false;
    uint32_t page = pages_take(untyped, 1, &zero);
    if (page == 0)
        return 0;
    struct page *entry = &page_map(untyped)[page];
    *entry = (struct page){.kind = PAGE_SLAB, .zero = zero, .class = (uint8_t) class};
    page_link(untyped, &buddy_of(untyped)->slab[class], page);
    return page;
}

void *slab_alloc(struct untyped *untyped, uint32_t class, bool *ret_zero)
{
    uint32_t page = buddy_of(untyped)->slab[class];
    if (page == 0)
        page = slab_grow(untyped, class);
    if (page == 0)
        return NULL;
    struct page *entry = &page_map(untyped)[page];
    ASSERT(entry->kind == PAGE_SLAB && entry->class == class);
    if (buddy_of(untyped)->empty[class] == page)
        buddy_of(untyped)->empty[class] = 0;
    uint8_t *at = page_at(untyped, page);
    if (entry->first != 0) {
        at += (entry->first - 1u) * slab_bytes(class);
        entry->first = *at;
        *ret_zero = false;
    } else {
        at += entry->fresh * slab_bytes(class);
        entry->fresh++;
        *ret_zero = entry->zero;
    }
    entry->used++;
    ASSERT(entry->used <= entry->fresh && entry->fresh <= slab_objects(class));
    if (entry->used == slab_objects(class))
        page_unlink(untyped, &buddy_of(untyped)->slab[class], page);
    return at;
}

static void slab_page_put(struct untyped *untyped, uint32_t page)
{
    struct page *entry = &page_map(untyped)[page];
    ASSERT(entry->kind == PAGE_SLAB && entry->used == 0);
    page_unlink(untyped, &buddy_of(untyped)->slab[entry->class], page);
    *entry = (struct page){0};
    pages_put(untyped, page, 1, false);
}

void slab_free(struct untyped *untyped, uint32_t class, void *at)
{
    size_t off = (size_t)((char *)at - (char *)untyped);
    uint32_t page = (uint32_t)(off / MEM_PAGE);
    uint32_t index = (uint32_t)(off % MEM_PAGE) * sizes[class].inverse >> 16;
    struct page *entry = &page_map(untyped)[page];
    ASSERT(entry->kind == PAGE_SLAB && entry->class == class && entry->used > 0);
    ASSERT(index * slab_bytes(class) == off % MEM_PAGE && index < entry->fresh);
    if (entry->used == slab_objects(class))
        page_link(untyped, &buddy_of(untyped)->slab[class], page);
    *(uint8_t *)at = entry->first;
    entry->first = (uint8_t)(index + 1);
    entry->used--;
    if (entry->used > 0)
        return;
    if (buddy_of(untyped)->empty[class] == 0)
        buddy_of(untyped)->empty[class] = page;
    else
        slab_page_put(untyped, page);
}

bool slab_flush(struct untyped *untyped)
{
    bool any = false;
    for (uint32_t class = 0; class < MEM_CLASSES; class ++) {
        uint32_t page = buddy_of(untyped)->empty[class];
        if (page == 0)
            continue;
        buddy_of(untyped)->empty[class] = 0;
        slab_page_put(untyped, page);
        any = true;
    }
    return any;
}
