/* term.h: words for people: what is said on standard error, colour, and text that cannot hurt a
 * terminal. */
#ifndef APPS_TENON_TERM_H
#define APPS_TENON_TERM_H

#include <stdbool.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/fmt.h"

enum term_colour { TERM_PLAIN, TERM_BOLD, TERM_RED, TERM_GREEN, TERM_CYAN, TERM_COLOURS };

/* Looks once at the streams and at NO_COLOR; before any thread. */
void term_init(void);
/* The sequence that begins that colour on this stream (TERM_PLAIN: ends it), or "" where the
 * stream is no terminal, or the person wants none. */
const char *term_colour(FILE *stream, enum term_colour colour);
bool term_is_terminal(FILE *stream);

/* One line on standard error, "tenon: TEXT"; written whole. Any thread. */
void say(const char *format, ...) FMT_LIKE(1, 2);

/* Appends text to `at` as fmt_add does, with all that would act on a terminal (control characters,
 * what reorders text, bytes that are not UTF-8) as \n, \xNN or \u{N}. Returns the new length. */
size_t show_add(char *at, size_t size, size_t used, struct str text);

/* The same in room of its own, cut to fit; for arguments of say. */
struct shown {
    char text[1100];
};
struct shown show(struct str text);
struct shown show_z(const char *text);

/* Prints text as it is; to a terminal, with all but line ends and tabs escaped as above. */
void print_text(FILE *stream, struct str text);

#endif
