/* cell.c: cells, blocks, pools and mailboxes (the essay is in cell.h). */
#include "kernel/actor/cell.h"

#include "base/bytes.h"
#include "kernel/mem/mem.h"

/* Pools. The owner's CPU has a free list of its own; consumers elsewhere return cells to a stack
 * that the owner takes whole. A closed pool has CLOSED in place of that stack; from then on `out`
 * counts the cells that are not back yet, and who brings the last one frees the memory. */

#define CLOSED ((struct cell *)(uintptr_t)1)

tn_err cell_pool_make(struct untyped *home, const struct cpu *cpu, struct cell_pool **ret_pool)
{
    struct cell_pool *pool = mem_alloc(home, sizeof(*pool));
    if (pool == NULL)
        return TN_ENOMEM;
    pool->home = home;
    at_init(&pool->cpu, cpu);
    at_init(&pool->returned, NULL);
    at_init(&pool->out, 0);
    *ret_pool = pool;
    return TN_OK;
}

static void pool_free(struct cell_pool *pool)
{
    struct untyped *home = pool->home;
    for (struct chunk *chunk = pool->chunks; chunk != NULL;) {
        struct chunk *next = chunk->next;
        mem_free(home, chunk, sizeof(*chunk));
        chunk = next;
    }
    mem_free(home, pool, sizeof(*pool));
}

static int32_t list_length(const struct cell *cell)
{
    int32_t n = 0;
    for (; cell != NULL; cell = cell->link)
        n++;
    return n;
}

void cell_pool_close(struct cell_pool *pool)
{
    if (pool == NULL)
        return;
    ASSERT(at_load(&pool->cpu, RELAXED) != NULL);
    at_store(&pool->cpu, NULL, RELAXED); /* cells come back to `returned` only */
    /* The bias keeps a consumer that sees CLOSED from freeing the pool while we still count. */
    const int32_t bias = 1 << 30;
    int32_t made = (int32_t)(pool->nchunks * ARRAY_LEN(pool->chunks->cells));
    at_store(&pool->out, bias + made - list_length(pool->free), RELAXED);
    /* ACQ_REL: consumers that see CLOSED see `out`; we see the links of what they returned. */
    struct cell *returned = at_swap(&pool->returned, CLOSED, ACQ_REL);
    ASSERT(returned != CLOSED);
    int32_t take = bias + list_length(returned);
    if (at_sub(&pool->out, take, ACQ_REL) == take)
        pool_free(pool);
}

static bool pool_grow(struct cell_pool *pool)
{
    if (pool->nchunks == CELL_POOL_CHUNKS)
        return false;
    struct chunk *chunk = mem_alloc(pool->home, sizeof(*chunk));
    if (chunk == NULL)
        return false;
    ASSERT(((uintptr_t)chunk & (CELL_CHUNK - 1)) == 0);
    chunk->pool = pool;
    chunk->next = pool->chunks;
    pool->chunks = chunk;
    pool->nchunks++;
    for (size_t i = 0; i < ARRAY_LEN(chunk->cells); i++) {
        chunk->cells[i].link = pool->free;
        pool->free = &chunk->cells[i];
    }
    return true;
}

struct cell *cell_take_more(struct cell_pool *pool)
{
    ASSERT(pool->free == NULL);
    /* ACQUIRE pairs with the RELEASE of cell_give_away: the links are seen. */
    if (at_load(&pool->returned, RELAXED) != NULL)
        pool->free = at_swap(&pool->returned, NULL, ACQUIRE);
    if (pool->free == NULL && !pool_grow(pool))
        return NULL;
    struct cell *cell = pool->free;
    pool->free = cell->link;
    return cell;
}

void cells_back_flush(struct cells_back *back)
{
    struct cell_pool *pool = back->pool;
    if (pool == NULL)
        return;
    ASSERT(back->n > 0);
    struct cell *newest = back->newest, *oldest = back->oldest;
    int32_t n = back->n;
    back->pool = NULL;
    back->n = 0;
    /* ACQUIRE for CLOSED: `out` is set. */
    struct cell *head = at_load(&pool->returned, ACQUIRE);
    do {
        if (head == CLOSED) {
            /* ACQ_REL: whoever frees the pool sees that all others are done with it. */
            if (at_sub(&pool->out, n, ACQ_REL) == n)
                pool_free(pool);
            return;
        }
        oldest->link = head;
        /* RELEASE: the owner that takes the list sees the links. */
    } while (!at_cas(&pool->returned, &head, newest, RELEASE, ACQUIRE));
}

void cells_back_add(struct cells_back *back, struct cell_pool *pool, struct cell *cell)
{
    if (back->pool != pool) {
        cells_back_flush(back);
        back->pool = pool;
        back->oldest = cell;
    } else {
        cell->link = back->newest;
    }
    back->newest = cell;
    back->n++;
}

bool embedded_claim(struct embedded *embedded)
{
    ASSERT((embedded->cell.flags & CELL_EMBEDDED) != 0);
    /* ACQUIRE pairs with the RELEASE below: the consumer is done with the cell. */
    if (at_swap(&embedded->queued, 1, ACQ_REL) != 0)
        return false;
    /* The last holder may have let go while this was on its way: then there is no message. */
    if (object_try_ref(embedded->object))
        return true;
    at_store(&embedded->queued, 0, RELEASE);
    return false;
}

bool embedded_take(struct cell *cell, uint64_t *ret_cookie)
{
    struct embedded *embedded = CONTAINER_OF(cell, struct embedded, cell);
    struct object *object = embedded->object;
    /* ACQ_REL and first of all: what fires before it found it queued and is seen by take; what
     * fires after it pushes it again. */
    (void)at_swap(&embedded->queued, 0, ACQ_REL);
    *ret_cookie = 0;
    bool runs = embedded->take == NULL || embedded->take(object, ret_cookie);
    object_unref(object);
    return runs;
}

struct block *block_make(struct untyped *home, uint32_t len)
{
    ASSERT(len <= TN_ARGS_MAX);
    struct block *block = mem_alloc(home, sizeof(*block) + len);
    if (block == NULL)
        return NULL;
    block->home = home;
    block->len = len;
    block->ncaps = 0;
    return block;
}

void block_free(struct block *block)
{
    if (block != NULL)
        mem_free(block->home, block, sizeof(*block) + block->len);
}

void mbox_init(struct mbox *mbox, uint32_t capacity)
{
    ASSERT(capacity > 0 && capacity <= TN_MAILBOX_MAX);
    mbox->first = NULL;
    mbox->last = NULL;
    at_init(&mbox->credits, capacity);
    at_init(&mbox->freed, 0);
    at_init(&mbox->away, 0);
    mbox->capacity = capacity;
    at_init(&mbox->pushed, NULL);
}

bool mbox_reserve_back(struct mbox *mbox)
{
    ASSERT(at_load(&mbox->credits, RELAXED) == 0);
    uint32_t freed = at_load(&mbox->freed, RELAXED);
    if (freed > 0) {
        at_store(&mbox->credits, freed, RELAXED); /* first: somebody is to find some, if late */
        at_store(&mbox->freed, 0, RELAXED);
        at_store(&mbox->credits, freed - 1, RELAXED);
        return true;
    }
    uint32_t away = at_load(&mbox->away, RELAXED);
    if (away == 0)
        return false;
    /* Shown here before they are taken there: who finds none at his door finds some at ours, and
     * comes in. RELEASE carries it. */
    at_store(&mbox->credits, away, RELAXED);
    away = at_swap(&mbox->away, 0, RELEASE);
    at_store(&mbox->credits, away > 0 ? away - 1 : 0, RELAXED);
    return away > 0;
}

bool mbox_reserve_for(struct mbox *mbox)
{
    if (at_load(&mbox->credits, RELAXED) > 0)
        return mbox_reserve(mbox);
    mbox_settle(mbox);
    return mbox_reserve_away(mbox);
}

bool mbox_reserve_away(struct mbox *mbox)
{
    /* ACQUIRE pairs with the RELEASE of mbox_reserve_back. */
    uint32_t away = at_load(&mbox->away, ACQUIRE);
    while (away > 0) {
        if (at_cas(&mbox->away, &away, away - 1, ACQUIRE, ACQUIRE))
            return true;
    }
    return false;
}

uint32_t mbox_reserve_some(struct mbox *mbox, uint32_t most)
{
    /* ACQUIRE: as in mbox_reserve_away. */
    uint32_t away = at_load(&mbox->away, ACQUIRE), some;
    do {
        some = away - away / 4 * 3;
        if (some > most)
            some = most;
    } while (some > 0 && !at_cas(&mbox->away, &away, away - some, ACQUIRE, ACQUIRE));
    return some;
}

bool mbox_may_share(struct mbox *mbox, bool *ret_got)
{
    /* RELAXED: whether there are any at this moment is all that can be said. ACQUIRE pairs with
     * the RELEASE of mbox_settle: they are there now. */
    if (at_load(&mbox->credits, RELAXED) != 0 || at_load(&mbox->freed, ACQUIRE) != 0)
        return true;
    *ret_got = mbox_reserve_away(mbox);
    return false;
}

bool mbox_share(struct mbox *mbox)
{
    mbox_settle(mbox);
    if (mbox_reserve_away(mbox))
        return true;
    if (!mbox_reserve(mbox))
        return false;
    mbox_even_out(mbox);
    return true;
}

void mbox_credit_away(struct mbox *mbox, uint32_t n)
{
    (void)at_add(&mbox->away, n, RELAXED);
}

bool mbox_push(struct mbox *mbox, struct cell *newest, struct cell *oldest)
{
    struct cell *head = at_load(&mbox->pushed, RELAXED);
    do {
        oldest->link = head;
        /* RELEASE: who collects them sees their content. */
    } while (!at_cas(&mbox->pushed, &head, newest, RELEASE, RELAXED));
    return head == NULL;
}

void mbox_collect(struct mbox *mbox)
{
    /* ACQUIRE pairs with the push. */
    struct cell *cell = at_swap(&mbox->pushed, NULL, ACQUIRE);
    if (cell == NULL)
        return;
    struct cell *newest = cell, *oldest = NULL;
    while (cell != NULL) {
        struct cell *older = cell->link;
        cell->link = oldest;
        oldest = cell;
        cell = older;
    }
    if (mbox->first == NULL)
        mbox->first = oldest;
    else
        mbox->last->link = oldest;
    mbox->last = newest;
}
