/* store.c: files on a simulated disk (store.h).
 *
 * A slot of the disk is two head sectors and two extents. A head says which extent holds the file,
 * how long it is and what it is called, and carries a checksum and a generation. Of two heads that
 * are whole the one with the greater generation counts. A draft is written to the extent that it
 * does not name; commit flushes that, writes the other head and flushes again. So a power cut at
 * any moment leaves one head whole whose extent is whole.
 *
 * Invariants:
 *  1. Unless `unsure`, the head that counts is durable, and nothing writes to its extent or to it.
 *  2. While `unsure` nothing is written: first a flush must go through, so that what is read is
 * what a power cut would leave (settle).
 *
 * A file, and what takes each edge:
 *     closed --store_open--> open --store_draft--> draft --store_write, store_truncate--> draft
 *     draft --store_discard--> open, as before
 *     draft --store_commit--> open, as the draft was; on a failure perhaps unsure
 *     unsure --settle, in every other operation--> open, one or the other */
#include "drivers/sim/store.h"

#include "base/assert.h"
#include "base/bits.h"
#include "base/bytes.h"

static const uint64_t head_magic = 0x6461656865727473; /* "storhead" */

struct head {
    uint64_t magic, generation;
    uint32_t extent, size_bytes;
    char name[STORE_NAME_MAX + 1];
    uint8_t unused[DISK_SECTOR - 3 * sizeof(uint64_t) - 2 * sizeof(uint32_t) - STORE_NAME_MAX - 1];
    uint64_t checksum; /* FNV-1a 64 of all before */
};
_Static_assert(sizeof(struct head) == DISK_SECTOR, "a head is a sector, which has no seams");

static uint64_t checksum_of(const struct head *head)
{
    const uint8_t *at = (const uint8_t *)head;
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < offsetof(struct head, checksum); i++)
        hash = (hash ^ at[i]) * 0x100000001b3;
    return hash;
}

static bool head_whole(const struct head *head)
{
    return head->magic == head_magic && head->generation > 0 && head->extent < 2 &&
           head->size_bytes <= STORE_FILE_BYTES && head->name[STORE_NAME_MAX] == '\0' &&
           head->checksum == checksum_of(head);
}

static uint32_t slot_sector(const struct store *store, const struct store_file *file)
{
    return (uint32_t)(file - store->files) * STORE_SLOT_SECTORS;
}

static uint32_t extent_sector(const struct store *store, const struct store_file *file,
                              uint32_t extent)
{
    return slot_sector(store, file) + 2 + extent * STORE_FILE_SECTORS;
}

/* The head of the slot that counts; generation 0 when there is none. */
static tn_err head_read(struct store *store, const struct store_file *file, struct head *ret_head)
{
    struct head heads[2];
    tn_err err = disk_read(store->disk, slot_sector(store, file), 2, heads);
    if (err != TN_OK)
        return err;
    ret_head->generation = 0;
    for (uint32_t i = 0; i < 2; i++)
        if (head_whole(&heads[i]) && heads[i].generation > ret_head->generation)
            *ret_head = heads[i];
    return TN_OK;
}

static void take_head(struct store_file *file, const struct head *head)
{
    file->generation = head->generation;
    file->extent = head->generation > 0 ? head->extent : 1;
    file->size_bytes = head->generation > 0 ? head->size_bytes : 0;
}

static tn_err settle(struct store *store, struct store_file *file)
{
    struct head head;
    if (!file->unsure)
        return TN_OK;
    tn_err err = disk_flush(store->disk);
    if (err == TN_OK)
        err = head_read(store, file, &head);
    if (err != TN_OK)
        return err;
    take_head(file, &head);
    file->unsure = false;
    return TN_OK;
}

static bool name_is(const char *a, const char *b)
{
    return str_eq(str_of(a), str_of(b));
}

tn_err store_open(struct store *store, const char *name, struct store_file **ret_file)
{
    struct store_file *place = NULL;
    size_t len = str_length(name);
    if (len == 0 || len > STORE_NAME_MAX)
        return TN_EINVAL;
    for (uint32_t i = 0; i < STORE_FILES; i++) {
        struct store_file *file = &store->files[i];
        struct head head;
        if (file->open && name_is(file->name, name)) {
            *ret_file = file;
            return TN_OK;
        }
        if (file->open)
            continue;
        tn_err err = head_read(store, file, &head);
        if (err != TN_OK)
            return err;
        bool found = head.generation > 0 && name_is(head.name, name);
        if (!found && (place != NULL || head.generation > 0))
            continue;
        *file = (struct store_file){.open = false};
        take_head(file, &head);
        place = file;
        if (found)
            break;
    }
    if (place == NULL)
        return TN_ELIMIT;
    memcpy(place->name, name, len + 1);
    place->open = true;
    *ret_file = place;
    return TN_OK;
}

/* Which extent is read, and how much is there. */
static tn_err current(struct store *store, struct store_file *file, uint32_t *ret_extent,
                      uint32_t *ret_bytes)
{
    ASSERT(file->open);
    tn_err err = settle(store, file);
    if (err != TN_OK)
        return err;
    if (!file->draft && file->generation == 0)
        return TN_ENOTFOUND;
    *ret_extent = file->draft ? file->extent ^ 1 : file->extent;
    *ret_bytes = file->draft ? file->draft_bytes : file->size_bytes;
    return TN_OK;
}

tn_err store_size(struct store *store, struct store_file *file, uint32_t *ret_bytes)
{
    uint32_t extent;
    return current(store, file, &extent, ret_bytes);
}

tn_err store_read(struct store *store, struct store_file *file, uint64_t at, void *ret_at,
                  uint32_t len, uint32_t *ret_len)
{
    uint8_t sector[DISK_SECTOR];
    uint32_t extent = 0, size = 0;
    tn_err err = current(store, file, &extent, &size);
    if (err != TN_OK)
        return err;
    uint32_t all = at >= size ? 0 : len < size - at ? len : size - (uint32_t)at;
    uint32_t base = extent_sector(store, file, extent);
    for (uint32_t done = 0, n; done < all; done += n) {
        uint32_t from = (uint32_t)at + done, off = from % DISK_SECTOR;
        n = all - done < DISK_SECTOR - off ? all - done : DISK_SECTOR - off;
        err = disk_read(store->disk, base + from / DISK_SECTOR, 1, sector);
        if (err != TN_OK)
            return err;
        memcpy((uint8_t *)ret_at + done, sector + off, n);
    }
    *ret_len = all;
    return TN_OK;
}

tn_err store_draft(struct store *store, struct store_file *file)
{
    ASSERT(file->open);
    if (file->draft)
        return TN_OK;
    tn_err err = settle(store, file);
    if (err != TN_OK)
        return err;
    file->draft = true;
    file->draft_bytes = 0;
    return TN_OK;
}

/* Puts bytes, or zeros where `from` is NULL, into the draft's extent. */
static tn_err put(struct store *store, const struct store_file *file, uint32_t at, const void *from,
                  uint32_t len)
{
    uint8_t sector[DISK_SECTOR];
    uint32_t base = extent_sector(store, file, file->extent ^ 1);
    for (uint32_t done = 0, n; done < len; done += n) {
        uint32_t off = (at + done) % DISK_SECTOR;
        n = len - done < DISK_SECTOR - off ? len - done : DISK_SECTOR - off;
        tn_err err = disk_read(store->disk, base + (at + done) / DISK_SECTOR, 1, sector);
        if (err != TN_OK)
            return err;
        if (from != NULL)
            memcpy(sector + off, (const uint8_t *)from + done, n);
        else
            memset(sector + off, 0, n);
        err = disk_write(store->disk, base + (at + done) / DISK_SECTOR, 1, sector);
        if (err != TN_OK)
            return err;
    }
    return TN_OK;
}

tn_err store_write(struct store *store, struct store_file *file, uint64_t at, const void *from,
                   uint32_t len)
{
    ASSERT(file->draft);
    if (len == 0)
        return TN_OK;
    if (at > STORE_FILE_BYTES || len > STORE_FILE_BYTES - at)
        return TN_ELIMIT;
    tn_err err = TN_OK;
    if (at > file->draft_bytes)
        err = put(store, file, file->draft_bytes, NULL, (uint32_t)at - file->draft_bytes);
    if (err == TN_OK)
        err = put(store, file, (uint32_t)at, from, len);
    if (err == TN_OK && at + len > file->draft_bytes)
        file->draft_bytes = (uint32_t)at + len;
    return err;
}

tn_err store_truncate(struct store *store, struct store_file *file, uint64_t size_bytes)
{
    ASSERT(file->draft);
    if (size_bytes > STORE_FILE_BYTES)
        return TN_ELIMIT;
    if (size_bytes > file->draft_bytes) {
        tn_err err =
            put(store, file, file->draft_bytes, NULL, (uint32_t)size_bytes - file->draft_bytes);
        if (err != TN_OK)
            return err;
    }
    file->draft_bytes = (uint32_t)size_bytes;
    return TN_OK;
}

tn_err store_commit(struct store *store, struct store_file *file)
{
    ASSERT(file->draft && !file->unsure);
    struct head head;
    memset(&head, 0, sizeof(head));
    head.magic = head_magic;
    head.generation = file->generation + 1;
    head.extent = file->extent ^ 1;
    head.size_bytes = file->draft_bytes;
    memcpy(head.name, file->name, sizeof(head.name));
    head.checksum = checksum_of(&head);
    file->draft = false;
    tn_err err = disk_flush(store->disk);
    if (err != TN_OK)
        return err;
    file->unsure = true;
    uint32_t sector = slot_sector(store, file) + (uint32_t)(head.generation % 2);
    err = disk_write(store->disk, sector, 1, &head);
    if (err == TN_OK)
        err = disk_flush(store->disk);
    if (err != TN_OK)
        return err;
    file->unsure = false;
    take_head(file, &head);
    return TN_OK;
}

void store_discard(struct store_file *file)
{
    file->draft = false;
}
