/* control.c: blocks, branches, calls. */
#include "base/assert.h"
#include "wasm/validate/body.h"

/* The type of a block, by its immediate. */
struct block_type {
    uint32_t nparams, nresults;
    const uint8_t *params, *results;
};

static struct block_type read_block_type(struct body *b)
{
    static const uint8_t singles[] = {WASM_I32, WASM_I64,     WASM_F32,
                                      WASM_F64, WASM_FUNCREF, WASM_EXTERNREF};
    struct block_type t = {0, 0, NULL, NULL};
    const uint8_t *at = b->r->at;
    int64_t code = read_s33(b->r);
    if (code == -64)
        return t;
    if (code >= 0) {
        if ((uint64_t)code >= b->m->ntypes) {
            reader_fail_number(b->r, TN_EFORMAT, at, "unknown type", (uint64_t)code);
            return t;
        }
        const struct wasm_functype *f = &b->m->types[code];
        return (struct block_type){f->nparams, f->nresults, f->params, f->results};
    }
    for (uint32_t i = 0; i < sizeof singles; i++)
        if ((uint8_t)(code & 0x7f) == singles[i] && code >= -64)
            return (struct block_type){0, 1, NULL, &singles[i]};
    reader_fail(b->r, TN_EFORMAT, at, "malformed block type");
    return t;
}

static void op_block(struct body *b, uint8_t opcode)
{
    struct block_type t = read_block_type(b);
    struct operand cond = {0};
    struct emitter *e = b->e;
    if (opcode == WASM_OP_IF)
        cond = body_pop(b, WASM_I32);
    uint32_t to_else = NO_BRANCHES, place = 0;
    if (opcode == WASM_OP_IF)
        emit_branch_if(e, &cond, false, reader_offset(b->r), &to_else);
    else if (e->live)
        emit_flush(e);
    body_pop_list(b, t.params, t.nparams);
    if (opcode == WASM_OP_LOOP)
        place = emit_block_begin(e, reader_offset(b->r));
    if (b->r->err != TN_OK)
        return;
    struct control *c = body_enter(b, opcode, t.nparams, t.params, t.nresults, t.results);
    if (c == NULL)
        return;
    c->place = place;
    c->to_else = to_else;
}

static void op_else(struct body *b)
{
    struct control *c = body_top(b);
    struct emitter *e = b->e;
    if (c->opcode != WASM_OP_IF) {
        body_fail(b, "else without if: END opcode expected");
        return;
    }
    body_match_list(b, c->results, c->nresults);
    if (b->r->err == TN_OK && e->noperands > c->height + c->nresults)
        body_fail(b, "type mismatch: values remain at the end of the block");
    if (e->live) {
        emit_flush(e);
        emit_jump(e, &c->branches);
    }
    emit_block_end(e);
    emit_cut(e, c->height);
    c->opcode = WASM_OP_ELSE;
    c->unreachable = false;
    e->live = c->entered_live && e->err == TN_OK;
    uint32_t place = emit_block_begin(e, reader_offset(b->r));
    emit_land(e, &c->to_else, place);
    body_push_list(b, c->params, c->nparams);
}

/* An `if` without `else` whose condition was false leaves its parameters as its results. */
static void check_if_without_else(struct body *b, const struct control *c)
{
    bool same = c->nparams == c->nresults;
    for (uint32_t i = 0; same && i < c->nparams; i++)
        same = c->params[i] == c->results[i];
    if (!same)
        body_fail(b, "type mismatch: if without else must leave what it took");
}

static void op_end(struct body *b)
{
    struct control *c = body_top(b);
    struct emitter *e = b->e;
    body_match_list(b, c->results, c->nresults);
    if (b->r->err == TN_OK && e->noperands > c->height + c->nresults)
        body_fail(b, "type mismatch: values remain at the end of the block");
    if (c->opcode == WASM_OP_IF)
        check_if_without_else(b, c);
    if (b->r->err != TN_OK)
        return;
    /* Do several ways lead here? */
    bool join = c->branches != NO_BRANCHES || c->to_else != NO_BRANCHES;
    bool fell = e->live;
    if (fell && join)
        emit_flush(e);
    if (!fell || join) {
        emit_cut(e, c->height);
        e->live = e->err == TN_OK && (fell || join);
        body_push_list(b, c->results, c->nresults);
    }
    if (join && e->live) {
        uint32_t place = emit_block_begin(e, reader_offset(b->r));
        emit_land(e, &c->branches, place);
        emit_land(e, &c->to_else, place);
    }
    if (b->ncontrols == 1) {
        emit_return(e, c->nresults);
        emit_block_end(e);
        emit_cut(e, 0);
        ASSERT(c->height == 0);
    }
    b->ncontrols--;
}

/* The label `depth` out; NULL after an error. */
static struct control *label(struct body *b, uint32_t depth)
{
    if (b->r->err != TN_OK)
        return NULL;
    if (depth >= b->ncontrols) {
        body_fail_number(b, "unknown label", depth);
        return NULL;
    }
    return &b->mem->controls[b->ncontrols - 1 - depth];
}

static uint32_t label_types(const struct control *c, const uint8_t **ret_types)
{
    bool loop = c->opcode == WASM_OP_LOOP;
    *ret_types = loop ? c->params : c->results;
    return loop ? c->nparams : c->nresults;
}

/* Branches that were just put on `list` go to the label. */
static void land_at(struct body *b, struct control *c, uint32_t *list)
{
    if (c->opcode == WASM_OP_LOOP)
        emit_land(b->e, list, c->place);
}

static uint32_t *label_list(struct control *c, uint32_t *mine)
{
    *mine = NO_BRANCHES;
    return c->opcode == WASM_OP_LOOP ? mine : &c->branches;
}

static void op_br(struct body *b)
{
    const uint8_t *types;
    struct control *c = label(b, read_u32(b->r));
    if (c == NULL)
        return;
    uint32_t n = label_types(c, &types), mine;
    body_match_list(b, types, n);
    if (b->r->err != TN_OK)
        return;
    if (b->e->live && c == &b->mem->controls[0]) {
        emit_return(b->e, n);
    } else if (b->e->live) {
        emit_settle(b->e, c->height, n);
        uint32_t *list = label_list(c, &mine);
        emit_jump(b->e, list);
        land_at(b, c, list);
    }
    body_dead(b);
}

/* In unreachable code the operands that a branch would carry may be missing: then they are put
 * there, as popping and pushing them would. */
static void normalize(struct body *b, const uint8_t *types, uint32_t n)
{
    if (b->e->live || !body_top(b)->unreachable)
        return;
    body_pop_list(b, types, n);
    body_push_list(b, types, n);
}

static void op_br_if(struct body *b)
{
    const uint8_t *types;
    struct emitter *e = b->e;
    struct control *c = label(b, read_u32(b->r));
    struct operand cond = body_pop(b, WASM_I32);
    if (c == NULL)
        return;
    uint32_t n = label_types(c, &types), mine, next = reader_offset(b->r);
    body_match_list(b, types, n);
    normalize(b, types, n);
    if (b->r->err != TN_OK || !e->live)
        return;
    uint32_t *list = label_list(c, &mine);
    if (n == 0 || c->height + n == e->noperands) {
        emit_branch_if(e, &cond, true, next, list);
        land_at(b, c, list);
        return;
    }
    uint32_t skip = NO_BRANCHES;
    emit_branch_if(e, &cond, false, next, &skip);
    emit_settle(e, c->height, n);
    emit_jump(e, list);
    land_at(b, c, list);
    uint32_t place = emit_block_begin(e, next);
    emit_land(e, &skip, place);
}

/* One entry of a br_table, whose word is emitted. `*stubs`: controls that need a move. */
static void table_entry(struct body *b, uint32_t depth, uint32_t *arity, uint32_t *stubs)
{
    const uint8_t *types;
    struct emitter *e = b->e;
    struct control *c = label(b, depth);
    if (c == NULL)
        return;
    uint32_t n = label_types(c, &types), mine;
    if (*arity == NO_INDEX)
        *arity = n;
    if (*arity != n) {
        body_fail(b, "type mismatch: labels of br_table take different numbers of values");
        return;
    }
    if (c->table_stamp != b->mem->table_stamp) {
        c->table_stamp = b->mem->table_stamp;
        body_match_list(b, types, n);
    }
    if (!e->live || b->r->err != TN_OK)
        return;
    if (n == 0 || c->height + n == e->noperands) {
        uint32_t *list = label_list(c, &mine);
        emit_target(e, list);
        land_at(b, c, list);
        return;
    }
    if (c->stub == NO_BRANCHES) {
        c->next_stub = *stubs;
        *stubs = b->ncontrols - 1 - depth;
    }
    emit_target(e, &c->stub);
}

static void op_br_table(struct body *b)
{
    struct emitter *e = b->e;
    uint32_t n = read_count(b->r, WASM_MAX_BR_TABLE, "br_table too long: WASM_MAX_BR_TABLE is");
    struct operand index = body_pop(b, WASM_I32);
    if (b->r->err != TN_OK)
        return;
    if (e->live) {
        uint16_t slot = emit_slot(e, &index);
        emit_flush(e);
        emit_wide(e, OP_JUMP_TABLE, slot, n);
    }
    b->mem->table_stamp++;
    uint32_t arity = NO_INDEX, stubs = NO_INDEX, offset = body_offset(b);
    for (uint32_t i = 0; i <= n && b->r->err == TN_OK; i++)
        table_entry(b, read_u32(b->r), &arity, &stubs);
    while (stubs != NO_INDEX && b->r->err == TN_OK && e->err == TN_OK) {
        struct control *c = &b->mem->controls[stubs];
        uint32_t mine, place = emit_block_begin(e, offset);
        emit_land(e, &c->stub, place);
        emit_settle(e, c->height, arity);
        uint32_t *list = label_list(c, &mine);
        emit_jump(e, list);
        land_at(b, c, list);
        stubs = c->next_stub;
    }
    body_dead(b);
}

static void op_return(struct body *b)
{
    struct control *c = &b->mem->controls[0];
    body_match_list(b, c->results, c->nresults);
    if (b->r->err != TN_OK)
        return;
    emit_return(b->e, c->nresults);
    body_dead(b);
}

static void call_common(struct body *b, const struct wasm_functype *type)
{
    body_pop_list(b, type->params, type->nparams);
    body_push_list(b, type->results, type->nresults);
}

static void op_call(struct body *b)
{
    struct emitter *e = b->e;
    uint32_t func = read_u32(b->r);
    if (b->r->err != TN_OK)
        return;
    if (func >= b->m->nfuncs) {
        body_fail_number(b, "unknown function", func);
        return;
    }
    const struct wasm_functype *type = b->m->funcs[func].type;
    body_match_list(b, type->params, type->nparams);
    if (b->r->err == TN_OK && e->live) {
        uint16_t base = (uint16_t)(e->nlocals + e->noperands - type->nparams);
        uint32_t imported = b->m->nimported_funcs;
        emit_flush(e);
        emit_position(e, body_offset(b));
        emit_wide(e, func < imported ? OP_CALL_IMPORT : OP_CALL, base,
                  func < imported ? func : func - imported);
    }
    call_common(b, type);
}

static void op_call_indirect(struct body *b)
{
    struct emitter *e = b->e;
    uint32_t type_index = read_u32(b->r), table = read_u32(b->r);
    struct operand index = body_pop(b, WASM_I32);
    if (b->r->err != TN_OK)
        return;
    if (table >= b->m->ntables) {
        body_fail_number(b, "unknown table", table);
        return;
    }
    if (type_index >= b->m->ntypes) {
        body_fail_number(b, "unknown type", type_index);
        return;
    }
    if (b->m->tables[table].type != WASM_FUNCREF) {
        body_fail(b, "type mismatch: funcref expected");
        return;
    }
    const struct wasm_functype *type = &b->m->types[type_index];
    body_match_list(b, type->params, type->nparams);
    if (b->r->err == TN_OK && e->live) {
        uint16_t base = (uint16_t)(e->nlocals + e->noperands - type->nparams);
        uint16_t slot = emit_slot(e, &index);
        emit_flush(e);
        emit_position(e, body_offset(b));
        emit_op(e, OP_CALL_INDIRECT, base, slot, 0);
        emit_word(e, (union word){.lo = type_index, .hi = table});
    }
    call_common(b, type);
}

bool body_control(struct body *b, uint32_t opcode)
{
    switch (opcode) {
    case WASM_OP_UNREACHABLE:
        emit_position(b->e, body_offset(b));
        if (b->e->live)
            emit_op(b->e, OP_TRAP, 0, 0, 0);
        body_dead(b);
        return true;
    case WASM_OP_NOP:
        return true;
    case WASM_OP_BLOCK:
    case WASM_OP_LOOP:
    case WASM_OP_IF:
        op_block(b, (uint8_t)opcode);
        return true;
    case WASM_OP_ELSE:
        op_else(b);
        return true;
    case WASM_OP_END:
        op_end(b);
        return true;
    case WASM_OP_BR:
        op_br(b);
        return true;
    case WASM_OP_BR_IF:
        op_br_if(b);
        return true;
    case WASM_OP_BR_TABLE:
        op_br_table(b);
        return true;
    case WASM_OP_RETURN:
        op_return(b);
        return true;
    case WASM_OP_CALL:
        op_call(b);
        return true;
    case WASM_OP_CALL_INDIRECT:
        op_call_indirect(b);
        return true;
    default:
        return false;
    }
}
