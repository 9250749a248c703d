/* park_word.h: the word by which a worker sleeps and is woken, apart from the futex on it, so that
 * the simulator can try its interleavings.
 *
 *     AWAKE to PARKED       park_word_sleep, no unpark came before
 *     AWAKE to NOTIFIED     park_word_notify, remembered
 *     PARKED to NOTIFIED    park_word_notify, whose caller then wakes the worker
 *     any to AWAKE          park_word_wake, on the worker's way out
 *
 * Invariants:
 *  1. Only the worker itself writes AWAKE and PARKED; anybody may write NOTIFIED.
 *  2. Every change is a read-modify-write, so each notify is either before the sleep, which then
 *     fails, or after it and sees PARKED: no wake-up is lost. */
#ifndef MACHINE_COMMON_PARK_WORD_H
#define MACHINE_COMMON_PARK_WORD_H

#include <stdbool.h>

#include "base/atomic.h"

enum park_state { PARK_AWAKE, PARK_NOTIFIED, PARK_PARKED };

/* True when the worker should now wait for as long as the word is PARK_PARKED. Either way
 * park_word_wake follows. Relaxed: what an unpark published is acquired by park_word_wake. */
static inline bool park_word_sleep(atomic_u32 *word)
{
    uint32_t found = PARK_AWAKE;
    return at_cas(word, &found, PARK_PARKED, RELAXED, RELAXED);
}

/* Acquire: the worker sees all that was written before the notify that this takes. */
static inline void park_word_wake(atomic_u32 *word)
{
    (void)at_swap(word, PARK_AWAKE, ACQUIRE);
}

/* True when the worker must be woken. Release pairs with park_word_wake. A swap even when NOTIFIED
 * is there already: the worker must acquire from this notify too, not only from the first. */
static inline bool park_word_notify(atomic_u32 *word)
{
    return at_swap(word, PARK_NOTIFIED, RELEASE) == PARK_PARKED;
}

#endif
