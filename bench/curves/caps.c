/* caps.c: capabilities, by how many there are below one parent, and which of them is meant is
 * random. In two spaces, for one has no room for a hundred thousand. */
#include <stdlib.h>

#include "bench/core/crowd.h"
#include "bench/curves/curves.h"
#include "kernel/cap/lookup.h"
#include "kernel/mem/limbo.h"
#include "kernel/mem/mem.h"

enum {
    OPERATIONS = 200000, /* of a run, at least */
    MORE = 256,          /* minted and deleted at a time, beside those that stand */
    REVOKED = 4096,      /* of a run, at least, below as many parents as that takes */
    CAP_BYTES = 128,     /* more than one takes */
    MARGIN_BYTES = 64 << 20,
    SPACES = 2,
};

static struct {
    struct limbo limbo;
    struct cap_root root;
    struct untyped *memory;
    struct space *space[SPACES];
    tn_cap top;
    tn_cap *cap; /* those below it, of which cap[i] is in space[i % SPACES] */
    uint32_t *order;
    uint32_t n;
} all;

static tn_cap insert(struct space *space)
{
    struct space *thing;
    tn_cap cap;
    BENCH_MUST(space_make(all.memory, &all.root, &all.limbo, 1, &thing) == TN_OK);
    BENCH_MUST(cap_insert(space, space_object(thing), TN_R_ALL, 0, NULL, 0, &cap) == TN_OK);
    object_unref(space_object(thing));
    return cap;
}

static void mint_nth(uint32_t i)
{
    BENCH_MUST(cap_mint(all.space[0], all.top, all.space[i % SPACES], TN_R_ALL, 0, &all.cap[i]) ==
               TN_OK);
}

static void delete_nth(uint32_t i)
{
    BENCH_MUST(cap_delete(all.space[i % SPACES], all.cap[i]) == TN_OK);
}

/* One parent with n below it, and room for some more. */
static bool open_world(uint32_t n)
{
    struct machine_region region;
    if (!curves_open((uint64_t)(n + REVOKED) * CAP_BYTES + MARGIN_BYTES))
        return false;
    BENCH_MUST(machine_region(0, &region));
    limbo_init(&all.limbo, 1);
    BENCH_MUST(untyped_boot(region.base, region.size_bytes, &all.limbo, &all.memory) == TN_OK);
    cap_root_init(&all.root);
    for (uint32_t i = 0; i < SPACES; i++)
        BENCH_MUST(space_make(all.memory, &all.root, &all.limbo, TN_SPACE_MAX, &all.space[i]) ==
                   TN_OK);
    all.n = n;
    all.top = insert(all.space[0]);
    all.cap = malloc((n + MORE) * sizeof(all.cap[0]));
    all.order = bench_shuffled(n + MORE);
    BENCH_MUST(all.cap != NULL);
    for (uint32_t i = 0; i < n + MORE; i++)
        mint_nth(i);
    return true;
}

static void close_world(void)
{
    free(all.cap);
    free(all.order);
    curves_close();
}

static double look(void)
{
    struct cap_view view;
    uint32_t laps = 1 + OPERATIONS / all.n;
    uint64_t begin = bench_now_ns();
    for (uint32_t lap = 0; lap < laps; lap++) {
        for (uint32_t i = 0; i < all.n; i++) {
            uint32_t k = all.order[i];
            BENCH_MUST(cap_find(all.space[k % SPACES], all.cap[k], OBJ_SPACE, TN_R_READ, &view) ==
                       TN_OK);
        }
    }
    return (double)(bench_now_ns() - begin) / ((double)laps * all.n);
}

/* The next few of the order go and come back, and which of the two is measured. */
static double change(bool minting)
{
    uint32_t rounds = OPERATIONS / MORE, at = 0;
    uint64_t took = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        uint64_t begin = bench_now_ns();
        for (uint32_t i = 0; i < MORE; i++)
            delete_nth(all.order[at + i]);
        uint64_t between = bench_now_ns();
        for (uint32_t i = 0; i < MORE; i++)
            mint_nth(all.order[at + i]);
        took += minting ? bench_now_ns() - between : between - begin;
        at = at + 2 * MORE <= all.n + MORE ? at + MORE : 0;
    }
    return (double)took / ((double)rounds * MORE);
}

static double mint(void)
{
    return change(true);
}

static double delete_one(void)
{
    return change(false);
}

/* All below each of some parents. */
static double revoke(void)
{
    uint32_t parents = 1 + REVOKED / all.n;
    tn_cap *parent = malloc(parents * sizeof(parent[0])), cap;
    BENCH_MUST(parent != NULL);
    for (uint32_t i = 0; i < parents; i++) {
        parent[i] = insert(all.space[0]);
        for (uint32_t k = 0; k < all.n; k++)
            BENCH_MUST(cap_mint(all.space[0], parent[i], all.space[k % SPACES], TN_R_ALL, 0,
                                &cap) == TN_OK);
    }
    uint64_t begin = bench_now_ns();
    for (uint32_t i = 0; i < parents; i++)
        BENCH_MUST(cap_revoke(all.space[0], parent[i]) == TN_OK);
    double value = (double)(bench_now_ns() - begin) / ((double)parents * all.n);
    for (uint32_t i = 0; i < parents; i++)
        BENCH_MUST(cap_delete(all.space[0], parent[i]) == TN_OK);
    free(parent);
    return value;
}

static bool measure(uint32_t n, uint32_t runs, double (*what)(void), double *ret_value)
{
    double values[RUNS_MAX];
    if (!open_world(n))
        return false;
    if (what == revoke) /* it brings its own */
        BENCH_MUST(cap_revoke(all.space[0], all.top) == TN_OK);
    (void)what(); /* warms up */
    for (uint32_t i = 0; i < runs; i++)
        values[i] = what();
    *ret_value = bench_median(values, runs);
    close_world();
    return true;
}

bool cap_lookup_any(uint32_t n, uint32_t runs, double *ret_value)
{
    return measure(n, runs, look, ret_value);
}

bool cap_mint_more(uint32_t n, uint32_t runs, double *ret_value)
{
    return measure(n, runs, mint, ret_value);
}

bool cap_delete_any(uint32_t n, uint32_t runs, double *ret_value)
{
    return measure(n, runs, delete_one, ret_value);
}

bool cap_revoke_all(uint32_t n, uint32_t runs, double *ret_value)
{
    return measure(n, runs, revoke, ret_value);
}

bool cap_machine(uint32_t n, uint32_t runs, double *ret_value)
{
    const struct chase what = {.bytes = sizeof(struct slot), .lines = 1, .pieces = 1};
    return chase(&what, n, runs, ret_value);
}
