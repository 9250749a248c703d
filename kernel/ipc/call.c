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

/* TN_EDEADLK when `callee` waits, directly or through others, for `caller`. The caller has said for
 * whom it waits before it looks, so of the calls that close a circle at the same time the last to
 * say so sees them all. An edge that is there because a deferred call will be answered by a third
 * party counts too. */
static tn_err look_for_circle(struct actor *caller, struct actor *callee)
{
    struct actor *actor = callee;
    for (uint32_t i = 0; i <= TN_DEPTH_MAX; i++) {
        if (actor == caller)
            return TN_EDEADLK;
        actor = actor_waits_for(actor);
        if (actor == NULL)
            return TN_OK;
    }
    return TN_EDEPTH;
}

static tn_err check_pack(const struct tn_pack *in)
{
    if (in->ncaps > TN_PACK_CAPS)
        return TN_EINVAL;
    return in->len > TN_ARGS_MAX ? TN_ETOOBIG : TN_OK;
}

static void prepare(struct turn *callee_turn, void *arg)
{
    struct calling *c = arg;
    struct turn *turn = callee_turn;
    const struct tn_pack *in = c->in;
    turn->actor = c->callee;
    turn->cell = NULL;
    turn->caller = c->turn->actor;
    turn->generation = c->generation;
    turn->caller_ref = false;
    turn->deferred = false;
    turn->cancelled = false;
    turn->depth = (uint16_t)(c->turn->depth + 1);
    turn->fiber = NULL;
    at_init(&turn->state, TURN_RUNS);
    tn_time now = c->cpu->now;
    tn_time limit = c->callee->deadline_ns == 0 ? TN_NEVER : now + c->callee->deadline_ns;
    turn->info = (struct tn_turn){.badge = c->badge,
                                  .cause = c->turn->info.cause,
                                  .deadline = c->deadline < limit ? c->deadline : limit,
                                  .now = now,
                                  .method = c->method,
                                  .cls = c->cls};
    turn->in = (struct tn_pack){.len = in->len, .ncaps = in->ncaps};
    memcpy(turn->in.caps, c->caps, in->ncaps * sizeof(tn_cap));
    turn->block = c->block;
    if (c->block != NULL) {
        turn->in.data = c->block->bytes;
    } else {
        if (in->len > 0)
            memcpy(turn->small, in->data, in->len);
        turn->in.data = turn->small;
    }
}

/* A block with the arguments; NULL: no memory. */
static struct block *call_block(struct calling *c)
{
    struct block *block = block_make(c->turn->actor->memory, c->in->len);
    if (block == NULL)
        return NULL;
    if (c->in->len > 0)
        memcpy(block->bytes, c->in->data, c->in->len);
    block->ncaps = c->in->ncaps;
    return block;
}

static tn_err enqueue(struct calling *c)
{
    struct actor *caller = c->turn->actor;
    if (!mbox_reserve(&c->callee->mbox, c->callee->mailbox_capacity))
        return TN_EFULL;
    tn_err err = TN_ENOMEM;
    struct cell *cell = actor_cell(caller);
    if (cell == NULL)
        goto no_cell;
    if (c->in->len > 0 || c->in->ncaps > 0) {
        c->block = call_block(c);
        if (c->block == NULL)
            goto no_call;
    }
    /* The last thing that can fail, for what was moved could not be given back unchanged. */
    err = pack_post(caller->space, c->in, c->callee->space, c->caps);
    if (err != TN_OK)
        goto no_call;
    if (c->block != NULL)
        memcpy(c->block->caps, c->caps, c->in->ncaps * sizeof(tn_cap));
    object_ref(actor_object(caller));
    cell->badge = c->badge;
    cell->cause = c->turn->info.cause;
    cell->method = c->method;
    cell->cls = (uint8_t)c->cls;
    cell->flags = CELL_CALL;
    cell->len = (uint8_t)(c->turn->depth + 1);
    cell->ncaps = (uint8_t)c->in->ncaps;
    cell->body.call = (struct cell_call){
        .caller = caller, .generation = c->generation, .deadline = c->deadline, .block = c->block};
    mbox_push(&c->callee->mbox, cell);
    sched_wake(c->cpu, c->callee);
    return TN_OK;
no_call:
    block_free(c->block);
    cell_give(c->cpu, cell);
no_cell:
    credit_back(c->cpu, c->callee); /* somebody may wait for what we held */
    return err;
}

static tn_err run_at_once(struct calling *c)
{
    tn_err err = TN_OK;
    if (c->in->len > TURN_SMALL) {
        c->block = call_block(c);
        err = c->block != NULL ? TN_OK : TN_ENOMEM;
    }
    if (err == TN_OK) /* the last thing that can fail, as in enqueue */
        err = pack_transfer(c->turn->actor->space, c->in, c->callee->space, c->caps);
    if (err == TN_OK) {
        sched_run_call(c->cpu, c->callee, prepare, c);
        return TN_OK;
    }
    block_free(c->block);
    actor_release(c->cpu, c->callee);
    return err;
}

/* The call has left: it is over, or the turn has to wait for it. */
static tn_err call_left(struct calling *c)
{
    if (turn_was_woken(c->turn))
        return TN_OK;
    c->wait->callee_ref = true;
    object_ref(actor_object(c->callee));
    wait_expire_at(c->cpu, c->wait, c->deadline);
    return IPC_PENDING;
}

static tn_err call_actor(struct calling *c, const struct tn_pack *room)
{
    struct turn *turn = c->turn;
    if (turn->depth >= TN_DEPTH_MAX)
        return TN_EDEPTH;
    tn_err err = check_pack(c->in);
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
    c->wait->room_caps = room->ncaps;
    /* RELEASE: a late callee of the call before that reads it sees that its own is over. */
    at_store(&c->wait->room_size, room->size, RELEASE);
    if (sched_may_run_call(c->cpu, c->callee)) {
        wait_set_callee(c->wait, c->callee, RELEASE); /* it waits for nobody: no circle */
        err = run_at_once(c);
    } else {
        wait_set_callee(c->wait, c->callee, SEQ_CST);
        err = look_for_circle(turn->actor, c->callee);
        if (err == TN_OK)
            err = enqueue(c);
    }
    if (err != TN_OK) {
        wait_release(c->cpu, c->wait);
        return err;
    }
    turn->actor->stats.calls_made++;
    return call_left(c);
}

tn_err call_begin(struct cpu *cpu, struct turn *turn, tn_cap to, uint32_t method,
                  const struct tn_pack *in, const struct tn_pack *room, tn_time deadline)
{
    struct cap_view view;
    tn_err err = cap_lookup(turn->actor->space, to, OBJ_ENDPOINT, TN_R_CALL, &view);
    if (err != TN_OK)
        return err;
    struct endpoint *endpoint = endpoint_of(view.object);
    uint32_t interface = method >> 16;
    if (interface == 0 || (endpoint->interface != 0 && endpoint->interface != interface))
        return TN_EMETHOD;
    enum actor_life life = actor_life(endpoint->target);
    if (life != ACTOR_READY)
        return life == ACTOR_CREATED ? TN_EAGAIN : TN_EGONE;
    struct calling calling = {.cpu = cpu,
                              .turn = turn,
                              .callee = endpoint->target,
                              .badge = view.badge,
                              .method = method,
                              .cls = TN_CLS_USER,
                              .in = in,
                              .deadline = deadline};
    return call_actor(&calling, room != NULL ? room : &no_room);
}

tn_err life_begin(struct cpu *cpu, struct turn *turn, struct actor *actor, uint32_t method,
                  const struct tn_pack *in, tn_time deadline)
{
    ASSERT(method >> 16 == 0);
    /* Unlike what an endpoint leads to, it may have lost its last holder in this moment. */
    if (actor_life(actor) >= ACTOR_DYING || !object_try_ref(actor_object(actor)))
        return TN_EGONE;
    struct calling calling = {.cpu = cpu,
                              .turn = turn,
                              .callee = actor,
                              .method = method,
                              .cls = MSG_MODULE_LOAD,
                              .in = in,
                              .deadline = deadline};
    tn_err err = call_actor(&calling, &no_room);
    object_unref(actor_object(actor));
    return err;
}

tn_err call_end(struct cpu *cpu, struct turn *turn, struct tn_pack *ret_out)
{
    struct wait *wait = wait_of(turn->actor);
    ASSERT(wait != NULL && wait->turn == turn);
    if (ret_out != NULL) {
        ret_out->len = wait->len;
        ret_out->ncaps = wait->ncaps;
        memcpy(ret_out->caps, wait->caps, wait->ncaps * sizeof(tn_cap));
    }
    tn_err result = wait->result;
    wait_release(cpu, wait);
    return result;
}
