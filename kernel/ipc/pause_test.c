/* pause_test.c: actors paused and resumed in every state, with their messages accounted for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "tests/kit/explore.h"

enum { M_COUNT = TN_METHOD(9, 1), M_ASK = TN_METHOD(9, 2), M_WAIT = TN_METHOD(9, 3), SENDS = 24 };

static const struct tn_pack nothing;
static struct kit_actor *paused;
static atomic_u32 counted, waiting;

static void stop_it(void)
{
    actor_pause(fiber_self()->cpu, paused->actor);
}

static void let_go(void)
{
    actor_resume(fiber_self()->cpu, paused->actor);
}

static void counter_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    uint64_t *next = self, bits;
    (void)turn;
    KIT_CHECK(*(const uint64_t *)in->data == (*next)++); /* in order, none twice */
    (void)at_add(&counted, 1, SEQ_CST);
    if (*next % 5 == 0)
        KIT_CHECK(tn_yield() == TN_OK);
    if (*next % 7 == 0)
        KIT_CHECK(tn_wait(kit_need("never"), machine_now_ns() + 2000, &bits) == TN_ETIME);
}

static tn_err counter_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                           struct tn_pack *out)
{
    (void)self;
    (void)in;
    (void)out;
    uint64_t bits;
    if (turn->method == M_WAIT) {
        at_store(&waiting, 1, SEQ_CST);
        return tn_wait(kit_need("bell"), TN_NEVER, &bits);
    }
    return TN_OK;
}
KIT_ROLE(counter, .state_size = sizeof(uint64_t), .event = counter_event, .call = counter_call);

/* Sends while somebody else pauses and resumes the receiver at any moment. */
static void sender_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint64_t i = 0; i < SENDS; i++) {
        struct tn_pack pack = {.data = &i, .len = sizeof(i)};
        KIT_CHECK(tn_send(kit_need("counter"), M_COUNT, &pack, TN_SEND_WAIT) == TN_OK);
    }
    kit_done();
}
KIT_ROLE(sender, .event = sender_event);

static void switcher_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < 12; i++) {
        stop_it();
        stop_it(); /* twice is once */
        for (uint32_t k = 0; k < i % 4; k++)
            KIT_CHECK(kit_pause() == TN_OK);
        let_go();
        KIT_CHECK(kit_pause() == TN_OK);
    }
    /* All arrive once it is left alone. */
    while (at_load(&counted, SEQ_CST) < SENDS)
        KIT_CHECK(kit_pause() == TN_OK);
    kit_done();
}
KIT_ROLE(switcher, .event = switcher_event);

static void any_moment(struct kit *kit)
{
    at_init(&counted, 0);
    paused = kit_make(kit, "counter", &counter, 0, 4);
    kit_give(paused, "never", note_object(kit_note()), TN_R_READ);
    struct kit_actor *drivers[] = {kit_make(kit, "sender", &sender, 1, 1),
                                   kit_make(kit, "switcher", &switcher, 2, 1)};
    kit_wire(drivers[0], "counter", paused, TN_R_CALL, 0);
    kit_run_all(kit, drivers, ARRAY_LEN(drivers));
    KIT_CHECK(at_load(&counted, RELAXED) == SENDS);
}

/* A paused actor does nothing: its mailbox fills to the bound, calls reach their deadline, a turn
 * that waits and is woken does not go on. Then it is resumed, or killed. */
static bool killed; /* in this run; else resumed */

static void caller_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    tn_err err = tn_call(kit_need("counter"), M_WAIT, &nothing, NULL, TN_NEVER);
    KIT_CHECK(err == TN_OK || killed); /* a native turn ends by itself when it is killed */
    kit_done();
}
KIT_ROLE(caller, .event = caller_event);

static void stopper_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    uint64_t number = 0;
    struct tn_pack pack = {.data = &number, .len = sizeof(number)};
    while (at_load(&waiting, SEQ_CST) == 0)
        KIT_CHECK(kit_pause() == TN_OK);
    stop_it();
    KIT_CHECK(tn_signal(kit_need("bell"), 1) == TN_OK); /* its turn is woken */
    for (; number < 3; number++)
        KIT_CHECK(tn_send(kit_need("counter"), M_COUNT, &pack, 0) == TN_OK);
    KIT_CHECK(tn_send(kit_need("counter"), M_COUNT, &pack, 0) == TN_EFULL);
    KIT_CHECK(tn_call(kit_need("counter"), M_ASK, &nothing, NULL, TN_NEVER) == TN_EFULL);
    for (uint32_t i = 0; i < 10; i++)
        KIT_CHECK(kit_pause() == TN_OK);
    KIT_CHECK(at_load(&counted, SEQ_CST) == 0);
    if (killed)
        kit_kill(paused);
    else
        let_go();
    kit_done();
}
KIT_ROLE(stopper, .event = stopper_event);

static void held(struct kit *kit)
{
    killed = kit->run / 2 % 2 != 0;
    at_init(&counted, 0);
    at_init(&waiting, 0);
    paused = kit_make(kit, "counter", &counter, 0, 3);
    struct note *bell = kit_note();
    kit_share(paused, "bell", note_object(bell), TN_R_READ);
    kit_give(paused, "never", note_object(kit_note()), TN_R_READ);
    struct kit_actor *drivers[] = {kit_make(kit, "caller", &caller, 1, 1),
                                   kit_make(kit, "stopper", &stopper, 2, 1)};
    kit_wire(drivers[0], "counter", paused, TN_R_CALL, 0);
    kit_wire(drivers[1], "counter", paused, TN_R_CALL, 0);
    kit_give(drivers[1], "bell", note_object(bell), TN_R_WRITE);
    kit_run_all(kit, drivers, ARRAY_LEN(drivers));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EXPLORE(any_moment),
        EXPLORE(held),
    };
    return cmocka_run_group_tests_name("pause", tests, NULL, NULL);
}
