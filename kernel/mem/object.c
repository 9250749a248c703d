/* object.c: the counts that every kernel object begins with. */
#include "kernel/mem/object.h"

#include "base/assert.h"
#include "kernel/mem/limbo.h"

void object_init(struct object *object, const struct object_class *class, struct untyped *home,
                 struct limbo *limbo)
{
    ASSERT(class != NULL && class->destroy != NULL);
    ASSERT(class->type > OBJ_NONE && class->type < OBJ_TYPES && limbo != NULL);
    object->class = class;
    object->home = home;
    object->limbo = limbo;
    list_init(&object->link);
    at_init(&object->refs, 1);
    object->caps = 0;
}

void object_ref(struct object *object)
{
    /* RELAXED: who calls this has a ref, or a lock that keeps one, so nothing is learned here. */
    uint32_t before = at_add(&object->refs, 1, RELAXED);
    ASSERT(before > 0 && before < UINT32_MAX);
}

bool object_try_ref(struct object *object)
{
    uint32_t refs = at_load(&object->refs, RELAXED);
    while (refs != 0) {
        ASSERT(refs < UINT32_MAX);
        /* RELAXED: the fields were seen through cap_lookup's ACQUIRE; this only keeps them. */
        if (at_cas(&object->refs, &refs, refs + 1, RELAXED, RELAXED))
            return true;
    }
    return false;
}

void object_unref(struct object *object)
{
    /* RELEASE: what this holder did to the object comes before its end. ACQUIRE: the last one sees
     * what all others did. */
    uint32_t before = at_sub(&object->refs, 1, ACQ_REL);
    ASSERT(before > 0);
    if (before == 1)
        limbo_add(object->limbo, object);
}
