/* cpu.h: CPUs, fibers and the scheduler's loop.
 *
 * Every CPU runs a loop on a fiber: take the most urgent queued actor, run a batch of its turns,
 * pass a turn boundary, look at timers and at what other CPUs sent. A native handler runs directly
 * on the loop's fiber. Only if it waits is that fiber left as it stands, the loop goes on on a
 * fresh one, and the fiber that waited becomes the loop when its turn is resumed: a turn that does
 * not wait costs no switch at all. Code after a wait must fetch the CPU again, it may be another
 * one.
 *
 * The lock of a CPU. Run queues, timers and all that is marked "home" in the actors that live on a
 * CPU are under that CPU's lock. It is biased: the CPU itself takes it with two plain stores
 * (cpu_enter, cpu_leave) and holds it for a moment at a time, never while component code runs.
 * Anybody else (cpu_seize) says that he wants it, makes every CPU pass a barrier (machine_barrier,
 * some microseconds) and waits until the owner is out; the owner that finds it wanted steps back.
 * So a thief, a killer or a sender that waits for room pays, and who minds his own business does
 * not. (Dice, Huang and Yang, "Asymmetric Dekker Synchronization", 2001; Kawachiya, Koseki and
 * Onodera, "Lock reservation", OOPSLA 2002.) Who holds one CPU's lock takes no other's.
 *
 * An actor is asked (sched_ask) by whoever is not inside its home: a bit in the actor, and by the
 * first who sets one the actor on a list of its home, which looks there before every batch. The
 * wakeful order is: on the list, then unpark if the home sleeps; it says so before its last look,
 * so no wake-up is lost.
 *
 * Teams. CPUs share work within a team: an actor moves among those of its team and nowhere else.
 * The ordinary CPUs are one. The compute pool is another: actors that compute for long live there,
 * so that what is handed over to them delays nobody here, and threads of the system below share the
 * hardware out between the two. Each actor that blocks in calls of the system below has a team of
 * one CPU, on which nobody else lives: nothing can be queued behind it, and nothing is stolen
 * there.
 *
 * A call that blocks (cpu_blocks_begin, cpu_blocks_end) holds no one up:
 *   - grace periods: between the two the CPU counts as idle. It may, for it holds no pointer that
 *     only a grace period keeps good. Its turn was begun by the loop, which holds the actor that it
 *     made RUNNING, so not dead; nobody's half-done operation lies below it on this CPU, because
 *     nobody else lives there, and so no call runs at once there. The turn has its message, block
 *     and maps by refs; and its code asks the kernel for nothing between the two.
 *   - cpu_seize: component code never runs inside.
 *   - sleepers: who asks meanwhile sees `asleep` 0 and does not unpark; the loop looks when the
 * turn is over. Timers of that CPU, and a kill, are seen then too.
 *   - the end of the kernel waits for it, as it does for every native turn. */
#ifndef KERNEL_SCHED_CPU_H
#define KERNEL_SCHED_CPU_H

#include <stdbool.h>
#include <stdint.h>
#include <tenon/limits.h>

#include "base/bits.h"
#include "kernel/actor/actor.h"
#include "kernel/machine.h"
#include "kernel/mem/limbo.h"
#include "kernel/sched/policy.h"

/* Stacks are aligned to their size, and the lowest word names the fiber: native code finds who it
 * is without thread-local storage. Builds with sanitizers, whose frames are larger, set it higher.
 */
#ifndef FIBER_STACK_BYTES
#define FIBER_STACK_BYTES TN_FIBER_STACK
#endif
_Static_assert((FIBER_STACK_BYTES & (FIBER_STACK_BYTES - 1)) == 0, "found by masking");

struct fiber {
    struct machine_fiber machine;
    struct fiber *link;      /* in a free list */
    struct fiber *made_link; /* of all that were made */
    struct cpu *cpu;         /* that it runs on; set by who switches to it */
    struct fiber *caller;    /* the fiber of a caller that waits on this CPU for the turn here */
    bool has_call;           /* it was taken to run a call as its turn, then to be the loop */
    bool ready;              /* it is new, or stands in fiber_main after a call: prepared */
    uint32_t nested;         /* turns of data domains that run on it, one in the other */
    struct turn turn;        /* that runs on it, or waits on it; native ones only */
};

struct cpu_stats {
    uint64_t context_switches; /* fiber switches */
    uint64_t messages_processed;
    uint64_t idle_time_ns, active_time_ns;
    uint64_t parks;
    uint64_t stolen; /* actors taken from other CPUs */
};

/* What a CPU remembers of another's queue since it last looked (policy.h). */
struct cpu_look {
    uint32_t batches, queued;
};

/* The same for others to read while the CPU runs (stats.h). */
struct cpu_shown {
    atomic_u64 context_switches;
    atomic_u64 messages_processed;
    atomic_u64 idle_time_ns, active_time_ns;
    atomic_u64 parks;
    atomic_u64 stolen;
    atomic_u64 blocked_time_ns;
};

/* CPUs of one kernel with adjacent numbers, which share work. */
struct team {
    uint32_t first, n;             /* n 0: there is none */
    atomic_u32 sentinel;           /* the sleeper that wakes up by itself to look for work */
    _Alignas(64) atomic_u32 awake; /* CPUs that are not asleep */
};

/* Messages of this CPU's actors to an actor of another, not pushed yet: see outbox.h. */
enum { OUTBOX_MANY = 16 };
struct outbox {
    struct actor *target;         /* NULL: nothing is gathered */
    const struct actor *last;     /* that got a message by this way; only compared */
    struct cell *newest, *oldest; /* linked from the newest */
    uint32_t n, credits;          /* messages; credits that were taken and not used yet */
};

struct cpu {
    /* the lock */
    atomic_u32 inside; /* the owner has it, or is looking whether it may */
    atomic_u32 wanted; /* somebody else has it, or waits for it */
    /* under the lock */
    atomic_of(struct actor *) next; /* the head of the queues, see post.h */
    atomic_u32 nqueued;             /* in the queues below */
    uint32_t queued;                /* bit p: queue[p] is not empty */
    struct list queue[TN_PRIORITIES];
    /* owner only */
    _Alignas(64) uint32_t id;
    int32_t until_clock; /* turns until the next look */
    struct kernel *kernel;
    tn_time now; /* at the last look at the clock */
    struct cpu_stats stats;
    struct fiber *free; /* stacks at hand */
    uint32_t nfree;
    atomic_u32 batches;     /* that were run; others look */
    uint32_t looks;         /* in vain, since there was work */
    tn_time looked_ns;      /* at other queues */
    struct fiber *leaving;  /* just left for good: freed by whoever runs next */
    struct turn *parking;   /* just left to wait: parked by whoever runs next */
    struct cells_back back; /* consumed cells of other CPUs' actors */
    struct outbox out;
    struct actor *metered; /* whose time is counted exactly; NULL: nobody's */
    tn_time metered_since_ns;
    uint64_t routed; /* messages whose target was drawn here */
    uint64_t causes; /* trace contexts begun here */
    struct team *team;
    tn_time blocks_since_ns; /* its turn is in a call that blocks since then; 0: it is not */
    tn_time blocked_ns;      /* in such calls, neither active nor idle */
    struct machine_fiber boot;
    /* shared */
    _Alignas(64) atomic_of(struct actor *) asked; /* actors that others asked, newest first */
    atomic_u32 asleep;                            /* it is to be unparked */
    atomic_u32 waits;                     /* to get its lock back: a hint to those who come next */
    struct spinlock seize;                /* one at a time takes the lock from the owner */
    _Alignas(64) struct cpu_shown shown;  /* written by the owner */
    _Alignas(64) struct wheel wheel;      /* under the lock */
    struct cpu_look look[TN_THREADS_MAX]; /* owner only */
};
_Static_assert(LINE_END(struct cpu, queue) < LINE_OF(struct cpu, id) &&
                   LINE_END(struct cpu, boot) < LINE_OF(struct cpu, asked) &&
                   LINE_END(struct cpu, seize) < LINE_OF(struct cpu, shown) &&
                   LINE_END(struct cpu, shown) < LINE_OF(struct cpu, wheel),
               "the lock, the owner's own, what others write and the wheel are in lines apart");

/* How many are queued there, at a guess; those that asked count as one. Any. */
static inline uint32_t cpu_queue_length(struct cpu *cpu)
{
    return at_load(&cpu->nqueued, RELAXED) + (at_load(&cpu->next, RELAXED) != NULL) +
           (at_load(&cpu->asked, RELAXED) != NULL);
}

struct kernel_config {
    uint32_t fibers_max;               /* stacks for turns that wait, 0: TN_FIBERS_DEFAULT */
    uint32_t spin;                     /* looks at the queues before a CPU sleeps; 0: a default */
    const struct sched_policy *policy; /* NULL: policy_adaptive */
    /* What the last CPUs of the machine are for: first the compute pool, then one for each actor
     * that blocks. */
    uint32_t compute, blocking;
};

/* team.sentinel: a CPU's number, or: */
enum { SENTINEL_NOBODY = TN_THREADS_MAX, SENTINEL_POKED };

struct kernel {
    struct limbo limbo;
    /* What all read and hardly anybody changes. */
    _Alignas(64) struct untyped *root; /* the first available region */
    struct kernel_config config;
    uint32_t ncpus;       /* of all teams */
    uint32_t fiber_cache; /* stacks that one CPU keeps at hand */
    atomic_u32 stopping;
    struct cpu *cpu[TN_THREADS_MAX];
    /* The rest. */
    struct team workers, compute, blocking[TN_BLOCKING_MAX];
    struct cap_root caps;
    struct spinlock fiber_lock;
    struct fiber *fiber_free;
    struct fiber *fibers; /* all that were made */
    uint32_t nfibers;
    atomic_u32 alive;      /* actors that are not dead */
    atomic_u32 draining;   /* stop with the last of them */
    struct embedded begin; /* the message that sets everything going */
};

_Static_assert(LINE_END(struct kernel, limbo) < LINE_OF(struct kernel, root) &&
                   LINE_END(struct kernel, cpu) < LINE_OF(struct kernel, workers) &&
                   LINE_END(struct team, sentinel) < LINE_OF(struct team, awake),
               "what every batch reads is in lines that hardly anybody writes");

/* Makes the kernel in the machine's first available region. TN_ENOMEM; TN_EINVAL: more than
 * TN_COMPUTE_MAX or TN_BLOCKING_MAX are asked for, TN_CPUS_MAX are left, or none is. */
tn_err kernel_boot(const struct kernel_config *config, struct kernel **ret_kernel);
/* The homes of actors: the i-th ordinary CPU, or of the compute pool, counted round; and the i-th
 * of those that are for one actor each. */
static inline struct cpu *kernel_worker(struct kernel *kernel, uint32_t i)
{
    return kernel->cpu[i % kernel->workers.n];
}
static inline struct cpu *kernel_computer(struct kernel *kernel, uint32_t i)
{
    ASSERT(kernel->compute.n > 0);
    return kernel->cpu[kernel->compute.first + i % kernel->compute.n];
}
static inline struct cpu *kernel_blocker(struct kernel *kernel, uint32_t i)
{
    ASSERT(i < TN_BLOCKING_MAX && kernel->blocking[i].n == 1);
    return kernel->cpu[kernel->blocking[i].first];
}
/* Queues LIFE_START to the first actor, before kernel_run; once for a kernel. */
void kernel_begin(struct kernel *kernel, struct actor *first);
/* Runs every CPU's loop until kernel_stop. Turns that still wait are abandoned as they stand. */
void kernel_run(struct kernel *kernel);
/* From now on the death of the last actor stops the kernel. Any thread. */
void kernel_drain(struct kernel *kernel);
/* Every CPU leaves its loop at its next boundary. Any thread. */
void kernel_stop(struct kernel *kernel);
/* After kernel_run: destroys what waits in limbo and gives stacks back. Objects that were not
 * dropped vanish with the memory. */
void kernel_destroy(struct kernel *kernel);

/* The fiber that the calling native code runs on. */
static inline struct fiber *fiber_self(void)
{
    uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0);
    return (struct fiber *)(uintptr_t)(here & ~(uint64_t)(FIBER_STACK_BYTES - 1));
}

void cpu_step_back(struct cpu *cpu);

/* The owner takes its lock, which it does not have. Bounded work only, no other CPU's lock and none
 * of rank below LOCK_CPU until cpu_leave. */
static inline void cpu_enter(struct cpu *cpu)
{
    race_lock_wants(cpu,
                    LOCK_CPU); /* which sees to it that it does not have it, where it is checked */
    at_store(&cpu->inside, 1, RELAXED);
    /* The light half of the barrier in cpu_seize: either we see `wanted`, or they see `inside`. */
    at_fence_light();
    /* ACQUIRE pairs with the RELEASE of cpu_release: what others did under the lock is seen. */
    if (__builtin_expect(at_load(&cpu->wanted, ACQUIRE) != 0, 0))
        cpu_step_back(cpu);
    race_lock_has(cpu, LOCK_CPU);
}

/* The same, but not where somebody else has it or wants it. */
static inline bool cpu_try_enter(struct cpu *cpu)
{
    race_lock_wants(cpu, LOCK_CPU);
    at_store(&cpu->inside, 1, RELAXED);
    at_fence_light(); /* as above, and so is ACQUIRE */
    if (__builtin_expect(at_load(&cpu->wanted, ACQUIRE) != 0, 0)) {
        at_store(&cpu->inside, 0, RELEASE);
        return false;
    }
    race_lock_has(cpu, LOCK_CPU);
    return true;
}

static inline void cpu_leave(struct cpu *cpu)
{
    race_lock_drops(cpu);
    at_store(&cpu->inside, 0, RELEASE); /* pairs with the ACQUIRE in cpu_seize */
}

/* Takes the lock of a CPU that the caller does not run on, or that does not run; without any CPU's
 * lock. Also of the caller's own, where it does not know which that is. Any thread. */
void cpu_seize(struct cpu *cpu);
void cpu_release(struct cpu *cpu);

/* Takes the lock of whatever CPU is the actor's home, and gives it back; `own` is the caller's CPU,
 * which it is not inside, or NULL. */
struct cpu *actor_lock(struct cpu *own, struct actor *actor);
void actor_unlock(struct cpu *own, struct cpu *home);

/* Inside `cpu`: whether the actor lives here, and so is ours to touch until cpu_leave. ACQUIRE
 * pairs with the RELEASE of who moved it. */
static inline bool actor_here(const struct cpu *cpu, struct actor *actor)
{
    return at_load(&actor->home, ACQUIRE) == cpu;
}

/* Takes one of the stacks at hand (fiber_ensure), which will run fiber_main; gives one back. */
void fiber_set_up(struct fiber *fiber);
static inline struct fiber *fiber_get(struct cpu *cpu)
{
    struct fiber *fiber = cpu->free;
    ASSERT(fiber != NULL);
    cpu->free = fiber->link;
    cpu->nfree--;
    fiber->cpu = cpu;
    fiber->caller = NULL;
    fiber->has_call = false;
    fiber->nested = 0;
    if (__builtin_expect(!fiber->ready, 0))
        fiber_set_up(fiber);
    fiber->ready = false;
    return fiber;
}
void fiber_put_back(struct kernel *kernel, struct fiber *fiber);
static inline void fiber_put(struct cpu *cpu, struct fiber *fiber)
{
    if (__builtin_expect(cpu->nfree >= cpu->kernel->fiber_cache, 0)) {
        fiber_put_back(cpu->kernel, fiber);
        return;
    }
    fiber->link = cpu->free;
    cpu->free = fiber;
    cpu->nfree++;
}

/* There is something for the actor to look at (enum actor_ask); it must be there already.
 * Lock-free. Any, inside or not. */
void sched_ask(struct actor *actor, uint32_t bits);
/* Puts an IDLE actor that has work into the run queue. Inside its home. */
void sched_ready(struct cpu *cpu, struct actor *actor);

/* A message that has its credit, or is embedded, goes to the actor: outside, or inside `cpu`, which
 * may be NULL. */
void sched_post(struct cpu *cpu, struct actor *actor, struct cell *cell);
void sched_post_inside(struct cpu *cpu, struct actor *actor, struct cell *cell);

/* The runner is done with it for now: queues it, or lets it rest. Inside. */
void actor_release(struct cpu *cpu, struct actor *actor);

/* Whether a call of `actor` can run at once on this CPU; if so the caller is now its runner, and
 * sched_call_turn and sched_run_call, or actor_release, must follow. Outside. */
bool sched_may_run_call(struct cpu *cpu, struct actor *actor);
/* The turn to be filled in for such a call; fiber_ensure(cpu, 2) came before. */
struct turn *sched_call_turn(struct cpu *cpu, struct actor *actor);
/* Runs it: natively on a fiber of its own, other domains on this one. When it comes back the turn
 * has ended, or waits; the actor has been released. Outside. */
void sched_run_call(struct cpu *cpu, struct turn *turn);
/* Makes sure that n stacks are at hand on this CPU; false when they cannot be had. */
bool fiber_fetch(struct cpu *cpu, uint32_t n);
static inline bool fiber_ensure(struct cpu *cpu, uint32_t n)
{
    return __builtin_expect(cpu->nfree >= n, 1) || fiber_fetch(cpu, n);
}

/* Answers the call that a turn has, once: copies `out` (host pointers, handles of the turn's own
 * actor; NULL: nothing) to the caller's room and wakes it. TN_EGONE when the caller gave up,
 * TN_EINVAL when there is nothing to answer. */
tn_err turn_answer(struct cpu *cpu, struct turn *turn, tn_err result, const struct tn_pack *out);
/* The same for an answer that its component has let go of: what was to be moved to a caller that
 * cannot have it goes, for nobody knows of it. */
void turn_answer_or_drop(struct cpu *cpu, struct turn *turn, tn_err result,
                         const struct tn_pack *out);
/* The same for a call that is known by the caller's wait and its generation; drops no ref. When the
 * answer cannot be given (TN_ETOOBIG, the errors of pack_transfer) the caller gets that error as
 * well, and all capabilities stay. */
tn_err wait_answer(struct cpu *cpu, struct wait *caller, uint64_t generation, tn_err result,
                   struct space *from, const struct tn_pack *out);

/* A credit of the actor's mailbox that will not be used goes back to the door that it is from, or
 * to who waits for one. Outside. */
void credit_back(struct cpu *cpu, struct actor *actor, bool away);

/* Deletes the capabilities that came with the turn's message, which nobody will look at. */
void turn_drop_caps(struct turn *turn);

/* Copies or moves the capabilities of `pack` from one space to another, all or none. */
tn_err pack_transfer(struct space *from, const struct tn_pack *pack, struct space *to,
                     tn_cap *ret_caps);
/* The same for a message that goes into a mailbox: they are posted until its turn begins. */
tn_err pack_post(struct space *from, const struct tn_pack *pack, struct space *to,
                 tn_cap *ret_caps);

/* A turn on a fiber gives the CPU away until turn_wake; returns the CPU that it goes on on. The
 * caller made sure that somebody will wake it, and that it may wait (turn_may_wait). */
struct cpu *turn_wait(struct cpu *cpu, struct turn *turn);
/* TN_OK; TN_ESTACK: no stack is left for the loop to go on on; TN_ECANCELLED: being killed;
 * TN_EAGAIN: in what may not wait (enum turn_refuses). */
static inline tn_err turn_may_wait(struct cpu *cpu, const struct turn *turn)
{
    if (__builtin_expect(turn->refuses != TURN_MAY_WAIT, 0))
        return turn->refuses == TURN_CANCELLED ? TN_ECANCELLED : TN_EAGAIN;
    return turn->fiber == NULL || fiber_ensure(cpu, 2) ? TN_OK : TN_ESTACK;
}
/* Makes the turn of a wait that the caller has completed go on. Its last access to the turn. `cpu`
 * may be NULL; outside, or inside `cpu`. */
void turn_wake(struct cpu *cpu, struct turn *turn);
void turn_wake_inside(struct cpu *cpu, struct turn *turn);
/* After a wait: whether it was woken already, without having been left. Resets it. */
bool turn_was_woken(struct turn *turn);

/* After the turn has gone on, or when it never will: takes the wait out of wherever it is, gives
 * back what it held and makes it free. The result stays readable. */
void wait_release(struct cpu *cpu, struct wait *wait);

/* Ends an actor from any life but DYING and DEAD: its turns are cancelled, its messages answered
 * with TN_EGONE, its capabilities deleted, its instance destroyed, in its own time. Any CPU. */
void actor_kill(struct cpu *cpu, struct actor *actor);

/* From the end of its turn at the latest it begins none and goes on with none, while messages queue
 * and waits expire as ever; until it is resumed, or killed. Twice is once. Outside; any CPU. */
void actor_pause(struct cpu *cpu, struct actor *actor);
void actor_resume(struct cpu *cpu, struct actor *actor);

/* Arms an event, which is not armed, in this CPU's wheel. Outside. */
void event_arm(struct cpu *cpu, struct event *event, tn_time at);
/* Disarms it wherever it is; after it, the event's function does not run any more. `cpu` is the
 * caller's or NULL; outside. */
void event_cancel(struct cpu *cpu, struct event *event);

/* It is for one actor that blocks. */
static inline bool cpu_is_alone(const struct cpu *cpu)
{
    return cpu->team != &cpu->kernel->workers && cpu->team != &cpu->kernel->compute;
}

/* Around a call of the system below that may block, in a native turn. On a CPU that is for one
 * actor alone it holds nobody up meanwhile; on others, which it holds up, they do nothing. Between
 * the two the code asks nothing of the kernel. Outside. */
void cpu_blocks_begin(struct cpu *cpu);
void cpu_blocks_end(struct cpu *cpu);

/* A fresh trace context. */
uint64_t sched_cause(struct cpu *cpu);

/* Every invariant of a CPU's queues, and of an actor with a mailbox of that many messages, for
 * tests and the simulator. With the lock of the CPU or of the actor's home free or held by the
 * caller. */
void sched_check_cpu(struct cpu *cpu);
void sched_check_actor(struct actor *actor, uint32_t mailbox);

#endif
