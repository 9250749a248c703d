/* io_test.c: simulated disks and streams keep their promises under every fault, and a file on such
 * a disk is whole after any power cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "drivers/sim/store.h"
#include "drivers/sim/stream.h"

/* A seeded outside: each fault at one chance in `one_in`, 0: never. */
struct dice {
    uint64_t state, faults;
    uint32_t one_in[3];
};

static uint64_t roll(struct dice *dice)
{
    dice->state = dice->state * UINT64_C(6364136223846793005) + 1442695040888963407;
    uint64_t x = dice->state ^ dice->state >> 33;
    return (x * UINT64_C(0xff51afd7ed558ccd)) >> 16;
}

static bool dice_fault(void *arg, enum outside_fault fault)
{
    struct dice *dice = arg;
    bool happens = dice->one_in[fault] > 0 && roll(dice) % dice->one_in[fault] == 0;
    dice->faults += happens;
    return happens;
}

static uint64_t dice_choose(void *arg, uint64_t n)
{
    assert_true(n > 0);
    return roll(arg) % n;
}

static struct outside outside_of(struct dice *dice)
{
    return (struct outside){dice_fault, dice_choose, dice};
}

static void test_disk_without_faults(void **state)
{
    (void)state;
    struct dice dice = {.state = 1};
    struct outside outside = outside_of(&dice);
    struct disk disk;
    uint8_t text[2 * DISK_SECTOR], back[2 * DISK_SECTOR];
    void *memory = malloc(disk_bytes(8));
    disk_init(&disk, &outside, 8, memory);
    memset(text, 7, sizeof(text));
    assert_int_equal(disk_write(&disk, 6, 2, text), TN_OK);
    assert_int_equal(disk_read(&disk, 6, 2, back), TN_OK);
    assert_memory_equal(text, back, sizeof(text));
    assert_int_equal(disk_write(&disk, 7, 2, text), TN_EINVAL);
    assert_int_equal(disk_read(&disk, 8, 1, back), TN_EINVAL);
    assert_int_equal(disk_read(&disk, UINT32_MAX, 2, back), TN_EINVAL);
    assert_int_equal(disk_read(&disk, 8, 0, back), TN_OK);
    assert_int_equal(disk_flush(&disk), TN_OK);
    disk_cut(&disk);
    assert_int_equal(disk_read(&disk, 6, 2, back), TN_OK);
    assert_memory_equal(text, back, sizeof(text));
    free(memory);
}

/* After a cut a sector that was not flushed is old, new, or begins new and ends old; all occur. */
static void test_disk_cut(void **state)
{
    (void)state;
    uint32_t kept = 0, lost = 0, torn = 0;
    void *memory = malloc(disk_bytes(4));
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct dice dice = {.state = seed};
        struct outside outside = outside_of(&dice);
        struct disk disk;
        uint8_t old[DISK_SECTOR], new[DISK_SECTOR], back[DISK_SECTOR];
        memset(old, 1, sizeof(old));
        memset(new, 2, sizeof(new));
        disk_init(&disk, &outside, 4, memory);
        assert_int_equal(disk_write(&disk, 1, 1, old), TN_OK);
        assert_int_equal(disk_flush(&disk), TN_OK);
        assert_int_equal(disk_write(&disk, 1, 1, new), TN_OK);
        disk_cut(&disk);
        assert_int_equal(disk_read(&disk, 1, 1, back), TN_OK);
        uint32_t n = 0;
        while (n < DISK_SECTOR && back[n] == 2)
            n++;
        for (uint32_t i = n; i < DISK_SECTOR; i++)
            assert_int_equal(back[i], 1);
        kept += n == DISK_SECTOR;
        lost += n == 0;
        torn += n > 0 && n < DISK_SECTOR;
    }
    assert_true(kept > 0 && lost > 0 && torn > 0);
    free(memory);
}

/* A file's versions: version v is `length_of(v)` bytes that v decides. What a reader may find is
 * the last version that was surely committed, or one whose commit failed since. */
enum { VERSIONS = 400, OPS = 400 };

struct model {
    uint32_t version, sure;
    bool maybe[VERSIONS];
};

static uint32_t length_of(uint32_t version)
{
    return version * 977 % (STORE_FILE_BYTES + 1);
}

static uint8_t byte_of(uint32_t version, uint32_t i)
{
    return (uint8_t)((version * 2654435761u + i) * 2246822519u >> 24);
}

/* Reads the file, again and again until the disk lets it; then the version is sure. */
static void model_read(struct model *model, struct store *store, struct store_file *file)
{
    static uint8_t back[STORE_FILE_BYTES];
    uint32_t len = 0;
    tn_err err;
    while ((err = store_read(store, file, 0, back, sizeof(back), &len)) == TN_EIO)
        ;
    uint32_t found = 0;
    if (err != TN_ENOTFOUND) {
        assert_int_equal(err, TN_OK);
        for (found = 1; found <= model->version; found++) {
            uint32_t i = 0;
            while (i < len && back[i] == byte_of(found, i))
                i++;
            if (i == len && len == length_of(found) &&
                (found == model->sure || model->maybe[found]))
                break;
        }
        assert_true(found <= model->version);
    }
    assert_true(found == model->sure || model->maybe[found]);
    memset(model->maybe, 0, sizeof(model->maybe));
    model->sure = found;
}

/* Writes the next version, in pieces, whatever the disk says; false when it gave up. */
static bool model_write(struct model *model, struct store *store, struct store_file *file,
                        struct dice *dice)
{
    static uint8_t bytes[STORE_FILE_BYTES];
    uint32_t version = model->version + 1, len = length_of(version);
    if (store_draft(store, file) != TN_OK)
        return false;
    for (uint32_t i = 0; i < len; i++)
        bytes[i] = byte_of(version, i);
    for (uint32_t at = 0, n; at < len; at += n) {
        n = 1 + (uint32_t)dice_choose(dice, len - at);
        if (dice_choose(dice, 10) == 0) { /* the power may fail here */
            store_discard(file);
            return false;
        }
        for (uint32_t tries = 0; store_write(store, file, at, bytes + at, n) != TN_OK; tries++) {
            if (tries < 5)
                continue;
            store_discard(file);
            return false;
        }
    }
    model->version = version;
    if (store_commit(store, file) != TN_OK) {
        model->maybe[version] = true;
        return false;
    }
    memset(model->maybe, 0, sizeof(model->maybe));
    model->sure = version;
    return true;
}

static void test_files_are_whole(void **state)
{
    (void)state;
    uint32_t committed = 0, failed = 0, cuts = 0;
    void *memory = malloc(disk_bytes(STORE_SECTORS));
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct dice dice = {.state = seed, .one_in = {0, 30, 60}};
        struct outside outside = outside_of(&dice);
        struct disk disk;
        static struct model models[3];
        static const char *const names[] = {"a", "b", "the third one"};
        memset(models, 0, sizeof(models));
        disk_init(&disk, &outside, STORE_SECTORS, memory);
        struct store store = {.disk = &disk};
        for (uint32_t op = 0; op < OPS; op++) {
            uint32_t which = (uint32_t)dice_choose(&dice, ARRAY_LEN(models));
            struct store_file *file = NULL;
            tn_err err;
            while ((err = store_open(&store, names[which], &file)) == TN_EIO)
                ;
            assert_int_equal(err, TN_OK);
            if (dice_choose(&dice, 3) == 0) {
                model_read(&models[which], &store, file);
            } else if (models[which].version + 1 < VERSIONS) {
                bool done = model_write(&models[which], &store, file, &dice);
                committed += done;
                failed += !done;
            }
            if (dice_choose(&dice, 6) == 0) {
                disk_cut(&disk);
                cuts++;
                store = (struct store){.disk = &disk};
            }
        }
    }
    assert_true(committed > 500 && failed > 500 && cuts > 500);
    free(memory);
}

static void test_store_limits(void **state)
{
    (void)state;
    struct dice dice = {.state = 5};
    struct outside outside = outside_of(&dice);
    struct disk disk;
    void *memory = malloc(disk_bytes(STORE_SECTORS));
    disk_init(&disk, &outside, STORE_SECTORS, memory);
    struct store store = {.disk = &disk};
    struct store_file *file = NULL, *again = NULL;
    char name[STORE_NAME_MAX + 2], back[8];
    uint32_t len;
    memset(name, 'n', sizeof(name));
    name[STORE_NAME_MAX + 1] = '\0';
    assert_int_equal(store_open(&store, name, &file), TN_EINVAL);
    assert_int_equal(store_open(&store, "", &file), TN_EINVAL);
    name[STORE_NAME_MAX] = '\0';
    assert_int_equal(store_open(&store, name, &file), TN_OK);
    assert_int_equal(store_open(&store, name, &again), TN_OK);
    assert_ptr_equal(file, again);
    assert_int_equal(store_size(&store, file, &len), TN_ENOTFOUND);
    assert_int_equal(store_draft(&store, file), TN_OK);
    assert_int_equal(store_write(&store, file, STORE_FILE_BYTES - 1, "xy", 2), TN_ELIMIT);
    assert_int_equal(store_write(&store, file, UINT64_MAX, "xy", 2), TN_ELIMIT);
    assert_int_equal(store_truncate(&store, file, STORE_FILE_BYTES + 1), TN_ELIMIT);
    assert_int_equal(store_write(&store, file, STORE_FILE_BYTES - 2, "xy", 2), TN_OK);
    assert_int_equal(store_read(&store, file, STORE_FILE_BYTES - 3, back, 8, &len), TN_OK);
    assert_int_equal(len, 3);
    assert_memory_equal(back, "\0xy", 3);
    assert_int_equal(store_truncate(&store, file, 4), TN_OK);
    assert_int_equal(store_truncate(&store, file, 6), TN_OK);
    assert_int_equal(store_commit(&store, file), TN_OK);
    disk_cut(&disk);
    store = (struct store){.disk = &disk};
    assert_int_equal(store_open(&store, name, &file), TN_OK);
    assert_int_equal(store_size(&store, file, &len), TN_OK);
    assert_int_equal(len, 6);
    for (uint32_t i = 1; i < STORE_FILES; i++) {
        char other[2] = {(char)('a' + i), '\0'};
        assert_int_equal(store_open(&store, other, &file), TN_OK);
    }
    assert_int_equal(store_open(&store, "one more", &file), TN_ELIMIT);
    free(memory);
}

/* What arrives is what was sent, in order; without a break all of it, in the end. */
static void stream_run(uint64_t seed, bool breaks, uint32_t *ret_broken)
{
    struct dice dice = {.state = seed, .one_in = {20, breaks ? 80 : 0, 3}};
    struct outside outside = outside_of(&dice);
    static struct stream stream;
    uint8_t piece[700];
    uint64_t sent = 0, received = 0, total = 20000;
    tn_time now = 0;
    memset(&stream, 0, sizeof(stream));
    stream.outside = &outside;
    for (tn_err end = TN_OK; end != TN_EGONE;) {
        uint32_t n = 0;
        if (!stream.shut && sent < total && dice_choose(&dice, 2) == 0) {
            uint32_t want = 1 + (uint32_t)dice_choose(&dice, sizeof(piece));
            for (uint32_t i = 0; i < want; i++)
                piece[i] = byte_of(9, (uint32_t)sent + i);
            tn_err err = stream_send(&stream, now, piece, want, &n);
            assert_true(err == TN_OK || err == TN_EFULL || (err == TN_EGONE && stream.broken));
            sent += err == TN_OK ? n : 0;
            assert_true(err != TN_OK || (n > 0 && n <= want));
            if (sent >= total)
                stream_close(&stream);
            continue;
        }
        tn_time due = stream_due(&stream);
        end = stream_receive(&stream, now, piece, sizeof(piece), &n);
        assert_true(end != TN_EAGAIN || due > now);
        for (uint32_t i = 0; end == TN_OK && i < n; i++)
            assert_int_equal(piece[i], byte_of(9, (uint32_t)received + i));
        received += end == TN_OK ? n : 0;
        if (end == TN_EAGAIN && due != TN_NEVER)
            now = due;
    }
    assert_true(received <= sent && stream.shut);
    assert_int_equal(stream_send(&stream, now, piece, 1, &(uint32_t){0}), TN_EGONE);
    *ret_broken += stream.broken;
    if (!stream.broken)
        assert_int_equal(received, sent);
}

static void test_stream(void **state)
{
    (void)state;
    uint32_t broken = 0;
    for (uint64_t seed = 0; seed < 100; seed++)
        stream_run(seed, false, &broken);
    assert_int_equal(broken, 0);
    for (uint64_t seed = 0; seed < 100; seed++)
        stream_run(seed, true, &broken);
    assert_true(broken > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disk_without_faults),
        cmocka_unit_test(test_disk_cut),
        cmocka_unit_test(test_files_are_whole),
        cmocka_unit_test(test_store_limits),
        cmocka_unit_test(test_stream),
    };
    return cmocka_run_group_tests_name("simulated disks and streams", tests, NULL, NULL);
}
