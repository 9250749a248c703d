/* ring_mirror_test.c: what is written on one side of a mirror is read on the other, in both
 * directions, and garbage in the ring or in the mirror poisons the mirror alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/ring_mirror.h"

enum { CAPACITY = 256, SIZE = RING_HEADER + CAPACITY, GUARD = 64 };

static struct world {
    _Alignas(RING_ALIGN) uint8_t guard0[GUARD];
    uint8_t shared[SIZE];
    uint8_t guard1[GUARD];
    uint8_t local[SIZE];
    uint8_t guard2[GUARD];
} world;
static struct ring_mirror mirror;
static struct ring_producer out;
static struct ring_consumer in;
static struct ring_exchange done;

static struct ring *ring_at(uint8_t *at)
{
    return (struct ring *)(void *)at;
}

static void begin(bool produces)
{
    memset(&world, 0x5a, sizeof(world));
    assert_int_equal(ring_format(world.shared, CAPACITY), TN_OK);
    assert_int_equal(ring_mirror_make(&mirror, produces, world.shared, SIZE, world.local), TN_OK);
    assert_int_equal(ring_produce(&out, produces ? world.local : world.shared, SIZE), TN_OK);
    assert_int_equal(ring_consume(&in, produces ? world.shared : world.local, SIZE), TN_OK);
}

static tn_err exchange(void)
{
    tn_err err = ring_mirror_exchange(&mirror, world.shared, world.local, &done);
    for (uint32_t i = 0; i < GUARD; i++)
        assert_true(world.guard0[i] == 0x5a && world.guard1[i] == 0x5a && world.guard2[i] == 0x5a);
    return err;
}

/* Records of all lengths, as many at a time as there is room for, in order. */
static void stream(bool produces)
{
    begin(produces);
    uint32_t written = 0, read = 0, most = (uint32_t)ring_record_max(CAPACITY);
    uint8_t data[CAPACITY], got[CAPACITY];
    while (read < 2000) {
        memset(data, (int)(written & 0xff), sizeof(data));
        while (ring_write(&out, data, written * 7 % (most + 1)) == TN_OK)
            memset(data, (int)(++written & 0xff), sizeof(data));
        ring_publish(&out);
        assert_int_equal(exchange(), TN_OK);
        uint32_t len, before = read;
        while (ring_read(&in, got, sizeof(got), &len) == TN_OK) {
            memset(data, (int)(read & 0xff), sizeof(data));
            assert_int_equal(len, read * 7 % (most + 1));
            assert_memory_equal(got, data, len);
            read++;
        }
        assert_true(read > before);
        ring_release(&in);
        assert_int_equal(exchange(), TN_OK);
    }
}

static void test_records_pass_both_ways(void **state)
{
    (void)state;
    stream(true);
    stream(false);
}

static void test_a_mirror_can_be_made_anew(void **state)
{
    (void)state;
    uint64_t number, got;
    uint32_t len;
    for (int produces = 0; produces < 2; produces++) {
        begin(produces == 1);
        for (number = 0; number < 3; number++)
            assert_int_equal(ring_write(&out, &number, 8), TN_OK);
        ring_publish(&out);
        assert_int_equal(exchange(), TN_OK);
        assert_int_equal(ring_read(&in, &got, 8, &len), TN_OK);
        ring_release(&in);
        assert_int_equal(exchange(), TN_OK);
        assert_int_equal(ring_mirror_make(&mirror, produces == 1, world.shared, SIZE, world.local),
                         TN_OK);
        if (produces == 1)
            assert_int_equal(ring_produce(&out, world.local, SIZE), TN_OK);
        else
            assert_int_equal(ring_consume(&in, world.local, SIZE), TN_OK);
        assert_int_equal(ring_write(&out, &number, 8), TN_OK);
        ring_publish(&out);
        assert_int_equal(exchange(), TN_OK);
        for (number = 1; number < 4; number++) {
            assert_int_equal(ring_read(&in, &got, 8, &len), TN_OK);
            assert_int_equal(got, number);
        }
    }
}

static void test_bells_come_to_the_host(void **state)
{
    (void)state;
    begin(true);
    assert_true(ring_consumer_sleeps(&in));
    assert_int_equal(exchange(), TN_OK);
    assert_false(done.bell); /* nothing was written */
    assert_int_equal(ring_write(&out, "abc", 3), TN_OK);
    assert_true(ring_producer_bell(&out)); /* whoever is there */
    assert_int_equal(exchange(), TN_OK);
    assert_true(done.bell && done.copied_bytes == 16);
    assert_int_equal(exchange(), TN_OK);
    assert_false(done.bell);
    begin(false);
    assert_true(ring_mirror_sleeps(&mirror, world.shared));
    assert_int_equal(ring_write(&out, "abc", 3), TN_OK);
    assert_true(ring_producer_bell(&out));
    assert_false(ring_mirror_sleeps(&mirror, world.shared));
    ring_mirror_awake(&mirror, world.shared);
    assert_false(ring_producer_bell(&out));
}

static void test_garbage_poisons_the_mirror(void **state)
{
    (void)state;
    static const uint64_t indices[] = {1, 7, 264, 512, UINT64_MAX, UINT64_MAX - 7, 1ull << 63};
    for (uint32_t i = 0; i < 4 * ARRAY_LEN(indices); i++) {
        uint64_t index = indices[i / 4];
        uint8_t *at = i % 2 == 0 ? world.shared : world.local;
        begin(i / 2 % 2 == 0);
        assert_int_equal(ring_write(&out, "abc", 3), TN_OK);
        ring_publish(&out);
        at_init(mirror.produces == (at == world.local) ? &ring_at(at)->head : &ring_at(at)->tail,
                index);
        assert_int_equal(exchange(), TN_EFORMAT);
        begin(i / 2 % 2 == 0);
        assert_int_equal(ring_write(&out, "abc", 3), TN_OK);
        ring_publish(&out);
        assert_int_equal(exchange(), TN_OK);
        at_init(mirror.produces == (at == world.local) ? &ring_at(at)->head : &ring_at(at)->tail,
                index);
        assert_int_equal(exchange(), TN_EFORMAT);
        assert_int_equal(exchange(), TN_EFORMAT);
        assert_false(ring_mirror_sleeps(&mirror, world.shared));
    }
    begin(true);
    at_init(&ring_at(world.shared)->head, 264);
    assert_int_equal(ring_mirror_make(&mirror, true, world.shared, SIZE, world.local), TN_EFORMAT);
}

static void test_garbage_anywhere(void **state)
{
    (void)state;
    uint64_t x = 1;
    for (uint32_t round = 0; round < 3000; round++) {
        begin(round % 2 == 0);
        for (uint32_t step = 0; step < 60; step++) {
            x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
            uint8_t *at = x >> 62 == 0 ? world.shared : world.local;
            uint64_t value = x >> (x >> 33) % 64, place = (x >> 40) % SIZE & ~UINT64_C(7);
            uint8_t data[CAPACITY] = {0};
            uint32_t len;
            if (step % 8 == 7)
                memcpy(at + place, &value, 8);
            (void)ring_write(&out, data, (uint32_t)(x >> 50) % 128);
            ring_publish(&out);
            (void)exchange();
            (void)ring_read(&in, data, sizeof(data), &len);
            ring_release(&in);
            (void)exchange();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_pass_both_ways),
        cmocka_unit_test(test_a_mirror_can_be_made_anew),
        cmocka_unit_test(test_bells_come_to_the_host),
        cmocka_unit_test(test_garbage_poisons_the_mirror),
        cmocka_unit_test(test_garbage_anywhere),
    };
    return cmocka_run_group_tests_name("ring_mirror", tests, NULL, NULL);
}
