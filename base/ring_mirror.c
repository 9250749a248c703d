/* ring_mirror.c: keeping a ring and its mirror equal (ring_mirror.h). */
#include "base/ring_mirror.h"

tn_err ring_mirror_make(struct ring_mirror *ret_mirror, bool produces, const void *shared,
                        uint64_t size_bytes, void *local)
{
    struct ring_consumer found; /* looks at the header, whichever side it is for */
    tn_err err = ring_consume(&found, (void *)(uintptr_t)shared, size_bytes);
    if (err != TN_OK)
        return err;
    uint64_t tail = found.tail, head = at_load(&found.ring->head, ACQUIRE);
    if (head - tail > found.capacity || head % RING_RECORD_HEADER != 0)
        return TN_EFORMAT;
    err = ring_format(local, found.capacity);
    if (err != TN_OK)
        return err;
    struct ring *mirror = local;
    /* A consumer's mirror is empty until records come; a producer's is as full as the ring. */
    at_init(&mirror->head, produces ? head : tail);
    at_init(&mirror->tail, tail);
    at_init(&mirror->consumer_sleeps, produces);
    at_init(&mirror->producer_sleeps, !produces);
    *ret_mirror = (struct ring_mirror){.produces = produces,
                                       .capacity = found.capacity,
                                       .mine = produces ? head : tail,
                                       .theirs = tail};
    return TN_OK;
}

/* Copies the records between two counts, which wrap at most once. */
static void copy_records(void *to, const void *from, uint64_t capacity, uint64_t begin,
                         uint64_t end)
{
    uint8_t *out = (uint8_t *)to + RING_HEADER;
    const uint8_t *in = (const uint8_t *)from + RING_HEADER;
    uint64_t at = begin & (capacity - 1), len = end - begin;
    uint64_t first = len < capacity - at ? len : capacity - at;
    memcpy(out + at, in + at, (size_t)first);
    memcpy(out, in, (size_t)(len - first));
}

/* An index has moved from `before` to `now`, which may be at most `most` bytes later. */
static bool moved_well(uint64_t before, uint64_t now, uint64_t most)
{
    return now - before <= most && now % RING_RECORD_HEADER == 0;
}

/* The mirror's owner does not run meanwhile, so what is stored there is plain. */
static tn_err exchange_out(struct ring_mirror *m, struct ring *shared, struct ring *mirror,
                           struct ring_exchange *done)
{
    uint64_t head = at_load(&mirror->head, RELAXED);
    if (!moved_well(m->mine, head, m->capacity - (m->mine - m->theirs)))
        return TN_EFORMAT;
    if (head != m->mine) {
        copy_records(shared, mirror, m->capacity, m->mine, head);
        done->copied_bytes = head - m->mine;
        m->mine = head;
        at_store(&shared->head, head, SEQ_CST); /* Dekker: ring_producer_bell */
        done->bell = ring_take_bell(&shared->consumer_sleeps);
    }
    /* ACQUIRE pairs with the RELEASE of ring_release. */
    uint64_t tail = at_load(&shared->tail, ACQUIRE);
    if (!moved_well(m->theirs, tail, m->mine - m->theirs))
        return TN_EFORMAT;
    m->theirs = tail;
    at_init(&mirror->tail, tail);
    at_init(&mirror->consumer_sleeps, 1); /* so that each bell comes to the host */
    return TN_OK;
}

static tn_err exchange_in(struct ring_mirror *m, struct ring *shared, struct ring *mirror,
                          struct ring_exchange *done)
{
    uint64_t tail = at_load(&mirror->tail, RELAXED);
    if (!moved_well(m->mine, tail, m->theirs - m->mine))
        return TN_EFORMAT;
    if (tail != m->mine) {
        m->mine = tail;
        at_store(&shared->tail, tail, SEQ_CST); /* Dekker: ring_consumer_bell */
        done->bell = ring_take_bell(&shared->producer_sleeps);
    }
    /* ACQUIRE pairs with the RELEASE of ring_publish. */
    uint64_t head = at_load(&shared->head, ACQUIRE);
    if (!moved_well(m->theirs, head, m->capacity - (m->theirs - m->mine)))
        return TN_EFORMAT;
    if (head != m->theirs) {
        copy_records(mirror, shared, m->capacity, m->theirs, head);
        done->copied_bytes = head - m->theirs;
        m->theirs = head;
    }
    at_init(&mirror->head, head);
    at_init(&mirror->producer_sleeps, 1); /* so that each bell comes to the host */
    return TN_OK;
}

tn_err ring_mirror_exchange(struct ring_mirror *m, void *shared, void *local,
                            struct ring_exchange *ret_exchange)
{
    struct ring_exchange done = {.bell = false};
    if (m->err == TN_OK)
        m->err = m->produces ? exchange_out(m, shared, local, &done)
                             : exchange_in(m, shared, local, &done);
    *ret_exchange = done; /* also of one that failed half way: the bell was taken */
    return m->err;
}

bool ring_mirror_sleeps(const struct ring_mirror *m, void *shared)
{
    struct ring *ring = shared;
    if (m->err != TN_OK)
        return false;
    /* SEQ_CST: Dekker with the other side's bell. */
    at_store(m->produces ? &ring->producer_sleeps : &ring->consumer_sleeps, 1, SEQ_CST);
    return at_load(m->produces ? &ring->tail : &ring->head, SEQ_CST) == m->theirs;
}

void ring_mirror_awake(const struct ring_mirror *m, void *shared)
{
    struct ring *ring = shared;
    at_store(m->produces ? &ring->producer_sleeps : &ring->consumer_sleeps, 0, RELAXED);
}
