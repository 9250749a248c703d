/* swap.pml: the instance of an actor is replaced while it lives.
 *
 * Mirrors kernel/sched/swap.c (swap_post, swap_run, swap_late, begin_save, begin_restore, commit,
 * roll_back, swap_over, swap_free, swap_abandon), kernel/ipc/swap.c (ask), sched.c (run_actor),
 * kernel.c (actor_kill, actor_reap), sched_int.h (actor_has_work) and queue.c (event_arm,
 * event_cancel, sched_fire, sched_ask, answer_asked). The actor lives on CPU 0. CPU 1 asks for two
 * swaps, one after the other, each with a deadline that may pass at any time: `late` is its wheel.
 * CPU 2 sends messages, wakes a turn that waits, or never, and kills the actor, or does not. Each
 * save and each restore may fail.
 *
 * What is done with the lock of a CPU is one step here (cpu_lock.pml), and stores are in memory at
 * once: what may be late is shown by wait.pml for the wait and its turn, by mailbox.pml and
 * steal.pml for `asked`. What an instance knows is how many messages have been taken: a save writes
 * it down, a restore reads it.
 *
 * Properties
 *   1. A message is taken by one instance, which is there, and which knows of all that were taken
 *      before, by whichever instance.
 *   2. Who asked is told once, and TN_OK just when the fresh instance has taken the place of the
 *      old one for good.
 *   3. When all is quiet no swap is left, one instance is there, or none of a dead actor, and every
 *      message was taken, or dropped by a dead actor.
 *   4. Nobody touches a swap that is freed.
 *
 * Bounds: the second swap finds the first one under way, rolled back, committed, or the actor dead.
 * The actor has room for two turns, of which one waits, so messages that others could take queue
 * for the swap's sake alone. A pause keeps turns from beginning as the swap itself does; that those
 * of the swap go on nevertheless is for the tests.
 *
 * Bugs
 *   BUG_COMMIT_UNCLAIMED  a commit does not race for the wait of who asked
 *   BUG_SAVE_EARLY        save begins though a turn waits
 *   BUG_ROOM              messages are taken while the swap is under way
 *   BUG_STAYS             who rolls back leaves the fresh instance in place
 *   BUG_LATE_UNASKED      the actor is not asked to look at a swap that is late
 *   BUG_FREE_ARMED        a swap is freed with its deadline in the wheel
 *   BUG_POST_UNCHECKED    a swap is posted without a look at the actor's life
 *   BUG_NO_ABANDON        an actor dies with its swap */
#define FREE 0
#define OPEN 1
#define FILLING 2
#define DONE 3
#define WAIT(round, state) ((round) * 4 + (state))

#define READY 0
#define DYING 1
#define DEAD 2

#define DRAINS 0
#define SAVES 1
#define RESTORES 2

#define OK 1
#define FAILED 2
#define LATE 3
#define GONE 4

#define ROUNDS 2
#define MESSAGES 2
#define CONCURRENCY 2

byte wait_word;   /* of the wait of who asks: round * 4 + enum wait_state */
byte wait_result; /* OK, FAILED, LATE or GONE */
byte life;        /* of the actor */
bit asked;        /* the actor is, and on the list of its home */
byte pushed;      /* messages that the home has not collected */

/* Under the lock of CPU 0, or of who runs the actor. The first instance is 0, the fresh one of a
 * round has its number. */
byte swap_of; /* actor.swap: the round; 0: none */
byte state, other, saved, result;
bit cancels;
byte in_place;
byte mail, turns;
bit parked, told, ready; /* the turn that waits; it knows that it is to end; it was woken */
bit queued;              /* run: the actor is QUEUED */

bit armed[ROUNDS + 1]; /* under the lock of CPU 1 */

/* As it really is. */
bit lives[ROUNDS + 1]; /* the instance has not been destroyed */
byte knows[ROUNDS + 1];
bit is_swap[ROUNDS + 1]; /* its memory is a swap's */
bit committed[ROUNDS + 1], said_ok[ROUNDS + 1];
byte begun, taken, dropped;

#define IS_WANTED (wait_word == WAIT(swap_of, OPEN))

#ifdef BUG_ROOM
#define HAS_ROOM (turns < CONCURRENCY)
#else
#define HAS_ROOM (swap_of == 0 && turns < CONCURRENCY)
#endif

#ifdef BUG_SAVE_EARLY
#define DRAINED true
#else
#define DRAINED (turns == 0)
#endif

/* swap_has_work */
#define MAY_GO_ON \
    (swap_of != 0 && (DRAINED || (state == DRAINS && (!IS_WANTED || (cancels && parked && !told)))))

/* A part of a step: wait_claim; `x` is 1 when it went well. */
inline claim(round) {
    if
    :: wait_word == WAIT(round, OPEN) -> wait_word = WAIT(round, FILLING); x = 1
    :: else -> x = 0
    fi
}

/* The same: swap_tell, and the wake-up. */
inline tell(round, how) {
    wait_result = how;
    wait_word = WAIT(round, DONE)
}

/* event_cancel, and the memory */
inline swap_free(round) {
    d_step {
#ifndef BUG_FREE_ARMED
        armed[round] = 0;
#endif
        assert(is_swap[round] == 1);
        is_swap[round] = 0
    }
}

/* CPU 0: the actor's home. */

/* A part of a step: sched_ready, actor_release: whether there is something to do. */
inline actor_rest() {
    queued = (life == DYING ||
              (life == READY && (ready || (HAS_ROOM && mail > 0) || MAY_GO_ON)))
}

/* A handler runs in the instance that is in place. Outside. */
inline take_message() {
    d_step {
        assert(lives[in_place] && knows[in_place] == taken);
        taken++;
        knows[in_place]++
    }
}

/* A message has its turn; the first one waits in it. */
inline run_turn() {
    if
    :: begun == 1 -> parked = 1 /* it has not waited before */
    :: else ->
        take_message();
        turns--
    fi
}

/* swap_over: `x` says whether the wait is claimed. */
inline swap_over(how) {
    d_step { assert(lives[other] && other != in_place); lives[other] = 0 }
    d_step { round = swap_of; swap_of = 0 }
    d_step {
        if
        :: x == 1 -> tell(round, how)
        :: else
        fi;
        x = 0
    }
    swap_free(round);
    round = 0
}

inline exchange() {
    x = in_place;
    in_place = other;
    other = x;
    x = 0
}

inline roll_back(how) {
    d_step {
        if
#ifndef BUG_STAYS
        :: state == RESTORES -> exchange()
#endif
        :: else
        fi
    }
    d_step { claim(swap_of) }
    swap_over(how)
}

inline commit() {
    d_step { assert(in_place == swap_of); committed[swap_of] = 1 }
    swap_over(OK)
}

/* The swap's own turns, of which each may fail. */
inline save() {
    if
    :: d_step { saved = knows[in_place]; result = OK }
    :: result = FAILED
    fi;
    turns--
}

inline restore() {
    if
    :: d_step { knows[in_place] = saved; result = OK }
    :: result = FAILED
    fi;
    turns--
}

/* Turns end as they find that they are told to; what they had taken counts as dropped. */
inline actor_reap() {
#ifndef BUG_NO_ABANDON
    if
    :: swap_of != 0 -> d_step { claim(swap_of) } swap_over(GONE)
    :: else
    fi;
#endif
    d_step { assert(lives[in_place]); lives[in_place] = 0; life = DEAD }
}

#define MAIL_TURN (queued && life == READY && !ready && HAS_ROOM && mail > 0)
#define SWAP_TURN (queued && life == READY && !ready && !(HAS_ROOM && mail > 0) && MAY_GO_ON)

active proctype home()
{
    byte x, round;
    lives[0] = 1;
end:
    do
    :: d_step {
            asked ->
            asked = 0; /* answer_asked */
            mail = mail + pushed;
            pushed = 0;
            if
            :: life == DEAD -> dropped = dropped + mail; mail = 0
            :: life != DEAD && !queued -> actor_rest()
            :: else
            fi
        }
    :: d_step { /* actor_reap begins */
            queued && life == DYING ->
            turns = turns - parked - ready;
            dropped = dropped + parked + ready + mail;
            parked = 0;
            ready = 0;
            mail = 0;
            assert(turns == 0)
        }
        actor_reap();
        d_step { actor_rest() }
    :: d_step { queued && life == READY && ready -> ready = 0 } /* resume */
        take_message();
        d_step { turns--; actor_rest() }
    :: d_step { MAIL_TURN -> mail--; turns++; begun++ } /* cell_begin */
        run_turn();
        d_step { actor_rest() }
    :: d_step {
            SWAP_TURN && state == RESTORES ->
#ifdef BUG_COMMIT_UNCLAIMED
            x = (result == OK)
#else
            if
            :: result == OK -> claim(swap_of)
            :: else
            fi
#endif
        }
        if
        :: x == 1 -> commit()
        :: else -> roll_back(FAILED)
        fi;
        d_step { actor_rest() }
    :: SWAP_TURN && state != RESTORES && !IS_WANTED ->
        roll_back(LATE);
        d_step { actor_rest() }
    :: d_step {
            SWAP_TURN && state != RESTORES && IS_WANTED && !DRAINED ->
            assert(cancels && parked && !told); /* turns_cancel */
            told = 1;
            parked = 0;
            ready = 1;
            actor_rest()
        }
    :: SWAP_TURN && state == SAVES && IS_WANTED && result == FAILED ->
        roll_back(FAILED);
        d_step { actor_rest() }
    :: d_step {
            SWAP_TURN && state == SAVES && IS_WANTED && result == OK ->
            state = RESTORES; /* begin_restore */
            turns++;
            exchange()
        }
        restore();
        d_step { actor_rest() }
    :: d_step {
            SWAP_TURN && state == DRAINS && IS_WANTED && DRAINED ->
            state = SAVES; /* begin_save */
            turns++
        }
        save();
        d_step { actor_rest() }
    :: d_step { queued && life == READY && !ready && !MAIL_TURN && !MAY_GO_ON -> actor_rest() }
    od
}

/* CPU 1: who asks, and its wheel. */

active proctype asker()
{
    byte round;
    bit posts, cancels_next;
    do
    :: round < ROUNDS ->
        if
        :: cancels_next = 0
        :: cancels_next = 1
        fi;
        d_step { /* and event_arm */
            round++;
            wait_word = WAIT(round, OPEN);
            is_swap[round] = 1;
            lives[round] = 1;
            armed[round] = 1
        }
        d_step {
#ifdef BUG_POST_UNCHECKED
            posts = (swap_of == 0);
#else
            posts = (swap_of == 0 && life == READY);
#endif
            if
            :: posts ->
                asked = 1;
                swap_of = round;
                state = DRAINS;
                other = round;
                cancels = cancels_next
            :: else
            fi
        }
        if
        :: posts ->
            d_step { /* the turn waits */
                wait_word == WAIT(round, DONE) ->
                said_ok[round] = (wait_result == OK);
                assert(said_ok[round] == committed[round])
            }
        :: else -> /* TN_EBUSY, TN_EGONE: the fresh instance is its own */
            swap_free(round);
            lives[round] = 0
        fi;
        wait_word = WAIT(round + 1, FREE)
    :: else -> break
    od
}

/* swap_late */
inline fire(round) {
    d_step {
        armed[round] ->
        armed[round] = 0;
        assert(is_swap[round] == 1);
        claim(round);
        if
        :: x == 1 ->
            tell(round, LATE);
#ifndef BUG_LATE_UNASKED
            asked = 1;
#endif
            x = 0
        :: else
        fi
    }
}

active proctype wheel()
{
    bit x;
end:
    do
    :: fire(1)
    :: fire(2)
    od
}

/* CPU 2: each of these once, or not at all, but for the messages. */

active proctype others()
{
    byte sent;
    bit woke;
end:
    do
    :: d_step { sent < MESSAGES -> sent++; pushed++; asked = 1 }
    :: d_step { parked && !woke -> woke = 1; parked = 0; ready = 1; asked = 1 }
    :: parked && !woke -> woke = 1
    :: d_step { life == READY -> life = DYING; asked = 1 }
    :: sent == MESSAGES && life == READY -> break
    od
}

active proctype quiet()
{
    timeout;
    assert(swap_of == 0 && !armed[1] && !armed[2] && !is_swap[1] && !is_swap[2]);
    assert(said_ok[1] == committed[1] && said_ok[2] == committed[2]);
    assert(lives[0] + lives[1] + lives[2] == (life == READY -> 1 : 0));
    assert(life == DEAD || lives[in_place]);
    assert(taken + parked + dropped == MESSAGES && !asked)
}
