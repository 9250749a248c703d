/* boot.h: between the architecture's first code and machine/bare: what it found out, and the way
 * through the boot.
 *
 *   entry (assembly): early page tables, a stack
 *   arch: the boot information is read into struct boot_info; what is broken ends in bare_cannot
 *   bare_boot: memory map, page tables
 *   arch_devices: exceptions, interrupt controller, clock
 *   all other CPUs: bare_cpu_main
 *   bare_main: the program */
#ifndef MACHINE_BARE_BOOT_H
#define MACHINE_BARE_BOOT_H

#include <stdint.h>

#include <tenon/limits.h>

#include "machine/bare/bare.h"
#include "machine/bare/memmap.h"

enum { BOOT_CMDLINE_MAX = 512 };
/* What is taken for page tables, stacks and loaded code; and what must be left for the kernel. */
enum { BOOT_POOL_MIN = 12 << 20, BOOT_POOL_MAX = 256 << 20, BOOT_KERNEL_MIN = 32 << 20 };

struct boot_info {
    struct memmap map;   /* as it was told: not finished; the image is not in it */
    uint64_t image_phys; /* where the image's first byte is */
    uint64_t reachable;  /* physical memory below it is mapped by the early page tables */
    uint32_t ncpus;      /* the first is the one that boots */
    char cmdline[BOOT_CMDLINE_MAX];
};

/* From the early page tables to bare_main. */
__attribute__((noreturn)) void bare_boot(struct boot_info *info);

/* By the architecture, on the final page tables and a stack with a guard page. */
void arch_devices(void);

/* Where a CPU that was started arrives, on its own stack. */
__attribute__((noreturn)) void bare_cpu_main(uint32_t cpu);

/* The interrupt IPI_ASK: with interrupts off. */
void bare_ipi(void);

/* Registers of a device, mapped for good: [phys, phys + bytes). Boot, after arch_page_use. */
volatile void *bare_device(uint64_t phys, uint64_t bytes);

/* What an exception is told as, before the machine ends. `what` names it; address is of the memory
 * access that failed, where there was one. */
struct bare_fault {
    const char *what;
    bool has_address;
    uint64_t address, pc, sp, frame_pointer;
    uint64_t link; /* where a call that led to no code would return to; 0: it was no call */
    /* The architecture's registers, four a line. */
    const char *const *names;
    const uint64_t *values;
    uint32_t nvalues;
};
__attribute__((noreturn, cold)) void bare_fault(const struct bare_fault *fault);
/* A memory access at `address` failed because nothing is mapped there: true when now there is. */
bool bare_touched(uint64_t address);

/* Text on the console while the machine comes up or ends; no lock. */
void bare_say(const char *format, ...) FMT_LIKE(1, 2);

/* In the linker script. */
extern char image_start[], image_text_end[], image_rodata_end[], image_end[];

#endif
