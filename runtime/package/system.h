/* system.h: compositions: `component.toml` and `system.toml`, read, validated and resolved into
 * plain data that a composition root boots from.
 *
 * Validation finds all faults of all files at once: each names file, line and column, says what was
 * found, what is expected and, where something near is meant, what to write instead. Nothing here
 * touches a file system: the caller hands in a function that reads.
 *
 * docs/composition.md is the page about both for those who write them. */
#ifndef RUNTIME_PACKAGE_SYSTEM_H
#define RUNTIME_PACKAGE_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>
#include <tenon/component.h>
#include <tenon/errors.h>
#include <tenon/limits.h>

#include "base/bytes.h"
#include "toml/toml.h"

struct tn_interface;

enum {
    SYSTEM_COMPONENTS_MAX = 256,
    SYSTEM_PROVIDES_MAX = 16, /* of one component */
    SYSTEM_NEEDS_MAX = 32,    /* of one component */
    SYSTEM_FAULTS_MAX = 64,   /* kept; more are counted */
    SYSTEM_JOB_ARGS_MAX = 64,
    SYSTEM_PATH_MAX = 1023, /* bytes of a path */
};

enum {
    SYSTEM_RESERVE_BYTES = 8 << 20, /* of the system's memory: the kernel's own */
    SYSTEM_MEMORY_DEFAULT = 4 << 20,
    SYSTEM_STACK_DEFAULT = 64 << 10,
    SYSTEM_FUEL_DEFAULT = 100000000,
    SYSTEM_RESTARTS_DEFAULT = 8, /* where restart = "always" */
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
    struct str pre;  /* after '-', or empty */
    struct str text; /* the whole, as written */
};

struct provide {
    struct str name;
    struct str interface_name;
    const struct tn_interface *interface; /* of the table that the build knows */
};

enum wire_kind {
    WIRE_NONE,
    WIRE_COMPONENT,
    WIRE_FILES,
    WIRE_CLOCK,
    WIRE_RANDOM,
    WIRE_LOG,
    WIRE_CHANNEL,
    WIRE_OBJECT, /* the kernel's own */
    WIRE_KINDS,
};

/* Which of several targets takes a message (kernel/ipc/ipc.h says how each rule picks). */
enum wire_rule { WIRE_SINGLE, WIRE_WEIGHTS, WIRE_HASH, WIRE_PER_CPU };
struct route_spec {
    enum wire_rule rule;
    uint32_t ntargets; /* 2 to TN_TARGETS_MAX */
    struct {
        uint32_t component, provide;
        uint32_t weight; /* 1 where no weights are given */
    } target[TN_TARGETS_MAX];
    uint32_t hash_at, hash_len; /* WIRE_HASH: these bytes of the arguments */
};

/* What a need is when it is no interface but an end of a channel. */
enum channel_side { CHANNEL_NO, CHANNEL_PRODUCER, CHANNEL_CONSUMER };

enum object_kind { OBJECT_MEMORY, OBJECT_SPACE, OBJECT_ACTOR };

struct need_spec {
    struct str name;
    struct str interface_name;
    const struct tn_interface *interface;
    enum channel_side channel;
    uint32_t rights; /* TN_R_: what the capability carries */
    bool optional;
    /* resolved from [wires] */
    enum wire_kind wire;
    uint32_t component; /* WIRE_COMPONENT: index of the provider, the first where there are more;
                           WIRE_OBJECT: whose it is */
    uint32_t provide;   /* and which of its provides. WIRE_CHANNEL: whose need, and which, is the
                           other end */
    const struct route_spec *route; /* WIRE_COMPONENT: several targets; NULL: that one */
    uint64_t capacity_bytes;        /* WIRE_CHANNEL */
    struct str path; /* WIRE_FILES: relative to the system.toml's folder, unless it begins with / */
    uint32_t arg;    /* WIRE_FILES: 1 to 9: the path is this argument of the command line, and
                        `path` stands where it is not given; empty: it must be. 0: none */
    uint32_t grant;  /* WIRE_FILES: those of TN_R_READ, TN_R_WRITE that `rights` has as well */
    bool directory;  /* WIRE_FILES: path is a folder */
    enum object_kind object; /* WIRE_OBJECT */
    bool circle;             /* declared: may close a circle of calls */
};

struct resources {
    uint64_t memory_bytes;
    uint64_t fuel_per_call; /* 0: not limited (kernel domain) */
    uint32_t mailbox;
    uint64_t deadline_ns; /* 0: none */
    uint64_t stack_bytes; /* wasm: of frames */
    uint32_t concurrency; /* turns at a time, 1 to TN_TURNS_MAX */
};

struct component_spec {
    struct str name;    /* in the system; the package's own name is manifest_name */
    struct str package; /* folder, as the system.toml names it */
    struct str manifest_name, description;
    struct version version;
    enum component_kind kind;
    uint32_t ring;
    bool blocking; /* it has a machine thread of its own */
    bool compute;  /* it runs in the compute pool */
    enum component_domain domain;
    bool trusted; /* listed in [trust] */
    struct provide provides[SYSTEM_PROVIDES_MAX];
    uint32_t nprovides;
    struct need_spec needs[SYSTEM_NEEDS_MAX];
    uint32_t nneeds;
    struct resources resources;        /* the lesser of manifest and limits */
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
    uint32_t cpus;                  /* 0: all */
    uint32_t compute;               /* threads of the compute pool; 0: not said */
    bool driver_blocks[WIRE_KINDS]; /* the driver for these wires has a thread of its own */
    struct component_spec *components;
    uint32_t ncomponents;
    uint32_t *order; /* indices, providers before those that need them */
    struct job_spec job;
};

struct fault {
    struct str file;
    uint32_t line, column; /* 0: the file as a whole */
    char text[240];        /* "unknown key 'memmory' in [resources]: did you mean 'memory'?" */
};

/* In order of file (the system.toml, then the manifests in order of [components]), line, column. */
struct faults {
    struct fault at[SYSTEM_FAULTS_MAX];
    uint32_t n;     /* kept: the first ones */
    uint32_t total; /* found */
};

/* Reads a file of the composition whole. The text is not looked at after system_parse returns.
 * `path` is relative to the system.toml's folder, unless it begins with '/'. TN_ENOTFOUND, TN_EIO,
 * TN_ETOOBIG, TN_ENOMEM and any other error become a fault where the package is named. */
typedef tn_err (*system_read)(void *ctx, struct str path, struct str *ret_text);
/* TN_OK: there is a file at `path`. TN_ENOTFOUND, TN_EIO and any other error become a fault. */
typedef tn_err (*system_probe)(void *ctx, struct str path);

/* A placement asked for by who runs the system, above all that the files say. A name that is no
 * component places nothing. */
struct system_place {
    struct str component;
    enum component_domain domain;
};

struct system_input {
    struct str file; /* name of the system.toml for messages */
    struct str text;
    system_read read;
    system_probe probe; /* is the code of each component there? NULL: not looked for */
    void *read_ctx;     /* of both */
    const struct system_place *places;
    uint32_t nplaces;
    const char *places_by;         /* how they were asked for, for messages: "--place" */
    uint64_t machine_memory_bytes; /* "memory" over it is a fault; 0: any goes */
    uint32_t machine_cpus;         /* likewise "cpus" */
    void *arena; /* everything that the spec and the faults point to is made here */
    uint64_t arena_bytes;
};

/* TN_OK with *ret_system and no faults; TN_EFORMAT with at least one fault; TN_ENOMEM: the arena is
 * too small, `faults` holds what was found until then. Never waits but where `read` does; needs
 * 16 KiB of stack. */
TN_MUST tn_err system_parse(const struct system_input *input, struct system_spec *ret_system,
                            struct faults *faults);

/* One manifest alone, for `tenon inspect component.toml`: its own name as name, what a system.toml
 * decides at its default. */
TN_MUST tn_err component_parse(struct str file, struct str text, void *arena, uint64_t arena_bytes,
                               struct component_spec *ret_component, struct faults *faults);

/* Machine threads that the system needs beside `cpus` ordinary ones: of the compute pool, at most
 * one for each component that is to run there; and one for each component and driver that blocks.
 */
struct system_threads {
    uint32_t compute, blocking;
};
struct system_threads system_threads(const struct system_spec *spec, uint32_t cpus);

/* Over all targets of a need that is wired to components. */
static inline uint32_t need_ntargets(const struct need_spec *need)
{
    return need->wire != WIRE_COMPONENT ? 0 : need->route == NULL ? 1 : need->route->ntargets;
}
static inline uint32_t need_target(const struct need_spec *need, uint32_t i)
{
    return need->route == NULL ? need->component : need->route->target[i].component;
}

/* "weights", "files": as the files say it. */
const char *channel_side_name(enum channel_side side);
const char *wire_rule_name(enum wire_rule rule);
const char *wire_driver_name(enum wire_kind kind);
/* "operator", "wasm": as the files say it. */
const char *component_kind_name(enum component_kind kind);
const char *component_domain_name(enum component_domain domain);
/* "memory", "space", "actor". */
const char *object_kind_name(enum object_kind kind);
/* What the driver behind a wire of this kind provides; not where there is no driver. */
const struct tn_interface *driver_interface(enum wire_kind kind);

#endif
