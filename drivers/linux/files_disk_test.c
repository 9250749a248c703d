/* files_disk_test.c: writing: nothing changes before commit, all of it at commit, and nothing is
 * left behind; also when the disk is full, read only, or out of descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
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

static void check_commit(struct files *files, bool named)
{
    uint64_t badge = 0, size = 0;
    struct tn_bytes data;
    struct tenon_file_list_reply list;
    put_file("target", "old", 3);
    assert_int_equal(call_open(files, 1, "target", 6, true, &badge), TN_OK);
    assert_int_equal(call_size(files, badge, &size), TN_OK);
    assert_int_equal(size, 0);
    assert_int_equal(call_write(files, badge, 4, "tail", 4), TN_OK);
    assert_int_equal(call_write(files, badge, 0, "head", 4), TN_OK);
    assert_int_equal(call_read(files, badge, 2, 100, &data), TN_OK);
    assert_int_equal(data.len, 6);
    assert_memory_equal(data.at, "adtail", 6);
    assert_string_equal(get_file("target"), "old");
    assert_int_equal(count_entries(""), named ? 2 : 1);
    assert_int_equal(call_list(files, 1, "", &list), TN_OK);
    assert_int_equal(list.kinds.count, 1); /* a draft is not listed */
    assert_int_equal(call_truncate(files, badge, 7), TN_OK);
    assert_int_equal(call_commit(files, badge), TN_OK);
    assert_string_equal(get_file("target"), "headtai");
    assert_int_equal(count_entries(""), 1);

    assert_int_equal(call_commit(files, badge), TENON_FILE_E_COMMITTED);
    assert_int_equal(call_write(files, badge, 0, "x", 1), TENON_FILE_E_COMMITTED);
    assert_int_equal(call_truncate(files, badge, 0), TENON_FILE_E_COMMITTED);
    assert_int_equal(call_read(files, badge, 0, 100, &data), TN_OK);
    assert_int_equal(data.len, 7);
    assert_int_equal(call_close(files, badge), TN_OK);
    assert_string_equal(get_file("target"), "headtai");
    assert_int_equal(unlink(path_of("target")), 0);
}

static void test_commit(void **state)
{
    (void)state;
    for (int named = 0; named < 2; named++) {
        for (int fallback = 0; fallback < 2; fallback++) {
            struct files *files = start_one(RW, TN_GRANT_DIRECTORY, path_of(""));
            files->no_tmpfile |= named;
            files->no_openat2 = fallback;
            check_commit(files, files->no_tmpfile);
            driver_stop(files);
        }
    }
}

static void test_no_commit(void **state)
{
    (void)state;
    put_file("target", "old", 3);
    for (int named = 0; named < 2; named++) {
        for (int stop = 0; stop < 2; stop++) {
            struct files *files = start_one(RW, TN_GRANT_DIRECTORY, path_of(""));
            files->no_tmpfile |= named;
            uint64_t old = 0, new = 0;
            assert_int_equal(call_open(files, 1, "target", 6, true, &old), TN_OK);
            assert_int_equal(call_open(files, 1, "new", 3, true, &new), TN_OK);
            assert_int_equal(call_write(files, old, 0, "x", 1), TN_OK);
            assert_int_equal(call_write(files, new, 0, "x", 1), TN_OK);
            if (!stop) {
                assert_int_equal(call_close(files, old), TN_OK);
                assert_int_equal(call_close(files, new), TN_OK);
                assert_int_equal(count_entries(""), 1);
            }
            driver_stop(files);
            assert_int_equal(count_entries(""), 1);
            assert_string_equal(get_file("target"), "old");
        }
    }
}

static void test_granted_file(void **state)
{
    (void)state;
    struct files *files = start_one(RW, TN_GRANT_FILE, path_of("state"));
    uint64_t size;
    struct tn_bytes data;
    assert_int_equal(call_size(files, 1, &size), TENON_FILE_E_NOT_FOUND);
    assert_int_equal(call_commit(files, 1), TN_EINVAL); /* nothing was written */
    for (uint32_t round = 0; round < 3; round++) {
        char text[8];
        (void)snprintf(text, sizeof(text), "round%u", round);
        assert_int_equal(call_write(files, 1, 0, text, 6), TN_OK);
        assert_int_equal(call_commit(files, 1), TN_OK);
        assert_string_equal(get_file("state"), text);
        assert_int_equal(call_read(files, 1, 5, 9, &data), TN_OK);
        assert_int_equal(data.len, 1);
    }
    assert_int_equal(call_write(files, 1, 0, "dropped", 7), TN_OK);
    assert_int_equal(call_close(files, 1), TN_OK); /* the grant itself stays */
    assert_int_equal(call_size(files, 1, &size), TN_OK);
    assert_int_equal(size, 6);
    put_file("other", "replaced", 8); /* from outside: seen after close */
    assert_int_equal(rename(path_of("other"), path_of("state")), 0);
    assert_int_equal(call_size(files, 1, &size), TN_OK);
    assert_int_equal(size, 6);
    assert_int_equal(call_close(files, 1), TN_OK);
    assert_int_equal(call_size(files, 1, &size), TN_OK);
    assert_int_equal(size, 8);
    assert_int_equal(call_write(files, 1, (uint64_t)INT64_MAX - 1, "xx", 2), TN_ETOOBIG);
    assert_int_equal(call_truncate(files, 1, (uint64_t)INT64_MAX + 1), TN_ETOOBIG);
    driver_stop(files);
    assert_int_equal(count_entries(""), 1);

    files = start_one(W, TN_GRANT_FILE, path_of("state"));
    assert_int_equal(call_size(files, 1, &size), TN_ERIGHTS);
    assert_int_equal(call_write(files, 1, 0, "w", 1), TN_OK);
    assert_int_equal(call_commit(files, 1), TN_OK);
    driver_stop(files);
    assert_string_equal(get_file("state"), "w");
}

static void test_modes(void **state)
{
    (void)state;
    static const struct {
        mode_t before, after; /* before 0: there is no target */
    } cases[] = {{0600, 0600}, {0644, 0644}, {0755, 0755}, {04711, 0711}, {0, 0640}};
    mode_t mask = umask(027);
    for (int named = 0; named < 2; named++) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            struct files *files = start_one(RW, TN_GRANT_DIRECTORY, path_of(""));
            files->no_tmpfile |= named;
            uint64_t badge = 0;
            if (cases[i].before != 0) {
                put_file("target", "old", 3);
                assert_int_equal(chmod(path_of("target"), cases[i].before), 0);
            }
            assert_int_equal(call_open(files, 1, "target", 6, true, &badge), TN_OK);
            assert_int_equal(call_commit(files, badge), TN_OK);
            struct stat st;
            assert_int_equal(stat(path_of("target"), &st), 0);
            assert_int_equal(st.st_mode & 07777, cases[i].after);
            assert_int_equal(st.st_size, 0);
            assert_int_equal(unlink(path_of("target")), 0);
            driver_stop(files);
        }
    }
    (void)umask(mask);
}

static void test_directories(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path_of("sub"), 0755), 0);
    struct files *files = start_one(RW, TN_GRANT_DIRECTORY, path_of(""));
    uint64_t sub = 0, file = 0;
    assert_int_equal(call_open(files, 1, "sub", 3, true, &sub), TN_OK);
    assert_int_equal(call_write(files, sub, 0, "x", 1), TENON_FILE_E_IS_DIRECTORY);
    assert_int_equal(call_commit(files, sub), TENON_FILE_E_IS_DIRECTORY);
    assert_int_equal(call_open(files, sub, "file", 4, true, &file), TN_OK);
    assert_int_equal(call_close(files, sub), TN_OK); /* what came from it lives on */
    assert_int_equal(call_write(files, file, 0, "deep", 4), TN_OK);
    assert_int_equal(call_commit(files, file), TN_OK);
    assert_string_equal(get_file("sub/file"), "deep");

    /* The target becomes a directory, or a link, before the commit. */
    uint64_t late = 0;
    assert_int_equal(call_open(files, 1, "late", 4, true, &late), TN_OK);
    assert_int_equal(mkdir(path_of("late"), 0755), 0);
    assert_int_equal(call_commit(files, late), TENON_FILE_E_IS_DIRECTORY);
    assert_int_equal(rmdir(path_of("late")), 0);
    assert_int_equal(symlink("sub/file", path_of("late")), 0);
    assert_int_equal(call_write(files, late, 0, "late", 4), TN_OK);
    assert_int_equal(call_commit(files, late), TN_OK); /* replaces the link, follows nothing */
    assert_string_equal(get_file("late"), "late");
    assert_string_equal(get_file("sub/file"), "deep");
    driver_stop(files);
    assert_int_equal(count_entries(""), 2);
}

/* A folder that the process may read but not write, and a file that is read only. */
static void test_read_only(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path_of("closed"), 0555), 0);
    put_file("closed/file", "x", 1);
    assert_int_equal(chmod(path_of(""), 0777), 0);
    put_file("fixed", "x", 1);
    assert_int_equal(chmod(path_of("fixed"), 0444), 0);
    bool is_root = geteuid() == 0;
    if (is_root)
        assert_int_equal(seteuid(65534), 0);
    struct grant_of grants[2] = {{RW, TN_GRANT_DIRECTORY, path_of("closed")},
                                 {RW, TN_GRANT_DIRECTORY, path_of("")}};
    struct files *files = driver_start(grants, 2, NULL);
    for (int named = 0; named < 2; named++) {
        files->no_tmpfile |= named;
        assert_int_equal(call_open(files, 1, "file", 4, true, NULL), TN_EDENIED);
        assert_int_equal(call_open(files, 1, "new", 3, true, NULL), TN_EDENIED);
        assert_int_equal(call_open(files, 2, "fixed", 5, true, NULL), TN_EDENIED);
        assert_int_equal(call_open(files, 2, "new", 3, true, NULL), TN_OK);
    }
    driver_stop(files);
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_string_equal(get_file("closed/file"), "x");
    assert_int_equal(count_entries(""), 2);
}

/* A file system of a few pages: full in the middle of a write; the target is as it was. */
static void test_full_disk(void **state)
{
    (void)state;
    static uint8_t bytes[60000];
    assert_int_equal(mkdir(path_of("small"), 0755), 0);
    if (mount("tmpfs", path_of("small"), "tmpfs", 0, "size=128k") != 0)
        skip(); /* only who may mount can fill a disk of their own */
    put_file("small/target", "old", 3);
    struct files *files = start_one(RW, TN_GRANT_DIRECTORY, path_of("small"));
    for (int named = 0; named < 2; named++) {
        files->no_tmpfile |= named;
        uint64_t badge = 0;
        tn_err e = TN_OK;
        assert_int_equal(call_open(files, 1, "target", 6, true, &badge), TN_OK);
        for (uint32_t i = 0; e == TN_OK && i < 10; i++)
            e = call_write(files, badge, i * sizeof(bytes), bytes, sizeof(bytes));
        assert_int_equal(e, TENON_FILE_E_NO_SPACE);
        assert_string_equal(get_file("small/target"), "old");
        assert_int_equal(call_close(files, badge), TN_OK);
        assert_int_equal(count_entries("small"), 1);
    }
    driver_stop(files);
    assert_int_equal(umount(path_of("small")), 0);
}

static void test_file_limit(void **state)
{
    (void)state;
    struct rlimit was, low;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    low = (struct rlimit){.rlim_cur = 1000, .rlim_max = was.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    put_file("target", "old", 3);
    struct files *files = start_one(RW, TN_GRANT_FILE, path_of("target"));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    tn_err at = call_write(files, 1, 999, "x", 1), above = call_write(files, 1, 1000, "x", 1);
    tn_err longer = call_truncate(files, 1, 1001);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    (void)signal(SIGXFSZ, handler);
    assert_int_equal(at, TN_OK);
    assert_int_equal(above, TN_ETOOBIG);
    assert_int_equal(longer, TN_ETOOBIG);
    assert_string_equal(get_file("target"), "old");
    driver_stop(files);
}

/* Descriptors up to one more each time until it succeeds; nothing is held after a failure. */
static void test_no_descriptors(void **state)
{
    (void)state;
    put_file("target", "old", 3);
    struct rlimit was;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    static const uint32_t holds[] = {1, 2, 0}; /* open, open_write, list */
    for (int what = 0; what < 3; what++) {
        struct files *files = start_one(RW, TN_GRANT_DIRECTORY, path_of(""));
        uint32_t used = count_descriptors() - 1; /* it counts its own */
        tn_err e = TN_ELIMIT;
        uint32_t n;
        for (n = 1; e == TN_ELIMIT; n++) {
            struct tenon_file_list_reply list;
            struct rlimit low = {.rlim_cur = n, .rlim_max = was.rlim_max};
            assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
            e = what == 2 ? call_list(files, 1, "", &list)
                          : call_open(files, 1, "target", 6, what, NULL);
            assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
            assert_true(e == TN_OK || e == TN_ELIMIT);
            assert_int_equal(count_descriptors() - 1, used + (e == TN_OK ? holds[what] : 0));
        }
        assert_true(n > 2);
        driver_stop(files);
    }
    assert_string_equal(get_file("target"), "old");
}

#define FOLDER_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(test_commit),         FOLDER_TEST(test_no_commit),
        FOLDER_TEST(test_granted_file),   FOLDER_TEST(test_modes),
        FOLDER_TEST(test_directories),    FOLDER_TEST(test_read_only),
        FOLDER_TEST(test_full_disk),      FOLDER_TEST(test_file_limit),
        FOLDER_TEST(test_no_descriptors),
    };
    return cmocka_run_group_tests_name("driver_files_disk", tests, NULL, NULL);
}
