/* objects.c: timers, replies and buffers. */
#include "kernel/ipc/ipc_int.h"

#include "base/assert.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "kernel/cap/lookup.h"

/* Timers
 *
 * A timer is in the hands of one CPU, `event.cpu`, and what it is set to is under that CPU's lock,
 * as the wheel is in which it may be armed: so to set it costs no lock of its own. Who would set it
 * on another CPU takes it out of those hands first, which leaves it in nobody's; who finds it there
 * takes it with a compare-and-swap. The taker of its message has no CPU's lock: `state` tells him
 * whether the arming that he reads the cookie of is the one that has fired. */

struct timer {
    struct object object;
    /* Changed under the lock of event.cpu, but that the taker clears TIMER_FIRED. */
    atomic_u64 cookie;
    atomic_u64 state; /* how often it was set, and TIMER_FIRED: that arming has; see below */
    struct event event;
    struct embedded embedded; /* its body, which nobody looks at, holds the owner */
};
enum { TIMER_FIRED = 1, TIMER_ONCE = 2 };
#define TIMER_NOBODYS (UINT64_C(1) << 63) /* its last capability went since it was set */
#define TIMER_HANDED  (UINT64_C(1) << 62) /* at its end, to the CPU that has it in its hands */
_Static_assert(sizeof(struct timer) == 192 &&
                   LINE_OF(struct timer, event) == LINE_END(struct timer, event),
               "three lines, and setting it writes to two of them");

/* Holds a ref; always the same. */
static struct actor *timer_owner(const struct timer *timer)
{
    return (struct actor *)(void *)timer->embedded.cell.body.block;
}

/* Inside `cpu`: whether the timer is in its hands, from now on if it was in nobody's. */
static inline bool timer_is_here(struct cpu *cpu, struct timer *timer)
{
    /* RELAXED: it leaves these hands under this lock only. */
    struct cpu *where = at_load(&timer->event.cpu, RELAXED);
    if (__builtin_expect(where == cpu, 1))
        return true;
    /* ACQUIRE pairs with the RELEASE of timer_let_go: what was done to it there is seen. */
    return where == NULL && at_cas(&timer->event.cpu, &where, cpu, ACQUIRE, RELAXED);
}

/* Disarms it, wherever it is, and leaves it in nobody's hands. Outside. */
static void timer_let_go(struct timer *timer)
{
    struct cpu *where = at_load(&timer->event.cpu, RELAXED);
    if (where == NULL)
        return;
    cpu_seize(where);
    if (at_load(&timer->event.cpu, RELAXED) == where) { /* else somebody was faster */
        (void)wheel_cancel(&where->wheel, &timer->event.timer);
        at_store(&timer->event.cpu, NULL, RELEASE);
    }
    cpu_release(where);
}

/* The timer comes into the hands of `cpu`, disarmed. Inside before and after. */
static __attribute__((noinline)) void timer_bring(struct cpu *cpu, struct timer *timer)
{
    do {
        cpu_leave(cpu);
        timer_let_go(timer);
        cpu_enter(cpu);
    } while (!timer_is_here(cpu, timer));
}

/* It may be in the hands of another CPU, whose lock costs all of them a barrier: it stays there
 * until its end. */
static void timer_orphan(struct object *object)
{
    struct timer *timer = (struct timer *)object;
    /* RELAXED: one that fires at this moment came before, and one that is set is somebody's. */
    (void)at_or(&timer->state, TIMER_NOBODYS, RELAXED);
}

/* Nobody can set it any more. The CPU that has it in its hands takes it out of its wheel itself;
 * when none runs, each may do so for another. */
static void timer_destroy(struct object *object)
{
    struct timer *timer = (struct timer *)object;
    struct actor *owner = timer_owner(timer);
    struct cpu *where = at_load(&timer->event.cpu, RELAXED);
    uint64_t state = at_load(&timer->state, RELAXED);
    if (where != NULL && (state & TIMER_HANDED) == 0 && !limbo_drains(object->limbo)) {
        (void)at_or(&timer->state, TIMER_HANDED, RELAXED); /* it may fire at this moment */
        limbo_hand_over(object->limbo, object, where->id);
        machine_unpark(where->id);
        return;
    }
    event_cancel(where, &timer->event);
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
    struct actor *owner = timer_owner(timer);
    uint64_t state = at_load(&timer->state, RELAXED);
    if (actor_life(owner) != ACTOR_READY || (state & (TIMER_NOBODYS | TIMER_HANDED)) != 0)
        return;
    ASSERT((state & TIMER_FIRED) == 0); /* once for each time it was set */
    /* RELEASE, before the claim: who takes the message after it was found queued sees this, and who
     * sees this sees the cookie. */
    at_store(&timer->state, state | TIMER_FIRED, RELEASE);
    if (!embedded_claim(&timer->embedded))
        return;
    timer->embedded.cell.cause = sched_cause(cpu);
    sched_post_inside(cpu, owner, &timer->embedded.cell);
}

/* The message of an arming that was replaced since comes to nothing: after timer_set the owner
 * hears of the new arming only. */
static bool timer_take(struct object *object, uint64_t *ret_cookie)
{
    struct timer *timer = (struct timer *)object;
    uint64_t state = at_load(&timer->state, ACQUIRE);
    if ((state & TIMER_FIRED) == 0)
        return false;
    /* ACQUIRE: a cookie of a later arming comes with that one's state. When the state is still the
     * same it is this arming's; when not, it was replaced. */
    uint64_t cookie = at_load(&timer->cookie, ACQUIRE);
    if (!at_cas(&timer->state, &state, state - TIMER_FIRED, RELAXED, RELAXED))
        return false;
    *ret_cookie = cookie;
    return true;
}

tn_err timer_make(struct untyped *mem, struct limbo *limbo, struct actor *owner,
                  struct timer **ret_timer)
{
    struct timer *timer = ipc_make(mem, limbo, &timer_class, sizeof(*timer));
    if (timer == NULL)
        return TN_ENOMEM;
    object_ref(actor_object(owner));
    timer->embedded.cell.body.block = (void *)owner;
    wheel_timer_init(&timer->event.timer);
    timer->event.timer.at_ns = TN_NEVER;
    timer->event.fire = timer_fire;
    at_init(&timer->event.cpu, NULL);
    timer->embedded.cell.flags = CELL_EMBEDDED;
    timer->embedded.cell.cls = MSG_TIMER_EXPIRED;
    timer->embedded.object = &timer->object;
    timer->embedded.take = timer_take;
    at_init(&timer->cookie, 0);
    at_init(&timer->state, 0);
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
    tn_err err = cap_find(turn->actor->space, cap, OBJ_TIMER, TN_R_WRITE, &view);
    if (__builtin_expect(err != TN_OK, 0))
        return err;
    struct timer *timer = (struct timer *)view.object;
    cpu_enter(cpu);
    if (__builtin_expect(!timer_is_here(cpu, timer), 0))
        timer_bring(cpu, timer);
    if (wheel_armed(&timer->event.timer))
        (void)wheel_cancel(&cpu->wheel, &timer->event.timer);
    /* RELAXED, then RELEASE: who sees this cookie sees that it was set anew. No expiry runs. */
    uint64_t state = at_load(&timer->state, RELAXED);
    at_store(&timer->state, (state & ~(TIMER_FIRED | TIMER_NOBODYS)) + TIMER_ONCE, RELAXED);
    at_store(&timer->cookie, cookie, RELEASE);
    if (at != TN_NEVER)
        wheel_add(&cpu->wheel, &timer->event.timer, at);
    else
        timer->event.timer.at_ns = TN_NEVER;
    cpu_leave(cpu);
    return TN_OK;
}

/* The timer's CPU, with its lock; `cpu` when it was in nobody's hands. Outside. */
static struct cpu *timer_lock(struct cpu *cpu, struct timer *timer)
{
    for (;;) {
        cpu_enter(cpu);
        if (timer_is_here(cpu, timer))
            return cpu;
        cpu_leave(cpu);
        struct cpu *where = at_load(&timer->event.cpu, RELAXED);
        if (where == NULL || where == cpu)
            continue;
        cpu_seize(where);
        if (at_load(&timer->event.cpu, RELAXED) == where)
            return where;
        cpu_release(where);
    }
}

void timer_look(struct cpu *cpu, struct object *object, tn_time *ret_at, uint64_t *ret_cookie,
                bool *ret_fired)
{
    struct timer *timer = (struct timer *)object;
    ASSERT(object->class == &timer_class);
    struct cpu *where = timer_lock(cpu, timer);
    *ret_at = timer->event.timer.at_ns;
    *ret_cookie = at_load(&timer->cookie, RELAXED);
    *ret_fired = (at_load(&timer->state, RELAXED) & TIMER_FIRED) != 0;
    actor_unlock(cpu, where);
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
