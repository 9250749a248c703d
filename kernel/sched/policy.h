/* policy.h: where actors live: what a scheduler decides, apart from how it is carried out.
 *
 * Three decisions are a policy's: whether an actor moves to the CPU that its messages come from,
 * which CPU an idle one takes queued actors from, and how many. Moving itself, its locks and what
 * must hold meanwhile are the scheduler's (steal.c). A policy keeps what it notices in the fields
 * that are its own (`talk` in the actor, `look` in the CPU), allocates nothing and never waits. */
#ifndef KERNEL_SCHED_POLICY_H
#define KERNEL_SCHED_POLICY_H

#include <stdbool.h>
#include <stdint.h>

struct actor;
struct cpu;

struct sched_policy {
    const char *name;
    /* A message from CPU `from`, which is another one of its team, woke an actor that lives on
     * `cpu`: whether it moves there. Inside `cpu`. */
    bool (*follows)(struct cpu *cpu, struct actor *actor, struct cpu *from);
    /* `cpu` has nothing to do: whom of its team it takes from, and *ret_most how many at most;
     * NULL: nobody. Outside; it may look at other CPUs' `queue_length` and `batches`. */
    struct cpu *(*victim)(struct cpu *cpu, uint32_t *ret_most);
    /* How long an idle CPU sleeps before it looks again while others work, after `looks` looks in
     * vain; UINT64_MAX: for good. */
    uint64_t (*patience_ns)(struct cpu *cpu, uint32_t looks);
};

/* Brings actors that talk together, and takes from queues that do not move. The default. */
extern const struct sched_policy policy_adaptive;
/* Everybody stays where he was put. */
extern const struct sched_policy policy_fixed;

#endif
