/* wheel.c: timers by hierarchical timing wheel.
 *
 * Time is counted in ticks of WHEEL_TICK_NS; a timer is due at the first tick that begins at or
 * after its time. A tick is read as digits of 6 bits. A timer is kept at the level of the highest
 * digit in which its due tick differs from the wheel's, in the slot of its own digit there (level 0
 * when they are equal). What differs above the last level waits in slot 0 of the last level, which
 * is reached when all lower digits come round: nothing else can be there, for a timer of that level
 * has a greater digit than the wheel.
 *
 * Invariants:
 *  1. The place of a timer follows from its due tick and the wheel's tick alone. So timers of one
 *     tick are always together, in the order they were armed, and move together.
 *  2. At a level above 0 the occupied slots are above the wheel's own digit (but for the far ones),
 *     and all timers of a level are due before those of the next.
 *  3. occupied bit i of a level is set just when its slot i is not empty.
 *
 * The wheel's tick moves from event to event: to the next due timer, or to the start of the next
 * occupied slot of a higher level, whose timers then move down; each moves at most WHEEL_LEVELS
 * times (and once in 52 days while it is far). Empty stretches cost nothing. */
#include "kernel/time/wheel.h"

#include "base/assert.h"
#include "base/bits.h"

enum {
    DIGIT_BITS = 6,
    REACH_BITS = DIGIT_BITS * WHEEL_LEVELS,
    FAR_LEVEL = WHEEL_LEVELS - 1,
};
_Static_assert(WHEEL_SLOTS == 1 << DIGIT_BITS, "a slot for each digit");

static uint32_t digit_of(uint64_t tick, uint32_t level)
{
    return (uint32_t)(tick >> (level * DIGIT_BITS)) & (WHEEL_SLOTS - 1);
}

/* The first tick that begins at or after `at_ns`. */
static uint64_t due_of(uint64_t at_ns)
{
    return at_ns / WHEEL_TICK_NS + (at_ns % WHEEL_TICK_NS != 0);
}

void wheel_init(struct wheel *wheel, uint64_t now_ns)
{
    wheel->tick = now_ns / WHEEL_TICK_NS;
    wheel->armed = 0;
    for (uint32_t level = 0; level < WHEEL_LEVELS; level++) {
        wheel->occupied[level] = 0;
        for (uint32_t i = 0; i < WHEEL_SLOTS; i++)
            list_init(&wheel->slot[level][i]);
    }
}

void wheel_timer_init(struct wheel_timer *timer)
{
    list_init(&timer->link);
    timer->at_ns = 0;
}

bool wheel_armed(const struct wheel_timer *timer)
{
    return !list_empty(&timer->link);
}

static void wheel_place(struct wheel *wheel, struct wheel_timer *timer)
{
    uint64_t due = due_of(timer->at_ns);
    if (due < wheel->tick)
        due = wheel->tick;
    uint64_t differ = due ^ wheel->tick;
    uint32_t level = differ == 0 ? 0 : log2_floor(differ) / DIGIT_BITS;
    uint32_t digit = digit_of(due, level);
    if (differ >> REACH_BITS != 0) {
        level = FAR_LEVEL;
        digit = 0;
    }
    ASSERT(level < WHEEL_LEVELS);
    list_push_back(&wheel->slot[level][digit], &timer->link);
    wheel->occupied[level] |= UINT64_C(1) << digit;
}

void wheel_add(struct wheel *wheel, struct wheel_timer *timer, uint64_t at_ns)
{
    ASSERT(!wheel_armed(timer));
    timer->at_ns = at_ns;
    wheel_place(wheel, timer);
    wheel->armed++;
}

bool wheel_cancel(struct wheel *wheel, struct wheel_timer *timer)
{
    if (!wheel_armed(timer))
        return false;
    struct list *other = timer->link.next;
    bool last = other == timer->link.prev; /* then `other` is the slot itself */
    ASSERT(wheel->armed > 0);
    list_remove(&timer->link);
    wheel->armed--;
    if (last) {
        size_t index = (size_t)(other - &wheel->slot[0][0]);
        ASSERT(index < WHEEL_LEVELS * WHEEL_SLOTS && list_empty(other));
        wheel->occupied[index / WHEEL_SLOTS] &= ~(UINT64_C(1) << index % WHEEL_SLOTS);
    }
    return true;
}

/* The next tick at which something is due or moves down; UINT64_MAX when there is nothing. */
static uint64_t next_event(const struct wheel *wheel)
{
    if (wheel->armed == 0)
        return UINT64_MAX;
    for (uint32_t level = 0; level < WHEEL_LEVELS; level++) {
        uint64_t slots = wheel->occupied[level];
        if (level == FAR_LEVEL)
            slots &= ~UINT64_C(1);
        if (slots == 0)
            continue;
        uint32_t shift = level * DIGIT_BITS, digit = (uint32_t)__builtin_ctzll(slots);
        ASSERT(digit >= digit_of(wheel->tick, level) + (level > 0));
        uint64_t above = wheel->tick >> shift >> DIGIT_BITS << DIGIT_BITS;
        return (above | digit) << shift;
    }
    ASSERT((wheel->occupied[FAR_LEVEL] & 1) != 0);
    return ((wheel->tick >> REACH_BITS) + 1) << REACH_BITS;
}

/* Moves the timers of the slots that begin at the wheel's tick down to where they belong now. */
static void cascade(struct wheel *wheel)
{
    for (uint32_t level = WHEEL_LEVELS - 1; level > 0; level--) {
        if ((wheel->tick & ((UINT64_C(1) << (level * DIGIT_BITS)) - 1)) != 0)
            continue;
        uint32_t digit = digit_of(wheel->tick, level);
        struct list *slot = &wheel->slot[level][digit];
        if (list_empty(slot))
            continue;
        struct list moving = *slot;
        moving.next->prev = &moving;
        moving.prev->next = &moving;
        list_init(slot);
        wheel->occupied[level] &= ~(UINT64_C(1) << digit);
        for (struct list *l = list_pop_front(&moving); l != NULL; l = list_pop_front(&moving))
            wheel_place(wheel, CONTAINER_OF(l, struct wheel_timer, link));
    }
}

struct wheel_timer *wheel_pop_due(struct wheel *wheel, uint64_t now_ns)
{
    uint64_t now = now_ns / WHEEL_TICK_NS;
    for (;;) {
        uint64_t next = next_event(wheel);
        if (next > now) {
            if (now > wheel->tick)
                wheel->tick = now; /* no slot begins before, so nothing changes place */
            return NULL;
        }
        ASSERT(next >= wheel->tick);
        if (next > wheel->tick) {
            wheel->tick = next;
            cascade(wheel);
        }
        struct list *slot = &wheel->slot[0][digit_of(next, 0)];
        if (list_empty(slot))
            continue;
        struct wheel_timer *timer = CONTAINER_OF(slot->next, struct wheel_timer, link);
        bool armed = wheel_cancel(wheel, timer);
        ASSERT(armed && timer->at_ns <= now_ns);
        return timer;
    }
}

uint64_t wheel_next_ns(const struct wheel *wheel)
{
    uint64_t next = next_event(wheel);
    return next > UINT64_MAX / WHEEL_TICK_NS ? UINT64_MAX : next * WHEEL_TICK_NS;
}
