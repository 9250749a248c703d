/* fault.c: what is wrong with a composition, said in order of file, line and column.
 *
 * Faults are found in whatever order is easiest to look, and kept in the order in which a person
 * reads: each goes to its place, and beyond SYSTEM_FAULTS_MAX the last ones are only counted. */
#include <stdarg.h>

#include "base/bits.h"
#include "base/utf8.h"
#include "runtime/package/package_int.h"

enum { QUOTED_CHARS_MAX = 40 };

/* Characters that would not show, or would disturb what is around them. */
static bool is_hidden(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

static struct quoted show(struct str s, const char *mark, uint32_t chars_max)
{
    enum { LONGEST = 10, END = 5 }; /* \U0010ffff; ...' and the terminator */
    struct quoted q;
    size_t len = fmt_print(q.text, sizeof(q.text), "%s", mark);
    size_t i = 0;
    for (uint32_t shown = 0; i < s.len; shown++) {
        uint32_t c = 0;
        uint32_t n = utf8_decode((const uint8_t *)s.at + i, s.len - i, &c);
        if (n == 0 || shown == chars_max || len + LONGEST + END > sizeof(q.text)) {
            len = fmt_add(q.text, sizeof(q.text), len, "...");
            break;
        }
        if (is_hidden(c))
            len = fmt_add(q.text, sizeof(q.text), len, c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
        else
            len = fmt_add(q.text, sizeof(q.text), len, "%.*s", (int)n, s.at + i);
        i += n;
    }
    fmt_add(q.text, sizeof(q.text), len, "%s", mark);
    return q;
}

struct quoted quote(struct str s)
{
    return show(s, "'", QUOTED_CHARS_MAX);
}

struct quoted plain(struct str s)
{
    return show(s, "", TN_NAME_MAX);
}

static void message_addv(struct message *m, const char *format, va_list args)
{
    size_t room = sizeof(m->text) - m->len;
    size_t n = fmt_vprint(m->text + m->len, room, format, args);
    if (n < room) {
        m->len += n;
        return;
    }
    const struct str cut = STR("...");
    m->len = utf8_valid_prefix((const uint8_t *)m->text, sizeof(m->text) - 1 - cut.len);
    memcpy(m->text + m->len, cut.at, cut.len);
    m->len += cut.len;
    m->text[m->len] = '\0';
}

void message_add(struct message *m, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    message_addv(m, format, args);
    va_end(args);
}

/* Does a fault at `at` of the file `rank` come before the i-th one that is kept? */
static bool comes_before(const struct reading *reading, uint32_t rank, struct toml_pos at,
                         uint32_t i)
{
    const struct fault *kept = &reading->faults->at[i];
    if (rank != reading->rank[i])
        return rank < reading->rank[i];
    if (at.line != kept->line)
        return at.line < kept->line;
    return at.column < kept->column;
}

/* Makes room for a fault at its place; NULL when that is behind the last one that is kept. */
static struct fault *make_room(struct reading *reading, uint32_t rank, struct toml_pos at)
{
    struct faults *faults = reading->faults;
    faults->total++;
    uint32_t place = faults->n;
    while (place > 0 && comes_before(reading, rank, at, place - 1))
        place--;
    if (place == SYSTEM_FAULTS_MAX)
        return NULL;
    if (faults->n < SYSTEM_FAULTS_MAX)
        faults->n++;
    uint32_t behind = faults->n - 1 - place;
    memmove(&faults->at[place + 1], &faults->at[place], behind * sizeof(faults->at[0]));
    memmove(&reading->rank[place + 1], &reading->rank[place], behind * sizeof(uint32_t));
    reading->rank[place] = rank;
    return &faults->at[place];
}

void fault(struct doc *doc, struct toml_pos at, const char *format, ...)
{
    struct fault *f = make_room(doc->reading, doc->rank, at);
    if (f == NULL)
        return;
    f->file = doc->name;
    f->line = at.line;
    f->column = at.column;
    struct message m = {.len = 0};
    va_list args;
    va_start(args, format);
    message_addv(&m, format, args);
    va_end(args);
    memcpy(f->text, m.text, m.len + 1);
}

const struct toml_table *doc_parse(struct doc *doc, struct str text)
{
    struct toml_errors errors;
    const struct toml_table *root = NULL;
    if (doc->reading->full)
        return NULL;
    if (toml_parse(&doc->reading->arena, text.at, text.len, &root, &errors) == TN_OK)
        return root;
    /* The arena may run out behind a mistake: then there may be more of them. */
    for (uint32_t i = 0; i < errors.count; i++)
        doc->reading->full = doc->reading->full || errors.at[i].err == TN_ENOMEM;
    if (doc->reading->full)
        return NULL;
    for (uint32_t i = 0; i < errors.count; i++) {
        const struct toml_error *error = &errors.at[i];
        const char *hint = error->hint;
        fault(doc, error->at, "%s%s%s", error->text, hint == NULL ? "" : "; ",
              hint == NULL ? "" : hint);
    }
    return NULL;
}
