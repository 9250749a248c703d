/* fiber_checks.h: what must hold of machine_fiber_*, told without a test library, so that the same
 * checks run natively and cross-compiled. Each returns NULL, or what is wrong. Call on a CPU. */
#ifndef MACHINE_COMMON_FIBER_CHECKS_H
#define MACHINE_COMMON_FIBER_CHECKS_H

/* Two fibers that each switch 10,000 times get their own argument and interleave exactly. */
const char *fiber_check_switches(void);
/* Fibers that resume fibers, 16 deep, return through all of them. */
const char *fiber_check_nesting(void);
/* A fiber starts with the stack aligned as the ABI asks, within its own stack. */
const char *fiber_check_alignment(void);
/* Every callee-saved register survives a switch to a fiber that changes all of them. */
const char *fiber_check_registers(void);
/* An abandoned fiber's stack serves the next fiber, 1,000 times. */
const char *fiber_check_reuse(void);

#endif
