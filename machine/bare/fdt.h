/* fdt.h: reading a flattened device tree (Devicetree Specification 0.4, chapter 5).
 *
 * fdt_open checks the whole of it, so that walking it later stays inside. Knows nothing of the
 * machine it runs on. */
#ifndef MACHINE_BARE_FDT_H
#define MACHINE_BARE_FDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FDT_DEPTH_MAX = 16, FDT_HEADER_BYTES = 40, FDT_BYTES_MAX = 2 << 20 };

struct fdt {
    const uint8_t *structure, *strings, *reserved;
    uint32_t structure_len, strings_len, reserved_len;
};

/* NULL, or what is wrong with the tree in the `room` bytes at `at`. */
const char *fdt_open(struct fdt *ret, const void *at, size_t room);
/* Bytes of the tree that begins with these FDT_HEADER_BYTES; 0: none begins there. */
uint32_t fdt_bytes(const void *at);

/* The i-th range of memory that is not to be used. */
bool fdt_reserved(const struct fdt *fdt, uint32_t i, uint64_t *ret_base, uint64_t *ret_bytes);

/* A way through all nodes, parents first. */
struct fdt_walk {
    const struct fdt *fdt;
    uint32_t at;      /* of the node's first property; before the first node: 0 */
    uint32_t depth;   /* of the root: 1 */
    const char *name; /* "cpu@0"; of the root "" */
    struct {
        uint32_t address, size; /* 32-bit cells of its children's addresses and sizes */
    } cells[FDT_DEPTH_MAX + 1];
};
/* Goes to the next node, the first time to the root; false at the end. */
bool fdt_next(struct fdt_walk *walk);

/* The node's property; false when it has none of that name. */
bool fdt_property(const struct fdt_walk *walk, const char *name, const void **ret_at,
                  uint32_t *ret_len);
/* Whether the property is a list of texts, of which this is one. */
bool fdt_says(const struct fdt_walk *walk, const char *name, const char *text);
/* Whether the node is to be used: it has no status, or "okay". */
bool fdt_enabled(const struct fdt_walk *walk);
/* The i-th number of the property, of 32 bits. */
bool fdt_u32(const struct fdt_walk *walk, const char *name, uint32_t i, uint32_t *ret);
/* The i-th address and size of the node's `reg`. */
bool fdt_reg(const struct fdt_walk *walk, uint32_t i, uint64_t *ret_base, uint64_t *ret_bytes);

#endif
