/* files.h: reading whole files, and paths. */
#ifndef APPS_TENON_FILES_H
#define APPS_TENON_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <tenon/errors.h>

#include "base/bytes.h"

enum { FILE_ERROR_TEXT = 256 };

/* Why a file could not be read: TN_ENOTFOUND, TN_EDENIED, TN_EINVAL (not a regular file),
 * TN_ETOOBIG, TN_ENOMEM, TN_EIO; and what to tell a person, without the file's name: "no such file:
 * check the path". */
struct file_error {
    tn_err err;
    char text[FILE_ERROR_TEXT];
};

/* Reads a regular file whole, terminated beyond its length; never waits for a FIFO or a device. The
 * caller frees ret_text->at. */
tn_err file_read(const char *path, size_t most_bytes, struct str *ret_text,
                 struct file_error *ret_error);
/* TN_OK when there is a regular file (or, for `folder`, a folder) that this process may read. */
tn_err file_probe(const char *path, bool folder, struct file_error *ret_error);

/* TN_OK when this process may make a regular file there, or put one in the place of what is there:
 * no link, folder or device. */
tn_err file_probe_target(const char *path, struct file_error *ret_error);
/* What a path names at one time: equal marks, the same file, not written in between. Zeros: none.
 */
struct file_mark {
    uint64_t device, inode, size_bytes;
    int64_t changed_ns;
};
struct file_mark file_mark_of(const char *path);
bool file_mark_equal(struct file_mark a, struct file_mark b);
/* Do both paths name one file that exists? */
bool file_same(const char *path, const char *other);

/* New terminated text, freed by the caller: `path` seen from `folder`, which is "" for the current
 * one; a path that begins with '/' is itself. */
char *path_from(struct str folder, struct str path);
/* "a/b/c.toml" -> "a/b/"; "c.toml" -> "". */
struct str path_folder(struct str path);
/* An absolute path of what `path`, seen from the current folder, names, which need not exist; NULL:
 * the current folder cannot be found. */
char *path_absolute(const char *path);

/* What the heap gave, if it gave something; else says so and ends the program. */
void *must_get(void *at);

#endif
