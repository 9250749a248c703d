/* ring_test.c: every length and every place in the ring, full and empty, batches, bells, and each
 * kind of garbage that the other side can write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/ring.h"

enum { CAPACITY_MOST = 4096, GUARD = 64 };

/* A ring between two guards, which no garbage may make anybody touch. */
static struct {
    _Alignas(RING_ALIGN) uint8_t before[GUARD];
    uint8_t at[RING_HEADER + CAPACITY_MOST + GUARD]; /* the guard is behind what is used */
} room;
static struct ring_producer out;
static struct ring_consumer in;

static struct ring *shared(void)
{
    return (struct ring *)(void *)room.at;
}

static void begin(uint64_t capacity)
{
    memset(&room, 0xa5, sizeof(room));
    assert_int_equal(ring_format(room.at, capacity), TN_OK);
    assert_int_equal(ring_produce(&out, room.at, RING_HEADER + capacity), TN_OK);
    assert_int_equal(ring_consume(&in, room.at, RING_HEADER + capacity), TN_OK);
}

static void check_guards(uint64_t capacity)
{
    for (uint32_t i = 0; i < GUARD; i++)
        assert_true(room.before[i] == 0xa5 && room.at[RING_HEADER + capacity + i] == 0xa5);
}

static uint8_t byte_of(uint32_t record, uint32_t i)
{
    return (uint8_t)(record * 31 + i * 7 + 1);
}

static tn_err put(uint32_t record, uint32_t len)
{
    uint8_t data[CAPACITY_MOST];
    for (uint32_t i = 0; i < len; i++)
        data[i] = byte_of(record, i);
    return ring_write(&out, data, len);
}

static void take(uint32_t record, uint32_t len)
{
    const void *at;
    uint32_t got;
    assert_int_equal(ring_peek(&in, &at, &got), TN_OK);
    assert_int_equal(got, len);
    assert_int_equal((uintptr_t)at % RING_RECORD_HEADER, 0);
    for (uint32_t i = 0; i < len; i++)
        assert_int_equal(((const uint8_t *)at)[i], byte_of(record, i));
    ring_next(&in);
}

static void test_a_ring_is_made_where_it_can_be(void **state)
{
    (void)state;
    assert_int_equal(ring_format(room.at, 0), TN_EINVAL);
    assert_int_equal(ring_format(room.at, RING_CAPACITY_MIN / 2), TN_EINVAL);
    assert_int_equal(ring_format(room.at, RING_CAPACITY_MIN + 8), TN_EINVAL);
    assert_int_equal(ring_format(room.at, RING_CAPACITY_MAX * 2), TN_EINVAL);
    assert_int_equal(ring_format(room.at + 8, RING_CAPACITY_MIN), TN_EINVAL);
    assert_int_equal(ring_format(room.at, RING_CAPACITY_MIN), TN_OK);
}

static void refused(tn_err err)
{
    uint64_t size = RING_HEADER + 256;
    struct ring_producer p = {.capacity = 1};
    struct ring_consumer c = {.capacity = 1};
    assert_int_equal(ring_produce(&p, room.at, size), err);
    assert_int_equal(ring_consume(&c, room.at, size), err);
    assert_true(p.capacity == 1 && c.capacity == 1);
    begin(256);
}

static void test_nobody_attaches_to_what_is_no_ring(void **state)
{
    (void)state;
    begin(256);
    at_init(&shared()->magic, 0);
    refused(TN_EFORMAT);
    at_init(&shared()->version, RING_VERSION + 1);
    refused(TN_EVERSION);
    static const uint64_t capacities[] = {0, 32, 255, 512, UINT64_C(1) << 63, UINT64_MAX};
    for (size_t i = 0; i < ARRAY_LEN(capacities); i++) {
        at_init(&shared()->capacity, capacities[i]);
        refused(TN_EFORMAT);
    }
    static const uint64_t heads[] = {4, 264, UINT64_MAX, UINT64_C(1) << 63};
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        at_init(&shared()->head, heads[i]);
        refused(TN_EFORMAT);
    }
    at_init(&shared()->tail, 8);
    refused(TN_EFORMAT);
    assert_int_equal(ring_produce(&out, room.at + 8, sizeof(room.at) - 8), TN_EINVAL);
    assert_int_equal(ring_produce(&out, room.at, RING_HEADER), TN_EFORMAT);
    assert_int_equal(ring_produce(&out, room.at, 0), TN_EFORMAT);
}

/* Every length, one by one, so that it begins in every place. */
static void every_length(uint64_t capacity)
{
    begin(capacity);
    uint32_t most = (uint32_t)ring_record_max(capacity), record = 0;
    for (uint32_t len = 0; len <= most; len++) {
        for (uint64_t place = 0; place < capacity / RING_RECORD_HEADER; place++, record++) {
            assert_int_equal(put(record, len), TN_OK);
            ring_publish(&out);
            take(record, len);
            ring_release(&in);
            assert_int_equal(put(0, 0), TN_OK); /* on by one place */
            ring_publish(&out);
            take(0, 0);
            ring_release(&in);
        }
    }
    assert_int_equal(put(0, most + 1), TN_ETOOBIG);
    void *at;
    assert_int_equal(ring_reserve(&out, UINT32_MAX, &at), TN_ETOOBIG);
    check_guards(capacity);
}

static void test_every_length_in_every_place(void **state)
{
    (void)state;
    for (uint64_t capacity = RING_CAPACITY_MIN; capacity <= 512; capacity *= 2)
        every_length(capacity);
}

/* Filled to the brim with records of one length; each release makes room. */
static void brim(uint64_t capacity, uint32_t len)
{
    begin(capacity);
    uint32_t written = 0, read = 0;
    const void *at;
    uint32_t got;
    for (uint32_t round = 0; round < 5; round++) {
        while (put(written, len) == TN_OK)
            written++;
        assert_int_equal(put(written, len), TN_EAGAIN);
        assert_true((written - read) * ring_record_bytes(len) <= capacity);
        assert_int_equal(ring_peek(&in, &at, &got), read == 0 ? TN_EAGAIN : TN_OK);
        ring_publish(&out);
        for (; read < written; read++)
            take(read, len);
        assert_int_equal(ring_peek(&in, &at, &got), TN_EAGAIN);
        assert_int_equal(put(written, len), TN_EAGAIN); /* passed is not released */
        ring_release(&in);
        assert_int_equal(put(written, len), TN_OK);
        written++;
        ring_publish(&out);
    }
    check_guards(capacity);
}

static void test_full_and_empty(void **state)
{
    (void)state;
    for (uint64_t capacity = RING_CAPACITY_MIN; capacity <= CAPACITY_MOST; capacity *= 4) {
        uint32_t most = (uint32_t)ring_record_max(capacity);
        for (uint32_t len = 0; len <= most; len += 1 + len / 16)
            brim(capacity, len);
        brim(capacity, most);
    }
}

static void test_batches(void **state)
{
    (void)state;
    begin(256);
    const void *peeked;
    void *at, *again;
    uint32_t len;
    assert_int_equal(ring_commit(&out, 0), TN_EINVAL); /* nothing was reserved */
    assert_int_equal(ring_reserve(&out, 16, &at), TN_OK);
    assert_int_equal(ring_commit(&out, 17), TN_EINVAL);
    assert_int_equal(ring_reserve(&out, 32, &again), TN_OK);
    assert_ptr_equal(at, again); /* what was not committed never was */
    memset(again, 1, 32);
    assert_int_equal(ring_commit(&out, 5), TN_OK);
    assert_int_equal(ring_commit(&out, 5), TN_EINVAL);
    assert_int_equal(put(2, 9), TN_OK);
    assert_int_equal(ring_peek(&in, &peeked, &len), TN_EAGAIN); /* not published */
    ring_publish(&out);
    assert_int_equal(ring_peek(&in, &peeked, &len), TN_OK);
    assert_int_equal(len, 5);
    ring_next(&in);
    ring_next(&in); /* nothing was peeked: goes nowhere */
    take(2, 9);
    assert_int_equal(at_load(&shared()->tail, RELAXED), 0);
    ring_release(&in);
    assert_int_equal(at_load(&shared()->tail, RELAXED), at_load(&shared()->head, RELAXED));
    uint8_t data[8];
    assert_int_equal(put(3, 9), TN_OK);
    ring_publish(&out);
    assert_int_equal(ring_read(&in, data, 8, &len), TN_ETOOBIG);
    take(3, 9); /* still there */
    assert_int_equal(ring_reserve(&out, 16, &at), TN_OK);
    assert_int_equal(put(4, 9), TN_OK); /* comes in its place */
    assert_int_equal(ring_commit(&out, 1), TN_EINVAL);
    ring_publish(&out);
    take(4, 9);
    assert_int_equal(ring_peek(&in, &peeked, &len), TN_EAGAIN);
}

/* Who attaches later goes on where the indices stand. */
static void test_sides_can_be_replaced(void **state)
{
    (void)state;
    begin(256);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(put(i, 20), TN_OK);
    ring_publish(&out);
    take(0, 20);
    ring_release(&in);
    take(1, 20);
    assert_int_equal(ring_consume(&in, room.at, RING_HEADER + 256), TN_OK);
    assert_int_equal(ring_produce(&out, room.at, RING_HEADER + 256), TN_OK);
    assert_int_equal(put(4, 20), TN_OK);
    ring_publish(&out);
    for (uint32_t i = 1; i <= 4; i++)
        take(i, 20);
}

static void test_bells(void **state)
{
    (void)state;
    begin(64);
    assert_false(ring_producer_bell(&out));
    assert_true(ring_consumer_sleeps(&in));
    assert_int_equal(put(0, 8), TN_OK);
    assert_true(ring_producer_bell(&out)); /* one bell for one sleep */
    assert_false(ring_producer_bell(&out));
    ring_consumer_awake(&in);
    assert_false(ring_consumer_sleeps(&in)); /* it has come */
    ring_consumer_awake(&in);
    take(0, 8);
    while (put(1, 8) == TN_OK) {
    }
    ring_publish(&out);
    assert_true(ring_producer_sleeps(&out));
    assert_true(ring_consumer_bell(&in));
    assert_false(ring_consumer_bell(&in));
    assert_false(ring_producer_sleeps(&out));
    ring_producer_awake(&out);
    assert_false(ring_consumer_bell(&in));
    assert_int_equal(put(2, 8), TN_OK);
}

/* Garbage */

static void consumer_is_poisoned(void)
{
    const void *at = &room;
    uint32_t len = 77;
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(ring_peek(&in, &at, &len), TN_EFORMAT);
        assert_false(ring_consumer_sleeps(&in));
        assert_true(at == &room && len == 77);
        at_init(&shared()->head, in.next); /* what is good again helps nobody */
    }
    ring_next(&in);
    ring_release(&in);
}

/* Every word is that of a record which is good. */
static void empty_records(uint64_t capacity)
{
    const uint64_t word = (uint64_t)RING_DATA << 32;
    for (uint64_t at = 0; at < capacity; at += RING_RECORD_HEADER)
        memcpy(room.at + RING_HEADER + at, &word, sizeof(word));
}

static void test_a_head_that_cannot_be(void **state)
{
    (void)state;
    static const uint64_t heads[] = {
        1,  7, 65, 4, 264, 272, UINT64_MAX, UINT64_MAX - 7, UINT64_C(1) << 32, UINT64_C(1) << 63,
        512};
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        begin(256);
        empty_records(256);
        at_init(&shared()->head, heads[i]);
        consumer_is_poisoned();
    }
    begin(256);
    put(0, 24);
    put(1, 24);
    ring_publish(&out);
    take(0, 24);
    take(1, 24);
    empty_records(256);
    at_init(&shared()->head, 32); /* backwards */
    consumer_is_poisoned();
    check_guards(256);
}

static void test_a_word_that_cannot_be(void **state)
{
    (void)state;
    const uint64_t beyond = (uint64_t)RING_DATA << 32 | 17;
    const uint64_t words[] = {
        0,                                      /* no kind */
        UINT64_C(3) << 32 | 8,                  /* no kind that there is */
        UINT64_MAX,                             /* likewise */
        (uint64_t)RING_DATA << 32 | UINT32_MAX, /* longer than anything */
        beyond,                                 /* beyond what is published */
        (uint64_t)RING_PAD << 32 | 16,          /* a pad that does not end with the ring */
        (uint64_t)RING_PAD << 32 | (256 - 8),   /* one that does, beyond what is published */
        (uint64_t)RING_PAD << 32 | UINT32_MAX,
    };
    for (size_t i = 0; i < 2 * ARRAY_LEN(words); i++) {
        begin(256);
        put(0, 16);
        put(1, 16);
        ring_publish(&out);
        if (i % 2 == 1) /* the word behind one that was good */
            take(0, 16);
        uint64_t word = words[i / 2] == beyond ? words[i / 2] + 24 - i % 2 * 24 : words[i / 2];
        memcpy(room.at + RING_HEADER + i % 2 * 24, &word, 8);
        consumer_is_poisoned();
    }
    check_guards(256);
}

/* A record that ends within what is published, and beyond the end of the ring. */
static void test_a_record_that_would_wrap(void **state)
{
    (void)state;
    for (uint64_t seen = 0; seen < 2; seen++) {
        begin(256);
        for (uint32_t i = 0; i < 3; i++)
            put(i, 56);
        ring_publish(&out);
        for (uint32_t i = 0; i < 3; i++)
            take(i, 56);
        ring_release(&in);
        uint64_t good = (uint64_t)RING_DATA << 32, word = good | 100;
        memcpy(room.at + RING_HEADER + 192, &good, 8);
        memcpy(room.at + RING_HEADER + 192 + 8 * seen, &word, 8);
        at_init(&shared()->head, 192 + 256);
        if (seen == 1)
            take(0, 0);
        consumer_is_poisoned();
        check_guards(256);
    }
}

static void test_a_tail_that_cannot_be(void **state)
{
    (void)state;
    static const uint64_t tails[] = {1, 4, 248, 264, 512, UINT64_MAX, UINT64_MAX - 7};
    for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
        begin(256);
        for (uint32_t n = 0; n < 6; n++)
            assert_int_equal(put(n, 32), TN_OK);
        ring_publish(&out); /* 240 bytes are, 16 are free */
        at_init(&shared()->tail, tails[i]);
        void *at = &room;
        for (uint32_t n = 0; n < 3; n++) {
            assert_int_equal(ring_reserve(&out, 16, &at), TN_EFORMAT);
            assert_ptr_equal(at, &room);
            assert_false(ring_producer_sleeps(&out));
            assert_int_equal(ring_commit(&out, 0), TN_EINVAL);
            at_init(&shared()->tail, 40);
        }
    }
    check_guards(256);
}

/* Two sides and a third who writes anything anywhere. Nothing but the ring is touched, and what is
 * read has lengths that are possible. */
static uint64_t next_random(uint64_t *x)
{
    *x ^= *x >> 12;
    *x ^= *x << 25;
    *x ^= *x >> 27;
    return *x * UINT64_C(0x2545f4914f6cdd1d);
}

static void one_round_of_garbage(uint64_t seed)
{
    uint64_t capacity = UINT64_C(64) << seed % 5, x = seed * 2 + 1, sum = 0;
    begin(capacity);
    for (uint32_t step = 0; step < 300; step++) {
        uint64_t r = next_random(&x);
        const void *at;
        uint32_t len;
        if (r % 16 == 0) {
            uint64_t place = next_random(&x) % (RING_HEADER + capacity) & ~UINT64_C(7);
            uint64_t value = next_random(&x) >> (r >> 8) % 64;
            memcpy(room.at + place, &value, 8);
        } else if (r % 2 == 0) {
            tn_err err = put(step, (uint32_t)(r >> 8) % (uint32_t)capacity);
            assert_true(err == TN_OK || err == TN_EAGAIN || err == TN_ETOOBIG || err == TN_EFORMAT);
            ring_publish(&out);
        } else if (ring_peek(&in, &at, &len) == TN_OK) {
            const uint8_t *bytes = at;
            assert_true(bytes >= room.at + RING_HEADER);
            assert_true(len <= (uint64_t)(room.at + RING_HEADER + capacity - bytes));
            for (uint32_t i = 0; i < len; i++)
                sum += bytes[i];
            ring_next(&in);
            ring_release(&in);
        }
    }
    check_guards(capacity);
    assert_true(sum < UINT64_MAX);
}

static void test_garbage_anywhere(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4000; seed++)
        one_round_of_garbage(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_ring_is_made_where_it_can_be),
        cmocka_unit_test(test_nobody_attaches_to_what_is_no_ring),
        cmocka_unit_test(test_every_length_in_every_place),
        cmocka_unit_test(test_full_and_empty),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_sides_can_be_replaced),
        cmocka_unit_test(test_bells),
        cmocka_unit_test(test_a_head_that_cannot_be),
        cmocka_unit_test(test_a_word_that_cannot_be),
        cmocka_unit_test(test_a_record_that_would_wrap),
        cmocka_unit_test(test_a_tail_that_cannot_be),
        cmocka_unit_test(test_garbage_anywhere),
    };
    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
