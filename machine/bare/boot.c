/* boot.c: from the early page tables to the program (boot.h). */
#include "machine/bare/boot.h"

#include "base/assert.h"
#include "base/bits.h"
#include "machine/bare/bare_int.h"
#include "machine/bare/layout.h"
#include "machine/bare/paging.h"

enum { FIRST_STACK_BYTES = 64 * 1024 };

/* The first CPU goes over to a stack with a guard page by a switch of fiber. */
static struct {
    struct machine_fiber early, first;
    uint64_t next_device;
} boot = {.next_device = LAYOUT_DEVICE};

static uint64_t address_of(const char *at)
{
    return (uint64_t)(uintptr_t)at;
}

/* Its pages, by what is in them: nothing is writable and executable. */
static void map_image(const struct boot_info *info)
{
    const struct {
        uint64_t from, to;
        uint32_t access;
    } parts[] = {{address_of(image_start), address_of(image_text_end), PAGE_EXEC},
                 {address_of(image_text_end), address_of(image_rodata_end), PAGE_READ},
                 {address_of(image_rodata_end), address_of(image_end), PAGE_WRITE}};
    for (uint32_t i = 0; i < ARRAY_LEN(parts); i++) {
        uint64_t off = parts[i].from - address_of(image_start);
        if (!paging_map(parts[i].from, info->image_phys + off, parts[i].to - parts[i].from,
                        parts[i].access))
            bare_cannot("no memory is left for the page tables of the image");
    }
}

/* What of it is not for the kernel: a share of all, within bounds. */
static uint64_t pool_bytes(const struct memmap *map)
{
    uint64_t bytes = align_down(memmap_bytes(map, MACHINE_AVAILABLE) / 8, BLOCK_BYTES);
    if (bytes < BOOT_POOL_MIN)
        return BOOT_POOL_MIN;
    return bytes < BOOT_POOL_MAX ? bytes : BOOT_POOL_MAX;
}

static void map_memory(struct boot_info *info)
{
    struct memmap *map = &info->map;
    uint64_t image_bytes = address_of(image_end) - address_of(image_start), pool;
    const char *wrong = memmap_finish(map);
    if (wrong != NULL)
        bare_cannot("the memory map is broken: %s", wrong);
    if (!memmap_is(map, info->image_phys, image_bytes, MACHINE_AVAILABLE))
        bare_cannot("the memory map is broken: the image, at 0x%llx, is not in available memory",
                    (unsigned long long)info->image_phys);
    uint64_t available = memmap_bytes(map, MACHINE_AVAILABLE);
    wrong = memmap_add(map, info->image_phys, image_bytes, MACHINE_RESERVED);
    if (wrong == NULL)
        wrong = memmap_finish(map);
    if (wrong != NULL)
        bare_cannot("the memory map is broken: %s", wrong);
    uint64_t bytes = pool_bytes(map);
    if (!memmap_take(map, bytes, BLOCK_BYTES, info->reachable, &pool))
        bare_cannot("too little memory: %llu MiB are available, the machine itself needs %llu",
                    (unsigned long long)(available >> 20), (unsigned long long)(bytes >> 20));
    frames_init(pool, bytes);
    paging_init();
    map_image(info);
    if (!paging_map(LAYOUT_PHYS + pool, pool, bytes, PAGE_WRITE))
        bare_cannot("no memory is left for page tables");
    arch_page_use(paging_root());
}

volatile void *bare_device(uint64_t phys, uint64_t bytes)
{
    uint64_t from = align_down(phys, PAGE_BYTES), to = align_up(phys + bytes, PAGE_BYTES);
    uint64_t at = boot.next_device;
    boot.next_device += to - from + PAGE_BYTES;
    if (!paging_map(at, from, to - from, PAGE_WRITE | PAGE_DEVICE))
        bare_cannot("no memory is left for the page tables of devices");
    return (volatile void *)(uintptr_t)(at + (phys - from));
}

static void first_main(void *arg)
{
    const struct boot_info *info = arg;
    cpus_start(info->ncpus);
    bare_exit(bare_main(info->cmdline));
}

void bare_boot(struct boot_info *info)
{
    map_memory(info);
    region_init(&info->map);
    void *stack = stack_boot_get(FIRST_STACK_BYTES);
    if (stack == NULL)
        bare_cannot("no memory is left for the first stack");
    arch_devices();
    machine_fiber_init(&boot.first, stack, FIRST_STACK_BYTES, first_main, info);
    machine_fiber_switch(&boot.early, &boot.first);
    UNREACHABLE("the early stack is not used again");
}
