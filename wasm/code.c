/* code.c: the tables of code.h, made from the lists of opcodes.h. */
#include "wasm/code.h"

#include <stddef.h>

#include "base/assert.h"
#include "base/bits.h"
#include "wasm/wasm.h"

#define FORMS_ACCESS(id, ...) [OP_##id] = {.sum = OP_##id##_SUM, .index = OP_##id##_INDEX},
#define FORMS_COMPARE_IMM(form, neg_form, id, neg) \
    [form] = {.negated = neg_form, .branch = OP_BR_##id##_I, .branch_not = OP_BR_##neg##_I},
#define FORMS_COMPARE(id, code, text, type, reg, swap, neg, expr) \
    [OP_##id] = {.imm = OP_##id##_I,                              \
                 .wide = OP_##id##_K,                             \
                 .swapped = OP_##swap,                            \
                 .negated = OP_##neg,                             \
                 .branch = OP_BR_##id,                            \
                 .branch_not = OP_BR_##neg},                      \
    FORMS_COMPARE_IMM(OP_##id##_I, OP_##neg##_I, id, neg)         \
        FORMS_COMPARE_IMM(OP_##id##_K, OP_##neg##_K, id, neg)
#define FORMS_COMPARE_F(id, ...) [OP_##id] = {.branch = OP_BR_##id, .branch_not = OP_BRN_##id},
#define FORMS_BINARY(id, code, text, type, reg, swap, expr) \
    [OP_##id] = {.imm = OP_##id##_I, .wide = OP_##id##_K, .swapped = OP_##swap},
#define FORMS_BINARY_F(id, code, text, type, reg, fuel, swap, expr) \
    [OP_##id] = {.wide = OP_##id##_K, .swapped = OP_##swap},
#define FORMS_DIVIDE(id, ...) [OP_##id] = {.imm = OP_##id##_I},

const struct op_forms op_forms[OP_COUNT] = {
    WASM_LOADS(FORMS_ACCESS) WASM_STORES(FORMS_ACCESS) WASM_INT_COMPARES(FORMS_COMPARE)
        WASM_FLOAT_COMPARES(FORMS_COMPARE_F) WASM_INT_BINARY(FORMS_BINARY)
            WASM_FLOAT_BINARY(FORMS_BINARY_F) WASM_INT_DIVIDE(FORMS_DIVIDE)};

uint16_t op_pair(uint16_t first, uint16_t second)
{
#define PAIR(id, first, second, ...) {OP_##id, OP_##first, OP_##second},
    static const struct {
        uint16_t op, first, second;
    } pairs[] = {CODE_PAIRS(PAIR)};
    ASSERT(first < OP_COUNT && second < OP_COUNT);
    for (uint32_t i = 0; i < ARRAY_LEN(pairs); i++)
        if (pairs[i].first == first && pairs[i].second == second)
            return pairs[i].op;
    return OP_NONE;
}

#define SLOT(code)                       [(code) < 0x100 ? (code) : 0x100 + ((code)&0xff)]
#define INFO_OTHER(id, code, text, fuel) SLOT(code) = {text, CLASS_OTHER, 0, 0, fuel, 0, 0, 0},
#define INFO_LOAD(id, code, text, type, mem, as, log2) \
    SLOT(code) = {text, CLASS_LOAD, WASM_I32, WASM_##type, FUEL_ACCESS, log2, OP_##id, 0},
#define INFO_STORE(id, code, text, type, mem, log2) \
    SLOT(code) = {text, CLASS_STORE, WASM_##type, 0, FUEL_ACCESS, log2, OP_##id, 0},
#define INFO_COMPARE(id, code, text, type, ...) \
    SLOT(code) = {text, CLASS_BINARY, WASM_##type, WASM_I32, FUEL_SIMPLE, 0, OP_##id, 0},
#define INFO_BINARY(id, code, text, type, ...) \
    SLOT(code) = {text, CLASS_BINARY, WASM_##type, WASM_##type, FUEL_SIMPLE, 0, OP_##id, 0},
#define INFO_DIVIDE(id, code, text, type, ...) \
    SLOT(code) = {text, CLASS_BINARY, WASM_##type, WASM_##type, FUEL_DIVIDE, 0, OP_##id, 0},
#define INFO_BINARY_F(id, code, text, type, reg, fuel, swap, expr) \
    SLOT(code) = {text, CLASS_BINARY, WASM_##type, WASM_##type, fuel, 0, OP_##id, 0},
#define INFO_UNARY(id, code, text, in, out, rin, rout, fuel, expr) \
    SLOT(code) = {text, CLASS_UNARY, WASM_##in, WASM_##out, fuel, 0, OP_##id, 0},
#define INFO_TRUNCATE(id, code, text, in, out, ...) \
    SLOT(code) = {text, CLASS_UNARY, WASM_##in, WASM_##out, FUEL_SIMPLE, 0, OP_##id, 0},
#define INFO_EQZ(id, code, text, in, eq) \
    SLOT(code) = {text, CLASS_UNARY, WASM_##in, WASM_I32, FUEL_SIMPLE, 0, OP_NONE, OP_##eq},

/* One-byte opcodes, then those after the prefix 0xfc. */
static const struct op_info infos[0x100 + 0x20] = {
    WASM_OTHER(INFO_OTHER) WASM_LOADS(INFO_LOAD) WASM_STORES(INFO_STORE)
        WASM_INT_COMPARES(INFO_COMPARE) WASM_FLOAT_COMPARES(INFO_COMPARE)
            WASM_INT_BINARY(INFO_BINARY) WASM_INT_DIVIDE(INFO_DIVIDE)
                WASM_FLOAT_BINARY(INFO_BINARY_F) WASM_UNARY(INFO_UNARY) WASM_TRUNCATE(INFO_TRUNCATE)
                    WASM_EQZ(INFO_EQZ)};

const struct op_info *op_info(uint32_t code)
{
    uint32_t i = code;
    if (code >= 0x100) {
        ASSERT(code >= 0xfc00);
        if (code - 0xfc00 >= 0x20)
            return NULL;
        i = 0x100 + (code - 0xfc00);
    }
    ASSERT(i < ARRAY_LEN(infos));
    return infos[i].text == NULL ? NULL : &infos[i];
}
