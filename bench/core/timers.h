/* timers.h: any number of timers on one kernel: what it takes to set and cancel one of them, and to
 * fire them. Alone on a machine of one CPU that is set up; the kernel's memory goes with it. */
#ifndef BENCH_CORE_TIMERS_H
#define BENCH_CORE_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

/* Boots a kernel with n timers, of actors that hold up to some ten thousand each; they are used in
 * the order in which they were made, as a program would make them and use them, or in one that no
 * prefetcher guesses. */
void timers_open(uint32_t n, bool shuffled);
void timers_close(void);

/* What one costs, in ns by bench_now_ns: the median of `runs` <= TIMERS_RUNS. */
enum { TIMERS_RUNS = 101 };
/* Each of n, armed at times all over an hour: cancelled and set to another time. */
double timers_set_cancel(uint32_t runs);
/* All n at one moment: from then until the last was handled. */
double timers_fire_all(uint32_t runs);
/* Of n that are armed, 256 after 256 have their time. */
double timers_fire_some(uint32_t runs);
/* Bytes of the kernel's memory that one timer and its capability take. */
uint64_t timers_bytes(void);

#endif
