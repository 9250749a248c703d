/* ipc_int.h: what the files of ipc/ share. */
#ifndef KERNEL_IPC_IPC_INT_H
#define KERNEL_IPC_IPC_INT_H

#include "base/assert.h"
#include "kernel/cap/lookup.h"
#include "kernel/ipc/ipc.h"
#include "kernel/ipc/quick.h"
#include "kernel/sched/outbox.h"

/* What a message may carry: TN_EINVAL (too many capabilities), TN_ETOOBIG. */
static inline tn_err pack_check(const struct tn_pack *in)
{
    if (in->ncaps > TN_PACK_CAPS)
        return TN_EINVAL;
    return in->len > TN_ARGS_MAX ? TN_ETOOBIG : TN_OK;
}

/* Which of several targets takes this message; one that cannot serve when none can. */
struct actor *endpoint_route(struct cpu *cpu, struct endpoint *endpoint, const struct tn_pack *in);
bool endpoint_has(const struct endpoint *endpoint, const struct actor *actor);

/* Where a message through the capability `to` goes, of a turn that may call it by that method.
 * TN_EMETHOD, TN_EAGAIN (not started yet), TN_EGONE, and what cap_lookup gives. */
static inline __attribute__((always_inline)) tn_err endpoint_decode(
    struct cpu *cpu, struct turn *turn, tn_cap to, uint32_t method, const struct tn_pack *in,
    struct endpoint **ret_endpoint, struct actor **ret_target, uint64_t *ret_badge)
{
    struct cap_view view;
    tn_err err = cap_find(turn->actor->space, to, OBJ_ENDPOINT, TN_R_CALL, &view);
    if (__builtin_expect(err != TN_OK, 0))
        return err;
    struct endpoint *endpoint = endpoint_of(view.object);
    uint32_t interface = method >> 16;
    if (interface == 0 || (endpoint->interface != interface && endpoint->interface != 0))
        return TN_EMETHOD;
    struct actor *target = endpoint->target;
    if (__builtin_expect(target == NULL, 0)) {
        err = pack_check(in); /* the rule may look into it */
        if (err != TN_OK)
            return err;
        target = endpoint_route(cpu, endpoint, in);
    }
    enum actor_life life = actor_life(target);
    if (__builtin_expect(life != ACTOR_READY, 0))
        return life == ACTOR_CREATED ? TN_EAGAIN : TN_EGONE;
    *ret_endpoint = endpoint;
    *ret_target = target;
    *ret_badge = view.badge;
    return TN_OK;
}

/* Makes an object's memory: header set, refs = 1, charged to mem, which lives as long. NULL: no
 * room. And gives it back. */
static inline void *ipc_make(struct untyped *mem, struct limbo *limbo,
                             const struct object_class *class, size_t bytes)
{
    struct object *object = mem_alloc(mem, bytes);
    if (object == NULL)
        return NULL;
    object_init(object, class, mem, limbo);
    return object;
}

static inline void ipc_unmake(struct object *object, size_t bytes)
{
    mem_free(object->home, object, bytes);
}

/* Bits that turns wait for: what a notification is, and what each end of a channel has. All under
 * its lock. */
struct bell {
    struct spinlock lock;
    bool closed;       /* nobody will wait for it any more */
    atomic_u64 bits;   /* taken by the first who waits; others look whether there are any */
    atomic_u64 always; /* stay when they are taken; likewise */
    struct wait_queue queue;
};

void bell_init(struct bell *bell);
/* Adds the bits, which may be none, and hands them to the first who waits. TN_EGONE: closed. Any
 * CPU; `cpu` is the caller's. */
tn_err bell_ring(struct cpu *cpu, struct bell *bell, uint64_t bits);
/* From now on these bits are there for all who wait. Any CPU. */
void bell_ring_for_ever(struct bell *bell, uint64_t bits);
/* No capability to it is left: who waits gets TN_EGONE. `for_good`: there will never be one. */
void bell_orphan(struct bell *bell, bool for_good);

/* channel.c: what tn_signal does by the capability of a channel's end; and what tn_wait waits for
 * by it. TN_ETYPE: it is none. */
tn_err channel_signal(struct cpu *cpu, struct turn *turn, tn_cap end, uint64_t bits);
tn_err channel_bell(struct turn *turn, tn_cap end, struct object **ret_object,
                    struct bell **ret_bell);

/* invoke.c: a call that is none on an endpoint, which was `refused` as TN_ETYPE, or none that it
 * leads on, TN_EMETHOD: of a method of the kernel's own. TN_OK: it is over, call_end follows; or
 * IPC_PENDING. */
tn_err invoke(struct cpu *cpu, struct turn *turn, tn_cap to, uint32_t number,
              const struct tn_pack *in, const struct tn_pack *room, tn_err refused);

/* What those methods ask of the objects. The object is one of that type, and may have lost its last
 * capability in this moment. */
uint64_t note_poll(struct object *note); /* takes the bits that are there */
/* TN_EBUSY, TN_ENOMEM, TN_EBADCAP. The caller holds the actor, and sees to it that a notification
 * that was orphaned meanwhile is unbound: bound, it lives. */
tn_err note_bind(struct cpu *cpu, struct object *note, struct actor *actor);
tn_err note_unbind(struct object *note); /* TN_ENOTFOUND */
void timer_look(struct cpu *cpu, struct object *timer, tn_time *ret_at, uint64_t *ret_cookie,
                bool *ret_fired);
bool buffer_is_slice(const struct buffer *buffer);
/* Whether its caller waits, and how many bytes it has room for, else 0. */
bool reply_waits(struct object *reply, uint32_t *ret_room_bytes);
void channel_look(struct object *end, uint64_t *ret_capacity, bool *ret_produces, bool *ret_gone);
enum endpoint_rule endpoint_look(const struct endpoint *endpoint, uint32_t *ret_targets,
                                 uint32_t *ret_ready);

/* Takes a cell of the turn's actor, making its pool at first use. NULL: no memory. */
struct cell *actor_cell(struct actor *actor);

/* A fresh wait of the turn's actor that expires at `deadline`; its generation. TN_ENOMEM. */
static inline __attribute__((always_inline)) tn_err wait_begin(struct turn *turn,
                                                               struct wait **ret_wait,
                                                               uint64_t *ret_generation)
{
    struct wait *wait = wait_open(turn);
    if (__builtin_expect(wait == NULL, 0))
        return TN_ENOMEM;
    *ret_generation = wait_generation(wait);
    *ret_wait = wait;
    return TN_OK;
}
/* The turns below this one, whose calls run at once, say for whom they wait and lend him their
 * priority. Before this one says for whom it waits, or looks for a circle. */
void calls_publish(struct turn *turn);
/* A credit of the target's mailbox, taken outside of its home; false when it is full, or, for one
 * who may wait, nearly full at the door of those inside. `own` is the caller's CPU. */
bool credit_away(struct cpu *own, struct actor *target, bool may_wait);
/* Arms the expiry of an open wait, unless `deadline` is TN_NEVER. */
void wait_expire_at(struct cpu *cpu, struct wait *wait, tn_time deadline);
/* At that time `tell` completes it instead, in its own way. */
void wait_tell_at(struct cpu *cpu, struct wait *wait, tn_time at,
                  void (*tell)(struct cpu *cpu, struct event *event));

#endif
