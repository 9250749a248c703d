/* space.c: the slots of capability spaces. A space grows by chunks, each twice the last, that never
 * move: pointers to slots stay good until the space is destroyed. */
#include "base/bytes.h"
#include "kernel/cap/cap_int.h"
#include "kernel/mem/mem.h"

static void space_destroy(struct object *object);

static const struct object_class space_class = {
    .type = OBJ_SPACE,
    .name = "space",
    .destroy = space_destroy,
};

static uint32_t chunk_first(uint32_t chunk)
{
    return CHUNK_SLOTS * ((1u << chunk) - 1);
}

/* The last chunk is cut off at slots_max. */
static uint32_t chunk_slots(const struct space *space, uint32_t chunk)
{
    uint32_t first = chunk_first(chunk), slots = (uint32_t)CHUNK_SLOTS << chunk;
    ASSERT(first < space->slots_max);
    return slots < space->slots_max - first ? slots : space->slots_max - first;
}

static uint32_t chunk_of(uint32_t index)
{
    return log2_floor(index / CHUNK_SLOTS + 1);
}

tn_err space_make(struct untyped *mem, struct cap_root *root, struct limbo *limbo,
                  uint32_t slots_max, struct space **ret_space)
{
    ASSERT(mem != NULL && root != NULL && limbo != NULL && ret_space != NULL);
    if (slots_max == 0 || slots_max > TN_SPACE_MAX)
        return TN_EINVAL;
    struct space *space = mem_alloc(mem, sizeof(*space));
    if (space == NULL)
        return TN_ENOMEM;
    object_init(&space->object, &space_class, mem, limbo);
    space->root = root;
    space->slots_max = slots_max;
    *ret_space = space;
    return TN_OK;
}

static void space_destroy(struct object *object)
{
    struct space *space = space_of(object);
    space_clear(space);
    ASSERT(space->count == 0);
    for (uint32_t i = 0; i < SPACE_CHUNKS; i++) {
        void *chunk = at_load(&space->chunk[i], RELAXED); /* nobody else has the space */
        if (chunk != NULL)
            mem_free(object->home, chunk, chunk_slots(space, i) * sizeof(struct slot));
    }
    mem_free(object->home, space, sizeof(*space));
}

struct object *space_object(struct space *space)
{
    return &space->object;
}

struct space *space_of(struct object *object)
{
    ASSERT(object->class == &space_class);
    return CONTAINER_OF(object, struct space, object);
}

uint32_t space_count(struct space *space)
{
    lock_take(&space->root->lock);
    uint32_t count = space->count;
    lock_drop(&space->root->lock);
    ASSERT(count <= space->slots_max);
    return count;
}

struct slot *space_slot(struct space *space, uint32_t index)
{
    ASSERT(index < space->slots_max);
    uint32_t k = chunk_of(index);
    /* ACQUIRE pairs with the RELEASE of space_grow: a chunk is seen cleared. */
    struct slot *chunk = at_load(&space->chunk[k], ACQUIRE);
    return chunk != NULL ? &chunk[index - chunk_first(k)] : NULL;
}

uint32_t space_index(struct space *space, const struct slot *slot)
{
    uintptr_t at = (uintptr_t)slot;
    for (uint32_t i = 0; i < SPACE_CHUNKS; i++) {
        uintptr_t chunk = (uintptr_t)at_load(&space->chunk[i], RELAXED); /* lock held */
        if (chunk != 0 && at >= chunk && at - chunk < chunk_slots(space, i) * sizeof(*slot))
            return chunk_first(i) + (uint32_t)((at - chunk) / sizeof(*slot));
    }
    UNREACHABLE("a slot of another space");
}

/* Adds a chunk. The lock is dropped while the memory is cleared; another CPU may be faster. */
static tn_err space_grow(struct space *space)
{
    uint32_t room = space->room, k = chunk_of(room);
    size_t bytes = chunk_slots(space, k) * sizeof(struct slot);
    lock_drop(&space->root->lock);
    void *chunk = mem_alloc(space->object.home, bytes);
    lock_take(&space->root->lock);
    if (space->room != room) {
        lock_drop(&space->root->lock);
        mem_free(space->object.home, chunk, bytes);
        lock_take(&space->root->lock);
        return TN_EAGAIN;
    }
    if (chunk == NULL)
        return TN_ENOMEM;
    ASSERT(at_load(&space->chunk[k], RELAXED) == NULL);
    at_store(&space->chunk[k], chunk, RELEASE);
    space->room += chunk_slots(space, k);
    return TN_EAGAIN;
}

tn_err space_reserve(struct space *space, uint32_t n)
{
    ASSERT(space->fresh <= space->room && space->room <= space->slots_max);
    ASSERT(space->count + space->retired <= space->fresh);
    if (space->room - space->count - space->retired >= n)
        return TN_OK;
    return space->room < space->slots_max ? space_grow(space) : TN_ENOSLOT;
}

/* The slot that is to be used next, out of the free list; its word keeps its generation. */
static struct slot *slot_next(struct space *space, uint32_t *ret_index)
{
    struct slot *slot;
    if (space->fresh < space->room) {
        *ret_index = space->fresh++;
        slot = space_slot(space, *ret_index);
        slot->space = space;
        at_store(&slot->word, UINT64_C(1) << WORD_GENERATION_SHIFT, RELAXED); /* not live yet */
        return slot;
    }
    slot = space->free_first;
    ASSERT(slot != NULL && slot->space == space);
    space->free_first = (struct slot *)slot->next;
    if (space->free_first == NULL)
        space->free_last = NULL;
    slot->next = 0;
    *ret_index = (uint32_t)at_load(&slot->badge, RELAXED);
    return slot;
}

tn_cap space_take(struct space *space, struct object *object, uint64_t badge, uint32_t rights,
                  struct slot **ret_slot)
{
    ASSERT(object != NULL && (rights & ~(uint32_t)TN_R_ALL) == 0);
    uint32_t index = 0;
    struct slot *slot = slot_next(space, &index);
    uint64_t generation = word_generation(at_load(&slot->word, RELAXED));
    ASSERT((at_load(&slot->word, RELAXED) & WORD_LIVE) == 0 && generation > 0);
    /* RELEASE of these two: who reads one of them sees the word that ended the slot's last life.
     * RELEASE of the word: who sees this life begun sees what it names. */
    at_store(&slot->object, object, RELEASE);
    at_store(&slot->badge, badge, RELEASE);
    uint64_t word = generation << WORD_GENERATION_SHIFT | WORD_LIVE | rights |
                    (uint64_t)object->class->type << WORD_TYPE_SHIFT;
    at_store(&slot->word, word, RELEASE);
    space->count++;
    *ret_slot = slot;
    return generation << WORD_GENERATION_SHIFT | index;
}

void space_put(struct slot *slot)
{
    struct space *space = slot->space;
    uint64_t word = at_load(&slot->word, RELAXED);
    ASSERT((word & WORD_LIVE) != 0 && slot->next == 0 && slot->first == NULL);
    uint64_t generation = word_generation(word);
    bool retired = generation == GENERATION_MAX;
    if (!retired)
        generation++;
    /* The handle is stale from here on. RELAXED: the RELEASE of the stores below carries it. */
    at_store(&slot->word, generation << WORD_GENERATION_SHIFT, RELAXED);
    at_store(&slot->object, NULL, RELEASE);
    ASSERT(space->count > 0);
    space->count--;
    if (retired) {
        space->retired++;
        return;
    }
    at_store(&slot->badge, space_index(space, slot), RELEASE);
    if (space->free_last != NULL)
        space->free_last->next = (uintptr_t)slot;
    else
        space->free_first = slot;
    space->free_last = slot;
}

/* What a clearing spares. */
struct spared {
    const tn_cap *caps;
    uint32_t n;
    uint64_t flags; /* a slot with one of these */
};

static bool is_spared(const struct spared *spared, uint32_t index, uint64_t word)
{
    tn_cap cap = word >> WORD_GENERATION_SHIFT << WORD_GENERATION_SHIFT | index;
    if ((word & spared->flags) != 0)
        return true;
    for (uint32_t i = 0; i < spared->n; i++) {
        if (spared->caps[i] == cap)
            return true;
    }
    return false;
}

/* Deletes up to CAP_STEP capabilities from *index on; false at the end of the space. */
static bool clear_step(struct space *space, const struct spared *spared, uint32_t *index)
{
    struct orphans orphans = {.count = 0};
    lock_take(&space->root->lock);
    uint32_t end = *index + CAP_STEP < space->fresh ? *index + CAP_STEP : space->fresh;
    for (; *index < end; ++*index) {
        struct slot *slot = space_slot(space, *index);
        uint64_t word = at_load(&slot->word, RELAXED);
        if ((word & WORD_LIVE) != 0 && !is_spared(spared, *index, word))
            cap_unlink(slot, &orphans);
    }
    bool more = *index < space->fresh && space->count > 0;
    lock_drop(&space->root->lock);
    orphans_tell(&orphans);
    return more;
}

static void clear(struct space *space, const struct spared *spared)
{
    uint32_t index = 0;
    while (clear_step(space, spared, &index))
        ASSERT(index < space->slots_max);
}

void space_clear(struct space *space)
{
    const struct spared nothing = {.n = 0};
    clear(space, &nothing);
}

void space_clear_but(struct space *space, const tn_cap *caps, uint32_t n)
{
    const struct spared spared = {caps, n, WORD_POSTED};
    clear(space, &spared);
}
