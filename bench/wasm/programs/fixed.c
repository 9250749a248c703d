/* fixed.c: for an interpreter that passes no arguments: run(BENCH_N) under a name without any. */
#include "bench/wasm/programs/program.h"

uint32_t fixed(void);

uint32_t fixed(void)
{
    return run(BENCH_N);
}
