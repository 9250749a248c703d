/* sim.h: how a test sets up the simulated machine: virtual CPUs as fibers on one host thread, a
 * virtual clock, and a seed that decides at every race_point() which CPU goes on.
 *
 * The clock moves when every CPU is parked (it jumps to the next deadline), by a few seeded
 * nanoseconds at every step, and by a leap of up to 65 us at one switch in 64, so that deadlines
 * fall at every possible moment. A CPU that spins alone in machine_relax sees it run ever faster,
 * up to 1 ms a turn. Same config, same run: nothing of the host (addresses, time, threads) enters
 * a decision.
 *
 * Stores that are not SEQ_CST may wait in a buffer of their CPU, as on x86; buffer.c says how.
 * Orders weaker than that are not simulated.
 *
 * A step is a race point: an atomic operation, at_fence_light, machine_relax, machine_park,
 * machine_unpark, machine_barrier, machine_fiber_switch or a reading of the clock. machine_park
 * returns early, for no reason, about once in 16 times. Switching to a fiber that is not suspended,
 * which real machines would not survive, panics; so does holding a lock of the kernel across a
 * switch or a sleep, taking locks out of order, and two that hold the same (lock_order.c). Panics
 * name the seed, the step, and the command that replays them. */
#ifndef MACHINE_SIM_SIM_H
#define MACHINE_SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

enum sim_schedule {
    SIM_RANDOM, /* at each race point, with probability 1/switch_one_in, a random runnable CPU; one
                   in 32 that is left stands still for up to 1,024 steps, as a thread that has lost
                   its processor */
    SIM_PCT,    /* random priorities and `pct_depth` - 1 random change points (Burckhardt et al.,
                   "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS
                   2010); machine_relax sends a CPU behind all others */
};

/* What may go wrong. Each has chances: moments at which it could happen. */
enum sim_fault {
    SIM_FAULT_MEMORY, /* an allocation of the kernel (mem_alloc, untyped_make) fails */
    SIM_FAULT_CLOCK,  /* at a switch the clock jumps forward, by up to 68 s */
    SIM_FAULT_CRASH,  /* for tests: a turn boundary at which an actor is killed */
    SIM_FAULT_LATE,   /* for drivers/sim: an operation takes long */
    SIM_FAULT_LOST,   /* an operation never happens, or nobody hears of it */
    SIM_FAULT_TORN,   /* a part of it happens */
    SIM_FAULTS,
};

struct sim_machine {
    uint64_t seed;
    uint32_t cpus;         /* 1 to TN_THREADS_MAX */
    uint32_t nodes;        /* that the CPUs are dealt to in blocks, 1 to cpus; 0: 1 */
    uint64_t memory_bytes; /* a multiple of 2 MiB */
    enum sim_schedule schedule;
    uint32_t switch_one_in; /* 0: 4 */
    uint32_t pct_depth;     /* 1 to 4; 0: 3 */
    uint32_t pct_steps;     /* change points fall evenly among so many first steps; 0: in the first
                               65,536, as likely between 2^i and 2^(i+1) for every i */
    uint64_t steps_max;     /* steps before the run counts as hung; 0: 10 million */
    bool stores_at_once;    /* no store waits: sequential consistency */
    uint32_t drain_one_in;  /* steps at which one store of those that wait comes to memory; 0: 1, 2,
                               4, 8 or 16, as the seed says */
    uint32_t check_one_in;  /* steps after which what sim_on_step was given runs; 0: 16 to 4,096, as
                               the seed says */
    const char *trace_path; /* every decision is appended to this file as a line: step, clock,
                               event, of whom, what; NULL: to the environment's SIM_TRACE, if set */
    uint32_t faults[SIM_FAULTS]; /* happens at one chance in so many; 0: never */
    /* Called after every switch of virtual CPU and at the end of a run with `check_arg`, on the
     * host stack, to test invariants; it changes no decision. May be NULL. */
    void (*check)(void *check_arg);
    void *check_arg;
};

/* 0, or a negative errno with nothing held. Abandons what an earlier setup left. */
int sim_machine_init(const struct sim_machine *config);

/* Unmaps memory and stacks; the statistics stay. Harmless when nothing is set up. */
void sim_machine_destroy(void);

/* After every few steps of a run, and at its end, calls `check` on the host stack, to test
 * invariants; it changes no decision. It runs in the middle of whatever the CPUs do, so what a lock
 * guards may be half done while that is held, and a lock that is held stays so: look first. Each
 * word is to it what its last writer made of it, whether that store waits or not; a lock that is
 * free may be taken and dropped again, other words are not to be changed. After sim_machine_init,
 * which forgets all; at most SIM_CHECKS_MAX. Boot. */
enum { SIM_CHECKS_MAX = 8 };
void sim_on_step(void (*check)(void *arg), void *arg);

/* The same whenever every CPU sleeps, or has returned, and nothing waits in a buffer: before the
 * clock jumps, and when they will sleep for ever. Nobody holds anything then, so what is true of
 * the whole is true. */
void sim_on_rest(void (*check)(void *arg), void *arg);

/* A hash (FNV-1a 64) over every decision taken, which two runs with the same seed share, and counts
 * since sim_machine_init. */
struct sim_stats {
    uint64_t steps, switches, trace_hash;
    uint64_t drains;        /* stores that had waited */
    uint64_t checks, rests; /* rounds of what sim_on_step and sim_on_rest were given */
    uint64_t chances[SIM_FAULTS], faults[SIM_FAULTS]; /* of each fault; those that happened */
    bool deadlock; /* every CPU that did not return is parked for ever: machine_run returned early,
                      its CPUs abandoned where they were */
    bool hung;     /* steps_max reached: machine_run returned early, likewise */
};
struct sim_stats sim_machine_stats(void);

/* A seeded number below `n` from a stream of its own, for tests that choose (n > 0). */
uint64_t sim_choose(uint64_t n);

/* Whether the fault happens, at this chance for it: one in config.faults, or the one that
 * sim_fault_nth chose. Never outside of a run. A test that kills actors asks at each turn boundary
 * for SIM_FAULT_CRASH; the kernel's allocator and drivers/sim ask for theirs. */
bool sim_fault(enum sim_fault fault);

/* The nth chance from now (from 1) is a fault as well; 0 takes that back. To fail the nth
 * allocation, for n = 1, 2, ... until stats.faults no longer counts one. */
void sim_fault_nth(enum sim_fault fault, uint64_t nth);

/* Seeds: a test tries `few` of them, or what the environment's SEEDS says when that is more, from 0
 * or SEED_FROM on; with SEED it tries that one only (./dev sim sets them). A test that fails leaves
 * the loop early: then, or at the end of the program, the seed is said and the command that replays
 * it.
 *
 *     for (uint64_t seed = SIM_BEGIN; sim_next_seed(200, &seed);)
 *
 * A seed should take at most 25 ms; with SEEDS set, the slowest is said when it takes more. Panics
 * when a variable is no number. */
#define SIM_BEGIN UINT64_MAX
bool sim_next_seed(uint64_t few, uint64_t *seed);

/* SEED asks for one seed: what is only true of many is not to be asserted. */
bool sim_one_seed(void);

/* Just how many, for a loop of another kind. */
uint64_t sim_seeds(uint64_t few);

#endif
