/* toml_int.h: what the reader's own files share: the cursor, the tree while it grows, errors. */
#ifndef TOML_TOML_INT_H
#define TOML_TOML_INT_H

#include "toml/toml.h"

/* The type of a node whose value is not read yet, or was reported to be none. */
#define TOML_UNREAD ((enum toml_type)255)

/* How a table came to be; toml.c's essay says what each allows. */
enum toml_origin {
    TOML_BY_PATH,   /* named on the way to a deeper [header] */
    TOML_BY_HEADER, /* [header], an element of [[header]], or the root */
    TOML_BY_DOTS,   /* named by the leading parts of a dotted key */
    TOML_INLINE,    /* { ... } */
};

/* A key and its value. Members of a table form a PATRICIA tree (Morrison 1968) by the bits of
 * their keys: a child whose `bit` is not greater than its parent's is a leaf. The table's first
 * member has bit 0 and only child[0]. */
struct toml_member {
    struct toml_node node;
    struct toml_member *child[2];
    uint32_t bit;
};

struct toml_table {
    struct toml_member *first; /* also the root of the PATRICIA tree */
    struct toml_member *last;
    uint32_t count;
    uint32_t section; /* of the header or inline table that dotted keys made it under */
    uint8_t origin;   /* enum toml_origin */
    uint8_t depth;
};

struct toml_array {
    struct toml_node *first, *last;
    uint32_t count;
    uint8_t depth;
    bool of_headers; /* made by [[header]]: the next one adds to it */
};

/* One part of a dotted key. */
struct toml_part {
    struct str key; /* in the arena */
    struct toml_pos at;
};

struct toml_parser {
    const char *at, *end; /* the cursor; the text has been found to be UTF-8 */
    const char *mark; /* a place at or before the cursor in its line, and its column: counting */
    uint32_t mark_column; /* goes on from there, so that long lines cost linear time */
    uint32_t line;

    struct toml_arena *arena;
    struct toml_errors *errors;
    bool stop; /* nothing that follows can be read safely, or there is no room to report it */

    struct toml_table *root, *current; /* current: of the last header */
    uint32_t sections;                 /* given out so far */
    struct toml_part path[TOML_MAX_DEPTH + 1];
    uint32_t parts;
    struct toml_node *open[TOML_MAX_DEPTH]; /* arrays and inline tables around the cursor */
    uint32_t opens;
};

/* The cursor (toml.c) */

static inline bool toml_ended(const struct toml_parser *p)
{
    return p->at == p->end;
}

/* The byte at the cursor, or -1 at the end. */
static inline int toml_peek(const struct toml_parser *p)
{
    return p->at < p->end ? (uint8_t)*p->at : -1;
}

/* The byte `n` after the cursor, or -1. */
static inline int toml_peek_at(const struct toml_parser *p, size_t n)
{
    return n < (size_t)(p->end - p->at) ? (uint8_t)p->at[n] : -1;
}

static inline bool toml_is_digit(int c)
{
    return c >= '0' && c <= '9';
}

struct toml_pos toml_here(struct toml_parser *p);
/* Bytes of the line end (LF or CRLF) at the cursor; 0: there is none. */
size_t toml_newline_bytes(const struct toml_parser *p);
/* Past the line end at the cursor; false when there is none. */
bool toml_skip_newline(struct toml_parser *p);
/* To the end of the line, or of the document. */
void toml_skip_rest(struct toml_parser *p);
/* Past spaces and tabs. */
void toml_skip_blanks(struct toml_parser *p);
/* Past blanks, comments and line ends; false on a comment that is not allowed, reported. */
bool toml_skip_lines(struct toml_parser *p);

/* Errors (report.c). All return false, so that a reader can return them. */

/* Verbs of `form`: %s a string, %u a uint32_t, %b one in hexadecimal, %k a const struct str *
 * shown in quotes, safely and cut when long, %f what is at the cursor. */
bool toml_fail(struct toml_parser *p, struct toml_pos at, tn_err err, const char *hint,
               const char *form, ...);
/* "expected WHAT, found ..." at the cursor. */
bool toml_expected(struct toml_parser *p, const char *what, const char *hint);

/* Memory (table.c). NULL when the arena is full, reported. */

void *toml_alloc(struct toml_parser *p, size_t bytes);
/* Appends bytes to the string that begins at the arena's `used`; until it is done nothing else may
 * be allocated. */
bool toml_append(struct toml_parser *p, const char *at, size_t n);

/* The tree (table.c) */

struct toml_table *toml_new_table(struct toml_parser *p, enum toml_origin origin, uint32_t depth);
/* Sets *node to a new table or array inside of depth `outer`; false when it is too deep or does not
 * fit, reported at `at`. */
bool toml_make_table(struct toml_parser *p, struct toml_node *node, struct toml_pos at,
                     enum toml_origin origin, uint32_t outer);
bool toml_make_array(struct toml_parser *p, struct toml_node *node, struct toml_pos at,
                     bool of_headers, uint32_t outer);
struct toml_member *toml_find(const struct toml_table *table, struct str key);
/* Adds a member that is not there yet. Its value is the caller's to fill. */
struct toml_node *toml_add(struct toml_parser *p, struct toml_table *table,
                           const struct toml_part *part);
struct toml_node *toml_push(struct toml_parser *p, struct toml_array *array);

/* Keys (key.c) */

/* Where a value goes, and the depth of the table or array around it. */
struct toml_slot {
    struct toml_node *node;
    uint32_t depth;
};

/* Reads a dotted key into p->path, and the blanks after it. */
bool toml_read_path(struct toml_parser *p);
/* Where the value of the key in p->path belongs, under `table`. When the document may not put one
 * there, that is reported and the slot is outside of the tree, so that the value can still be read;
 * false when there is no slot at all, reported. */
bool toml_place_value(struct toml_parser *p, struct toml_table *table, struct toml_slot *ret_slot);
/* Makes the table that the header in p->path names, [[...]] when `element`, current. */
bool toml_place_header(struct toml_parser *p, bool element);
/* Reads `key =` and the blanks after it. */
bool toml_read_key(struct toml_parser *p);

/* Values (value.c, string.c, number.c, datetime.c). The cursor is at the first character and moves
 * past the last; false when the value is not one, reported. */

bool toml_read_value(struct toml_parser *p, struct toml_slot slot);
/* What a quote opens: one line or several, as the quotes say. */
bool toml_read_string(struct toml_parser *p, struct str *ret_string);
/* A string of one line: a key. */
bool toml_read_line_string(struct toml_parser *p, struct str *ret_string);
/* Whether what begins with a digit can only be a date or a time: digits, then - or : */
bool toml_at_datetime(const struct toml_parser *p);
bool toml_read_datetime(struct toml_parser *p, struct toml_node *node);
bool toml_read_number(struct toml_parser *p, struct toml_node *node);

/* The double nearest to a decimal number (decimal.c): digits with an optional point and exponent,
 * underscores ignored, no sign; the caller has checked its form. Ties go to even. False when it
 * rounds to infinity. */
bool toml_decimal(struct str text, double *ret_value);

#endif
