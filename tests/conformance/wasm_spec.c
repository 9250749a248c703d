/* wasm_spec.c: runs the WebAssembly core test suite through the engine.
 *
 *   wasm_spec [--slice FUEL] SUITE_DIR WORK_DIR MIN_PERCENT
 *
 * Every .wast of SUITE_DIR (not its folders: SIMD is not part of the engine) is converted by wabt's
 * wast2json into WORK_DIR, and its commands are run in order. Each script has a world of its own:
 * instances, names and the module `spectest` are made for it and freed after it, and the bytes that
 * the engine holds must then be 0.
 *
 * A command passes, fails or is skipped. Skipped is only `assert_malformed` of text, for the engine
 * reads no text. What passes:
 *   module, register, action    when they do what they say
 *   assert_return               results equal bit by bit, as many as expected
 *   assert_trap, _exhaustion    the trap has the words of the specification
 *   assert_invalid, _malformed  wasm_load says TN_EFORMAT, or TN_ELIMIT
 *   assert_unlinkable           loads, and fails to link
 *   assert_uninstantiable       links, and traps in a segment or the start function
 *
 * With --slice every script runs a second time, on that much fuel at a time, so that all programs
 * of the suite are suspended and resumed wherever they can be; the outcomes and the fuel must be
 * the same.
 *
 * Exit status: 0 when at least MIN_PERCENT of the commands that ran passed, 1 when not, 77
 * (skipped) when the suite or wast2json is not there, 2 on wrong arguments. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/bits.h"
#include "tests/conformance/wasm_spec.h"

enum { EXIT_USAGE = 2, EXIT_SKIPPED = 77, PATH_BYTES = 4096, WHY_BYTES = 2048 };

enum outcome { PASSED, FAILED, SKIPPED, OUTCOMES };

struct script {
    const char *name; /* "address.wast" */
    const char *work_dir;
    struct spec_world world;
    char why[WHY_BYTES]; /* of the last failure: expected and got */
};

__attribute__((format(printf, 2, 3))) static enum outcome fail(struct script *script,
                                                               const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(script->why, sizeof(script->why), format, args);
    va_end(args);
    return FAILED;
}

static const char *member(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

static size_t member_len(const json_t *json, const char *key)
{
    return json_string_length(json_object_get(json, key));
}

/* What became of an action. */
struct result {
    bool ran;                  /* else script->why says why not */
    const char *trap;          /* NULL: it returned */
    struct wasm_functype type; /* of what was called; for a global: its type as a result */
    uint8_t global_type;       /* what type.results points to then */
    const wasm_value *values;  /* type.nresults of them */
    wasm_value global;
};

static void get_global(struct script *script, struct wasm_instance *instance,
                       const struct wasm_export_info *export, struct result *result)
{
    tn_err err = wasm_global_get(instance, export->index, &result->global);
    if (err != TN_OK) {
        fail(script, "wasm_global_get: %d", err);
        return;
    }
    result->global_type = export->type;
    result->type = (struct wasm_functype){.nresults = 1, .results = &result->global_type};
    result->values = &result->global;
    result->ran = true;
}

static void invoke(struct script *script, struct wasm_instance *instance,
                   const struct wasm_export_info *export, const json_t *json_args,
                   struct result *result)
{
    wasm_value args[SPEC_MAX_VALUES];
    size_t nargs = json_array_size(json_args);
    if (nargs > SPEC_MAX_VALUES || nargs != export->func->nparams) {
        fail(script, "%zu arguments for a function of %u", nargs, export->func->nparams);
        return;
    }
    for (size_t i = 0; i < nargs; i++) {
        if (!spec_value_parse(json_array_get(json_args, i), &args[i])) {
            fail(script, "argument %zu is no value", i);
            return;
        }
    }
    tn_err err = wasm_begin(instance, export->index, args, (uint32_t)nargs);
    if (err != TN_OK) {
        fail(script, "wasm_begin: %d", err);
        return;
    }
    enum wasm_status status = spec_run(&script->world, instance);
    if (status == WASM_FUEL || status == WASM_PENDING) {
        wasm_cancel(instance);
        fail(script, status == WASM_FUEL ? "does not end" : "pending without a host function");
        return;
    }
    result->ran = true;
    result->type = *export->func;
    result->values = wasm_results(instance);
    if (status == WASM_TRAP) {
        const char *trap = wasm_trap_text(instance);
        result->trap = trap == NULL ? "(a trap without a text)" : trap;
    }
}

static void act(struct script *script, const json_t *action, struct result *result)
{
    *result = (struct result){0};
    const char *name = member(action, "module");
    struct wasm_instance *instance =
        spec_find(&script->world, name, member_len(action, "module"), false);
    if (instance == NULL) {
        fail(script, "no instance %s", name == NULL ? "at all" : name);
        return;
    }
    const char *field = member(action, "field");
    bool is_get = strcmp(member(action, "type"), "get") == 0;
    struct wasm_export_info export;
    if (!wasm_find_export(wasm_instance_module(instance), field, member_len(action, "field"),
                          &export) ||
        export.kind != (is_get ? WASM_EXT_GLOBAL : WASM_EXT_FUNC)) {
        fail(script, "no export %s", field);
        return;
    }
    if (is_get)
        get_global(script, instance, &export, result);
    else
        invoke(script, instance, &export, json_object_get(action, "args"), result);
}

static enum outcome mismatch(struct script *script, const json_t *expected,
                             const struct result *result)
{
    int len = snprintf(script->why, sizeof(script->why), "expected");
    char *end = script->why + sizeof(script->why);
    char *at = script->why + len;
    const json_t *one;
    size_t i;
    json_array_foreach(expected, i, one)
    {
        char text[64];
        wasm_value value;
        snprintf(text, sizeof(text), "%s:%s", member(one, "type"),
                 member(one, "value") == NULL ? "any" : member(one, "value"));
        if (spec_value_parse(one, &value))
            spec_value_print(spec_value_type(one), value, text, sizeof(text));
        at += snprintf(at, (size_t)(end - at), " %s", text);
    }
    at += snprintf(at, (size_t)(end - at), ", got");
    for (uint32_t k = 0; k < result->type.nresults && end - at > 64; k++) {
        char text[64];
        spec_value_print(result->type.results[k], result->values[k], text, sizeof(text));
        at += snprintf(at, (size_t)(end - at), " %s", text);
    }
    return FAILED;
}

static enum outcome assert_return(struct script *script, const json_t *command)
{
    const json_t *expected = json_object_get(command, "expected");
    struct result result;
    act(script, json_object_get(command, "action"), &result);
    if (!result.ran)
        return FAILED;
    if (result.trap != NULL)
        return fail(script, "expected to return, got the trap \"%s\"", result.trap);
    if (json_array_size(expected) != result.type.nresults ||
        json_array_size(expected) > SPEC_MAX_VALUES)
        return mismatch(script, expected, &result);
    for (uint32_t i = 0; i < result.type.nresults; i++) {
        const json_t *one = json_array_get(expected, i);
        if (spec_value_type(one) != result.type.results[i] ||
            !spec_value_matches(one, result.values[i]))
            return mismatch(script, expected, &result);
    }
    return PASSED;
}

/* One text begins with the other: "uninitialized element 2" against "uninitialized element". */
static bool text_matches(const char *want, const char *got)
{
    size_t a = strlen(want), b = strlen(got);
    return b > 0 && strncmp(want, got, a < b ? a : b) == 0;
}

static enum outcome assert_trap(struct script *script, const json_t *command)
{
    const char *text = member(command, "text");
    struct result result;
    act(script, json_object_get(command, "action"), &result);
    if (!result.ran)
        return FAILED;
    if (result.trap == NULL)
        return fail(script, "expected the trap \"%s\", got a return", text);
    if (!text_matches(text, result.trap))
        return fail(script, "expected the trap \"%s\", got \"%s\"", text, result.trap);
    return PASSED;
}

static enum outcome run_action(struct script *script, const json_t *command)
{
    struct result result;
    act(script, json_object_get(command, "action"), &result);
    if (!result.ran)
        return FAILED;
    return result.trap == NULL ? PASSED : fail(script, "got the trap \"%s\"", result.trap);
}

static void module_path(const struct script *script, const json_t *command, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/%s", script->work_dir, member(command, "filename"));
}

static enum outcome run_module(struct script *script, const json_t *command)
{
    char path[PATH_BYTES], text[SPEC_TEXT] = "";
    tn_err err = TN_OK;
    module_path(script, command, path);
    script->world.last = NULL; /* a module that fails must not leave the one before it in place */
    if (spec_instantiate(&script->world, path, &err, text) != SPEC_READY)
        return fail(script, "expected an instance, got %d \"%s\"", err, text);
    const char *name = member(command, "name");
    if (name != NULL && !spec_name_add(&script->world, name, member_len(command, "name"), false,
                                       script->world.last))
        return fail(script, "too many names");
    return PASSED;
}

static enum outcome run_register(struct script *script, const json_t *command)
{
    struct wasm_instance *instance =
        spec_find(&script->world, member(command, "name"), member_len(command, "name"), false);
    if (instance == NULL)
        return fail(script, "no such instance");
    if (!spec_name_add(&script->world, member(command, "as"), member_len(command, "as"), true,
                       instance))
        return fail(script, "too many names");
    return PASSED;
}

static enum outcome assert_refused(struct script *script, const json_t *command)
{
    if (strcmp(member(command, "module_type"), "text") == 0)
        return SKIPPED;
    char path[PATH_BYTES], text[SPEC_TEXT] = "";
    tn_err err = TN_OK;
    module_path(script, command, path);
    enum spec_stage stage = spec_load_only(&script->world, path, &err, text);
    if (stage == SPEC_REFUSED && (err == TN_EFORMAT || err == TN_ELIMIT))
        return PASSED;
    return fail(script, "expected \"%s\", got %d \"%s\"", member(command, "text"), err,
                stage == SPEC_READY ? "a module" : text);
}

static enum outcome assert_unlinked(struct script *script, const json_t *command)
{
    bool traps = strcmp(member(command, "type"), "assert_uninstantiable") == 0;
    const char *want = member(command, "text");
    char path[PATH_BYTES], text[SPEC_TEXT] = "";
    tn_err err = TN_OK;
    module_path(script, command, path);
    struct wasm_instance *last = script->world.last;
    enum spec_stage stage = spec_instantiate(&script->world, path, &err, text);
    script->world.last = last;
    if (traps ? stage == SPEC_TRAPPED && text_matches(want, text)
              : stage == SPEC_UNLINKED && err != TN_ENOMEM)
        return PASSED;
    return fail(script, "expected \"%s\", got %d \"%s\"", want, err,
                stage == SPEC_READY ? "an instance" : text);
}

static enum outcome run_command(struct script *script, const json_t *command)
{
    static const struct {
        const char *type;
        enum outcome (*run)(struct script *script, const json_t *command);
    } kinds[] = {
        {"assert_return", assert_return},
        {"assert_trap", assert_trap},
        {"assert_exhaustion", assert_trap},
        {"action", run_action},
        {"module", run_module},
        {"register", run_register},
        {"assert_invalid", assert_refused},
        {"assert_malformed", assert_refused},
        {"assert_unlinkable", assert_unlinked},
        {"assert_uninstantiable", assert_unlinked},
    };
    const char *type = member(command, "type");
    for (size_t i = 0; type != NULL && i < ARRAY_LEN(kinds); i++) {
        if (strcmp(type, kinds[i].type) == 0)
            return kinds[i].run(script, command);
    }
    return fail(script, "a command of an unknown type");
}

struct totals {
    uint64_t counts[OUTCOMES];
    uint64_t fuel;
};

/* Runs the commands in a fresh world and prints the failures. */
static bool run_commands(const char *name, const json_t *commands, const char *work_dir,
                         uint64_t slice_fuel, struct totals *ret_totals)
{
    static struct script script;
    script.name = name;
    script.work_dir = work_dir;
    *ret_totals = (struct totals){0};
    bool ok = spec_world_open(&script.world, slice_fuel);
    const json_t *command;
    size_t i;
    json_array_foreach(commands, i, command)
    {
        enum outcome outcome = ok ? run_command(&script, command) : FAILED;
        ret_totals->counts[outcome]++;
        if (ok && outcome == FAILED)
            printf("%s:%lld: %s%s: %s\n", name,
                   json_integer_value(json_object_get(command, "line")), member(command, "type"),
                   slice_fuel == 0 ? "" : ", in slices", script.why);
    }
    ret_totals->fuel = script.world.fuel_used;
    if (!spec_world_close(&script.world)) {
        printf("%s: the engine freed other sizes than it took, or not all\n", name);
        ok = false;
    }
    return ok;
}

static bool run_script(const char *name, const char *json_path, const char *work_dir,
                       uint64_t slice_fuel, struct totals *totals)
{
    json_error_t error;
    json_t *root = json_load_file(json_path, JSON_ALLOW_NUL, &error);
    if (root == NULL) {
        fprintf(stderr, "%s: %s\n", json_path, error.text);
        return false;
    }
    const json_t *commands = json_object_get(root, "commands");
    struct totals whole, sliced;
    bool ok = run_commands(name, commands, work_dir, 0, &whole);
    if (slice_fuel != 0) {
        ok = run_commands(name, commands, work_dir, slice_fuel, &sliced) && ok;
        if (memcmp(&whole, &sliced, sizeof(whole)) != 0) {
            printf("%s: in slices %" PRIu64 " failed and fuel %" PRIu64 ", at once %" PRIu64
                   " and %" PRIu64 "\n",
                   name, sliced.counts[FAILED], sliced.fuel, whole.counts[FAILED], whole.fuel);
            ok = false;
        }
    }
    json_decref(root);
    printf("%-32s %6" PRIu64 " passed %5" PRIu64 " failed %5" PRIu64 " skipped\n", name,
           whole.counts[PASSED], whole.counts[FAILED], whole.counts[SKIPPED]);
    for (size_t k = 0; k < OUTCOMES; k++)
        totals->counts[k] += whole.counts[k];
    totals->fuel += whole.fuel;
    return ok;
}

/* 0, or an errno value; ENOENT when wast2json is not installed. */
static int convert(const char *wast, const char *json)
{
    extern char **environ;
    char *argv[] = {(char *)(uintptr_t) "wast2json", (char *)(uintptr_t)wast,
                    (char *)(uintptr_t) "-o", (char *)(uintptr_t)json, NULL};
    pid_t pid;
    int err = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
    if (err != 0)
        return err;
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return errno;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : EIO;
}

static int is_wast(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 5 && strcmp(entry->d_name + len - 5, ".wast") == 0;
}

static int run_suite(const char *suite, const char *work_dir, double min_percent,
                     uint64_t slice_fuel)
{
    struct dirent **entries;
    int n = scandir(suite, &entries, is_wast, alphasort);
    if (n <= 0) {
        printf("skipped: no test suite in %s\n", suite);
        return EXIT_SKIPPED;
    }
    if (mkdir(work_dir, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "%s: %s\n", work_dir, strerror(errno));
        return EXIT_FAILURE;
    }
    struct totals totals = {0};
    bool ok = true;
    int err = 0;
    for (int i = 0; i < n; i++) {
        const char *name = entries[i]->d_name;
        char wast[PATH_BYTES], json[PATH_BYTES];
        snprintf(wast, sizeof(wast), "%s/%s", suite, name);
        snprintf(json, sizeof(json), "%s/%.*s.json", work_dir, (int)(strlen(name) - 5), name);
        err = err == ENOENT ? err : convert(wast, json);
        if (err == 0)
            ok = run_script(name, json, work_dir, slice_fuel, &totals) && ok;
        else if (err != ENOENT)
            printf("%s: wast2json: %s\n", name, strerror(err));
        ok = ok && err == 0;
        free(entries[i]);
    }
    free(entries);
    if (err == ENOENT) {
        printf("skipped: wast2json (Debian package wabt) is not installed\n");
        return EXIT_SKIPPED;
    }
    uint64_t ran = totals.counts[PASSED] + totals.counts[FAILED];
    double percent = ran == 0 ? 0 : 100.0 * (double)totals.counts[PASSED] / (double)ran;
    printf("total: %" PRIu64 " passed, %" PRIu64 " failed, %" PRIu64
           " skipped: %.3f %% of those run (at least %.3f wanted); fuel %" PRIu64 "\n",
           totals.counts[PASSED], totals.counts[FAILED], totals.counts[SKIPPED], percent,
           min_percent, totals.fuel);
    return ok && percent >= min_percent ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    uint64_t slice_fuel = 0;
    int at = 1;
    if (argc == 6 && strcmp(argv[1], "--slice") == 0) {
        slice_fuel = strtoull(argv[2], NULL, 10);
        at = 3;
    }
    if (argc - at != 3 || (at == 3 && slice_fuel == 0)) {
        fprintf(stderr, "usage: %s [--slice FUEL] SUITE_DIR WORK_DIR MIN_PERCENT\n", argv[0]);
        return EXIT_USAGE;
    }
    char *end = NULL;
    double min_percent = strtod(argv[at + 2], &end);
    if (*end != '\0' || !(min_percent > 0 && min_percent <= 100)) {
        fprintf(stderr, "%s: MIN_PERCENT is a number from 0 to 100, not %s\n", argv[0],
                argv[at + 2]);
        return EXIT_USAGE;
    }
    return run_suite(argv[at], argv[at + 1], min_percent, slice_fuel);
}
