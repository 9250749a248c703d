/* arch.h: what a bare machine's architecture gives to what the bare machines share (machine/bare).
 *
 * machine/x86_64 and machine/aarch64 implement it; the build picks one. "Any" as in
 * kernel/machine.h; "boot" is the first CPU before bare_main. */
#ifndef MACHINE_BARE_ARCH_H
#define MACHINE_BARE_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Page tables: both architectures have four levels of 512 entries over 48 bits, bit 0 of an entry
 * says that it is valid, and bits 12 to 47 are the physical address. */
enum page_access {
    PAGE_READ = 0,
    PAGE_WRITE = 1,
    PAGE_EXEC = 2,
    PAGE_DEVICE = 4, /* not cached, in order */
};
/* An entry for memory at `phys`: level 0 is a page of 4 KiB, 1 of 2 MiB. */
uint64_t arch_page_leaf(uint64_t phys, uint32_t access, uint32_t level);
uint64_t arch_page_table(uint64_t phys);
bool arch_page_is_leaf(uint64_t entry, uint32_t level);
uint32_t arch_page_access(uint64_t entry);
/* Makes stores to page tables seen by the table walk of this CPU; of a page that was not mapped
 * before. Any. */
void arch_page_filled(void);
/* Forgets what this CPU remembers of page tables, of all pages or of one. Any. */
void arch_page_forget_all(void);
void arch_page_forget(uint64_t at);
/* This CPU uses the tables from now on, whose root is at `phys`. */
void arch_page_use(uint64_t phys);
/* New code in [at, at + bytes) is visible to instruction fetch, of this CPU and, after they have
 * taken an interrupt, of all others. Any. */
void arch_code_written(void *at, size_t bytes);

/* CPUs are numbered as in machine.h; the number of the calling one. Any. */
uint32_t arch_this_cpu(void);
/* Starts CPU number `cpu` on `stack` (its upper end), in bare_cpu_main, with another stack for
 * faults and interrupts. False when it does not come. Boot. */
bool arch_cpu_start(uint32_t cpu, void *stack_top, void *trap_stack_top);
/* The same of the first CPU, which goes on where it is: its stack for faults and interrupts. */
void arch_trap_stack(void *trap_stack_top);

/* A full memory barrier. Any. */
void arch_fence(void);
/* Interrupts of this CPU; arch_irq_off says whether they were on. */
bool arch_irq_off(void);
void arch_irq_on(void);
/* With interrupts off: sleeps until one is there, takes it, returns with interrupts off. May return
 * early. */
void arch_halt(void);
/* The interrupt that does nothing but end arch_halt, or makes the CPU call bare_ipi, or stops it
 * for good. Any. */
enum arch_ipi { IPI_WAKE, IPI_ASK, IPI_STOP, IPI_KINDS };
void arch_ipi(uint32_t cpu, enum arch_ipi kind);
/* This CPU's timer ends arch_halt at `at_ns` of arch_clock_ns or some time before it; UINT64_MAX:
 * not at all. With interrupts off. */
void arch_timer_set(uint64_t at_ns);

/* Nanoseconds since boot; and since 1970, or since boot where there is no clock for it. Any. */
uint64_t arch_clock_ns(void);
uint64_t arch_wall_ns(void);
/* Up to `len` unpredictable bytes; returns how many. Any. */
size_t arch_entropy(void *at, size_t len);

/* The console, one byte after the other; works from the first instruction of C. Any. */
void arch_console(const char *at, size_t len);
/* Ends the machine with an exit code, 0 to 127, where there is somebody to take it; halts where
 * nothing can be ended. Any. */
__attribute__((noreturn)) void arch_exit(uint32_t code);
/* This CPU sleeps for good. */
__attribute__((noreturn)) void arch_stop(void);

#endif
