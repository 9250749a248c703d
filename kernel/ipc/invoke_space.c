/* invoke_space.c: what a capability space answers: looking into it, putting in, taking out.
 *
 * A handle among the arguments names a slot of the space that was called; the capabilities of the
 * pack are the caller's. Each operation is one of kernel/cap between the two spaces, or between two
 * that were named, and checks what that checks.
 *
 * Capabilities to spaces are put into no space but the caller's own. A space that no actor has and
 * that holds a capability to another such, which holds one to the first, would be named for ever,
 * by nobody who can be found: its memory would come back with the untyped only. An actor's own is
 * cleared when that dies. */
#include "kernel/ipc/invoke_int.h"

#include "base/bits.h"
#include "base/bytes.h"

enum { TICKET_LOOK_NS = 100000 }; /* between two looks at a ticket */

static struct space *called(struct invocation *call)
{
    return space_of(call->view.object);
}

static tn_err info(struct invocation *call)
{
    struct space_stats stats = space_stats(called(call));
    call->reply.space_info = (struct tn_space_info){.capabilities = stats.capabilities,
                                                    .reserved = stats.reserved,
                                                    .retired = stats.retired,
                                                    .slots_max = stats.slots_max};
    return TN_OK;
}

static uint32_t flags_of(const struct cap_info *info)
{
    return (info->derived ? TN_FLAG_DERIVED : 0u) | (info->posted ? TN_FLAG_POSTED : 0u) |
           (info->revoking ? TN_FLAG_REVOKING : 0u);
}

static tn_err inspect(struct invocation *call)
{
    struct cap_info found;
    tn_err err = cap_inspect(called(call), arg_u64(call, AT(space_handle, handle)), &found);
    if (err == TN_OK)
        call->reply.space_inspect = (struct tn_space_inspect){.badge = found.badge,
                                                              .type = found.type,
                                                              .rights = found.rights,
                                                              .flags = flags_of(&found)};
    return err;
}

static tn_err next(struct invocation *call)
{
    struct tn_space_next *reply = &call->reply.space_next;
    struct cap_info found;
    if (!cap_next(called(call), arg_u32(call, AT(space_next, from)), &found, &reply->next))
        return TN_OK;
    reply->handle = found.cap;
    reply->badge = found.badge;
    reply->type = found.type;
    reply->rights = found.rights;
    reply->flags = flags_of(&found);
    return TN_OK;
}

/* Whether what `cap` names in `from` may be put into `into`. A handle names one object for ever, so
 * it cannot become a space before it is moved. */
static tn_err may_enter(struct invocation *call, struct space *from, tn_cap cap, struct space *into)
{
    struct cap_view view;
    tn_err err = cap_lookup(from, cap, OBJ_NONE, 0, &view);
    if (err == TN_OK && into != call->space && view.object->class->type == OBJ_SPACE)
        err = TN_EINVAL;
    return err;
}

/* The space that an argument names, with write; where none is given, the one that was called. */
static tn_err destination(struct invocation *call, struct cap_arg arg, struct space **ret_space)
{
    struct cap_view view = call->view;
    if (arg.given) {
        tn_err err = cap_find(call->space, arg.cap, OBJ_SPACE, TN_R_WRITE, &view);
        if (err != TN_OK)
            return err;
    }
    *ret_space = space_of(view.object);
    return TN_OK;
}

static tn_err get(struct invocation *call)
{
    tn_cap handle = arg_u64(call, AT(space_get, handle));
    uint64_t badge = arg_u64(call, AT(space_get, badge));
    uint32_t rights = arg_u32(call, AT(space_get, rights));
    call->reply.made.object = 1;
    return cap_mint(called(call), handle, call->space, rights, badge, &call->made[0]);
}

static tn_err take(struct invocation *call)
{
    tn_cap handle = arg_u64(call, AT(space_handle, handle));
    call->reply.made.object = 1;
    return cap_move(called(call), handle, call->space, &call->made[0]);
}

static tn_err put(struct invocation *call)
{
    struct space *into = called(call);
    uint64_t badge = arg_u64(call, AT(space_put, badge));
    uint32_t rights = arg_u32(call, AT(space_put, rights));
    tn_cap object = arg_cap(call, AT(space_put, object)).cap;
    if (args_bad(call))
        return TN_EARGS;
    tn_err err = may_enter(call, call->space, object, into);
    if (err != TN_OK)
        return err;
    return cap_mint(call->space, object, into, rights, badge, &call->reply.space_handle.handle);
}

static tn_err give(struct invocation *call)
{
    struct space *into = called(call);
    tn_cap object = arg_cap(call, AT(space_give, object)).cap;
    if (args_bad(call))
        return TN_EARGS;
    tn_err err = may_enter(call, call->space, object, into);
    if (err != TN_OK)
        return err;
    return cap_move(call->space, object, into, &call->reply.space_handle.handle);
}

static tn_err mint(struct invocation *call)
{
    tn_cap handle = arg_u64(call, AT(space_mint, handle));
    uint64_t badge = arg_u64(call, AT(space_mint, badge));
    uint32_t rights = arg_u32(call, AT(space_mint, rights));
    struct cap_arg arg = arg_cap(call, AT(space_mint, into));
    struct space *into = NULL;
    tn_err err = args_bad(call) ? TN_EARGS : destination(call, arg, &into);
    if (err == TN_OK)
        err = may_enter(call, called(call), handle, into);
    if (err != TN_OK)
        return err;
    return cap_mint(called(call), handle, into, rights, badge, &call->reply.space_handle.handle);
}

static tn_err move(struct invocation *call)
{
    tn_cap handle = arg_u64(call, AT(space_move, handle));
    struct cap_arg arg = arg_cap(call, AT(space_move, into));
    struct space *into = NULL;
    tn_err err = args_bad(call) ? TN_EARGS : destination(call, arg, &into);
    if (err == TN_OK)
        err = may_enter(call, called(call), handle, into);
    if (err != TN_OK)
        return err;
    return cap_move(called(call), handle, into, &call->reply.space_handle.handle);
}

static tn_err drop(struct invocation *call)
{
    return cap_delete(called(call), arg_u64(call, AT(space_handle, handle)));
}

/* Whether no CPU can still use what was deleted before the ticket was drawn. A look in vain takes a
 * while, so that a long turn elsewhere costs few. */
static tn_err look_at_ticket(struct invocation *call, uint64_t ticket)
{
    struct turn *turn = call->turn;
    struct limbo *limbo = actor_object(turn->actor)->limbo;
    if (!limbo_drew(limbo, ticket))
        return TN_EINVAL;
    if (limbo_passed(limbo, ticket))
        return TN_OK;
    if (turn_may_wait(call->cpu, turn) != TN_OK)
        return turn->refuses == TURN_CANCELLED ? TN_ECANCELLED : TN_ETIME;
    tn_time deadline = turn->info.deadline, at = call->cpu->now + TICKET_LOOK_NS;
    if (deadline <= call->cpu->now)
        return TN_ETIME;
    call->answer_at = at < deadline ? at : deadline;
    call->reply.space_revoke = (struct tn_space_revoke_reply){.ticket = ticket, .more = 1};
    return TN_OK;
}

/* One step: the caller comes again while there is more; when nothing is left to delete, for the
 * grace period. */
static tn_err revoke(struct invocation *call)
{
    uint64_t ticket = arg_u64(call, AT(space_revoke, ticket));
    if (ticket != 0)
        return look_at_ticket(call, ticket);
    struct tn_space_revoke_reply *reply = &call->reply.space_revoke;
    tn_err err = cap_revoke_step(called(call), arg_u64(call, AT(space_revoke, handle)));
    if (err != TN_OK && err != TN_EAGAIN)
        return err;
    reply->more = 1;
    if (err == TN_OK)
        reply->ticket = limbo_ticket(actor_object(call->turn->actor)->limbo);
    return TN_OK;
}

static tn_err reserve(struct invocation *call)
{
    uint32_t n = arg_u32(call, AT(space_reserve, count));
    if (n == 0 || n > TN_PACK_CAPS)
        return TN_EINVAL;
    return cap_reserve(called(call), n, call->reply.space_reserve.slot);
}

static tn_err unreserve(struct invocation *call)
{
    tn_cap slot = arg_u64(call, AT(space_handle, handle));
    cap_unreserve(called(call), &slot, 1);
    return TN_OK;
}

static tn_err fill(struct invocation *call)
{
    struct space *into = called(call);
    tn_cap slot = arg_u64(call, AT(space_fill, slot));
    tn_cap object = arg_cap(call, AT(space_fill, object)).cap;
    if (args_bad(call))
        return TN_EARGS;
    tn_err err = may_enter(call, call->space, object, into);
    return err != TN_OK ? err : cap_deliver(call->space, &object, 1, 0, into, &slot);
}

static const struct invoke_method methods[] = {
    {info, TN_R_READ, sizeof(struct tn_space_info), 0, PRICE_NONE},
    {inspect, TN_R_READ, sizeof(struct tn_space_inspect), 0, PRICE_NONE},
    {next, TN_R_READ, sizeof(struct tn_space_next), 0, PRICE_STEP},
    {get, TN_R_CONTROL, 1, 1, PRICE_NONE},
    {take, TN_R_CONTROL, 1, 1, PRICE_NONE},
    {put, TN_R_WRITE, sizeof(struct tn_space_handle_reply), 0, PRICE_NONE},
    {give, TN_R_WRITE, sizeof(struct tn_space_handle_reply), 0, PRICE_NONE},
    {mint, TN_R_CONTROL, sizeof(struct tn_space_handle_reply), 0, PRICE_NONE},
    {move, TN_R_CONTROL, sizeof(struct tn_space_handle_reply), 0, PRICE_NONE},
    {drop, TN_R_CONTROL, 0, 0, PRICE_NONE},
    {revoke, TN_R_CONTROL, sizeof(struct tn_space_revoke_reply), 0, PRICE_STEP},
    {reserve, TN_R_WRITE, sizeof(struct tn_space_reserve_reply), 0, PRICE_NONE},
    {unreserve, TN_R_WRITE, 0, 0, PRICE_NONE},
    {fill, TN_R_WRITE, 0, 0, PRICE_NONE},
};
const struct invoke_interface invoke_space = {TN_SPACE, 1, ARRAY_LEN(methods), methods};
