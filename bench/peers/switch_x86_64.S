/* switch_x86_64.S: the least fiber switch: registers that a callee must keep, and the stack.
 * It ends with a jump, for the processor would predict that `ret` goes back to the caller. */
        .text
        .globl  raw_switch
        .type   raw_switch, @function
raw_switch:
        endbr64
        pushq   %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        popq    %rcx
        jmp     *%rcx
        .size   raw_switch, . - raw_switch

/* The stack pointer of a fiber that begins at entry: six registers, and where the switch jumps to.
 * The word above keeps the stack aligned as at a call. */
        .globl  raw_stack
        .type   raw_stack, @function
raw_stack:
        endbr64
        leaq    -64(%rdi), %rax
        movq    %rsi, 48(%rax)
        movq    $0, 56(%rax)
        ret
        .size   raw_stack, . - raw_stack
        .section .note.GNU-stack, "", @progbits
