/* team_test.c: actors that block and the compute pool: who is held up by them, and where they run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <tenon/driver.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "kernel/sched/stats.h"
#include "tests/kit/explore.h"

enum {
    M_BLOCK = TN_METHOD(9, 1), /* until it is released */
    M_ASK = TN_METHOD(9, 2),
    M_LONG = TN_METHOD(9, 3), /* a turn of many steps */
    ASKS = 20,
    STEPS = 300,
    COMPUTERS = 3,
    POOL = 2,
    NAP_NS = 2000,
};

static const struct tn_pack nothing;
static atomic_u32 blocked, released, answered, killed;
static struct kit_actor *blocker, *computers[COMPUTERS];

static struct cpu *cpu_now(void)
{
    return fiber_self()->cpu;
}

static void wait_for(atomic_u32 *flag)
{
    while (at_load(flag, SEQ_CST) == 0) {
        machine_relax();
        KIT_CHECK(tn_yield() == TN_OK);
    }
}

/* What a system call that blocks is to the kernel: the thread sleeps in the middle of a turn. */
static void sleep_in_call(void)
{
    struct cpu *cpu = cpu_now();
    tn_block_begin();
    at_store(&blocked, 1, SEQ_CST);
    while (at_load(&released, SEQ_CST) == 0)
        machine_park(cpu->id, machine_now_ns() + NAP_NS);
    tn_block_end();
    KIT_CHECK(cpu_now() == cpu);
}

static tn_err blocker_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                           struct tn_pack *out)
{
    (void)self;
    (void)in;
    (void)out;
    KIT_CHECK(cpu_is_alone(cpu_now()));
    if (turn->method == M_BLOCK)
        sleep_in_call();
    else
        KIT_CHECK(tn_yield() == TN_OK);
    return TN_OK;
}
KIT_ROLE(blocker_role, .call = blocker_call);

static tn_err neighbour_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                             struct tn_pack *out)
{
    (void)self;
    (void)turn;
    (void)in;
    (void)out;
    KIT_CHECK(cpu_now()->team == &kit_now->kernel->workers);
    return TN_OK;
}
KIT_ROLE(neighbour, .call = neighbour_call);

static tn_err ask(const char *need, uint32_t method, tn_time deadline)
{
    return tn_call(kit_need(need), method, &nothing, NULL, deadline);
}

/* Waits for the call that blocks. */
static void victim_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    tn_err err = ask("blocker", M_BLOCK, TN_NEVER);
    KIT_CHECK(err == TN_OK && at_load(&released, SEQ_CST) != 0);
    at_store(&answered, 1, SEQ_CST);
    kit_done();
}
KIT_ROLE(victim, .event = victim_event);

/* While the call blocks a revoke returns, and an object that nobody holds any more is destroyed. */
static void grace_period_ends(void)
{
    struct limbo *limbo = &kit_now->kernel->limbo;
    tn_cap buffer = 0, part = 0;
    uint64_t ticket = limbo_ticket(limbo);
    KIT_CHECK(tn_buf_new(kit_need("memory"), 100, &buffer) == TN_OK);
    KIT_CHECK(tn_cap_mint(buffer, TN_R_READ, 0, &part) == TN_OK);
    KIT_CHECK(tn_cap_revoke(buffer) == TN_OK);
    KIT_CHECK(tn_cap_drop(buffer) == TN_OK);
    while (at_load(&limbo->held, RELAXED) != 0 || !limbo_passed(limbo, ticket)) {
        machine_relax();
        KIT_CHECK(tn_yield() == TN_OK);
    }
}

/* While the call blocks: everybody else goes on. */
static void others_go_on(void)
{
    for (uint32_t i = 0; i < ASKS; i++)
        KIT_CHECK(ask("neighbour", M_ASK, TN_NEVER) == TN_OK);
    grace_period_ends();
    KIT_CHECK(ask("blocker", M_ASK, machine_now_ns() + 1000) == TN_ETIME);
    /* Takes the lock of the CPU that blocks. */
    actor_pause(cpu_now(), blocker->actor);
    actor_resume(cpu_now(), blocker->actor);
    KIT_CHECK(at_load(&answered, SEQ_CST) == 0);
}

static void observer_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    wait_for(&blocked);
    others_go_on();
    at_store(&released, 1, SEQ_CST);
    wait_for(&answered);
    KIT_CHECK(ask("blocker", M_ASK, TN_NEVER) == TN_OK);
    kit_done();
}
KIT_ROLE(observer, .event = observer_event);

static struct kit_actor *make_in(struct kit *kit, const char *name,
                                 const struct tn_component *component, enum kit_team team,
                                 uint32_t cpu)
{
    const struct kit_config config = {.name = name, .mailbox = 8, .team = team, .cpu = cpu};
    return kit_make_with(kit, &config, component);
}

static void begin(struct kit *kit)
{
    at_init(&blocked, 0);
    at_init(&released, 0);
    at_init(&answered, 0);
    at_init(&killed, 0);
    blocker = make_in(kit, "blocker", &blocker_role, KIT_BLOCKING, 0);
}

static void one_blocks(struct kit *kit)
{
    begin(kit);
    struct kit_actor *near = make_in(kit, "neighbour", &neighbour, KIT_WORKERS, 0);
    struct kit_actor *drivers[] = {make_in(kit, "victim", &victim, KIT_WORKERS, 0),
                                   make_in(kit, "observer", &observer, KIT_WORKERS, 1)};
    kit_wire(drivers[0], "blocker", blocker, TN_R_CALL, 0);
    kit_wire(drivers[1], "blocker", blocker, TN_R_CALL, 0);
    kit_wire(drivers[1], "neighbour", near, TN_R_CALL, 0);
    kit_memory(drivers[1], "memory", 1 << 16);
    kit_run_all(kit, drivers, ARRAY_LEN(drivers));
    struct cpu *cpu = kernel_blocker(kit->kernel, 0);
    KIT_CHECK(at_load(&blocker->actor->home, RELAXED) == cpu);
    KIT_CHECK(cpu->stats.stolen == 0 && cpu->blocked_ns > 0);
    /* Time in the call is nobody's CPU time. */
    KIT_CHECK(blocker->actor->stats.cpu_time_ns <= cpu->stats.active_time_ns);
    struct kernel_stats stats = kernel_stats(kit->kernel);
    KIT_CHECK(stats.blocking == 2 && stats.compute == 0);
    KIT_CHECK(stats.blocked_time_ns == cpu->blocked_ns);
}

/* Killed, and the kernel stopped, in the middle of the call. */
static void last_victim_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    tn_err err = ask("blocker", M_BLOCK, TN_NEVER);
    KIT_CHECK(err == TN_OK || err == TN_EGONE);
    while ((err = ask("blocker", M_ASK, TN_NEVER)) == TN_OK || err == TN_EAGAIN)
        machine_relax();
    KIT_CHECK(err == TN_EGONE);
    kit_done();
}
KIT_ROLE(last_victim, .event = last_victim_event);

static void killer_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    wait_for(&blocked);
    kit_kill(blocker);
    at_store(&released, 1, SEQ_CST);
    kit_done();
}
KIT_ROLE(killer, .event = killer_event);

static void killed_while_it_blocks(struct kit *kit)
{
    begin(kit);
    struct kit_actor *drivers[] = {make_in(kit, "victim", &last_victim, KIT_WORKERS, 0),
                                   make_in(kit, "killer", &killer, KIT_WORKERS, 1)};
    kit_wire(drivers[0], "blocker", blocker, TN_R_CALL, 0);
    kit_run_all(kit, drivers, ARRAY_LEN(drivers));
    KIT_CHECK(actor_life(blocker->actor) >= ACTOR_DYING);
}

static void stopper_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    KIT_CHECK(tn_send(kit_need("blocker"), M_BLOCK, NULL, 0) == TN_OK);
    wait_for(&blocked);
    kit_stop();
    at_store(&released, 1, SEQ_CST);
}
KIT_ROLE(stopper, .event = stopper_event);

static void blocker_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    sleep_in_call();
}
KIT_ROLE(event_blocker, .event = blocker_event);

static void stopped_while_it_blocks(struct kit *kit)
{
    begin(kit);
    struct kit_actor *other = make_in(kit, "blocker", &event_blocker, KIT_BLOCKING, 1);
    struct kit_actor *first = make_in(kit, "stopper", &stopper, KIT_WORKERS, 0);
    kit_wire(first, "blocker", other, TN_R_CALL, 0);
    kit_run_all(kit, &first, 1);
}

/* The compute pool */

static tn_err computer_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                            struct tn_pack *out)
{
    uint64_t *turns = self;
    (void)turn;
    (void)in;
    (void)out;
    KIT_CHECK(cpu_now()->team == &kit_now->kernel->compute);
    for (uint32_t i = 0; i < STEPS; i++) {
        machine_relax();
        if (i % 100 == 99 && tn_yield() != TN_OK)
            return TN_ECANCELLED;
    }
    (*turns)++;
    KIT_CHECK(cpu_now()->team == &kit_now->kernel->compute);
    return TN_OK;
}
KIT_ROLE(computer, .state_size = sizeof(uint64_t), .call = computer_call);

/* Each hands work over, again and again. */
static void client_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < 3; i++) {
        tn_err err = ask("computer", M_LONG, TN_NEVER);
        KIT_CHECK(err == TN_OK || at_load(&killed, SEQ_CST) != 0);
        KIT_CHECK(cpu_now()->team == &kit_now->kernel->workers);
        tn_err late = ask("computer", M_LONG, machine_now_ns() + 100);
        KIT_CHECK(late == TN_ETIME || late == TN_OK || at_load(&killed, SEQ_CST) != 0);
    }
    kit_done();
}
KIT_ROLE(client, .event = client_event);

/* Does to the computers what can be done to an actor. */
static void tyrant_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < 20; i++) {
        struct actor *actor = computers[i % COMPUTERS]->actor;
        actor_pause(cpu_now(), actor);
        machine_relax();
        KIT_CHECK(tn_yield() == TN_OK);
        actor_resume(cpu_now(), actor);
    }
    at_store(&killed, 1, SEQ_CST);
    kit_kill(computers[0]);
    kit_done();
}
KIT_ROLE(tyrant, .event = tyrant_event);

static void pool(struct kit *kit)
{
    struct kit_actor *drivers[COMPUTERS + 1];
    at_init(&killed, 0);
    for (uint32_t i = 0; i < COMPUTERS; i++) {
        computers[i] = make_in(kit, "computer", &computer, KIT_COMPUTE, 0);
        drivers[i] = make_in(kit, "client", &client, KIT_WORKERS, i);
        kit_wire(drivers[i], "computer", computers[i], TN_R_CALL, 0);
    }
    drivers[COMPUTERS] = make_in(kit, "tyrant", &tyrant, KIT_WORKERS, 0);
    kit_run_all(kit, drivers, COMPUTERS + 1);
    for (uint32_t i = 0; i < COMPUTERS; i++) {
        KIT_CHECK(at_load(&computers[i]->actor->home, RELAXED)->team == &kit->kernel->compute);
        KIT_CHECK(at_load(&drivers[i]->actor->home, RELAXED)->team == &kit->kernel->workers);
    }
    KIT_CHECK(kernel_stats(kit->kernel).compute == POOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EXPLORE_ON(one_blocks, .blocking = 2),
        EXPLORE_ON(killed_while_it_blocks, .blocking = 1),
        EXPLORE_ON(stopped_while_it_blocks, .blocking = 2),
        EXPLORE_ON(pool, .compute = POOL, .blocking = 1),
    };
    return cmocka_run_group_tests_name("team", tests, NULL, NULL);
}
