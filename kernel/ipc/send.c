/* send.c: messages without a reply. */
#include "kernel/ipc/ipc_int.h"

#include "base/assert.h"
#include "base/bytes.h"

/* Fills a cell, and a block where the message needs one. Nothing is held on failure. */
static tn_err fill(struct turn *turn, struct cell *cell, const struct tn_pack *in,
                   const tn_cap *caps)
{
    size_t caps_bytes = in->ncaps * sizeof(tn_cap);
    cell->ncaps = (uint8_t)in->ncaps;
    cell->flags = CELL_ONEWAY;
    if (caps_bytes + in->len <= TN_INLINE) {
        memcpy(cell->body.bytes, caps, caps_bytes);
        if (in->len > 0)
            memcpy(cell->body.bytes + caps_bytes, in->data, in->len);
        cell->len = (uint8_t)in->len;
        return TN_OK;
    }
    struct block *block = block_make(turn->actor->memory, in->len);
    if (block == NULL)
        return TN_ENOMEM;
    memcpy(block->bytes, in->data, in->len);
    memcpy(block->caps, caps, caps_bytes);
    block->ncaps = in->ncaps;
    cell->flags |= CELL_BLOCK;
    cell->len = 0;
    cell->body.block = block;
    return TN_OK;
}

/* Sends with a credit that is held; gives it back on failure. */
static tn_err deliver(struct cpu *cpu, struct turn *turn, struct actor *target, uint64_t badge,
                      uint32_t method, const struct tn_pack *in)
{
    tn_cap caps[TN_PACK_CAPS] = {0};
    tn_err err = TN_ENOMEM;
    struct cell *cell = actor_cell(turn->actor);
    if (cell == NULL)
        goto no_cell;
    err = pack_transfer(turn->actor->space, in, target->space, caps);
    if (err != TN_OK)
        goto no_caps;
    err = fill(turn, cell, in, caps);
    if (err != TN_OK)
        goto no_block;
    cell->badge = badge;
    cell->cause = turn->info.cause;
    cell->method = method;
    cell->cls = TN_CLS_USER;
    turn->actor->stats.messages_sent++;
    mbox_push(&target->mbox, cell);
    sched_wake(cpu, target);
    return TN_OK;
no_block:
    for (uint32_t i = 0; i < in->ncaps; i++)
        cap_delete(target->space, caps[i]);
no_caps:
    cell_give(cell);
no_cell:
    mbox_unreserve(&target->mbox);
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
    if (mbox_reserve(&target->mbox))
        return deliver(cpu, turn, target, badge, method, in);
    if ((flags & TN_SEND_WAIT) == 0)
        return TN_EFULL;
    if (target == turn->actor)
        return TN_EDEADLK; /* it would wait for itself to take a message */
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
    wait_enqueue(wait, &target->senders);
    /* A credit that came back before we stood in the queue went unseen: look once more. */
    if (mbox_reserve(&target->mbox)) {
        if (wait_claim(wait, generation, WAIT_FILLING)) {
            wait->credit_held = true;
            wait_filled(wait, generation);
            turn_wake(cpu, turn);
        } else {
            mbox_unreserve(&target->mbox);
        }
    }
    wait_expire_at(cpu, wait, turn->info.deadline);
    return IPC_PENDING;
}

tn_err send_end(struct cpu *cpu, struct turn *turn, tn_cap to, uint32_t method,
                const struct tn_pack *in)
{
    struct wait *wait = turn->actor->wait;
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
