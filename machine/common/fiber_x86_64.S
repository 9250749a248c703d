/* fiber_x86_64.S: switching stacks on x86_64 (System V ABI): the six callee-saved registers and
 * nothing else, no MXCSR and no x87 control word. See fiber.h.
 *
 * A suspended stack, from its sp upwards: r15 r14 r13 r12 rbx rbp, and where to go on. */
    .text

/* struct machine_fiber *fiber_swap(struct machine_fiber *from, struct machine_fiber *to)
 * The frame has one layout on both stacks, so one CFI description holds before and after. */
    .globl fiber_swap
    .hidden fiber_swap
    .type fiber_swap, @function
    .p2align 4
fiber_swap:
    .cfi_startproc
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbp, 0
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbx, 0
    pushq %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r12, 0
    pushq %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r13, 0
    pushq %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r14, 0
    pushq %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r15, 0
    movq %rsp, (%rdi)
    movq (%rsi), %rsp
    movq %rdi, %rax
    popq %r15
    .cfi_adjust_cfa_offset -8
    .cfi_same_value %r15
    popq %r14
    .cfi_adjust_cfa_offset -8
    .cfi_same_value %r14
    popq %r13
    .cfi_adjust_cfa_offset -8
    .cfi_same_value %r13
    popq %r12
    .cfi_adjust_cfa_offset -8
    .cfi_same_value %r12
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_same_value %rbx
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_same_value %rbp
    /* Not ret: the return stack predictor holds the other fiber's callers, an indirect jump is
     * predicted from where this fiber was last resumed. */
    popq %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %rcx
    jmpq *%rcx
    .cfi_endproc
    .size fiber_swap, . - fiber_swap

/* The outermost frame of every fiber: r12 is its entry, r13 its argument, rax where it came from.
 * Nothing called it, so backtraces end here. */
    .type fiber_thunk, @function
    .p2align 4
    .cfi_startproc
    .cfi_undefined %rip
    nop
fiber_thunk:
    movq %rax, %rdi
    movq %r12, %rsi
    movq %r13, %rdx
    call fiber_start
    ud2
    .cfi_endproc
    .size fiber_thunk, . - fiber_thunk

/* void *fiber_prepare(void *top, void (*entry)(void *), void *arg)
 * 72 bytes: registers, where to go on, and two zero words that keep the thunk's stack aligned. */
    .globl fiber_prepare
    .hidden fiber_prepare
    .type fiber_prepare, @function
    .p2align 4
fiber_prepare:
    .cfi_startproc
    leaq -72(%rdi), %rax
    xorl %ecx, %ecx
    movq %rcx, (%rax)
    movq %rcx, 8(%rax)
    movq %rdx, 16(%rax)
    movq %rsi, 24(%rax)
    movq %rcx, 32(%rax)
    movq %rcx, 40(%rax)
    leaq fiber_thunk(%rip), %rdx
    movq %rdx, 48(%rax)
    movq %rcx, 56(%rax)
    movq %rcx, 64(%rax)
    ret
    .cfi_endproc
    .size fiber_prepare, . - fiber_prepare

    .section .note.GNU-stack, "", @progbits
