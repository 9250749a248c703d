/* gen_int.h: what the two halves of the module generator share. */
#ifndef TESTS_CONFORMANCE_GEN_INT_H
#define TESTS_CONFORMANCE_GEN_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/conformance/wasm_gen.h"

enum type { I32 = 0x7f, I64 = 0x7e, F32 = 0x7d, F64 = 0x7c };

enum {
    MAX_PARAMS = 4,
    MAX_RESULTS = 3,
    MAX_STACK = 64,
    MAX_LABELS = 8,
    MAX_TYPES = 4096,
    NESTING = 4,
    GAS = 2000,
    GLOBALS = 6, /* one of each type, the gas, what was seen */
    GLOBAL_GAS = 4,
    GLOBAL_SEEN = 5, /* i64 */
    /* Locals after the parameters. */
    SCRATCH = 0, /* four, one of each type: i32 i64 f32 f64 */
    VARS = 4,    /* eight, two of each type */
    COUNTERS = 12,
    LOCALS = COUNTERS + NESTING + 1,
};

struct buffer {
    uint8_t *at;
    size_t len, room;
};

struct signature {
    uint32_t nparams, nresults;
    uint8_t params[MAX_PARAMS], results[MAX_RESULTS];
};

/* A place that a branch can go to, with what it takes along. */
struct label {
    uint32_t n;
    uint8_t types[MAX_RESULTS];
    bool loop;
    uint32_t counter; /* a loop's local: how often it may still go round */
};

struct gen {
    uint64_t random;
    struct buffer types, code; /* bodies of the sections */
    uint32_t ntypes;
    struct signature signatures[MAX_TYPES];
    uint32_t func_types[GEN_FUNCS];

    /* The function that is being made. */
    uint32_t func;
    struct signature *signature;
    struct buffer body;
    uint8_t stack[MAX_STACK];
    uint32_t height, base;
    struct label labels[MAX_LABELS];
    uint32_t nlabels, depth;
};

/* gen_module.c: bytes and types. All abort when a buffer or table is full. */
void put(struct buffer *b, uint8_t byte);
void put_u32(struct buffer *b, uint64_t value);
void put_s64(struct buffer *b, int64_t value);
void put_bytes(struct buffer *b, const void *at, size_t len);
uint32_t add_type(struct gen *g, const struct signature *s);

/* A number below n > 0. */
uint32_t below(struct gen *g, uint32_t n);
uint64_t next_random(struct gen *g);
void any_types(struct gen *g, uint8_t *types, uint32_t n);

/* gen_code.c: makes function `func`, whose type is known, and appends its body to g->code. */
void gen_function(struct gen *g, uint32_t func);

#endif
