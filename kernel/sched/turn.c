/* turn.c: how turns begin, wait, are woken, answer and end; how an actor dies. */
#include "kernel/sched/sched_int.h"

#include "base/assert.h"
#include "base/bits.h"
#include "base/bytes.h"

bool actor_claim(struct actor *actor)
{
    uint32_t expected = ACTOR_IDLE;
    /* ACQUIRE: what the last runner wrote to the owner's fields is seen. */
    return at_cas(&actor->run, &expected, ACTOR_RUNNING, SEQ_CST, RELAXED);
}

/* Something to do that a runner could do now. */
static bool actor_has_work(struct actor *actor)
{
    if (at_load(&actor->woken, SEQ_CST) != NULL || actor_life(actor) == ACTOR_DYING)
        return true;
    return actor->turns == 0 && !mbox_empty(&actor->mbox);
}

void actor_release(struct cpu *cpu, struct actor *actor)
{
    /* A dying actor with a native turn that waits has nothing to do until that turn is woken. */
    bool stuck = actor->turns > 0 && at_load(&actor->woken, SEQ_CST) == NULL &&
                 actor->waiting != NULL && actor->waiting->cancelled;
    if (!stuck && actor_has_work(actor)) {
        at_store(&actor->run, ACTOR_QUEUED, RELEASE);
        queue_enter(cpu, actor);
        return;
    }
    bool full = actor->turns > 0;
    uint32_t rest = full ? ACTOR_WAITING : ACTOR_IDLE;
    /* SEQ_CST store, then looks: a pusher that saw RUNNING did so before it, so its cell is seen by
     * the look; one that comes later sees IDLE and queues the actor itself. */
    at_store(&actor->run, rest, SEQ_CST);
    credits_look(cpu, actor);
    bool again = at_load(&actor->woken, SEQ_CST) != NULL ||
                 (!stuck && actor_life(actor) == ACTOR_DYING) ||
                 (!full && at_load(&actor->mbox.pushed, SEQ_CST) != NULL);
    if (again && at_cas(&actor->run, &rest, ACTOR_QUEUED, SEQ_CST, RELAXED))
        queue_enter(cpu, actor);
}

/* Makes the actor QUEUED from IDLE, and from WAITING too when `from_waiting`; what it was. */
static uint32_t actor_enqueue(struct cpu *cpu, struct actor *actor, bool from_waiting)
{
    uint32_t run = at_load(&actor->run, SEQ_CST);
    while (run == ACTOR_IDLE || (run == ACTOR_WAITING && from_waiting)) {
        if (at_cas(&actor->run, &run, ACTOR_QUEUED, SEQ_CST, SEQ_CST)) {
            queue_enter(cpu, actor);
            return run;
        }
    }
    return run;
}

/* Nobody runs a dead actor, so whoever came too late queues it once more, to have its mailbox
 * emptied. Not on the spot: a timer that fires holds a lock. The queue holds a ref. */
static void wake_dead(struct cpu *cpu, struct actor *actor)
{
    uint32_t gone = ACTOR_GONE;
    if (at_load(&actor->mbox.pushed, SEQ_CST) == NULL)
        return;
    object_ref(actor_object(actor));
    if (at_cas(&actor->run, &gone, ACTOR_QUEUED, SEQ_CST, SEQ_CST))
        queue_enter(cpu, actor);
    else
        object_unref(actor_object(actor)); /* somebody else has queued it */
}

void sched_wake(struct cpu *cpu, struct actor *actor)
{
    if (actor_enqueue(cpu, actor, false) == ACTOR_GONE)
        wake_dead(cpu, actor);
}

void mailbox_drain(struct cpu *cpu, struct actor *actor)
{
    struct cell *cell;
    while ((cell = mbox_pop(&actor->mbox)) != NULL)
        cell_drop(cpu, actor, cell);
}

void sched_rouse(struct cpu *cpu, struct actor *actor)
{
    (void)actor_enqueue(cpu, actor, true);
}

void turn_wake(struct cpu *cpu, struct turn *turn)
{
    struct actor *actor = turn->actor;
    /* ACQ_REL: the turn sees the result; we see that it was parked whole. Not parked yet: whoever
     * parks it will find WOKEN, and the turn is not ours to touch any more. */
    if (at_swap(&turn->state, TURN_WOKEN, ACQ_REL) != TURN_PARKED)
        return;
    at_store(&actor->woken, turn, SEQ_CST);
    (void)actor_enqueue(cpu, actor, true);
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
        object_ref(actor_object(turn->caller));
        turn->caller_ref = true;
    }
}

void turn_park(struct cpu *cpu, struct turn *turn)
{
    struct actor *actor = turn->actor;
    turn_detach(turn);
    actor->waiting = turn;
    uint32_t expected = TURN_RUNS;
    /* RELEASE: who resumes it sees all that it wrote. */
    if (!at_cas(&turn->state, &expected, TURN_PARKED, ACQ_REL, ACQUIRE)) {
        ASSERT(expected == TURN_WOKEN);
        at_store(&actor->woken, turn, SEQ_CST);
    }
    actor_release(cpu, actor);
}

tn_err turn_may_wait(struct cpu *cpu, struct turn *turn)
{
    if (turn->cancelled)
        return TN_ECANCELLED;
    if (turn->fiber != NULL && !fiber_ensure(cpu, 2))
        return TN_ESTACK;
    return TN_OK;
}

void sched_landed(struct cpu *cpu)
{
    struct fiber *leaving = cpu->leaving;
    if (leaving != NULL) {
        cpu->leaving = NULL;
        fiber_put(cpu, leaving);
    }
    struct turn *parking = cpu->parking;
    if (parking != NULL) {
        cpu->parking = NULL;
        turn_park(cpu, parking);
    }
}

struct cpu *turn_wait(struct cpu *cpu, struct turn *turn)
{
    struct fiber *self = turn->fiber;
    ASSERT(self != NULL && self == fiber_self() && self->nested == 0);
    ASSERT(cpu->parking == NULL && cpu->leaving == NULL);
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
    self->turn = turn;
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
static tn_err wait_fill(struct wait *wait, struct actor *caller, struct space *from,
                        const struct tn_pack *out)
{
    wait->len = out->len;
    /* Ours while the wait is FILLING. */
    if (out->len > at_load(&wait->room_size, RELAXED) || out->ncaps > wait->room_caps)
        return TN_ETOOBIG;
    tn_err err = pack_transfer(from, out, caller->space, wait->caps);
    if (err != TN_OK) {
        wait->len = 0;
        return err;
    }
    if (out->len > 0)
        memcpy(wait->room, out->data, out->len);
    wait->ncaps = out->ncaps;
    return TN_OK;
}

/* No error of ours or of an interface stays an error of ours. */
static tn_err clean_result(tn_err result)
{
    return result < TN_ERRORS_LAST || result == TN_DEFERRED ? TN_EINTERNAL : result;
}

tn_err wait_answer(struct cpu *cpu, struct actor *caller, uint64_t generation, tn_err result,
                   struct space *from, const struct tn_pack *out)
{
    struct wait *wait = wait_of(caller);
    if (!wait_claim(wait, generation, WAIT_FILLING))
        return TN_EGONE;
    tn_err err = out != NULL ? wait_fill(wait, caller, from, out) : TN_OK;
    wait->result = err != TN_OK ? err : clean_result(result);
    wait_filled(wait, generation);
    turn_wake(cpu, wait->turn);
    return err;
}

/* The same when the caller's turn is below us on this CPU and has not left it: nobody else can
 * complete its wait, which is in no queue, without expiry and known to us alone; so no swap. */
static tn_err answer_below(struct actor *caller, tn_err result, struct space *from,
                           const struct tn_pack *out)
{
    struct wait *wait = wait_of(caller);
    uint64_t generation = wait_generation(wait);
    ASSERT(wait_is_open(wait, generation) && wait->queue == NULL && !wait->expires);
    tn_err err = out != NULL ? wait_fill(wait, caller, from, out) : TN_OK;
    wait->result = err != TN_OK ? err : clean_result(result);
    wait_filled(wait, generation);
    ASSERT(at_load(&wait->turn->state, RELAXED) == TURN_RUNS);
    at_store(&wait->turn->state, TURN_WOKEN, RELAXED);
    return err;
}

tn_err turn_answer(struct cpu *cpu, struct turn *turn, tn_err result, const struct tn_pack *out)
{
    struct actor *caller = turn->caller;
    if (caller == NULL)
        return TN_EINVAL;
    turn->caller = NULL;
    turn->actor->stats.calls_answered++;
    if (!turn->caller_ref)
        return answer_below(caller, result, turn->actor->space, out);
    tn_err err = wait_answer(cpu, caller, turn->generation, result, turn->actor->space, out);
    object_unref(actor_object(caller));
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

static void credit_freed(struct cpu *cpu, struct actor *actor);

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
        (void)wait_answer(cpu, call.caller, call.generation, TN_EGONE, actor->space, NULL);
        object_unref(actor_object(call.caller));
    } else if ((cell->flags & CELL_BLOCK) != 0) {
        block = cell->body.block;
    }
    tn_cap caps[TN_PACK_CAPS];
    const void *from = block != NULL ? (const void *)block->caps : cell->body.bytes;
    memcpy(caps, from, cell->ncaps * sizeof(tn_cap));
    for (uint32_t i = 0; i < cell->ncaps; i++)
        cap_delete(actor->space, caps[i]);
    block_free(block);
    cell_give(cpu, cell);
    credit_freed(cpu, actor);
}

/* Hands the credits that there are to those who wait for one. */
static void credits_grant(struct cpu *cpu, struct actor *actor)
{
    struct wait_queue *queue = &actor->senders;
    lock_take(&queue->lock);
    while (!list_empty(&queue->waits) && mbox_reserve(&actor->mbox, actor->mailbox_capacity)) {
        struct wait *wait = wait_queue_claim(queue);
        if (wait == NULL) {
            mbox_unreserve(&actor->mbox); /* nobody can have come: we hold the lock */
            break;
        }
        wait->credit_held = true;
        wait_filled(wait, wait->queue_generation);
        turn_wake(cpu, wait->turn);
    }
    lock_drop(&queue->lock);
}

void credits_look(struct cpu *cpu, struct actor *actor)
{
    if (at_load(&actor->senders.length, SEQ_CST) != 0)
        credits_grant(cpu, actor);
}

void credit_back(struct cpu *cpu, struct actor *actor)
{
    mbox_unreserve(&actor->mbox);
    credits_look(cpu, actor);
}

/* Whoever begins to wait at this moment may be missed: credits_look follows before the runner lets
 * the actor go. */
static void credit_freed(struct cpu *cpu, struct actor *actor)
{
    mbox_free(&actor->mbox);
    if (at_load(&actor->senders.length, RELAXED) != 0)
        credits_grant(cpu, actor);
}

void wait_release(struct cpu *cpu, struct wait *wait)
{
    if (wait->expires)
        event_cancel(&wait->expiry);
    wait->expires = false;
    wait_dequeue(wait);
    struct actor *credit_of = wait->credit_of;
    if (credit_of != NULL) {
        wait->credit_of = NULL;
        if (wait->credit_held)
            credit_back(cpu, credit_of);
        wait->credit_held = false;
        object_unref(actor_object(credit_of));
    }
    if (wait->held != NULL) {
        struct object *held = wait->held;
        wait->held = NULL;
        object_unref(held);
    }
    struct actor *callee = at_load(&wait->callee, RELAXED);
    if (callee != NULL) /* RELEASE: a search that sees it missed nothing, the wait is over */
        at_store(&wait->callee, NULL, RELEASE);
    if (wait->callee_ref)
        object_unref(actor_object(callee));
    wait->callee_ref = false;
    wait_close(wait);
}

/* A message of the kernel's own, taken out of the object that it is part of. */
static bool turn_from_embedded(struct turn *turn, struct cell *cell)
{
    turn->info.flags = TN_TURN_ONEWAY;
    turn->cell = NULL;
    return embedded_take(cell, &turn->info.cookie);
}

bool turn_from_cell(struct turn *turn, struct cpu *cpu, struct actor *actor, struct cell *cell)
{
    turn->actor = actor;
    turn->cell = cell;
    turn->block = NULL;
    turn->caller = NULL;
    turn->caller_ref = false;
    turn->deferred = false;
    turn->cancelled = false;
    turn->depth = 0;
    turn->fiber = NULL;
    at_init(&turn->state, TURN_RUNS);
    tn_time limit = actor->deadline_ns == 0 ? TN_NEVER : cpu->now + actor->deadline_ns;
    turn->info = (struct tn_turn){.badge = cell->badge,
                                  .cause = cell->cause,
                                  .deadline = limit,
                                  .now = cpu->now,
                                  .method = cell->method,
                                  .cls = cell->cls};
    turn->in = (struct tn_pack){.ncaps = cell->ncaps, .len = cell->len};
    if ((cell->flags & CELL_EMBEDDED) != 0)
        return turn_from_embedded(turn, cell);
    credit_freed(cpu, actor); /* it is out of the mailbox, though its cell is still needed */
    if ((cell->flags & CELL_CALL) != 0) {
        struct cell_call *call = &cell->body.call;
        turn->caller = call->caller;
        turn->caller_ref = true;
        turn->generation = call->generation;
        turn->depth = cell->len; /* no arguments inline: len carries the depth */
        turn->info.deadline = call->deadline < limit ? call->deadline : limit;
        turn->block = call->block;
        turn->in.len = 0;
    } else {
        turn->info.flags = TN_TURN_ONEWAY;
        if ((cell->flags & CELL_BLOCK) != 0)
            turn->block = cell->body.block;
    }
    if (turn->block != NULL) {
        turn->in.len = turn->block->len;
        turn->in.data = turn->block->bytes;
        memcpy(turn->in.caps, turn->block->caps, cell->ncaps * sizeof(tn_cap));
    } else {
        memcpy(turn->in.caps, cell->body.bytes, cell->ncaps * sizeof(tn_cap));
        turn->in.data = cell->body.bytes + cell->ncaps * sizeof(tn_cap);
    }
    if (turn->in.ncaps > 0)
        cap_receive(actor->space, turn->in.caps, turn->in.ncaps);
    return true;
}

void turn_drop_caps(struct turn *turn)
{
    for (uint32_t i = 0; i < turn->in.ncaps; i++)
        cap_delete(turn->actor->space, turn->in.caps[i]);
    turn->in.ncaps = 0;
}

void turn_finish(struct cpu *cpu, struct turn *turn)
{
    struct actor *actor = turn->actor;
    ASSERT(actor->turns == 1);
    ASSERT(turn->caller == NULL);
    actor->turns = 0;
    actor->waiting = NULL;
    block_free(turn->block);
    if (turn->cell != NULL)
        cell_give(cpu, turn->cell);
}
