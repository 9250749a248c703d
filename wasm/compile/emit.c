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
    e->last = e->copy = e->header = NO_INDEX;
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
    e->last = e->copy = NO_INDEX;
    e->code[e->ncode] = w;
    return e->ncode++;
}

uint32_t emit_op(struct emitter *e, uint16_t op, uint16_t a, uint16_t b, uint16_t c)
{
    ASSERT(op > OP_NONE && op < OP_COUNT);
    return emit_word(e, (union word){.op = op, .a = a, .b = b, .c = c});
}

union word emit_compose(uint16_t op, uint16_t a, uint32_t hi)
{
    union word w = {.op = op, .a = a, .b = (uint16_t)hi, .c = (uint16_t)(hi >> 16)};
    ASSERT(op < OP_COUNT && w.hi == hi);
    return w;
}

uint32_t emit_wide(struct emitter *e, uint16_t op, uint16_t a, uint32_t hi)
{
    return emit_word(e, emit_compose(op, a, hi));
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

/* An instruction with a second word, its result in slot a. */
static void emit_result_two(struct emitter *e, union word w, union word second)
{
    uint32_t at = emit_word(e, w);
    emit_word(e, second);
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

/* x + y, where y is small and x a local, or already such a sum: no code for now. */
static bool emit_lazy_sum(struct emitter *e, uint16_t op, const struct operand *x,
                          const struct operand *y)
{
    if (op != OP_I32_ADD || !fits_imm(y) || (x->kind != OPERAND_LOCAL && x->kind != OPERAND_SUM))
        return false;
    uint32_t plus = (uint32_t)y->value + (x->kind == OPERAND_SUM ? (uint32_t)x->value : 0);
    if ((int32_t)plus < INT16_MIN || (int32_t)plus > INT16_MAX)
        return false;
    emit_push_sum(e, x->local, plus);
    return true;
}

/* `other` op `o`, when the last instruction made `o` and the two make a pair. */
static bool emit_pair(struct emitter *e, uint16_t op, uint16_t home, const struct operand *o,
                      const struct operand *other)
{
    const union word *w = maker(e, o);
    if (w == NULL || e->last + 1 != e->ncode || other->kind == OPERAND_CONST ||
        other->kind == OPERAND_SUM)
        return false;
    uint16_t pair = op_pair(w->op, op);
    if (pair == OP_NONE)
        return false;
    union word first = *w;
    e->ncode = e->last;
    union word both = {.op = pair, .a = home, .b = emit_slot(e, other), .c = first.b};
    bool imm = op_forms[first.op].imm == OP_NONE;
    uint32_t z = imm ? (uint32_t)(int16_t)first.c : first.c;
    emit_result_two(e, both, (union word){.lo = z, .hi = 0});
    return true;
}

/* x op y with the constant y in a second word; false when there is no such form. */
static bool emit_wide_constant(struct emitter *e, uint16_t op, uint16_t home,
                               const struct operand *x, const struct operand *y)
{
    if (y->kind != OPERAND_CONST)
        return false;
    if (op == OP_I32_AND && x->kind == OPERAND_SUM) {
        union word w = {.op = OP_SUM_AND, .a = home, .b = x->local, .c = (uint16_t)x->value};
        emit_result_two(e, w, (union word){.lo = (uint32_t)y->value, .hi = 0});
        return true;
    }
    if (op_forms[op].wide == OP_NONE || (op_forms[op].imm != OP_NONE && fits_imm(y)))
        return false;
    union word second = {.bits = y->value};
    if (op_forms[op].branch != OP_NONE) {
        if (y->type != WASM_I32 && (int64_t)y->value != (int32_t)y->value)
            return false;
        second = (union word){.lo = (uint32_t)y->value, .hi = 0};
    }
    union word w = {.op = op_forms[op].wide, .a = home, .b = emit_slot(e, x), .c = 0};
    emit_result_two(e, w, second);
    return true;
}

static void emit_operation(struct emitter *e, uint16_t op, uint16_t home, const struct operand *x,
                           const struct operand *y)
{
    if (emit_wide_constant(e, op, home, x, y))
        return;
    bool imm = op_forms[op].imm != OP_NONE && fits_imm(y);
    uint16_t xs = emit_slot(e, x);
    uint16_t ys = imm ? (uint16_t)y->value : emit_slot(e, y);
    emit_result(e, imm ? op_forms[op].imm : op, home, xs, ys);
}

void emit_binary(struct emitter *e, const struct op_info *info, const struct operand *x,
                 const struct operand *y, uint32_t offset)
{
    uint16_t op = info->op, home = x->home;
    if (op_forms[op].swapped != OP_NONE && x->kind == OPERAND_CONST && y->kind != OPERAND_CONST) {
        const struct operand *t = x;
        x = y;
        y = t;
        op = op_forms[op].swapped;
    }
    if (e->live && emit_lazy_sum(e, op, x, y))
        return;
    if (e->live && info->fuel >= FUEL_DIVIDE) {
        /* It may trap; the code that fetches its operands cannot. */
        emit_position(e, offset);
        emit_operation(e, op, home, x, y);
    } else if (e->live && !emit_pair(e, op, home, y, x) &&
               !(op_forms[op].swapped == op && emit_pair(e, op, home, x, y))) {
        emit_operation(e, op, home, x, y);
    }
    emit_push(e, info->out);
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

/* How an access names its address: by slot and constant, slot + constant, or slot + slot. */
struct access {
    uint16_t op, slot, plus;
};

static struct access emit_access(struct emitter *e, uint16_t op, const struct operand *at,
                                 uint32_t plus)
{
    if (plus == 0 && at->kind == OPERAND_SUM)
        return (struct access){op_forms[op].sum, at->local, (uint16_t)at->value};
    const union word *w = plus == 0 ? maker(e, at) : NULL;
    if (w != NULL && w->op == OP_I32_ADD && e->last + 1 == e->ncode) {
        struct access a = {op_forms[op].index, w->b, w->c};
        e->ncode = e->last;
        e->last = NO_INDEX;
        return a;
    }
    uint16_t slot = emit_address(e, at, &plus);
    return (struct access){op, slot, (uint16_t)plus};
}

void emit_load(struct emitter *e, uint16_t op, const struct operand *at, uint32_t plus,
               uint32_t offset)
{
    if (!e->live)
        return;
    struct access a = emit_access(e, op, at, plus);
    emit_position(e, offset);
    emit_result(e, a.op, at->home, a.slot, a.plus);
}

void emit_store(struct emitter *e, uint16_t op, const struct operand *at,
                const struct operand *value, uint32_t plus, uint32_t offset)
{
    if (!e->live)
        return;
    uint16_t v = emit_slot(e, value);
    struct access a = emit_access(e, op, at, plus);
    emit_position(e, offset);
    emit_op(e, a.op, a.slot, v, a.plus);
}

void emit_select(struct emitter *e, const struct operand *x, const struct operand *y,
                 const struct operand *cond)
{
    if (!e->live)
        return;
    uint16_t xs = emit_slot(e, x), ys = emit_slot(e, y), cs = emit_slot(e, cond);
    emit_result_two(e, (union word){.op = OP_SELECT, .a = x->home, .b = xs, .c = ys},
                    (union word){.lo = cs, .hi = 0});
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
