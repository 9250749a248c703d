/* composition.c: a system.toml with all that it names, read from files.
 *
 * Paths in a composition are relative to the folder of its system.toml, so that it can be run from
 * anywhere; a person is told the path from where they stand. */
#include "apps/tenon/composition.h"

#include <stdlib.h>
#include <unistd.h>

#include "apps/tenon/files.h"
#include "apps/tenon/json.h"
#include "apps/tenon/term.h"

/* sched.h needs _GNU_SOURCE, which the build defines. */
#include <sched.h>

char *composition_path(const struct composition *composition, struct str path)
{
    return path_from(composition->folder, path);
}

static tn_err read_source(void *ctx, struct str path, struct str *ret_text)
{
    struct composition *composition = ctx;
    struct file_error error;
    for (struct source *source = composition->sources; source != NULL; source = source->next) {
        if (str_eq(str_of(source->path), path)) { /* a second parse, with a larger arena */
            *ret_text = source->text;
            return TN_OK;
        }
    }
    char *shown_path = composition_path(composition, path);
    struct str text;
    tn_err err = file_read(shown_path, COMPOSITION_FILE_MAX, &text, &error);
    if (err != TN_OK) {
        free(shown_path);
        return err;
    }
    struct source *source = must_get(malloc(sizeof(*source)));
    *source = (struct source){composition->sources, path_from(STR(""), path), shown_path, text};
    composition->sources = source;
    *ret_text = text;
    return TN_OK;
}

static tn_err probe_source(void *ctx, struct str path)
{
    struct file_error error;
    char *shown_path = composition_path(ctx, path);
    tn_err err = file_probe(shown_path, false, &error);
    free(shown_path);
    return err;
}

static uint64_t machine_memory_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && page_bytes > 0 ? (uint64_t)pages * (uint64_t)page_bytes : 0;
}

static uint32_t machine_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 0; /* more than a cpu_set_t holds: any number goes */
    uint32_t count = (uint32_t)CPU_COUNT(&set);
    return count < TN_CPUS_MAX ? count : TN_CPUS_MAX;
}

uint32_t composition_cpus(const struct system_spec *spec)
{
    uint32_t there = machine_cpus();
    if (spec->cpus > 0)
        return spec->cpus;
    return there > 0 ? there : TN_CPUS_MAX;
}

static tn_err open_file(struct composition *ret, const char *file)
{
    struct file_error error;
    *ret = (struct composition){.file = path_from(STR(""), str_of(file))};
    ret->folder = path_folder(str_of(ret->file));
    tn_err err = file_read(file, COMPOSITION_FILE_MAX, &ret->text, &error);
    if (err == TN_OK)
        return TN_OK;
    char text[2 * FILE_ERROR_TEXT + 1024];
    (void)fmt_print(text, sizeof(text), "%s: %s", show_z(file).text, error.text);
    say("%s", text);
    json_print_error(text);
    return err == TN_EFORMAT ? TN_EIO : err;
}

/* Memory for the parse that costs nothing until it is touched; double what there was. */
static void arena_grow(struct composition *composition)
{
    size_t bytes = composition->arena_bytes * 2;
    free(composition->arena);
    composition->arena_bytes = bytes == 0 ? COMPOSITION_ARENA_FIRST : bytes;
    composition->arena = must_get(malloc(composition->arena_bytes));
}

static tn_err too_large(const struct composition *composition)
{
    say("%s: this composition needs more than %d MiB to be read: split it",
        show_z(composition->file).text, COMPOSITION_ARENA_MAX >> 20);
    json_print_error("the composition is too large to be read");
    return TN_ENOMEM;
}

tn_err composition_read(struct composition *ret, const char *file,
                        const struct system_place *places, uint32_t nplaces)
{
    tn_err err = open_file(ret, file);
    if (err != TN_OK)
        return err;
    struct system_input input = {
        .file = str_of(ret->file),
        .text = ret->text,
        .read = read_source,
        .probe = probe_source,
        .read_ctx = ret,
        .places = places,
        .nplaces = nplaces,
        .places_by = "--place",
        .machine_memory_bytes = machine_memory_bytes(),
        .machine_cpus = machine_cpus(),
    };
    do {
        arena_grow(ret);
        input.arena = ret->arena;
        input.arena_bytes = ret->arena_bytes;
        err = system_parse(&input, &ret->spec, &ret->faults);
    } while (err == TN_ENOMEM && ret->arena_bytes < COMPOSITION_ARENA_MAX);
    return err == TN_ENOMEM ? too_large(ret) : err;
}

tn_err composition_read_component(struct composition *ret, const char *file,
                                  struct component_spec *ret_component)
{
    tn_err err = open_file(ret, file);
    if (err != TN_OK)
        return err;
    do {
        arena_grow(ret);
        err = component_parse(str_of(ret->file), ret->text, ret->arena, ret->arena_bytes,
                              ret_component, &ret->faults);
    } while (err == TN_ENOMEM && ret->arena_bytes < COMPOSITION_ARENA_MAX);
    return err == TN_ENOMEM ? too_large(ret) : err;
}

void composition_free(struct composition *composition)
{
    while (composition->sources != NULL) {
        struct source *source = composition->sources;
        composition->sources = source->next;
        free(source->path);
        free(source->shown_path);
        free((void *)(uintptr_t)source->text.at);
        free(source);
    }
    free((void *)(uintptr_t)composition->text.at);
    free(composition->arena);
    free(composition->file);
    *composition = (struct composition){0};
}

uint64_t composition_granted_bytes(const struct system_spec *spec)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < spec->ncomponents; i++)
        sum += spec->components[i].resources.memory_bytes;
    return sum;
}
