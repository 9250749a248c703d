/* boot.S: the way into C on x86_64: from PVH's 32-bit entry, and from the real mode in which other
 * CPUs begin. Both end in 64-bit mode on early page tables, where the first 4 GiB of physical
 * memory are at 0 and at LAYOUT_PHYS, and the first GiB at LAYOUT_IMAGE. The lower half is gone as
 * soon as a CPU uses the final tables. */
#define BASE 0xffffffff80000000 /* LAYOUT_IMAGE */
#define LOW(symbol) (symbol - BASE)

#define MSR_EFER 0xc0000080
#define MSR_GS_BASE 0xc0000101
#define EFER_LME_NXE 0x900
#define CR0_PG_WP_NE_MP_PE 0x80010023
#define CR4_PAE_SSE 0x620

/* For the loader: where PVH enters, a physical address. */
    .section .note.pvh, "a", @note
    .p2align 2
    .long 4, 8, 18 /* lengths of name and value; XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .quad LOW(boot_pvh)

    .text
    .code32
    .globl boot_pvh
/* ebx: physical address of the start info. Flat 32-bit segments, no paging, no stack. */
boot_pvh:
    cli
    cld
    movl %ebx, %edi
    xorl %esi, %esi
    jmp boot_long

/* A CPU that comes from ap_start, which is flat and 32-bit by now. */
boot_ap:
    movl $1, %esi

/* esi: 0 for the first CPU, whose edi is kept. */
boot_long:
    movl $CR4_PAE_SSE, %eax
    movl %eax, %cr4
    movl $LOW(early_l4), %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_LME_NXE, %eax
    wrmsr
    movl $CR0_PG_WP_NE_MP_PE, %eax
    movl %eax, %cr0
    lgdtl LOW(early_gdt_low)
    ljmpl $0x08, $LOW(boot_64)

    .code64
boot_64:
    movabsq $boot_high, %rax
    jmpq *%rax
boot_high:
    lgdt early_gdt_high(%rip)
    movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    testl %esi, %esi
    jnz boot_ap_high
    leaq early_stack_top(%rip), %rsp
    leaq percpu(%rip), %rax
    call set_gs
    xorl %ebp, %ebp
    movl %edi, %edi
    call x86_boot
    ud2

boot_ap_high:
    movq ap_slot+24(%rip), %rax
    movq %rax, %cr3
    movq ap_slot(%rip), %rsp
    movq ap_slot+8(%rip), %rax
    call set_gs
    movl ap_slot+16(%rip), %edi
    xorl %ebp, %ebp
    movl $1, ap_slot+20(%rip) /* the slot may be used for the next CPU */
    call x86_cpu
    ud2

/* rax: what the GS base is to be. */
set_gs:
    movl $MSR_GS_BASE, %ecx
    movq %rax, %rdx
    shrq $32, %rdx
    wrmsr
    ret

/* Copied to the page at AP_PAGE, where it begins in real mode with cs = AP_PAGE / 16. */
#define AP_PAGE 0x8000
#define AP(symbol) (symbol - ap_start + AP_PAGE)
    .section .rodata
    .globl ap_start, ap_end
    .code16
ap_start:
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    lgdtl ap_gdt_pointer - ap_start
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $0x18, $AP(ap_32)
    .code32
ap_32:
    movw $0x10, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $LOW(boot_ap), %eax
    jmpl *%eax
    .p2align 3
ap_gdt:
    .quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff, 0x00cf9a000000ffff
ap_gdt_pointer:
    .word ap_gdt_pointer - ap_gdt - 1
    .long AP(ap_gdt)
ap_end:

/* 0x08: 64-bit code, 0x10: data, 0x18: 32-bit code. */
    .data
    .p2align 4
early_gdt:
    .quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff, 0x00cf9a000000ffff
early_gdt_end:
early_gdt_low:
    .word early_gdt_end - early_gdt - 1
    .long LOW(early_gdt)
early_gdt_high:
    .word early_gdt_end - early_gdt - 1
    .quad early_gdt

#define TABLE 3 /* present, writable */
#define BLOCK 0x83 /* the same, 2 MiB */
    .p2align 12
early_l4:
    .quad LOW(early_l3) + TABLE
    .fill 255, 8, 0
    .quad LOW(early_l3) + TABLE /* LAYOUT_PHYS */
    .fill 254, 8, 0
    .quad LOW(early_l3_image) + TABLE
early_l3:
    .quad LOW(early_l2) + TABLE, LOW(early_l2) + 0x1000 + TABLE
    .quad LOW(early_l2) + 0x2000 + TABLE, LOW(early_l2) + 0x3000 + TABLE
    .fill 508, 8, 0
early_l3_image:
    .fill 510, 8, 0
    .quad LOW(early_l2) + TABLE
    .fill 1, 8, 0
early_l2:
    .set block, 0
    .rept 2048
    .quad block + BLOCK
    .set block, block + 0x200000
    .endr

    .bss
    .p2align 12
    .skip 32768
early_stack_top:

    .section .note.GNU-stack, "", @progbits
