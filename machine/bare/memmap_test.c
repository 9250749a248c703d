/* memmap_test.c: maps of memory, sensible and not, against a slow model of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bits.h"
#include "machine/bare/memmap.h"

enum { PAGE = 4096, PAGES = 64, ROUNDS = 2000 };

static void test_a_usual_map(void **state)
{
    (void)state;
    struct memmap map = {.n = 0};
    uint64_t base;
    assert_null(memmap_add(&map, 0x100000, 0x7ee0000, MACHINE_AVAILABLE));
    assert_null(memmap_add(&map, 0, 0x9fc00, MACHINE_AVAILABLE));
    assert_null(memmap_add(&map, 0x9fc00, 0x400, MACHINE_RESERVED));
    assert_null(memmap_add(&map, 0xf0000, 0x10000, MACHINE_RESERVED));
    assert_null(memmap_add(&map, 0x7fe0000, 0, MACHINE_RESERVED));
    assert_null(memmap_finish(&map));
    assert_int_equal(map.n, 4);
    assert_int_equal(map.at[0].bytes, 0x9f000); /* the page that is shared is reserved */
    assert_true(memmap_is(&map, 0x9f000, PAGE, MACHINE_RESERVED));
    assert_true(memmap_is(&map, 0x100000, 0x7ee0000, MACHINE_AVAILABLE));
    assert_false(memmap_is(&map, 0x100000, 0x7ee0001, MACHINE_AVAILABLE));
    assert_true(memmap_take(&map, 0x200000, 0x200000, 0x4000000, &base));
    assert_int_equal(base, 0x3e00000);
    assert_true(memmap_is(&map, base, 0x200000, MACHINE_RESERVED));
    assert_false(memmap_take(&map, 0x8000000, PAGE, UINT64_MAX, &base));
    assert_false(memmap_take(&map, PAGE, PAGE, PAGE - 1, &base));
    assert_int_equal(memmap_bytes(&map, MACHINE_AVAILABLE), 0x7ee0000 + 0x9f000 - 0x200000);
}

static void test_broken_maps(void **state)
{
    (void)state;
    struct memmap map = {.n = 0};
    assert_non_null(memmap_finish(&map));
    assert_non_null(memmap_add(&map, UINT64_MAX, 2, MACHINE_RESERVED));
    assert_non_null(memmap_add(&map, UINT64_MAX - PAGE, PAGE, MACHINE_RESERVED));
    assert_non_null(memmap_add(&map, PAGE, UINT64_MAX, MACHINE_AVAILABLE));
    assert_null(memmap_add(&map, 1, 2 * PAGE - 2, MACHINE_AVAILABLE)); /* no whole page */
    assert_non_null(memmap_finish(&map));
    map.n = 0;
    for (uint32_t i = 0; i < MEMMAP_MAX; i++)
        assert_null(memmap_add(&map, (uint64_t)i * 2 * PAGE, PAGE, MACHINE_AVAILABLE));
    assert_non_null(memmap_add(&map, 0, PAGE, MACHINE_AVAILABLE));
    assert_null(memmap_finish(&map));
    assert_int_equal(map.n, MEMMAP_MAX);
    /* Every second one split by a reserved page in it is more than fit. */
    map.n = 0;
    assert_null(memmap_add(&map, 0, 1000 * PAGE, MACHINE_AVAILABLE));
    for (uint32_t i = 1; i < MEMMAP_MAX; i++)
        assert_null(memmap_add(&map, (uint64_t)i * 2 * PAGE, PAGE, MACHINE_RESERVED));
    assert_non_null(memmap_finish(&map));
}

static uint64_t seed = 1;

static uint32_t draw(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % below);
}

/* What each page is, by looking at every range for each: 0 nothing, else 1 + its kind. */
static void model(const struct memmap *said, uint32_t ret[PAGES])
{
    for (uint64_t page = 0; page < PAGES; page++) {
        uint64_t from = page * PAGE, to = from + PAGE;
        ret[page] = 0;
        for (uint32_t i = 0; i < said->n; i++) {
            const struct memmap_range *r = &said->at[i];
            uint64_t end = r->base + r->bytes;
            bool all = r->base <= from && end >= to, some = r->base < to && end > from;
            if ((r->kind == MACHINE_AVAILABLE ? all : some) && ret[page] < 1 + (uint32_t)r->kind)
                ret[page] = 1 + (uint32_t)r->kind;
        }
    }
}

static void test_any_map_is_as_its_strictest_word(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct memmap map = {.n = 0};
        uint32_t want[PAGES];
        for (uint32_t n = 1 + draw(12); n > 0; n--) {
            uint64_t base = draw(PAGES * PAGE - 1), most = PAGES * PAGE - base;
            assert_null(memmap_add(&map, base, 1 + draw((uint32_t)most), draw(3)));
        }
        model(&map, want);
        const char *wrong = memmap_finish(&map);
        bool any = false;
        for (uint64_t page = 0; page < PAGES; page++) {
            for (uint32_t kind = 0; kind < 3; kind++)
                assert_int_equal(memmap_is(&map, page * PAGE, PAGE, kind), want[page] == 1 + kind);
            any |= want[page] == 1 + MACHINE_AVAILABLE;
        }
        assert_int_equal(wrong == NULL, any);
        for (uint32_t i = 1; i < map.n; i++)
            assert_true(map.at[i - 1].base + map.at[i - 1].bytes <= map.at[i].base);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_usual_map),
        cmocka_unit_test(test_broken_maps),
        cmocka_unit_test(test_any_map_is_as_its_strictest_word),
    };
    return cmocka_run_group_tests_name("memory map", tests, NULL, NULL);
}
