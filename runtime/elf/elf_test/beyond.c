/* beyond.c: beside good.c, a pointer to where the component has nothing. */
__asm__(".section .data.rel.ro,\"aw\"\n.balign 8\n.quad good_self + 0x100000\n.previous\n");
