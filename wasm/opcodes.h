/* opcodes.h: every WebAssembly opcode, once. The decoder, the validator, the compiler, the
 * interpreter and the names all come from these lists.
 *
 * Where an opcode has a meaning that fits a line, the line stands here in C: x and y are the
 * operands, read and written in the register kind of the list's `reg` column (U32, U64: bits of a
 * slot; F32, F64: floats, a NaN result made canonical). */
#ifndef WASM_OPCODES_H
#define WASM_OPCODES_H

#include "wasm/fuel.h"

/* How an opcode is decoded and checked. */
enum op_class {
    CLASS_ILLEGAL,
    CLASS_UNARY,
    CLASS_BINARY,
    CLASS_LOAD,
    CLASS_STORE,
    CLASS_OTHER, /* a function of its own: the list WASM_OTHER */
};

/* X(id, code, text, fuel). Codes above 0xff are 0xfc00 + the number after the prefix 0xfc. */
#define WASM_OTHER(X)                                           \
    X(UNREACHABLE, 0x00, "unreachable", FUEL_SIMPLE)            \
    X(NOP, 0x01, "nop", FUEL_FREE)                              \
    X(BLOCK, 0x02, "block", FUEL_FREE)                          \
    X(LOOP, 0x03, "loop", FUEL_FREE)                            \
    X(IF, 0x04, "if", FUEL_SIMPLE)                              \
    X(ELSE, 0x05, "else", FUEL_FREE)                            \
    X(END, 0x0b, "end", FUEL_FREE)                              \
    X(BR, 0x0c, "br", FUEL_SIMPLE)                              \
    X(BR_IF, 0x0d, "br_if", FUEL_SIMPLE)                        \
    X(BR_TABLE, 0x0e, "br_table", FUEL_SIMPLE)                  \
    X(RETURN, 0x0f, "return", FUEL_SIMPLE)                      \
    X(CALL, 0x10, "call", FUEL_CALL)                            \
    X(CALL_INDIRECT, 0x11, "call_indirect", FUEL_CALL_INDIRECT) \
    X(DROP, 0x1a, "drop", FUEL_FREE)                            \
    X(SELECT, 0x1b, "select", FUEL_SIMPLE)                      \
    X(SELECT_TYPED, 0x1c, "select", FUEL_SIMPLE)                \
    X(LOCAL_GET, 0x20, "local.get", FUEL_SIMPLE)                \
    X(LOCAL_SET, 0x21, "local.set", FUEL_SIMPLE)                \
    X(LOCAL_TEE, 0x22, "local.tee", FUEL_SIMPLE)                \
    X(GLOBAL_GET, 0x23, "global.get", FUEL_ACCESS)              \
    X(GLOBAL_SET, 0x24, "global.set", FUEL_ACCESS)              \
    X(TABLE_GET, 0x25, "table.get", FUEL_ACCESS)                \
    X(TABLE_SET, 0x26, "table.set", FUEL_ACCESS)                \
    X(MEMORY_SIZE, 0x3f, "memory.size", FUEL_ACCESS)            \
    X(MEMORY_GROW, 0x40, "memory.grow", FUEL_GROW)              \
    X(I32_CONST, 0x41, "i32.const", FUEL_SIMPLE)                \
    X(I64_CONST, 0x42, "i64.const", FUEL_SIMPLE)                \
    X(F32_CONST, 0x43, "f32.const", FUEL_SIMPLE)                \
    X(F64_CONST, 0x44, "f64.const", FUEL_SIMPLE)                \
    X(REF_NULL, 0xd0, "ref.null", FUEL_SIMPLE)                  \
    X(REF_IS_NULL, 0xd1, "ref.is_null", FUEL_SIMPLE)            \
    X(REF_FUNC, 0xd2, "ref.func", FUEL_SIMPLE)                  \
    X(MEMORY_INIT, 0xfc08, "memory.init", FUEL_BULK)            \
    X(DATA_DROP, 0xfc09, "data.drop", FUEL_SIMPLE)              \
    X(MEMORY_COPY, 0xfc0a, "memory.copy", FUEL_BULK)            \
    X(MEMORY_FILL, 0xfc0b, "memory.fill", FUEL_BULK)            \
    X(TABLE_INIT, 0xfc0c, "table.init", FUEL_BULK)              \
    X(ELEM_DROP, 0xfc0d, "elem.drop", FUEL_SIMPLE)              \
    X(TABLE_COPY, 0xfc0e, "table.copy", FUEL_BULK)              \
    X(TABLE_GROW, 0xfc0f, "table.grow", FUEL_GROW)              \
    X(TABLE_SIZE, 0xfc10, "table.size", FUEL_ACCESS)            \
    X(TABLE_FILL, 0xfc11, "table.fill", FUEL_BULK)

/* Loads: X(id, code, text, type, in memory, as, bytes' binary logarithm). */
#define WASM_LOADS(X)                                                 \
    X(I32_LOAD, 0x28, "i32.load", I32, uint32_t, uint32_t, 2)         \
    X(I64_LOAD, 0x29, "i64.load", I64, uint64_t, uint64_t, 3)         \
    X(F32_LOAD, 0x2a, "f32.load", F32, uint32_t, uint32_t, 2)         \
    X(F64_LOAD, 0x2b, "f64.load", F64, uint64_t, uint64_t, 3)         \
    X(I32_LOAD8_S, 0x2c, "i32.load8_s", I32, int8_t, uint32_t, 0)     \
    X(I32_LOAD8_U, 0x2d, "i32.load8_u", I32, uint8_t, uint32_t, 0)    \
    X(I32_LOAD16_S, 0x2e, "i32.load16_s", I32, int16_t, uint32_t, 1)  \
    X(I32_LOAD16_U, 0x2f, "i32.load16_u", I32, uint16_t, uint32_t, 1) \
    X(I64_LOAD8_S, 0x30, "i64.load8_s", I64, int8_t, uint64_t, 0)     \
    X(I64_LOAD8_U, 0x31, "i64.load8_u", I64, uint8_t, uint64_t, 0)    \
    X(I64_LOAD16_S, 0x32, "i64.load16_s", I64, int16_t, uint64_t, 1)  \
    X(I64_LOAD16_U, 0x33, "i64.load16_u", I64, uint16_t, uint64_t, 1) \
    X(I64_LOAD32_S, 0x34, "i64.load32_s", I64, int32_t, uint64_t, 2)  \
    X(I64_LOAD32_U, 0x35, "i64.load32_u", I64, uint32_t, uint64_t, 2)

/* Stores: X(id, code, text, type, in memory, bytes' binary logarithm). */
#define WASM_STORES(X)                                    \
    X(I32_STORE, 0x36, "i32.store", I32, uint32_t, 2)     \
    X(I64_STORE, 0x37, "i64.store", I64, uint64_t, 3)     \
    X(F32_STORE, 0x38, "f32.store", F32, uint32_t, 2)     \
    X(F64_STORE, 0x39, "f64.store", F64, uint64_t, 3)     \
    X(I32_STORE8, 0x3a, "i32.store8", I32, uint8_t, 0)    \
    X(I32_STORE16, 0x3b, "i32.store16", I32, uint16_t, 1) \
    X(I64_STORE8, 0x3c, "i64.store8", I64, uint8_t, 0)    \
    X(I64_STORE16, 0x3d, "i64.store16", I64, uint16_t, 1) \
    X(I64_STORE32, 0x3e, "i64.store32", I64, uint32_t, 2)

/* Integer comparisons: X(id, code, text, type, reg, with operands swapped, negated, meaning). */
#define WASM_INT_COMPARES(X)                                                              \
    X(I32_EQ, 0x46, "i32.eq", I32, U32, I32_EQ, I32_NE, x == y)                           \
    X(I32_NE, 0x47, "i32.ne", I32, U32, I32_NE, I32_EQ, x != y)                           \
    X(I32_LT_S, 0x48, "i32.lt_s", I32, U32, I32_GT_S, I32_GE_S, (int32_t)x < (int32_t)y)  \
    X(I32_LT_U, 0x49, "i32.lt_u", I32, U32, I32_GT_U, I32_GE_U, x < y)                    \
    X(I32_GT_S, 0x4a, "i32.gt_s", I32, U32, I32_LT_S, I32_LE_S, (int32_t)x > (int32_t)y)  \
    X(I32_GT_U, 0x4b, "i32.gt_u", I32, U32, I32_LT_U, I32_LE_U, x > y)                    \
    X(I32_LE_S, 0x4c, "i32.le_s", I32, U32, I32_GE_S, I32_GT_S, (int32_t)x <= (int32_t)y) \
    X(I32_LE_U, 0x4d, "i32.le_u", I32, U32, I32_GE_U, I32_GT_U, x <= y)                   \
    X(I32_GE_S, 0x4e, "i32.ge_s", I32, U32, I32_LE_S, I32_LT_S, (int32_t)x >= (int32_t)y) \
    X(I32_GE_U, 0x4f, "i32.ge_u", I32, U32, I32_LE_U, I32_LT_U, x >= y)                   \
    X(I64_EQ, 0x51, "i64.eq", I64, U64, I64_EQ, I64_NE, x == y)                           \
    X(I64_NE, 0x52, "i64.ne", I64, U64, I64_NE, I64_EQ, x != y)                           \
    X(I64_LT_S, 0x53, "i64.lt_s", I64, U64, I64_GT_S, I64_GE_S, (int64_t)x < (int64_t)y)  \
    X(I64_LT_U, 0x54, "i64.lt_u", I64, U64, I64_GT_U, I64_GE_U, x < y)                    \
    X(I64_GT_S, 0x55, "i64.gt_s", I64, U64, I64_LT_S, I64_LE_S, (int64_t)x > (int64_t)y)  \
    X(I64_GT_U, 0x56, "i64.gt_u", I64, U64, I64_LT_U, I64_LE_U, x > y)                    \
    X(I64_LE_S, 0x57, "i64.le_s", I64, U64, I64_GE_S, I64_GT_S, (int64_t)x <= (int64_t)y) \
    X(I64_LE_U, 0x58, "i64.le_u", I64, U64, I64_GE_U, I64_GT_U, x <= y)                   \
    X(I64_GE_S, 0x59, "i64.ge_s", I64, U64, I64_LE_S, I64_LT_S, (int64_t)x >= (int64_t)y) \
    X(I64_GE_U, 0x5a, "i64.ge_u", I64, U64, I64_LE_U, I64_LT_U, x >= y)

/* Comparisons of floats: X(id, code, text, type, reg, meaning). With a NaN the negation of one is
 * not another one. */
#define WASM_FLOAT_COMPARES(X)                  \
    X(F32_EQ, 0x5b, "f32.eq", F32, F32, x == y) \
    X(F32_NE, 0x5c, "f32.ne", F32, F32, x != y) \
    X(F32_LT, 0x5d, "f32.lt", F32, F32, x < y)  \
    X(F32_GT, 0x5e, "f32.gt", F32, F32, x > y)  \
    X(F32_LE, 0x5f, "f32.le", F32, F32, x <= y) \
    X(F32_GE, 0x60, "f32.ge", F32, F32, x >= y) \
    X(F64_EQ, 0x61, "f64.eq", F64, F64, x == y) \
    X(F64_NE, 0x62, "f64.ne", F64, F64, x != y) \
    X(F64_LT, 0x63, "f64.lt", F64, F64, x < y)  \
    X(F64_GT, 0x64, "f64.gt", F64, F64, x > y)  \
    X(F64_LE, 0x65, "f64.le", F64, F64, x <= y) \
    X(F64_GE, 0x66, "f64.ge", F64, F64, x >= y)

/* Integer operators that cannot trap: X(id, code, text, type, reg, swapped or NONE, meaning). */
#define WASM_INT_BINARY(X)                                                              \
    X(I32_ADD, 0x6a, "i32.add", I32, U32, I32_ADD, x + y)                               \
    X(I32_SUB, 0x6b, "i32.sub", I32, U32, NONE, x - y)                                  \
    X(I32_MUL, 0x6c, "i32.mul", I32, U32, I32_MUL, x *y)                                \
    X(I32_AND, 0x71, "i32.and", I32, U32, I32_AND, x &y)                                \
    X(I32_OR, 0x72, "i32.or", I32, U32, I32_OR, x | y)                                  \
    X(I32_XOR, 0x73, "i32.xor", I32, U32, I32_XOR, x ^ y)                               \
    X(I32_SHL, 0x74, "i32.shl", I32, U32, NONE, x << (y & 31))                          \
    X(I32_SHR_S, 0x75, "i32.shr_s", I32, U32, NONE, (uint32_t)((int32_t)x >> (y & 31))) \
    X(I32_SHR_U, 0x76, "i32.shr_u", I32, U32, NONE, x >> (y & 31))                      \
    X(I32_ROTL, 0x77, "i32.rotl", I32, U32, NONE, x << (y & 31) | x >> (-y & 31))       \
    X(I32_ROTR, 0x78, "i32.rotr", I32, U32, NONE, x >> (y & 31) | x << (-y & 31))       \
    X(I64_ADD, 0x7c, "i64.add", I64, U64, I64_ADD, x + y)                               \
    X(I64_SUB, 0x7d, "i64.sub", I64, U64, NONE, x - y)                                  \
    X(I64_MUL, 0x7e, "i64.mul", I64, U64, I64_MUL, x *y)                                \
    X(I64_AND, 0x83, "i64.and", I64, U64, I64_AND, x &y)                                \
    X(I64_OR, 0x84, "i64.or", I64, U64, I64_OR, x | y)                                  \
    X(I64_XOR, 0x85, "i64.xor", I64, U64, I64_XOR, x ^ y)                               \
    X(I64_SHL, 0x86, "i64.shl", I64, U64, NONE, x << (y & 63))                          \
    X(I64_SHR_S, 0x87, "i64.shr_s", I64, U64, NONE, (uint64_t)((int64_t)x >> (y & 63))) \
    X(I64_SHR_U, 0x88, "i64.shr_u", I64, U64, NONE, x >> (y & 63))                      \
    X(I64_ROTL, 0x89, "i64.rotl", I64, U64, NONE, x << (y & 63) | x >> (-y & 63))       \
    X(I64_ROTR, 0x8a, "i64.rotr", I64, U64, NONE, x >> (y & 63) | x << (-y & 63))

/* Division: X(id, code, text, type, reg, overflows, meaning). y = 0 traps; so does `overflows`. */
#define WASM_INT_DIVIDE(X)                                                                 \
    X(I32_DIV_S, 0x6d, "i32.div_s", I32, U32, x == 0x80000000u && y == UINT32_MAX,         \
      (uint32_t)((int32_t)x / (int32_t)y))                                                 \
    X(I32_DIV_U, 0x6e, "i32.div_u", I32, U32, false, x / y)                                \
    X(I32_REM_S, 0x6f, "i32.rem_s", I32, U32, false,                                       \
      y == UINT32_MAX ? 0 : (uint32_t)((int32_t)x % (int32_t)y))                           \
    X(I32_REM_U, 0x70, "i32.rem_u", I32, U32, false, x % y)                                \
    X(I64_DIV_S, 0x7f, "i64.div_s", I64, U64, x == 0x8000000000000000u && y == UINT64_MAX, \
      (uint64_t)((int64_t)x / (int64_t)y))                                                 \
    X(I64_DIV_U, 0x80, "i64.div_u", I64, U64, false, x / y)                                \
    X(I64_REM_S, 0x81, "i64.rem_s", I64, U64, false,                                       \
      y == UINT64_MAX ? 0 : (uint64_t)((int64_t)x % (int64_t)y))                           \
    X(I64_REM_U, 0x82, "i64.rem_u", I64, U64, false, x % y)

/* Operators on floats: X(id, code, text, type, reg, fuel, swapped or NONE, meaning). copysign is on
 * bits. */
#define WASM_FLOAT_BINARY(X)                                                     \
    X(F32_ADD, 0x92, "f32.add", F32, F32, FUEL_SIMPLE, F32_ADD, x + y)           \
    X(F32_SUB, 0x93, "f32.sub", F32, F32, FUEL_SIMPLE, NONE, x - y)              \
    X(F32_MUL, 0x94, "f32.mul", F32, F32, FUEL_SIMPLE, F32_MUL, x *y)            \
    X(F32_DIV, 0x95, "f32.div", F32, F32, FUEL_DIVIDE, NONE, x / y)              \
    X(F32_MIN, 0x96, "f32.min", F32, F32, FUEL_SIMPLE, F32_MIN, num_min32(x, y)) \
    X(F32_MAX, 0x97, "f32.max", F32, F32, FUEL_SIMPLE, F32_MAX, num_max32(x, y)) \
    X(F32_COPYSIGN, 0x98, "f32.copysign", F32, U32, FUEL_SIMPLE, NONE,           \
      (x & 0x7fffffffu) | (y & 0x80000000u))                                     \
    X(F64_ADD, 0xa0, "f64.add", F64, F64, FUEL_SIMPLE, F64_ADD, x + y)           \
    X(F64_SUB, 0xa1, "f64.sub", F64, F64, FUEL_SIMPLE, NONE, x - y)              \
    X(F64_MUL, 0xa2, "f64.mul", F64, F64, FUEL_SIMPLE, F64_MUL, x *y)            \
    X(F64_DIV, 0xa3, "f64.div", F64, F64, FUEL_DIVIDE, NONE, x / y)              \
    X(F64_MIN, 0xa4, "f64.min", F64, F64, FUEL_SIMPLE, F64_MIN, num_min64(x, y)) \
    X(F64_MAX, 0xa5, "f64.max", F64, F64, FUEL_SIMPLE, F64_MAX, num_max64(x, y)) \
    X(F64_COPYSIGN, 0xa6, "f64.copysign", F64, U64, FUEL_SIMPLE, NONE,           \
      (x & 0x7fffffffffffffffu) | (y & 0x8000000000000000u))

/* Of one operand: X(id, code, text, in type, out type, in reg, out reg, fuel, meaning). */
#define WASM_UNARY(X)                                                                           \
    X(I32_CLZ, 0x67, "i32.clz", I32, I32, U32, U32, FUEL_SIMPLE, num_clz32(x))                  \
    X(I32_CTZ, 0x68, "i32.ctz", I32, I32, U32, U32, FUEL_SIMPLE, num_ctz32(x))                  \
    X(I32_POPCNT, 0x69, "i32.popcnt", I32, I32, U32, U32, FUEL_SIMPLE, (uint32_t)num_popcnt(x)) \
    X(I64_CLZ, 0x79, "i64.clz", I64, I64, U64, U64, FUEL_SIMPLE, num_clz64(x))                  \
    X(I64_CTZ, 0x7a, "i64.ctz", I64, I64, U64, U64, FUEL_SIMPLE, num_ctz64(x))                  \
    X(I64_POPCNT, 0x7b, "i64.popcnt", I64, I64, U64, U64, FUEL_SIMPLE, num_popcnt(x))           \
    X(F32_ABS, 0x8b, "f32.abs", F32, F32, U32, U32, FUEL_SIMPLE, x & 0x7fffffffu)               \
    X(F32_NEG, 0x8c, "f32.neg", F32, F32, U32, U32, FUEL_SIMPLE, x ^ 0x80000000u)               \
    X(F32_CEIL, 0x8d, "f32.ceil", F32, F32, F32, F32, FUEL_SIMPLE, num_ceil32(x))               \
    X(F32_FLOOR, 0x8e, "f32.floor", F32, F32, F32, F32, FUEL_SIMPLE, num_floor32(x))            \
    X(F32_TRUNC, 0x8f, "f32.trunc", F32, F32, F32, F32, FUEL_SIMPLE, num_trunc32(x))            \
    X(F32_NEAREST, 0x90, "f32.nearest", F32, F32, F32, F32, FUEL_SIMPLE, num_nearest32(x))      \
    X(F32_SQRT, 0x91, "f32.sqrt", F32, F32, F32, F32, FUEL_DIVIDE, __builtin_sqrtf(x))          \
    X(F64_ABS, 0x99, "f64.abs", F64, F64, U64, U64, FUEL_SIMPLE, x & 0x7fffffffffffffffu)       \
    X(F64_NEG, 0x9a, "f64.neg", F64, F64, U64, U64, FUEL_SIMPLE, x ^ 0x8000000000000000u)       \
    X(F64_CEIL, 0x9b, "f64.ceil", F64, F64, F64, F64, FUEL_SIMPLE, num_ceil64(x))               \
    X(F64_FLOOR, 0x9c, "f64.floor", F64, F64, F64, F64, FUEL_SIMPLE, num_floor64(x))            \
    X(F64_TRUNC, 0x9d, "f64.trunc", F64, F64, F64, F64, FUEL_SIMPLE, num_trunc64(x))            \
    X(F64_NEAREST, 0x9e, "f64.nearest", F64, F64, F64, F64, FUEL_SIMPLE, num_nearest64(x))      \
    X(F64_SQRT, 0x9f, "f64.sqrt", F64, F64, F64, F64, FUEL_DIVIDE, __builtin_sqrt(x))           \
    X(I32_WRAP_I64, 0xa7, "i32.wrap_i64", I64, I32, U64, U32, FUEL_SIMPLE, (uint32_t)x)         \
    X(I64_EXTEND_I32_S, 0xac, "i64.extend_i32_s", I32, I64, U32, U64, FUEL_SIMPLE,              \
      (uint64_t)(int64_t)(int32_t)x)                                                            \
    X(I64_EXTEND_I32_U, 0xad, "i64.extend_i32_u", I32, I64, U32, U64, FUEL_SIMPLE, x)           \
    X(F32_CONVERT_I32_S, 0xb2, "f32.convert_i32_s", I32, F32, U32, F32, FUEL_SIMPLE,            \
      (float)(int32_t)x)                                                                        \
    X(F32_CONVERT_I32_U, 0xb3, "f32.convert_i32_u", I32, F32, U32, F32, FUEL_SIMPLE, (float)x)  \
    X(F32_CONVERT_I64_S, 0xb4, "f32.convert_i64_s", I64, F32, U64, F32, FUEL_SIMPLE,            \
      (float)(int64_t)x)                                                                        \
    X(F32_CONVERT_I64_U, 0xb5, "f32.convert_i64_u", I64, F32, U64, F32, FUEL_SIMPLE, (float)x)  \
    X(F32_DEMOTE_F64, 0xb6, "f32.demote_f64", F64, F32, F64, F32, FUEL_SIMPLE, (float)x)        \
    X(F64_CONVERT_I32_S, 0xb7, "f64.convert_i32_s", I32, F64, U32, F64, FUEL_SIMPLE,            \
      (double)(int32_t)x)                                                                       \
    X(F64_CONVERT_I32_U, 0xb8, "f64.convert_i32_u", I32, F64, U32, F64, FUEL_SIMPLE, (double)x) \
    X(F64_CONVERT_I64_S, 0xb9, "f64.convert_i64_s", I64, F64, U64, F64, FUEL_SIMPLE,            \
      (double)(int64_t)x)                                                                       \
    X(F64_CONVERT_I64_U, 0xba, "f64.convert_i64_u", I64, F64, U64, F64, FUEL_SIMPLE, (double)x) \
    X(F64_PROMOTE_F32, 0xbb, "f64.promote_f32", F32, F64, F32, F64, FUEL_SIMPLE, (double)x)     \
    X(I32_REINTERPRET_F32, 0xbc, "i32.reinterpret_f32", F32, I32, U32, U32, FUEL_SIMPLE, x)     \
    X(I64_REINTERPRET_F64, 0xbd, "i64.reinterpret_f64", F64, I64, U64, U64, FUEL_SIMPLE, x)     \
    X(F32_REINTERPRET_I32, 0xbe, "f32.reinterpret_i32", I32, F32, U32, U32, FUEL_SIMPLE, x)     \
    X(F64_REINTERPRET_I64, 0xbf, "f64.reinterpret_i64", I64, F64, U64, U64, FUEL_SIMPLE, x)     \
    X(I32_EXTEND8_S, 0xc0, "i32.extend8_s", I32, I32, U32, U32, FUEL_SIMPLE,                    \
      (uint32_t)(int32_t)(int8_t)x)                                                             \
    X(I32_EXTEND16_S, 0xc1, "i32.extend16_s", I32, I32, U32, U32, FUEL_SIMPLE,                  \
      (uint32_t)(int32_t)(int16_t)x)                                                            \
    X(I64_EXTEND8_S, 0xc2, "i64.extend8_s", I64, I64, U64, U64, FUEL_SIMPLE,                    \
      (uint64_t)(int64_t)(int8_t)x)                                                             \
    X(I64_EXTEND16_S, 0xc3, "i64.extend16_s", I64, I64, U64, U64, FUEL_SIMPLE,                  \
      (uint64_t)(int64_t)(int16_t)x)                                                            \
    X(I64_EXTEND32_S, 0xc4, "i64.extend32_s", I64, I64, U64, U64, FUEL_SIMPLE,                  \
      (uint64_t)(int64_t)(int32_t)x)                                                            \
    X(I32_TRUNC_SAT_F32_S, 0xfc00, "i32.trunc_sat_f32_s", F32, I32, F32, U32, FUEL_SIMPLE,      \
      num_sat_s32(x))                                                                           \
    X(I32_TRUNC_SAT_F32_U, 0xfc01, "i32.trunc_sat_f32_u", F32, I32, F32, U32, FUEL_SIMPLE,      \
      num_sat_u32(x))                                                                           \
    X(I32_TRUNC_SAT_F64_S, 0xfc02, "i32.trunc_sat_f64_s", F64, I32, F64, U32, FUEL_SIMPLE,      \
      num_sat_s32(x))                                                                           \
    X(I32_TRUNC_SAT_F64_U, 0xfc03, "i32.trunc_sat_f64_u", F64, I32, F64, U32, FUEL_SIMPLE,      \
      num_sat_u32(x))                                                                           \
    X(I64_TRUNC_SAT_F32_S, 0xfc04, "i64.trunc_sat_f32_s", F32, I64, F32, U64, FUEL_SIMPLE,      \
      num_sat_s64(x))                                                                           \
    X(I64_TRUNC_SAT_F32_U, 0xfc05, "i64.trunc_sat_f32_u", F32, I64, F32, U64, FUEL_SIMPLE,      \
      num_sat_u64(x))                                                                           \
    X(I64_TRUNC_SAT_F64_S, 0xfc06, "i64.trunc_sat_f64_s", F64, I64, F64, U64, FUEL_SIMPLE,      \
      num_sat_s64(x))                                                                           \
    X(I64_TRUNC_SAT_F64_U, 0xfc07, "i64.trunc_sat_f64_u", F64, I64, F64, U64, FUEL_SIMPLE,      \
      num_sat_u64(x))

/* Float to integer: X(id, code, text, in type, out type, in reg, out reg, in range, meaning). A NaN
 * traps, and so does what is not in range. */
#define WASM_TRUNCATE(X)                                                                          \
    X(I32_TRUNC_F32_S, 0xa8, "i32.trunc_f32_s", F32, I32, F32, U32,                               \
      x >= -2147483648.0f && x < 2147483648.0f, (uint32_t)(int32_t)x)                             \
    X(I32_TRUNC_F32_U, 0xa9, "i32.trunc_f32_u", F32, I32, F32, U32,                               \
      x > -1.0f && x < 4294967296.0f, (uint32_t)x)                                                \
    X(I32_TRUNC_F64_S, 0xaa, "i32.trunc_f64_s", F64, I32, F64, U32,                               \
      x > -2147483649.0 && x < 2147483648.0, (uint32_t)(int32_t)x)                                \
    X(I32_TRUNC_F64_U, 0xab, "i32.trunc_f64_u", F64, I32, F64, U32, x > -1.0 && x < 4294967296.0, \
      (uint32_t)x)                                                                                \
    X(I64_TRUNC_F32_S, 0xae, "i64.trunc_f32_s", F32, I64, F32, U64,                               \
      x >= -9223372036854775808.0f && x < 9223372036854775808.0f, (uint64_t)(int64_t)x)           \
    X(I64_TRUNC_F32_U, 0xaf, "i64.trunc_f32_u", F32, I64, F32, U64,                               \
      x > -1.0f && x < 18446744073709551616.0f, (uint64_t)x)                                      \
    X(I64_TRUNC_F64_S, 0xb0, "i64.trunc_f64_s", F64, I64, F64, U64,                               \
      x >= -9223372036854775808.0 && x < 9223372036854775808.0, (uint64_t)(int64_t)x)             \
    X(I64_TRUNC_F64_U, 0xb1, "i64.trunc_f64_u", F64, I64, F64, U64,                               \
      x > -1.0 && x < 18446744073709551616.0, (uint64_t)x)

/* Comparisons with zero; they become comparisons with a constant. */
#define WASM_EQZ(X)                          \
    X(I32_EQZ, 0x45, "i32.eqz", I32, I32_EQ) \
    X(I64_EQZ, 0x50, "i64.eqz", I64, I64_EQ)

#define WASM_OPCODE_ENUM(id, code, ...) WASM_OP_##id = (code),
enum wasm_opcode {
    WASM_OTHER(WASM_OPCODE_ENUM) WASM_LOADS(WASM_OPCODE_ENUM) WASM_STORES(WASM_OPCODE_ENUM)
        WASM_INT_COMPARES(WASM_OPCODE_ENUM) WASM_FLOAT_COMPARES(WASM_OPCODE_ENUM)
            WASM_INT_BINARY(WASM_OPCODE_ENUM) WASM_INT_DIVIDE(WASM_OPCODE_ENUM)
                WASM_FLOAT_BINARY(WASM_OPCODE_ENUM) WASM_UNARY(WASM_OPCODE_ENUM)
                    WASM_TRUNCATE(WASM_OPCODE_ENUM) WASM_EQZ(WASM_OPCODE_ENUM)
};
#undef WASM_OPCODE_ENUM

#endif
