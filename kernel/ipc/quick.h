/* quick.h: the usual message, inline: short, without capabilities, to an actor that lives on this
 * CPU and has room. Whoever sends tries this first; every other message, and every error, is
 * send_begin's. With it the layout of endpoints, which it reads. */
#ifndef KERNEL_IPC_QUICK_H
#define KERNEL_IPC_QUICK_H

#include "base/bytes.h"
#include "kernel/cap/lookup.h"
#include "kernel/sched/post.h"

struct endpoint {
    struct object object;
    struct actor *target; /* holds a ref; NULL: `route` says which */
    struct route *route;
    uint16_t interface;
};

extern const struct object_class endpoint_class;
static inline struct endpoint *endpoint_of(struct object *object)
{
    ASSERT(object->class == &endpoint_class);
    return (struct endpoint *)object;
}

/* Inside: whether the target takes one more message without anything else to be done than to put it
 * into its queue, and it into this CPU's; and does so, which it can before it is filled, for nobody
 * else looks there now. */
static inline __attribute__((always_inline)) bool post_quick(struct cpu *cpu, struct actor *target,
                                                             struct cell *cell)
{
    struct mbox *mbox = &target->mbox;
    if (!actor_here(cpu, target) || cpu->gathered != 0)
        return false;
    uint32_t credits = at_load(&mbox->credits, RELAXED), run = target->run;
    if (credits == 0 || at_load(&mbox->pushed, RELAXED) != NULL)
        return false;
    if (run == ACTOR_IDLE) {
        if (target->turns < target->room) {
            target->run = ACTOR_QUEUED;
            queue_push(cpu, target);
        }
    } else if (run != ACTOR_RUNNING && run != ACTOR_QUEUED) {
        return false;
    }
    at_store(&mbox->credits, credits - 1, RELAXED);
    mbox_append(mbox, cell);
    return true;
}

/* True: it is sent. False: nothing was done, send_begin is to do it. Outside. */
static inline __attribute__((always_inline)) bool send_quick(struct cpu *cpu, struct turn *turn,
                                                             tn_cap to, uint32_t method,
                                                             const struct tn_pack *in)
{
    struct actor *actor = turn->actor;
    struct cell_pool *pool = actor->pool;
    struct cap_view view;
    uint32_t len = in->len;
    if (__builtin_expect(in->ncaps != 0 || len > TN_INLINE || pool == NULL, 0) ||
        __builtin_expect(cap_find(actor->space, to, OBJ_ENDPOINT, TN_R_CALL, &view) != TN_OK, 0))
        return false;
    struct endpoint *endpoint = endpoint_of(view.object);
    struct actor *target = endpoint->target;
    uint32_t interface = method >> 16;
    if (__builtin_expect(target == NULL || interface == 0, 0) ||
        (endpoint->interface != interface && endpoint->interface != 0) ||
        actor_life(target) != ACTOR_READY)
        return false;
    cpu_enter(cpu);
    struct cell *cell = pool->free;
    if (__builtin_expect(cell == NULL, 0))
        goto not_so;
    struct cell *rest = cell->link;
    if (__builtin_expect(!post_quick(cpu, target, cell), 0))
        goto not_so;
    pool->free = rest;
    cell->badge = view.badge;
    cell->cause = turn->info.cause;
    cell->method = method;
    cell->cls = TN_CLS_USER;
    cell->flags = CELL_ONEWAY;
    cell->ncaps = 0;
    cell->len = (uint8_t)len;
    bytes_copy_short(cell->body.bytes, in->data, len);
    at_count(&actor->stats.messages_sent, 1);
    cpu_leave(cpu);
    return true;
not_so:
    cpu_leave(cpu);
    return false;
}

#endif
