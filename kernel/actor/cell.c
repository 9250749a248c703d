/* cell.c: message cells, their pools, mailboxes (the essay is in cell.h). */
#include "kernel/actor/cell.h"

#include "base/assert.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "kernel/mem/mem.h"

/* Heads every chunk; a cell finds its pool by the address. */
struct chunk {
    struct cell_pool *pool;
    struct chunk *next;
    uint8_t unused[48];
    struct cell cells[15];
};
_Static_assert(sizeof(struct chunk) == CELL_CHUNK, "a chunk is its cells and one header");

struct cell_pool {
    struct untyped *home;
    const struct cpu *cpu; /* where the owner runs */
    struct cell *free;     /* that CPU only */
    bool closed;           /* that CPU only */
    struct chunk *chunks;
    uint32_t nchunks;
    _Alignas(64) atomic_of(struct cell *) returned; /* consumers push, the owner takes all */
    atomic_i32 out;                                 /* after close: cells that have not come back */
};

/* In `returned` after close: cells are counted from then on, not kept. */
#define CLOSED ((struct cell *)(uintptr_t)1)

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
    return block;
}

void block_free(struct block *block)
{
    if (block == NULL)
        return;
    mem_free(block->home, block, sizeof(*block) + block->len);
}

tn_err cell_pool_make(struct untyped *home, const struct cpu *cpu, struct cell_pool **ret_pool)
{
    struct cell_pool *pool = mem_alloc(home, sizeof(*pool));
    if (pool == NULL)
        return TN_ENOMEM;
    pool->home = home;
    pool->cpu = cpu;
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
    ASSERT(!pool->closed);
    pool->closed = true;
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

struct cell *cell_take(struct cell_pool *pool)
{
    if (pool->free == NULL) {
        /* ACQUIRE pairs with the RELEASE of cell_give: the links are seen. */
        if (at_load(&pool->returned, RELAXED) != NULL)
            pool->free = at_swap(&pool->returned, NULL, ACQUIRE);
        if (pool->free == NULL && !pool_grow(pool))
            return NULL;
    }
    struct cell *cell = pool->free;
    pool->free = cell->link;
    cell->flags = 0;
    return cell;
}

void cell_give(const struct cpu *cpu, struct cell *cell)
{
    ASSERT((cell->flags & CELL_EMBEDDED) == 0);
    struct chunk *chunk = (struct chunk *)align_down((uintptr_t)cell, CELL_CHUNK);
    struct cell_pool *pool = chunk->pool;
    if (pool->cpu == cpu && !pool->closed) {
        cell->link = pool->free;
        pool->free = cell;
        return;
    }
    /* ACQUIRE for CLOSED: `out` is set. */
    struct cell *head = at_load(&pool->returned, ACQUIRE);
    do {
        if (head == CLOSED) {
            /* ACQ_REL: whoever frees the pool sees that all others are done with it. */
            if (at_sub(&pool->out, 1, ACQ_REL) == 1)
                pool_free(pool);
            return;
        }
        cell->link = head;
        /* RELEASE: the owner that takes the list sees the link. */
    } while (!at_cas(&pool->returned, &head, cell, RELEASE, ACQUIRE));
}

void mbox_init(struct mbox *mbox)
{
    at_init(&mbox->pushed, NULL);
    at_init(&mbox->reserved, 0);
    at_init(&mbox->freed, 0);
    mbox->next = NULL;
}

bool mbox_reserve(struct mbox *mbox, uint32_t capacity)
{
    ASSERT(capacity > 0 && capacity <= TN_MAILBOX_MAX);
    uint32_t reserved = at_load(&mbox->reserved, SEQ_CST);
    /* SEQ_CST: a sender that finds none after it queued as a waiter is ordered against who frees
     * one and then looks for waiters. Compare-and-swap rather than add and take back, which would
     * hold a credit for a moment that somebody else then misses. `freed` may run ahead of the
     * `reserved` that was read; then the swap fails. */
    while ((int32_t)(reserved - at_load(&mbox->freed, SEQ_CST)) < (int32_t)capacity) {
        if (at_cas(&mbox->reserved, &reserved, reserved + 1, SEQ_CST, SEQ_CST))
            return true;
    }
    return false;
}

void mbox_unreserve(struct mbox *mbox)
{
    at_sub(&mbox->reserved, 1, SEQ_CST);
}

void mbox_free(struct mbox *mbox)
{
    /* RELEASE, and no read-modify-write: only the consumer writes it. */
    at_store(&mbox->freed, at_load(&mbox->freed, RELAXED) + 1, RELEASE);
}

void mbox_push(struct mbox *mbox, struct cell *cell)
{
    struct cell *head = at_load(&mbox->pushed, RELAXED);
    do {
        cell->link = head;
    } while (!at_cas(&mbox->pushed, &head, cell, SEQ_CST, RELAXED));
}

struct cell *mbox_pop(struct mbox *mbox)
{
    if (mbox->next == NULL) {
        if (at_load(&mbox->pushed, RELAXED) == NULL)
            return NULL;
        /* ACQUIRE pairs with the push: the cell's content is seen. */
        struct cell *cell = at_swap(&mbox->pushed, NULL, ACQUIRE);
        while (cell != NULL) {
            struct cell *older = cell->link;
            cell->link = mbox->next;
            mbox->next = cell;
            cell = older;
        }
    }
    struct cell *first = mbox->next;
    mbox->next = first->link;
    return first;
}

bool mbox_empty(struct mbox *mbox)
{
    /* SEQ_CST: ordered after the consumer's announcement that it goes to sleep. */
    return mbox->next == NULL && at_load(&mbox->pushed, SEQ_CST) == NULL;
}
