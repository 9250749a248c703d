/* cpu_lock.pml: the lock of a CPU, which its owner takes with two plain stores.
 *
 * Mirrors kernel/sched/cpu.h (cpu_enter, cpu_leave) and queue.c (cpu_step_back, cpu_seize,
 * cpu_release). The owner is CPU 0; two others seize its lock. DATA stands for all that is under
 * the lock: who has the lock adds one to it, with a plain load and a plain store.
 *
 * Properties
 *   1. At most one party is between taking the lock and giving it back.
 *   2. Who takes it sees what all before it stored.
 *   3. Every run ends: nobody waits for ever, and there is no loop in which nobody gets on.
 *
 * Bounds: the owner enters three times, one seizer comes twice and the other once. The state of the
 * lock is four bits and the buffers, and is what it was in the beginning after each round; a third
 * entry and a second seizure show every way in which an end meets the next beginning. Two seizers
 * show what `seize` is for. Buffers of four hold the stores of two rounds of the owner.
 *
 * Bugs
 *   BUG_NO_BARRIER        the seizer makes nobody pass a barrier
 *   BUG_ONE_LOOK          the owner that stepped back does not look at `wanted` again
 *   BUG_RELAXED_LEAVE     the owner leaves with a RELAXED store
 *   BUG_RELAXED_RELEASE   the seizer gives back with a RELAXED store
 *   BUG_NO_SEIZE_LOCK     seizers do not exclude each other */
#define CPUS 3
#define DEPTH 4
#define INSIDE 0
#define WANTED 1
#define SEIZE 2
#define DATA 3
#define WORDS 4
#include "tso.pml"

#ifdef BUG_RELAXED_LEAVE
#define LEAVE_ORDER RELAXED
#else
#define LEAVE_ORDER RELEASE
#endif
#ifdef BUG_RELAXED_RELEASE
#define RELEASE_ORDER RELAXED
#else
#define RELEASE_ORDER RELEASE
#endif

byte holders, added; /* what is really so, of which the parties know nothing */

/* cpu_enter, and cpu_step_back in its loop. at_fence_light is no step of the machine. */
inline cpu_enter(me, found) {
    store(me, INSIDE, 1, RELAXED);
    load(me, WANTED, found, ACQUIRE);
    do
    :: found == 0 -> break
    :: else ->
        store(me, INSIDE, 0, RELEASE);
        FINDS(me, WANTED, 0);
        store(me, INSIDE, 1, RELAXED);
#ifdef BUG_ONE_LOOK
        found = 0
#else
        load(me, WANTED, found, ACQUIRE)
#endif
    od
}

inline cpu_leave(me) {
    store(me, INSIDE, 0, LEAVE_ORDER)
}

/* The caller's own stores reach memory first. After that every other CPU has an empty buffer at
 * some moment before the return, not all at once. */
inline machine_barrier(me) {
#ifndef BUG_NO_BARRIER
    buffer[me].n == 0;
    buffer[0].n == 0;
    buffer[3 - (me)].n == 0 /* the other seizer */
#else
    skip
#endif
}

inline cpu_seize(me) {
#ifndef BUG_NO_SEIZE_LOCK
    lock_take(me, SEIZE);
#endif
    store(me, WANTED, 1, RELAXED);
    machine_barrier(me);
    FINDS(me, INSIDE, 0)
}

inline cpu_release(me) {
    store(me, WANTED, 0, RELEASE_ORDER);
    lock_drop(me, SEIZE)
}

inline use(me, x) {
    d_step { holders++; assert(holders == 1) }
    load(me, DATA, x, RELAXED);
    assert(x == added);
    d_step { x++; added++ }
    store(me, DATA, x, RELAXED);
    d_step { x = 0; holders-- }
}

active proctype owner()
{
    byte rounds, x;
    do
    :: rounds < 3 ->
        cpu_enter(0, x);
        use(0, x);
        cpu_leave(0);
        rounds++
    :: else -> break
    od
}

active [2] proctype seizer()
{
    byte rounds, x;
    rounds = _pid - CPUS - 1;
    do
    :: rounds < 2 ->
        cpu_seize(_pid - CPUS);
        use(_pid - CPUS, x);
        cpu_release(_pid - CPUS);
        rounds++
    :: else -> break
    od
}
