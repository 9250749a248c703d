/* aarch64_int.h: what the files of machine aarch64 know of each other. */
#ifndef MACHINE_AARCH64_AARCH64_INT_H
#define MACHINE_AARCH64_AARCH64_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"
#include "machine/bare/arch.h"
#include "machine/bare/boot.h"
#include "machine/bare/fdt.h"

#define SYSTEM_READ(name)                                            \
    __extension__({                                                  \
        uint64_t value_;                                             \
        __asm__ volatile("mrs %0, " #name : "=r"(value_)::"memory"); \
        value_;                                                      \
    })
#define SYSTEM_WRITE(name, value) \
    __asm__ volatile("msr " #name ", %0" ::"r"((uint64_t)(value)) : "memory")

/* As vectors.S saves it. */
struct trap_frame {
    uint64_t x[31], sp, pc, pstate, syndrome, address;
};
_Static_assert(sizeof(struct trap_frame) == 288, "vectors.S knows it");

/* What boot_other_high of boot.S reads. */
struct cpu_slot {
    uint64_t tables;
    void *stack, *trap_stack;
    uint64_t cpu;
};
_Static_assert(offsetof(struct cpu_slot, stack) == 8 &&
                   offsetof(struct cpu_slot, trap_stack) == 16 &&
                   offsetof(struct cpu_slot, cpu) == 24,
               "boot.S knows these");

/* board.c: what the device tree says is there. */
enum { GIC_REDISTRIBUTORS_MAX = 8, BOARD_SEED_BYTES = 32 };
struct board {
    uint64_t mpidr[TN_CPUS_MAX]; /* affinity of each CPU */
    uint32_t gic_version;        /* 2 or 3 */
    uint64_t gic_phys, gic_cpu_phys;
    struct {
        uint64_t phys, bytes;
    } redistributor[GIC_REDISTRIBUTORS_MAX];
    uint32_t nredistributors;
    uint32_t timer_irq;
    bool psci_by_smc;
    uint64_t uart_phys, rtc_phys; /* 0: none */
    uint8_t seed[BOARD_SEED_BYTES];
    uint32_t seed_bytes;
};
extern struct board board;
/* Reads the tree; ends in bare_cannot where something is missing or broken. */
void board_read(const struct fdt *fdt, uint64_t mpidr, struct boot_info *info);

/* gic.c: the interrupt controller. */
void gic_init(void);      /* the machine's part; then the first CPU's */
void gic_init_cpu(void);  /* this CPU's part */
uint32_t gic_begin(void); /* which interrupt is to be served */
void gic_end(uint32_t irq);
bool gic_is_none(uint32_t irq);

/* Affinity as MPIDR_EL1 has it, without what is not part of it. */
#define MPIDR_AFFINITY UINT64_C(0xff00ffffff)

void trap_handle(uint64_t kind, struct trap_frame *frame);
/* aarch64.c: a semihosting call that nobody takes comes back as an exception; true: it was that. */
bool exit_not_taken(void);

#endif
