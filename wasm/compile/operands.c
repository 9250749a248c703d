/* operands.c: where the operands are; see emit.h. */
#include "base/assert.h"
#include "wasm/compile/emit.h"

static struct operand *push(struct emitter *e, uint8_t type, uint8_t kind)
{
    if ((uint64_t)e->nlocals + e->noperands >= WASM_MAX_FRAME_SLOTS) {
        emit_fail(e, TN_ELIMIT);
        return NULL;
    }
    if (!heap_grow(&e->heap, (void **)&e->operands, &e->operands_cap, e->noperands + 1ull,
                   sizeof *e->operands)) {
        emit_fail(e, TN_ENOMEM);
        return NULL;
    }
    struct operand *o = &e->operands[e->noperands++];
    *o = (struct operand){.kind = kind, .type = type, .next = NO_INDEX};
    o->home = (uint16_t)(e->nlocals + e->noperands - 1);
    if (e->nlocals + e->noperands > e->max_slots)
        e->max_slots = e->nlocals + e->noperands;
    return o;
}

void emit_push(struct emitter *e, uint8_t type)
{
    push(e, type, OPERAND_HOME);
}

/* An operand that depends on a local. */
static struct operand *push_alias(struct emitter *e, uint8_t type, uint8_t kind, uint32_t local)
{
    ASSERT(local < e->nlocals);
    struct operand *o = push(e, type, kind);
    if (o == NULL)
        return NULL;
    o->local = (uint16_t)local;
    o->next = e->aliases[local];
    e->aliases[local] = e->noperands - 1;
    return o;
}

void emit_push_local(struct emitter *e, uint8_t type, uint32_t local)
{
    push_alias(e, type, OPERAND_LOCAL, local);
}

void emit_push_sum(struct emitter *e, uint32_t local, uint32_t plus)
{
    ASSERT((int32_t)plus >= INT16_MIN && (int32_t)plus <= INT16_MAX);
    struct operand *o = push_alias(e, WASM_I32, OPERAND_SUM, local);
    if (o != NULL)
        o->value = plus;
}

void emit_push_const(struct emitter *e, uint8_t type, uint64_t value)
{
    struct operand *o = push(e, type, OPERAND_CONST);
    if (o != NULL)
        o->value = value;
}

struct operand emit_pop(struct emitter *e)
{
    ASSERT(e->noperands > 0);
    struct operand o = e->operands[--e->noperands];
    if (o.kind == OPERAND_LOCAL || o.kind == OPERAND_SUM) {
        ASSERT(e->aliases[o.local] == e->noperands);
        e->aliases[o.local] = o.next;
    }
    if (e->flushed > e->noperands)
        e->flushed = e->noperands;
    return o;
}

void emit_cut(struct emitter *e, uint32_t n)
{
    ASSERT(n <= e->noperands);
    while (e->noperands > n)
        emit_pop(e);
}

/* Two copies in a row become one instruction. */
static void emit_copy(struct emitter *e, uint16_t to, uint16_t from)
{
    if (to == from)
        return;
    if (e->copy == NO_INDEX) {
        uint32_t at = emit_op(e, OP_COPY, to, from, 0);
        e->copy = e->live ? at : NO_INDEX;
        return;
    }
    ASSERT(e->copy + 1 == e->ncode && e->code[e->copy].op == OP_COPY);
    e->code[e->copy].op = OP_COPY_2;
    e->code[e->copy].c = to;
    emit_word(e, (union word){.lo = from, .hi = 0});
}

void emit_move(struct emitter *e, uint16_t to, const struct operand *o)
{
    if (o->kind == OPERAND_HOME) {
        emit_copy(e, to, o->home);
    } else if (o->kind == OPERAND_LOCAL) {
        emit_copy(e, to, o->local);
    } else if (o->kind == OPERAND_SUM) {
        emit_op(e, OP_I32_ADD_I, to, o->local, (uint16_t)o->value);
    } else if (o->value <= UINT32_MAX) {
        emit_wide(e, OP_CONST, to, (uint32_t)o->value);
    } else {
        emit_op(e, OP_CONST_WIDE, to, 0, 0);
        emit_word(e, (union word){.bits = o->value});
    }
    e->last = NO_INDEX;
}

/* An operand of the stack that is not at home goes there. */
static void send_home(struct emitter *e, struct operand *o)
{
    ASSERT(o->kind != OPERAND_HOME);
    emit_move(e, o->home, o);
    o->kind = OPERAND_HOME;
}

void emit_flush(struct emitter *e)
{
    ASSERT(e->flushed <= e->noperands);
    for (; e->flushed < e->noperands; e->flushed++) {
        struct operand *o = &e->operands[e->flushed];
        if (o->kind == OPERAND_LOCAL || o->kind == OPERAND_SUM)
            e->aliases[o->local] = NO_INDEX; /* all of its operands go home here */
        if (o->kind != OPERAND_HOME)
            send_home(e, o);
    }
}

void emit_flush_local(struct emitter *e, uint32_t local)
{
    ASSERT(local < e->nlocals);
    uint32_t i = e->aliases[local];
    e->aliases[local] = NO_INDEX;
    while (i != NO_INDEX) {
        struct operand *o = &e->operands[i];
        i = o->next;
        send_home(e, o);
    }
}

uint16_t emit_slot(struct emitter *e, const struct operand *o)
{
    if (o->kind == OPERAND_LOCAL)
        return o->local;
    if (o->kind != OPERAND_HOME)
        emit_move(e, o->home, o);
    return o->home;
}
