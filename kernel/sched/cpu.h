/* cpu.h: CPUs, fibers and the scheduler's loop.
 *
 * Every CPU runs a loop on a fiber: take the most urgent queued actor, run a batch of its turns,
 * pass a turn boundary, look at timers and at what other CPUs sent. A native handler runs directly
 * on the loop's fiber. Only if it waits is that fiber left as it stands, the loop goes on on a
 * fresh one, and the fiber that waited becomes the loop when its turn is resumed: a turn that does
 * not wait costs no switch at all. Code after a wait must fetch the CPU again, it may be another
 * one.
 *
 * The wakeful order is: push to a queue, then unpark; the machine remembers one unpark, so no
 * wake-up is lost between the last look and the sleep. */
#ifndef KERNEL_SCHED_CPU_H
#define KERNEL_SCHED_CPU_H

#include <stdbool.h>
#include <stdint.h>
#include <tenon/limits.h>

#include "kernel/actor/actor.h"
#include "kernel/machine.h"
#include "kernel/mem/limbo.h"

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
    struct turn *turn;       /* that runs on it */
    struct fiber *caller;    /* the fiber of a caller that waits on this CPU for the turn here */
    bool has_call;           /* it was taken to run call_turn, then to be the loop */
    bool ready;              /* it stands in fiber_main after a call: no need to prepare it */
    uint32_t nested;         /* turns of data domains that run on it, one in the other */
    struct turn call_turn;
};

struct run_queue {
    struct actor *first, *last;
};

struct cpu_stats {
    uint64_t context_switches; /* fiber switches */
    uint64_t messages_processed;
    uint64_t idle_time_ns, active_time_ns;
    uint64_t parks;
};

struct cpu {
    /* owner only */
    uint32_t id;
    struct kernel *kernel;
    struct run_queue queue[TN_PRIORITIES];
    uint32_t queued;    /* bit p: queue[p] is not empty */
    struct fiber *free; /* stacks at hand */
    uint32_t nfree;
    struct fiber *leaving;    /* just left for good: freed by whoever runs next */
    struct turn *parking;     /* just left to wait: parked by whoever runs next */
    tn_time now;              /* at the last look at the clock */
    uint32_t until_clock;     /* turns until the next look */
    uint32_t until_reap;      /* batches until the next look at limbo */
    struct actor *metered;    /* whose time runs; NULL: nobody's */
    tn_time metered_since_ns; /* where it is exact */
    uint64_t causes;          /* trace contexts begun here */
    struct cpu_stats stats;
    struct machine_fiber boot;
    /* shared */
    _Alignas(64) atomic_of(struct actor *) remote; /* actors that others woke, newest first */
    _Alignas(64) struct spinlock wheel_lock;
    struct wheel wheel;
};

struct kernel_config {
    uint32_t fibers_max; /* stacks for turns that wait, 0: TN_FIBERS_DEFAULT */
    uint32_t spin;       /* looks at the queues before a CPU sleeps; 0: a default */
};

struct kernel {
    struct limbo limbo;
    struct cap_root caps;
    struct untyped *root; /* the first available region */
    struct kernel_config config;
    uint32_t ncpus;
    struct cpu *cpu[TN_CPUS_MAX];
    struct spinlock fiber_lock;
    struct fiber *fiber_free;
    struct fiber *fibers; /* all that were made */
    uint32_t nfibers;
    uint32_t fiber_cache; /* stacks that one CPU keeps at hand */
    atomic_u32 stopping;
    atomic_u32 alive;      /* actors that are not dead */
    atomic_u32 draining;   /* stop with the last of them */
    struct embedded begin; /* the message that sets everything going */
};

/* Makes the kernel in the machine's first available region. TN_ENOMEM. */
tn_err kernel_boot(const struct kernel_config *config, struct kernel **ret_kernel);
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

/* Takes one of the stacks at hand (fiber_ensure), which will run fiber_main; gives one back. */
struct fiber *fiber_get(struct cpu *cpu);
void fiber_put(struct cpu *cpu, struct fiber *fiber);

/* The actor has something to do: queues it unless it is queued or runs. `cpu` is the caller's, NULL
 * from a thread that is none. Any. */
void sched_wake(struct cpu *cpu, struct actor *actor);
/* As the only runner: IDLE -> RUNNING; false when it is in another state. */
bool actor_claim(struct actor *actor);
/* The runner is done with it for now: queues it, or lets it sleep. */
void actor_release(struct cpu *cpu, struct actor *actor);

/* Whether a call of `actor` can run at once on this CPU; if so the caller is now its runner, and
 * sched_run_call must follow. */
bool sched_may_run_call(struct cpu *cpu, struct actor *actor);
/* Runs the turn of a call: natively on a fiber of its own, other domains on this one. `prepare`
 * fills the turn but for its fiber. When it comes back the turn has ended, or waits; the actor has
 * been released. fiber_ensure(cpu, 2) came before. */
void sched_run_call(struct cpu *cpu, struct actor *actor,
                    void (*prepare)(struct turn *turn, void *arg), void *arg);
/* Makes sure that n stacks are at hand on this CPU; false when they cannot be had. */
bool fiber_ensure(struct cpu *cpu, uint32_t n);

/* Answers the call that a turn has, once: copies `out` (host pointers, handles of the turn's own
 * actor; NULL: nothing) to the caller's room and wakes it. TN_EGONE when the caller gave up,
 * TN_EINVAL when there is nothing to answer. */
tn_err turn_answer(struct cpu *cpu, struct turn *turn, tn_err result, const struct tn_pack *out);
/* The same for an answer that its component has let go of: what was to be moved to a caller that
 * cannot have it goes, for nobody knows of it. */
void turn_answer_or_drop(struct cpu *cpu, struct turn *turn, tn_err result,
                         const struct tn_pack *out);
/* The same for a call that is known by its caller and generation; drops no ref. When the answer
 * cannot be given (TN_ETOOBIG, the errors of pack_transfer) the caller gets that error as well, and
 * all capabilities stay. */
tn_err wait_answer(struct cpu *cpu, struct actor *caller, uint64_t generation, tn_err result,
                   struct space *from, const struct tn_pack *out);

/* A credit of the actor's mailbox that is not used, or not any more, goes to who waits for one, or
 * back. Any. */
void credit_back(struct cpu *cpu, struct actor *actor);

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
/* TN_OK; TN_ESTACK: no stack is left for the loop to go on on; TN_ECANCELLED: being killed. */
tn_err turn_may_wait(struct cpu *cpu, struct turn *turn);
/* Completes a wait that the caller has claimed. Its last access to the turn. Any. */
void turn_wake(struct cpu *cpu, struct turn *turn);
/* After a wait: whether it was woken already, without having been left. Resets it. */
bool turn_was_woken(struct turn *turn);

/* After the turn has gone on, or when it never will: takes the wait out of wherever it is, gives
 * back what it held and makes it free. The result stays readable. */
void wait_release(struct cpu *cpu, struct wait *wait);

/* Ends an actor from any life but DYING and DEAD: its turns are cancelled, its messages answered
 * with TN_EGONE, its capabilities deleted, its instance destroyed, in its own time. Any CPU. */
void actor_kill(struct cpu *cpu, struct actor *actor);

/* Arms an event, which is not armed, in this CPU's wheel. */
void event_arm(struct cpu *cpu, struct event *event, tn_time at);
/* Disarms it wherever it is; after it, the event's function does not run any more. */
void event_cancel(struct event *event);

/* A fresh trace context. */
uint64_t sched_cause(struct cpu *cpu);

#endif
