/* addend.c: beside good.c, a pointer to beside an import. */
__asm__(".section .data.rel.ro,\"aw\"\n.balign 8\n.quad tn_yield + 8\n.previous\n");
