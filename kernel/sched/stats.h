/* stats.h: what the kernel has done so far, over all CPUs. Each CPU counts for itself without
 * atomic operations (cpu_stats) and shows its counters at each look at the clock: once in 64 turns,
 * before it sleeps and when it leaves its loop. */
#ifndef KERNEL_SCHED_STATS_H
#define KERNEL_SCHED_STATS_H

#include "kernel/sched/cpu.h"

struct kernel_stats {
    uint64_t context_switches;        /* from one stack to another */
    uint64_t messages_processed;      /* taken out of mailboxes, queued calls among them */
    uint64_t idle_time_ns;            /* slept, of ordinary CPUs */
    uint64_t active_time_ns;          /* not slept, of ordinary CPUs */
    uint64_t compute_time_ns;         /* not slept, of the compute pool */
    uint64_t blocked_time_ns;         /* that threads spent in calls that block */
    uint64_t parks;                   /* times a CPU went to sleep */
    uint64_t stolen;                  /* actors that a CPU took from another */
    uint64_t memory_allocated_bytes;  /* of the kernel's memory, components' grants included */
    uint32_t cpu_utilization_percent; /* active of all time, 0 to 100 */
    uint32_t actors_alive;
    uint32_t workers, compute,
        blocking; /* threads: ordinary CPUs, of the pool, of one actor each */
};

/* Sums over CPUs that run meanwhile: no counter is ever less than in an earlier answer, and each is
 * late by at most the turns of a CPU since it last looked at the clock. Any CPU, any time. */
struct kernel_stats kernel_stats(struct kernel *kernel);

/* The CPU makes its counters visible to others. Owner only. */
void stats_show(struct cpu *cpu);

#endif
