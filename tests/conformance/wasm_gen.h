/* wasm_gen.h: valid WebAssembly modules made at random, for comparing engines. */
#ifndef TESTS_CONFORMANCE_WASM_GEN_H
#define TESTS_CONFORMANCE_WASM_GEN_H

#include <stddef.h>
#include <stdint.h>

enum { GEN_MODULE_BYTES = 1 << 20, GEN_FUNCS = 10 };

/* Writes a module into ret_bytes (GEN_MODULE_BYTES of room) and returns its length. The same seed
 * gives the same module. It exports functions without parameters and with one result, i32 or i64,
 * named f0, f1, ... and, last, `state`, a hash of its memory and globals. It imports nothing, and
 * always ends: every function and loop pays from a counter and traps when that is used up. No NaN
 * payload or sign reaches an integer, memory or a result, so all correct engines agree. */
size_t gen_module(uint64_t seed, uint8_t *ret_bytes);

#endif
