/* mem.c: untyped memory: contiguous ranges from which every kernel object is made.
 *
 * A range begins with its head: struct untyped and the page map, one entry a page. The pages after
 * it are free blocks (buddy.c), pages handed out, or slab pages of small objects (slab.c). A child
 * untyped is a block of its parent with a head of its own.
 *
 * Invariants (mem_check tests them all):
 *  1. Every page after the head belongs to exactly one free block, block in use, slab page or block
 *     on its way to the machine. The map entry of its first page says which; all others are zero.
 *     So the map of a fresh range is right without being touched.
 *  2. A free block is in the list of its order, and no two free buddies of one order exist, except
 *     that the warm block (buddy.c) does not merge.
 *  3. A free block of MEM_RELEASE or more reads as zero, except the warm one. A free block with its
 *     zero flag reads as zero.
 *  4. A slab page is in the list of its class just when it has room; used + came back = fresh.
 *  5. used_bytes is the sum of what is handed out, as rounded; live is the number of allocations.
 *
 * States of an untyped:
 *     made --(last ref dropped, grace period over: untyped_destroy)--> dying
 *     dying --(live reaches 0: in untyped_destroy or the last mem_free)--> its block is the
 *     parent's again; a root's range stays the machine's.
 * So memory outlives everything made from it, with no count kept for that but `live`.
 *
 * Clearing and giving back are done without the lock: the memory is nobody else's meanwhile. */
#include "kernel/mem/mem.h"

#include "base/bytes.h"
#include "kernel/mem/limbo.h"
#include "kernel/mem/mem_int.h"

static void untyped_destroy(struct object *object);

static const struct object_class untyped_class = {
    .type = OBJ_UNTYPED,
    .name = "untyped",
    .destroy = untyped_destroy,
};

static uint32_t head_pages_of(uint64_t pages)
{
    uint64_t bytes = sizeof(struct untyped) + pages * sizeof(struct page);
    return (uint32_t)(align_up(bytes, MEM_PAGE) / MEM_PAGE);
}

/* Makes an untyped of a range whose head reads as zero. */
static struct untyped *untyped_setup(void *base, uint64_t size_bytes, bool zero,
                                     struct untyped *parent, struct limbo *limbo)
{
    struct untyped *untyped = base;
    object_init(&untyped->object, &untyped_class, parent, limbo);
    lock_init(&untyped->lock, LOCK_MEM);
    untyped->pages = (uint32_t)(size_bytes / MEM_PAGE);
    untyped->head_pages = head_pages_of(untyped->pages);
    ASSERT(untyped->head_pages < untyped->pages && untyped->live == 0);
    page_map(untyped)[0].kind = PAGE_HEAD;
    lock_take(&untyped->lock);
    pages_put(untyped, untyped->head_pages, untyped->pages - untyped->head_pages, zero);
    lock_drop(&untyped->lock);
    return untyped;
}

tn_err untyped_boot(void *base, uint64_t size_bytes, struct limbo *limbo,
                    struct untyped **ret_untyped)
{
    ASSERT(limbo != NULL && ret_untyped != NULL);
    if (base == NULL || (uintptr_t)base % MEM_RELEASE != 0 || size_bytes % MEM_PAGE != 0)
        return TN_EINVAL;
    if (size_bytes < MEM_UNTYPED_MIN)
        return TN_EINVAL;
    if (size_bytes > MEM_UNTYPED_MAX)
        return TN_ETOOBIG;
    *ret_untyped = untyped_setup(base, size_bytes, true, NULL, limbo);
    return TN_OK;
}

/* Counts `bytes` as handed out. Lock held. */
static void charge(struct untyped *untyped, uint64_t bytes)
{
    untyped->live++;
    untyped->used_bytes += bytes;
    if (untyped->used_bytes > untyped->peak_bytes)
        untyped->peak_bytes = untyped->used_bytes;
}

/* Pages in a row; NULL when there is no room. Takes the lock. */
static void *block_alloc(struct untyped *untyped, uint64_t pages, bool *ret_zero)
{
    if (pages > untyped->pages || race_out_of_memory())
        return NULL;
    lock_take(&untyped->lock);
    uint32_t page = pages_take(untyped, (uint32_t)pages, ret_zero);
    if (page != 0)
        charge(untyped, pages * MEM_PAGE);
    lock_drop(&untyped->lock);
    return page != 0 ? page_at(untyped, page) : NULL;
}

tn_err untyped_make(struct untyped *parent, uint64_t size_bytes, struct untyped **ret_untyped)
{
    ASSERT(parent != NULL && ret_untyped != NULL);
    if (size_bytes < MEM_UNTYPED_MIN)
        return TN_EINVAL;
    if (size_bytes > MEM_UNTYPED_MAX)
        return TN_ENOMEM;
    uint64_t bytes = UINT64_C(1) << log2_ceil(size_bytes);
    bool zero = false;
    void *base = block_alloc(parent, bytes / MEM_PAGE, &zero);
    if (base == NULL)
        return TN_ENOMEM;
    if (!zero)
        memset(base, 0, (size_t)head_pages_of(bytes / MEM_PAGE) * MEM_PAGE);
    *ret_untyped = untyped_setup(base, bytes, zero, parent, parent->object.limbo);
    return TN_OK;
}

static void *small_alloc(struct untyped *untyped, size_t bytes)
{
    uint32_t class = slab_class(bytes);
    bool zero = false;
    if (race_out_of_memory())
        return NULL;
    lock_take(&untyped->lock);
    void *at = slab_alloc(untyped, class, &zero);
    if (at != NULL)
        charge(untyped, slab_bytes(class));
    lock_drop(&untyped->lock);
    if (at != NULL && !zero)
        memset(at, 0, slab_bytes(class));
    return at;
}

void *mem_alloc(struct untyped *untyped, size_t bytes)
{
    ASSERT(untyped != NULL && bytes > 0);
    if (bytes <= MEM_SLAB_MAX)
        return small_alloc(untyped, bytes);
    uint64_t pages = bytes / MEM_PAGE + (bytes % MEM_PAGE != 0);
    bool zero = false;
    void *at = block_alloc(untyped, pages, &zero);
    if (at != NULL && !zero) {
        ASSERT(pages <= MEM_RELEASE / MEM_PAGE); /* invariant 3: a turn's work stays bounded */
        memset(at, 0, (size_t)pages * MEM_PAGE);
    }
    return at;
}

/* Takes back what was handed out; true when that was the end of a dying untyped. */
static bool take_back(struct untyped *untyped, void *at, size_t bytes)
{
    uintptr_t off = (uintptr_t)at - (uintptr_t)untyped;
    uint32_t page = (uint32_t)(off / MEM_PAGE);
    ASSERT(off / MEM_PAGE >= untyped->head_pages && off / MEM_PAGE < untyped->pages);
    uint64_t charged;
    lock_take(&untyped->lock);
    if (bytes <= MEM_SLAB_MAX) {
        uint32_t class = slab_class(bytes);
        charged = slab_bytes(class);
        slab_free(untyped, class, at);
    } else {
        struct page *entry = &page_map(untyped)[page];
        uint32_t pages = (uint32_t)(bytes / MEM_PAGE + (bytes % MEM_PAGE != 0));
        ASSERT(off % MEM_PAGE == 0 && entry->kind == PAGE_BLOCK && entry->next == pages);
        charged = (uint64_t)pages * MEM_PAGE;
        *entry = (struct page){0};
        pages_put(untyped, page, pages, false);
    }
    ASSERT(untyped->live > 0 && untyped->used_bytes >= charged);
    untyped->live--;
    untyped->used_bytes -= charged;
    /* The last to leave a dying untyped has it for itself: all others dropped the lock before. */
    bool end = untyped->dying && untyped->live == 0;
    lock_drop(&untyped->lock);
    return end;
}

/* The end of a dying untyped: its block goes back, and perhaps that ends the parent too. */
static void untyped_end(struct untyped *untyped)
{
    struct untyped *parent = untyped->object.home;
    while (parent != NULL && take_back(parent, untyped, (size_t)untyped->pages * MEM_PAGE)) {
        untyped = parent;
        parent = untyped->object.home;
    }
}

void mem_free(struct untyped *untyped, void *at, size_t bytes)
{
    if (at == NULL)
        return;
    ASSERT(untyped != NULL && bytes > 0);
    if (take_back(untyped, at, bytes))
        untyped_end(untyped);
}

static void untyped_destroy(struct object *object)
{
    struct untyped *untyped = untyped_of(object);
    lock_take(&untyped->lock);
    ASSERT(!untyped->dying);
    untyped->dying = true;
    bool end = untyped->live == 0;
    lock_drop(&untyped->lock);
    if (end)
        untyped_end(untyped);
}

struct mem_stats mem_stats(struct untyped *untyped)
{
    struct mem_stats stats = {.size_bytes = (uint64_t)untyped->pages * MEM_PAGE};
    lock_take(&untyped->lock);
    stats.used_bytes = untyped->used_bytes;
    stats.peak_bytes = untyped->peak_bytes;
    lock_drop(&untyped->lock);
    uint64_t head_bytes = (uint64_t)untyped->head_pages * MEM_PAGE;
    ASSERT(head_bytes + stats.used_bytes <= stats.size_bytes);
    stats.free_bytes = stats.size_bytes - head_bytes - stats.used_bytes;
    return stats;
}

struct object *untyped_object(struct untyped *untyped)
{
    return &untyped->object;
}

struct untyped *untyped_of(struct object *object)
{
    ASSERT(object->class == &untyped_class);
    return CONTAINER_OF(object, struct untyped, object);
}
