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

struct trial trial;

int trial_over(void **state)
{
    (void)state;
    trial_end(&trial);
    return 0;
}

void trial_begin(struct trial *one, const char *head, const char *rest)
{
    trial_end(one);
    memset(one, 0, sizeof(*one));
    one->text = head;
    if (rest == NULL)
        return;
    int len = snprintf(one->made, sizeof(one->made), "%s%s", head, rest);
    assert_in_range(len, 0, sizeof(one->made) - 1);
    one->text = one->made;
}

static const struct trial_file *find(const struct trial *one, struct str path)
{
    for (size_t i = 0; i < TRIAL_FILES && one->files[i].path != NULL; i++)
        if (str_eq(path, str_of(one->files[i].path)))
            return &one->files[i];
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

void trial_parse(struct trial *one)
{
    free(one->arena);
    one->arena = malloc(TRIAL_ARENA_BYTES);
    assert_non_null(one->arena);
    one->input.file = STR("system.toml");
    one->input.text = str_of(one->text);
    one->input.read = trial_read;
    one->input.read_ctx = one;
    one->input.arena = one->arena;
    one->input.arena_bytes = TRIAL_ARENA_BYTES;
    memset(&one->spec, 0xa5, sizeof(one->spec));
    one->result = system_parse(&one->input, &one->spec, &one->faults);
    say(&one->faults, one->said, sizeof(one->said));
    assert_int_equal(one->result, one->faults.total == 0 ? TN_OK : TN_EFORMAT);
    const uint8_t *spec = (const uint8_t *)&one->spec;
    for (size_t i = 0; one->result != TN_OK && i < sizeof(one->spec); i++)
        assert_int_equal(spec[i], 0xa5);
}

void trial_end(struct trial *one)
{
    free(one->arena);
    one->arena = NULL;
}

void trial_expect(struct trial *one, const char *said)
{
    trial_parse(one);
    assert_string_equal(one->said, said);
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

const struct component_spec *trial_component(const struct trial *one, const char *name)
{
    for (uint32_t i = 0; i < one->spec.ncomponents; i++)
        if (str_eq(one->spec.components[i].name, str_of(name)))
            return &one->spec.components[i];
    fail_msg("no component %s", name);
    return NULL;
}

const struct need_spec *trial_need(const struct trial *one, const char *component, const char *name)
{
    const struct component_spec *c = trial_component(one, component);
    for (uint32_t i = 0; i < c->nneeds; i++)
        if (str_eq(c->needs[i].name, str_of(name)))
            return &c->needs[i];
    fail_msg("no need %s", name);
    return NULL;
}
