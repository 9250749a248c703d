/* loader.h: the decoder's own: one section after the other into a module. Every function reports
 * through the reader's error. */
#ifndef WASM_DECODE_LOADER_H
#define WASM_DECODE_LOADER_H

#include "wasm/compile/emit.h"
#include "wasm/decode/reader.h"
#include "wasm/wasm_int.h"

/* An open block. Its operands begin at `height`. */
struct control {
    uint8_t opcode; /* WASM_OP_BLOCK, _LOOP, _IF, _ELSE; the function itself is a block */
    bool unreachable;
    bool entered_live;
    uint32_t nparams, nresults;
    const uint8_t *params, *results;
    uint32_t height;
    uint32_t place;       /* of a loop: where branches go */
    uint32_t branches;    /* to the end */
    uint32_t to_else;     /* of an if: the branch that skips its first arm */
    uint32_t stub;        /* br_table: entries that go there by way of a move */
    uint32_t next_stub;   /* br_table: the next control with a stub */
    uint32_t table_stamp; /* the br_table that checked this label last */
};

/* The validator's memory, kept from one function to the next. */
struct body_memory {
    struct control *controls;
    uint32_t controls_cap;
    uint8_t *locals; /* types */
    uint32_t locals_cap;
    uint32_t table_stamp;
};

struct loader {
    struct reader r;
    struct wasm_module *module;
    struct emitter emitter;   /* its memory serves one function after the other */
    struct body_memory body;  /* the validator's, likewise */
    uint32_t ndatas_declared; /* by the data count section, or NO_INDEX */
    uint32_t nbodies;
};

/* `n` elements that live with the module; NULL after an error. */
void *loader_take(struct loader *l, uint64_t n, size_t elem_bytes);
/* A copy that lives with the module. */
struct str loader_keep(struct loader *l, struct str s);

/* sections.c */
uint8_t read_value_type(struct reader *r);
uint8_t read_ref_type(struct reader *r);
void load_types(struct loader *l);
void load_imports(struct loader *l);
void load_functions(struct loader *l);
void load_tables(struct loader *l);
void load_memories(struct loader *l);
void load_globals(struct loader *l);
void load_start(struct loader *l);

/* exports.c */
void load_exports(struct loader *l);
uint32_t exports_find(const struct wasm_module *module, struct str name);

/* segments.c */
struct const_expr load_const_expr(struct loader *l, uint8_t type);
void load_elems(struct loader *l);
void load_data_count(struct loader *l);
void load_datas(struct loader *l);

/* names.c: never fails for what it reads; only for memory. */
void load_names(struct loader *l);

/* validate/body.c: the function `index`, whose body is what is left of the reader. */
void load_body(struct loader *l, uint32_t index);
void load_body_end(struct loader *l);

#endif
