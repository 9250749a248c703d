/* interface.h: interfaces as data: what the runtime checks messages against, and what the command
 * line, HTTP and MCP need to turn JSON into arguments and back.
 *
 * tools/idl makes the tables from interfaces/ at build time; they are constant and shared by all
 * threads. A layout's fields are in order of their offsets, an interface's methods in order of
 * their ordinals, the interfaces in order of their ids. */
#ifndef TENON_INTERFACE_H
#define TENON_INTERFACE_H

#include <stdbool.h>
#include <stdint.h>
#include <tenon/component.h>

enum tn_field_type {
    TN_FIELD_U8,
    TN_FIELD_U16,
    TN_FIELD_U32,
    TN_FIELD_U64,
    TN_FIELD_I32,
    TN_FIELD_I64,
    TN_FIELD_F64,
    TN_FIELD_BOOL,  /* u8, 0 or 1 */
    TN_FIELD_CAP,   /* u8: position in the pack's caps counted from 1, 0 for none */
    TN_FIELD_TEXT,  /* UTF-8 */
    TN_FIELD_BYTES, /* in JSON: base64 */
};

struct tn_field {
    const char *name, *doc;
    uint8_t type; /* enum tn_field_type */
    bool list;    /* of such items: numbers, or texts in the form of struct tn_texts */
    bool move;    /* a capability that its sender gives away */
    uint16_t off; /* in the fixed part */
    uint32_t max; /* variable fields: most bytes of a text or bytes, most items of a list */
};

struct tn_layout {
    const struct tn_field *fields;
    uint16_t nfields;
    uint16_t fixed_len;
    uint32_t first_var; /* offset of the first variable field, or TN_WIRE_NO_VAR */
};

struct tn_method {
    const char *name, *doc;
    uint16_t ordinal;
    uint16_t rights; /* TN_R_ bits that the capability must carry besides TN_R_CALL */
    bool oneway;     /* sent with tn_send; `returns` is empty */
    struct tn_layout args, returns;
};

struct tn_named_number { /* a positive error, or a constant of the interface */
    const char *name, *doc;
    int64_t number;
};

struct tn_interface {
    const char *name, *doc, *version;
    uint16_t id;
    uint16_t nmethods, nerrors, nconstants;
    const struct tn_method *methods;
    const struct tn_named_number *errors;
    const struct tn_named_number *constants;
};

extern const struct tn_interface tn_interfaces[];
extern const uint32_t tn_interfaces_count;

/* Look-ups: NULL when there is none; the result is constant and lasts as long as the program. Names
 * are compared whole and need no zero byte behind them. None waits or allocates. */
const struct tn_interface *tn_interface_by_id(uint32_t id);
const struct tn_interface *tn_interface_by_name(const char *name, uint32_t len);
const struct tn_method *tn_method_by_ordinal(const struct tn_interface *interface,
                                             uint32_t ordinal);
const struct tn_method *tn_method_by_name(const struct tn_interface *interface, const char *name,
                                          uint32_t len);
/* By the number that a turn carries: interface:16 | ordinal:16. */
const struct tn_method *tn_method_by_number(uint32_t method);

/* Do `len` bytes at `at`, which come with `ncaps` capabilities, have the form of `layout`? Bounds,
 * order and alignment of variable fields, their maxima, UTF-8, bool 0 or 1, capability positions,
 * padding zero. Run it on a copy that nobody else can change. `at` may have any alignment, and be
 * NULL when len is 0. Time is linear in `len`. TN_OK; TN_ETOOBIG above TN_ARGS_MAX; else
 * TN_EARGS. */
TN_MUST tn_err tn_layout_check(const struct tn_layout *layout, const void *at, uint32_t len,
                               uint32_t ncaps);

/* What a call passes to its callee, and what the callee answers with success. A reply that carries
 * an error has no bytes to check. */
static inline TN_MUST tn_err tn_check_args(const struct tn_method *method, const void *at,
                                           uint32_t len, uint32_t ncaps)
{
    return tn_layout_check(&method->args, at, len, ncaps);
}

static inline TN_MUST tn_err tn_check_reply(const struct tn_method *method, const void *at,
                                            uint32_t len, uint32_t ncaps)
{
    return tn_layout_check(&method->returns, at, len, ncaps);
}

#endif
