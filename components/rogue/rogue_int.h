/* rogue_int.h: what the rogue's files share: its attempts. */
#ifndef COMPONENTS_ROGUE_INT_H
#define COMPONENTS_ROGUE_INT_H

#include <stdbool.h>
#include <stdint.h>
#include <tenon/component.h>

enum { ROGUE_TEXT_MAX = 400 };

struct rogue {
    tn_cap victim, peer;  /* all it was wired to; 0 where the system wires none */
    tn_cap memory, timer; /* its own, as every component has them */
    uint64_t sink;        /* what loops that must not be optimised away write */
};

/* What became of an attempt. */
struct outcome {
    tn_err stopped_by;
    uint64_t gained;
    char text[ROGUE_TEXT_MAX];
};

struct attempt {
    char name[40];
    /* DEMO_ROGUE_E_HARMLESS: not made. May trap, and may never return. */
    tn_err (*make)(struct rogue *rogue, struct outcome *outcome);
};

enum { ROGUE_ATTEMPTS = 9 };
extern const struct attempt rogue_attempts[ROGUE_ATTEMPTS];

/* rogue_reach.c: at what others have. */
tn_err rogue_read_file(struct rogue *rogue, struct outcome *outcome);
tn_err rogue_call_unwired(struct rogue *rogue, struct outcome *outcome);
tn_err rogue_forge(struct rogue *rogue, struct outcome *outcome);
tn_err rogue_bad_pointers(struct rogue *rogue, struct outcome *outcome);
/* rogue_exhaust.c: at what all share. */
tn_err rogue_loop(struct rogue *rogue, struct outcome *outcome);
tn_err rogue_eat_memory(struct rogue *rogue, struct outcome *outcome);
tn_err rogue_overflow_stack(struct rogue *rogue, struct outcome *outcome);
tn_err rogue_flood(struct rogue *rogue, struct outcome *outcome);
tn_err rogue_circle(struct rogue *rogue, struct outcome *outcome);

/* sandbox_wasm.c and sandbox_native.c: the build picks one. What is only tried where a wall
 * stands: native code has none, and is trusted not to. */

/* Is there a wall between this component and the kernel? */
bool sandbox_there(void);
/* One page of linear memory more; its address, or NULL when there is none left. */
uint8_t *sandbox_grow(void);
uint32_t sandbox_pages(void);
/* An address beyond all memory of the component, that the kernel is asked to read. */
void *sandbox_beyond(void);

#endif
