/* elf_machine_test.c: a component loaded into the Linux machine's own memory for code runs there,
 * and the memory is sealed: neither its text nor its data can be written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/elf/elf.h"

static const char *path;

static tn_err fake_yield(void)
{
    return 1234;
}

static tn_err fake_need(const char *name, uint32_t len, tn_cap *ret_cap)
{
    *ret_cap = len + (uint8_t)name[0];
    return TN_OK;
}

/* The kernel refuses to read a file into memory that may not be written, and does not fault. */
static bool writable(const void *at)
{
    int zero[2];
    assert_int_equal(pipe(zero), 0);
    assert_int_equal(write(zero[1], "", 1), 1);
    bool is = read(zero[0], (void *)(uintptr_t)at, 1) == 1;
    (void)close(zero[0]);
    (void)close(zero[1]);
    return is;
}

static void test_load_and_run(void **state)
{
    (void)state;
    static uint8_t bytes[256 * 1024];
    static const struct elf_import imports[] = {
        {"tn_need", (void (*)(void))fake_need},
        {"tn_yield", (void (*)(void))fake_yield},
    };
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    for (int round = 0; round < 3; round++) {
        struct elf_image image;
        struct elf_error error = {0};
        assert_int_equal(elf_load(elf_arch_host, bytes, len, imports, 2, &image, &error), TN_OK);
        uint64_t calls = 0;
        struct tn_turn turn = {0};
        struct tn_pack in = {0}, out = {0};
        assert_int_equal(image.component->call(&calls, &turn, &in, &out), 1234);
        assert_int_equal(out.caps[0], 4 + 'h');
        assert_int_equal(calls, 1);
        assert_false(writable(image.component));
        assert_false(writable((const void *)(uintptr_t)image.component->call));
        assert_true(writable(&calls));
        elf_unload(&image);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    path = argv[1];
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_load_and_run)};
    return cmocka_run_group_tests_name("elf_machine", tests, NULL, NULL);
}
