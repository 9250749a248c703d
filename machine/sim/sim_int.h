/* sim_int.h: the state of the simulated machine, shared by its files. */
#ifndef MACHINE_SIM_SIM_INT_H
#define MACHINE_SIM_SIM_INT_H

#include <tenon/limits.h>

#include "kernel/machine.h"
#include "machine/hosted/held.h"
#include "machine/sim/sim.h"

enum sim_cpu_state { SIM_RUNNABLE, SIM_PARKED, SIM_RETURNED };

/* What the trace holds, and of whom, and what beside. */
enum sim_event {
    SIM_EVENT_BEGIN,  /* of a run of `who` CPUs with seed `what` */
    SIM_EVENT_SWITCH, /* to CPU `who`, from `what` */
    SIM_EVENT_PARK,   /* of `who` until `what` */
    SIM_EVENT_UNPARK, /* of `who` */
    SIM_EVENT_DRAIN,  /* of a store of `who`; `what` still wait */
    SIM_EVENT_FAULT,  /* enum sim_fault `who`, its chance `what` */
    SIM_EVENT_RETURN, /* of `who` */
    SIM_EVENT_END,    /* of the run */
};

enum { SIM_BUFFER_MAX = 8 };

/* A store that waits: buffer.c. */
struct sim_store {
    void *at;
    uint64_t bits, under;
    uint64_t age; /* of the run: which store it is, of all that waited */
    uint8_t size;
    bool changed; /* a read-modify-write of another CPU came to memory there meanwhile */
};

/* A ring, oldest at `first`. */
struct sim_buffer {
    struct sim_store stores[SIM_BUFFER_MAX];
    uint32_t first, count;
};

struct sim_cpu {
    struct machine_fiber context; /* whatever fiber the CPU was on when it was switched away */
    enum sim_cpu_state state;
    bool notified;          /* an unpark that no park has taken yet */
    uint64_t until_ns;      /* while parked */
    int64_t priority;       /* SIM_PCT: the highest runnable goes on */
    uint64_t stalled_until; /* SIM_RANDOM: the step before which others go first */
    struct sim_buffer buffer;
    struct held held;
};

/* `current` while no virtual CPU runs. */
#define SIM_HOST UINT32_MAX

enum { SIM_PCT_DEPTH_MAX = 4 };

struct sim {
    struct sim_machine config;
    struct sim_stats stats;
    /* Streams of sim_random. */
    uint64_t schedule_state, choose_state, entropy_state, check_state, fault_state;
    uint64_t now_ns;
    uint64_t next_deadline_ns;           /* no parked CPU's is earlier; UINT64_MAX: none has one */
    uint32_t current, next;              /* CPU that runs; CPU to go on with after the host */
    bool due_switch, due_step, due_rest; /* what the host is to check */
    struct held host_held;
    uint32_t host_turns; /* machine_relax calls on the host */
    uint64_t age;
    uint32_t drain_one_in, waiting; /* stores that wait, of all CPUs */
    uint32_t check_one_in, until_check;
    uint32_t nchecks, nrests;
    struct sim_check {
        void (*call)(void *arg);
        void *arg;
    } checks[SIM_CHECKS_MAX], rests[SIM_CHECKS_MAX];
    uint64_t fault_nth[SIM_FAULTS]; /* the chance at which each happens; 0: none */
    uint32_t lone_turns;            /* machine_relax calls since anybody else could run */
    int64_t priority_lowest;
    uint64_t change_steps[SIM_PCT_DEPTH_MAX];
    void (*entry)(void *arg, uint32_t cpu);
    void *entry_arg;
    struct machine_fiber host;
    void *fault_stack;
    struct sim_cpu cpus[TN_THREADS_MAX];
};

extern struct sim sim;

/* The next number of a stream (SplitMix64: Steele, Lea, Flood, OOPSLA 2014). */
uint64_t sim_random(uint64_t *state);

/* A number below n from the schedule's stream: a decision. */
uint64_t sim_below(uint64_t n);

/* Adds a decision to the trace; nothing of the host may be in it. */
void sim_trace(enum sim_event event, uint32_t who, uint64_t what);

/* The file that it is written to as text (sim.h, trace_path). 0 or a negative errno. */
int sim_trace_open(const char *path);
void sim_trace_close(void);
void sim_trace_flush(void);

/* Says on the console which seed and step this is; called from the fault handler. */
void sim_say_where(void);

/* Says which seed the test's loop is at (sim_next_seed) and how to repeat it; nothing outside of
 * one.
 */
void sim_say_seed(void);

/* Counts a step, moves the clock, drains stores and checks; ends the run when it is hung. On a
 * virtual CPU only. */
void sim_step(void);

/* lock_order.c: panics with `what` when the caller holds a lock of the kernel. */
void sim_holds_nothing(const char *what);

/* buffer.c: what waits comes to memory, of one CPU, of all; perhaps one store of any CPU. */
void sim_drain(uint32_t cpu);
void sim_drain_all(void);
void sim_drain_some(void);

#endif
