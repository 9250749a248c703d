/* mem_test.c: what untyped memory promises with any arena: limits, alignment, clearing, exactness,
 * exhaustion, and random histories against an independent account. */
#include "kernel/mem/stub_test.h"

#include "kernel/mem/mem_int.h"

enum { MIB = 1 << 20 };

static void test_boot_arguments(void **state)
{
    (void)state;
    struct stub_arena arena;
    arena_open(&arena, 4 * MIB);
    struct untyped *untouched = arena.root, *root = untouched;
    char *base = arena.base;
    assert_int_equal(untyped_boot(NULL, MIB, &arena.limbo, &root), TN_EINVAL);
    assert_int_equal(untyped_boot(base + MEM_PAGE, MIB, &arena.limbo, &root), TN_EINVAL);
    assert_int_equal(untyped_boot(base, MIB + 1, &arena.limbo, &root), TN_EINVAL);
    assert_int_equal(untyped_boot(base, MEM_UNTYPED_MIN - MEM_PAGE, &arena.limbo, &root),
                     TN_EINVAL);
    assert_int_equal(untyped_boot(base, 0, &arena.limbo, &root), TN_EINVAL);
    assert_int_equal(untyped_boot(base, MEM_UNTYPED_MAX + MEM_PAGE, &arena.limbo, &root),
                     TN_ETOOBIG);
    assert_ptr_equal(root, untouched);
    assert_int_equal(untyped_boot(base + 2 * MIB, MEM_UNTYPED_MIN, &arena.limbo, &root), TN_OK);
    mem_check(root);
    assert_int_equal(mem_stats(root).free_bytes, 3 * MEM_PAGE);
    assert_ptr_equal(untyped_of(untyped_object(root)), root);
    arena_close(&arena);
}

static void test_largest(void **state)
{
    (void)state;
    struct stub_arena arena;
    arena_open(&arena, MEM_UNTYPED_MAX);
    assert_int_equal(mem_stats(arena.root).size_bytes, MEM_UNTYPED_MAX);
    struct untyped *half = NULL;
    assert_int_equal(untyped_make(arena.root, MEM_UNTYPED_MAX, &half), TN_ENOMEM);
    assert_int_equal(untyped_make(arena.root, MEM_UNTYPED_MAX / 2, &half), TN_OK);
    assert_int_equal(mem_stats(half).size_bytes, MEM_UNTYPED_MAX / 2);
    assert_non_null(mem_alloc(half, MEM_PAGE));
    arena_close(&arena);
}

static void test_make_arguments(void **state)
{
    (void)state;
    struct stub_arena arena;
    arena_open(&arena, 4 * MIB);
    struct untyped *child = NULL;
    assert_int_equal(untyped_make(arena.root, 0, &child), TN_EINVAL);
    assert_int_equal(untyped_make(arena.root, MEM_UNTYPED_MIN - 1, &child), TN_EINVAL);
    assert_int_equal(untyped_make(arena.root, 4 * MIB, &child), TN_ENOMEM);
    assert_int_equal(untyped_make(arena.root, MEM_UNTYPED_MAX + 1, &child), TN_ENOMEM);
    assert_int_equal(untyped_make(arena.root, UINT64_MAX, &child), TN_ENOMEM);
    assert_null(child);
    assert_int_equal(mem_stats(arena.root).used_bytes, 0);
    assert_int_equal(untyped_make(arena.root, MEM_UNTYPED_MIN, &child), TN_OK);
    assert_int_equal(mem_stats(child).size_bytes, MEM_UNTYPED_MIN);
    assert_int_equal(untyped_make(arena.root, MEM_UNTYPED_MIN + 1, &child), TN_OK);
    assert_int_equal(mem_stats(child).size_bytes, 2 * MEM_UNTYPED_MIN);
    assert_int_equal(mem_stats(arena.root).used_bytes, 3 * MEM_UNTYPED_MIN);
    mem_check(arena.root);
    mem_check(child);
    arena_close(&arena);
}

static bool all_zero(const void *at, size_t bytes)
{
    const uint8_t *byte = at;
    return bytes == 0 || (byte[0] == 0 && memcmp(byte, byte + 1, bytes - 1) == 0);
}

static uint64_t align_wanted(size_t bytes)
{
    if (bytes >= MEM_PAGE)
        return MEM_PAGE;
    if (bytes >= 16 && (bytes & (bytes - 1)) == 0)
        return bytes;
    return bytes % 64 == 0 ? 64 : 16;
}

static void test_alignment_and_clearing(void **state)
{
    (void)state;
    struct stub_arena arena;
    arena_open(&arena, 4 * MIB);
    for (size_t bytes = 1; bytes <= 3 * MEM_PAGE + 1; bytes++) {
        void *at[3];
        for (uint32_t round = 0; round < 2; round++) {
            for (uint32_t i = 0; i < 3; i++) {
                at[i] = mem_alloc(arena.root, bytes);
                assert_non_null(at[i]);
                assert_int_equal((uintptr_t)at[i] % align_wanted(bytes), 0);
                assert_true(all_zero(at[i], bytes));
                memset(at[i], 0xa5, bytes);
            }
            for (uint32_t i = 0; i < 3; i++)
                mem_free(arena.root, at[i], bytes);
        }
    }
    mem_free(arena.root, NULL, 16);
    mem_check(arena.root);
    assert_int_equal(mem_stats(arena.root).used_bytes, 0);
    arena_close(&arena);
}

static void test_charged_by_pages(void **state)
{
    (void)state;
    struct stub_arena arena;
    arena_open(&arena, 64 * MEM_PAGE);
    uint64_t before = mem_stats(arena.root).free_bytes;
    void *five = mem_alloc(arena.root, 5 * MEM_PAGE);
    assert_non_null(five);
    assert_int_equal(mem_stats(arena.root).used_bytes, 5 * MEM_PAGE);
    assert_int_equal(mem_stats(arena.root).free_bytes, before - 5 * MEM_PAGE);
    mem_check(arena.root);
    uint64_t pages = 0;
    while (mem_alloc(arena.root, MEM_PAGE) != NULL)
        pages++;
    assert_int_equal(pages, before / MEM_PAGE - 5);
    assert_int_equal(mem_stats(arena.root).free_bytes, 0);
    assert_int_equal(mem_stats(arena.root).peak_bytes, before);
    mem_free(arena.root, five, 5 * MEM_PAGE);
    assert_int_equal(mem_stats(arena.root).peak_bytes, before);
    assert_null(mem_alloc(arena.root, SIZE_MAX));
    assert_null(mem_alloc(arena.root, 6 * MEM_PAGE));
    assert_null(mem_alloc(arena.root, 65 * MEM_PAGE));
    mem_check(arena.root);
    arena_close(&arena);
}

/* `bytes` if there is room for so many in a row, else 0. */
static uint64_t mem_alloc_and_free(struct untyped *untyped, uint64_t bytes)
{
    void *at = mem_alloc(untyped, bytes);
    mem_free(untyped, at, bytes);
    return at != NULL ? bytes : 0;
}

/* Whatever the size, all pages after the head can be had, and come together again. */
static void test_odd_sizes(void **state)
{
    (void)state;
    for (uint64_t pages = 4; pages < 1300; pages += 1 + pages / 7) {
        struct stub_arena arena;
        arena_open(&arena, pages * MEM_PAGE);
        mem_check(arena.root);
        uint64_t largest = UINT64_C(1) << log2_floor(arena.root->pages - arena.root->head_pages);
        while (mem_alloc_and_free(arena.root, largest * MEM_PAGE) == 0)
            largest /= 2;
        uint32_t n = 0;
        void *at[1300];
        while ((at[n] = mem_alloc(arena.root, MEM_PAGE)) != NULL)
            memset(at[n++], 0xff, MEM_PAGE);
        assert_int_equal(n, arena.root->pages - arena.root->head_pages);
        for (uint32_t i = 0; i < n; i++) /* all of them, in no order: 7919 is prime */
            mem_free(arena.root, at[(uint64_t)i * 7919 % n], MEM_PAGE);
        mem_check(arena.root);
        assert_int_equal(mem_alloc_and_free(arena.root, largest * MEM_PAGE), largest * MEM_PAGE);
        arena_close(&arena);
    }
}

static void test_no_leak(void **state)
{
    (void)state;
    struct stub_arena arena;
    arena_open(&arena, 8 * MIB);
    struct mem_stats before = mem_stats(arena.root);
    for (uint32_t i = 0; i < 100000; i++) {
        struct untyped *child = NULL;
        assert_int_equal(untyped_make(arena.root, MEM_UNTYPED_MIN, &child), TN_OK);
        void *at = mem_alloc(child, 1 + i % (2 * MEM_PAGE));
        assert_non_null(at);
        object_unref(untyped_object(child));
        limbo_drain(&arena.limbo);
        assert_true(mem_stats(arena.root).used_bytes != 0);
        mem_free(child, at, 1 + i % (2 * MEM_PAGE));
        assert_int_equal(mem_stats(arena.root).used_bytes, 0);
    }
    mem_check(arena.root);
    struct mem_stats after = mem_stats(arena.root);
    assert_int_equal(after.free_bytes, before.free_bytes);
    arena_close(&arena);
}

/* An untyped outlives its last ref until all made from it is gone, children included. */
static void test_end_of_a_chain(void **state)
{
    (void)state;
    struct stub_arena arena;
    arena_open(&arena, 64 * MIB);
    struct untyped *chain[8] = {arena.root};
    for (uint32_t i = 1; i < ARRAY_LEN(chain); i++)
        assert_int_equal(untyped_make(chain[i - 1], 32 * MIB >> i, &chain[i]), TN_OK);
    void *last = mem_alloc(chain[7], 100);
    for (uint32_t i = 1; i < ARRAY_LEN(chain); i++)
        object_unref(untyped_object(chain[i]));
    limbo_drain(&arena.limbo);
    void *late = mem_alloc(chain[3], 5 * MEM_PAGE);
    assert_non_null(late);
    for (uint32_t i = 0; i < ARRAY_LEN(chain); i++)
        mem_check(chain[i]);
    mem_free(chain[7], last, 100);
    assert_int_equal(mem_stats(chain[3]).used_bytes, 5 * MEM_PAGE);
    mem_free(chain[3], late, 5 * MEM_PAGE);
    assert_int_equal(mem_stats(arena.root).used_bytes, 16 * MIB); /* until it is given back */
    limbo_drain(&arena.limbo);
    assert_int_equal(mem_stats(arena.root).used_bytes, 0);
    mem_check(arena.root);
    object_unref(untyped_object(arena.root));
    limbo_drain(&arena.limbo);
    arena_close(&arena);
}

/* What is up to MEM_GIVE comes back at once, what is more in parts of that size, and an untyped
 * with it; each part can be had as soon as it is back. */
static void test_given_back_in_parts(void **state)
{
    (void)state;
    for (uint64_t parts = 1; parts <= 5; parts++) {
        for (uint64_t over = 0; over < 2; over++) {
            struct stub_arena arena;
            arena_open(&arena, 64 * MIB);
            uint64_t bytes = parts * MEM_GIVE - 1 + over * 2;
            struct untyped *child = NULL;
            assert_int_equal(untyped_make(arena.root, 32 * MIB, &child), TN_OK);
            void *at = mem_alloc(child, bytes);
            assert_non_null(at);
            uint64_t used = mem_stats(child).used_bytes;
            mem_free(child, at, bytes);
            uint64_t steps = parts + over > 1 ? parts + over : 0;
            assert_int_equal(limbo_goes_on(&arena.limbo), steps > 0);
            assert_int_equal(mem_stats(child).used_bytes, steps > 0 ? used : 0);
            for (uint64_t i = 1; i <= steps; i++) {
                assert_int_equal(limbo_reap(&arena.limbo, 9), i < steps);
                assert_int_equal(mem_stats(child).used_bytes, (steps - i) * MEM_GIVE);
                mem_check(child);
            }
            object_unref(untyped_object(child));
            for (uint64_t i = 0; i < 32 * MIB / MEM_GIVE; i++)
                assert_true(limbo_reap(&arena.limbo, 9));
            assert_int_equal(mem_stats(arena.root).used_bytes, MEM_GIVE);
            assert_false(limbo_reap(&arena.limbo, 9));
            assert_int_equal(mem_stats(arena.root).used_bytes, 0);
            arena_close(&arena);
        }
    }
}

/* Who finds no room gives back some of what is going, but not all of it in one go; and what goes
 * keeps its untyped alive. */
static void test_helps_itself(void **state)
{
    (void)state;
    struct stub_arena arena;
    arena_open(&arena, 256 * MIB);
    struct untyped *child = NULL;
    assert_int_equal(untyped_make(arena.root, 128 * MIB, &child), TN_OK);
    void *all = mem_alloc(child, 64 * MIB), *late = NULL;
    while (mem_alloc(child, MEM_GIVE) != NULL)
        continue;
    while (mem_alloc(child, MEM_PAGE) != NULL)
        continue;
    while ((late = mem_alloc(child, 32)) != NULL)
        continue;
    assert_non_null(all);
    mem_free(child, all, 64 * MIB);
    late = mem_alloc(child, 32);
    assert_non_null(late);
    assert_null(mem_alloc(child, 32 * MIB)); /* eight more parts are 16 MiB */
    mem_check(child);
    for (uint32_t i = 0; mem_alloc(child, 32 * MIB) == NULL; i++)
        assert_true(i < 3);
    while (mem_give_back(child))
        continue;
    mem_check(child);
    assert_null(mem_alloc(child, 32 * MIB));
    limbo_drain(&arena.limbo);
    arena_close(&arena);
}

static void expect_free_panics(struct untyped *root, void *at, size_t bytes)
{
    EXPECT_PANIC(mem_free(root, at, bytes));
    at_store(&root->lock.held, 0, RELAXED);
}

/* What every arena notices. */
static void test_our_own_mistakes_end_the_kernel(void **state)
{
    (void)state;
    struct stub_arena arena;
    arena_open(&arena, 4 * MIB);
    char *small = mem_alloc(arena.root, 100), *block = mem_alloc(arena.root, 3 * MEM_PAGE);
    expect_free_panics(arena.root, small + 16, 100);
    expect_free_panics(arena.root, block + 16, 3 * MEM_PAGE);
    expect_free_panics(arena.root, arena.root, 100);
    expect_free_panics(arena.root, (char *)arena.root + 4 * MIB, 100);
    EXPECT_PANIC(mem_alloc(arena.root, 0));
    mem_free(arena.root, small, 100);
    mem_free(arena.root, block, 3 * MEM_PAGE);
    expect_free_panics(arena.root, small, 100);
    expect_free_panics(arena.root, block, 3 * MEM_PAGE);
    mem_check(arena.root);
    arena_close(&arena);
}

/* The independent account: what is out, and what it should have been charged. */
struct account {
    struct {
        uint8_t *at;
        size_t bytes;
        struct untyped *from;
        uint8_t fill;
    } out[400];
    uint32_t count;
};

static uint64_t charge_of(const struct account *account, const struct untyped *from)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < account->count; i++)
        if (account->out[i].from == from)
            sum += arena_charge(account->out[i].bytes);
    return sum;
}

static size_t random_bytes(void)
{
    switch (stub_random(8)) {
    case 0:
        return (size_t)MEM_PAGE * (1 + stub_random(600));
    case 1:
    case 2:
        return 1 + stub_random(20 * MEM_PAGE);
    default:
        return 1 + stub_random(MEM_SLAB_MAX);
    }
}

static void random_alloc(struct account *account, struct untyped *from)
{
    size_t bytes = random_bytes();
    uint8_t *at = mem_alloc(from, bytes);
    if (at == NULL) {
        assert_true(bytes > MEM_PAGE || mem_stats(from).free_bytes < 24 * MEM_PAGE);
        return;
    }
    assert_true(all_zero(at, bytes));
    assert_int_equal((uintptr_t)at % align_wanted(bytes), 0);
    uint8_t fill = (uint8_t)(1 + stub_random(255));
    memset(at, fill, bytes);
    uint32_t i = account->count++;
    account->out[i].at = at;
    account->out[i].bytes = bytes;
    account->out[i].from = from;
    account->out[i].fill = fill;
}

static void random_free(struct account *account)
{
    uint32_t i = stub_random(account->count);
    uint8_t *at = account->out[i].at;
    size_t bytes = account->out[i].bytes;
    assert_int_equal(at[0], account->out[i].fill);
    assert_memory_equal(at, at + 1, bytes - 1);
    mem_free(account->out[i].from, at, bytes);
    account->out[i] = account->out[--account->count];
}

static void test_random_histories(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 30; seed++) {
        stub_random_state = seed;
        struct stub_arena arena;
        arena_open(&arena, (8 + seed) * MIB + seed * MEM_PAGE);
        struct untyped *from[3] = {arena.root};
        assert_int_equal(untyped_make(arena.root, 4 * MIB, &from[1]), TN_OK);
        assert_int_equal(untyped_make(from[1], 256 * 1024, &from[2]), TN_OK);
        uint64_t children[3] = {4 * MIB, 256 * 1024, 0};
        struct account account = {.count = 0};
        uint32_t lean = 30;
        for (uint32_t op = 0; op < 3000; op++) {
            if (op % 500 == 0)
                lean = 30 + stub_random(40);
            bool out = account.count < ARRAY_LEN(account.out) && stub_random(100) < lean;
            if (out || account.count == 0)
                random_alloc(&account, from[stub_random(3)]);
            else
                random_free(&account);
            if (op % 100 != 0)
                continue;
            for (uint32_t i = 0; i < 3; i++) {
                mem_check(from[i]);
                while (mem_give_back(from[i]))
                    mem_check(from[i]);
                assert_int_equal(mem_stats(from[i]).used_bytes,
                                 charge_of(&account, from[i]) + children[i]);
            }
        }
        while (account.count > 0)
            random_free(&account);
        object_unref(untyped_object(from[1]));
        object_unref(untyped_object(from[2]));
        limbo_drain(&arena.limbo);
        mem_check(arena.root);
        assert_int_equal(mem_stats(arena.root).used_bytes, 0);
        arena_close(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boot_arguments),
        cmocka_unit_test(test_largest),
        cmocka_unit_test(test_make_arguments),
        cmocka_unit_test(test_alignment_and_clearing),
        cmocka_unit_test(test_charged_by_pages),
        cmocka_unit_test(test_odd_sizes),
        cmocka_unit_test(test_no_leak),
        cmocka_unit_test(test_end_of_a_chain),
        cmocka_unit_test(test_given_back_in_parts),
        cmocka_unit_test(test_helps_itself),
        cmocka_unit_test(test_our_own_mistakes_end_the_kernel),
        cmocka_unit_test(test_random_histories),
    };
    return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
