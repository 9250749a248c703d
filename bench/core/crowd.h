/* crowd.h: as many actors as one likes, for questions that a kit has no room for; and what the
 * programs that measure a kernel share.
 *
 * Each actor of a crowd has a space, a native instance and one capability, "other", to an actor of
 * the same crowd: rings and pairs are a matter of whom it names. */
#ifndef BENCH_CORE_CROWD_H
#define BENCH_CORE_CROWD_H

#include <stdbool.h>
#include <stdint.h>
#include <tenon/component.h>

#include "kernel/actor/actor.h"
#include "kernel/sched/cpu.h"
#include "runtime/needs.h"

/* Ends the program when it does not hold. */
#define BENCH_MUST(holds)                           \
    do {                                            \
        if (__builtin_expect(!(holds), 0))          \
            bench_fail(#holds, __FILE__, __LINE__); \
    } while (0)
__attribute__((noreturn, cold)) void bench_fail(const char *what, const char *file, int line);

/* Wall-clock time, or CPU time of the calling thread. */
extern bool bench_wall;
uint64_t bench_now_ns(void);

/* Sorts the values. */
double bench_median(double *values, uint32_t n);

/* Fixed numbers that look random: xorshift64 (Marsaglia, "Xorshift RNGs", 2003). `state` is not 0.
 */
uint64_t bench_random(uint64_t *state);
/* 0 to n - 1 in an order that no prefetcher guesses; the caller frees it. */
uint32_t *bench_shuffled(uint32_t n);

struct crowd_config {
    struct kernel *kernel;
    const struct tn_component *component;
    uint32_t n;
    uint32_t slots;               /* of each space; 0: few */
    const uint32_t *other;        /* whom actor i names; NULL: each names the last */
    uint32_t (*home)(uint32_t i); /* the CPU; NULL: the first */
    bool pinned;
};

struct crowd {
    uint32_t n;
    struct actor **actor;
    struct embedded *poke; /* of each, see crowd_poke */
    uint64_t bytes;        /* of memory that each takes, before it has sent anything */
    struct need need;      /* the same handle in all spaces */
    struct needs needs;
};

/* Before the kernel runs. The component lives as long as the crowd. */
void crowd_make(struct crowd *crowd, const struct crowd_config *config);
/* An empty message to one of them, of class MSG_INTERRUPT_NOTIFY, that needs no sender; at most one
 * at a time for each. While the kernel does not run. */
void crowd_poke(struct crowd *crowd, uint32_t i);
/* Forgets what the crowd keeps outside of the kernel, whose memory goes as a whole. */
void crowd_forget(struct crowd *crowd);
/* The same after all were killed; they die when the kernel runs again. */
void crowd_kill(struct crowd *crowd);
/* Bytes of the machine's memory that are free to be used. */
uint64_t bench_free_bytes(void);

#endif
