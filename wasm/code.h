/* code.h: the register code that functions are compiled to, and what the compiler knows of each
 * instruction.
 *
 * Code is a row of 8-byte words. An instruction's first word holds its number and up to three
 * operands of 16 bits: slots of the frame, or a small constant. A basic block begins after a word
 * whose upper half is the block's fuel: either an OP_FUEL, which pays when code runs into the
 * block, or the second word of the conditional branch before it. Whoever jumps to a block jumps
 * behind that word and pays what stands in it. */
#ifndef WASM_CODE_H
#define WASM_CODE_H

#include <stdint.h>

#include "wasm/opcodes.h"

union word {
    struct {
        uint16_t op, a, b, c;
    };
    struct {
        uint32_t lo, hi; /* a target: lo distance in words from here; hi fuel of the next block */
    };
    uint64_t bits;
};
_Static_assert(sizeof(union word) == 8, "a word is 8 bytes");

/* Instructions that are not simply a WebAssembly opcode: X(id, no code). */
#define CODE_SPECIAL(X)                                                                     \
    X(FUEL, 0)          /* hi: fuel of the block that begins after it */                    \
    X(COPY, 0)          /* a = b */                                                         \
    X(COPY_2, 0)        /* a = b, then c = slot in the lower half of the next word */       \
    X(COPY_N, 0)        /* c slots from b to a, ascending */                                \
    X(CONST, 0)         /* a = hi */                                                        \
    X(CONST_WIDE, 0)    /* a = next word */                                                 \
    X(ADDRESS, 0)       /* a = b + next word, without wrapping at 32 bits */                \
    X(SUM_AND, 0)       /* a = (b + constant c) & lower half of the next word, 32 bits */   \
    X(SELECT, 0)        /* a = lo of next word is a slot that is not 0 ? b : c */           \
    X(JUMP, 0)          /* hi: distance */                                                  \
    X(JUMP_TABLE, 0)    /* a index; hi: number of targets after it, less one */             \
    X(CALL, 0)          /* a arguments; hi: function of this module, imports not counted */ \
    X(CALL_IMPORT, 0)   /* a arguments; hi: import */                                       \
    X(CALL_INDIRECT, 0) /* a arguments, b index; next word: lo type, hi table */            \
    X(RETURN, 0)        /* no results */                                                    \
    X(RETURN_ONE, 0)    /* a */                                                             \
    X(RETURN_N, 0)      /* b results from a */                                              \
    X(TRAP, 0)          /* unreachable */                                                   \
    X(GLOBAL_GET, 0)    /* a = global b */                                                  \
    X(GLOBAL_SET, 0)    /* global b = a */                                                  \
    X(SLOW, 0)          /* a operands; hi: opcode; next word: its two immediates */         \
    X(EXIT, 0)          /* the bottom of the stack of calls */                              \
    X(BACK, 0)          /* the return from a call into another instance */

/* Two operators in one: X(id, first, second, reg, what z is, meaning). The first one's result is
 * the second's y: a = b `second` (c `first` z), where the lower half of the next word is z: a
 * constant or a slot. */
#define CODE_PAIRS(X)                                                                    \
    X(I32_SHL_XOR, I32_SHL_I, I32_XOR, U32, IMM, x ^ (y << (z & 31)))                    \
    X(I32_SHL_OR, I32_SHL_I, I32_OR, U32, IMM, x | (y << (z & 31)))                      \
    X(I32_SHL_ADD, I32_SHL_I, I32_ADD, U32, IMM, x + (y << (z & 31)))                    \
    X(I32_SHR_XOR, I32_SHR_U_I, I32_XOR, U32, IMM, x ^ (y >> (z & 31)))                  \
    X(I32_SHR_OR, I32_SHR_U_I, I32_OR, U32, IMM, x | (y >> (z & 31)))                    \
    X(I32_ROTL_XOR, I32_ROTL_I, I32_XOR, U32, IMM, x ^ (y << (z & 31) | y >> (-z & 31))) \
    X(I32_AND_OR, I32_AND_I, I32_OR, U32, IMM, x | (y & z))                              \
    X(I32_AND_ADD, I32_AND_I, I32_ADD, U32, IMM, x + (y & z))                            \
    X(I32_MUL_ADD, I32_MUL, I32_ADD, U32, SLOT, x + y * z)                               \
    X(I32_AND_XOR, I32_AND, I32_XOR, U32, SLOT, x ^ (y & z))                             \
    X(I32_XOR_XOR, I32_XOR, I32_XOR, U32, SLOT, x ^ (y ^ z))                             \
    X(I32_ADD_ADD, I32_ADD, I32_ADD, U32, SLOT, x + (y + z))                             \
    X(I64_SHL_XOR, I64_SHL_I, I64_XOR, U64, IMM, x ^ (y << (z & 63)))                    \
    X(I64_SHL_OR, I64_SHL_I, I64_OR, U64, IMM, x | (y << (z & 63)))                      \
    X(I64_SHL_ADD, I64_SHL_I, I64_ADD, U64, IMM, x + (y << (z & 63)))                    \
    X(I64_SHR_XOR, I64_SHR_U_I, I64_XOR, U64, IMM, x ^ (y >> (z & 63)))                  \
    X(I64_SHR_OR, I64_SHR_U_I, I64_OR, U64, IMM, x | (y >> (z & 63)))                    \
    X(I64_ROTL_XOR, I64_ROTL_I, I64_XOR, U64, IMM, x ^ (y << (z & 63) | y >> (-z & 63))) \
    X(I64_MUL_ADD, I64_MUL, I64_ADD, U64, SLOT, x + y * z)                               \
    X(I64_ADD_ADD, I64_ADD, I64_ADD, U64, SLOT, x + (y + z))                             \
    X(F32_MUL_ADD, F32_MUL, F32_ADD, F32, SLOT, x + y * z)                               \
    X(F64_MUL_ADD, F64_MUL, F64_ADD, F64, SLOT, x + y * z)

#define CODE_ONE(id, ...)       OP_##id,
#define CODE_ACCESS(id, ...)    OP_##id, OP_##id##_SUM, OP_##id##_INDEX,
#define CODE_IMM(id, ...)       OP_##id, OP_##id##_I,
#define CODE_BINARY(id, ...)    OP_##id, OP_##id##_I, OP_##id##_K,
#define CODE_BINARY_F(id, ...)  OP_##id, OP_##id##_K,
#define CODE_COMPARE(id, ...)   OP_##id, OP_##id##_I, OP_##id##_K, OP_BR_##id, OP_BR_##id##_I,
#define CODE_COMPARE_F(id, ...) OP_##id, OP_BR_##id, OP_BRN_##id,
enum op {
    OP_NONE,
    CODE_SPECIAL(CODE_ONE) WASM_LOADS(CODE_ACCESS) WASM_STORES(CODE_ACCESS)
        WASM_INT_COMPARES(CODE_COMPARE) WASM_FLOAT_COMPARES(CODE_COMPARE_F)
            WASM_INT_BINARY(CODE_BINARY) WASM_INT_DIVIDE(CODE_IMM) WASM_FLOAT_BINARY(CODE_BINARY_F)
                WASM_UNARY(CODE_ONE) WASM_TRUNCATE(CODE_ONE) CODE_PAIRS(CODE_ONE) OP_COUNT,
};
#undef CODE_ONE
#undef CODE_ACCESS
#undef CODE_IMM
#undef CODE_BINARY
#undef CODE_BINARY_F
#undef CODE_COMPARE
#undef CODE_COMPARE_F

/* The other forms of an instruction; OP_NONE where there is none. */
struct op_forms {
    uint16_t imm;        /* y is the constant c */
    uint16_t wide;       /* y is the next word; of comparisons, its lower half, signed */
    uint16_t swapped;    /* the same with x and y exchanged */
    uint16_t negated;    /* the opposite comparison */
    uint16_t branch;     /* branch when it is true: a = x, b = y; or hi = y, signed */
    uint16_t branch_not; /* branch when it is false */
    uint16_t sum;        /* memory at slot + the constant c, which wraps */
    uint16_t index;      /* memory at slot + slot c, which wraps */
};
extern const struct op_forms op_forms[OP_COUNT];

/* The instruction for `first` whose result is the y of `second`; OP_NONE. */
uint16_t op_pair(uint16_t first, uint16_t second);

/* What the decoder and validator know of an opcode. */
struct op_info {
    const char *text; /* NULL: illegal */
    uint8_t cls;      /* enum op_class */
    uint8_t in, out;  /* enum wasm_type */
    uint8_t fuel;
    uint8_t log2_bytes; /* loads and stores */
    uint16_t op;        /* enum op */
    uint16_t zero_of;   /* eqz: the comparison */
};
/* NULL for an opcode that does not exist. `code` as in opcodes.h. */
const struct op_info *op_info(uint32_t code);

#endif
