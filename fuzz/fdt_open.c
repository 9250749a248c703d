/* fdt_open.c: any bytes as a device tree, in memory of their exact size: the tree is refused, or
 * can be walked to its end with all that is asked of a board. */
#include <stdlib.h>
#include <string.h>

#include "machine/bare/fdt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void ask(const struct fdt_walk *walk, size_t size)
{
    uint64_t base, bytes;
    uint32_t number, n = 0;
    must(walk->depth >= 1 && walk->depth <= FDT_DEPTH_MAX);
    for (uint32_t i = 0; fdt_reg(walk, i, &base, &bytes); i++)
        must(n++ < size);
    for (uint32_t i = 0; fdt_u32(walk, "interrupts", i, &number); i++)
        must(n++ < 2 * size);
    (void)fdt_enabled(walk);
    (void)fdt_says(walk, "compatible", "arm,pl011");
    must(strlen(walk->name) < size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fdt fdt;
    uint64_t base, bytes;
    uint32_t nodes = 0;
    uint8_t *tree = malloc(size > 0 ? size : 1);
    must(tree != NULL);
    memcpy(tree, data, size);
    if (fdt_open(&fdt, tree, size) == NULL) {
        for (uint32_t i = 0; fdt_reserved(&fdt, i, &base, &bytes); i++)
            must(i < size);
        for (struct fdt_walk walk = {.fdt = &fdt}; fdt_next(&walk); ask(&walk, size))
            must(nodes++ < size);
    }
    free(tree);
    return 0;
}
