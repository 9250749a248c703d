/* bell.c: bits that somebody waits for: notifications, and the doorbells of channels. */
#include "kernel/ipc/ipc_int.h"

#include "base/assert.h"

void bell_init(struct bell *bell)
{
    lock_init(&bell->lock, LOCK_NOTE);
    wait_queue_init(&bell->queue);
    at_init(&bell->bits, 0);
    at_init(&bell->always, 0);
    bell->closed = false;
}

/* What is there to be taken. Without the lock, at this moment: RELAXED, it hands over nothing. */
static inline uint64_t bell_bits(struct bell *bell)
{
    return at_load(&bell->bits, RELAXED) | at_load(&bell->always, RELAXED);
}

/* Hands the bits to the first who waits. Its lock held. */
static void hand_out(struct cpu *cpu, struct bell *bell, tn_err result)
{
    struct wait *wait = wait_queue_claim(&bell->queue);
    if (wait == NULL)
        return;
    wait->bits = bell_bits(bell);
    wait->result = result;
    wait->queue_lock = NULL; /* it is out, and its owner need not come to take it out */
    at_store(&bell->bits, 0, RELAXED);
    wait_filled(wait, wait->queue_generation);
    turn_wake(cpu, wait->turn);
}

/* Adds the bits, and hands them to the first who waits. Its lock held. */
static inline void add_bits(struct cpu *cpu, struct bell *bell, uint64_t bits)
{
    bits |= at_load(&bell->bits, RELAXED);
    at_store(&bell->bits, bits, RELAXED);
    if (!bell->closed && bits != 0)
        hand_out(cpu, bell, TN_OK);
}

tn_err bell_ring(struct cpu *cpu, struct bell *bell, uint64_t bits)
{
    if (cpu != NULL)
        outbox_let_go(cpu); /* as in note_signal */
    lock_take(&bell->lock);
    add_bits(cpu, bell, bits);
    bool heard = !bell->closed;
    lock_drop(&bell->lock);
    return heard ? TN_OK : TN_EGONE;
}

/* Whoever waits gets `result`, and the bits that stay. Its lock held. */
static void hand_all(struct cpu *cpu, struct bell *bell, tn_err result)
{
    while (!wait_queue_empty(&bell->queue))
        hand_out(cpu, bell, result);
}

void bell_ring_for_ever(struct bell *bell, uint64_t bits)
{
    lock_take(&bell->lock);
    at_store(&bell->always, at_load(&bell->always, RELAXED) | bits, RELAXED);
    hand_all(NULL, bell, TN_OK);
    lock_drop(&bell->lock);
}

void bell_orphan(struct bell *bell, bool for_good)
{
    lock_take(&bell->lock);
    bell->closed = for_good;
    hand_all(NULL, bell, TN_EGONE);
    lock_drop(&bell->lock);
}

/* Takes the bits; if there are none, puts `wait` (may be NULL) into the queue. */
static uint64_t bell_take(struct bell *bell, struct wait *wait)
{
    lock_take(&bell->lock);
    uint64_t bits = bell_bits(bell);
    at_store(&bell->bits, 0, RELAXED);
    if (bits == 0 && wait != NULL) {
        wait->queue_lock = &bell->lock;
        wait_enqueue(wait, &bell->queue);
    }
    lock_drop(&bell->lock);
    return bits;
}

/* Notifications
 *
 * One that is bound to an actor tells it of bits that nobody waits for, by a message that is part
 * of the binding and so cannot fail. The bits stay in the notification until that message is taken;
 * who waits or polls meanwhile has them, and the message comes to nothing. So does one that is
 * taken after its binding has ended: each binding has its own, and no two actors are told the same.
 *
 * A binding is an object without capabilities: the notification has a ref to it, and so has its
 * message while it is in a mailbox. It holds the notification, until it is unbound or orphaned. */

struct binding {
    struct object object;
    struct embedded embedded;
    struct note *note; /* holds a ref */
    struct actor *to;  /* holds a ref */
};

struct note {
    struct object object;
    struct bell bell;
    struct binding *binding; /* NULL: to nobody; under the bell's lock */
};

/* No capability is left, so nobody will ever signal it: whoever waits is told. */
static void note_orphan(struct object *object)
{
    bell_orphan(&((struct note *)object)->bell, false);
    (void)note_unbind(object);
}

static void note_destroy(struct object *object)
{
    ASSERT(wait_queue_empty(&((struct note *)object)->bell.queue));
    ASSERT(((struct note *)object)->binding == NULL);
    ipc_unmake(object, sizeof(struct note));
}

static const struct object_class note_class = {
    .type = OBJ_NOTE, .name = "notification", .orphan = note_orphan, .destroy = note_destroy};

tn_err note_make(struct untyped *mem, struct limbo *limbo, struct note **ret_note)
{
    struct note *note = ipc_make(mem, limbo, &note_class, sizeof(*note));
    if (note == NULL)
        return TN_ENOMEM;
    bell_init(&note->bell);
    *ret_note = note;
    return TN_OK;
}

struct object *note_object(struct note *note)
{
    return &note->object;
}

static struct note *note_of(struct object *object)
{
    ASSERT(object->class == &note_class);
    return (struct note *)object;
}

static void binding_destroy(struct object *object)
{
    struct binding *binding = (struct binding *)object;
    struct note *note = binding->note;
    struct actor *to = binding->to;
    ipc_unmake(object, sizeof(*binding));
    object_unref(&note->object);
    object_unref(actor_object(to));
}

static const struct object_class binding_class = {
    .type = OBJ_NOTE, .name = "binding", .destroy = binding_destroy};

/* Tells the actor that the notification is bound to of the bits there are, unless a message is on
 * its way already. Its lock held. */
static void tell_bound(struct cpu *cpu, struct note *note, uint64_t cause)
{
    struct binding *binding = note->binding;
    if (at_load(&note->bell.bits, RELAXED) == 0 || actor_life(binding->to) != ACTOR_READY)
        return;
    if (!embedded_claim(&binding->embedded))
        return;
    binding->embedded.cell.cause = cause;
    sched_post(cpu, binding->to, &binding->embedded.cell);
}

/* The bits are taken with the message. */
static bool binding_take(struct object *object, uint64_t *ret_cookie)
{
    struct binding *binding = (struct binding *)object;
    struct note *note = binding->note;
    lock_take(&note->bell.lock);
    bool meant = note->binding == binding && actor_life(binding->to) == ACTOR_READY;
    uint64_t bits = meant ? at_load(&note->bell.bits, RELAXED) : 0;
    if (meant)
        at_store(&note->bell.bits, 0, RELAXED);
    lock_drop(&note->bell.lock);
    *ret_cookie = bits;
    return bits != 0;
}

/* Not bound yet, with refs to both. TN_ENOMEM; TN_EBADCAP: the notification goes at this moment. */
static tn_err binding_make(struct note *note, struct actor *actor, struct binding **ret_binding)
{
    struct object *object = &note->object;
    struct binding *binding =
        ipc_make(object->home, object->limbo, &binding_class, sizeof(*binding));
    if (binding == NULL)
        return TN_ENOMEM;
    if (!object_try_ref(object)) {
        ipc_unmake(&binding->object, sizeof(*binding));
        return TN_EBADCAP;
    }
    object_ref(actor_object(actor));
    binding->note = note;
    binding->to = actor;
    binding->embedded.cell.flags = CELL_EMBEDDED;
    binding->embedded.cell.cls = MSG_INTERRUPT_NOTIFY;
    binding->embedded.object = &binding->object;
    binding->embedded.take = binding_take;
    at_init(&binding->embedded.queued, 0);
    *ret_binding = binding;
    return TN_OK;
}

tn_err note_bind(struct cpu *cpu, struct object *object, struct actor *actor)
{
    struct note *note = note_of(object);
    struct binding *binding = NULL;
    tn_err err = binding_make(note, actor, &binding);
    if (err != TN_OK)
        return err;
    lock_take(&note->bell.lock);
    struct binding *spare = note->binding;
    if (spare != NULL && actor_life(spare->to) < ACTOR_DYING) {
        spare = binding;
        err = TN_EBUSY;
    } else {
        note->binding = binding;
        tell_bound(cpu, note, sched_cause(cpu));
    }
    lock_drop(&note->bell.lock);
    if (spare != NULL)
        object_unref(&spare->object);
    return err;
}

tn_err note_unbind(struct object *object)
{
    struct note *note = note_of(object);
    lock_take(&note->bell.lock);
    struct binding *binding = note->binding;
    note->binding = NULL;
    lock_drop(&note->bell.lock);
    if (binding == NULL)
        return TN_ENOTFOUND;
    object_unref(&binding->object);
    return TN_OK;
}

uint64_t note_poll(struct object *object)
{
    return bell_take(&note_of(object)->bell, NULL);
}

/* Signals and waits, of turns */

tn_err note_signal(struct cpu *cpu, struct turn *turn, tn_cap cap, uint64_t bits)
{
    struct cap_view view;
    tn_err err = cap_find(turn->actor->space, cap, OBJ_NOTE, TN_R_WRITE, &view);
    if (err == TN_ETYPE)
        return channel_signal(cpu, turn, cap, bits);
    if (err != TN_OK)
        return err;
    struct note *note = note_of(view.object);
    outbox_let_go(cpu); /* who hears it finds what was sent before */
    lock_take(&note->bell.lock);
    add_bits(cpu, &note->bell, bits);
    if (__builtin_expect(note->binding != NULL, 0))
        tell_bound(cpu, note, turn->info.cause);
    lock_drop(&note->bell.lock);
    return TN_OK;
}

/* What the turn may wait for by this capability. */
static tn_err bell_find(struct turn *turn, tn_cap cap, struct object **ret_object,
                        struct bell **ret_bell)
{
    struct cap_view view;
    tn_err err = cap_find(turn->actor->space, cap, OBJ_NOTE, TN_R_READ, &view);
    if (err == TN_ETYPE)
        return channel_bell(turn, cap, ret_object, ret_bell);
    if (err != TN_OK)
        return err;
    *ret_object = view.object;
    *ret_bell = &((struct note *)view.object)->bell;
    return TN_OK;
}

tn_err note_wait_begin(struct cpu *cpu, struct turn *turn, tn_cap cap, tn_time deadline,
                       uint64_t *ret_bits)
{
    struct object *object;
    struct bell *bell;
    tn_err err = bell_find(turn, cap, &object, &bell);
    if (err != TN_OK)
        return err;
    uint64_t bits = bell_bits(bell) != 0 ? bell_take(bell, NULL) : 0;
    if (bits != 0) {
        *ret_bits = bits;
        return TN_OK;
    }
    if (deadline > turn->info.deadline)
        deadline = turn->info.deadline;
    if (deadline <= cpu->now)
        return TN_ETIME;
    err = turn_may_wait(cpu, turn);
    if (err != TN_OK)
        return err;
    struct wait *wait;
    uint64_t generation;
    err = wait_begin(turn, &wait, &generation);
    if (err != TN_OK)
        return err;
    if (!object_try_ref(object)) { /* its last capability went in this moment */
        wait_release(cpu, wait);
        return TN_EBADCAP;
    }
    wait->held = object;
    bits = bell_take(bell, wait);
    if (bits != 0) {
        wait_release(cpu, wait);
        *ret_bits = bits;
        return TN_OK;
    }
    /* Whoever orphaned it before we stood in the queue did not see us: look once more. */
    err = bell_find(turn, cap, &object, &bell);
    if (err != TN_OK && wait_claim(wait, generation, WAIT_FILLING)) {
        wait_release(cpu, wait);
        return err;
    }
    wait_expire_at(cpu, wait, deadline);
    return IPC_PENDING;
}

tn_err note_wait_end(struct cpu *cpu, struct turn *turn, uint64_t *ret_bits)
{
    struct wait *wait = turn->wait;
    ASSERT(wait != NULL && wait->turn == turn);
    tn_err err = wait->result;
    if (err == TN_OK)
        *ret_bits = wait->bits;
    wait_release(cpu, wait);
    return err;
}
