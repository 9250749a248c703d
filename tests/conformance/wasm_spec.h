/* wasm_spec.h: what the files of the WebAssembly specification test runner share. */
#ifndef TESTS_CONFORMANCE_WASM_SPEC_H
#define TESTS_CONFORMANCE_WASM_SPEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wasm/wasm.h"

enum {
    SPEC_MAX_INSTANCES = 512,   /* living in one script */
    SPEC_MAX_NAMES = 128,       /* names and registrations in one script */
    SPEC_MAX_VALUES = 32,       /* arguments, and results, of one call */
    SPEC_MEMORY_PAGES = 2048,   /* the suite grows one memory to 804 pages */
    SPEC_STACK_SLOTS = 1 << 18, /* of each instance */
    SPEC_CALL_DEPTH = 1 << 14,
    SPEC_TEXT = 256, /* bytes of a detail for people */
};
/* More than any command of the suite needs, and spent in some seconds by an endless loop. */
#define SPEC_FUEL UINT64_C(1000000000)

/* An instance and its module; a failed or trapped one may stay because others refer to it. */
struct spec_instance {
    struct wasm_module *module;
    struct wasm_instance *instance;
};

/* `$Name` of a module, or the module name that imports use. */
struct spec_name {
    const char *at; /* the JSON document's */
    size_t len;
    bool registered;
    struct wasm_instance *instance;
};

/* The state of one script. Instances live until its end, for tables and imports link them. */
struct spec_world {
    struct wasm_alloc alloc;
    size_t live_bytes;   /* handed out by alloc */
    uint64_t slice_fuel; /* 0: the fuel comes at once; else this much at a time */
    uint64_t fuel_used;
    struct spec_instance instances[SPEC_MAX_INSTANCES];
    uint32_t ninstances;
    struct spec_name names[SPEC_MAX_NAMES];
    uint32_t nnames;
    struct wasm_instance *spectest, *last;
};

/* How far a module came. */
enum spec_stage { SPEC_UNREADABLE, SPEC_REFUSED, SPEC_UNLINKED, SPEC_TRAPPED, SPEC_READY };

/* Makes the world with its `spectest` instance; false, with a line on stderr, when the engine
 * cannot even do that. spec_world_close frees everything, also of a world half made. */
bool spec_world_open(struct spec_world *world, uint64_t slice_fuel);
/* false when the engine gave back less or more memory than it took. */
bool spec_world_close(struct spec_world *world);

/* Loads, links and starts the module in `file`. On SPEC_READY it is the last instance; otherwise
 * `text` says what went wrong in the engine's words. `err` is the engine's. */
enum spec_stage spec_instantiate(struct spec_world *world, const char *file, tn_err *ret_err,
                                 char text[SPEC_TEXT]);
/* Loads the module and drops it: SPEC_UNREADABLE, SPEC_REFUSED or SPEC_READY. */
enum spec_stage spec_load_only(struct spec_world *world, const char *file, tn_err *ret_err,
                               char text[SPEC_TEXT]);
/* NULL when there is none. `name` NULL: the last instance. */
struct wasm_instance *spec_find(const struct spec_world *world, const char *name, size_t len,
                                bool registered);
/* false when the table of names is full. The text must outlive the world. */
bool spec_name_add(struct spec_world *world, const char *name, size_t len, bool registered,
                   struct wasm_instance *instance);
/* Runs what was begun to its end, giving fuel as the world says. WASM_FUEL: SPEC_FUEL was not
 * enough. */
enum wasm_status spec_run(struct spec_world *world, struct wasm_instance *instance);

/* Values as wast2json writes them: {"type": "i32", "value": "4294967295"}. */

/* false when the JSON is no value that can be passed. */
bool spec_value_parse(const json_t *json, wasm_value *ret_value);
/* Whether `got` is what the JSON expects, bit by bit; nan:canonical, nan:arithmetic and references
 * without a value stand for sets. */
bool spec_value_matches(const json_t *json, wasm_value got);
/* The enum wasm_type that the JSON's type names; 0 for none. */
uint8_t spec_value_type(const json_t *json);
/* "i32:0000002a"; cut when it does not fit. */
void spec_value_print(uint8_t type, wasm_value value, char *ret_text, size_t room);

#endif
