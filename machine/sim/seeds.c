/* seeds.c: which seeds a test tries, said in one place for all, and which one failed. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "machine/sim/sim_int.h"

static struct {
    bool trying, installed;
    uint64_t seed, left; /* the one that is tried; those after it */
    uint64_t began_ns;   /* of CPU time, when it was handed out */
    uint64_t slowest, slowest_ns;
} seeds;

/* What a seed may take of a real CPU's time, so that thousands of them are tried. */
static const uint64_t seed_ns_max = 25000000;

static uint64_t cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* it is on every Linux */
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* A number above or at `least` from the environment; `otherwise` when it is not set. */
static uint64_t number_of(const char *name, uint64_t least, uint64_t otherwise)
{
    const char *text = getenv(name);
    if (text == NULL)
        return otherwise;
    char *end, what[96];
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && *text != '-' && number >= least)
        return number;
    (void)snprintf(what, sizeof(what), "%s is no number of at least %" PRIu64, name, least);
    machine_panic(what, __FILE__, __LINE__);
}

uint64_t sim_seeds(uint64_t few)
{
    uint64_t count = number_of("SEEDS", 1, few);
    return count > few ? count : few;
}

/* A seed is over. It decides nothing: a run is the same however long it takes. */
static void note_time(void)
{
    uint64_t took_ns = cpu_ns() - seeds.began_ns;
    if (took_ns <= seeds.slowest_ns)
        return;
    seeds.slowest_ns = took_ns;
    seeds.slowest = seeds.seed;
}

/* The program of test x is x_test. */
static int test_name_len(const char *program)
{
    static const char end[] = "_test";
    size_t len = strlen(program), end_len = sizeof(end) - 1;
    return (int)(len > end_len && strcmp(program + len - end_len, end) == 0 ? len - end_len : len);
}

static void say_slow(void)
{
    const char *program = program_invocation_short_name;
    char text[256];
    if (getenv("SEEDS") == NULL || seeds.slowest_ns <= seed_ns_max)
        return;
    int n =
        snprintf(text, sizeof(text), "tenon: slow: seed %" PRIu64 " of %.*s takes %" PRIu64 " ms\n",
                 seeds.slowest, test_name_len(program), program, seeds.slowest_ns / 1000000);
    if (n > 0)
        machine_console(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

void sim_say_seed(void)
{
    if (!seeds.trying)
        return;
    const char *program = program_invocation_short_name;
    char text[256];
    int n = snprintf(text, sizeof(text),
                     "tenon: failed with seed %" PRIu64 "; to repeat it:\n"
                     "tenon:     ./dev sim --seed %" PRIu64 " %.*s\n",
                     seeds.seed, seeds.seed, test_name_len(program), program);
    if (n > 0)
        machine_console(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
    seeds.trying = false;
}

bool sim_one_seed(void)
{
    return getenv("SEED") != NULL;
}

bool sim_next_seed(uint64_t few, uint64_t *seed)
{
    if (*seed == SIM_BEGIN) {
        sim_say_seed(); /* a test that left its loop early has failed */
        if (!seeds.installed)
            seeds.installed = atexit(sim_say_seed) == 0;
        seeds.seed = number_of("SEED", 0, number_of("SEED_FROM", 0, 0));
        seeds.left = sim_one_seed() ? 1 : sim_seeds(few);
        seeds.trying = true;
        seeds.slowest_ns = 0;
    } else {
        ASSERT(seeds.trying && *seed == seeds.seed && seeds.left > 0);
        note_time();
        seeds.seed++;
        seeds.left--;
    }
    seeds.began_ns = cpu_ns();
    seeds.trying = seeds.left > 0;
    if (!seeds.trying)
        say_slow();
    *seed = seeds.seed;
    return seeds.trying;
}
