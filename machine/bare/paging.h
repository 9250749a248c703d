/* paging.h: the page tables of the kernel's half, the same on both architectures. */
#ifndef MACHINE_BARE_PAGING_H
#define MACHINE_BARE_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#include "machine/bare/arch.h"
#include "machine/bare/layout.h"

/* Makes empty tables, which arch_page_use may take from then on. Boot. */
void paging_init(void);
uint64_t paging_root(void);

/* Maps [at, at + bytes) to physical memory, in large pages where both lie on a boundary of one;
 * whole pages, not mapped before. False when there is no memory for tables. Any. */
bool paging_map(uint64_t at, uint64_t phys, uint64_t bytes, uint32_t access);
/* Takes one small page out of the tables and returns what it was mapped to; 0: nothing. What CPUs
 * remember of it is the caller's matter. Any. */
uint64_t paging_unmap(uint64_t at);
/* Changes what may be done with small pages that are mapped. As above. */
void paging_protect(uint64_t at, uint64_t bytes, uint32_t access);
/* Where `at` is mapped to, and what may be done there; false: nowhere. No lock. Any. */
bool paging_find(uint64_t at, uint64_t *ret_phys, uint32_t *ret_access);

/* Large pages that come when they are touched: paging_promise makes tables and notes for [at, at +
 * bytes), whole blocks; paging_promised looks whether the block at `at` is still to come;
 * paging_keep maps it, and must not race with itself. */
bool paging_promise(uint64_t at, uint64_t phys, uint64_t bytes);
bool paging_promised(uint64_t at, uint64_t *ret_phys);
void paging_keep(uint64_t at);
/* Maps one block at `at`, or another than before. For one caller at a time. */
bool paging_window(uint64_t at, uint64_t phys);

#endif
