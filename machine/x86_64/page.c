/* page.c: page tables as x86_64 has them (Intel SDM, volume 3, 4.5). */
#include "machine/bare/arch.h"

#define ENTRY_VALID      UINT64_C(0x001)
#define ENTRY_WRITE      UINT64_C(0x002)
#define ENTRY_UNCACHED   UINT64_C(0x018)
#define ENTRY_TOUCHED    UINT64_C(0x060) /* accessed, dirty: the CPU need not note it */
#define ENTRY_LARGE      UINT64_C(0x080)
#define ENTRY_NO_EXECUTE (UINT64_C(1) << 63)

uint64_t arch_page_leaf(uint64_t phys, uint32_t access, uint32_t level)
{
    uint64_t entry = phys | ENTRY_VALID | ENTRY_TOUCHED;
    if ((access & PAGE_WRITE) != 0)
        entry |= ENTRY_WRITE;
    if ((access & PAGE_EXEC) == 0)
        entry |= ENTRY_NO_EXECUTE;
    if ((access & PAGE_DEVICE) != 0)
        entry |= ENTRY_UNCACHED;
    return level > 0 ? entry | ENTRY_LARGE : entry;
}

uint64_t arch_page_table(uint64_t phys)
{
    return phys | ENTRY_VALID | ENTRY_WRITE;
}

bool arch_page_is_leaf(uint64_t entry, uint32_t level)
{
    return level == 0 || (entry & ENTRY_LARGE) != 0;
}

uint32_t arch_page_access(uint64_t entry)
{
    uint32_t access = (entry & ENTRY_WRITE) != 0 ? PAGE_WRITE : PAGE_READ;
    if ((entry & ENTRY_NO_EXECUTE) == 0)
        access |= PAGE_EXEC;
    return (entry & ENTRY_UNCACHED) != 0 ? access | PAGE_DEVICE : access;
}

/* The table walk sees stores in order, and nothing that was not mapped is remembered. */
void arch_page_filled(void)
{
}

void arch_page_forget_all(void)
{
    uint64_t tables;
    __asm__ volatile("movq %%cr3, %0; movq %0, %%cr3" : "=r"(tables)::"memory");
}

void arch_page_forget(uint64_t at)
{
    __asm__ volatile("invlpg (%0)" ::"r"(at) : "memory");
}

void arch_page_use(uint64_t phys)
{
    __asm__ volatile("movq %0, %%cr3" ::"r"(phys) : "memory");
}

void arch_code_written(void *at, size_t bytes)
{
    (void)at; /* caches are one */
    (void)bytes;
}
