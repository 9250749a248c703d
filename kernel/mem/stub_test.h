/* stub_test.h: the little of a machine that one CPU of the kernel core needs in a unit test: memory
 * that is counted when it goes back, and a panic that a test can expect. Included by one file of a
 * test program. */
#ifndef KERNEL_MEM_STUB_TEST_H
#define KERNEL_MEM_STUB_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/bits.h"
#include "kernel/machine.h"
#include "kernel/mem/limbo.h"
#include "kernel/mem/mem.h"

static jmp_buf stub_panic_jump;
static bool stub_panic_expected;
static uint64_t stub_releases, stub_released_bytes;

void machine_panic(const char *what, const char *file, int line)
{
    if (stub_panic_expected)
        longjmp(stub_panic_jump, 1);
    fprintf(stderr, "panic: %s (%s:%d)\n", what, file, line);
    abort();
}

void machine_relax(void)
{
    fail_msg("one CPU spins on a lock that nobody drops");
}

void machine_pages_release(void *at, size_t bytes)
{
    assert_true((uintptr_t)at % MEM_RELEASE == 0 && bytes > 0 && bytes % MEM_RELEASE == 0);
    stub_releases++;
    stub_released_bytes += bytes;
    assert_int_equal(madvise(at, bytes, MADV_DONTNEED), 0);
}

/* `call` must end in machine_panic. */
#define EXPECT_PANIC(call)                       \
    do {                                         \
        stub_panic_expected = true;              \
        if (setjmp(stub_panic_jump) == 0) {      \
            call;                                \
            stub_panic_expected = false;         \
            fail_msg("%s did not panic", #call); \
        }                                        \
        stub_panic_expected = false;             \
        race_lock_forget();                      \
    } while (0)

/* Memory as a machine hands it over, and its limbo: what most tests start from. */
struct stub_arena {
    void *map, *base;
    uint64_t bytes;
    struct limbo limbo;
    struct untyped *root;
};

static inline void arena_open(struct stub_arena *arena, uint64_t bytes)
{
    arena->bytes = bytes;
    arena->map = mmap(NULL, bytes + MEM_RELEASE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(arena->map != MAP_FAILED);
    arena->base = (void *)align_up((uintptr_t)arena->map, MEM_RELEASE);
    limbo_init(&arena->limbo, 1);
    assert_int_equal(untyped_boot(arena->base, bytes, &arena->limbo, &arena->root), TN_OK);
}

static inline void arena_close(struct stub_arena *arena)
{
    assert_int_equal(munmap(arena->map, arena->bytes + MEM_RELEASE), 0);
}

static uint64_t stub_random_state = 1;

static inline uint32_t stub_random(uint32_t below)
{
    stub_random_state = stub_random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((stub_random_state >> 33) % below);
}

#endif
