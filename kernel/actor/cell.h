/* cell.h: message cells, the pools they come from, and mailboxes.
 *
 * A cell is 64 bytes: a header that the kernel writes and 32 bytes that carry capabilities and
 * arguments, or the address of a block that does. Cells come from the pool of the sending actor, in
 * chunks of 16 charged to the sender's memory, and go back to it when consumed.
 *
 * A mailbox has two doors. Who holds the lock of the receiver's home CPU (sched/cpu.h; nearly
 * always that CPU itself, for which the lock is two plain stores) appends to a queue with plain
 * stores. Everybody else pushes to a lock-free stack, which the home moves to the end of the queue,
 * oldest first. A message that goes through the first door while the stack is not empty moves it
 * first, so order per sender is kept when a sender or the receiver changes CPU between two
 * messages.
 *
 * The bound is a credit, taken before a message goes in; what is embedded in a kernel object
 * (timer, death) needs none and cannot fail. Credits are kept at both doors: `credits` for who
 * holds the lock, `away` for the others. A message's credit comes back at the door that it went in
 * by, so each door has what its traffic needs; who finds none at his door takes from the other.
 * Those of `away` come back together (`freed`), at the end of a batch.
 *
 * What one CPU writes for another costs a cache line to be brought there, some 50 ns. So the words
 * that senders write are together, apart from those of the home, and what goes back (credits,
 * cells) goes back in batches.
 *
 * Invariants
 *   1. A cell is in one place: its pool's free list, a mailbox, or the hands of one turn.
 *   2. credits + away + freed + messages in the mailbox that took one + credits that waiting
 * senders were granted or that a sender or a CPU (sched/outbox.h) holds = capacity.
 *   3. A pool's memory lives until its last cell has come back, though its actor be gone. */
#ifndef KERNEL_ACTOR_CELL_H
#define KERNEL_ACTOR_CELL_H

#include <stdbool.h>
#include <tenon/component.h>

#include "base/assert.h"
#include "base/atomic.h"
#include "base/bits.h"
#include "kernel/mem/object.h"

enum cell_flag {
    CELL_ONEWAY = 1,   /* nobody waits for an answer */
    CELL_CALL = 2,     /* body is a struct cell_call */
    CELL_BLOCK = 4,    /* body.block carries capabilities and arguments */
    CELL_EMBEDDED = 8, /* part of a kernel object: not freed, took no credit */
    CELL_AWAY = 16,    /* its credit is one of mbox.away */
};

struct block;
struct cpu;
struct wait;

/* A queued call: who waits for the answer, and which of its waits it is. */
struct cell_call {
    struct wait *caller; /* holds a ref to its actor */
    uint64_t generation;
    tn_time deadline;
    struct block *block; /* NULL: no arguments, no capabilities */
};

struct cell {
    struct cell *link;
    uint64_t badge;
    uint64_t cause;
    uint32_t method;
    union {
        struct {
            uint8_t cls;   /* TN_CLS_ or MSG_ */
            uint8_t flags; /* enum cell_flag */
            uint8_t ncaps;
            uint8_t len; /* of inline arguments; of a call: its depth */
        };
        uint32_t kind; /* the same as one number, see cell_set_plain */
    };
    union {
        uint8_t bytes[TN_INLINE]; /* ncaps handles of the receiver's space, then arguments */
        struct block *block;
        struct cell_call call;
    } body;
};
_Static_assert(sizeof(struct cell) == 64, "a cell is a cache line");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "`kind` begins with cls");

/* The usual message: a component's, short, oneway, without capabilities. */
static inline void cell_set_plain(struct cell *cell, uint32_t len)
{
    cell->kind = TN_CLS_USER | CELL_ONEWAY << 8 | len << 24;
}
static inline bool cell_is_plain(const struct cell *cell)
{
    return (cell->kind & 0xffffff & ~(uint32_t)(CELL_AWAY << 8)) ==
           (TN_CLS_USER | CELL_ONEWAY << 8);
}

/* Capabilities and arguments that do not fit into a cell, charged to the sender's memory. */
struct block {
    struct untyped *home; /* lives as long as what was made from it */
    uint32_t len;         /* of bytes */
    uint32_t ncaps;
    tn_cap caps[TN_PACK_CAPS]; /* handles of the receiver's space */
    _Alignas(16) uint8_t bytes[];
};

/* A cell inside a kernel object: it can be in one mailbox at a time, and holds a ref of the object
 * while it is. */
struct embedded {
    struct cell cell;
    atomic_u32 queued;
    struct object *object;
    /* The consumer asks for the cookie when it takes the message; false: it came to nothing
     * meanwhile, no turn is to run. NULL: the cookie is 0. */
    bool (*take)(struct object *object, uint64_t *ret_cookie);
};

/* true: it was not queued and the object is still held by somebody; the caller pushes it now. Any
 * CPU. */
bool embedded_claim(struct embedded *embedded);
/* The consumer takes it out of the mailbox for good: from here on it can be pushed again. True when
 * a turn is to run, with that cookie. Without locks. */
bool embedded_take(struct cell *cell, uint64_t *ret_cookie);

/* NULL when `home` has no room; len <= TN_ARGS_MAX. */
struct block *block_make(struct untyped *home, uint32_t len);
void block_free(struct block *block); /* NULL is harmless */

enum {
    CELL_CHUNK = 1024,      /* bytes taken from memory at a time: a header and 15 cells */
    CELL_POOL_CHUNKS = 512, /* of one pool: 7,680 messages in flight from one actor */
};

struct chunk;

/* The cells of one actor. */
struct cell_pool {
    /* Under the lock of `cpu`. */
    struct cell *free;
    /* The actor's running turn. */
    struct chunk *chunks;
    struct untyped *home;
    uint32_t nchunks;
    /* Consumers on other CPUs. */
    _Alignas(64) atomic_of(const struct cpu *) cpu; /* its actor's home; NULL: closed */
    atomic_of(struct cell *) returned;
    atomic_i32 out; /* closed: cells that are not back yet */
};
_Static_assert(sizeof(struct cell_pool) == 128, "what consumers write is in a line of its own");

/* At the start of each chunk, which is aligned to its size: how a cell finds its pool. */
struct chunk {
    struct cell_pool *pool;
    struct chunk *next;
    _Alignas(64) struct cell cells[CELL_CHUNK / 64 - 1];
};
_Static_assert(sizeof(struct chunk) == CELL_CHUNK, "a chunk is found by masking");

/* TN_ENOMEM. */
tn_err cell_pool_make(struct untyped *home, const struct cpu *cpu, struct cell_pool **ret_pool);
/* The owner is dead: memory goes back now, or with the last cell. Under the lock of its CPU. NULL
 * is harmless. */
void cell_pool_close(struct cell_pool *pool);
struct cell *cell_take_more(struct cell_pool *pool);

/* Consumed cells of one pool on their way back to it, of the CPU that has consumed them. */
struct cells_back {
    struct cell_pool *pool; /* NULL: none */
    struct cell *newest, *oldest;
    int32_t n;
};
void cells_back_add(struct cells_back *back, struct cell_pool *pool, struct cell *cell);
/* Gives back what is there. Any CPU. */
void cells_back_flush(struct cells_back *back);

/* Only the pool's owner (the turn that runs), under its CPU's lock or as the only one that could
 * take it. NULL when memory or CELL_POOL_CHUNKS is used up. Nothing of it is set. */
static inline struct cell *cell_take(struct cell_pool *pool)
{
    struct cell *cell = pool->free;
    if (cell == NULL)
        return cell_take_more(pool);
    pool->free = cell->link;
    return cell;
}

/* Gives a consumed cell back to the pool that it came from, by way of `back` if that is another
 * CPU's; not for embedded cells. `cpu` is the one whose lock the caller holds. */
static inline void cell_give(const struct cpu *cpu, struct cells_back *back, struct cell *cell)
{
    struct chunk *chunk = (struct chunk *)align_down((uintptr_t)cell, CELL_CHUNK);
    struct cell_pool *pool = chunk->pool;
    /* ACQUIRE pairs with the RELEASE of who moved the pool here: its free list is seen. */
    if (at_load(&pool->cpu, ACQUIRE) == cpu) {
        cell->link = pool->free;
        pool->free = cell;
        return;
    }
    cells_back_add(back, pool, cell);
}

struct mbox {
    /* Any CPU. */
    atomic_of(struct cell *) pushed; /* newest first */
    atomic_u32 away;
    uint32_t capacity; /* never changes */
    /* Under the lock of the home. Whoever has a mailbox puts this into another cache line. */
    struct cell *first, *last; /* oldest first; `last` means something while `first` does */
    atomic_u32 credits;        /* others only look whether there are any */
    atomic_u32 freed;          /* of `away`, not back there yet; likewise */
};

/* With `capacity` credits, 1 to TN_MAILBOX_MAX. */
void mbox_init(struct mbox *mbox, uint32_t capacity);
/* Takes the credits from the other door; false when there are none either. Under the lock. */
bool mbox_reserve_back(struct mbox *mbox);

/* Takes one credit under the lock; false when all are out. */
static inline bool mbox_reserve(struct mbox *mbox)
{
    uint32_t credits = at_load(&mbox->credits, RELAXED); /* changed under the lock alone */
    if (credits == 0)
        return mbox_reserve_back(mbox);
    at_store(&mbox->credits, credits - 1, RELAXED);
    return true;
}

/* Takes one credit without the lock; false when this door has none. */
bool mbox_reserve_away(struct mbox *mbox);
/* Takes several, `most` or a quarter of what is there, which leaves some to others; how many. */
uint32_t mbox_reserve_some(struct mbox *mbox, uint32_t most);
/* Whether it is worth to come in and ask: that door has none, and the other one has some. Takes one
 * if it has some after all (*ret_got). */
bool mbox_may_share(struct mbox *mbox, bool *ret_got);
/* To come in costs as much as many messages: who can wait does so unless half of all are there. */
static inline bool mbox_is_worth_sharing(struct mbox *mbox)
{
    return at_load(&mbox->credits, RELAXED) + at_load(&mbox->freed, RELAXED) >=
           (mbox->capacity + 1) / 2;
}
/* Under the lock: leaves half of the credits at the other door, which its senders need. */
static inline void mbox_even_out(struct mbox *mbox)
{
    uint32_t credits = at_load(&mbox->credits, RELAXED), half = credits / 2;
    if (half == 0)
        return;
    at_store(&mbox->credits, credits - half, RELAXED);
    (void)at_add(&mbox->away, half, RELAXED);
}
/* Under the lock: takes a credit for a message that will be pushed without it, and leaves half of
 * the others at that door. False when all are out. */
bool mbox_share(struct mbox *mbox);

/* Gives a credit back that a message took, or that was not used. */
static inline void mbox_credit(struct mbox *mbox) /* under the lock */
{
    at_store(&mbox->credits, at_load(&mbox->credits, RELAXED) + 1, RELAXED);
}
static inline void mbox_credit_freed(struct mbox *mbox) /* under the lock; one of `away` */
{
    at_store(&mbox->freed, at_load(&mbox->freed, RELAXED) + 1, RELAXED);
}
void mbox_credit_away(struct mbox *mbox, uint32_t n); /* any CPU */
/* Brings back those that were freed. Under the lock. */
static inline void mbox_settle(struct mbox *mbox)
{
    uint32_t freed = at_load(&mbox->freed, RELAXED); /* changed under the lock alone */
    if (freed == 0)
        return;
    (void)at_add(&mbox->away, freed, RELAXED);
    /* RELEASE: who finds none here any more finds them there. */
    at_store(&mbox->freed, 0, RELEASE);
}
/* How many are free at this moment. Under the lock. */
static inline uint32_t mbox_room(struct mbox *mbox)
{
    return at_load(&mbox->credits, RELAXED) + at_load(&mbox->freed, RELAXED) +
           at_load(&mbox->away, RELAXED);
}
/* Takes one for a sender outside who waits for it. False: there is none. Under the lock. */
bool mbox_reserve_for(struct mbox *mbox);

/* Puts cells at the end, linked from the newest to the oldest. Any CPU, without the lock; true when
 * the stack was empty, so that the home has to be told. */
bool mbox_push(struct mbox *mbox, struct cell *newest, struct cell *oldest);
/* Moves the stack to the end of the queue. Under the lock. */
void mbox_collect(struct mbox *mbox);

/* Puts a cell at the end of the queue. Under the lock. */
static inline void mbox_append(struct mbox *mbox, struct cell *cell)
{
    cell->link = NULL;
    if (mbox->first == NULL)
        mbox->first = cell;
    else
        mbox->last->link = cell;
    mbox->last = cell;
}

/* Puts a cell at the end. Under the lock. */
static inline void mbox_put(struct mbox *mbox, struct cell *cell)
{
    /* RELAXED: only what this sender pushed itself must come first, and that it sees; a sender
     * that moved to this CPU brought it along. */
    if (at_load(&mbox->pushed, RELAXED) != NULL)
        mbox_collect(mbox);
    mbox_append(mbox, cell);
}

/* Takes the oldest out of the queue; NULL when it is empty. Under the lock. */
static inline struct cell *mbox_take(struct mbox *mbox)
{
    struct cell *cell = mbox->first;
    if (cell != NULL)
        mbox->first = cell->link;
    return cell;
}

#endif
