/* absolute.c: beside good.c, a symbol that is a number and no place. */
__asm__(".globl absolute_number\n.set absolute_number, 0x1234\n");
