/* channel.c: channels: a ring in memory that both ends have, and a doorbell at each.
 *
 * The kernel makes the ring (base/ring.h) and is then out of the path: records are written and read
 * without it. It looks at nothing in the ring, so nothing in there can harm it. What passes through
 * here is a ring of the doorbell, and only when the other end sleeps.
 *
 * A channel is two objects, its ends, that lie in one piece of memory. An end is named by
 * capabilities like any object; when its last one is gone it is orphaned: its own waiters get
 * TN_EGONE, and the other end's doorbell has TN_BELL_GONE from then on.
 *
 * Invariants
 *   1. The memory of both ends, and the ring, is freed by the second of them to be destroyed; so an
 *      end that can be looked up may touch the other one, whatever became of it.
 *   2. An end is named at most once: after its last capability there is never another, for only
 *      chan_new gives the first. */
#include "kernel/ipc/ipc_int.h"

#include "base/assert.h"
#include "base/bits.h"
#include "base/ring.h"

struct channel_end {
    struct object object;
    struct bell bell;
    struct channel *channel;
    bool produces;
};

enum { PRODUCER, CONSUMER, ENDS };

struct channel {
    struct channel_end end[ENDS];
    uint8_t *ring;
    uint64_t size_bytes; /* of the ring with its header */
    atomic_u32 ends;     /* that are not destroyed */
};

static struct channel_end *other_end(struct channel_end *end)
{
    return &end->channel->end[end->produces ? CONSUMER : PRODUCER];
}

static void end_orphan(struct object *object)
{
    struct channel_end *end = (struct channel_end *)object;
    bell_orphan(&end->bell, true);
    bell_ring_for_ever(&other_end(end)->bell, TN_BELL_GONE);
}

static void end_destroy(struct object *object)
{
    struct channel_end *end = (struct channel_end *)object;
    struct channel *channel = end->channel;
    struct untyped *home = object->home;
    ASSERT(wait_queue_empty(&end->bell.queue));
    /* ACQ_REL: each end's uses come before its end; the second sees them all. */
    uint32_t left = at_sub(&channel->ends, 1, ACQ_REL);
    ASSERT(left == 1 || left == ENDS);
    if (left > 1)
        return;
    mem_free(home, channel->ring, channel->size_bytes);
    mem_free(home, channel, sizeof(*channel));
}

static const struct object_class end_class = {
    .type = OBJ_CHANNEL, .name = "channel", .orphan = end_orphan, .destroy = end_destroy};

static struct channel_end *end_of(struct object *object)
{
    ASSERT(object->class == &end_class);
    return (struct channel_end *)object;
}

tn_err channel_make(struct untyped *mem, struct limbo *limbo, uint64_t capacity,
                    struct channel_end **ret_producer, struct channel_end **ret_consumer)
{
    if (!is_pow2(capacity) || capacity < TN_CHANNEL_MIN)
        return TN_EINVAL;
    if (capacity > TN_CHANNEL_MAX)
        return TN_ETOOBIG;
    struct channel *channel = mem_alloc(mem, sizeof(*channel));
    uint8_t *ring = channel == NULL ? NULL : mem_alloc(mem, RING_HEADER + capacity);
    if (ring == NULL) {
        mem_free(mem, channel, sizeof(*channel));
        return TN_ENOMEM;
    }
    tn_err err = ring_format(ring, capacity);
    ASSERT(err == TN_OK);
    channel->ring = ring;
    channel->size_bytes = RING_HEADER + capacity;
    at_init(&channel->ends, ENDS);
    for (uint32_t i = 0; i < ENDS; i++) {
        struct channel_end *end = &channel->end[i];
        object_init(&end->object, &end_class, mem, limbo);
        bell_init(&end->bell);
        end->channel = channel;
        end->produces = i == PRODUCER;
    }
    *ret_producer = &channel->end[PRODUCER];
    *ret_consumer = &channel->end[CONSUMER];
    return TN_OK;
}

struct object *channel_end_object(struct channel_end *end)
{
    return &end->object;
}

/* The end that a capability names which has the right that makes it of use. */
static tn_err end_find(struct turn *turn, tn_cap cap, struct channel_end **ret_end)
{
    struct cap_view view;
    tn_err err = cap_lookup(turn->actor->space, cap, OBJ_CHANNEL, 0, &view);
    if (err != TN_OK)
        return err;
    struct channel_end *end = end_of(view.object);
    if ((view.rights & (end->produces ? TN_R_WRITE : TN_R_READ)) == 0)
        return TN_ERIGHTS;
    *ret_end = end;
    return TN_OK;
}

tn_err channel_signal(struct cpu *cpu, struct turn *turn, tn_cap cap, uint64_t bits)
{
    struct channel_end *end;
    tn_err err = end_find(turn, cap, &end);
    if (err != TN_OK)
        return err;
    return bell_ring(cpu, &other_end(end)->bell, bits & ~TN_BELL_GONE);
}

tn_err channel_bell(struct turn *turn, tn_cap cap, struct object **ret_object,
                    struct bell **ret_bell)
{
    struct channel_end *end;
    tn_err err = end_find(turn, cap, &end);
    if (err != TN_OK)
        return err;
    *ret_object = &end->object;
    *ret_bell = &end->bell;
    return TN_OK;
}

tn_err chan_new(struct cpu *cpu, struct turn *turn, tn_cap memory, uint64_t capacity,
                tn_cap *ret_producer, tn_cap *ret_consumer)
{
    (void)cpu;
    struct cap_view view;
    struct actor *actor = turn->actor;
    struct space *space = actor->space;
    tn_err err = cap_lookup(space, memory, OBJ_UNTYPED, TN_R_WRITE, &view);
    if (err != TN_OK)
        return err;
    struct channel_end *out, *in;
    err = channel_make(untyped_of(view.object), actor_object(actor)->limbo, capacity, &out, &in);
    if (err != TN_OK)
        return err;
    const uint32_t both = TN_R_CALL | TN_R_GRANT | TN_R_CONTROL;
    tn_cap producer, consumer;
    err = cap_insert(space, &out->object, TN_R_WRITE | both, 0, space, memory, &producer);
    if (err == TN_OK) {
        err = cap_insert(space, &in->object, TN_R_READ | both, 0, space, memory, &consumer);
        if (err != TN_OK)
            (void)cap_delete(space, producer); /* it may be gone: `memory` was revoked */
    }
    object_unref(&out->object); /* the capabilities' now, or nobody's */
    object_unref(&in->object);
    if (err != TN_OK)
        return err;
    *ret_producer = producer;
    *ret_consumer = consumer;
    return TN_OK;
}

tn_err chan_view(struct turn *turn, tn_cap cap, struct chan_view *ret_view)
{
    struct channel_end *end;
    tn_err err = end_find(turn, cap, &end);
    if (err != TN_OK)
        return err;
    *ret_view = (struct chan_view){.at = end->channel->ring,
                                   .size_bytes = end->channel->size_bytes,
                                   .produces = end->produces};
    return TN_OK;
}

void channel_look(struct object *object, uint64_t *ret_capacity, bool *ret_produces, bool *ret_gone)
{
    struct channel_end *end = end_of(object);
    *ret_capacity = end->channel->size_bytes - RING_HEADER;
    *ret_produces = end->produces;
    lock_take(&end->bell.lock);
    *ret_gone = (at_load(&end->bell.always, RELAXED) & TN_BELL_GONE) != 0;
    lock_drop(&end->bell.lock);
}
