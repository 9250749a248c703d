/* chan.h: channels for components: records through a ring that both ends share, without the kernel
 * on the way; the kernel's part is the doorbell, for an end that sleeps. The same source works in
 * every domain: in the kernel the ring is read and written in place, in wasm there is a copy of it
 * that is exchanged at each flush, release, map and wait, so there a batch matters more.
 *
 *   producer                                  consumer
 *   tn_chan_new, sends one end on             takes an end that it was sent
 *   chan_out_open                             chan_in_open
 *   each turn: chan_out_map                   each turn: chan_in_map
 *     chan_write, or chan_reserve/_commit       chan_read, or chan_peek/_next
 *     chan_flush                                chan_release
 *     TN_EAGAIN: chan_wait_room                 TN_EAGAIN: chan_wait_data
 *
 * A struct chan_out or chan_in lives in the component's state. Where the ring lies is known until
 * the turn waits or ends: each turn begins with chan_x_map, and so does each use after a wait for
 * something else; what waits below maps its own channel anew, and pointers from chan_reserve and
 * chan_peek end there. Errors: TN_EAGAIN not now; TN_EGONE the other end is gone (and, for the
 * consumer, all that it had written is read); TN_EFORMAT the other end has written what cannot be:
 * drop the channel; and those of tn_chan_map and tn_wait.
 *
 * The other end can change the bytes of a record while they are looked at in place: check a copy.
 */
#ifndef SDK_CHAN_H
#define SDK_CHAN_H

#include <tenon/component.h>

#include "base/ring.h"

struct chan_out {
    tn_cap end;
    struct ring_producer ring;
    bool gone; /* the other end */
};

struct chan_in {
    tn_cap end;
    struct ring_consumer ring;
    bool gone;
};

/* The end, which stays the caller's, must be the producer's, or the consumer's. Errors of
 * tn_chan_map and of ring_produce, ring_consume. */
tn_err chan_out_open(struct chan_out *ret_out, tn_cap end);
tn_err chan_in_open(struct chan_in *ret_in, tn_cap end);
/* At the begin of each turn. */
tn_err chan_out_map(struct chan_out *out);
tn_err chan_in_map(struct chan_in *in);

/* Room for one record, in place, until it is committed. TN_EAGAIN: what was written has been
 * flushed, and there is no room yet. TN_ETOOBIG: over ring_record_max. */
tn_err chan_reserve(struct chan_out *out, uint32_t len, void **ret_at);
static inline tn_err chan_commit(struct chan_out *out, uint32_t len)
{
    return ring_commit(&out->ring, len);
}
tn_err chan_write_slow(struct chan_out *out, const void *data, uint32_t len);
static inline tn_err chan_write(struct chan_out *out, const void *data, uint32_t len)
{
    tn_err err = ring_write(&out->ring, data, len);
    return __builtin_expect(err == TN_EAGAIN, 0) ? chan_write_slow(out, data, len) : err;
}
/* What was committed may be read from now on; wakes the consumer if it sleeps. TN_EGONE. */
tn_err chan_flush(struct chan_out *out);
/* Flushes and sleeps until something was given back, after chan_reserve or chan_write said
 * TN_EAGAIN [waits]. Returns early for no reason now and then. */
tn_err chan_wait_room(struct chan_out *out, tn_time deadline);
/* Writes one record, waiting for room as long as it takes [waits]; it is not flushed. */
tn_err chan_send(struct chan_out *out, const void *data, uint32_t len, tn_time deadline);

tn_err chan_peek_slow(struct chan_in *in, const void **ret_at, uint32_t *ret_len);
/* The next record, in place, until it is released. */
static inline tn_err chan_peek(struct chan_in *in, const void **ret_at, uint32_t *ret_len)
{
    tn_err err = ring_peek(&in->ring, ret_at, ret_len);
    return __builtin_expect(err == TN_EAGAIN, 0) ? chan_peek_slow(in, ret_at, ret_len) : err;
}
static inline void chan_next(struct chan_in *in)
{
    ring_next(&in->ring);
}
/* Copies the next record and goes on. TN_ETOOBIG: it has more than `size` bytes and is still there.
 */
tn_err chan_read(struct chan_in *in, void *data, uint32_t size, uint32_t *ret_len);
/* Gives back the room of the records that were passed; wakes the producer if it sleeps. */
tn_err chan_release(struct chan_in *in);
/* Releases and sleeps until something was written, after chan_peek or chan_read said TN_EAGAIN
 * [waits]. Returns early for no reason now and then. TN_EGONE: there will be nothing. */
tn_err chan_wait_data(struct chan_in *in, tn_time deadline);
/* Reads one record, waiting for it as long as it takes [waits]; nothing is released before it
 * waits.
 */
tn_err chan_receive(struct chan_in *in, void *data, uint32_t size, uint32_t *ret_len,
                    tn_time deadline);

#endif
