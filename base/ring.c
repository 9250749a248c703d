/* ring.c: the ways of a ring that are taken seldom: making it, attaching to it, looking at the
 * other side's index, wrapping, garbage (the essay is in ring.h). */
#include "base/ring.h"

tn_err ring_format(void *at, uint64_t capacity)
{
    if (!is_pow2(capacity) || capacity < RING_CAPACITY_MIN || capacity > RING_CAPACITY_MAX ||
        (uintptr_t)at % RING_ALIGN != 0)
        return TN_EINVAL;
    struct ring *ring = at;
    memset(ring, 0, sizeof(*ring));
    at_init(&ring->head, 0);
    at_init(&ring->tail, 0);
    at_init(&ring->consumer_sleeps, 0);
    at_init(&ring->producer_sleeps, 0);
    at_init(&ring->magic, RING_MAGIC);
    at_init(&ring->version, RING_VERSION);
    at_init(&ring->capacity, capacity);
    return TN_OK;
}

struct indices {
    uint64_t capacity, head, tail;
};

/* What stands in the header, each word read once. */
static tn_err attach(const void *at, uint64_t size_bytes, struct indices *ret)
{
    const struct ring *ring = at;
    if ((uintptr_t)at % RING_ALIGN != 0)
        return TN_EINVAL;
    if (size_bytes < RING_HEADER + RING_CAPACITY_MIN)
        return TN_EFORMAT;
    /* RELAXED: who made it handed the memory over; ACQUIRE: as each later look at an index. */
    if (at_load(&ring->magic, RELAXED) != RING_MAGIC)
        return TN_EFORMAT;
    if (at_load(&ring->version, RELAXED) != RING_VERSION)
        return TN_EVERSION;
    struct indices found = {.capacity = at_load(&ring->capacity, RELAXED),
                            .head = at_load(&ring->head, ACQUIRE),
                            .tail = at_load(&ring->tail, ACQUIRE)};
    if (!is_pow2(found.capacity) || found.capacity < RING_CAPACITY_MIN ||
        found.capacity > RING_CAPACITY_MAX || found.capacity > size_bytes - RING_HEADER)
        return TN_EFORMAT;
    if (found.head - found.tail > found.capacity ||
        (found.head | found.tail) % RING_RECORD_HEADER != 0)
        return TN_EFORMAT;
    *ret = found;
    return TN_OK;
}

tn_err ring_produce(struct ring_producer *ret_producer, void *at, uint64_t size_bytes)
{
    struct indices found;
    tn_err err = attach(at, size_bytes, &found);
    if (err != TN_OK)
        return err;
    *ret_producer = (struct ring_producer){.capacity = found.capacity,
                                           .head = found.head,
                                           .published = found.head,
                                           .limit = found.tail + found.capacity};
    ring_producer_move(ret_producer, at);
    return TN_OK;
}

tn_err ring_consume(struct ring_consumer *ret_consumer, void *at, uint64_t size_bytes)
{
    struct indices found;
    tn_err err = attach(at, size_bytes, &found);
    if (err != TN_OK)
        return err;
    *ret_consumer = (struct ring_consumer){
        .capacity = found.capacity, .next = found.tail, .tail = found.tail, .seen = found.tail};
    ring_consumer_move(ret_consumer, at);
    return TN_OK;
}

void ring_producer_move(struct ring_producer *p, void *at)
{
    p->ring = at;
    p->records = (uint8_t *)at + RING_HEADER;
}

void ring_consumer_move(struct ring_consumer *c, void *at)
{
    c->ring = at;
    c->records = (const uint8_t *)at + RING_HEADER;
}

/* Looks at the tail; false: it is garbage. */
static bool look_at_tail(struct ring_producer *p)
{
    /* ACQUIRE pairs with the RELEASE of ring_release: the consumer has read what we overwrite. */
    uint64_t tail = at_load(&p->ring->tail, ACQUIRE), before = p->limit - p->capacity;
    if (tail - before > p->published - before || tail % RING_RECORD_HEADER != 0) {
        p->err = TN_EFORMAT;
        p->limit = p->head;
        return false;
    }
    p->limit = tail + p->capacity;
    return true;
}

tn_err ring_reserve_slow(struct ring_producer *p, uint32_t len, void **ret_at)
{
    uint64_t bytes = ring_record_bytes(len), at = p->head & (p->capacity - 1);
    uint64_t pad = bytes > p->capacity - at ? p->capacity - at : 0;
    if (p->err != TN_OK)
        return p->err;
    if (bytes > p->capacity / 2)
        return TN_ETOOBIG;
    p->reserved = 0;
    if (pad + bytes > p->limit - p->head && !look_at_tail(p))
        return p->err;
    if (pad + bytes > p->limit - p->head)
        return TN_EAGAIN;
    if (pad > 0)
        ring_put_word(p, (uint32_t)pad - RING_RECORD_HEADER, RING_PAD);
    p->reserved = bytes;
    *ret_at = p->records + (p->head & (p->capacity - 1)) + RING_RECORD_HEADER;
    return TN_OK;
}

tn_err ring_write_slow(struct ring_producer *p, const void *data, uint32_t len)
{
    void *at;
    tn_err err = ring_reserve(p, len, &at);
    if (err != TN_OK)
        return err;
    memcpy(at, data, len);
    return ring_commit(p, len);
}

bool ring_producer_sleeps(struct ring_producer *p)
{
    if (p->err != TN_OK)
        return false;
    /* SEQ_CST: Dekker with ring_consumer_bell. */
    at_store(&p->ring->producer_sleeps, 1, SEQ_CST);
    return at_load(&p->ring->tail, SEQ_CST) == p->limit - p->capacity;
}

static tn_err poison(struct ring_consumer *c)
{
    c->err = TN_EFORMAT;
    c->seen = c->next;
    c->peeked = 0;
    return TN_EFORMAT;
}

tn_err ring_peek_slow(struct ring_consumer *c, const void **ret_at, uint32_t *ret_len)
{
    if (c->err != TN_OK)
        return c->err;
    for (;;) {
        if (c->next == c->seen) {
            /* ACQUIRE pairs with the RELEASE of ring_publish: the records are seen. */
            uint64_t head = at_load(&c->ring->head, ACQUIRE);
            if (head - c->tail > c->capacity || head - c->tail < c->seen - c->tail ||
                head % RING_RECORD_HEADER != 0)
                return poison(c);
            /* Who has given everything back waits for one record, and asks for the lines of a short
             * one together with that of head: when it has come he waits for all of them at once,
             * not for one after the other. In the middle of a stream that would take away lines
             * that are being written. */
            if (c->tail == c->next) {
                __builtin_prefetch(c->records + (c->next & (c->capacity - 1)));
                __builtin_prefetch(c->records + ((c->next + RING_ALIGN - 1) & (c->capacity - 1)));
            }
            if (head == c->next)
                return TN_EAGAIN;
            c->seen = head;
        }
        uint64_t at = c->next & (c->capacity - 1), room = c->capacity - at;
        /* RELAXED, once: as in ring_peek. */
        uint64_t word = at_load((const atomic_u64 *)(const void *)(c->records + at), RELAXED);
        uint64_t bytes = ring_record_bytes((uint32_t)word);
        if (bytes > c->seen - c->next || bytes > room)
            return poison(c);
        if (word >> 32 == RING_DATA) {
            c->peeked = bytes;
            *ret_at = c->records + at + RING_RECORD_HEADER;
            *ret_len = (uint32_t)word;
            return TN_OK;
        }
        if (word >> 32 != RING_PAD || bytes != room)
            return poison(c);
        c->next += bytes;
    }
}

bool ring_consumer_sleeps(struct ring_consumer *c)
{
    if (c->err != TN_OK || c->next != c->seen)
        return false;
    /* SEQ_CST: Dekker with ring_producer_bell. */
    at_store(&c->ring->consumer_sleeps, 1, SEQ_CST);
    return at_load(&c->ring->head, SEQ_CST) == c->seen;
}
