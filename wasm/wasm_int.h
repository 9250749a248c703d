/* wasm_int.h: modules and instances as the engine's own files see them. */
#ifndef WASM_WASM_INT_H
#define WASM_WASM_INT_H

#include "base/atomic.h"
#include "base/bytes.h"
#include "base/list.h"
#include "wasm/code.h"
#include "wasm/heap.h"
#include "wasm/wasm.h"

#define NO_INDEX UINT32_MAX

#define WASM_MAX_MEMORY_PAGES 65536u
_Static_assert(WASM_MAX_FRAME_SLOTS <= UINT16_MAX, "instructions name slots by 16 bits");

/* Where code stands in the module: what `offset` says begins at `at`. Only the places that can be
 * asked for are here: block starts, calls, and what can trap. */
struct code_pos {
    uint32_t at; /* word of the function's code */
    uint32_t offset;
};

struct func_decl {
    const struct wasm_functype *type;
    union word *code; /* NULL: imported. code[0] holds the first block's fuel */
    struct code_pos *positions;
    uint32_t ncode, npositions;
    uint32_t nlocals; /* parameters included */
    uint32_t frame_slots;
    uint32_t offset; /* of the body */
    bool referable;  /* ref.func may name it */
};

enum const_kind { CONST_VALUE, CONST_GLOBAL, CONST_FUNC };
struct const_expr {
    enum const_kind kind;
    uint32_t index; /* global or function */
    wasm_value value;
};

struct global_decl {
    uint8_t type;
    bool mutable;
    struct const_expr init; /* not for imports */
};

struct table_decl {
    uint8_t type;
    struct wasm_limits limits;
};

enum segment_mode { SEGMENT_ACTIVE, SEGMENT_PASSIVE, SEGMENT_DECLARED };
struct elem_segment {
    enum segment_mode mode;
    uint8_t type;
    uint32_t table;
    uint32_t offset_at; /* byte in the module, for errors */
    struct const_expr at;
    uint32_t n;
    struct const_expr *items;
};
struct data_segment {
    enum segment_mode mode;
    uint32_t offset_at;
    struct const_expr at;
    uint32_t len;
    const uint8_t *bytes;
};

struct import_decl {
    struct str module, name;
    enum wasm_extern kind;
    uint32_t index; /* in its index space */
    uint32_t offset;
};
struct export_decl {
    struct str name;
    enum wasm_extern kind;
    uint32_t index;
};

struct wasm_module {
    struct arena arena; /* all below lives in it */
    atomic_u32 refs;    /* the loader's and one an instance: any thread */

    struct wasm_functype *types;
    struct func_decl *funcs; /* imports first; so for the others */
    struct table_decl *tables;
    struct wasm_limits memory;
    struct global_decl *globals;
    struct import_decl *imports;
    struct export_decl *exports;
    uint32_t *exports_by_name; /* sorted */
    struct elem_segment *elems;
    struct data_segment *datas;
    struct str *func_names;

    uint32_t ntypes, nfuncs, ntables, nmemories, nglobals, nimports, nexports, nelems, ndatas;
    uint32_t nfunc_names; /* 0: no name section */
    uint32_t nimported_funcs, nimported_tables, nimported_memories, nimported_globals;
    uint32_t start; /* or NO_INDEX */
};

/* Instances */

struct wasm_func {
    const struct wasm_functype *type;
    struct wasm_instance *instance; /* whose record this is */
    const union word *code;         /* behind the first block's fuel; NULL: a host function */
    uint32_t frame_slots, nlocals, nparams;
    uint32_t index; /* in the instance's module */
    wasm_host_fn host_fn;
    void *host;
};

struct memory {
    uint8_t *base;
    uint64_t bytes;            /* now */
    uint64_t room_bytes;       /* taken */
    struct wasm_limits limits; /* as declared */
    uint32_t room_pages;
};

struct table {
    wasm_value *elems;
    uint32_t size, cap; /* cap: elements there is memory for */
    uint8_t type;
    struct wasm_limits limits;
    struct heap *heap; /* of the instance that owns it */
};

struct global {
    wasm_value value;
    uint8_t type;
    bool mutable;
};

/* One call. The top frame's pc is current only while nothing runs. */
struct frame {
    const union word *pc; /* where it goes on */
    wasm_value *fp;
    struct wasm_func *func; /* NULL: not of WebAssembly (OP_EXIT, OP_BACK) */
};

enum thread_state {
    THREAD_IDLE,    /* no computation: begin -> READY */
    THREAD_READY,   /* begun, or out of fuel: run -> RUNNING */
    THREAD_RUNNING, /* inside wasm_run: -> READY, PENDING, TRAPPED, IDLE */
    THREAD_PENDING, /* a host function will deliver: resume -> RUNNING, resume_trap -> TRAPPED */
    THREAD_TRAPPED, /* begin -> READY */
};

struct thread {
    wasm_value *slots, *slots_end;
    struct frame *frames, *frames_end;
    struct frame *top;
    uint64_t fuel;
    enum thread_state state;
    bool unpaid;                    /* the block at top->pc is still to be paid */
    struct wasm_func *host;         /* pending, or to be called first */
    struct wasm_instance *host_for; /* whose code called it */
    wasm_value *host_slots;         /* its arguments, then its results */
    uint64_t fuel_wanted;           /* by what did not get it */
    const char *trap;
    char trap_text[96];
};

struct wasm_instance {
    struct heap heap;
    struct wasm_module *module;
    struct list group;     /* ring of instances that were linked to each other */
    bool dead;             /* destroyed, but others of its group live */
    struct thread thread;  /* of computations that begin here */
    struct thread *active; /* the thread that called a host function from here, while it runs */

    struct wasm_func *own_funcs;  /* not imported */
    struct wasm_func *host_funcs; /* records of imported host functions */
    struct wasm_func **funcs;
    struct memory *memory;
    struct memory own_memory;
    struct table **tables;
    struct table *own_tables;
    struct global **globals;
    struct global *own_globals;
    bool *elem_dropped, *data_dropped;
    uint32_t nhost_funcs, nhost_globals;
};

static inline uint64_t pages_bytes(uint32_t pages)
{
    return (uint64_t)pages * WASM_PAGE_BYTES;
}

static inline bool functype_eq(const struct wasm_functype *a, const struct wasm_functype *b)
{
    return a == b || (a->nparams == b->nparams && a->nresults == b->nresults &&
                      (a->nparams == 0 || memcmp(a->params, b->params, a->nparams) == 0) &&
                      (a->nresults == 0 || memcmp(a->results, b->results, a->nresults) == 0));
}

static inline bool is_ref_type(uint8_t type)
{
    return type == WASM_FUNCREF || type == WASM_EXTERNREF;
}

/* Values of 32 bits have nothing in the upper half of their slot. */
static inline wasm_value value_tidy(uint8_t type, wasm_value v)
{
    return type == WASM_I32 || type == WASM_F32 ? (uint32_t)v : v;
}

/* Drops one reference; the last one frees the module. */
void module_release(struct wasm_module *module);
/* The byte that the code at word `at` stands for: that of the nearest position before; of the
 * block that begins at `at`, or of the instruction there. */
uint32_t func_offset(const struct func_decl *func, uint32_t at, bool block);

#endif
