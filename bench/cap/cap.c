/* cap.c: what capabilities cost, by how many there are below one parent, and what one derivation
 * lock costs two CPUs that both derive and delete.
 *
 *   bench_cap [RUNS]
 *
 * Each figure is the median of the runs (nine unless said), in CPU time of the thread; where two
 * work it is what one pair of operations costs its thread, the wait for the lock included. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/bits.h"
#include "kernel/cap/lookup.h"
#include "kernel/mem/limbo.h"
#include "kernel/mem/mem.h"
#include "machine/linux/linux.h"

enum { RUNS_DEFAULT = 9, RUNS_MAX = 99, OPERATIONS = 200000, SPACES = 3, MEMORY = 256 << 20 };

static struct limbo limbo;
static struct cap_root root[2];
static struct space *space[SPACES];
static struct untyped *memory;

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "bench_cap: %s\n", what);
    exit(EXIT_FAILURE);
}
#define CHECK(holds) check((holds), #holds)

static double now_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void open_world(void)
{
    const struct linux_machine machine = {.cpus = 1, .memory_bytes = MEMORY};
    struct machine_region region;
    CHECK(linux_machine_init(&machine) == 0 && machine_region(0, &region));
    limbo_init(&limbo, 1);
    CHECK(untyped_boot(region.base, region.size_bytes, &limbo, &memory) == TN_OK);
    cap_root_init(&root[0]);
    cap_root_init(&root[1]);
}

/* Fresh spaces, and in the first of them a capability with `children` children there and in the
 * next; the one at `near` (or beyond the first chunk) is returned. */
static tn_cap open_spaces(uint32_t children, bool near, struct cap_root *of_second)
{
    for (uint32_t i = 0; i < SPACES; i++)
        CHECK(space_make(memory, i == 1 ? of_second : &root[0], &limbo, TN_SPACE_MAX, &space[i]) ==
              TN_OK);
    struct space *thing = NULL;
    tn_cap cap = 0, top = 0;
    CHECK(space_make(memory, &root[0], &limbo, 1, &thing) == TN_OK);
    for (uint32_t i = 0; !near && i < CHUNK_SLOTS; i++)
        CHECK(cap_insert(space[0], space_object(thing), TN_R_ALL, 0, NULL, 0, &cap) == TN_OK);
    CHECK(cap_insert(space[0], space_object(thing), TN_R_ALL, 0, NULL, 0, &top) == TN_OK);
    object_unref(space_object(thing));
    for (uint32_t i = 0; i < children; i++)
        CHECK(cap_mint(space[0], top, space[i % 2 * 2], TN_R_ALL, 0, &cap) == TN_OK);
    return top;
}

static void close_spaces(void)
{
    for (uint32_t i = 0; i < SPACES; i++)
        object_unref(space_object(space[i]));
    limbo_drain(&limbo);
}

static double run_lookup(tn_cap cap)
{
    struct cap_view view;
    double begin = now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t i = 0; i < OPERATIONS; i++)
        CHECK(cap_find(space[0], cap, OBJ_SPACE, TN_R_READ | TN_R_CALL, &view) == TN_OK);
    return (now_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / OPERATIONS;
}

static double run_call_lookup(tn_cap cap)
{
    struct cap_view view;
    double begin = now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t i = 0; i < OPERATIONS; i++)
        CHECK(cap_lookup(space[0], cap, OBJ_SPACE, TN_R_READ | TN_R_CALL, &view) == TN_OK);
    return (now_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / OPERATIONS;
}

static double run_mint_delete(tn_cap cap)
{
    tn_cap child = 0;
    double begin = now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t i = 0; i < OPERATIONS; i++) {
        CHECK(cap_mint(space[0], cap, space[0], TN_R_READ, 7, &child) == TN_OK);
        CHECK(cap_delete(space[0], child) == TN_OK);
    }
    return (now_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / OPERATIONS;
}

enum { MINTS = 4000 };

static double run_mint(tn_cap cap)
{
    tn_cap child = 0;
    for (uint32_t i = 0; i < MINTS; i++)
        CHECK(cap_mint(space[0], cap, space[1], TN_R_READ, 7, &child) == TN_OK);
    space_clear(space[1]);
    double begin = now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t i = 0; i < MINTS; i++)
        CHECK(cap_mint(space[0], cap, space[1], TN_R_READ, 7, &child) == TN_OK);
    return (now_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / MINTS;
}

static double run_revoke(tn_cap cap)
{
    uint32_t n = space_count(space[0]) + space_count(space[2]);
    double begin = now_ns(CLOCK_THREAD_CPUTIME_ID);
    CHECK(cap_revoke(space[0], cap) == TN_OK);
    n -= space_count(space[0]) + space_count(space[2]);
    return (now_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / n;
}

static void *churn(void *arg)
{
    struct space *own = arg;
    tn_cap first = UINT64_C(1) << WORD_GENERATION_SHIFT, child = 0;
    for (uint32_t i = 0; i < OPERATIONS; i++) {
        CHECK(cap_mint(own, first, own, TN_R_READ, 7, &child) == TN_OK);
        CHECK(cap_delete(own, child) == TN_OK);
    }
    return NULL;
}

/* What one more lock on the way would cost. */
static double run_lock(tn_cap cap)
{
    (void)cap;
    double begin = now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t i = 0; i < OPERATIONS; i++) {
        lock_take(&root[1].lock);
        lock_drop(&root[1].lock);
    }
    return (now_ns(CLOCK_THREAD_CPUTIME_ID) - begin) / OPERATIONS;
}

/* Mint and delete of two threads, each in a space of its own. */
static double run_two(tn_cap cap)
{
    (void)cap;
    struct space *thing = NULL;
    tn_cap own = 0;
    CHECK(space_make(memory, space[1]->root, &limbo, 1, &thing) == TN_OK);
    CHECK(cap_insert(space[1], space_object(thing), TN_R_ALL, 0, NULL, 0, &own) == TN_OK);
    object_unref(space_object(thing));
    pthread_t other;
    double begin = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    CHECK(pthread_create(&other, NULL, churn, space[1]) == 0);
    (void)churn(space[0]);
    CHECK(pthread_join(other, NULL) == 0);
    return (now_ns(CLOCK_PROCESS_CPUTIME_ID) - begin) / (2.0 * OPERATIONS);
}

static const struct figure {
    const char *name;
    double (*run)(tn_cap cap);
    uint32_t children;
    bool far;       /* the capability is beyond the first chunk */
    bool two_roots; /* the second space has a derivation lock of its own */
} figures[] = {
    {"lookup inlined", run_lookup, 0, false, false},
    {"lookup inlined, 100,000 children", run_lookup, 100000, false, false},
    {"lookup inlined, beyond the first chunk", run_lookup, 0, true, false},
    {"lookup called", run_call_lookup, 0, false, false},
    {"lookup called, beyond the first chunk", run_call_lookup, 0, true, false},
    {"mint", run_mint, 0, false, false},
    {"mint and delete", run_mint_delete, 0, false, false},
    {"mint and delete, 1,000 children", run_mint_delete, 1000, false, false},
    {"mint and delete, 100,000 children", run_mint_delete, 100000, false, false},
    {"revoke, each of 1,000", run_revoke, 1000, false, false},
    {"revoke, each of 100,000", run_revoke, 100000, false, false},
    {"a lock, taken and dropped", run_lock, 0, false, false},
    {"two threads, mint and delete, one lock", run_two, 0, false, false},
    {"two threads, mint and delete, two locks", run_two, 0, false, true},
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    double values[RUNS_MAX];
    uint32_t runs = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : RUNS_DEFAULT;
    if (runs == 0 || runs > RUNS_MAX || argc > 2) {
        fprintf(stderr, "usage: %s [RUNS]\n", argv[0]);
        return 2;
    }
    open_world();
    for (uint32_t i = 0; i < ARRAY_LEN(figures); i++) {
        const struct figure *f = &figures[i];
        for (uint32_t r = 0; r < runs; r++) {
            tn_cap cap = open_spaces(f->children, !f->far, &root[f->two_roots]);
            values[r] = f->run(cap);
            close_spaces();
        }
        qsort(values, runs, sizeof(values[0]), compare);
        printf("%8.1f ns  %s\n", values[runs / 2], f->name);
    }
    return EXIT_SUCCESS;
}
