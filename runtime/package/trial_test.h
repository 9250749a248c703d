/* trial_test.h: compositions in memory, and their faults as text, for the tests of this folder. */
#ifndef RUNTIME_PACKAGE_TRIAL_TEST_H
#define RUNTIME_PACKAGE_TRIAL_TEST_H

#include "base/bits.h"
#include "runtime/package/system.h"

enum { TRIAL_FILES = 8, TRIAL_ARENA_BYTES = 16 << 20 };

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
};

/* Parses trial->text in an arena that is as large as it takes; frees the one before. */
void trial_parse(struct trial *trial);
void trial_end(struct trial *trial);
/* Parses and asserts that the faults read so, or, with "", that there are none. */
void trial_expect(struct trial *trial, const char *said);
/* The same for one component.toml alone. */
void trial_expect_manifest(const char *text, const char *said);
/* The component of that name. */
const struct component_spec *trial_component(const struct trial *trial, const char *name);

tn_err trial_read(void *ctx, struct str path, struct str *ret_text);
tn_err trial_probe(void *ctx, struct str path);

#define assert_str(s, expected) assert_true(str_eq((s), str_of(expected)))

#endif
