/* chan.c: a ring and its doorbell (chan.h). */
#include "sdk/chan.h"

tn_err chan_out_open(struct chan_out *ret_out, tn_cap end)
{
    void *at;
    uint64_t size;
    struct chan_out out = {.end = end};
    tn_err err = tn_chan_map(end, &at, &size);
    if (err == TN_OK)
        err = ring_produce(&out.ring, at, size);
    if (err == TN_OK)
        *ret_out = out;
    return err;
}

tn_err chan_in_open(struct chan_in *ret_in, tn_cap end)
{
    void *at;
    uint64_t size;
    struct chan_in in = {.end = end};
    tn_err err = tn_chan_map(end, &at, &size);
    if (err == TN_OK)
        err = ring_consume(&in.ring, at, size);
    if (err == TN_OK)
        *ret_in = in;
    return err;
}

tn_err chan_out_map(struct chan_out *out)
{
    void *at;
    uint64_t size;
    tn_err err = tn_chan_map(out->end, &at, &size);
    if (err == TN_OK)
        ring_producer_move(&out->ring, at);
    return err;
}

tn_err chan_in_map(struct chan_in *in)
{
    void *at;
    uint64_t size;
    tn_err err = tn_chan_map(in->end, &at, &size);
    if (err == TN_OK)
        ring_consumer_move(&in->ring, at);
    return err;
}

/* Rings the other end; of no use to one that is gone. */
static tn_err wake(tn_cap end, bool *gone)
{
    tn_err err = tn_signal(end, TN_BELL_RING);
    if (err == TN_EGONE)
        *gone = true;
    return err;
}

tn_err chan_flush(struct chan_out *out)
{
    if (out->gone)
        return TN_EGONE;
    return ring_producer_bell(&out->ring) ? wake(out->end, &out->gone) : TN_OK;
}

tn_err chan_reserve(struct chan_out *out, uint32_t len, void **ret_at)
{
    tn_err err = ring_reserve(&out->ring, len, ret_at);
    if (__builtin_expect(err != TN_EAGAIN, 1))
        return err;
    err = chan_flush(out);
    if (err == TN_OK)
        err = chan_out_map(out);
    return err == TN_OK ? ring_reserve(&out->ring, len, ret_at) : err;
}

tn_err chan_write_slow(struct chan_out *out, const void *data, uint32_t len)
{
    void *at;
    tn_err err = chan_reserve(out, len, &at);
    if (err != TN_OK)
        return err;
    ring_copy(at, data, len);
    return ring_commit(&out->ring, len);
}

tn_err chan_wait_room(struct chan_out *out, tn_time deadline)
{
    uint64_t bits = 0;
    tn_err err = chan_flush(out);
    if (err != TN_OK)
        return err;
    if (ring_producer_sleeps(&out->ring)) {
        err = tn_wait(out->end, deadline, &bits);
        out->gone = out->gone || (err == TN_OK && (bits & TN_BELL_GONE) != 0);
        tn_err mapped = chan_out_map(out);
        if (mapped != TN_OK)
            return err != TN_OK ? err : mapped;
    }
    ring_producer_awake(&out->ring);
    return err;
}

tn_err chan_send(struct chan_out *out, const void *data, uint32_t len, tn_time deadline)
{
    tn_err err = chan_write(out, data, len);
    while (err == TN_EAGAIN) {
        err = chan_wait_room(out, deadline);
        if (err == TN_OK)
            err = chan_write(out, data, len);
    }
    return err;
}

tn_err chan_peek_slow(struct chan_in *in, const void **ret_at, uint32_t *ret_len)
{
    tn_err err = chan_in_map(in);
    return err == TN_OK ? ring_peek(&in->ring, ret_at, ret_len) : err;
}

tn_err chan_read(struct chan_in *in, void *data, uint32_t size, uint32_t *ret_len)
{
    const void *at;
    uint32_t len;
    tn_err err = chan_peek(in, &at, &len);
    if (err != TN_OK)
        return err;
    if (len > size)
        return TN_ETOOBIG;
    ring_copy(data, at, len);
    chan_next(in);
    *ret_len = len;
    return TN_OK;
}

tn_err chan_release(struct chan_in *in)
{
    if (!ring_consumer_bell(&in->ring))
        return TN_OK;
    tn_err err = wake(in->end, &in->gone);
    return err == TN_EGONE ? TN_OK : err; /* what it had written is still there */
}

tn_err chan_wait_data(struct chan_in *in, tn_time deadline)
{
    uint64_t bits = 0;
    tn_err err = chan_release(in);
    if (err != TN_OK)
        return err;
    if (in->gone) { /* what it wrote came before, so this look is the last */
        const void *at;
        uint32_t len;
        err = chan_peek(in, &at, &len);
        return err == TN_EAGAIN ? TN_EGONE : err;
    }
    if (ring_consumer_sleeps(&in->ring)) {
        err = tn_wait(in->end, deadline, &bits);
        in->gone = in->gone || (err == TN_OK && (bits & TN_BELL_GONE) != 0);
        tn_err mapped = chan_in_map(in);
        if (mapped != TN_OK)
            return err != TN_OK ? err : mapped;
    }
    ring_consumer_awake(&in->ring);
    return err;
}

tn_err chan_receive(struct chan_in *in, void *data, uint32_t size, uint32_t *ret_len,
                    tn_time deadline)
{
    tn_err err = chan_read(in, data, size, ret_len);
    while (err == TN_EAGAIN) {
        err = chan_wait_data(in, deadline);
        if (err == TN_OK)
            err = chan_read(in, data, size, ret_len);
    }
    return err;
}
