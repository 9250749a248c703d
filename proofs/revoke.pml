/* revoke.pml: a capability is revoked, and the object's memory reused, while others look it up.
 *
 * Mirrors kernel/cap/lookup.h and cap.c (cap_find, cap_lookup), space.c (slot_begin, space_put),
 * revoke.c (cap_unlink) and kernel/mem/limbo.c and limbo.h (limbo_add, limbo_boundary, limbo_idle,
 * limbo_busy, limbo_reap, limbo_ticket, limbo_passed). CPU 0 looks up and uses in turns, with a
 * boundary or a sleep between them. CPU 1 deletes the capability (generation 1, object 1) and waits
 * for the grace period of object 1, by reaping or with a ticket; the slot goes to object 2
 * (generation 2) before or after that. Then the memory of object 1 goes to object 3, which gets the
 * slot next (generation 3).
 *
 * A use is a plain store to the object's memory. The badge goes by the same orders as the object
 * and is left out; so are the marks of a word (revoking, posted), which change neither generation
 * nor what the slot names. All changes of slots are on one CPU: the derivation lock orders them.
 *
 * Properties
 *   1. A handle leads to the object of its own generation, or to none.
 *   2. When memory is reused no CPU has a pointer from before in use, nor a store to it on its way.
 *   3. Every run ends: the grace period does.
 *
 * Bounds: two lookups of CPU 0, each with either of two generations, and at each turn's end
 * a boundary or a sleep. A third generation of the slot shows a stale handle against the life
 * after the next. One CPU that looks up is enough: a reaper asks each CPU for itself, and lookups
 * write nothing. CPU 1 is a busy CPU too, whose own boundary is waited for.
 *
 * Bugs
 *   BUG_NO_GRACE         memory is reused when the capability is gone
 *   BUG_ONE_LOOK         the lookup does not look at the word again
 *   BUG_WORD_EARLY       the second look comes before that at the object: a RELAXED load would let
 * it
 *   BUG_OBJECT_RELAXED   the object of a slot is stored RELAXED
 *   BUG_WORD_RELAXED     the word of a new life is stored RELAXED
 *   BUG_EPOCH_RELAXED    a new epoch is stored RELAXED
 *   BUG_SEEN_RELAXED     a boundary is noted RELAXED
 *   BUG_BUSY_UNLOCKED    a CPU that wakes up says so without the lock */
#define CPUS 2
#define DEPTH 4
#define WORD 0   /* slot.word: generation * 2 + live */
#define OBJECT 1 /* slot.object */
#define EPOCH 2
#define SEEN 3 /* of CPU 0 and 1 */
#define LIMBO 5
#define CAPS 6
#define MEMORY 7 /* + the object: 1 and 3 have the same */
#define WORDS 10
#include "tso.pml"

#define IDLE 99

#ifdef BUG_OBJECT_RELAXED
#define OBJECT_ORDER RELAXED
#else
#define OBJECT_ORDER RELEASE
#endif
#ifdef BUG_WORD_RELAXED
#define WORD_ORDER RELAXED
#else
#define WORD_ORDER RELEASE
#endif
#ifdef BUG_EPOCH_RELAXED
#define EPOCH_ORDER RELAXED
#else
#define EPOCH_ORDER RELEASE
#endif
#ifdef BUG_SEEN_RELAXED
#define SEEN_ORDER RELAXED
#else
#define SEEN_ORDER RELEASE
#endif

byte used;  /* the object that CPU 0 has a pointer to */
bit reused; /* the memory of object 1 */
bit booted;

inline limbo_boundary(me) {
    load(me, SEEN + me, x, RELAXED);
    load(me, EPOCH, y, ACQUIRE);
    if
    :: x != y -> store(me, SEEN + me, y, SEEN_ORDER)
    :: else
    fi;
    d_step { x = 0; y = 0 }
}

inline limbo_idle(me) {
    store(me, SEEN + me, IDLE, RELEASE)
}

inline limbo_busy(me) {
#ifndef BUG_BUSY_UNLOCKED
    lock_take(me, LIMBO);
#endif
    load(me, EPOCH, y, RELAXED);
    store(me, SEEN + me, y, RELAXED);
#ifndef BUG_BUSY_UNLOCKED
    lock_drop(me, LIMBO);
#endif
    y = 0
}

/* cap_find and cap_lookup; the object in `y`, 0: TN_EBADCAP */
inline lookup(generation) {
    load(0, WORD, x, ACQUIRE);
    if
    :: x == generation * 2 + 1 ->
#ifdef BUG_WORD_EARLY
        load(0, WORD, x, RELAXED);
        load(0, OBJECT, y, ACQUIRE);
#else
        load(0, OBJECT, y, ACQUIRE);
#ifndef BUG_ONE_LOOK
        load(0, WORD, x, RELAXED);
#endif
#endif
        if
        :: x == generation * 2 + 1 -> used = y; assert(y == generation)
        :: else
        fi
    :: else
    fi;
    d_step {
        assert(used != 1 || !reused);
        x = 0;
        y = 0
    }
}

inline one_turn(generation) {
    lookup(generation);
    if
    :: used == 0
    :: else ->
        store(0, MEMORY + used - 1, 1, RELAXED);
        assert(used != 1 || !reused)
    fi;
    used = 0
}

active proctype user()
{
    byte x, y, turns;
    booted;
    limbo_busy(0);
    do
    :: turns < 2 ->
        turns++;
        if
        :: one_turn(1)
        :: one_turn(2)
        fi;
        if
        :: limbo_boundary(0)
        :: limbo_idle(0); limbo_busy(0)
        fi
    :: else -> break
    od;
    limbo_idle(0)
}

inline slot_begin(generation) {
    store(1, OBJECT, generation, OBJECT_ORDER);
    store(1, WORD, generation * 2 + 1, WORD_ORDER)
}

inline take_slot() {
    lock_take(1, CAPS);
    slot_begin(2);
    lock_drop(1, CAPS);
    taken = 1
}

inline space_put(generation) {
    store(1, WORD, (generation + 1) * 2, RELAXED);
    store(1, OBJECT, 0, OBJECT_ORDER)
}

/* epoch_begin; the epoch in `closed` */
inline epoch_begin() {
    load(1, EPOCH, closed, RELAXED);
    closed++;
    store(1, EPOCH, closed, EPOCH_ORDER)
}

/* all_passed, in `passed`. Who asks again does so when a CPU has noted something since. */
inline all_passed() {
    load(1, SEEN, x, ACQUIRE);
    load(1, SEEN + 1, y, ACQUIRE);
    d_step { passed = (x >= closed && y >= closed); y = 0 }
}

inline by_reaping() {
    /* limbo_add */
    lock_take(1, LIMBO);
    lock_drop(1, LIMBO);
    /* limbo_reap, the first and any later time */
    do
    :: lock_take(1, LIMBO);
        if
        :: closed == 0 -> epoch_begin()
        :: else
        fi;
        all_passed();
        lock_drop(1, LIMBO);
        if
        :: passed -> break
        :: else -> wait_and_pass()
        fi
    od
}

inline by_ticket() {
    lock_take(1, LIMBO);
    epoch_begin();
    lock_drop(1, LIMBO);
    do
    :: all_passed();
        if
        :: passed -> break
        :: else -> wait_and_pass()
        fi
    od
}

/* The next look is after this CPU's own boundary, and after a change at the other if that is what
 * was missing. */
inline wait_and_pass() {
    if
    :: x < closed -> mem[SEEN] != x
    :: else
    fi;
    limbo_boundary(1)
}

active proctype revoker()
{
    byte x, y, closed;
    bit passed, taken;
    d_step {
        mem[WORD] = 3;
        mem[OBJECT] = 1;
        mem[EPOCH] = 1;
        mem[SEEN] = IDLE;
        mem[SEEN + 1] = 1;
        booted = 1
    }
    lock_take(1, CAPS);
    space_put(1);
    lock_drop(1, CAPS);
    if
    :: take_slot() /* somebody takes the slot before, or */
    :: skip        /* after the grace period */
    fi;
#ifndef BUG_NO_GRACE
    if
    :: by_reaping()
    :: by_ticket()
    fi;
#endif
    skip;
    d_step { reused = 1; assert(used != 1 && !HAS(0, MEMORY)) }
    if
    :: taken
    :: else -> take_slot()
    fi;
    lock_take(1, CAPS);
    space_put(2);
    slot_begin(3);
    lock_drop(1, CAPS)
}
