/* hook.h: hook points: places in a service where other components may look on or step in.
 *
 * A service owns its points: each is a table in its state, so that a call site at which nobody
 * hooked is a load and one branch that is never taken, in every domain and without the kernel. A
 * hook is {point, priority, capability, handler}: which point, when among its neighbours, who asked
 * for it, and an endpoint to be called. What a handler is told are the arguments of a method of
 * the service's choice, in an interface of its own that handlers provide; so they are typed,
 * checked at the walls and known to the tools like everything else.
 *
 *   a pre hook    is called before the service acts, and may refuse (any error, which the service
 *                 gives to its caller) or change what is about to be done (a reply that is not
 *                 empty takes the place of the arguments, for the hooks after it and the service)
 *   a post hook   is called after it; what it says changes nothing, its failures are counted
 *
 * Hooks run one after the other: lower priority first, among equals who came first.
 *
 *   free --hook_add--> at a place by priority --hook_remove, hook_remove_of--> free
 *                                             --its handler answers TN_EGONE or TN_EBADCAP, because
 *                                               its actor died or the capability was revoked
 *                                               (drop_gone)--> free
 *
 * Invariants
 *   1. Each call ends by limit_ns, so a handler that hangs makes a pre hook that refuses with
 *      TN_ETIME, or a post hook that failed; it does not hang the service.
 *   2. A run that its own hooks cause, by calling the service again, is nested at most
 *      HOOK_NESTED_MAX deep; beyond, pre says TN_EDEPTH, and post is a failure. It is the trace
 *      context, which calls inherit, that tells such a run from another turn's.
 *   3. The table may change while a run waits for a handler: who is removed is not called any more,
 *      who is added is if his place is still to come.
 *   4. A point has no pointers and one layout in all domains: save may copy it as it is. */
#ifndef SDK_HOOK_H
#define SDK_HOOK_H

#include <stdbool.h>
#include <tenon/component.h>

#define HOOK_LIMIT_NS UINT64_C(100000000) /* for one handler, where a point says nothing */

enum {
    HOOK_NESTED_MAX = 4,
    HOOK_RUNS_MAX = TN_TURNS_MAX, /* runs of one point at a time: one in each turn of the service */
};

struct hook {
    uint32_t priority;   /* 0 runs first */
    uint32_t id;         /* set by hook_add */
    uint64_t capability; /* whose it is: the badge by which it was asked for */
    tn_cap handler;      /* an endpoint, with the right to call */
};

struct hook_stats {
    uint64_t runs;    /* with at least one hook */
    uint64_t changed; /* by a pre hook */
    uint64_t refused; /* by what a pre hook said, an error of its interface or TN_EDENIED */
    uint64_t failed;  /* hooks that gave another error: late, trapped, full, nested too deep, ... */
    uint64_t gone;    /* hooks whose handler was gone */
};

/* Zeroed it is a point without hooks. */
struct hook_point {
    uint32_t n; /* hooks */
    uint32_t nrunning;
    uint64_t limit_ns; /* longest that one handler may take; 0: HOOK_LIMIT_NS */
    uint64_t last_id;
    struct hook_stats stats;
    uint64_t running[HOOK_RUNS_MAX]; /* trace contexts of the runs that are under way */
    struct hook hook[TN_HOOKS_MAX];  /* in the order in which they run */
};

/* What is about to be done, or was. */
struct hook_args {
    struct tn_pack in; /* arguments of the handlers' method; afterwards as the hooks changed them */
    void *room;        /* where changes go, aligned to 8, in halves; NULL: hooks may only refuse */
    uint32_t room_bytes;
};

/* Adds a hook; its handler belongs to the point from now on. TN_ELIMIT: TN_HOOKS_MAX are there;
 * TN_EINVAL: no handler. ret_id may be NULL. */
TN_MUST tn_err hook_add(struct hook_point *point, uint32_t priority, uint64_t capability,
                        tn_cap handler, uint32_t *ret_id);
/* Removes one, and drops its handler. TN_ENOTFOUND. */
tn_err hook_remove(struct hook_point *point, uint32_t id);
/* Removes all that one component asked for: how many. */
uint32_t hook_remove_of(struct hook_point *point, uint64_t capability);

static inline bool hook_any(const struct hook_point *point)
{
    return __builtin_expect(point->n != 0, 0);
}

tn_err hook_run_pre(struct hook_point *point, const struct tn_turn *turn, uint32_t method,
                    struct hook_args *args);
void hook_run_post(struct hook_point *point, const struct tn_turn *turn, uint32_t method,
                   const struct tn_pack *in);

/* Runs the pre hooks [waits]. TN_OK: go on, with args->in as it is now; else what a hook refused
 * with: TN_ETIME, TN_EDEPTH, ... or its own. TN_ETOOBIG also for a change that has no room. */
static inline TN_MUST tn_err hook_pre(struct hook_point *point, const struct tn_turn *turn,
                                      uint32_t method, struct hook_args *args)
{
    return hook_any(point) ? hook_run_pre(point, turn, method, args) : TN_OK;
}

/* Runs the post hooks [waits]. */
static inline void hook_post(struct hook_point *point, const struct tn_turn *turn, uint32_t method,
                             const struct tn_pack *in)
{
    if (hook_any(point))
        hook_run_post(point, turn, method, in);
}

#endif
