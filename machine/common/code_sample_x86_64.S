/* code_sample_x86_64.S: for tests: position-independent code to copy; it returns 1742. */
    .section .rodata
    .globl code_sample
    .globl code_sample_end
code_sample:
    movl $1742, %eax
    ret
code_sample_end:

    .section .note.GNU-stack, "", @progbits
