/* json.h: one JSON object on standard output, for programs. */
#ifndef APPS_TENON_JSON_H
#define APPS_TENON_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/fmt.h"

/* --json was written. */
extern bool json_wanted;

/* A string; bytes that are not UTF-8 become U+FFFD. */
json_t *json_str(struct str text);
/* json_object_set_new, json_array_append_new: each ends the program when memory is out. */
void json_put(json_t *object, const char *key, json_t *value);
void json_add(json_t *array, json_t *value);
/* Nanoseconds as milliseconds, to the microsecond. */
json_t *json_ms(uint64_t ns);
/* Prints the object, one line a member, and frees it. */
void json_print(json_t *object);
/* Prints {"ok": false, "error": "TEXT"}, with --json only. */
void json_print_error(const char *text);
/* Says what is wrong with the words or the configuration, with --json as such an object too;
 * EXIT_USAGE. */
int refuse(const char *format, ...) FMT_LIKE(1, 2);

#endif
