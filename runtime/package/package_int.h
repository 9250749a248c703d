/* package_int.h: what the files of runtime/package share: a file while it is read, faults,
 * sections, amounts, versions, near names. */
#ifndef RUNTIME_PACKAGE_PACKAGE_INT_H
#define RUNTIME_PACKAGE_PACKAGE_INT_H

#include "base/fmt.h"
#include "base/near.h"
#include "runtime/package/system.h"

/* All that one system_parse or component_parse carries along. */
struct reading {
    struct toml_arena arena;
    bool full; /* the arena is used up: whatever else is found does not matter */
    struct faults *faults;
    uint32_t rank[SYSTEM_FAULTS_MAX]; /* of the file of each fault that is kept */
};

/* A file whose faults are looked for. */
struct doc {
    struct reading *reading;
    struct str name; /* for messages */
    uint32_t rank;   /* files in the order of their faults */
};

/* A table of a file, while its keys are read. */
struct section {
    struct doc *doc;
    const struct toml_table *table;
    struct toml_pos at;
    char label[3 * TN_NAME_MAX]; /* "[components.detector.limits]" */
};

/* arena.c */

/* Zeroed, aligned to 16; NULL with reading->full when the arena is used up. */
void *arena_get(struct reading *reading, uint64_t bytes);
/* folder/file, or `file` alone where the folder is empty; empty with reading->full. */
struct str path_join(struct reading *reading, struct str folder, struct str file);

/* fault.c */

/* Text as a message shows it: in quotes, cut to 40 characters, nothing invisible. */
struct quoted {
    char text[256];
};
struct quoted quote(struct str s);
/* The same without quotes, cut to TN_NAME_MAX characters. */
struct quoted plain(struct str s);

/* A fault's text while it is made; what does not fit ends in "...". */
struct message {
    char text[sizeof(((struct fault *)0)->text)];
    size_t len;
};
void message_add(struct message *m, const char *format, ...) FMT_LIKE(2, 3);

void fault(struct doc *doc, struct toml_pos at, const char *format, ...) FMT_LIKE(3, 4);
/* The document as a tree. NULL: its errors are faults now, or the arena is full. */
const struct toml_table *doc_parse(struct doc *doc, struct str text);

/* near.c */

/* Adds ": did you mean 'memory'?", or ": expected memory, stack or mailbox" of the n names. */
void near_add(struct message *m, struct str wanted, const char *const *names, size_t n);
/* Adds the i-th of n names: "a", ", b", " or c"; of more than LIST_MAX the rest as ", ...". */
enum { LIST_MAX = 10 };
void list_add(struct message *m, size_t i, size_t n, struct str name);

/* section.c */

void section_init(struct section *s, struct doc *doc, const struct toml_table *table,
                  struct toml_pos at, const char *format, ...) FMT_LIKE(5, 6);
/* A fault for each key that is not among the n names. */
void section_check(const struct section *s, const char *const *names, size_t n);
/* The value of that type; NULL where there is none, or one of another type, which is a fault. For
 * section_need it is a fault as well that there is none; it ends with `such_as`: what to write. */
const struct toml_node *section_get(const struct section *s, const char *key, enum toml_type type);
const struct toml_node *section_need(const struct section *s, const char *key, enum toml_type type,
                                     const char *such_as);
/* A table under `key`, with the label [key] or [outer.key]; false: there is none, or a fault. */
bool section_table(const struct section *s, const char *key, struct section *ret);
/* Each leaves *ret as it is when the key is missing or its value a fault. */
void section_uint(const struct section *s, const char *key, uint64_t least, uint64_t most,
                  uint64_t *ret);
void section_uint32(const struct section *s, const char *key, uint32_t least, uint32_t most,
                    uint32_t *ret);
void section_bool(const struct section *s, const char *key, bool *ret);
void section_size(const struct section *s, const char *key, uint64_t *ret_bytes);
void section_time(const struct section *s, const char *key, uint64_t *ret_ns);
/* Index of the string among the n names. */
void section_choice(const struct section *s, const char *key, const char *const *names, size_t n,
                    uint32_t *ret);
/* A list of rights as TN_R_ bits, out of those in `among`. */
void section_rights(const struct section *s, const char *key, uint32_t among, uint32_t *ret);
/* [resources] or limits: the lesser of what is there and what *resources says; 0 in fuel and
 * deadline is more than anything. With `lower` false, what is there replaces it. */
void section_resources(const struct section *s, bool lower, struct resources *resources);
/* Lower case letters, digits, '-' and '_', 1 to TN_NAME_MAX of them; else a fault that calls it
 * `what`: "a component's name". */
bool name_check(struct doc *doc, struct toml_pos at, const char *what, struct str name);
/* Nothing but visible characters, 1 to SYSTEM_PATH_MAX bytes; else a fault. */
bool path_check(struct doc *doc, struct toml_pos at, const char *what, struct str path);
/* TN_R_ bits as `"call", "read"`. */
void rights_add(struct message *m, uint32_t rights);

/* units.c */

enum amount_error {
    AMOUNT_OK,
    AMOUNT_FORM,
    AMOUNT_NEGATIVE,
    AMOUNT_FRACTION,
    AMOUNT_UNIT, /* the unit is missing or unknown */
    AMOUNT_RANGE,
};

enum { UNITS_MAX = 6 };
struct units {
    const char *what; /* "a size" */
    const char *such_as;
    const char *last;
    const char *name[UNITS_MAX];
    uint64_t factor[UNITS_MAX];
    uint32_t n;
    uint32_t bits; /* a value is below 2^bits */
};
extern const struct units size_units, time_units;

/* "4 MiB": digits, at most one space, a unit. *ret_unit: the unit as found, where it is unknown. */
enum amount_error amount_parse(const struct units *units, struct str text, uint64_t *ret,
                               struct str *ret_unit);
/* "64 MiB", "1000 B": the largest unit that is exact. */
struct amount {
    char text[32];
};
struct amount size_text(uint64_t bytes);

/* semver.c */

/* Semantic Versioning 2.0.0, numbers up to 2^32 - 1. `pre` and `text` point into the text. */
bool version_parse(struct str text, struct version *ret);
/* < 0, 0, > 0 in order of precedence (section 11). */
int32_t version_compare(const struct version *a, const struct version *b);
/* Ranges joined by commas or blanks, all of which must hold: ^1.2 ~1.2.3 =1.2.3 >=1.2 >1 <2 <=2.1.
 * Minor and patch may be left out. As in Cargo, a pre-release is only met where a range names a
 * pre-release of the same three numbers. false: the text is not such a requirement. */
bool version_meets(const struct version *version, struct str requirement, bool *ret_meets);

/* component.c */

/* A folder with a component.toml, read once however many components are made of it. */
struct package {
    struct package *next;
    struct str folder;
    struct component_spec spec;
    tn_err error;  /* why the file could not be read */
    bool known;    /* spec holds what it says */
    bool complete; /* and all that it provides and needs, be it with faults */
    bool sound;    /* without any fault */
};
extern const char *const domain_names[3];

/* Fills package->spec from a manifest; package->folder says where its code is. */
void manifest_parse(struct doc *doc, struct str text, struct package *package);

/* system.c */

/* A component while the system.toml is read: what its spec does not keep. */
struct instance {
    const struct toml_node *node;
    bool known, complete, sound; /* its manifest: see struct package */
    bool placed;                 /* domain, [place] or who runs the system said where */
    bool asked_for;              /* the last of these: no line of a file says it */
    struct toml_pos package_at;
    struct toml_pos placed_at;
    struct toml_pos wire_at[SYSTEM_NEEDS_MAX];
};

struct system {
    struct doc doc;
    const struct system_input *input;
    const struct toml_table *root;
    struct system_spec spec;
    struct instance *instances; /* one a component */
    struct package *packages;
    uint32_t ranks; /* of files, given out */
};

/* Index of a component, need or provide; UINT32_MAX: there is none. */
uint32_t system_find(const struct system *system, struct str name);
uint32_t need_find(const struct component_spec *component, struct str name);
uint32_t provide_find(const struct component_spec *component, struct str name);
/* A component of that name; if there is none, a fault that says so, and UINT32_MAX. */
uint32_t system_expect(struct system *system, struct toml_pos at, struct str name);
/* "component.provided" of this system; false and a fault where it is not. */
bool target_parse(struct system *system, struct toml_pos at, const char *what, struct str text,
                  uint32_t *ret_component, uint32_t *ret_provide);

/* place.c: [place], [trust], and what the architecture decides */
void trust_parse(struct system *system);
void place_parse(struct system *system);

/* wires.c, drivers.c: [wires] */
void wires_parse(struct system *system);
void driver_wire(struct system *system, const struct section *wire, struct need_spec *need);

/* drivers.c: [drivers] */
void drivers_parse(struct system *system);

/* wires.c: a provider that the wire may lead to; false and a fault where it may not. `need` may be
 * NULL: then only the provider is looked at. */
bool provider_parse(struct system *system, const struct section *wire, struct toml_pos at,
                    struct str target, const struct need_spec *need, uint32_t *ret_component,
                    uint32_t *ret_provide);
/* "component.need" or "component.provided": its two names; false where it is not of that form. */
bool dotted(struct str text, struct str *ret_component, struct str *ret_name);
/* The component has no such need. */
void unknown_need(struct system *system, struct toml_pos at, uint32_t component, struct str name);

/* routes.c: { to = [...], route = ... }; `to` is the list. */
void route_wire(struct system *system, const struct section *wire, const struct toml_node *to,
                struct need_spec *need);
/* channels.c: { channel = "component.need", capacity = ... } of the component's need; NULL: it is
 * not known. */
void channel_wire(struct system *system, const struct section *wire, uint32_t component,
                  struct need_spec *need);
/* What else is wired to an end of a channel, or where one is asked for. */
bool channel_fits(const struct section *wire, const struct toml_node *node,
                  const struct need_spec *need);
/* An end that no line names. */
void channel_unwired(struct system *system, uint32_t component, const struct need_spec *need);
extern const char *const channel_names[2]; /* of enum channel_side, from CHANNEL_PRODUCER */

/* objects.c: wires to kernel objects; whose they are, once all wires are read */
void object_wire(struct system *system, const struct section *wire, struct need_spec *need);
void objects_check(struct system *system);

/* order.c: circles of calls; the order of start */
void order_make(struct system *system);

#endif
