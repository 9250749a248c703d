/* firmware.S: 64 KiB of firmware for a PC that does one thing: it enters a PVH kernel with the boot
 * information that a test has put into memory. At 0x6000 is where to, at 0x7000 the information. */
#define BASE 0xffff0000
#define OFFSET(symbol) (symbol - firmware)

    .text
    .code16
firmware:
    cli
    lgdtl %cs:OFFSET(pointer)
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $0x08, $BASE + OFFSET(flat)
    .code32
flat:
    movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $0x7000, %ebx
    movl 0x6000, %eax
    jmpl *%eax
    .p2align 3
table:
    .quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
pointer:
    .word pointer - table - 1
    .long BASE + OFFSET(table)

    /* where the CPU begins */
    .org 0xfff0
    .code16
    jmp firmware
    .org 0x10000

    .section .note.GNU-stack, "", @progbits
