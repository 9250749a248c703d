/* fault.h: what a memory fault in this process says before it ends it. */
#ifndef MACHINE_HOSTED_FAULT_H
#define MACHINE_HOSTED_FAULT_H

#include <signal.h>
#include <stdint.h>

/* Installs the handlers of SIGSEGV and SIGBUS: a touched guard page is told as a stack overflow,
 * anything else with its address and program counter; then the action from before takes over,
 * which ends the process unless the program that embeds us set its own. `say_more` may be NULL; it
 * is called in the handler, after that. 0, or a negative errno with nothing held. Boot. */
int fault_init(void (*say_more)(void));

/* Puts the former actions back. Harmless when nothing is installed. Boot. */
void fault_destroy(void);

/* The handlers need a stack of their own in every thread that runs fibers. fault_stack_get gives
 * one or NULL; fault_stack_use makes it the calling thread's and returns what was there before,
 * for fault_stack_restore. */
void *fault_stack_get(void);
void fault_stack_put(void *stack);
stack_t fault_stack_use(void *stack);
void fault_stack_restore(const stack_t *before);

/* The program counter in a ucontext_t, by CPU. */
uint64_t fault_pc(const void *ucontext);

#endif
