/* small_test.c: the clock and random drivers, and the grants that every driver reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/bits.h"
#include "drivers/linux/drivers.h"
#include "interfaces/tenon_clock.h"
#include "interfaces/tenon_random.h"

static void test_clock(void **state)
{
    (void)state;
    uint64_t room[8];
    struct tn_turn turn = {.method = TENON_CLOCK_WALL_NS};
    struct tn_pack in = {0}, out = tn_pack_room(room, sizeof(room));
    struct tenon_clock_wall_ns_reply reply = {0};
    struct timespec before, after;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &before), 0);
    assert_int_equal(driver_linux_clock.call(NULL, &turn, &in, &out), TN_OK);
    assert_int_equal(tenon_clock_wall_ns_reply_decode(&out, &reply), TN_OK);
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &after), 0);
    int64_t seconds = reply.unix_ns / 1000000000; /* a step of the clock may come between */
    assert_true(seconds >= before.tv_sec - 1 && seconds <= after.tv_sec + 1);
    out = tn_pack_room(room, 4);
    assert_int_equal(driver_linux_clock.call(NULL, &turn, &in, &out), TN_ETOOBIG);
    turn.method++;
    assert_int_equal(driver_linux_clock.call(NULL, &turn, &in, &out), TN_EMETHOD);
}

static tn_err random_bytes(uint32_t count, void *room, uint32_t room_bytes, struct tn_bytes *ret)
{
    struct tn_turn turn = {.method = TENON_RANDOM_BYTES};
    struct tn_pack in = {.data = &count, .len = sizeof(count)}, out;
    struct tenon_random_bytes_reply reply = {0};
    out = tn_pack_room(room, room_bytes);
    tn_err e = driver_linux_random.call(NULL, &turn, &in, &out);
    if (e == TN_OK) {
        assert_int_equal(tenon_random_bytes_reply_decode(&out, &reply), TN_OK);
        *ret = reply.data;
    }
    return e;
}

static void test_random(void **state)
{
    (void)state;
    static uint64_t room[8192], other[8192];
    struct tn_bytes a, b;
    assert_int_equal(random_bytes(65000, room, sizeof(room), &a), TN_OK);
    assert_int_equal(random_bytes(65000, other, sizeof(other), &b), TN_OK);
    assert_int_equal(a.len, 65000);
    assert_memory_not_equal(a.at, b.at, 65000);
    assert_memory_not_equal((const uint8_t *)a.at + 64968, (const uint8_t *)b.at + 64968, 32);
    assert_int_equal(random_bytes(65001, room, sizeof(room), &a), TENON_RANDOM_E_TOO_MANY);
    assert_int_equal(random_bytes(UINT32_MAX, room, sizeof(room), &a), TENON_RANDOM_E_TOO_MANY);
    assert_int_equal(random_bytes(8, room, 16, &a), TN_OK);
    assert_int_equal(random_bytes(9, room, 16, &a), TENON_RANDOM_E_TOO_MANY);
    assert_int_equal(random_bytes(0, room, 16, &a), TN_OK);
    assert_int_equal(a.len, 0);
}

static tn_err read_all(const void *bytes, uint32_t len, uint32_t *ret_count)
{
    void *copy = malloc(len + (len == 0)); /* as long as it says, for the sanitizer */
    memcpy(copy, bytes, len);
    struct tn_pack config = {.data = copy, .len = len};
    struct tn_grants grants;
    struct tn_grant grant;
    uint32_t count = 0;
    tn_err e = tn_grants_open(&config, &grants);
    while (e == TN_OK && (e = tn_grants_next(&grants, &grant)) == TN_OK) {
        assert_true(grant.badge > 0 && grant.badge <= TN_GRANT_BADGE_MAX);
        assert_true(grant.text_len <= len && grant.kind < TN_GRANT_KINDS);
        count++;
    }
    free(copy);
    *ret_count = count;
    return e;
}

static void test_grants(void **state)
{
    (void)state;
    uint8_t room[128];
    uint32_t count;
    struct tn_pack config = tn_pack_room(room, sizeof(room));
    assert_int_equal(tn_grants_open(NULL, &(struct tn_grants){0}), TN_OK);
    assert_int_equal(read_all("", 0, &count), TN_ENOTFOUND);
    struct tn_grant grant = {
        .badge = 3, .rights = TN_R_READ, .kind = TN_GRANT_FILE, .text = "/a/file", .text_len = 7};
    assert_int_equal(tn_grants_add(&config, grant), TN_OK);
    grant = (struct tn_grant){.badge = 4,
                              .rights = TN_R_WRITE,
                              .kind = TN_GRANT_DIRECTORY,
                              .text = "/directory",
                              .text_len = 10};
    assert_int_equal(tn_grants_add(&config, grant), TN_OK);
    assert_int_equal(config.len, 8 + 16 + 8 + 16 + 16);
    assert_int_equal(read_all(room, config.len, &count), TN_ENOTFOUND);
    assert_int_equal(count, 2);
    struct tn_pack before = config;
    config.size = config.len + 16 + 15;
    assert_int_equal(tn_grants_add(&config, grant), TN_ETOOBIG);
    config.size = before.size;
    assert_memory_equal(&config, &before, sizeof(config));

    for (uint32_t len = 1; len < config.len; len++)
        assert_int_equal(read_all(room, len, &count), TN_EARGS);
    room[config.len] = 0;
    assert_int_equal(read_all(room, config.len + 1, &count), TN_EARGS);

    static const struct {
        uint32_t at;
        uint8_t value;
        tn_err err;
    } wrong[] = {
        {0, 2, TN_EVERSION}, {4, 1, TN_EARGS},
        {4, 3, TN_EARGS}, /* version; fewer, more */
        {8, 0, TN_EARGS},    {32, 3, TN_EARGS},
        {15, 128, TN_EARGS}, /* badge 0, order, range */
        {16, 4, TN_EARGS},   {20, 3, TN_EARGS},
        {22, 8, TN_EARGS}, /* rights, kind, length */
        {22, 6, TN_EARGS},   {26, 0, TN_EARGS},
        {31, 1, TN_EARGS},                            /* length, zero byte, padding */
        {23, 16, TN_EARGS},  {39, 127, TN_ENOTFOUND}, /* too long; not wrong */
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        uint8_t was = room[wrong[i].at];
        room[wrong[i].at] = wrong[i].value;
        assert_int_equal(read_all(room, config.len, &count), wrong[i].err);
        room[wrong[i].at] = was;
    }
}

/* What a reader would refuse is not written. */
static void test_grants_refused(void **state)
{
    (void)state;
    uint8_t room[128];
    struct tn_pack config = tn_pack_room(room, sizeof(room));
    struct tn_grant grant = {.badge = 4, .kind = TN_GRANT_DIRECTORY, .text = "/dir", .text_len = 4};
    assert_int_equal(tn_grants_add(&config, grant), TN_OK);
    const struct tn_pack before = config;
    const struct tn_grant refused[] = {
        {.badge = 4, .kind = TN_GRANT_FILE},
        {.badge = 0, .kind = TN_GRANT_FILE},
        {.badge = (uint64_t)TN_GRANT_BADGE_MAX + 1, .kind = TN_GRANT_FILE},
        {.badge = 5, .kind = TN_GRANT_KINDS},
        {.badge = 5, .kind = (enum tn_grant_kind)(65536 + TN_GRANT_FILE)},
        {.badge = 5, .rights = TN_R_CALL, .kind = TN_GRANT_FILE},
        {.badge = 5, .kind = TN_GRANT_FILE, .text = "a\0b", .text_len = 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        assert_int_equal(tn_grants_add(&config, refused[i]), TN_EARGS);
        assert_memory_equal(&config, &before, sizeof(config));
    }
    grant.badge = 5;
    room[4]++; /* not the list that it was */
    assert_int_equal(tn_grants_add(&config, grant), TN_EARGS);
    room[4]--;
    room[0]++;
    assert_int_equal(tn_grants_add(&config, grant), TN_EVERSION);
    room[0]--;
    assert_int_equal(tn_grants_add(&config, grant), TN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_grants),
        cmocka_unit_test(test_grants_refused),
    };
    return cmocka_run_group_tests_name("driver_small", tests, NULL, NULL);
}
