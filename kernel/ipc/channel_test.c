/* channel_test.c: channels between actors on several CPUs: every record arrives, in order; nobody
 * sleeps while there is work for him; an end that goes is heard of; a hostile end harms nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "sdk/chan.h"
#include "tests/kit/explore.h"

enum { CAPACITY = 256, RECORDS = 150, SOON_NS = 300000 };

static struct channel_end *ends[2];

static void make_channel(struct kit *kit)
{
    assert_int_equal(
        channel_make(kit->kernel->root, &kit->kernel->limbo, CAPACITY, &ends[0], &ends[1]), TN_OK);
}

static uint32_t length_of(uint32_t record)
{
    return record * 29 % (uint32_t)(ring_record_max(CAPACITY) + 1);
}

/* A producer and a consumer who sleep when they must, and flush and release when they like. */

static void produce_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    struct chan_out *out = self;
    (void)turn;
    (void)in;
    uint8_t data[CAPACITY];
    tn_cap end = kit_need("end");
    KIT_CHECK(chan_out_open(out, end) == TN_OK);
    for (uint32_t i = 0; i < RECORDS; i++) {
        memset(data, (int)(i & 0xff), sizeof(data));
        tn_err err = chan_send(out, data, length_of(i), TN_NEVER);
        if (!KIT_CHECK(err == TN_OK))
            break;
        if (i % 7 == 0)
            KIT_CHECK(chan_flush(out) == TN_OK);
    }
    KIT_CHECK(chan_flush(out) == TN_OK);
    if (turn->badge == 0) /* the end of the stream is that the end goes */
        KIT_CHECK(tn_cap_drop(end) == TN_OK);
    kit_done();
}
KIT_ROLE(producer, .state_size = sizeof(struct chan_out), .event = produce_event);

static void consume_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    struct chan_in *from = self;
    (void)turn;
    (void)in;
    uint8_t data[CAPACITY];
    uint32_t len = 0, arrived = 0;
    tn_err err;
    KIT_CHECK(chan_in_open(from, kit_need("end")) == TN_OK);
    while ((err = chan_receive(from, data, sizeof(data), &len, TN_NEVER)) == TN_OK) {
        if (!KIT_CHECK(len == length_of(arrived)))
            break;
        for (uint32_t i = 0; i < len; i++)
            KIT_CHECK(data[i] == (arrived & 0xff));
        arrived++;
        if (arrived % 5 == 0)
            KIT_CHECK(chan_release(from) == TN_OK);
    }
    KIT_CHECK(err == TN_EGONE && arrived == RECORDS);
    KIT_CHECK(chan_receive(from, data, sizeof(data), &len, TN_NEVER) == TN_EGONE);
    kit_done();
}
KIT_ROLE(consumer, .state_size = sizeof(struct chan_in), .event = consume_event);

static void stream(struct kit *kit)
{
    struct kit_actor *drivers[] = {kit_make(kit, "producer", &producer, 0, 1),
                                   kit_make(kit, "consumer", &consumer, 1, 1)};
    make_channel(kit);
    kit_give(drivers[0], "end", channel_end_object(ends[0]), TN_R_WRITE);
    kit_give(drivers[1], "end", channel_end_object(ends[1]), TN_R_READ);
    kit_run_all(kit, drivers, 2);
}

/* A ping-pong over two channels, a record each time: all sleep, all the time. */

enum { PINGS = 40 };

static void ping_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    struct chan_out out;
    struct chan_in back;
    (void)self;
    (void)in;
    bool first = turn->badge == 0;
    uint32_t number = 0, len;
    KIT_CHECK(chan_out_open(&out, kit_need("out")) == TN_OK);
    KIT_CHECK(chan_in_open(&back, kit_need("back")) == TN_OK);
    for (uint32_t i = 0; i < PINGS; i++) {
        if (!first) {
            KIT_CHECK(chan_receive(&back, &number, sizeof(number), &len, TN_NEVER) == TN_OK);
            KIT_CHECK(len == sizeof(number) && number == i);
        }
        KIT_CHECK(chan_out_map(&out) == TN_OK);
        KIT_CHECK(chan_send(&out, &i, sizeof(i), TN_NEVER) == TN_OK);
        KIT_CHECK(chan_flush(&out) == TN_OK);
        if (first) {
            KIT_CHECK(chan_in_map(&back) == TN_OK);
            KIT_CHECK(chan_receive(&back, &number, sizeof(number), &len, TN_NEVER) == TN_OK);
            KIT_CHECK(number == i);
        }
    }
    kit_done();
}
KIT_ROLE(pinger, .event = ping_event);

static void pings(struct kit *kit)
{
    struct kit_actor *drivers[2];
    for (uint32_t i = 0; i < 2; i++)
        drivers[i] = kit_make(kit, "pinger", &pinger, i, 1);
    for (uint32_t i = 0; i < 2; i++) {
        make_channel(kit);
        kit_give(drivers[i], "out", channel_end_object(ends[0]), TN_R_WRITE);
        kit_give(drivers[1 - i], "back", channel_end_object(ends[1]), TN_R_READ);
    }
    kit_run_all(kit, drivers, 2);
}

static void test_streams(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = stream});
    explore(&(struct explore){.scenario = pings});
}

/* Who waits for an end that dies, whoever kills it, is told. */

static struct kit_actor *victim;

static void widow_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    uint64_t bits = 0;
    tn_cap end = kit_need("end");
    tn_err err = TN_OK;
    while (err == TN_OK && (bits & TN_BELL_GONE) == 0)
        err = tn_wait(end, TN_NEVER, &bits);
    KIT_CHECK(err == TN_OK);
    bits = 0;
    KIT_CHECK(tn_wait(end, turn->now, &bits) == TN_OK && bits == TN_BELL_GONE); /* for good */
    KIT_CHECK(tn_signal(end, TN_BELL_RING) == TN_EGONE);
    void *at;
    uint64_t size;
    KIT_CHECK(tn_chan_map(end, &at, &size) == TN_OK); /* what was written stays */
    kit_done();
}
KIT_ROLE(widow, .event = widow_event);

static void killer_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    KIT_CHECK(tn_yield() == TN_OK);
    kit_kill(victim);
    kit_done();
}
KIT_ROLE(killer, .event = killer_event);
KIT_ROLE(bystander, .event = NULL);

static void one_end_dies(struct kit *kit, bool producer_dies)
{
    struct kit_actor *drivers[] = {kit_make(kit, "widow", &widow, 0, 1),
                                   kit_make(kit, "killer", &killer, 1, 1)};
    victim = kit_make(kit, "victim", &bystander, 1, 1);
    make_channel(kit);
    struct kit_actor *producer_ = producer_dies ? victim : drivers[0];
    struct kit_actor *consumer_ = producer_dies ? drivers[0] : victim;
    kit_give(producer_, "end", channel_end_object(ends[0]), TN_R_WRITE);
    kit_give(consumer_, "end", channel_end_object(ends[1]), TN_R_READ);
    kit_run_all(kit, drivers, 2);
}

static void producer_dies(struct kit *kit)
{
    one_end_dies(kit, true);
}

static void consumer_dies(struct kit *kit)
{
    one_end_dies(kit, false);
}

/* Both at once, while each waits for the other, and the memory of it all is revoked. */
static tn_cap both_memory;
static atomic_u32 nwaiting;

static void mortal_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    uint64_t bits = 0;
    tn_err err = TN_OK;
    if (in->ncaps == 0) /* the conductor's */
        return;
    (void)at_add(&nwaiting, 1, SEQ_CST);
    while (err == TN_OK && (bits & TN_BELL_GONE) == 0)
        err = tn_wait(in->caps[0], TN_NEVER, &bits);
    KIT_CHECK(err == TN_OK || err == TN_EGONE || err == TN_EBADCAP);
    kit_done();
}
KIT_ROLE(mortal, .event = mortal_event);

static void revoker_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    tn_cap end[2] = {0, 0};
    KIT_CHECK(tn_chan_new(kit_need("memory"), CAPACITY, &end[0], &end[1]) == TN_OK);
    static const char *const to[] = {"a", "b"};
    for (uint32_t i = 0; i < 2; i++) {
        struct tn_pack pack = {.ncaps = 1, .move = 1, .caps = {end[i]}};
        KIT_CHECK(tn_send(kit_need(to[i]), TN_METHOD(9, 1), &pack, 0) == TN_OK);
    }
    while (at_load(&nwaiting, SEQ_CST) < 2)
        KIT_CHECK(kit_pause() == TN_OK);
    KIT_CHECK(tn_cap_revoke(both_memory) == TN_OK);
    kit_done();
}
KIT_ROLE(revoker, .event = revoker_event);

static void memory_is_revoked(struct kit *kit)
{
    at_init(&nwaiting, 0);
    struct kit_actor *drivers[] = {kit_make(kit, "revoker", &revoker, 0, 1),
                                   kit_make(kit, "a", &mortal, 1, 2),
                                   kit_make(kit, "b", &mortal, 2, 2)};
    both_memory = kit_memory(drivers[0], "memory", 1 << 16);
    kit_wire(drivers[0], "a", drivers[1], TN_R_CALL, 1);
    kit_wire(drivers[0], "b", drivers[2], TN_R_CALL, 2);
    kit_run_all(kit, drivers, 3);
}

static void test_ends(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = producer_dies});
    explore(&(struct explore){.scenario = consumer_dies});
    explore(&(struct explore){.scenario = memory_is_revoked});
}

/* A hostile producer: writes what it likes into the words of the ring, and rings at any time. Who
 * reads hears of it, and has lost nothing but the channel. */

enum { SPOILT = 60 };

static void spoil_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    tn_cap end = kit_need("end");
    void *at;
    uint64_t size, x = turn->now | 1;
    for (uint32_t i = 0; i < SPOILT; i++) {
        KIT_CHECK(tn_chan_map(end, &at, &size) == TN_OK);
        struct ring *ring = at;
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
        uint64_t value = x >> (x >> 33) % 64;
        if (x >> 62 == 0)
            at_store(&ring->head, value & ~UINT64_C(7), RELAXED);
        else if (x >> 62 == 1)
            at_store(&ring->tail, value, RELAXED);
        else
            at_store(&ring->consumer_sleeps, (uint32_t)value, RELAXED);
        if (x % 3 == 0)
            KIT_CHECK(tn_signal(end, value) == TN_OK);
        KIT_CHECK(kit_pause() == TN_OK);
    }
    KIT_CHECK(tn_chan_map(end, &at, &size) == TN_OK);
    at_store(&((struct ring *)at)->head, 3, SEQ_CST);
    KIT_CHECK(tn_signal(end, TN_BELL_RING) == TN_OK);
    kit_done();
}
KIT_ROLE(spoiler, .event = spoil_event);

static void patient_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    struct chan_in *from = self;
    (void)turn;
    (void)in;
    uint8_t data[CAPACITY];
    uint32_t len;
    tn_err err = chan_in_open(from, kit_need("end"));
    if (err == TN_OK) {
        do
            err = chan_receive(from, data, sizeof(data), &len, machine_now_ns() + SOON_NS);
        while (err == TN_OK || err == TN_ETIME);
    }
    KIT_CHECK(err == TN_EFORMAT);
    kit_done();
}
KIT_ROLE(patient, .state_size = sizeof(struct chan_in), .event = patient_event);

static void spoilt(struct kit *kit)
{
    struct kit_actor *drivers[] = {kit_make(kit, "spoiler", &spoiler, 0, 1),
                                   kit_make(kit, "patient", &patient, 1, 1)};
    make_channel(kit);
    kit_give(drivers[0], "end", channel_end_object(ends[0]), TN_R_WRITE);
    kit_give(drivers[1], "end", channel_end_object(ends[1]), TN_R_READ);
    kit_run_all(kit, drivers, 2);
}

/* What each function refuses, and leaves as it was. */
static tn_err drive_wrong(void *self, const struct tn_turn *turn)
{
    (void)self;
    tn_cap memory = kit_need("memory"), out = 7, in = 8, bare = 0, last = 0;
    void *at = NULL;
    uint64_t size = 0, bits = 0;
    static const uint64_t none[] = {0, 1, 32, 100, TN_CHANNEL_MIN - 1, TN_CHANNEL_MIN + 8};
    for (uint32_t i = 0; i < ARRAY_LEN(none); i++)
        KIT_CHECK(tn_chan_new(memory, none[i], &out, &in) == TN_EINVAL);
    KIT_CHECK(tn_chan_new(memory, UINT64_C(2) * TN_CHANNEL_MAX, &out, &in) == TN_ETOOBIG);
    KIT_CHECK(tn_chan_new(memory, 1 << 20, &out, &in) == TN_ENOMEM);
    KIT_CHECK(tn_chan_new(kit_need("note"), 64, &out, &in) == TN_ETYPE);
    KIT_CHECK(tn_chan_new(99, 64, &out, &in) == TN_EBADCAP && out == 7 && in == 8);
    KIT_CHECK(tn_chan_new(memory, TN_CHANNEL_MIN, &out, &in) == TN_OK);
    KIT_CHECK(tn_chan_map(memory, &at, &size) == TN_ETYPE && at == NULL);
    KIT_CHECK(tn_cap_mint(out, TN_R_READ | TN_R_GRANT, 0, &bare) == TN_OK);
    KIT_CHECK(tn_chan_map(bare, &at, &size) == TN_ERIGHTS);
    KIT_CHECK(tn_signal(bare, 1) == TN_ERIGHTS && tn_wait(bare, 0, &bits) == TN_ERIGHTS);
    KIT_CHECK(tn_chan_map(out, &at, &size) == TN_OK && size == RING_HEADER + TN_CHANNEL_MIN);
    KIT_CHECK((uintptr_t)at % RING_ALIGN == 0);
    KIT_CHECK(tn_wait(in, turn->now, &bits) == TN_ETIME && bits == 0);
    KIT_CHECK(tn_signal(out, TN_BELL_GONE) == TN_OK); /* not theirs to say */
    KIT_CHECK(tn_wait(in, turn->now, &bits) == TN_ETIME);
    KIT_CHECK(tn_signal(out, TN_BELL_GONE | 6) == TN_OK && tn_signal(out, 1) == TN_OK);
    KIT_CHECK(tn_wait(in, turn->now, &bits) == TN_OK && bits == 7);
    KIT_CHECK(tn_wait(out, turn->now, &bits) == TN_ETIME && tn_signal(in, 1) == TN_OK);
    KIT_CHECK(tn_wait(out, turn->now, &bits) == TN_OK && bits == 1);
    /* The last capability of an end, not the first, is its end. */
    KIT_CHECK(tn_cap_drop(out) == TN_OK && tn_wait(in, turn->now, &bits) == TN_ETIME);
    KIT_CHECK(tn_cap_drop(bare) == TN_OK);
    KIT_CHECK(tn_wait(in, turn->now, &bits) == TN_OK && bits == TN_BELL_GONE);
    KIT_CHECK(tn_cap_drop(in) == TN_OK && tn_chan_map(in, &at, &size) == TN_EBADCAP);
    /* A space with room for one of the two. */
    while (tn_cap_mint(kit_need("note"), 0, 0, &bare) == TN_OK)
        last = bare;
    KIT_CHECK(tn_cap_drop(last) == TN_OK);
    KIT_CHECK(tn_chan_new(memory, 64, &out, &in) == TN_ENOSLOT);
    KIT_CHECK(tn_cap_mint(kit_need("note"), 0, 0, &bare) == TN_OK);
    kit_stop();
    return TN_OK;
}
KIT_ROLE(wrong, .start = drive_wrong);

static void wrongs(struct kit *kit)
{
    const struct kit_config config = {.name = "wrong", .mailbox = 1, .slots = 16};
    struct kit_actor *main_ = kit_make_with(kit, &config, &wrong);
    kit_memory(main_, "memory", 1 << 16);
    kit_give(main_, "note", note_object(kit_note()), TN_R_ALL);
    kit_run(kit, main_);
}

/* Memory that is used up, down to the last piece. */
static void no_memory(struct kit *kit)
{
    struct untyped *small = NULL;
    struct piece {
        struct piece *next;
        uint64_t unused;
    } *pieces = NULL, *piece;
    struct channel_end *pair[2] = {NULL, NULL};
    struct limbo *limbo = &kit->kernel->limbo;
    assert_int_equal(untyped_make(kit->kernel->root, MEM_UNTYPED_MIN, &small), TN_OK);
    uint64_t used = mem_stats(small).used_bytes;
    assert_int_equal(channel_make(small, limbo, 1 << 14, &pair[0], &pair[1]), TN_ENOMEM);
    assert_int_equal(mem_stats(small).used_bytes, used);
    while ((piece = mem_alloc(small, sizeof(*piece))) != NULL) {
        piece->next = pieces;
        pieces = piece;
    }
    assert_int_equal(channel_make(small, limbo, 64, &pair[0], &pair[1]), TN_ENOMEM);
    assert_true(pair[0] == NULL && pair[1] == NULL);
    while (pieces != NULL) {
        piece = pieces;
        pieces = piece->next;
        mem_free(small, piece, sizeof(*piece));
    }
    mem_check(small);
    object_unref(untyped_object(small));
}

static void test_wrong_uses(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = wrongs});
    explore(&(struct explore){.scenario = no_memory});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_ends),
        EXPLORE(spoilt),
        cmocka_unit_test(test_wrong_uses),
    };
    return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
