/* files_test.c: what a capability for a file or directory reaches, and that it reaches nothing
 * else: names that lead out, links, devices, closed badges, hostile arguments. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bits.h"
#include "drivers/linux/files_fake.h"

enum { R = TN_R_READ, W = TN_R_WRITE, RW = TN_R_READ | TN_R_WRITE };

static int setup(void **state)
{
    (void)state;
    (void)folder_make();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    folder_remove();
    return 0;
}

static struct files *start_one(uint32_t rights, enum tn_grant_kind kind, const char *path)
{
    struct grant_of grant = {rights, kind, path};
    return driver_start(&grant, 1, NULL);
}

static void test_read(void **state)
{
    (void)state;
    static uint8_t bytes[100000];
    for (uint32_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    put_file("data", bytes, sizeof(bytes));
    struct files *files = start_one(R, TN_GRANT_FILE, path_of("data"));
    uint64_t size = 0;
    assert_int_equal(call_size(files, 1, &size), TN_OK);
    assert_int_equal(size, sizeof(bytes));

    struct tn_bytes data;
    assert_int_equal(call_read(files, 1, 0, FILES_MESSAGE_MAX, &data), TN_OK);
    assert_int_equal(data.len, FILES_MESSAGE_MAX);
    assert_memory_equal(data.at, bytes, data.len);
    assert_int_equal(call_read(files, 1, 0, FILES_MESSAGE_MAX + 1, &data), TN_ETOOBIG);
    assert_int_equal(call_read(files, 1, 60000, FILES_MESSAGE_MAX, &data), TN_OK);
    assert_int_equal(data.len, 40000);
    assert_memory_equal(data.at, bytes + 60000, data.len);
    const uint64_t past[] = {sizeof(bytes), sizeof(bytes) + 1,       INT64_MAX - 1,
                             INT64_MAX,     (uint64_t)INT64_MAX + 1, UINT64_MAX};
    for (size_t i = 0; i < ARRAY_LEN(past); i++) {
        assert_int_equal(call_read(files, 1, past[i], 10, &data), TN_OK);
        assert_int_equal(data.len, 0);
    }
    room_size = 108; /* 8 for the fixed part */
    assert_int_equal(call_read(files, 1, 0, 100, &data), TN_OK);
    assert_int_equal(data.len, 100);
    assert_int_equal(call_read(files, 1, 0, 101, &data), TN_ETOOBIG);
    room_size = 4;
    assert_true(call_read(files, 1, 0, 0, &data) < 0);
    room_size = ROOM;

    assert_int_equal(call_write(files, 1, 0, "x", 1), TENON_FILE_E_NOT_OPEN_FOR_WRITING);
    assert_int_equal(call_truncate(files, 1, 0), TENON_FILE_E_NOT_OPEN_FOR_WRITING);
    assert_int_equal(call_commit(files, 1), TENON_FILE_E_NOT_OPEN_FOR_WRITING);
    struct tenon_file_list_reply list;
    assert_int_equal(call_list(files, 1, "", &list), TENON_FILE_E_NOT_DIRECTORY);
    assert_int_equal(call_open(files, 1, "x", 1, false, NULL), TENON_FILE_E_NOT_DIRECTORY);
    assert_int_equal(call_raw(files, 1, TN_METHOD(TENON_FILE_ID, 99), NULL, 0, NULL), TN_EMETHOD);
    driver_stop(files);
}

static void test_gigabyte(void **state)
{
    (void)state;
    const uint64_t size = (UINT64_C(1) << 30) + 3;
    put_file("large", "begin", 5);
    assert_int_equal(truncate(path_of("large"), (off_t)size), 0);
    struct files *files = start_one(R, TN_GRANT_FILE, path_of("large"));
    uint64_t at = 0, steps = 0;
    struct tn_bytes data;
    do {
        assert_int_equal(call_read(files, 1, at, FILES_MESSAGE_MAX, &data), TN_OK);
        at += data.len;
        steps++;
    } while (data.len > 0);
    assert_int_equal(at, size);
    assert_int_equal(steps, (size + FILES_MESSAGE_MAX - 1) / FILES_MESSAGE_MAX + 1);
    driver_stop(files);
}

/* A folder with everything in it that must not be opened, and one file beside the granted one. */
static void put_traps(void)
{
    assert_int_equal(mkdir(path_of("granted"), 0755), 0);
    assert_int_equal(mkdir(path_of("granted/sub"), 0755), 0);
    put_file("secret", "secret", 6);
    put_file("granted/plain", "plain", 5);
    assert_int_equal(symlink("../secret", path_of("granted/link")), 0);
    assert_int_equal(symlink("plain", path_of("granted/inside")), 0);
    assert_int_equal(symlink("..", path_of("granted/updir")), 0);
    assert_int_equal(symlink("sub", path_of("granted/subdir")), 0);
    assert_int_equal(symlink("/", path_of("granted/root")), 0);
    assert_int_equal(symlink("nowhere", path_of("granted/dangling")), 0);
    assert_int_equal(mkfifo(path_of("granted/fifo"), 0644), 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path_of("granted/socket"));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    (void)close(fd);
    if (geteuid() == 0)
        assert_int_equal(mknod(path_of("granted/device"), S_IFCHR | 0644, 0x0103), 0);
}

static void check_traps(struct files *files)
{
    static const struct {
        const char *name;
        size_t len;
        tn_err err;
    } cases[] = {
        {"", 0, TENON_FILE_E_BAD_NAME},
        {".", 1, TENON_FILE_E_BAD_NAME},
        {"..", 2, TENON_FILE_E_BAD_NAME},
        {"../secret", 9, TENON_FILE_E_BAD_NAME},
        {"/etc/passwd", 11, TENON_FILE_E_BAD_NAME},
        {"/", 1, TENON_FILE_E_BAD_NAME},
        {"sub/", 4, TENON_FILE_E_BAD_NAME},
        {"sub/../../secret", 16, TENON_FILE_E_BAD_NAME},
        {"plain\0x", 7, TENON_FILE_E_BAD_NAME},
        {"plain\0", 6, TENON_FILE_E_BAD_NAME},
        {"\0", 1, TENON_FILE_E_BAD_NAME},
        {FILES_RESERVED "x", 8, TENON_FILE_E_BAD_NAME},
        {"link", 4, TN_EDENIED},
        {"inside", 6, TN_EDENIED},
        {"updir", 5, TN_EDENIED},
        {"subdir", 6, TN_EDENIED},
        {"root", 4, TN_EDENIED},
        {"dangling", 8, TN_EDENIED},
        {"fifo", 4, TN_EDENIED},
        {"socket", 6, TN_EDENIED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int write = 0; write < 2; write++) {
            tn_err e = call_open(files, 1, cases[i].name, cases[i].len, write, NULL);
            if (e != cases[i].err)
                fail_msg("%s: %d", cases[i].name, e);
        }
    }
    if (geteuid() == 0)
        assert_int_equal(call_open(files, 1, "device", 6, false, NULL), TN_EDENIED);
    char name[4096];
    memset(name, 'n', sizeof(name));
    assert_int_equal(call_open(files, 1, name, 255, false, NULL), TENON_FILE_E_NOT_FOUND);
    assert_int_equal(call_open(files, 1, name, 256, false, NULL), TN_EARGS);
    assert_int_equal(call_open(files, 1, name, 4096, true, NULL), TN_EARGS);

    uint64_t plain = 0, sub = 0;
    struct tn_bytes data;
    assert_int_equal(call_open(files, 1, "plain", 5, false, &plain), TN_OK);
    assert_int_equal(call_read(files, plain, 0, 100, &data), TN_OK);
    assert_int_equal(data.len, 5);
    assert_int_equal(call_open(files, 1, "sub", 3, false, &sub), TN_OK);
    assert_int_equal(call_open(files, sub, "..", 2, false, NULL), TENON_FILE_E_BAD_NAME);
    assert_int_equal(call_open(files, sub, "x", 1, true, NULL), TENON_FILE_E_NOT_OPEN_FOR_WRITING);
    assert_int_equal(call_open(files, sub, "x", 1, false, NULL), TENON_FILE_E_NOT_FOUND);
    assert_int_equal(call_close(files, plain), TN_OK);
    assert_int_equal(call_close(files, sub), TN_OK);
}

static void test_traversal(void **state)
{
    (void)state;
    put_traps();
    uint32_t descriptors = count_descriptors();
    for (int fallback = 0; fallback < 2; fallback++) {
        struct files *files = start_one(RW, TN_GRANT_DIRECTORY, path_of("granted"));
        files->no_openat2 = fallback;
        check_traps(files);
        assert_int_equal(files->opened, 0);
        driver_stop(files);
    }
    assert_int_equal(count_descriptors(), descriptors);
    assert_string_equal(get_file("secret"), "secret");
}

/* The entry becomes a link to elsewhere between the look and the open: the open itself refuses. */
static void test_beneath(void **state)
{
    (void)state;
    put_traps();
    struct files *files = start_one(R, TN_GRANT_DIRECTORY, path_of("granted"));
    static const char *const out[] = {"link",   "updir", "root",     "..",          "../secret",
                                      "subdir", "/",     "dangling", "sub/../../x", ""};
    int dir = files->grants[0].fd;
    for (int fallback = 0; fallback < 2; fallback++) {
        files->no_openat2 = fallback;
        for (size_t i = 0; i < ARRAY_LEN(out); i++) {
            if (files_open_beneath(files, dir, out[i], O_RDONLY, 0) >= 0)
                fail_msg("%s opens", out[i]);
        }
        int fd = files_open_beneath(files, dir, "plain", O_RDONLY, 0);
        assert_true(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
        (void)close(fd);
    }
    driver_stop(files);
}

static void test_magic_links(void **state)
{
    (void)state;
    for (int fallback = 0; fallback < 2; fallback++) {
        struct files *files = start_one(R, TN_GRANT_DIRECTORY, "/proc/self");
        files->no_openat2 = fallback;
        static const char *const links[] = {"root", "cwd", "exe"};
        for (size_t i = 0; i < ARRAY_LEN(links); i++)
            assert_int_equal(call_open(files, 1, links[i], strlen(links[i]), false, NULL),
                             TN_EDENIED);
        uint64_t fds = 0;
        assert_int_equal(call_open(files, 1, "fd", 2, false, &fds), TN_OK);
        assert_int_equal(call_open(files, fds, "0", 1, false, NULL), TN_EDENIED);
        driver_stop(files);
    }
}

static void test_badges(void **state)
{
    (void)state;
    put_file("a", "a", 1);
    put_file("b", "bb", 2);
    struct files *files = start_one(R, TN_GRANT_DIRECTORY, path_of(""));
    uint64_t size, a = 0, b = 0;
    const uint64_t wrong[] = {
        0, 2, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX, UINT64_C(1) << 63 | FILES_OPEN_MAX};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_true(call_size(files, wrong[i], &size) < 0);
    assert_int_equal(call_open(files, 1, "a", 1, false, &a), TN_OK);
    assert_int_equal(call_size(files, a, &size), TN_OK);
    assert_int_equal(size, 1);
    assert_int_equal(call_close(files, a), TN_OK);
    assert_int_equal(call_close(files, a), TN_EGONE);
    assert_int_equal(call_open(files, 1, "b", 1, false, &b), TN_OK);
    assert_int_equal(a & 0xffff, b & 0xffff); /* the same slot */
    assert_int_not_equal(a, b);
    assert_int_equal(call_size(files, a, &size), TN_EGONE);
    assert_int_equal(call_size(files, b, &size), TN_OK);
    assert_int_equal(size, 2);
    driver_stop(files);

    files = start_one(R, TN_GRANT_DIRECTORY, path_of("")); /* restarted: no old badge is reborn */
    uint64_t again = 0;
    assert_int_equal(call_open(files, 1, "a", 1, false, &again), TN_OK);
    assert_int_not_equal(again, a);
    assert_int_not_equal(again, b);
    assert_int_equal(call_size(files, b, &size), TN_EGONE);
    driver_stop(files);
}

static void test_list(void **state)
{
    (void)state;
    enum { MANY = 2 * FILES_LIST_MAX + 10 };
    put_traps();
    put_file("granted/bad\xff", "", 0); /* not UTF-8: no text can say it */
    struct files *files = start_one(R, TN_GRANT_DIRECTORY, path_of("granted"));
    struct tenon_file_list_reply list;
    struct tn_text name;
    assert_int_equal(call_list(files, 1, "", &list), TN_OK);
    assert_int_equal(list.kinds.count, 2);
    assert_false(list.more);
    assert_true(tn_texts_next(&list.names, &name));
    assert_memory_equal(name.at, "plain", 5);
    assert_true(tn_texts_next(&list.names, &name));
    assert_memory_equal(name.at, "sub", 3);
    assert_false(tn_texts_next(&list.names, &name));
    assert_int_equal(tn_u8s_at(list.kinds, 0), TENON_FILE_KIND_FILE);
    assert_int_equal(tn_u8s_at(list.kinds, 1), TENON_FILE_KIND_DIRECTORY);
    assert_int_equal(call_list(files, 1, "sub", &list), TN_OK);
    assert_int_equal(list.kinds.count, 0);

    for (uint32_t i = 0; i < MANY; i++) {
        char path[32];
        (void)snprintf(path, sizeof(path), "granted/sub/%04u", i * 7919 % MANY);
        put_file(path, "", 0);
    }
    uint64_t sub = 0;
    assert_int_equal(call_open(files, 1, "sub", 3, false, &sub), TN_OK);
    const uint32_t rooms[] = {ROOM, 4096, 100, 32};
    for (size_t r = 0; r < ARRAY_LEN(rooms); r++) {
        char after[8] = "";
        uint32_t seen = 0;
        room_size = rooms[r];
        do {
            assert_int_equal(call_list(files, sub, after, &list), TN_OK);
            assert_true(list.kinds.count > 0);
            while (tn_texts_next(&list.names, &name)) {
                char expected[8];
                (void)snprintf(expected, sizeof(expected), "%04u", seen++);
                assert_int_equal(name.len, 4);
                assert_memory_equal(name.at, expected, 4);
                memcpy(after, name.at, 4);
            }
        } while (list.more);
        assert_int_equal(seen, MANY);
    }
    room_size = 28; /* 20 and a name of 8, but no byte for its kind */
    assert_int_equal(call_list(files, sub, "", &list), TN_ETOOBIG);
    room_size = 16;
    assert_int_equal(call_list(files, sub, "", &list), TN_ETOOBIG);
    driver_stop(files);
}

static void test_limits(void **state)
{
    (void)state;
    enum { GRANTS = FILES_OPEN_MAX / FILES_OPEN_PER_GRANT_MAX + 1 };
    put_file("a", "a", 1);
    struct grant_of grants[FILES_GRANTS_MAX + 1];
    for (uint32_t i = 0; i <= FILES_GRANTS_MAX; i++)
        grants[i] = (struct grant_of){R, TN_GRANT_DIRECTORY, path_of("")};
    uint32_t descriptors = count_descriptors();
    tn_err e = TN_OK;
    assert_null(driver_start(grants, FILES_GRANTS_MAX + 1, &e));
    assert_int_equal(e, TN_ELIMIT);
    assert_int_equal(count_descriptors(), descriptors);

    struct files *files = driver_start(grants, FILES_GRANTS_MAX, NULL);
    uint64_t first = 0, badge = 0;
    for (uint32_t i = 0; i < FILES_OPEN_PER_GRANT_MAX; i++)
        assert_int_equal(call_open(files, 1, "a", 1, false, i == 0 ? &first : &badge), TN_OK);
    assert_int_equal(call_open(files, 1, "a", 1, false, &badge), TN_ELIMIT);
    assert_int_equal(call_close(files, first), TN_OK);
    assert_int_equal(call_open(files, 1, "a", 1, false, &first), TN_OK);
    for (uint64_t grant = 2; grant < GRANTS; grant++) {
        for (uint32_t i = 0; i < FILES_OPEN_PER_GRANT_MAX; i++)
            assert_int_equal(call_open(files, grant, "a", 1, false, &badge), TN_OK);
    }
    assert_int_equal(files->opened, FILES_OPEN_MAX);
    assert_int_equal(call_open(files, GRANTS, "a", 1, false, &badge), TN_ELIMIT);
    assert_int_equal(call_close(files, first), TN_OK);
    assert_int_equal(call_open(files, GRANTS, "a", 1, false, &badge), TN_OK);
    driver_stop(files);
    assert_int_equal(count_descriptors(), descriptors);
}

static void test_load(void **state)
{
    (void)state;
    put_file("a", "a", 1);
    assert_int_equal(symlink("a", path_of("link")), 0);
    assert_int_equal(mkfifo(path_of("fifo"), 0644), 0);
    static const struct {
        uint32_t rights;
        enum tn_grant_kind kind;
        const char *name;
        tn_err err;
    } cases[] = {
        {R, TN_GRANT_FILE, "a", TN_OK},
        {RW, TN_GRANT_FILE, "new", TN_OK},
        {R, TN_GRANT_FILE, "new", TN_ENOTFOUND},
        {R, TN_GRANT_FILE, "", TN_ETYPE}, /* the folder itself */
        {R, TN_GRANT_FILE, "no/such", TN_ENOTFOUND},
        {R, TN_GRANT_FILE, "a/b", TN_ETYPE},
        {R, TN_GRANT_FILE, "..", TN_EARGS},
        {R, TN_GRANT_FILE, "link", TN_ETYPE},
        {RW, TN_GRANT_FILE, "fifo", TN_ETYPE},
        {R, TN_GRANT_DIRECTORY, "a", TN_ETYPE},
        {R, TN_GRANT_DIRECTORY, "new", TN_ENOTFOUND},
        {0, TN_GRANT_FILE, "a", TN_EARGS},
        {R, TN_GRANT_NAME, "a", TN_EARGS},
    };
    uint32_t descriptors = count_descriptors();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct grant_of grants[2] = {{R, TN_GRANT_FILE, path_of("a")},
                                     {cases[i].rights, cases[i].kind, path_of(cases[i].name)}};
        tn_err e = TN_EINTERNAL;
        struct files *files = driver_start(grants, 2, &e);
        if (e != cases[i].err)
            fail_msg("%s: %d", cases[i].name, e);
        if (files != NULL)
            driver_stop(files);
        assert_int_equal(count_descriptors(), descriptors);
    }
    struct grant_of relative = {R, TN_GRANT_DIRECTORY, "tmp"};
    tn_err e = TN_OK;
    assert_null(driver_start(&relative, 1, &e));
    assert_int_equal(e, TN_EARGS);
    driver_stop(driver_start(NULL, 0, NULL));
}

/* What was opened is undone when its capability cannot be made or sent. */
static void test_mint_fails(void **state)
{
    (void)state;
    put_file("a", "a", 1);
    struct files *files = start_one(RW, TN_GRANT_DIRECTORY, path_of(""));
    uint32_t descriptors = count_descriptors();
    for (int write = 0; write < 2; write++) {
        files->self = 0;
        fake.need_fails = TN_ENOTWIRED;
        assert_int_equal(call_open(files, 1, "a", 1, write, NULL), TN_ENOTWIRED);
        fake.need_fails = TN_OK;
        fake.mint_fails = TN_ENOSLOT;
        assert_int_equal(call_open(files, 1, "a", 1, write, NULL), TN_ENOSLOT);
        fake.mint_fails = TN_OK;
        room_size = 0;
        assert_int_equal(call_open(files, 1, "a", 1, write, NULL), TN_ETOOBIG);
        room_size = ROOM;
        assert_int_equal(files->opened, 0);
        assert_int_equal(count_descriptors(), descriptors);
    }
    driver_stop(files);
}

static void test_no_leak(void **state)
{
    (void)state;
    enum { ROUNDS = 3000 };
    put_traps();
    struct files *files = start_one(RW, TN_GRANT_DIRECTORY, path_of("granted"));
    uint32_t descriptors = count_descriptors(), entries = count_entries("granted");
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint64_t badge = 0;
        files->no_tmpfile = i % 4 == 3;
        assert_int_equal(call_open(files, 1, "plain", 5, i % 2, &badge), TN_OK);
        if (i % 2)
            assert_int_equal(call_write(files, badge, i, "x", 1), TN_OK);
        assert_int_equal(call_open(files, 1, "link", 4, i % 2, NULL), TN_EDENIED);
        assert_int_equal(call_close(files, badge), TN_OK);
    }
    assert_int_equal(count_descriptors(), descriptors);
    assert_int_equal(count_entries("granted"), entries);
    assert_string_equal(get_file("granted/plain"), "plain");
    driver_stop(files);
}

/* Arguments of every method, mostly wrong: no crash, no way out, nothing left open. */
static void test_hostile_arguments(void **state)
{
    (void)state;
    enum { ROUNDS = 20000 };
    put_traps();
    struct files *files = start_one(RW, TN_GRANT_DIRECTORY, path_of("granted/sub"));
    uint64_t seed = 1;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint8_t args[40];
        for (size_t k = 0; k < sizeof(args); k++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            args[k] = (uint8_t)(seed >> 60 ? seed >> 59 & 15 : seed >> 40);
        }
        uint64_t badge = seed >> 33 & 1;
        for (uint32_t k = 0; badge == 0 && k < FILES_OPEN_MAX; k++)
            badge = seed >> 34 & 1 ? files->open[k].badge : 1;
        struct tn_pack out;
        room_size = seed >> 35 & 1 ? ROOM : seed >> 36 & 63;
        (void)call_raw(files, badge, TN_METHOD(TENON_FILE_ID, 1 + (seed >> 45) % 9), args,
                       (uint32_t)(seed >> 50) % (sizeof(args) + 1), &out);
    }
    assert_string_equal(get_file("secret"), "secret");
    assert_string_equal(get_file("granted/plain"), "plain");
    driver_stop(files);
}

#define FOLDER_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(test_read),        FOLDER_TEST(test_gigabyte),
        FOLDER_TEST(test_traversal),   FOLDER_TEST(test_beneath),
        FOLDER_TEST(test_magic_links), FOLDER_TEST(test_badges),
        FOLDER_TEST(test_list),        FOLDER_TEST(test_limits),
        FOLDER_TEST(test_load),        FOLDER_TEST(test_mint_fails),
        FOLDER_TEST(test_no_leak),     FOLDER_TEST(test_hostile_arguments),
    };
    return cmocka_run_group_tests_name("driver_files", tests, NULL, NULL);
}
