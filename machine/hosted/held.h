/* held.h: which of the kernel's locks one party holds, for the machines that watch their order
 * (base/race/checked/lock_order.h). */
#ifndef MACHINE_HOSTED_HELD_H
#define MACHINE_HOSTED_HELD_H

#include <stdbool.h>
#include <stdint.h>

enum { HELD_MAX = 8 };

/* Zeroed: none. */
struct held {
    uint32_t count;
    struct {
        const void *lock;
        uint32_t rank;
    } at[HELD_MAX];
};

/* Panics when a lock of that rank may not be taken now: one of the same or a greater rank is held,
 * or this one. */
void held_wants(const struct held *held, const void *lock, uint32_t rank);
void held_add(struct held *held, const void *lock, uint32_t rank);
/* Panics when it is not held. */
void held_remove(struct held *held, const void *lock);
bool held_has(const struct held *held, const void *lock);

#endif
