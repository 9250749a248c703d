/* exec_test.c: fuel to the unit, suspending and resuming, canonical frames, backtraces, stack
 * exhaustion, bulk instructions in parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/bits.h"
#include "wasm/module_test.h"
#include "wasm/wasm_int.h"

struct rig {
    struct test_alloc alloc;
    struct wasm_module *module;
    struct wasm_instance *inst;
    struct wasm_config config;
};

static void rig_load(struct rig *r, struct test_module *m)
{
    struct wasm_error e = {0};
    *r = (struct rig){0};
    test_alloc_init(&r->alloc);
    r->config = (struct wasm_config){
        .memory_max_pages = 16, .stack_slots = 4096, .call_depth_max = 100, .fuel = 1000000};
    if (wasm_load(&r->alloc.alloc, m->at, m->len, &r->module, &e) != TN_OK)
        fail_msg("load: %s at %u", e.text, e.offset);
    free(m->at);
}

static void rig_make(struct rig *r)
{
    struct wasm_error e = {0};
    tn_err err = wasm_instantiate(r->module, &r->alloc.alloc, &r->config, &r->inst, &e);
    if (err != TN_OK)
        fail_msg("instantiate: %s", e.text);
}

static void rig_end(struct rig *r)
{
    wasm_destroy(r->inst);
    wasm_unload(r->module);
    assert_int_equal(r->alloc.held, 0);
}

#define TYPE_I32_I32 0x60, 1, 0x7f, 1, 0x7f
#define GET(n)       0x20, n
#define SET(n)       0x21, n
#define I32(n)       0x41, n

/* Sums n + ... + 1. */
static void sum_module(struct test_module *m)
{
    mod_begin(m);
    mod_section(m, 1, BYTES(1, TYPE_I32_I32));
    mod_section(m, 3, BYTES(1, 0));
    mod_open(m, 10);
    mod_put(m, BYTES(1));
    mod_body(m, BYTES(1, 1, 0x7f,                             /* (local i32) */
                      0x02, 0x40,                             /* block */
                      GET(0), 0x45, 0x0d, 0,                  /* br_if 0 when n == 0: 3 */
                      0x03, 0x40,                             /* loop */
                      GET(1), GET(0), 0x6a, SET(1),           /* s += n: 4 */
                      GET(0), I32(1), 0x6b, 0x22, 0, 0x0d, 0, /* br_if 0, n = n - 1: 5 */
                      0x0b, 0x0b, GET(1), 0x0b));             /* 1 */
    mod_close(m);
}

enum { SUM_TEST = 3, SUM_TURN = 9, SUM_END = 1 };

static void test_fuel_is_exact(void **state)
{
    (void)state;
    struct test_module m;
    struct rig r;
    sum_module(&m);
    rig_load(&r, &m);
    rig_make(&r);
    for (uint32_t n = 0; n < 20; n++) {
        wasm_fuel_set(r.inst, 1000);
        wasm_value arg = n;
        assert_int_equal(wasm_begin(r.inst, 0, &arg, 1), TN_OK);
        assert_int_equal(wasm_run(r.inst), WASM_DONE);
        assert_int_equal(wasm_results(r.inst)[0], n * (n + 1) / 2);
        assert_int_equal(1000 - wasm_fuel_left(r.inst), SUM_TEST + n * SUM_TURN + SUM_END);
    }
    rig_end(&r);
}

/* Whatever fuel it gets at a time, the sum is the same, and so is the result. */
static void test_fuel_in_parts(void **state)
{
    (void)state;
    struct test_module m;
    struct rig r;
    sum_module(&m);
    rig_load(&r, &m);
    rig_make(&r);
    for (uint64_t slice = 1; slice < 40; slice++) {
        uint64_t given = 0, runs = 0;
        wasm_value arg = 10;
        wasm_fuel_set(r.inst, 0);
        assert_int_equal(wasm_begin(r.inst, 0, &arg, 1), TN_OK);
        enum wasm_status status;
        while ((status = wasm_run(r.inst)) == WASM_FUEL) {
            /* What could not be paid was not begun, and is what is asked for. */
            assert_true(wasm_fuel_left(r.inst) < wasm_fuel_wanted(r.inst));
            wasm_fuel_set(r.inst, wasm_fuel_left(r.inst) + slice);
            given += slice;
            assert_true(++runs < 200);
        }
        assert_int_equal(status, WASM_DONE);
        assert_int_equal(wasm_results(r.inst)[0], 55);
        assert_int_equal(given - wasm_fuel_left(r.inst), SUM_TEST + 10 * SUM_TURN + SUM_END);
    }
    rig_end(&r);
}

static void test_unpaid_block_is_not_entered(void **state)
{
    (void)state;
    struct test_module m;
    struct rig r;
    mod_begin(&m); /* global 0 = 1, then in a second block global 0 = 2 */
    mod_section(&m, 1, BYTES(1, 0x60, 0, 0));
    mod_section(&m, 3, BYTES(1, 0));
    mod_section(&m, 6, BYTES(1, 0x7f, 1, 0x41, 0, 0x0b));
    mod_open(&m, 10);
    mod_put(&m, BYTES(1));
    mod_body(&m, BYTES(0, I32(1), 0x24, 0, 0x03, 0x40, I32(2), 0x24, 0, 0x0b, 0x0b));
    mod_close(&m);
    uint32_t loop = (uint32_t)m.len - 6; /* its first opcode */
    rig_load(&r, &m);
    enum { HALF = FUEL_SIMPLE + FUEL_ACCESS };
    static const struct {
        uint64_t fuel, value;
    } steps[] = {{HALF - 1, 0}, {HALF, 1}, {2 * HALF - 1, 1}, {2 * HALF, 2}};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        wasm_value v = 99;
        r.config.fuel = steps[i].fuel;
        rig_make(&r);
        assert_int_equal(wasm_begin(r.inst, 0, NULL, 0), TN_OK);
        assert_int_equal(wasm_run(r.inst), i + 1 < ARRAY_LEN(steps) ? WASM_FUEL : WASM_DONE);
        assert_int_equal(wasm_global_get(r.inst, 0, &v), TN_OK);
        assert_int_equal(v, steps[i].value);
        assert_int_equal(wasm_fuel_left(r.inst), steps[i].fuel % HALF);
        struct wasm_frame_info frame;
        if (i == 1 || i == 2) {
            assert_int_equal(wasm_backtrace(r.inst, &frame, 1), 1);
            assert_int_equal(frame.offset, loop);
        }
        wasm_destroy(r.inst);
    }
    r.inst = NULL;
    rig_end(&r);
}

struct host {
    enum wasm_status answer;
    uint32_t calls;
    wasm_value seen;
};

static enum wasm_status host_fn(void *host, struct wasm_instance *instance, const wasm_value *args,
                                wasm_value *results)
{
    struct host *h = host;
    h->calls++;
    h->seen = args[0];
    if (h->answer == WASM_TRAP)
        wasm_trap(instance, "the host says no");
    if (h->answer == WASM_DONE)
        results[0] = args[0] + 0xff00000001; /* the upper half is not to be seen */
    assert_true(wasm_fuel_take(instance, 5));
    return h->answer;
}

static const uint8_t type_i32 = 0x7f;
static const struct wasm_functype i32_i32 = {1, 1, &type_i32, &type_i32};

/* (func $mid (param i32) (local i32)
 *    local.get 0, i32.const 7, (local.set 0 (i32.add (local.get 0) (i32.const 1))),
 *    (call $host (local.get 0)), i32.add, i32.add) */
static void host_module(struct test_module *m)
{
    mod_begin(m);
    mod_section(m, 1, BYTES(1, TYPE_I32_I32));
    mod_section(m, 2, BYTES(1, 3, 'e', 'n', 'v', 1, 'h', 0, 0));
    mod_section(m, 3, BYTES(2, 0, 0));
    mod_open(m, 10);
    mod_put(m, BYTES(2));
    mod_body(m, BYTES(1, 1, 0x7f, GET(0), I32(7), GET(0), I32(1), 0x6a, SET(0), GET(0), 0x10, 0,
                      0x6a, 0x6a, 0x0b));
    mod_body(m, BYTES(0, GET(0), 0x10, 1, 0x0b));
    mod_close(m);
    mod_section(
        m, 0,
        BYTES(4, 'n', 'a', 'm', 'e', 1, 13, 2, 1, 3, 'm', 'i', 'd', 2, 5, 'o', 'u', 't', 'e', 'r'));
}

static void rig_host(struct rig *r, struct host *h, struct wasm_binding *b)
{
    struct test_module m;
    host_module(&m);
    rig_load(r, &m);
    *h = (struct host){0};
    *b = (struct wasm_binding){
        .kind = WASM_EXT_FUNC, .host_fn = host_fn, .host = h, .host_type = &i32_i32};
    r->config.bindings = b;
    r->config.nbindings = 1;
    rig_make(r);
}

static void test_host_done(void **state)
{
    (void)state;
    struct rig r;
    struct host h;
    struct wasm_binding b;
    rig_host(&r, &h, &b);
    h.answer = WASM_DONE;
    wasm_value arg = 10;
    assert_int_equal(wasm_begin(r.inst, 2, &arg, 1), TN_OK);
    assert_int_equal(wasm_begin(r.inst, 2, &arg, 1), TN_EBUSY);
    assert_int_equal(wasm_run(r.inst), WASM_DONE);
    assert_int_equal(wasm_results(r.inst)[0], 10 + 7 + 12);
    assert_int_equal(h.seen, 11);
    /* The import itself can be called. */
    assert_int_equal(wasm_begin(r.inst, 0, &arg, 1), TN_OK);
    assert_int_equal(wasm_run(r.inst), WASM_DONE);
    assert_int_equal(wasm_results(r.inst)[0], 11);
    assert_int_equal(wasm_begin(r.inst, 3, &arg, 1), TN_EINVAL);
    assert_int_equal(wasm_begin(r.inst, 2, &arg, 0), TN_EINVAL);
    rig_end(&r);
}

static void test_pending_and_canonical_frame(void **state)
{
    (void)state;
    struct rig r;
    struct host h;
    struct wasm_binding b;
    rig_host(&r, &h, &b);
    h.answer = WASM_PENDING;
    wasm_value arg = 10, result = 100;
    uint64_t before = wasm_fuel_left(r.inst);
    assert_int_equal(wasm_begin(r.inst, 2, &arg, 1), TN_OK);
    assert_int_equal(wasm_run(r.inst), WASM_PENDING);
    assert_int_equal(wasm_run(r.inst), WASM_PENDING);
    assert_int_equal(h.calls, 1);
    /* Locals 11 and 0, then the operands: the old local, the constant, the argument. */
    const wasm_value *fp = r.inst->thread.top->fp;
    assert_int_equal(fp[0], 11);
    assert_int_equal(fp[1], 0);
    assert_int_equal(fp[2], 10);
    assert_int_equal(fp[3], 7);
    assert_int_equal(fp[4], 11);
    struct wasm_frame_info frames[3];
    assert_int_equal(wasm_backtrace(r.inst, frames, 3), 2);
    assert_int_equal(frames[0].func, 1);
    assert_memory_equal(frames[0].name, "mid", 3);
    assert_int_equal(frames[1].func, 2);
    assert_memory_equal(frames[1].name, "outer", 5);
    assert_int_equal(wasm_resume(r.inst, &result, 1), WASM_DONE);
    assert_int_equal(wasm_results(r.inst)[0], 10 + 7 + 100);
    /* outer: get, call; mid: 6 operands, the call, 2 additions; the host took 5. */
    assert_int_equal(before - wasm_fuel_left(r.inst),
                     FUEL_SIMPLE + FUEL_CALL + 7 * FUEL_SIMPLE + FUEL_CALL + 2 * FUEL_SIMPLE + 5);
    /* Pending at the import itself, and cancelled. */
    assert_int_equal(wasm_begin(r.inst, 0, &arg, 1), TN_OK);
    assert_int_equal(wasm_run(r.inst), WASM_PENDING);
    assert_int_equal(wasm_backtrace(r.inst, frames, 3), 0);
    assert_int_equal(wasm_resume(r.inst, &result, 1), WASM_DONE);
    assert_int_equal(wasm_results(r.inst)[0], 100);
    assert_int_equal(wasm_begin(r.inst, 2, &arg, 1), TN_OK);
    assert_int_equal(wasm_run(r.inst), WASM_PENDING);
    wasm_cancel(r.inst);
    assert_int_equal(wasm_begin(r.inst, 2, &arg, 1), TN_OK);
    rig_end(&r);
}

static void test_host_traps(void **state)
{
    (void)state;
    struct rig r;
    struct host h;
    struct wasm_binding b;
    rig_host(&r, &h, &b);
    wasm_value arg = 10;
    struct wasm_frame_info now[2], later[2];
    h.answer = WASM_TRAP;
    assert_int_equal(wasm_begin(r.inst, 2, &arg, 1), TN_OK);
    assert_int_equal(wasm_run(r.inst), WASM_TRAP);
    assert_string_equal(wasm_trap_text(r.inst), "the host says no");
    assert_int_equal(wasm_backtrace(r.inst, now, 2), 2);
    h.answer = WASM_PENDING;
    assert_int_equal(wasm_begin(r.inst, 2, &arg, 1), TN_OK);
    assert_null(wasm_trap_text(r.inst));
    assert_int_equal(wasm_run(r.inst), WASM_PENDING);
    wasm_resume_trap(r.inst, "it failed later");
    assert_int_equal(wasm_run(r.inst), WASM_TRAP);
    assert_string_equal(wasm_trap_text(r.inst), "it failed later");
    assert_int_equal(wasm_backtrace(r.inst, later, 2), 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(now[i].func, later[i].func);
        assert_int_equal(now[i].offset, later[i].offset);
    }
    rig_end(&r);
}

/* Function n calls n + 1; the last one divides by its argument. */
static void test_backtrace_of_trap(void **state)
{
    (void)state;
    struct test_module m;
    struct rig r;
    mod_begin(&m);
    mod_section(&m, 1, BYTES(1, TYPE_I32_I32));
    mod_section(&m, 3, BYTES(3, 0, 0, 0));
    mod_open(&m, 10);
    mod_put(&m, BYTES(3));
    uint32_t at[3];
    at[0] = (uint32_t)m.len + 5 + 3;
    mod_body(&m, BYTES(0, GET(0), 0x10, 1, 0x0b));
    at[1] = (uint32_t)m.len + 5 + 4;
    mod_body(&m, BYTES(0, 0x01, GET(0), 0x10, 2, 0x0b));
    at[2] = (uint32_t)m.len + 5 + 5;
    mod_body(&m, BYTES(0, I32(1), GET(0), 0x6d, 0x0b));
    mod_close(&m);
    rig_load(&r, &m);
    rig_make(&r);
    wasm_value arg = 0;
    struct wasm_frame_info f[3];
    assert_int_equal(wasm_begin(r.inst, 0, &arg, 1), TN_OK);
    assert_int_equal(wasm_backtrace(r.inst, f, 3), 1);
    assert_int_equal(wasm_run(r.inst), WASM_TRAP);
    assert_string_equal(wasm_trap_text(r.inst), "integer divide by zero");
    assert_int_equal(wasm_backtrace(r.inst, f, 1), 3);
    assert_int_equal(wasm_backtrace(r.inst, f, 3), 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(f[i].func, 2 - i);
        assert_int_equal(f[i].offset, at[2 - i]);
        assert_int_equal(f[i].name_len, 0);
    }
    rig_end(&r);
}

/* f(n) = n == 0 ? 0 : f(n - 1): n + 1 calls deep, two slots each. */
static void recursion_module(struct test_module *m)
{
    mod_begin(m);
    mod_section(m, 1, BYTES(1, TYPE_I32_I32));
    mod_section(m, 3, BYTES(1, 0));
    mod_open(m, 10);
    mod_put(m, BYTES(1));
    mod_body(m,
             BYTES(0, GET(0), 0x04, 0x7f, GET(0), I32(1), 0x6b, 0x10, 0, 0x05, I32(0), 0x0b, 0x0b));
    mod_close(m);
}

static enum wasm_status recurse(struct rig *r, wasm_value depth)
{
    assert_int_equal(wasm_begin(r->inst, 0, &depth, 1), TN_OK);
    return wasm_run(r->inst);
}

static void test_call_stack(void **state)
{
    (void)state;
    struct test_module m;
    struct rig r;
    recursion_module(&m);
    rig_load(&r, &m);
    rig_make(&r); /* 100 frames */
    assert_int_equal(recurse(&r, 99), WASM_DONE);
    assert_int_equal(recurse(&r, 100), WASM_TRAP);
    assert_string_equal(wasm_trap_text(r.inst), "call stack exhausted");
    assert_int_equal(wasm_backtrace(r.inst, NULL, 0), 100);
    assert_int_equal(recurse(&r, 99), WASM_DONE);
    wasm_destroy(r.inst);
    uint32_t frame = r.module->funcs[0].frame_slots;
    r.config.stack_slots = 49 + frame; /* 50 frames, each one slot further */
    rig_make(&r);
    assert_int_equal(recurse(&r, 49), WASM_DONE);
    assert_int_equal(recurse(&r, 50), WASM_TRAP);
    assert_string_equal(wasm_trap_text(r.inst), "call stack exhausted");
    wasm_destroy(r.inst);
    r.config.stack_slots = 0;
    rig_make(&r);
    assert_int_equal(recurse(&r, 0), WASM_TRAP);
    wasm_destroy(r.inst);
    r.config.stack_slots = 100;
    r.config.call_depth_max = 0;
    rig_make(&r);
    assert_int_equal(recurse(&r, 0), WASM_TRAP);
    rig_end(&r);
}

/* memory.fill(0, 7, 640), memory.copy(16, 0, 1000) in parts of any size. */
static void test_bulk_in_parts(void **state)
{
    (void)state;
    struct test_module m;
    struct rig r;
    mod_begin(&m);
    mod_section(&m, 1, BYTES(1, 0x60, 0, 0));
    mod_section(&m, 3, BYTES(1, 0));
    mod_section(&m, 5, BYTES(1, 0, 1));
    mod_open(&m, 10);
    mod_put(&m, BYTES(1));
    mod_body(&m, BYTES(0, I32(0), I32(7), 0x41, 0x80, 5, 0xfc, 0x0b, 0,  /* fill 640 */
                       I32(16), I32(1), 0x41, 0xe8, 7, 0xfc, 0x0a, 0, 0, /* copy 1000 */
                       0x0b));
    mod_close(&m);
    rig_load(&r, &m);
    uint8_t want[2048] = {0};
    for (uint64_t slice = 0; slice < 30; slice++) {
        rig_make(&r);
        uint64_t bytes, given = 0;
        uint8_t *mem = wasm_memory(r.inst, &bytes);
        assert_int_equal(bytes, WASM_PAGE_BYTES);
        for (uint32_t i = 0; i < 2048; i++)
            mem[i] = (uint8_t)(i * 31 >> 3);
        memcpy(want, mem, sizeof want);
        memset(want, 7, 640);
        memmove(want + 16, want + 1, 1000);
        if (slice > 0)
            wasm_fuel_set(r.inst, 0);
        uint64_t before = wasm_fuel_left(r.inst);
        assert_int_equal(wasm_begin(r.inst, 0, NULL, 0), TN_OK);
        while (wasm_run(r.inst) == WASM_FUEL) {
            assert_true(slice > 0 && given < 1000);
            wasm_fuel_set(r.inst, wasm_fuel_left(r.inst) + slice);
            given += slice;
        }
        assert_null(wasm_trap_text(r.inst));
        assert_memory_equal(mem, want, sizeof want);
        assert_int_equal(before + given - wasm_fuel_left(r.inst),
                         6 * FUEL_SIMPLE + 2 * FUEL_BULK + 10 + 16);
        wasm_destroy(r.inst);
    }
    r.inst = NULL;
    rig_end(&r);
}

static void test_memory_room(void **state)
{
    (void)state;
    struct test_module m;
    struct rig r;
    mod_begin(&m); /* memory.grow(n) of a memory of 1 page */
    mod_section(&m, 1, BYTES(1, TYPE_I32_I32));
    mod_section(&m, 3, BYTES(1, 0));
    mod_section(&m, 5, BYTES(1, 0, 1));
    mod_open(&m, 10);
    mod_put(&m, BYTES(1));
    mod_body(&m, BYTES(0, GET(0), 0x40, 0, 0x0b));
    mod_close(&m);
    rig_load(&r, &m);
    rig_make(&r);
    size_t bytes = wasm_instance_bytes(r.inst);
    static const struct {
        uint32_t more, want;
    } grows[] = {{16, UINT32_MAX}, {2, 1}, {0, 3}, {13, 3}, {1, UINT32_MAX}, {0, 16}};
    for (size_t i = 0; i < ARRAY_LEN(grows); i++) {
        assert_int_equal(recurse(&r, grows[i].more), WASM_DONE);
        assert_int_equal(wasm_results(r.inst)[0], grows[i].want);
    }
    assert_int_equal(wasm_instance_bytes(r.inst) - bytes, 15 * WASM_PAGE_BYTES);
    assert_non_null(wasm_memory_range(r.inst, 16 * WASM_PAGE_BYTES - 1, 1));
    assert_non_null(wasm_memory_range(r.inst, 16 * WASM_PAGE_BYTES, 0));
    assert_null(wasm_memory_range(r.inst, 16 * WASM_PAGE_BYTES, 1));
    assert_null(wasm_memory_range(r.inst, 1, UINT32_MAX));
    wasm_destroy(r.inst);
    r.config.memory_max_pages = 0;
    struct wasm_error e;
    assert_int_equal(wasm_instantiate(r.module, &r.alloc.alloc, &r.config, &r.inst, &e), TN_ELIMIT);
    assert_non_null(strstr(e.text, "memory_max_pages"));
    r.inst = NULL;
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fuel_is_exact),
        cmocka_unit_test(test_fuel_in_parts),
        cmocka_unit_test(test_unpaid_block_is_not_entered),
        cmocka_unit_test(test_host_done),
        cmocka_unit_test(test_pending_and_canonical_frame),
        cmocka_unit_test(test_host_traps),
        cmocka_unit_test(test_backtrace_of_trap),
        cmocka_unit_test(test_call_stack),
        cmocka_unit_test(test_bulk_in_parts),
        cmocka_unit_test(test_memory_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
