/* describe.h: components and systems, in words and as JSON. */
#ifndef APPS_TENON_DESCRIBE_H
#define APPS_TENON_DESCRIBE_H

#include <jansson.h>

#include "apps/tenon/composition.h"

/* "64 MiB", "1000 B": the largest unit that is exact. */
struct amount {
    char text[32];
};
struct amount amount_bytes(uint64_t bytes);
/* "5 s", "250 ms"; "none" for 0. */
struct amount amount_ns(uint64_t ns);
/* "4.123 ms", "1.204 s": to the microsecond, for measured times. */
struct amount amount_took(uint64_t ns);
/* 1234567 as "1,234,567". */
struct amount amount_count(uint64_t count);
/* TN_R_ bits as "call, read". */
struct amount amount_rights(uint32_t rights);

/* Name of an error, and what it means: "TN_EFUEL", "the fuel granted is used up". */
const char *error_name(tn_err err);
const char *error_text(tn_err err);

/* Print on standard output. */
void describe_components(const struct system_spec *spec);
void describe_trust(const struct system_spec *spec);
void describe_wires(const struct system_spec *spec);
void describe_threads(const struct system_spec *spec);
void describe_memory(const struct system_spec *spec);
/* A manifest alone. */
void describe_component(const struct component_spec *component);

json_t *system_json(const struct system_spec *spec);
/* `spec` is NULL for a manifest alone. */
json_t *component_json(const struct system_spec *spec, const struct component_spec *component);

#endif
