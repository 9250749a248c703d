/* cell_test.c: mailboxes and cell pools at their limits. */
#include "kernel/mem/stub_test.h"

#include "kernel/actor/cell.h"

enum { MIB = 1 << 20, CHUNK_CELLS = 15, POOL_CELLS = CELL_POOL_CHUNKS * CHUNK_CELLS };

static const struct cpu *const here = (const struct cpu *)64, *const elsewhere =
                                                                  (const struct cpu *)128;

/* Takes and gives back at both doors; never more than the capacity, and all of it at either. */
static void test_credits(void **state)
{
    (void)state;
    static const uint32_t capacities[] = {1, 2, 3, 64, TN_MAILBOX_MAX};
    for (uint32_t k = 0; k < ARRAY_LEN(capacities); k++) {
        struct mbox mbox;
        uint32_t capacity = capacities[k], away = 0;
        mbox_init(&mbox, capacity);
        assert_false(mbox_reserve_away(&mbox)); /* all are at the home's door at first */
        for (uint32_t i = 0; i < capacity; i++)
            assert_true(mbox_reserve(&mbox));
        assert_false(mbox_reserve(&mbox));
        assert_false(mbox_share(&mbox));
        for (uint32_t i = 0; i < capacity; i++)
            mbox_credit(&mbox);
        while (mbox_reserve_away(&mbox) || mbox_share(&mbox))
            away++;
        assert_int_equal(away, capacity);
        for (uint32_t i = 0; i < capacity; i++)
            mbox_credit_away(&mbox, 1);
        for (uint32_t i = 0; i < capacity; i++)
            assert_true(mbox_reserve(&mbox)); /* the home takes them back */
        assert_false(mbox_reserve(&mbox));
        assert_false(mbox_reserve_away(&mbox));
    }
    EXPECT_PANIC(mbox_init(&(struct mbox){.first = NULL}, TN_MAILBOX_MAX + 1));
    EXPECT_PANIC(mbox_init(&(struct mbox){.first = NULL}, 0));
}

static void expect_in_order(struct mbox *mbox, struct cell *cells, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        assert_ptr_equal(mbox_take(mbox), &cells[i]);
    assert_null(mbox_take(mbox));
}

/* Through one door, through the other, and changing between them. */
static void test_first_in_first_out(void **state)
{
    (void)state;
    struct cell cells[8];
    struct mbox mbox;
    mbox_init(&mbox, 8);
    assert_null(mbox_take(&mbox));
    for (uint32_t doors = 0; doors < 256; doors++) {
        bool pushed = false; /* something is in the stack */
        for (uint32_t i = 0; i < 8; i++) {
            if ((doors >> i & 1) != 0) {
                assert_int_equal(mbox_push(&mbox, &cells[i], &cells[i]), !pushed);
                pushed = true;
            } else {
                mbox_put(&mbox, &cells[i]);
                pushed = false;
            }
        }
        mbox_collect(&mbox);
        expect_in_order(&mbox, cells, 8);
    }
    mbox_collect(&mbox);
    assert_null(mbox_take(&mbox));
}

/* Every cell that there can be, given back on the pool's CPU or from elsewhere. */
static void test_pool_limit(void **state)
{
    (void)state;
    struct cells_back back = {0};
    static struct cell *cells[POOL_CELLS];
    struct stub_arena arena;
    struct cell_pool *pool = NULL;
    arena_open(&arena, 64 * MIB);
    uint64_t used = mem_stats(arena.root).used_bytes;
    assert_int_equal(cell_pool_make(arena.root, here, &pool), TN_OK);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < POOL_CELLS; i++) {
            cells[i] = cell_take(pool);
            assert_non_null(cells[i]);
        }
        assert_null(cell_take(pool));
        for (uint32_t i = 0; i < POOL_CELLS; i++)
            cell_give((i + round) % 2 == 0 ? here : elsewhere, &back, cells[i]);
        cells_back_flush(&back);
    }
    cell_pool_close(pool);
    assert_int_equal(mem_stats(arena.root).used_bytes, used);
    arena_close(&arena);
}

/* The pool's memory stays until the last cell is back, whoever gives it. */
static void test_pool_closes(void **state)
{
    (void)state;
    struct cells_back back = {0};
    for (uint32_t out = 0; out < 2 * CHUNK_CELLS; out++) {
        struct cell *cells[2 * CHUNK_CELLS];
        struct stub_arena arena;
        struct cell_pool *pool = NULL;
        arena_open(&arena, 2 * MIB);
        uint64_t used = mem_stats(arena.root).used_bytes;
        assert_int_equal(cell_pool_make(arena.root, here, &pool), TN_OK);
        for (uint32_t i = 0; i < ARRAY_LEN(cells); i++)
            cells[i] = cell_take(pool);
        for (uint32_t i = out; i < ARRAY_LEN(cells); i++)
            cell_give(i % 2 == 0 ? here : elsewhere, &back, cells[i]);
        cells_back_flush(&back);
        cell_pool_close(pool);
        for (uint32_t i = 0; i < out; i++) {
            assert_true(mem_stats(arena.root).used_bytes > used);
            cell_give(i % 2 == 0 ? here : elsewhere, &back, cells[i]);
            if (i % 3 != 0) /* two come back together */
                cells_back_flush(&back);
        }
        cells_back_flush(&back);
        assert_int_equal(mem_stats(arena.root).used_bytes, used);
        arena_close(&arena);
    }
    cell_pool_close(NULL);
    block_free(NULL);
}

static void test_memory_runs_out(void **state)
{
    (void)state;
    struct stub_arena arena;
    struct untyped *small = NULL;
    struct cell_pool *pool = NULL;
    arena_open(&arena, 2 * MIB);
    assert_int_equal(untyped_make(arena.root, MEM_UNTYPED_MIN, &small), TN_OK);
    assert_int_equal(cell_pool_make(small, here, &pool), TN_OK);
    struct block *block = NULL, *last = NULL;
    while ((block = block_make(small, 100)) != NULL)
        last = block;
    assert_non_null(last);
    assert_int_equal(last->len, 100);
    assert_null(block_make(small, TN_ARGS_MAX));
    /* What is left, if anything, is of other sizes; a failure leaves the pool as it was. */
    struct cell *cell = NULL;
    uint32_t n = 0;
    while ((cell = cell_take(pool)) != NULL)
        n++;
    assert_true(n % CHUNK_CELLS == 0);
    tn_err err = TN_OK;
    for (uint32_t i = 0; i < MEM_UNTYPED_MIN && err == TN_OK; i++)
        err = cell_pool_make(small, here, &pool);
    assert_int_equal(err, TN_ENOMEM);
    arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_credits),         cmocka_unit_test(test_first_in_first_out),
        cmocka_unit_test(test_pool_limit),      cmocka_unit_test(test_pool_closes),
        cmocka_unit_test(test_memory_runs_out),
    };
    return cmocka_run_group_tests_name("cell", tests, NULL, NULL);
}
