/* stream.c: one direction of a simulated connection (stream.h).
 *
 * Invariants:
 *  1. received <= sent <= received + STREAM_BYTES.
 *  2. The pieces cover exactly the bytes from `received` to `sent`; their dues ascend. */
#include "drivers/sim/stream.h"

#include "base/assert.h"
#include "base/bytes.h"

enum { DELAY_BITS = 14, LATE_BITS = 32 }; /* ns: up to 16 us, or up to 4 s */

static uint64_t below_2_to(const struct outside *outside, uint32_t bits_max)
{
    return outside_choose(outside, UINT64_C(1) << (1 + outside_choose(outside, bits_max)));
}

static tn_time arrival(const struct stream *stream, tn_time now)
{
    bool late = outside_fault(stream->outside, OUTSIDE_LATE);
    tn_time due = now + below_2_to(stream->outside, late ? LATE_BITS : DELAY_BITS);
    if (stream->npieces == 0)
        return due;
    uint32_t last = (stream->first + stream->npieces - 1) % STREAM_PIECES;
    return due > stream->pieces[last].due ? due : stream->pieces[last].due;
}

/* What is on the way stays there up to a byte of the seed's choice. */
static void sever(struct stream *stream)
{
    stream->shut = stream->broken = true;
    uint64_t left = stream->sent - stream->received;
    stream->sent = stream->received + outside_choose(stream->outside, left + 1);
    while (stream->npieces > 0) {
        uint32_t last = (stream->first + stream->npieces - 1) % STREAM_PIECES;
        uint64_t begin = stream->npieces > 1
                             ? stream->pieces[(last + STREAM_PIECES - 1) % STREAM_PIECES].end
                             : stream->received;
        if (begin < stream->sent) {
            stream->pieces[last].end = stream->sent;
            return;
        }
        stream->npieces--;
    }
}

tn_err stream_send(struct stream *stream, tn_time now, const void *from, uint32_t len,
                   uint32_t *ret_sent)
{
    ASSERT(len > 0);
    if (stream->shut)
        return TN_EGONE;
    if (outside_fault(stream->outside, OUTSIDE_LOST)) {
        sever(stream);
        return TN_EGONE;
    }
    uint64_t room = STREAM_BYTES - (stream->sent - stream->received);
    if (room == 0 || stream->npieces == STREAM_PIECES)
        return TN_EFULL;
    uint32_t n = len < room ? len : (uint32_t)room;
    if (outside_fault(stream->outside, OUTSIDE_TORN))
        n = 1 + (uint32_t)outside_choose(stream->outside, n);
    for (uint32_t i = 0; i < n; i++)
        stream->bytes[(stream->sent + i) % STREAM_BYTES] = ((const uint8_t *)from)[i];
    tn_time due = arrival(stream, now);
    stream->sent += n;
    uint32_t piece = (stream->first + stream->npieces) % STREAM_PIECES;
    stream->pieces[piece].end = stream->sent;
    stream->pieces[piece].due = due;
    stream->npieces++;
    *ret_sent = n;
    return TN_OK;
}

tn_err stream_receive(struct stream *stream, tn_time now, void *ret_at, uint32_t size,
                      uint32_t *ret_len)
{
    ASSERT(size > 0);
    uint64_t end = stream->received;
    for (uint32_t i = 0; i < stream->npieces; i++) {
        uint32_t piece = (stream->first + i) % STREAM_PIECES;
        if (stream->pieces[piece].due <= now)
            end = stream->pieces[piece].end;
    }
    uint64_t there = end - stream->received;
    if (there == 0)
        return stream->shut && stream->npieces == 0 ? TN_EGONE : TN_EAGAIN;
    uint32_t n = there < size ? (uint32_t)there : size;
    if (outside_fault(stream->outside, OUTSIDE_TORN))
        n = 1 + (uint32_t)outside_choose(stream->outside, n);
    for (uint32_t i = 0; i < n; i++)
        ((uint8_t *)ret_at)[i] = stream->bytes[(stream->received + i) % STREAM_BYTES];
    stream->received += n;
    while (stream->npieces > 0 && stream->pieces[stream->first].end <= stream->received) {
        stream->first = (stream->first + 1) % STREAM_PIECES;
        stream->npieces--;
    }
    *ret_len = n;
    return TN_OK;
}

tn_time stream_due(const struct stream *stream)
{
    if (stream->npieces > 0)
        return stream->pieces[stream->first].due;
    return stream->shut ? 0 : TN_NEVER;
}

void stream_close(struct stream *stream)
{
    stream->shut = true;
}
