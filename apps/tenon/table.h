/* table.h: text tables whose columns line up. */
#ifndef APPS_TENON_TABLE_H
#define APPS_TENON_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include "base/fmt.h"

enum { TABLE_COLUMNS_MAX = 16 };

struct table {
    uint32_t ncolumns, used; /* cells used */
    uint32_t size;           /* and made */
    const char *const *heads;
    const char *right; /* one character a column: 'r' puts it to the right */
    char **cells;
};

/* Both live as long as the table. `heads` may be NULL: no line of heads. */
void table_begin(struct table *table, uint32_t ncolumns, const char *const *heads,
                 const char *right);
/* The next cell, from left to right, then the next row; what could act on a terminal is escaped. */
void table_cell(struct table *table, const char *format, ...) FMT_LIKE(2, 3);
/* Prints it, each line after `indent` blanks, and frees it. */
void table_print(struct table *table, FILE *stream, int indent);

#endif
