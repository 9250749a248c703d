/* crowd.c: see crowd.h. */
#include "bench/core/crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "kernel/ipc/ipc.h"
#include "runtime/kernel/native.h"

enum { CROWD_MAILBOX = 64, CROWD_SLOTS = 8 };

bool bench_wall;

void bench_fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
    exit(EXIT_FAILURE);
}

uint64_t bench_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(bench_wall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, uint32_t n)
{
    qsort(values, n, sizeof(values[0]), compare);
    return values[n / 2];
}

uint64_t bench_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

uint32_t *bench_shuffled(uint32_t n)
{
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
    uint32_t *order = malloc(n * sizeof(order[0]));
    BENCH_MUST(order != NULL);
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t k = (uint32_t)(bench_random(&state) % i), last = order[i - 1];
        order[i - 1] = order[k];
        order[k] = last;
    }
    return order;
}

static void make_one(struct crowd *crowd, const struct crowd_config *c, uint32_t i,
                     struct space **ret_space)
{
    struct kernel *kernel = c->kernel;
    BENCH_MUST(space_make(kernel->root, &kernel->caps, &kernel->limbo,
                          c->slots > 0 ? c->slots : CROWD_SLOTS, ret_space) == TN_OK);
    const struct actor_config config = {.name = "one of many",
                                        .memory = kernel->root,
                                        .space = *ret_space,
                                        .mailbox = CROWD_MAILBOX,
                                        .priority = TN_PRIORITY_DEFAULT,
                                        .pinned = c->pinned,
                                        .home = kernel->cpu[c->home == NULL ? 0 : c->home(i)],
                                        .limbo = &kernel->limbo,
                                        .alive = &kernel->alive};
    BENCH_MUST(actor_make(&config, &crowd->actor[i]) == TN_OK);
    BENCH_MUST(native_make(crowd->actor[i], c->component, &crowd->needs) == TN_OK);
    BENCH_MUST(actor_ready(crowd->actor[i]));
    object_unref(space_object(*ret_space)); /* the actor's now */
}

/* In a fresh space the first capability always has the same handle: all share their needs. */
static void name_other(struct crowd *crowd, const struct crowd_config *c, struct space *space,
                       uint32_t other)
{
    struct kernel *kernel = c->kernel;
    struct endpoint *endpoint;
    tn_cap cap;
    BENCH_MUST(endpoint_make(kernel->root, &kernel->limbo, crowd->actor[other], 0, &endpoint) ==
               TN_OK);
    BENCH_MUST(cap_insert(space, endpoint_object(endpoint), TN_R_CALL, 1, NULL, 0, &cap) == TN_OK);
    object_unref(endpoint_object(endpoint));
    BENCH_MUST(crowd->need.cap == 0 || crowd->need.cap == cap);
    crowd->need.cap = cap;
}

void crowd_make(struct crowd *crowd, const struct crowd_config *config)
{
    uint32_t n = config->n;
    uint64_t used = mem_stats(config->kernel->root).used_bytes;
    *crowd = (struct crowd){.n = n,
                            .actor = malloc(n * sizeof(struct actor *)),
                            .poke = calloc(n, sizeof(struct embedded)),
                            .need = {"other", 5, 0}};
    crowd->needs = (struct needs){&crowd->need, 1};
    struct space **spaces = malloc(n * sizeof(spaces[0]));
    BENCH_MUST(crowd->actor != NULL && crowd->poke != NULL && spaces != NULL);
    for (uint32_t i = 0; i < n; i++)
        make_one(crowd, config, i, &spaces[i]);
    for (uint32_t i = 0; i < n; i++)
        name_other(crowd, config, spaces[i], config->other == NULL ? n - 1 : config->other[i]);
    free(spaces);
    crowd->bytes = (mem_stats(config->kernel->root).used_bytes - used) / n;
}

void crowd_poke(struct crowd *crowd, uint32_t i)
{
    struct embedded *poke = &crowd->poke[i];
    poke->object = actor_object(crowd->actor[i]);
    poke->cell.flags = CELL_EMBEDDED;
    poke->cell.cls = MSG_INTERRUPT_NOTIFY;
    BENCH_MUST(embedded_claim(poke));
    sched_post(NULL, crowd->actor[i], &poke->cell);
}

void crowd_forget(struct crowd *crowd)
{
    free(crowd->actor);
    free(crowd->poke);
}

void crowd_kill(struct crowd *crowd)
{
    for (uint32_t i = 0; i < crowd->n; i++) {
        actor_kill(NULL, crowd->actor[i]);
        object_unref(actor_object(crowd->actor[i]));
    }
    crowd_forget(crowd);
}

uint64_t bench_free_bytes(void)
{
    char line[128];
    unsigned long long kib = 0;
    FILE *file = fopen("/proc/meminfo", "re");
    while (file != NULL && kib == 0 && fgets(line, sizeof(line), file) != NULL)
        (void)sscanf(line, "MemAvailable: %llu kB", &kib);
    if (file != NULL)
        (void)fclose(file);
    return (uint64_t)kib * 1024;
}
