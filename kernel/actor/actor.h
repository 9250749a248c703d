/* actor.h: actors, instances, turns and waits: the state that scheduler and IPC work on.
 *
 * An actor is an identity: mailbox, capability space, account, priority. It points to an instance,
 * the code and state that can be replaced, whose domain knows how to run it. A handler runs in a
 * turn. One turn of an actor runs at a time; up to `concurrency` of them exist, for while one
 * waits another may begin.
 *
 * Every actor has a home, the CPU that it runs on. What is marked "home" below is read and changed
 * under the lock of that CPU only (sched/cpu.h), which the CPU itself takes with two plain
 * stores; the home changes under that lock too. Who wants something of an actor elsewhere sets a
 * bit in `asked`; whoever sets the first one puts the actor on its home's list of those that
 * asked.
 *
 * Where an actor stands with the scheduler (`run`; home):
 *
 *   IDLE --work came (sched_ready)--> QUEUED --taken from a run queue--> RUNNING
 *   IDLE --claimed by a caller on its own CPU (sched_may_run_call)--> RUNNING
 *   QUEUED --taken by a thief--> MOVING --in the thief's queue (work_steal)--> QUEUED
 *   RUNNING --actor_release--> QUEUED when it has work, else IDLE
 *   RUNNING --dead (actor_reap)--> GONE --a cell came too late, a ref is held meanwhile
 *                      (sched_ready)--> QUEUED --mailbox emptied (sched_run_dead)--> GONE
 *
 * A paused actor has no work but to die: its room for turns is 0, and turns that are woken wait.
 * One whose instance is being swapped (sched/swap.h) has no room either, but its turns go on.
 *
 * It has work when a turn of it is woken, or there is a message and room for a turn, or it is
 * dying. Only who made it RUNNING touches the owner's fields or runs a turn. It does not move while
 * it is RUNNING.
 *
 * How an actor lives (`life`): CREATED --actor_ready--> READY --actor_fail--> FAILED
 * --actor_ready--> READY; any --actor_kill--> DYING --cleaned up in its own RUNNING state
 * (actor_reap)--> DEAD.
 *
 * Invariants
 *   1. An IDLE actor has no work but what its home will be told of: if `pushed`, `woken` or a
 * change of `life` came without the lock, a bit of `asked` is set or about to be.
 *   2. `asked` is not 0 just while the actor is on one list of those that asked, or about to be put
 *      on one. The list holds no ref: the memory stays until the home has looked (actor_destroy).
 *   3. A wait is completed by exactly one party: reply, expiry, kill or grant race with one
 *      compare-and-swap on wait.state, and the winner wakes the turn. Nobody else touches it after.
 *   4. The winner's last access to the turn is the change of turn.state to WOKEN, unless the turn
 *      was parked already; then it is putting it on the actor's list of woken turns. */
#ifndef KERNEL_ACTOR_ACTOR_H
#define KERNEL_ACTOR_ACTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <tenon/component.h>

#include "base/bytes.h"
#include "kernel/actor/cell.h"
#include "kernel/cap/cap.h"
#include "kernel/mem/lock.h"
#include "kernel/mem/mem.h"
#include "kernel/mem/object.h"
#include "kernel/time/wheel.h"

struct actor;
struct cpu;
struct fiber;
struct instance;
struct swap;
struct turn;

/* Something that happens at a time, on the CPU whose wheel it was put in. */
struct event {
    struct wheel_timer timer;
    /* Runs inside that CPU (sched/cpu.h): wakes or posts, nothing else. */
    void (*fire)(struct cpu *cpu, struct event *event);
    atomic_of(struct cpu *) cpu; /* in whose wheel it is or was; NULL: in none */
};

/* Methods of interface 0: the kernel's own calls on an actor, which no component can send. */
enum {
    LIFE_LOAD = TN_METHOD(0, 1),  /* arguments: the component's configuration */
    LIFE_START = TN_METHOD(0, 2), /* its turn makes a CREATED actor READY as it begins */
    LIFE_STOP = TN_METHOD(0, 3),
    /* Of a swap, never sent (sched/swap.h): */
    LIFE_SAVE = TN_METHOD(0, 4),    /* to the old instance */
    LIFE_RESTORE = TN_METHOD(0, 5), /* to the new one: load, then restore or start */
};

enum turn_end {
    TURN_DONE,  /* the handler has returned */
    TURN_WAITS, /* its continuation is kept as data; turn_wake makes it go on */
};

/* How code of one domain runs. The turn's call, if it has one, is answered by `run` or `resume`
 * (turn_answer) before they return TURN_DONE, unless it was deferred. */
struct domain {
    const char *name;
    /* Turns that wait keep their stack: they run on a fiber and `run` always ends with TURN_DONE.
     */
    bool on_fiber;
    enum turn_end (*run)(struct cpu *cpu, struct turn *turn);
    /* on_fiber only: the same as `run` for the usual message (cell_is_plain), which needs no
     * answer. NULL: `run` does it. */
    void (*event)(struct instance *instance, struct turn *turn);
    enum turn_end (*resume)(struct cpu *cpu, struct turn *turn); /* not on_fiber only */
    /* not on_fiber only: where the one turn of this instance is kept. */
    struct turn *(*turn_room)(struct instance *instance);
    /* not on_fiber only: drop the continuation of a waiting turn whose actor is killed. */
    void (*abandon)(struct cpu *cpu, struct turn *turn);
    /* Frees the instance; no turn of it exists. */
    void (*destroy)(struct instance *instance);
    /* It begins without the state of the one before: what is marked in its actor's space goes, but
     * for what the component was given (space_clear_marked_but). NULL: nothing is known of that. */
    void (*forget)(struct instance *instance);
};

struct instance {
    const struct domain *domain;
    struct actor *actor;
};

enum { TURN_SMALL = 64 };

#define CPU_NONE UINT32_MAX /* a thread that is no CPU */

enum actor_ask {
    ASK_MAIL = 1,  /* look at mbox.pushed */
    ASK_WOKEN = 2, /* look at woken */
    ASK_LOOK = 4,  /* its life or priority has changed, or there is a credit for who waits */
};

enum turn_state { TURN_RUNS = 0, TURN_PARKED, TURN_WOKEN };

/* Why a turn that would wait is told at once that it cannot. */
enum turn_refuses {
    TURN_MAY_WAIT = 0,
    TURN_CANCELLED, /* its actor is being killed, or a swap does not wait for it: TN_ECANCELLED */
    TURN_AT_ONCE,   /* it runs what may not wait, save or restore: TN_EAGAIN */
};

struct turn {
    struct tn_turn info; /* what the handler sees */
    struct tn_pack in;   /* data points into cell, block or `small` */
    struct actor *actor;
    struct cell *cell; /* the message, until the turn ends; NULL for a call on the caller's stack */
    /* From here to `state` a turn begins with zeros (turn_begin). */
    struct block *block; /* long arguments, until the turn ends */
    /* The call to answer: who waits, and which time. NULL: oneway, answered or deferred. */
    struct wait *caller;
    struct wait *wait; /* that it has open, or had last and not released */
    uint16_t depth;    /* of calls */
    bool caller_ref;   /* the caller's actor is held by a ref */
    bool deferred;     /* the answer is a reply capability's now */
    uint8_t refuses;   /* enum turn_refuses */
    atomic_u32 state;  /* enum turn_state */
    /* to here */
    uint64_t generation;     /* of `caller` */
    struct fiber *fiber;     /* that it runs or waits on; NULL when its continuation is data */
    void *local;             /* the domain's own, from its `run` on */
    struct turn *link;       /* among the woken */
    struct turn *waits_link; /* among the actor's that wait; home */
    _Alignas(16) uint8_t small[TURN_SMALL]; /* short arguments of a call that runs at once */
};

/* What a turn that has no call to answer begins with; its message comes on top. */
static inline void turn_begin(struct turn *turn, struct actor *actor, struct cell *cell)
{
    enum { FROM = offsetof(struct turn, block), TO = offsetof(struct turn, generation) };
    turn->actor = actor;
    turn->cell = cell;
    at_init(&turn->state, TURN_RUNS);
    __builtin_memset((char *)turn + FROM, 0, TO - FROM); /* in place, freestanding or not */
}

enum wait_state {
    WAIT_FREE,    /* no wait: the generation is what the next one will have */
    WAIT_OPEN,    /* reply, expiry, kill or grant may complete it */
    WAIT_FILLING, /* a replier has won and copies */
    WAIT_DONE,    /* result is there; the turn is woken */
};
enum { WAIT_STATE_BITS = 2, WAIT_STATE_MASK = 3 };

/* Turns that wait for something that an object hands out, first come, first served. Whoever owns
 * the queue says under which lock. */
struct wait_queue {
    struct list waits;
};

/* One wait of an actor's turn: a call, a full mailbox or a notification. Lives with the actor, so a
 * late replier that holds (wait, generation) and a ref of the actor never touches foreign memory.
 */
struct wait {
    atomic_u64 state;    /* generation << 2 | enum wait_state */
    struct actor *actor; /* whose it is, always */
    struct wait *made;   /* the next that the actor has made; set before others see it */
    struct turn *turn;   /* NULL: nobody's, free to be taken by the actor's runner */
    tn_err result;
    bool expires; /* expiry was armed; of the owner */
    bool credit_held, callee_ref;
    bool applied; /* at `credit_of`, without its home's lock */
    struct event expiry;
    uint64_t expiry_generation;
    /* In a queue of waiters, under that queue's lock: */
    struct spinlock *queue_lock; /* NULL: in no queue, or in a mailbox's, under its home's lock */
    struct list link;
    struct wait *applied_link; /* among those that applied for a credit */
    uint64_t queue_generation;
    uint64_t bits;           /* notification: what was taken; revoke: its ticket */
    struct actor *credit_of; /* full mailbox: whose credit is waited for; holds a ref */
    struct object *held;     /* notification: in whose queue it is; holds a ref */
    /* A call: */
    atomic_of(struct actor *) callee; /* for the search of circles, with the next two: */
    atomic_of(struct wait *) upper; /* what the turn is to answer when it goes on; NULL: nothing */
    atomic_u64 upper_generation;
    atomic_u64 lending;   /* generation << 8 | 1 + the priority that it lends the callee, or 0 */
    void *room;           /* for the reply, of the caller's memory */
    atomic_u32 room_size; /* read by the callee at any time, see turn_room_size */
    uint32_t room_caps;   /* capabilities that the reply may bring: slots reserved in `caps` */
    uint32_t len;         /* of the reply, also when it did not fit; revoke: looks in vain */
    uint32_t ncaps;
    tn_cap caps[TN_PACK_CAPS];
};

enum actor_run { ACTOR_IDLE, ACTOR_QUEUED, ACTOR_RUNNING, ACTOR_MOVING, ACTOR_GONE };
enum actor_life {
    ACTOR_CREATED, /* takes calls of interface 0 only */
    ACTOR_READY,
    ACTOR_FAILED, /* answers TN_EGONE until it is replaced or killed */
    ACTOR_DYING,
    ACTOR_DEAD,
};

/* Why a message to an actor takes more than its domain's `event`. */
enum actor_odd {
    ODD_CODE = 1,  /* there is no such function */
    ODD_SWAP = 2,  /* its instance is being replaced */
    ODD_EXACT = 4, /* `exact_time` */
};

/* What an actor did. */
struct actor_account {
    uint64_t cpu_time_ns;        /* sampled, or exact where asked */
    uint64_t messages_processed; /* turns that were not calls */
    uint64_t calls_answered;
    uint64_t calls_made;
    uint64_t messages_sent;
    uint64_t fuel_used;
    uint32_t errors_encountered;
};

/* The same as it is counted (at_count): by the actor's runner; others look. */
struct actor_stats {
    atomic_u64 cpu_time_ns;
    atomic_u64 messages_processed;
    atomic_u64 calls_answered;
    atomic_u64 calls_made;
    atomic_u64 messages_sent;
    atomic_u64 fuel_used;
    atomic_u32 errors_encountered;
};

/* What the scheduler's policy remembers of who wakes an actor (sched/policy.h). */
struct actor_talk {
    uint8_t cpu, wakes;
};

/* By cache line (64 bytes, and so is its memory aligned): what all read and hardly anybody changes;
 * what others write; what its home works with. */
struct actor {
    struct object object;
    atomic_of(struct cpu *) home; /* changes under the old home's lock, while not RUNNING */
    atomic_u32 life;              /* enum actor_life */
    atomic_u32 kept; /* DEAD: its home still looks at it, see actor_destroy; its home's */
    /* any CPU */
    atomic_u32 asked;                 /* enum actor_ask */
    atomic_u32 talker;                /* the CPU that pushed last, or CPU_NONE */
    struct actor *asked_link;         /* on its home's list of those that asked */
    atomic_u64 lent;                  /* waits that lend it a priority: byte p counts those of p */
    atomic_of(struct turn *) woken;   /* parked turns that others woke, newest first */
    atomic_of(struct wait *) applied; /* waits for a credit, not in `senders` yet, newest first */
    atomic_of(struct wait *) waits;   /* all that were made; others look for circles there */
    struct mbox mbox;                 /* begins here; goes on in the home's */
    /* home */
    uint8_t run;         /* enum actor_run */
    uint8_t queued_at;   /* QUEUED: the priority of that queue */
    uint8_t priority;    /* its own, always the same */
    uint8_t turns;       /* that exist */
    uint8_t concurrency; /* that may */
    uint8_t room;        /* that may now: 0 while paused or swapped, else `concurrency` */
    uint8_t odd;         /* enum actor_odd */
    bool mail_next;      /* a message is to have its turn before the next woken one */
    bool paused : 1;     /* until it is resumed */
    bool held : 1;       /* paused, and no swap's turn: turns that are woken wait */
    struct actor_talk talk;
    bool pinned : 1;    /* stays where it is; as the next two, always the same: others read them */
    bool patient : 1;   /* lends its priority to nobody */
    bool exact_time;    /* its time is measured exactly */
    uint16_t cleared;   /* DYING: steps in which its space was cleared */
    struct turn *ready; /* woken turns to go on with, oldest first */
    struct turn *waiting;      /* turns that are parked */
    struct instance *instance; /* of the owner (RUNNING), as is all below but the two lists */
    struct cell_pool *pool;    /* made at the first send */
    struct list queue_link;    /* in a run queue */
    struct wait_queue senders; /* that wait for a credit of the mailbox */
    struct swap *swap;         /* its instance is being replaced; NULL: no */
    struct space *space;       /* holds a ref */
    tn_time deadline_ns;       /* longest a turn may take, from its start; 0: none */
    struct actor_stats stats;
    const char *name; /* for people; owned by whoever made the actor, outlives it */
};
_Static_assert(offsetof(struct actor, asked) == 64 && offsetof(struct actor, mbox.first) == 128,
               "what others write is one line, between what they read and what the home writes");

struct actor_config {
    const char *name;
    struct untyped *memory; /* the actor and what it makes the kernel hold is charged here */
    struct space *space;
    uint32_t mailbox;    /* messages, 1 to TN_MAILBOX_MAX */
    uint8_t priority;    /* < TN_PRIORITIES */
    uint8_t concurrency; /* turns, 1 to TN_TURNS_MAX; 0: 1 */
    bool pinned;         /* `home` is for good */
    bool patient;        /* lends its priority to nobody that it waits for */
    struct cpu *home;
    struct limbo *limbo;
    atomic_u32 *alive; /* counts those that are not dead */
    tn_time deadline_ns;
    bool exact_time;
};

/* Makes an actor in life CREATED without an instance. One ref is the caller's, one is dropped when
 * the actor is dead. TN_ENOMEM, TN_EINVAL. */
tn_err actor_make(const struct actor_config *config, struct actor **ret_actor);
struct object *actor_object(struct actor *actor);
struct actor *actor_of(struct object *object);
/* What it did until now; of one that runs meanwhile, each figure for itself. Any CPU. */
struct actor_account actor_account(struct actor *actor);
/* Gives it its code, or NULL; before it is READY, or by its runner. */
void actor_set_instance(struct actor *actor, struct instance *instance);
/* What of actor_odd has come, or gone. By whoever may touch it. */
static inline void actor_set_odd(struct actor *actor, enum actor_odd bit, bool is)
{
    actor->odd = (uint8_t)(is ? actor->odd | bit : actor->odd & ~bit);
}

/* CREATED or FAILED -> READY; false in another life. Any. */
bool actor_ready(struct actor *actor);
/* READY -> FAILED; false in another life. In a turn of its own. */
bool actor_fail(struct actor *actor);
static inline enum actor_life actor_life(struct actor *actor)
{
    return (enum actor_life)at_load(&actor->life, SEQ_CST);
}

/* The memory that the actor and what it makes the kernel hold is charged to. */
static inline struct untyped *actor_memory(struct actor *actor)
{
    return actor->object.home; /* what is made of an untyped keeps it */
}

/* A wait of this actor that no turn uses, made if there is none and charged to it, open for `turn`
 * from now on and its turn->wait; NULL: no memory. RUNNING only. */
struct wait *wait_find(struct actor *actor);
static inline struct wait *wait_open(struct turn *turn)
{
    struct actor *actor = turn->actor;
    struct wait *wait = at_load(&actor->waits, RELAXED); /* only the runner adds to them */
    if (__builtin_expect(wait == NULL || wait->turn != NULL, 0)) {
        wait = wait_find(actor);
        if (wait == NULL)
            return NULL;
    }
    uint64_t state = at_load(&wait->state, RELAXED);
    ASSERT((state & WAIT_STATE_MASK) == WAIT_FREE && turn->wait == NULL);
    wait->turn = turn;
    wait->result = TN_OK;
    wait->len = 0;
    wait->ncaps = 0;
    wait->room_caps = 0;
    turn->wait = wait;
    at_store(&wait->lending, state >> WAIT_STATE_BITS << 8, RELAXED);
    /* RELEASE: whoever claims it sees the fields. */
    at_store(&wait->state, state | WAIT_OPEN, RELEASE);
    return wait;
}
static inline uint64_t wait_generation(struct wait *wait)
{
    return at_load(&wait->state, RELAXED) >> WAIT_STATE_BITS;
}

/* Tries to be the one that completes: true at most once for each generation. */
static inline bool wait_claim(struct wait *wait, uint64_t generation, enum wait_state to)
{
    uint64_t expected = generation << WAIT_STATE_BITS | WAIT_OPEN;
    /* ACQUIRE pairs with the RELEASE of wait_open. */
    return at_cas(&wait->state, &expected, generation << WAIT_STATE_BITS | to, ACQ_REL, RELAXED);
}

static inline void wait_queue_init(struct wait_queue *queue)
{
    list_init(&queue->waits);
}

static inline bool wait_queue_empty(struct wait_queue *queue)
{
    return list_empty(&queue->waits);
}

/* Asks for a credit of an actor that lives elsewhere: its home finds the open wait with
 * actor_take_applied. The caller tells it to look. Any CPU. */
void actor_apply(struct actor *actor, struct wait *wait);
/* Puts those that applied into the queue of senders. Inside its home. */
void actor_take_applied(struct actor *actor);

/* Puts an open wait into a queue, which outlives the wait, or takes it out again if it is still
 * there. Under the queue's lock. */
void wait_enqueue(struct wait *wait, struct wait_queue *queue);
void wait_dequeue(struct wait *wait);
/* The oldest wait of a queue, claimed (WAIT_FILLING) for the caller; NULL when nobody waits. Under
 * the queue's lock. */
struct wait *wait_queue_claim(struct wait_queue *queue);
/* The priority that the actor is to be run at: its own, or a more urgent one that somebody who
 * waits for it lends. Any CPU. */
static inline uint32_t actor_priority(struct actor *actor)
{
    /* RELAXED: who raises it asks the home to look again. */
    uint64_t lent = at_load(&actor->lent, RELAXED);
    if (__builtin_expect(lent == 0, 1))
        return actor->priority;
    uint32_t most = (uint32_t)__builtin_ctzll(lent) / 8;
    return most < actor->priority ? most : actor->priority;
}
/* The open wait of a call lends its callee `priority` if that is more urgent than what it lends
 * already; true when it does now. TN_LENDERS_MAX lenders of one priority are as good as more. Any
 * CPU. */
bool wait_lend(struct wait *wait, uint64_t generation, struct actor *callee, uint32_t priority);
/* Takes back what the wait lends, before its generation ends. */
void wait_lend_end(struct wait *wait, struct actor *callee);

/* Says for whom the actor's open wait is, and which wait its turn is to answer. SEQ_CST: seen by
 * all searches that begin after it. RELEASE is enough for a callee that runs at once: it waits for
 * nobody, and what it waits for later it says after this. */
void wait_set_callee(struct wait *wait, struct actor *callee, int order);
/* For whom that wait waits at this moment; NULL: for nobody. Any CPU; the pointer is good until the
 * turn waits or ends. */
struct actor *wait_callee(struct wait *wait);
/* A call that the actor waits for, if any: its wait, generation and callee. Any CPU. */
struct wait *wait_of_call(struct actor *actor, uint64_t *ret_generation, struct actor **ret_callee);
/* Whether the turn of this wait, the caller's own, which has said for whom it is, waits for itself:
 * whom it waits for, directly or through others, cannot go on before it does. A call that is being
 * answered waits for the turn that answers it; another, and one that wants a credit, for a turn of
 * the callee to begin; a swap for all that there are to end. Any CPU; false too when that cannot be
 * told in a bounded search. */
enum wait_need { NEEDS_A_TURN, NEEDS_NO_TURN };
bool wait_comes_round(struct wait *wait, enum wait_need need);
/* After the turn has gone on: back to FREE. The result stays readable. */
static inline void wait_close(struct wait *wait)
{
    uint64_t generation = at_load(&wait->state, RELAXED) >> WAIT_STATE_BITS;
    at_store(&wait->state, (generation + 1) << WAIT_STATE_BITS | WAIT_FREE, RELEASE);
}
/* FILLING -> DONE. */
static inline void wait_filled(struct wait *wait, uint64_t generation)
{
    at_store(&wait->state, generation << WAIT_STATE_BITS | WAIT_DONE, RELEASE);
}
/* Nobody has completed that wait yet. Any. */
static inline bool wait_is_open(struct wait *wait, uint64_t generation)
{
    return at_load(&wait->state, ACQUIRE) == (generation << WAIT_STATE_BITS | WAIT_OPEN);
}

#endif
