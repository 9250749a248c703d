/* files.c: files and directories of Linux, by capability (tenon.file).
 *
 * A badge names a node: a file or directory that the composition granted, or one that was opened
 * beneath a granted directory. Nothing else of the file system can be said, let alone reached.
 *
 * Invariants:
 * 1. Paths come only from the composition's grants, which are resolved once, at load, with the
 *    owner's own links. What a caller sends is one name in one directory: no '/', no "..".
 * 2. No symbolic link is followed beneath a grant, and none may be the last part of a granted
 *    file's path. Only regular files and directories are opened; a FIFO, socket or device is not.
 * 3. An opened node has at most the rights of the directory that it came from.
 * 4. The badge of an opened node holds its slot and the slot's generation, which begins at random:
 *    after close, and after a restart of the driver, it names nothing, and never another's file.
 * 5. Whatever holds a descriptor is in one of the two tables, which are bounded; one grant can use
 *    up its share of the opened ones and no more.
 * 6. A target changes in files_draft_commit and nowhere else. A draft that is not committed leaves
 *    nothing behind, at close, at stop, and (where the file system has O_TMPFILE) at a crash.
 *
 * Each operation is a section that may block (tn_block_begin), but for the moments in which a
 * capability is made.
 *
 * States of a file (enum node_state), and what takes each edge:
 *
 *    SHUT -use- READING                 a granted file, opened at its first use and kept
 *    SHUT, READING -writable- DRAFT     a granted file that is written or truncated
 *    (none) -op_open_write- DRAFT       an opened one: begins empty
 *    DRAFT -files_draft_commit- COMMITTED, or BROKEN when the disk failed
 *    COMMITTED, BROKEN -writable- DRAFT a granted file again; an opened one is done
 *    any -op_close- SHUT                granted; an opened one is released
 *
 * All who hold one granted file share its draft, for they are one badge. A reader of a granted file
 * goes on with the file that it began with; close makes it see one that was put in its place. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/bits.h"
#include "drivers/linux/drivers.h"
#include "drivers/linux/files_int.h"

#define OPENED_BIT (UINT64_C(1) << 63)
enum { SLOT_BITS = 16 };
_Static_assert(FILES_OPEN_MAX <= 1 << SLOT_BITS, "a slot fits into a badge");

static bool is_granted(const struct node *node)
{
    return node->badge <= TN_GRANT_BADGE_MAX;
}

/* Closes what the node holds, and what it began to write is gone. */
static void shut(struct node *node)
{
    files_draft_discard(node);
    if (node->fd >= 0)
        (void)close(node->fd);
    node->fd = -1;
    if (node->state != NODE_DIRECTORY)
        node->state = NODE_SHUT;
}

static void release(struct node *node)
{
    shut(node);
    if (node->dir >= 0)
        (void)close(node->dir);
    node->dir = -1;
    node->badge = 0;
}

static void release_opened(struct files *files, struct node *node)
{
    release(node);
    files->opened--;
    files->opened_of[node->grant]--;
}

static tn_err find(struct files *files, uint64_t badge, struct node **ret_node)
{
    if (badge > TN_GRANT_BADGE_MAX) {
        uint64_t slot = badge & ((1u << SLOT_BITS) - 1);
        if (slot >= FILES_OPEN_MAX || files->open[slot].badge != badge)
            return TN_EGONE;
        *ret_node = &files->open[slot];
        return TN_OK;
    }
    for (uint32_t i = 0; badge != 0 && i < files->ngrants; i++) {
        if (files->grants[i].badge == badge) {
            *ret_node = &files->grants[i];
            return TN_OK;
        }
    }
    return TN_EDENIED;
}

/* Makes a granted file's descriptor there. */
static tn_err use(struct files *files, struct node *node)
{
    if (node->state == NODE_DIRECTORY)
        return TENON_FILE_E_IS_DIRECTORY;
    if (node->state != NODE_SHUT)
        return TN_OK;
    int fd;
    struct stat st;
    tn_err e = files_open_entry(files, node->dir, node->name, &fd, &st);
    if (e != TN_OK)
        return e;
    if (S_ISDIR(st.st_mode)) {
        (void)close(fd);
        return TENON_FILE_E_IS_DIRECTORY;
    }
    node->fd = fd;
    node->state = NODE_READING;
    return TN_OK;
}

/* Makes the node's draft there. */
static tn_err writable(struct files *files, struct node *node)
{
    if (node->state == NODE_DIRECTORY)
        return TENON_FILE_E_IS_DIRECTORY;
    if (node->state == NODE_DRAFT)
        return TN_OK;
    if (is_granted(node))
        return files_draft_begin(files, node);
    return node->state == NODE_COMMITTED ? TENON_FILE_E_COMMITTED : TENON_FILE_E_IO;
}

static tn_err op_size(struct files *files, struct node *node, const struct tn_pack *in,
                      struct tn_pack *out)
{
    (void)in;
    struct stat st;
    tn_err e = use(files, node);
    if (e != TN_OK)
        return e;
    if (fstat(node->fd, &st) != 0)
        return files_error(errno);
    struct tenon_file_size_reply reply = {.size_bytes = (uint64_t)st.st_size};
    return tenon_file_size_reply_encode(&reply, out);
}

static tn_err op_read(struct files *files, struct node *node, const struct tn_pack *in,
                      struct tn_pack *out)
{
    struct tenon_file_read_args args;
    tn_err e = tenon_file_read_args_decode(in, &args);
    if (e == TN_OK)
        e = use(files, node);
    if (e != TN_OK)
        return e;
    uint32_t room_bytes, done = 0;
    uint8_t *room = tenon_file_read_reply_room(out, &room_bytes);
    if (args.len > FILES_MESSAGE_MAX || args.len > room_bytes)
        return TN_ETOOBIG;
    uint64_t offset_most = INT64_MAX - (uint64_t)args.len; /* no file is longer than INT64_MAX */
    uint32_t want = args.offset_bytes <= offset_most ? args.len
                    : args.offset_bytes <= INT64_MAX ? (uint32_t)(INT64_MAX - args.offset_bytes)
                                                     : 0;
    while (done < want) {
        ssize_t n = pread(node->fd, room + done, want - done, (off_t)(args.offset_bytes + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return files_error(errno);
        if (n == 0)
            break;
        done += (uint32_t)n;
    }
    struct tenon_file_read_reply reply = {.data = {room, done}};
    return tenon_file_read_reply_encode(&reply, out);
}

static tn_err op_write(struct files *files, struct node *node, const struct tn_pack *in,
                       struct tn_pack *out)
{
    (void)out;
    struct tenon_file_write_args args;
    tn_err e = tenon_file_write_args_decode(in, &args);
    if (e == TN_OK && args.offset_bytes > INT64_MAX - (uint64_t)args.data.len)
        e = TN_ETOOBIG;
    if (e == TN_OK)
        e = writable(files, node);
    if (e != TN_OK)
        return e;
    for (uint32_t done = 0; done < args.data.len;) {
        ssize_t n = pwrite(node->fd, (const uint8_t *)args.data.at + done, args.data.len - done,
                           (off_t)(args.offset_bytes + done));
        if (n < 0 && errno != EINTR)
            return files_error(errno);
        done += n > 0 ? (uint32_t)n : 0;
    }
    return TN_OK;
}

static tn_err op_truncate(struct files *files, struct node *node, const struct tn_pack *in,
                          struct tn_pack *out)
{
    (void)out;
    struct tenon_file_truncate_args args;
    tn_err e = tenon_file_truncate_args_decode(in, &args);
    if (e == TN_OK && args.size_bytes > INT64_MAX)
        e = TN_ETOOBIG;
    if (e == TN_OK)
        e = writable(files, node);
    if (e == TN_OK && ftruncate(node->fd, (off_t)args.size_bytes) != 0)
        e = files_error(errno);
    return e;
}

static tn_err op_commit(struct files *files, struct node *node, const struct tn_pack *in,
                        struct tn_pack *out)
{
    (void)files;
    (void)in;
    (void)out;
    switch (node->state) {
    case NODE_DRAFT:
        return files_draft_commit(node);
    case NODE_DIRECTORY:
        return TENON_FILE_E_IS_DIRECTORY;
    case NODE_COMMITTED:
        return TENON_FILE_E_COMMITTED;
    case NODE_BROKEN:
        return TENON_FILE_E_IO;
    case NODE_SHUT:
    case NODE_READING:
        break;
    }
    return TN_EINVAL; /* a granted file that nothing was written to */
}

static tn_err op_list(struct files *files, struct node *node, const struct tn_pack *in,
                      struct tn_pack *out)
{
    if (node->state != NODE_DIRECTORY)
        return TENON_FILE_E_NOT_DIRECTORY;
    return files_list(files, node, in, out);
}

static tn_err op_close(struct files *files, struct node *node, const struct tn_pack *in,
                       struct tn_pack *out)
{
    (void)in;
    (void)out;
    if (!is_granted(node))
        release_opened(files, node);
    else if (node->state != NODE_DIRECTORY)
        shut(node);
    return TN_OK;
}

/* Opens `name` of `parent` into *node, which is not in a table yet. */
static tn_err open_node(struct files *files, const struct node *parent, const char *name,
                        uint32_t rights, struct node *node)
{
    struct stat st;
    *node = (struct node){.rights = rights, .grant = parent->grant, .fd = -1, .dir = -1};
    memcpy(node->name, name, strlen(name) + 1);
    if (rights & TN_R_WRITE) {
        node->dir = fcntl(parent->fd, F_DUPFD_CLOEXEC, 0);
        if (node->dir < 0)
            return files_error(errno);
        tn_err e = files_draft_begin(files, node);
        if (e == TN_OK)
            return e;
        (void)close(node->dir);
        node->dir = -1;
        if (e != TENON_FILE_E_IS_DIRECTORY)
            return e;
    }
    tn_err e = files_open_entry(files, parent->fd, name, &node->fd, &st);
    if (e != TN_OK)
        return e;
    node->state = S_ISDIR(st.st_mode) ? NODE_DIRECTORY : NODE_READING;
    if ((rights & TN_R_WRITE) && node->state != NODE_DIRECTORY) {
        release(node); /* it was a directory a moment ago */
        return TN_EAGAIN;
    }
    return TN_OK;
}

/* The slot of the next node to be opened beneath `parent`. */
static tn_err free_slot(struct files *files, const struct node *parent, uint32_t *ret_slot)
{
    if (files->opened_of[parent->grant] == FILES_OPEN_PER_GRANT_MAX ||
        files->opened == FILES_OPEN_MAX)
        return TN_ELIMIT;
    uint32_t slot = 0; /* there is a free one: `opened` counts those that are not */
    while (slot < FILES_OPEN_MAX - 1 && files->open[slot].badge != 0)
        slot++;
    *ret_slot = slot;
    return TN_OK;
}

/* The two moments in which an operation asks the kernel for something. */

static tn_err find_self(struct files *files)
{
    tn_block_end();
    tn_err e = tn_need("self", 4, &files->self);
    tn_block_begin();
    return e;
}

/* A capability for an opened node, in the answer. */
static tn_err hand_out(struct files *files, uint32_t rights, const struct node *node,
                       struct tenon_file_open_reply *reply, struct tn_pack *out)
{
    tn_block_end();
    tn_err e = tn_cap_mint(files->self, rights | TN_R_CALL, node->badge, &reply->file);
    if (e == TN_OK) {
        e = tenon_file_open_reply_encode(reply, out);
        if (e != TN_OK) {
            tn_err dropped = tn_cap_drop(reply->file);
            (void)dropped; /* it names nothing any more, whatever that says */
        }
    }
    tn_block_begin();
    return e;
}

static tn_err open_child(struct files *files, const struct node *parent, struct tn_text text,
                         uint32_t rights, struct tn_pack *out)
{
    char name[TENON_FILE_NAME_MAX + 1];
    uint32_t slot = 0;
    if (parent->state != NODE_DIRECTORY)
        return TENON_FILE_E_NOT_DIRECTORY;
    tn_err e = files_name(text, name);
    if (e == TN_OK)
        e = free_slot(files, parent, &slot);
    if (e == TN_OK && files->self == 0)
        e = find_self(files);
    if (e == TN_OK && (out->size == 0 || out->data == NULL))
        e = TN_ETOOBIG;
    if (e != TN_OK)
        return e;

    struct node node;
    e = open_node(files, parent, name, rights, &node);
    if (e != TN_OK)
        return e;
    struct node *place = &files->open[slot];
    node.generation = place->generation + 1;
    node.badge = OPENED_BIT | (node.generation << (SLOT_BITS + 1)) >> 1 | slot;
    *place = node;
    files->opened++;
    files->opened_of[node.grant]++;
    struct tenon_file_open_reply reply = {0};
    e = hand_out(files, rights, &node, &reply, out);
    if (e != TN_OK)
        release_opened(files, place);
    return e;
}

static tn_err op_open(struct files *files, struct node *node, const struct tn_pack *in,
                      struct tn_pack *out)
{
    struct tenon_file_open_args args;
    tn_err e = tenon_file_open_args_decode(in, &args);
    return e != TN_OK ? e : open_child(files, node, args.name, TN_R_READ, out);
}

static tn_err op_open_write(struct files *files, struct node *node, const struct tn_pack *in,
                            struct tn_pack *out)
{
    struct tenon_file_open_write_args args;
    tn_err e = tenon_file_open_write_args_decode(in, &args);
    return e != TN_OK ? e : open_child(files, node, args.name, TN_R_READ | TN_R_WRITE, out);
}

static tn_err files_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                         struct tn_pack *out)
{
    static const struct {
        uint32_t method, rights;
        tn_err (*op)(struct files *, struct node *, const struct tn_pack *, struct tn_pack *);
    } ops[] = {
        {TENON_FILE_SIZE, TN_R_READ, op_size},
        {TENON_FILE_READ, TN_R_READ, op_read},
        {TENON_FILE_WRITE, TN_R_WRITE, op_write},
        {TENON_FILE_TRUNCATE, TN_R_WRITE, op_truncate},
        {TENON_FILE_COMMIT, TN_R_WRITE, op_commit},
        {TENON_FILE_LIST, TN_R_READ, op_list},
        {TENON_FILE_OPEN, TN_R_READ, op_open},
        {TENON_FILE_OPEN_WRITE, TN_R_READ | TN_R_WRITE, op_open_write},
        {TENON_FILE_CLOSE, 0, op_close},
    };
    struct files *files = self;
    struct node *node = NULL;
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        if (ops[i].method != turn->method)
            continue;
        tn_err e = find(files, turn->badge, &node);
        if (e != TN_OK)
            return e;
        uint32_t lacks = ops[i].rights & ~node->rights;
        if (lacks != 0)
            return lacks & TN_R_WRITE ? TENON_FILE_E_NOT_OPEN_FOR_WRITING : TN_ERIGHTS;
        tn_block_begin();
        e = ops[i].op(files, node, in, out);
        tn_block_end();
        return e;
    }
    return TN_EMETHOD;
}

/* A granted path's last part must be what the grant says, and no link to it. */
static tn_err load_file(struct node *node, char *path)
{
    char *slash = strrchr(path, '/');
    tn_err e = files_name((struct tn_text){slash + 1, (uint32_t)strlen(slash + 1)}, node->name);
    if (e != TN_OK)
        return TN_EARGS;
    slash[slash == path ? 1 : 0] = '\0';
    node->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (node->dir < 0)
        return files_error(errno);
    struct stat st;
    if (fstatat(node->dir, node->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT && (node->rights & TN_R_WRITE) ? TN_OK : files_error(errno);
    return S_ISREG(st.st_mode) ? TN_OK : TN_ETYPE;
}

static tn_err load_grant(struct files *files, const struct tn_grant *grant)
{
    char path[TN_GRANT_TEXT_MAX + 1];
    if ((grant->kind != TN_GRANT_FILE && grant->kind != TN_GRANT_DIRECTORY) || grant->rights == 0 ||
        grant->text_len == 0 || grant->text[0] != '/')
        return TN_EARGS;
    if (files->ngrants == FILES_GRANTS_MAX)
        return TN_ELIMIT;
    memcpy(path, grant->text, grant->text_len);
    path[grant->text_len] = '\0';
    struct node *node = &files->grants[files->ngrants];
    *node = (struct node){.badge = grant->badge,
                          .rights = grant->rights,
                          .grant = files->ngrants,
                          .state = NODE_SHUT,
                          .fd = -1,
                          .dir = -1};
    files->ngrants++;
    if (grant->kind == TN_GRANT_FILE)
        return load_file(node, path);
    node->state = NODE_DIRECTORY;
    node->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return node->fd >= 0 ? TN_OK : files_error(errno);
}

static void release_all(struct files *files)
{
    for (uint32_t i = 0; i < FILES_OPEN_MAX; i++) {
        if (files->open[i].badge != 0)
            release_opened(files, &files->open[i]);
    }
    while (files->ngrants > 0)
        release(&files->grants[--files->ngrants]);
}

static void files_stop(void *self, const struct tn_turn *turn)
{
    (void)turn;
    tn_block_begin();
    release_all(self);
    tn_block_end();
}

static tn_err load_all(struct files *files, const struct tn_pack *config)
{
    struct tn_grants grants;
    struct tn_grant grant;
    for (uint32_t i = 0; i < FILES_OPEN_MAX; i++)
        files_random(&files->open[i].generation, sizeof(files->open[i].generation));
    files->no_tmpfile = access("/proc/self/fd", X_OK) != 0; /* without it none could be named */
    tn_err e = tn_grants_open(config, &grants);
    while (e == TN_OK && (e = tn_grants_next(&grants, &grant)) == TN_OK)
        e = load_grant(files, &grant);
    if (e == TN_ENOTFOUND && grants.left == 0 && grants.len == 0)
        return TN_OK;
    release_all(files);
    switch (e) { /* load answers the composition, not a caller of tenon.file */
    case TENON_FILE_E_NOT_FOUND:
        return TN_ENOTFOUND;
    case TENON_FILE_E_NOT_DIRECTORY:
        return TN_ETYPE;
    default:
        return e > 0 ? TN_EIO : e;
    }
}

static tn_err files_load(void *self, const struct tn_turn *turn, const struct tn_pack *config)
{
    (void)turn;
    tn_block_begin();
    tn_err e = load_all(self, config);
    tn_block_end();
    return e;
}

const struct tn_component driver_linux_files = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct files),
    .load = files_load,
    .call = files_call,
    .stop = files_stop,
};
