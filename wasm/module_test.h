/* module_test.h: for the tests of the engine: writes modules byte by byte, and an allocator that
 * counts what is held and fails the Nth allocation. */
#ifndef WASM_MODULE_TEST_H
#define WASM_MODULE_TEST_H

#include <stdlib.h>
#include <string.h>

#include "wasm/wasm.h"

struct test_module {
    uint8_t *at;
    size_t len, cap;
    size_t section, body; /* where the open one begins */
};

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static inline void mod_put(struct test_module *m, const uint8_t *bytes, size_t len)
{
    if (m->len + len > m->cap) {
        m->cap = 2 * (m->len + len) + 256;
        m->at = realloc(m->at, m->cap);
    }
    memcpy(m->at + m->len, bytes, len);
    m->len += len;
}

/* A number of five bytes, so that it can be written later. */
static inline void mod_patch_u32(struct test_module *m, size_t at, size_t value)
{
    for (int i = 0; i < 5; i++)
        m->at[at + (size_t)i] = (uint8_t)((value >> 7 * i & 0x7f) | (i < 4 ? 0x80 : 0));
}

static inline void mod_u32(struct test_module *m, size_t value)
{
    mod_put(m, BYTES(0, 0, 0, 0, 0));
    mod_patch_u32(m, m->len - 5, value);
}

static inline void mod_begin(struct test_module *m)
{
    *m = (struct test_module){0};
    mod_put(m, BYTES(0, 'a', 's', 'm', 1, 0, 0, 0));
}

static inline void mod_open(struct test_module *m, uint8_t id)
{
    mod_put(m, &id, 1);
    mod_u32(m, 0);
    m->section = m->len;
}

static inline void mod_close(struct test_module *m)
{
    mod_patch_u32(m, m->section - 5, m->len - m->section);
}

static inline void mod_section(struct test_module *m, uint8_t id, const uint8_t *bytes, size_t len)
{
    mod_open(m, id);
    mod_put(m, bytes, len);
    mod_close(m);
}

static inline void mod_open_body(struct test_module *m)
{
    mod_u32(m, 0);
    m->body = m->len;
}

static inline void mod_close_body(struct test_module *m)
{
    mod_patch_u32(m, m->body - 5, m->len - m->body);
}

/* Within an open code section: one function, its locals first. */
static inline void mod_body(struct test_module *m, const uint8_t *bytes, size_t len)
{
    mod_open_body(m);
    mod_put(m, bytes, len);
    mod_close_body(m);
}

struct test_alloc {
    size_t held, calls;
    size_t fail_at; /* this call fails, and all after it; 0: none */
    struct wasm_alloc alloc;
};

static inline void *test_alloc_take(void *ctx, size_t bytes)
{
    struct test_alloc *a = ctx;
    if (++a->calls >= a->fail_at && a->fail_at != 0)
        return NULL;
    void *at = NULL;
    size_t align = bytes >= 4096 ? 4096 : 16;
    if (posix_memalign(&at, align, bytes) != 0)
        return NULL;
    memset(at, 0, bytes);
    a->held += bytes;
    return at;
}

static inline void test_alloc_give(void *ctx, void *at, size_t bytes)
{
    struct test_alloc *a = ctx;
    a->held -= bytes;
    free(at);
}

static inline void test_alloc_init(struct test_alloc *a)
{
    *a = (struct test_alloc){.alloc = {test_alloc_take, test_alloc_give, a}};
}

#endif
