/* files_fake.h: what the tests of the files driver share: the few tn_ functions that it calls, a
 * folder that goes away, and each method as a call through the interface's own coders. */
#ifndef DRIVERS_LINUX_FILES_FAKE_H
#define DRIVERS_LINUX_FILES_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/linux/files_int.h"

/* A minted capability's handle is its badge. */
extern struct fake {
    uint32_t needs, mints, drops, mint_rights;
    tn_err need_fails, mint_fails;
} fake;

/* A new folder; its path. The test's descriptors and files are counted from here. */
const char *folder_make(void);
void folder_remove(void);
/* "FOLDER/name"; good until the 8th call from now. */
const char *path_of(const char *name);
void put_file(const char *name, const void *bytes, size_t len);
/* The content of a file, terminated, at most 256 bytes; NULL when there is none. */
const char *get_file(const char *name);
/* Entries of a folder, without "." and "..", whatever they are. */
uint32_t count_entries(const char *name);
uint32_t count_descriptors(void);

struct grant_of {
    uint32_t rights;
    enum tn_grant_kind kind;
    const char *path;
};
/* A driver with grants of badges 1, 2, ...; or the error of its load in *ret_err, and NULL. */
struct files *driver_start(const struct grant_of *grants, uint32_t count, tn_err *ret_err);
void driver_stop(struct files *files);

enum { ROOM = 65536 };
extern _Alignas(8) uint8_t room[ROOM]; /* where replies are */
extern uint32_t room_size;             /* of it, what the next calls may use; ROOM at first */

/* Each checks the reply's form by the interface's table. */
tn_err call_raw(struct files *files, uint64_t badge, uint32_t method, const void *args,
                uint32_t len, struct tn_pack *ret_out);
tn_err call_open(struct files *files, uint64_t badge, const char *name, size_t len, bool write,
                 uint64_t *ret_badge);
tn_err call_size(struct files *files, uint64_t badge, uint64_t *ret_bytes);
tn_err call_read(struct files *files, uint64_t badge, uint64_t offset, uint32_t len,
                 struct tn_bytes *ret_data);
tn_err call_write(struct files *files, uint64_t badge, uint64_t offset, const void *data,
                  uint32_t len);
tn_err call_truncate(struct files *files, uint64_t badge, uint64_t size);
tn_err call_commit(struct files *files, uint64_t badge);
tn_err call_close(struct files *files, uint64_t badge);
tn_err call_list(struct files *files, uint64_t badge, const char *after,
                 struct tenon_file_list_reply *ret_reply);

#endif
