/* wheel.c: timers by hierarchical timing wheel.
 *
 * Time is counted in ticks of WHEEL_TICK_NS; a timer is due at the first tick that begins at or
 * after its time. A tick is read as digits of 6 bits. A timer is kept at the level of the highest
 * digit in which its due tick differs from the wheel's, in the slot of its own digit there (level 0
 * when they are equal). What differs above the last level waits in slot 0 of the last level, which
 * is reached when all lower digits come round: nothing else can be there, for a timer of that level
 * has a greater digit than the wheel.
 *
 * The wheel's tick moves from event to event: to the next due timer, or to the start of the next
 * occupied slot of a higher level, whose timers then move down; each moves at most WHEEL_LEVELS
 * times (and once in 52 days while it is far). Empty stretches cost nothing.
 *
 * A slot may hold any number of timers, so they move down in steps: all of the slot become `moving`
 * at once, and each step takes the one that was armed last and puts it in front of what is at its
 * place. What was armed before is before it then, and what is armed meanwhile, which goes to its
 * place at once, behind. Until none is left the tick stays and nothing is taken. So `moving` only
 * shrinks: whoever arms timers all the time keeps nobody else's from firing. But timers of a slot
 * that are all due at one tick go to one place, and so move as a whole, however many they are.
 *
 * Invariants:
 *  1. The place of a timer that does not move follows from its due tick and the wheel's tick alone.
 *     So timers of one tick are always together, in the order they were armed.
 *  2. At a level above 0 the occupied slots are above the wheel's own digit (but for the far ones),
 *     and all timers of a level are due before those of the next. So one slot at most begins at a
 *     tick, and everything below it is empty then.
 *  3. occupied bit i of a level is set just when its slot i is not empty.
 *  4. Where mixed bit i of a level above 0 is clear, all timers of its slot i are due at one tick.
 */
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
    list_init(&wheel->moving);
    for (uint32_t level = 0; level < WHEEL_LEVELS; level++) {
        wheel->occupied[level] = 0;
        wheel->mixed[level] = 0;
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

/* The slot, counted through all levels, of a timer that is due at `due`, not before the wheel's
 * tick. */
static inline uint32_t place_of(const struct wheel *wheel, uint64_t due)
{
    uint64_t differ = due ^ wheel->tick;
    if (__builtin_expect(differ >> REACH_BITS != 0, 0))
        return FAR_LEVEL * WHEEL_SLOTS;
    uint32_t level = log2_floor(differ | 1) / DIGIT_BITS;
    return level * WHEEL_SLOTS + digit_of(due, level);
}

/* Puts the timer where it belongs now: behind what is there, or, of the slot that moves, before. */
static inline void wheel_place(struct wheel *wheel, struct wheel_timer *timer, bool before)
{
    uint64_t due = due_of(timer->at_ns);
    uint32_t place = place_of(wheel, due > wheel->tick ? due : wheel->tick);
    uint32_t level = place / WHEEL_SLOTS;
    ASSERT(level < WHEEL_LEVELS);
    struct list *slot = &wheel->slot[level][place % WHEEL_SLOTS];
    struct list *neighbour = before ? slot->next : slot->prev;
    uint64_t bit = UINT64_C(1) << place % WHEEL_SLOTS;
    if (neighbour == slot) {
        wheel->occupied[level] |= bit;
        wheel->mixed[level] &= ~bit;
    } else if (due_of(CONTAINER_OF(neighbour, struct wheel_timer, link)->at_ns) != due) {
        wheel->mixed[level] |= bit;
    }
    if (before)
        list_push_front(slot, &timer->link);
    else
        list_push_back(slot, &timer->link);
}

void wheel_add(struct wheel *wheel, struct wheel_timer *timer, uint64_t at_ns)
{
    ASSERT(!wheel_armed(timer));
    timer->at_ns = at_ns;
    wheel_place(wheel, timer, false);
    wheel->armed++;
}

bool wheel_cancel(struct wheel *wheel, struct wheel_timer *timer)
{
    if (!wheel_armed(timer))
        return false;
    struct list *other = timer->link.next;
    /* Then `other` is the slot itself. */
    bool last = other == timer->link.prev && other != &wheel->moving;
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
    if (!list_empty(&wheel->moving))
        return wheel->tick;
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

/* All that is to move is due at one tick: it goes to its place, where nothing is, at once. */
static void move_whole(struct wheel *wheel)
{
    struct wheel_timer *first = CONTAINER_OF(wheel->moving.next, struct wheel_timer, link);
    uint32_t place = place_of(wheel, due_of(first->at_ns)), level = place / WHEEL_SLOTS;
    struct list *slot = &wheel->slot[level][place % WHEEL_SLOTS];
    ASSERT(level < WHEEL_LEVELS && list_empty(slot));
    list_push_front(&wheel->moving, slot);
    list_remove(&wheel->moving);
    wheel->occupied[level] |= UINT64_C(1) << place % WHEEL_SLOTS;
    wheel->mixed[level] &= ~(UINT64_C(1) << place % WHEEL_SLOTS);
}

/* The timers of the slot that begins at the wheel's tick, if there is one, are to move down. */
static void cascade_begin(struct wheel *wheel)
{
    ASSERT(list_empty(&wheel->moving));
    for (uint32_t level = WHEEL_LEVELS - 1; level > 0; level--) {
        if ((wheel->tick & ((UINT64_C(1) << (level * DIGIT_BITS)) - 1)) != 0)
            continue;
        uint32_t digit = digit_of(wheel->tick, level);
        struct list *slot = &wheel->slot[level][digit];
        if (list_empty(slot))
            continue;
        uint64_t bit = UINT64_C(1) << digit;
        bool whole = (wheel->mixed[level] & bit) == 0;
        list_push_back(slot, &wheel->moving);
        list_remove(slot);
        wheel->occupied[level] &= ~bit;
        if (whole)
            move_whole(wheel);
        return;
    }
}

/* Moves timers down; false when the steps are used up and some are left. */
static bool cascade(struct wheel *wheel, uint32_t *steps)
{
    for (; !list_empty(&wheel->moving); --*steps) {
        if (*steps == 0)
            return false;
        struct list *last = wheel->moving.prev;
        list_remove(last);
        wheel_place(wheel, CONTAINER_OF(last, struct wheel_timer, link), true);
    }
    return true;
}

struct wheel_timer *wheel_pop_due(struct wheel *wheel, uint64_t now_ns, uint32_t *steps)
{
    uint64_t now = now_ns / WHEEL_TICK_NS;
    while (cascade(wheel, steps)) {
        uint64_t next = next_event(wheel);
        if (next > now) {
            if (now > wheel->tick)
                wheel->tick = now; /* no slot begins before, so nothing changes place */
            return NULL;
        }
        ASSERT(next >= wheel->tick);
        if (*steps == 0)
            return NULL;
        if (next > wheel->tick) {
            wheel->tick = next;
            cascade_begin(wheel);
            continue;
        }
        struct list *slot = &wheel->slot[0][digit_of(next, 0)];
        struct wheel_timer *timer = CONTAINER_OF(slot->next, struct wheel_timer, link);
        bool armed = wheel_cancel(wheel, timer);
        ASSERT(armed && timer->at_ns <= now_ns);
        --*steps;
        return timer;
    }
    return NULL;
}

uint64_t wheel_next_ns(const struct wheel *wheel)
{
    uint64_t next = next_event(wheel);
    return next > UINT64_MAX / WHEEL_TICK_NS ? UINT64_MAX : next * WHEEL_TICK_NS;
}
