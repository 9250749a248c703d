/* layout.h: where things are in the address space, in both architectures (docs/memory-map.md).
 *
 * All of the kernel is in the upper half. The lower half is for domains in user mode, and empty
 * until there are any: address 0 and what is near it is never mapped. Each range below begins where
 * one entry of the top table does, but for the image. */
#ifndef MACHINE_BARE_LAYOUT_H
#define MACHINE_BARE_LAYOUT_H

#include <stdint.h>

/* Physical address p is at LAYOUT_PHYS + p: page tables at once, available memory when touched. */
#define LAYOUT_PHYS UINT64_C(0xffff800000000000)
/* Registers of devices. */
#define LAYOUT_DEVICE UINT64_C(0xffffc00000000000)
/* Stacks with a guard page below each. */
#define LAYOUT_STACK UINT64_C(0xffffd00000000000)
/* Loaded code, sealed. */
#define LAYOUT_CODE UINT64_C(0xffffe00000000000)
/* A block of available memory while it is cleared, before anybody can see it. */
#define LAYOUT_CLEAR UINT64_C(0xfffff00000000000)
/* The kernel's image; linker scripts know this number too. */
#define LAYOUT_IMAGE UINT64_C(0xffffffff80000000)

#define LAYOUT_PHYS_MAX (LAYOUT_DEVICE - LAYOUT_PHYS) /* what we can reach of physical memory */

enum {
    PAGE_BYTES = 4096,
    BLOCK_BYTES = 2 * 1024 * 1024, /* a large page */
};

#endif
