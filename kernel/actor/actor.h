/* actor.h: actors, instances, turns and waits: the state that scheduler and IPC work on.
 *
 * An actor is an identity: mailbox, capability space, account, priority. It points to an instance,
 * the code and state that can be replaced, whose domain knows how to run it. A handler runs in a
 * turn; one turn of an actor exists at a time, and it runs or waits.
 *
 * Where an actor stands with the scheduler (`run`):
 *
 *   IDLE ----push of a cell, wake of a turn (sched_wake), or claimed by a caller on its own CPU
 *     |                                                     (actor_claim: IDLE -> RUNNING)
 *   QUEUED --taken from a run queue (sched)--> RUNNING
 *   RUNNING --nothing to do, room for a turn (actor_release)--> IDLE
 *   RUNNING --every turn waits (actor_release)--> WAITING --wake of a turn--> QUEUED
 *   RUNNING --more to do (actor_release)--> QUEUED
 *   RUNNING --dead (actor_reap)--> GONE --push of a cell that came too late (sched_wake), a ref is
 *                      held meanwhile--> QUEUED --mailbox emptied (sched_run_dead)--> GONE
 *
 * Only who holds RUNNING, or has taken a dead actor from a run queue, pops the mailbox, touches the
 * owner's fields or runs a turn.
 *
 * How an actor lives (`life`): CREATED --actor_ready--> READY --actor_fail--> FAILED
 * --actor_ready--> READY; any --actor_kill--> DYING --cleaned up in its own RUNNING state
 * (sched)--> DEAD.
 *
 * Invariants
 *   1. A cell that is in the mailbox, or a turn that is woken, implies run is QUEUED or RUNNING, or
 *      that a CPU is on its way to make it so; or, for a cell, that run is WAITING.
 *   2. A wait is completed by exactly one party: reply, expiry, kill or grant race with one
 *      compare-and-swap on wait.state, and the winner wakes the turn. Nobody else touches it after.
 *   3. The winner's last access to the turn is the swap of turn.state to WOKEN, unless the turn was
 *      already parked; then it is the push to the actor's woken list. */
#ifndef KERNEL_ACTOR_ACTOR_H
#define KERNEL_ACTOR_ACTOR_H

#include <stdbool.h>
#include <tenon/component.h>

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
struct turn;

/* Something that happens at a time, on the CPU whose wheel it was put in. */
struct event {
    struct wheel_timer timer;
    /* Runs under that CPU's wheel lock, on it: wakes or pushes, nothing else. */
    void (*fire)(struct cpu *cpu, struct event *event);
    struct cpu *cpu; /* in whose wheel it is or was; NULL: never armed */
};

/* Methods of interface 0: the kernel's own calls on an actor, which no component can send. */
enum {
    LIFE_LOAD = TN_METHOD(0, 1),  /* arguments: the component's configuration */
    LIFE_START = TN_METHOD(0, 2), /* its turn makes a CREATED actor READY as it begins */
    LIFE_STOP = TN_METHOD(0, 3),
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
    enum turn_end (*resume)(struct cpu *cpu, struct turn *turn); /* not on_fiber only */
    /* not on_fiber only: where the one turn of this instance is kept. */
    struct turn *(*turn_room)(struct instance *instance);
    /* not on_fiber only: drop the continuation of a waiting turn whose actor is killed. */
    void (*abandon)(struct cpu *cpu, struct turn *turn);
    /* Frees the instance; no turn of it exists. */
    void (*destroy)(struct instance *instance);
};

struct instance {
    const struct domain *domain;
    struct actor *actor;
};

enum { TURN_SMALL = 64 };

enum turn_state { TURN_RUNS, TURN_PARKED, TURN_WOKEN };

struct turn {
    struct tn_turn info; /* what the handler sees */
    struct actor *actor;
    struct cell *cell; /* the message, until the turn ends; NULL for a call on the caller's stack */
    struct block *block; /* long arguments, until the turn ends */
    struct tn_pack in;   /* data points into cell, block or `small` */
    /* The call to answer: who waits, and which of its waits. NULL: oneway, answered or deferred. */
    struct actor *caller;
    uint64_t generation;
    bool caller_ref;  /* `caller` is held by a ref */
    bool deferred;    /* the answer is a reply capability's now */
    bool cancelled;   /* the actor is being killed: every wait fails with TN_ECANCELLED */
    uint16_t depth;   /* of calls */
    atomic_u32 state; /* enum turn_state */
    struct turn *woken_link;
    struct fiber *fiber; /* that it runs or waits on; NULL when its continuation is data */
    struct wait *wait;   /* of the actor, while it waits */
    void *local;         /* the domain's own, from its `run` on */
    _Alignas(16) uint8_t small[TURN_SMALL]; /* short arguments of a call that runs at once */
};

enum wait_state {
    WAIT_FREE,    /* no wait: the generation is what the next one will have */
    WAIT_OPEN,    /* reply, expiry, kill or grant may complete it */
    WAIT_FILLING, /* a replier has won and copies */
    WAIT_DONE,    /* result is there; the turn is woken */
};
enum { WAIT_STATE_BITS = 2, WAIT_STATE_MASK = 3 };

/* Turns that wait for something that an object hands out, first come, first served. */
struct wait_queue {
    struct spinlock lock;
    atomic_u32 length; /* a look without the lock tells whether anybody waits */
    struct list waits;
};

/* One wait of an actor's turn: a call, a full mailbox or a notification. Lives with the actor, so a
 * late replier that holds (actor, generation) never touches foreign memory. */
struct wait {
    atomic_u64 state; /* generation << 2 | enum wait_state */
    struct turn *turn;
    tn_err result;
    struct event expiry;
    bool expires; /* expiry was armed; of the owner */
    uint64_t expiry_generation;
    /* In a queue of waiters: */
    struct wait_queue *queue; /* NULL: in none */
    struct list link;         /* under the queue's lock */
    uint64_t queue_generation;
    uint64_t bits;           /* notification: what was taken */
    struct actor *credit_of; /* full mailbox: whose credit is waited for; holds a ref */
    bool credit_held;
    struct object *held; /* any other object whose queue it is in; a ref */
    /* A call: */
    atomic_of(struct actor *) callee; /* for the search of circles (wait_callee) */
    bool callee_ref;
    void *room;           /* for the reply, of the caller's memory */
    atomic_u32 room_size; /* read by the callee at any time, see turn_room_size */
    uint32_t room_caps;   /* capabilities that the reply may bring */
    uint32_t len;         /* of the reply, also when it did not fit */
    uint32_t ncaps;
    tn_cap caps[TN_PACK_CAPS];
};

enum actor_run { ACTOR_IDLE, ACTOR_QUEUED, ACTOR_RUNNING, ACTOR_WAITING, ACTOR_GONE };
enum actor_life {
    ACTOR_CREATED, /* takes calls of interface 0 only */
    ACTOR_READY,
    ACTOR_FAILED, /* answers TN_EGONE until it is replaced or killed */
    ACTOR_DYING,
    ACTOR_DEAD,
};

struct actor_stats {
    uint64_t cpu_time_ns;        /* sampled, or exact where asked */
    uint64_t messages_processed; /* turns that were not calls */
    uint64_t calls_answered;
    uint64_t calls_made;
    uint64_t messages_sent;
    uint64_t fuel_used;
    uint64_t errors_encountered;
};

struct actor {
    struct object object;
    struct instance *instance; /* RUNNING only */
    /* read by every sender */
    atomic_u32 run;  /* enum actor_run */
    atomic_u32 life; /* enum actor_life */
    struct mbox mbox;
    atomic_of(struct turn *) woken; /* turns to go on with, newest first */
    struct cpu *home;               /* the CPU whose queue it uses */
    struct actor *queue_link;       /* in a run queue, or among a CPU's remote wakes */
    uint8_t priority;
    uint8_t turns; /* that exist, at most 1 for now: RUNNING only */
    bool exact_time;
    uint32_t mailbox_capacity;
    /* of the owner (RUNNING) */
    struct untyped *memory;        /* what it was given; holds a ref */
    struct space *space;           /* holds a ref */
    struct cell_pool *pool;        /* made at the first send */
    atomic_of(struct wait *) wait; /* made at the first wait; others look for circles there */
    struct turn *waiting;          /* the turn that waits */
    struct wait_queue senders;     /* that wait for a credit of the mailbox */
    struct actor_stats stats;
    const char *name;    /* for people; owned by whoever made the actor, outlives it */
    tn_time deadline_ns; /* longest a turn may take, from its start; 0: none */
};

struct actor_config {
    const char *name;
    struct untyped *memory; /* the actor and what it makes the kernel hold is charged here */
    struct space *space;
    uint32_t mailbox; /* messages, 1 to TN_MAILBOX_MAX */
    uint8_t priority; /* < TN_PRIORITIES */
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
/* Gives it its code; before it is READY, or in a turn of its own. */
void actor_set_instance(struct actor *actor, struct instance *instance);

/* CREATED or FAILED -> READY; false in another life. Any. */
bool actor_ready(struct actor *actor);
/* READY -> FAILED; false in another life. In a turn of its own. */
bool actor_fail(struct actor *actor);
static inline enum actor_life actor_life(struct actor *actor)
{
    return (enum actor_life)at_load(&actor->life, SEQ_CST);
}

/* The wait of an actor that has waited before, else NULL. By its runner, or by whoever got its
 * generation from it. */
static inline struct wait *wait_of(struct actor *actor)
{
    return at_load(&actor->wait, RELAXED); /* it never changes once it is there */
}

/* The wait of this actor, made at first use and charged to it; NULL: no memory. RUNNING only. */
struct wait *actor_wait(struct actor *actor);
/* Opens it for `turn`; returns the generation. */
uint64_t wait_open(struct wait *wait, struct turn *turn);
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
void wait_queue_init(struct wait_queue *queue, enum lock_rank rank);
/* Puts an open wait into a queue, which outlives the wait, or takes it out again if it is still
 * there. Under the queue's lock. */
void wait_enqueue(struct wait *wait, struct wait_queue *queue);
void wait_unqueue(struct wait *wait);
/* Takes the wait out of the queue that it is in, if any. Takes the lock. */
void wait_dequeue(struct wait *wait);
/* The oldest wait of a queue, claimed (WAIT_FILLING) for the caller; NULL when nobody waits. Under
 * the queue's lock. */
struct wait *wait_queue_claim(struct wait_queue *queue);
/* Says for whom the actor's open wait is. SEQ_CST: seen by all searches that begin after it.
 * RELEASE is enough for a callee that runs at once: it waits for nobody, and what it waits for
 * later it says after this. */
void wait_set_callee(struct wait *wait, struct actor *callee, int order);
/* For whose answer `actor` waits at this moment; NULL: for nobody's. Any CPU; the pointer is good
 * until the turn waits or ends. */
struct actor *actor_waits_for(struct actor *actor);
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
