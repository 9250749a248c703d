/* lock_order.h where a machine watches who holds which lock: machine/sim always, machine/linux in
 * builds with a sanitizer. A party (a CPU, or a thread that is none) takes locks in rising rank,
 * and of each rank one. Whoever does not is stopped, whether it would have hung this time or not.
 */
#ifndef LOCK_ORDER_H
#define LOCK_ORDER_H

#include <stdint.h>

/* Before the first try to take it; as soon as it is taken; before it is given back. */
void race_lock_wants(const void *lock, uint32_t rank);
void race_lock_has(const void *lock, uint32_t rank);
void race_lock_drops(const void *lock);
/* The caller holds none: of a test that jumped out of a panic. */
void race_lock_forget(void);

#endif
