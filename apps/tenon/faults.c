/* faults.c: what is wrong with a composition, as compilers say it: file:line:column, what, the line
 * and a caret below the place. */
#include "apps/tenon/composition.h"

#include "apps/tenon/files.h"
#include "apps/tenon/json.h"
#include "apps/tenon/term.h"
#include "apps/tenon/verb.h"
#include "base/utf8.h"

enum { EXCERPT_BEFORE = 70, EXCERPT_CHARS = 100 }; /* before the place; in all */

/* The text that a fault's line is of, and the file's name as a person knows it. */
static struct str source_of(const struct composition *composition, struct str file,
                            struct str *ret_name)
{
    for (struct source *source = composition->sources; source != NULL; source = source->next) {
        if (str_eq(str_of(source->path), file)) {
            *ret_name = str_of(source->shown_path);
            return source->text;
        }
    }
    *ret_name = file;
    return str_eq(str_of(composition->file), file) ? composition->text : STR("");
}

/* Line `number`, from 1, without its end. */
static struct str line_of(struct str text, uint32_t number)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t begin = 0;
    if (text.len >= 3 && memcmp(text.at, mark, 3) == 0)
        begin = 3;
    for (uint32_t line = 1; line < number && begin < text.len; begin++)
        line += text.at[begin] == '\n';
    size_t end = begin;
    while (end < text.len && text.at[end] != '\n')
        end++;
    if (end > begin && text.at[end - 1] == '\r')
        end--;
    return (struct str){text.at + begin, end - begin};
}

/* The next character: its bytes, 1 where they are no UTF-8; what cannot be shown is '?'. */
static size_t next_char(struct str line, const char **ret_shown)
{
    uint32_t c = 0;
    uint32_t n = utf8_decode((const uint8_t *)line.at, line.len, &c);
    *ret_shown = n == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
                         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
                         c == 0x61c || c == 0xfeff
                     ? "?"
                     : line.at;
    if (line.at[0] == '\t')
        *ret_shown = " ";
    return n > 0 ? n : 1;
}

static void print_excerpt(struct str line, uint32_t column)
{
    uint32_t first = column > EXCERPT_BEFORE ? column - EXCERPT_BEFORE : 1;
    (void)fputs("    ", stderr);
    for (uint32_t at = 1; line.len > 0 && at < first + EXCERPT_CHARS; at++) {
        const char *shown;
        size_t n = next_char(line, &shown);
        if (at >= first)
            (void)fprintf(stderr, "%.*s", shown == line.at ? (int)n : 1, shown);
        line = (struct str){line.at + n, line.len - n};
    }
    (void)fprintf(stderr, "\n    %*s%s^%s\n", (int)(column - first), "",
                  term_colour(stderr, TERM_GREEN), term_colour(stderr, TERM_PLAIN));
}

static void print_one(const struct composition *composition, const struct fault *fault)
{
    struct str name;
    struct str text = source_of(composition, fault->file, &name);
    (void)fprintf(stderr, "%s%s:", term_colour(stderr, TERM_BOLD), show(name).text);
    if (fault->line > 0)
        (void)fprintf(stderr, "%u:%u:", fault->line, fault->column);
    (void)fprintf(stderr, "%s %s\n", term_colour(stderr, TERM_PLAIN), show_z(fault->text).text);
    struct str line = line_of(text, fault->line);
    if (fault->line > 0 && line.len > 0)
        print_excerpt(line, fault->column);
}

void faults_print(const struct composition *composition)
{
    const struct faults *faults = &composition->faults;
    for (uint32_t i = 0; i < faults->n; i++)
        print_one(composition, &faults->at[i]);
    if (faults->total > faults->n)
        (void)fprintf(stderr, "and %u more\n", faults->total - faults->n);
    say("%s: %s%u fault%s%s", show_z(composition->file).text, term_colour(stderr, TERM_RED),
        faults->total, faults->total == 1 ? "" : "s", term_colour(stderr, TERM_PLAIN));
}

json_t *faults_json(const struct composition *composition)
{
    json_t *array = must_get(json_array());
    for (uint32_t i = 0; i < composition->faults.n; i++) {
        const struct fault *fault = &composition->faults.at[i];
        json_t *object = must_get(json_object());
        struct str name;
        (void)source_of(composition, fault->file, &name);
        json_put(object, "file", json_str(name));
        json_put(object, "line", json_integer(fault->line));
        json_put(object, "column", json_integer(fault->column));
        json_put(object, "text", json_str(str_of(fault->text)));
        json_add(array, object);
    }
    return array;
}

int faults_report(const struct composition *composition, tn_err err)
{
    if (err != TN_EFORMAT)
        return EXIT_USAGE; /* it was said */
    faults_print(composition);
    if (json_wanted) {
        json_t *object = must_get(json_object());
        json_put(object, "ok", json_false());
        json_put(object, "error", json_string("the configuration has faults"));
        json_put(object, "faults", faults_json(composition));
        json_put(object, "faults_total", json_integer(composition->faults.total));
        json_print(object);
    }
    return EXIT_USAGE;
}
