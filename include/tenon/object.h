/* object.h: the kernel's own objects, called like any other: typed calls for components, native and
 * in wasm.
 *
 * An untyped, a space, an actor, a notification, a timer, a buffer, a channel's end, a reply and an
 * endpoint answer tn_call by their interfaces, tenon.kernel.* (interfaces/), so who holds the
 * capability can use them from any domain. This header has their numbers, their arguments and
 * replies as they are on the wire, and one function for each method.
 *
 * What all of them share
 *   Rights: call, and what the function names: read for looking, write for making and putting in,
 *     control for what changes somebody else's, grant for deriving.
 *   Errors: TN_EBADCAP (it, or a capability among the arguments, names nothing), TN_ETYPE (it names
 *     another type of object than the method is of), TN_ERIGHTS, TN_EMETHOD (a kernel that is older
 *     than this header), TN_ENOMEM (also: the caller's memory has no room for its first wait),
 *     TN_ENOSLOT where a capability comes. Nothing was done then, and outputs are untouched.
 *   Waiting: none of them waits, unless it says so. They work in a turn that is late or cancelled.
 *   Ownership: a capability that comes belongs to the caller until it is dropped, moved or revoked.
 *   What is made is charged to the memory that it is made of, and its capability is a child of that
 *     memory's: revoking the memory (tn_cap_revoke) ends it, wherever it went.
 *
 * An endpoint that leads to a component which provides the interface answers too, but for
 * tenon.kernel.endpoint: so a component can stand in for an object, with a quota, say. Then each
 * function is a call [waits] with the errors of tn_call and of that component. */
#ifndef TENON_OBJECT_H
#define TENON_OBJECT_H

#include <stdbool.h>
#include <tenon/component.h>

/* Types of objects, as tn_space_inspect tells them. */
enum {
    TN_TYPE_UNTYPED = 1,
    TN_TYPE_SPACE = 2,
    TN_TYPE_ACTOR = 3,
    TN_TYPE_ENDPOINT = 4,
    TN_TYPE_NOTIFICATION = 5,
    TN_TYPE_TIMER = 6,
    TN_TYPE_BUFFER = 7,
    TN_TYPE_REPLY = 8,
    TN_TYPE_CHANNEL = 9,
};

/* The interface of a type; of endpoints it is 0, for all others are its target's. */
#define TN_KERNEL_INTERFACE(type) (0xff00u + (type))

enum {
    TN_OBJECT_ARGS = 64,  /* bytes of arguments that an object looks at */
    TN_OBJECT_REPLY = 64, /* bytes of its reply, at most */
};

/* A reply that is capabilities: their positions. */
struct tn_object_made {
    uint8_t object, second;
};

/* Calls an object with arguments of `len` bytes and the capabilities of `in`; the reply's first
 * `bytes` go to ret (what an older kernel does not say is 0), its ncaps capabilities to ret_caps.
 */
static inline TN_MUST tn_err tn_object_call(tn_cap object, uint32_t method, struct tn_pack *in,
                                            void *ret, uint32_t bytes, tn_cap *ret_caps,
                                            uint32_t ncaps)
{
    uint64_t room[TN_OBJECT_REPLY / 4]; /* twice of it: a newer kernel may say more */
    struct tn_pack out = {.data_bits = (uintptr_t)room, .size = sizeof(room), .ncaps = ncaps};
    tn_err err = tn_call(object, method, in, &out, TN_NEVER);
    if (err != TN_OK)
        return err;
    if (out.ncaps != ncaps)
        return TN_EARGS;
    if (bytes > 0) {
        __builtin_memset(ret, 0, bytes);
        __builtin_memcpy(ret, room, out.len < bytes ? out.len : bytes);
    }
    for (uint32_t i = 0; i < ncaps; i++)
        ret_caps[i] = out.caps[i];
    return TN_OK;
}

/* The same with arguments and without capabilities. */
static inline TN_MUST tn_err tn_object_ask(tn_cap object, uint32_t method, const void *args,
                                           uint32_t len, void *ret, uint32_t bytes)
{
    struct tn_pack in = {.data_bits = (uintptr_t)args, .len = len};
    return tn_object_call(object, method, &in, ret, bytes, NULL, 0);
}

/* The same for a method that answers with one capability. */
static inline TN_MUST tn_err tn_object_make(tn_cap object, uint32_t method, const void *args,
                                            uint32_t len, tn_cap *ret_cap)
{
    struct tn_pack in = {.data_bits = (uintptr_t)args, .len = len};
    return tn_object_call(object, method, &in, NULL, 0, ret_cap, 1);
}

/* The same with a capability among the arguments: the `position` in them is 1, or 0 for none. */
static inline TN_MUST tn_err tn_object_with(tn_cap object, uint32_t method, const void *args,
                                            uint32_t len, tn_cap with, bool moves, void *ret,
                                            uint32_t bytes)
{
    struct tn_pack in = {.data_bits = (uintptr_t)args, .len = len};
    in.ncaps = with != 0;
    in.move = moves;
    in.caps[0] = with;
    return tn_object_call(object, method, &in, ret, bytes, NULL, 0);
}

/* Untyped memory: tenon.kernel.untyped */

#define TN_UNTYPED                   TN_KERNEL_INTERFACE(TN_TYPE_UNTYPED)
#define TN_UNTYPED_INFO              TN_METHOD(TN_UNTYPED, 1)
#define TN_UNTYPED_MAKE_UNTYPED      TN_METHOD(TN_UNTYPED, 2)
#define TN_UNTYPED_MAKE_SPACE        TN_METHOD(TN_UNTYPED, 3)
#define TN_UNTYPED_MAKE_NOTIFICATION TN_METHOD(TN_UNTYPED, 4)
#define TN_UNTYPED_MAKE_TIMER        TN_METHOD(TN_UNTYPED, 5)
#define TN_UNTYPED_MAKE_BUFFER       TN_METHOD(TN_UNTYPED, 6)
#define TN_UNTYPED_MAKE_CHANNEL      TN_METHOD(TN_UNTYPED, 7)
#define TN_UNTYPED_MAKE_ENDPOINT     TN_METHOD(TN_UNTYPED, 8)
#define TN_UNTYPED_MAKE_ROUTE        TN_METHOD(TN_UNTYPED, 9)

struct tn_untyped_info {
    uint64_t size_bytes; /* with what the kernel keeps about it */
    uint64_t used_bytes; /* handed out, rounded up as memory is */
    uint64_t free_bytes; /* the rest; perhaps not in one piece */
    uint64_t peak_bytes; /* the highest used_bytes so far */
};

struct tn_untyped_size_args { /* make_untyped, make_buffer, make_channel */
    uint64_t bytes;
};

struct tn_untyped_make_space_args {
    uint32_t slots_max;
};

struct tn_untyped_make_endpoint_args {
    uint32_t interface;
    uint8_t actor, pad[3];
};

enum { TN_ROUTE_TARGETS = 4 }; /* of one make_route */

struct tn_untyped_make_route_args {
    uint32_t interface, rule, hash_at, hash_len;
    uint32_t weight[TN_ROUTE_TARGETS];
    uint8_t target[TN_ROUTE_TARGETS];
};

/* How an endpoint picks one of several targets. */
enum { TN_RULE_SINGLE, TN_RULE_WEIGHTS, TN_RULE_HASH, TN_RULE_PER_CPU };

/* How much there is, and is left (read). */
static inline TN_MUST tn_err tn_untyped_info(tn_cap memory, struct tn_untyped_info *ret)
{
    return tn_object_ask(memory, TN_UNTYPED_INFO, NULL, 0, ret, sizeof(*ret));
}

/* A part of it as an untyped of its own, rounded up to a power of two (write). TN_EINVAL below 16
 * KiB. */
static inline TN_MUST tn_err tn_untyped_make_untyped(tn_cap memory, uint64_t size_bytes,
                                                     tn_cap *ret_untyped)
{
    const struct tn_untyped_size_args args = {size_bytes};
    return tn_object_make(memory, TN_UNTYPED_MAKE_UNTYPED, &args, sizeof(args), ret_untyped);
}

/* An empty space (write). TN_EINVAL for 0 slots or over TN_SPACE_MAX. */
static inline TN_MUST tn_err tn_untyped_make_space(tn_cap memory, uint32_t slots_max,
                                                   tn_cap *ret_space)
{
    const struct tn_untyped_make_space_args args = {slots_max};
    return tn_object_make(memory, TN_UNTYPED_MAKE_SPACE, &args, sizeof(args), ret_space);
}

/* A notification without a bit (write). */
static inline TN_MUST tn_err tn_untyped_make_notification(tn_cap memory, tn_cap *ret_note)
{
    return tn_object_make(memory, TN_UNTYPED_MAKE_NOTIFICATION, NULL, 0, ret_note);
}

/* A timer whose messages come to the calling actor, whoever sets it (write). */
static inline TN_MUST tn_err tn_untyped_make_timer(tn_cap memory, tn_cap *ret_timer)
{
    return tn_object_make(memory, TN_UNTYPED_MAKE_TIMER, NULL, 0, ret_timer);
}

/* Zeroed bytes, as tn_buf_new (write). TN_EINVAL for 0, TN_ETOOBIG over TN_BUFFER_MAX. */
static inline TN_MUST tn_err tn_untyped_make_buffer(tn_cap memory, uint64_t size_bytes,
                                                    tn_cap *ret_buffer)
{
    const struct tn_untyped_size_args args = {size_bytes};
    return tn_object_make(memory, TN_UNTYPED_MAKE_BUFFER, &args, sizeof(args), ret_buffer);
}

/* A ring for records, as tn_chan_new (write). TN_EINVAL, TN_ETOOBIG. */
static inline TN_MUST tn_err tn_untyped_make_channel(tn_cap memory, uint64_t capacity_bytes,
                                                     tn_cap *ret_producer, tn_cap *ret_consumer)
{
    struct tn_untyped_size_args args = {capacity_bytes};
    struct tn_pack in = {.data_bits = (uintptr_t)&args, .len = sizeof(args)};
    tn_cap ends[2];
    tn_err err = tn_object_call(memory, TN_UNTYPED_MAKE_CHANNEL, &in, NULL, 0, ends, 2);
    if (err != TN_OK)
        return err;
    *ret_producer = ends[0];
    *ret_consumer = ends[1];
    return TN_OK;
}

/* A door to `actor` (its write; 0: the calling actor) for methods of `interface` (0: any), without
 * a badge (write): tn_cap_mint gives it one. TN_EINVAL: the interface is over 65535; TN_EGONE: the
 * actor is dying or dead. */
static inline TN_MUST tn_err tn_untyped_make_endpoint(tn_cap memory, tn_cap actor,
                                                      uint32_t interface, tn_cap *ret_endpoint)
{
    const struct tn_untyped_make_endpoint_args args = {.interface = interface, .actor = actor != 0};
    struct tn_pack in = {.data_bits = (uintptr_t)&args, .len = sizeof(args)};
    in.ncaps = actor != 0;
    in.caps[0] = actor;
    return tn_object_call(memory, TN_UNTYPED_MAKE_ENDPOINT, &in, NULL, 0, ret_endpoint, 1);
}

/* An endpoint with 1 to TN_ROUTE_TARGETS targets (their write) and a rule (write). `route` says all
 * but the targets' positions. TN_EINVAL: no such rule or number of targets, a weight over
 * TN_ROUTE_WEIGHT_MAX, all weights 0, hash_len over TN_ROUTE_HASH_MAX; TN_EGONE. */
static inline TN_MUST tn_err tn_untyped_make_route(tn_cap memory,
                                                   const struct tn_untyped_make_route_args *route,
                                                   const tn_cap *actors, uint32_t nactors,
                                                   tn_cap *ret_endpoint)
{
    struct tn_untyped_make_route_args args = *route;
    struct tn_pack in = {.data_bits = (uintptr_t)&args, .len = sizeof(args), .ncaps = nactors};
    if (nactors > TN_ROUTE_TARGETS)
        return TN_EINVAL;
    for (uint32_t i = 0; i < TN_ROUTE_TARGETS; i++) {
        args.target[i] = i < nactors ? (uint8_t)(i + 1) : 0;
        in.caps[i] = i < nactors ? actors[i] : 0;
    }
    return tn_object_call(memory, TN_UNTYPED_MAKE_ROUTE, &in, NULL, 0, ret_endpoint, 1);
}

/* Spaces: tenon.kernel.space. A handle is a number: it names a capability in that space, and
 * nothing in the caller's. TN_EBADCAP also where a handle names nothing there. */

#define TN_SPACE           TN_KERNEL_INTERFACE(TN_TYPE_SPACE)
#define TN_SPACE_INFO      TN_METHOD(TN_SPACE, 1)
#define TN_SPACE_INSPECT   TN_METHOD(TN_SPACE, 2)
#define TN_SPACE_NEXT      TN_METHOD(TN_SPACE, 3)
#define TN_SPACE_GET       TN_METHOD(TN_SPACE, 4)
#define TN_SPACE_TAKE      TN_METHOD(TN_SPACE, 5)
#define TN_SPACE_PUT       TN_METHOD(TN_SPACE, 6)
#define TN_SPACE_GIVE      TN_METHOD(TN_SPACE, 7)
#define TN_SPACE_MINT      TN_METHOD(TN_SPACE, 8)
#define TN_SPACE_MOVE      TN_METHOD(TN_SPACE, 9)
#define TN_SPACE_DROP      TN_METHOD(TN_SPACE, 10)
#define TN_SPACE_REVOKE    TN_METHOD(TN_SPACE, 11)
#define TN_SPACE_RESERVE   TN_METHOD(TN_SPACE, 12)
#define TN_SPACE_UNRESERVE TN_METHOD(TN_SPACE, 13)
#define TN_SPACE_FILL      TN_METHOD(TN_SPACE, 14)

struct tn_space_info {
    uint32_t capabilities;
    uint32_t reserved; /* slots that wait for a capability */
    uint32_t retired;  /* slots that will never be used again */
    uint32_t slots_max;
};

enum {
    TN_FLAG_DERIVED = 1,  /* others were derived from it */
    TN_FLAG_POSTED = 2,   /* it came with a message that nobody has taken yet */
    TN_FLAG_REVOKING = 4, /* it is being revoked: nothing can be derived from it */
};

struct tn_space_inspect {
    uint64_t badge;
    uint32_t type; /* TN_TYPE_ */
    uint32_t rights;
    uint32_t flags; /* TN_FLAG_ */
    uint32_t pad;
};

struct tn_space_next {
    uint64_t handle;
    uint64_t badge;
    uint32_t type, rights, flags;
    uint32_t next; /* where to go on; 0: that was the end */
};

struct tn_space_handle_args { /* inspect, take, drop, revoke, unreserve */
    uint64_t handle;
};
struct tn_space_next_args {
    uint32_t from;
};
struct tn_space_get_args {
    uint64_t handle, badge;
    uint32_t rights, pad;
};
struct tn_space_put_args {
    uint64_t badge;
    uint32_t rights;
    uint8_t object, pad[3];
};
struct tn_space_give_args {
    uint8_t object;
};
struct tn_space_mint_args {
    uint64_t handle, badge;
    uint32_t rights;
    uint8_t into, pad[3];
};
struct tn_space_move_args {
    uint64_t handle;
    uint8_t into, pad[7];
};
struct tn_space_revoke_args {
    uint64_t handle, ticket;
};
struct tn_space_reserve_args {
    uint32_t count;
};
struct tn_space_fill_args {
    uint64_t slot;
    uint8_t object, pad[7];
};

struct tn_space_handle_reply {
    uint64_t handle;
};
struct tn_space_revoke_reply {
    uint64_t ticket;
    uint8_t more, pad[7];
};
struct tn_space_reserve_reply {
    uint64_t slot[TN_PACK_CAPS];
};

/* How full it is (read). */
static inline TN_MUST tn_err tn_space_info(tn_cap space, struct tn_space_info *ret)
{
    return tn_object_ask(space, TN_SPACE_INFO, NULL, 0, ret, sizeof(*ret));
}

/* What a handle names there (read). */
static inline TN_MUST tn_err tn_space_inspect(tn_cap space, uint64_t handle,
                                              struct tn_space_inspect *ret)
{
    const struct tn_space_handle_args args = {handle};
    return tn_object_ask(space, TN_SPACE_INSPECT, &args, sizeof(args), ret, sizeof(*ret));
}

/* The first capability at index *from or behind it (read): for going through all, from 0 on. *from
 * is moved on; TN_ENOTFOUND: there is none. What comes and goes meanwhile may be seen or not. */
static inline TN_MUST tn_err tn_space_next(tn_cap space, uint32_t *from, struct tn_space_next *ret)
{
    struct tn_space_next found;
    do {
        const struct tn_space_next_args args = {*from};
        tn_err err =
            tn_object_ask(space, TN_SPACE_NEXT, &args, sizeof(args), &found, sizeof(found));
        if (err != TN_OK)
            return err;
        *from = found.next != 0 ? found.next : UINT32_MAX; /* from there on is nothing */
    } while (found.handle == 0 && found.next != 0);
    if (found.handle == 0)
        return TN_ENOTFOUND;
    *ret = found;
    return TN_OK;
}

/* Derives a capability for the caller from one in there that carries grant (control), with at most
 * `rights` and, where that one has badge 0, a badge. TN_EINVAL: it has another. */
static inline TN_MUST tn_err tn_space_get(tn_cap space, uint64_t handle, uint32_t rights,
                                          uint64_t badge, tn_cap *ret_cap)
{
    const struct tn_space_get_args args = {.handle = handle, .badge = badge, .rights = rights};
    return tn_object_make(space, TN_SPACE_GET, &args, sizeof(args), ret_cap);
}

/* Moves a capability that carries grant, or is a reply, from there to the caller (control). */
static inline TN_MUST tn_err tn_space_take(tn_cap space, uint64_t handle, tn_cap *ret_cap)
{
    const struct tn_space_handle_args args = {handle};
    return tn_object_make(space, TN_SPACE_TAKE, &args, sizeof(args), ret_cap);
}

/* Derives a capability in there from one of the caller's that carries grant (write). TN_EINVAL: it
 * has another badge, or names a space and this one is not the caller's own: two spaces that hold
 * each other would never go. So with give, mint, move and fill. */
static inline TN_MUST tn_err tn_space_put(tn_cap space, tn_cap object, uint32_t rights,
                                          uint64_t badge, uint64_t *ret_handle)
{
    const struct tn_space_put_args args = {.badge = badge, .rights = rights, .object = object != 0};
    struct tn_space_handle_reply reply;
    tn_err err = tn_object_with(space, TN_SPACE_PUT, &args, sizeof(args), object, false, &reply,
                                sizeof(reply));
    if (err == TN_OK)
        *ret_handle = reply.handle;
    return err;
}

/* Moves a capability of the caller's that carries grant, or is a reply, into it (write). */
static inline TN_MUST tn_err tn_space_give(tn_cap space, tn_cap object, uint64_t *ret_handle)
{
    const struct tn_space_give_args args = {object != 0};
    struct tn_space_handle_reply reply;
    tn_err err = tn_object_with(space, TN_SPACE_GIVE, &args, sizeof(args), object, true, &reply,
                                sizeof(reply));
    if (err == TN_OK)
        *ret_handle = reply.handle;
    return err;
}

/* Derives a capability from one in there, in the space `into` (its write; 0: the same space)
 * (control). The handle is of that space. TN_ENOSLOT: that space is full. */
static inline TN_MUST tn_err tn_space_mint(tn_cap space, uint64_t handle, tn_cap into,
                                           uint32_t rights, uint64_t badge, uint64_t *ret_handle)
{
    const struct tn_space_mint_args args = {
        .handle = handle, .badge = badge, .rights = rights, .into = into != 0};
    struct tn_space_handle_reply reply;
    tn_err err = tn_object_with(space, TN_SPACE_MINT, &args, sizeof(args), into, false, &reply,
                                sizeof(reply));
    if (err == TN_OK)
        *ret_handle = reply.handle;
    return err;
}

/* The same with all its rights and its badge. */
static inline TN_MUST tn_err tn_space_copy(tn_cap space, uint64_t handle, tn_cap into,
                                           uint64_t *ret_handle)
{
    return tn_space_mint(space, handle, into, TN_R_ALL, 0, ret_handle);
}

/* Moves a capability to the space `into` (its write; 0: another slot of the same) (control). */
static inline TN_MUST tn_err tn_space_move(tn_cap space, uint64_t handle, tn_cap into,
                                           uint64_t *ret_handle)
{
    const struct tn_space_move_args args = {.handle = handle, .into = into != 0};
    struct tn_space_handle_reply reply;
    tn_err err = tn_object_with(space, TN_SPACE_MOVE, &args, sizeof(args), into, false, &reply,
                                sizeof(reply));
    if (err == TN_OK)
        *ret_handle = reply.handle;
    return err;
}

/* Deletes a capability there; what was derived from it stays (control). */
static inline TN_MUST tn_err tn_space_drop(tn_cap space, uint64_t handle)
{
    const struct tn_space_handle_args args = {handle};
    return tn_object_ask(space, TN_SPACE_DROP, &args, sizeof(args), NULL, 0);
}

/* Deletes every descendant of a capability there that carries control itself, wherever they are
 * (control): 64 at a time, and lets others run in between [waits]. Then it waits until no CPU can
 * still use any of them, as tn_cap_revoke does. TN_ECANCELLED: some may be left, and then nothing
 * can be derived from it until a revoke ends. TN_ETIME: none is left to be used anew, but an
 * operation that was under way may still be. */
static inline TN_MUST tn_err tn_space_revoke(tn_cap space, uint64_t handle)
{
    struct tn_space_revoke_args args = {.handle = handle};
    struct tn_space_revoke_reply reply = {0};
    tn_err err;
    do {
        err = tn_object_ask(space, TN_SPACE_REVOKE, &args, sizeof(args), &reply, sizeof(reply));
        if (err == TN_OK && reply.more != 0)
            err = tn_yield();
        args.ticket = reply.ticket;
    } while (err == TN_OK && reply.more != 0);
    return err;
}

/* Sets n slots aside, 1 to TN_PACK_CAPS (write): their handles name nothing until tn_space_fill,
 * and nothing else takes them. TN_EINVAL: another number. */
static inline TN_MUST tn_err tn_space_reserve(tn_cap space, uint32_t n, uint64_t *ret_slots)
{
    const struct tn_space_reserve_args args = {n};
    struct tn_space_reserve_reply reply;
    tn_err err = tn_object_ask(space, TN_SPACE_RESERVE, &args, sizeof(args), &reply, sizeof(reply));
    for (uint32_t i = 0; err == TN_OK && i < n && i < TN_PACK_CAPS; i++)
        ret_slots[i] = reply.slot[i];
    return err;
}

/* Gives up a slot (write); one that is not reserved, or not any more, is left as it is. */
static inline TN_MUST tn_err tn_space_unreserve(tn_cap space, uint64_t slot)
{
    const struct tn_space_handle_args args = {slot};
    return tn_object_ask(space, TN_SPACE_UNRESERVE, &args, sizeof(args), NULL, 0);
}

/* Copies a capability of the caller's that carries grant into a reserved slot, whose handle names
 * it then (write): it cannot fail for want of room. TN_ENOSLOT: the slot is not reserved. */
static inline TN_MUST tn_err tn_space_fill(tn_cap space, uint64_t slot, tn_cap object)
{
    const struct tn_space_fill_args args = {.slot = slot, .object = object != 0};
    return tn_object_with(space, TN_SPACE_FILL, &args, sizeof(args), object, false, NULL, 0);
}

/* Actors: tenon.kernel.actor */

#define TN_ACTOR        TN_KERNEL_INTERFACE(TN_TYPE_ACTOR)
#define TN_ACTOR_STATE  TN_METHOD(TN_ACTOR, 1)
#define TN_ACTOR_STATS  TN_METHOD(TN_ACTOR, 2)
#define TN_ACTOR_LIMITS TN_METHOD(TN_ACTOR, 3)
#define TN_ACTOR_PAUSE  TN_METHOD(TN_ACTOR, 4)
#define TN_ACTOR_RESUME TN_METHOD(TN_ACTOR, 5)
#define TN_ACTOR_KILL   TN_METHOD(TN_ACTOR, 6)

enum {
    TN_STATE_CREATED, /* its start has not begun */
    TN_STATE_READY,   /* it takes messages, and none runs */
    TN_STATE_RUNNING,
    TN_STATE_WAITING, /* every turn that it has waits for something */
    TN_STATE_PAUSED,
    TN_STATE_FAILED, /* until it is replaced */
    TN_STATE_DYING,  /* it was killed and still clears away */
    TN_STATE_DEAD,
};

struct tn_actor_state {
    uint32_t state;         /* TN_STATE_ */
    uint32_t priority;      /* its own; 0 is the most urgent */
    uint32_t lent_priority; /* what it runs at: its own, or a more urgent one */
    uint32_t turns;         /* that have begun and not ended */
};

struct tn_actor_stats {
    uint64_t cpu_time_used;      /* ns; sampled, or exact where that was asked for */
    uint64_t memory_allocated;   /* bytes of the memory that it is made of */
    uint64_t messages_processed; /* turns that were not calls */
    uint64_t errors_encountered;
    uint64_t calls_answered, calls_made;
    uint64_t messages_sent;
    uint64_t fuel_used;
};

struct tn_actor_limits {
    uint64_t max_memory;   /* bytes */
    uint64_t max_cpu_time; /* ns from the start of a turn to its end; 0: no limit */
    uint32_t max_capabilities;
    uint32_t max_turns; /* at a time */
};

/* What it does at this moment (read). */
static inline TN_MUST tn_err tn_actor_state(tn_cap actor, struct tn_actor_state *ret)
{
    return tn_object_ask(actor, TN_ACTOR_STATE, NULL, 0, ret, sizeof(*ret));
}

/* What it has done so far (read), each figure for itself while it runs elsewhere. No counter is
 * ever less than in an earlier answer, but for memory_allocated. */
static inline TN_MUST tn_err tn_actor_stats(tn_cap actor, struct tn_actor_stats *ret)
{
    return tn_object_ask(actor, TN_ACTOR_STATS, NULL, 0, ret, sizeof(*ret));
}

/* What it may use at most (read). */
static inline TN_MUST tn_err tn_actor_limits(tn_cap actor, struct tn_actor_limits *ret)
{
    return tn_object_ask(actor, TN_ACTOR_LIMITS, NULL, 0, ret, sizeof(*ret));
}

/* From the end of its turn at the latest it begins none and goes on with none; messages queue and
 * waits expire as ever (control). Twice is once. TN_EGONE: it is dying or dead. */
static inline TN_MUST tn_err tn_actor_pause(tn_cap actor)
{
    return tn_object_ask(actor, TN_ACTOR_PAUSE, NULL, 0, NULL, 0);
}

/* Ends a pause, if there is one (control). TN_EGONE: it is dying or dead. */
static inline TN_MUST tn_err tn_actor_resume(tn_cap actor)
{
    return tn_object_ask(actor, TN_ACTOR_RESUME, NULL, 0, NULL, 0);
}

/* Ends it, in its own time: its turns are cancelled, its messages answered with TN_EGONE, its
 * capabilities deleted (control). Of one that is dying or dead it changes nothing. */
static inline TN_MUST tn_err tn_actor_kill(tn_cap actor)
{
    return tn_object_ask(actor, TN_ACTOR_KILL, NULL, 0, NULL, 0);
}

/* Notifications: tenon.kernel.notification; see tn_signal and tn_wait */

#define TN_NOTIFICATION        TN_KERNEL_INTERFACE(TN_TYPE_NOTIFICATION)
#define TN_NOTIFICATION_SIGNAL TN_METHOD(TN_NOTIFICATION, 1)
#define TN_NOTIFICATION_POLL   TN_METHOD(TN_NOTIFICATION, 2)
#define TN_NOTIFICATION_BIND   TN_METHOD(TN_NOTIFICATION, 3)
#define TN_NOTIFICATION_UNBIND TN_METHOD(TN_NOTIFICATION, 4)

struct tn_notification_bits { /* of signal, from poll */
    uint64_t bits;
};
struct tn_notification_bind_args {
    uint8_t actor;
};

/* Takes the bits that are there, or 0, without waiting (read). */
static inline TN_MUST tn_err tn_notification_poll(tn_cap note, uint64_t *ret_bits)
{
    struct tn_notification_bits reply;
    tn_err err = tn_object_ask(note, TN_NOTIFICATION_POLL, NULL, 0, &reply, sizeof(reply));
    if (err == TN_OK)
        *ret_bits = reply.bits;
    return err;
}

/* From now on bits that nobody waits for come to `actor` (its write; 0: the calling actor) as a
 * message without a sender, to event(): class MSG_INTERRUPT_NOTIFY, the bits are the cookie (read).
 * It needs no room in the mailbox and cannot be lost; bits that come before it is taken join it. An
 * actor that has not started yet, or has failed, gets none: its bits stay, for tn_wait and
 * tn_notification_poll, and come with the next signal. TN_EBUSY: it is bound, and to no dead actor;
 * TN_EGONE: the actor is dying or dead. */
static inline TN_MUST tn_err tn_notification_bind(tn_cap note, tn_cap actor)
{
    const struct tn_notification_bind_args args = {actor != 0};
    return tn_object_with(note, TN_NOTIFICATION_BIND, &args, sizeof(args), actor, false, NULL, 0);
}

/* Ends that (read); bits whose message was not taken yet stay. TN_ENOTFOUND: it is not bound. */
static inline TN_MUST tn_err tn_notification_unbind(tn_cap note)
{
    return tn_object_ask(note, TN_NOTIFICATION_UNBIND, NULL, 0, NULL, 0);
}

/* Timers: tenon.kernel.timer; see tn_timer_set */

#define TN_TIMER        TN_KERNEL_INTERFACE(TN_TYPE_TIMER)
#define TN_TIMER_SET    TN_METHOD(TN_TIMER, 1)
#define TN_TIMER_CANCEL TN_METHOD(TN_TIMER, 2)
#define TN_TIMER_INFO   TN_METHOD(TN_TIMER, 3)

struct tn_timer_set_args {
    uint64_t at, cookie;
};
struct tn_timer_info {
    uint64_t at; /* TN_NEVER: for nothing */
    uint64_t cookie;
    uint8_t fired; /* its time has come, and its message was not taken yet */
    uint8_t pad[7];
};

/* Disarms it; a message that was not taken yet comes to nothing (write). */
static inline TN_MUST tn_err tn_timer_cancel(tn_cap timer)
{
    return tn_object_ask(timer, TN_TIMER_CANCEL, NULL, 0, NULL, 0);
}

/* What it was set for last (read). */
static inline TN_MUST tn_err tn_timer_info(tn_cap timer, struct tn_timer_info *ret)
{
    return tn_object_ask(timer, TN_TIMER_INFO, NULL, 0, ret, sizeof(*ret));
}

/* Buffers: tenon.kernel.buffer; see tn_buf_map and tn_buf_slice */

#define TN_BUFFER       TN_KERNEL_INTERFACE(TN_TYPE_BUFFER)
#define TN_BUFFER_INFO  TN_METHOD(TN_BUFFER, 1)
#define TN_BUFFER_SLICE TN_METHOD(TN_BUFFER, 2)

struct tn_buffer_info {
    uint64_t size_bytes;
    uint8_t slice; /* it is a part of another buffer */
    uint8_t pad[7];
};
struct tn_buffer_slice_args {
    uint64_t off, len;
    uint32_t rights, pad;
};

/* How many bytes there are. */
static inline TN_MUST tn_err tn_buffer_info(tn_cap buffer, struct tn_buffer_info *ret)
{
    return tn_object_ask(buffer, TN_BUFFER_INFO, NULL, 0, ret, sizeof(*ret));
}

/* Replies: tenon.kernel.reply; see tn_defer and tn_reply */

#define TN_REPLY      TN_KERNEL_INTERFACE(TN_TYPE_REPLY)
#define TN_REPLY_INFO TN_METHOD(TN_REPLY, 1)

struct tn_reply_info {
    uint32_t room_bytes; /* 0 when the caller gave up */
    uint8_t waits, pad[3];
};

/* Whether the caller of a deferred call still waits, and what it has room for: what tn_cancelled
 * says of the call that runs. */
static inline TN_MUST tn_err tn_reply_info(tn_cap reply, struct tn_reply_info *ret)
{
    return tn_object_ask(reply, TN_REPLY_INFO, NULL, 0, ret, sizeof(*ret));
}

/* Ends of channels: tenon.kernel.channel; see tn_chan_map */

#define TN_CHANNEL      TN_KERNEL_INTERFACE(TN_TYPE_CHANNEL)
#define TN_CHANNEL_INFO TN_METHOD(TN_CHANNEL, 1)

struct tn_channel_info {
    uint64_t capacity_bytes;
    uint8_t produces; /* it is the producer's end */
    uint8_t gone;     /* the other end is gone, for good */
    uint8_t pad[6];
};

/* What it is an end of. */
static inline TN_MUST tn_err tn_channel_info(tn_cap end, struct tn_channel_info *ret)
{
    return tn_object_ask(end, TN_CHANNEL_INFO, NULL, 0, ret, sizeof(*ret));
}

/* Endpoints: tenon.kernel.endpoint */

#define TN_ENDPOINT      0u
#define TN_ENDPOINT_INFO TN_METHOD(TN_ENDPOINT, 16)

struct tn_endpoint_info {
    uint32_t interface; /* that it takes methods of; 0: of any */
    uint32_t targets;
    uint32_t ready; /* targets that take messages at this moment */
    uint32_t rule;  /* TN_RULE_ */
};

/* Where it leads to. Always the kernel's answer, and never a call of the target. */
static inline TN_MUST tn_err tn_endpoint_info(tn_cap endpoint, struct tn_endpoint_info *ret)
{
    return tn_object_ask(endpoint, TN_ENDPOINT_INFO, NULL, 0, ret, sizeof(*ret));
}

#endif
