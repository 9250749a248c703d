/* load_test.c: what wasm_load refuses, where, and with which words; its limits; failing memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "wasm/module_test.h"
#include "wasm/wasm_int.h"

/* Loads and frees; returns the error. */
static tn_err load(const uint8_t *bytes, size_t len, struct wasm_error *ret_error)
{
    struct test_alloc a;
    test_alloc_init(&a);
    struct wasm_module *m = NULL;
    *ret_error = (struct wasm_error){0};
    tn_err err = wasm_load(&a.alloc, bytes, len, &m, ret_error);
    if (err == TN_OK) {
        assert_int_equal(a.held, wasm_module_bytes(m));
        wasm_unload(m);
    } else {
        assert_null(m);
        assert_int_equal(ret_error->err, err);
        assert_true(strlen(ret_error->text) > 0);
    }
    assert_int_equal(a.held, 0);
    return err;
}

static void expect(struct test_module *m, tn_err want, const char *text, uint32_t offset)
{
    struct wasm_error e;
    tn_err err = load(m->at, m->len, &e);
    if (err != want || (want != TN_OK && (strstr(e.text, text) == NULL ||
                                          (offset != UINT32_MAX && e.offset != offset))))
        fail_msg("wanted %d \"%s\" at %u, got %d \"%s\" at %u", want, text, offset, err, e.text,
                 e.offset);
    free(m->at);
}

/* A module with one function of type `type` (a whole section's bytes) and this body. */
static void one_function(struct test_module *m, const uint8_t *type, size_t type_len,
                         const uint8_t *body, size_t len)
{
    mod_begin(m);
    mod_section(m, 1, type, type_len);
    mod_section(m, 3, BYTES(1, 0));
    mod_open(m, 10);
    mod_put(m, BYTES(1));
    mod_body(m, body, len);
    mod_close(m);
}

#define TYPE_VOID    BYTES(1, 0x60, 0, 0)
#define TYPE_I32     BYTES(1, 0x60, 0, 1, 0x7f)
#define TYPE_I32_I32 BYTES(1, 0x60, 1, 0x7f, 1, 0x7f)
/* Where the first byte of the body (its count of locals) stands, after sections with long sizes. */
#define BODY_AT(type_len) (8 + 6 + (type_len) + 6 + 2 + 6 + 1 + 5)

static void test_header(void **state)
{
    (void)state;
    struct wasm_error e;
    assert_int_equal(load(NULL, 0, &e), TN_EFORMAT);
    assert_non_null(strstr(e.text, "unexpected end"));
    assert_int_equal(load(BYTES('a', 's', 'm', 0, 1, 0, 0, 0), &e), TN_EFORMAT);
    assert_non_null(strstr(e.text, "magic header not detected"));
    assert_int_equal(load(BYTES(0, 'a', 's', 'm', 2, 0, 0, 0), &e), TN_EFORMAT);
    assert_non_null(strstr(e.text, "unknown binary version"));
    assert_int_equal(e.offset, 4);
    assert_int_equal(load(BYTES(0, 'a', 's', 'm', 1, 0, 0, 0), &e), TN_OK);
    assert_int_equal(load(BYTES(0, 'a', 's', 'm', 1, 0, 0, 0, 13, 0), &e), TN_EFORMAT);
    assert_non_null(strstr(e.text, "malformed section id"));
    assert_int_equal(e.offset, 8);
    assert_int_equal(load(BYTES(0, 'a', 's', 'm', 1, 0, 0, 0, 1, 9, 0), &e), TN_EFORMAT);
    assert_non_null(strstr(e.text, "length out of bounds"));
}

static void test_numbers(void **state)
{
    (void)state;
    struct test_module m;
    mod_begin(&m); /* a count of six bytes */
    mod_section(&m, 1, BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0));
    expect(&m, TN_EFORMAT, "integer representation too long", 14);
    mod_begin(&m);
    mod_section(&m, 1, BYTES(0x80, 0x80, 0x80, 0x80, 0x70));
    expect(&m, TN_EFORMAT, "integer too large", 14);
    one_function(&m, TYPE_VOID, BYTES(0, 0x41, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x1a, 0x0b));
    expect(&m, TN_EFORMAT, "integer too large", BODY_AT(4) + 2);
    one_function(&m, TYPE_VOID, BYTES(0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x78, 0x1a, 0x0b));
    expect(&m, TN_OK, "", 0);
}

static void test_sections(void **state)
{
    (void)state;
    struct test_module m;
    mod_begin(&m);
    mod_section(&m, 3, BYTES(0));
    mod_section(&m, 1, BYTES(0));
    expect(&m, TN_EFORMAT, "unexpected content after last section", 15);
    mod_begin(&m);
    mod_section(&m, 1, BYTES(0, 0));
    expect(&m, TN_EFORMAT, "section size mismatch", 15);
    mod_begin(&m);
    mod_section(&m, 1, TYPE_VOID);
    mod_section(&m, 3, BYTES(1, 0));
    expect(&m, TN_EFORMAT, "function and code section have inconsistent lengths", UINT32_MAX);
    mod_begin(&m);
    mod_section(&m, 12, BYTES(1));
    expect(&m, TN_EFORMAT, "data count and data section have inconsistent lengths", UINT32_MAX);
    mod_begin(&m);
    mod_section(&m, 1, TYPE_VOID);
    mod_section(&m, 3, BYTES(1, 1));
    expect(&m, TN_EFORMAT, "unknown type 1", UINT32_MAX);
    mod_begin(&m);
    mod_section(&m, 5, BYTES(2, 0, 0, 0, 0));
    expect(&m, TN_EFORMAT, "multiple memories", UINT32_MAX);
    mod_begin(&m);
    mod_section(&m, 5, BYTES(1, 1, 2, 1));
    expect(&m, TN_EFORMAT, "size minimum must not be greater than maximum", UINT32_MAX);
    mod_begin(&m);
    mod_section(&m, 5, BYTES(1, 0, 0));
    mod_section(&m, 7, BYTES(2, 1, 'a', 2, 0, 1, 'a', 2, 0));
    expect(&m, TN_EFORMAT, "duplicate export name", UINT32_MAX);
    mod_begin(&m);
    mod_section(&m, 7, BYTES(1, 1, 0xff, 2, 0));
    expect(&m, TN_EFORMAT, "malformed UTF-8 encoding", 16);
}

static void test_bodies(void **state)
{
    (void)state;
    static const struct {
        uint8_t code[16];
        uint8_t len, at; /* of the error, from the first opcode */
        const char *text;
    } bad[] = {
        {{0x20, 7, 0x0b}, 3, 0, "unknown local 7"},
        {{0x42, 1, 0x0b}, 3, 2, "type mismatch: i32 expected"},
        {{0x0b}, 1, 0, "type mismatch: i32 expected"},
        {{0x41, 1, 0x41, 2, 0x0b}, 5, 4, "type mismatch"},
        {{0x41, 1, 0x0c, 5, 0x0b}, 5, 2, "unknown label 5"},
        {{0x10, 9, 0x0b}, 3, 0, "unknown function 9"},
        {{0x23, 9, 0x0b}, 3, 0, "unknown global 9"},
        {{0x41, 0, 0x28, 2, 0, 0x0b}, 6, 2, "unknown memory 0"},
        {{0x41, 0, 0x25, 3, 0x0b}, 5, 2, "unknown table 3"},
        {{0xff, 0x0b}, 2, 0, "illegal opcode"},
        {{0xfc, 0x7f, 0x0b}, 3, 0, "illegal opcode"},
        {{0x41, 0, 0x0b, 0x0b}, 4, 3, "END opcode expected"},
        {{0x41, 0}, 2, 2, "unexpected end"},
        {{0x41, 0, 0x04, 0x7f, 0x41, 1, 0x0b, 0x0b}, 8, 6, "type mismatch"},
        {{0xd2, 0, 0x0b}, 3, 0, "undeclared function reference 0"},
        {{0xfc, 0x09, 0x00, 0x0b}, 4, 0, "data count section required"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct test_module m;
        uint8_t body[17] = {0};
        memcpy(body + 1, bad[i].code, bad[i].len);
        one_function(&m, TYPE_I32, body, bad[i].len + 1u);
        expect(&m, TN_EFORMAT, bad[i].text, BODY_AT(5) + 1u + bad[i].at);
    }
}

/* `n` times the bytes. */
static void repeat(struct test_module *m, size_t n, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < n; i++)
        mod_put(m, bytes, len);
}

/* A section of `n` elements that are all alike. */
static void many(struct test_module *m, uint8_t id, size_t n, const uint8_t *bytes, size_t len)
{
    mod_open(m, id);
    mod_u32(m, n);
    repeat(m, n, bytes, len);
    mod_close(m);
}

static void at_limit(uint8_t id, size_t limit, const uint8_t *bytes, size_t len, const char *name)
{
    struct test_module m;
    for (size_t over = 0; over < 2; over++) {
        mod_begin(&m);
        many(&m, id, limit + over, bytes, len);
        expect(&m, over == 1 ? TN_ELIMIT : TN_OK, name, UINT32_MAX);
    }
}

static void test_limits_of_sections(void **state)
{
    (void)state;
    at_limit(1, WASM_MAX_TYPES, BYTES(0x60, 0, 0), "WASM_MAX_TYPES");
    at_limit(2, WASM_MAX_IMPORTS, BYTES(0, 0, 3, 0x7f, 0), "WASM_MAX_IMPORTS");
    at_limit(4, WASM_MAX_TABLES, BYTES(0x70, 0, 0), "WASM_MAX_TABLES");
    at_limit(6, WASM_MAX_GLOBALS, BYTES(0x7f, 0, 0x41, 0, 0x0b), "WASM_MAX_GLOBALS");
    at_limit(9, WASM_MAX_SEGMENTS, BYTES(1, 0, 0), "WASM_MAX_SEGMENTS");
    at_limit(11, WASM_MAX_SEGMENTS, BYTES(1, 0), "WASM_MAX_SEGMENTS");
    struct test_module m;
    for (size_t over = 0; over < 2; over++) {
        tn_err want = over == 1 ? TN_ELIMIT : TN_OK;
        mod_begin(&m); /* parameters of one type */
        mod_open(&m, 1);
        mod_put(&m, BYTES(1, 0x60));
        mod_u32(&m, WASM_MAX_PARAMS + over);
        repeat(&m, WASM_MAX_PARAMS + over, BYTES(0x7f));
        mod_put(&m, BYTES(0));
        mod_close(&m);
        expect(&m, want, "WASM_MAX_PARAMS", UINT32_MAX);
        mod_begin(&m);
        mod_open(&m, 1);
        mod_put(&m, BYTES(1, 0x60, 0));
        mod_u32(&m, WASM_MAX_RESULTS + over);
        repeat(&m, WASM_MAX_RESULTS + over, BYTES(0x7f));
        mod_close(&m);
        expect(&m, want, "WASM_MAX_RESULTS", UINT32_MAX);
        mod_begin(&m);
        mod_section(&m, 1, TYPE_VOID);
        many(&m, 3, WASM_MAX_FUNCTIONS + over, BYTES(0));
        many(&m, 10, WASM_MAX_FUNCTIONS + over, BYTES(2, 0, 0x0b));
        expect(&m, want, "WASM_MAX_FUNCTIONS", UINT32_MAX);
        mod_begin(&m); /* tables of the largest size */
        mod_open(&m, 4);
        mod_put(&m, BYTES(1, 0x70, 0));
        mod_u32(&m, WASM_MAX_TABLE_ELEMS + over);
        mod_close(&m);
        expect(&m, want, "WASM_MAX_TABLE_ELEMS", UINT32_MAX);
        mod_begin(&m); /* exports with names that differ */
        mod_section(&m, 5, BYTES(1, 0, 0));
        mod_open(&m, 7);
        mod_u32(&m, WASM_MAX_EXPORTS + over);
        for (size_t i = 0; i < WASM_MAX_EXPORTS + over; i++)
            mod_put(&m, BYTES(3, (uint8_t)('a' + i % 26), (uint8_t)('0' + i / 26 % 64),
                              (uint8_t)('A' + i / 1664), 2, 0));
        mod_close(&m);
        expect(&m, want, "WASM_MAX_EXPORTS", UINT32_MAX);
    }
}

static void open_function(struct test_module *m)
{
    mod_begin(m);
    mod_section(m, 1, TYPE_VOID);
    mod_section(m, 3, BYTES(1, 0));
    mod_open(m, 10);
    mod_put(m, BYTES(1));
    mod_open_body(m);
}

static void close_function(struct test_module *m)
{
    mod_put(m, BYTES(0x0b));
    mod_close_body(m);
    mod_close(m);
}

static void test_limits_of_functions(void **state)
{
    (void)state;
    struct test_module m;
    for (size_t over = 0; over < 2; over++) {
        tn_err want = over == 1 ? TN_ELIMIT : TN_OK;
        open_function(&m);
        mod_put(&m, BYTES(1));
        mod_u32(&m, WASM_MAX_LOCALS + over);
        mod_put(&m, BYTES(0x7f));
        close_function(&m);
        expect(&m, want, "WASM_MAX_LOCALS", UINT32_MAX);
        open_function(&m);
        mod_put(&m, BYTES(0));
        repeat(&m, WASM_MAX_NESTING + over, BYTES(0x02, 0x40));
        repeat(&m, WASM_MAX_NESTING + over, BYTES(0x0b));
        close_function(&m);
        expect(&m, want, "WASM_MAX_NESTING", UINT32_MAX);
        open_function(&m);
        mod_put(&m, BYTES(0, 0x41, 0, 0x0e));
        mod_u32(&m, WASM_MAX_BR_TABLE + over);
        repeat(&m, WASM_MAX_BR_TABLE + over + 1, BYTES(0));
        close_function(&m);
        expect(&m, want, "WASM_MAX_BR_TABLE", UINT32_MAX);
        open_function(&m);
        mod_put(&m, BYTES(0));
        repeat(&m, WASM_MAX_FRAME_SLOTS + over, BYTES(0x41, 0));
        repeat(&m, WASM_MAX_FRAME_SLOTS + over, BYTES(0x1a));
        close_function(&m);
        expect(&m, want, "WASM_MAX_FRAME_SLOTS", UINT32_MAX);
        open_function(&m);
        mod_put(&m, BYTES(0));
        repeat(&m, WASM_MAX_BODY_BYTES - 2 + over, BYTES(0x01));
        close_function(&m);
        expect(&m, want, "WASM_MAX_BODY_BYTES", UINT32_MAX);
    }
    struct wasm_error e; /* the size is looked at first: there need not be so many bytes */
    static const uint8_t head[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    assert_int_equal(load(head, (size_t)WASM_MAX_MODULE_BYTES + 1, &e), TN_ELIMIT);
    assert_non_null(strstr(e.text, "WASM_MAX_MODULE_BYTES"));
}

/* A module with something in every section. */
static void full_module(struct test_module *m)
{
    mod_begin(m);
    mod_section(m, 1, BYTES(2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 0, 0));
    mod_section(m, 2, BYTES(1, 3, 'e', 'n', 'v', 1, 'f', 0, 0));
    mod_section(m, 3, BYTES(2, 0, 1));
    mod_section(m, 4, BYTES(1, 0x70, 1, 2, 9));
    mod_section(m, 5, BYTES(1, 1, 1, 2));
    mod_section(m, 6, BYTES(1, 0x7e, 1, 0x42, 0x7f, 0x0b));
    mod_section(m, 7, BYTES(3, 3, 'r', 'u', 'n', 0, 1, 1, 'm', 2, 0, 1, 'g', 3, 0));
    mod_section(m, 8, BYTES(2));
    mod_section(m, 9, BYTES(1, 0, 0x41, 0, 0x0b, 2, 1, 2));
    mod_section(m, 12, BYTES(1));
    mod_open(m, 10);
    mod_put(m, BYTES(2));
    mod_body(m,
             BYTES(1, 2, 0x7e, 0x20, 0, 0x04, 0x7f, 0x20, 0, 0x10, 0, 0x05, 0x41, 3, 0x0b, 0x0b));
    mod_body(m, BYTES(0, 0x0b));
    mod_close(m);
    mod_section(m, 11, BYTES(1, 0, 0x41, 4, 0x0b, 3, 'a', 'b', 'c'));
    mod_section(m, 0, BYTES(4, 'n', 'a', 'm', 'e', 1, 10, 2, 0, 2, 'i', 'm', 1, 3, 'r', 'u', 'n'));
}

static void test_describe(void **state)
{
    (void)state;
    struct test_module bytes;
    full_module(&bytes);
    struct test_alloc a;
    test_alloc_init(&a);
    struct wasm_module *m;
    struct wasm_error e;
    assert_int_equal(wasm_load(&a.alloc, bytes.at, bytes.len, &m, &e), TN_OK);
    memset(bytes.at, 0xee, bytes.len); /* not needed any more */
    free(bytes.at);
    assert_int_equal(wasm_import_count(m), 1);
    struct wasm_import_info import = wasm_import(m, 0);
    assert_int_equal(import.kind, WASM_EXT_FUNC);
    assert_memory_equal(import.module, "env", 3);
    assert_memory_equal(import.name, "f", 1);
    assert_int_equal(import.func->nparams, 1);
    assert_int_equal(wasm_export_count(m), 3);
    struct wasm_export_info export;
    assert_true(wasm_find_export(m, "run", 3, &export));
    assert_int_equal(export.kind, WASM_EXT_FUNC);
    assert_int_equal(export.index, 1);
    assert_true(wasm_find_export(m, "m", 1, &export));
    assert_int_equal(export.limits.min, 1);
    assert_int_equal(export.limits.max, 2);
    assert_true(wasm_find_export(m, "g", 1, &export));
    assert_true(export.mutable);
    assert_int_equal(export.type, WASM_I64);
    assert_false(wasm_find_export(m, "ru", 2, &export));
    size_t len;
    assert_memory_equal(wasm_func_name(m, 1, &len), "run", 3);
    assert_int_equal(len, 3);
    wasm_func_name(m, 2, &len);
    assert_int_equal(len, 0);
    wasm_unload(m);
    assert_int_equal(a.held, 0);
}

static void test_memory_fails(void **state)
{
    (void)state;
    struct test_module bytes;
    full_module(&bytes);
    struct test_alloc a;
    struct wasm_error e;
    struct wasm_module *m = NULL;
    size_t n = 0;
    for (tn_err err = TN_ENOMEM; err != TN_OK;) {
        test_alloc_init(&a);
        a.fail_at = ++n;
        err = wasm_load(&a.alloc, bytes.at, bytes.len, &m, &e);
        if (err != TN_OK) {
            assert_int_equal(err, TN_ENOMEM);
            assert_int_equal(e.err, TN_ENOMEM);
            assert_int_equal(a.held, 0);
        }
    }
    assert_true(n > 4);
    wasm_unload(m);
    assert_int_equal(a.held, 0);
    free(bytes.at);
}

/* Every prefix of a module is refused, and every byte changed in it is harmless. */
static void test_mutations(void **state)
{
    (void)state;
    struct test_module m;
    full_module(&m);
    struct wasm_error e;
    size_t whole = m.len;
    for (size_t i = 9; i < whole; i++) {
        uint8_t *copy = malloc(i); /* exactly as long, for the sanitizer */
        memcpy(copy, m.at, i);
        load(copy, i, &e);
        free(copy);
    }
    for (size_t i = 0; i < whole; i++)
        for (int bit = 0; bit < 8; bit++) {
            m.at[i] ^= (uint8_t)(1 << bit);
            load(m.at, whole, &e);
            m.at[i] ^= (uint8_t)(1 << bit);
        }
    assert_int_equal(load(m.at, whole, &e), TN_OK);
    free(m.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_limits_of_sections),
        cmocka_unit_test(test_limits_of_functions),
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_memory_fails),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
