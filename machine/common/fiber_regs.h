/* fiber_regs.h: for tests: does a call keep every callee-saved register? By CPU, in assembly. */
#ifndef MACHINE_COMMON_FIBER_REGS_H
#define MACHINE_COMMON_FIBER_REGS_H

#include <stdint.h>

/* Loads pattern + i into the i-th callee-saved register (integer, then vector), calls call(arg) and
 * returns a mask of the registers that hold something else. */
uint64_t fiber_regs_lost(void (*call)(void *arg), void *arg, uint64_t pattern);

#endif
