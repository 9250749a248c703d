/* buddy_test.c: what the buddy arena does beyond what mem_test.c asks of any: how little it wastes,
 * holds back and touches, what it gives back to the machine, and which mistakes it notices. */
#include "kernel/mem/stub_test.h"

#include "kernel/mem/buddy_int.h"

enum { MIB = 1 << 20 };

static bool all_zero(const void *at, size_t bytes)
{
    const uint8_t *byte = at;
    return bytes == 0 || (byte[0] == 0 && memcmp(byte, byte + 1, bytes - 1) == 0);
}

static uint64_t charge_wanted(size_t bytes)
{
    static const size_t sizes[] = {32,  48,  64,  80,  96,  112, 128, 160, 192,  224,  256,
                                   288, 320, 352, 384, 448, 512, 640, 768, 1024, 1344, 2048};
    for (uint32_t i = 0; i < ARRAY_LEN(sizes); i++)
        if (bytes <= sizes[i])
            return sizes[i];
    return align_up(bytes, MEM_PAGE);
}

static void test_charged_by_classes_and_pages(void **state)
{
    (void)state;
    for (uint64_t bytes = 1; bytes <= 5 * MEM_PAGE; bytes++)
        assert_int_equal(arena_charge(bytes), charge_wanted(bytes));
}

/* Of the sizes that kernel objects have: what the class and the end of the page waste. */
static void test_small_sizes_waste_little(void **state)
{
    (void)state;
    for (uint32_t bytes = 64; bytes <= 384; bytes += 16) {
        uint32_t class = slab_class(bytes);
        assert_true(slab_bytes(class) >= bytes);
        assert_true(bytes % 64 != 0 || slab_bytes(class) == bytes);
        assert_in_range(slab_objects(class) * bytes, MEM_PAGE - MEM_PAGE / 8, MEM_PAGE);
    }
    for (uint32_t class = 1; class < MEM_CLASSES; class ++) {
        assert_true(slab_bytes(class) > slab_bytes(class - 1));
        assert_int_equal(slab_class(slab_bytes(class)), class);
    }
}

/* Empty slab pages and the warm block are given up before memory is said to be short. */
static void test_nothing_held_back(void **state)
{
    (void)state;
    struct stub_arena arena;
    arena_open(&arena, 8 * MIB);
    void *big = mem_alloc(arena.root, 4 * MIB);
    assert_non_null(big);
    mem_free(arena.root, big, 4 * MIB);
    while (mem_give_back(arena.root))
        continue;
    for (uint32_t class = 0; class < MEM_CLASSES; class ++)
        mem_free(arena.root, mem_alloc(arena.root, slab_bytes(class)), slab_bytes(class));
    void *page = mem_alloc(arena.root, MEM_PAGE);
    mem_free(arena.root, page, MEM_PAGE);
    mem_check(arena.root);
    uint64_t free_pages = mem_stats(arena.root).free_bytes / MEM_PAGE;
    big = mem_alloc(arena.root, 4 * MIB);
    assert_non_null(big);
    uint64_t pages = 0;
    while (mem_alloc(arena.root, MEM_PAGE) != NULL)
        pages++;
    assert_int_equal(pages, free_pages - 4 * MIB / MEM_PAGE);
    mem_check(arena.root);
    arena_close(&arena);
}

static void test_given_back(void **state)
{
    (void)state;
    struct stub_arena arena;
    arena_open(&arena, 256 * MIB);
    stub_releases = stub_released_bytes = 0;
    uint8_t *at = mem_alloc(arena.root, 64 * MIB);
    memset(at, 0xff, 64 * MIB);
    mem_free(arena.root, at, 64 * MIB);
    assert_int_equal(stub_releases, 0);
    /* No part is more than a block, and the first one is kept warm. */
    for (uint32_t i = 0; mem_give_back(arena.root); i++)
        assert_int_equal(stub_releases, i);
    assert_int_equal(stub_releases, 64 * MIB / MEM_GIVE - 1);
    assert_int_equal(stub_released_bytes, 64 * MIB - MEM_GIVE);
    mem_check(arena.root);
    /* Pages of it one by one: once for each block of MEM_RELEASE, but for the warm one. */
    static void *page[64 * MIB / MEM_PAGE];
    for (uint32_t i = 0; i < ARRAY_LEN(page); i++) {
        page[i] = mem_alloc(arena.root, MEM_PAGE);
        memset(page[i], 0xff, MEM_PAGE);
    }
    stub_releases = stub_released_bytes = 0;
    for (uint32_t i = 0; i < ARRAY_LEN(page); i++)
        mem_free(arena.root, page[i], MEM_PAGE);
    assert_in_range(stub_releases, 30, 32);
    assert_int_equal(stub_released_bytes, stub_releases * MEM_RELEASE);
    mem_check(arena.root);
    stub_releases = 0;
    for (uint32_t i = 0; i < 1000; i++)
        mem_free(arena.root, mem_alloc(arena.root, 3 * MEM_PAGE), 3 * MEM_PAGE);
    assert_int_equal(stub_releases, 0);
    at = mem_alloc(arena.root, 128 * MIB);
    assert_true(all_zero(at, 128 * MIB));
    arena_close(&arena);
}

/* The warm block does not draw its buddy's memory into a release of both. */
static void test_warm_block_stays_alone(void **state)
{
    (void)state;
    struct stub_arena arena;
    arena_open(&arena, 32 * MIB);
    uint8_t *at[12], *low = NULL;
    uint32_t n = 0;
    while (n < ARRAY_LEN(at) && (at[n] = mem_alloc(arena.root, MEM_RELEASE)) != NULL)
        n++;
    for (uint32_t i = 0; i < n && low == NULL; i++)
        for (uint32_t j = 0; j < n; j++)
            if ((size_t)(at[i] - (uint8_t *)arena.base) % (2 * MEM_RELEASE) == 0 &&
                at[j] == at[i] + MEM_RELEASE)
                low = at[i];
    assert_non_null(low);
    stub_releases = stub_released_bytes = 0;
    mem_free(arena.root, low, MEM_RELEASE);
    assert_int_equal(stub_releases, 0);
    mem_free(arena.root, low + MEM_RELEASE, MEM_RELEASE);
    assert_int_equal(stub_releases, 1);
    assert_int_equal(stub_released_bytes, MEM_RELEASE);
    mem_check(arena.root);
    arena_close(&arena);
}

static uint64_t resident_pages(const struct stub_arena *arena)
{
    uint64_t n = 0;
    size_t pages = arena->bytes / MEM_PAGE;
    unsigned char *in = malloc(pages);
    assert_int_equal(mincore(arena->base, arena->bytes, in), 0);
    for (size_t i = 0; i < pages; i++)
        n += in[i] & 1;
    free(in);
    return n;
}

/* What is larger than MEM_RELEASE is never cleared, whatever the memory went through before. */
static void test_clearing_is_bounded(void **state)
{
    (void)state;
    enum { OUT = 24, UNITS = 8, HEAD_PAGES = 70 };
    struct stub_arena arena;
    struct {
        uint8_t *at;
        size_t bytes;
    } out[OUT] = {0};
    uint32_t large = 0;
    arena_open(&arena, 64 * MIB);
    for (uint32_t op = 0; op < 300; op++) {
        uint32_t i = stub_random(OUT);
        mem_free(arena.root, out[i].at, out[i].bytes);
        out[i].bytes = stub_random(2) == 0
                           ? MEM_PAGE * (1 + stub_random(2 * MEM_RELEASE / MEM_PAGE))
                           : (size_t)MEM_RELEASE * (1 + stub_random(UNITS));
        uint64_t before = resident_pages(&arena);
        out[i].at = mem_alloc(arena.root, out[i].bytes);
        if (out[i].at == NULL)
            continue;
        if (out[i].bytes > MEM_RELEASE) {
            assert_true(resident_pages(&arena) < before + HEAD_PAGES); /* of the page map */
            large++;
        }
        assert_true(all_zero(out[i].at, out[i].bytes));
        memset(out[i].at, 1, out[i].bytes);
    }
    assert_true(large > 30);
    arena_close(&arena);
}

static void test_fresh_memory_not_touched(void **state)
{
    (void)state;
    struct stub_arena arena;
    arena_open(&arena, 1024 * (uint64_t)MIB);
    struct untyped *child = NULL;
    assert_non_null(mem_alloc(arena.root, 300 * MIB));
    assert_int_equal(untyped_make(arena.root, 256 * MIB, &child), TN_OK);
    assert_non_null(mem_alloc(child, 100 * MIB));
    assert_in_range(resident_pages(&arena), 1, 64);
    arena_close(&arena);
    arena_open(&arena, MEM_UNTYPED_MAX);
    assert_int_equal(untyped_make(arena.root, MEM_UNTYPED_MAX / 2, &child), TN_OK);
    assert_non_null(mem_alloc(child, MEM_UNTYPED_MAX / 4));
    arena_close(&arena);
}

static void corrupt_and_check(struct stub_arena *arena, uint8_t *byte)
{
    uint8_t was = *byte;
    *byte = (uint8_t)(was ^ 0x15);
    EXPECT_PANIC(mem_check(arena->root));
    *byte = was;
    at_store(&arena->root->lock.held, 0, RELAXED);
    mem_check(arena->root);
}

static void test_check_finds_breaches(void **state)
{
    (void)state;
    struct stub_arena arena;
    arena_open(&arena, 4 * MIB);
    struct untyped *root = arena.root;
    void *small = mem_alloc(root, 100), *other = mem_alloc(root, 100);
    uint8_t *block = mem_alloc(root, 3 * MEM_PAGE);
    mem_free(root, other, 100);
    struct page *map = page_map(root);
    struct buddy *buddy = buddy_of(root);
    size_t slab = (size_t)((char *)small - (char *)root) / MEM_PAGE;
    size_t first = (size_t)(block - (uint8_t *)root) / MEM_PAGE;
    uint32_t order = log2_floor(buddy->orders);
    corrupt_and_check(&arena, &map[slab].kind);
    corrupt_and_check(&arena, &map[slab].used);
    corrupt_and_check(&arena, &map[slab].class);
    corrupt_and_check(&arena, &map[slab].first);
    corrupt_and_check(&arena, (uint8_t *)other);
    corrupt_and_check(&arena, (uint8_t *)&map[first].next);
    corrupt_and_check(&arena, &map[first + 1].kind);
    corrupt_and_check(&arena, &map[buddy->free[order]].order);
    corrupt_and_check(&arena, &map[buddy->free[order]].kind);
    corrupt_and_check(&arena, (uint8_t *)&buddy->free[order]);
    corrupt_and_check(&arena, (uint8_t *)&buddy->orders);
    corrupt_and_check(&arena, (uint8_t *)&root->used_bytes);
    corrupt_and_check(&arena, (uint8_t *)&root->live);
    corrupt_and_check(&arena, (uint8_t *)&buddy->warm);
    corrupt_and_check(&arena, (uint8_t *)&buddy->away);
    arena_close(&arena);
}

static void expect_free_panics(struct untyped *root, void *at, size_t bytes)
{
    EXPECT_PANIC(mem_free(root, at, bytes));
    at_store(&root->lock.held, 0, RELAXED);
}

static void test_our_own_mistakes_end_the_kernel(void **state)
{
    (void)state;
    struct stub_arena arena;
    arena_open(&arena, 4 * MIB);
    char *small = mem_alloc(arena.root, 100), *block = mem_alloc(arena.root, 3 * MEM_PAGE);
    expect_free_panics(arena.root, small, 200);
    expect_free_panics(arena.root, small + 16, 100);
    expect_free_panics(arena.root, small + 128, 100);
    expect_free_panics(arena.root, small, MEM_PAGE);
    expect_free_panics(arena.root, block, 2 * MEM_PAGE);
    expect_free_panics(arena.root, block, 100);
    expect_free_panics(arena.root, block + MEM_PAGE, 2 * MEM_PAGE);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_charged_by_classes_and_pages),
        cmocka_unit_test(test_small_sizes_waste_little),
        cmocka_unit_test(test_nothing_held_back),
        cmocka_unit_test(test_given_back),
        cmocka_unit_test(test_warm_block_stays_alone),
        cmocka_unit_test(test_clearing_is_bounded),
        cmocka_unit_test(test_fresh_memory_not_touched),
        cmocka_unit_test(test_check_finds_breaches),
        cmocka_unit_test(test_our_own_mistakes_end_the_kernel),
    };
    return cmocka_run_group_tests_name("buddy", tests, NULL, NULL);
}
