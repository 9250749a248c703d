/* send.c: messages without a reply. */
#include "kernel/ipc/ipc_int.h"

#include "base/assert.h"
#include "base/bytes.h"

/* Makes the block that a message needs which does not fit into its cell; *ret_block is NULL when it
 * does. */
static tn_err make_block(struct turn *turn, const struct tn_pack *in, struct block **ret_block)
{
    *ret_block = NULL;
    if (in->ncaps * sizeof(tn_cap) + in->len <= TN_INLINE)
        return TN_OK;
    struct block *block = block_make(actor_memory(turn->actor), in->len);
    if (block == NULL)
        return TN_ENOMEM;
    if (in->len > 0)
        memcpy(block->bytes, in->data, in->len);
    block->ncaps = in->ncaps;
    *ret_block = block;
    return TN_OK;
}

static void fill(struct cell *cell, struct block *block, const struct tn_pack *in,
                 const tn_cap *caps)
{
    uint32_t ncaps = in->ncaps, len = in->len;
    size_t caps_bytes = ncaps * sizeof(tn_cap);
    cell->ncaps = (uint8_t)ncaps;
    if (__builtin_expect(block != NULL, 0)) {
        memcpy(block->caps, caps, caps_bytes);
        cell->flags = CELL_ONEWAY | CELL_BLOCK;
        cell->len = 0;
        cell->body.block = block;
        return;
    }
    cell->flags = CELL_ONEWAY;
    cell->len = (uint8_t)len;
    if (ncaps != 0)
        memcpy(cell->body.bytes, caps, caps_bytes);
    bytes_copy_short(cell->body.bytes + caps_bytes, in->data, len);
}

/* A message with its credit, on its way. */
struct sending {
    struct cpu *cpu;
    struct turn *turn;
    struct actor *target;
    uint64_t badge;
    uint32_t method;
    bool away;     /* the credit is from the door of those outside */
    bool gathered; /* and was taken with others (sched/outbox.h) */
    const struct tn_pack *in;
    struct block *block; /* what does not fit into a cell, or NULL */
};

/* Makes the cell that is to be posted; the block is its own then. The transfer is the last thing
 * that can fail, for what was moved could not be given back unchanged. Inside. */
static tn_err make_cell(const struct sending *s, struct cell **ret_cell)
{
    struct actor *actor = s->turn->actor;
    const struct tn_pack *in = s->in;
    tn_cap caps[TN_PACK_CAPS];
    struct cell *cell = actor_cell(actor);
    if (cell == NULL)
        return TN_ENOMEM;
    tn_err err = pack_post(actor->space, in, s->target->space, caps);
    if (__builtin_expect(err != TN_OK, 0)) {
        cell_give(s->cpu, &s->cpu->back, cell);
        return err;
    }
    fill(cell, s->block, in, caps);
    if (s->away)
        cell->flags |= CELL_AWAY;
    cell->badge = s->badge;
    cell->cause = s->turn->info.cause;
    cell->method = s->method;
    cell->cls = TN_CLS_USER;
    at_count(&actor->stats.messages_sent, 1);
    *ret_cell = cell;
    return TN_OK;
}

/* Sends with a credit that is held; gives it, and the block, back on failure. Outside. */
static tn_err deliver(const struct sending *s)
{
    struct cell *cell = NULL;
    cpu_enter(s->cpu); /* for the cells of the sender, which lives here */
    tn_err err = make_cell(s, &cell);
    if (err != TN_OK) {
        cpu_leave(s->cpu);
        block_free(s->block);
        if (s->gathered)
            outbox_unreserve(s->cpu);
        else
            credit_back(s->cpu, s->target, s->away);
        return err;
    }
    if (s->gathered)
        outbox_put(s->cpu, cell);
    else
        sched_post_inside(s->cpu, s->target, cell);
    cpu_leave(s->cpu);
    return TN_OK;
}

bool credit_away(struct cpu *own, struct actor *target, bool may_wait)
{
    bool got = false;
    if (mbox_reserve_away(&target->mbox))
        return true;
    if (!mbox_may_share(&target->mbox, &got))
        return got;
    if (may_wait && !mbox_is_worth_sharing(&target->mbox))
        return false;
    struct cpu *home = actor_lock(own, target);
    got = mbox_share(&target->mbox);
    actor_unlock(own, home);
    return got;
}

/* Queues for a credit of an actor that lives here, or applies for one to another CPU; true when
 * there was one after all. */
static bool queue_for_credit(struct cpu *cpu, struct actor *target, struct wait *wait)
{
    cpu_enter(cpu);
    bool here = actor_here(cpu, target);
    bool got = here && mbox_reserve(&target->mbox);
    if (here && !got)
        wait_enqueue(wait, &target->senders);
    cpu_leave(cpu);
    if (!here) {
        actor_apply(target, wait);
        sched_ask(target, ASK_LOOK);
    }
    return got;
}

/* Waits for a credit. TN_OK: there was one after all, of the target's own door. */
static tn_err wait_for_credit(const struct sending *s)
{
    struct turn *turn = s->turn;
    struct actor *target = s->target;
    if (turn->info.deadline <= s->cpu->now)
        return TN_ETIME;
    tn_err err = turn_may_wait(s->cpu, turn);
    if (err != TN_OK)
        return err;
    struct wait *wait;
    uint64_t generation;
    err = wait_begin(turn, &wait, &generation);
    if (err != TN_OK)
        return err;
    object_ref(actor_object(target));
    wait->credit_of = target;
    calls_publish(turn);
    wait_set_callee(wait, target, SEQ_CST);
    if (wait_comes_round(wait, NEEDS_A_TURN)) {
        wait_release(s->cpu, wait);
        return TN_EDEADLK;
    }
    if (queue_for_credit(s->cpu, target, wait)) {
        wait_release(s->cpu, wait);
        return TN_OK;
    }
    wait_expire_at(s->cpu, wait, turn->info.deadline);
    return IPC_PENDING;
}

/* With a credit of an actor that lives here: TN_EFULL when it does not, or has none. */
static tn_err send_here(const struct sending *s)
{
    struct cell *cell = NULL;
    tn_err err = TN_EFULL;
    cpu_enter(s->cpu);
    bool here = actor_here(s->cpu, s->target);
    if (here)
        outbox_let_go(s->cpu);
    if (here && mbox_reserve(&s->target->mbox)) {
        err = make_cell(s, &cell);
        if (err == TN_OK)
            post_here(s->cpu, s->target, cell);
        else
            mbox_credit(&s->target->mbox);
    }
    cpu_leave(s->cpu);
    return err;
}

static tn_err send(struct sending *s, uint32_t flags)
{
    tn_err err = pack_check(s->in);
    if (err == TN_OK)
        err = make_block(s->turn, s->in, &s->block); /* outside: it may be long to copy */
    if (err != TN_OK)
        return err;
    err = send_here(s);
    if (err != TN_EFULL)
        goto done;
    s->gathered = !actor_here(s->cpu, s->target) && outbox_reserve(s->cpu, s->target);
    s->away = s->gathered || credit_away(s->cpu, s->target, (flags & TN_SEND_WAIT) != 0);
    if (s->away)
        return deliver(s);
    if ((flags & TN_SEND_WAIT) == 0)
        goto done;
    err = wait_for_credit(s);
    if (err == TN_OK)
        return deliver(s);
done:
    if (err != TN_OK) /* send_end makes it again: its memory is not to wait with the turn */
        block_free(s->block);
    return err;
}

__attribute__((noinline)) void send_behind(struct cpu *cpu, struct actor *target)
{
    queue_push_behind(cpu, target);
    cpu_leave(cpu);
}

tn_err send_begin(struct cpu *cpu, struct turn *turn, tn_cap to, uint32_t method,
                  const struct tn_pack *in, uint32_t flags)
{
    if (send_quick(cpu, turn, to, method, in))
        return TN_OK;
    struct sending s = {.cpu = cpu, .turn = turn, .method = method, .in = in};
    struct endpoint *endpoint;
    tn_err err = endpoint_decode(cpu, turn, to, method, in, &endpoint, &s.target, &s.badge);
    return err == TN_OK ? send(&s, flags) : err;
}

tn_err send_end(struct cpu *cpu, struct turn *turn, tn_cap to, uint32_t method,
                const struct tn_pack *in)
{
    struct wait *wait = turn->wait;
    ASSERT(wait != NULL && wait->turn == turn && wait->credit_of != NULL);
    struct sending s = {.cpu = cpu, .turn = turn, .method = method, .in = in};
    struct actor *granted = wait->credit_of;
    tn_err err = wait->result;
    struct endpoint *endpoint = NULL;
    if (err == TN_OK)
        err = endpoint_decode(cpu, turn, to, method, in, &endpoint, &s.target, &s.badge);
    /* Of several targets it goes to the one whose credit it has. */
    if (err == TN_OK && !endpoint_has(endpoint, granted))
        err = TN_EBADCAP;
    if (err == TN_OK && actor_life(granted) != ACTOR_READY)
        err = TN_EGONE;
    s.target = granted;
    if (err == TN_OK) {
        /* The credit is deliver's now, which gives it back where it will be needed again; and the
         * wait is in no queue any more, so nobody's lock is needed to take it out. */
        wait->credit_held = wait->applied = false;
        wait->credit_of = NULL;
        s.away = !actor_here(cpu, granted);
        err = make_block(turn, in, &s.block);
        if (err == TN_OK)
            err = deliver(&s);
        else
            credit_back(cpu, granted, s.away);
    }
    bool sent = wait->credit_of == NULL;
    wait_release(cpu, wait);
    if (sent)
        object_unref(actor_object(granted));
    return err;
}
