/* outbox_test.c: messages gathered for a mailbox elsewhere: at the edge of what one takes, in order
 * with what goes by itself, and their credits when there is no memory for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bits.h"
#include "kernel/sched/outbox.h"
#include "tests/kit/explore.h"

enum { M_NUMBER = TN_METHOD(9, 1), MANY = 3 * OUTBOX_MANY + 1 };

static uint64_t expected;

static void taker_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    if (turn->cls != TN_CLS_USER)
        return;
    KIT_CHECK(in->len == sizeof(uint64_t) && *(const uint64_t *)in->data == expected);
    expected++;
}

static tn_err taker_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                         struct tn_pack *out)
{
    (void)self;
    (void)turn;
    KIT_CHECK(in->len == sizeof(uint64_t) && *(const uint64_t *)in->data == expected);
    expected++;
    out->len = 0;
    return TN_OK;
}
KIT_ROLE(taker, .event = taker_event, .call = taker_call);

/* A burst of one length in one turn, then a call: it comes last, whatever was gathered. */
static uint32_t burst;

static void giver_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    uint64_t number = 0;
    struct tn_pack pack = {.data = &number, .len = sizeof(number)};
    for (; number < burst; number++)
        KIT_CHECK(tn_send(kit_need("taker"), M_NUMBER, &pack, 0) == TN_OK);
    KIT_CHECK(tn_call(kit_need("taker"), M_NUMBER, &pack, NULL, TN_NEVER) == TN_OK);
    KIT_CHECK(expected == burst + 1);
    kit_done();
}
KIT_ROLE(giver, .event = giver_event);

static void bursts(struct kit *kit)
{
    struct kit_actor *to = kit_make(kit, "taker", &taker, 1, MANY + 1);
    struct kit_actor *from = kit_make(kit, "giver", &giver, 0, 1);
    expected = 0;
    kit_wire(from, "taker", to, TN_R_CALL, 1);
    kit_run_all(kit, &from, 1);
}

static void test_bursts(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {1, 2, OUTBOX_MANY, OUTBOX_MANY + 1, OUTBOX_MANY + 2, MANY};
    for (uint32_t i = 0; i < ARRAY_LEN(lengths); i++) {
        burst = lengths[i];
        explore(&(struct explore){.scenario = bursts});
    }
}

/* A mailbox takes what it was made for, to the last message, though senders on several CPUs gather
 * and hold credits meanwhile; and no more. */
enum { SENDERS = 2, FULL = 24 };

static void hold_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    uint64_t bits;
    (void)self;
    (void)turn;
    (void)in;
    if (expected++ == 0)
        KIT_CHECK(tn_wait(kit_need("open"), TN_NEVER, &bits) == TN_OK);
}
KIT_ROLE(holder, .event = hold_event);

static atomic_u32 sent, refused;

static void filler_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    /* One is with the receiver, whose turn waits; the others are all in the mailbox. */
    while (at_load(&sent, SEQ_CST) < FULL + 1) {
        tn_err err = tn_send(kit_need("taker"), M_NUMBER, NULL, 0);
        KIT_CHECK(err == TN_OK || err == TN_EFULL);
        if (err == TN_OK)
            (void)at_add(&sent, 1, SEQ_CST);
        machine_relax(); /* lets others run, also under a schedule by priorities */
        KIT_CHECK(tn_yield() == TN_OK);
    }
    KIT_CHECK(tn_send(kit_need("taker"), M_NUMBER, NULL, 0) == TN_EFULL);
    if (at_add(&refused, 1, SEQ_CST) == SENDERS - 1)
        KIT_CHECK(tn_signal(kit_need("open"), 1) == TN_OK);
    kit_done();
}
KIT_ROLE(filler, .event = filler_event);

static void fill(struct kit *kit)
{
    struct note *open = kit_note();
    struct kit_actor *to = kit_make(kit, "taker", &holder, 0, FULL);
    struct kit_actor *from[SENDERS];
    expected = 0;
    at_init(&sent, 0);
    at_init(&refused, 0);
    kit_share(to, "open", note_object(open), TN_R_READ);
    for (uint32_t i = 0; i < SENDERS; i++) {
        from[i] = kit_make(kit, "filler", &filler, i + 1, 1);
        kit_wire(from[i], "taker", to, TN_R_CALL, 1);
        kit_share(from[i], "open", note_object(open), TN_R_WRITE);
    }
    object_unref(note_object(open));
    kit_run_all(kit, from, SENDERS);
}

static void test_full(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = fill});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bursts),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
