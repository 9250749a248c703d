/* guest_int.h: what the files of runtime/wasm share. */
#ifndef RUNTIME_WASM_GUEST_INT_H
#define RUNTIME_WASM_GUEST_INT_H

#include "base/ring_mirror.h"
#include "kernel/ipc/ipc.h"
#include "runtime/wasm/guest.h"

/* What runs: a fresh instance takes load and start before it takes its message; one that takes
 * another's place load and restore, and the other one save. */
enum guest_stage { STAGE_LOAD, STAGE_START, STAGE_RESTORE, STAGE_MESSAGE, STAGE_SAVE };

/* What a suspended import has to finish. */
enum guest_op { OP_NONE, OP_FRESH, OP_SLICE, OP_CALL, OP_SEND, OP_WAIT, OP_YIELD, OP_REVOKE };

/* struct tn_component as wasm32 lays it out. */
struct guest_component {
    uint32_t abi, size, state_size, state_version;
    uint32_t load, start, call, event, timer, save, restore, stop;
};
_Static_assert(sizeof(struct guest_component) == 48, "8 functions by table index");

/* Fixed places in linear memory, above __heap_base. */
struct guest_window {
    uint32_t turn, in, out; /* struct tn_turn, struct tn_pack, struct tn_pack */
    uint32_t self;
    uint32_t in_data, out_data; /* GUEST_WINDOW bytes each */
};

struct guest_map {
    uint32_t at;   /* in linear memory; 0: this entry has no room yet */
    uint32_t room; /* bytes there, whole pages */
    uint32_t len;  /* 0: not in use */
    uint32_t how;
    tn_cap buf;
    uint64_t off;
};

/* The guest's copy of a channel's ring: stays between turns, for the records in it do. */
struct guest_chan {
    uint32_t at;   /* in linear memory; 0: this entry has no room yet */
    uint32_t room; /* bytes there, whole pages */
    tn_cap end;    /* 0: not in use; it may have become stale */
    struct ring_mirror mirror;
};

struct guest {
    struct instance instance;
    struct guest_config config;
    struct wasm_alloc alloc;
    struct wasm_module *module;
    struct wasm_instance *wasm; /* NULL after a fault that it was not restarted from */
    struct guest_component component;
    struct guest_window window;
    struct guest_map maps[TN_MAPS_MAX];
    struct guest_chan chans[GUEST_CHANS_MAX];
    struct turn turn;
    struct cpu *cpu; /* while it runs */
    enum guest_stage stage;
    bool fresh; /* load and start have to run first */
    uint32_t restarts;
    uint32_t tries;       /* to get memory for a fresh instance, in this turn */
    uint64_t fuel_left;   /* of this turn, without what the engine holds */
    uint64_t fuel_given;  /* to the engine for this slice */
    uint64_t fuel_wanted; /* the least that the next slice needs */
    bool returns;         /* the function that runs has a result */
    bool resumes;         /* the engine waits for resume_value */
    wasm_value resume_value;
    enum guest_op op;
    /* of a suspended import: */
    uint32_t op_pack; /* address of the reply's pack, or 0 */
    tn_cap op_to;
    uint32_t op_method;
    struct tn_pack op_in;
    uint32_t op_bits; /* address for tn_wait's bits; it waits by op_to */
    struct wasm_binding bindings[GUEST_IMPORTS];
    uint32_t nbindings;
};

/* guest.c: takes the fuel for `bytes` that are copied or cleared for the guest; what the slice
 * cannot pay, the turn does, as far as it can: then it ends with the next block of code. What is
 * paid depends on nothing but what the guest asks for. */
void guest_pay(struct guest *guest, uint64_t bytes);

/* imports.c: binds the module's imports. */
tn_err guest_bind(struct guest *guest, struct wasm_error *ret_error);
/* After the wait: finishes the import; its result for the guest. IPC_PENDING: it waits once more.
 */
tn_err guest_op_end(struct guest *guest, struct cpu *cpu);
/* maps.c: at the end of a turn. */
void guest_unmap_all(struct guest *guest);
tn_err guest_map(struct guest *guest, tn_cap buf, uint64_t off, uint32_t len, uint32_t how,
                 uint32_t *ret_at);
tn_err guest_unmap(struct guest *guest, tn_cap buf, uint32_t at);

/* chans.c: the copy of an end's ring, made at need and exchanged; where it is and its size. */
tn_err guest_chan_map(struct guest *guest, tn_cap end, uint32_t *ret_at, uint32_t *ret_bytes);
/* The copy of this end; NULL: it has none, or `cap` is no end of a channel. */
struct guest_chan *guest_chan_find(struct guest *guest, tn_cap cap);
/* Exchanges, and rings the other end's doorbell if that sleeps. Errors of chan_view; TN_EFORMAT. */
tn_err guest_chan_exchange(struct guest *guest, struct guest_chan *chan);
/* All of them, before another instance goes on with the rings. */
void guest_chans_settle(struct guest *guest);
/* Exchanges and asks for a bell: TN_OK: the guest may wait for it; TN_EAGAIN: something has come.
 * Afterwards, if it may, guest_chan_awake, which exchanges. */
tn_err guest_chan_sleeps(struct guest *guest, struct guest_chan *chan);
tn_err guest_chan_awake(struct guest *guest, struct guest_chan *chan);

/* `len` bytes at `at` of linear memory, or NULL. */
static inline void *guest_at(struct guest *guest, uint32_t at, uint32_t len)
{
    return wasm_memory_range(guest->wasm, at, len);
}

#endif
