/* life_test.c: the calls that load and start an actor, against what others send it meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/atomic.h"
#include "runtime/kernel/native.h"
#include "tests/kit/explore.h"

enum { M_HELLO = TN_METHOD(9, 1), CLIENTS = 2 };

static const struct tn_pack nothing;
static struct kit_actor *late;

struct late {
    bool loaded, started;
    uint32_t heard;
};

static tn_err late_load(void *self, const struct tn_turn *turn, const struct tn_pack *config)
{
    struct late *l = self;
    (void)turn;
    (void)config;
    KIT_CHECK(!l->loaded && !l->started && l->heard == 0);
    KIT_CHECK(tn_yield() == TN_OK);
    l->loaded = true;
    return TN_OK;
}

static tn_err late_start(void *self, const struct tn_turn *turn)
{
    struct late *l = self;
    (void)turn;
    KIT_CHECK(l->loaded && !l->started && l->heard == 0);
    KIT_CHECK(tn_yield() == TN_OK);
    l->started = true;
    return TN_OK;
}

static void late_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    struct late *l = self;
    (void)turn;
    (void)in;
    KIT_CHECK(l->started);
    l->heard++;
    kit_done();
}
KIT_ROLE(late_role, .state_size = sizeof(struct late), .load = late_load, .start = late_start,
         .event = late_event);

static void client_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    tn_err err;
    while ((err = tn_send(kit_need("late"), M_HELLO, &nothing, 0)) == TN_EAGAIN) {
        machine_relax();
        KIT_CHECK(tn_yield() == TN_OK);
    }
    KIT_CHECK(err == TN_OK); /* the receiver says when it has come */
}
KIT_ROLE(client, .event = client_event);

static tn_err life(uint32_t method)
{
    struct fiber *here = fiber_self();
    tn_err err = life_begin(here->cpu, &here->turn, late->actor, method, &nothing, TN_NEVER);
    struct cpu *cpu = here->cpu;
    if (err == IPC_PENDING)
        cpu = turn_wait(cpu, &here->turn);
    else if (err != TN_OK)
        return err;
    return call_end(cpu, &here->turn, NULL);
}

static void starter_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    KIT_CHECK(life(LIFE_LOAD) == TN_OK && actor_life(late->actor) == ACTOR_CREATED);
    KIT_CHECK(life(LIFE_START) == TN_OK && actor_life(late->actor) == ACTOR_READY);
    kit_done();
}
KIT_ROLE(starter, .event = starter_event);

static void scenario(struct kit *kit)
{
    late = kit_make_bare(kit, "late", 1 << 20, 1, 8);
    assert_int_equal(native_make(late->actor, &late_role, &late->needs), TN_OK);
    struct kit_actor *drivers[1 + CLIENTS];
    for (uint32_t i = 0; i < CLIENTS; i++) {
        drivers[i] = kit_make(kit, "client", &client, i, 4);
        kit_wire(drivers[i], "late", late, TN_R_CALL, 0);
    }
    drivers[CLIENTS] = kit_make(kit, "starter", &starter, 0, 4);
    kit_run_all(kit, drivers, 1 + CLIENTS);
}

/* Whatever the moment at which somebody first reaches it, start comes before any message. */
static void test_start_comes_first(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = scenario});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_comes_first),
    };
    return cmocka_run_group_tests_name("life", tests, NULL, NULL);
}
