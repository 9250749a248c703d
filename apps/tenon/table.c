/* table.c: text tables whose columns line up: the heads in bold, two blanks between columns, no
 * blanks at the end of a line. */
#include "apps/tenon/table.h"

#include <stdarg.h>
#include <stdlib.h>

#include "apps/tenon/files.h"
#include "apps/tenon/term.h"
#include "base/assert.h"

enum { CELL_MAX = 1200, CELLS_FIRST = 64 };

void table_begin(struct table *table, uint32_t ncolumns, const char *const *heads,
                 const char *right)
{
    ASSERT(ncolumns > 0 && ncolumns <= TABLE_COLUMNS_MAX);
    ASSERT(str_length(right) == ncolumns);
    *table = (struct table){.ncolumns = ncolumns, .heads = heads, .right = right};
}

void table_cell(struct table *table, const char *format, ...)
{
    char text[CELL_MAX];
    va_list args;
    va_start(args, format);
    (void)fmt_vprint(text, sizeof(text), format, args);
    va_end(args);
    if (table->used == table->size) {
        table->size = table->size == 0 ? CELLS_FIRST : table->size * 2;
        table->cells = must_get(realloc(table->cells, table->size * sizeof(char *)));
    }
    struct shown shown = show_z(text);
    size_t len = str_length(shown.text);
    char *cell = must_get(malloc(len + 1));
    memcpy(cell, shown.text, len + 1);
    table->cells[table->used++] = cell;
}

/* Characters, not bytes. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void print_row(const struct table *table, FILE *stream, int indent, const int *widths,
                      const char *const *row)
{
    int owed = indent; /* blanks, printed when text follows */
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        int pad = widths[i] - width_of(row[i]);
        if (table->right[i] == 'r')
            owed += pad;
        if (row[i][0] != '\0') {
            (void)fprintf(stream, "%*s%s", owed, "", row[i]);
            owed = 0;
        }
        owed += (table->right[i] == 'r' ? 0 : pad) + 2;
    }
    (void)fputc('\n', stream);
}

void table_print(struct table *table, FILE *stream, int indent)
{
    int widths[TABLE_COLUMNS_MAX] = {0};
    ASSERT(table->used % table->ncolumns == 0);
    for (uint32_t i = 0; table->heads != NULL && i < table->ncolumns; i++)
        widths[i] = width_of(table->heads[i]);
    for (uint32_t i = 0; i < table->used; i++) {
        int width = width_of(table->cells[i]);
        if (width > widths[i % table->ncolumns])
            widths[i % table->ncolumns] = width;
    }
    if (table->heads != NULL) {
        (void)fputs(term_colour(stream, TERM_BOLD), stream);
        print_row(table, stream, indent, widths, table->heads);
        (void)fputs(term_colour(stream, TERM_PLAIN), stream);
    }
    for (uint32_t i = 0; i < table->used; i += table->ncolumns)
        print_row(table, stream, indent, widths, (const char *const *)&table->cells[i]);
    for (uint32_t i = 0; i < table->used; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct table){0};
}
