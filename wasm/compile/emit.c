/* emit.c: instructions; see emit.h. */
#include "wasm/compile/emit.h"

#include "base/assert.h"

void emit_fail(struct emitter *e, tn_err err)
{
    ASSERT(err < 0);
    if (e->err == TN_OK)
        e->err = err;
    e->live = false;
    e->last = NO_INDEX;
}

void emit_begin(struct emitter *e, uint32_t nparams, uint32_t nlocals)
{
    ASSERT(nparams <= nlocals && nlocals <= WASM_MAX_LOCALS);
    uint32_t had = e->aliases_cap;
    if (!heap_grow(&e->heap, (void **)&e->aliases, &e->aliases_cap, nlocals, sizeof *e->aliases)) {
        emit_fail(e, TN_ENOMEM);
        return;
    }
    /* Chains are empty whenever no operand stands for a local: between functions, all are. */
    for (uint32_t i = had; i < e->aliases_cap; i++)
        e->aliases[i] = NO_INDEX;
    e->live = true;
    e->nlocals = nlocals;
    e->max_slots = nlocals;
    e->noperands = e->flushed = 0;
    e->ncode = e->npositions = 0;
    e->last = e->header = NO_INDEX;
    e->fuel = (nlocals - nparams) / FUEL_LOCALS_PER_UNIT;
}

void emit_give_all(struct emitter *e)
{
    heap_give(&e->heap, e->operands, e->operands_cap * sizeof *e->operands);
    heap_give(&e->heap, e->aliases, e->aliases_cap * sizeof *e->aliases);
    heap_give(&e->heap, e->code, e->code_cap * sizeof *e->code);
    heap_give(&e->heap, e->positions, e->positions_cap * sizeof *e->positions);
    ASSERT(e->heap.bytes == 0);
}

uint32_t emit_word(struct emitter *e, union word w)
{
    if (!heap_grow(&e->heap, (void **)&e->code, &e->code_cap, e->ncode + 1ull, sizeof *e->code)) {
        emit_fail(e, TN_ENOMEM);
        return 0;
    }
    e->last = NO_INDEX;
    e->code[e->ncode] = w;
    return e->ncode++;
}

uint32_t emit_op(struct emitter *e, uint16_t op, uint16_t a, uint16_t b, uint16_t c)
{
    ASSERT(op > OP_NONE && op < OP_COUNT);
    return emit_word(e, (union word){.op = op, .a = a, .b = b, .c = c});
}

uint32_t emit_wide(struct emitter *e, uint16_t op, uint16_t a, uint32_t hi)
{
    union word w = {.op = op, .a = a, .b = (uint16_t)hi, .c = (uint16_t)(hi >> 16)};
    ASSERT(op < OP_COUNT && w.hi == hi);
    return emit_word(e, w);
}

void emit_position(struct emitter *e, uint32_t offset)
{
    if (!e->live)
        return;
    if (!heap_grow(&e->heap, (void **)&e->positions, &e->positions_cap, e->npositions + 1ull,
                   sizeof *e->positions)) {
        emit_fail(e, TN_ENOMEM);
        return;
    }
    e->positions[e->npositions++] = (struct code_pos){e->ncode, offset};
}

/* An instruction whose result, slot a, may still be redirected. */
static void emit_result(struct emitter *e, uint16_t op, uint16_t a, uint16_t b, uint16_t c)
{
    uint32_t at = emit_op(e, op, a, b, c);
    if (e->live)
        e->last = at;
}

/* Does the constant fit an instruction's 16 bits, to be sign-extended to its type? */
static bool fits_imm(const struct operand *o)
{
    int64_t v = o->type == WASM_I32 ? (int32_t)o->value : (int64_t)o->value;
    return o->kind == OPERAND_CONST && v >= INT16_MIN && v <= INT16_MAX;
}

/* The last instruction, when it is all that made `o`; else NULL. */
static union word *maker(struct emitter *e, const struct operand *o)
{
    if (e->last == NO_INDEX || o->kind != OPERAND_HOME || e->code[e->last].a != o->home)
        return NULL;
    ASSERT(e->last < e->ncode);
    return &e->code[e->last];
}

/* x == 0: negates a comparison that was just made, or compares with a constant. */
static void emit_eqz(struct emitter *e, uint16_t compare, const struct operand *x)
{
    union word *w = maker(e, x);
    if (w != NULL && op_forms[w->op].negated != OP_NONE) {
        w->op = op_forms[w->op].negated;
        return;
    }
    uint16_t slot = emit_slot(e, x);
    emit_result(e, op_forms[compare].imm, x->home, slot, 0);
}

void emit_unary(struct emitter *e, const struct op_info *info, const struct operand *x,
                uint32_t offset)
{
    if (!e->live)
        return;
    if (info->zero_of != OP_NONE) {
        emit_eqz(e, info->zero_of, x);
        return;
    }
    uint16_t slot = emit_slot(e, x);
    emit_position(e, offset);
    emit_result(e, info->op, x->home, slot, 0);
}

void emit_binary(struct emitter *e, const struct op_info *info, const struct operand *x,
                 const struct operand *y, uint32_t offset)
{
    if (!e->live)
        return;
    uint16_t op = info->op, home = x->home;
    if (op_forms[op].imm != OP_NONE && op_forms[op].swapped != OP_NONE && fits_imm(x) &&
        y->kind != OPERAND_CONST) {
        const struct operand *t = x;
        x = y;
        y = t;
        op = op_forms[op].swapped;
    }
    bool imm = op_forms[op].imm != OP_NONE && fits_imm(y);
    uint16_t xs = emit_slot(e, x);
    uint16_t ys = imm ? (uint16_t)y->value : emit_slot(e, y);
    if (info->fuel >= FUEL_DIVIDE)
        emit_position(e, offset); /* may trap */
    emit_result(e, imm ? op_forms[op].imm : op, home, xs, ys);
}

/* The slot with the address, and what is left to add to it in the instruction. */
static uint16_t emit_address(struct emitter *e, const struct operand *at, uint32_t *plus)
{
    if (at->kind == OPERAND_CONST) {
        /* Wider than 32 bits where it overflows, and so out of bounds. */
        struct operand sum = *at;
        sum.value += *plus;
        emit_move(e, at->home, &sum);
        *plus = 0;
        return at->home;
    }
    uint16_t slot = emit_slot(e, at);
    if (*plus <= UINT16_MAX)
        return slot;
    emit_op(e, OP_ADDRESS, at->home, slot, 0);
    emit_word(e, (union word){.bits = *plus});
    *plus = 0;
    return at->home;
}

void emit_load(struct emitter *e, uint16_t op, const struct operand *at, uint32_t plus,
               uint32_t offset)
{
    if (!e->live)
        return;
    uint16_t slot = emit_address(e, at, &plus);
    emit_position(e, offset);
    emit_result(e, op, at->home, slot, (uint16_t)plus);
}

void emit_store(struct emitter *e, uint16_t op, const struct operand *at,
                const struct operand *value, uint32_t plus, uint32_t offset)
{
    if (!e->live)
        return;
    uint16_t v = emit_slot(e, value);
    uint16_t slot = emit_address(e, at, &plus);
    emit_position(e, offset);
    emit_op(e, op, slot, v, (uint16_t)plus);
}

void emit_select(struct emitter *e, const struct operand *x, const struct operand *y,
                 const struct operand *cond)
{
    if (!e->live)
        return;
    uint16_t xs = emit_slot(e, x), ys = emit_slot(e, y), cs = emit_slot(e, cond);
    uint32_t at = emit_op(e, OP_SELECT, x->home, xs, ys);
    emit_word(e, (union word){.lo = cs, .hi = 0});
    if (e->live)
        e->last = at;
}

void emit_global_get(struct emitter *e, uint32_t global)
{
    ASSERT(global < WASM_MAX_GLOBALS);
    if (e->live)
        emit_result(e, OP_GLOBAL_GET, (uint16_t)(e->nlocals + e->noperands), (uint16_t)global, 0);
}

void emit_local_set(struct emitter *e, uint32_t local, const struct operand *value)
{
    if (!e->live || (value->kind == OPERAND_LOCAL && value->local == local))
        return;
    emit_flush_local(e, local);
    union word *w = maker(e, value);
    if (w != NULL)
        w->a = (uint16_t)local;
    else
        emit_move(e, (uint16_t)local, value);
    e->last = NO_INDEX;
}

void emit_slow(struct emitter *e, uint32_t opcode, uint32_t n, uint32_t imm1, uint32_t imm2,
               uint32_t offset)
{
    if (!e->live)
        return;
    ASSERT(n <= e->noperands);
    emit_flush(e);
    emit_position(e, offset);
    emit_wide(e, OP_SLOW, (uint16_t)(e->nlocals + e->noperands - n), opcode);
    emit_word(e, (union word){.lo = imm1, .hi = imm2});
}
