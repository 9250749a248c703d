/* disk.c: a simulated disk (disk.h).
 *
 * Invariant: a sector that is not dirty is the same in `seen` and in `durable`. */
#include "drivers/sim/disk.h"

#include "base/assert.h"
#include "base/bytes.h"

void disk_init(struct disk *disk, const struct outside *outside, uint32_t sectors, void *memory)
{
    ASSERT(outside != NULL && sectors > 0 && memory != NULL);
    size_t bytes = (size_t)sectors * DISK_SECTOR;
    *disk = (struct disk){.outside = outside, .sectors = sectors, .seen = memory};
    disk->durable = disk->seen + bytes;
    disk->dirty = disk->durable + bytes;
    memset(memory, 0, (size_t)disk_bytes(sectors));
}

static bool on_disk(const struct disk *disk, uint32_t first, uint32_t count)
{
    return first <= disk->sectors && count <= disk->sectors - first;
}

/* How many of *bytes get through, and what is said of it. */
static tn_err transfer(const struct disk *disk, size_t *bytes)
{
    if (outside_fault(disk->outside, OUTSIDE_LOST))
        *bytes = 0;
    else if (outside_fault(disk->outside, OUTSIDE_TORN))
        *bytes = (size_t)outside_choose(disk->outside, *bytes + 1);
    else
        return TN_OK;
    return TN_EIO;
}

tn_err disk_read(struct disk *disk, uint32_t first, uint32_t count, void *ret_at)
{
    if (!on_disk(disk, first, count))
        return TN_EINVAL;
    disk->reads++;
    size_t bytes = (size_t)count * DISK_SECTOR, done = bytes;
    tn_err err = transfer(disk, &done);
    if (done > 0)
        memcpy(ret_at, disk->seen + (size_t)first * DISK_SECTOR, done);
    return err;
}

tn_err disk_write(struct disk *disk, uint32_t first, uint32_t count, const void *from)
{
    if (!on_disk(disk, first, count))
        return TN_EINVAL;
    disk->writes++;
    size_t bytes = (size_t)count * DISK_SECTOR, done = bytes;
    tn_err err = transfer(disk, &done);
    if (done > 0)
        memcpy(disk->seen + (size_t)first * DISK_SECTOR, from, done);
    for (size_t i = 0; i * DISK_SECTOR < done; i++)
        disk->dirty[first + i] = 1;
    return err;
}

/* The first `bytes` of a sector become durable. */
static void keep(struct disk *disk, uint32_t sector, size_t bytes)
{
    size_t at = (size_t)sector * DISK_SECTOR;
    memcpy(disk->durable + at, disk->seen + at, bytes);
}

tn_err disk_flush(struct disk *disk)
{
    disk->flushes++;
    bool lost = outside_fault(disk->outside, OUTSIDE_LOST);
    for (uint32_t i = 0; i < disk->sectors; i++) {
        if (!disk->dirty[i] || (lost && outside_choose(disk->outside, 2) == 0))
            continue;
        keep(disk, i, DISK_SECTOR);
        disk->dirty[i] = 0;
    }
    return lost ? TN_EIO : TN_OK;
}

void disk_cut(struct disk *disk)
{
    disk->cuts++;
    for (uint32_t i = 0; i < disk->sectors; i++) {
        if (!disk->dirty[i])
            continue;
        switch (outside_choose(disk->outside, 3)) {
        case 0: /* the old */
            break;
        case 1: /* the new */
            keep(disk, i, DISK_SECTOR);
            break;
        default:
            keep(disk, i, (size_t)outside_choose(disk->outside, DISK_SECTOR + 1));
        }
        size_t at = (size_t)i * DISK_SECTOR;
        memcpy(disk->seen + at, disk->durable + at, DISK_SECTOR);
        disk->dirty[i] = 0;
    }
}
