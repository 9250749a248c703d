/* term.c: words for people. */
#include "apps/tenon/term.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/utf8.h"

enum { SAY_MAX = 4096, ESCAPED_MAX = 16 };

static struct {
    bool out_terminal, err_terminal, colour;
} term;

void term_init(void)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *name = getenv("TERM");
    term.out_terminal = isatty(STDOUT_FILENO) == 1;
    term.err_terminal = isatty(STDERR_FILENO) == 1;
    term.colour = (no_colour == NULL || no_colour[0] == '\0') && name != NULL &&
                  !str_eq(str_of(name), STR("dumb"));
}

bool term_is_terminal(FILE *stream)
{
    return stream == stdout ? term.out_terminal : stream == stderr && term.err_terminal;
}

const char *term_colour(FILE *stream, enum term_colour colour)
{
    static const char *const codes[TERM_COLOURS] = {
        [TERM_PLAIN] = "\033[0m",  [TERM_BOLD] = "\033[1m",  [TERM_RED] = "\033[1;31m",
        [TERM_GREEN] = "\033[32m", [TERM_CYAN] = "\033[36m",
    };
    return term.colour && term_is_terminal(stream) ? codes[colour] : "";
}

/* Whole lines, one write each: a guest's fault is said by another thread than the news. */
static void write_error(const char *at, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        at += n;
        len -= (size_t)n;
    }
}

void say(const char *format, ...)
{
    char line[SAY_MAX];
    /* A line of progress may stand there (drivers/linux/log.c): it ends here. */
    size_t used = fmt_print(line, sizeof(line), "%stenon: ", term.err_terminal ? "\033[K" : "");
    va_list args;
    va_start(args, format);
    used += fmt_vprint(line + used, sizeof(line) - used, format, args);
    va_end(args);
    if (used > sizeof(line) - 2)
        used = sizeof(line) - 2;
    line[used++] = '\n';
    write_error(line, used);
}

/* Whether a scalar value would do something to a terminal besides appearing. */
static bool acts(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || (c >= 0x200e && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* The next character of a text as it may be shown; returns how many bytes it took. */
static size_t show_next(struct str text, char ret_shown[ESCAPED_MAX])
{
    uint32_t c = 0;
    uint32_t n = utf8_decode((const uint8_t *)text.at, text.len, &c);
    if (n == 0 || (c < 0x80 && acts(c) && c != '\n' && c != '\t'))
        fmt_print(ret_shown, ESCAPED_MAX, "\\x%02x", (unsigned char)text.at[0]);
    else if (c == '\n' || c == '\t')
        fmt_print(ret_shown, ESCAPED_MAX, c == '\n' ? "\\n" : "\\t");
    else if (acts(c))
        fmt_print(ret_shown, ESCAPED_MAX, "\\u{%x}", c);
    else
        fmt_print(ret_shown, ESCAPED_MAX, "%.*s", (int)n, text.at);
    return n > 0 ? n : 1;
}

size_t show_add(char *at, size_t size, size_t used, struct str text)
{
    char shown[ESCAPED_MAX];
    while (text.len > 0) {
        size_t n = show_next(text, shown);
        used = fmt_add(at, size, used, "%s", shown);
        text = (struct str){text.at + n, text.len - n};
    }
    return used;
}

struct shown show(struct str text)
{
    struct shown shown;
    shown.text[0] = '\0';
    (void)show_add(shown.text, sizeof(shown.text), 0, text);
    return shown;
}

struct shown show_z(const char *text)
{
    return show(str_of(text));
}

void print_text(FILE *stream, struct str text)
{
    if (!term_is_terminal(stream)) {
        (void)fwrite(text.at, 1, text.len, stream);
        return;
    }
    char shown[ESCAPED_MAX];
    while (text.len > 0) {
        size_t n = show_next(text, shown);
        if (text.at[0] == '\n' || text.at[0] == '\t')
            (void)fputc(text.at[0], stream);
        else
            (void)fputs(shown, stream);
        text = (struct str){text.at + n, text.len - n};
    }
}
