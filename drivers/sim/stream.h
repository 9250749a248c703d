/* stream.h: one direction of a simulated connection: bytes that arrive late, in pieces, or not at
 * all once the connection breaks.
 *
 * Order is kept and nothing is repeated or changed, as with TCP: what was sent arrives as a stream
 * without its seams. A connection that broke tells the sender at its next send; the receiver gets
 * what was still on the way, or the first part of it, and then the end. */
#ifndef DRIVERS_SIM_STREAM_H
#define DRIVERS_SIM_STREAM_H

#include "drivers/sim/outside.h"

enum { STREAM_BYTES = 4096, STREAM_PIECES = 32 };

/* Zeroed but for `outside` to begin with. */
struct stream {
    const struct outside *outside;
    uint64_t sent, received; /* bytes, since the beginning */
    bool shut;               /* nothing more is sent: closed or broken */
    bool broken;
    uint32_t first, npieces; /* a ring */
    struct {
        uint64_t end; /* of the bytes that arrive at `due`, counted as `sent` is */
        tn_time due;  /* ascending */
    } pieces[STREAM_PIECES];
    uint8_t bytes[STREAM_BYTES]; /* a ring: byte i of the stream is at i % STREAM_BYTES */
};

/* Takes the first *ret_sent bytes, at least one. TN_EFULL: as much is on the way as may be;
 * TN_EGONE: closed, or broken, perhaps just now. */
TN_MUST tn_err stream_send(struct stream *stream, tn_time now, const void *from, uint32_t len,
                           uint32_t *ret_sent);

/* What has arrived by `now`, *ret_len bytes, at most `size`; perhaps less than there is. TN_EAGAIN:
 * nothing yet; TN_EGONE: the end. */
TN_MUST tn_err stream_receive(struct stream *stream, tn_time now, void *ret_at, uint32_t size,
                              uint32_t *ret_len);

/* When stream_receive will have something to say; TN_NEVER when that depends on the sender. */
tn_time stream_due(const struct stream *stream);

/* The sender has no more. */
void stream_close(struct stream *stream);

#endif
