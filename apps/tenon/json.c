/* json.c: one JSON object on standard output, for programs. */
#include "apps/tenon/json.h"

#include <stdio.h>
#include <stdlib.h>

#include "apps/tenon/files.h"
#include "apps/tenon/term.h"
#include "apps/tenon/verb.h"
#include "base/utf8.h"

bool json_wanted;

json_t *json_str(struct str text)
{
    if (utf8_valid((const uint8_t *)text.at, text.len))
        return must_get(json_stringn(text.len > 0 ? text.at : "", text.len));
    static const char unknown[] = "\xef\xbf\xbd";
    enum { UNKNOWN_BYTES = sizeof(unknown) - 1 };
    char *clean = must_get(malloc(text.len * UNKNOWN_BYTES));
    size_t used = 0;
    while (text.len > 0) {
        uint32_t c;
        uint32_t n = utf8_decode((const uint8_t *)text.at, text.len, &c);
        memcpy(clean + used, n > 0 ? text.at : unknown, n > 0 ? n : UNKNOWN_BYTES);
        used += n > 0 ? n : UNKNOWN_BYTES;
        n = n > 0 ? n : 1;
        text = (struct str){text.at + n, text.len - n};
    }
    json_t *string = must_get(json_stringn(clean, used));
    free(clean);
    return string;
}

void json_put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        (void)must_get(NULL);
}

void json_add(json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        (void)must_get(NULL);
}

json_t *json_ms(uint64_t ns)
{
    uint64_t us = ns / 1000;
    return must_get(json_real((double)us / 1000.0));
}

void json_print(json_t *object)
{
    char *text = must_get(json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(12)));
    (void)fputs(text, stdout);
    (void)fputc('\n', stdout);
    free(text);
    json_decref(object);
}

void json_print_error(const char *text)
{
    if (!json_wanted)
        return;
    json_t *object = must_get(json_object());
    json_put(object, "ok", json_false());
    json_put(object, "error", json_str(str_of(text)));
    json_print(object);
}

int refuse(const char *format, ...)
{
    char text[2 * sizeof(struct shown)];
    va_list args;
    va_start(args, format);
    (void)fmt_vprint(text, sizeof(text), format, args);
    va_end(args);
    say("%s", text);
    json_print_error(text);
    return EXIT_USAGE;
}
