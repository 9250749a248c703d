/* invoke_rest.c: what is answered by notifications, timers, buffers, replies, ends of channels and
 * endpoints. What they are made of is in bell.c, objects.c, channel.c and endpoint.c. */
#include "kernel/ipc/invoke_int.h"

#include "base/bits.h"

/* Notifications */

static tn_err signal(struct invocation *call)
{
    uint64_t bits = arg_u64(call, (uint32_t)offsetof(struct tn_notification_bits, bits));
    return note_signal(call->cpu, call->turn, call->to, bits);
}

static tn_err poll(struct invocation *call)
{
    call->reply.bits.bits = note_poll(call->view.object);
    return TN_OK;
}

static tn_err bind(struct invocation *call)
{
    struct actor *actor = NULL;
    struct cap_arg arg = arg_cap(call, AT(notification_bind, actor));
    tn_err err = args_bad(call) ? TN_EARGS : arg_actor(call, arg, &actor);
    if (err != TN_OK)
        return err;
    err = note_bind(call->cpu, call->view.object, actor);
    object_unref(actor_object(actor));
    if (err != TN_OK)
        return err;
    /* Whoever orphaned it before it was bound did not unbind it: look once more. */
    struct cap_view view;
    err = cap_find(call->space, call->to, OBJ_NOTE, TN_R_READ, &view);
    if (err != TN_OK)
        (void)note_unbind(call->view.object);
    return err;
}

static tn_err unbind(struct invocation *call)
{
    return note_unbind(call->view.object);
}

static const struct invoke_method notification_methods[] = {
    {signal, TN_R_WRITE, 0, 0, PRICE_NONE},
    {poll, TN_R_READ, sizeof(struct tn_notification_bits), 0, PRICE_NONE},
    {bind, TN_R_READ, 0, 0, PRICE_NONE},
    {unbind, TN_R_READ, 0, 0, PRICE_NONE},
};
const struct invoke_interface invoke_notification = {
    TN_NOTIFICATION, 1, ARRAY_LEN(notification_methods), notification_methods};

/* Timers */

static tn_err set(struct invocation *call)
{
    uint64_t at = arg_u64(call, AT(timer_set, at));
    return timer_set(call->cpu, call->turn, call->to, at, arg_u64(call, AT(timer_set, cookie)));
}

static tn_err cancel(struct invocation *call)
{
    return timer_set(call->cpu, call->turn, call->to, TN_NEVER, 0);
}

static tn_err timer_info(struct invocation *call)
{
    bool fired;
    struct tn_timer_info *reply = &call->reply.timer_info;
    timer_look(call->cpu, call->view.object, &reply->at, &reply->cookie, &fired);
    reply->fired = fired;
    return TN_OK;
}

static const struct invoke_method timer_methods[] = {
    {set, TN_R_WRITE, 0, 0, PRICE_NONE},
    {cancel, TN_R_WRITE, 0, 0, PRICE_NONE},
    {timer_info, TN_R_READ, sizeof(struct tn_timer_info), 0, PRICE_NONE},
};
const struct invoke_interface invoke_timer = {TN_TIMER, 1, ARRAY_LEN(timer_methods), timer_methods};

/* Buffers */

static tn_err buffer_info(struct invocation *call)
{
    struct buffer *buffer = buffer_of(call->view.object);
    (void)buffer_bytes(buffer, &call->reply.buffer_info.size_bytes);
    call->reply.buffer_info.slice = buffer_is_slice(buffer);
    return TN_OK;
}

static tn_err slice(struct invocation *call)
{
    uint64_t off = arg_u64(call, AT(buffer_slice, off)), len = arg_u64(call, AT(buffer_slice, len));
    uint32_t rights = arg_u32(call, AT(buffer_slice, rights));
    call->reply.made.object = 1;
    return buf_slice(call->cpu, call->turn, call->to, off, len, rights, &call->made[0]);
}

static const struct invoke_method buffer_methods[] = {
    {buffer_info, 0, sizeof(struct tn_buffer_info), 0, PRICE_NONE},
    {slice, TN_R_GRANT, 1, 1, PRICE_NONE},
};
const struct invoke_interface invoke_buffer = {TN_BUFFER, 1, ARRAY_LEN(buffer_methods),
                                               buffer_methods};

/* Replies, channels, endpoints */

static tn_err reply_info(struct invocation *call)
{
    struct tn_reply_info *reply = &call->reply.reply_info;
    reply->waits = reply_waits(call->view.object, &reply->room_bytes);
    return TN_OK;
}

static const struct invoke_method reply_methods[] = {
    {reply_info, 0, sizeof(struct tn_reply_info), 0, PRICE_NONE},
};
const struct invoke_interface invoke_reply = {TN_REPLY, 1, ARRAY_LEN(reply_methods), reply_methods};

static tn_err channel_info(struct invocation *call)
{
    struct tn_channel_info *reply = &call->reply.channel_info;
    bool produces, gone;
    channel_look(call->view.object, &reply->capacity_bytes, &produces, &gone);
    reply->produces = produces;
    reply->gone = gone;
    return TN_OK;
}

static const struct invoke_method channel_methods[] = {
    {channel_info, 0, sizeof(struct tn_channel_info), 0, PRICE_NONE},
};
const struct invoke_interface invoke_channel = {TN_CHANNEL, 1, ARRAY_LEN(channel_methods),
                                                channel_methods};

static tn_err endpoint_info(struct invocation *call)
{
    struct tn_endpoint_info *reply = &call->reply.endpoint_info;
    struct endpoint *endpoint = endpoint_of(call->view.object);
    reply->interface = endpoint->interface;
    reply->rule = endpoint_look(endpoint, &reply->targets, &reply->ready);
    return TN_OK;
}

static const struct invoke_method endpoint_methods[] = {
    {endpoint_info, 0, sizeof(struct tn_endpoint_info), 0, PRICE_NONE},
};
const struct invoke_interface invoke_endpoint = {TN_ENDPOINT, 16, ARRAY_LEN(endpoint_methods),
                                                 endpoint_methods};
