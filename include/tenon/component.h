/* component.h: all that a component sees of Tenon, the same text for native code and wasm32.
 *
 * A component's source defines `tn_component` and calls the tn_ functions below; it uses nothing
 * else: no libc, no writable static data. Every struct passed in a call has one layout on every
 * target (little-endian, fixed width, no hidden padding); a pointer sits in 8 bytes. The kernel
 * copies each struct once, checks the copy, then acts.
 *
 * Functions marked [waits] may suspend the turn: other turns run meanwhile, and pointers into
 * `in` stay valid, but anything learned from the kernel about other parts may have changed. */
#ifndef TENON_COMPONENT_H
#define TENON_COMPONENT_H

#include <stddef.h>
#include <stdint.h>
#include <tenon/errors.h>
#include <tenon/limits.h>

#define TN_ABI 0u
typedef uint64_t tn_cap;    /* generation:40 | index:24, of THIS actor's space; 0 names nothing */
typedef uint64_t tn_time;   /* ns since boot, monotonic (virtual under sim); deadlines absolute */
#define TN_NEVER UINT64_MAX /* still bounded by the caller's own deadline and the manifest's */

enum { TN_R_READ = 1, TN_R_WRITE = 2, TN_R_CALL = 4, TN_R_GRANT = 8, TN_R_CONTROL = 16 };
enum { TN_R_ALL = 31 };
enum { TN_SEND_WAIT = 1 }; /* mailbox full: await (with the turn's deadline), not TN_EFULL */
enum { TN_MAP_READ = 1, TN_MAP_WRITE = 2, TN_MAP_VOLATILE = 4 };
#define TN_BELL_RING UINT64_C(1)         /* a channel: there is something to look at */
#define TN_BELL_GONE (UINT64_C(1) << 63) /* a channel: the other end is gone, for good */
enum { TN_TURN_ONEWAY = 1, TN_TURN_CANCELLED = 2 };

/* Message classes. The first seven are the kernel's own; a component sends TN_CLS_USER. */
enum {
    TN_CLS_USER = 0,
    MSG_SYSCALL_REQUEST = 1,
    MSG_INTERRUPT_NOTIFY = 2,
    MSG_TIMER_EXPIRED = 3,
    MSG_MODULE_LOAD = 4,
    MSG_AI_ANALYSIS = 5,
    MSG_FAULT_DETECTED = 6,
    MSG_RECOVERY_ACTION = 7,
};

#define TN_PTR(T, n)       \
    union {                \
        T *n;              \
        uint64_t n##_bits; \
    } /* wasm32: upper half must be 0 */

struct tn_pack {               /* bytes and capabilities, going out or coming in */
    TN_PTR(void, data);        /* incoming: valid until the handler returns or replies */
    uint32_t len;              /* bytes there */
    uint32_t size;             /* room there, when it is to be filled; 0 otherwise */
    uint32_t ncaps;            /* <= TN_PACK_CAPS; of room for a reply: how many may come */
    uint32_t move;             /* bit i: caps[i] is moved, not copied */
    tn_cap caps[TN_PACK_CAPS]; /* sender's handles out, receiver's handles in; arguments name them
                                  by position (uint8_t), never by value */
};
_Static_assert(sizeof(struct tn_pack) == 56, "one layout on every target");

struct tn_turn {      /* why a handler runs; all set by the kernel */
    uint64_t badge;   /* of the capability that was used; the sender cannot choose it */
    uint64_t cause;   /* trace context, inherited by whatever this turn calls or sends */
    tn_time deadline; /* min(caller's, manifest's); calls made in this turn inherit it */
    tn_time now;      /* clock when the batch of turns began, or this one last went on after a
                         wait: reading it is free */
    uint32_t method;  /* interface:16 | ordinal:16; ordinals are never reused */
    uint16_t cls;     /* TN_CLS_USER or MSG_ */
    uint16_t flags;   /* TN_TURN_ */
    uint64_t cookie;  /* timer: its cookie; notification: bits; event: sequence */
};
_Static_assert(sizeof(struct tn_turn) == 48, "one layout on every target");

#define TN_METHOD(interface, ordinal) (((uint32_t)(interface) << 16) | (uint32_t)(ordinal))

/* What a component is. A NULL handler means: load, start, stop do nothing; call answers TN_EMETHOD;
 * event and timer are ignored; no save means state is not carried over.
 * When code is replaced under a live actor: the old instance's save leaves at most out->size bytes
 * and handles, which stay valid; the new one gets load, then restore with them and the old
 * state_version, and not start; without a save load and start. Any error of these lets the old one
 * go on. In save and restore what may wait fails with TN_EAGAIN, and out->caps are handles of the
 * actor's, to be found in in->caps.
 * `call` fills `out` (data and size are set by the kernel: room for the reply; set len, ncaps,
 * caps) and returns 0, a positive error of its interface, or TN_DEFERRED after tn_defer(). */
struct tn_component {
    uint32_t abi, size;                 /* TN_ABI, sizeof: fields beyond `size` count as NULL */
    uint32_t state_size, state_version; /* zeroed memory handed in as self, charged to the actor */
    tn_err (*load)(void *self, const struct tn_turn *, const struct tn_pack *config);
    tn_err (*start)(void *self, const struct tn_turn *);
    tn_err (*call)(void *self, const struct tn_turn *, const struct tn_pack *in,
                   struct tn_pack *out);
    void (*event)(void *self, const struct tn_turn *, const struct tn_pack *in);
    void (*timer)(void *self, const struct tn_turn *);
    tn_err (*save)(void *self, struct tn_pack *out); /* bytes for state_version; no awaits */
    tn_err (*restore)(void *self, uint32_t from_version, const struct tn_pack *in);
    void (*stop)(void *self, const struct tn_turn *); /* has until turn->deadline */
};
#define TN_DEFERRED \
    INT32_MAX /* from call(): the reply comes later, through tn_defer()'s capability */

/* Natively the loader finds it by this name; in wasm it is an exported global holding its address.
 */
extern __attribute__((visibility("default"))) const struct tn_component tn_component;

#if defined(__wasm__)
#define TN_IMPORT __attribute__((import_module("tenon_0")))
#else
#define TN_IMPORT
#endif
#define TN_MUST __attribute__((warn_unused_result))

/* Errors that every function below which takes a capability may give, and are not named again:
 * TN_EBADCAP (it names nothing), TN_ETYPE (another type of object), TN_ERIGHTS (it lacks the right
 * named in parentheses). In wasm also TN_EFAULT, for a pointer outside of the component's memory.
 * What waits may give TN_ECANCELLED when the actor is stopped, and natively TN_ESTACK. A handle
 * that a function returns belongs to the actor until it is dropped, moved or revoked. */

/* Call `to` and wait for the reply [waits]. `ret_out` NULL takes an empty reply; else its data and
 * size say where the reply goes, and its ncaps how many capabilities it may bring at most: none,
 * where nothing is said. After an answer len, ncaps and caps are set. Errors: the callee's (> 0);
 * TN_EBADCAP, TN_ERIGHTS (TN_R_CALL), TN_EINVAL (ncaps over TN_PACK_CAPS), TN_ETIME at the least of
 * `deadline`, the turn's and the manifest's, TN_EDEADLK, TN_EDEPTH, TN_EFULL, TN_EGONE, TN_EARGS,
 * TN_EFUEL and TN_ETRAP of the callee, TN_ETOOBIG when the reply does not fit (ret_out->len then
 * says what it needed) or brings more capabilities: then none of them arrives. */
TN_IMPORT TN_MUST tn_err tn_call(tn_cap to, uint32_t method, const struct tn_pack *in,
                                 struct tn_pack *ret_out, tn_time deadline);
/* Send without a reply (TN_R_CALL); `in` may be NULL and is copied before this returns. Order is
 * kept per sender and receiver. TN_EFULL when the mailbox is full; with TN_SEND_WAIT it waits for
 * room [waits], TN_ETIME at the turn's deadline, TN_EDEADLK when the receiver waits, directly or
 * through others, for the sender. TN_EMETHOD, TN_EARGS, TN_ETOOBIG, TN_EGONE, TN_ENOMEM, TN_ENOSLOT
 * (of the receiver): nothing was sent. */
TN_IMPORT TN_MUST tn_err tn_send(tn_cap to, uint32_t method, const struct tn_pack *in,
                                 uint32_t flags);
/* Take this call's reply capability (one-shot, movable, dies with the caller); call() then returns
 * TN_DEFERRED. TN_EINVAL in a turn that is not a call or was deferred before; TN_ENOMEM,
 * TN_ENOSLOT. */
TN_IMPORT TN_MUST tn_err tn_defer(tn_cap *ret_reply);
/* Answer a deferred call; consumes `reply` whatever the result. `out` may be NULL. TN_EGONE when
 * the caller gave up; TN_ETOOBIG, TN_ENOSLOT and other errors of what is in `out` are the caller's
 * result as well, and the capabilities stay here. */
TN_IMPORT TN_MUST tn_err tn_reply(tn_cap reply, tn_err result, const struct tn_pack *out);
/* 1 when this turn's caller gave up or is gone, else 0. */
TN_IMPORT int32_t tn_cancelled(void);
/* Let others run [waits]. TN_ECANCELLED when the actor is being stopped. */
TN_IMPORT TN_MUST tn_err tn_yield(void);
/* Or `bits` into a notification (TN_R_WRITE), and wake who waits for it. By an end of a channel:
 * ring the doorbell of the other end; TN_EGONE when that is gone; TN_BELL_GONE is the kernel's to
 * set. See tn_chan_map for wasm. */
TN_IMPORT TN_MUST tn_err tn_signal(tn_cap note, uint64_t bits);
/* Wait until a notification is not 0, take and clear its bits (TN_R_READ) [waits]. TN_ETIME at the
 * lesser of `deadline` and the turn's. By an end of a channel: wait for its doorbell; once the
 * other end is gone TN_BELL_GONE is there each time. */
TN_IMPORT TN_MUST tn_err tn_wait(tn_cap note, tn_time deadline, uint64_t *ret_bits);
/* Arm `timer` to run timer() at `at` with `cookie`, in place of what it was armed for before;
 * TN_NEVER disarms it (TN_R_WRITE). Every component has one, as its need "timer". Arm it in
 * start(): what expires before start() begins comes to nothing. */
TN_IMPORT TN_MUST tn_err tn_timer_set(tn_cap timer, tn_time at, uint64_t cookie);
/* The capability wired to a need of the manifest, or "timer" or "memory", which every component
 * has. TN_ENOTWIRED: nothing is, or there is no such need. */
TN_IMPORT TN_MUST tn_err tn_need(const char *name, uint32_t len, tn_cap *ret_cap);
/* Derive a capability with at most `rights` and, where `from` has badge 0, a badge (TN_R_GRANT).
 * TN_EINVAL: `from` has another badge; TN_ENOSLOT, TN_ENOMEM. */
TN_IMPORT TN_MUST tn_err tn_cap_mint(tn_cap from, uint32_t rights, uint64_t badge, tn_cap *ret_cap);
/* Give up a handle; what was derived from it stays. Of the last one to an object, that object. */
TN_IMPORT TN_MUST tn_err tn_cap_drop(tn_cap cap);
/* Delete every descendant of `cap`, in whatever space it is (TN_R_CONTROL), and wait until no CPU
 * still uses one [waits]. TN_ETIME (the turn's deadline, or it could wait no longer) and
 * TN_ECANCELLED: none is left, but an operation that had begun may still be under way. TN_ESTACK,
 * TN_ENOMEM: nothing was done. */
TN_IMPORT TN_MUST tn_err tn_cap_revoke(tn_cap cap);
/* A zeroed buffer charged to `memory`, an untyped capability (TN_R_WRITE) such as the need
 * "memory". TN_EINVAL for 0 bytes, TN_ETOOBIG over TN_BUFFER_MAX, TN_ENOMEM, TN_ENOSLOT. */
TN_IMPORT TN_MUST tn_err tn_buf_new(tn_cap memory, uint64_t size_bytes, tn_cap *ret_buf);
/* A capability to `len` bytes of a buffer from `off`, with at most `rights` (TN_R_GRANT): the same
 * bytes, not a copy. TN_EINVAL outside of the buffer or for 0 bytes; TN_ENOMEM, TN_ENOSLOT. */
TN_IMPORT TN_MUST tn_err tn_buf_slice(tn_cap buf, uint64_t off, uint64_t len, uint32_t rights,
                                      tn_cap *ret_buf);
/* Make bytes of a buffer addressable: natively in place, in wasm copied into and out of a window.
 * The pointer is good until it is unmapped or the turn ends, over waits too, whatever becomes of
 * the capability. TN_MAP_READ (TN_R_READ), TN_MAP_WRITE (TN_R_WRITE); TN_EINVAL for neither, for 0
 * bytes, or outside of the buffer; TN_ENOMEM when TN_MAPS_MAX are mapped, in wasm also without
 * memory for the window; in wasm TN_ETOOBIG over 16 MiB. */
TN_IMPORT TN_MUST tn_err tn_buf_map(tn_cap buf, uint64_t off, uint32_t len, uint32_t how,
                                    void **ret_at);
/* Undo a map, `buf` and `at` as they were in tn_buf_map: in wasm this is when writes reach the
 * buffer. The end of the turn does the same. TN_EINVAL: nothing of `buf` is mapped there. When the
 * capability is gone (TN_EBADCAP) the map is undone all the same, and in wasm the writes are lost.
 */
TN_IMPORT TN_MUST tn_err tn_buf_unmap(tn_cap buf, void *at);
/* A channel: a ring of `capacity` bytes of records (base/ring.h) with a doorbell at each end, made
 * of `memory`, an untyped capability (TN_R_WRITE), and charged to it; the capabilities of its ends,
 * to be kept or sent on. An end is of use with TN_R_WRITE, the producer's, or TN_R_READ, the
 * consumer's. When the last capability of one end is gone, the other is told: TN_BELL_GONE. What is
 * in the ring can still be read. TN_EINVAL: no power of two, or below TN_CHANNEL_MIN; TN_ETOOBIG
 * over TN_CHANNEL_MAX, TN_ENOMEM, TN_ENOSLOT. sdk/chan.h is made of these functions. */
TN_IMPORT TN_MUST tn_err tn_chan_new(tn_cap memory, uint64_t capacity, tn_cap *ret_producer,
                                     tn_cap *ret_consumer);
/* Make the ring of a channel's end addressable, for ring_produce or ring_consume, at most until the
 * turn waits or ends; once more it is cheap. Natively in place. In wasm the component has a copy
 * (base/ring_mirror.h), at the same place each time until the end is dropped; it is exchanged with
 * the ring by tn_chan_map, tn_signal and tn_wait on this end, which then ring the other end's
 * doorbell if that sleeps, and only if. TN_EFORMAT: what the other end, or the component itself,
 * has written into it cannot be. In wasm also TN_ETOOBIG and TN_ENOMEM (no room for the copy). */
TN_IMPORT TN_MUST tn_err tn_chan_map(tn_cap end, void **ret_at, uint64_t *ret_size_bytes);

#endif
