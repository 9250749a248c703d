/* bell.c: bits that somebody waits for: notifications, and the doorbells of channels. */
#include "kernel/ipc/ipc_int.h"

#include "base/assert.h"

void bell_init(struct bell *bell)
{
    lock_init(&bell->lock, LOCK_NOTE);
    wait_queue_init(&bell->queue);
    bell->bits = 0;
    bell->always = 0;
    bell->closed = false;
}

/* Hands the bits to the first who waits. Its lock held. */
static void hand_out(struct cpu *cpu, struct bell *bell, tn_err result)
{
    struct wait *wait = wait_queue_claim(&bell->queue);
    if (wait == NULL)
        return;
    wait->bits = bell->bits | bell->always;
    wait->result = result;
    bell->bits = 0;
    wait_filled(wait, wait->queue_generation);
    turn_wake(cpu, wait->turn);
}

tn_err bell_ring(struct cpu *cpu, struct bell *bell, uint64_t bits)
{
    lock_take(&bell->lock);
    bool heard = !bell->closed;
    bell->bits |= bits;
    if (heard && bell->bits != 0)
        hand_out(cpu, bell, TN_OK);
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
    bell->always |= bits;
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
    uint64_t bits = bell->bits | bell->always;
    bell->bits = 0;
    if (bits == 0 && wait != NULL) {
        wait->queue_lock = &bell->lock;
        wait_enqueue(wait, &bell->queue);
    }
    lock_drop(&bell->lock);
    return bits;
}

/* Notifications */

struct note {
    struct object object;
    struct bell bell;
};

/* No capability is left, so nobody will ever signal it: whoever waits is told. */
static void note_orphan(struct object *object)
{
    bell_orphan(&((struct note *)object)->bell, false);
}

static void note_destroy(struct object *object)
{
    ASSERT(wait_queue_empty(&((struct note *)object)->bell.queue));
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

/* Signals and waits, of turns */

tn_err note_signal(struct cpu *cpu, struct turn *turn, tn_cap cap, uint64_t bits)
{
    struct cap_view view;
    tn_err err = cap_lookup(turn->actor->space, cap, OBJ_NOTE, TN_R_WRITE, &view);
    if (err == TN_ETYPE)
        return channel_signal(cpu, turn, cap, bits);
    if (err != TN_OK)
        return err;
    (void)bell_ring(cpu, &((struct note *)view.object)->bell, bits);
    return TN_OK;
}

/* What the turn may wait for by this capability. */
static tn_err bell_find(struct turn *turn, tn_cap cap, struct object **ret_object,
                        struct bell **ret_bell)
{
    struct cap_view view;
    tn_err err = cap_lookup(turn->actor->space, cap, OBJ_NOTE, TN_R_READ, &view);
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
    uint64_t bits = bell_take(bell, NULL);
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
