/* page.c: page tables as AArch64 has them (ARM DDI 0487, D8.3), and the upkeep of what CPUs
 * remember of them. */
#include "machine/aarch64/aarch64_int.h"
#include "machine/bare/layout.h"

#define ENTRY_VALID      UINT64_C(0x001)
#define ENTRY_TABLE      UINT64_C(0x002) /* or, on the last level, a page */
#define ENTRY_DEVICE     UINT64_C(0x004) /* the second kind of memory, see boot.S */
#define ENTRY_READ_ONLY  UINT64_C(0x080)
#define ENTRY_SHARED     UINT64_C(0x300)
#define ENTRY_ACCESSED   UINT64_C(0x400)
#define ENTRY_NO_EXECUTE (UINT64_C(1) << 53)
#define ENTRY_NO_USER    (UINT64_C(1) << 54) /* user mode does not execute it */

uint64_t arch_page_leaf(uint64_t phys, uint32_t access, uint32_t level)
{
    uint64_t entry = phys | ENTRY_VALID | ENTRY_SHARED | ENTRY_ACCESSED | ENTRY_NO_USER;
    if ((access & PAGE_WRITE) == 0)
        entry |= ENTRY_READ_ONLY;
    if ((access & PAGE_EXEC) == 0)
        entry |= ENTRY_NO_EXECUTE;
    if ((access & PAGE_DEVICE) != 0)
        entry |= ENTRY_DEVICE;
    return level == 0 ? entry | ENTRY_TABLE : entry;
}

uint64_t arch_page_table(uint64_t phys)
{
    return phys | ENTRY_VALID | ENTRY_TABLE;
}

bool arch_page_is_leaf(uint64_t entry, uint32_t level)
{
    return level == 0 || (entry & ENTRY_TABLE) == 0;
}

uint32_t arch_page_access(uint64_t entry)
{
    uint32_t access = (entry & ENTRY_READ_ONLY) == 0 ? PAGE_WRITE : PAGE_READ;
    if ((entry & ENTRY_NO_EXECUTE) == 0)
        access |= PAGE_EXEC;
    return (entry & ENTRY_DEVICE) != 0 ? access | PAGE_DEVICE : access;
}

void arch_page_filled(void)
{
    __asm__ volatile("dsb ishst; isb" ::: "memory");
}

void arch_page_forget_all(void)
{
    __asm__ volatile("dsb ishst; tlbi vmalle1; dsb nsh; isb" ::: "memory");
}

void arch_page_forget(uint64_t at)
{
    __asm__ volatile("dsb ishst; tlbi vaae1, %0; dsb nsh; isb" ::"r"(at >> 12 & 0xfffffffffff)
                     : "memory");
}

void arch_code_written(void *at, size_t bytes)
{
    enum { LINE = 16 }; /* the least that there is */
    char *from = at;
    for (size_t i = 0; i < bytes; i += LINE)
        __asm__ volatile("dc cvau, %0" ::"r"(from + i) : "memory");
    __asm__ volatile("dsb ish" ::: "memory");
    for (size_t i = 0; i < bytes; i += LINE)
        __asm__ volatile("ic ivau, %0" ::"r"(from + i) : "memory");
    __asm__ volatile("dsb ish; isb" ::: "memory");
}
