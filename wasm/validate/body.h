/* body.h: checks one function's body, opcode by opcode, by the algorithm in the appendix of the
 * WebAssembly specification, and drives the emitter. */
#ifndef WASM_VALIDATE_BODY_H
#define WASM_VALIDATE_BODY_H

#include "wasm/decode/loader.h"

struct body {
    struct loader *l;
    struct reader *r;
    struct emitter *e;
    struct wasm_module *m;
    struct body_memory *mem;
    const uint8_t *at; /* the opcode */
    uint32_t ncontrols;
    uint32_t nlocals;
};

static inline struct control *body_top(struct body *b)
{
    return &b->mem->controls[b->ncontrols - 1];
}
static inline uint32_t body_offset(const struct body *b)
{
    return (uint32_t)(b->at - b->r->start);
}

void body_fail(struct body *b, const char *text);
void body_fail_number(struct body *b, const char *text, uint64_t number);

/* types.c: the stack of operands' types. Type 0 is any type. */
struct operand body_pop(struct body *b, uint8_t type);
void body_pop_list(struct body *b, const uint8_t *types, uint32_t n);
void body_push_list(struct body *b, const uint8_t *types, uint32_t n);
/* The top of the stack has these types; nothing is popped, unless code here is unreachable. */
void body_match_list(struct body *b, const uint8_t *types, uint32_t n);
/* What follows cannot be reached. */
void body_dead(struct body *b);
/* A new control; the block's parameters have been popped and are pushed again. */
struct control *body_enter(struct body *b, uint8_t opcode, uint32_t nparams, const uint8_t *params,
                           uint32_t nresults, const uint8_t *results);

/* control.c, plain.c: one opcode, whose immediates come next. */
bool body_control(struct body *b, uint32_t opcode);
void body_other(struct body *b, uint32_t opcode);

#endif
