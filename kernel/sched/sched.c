/* sched.c: the loop of a CPU, running actors, calls that run at once (the essay is in cpu.h). */
#include "kernel/sched/sched_int.h"

#include "base/assert.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "kernel/sched/stats.h"

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

/* A look at the clock; what passed since the last one is charged to `actor`, if one ran. True: more
 * timers may be due than were fired. Inside before and after. */
static bool look_at_clock(struct cpu *cpu, struct actor *actor)
{
    tn_time now = machine_now_ns();
    if (actor != NULL && !actor->exact_time)
        at_count(&actor->stats.cpu_time_ns, now - cpu->now);
    cpu->stats.active_time_ns += now - cpu->now;
    cpu->now = now;
    stats_show(cpu);
    bool more = sched_fire(cpu);
    cpu->until_clock = more ? 0 : CLOCK_TURNS; /* the others are late: after the next turn */
    return more;
}

void cpu_blocks_begin(struct cpu *cpu)
{
    ASSERT(at_load(&cpu->inside, RELAXED) == 0 && cpu->blocks_since_ns == 0);
    if (!cpu_is_alone(cpu))
        return;
    outbox_let_go(cpu);
    cpu->blocks_since_ns =
        machine_now_ns() | 1; /* never 0; a nanosecond is neither here nor there */
    limbo_idle(&cpu->kernel->limbo, cpu->id);
}

void cpu_blocks_end(struct cpu *cpu)
{
    if (!cpu_is_alone(cpu))
        return;
    ASSERT(cpu->blocks_since_ns != 0);
    limbo_busy(&cpu->kernel->limbo, cpu->id);
    /* The actor did not use a CPU meanwhile: the clocks that it is charged by are put forward. */
    tn_time now = machine_now_ns();
    tn_time blocked = now > cpu->blocks_since_ns ? now - cpu->blocks_since_ns : 0;
    cpu->blocks_since_ns = 0;
    cpu->now += blocked;
    cpu->metered_since_ns += blocked;
    cpu->blocked_ns += blocked;
    /* RELAXED: as stats_show, which leaves this one to us: most CPUs never block. */
    at_store(&cpu->shown.blocked_time_ns, cpu->blocked_ns, RELAXED);
}

void sched_meter_exactly(struct cpu *cpu, struct actor *actor)
{
    struct actor *from = cpu->metered;
    tn_time now = machine_now_ns();
    if (from != NULL)
        at_count(&from->stats.cpu_time_ns, now - cpu->metered_since_ns);
    cpu->metered_since_ns = now;
    cpu->metered = actor;
}

static bool is_lifecycle(const struct turn *turn)
{
    return turn->info.cls == MSG_MODULE_LOAD && turn->info.method >> 16 == 0;
}

/* A message of the kernel's own, taken out of the object that it is part of. */
static bool turn_from_embedded(struct turn *turn, struct cell *cell)
{
    turn->info.flags = TN_TURN_ONEWAY;
    turn->cell = NULL;
    turn->in.data = NULL;
    return embedded_take(cell, &turn->info.cookie);
}

static void turn_from_call(struct turn *turn, struct cell *cell, tn_time limit)
{
    struct cell_call *call = &cell->body.call;
    turn->caller = call->caller;
    turn->caller_ref = true;
    turn->generation = call->generation;
    turn->depth = cell->len; /* no arguments inline: len carries the depth */
    turn->info.deadline = call->deadline < limit ? call->deadline : limit;
    turn->block = call->block;
    turn->in.len = 0;
}

/* What every message gives a turn; frees nothing: turn_finish does, after the answer. */
static inline __attribute__((always_inline)) void turn_fill(struct turn *turn, struct cpu *cpu,
                                                            struct actor *actor, struct cell *cell,
                                                            uint16_t cls)
{
    tn_time now = cpu->now, limit_ns = actor->deadline_ns;
    uint64_t badge = cell->badge, cause = cell->cause;
    uint32_t method = cell->method, len = cell->len;
    turn->info = (struct tn_turn){.badge = badge,
                                  .cause = cause,
                                  .deadline = limit_ns == 0 ? TN_NEVER : now + limit_ns,
                                  .now = now,
                                  .method = method,
                                  .cls = cls,
                                  .flags = TN_TURN_ONEWAY};
    turn->in.len = len;
    turn->in.size = 0;
    turn->in.ncaps = 0;
    turn->in.move = 0;
    turn_begin(turn, actor, cell);
}

/* A message that needs more than that. False when it came to nothing: it is gone. Outside. */
static bool turn_from_cell(struct turn *turn, struct cpu *cpu, struct actor *actor,
                           struct cell *cell)
{
    uint32_t flags = cell->flags, ncaps = cell->ncaps;
    turn_fill(turn, cpu, actor, cell, cell->cls);
    turn->in.ncaps = ncaps;
    if ((flags & CELL_EMBEDDED) != 0)
        return turn_from_embedded(turn, cell);
    if ((flags & CELL_CALL) != 0) {
        turn->info.flags = 0;
        turn_from_call(turn, cell, turn->info.deadline);
    } else if ((flags & CELL_BLOCK) != 0) {
        turn->block = cell->body.block;
    }
    if (turn->block != NULL) {
        turn->in.len = turn->block->len;
        turn->in.data = turn->block->bytes;
        memcpy(turn->in.caps, turn->block->caps, ncaps * sizeof(tn_cap));
    } else {
        turn->in.data = cell->body.bytes + ncaps * sizeof(tn_cap);
        memcpy(turn->in.caps, cell->body.bytes, ncaps * sizeof(tn_cap));
    }
    if (ncaps != 0)
        cap_receive(actor->space, turn->in.caps, ncaps);
    return true;
}

/* A turn of an actor that cannot serve ends before it begins. */
static void refuse_turn(struct cpu *cpu, struct turn *turn)
{
    bool serves = actor_life(turn->actor) == ACTOR_READY || is_lifecycle(turn);
    turn_drop_caps(turn);
    (void)turn_answer(cpu, turn, serves ? TN_ETIME : TN_EGONE, NULL);
}

/* Whether a turn that has been filled in is to run; else it is over. Outside. */
static inline bool turn_may_run(struct cpu *cpu, struct turn *turn)
{
    bool lifecycle = is_lifecycle(turn);
    bool serves = actor_life(turn->actor) == ACTOR_READY || lifecycle;
    if (!serves || turn->info.deadline <= cpu->now) {
        refuse_turn(cpu, turn);
        return false;
    }
    /* From here on it takes messages: they queue behind its start. */
    if (lifecycle && turn->info.method == LIFE_START)
        (void)actor_ready(turn->actor);
    return true;
}

/* A turn has come back: it has ended, or is to be parked. Outside; inside afterwards. True when the
 * actor is still ours. */
static bool turn_over(struct cpu *cpu, struct turn *turn, enum turn_end end)
{
    cpu_enter(cpu);
    if (end == TURN_DONE) {
        turn_finish(cpu, turn);
        return true;
    }
    turn_park(cpu, turn);
    return false;
}

/* Takes a message out of the mailbox into a turn: whether that is to run, or is over already.
 * Inside; outside afterwards. */
static bool cell_begin(struct cpu *cpu, struct actor *actor, struct cell *cell, struct turn *turn)
{
    actor->turns++;
    if ((cell->flags & CELL_EMBEDDED) == 0)
        credit_freed(cpu, actor, cell); /* it is out of the mailbox, though the cell is needed */
    cpu_leave(cpu);
    if (!turn_from_cell(turn, cpu, actor, cell))
        return false;
    if (turn->caller == NULL)
        at_count(&actor->stats.messages_processed, 1);
    cpu->stats.messages_processed++;
    return turn_may_run(cpu, turn);
}

/* Takes the usual message, to an actor that serves and is not odd, through its turn on this fiber.
 * Inside, and inside the CPU that it returns: it may have waited and gone on elsewhere. */
static inline __attribute__((always_inline)) struct cpu *run_plain(struct cpu *cpu,
                                                                   struct actor *actor,
                                                                   struct cell *cell)
{
    struct fiber *fiber = fiber_self();
    struct turn *turn = &fiber->turn;
    struct instance *instance = actor->instance;
    actor->turns++;
    credit_freed(cpu, actor, cell);
    cpu_leave(cpu);
    turn_fill(turn, cpu, actor, cell, TN_CLS_USER);
    turn->in.data = cell->body.bytes;
    at_count(&actor->stats.messages_processed, 1);
    cpu->stats.messages_processed++;
    instance->domain->event(instance, turn);
    cpu = fiber->cpu;
    cpu_enter(cpu);
    actor->turns--;
    cell_give(cpu, &cpu->back, cell);
    return cpu;
}

/* The same for any message to a native actor, whatever its life. */
static struct cpu *run_native(struct cpu *cpu, struct actor *actor, struct cell *cell,
                              const struct domain *domain)
{
    struct fiber *fiber = fiber_self();
    struct turn *turn = &fiber->turn;
    if (cell_begin(cpu, actor, cell, turn)) {
        enum turn_end end = domain->run(cpu, turn);
        ASSERT(end == TURN_DONE);
        cpu = fiber->cpu;
    }
    cpu_enter(cpu);
    turn_finish(cpu, turn);
    return cpu;
}

/* The same for a domain that keeps turns as data; true when the actor is still ours. Inside before
 * and after. */
static bool run_data(struct cpu *cpu, struct actor *actor, struct cell *cell,
                     const struct domain *domain)
{
    struct turn *turn = domain->turn_room(actor->instance);
    turn->fiber = NULL;
    bool runs = cell_begin(cpu, actor, cell, turn);
    return turn_over(cpu, turn, runs ? domain->run(cpu, turn) : TURN_DONE);
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
static bool is_special(struct actor *actor)
{
    if (actor_life(actor) == ACTOR_DYING)
        return true;
    if (actor->ready == NULL || actor->held)
        return false;
    bool mail = actor->mail_next && actor->turns < actor->room && actor->mbox.first != NULL;
    actor->mail_next = false;
    return !mail;
}

/* What is not a message to a native actor; false when the actor is not ours any more. Inside before
 * and after. */
static bool run_other(struct cpu *cpu, struct actor *actor, struct cell *cell)
{
    if (actor->instance != NULL)
        return run_data(cpu, actor, cell, actor->instance->domain);
    cpu_leave(cpu);
    cell_drop(cpu, actor, cell); /* it has no code yet */
    cpu_enter(cpu);
    return true;
}

/* What a step came to, and the CPU that it ended on. */
struct stepped {
    struct cpu *cpu;
    enum { STEP_ON, STEP_OVER, STEP_NOT_OURS } step;
};

/* One step of an actor, whatever that is. Inside before and after. */
static __attribute__((noinline)) struct stepped run_step(struct cpu *cpu, struct actor *actor)
{
    bool mine = true;
    if (actor_life(actor) == ACTOR_DEAD) {
        cpu_leave(cpu);
        sched_run_dead(cpu, actor);
        cpu_enter(cpu);
        return (struct stepped){cpu, STEP_NOT_OURS};
    }
    sched_meter(cpu, actor);
    if (is_special(actor)) {
        if (run_special(cpu, actor, &mine))
            return (struct stepped){cpu, STEP_ON};
        return (struct stepped){cpu, mine ? STEP_OVER : STEP_NOT_OURS};
    }
    if (actor->turns >= actor->room) {
        if (!swap_has_work(actor))
            return (struct stepped){cpu, STEP_OVER};
        cpu = swap_run(cpu, actor, &mine);
        return (struct stepped){cpu, mine ? STEP_ON : STEP_NOT_OURS};
    }
    struct cell *cell = mbox_take(&actor->mbox);
    if (cell == NULL)
        return (struct stepped){cpu, STEP_OVER};
    struct instance *instance = actor->instance;
    if (instance != NULL && instance->domain->on_fiber)
        cpu = run_native(cpu, actor, cell, instance->domain);
    else
        mine = run_other(cpu, actor, cell);
    return (struct stepped){cpu, mine ? STEP_ON : STEP_NOT_OURS};
}

/* Nothing but a message is to be looked at, and there is room for its turn. */
static inline bool is_usual(struct actor *actor)
{
    return actor_life(actor) == ACTOR_READY && actor->odd == 0 && actor->ready == NULL;
}

/* Runs a batch of an actor that was taken from a queue; returns the CPU that it is then on. Inside
 * before and after. */
static inline __attribute__((always_inline)) struct cpu *run_actor(struct cpu *cpu,
                                                                   struct actor *actor)
{
    actor->run = ACTOR_RUNNING; /* out of its queue: nobody is to look for it there */
    for (uint32_t budget = TN_BATCH_MESSAGES; budget > 0; budget--) {
        /* Before the turn: one that only waits or yields does not come back here. */
        if (__builtin_expect(--cpu->until_clock <= 0, 0))
            (void)look_at_clock(cpu, actor);
        struct cell *cell = actor->mbox.first;
        if (__builtin_expect(!is_usual(actor) || actor->turns >= actor->room || cell == NULL ||
                                 !cell_is_plain(cell),
                             0)) {
            struct stepped stepped = run_step(cpu, actor);
            cpu = stepped.cpu;
            if (stepped.step == STEP_NOT_OURS)
                return cpu;
            if (stepped.step == STEP_OVER)
                break;
            continue;
        }
        actor->mbox.first = cell->link;
        cpu = run_plain(cpu, actor, cell);
        if (actor->mbox.first == NULL && is_usual(actor)) {
            actor_rest_as(cpu, actor, false); /* the usual end, seen early */
            return cpu;
        }
    }
    actor_rest(cpu, actor);
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
    uint64_t look = watch_begin(cpu);
    /* SEQ_CST, then the last look: who asks after it sees that we sleep (asked_push). */
    at_store(&cpu->asleep, 1, SEQ_CST);
    if (at_load(&cpu->asked, SEQ_CST) == NULL && at_load(&kernel->stopping, SEQ_CST) == 0)
        machine_park(cpu->id, until < look ? until : look);
    at_store(&cpu->asleep, 0, RELAXED);
    watch_end(cpu);
    limbo_busy(&kernel->limbo, cpu->id);
    cpu->now = machine_now_ns();
    cpu->stats.idle_time_ns += cpu->now - before;
}

/* Destroys what can be; true when more is there, or waits for a grace period. Outside. */
static bool reap(struct cpu *cpu)
{
    limbo_reap_own(&cpu->kernel->limbo, cpu->id, REAP_OBJECTS);
    return limbo_reap(&cpu->kernel->limbo, REAP_OBJECTS);
}

/* Nothing is queued: fires timers, frees what can be freed, sleeps. Inside before and after. */
static void idle(struct cpu *cpu)
{
    bool more = look_at_clock(cpu, NULL);
    if (more || !queue_empty(cpu))
        return;
    cpu_leave(cpu);
    bool waiting = reap(cpu);
    if (!work_steal(cpu) && !limbo_goes_on(&cpu->kernel->limbo))
        sleep_until_work(cpu, waiting);
    cpu_enter(cpu);
}

/* Inside before and after. */
static void reap_limbo(struct cpu *cpu)
{
    cpu_leave(cpu);
    (void)reap(cpu);
    cpu_enter(cpu);
}

/* The most urgent of the queues. NULL: nothing is queued. Where others wait, somebody is to watch.
 * Inside. */
static inline struct actor *next_actor(struct cpu *cpu)
{
    struct actor *actor = queue_pop(cpu);
    if (__builtin_expect(cpu->queued == 0 && at_load(&cpu->next, RELAXED) == NULL, 1))
        return actor;
    if (at_load(&cpu->team->sentinel, RELAXED) == SENTINEL_NOBODY)
        watch_poke(cpu);
    return actor;
}

void sched_loop(struct cpu *cpu)
{
    struct kernel *kernel = cpu->kernel;
    cpu_enter(cpu);
    while (at_load(&kernel->stopping, ACQUIRE) == 0) {
        if (cpu->back.pool != NULL)
            cells_back_flush(&cpu->back);
        sched_meter(cpu, NULL); /* before the boundary: the actor may be gone after it */
        limbo_boundary(&kernel->limbo, cpu->id);
        uint32_t batches = at_load(&cpu->batches, RELAXED) + 1;
        at_store(&cpu->batches, batches, RELAXED);
        if (batches % REAP_BATCHES == 0 || at_load(&kernel->limbo.held, RELAXED) >= REAP_MANY)
            reap_limbo(cpu);
        if (at_load(&cpu->asked, RELAXED) != NULL)
            queue_take_asked(cpu, true);
        struct actor *actor = next_actor(cpu);
        if (actor == NULL) {
            idle(cpu);
            continue;
        }
        cpu = run_actor(cpu, actor);
    }
    cells_back_flush(&cpu->back);
    sched_meter(cpu, NULL); /* who stopped the kernel is charged too */
    cpu_leave(cpu);
    stats_show(cpu);
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
        struct turn *turn = &fiber->turn;
        struct actor *actor = turn->actor;
        sched_meter(cpu, actor);
        if (turn_may_run(cpu, turn)) {
            enum turn_end end = actor->instance->domain->run(cpu, turn);
            ASSERT(end == TURN_DONE);
            cpu = fiber->cpu; /* it may have waited and gone on elsewhere */
        }
        cpu_enter(cpu);
        turn_finish(cpu, turn);
        actor_rest(cpu, actor);
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
    return &fiber->turn;
}

/* The callee's domain keeps turns as data: it runs on the caller's stack. */
static void run_call_below(struct cpu *cpu, struct turn *turn, struct fiber *self)
{
    struct actor *actor = turn->actor;
    turn->fiber = NULL;
    sched_meter(cpu, actor);
    self->nested++;
    bool runs = turn_may_run(cpu, turn);
    enum turn_end end = runs ? actor->instance->domain->run(cpu, turn) : TURN_DONE;
    self->nested--;
    if (turn_over(cpu, turn, end))
        actor_release(cpu, actor);
    cpu_leave(cpu);
}

void sched_run_call(struct cpu *cpu, struct turn *turn)
{
    struct fiber *self = fiber_self();
    struct actor *caller = turn->caller->actor;
    if (--cpu->until_clock <= 0) {
        cpu_enter(cpu);
        (void)look_at_clock(cpu, NULL);
        cpu_leave(cpu);
    }
    if (turn->actor->instance->domain->on_fiber) {
        struct fiber *fiber = turn->fiber;
        fiber->caller = self;
        fiber_switch_to(cpu, &self->machine, fiber);
        ASSERT(self->cpu == cpu);
        sched_landed(cpu);
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
               actor->turns < actor->room && actor->ready == NULL && actor->mbox.first == NULL &&
               at_load(&actor->mbox.pushed, RELAXED) == NULL && actor_life(actor) < ACTOR_DYING;
    if (may) {
        actor->run = ACTOR_RUNNING;
        actor->turns++;
    }
    cpu_leave(cpu);
    return may;
}
