/* files.c: reading whole files, and paths. */
#include "apps/tenon/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/tenon/term.h"
#include "base/fmt.h"

void *must_get(void *at)
{
    if (at == NULL) {
        say("out of memory: this machine gives this process no more");
        exit(1);
    }
    return at;
}

static tn_err refuse(struct file_error *error, tn_err err, const char *text)
{
    error->err = err;
    (void)fmt_print(error->text, sizeof(error->text), "%s", text);
    return err;
}

static tn_err refuse_errno(struct file_error *error, int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return refuse(error, TN_ENOTFOUND, "no such file: check the path");
    case EACCES:
    case EPERM:
        return refuse(error, TN_EDENIED, "permission denied: check its owner and mode (ls -l)");
    case ENAMETOOLONG:
    case ELOOP:
        return refuse(error, TN_EINVAL,
                      "a path that the system refuses: too long, or links in "
                      "circles");
    default:
        (void)fmt_print(error->text, sizeof(error->text), "%s", strerror(number));
        return error->err = TN_EIO;
    }
}

static const char *kind_of(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a folder where a file is expected: name the file in it";
    if (S_ISFIFO(mode))
        return "a FIFO where a file is expected: save what it gives to a file first";
    if (S_ISLNK(mode))
        return "a link where a file is expected: name what it leads to";
    if (S_ISSOCK(mode))
        return "a socket where a file is expected";
    return "a device where a file is expected";
}

/* An open file that is a regular one of at most that size; -1 with *ret_error. */
static int open_regular(const char *path, size_t most_bytes, size_t *ret_bytes,
                        struct file_error *ret_error)
{
    struct stat stat;
    /* Without O_NONBLOCK the open of a FIFO would wait for a writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        int number = errno;
        if (number == ENXIO)
            refuse(ret_error, TN_EINVAL, kind_of(S_IFSOCK));
        else
            refuse_errno(ret_error, number);
        return -1;
    }
    if (fstat(fd, &stat) != 0) {
        refuse_errno(ret_error, errno);
    } else if (!S_ISREG(stat.st_mode)) {
        refuse(ret_error, TN_EINVAL, kind_of(stat.st_mode));
    } else if ((uint64_t)stat.st_size > most_bytes) {
        ret_error->err = TN_ETOOBIG;
        (void)fmt_print(ret_error->text, sizeof(ret_error->text),
                        "%llu bytes, at most %zu are read: is it the right file?",
                        (unsigned long long)stat.st_size, most_bytes);
    } else {
        *ret_bytes = (size_t)stat.st_size;
        return fd;
    }
    (void)close(fd);
    return -1;
}

tn_err file_read(const char *path, size_t most_bytes, struct str *ret_text,
                 struct file_error *ret_error)
{
    size_t bytes = 0, used = 0;
    int fd = open_regular(path, most_bytes, &bytes, ret_error);
    if (fd < 0)
        return ret_error->err;
    char *text = must_get(malloc(bytes + 1));
    tn_err err = TN_OK;
    while (used < bytes) {
        ssize_t n = read(fd, text + used, bytes - used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            err = refuse_errno(ret_error, errno);
        if (n <= 0)
            break; /* at 0 somebody has cut the file since */
        used += (size_t)n;
    }
    (void)close(fd);
    if (err != TN_OK) {
        free(text);
        return err;
    }
    text[used] = '\0';
    *ret_text = (struct str){text, used};
    return TN_OK;
}

tn_err file_probe(const char *path, bool folder, struct file_error *ret_error)
{
    struct stat st;
    if (stat(path, &st) != 0 || access(path, R_OK) != 0)
        return refuse_errno(ret_error, errno);
    if (folder && !S_ISDIR(st.st_mode))
        return refuse(ret_error, TN_EINVAL, "a file where a folder is expected");
    if (!folder && !S_ISREG(st.st_mode))
        return refuse(ret_error, TN_EINVAL, kind_of(st.st_mode));
    return TN_OK;
}

/* The folder a file is made in: terminated, freed by the caller. */
static char *folder_of(const char *path)
{
    struct str folder = path_folder(str_of(path));
    return path_from(STR(""), folder.len > 0 ? folder : STR("."));
}

tn_err file_probe_target(const char *path, struct file_error *ret_error)
{
    struct stat st;
    char *folder = folder_of(path);
    bool there = lstat(path, &st) == 0;
    int number = there ? 0 : errno;
    if (number == ENOENT)
        number = access(folder, W_OK | X_OK) == 0 ? 0 : errno;
    else if (there && S_ISREG(st.st_mode))
        number = access(path, W_OK) == 0 && access(folder, W_OK | X_OK) == 0 ? 0 : errno;
    free(folder);
    if (number == ENOENT)
        return refuse(ret_error, TN_ENOTFOUND, "there is no such folder to make it in");
    if (number != 0)
        return refuse_errno(ret_error, number);
    if (there && !S_ISREG(st.st_mode))
        return refuse(ret_error, TN_EINVAL, kind_of(st.st_mode));
    return TN_OK;
}

struct file_mark file_mark_of(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return (struct file_mark){0};
    return (struct file_mark){.device = st.st_dev,
                              .inode = st.st_ino,
                              .size_bytes = (uint64_t)st.st_size,
                              .changed_ns =
                                  (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec};
}

bool file_mark_equal(struct file_mark a, struct file_mark b)
{
    return a.device == b.device && a.inode == b.inode && a.size_bytes == b.size_bytes &&
           a.changed_ns == b.changed_ns;
}

bool file_same(const char *path, const char *other)
{
    struct stat a, b;
    return stat(path, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

char *path_from(struct str folder, struct str path)
{
    if (path.len > 0 && path.at[0] == '/')
        folder = STR("");
    bool slash = folder.len > 0 && folder.at[folder.len - 1] != '/';
    char *joined = must_get(malloc(folder.len + slash + path.len + 1));
    if (folder.len > 0)
        memcpy(joined, folder.at, folder.len);
    if (slash)
        joined[folder.len] = '/';
    if (path.len > 0)
        memcpy(joined + folder.len + slash, path.at, path.len);
    joined[folder.len + slash + path.len] = '\0';
    return joined;
}

struct str path_folder(struct str path)
{
    while (path.len > 0 && path.at[path.len - 1] != '/')
        path.len--;
    return path;
}

char *path_absolute(const char *path)
{
    if (path[0] == '/')
        return path_from(STR(""), str_of(path));
    char *here = getcwd(NULL, 0);
    if (here == NULL)
        return NULL;
    char *joined = path_from(str_of(here), str_of(path));
    free(here);
    return joined;
}
