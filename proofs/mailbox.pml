/* mailbox.pml: the two doors of a mailbox, and how its home is told.
 *
 * Mirrors kernel/actor/cell.h and cell.c (mbox_put, mbox_push, mbox_collect, mbox_take),
 * kernel/sched/queue.c (sched_ask, asked_push, queue_take_asked, answer_asked), turn.c (sched_post,
 * post_away) and post.h (post_here). The receiver lives on CPU 0 first and may move to CPU 1, at
 * any time while it does not run. A sender on CPU 1 sends message 1; it may move to CPU 0; then it
 * sends message 2. CPU 2 sends message 3.
 *
 * The lock of a CPU is a word that is swapped with ACQUIRE and stored with RELEASE: cpu_lock.pml
 * shows that the biased lock is one. What is under it alone (the queue of the mailbox, `run`) is
 * kept in plain variables of the model. CPU 0 and CPU 1 are one process each, which does one thing
 * at a time, as a CPU does. The mover is on a CPU of its own; how a CPU moves actors to itself is
 * in steal.pml.
 *
 * Properties
 *   1. Every message is consumed once, whole: its content is seen.
 *   2. Messages of one sender are consumed in the order in which they were sent.
 *   3. The actor is on at most one list of those that asked, and `asked` is not 0 whenever it is on
 *      one; when all is quiet both are 0.
 *   4. Every run ends; none with a message left.
 *
 * Bounds: two messages of one sender take every pair of doors: both away, both here, and one each
 * where either party moves in between; the order of three follows from that of each two. One
 * message of another sender keeps the stack and the list busy meanwhile. One move leaves the actor
 * on a list of its old home; -DMOVES=2 also brings it home again (5 million states, also without a
 * fault). `asked_link` is not modelled: with one actor a list is that actor or nothing, and
 * property 3 is what makes the link somebody's own.
 *
 * Bugs
 *   BUG_BITS_FIRST       `asked` is swapped to 0 before the list is taken
 *   BUG_NO_COLLECT       mbox_put does not look at the stack
 *   BUG_COLLECT_FIRST    the stack is collected before `asked` is swapped to 0
 *   BUG_NO_FORWARD       the old home answers for an actor that has moved by dropping it
 *   BUG_PUSH_RELAXED     a push is RELAXED: the content of the cell may be missing */
#define CPUS 4
#define DEPTH 2
#define PUSHED 0 /* mbox.pushed: a message, 0: none */
#define ASKED 1  /* actor.asked: the bit ASK_MAIL */
#define HOME 2   /* actor.home of the receiver */
#define PLACE 3  /* 1 - the CPU that the first sender is on */
#define LIST 4   /* of CPU 0 and 1, cpu.asked: 1 when the receiver is on it */
#define LOCK 6   /* of CPU 0 and 1 */
#define CELL 7   /* + message, from 1: its link + 8 */
#define WORDS 11
#include "tso.pml"

#define MESSAGES 3
#define BY_FIRST 2 /* messages 1 and 2 are the first sender's */
#define WHOLE 8    /* what else is in a cell */
#ifndef MOVES
#define MOVES 1
#endif
#ifdef BUG_PUSH_RELAXED
#define PUSH_ORDER RELAXED
#else
#define PUSH_ORDER RELEASE
#endif

/* actor.run, and where it is queued */
#define ON_0 0
#define ON_1 1
#define IDLE 2
#define RUNNING 3
#define MOVING 4 /* QUEUED, in the hands of who moves it */

/* Under the lock of the home: */
chan queue = [MESSAGES] of { byte }; /* mbox.first */
byte stands = IDLE;

byte sent, last, consumed; /* of the first sender: sent, consumed last */
bit other_came;
bit listed; /* on a list, or taken off it and not yet answered or put on another */
byte moves, sender_moves;
hidden byte cell_, link_; /* within one step */
hidden int chain_;

inline sched_ready() {
    if
    :: stands == IDLE && len(queue) > 0 -> stands = me
    :: else
    fi
}

inline mbox_collect() {
    d_step {
        RMW(me, PUSHED, ACQUIRE) ->
        cell_ = mem[PUSHED];
        mem[PUSHED] = 0;
        chain_ = 0;
        do
        :: cell_ != 0 ->
            chain_ = chain_ * 8 + cell_;
            look(me, CELL + cell_, link_);
            cell_ = link_ % WHOLE
        :: else -> break
        od;
        do
        :: chain_ != 0 -> queue!(chain_ % 8); chain_ = chain_ / 8
        :: else -> break
        od
    }
}

inline asked_push(to) {
    d_step {
        RMW(me, LIST + to, SEQ_CST) ->
        assert(mem[LIST + to] == 0);
        mem[LIST + to] = 1
    }
}

inline sched_ask() {
    d_step {
        RMW(me, ASKED, ACQ_REL) ->
        x = mem[ASKED];
        mem[ASKED] = 1;
        if
        :: x == 0 -> assert(!listed); listed = 1
        :: else
        fi
    }
    if
    :: x == 0 ->
        load(me, HOME, x, ACQUIRE);
        asked_push(x)
    :: else
    fi
}

inline mbox_push(message) {
    load(me, PUSHED, x, RELAXED);
    do
    :: store(me, CELL + message, WHOLE + x, RELAXED);
        link = x;
        cas(me, PUSHED, link, message, x, PUSH_ORDER);
        if
        :: x == link -> break
        :: else
        fi
    od;
    link = 0
}

inline post_away(message) {
    mbox_push(message);
    if
    :: x == 0 -> sched_ask()
    :: else
    fi
}

inline mbox_put(message) {
#ifndef BUG_NO_COLLECT
    load(me, PUSHED, x, RELAXED);
    if
    :: x != 0 -> mbox_collect()
    :: else
    fi;
#endif
    store(me, CELL + message, WHOLE, RELAXED);
    queue!message
}

/* sched_post, sched_post_inside, post_here */
inline post(message) {
    load(me, HOME, x, ACQUIRE);
    if
    :: x != me -> post_away(message)
    :: else ->
        lock_take(me, LOCK + me);
        load(me, HOME, x, ACQUIRE);
        if
        :: x == me -> mbox_put(message); sched_ready()
        :: else -> post_away(message)
        fi;
        lock_drop(me, LOCK + me)
    fi;
    x = 0
}

inline bits_out() {
    d_step {
        RMW(me, ASKED, ACQ_REL) ->
        mem[ASKED] = 0;
        listed = 0
    }
}

inline answer_asked() {
#ifdef BUG_COLLECT_FIRST
    mbox_collect();
    bits_out();
#else
#ifndef BUG_BITS_FIRST
    bits_out();
#endif
    mbox_collect();
#endif
    sched_ready()
}

inline queue_take_asked() {
    lock_take(me, LOCK + me);
#ifdef BUG_BITS_FIRST
    bits_out();
#endif
    swap(me, LIST + me, 0, x, ACQUIRE);
    if
    :: x != 0 ->
        load(me, HOME, x, ACQUIRE);
        if
        :: x == me -> answer_asked()
        :: else ->
#ifdef BUG_NO_FORWARD
            bits_out()
#else
            asked_push(x)
#endif
        fi
    :: else
    fi;
    lock_drop(me, LOCK + me);
    x = 0
}

/* run_actor: one message. */
inline run_actor() {
    lock_take(me, LOCK + me);
    if
    :: stands == me ->
        stands = RUNNING;
        queue?message;
        lock_drop(me, LOCK + me);
        load(me, CELL + message, x, RELAXED);
        d_step {
            assert(x >= WHOLE);
            if
            :: message <= BY_FIRST -> assert(message == last + 1); last = message
            :: else -> assert(!other_came); other_came = 1
            fi;
            consumed++;
            x = 0;
            message = 0
        }
        lock_take(me, LOCK + me);
        stands = IDLE;
        sched_ready() /* actor_release */
    :: else
    fi;
    lock_drop(me, LOCK + me)
}

active [2] proctype cpu()
{
    byte me = _pid - CPUS, x, link, message;
end:
    do
    :: FINDS(me, LIST + me, 1) -> queue_take_asked()
    :: stands == me -> run_actor()
    :: sent < BY_FIRST && FINDS(me, PLACE, 1 - me) ->
        sent++;
        post(sent)
    :: sender_moves < sent && sent < BY_FIRST && FINDS(me, PLACE, 1 - me) ->
        /* the sender moves to the other CPU */
        sender_moves++;
        store(me, PLACE, me, RELEASE)
    od
}

active proctype other_sender()
{
    byte me = 2, x, link; /* no home of anybody: always away */
    post_away(MESSAGES)
}

active proctype mover()
{
    byte me = 3, x;
    do
    :: moves < MOVES ->
        load(me, HOME, x, ACQUIRE);
        lock_take(me, LOCK + x); /* cpu_seize */
        if
        :: stands != RUNNING ->
            if
            :: stands == x -> stands = MOVING
            :: else
            fi;
            store(me, HOME, 1 - x, RELEASE);
            lock_drop(me, LOCK + x);
            lock_take(me, LOCK + (1 - x));
            if
            :: stands == MOVING -> stands = 1 - x
            :: else
            fi;
            lock_drop(me, LOCK + (1 - x))
        :: else -> lock_drop(me, LOCK + x)
        fi;
        moves++
    :: break
    od
}

active proctype quiet()
{
    timeout;
    assert(consumed == MESSAGES && mem[PUSHED] == 0 && mem[ASKED] == 0 && !listed)
}
