/* lend_test.c: priorities lent down a chain of calls, several turns of one actor, and who waits for
 * whom, under many schedules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "tests/kit/explore.h"

enum { M_ASK = TN_METHOD(9, 1), M_GO = TN_METHOD(9, 2), M_NEST = TN_METHOD(9, 3) };

static const struct tn_pack nothing;

static tn_err ask(const char *need)
{
    return tn_call(kit_need(need), M_ASK, &nothing, NULL, TN_NEVER);
}

/* Inversion: everybody on one CPU. The last of a chain of idle actors has been sent on its way when
 * an actor between the two priorities begins to hog the CPU, for as long as the urgent ones at the
 * other end of the chain have no answer. The chain may be waiting already, link by link, when the
 * urgent ones come: then what they lend has to go down all of it, and in place of what a less
 * urgent one lent before. */

enum { CHAIN = 4, TURNS_MOST = 20 };

static atomic_u32 answered;
static bool chain_waits;     /* before the hog begins */
static uint32_t urgent_ones; /* that join it */

static tn_err link_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                        struct tn_pack *out)
{
    (void)self;
    (void)turn;
    (void)in;
    (void)out;
    tn_cap next;
    if (tn_need("next", 4, &next) == TN_OK)
        return tn_call(next, M_ASK, &nothing, NULL, TN_NEVER);
    if (chain_waits)
        KIT_CHECK(tn_signal(kit_need("go"), 1) == TN_OK);
    /* The last one needs the CPU some more times while others want it. */
    for (uint32_t i = 0; i < 5; i++)
        KIT_CHECK(kit_pause() == TN_OK);
    return TN_OK;
}
KIT_ROLE(chain_link, .call = link_call);

static void hog_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    uint64_t bits;
    if (chain_waits) {
        KIT_CHECK(tn_wait(kit_need("go"), TN_NEVER, &bits) == TN_OK);
        KIT_CHECK(tn_signal(kit_need("middle"), 1) == TN_OK);
        KIT_CHECK(kit_pause() == TN_OK); /* it is as urgent, and before us */
    }
    for (uint32_t i = 0; i < urgent_ones; i++)
        KIT_CHECK(tn_signal(kit_need("note"), 1) == TN_OK);
    uint32_t turns = 0;
    while (at_load(&answered, SEQ_CST) < urgent_ones) {
        KIT_CHECK(kit_pause() == TN_OK);
        /* The bound: what is ahead in the mailboxes of the chain, and its turns. */
        if (!KIT_CHECK(++turns < TURNS_MOST))
            break;
    }
    kit_done();
}
KIT_ROLE(hog, .event = hog_event);

/* Begins the chain, so that the urgent one finds it waiting. */
static void early_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    KIT_CHECK(ask("chain") == TN_OK);
    kit_done();
}
KIT_ROLE(early, .event = early_event);

/* Joins a chain that waits, no more urgent than the hog. */
static void middle_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    uint64_t bits;
    KIT_CHECK(tn_wait(kit_need("middle"), TN_NEVER, &bits) == TN_OK);
    KIT_CHECK(ask("chain") == TN_OK);
    kit_done();
}
KIT_ROLE(middle, .event = middle_event);

static void urgent_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    uint64_t bits;
    KIT_CHECK(tn_wait(kit_need("note"), TN_NEVER, &bits) == TN_OK);
    KIT_CHECK(ask("chain") == TN_OK);
    (void)at_add(&answered, 1, SEQ_CST);
    kit_done();
}
KIT_ROLE(urgent, .event = urgent_event);

static void inversion(struct kit *kit)
{
    at_init(&answered, 0);
    struct kit_actor *first = NULL, *last = NULL;
    urgent_ones = 1;
    for (uint32_t i = 0; i < CHAIN; i++) {
        const struct kit_config idle = {.name = "link", .mailbox = 4, .idle = true};
        struct kit_actor *next = kit_make_with(kit, &idle, &chain_link);
        if (last != NULL)
            kit_wire(last, "next", next, TN_R_CALL, 0);
        first = first != NULL ? first : next;
        last = next;
    }
    const struct kit_config fast = {.name = "urgent", .mailbox = 1, .urgent = true};
    const struct kit_config slow = {.name = "early", .mailbox = 1, .idle = true};
    struct kit_actor *drivers[] = {kit_make_with(kit, &slow, &early),
                                   kit_make(kit, "hog", &hog, 0, 1),
                                   kit_make_with(kit, &fast, &urgent)};
    kit_wire(drivers[0], "chain", first, TN_R_CALL, 0);
    kit_wire(drivers[2], "chain", first, TN_R_CALL, 0);
    struct note *note = kit_note();
    kit_share(drivers[1], "note", note_object(note), TN_R_WRITE);
    kit_give(drivers[2], "note", note_object(note), TN_R_READ);
    kit_run_all(kit, drivers, ARRAY_LEN(drivers));
    for (uint32_t i = 0; i < kit->nactors; i++)
        KIT_CHECK(at_load(&kit->actors[i].actor->lent, RELAXED) == 0); /* all was taken back */
}

/* The same with a chain that waits when the others join it. */
static void inversion_of_a_chain_that_waits(struct kit *kit)
{
    at_init(&answered, 0);
    urgent_ones = 2;
    struct kit_actor *first = NULL, *last = NULL;
    for (uint32_t i = 0; i < CHAIN; i++) {
        const struct kit_config idle = {.name = "link", .mailbox = 4, .idle = true};
        struct kit_actor *next = kit_make_with(kit, &idle, &chain_link);
        if (last != NULL)
            kit_wire(last, "next", next, TN_R_CALL, 0);
        first = first != NULL ? first : next;
        last = next;
    }
    const struct kit_config fast = {.name = "urgent", .mailbox = 1, .urgent = true};
    const struct kit_config slow = {.name = "early", .mailbox = 1, .idle = true};
    struct kit_actor *drivers[] = {
        kit_make_with(kit, &slow, &early), kit_make(kit, "hog", &hog, 0, 1),
        kit_make(kit, "middle", &middle, 0, 1), kit_make_with(kit, &fast, &urgent),
        kit_make_with(kit, &fast, &urgent)};
    struct note *note = kit_note(), *go = kit_note(), *mid = kit_note();
    kit_share(last, "go", note_object(go), TN_R_WRITE);
    kit_give(drivers[1], "go", note_object(go), TN_R_READ);
    kit_share(drivers[1], "middle", note_object(mid), TN_R_WRITE);
    kit_give(drivers[2], "middle", note_object(mid), TN_R_READ);
    kit_share(drivers[1], "note", note_object(note), TN_R_WRITE);
    kit_share(drivers[3], "note", note_object(note), TN_R_READ);
    kit_give(drivers[4], "note", note_object(note), TN_R_READ);
    for (uint32_t i = 0; i < ARRAY_LEN(drivers); i++) {
        if (i != 1)
            kit_wire(drivers[i], "chain", first, TN_R_CALL, 0);
    }
    kit_run_all(kit, drivers, ARRAY_LEN(drivers));
    for (uint32_t i = 0; i < kit->nactors; i++)
        KIT_CHECK(at_load(&kit->actors[i].actor->lent, RELAXED) == 0); /* all was taken back */
}

static void test_priority_is_lent(void **state)
{
    (void)state;
    chain_waits = false;
    explore(&(struct explore){.scenario = inversion, .cpus_min = 1, .cpus_max = 1});
}

static void test_priority_is_lent_down_a_chain_that_waits(void **state)
{
    (void)state;
    chain_waits = true;
    explore(&(struct explore){
        .scenario = inversion_of_a_chain_that_waits, .cpus_min = 1, .cpus_max = 1});
}

/* An actor of several turns: as many wait at once, and no more. */

enum { TURNS = 3, CALLERS = 7 };

static atomic_u32 inside, inside_most;
static uint32_t seen_most; /* of all schedules */

static tn_err roomy_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                         struct tn_pack *out)
{
    uint32_t *running = self;
    (void)in;
    (void)out;
    if (turn->method == M_NEST) /* a turn is spare, so it may call itself */
        return ask("self");
    uint32_t n = at_add(&inside, 1, SEQ_CST) + 1;
    if (n > at_load(&inside_most, SEQ_CST))
        at_store(&inside_most, n, SEQ_CST);
    for (uint32_t i = 0; i < 4; i++) {
        KIT_CHECK((*running)++ == 0); /* one runs at a time: they change only where they wait */
        machine_relax();
        (*running)--;
        KIT_CHECK(tn_yield() == TN_OK);
    }
    (void)at_sub(&inside, 1, SEQ_CST);
    return TN_OK;
}
KIT_ROLE(roomy, .state_size = sizeof(uint32_t), .call = roomy_call);

static void roomy_caller_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    for (uint32_t i = 0; i < 3; i++)
        KIT_CHECK(ask("roomy") == TN_OK);
    if (turn->badge == 0)
        KIT_CHECK(tn_call(kit_need("roomy"), M_NEST, &nothing, NULL, TN_NEVER) == TN_OK);
    kit_done();
}
KIT_ROLE(roomy_caller, .event = roomy_caller_event);

static void several_turns(struct kit *kit)
{
    at_init(&inside, 0);
    at_init(&inside_most, 0);
    const struct kit_config config = {.name = "roomy", .mailbox = CALLERS, .concurrency = TURNS};
    struct kit_actor *to = kit_make_with(kit, &config, &roomy), *drivers[CALLERS];
    kit_wire(to, "self", to, TN_R_CALL, 0);
    for (uint32_t i = 0; i < CALLERS; i++) {
        drivers[i] = kit_make(kit, "caller", &roomy_caller, i, 1);
        kit_wire(drivers[i], "roomy", to, TN_R_CALL, 0);
    }
    kit_run_all(kit, drivers, CALLERS);
    KIT_CHECK(at_load(&inside, RELAXED) == 0 && at_load(&inside_most, RELAXED) <= TURNS);
    seen_most =
        seen_most > at_load(&inside_most, RELAXED) ? seen_most : at_load(&inside_most, RELAXED);
}

static void test_several_turns(void **state)
{
    (void)state;
    seen_most = 0;
    explore(&(struct explore){.scenario = several_turns});
    assert_int_equal(seen_most, TURNS);
}

/* Two that wait for room in each other's mailboxes: one of them is told. */

static void shove_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    if (turn->method != M_GO)
        return;
    tn_err err = TN_OK;
    uint32_t told = 0;
    for (uint32_t i = 0; i < 20; i++) {
        err = tn_send(kit_need("other"), M_ASK, &nothing, TN_SEND_WAIT);
        KIT_CHECK(err == TN_OK || err == TN_EDEADLK);
        told += err == TN_EDEADLK;
    }
    /* Neither takes a message while it is here, so what does not fit is refused to somebody. */
    (void)at_add(&inside, told, SEQ_CST);
    kit_done();
}
KIT_ROLE(shover, .event = shove_event);

static tn_err shove_start(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    KIT_CHECK(tn_send(kit_need("a"), M_GO, &nothing, TN_SEND_WAIT) == TN_OK);
    KIT_CHECK(tn_send(kit_need("b"), M_GO, &nothing, TN_SEND_WAIT) == TN_OK);
    return TN_OK;
}
KIT_ROLE(shove_main, .start = shove_start);

static void shoving(struct kit *kit)
{
    at_init(&inside, 0);
    struct kit_actor *a = kit_make(kit, "a", &shover, 0, 3), *b = kit_make(kit, "b", &shover, 1, 3);
    struct kit_actor *main_ = kit_make(kit, "main", &shove_main, 2, 1);
    kit_wire(a, "other", b, TN_R_CALL, 0);
    kit_wire(b, "other", a, TN_R_CALL, 0);
    kit_wire(main_, "a", a, TN_R_CALL, 0);
    kit_wire(main_, "b", b, TN_R_CALL, 0);
    kit_expect(2);
    kit_run(kit, main_);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_priority_is_lent),
        cmocka_unit_test(test_priority_is_lent_down_a_chain_that_waits),
        cmocka_unit_test(test_several_turns),
        EXPLORE(shoving),
    };
    return cmocka_run_group_tests_name("lend", tests, NULL, NULL);
}
