/* kit.h: a kernel with native actors in a few lines, for tests on machine sim or linux.
 *
 * A test describes components as struct tn_component, makes actors of them, wires them, and gives
 * the one whose start handler drives the test to kit_run. Failures inside handlers go through
 * KIT_CHECK, which the test asserts afterwards (kit_run does): cmocka cannot jump out of a fiber.
 */
#ifndef TESTS_KIT_KIT_H
#define TESTS_KIT_KIT_H

#include <stdbool.h>
#include <stdint.h>
#include <tenon/component.h>

#include "kernel/ipc/ipc.h"
#include "runtime/needs.h"

enum { KIT_NEEDS = 8, KIT_ACTORS = 64 };

struct kit_actor {
    struct actor *actor;
    struct space *space;
    struct untyped *memory; /* its own, or NULL: the kernel's */
    struct cpu *home;       /* where it was made */
    uint32_t mailbox;
    struct need need[KIT_NEEDS];
    struct needs needs;
};

struct kit {
    struct kernel *kernel;
    struct kit_actor actors[KIT_ACTORS];
    uint32_t nactors;
    uint64_t used_before; /* bytes of root when the kernel had booted */
    bool move;            /* actors made from now on may move from their CPU */
    uint64_t run;         /* of explore: the seed, or how many came before */
};

enum kit_team { KIT_WORKERS, KIT_COMPUTE, KIT_BLOCKING };

struct kit_config {
    const char *name;
    uint32_t cpu, mailbox;
    enum kit_team team;    /* whose `cpu`-th is its home */
    bool urgent;           /* the most urgent priority instead of the default */
    bool idle;             /* the least urgent */
    uint8_t concurrency;   /* turns; 0: 1 */
    uint32_t slots;        /* capabilities; 0: many */
    uint64_t memory_bytes; /* of its own; 0: the kernel's */
    tn_time deadline_ns;   /* longest turn; 0: none */
};

/* Moves whatever may be moved, whenever it can. */
extern const struct sched_policy kit_restless;

/* The kit whose kernel runs; handlers reach it here. */
extern struct kit *kit_now;
/* What a failure's message ends with: which seed it was. */
extern char kit_where[64];

/* On a machine that the caller has set up. */
void kit_boot(struct kit *kit);
void kit_boot_with(struct kit *kit, const struct kernel_config *config);
struct kit_actor *kit_make_with(struct kit *kit, const struct kit_config *config,
                                const struct tn_component *component);
struct kit_actor *kit_make(struct kit *kit, const char *name, const struct tn_component *component,
                           uint32_t cpu, uint32_t mailbox);
/* An actor in `memory` of its own, without an instance. */
struct kit_actor *kit_make_bare(struct kit *kit, const char *name, uint64_t memory_bytes,
                                uint32_t cpu, uint32_t mailbox);
/* A capability to `to`, called `need` in `from`. */
tn_cap kit_wire(struct kit_actor *from, const char *need, struct kit_actor *to, uint32_t rights,
                uint64_t badge);
/* Any object, in the actor's space, under that name; takes over the caller's ref. */
tn_cap kit_give(struct kit_actor *to, const char *need, struct object *object, uint32_t rights);
/* The same, with a ref of its own. */
tn_cap kit_share(struct kit_actor *to, const char *need, struct object *object, uint32_t rights);
/* A notification, held by the caller. */
struct note *kit_note(void);
tn_cap kit_timer(struct kit_actor *owner, const char *need);
/* An untyped of its own. */
tn_cap kit_memory(struct kit_actor *to, const char *need, uint64_t bytes);
/* In a handler: the capability of that name. */
tn_cap kit_need(const char *name);
/* In a handler. */
void kit_kill(struct kit_actor *actor);
/* In a handler's loop that waits for another CPU: lets it run, also under a schedule by priorities.
 */
static inline tn_err kit_pause(void)
{
    machine_relax();
    return tn_yield();
}
/* Runs until kit_stop; asserts that no KIT_CHECK failed. */
void kit_run(struct kit *kit, struct kit_actor *first);
void kit_stop(void);
/* Sends each driver (at most KIT_NEEDS) a message, whose event handler ends with kit_done; runs
 * until all have. */
void kit_run_all(struct kit *kit, struct kit_actor *const *drivers, uint32_t n);
void kit_done(void);
/* For a run without kit_run_all: how many kit_done stop it. */
void kit_expect(uint32_t n);
/* Fails the test if a KIT_CHECK failed. */
void kit_assert(void);
/* Kills all actors and lets the kernel end; then the root's memory is what it was. */
void kit_end(struct kit *kit);

/* A component of some handlers: KIT_ROLE(server, .call = serve); */
#define KIT_ROLE(role, ...)                   \
    static const struct tn_component role = { \
        .abi = TN_ABI, .size = sizeof(struct tn_component), __VA_ARGS__}

#define KIT_CHECK(cond) kit_check((cond), #cond, __FILE__, __LINE__)
/* The same for what is true of every run: says which invariant is broken (docs/simulation.md). */
#define KIT_INVARIANT(name, cond) \
    kit_check((cond), "invariant " name ": " #cond, __FILE__, __LINE__)
bool kit_check(bool ok, const char *what, const char *file, int line);

#endif
