/* toml.h: the TOML 1.0.0 reader: a document in, a tree out, in memory that the caller hands over.
 *
 * It is freestanding and holds no state of its own. Whatever the bytes are, the reader ends, in
 * time proportional to their number, with a tree or with errors that say where and why.
 *
 * The tree lives in the arena alone: nothing in it points into the text, which may be reused once
 * toml_parse returns. It is read-only; several threads may read it. It lives as long as the
 * caller leaves the arena's block alone, and goes away with it.
 *
 * Every value, and every key, carries the line and the column where it stands (from 1; columns in
 * characters, a tab is one), so that whoever validates a document can say file:line:column. */
#ifndef TOML_TOML_H
#define TOML_TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tenon/errors.h>

#include "base/bytes.h"

/* Limits. A document that exceeds one is refused and the error names the limit. */
enum {
    TOML_MAX_DOCUMENT_BYTES = 16 << 20,
    TOML_MAX_DEPTH = 64,       /* tables and arrays inside each other; the root is depth 0 */
    TOML_MAX_KEY_BYTES = 1024, /* one part of a dotted key, after escapes */
    TOML_MAX_ERRORS = 8,       /* reported of one document */
    TOML_ERROR_TEXT_BYTES = 160,
};

/* An arena of this many bytes is enough for every document of `len` bytes, right or wrong. Most
 * need a fifth. */
#define TOML_ARENA_BYTES(len) ((size_t)(len)*64 + 4096)

/* The caller's memory. `at` may be aligned to anything. Set `used` to 0 to begin with; every
 * successful toml_parse adds to it, and setting it back frees all trees made since. */
struct toml_arena {
    uint8_t *at;
    size_t bytes, used;
};

enum toml_type {
    TOML_TABLE,
    TOML_ARRAY,
    TOML_STRING,
    TOML_INTEGER,
    TOML_FLOAT,
    TOML_BOOLEAN,
    TOML_OFFSET_DATETIME,
    TOML_LOCAL_DATETIME,
    TOML_LOCAL_DATE,
    TOML_LOCAL_TIME,
};

struct toml_pos {
    uint32_t line, column;
};

/* A date that exists, a time that may. What the type does not have is 0. */
struct toml_datetime {
    uint32_t nanosecond;    /* 0 to 999,999,999; finer digits are cut off */
    int16_t offset_minutes; /* local time minus UTC */
    uint16_t year;          /* 0 to 9999 */
    uint8_t month, day;     /* from 1 */
    uint8_t hour, minute;
    uint8_t second; /* 60 is a leap second */
};

struct toml_table;
struct toml_array;

/* A value: under a key of a table, or an element of an array. */
struct toml_node {
    const struct toml_node *next; /* in its table or array, in document order; NULL: the last */
    struct str key;               /* UTF-8, may contain NUL; in an array {NULL, 0} */
    struct toml_pos key_at;       /* in an array {0, 0} */
    struct toml_pos at;           /* of the value's first character; of a table opened by a [header]
                                     or by dotted keys: of that part of the key */
    enum toml_type type;          /* says which member of the union holds */
    union {
        struct toml_table *table;
        struct toml_array *array;
        struct str string; /* UTF-8, may contain NUL */
        int64_t integer;
        double number;
        bool boolean;
        struct toml_datetime datetime;
    };
};

struct toml_error {
    tn_err err;                       /* TN_EFORMAT, or a limit: see toml_parse */
    struct toml_pos at;               /* from 1 */
    char text[TOML_ERROR_TEXT_BYTES]; /* "expected '=' after the key, found 'x'"; terminated */
    const char *hint;                 /* what to do about it; static; NULL: nothing to add */
};

struct toml_errors {
    uint32_t count; /* at least 1 when toml_parse failed; in document order */
    struct toml_error at[TOML_MAX_ERRORS];
};

/* Reads `len` bytes of TOML 1.0.0 into the arena. A byte order mark in front is skipped. Where the
 * line after a mistake can be read safely, reading goes on and several errors are reported.
 *
 * Returns 0, or the `err` of the first error, with *ret_errors filled, *ret_root untouched and the
 * arena as it was:
 *   TN_EFORMAT  not TOML 1.0.0 (or not UTF-8), or a number that does not fit in its 64 bits
 *   TN_ENOMEM   the arena is too small
 *   TN_ETOOBIG  more than TOML_MAX_DOCUMENT_BYTES
 *   TN_ELIMIT   TOML_MAX_DEPTH or TOML_MAX_KEY_BYTES
 * On success ret_errors->count is 0. Never waits; needs 6 KiB of stack, whatever the nesting. */
__attribute__((warn_unused_result)) tn_err toml_parse(struct toml_arena *arena, const char *text,
                                                      size_t len,
                                                      const struct toml_table **ret_root,
                                                      struct toml_errors *ret_errors);

/* The value under `key`, or NULL. Time is proportional to the key's length, whatever was put into
 * the table by whomever. */
const struct toml_node *toml_get(const struct toml_table *table, struct str key);

/* The first value, or NULL; go on with ->next. Keys come in the order in which the document first
 * names them. */
const struct toml_node *toml_table_first(const struct toml_table *table);
const struct toml_node *toml_array_first(const struct toml_array *array);
uint32_t toml_table_count(const struct toml_table *table);
uint32_t toml_array_count(const struct toml_array *array);

/* For messages, with its article: "a table", "an integer", "a local date". */
const char *toml_type_name(enum toml_type type);

#endif
