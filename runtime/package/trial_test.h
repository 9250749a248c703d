/* trial_test.h: compositions in memory, and their faults as text, for the tests of this folder. */
#ifndef RUNTIME_PACKAGE_TRIAL_TEST_H
#define RUNTIME_PACKAGE_TRIAL_TEST_H

#include "base/bits.h"
#include "runtime/package/system.h"

enum { TRIAL_FILES = 8, TRIAL_ARENA_BYTES = 16 << 20, TRIAL_TEXT_BYTES = 4000 };

struct trial_file {
    const char *path, *text;
    tn_err error; /* that reading it gives, if not TN_OK */
};

/* One composition: its system.toml, what else there is, and the result of trial_parse. */
struct trial {
    const char *text;
    struct trial_file files[TRIAL_FILES];
    struct system_input input; /* what a test sets here is kept */
    struct system_spec spec;
    struct faults faults;
    tn_err result;
    char said[SYSTEM_FAULTS_MAX * 320]; /* file:line:column: text, a line each */
    void *arena;
    char made[TRIAL_TEXT_BYTES]; /* by trial_begin */
};

/* That of a test which needs one at a time; trial_over ends it, after a group of tests. */
extern struct trial trial;
int trial_over(void **state);

/* Where most tests begin: a system, and a component of it, without what is tested. */
#define TRIAL_SYSTEM   "[system]\nname = \"t\"\nmemory = \"2 GiB\"\n"
#define TRIAL_MANIFEST "[component]\nname = \"x\"\nversion = \"1.0.0\"\nkind = \"service\"\n"

/* A fresh one of this system.toml: `head`, which stays; or both joined, where `rest` is not NULL.
 */
void trial_begin(struct trial *one, const char *head, const char *rest);
/* Parses one->text in an arena that is as large as it takes; frees the one before. */
void trial_parse(struct trial *one);
void trial_end(struct trial *one);
/* Parses and asserts that the faults read so, or, with "", that there are none. */
void trial_expect(struct trial *one, const char *said);
/* The same for one component.toml alone. */
void trial_expect_manifest(const char *text, const char *said);
/* The component of that name; its need of that name. */
const struct component_spec *trial_component(const struct trial *one, const char *name);
const struct need_spec *trial_need(const struct trial *one, const char *component,
                                   const char *name);

tn_err trial_read(void *ctx, struct str path, struct str *ret_text);
tn_err trial_probe(void *ctx, struct str path);

#define assert_str(s, expected) assert_true(str_eq((s), str_of(expected)))

#endif
