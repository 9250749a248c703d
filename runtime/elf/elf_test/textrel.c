/* textrel.c: beside good.c, an absolute address in the code. */
__asm__(".text\n.balign 8\n.quad tn_component\n");
