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
    struct block *block = block_make(turn->actor->memory, in->len);
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
    size_t caps_bytes = in->ncaps * sizeof(tn_cap);
    cell->ncaps = (uint8_t)in->ncaps;
    cell->flags = CELL_ONEWAY;
    cell->len = 0;
    if (block != NULL) {
        memcpy(block->caps, caps, caps_bytes);
        cell->flags |= CELL_BLOCK;
        cell->body.block = block;
        return;
    }
    memcpy(cell->body.bytes, caps, caps_bytes);
    if (in->len > 0)
        memcpy(cell->body.bytes + caps_bytes, in->data, in->len);
    cell->len = (uint8_t)in->len;
}

/* Sends with a credit that is held; gives it back on failure. The transfer is the last thing that
 * can fail, for what was moved could not be given back unchanged. */
static tn_err deliver(struct cpu *cpu, struct turn *turn, struct actor *target, uint64_t badge,
                      uint32_t method, const struct tn_pack *in)
{
    tn_cap caps[TN_PACK_CAPS] = {0};
    struct block *block = NULL;
    tn_err err = TN_ENOMEM;
    struct cell *cell = actor_cell(turn->actor);
    if (cell == NULL)
        goto no_cell;
    err = make_block(turn, in, &block);
    if (err == TN_OK)
        err = pack_post(turn->actor->space, in, target->space, caps);
    if (err != TN_OK)
        goto no_message;
    fill(cell, block, in, caps);
    cell->badge = badge;
    cell->cause = turn->info.cause;
    cell->method = method;
    cell->cls = TN_CLS_USER;
    turn->actor->stats.messages_sent++;
    mbox_push(&target->mbox, cell);
    sched_wake(cpu, target);
    return TN_OK;
no_message:
    block_free(block);
    cell_give(cpu, cell);
no_cell:
    credit_back(cpu, target);
    return err;
}

static tn_err decode(struct turn *turn, tn_cap to, uint32_t method, const struct tn_pack *in,
                     struct actor **ret_target, uint64_t *ret_badge)
{
    struct cap_view view;
    tn_err err = cap_lookup(turn->actor->space, to, OBJ_ENDPOINT, TN_R_CALL, &view);
    if (err != TN_OK)
        return err;
    struct endpoint *endpoint = endpoint_of(view.object);
    uint32_t interface = method >> 16;
    if (interface == 0 || (endpoint->interface != 0 && endpoint->interface != interface))
        return TN_EMETHOD;
    if (in->ncaps > TN_PACK_CAPS)
        return TN_EINVAL;
    if (in->len > TN_ARGS_MAX)
        return TN_ETOOBIG;
    enum actor_life life = actor_life(endpoint->target);
    if (life != ACTOR_READY)
        return life == ACTOR_CREATED ? TN_EAGAIN : TN_EGONE;
    *ret_target = endpoint->target;
    *ret_badge = view.badge;
    return TN_OK;
}

tn_err send_begin(struct cpu *cpu, struct turn *turn, tn_cap to, uint32_t method,
                  const struct tn_pack *in, uint32_t flags)
{
    struct actor *target;
    uint64_t badge;
    tn_err err = decode(turn, to, method, in, &target, &badge);
    if (err != TN_OK)
        return err;
    if (mbox_reserve(&target->mbox, target->mailbox_capacity))
        return deliver(cpu, turn, target, badge, method, in);
    if ((flags & TN_SEND_WAIT) == 0)
        return TN_EFULL;
    if (target == turn->actor)
        return TN_EDEADLK; /* it would wait for itself to take a message */
    if (turn->info.deadline <= cpu->now)
        return TN_ETIME;
    err = turn_may_wait(cpu, turn);
    if (err != TN_OK)
        return err;
    struct wait *wait;
    uint64_t generation;
    err = wait_begin(turn, &wait, &generation);
    if (err != TN_OK)
        return err;
    object_ref(actor_object(target));
    wait->credit_of = target;
    /* In the queue first, then the look: a credit comes back before the look and is seen by it, or
     * after it and its giver sees the queue. Nobody can grant one while we hold the lock. */
    lock_take(&target->senders.lock);
    wait_enqueue(wait, &target->senders);
    bool got = mbox_reserve(&target->mbox, target->mailbox_capacity);
    if (got)
        wait_unqueue(wait);
    lock_drop(&target->senders.lock);
    if (got) {
        wait_release(cpu, wait);
        return deliver(cpu, turn, target, badge, method, in);
    }
    wait_expire_at(cpu, wait, turn->info.deadline);
    return IPC_PENDING;
}

tn_err send_end(struct cpu *cpu, struct turn *turn, tn_cap to, uint32_t method,
                const struct tn_pack *in)
{
    struct wait *wait = wait_of(turn->actor);
    ASSERT(wait != NULL && wait->turn == turn && wait->credit_of != NULL);
    struct actor *granted = wait->credit_of;
    tn_err err = wait->result;
    struct actor *target;
    uint64_t badge;
    if (err == TN_OK)
        err = decode(turn, to, method, in, &target, &badge);
    if (err == TN_OK && target != granted)
        err = TN_EBADCAP;
    if (err == TN_OK) {
        wait->credit_held = false; /* deliver's now */
        err = deliver(cpu, turn, target, badge, method, in);
    }
    wait_release(cpu, wait);
    return err;
}
