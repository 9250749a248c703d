/* types.c: the operands' types; see body.h. */
#include "base/assert.h"
#include "wasm/validate/body.h"

void body_fail(struct body *b, const char *text)
{
    reader_fail(b->r, TN_EFORMAT, b->at, text);
}

void body_fail_number(struct body *b, const char *text, uint64_t number)
{
    reader_fail_number(b->r, TN_EFORMAT, b->at, text, number);
}

static const char *mismatch(uint8_t wanted)
{
    switch (wanted) {
    case WASM_I32:
        return "type mismatch: i32 expected";
    case WASM_I64:
        return "type mismatch: i64 expected";
    case WASM_F32:
        return "type mismatch: f32 expected";
    case WASM_F64:
        return "type mismatch: f64 expected";
    case WASM_FUNCREF:
        return "type mismatch: funcref expected";
    case WASM_EXTERNREF:
        return "type mismatch: externref expected";
    default:
        return "type mismatch: an operand expected";
    }
}

struct operand body_pop(struct body *b, uint8_t type)
{
    struct control *c = body_top(b);
    struct operand none = {.type = 0};
    ASSERT(b->e->noperands >= c->height);
    if (b->e->noperands == c->height) {
        if (!c->unreachable)
            body_fail(b, mismatch(type));
        return none;
    }
    struct operand o = emit_pop(b->e);
    if (type != 0 && o.type != 0 && o.type != type)
        body_fail(b, mismatch(type));
    return o;
}

void body_pop_list(struct body *b, const uint8_t *types, uint32_t n)
{
    while (n-- > 0 && b->r->err == TN_OK)
        body_pop(b, types[n]);
}

void body_push_list(struct body *b, const uint8_t *types, uint32_t n)
{
    for (uint32_t i = 0; i < n && b->e->err == TN_OK; i++)
        emit_push(b->e, types[i]);
}

void body_match_list(struct body *b, const uint8_t *types, uint32_t n)
{
    struct control *c = body_top(b);
    struct emitter *e = b->e;
    ASSERT(e->noperands >= c->height);
    uint32_t have = e->noperands - c->height;
    if (have < n && !c->unreachable) {
        body_fail(b, mismatch(types[n - have - 1]));
        return;
    }
    for (uint32_t i = 0; i < n && i < have; i++) {
        uint8_t got = e->operands[e->noperands - 1 - i].type;
        if (got != 0 && got != types[n - 1 - i])
            body_fail(b, mismatch(types[n - 1 - i]));
    }
}

void body_dead(struct body *b)
{
    struct control *c = body_top(b);
    emit_cut(b->e, c->height);
    emit_block_end(b->e);
    c->unreachable = true;
    b->e->live = false;
}

struct control *body_enter(struct body *b, uint8_t opcode, uint32_t nparams, const uint8_t *params,
                           uint32_t nresults, const uint8_t *results)
{
    if (b->ncontrols > WASM_MAX_NESTING) { /* the function itself is one more */
        reader_fail_number(b->r, TN_ELIMIT, b->at, "blocks nested too deep: WASM_MAX_NESTING is",
                           WASM_MAX_NESTING);
        return NULL;
    }
    if (!heap_grow(&b->e->heap, (void **)&b->mem->controls, &b->mem->controls_cap,
                   b->ncontrols + 1ull, sizeof(struct control))) {
        emit_fail(b->e, TN_ENOMEM);
        return NULL;
    }
    struct control *c = &b->mem->controls[b->ncontrols++];
    *c = (struct control){
        .opcode = opcode,
        .entered_live = b->e->live,
        .nparams = nparams,
        .nresults = nresults,
        .params = params,
        .results = results,
        .height = b->e->noperands,
        .branches = NO_BRANCHES,
        .to_else = NO_BRANCHES,
        .stub = NO_BRANCHES,
    };
    body_push_list(b, params, nparams);
    ASSERT(b->e->noperands >= c->height);
    return c;
}
