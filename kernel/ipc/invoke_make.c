/* invoke_make.c: what untyped memory answers: objects made of it. The first capability of each is a
 * child of the one that was called, with all rights, in the caller's space. */
#include "kernel/ipc/invoke_int.h"

#include "base/bits.h"

static tn_err info(struct invocation *call)
{
    struct mem_stats stats = mem_stats(untyped_of(call->view.object));
    call->reply.untyped_info = (struct tn_untyped_info){.size_bytes = stats.size_bytes,
                                                        .used_bytes = stats.used_bytes,
                                                        .free_bytes = stats.free_bytes,
                                                        .peak_bytes = stats.peak_bytes};
    return TN_OK;
}

/* An object of one capability, by its maker. */
static tn_err make(struct invocation *call, retype_fn maker, const void *args)
{
    tn_err err =
        cap_retype(call->space, call->to, maker, args, TN_R_ALL, call->space, &call->made[0]);
    if (err == TN_OK)
        call->reply.made.object = 1;
    return err;
}

static tn_err make_untyped(struct invocation *call)
{
    const struct retype_untyped args = {.size_bytes = arg_u64(call, AT(untyped_size, bytes))};
    return make(call, retype_untyped, &args);
}

static tn_err make_space(struct invocation *call)
{
    const struct retype_space args = {.root = &call->cpu->kernel->caps,
                                      .slots_max =
                                          arg_u32(call, AT(untyped_make_space, slots_max))};
    return make(call, retype_space, &args);
}

static tn_err note_maker(struct untyped *mem, struct limbo *limbo, const void *args,
                         struct object **ret_object)
{
    struct note *note = NULL;
    (void)args;
    tn_err err = note_make(mem, limbo, &note);
    if (err == TN_OK)
        *ret_object = note_object(note);
    return err;
}

static tn_err make_notification(struct invocation *call)
{
    return make(call, note_maker, NULL);
}

/* args: the owner, held by who asks. */
static tn_err timer_maker(struct untyped *mem, struct limbo *limbo, const void *args,
                          struct object **ret_object)
{
    struct timer *timer = NULL;
    struct actor *const *owner = args;
    tn_err err = timer_make(mem, limbo, *owner, &timer);
    if (err == TN_OK)
        *ret_object = timer_object(timer);
    return err;
}

static tn_err make_timer(struct invocation *call)
{
    return make(call, timer_maker, &call->turn->actor);
}

static tn_err make_buffer(struct invocation *call)
{
    uint64_t bytes = arg_u64(call, AT(untyped_size, bytes));
    tn_err err = buf_new(call->cpu, call->turn, call->to, bytes, &call->made[0]);
    if (err == TN_OK)
        call->reply.made.object = 1;
    return err;
}

static tn_err make_channel(struct invocation *call)
{
    uint64_t capacity = arg_u64(call, AT(untyped_size, bytes));
    tn_err err =
        chan_new(call->cpu, call->turn, call->to, capacity, &call->made[0], &call->made[1]);
    if (err == TN_OK)
        call->reply.made = (struct tn_object_made){1, 2};
    return err;
}

/* Endpoints. The targets are held while one is made. */

struct door {
    uint16_t interface;
    struct endpoint_route route;
};

static tn_err door_maker(struct untyped *mem, struct limbo *limbo, const void *args,
                         struct object **ret_object)
{
    const struct door *door = args;
    const struct endpoint_route *route = &door->route;
    struct endpoint *endpoint = NULL;
    tn_err err;
    if (route->ntargets == 1 && route->rule == ROUTE_SINGLE)
        err = endpoint_make(mem, limbo, route->target[0], door->interface, &endpoint);
    else
        err = endpoint_make_routed(mem, limbo, route, door->interface, &endpoint);
    if (err == TN_OK)
        *ret_object = endpoint_object(endpoint);
    return err;
}

/* Takes a ref of each target; those that were taken are counted also when one fails. */
static tn_err door_targets(struct invocation *call, struct door *door, const struct cap_arg *actors,
                           uint32_t n)
{
    tn_err err = TN_OK;
    for (uint32_t i = 0; err == TN_OK && i < n; i++) {
        err = arg_actor(call, actors[i], &door->route.target[i]);
        if (err == TN_OK)
            door->route.ntargets++;
    }
    return err;
}

static tn_err make_door(struct invocation *call, struct door *door, uint32_t interface,
                        const struct cap_arg *actors, uint32_t n)
{
    if (args_bad(call))
        return TN_EARGS;
    if (interface > UINT16_MAX)
        return TN_EINVAL;
    door->interface = (uint16_t)interface;
    tn_err err = door_targets(call, door, actors, n);
    if (err == TN_OK)
        err = make(call, door_maker, door);
    for (uint32_t i = 0; i < door->route.ntargets; i++)
        object_unref(actor_object(door->route.target[i]));
    return err;
}

static tn_err make_endpoint(struct invocation *call)
{
    struct door door = {.route = {.rule = ROUTE_SINGLE}};
    uint32_t interface = arg_u32(call, AT(untyped_make_endpoint, interface));
    struct cap_arg actor = arg_cap(call, AT(untyped_make_endpoint, actor));
    return make_door(call, &door, interface, &actor, 1);
}

static tn_err make_route(struct invocation *call)
{
    struct door door = {.route = {.hash_at = arg_u32(call, AT(untyped_make_route, hash_at)),
                                  .hash_len = arg_u32(call, AT(untyped_make_route, hash_len))}};
    uint32_t interface = arg_u32(call, AT(untyped_make_route, interface));
    uint32_t rule = arg_u32(call, AT(untyped_make_route, rule)), n = 0;
    struct cap_arg actors[TN_ROUTE_TARGETS];
    bool gap = false;
    for (uint32_t i = 0; i < TN_ROUTE_TARGETS; i++) {
        door.route.weight[i] = arg_u32(call, AT(untyped_make_route, weight) + 4 * i);
        actors[i] = arg_cap(call, AT(untyped_make_route, target) + i);
        gap = gap || (actors[i].given && n < i);
        n += actors[i].given;
    }
    if (n == 0 || gap || rule > ROUTE_PER_CPU)
        return args_bad(call) ? TN_EARGS : TN_EINVAL;
    door.route.rule = (enum endpoint_rule)rule;
    return make_door(call, &door, interface, actors, n);
}

static const struct invoke_method methods[] = {
    {info, TN_R_READ, sizeof(struct tn_untyped_info), 0, PRICE_NONE},
    {make_untyped, TN_R_WRITE, 1, 1, PRICE_HEAD},
    {make_space, TN_R_WRITE, 1, 1, PRICE_NONE},
    {make_notification, TN_R_WRITE, 1, 1, PRICE_NONE},
    {make_timer, TN_R_WRITE, 1, 1, PRICE_NONE},
    {make_buffer, TN_R_WRITE, 1, 1, PRICE_BYTES},
    {make_channel, TN_R_WRITE, 2, 2, PRICE_BYTES},
    {make_endpoint, TN_R_WRITE, 1, 1, PRICE_NONE},
    {make_route, TN_R_WRITE, 1, 1, PRICE_NONE},
};
const struct invoke_interface invoke_untyped = {TN_UNTYPED, 1, ARRAY_LEN(methods), methods};
_Static_assert(TN_RULE_SINGLE == (int)ROUTE_SINGLE && TN_RULE_WEIGHTS == (int)ROUTE_WEIGHTS &&
                   TN_RULE_HASH == (int)ROUTE_HASH && TN_RULE_PER_CPU == (int)ROUTE_PER_CPU,
               "the numbers of the ABI");
