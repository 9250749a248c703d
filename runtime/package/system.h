/* system.h: compositions: `component.toml` and `system.toml`, read, validated and resolved into plain
 * data that a composition root boots from.
 *
 * Validation finds all faults of all files at once: each names file, line and column, says what was
 * found, what is expected and, where something near is meant, what to write instead. Nothing here
 * touches a file system: the caller hands in a function that reads.
 *
 *   component.toml                              system.toml
 *   --------------                              -----------
 *   [component]                                 [system]
 *   name = "detector"                           name = "demo"
 *   version = "1.2.0"        # semver 2.0       architecture = "hybrid"   # micro mono hybrid exo nano
 *   kind = "operator"        # system.h         memory = "64 MiB"
 *   ring = 2                 # 0 to 3           cpus = 2                  # optional: all
 *   description = "..."
 *   [provides]                                  [components.detector]
 *   scan = "acme.detect"     # name = interface package = "components/detector"  # folder
 *   [needs.rows]                                version = "^1.0"          # optional requirement
 *   interface = "acme.rows"                     domain = "wasm"           # optional placement
 *   rights = ["call"]                           priority = 4              # optional
 *   optional = false                            restart = "always"        # never | always, 0..n times
 *   [resources]                                 restarts_max = 8
 *   memory = "4 MiB"                            [components.detector.config]   # free, to load()
 *   fuel_per_call = 100_000_000                 threshold = 3.0
 *   mailbox = 64                                [components.detector.limits]   # lowers resources
 *   deadline = "5 s"                            memory = "2 MiB"
 *   stack = "64 KiB"
 *   [code]                                      [wires]                   # need = provider
 *   wasm = "detector.wasm"   # defaults         "detector.rows" = "reader.rows"
 *   native = "detector.tn.so"                   "report.out" = { driver = "files", path = "out.html",
 *                                                                rights = ["write"] }
 *                                               "rogue.clock" = { driver = "clock" }
 *                                               "rogue.back" = { to = "rogue.attack", circle = true }
 *                                               [trust]
 *                                               components = ["forecaster"]  # may be ring 1, kernel
 *                                               [job]
 *                                               run = "report.job"        # component.provided
 *                                               args = ["a", "b"]
 *                                               deadline = "30 s"
 *
 * Sizes are "N B|KiB|MiB|GiB" or an integer of bytes; times "N ns|us|ms|s|min|h". */
#ifndef RUNTIME_PACKAGE_SYSTEM_H
#define RUNTIME_PACKAGE_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>
#include <tenon/errors.h>
#include <tenon/limits.h>

#include "base/bytes.h"
#include "toml/toml.h"

struct tn_interface;

enum {
    SYSTEM_COMPONENTS_MAX = 256,
    SYSTEM_PROVIDES_MAX = 16,   /* of one component */
    SYSTEM_NEEDS_MAX = 32,      /* of one component */
    SYSTEM_FAULTS_MAX = 64,     /* kept; more are counted */
    SYSTEM_JOB_ARGS_MAX = 64,
};

enum component_kind {
    KIND_SERVICE,
    KIND_DRIVER,
    KIND_OPERATOR,
    KIND_INSTRUMENT,
    KIND_MOTIF,
    KIND_INTEGRATION,
    KIND_AGENT,
    KIND_META,
};

enum component_domain { DOMAIN_KERNEL, DOMAIN_WASM, DOMAIN_PROCESS };

struct version {
    uint32_t major, minor, patch;
    struct str pre; /* after '-', or empty */
};

struct provide {
    struct str name;
    struct str interface_name;
    const struct tn_interface *interface; /* of the table that the build knows */
};

enum wire_kind { WIRE_NONE, WIRE_COMPONENT, WIRE_FILES, WIRE_CLOCK, WIRE_RANDOM, WIRE_LOG };

struct need_spec {
    struct str name;
    struct str interface_name;
    const struct tn_interface *interface;
    uint32_t rights; /* TN_R_ */
    bool optional;
    /* resolved from [wires] */
    enum wire_kind wire;
    uint32_t component; /* WIRE_COMPONENT: index of the provider */
    uint32_t provide;   /* and which of its provides */
    struct str path;    /* WIRE_FILES: relative to the system.toml's folder, or as given in ARGS */
    uint32_t grant;     /* WIRE_FILES: TN_R_READ | TN_R_WRITE */
    bool directory;     /* WIRE_FILES: path is a folder */
    bool circle;        /* declared: may close a circle of calls */
};

struct resources {
    uint64_t memory_bytes;
    uint64_t fuel_per_call; /* 0: not limited (kernel domain) */
    uint32_t mailbox;
    uint64_t deadline_ns; /* 0: none */
    uint64_t stack_bytes; /* wasm: of frames */
};

struct component_spec {
    struct str name;    /* in the system; the package's own name is manifest_name */
    struct str package; /* folder, as the system.toml names it */
    struct str manifest_name, description;
    struct version version;
    enum component_kind kind;
    uint32_t ring;
    enum component_domain domain;
    bool trusted; /* listed in [trust] */
    struct provide provides[SYSTEM_PROVIDES_MAX];
    uint32_t nprovides;
    struct need_spec needs[SYSTEM_NEEDS_MAX];
    uint32_t nneeds;
    struct resources resources; /* the lesser of manifest and limits */
    struct str wasm_file, native_file; /* path as handed to read: folder/file */
    uint8_t priority;
    bool restart;
    uint32_t restarts_max;
    const struct toml_table *config; /* or NULL */
};

struct job_spec {
    bool given;
    uint32_t component, provide;
    struct str args[SYSTEM_JOB_ARGS_MAX];
    uint32_t nargs;
    uint64_t deadline_ns;
};

struct system_spec {
    struct str name;
    struct str architecture;
    uint64_t memory_bytes;
    uint32_t cpus; /* 0: all */
    struct component_spec *components;
    uint32_t ncomponents;
    uint32_t *order; /* indices, providers before those that need them */
    struct job_spec job;
};

struct fault {
    struct str file;
    uint32_t line, column; /* 0: the file as a whole */
    char text[240];        /* "unknown key 'memmory' in [resources]; did you mean 'memory'?" */
};

struct faults {
    struct fault at[SYSTEM_FAULTS_MAX];
    uint32_t n;     /* kept */
    uint32_t total; /* found */
};

/* Reads a file of the composition whole, into memory that lives as long as the spec. `path` is
 * relative to the system.toml's folder. TN_ENOTFOUND, TN_EIO, TN_ETOOBIG, TN_ENOMEM. */
typedef tn_err (*system_read)(void *ctx, struct str path, struct str *ret_text);

struct system_input {
    struct str file; /* name of the system.toml for messages */
    struct str text;
    system_read read;
    void *read_ctx;
    uint64_t machine_memory_bytes; /* "memory" over it is a fault */
    uint32_t machine_cpus;
    void *arena; /* everything that the spec points to is made here */
    uint64_t arena_bytes;
};

/* TN_OK with *ret_system; TN_EFORMAT with at least one fault; TN_ENOMEM: the arena is too small. */
tn_err system_parse(const struct system_input *input, struct system_spec *ret_system,
                    struct faults *faults);

/* One manifest alone, for `tenon inspect component.toml`. */
tn_err component_parse(struct str file, struct str text, void *arena, uint64_t arena_bytes,
                       struct component_spec *ret_component, struct faults *faults);

#endif
