/* ipc_int.h: what the files of ipc/ share. */
#ifndef KERNEL_IPC_IPC_INT_H
#define KERNEL_IPC_IPC_INT_H

#include "kernel/ipc/ipc.h"

struct endpoint {
    struct object object;
    struct actor *target; /* holds a ref */
    uint16_t interface;
};

struct endpoint *endpoint_of(struct object *object);

/* Where a message through the capability `to` goes, of a turn that may call it by that method.
 * TN_EMETHOD, TN_EAGAIN (not started yet), TN_EGONE, and what cap_lookup gives. */
tn_err endpoint_decode(struct turn *turn, tn_cap to, uint32_t method, struct actor **ret_target,
                       uint64_t *ret_badge);

/* Takes a cell of the turn's actor, making its pool at first use. NULL: no memory. */
struct cell *actor_cell(struct actor *actor);

/* A fresh wait of the turn's actor that expires at `deadline`; its generation. TN_ENOMEM. */
tn_err wait_begin(struct turn *turn, struct wait **ret_wait, uint64_t *ret_generation);
/* A credit of the target's mailbox, taken outside of its home; false when it is full. `own` is the
 * caller's CPU. */
bool credit_away(struct cpu *own, struct actor *target);
/* Arms the expiry of an open wait, unless `deadline` is TN_NEVER. */
void wait_expire_at(struct cpu *cpu, struct wait *wait, tn_time deadline);

#endif
