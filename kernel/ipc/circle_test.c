/* circle_test.c: circles of calls through a service that has turns to spare: somebody in them is
 * told, nobody waits for ever, and where a spare turn helps nobody is told anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "tests/kit/explore.h"

enum {
    M_NEXT = TN_METHOD(9, 1), /* the callee calls on */
    M_LEAF = TN_METHOD(9, 2), /* it does not */
    ROUNDS = 5,
};

static const struct tn_pack nothing;
static atomic_u32 told; /* that it is a circle */

static tn_err call(const char *need, uint32_t method)
{
    tn_err err = tn_call(kit_need(need), method, &nothing, NULL, TN_NEVER);
    if (err == TN_EDEADLK)
        at_add(&told, 1, RELAXED);
    return err;
}

/* Calls on, or not. */
static tn_err link_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                        struct tn_pack *out)
{
    (void)self;
    (void)in;
    (void)out;
    if (turn->method == M_NEXT) {
        tn_err err = call("next", M_LEAF);
        KIT_CHECK(err == TN_OK || err == TN_EDEADLK);
    }
    return TN_OK;
}
KIT_ROLE(roomy_role, .call = link_call);

static void calls_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        tn_err err = call("next", M_NEXT);
        KIT_CHECK(err == TN_OK || err == TN_EDEADLK);
    }
    kit_done();
}
KIT_ROLE(caller_role, .call = link_call, .event = calls_event);

static struct kit_actor *make_roomy(struct kit *kit, uint32_t cpu)
{
    const struct kit_config config = {.name = "roomy", .cpu = cpu, .mailbox = 8, .concurrency = 3};
    return kit_make_with(kit, &config, &roomy_role);
}

/* A service calls back who has called it and waits. */
static void called_back(struct kit *kit)
{
    at_init(&told, 0);
    struct kit_actor *caller = kit_make(kit, "caller", &caller_role, 0, 8);
    struct kit_actor *roomy = make_roomy(kit, 1);
    kit_wire(caller, "next", roomy, TN_R_CALL, 0);
    kit_wire(roomy, "next", caller, TN_R_CALL, 0);
    kit_run_all(kit, &caller, 1);
    KIT_CHECK(at_load(&told, RELAXED) == ROUNDS);
}

/* The first calls the service, whose turn calls the last, who calls the first, all at once. Whoever
 * closes the circle is told, be it the service's turn or the last. */

static void leaf_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        tn_err err = call("next", M_LEAF);
        KIT_CHECK(err == TN_OK || err == TN_EDEADLK);
    }
    kit_done();
}
KIT_ROLE(leaf_role, .call = link_call, .event = leaf_event);

static void of_three(struct kit *kit)
{
    at_init(&told, 0);
    struct kit_actor *first = kit_make(kit, "first", &caller_role, 0, 8);
    struct kit_actor *roomy = make_roomy(kit, 1), *last = kit_make(kit, "last", &leaf_role, 2, 8);
    kit_wire(first, "next", roomy, TN_R_CALL, 0);
    kit_wire(roomy, "next", last, TN_R_CALL, 0);
    kit_wire(last, "next", first, TN_R_CALL, 0);
    struct kit_actor *drivers[2] = {first, last};
    kit_run_all(kit, drivers, 2);
}

/* The last calls the service instead, which has another turn for that: no circle, whoever waits for
 * whom. */
static void not_closed(struct kit *kit)
{
    at_init(&told, 0);
    struct kit_actor *first = kit_make(kit, "first", &caller_role, 0, 8);
    struct kit_actor *roomy = make_roomy(kit, 1), *last = kit_make(kit, "last", &leaf_role, 2, 8);
    kit_wire(first, "next", roomy, TN_R_CALL, 0);
    kit_wire(roomy, "next", last, TN_R_CALL, 0);
    kit_wire(last, "next", roomy, TN_R_CALL, 0);
    struct kit_actor *drivers[2] = {first, last};
    kit_run_all(kit, drivers, 2);
    KIT_CHECK(at_load(&told, RELAXED) == 0);
}

/* One that is waited for answers, and only then calls whoever looks for a circle at that moment:
 * who saw it wait before, and call after, has seen no circle. */

static tn_err answer_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    (void)self;
    (void)in;
    (void)out;
    if (turn->method == M_NEXT)
        KIT_CHECK(tn_send(kit_need("self"), M_LEAF, &nothing, 0) == TN_OK);
    return TN_OK;
}

static void then_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    KIT_CHECK(call("looker", M_LEAF) == TN_OK);
    kit_done();
}
KIT_ROLE(answers_first, .call = answer_call, .event = then_event);

static void once_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    KIT_CHECK(call("next", M_NEXT) == TN_OK);
}
KIT_ROLE(between, .call = link_call, .event = once_event);

static void answered_first(struct kit *kit)
{
    at_init(&told, 0);
    struct kit_actor *looker = kit_make(kit, "looker", &leaf_role, 0, 8);
    struct kit_actor *middle = kit_make(kit, "between", &between, 1, 8);
    struct kit_actor *last = kit_make(kit, "last", &answers_first, 2, 8);
    kit_wire(looker, "next", middle, TN_R_CALL, 0);
    kit_wire(middle, "next", last, TN_R_CALL, 0);
    kit_wire(last, "looker", looker, TN_R_CALL, 0);
    kit_wire(last, "self", last, TN_R_CALL, 0);
    struct kit_actor *drivers[2] = {middle, looker};
    kit_run_all(kit, drivers, 2);
    KIT_CHECK(at_load(&told, RELAXED) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EXPLORE(called_back),
        EXPLORE(of_three),
        EXPLORE(not_closed),
        EXPLORE_ON(answered_first, .cpus_min = 3),
    };
    return cmocka_run_group_tests_name("circle", tests, NULL, NULL);
}
