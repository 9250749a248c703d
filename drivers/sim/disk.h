/* disk.h: a simulated disk of sectors, with a cache that a power cut empties.
 *
 * What was written is read back at once, but is durable only after a flush. A power cut leaves of
 * each sector that was written since the last flush the old content, the new, or a part of each. A
 * fault is never silent: the operation answers TN_EIO, and then
 *     read    filled none of the buffer (lost) or a part of it (torn);
 *     write   wrote nothing (lost), or only the first bytes (torn), perhaps all of them;
 *     flush   made some of the sectors durable, any of them; the others still wait. */
#ifndef DRIVERS_SIM_DISK_H
#define DRIVERS_SIM_DISK_H

#include "drivers/sim/outside.h"

enum { DISK_SECTOR = 512 };

struct disk {
    const struct outside *outside;
    uint32_t sectors;
    uint8_t *seen;    /* what reads find */
    uint8_t *durable; /* what a power cut leaves */
    uint8_t *dirty;   /* one byte a sector: the two may differ */
    uint64_t reads, writes, flushes, cuts;
};

/* Bytes of memory that a disk needs. */
static inline uint64_t disk_bytes(uint32_t sectors)
{
    return (uint64_t)sectors * (2 * DISK_SECTOR + 1);
}

/* A disk of zeros in `memory`, disk_bytes long, which is the disk's until it is no longer used. */
void disk_init(struct disk *disk, const struct outside *outside, uint32_t sectors, void *memory);

/* Sectors [first, first + count). TN_EINVAL outside of the disk; TN_EIO, see above. */
TN_MUST tn_err disk_read(struct disk *disk, uint32_t first, uint32_t count, void *ret_at);
TN_MUST tn_err disk_write(struct disk *disk, uint32_t first, uint32_t count, const void *from);
TN_MUST tn_err disk_flush(struct disk *disk);

/* The power fails and comes back. */
void disk_cut(struct disk *disk);

#endif
