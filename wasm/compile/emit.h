/* emit.h: turns checked opcodes into register code (code.h), one function at a time.
 *
 * The emitter keeps the operand stack of WebAssembly with, for each operand, where its value is: in
 * its home, the slot behind the locals that belongs to its height; still in a local that was read;
 * the 32-bit sum of a local and a small constant; or a constant. Reading a local or pushing a
 * constant so emits nothing: the instruction that uses the operand names the local, or holds the
 * constant.
 *
 * Invariants:
 * 1. At each block's start, at each call and at each instruction that can suspend, all operands are
 *    at home (emit_flush): the frame is canonical.
 * 2. A local is not written while an operand still stands for its old value: such operands are
 *    sent home first. The operands that stand for one local are chained for that.
 * 3. Operands below `flushed` are at home. Every operand is sent home at most once, so the work is
 *    linear in the code.
 * 4. Code is emitted only while `live`: where execution cannot come, nothing is emitted or paid. */
#ifndef WASM_COMPILE_EMIT_H
#define WASM_COMPILE_EMIT_H

#include "wasm/wasm_int.h"

enum operand_kind { OPERAND_HOME, OPERAND_LOCAL, OPERAND_CONST, OPERAND_SUM };

struct operand {
    uint64_t value; /* of a constant; what is added to the local */
    uint32_t next;  /* the next lower operand that stands for the same local */
    uint16_t local;
    uint16_t home; /* slot */
    uint8_t kind;  /* enum operand_kind */
    uint8_t type;  /* enum wasm_type; 0: of no type, in code that is never reached */
};

struct emitter {
    struct heap heap;
    tn_err err; /* the first error sticks: TN_ENOMEM or TN_ELIMIT */
    bool live;
    uint32_t nlocals, max_slots;

    struct operand *operands;
    uint32_t noperands, operands_cap;
    uint32_t flushed;
    uint32_t *aliases; /* of each local: the topmost operand that stands for it, or NO_INDEX */
    uint32_t aliases_cap;

    union word *code;
    uint32_t ncode, code_cap;
    struct code_pos *positions;
    uint32_t npositions, positions_cap;
    uint32_t last;   /* the instruction at the end of the code, if its result may be redirected */
    uint32_t copy;   /* an OP_COPY at the end of the code, or NO_INDEX */
    uint32_t header; /* word that will hold the block's fuel */
    uint64_t fuel;   /* of the block so far */
};

/* A list of branches to a place that is not known yet, kept in the branches themselves. */
#define NO_BRANCHES UINT32_MAX

void emit_begin(struct emitter *e, uint32_t nparams, uint32_t nlocals);
/* The first error is kept; nothing more is emitted. */
void emit_fail(struct emitter *e, tn_err err);
/* Gives all memory back. */
void emit_give_all(struct emitter *e);
/* Adds to the price of the current block. */
static inline void emit_pay(struct emitter *e, uint32_t fuel)
{
    if (e->live)
        e->fuel += fuel;
}

/* operands.c */
void emit_push(struct emitter *e, uint8_t type); /* at home */
void emit_push_local(struct emitter *e, uint8_t type, uint32_t local);
void emit_push_const(struct emitter *e, uint8_t type, uint64_t value);
/* The i32 local + plus, which fits 16 bits signed. */
void emit_push_sum(struct emitter *e, uint32_t local, uint32_t plus);
struct operand emit_pop(struct emitter *e);
/* Forgets the operands above the first `n`. */
void emit_cut(struct emitter *e, uint32_t n);
/* Sends every operand home. */
void emit_flush(struct emitter *e);
void emit_flush_local(struct emitter *e, uint32_t local);
/* The slot that holds the operand; a constant is put into its home first. */
uint16_t emit_slot(struct emitter *e, const struct operand *o);
void emit_move(struct emitter *e, uint16_t to, const struct operand *o);

/* emit.c: instructions. The operands have been popped; results stand in the home of the first one
 * and are pushed by the caller, but for emit_binary's. `offset` is the opcode's byte in the module.
 */
/* Also in code that is never reached: pushes the result, of info's type. */
void emit_binary(struct emitter *e, const struct op_info *info, const struct operand *x,
                 const struct operand *y, uint32_t offset);
uint32_t emit_word(struct emitter *e, union word w); /* its index */
uint32_t emit_op(struct emitter *e, uint16_t op, uint16_t a, uint16_t b, uint16_t c);
/* A word whose upper half is one number. */
union word emit_compose(uint16_t op, uint16_t a, uint32_t hi);
uint32_t emit_wide(struct emitter *e, uint16_t op, uint16_t a, uint32_t hi);
/* Notes that the next word can stop at `offset`. */
void emit_position(struct emitter *e, uint32_t offset);
void emit_unary(struct emitter *e, const struct op_info *info, const struct operand *x,
                uint32_t offset);
void emit_load(struct emitter *e, uint16_t op, const struct operand *at, uint32_t plus,
               uint32_t offset);
void emit_store(struct emitter *e, uint16_t op, const struct operand *at,
                const struct operand *value, uint32_t plus, uint32_t offset);
void emit_select(struct emitter *e, const struct operand *x, const struct operand *y,
                 const struct operand *cond);
/* Into the home of the operand that is pushed next. */
void emit_global_get(struct emitter *e, uint32_t global);
void emit_local_set(struct emitter *e, uint32_t local, const struct operand *value);
/* An instruction whose `n` operands are at home on the stack, and that runs out of line. */
void emit_slow(struct emitter *e, uint32_t opcode, uint32_t n, uint32_t imm1, uint32_t imm2,
               uint32_t offset);

/* branch.c */
/* Ends the block: its price is known. */
void emit_block_end(struct emitter *e);
/* Begins a block here, that code may run into; returns the place to jump to. */
uint32_t emit_block_begin(struct emitter *e, uint32_t offset);
/* Branches when `cond` is `sense`; else a new block begins, all operands at home. */
void emit_branch_if(struct emitter *e, const struct operand *cond, bool sense, uint32_t offset,
                    uint32_t *branches);
void emit_jump(struct emitter *e, uint32_t *branches);
/* A table's target word, or another word that holds a distance in its lower half. */
void emit_target(struct emitter *e, uint32_t *branches);
/* Makes all `branches` go to `place`, and empties the list. */
void emit_land(struct emitter *e, uint32_t *branches, uint32_t place);
/* The top `n` operands move down to where the stack has `height` operands below them. */
void emit_settle(struct emitter *e, uint32_t height, uint32_t n);
/* Returns with the top `n` operands. */
void emit_return(struct emitter *e, uint32_t n);

#endif
