/* guest.h: the wasm domain: components in a WebAssembly sandbox.
 *
 * A guest sees the functions of component.h as imports of module `tenon_0` and nothing else. What
 * it passes is read from its linear memory, bounds-checked and copied once; where an interface of
 * the build knows the method, arguments are checked before they leave. A turn that waits holds no
 * stack: the engine's frames are data. Code runs in slices of fuel; between two, others run, and
 * the turn's deadline and a kill are seen.
 *
 * A guest that traps, or spends the fuel of a call, has memory that nobody should trust: its
 * instance is thrown away. If its restarts are not used up it gets a fresh one, which runs load and
 * start before its next message; else its actor has failed. A fresh one whose load or start fails
 * is thrown away the same way, and the message is answered with TN_EGONE. */
#ifndef RUNTIME_WASM_GUEST_H
#define RUNTIME_WASM_GUEST_H

#include <tenon/component.h>

#include "kernel/actor/actor.h"
#include "runtime/needs.h"
#include "wasm/wasm.h"

enum {
    GUEST_SLICE_FUEL = 100000,      /* run at a time: about half a millisecond */
    GUEST_WINDOW = TN_ARGS_MAX,     /* bytes of arguments in, and of a reply out */
    GUEST_MAP_BYTES_MAX = 16 << 20, /* bytes of one of them, and of the ring of a channel */
    GUEST_CHANS_MAX = 8,            /* ends of channels that it has copies of */
    GUEST_BYTES_PER_FUEL = 64,      /* copied or cleared for it by an import: as memory.copy */
    GUEST_STATE_MAX = 64 << 20,     /* bytes of state_size */
    GUEST_TRIES = 1000,             /* yields while memory for a fresh instance comes back */
    GUEST_CALL_DEPTH = 4096,        /* wasm frames */
    GUEST_IMPORTS = 19,
};

/* What ended a guest's turn, for whoever keeps an eye on it. */
struct guest_fault {
    struct actor *actor;
    tn_err err;                           /* TN_ETRAP, TN_EFUEL, TN_ETIME; of what was to be a
                                             fresh instance TN_EGONE (its load or start failed),
                                             TN_ENOMEM or another error of making it */
    const char *text;                     /* what happened; good while it is told */
    const struct wasm_frame_info *frames; /* innermost first */
    uint32_t nframes;
    bool restarts; /* it gets a fresh instance */
};

struct guest_config {
    struct needs needs;
    uint64_t fuel_per_call; /* for each turn, load and start included */
    uint64_t stack_bytes;   /* of frames */
    uint32_t restarts_max;  /* fresh instances after faults; 0: none */
    const void *config;     /* bytes for load, kept by the caller while the guest lives */
    uint32_t config_len;
    void (*on_fault)(void *ctx, const struct guest_fault *fault); /* in the turn; may be NULL */
    void *fault_ctx;
};

/* Loads `bytes` (not needed afterwards) and gives `actor` an instance of it; all is charged to the
 * actor's memory, and the linear memory may grow into what is left of it. TN_ENOMEM; else the error
 * says what and where: TN_EFORMAT (not a module, not a component: imports that are not ours, no
 * tn_component, another ABI ...), TN_ELIMIT. */
tn_err guest_make(struct actor *actor, const uint8_t *bytes, size_t len,
                  const struct guest_config *config, struct wasm_error *ret_error);

/* The same without giving it to the actor: an instance that swap_begin puts in the place of the one
 * there is. Both are charged to the actor for a while, and the new one's linear memory can grow
 * into what the old one has left. */
tn_err guest_new(struct actor *actor, const uint8_t *bytes, size_t len,
                 const struct guest_config *config, struct instance **ret_instance,
                 struct wasm_error *ret_error);

/* The functions that a guest may import, for inspection: the name of the one at i < GUEST_IMPORTS.
 */
const char *guest_import_name(uint32_t i);

/* Linear memory of the guest now, for statistics. */
uint64_t guest_memory_bytes(struct actor *actor);
/* Is this actor's instance a guest? */
bool guest_is(const struct instance *instance);

#endif
