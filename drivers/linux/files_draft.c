/* files_draft.c: a file is written beside its target, and takes its place at once.
 *
 * A draft has no name while it is written where the file system can (O_TMPFILE): then a crash
 * leaves nothing behind. Elsewhere it has a random name that begins with FILES_RESERVED, which is
 * removed with the draft, and stays behind only if the process is killed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fmt.h"
#include "drivers/linux/files_int.h"

enum { NAME_TRIES = 8, MODE_BITS = 0777, MODE_NEW = 0666 };

void files_random(void *at, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = getrandom((uint8_t *)at + done, len - done, 0);
        done += n > 0 ? (size_t)n : 0; /* it fails only for a signal: then again */
    }
}

static void random_name(char ret_name[FILES_DRAFT_NAME])
{
    uint64_t number;
    files_random(&number, sizeof(number));
    (void)fmt_print(ret_name, FILES_DRAFT_NAME, FILES_RESERVED "%016llx",
                    (unsigned long long)number);
}

/* The draft's descriptor, and its name if it needed one. -1 and errno. */
static int create(struct files *files, int dir, mode_t mode, char ret_name[FILES_DRAFT_NAME])
{
    ret_name[0] = '\0';
    if (!files->no_tmpfile) {
        int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
        if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
            return fd;
    }
    for (int i = 0; i < NAME_TRIES; i++) {
        char name[FILES_DRAFT_NAME];
        random_name(name);
        int fd = files_open_beneath(files, dir, name, O_RDWR | O_CREAT | O_EXCL, mode);
        if (fd >= 0)
            memcpy(ret_name, name, sizeof(name));
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

tn_err files_draft_begin(struct files *files, struct node *node)
{
    struct stat target;
    bool exists = fstatat(node->dir, node->name, &target, AT_SYMLINK_NOFOLLOW) == 0;
    if (!exists && errno != ENOENT)
        return files_error(errno);
    if (exists && S_ISDIR(target.st_mode))
        return TENON_FILE_E_IS_DIRECTORY;
    if (exists && !S_ISREG(target.st_mode))
        return TN_EDENIED;
    /* The directory is all that a rename asks for; a file that says read only is kept so. */
    if (exists && faccessat(node->dir, node->name, W_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW) != 0)
        return files_error(errno);
    mode_t mode = exists ? target.st_mode & MODE_BITS : (mode_t)MODE_NEW;
    char name[FILES_DRAFT_NAME];
    int fd = create(files, node->dir, mode, name);
    if (fd < 0)
        return files_error(errno);
    if (exists && fchmod(fd, mode) != 0) {
        int why = errno;
        if (name[0] != '\0')
            (void)unlinkat(node->dir, name, 0);
        (void)close(fd);
        return files_error(why);
    }
    if (node->fd >= 0)
        (void)close(node->fd);
    node->fd = fd;
    memcpy(node->draft, name, sizeof(name));
    node->state = NODE_DRAFT;
    return TN_OK;
}

/* Gives a draft without a name one. The first way needs no /proc, but on older systems a right that
 * few have. */
static tn_err give_name(struct node *node)
{
    char name[FILES_DRAFT_NAME], link[sizeof("/proc/self/fd/") + 16];
    (void)fmt_print(link, sizeof(link), "/proc/self/fd/%d", node->fd);
    for (int i = 0; i < NAME_TRIES; i++) {
        random_name(name);
        if (linkat(node->fd, "", node->dir, name, AT_EMPTY_PATH) == 0 ||
            (errno != EEXIST && linkat(AT_FDCWD, link, node->dir, name, AT_SYMLINK_FOLLOW) == 0)) {
            memcpy(node->draft, name, sizeof(name));
            return TN_OK;
        }
        if (errno != EEXIST)
            break;
    }
    return files_error(errno);
}

tn_err files_draft_commit(struct node *node)
{
    if (fsync(node->fd) != 0) {
        /* The kernel may have dropped what it could not write: another fsync would lie. */
        tn_err e = files_error(errno);
        files_draft_discard(node);
        node->state = NODE_BROKEN;
        return e;
    }
    if (node->draft[0] == '\0') {
        tn_err e = give_name(node);
        if (e != TN_OK)
            return e;
    }
    if (renameat(node->dir, node->draft, node->dir, node->name) != 0) {
        return files_error(errno); /* it goes on, from now on with a name */
    }
    node->draft[0] = '\0';
    node->state = NODE_COMMITTED;
    return fsync(node->dir) == 0 ? TN_OK : files_error(errno);
}

void files_draft_discard(struct node *node)
{
    if (node->state == NODE_DRAFT && node->draft[0] != '\0')
        (void)unlinkat(node->dir, node->draft, 0);
    node->draft[0] = '\0';
}
