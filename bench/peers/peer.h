/* peer.h: what the programs of bench/peers share: clocks, pinning, medians, and their one JSON
 * object.
 *
 * A program prints {"name": figure, ...}: figures are numbers, in ns an operation unless the table
 * says otherwise; text says the version and how the peer was set up. A figure is the median of five
 * runs behind some that warm up and find how many operations fill a run, so that the time taken is
 * bounded on a slow or busy machine. Header-only, for C and C++. */
#ifndef BENCH_PEERS_PEER_H
#define BENCH_PEERS_PEER_H

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PEER_RUNS = 5, PEER_TEXT_BYTES = 64, PEER_COUNT_MIN = 1024, PEER_COUNT_MAX = 1 << 22 };
static const double peer_run_ns = 1e8;

/* How many operations the run does that is asked for: a multiple of PEER_COUNT_MIN. */
static uint64_t peer_count;

#define PEER_CHECK(condition)                                                             \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
            exit(EXIT_FAILURE);                                                           \
        }                                                                                 \
    } while (0)

static inline uint64_t peer_clock_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline uint64_t peer_wall_ns(void)
{
    return peer_clock_ns(CLOCK_MONOTONIC);
}

/* CPU time of all threads of the process: what counts where one CPU does all the work, because then
 * what others do on that CPU is not in it. */
static inline uint64_t peer_cpu_ns(void)
{
    return peer_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* The CPUs that the process may use when peer_begin() is called: the first is 0. */
static cpu_set_t peer_allowed;
static int peer_printed;

static inline int peer_cpus(void)
{
    return CPU_COUNT(&peer_allowed);
}

/* Binds the calling thread, and the threads that it makes from now on. */
static inline void peer_pin(int nth)
{
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &peer_allowed) || nth-- > 0)
            continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        PEER_CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
        return;
    }
    fprintf(stderr, "there are not as many CPUs\n");
    exit(EXIT_FAILURE);
}

static inline void peer_unpin(void)
{
    PEER_CHECK(sched_setaffinity(0, sizeof(peer_allowed), &peer_allowed) == 0);
}

static inline void peer_key(const char *name)
{
    printf("%s\"%s\": ", peer_printed++ == 0 ? "{" : ",\n ", name);
}

static inline void peer_text(const char *name, const char *text)
{
    peer_key(name);
    printf("\"%s\"", text);
}

static inline void peer_value(const char *name, double value)
{
    peer_key(name);
    printf("%.3f", value);
    fflush(stdout);
}

static inline int peer_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline double peer_median(double *values, size_t n)
{
    qsort(values, n, sizeof(values[0]), peer_compare);
    return values[n / 2];
}

static inline void peer_calibrate(double (*run)(void))
{
    peer_count = PEER_COUNT_MIN;
    for (;;) {
        uint64_t begin_ns = peer_wall_ns();
        (void)run();
        double share = peer_run_ns / (double)(peer_wall_ns() - begin_ns);
        if (share < 1.5 || peer_count >= PEER_COUNT_MAX)
            break;
        double count = (double)peer_count * (share < 8 ? share : 8);
        peer_count = (uint64_t)count;
        if (peer_count > PEER_COUNT_MAX)
            peer_count = PEER_COUNT_MAX;
        peer_count -= peer_count % PEER_COUNT_MIN;
    }
}

static inline void peer_figure(const char *name, double (*run)(void))
{
    double values[PEER_RUNS];
    peer_calibrate(run);
    for (int i = 0; i < PEER_RUNS; i++)
        values[i] = run();
    peer_value(name, peer_median(values, PEER_RUNS));
}

static inline void peer_begin(const char *version)
{
    PEER_CHECK(sched_getaffinity(0, sizeof(peer_allowed), &peer_allowed) == 0);
    peer_text("version", version);
}

static inline void peer_end(void)
{
    printf("}\n");
}

#endif
