/* retype.c: objects made of memory that a capability names. What an object costs is charged to that
 * untyped, and its first capability is a child of the untyped's: so who revokes the untyped ends
 * all that was made from it. */
#include "kernel/cap/cap_int.h"
#include "kernel/mem/limbo.h"
#include "kernel/mem/mem.h"

tn_err cap_retype(struct space *space, tn_cap memory, retype_fn make, const void *args,
                  uint32_t rights, struct space *to, tn_cap *ret_cap)
{
    ASSERT(make != NULL && ret_cap != NULL);
    struct cap_view view;
    tn_err err = cap_find(space, memory, OBJ_UNTYPED, TN_R_WRITE, &view);
    if (err != TN_OK)
        return err;
    struct object *object = NULL;
    err = make(untyped_of(view.object), view.object->limbo, args, &object);
    if (err != TN_OK)
        return err;
    ASSERT(object != NULL && object->home == untyped_of(view.object));
    err = cap_insert(to, object, rights & TN_R_ALL, 0, space, memory, ret_cap);
    object_unref(object); /* the capability's now, or nobody's */
    return err;
}

tn_err retype_untyped(struct untyped *mem, struct limbo *limbo, const void *args,
                      struct object **ret_object)
{
    const struct retype_untyped *wanted = args;
    struct untyped *untyped = NULL;
    (void)limbo;
    tn_err err = untyped_make(mem, wanted->size_bytes, &untyped);
    if (err == TN_OK)
        *ret_object = untyped_object(untyped);
    return err;
}

tn_err retype_space(struct untyped *mem, struct limbo *limbo, const void *args,
                    struct object **ret_object)
{
    const struct retype_space *wanted = args;
    struct space *space = NULL;
    tn_err err = space_make(mem, wanted->root, limbo, wanted->slots_max, &space);
    if (err == TN_OK)
        *ret_object = space_object(space);
    return err;
}
