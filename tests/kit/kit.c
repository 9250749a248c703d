/* kit.c: a kernel with native actors in a few lines (kit.h). */
#include "tests/kit/kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/kernel/native.h"

struct kit *kit_now;
static char failure[256];

bool kit_check(bool ok, const char *what, const char *file, int line)
{
    if (!ok && failure[0] == '\0')
        snprintf(failure, sizeof(failure), "%s:%d: %s", file, line, what);
    return ok;
}

void kit_boot(struct kit *kit)
{
    memset(kit, 0, sizeof(*kit));
    struct kernel_config config = {.spin = 4};
    assert_int_equal(kernel_boot(&config, &kit->kernel), TN_OK);
    failure[0] = '\0';
    kit->used_before = mem_stats(kit->kernel->root).used_bytes;
    kit_now = kit;
    failure[0] = '\0';
}

static struct kit_actor *make(struct kit *kit, const char *name, struct untyped *memory,
                              uint32_t cpu, uint32_t mailbox)
{
    assert_true(kit->nactors < KIT_ACTORS);
    struct kit_actor *a = &kit->actors[kit->nactors++];
    struct kernel *kernel = kit->kernel;
    assert_int_equal(space_make(memory, &kernel->caps, &kernel->limbo, 1024, &a->space), TN_OK);
    struct actor_config config = {.name = name,
                                  .memory = memory,
                                  .space = a->space,
                                  .mailbox = mailbox,
                                  .priority = TN_PRIORITY_DEFAULT,
                                  .home = kernel->cpu[cpu % kernel->ncpus],
                                  .limbo = &kernel->limbo,
                                  .alive = &kernel->alive};
    assert_int_equal(actor_make(&config, &a->actor), TN_OK);
    a->needs.at = a->need;
    return a;
}

struct kit_actor *kit_make(struct kit *kit, const char *name, const struct tn_component *component,
                           uint32_t cpu, uint32_t mailbox)
{
    struct kit_actor *a = make(kit, name, kit->kernel->root, cpu, mailbox);
    assert_int_equal(native_make(a->actor, component, &a->needs), TN_OK);
    assert_true(actor_ready(a->actor));
    return a;
}

struct kit_actor *kit_make_bare(struct kit *kit, const char *name, uint64_t memory_bytes,
                                uint32_t cpu, uint32_t mailbox)
{
    struct untyped *memory = NULL;
    assert_int_equal(untyped_make(kit->kernel->root, memory_bytes, &memory), TN_OK);
    struct kit_actor *a = make(kit, name, memory, cpu, mailbox);
    a->memory = memory;
    return a;
}

tn_cap kit_give(struct kit_actor *to, const char *need, struct object *object, uint32_t rights)
{
    assert_true(to->needs.n < KIT_NEEDS);
    tn_cap cap = 0;
    assert_int_equal(cap_insert(to->space, object, rights, 0, NULL, 0, &cap), TN_OK);
    object_unref(object);
    to->need[to->needs.n++] = (struct need){need, (uint32_t)strlen(need), cap};
    return cap;
}

tn_cap kit_wire(struct kit_actor *from, const char *need, struct kit_actor *to, uint32_t rights,
                uint64_t badge)
{
    struct kernel *kernel = kit_now->kernel;
    struct endpoint *endpoint = NULL;
    assert_int_equal(endpoint_make(kernel->root, &kernel->limbo, to->actor, 0, &endpoint), TN_OK);
    tn_cap cap = 0;
    assert_int_equal(
        cap_insert(from->space, endpoint_object(endpoint), rights, badge, NULL, 0, &cap), TN_OK);
    object_unref(endpoint_object(endpoint));
    assert_true(from->needs.n < KIT_NEEDS);
    from->need[from->needs.n++] = (struct need){need, (uint32_t)strlen(need), cap};
    return cap;
}

tn_cap kit_need(const char *name)
{
    tn_cap cap = 0;
    KIT_CHECK(tn_need(name, (uint32_t)strlen(name), &cap) == TN_OK);
    return cap;
}

void kit_run(struct kit *kit, struct kit_actor *first)
{
    kernel_begin(kit->kernel, first->actor);
    kernel_run(kit->kernel);
    if (failure[0] != '\0')
        fail_msg("%s", failure);
}

void kit_stop(void)
{
    kernel_stop(kit_now->kernel);
}

void kit_end(struct kit *kit)
{
    /* One more run of the CPUs, in which everybody dies. */
    struct kernel *kernel = kit->kernel;
    for (uint32_t i = 0; i < kit->nactors; i++)
        actor_kill(NULL, kit->actors[i].actor);
    kernel_drain(kernel);
    kernel_run(kernel);
    assert_int_equal(at_load(&kernel->alive, RELAXED), 0);
    for (uint32_t i = 0; i < kit->nactors; i++) {
        object_unref(actor_object(kit->actors[i].actor));
        object_unref(space_object(kit->actors[i].space));
        if (kit->actors[i].memory != NULL)
            object_unref(untyped_object(kit->actors[i].memory));
    }
    limbo_drain(&kernel->limbo);
    mem_check(kernel->root);
    assert_int_equal(mem_stats(kernel->root).used_bytes, kit->used_before);
    kernel_destroy(kernel);
}
