/* frames.c: pages of the machine's own: page tables, stacks, loaded code. One range that was taken
 * from the memory map at boot; pages in order the first time, returned ones after that. */
#include "base/assert.h"
#include "base/bytes.h"
#include "machine/bare/bare_int.h"
#include "machine/bare/layout.h"

static struct {
    struct bare_lock lock;
    uint64_t fresh, end;
    uint64_t free; /* the first of the returned ones, which holds the next; 0: none */
} frames;

static void *frame_at(uint64_t phys)
{
    return (void *)(uintptr_t)(LAYOUT_PHYS + phys);
}

void frames_init(uint64_t base, uint64_t bytes)
{
    ASSERT(base != 0 && (base | bytes) % PAGE_BYTES == 0);
    frames.fresh = base;
    frames.end = base + bytes;
}

uint64_t frame_get(void)
{
    bare_lock_take(&frames.lock);
    uint64_t phys = frames.free;
    if (phys != 0)
        memcpy(&frames.free, frame_at(phys), sizeof(frames.free));
    else if (frames.fresh < frames.end) {
        phys = frames.fresh;
        frames.fresh += PAGE_BYTES;
    }
    bare_lock_drop(&frames.lock);
    if (phys != 0)
        memset(frame_at(phys), 0, PAGE_BYTES);
    return phys;
}

void frame_put(uint64_t phys)
{
    ASSERT(phys != 0 && phys % PAGE_BYTES == 0);
    bare_lock_take(&frames.lock);
    memcpy(frame_at(phys), &frames.free, sizeof(frames.free));
    frames.free = phys;
    bare_lock_drop(&frames.lock);
}
