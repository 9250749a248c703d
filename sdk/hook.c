/* hook.c: the table of a hook point, and running it (the essay is in hook.h). */
#include "sdk/hook.h"

#include "base/bytes.h"

static bool runs_before(const struct hook *hook, uint32_t priority, uint32_t id)
{
    return hook->priority < priority || (hook->priority == priority && hook->id <= id);
}

tn_err hook_add(struct hook_point *point, uint32_t priority, uint64_t capability, tn_cap handler,
                uint32_t *ret_id)
{
    if (handler == 0)
        return TN_EINVAL;
    if (point->n == TN_HOOKS_MAX || point->last_id == UINT32_MAX)
        return TN_ELIMIT;
    uint32_t id = (uint32_t)++point->last_id, at = point->n;
    while (at > 0 && !runs_before(&point->hook[at - 1], priority, id)) {
        point->hook[at] = point->hook[at - 1];
        at--;
    }
    point->hook[at] =
        (struct hook){.priority = priority, .id = id, .capability = capability, .handler = handler};
    point->n++;
    if (ret_id != NULL)
        *ret_id = id;
    return TN_OK;
}

static void remove_at(struct hook_point *point, uint32_t at)
{
    /* It may be stale already. */
    tn_err err = tn_cap_drop(point->hook[at].handler);
    (void)err;
    point->n--;
    for (; at < point->n; at++)
        point->hook[at] = point->hook[at + 1];
    point->hook[at] = (struct hook){.id = 0};
}

tn_err hook_remove(struct hook_point *point, uint32_t id)
{
    for (uint32_t i = 0; i < point->n; i++) {
        if (point->hook[i].id == id) {
            remove_at(point, i);
            return TN_OK;
        }
    }
    return TN_ENOTFOUND;
}

uint32_t hook_remove_of(struct hook_point *point, uint64_t capability)
{
    uint32_t removed = 0;
    for (uint32_t i = 0; i < point->n;) {
        if (point->hook[i].capability != capability) {
            i++;
            continue;
        }
        remove_at(point, i);
        removed++;
    }
    return removed;
}

/* The handler will never answer again. */
static bool is_gone(tn_err err)
{
    return err == TN_EGONE || err == TN_EBADCAP;
}

static void drop_gone(struct hook_point *point, uint32_t id)
{
    if (hook_remove(point, id) == TN_OK) /* nobody was faster */
        point->stats.gone++;
}

/* The first hook after *hook in the order of a run, which is a copy: the table may have changed. */
static bool next_hook(const struct hook_point *point, struct hook *hook)
{
    for (uint32_t i = 0; i < point->n; i++) {
        if (!runs_before(&point->hook[i], hook->priority, hook->id)) {
            *hook = point->hook[i];
            return true;
        }
    }
    return false;
}

static tn_err run_begin(struct hook_point *point, uint64_t cause)
{
    uint32_t nested = 0;
    for (uint32_t i = 0; i < point->nrunning; i++)
        nested += point->running[i] == cause;
    if (nested >= HOOK_NESTED_MAX || point->nrunning == HOOK_RUNS_MAX)
        return TN_EDEPTH;
    point->running[point->nrunning++] = cause;
    point->stats.runs++;
    return TN_OK;
}

static void run_end(struct hook_point *point, uint64_t cause)
{
    uint32_t i = 0;
    while (point->running[i] != cause)
        i++;
    point->running[i] = point->running[--point->nrunning];
}

static tn_time limit(const struct hook_point *point, const struct tn_turn *turn)
{
    uint64_t most = point->limit_ns != 0 ? point->limit_ns : HOOK_LIMIT_NS;
    return turn->now < TN_NEVER - most ? turn->now + most : TN_NEVER;
}

/* Calls one handler; what it changes takes the place of the arguments. */
static tn_err call_pre(struct hook_point *point, const struct tn_turn *turn, uint32_t method,
                       struct hook_args *args, tn_cap handler)
{
    uint32_t half = args->room != NULL ? args->room_bytes / 2 / 8 * 8 : 0;
    uint8_t *room = args->room;
    if (room != NULL && args->in.data == room)
        room += half;
    struct tn_pack out = {.size = half};
    out.data_bits = (uintptr_t)room;
    tn_err err = tn_call(handler, method, &args->in, &out, limit(point, turn));
    if (err != TN_OK || out.len == 0)
        return err;
    args->in.data_bits = (uintptr_t)room;
    args->in.len = out.len;
    point->stats.changed++;
    return TN_OK;
}

tn_err hook_run_pre(struct hook_point *point, const struct tn_turn *turn, uint32_t method,
                    struct hook_args *args)
{
    struct hook hook = {.id = 0};
    uint64_t cause = turn->cause;
    args->in.move = 0; /* each is given a copy */
    tn_err err = run_begin(point, cause);
    if (err != TN_OK) {
        point->stats.failed++;
        return err;
    }
    while (err == TN_OK && next_hook(point, &hook)) {
        err = call_pre(point, turn, method, args, hook.handler);
        if (is_gone(err)) {
            drop_gone(point, hook.id);
            err = TN_OK;
        }
    }
    run_end(point, cause);
    if (err > 0 || err == TN_EDENIED)
        point->stats.refused++;
    else if (err != TN_OK)
        point->stats.failed++;
    return err;
}

void hook_run_post(struct hook_point *point, const struct tn_turn *turn, uint32_t method,
                   const struct tn_pack *in)
{
    struct hook hook = {.id = 0};
    struct tn_pack pack = *in;
    uint64_t cause = turn->cause;
    pack.move = 0;
    if (run_begin(point, cause) != TN_OK) {
        point->stats.failed++;
        return;
    }
    while (next_hook(point, &hook)) {
        tn_err err = tn_call(hook.handler, method, &pack, NULL, limit(point, turn));
        if (is_gone(err))
            drop_gone(point, hook.id);
        else if (err != TN_OK)
            point->stats.failed++;
    }
    run_end(point, cause);
}
