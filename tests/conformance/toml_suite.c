/* toml_suite.c: the toml-test suite: valid documents have the values of the JSON beside them,
 * invalid ones are refused with a place. Exits 77 (skipped) where the suite is not there. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "toml/toml.h"

#define SUITE "../shared/data/toml-test/tests/"

enum { EXIT_SKIPPED = 77, MAX_FILE_BYTES = 1 << 20, MAX_PATH = 512 };

static char file_text[MAX_FILE_BYTES];
static uint8_t arena_bytes[TOML_ARENA_BYTES(MAX_FILE_BYTES)];

static bool node_is(const struct toml_node *node, const json_t *want);

/* jansson reads no NUL in keys, so U+F8FF, which the suite does not use, stands for it on both
 * sides. Returns the length, up to three times what it was. */
static size_t replace_nul(struct str from, char *to)
{
    size_t n = 0;
    for (size_t i = 0; i < from.len; i++) {
        if (from.at[i] != '\0') {
            to[n++] = from.at[i];
            continue;
        }
        memcpy(to + n, "\xef\xa3\xbf", 3);
        n += 3;
    }
    return n;
}

static void replace_nul_in_json(char *text, size_t len)
{
    for (size_t i = 0; i + 6 <= len; i++) {
        if (text[i] != '\\')
            continue;
        if (memcmp(text + i, "\\u0000", 6) == 0)
            memcpy(text + i, "\\uF8FF", 6);
        i++;
    }
}

static bool string_is(struct str got, const char *want, size_t want_len)
{
    static char text[3 * MAX_FILE_BYTES];
    return got.len <= MAX_FILE_BYTES && replace_nul(got, text) == want_len &&
           memcmp(text, want, want_len) == 0;
}

static bool table_is(const struct toml_table *table, const json_t *want)
{
    if (!json_is_object(want) || toml_table_count(table) != json_object_size(want))
        return false;
    uint32_t count = 0;
    for (const struct toml_node *n = toml_table_first(table); n != NULL; n = n->next, count++) {
        char key[3 * TOML_MAX_KEY_BYTES + 1];
        key[replace_nul(n->key, key)] = '\0';
        const json_t *value = json_object_get(want, key);
        if (value == NULL || !node_is(n, value))
            return false;
        if (toml_get(table, n->key) != n || n->at.line == 0 || n->key_at.line == 0)
            return false;
    }
    return count == toml_table_count(table);
}

static bool array_is(const struct toml_array *array, const json_t *want)
{
    if (!json_is_array(want) || toml_array_count(array) != json_array_size(want))
        return false;
    size_t i = 0;
    for (const struct toml_node *n = toml_array_first(array); n != NULL; n = n->next, i++) {
        if (n->at.line == 0 || !node_is(n, json_array_get(want, i)))
            return false;
    }
    return i == json_array_size(want);
}

static bool float_is(double got, const char *want)
{
    if (strstr(want, "nan") != NULL)
        return isnan(got);
    double number = strtod(want, NULL);
    return got == number && signbit(got) == signbit(number);
}

/* As the suite writes it: a fraction of 3, 6 or 9 digits when there is one. */
static size_t show_datetime(const struct toml_node *n, char *out, size_t room)
{
    const struct toml_datetime *d = &n->datetime;
    char date[32] = "", time[64] = "", fraction[16] = "", offset[16] = "";
    snprintf(date, sizeof(date), "%04u-%02u-%02u", d->year, d->month, d->day);
    if (d->nanosecond % 1000000 == 0)
        snprintf(fraction, sizeof(fraction), ".%03u", d->nanosecond / 1000000);
    else if (d->nanosecond % 1000 == 0)
        snprintf(fraction, sizeof(fraction), ".%06u", d->nanosecond / 1000);
    else
        snprintf(fraction, sizeof(fraction), ".%09u", d->nanosecond);
    snprintf(time, sizeof(time), "%02u:%02u:%02u%s", d->hour, d->minute, d->second,
             d->nanosecond == 0 ? "" : fraction);
    int minutes = abs(d->offset_minutes);
    snprintf(offset, sizeof(offset), "%c%02d:%02d", d->offset_minutes < 0 ? '-' : '+', minutes / 60,
             minutes % 60);
    const char *zone = n->type != TOML_OFFSET_DATETIME ? "" : minutes == 0 ? "Z" : offset;
    bool has_date = n->type != TOML_LOCAL_TIME, has_time = n->type != TOML_LOCAL_DATE;
    return (size_t)snprintf(out, room, "%s%s%s%s", has_date ? date : "",
                            has_date && has_time ? "T" : "", has_time ? time : "", zone);
}

static bool datetime_is(const struct toml_node *n, const char *want)
{
    char got[128];
    show_datetime(n, got, sizeof(got));
    return strcmp(got, want) == 0;
}

static bool node_is(const struct toml_node *n, const json_t *want)
{
    if (n->type == TOML_TABLE)
        return table_is(n->table, want);
    if (n->type == TOML_ARRAY)
        return array_is(n->array, want);
    static const char *const types[] = {
        [TOML_STRING] = "string",
        [TOML_INTEGER] = "integer",
        [TOML_FLOAT] = "float",
        [TOML_BOOLEAN] = "bool",
        [TOML_OFFSET_DATETIME] = "datetime",
        [TOML_LOCAL_DATETIME] = "datetime-local",
        [TOML_LOCAL_DATE] = "date-local",
        [TOML_LOCAL_TIME] = "time-local",
    };
    const char *type = json_string_value(json_object_get(want, "type"));
    const json_t *value = json_object_get(want, "value");
    const char *text = json_string_value(value);
    if (type == NULL || text == NULL || strcmp(type, types[n->type]) != 0)
        return false;
    if (n->type == TOML_STRING)
        return string_is(n->string, text, json_string_length(value));
    if (n->type == TOML_INTEGER)
        return n->integer == strtoll(text, NULL, 10);
    if (n->type == TOML_FLOAT)
        return float_is(n->number, text);
    if (n->type == TOML_BOOLEAN)
        return strcmp(text, n->boolean ? "true" : "false") == 0;
    return datetime_is(n, text);
}

static size_t read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        fprintf(stderr, "toml_suite: cannot open %s\n", path);
        exit(EXIT_FAILURE);
    }
    size_t n = fread(file_text, 1, sizeof(file_text), f);
    fclose(f);
    return n;
}

static bool check_valid(const char *name, const struct toml_table *root)
{
    char path[MAX_PATH];
    snprintf(path, sizeof(path), SUITE "%.*s.json", (int)(strlen(name) - strlen(".toml")), name);
    json_error_t problem;
    size_t len = read_file(path);
    replace_nul_in_json(file_text, len);
    json_t *want = json_loadb(file_text, len, 0, &problem);
    bool same = want != NULL && table_is(root, want);
    if (!same)
        fprintf(stderr, "toml_suite: %s: not what the JSON beside it says\n", name);
    json_decref(want);
    return same;
}

static bool check(const char *name, bool verbose)
{
    char path[MAX_PATH];
    snprintf(path, sizeof(path), SUITE "%s", name);
    size_t len = read_file(path);
    struct toml_arena arena = {arena_bytes, TOML_ARENA_BYTES(len), 0};
    const struct toml_table *root = NULL;
    struct toml_errors errors;
    tn_err err = toml_parse(&arena, file_text, len, &root, &errors);
    if (verbose && err != 0) {
        for (uint32_t i = 0; i < errors.count; i++)
            printf("%s:%u:%u: %s%s%s\n", name, errors.at[i].at.line, errors.at[i].at.column,
                   errors.at[i].text, errors.at[i].hint == NULL ? "" : "; ",
                   errors.at[i].hint == NULL ? "" : errors.at[i].hint);
    }
    if (strncmp(name, "valid/", 6) == 0) {
        if (err == 0)
            return check_valid(name, root);
        fprintf(stderr, "toml_suite: %s:%u:%u: %s\n", name, errors.at[0].at.line,
                errors.at[0].at.column, errors.at[0].text);
        return false;
    }
    if (err == TN_EFORMAT && root == NULL && errors.count > 0 && errors.at[0].at.line > 0)
        return true;
    fprintf(stderr, "toml_suite: %s: accepted, or refused without a place\n", name);
    return false;
}

int main(int argc, char **argv)
{
    bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
    FILE *list = fopen(SUITE "files-toml-1.0.0", "r");
    if (list == NULL) {
        printf("toml_suite: skipped: %s is not there\n", SUITE);
        return EXIT_SKIPPED;
    }
    uint32_t checked = 0, failed = 0;
    char name[MAX_PATH / 2];
    while (fgets(name, sizeof(name), list) != NULL) {
        name[strcspn(name, "\n")] = '\0';
        size_t len = strlen(name);
        if (len < 5 || strcmp(name + len - 5, ".toml") != 0)
            continue;
        checked++;
        failed += check(name, verbose) ? 0 : 1;
    }
    fclose(list);
    printf("toml_suite: %" PRIu32 " documents, %" PRIu32 " failed\n", checked, failed);
    return checked > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
