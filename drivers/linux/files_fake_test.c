/* files_fake_test.c: what the tests of the files driver share. */
#include "drivers/linux/files_fake.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "drivers/linux/drivers.h"
#include <tenon/interface.h>

struct fake fake;
_Alignas(8) uint8_t room[ROOM];
uint32_t room_size = ROOM;
static char folder[64];
static const tn_cap self_cap = 4711;

/* The kernel is asked for nothing where the driver says that it may block. */
static bool blocks;

void tn_block_begin(void)
{
    assert_false(blocks);
    blocks = true;
}

void tn_block_end(void)
{
    assert_true(blocks);
    blocks = false;
}

tn_err tn_need(const char *name, uint32_t len, tn_cap *ret_cap)
{
    assert_false(blocks);
    fake.needs++;
    assert_int_equal(len, 4);
    assert_memory_equal(name, "self", 4);
    if (fake.need_fails != TN_OK)
        return fake.need_fails;
    *ret_cap = self_cap;
    return TN_OK;
}

tn_err tn_cap_mint(tn_cap from, uint32_t rights, uint64_t badge, tn_cap *ret_cap)
{
    assert_false(blocks);
    assert_int_equal(from, self_cap);
    assert_true(badge > TN_GRANT_BADGE_MAX);
    fake.mints++;
    fake.mint_rights = rights;
    if (fake.mint_fails != TN_OK)
        return fake.mint_fails;
    *ret_cap = badge;
    return TN_OK;
}

tn_err tn_cap_drop(tn_cap cap)
{
    assert_false(blocks);
    assert_true(cap > TN_GRANT_BADGE_MAX);
    fake.drops++;
    return TN_OK;
}

const char *folder_make(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/tenon-files-XXXXXX");
    assert_non_null(mkdtemp(folder));
    fake = (struct fake){0};
    room_size = ROOM;
    return folder;
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *walk)
{
    (void)st;
    (void)flag;
    (void)walk;
    return remove(path);
}

void folder_remove(void)
{
    assert_int_equal(nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *path_of(const char *name)
{
    static char paths[8][512];
    static uint32_t next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof(paths[0]), "%s%s%s", folder, name[0] != '\0' ? "/" : "", name);
    return path;
}

void put_file(const char *name, const void *bytes, size_t len)
{
    int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(close(fd), 0);
}

const char *get_file(const char *name)
{
    static char text[257];
    int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    assert_true(n >= 0);
    text[n] = '\0';
    (void)close(fd);
    return text;
}

static uint32_t count_in(const char *path)
{
    DIR *stream = opendir(path);
    assert_non_null(stream);
    uint32_t count = 0;
    const struct dirent *entry;
    while ((entry = readdir(stream)) != NULL)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    (void)closedir(stream);
    return count;
}

uint32_t count_entries(const char *name)
{
    return count_in(path_of(name));
}

uint32_t count_descriptors(void)
{
    return count_in("/proc/self/fd");
}

struct files *driver_start(const struct grant_of *grants, uint32_t count, tn_err *ret_err)
{
    struct files *files = calloc(1, driver_linux_files.state_size);
    assert_non_null(files);
    struct tn_pack config = tn_pack_room(room, ROOM);
    for (uint32_t i = 0; i < count; i++) {
        struct tn_grant grant = {.badge = i + 1,
                                 .rights = grants[i].rights,
                                 .kind = grants[i].kind,
                                 .text = grants[i].path,
                                 .text_len = (uint32_t)strlen(grants[i].path)};
        assert_int_equal(tn_grants_add(&config, grant), TN_OK);
    }
    struct tn_turn turn = {0};
    tn_err e = driver_linux_files.load(files, &turn, &config);
    if (ret_err != NULL)
        *ret_err = e;
    else
        assert_int_equal(e, TN_OK);
    if (e == TN_OK)
        return files;
    free(files);
    return NULL;
}

void driver_stop(struct files *files)
{
    struct tn_turn turn = {0};
    driver_linux_files.stop(files, &turn);
    free(files);
}

tn_err call_raw(struct files *files, uint64_t badge, uint32_t method, const void *args,
                uint32_t len, struct tn_pack *ret_out)
{
    /* Exactly as long as it says, so that a sanitizer sees a byte too far. */
    void *bytes = malloc(len > 0 ? len : 1);
    assert_non_null(bytes);
    if (len > 0)
        memcpy(bytes, args, len);
    struct tn_turn turn = {.badge = badge, .method = method};
    struct tn_pack in = {.data = bytes, .len = len};
    struct tn_pack out = tn_pack_room(room, room_size);
    tn_err e = driver_linux_files.call(files, &turn, &in, &out);
    free(bytes);
    if (e == TN_OK) {
        const struct tn_method *about = tn_method_by_number(method);
        assert_non_null(about);
        assert_int_equal(tn_check_reply(about, out.data, out.len, out.ncaps), TN_OK);
    }
    if (ret_out != NULL)
        *ret_out = out;
    return e;
}

static uint8_t sent[ROOM];

tn_err call_open(struct files *files, uint64_t badge, const char *name, size_t len, bool write,
                 uint64_t *ret_badge)
{
    struct tn_pack in = tn_pack_room(sent, sizeof(sent)), out;
    uint32_t off_len[2] = {8, (uint32_t)len}; /* by hand: longer than the coder allows, too */
    memcpy(sent, off_len, 8);
    memcpy(sent + 8, name, len);
    in.len = 8 + (uint32_t)len;
    tn_err e =
        call_raw(files, badge, write ? TENON_FILE_OPEN_WRITE : TENON_FILE_OPEN, sent, in.len, &out);
    struct tenon_file_open_reply reply = {0};
    if (e == TN_OK) {
        assert_int_equal(tenon_file_open_reply_decode(&out, &reply), TN_OK);
        assert_true(reply.file != 0 && out.move == 1);
        uint32_t rights = TN_R_CALL | TN_R_READ | (write ? (uint32_t)TN_R_WRITE : 0);
        assert_int_equal(fake.mint_rights, rights);
        if (ret_badge != NULL)
            *ret_badge = reply.file;
    }
    return e;
}

tn_err call_size(struct files *files, uint64_t badge, uint64_t *ret_bytes)
{
    struct tn_pack out;
    struct tenon_file_size_reply reply = {0};
    tn_err e = call_raw(files, badge, TENON_FILE_SIZE, NULL, 0, &out);
    if (e == TN_OK) {
        assert_int_equal(tenon_file_size_reply_decode(&out, &reply), TN_OK);
        *ret_bytes = reply.size_bytes;
    }
    return e;
}

tn_err call_read(struct files *files, uint64_t badge, uint64_t offset, uint32_t len,
                 struct tn_bytes *ret_data)
{
    struct tn_pack in = tn_pack_room(sent, sizeof(sent)), out;
    struct tenon_file_read_args args = {.offset_bytes = offset, .len = len};
    struct tenon_file_read_reply reply = {0};
    assert_int_equal(tenon_file_read_args_encode(&args, &in), TN_OK);
    tn_err e = call_raw(files, badge, TENON_FILE_READ, sent, in.len, &out);
    if (e == TN_OK) {
        assert_int_equal(tenon_file_read_reply_decode(&out, &reply), TN_OK);
        *ret_data = reply.data;
    }
    return e;
}

tn_err call_write(struct files *files, uint64_t badge, uint64_t offset, const void *data,
                  uint32_t len)
{
    struct tn_pack in = tn_pack_room(sent, sizeof(sent));
    struct tenon_file_write_args args = {.offset_bytes = offset, .data = {data, len}};
    assert_int_equal(tenon_file_write_args_encode(&args, &in), TN_OK);
    return call_raw(files, badge, TENON_FILE_WRITE, sent, in.len, NULL);
}

tn_err call_truncate(struct files *files, uint64_t badge, uint64_t size)
{
    return call_raw(files, badge, TENON_FILE_TRUNCATE, &size, sizeof(size), NULL);
}

tn_err call_commit(struct files *files, uint64_t badge)
{
    return call_raw(files, badge, TENON_FILE_COMMIT, NULL, 0, NULL);
}

tn_err call_close(struct files *files, uint64_t badge)
{
    return call_raw(files, badge, TENON_FILE_CLOSE, NULL, 0, NULL);
}

tn_err call_list(struct files *files, uint64_t badge, const char *after,
                 struct tenon_file_list_reply *ret_reply)
{
    struct tn_pack in = tn_pack_room(sent, sizeof(sent)), out;
    struct tenon_file_list_args args = {.after = {after, (uint32_t)strlen(after)}};
    assert_int_equal(tenon_file_list_args_encode(&args, &in), TN_OK);
    tn_err e = call_raw(files, badge, TENON_FILE_LIST, sent, in.len, &out);
    if (e == TN_OK)
        assert_int_equal(tenon_file_list_reply_decode(&out, ret_reply), TN_OK);
    return e;
}
