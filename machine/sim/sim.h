/* sim.h: how a test sets up the simulated machine: virtual CPUs as fibers on one host thread, a
 * virtual clock, and a seed that decides at every race_point() which CPU goes on.
 *
 * The clock moves only when every CPU is parked (it jumps to the next deadline) and by a small
 * seeded step at scheduling points, so that deadlines fall at every possible moment. Same config,
 * same run: nothing of the host (addresses, time, threads) enters a decision. */
#ifndef MACHINE_SIM_SIM_H
#define MACHINE_SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

enum sim_schedule {
    SIM_RANDOM, /* at each race point, with probability 1/switch_one_in, a random runnable CPU */
    SIM_PCT,    /* random priorities and `pct_depth` - 1 random change points (Burckhardt et al.,
                   "A Randomized Scheduler with Probabilistic Guarantees", ASPLOS 2010) */
};

struct sim_machine {
    uint64_t seed;
    uint32_t cpus;         /* 1 to TN_CPUS_MAX */
    uint64_t memory_bytes; /* a multiple of 2 MiB */
    enum sim_schedule schedule;
    uint32_t switch_one_in; /* 0: 4 */
    uint32_t pct_depth;     /* 1 to 4; 0: 3 */
    uint64_t steps_max;     /* race points before the run counts as hung; 0: 10 million */
    /* Called after every switch of virtual CPU with `check_arg`, on the host stack, to test
     * invariants; may be NULL. */
    void (*check)(void *check_arg);
    void *check_arg;
};

/* 0, or a negative errno with nothing held. */
int sim_machine_init(const struct sim_machine *config);
void sim_machine_destroy(void);

/* Race points passed and switches made so far; a hash (FNV-1a 64) over every decision taken, which
 * two runs with the same seed share. */
struct sim_stats {
    uint64_t steps, switches, trace_hash;
    bool deadlock; /* every CPU parked for ever: machine_run returned early */
    bool hung;     /* steps_max reached: machine_run returned early */
};
struct sim_stats sim_machine_stats(void);

/* A seeded number below `n` from a stream of its own, for tests that choose (n > 0). */
uint64_t sim_choose(uint64_t n);

#endif
