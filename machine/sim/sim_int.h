/* sim_int.h: the state of the simulated machine, shared by its files. */
#ifndef MACHINE_SIM_SIM_INT_H
#define MACHINE_SIM_SIM_INT_H

#include <tenon/limits.h>

#include "kernel/machine.h"
#include "machine/sim/sim.h"

enum sim_cpu_state { SIM_RUNNABLE, SIM_PARKED, SIM_RETURNED };

struct sim_cpu {
    struct machine_fiber context; /* whatever fiber the CPU was on when it was switched away */
    enum sim_cpu_state state;
    bool notified;     /* an unpark that no park has taken yet */
    uint64_t until_ns; /* while parked */
    int64_t priority;  /* SIM_PCT: the highest runnable goes on */
};

/* `current` while no virtual CPU runs. */
#define SIM_HOST UINT32_MAX

enum { SIM_PCT_DEPTH_MAX = 4 };

struct sim {
    struct sim_machine config;
    struct sim_stats stats;
    uint64_t schedule_state, choose_state, entropy_state; /* of sim_random */
    uint64_t now_ns;
    uint64_t next_deadline_ns; /* no parked CPU's is earlier; UINT64_MAX: none has one */
    uint32_t current, next;    /* CPU that runs; CPU to go on with after the check */
    uint32_t lone_turns;       /* machine_relax calls since anybody else could run */
    int64_t priority_lowest;
    uint64_t change_steps[SIM_PCT_DEPTH_MAX];
    void (*entry)(void *arg, uint32_t cpu);
    void *entry_arg;
    struct machine_fiber host;
    void *fault_stack;
    struct sim_cpu cpus[TN_CPUS_MAX];
};

extern struct sim sim;

/* The next number of a stream (SplitMix64: Steele, Lea, Flood, OOPSLA 2014). */
uint64_t sim_random(uint64_t *state);

/* Adds a word to the trace hash. */
void sim_trace(uint64_t word);

/* Says on the console which seed and step this is; called from the fault handler. */
void sim_say_where(void);

/* Counts a step and moves the clock; ends the run when it is hung. On a virtual CPU only. */
void sim_step(void);

#endif
