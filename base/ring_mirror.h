/* ring_mirror.h: one side of a ring for somebody who cannot have the ring's memory: he works on a
 * ring of his own, the mirror, as if it were the real one, and from time to time his host makes the
 * two equal (ring_mirror_exchange): the records that he published go one way, those that came the
 * other, each side's index with them, a copy of the bytes for all of them at once.
 *
 * The host trusts neither: what the owner of the mirror writes into it is checked as what the other
 * side writes into the ring, and either can only poison this mirror (ring.h, Trust). To its owner
 * the other side seems to sleep all the time, so that each bell comes here and becomes an exchange.
 */
#ifndef BASE_RING_MIRROR_H
#define BASE_RING_MIRROR_H

#include "base/ring.h"

struct ring_mirror { /* private to the host */
    bool produces;   /* the mirror's owner is the producer */
    tn_err err;      /* TN_EFORMAT: poisoned */
    uint64_t capacity;
    uint64_t mine;   /* the owner's index, as the ring has it */
    uint64_t theirs; /* the other side's index, as the mirror has it */
};

/* Makes a mirror of the ring in the `size_bytes` at `shared` at `local`, aligned to RING_ALIGN,
 * where there is as much room. Errors of ring_produce. */
tn_err ring_mirror_make(struct ring_mirror *ret_mirror, bool produces, const void *shared,
                        uint64_t size_bytes, void *local);

struct ring_exchange {
    bool bell;             /* the other side sleeps and must be woken, by this caller */
    uint64_t copied_bytes; /* of records */
};
/* Makes both equal, wherever they are now. TN_EFORMAT: one of them is garbage. */
tn_err ring_mirror_exchange(struct ring_mirror *m, void *shared, void *local,
                            struct ring_exchange *ret_exchange);

/* After an exchange: asks the other side for a bell. True when nothing has come since then, so that
 * the owner may sleep; false: exchange again. Afterwards, either way, ring_mirror_awake. */
bool ring_mirror_sleeps(const struct ring_mirror *m, void *shared);
void ring_mirror_awake(const struct ring_mirror *m, void *shared);

#endif
