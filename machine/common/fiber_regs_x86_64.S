/* fiber_regs_x86_64.S: see fiber_regs.h; rbx rbp r12 r13 r14 r15 are bits 0 to 5. */
    .text
    .globl fiber_regs_lost
    .type fiber_regs_lost, @function
    .p2align 4
fiber_regs_lost:
    .cfi_startproc
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    pushq %rdx
    .cfi_adjust_cfa_offset 56
    leaq 0(%rdx), %rbx
    leaq 1(%rdx), %rbp
    leaq 2(%rdx), %r12
    leaq 3(%rdx), %r13
    leaq 4(%rdx), %r14
    leaq 5(%rdx), %r15
    movq %rdi, %rax
    movq %rsi, %rdi
    call *%rax
    xorl %eax, %eax
    popq %rdx
    .cfi_adjust_cfa_offset -8

    .macro check reg, offset, bit
    leaq \offset(%rdx), %rcx
    cmpq %rcx, \reg
    je 1f
    orq $\bit, %rax
1:
    .endm
    check %rbx, 0, 1
    check %rbp, 1, 2
    check %r12, 2, 4
    check %r13, 3, 8
    check %r14, 4, 16
    check %r15, 5, 32

    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    .cfi_adjust_cfa_offset -48
    ret
    .cfi_endproc
    .size fiber_regs_lost, . - fiber_regs_lost

    .section .note.GNU-stack, "", @progbits
