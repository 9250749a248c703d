/* fdt.c: reading a flattened device tree (fdt.h). Numbers in it are big-endian. */
#include "machine/bare/fdt.h"

#include "base/bits.h"
#include "base/bytes.h"

enum {
    TOKEN_BEGIN = 1,
    TOKEN_END = 2,
    TOKEN_PROPERTY = 3,
    TOKEN_NOTHING = 4,
    TOKEN_LAST = 9,
    VERSION = 17,
    PROPERTY_BYTES = 12, /* with its token */
    RESERVED_BYTES = 16,
    ADDRESS_CELLS = 2, /* where nothing is said */
    SIZE_CELLS = 1,
};
#define MAGIC UINT32_C(0xd00dfeed)

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return __builtin_bswap32(value);
}

static uint64_t get64(const uint8_t *at)
{
    return (uint64_t)get32(at) << 32 | get32(at + 4);
}

uint32_t fdt_bytes(const void *at)
{
    return get32(at) == MAGIC ? get32((const uint8_t *)at + 4) : 0;
}

/* Length of the text at `at` within `room` bytes; `room` when it has no end there. */
static uint32_t text_len(const uint8_t *at, uint32_t room)
{
    uint32_t len = 0;
    while (len < room && at[len] != '\0')
        len++;
    return len;
}

/* Where the next token is, behind the one at `at`; 0: what is there is broken. */
static uint32_t after(const struct fdt *fdt, uint32_t at)
{
    uint32_t left = fdt->structure_len - at, len;
    if (at % 4 != 0 || left < 4)
        return 0;
    switch (get32(fdt->structure + at)) {
    case TOKEN_BEGIN:
        len = text_len(fdt->structure + at + 4, left - 4);
        return len == left - 4 ? 0 : at + (uint32_t)align_up(4 + len + 1, 4);
    case TOKEN_END:
    case TOKEN_NOTHING:
    case TOKEN_LAST:
        return at + 4;
    case TOKEN_PROPERTY:
        if (left < PROPERTY_BYTES)
            return 0;
        len = get32(fdt->structure + at + 4);
        uint32_t name = get32(fdt->structure + at + 8);
        if (len > left - PROPERTY_BYTES || name >= fdt->strings_len ||
            text_len(fdt->strings + name, fdt->strings_len - name) == fdt->strings_len - name)
            return 0;
        return at + (uint32_t)align_up(PROPERTY_BYTES + (uint64_t)len, 4);
    default:
        return 0;
    }
}

/* NULL, or what is wrong: the nodes are nested, there is one root, and an end. */
static const char *check(const struct fdt *fdt)
{
    uint32_t depth = 0, roots = 0;
    for (uint32_t at = 0, next;; at = next) {
        next = at < fdt->structure_len ? after(fdt, at) : 0;
        if (next == 0)
            return "it is cut short, or a part of it is damaged";
        switch (get32(fdt->structure + at)) {
        case TOKEN_BEGIN:
            roots += depth == 0;
            if (++depth > FDT_DEPTH_MAX)
                return "it is nested too deep";
            break;
        case TOKEN_END:
            if (depth-- == 0)
                return "its nodes are not nested";
            break;
        case TOKEN_PROPERTY:
            if (depth == 0)
                return "a property is in no node";
            break;
        case TOKEN_LAST:
            return depth == 0 && roots == 1 ? NULL : "it ends within a node";
        default:
            break;
        }
    }
}

const char *fdt_open(struct fdt *ret, const void *at, size_t room)
{
    const uint8_t *tree = at;
    if (room < FDT_HEADER_BYTES || fdt_bytes(at) == 0)
        return "it does not begin as one";
    uint32_t bytes = get32(tree + 4), structure = get32(tree + 8), strings = get32(tree + 12);
    uint32_t reserved = get32(tree + 16), strings_len = get32(tree + 32),
             structure_len = get32(tree + 36);
    if (get32(tree + 20) < VERSION || get32(tree + 24) > VERSION)
        return "it is of a version that nobody knows";
    if (bytes > room || bytes > FDT_BYTES_MAX || !range_within(structure, structure_len, bytes) ||
        !range_within(strings, strings_len, bytes) || reserved > bytes || structure % 4 != 0 ||
        reserved % 8 != 0)
        return "its parts lie outside of it";
    *ret = (struct fdt){.structure = tree + structure,
                        .strings = tree + strings,
                        .reserved = tree + reserved,
                        .structure_len = structure_len,
                        .strings_len = strings_len,
                        .reserved_len = bytes - reserved};
    return check(ret);
}

bool fdt_reserved(const struct fdt *fdt, uint32_t i, uint64_t *ret_base, uint64_t *ret_bytes)
{
    if (i >= fdt->reserved_len / RESERVED_BYTES)
        return false;
    const uint8_t *at = fdt->reserved + (size_t)i * RESERVED_BYTES;
    *ret_base = get64(at);
    *ret_bytes = get64(at + 8);
    return *ret_base != 0 || *ret_bytes != 0;
}

static void enter(struct fdt_walk *walk, uint32_t at)
{
    walk->name = (const char *)walk->fdt->structure + at + 4;
    walk->at = after(walk->fdt, at);
    walk->depth++;
    uint32_t *address = &walk->cells[walk->depth].address, *size = &walk->cells[walk->depth].size;
    if (!fdt_u32(walk, "#address-cells", 0, address))
        *address = ADDRESS_CELLS;
    if (!fdt_u32(walk, "#size-cells", 0, size))
        *size = SIZE_CELLS;
}

bool fdt_next(struct fdt_walk *walk)
{
    for (uint32_t at = walk->at;; at = after(walk->fdt, at)) {
        switch (get32(walk->fdt->structure + at)) {
        case TOKEN_BEGIN:
            enter(walk, at);
            return true;
        case TOKEN_END:
            walk->depth--;
            break;
        case TOKEN_LAST:
            return false;
        default:
            break;
        }
    }
}

bool fdt_property(const struct fdt_walk *walk, const char *name, const void **ret_at,
                  uint32_t *ret_len)
{
    const struct fdt *fdt = walk->fdt;
    for (uint32_t at = walk->at;; at = after(fdt, at)) {
        const uint8_t *here = fdt->structure + at;
        uint32_t token = get32(here);
        if (token == TOKEN_NOTHING)
            continue;
        if (token != TOKEN_PROPERTY) /* they come before the children */
            return false;
        if (!str_eq(str_of((const char *)fdt->strings + get32(here + 8)), str_of(name)))
            continue;
        *ret_at = here + PROPERTY_BYTES;
        *ret_len = get32(here + 4);
        return true;
    }
}

bool fdt_says(const struct fdt_walk *walk, const char *name, const char *text)
{
    const void *at;
    uint32_t len, wanted = (uint32_t)str_length(text);
    if (!fdt_property(walk, name, &at, &len))
        return false;
    const uint8_t *texts = at;
    while (len > 0) {
        uint32_t here = text_len(texts, len);
        if (here == wanted && here < len && memcmp(texts, text, here) == 0)
            return true;
        uint32_t step = here < len ? here + 1 : len;
        texts += step;
        len -= step;
    }
    return false;
}

bool fdt_enabled(const struct fdt_walk *walk)
{
    const void *at;
    uint32_t len;
    return !fdt_property(walk, "status", &at, &len) || fdt_says(walk, "status", "okay") ||
           fdt_says(walk, "status", "ok");
}

bool fdt_u32(const struct fdt_walk *walk, const char *name, uint32_t i, uint32_t *ret)
{
    const void *at;
    uint32_t len;
    if (!fdt_property(walk, name, &at, &len) || i >= len / 4)
        return false;
    *ret = get32((const uint8_t *)at + (size_t)i * 4);
    return true;
}

static uint64_t get_cells(const uint8_t *at, uint32_t cells)
{
    return cells == 0 ? 0 : cells == 1 ? get32(at) : get64(at);
}

bool fdt_reg(const struct fdt_walk *walk, uint32_t i, uint64_t *ret_base, uint64_t *ret_bytes)
{
    const void *at;
    uint32_t len, address = walk->cells[walk->depth - 1].address,
                  size = walk->cells[walk->depth - 1].size;
    /* Of three cells, as PCI has them, nothing is asked. */
    if (walk->depth < 2 || address == 0 || address > 2 || size > 2 ||
        !fdt_property(walk, "reg", &at, &len))
        return false;
    uint32_t step = 4 * (address + size);
    if (i >= len / step)
        return false;
    const uint8_t *here = (const uint8_t *)at + (size_t)i * step;
    *ret_base = get_cells(here, address);
    *ret_bytes = get_cells(here + (size_t)4 * address, size);
    return true;
}
