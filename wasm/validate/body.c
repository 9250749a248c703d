/* body.c: one function's body: locals, then opcode after opcode, each checked and handed to the
 * emitter; then the code is kept in the module. See body.h and compile/emit.h. */
#include "wasm/validate/body.h"

#include "base/assert.h"

static bool read_locals(struct body *b, const struct wasm_functype *type)
{
    struct reader *r = b->r;
    uint64_t total = type->nparams;
    const uint8_t *from = r->at;
    /* A pass to count, then one to write: the array is made once. */
    for (int pass = 0; pass < 2; pass++) {
        r->at = from;
        total = type->nparams;
        uint32_t groups = read_count(r, UINT32_MAX, "");
        for (uint32_t i = 0; i < groups && r->err == TN_OK; i++) {
            const uint8_t *at = r->at;
            uint32_t n = read_u32(r);
            uint8_t local = read_value_type(r);
            if (total + n > UINT32_MAX)
                reader_fail(r, TN_EFORMAT, at, "too many locals");
            else if (pass == 1 && r->err == TN_OK && n > 0)
                memset(b->mem->locals + total, local, n);
            total += n;
        }
        if (r->err == TN_OK && total > WASM_MAX_LOCALS)
            reader_fail_number(r, TN_ELIMIT, from, "too many locals: WASM_MAX_LOCALS is",
                               WASM_MAX_LOCALS);
        if (r->err == TN_OK &&
            !heap_grow(&b->e->heap, (void **)&b->mem->locals, &b->mem->locals_cap, total, 1))
            reader_fail(r, TN_ENOMEM, from, "no memory for locals");
        if (r->err != TN_OK)
            return false;
    }
    if (type->nparams > 0)
        memcpy(b->mem->locals, type->params, type->nparams);
    b->nlocals = (uint32_t)total;
    ASSERT(b->nlocals >= type->nparams);
    return true;
}

static void check_emitter(struct body *b)
{
    if (b->e->err == TN_ELIMIT)
        reader_fail_number(b->r, TN_ELIMIT, b->at,
                           "too many locals and operands: WASM_MAX_FRAME_SLOTS is",
                           WASM_MAX_FRAME_SLOTS);
    else if (b->e->err != TN_OK)
        reader_fail(b->r, b->e->err, b->at, "no memory to compile");
}

/* A memory access: its alignment and constant offset. */
static uint32_t read_memarg(struct body *b, const struct op_info *info)
{
    const uint8_t *at = b->r->at;
    uint32_t align = read_u32(b->r);
    if (align >= 32)
        reader_fail(b->r, TN_EFORMAT, at, "malformed memop flags");
    if (b->r->err == TN_OK && b->m->nmemories == 0)
        body_fail_number(b, "unknown memory", 0);
    if (b->r->err == TN_OK && align > info->log2_bytes)
        reader_fail(b->r, TN_EFORMAT, at, "alignment must not be larger than natural");
    return read_u32(b->r);
}

static void body_op(struct body *b, const struct op_info *info, uint32_t opcode)
{
    struct emitter *e = b->e;
    struct operand x, y;
    switch ((enum op_class)info->cls) {
    case CLASS_UNARY:
        x = body_pop(b, info->in);
        if (b->r->err == TN_OK)
            emit_unary(e, info, &x, body_offset(b));
        emit_push(e, info->out);
        break;
    case CLASS_BINARY:
        y = body_pop(b, info->in);
        x = body_pop(b, info->in);
        if (b->r->err == TN_OK)
            emit_binary(e, info, &x, &y, body_offset(b));
        break;
    case CLASS_LOAD: {
        uint32_t plus = read_memarg(b, info);
        x = body_pop(b, WASM_I32);
        if (b->r->err == TN_OK)
            emit_load(e, info->op, &x, plus, body_offset(b));
        emit_push(e, info->out);
        break;
    }
    case CLASS_STORE: {
        uint32_t plus = read_memarg(b, info);
        y = body_pop(b, info->in);
        x = body_pop(b, WASM_I32);
        if (b->r->err == TN_OK)
            emit_store(e, info->op, &x, &y, plus, body_offset(b));
        break;
    }
    case CLASS_OTHER:
        if (!body_control(b, opcode))
            body_other(b, opcode);
        break;
    case CLASS_ILLEGAL:
        UNREACHABLE("an opcode without a class");
    }
}

static void body_ops(struct body *b)
{
    while (b->ncontrols > 0 && b->r->err == TN_OK) {
        b->at = b->r->at;
        uint32_t opcode = read_byte(b->r);
        if (opcode == 0xfc) {
            uint32_t sub = read_u32(b->r);
            opcode = 0xfc00 + (sub < 0x100 ? sub : 0xff);
        }
        if (b->r->err != TN_OK)
            break;
        const struct op_info *info = op_info(opcode);
        if (info == NULL) {
            body_fail_number(b, "illegal opcode", opcode);
            break;
        }
        emit_pay(b->e, info->fuel);
        body_op(b, info, opcode);
        check_emitter(b);
    }
}

/* Moves the finished code into the module. */
static void keep_code(struct body *b, struct func_decl *f)
{
    struct emitter *e = b->e;
    ASSERT(e->ncode > 1 && e->code[0].op == OP_FUEL);
    f->code = loader_take(b->l, e->ncode, sizeof *f->code);
    f->positions = loader_take(b->l, e->npositions, sizeof *f->positions);
    if (f->code == NULL || f->positions == NULL)
        return;
    memcpy(f->code, e->code, e->ncode * sizeof *f->code);
    memcpy(f->positions, e->positions, e->npositions * sizeof *f->positions);
    f->ncode = e->ncode;
    f->npositions = e->npositions;
    f->nlocals = b->nlocals;
    /* Results are returned where the frame begins. */
    uint32_t nresults = f->type->nresults;
    f->frame_slots = e->max_slots > nresults ? e->max_slots : nresults;
}

void load_body(struct loader *l, uint32_t index)
{
    struct func_decl *f = &l->module->funcs[index];
    struct body b = {.l = l, .r = &l->r, .e = &l->emitter, .m = l->module, .mem = &l->body};
    const struct wasm_functype *type = f->type;
    b.at = l->r.at;
    f->offset = body_offset(&b);
    if (!read_locals(&b, type))
        return;
    emit_begin(b.e, type->nparams, b.nlocals);
    emit_block_begin(b.e, reader_offset(b.r));
    body_enter(&b, WASM_OP_BLOCK, 0, NULL, type->nresults, type->results);
    check_emitter(&b);
    body_ops(&b);
    if (b.r->err == TN_OK && b.r->at != b.r->end)
        reader_fail(b.r, TN_EFORMAT, b.r->at, "section size mismatch: END opcode expected");
    if (b.r->err == TN_OK)
        keep_code(&b, f);
}

void load_body_end(struct loader *l)
{
    struct heap *heap = &l->emitter.heap;
    ASSERT(l->body.controls_cap == 0 || l->body.controls != NULL);
    heap_give(heap, l->body.controls, l->body.controls_cap * sizeof *l->body.controls);
    heap_give(heap, l->body.locals, l->body.locals_cap);
}
