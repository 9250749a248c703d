/* bench.h: the programs of the WebAssembly benchmark and what runs them. */
#ifndef BENCH_WASM_BENCH_H
#define BENCH_WASM_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAX_RUNS = 101, PATH_BYTES = 4096 };

/* The programs, built natively under these names (run_fib is run of programs/fib.c). */
#define BENCH_PROGRAMS(X) X(fib) X(sieve) X(matrix) X(sha256) X(tokenizer)

/* Times in ns of CPU time, of `nruns` runs; the checksum of the last one. */
struct timing {
    uint64_t ns[MAX_RUNS];
    uint32_t checksum;
    uint64_t load_ns; /* our engine: bytes to code */
    uint64_t fuel;    /* our engine: of one run */
};

/* Where the wasm files are and how often each is run. */
struct bench {
    const char *dir; /* NAME.wasm, NAME-fixed.wasm, NAME-empty.wasm */
    const char *v8_js;
    uint32_t nruns;
    bool json;
};

/* Each returns false when the engine is not there, or failed, which it then says on stderr. */
bool run_native(const struct bench *bench, const char *name, uint32_t n, struct timing *ret_timing);
bool run_tenon(const struct bench *bench, const char *name, uint32_t n, struct timing *ret_timing);
bool run_v8(const struct bench *bench, const char *name, uint32_t n, struct timing *ret_timing);
/* Debian's wasm-interp runs the same n, given at build time; what a run with n = 0 takes, which is
 * mostly the start of the process, is taken off. */
bool run_wabt(const struct bench *bench, const char *name, uint32_t n, struct timing *ret_timing);

/* The middle one; the slower of two middle ones. n > 0. */
uint64_t median(const uint64_t *values, uint32_t n);
/* The first line that a command prints, or "". */
void first_line(const char *command, char *ret_line, size_t room);

#endif
