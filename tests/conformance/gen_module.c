/* gen_module.c: valid WebAssembly modules made at random: types, sections, bytes. */
#include <stdlib.h>
#include <string.h>

#include "tests/conformance/gen_int.h"

uint64_t next_random(struct gen *g)
{
    g->random ^= g->random >> 12;
    g->random ^= g->random << 25;
    g->random ^= g->random >> 27;
    return g->random * UINT64_C(0x2545f4914f6cdd1d);
}

uint32_t below(struct gen *g, uint32_t n)
{
    return (uint32_t)((next_random(g) >> 32) % n);
}

void put(struct buffer *b, uint8_t byte)
{
    if (b->len == b->room)
        abort();
    b->at[b->len++] = byte;
}

void put_u32(struct buffer *b, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        put(b, (uint8_t)(value | 0x80));
    put(b, (uint8_t)value);
}

void put_s64(struct buffer *b, int64_t value)
{
    while (value < -64 || value > 63) {
        put(b, (uint8_t)((uint64_t)value | 0x80));
        value >>= 7;
    }
    put(b, (uint8_t)value & 0x7f);
}

void put_bytes(struct buffer *b, const void *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        put(b, ((const uint8_t *)at)[i]);
}

uint32_t add_type(struct gen *g, const struct signature *s)
{
    if (g->ntypes == MAX_TYPES)
        abort();
    g->signatures[g->ntypes] = *s;
    put(&g->types, 0x60);
    put_u32(&g->types, s->nparams);
    put_bytes(&g->types, s->params, s->nparams);
    put_u32(&g->types, s->nresults);
    put_bytes(&g->types, s->results, s->nresults);
    return g->ntypes++;
}

void any_types(struct gen *g, uint8_t *types, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        types[i] = (uint8_t)(I32 - below(g, 4));
}

static void put_section(struct buffer *out, uint8_t id, const struct buffer *body)
{
    put(out, id);
    put_u32(out, body->len);
    put_bytes(out, body->at, body->len);
}

/* () -> i64: a hash of the first 64 KiB of memory and the globals; the gas is no part of it. */
static void state_function(struct gen *g)
{
    static const uint8_t body[] = {
        2,    1,    I32,  1,    I64,                          /* locals 0: address, 1: hash */
        0x03, 0x40,                                           /* loop */
        0x20, 1,    0x42, 31,   0x7e,                         /* hash * 31 */
        0x20, 0,    0x29, 3,    0,    0x85, 0x21, 1,          /* ^ i64.load(address) */
        0x20, 0,    0x41, 8,    0x6a, 0x22, 0,                /* address += 8 */
        0x41, 0x80, 0x80, 0x04, 0x49, 0x0d, 0,    0x0b,       /* while < 65536 */
        0x20, 1,    0x23, 0,    0xad, 0x7c, 0x42, 31,   0x7e, /* + global 0, ... */
        0x23, 1,    0x7c, 0x42, 31,   0x7e, 0x23, 2,    0xbc, 0xad,        0x7c, 0x42, 31,
        0x7e, 0x23, 3,    0xbd, 0x7c, 0x42, 31,   0x7e, 0x23, GLOBAL_SEEN, 0x7c, 0x0b,
    };
    put_u32(&g->code, sizeof(body));
    put_bytes(&g->code, body, sizeof(body));
}

/* f0, f1, ...: the functions without parameters and with one integer result; then `state`. */
static void put_exports(struct gen *g, struct buffer *section)
{
    uint32_t n = 1;
    struct buffer list = {.at = malloc(4096), .room = 4096};
    if (list.at == NULL)
        abort();
    for (uint32_t i = 0; i < GEN_FUNCS; i++) {
        const struct signature *s = &g->signatures[g->func_types[i]];
        if (s->nparams > 0 || s->nresults != 1 || s->results[0] < I64)
            continue;
        put(&list, 2);
        put(&list, 'f');
        put(&list, (uint8_t)('0' + i));
        put(&list, 0);
        put_u32(&list, i);
        n++;
    }
    put_u32(section, n);
    put_bytes(section, list.at, list.len);
    put(section, 5);
    put_bytes(section, "state", 5);
    put(section, 0);
    put_u32(section, GEN_FUNCS);
    free(list.at);
}

static void put_small_sections(struct buffer *out, const struct gen *g)
{
    static const uint8_t table[] = {1, 0x70, 0, GEN_FUNCS + 2};
    static const uint8_t memory[] = {1, 1, 1, 3};
    put(out, 3);
    struct buffer funcs = {.at = malloc(4096), .room = 4096};
    if (funcs.at == NULL)
        abort();
    put_u32(&funcs, GEN_FUNCS + 1);
    for (uint32_t i = 0; i < GEN_FUNCS; i++)
        put_u32(&funcs, g->func_types[i]);
    put_u32(&funcs, 0); /* state: type 0 */
    put_u32(out, funcs.len);
    put_bytes(out, funcs.at, funcs.len);
    free(funcs.at);
    put(out, 4);
    put_u32(out, sizeof(table));
    put_bytes(out, table, sizeof(table));
    put(out, 5);
    put_u32(out, sizeof(memory));
    put_bytes(out, memory, sizeof(memory));
    static const uint8_t globals[] = {GLOBALS,  I32,  1,    0x41, 7,    0x0b, I64,
                                      1,        0x42, 9,    0x0b, F32,  1,    0x43,
                                      0,        0,    0x80, 0x3f, 0x0b, F64,  1,
                                      0x44,     0,    0,    0,    0,    0,    0,
                                      0xf0,     0x3f, 0x0b, I32,  1,    0x41, 0x80 | (GAS & 0x7f),
                                      GAS >> 7, 0x0b, I64,  1,    0x42, 0,    0x0b};
    put(out, 6);
    put_u32(out, sizeof(globals));
    put_bytes(out, globals, sizeof(globals));
}

/* The header and all sections, in their order. */
static size_t assemble(struct gen *g, uint8_t *ret_bytes)
{
    struct buffer out = {.at = ret_bytes, .room = GEN_MODULE_BYTES};
    struct buffer section = {.at = malloc(GEN_MODULE_BYTES), .room = GEN_MODULE_BYTES};
    if (section.at == NULL)
        abort();
    put_bytes(&out, "\0asm\1\0\0\0", 8);
    put_u32(&section, g->ntypes);
    put_bytes(&section, g->types.at, g->types.len);
    put_section(&out, 1, &section);
    put_small_sections(&out, g);
    section.len = 0;
    put_exports(g, &section);
    put_section(&out, 7, &section);
    /* The table holds every function; two places stay null. */
    section.len = 0;
    static const uint8_t elem_head[] = {1, 0, 0x41, 0, 0x0b, GEN_FUNCS};
    put_bytes(&section, elem_head, sizeof(elem_head));
    for (uint32_t i = 0; i < GEN_FUNCS; i++)
        put_u32(&section, i);
    put_section(&out, 9, &section);
    section.len = 0;
    put_u32(&section, GEN_FUNCS + 1);
    put_bytes(&section, g->code.at, g->code.len);
    put_section(&out, 10, &section);
    free(section.at);
    return out.len;
}

static struct buffer new_buffer(void)
{
    struct buffer b = {.at = malloc(GEN_MODULE_BYTES / 2), .room = GEN_MODULE_BYTES / 2};
    if (b.at == NULL)
        abort();
    return b;
}

size_t gen_module(uint64_t seed, uint8_t *ret_bytes)
{
    static struct gen g;
    g = (struct gen){.random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1};
    g.types = new_buffer();
    g.code = new_buffer();
    g.body = new_buffer();
    const struct signature state = {.nresults = 1, .results = {I64}};
    add_type(&g, &state);
    for (uint32_t i = 0; i < GEN_FUNCS; i++) {
        struct signature s = {.nparams = below(&g, MAX_PARAMS + 1),
                              .nresults = below(&g, MAX_RESULTS + 1)};
        any_types(&g, s.params, s.nparams);
        any_types(&g, s.results, s.nresults);
        if (i % 2 != 0)
            s = (struct signature){.nresults = 1, .results = {i % 3 == 0 ? I32 : I64}};
        g.func_types[i] = add_type(&g, &s);
    }
    for (uint32_t i = 0; i < GEN_FUNCS; i++)
        gen_function(&g, i);
    state_function(&g);
    size_t len = assemble(&g, ret_bytes);
    free(g.types.at);
    free(g.code.at);
    free(g.body.at);
    return len;
}
