/* gen_code.c: the code of modules made at random.
 *
 * Code is made as a stack machine sees it, not as a tree: the types of the operands are known at
 * every point, and each step either uses what lies on top or pushes what it needs. So locals are
 * read, changed and used late, operands lie across blocks and calls, and values flow through
 * branches: what a compiler to registers may get wrong.
 *
 * Invariants:
 * 1. Within a block only operands above its base are used; it ends with exactly its results.
 * 2. What is left over, and a copy of every third result, is mixed into the global SEEN, so that
 * few computations go unobserved.
 * 3. A float becomes an integer, is stored or gives its sign only after canonicalize().
 * 4. Function i calls only functions below i, but call_indirect may reach any: the counter GAS
 *    bounds all. */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "tests/conformance/gen_int.h"

static uint32_t type_index(uint8_t type)
{
    return (uint32_t)(I32 - type);
}

static uint8_t any_type(struct gen *g)
{
    uint8_t type;
    any_types(g, &type, 1);
    return type;
}

static void op(struct gen *g, uint8_t opcode)
{
    put(&g->body, opcode);
}

static void op_u32(struct gen *g, uint8_t opcode, uint32_t immediate)
{
    put(&g->body, opcode);
    put_u32(&g->body, immediate);
}

static void push(struct gen *g, uint8_t type)
{
    if (g->height == MAX_STACK)
        abort();
    g->stack[g->height++] = type;
}

static void pop(struct gen *g, uint32_t n)
{
    if (g->height - g->base < n)
        abort();
    g->height -= n;
}

static uint32_t local(const struct gen *g, uint32_t which)
{
    return g->signature->nparams + which;
}

/* A number that is more often interesting than not. */
static uint64_t any_bits(struct gen *g)
{
    static const uint64_t telling[] = {0,
                                       1,
                                       2,
                                       31,
                                       32,
                                       63,
                                       64,
                                       0x7f,
                                       0x80,
                                       0xff,
                                       0x7fff,
                                       0x8000,
                                       0x7fffffff,
                                       0x80000000,
                                       0xffffffff,
                                       0x100000000,
                                       0x7fffffffffffffff,
                                       0x8000000000000000,
                                       0xffffffffffffffff};
    if (below(g, 3) != 0)
        return telling[below(g, ARRAY_LEN(telling))];
    return next_random(g) >> below(g, 64);
}

static void constant_f32(struct gen *g)
{
    static const float telling[] = {
        0.0f,          -0.0f,         1.0f,   -1.5f,   0.5f,
        2147483648.0f, 4294967296.0f, 1e-40f, 3.4e38f, -__builtin_inff(),
        16777217.0f};
    float value = below(g, 2) != 0 ? telling[below(g, ARRAY_LEN(telling))]
                                   : (float)(int64_t)any_bits(g) / 16.0f;
    op(g, 0x43);
    put_bytes(&g->body, &value, sizeof(value));
}

static void constant_f64(struct gen *g)
{
    static const double telling[] = {0.0,
                                     -0.0,
                                     1.0,
                                     -2.5,
                                     0.5,
                                     9223372036854775808.0,
                                     -2e9,
                                     1e-310,
                                     1.7e308,
                                     __builtin_inf(),
                                     4503599627370497.5};
    double value = below(g, 2) != 0 ? telling[below(g, ARRAY_LEN(telling))]
                                    : (double)(int64_t)any_bits(g) / 16.0;
    op(g, 0x44);
    put_bytes(&g->body, &value, sizeof(value));
}

static void constant(struct gen *g, uint8_t type)
{
    switch (type) {
    case I32:
        op(g, 0x41);
        put_s64(&g->body, (int32_t)(uint32_t)any_bits(g));
        break;
    case I64:
        op(g, 0x42);
        put_s64(&g->body, (int64_t)any_bits(g));
        break;
    case F32:
        constant_f32(g);
        break;
    default:
        constant_f64(g);
        break;
    }
}

/* A parameter or variable of the type. */
static uint32_t any_local(struct gen *g, uint8_t type)
{
    uint32_t start = below(g, MAX_PARAMS + 1);
    for (uint32_t i = start; i < g->signature->nparams; i++) {
        if (g->signature->params[i] == type)
            return i;
    }
    return local(g, VARS + 2 * type_index(type) + below(g, 2));
}

static void push_operand(struct gen *g, uint8_t type)
{
    uint32_t how = below(g, 10);
    if (how < 6)
        op_u32(g, 0x20, any_local(g, type));
    else if (how < 9)
        constant(g, type);
    else
        op_u32(g, 0x23, type_index(type));
    push(g, type);
}

/* Makes the top `n` operands be of these types, with what is there if it fits. */
static void need(struct gen *g, const uint8_t *types, uint32_t n)
{
    uint32_t have = n;
    for (; have > 0; have--) {
        if (g->height - g->base >= have && memcmp(&g->stack[g->height - have], types, have) == 0)
            break;
    }
    for (uint32_t i = have; i < n; i++)
        push_operand(g, types[i]);
}

/* The float on top: any NaN becomes the same one. The stack's types stay. */
static void canonicalize(struct gen *g, uint8_t type)
{
    uint32_t scratch = local(g, SCRATCH + type_index(type));
    op_u32(g, 0x22, scratch);
    if (type == F32) {
        static const uint8_t nan[] = {0x43, 0x00, 0x00, 0xc0, 0x7f};
        put_bytes(&g->body, nan, sizeof(nan));
    } else {
        static const uint8_t nan[] = {0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f};
        put_bytes(&g->body, nan, sizeof(nan));
    }
    op_u32(g, 0x20, scratch);
    op_u32(g, 0x20, scratch);
    op(g, type == F32 ? 0x5b : 0x61);
    op(g, 0x1b);
}

static void canonicalize_if_float(struct gen *g, uint8_t type)
{
    if (type == F32 || type == F64)
        canonicalize(g, type);
}

/* SEEN = SEEN * 31 + top; the operand is gone. */
static void mix_top(struct gen *g)
{
    uint8_t type = g->stack[g->height - 1];
    canonicalize_if_float(g, type);
    if (type == F32)
        op(g, 0xbc);
    if (type == I32 || type == F32)
        op(g, 0xad);
    if (type == F64)
        op(g, 0xbd);
    op_u32(g, 0x23, GLOBAL_SEEN);
    op(g, 0x42);
    put_s64(&g->body, 31);
    op(g, 0x7e);
    op(g, 0x7c);
    op_u32(g, 0x24, GLOBAL_SEEN);
    pop(g, 1);
}

/* Leaves exactly these above the base. */
static void finish(struct gen *g, const uint8_t *types, uint32_t n)
{
    bool fits = g->height - g->base == n && memcmp(&g->stack[g->base], types, n) == 0;
    if (fits)
        return;
    while (g->height > g->base)
        mix_top(g);
    for (uint32_t i = 0; i < n; i++)
        push_operand(g, types[i]);
}

/* One gas, or a trap. */
static void pay(struct gen *g)
{
    op_u32(g, 0x23, GLOBAL_GAS);
    op(g, 0x45);
    op(g, 0x04);
    op(g, 0x40);
    op(g, 0x00);
    op(g, 0x0b);
    op_u32(g, 0x23, GLOBAL_GAS);
    op_u32(g, 0x41, 1);
    op(g, 0x6b);
    op_u32(g, 0x24, GLOBAL_GAS);
}

/* Ranges of numeric opcodes of one signature. */
static const struct numeric {
    uint8_t first, last, nargs, arg, result;
} numerics[] = {
    {0x45, 0x45, 1, I32, I32}, {0x46, 0x4f, 2, I32, I32}, {0x50, 0x50, 1, I64, I32},
    {0x51, 0x5a, 2, I64, I32}, {0x5b, 0x60, 2, F32, I32}, {0x61, 0x66, 2, F64, I32},
    {0x67, 0x69, 1, I32, I32}, {0x6a, 0x78, 2, I32, I32}, {0x79, 0x7b, 1, I64, I64},
    {0x7c, 0x8a, 2, I64, I64}, {0x8b, 0x91, 1, F32, F32}, {0x92, 0x98, 2, F32, F32},
    {0x99, 0x9f, 1, F64, F64}, {0xa0, 0xa6, 2, F64, F64}, {0xa7, 0xa7, 1, I64, I32},
    {0xa8, 0xa9, 1, F32, I32}, {0xaa, 0xab, 1, F64, I32}, {0xac, 0xad, 1, I32, I64},
    {0xae, 0xaf, 1, F32, I64}, {0xb0, 0xb1, 1, F64, I64}, {0xb2, 0xb3, 1, I32, F32},
    {0xb4, 0xb5, 1, I64, F32}, {0xb6, 0xb6, 1, F64, F32}, {0xb7, 0xb8, 1, I32, F64},
    {0xb9, 0xba, 1, I64, F64}, {0xbb, 0xbb, 1, F32, F64}, {0xbc, 0xbc, 1, F32, I32},
    {0xbd, 0xbd, 1, F64, I64}, {0xbe, 0xbe, 1, I32, F32}, {0xbf, 0xbf, 1, I64, F64},
    {0xc0, 0xc1, 1, I32, I32}, {0xc2, 0xc4, 1, I64, I64},
};

static bool is_division(uint8_t opcode)
{
    return (opcode >= 0x6d && opcode <= 0x70) || (opcode >= 0x7f && opcode <= 0x82);
}

static bool is_truncation(uint8_t opcode)
{
    return (opcode >= 0xa8 && opcode <= 0xab) || (opcode >= 0xae && opcode <= 0xb1);
}

static void numeric(struct gen *g)
{
    uint8_t opcode = (uint8_t)(0x45 + below(g, 0xc5 - 0x45));
    const struct numeric *n = numerics;
    while (opcode > n->last)
        n++;
    const uint8_t args[2] = {n->arg, n->arg};
    need(g, args, n->nargs);
    bool may_trap = below(g, 50) == 0;
    if (opcode == 0x98 || opcode == 0xa6 || opcode == 0xbc || opcode == 0xbd)
        canonicalize(g, n->arg); /* copysign, reinterpret */
    if (is_division(opcode) && !may_trap) {
        /* A divisor from 1 to 127. */
        constant(g, n->arg);
        op(g, n->arg == I32 ? 0x72 : 0x84);
        op(g, n->arg == I32 ? 0x41 : 0x42);
        put_s64(&g->body, 0x7e);
        op(g, n->arg == I32 ? 0x71 : 0x83);
        op(g, n->arg == I32 ? 0x41 : 0x42);
        put_s64(&g->body, 1);
        op(g, n->arg == I32 ? 0x72 : 0x84);
    }
    if (is_truncation(opcode) && !may_trap) {
        op(g, 0xfc); /* the saturating one beside it */
        opcode = (uint8_t)(opcode >= 0xae ? opcode - 0xae + 4 : opcode - 0xa8);
    }
    op(g, opcode);
    pop(g, n->nargs);
    push(g, n->result);
    if (below(g, 3) == 0) {
        uint32_t scratch = local(g, SCRATCH + type_index(n->result));
        op_u32(g, 0x22, scratch);
        op_u32(g, 0x20, scratch);
        push(g, n->result);
        mix_top(g);
    }
}

/* The address on top is brought into the memory, or seldom not. */
static void address(struct gen *g)
{
    static const uint8_t i32[1] = {I32};
    need(g, i32, 1);
    if (below(g, 50) == 0)
        return;
    op(g, 0x41);
    put_s64(&g->body, 0xffc);
    op(g, 0x71);
}

static void memarg(struct gen *g)
{
    put_u32(&g->body, 0);
    put_u32(&g->body, below(g, 4) == 0 ? below(g, 60000) : below(g, 16));
}

static void load(struct gen *g)
{
    static const uint8_t result[] = {I32, I64, F32, F64, I32, I32, I32,
                                     I32, I64, I64, I64, I64, I64, I64};
    uint32_t which = below(g, ARRAY_LEN(result));
    address(g);
    op(g, (uint8_t)(0x28 + which));
    memarg(g);
    pop(g, 1);
    push(g, result[which]);
}

static void store(struct gen *g)
{
    static const uint8_t type[] = {I32, I64, F32, F64, I32, I32, I64, I64, I64};
    uint32_t which = below(g, ARRAY_LEN(type));
    address(g);
    push_operand(g, type[which]);
    canonicalize_if_float(g, type[which]);
    op(g, (uint8_t)(0x36 + which));
    memarg(g);
    pop(g, 2);
}

static void bulk(struct gen *g)
{
    static const uint8_t i32[1] = {I32};
    bool copy = below(g, 2) == 0;
    address(g);
    if (copy)
        op_u32(g, 0x41, below(g, 60));
    else
        push_operand(g, I32);
    op_u32(g, 0x41, below(g, 60));
    op(g, 0xfc);
    put(&g->body, copy ? 10 : 11);
    put(&g->body, 0);
    if (copy)
        put(&g->body, 0);
    pop(g, copy ? 1 : 2);
    need(g, i32, 1);
    if (below(g, 4) == 0) {
        op(g, 0x1a); /* one page more, sometimes */
        op_u32(g, 0x41, below(g, 2));
        op_u32(g, 0x40, 0);
    }
}

static void variable(struct gen *g)
{
    uint8_t type = any_type(g);
    if (below(g, 3) != 0 && g->height > g->base)
        type = g->stack[g->height - 1];
    switch (below(g, 6)) {
    case 0:
    case 1:
        push_operand(g, type);
        break;
    case 2:
    case 3:
        need(g, &type, 1);
        op_u32(g, 0x22, any_local(g, type));
        break;
    case 4:
        need(g, &type, 1);
        op_u32(g, 0x21, any_local(g, type));
        pop(g, 1);
        break;
    default:
        need(g, &type, 1);
        canonicalize_if_float(g, type);
        op_u32(g, 0x24, type_index(type));
        pop(g, 1);
        break;
    }
}

static void choose(struct gen *g)
{
    uint8_t type = any_type(g);
    const uint8_t types[3] = {type, type, I32};
    need(g, types, 3);
    if (below(g, 2) == 0) {
        op(g, 0x1b);
    } else {
        op_u32(g, 0x1c, 1);
        op(g, type);
    }
    pop(g, 3);
    push(g, type);
}

static void call(struct gen *g)
{
    if (g->func == 0)
        return;
    uint32_t callee = below(g, g->func);
    const struct signature *s = &g->signatures[g->func_types[callee]];
    if (g->height + s->nparams + s->nresults + 4 > MAX_STACK)
        return;
    need(g, s->params, s->nparams);
    if (below(g, 3) == 0) {
        uint32_t elem = below(g, 20) == 0 ? below(g, GEN_FUNCS + 3) : callee;
        op_u32(g, 0x41, elem);
        op_u32(g, 0x11, g->func_types[callee]);
        put(&g->body, 0);
    } else {
        op_u32(g, 0x10, callee);
    }
    pop(g, s->nparams);
    for (uint32_t i = 0; i < s->nresults; i++)
        push(g, s->results[i]);
}

/* The condition of a branch to `label`: for a loop, that it may still go round. */
static void condition(struct gen *g, const struct label *label)
{
    if (!label->loop) {
        push_operand(g, I32);
        return;
    }
    op_u32(g, 0x20, label->counter);
    op_u32(g, 0x41, 0);
    op(g, 0x4a);
    push(g, I32);
}

static void branch(struct gen *g)
{
    uint32_t to = below(g, g->nlabels);
    const struct label *label = &g->labels[g->nlabels - 1 - to];
    need(g, label->types, label->n);
    condition(g, label);
    op_u32(g, 0x0d, to);
    pop(g, 1);
}

/* A conditional block that leaves by br, br_table or return, with dead code after it. */
static void leave(struct gen *g)
{
    uint32_t to = below(g, g->nlabels);
    const struct label *label = &g->labels[g->nlabels - 1 - to];
    condition(g, label);
    op(g, 0x04);
    op(g, 0x40);
    pop(g, 1);
    uint32_t base = g->base, height = g->height;
    g->base = g->height;
    for (uint32_t i = 0; i < label->n; i++)
        push_operand(g, label->types[i]);
    if (label->n == 0 && !label->loop && below(g, 2) == 0) {
        push_operand(g, I32);
        op_u32(g, 0x0e, 2);
        for (uint32_t i = 0; i < 2; i++) {
            uint32_t other = below(g, g->nlabels);
            const struct label *o = &g->labels[g->nlabels - 1 - other];
            bool same = o->n == 0 && !o->loop;
            put_u32(&g->body, (same ? other : to) + 1);
        }
        put_u32(&g->body, to + 1);
    } else if (to == g->nlabels - 1) {
        op(g, 0x0f);
    } else {
        op_u32(g, 0x0c, to + 1); /* the `if` is a label too */
    }
    if (below(g, 2) == 0) {
        op(g, 0x6a); /* dead: operands of any type */
        op(g, 0x1a);
    }
    op(g, 0x0b);
    g->base = base;
    g->height = height;
}

static void steps(struct gen *g, uint32_t n);

/* The inside of a block, from its parameters, which are on the stack, to its results. */
static void inside(struct gen *g, uint32_t nparams, const uint8_t *results, uint32_t nresults,
                   bool loop)
{
    uint32_t base = g->base;
    struct label *label = &g->labels[g->nlabels++];
    uint32_t counter = local(g, COUNTERS + g->depth);
    *label = (struct label){.n = loop ? 0 : nresults, .loop = loop, .counter = counter};
    if (!loop)
        memcpy(label->types, results, nresults);
    g->base = g->height - nparams;
    g->depth++;
    if (loop) {
        pay(g);
        op_u32(g, 0x20, counter);
        op(g, 0x41);
        put_s64(&g->body, -1);
        op(g, 0x6a);
        op_u32(g, 0x21, counter);
    }
    steps(g, 2 + below(g, 8));
    if (loop) {
        condition(g, label);
        op_u32(g, 0x0d, 0);
        pop(g, 1);
    }
    finish(g, results, nresults);
    g->depth--;
    g->nlabels--;
    g->height = g->base;
    g->base = base;
}

static void block(struct gen *g)
{
    struct signature s = {.nparams = below(g, 3), .nresults = below(g, MAX_RESULTS + 1)};
    uint32_t kind = below(g, 3);
    if (g->depth >= NESTING || g->height > MAX_STACK / 2 || g->nlabels == MAX_LABELS)
        return;
    bool loop = kind == 1;
    if (loop)
        s.nparams = 0; /* so that a branch back takes nothing along */
    any_types(g, s.params, s.nparams);
    any_types(g, s.results, s.nresults);
    if (loop) {
        op_u32(g, 0x41, 1 + below(g, 4));
        op_u32(g, 0x21, local(g, COUNTERS + g->depth));
    }
    need(g, s.params, s.nparams);
    if (kind == 2)
        push_operand(g, I32);
    op(g, (uint8_t)(0x02 + kind));
    put_s64(&g->body, add_type(g, &s));
    if (kind == 2)
        pop(g, 1);
    inside(g, s.nparams, s.results, s.nresults, loop);
    if (kind == 2) {
        op(g, 0x05);
        for (uint32_t i = 0; i < s.nparams; i++)
            push(g, s.params[i]);
        inside(g, s.nparams, s.results, s.nresults, false);
    }
    op(g, 0x0b);
    for (uint32_t i = 0; i < s.nresults; i++)
        push(g, s.results[i]);
}

static void steps(struct gen *g, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        while (g->height > MAX_STACK * 3 / 4 && g->height > g->base)
            mix_top(g);
        if (g->height > MAX_STACK * 3 / 4)
            return;
        uint32_t what = below(g, 100);
        if (what < 45)
            numeric(g);
        else if (what < 65)
            variable(g);
        else if (what < 71)
            load(g);
        else if (what < 76)
            store(g);
        else if (what < 78)
            bulk(g);
        else if (what < 82)
            choose(g);
        else if (what < 85)
            call(g);
        else if (what < 89)
            branch(g);
        else if (what < 91)
            leave(g);
        else
            block(g);
    }
}

void gen_function(struct gen *g, uint32_t func)
{
    g->func = func;
    g->signature = &g->signatures[g->func_types[func]];
    g->height = g->base = g->depth = 0;
    g->labels[0] = (struct label){.n = g->signature->nresults};
    memcpy(g->labels[0].types, g->signature->results, g->signature->nresults);
    g->nlabels = 1;
    g->body.len = 0;
    /* Scratch, variables, counters. */
    static const uint8_t locals[] = {9,   1, I32, 1, I64, 1, F32, 1,           F64, 2,
                                     I32, 2, I64, 2, F32, 2, F64, NESTING + 1, I32};
    put_bytes(&g->body, locals, sizeof(locals));
    pay(g);
    for (uint32_t i = 0; i < 8; i++) {
        constant(g, (uint8_t)(I32 - i / 2));
        op_u32(g, 0x21, local(g, VARS + i));
    }
    steps(g, 20 + below(g, 60));
    while (g->height > 0)
        mix_top(g);
    for (uint32_t i = 0; i < g->signature->nresults; i++) {
        push_operand(g, g->signature->results[i]);
        g->height = 0;
    }
    op(g, 0x0b);
    put_u32(&g->code, g->body.len);
    put_bytes(&g->code, g->body.at, g->body.len);
}
