/* run_input.c: all that a run needs of words and files, read before anything is started, so that
 * what is wrong with them is said with their names and nothing has happened yet. */
#include <stdlib.h>

#include "apps/tenon/files.h"
#include "apps/tenon/json.h"
#include "apps/tenon/run.h"
#include "apps/tenon/term.h"
#include "base/near.h"
#include "base/utf8.h"
#include "runtime/elf/elf.h"

static int read_place(const char *word, struct system_place *ret)
{
    struct str name = str_of(word), domain = {NULL, 0};
    for (size_t i = 0; i < name.len && domain.at == NULL; i++) {
        if (name.at[i] == '=') {
            domain = (struct str){name.at + i + 1, name.len - i - 1};
            name.len = i;
        }
    }
    if (domain.at == NULL || name.len == 0)
        return refuse("--place %s: write --place NAME=DOMAIN, as in --place rogue=wasm",
                      show_z(word).text);
    for (int i = DOMAIN_KERNEL; i <= DOMAIN_PROCESS; i++) {
        if (!str_eq(domain, str_of(component_domain_name((enum component_domain)i))))
            continue;
        *ret = (struct system_place){name, (enum component_domain)i};
        return EXIT_OK;
    }
    return refuse("--place %s: there is no domain '%s': write kernel or wasm", show_z(word).text,
                  show(domain).text);
}

static int read_places(struct run *run)
{
    for (uint32_t i = 0; i < run->args->nvalues; i++) {
        int status = read_place(run->args->values[i], &run->places[i]);
        if (status != EXIT_OK)
            return status;
    }
    return EXIT_OK;
}

static int check_places(const struct run *run)
{
    const struct system_spec *spec = &run->composition.spec;
    for (uint32_t i = 0; i < run->args->nvalues; i++) {
        struct str name = run->places[i].component;
        struct near near = near_to(name);
        bool found = false;
        for (uint32_t j = 0; j < spec->ncomponents && !found; j++) {
            found = str_eq(spec->components[j].name, name);
            near_try(&near, spec->components[j].name);
        }
        if (!found && near_found(&near))
            return refuse("--place: %s has no component '%s': did you mean '%.*s'?",
                          show_z(run->composition.file).text, show(name).text, (int)near.best.len,
                          near.best.at);
        if (!found)
            return refuse("--place: %s has no component '%s': 'tenon check' lists them",
                          show_z(run->composition.file).text, show(name).text);
    }
    return EXIT_OK;
}

static int read_codes(struct run *run)
{
    const struct system_spec *spec = &run->composition.spec;
    run->codes = must_get(calloc(spec->ncomponents + 1, sizeof(*run->codes)));
    for (uint32_t i = 0; i < spec->ncomponents; i++) {
        const struct component_spec *c = &spec->components[i];
        struct file_error error;
        char *path = composition_path(&run->composition,
                                      c->domain == DOMAIN_KERNEL ? c->native_file : c->wasm_file);
        tn_err err = file_read(path, ELF_FILE_MAX, &run->codes[i], &error);
        int status = err == TN_OK ? EXIT_OK
                                  : refuse("%s: the code of %.*s: %s", show_z(path).text,
                                           (int)c->name.len, c->name.at, error.text);
        free(path);
        if (status != EXIT_OK)
            return status;
    }
    return EXIT_OK;
}

/* "c.need: text" behind the file that it is about. */
static int refuse_path(const char *path, const struct component_spec *c,
                       const struct need_spec *need, const char *text)
{
    return refuse("%s: for %.*s.%.*s: %s", show_z(path).text, (int)c->name.len, c->name.at,
                  (int)need->name.len, need->name.at, text);
}

/* What is wrong with the file, before anything is started. What is read may be named by a link,
 * which is followed here, once. */
static int check_path(struct run_path *at, const struct component_spec *c, const char *shown)
{
    const struct need_spec *need = at->need;
    struct file_error error;
    bool writes = (need->grant & TN_R_WRITE) != 0;
    tn_err err = writes && !need->directory ? file_probe_target(at->path, &error)
                                            : file_probe(at->path, need->directory, &error);
    if (err != TN_OK)
        return refuse_path(shown, c, need, error.text);
    char *real = writes ? NULL : realpath(at->path, NULL);
    if (real != NULL) {
        free(at->path);
        at->path = real;
    }
    return EXIT_OK;
}

/* The path of one files wire: an argument is seen from here, all else from the system.toml. */
static int read_path(struct run *run, const struct component_spec *c, const struct need_spec *need)
{
    const struct args *args = run->args;
    bool given = need->arg > 0 && need->arg <= args->nrest;
    if (need->arg > 0 && !given && need->path.len == 0)
        return refuse("argument %u is missing: the file for %.*s.%.*s: tenon run %s -- FILE ...",
                      need->arg, (int)c->name.len, c->name.at, (int)need->name.len, need->name.at,
                      show_z(run->composition.file).text);
    if (given && args->rest[need->arg - 1][0] == '\0')
        return refuse("argument %u is empty: the file for %.*s.%.*s", need->arg, (int)c->name.len,
                      c->name.at, (int)need->name.len, need->name.at);
    char *from = given ? path_from(STR(""), str_of(args->rest[need->arg - 1]))
                       : composition_path(&run->composition, need->path);
    char *path = path_absolute(from);
    if (path == NULL) {
        free(from);
        return refuse("the current folder is gone: go to one that exists");
    }
    run->paths[run->npaths] = (struct run_path){need, path, file_mark_of(path)};
    int status = check_path(&run->paths[run->npaths++], c, from);
    free(from);
    return status;
}

/* A file is not put in the place of another argument that is read: the two were mixed up. */
static int check_swapped(const struct run *run)
{
    for (uint32_t i = 0; i < run->npaths; i++) {
        for (uint32_t k = 0; k < run->npaths; k++) {
            const struct need_spec *written = run->paths[i].need, *read = run->paths[k].need;
            if (written->arg == 0 || read->arg == 0 || written->arg == read->arg ||
                (written->grant & TN_R_WRITE) == 0 || (read->grant & TN_R_WRITE) != 0 ||
                !file_same(run->paths[i].path, run->paths[k].path))
                continue;
            return refuse("%s: the file of argument %u would be written over that of argument %u: "
                          "name another",
                          show_z(run->paths[i].path).text, written->arg, read->arg);
        }
    }
    return EXIT_OK;
}

static int read_paths(struct run *run)
{
    const struct system_spec *spec = &run->composition.spec;
    uint32_t most = 0;
    for (uint32_t i = 0; i < spec->ncomponents; i++)
        most += spec->components[i].nneeds;
    run->paths = must_get(calloc(most + 1, sizeof(*run->paths)));
    for (uint32_t i = 0; i < spec->ncomponents; i++) {
        const struct component_spec *c = &spec->components[i];
        for (uint32_t j = 0; j < c->nneeds; j++) {
            int status = c->needs[j].wire == WIRE_FILES ? read_path(run, c, &c->needs[j]) : EXIT_OK;
            if (status != EXIT_OK)
                return status;
        }
    }
    return check_swapped(run);
}

static int read_job_args(struct run *run)
{
    const struct args *args = run->args;
    if (args->nrest > SYSTEM_JOB_ARGS_MAX)
        return refuse("%u arguments behind --, at most %d are taken", args->nrest,
                      SYSTEM_JOB_ARGS_MAX);
    for (uint32_t i = 0; i < args->nrest; i++) {
        run->job_args[i] = str_of(args->rest[i]);
        if (!utf8_valid((const uint8_t *)run->job_args[i].at, run->job_args[i].len))
            return refuse("argument %u behind -- is not UTF-8: '%s'", i + 1,
                          show_z(args->rest[i]).text);
    }
    return EXIT_OK;
}

int run_prepare(struct run *run, const struct args *args)
{
    run->args = args;
    int status = read_places(run);
    if (status == EXIT_OK)
        status = read_job_args(run);
    if (status != EXIT_OK)
        return status;
    tn_err err = composition_read(&run->composition, args->files[0], run->places, args->nvalues);
    if (err != TN_OK)
        return faults_report(&run->composition, err);
    status = check_places(run);
    if (status == EXIT_OK)
        status = read_codes(run);
    if (status == EXIT_OK)
        status = read_paths(run);
    return status;
}

bool run_wrote(const struct run_path *at)
{
    return (at->need->grant & TN_R_WRITE) != 0 && !at->need->directory &&
           !file_mark_equal(at->before, file_mark_of(at->path));
}

void run_free(struct run *run)
{
    for (uint32_t i = 0; run->codes != NULL && i < run->composition.spec.ncomponents; i++)
        free((void *)(uintptr_t)run->codes[i].at);
    for (uint32_t i = 0; i < run->npaths; i++)
        free(run->paths[i].path);
    free(run->codes);
    free(run->paths);
    free(run->faults);
    free(run->result);
    free(run->accounts);
    json_decref(run->json_faults);
    composition_free(&run->composition);
}
