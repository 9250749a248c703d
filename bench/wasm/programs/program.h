/* program.h: the one function of every benchmark program, the same text for wasm32 and native. No
 * libc: a program has its data in static arrays and makes its input itself. */
#ifndef BENCH_WASM_PROGRAMS_PROGRAM_H
#define BENCH_WASM_PROGRAMS_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

/* Does work in proportion to n (fib: exponential) and returns a checksum of its results, equal
 * wherever it runs. The same n gives the same checksum again. */
uint32_t run(uint32_t n);

/* xorshift32 (Marsaglia, 2003); the state is never 0. */
static inline uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

#endif
