/* sim.h: how a test sets up the simulated machine: virtual CPUs as fibers on one host thread, a
 * virtual clock, and a seed that decides at every race_point() which CPU goes on.
 *
 * The clock moves when every CPU is parked (it jumps to the next deadline), by a few seeded
 * nanoseconds at every step, and by a leap of up to 65 us at one switch in 64, so that deadlines
 * fall at every possible moment. A CPU that spins alone in machine_relax sees it run ever faster,
 * up to 1 ms a turn. Same config, same run: nothing of the host (addresses, time, threads) enters
 * a decision.
 *
 * A step is a race point: an atomic operation, machine_relax, machine_park, machine_unpark,
 * machine_fiber_switch or a reading of the clock. machine_park returns early, for no reason, about
 * once in 16 times. Switching to a fiber that is not suspended, which real machines would not
 * survive, panics; panics name the seed and the step. */
#ifndef MACHINE_SIM_SIM_H
#define MACHINE_SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

enum sim_schedule {
    SIM_RANDOM, /* at each race point, with probability 1/switch_one_in, a random runnable CPU */
    SIM_PCT,    /* random priorities and `pct_depth` - 1 random change points (Burckhardt et al.,
                   "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS
                   2010); machine_relax sends a CPU behind all others */
};

struct sim_machine {
    uint64_t seed;
    uint32_t cpus;         /* 1 to TN_CPUS_MAX */
    uint64_t memory_bytes; /* a multiple of 2 MiB */
    enum sim_schedule schedule;
    uint32_t switch_one_in; /* 0: 4 */
    uint32_t pct_depth;     /* 1 to 4; 0: 3 */
    uint32_t pct_steps;     /* change points fall evenly among so many first steps; 0: in the first
                               65,536, as likely between 2^i and 2^(i+1) for every i */
    uint64_t steps_max;     /* steps before the run counts as hung; 0: 10 million */
    /* Called after every switch of virtual CPU and at the end of a run with `check_arg`, on the
     * host stack, to test invariants; it changes no decision. May be NULL. */
    void (*check)(void *check_arg);
    void *check_arg;
};

/* 0, or a negative errno with nothing held. Abandons what an earlier setup left. */
int sim_machine_init(const struct sim_machine *config);

/* Unmaps memory and stacks; the statistics stay. Harmless when nothing is set up. */
void sim_machine_destroy(void);

/* Steps and switches of virtual CPU made so far; a hash (FNV-1a 64) over every decision taken,
 * which two runs with the same seed share. */
struct sim_stats {
    uint64_t steps, switches, trace_hash;
    bool deadlock; /* every CPU that did not return is parked for ever: machine_run returned early,
                      its CPUs abandoned where they were */
    bool hung;     /* steps_max reached: machine_run returned early, likewise */
};
struct sim_stats sim_machine_stats(void);

/* A seeded number below `n` from a stream of its own, for tests that choose (n > 0). */
uint64_t sim_choose(uint64_t n);

/* How many seeds a test shall try: `few`, or what the environment's SEEDS says (./dev sim sets it)
 * when that is more. Panics when SEEDS is no number above 0. */
uint64_t sim_seeds(uint64_t few);

#endif
