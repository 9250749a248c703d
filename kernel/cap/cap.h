/* cap.h: capabilities and capability spaces, for the kernel's other modules.
 *
 * A capability is a slot in a space: object, rights, badge, place in the derivation tree. A tn_cap
 * names a slot by index and generation; slots are reused first in, first out and retired when the
 * 40-bit generation would wrap, so a stale handle is an error and never somebody else's object.
 * Mint and copy make a child in the tree; delete hands the children to the parent; revoke deletes
 * all descendants, in whatever space they are. */
#ifndef KERNEL_CAP_CAP_H
#define KERNEL_CAP_CAP_H

#include <stdbool.h>
#include <stdint.h>
#include <tenon/component.h>

#include "kernel/mem/lock.h"
#include "kernel/mem/object.h"

struct space;
struct untyped;

/* One for a kernel: the lock of all its derivation trees. */
struct cap_root {
    struct spinlock lock;
};
void cap_root_init(struct cap_root *root);

/* What a lookup found. The pointer is good until the turn waits or ends. */
struct cap_view {
    struct object *object;
    uint64_t badge;
    uint32_t rights;
};

/* A space with room for at most slots_max (<= TN_SPACE_MAX) capabilities, grown as they come,
 * charged to `mem`. refs = 1 is the caller's. TN_ENOMEM, TN_EINVAL. */
tn_err space_make(struct untyped *mem, struct cap_root *root, struct limbo *limbo,
                  uint32_t slots_max, struct space **ret_space);
struct object *space_object(struct space *space);
struct space *space_of(struct object *object);
uint32_t space_count(struct space *space); /* capabilities in it */
/* Deletes every capability in it (as cap_delete does), without locks held; at the death of its
 * actor. What is put in meanwhile goes when the space is destroyed. The caller holds a ref. */
void space_clear(struct space *space);
/* The nth step of that, from 0 on, of a bounded number of slots each; false when it was the last.
 */
bool space_clear_step(struct space *space, uint32_t n);
/* The same, but for these handles of it and for what was posted and not yet received: what an actor
 * was given, and what is under way to it, stays when its instance goes. */
void space_clear_but(struct space *space, const tn_cap *spared, uint32_t n);
/* Marks every capability that is there now: what one instance of an actor has, before another takes
 * its place. Then either space_clear_marked_but, when nobody knows any more what the first one had:
 * deletes what is marked but for these handles and for what was posted; or space_clear_unmarked,
 * when the second one went: deletes what came since but for what was posted. */
void space_mark(struct space *space);
void space_clear_marked_but(struct space *space, const tn_cap *spared, uint32_t n);
void space_clear_unmarked(struct space *space);

/* The object that `cap` names, if its type is `type` (OBJ_NONE: any) and it carries all of
 * `rights`. TN_EBADCAP, TN_ETYPE, TN_ERIGHTS. O(1), no atomic write. cap_find (lookup.h) is
 * the same for callers that know type and rights when they are compiled, without a call. */
tn_err cap_lookup(struct space *space, tn_cap cap, enum object_type type, uint32_t rights,
                  struct cap_view *ret_view);
/* A first capability to an object, in no tree (parent_space NULL) or below `parent` (a capability
 * of parent_space: the untyped it was retyped from). Takes a ref of the object when it is the first
 * capability to it. TN_ENOSLOT, TN_ENOMEM, TN_EBADCAP. */
tn_err cap_insert(struct space *space, struct object *object, uint32_t rights, uint64_t badge,
                  struct space *parent_space, tn_cap parent, tn_cap *ret_cap);
/* A child of `from` in `to` with rights & its own rights, and `badge` where from has badge 0 (else
 * badge must be 0 or equal). Needs TN_R_GRANT on `from`. TN_EBADCAP, TN_ERIGHTS, TN_ENOSLOT,
 * TN_ENOMEM, TN_EINVAL (badge). cap_copy is a mint with all rights and no new badge. */
tn_err cap_mint(struct space *from_space, tn_cap from, struct space *to, uint32_t rights,
                uint64_t badge, tn_cap *ret_cap);
tn_err cap_copy(struct space *from_space, tn_cap from, struct space *to, tn_cap *ret_cap);
/* Moves to another space: same place in the tree, the old handle becomes stale. Needs TN_R_GRANT
 * unless the capability is a reply. */
tn_err cap_move(struct space *from_space, tn_cap from, struct space *to, tn_cap *ret_cap);
/* Copies n <= TN_PACK_CAPS capabilities to another space, or moves those with their bit in `move`
 * set: all or none, in one step. Errors as cap_copy and cap_move; TN_EINVAL when one that is moved
 * is named twice. cap_post does the same for a message that will wait: what it carries is posted
 * until cap_receive takes the mark off, by who takes the message (stale handles are ignored). */
tn_err cap_transfer(struct space *from_space, const tn_cap *from, uint32_t n, uint32_t move,
                    struct space *to, tn_cap *ret_caps);
tn_err cap_post(struct space *from_space, const tn_cap *from, uint32_t n, uint32_t move,
                struct space *to, tn_cap *ret_caps);
void cap_receive(struct space *space, const tn_cap *caps, uint32_t n);
/* Sets n <= TN_PACK_CAPS slots aside for what is to come: their handles name nothing until
 * cap_deliver fills them, and nothing else takes them. TN_ENOSLOT, TN_ENOMEM: none was. */
tn_err cap_reserve(struct space *space, uint32_t n, tn_cap *ret_slots);
/* Gives up those of the slots that are still reserved; their handles are stale then. */
void cap_unreserve(struct space *space, const tn_cap *slots, uint32_t n);
/* cap_transfer into n slots that were reserved, whose handles then name what came: it cannot fail
 * for want of room. TN_ENOSLOT when one of `slots` is not reserved (any more), or named twice. */
tn_err cap_deliver(struct space *from_space, const tn_cap *from, uint32_t n, uint32_t move,
                   struct space *to, const tn_cap *slots);
/* Its children become its parent's; O(1), whatever their number. After the last capability to an
 * object class->orphan is called and the ref dropped, without locks. TN_EBADCAP. */
tn_err cap_delete(struct space *space, tn_cap cap);
/* Deletes all descendants, in steps of at most 64 under the lock; needs TN_R_CONTROL. Until it is
 * done nothing can be derived from `cap`, nor it be moved (TN_EBADCAP); what is derived from a
 * descendant in between is deleted too, so none is left when this returns TN_OK. TN_EBADCAP also
 * when `cap` is deleted meanwhile: the rest is then its parent's. Does not wait for the grace
 * period of what it orphaned: a limbo_ticket tells when that is over. */
tn_err cap_revoke(struct space *space, tn_cap cap);
/* One step of it; TN_EAGAIN: some are left, and `cap` stays as above until a later call, perhaps
 * another's, has returned TN_OK. For who lets others run between steps. */
tn_err cap_revoke_step(struct space *space, tn_cap cap);

/* Makes an object of `mem` and returns it with one ref, the caller's; args are the maker's own. */
typedef tn_err (*retype_fn)(struct untyped *mem, struct limbo *limbo, const void *args,
                            struct object **ret_object);
/* Makes an object of the untyped that `memory` names, with TN_R_WRITE, and puts its first
 * capability, a child of `memory`, in `to`. Errors of cap_lookup, of `make` and of cap_insert; then
 * nothing is left of it when its grace period is over. */
tn_err cap_retype(struct space *space, tn_cap memory, retype_fn make, const void *args,
                  uint32_t rights, struct space *to, tn_cap *ret_cap);
/* The makers of the types that this module knows. Errors of untyped_make and space_make. */
struct retype_untyped {
    uint64_t size_bytes;
};
struct retype_space {
    struct cap_root *root;
    uint32_t slots_max;
};
tn_err retype_untyped(struct untyped *mem, struct limbo *limbo, const void *args,
                      struct object **ret_object);
tn_err retype_space(struct untyped *mem, struct limbo *limbo, const void *args,
                    struct object **ret_object);

/* What is in a space, for who may look into it (inspect.c). Any CPU. */
struct space_stats {
    uint32_t capabilities, reserved, retired, slots_max;
};
struct space_stats space_stats(struct space *space);
struct cap_info {
    tn_cap cap;
    uint64_t badge;
    enum object_type type;
    uint32_t rights;
    bool derived;  /* it has descendants */
    bool posted;   /* it came with a message that nobody has taken yet */
    bool revoking; /* nothing can be derived from it now */
};
/* TN_EBADCAP. */
tn_err cap_inspect(struct space *space, tn_cap cap, struct cap_info *ret_info);
/* The first capability among up to 64 slots from index `from` on; false: none there. *ret_next is
 * the index to go on with, 0 at the end of the space. */
bool cap_next(struct space *space, uint32_t from, struct cap_info *ret_info, uint32_t *ret_next);

/* Every invariant of the trees that touch this space, for tests and the simulator. */
void cap_check(struct space *space);

#endif
