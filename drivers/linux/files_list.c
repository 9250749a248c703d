/* files_list.c: the names in a directory, in order of their bytes, some at a time.
 *
 * A directory's own order is no order, so each call reads all of it and keeps the first
 * FILES_LIST_MAX names after the one asked for, sorted. That needs no memory that grows with the
 * directory; listing n names takes n / FILES_LIST_MAX passes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "drivers/linux/files_int.h"

static int compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

/* KIND_FILE, KIND_DIRECTORY, or -1 for what is neither. */
static int kind_of(int dir, const struct dirent *entry)
{
    if (entry->d_type == DT_REG)
        return TENON_FILE_KIND_FILE;
    if (entry->d_type == DT_DIR)
        return TENON_FILE_KIND_DIRECTORY;
    struct stat st;
    if (entry->d_type != DT_UNKNOWN || fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    return S_ISREG(st.st_mode)   ? TENON_FILE_KIND_FILE
           : S_ISDIR(st.st_mode) ? TENON_FILE_KIND_DIRECTORY
                                 : -1;
}

/* Keeps a name if it is among the first; returns how many are kept now. */
static uint32_t keep(struct files *files, uint32_t kept, struct tn_text name, int kind, bool *more)
{
    uint32_t low = 0, high = kept;
    while (low < high) {
        uint32_t mid = (low + high) / 2, at = files->order[mid];
        if (compare(files->names[at].name, files->names[at].len, name.at, name.len) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    uint16_t slot = (uint16_t)kept;
    if (kept == FILES_LIST_MAX) {
        *more = true;
        if (low == kept)
            return kept;
        slot = files->order[--kept]; /* the last one makes room */
    }
    memmove(&files->order[low + 1], &files->order[low], (kept - low) * sizeof(files->order[0]));
    files->order[low] = slot;
    memcpy(files->names[slot].name, name.at, name.len);
    files->names[slot].len = (uint8_t)name.len;
    files->names[slot].kind = (uint8_t)kind;
    return kept + 1;
}

/* Collects into files->names and files->order. */
static tn_err collect(struct files *files, int dir, struct tn_text after, uint32_t *ret_count,
                      bool *ret_more)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* an offset of its own */
    if (fd < 0)
        return files_error(errno);
    DIR *stream = fdopendir(fd);
    if (stream == NULL) {
        int why = errno;
        (void)close(fd);
        return files_error(why);
    }
    uint32_t kept = 0;
    bool more = false;
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(stream)) != NULL) {
        char name[TENON_FILE_NAME_MAX + 1];
        struct tn_text text = {entry->d_name, (uint32_t)strlen(entry->d_name)};
        if (files_name(text, name) != TN_OK || !utf8_valid((const uint8_t *)text.at, text.len) ||
            compare(text.at, text.len, after.at, after.len) <= 0)
            continue;
        int kind = kind_of(dir, entry);
        if (kind >= 0)
            kept = keep(files, kept, text, kind, &more);
    }
    int why = errno;
    (void)closedir(stream);
    if (why != 0)
        return files_error(why);
    *ret_count = kept;
    *ret_more = more;
    return TN_OK;
}

tn_err files_list(struct files *files, const struct node *node, const struct tn_pack *in,
                  struct tn_pack *out)
{
    struct tenon_file_list_args args;
    tn_err e = tenon_file_list_args_decode(in, &args);
    if (e != TN_OK)
        return e;
    if (args.after.at == NULL)
        args.after.at = "";
    uint32_t count = 0;
    bool more = false;
    e = collect(files, node->fd, args.after, &count, &more);
    if (e != TN_OK)
        return e;
    /* Names go where they will sit in the reply: after the fixed part, whose length an empty reply
     * has; their kinds follow them, a byte each. */
    struct tenon_file_list_reply reply = {.more = more};
    struct tn_pack empty = *out;
    e = tenon_file_list_reply_encode(&reply, &empty);
    if (e != TN_OK)
        return e;
    uint32_t size = out->size < TN_ARGS_MAX ? out->size : (uint32_t)TN_ARGS_MAX;
    uint32_t start = (empty.len + 3u) & ~3u, used = 0, n = 0;
    uint8_t *room = (uint8_t *)out->data + start, kinds[FILES_LIST_MAX];
    for (; n < count && start + n + 1 <= size; n++) {
        uint32_t at = files->order[n];
        struct tn_text name = {files->names[at].name, files->names[at].len};
        if (tn_texts_add(room, size - start - (n + 1), &used, name) != TN_OK)
            break;
        kinds[n] = files->names[at].kind;
    }
    if (n == 0 && count > 0)
        return TN_ETOOBIG;
    reply.names = (struct tn_texts){room, used};
    reply.kinds = (struct tn_u8s){kinds, n};
    reply.more = more || n < count;
    return tenon_file_list_reply_encode(&reply, out);
}
