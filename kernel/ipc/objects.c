/* objects.c: timers, replies and buffers. */
#include "kernel/ipc/ipc_int.h"

#include "base/assert.h"
#include "base/bits.h"
#include "base/bytes.h"

/* Timers */

struct timer {
    struct object object;
    struct spinlock lock; /* one setter, or taker of the message, at a time */
    struct event event;
    /* under the lock: of the arming that was last */
    uint64_t cookie;
    tn_time at;
    atomic_u32 fired; /* that arming has; set inside a CPU, else under the lock */
    struct embedded embedded;
    struct actor *owner; /* holds a ref */
};

static void timer_orphan(struct object *object)
{
    struct timer *timer = (struct timer *)object;
    lock_take(&timer->lock);
    event_cancel(NULL, &timer->event);
    lock_drop(&timer->lock);
}

static void timer_destroy(struct object *object)
{
    struct timer *timer = (struct timer *)object;
    struct actor *owner = timer->owner;
    event_cancel(NULL, &timer->event); /* a setter may have come after the last capability went */
    ipc_unmake(object, sizeof(*timer));
    object_unref(actor_object(owner));
}

static const struct object_class timer_class = {
    .type = OBJ_TIMER, .name = "timer", .orphan = timer_orphan, .destroy = timer_destroy};

/* Inside the CPU that it was armed on. A timer that fires again before its message was taken is one
 * message. */
static void timer_fire(struct cpu *cpu, struct event *event)
{
    struct timer *timer = CONTAINER_OF(event, struct timer, event);
    if (actor_life(timer->owner) != ACTOR_READY)
        return;
    /* RELAXED, before the claim: who takes the message after it was found queued sees this. */
    at_store(&timer->fired, 1, RELAXED);
    if (!embedded_claim(&timer->embedded))
        return;
    timer->embedded.cell.cause = sched_cause(cpu);
    sched_post_inside(cpu, timer->owner, &timer->embedded.cell);
}

/* The message of an arming that was replaced since comes to nothing: after timer_set the owner
 * hears of the new arming only. */
static bool timer_take(struct object *object, uint64_t *ret_cookie)
{
    struct timer *timer = (struct timer *)object;
    lock_take(&timer->lock);
    bool fired = at_swap(&timer->fired, 0, RELAXED) != 0;
    *ret_cookie = timer->cookie;
    lock_drop(&timer->lock);
    return fired;
}

tn_err timer_make(struct untyped *mem, struct limbo *limbo, struct actor *owner,
                  struct timer **ret_timer)
{
    struct timer *timer = ipc_make(mem, limbo, &timer_class, sizeof(*timer));
    if (timer == NULL)
        return TN_ENOMEM;
    object_ref(actor_object(owner));
    timer->owner = owner;
    timer->at = TN_NEVER;
    lock_init(&timer->lock, LOCK_NOTE);
    wheel_timer_init(&timer->event.timer);
    timer->event.fire = timer_fire;
    timer->embedded.cell.flags = CELL_EMBEDDED;
    timer->embedded.cell.cls = MSG_TIMER_EXPIRED;
    timer->embedded.object = &timer->object;
    timer->embedded.take = timer_take;
    at_init(&timer->fired, 0);
    at_init(&timer->embedded.queued, 0);
    *ret_timer = timer;
    return TN_OK;
}

struct object *timer_object(struct timer *timer)
{
    return &timer->object;
}

tn_err timer_set(struct cpu *cpu, struct turn *turn, tn_cap cap, tn_time at, uint64_t cookie)
{
    struct cap_view view;
    tn_err err = cap_lookup(turn->actor->space, cap, OBJ_TIMER, TN_R_WRITE, &view);
    if (err != TN_OK)
        return err;
    struct timer *timer = (struct timer *)view.object;
    lock_take(&timer->lock);
    event_cancel(cpu, &timer->event);
    at_store(&timer->fired, 0, RELAXED);
    timer->cookie = cookie;
    timer->at = at;
    if (at != TN_NEVER)
        event_arm(cpu, &timer->event, at);
    lock_drop(&timer->lock);
    return TN_OK;
}

void timer_look(struct object *object, tn_time *ret_at, uint64_t *ret_cookie, bool *ret_fired)
{
    struct timer *timer = (struct timer *)object;
    ASSERT(object->class == &timer_class);
    lock_take(&timer->lock);
    *ret_at = timer->at;
    *ret_cookie = timer->cookie;
    *ret_fired = at_load(&timer->fired, RELAXED) != 0;
    lock_drop(&timer->lock);
}

/* Replies */

struct reply {
    struct object object;
    struct wait *caller; /* holds a ref to its actor */
    uint64_t generation;
};

/* Dropped unanswered: the caller must not wait for ever. There is no CPU to speak of here: the
 * caller's home is asked. */
static void reply_orphan(struct object *object)
{
    struct reply *reply = (struct reply *)object;
    (void)wait_answer(NULL, reply->caller, reply->generation, TN_EGONE, NULL, NULL);
}

static void reply_destroy(struct object *object)
{
    struct reply *reply = (struct reply *)object;
    struct actor *caller = reply->caller->actor;
    ipc_unmake(object, sizeof(*reply));
    object_unref(actor_object(caller));
}

static const struct object_class reply_class = {
    .type = OBJ_REPLY, .name = "reply", .orphan = reply_orphan, .destroy = reply_destroy};

tn_err defer(struct cpu *cpu, struct turn *turn, tn_cap *ret_reply)
{
    (void)cpu;
    if (turn->caller == NULL)
        return TN_EINVAL;
    struct actor *actor = turn->actor;
    struct limbo *limbo = actor_object(actor)->limbo;
    struct reply *object = ipc_make(actor_memory(actor), limbo, &reply_class, sizeof(*object));
    if (object == NULL)
        return TN_ENOMEM;
    object->caller = turn->caller;
    object->generation = turn->generation;
    struct actor *caller = turn->caller->actor;
    object_ref(actor_object(caller));
    tn_cap cap;
    /* Without the right to grant: it moves, and there is never a second one. */
    tn_err err = cap_insert(actor->space, &object->object, TN_R_CALL, 0, NULL, 0, &cap);
    object_unref(&object->object); /* the capability's now, or nobody's */
    if (err != TN_OK)
        return err;
    if (turn->caller_ref)
        object_unref(actor_object(caller));
    turn->caller = NULL;
    turn->deferred = true;
    *ret_reply = cap;
    return TN_OK;
}

tn_err reply(struct cpu *cpu, struct turn *turn, tn_cap cap, tn_err result,
             const struct tn_pack *out)
{
    struct cap_view view;
    struct space *space = turn->actor->space;
    tn_err err = cap_lookup(space, cap, OBJ_REPLY, TN_R_CALL, &view);
    if (err != TN_OK)
        return err;
    struct reply *object = (struct reply *)view.object;
    if (out != NULL)
        err = pack_check(out);
    if (err == TN_OK)
        err = wait_answer(cpu, object->caller, object->generation, result, space, out);
    cap_delete(space, cap);
    return err;
}

bool reply_waits(struct object *object, uint32_t *ret_room_bytes)
{
    struct reply *reply = (struct reply *)object;
    ASSERT(object->class == &reply_class);
    /* ACQUIRE, before the look at the wait, as in turn_room_size. */
    uint32_t size = at_load(&reply->caller->room_size, ACQUIRE);
    bool waits = wait_is_open(reply->caller, reply->generation);
    *ret_room_bytes = !waits ? 0 : size < TN_ARGS_MAX ? size : (uint32_t)TN_ARGS_MAX;
    return waits;
}

/* Buffers */

struct buffer {
    struct object object;
    uint8_t *bytes;
    uint64_t size_bytes;
    struct buffer *whole; /* a slice, of slices too, holds a ref to what it is a part of */
};

static void buffer_destroy(struct object *object)
{
    struct buffer *buffer = buffer_of(object);
    struct buffer *whole = buffer->whole;
    if (whole == NULL)
        mem_free(object->home, buffer->bytes, buffer->size_bytes);
    ipc_unmake(object, sizeof(*buffer));
    if (whole != NULL)
        object_unref(&whole->object);
}

static const struct object_class buffer_class = {
    .type = OBJ_BUFFER, .name = "buffer", .destroy = buffer_destroy};

struct buffer *buffer_of(struct object *object)
{
    ASSERT(object->class == &buffer_class);
    return (struct buffer *)object;
}

tn_err buffer_make(struct untyped *mem, struct limbo *limbo, uint64_t size_bytes,
                   struct buffer **ret_buffer)
{
    if (size_bytes == 0)
        return TN_EINVAL;
    if (size_bytes > TN_BUFFER_MAX)
        return TN_ETOOBIG;
    uint8_t *bytes = mem_alloc(mem, size_bytes);
    if (bytes == NULL)
        return TN_ENOMEM;
    struct buffer *buffer = ipc_make(mem, limbo, &buffer_class, sizeof(*buffer));
    if (buffer == NULL) {
        mem_free(mem, bytes, size_bytes);
        return TN_ENOMEM;
    }
    buffer->bytes = bytes;
    buffer->size_bytes = size_bytes;
    *ret_buffer = buffer;
    return TN_OK;
}

struct object *buffer_object(struct buffer *buffer)
{
    return &buffer->object;
}

void *buffer_bytes(struct buffer *buffer, uint64_t *ret_size_bytes)
{
    *ret_size_bytes = buffer->size_bytes;
    return buffer->bytes;
}

bool buffer_is_slice(const struct buffer *buffer)
{
    return buffer->whole != NULL;
}

tn_err buf_new(struct cpu *cpu, struct turn *turn, tn_cap memory, uint64_t size_bytes,
               tn_cap *ret_buf)
{
    (void)cpu;
    struct cap_view view;
    struct actor *actor = turn->actor;
    tn_err err = cap_lookup(actor->space, memory, OBJ_UNTYPED, TN_R_WRITE, &view);
    if (err != TN_OK)
        return err;
    struct buffer *buffer;
    err = buffer_make(untyped_of(view.object), actor_object(actor)->limbo, size_bytes, &buffer);
    if (err != TN_OK)
        return err;
    err = cap_insert(actor->space, &buffer->object, TN_R_ALL, 0, actor->space, memory, ret_buf);
    object_unref(&buffer->object);
    return err;
}

tn_err buf_slice(struct cpu *cpu, struct turn *turn, tn_cap buf, uint64_t off, uint64_t len,
                 uint32_t rights, tn_cap *ret_buf)
{
    (void)cpu;
    struct cap_view view;
    struct actor *actor = turn->actor;
    tn_err err = cap_lookup(actor->space, buf, OBJ_BUFFER, TN_R_GRANT, &view);
    if (err != TN_OK)
        return err;
    struct buffer *whole = buffer_of(view.object);
    if (len == 0 || !range_within(off, len, whole->size_bytes))
        return TN_EINVAL;
    /* Of the whole, not of a slice of it: a chain would take a grace period a link to be freed. */
    uint8_t *bytes = whole->bytes + off;
    whole = whole->whole != NULL ? whole->whole : whole;
    if (!object_try_ref(&whole->object))
        return TN_EBADCAP;
    struct limbo *limbo = actor_object(actor)->limbo;
    struct buffer *slice = ipc_make(actor_memory(actor), limbo, &buffer_class, sizeof(*slice));
    if (slice == NULL) {
        object_unref(&whole->object);
        return TN_ENOMEM;
    }
    slice->whole = whole;
    slice->bytes = bytes;
    slice->size_bytes = len;
    err = cap_insert(actor->space, &slice->object, rights & view.rights, 0, actor->space, buf,
                     ret_buf);
    object_unref(&slice->object);
    return err;
}

static tn_err find_range(struct turn *turn, tn_cap buf, uint64_t off, uint64_t len, uint32_t how,
                         struct buffer **ret_buffer)
{
    uint32_t rights = 0;
    if ((how & TN_MAP_READ) != 0)
        rights |= TN_R_READ;
    if ((how & TN_MAP_WRITE) != 0)
        rights |= TN_R_WRITE;
    if (rights == 0 || len == 0)
        return TN_EINVAL;
    struct cap_view view;
    tn_err err = cap_lookup(turn->actor->space, buf, OBJ_BUFFER, rights, &view);
    if (err != TN_OK)
        return err;
    struct buffer *buffer = buffer_of(view.object);
    if (!range_within(off, len, buffer->size_bytes))
        return TN_EINVAL;
    *ret_buffer = buffer;
    return TN_OK;
}

tn_err buf_range(struct turn *turn, tn_cap buf, uint64_t off, uint64_t len, uint32_t how,
                 void **ret_at)
{
    struct buffer *buffer;
    tn_err err = find_range(turn, buf, off, len, how, &buffer);
    if (err == TN_OK)
        *ret_at = buffer->bytes + off;
    return err;
}

tn_err buf_hold(struct turn *turn, tn_cap buf, uint64_t off, uint64_t len, uint32_t how,
                void **ret_at, struct object **ret_held)
{
    struct buffer *buffer;
    tn_err err = find_range(turn, buf, off, len, how, &buffer);
    if (err != TN_OK)
        return err;
    if (!object_try_ref(&buffer->object)) /* its last capability went in this moment */
        return TN_EBADCAP;
    *ret_at = buffer->bytes + off;
    *ret_held = &buffer->object;
    return TN_OK;
}
