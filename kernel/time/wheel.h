/* wheel.h: a hierarchical timing wheel (Varghese and Lauck, "Hashed and Hierarchical Timing
 * Wheels", SOSP 1987), one for each CPU. Arm and cancel are O(1). Not locked: its owner locks it.
 */
#ifndef KERNEL_TIME_WHEEL_H
#define KERNEL_TIME_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

enum {
    WHEEL_TICK_NS = 65536, /* resolution; a timer never fires early */
    WHEEL_LEVELS = 6,
    WHEEL_SLOTS = 64, /* a level; 6 levels reach 2^36 ticks, 52 days; later ones wait at the end */
};

struct wheel_timer {
    struct list link; /* in a slot, or to itself when not armed */
    uint64_t at_ns;
};

struct wheel {
    uint64_t tick;                   /* all timers of ticks before this one have fired */
    uint64_t occupied[WHEEL_LEVELS]; /* bit i: slot i is not empty */
    uint64_t mixed[WHEEL_LEVELS];    /* bit i: its timers may be due at several ticks */
    uint64_t armed;                  /* timers in the wheel */
    struct list moving;              /* out of a slot that began at `tick`, on their way down */
    struct list slot[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *wheel, uint64_t now_ns);
void wheel_timer_init(struct wheel_timer *timer);
bool wheel_armed(const struct wheel_timer *timer);
/* Arms `timer`, which is not armed. A time in the past fires at the next advance. */
void wheel_add(struct wheel *wheel, struct wheel_timer *timer, uint64_t at_ns);
/* Disarms; false when it was not armed. */
bool wheel_cancel(struct wheel *wheel, struct wheel_timer *timer);
/* Takes one timer that is due at now_ns out of the wheel, earlier ticks first, in order of arming
 * within a tick. Each timer that it takes, or moves on its way to where it is taken from, is one
 * step (those that move as a whole are none), and *steps > 0 is lowered by those that it took.
 * NULL: none is due, or, when *steps is 0 by then, perhaps: go on with more. */
struct wheel_timer *wheel_pop_due(struct wheel *wheel, uint64_t now_ns, uint32_t *steps);
/* No timer fires before this; UINT64_MAX when none is armed. It may be earlier than the first timer
 * (at most WHEEL_LEVELS times for one timer, and once in 52 days): call wheel_pop_due then too. It
 * is not later than the last now_ns of wheel_pop_due while that has more to do. */
uint64_t wheel_next_ns(const struct wheel *wheel);

#endif
