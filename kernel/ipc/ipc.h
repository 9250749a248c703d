/* ipc.h: what a turn can ask of the kernel: calls, sends, replies, notifications, timers, buffers.
 *
 * Operations that may wait come in two halves. `x_begin` does what can be done now and returns the
 * result, or IPC_PENDING: the turn then waits (turn_wait on a fiber; as data by ending with
 * TURN_WAITS) and, when it goes on, `x_end` gives the result. A native component's tn_call is the
 * two halves with turn_wait between.
 *
 * Packs at this level hold host pointers into memory that stays where it is until the operation
 * ends, and handles of the turn's actor. Arguments are copied before `x_begin` returns. */
#ifndef KERNEL_IPC_IPC_H
#define KERNEL_IPC_IPC_H

#include <tenon/component.h>

#include "kernel/actor/actor.h"
#include "kernel/sched/cpu.h"
#include "kernel/sched/swap.h"

#define IPC_PENDING           INT32_MIN
#define IPC_KERNEL_INTERFACES 0xff00u /* the interfaces of kernel objects begin here (object.h) */

/* Objects */

struct endpoint;
struct note;
struct timer;
struct buffer;
struct channel_end;

/* An endpoint leads to one actor; a call's method must be of `interface` (0: any but the kernel's).
 * Holds a ref to the target. The objects below are made with refs = 1, the caller's; TN_ENOMEM. */
tn_err endpoint_make(struct untyped *mem, struct limbo *limbo, struct actor *target,
                     uint16_t interface, struct endpoint **ret_endpoint);
/* The same with 1 to TN_TARGETS_MAX targets, of which a rule picks one for each message among those
 * that are READY. TN_EINVAL: no target, too many, a weight over TN_ROUTE_WEIGHT_MAX, all weights 0,
 * hash_len over TN_ROUTE_HASH_MAX. */
enum endpoint_rule {
    ROUTE_SINGLE,  /* the first that can serve: the others stand by */
    ROUTE_WEIGHTS, /* by chance, in proportion to the weights; 0: never */
    ROUTE_HASH,    /* by the bytes [hash_at, hash_at + hash_len) of the arguments */
    ROUTE_PER_CPU, /* target i for CPU i, counted round */
};
struct endpoint_route {
    enum endpoint_rule rule;
    uint32_t ntargets;
    struct actor *target[TN_TARGETS_MAX];
    uint32_t weight[TN_TARGETS_MAX];
    uint32_t hash_at, hash_len;
};
tn_err endpoint_make_routed(struct untyped *mem, struct limbo *limbo,
                            const struct endpoint_route *config, uint16_t interface,
                            struct endpoint **ret_endpoint);
struct object *endpoint_object(struct endpoint *endpoint);

tn_err note_make(struct untyped *mem, struct limbo *limbo, struct note **ret_note);
struct object *note_object(struct note *note);

/* Fires into the mailbox of `owner`, whose space holds the capability. */
tn_err timer_make(struct untyped *mem, struct limbo *limbo, struct actor *owner,
                  struct timer **ret_timer);
struct object *timer_object(struct timer *timer);

/* Zeroed bytes; TN_ETOOBIG over TN_BUFFER_MAX, TN_EINVAL for 0. */
tn_err buffer_make(struct untyped *mem, struct limbo *limbo, uint64_t size_bytes,
                   struct buffer **ret_buffer);
struct object *buffer_object(struct buffer *buffer);
/* The bytes of a buffer or slice. */
void *buffer_bytes(struct buffer *buffer, uint64_t *ret_size_bytes);
struct buffer *buffer_of(struct object *object);

/* A channel's two ends, each with a ref for the caller: a ring of `capacity` bytes (base/ring.h)
 * and two doorbells. TN_EINVAL, TN_ETOOBIG, TN_ENOMEM. */
tn_err channel_make(struct untyped *mem, struct limbo *limbo, uint64_t capacity,
                    struct channel_end **ret_producer, struct channel_end **ret_consumer);
struct object *channel_end_object(struct channel_end *end);

/* Operations of a turn. Errors as component.h documents them for the tn_ function of that name. */

/* `room` (NULL: for nothing): data, size and ncaps say what the reply may be; only data is used
 * after this returns. */
tn_err call_begin(struct cpu *cpu, struct turn *turn, tn_cap to, uint32_t method,
                  const struct tn_pack *in, const struct tn_pack *room, tn_time deadline);
/* The result of the call; ret_out (may be NULL) gets len, ncaps and caps. */
tn_err call_end(struct cpu *cpu, struct turn *turn, struct tn_pack *ret_out);

/* The kernel's own call on an actor's lifecycle (LIFE_...), by whoever holds the actor itself. */
tn_err life_begin(struct cpu *cpu, struct turn *turn, struct actor *actor, uint32_t method,
                  const struct tn_pack *in, tn_time deadline);

/* Replaces the instance of another actor by `fresh`, which was made for it and is no longer the
 * caller's, whatever comes of it; `flags` are those of sched/swap.h, which says how it goes.
 * Pending, or TN_EBUSY (a swap is under way), TN_EAGAIN (the actor has not started), TN_EGONE,
 * TN_EDEADLK (it is the turn's own, or waits for it, and SWAP_CANCEL was not said), TN_ETIME,
 * TN_EINVAL (flags that there are not, or an actor of several turns and a domain that keeps one),
 * TN_ENOMEM, TN_ESTACK, TN_ECANCELLED. call_end has the result: TN_OK; TN_ETIME at the
 * least of `deadline`, the turn's and TN_SWAP_NS from now; TN_EGONE; what save, load, restore or
 * start said; TN_EVERSION, TN_ETOOBIG, TN_ENOMEM, TN_ETRAP, TN_EFUEL. With any but TN_OK the old
 * instance goes on, unless it trapped itself. */
tn_err swap_begin(struct cpu *cpu, struct turn *turn, struct actor *actor, struct instance *fresh,
                  uint32_t flags, tn_time deadline);

/* See quick.h for who calls it often. */
tn_err send_begin(struct cpu *cpu, struct turn *turn, tn_cap to, uint32_t method,
                  const struct tn_pack *in, uint32_t flags);
/* Tries again what was pending: TN_OK, an error, or IPC_PENDING once more. The arguments must be
 * those of send_begin. */
tn_err send_end(struct cpu *cpu, struct turn *turn, tn_cap to, uint32_t method,
                const struct tn_pack *in);

tn_err note_signal(struct cpu *cpu, struct turn *turn, tn_cap note, uint64_t bits);
tn_err note_wait_begin(struct cpu *cpu, struct turn *turn, tn_cap note, tn_time deadline,
                       uint64_t *ret_bits);
tn_err note_wait_end(struct cpu *cpu, struct turn *turn, uint64_t *ret_bits);

/* Deletes all that is derived from `cap`, and waits until no CPU can still use any of it.
 * revoke_end may be pending once more. Errors of cap_revoke, TN_ENOMEM, TN_ESTACK: nothing is done.
 * TN_ETIME (the turn's deadline, or no stack is left to wait on), TN_ECANCELLED: none is left to be
 * used anew, but an operation that was under way may still be. */
tn_err revoke_begin(struct cpu *cpu, struct turn *turn, tn_cap cap);
tn_err revoke_end(struct cpu *cpu, struct turn *turn, tn_cap cap);

/* Pending unless TN_ECANCELLED or TN_ESTACK; nothing to end. */
tn_err yield_begin(struct cpu *cpu, struct turn *turn);

tn_err defer(struct cpu *cpu, struct turn *turn, tn_cap *ret_reply);
tn_err reply(struct cpu *cpu, struct turn *turn, tn_cap reply, tn_err result,
             const struct tn_pack *out);
int32_t turn_cancelled(struct turn *turn);
/* Bytes that the caller has room for in its reply, at most TN_ARGS_MAX; 0 when it gave up. */
uint32_t turn_room_size(struct turn *turn);

tn_err timer_set(struct cpu *cpu, struct turn *turn, tn_cap timer, tn_time at, uint64_t cookie);

tn_err buf_new(struct cpu *cpu, struct turn *turn, tn_cap memory, uint64_t size_bytes,
               tn_cap *ret_buf);
tn_err buf_slice(struct cpu *cpu, struct turn *turn, tn_cap buf, uint64_t off, uint64_t len,
                 uint32_t rights, tn_cap *ret_buf);
/* Checks rights and range; the bytes of the buffer at `off`, good until the turn waits or ends. */
tn_err buf_range(struct turn *turn, tn_cap buf, uint64_t off, uint64_t len, uint32_t how,
                 void **ret_at);
/* The same, good for as long as the caller keeps *ret_held, a ref that is now its own. */
tn_err buf_hold(struct turn *turn, tn_cap buf, uint64_t off, uint64_t len, uint32_t how,
                void **ret_at, struct object **ret_held);

/* What a call that succeeds costs besides its message where work is metered: the bytes that a
 * kernel object may have had to clear for it; 0 for all other methods than the kernel's. */
uint64_t invoke_method_price(uint32_t number, const struct tn_pack *in);
static inline uint64_t invoke_price_bytes(uint32_t number, const struct tn_pack *in)
{
    if (__builtin_expect(number < TN_METHOD(IPC_KERNEL_INTERFACES, 0), 1))
        return 0;
    return invoke_method_price(number, in);
}

tn_err chan_new(struct cpu *cpu, struct turn *turn, tn_cap memory, uint64_t capacity,
                tn_cap *ret_producer, tn_cap *ret_consumer);
/* The shared memory of an end's ring, which the other end may write at any time. */
struct chan_view {
    void *at;
    uint64_t size_bytes;
    bool produces; /* it is the producer's end */
};
tn_err chan_view(struct turn *turn, tn_cap end, struct chan_view *ret_view);

#endif
