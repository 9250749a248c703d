/* tls.c: beside good.c, a variable of each thread's own. */
__asm__(".section .tdata,\"awT\",%progbits\n.globl per_thread\nper_thread: .long 1\n"
        ".size per_thread, 4\n.previous\n");
