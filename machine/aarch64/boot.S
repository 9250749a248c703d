/* boot.S: the way into C on AArch64: an image as Linux's (Documentation/arm64/booting), entered
 * with the MMU off and the device tree in x0; and the entry of other CPUs. From EL2 both go
 * down to EL1. The early page tables have the image at LAYOUT_IMAGE, and at LAYOUT_PHYS the first
 * GiB of physical memory, where devices are, and those of the image and the device tree.
 *
 * Code runs on SP_EL0; SP_EL1 is the stack for exceptions. */
#define BLOCK_NORMAL 0x701 /* valid, read and write, inner shareable, accessed */
#define BLOCK_DEVICE 0x405 /* the second kind of memory, in order */
#define TABLE 3
#define NO_EXECUTE (3 << 53)

/* Kinds of memory: 0 is cached, 1 is of devices (nGnRE). */
#define MAIR 0x04ff
/* 48 bits both, pages of 4 KiB, cached walks; the physical size is added. */
#define TCR 0xb5103510
#define TCR_SIZE_SHIFT 32
#define SCTLR_OFF 0x30d00800
#define SCTLR_ON 0x30d0198d /* MMU, caches, checks of the stack's alignment */
#define HCR_RW (1 << 31)
#define SPSR_EL1H 0x3c5

    .section .head, "ax"
    .globl image_head
image_head:
    b boot_first
    .long 0
    .quad 0 /* from a boundary of 2 MiB on */
    .quad image_bytes
    .quad 0xa /* little-endian, pages of 4 KiB, anywhere */
    .quad 0, 0, 0
    .ascii "ARM\x64"
    .long 0

    .text
boot_first:
    mov x19, x0
    bl to_el1
    adrp x20, image_start

    /* The tables. x20: where the image is, x21: where a table is. */
    adrp x21, early_image_l2
    mov x2, #BLOCK_NORMAL
    orr x2, x2, x20
    mov x3, #8
1:  str x2, [x21], #8 /* 16 MiB of it */
    add x2, x2, #0x200000
    subs x3, x3, #1
    b.ne 1b
    adrp x21, early_image_l1
    adrp x2, early_image_l2
    orr x2, x2, #TABLE
    str x2, [x21, #510 * 8]
    adrp x21, early_phys_l1
    mov x2, #BLOCK_DEVICE
    movk x2, #0x60, lsl #48
    str x2, [x21]
    lsr x3, x20, #30
    mov x2, #BLOCK_NORMAL
    orr x2, x2, x3, lsl #30
    str x2, [x21, x3, lsl #3]
    adrp x4, early_low_l1
    str x2, [x4, x3, lsl #3]
    lsr x3, x19, #30
    cbz x3, 2f /* none, or in what is for devices */
    cmp x3, #512
    b.hs 2f
    mov x2, #BLOCK_NORMAL
    orr x2, x2, x3, lsl #30
    str x2, [x21, x3, lsl #3]
2:  adrp x2, early_phys_l1
    orr x2, x2, #TABLE
    adrp x21, early_high_l0
    str x2, [x21, #256 * 8]
    adrp x2, early_image_l1
    orr x2, x2, #TABLE
    str x2, [x21, #511 * 8]
    adrp x21, early_low_l0
    adrp x2, early_low_l1
    orr x2, x2, #TABLE
    str x2, [x21]
    /* What caches may hold of them is older. */
    dmb sy
    adrp x2, early_tables
    add x3, x2, #0x6000
3:  dc ivac, x2
    add x2, x2, #16
    cmp x2, x3
    b.lo 3b
    dsb sy

    ldr x28, =boot_high
    b mmu_on
boot_high:
    ldr x2, =image_data_end /* the rest is as it is in memory; nobody has written it */
    ldr x3, =image_end
4:  str xzr, [x2], #8
    cmp x2, x3
    b.lo 4b
    ldr x2, =early_trap_stack_top
    mov sp, x2
    msr spsel, #0
    ldr x2, =early_stack_top
    mov sp, x2
    msr tpidr_el1, xzr
    mov x29, xzr
    mov x30, xzr
    mov x0, x19
    mov x1, x20
    bl arm_boot
    brk #0

/* A CPU that PSCI starts: x0 is the physical address of its struct cpu_slot. */
    .globl boot_other
boot_other:
    mov x19, x0
    bl to_el1
    ldr x28, =boot_other_high
    b mmu_on
boot_other_high:
    ldr x2, =cpu_slot
    ldr x3, [x2]
    msr ttbr1_el1, x3
    isb
    tlbi vmalle1
    dsb nsh
    isb
    ldr x3, [x2, #16]
    mov sp, x3
    msr spsel, #0
    ldr x3, [x2, #8]
    mov sp, x3
    ldr x0, [x2, #24]
    msr tpidr_el1, x0
    mov x29, xzr
    mov x30, xzr
    bl arm_cpu
    brk #0

/* x28: where to go on, in the upper half. */
mmu_on:
    adrp x2, early_low_l0
    msr ttbr0_el1, x2
    adrp x2, early_high_l0
    msr ttbr1_el1, x2
    mov x2, #MAIR
    msr mair_el1, x2
    ldr x2, =TCR
    mrs x3, id_aa64mmfr0_el1
    and x3, x3, #15
    mov x4, #5 /* 48 bits, and no more with these tables */
    cmp x3, x4
    csel x3, x3, x4, lo
    orr x2, x2, x3, lsl #TCR_SIZE_SHIFT
    msr tcr_el1, x2
    mov x2, #3 << 20 /* vector registers are no exception */
    msr cpacr_el1, x2
    isb
    tlbi vmalle1
    dsb nsh
    ldr x2, =SCTLR_ON
    msr sctlr_el1, x2
    isb
    br x28

/* Returns at EL1, on SP_EL1, with interrupts off and the MMU off. */
to_el1:
    msr daifset, #15
    ldr x2, =SCTLR_OFF
    mrs x3, currentel
    cmp x3, #8
    b.eq 1f
    msr sctlr_el1, x2
    msr spsel, #1
    isb
    ret
1:  msr sctlr_el1, x2
    mov x2, #HCR_RW
    msr hcr_el2, x2
    mov x2, #3 /* the counters are EL1's, as they are */
    msr cnthctl_el2, x2
    msr cntvoff_el2, xzr
    mov x2, #0x33ff
    msr cptr_el2, x2
    msr hstr_el2, xzr
    msr vttbr_el2, xzr
    mrs x2, mpidr_el1
    msr vmpidr_el2, x2
    mrs x2, midr_el1
    msr vpidr_el2, x2
    mrs x2, id_aa64pfr0_el1
    ubfx x2, x2, #24, #4
    cbz x2, 2f
    mrs x2, s3_4_c12_c9_5 /* ICC_SRE_EL2: EL1 may use the controller by system registers */
    orr x2, x2, #1
    orr x2, x2, #8
    msr s3_4_c12_c9_5, x2
    isb
    msr s3_4_c12_c11_0, xzr /* ICH_HCR_EL2 */
2:  mov x2, #SPSR_EL1H
    msr spsr_el2, x2
    msr elr_el2, x30
    eret

    .data
    .p2align 12
early_tables:
early_high_l0:
    .skip 4096
early_low_l0:
    .skip 4096
early_low_l1:
    .skip 4096
early_phys_l1:
    .skip 4096
early_image_l1:
    .skip 4096
early_image_l2:
    .skip 4096

    .bss
    .p2align 4
    .skip 32768
early_stack_top:
    .skip 32768
    .globl early_trap_stack_top
early_trap_stack_top:

    .section .note.GNU-stack, "", %progbits
