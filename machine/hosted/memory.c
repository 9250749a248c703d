/* memory.c: the kernel's range and memory for loaded code, on a host. */
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#include "base/assert.h"
#include "base/bits.h"
#include "kernel/machine.h"
#include "machine/hosted/memory.h"

enum { BLOCK_BYTES = 2 * 1024 * 1024, CODE_PAGE_BYTES = 4096 };

static struct {
    char *base;
    uint64_t size_bytes;
} range;

int hosted_memory_init(uint64_t bytes)
{
    if (range.base != NULL)
        return -EBUSY;
    uint64_t reserve_bytes;
    if (bytes == 0 || bytes % BLOCK_BYTES != 0 || add_overflows(bytes, BLOCK_BYTES, &reserve_bytes))
        return -EINVAL;
    char *at = mmap(NULL, reserve_bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return -errno;
    /* Trim to the alignment; unmapping at either end of a mapping cannot fail. */
    char *base = at + (align_up((uintptr_t)at, BLOCK_BYTES) - (uintptr_t)at);
    size_t head_bytes = (size_t)(base - at);
    if (head_bytes > 0)
        (void)munmap(at, head_bytes);
    (void)munmap(base + bytes, BLOCK_BYTES - head_bytes);
    range.base = base;
    range.size_bytes = bytes;
    return 0;
}

void hosted_memory_destroy(void)
{
    if (range.base != NULL)
        (void)munmap(range.base, range.size_bytes);
    range.base = NULL;
    range.size_bytes = 0;
}

bool machine_region(uint32_t i, struct machine_region *ret_region)
{
    if (i > 0 || range.base == NULL)
        return false;
    *ret_region = (struct machine_region){range.base, range.size_bytes, MACHINE_AVAILABLE};
    return true;
}

void machine_pages_release(void *at, size_t bytes)
{
    uint64_t off = (uint64_t)((char *)at - range.base);
    ASSERT(range.base != NULL && range_within(off, bytes, range.size_bytes));
    ASSERT(off % BLOCK_BYTES == 0 && bytes % BLOCK_BYTES == 0);
    if (bytes > 0 && madvise(at, bytes, MADV_DONTNEED) != 0)
        machine_panic("madvise could not release pages", __FILE__, __LINE__);
}

void *machine_code_get(size_t bytes)
{
    ASSERT(bytes > 0 && bytes % CODE_PAGE_BYTES == 0);
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

bool machine_code_seal(void *at, size_t bytes, size_t exec_bytes)
{
    ASSERT(at != NULL && bytes % CODE_PAGE_BYTES == 0);
    ASSERT(exec_bytes <= bytes && exec_bytes % CODE_PAGE_BYTES == 0);
    char *rest = (char *)at + exec_bytes;
    if (bytes > exec_bytes && mprotect(rest, bytes - exec_bytes, PROT_READ) != 0)
        return false;
    if (exec_bytes == 0)
        return true;
    __builtin___clear_cache(at, rest);
    return mprotect(at, exec_bytes, PROT_READ | PROT_EXEC) == 0;
}

void machine_code_put(void *at, size_t bytes)
{
    ASSERT(bytes > 0 && bytes % CODE_PAGE_BYTES == 0);
    if (at != NULL)
        (void)munmap(at, bytes);
}
