/* invoke.c: calls on the kernel's own objects: which method of which object it is, and the answer.
 *
 * A call comes here when it is none on an endpoint (call.c), so nothing is paid for this by those.
 * The type of the object says which interface it answers; a method of any other is TN_ETYPE, for it
 * was meant for another type. Endpoints answer methods of interface 0, which they never lead on.
 *
 * Decode, then invoke. The arguments are copied once, for their bytes may lie where others write;
 * the method reads the copy. That the answer has room is known before the method runs, and so is
 * the wait that carries it to call_end: what was done is always told. */
#include "kernel/ipc/invoke_int.h"

#include "base/bytes.h"

enum { STEP_BYTES = 64 * 64 }; /* a step of 64 deletes costs as much as clearing their slots */

static const struct invoke_interface *const interfaces[OBJ_TYPES] = {
    [OBJ_UNTYPED] = &invoke_untyped,   [OBJ_SPACE] = &invoke_space,
    [OBJ_ACTOR] = &invoke_actor,       [OBJ_ENDPOINT] = &invoke_endpoint,
    [OBJ_NOTE] = &invoke_notification, [OBJ_TIMER] = &invoke_timer,
    [OBJ_BUFFER] = &invoke_buffer,     [OBJ_REPLY] = &invoke_reply,
    [OBJ_CHANNEL] = &invoke_channel,
};
_Static_assert(OBJ_UNTYPED == (enum object_type)TN_TYPE_UNTYPED &&
                   OBJ_SPACE == (enum object_type)TN_TYPE_SPACE &&
                   OBJ_ACTOR == (enum object_type)TN_TYPE_ACTOR &&
                   OBJ_ENDPOINT == (enum object_type)TN_TYPE_ENDPOINT &&
                   OBJ_NOTE == (enum object_type)TN_TYPE_NOTIFICATION &&
                   OBJ_TIMER == (enum object_type)TN_TYPE_TIMER &&
                   OBJ_BUFFER == (enum object_type)TN_TYPE_BUFFER &&
                   OBJ_REPLY == (enum object_type)TN_TYPE_REPLY &&
                   OBJ_CHANNEL == (enum object_type)TN_TYPE_CHANNEL,
               "the numbers of the ABI");
_Static_assert(IPC_KERNEL_INTERFACES == TN_KERNEL_INTERFACE(0), "the numbers of the ABI");

const struct invoke_interface *invoke_interface(enum object_type type)
{
    ASSERT(type > OBJ_NONE && type < OBJ_TYPES);
    return interfaces[type];
}

static tn_err method_find(const struct invoke_interface *interface, uint32_t number,
                          const struct invoke_method **ret_method)
{
    if (interface == NULL || number >> 16 != interface->id)
        return TN_ETYPE;
    uint32_t i = (number & 0xffff) - interface->first; /* below the first it wraps */
    if (i >= interface->nmethods || interface->methods[i].run == NULL)
        return TN_EMETHOD;
    *ret_method = &interface->methods[i];
    return TN_OK;
}

/* Finds object and method, and copies the arguments. */
static tn_err decode(struct invocation *call, uint32_t number, const struct tn_pack *in,
                     const struct invoke_method **ret_method)
{
    tn_err err = cap_lookup(call->space, call->to, OBJ_NONE, 0, &call->view);
    if (err == TN_OK)
        err = method_find(invoke_interface(call->view.object->class->type), number, ret_method);
    if (err != TN_OK)
        return err;
    if ((((*ret_method)->rights | TN_R_CALL) & ~call->view.rights) != 0)
        return TN_ERIGHTS;
    err = pack_check(in);
    if (err != TN_OK)
        return err;
    call->pack = *in;
    call->pack.len = in->len < sizeof(call->args) ? in->len : sizeof(call->args);
    if (call->pack.len > 0)
        memcpy(call->args, in->data, call->pack.len);
    call->pack.data = call->args;
    call->in = tn_wire_open(&call->pack, TN_WIRE_NO_VAR);
    return TN_OK;
}

/* The answer, for call_end. */
static void answer(struct invocation *call, const struct invoke_method *method, struct wait *wait,
                   void *room)
{
    wait->len = method->reply_bytes;
    wait->ncaps = method->reply_caps;
    if (method->reply_bytes > 0)
        memcpy(room, &call->reply, method->reply_bytes);
    memcpy(wait->caps, call->made, method->reply_caps * sizeof(tn_cap));
}

/* The answer is there already. Inside the CPU that it was armed on. */
static void answer_now(struct cpu *cpu, struct event *event)
{
    struct wait *wait = CONTAINER_OF(event, struct wait, expiry);
    if (!wait_claim(wait, wait->expiry_generation, WAIT_FILLING))
        return;
    wait->result = TN_OK;
    wait_filled(wait, wait->expiry_generation);
    turn_wake_inside(cpu, wait->turn);
}

tn_err invoke(struct cpu *cpu, struct turn *turn, tn_cap to, uint32_t number,
              const struct tn_pack *in, const struct tn_pack *room, tn_err refused)
{
    ASSERT(refused == TN_ETYPE || refused == TN_EMETHOD);
    if (refused == TN_EMETHOD && number >> 16 != TN_ENDPOINT)
        return refused; /* what an endpoint does not lead on */
    struct invocation call = {.cpu = cpu, .turn = turn, .space = turn->actor->space, .to = to};
    const struct invoke_method *method = NULL;
    tn_err err = decode(&call, number, in, &method);
    if (err == TN_OK && room->ncaps > TN_PACK_CAPS)
        err = TN_EINVAL;
    if (err != TN_OK)
        return err;
    struct wait *wait = NULL;
    uint64_t generation = 0;
    err = wait_begin(turn, &wait, &generation);
    if (err != TN_OK)
        return err;
    if (method->reply_bytes > room->size || method->reply_caps > room->ncaps) {
        err = TN_ETOOBIG;
        wait->len = method->reply_bytes; /* what it needed */
    } else {
        err = method->run(&call);
        if (err == TN_OK)
            answer(&call, method, wait, room->data);
    }
    if (err == TN_OK && call.answer_at != 0) {
        wait_tell_at(cpu, wait, call.answer_at, answer_now);
        return IPC_PENDING;
    }
    /* Nobody else knows of this wait. */
    bool claimed = wait_claim(wait, generation, WAIT_FILLING);
    ASSERT(claimed && wait->turn == turn);
    wait->result = err;
    wait_filled(wait, generation);
    return TN_OK; /* call_end tells the result */
}

uint64_t invoke_method_price(uint32_t number, const struct tn_pack *in)
{
    const struct invoke_method *method = NULL;
    uint32_t type = (number >> 16) - TN_KERNEL_INTERFACE(0); /* below the first it wraps */
    if (type <= OBJ_NONE || type >= OBJ_TYPES ||
        method_find(invoke_interface((enum object_type)type), number, &method) != TN_OK)
        return 0;
    struct tn_wire_in args = tn_wire_open(in, TN_WIRE_NO_VAR);
    switch ((enum invoke_price)method->price) {
    case PRICE_STEP:
        return STEP_BYTES;
    case PRICE_BYTES:
        return tn_wire_u64(&args, 0);
    case PRICE_HEAD:
        return tn_wire_u64(&args, 0) / (MEM_PAGE / 16);
    case PRICE_NONE:
        break;
    }
    return 0;
}

tn_err arg_actor(struct invocation *call, struct cap_arg arg, struct actor **ret_actor)
{
    struct actor *actor = call->turn->actor;
    if (arg.given) {
        struct cap_view view;
        tn_err err = cap_find(call->space, arg.cap, OBJ_ACTOR, TN_R_WRITE, &view);
        if (err != TN_OK)
            return err;
        actor = actor_of(view.object);
    }
    /* It may have lost its last holder in this moment. */
    if (actor_life(actor) >= ACTOR_DYING || !object_try_ref(actor_object(actor)))
        return TN_EGONE;
    *ret_actor = actor;
    return TN_OK;
}
