/* trial_test.c: see trial_test.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/package/trial_test.h"

static const struct trial_file *find(const struct trial *trial, struct str path)
{
    for (size_t i = 0; i < TRIAL_FILES && trial->files[i].path != NULL; i++)
        if (str_eq(path, str_of(trial->files[i].path)))
            return &trial->files[i];
    return NULL;
}

tn_err trial_read(void *ctx, struct str path, struct str *ret_text)
{
    const struct trial_file *file = find(ctx, path);
    if (file == NULL)
        return TN_ENOTFOUND;
    if (file->error != TN_OK)
        return file->error;
    *ret_text = str_of(file->text);
    return TN_OK;
}

tn_err trial_probe(void *ctx, struct str path)
{
    return find(ctx, path) == NULL ? TN_ENOTFOUND : TN_OK;
}

static void say(const struct faults *faults, char *at, size_t size)
{
    size_t used = 0;
    at[0] = '\0';
    assert_true(faults->n <= faults->total && faults->n <= SYSTEM_FAULTS_MAX);
    for (uint32_t i = 0; i < faults->n; i++) {
        const struct fault *f = &faults->at[i];
        int n = snprintf(at + used, size - used, "%.*s:%u:%u: %s\n", (int)f->file.len, f->file.at,
                         f->line, f->column, f->text);
        assert_true(n > 0 && (size_t)n < size - used);
        used += (size_t)n;
    }
}

void trial_parse(struct trial *trial)
{
    free(trial->arena);
    trial->arena = malloc(TRIAL_ARENA_BYTES);
    assert_non_null(trial->arena);
    trial->input.file = STR("system.toml");
    trial->input.text = str_of(trial->text);
    trial->input.read = trial_read;
    trial->input.read_ctx = trial;
    trial->input.arena = trial->arena;
    trial->input.arena_bytes = TRIAL_ARENA_BYTES;
    memset(&trial->spec, 0xa5, sizeof(trial->spec));
    trial->result = system_parse(&trial->input, &trial->spec, &trial->faults);
    say(&trial->faults, trial->said, sizeof(trial->said));
    assert_int_equal(trial->result, trial->faults.total == 0 ? TN_OK : TN_EFORMAT);
    const uint8_t *spec = (const uint8_t *)&trial->spec;
    for (size_t i = 0; trial->result != TN_OK && i < sizeof(trial->spec); i++)
        assert_int_equal(spec[i], 0xa5);
}

void trial_end(struct trial *trial)
{
    free(trial->arena);
    trial->arena = NULL;
}

void trial_expect(struct trial *trial, const char *said)
{
    trial_parse(trial);
    assert_string_equal(trial->said, said);
}

void trial_expect_manifest(const char *text, const char *said)
{
    static struct faults faults;
    static struct component_spec spec;
    static char found[SYSTEM_FAULTS_MAX * 320];
    void *arena = malloc(TRIAL_ARENA_BYTES);
    assert_non_null(arena);
    tn_err e = component_parse(STR("component.toml"), str_of(text), arena, TRIAL_ARENA_BYTES, &spec,
                               &faults);
    say(&faults, found, sizeof(found));
    assert_string_equal(found, said);
    assert_int_equal(e, said[0] == '\0' ? TN_OK : TN_EFORMAT);
    free(arena);
}

const struct component_spec *trial_component(const struct trial *trial, const char *name)
{
    for (uint32_t i = 0; i < trial->spec.ncomponents; i++)
        if (str_eq(trial->spec.components[i].name, str_of(name)))
            return &trial->spec.components[i];
    fail_msg("no component %s", name);
    return NULL;
}
