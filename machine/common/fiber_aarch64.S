/* fiber_aarch64.S: switching stacks on AArch64 (AAPCS64): x19 to x30 and the low halves of v8 to
 * v15, no FPCR. See fiber.h.
 *
 * A suspended stack, from its sp upwards: x19 ... x28, x29 (frame), x30 (where to go on),
 * d8 ... d15; 160 bytes. */
    .text

/* struct machine_fiber *fiber_swap(struct machine_fiber *from, struct machine_fiber *to)
 * x0 stays `from`: it is what the resumed side gets. */
    .globl fiber_swap
    .hidden fiber_swap
    .type fiber_swap, %function
    .p2align 4
fiber_swap:
    .cfi_startproc
    sub sp, sp, #160
    .cfi_def_cfa_offset 160
    stp x19, x20, [sp]
    .cfi_rel_offset x19, 0
    .cfi_rel_offset x20, 8
    stp x21, x22, [sp, #16]
    .cfi_rel_offset x21, 16
    .cfi_rel_offset x22, 24
    stp x23, x24, [sp, #32]
    .cfi_rel_offset x23, 32
    .cfi_rel_offset x24, 40
    stp x25, x26, [sp, #48]
    .cfi_rel_offset x25, 48
    .cfi_rel_offset x26, 56
    stp x27, x28, [sp, #64]
    .cfi_rel_offset x27, 64
    .cfi_rel_offset x28, 72
    stp x29, x30, [sp, #80]
    .cfi_rel_offset x29, 80
    .cfi_rel_offset x30, 88
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x2, sp
    str x2, [x0]
    ldr x2, [x1]
    mov sp, x2
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
    add sp, sp, #160
    .cfi_def_cfa_offset 0
    .cfi_same_value x19
    .cfi_same_value x20
    .cfi_same_value x21
    .cfi_same_value x22
    .cfi_same_value x23
    .cfi_same_value x24
    .cfi_same_value x25
    .cfi_same_value x26
    .cfi_same_value x27
    .cfi_same_value x28
    .cfi_same_value x29
    .cfi_same_value x30
    br x30
    .cfi_endproc
    .size fiber_swap, . - fiber_swap

/* The outermost frame of every fiber: x19 is its entry, x20 its argument, x0 where it came from.
 * Nothing called it, so backtraces end here. */
    .type fiber_thunk, %function
    .p2align 4
    .cfi_startproc
    .cfi_undefined x30
    nop
fiber_thunk:
    mov x1, x19
    mov x2, x20
    bl fiber_start
    brk #0
    .cfi_endproc
    .size fiber_thunk, . - fiber_thunk

/* void *fiber_prepare(void *top, void (*entry)(void *), void *arg) */
    .globl fiber_prepare
    .hidden fiber_prepare
    .type fiber_prepare, %function
    .p2align 4
fiber_prepare:
    .cfi_startproc
    sub x3, x0, #160
    stp x1, x2, [x3]
    stp xzr, xzr, [x3, #16]
    stp xzr, xzr, [x3, #32]
    stp xzr, xzr, [x3, #48]
    stp xzr, xzr, [x3, #64]
    adr x4, fiber_thunk
    stp xzr, x4, [x3, #80]
    stp xzr, xzr, [x3, #96]
    stp xzr, xzr, [x3, #112]
    stp xzr, xzr, [x3, #128]
    stp xzr, xzr, [x3, #144]
    mov x0, x3
    ret
    .cfi_endproc
    .size fiber_prepare, . - fiber_prepare

    .section .note.GNU-stack, "", %progbits
