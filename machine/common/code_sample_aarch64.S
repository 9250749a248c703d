/* code_sample_aarch64.S: for tests: position-independent code to copy; it returns 1742. */
    .section .rodata
    .globl code_sample
    .globl code_sample_end
    .p2align 2
code_sample:
    mov w0, #1742
    ret
code_sample_end:

    .section .note.GNU-stack, "", %progbits
