/* ring_process_test.c: a ring between two processes: memory that both have mapped, a futex in the
 * place of a doorbell; and one whose other side writes garbage as fast as it can. */
#include <linux/futex.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/ring.h"

enum { CAPACITY = 4096, SIZE = RING_HEADER + CAPACITY, RECORDS = 20000, ROUNDS = 2000 };

static struct common {
    _Alignas(RING_ALIGN) uint8_t ring[SIZE];
    _Alignas(64) atomic_u32 bell[2]; /* of the producer, of the consumer */
    atomic_u32 spoils;
} * common;

static void ring_bell(atomic_u32 *bell)
{
    (void)at_add(bell, 1, SEQ_CST);
    (void)syscall(SYS_futex, bell, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* What was rung since `before` ends it at once. */
static void sleep_until_rung(atomic_u32 *bell, uint32_t before)
{
    (void)syscall(SYS_futex, bell, FUTEX_WAIT, before, NULL, NULL, 0);
}

static void *map(void)
{
    void *at = mmap(NULL, sizeof(struct common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                    -1, 0);
    assert_true(at != MAP_FAILED);
    return at;
}

static uint32_t length_of(uint32_t record)
{
    return record * 131 % 700;
}

static int produce(void)
{
    struct ring_producer out;
    if (ring_produce(&out, common->ring, SIZE) != TN_OK)
        return 1;
    uint8_t data[1024];
    for (uint32_t i = 0; i < RECORDS;) {
        memset(data, (int)(i & 0xff), length_of(i));
        uint32_t before = at_load(&common->bell[0], SEQ_CST);
        tn_err err = ring_write(&out, data, length_of(i));
        if (err == TN_OK && ++i % 16 != 0)
            continue;
        if (err != TN_OK && err != TN_EAGAIN)
            return 2;
        if (ring_producer_bell(&out))
            ring_bell(&common->bell[1]);
        if (err == TN_EAGAIN) {
            if (ring_producer_sleeps(&out))
                sleep_until_rung(&common->bell[0], before);
            ring_producer_awake(&out);
        }
    }
    if (ring_producer_bell(&out))
        ring_bell(&common->bell[1]);
    return 0;
}

static void consume(void)
{
    struct ring_consumer in;
    assert_int_equal(ring_consume(&in, common->ring, SIZE), TN_OK);
    for (uint32_t i = 0; i < RECORDS;) {
        const void *at;
        uint32_t len, before = at_load(&common->bell[1], SEQ_CST);
        tn_err err = ring_peek(&in, &at, &len);
        if (err == TN_OK) {
            assert_int_equal(len, length_of(i));
            for (uint32_t k = 0; k < len; k++)
                assert_int_equal(((const uint8_t *)at)[k], i & 0xff);
            ring_next(&in);
            i++;
            continue;
        }
        assert_int_equal(err, TN_EAGAIN);
        if (ring_consumer_bell(&in))
            ring_bell(&common->bell[0]);
        if (ring_consumer_sleeps(&in))
            sleep_until_rung(&common->bell[1], before);
        ring_consumer_awake(&in);
    }
    if (ring_consumer_bell(&in))
        ring_bell(&common->bell[0]);
}

static void test_records_pass_between_processes(void **state)
{
    (void)state;
    common = map();
    assert_int_equal(ring_format(common->ring, CAPACITY), TN_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(produce());
    consume();
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    munmap(common, sizeof(*common));
}

/* Writes anything anywhere until it is killed. */
__attribute__((noreturn)) static void spoil(void)
{
    struct ring *ring = (struct ring *)(void *)common->ring;
    at_store(&common->spoils, 1, SEQ_CST);
    for (uint64_t x = 1;; x = x * UINT64_C(6364136223846793005) + 1442695040888963407u) {
        uint64_t value = x >> (x >> 33) % 64;
        switch (x >> 61) {
        case 0:
            at_store(&ring->head, value, RELAXED);
            break;
        case 1: /* near to what could be */
            at_store(&ring->head, at_load(&ring->tail, RELAXED) + value % CAPACITY / 8 * 8,
                     RELAXED);
            break;
        case 2:
            at_store(&ring->tail, value, RELAXED);
            break;
        case 3:
            at_store(&ring->tail, at_load(&ring->head, RELAXED), RELAXED);
            break;
        default:
            at_store((atomic_u64 *)(void *)(common->ring + RING_HEADER + x % CAPACITY / 8 * 8),
                     value, RELAXED);
        }
    }
}

/* Both sides, in turn, on a ring that somebody spoils all the time. */
static void test_garbage_from_another_process(void **state)
{
    (void)state;
    common = map();
    assert_int_equal(ring_format(common->ring, CAPACITY), TN_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        spoil();
    uint32_t poisoned = 0;
    while (at_load(&common->spoils, SEQ_CST) == 0)
        sched_yield();
    for (uint32_t round = 0; round < ROUNDS || poisoned < ROUNDS / 20; round++) {
        struct ring_producer out;
        struct ring_consumer in;
        tn_err made = ring_produce(&out, common->ring, SIZE);
        tn_err err = made == TN_OK ? ring_consume(&in, common->ring, SIZE) : made;
        assert_true(err == TN_OK || err == TN_EFORMAT);
        for (uint32_t i = 0; i < 100 && err == TN_OK; i++) {
            uint8_t data[CAPACITY] = {0};
            uint32_t len;
            made = ring_write(&out, data, i * 20);
            ring_publish(&out);
            err = ring_read(&in, data, sizeof(data), &len);
            ring_release(&in);
            assert_true(err == TN_OK || err == TN_EAGAIN || err == TN_EFORMAT);
            assert_true(made == TN_OK || made == TN_EAGAIN || made == TN_EFORMAT);
            err = err == TN_EAGAIN ? TN_OK : err;
        }
        poisoned += err == TN_EFORMAT;
    }
    int status;
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    munmap(common, sizeof(*common));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_pass_between_processes),
        cmocka_unit_test(test_garbage_from_another_process),
    };
    return cmocka_run_group_tests_name("ring_process", tests, NULL, NULL);
}
