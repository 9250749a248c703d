/* fdt_test.c: a device tree that is built here, read; then cut at every length and damaged at every
 * byte, it is refused or can be walked to its end, never read outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine/bare/fdt.h"

enum { ROOM = 2048, NODES_MAX = 1000 };

/* Writes a tree: the header, one reserved range, the structure, the strings. */
struct writer {
    uint8_t tree[ROOM];
    uint32_t len;
    char strings[256];
    uint32_t strings_len;
};

static void put32(struct writer *w, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(w->tree + w->len, &value, 4);
    w->len += 4;
}

static void put_text(struct writer *w, const char *text, size_t len)
{
    memcpy(w->tree + w->len, text, len);
    w->len = (w->len + (uint32_t)len + 3) & ~3u;
}

static void begin(struct writer *w, const char *name)
{
    put32(w, 1);
    put_text(w, name, strlen(name) + 1);
}

static void property(struct writer *w, const char *name, const void *value, uint32_t len)
{
    put32(w, 3);
    put32(w, len);
    put32(w, w->strings_len);
    memcpy(w->strings + w->strings_len, name, strlen(name) + 1);
    w->strings_len += (uint32_t)strlen(name) + 1;
    put_text(w, value, len);
}

static void property_u32s(struct writer *w, const char *name, const uint32_t *values, uint32_t n)
{
    uint32_t swapped[8];
    for (uint32_t i = 0; i < n; i++)
        swapped[i] = __builtin_bswap32(values[i]);
    property(w, name, swapped, n * 4);
}

static void build(struct writer *w)
{
    *w = (struct writer){.len = FDT_HEADER_BYTES};
    for (uint32_t i = 0; i < 8; i++)
        put32(w, (const uint32_t[]){0, 0x1000, 0, 0x2000, 0, 0, 0, 0}[i]);
    uint32_t structure = w->len;
    begin(w, "");
    property_u32s(w, "#address-cells", (const uint32_t[]){2}, 1);
    property_u32s(w, "#size-cells", (const uint32_t[]){2}, 1);
    begin(w, "memory@40000000");
    put32(w, 4);
    property(w, "device_type", "memory", 7);
    property_u32s(w, "reg", (const uint32_t[]){0, 0x40000000, 1, 0x8000000}, 4);
    put32(w, 2);
    begin(w, "cpus");
    property_u32s(w, "#address-cells", (const uint32_t[]){1}, 1);
    property_u32s(w, "#size-cells", (const uint32_t[]){0}, 1);
    begin(w, "cpu@7");
    property(w, "compatible", "arm,one\0arm,two", 16);
    property_u32s(w, "reg", (const uint32_t[]){7}, 1);
    property(w, "status", "disabled", 9);
    put32(w, 2);
    put32(w, 2);
    put32(w, 2);
    put32(w, 9);
    uint32_t strings = w->len;
    put_text(w, w->strings, w->strings_len);
    uint32_t end = w->len;
    w->len = 0;
    const uint32_t header[] = {0xd00dfeed, end, structure, strings,        FDT_HEADER_BYTES,
                               17,         16,  0,         w->strings_len, strings - structure};
    for (uint32_t i = 0; i < 10; i++)
        put32(w, header[i]);
    w->len = end;
}

static void test_a_tree_is_read(void **state)
{
    (void)state;
    struct writer w;
    struct fdt fdt;
    uint64_t base, bytes;
    uint32_t value;
    build(&w);
    assert_int_equal(fdt_bytes(w.tree), w.len);
    assert_null(fdt_open(&fdt, w.tree, w.len));
    assert_true(fdt_reserved(&fdt, 0, &base, &bytes) && base == 0x1000 && bytes == 0x2000);
    assert_false(fdt_reserved(&fdt, 1, &base, &bytes));
    struct fdt_walk walk = {.fdt = &fdt};
    assert_true(fdt_next(&walk) && walk.depth == 1 && walk.name[0] == '\0');
    assert_false(fdt_reg(&walk, 0, &base, &bytes));
    assert_true(fdt_next(&walk) && walk.depth == 2);
    assert_string_equal(walk.name, "memory@40000000");
    assert_true(fdt_says(&walk, "device_type", "memory") && fdt_enabled(&walk));
    assert_false(fdt_says(&walk, "device_type", "mem") || fdt_says(&walk, "type", "memory"));
    assert_true(fdt_reg(&walk, 0, &base, &bytes));
    assert_true(base == 0x40000000 && bytes == UINT64_C(0x108000000));
    assert_false(fdt_reg(&walk, 1, &base, &bytes));
    assert_true(fdt_next(&walk) && fdt_next(&walk) && walk.depth == 3);
    assert_true(fdt_reg(&walk, 0, &base, &bytes) && base == 7 && bytes == 0);
    assert_true(fdt_says(&walk, "compatible", "arm,one") &&
                fdt_says(&walk, "compatible", "arm,two"));
    assert_false(fdt_enabled(&walk));
    assert_true(fdt_u32(&walk, "reg", 0, &value) && value == 7);
    assert_false(fdt_u32(&walk, "reg", 1, &value));
    assert_false(fdt_next(&walk));
}

/* On a copy that ends where the memory does, so that a sanitizer sees one byte too far. */
static void walk_copy(const uint8_t *tree, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    struct fdt fdt;
    uint64_t base, bytes;
    uint32_t nodes = 0;
    assert_non_null(copy);
    memcpy(copy, tree, len);
    if (fdt_open(&fdt, copy, len) == NULL) {
        for (uint32_t i = 0; fdt_reserved(&fdt, i, &base, &bytes); i++)
            assert_true(i < len);
        for (struct fdt_walk walk = {.fdt = &fdt}; fdt_next(&walk); nodes++) {
            assert_true(nodes < NODES_MAX && walk.depth <= FDT_DEPTH_MAX);
            for (uint32_t i = 0; fdt_reg(&walk, i, &base, &bytes); i++)
                assert_true(i < len);
            (void)fdt_says(&walk, "compatible", "arm,two");
            (void)fdt_enabled(&walk);
        }
    }
    free(copy);
}

static void test_a_tree_that_is_cut(void **state)
{
    (void)state;
    struct writer w;
    struct fdt fdt;
    build(&w);
    for (uint32_t len = 0; len < w.len; len++) {
        assert_non_null(fdt_open(&fdt, w.tree, len));
        walk_copy(w.tree, len);
    }
}

static void test_a_tree_with_any_byte_changed(void **state)
{
    (void)state;
    static const uint8_t values[] = {0, 1, 2, 3, 4, 9, 0x7f, 0x80, 0xff};
    struct writer w;
    build(&w);
    for (uint32_t at = 0; at < w.len; at++) {
        uint8_t before = w.tree[at];
        for (size_t i = 0; i < sizeof(values); i++) {
            w.tree[at] = values[i];
            walk_copy(w.tree, w.len);
        }
        w.tree[at] = before;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tree_is_read),
        cmocka_unit_test(test_a_tree_that_is_cut),
        cmocka_unit_test(test_a_tree_with_any_byte_changed),
    };
    return cmocka_run_group_tests_name("device tree", tests, NULL, NULL);
}
