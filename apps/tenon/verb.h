/* verb.h: verbs of the command, their flags, and what a person wrote. */
#ifndef APPS_TENON_VERB_H
#define APPS_TENON_VERB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/fmt.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

enum { ARGS_FILES_MAX = 16, ARGS_VALUES_MAX = 256 };

enum flag_id { FLAG_HELP, FLAG_JSON, FLAG_VERBOSE, FLAG_QUIET, FLAG_STATS, FLAG_PLACE, FLAGS };

struct flag {
    const char *name;  /* "place": written --place */
    char letter;       /* written -v; 0: none */
    const char *value; /* "NAME=DOMAIN": takes one, and may be repeated; NULL: it takes none */
    const char *help;
};
extern const struct flag flags[FLAGS];

/* The words behind the verb. They point into argv. */
struct args {
    uint32_t given;                      /* bit of each enum flag_id */
    const char *values[ARGS_VALUES_MAX]; /* of --place, in order */
    uint32_t nvalues;
    const char *files[ARGS_FILES_MAX]; /* words that are no flags */
    uint32_t nfiles;
    const char *const *rest; /* what follows "--" */
    uint32_t nrest;
};

struct verb {
    const char *name;
    const char *synopsis; /* "SYSTEM.toml [options] [-- ARGUMENT ...]" */
    const char *purpose;  /* one line for the list of verbs */
    const char *text;     /* for `tenon help VERB`: whole lines */
    uint32_t takes;       /* bit of each enum flag_id */
    uint32_t files_least, files_most;
    bool rest; /* words behind "--" are taken */
    int (*run)(const struct args *args);
};
extern const struct verb verbs[];
extern const uint32_t verbs_count;

static inline bool args_has(const struct args *args, enum flag_id flag)
{
    return (args->given & (1u << flag)) != 0;
}

/* Reads argv[0..argc) as words of that verb; false: it was said what is wrong with them. */
bool args_parse(const struct verb *verb, int argc, char *const *argv, struct args *ret_args);
/* NULL: there is none. */
const struct verb *verb_find(const char *name);
/* Says that there is no such verb, and which may have been meant; returns EXIT_USAGE. */
int verb_unknown(const char *name);

/* Prints one line a flag that the verb takes, each after two blanks. */
void help_flags(const struct verb *verb);
/* Prints `tenon help VERB`. */
void help_verb(const struct verb *verb);
/* Prints the list of verbs. */
void help_all(void);

int verb_run(const struct args *args);
int verb_check(const struct args *args);
int verb_inspect(const struct args *args);
int verb_help(const struct args *args);
int verb_version(const struct args *args);

#endif
