/* memory.h: the kernel's one range of memory, and stacks, on a host; shared by machine/linux and
 * machine/sim. The functions of machine.h that concern memory are in memory.c and stack.c. */
#ifndef MACHINE_HOSTED_MEMORY_H
#define MACHINE_HOSTED_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* Reserves the range that machine_region(0) hands over; `bytes` is a multiple of 2 MiB, not 0.
 * 0, or a negative errno with nothing held: -EINVAL, -EBUSY when there is one, -ENOMEM. Boot. */
int hosted_memory_init(uint64_t bytes);

/* Unmaps the range. Harmless when there is none. Boot. */
void hosted_memory_destroy(void);

/* The most stacks of one size, and the most sizes, that machine_stack_get serves. Half of the
 * mappings that Linux gives a process by default (65,530) go to stacks and guards at most. */
enum { STACK_SLOTS_MAX = 16384, STACK_SIZES_MAX = 8 };

/* `address` lies in the guard page of a stack. Async-signal-safe. */
bool stack_guards(uintptr_t address);

/* `address` lies in a stack, or in the guard page of one. */
bool stack_holds(uintptr_t address);

/* Unmaps every stack, in use or not. Harmless when there is none. Boot. */
void stack_destroy(void);

#endif
