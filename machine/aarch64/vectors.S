/* vectors.S: where exceptions arrive. All registers are saved as struct trap_frame, on SP_EL1; the
 * code that runs then uses no vector registers. */
    .text
    .macro arrive kind
    .p2align 7
    sub sp, sp, #288
    stp x0, x1, [sp]
    mov x0, #\kind
    b trap_common
    .endm

    .globl trap_vectors
    .p2align 11
trap_vectors:
    /* from code, which is on SP_EL0: synchronous, interrupt, fast interrupt, error */
    arrive 0
    arrive 1
    arrive 2
    arrive 3
    /* from a handler of these */
    arrive 4
    arrive 5
    arrive 6
    arrive 7
    /* from user mode, of either width */
    arrive 8
    arrive 9
    arrive 10
    arrive 11
    arrive 12
    arrive 13
    arrive 14
    arrive 15

trap_common:
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x16, x17, [sp, #128]
    stp x18, x19, [sp, #144]
    stp x20, x21, [sp, #160]
    stp x22, x23, [sp, #176]
    stp x24, x25, [sp, #192]
    stp x26, x27, [sp, #208]
    stp x28, x29, [sp, #224]
    mrs x1, sp_el0
    stp x30, x1, [sp, #240]
    mrs x2, elr_el1
    mrs x3, spsr_el1
    stp x2, x3, [sp, #256]
    mrs x2, esr_el1
    mrs x3, far_el1
    stp x2, x3, [sp, #272]
    mov x1, sp
    mov x29, xzr
    bl trap_handle
    ldp x2, x3, [sp, #256]
    msr elr_el1, x2
    msr spsr_el1, x3
    ldp x0, x1, [sp]
    ldp x2, x3, [sp, #16]
    ldp x4, x5, [sp, #32]
    ldp x6, x7, [sp, #48]
    ldp x8, x9, [sp, #64]
    ldp x10, x11, [sp, #80]
    ldp x12, x13, [sp, #96]
    ldp x14, x15, [sp, #112]
    ldp x16, x17, [sp, #128]
    ldp x18, x19, [sp, #144]
    ldp x20, x21, [sp, #160]
    ldp x22, x23, [sp, #176]
    ldp x24, x25, [sp, #192]
    ldp x26, x27, [sp, #208]
    ldp x28, x29, [sp, #224]
    ldr x30, [sp, #240]
    add sp, sp, #288
    eret

    .section .note.GNU-stack, "", %progbits
