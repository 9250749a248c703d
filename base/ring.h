/* ring.h: a ring of records in memory that two parties share and neither trusts: one writes, one
 * reads (single producer, single consumer; Lamport, "Proving the Correctness of Multiprocess
 * Programs", 1977). It knows no kernel: the two may be actors, processes over mmap'd memory, or a
 * guest and its host.
 *
 * Layout. `struct ring`, 512 bytes, then `capacity` bytes of records, a power of two. `head` counts
 * the bytes that were ever published, `tail` those that were given back; a place in the ring is a
 * count modulo the capacity. A record is a word, its length and its kind, then its bytes; it begins
 * at a multiple of 8 and never wraps: where the end of the ring is too near, a record of kind PAD
 * fills it. head and tail are on cache lines of their own, two lines apart, for processors fetch
 * pairs. Each side remembers what it saw last of the other's and looks again only when that is used
 * up, so while the ring is neither full nor empty a line is not fetched for each record.
 *
 * Trust. All that the other side can write may be garbage, at any time.
 *   1. Its index is read once, and is good only if it has moved forwards, by no more than there was
 *      to move, to a multiple of 8.
 *   2. The word of a record is read once, and is good only if the record ends within what is
 *      published and before the end of the ring.
 *   3. A side keeps its own index and never reads it back from shared memory after it attached.
 *   4. What is not good poisons this side for ever: TN_EFORMAT. No garbage makes either side
 *      reach outside of the ring, or loop: each step of ring_peek moves towards the own index plus
 *      capacity.
 * The bytes of a record can change while they are looked at in place. Who acts on what he checked
 * copies first (ring_read).
 *
 * Doorbells. Who finds nothing to do says so in a word (ring_sleeps) and looks once more before he
 * sleeps; who has done something looks at that word (ring_bell) and wakes him. The word is taken by
 * whoever rings, so there is one bell for one sleep. Publishing alone costs no fence: a batch of
 * records is published as often as one likes, the bell is looked at once. How to sleep and to wake
 * is the caller's business (sdk/chan.h: a channel's doorbell). Two that only poll need no bell.
 *
 * Order of calls. Producer: reserve, commit, ... then publish or bell. Consumer: peek, next, ...
 * then release or bell. Nothing here waits or allocates. */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdbool.h>
#include <stdint.h>
#include <tenon/errors.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "base/bytes.h"

enum {
    RING_HEADER = 512,       /* bytes before the records */
    RING_ALIGN = 64,         /* of the whole, at least */
    RING_RECORD_HEADER = 8,  /* bytes before the bytes of a record */
    RING_CAPACITY_MIN = 64,  /* bytes */
    RING_MAGIC = 0x544e5247, /* "TNRG" */
    RING_VERSION = 1,
};
#define RING_CAPACITY_MAX (UINT64_C(1) << 40)

enum ring_kind { RING_DATA = 1, RING_PAD = 2 };

struct ring { /* as it lies in shared memory */
    atomic_u32 magic, version;
    atomic_u64 capacity;
    uint8_t line0[112];
    atomic_u64 head; /* written by the producer */
    uint8_t line1[120];
    atomic_u64 tail; /* written by the consumer */
    uint8_t line2[120];
    atomic_u32 consumer_sleeps; /* 1: wants a bell; set by who sleeps, taken by who rings */
    atomic_u32 producer_sleeps;
    uint8_t line3[120];
};
_Static_assert(sizeof(struct ring) == RING_HEADER, "one layout on every target");
_Static_assert(LINE_OF(struct ring, head) >= LINE_OF(struct ring, capacity) + 2 &&
                   LINE_OF(struct ring, tail) >= LINE_OF(struct ring, head) + 2 &&
                   LINE_OF(struct ring, consumer_sleeps) >= LINE_OF(struct ring, tail) + 2,
               "what one side writes is a pair of lines from what the other does");

struct ring_producer { /* private to the producer */
    struct ring *ring;
    uint8_t *records;
    uint64_t capacity;
    uint64_t head;      /* where the next record goes */
    uint64_t published; /* of it */
    uint64_t limit;     /* head may come up to here: the tail last seen, and the capacity */
    uint64_t reserved;  /* bytes of the record that was reserved, its word included; 0: none */
    tn_err err;         /* TN_EFORMAT: poisoned; then limit is head */
};

struct ring_consumer { /* private to the consumer */
    struct ring *ring;
    const uint8_t *records;
    uint64_t capacity;
    uint64_t next;   /* the record to be read next */
    uint64_t tail;   /* given back up to here */
    uint64_t seen;   /* the head last seen */
    uint64_t peeked; /* bytes of the record at next, its header included; 0: not looked at */
    tn_err err;      /* TN_EFORMAT: poisoned; then seen is next */
};

/* Bytes that a record of `len` takes of the ring. */
static inline uint64_t ring_record_bytes(uint32_t len)
{
    return align_up((uint64_t)len + RING_RECORD_HEADER, RING_RECORD_HEADER);
}

/* The longest record that a ring of this capacity takes: with a PAD before it, it must fit into
 * the empty ring. */
static inline uint64_t ring_record_max(uint64_t capacity)
{
    return capacity / 2 - RING_RECORD_HEADER;
}

/* Makes an empty ring of `capacity` bytes at `at`, of which there are RING_HEADER + capacity,
 * before anybody else sees them. TN_EINVAL: no power of two from RING_CAPACITY_MIN to
 * RING_CAPACITY_MAX, or `at` is not aligned. */
tn_err ring_format(void *at, uint64_t capacity);

/* A side of the ring in the `size_bytes` at `at`, which stay as long as it is used. It goes on
 * where the shared indices stand: what an earlier producer committed and did not publish is gone,
 * what an earlier consumer did not release comes again. TN_EINVAL: not aligned; TN_EFORMAT: no
 * ring that fits there, or its indices cannot be; TN_EVERSION. */
tn_err ring_produce(struct ring_producer *ret_producer, void *at, uint64_t size_bytes);
tn_err ring_consume(struct ring_consumer *ret_consumer, void *at, uint64_t size_bytes);
/* The same memory is now at `at`. */
void ring_producer_move(struct ring_producer *p, void *at);
void ring_consumer_move(struct ring_consumer *c, void *at);

/* Producer */

tn_err ring_reserve_slow(struct ring_producer *p, uint32_t len, void **ret_at);

/* Room for a record of `len` bytes, aligned to 8, in place of what was reserved and not committed.
 * TN_EAGAIN: no room now; TN_ETOOBIG: over ring_record_max; TN_EFORMAT: poisoned. */
static inline tn_err ring_reserve(struct ring_producer *p, uint32_t len, void **ret_at)
{
    uint64_t bytes = ring_record_bytes(len), at = p->head & (p->capacity - 1);
    if (__builtin_expect(
            bytes > p->limit - p->head || bytes > p->capacity - at || bytes > p->capacity / 2, 0))
        return ring_reserve_slow(p, len, ret_at);
    p->reserved = bytes;
    *ret_at = p->records + at + RING_RECORD_HEADER;
    return TN_OK;
}

static inline void ring_put_word(struct ring_producer *p, uint32_t len, enum ring_kind kind)
{
    atomic_u64 *word = (atomic_u64 *)(void *)(p->records + (p->head & (p->capacity - 1)));
    /* RELAXED: published by head. Atomic because a consumer that attached to garbage may look. */
    at_store(word, (uint64_t)kind << 32 | len, RELAXED);
    p->head += ring_record_bytes(len);
}

/* The record that was reserved is whole and has `len` bytes; it goes out with the next publish.
 * TN_EINVAL: it takes more room than was reserved, or nothing was. */
static inline tn_err ring_commit(struct ring_producer *p, uint32_t len)
{
    if (__builtin_expect(ring_record_bytes(len) > p->reserved, 0))
        return TN_EINVAL;
    ring_put_word(p, len, RING_DATA);
    p->reserved = 0;
    return TN_OK;
}

static inline void ring_copy(void *to, const void *from, uint32_t len)
{
    if (len <= 32)
        bytes_copy_short(to, from, len);
    else
        memcpy(to, from, len);
}

tn_err ring_write_slow(struct ring_producer *p, const void *data, uint32_t len);

/* Reserve, copy, commit; also in place of what was reserved and not committed. In as few stores as
 * it takes: while the consumer has the lines that are written, stores queue up behind them, and how
 * many fit into that queue says how many lines are fetched at a time. */
static inline tn_err ring_write(struct ring_producer *p, const void *data, uint32_t len)
{
    uint64_t head = p->head, bytes = ring_record_bytes(len), at = head & (p->capacity - 1);
    if (__builtin_expect(bytes > p->limit - head || bytes > p->capacity - at ||
                             bytes > p->capacity / 2 || p->reserved != 0,
                         0))
        return ring_write_slow(p, data, len);
    uint8_t *record = p->records + at;
    ring_copy(record + RING_RECORD_HEADER, data, len);
    /* RELAXED: as in ring_put_word. */
    at_store((atomic_u64 *)(void *)record, (uint64_t)RING_DATA << 32 | len, RELAXED);
    p->head = head + bytes;
    return TN_OK;
}

/* What was committed may be read from now on. */
static inline void ring_publish(struct ring_producer *p)
{
    if (p->head == p->published)
        return;
    /* RELEASE pairs with the ACQUIRE of the consumer's look: it sees the records. */
    at_store(&p->ring->head, p->head, RELEASE);
    p->published = p->head;
}

/* Takes the word of a sleeper: true at most once for each sleep. */
static inline bool ring_take_bell(atomic_u32 *sleeps)
{
    /* SEQ_CST: Dekker with the sleeper, who sets the word and then looks at the index. */
    return at_load(sleeps, SEQ_CST) != 0 && at_swap(sleeps, 0, SEQ_CST) != 0;
}

/* Publishes, and says whether the consumer sleeps and must be woken, by this caller. */
static inline bool ring_producer_bell(struct ring_producer *p)
{
    at_store(&p->ring->head, p->head, SEQ_CST); /* also when it was published before: Dekker */
    p->published = p->head;
    return ring_take_bell(&p->ring->consumer_sleeps);
}

/* Asks for a bell, after a reserve that found no room and a publish: true when nothing was given
 * back since then, so that it may sleep; false: look again. Afterwards, either way,
 * ring_producer_awake. */
bool ring_producer_sleeps(struct ring_producer *p);
static inline void ring_producer_awake(struct ring_producer *p)
{
    at_store(&p->ring->producer_sleeps, 0, RELAXED); /* late by one bell costs that bell */
}

/* Consumer */

tn_err ring_peek_slow(struct ring_consumer *c, const void **ret_at, uint32_t *ret_len);

/* The next record, in place; it stays until it is released. TN_EAGAIN: nothing is there now;
 * TN_EFORMAT: poisoned. */
static inline tn_err ring_peek(struct ring_consumer *c, const void **ret_at, uint32_t *ret_len)
{
    if (__builtin_expect(c->next == c->seen, 0))
        return ring_peek_slow(c, ret_at, ret_len);
    uint64_t at = c->next & (c->capacity - 1);
    /* RELAXED: the ACQUIRE look at head came before. One look, which alone is judged. */
    uint64_t word = at_load((const atomic_u64 *)(const void *)(c->records + at), RELAXED);
    uint64_t bytes = ring_record_bytes((uint32_t)word);
    if (__builtin_expect(
            word >> 32 != RING_DATA || bytes > c->seen - c->next || bytes > c->capacity - at, 0))
        return ring_peek_slow(c, ret_at, ret_len);
    c->peeked = bytes;
    *ret_at = c->records + at + RING_RECORD_HEADER;
    *ret_len = (uint32_t)word;
    return TN_OK;
}

/* On to the record behind the one that was peeked; that one stays in place until it is released. */
static inline void ring_next(struct ring_consumer *c)
{
    c->next += c->peeked;
    c->peeked = 0;
}

/* Peek, copy, next. TN_ETOOBIG: it has more than `size` bytes and is still there. */
static inline tn_err ring_read(struct ring_consumer *c, void *data, uint32_t size,
                               uint32_t *ret_len)
{
    const void *at;
    uint32_t len;
    tn_err err = ring_peek(c, &at, &len);
    if (__builtin_expect(err != TN_OK, 0))
        return err;
    if (__builtin_expect(len > size, 0))
        return TN_ETOOBIG;
    ring_copy(data, at, len);
    ring_next(c);
    *ret_len = len;
    return TN_OK;
}

/* The room of all records that were passed goes back to the producer. */
static inline void ring_release(struct ring_consumer *c)
{
    if (c->next == c->tail)
        return;
    /* RELEASE pairs with the ACQUIRE of the producer's look: our reads come before its writes. */
    at_store(&c->ring->tail, c->next, RELEASE);
    c->tail = c->next;
}

/* Releases, and says whether the producer sleeps and must be woken, by this caller. */
static inline bool ring_consumer_bell(struct ring_consumer *c)
{
    at_store(&c->ring->tail, c->next, SEQ_CST); /* Dekker, as ring_producer_bell */
    c->tail = c->next;
    return ring_take_bell(&c->ring->producer_sleeps);
}

/* Asks for a bell, after a peek that found nothing and a release: true when nothing was published
 * since then. Afterwards, either way, ring_consumer_awake. */
bool ring_consumer_sleeps(struct ring_consumer *c);
static inline void ring_consumer_awake(struct ring_consumer *c)
{
    at_store(&c->ring->consumer_sleeps, 0, RELAXED); /* late by one bell costs that bell */
}

#endif
