/* composition.h: a system.toml with all that it names, read from files, and its faults. */
#ifndef APPS_TENON_COMPOSITION_H
#define APPS_TENON_COMPOSITION_H

#include <jansson.h>

#include "runtime/package/system.h"

enum {
    COMPOSITION_FILE_MAX = 1 << 20, /* bytes of a system.toml or component.toml */
    COMPOSITION_ARENA_FIRST = 8 << 20,
    COMPOSITION_ARENA_MAX = 512 << 20,
};

/* A file that was read, for the lines that faults point at. */
struct source {
    struct source *next;
    char *path;       /* as the composition names it: relative to the system.toml's folder */
    char *shown_path; /* as a person names it */
    struct str text;
};

struct composition {
    char *file;        /* the system.toml, as a person named it */
    struct str folder; /* of it: "" or ending in '/' */
    struct str text;
    struct source *sources;
    void *arena;
    size_t arena_bytes;
    struct system_spec spec; /* when there are no faults */
    struct faults faults;
};

/* Reads and validates; gives it back with composition_free in any case. TN_OK; TN_EFORMAT: there
 * are faults; any other error: the system.toml could not be read, or memory is out, and it was
 * said. */
tn_err composition_read(struct composition *ret, const char *file,
                        const struct system_place *places, uint32_t nplaces);
/* The same for a component.toml alone. */
tn_err composition_read_component(struct composition *ret, const char *file,
                                  struct component_spec *ret_component);
void composition_free(struct composition *composition);

/* What a path of the composition is for this process. The caller frees it. */
char *composition_path(const struct composition *composition, struct str path);

/* All faults, with the lines they are in, on standard error, or as a JSON array. */
void faults_print(const struct composition *composition);
json_t *faults_json(const struct composition *composition);
/* After a read that failed: prints the faults, or with --json an object with them; EXIT_USAGE. */
int faults_report(const struct composition *composition, tn_err err);

/* Memory that the components are given, and the kernel's own. */
uint64_t composition_granted_bytes(const struct system_spec *spec);
/* Ordinary CPUs that the system runs on: what it asks for, or all that this process may use. */
uint32_t composition_cpus(const struct system_spec *spec);

#endif
