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

/* The run queue's end of it, where something is queued already; gives the lock back. */
void send_behind(struct cpu *cpu, struct actor *target);

/* True: it is sent. False: nothing was done, send_begin is to do it. Outside. It calls nothing but
 * in the end, so that it needs no frame. */
static inline __attribute__((always_inline)) bool send_quick(struct cpu *cpu, struct turn *turn,
                                                             tn_cap to, uint32_t method,
                                                             const struct tn_pack *in)
{
    struct actor *actor = turn->actor;
    struct cell_pool *pool = actor->pool;
    struct cap_view view;
    uint32_t len = in->len;
    if (__builtin_expect(in->ncaps != 0 || len > TN_INLINE || pool == NULL, 0) ||
        !cap_find_near(actor->space, to, OBJ_ENDPOINT, TN_R_CALL, &view))
        return false;
    struct endpoint *endpoint = (struct endpoint *)view.object; /* by the capability's type */
    struct actor *target = endpoint->target;
    uint32_t interface = method >> 16;
    if (__builtin_expect(target == NULL || interface == 0, 0) ||
        (endpoint->interface != interface && endpoint->interface != 0) ||
        actor_life(target) != ACTOR_READY || !cpu_try_enter(cpu))
        return false;
    struct mbox *mbox = &target->mbox;
    struct cell *cell = pool->free;
    uint32_t credits = 0, run = ACTOR_GONE;
    if (__builtin_expect(actor_here(cpu, target), 1)) { /* else it is not ours to look at */
        credits = at_load(&mbox->credits, RELAXED);
        run = target->run;
    }
    bool idle = run == ACTOR_IDLE;
    if (__builtin_expect(cell == NULL || cpu->out.target != NULL || credits == 0 ||
                             at_load(&mbox->pushed, RELAXED) != NULL ||
                             !(idle || run == ACTOR_QUEUED || run == ACTOR_RUNNING),
                         0)) {
        cpu_leave(cpu);
        return false;
    }
    pool->free = cell->link;
    at_store(&mbox->credits, credits - 1, RELAXED);
    cell->badge = view.badge;
    cell->cause = turn->info.cause;
    cell->method = method;
    cell_set_plain(cell, len);
    bytes_copy_short(cell->body.bytes, in->data, len);
    at_count(&actor->stats.messages_sent, 1);
    mbox_append(mbox, cell);
    if (idle && target->turns < target->room) {
        target->run = ACTOR_QUEUED;
        target->queued_at = (uint8_t)actor_priority(target);
        if (__builtin_expect(!queue_empty(cpu), 0)) {
            send_behind(cpu, target);
            return true;
        }
        at_store(&cpu->next, target, RELAXED);
    }
    cpu_leave(cpu);
    return true;
}

#endif
