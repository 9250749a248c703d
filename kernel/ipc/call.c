/* call.c: calls. Decode, then invoke: everything that can be refused is refused before anything is
 * transferred, reserved or sent; what fails after that is undone.
 *
 * A call whose callee is idle on this CPU runs at once (sched_run_call) and is usually over when it
 * comes back. Else it is queued as a message; in both cases the answer completes the wait. */
#include "kernel/ipc/ipc_int.h"

#include "base/assert.h"
#include "base/bytes.h"

static const struct tn_pack no_room;

/* A call on its way: what prepare and enqueue need. */
struct calling {
    struct cpu *cpu;
    struct turn *turn; /* the caller's */
    struct actor *callee;
    struct wait *wait;
    uint64_t generation;
    uint64_t badge;
    uint32_t method;
    uint16_t cls;
    const struct tn_pack *in;
    tn_cap caps[TN_PACK_CAPS]; /* in the callee's space, once transferred */
    struct block *block;       /* NULL: no arguments, or short ones */
    tn_time deadline;
};

/* Without callee and badge; what is transferred or made is set then. */
static inline void calling_begin(struct calling *c, struct cpu *cpu, struct turn *turn,
                                 uint32_t method, uint16_t cls, const struct tn_pack *in,
                                 tn_time deadline)
{
    c->cpu = cpu;
    c->turn = turn;
    c->method = method;
    c->cls = cls;
    c->in = in;
    c->deadline = deadline;
    c->block = NULL;
}

/* Fills the turn of a call that runs at once. */
static void prepare(const struct calling *c, struct turn *turn)
{
    const struct tn_pack *in = c->in;
    turn_begin(turn, c->callee, NULL);
    turn->block = c->block;
    turn->caller = c->wait;
    turn->generation = c->generation;
    turn->depth = (uint16_t)(c->turn->depth + 1);
    tn_time now = c->cpu->now;
    tn_time limit = c->callee->deadline_ns == 0 ? TN_NEVER : now + c->callee->deadline_ns;
    turn->info = (struct tn_turn){.badge = c->badge,
                                  .cause = c->turn->info.cause,
                                  .deadline = c->deadline < limit ? c->deadline : limit,
                                  .now = now,
                                  .method = c->method,
                                  .cls = c->cls};
    turn->in.len = in->len;
    turn->in.size = 0;
    turn->in.move = 0;
    turn->in.ncaps = in->ncaps;
    if (in->ncaps != 0)
        memcpy(turn->in.caps, c->caps, in->ncaps * sizeof(tn_cap));
    if (c->block != NULL) {
        turn->in.data = c->block->bytes;
    } else {
        turn->in.data = turn->small;
        if (in->len <= TN_INLINE)
            bytes_copy_short(turn->small, in->data, in->len);
        else
            memcpy(turn->small, in->data, in->len);
    }
}

/* A block with the arguments; NULL: no memory. */
static struct block *call_block(struct calling *c)
{
    struct block *block = block_make(actor_memory(c->turn->actor), c->in->len);
    if (block == NULL)
        return NULL;
    if (c->in->len > 0)
        memcpy(block->bytes, c->in->data, c->in->len);
    block->ncaps = c->in->ncaps;
    return block;
}

/* What is waited for is to run at least as urgently as who waits; so down the chain of calls. */
static void lend(struct wait *wait, struct actor *callee, uint32_t priority)
{
    uint64_t generation = wait_generation(wait);
    for (uint32_t depth = 0; depth < TN_LEND_DEPTH; depth++) {
        if (!wait_lend(wait, generation, callee, priority))
            return;
        sched_ask(callee, ASK_LOOK); /* it may be queued behind what is less urgent now */
        wait = wait_of_call(callee, &generation, &callee);
        if (wait == NULL)
            return;
    }
}

static void lend_if_urgent(struct wait *wait, struct actor *callee)
{
    uint32_t priority = actor_priority(wait->actor);
    if (__builtin_expect(priority < callee->priority, 0) && !wait->actor->patient)
        lend(wait, callee, priority);
}

/* The wait of a call that has begun to run at once: from now on others see for whom it is. */
static void publish(struct wait *wait, struct actor *callee)
{
    if (at_load(&wait->callee, RELAXED) != NULL)
        return; /* it was done when the callee made a call */
    wait_set_callee(wait, callee, SEQ_CST);
    lend_if_urgent(wait, callee);
}

/* Outermost first, so that what is lent goes down the chain. */
void calls_publish(struct turn *turn)
{
    struct turn *chain[TN_DEPTH_MAX];
    uint32_t n = 0;
    for (; turn->caller != NULL && !turn->caller_ref; turn = turn->caller->turn) {
        ASSERT(n < TN_DEPTH_MAX);
        chain[n++] = turn;
    }
    while (n-- > 0)
        publish(chain[n]->caller, chain[n]->actor);
}

/* The cell of a queued call. Inside the caller's CPU. */
static tn_err make_cell(struct calling *c, struct cell **ret_cell)
{
    struct actor *caller = c->turn->actor;
    struct cell *cell = actor_cell(caller);
    if (cell == NULL)
        return TN_ENOMEM;
    tn_err err = TN_OK;
    if (c->in->len > 0 || c->in->ncaps > 0) {
        c->block = call_block(c);
        err = c->block != NULL ? TN_OK : TN_ENOMEM;
    }
    if (err == TN_OK) /* the last thing that can fail: what was moved cannot be given back */
        err = pack_post(caller->space, c->in, c->callee->space, c->caps);
    if (err != TN_OK) {
        block_free(c->block);
        cell_give(c->cpu, &c->cpu->back, cell);
        return err;
    }
    if (c->block != NULL)
        memcpy(c->block->caps, c->caps, c->in->ncaps * sizeof(tn_cap));
    cell->badge = c->badge;
    cell->cause = c->turn->info.cause;
    cell->method = c->method;
    cell->cls = (uint8_t)c->cls;
    cell->flags = CELL_CALL;
    cell->len = (uint8_t)(c->turn->depth + 1);
    cell->ncaps = (uint8_t)c->in->ncaps;
    cell->body.call = (struct cell_call){
        .caller = c->wait, .generation = c->generation, .deadline = c->deadline, .block = c->block};
    *ret_cell = cell;
    return TN_OK;
}

static tn_err enqueue(struct calling *c)
{
    struct cpu *cpu = c->cpu;
    cpu_enter(cpu);
    bool here = actor_here(cpu, c->callee);
    bool got = here && mbox_reserve(&c->callee->mbox);
    cpu_leave(cpu);
    bool away = !here && credit_away(cpu, c->callee, false);
    if (!got && !away)
        return TN_EFULL;
    lend_if_urgent(c->wait, c->callee);
    struct cell *cell = NULL;
    cpu_enter(cpu);
    tn_err err = make_cell(c, &cell);
    if (err == TN_OK) {
        object_ref(actor_object(c->turn->actor));
        if (away)
            cell->flags |= CELL_AWAY;
        sched_post_inside(cpu, c->callee, cell);
    }
    cpu_leave(cpu);
    if (err != TN_OK)
        credit_back(cpu, c->callee, away); /* somebody may wait for what we held */
    return err;
}

static tn_err run_at_once(struct calling *c)
{
    tn_err err = TN_OK;
    if (c->in->len > TURN_SMALL) {
        c->block = call_block(c);
        err = c->block != NULL ? TN_OK : TN_ENOMEM;
    }
    if (err == TN_OK && c->in->ncaps != 0)
        err = pack_transfer(c->turn->actor->space, c->in, c->callee->space, c->caps);
    if (__builtin_expect(err == TN_OK, 1)) {
        struct turn *turn = sched_call_turn(c->cpu, c->callee);
        prepare(c, turn);
        sched_run_call(c->cpu, turn);
        return TN_OK;
    }
    block_free(c->block);
    cpu_enter(c->cpu);
    c->callee->turns--;
    actor_release(c->cpu, c->callee);
    cpu_leave(c->cpu);
    return err;
}

/* The call has left: it is over, or the turn has to wait for it. */
static tn_err call_left(struct calling *c)
{
    if (turn_was_woken(c->turn))
        return TN_OK;
    publish(c->wait, c->callee);
    c->wait->callee_ref = true;
    object_ref(actor_object(c->callee));
    wait_expire_at(c->cpu, c->wait, c->deadline);
    return IPC_PENDING;
}

static tn_err call_actor(struct calling *c, const struct tn_pack *room)
{
    struct turn *turn = c->turn;
    outbox_let_go(c->cpu);
    if (turn->depth >= TN_DEPTH_MAX)
        return TN_EDEPTH;
    tn_err err = pack_check(c->in);
    if (err == TN_OK && room->ncaps > TN_PACK_CAPS)
        err = TN_EINVAL;
    if (err != TN_OK)
        return err;
    if (c->deadline > turn->info.deadline)
        c->deadline = turn->info.deadline;
    if (c->deadline <= c->cpu->now)
        return TN_ETIME;
    err = turn_may_wait(c->cpu, turn);
    if (err == TN_OK && !fiber_ensure(c->cpu, 2)) /* one for the callee, one for the loop */
        err = TN_ESTACK;
    if (err != TN_OK)
        return err;
    err = wait_begin(turn, &c->wait, &c->generation);
    if (err != TN_OK)
        return err;
    c->wait->room = room->data;
    if (__builtin_expect(room->ncaps != 0, 0)) {
        err = cap_reserve(turn->actor->space, room->ncaps, c->wait->caps);
        if (err != TN_OK) {
            wait_release(c->cpu, c->wait);
            return err;
        }
        c->wait->room_caps = room->ncaps;
    }
    /* RELEASE: a late callee of the call before that reads it sees that its own is over. */
    at_store(&c->wait->room_size, room->size, RELEASE);
    if (sched_may_run_call(c->cpu, c->callee)) {
        err = run_at_once(c); /* it has a turn to spare: no circle yet (calls_publish) */
    } else {
        /* It says for whom it waits before it looks, so of the calls that close a circle at the
         * same time the last to say so sees them all. */
        calls_publish(turn);
        wait_set_callee(c->wait, c->callee, SEQ_CST);
        err = wait_comes_round(c->wait, NEEDS_A_TURN) ? TN_EDEADLK : enqueue(c);
    }
    if (err != TN_OK) {
        wait_release(c->cpu, c->wait);
        return err;
    }
    at_count(&turn->actor->stats.calls_made, 1);
    return call_left(c);
}

/* What no endpoint leads on: of another object, or of a method that it does not take, it may be the
 * kernel that answers. */
static __attribute__((noinline)) tn_err call_other(const struct calling *c, tn_cap to,
                                                   const struct tn_pack *room, tn_err err)
{
    if (err != TN_ETYPE && err != TN_EMETHOD)
        return err;
    outbox_let_go(c->cpu);
    return invoke(c->cpu, c->turn, to, c->method, c->in, room != NULL ? room : &no_room, err);
}

tn_err call_begin(struct cpu *cpu, struct turn *turn, tn_cap to, uint32_t method,
                  const struct tn_pack *in, const struct tn_pack *room, tn_time deadline)
{
    struct calling calling;
    calling_begin(&calling, cpu, turn, method, TN_CLS_USER, in, deadline);
    struct endpoint *endpoint;
    tn_err err =
        endpoint_decode(cpu, turn, to, method, in, &endpoint, &calling.callee, &calling.badge);
    if (__builtin_expect(err != TN_OK, 0))
        return call_other(&calling, to, room, err);
    return call_actor(&calling, room != NULL ? room : &no_room);
}

tn_err life_begin(struct cpu *cpu, struct turn *turn, struct actor *actor, uint32_t method,
                  const struct tn_pack *in, tn_time deadline)
{
    ASSERT(method >> 16 == 0);
    /* Unlike what an endpoint leads to, it may have lost its last holder in this moment. */
    if (actor_life(actor) >= ACTOR_DYING || !object_try_ref(actor_object(actor)))
        return TN_EGONE;
    struct calling calling;
    calling_begin(&calling, cpu, turn, method, MSG_MODULE_LOAD, in, deadline);
    calling.callee = actor;
    calling.badge = 0;
    tn_err err = call_actor(&calling, &no_room);
    object_unref(actor_object(actor));
    return err;
}

/* Of a call that others may have heard of, or that has slots to give back. */
static __attribute__((noinline)) tn_err release(struct cpu *cpu, struct wait *wait)
{
    wait_release(cpu, wait);
    return wait->result;
}

tn_err call_end(struct cpu *cpu, struct turn *turn, struct tn_pack *ret_out)
{
    struct wait *wait = turn->wait;
    ASSERT(wait != NULL && wait->turn == turn);
    if (ret_out != NULL) {
        ret_out->len = wait->len;
        ret_out->ncaps = wait->ncaps;
        for (uint32_t i = 0; i < wait->ncaps; i++)
            ret_out->caps[i] = wait->caps[i];
    }
    tn_err result = wait->result;
    bool published = wait->expires || at_load(&wait->callee, RELAXED) != NULL;
    if (__builtin_expect(published || wait->room_caps != 0, 0))
        return release(cpu, wait);
    turn->wait = NULL; /* it ran at once, and nobody else has heard of it */
    wait->turn = NULL;
    wait_close(wait);
    return result;
}
