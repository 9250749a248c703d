/* pcrel.c: beside good.c, a relocation of a type that the loader does not know. */
__asm__(".section .data.rel.ro,\"aw\"\n.balign 8\n.quad tn_yield - .\n.previous\n");
