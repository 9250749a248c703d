/* wasm.h: the WebAssembly engine: decode, validate, compile and run modules of WebAssembly 2.0
 * (without SIMD for now). It is freestanding, knows nothing of the kernel, and allocates only
 * through the `wasm_alloc` it is handed.
 *
 * A running instance is data. Frames never live on the C stack: they live in the thread's stack of
 * 8-byte slots, and at every suspend point (function entry, loop head, call, host call) the frame
 * is canonical: slot i of a frame holds wasm local i, or operand i - locals. A side table of the
 * compiled code maps internal positions back to wasm byte offsets. So `wasm_run` can return in the
 * middle of a program (WASM_PENDING, WASM_FUEL) and be called again, and an image of an instance
 * needs nothing of the engine's internals.
 *
 * Fuel counts wasm opcodes by the versioned table in fuel.h, the same on every machine and build:
 * charged by basic block on entry, no refund on a trap; a block that cannot be paid is not entered
 * (WASM_FUEL). Bulk instructions pay by size.
 *
 * Determinism: a NaN that an operation produces is the canonical one. Same inputs, same outputs,
 * same fuel.
 *
 * Threads: a module is read-only once loaded and may be shared; an instance and what it owns belong
 * to one thread at a time. */
#ifndef WASM_WASM_H
#define WASM_WASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tenon/errors.h>

#define WASM_PAGE_BYTES         65536u
#define WASM_FUEL_TABLE_VERSION 1u

/* Limits; a module that exceeds one is refused with TN_ELIMIT and the limit's name. */
enum {
    WASM_MAX_MODULE_BYTES = 64 << 20,
    WASM_MAX_TYPES = 65536,
    WASM_MAX_FUNCTIONS = 131072,
    WASM_MAX_IMPORTS = 4096,
    WASM_MAX_EXPORTS = 65536,
    WASM_MAX_GLOBALS = 65536,
    WASM_MAX_TABLES = 64,
    WASM_MAX_SEGMENTS = 65536,
    WASM_MAX_LOCALS = 50000, /* of one function, parameters included */
    WASM_MAX_PARAMS = 1000,
    WASM_MAX_RESULTS = 1000,
    WASM_MAX_BODY_BYTES = 8 << 20,
    WASM_MAX_NESTING = 4096, /* blocks in blocks */
    WASM_MAX_BR_TABLE = 65536,
    WASM_MAX_TABLE_ELEMS = 1 << 20,
    WASM_MAX_FRAME_SLOTS = 65535, /* locals and operands of one function */
};

enum wasm_type {
    WASM_I32 = 0x7f,
    WASM_I64 = 0x7e,
    WASM_F32 = 0x7d,
    WASM_F64 = 0x7c,
    WASM_V128 = 0x7b,
    WASM_FUNCREF = 0x70,
    WASM_EXTERNREF = 0x6f,
};

/* One 8-byte slot. i32 and f32 are in the low half, upper half 0. A reference is opaque: 0 is null;
 * a funcref comes from the engine, an externref is the embedder's number + 1. */
typedef uint64_t wasm_value;

struct wasm_functype {
    uint32_t nparams, nresults;
    const uint8_t *params; /* enum wasm_type */
    const uint8_t *results;
};

/* Memory for everything. alloc returns `bytes` zeroed bytes aligned to 16 (to 4096 when
 * bytes >= 4096), or NULL; free gets the same size. ctx is handed through. */
struct wasm_alloc {
    void *(*alloc)(void *ctx, size_t bytes);
    void (*free)(void *ctx, void *at, size_t bytes);
    void *ctx;
};

/* What was wrong with a module, or what trapped. `text` is static or in this struct. */
struct wasm_error {
    tn_err err;      /* TN_EFORMAT malformed or invalid, TN_ELIMIT, TN_ENOMEM, ... */
    uint32_t offset; /* byte in the module */
    uint32_t func;   /* function index, or UINT32_MAX */
    char text[120];  /* for people: "unknown local 7", terminated */
};

/* Modules */

struct wasm_module;

/* Decodes, validates and compiles `bytes`, which are not needed afterwards. On failure *ret_error
 * says what and where; nothing is held. Never crashes or hangs on any input: time and memory are
 * bounded by a small multiple of `len` and the limits above. */
tn_err wasm_load(const struct wasm_alloc *alloc, const uint8_t *bytes, size_t len,
                 struct wasm_module **ret_module, struct wasm_error *ret_error);
/* NULL is harmless. What it holds is given back when no instance of it is left. */
void wasm_unload(struct wasm_module *module);

enum wasm_extern { WASM_EXT_FUNC, WASM_EXT_TABLE, WASM_EXT_MEMORY, WASM_EXT_GLOBAL };

struct wasm_limits {
    uint32_t min, max; /* pages or elements; max = UINT32_MAX: none given */
};

struct wasm_import_info {
    const char *module, *name; /* UTF-8, may contain NUL */
    size_t module_len, name_len;
    enum wasm_extern kind;
    const struct wasm_functype *func; /* functions */
    struct wasm_limits limits;        /* tables, memories */
    uint8_t type;                     /* tables: element; globals: value */
    bool mutable;                     /* globals */
};
struct wasm_export_info {
    const char *name;
    size_t name_len;
    enum wasm_extern kind;
    uint32_t index; /* in its index space */
    const struct wasm_functype *func;
    struct wasm_limits limits;
    uint8_t type;
    bool mutable;
};
uint32_t wasm_import_count(const struct wasm_module *module);
struct wasm_import_info wasm_import(const struct wasm_module *module, uint32_t i);
uint32_t wasm_export_count(const struct wasm_module *module);
struct wasm_export_info wasm_export(const struct wasm_module *module, uint32_t i);
/* false when there is no export of that name. */
bool wasm_find_export(const struct wasm_module *module, const char *name, size_t len,
                      struct wasm_export_info *ret_export);
/* From the name section; *ret_len = 0 when it has none. Not terminated. */
const char *wasm_func_name(const struct wasm_module *module, uint32_t func, size_t *ret_len);
/* Bytes that the module holds of its alloc: code, tables, names. */
size_t wasm_module_bytes(const struct wasm_module *module);

/* Instances */

struct wasm_instance;

enum wasm_status {
    WASM_DONE,    /* finished; results are there */
    WASM_TRAP,    /* finished; wasm_trap_info says why */
    WASM_PENDING, /* a host function will deliver later: wasm_resume */
    WASM_FUEL,    /* out of fuel, before a block: wasm_fuel_set, wasm_run again */
};

/* A host function: reads args, writes results (both arrays of slots, which may overlap: read all
 * arguments first). Returns WASM_DONE; WASM_TRAP after wasm_trap(instance, text); or WASM_PENDING:
 * the run returns to its caller, and the results are handed to wasm_resume. `instance` is the one
 * whose code called, also when the function came to it through another one. It may read and write
 * the instance's memory and add or take fuel, and must not run the instance. */
typedef enum wasm_status (*wasm_host_fn)(void *host, struct wasm_instance *instance,
                                         const wasm_value *args, wasm_value *results);

/* What an import is bound to: exactly one kind. A function, memory, table or global of another
 * instance (linking), or a host function, or a host-made global. */
struct wasm_binding {
    enum wasm_extern kind;
    wasm_host_fn host_fn; /* kind func: a host function when not NULL */
    void *host;
    const struct wasm_functype *host_type; /* must equal the import's type */
    struct wasm_instance *instance; /* else: of this instance, which must outlive the new one */
    uint32_t index;                 /* in that instance's index space of `kind` */
    wasm_value value;               /* kind global and no instance: an immutable global */
    uint8_t value_type;
};

struct wasm_config {
    const struct wasm_binding *bindings; /* one for each import, in the module's order */
    uint32_t nbindings;
    uint32_t memory_max_pages; /* cap on the module's own maximum; memory.grow past it is -1 */
    uint32_t stack_slots;      /* 8-byte slots for frames; past it is the trap "call stack
                                  exhausted" */
    uint32_t call_depth_max;   /* wasm frames, a call into another instance counting as two; the
                                  same trap */
    uint64_t fuel;             /* to begin with; start function included */
};

/* Makes an instance: links, allocates, runs element and data segments. The start function is not
 * run: see wasm_start. On failure *ret_error says which import or segment; nothing is held, but
 * segments written into imported tables and memories before the failing one stay, as the
 * specification says (with the functions they name, until the instances imported from are gone).
 * TN_EINVAL: not a binding for each import; TN_ETYPE: a binding does not fit; TN_ELIMIT: the memory
 * is larger than memory_max_pages; TN_ETRAP: a segment is out of bounds; TN_ENOMEM. */
tn_err wasm_instantiate(struct wasm_module *module, const struct wasm_alloc *alloc,
                        const struct wasm_config *config, struct wasm_instance **ret_instance,
                        struct wasm_error *ret_error);
/* NULL is harmless. Instances that were linked form a group, for a function of one may stand in a
 * table of another: what they hold is given back when all of the group are destroyed, and so
 * `alloc` must serve until then. */
void wasm_destroy(struct wasm_instance *instance);

/* Running. One computation at a time: begin, then run until DONE or TRAP. */

/* Prepares a call of function `func` (index in the module's space). TN_EINVAL: no such function;
 * TN_EBUSY: a computation is in progress. nargs must match the type. */
tn_err wasm_begin(struct wasm_instance *instance, uint32_t func, const wasm_value *args,
                  uint32_t nargs);
/* TN_OK: `elem` of a table is a function of exactly that type. TN_EINVAL. */
tn_err wasm_elem_check(struct wasm_instance *instance, uint32_t table, uint32_t elem,
                       const struct wasm_functype *type);
/* Prepares a call of the function at `elem` of a table; args are the type's. TN_EINVAL: none there,
 * or of another type: what is passed for a reference or a float would be taken as one. TN_EBUSY. */
tn_err wasm_begin_elem(struct wasm_instance *instance, uint32_t table, uint32_t elem,
                       const struct wasm_functype *type, const wasm_value *args);
/* Prepares the start function; TN_ENOTFOUND when the module has none. */
tn_err wasm_start(struct wasm_instance *instance);
enum wasm_status wasm_run(struct wasm_instance *instance);
/* After WASM_PENDING: delivers the host function's results and goes on. */
enum wasm_status wasm_resume(struct wasm_instance *instance, const wasm_value *results,
                             uint32_t nresults);
/* After WASM_PENDING: the host function traps. wasm_run then returns WASM_TRAP. */
void wasm_resume_trap(struct wasm_instance *instance, const char *text);
/* Results of the last DONE: as many as the function's type has; valid until the next begin. */
const wasm_value *wasm_results(const struct wasm_instance *instance);
/* Drops a computation that is in progress or suspended; globals and memories stay. */
void wasm_cancel(struct wasm_instance *instance);

/* From a host function: the text of the trap that it then returns. Copied. */
void wasm_trap(struct wasm_instance *instance, const char *text);

struct wasm_frame_info {
    uint32_t func;    /* index in the module of the frame's instance */
    uint32_t offset;  /* byte in the module */
    const char *name; /* not terminated; len 0 when unknown */
    size_t name_len;
};
/* The trap's text in the words of the specification's tests ("integer divide by zero", "out of
 * bounds memory access", "indirect call type mismatch", "unreachable", ...); NULL without a trap.
 */
const char *wasm_trap_text(const struct wasm_instance *instance);
/* Frames of the last trap, or of the suspended computation, innermost first: fills at most `n` and
 * returns how many there are. */
uint32_t wasm_backtrace(const struct wasm_instance *instance, struct wasm_frame_info *frames,
                        uint32_t n);

uint64_t wasm_fuel_left(const struct wasm_instance *instance);
/* After WASM_FUEL: the least that wasm_run needs to go on: the price of the next block. */
uint64_t wasm_fuel_wanted(const struct wasm_instance *instance);
void wasm_fuel_set(struct wasm_instance *instance, uint64_t fuel);
/* Takes `fuel` for work done by the host on the instance's behalf; false (nothing taken) when it
 * has less. */
bool wasm_fuel_take(struct wasm_instance *instance, uint64_t fuel);

/* Memory 0. NULL and 0 when there is none. The base does not move while the instance lives (the
 * room for memory_max_pages is taken at instantiate and costs nothing until touched). */
uint8_t *wasm_memory(struct wasm_instance *instance, uint64_t *ret_bytes);
/* [at, at + len) of memory 0, or NULL when any of it is outside. */
void *wasm_memory_range(struct wasm_instance *instance, uint32_t at, uint32_t len);

/* Adds pages of zeroes to memory 0, as memory.grow does; the old count, or UINT32_MAX when there is
 * no room or no memory. */
uint32_t wasm_memory_grow(struct wasm_instance *instance, uint32_t pages);

/* Globals, tables and functions by index in the module's space, for linking and tests. */
tn_err wasm_global_get(struct wasm_instance *instance, uint32_t index, wasm_value *ret_value);
tn_err wasm_table_get(struct wasm_instance *instance, uint32_t table, uint32_t elem,
                      wasm_value *ret_ref);
struct wasm_module *wasm_instance_module(struct wasm_instance *instance);
/* Bytes that the instance holds of its alloc; memory counted by its current pages. */
size_t wasm_instance_bytes(const struct wasm_instance *instance);

#endif
