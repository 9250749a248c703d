/* x86_64_int.h: what the files of machine x86_64 know of each other. */
#ifndef MACHINE_X86_64_X86_64_INT_H
#define MACHINE_X86_64_X86_64_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"
#include "machine/bare/arch.h"
#include "machine/bare/boot.h"

/* A CPU's own; the GS base points to it. boot.S knows its name. */
struct percpu {
    uint32_t cpu; /* number; read through GS */
    uint32_t apic_id;
    uint64_t gdt[8]; /* with the CPU's own task state, which holds the stacks for traps */
    uint8_t task_state[104];
} __attribute__((aligned(64)));
extern struct percpu percpu[TN_CPUS_MAX];

/* What boot_ap_high of boot.S reads. */
struct ap_slot {
    void *stack;
    struct percpu *percpu;
    uint32_t cpu;
    atomic_u32 taken;
    uint64_t tables;
};
_Static_assert(offsetof(struct ap_slot, percpu) == 8 && offsetof(struct ap_slot, cpu) == 16 &&
                   offsetof(struct ap_slot, taken) == 20 && offsetof(struct ap_slot, tables) == 24,
               "boot.S knows these");

/* As trap.S pushes it. */
struct trap_frame {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

enum { VECTOR_TIMER = 0xf0, VECTOR_IPI = 0xf1, VECTOR_SPURIOUS = 0xff };

/* trap.c: the tables of this CPU: segments, exceptions; then faults are told. */
void trap_init(struct percpu *self, void *stack_top);

/* acpi.c: what the tables that the firmware left say. Ends in bare_cannot where they are broken. */
enum { IOAPICS_MAX = 8 };
struct acpi {
    uint64_t apic_phys;
    uint64_t ioapic_phys[IOAPICS_MAX];
    uint32_t nioapics;
    uint64_t hpet_phys; /* 0: none */
};
extern struct acpi acpi;
/* The CPUs go to percpu[], that of `apic_id` first. */
void acpi_read(uint64_t rsdp_phys, uint64_t reachable, uint32_t apic_id, uint32_t *ret_ncpus);

/* apic.c: the local interrupt controllers, and the others, which are silenced. */
void apic_init(void);     /* the machine's part; then the first CPU's */
void apic_init_cpu(void); /* this CPU's part */
void apic_end(void);      /* of the interrupt that is being served */
void apic_start(uint32_t apic_id, uint32_t page, bool init); /* INIT, or begin at that page */
/* The timer counts down from `count`, once; 0: it stands. apic_timer_left: how far it is. */
void apic_timer(uint32_t count);
uint32_t apic_timer_left(void);

/* clock.c: the time stamp counter, and what it was measured by. */
void clock_init(void);
void clock_wait_ns(uint64_t ns);

/* serial.c */
void serial_init(void);

#endif
