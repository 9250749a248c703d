/* channel_read.c: any bytes as the memory of a ring, header and records, as the other side could
 * leave them, for a consumer, a producer and a mirror of each. Nothing outside of the ring may be
 * touched (the copy has its exact size, for a sanitizer to watch), what is read lies within it, and
 * every loop ends. */
#include <stdlib.h>

#include "base/ring_mirror.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_BYTES = 8192, STEPS = 2000 };

static _Alignas(RING_ALIGN) uint8_t mirror_bytes[MAX_BYTES];

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Reads what there is; how many bytes it was. */
static uint64_t read_all(struct ring_consumer *in, const uint8_t *at, size_t size)
{
    const void *record;
    uint32_t len;
    uint64_t sum = 0, total = 0;
    tn_err err = TN_OK;
    for (uint32_t step = 0; (err = ring_peek(in, &record, &len)) == TN_OK; step++) {
        const uint8_t *bytes = record;
        must(step < MAX_BYTES && bytes >= at + RING_HEADER && bytes + len <= at + size);
        must((uintptr_t)record % RING_RECORD_HEADER == 0);
        for (uint32_t i = 0; i < len; i++)
            sum += bytes[i];
        total += len;
        ring_next(in);
    }
    must(err == TN_EAGAIN || err == TN_EFORMAT);
    must(total <= size && sum <= total * UINT8_MAX);
    ring_release(in);
    return total;
}

static void write_all(struct ring_producer *out)
{
    static const uint8_t record[64];
    tn_err err = TN_OK;
    uint32_t step = 0;
    for (; step < STEPS && err == TN_OK; step++)
        err = ring_write(out, record, step % sizeof(record));
    must(err == TN_EAGAIN || err == TN_EFORMAT || err == TN_ETOOBIG || step == STEPS);
    ring_publish(out);
}

static void mirror(uint8_t *at, size_t size, bool produces)
{
    struct ring_mirror m;
    struct ring_exchange done;
    tn_err err = ring_mirror_make(&m, produces, at, size, mirror_bytes);
    must(err == TN_OK || err == TN_EFORMAT || err == TN_EVERSION);
    if (err != TN_OK)
        return;
    for (uint32_t i = 0; i < 4 && err == TN_OK; i++) {
        struct ring_producer out;
        struct ring_consumer in;
        err = ring_mirror_exchange(&m, at, mirror_bytes, &done);
        must(done.copied_bytes <= m.capacity);
        if (err == TN_OK && produces && ring_produce(&out, mirror_bytes, size) == TN_OK)
            write_all(&out);
        else if (err == TN_OK && !produces && ring_consume(&in, mirror_bytes, size) == TN_OK)
            read_all(&in, mirror_bytes, size);
    }
    must(err == TN_OK || err == TN_EFORMAT);
}

/* The first byte chooses whether the header is as it should be, or as it comes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 + RING_HEADER || size > MAX_BYTES)
        return 0;
    size_t have = size - 1, whole = align_up(have, RING_ALIGN);
    for (uint32_t who = 0; who < 4; who++) {
        uint8_t *at = aligned_alloc(RING_ALIGN, whole);
        must(at != NULL);
        memset(at, 0, whole);
        memcpy(at, data + 1, have);
        struct ring *ring = (struct ring *)(void *)at;
        if (data[0] % 2 == 1 && whole >= RING_HEADER + RING_CAPACITY_MIN) {
            at_init(&ring->magic, RING_MAGIC);
            at_init(&ring->version, RING_VERSION);
            at_init(&ring->capacity, UINT64_C(1) << log2_floor(whole - RING_HEADER));
        }
        struct ring_consumer in;
        struct ring_producer out;
        if (who == 0 && ring_consume(&in, at, whole) == TN_OK)
            read_all(&in, at, whole);
        else if (who == 1 && ring_produce(&out, at, whole) == TN_OK)
            write_all(&out);
        else if (who >= 2)
            mirror(at, whole, who == 2);
        free(at);
    }
    return 0;
}
