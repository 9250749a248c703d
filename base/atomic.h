/* atomic.h: the only place that names atomics. The order is written at every use, with a line on
 * why it is enough where it is not seq_cst. Each operation first passes race_point(), which is
 * empty on real machines and a possible switch of virtual CPU in the simulator, where stores may
 * also wait; the build picks race_point.h and fence_light.h from base/race/none, tsan or sim.
 *
 * at_fence_light() is the light half of an asymmetric fence (Dice, Huang and Yang, "Asymmetric
 * Dekker Synchronization", Sun Microsystems, 2001; as in the membarrier of Linux and P1202 of the
 * C++ committee). Two parties each write one word and then read the other's, and at least one must
 * see the other. Where one party comes often and the other seldom, the frequent one puts
 * at_fence_light() between its write and its read, and the rare one machine_barrier() between its
 * own: then either the frequent one's write is seen by the rare one, or it reads what the rare one
 * wrote. The light half only keeps the compiler from moving accesses across it and costs no
 * instruction; two light halves order nothing between each other. */
#ifndef BASE_ATOMIC_H
#define BASE_ATOMIC_H

#include <stdatomic.h>
#include <stdint.h>

#include "race_point.h"

typedef _Atomic(uint32_t) atomic_u32;
typedef _Atomic(int32_t) atomic_i32;
typedef _Atomic(uint64_t) atomic_u64;
typedef _Atomic(void *) atomic_ptr;

/* An atomic of any other type of at most 8 bytes: atomic_of(struct actor *) callee. */
#define atomic_of(T) _Atomic(T)

enum {
    RELAXED = memory_order_relaxed,
    ACQUIRE = memory_order_acquire,
    RELEASE = memory_order_release,
    ACQ_REL = memory_order_acq_rel,
    SEQ_CST = memory_order_seq_cst,
};

/* `order` is one of the five above. `at_cas` is strong: it fails only when the value differs, and
 * then writes the value found to *expected; its failure order is `fail`. The operands of all but
 * at_store hold no other operation. */
#define at_load(p, order) (race_point(), atomic_load_explicit(race_place(p), (memory_order)(order)))

#define at_store(p, v, order) race_store((p), (v), (order))

#define at_swap(p, v, order) \
    (race_point(), atomic_exchange_explicit(race_change(p), (v), (memory_order)(order)))
#define at_cas(p, expected, v, order, fail)                                   \
    (race_point(),                                                            \
     atomic_compare_exchange_strong_explicit(race_change(p), (expected), (v), \
                                             (memory_order)(order), (memory_order)(fail)))
#define at_add(p, v, order) \
    (race_point(), atomic_fetch_add_explicit(race_change(p), (v), (memory_order)(order)))
#define at_sub(p, v, order) \
    (race_point(), atomic_fetch_sub_explicit(race_change(p), (v), (memory_order)(order)))
#define at_or(p, v, order) \
    (race_point(), atomic_fetch_or_explicit(race_change(p), (v), (memory_order)(order)))
#define at_and(p, v, order) \
    (race_point(), atomic_fetch_and_explicit(race_change(p), (v), (memory_order)(order)))
/* Initialise before anybody else can see the object: not an atomic operation, no race point. Also
 * begins the next life of a word whose memory is used again without an operation of the allocator
 * in between: a store to it may still wait in this CPU's buffer, which a plain store or memset
 * would overtake in the simulator (and only there). */
#define at_init(p, v) (race_init(p), atomic_init((p), (v)))
/* Adds to a counter that one CPU at a time writes and others only look at. No race point: nothing
 * is handed over by a count. */
#define at_count(p, n)                                                                \
    atomic_store_explicit((p), atomic_load_explicit((p), memory_order_relaxed) + (n), \
                          memory_order_relaxed)
/* What race_store is on real machines. */
#define at_store_now(p, v, order) atomic_store_explicit((p), (v), (memory_order)(order))

/* at_fence_light(), and race_heavy_begin() and race_heavy_end(), which a machine on real threads
 * calls first and last in machine_barrier. */
#include "fence_light.h"

#endif
