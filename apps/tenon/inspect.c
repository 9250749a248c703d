/* inspect.c: `tenon inspect`: what a file is, seen from its content, and what is in it. */
#include "apps/tenon/inspect.h"

#include <stdio.h>
#include <stdlib.h>

#include "apps/tenon/composition.h"
#include "apps/tenon/describe.h"
#include "apps/tenon/files.h"
#include "apps/tenon/json.h"
#include "apps/tenon/term.h"
#include "apps/tenon/verb.h"
#include "runtime/elf/elf.h"
#include "wasm/wasm.h"

enum { INSPECT_FILE_MAX = ELF_FILE_MAX };
_Static_assert((int)INSPECT_FILE_MAX >= (int)WASM_MAX_MODULE_BYTES, "all code can be inspected");

int inspect_refuse(const char *file, const char *text)
{
    return refuse("%s: %s", show_z(file).text, text);
}

static int inspect_component(const char *file)
{
    struct composition composition;
    struct component_spec component;
    int status = EXIT_OK;
    tn_err err = composition_read_component(&composition, file, &component);
    if (err != TN_OK) {
        status = faults_report(&composition, err);
    } else if (json_wanted) {
        json_t *object = component_json(NULL, &component);
        json_put(object, "type", json_string("component"));
        json_print(object);
    } else {
        printf("%s: component %.*s %.*s, %s, ring %u\n", show_z(file).text, (int)component.name.len,
               component.name.at, (int)component.version.text.len, component.version.text.at,
               component_kind_name(component.kind), component.ring);
        if (component.description.len > 0)
            printf("%s\n", show(component.description).text);
        describe_component(&component);
    }
    composition_free(&composition);
    return status;
}

static void print_system(const char *file, const struct system_spec *spec)
{
    printf("%s: system %.*s, architecture %.*s, %s of memory, ", show_z(file).text,
           (int)spec->name.len, spec->name.at, (int)spec->architecture.len, spec->architecture.at,
           amount_bytes(spec->memory_bytes).text);
    if (spec->cpus == 0)
        printf("all CPUs\n");
    else
        printf("%u CPU%s\n", spec->cpus, spec->cpus == 1 ? "" : "s");
    describe_components(spec);
    describe_wires(spec);
    describe_threads(spec);
    if (spec->ncomponents > 0)
        printf("\nStarts in this order:");
    for (uint32_t i = 0; i < spec->ncomponents; i++) {
        struct str name = spec->components[spec->order[i]].name;
        printf(" %.*s", (int)name.len, name.at);
    }
    printf("%s", spec->ncomponents > 0 ? "\n" : "");
    if (spec->job.given) {
        const struct component_spec *c = &spec->components[spec->job.component];
        struct str name = c->provides[spec->job.provide].name;
        printf("Job: %.*s.%.*s, deadline %s\n", (int)c->name.len, c->name.at, (int)name.len,
               name.at, amount_ns(spec->job.deadline_ns).text);
    } else {
        printf("%sNo job: it serves until it is stopped\n", spec->ncomponents > 0 ? "" : "\n");
    }
    describe_memory(spec);
}

static int inspect_system(const char *file)
{
    struct composition composition;
    int status = EXIT_OK;
    tn_err err = composition_read(&composition, file, NULL, 0);
    if (err != TN_OK) {
        status = faults_report(&composition, err);
    } else if (json_wanted) {
        json_t *object = system_json(&composition.spec);
        json_put(object, "type", json_string("system"));
        json_print(object);
    } else {
        print_system(file, &composition.spec);
    }
    composition_free(&composition);
    return status;
}

/* Whether a line of the text is a header of that table, or of one inside of it: for files that are
 * no TOML because of a slip, whose faults shall be told all the same. */
static bool has_header(struct str text, struct str name)
{
    bool begins = true; /* nothing but blanks yet on this line */
    for (size_t i = 0; i < text.len; i++) {
        if (begins && text.at[i] == '[' && text.len - i > name.len + 1 &&
            memcmp(text.at + i + 1, name.at, name.len) == 0 &&
            (text.at[i + 1 + name.len] == ']' || text.at[i + 1 + name.len] == '.'))
            return true;
        begins = text.at[i] == '\n' || (begins && (text.at[i] == ' ' || text.at[i] == '\t'));
    }
    return false;
}

static int inspect_text(const char *file, struct str text)
{
    if (text.len <= COMPOSITION_FILE_MAX) {
        if (has_header(text, STR("component")))
            return inspect_component(file);
        if (has_header(text, STR("system")))
            return inspect_system(file);
    }
    return inspect_refuse(file, "neither a WebAssembly module, a native component (ELF), nor TOML "
                                "with [component] or [system]");
}

int verb_inspect(const struct args *args)
{
    const char *file = args->files[0];
    struct str bytes;
    struct file_error error;
    int status;
    if (file_read(file, INSPECT_FILE_MAX, &bytes, &error) != TN_OK)
        return inspect_refuse(file, error.text);
    if (bytes.len >= 4 && memcmp(bytes.at, "\0asm", 4) == 0)
        status = inspect_wasm(file, bytes);
    else if (bytes.len >= 4 && memcmp(bytes.at, "\177ELF", 4) == 0)
        status = inspect_native(file, bytes);
    else
        status = inspect_text(file, bytes);
    free((void *)(uintptr_t)bytes.at);
    return status;
}
