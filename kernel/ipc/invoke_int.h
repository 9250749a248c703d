/* invoke_int.h: calls on the kernel's own objects: what the dispatch (invoke.c) hands to the
 * methods, which are one table for each type of object.
 *
 * A method reads its arguments with arg_, then checks all that can be refused, then acts. It runs
 * in the caller's turn, does not wait, and does a bounded amount of work. One whose caller would
 * ask again at once may have it wait for its answer (answer_at). */
#ifndef KERNEL_IPC_INVOKE_INT_H
#define KERNEL_IPC_INVOKE_INT_H

#include <tenon/object.h>
#include <tenon/wire.h>

#include "kernel/ipc/ipc_int.h"

struct invocation {
    struct cpu *cpu;
    struct turn *turn;         /* the caller's */
    struct space *space;       /* the caller's */
    tn_cap to;                 /* what was called, */
    struct cap_view view;      /* and what that names: good until the turn waits or ends */
    struct tn_pack pack;       /* the arguments: the caller's handles, data is `args` */
    struct tn_wire_in in;      /* reads them */
    tn_cap made[TN_PACK_CAPS]; /* what the reply brings, in the caller's space */
    tn_time answer_at;         /* the caller waits until then, which it may; 0: it does not */
    _Alignas(8) uint8_t args[TN_OBJECT_ARGS];
    union {
        uint8_t bytes[TN_OBJECT_REPLY];
        struct tn_object_made made;
        struct tn_untyped_info untyped_info;
        struct tn_space_info space_info;
        struct tn_space_inspect space_inspect;
        struct tn_space_next space_next;
        struct tn_space_handle_reply space_handle;
        struct tn_space_revoke_reply space_revoke;
        struct tn_space_reserve_reply space_reserve;
        struct tn_actor_state actor_state;
        struct tn_actor_stats actor_stats;
        struct tn_actor_limits actor_limits;
        struct tn_notification_bits bits;
        struct tn_timer_info timer_info;
        struct tn_buffer_info buffer_info;
        struct tn_reply_info reply_info;
        struct tn_channel_info channel_info;
        struct tn_endpoint_info endpoint_info;
    } reply; /* all 0 before the method runs */
};

/* What a method costs whoever is metered, besides its message. */
enum invoke_price {
    PRICE_NONE,
    PRICE_STEP,  /* a step of 64 deletes */
    PRICE_BYTES, /* its first argument is bytes that may have to be cleared */
    PRICE_HEAD,  /* its first argument is bytes of an untyped, whose map is cleared */
};

struct invoke_method {
    tn_err (*run)(struct invocation *call); /* NULL: an ordinal that is not used */
    uint8_t rights;                         /* besides call */
    uint8_t reply_bytes, reply_caps;
    uint8_t price; /* enum invoke_price */
};

struct invoke_interface {
    uint16_t id;
    uint16_t first; /* ordinal of method[0] */
    uint16_t nmethods;
    const struct invoke_method *methods;
};

extern const struct invoke_interface invoke_untyped, invoke_space, invoke_actor, invoke_endpoint,
    invoke_notification, invoke_timer, invoke_buffer, invoke_reply, invoke_channel;
/* NULL: there is none for that type. */
const struct invoke_interface *invoke_interface(enum object_type type);

/* Arguments: by their offset, AT(space_mint, handle). Missing ones are 0. What is malformed makes
 * args_bad() true, to be asked after the last. */
#define AT(method, field) ((uint32_t)offsetof(struct tn_##method##_args, field))

static inline uint64_t arg_u64(struct invocation *call, uint32_t off)
{
    return tn_wire_u64(&call->in, off);
}

static inline uint32_t arg_u32(struct invocation *call, uint32_t off)
{
    return tn_wire_u32(&call->in, off);
}

/* A handle of the caller's, good or not; `given` false: the arguments name none. */
struct cap_arg {
    bool given;
    tn_cap cap;
};
static inline struct cap_arg arg_cap(struct invocation *call, uint32_t off)
{
    bool given = tn_wire_u8(&call->in, off) != 0;
    return (struct cap_arg){given, tn_wire_cap(&call->in, off)};
}

static inline bool args_bad(const struct invocation *call)
{
    return call->in.bad;
}

/* The actor that an argument names, with write; where none is given, the caller's. Whoever calls
 * this owns a ref to it. TN_EGONE: dying or dead; errors of cap_lookup. */
tn_err arg_actor(struct invocation *call, struct cap_arg arg, struct actor **ret_actor);

#endif
