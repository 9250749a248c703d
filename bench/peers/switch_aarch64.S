/* switch_aarch64.S: the least fiber switch: registers that a callee must keep, and the stack.
 * It ends with a jump, for the processor would predict that `ret` goes back to the caller. */
        .text
        .globl  raw_switch
        .type   raw_switch, %function
raw_switch:
        stp     x19, x20, [sp, #-160]!
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        stp     x29, x30, [sp, #80]
        stp     d8, d9, [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        mov     x2, sp
        str     x2, [x0]
        mov     sp, x1
        ldp     d14, d15, [sp, #144]
        ldp     d12, d13, [sp, #128]
        ldp     d10, d11, [sp, #112]
        ldp     d8, d9, [sp, #96]
        ldp     x29, x30, [sp, #80]
        ldp     x27, x28, [sp, #64]
        ldp     x25, x26, [sp, #48]
        ldp     x23, x24, [sp, #32]
        ldp     x21, x22, [sp, #16]
        ldp     x19, x20, [sp], #160
        br      x30
        .size   raw_switch, . - raw_switch

/* The stack pointer of a fiber that begins at entry: x30 is where the switch jumps to. */
        .globl  raw_stack
        .type   raw_stack, %function
raw_stack:
        sub     x0, x0, #160
        str     xzr, [x0, #80]
        str     x1, [x0, #88]
        ret
        .size   raw_stack, . - raw_stack
        .section .note.GNU-stack, "", %progbits
