/* store.h: files on a simulated disk, each replaced whole or not at all. */
#ifndef DRIVERS_SIM_STORE_H
#define DRIVERS_SIM_STORE_H

#include "drivers/sim/disk.h"

enum {
    STORE_FILES = 16,
    STORE_FILE_SECTORS = 32,
    STORE_FILE_BYTES = STORE_FILE_SECTORS * DISK_SECTOR, /* the longest file */
    STORE_NAME_MAX = 255,
    STORE_SLOT_SECTORS = 2 + 2 * STORE_FILE_SECTORS,
    STORE_SECTORS = STORE_FILES * STORE_SLOT_SECTORS, /* that the disk must have */
};

struct store_file {
    bool open;
    bool unsure; /* a commit failed: the disk may hold either head */
    bool draft;  /* what is read and written is the extent that no head names */
    char name[STORE_NAME_MAX + 1];
    uint64_t generation; /* of the head that counts; 0: there is no such file yet */
    uint32_t extent, size_bytes, draft_bytes;
};

struct store {
    struct disk *disk;
    struct store_file files[STORE_FILES]; /* by slot of the disk */
};

/* A disk of zeros is an empty store. Zeroed but for `disk` to begin with. */

/* Finds the file of that name, or a place for one. TN_EINVAL: too long or empty; TN_ELIMIT: all
 * places are taken; TN_EIO. A file that is open is found again. */
TN_MUST tn_err store_open(struct store *store, const char *name, struct store_file **ret_file);

/* Bytes of the draft, or of the file if there is none. TN_ENOTFOUND: neither; TN_EIO. */
TN_MUST tn_err store_size(struct store *store, struct store_file *file, uint32_t *ret_bytes);
/* Reads [at, at + len), or what there is of it. Errors as store_size. */
TN_MUST tn_err store_read(struct store *store, struct store_file *file, uint64_t at, void *ret_at,
                          uint32_t len, uint32_t *ret_len);

/* Begins a draft, empty, unless there is one. TN_EIO. */
TN_MUST tn_err store_draft(struct store *store, struct store_file *file);
/* Both of the draft. TN_ELIMIT: beyond STORE_FILE_BYTES, nothing changed; TN_EIO: the bytes written
 * are uncertain, others not. */
TN_MUST tn_err store_write(struct store *store, struct store_file *file, uint64_t at,
                           const void *from, uint32_t len);
TN_MUST tn_err store_truncate(struct store *store, struct store_file *file, uint64_t size_bytes);
/* Puts the draft in the file's place, durably; there is no draft afterwards. TN_EIO: the file is as
 * it was, or as the draft is, whole. */
TN_MUST tn_err store_commit(struct store *store, struct store_file *file);
void store_discard(struct store_file *file);

#endif
