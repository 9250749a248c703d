/* plain.c: variables, constants, references, tables, memory. */
#include "base/assert.h"
#include "wasm/validate/body.h"

static bool known_table(struct body *b, uint32_t table)
{
    if (b->r->err == TN_OK && table >= b->m->ntables)
        body_fail_number(b, "unknown table", table);
    return b->r->err == TN_OK;
}

static bool known_memory(struct body *b)
{
    if (b->r->err == TN_OK && b->m->nmemories == 0)
        body_fail_number(b, "unknown memory", 0);
    return b->r->err == TN_OK;
}

static bool known_elem(struct body *b, uint32_t elem)
{
    if (b->r->err == TN_OK && elem >= b->m->nelems)
        body_fail_number(b, "unknown elem segment", elem);
    return b->r->err == TN_OK;
}

/* The data section comes after the code: the count section says how many there are. */
static bool known_data(struct body *b, uint32_t data)
{
    if (b->r->err != TN_OK)
        return false;
    if (b->l->ndatas_declared == NO_INDEX)
        body_fail(b, "data count section required");
    else if (data >= b->l->ndatas_declared)
        body_fail_number(b, "unknown data segment", data);
    return b->r->err == TN_OK;
}

static void zero_byte(struct body *b)
{
    const uint8_t *at = b->r->at;
    if (read_byte(b->r) != 0)
        reader_fail(b->r, TN_EFORMAT, at, "zero byte expected");
}

static void op_local(struct body *b, uint32_t opcode)
{
    struct emitter *e = b->e;
    uint32_t local = read_u32(b->r);
    if (b->r->err != TN_OK)
        return;
    if (local >= b->nlocals) {
        body_fail_number(b, "unknown local", local);
        return;
    }
    uint8_t type = b->mem->locals[local];
    if (opcode != WASM_OP_LOCAL_GET) {
        struct operand value = body_pop(b, type);
        if (b->r->err != TN_OK)
            return;
        emit_local_set(e, local, &value);
    }
    if (opcode != WASM_OP_LOCAL_SET)
        emit_push_local(e, type, local);
}

static void op_global(struct body *b, uint32_t opcode)
{
    struct emitter *e = b->e;
    uint32_t global = read_u32(b->r);
    if (b->r->err != TN_OK)
        return;
    if (global >= b->m->nglobals) {
        body_fail_number(b, "unknown global", global);
        return;
    }
    const struct global_decl *g = &b->m->globals[global];
    if (opcode == WASM_OP_GLOBAL_GET) {
        emit_global_get(e, global);
        emit_push(e, g->type);
        return;
    }
    if (!g->mutable)
        body_fail(b, "global is immutable");
    struct operand value = body_pop(b, g->type);
    if (b->r->err == TN_OK && e->live)
        emit_op(e, OP_GLOBAL_SET, emit_slot(e, &value), (uint16_t)global, 0);
}

static void op_drop(struct body *b)
{
    body_pop(b, 0);
}

static void op_select(struct body *b, bool typed)
{
    uint8_t type = 0;
    if (typed) {
        uint32_t n = read_u32(b->r);
        if (n != 1)
            body_fail(b, "invalid result arity");
        type = read_value_type(b->r);
    }
    struct operand cond = body_pop(b, WASM_I32);
    struct operand y = body_pop(b, type);
    struct operand x = body_pop(b, type);
    if (b->r->err != TN_OK)
        return;
    if (!typed) {
        if (x.type != 0 && y.type != 0 && x.type != y.type)
            body_fail(b, "type mismatch: operands of select differ");
        type = x.type != 0 ? x.type : y.type;
        if (is_ref_type(type))
            body_fail(b, "type mismatch: select of references needs its type");
    }
    emit_select(b->e, &x, &y, &cond);
    emit_push(b->e, type);
}

static void op_const(struct body *b, uint32_t opcode)
{
    struct reader *r = b->r;
    switch (opcode) {
    case WASM_OP_I32_CONST:
        emit_push_const(b->e, WASM_I32, (uint32_t)read_s32(r));
        break;
    case WASM_OP_I64_CONST:
        emit_push_const(b->e, WASM_I64, (uint64_t)read_s64(r));
        break;
    case WASM_OP_F32_CONST:
        emit_push_const(b->e, WASM_F32, read_fixed32(r));
        break;
    case WASM_OP_F64_CONST:
        emit_push_const(b->e, WASM_F64, read_fixed64(r));
        break;
    default:
        UNREACHABLE("an opcode that is no constant");
    }
}

static void op_ref(struct body *b, uint32_t opcode)
{
    struct emitter *e = b->e;
    if (opcode == WASM_OP_REF_NULL) {
        emit_push_const(e, read_ref_type(b->r), 0);
    } else if (opcode == WASM_OP_REF_IS_NULL) {
        static const struct op_info is_null = {.text = "ref.is_null", .zero_of = OP_I64_EQ};
        struct operand x = body_pop(b, 0);
        if (b->r->err == TN_OK && x.type != 0 && !is_ref_type(x.type))
            body_fail(b, "type mismatch: a reference expected");
        emit_unary(e, &is_null, &x, body_offset(b));
        emit_push(e, WASM_I32);
    } else {
        uint32_t func = read_u32(b->r);
        if (b->r->err != TN_OK)
            return;
        if (func >= b->m->nfuncs)
            body_fail_number(b, "unknown function", func);
        else if (!b->m->funcs[func].referable)
            body_fail_number(b, "undeclared function reference", func);
        emit_slow(e, WASM_OP_REF_FUNC, 0, func, 0, body_offset(b));
        emit_push(e, WASM_FUNCREF);
    }
}

/* Pops `n` operands of these types for an instruction that runs out of line, and pushes its result
 * (0: none). */
static void slow(struct body *b, uint32_t opcode, const uint8_t *types, uint32_t n, uint8_t result,
                 uint32_t imm1, uint32_t imm2)
{
    if (b->r->err != TN_OK)
        return;
    body_match_list(b, types, n);
    if (b->r->err == TN_OK)
        emit_slow(b->e, opcode, n, imm1, imm2, body_offset(b));
    body_pop_list(b, types, n);
    if (result != 0)
        emit_push(b->e, result);
}

static void op_table(struct body *b, uint32_t opcode)
{
    static const uint8_t i32s[] = {WASM_I32, WASM_I32, WASM_I32};
    uint32_t table = read_u32(b->r);
    if (!known_table(b, table))
        return;
    uint8_t type = b->m->tables[table].type;
    switch (opcode) {
    case WASM_OP_TABLE_GET:
        slow(b, opcode, i32s, 1, type, table, 0);
        break;
    case WASM_OP_TABLE_SET:
        slow(b, opcode, (const uint8_t[]){WASM_I32, type}, 2, 0, table, 0);
        break;
    case WASM_OP_TABLE_SIZE:
        slow(b, opcode, i32s, 0, WASM_I32, table, 0);
        break;
    case WASM_OP_TABLE_GROW:
        slow(b, opcode, (const uint8_t[]){type, WASM_I32}, 2, WASM_I32, table, 0);
        break;
    case WASM_OP_TABLE_FILL:
        slow(b, opcode, (const uint8_t[]){WASM_I32, type, WASM_I32}, 3, 0, table, 0);
        break;
    default: {
        uint32_t from = read_u32(b->r);
        if (!known_table(b, from))
            return;
        if (b->m->tables[from].type != type)
            body_fail(b, "type mismatch: tables of different types");
        slow(b, opcode, i32s, 3, 0, table, from);
    }
    }
}

static void op_table_init(struct body *b)
{
    static const uint8_t i32s[] = {WASM_I32, WASM_I32, WASM_I32};
    uint32_t elem = read_u32(b->r), table = read_u32(b->r);
    if (!known_table(b, table) || !known_elem(b, elem))
        return;
    if (b->m->tables[table].type != b->m->elems[elem].type)
        body_fail(b, "type mismatch: element segment and table");
    slow(b, WASM_OP_TABLE_INIT, i32s, 3, 0, elem, table);
}

static void op_memory(struct body *b, uint32_t opcode)
{
    static const uint8_t i32s[] = {WASM_I32, WASM_I32, WASM_I32};
    uint32_t data = 0;
    if (opcode == WASM_OP_MEMORY_INIT)
        data = read_u32(b->r);
    zero_byte(b);
    if (opcode == WASM_OP_MEMORY_COPY)
        zero_byte(b);
    if (!known_memory(b))
        return;
    switch (opcode) {
    case WASM_OP_MEMORY_SIZE:
        slow(b, opcode, i32s, 0, WASM_I32, 0, 0);
        break;
    case WASM_OP_MEMORY_GROW:
        slow(b, opcode, i32s, 1, WASM_I32, 0, 0);
        break;
    case WASM_OP_MEMORY_INIT:
        if (known_data(b, data))
            slow(b, opcode, i32s, 3, 0, data, 0);
        break;
    default:
        slow(b, opcode, i32s, 3, 0, 0, 0);
    }
}

static void op_segment_drop(struct body *b, uint32_t opcode)
{
    uint32_t segment = read_u32(b->r);
    if (opcode == WASM_OP_DATA_DROP ? known_data(b, segment) : known_elem(b, segment))
        slow(b, opcode, NULL, 0, 0, segment, 0);
}

void body_other(struct body *b, uint32_t opcode)
{
    switch (opcode) {
    case WASM_OP_DROP:
        op_drop(b);
        break;
    case WASM_OP_SELECT:
    case WASM_OP_SELECT_TYPED:
        op_select(b, opcode == WASM_OP_SELECT_TYPED);
        break;
    case WASM_OP_LOCAL_GET:
    case WASM_OP_LOCAL_SET:
    case WASM_OP_LOCAL_TEE:
        op_local(b, opcode);
        break;
    case WASM_OP_GLOBAL_GET:
    case WASM_OP_GLOBAL_SET:
        op_global(b, opcode);
        break;
    case WASM_OP_I32_CONST:
    case WASM_OP_I64_CONST:
    case WASM_OP_F32_CONST:
    case WASM_OP_F64_CONST:
        op_const(b, opcode);
        break;
    case WASM_OP_REF_NULL:
    case WASM_OP_REF_IS_NULL:
    case WASM_OP_REF_FUNC:
        op_ref(b, opcode);
        break;
    case WASM_OP_TABLE_INIT:
        op_table_init(b);
        break;
    case WASM_OP_ELEM_DROP:
    case WASM_OP_DATA_DROP:
        op_segment_drop(b, opcode);
        break;
    case WASM_OP_MEMORY_SIZE:
    case WASM_OP_MEMORY_GROW:
    case WASM_OP_MEMORY_INIT:
    case WASM_OP_MEMORY_COPY:
    case WASM_OP_MEMORY_FILL:
        op_memory(b, opcode);
        break;
    default:
        op_table(b, opcode);
    }
}
