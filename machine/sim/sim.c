/* sim.c: the scheduler of the simulated machine.
 *
 * Virtual CPUs share one host thread. Exactly one runs, and it keeps running until it passes a
 * step (see sim.h); there the seed may choose another. A CPU's context is whatever stack it is on
 * at that moment: its own boot stack, or a fiber of the kernel's that it switched to. Since
 * switching away saves that into the CPU and coming back resumes it on the same CPU, the kernel may
 * move its fibers between CPUs with machine_fiber_switch as on a real machine.
 *
 * Invariants:
 *  1. `current` is the CPU whose code runs, or SIM_HOST: before and after machine_run, and while
 *     the check runs on the host's stack. With SIM_HOST no step counts and nothing switches.
 *  2. `context` of a CPU is valid exactly while it is not `current`.
 *  3. Every decision comes from `schedule_state` and `fault_state` and from state that itself is
 *     decided by them, so the order of calls repeats. Each switch, park, unpark, drain and fault
 *     enters the trace hash. When checks run comes from a stream of their own.
 *  4. A parked CPU is not notified, and next_deadline_ns is at most its until_ns.
 *
 * States of a CPU: runnable to parked by machine_park; parked to runnable by machine_unpark or
 * by sim_expire; runnable to returned when its entry returns. */
#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "base/bits.h"
#include "base/race/sim/race_point.h"
#include "machine/common/fiber.h"
#include "machine/hosted/fault.h"
#include "machine/hosted/memory.h"
#include "machine/sim/sim_int.h"

enum {
    BOOT_STACK_BYTES = 256 * 1024,
    STEP_NS_MAX = 8,         /* of the clock at a step, exclusive */
    LEAP_ONE_IN = 64,        /* switches that move the clock by a leap */
    LEAP_BITS_MAX = 16,      /* a leap is below 2^16 ns */
    STALL_ONE_IN = 32,       /* switches after which the CPU that was left stands still */
    STALL_BITS_MAX = 10,     /* for below 2^10 steps, while another can go on */
    JUMP_BITS_MAX = 36,      /* a clock's jump is below 2^36 ns */
    DRAIN_BITS_MAX = 4,      /* default drain_one_in is at most 2^4 */
    CHECK_BITS_MIN = 4,      /* default check_one_in is from 2^4 */
    CHECK_BITS_MAX = 12,     /* to 2^12 */
    SPURIOUS_ONE_IN = 16,    /* parks that return for no reason */
    LONE_PATIENCE = 1024,    /* lone relaxes before the clock hurries */
    HOST_PATIENCE = 1000000, /* relaxes on the host, where nobody else runs */
    LONE_BITS_MAX = 20,      /* and then moves by less than 2^20 ns each */
    CHANGE_BITS_MAX = 16,    /* default change points are below 2^16 */
    SWITCH_ONE_IN = 4,
    PCT_DEPTH = 3,
    STEPS_MAX = 10000000,
};

struct sim sim = {.current = SIM_HOST};

uint64_t sim_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

uint64_t sim_below(uint64_t n)
{
    return sim_random(&sim.schedule_state) % n;
}

/* A number whose length in bits, up to bits_max, is as likely as any other. */
static uint64_t sim_any_scale(uint64_t bits_max)
{
    uint64_t high = UINT64_C(1) << sim_below(bits_max);
    return high + sim_below(high);
}

/* Ends the run from a virtual CPU, which is abandoned with all others. */
__attribute__((noreturn)) static void sim_leave(void)
{
    struct sim_cpu *cpu = &sim.cpus[sim.current];
    sim.current = SIM_HOST;
    sim.next = SIM_HOST;
    fiber_switch(&cpu->context, &sim.host);
    UNREACHABLE("an abandoned virtual CPU went on");
}

/* Leaves for the host, to check, and goes on with `next` then. */
static void sim_visit_host(uint32_t next)
{
    struct sim_cpu *from = &sim.cpus[sim.current];
    sim.current = SIM_HOST;
    sim.next = next;
    fiber_switch(&from->context, &sim.host);
}

/* Goes on with `next`; returns when somebody goes on with the caller. */
static void sim_switch(uint32_t next)
{
    if (next == sim.current)
        return;
    ASSERT(sim.current < sim.config.cpus && next < sim.config.cpus);
    struct sim_cpu *from = &sim.cpus[sim.current];
    sim.stats.switches++;
    sim.lone_turns = 0;
    if (sim_below(LEAP_ONE_IN) == 0)
        sim.now_ns += sim_any_scale(LEAP_BITS_MAX);
    if (sim.config.schedule == SIM_RANDOM && sim_below(STALL_ONE_IN) == 0)
        from->stalled_until = sim.stats.steps + sim_any_scale(STALL_BITS_MAX);
    if (sim_fault(SIM_FAULT_CLOCK))
        sim.now_ns += sim_any_scale(JUMP_BITS_MAX);
    sim_trace(SIM_EVENT_SWITCH, next, sim.current);
    if (sim.config.check != NULL) {
        sim.due_switch = true;
        sim_visit_host(next);
    } else {
        sim.current = next;
        fiber_switch(&from->context, &sim.cpus[next].context);
    }
}

/* Nobody can go on. */
static void sim_rest(void)
{
    if (sim.nrests == 0)
        return;
    sim.due_rest = true;
    sim_visit_host(sim.current);
}

/* Makes every CPU runnable whose deadline has come, and finds the next deadline. */
static void sim_expire(void)
{
    uint64_t next_ns = UINT64_MAX;
    for (uint32_t i = 0; i < sim.config.cpus; i++) {
        struct sim_cpu *cpu = &sim.cpus[i];
        if (cpu->state != SIM_PARKED)
            continue;
        if (cpu->until_ns <= sim.now_ns)
            cpu->state = SIM_RUNNABLE;
        else if (cpu->until_ns < next_ns)
            next_ns = cpu->until_ns;
    }
    sim.next_deadline_ns = next_ns;
}

static void sim_advance(uint64_t ns)
{
    sim.now_ns += ns;
    if (sim.now_ns >= sim.next_deadline_ns)
        sim_expire();
}

/* The runnable CPU of the highest priority, other than `but`; SIM_HOST when there is none. */
static uint32_t sim_pick_best(uint32_t but)
{
    uint32_t best = SIM_HOST;
    for (uint32_t i = 0; i < sim.config.cpus; i++) {
        if (i == but || sim.cpus[i].state != SIM_RUNNABLE)
            continue;
        if (best == SIM_HOST || sim.cpus[i].priority > sim.cpus[best].priority)
            best = i;
    }
    return best;
}

/* A runnable CPU other than `but`, as the schedule chooses; SIM_HOST when there is none. */
static uint32_t sim_pick(uint32_t but)
{
    if (sim.config.schedule == SIM_PCT)
        return sim_pick_best(but);
    uint32_t runnable[TN_THREADS_MAX], stalled[TN_THREADS_MAX], count = 0, nstalled = 0;
    for (uint32_t i = 0; i < sim.config.cpus; i++) {
        const struct sim_cpu *cpu = &sim.cpus[i];
        if (i == but || cpu->state != SIM_RUNNABLE)
            continue;
        if (cpu->stalled_until > sim.stats.steps)
            stalled[nstalled++] = i;
        else
            runnable[count++] = i;
    }
    if (count > 0)
        return runnable[sim_below(count)];
    return nstalled > 0 ? stalled[sim_below(nstalled)] : SIM_HOST;
}

/* A runnable CPU, without a decision; SIM_HOST when there is none. */
static uint32_t sim_pick_first(void)
{
    for (uint32_t i = 0; i < sim.config.cpus; i++) {
        if (sim.cpus[i].state == SIM_RUNNABLE)
            return i;
    }
    return SIM_HOST;
}

/* The CPU to go on with when the current one cannot: perhaps the current one, if the clock makes it
 * runnable first. Ends the run when there will never be one. */
static uint32_t sim_wait(void)
{
    for (;;) {
        uint32_t next = sim_pick(SIM_HOST);
        if (next != SIM_HOST)
            return next;
        sim_drain_all(); /* time passes */
        sim_expire();    /* CPUs that were unparked leave a deadline that nobody waits for */
        if (sim_pick_first() != SIM_HOST)
            continue; /* the clock has leapt over its deadline */
        sim_rest();
        if (sim.next_deadline_ns == UINT64_MAX)
            break;
        sim_advance(sim.next_deadline_ns - sim.now_ns);
    }
    for (uint32_t i = 0; i < sim.config.cpus; i++)
        sim.stats.deadlock |= sim.cpus[i].state == SIM_PARKED;
    sim_leave();
}

void sim_step(void)
{
    if (++sim.stats.steps >= sim.config.steps_max) {
        sim.stats.hung = true;
        sim_leave();
    }
    sim_advance(sim_below(STEP_NS_MAX));
    sim_drain_some();
    for (uint32_t i = 0; sim.config.schedule == SIM_PCT && i + 1 < sim.config.pct_depth; i++)
        if (sim.change_steps[i] == sim.stats.steps)
            sim.cpus[sim.current].priority = -(int64_t)i;
    if (sim.nchecks == 0 || --sim.until_check > 0)
        return;
    sim.until_check = 1 + (uint32_t)(sim_random(&sim.check_state) % (2 * sim.check_one_in));
    sim.due_step = true;
    sim_visit_host(sim.current);
}

void race_point(void)
{
    if (sim.current == SIM_HOST)
        return;
    sim_step();
    if (sim.config.schedule == SIM_PCT)
        sim_switch(sim_pick(SIM_HOST));
    else if (sim_below(sim.config.switch_one_in) == 0)
        sim_switch(sim_pick(SIM_HOST));
}

void machine_relax(void)
{
    if (sim.current == SIM_HOST) {
        if (++sim.host_turns == HOST_PATIENCE)
            machine_panic("waits outside of a run for what no CPU will do", __FILE__, __LINE__);
        return;
    }
    sim_step();
    sim.cpus[sim.current].priority = --sim.priority_lowest;
    uint32_t next = sim_pick(sim.current);
    if (next != SIM_HOST) {
        sim_switch(next);
        return;
    }
    uint64_t hurry = sim.lone_turns++ < LONE_PATIENCE ? 8 : sim.lone_turns - LONE_PATIENCE + 8;
    sim_advance(sim_below(UINT64_C(1) << (hurry < LONE_BITS_MAX ? hurry : LONE_BITS_MAX)));
}

void machine_park(uint32_t cpu, uint64_t until_ns)
{
    ASSERT(sim.current == cpu);
    sim_holds_nothing("invariant lock-order: a lock is held in sleep");
    race_point();
    struct sim_cpu *self = &sim.cpus[cpu];
    bool spurious = sim_below(SPURIOUS_ONE_IN) == 0;
    if (self->notified || spurious || until_ns <= sim.now_ns) {
        self->notified = false;
        return;
    }
    sim_trace(SIM_EVENT_PARK, cpu, until_ns);
    self->until_ns = until_ns;
    self->state = SIM_PARKED;
    if (until_ns < sim.next_deadline_ns)
        sim.next_deadline_ns = until_ns;
    sim_switch(sim_wait());
    ASSERT(self->state == SIM_RUNNABLE);
}

void machine_unpark(uint32_t cpu)
{
    ASSERT(cpu < sim.config.cpus);
    race_point();
    if (sim.current != SIM_HOST)
        sim_drain(sim.current);
    sim_trace(SIM_EVENT_UNPARK, cpu, 0);
    struct sim_cpu *target = &sim.cpus[cpu];
    if (target->state == SIM_PARKED)
        target->state = SIM_RUNNABLE;
    else
        target->notified = true;
}

/* Suspended fibers carry this mark in machine_private[1]. */
static char suspended_mark;

void machine_fiber_init(struct machine_fiber *fiber, void *stack, size_t stack_bytes,
                        void (*entry)(void *arg), void *arg)
{
    fiber_init(fiber, stack, stack_bytes, entry, arg);
    fiber->machine_private[1] = &suspended_mark;
}

void machine_fiber_switch(struct machine_fiber *from, struct machine_fiber *to)
{
    sim_holds_nothing("invariant lock-order: a lock is held across a switch of fiber");
    race_point();
    if (to->machine_private[1] != &suspended_mark)
        machine_panic("switched to a fiber that is not suspended", __FILE__, __LINE__);
    to->machine_private[1] = NULL;
    from->machine_private[1] = &suspended_mark;
    fiber_switch(from, to);
}

static void sim_cpu_entry(void *arg)
{
    uint32_t cpu = (uint32_t)((struct sim_cpu *)arg - sim.cpus);
    sim.entry(sim.entry_arg, cpu);
    ASSERT(sim.current == cpu);
    sim_trace(SIM_EVENT_RETURN, cpu, 0);
    sim.cpus[cpu].state = SIM_RETURNED;
    sim_switch(sim_wait());
    UNREACHABLE("a virtual CPU that had returned went on");
}

/* Random priorities, all different, and the steps at which the running CPU's drops below all. */
static void sim_plan_pct(void)
{
    uint32_t order[TN_THREADS_MAX] = {0};
    for (uint32_t i = 0; i < sim.config.cpus; i++) {
        uint32_t at = (uint32_t)sim_below(i + 1);
        order[i] = order[at];
        order[at] = i;
    }
    for (uint32_t i = 0; i < sim.config.cpus; i++)
        sim.cpus[i].priority = (int64_t)order[i] + 1;
    sim.priority_lowest = -SIM_PCT_DEPTH_MAX;
    for (uint32_t i = 0; i < SIM_PCT_DEPTH_MAX; i++)
        sim.change_steps[i] =
            sim.stats.steps + (sim.config.pct_steps > 0 ? 1 + sim_below(sim.config.pct_steps)
                                                        : sim_any_scale(CHANGE_BITS_MAX));
}

/* On the host's stack: what is due since a CPU was left. */
static void sim_check(bool end)
{
    if (sim.config.check != NULL && (sim.due_switch || end))
        sim.config.check(sim.config.check_arg);
    if (sim.due_step || end) {
        sim.stats.checks++;
        for (uint32_t i = 0; i < sim.nchecks; i++)
            sim.checks[i].call(sim.checks[i].arg);
    }
    if (sim.due_rest) {
        sim.stats.rests++;
        for (uint32_t i = 0; i < sim.nrests; i++)
            sim.rests[i].call(sim.rests[i].arg);
    }
    sim.due_switch = sim.due_step = sim.due_rest = false;
}

void sim_on_step(void (*check)(void *arg), void *arg)
{
    ASSERT(sim.current == SIM_HOST && sim.nchecks < SIM_CHECKS_MAX);
    sim.checks[sim.nchecks++] = (struct sim_check){check, arg};
}

void sim_on_rest(void (*check)(void *arg), void *arg)
{
    ASSERT(sim.current == SIM_HOST && sim.nrests < SIM_CHECKS_MAX);
    sim.rests[sim.nrests++] = (struct sim_check){check, arg};
}

void machine_run(void (*entry)(void *arg, uint32_t cpu), void *arg)
{
    ASSERT(sim.config.cpus > 0 && sim.current == SIM_HOST);
    sim.host_turns = 0;
    void *stacks[TN_THREADS_MAX] = {NULL};
    sim.entry = entry;
    sim.entry_arg = arg;
    sim.next_deadline_ns = UINT64_MAX;
    for (uint32_t i = 0; i < sim.config.cpus; i++) {
        struct sim_cpu *cpu = &sim.cpus[i];
        stacks[i] = machine_stack_get(BOOT_STACK_BYTES);
        if (stacks[i] == NULL)
            machine_panic("no boot stack for a virtual CPU", __FILE__, __LINE__);
        fiber_init(&cpu->context, stacks[i], BOOT_STACK_BYTES, sim_cpu_entry, cpu);
        cpu->state = SIM_RUNNABLE;
        cpu->held.count = 0; /* of one that an earlier run abandoned */
    }
    stack_t fault_stack_before = fault_stack_use(sim.fault_stack);
    sim_trace(SIM_EVENT_BEGIN, sim.config.cpus, sim.config.seed);
    sim_plan_pct();
    sim.next = sim_pick(SIM_HOST);
    while (sim.next != SIM_HOST) {
        sim.current = sim.next;
        fiber_switch(&sim.host, &sim.cpus[sim.current].context);
        ASSERT(sim.current == SIM_HOST);
        if (sim.next == SIM_HOST)
            sim_drain_all(); /* abandoned CPUs' too: the caller looks at memory */
        sim_check(sim.next == SIM_HOST);
    }
    fault_stack_restore(&fault_stack_before);
    sim_trace(SIM_EVENT_END, 0, 0);
    for (uint32_t i = 0; i < sim.config.cpus; i++)
        machine_stack_put(stacks[i], BOOT_STACK_BYTES);
}

static bool config_ok(const struct sim_machine *config)
{
    return config->cpus >= 1 && config->cpus <= TN_THREADS_MAX && config->nodes <= config->cpus &&
           config->pct_depth <= SIM_PCT_DEPTH_MAX &&
           (config->schedule == SIM_RANDOM || config->schedule == SIM_PCT);
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

/* Streams that start at unrelated places, and what the seed decides once for the whole run. */
static void sim_sow(uint64_t seed)
{
    uint64_t state = seed;
    sim.schedule_state = sim_random(&state);
    sim.choose_state = sim_random(&state);
    sim.entropy_state = sim_random(&state);
    sim.check_state = sim_random(&state);
    sim.fault_state = sim_random(&state);
    sim.drain_one_in =
        or_default(sim.config.drain_one_in, UINT32_C(1) << sim_below(DRAIN_BITS_MAX + 1));
    uint64_t check_bits =
        CHECK_BITS_MIN + sim_random(&sim.check_state) % (CHECK_BITS_MAX - CHECK_BITS_MIN + 1);
    sim.check_one_in = or_default(sim.config.check_one_in, UINT32_C(1) << check_bits);
    sim.until_check = sim.check_one_in;
}

int sim_machine_init(const struct sim_machine *config)
{
    if (!config_ok(config))
        return -EINVAL;
    sim_machine_destroy();
    int err = hosted_memory_init(config->memory_bytes);
    if (err == 0)
        err = sim_trace_open(config->trace_path);
    if (err == 0)
        err = fault_init(sim_say_where);
    void *fault_stack = err == 0 ? fault_stack_get() : NULL;
    if (fault_stack == NULL) {
        sim_machine_destroy();
        return err < 0 ? err : -ENOMEM;
    }
    memset(&sim, 0, sizeof(sim));
    sim.fault_stack = fault_stack;
    sim.config = *config;
    sim.config.nodes = or_default(config->nodes, 1);
    sim.config.switch_one_in = or_default(config->switch_one_in, SWITCH_ONE_IN);
    sim.config.pct_depth = or_default(config->pct_depth, PCT_DEPTH);
    if (sim.config.steps_max == 0)
        sim.config.steps_max = STEPS_MAX;
    sim.current = SIM_HOST;
    sim.next_deadline_ns = UINT64_MAX;
    sim.stats.trace_hash = 0xcbf29ce484222325;
    sim_sow(config->seed);
    return 0;
}

void sim_machine_destroy(void)
{
    fault_destroy();
    fault_stack_put(sim.fault_stack);
    sim.fault_stack = NULL;
    stack_destroy();
    hosted_memory_destroy();
    sim_trace_close();
    sim.config.cpus = 0;
    sim.current = SIM_HOST;
}
