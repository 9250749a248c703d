/* paging.c: page tables of four levels (paging.h).
 *
 * Invariants:
 *  1. Tables are only ever added, so who walks them without the lock finds tables or nothing.
 *  2. An entry changes in one store; entries of pages that others may use change access under the
 *     lock, and the caller makes all CPUs forget the old one.
 *  3. Nothing is writable and executable: paging_map asserts it. */
#include "machine/bare/paging.h"

#include "base/assert.h"
#include "base/atomic.h"
#include "base/bits.h"
#include "machine/bare/bare_int.h"

enum { ENTRIES = 512, LEVELS = 4, VALID = 1, PROMISED = 2 };
#define PHYS_BITS UINT64_C(0x0000fffffffff000)

/* Entries are read by the CPUs' table walks at any time. */
typedef atomic_u64 entry;

static struct {
    struct bare_lock lock;
    uint64_t root;
} tables;

static entry *table_at(uint64_t phys)
{
    return (entry *)(uintptr_t)(LAYOUT_PHYS + phys);
}

static uint32_t index_of(uint64_t at, uint32_t level)
{
    return at >> (12 + 9 * level) & (ENTRIES - 1);
}

/* The entry for `at` in a table of `level`; NULL when a table on the way is missing and `make` is
 * false, or there is no memory for one, or a large page is in the way. */
static entry *entry_for(uint64_t at, uint32_t level, bool make)
{
    uint64_t table = tables.root;
    for (uint32_t l = LEVELS - 1; l > level; l--) {
        entry *e = &table_at(table)[index_of(at, l)];
        uint64_t value = at_load(e, ACQUIRE); /* pairs with the RELEASE below: the table is clear */
        if ((value & VALID) == 0) {
            uint64_t fresh = make ? frame_get() : 0;
            if (fresh == 0)
                return NULL;
            value = arch_page_table(fresh);
            at_store(e, value, RELEASE);
        } else if (arch_page_is_leaf(value, l)) {
            return NULL;
        }
        table = value & PHYS_BITS;
    }
    return &table_at(table)[index_of(at, level)];
}

void paging_init(void)
{
    tables.root = frame_get();
    ASSERT(tables.root != 0);
}

uint64_t paging_root(void)
{
    return tables.root;
}

static bool map_one(uint64_t at, uint64_t phys, uint32_t access, uint32_t level)
{
    entry *e = entry_for(at, level, true);
    if (e == NULL)
        return false;
    ASSERT((at_load(e, RELAXED) & VALID) == 0);
    at_store(e, arch_page_leaf(phys, access, level), RELEASE);
    return true;
}

bool paging_map(uint64_t at, uint64_t phys, uint64_t bytes, uint32_t access)
{
    ASSERT((at | phys | bytes) % PAGE_BYTES == 0);
    ASSERT((access & (PAGE_WRITE | PAGE_EXEC)) != (PAGE_WRITE | PAGE_EXEC));
    bool done = true;
    bare_lock_take(&tables.lock);
    while (bytes > 0 && done) {
        bool large = (at | phys) % BLOCK_BYTES == 0 && bytes >= BLOCK_BYTES;
        uint64_t step = large ? BLOCK_BYTES : PAGE_BYTES;
        done = map_one(at, phys, access, large ? 1 : 0);
        at += step;
        phys += step;
        bytes -= step;
    }
    arch_page_filled();
    bare_lock_drop(&tables.lock);
    return done;
}

uint64_t paging_unmap(uint64_t at)
{
    uint64_t phys = 0;
    bare_lock_take(&tables.lock);
    entry *e = entry_for(at, 0, false);
    if (e != NULL && (at_load(e, RELAXED) & VALID) != 0) {
        phys = at_load(e, RELAXED) & PHYS_BITS;
        at_store(e, 0, RELEASE);
    }
    arch_page_filled();
    bare_lock_drop(&tables.lock);
    return phys;
}

void paging_protect(uint64_t at, uint64_t bytes, uint32_t access)
{
    bare_lock_take(&tables.lock);
    for (uint64_t end = at + bytes; at < end; at += PAGE_BYTES) {
        entry *e = entry_for(at, 0, false);
        ASSERT(e != NULL && (at_load(e, RELAXED) & VALID) != 0);
        at_store(e, arch_page_leaf(at_load(e, RELAXED) & PHYS_BITS, access, 0), RELEASE);
    }
    arch_page_filled();
    bare_lock_drop(&tables.lock);
}

bool paging_find(uint64_t at, uint64_t *ret_phys, uint32_t *ret_access)
{
    uint64_t sign = at >> 47; /* an address that no table can hold? */
    if (tables.root == 0 || (sign != 0 && sign != (UINT64_C(1) << 17) - 1))
        return false;
    uint64_t table = tables.root;
    for (uint32_t level = LEVELS; level-- > 0;) {
        /* ACQUIRE: as in entry_for. */
        uint64_t value = at_load(&table_at(table)[index_of(at, level)], ACQUIRE);
        if ((value & VALID) == 0)
            return false;
        if (level == 0 || arch_page_is_leaf(value, level)) {
            uint64_t within = (UINT64_C(1) << (12 + 9 * level)) - 1;
            *ret_phys = (value & PHYS_BITS & ~within) | (at & within);
            *ret_access = arch_page_access(value);
            return true;
        }
        table = value & PHYS_BITS;
    }
    return false;
}

bool paging_promise(uint64_t at, uint64_t phys, uint64_t bytes)
{
    ASSERT((at | phys | bytes) % BLOCK_BYTES == 0);
    for (uint64_t done = 0; done < bytes; done += BLOCK_BYTES) {
        entry *e = entry_for(at + done, 1, true);
        if (e == NULL)
            return false;
        ASSERT(at_load(e, RELAXED) == 0);
        at_store(e, (phys + done) | PROMISED, RELAXED);
    }
    return true;
}

bool paging_promised(uint64_t at, uint64_t *ret_phys)
{
    entry *e = tables.root != 0 ? entry_for(at, 1, false) : NULL;
    uint64_t value = e != NULL ? at_load(e, ACQUIRE) : 0;
    if ((value & (VALID | PROMISED)) != PROMISED)
        return false;
    *ret_phys = value & PHYS_BITS;
    return true;
}

void paging_keep(uint64_t at)
{
    entry *e = entry_for(at, 1, false);
    ASSERT(e != NULL);
    uint64_t phys = at_load(e, RELAXED) & PHYS_BITS;
    at_store(e, arch_page_leaf(phys, PAGE_WRITE, 1), RELEASE);
    arch_page_filled();
}

bool paging_window(uint64_t at, uint64_t phys)
{
    entry *e = entry_for(at, 1, true);
    if (e == NULL)
        return false;
    /* No CPU may find two different things there: first nothing, then the new. */
    at_store(e, 0, RELEASE);
    arch_page_filled();
    arch_page_forget(at);
    at_store(e, arch_page_leaf(phys, PAGE_WRITE, 1), RELEASE);
    arch_page_filled();
    return true;
}
