/* files_int.h: the files driver's state and what its own files do for each other. */
#ifndef DRIVERS_LINUX_FILES_INT_H
#define DRIVERS_LINUX_FILES_INT_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "interfaces/tenon_file.h"
#include <tenon/driver.h>

enum {
    FILES_GRANTS_MAX = 64,         /* files and directories that the composition grants */
    FILES_OPEN_MAX = 256,          /* files and directories open through open and open_write */
    FILES_OPEN_PER_GRANT_MAX = 64, /* of them from one grant: what a client can use up */
    FILES_LIST_MAX = 256,          /* names in one answer of list */
    FILES_MESSAGE_MAX = 65000,     /* bytes of one read or write (tenon.file) */
    FILES_DRAFT_NAME = 32,         /* bytes of a draft's own name, with its zero */
};
/* A node holds at most two descriptors, and list one more. */
_Static_assert(2 * (FILES_GRANTS_MAX + FILES_OPEN_MAX) + 1 < 1000, "below the usual 1024");

/* Names that begin so are the driver's own: not listed, not opened. */
#define FILES_RESERVED ".tenon-"

enum node_state {
    NODE_SHUT,      /* a granted file, before its first use */
    NODE_DIRECTORY, /* fd */
    NODE_READING,   /* fd: the target */
    NODE_DRAFT,     /* fd: what is written; the target is as it was */
    NODE_COMMITTED, /* fd: what was written and is the target since */
    NODE_BROKEN,    /* fd: a draft that the disk may have lost bytes of */
};

/* What a badge names. */
struct node {
    uint64_t badge;      /* 0: this slot is free, and the rest means nothing */
    uint64_t generation; /* of this slot; in the badges of opened nodes */
    uint32_t rights;
    uint32_t grant; /* index of the grant that it is or came from */
    enum node_state state;
    int fd;                             /* -1 in NODE_SHUT */
    int dir;                            /* the directory of a file that may be written, or -1 */
    char name[TENON_FILE_NAME_MAX + 1]; /* of the file in `dir` */
    char draft[FILES_DRAFT_NAME];       /* name of the draft in `dir`; empty while it has none */
};

struct files {
    tn_cap self;                 /* need "self"; 0 until first used */
    uint32_t ngrants, opened;    /* nodes in use */
    bool no_openat2, no_tmpfile; /* what this system lacks: found when first tried */
    struct node grants[FILES_GRANTS_MAX];
    struct node open[FILES_OPEN_MAX];
    uint32_t opened_of[FILES_GRANTS_MAX];
    struct {
        char name[TENON_FILE_NAME_MAX + 1];
        uint8_t len, kind;
    } names[FILES_LIST_MAX];
    uint16_t order[FILES_LIST_MAX]; /* indices into names, ascending by name */
};

/* files_open.c: opening beneath a directory. */

/* What errno means to a caller of tenon.file. */
tn_err files_error(int os_error);
/* Opens the entry `name` (one component, terminated) of `dir` and nothing that it may lead to: no
 * symbolic link is followed, no mount's magic link, no way up. -1 and errno. */
int files_open_beneath(struct files *files, int dir, const char *name, int flags, mode_t mode);
/* The same, and only a regular file or a directory, found out before it is opened for what opening
 * another kind can do. The descriptor is read only. Errors: of tenon.file, TN_EDENIED. */
TN_MUST tn_err files_open_entry(struct files *files, int dir, const char *name, int *ret_fd,
                                struct stat *ret_stat);
/* Copies a name that a caller gave. TENON_FILE_E_BAD_NAME unless it can name an entry. */
TN_MUST tn_err files_name(struct tn_text text, char ret_name[TENON_FILE_NAME_MAX + 1]);

/* files_draft.c: writing beside the target. */

/* Begins a draft of node->name in node->dir, in place of what `fd` was. */
TN_MUST tn_err files_draft_begin(struct files *files, struct node *node);
/* Puts the draft in the target's place, durably. On failure before that the draft goes on. */
TN_MUST tn_err files_draft_commit(struct node *node);
/* Forgets a draft's name and removes it; `fd` stays. Harmless on other nodes. */
void files_draft_discard(struct node *node);

/* Unpredictable bytes. */
void files_random(void *at, size_t len);

/* files_list.c: the method list; the node is a directory. */
TN_MUST tn_err files_list(struct files *files, const struct node *node, const struct tn_pack *in,
                          struct tn_pack *out);

#endif
