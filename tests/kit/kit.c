/* kit.c: a kernel with native actors in a few lines (kit.h). */
#include "tests/kit/kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/kernel/native.h"

struct kit *kit_now;
char kit_where[64];
static char failure[256];
static atomic_u32 failed; /* the first to fail writes the text */

static bool restless_follows(struct cpu *cpu, struct actor *actor, struct cpu *from)
{
    (void)cpu;
    (void)actor;
    (void)from;
    return true;
}

static struct cpu *restless_victim(struct cpu *cpu, uint32_t *ret_most)
{
    struct kernel *kernel = cpu->kernel;
    /* Not every time: two that take the same actor from each other would never run it. */
    if (cpu->look[cpu->id].queued++ % 3 != 0)
        return NULL;
    *ret_most = 1 + cpu->looks % 3;
    const struct team *team = cpu->team;
    for (uint32_t i = 1; i < team->n; i++) {
        struct cpu *other = kernel->cpu[team->first + (cpu->id - team->first + i) % team->n];
        if (cpu_queue_length(other) > 0)
            return other;
    }
    return NULL;
}

static uint64_t restless_patience_ns(struct cpu *cpu, uint32_t looks)
{
    (void)cpu;
    return looks < 64 ? 500 : 50000;
}

const struct sched_policy kit_restless = {
    .name = "restless",
    .follows = restless_follows,
    .victim = restless_victim,
    .patience_ns = restless_patience_ns,
};

bool kit_check(bool ok, const char *what, const char *file, int line)
{
    if (!ok && at_swap(&failed, 1, RELAXED) == 0)
        snprintf(failure, sizeof(failure), "%s:%d: %s", file, line, what);
    return ok;
}

void kit_boot(struct kit *kit)
{
    kit_boot_with(kit, &(struct kernel_config){.spin = 4});
}

void kit_boot_with(struct kit *kit, const struct kernel_config *config)
{
    memset(kit, 0, sizeof(*kit));
    assert_int_equal(kernel_boot(config, &kit->kernel), TN_OK);
    at_init(&failed, 0);
    kit->used_before = mem_stats(kit->kernel->root).used_bytes;
    kit_now = kit;
    failure[0] = '\0';
}

static struct cpu *home_of(struct kernel *kernel, const struct kit_config *c)
{
    if (c->team == KIT_COMPUTE)
        return kernel_computer(kernel, c->cpu);
    return c->team == KIT_BLOCKING ? kernel_blocker(kernel, c->cpu) : kernel_worker(kernel, c->cpu);
}

static struct kit_actor *make(struct kit *kit, const struct kit_config *c, struct untyped *memory)
{
    assert_true(kit->nactors < KIT_ACTORS);
    struct kit_actor *a = &kit->actors[kit->nactors++];
    struct kernel *kernel = kit->kernel;
    assert_int_equal(space_make(memory, &kernel->caps, &kernel->limbo,
                                c->slots > 0 ? c->slots : 1024, &a->space),
                     TN_OK);
    uint8_t priority = c->urgent ? 0 : c->idle ? TN_PRIORITIES - 1 : TN_PRIORITY_DEFAULT;
    struct actor_config config = {.name = c->name,
                                  .memory = memory,
                                  .space = a->space,
                                  .mailbox = c->mailbox,
                                  .priority = priority,
                                  .concurrency = c->concurrency,
                                  .pinned = !kit->move,
                                  .deadline_ns = c->deadline_ns,
                                  .home = home_of(kernel, c),
                                  .limbo = &kernel->limbo,
                                  .alive = &kernel->alive};
    assert_int_equal(actor_make(&config, &a->actor), TN_OK);
    a->needs.at = a->need;
    a->mailbox = c->mailbox;
    a->home = config.home;
    return a;
}

struct kit_actor *kit_make_with(struct kit *kit, const struct kit_config *config,
                                const struct tn_component *component)
{
    struct untyped *memory = kit->kernel->root;
    if (config->memory_bytes > 0)
        assert_int_equal(untyped_make(memory, config->memory_bytes, &memory), TN_OK);
    struct kit_actor *a = make(kit, config, memory);
    a->memory = config->memory_bytes > 0 ? memory : NULL;
    assert_int_equal(native_make(a->actor, component, &a->needs), TN_OK);
    assert_true(actor_ready(a->actor));
    return a;
}

struct kit_actor *kit_make(struct kit *kit, const char *name, const struct tn_component *component,
                           uint32_t cpu, uint32_t mailbox)
{
    const struct kit_config config = {.name = name, .cpu = cpu, .mailbox = mailbox};
    return kit_make_with(kit, &config, component);
}

struct kit_actor *kit_make_bare(struct kit *kit, const char *name, uint64_t memory_bytes,
                                uint32_t cpu, uint32_t mailbox)
{
    struct untyped *memory = NULL;
    assert_int_equal(untyped_make(kit->kernel->root, memory_bytes, &memory), TN_OK);
    const struct kit_config config = {.name = name, .cpu = cpu, .mailbox = mailbox};
    struct kit_actor *a = make(kit, &config, memory);
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

tn_cap kit_share(struct kit_actor *to, const char *need, struct object *object, uint32_t rights)
{
    object_ref(object);
    return kit_give(to, need, object, rights);
}

struct note *kit_note(void)
{
    struct kernel *kernel = kit_now->kernel;
    struct note *note = NULL;
    assert_int_equal(note_make(kernel->root, &kernel->limbo, &note), TN_OK);
    return note;
}

tn_cap kit_timer(struct kit_actor *owner, const char *need)
{
    struct kernel *kernel = kit_now->kernel;
    struct timer *timer = NULL;
    assert_int_equal(timer_make(kernel->root, &kernel->limbo, owner->actor, &timer), TN_OK);
    return kit_give(owner, need, timer_object(timer), TN_R_ALL);
}

tn_cap kit_memory(struct kit_actor *to, const char *need, uint64_t bytes)
{
    struct untyped *memory = NULL;
    assert_int_equal(untyped_make(kit_now->kernel->root, bytes, &memory), TN_OK);
    return kit_give(to, need, untyped_object(memory), TN_R_ALL);
}

void kit_kill(struct kit_actor *actor)
{
    actor_kill(fiber_self()->cpu, actor->actor);
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
    kit_assert();
}

void kit_assert(void)
{
    if (failure[0] != '\0')
        fail_msg("%s (%s)", failure, kit_where);
}

void kit_stop(void)
{
    kernel_stop(kit_now->kernel);
}

static const char *const driver_names[KIT_NEEDS] = {"d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7"};
static uint32_t ndrivers;
static atomic_u32 ndone;

static tn_err conduct(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    for (uint32_t i = 0; i < ndrivers; i++)
        KIT_CHECK(tn_send(kit_need(driver_names[i]), TN_METHOD(1, 1), NULL, 0) == TN_OK);
    return TN_OK;
}
KIT_ROLE(conductor, .start = conduct);

void kit_expect(uint32_t n)
{
    ndrivers = n;
    at_init(&ndone, 0);
}

void kit_run_all(struct kit *kit, struct kit_actor *const *drivers, uint32_t n)
{
    assert_true(n > 0 && n <= KIT_NEEDS);
    struct kit_actor *first = kit_make(kit, "conductor", &conductor, 0, 1);
    kit_expect(n);
    for (uint32_t i = 0; i < n; i++)
        kit_wire(first, driver_names[i], drivers[i], TN_R_CALL, i);
    kit_run(kit, first);
}

void kit_done(void)
{
    if (at_add(&ndone, 1, SEQ_CST) == ndrivers - 1)
        kit_stop();
}

void kit_end(struct kit *kit)
{
    /* One more run of the CPUs, in which everybody dies. */
    struct kernel *kernel = kit->kernel;
    for (uint32_t i = 0; i < kit->nactors; i++)
        actor_kill(NULL, kit->actors[i].actor);
    kernel_drain(kernel);
    kernel_run(kernel);
    KIT_CHECK(at_load(&kernel->alive, RELAXED) == 0);
    kit_assert();
    for (uint32_t i = 0; i < kit->nactors; i++) {
        object_unref(actor_object(kit->actors[i].actor));
        object_unref(space_object(kit->actors[i].space));
        if (kit->actors[i].memory != NULL)
            object_unref(untyped_object(kit->actors[i].memory));
    }
    limbo_drain(&kernel->limbo);
    mem_check(kernel->root);
    KIT_INVARIANT("memory-conserved", mem_stats(kernel->root).used_bytes == kit->used_before);
    kernel_destroy(kernel);
    kit_assert();
}
