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

/* A look at the clock; what passed since the last one is charged to `actor`, if one ran. Inside. */
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

void sched_meter_exactly(struct cpu *cpu, struct actor *actor)
{
    struct actor *from = cpu->metered;
    tn_time now = machine_now_ns();
    if (from != NULL && from->exact_time)
        from->stats.cpu_time_ns += now - cpu->metered_since_ns;
    (void)actor;
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
    if (actor_life(turn->actor) != ACTOR_READY && !is_lifecycle(turn))
        err = TN_EGONE;
    else if (turn->info.deadline <= cpu->now)
        err = TN_ETIME;
    if (__builtin_expect(err == TN_OK, 1))
        return false;
    turn_drop_caps(turn);
    (void)turn_answer(cpu, turn, err, NULL);
    return true;
}

/* Runs a turn that has been filled in and counted; returns with the turn ended, or its continuation
 * to be parked. Outside. */
static inline struct cpu *turn_run(struct cpu *cpu, struct turn *turn, struct fiber *fiber,
                                   enum turn_end *ret_end)
{
    struct actor *actor = turn->actor;
    const struct domain *domain = actor->instance->domain;
    ASSERT(actor->turns > 0);
    sched_meter(cpu, actor);
    bool on_fiber = domain->on_fiber;
    if (on_fiber) {
        turn->fiber = fiber;
        fiber->turn = turn;
    }
    *ret_end = TURN_DONE;
    if (!turn_refused(cpu, turn)) {
        /* From here on it takes messages: they queue behind its start. */
        if (is_lifecycle(turn) && turn->info.method == LIFE_START)
            (void)actor_ready(actor);
        *ret_end = domain->run(cpu, turn);
    }
    if (on_fiber) {
        ASSERT(*ret_end == TURN_DONE);
        cpu = fiber->cpu; /* it may have waited and gone on elsewhere */
    }
    return cpu;
}

/* A turn has ended, or is to be parked. Outside; inside afterwards. */
static inline bool turn_over(struct cpu *cpu, struct turn *turn, enum turn_end end)
{
    cpu_enter(cpu);
    if (__builtin_expect(end == TURN_DONE, 1)) {
        turn_finish(cpu, turn);
        return true;
    }
    turn_park(cpu, turn);
    return false;
}

/* Takes a message through its turn; *ret_mine tells whether the actor is still ours. Inside, and
 * inside the CPU that it returns. */
static inline struct cpu *run_cell(struct cpu *cpu, struct actor *actor, struct cell *cell,
                                   bool *ret_mine)
{
    struct turn local;
    struct instance *instance = actor->instance;
    struct turn *turn = instance->domain->on_fiber ? &local : instance->domain->turn_room(instance);
    actor->turns++;
    if ((cell->flags & CELL_EMBEDDED) == 0)
        credit_freed(cpu, actor, cell); /* it is out of the mailbox, though the cell is needed */
    cpu_leave(cpu);
    *ret_mine = true;
    if (!turn_from_cell(turn, cpu, actor, cell)) {
        cpu_enter(cpu);
        actor->turns--;
        return cpu;
    }
    if (turn->caller == NULL)
        actor->stats.messages_processed++;
    cpu->stats.messages_processed++;
    enum turn_end end;
    cpu = turn_run(cpu, turn, fiber_self(), &end);
    *ret_mine = turn_over(cpu, turn, end);
    return cpu;
}

/* Goes on with a turn that was woken; false when the actor is not ours any more. Inside before and
 * after; native turns go on on their own fiber, and this one is left. */
static bool resume(struct cpu *cpu, struct turn *turn)
{
    struct actor *actor = turn->actor;
    ASSERT(at_load(&turn->state, RELAXED) == TURN_WOKEN);
    at_store(&turn->state, TURN_RUNS, RELAXED);
    cpu_leave(cpu);
    if (turn->fiber != NULL) {
        struct fiber *self = fiber_self();
        cpu->leaving = self;
        fiber_switch_to(cpu, &self->machine, turn->fiber);
        UNREACHABLE("a fiber that was left for good");
    }
    sched_meter(cpu, actor);
    return turn_over(cpu, turn, actor->instance->domain->resume(cpu, turn));
}

/* What is not the usual message to an actor that lives; false when there is nothing more to do with
 * it, or it is not ours any more. Inside before and after. */
static bool run_special(struct cpu *cpu, struct actor *actor, bool *ret_mine)
{
    *ret_mine = true;
    if (actor_life(actor) == ACTOR_DYING) {
        cpu_leave(cpu);
        bool dead = actor_reap(cpu, actor);
        cpu_enter(cpu);
        *ret_mine = !dead;
        if (dead)
            return false;
    }
    struct turn *turn = actor->ready;
    if (turn == NULL)
        return actor_life(actor) != ACTOR_DYING;
    actor->ready = turn->link;
    actor->mail_next = true;
    *ret_mine = resume(cpu, turn);
    return *ret_mine;
}

/* Something other than a message is to be done first. A turn that is woken again and again and the
 * messages that wait, where there is room for them, take turns. */
static inline bool is_special(struct actor *actor)
{
    if (actor_life(actor) == ACTOR_DYING)
        return true;
    if (__builtin_expect(actor->ready == NULL, 1))
        return false;
    bool mail = actor->mail_next && actor->turns < actor->concurrency && actor->mbox.first != NULL;
    actor->mail_next = false;
    return !mail;
}

/* A message to an actor that has no code yet. Inside before and after. */
static void refuse_cell(struct cpu *cpu, struct actor *actor, struct cell *cell)
{
    cpu_leave(cpu);
    cell_drop(cpu, actor, cell);
    cpu_enter(cpu);
}

/* Runs a batch of an actor that was taken from a queue; returns the CPU that it is then on. Inside
 * before and after. */
static struct cpu *run_actor(struct cpu *cpu, struct actor *actor)
{
    if (__builtin_expect(actor_life(actor) == ACTOR_DEAD, 0)) {
        cpu_leave(cpu);
        sched_run_dead(cpu, actor);
        cpu_enter(cpu);
        return cpu;
    }
    actor->run = ACTOR_RUNNING;
    for (uint32_t budget = TN_BATCH_MESSAGES; budget > 0; budget--) {
        /* Before the turn: one that only waits or yields does not come back here. */
        if (cpu->until_clock-- == 0)
            look_at_clock(cpu, actor);
        bool mine = true;
        if (__builtin_expect(is_special(actor), 0)) {
            if (run_special(cpu, actor, &mine))
                continue;
            if (!mine)
                return cpu;
            break;
        }
        if (actor->turns >= actor->concurrency)
            break;
        struct cell *cell = mbox_take(&actor->mbox);
        if (cell == NULL)
            break;
        if (__builtin_expect(actor->instance == NULL, 0))
            refuse_cell(cpu, actor, cell);
        else
            cpu = run_cell(cpu, actor, cell, &mine);
        if (__builtin_expect(!mine, 0))
            return cpu;
    }
    actor_release(cpu, actor);
    return cpu;
}

/* `waiting`: objects wait for a grace period, so look again soon. Outside. */
static void sleep_until_work(struct cpu *cpu, bool waiting)
{
    struct kernel *kernel = cpu->kernel;
    for (uint32_t i = 0; i < kernel->config.spin; i++) {
        if (at_load(&cpu->asked, RELAXED) != NULL || at_load(&kernel->stopping, RELAXED) != 0)
            return;
        machine_relax();
    }
    cpu_enter(cpu);
    uint64_t until = wheel_next_ns(&cpu->wheel);
    cpu_leave(cpu);
    if (waiting && until > cpu->now + GRACE_LOOK_NS)
        until = cpu->now + GRACE_LOOK_NS;
    limbo_idle(&kernel->limbo, cpu->id);
    tn_time before = cpu->now;
    cpu->stats.parks++;
    /* SEQ_CST, then the last look: who asks after it sees that we sleep (asked_push). */
    at_store(&cpu->asleep, 1, SEQ_CST);
    if (at_load(&cpu->asked, SEQ_CST) == NULL && at_load(&kernel->stopping, SEQ_CST) == 0)
        machine_park(cpu->id, until);
    at_store(&cpu->asleep, 0, RELAXED);
    limbo_busy(&kernel->limbo, cpu->id);
    cpu->now = machine_now_ns();
    cpu->stats.idle_time_ns += cpu->now - before;
}

/* Nothing is queued: fires timers, frees what can be freed, sleeps. Inside before and after. */
static void idle(struct cpu *cpu)
{
    look_at_clock(cpu, NULL);
    if (cpu->queued != 0)
        return;
    cpu_leave(cpu);
    bool waiting = limbo_reap(&cpu->kernel->limbo, REAP_OBJECTS);
    sleep_until_work(cpu, waiting);
    cpu_enter(cpu);
}

/* Inside before and after. */
static void reap_limbo(struct cpu *cpu)
{
    cpu->until_reap = REAP_BATCHES;
    cpu_leave(cpu);
    (void)limbo_reap(&cpu->kernel->limbo, REAP_OBJECTS);
    cpu_enter(cpu);
}

void sched_loop(struct cpu *cpu)
{
    struct kernel *kernel = cpu->kernel;
    cpu_enter(cpu);
    while (at_load(&kernel->stopping, ACQUIRE) == 0) {
        sched_meter(cpu, NULL); /* before the boundary: the actor may be gone after it */
        limbo_boundary(&kernel->limbo, cpu->id);
        if (cpu->until_reap-- == 0 || at_load(&kernel->limbo.held, RELAXED) >= REAP_MANY)
            reap_limbo(cpu);
        if (at_load(&cpu->asked, RELAXED) != NULL)
            queue_take_asked(cpu);
        struct actor *actor = queue_pop(cpu);
        if (actor != NULL)
            cpu = run_actor(cpu, actor);
        else
            idle(cpu);
    }
    cpu_leave(cpu);
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
        (void)turn_over(cpu, turn, end);
        actor_release(cpu, actor);
        cpu_leave(cpu);
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

struct turn *sched_call_turn(struct cpu *cpu, struct actor *actor)
{
    struct instance *instance = actor->instance;
    if (!instance->domain->on_fiber)
        return instance->domain->turn_room(instance);
    struct fiber *fiber = fiber_get(cpu);
    fiber->has_call = true;
    fiber->call_turn.fiber = fiber;
    return &fiber->call_turn;
}

/* The callee's domain keeps turns as data: it runs on the caller's stack. */
static void run_call_below(struct cpu *cpu, struct turn *turn, struct fiber *self)
{
    struct actor *actor = turn->actor;
    turn->fiber = NULL;
    self->nested++;
    enum turn_end end;
    (void)turn_run(cpu, turn, self, &end);
    self->nested--;
    if (turn_over(cpu, turn, end))
        actor_release(cpu, actor);
    cpu_leave(cpu);
}

void sched_run_call(struct cpu *cpu, struct turn *turn)
{
    struct fiber *self = fiber_self();
    struct actor *caller = cpu->metered;
    if (cpu->until_clock-- == 0) {
        cpu_enter(cpu);
        look_at_clock(cpu, NULL);
        cpu_leave(cpu);
    }
    if (turn->actor->instance->domain->on_fiber) {
        struct fiber *fiber = turn->fiber;
        fiber->caller = self;
        struct turn *before = self->turn;
        fiber_switch_to(cpu, &self->machine, fiber);
        ASSERT(self->cpu == cpu);
        sched_landed(cpu);
        self->turn = before;
    } else {
        run_call_below(cpu, turn, self);
    }
    sched_meter(cpu, caller);
}

bool sched_may_run_call(struct cpu *cpu, struct actor *actor)
{
    /* On its own CPU only, where no one else can run it meanwhile; and with stack left. */
    if (!actor_here(cpu, actor) || fiber_self()->nested >= NESTED_MAX)
        return false;
    cpu_enter(cpu);
    bool may = actor_here(cpu, actor) && actor->run == ACTOR_IDLE && actor->instance != NULL &&
               actor->turns < actor->concurrency && actor->ready == NULL &&
               actor->mbox.first == NULL && at_load(&actor->mbox.pushed, RELAXED) == NULL &&
               actor_life(actor) < ACTOR_DYING;
    if (may) {
        actor->run = ACTOR_RUNNING;
        actor->turns++;
    }
    cpu_leave(cpu);
    return may;
}
