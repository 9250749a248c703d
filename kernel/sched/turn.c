/* turn.c: how turns begin, wait, are woken, answer and end; messages that reach an actor. */
#include "kernel/sched/sched_int.h"

#include "base/bits.h"

enum {
    GRANT_MANY = 64, /* senders that are let in at once */
    DRAIN_MANY = 64, /* messages of a dead actor that are dropped at once */
};

bool actor_is_stuck(struct actor *actor)
{
    for (struct turn *turn = actor->waiting; turn != NULL; turn = turn->waits_link) {
        if (turn->refuses != TURN_CANCELLED)
            return false;
    }
    return actor->waiting != NULL;
}

/* Nobody runs a dead actor, so what came too late queues it once more, to have its mailbox emptied;
 * it is kept meanwhile. */
void sched_ready_dead(struct cpu *cpu, struct actor *actor)
{
    if (actor->mbox.first == NULL)
        return;
    at_store(&actor->kept, 1, RELAXED); /* the message's sender has not passed its boundary yet */
    actor->run = ACTOR_QUEUED;
    queue_push(cpu, actor);
}

void sched_ready(struct cpu *cpu, struct actor *actor)
{
    if (actor->run == ACTOR_IDLE && actor_has_work(actor)) {
        actor->run = ACTOR_QUEUED;
        queue_push(cpu, actor);
    } else if (actor->run == ACTOR_GONE) {
        sched_ready_dead(cpu, actor);
    }
}

void actor_release(struct cpu *cpu, struct actor *actor)
{
    actor_rest(cpu, actor);
}

static void post_away(struct cpu *cpu, struct actor *actor, struct cell *cell)
{
    at_store(&actor->talker, cpu != NULL ? cpu->id : CPU_NONE, RELAXED); /* a hint for policies */
    if (mbox_push(&actor->mbox, cell, cell))
        sched_ask(actor, ASK_MAIL);
}

void sched_post_inside(struct cpu *cpu, struct actor *actor, struct cell *cell)
{
    if (cpu != NULL)
        outbox_let_go(cpu);
    if (cpu != NULL && actor_here(cpu, actor))
        post_here(cpu, actor, cell);
    else
        post_away(cpu, actor, cell);
}

void sched_post(struct cpu *cpu, struct actor *actor, struct cell *cell)
{
    if (cpu != NULL)
        cpu_enter(cpu);
    sched_post_inside(cpu, actor, cell);
    if (cpu != NULL)
        cpu_leave(cpu);
}

void turn_made_ready(struct actor *actor, struct turn *turn)
{
    struct turn **at = &actor->waiting;
    while (*at != turn) {
        ASSERT(*at != NULL);
        at = &(*at)->waits_link;
    }
    *at = turn->waits_link;
    for (at = &actor->ready; *at != NULL;)
        at = &(*at)->link;
    turn->link = NULL;
    *at = turn;
}

/* A turn of an actor that lives here, so that nobody parks it or moves it meanwhile. */
static void wake_here(struct cpu *cpu, struct turn *turn)
{
    struct actor *actor = turn->actor;
    bool parked = at_load(&turn->state, RELAXED) == TURN_PARKED;
    at_store(&turn->state, TURN_WOKEN, RELAXED);
    if (!parked)
        return; /* it has not left yet, and will find that it need not */
    turn_made_ready(actor, turn);
    sched_ready(cpu, actor);
}

static void wake_away(struct turn *turn)
{
    struct actor *actor = turn->actor;
    /* ACQ_REL: the turn sees the result; we see that it was parked whole. Not parked yet: whoever
     * parks it will find WOKEN, and the turn is not ours to touch any more. */
    if (at_swap(&turn->state, TURN_WOKEN, ACQ_REL) != TURN_PARKED)
        return;
    struct turn *head = at_load(&actor->woken, RELAXED);
    do {
        turn->link = head;
        /* RELEASE: who takes it sees the link. */
    } while (!at_cas(&actor->woken, &head, turn, RELEASE, RELAXED));
    /* Its actor is not gone while it waits. After the push the turn may go on and end. */
    sched_ask(actor, ASK_WOKEN);
}

void turn_wake_inside(struct cpu *cpu, struct turn *turn)
{
    if (cpu != NULL && actor_here(cpu, turn->actor))
        wake_here(cpu, turn);
    else
        wake_away(turn);
}

void turn_wake(struct cpu *cpu, struct turn *turn)
{
    if (cpu == NULL || !actor_here(cpu, turn->actor)) {
        wake_away(turn);
        return;
    }
    cpu_enter(cpu);
    turn_wake_inside(cpu, turn);
    cpu_leave(cpu);
}

bool turn_was_woken(struct turn *turn)
{
    if (at_load(&turn->state, ACQUIRE) != TURN_WOKEN)
        return false;
    at_store(&turn->state, TURN_RUNS, RELAXED);
    return true;
}

/* A call that is not over when its turn waits outlives the caller's stay on this CPU: hold both. */
static void turn_detach(struct turn *turn)
{
    if (turn->caller != NULL && !turn->caller_ref) {
        object_ref(actor_object(turn->caller->actor));
        turn->caller_ref = true;
    }
}

void turn_park(struct cpu *cpu, struct turn *turn)
{
    struct actor *actor = turn->actor;
    ASSERT(actor->run == ACTOR_RUNNING);
    turn_detach(turn);
    turn->waits_link = actor->waiting;
    actor->waiting = turn;
    uint32_t expected = TURN_RUNS;
    /* RELEASE: who resumes it sees all that it wrote. */
    if (!at_cas(&turn->state, &expected, TURN_PARKED, ACQ_REL, ACQUIRE)) {
        ASSERT(expected == TURN_WOKEN);
        turn_made_ready(actor, turn);
    }
    actor_release(cpu, actor);
}

void sched_park(struct cpu *cpu)
{
    struct turn *parking = cpu->parking;
    cpu->parking = NULL;
    cpu_enter(cpu);
    turn_park(cpu, parking);
    cpu_leave(cpu);
}

struct cpu *turn_wait(struct cpu *cpu, struct turn *turn)
{
    struct fiber *self = turn->fiber;
    ASSERT(self != NULL && self == fiber_self() && self->nested == 0);
    ASSERT(cpu->parking == NULL && cpu->leaving == NULL && cpu->blocks_since_ns == 0);
    struct fiber *to = self->caller;
    if (to != NULL)
        self->caller = NULL; /* back to the caller, which sees that its call is pending */
    else
        to = fiber_get(cpu);
    cpu->parking = turn;
    fiber_switch_to(cpu, &self->machine, to);
    cpu = self->cpu;
    sched_landed(cpu);
    sched_meter(cpu, turn->actor);
    turn->info.now = cpu->now; /* time has passed */
    return cpu;
}

tn_err pack_transfer(struct space *from, const struct tn_pack *pack, struct space *to,
                     tn_cap *ret_caps)
{
    ASSERT(pack->ncaps <= TN_PACK_CAPS);
    if (pack->ncaps == 0)
        return TN_OK;
    return cap_transfer(from, pack->caps, pack->ncaps, pack->move, to, ret_caps);
}

tn_err pack_post(struct space *from, const struct tn_pack *pack, struct space *to, tn_cap *ret_caps)
{
    ASSERT(pack->ncaps <= TN_PACK_CAPS);
    if (pack->ncaps == 0)
        return TN_OK;
    return cap_post(from, pack->caps, pack->ncaps, pack->move, to, ret_caps);
}

/* Copies an answer to where the caller waits for it, whole or not at all. */
static inline __attribute__((always_inline)) tn_err wait_fill(struct wait *wait, struct space *from,
                                                              const struct tn_pack *out)
{
    uint32_t len = out->len;
    wait->len = len;
    /* Ours while the wait is FILLING. */
    if (len > at_load(&wait->room_size, RELAXED) || out->ncaps > wait->room_caps)
        return TN_ETOOBIG;
    if (out->ncaps != 0) {
        tn_err err =
            cap_deliver(from, out->caps, out->ncaps, out->move, wait->actor->space, wait->caps);
        if (err != TN_OK) {
            wait->len = 0;
            return err;
        }
    }
    if (len <= TN_INLINE)
        bytes_copy_short(wait->room, out->data, len);
    else
        memcpy(wait->room, out->data, len);
    wait->ncaps = out->ncaps;
    return TN_OK;
}

/* No error of ours or of an interface stays an error of ours. */
static tn_err clean_result(tn_err result)
{
    return result < TN_ERRORS_LAST || result == TN_DEFERRED ? TN_EINTERNAL : result;
}

tn_err wait_answer(struct cpu *cpu, struct wait *wait, uint64_t generation, tn_err result,
                   struct space *from, const struct tn_pack *out)
{
    if (!wait_claim(wait, generation, WAIT_FILLING))
        return TN_EGONE;
    if (cpu != NULL)
        outbox_let_go(cpu);
    tn_err err = out != NULL ? wait_fill(wait, from, out) : TN_OK;
    wait->result = err != TN_OK ? err : clean_result(result);
    wait_filled(wait, generation);
    turn_wake(cpu, wait->turn);
    return err;
}

/* The same when the caller's turn is below us on this CPU and has not left it: nobody else can
 * complete its wait, which is in no queue, without expiry and known to us alone; so no swap. */
static tn_err answer_below(struct wait *wait, tn_err result, struct space *from,
                           const struct tn_pack *out)
{
    uint64_t generation = wait_generation(wait);
    ASSERT(wait_is_open(wait, generation) && list_empty(&wait->link) && !wait->expires);
    tn_err err = out != NULL ? wait_fill(wait, from, out) : TN_OK;
    wait->result = err != TN_OK ? err : clean_result(result);
    wait_filled(wait, generation);
    ASSERT(at_load(&wait->turn->state, RELAXED) == TURN_RUNS);
    at_store(&wait->turn->state, TURN_WOKEN, RELAXED);
    return err;
}

tn_err turn_answer(struct cpu *cpu, struct turn *turn, tn_err result, const struct tn_pack *out)
{
    struct wait *caller = turn->caller;
    if (caller == NULL)
        return TN_EINVAL;
    turn->caller = NULL;
    at_count(&turn->actor->stats.calls_answered, 1);
    if (!turn->caller_ref)
        return answer_below(caller, result, turn->actor->space, out);
    tn_err err = wait_answer(cpu, caller, turn->generation, result, turn->actor->space, out);
    object_unref(actor_object(caller->actor));
    return err;
}

void turn_answer_or_drop(struct cpu *cpu, struct turn *turn, tn_err result,
                         const struct tn_pack *out)
{
    if (turn_answer(cpu, turn, result, out) == TN_OK || out == NULL)
        return;
    ASSERT(out->ncaps <= TN_PACK_CAPS);
    for (uint32_t i = 0; i < out->ncaps; i++) {
        if ((out->move >> i & 1) != 0)
            (void)cap_delete(turn->actor->space, out->caps[i]);
    }
}

void credits_grant(struct cpu *cpu, struct actor *actor)
{
    struct wait_queue *queue = &actor->senders;
    struct mbox *mbox = &actor->mbox;
    bool more = mbox->first != NULL &&
                (actor->run == ACTOR_RUNNING || actor->run == ACTOR_QUEUED) && actor->room > 0;
    if (more && mbox_room(mbox) < (mbox->capacity + 1) / 2)
        return;
    bool away = false;
    for (uint32_t i = 0; !wait_queue_empty(queue) && mbox_reserve_for(mbox); i++) {
        if (i == GRANT_MANY) {
            mbox_credit(mbox);
            sched_ask(actor, ASK_LOOK); /* the rest in a moment */
            break;
        }
        struct wait *wait = wait_queue_claim(queue);
        if (wait == NULL) {
            mbox_credit(mbox);
            break;
        }
        wait->credit_held = true;
        away = away || !actor_here(cpu, wait->actor);
        wait_filled(wait, wait->queue_generation);
        turn_wake_inside(cpu, wait->turn);
    }
    if (away) /* those have more to send, and would have to come in for each */
        mbox_even_out(mbox);
}

void cell_drop(struct cpu *cpu, struct actor *actor, struct cell *cell)
{
    if ((cell->flags & CELL_EMBEDDED) != 0) {
        uint64_t cookie;
        (void)embedded_take(cell, &cookie);
        return;
    }
    struct block *block = NULL;
    if ((cell->flags & CELL_CALL) != 0) {
        struct cell_call call = cell->body.call;
        block = call.block;
        struct actor *caller = call.caller->actor;
        (void)wait_answer(cpu, call.caller, call.generation, TN_EGONE, actor->space, NULL);
        object_unref(actor_object(caller));
    } else if ((cell->flags & CELL_BLOCK) != 0) {
        block = cell->body.block;
    }
    tn_cap caps[TN_PACK_CAPS];
    const void *from = block != NULL ? (const void *)block->caps : cell->body.bytes;
    memcpy(caps, from, cell->ncaps * sizeof(tn_cap));
    for (uint32_t i = 0; i < cell->ncaps; i++)
        cap_delete(actor->space, caps[i]);
    block_free(block);
    cpu_enter(cpu);
    credit_freed(cpu, actor, cell);
    cell_give(cpu, &cpu->back, cell);
    cpu_leave(cpu);
}

bool mailbox_drain(struct cpu *cpu, struct actor *actor)
{
    for (uint32_t i = 0; i < DRAIN_MANY; i++) {
        cpu_enter(cpu);
        struct cell *cell = mbox_take(&actor->mbox);
        cpu_leave(cpu);
        if (cell == NULL)
            return true;
        cell_drop(cpu, actor, cell);
    }
    return false;
}

void credit_back(struct cpu *cpu, struct actor *actor, bool away)
{
    if (away) {
        mbox_credit_away(&actor->mbox, 1);
        sched_ask(actor, ASK_LOOK); /* somebody may wait for it */
        return;
    }
    struct cpu *home = actor_lock(cpu, actor);
    mbox_credit(&actor->mbox);
    /* Inside a home that is not ours we are no CPU that could queue there: it looks itself. */
    if (home == cpu)
        credits_grant(cpu, actor);
    actor_unlock(cpu, home);
    if (home != cpu)
        sched_ask(actor, ASK_LOOK);
}

/* Gives back what a sender waited for: its place in the queue, or the credit that it got. Outside.
 */
static void wait_release_credit(struct cpu *cpu, struct wait *wait, struct actor *actor)
{
    if (!wait->credit_held) { /* else it was taken out by who gave it that */
        struct cpu *home = actor_lock(cpu, actor);
        actor_take_applied(actor);
        wait_dequeue(wait);
        actor_unlock(cpu, home);
    }
    wait->applied = false;
    wait->credit_of = NULL;
    if (wait->credit_held)
        credit_back(cpu, actor, false);
    wait->credit_held = false;
    object_unref(actor_object(actor));
}

void wait_release(struct cpu *cpu, struct wait *wait)
{
    if (wait->expires)
        event_cancel(cpu, &wait->expiry);
    wait->expires = false;
    struct actor *credit_of = wait->credit_of;
    if (credit_of != NULL)
        wait_release_credit(cpu, wait, credit_of);
    if (wait->queue_lock != NULL) {
        lock_take(wait->queue_lock);
        wait_dequeue(wait);
        lock_drop(wait->queue_lock);
        wait->queue_lock = NULL;
    }
    if (wait->held != NULL) {
        struct object *held = wait->held;
        wait->held = NULL;
        object_unref(held);
    }
    struct actor *callee = at_load(&wait->callee, RELAXED);
    if (callee != NULL) {
        wait_lend_end(wait, callee);
        /* RELEASE: a search that sees it missed nothing, the wait is over. */
        at_store(&wait->callee, NULL, RELEASE);
    }
    if (wait->callee_ref)
        object_unref(actor_object(callee));
    wait->callee_ref = false;
    if (wait->room_caps > wait->ncaps) /* a call's: slots that were reserved for its reply */
        cap_unreserve(wait->actor->space, wait->caps + wait->ncaps, wait->room_caps - wait->ncaps);
    wait->turn->wait = NULL;
    wait->turn = NULL;
    wait_close(wait);
}

void turn_drop_caps(struct turn *turn)
{
    for (uint32_t i = 0; i < turn->in.ncaps; i++)
        cap_delete(turn->actor->space, turn->in.caps[i]);
    turn->in.ncaps = 0;
}
