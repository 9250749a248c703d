/* steal.pml: an idle CPU takes actors out of another's run queue.
 *
 * Mirrors kernel/sched/steal.c (work_steal, take_queued, actor_set_home, actor_follow), sched.c
 * (run_actor, sched_loop), queue.c (sched_ask, asked_push, queue_take_asked, answer_asked,
 * take_woken, follows), turn.c (actor_release, turn_park, wake_here, wake_away, turn_wake). CPU 0
 * and CPU 1 each steal from the other, at any time at which they find nothing to do; two actors
 * begin on CPU 0. Actor A takes two messages, which CPU 2 sends; the turn of the first parks until
 * the one turn of actor B, wherever that runs, wakes it. A has a concurrency of two: it takes its
 * second message meanwhile, so it is queued, and may be stolen, while the first turn waits. When a
 * message wakes it, it may follow to the other CPU, as the policy likes.
 *
 * The lock of a CPU is a word that is swapped with ACQUIRE and stored with RELEASE (cpu_lock.pml),
 * for thief and owner alike. What is under it alone (`run`, run queues, the turns that are ready)
 * is kept in plain variables. The mailbox is a count of what was pushed and one of what was
 * collected (mailbox.pml has the rest), the stack of woken turns one bit.
 *
 * Properties
 *   1. An actor runs on at most one CPU at a time, and only where its home is.
 *   2. An actor is in the queue of its home or in a thief's hands exactly while it is QUEUED.
 *   3. No message and no wake-up is lost: when all is quiet, all turns have run.
 *   4. No CPU waits for ever for a lock, and every run ends.
 *
 * Bounds: three thefts and follows in all, so that both CPUs steal at once, and an actor comes back
 * while a list of its first home still holds it. A third CPU is another thief or another sender;
 * either is there already. Sleep is left out (sleep.pml): a CPU looks at once. Queues of more than
 * two, and how many are taken, change nothing for the one that is.
 *
 * Bugs
 *   BUG_INSIDE          a thief seizes while it is inside its own lock
 *   BUG_NO_FORWARD      who took an actor that has moved off its list drops it
 *   BUG_TAKE_RUNNING    a thief takes an actor that runs
 *   BUG_LATE_HOME       the home is stored when the victim's lock is given back
 *   BUG_WAKE_UNCHECKED  a waker takes the actor for one of its own CPU without a look inside
 *   BUG_FOLLOW_UNASKED  an actor that follows does not ask its new home to look at it
 *   BUG_FOLLOW_TWICE    it is put on the list though it is on one already */
#define CPUS 3
#define DEPTH 2
#define HOME 0   /* of A and B */
#define ASKED 2  /* of A */
#define PUSHED 3 /* messages in A's stack */
#define WOKEN 4  /* A's turn is on the stack of woken ones */
#define TURN 5   /* turn.state of A's turn */
#define LIST 6   /* of CPU 0 and 1, cpu.asked: 1 when A is on it */
#define LOCK 8   /* of CPU 0 and 1 */
#define WORDS 10
#include "tso.pml"

#define A 0
#define B 1
#define ASK_MAIL 1
#define ASK_WOKEN 2
#define RUNS 0
#define PARKED 1
#define IS_WOKEN 2
#define MESSAGES 2
#define CONCURRENCY 2
#ifndef MOVES
#define MOVES 3
#endif

#define IDLE 0
#define QUEUED 1
#define RUNNING 2
#define NOWHERE 2 /* in no queue */
#define STOLEN 3  /* in the hands of a thief */

/* Under the lock of the home: actor.run, whose queue it is in, mbox.first, turns, ready. */
byte stands[2] = QUEUED;
byte queued[2];
byte mail, turns;
bit ready;

byte owner[2];   /* the CPU whose lock the actor is under, as it really is */
bit runs[2];
byte begun, handled; /* messages of A */
bit wait_open, woken_by_b, b_done;
byte moves; /* thefts and follows */

/* `at` here and below: the CPU whose lock `me` has. */
inline queue_push(a, at) {
    d_step { stands[a] = QUEUED; queued[a] = at }
}

/* sched_ready; also actor_release once the actor is IDLE */
inline a_ready(at) {
    if
    :: stands[A] == IDLE && (ready || (mail > 0 && turns < CONCURRENCY)) -> queue_push(A, at)
    :: else
    fi
}

inline asked_push(to) {
    d_step {
        RMW(me, LIST + to, SEQ_CST) ->
        assert(mem[LIST + to] == 0);
        mem[LIST + to] = 1
    }
}

inline sched_ask(bits) {
    d_step { RMW(me, ASKED, ACQ_REL) -> x = mem[ASKED]; mem[ASKED] = mem[ASKED] | bits }
    if
    :: x == 0 ->
        load(me, HOME + A, x, ACQUIRE);
        asked_push(x)
    :: else
    fi
}

inline actor_follow(at) {
    moves++;
#ifdef BUG_FOLLOW_UNASKED
    x = 1;
#else
    d_step {
        RMW(me, ASKED, ACQ_REL) ->
        x = mem[ASKED];
        mem[ASKED] = ASK_MAIL | ASK_WOKEN
    }
#endif
    d_step { owner[A] = 1 - (at); assert(stands[A] == IDLE) }
    store(me, HOME + A, 1 - (at), RELEASE);
    if
#ifdef BUG_FOLLOW_TWICE
    :: true -> asked_push(1 - (at))
#else
    :: x == 0 -> asked_push(1 - (at))
    :: else
#endif
    fi
}

inline answer_asked(at) {
    assert(owner[A] == (at));
    swap(me, ASKED, 0, x, ACQ_REL);
    by_mail = (x == ASK_MAIL && stands[A] == IDLE && mail == 0);
    if
    :: x & ASK_MAIL ->
        d_step { RMW(me, PUSHED, ACQUIRE) -> mail = mail + mem[PUSHED]; mem[PUSHED] = 0 }
    :: else
    fi;
    if
    :: x & ASK_WOKEN ->
        swap(me, WOKEN, 0, x, ACQUIRE);
        ready = ready | x
    :: else
    fi;
    if
    :: by_mail && moves < MOVES -> actor_follow(at)
    :: a_ready(at)
    fi;
    by_mail = 0
}

/* With the lock of `at`. */
inline queue_take_asked(at) {
    swap(me, LIST + (at), 0, x, ACQUIRE);
    if
    :: x != 0 ->
        load(me, HOME + A, x, ACQUIRE);
        if
        :: x == (at) -> answer_asked(at)
#ifdef BUG_NO_FORWARD
        :: else -> swap(me, ASKED, 0, x, ACQ_REL)
#else
        :: else -> asked_push(x)
#endif
        fi
    :: else
    fi;
    x = 0
}

inline wake_here() {
    assert(owner[A] == me);
    load(me, TURN, x, RELAXED);
    store(me, TURN, IS_WOKEN, RELAXED);
    if
    :: x == PARKED -> ready = 1; a_ready(me)
    :: else
    fi
}

inline wake_away() {
    swap(me, TURN, IS_WOKEN, x, ACQ_REL);
    if
    :: x == PARKED ->
        d_step { RMW(me, WOKEN, RELEASE) -> mem[WOKEN] = 1 }
        sched_ask(ASK_WOKEN)
    :: else
    fi
}

/* turn_wake, by B's turn */
inline turn_wake() {
    load(me, HOME + A, x, ACQUIRE);
    if
    :: x == me ->
        lock_take(me, LOCK + me);
#ifdef BUG_WAKE_UNCHECKED
        wake_here();
#else
        load(me, HOME + A, x, ACQUIRE);
        if
        :: x == me -> wake_here()
        :: else -> wake_away()
        fi;
#endif
        lock_drop(me, LOCK + me)
    :: else -> wake_away()
    fi
}

/* The turn of the first message waits; inside afterwards. */
inline turn_park() {
    cas(me, TURN, RUNS, PARKED, x, ACQ_REL);
    if
    :: x == IS_WOKEN -> ready = 1
    :: else
    fi
}

/* What A does in one go, its lock held. */
inline run_a() {
    if
    :: ready ->
        ready = 0;
        store(me, TURN, RUNS, RELAXED); /* resume */
        lock_drop(me, LOCK + me);
        lock_take(me, LOCK + me);
        d_step { turns--; handled++ }
    :: !ready && mail > 0 && turns < CONCURRENCY ->
        d_step { mail--; turns++; begun++ }
        lock_drop(me, LOCK + me);
        if
        :: begun == 1 ->
            d_step { buffer[me].n == 0 -> wait_open = 1 } /* somebody is told: a RELEASE push */
            lock_take(me, LOCK + me);
            turn_park()
        :: else ->
            lock_take(me, LOCK + me);
            d_step { turns--; handled++ }
        fi
    :: else
    fi
}

inline run_b() {
    lock_drop(me, LOCK + me);
    if
    :: !b_done -> turn_wake(); b_done = 1
    :: else
    fi;
    lock_take(me, LOCK + me)
}

/* run_actor: what it begins with, and actor_release */
inline run_actor() {
    lock_take(me, LOCK + me);
    if
    :: queued[a] == me ->
        d_step {
            assert(stands[a] == QUEUED && owner[a] == me && !runs[a]);
            queued[a] = NOWHERE;
            stands[a] = RUNNING;
            runs[a] = 1
        }
        if
        :: a == A -> run_a()
        :: else -> run_b()
        fi;
        d_step {
            assert(stands[a] == RUNNING && owner[a] == me);
            runs[a] = 0;
            stands[a] = IDLE;
            x = 0
        }
        if
        :: a == A -> a_ready(me)
        :: else
        fi
    :: else
    fi;
    lock_drop(me, LOCK + me);
    a = 0
}

#ifdef BUG_TAKE_RUNNING
#define CAN_TAKE(a) (queued[a] == 1 - me || (stands[a] == RUNNING && owner[a] == 1 - me))
#else
#define CAN_TAKE(a) (queued[a] == 1 - me)
#endif

inline take(a) {
    d_step { queued[a] = STOLEN; owner[a] = me }
#ifndef BUG_LATE_HOME
    store(me, HOME + a, me, RELEASE);
#endif
    lock_drop(me, LOCK + (1 - me));
#ifdef BUG_LATE_HOME
    store(me, HOME + a, me, RELEASE);
#endif
#ifndef BUG_INSIDE
    lock_take(me, LOCK + me);
#endif
    d_step { assert(queued[a] == STOLEN && stands[a] == QUEUED); queued[a] = me }
    lock_drop(me, LOCK + me)
}

inline work_steal() {
    moves++;
#ifdef BUG_INSIDE
    lock_take(me, LOCK + me);
#endif
    lock_take(me, LOCK + (1 - me)); /* cpu_seize */
    queue_take_asked(1 - me);
    if
    :: CAN_TAKE(A) -> take(A)
    :: CAN_TAKE(B) -> take(B)
    :: else ->
        lock_drop(me, LOCK + (1 - me));
#ifdef BUG_INSIDE
        lock_drop(me, LOCK + me)
#endif
    fi
}

active [2] proctype cpu()
{
    byte me = _pid - CPUS, x, a;
    bit by_mail;
end:
    do
    :: FINDS(me, LIST + me, 1) ->
        lock_take(me, LOCK + me);
        queue_take_asked(me);
        lock_drop(me, LOCK + me)
    :: atomic {
            queued[A] == me || (queued[B] == me && wait_open) ->
            if
            :: queued[A] == me -> a = A
            :: queued[B] == me && wait_open -> a = B
            fi
        }
        run_actor()
    :: queued[A] != me && (queued[B] != me || !wait_open) && moves < MOVES -> work_steal()
    od
}

active proctype sender()
{
    byte me = 2, x, sent;
    do
    :: sent < MESSAGES ->
        sent++;
        d_step { RMW(me, PUSHED, RELEASE) -> x = mem[PUSHED]; mem[PUSHED]++ }
        if
        :: x == 0 -> sched_ask(ASK_MAIL)
        :: else
        fi;
        x = 0
    :: else -> break
    od
}

active proctype quiet()
{
    timeout;
    assert(handled == MESSAGES && b_done && mem[ASKED] == 0 && stands[A] == IDLE && turns == 0)
}
