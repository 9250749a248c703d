/* sched.c: the loop of a CPU, running actors, calls that run at once (the essay is in cpu.h). */
#include "kernel/sched/sched_int.h"

#include "base/assert.h"
#include "base/bits.h"
#include "base/bytes.h"

enum {
    CLOCK_TURNS = 64,        /* turns between two looks at the clock */
    REAP_OBJECTS = 128,      /* freed in one go, between batches: more than a batch may drop */
    REAP_MANY = 32,          /* objects in limbo: look at once */
    REAP_BATCHES = 16,       /* between two looks of a CPU that is never idle, if they are fewer */
    GRACE_LOOK_NS = 1000000, /* sleep at most while objects wait for a grace period */
    NESTED_MAX = 4,          /* turns of data domains one in the other on a stack */
};

uint64_t sched_cause(struct cpu *cpu)
{
    return (uint64_t)(cpu->id + 1) << 48 | ++cpu->causes;
}

/* A look at the clock; what passed since the last one is charged to `actor`, if one ran. */
static void look_at_clock(struct cpu *cpu, struct actor *actor)
{
    tn_time now = machine_now_ns();
    if (actor != NULL && !actor->exact_time)
        actor->stats.cpu_time_ns += now - cpu->now;
    cpu->stats.active_time_ns += now - cpu->now;
    cpu->now = now;
    cpu->until_clock = CLOCK_TURNS;
    sched_fire(cpu);
}

void sched_meter(struct cpu *cpu, struct actor *actor)
{
    struct actor *from = cpu->metered;
    cpu->metered = actor;
    bool leaves = from != NULL && from->exact_time;
    if (!leaves && (actor == NULL || !actor->exact_time))
        return;
    tn_time now = machine_now_ns();
    if (leaves)
        from->stats.cpu_time_ns += now - cpu->metered_since_ns;
    cpu->metered_since_ns = now;
}

static bool is_lifecycle(const struct turn *turn)
{
    return turn->info.method >> 16 == 0 && turn->info.cls == MSG_MODULE_LOAD;
}

/* A turn of an actor that cannot serve ends before it begins. */
static bool turn_refused(struct cpu *cpu, struct turn *turn)
{
    tn_err err = TN_OK;
    if (!is_lifecycle(turn) && actor_life(turn->actor) != ACTOR_READY)
        err = TN_EGONE;
    else if (turn->info.deadline <= cpu->now)
        err = TN_ETIME;
    if (err == TN_OK)
        return false;
    turn_drop_caps(turn);
    (void)turn_answer(cpu, turn, err, NULL);
    return true;
}

/* Runs a turn that has been filled in; returns with the turn ended or parked. */
static struct cpu *turn_run(struct cpu *cpu, struct turn *turn, struct fiber *fiber,
                            enum turn_end *ret_end)
{
    struct actor *actor = turn->actor;
    const struct domain *domain = actor->instance->domain;
    ASSERT(actor->turns == 0);
    actor->turns = 1;
    sched_meter(cpu, actor);
    if (domain->on_fiber) {
        turn->fiber = fiber;
        fiber->turn = turn;
    }
    if (turn_refused(cpu, turn)) {
        *ret_end = TURN_DONE;
    } else {
        /* From here on it takes messages: they queue behind its start. */
        if (is_lifecycle(turn) && turn->info.method == LIFE_START)
            (void)actor_ready(actor);
        *ret_end = domain->run(cpu, turn);
    }
    if (domain->on_fiber) {
        ASSERT(*ret_end == TURN_DONE);
        cpu = fiber->cpu; /* it may have waited and gone on elsewhere */
    }
    return cpu;
}

/* Takes a message through its turn; *ret_mine tells whether the actor is still ours. */
static struct cpu *run_cell(struct cpu *cpu, struct actor *actor, struct cell *cell, bool *ret_mine)
{
    struct turn local;
    struct instance *instance = actor->instance;
    struct turn *turn = instance->domain->on_fiber ? &local : instance->domain->turn_room(instance);
    *ret_mine = true;
    if (!turn_from_cell(turn, cpu, actor, cell))
        return cpu;
    if (turn->caller == NULL)
        actor->stats.messages_processed++;
    cpu->stats.messages_processed++;
    enum turn_end end;
    cpu = turn_run(cpu, turn, fiber_self(), &end);
    *ret_mine = end == TURN_DONE;
    if (end == TURN_DONE)
        turn_finish(cpu, turn);
    else
        turn_park(cpu, turn);
    return cpu;
}

/* Goes on with a turn that was woken; false when the actor is not ours any more. */
static bool resume(struct cpu *cpu, struct turn *turn)
{
    struct actor *actor = turn->actor;
    ASSERT(at_load(&turn->state, RELAXED) == TURN_WOKEN);
    actor->waiting = NULL;
    at_store(&turn->state, TURN_RUNS, RELAXED);
    if (turn->fiber != NULL) {
        struct fiber *self = fiber_self();
        cpu->leaving = self;
        fiber_switch_to(cpu, &self->machine, turn->fiber);
        UNREACHABLE("a fiber that was left for good");
    }
    sched_meter(cpu, actor);
    if (actor->instance->domain->resume(cpu, turn) == TURN_WAITS) {
        turn_park(cpu, turn);
        return false;
    }
    turn_finish(cpu, turn);
    return true;
}

struct cpu *sched_run_actor(struct cpu *cpu, struct actor *actor)
{
    if (actor_life(actor) == ACTOR_DEAD) {
        sched_run_dead(cpu, actor);
        return cpu;
    }
    at_store(&actor->run, ACTOR_RUNNING, RELAXED);
    for (uint32_t budget = TN_BATCH_MESSAGES; budget > 0; budget--) {
        if (actor_life(actor) == ACTOR_DYING && actor_reap(cpu, actor))
            return cpu;
        /* Before the turn: one that only waits or yields does not come back here. */
        if (cpu->until_clock-- == 0)
            look_at_clock(cpu, actor);
        struct turn *turn = at_load(&actor->woken, RELAXED);
        if (turn != NULL) /* ACQUIRE: what whoever woke it wrote is seen */
            turn = at_swap(&actor->woken, NULL, ACQUIRE);
        bool mine = true;
        if (turn != NULL) {
            mine = resume(cpu, turn);
        } else {
            struct cell *cell = actor->turns == 0 ? mbox_pop(&actor->mbox) : NULL;
            if (cell == NULL)
                break;
            if (actor->instance == NULL)
                cell_drop(cpu, actor, cell);
            else
                cpu = run_cell(cpu, actor, cell, &mine);
        }
        if (!mine)
            return cpu;
    }
    actor_release(cpu, actor);
    return cpu;
}

/* `waiting`: objects wait for a grace period, so look again soon. */
static void sleep_until_work(struct cpu *cpu, bool waiting)
{
    for (uint32_t i = 0; i < cpu->kernel->config.spin; i++) {
        if (at_load(&cpu->remote, RELAXED) != NULL || at_load(&cpu->kernel->stopping, RELAXED) != 0)
            return;
        machine_relax();
    }
    lock_take(&cpu->wheel_lock);
    uint64_t until = wheel_next_ns(&cpu->wheel);
    lock_drop(&cpu->wheel_lock);
    if (waiting && until > cpu->now + GRACE_LOOK_NS)
        until = cpu->now + GRACE_LOOK_NS;
    limbo_idle(&cpu->kernel->limbo, cpu->id);
    tn_time before = cpu->now;
    cpu->stats.parks++;
    if (at_load(&cpu->remote, SEQ_CST) == NULL && at_load(&cpu->kernel->stopping, SEQ_CST) == 0)
        machine_park(cpu->id, until);
    limbo_busy(&cpu->kernel->limbo, cpu->id);
    cpu->now = machine_now_ns();
    cpu->stats.idle_time_ns += cpu->now - before;
}

void sched_loop(struct cpu *cpu)
{
    struct kernel *kernel = cpu->kernel;
    while (at_load(&kernel->stopping, ACQUIRE) == 0) {
        sched_meter(cpu, NULL); /* before the boundary: the actor may be gone after it */
        limbo_boundary(&kernel->limbo, cpu->id);
        if (cpu->until_reap-- == 0 || at_load(&kernel->limbo.held, RELAXED) >= REAP_MANY) {
            cpu->until_reap = REAP_BATCHES;
            (void)limbo_reap(&kernel->limbo, REAP_OBJECTS);
        }
        queue_take_remote(cpu);
        struct actor *actor = queue_pop(cpu);
        if (actor != NULL) {
            cpu = sched_run_actor(cpu, actor);
            continue;
        }
        look_at_clock(cpu, NULL);
        bool waiting = limbo_reap(&kernel->limbo, REAP_OBJECTS);
        if (cpu->queued == 0)
            sleep_until_work(cpu, waiting);
    }
    struct fiber *self = fiber_self();
    cpu->leaving = self;
    machine_fiber_switch(&self->machine, &cpu->boot);
    UNREACHABLE("a loop that has ended");
}

/* Runs the call that the fiber was taken for; returns the CPU when the fiber is to be the loop.
 * When the caller still waits below, the fiber is left here for good, and taken up here again for
 * the next call. */
static struct cpu *fiber_call(struct cpu *cpu, struct fiber *fiber)
{
    while (fiber->has_call) {
        struct turn *turn = &fiber->call_turn;
        struct actor *actor = turn->actor;
        enum turn_end end;
        cpu = turn_run(cpu, turn, fiber, &end);
        turn_finish(cpu, turn);
        actor_release(cpu, actor);
        struct fiber *caller = fiber->caller;
        if (caller == NULL)
            return cpu;
        cpu->leaving = fiber;
        fiber->ready = true;
        fiber_switch_to(cpu, &fiber->machine, caller);
        cpu = fiber->cpu;
        sched_landed(cpu);
    }
    return cpu;
}

void fiber_main(void *arg)
{
    struct fiber *fiber = arg;
    struct cpu *cpu = fiber->cpu;
    sched_landed(cpu);
    sched_loop(fiber_call(cpu, fiber));
}

void sched_run_call(struct cpu *cpu, struct actor *actor,
                    void (*prepare)(struct turn *turn, void *arg), void *arg)
{
    struct instance *instance = actor->instance;
    const struct domain *domain = instance->domain;
    struct fiber *self = fiber_self();
    struct actor *caller = cpu->metered;
    if (cpu->until_clock-- == 0)
        look_at_clock(cpu, NULL);
    if (domain->on_fiber) {
        struct fiber *fiber = fiber_get(cpu);
        prepare(&fiber->call_turn, arg);
        fiber->has_call = true;
        fiber->caller = self;
        struct turn *before = self->turn;
        fiber_switch_to(cpu, &self->machine, fiber);
        ASSERT(self->cpu == cpu);
        sched_landed(cpu);
        sched_meter(cpu, caller);
        self->turn = before;
        return;
    }
    struct turn *turn = domain->turn_room(instance);
    prepare(turn, arg);
    self->nested++;
    enum turn_end end;
    (void)turn_run(cpu, turn, self, &end);
    sched_meter(cpu, caller);
    self->nested--;
    if (end == TURN_DONE) {
        turn_finish(cpu, turn);
        actor_release(cpu, actor);
    } else {
        turn_park(cpu, turn);
    }
}

bool sched_may_run_call(struct cpu *cpu, struct actor *actor)
{
    /* On its own CPU only, where no one else can run it meanwhile; and with stack left. */
    if (actor->home != cpu || fiber_self()->nested >= NESTED_MAX)
        return false;
    if (!actor_claim(actor))
        return false;
    if (actor->instance != NULL && actor->turns == 0 && mbox_empty(&actor->mbox) &&
        actor_life(actor) != ACTOR_DYING)
        return true;
    actor_release(cpu, actor);
    return false;
}
