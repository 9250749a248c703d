/* sleep.pml: a CPU goes to sleep while others ask it, steal from it, or stop the kernel.
 *
 * Mirrors kernel/sched/sched.c (sleep_until_work, and sched_loop as far as it leads there), queue.c
 * (asked_push, the swap of queue_take_asked), steal.c (work_steal, as the victim sees it), kernel.c
 * (kernel_stop) and machine/common/park_word.h with the futex around it (machine_park,
 * machine_unpark). The CPU is 0. CPUs 1 and 2 ask, one of them twice. CPU 3 is a thief, which takes
 * the list of those that asked and leaves them in the queue or takes them along; later it stops the
 * kernel, when all has been run. The CPU must have left its loop then. What is on the list is a
 * count here; that its links are seen is in mailbox.pml.
 *
 * Properties
 *   1. Nothing that was asked stays untaken, and the stop is seen: the CPU does not sleep for ever.
 *   2. Every run ends.
 *
 * Bounds: three pushes, one theft and the stop. The CPU sleeps between any two of them, before all
 * and after all; what is left of a sleep (asleep = 0 in the buffer, a NOTIFIED that nobody needed)
 * meets the next one. The list, `asleep` and the park word hold no more than that. Spurious
 * returns of machine_park and its end of time only wake the CPU more often, so they are left out,
 * and so is the look at the queues before it (`spin`), which takes nothing.
 *
 * Bugs
 *   BUG_ASLEEP_RELEASE      `asleep` is stored with RELEASE
 *   BUG_LAST_LOOK_ACQUIRE   the last look at the list is ACQUIRE: it may come before the store
 *   BUG_NO_LAST_LOOK        the CPU sleeps without a look at the list after the store
 *   BUG_ASLEEP_FIRST        who asks looks at `asleep` before the push
 *   BUG_FORGETFUL           an unpark of a CPU that is not parked is not remembered
 *   BUG_LEFT_ASLEEP         a thief that leaves something in the queue does not unpark the CPU */
#define CPUS 4
#define DEPTH 2
#define ASKED 0
#define ASLEEP 1
#define PARK 2
#define STOPPING 3
#define LOCK 4
#define WORDS 5
#include "tso.pml"

#define AWAKE 0
#define NOTIFIED 1
#define PARKED 2

#ifdef BUG_ASLEEP_RELEASE
#define ASLEEP_ORDER RELEASE
#else
#define ASLEEP_ORDER SEQ_CST
#endif
#ifdef BUG_LAST_LOOK_ACQUIRE
#define LAST_LOOK ACQUIRE
#else
#define LAST_LOOK SEQ_CST
#endif

bit in_futex; /* the thread of CPU 0 waits in the system */
byte asked, taken; /* taken: by who runs them */
byte queued;       /* under the lock of the CPU */

/* park_word_sleep, futex, park_word_wake */
inline machine_park() {
    cas(0, PARK, AWAKE, PARKED, x, RELAXED);
    if
    :: x == AWAKE ->
        /* the futex compares the word and puts the thread to sleep in one step */
        d_step {
            if
            :: mem[PARK] == PARKED -> in_futex = 1
            :: else
            fi
        }
        in_futex == 0
    :: else
    fi;
    swap(0, PARK, AWAKE, x, ACQUIRE)
}

/* park_word_notify and the wake-up of the futex */
inline machine_unpark(me, x) {
#ifdef BUG_FORGETFUL
    cas(me, PARK, PARKED, NOTIFIED, x, RELEASE);
#else
    swap(me, PARK, NOTIFIED, x, RELEASE);
#endif
    if
    :: x == PARKED -> in_futex = 0
    :: else
    fi
}

/* asked_push */
inline asked_push(me, x) {
#ifdef BUG_ASLEEP_FIRST
    load(me, ASLEEP, x, SEQ_CST);
    d_step { RMW(me, ASKED, SEQ_CST) -> mem[ASKED]++; asked++ }
#else
    d_step { RMW(me, ASKED, SEQ_CST) -> mem[ASKED]++; asked++ }
    load(me, ASLEEP, x, SEQ_CST);
#endif
    if
    :: x != 0 -> machine_unpark(me, x)
    :: else
    fi
}

active proctype cpu()
{
    byte x;
    do
    :: load(0, STOPPING, x, ACQUIRE);
        if
        :: x != 0 -> break
        :: else
        fi;
        lock_take(0, LOCK);
        load(0, ASKED, x, RELAXED);
        if
        :: x != 0 ->
            swap(0, ASKED, 0, x, ACQUIRE);
            queued = queued + x
        :: else
        fi;
        d_step { x = queued; taken = taken + x; queued = 0 }
        lock_drop(0, LOCK);
        if
        :: x != 0
        :: else ->
            store(0, ASLEEP, 1, ASLEEP_ORDER);
#ifndef BUG_NO_LAST_LOOK
            load(0, ASKED, x, LAST_LOOK);
            if
            :: x == 0 ->
#endif
                load(0, STOPPING, x, SEQ_CST);
                if
                :: x == 0 -> machine_park()
                :: else
                fi;
#ifndef BUG_NO_LAST_LOOK
            :: else
            fi;
#endif
            store(0, ASLEEP, 0, RELAXED)
        fi
    od
}

active proctype asker_twice()
{
    byte x;
    asked_push(1, x);
    asked_push(1, x)
}

active proctype asker_once()
{
    byte x;
    asked_push(2, x)
}

/* work_steal by CPU 3, then kernel_stop when all is taken: nobody else wakes the CPU then. */
active proctype thief()
{
    byte x;
    lock_take(3, LOCK);
    swap(3, ASKED, 0, x, ACQUIRE);
    if
    :: taken = taken + x; x = 0
    :: d_step { queued = queued + x; x = queued }
    fi;
    lock_drop(3, LOCK);
    if
#ifndef BUG_LEFT_ASLEEP
    :: x != 0 -> machine_unpark(3, x)
#endif
    :: else
    fi;
    asked == 3 && taken == 3;
    store(3, STOPPING, 1, SEQ_CST);
    machine_unpark(3, x)
}
