/* code.c: memory for loaded code, on a bare machine: pages of the machine's own in a range of
 * addresses that are never used twice, so that what a CPU may still remember of code that was given
 * back is of no harm; and all CPUs have forgotten it before its pages are used again. */
#include "base/assert.h"
#include "machine/bare/bare_int.h"
#include "machine/bare/layout.h"
#include "machine/bare/paging.h"

static struct {
    struct bare_lock lock;
    uint64_t next;
} codes = {.next = LAYOUT_CODE};

static void unmap_all(uint64_t at, size_t bytes)
{
    /* First nobody can reach a page, then it is free. */
    uint64_t first = 0;
    for (size_t done = 0; done < bytes; done += PAGE_BYTES) {
        uint64_t phys = paging_unmap(at + done);
        if (phys == 0)
            continue;
        *(uint64_t *)(uintptr_t)(LAYOUT_PHYS + phys) = first;
        first = phys;
    }
    cpus_forget_pages();
    while (first != 0) {
        uint64_t next = *(uint64_t *)(uintptr_t)(LAYOUT_PHYS + first);
        frame_put(first);
        first = next;
    }
}

void *machine_code_get(size_t bytes)
{
    ASSERT(bytes > 0 && bytes % PAGE_BYTES == 0);
    bare_lock_take(&codes.lock);
    uint64_t at = codes.next;
    bool fits = bytes < LAYOUT_CLEAR - at - PAGE_BYTES;
    if (fits)
        codes.next += bytes + PAGE_BYTES; /* nothing behind it */
    bare_lock_drop(&codes.lock);
    if (!fits)
        return NULL;
    for (size_t done = 0; done < bytes; done += PAGE_BYTES) {
        uint64_t phys = frame_get();
        if (phys != 0 && paging_map(at + done, phys, PAGE_BYTES, PAGE_WRITE))
            continue;
        if (phys != 0)
            frame_put(phys);
        unmap_all(at, done);
        return NULL;
    }
    return (void *)(uintptr_t)at;
}

bool machine_code_seal(void *at, size_t bytes, size_t exec_bytes)
{
    ASSERT(at != NULL && bytes % PAGE_BYTES == 0);
    ASSERT(exec_bytes <= bytes && exec_bytes % PAGE_BYTES == 0);
    uint64_t base = (uint64_t)(uintptr_t)at;
    arch_code_written(at, exec_bytes);
    paging_protect(base, exec_bytes, PAGE_EXEC);
    paging_protect(base + exec_bytes, bytes - exec_bytes, PAGE_READ);
    cpus_forget_pages();
    return true;
}

void machine_code_put(void *at, size_t bytes)
{
    ASSERT(bytes > 0 && bytes % PAGE_BYTES == 0);
    if (at != NULL)
        unmap_all((uint64_t)(uintptr_t)at, bytes);
}
