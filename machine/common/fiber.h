/* fiber.h: how every machine switches stacks.
 *
 * The build picks one assembly file by CPU and, on a host, one of fiber_plain.c, fiber_asan.c,
 * fiber_tsan.c by sanitizer: AddressSanitizer must be told of every change of stack,
 * ThreadSanitizer of every change of flow. */
#ifndef MACHINE_COMMON_FIBER_H
#define MACHINE_COMMON_FIBER_H

#include <stddef.h>

#include "kernel/machine.h"

/* Bytes at the upper end of every fiber's stack that its code does not use; a multiple of 16.
 * fiber_tsan.c keeps its handle there, which must survive from one use of a stack to the next. */
enum { FIBER_TOP_BYTES = 16 };

/* In assembly. fiber_swap stores the callee-saved registers on the running stack and its pointer
 * in from->sp, then resumes `to`. Returns, on the resumed stack, the `from` of whoever resumed it,
 * which nobody else may have touched yet. fiber_prepare builds the stack (`top` is a multiple of
 * 16) that makes the first fiber_swap call fiber_start(from, entry, arg), and returns its sp. */
struct machine_fiber *fiber_swap(struct machine_fiber *from, struct machine_fiber *to);
void *fiber_prepare(void *top, void (*entry)(void *arg), void *arg);

/* Called by assembly only; panics when `entry` returns. */
__attribute__((noreturn)) void fiber_start(struct machine_fiber *from, void (*entry)(void *arg),
                                           void *arg);

/* What machine_fiber_init does on every machine. */
void fiber_init(struct machine_fiber *fiber, void *stack, size_t stack_bytes,
                void (*entry)(void *arg), void *arg);

/* By sanitizer. fiber_switch is machine_fiber_switch; fiber_created follows the preparation of a
 * fiber on a stack that may have been in use; fiber_entered is the first thing on a new fiber;
 * fiber_stack_unused says that no fiber runs on a stack any more and it may be unmapped. */
void fiber_switch(struct machine_fiber *from, struct machine_fiber *to);
void fiber_created(struct machine_fiber *fiber);
void fiber_entered(struct machine_fiber *from);
void fiber_stack_unused(void *stack, size_t stack_bytes);

#endif
