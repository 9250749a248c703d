/* interface_test.c: generated coders and the checker agree with each other and with the form that
 * docs/interfaces.md gives, on whole, grown, mutated and hostile messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <tenon/interface.h>

#include "interfaces/test/test_every.h"

/* A callee in the place of the kernel: checks as the runtime does, then answers. */

static uint32_t last_method, last_flags;
static uint32_t told;
static bool cut_reply;

static tn_err answer_variables(const struct tn_pack *in, struct tn_pack *out)
{
    struct test_every_variables_args args = {0};
    assert_int_equal(test_every_variables_args_decode(in, &args), TN_OK);
    const uint64_t longs[] = {args.text.len, args.numbers.count, UINT64_MAX};
    const int32_t ints[] = {-1};
    struct test_every_variables_reply reply = {
        .longs = {longs, 3},
        .ints = {ints, 1},
        .bytes = {args.raw.at, args.raw.len},
        .signs = {NULL, 0},
    };
    return test_every_variables_reply_encode(&reply, out);
}

tn_err tn_call(tn_cap to, uint32_t method, const struct tn_pack *in, struct tn_pack *ret_out,
               tn_time deadline)
{
    const struct tn_method *m = tn_method_by_number(method);
    assert_non_null(m);
    assert_int_equal(to, 77);
    assert_true(deadline == TN_NEVER);
    last_method = method;
    tn_err err = tn_check_args(m, in->data, in->len, in->ncaps);
    if (err != TN_OK)
        return err;
    if (method == TEST_EVERY_NOTHING)
        return ret_out == NULL ? TEST_EVERY_E_LAST : TN_EINTERNAL;
    if (method == TEST_EVERY_SCALARS) {
        struct test_every_scalars_reply reply = {.ok = true, .first = 50, .second = 51};
        assert_int_equal(ret_out->ncaps, 2); /* as many as the interface names */
        err = test_every_scalars_reply_encode(&reply, ret_out);
    } else {
        assert_int_equal(ret_out->ncaps, 0);
        err = answer_variables(in, ret_out);
    }
    if (err != TN_OK)
        return err;
    if (cut_reply)
        memset(ret_out->data, 0xff, ret_out->len);
    return cut_reply ? TN_OK : tn_check_reply(m, ret_out->data, ret_out->len, ret_out->ncaps);
}

tn_err tn_send(tn_cap to, uint32_t method, const struct tn_pack *in, uint32_t flags)
{
    struct test_every_tell_args args = {0};
    assert_int_equal(to, 77);
    last_method = method;
    last_flags = flags;
    tn_err err = test_every_tell_args_decode(in, &args);
    told = args.what;
    return err;
}

static const struct tn_method *method_of(uint32_t number)
{
    const struct tn_method *m = tn_method_by_number(number);
    assert_non_null(m);
    return m;
}

/* Checks a copy that has exactly `len` bytes and an odd address: a read outside is found. */
static tn_err check_copy(const struct tn_layout *layout, const void *at, uint32_t len,
                         uint32_t ncaps)
{
    uint8_t *copy = malloc(len + 1);
    assert_non_null(copy);
    if (len > 0)
        memcpy(copy + 1, at, len);
    tn_err err = tn_layout_check(layout, copy + 1, len, ncaps);
    free(copy);
    return err;
}

static void test_scalars(void **state)
{
    (void)state;
    uint64_t room[8];
    struct tn_pack pack = tn_pack_room(room, sizeof(room));
    struct test_every_scalars_args in = {1, UINT64_MAX, true, 2, -3, 0.5, 40, 41, 4, INT64_MIN};
    memset(room, 0xaa, sizeof(room));
    assert_int_equal(test_every_scalars_args_encode(&in, &pack), TN_OK);
    assert_int_equal(pack.len, 48);
    assert_int_equal(pack.ncaps, 2);
    assert_int_equal(pack.move, 2);
    const uint8_t *at = pack.data;
    assert_int_equal(at[0], 1);
    for (uint32_t i = 1; i < 8; i++)
        assert_int_equal(at[i], 0);
    assert_int_equal(at[16], 1);
    assert_int_equal(at[18], 2);
    assert_int_equal(at[32], 1); /* positions count from 1 */
    assert_int_equal(at[33], 2);
    struct test_every_scalars_args out = {0};
    assert_int_equal(test_every_scalars_args_decode(&pack, &out), TN_OK);
    assert_true(out.a == 1 && out.b == UINT64_MAX && out.c && out.d == 2 && out.e == -3);
    assert_true(out.f == 0.5 && out.g == 40 && out.h == 41 && out.i == 4 && out.j == INT64_MIN);
    const struct tn_layout *layout = &method_of(TEST_EVERY_SCALARS)->args;
    assert_int_equal(check_copy(layout, room, pack.len, 2), TN_OK);
    assert_int_equal(check_copy(layout, room, pack.len, 1), TN_EARGS);
    pack.ncaps = 1;
    assert_int_equal(test_every_scalars_args_decode(&pack, &out), TN_EARGS);
    pack.ncaps = 2;
    uint8_t *bytes = pack.data;
    bytes[16] = 2; /* bool */
    assert_int_equal(check_copy(layout, room, pack.len, 2), TN_EARGS);
    assert_int_equal(test_every_scalars_args_decode(&pack, &out), TN_EARGS);
    bytes[16] = 1;
    bytes[17] = 1; /* padding */
    assert_int_equal(check_copy(layout, room, pack.len, 2), TN_EARGS);
}

/* Every prefix: a field that is cut off reads as zero; half a field is nobody's message. */
static void test_prefixes(void **state)
{
    (void)state;
    uint64_t room[8];
    struct tn_pack pack = tn_pack_room(room, sizeof(room));
    struct test_every_scalars_args in = {1, UINT64_MAX, true, 0xffff, -1, -0.1, 40, 41, 6, -7},
                                   out = {0};
    assert_int_equal(test_every_scalars_args_encode(&in, &pack), TN_OK);
    const struct tn_layout *layout = &method_of(TEST_EVERY_SCALARS)->args;
    for (uint32_t len = 0; len <= pack.len; len++) {
        struct tn_pack cut = pack;
        cut.len = len;
        bool halved = false;
        for (uint32_t i = 0; i < layout->nfields; i++) {
            uint32_t end = i == 9 ? 48 : i == 8 ? 40 : i == 7 ? 34 : i == 6 ? 33 : 0;
            if (i < 6)
                end = (const uint32_t[]){1, 16, 17, 20, 24, 32}[i];
            halved = halved || (len > layout->fields[i].off && len < end);
        }
        assert_int_equal(check_copy(layout, room, len, 2), halved ? TN_EARGS : TN_OK);
        assert_int_equal(test_every_scalars_args_decode(&cut, &out), TN_OK);
        assert_true(out.a == (len >= 1 ? 1 : 0));
        assert_true(out.b == (len >= 16 ? UINT64_MAX : 0));
        assert_true(out.e == (len >= 24 ? -1 : 0));
        assert_true(out.h == (len >= 34 ? 41 : 0));
        assert_true(out.j == (len >= 48 ? -7 : 0));
    }
    assert_int_equal(check_copy(layout, NULL, 0, 0), TN_OK);
}

/* Two texts in their wire form, into `room` of 64 bytes. */
static struct tn_texts two_texts(uint64_t *room)
{
    uint32_t used = 0;
    assert_int_equal(tn_texts_add(room, 64, &used, TN_TEXT("h\xc3\xa9llo")), TN_OK);
    assert_int_equal(tn_texts_add(room, 64, &used, TN_TEXT("")), TN_OK);
    assert_int_equal(used, 16);
    return (struct tn_texts){room, used};
}

static uint32_t encode_variables(void *room, uint32_t size)
{
    static const double numbers[] = {1.5, -0.0, 1e300};
    static const uint16_t small[] = {1, 2, 3};
    uint64_t names[8];
    struct test_every_variables_args in = {
        .tag = 9,
        .text = TN_TEXT("t\xc3\xa9xt"),
        .numbers = {numbers, 3},
        .names = two_texts(names),
        .raw = {"\xff\xfe\xfd", 3},
        .small = {small, 3},
    };
    struct tn_pack pack = tn_pack_room(room, size);
    assert_int_equal(test_every_variables_args_encode(&in, &pack), TN_OK);
    return pack.len;
}

static void test_variables(void **state)
{
    (void)state;
    uint64_t room[32];
    memset(room, 0xaa, sizeof(room));
    struct tn_pack pack = tn_pack_room(room, sizeof(room));
    pack.len = encode_variables(room, sizeof(room));
    /* 44 fixed, 5 text, 7 padding, 24 numbers, 16 names, 3 raw, 1 padding, 6 small */
    assert_int_equal(pack.len, 44 + 5 + 7 + 24 + 16 + 3 + 1 + 6);
    struct test_every_variables_args out = {0};
    assert_int_equal(test_every_variables_args_decode(&pack, &out), TN_OK);
    assert_true(out.tag == 9 && out.text.len == 5 && memcmp(out.text.at, "t\xc3\xa9xt", 5) == 0);
    assert_true(out.numbers.count == 3 && tn_f64s_at(out.numbers, 2) == 1e300);
    struct tn_text name = {0};
    assert_true(tn_texts_next(&out.names, &name));
    assert_true(name.len == 6 && memcmp(name.at, "h\xc3\xa9llo", 6) == 0);
    assert_true(tn_texts_next(&out.names, &name));
    assert_int_equal(name.len, 0);
    assert_false(tn_texts_next(&out.names, &name));
    assert_true(out.raw.len == 3 && out.small.count == 3 && tn_u16s_at(out.small, 1) == 2);
    const struct tn_layout *layout = &method_of(TEST_EVERY_VARIABLES)->args;
    assert_int_equal(check_copy(layout, room, pack.len, 0), TN_OK);
    assert_int_equal(check_copy(layout, room, pack.len + 1, 0), TN_OK); /* surplus tail */
    assert_int_equal(check_copy(layout, room, pack.len - 1, 0), TN_EARGS);
}

/* One byte of a good message set to a bad value, and what the checker says. */
static void test_faults(void **state)
{
    (void)state;
    static const struct {
        uint32_t at;
        uint8_t value;
    } faults[] = {
        {1, 1},     /* padding in the fixed part */
        {4, 43},    /* the tail begins inside the fixed part */
        {4, 255},   /* ... beyond the message */
        {8, 11},    /* text longer than its maximum, and into the next field */
        {9, 1},     /* ... and beyond the message */
        {12, 60},   /* numbers not aligned */
        {12, 48},   /* ... and overlapping the text */
        {12, 64},   /* ... and a whole item of padding before them */
        {16, 23},   /* ... not whole items */
        {44, 0xff}, /* no UTF-8 */
        {50, 1},    /* padding in the tail */
        {80, 13},   /* a text of a list, longer than the list */
        {80, 5},    /* ... whose padding is then not zero */
        {84, 0xc0}, /* ... that is no UTF-8 */
        {90, 1},    /* ... and its padding */
        {95, 1},    /* the second one, of 16 MiB */
    };
    const struct tn_layout *layout = &method_of(TEST_EVERY_VARIABLES)->args;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        uint64_t room[32] = {0};
        uint32_t len = encode_variables(room, sizeof(room));
        assert_int_not_equal(((uint8_t *)room)[faults[i].at], faults[i].value);
        ((uint8_t *)room)[faults[i].at] = faults[i].value;
        if (check_copy(layout, room, len, 0) != TN_EARGS)
            fail_msg("fault %zu was accepted", i);
    }
}

/* At each field's maximum, and one above. */
static void test_maxima(void **state)
{
    (void)state;
    static uint64_t room[TN_ARGS_MAX / 8 + 8];
    static const double numbers[4] = {0};
    struct tn_pack pack = tn_pack_room(room, sizeof(room));
    assert_int_equal(pack.size, TN_ARGS_MAX);
    struct test_every_variables_args in = {.text = TN_TEXT("0123456789")};
    const struct tn_layout *layout = &method_of(TEST_EVERY_VARIABLES)->args;
    assert_int_equal(test_every_variables_args_encode(&in, &pack), TN_OK);
    assert_int_equal(check_copy(layout, room, pack.len, 0), TN_OK);
    in.text = TN_TEXT("0123456789a");
    assert_int_equal(test_every_variables_args_encode(&in, &pack), TN_EARGS);
    in.text = TN_TEXT("");
    in.numbers = (struct tn_f64s){numbers, 4};
    assert_int_equal(test_every_variables_args_encode(&in, &pack), TN_EARGS);
    in.numbers.count = 3;
    assert_int_equal(test_every_variables_args_encode(&in, &pack), TN_OK);
    uint64_t names[8];
    uint32_t used = 0;
    for (int i = 0; i < 3; i++)
        assert_int_equal(tn_texts_add(names, sizeof(names), &used, TN_TEXT("x")), TN_OK);
    in.names = (struct tn_texts){names, 24};
    assert_int_equal(test_every_variables_args_encode(&in, &pack), TN_OK);
    assert_int_equal(check_copy(layout, room, pack.len, 0), TN_EARGS); /* three, of two */
    in = (struct test_every_variables_args){.raw = {names, 0}};
    uint32_t most = 0;
    assert_int_equal(test_every_variables_args_encode(&in, &pack), TN_OK);
    most = TN_ARGS_MAX - pack.len;
    static const uint8_t raw[TN_ARGS_MAX];
    in.raw = (struct tn_bytes){raw, most};
    assert_int_equal(test_every_variables_args_encode(&in, &pack), TN_OK);
    assert_int_equal(pack.len, TN_ARGS_MAX);
    assert_int_equal(check_copy(layout, room, pack.len, 0), TN_OK);
    assert_int_equal(check_copy(layout, room, pack.len + 1, 0), TN_ETOOBIG);
    in.raw.len++;
    assert_int_equal(test_every_variables_args_encode(&in, &pack), TN_ETOOBIG);
    assert_int_equal(pack.len, TN_ARGS_MAX); /* untouched */
}

/* Every room that is too small is refused, and nothing is written beyond it. */
static void test_small_rooms(void **state)
{
    (void)state;
    uint64_t whole[32];
    uint32_t len = encode_variables(whole, sizeof(whole));
    struct tn_pack pack = tn_pack_room(whole, sizeof(whole));
    pack.len = len;
    struct test_every_variables_args in = {0};
    assert_int_equal(test_every_variables_args_decode(&pack, &in), TN_OK);
    for (uint32_t size = 0; size <= len; size++) {
        void *room = malloc(size == 0 ? 1 : size);
        assert_non_null(room);
        struct tn_pack small = tn_pack_room(size == 0 ? NULL : room, size);
        assert_int_equal(test_every_variables_args_encode(&in, &small),
                         size == len ? TN_OK : TN_ETOOBIG);
        if (size == len)
            assert_memory_equal(room, whole, len);
        free(room);
    }
    uint64_t list[4];
    uint32_t used = 0;
    assert_int_equal(tn_texts_add(list, 7, &used, TN_TEXT("abcd")), TN_ETOOBIG);
    assert_int_equal(tn_texts_add(list, 3, &used, TN_TEXT("")), TN_ETOOBIG);
    assert_int_equal(used, 0);
    assert_int_equal(tn_texts_add(list, 8, &used, TN_TEXT("abc")), TN_OK);
    assert_int_equal(used, 8);
}

/* A method at two ages: each reads the other's arguments and replies. */
static void test_growth(void **state)
{
    (void)state;
    uint64_t room[16];
    struct tn_pack pack = tn_pack_room(room, sizeof(room));
    const struct tn_method *was = method_of(TEST_EVERY_OLD), *is = method_of(TEST_EVERY_NEW);
    struct test_every_old_args old = {5, TN_TEXT("abc"), 6};
    struct test_every_new_args new = {0};
    assert_int_equal(test_every_old_args_encode(&old, &pack), TN_OK);
    assert_int_equal(check_copy(&is->args, room, pack.len, 0), TN_OK);
    assert_int_equal(test_every_new_args_decode(&pack, &new), TN_OK);
    assert_true(new.a == 5 && new.b == 6 && new.text.len == 3);
    assert_true(new.c == 0 && !new.d &&new.more.count == 0 && new.f == 0);

    static const uint64_t more[] = {7, 8};
    new = (struct test_every_new_args){1, TN_TEXT("xy"), 2, 3, true, {more, 2}, 99};
    assert_int_equal(test_every_new_args_encode(&new, &pack), TN_OK);
    assert_int_equal(check_copy(&was->args, room, pack.len, 1), TN_OK);
    assert_int_equal(check_copy(&is->args, room, pack.len, 1), TN_OK);
    assert_int_equal(test_every_old_args_decode(&pack, &old), TN_OK);
    assert_true(old.a == 1 && old.b == 2 && old.text.len == 2 && old.text.at[0] == 'x');

    /* The old reply's list is aligned to 8 in the tail: the new one's fields meet no garbage. */
    struct test_every_old_reply old_reply = {{more, 2}};
    struct test_every_new_reply new_reply = {0};
    assert_int_equal(test_every_old_reply_encode(&old_reply, &pack), TN_OK);
    assert_int_equal(check_copy(&is->returns, room, pack.len, 0), TN_OK);
    assert_int_equal(test_every_new_reply_decode(&pack, &new_reply), TN_OK);
    assert_true(new_reply.list.count == 2 && new_reply.x == 0 && new_reply.y.len == 0);
    assert_int_equal(tn_u64s_at(new_reply.list, 1), 8);
}

/* What the checker lets pass, decoders take; neither reads outside, whatever the bytes are. */
static void test_mutations(void **state)
{
    (void)state;
    static const uint32_t methods[] = {TEST_EVERY_VARIABLES, TEST_EVERY_NEW, TEST_EVERY_SCALARS};
    uint64_t seed = 1;
    uint32_t passed = 0;
    for (uint32_t round = 0; round < 60000; round++) {
        uint64_t room[32] = {0};
        uint32_t len = encode_variables(room, sizeof(room));
        uint8_t *bytes = (uint8_t *)room;
        for (uint32_t i = 0; i < 1 + round % 3; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bytes[(seed >> 33) % 56] = (uint8_t)(seed >> 56) & (round & 8 ? 0x7f : 0x0f);
        }
        len -= (uint32_t)(seed >> 40) % (round % 4 == 0 ? len : 1);
        uint8_t *copy = malloc(len);
        assert_non_null(copy);
        memcpy(copy, bytes, len);
        struct tn_pack pack = tn_pack_room(copy, 0);
        pack.len = len;
        pack.ncaps = 2;
        struct test_every_variables_args variables;
        struct test_every_new_args new;
        struct test_every_scalars_args scalars;
        tn_err decoded[] = {test_every_variables_args_decode(&pack, &variables),
                            test_every_new_args_decode(&pack, &new),
                            test_every_scalars_args_decode(&pack, &scalars)};
        for (uint32_t i = 0; i < 3; i++) {
            tn_err err = tn_layout_check(&method_of(methods[i])->args, copy, len, 2);
            passed += err == TN_OK;
            assert_true(err == TN_EARGS || (err == TN_OK && decoded[i] == TN_OK));
        }
        free(copy);
    }
    assert_true(passed > 1000);
}

static void test_stubs(void **state)
{
    (void)state;
    uint64_t room[64], names[8];
    static const double numbers[] = {1, 2};
    static const uint16_t small[] = {5};
    struct test_every_variables_reply reply = {0};
    struct tn_texts list = two_texts(names);
    assert_int_equal(test_every_variables(77, 3, "abc", 3, numbers, 2, list, "\1\2", 2, small, 1,
                                          &reply, room, sizeof(room), TN_NEVER),
                     TN_OK);
    assert_int_equal(last_method, 0xffff0001);
    assert_true(reply.longs.count == 3 && tn_u64s_at(reply.longs, 0) == 3);
    assert_true(tn_u64s_at(reply.longs, 1) == 2 && tn_u64s_at(reply.longs, 2) == UINT64_MAX);
    assert_true(reply.ints.count == 1 && tn_i32s_at(reply.ints, 0) == -1);
    assert_true(reply.bytes.count == 2 && tn_u8s_at(reply.bytes, 1) == 2);
    assert_true(reply.words.count == 0 && reply.signs.count == 0);
    struct test_every_scalars_reply ok = {false};
    assert_int_equal(test_every_scalars(77, 1, 2, true, 3, 4, 5, 6, 7, 8, 9, &ok, TN_NEVER), TN_OK);
    assert_true(ok.ok);
    assert_int_equal(test_every_nothing(77, TN_NEVER), TEST_EVERY_E_LAST);
    assert_int_equal(test_every_tell(77, 42, TN_SEND_WAIT), TN_OK);
    assert_int_equal(told, 42);
    assert_int_equal(last_flags, TN_SEND_WAIT);
    /* room for the arguments and not for the reply; then not even for the arguments */
    assert_int_equal(test_every_variables(77, 3, "abc", 3, numbers, 2, list, "\1\2", 2, small, 1,
                                          &reply, room, 112, TN_NEVER),
                     TN_ETOOBIG);
    assert_int_equal(test_every_variables(77, 3, "abc", 3, numbers, 2, list, "\1\2", 2, small, 1,
                                          &reply, room, 64, TN_NEVER),
                     TN_ETOOBIG);
    cut_reply = true;
    assert_int_equal(test_every_scalars(77, 1, 2, true, 3, 4, 5, 6, 7, 8, 9, &ok, TN_NEVER),
                     TN_EARGS);
    cut_reply = false;
    assert_true(ok.ok);
}

/* A variable field that is filled in place is sent from there. */
static void test_room_in_place(void **state)
{
    (void)state;
    uint64_t room[4];
    struct tn_pack pack = tn_pack_room(room, sizeof(room));
    uint32_t bytes = 0;
    uint64_t *at = test_every_old_reply_room(&pack, &bytes);
    assert_ptr_equal(at, &room[1]);
    assert_int_equal(bytes, 24);
    at[0] = 11;
    at[2] = 13;
    struct test_every_old_reply reply = {{at, 3}};
    assert_int_equal(test_every_old_reply_encode(&reply, &pack), TN_OK);
    assert_int_equal(pack.len, 32);
    assert_int_equal(test_every_old_reply_decode(&pack, &reply), TN_OK);
    assert_true(tn_u64s_at(reply.list, 0) == 11 && tn_u64s_at(reply.list, 2) == 13);
    pack.size = 8;
    assert_null(test_every_old_reply_room(&pack, &bytes));
    assert_int_equal(bytes, 0);
}

static void test_table(void **state)
{
    (void)state;
    assert_int_equal(tn_interfaces_count, 1);
    const struct tn_interface *every = tn_interface_by_name("test.every", 10);
    assert_non_null(every);
    assert_null(tn_interface_by_name("test.every", 9));
    assert_ptr_equal(tn_interface_by_id(65535), every);
    assert_null(tn_interface_by_id(65534));
    assert_string_equal(every->version, "1.2.3");
    assert_int_equal(every->constants[0].number, INT32_MIN);
    assert_int_equal(every->constants[0].number, TEST_EVERY_LEAST);
    for (uint32_t i = 0; i < every->nmethods; i++) {
        const struct tn_method *m = &every->methods[i];
        assert_ptr_equal(tn_method_by_ordinal(every, m->ordinal), m);
        assert_ptr_equal(tn_method_by_name(every, m->name, (uint32_t)strlen(m->name)), m);
        assert_ptr_equal(tn_method_by_number(TN_METHOD(65535u, m->ordinal)), m);
    }
    assert_null(tn_method_by_ordinal(every, 6));
    assert_null(tn_method_by_number(TN_METHOD(1u, 1u)));
    assert_int_equal(method_of(TEST_EVERY_SCALARS)->rights, TN_R_READ | TN_R_WRITE | TN_R_CONTROL);
    assert_true(method_of(TEST_EVERY_TELL)->oneway);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars),   cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_variables), cmocka_unit_test(test_faults),
        cmocka_unit_test(test_maxima),    cmocka_unit_test(test_small_rooms),
        cmocka_unit_test(test_growth),    cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_stubs),     cmocka_unit_test(test_room_in_place),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests_name("interface", tests, NULL, NULL);
}
