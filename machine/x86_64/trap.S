/* trap.S: where exceptions and interrupts arrive: a stub for each of 256 vectors, which saves all
 * general registers as struct trap_frame of x86_64_int.h. What runs then uses no others. */
    .text
    .globl trap_stubs
    .p2align 4
trap_stubs:
    .set vector, 0
    .rept 256
    .p2align 4
    /* But for those, the CPU pushes no error code. */
    .set has_error, (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17)
    .set has_error, has_error || (vector == 21) || (vector == 29) || (vector == 30)
    .if has_error == 0
    pushq $0
    .endif
    pushq $vector
    jmp trap_common
    .set vector, vector + 1
    .endr

trap_common:
    pushq %r15
    pushq %r14
    pushq %r13
    pushq %r12
    pushq %r11
    pushq %r10
    pushq %r9
    pushq %r8
    pushq %rbp
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %rbx
    pushq %rax
    cld
    movq %rsp, %rdi
    xorl %ebp, %ebp
    call trap_handle
    popq %rax
    popq %rbx
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    popq %rbp
    popq %r8
    popq %r9
    popq %r10
    popq %r11
    popq %r12
    popq %r13
    popq %r14
    popq %r15
    addq $16, %rsp
    iretq

    .section .note.GNU-stack, "", @progbits
