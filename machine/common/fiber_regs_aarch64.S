/* fiber_regs_aarch64.S: see fiber_regs.h; x19 to x29 are bits 0 to 10, d8 to d15 bits 11 to 18. */
    .macro load_x reg, offset
    add \reg, x2, #\offset
    .endm
    .macro load_d reg, offset
    add x9, x2, #\offset
    fmov \reg, x9
    .endm
    .macro check_x reg, offset
    add x9, x2, #\offset
    cmp \reg, x9
    b.eq 1f
    orr x0, x0, #(1 << \offset)
1:
    .endm
    .macro check_d reg, offset
    fmov x10, \reg
    check_x x10, \offset
    .endm

    .text
    .globl fiber_regs_lost
    .type fiber_regs_lost, %function
    .p2align 4
fiber_regs_lost:
    .cfi_startproc
    sub sp, sp, #176
    .cfi_def_cfa_offset 176
    stp x19, x20, [sp]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    .cfi_rel_offset x29, 80
    .cfi_rel_offset x30, 88
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    str x2, [sp, #160]

    load_x x19, 0
    load_x x20, 1
    load_x x21, 2
    load_x x22, 3
    load_x x23, 4
    load_x x24, 5
    load_x x25, 6
    load_x x26, 7
    load_x x27, 8
    load_x x28, 9
    load_x x29, 10
    load_d d8, 11
    load_d d9, 12
    load_d d10, 13
    load_d d11, 14
    load_d d12, 15
    load_d d13, 16
    load_d d14, 17
    load_d d15, 18

    mov x9, x0
    mov x0, x1
    blr x9
    ldr x2, [sp, #160]
    mov x0, #0

    check_x x19, 0
    check_x x20, 1
    check_x x21, 2
    check_x x22, 3
    check_x x23, 4
    check_x x24, 5
    check_x x25, 6
    check_x x26, 7
    check_x x27, 8
    check_x x28, 9
    check_x x29, 10
    check_d d8, 11
    check_d d9, 12
    check_d d10, 13
    check_d d11, 14
    check_d d12, 15
    check_d d13, 16
    check_d d14, 17
    check_d d15, 18

    ldp x19, x20, [sp]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #176
    .cfi_def_cfa_offset 0
    .cfi_same_value x29
    .cfi_same_value x30
    ret
    .cfi_endproc
    .size fiber_regs_lost, . - fiber_regs_lost

    .section .note.GNU-stack, "", %progbits
