/* object.h: what every kernel object begins with, and how it lives and dies.
 *
 * An object is made from untyped memory and stays charged to it. It has two counts: `caps`, the
 * capabilities that name it, kept under the derivation lock; and `refs`, everything that may hold
 * its address across a turn boundary (one for all capabilities together, one for each kernel
 * holder).
 *
 *   made --(first capability)--> named --(last capability deleted: class->orphan)--> orphaned
 *   orphaned --(last ref dropped: limbo)--> dying --(grace period over: class->destroy)--> memory
 *
 * A plain pointer that cap_lookup returned is good until the turn waits or ends: memory is reused
 * only when every CPU has passed a turn boundary after the last ref was dropped (limbo.h). */
#ifndef KERNEL_MEM_OBJECT_H
#define KERNEL_MEM_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/atomic.h"
#include "base/list.h"

struct untyped;
struct object;
struct limbo;

enum object_type {
    OBJ_NONE,
    OBJ_UNTYPED,
    OBJ_SPACE,
    OBJ_ACTOR,
    OBJ_ENDPOINT,
    OBJ_NOTE,
    OBJ_TIMER,
    OBJ_BUFFER,
    OBJ_REPLY,
    OBJ_CHANNEL,
    OBJ_TYPES,
};

struct object_class {
    enum object_type type;
    const char *name;
    /* The last capability is gone; may be NULL. Called without locks, with a ref held. Called again
     * when a holder names the object anew and that capability goes too. */
    void (*orphan)(struct object *object);
    /* Nobody has the address any more: undo what making it did and mem_free it. A bounded amount of
     * work: of what may be more it does a part, then limbo_again has it called once more. */
    void (*destroy)(struct object *object);
};

struct object {
    const struct object_class *class;
    struct untyped *home; /* memory it is charged to */
    struct limbo *limbo;  /* where it goes when the last ref is dropped */
    struct list link;     /* in limbo; before the last unref the class's own use */
    atomic_u32 refs;
    uint32_t caps; /* under LOCK_CAPS */
};

/* refs = 1, owned by the caller; caps = 0. */
void object_init(struct object *object, const struct object_class *class, struct untyped *home,
                 struct limbo *limbo);
/* For who holds a ref already, or the derivation lock and a capability. Any CPU. */
void object_ref(struct object *object);
/* For a pointer that cap_lookup returned, until the turn waits or ends: false when the last ref is
 * gone meanwhile, so that the object is on its way to limbo and cannot be held. Any CPU. */
bool object_try_ref(struct object *object);
/* Any CPU, no lock above LOCK_LIMBO held. At 0 the object goes to limbo. */
void object_unref(struct object *object);

#endif
