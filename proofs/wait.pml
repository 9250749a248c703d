/* wait.pml: how a wait is completed, and how its turn is woken.
 *
 * Mirrors kernel/actor/actor.c and actor.h (wait_open, wait_claim, wait_filled, wait_close),
 * kernel/sched/turn.c (wait_answer, wake_away, wake_here, turn_park, turn_was_woken,
 * turn_made_ready), kernel/ipc/wait.c (expire), kernel.c (cancel_native) and queue.c (sched_ask,
 * take_woken). The turn lives on CPU 0. For each of its waits there is a replier on CPU 1 and
 * another party on CPU 2 (a grant, an expiry in the wheel of another CPU), both of which know wait
 * and generation and may come late; on CPU 0 its own expiry and the kill, each once, between the
 * parking and the going on.
 *
 * The turn waits twice, in the same wait; then it ends, and its memory is gone. That of the wait
 * stays, as the actor's does. What the two parties elsewhere do, they do for the first generation
 * and then for the second, at any time.
 *
 * Properties
 *   1. At most one party completes a generation, and the turn goes on with that party's result.
 *   2. No wake-up is lost: the turn goes on, twice, and every run ends.
 *   3. Nobody but the turn's CPU touches the turn when it may have gone on, ended, or begun
 *      another wait: each access from outside asserts that it still is where it was.
 *
 * Bounds: generations follow each other in the same words, so the second shows all that is left of
 * the first. Two rivals elsewhere and two at home are one of every kind; a further one fails in the
 * same swap. The list of woken turns has one place, for there is one turn; `asked` is in
 * mailbox.pml.
 *
 * Bugs
 *   BUG_WAKE_PLAIN     a waker elsewhere loads and stores turn.state
 *   BUG_PARK_PLAIN     the parker does
 *   BUG_WAKE_RELAXED   a waker elsewhere swaps RELAXED: the turn may miss the result
 *   BUG_WAKE_TOUCH     a waker elsewhere puts the turn on the list though it was not parked
 *   BUG_CLAIM_PLAIN    wait.state is loaded and stored by who completes
 *   BUG_NO_GENERATION  who completes does not look at the generation */
#define CPUS 3
#define DEPTH 3
#define STATE 0  /* wait.state: generation * 4 + enum wait_state */
#define RESULT 1 /* wait.result: who completed it */
#define TURN 2   /* turn.state */
#define WOKEN 3  /* actor.woken: 1 when the turn is on it */
#define ASKED 4  /* the bit ASK_WOKEN, and the list with it */
#define WORDS 5
#include "tso.pml"

#define FREE 0
#define OPEN 1
#define FILLING 2
#define DONE 3
#define WAIT(generation, state) ((generation) * 4 + (state))

#define RUNS 0
#define PARKED 1
#define IS_WOKEN 2

/* Who completes: the CPU for those elsewhere. */
#define BY_EXPIRY 3
#define BY_KILL 4

#ifdef BUG_WAKE_RELAXED
#define WAKE_ORDER RELAXED
#else
#define WAKE_ORDER ACQ_REL
#endif

byte told;      /* the generation that the parties elsewhere have been told of, 0: none */
byte completed; /* who completed this generation, 0: nobody */
byte round;     /* of the turn: 1, 2; 3: it has ended */
bit waits;      /* the turn's round is not over: it has not been resumed */
bit ready;      /* actor.ready, under the lock */
bit expiry, kill;

/* wait_claim; `x` is not 0 when it went well */
inline wait_claim(me, generation, x) {
#ifdef BUG_CLAIM_PLAIN
    load(me, STATE, x, ACQUIRE);
    if
    :: x == WAIT(generation, OPEN) ->
        store(me, STATE, WAIT(generation, FILLING), RELEASE);
        x = 1
    :: else -> x = 0
    fi
#elif defined(BUG_NO_GENERATION)
    d_step {
        RMW(me, STATE, ACQ_REL) ->
        if
        :: mem[STATE] % 4 == OPEN -> mem[STATE] = mem[STATE] + FILLING - OPEN; x = 1
        :: else -> x = 0
        fi
    }
#else
    cas(me, STATE, WAIT(generation, OPEN), WAIT(generation, FILLING), x, ACQ_REL);
    x = (x == WAIT(generation, OPEN) -> 1 : 0)
#endif
}

/* What the winner writes, and wait_filled. */
inline wait_fill(me, generation, who) {
    d_step { assert(completed == 0 && round == generation && waits); completed = who }
    store(me, RESULT, who, RELAXED);
    store(me, STATE, WAIT(generation, DONE), RELEASE)
}

/* The turn is in the wait that its waker has completed. */
inline touch(generation) {
    assert(round == generation && waits)
}

/* turn.c; then sched_ask, which touches the actor only. */
inline wake_away(me, generation, x) {
#ifdef BUG_WAKE_PLAIN
    d_step { load(me, TURN, x, ACQUIRE); touch(generation) }
    store(me, TURN, IS_WOKEN, RELEASE);
#else
    d_step { RMW(me, TURN, WAKE_ORDER) -> x = mem[TURN]; mem[TURN] = IS_WOKEN; touch(generation) }
#endif
    if
#ifndef BUG_WAKE_TOUCH
    :: x != PARKED
#endif
    :: else ->
        touch(generation); /* turn->link */
        d_step { RMW(me, WOKEN, RELEASE) -> mem[WOKEN] = 1 }
        d_step { RMW(me, ASKED, ACQ_REL) -> mem[ASKED] = 1 }
    fi
}

/* CPU 1 and CPU 2. */
inline complete(me, generation) {
    told >= generation;
    wait_claim(me, generation, x);
    if
    :: x != 0 ->
        wait_fill(me, generation, me);
        wake_away(me, generation, x)
    :: else
    fi;
    x = 0
}

active [2] proctype elsewhere()
{
    byte x;
    complete(_pid - CPUS + 1, 1);
    complete(_pid - CPUS + 1, 2)
}

/* expire, cancel_native: by the turn's own CPU, which is not parking it at that moment. */
inline complete_here(who, generation) {
    wait_claim(0, generation, x);
    if
    :: x != 0 ->
        wait_fill(0, generation, who);
        /* wake_here */
        load(0, TURN, x, RELAXED);
        store(0, TURN, IS_WOKEN, RELAXED);
        if
        :: x == PARKED -> assert(!ready); ready = 1
        :: else
        fi
    :: else
    fi
}

/* turn_park */
inline turn_park() {
#ifdef BUG_PARK_PLAIN
    load(0, TURN, x, ACQUIRE);
    if
    :: x == RUNS -> store(0, TURN, PARKED, RELEASE)
    :: else
    fi;
#else
    cas(0, TURN, RUNS, PARKED, x, ACQ_REL);
#endif
    if
    :: x == RUNS
    :: else -> assert(x == IS_WOKEN && !ready); ready = 1
    fi
}

/* The loop of CPU 0 until the turn is ready. */
inline run_others(generation) {
    do
    :: ready -> ready = 0; break
    :: !ready && FINDS(0, ASKED, 1) ->
        d_step { RMW(0, ASKED, ACQ_REL) -> mem[ASKED] = 0 } /* answer_asked */
        swap(0, WOKEN, 0, x, ACQUIRE);                        /* take_woken */
        if
        :: x != 0 -> assert(!ready); ready = 1
        :: else
        fi
    :: !ready && !expiry -> expiry = 1; complete_here(BY_EXPIRY, generation)
    :: !ready && !kill -> kill = 1; complete_here(BY_KILL, generation)
    od
}

active proctype turn()
{
    byte x;
    do
    :: round < 2 ->
        d_step { round++; waits = 1 }
        /* wait_open; wait->turn and what the winner reads are carried as RESULT is */
        store(0, RESULT, 0, RELAXED);
        store(0, STATE, WAIT(round, OPEN), RELEASE);
        /* The message is sent: its push is a read-modify-write with RELEASE. */
        d_step { buffer[0].n == 0 -> told = round }
        /* turn_was_woken */
        load(0, TURN, x, ACQUIRE);
        if
        :: x == IS_WOKEN
        :: else ->
            turn_park();
            run_others(round);
            load(0, TURN, x, RELAXED);
            assert(x == IS_WOKEN) /* resume */
        fi;
        store(0, TURN, RUNS, RELAXED);
        d_step { x = 0; waits = 0 }
        load(0, RESULT, x, RELAXED);
        assert(completed != 0 && x == completed);
        load(0, STATE, x, RELAXED);
        assert(x == WAIT(round, DONE));
        completed = 0;
        /* wait_close */
        store(0, STATE, WAIT(round + 1, FREE), RELEASE)
    :: else -> break
    od;
    round = 3
}
