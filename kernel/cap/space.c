/* space.c: the slots of capability spaces. A space grows by chunks, each twice the last, that never
 * move: pointers to slots stay good until the space is destroyed. */
#include "base/bytes.h"
#include "kernel/cap/cap_int.h"
#include "kernel/mem/limbo.h"
#include "kernel/mem/mem.h"

static void space_destroy(struct object *object);
static bool clear_last(struct space *space);

static const struct object_class space_class = {
    .type = OBJ_SPACE,
    .name = "space",
    .destroy = space_destroy,
};

/* What a space without slots looks like to lookups. */
static const struct slot no_slots[CHUNK_SLOTS];

static uint32_t chunk_first(uint32_t chunk)
{
    return CHUNK_SLOTS * ((1u << chunk) - 1);
}

/* The last chunk is cut off at slots_max; the first is not, so that lookups need not ask. */
static uint32_t chunk_slots(const struct space *space, uint32_t chunk)
{
    uint32_t first = chunk_first(chunk), slots = (uint32_t)CHUNK_SLOTS << chunk;
    ASSERT(first < space->slots_max);
    return chunk == 0 || slots < space->slots_max - first ? slots : space->slots_max - first;
}

static size_t chunk_bytes(const struct space *space, uint32_t chunk)
{
    return chunk_slots(space, chunk) * sizeof(struct slot);
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
    ASSERT(((uintptr_t)space & OWNER_CHUNK) == 0);
    object_init(&space->object, &space_class, mem, limbo);
    space->root = root;
    space->slots_max = slots_max;
    at_init(&space->near, (void *)(uintptr_t)no_slots);
    *ret_space = space;
    return TN_OK;
}

/* A chunk after the first, or NULL. Also without the lock. */
static struct slot *far_chunk(struct space *space, uint32_t chunk)
{
    ASSERT(chunk > 0 && chunk < SPACE_CHUNKS);
    /* ACQUIRE pairs with the RELEASE of chunk_publish: table and chunk are seen cleared. */
    struct far_chunks *far = at_load(&space->far, ACQUIRE);
    return far != NULL ? at_load(&far->chunk[chunk - 1], ACQUIRE) : NULL;
}

/* A chunk, or NULL. Lock held, or nobody else has the space. */
static struct slot *space_chunk(struct space *space, uint32_t chunk)
{
    if (chunk > 0)
        return far_chunk(space, chunk);
    struct slot *near = at_load(&space->near, RELAXED);
    return near != no_slots ? near : NULL;
}

static void space_destroy(struct object *object)
{
    struct space *space = space_of(object);
    for (uint32_t i = 0; clear_last(space); i++) {
        if (i + 1 == CLEAR_STEPS) {
            limbo_again(object->limbo, object);
            return;
        }
    }
    ASSERT(space->count == 0 && space->reserved == 0);
    for (uint32_t i = 0; i < SPACE_CHUNKS; i++) {
        void *chunk = space_chunk(space, i);
        if (chunk != NULL)
            mem_free(object->home, chunk, chunk_bytes(space, i));
    }
    /* RELAXED: nobody else has the space. */
    mem_free(object->home, at_load(&space->far, RELAXED), sizeof(struct far_chunks));
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

struct slot *space_far_slot(struct space *space, uint32_t index)
{
    if (index >= space->slots_max)
        return NULL;
    uint32_t k = chunk_of(index);
    struct slot *chunk = far_chunk(space, k);
    return chunk != NULL ? &chunk[index - chunk_first(k)] : NULL;
}

uint32_t space_index(struct space *space, const struct slot *slot)
{
    ASSERT(slot_space(slot) == space);
    uint32_t k = (uint32_t)(slot->owner & OWNER_CHUNK);
    uint32_t index = (uint32_t)(slot - space_chunk(space, k));
    ASSERT(index < chunk_slots(space, k));
    return chunk_first(k) + index;
}

/* Makes a chunk known to lookups. Lock held. */
static void chunk_publish(struct space *space, uint32_t k, struct slot *chunk,
                          struct far_chunks *far)
{
    ASSERT(space_chunk(space, k) == NULL);
    uint32_t slots = chunk_slots(space, k), first = chunk_first(k);
    space->room += slots < space->slots_max - first ? slots : space->slots_max - first;
    if (k == 0) {
        at_store(&space->near, chunk, RELEASE);
        return;
    }
    if (k == 1)
        at_store(&space->far, far, RELEASE);
    far = at_load(&space->far, RELAXED);
    at_store(&far->chunk[k - 1], chunk, RELEASE);
}

/* Adds a chunk. The lock is dropped while the memory is cleared; another CPU may be faster. */
static tn_err space_grow(struct space *space)
{
    struct untyped *home = space->object.home;
    uint32_t room = space->room, k = chunk_of(room);
    size_t bytes = chunk_bytes(space, k);
    lock_drop(&space->root->lock);
    void *chunk = mem_alloc(home, bytes);
    struct far_chunks *far = k == 1 && chunk != NULL ? mem_alloc(home, sizeof(*far)) : NULL;
    lock_take(&space->root->lock);
    bool late = space->room != room;
    bool whole = chunk != NULL && (k != 1 || far != NULL);
    if (!late && whole) {
        chunk_publish(space, k, chunk, far);
        return TN_EAGAIN;
    }
    lock_drop(&space->root->lock);
    mem_free(home, chunk, bytes);
    mem_free(home, far, sizeof(*far));
    lock_take(&space->root->lock);
    return late ? TN_EAGAIN : TN_ENOMEM;
}

tn_err space_make_room(struct space *space, uint32_t n)
{
    ASSERT(space->fresh <= space->room && space->room <= space->slots_max);
    uint32_t taken = space->count + space->reserved + space->retired;
    ASSERT(taken <= space->fresh);
    if (space->room - taken >= n)
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
        slot->owner = (uintptr_t)space | chunk_of(*ret_index);
        at_store(&slot->word, UINT64_C(1) << WORD_GENERATION_SHIFT, RELAXED); /* not live yet */
        return slot;
    }
    slot = space->free_first;
    ASSERT(slot != NULL && slot_space(slot) == space);
    space->free_first = (struct slot *)slot->next;
    if (space->free_first == NULL)
        space->free_last = NULL;
    slot->next = 0;
    *ret_index = (uint32_t)at_load(&slot->badge, RELAXED);
    return slot;
}

/* Begins a life of `slot`, which has this generation and is not live. */
static void slot_begin(struct slot *slot, uint64_t generation, struct object *object,
                       uint64_t badge, uint32_t rights)
{
    ASSERT(object != NULL && (rights & ~(uint32_t)TN_R_ALL) == 0 && generation > 0);
    /* RELEASE of these two: who reads one of them sees the word that ended the slot's last life.
     * RELEASE of the word: who sees this life begun sees what it names. */
    at_store(&slot->object, object, RELEASE);
    at_store(&slot->badge, badge, RELEASE);
    uint64_t word = generation << WORD_GENERATION_SHIFT | WORD_LIVE | rights |
                    (uint64_t)object->class->type << WORD_TYPE_SHIFT;
    at_store(&slot->word, word, RELEASE);
}

tn_cap space_take(struct space *space, struct object *object, uint64_t badge, uint32_t rights,
                  struct slot **ret_slot)
{
    uint32_t index = 0;
    struct slot *slot = slot_next(space, &index);
    uint64_t word = at_load(&slot->word, RELAXED);
    ASSERT((word & ~WORD_GENERATION) == 0);
    slot_begin(slot, word_generation(word), object, badge, rights);
    space->count++;
    *ret_slot = slot;
    return word | index;
}

tn_cap space_reserve(struct space *space)
{
    uint32_t index = 0;
    struct slot *slot = slot_next(space, &index);
    uint64_t word = at_load(&slot->word, RELAXED);
    ASSERT((word & ~WORD_GENERATION) == 0);
    /* RELAXED: lookups find nothing here, before and after. */
    at_store(&slot->word, word | WORD_RESERVED, RELAXED);
    space->reserved++;
    return word | index;
}

void space_fill(struct slot *slot, struct object *object, uint64_t badge, uint32_t rights)
{
    struct space *space = slot_space(slot);
    uint64_t word = at_load(&slot->word, RELAXED);
    ASSERT((word & WORD_RESERVED) != 0 && space->reserved > 0);
    slot_begin(slot, word_generation(word), object, badge, rights);
    space->reserved--;
    space->count++;
}

void space_put(struct slot *slot)
{
    struct space *space = slot_space(slot);
    uint64_t word = at_load(&slot->word, RELAXED);
    ASSERT((word & (WORD_LIVE | WORD_RESERVED)) != 0 && slot->next == 0 && slot->first == NULL);
    uint64_t generation = word_generation(word);
    bool retired = generation == GENERATION_MAX;
    if (!retired)
        generation++;
    /* The handle is stale from here on. RELAXED: the RELEASE of the stores below carries it. */
    at_store(&slot->word, generation << WORD_GENERATION_SHIFT, RELAXED);
    at_store(&slot->object, NULL, RELEASE);
    uint32_t *counted = (word & WORD_LIVE) != 0 ? &space->count : &space->reserved;
    ASSERT(*counted > 0);
    --*counted;
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
    uint64_t flags;       /* a slot with one of these */
    uint64_t mask, match; /* a slot whose word is not `match` under `mask` */
};

static bool is_spared(const struct spared *spared, uint32_t index, uint64_t word)
{
    tn_cap cap = word >> WORD_GENERATION_SHIFT << WORD_GENERATION_SHIFT | index;
    if ((word & spared->flags) != 0 || (word & spared->mask) != spared->match)
        return true;
    for (uint32_t i = 0; i < spared->n; i++) {
        if (spared->caps[i] == cap)
            return true;
    }
    return false;
}

/* Frees the slots [from, end), at most CAP_STEP. Lock held. */
static void clear_range(struct space *space, const struct spared *spared, uint32_t from,
                        uint32_t end, struct orphans *orphans)
{
    ASSERT(end - from <= CAP_STEP);
    for (uint32_t index = from; index < end; index++) {
        struct slot *slot = space_slot(space, index);
        uint64_t word = at_load(&slot->word, RELAXED);
        if ((word & WORD_RESERVED) != 0 && spared->mask == 0)
            space_put(slot);
        else if ((word & WORD_LIVE) != 0 && !is_spared(spared, index, word))
            orphans_unlink(orphans, slot);
    }
}

/* Frees up to CAP_STEP slots from *index on; false at the end of the space. */
static bool clear_step(struct space *space, const struct spared *spared, uint32_t *index)
{
    struct orphans orphans;
    orphans.count = 0;
    lock_take(&space->root->lock);
    uint32_t end = *index + CAP_STEP < space->fresh ? *index + CAP_STEP : space->fresh;
    clear_range(space, spared, *index, end, &orphans);
    *index = end;
    bool more = *index < space->fresh && space->count + space->reserved > 0;
    lock_drop(&space->root->lock);
    orphans_tell(&orphans);
    return more;
}

/* Frees the last slots, up to CAP_STEP, of a space that nobody has: they count as never used from
 * then on, so the next step begins before them. False: nothing is left in it. */
static bool clear_last(struct space *space)
{
    const struct spared nothing = {.n = 0};
    struct orphans orphans;
    orphans.count = 0;
    lock_take(&space->root->lock);
    uint32_t end = space->fresh;
    space->fresh = end > CAP_STEP ? end - CAP_STEP : 0;
    clear_range(space, &nothing, space->fresh, end, &orphans);
    bool more = space->count + space->reserved > 0;
    ASSERT(!more || space->fresh > 0);
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

bool space_clear_step(struct space *space, uint32_t n)
{
    const struct spared nothing = {.n = 0};
    uint32_t index = n * CAP_STEP;
    ASSERT(index <= space->slots_max);
    return clear_step(space, &nothing, &index);
}

void space_clear(struct space *space)
{
    const struct spared nothing = {.n = 0};
    clear(space, &nothing);
}

void space_clear_but(struct space *space, const tn_cap *caps, uint32_t n)
{
    const struct spared spared = {.caps = caps, .n = n, .flags = WORD_POSTED};
    clear(space, &spared);
}

void space_mark(struct space *space)
{
    bool more = true;
    for (uint32_t index = 0; more;) {
        lock_take(&space->root->lock);
        uint32_t end = index + CAP_STEP < space->fresh ? index + CAP_STEP : space->fresh;
        for (; index < end; index++) {
            struct slot *slot = space_slot(space, index);
            if ((at_load(&slot->word, RELAXED) & WORD_LIVE) != 0)
                slot_mark(slot, WORD_MARKED, true);
        }
        more = index < space->fresh;
        lock_drop(&space->root->lock);
    }
}

void space_clear_marked_but(struct space *space, const tn_cap *caps, uint32_t n)
{
    const struct spared spared = {caps, n, WORD_POSTED, WORD_MARKED, WORD_MARKED};
    clear(space, &spared);
}

void space_clear_unmarked(struct space *space)
{
    const struct spared spared = {.flags = WORD_POSTED, .mask = WORD_MARKED, .match = 0};
    clear(space, &spared);
}
