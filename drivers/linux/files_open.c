/* files_open.c: opening one entry of a directory and nothing that it may lead to. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "drivers/linux/files_int.h"

tn_err files_error(int os_error)
{
    switch (os_error) {
    case ENOENT:
        return TENON_FILE_E_NOT_FOUND;
    case EISDIR:
        return TENON_FILE_E_IS_DIRECTORY;
    case ENOTDIR:
        return TENON_FILE_E_NOT_DIRECTORY;
    case ENAMETOOLONG:
    case EILSEQ:
        return TENON_FILE_E_BAD_NAME;
    case ENOSPC:
    case EDQUOT:
        return TENON_FILE_E_NO_SPACE;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP: /* a symbolic link */
    case EXDEV: /* a way out of the directory */
    case ENXIO: /* a FIFO or a socket */
        return TN_EDENIED;
    case EFBIG:
    case EOVERFLOW:
        return TN_ETOOBIG;
    case EMFILE:
    case ENFILE:
        return TN_ELIMIT;
    case ENOMEM:
        return TN_ENOMEM;
    default:
        return TENON_FILE_E_IO;
    }
}

/* For systems without openat2, or where a filter denies it. One component, that is not "..", and
 * whose last part is not followed: that is all that RESOLVE_BENEATH would have to hold. */
static int open_component(int dir, const char *name, int flags, mode_t mode)
{
    if (name[0] == '\0' || strchr(name, '/') != NULL || strcmp(name, "..") == 0) {
        errno = EXDEV;
        return -1;
    }
    return openat(dir, name, flags | O_NOFOLLOW, mode);
}

int files_open_beneath(struct files *files, int dir, const char *name, int flags, mode_t mode)
{
    flags |= O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    struct open_how how = {
        .flags = (uint32_t)flags,
        .mode = (flags & O_CREAT) != 0 ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
    };
    int fd = -1;
    while (!files->no_openat2) {
        fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
        if (fd >= 0)
            return fd;
        if (errno == ENOSYS || errno == EPERM)
            break;
        if (errno != EINTR && errno != EAGAIN) /* EAGAIN: a rename raced with it */
            return -1;
    }
    if (!files->no_openat2 && errno == ENOSYS)
        files->no_openat2 = true;
    do
        fd = open_component(dir, name, flags, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

tn_err files_open_entry(struct files *files, int dir, const char *name, int *ret_fd,
                        struct stat *ret_stat)
{
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return files_error(errno);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return TN_EDENIED;
    int fd = files_open_beneath(files, dir, name, O_RDONLY, 0);
    if (fd < 0)
        return files_error(errno);
    /* Somebody may have put another thing there since; O_NONBLOCK kept us from waiting on it. */
    if (fstat(fd, &st) != 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))) {
        (void)close(fd);
        return TN_EDENIED;
    }
    *ret_fd = fd;
    *ret_stat = st;
    return TN_OK;
}

tn_err files_name(struct tn_text text, char ret_name[TENON_FILE_NAME_MAX + 1])
{
    static const struct str reserved = {FILES_RESERVED, sizeof(FILES_RESERVED) - 1};
    if (text.len == 0 || text.len > TENON_FILE_NAME_MAX || memchr(text.at, '\0', text.len) ||
        memchr(text.at, '/', text.len))
        return TENON_FILE_E_BAD_NAME;
    if ((text.len == 1 && text.at[0] == '.') ||
        (text.len == 2 && text.at[0] == '.' && text.at[1] == '.'))
        return TENON_FILE_E_BAD_NAME;
    if (text.len >= reserved.len && memcmp(text.at, reserved.at, reserved.len) == 0)
        return TENON_FILE_E_BAD_NAME;
    memcpy(ret_name, text.at, text.len);
    ret_name[text.len] = '\0';
    return TN_OK;
}
