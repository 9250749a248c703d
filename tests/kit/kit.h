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

enum { KIT_NEEDS = 8, KIT_ACTORS = 32 };

struct kit_actor {
    struct actor *actor;
    struct space *space;
    struct untyped *memory; /* its own, or NULL: the kernel's */
    struct need need[KIT_NEEDS];
    struct needs needs;
};

struct kit {
    struct kernel *kernel;
    struct kit_actor actors[KIT_ACTORS];
    uint32_t nactors;
    uint64_t used_before; /* bytes of root when the kernel had booted */
};

/* The kit whose kernel runs; handlers reach it here. */
extern struct kit *kit_now;

/* On a machine that the caller has set up. */
void kit_boot(struct kit *kit);
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
tn_cap kit_need(const char *name);
/* Runs until kit_stop; asserts that no KIT_CHECK failed. */
void kit_run(struct kit *kit, struct kit_actor *first);
void kit_stop(void);
/* Kills all actors and lets the kernel end; then the root's memory is what it was. */
void kit_end(struct kit *kit);

#define KIT_CHECK(cond) kit_check((cond), #cond, __FILE__, __LINE__)
bool kit_check(bool ok, const char *what, const char *file, int line);

#endif
