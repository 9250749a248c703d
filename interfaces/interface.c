/* interface.c: looking up interfaces and checking messages against their layouts.
 *
 * The checker is the wall between a message from another domain and the code that decodes it, so
 * it trusts nothing but the layout. It accepts exactly what docs/interfaces.md calls well-formed:
 *   1. The sender's fixed part ends at the first variable field's offset, or with the message.
 *   2. A field that lies wholly before that end is there; its padding before it is zero. A field
 *      that reaches over it is missing, and so are all after it; bytes of it that are there anyway
 *      are the sender's padding and must be zero.
 *   3. Variable fields lie in the tail, in order, aligned to their items, with less than one item
 *      of padding between two, which is zero.
 *   4. What comes after the last known field of either part belongs to fields that were appended
 *      later, and is not looked at.
 * Whatever passes, the generated decoders accept. */
#include <tenon/interface.h>
#include <tenon/wire.h>

#include "base/bytes.h"
#include "base/utf8.h"

static bool name_is(const char *name, const char *at, uint32_t len)
{
    return str_eq(str_of(name), (struct str){at, len});
}

const struct tn_interface *tn_interface_by_id(uint32_t id)
{
    uint32_t low = 0, high = tn_interfaces_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (tn_interfaces[middle].id == id)
            return &tn_interfaces[middle];
        if (tn_interfaces[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct tn_interface *tn_interface_by_name(const char *name, uint32_t len)
{
    for (uint32_t i = 0; i < tn_interfaces_count; i++)
        if (name_is(tn_interfaces[i].name, name, len))
            return &tn_interfaces[i];
    return NULL;
}

const struct tn_method *tn_method_by_ordinal(const struct tn_interface *interface, uint32_t ordinal)
{
    uint32_t low = 0, high = interface->nmethods;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (interface->methods[middle].ordinal == ordinal)
            return &interface->methods[middle];
        if (interface->methods[middle].ordinal < ordinal)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct tn_method *tn_method_by_name(const struct tn_interface *interface, const char *name,
                                          uint32_t len)
{
    for (uint32_t i = 0; i < interface->nmethods; i++)
        if (name_is(interface->methods[i].name, name, len))
            return &interface->methods[i];
    return NULL;
}

const struct tn_method *tn_method_by_number(uint32_t method)
{
    const struct tn_interface *interface = tn_interface_by_id(method >> 16);
    return interface == NULL ? NULL : tn_method_by_ordinal(interface, method & 0xffff);
}

static bool is_variable(const struct tn_field *f)
{
    return f->list || f->type == TN_FIELD_TEXT || f->type == TN_FIELD_BYTES;
}

/* Bytes of one item: of the field itself, or of what a list or text is made of in the tail. */
static uint32_t item_bytes(const struct tn_field *f)
{
    switch (f->type) {
    case TN_FIELD_U16:
        return 2;
    case TN_FIELD_U32:
    case TN_FIELD_I32:
        return 4;
    case TN_FIELD_U64:
    case TN_FIELD_I64:
    case TN_FIELD_F64:
        return 8;
    case TN_FIELD_TEXT:
        return f->list ? 4 : 1;
    default:
        return 1;
    }
}

static bool all_zero(const uint8_t *at, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (at[i] != 0)
            return false;
    return true;
}

/* The texts of a list fill `len` bytes exactly, and are at most `max`. */
static bool texts_valid(const uint8_t *at, uint32_t len, uint32_t max)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < len; count++) {
        if (len - i < 4 || count == max)
            return false;
        uint32_t bytes = tn_wire_load32(at + i);
        i += 4;
        if (bytes > len - i || !utf8_valid(at + i, bytes))
            return false;
        i += bytes;
        uint32_t pad = -i & 3u; /* the list itself begins at a multiple of 4 */
        if (pad > len - i || !all_zero(at + i, pad))
            return false;
        i += pad;
    }
    return true;
}

/* One variable field, described at `slot`. *tail is where the tail before it ended; moved on. */
static bool variable_valid(const struct tn_field *f, const uint8_t *at, uint32_t len,
                           const uint8_t *slot, uint32_t *tail)
{
    uint32_t start = tn_wire_load32(slot), bytes = tn_wire_load32(slot + 4);
    uint32_t item = item_bytes(f);
    if (start < *tail || start - *tail >= 8 || start > len || bytes > len - start)
        return false;
    if (start % item != 0 || bytes % item != 0 || start - *tail >= item)
        return false;
    if (!all_zero(at + *tail, start - *tail))
        return false;
    *tail = start + bytes;
    if (f->type != TN_FIELD_TEXT)
        return bytes / item <= f->max;
    if (f->list)
        return texts_valid(at + start, bytes, f->max);
    return bytes <= f->max && utf8_valid(at + start, bytes);
}

static bool scalar_valid(const struct tn_field *f, uint8_t first, uint32_t ncaps)
{
    if (f->type == TN_FIELD_BOOL)
        return first <= 1;
    if (f->type == TN_FIELD_CAP)
        return first <= ncaps && first <= TN_PACK_CAPS;
    return true;
}

tn_err tn_layout_check(const struct tn_layout *layout, const void *data, uint32_t len,
                       uint32_t ncaps)
{
    if (len > TN_ARGS_MAX)
        return TN_ETOOBIG;
    const uint8_t *at = data;
    uint32_t fixed = len;
    if (layout->first_var != TN_WIRE_NO_VAR && len >= 8 && layout->first_var <= len - 8) {
        fixed = tn_wire_load32(at + layout->first_var);
        if (fixed < layout->first_var + 8 || fixed > len)
            return TN_EARGS;
    }
    uint32_t tail = fixed, end = 0;
    for (uint32_t i = 0; i < layout->nfields; i++) {
        const struct tn_field *f = &layout->fields[i];
        uint32_t size = is_variable(f) ? 8 : item_bytes(f);
        if (f->off + size > fixed)
            return end >= fixed || all_zero(at + end, fixed - end) ? TN_OK : TN_EARGS;
        if (!all_zero(at + end, f->off - end))
            return TN_EARGS;
        if (is_variable(f) ? !variable_valid(f, at, len, at + f->off, &tail)
                           : !scalar_valid(f, at[f->off], ncaps))
            return TN_EARGS;
        end = f->off + size;
    }
    return TN_OK;
}
