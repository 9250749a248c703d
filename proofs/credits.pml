/* credits.pml: the credits of a mailbox, at its two doors.
 *
 * Mirrors kernel/actor/cell.c and cell.h (mbox_reserve, mbox_reserve_back, mbox_reserve_away,
 * mbox_may_share, mbox_share, mbox_credit, mbox_credit_freed, mbox_settle, mbox_credit_away),
 * kernel/sched/sched_int.h (credit_freed), turn.c (credit_back) and kernel/ipc/send.c
 * (credit_away). CPU 0 is the home: it sends to itself through its own door, consumes, and brings
 * freed credits back when it likes. CPU 1 and CPU 2 send from outside; each first takes a credit at
 * the door of those outside, else through the lock. A message carries which door its credit is from
 * (CELL_AWAY). A sender from outside may also find that it does not need its credit.
 *
 * Nobody waits for a credit here: who finds none does without. That a waiter is told is
 * `sched_ask`, which is in mailbox.pml.
 *
 * Properties
 *   1. Never more credits are out than the mailbox has: its bound holds.
 *   2. None is lost, none is made: when all is quiet, both doors together, and what
 *      is freed, have all of them.
 *   3. Every run ends.
 *
 * Bounds: a capacity of three is the least that mbox_share halves with a rest. The home sends twice
 * and the others twice each, so that every door is found empty and is filled again by each of the
 * ways there are. `away` never holds more than the capacity, so more senders only come in
 * between more often.
 *
 * Bugs
 *   BUG_SHARE_PLAIN      mbox_share adds to `away` with a load and a store
 *   BUG_BACK_PLAIN       mbox_reserve_back loads `away` and stores 0
 *   BUG_SHARE_UNLOCKED   mbox_share without the lock
 *   BUG_BACK_ALL         mbox_reserve_back keeps all that it took and hands out one besides
 *   BUG_SETTLE_PLAIN     mbox_settle adds to `away` with a load and a store
 *   BUG_SETTLE_UNLOCKED  mbox_settle without the lock */
#define CPUS 3
#define DEPTH 2
#define CREDITS 0
#define AWAY 1
#define LOCK 2
#define FREED 3
#define WORDS 4
#include "tso.pml"

#ifndef CAPACITY
#define CAPACITY 3
#endif
#ifdef BUG_SHARE_UNLOCKED
#define SHARE_LOCK(what) skip
#else
#define SHARE_LOCK(what) what
#endif

#ifdef BUG_SETTLE_UNLOCKED
#define SETTLE_LOCK(what) skip
#else
#define SETTLE_LOCK(what) what
#endif

byte out;          /* credits that somebody has, and in messages */
byte here, away;   /* messages in the mailbox, by the door of their credit */
byte quiet_cpus;
bit made; /* mbox_init has been */

inline took() {
    d_step { out++; assert(out <= CAPACITY) }
}

inline mbox_credit() {
    load(me, CREDITS, x, RELAXED);
    d_step { x++; out-- }
    store(me, CREDITS, x, RELAXED)
}

inline mbox_credit_freed() {
    load(me, FREED, x, RELAXED);
    d_step { x++; out-- }
    store(me, FREED, x, RELAXED)
}

inline mbox_settle() {
    load(me, FREED, x, RELAXED);
    if
    :: x == 0
    :: else ->
#ifdef BUG_SETTLE_PLAIN
        load(me, AWAY, y, RELAXED);
        store(me, AWAY, y + x, RELAXED);
        y = 0;
#else
        d_step { RMW(me, AWAY, RELAXED) -> mem[AWAY] = mem[AWAY] + x }
#endif
        store(me, FREED, 0, RELEASE)
    fi;
    x = 0
}

inline mbox_credit_away() {
    d_step { RMW(me, AWAY, RELAXED) -> out--; mem[AWAY]++ }
}

inline mbox_reserve_back() {
    load(me, AWAY, x, RELAXED);
    if
    :: x > 0 ->
#ifdef BUG_BACK_PLAIN
        load(me, AWAY, x, RELAXED);
        store(me, AWAY, 0, RELAXED);
#else
        swap(me, AWAY, 0, x, RELAXED);
#endif
        if
        :: x > 0 ->
#ifdef BUG_BACK_ALL
            store(me, CREDITS, x, RELAXED);
#else
            store(me, CREDITS, x - 1, RELAXED);
#endif
            got = 1
        :: else -> got = 0
        fi
    :: else -> got = 0
    fi
}

/* `got`: whether there was one */
inline mbox_reserve() {
    load(me, CREDITS, x, RELAXED);
    if
    :: x > 0 -> store(me, CREDITS, x - 1, RELAXED); got = 1
    :: else ->
        load(me, FREED, x, RELAXED);
        if
        :: x > 0 ->
            store(me, CREDITS, x, RELAXED);
            store(me, FREED, 0, RELAXED);
            store(me, CREDITS, x - 1, RELAXED);
            got = 1
        :: else -> mbox_reserve_back()
        fi
    fi
}

inline mbox_reserve_away() {
    load(me, AWAY, x, RELAXED);
    do
    :: x == 0 -> got = 0; break
    :: x > 0 ->
        y = x;
        cas(me, AWAY, y, y - 1, x, RELAXED);
        if
        :: x == y -> got = 1; break
        :: else
        fi
    od;
    y = 0
}
inline mbox_share() {
    mbox_settle();
    mbox_reserve_away();
    if
    :: got
    :: else -> /* mbox_reserve; nothing is freed any more */
        load(me, CREDITS, x, RELAXED);
        if
        :: x > 0 -> store(me, CREDITS, x - 1, RELAXED); got = 1
        :: else -> mbox_reserve_back()
        fi;
        if
        :: got ->
            load(me, CREDITS, x, RELAXED);
            store(me, CREDITS, x - x / 2, RELAXED);
#ifdef BUG_SHARE_PLAIN
            load(me, AWAY, y, RELAXED);
            store(me, AWAY, y + x / 2, RELAXED)
#else
            d_step { RMW(me, AWAY, RELAXED) -> mem[AWAY] = mem[AWAY] + x / 2 }
#endif
        :: else
        fi
    fi;
    y = 0
}

/* credit_away */
inline credit_away() {
    mbox_reserve_away();
    if
    :: got
    :: else ->
        load(me, CREDITS, x, RELAXED);
        if
        :: x == 0 -> load(me, FREED, x, ACQUIRE)
        :: else
        fi;
        if
        :: x == 0 -> mbox_reserve_away()
        :: else ->
            SHARE_LOCK(lock_take(me, LOCK));
            mbox_share();
            SHARE_LOCK(lock_drop(me, LOCK))
        fi
    fi
}

active proctype home()
{
    byte me = 0, x, y, sends;
    bit got;
    d_step { mem[CREDITS] = CAPACITY; made = 1 }
    do
    :: sends < 2 ->
        sends++;
        lock_take(me, LOCK);
        mbox_reserve();
        if
        :: got -> took(); here++; got = 0
        :: else
        fi;
        x = 0;
        lock_drop(me, LOCK)
    :: here > 0 ->
        lock_take(me, LOCK);
        here--;
        mbox_credit();
        x = 0;
        lock_drop(me, LOCK)
    :: away > 0 ->
        lock_take(me, LOCK);
        away--;
        mbox_credit_freed();
        x = 0;
        lock_drop(me, LOCK)
    :: mem[FREED] > 0 -> /* the end of a batch */
        SETTLE_LOCK(lock_take(me, LOCK));
        mbox_settle();
        SETTLE_LOCK(lock_drop(me, LOCK))
    :: sends == 2 && here == 0 && away == 0 && quiet_cpus == 2 -> break
    od;
    buffer[0].n == 0 && buffer[1].n == 0 && buffer[2].n == 0;
    assert(out == 0 && mem[CREDITS] + mem[AWAY] + mem[FREED] == CAPACITY)
}

active [2] proctype outside()
{
    byte me = _pid - CPUS, x, y, sends;
    bit got;
    made;
    do
    :: sends < 2 ->
        sends++;
        credit_away();
        x = 0;
        if
        :: got ->
            took();
            got = 0;
            if
            :: away++ /* pushed */
            :: mbox_credit_away() /* credit_back: it came to nothing */
            fi
        :: else
        fi
    :: else -> break
    od;
    quiet_cpus++
}

