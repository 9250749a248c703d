/* data_test.c: a domain that keeps its turns as data, seen from the scheduler: how turns wait, go
 * on, are killed while they wait, and messages that find no code; under many schedules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bits.h"
#include "tests/kit/explore.h"

enum {
    M_WAIT = TN_METHOD(9, 1),  /* until the note "note" is signalled */
    M_YIELD = TN_METHOD(9, 2), /* for ever */
    M_TIMER = TN_METHOD(9, 3), /* arms its timer to expire at once, and yields for ever */
    YIELDS = 200,              /* more than there are turns between two looks at the clock */
};

static const struct tn_pack nothing;

/* One actor whose turns are data: what a message asks for, it does in steps. */
struct machine_actor {
    struct instance instance;
    struct turn turn;
    tn_cap note, ready, timer;
    uint32_t steps, abandoned, timers, ended;
    bool destroyed;
};

static struct machine_actor data;

static tn_err ready_is(struct cpu *cpu, struct turn *turn)
{
    return note_signal(cpu, turn, data.ready, 1);
}

static enum turn_end end(struct cpu *cpu, struct turn *turn, tn_err result)
{
    data.ended++;
    (void)turn_answer(cpu, turn, result, NULL);
    return TURN_DONE;
}

/* Waits as its message asks, or ends. */
static enum turn_end go_on(struct cpu *cpu, struct turn *turn)
{
    uint64_t bits = 0;
    machine_relax(); /* time goes by, for timers too */
    tn_err err = turn->info.method == M_WAIT
                     ? note_wait_begin(cpu, turn, data.note, TN_NEVER, &bits)
                     : yield_begin(cpu, turn);
    if (err == IPC_PENDING)
        return TURN_WAITS;
    return end(cpu, turn, err);
}

static enum turn_end data_run(struct cpu *cpu, struct turn *turn)
{
    KIT_CHECK(turn == &data.turn && fiber_self()->cpu == cpu);
    if (turn->info.cls == MSG_TIMER_EXPIRED) {
        data.timers++;
        return end(cpu, turn, TN_OK);
    }
    if (turn->info.method == M_TIMER)
        KIT_CHECK(timer_set(cpu, turn, data.timer, 1, 7) == TN_OK);
    if (turn->info.method == M_WAIT)
        KIT_CHECK(ready_is(cpu, turn) == TN_OK);
    return go_on(cpu, turn);
}

static enum turn_end data_resume(struct cpu *cpu, struct turn *turn)
{
    uint64_t bits = 0;
    KIT_CHECK(turn == &data.turn);
    if (turn->info.method == M_WAIT) {
        tn_err err = note_wait_end(cpu, turn, &bits);
        KIT_CHECK(err != TN_OK || bits == 2);
        return end(cpu, turn, err);
    }
    if (++data.steps == YIELDS)
        KIT_CHECK(ready_is(cpu, turn) == TN_OK);
    (void)turn_was_woken(turn);
    return go_on(cpu, turn);
}

static struct turn *data_turn_room(struct instance *instance)
{
    KIT_CHECK(instance == &data.instance);
    return &data.turn;
}

/* Its wait is over when it is told. */
static void data_abandon(struct cpu *cpu, struct turn *turn)
{
    (void)cpu;
    KIT_CHECK(turn == &data.turn && turn->wait == NULL);
    data.abandoned++;
}

static void data_destroy(struct instance *instance)
{
    KIT_CHECK(instance == &data.instance && !data.destroyed);
    data.destroyed = true;
}

static const struct domain data_domain = {
    .name = "data",
    .run = data_run,
    .resume = data_resume,
    .turn_room = data_turn_room,
    .abandon = data_abandon,
    .destroy = data_destroy,
};

/* It, with a note that others may signal, one that it signals when it is where it was sent, and a
 * timer. */
static struct kit_actor *data_make(struct kit *kit, struct kit_actor *driver)
{
    struct kit_actor *a = kit_make_bare(kit, "data", 1 << 20, 1, 4);
    data = (struct machine_actor){.instance.domain = &data_domain};
    struct note *note = kit_note(), *ready = kit_note();
    data.note = kit_share(a, "note", note_object(note), TN_R_ALL);
    data.ready = kit_share(a, "ready", note_object(ready), TN_R_ALL);
    data.timer = kit_timer(a, "timer");
    kit_give(driver, "note", note_object(note), TN_R_ALL);
    kit_give(driver, "ready", note_object(ready), TN_R_ALL);
    kit_wire(driver, "data", a, TN_R_CALL, 0);
    actor_set_instance(a->actor, &data.instance);
    assert_true(actor_ready(a->actor));
    return a;
}

static struct kit_actor *victim;

static void wait_ready(void)
{
    uint64_t bits = 0;
    KIT_CHECK(tn_wait(kit_need("ready"), TN_NEVER, &bits) == TN_OK);
}

/* Waits, is woken, answers. */
static void wake_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < 3; i++) {
        KIT_CHECK(tn_signal(kit_need("note"), i < 2 ? 2 : 0) == TN_OK);
        if (i == 2)
            KIT_CHECK(tn_signal(kit_need("note"), 2) == TN_OK);
        KIT_CHECK(tn_call(kit_need("data"), M_WAIT, &nothing, NULL, TN_NEVER) == TN_OK);
        wait_ready();
    }
    KIT_CHECK(data.ended == 3 && data.abandoned == 0);
    kit_done();
}
KIT_ROLE(waker, .event = wake_event);

static void waking(struct kit *kit)
{
    struct kit_actor *driver = kit_make(kit, "driver", &waker, 0, 1);
    victim = data_make(kit, driver);
    kit_run_all(kit, &driver, 1);
}

/* What a caller does while the callee waits: asks in a turn of its own. */
static tn_err asked; /* how the call to the victim ended */

static void ask_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    uint32_t method = M_WAIT;
    if (turn->badge == 0)
        asked = tn_call(kit_need("data"), method, &nothing, NULL, TN_NEVER);
    kit_done();
}
KIT_ROLE(asker, .event = ask_event);

/* Kills it while its turn waits for a signal; perhaps signals in the same moment, so that the turn
 * is woken and has not gone on. */
static bool signals_too;

static void kill_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    wait_ready();
    if (signals_too)
        KIT_CHECK(tn_signal(kit_need("note"), 2) == TN_OK);
    kit_kill(victim);
    while (actor_life(victim->actor) != ACTOR_DEAD) {
        machine_relax();
        KIT_CHECK(tn_yield() == TN_OK);
    }
    KIT_CHECK(data.destroyed && data.abandoned + data.ended == 1);
    KIT_CHECK(signals_too || data.abandoned == 1);
    kit_done();
}
KIT_ROLE(killer, .event = kill_event);

static uint32_t abandoned_when_woken;

static void killing(struct kit *kit)
{
    asked = TN_EINTERNAL;
    struct kit_actor *drivers[] = {kit_make(kit, "asker", &asker, 0, 1),
                                   kit_make(kit, "killer", &killer, 2, 1)};
    victim = data_make(kit, drivers[1]);
    kit_wire(drivers[0], "data", victim, TN_R_CALL, 0);
    kit_run_all(kit, drivers, ARRAY_LEN(drivers));
    /* It answered before it died, or was abandoned: then its caller is told. */
    KIT_CHECK(asked == (data.abandoned == 1 ? TN_EGONE : TN_OK));
    abandoned_when_woken += signals_too && data.abandoned == 1;
}

/* A timer's message that nobody has taken dies with its actor. */
static void kill_busy_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    KIT_CHECK(tn_send(kit_need("data"), M_TIMER, &nothing, 0) == TN_OK);
    wait_ready();
    kit_kill(victim);
    while (actor_life(victim->actor) != ACTOR_DEAD) {
        machine_relax();
        KIT_CHECK(tn_yield() == TN_OK);
    }
    KIT_CHECK(data.timers == 0 && data.abandoned == 1 && data.ended == 0);
    kit_done();
}
KIT_ROLE(busy_killer, .event = kill_busy_event);

static void killing_with_mail(struct kit *kit)
{
    struct kit_actor *driver = kit_make(kit, "killer", &busy_killer, 0, 1);
    victim = data_make(kit, driver);
    kit_run_all(kit, &driver, 1);
}

/* Calls of the kernel's own to one that has no code, or is dead. */
static tn_err life(struct kit_actor *to)
{
    struct fiber *here = fiber_self();
    tn_err err = life_begin(here->cpu, &here->turn, to->actor, LIFE_LOAD, &nothing, TN_NEVER);
    struct cpu *cpu = here->cpu;
    if (err == IPC_PENDING)
        cpu = turn_wait(cpu, &here->turn);
    else if (err != TN_OK)
        return err;
    return call_end(cpu, &here->turn, NULL);
}

static void loader_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    KIT_CHECK(life(victim) == TN_EGONE && actor_life(victim->actor) == ACTOR_CREATED);
    KIT_CHECK(tn_send(kit_need("bare"), M_WAIT, &nothing, 0) == TN_EAGAIN);
    kit_kill(victim);
    KIT_CHECK(life(victim) == TN_EGONE);
    KIT_CHECK(tn_send(kit_need("bare"), M_WAIT, &nothing, 0) == TN_EGONE);
    kit_done();
}
KIT_ROLE(loader, .event = loader_event);

static void no_code(struct kit *kit)
{
    struct kit_actor *driver = kit_make(kit, "loader", &loader, 0, 1);
    victim = kit_make_bare(kit, "bare", 1 << 20, 1, 4);
    kit_wire(driver, "bare", victim, TN_R_CALL, 0);
    kit_run_all(kit, &driver, 1);
}

/* A message that reaches a dead actor when the CPUs have left is dropped, and keeps nothing. */
static void too_late(struct kit *kit)
{
    struct kit_actor *driver = kit_make(kit, "loader", &loader, 0, 1);
    victim = kit_make_bare(kit, "bare", 1 << 20, 0, 4);
    actor_kill(NULL, driver->actor);
    actor_kill(NULL, victim->actor);
    kernel_drain(kit->kernel);
    kernel_run(kit->kernel);
    KIT_CHECK(actor_life(victim->actor) == ACTOR_DEAD);
    kernel_begin(kit->kernel, victim->actor);
    kernel_run(kit->kernel);
    KIT_CHECK(victim->actor->mbox.first == NULL && victim->actor->run == ACTOR_GONE);
}

/* CPU time of one that asks for it exactly: no less than what its turn saw go by. */
enum { WORK_NS = 50000 };

static void worker_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    uint64_t begin = machine_now_ns();
    while (machine_now_ns() - begin < WORK_NS)
        machine_relax();
    kit_done();
}
KIT_ROLE(worker, .event = worker_event);

static void exact_time(struct kit *kit)
{
    struct kit_actor *drivers[] = {kit_make(kit, "exact", &worker, 0, 1),
                                   kit_make(kit, "other", &worker, 0, 1),
                                   kit_make(kit, "exact too", &worker, 0, 1)};
    for (uint32_t i = 0; i < ARRAY_LEN(drivers); i += 2) {
        drivers[i]->actor->exact_time = true;
        actor_set_odd(drivers[i]->actor, ODD_EXACT, true);
    }
    uint64_t begin = machine_now_ns();
    kit_run_all(kit, drivers, ARRAY_LEN(drivers));
    uint64_t all = machine_now_ns() - begin;
    uint64_t first = actor_account(drivers[0]->actor).cpu_time_ns, third;
    third = actor_account(drivers[2]->actor).cpu_time_ns;
    KIT_CHECK(first >= WORK_NS && third >= WORK_NS && first + third <= all);
}

static void test_waiting_and_going_on(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = waking});
}

static void test_killed_while_it_waits(void **state)
{
    (void)state;
    signals_too = false;
    explore(&(struct explore){.scenario = killing});
    signals_too = true;
    explore(&(struct explore){.scenario = killing});
}

static void test_killed_with_a_timer_in_its_mailbox(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = killing_with_mail});
}

static void test_messages_that_find_no_code(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = no_code});
}

static void test_a_message_after_the_end(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = too_late});
}

static void test_exact_time(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = exact_time, .cpus_min = 1, .cpus_max = 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waiting_and_going_on),
        cmocka_unit_test(test_killed_while_it_waits),
        cmocka_unit_test(test_killed_with_a_timer_in_its_mailbox),
        cmocka_unit_test(test_messages_that_find_no_code),
        cmocka_unit_test(test_a_message_after_the_end),
        cmocka_unit_test(test_exact_time),
    };
    return cmocka_run_group_tests_name("data", tests, NULL, NULL);
}
