/* bare.h: how a program begins and ends on a bare machine, and what it may ask beside machine.h. */
#ifndef MACHINE_BARE_BARE_H
#define MACHINE_BARE_BARE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fmt.h"

/* Exit codes of the machine that do not come from the program. */
enum {
    BARE_EXIT_CANNOT = 120, /* it cannot boot: the last line on the console says why */
    BARE_EXIT_PANIC = 121,  /* machine_panic */
    BARE_EXIT_FAULT = 122,  /* an exception */
};

/* The program, linked with the machine: called on the first CPU when all CPUs are up and machine.h
 * works. What it returns, 0 to 119, is the machine's exit code. `cmdline` is what the boot loader
 * passed on, "" where it was nothing. */
uint32_t bare_main(const char *cmdline);

/* Says "tenon: cannot boot: " and why, and ends the machine with BARE_EXIT_CANNOT. */
__attribute__((noreturn, cold)) void bare_cannot(const char *format, ...) FMT_LIKE(1, 2);

/* Ends the machine. Any. */
__attribute__((noreturn)) void bare_exit(uint32_t code);

/* machine.h acts from now on as on a machine with so many CPUs, and so much memory (a multiple of 2
 * MiB) in one available region; 0: all that there are. Gives back all stacks. For programs that
 * boot one kernel after the other. False when there are not so many, with nothing changed. Boot. */
bool bare_limit(uint32_t cpus, uint64_t memory_bytes);

/* Called when the machine is about to end because of a fault, with the stack pointer of the code
 * that faulted, to say more on the console. It must not fault, wait or take a lock. */
extern void (*bare_say_more)(uint64_t sp);
/* Whether `at` can be read. Any. */
bool bare_readable(uint64_t at);

#endif
