/* log.h: the log driver's state, for its own files. */
#ifndef DRIVERS_LINUX_LOG_H
#define DRIVERS_LINUX_LOG_H

#include "base/bytes.h"
#include <tenon/driver.h>

enum {
    LOG_WRITERS_MAX = 512, /* grants: components that have a name here */
    LOG_TEXT_MAX = 4096,   /* bytes of a text (tenon.log) */
    LOG_ESCAPED_MAX = 4,   /* bytes that one byte of it may become: \xNN */
    LOG_HEAD_MAX = 512,    /* bytes of a line besides its text: time, name, level, lines lost */
    LOG_PROGRESS_NS = 1000000000, /* between two lines of a writer's progress, off a terminal */
};

struct log {
    uint64_t lines, bytes; /* written */
    uint64_t lost;         /* lines that could not be written, ever */
    uint64_t lost_since;   /* and since the last that could */
    bool terminal;         /* standard error is one: progress may overwrite itself */
    bool errors_only;      /* what is no error is passed over */
    uint32_t nwriters;
    struct log_writer {
        uint64_t badge;
        tn_time progress_from; /* none of its progress is shown before, off a terminal */
        char name[TN_NAME_MAX + 1];
    } writers[LOG_WRITERS_MAX];
    char line[LOG_HEAD_MAX + LOG_TEXT_MAX * LOG_ESCAPED_MAX];
};

#endif
