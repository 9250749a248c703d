/* held.c: which locks one party holds (held.h). */
#include "machine/hosted/held.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"

void held_wants(const struct held *held, const void *lock, uint32_t rank)
{
    char what[96];
    for (uint32_t i = 0; i < held->count; i++) {
        if (held->at[i].rank < rank && held->at[i].lock != lock)
            continue;
        (void)snprintf(what, sizeof(what),
                       "invariant lock-order: rank %" PRIu32 " is taken while %" PRIu32 " is held",
                       rank, held->at[i].rank);
        machine_panic(what, __FILE__, __LINE__);
    }
    if (rank == 0)
        machine_panic("invariant lock-order: a lock without a rank", __FILE__, __LINE__);
}

void held_add(struct held *held, const void *lock, uint32_t rank)
{
    ASSERT(held->count < HELD_MAX);
    held->at[held->count].lock = lock;
    held->at[held->count].rank = rank;
    held->count++;
}

void held_remove(struct held *held, const void *lock)
{
    for (uint32_t i = held->count; i > 0; i--) {
        if (held->at[i - 1].lock != lock)
            continue;
        held->count--;
        for (; i <= held->count; i++)
            held->at[i - 1] = held->at[i];
        return;
    }
    machine_panic("invariant lock-order: a lock is given back that is not held", __FILE__,
                  __LINE__);
}

bool held_has(const struct held *held, const void *lock)
{
    for (uint32_t i = 0; i < held->count; i++) {
        if (held->at[i].lock == lock)
            return true;
    }
    return false;
}
