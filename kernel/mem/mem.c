/* mem.c: untyped memory: contiguous ranges from which every kernel object is made.
 *
 * A range begins with its head: struct untyped and what the arena (arena.h) keeps of it. A child
 * untyped is an allocation of its parent with a head of its own.
 *
 * Invariants (mem_check tests them, and the arena's):
 *  1. used_bytes is the sum of what is handed out, as the arena counts it; live is the number of
 *     allocations.
 *  2. What is handed out lies after the head and reads as zero.
 *
 * States of an untyped:
 *     made --(last ref dropped, grace period over: untyped_destroy)--> dying
 *     dying --(live reaches 0: in untyped_destroy, the last mem_free or the last part that is given
 *     back)--> its block is the parent's again; a root's range stays the machine's.
 * So memory outlives everything made from it, with no count kept for that but `live`.
 *
 * Clearing and giving back are done without the lock: the memory is nobody else's meanwhile.
 *
 * Much memory is given back in parts (MEM_GIVE), for the machine takes its time for each page. What
 * was freed is in the list `going` until then, and is an allocation like others, which gets shorter
 * from its end. Who reaps limbo does one part at a time: the untyped's `giver` is an object there
 * for as long as anything is going, and the untyped does not end meanwhile. An allocation that
 * finds no room does a few parts itself. */
#include "kernel/mem/mem.h"

#include "base/bits.h"
#include "base/bytes.h"
#include "kernel/mem/limbo.h"
#include "kernel/mem/mem_int.h"

/* Parts that an allocation gives back before it says that there is no room. */
enum { GIVE_HELP = 8 };

static void untyped_destroy(struct object *object);
static void giver_step(struct object *object);

static const struct object_class untyped_class = {
    .type = OBJ_UNTYPED,
    .name = "untyped",
    .destroy = untyped_destroy,
};

static const struct object_class giver_class = {
    .type = OBJ_NONE,
    .name = "giver",
    .destroy = giver_step,
};

static uint32_t head_pages_of(uint64_t pages)
{
    uint64_t bytes = sizeof(struct untyped) + arena_head_bytes(pages);
    return (uint32_t)(align_up(bytes, MEM_PAGE) / MEM_PAGE);
}

/* Makes an untyped of a range whose head reads as zero. */
static struct untyped *untyped_setup(void *base, uint64_t size_bytes, bool zero,
                                     struct untyped *parent, struct limbo *limbo)
{
    struct untyped *untyped = base;
    object_init(&untyped->object, &untyped_class, parent, limbo);
    untyped->giver = (struct object){.class = &giver_class, .limbo = limbo};
    list_init(&untyped->giver.link);
    at_init(&untyped->giver.refs, 0);
    lock_init(&untyped->lock, LOCK_MEM);
    untyped->pages = (uint32_t)(size_bytes / MEM_PAGE);
    untyped->head_pages = head_pages_of(untyped->pages);
    ASSERT(untyped->head_pages < untyped->pages && untyped->live == 0);
    arena_setup(untyped, zero);
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

/* Room that need not read as zero, if there is any now. Takes the lock. */
static void *try_take(struct untyped *untyped, size_t bytes, bool *ret_zero)
{
    uint64_t charged = 0;
    lock_take(&untyped->lock);
    void *at = arena_alloc(untyped, bytes, ret_zero, &charged);
    if (at != NULL)
        charge(untyped, charged);
    lock_drop(&untyped->lock);
    return at;
}

/* The same, or in a moment; NULL when there is none. */
static void *take(struct untyped *untyped, size_t bytes, bool *ret_zero)
{
    if (bytes > (uint64_t)untyped->pages * MEM_PAGE || race_out_of_memory())
        return NULL;
    void *at = try_take(untyped, bytes, ret_zero);
    for (uint32_t i = 0; at == NULL && i < GIVE_HELP && mem_give_back(untyped); i++)
        at = try_take(untyped, bytes, ret_zero);
    return at;
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
    void *base = take(parent, bytes, &zero);
    if (base == NULL)
        return TN_ENOMEM;
    if (!zero)
        memset(base, 0, (size_t)head_pages_of(bytes / MEM_PAGE) * MEM_PAGE);
    *ret_untyped = untyped_setup(base, bytes, zero, parent, parent->object.limbo);
    return TN_OK;
}

void *mem_alloc(struct untyped *untyped, size_t bytes)
{
    ASSERT(untyped != NULL && bytes > 0);
    bool zero = false;
    void *at = take(untyped, bytes, &zero);
    if (at != NULL && !zero)
        memset(at, 0, bytes);
    return at;
}

/* Nobody has anything of a dying untyped. The last to leave it has it for itself: all others
 * dropped the lock before. Lock held. */
static bool is_over(const struct untyped *untyped)
{
    return untyped->dying && untyped->live == 0 && !untyped->gives;
}

/* One allocation less, which is the arena's again. Lock held. */
static void discharge(struct untyped *untyped, void *at, size_t bytes)
{
    uint64_t charged = arena_free(untyped, at, bytes);
    ASSERT(untyped->live > 0 && untyped->used_bytes >= charged);
    untyped->live--;
    untyped->used_bytes -= charged;
}

/* What is freed is to be given back in parts. */
static void give_later(struct untyped *untyped, void *at, size_t bytes)
{
    struct going *block = at;
    lock_take(&untyped->lock);
    *block = (struct going){.next = untyped->going, .bytes = bytes};
    untyped->going = block;
    bool gave = untyped->gives;
    untyped->gives = true;
    lock_drop(&untyped->lock);
    if (!gave)
        limbo_again(untyped->object.limbo, &untyped->giver);
}

/* Takes back what was handed out, or will; true when that was the end of a dying untyped. */
static bool take_back(struct untyped *untyped, void *at, size_t bytes)
{
    uintptr_t off = (uintptr_t)at - (uintptr_t)untyped;
    ASSERT(off / MEM_PAGE >= untyped->head_pages && off / MEM_PAGE < untyped->pages);
    if (bytes > MEM_GIVE) {
        give_later(untyped, at, bytes);
        return false;
    }
    lock_take(&untyped->lock);
    discharge(untyped, at, bytes);
    bool end = is_over(untyped);
    lock_drop(&untyped->lock);
    return end;
}

bool mem_give_back(struct untyped *untyped)
{
    lock_take(&untyped->lock);
    struct going *block = untyped->going;
    if (block != NULL && block->bytes > MEM_GIVE) {
        uint64_t bytes = block->bytes;
        block->bytes = (bytes - 1) / MEM_GIVE * MEM_GIVE;
        untyped->used_bytes -= arena_trim(untyped, block, bytes, block->bytes);
    } else if (block != NULL) {
        untyped->going = block->next;
        discharge(untyped, block, block->bytes);
    }
    /* Nobody but the giver can be the last, now or while the arena dropped the lock: whoever else
     * calls this has something of the untyped. */
    ASSERT(!is_over(untyped));
    lock_drop(&untyped->lock);
    return block != NULL;
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

static void giver_step(struct object *object)
{
    struct untyped *untyped = CONTAINER_OF(object, struct untyped, giver);
    (void)mem_give_back(untyped);
    lock_take(&untyped->lock);
    ASSERT(untyped->gives);
    untyped->gives = untyped->going != NULL;
    bool more = untyped->gives, end = is_over(untyped);
    lock_drop(&untyped->lock);
    if (more)
        limbo_again(object->limbo, object);
    else if (end)
        untyped_end(untyped);
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
    bool end = is_over(untyped);
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

void mem_check(struct untyped *untyped)
{
    lock_take(&untyped->lock);
    struct arena_census census = arena_check(untyped);
    INVARIANT("memory-conserved",
              census.live == untyped->live && census.used_bytes == untyped->used_bytes);
    INVARIANT("memory-conserved", untyped->used_bytes <= untyped->peak_bytes);
    lock_drop(&untyped->lock);
}
