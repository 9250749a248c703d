/* cell.h: message cells, the pools they come from, and mailboxes.
 *
 * A cell is 64 bytes: a header that the kernel writes and 32 bytes that carry capabilities and
 * arguments, or the address of a block that does. Cells come from the pool of the sending actor, in
 * chunks of 16 charged to the sender's memory, and go back to it when consumed.
 *
 * A mailbox is a lock-free stack of many producers that its one consumer takes whole and reverses:
 * order per producer is kept, a push is one compare-and-swap, and there is no moment at which a
 * pushed cell cannot be seen. The bound is a credit, taken before the push; cells that are embedded
 * in a kernel object (timer, death) need none and cannot fail.
 *
 * Invariants
 *   1. A cell is in one place: its pool's free list, a mailbox, or the hands of one turn.
 *   2. reserved - freed = cells in the mailbox that took a credit + credits promised to waiters or
 *      held by a sender, at most capacity. Senders change `reserved`, the consumer alone `freed`:
 *      taking a message costs it no atomic operation.
 *   3. A pool's memory lives until its last cell has come back, though its actor be gone. */
#ifndef KERNEL_ACTOR_CELL_H
#define KERNEL_ACTOR_CELL_H

#include <stdbool.h>
#include <tenon/component.h>

#include "base/atomic.h"
#include "kernel/mem/object.h"

enum cell_flag {
    CELL_ONEWAY = 1,   /* nobody waits for an answer */
    CELL_CALL = 2,     /* body is a struct cell_call */
    CELL_BLOCK = 4,    /* body.block carries capabilities and arguments */
    CELL_EMBEDDED = 8, /* part of a kernel object: not freed, took no credit */
};

struct block;
struct actor;
struct cpu;

/* A queued call: who waits for the answer, and which of its waits it is. */
struct cell_call {
    struct actor *caller; /* holds a ref */
    uint64_t generation;
    tn_time deadline;
    struct block *block; /* NULL: no arguments, no capabilities */
};

struct cell {
    struct cell *link;
    uint64_t badge;
    uint64_t cause;
    uint32_t method;
    uint8_t cls;   /* TN_CLS_ or MSG_ */
    uint8_t flags; /* enum cell_flag */
    uint8_t len;   /* argument bytes in body, without CELL_BLOCK and CELL_CALL */
    uint8_t ncaps;
    union {
        uint8_t bytes[TN_INLINE]; /* ncaps handles of the receiver's space, then arguments */
        struct block *block;
        struct cell_call call;
    } body;
};
_Static_assert(sizeof(struct cell) == 64, "a cell is a cache line");

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
 * a turn is to run, with that cookie. */
bool embedded_take(struct cell *cell, uint64_t *ret_cookie);

/* NULL when `home` has no room; len <= TN_ARGS_MAX. */
struct block *block_make(struct untyped *home, uint32_t len);
void block_free(struct block *block); /* NULL is harmless */

struct cell_pool;

enum {
    CELL_CHUNK = 1024,      /* bytes taken from memory at a time: a header and 15 cells */
    CELL_POOL_CHUNKS = 512, /* of one pool: 7,680 messages in flight from one actor */
};

/* The pool of an actor that runs on `cpu` only. TN_ENOMEM. */
tn_err cell_pool_make(struct untyped *home, const struct cpu *cpu, struct cell_pool **ret_pool);
/* The owner is dead: memory goes back now, or with the last cell. On its CPU, or when none runs.
 * NULL is harmless. */
void cell_pool_close(struct cell_pool *pool);
/* Only the pool's owner (the turn that runs). NULL when memory or CELL_POOL_CHUNKS is used up.
 * Only the header's flags are set (to 0). */
struct cell *cell_take(struct cell_pool *pool);
/* Gives a consumed cell back to the pool that it came from; not for embedded cells. `cpu` is the
 * caller's, NULL from a thread that is none: on the pool's own CPU no atomic operation is needed.
 */
void cell_give(const struct cpu *cpu, struct cell *cell);

struct mbox {
    atomic_of(struct cell *) pushed; /* producers push here, newest first */
    struct cell *next;               /* consumer: oldest first, before `pushed` */
    atomic_u32 reserved; /* senders: credits that were ever taken, less those given back unused */
    atomic_u32 freed;    /* consumer: messages that were ever taken out */
};

void mbox_init(struct mbox *mbox);
/* Takes one credit; false when `capacity` (at most TN_MAILBOX_MAX) are out. Any CPU. */
bool mbox_reserve(struct mbox *mbox, uint32_t capacity);
/* Gives back a credit that was not used. */
void mbox_unreserve(struct mbox *mbox);
/* Consumer: a message that took a credit is out of the mailbox. Who waits for a credit may not be
 * seen by a look that follows; it is by one after a SEQ_CST store. */
void mbox_free(struct mbox *mbox);
/* Needs a credit, or CELL_EMBEDDED. Any CPU. SEQ_CST: ordered before the pusher's look at whether
 * the receiver sleeps. */
void mbox_push(struct mbox *mbox, struct cell *cell);
/* The oldest cell, or NULL. Consumer only. The caller gives the credit back. */
struct cell *mbox_pop(struct mbox *mbox);
/* Consumer: nothing to pop. */
bool mbox_empty(struct mbox *mbox);

#endif
