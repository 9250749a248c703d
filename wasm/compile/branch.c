/* branch.c: blocks and branches; see emit.h. */
#include "base/assert.h"
#include "wasm/compile/emit.h"

/* A list's links are word indices; bit 0 says that the distance is the word's upper half. */

void emit_block_end(struct emitter *e)
{
    if (e->header != NO_INDEX && e->err == TN_OK) {
        ASSERT(e->fuel <= UINT32_MAX);
        e->code[e->header].hi = (uint32_t)e->fuel;
    }
    e->header = NO_INDEX;
    e->fuel = 0;
    e->last = e->copy = NO_INDEX;
}

uint32_t emit_block_begin(struct emitter *e, uint32_t offset)
{
    if (!e->live)
        return 0;
    uint64_t entry = e->ncode == 0 ? e->fuel : 0; /* the locals of the first block */
    emit_block_end(e);
    e->fuel = entry;
    e->header = emit_wide(e, OP_FUEL, 0, 0);
    emit_position(e, offset);
    return e->ncode;
}

void emit_target(struct emitter *e, uint32_t *branches)
{
    uint32_t at = emit_word(e, (union word){.lo = *branches, .hi = 0});
    *branches = at << 1;
}

void emit_jump(struct emitter *e, uint32_t *branches)
{
    if (!e->live)
        return;
    uint32_t at = emit_wide(e, OP_JUMP, 0, *branches);
    *branches = at << 1 | 1;
}

void emit_land(struct emitter *e, uint32_t *branches, uint32_t place)
{
    uint32_t link = *branches;
    *branches = NO_BRANCHES;
    while (link != NO_BRANCHES && e->err == TN_OK) {
        union word *w = &e->code[link >> 1];
        uint32_t *field = (link & 1) != 0 ? &w->hi : &w->lo;
        ASSERT(link >> 1 < e->ncode);
        uint32_t at = link >> 1;
        link = *field;
        *field = place - at;
    }
}

/* The branching form of the comparison that made `cond`, which is then taken back; OP_NONE when
 * there is none. */
static union word fuse(struct emitter *e, const struct operand *cond, bool sense)
{
    union word none = {.bits = 0};
    if (e->last == NO_INDEX || cond->kind != OPERAND_HOME)
        return none;
    union word w = e->code[e->last];
    const struct op_forms *forms = &op_forms[w.op];
    if (w.a != cond->home || forms->branch == OP_NONE)
        return none;
    ASSERT(forms->branch_not != OP_NONE && e->last < e->ncode);
    union word br = {.op = sense ? forms->branch : forms->branch_not, .a = w.b, .b = w.c};
    if (e->ncode - e->last == 2) /* a constant of its own word */
        br = emit_compose(br.op, br.a, e->code[e->last + 1].lo);
    else if (forms->imm == OP_NONE && forms->negated != OP_NONE) /* a small one */
        br = emit_compose(br.op, br.a, (uint32_t)(int16_t)w.c);
    e->ncode = e->last;
    e->last = NO_INDEX;
    return br;
}

void emit_branch_if(struct emitter *e, const struct operand *cond, bool sense, uint32_t offset,
                    uint32_t *branches)
{
    if (!e->live)
        return;
    union word w = fuse(e, cond, sense);
    if (w.op == OP_NONE) {
        w = emit_compose(sense ? OP_BR_I32_NE_I : OP_BR_I32_EQ_I, emit_slot(e, cond), 0);
    }
    emit_flush(e);
    emit_word(e, w);
    uint32_t at = e->ncode;
    emit_target(e, branches);
    emit_block_end(e);
    e->header = at;
    emit_position(e, offset);
}

void emit_settle(struct emitter *e, uint32_t height, uint32_t n)
{
    if (!e->live)
        return;
    ASSERT(n <= e->noperands && height + n <= e->noperands);
    uint32_t from = e->noperands - n;
    if (n == 1) {
        emit_move(e, (uint16_t)(e->nlocals + height), &e->operands[from]);
    } else if (n > 1) {
        emit_flush(e);
        if (from != height)
            emit_op(e, OP_COPY_N, (uint16_t)(e->nlocals + height), (uint16_t)(e->nlocals + from),
                    (uint16_t)n);
    }
    e->last = NO_INDEX;
}

void emit_return(struct emitter *e, uint32_t n)
{
    if (!e->live)
        return;
    ASSERT(n <= e->noperands);
    if (n == 0) {
        emit_op(e, OP_RETURN, 0, 0, 0);
    } else if (n == 1) {
        emit_op(e, OP_RETURN_ONE, emit_slot(e, &e->operands[e->noperands - 1]), 0, 0);
    } else {
        emit_flush(e);
        emit_op(e, OP_RETURN_N, (uint16_t)(e->nlocals + e->noperands - n), (uint16_t)n, 0);
    }
    e->last = NO_INDEX;
}
