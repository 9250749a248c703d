/* link_test.c: instances that share functions, memories, tables and globals; how long they live;
 * what does not fit; failing memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/bits.h"
#include "wasm/module_test.h"
#include "wasm/wasm_int.h"

static const struct wasm_config plain = {
    .memory_max_pages = 16, .stack_slots = 1024, .call_depth_max = 50, .fuel = 100000};

static struct wasm_module *load(struct test_alloc *a, struct test_module *m)
{
    struct wasm_module *module = NULL;
    struct wasm_error e = {0};
    if (wasm_load(&a->alloc, m->at, m->len, &module, &e) != TN_OK)
        fail_msg("load: %s at %u", e.text, e.offset);
    free(m->at);
    return module;
}

static struct wasm_instance *make(struct test_alloc *a, struct wasm_module *module,
                                  const struct wasm_binding *bindings, uint32_t n)
{
    struct wasm_config config = plain;
    struct wasm_instance *inst = NULL;
    struct wasm_error e = {0};
    config.bindings = bindings;
    config.nbindings = n;
    if (wasm_instantiate(module, &a->alloc, &config, &inst, &e) != TN_OK)
        fail_msg("instantiate: %s", e.text);
    return inst;
}

static enum wasm_status call(struct wasm_instance *inst, uint32_t func, uint32_t nargs,
                             wasm_value arg)
{
    assert_int_equal(wasm_begin(inst, func, &arg, nargs), TN_OK);
    return wasm_run(inst);
}

/* A: a memory of 1 page (at most 3), a table of 4, a mutable global 40.
 * 0: read(at) = memory[at];  1: call(i) = table[i]();  2: bad() divides by zero */
static struct wasm_module *module_a(struct test_alloc *a)
{
    struct test_module m;
    mod_begin(&m);
    mod_section(&m, 1, BYTES(2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 0, 1, 0x7f));
    mod_section(&m, 3, BYTES(3, 0, 0, 1));
    mod_section(&m, 4, BYTES(1, 0x70, 0, 4));
    mod_section(&m, 5, BYTES(1, 1, 1, 3));
    mod_section(&m, 6, BYTES(1, 0x7f, 1, 0x41, 40, 0x0b));
    mod_open(&m, 10);
    mod_put(&m, BYTES(3));
    mod_body(&m, BYTES(0, 0x20, 0, 0x2d, 0, 0, 0x0b));
    mod_body(&m, BYTES(0, 0x20, 0, 0x11, 1, 0, 0x0b));
    mod_body(&m, BYTES(0, 0x41, 1, 0x41, 0, 0x6d, 0x0b));
    mod_close(&m);
    return load(a, &m);
}

/* B imports all of A's, has a memory address 5 written with 'x', table[1] = its function 3, and
 * 2: poke() = grow the memory, read(5) + global; global = 2;  3: nine() = 9;  4: bad2() = bad()
 * With `broken`, a second data segment is out of bounds. */
static struct wasm_module *module_b(struct test_alloc *a, bool broken)
{
    struct test_module m;
    mod_begin(&m);
    mod_section(&m, 1, BYTES(2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 0, 1, 0x7f));
    mod_section(&m, 2,
                BYTES(5, 1, 'a', 4, 'r', 'e', 'a', 'd', 0, 0, 1, 'a', 3, 'b', 'a', 'd', 0, 1, 1,
                      'a', 1, 't', 1, 0x70, 0, 2, 1, 'a', 1, 'm', 2, 1, 1, 3, 1, 'a', 1, 'g', 3,
                      0x7f, 1));
    mod_section(&m, 3, BYTES(3, 1, 1, 1));
    mod_section(&m, 9, BYTES(1, 0, 0x41, 1, 0x0b, 1, 3));
    mod_open(&m, 10);
    mod_put(&m, BYTES(3));
    mod_body(&m, BYTES(0, 0x41, 1, 0x40, 0, 0x1a, 0x41, 5, 0x10, 0, 0x23, 0, 0x6a, 0x41, 2, 0x24, 0,
                       0x0b));
    mod_body(&m, BYTES(0, 0x41, 9, 0x0b));
    mod_body(&m, BYTES(0, 0x10, 1, 0x0b));
    mod_close(&m);
    if (broken)
        mod_section(&m, 11, BYTES(2, 0, 0x41, 5, 0x0b, 1, 'x', 0, 0x41, 0x7f, 0x0b, 1, 'y'));
    else
        mod_section(&m, 11, BYTES(1, 0, 0x41, 5, 0x0b, 1, 'x'));
    return load(a, &m);
}

static void bind(struct wasm_binding b[5], struct wasm_instance *a)
{
    b[0] = (struct wasm_binding){.kind = WASM_EXT_FUNC, .instance = a, .index = 0};
    b[1] = (struct wasm_binding){.kind = WASM_EXT_FUNC, .instance = a, .index = 2};
    b[2] = (struct wasm_binding){.kind = WASM_EXT_TABLE, .instance = a};
    b[3] = (struct wasm_binding){.kind = WASM_EXT_MEMORY, .instance = a};
    b[4] = (struct wasm_binding){.kind = WASM_EXT_GLOBAL, .instance = a};
}

static void test_shared(void **state)
{
    (void)state;
    struct test_alloc alloc;
    test_alloc_init(&alloc);
    struct wasm_module *ma = module_a(&alloc), *mb = module_b(&alloc, false);
    struct wasm_instance *a = make(&alloc, ma, NULL, 0);
    struct wasm_binding b[5];
    bind(b, a);
    struct wasm_instance *inst = make(&alloc, mb, b, 5);
    assert_int_equal(call(inst, 2, 0, 0), WASM_DONE);
    assert_int_equal(wasm_results(inst)[0], 'x' + 40);
    wasm_value v;
    assert_int_equal(wasm_global_get(a, 0, &v), TN_OK);
    assert_int_equal(v, 2);
    uint64_t bytes;
    wasm_memory(a, &bytes);
    assert_int_equal(bytes, 2 * WASM_PAGE_BYTES);
    /* A sees the bound that B moved, and calls B through its table. */
    assert_int_equal(call(a, 0, 1, WASM_PAGE_BYTES), WASM_DONE);
    assert_int_equal(call(a, 1, 1, 1), WASM_DONE);
    assert_int_equal(wasm_results(a)[0], 9);
    assert_int_equal(call(a, 1, 1, 0), WASM_TRAP);
    assert_string_equal(wasm_trap_text(a), "uninitialized element");
    assert_int_equal(call(a, 1, 1, 4), WASM_TRAP);
    assert_string_equal(wasm_trap_text(a), "undefined element");
    /* A trap in A, called from B: frames of both, and each its own function. */
    struct wasm_frame_info f[2];
    assert_int_equal(call(inst, 4, 0, 0), WASM_TRAP);
    assert_int_equal(wasm_backtrace(inst, f, 2), 2);
    assert_int_equal(f[0].func, 2);
    assert_int_equal(f[1].func, 4);
    wasm_destroy(inst);
    wasm_destroy(a);
    wasm_unload(ma);
    wasm_unload(mb);
    assert_int_equal(alloc.held, 0);
}

/* What is linked lives on while something can still reach it. */
static void test_lifetimes(void **state)
{
    (void)state;
    struct test_alloc alloc;
    test_alloc_init(&alloc);
    struct wasm_module *ma = module_a(&alloc), *mb = module_b(&alloc, false);
    struct wasm_instance *a = make(&alloc, ma, NULL, 0);
    struct wasm_binding b[5];
    bind(b, a);
    struct wasm_instance *b1 = make(&alloc, mb, b, 5), *b2 = make(&alloc, mb, b, 5);
    wasm_destroy(b2);
    wasm_unload(mb);
    assert_int_equal(call(a, 1, 1, 1), WASM_DONE); /* a function of the destroyed b2 */
    assert_int_equal(wasm_results(a)[0], 9);
    wasm_destroy(a);
    wasm_unload(ma);
    assert_int_equal(call(b1, 2, 0, 0), WASM_DONE); /* a memory of the destroyed a */
    wasm_destroy(b1);
    assert_int_equal(alloc.held, 0);
}

/* A segment that fails leaves what earlier ones wrote, and functions that can be called. */
static void test_failed_segment(void **state)
{
    (void)state;
    struct test_alloc alloc;
    test_alloc_init(&alloc);
    struct wasm_module *ma = module_a(&alloc), *mb = module_b(&alloc, true);
    struct wasm_instance *a = make(&alloc, ma, NULL, 0), *none = NULL;
    struct wasm_binding b[5];
    struct wasm_error e = {0};
    bind(b, a);
    struct wasm_config config = plain;
    config.bindings = b;
    config.nbindings = 5;
    assert_int_equal(wasm_instantiate(mb, &alloc.alloc, &config, &none, &e), TN_ETRAP);
    assert_non_null(strstr(e.text, "out of bounds memory access"));
    assert_null(none);
    wasm_unload(mb);
    assert_int_equal(call(a, 0, 1, 5), WASM_DONE);
    assert_int_equal(wasm_results(a)[0], 'x');
    assert_int_equal(call(a, 1, 1, 1), WASM_DONE);
    assert_int_equal(wasm_results(a)[0], 9);
    wasm_destroy(a);
    wasm_unload(ma);
    assert_int_equal(alloc.held, 0);
}

static void test_what_does_not_fit(void **state)
{
    (void)state;
    struct test_alloc alloc;
    test_alloc_init(&alloc);
    struct wasm_module *ma = module_a(&alloc), *mb = module_b(&alloc, false);
    struct wasm_instance *a = make(&alloc, ma, NULL, 0), *none = NULL;
    struct wasm_binding b[5];
    struct wasm_config config = plain;
    struct wasm_error e = {0};
    config.bindings = b;
    config.nbindings = 4;
    bind(b, a);
    assert_int_equal(wasm_instantiate(mb, &alloc.alloc, &config, &none, &e), TN_EINVAL);
    config.nbindings = 5;
    for (uint32_t i = 0; i < 5; i++) {
        char text[40];
        snprintf(text, sizeof text, "incompatible import type: import %u", i);
        bind(b, a);
        b[i].index = i == 0 ? 2 : 1; /* another type, or none */
        assert_int_equal(wasm_instantiate(mb, &alloc.alloc, &config, &none, &e), TN_ETYPE);
        assert_string_equal(e.text, text);
        bind(b, a);
        b[i].kind = i == 4 ? WASM_EXT_FUNC : WASM_EXT_GLOBAL;
        assert_int_equal(wasm_instantiate(mb, &alloc.alloc, &config, &none, &e), TN_ETYPE);
        bind(b, a);
        b[i].instance = NULL;
        assert_int_equal(wasm_instantiate(mb, &alloc.alloc, &config, &none, &e), TN_ETYPE);
        assert_string_equal(e.text, text);
    }
    assert_null(none);
    wasm_destroy(a);
    wasm_unload(ma);
    wasm_unload(mb);
    assert_int_equal(alloc.held, 0);
}

static void test_memory_fails(void **state)
{
    (void)state;
    struct test_alloc alloc, failing;
    test_alloc_init(&alloc);
    struct wasm_module *ma = module_a(&alloc), *mb = module_b(&alloc, false);
    struct wasm_instance *a = NULL, *inst = NULL;
    struct wasm_error e = {0};
    struct wasm_config config = plain;
    size_t n = 0;
    for (tn_err err = TN_ENOMEM; err != TN_OK;) {
        test_alloc_init(&failing);
        failing.fail_at = ++n;
        err = wasm_instantiate(ma, &failing.alloc, &config, &a, &e);
        assert_true(err == TN_OK || err == TN_ENOMEM);
        assert_true(err == TN_OK || failing.held == 0);
    }
    assert_true(n > 8);
    struct wasm_binding b[5];
    bind(b, a);
    config.bindings = b;
    config.nbindings = 5;
    struct test_alloc failing_b;
    n = 0;
    for (tn_err err = TN_ENOMEM; err != TN_OK;) {
        test_alloc_init(&failing_b);
        failing_b.fail_at = ++n;
        err = wasm_instantiate(mb, &failing_b.alloc, &config, &inst, &e);
        assert_true(err == TN_OK || err == TN_ENOMEM);
        assert_true(err == TN_OK || failing_b.held == 0);
    }
    assert_true(n > 5);
    wasm_destroy(inst);
    wasm_destroy(a);
    assert_int_equal(failing.held, 0);
    assert_int_equal(failing_b.held, 0);
    wasm_unload(ma);
    wasm_unload(mb);
    assert_int_equal(alloc.held, 0);
}

/* table.grow(null, n): -1 where there is no memory or no room, and it pays by size. */
static void test_table_grow(void **state)
{
    (void)state;
    struct test_alloc alloc;
    test_alloc_init(&alloc);
    struct test_module m;
    mod_begin(&m);
    mod_section(&m, 1, BYTES(1, 0x60, 1, 0x7f, 1, 0x7f));
    mod_section(&m, 3, BYTES(1, 0));
    mod_section(&m, 4, BYTES(1, 0x6f, 0, 1));
    mod_open(&m, 10);
    mod_put(&m, BYTES(1));
    mod_body(&m, BYTES(0, 0xd0, 0x6f, 0x20, 0, 0xfc, 0x0f, 0, 0x0b));
    mod_close(&m);
    struct wasm_module *module = load(&alloc, &m);
    struct wasm_instance *inst = make(&alloc, module, NULL, 0);
    enum { BASE = 2 * FUEL_SIMPLE + FUEL_GROW };
    wasm_fuel_set(inst, BASE + 124);
    assert_int_equal(call(inst, 0, 1, 1000), WASM_FUEL); /* 125 short by one */
    assert_int_equal(wasm_fuel_wanted(inst), 125);
    wasm_fuel_set(inst, 125);
    alloc.fail_at = alloc.calls + 1;
    assert_int_equal(wasm_run(inst), WASM_DONE);
    assert_int_equal(wasm_results(inst)[0], UINT32_MAX);
    assert_int_equal(wasm_fuel_left(inst), 125); /* nothing was done */
    alloc.fail_at = 0;
    wasm_fuel_set(inst, BASE + 125);
    assert_int_equal(call(inst, 0, 1, 1000), WASM_DONE);
    assert_int_equal(wasm_results(inst)[0], 1);
    assert_int_equal(wasm_fuel_left(inst), 0);
    wasm_fuel_set(inst, 1000000);
    assert_int_equal(call(inst, 0, 1, WASM_MAX_TABLE_ELEMS - 1000), WASM_DONE);
    assert_int_equal(wasm_results(inst)[0], UINT32_MAX);
    assert_int_equal(call(inst, 0, 1, WASM_MAX_TABLE_ELEMS - 1001), WASM_DONE);
    assert_int_equal(wasm_results(inst)[0], 1001);
    wasm_destroy(inst);
    wasm_unload(module);
    assert_int_equal(alloc.held, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared),         cmocka_unit_test(test_lifetimes),
        cmocka_unit_test(test_failed_segment), cmocka_unit_test(test_what_does_not_fit),
        cmocka_unit_test(test_memory_fails),   cmocka_unit_test(test_table_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
