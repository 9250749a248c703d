/* kernel.c: the kernel as a whole: boot, run, stop; and the death of actors. */
#include "kernel/sched/sched_int.h"

#include "base/assert.h"
#include "base/bits.h"
#include "base/bytes.h"

enum {
    SPIN_DEFAULT = 200,
    FIBERS_AT_BOOT = 2, /* stacks of a CPU: its loop's, and one to leave it for */
    FIBERS_AT_HAND = 3, /* one more, so that the first turn that waits need not have one made */
    CLEAR_STEPS = 8,    /* of 64 slots each of a dying actor's space, before others run */
};

static void team_init(struct team *team, uint32_t *first, uint32_t n)
{
    team->first = *first;
    team->n = n;
    at_init(&team->awake, n);
    at_init(&team->sentinel, SENTINEL_NOBODY);
    *first += n;
}

/* Deals the machine's CPUs to teams; TN_EINVAL when that cannot be. */
static tn_err make_teams(struct kernel *kernel, uint32_t ncpus)
{
    const struct kernel_config *config = &kernel->config;
    if (config->compute > TN_COMPUTE_MAX || config->blocking > TN_BLOCKING_MAX ||
        config->compute + config->blocking >= ncpus) /* small numbers by now */
        return TN_EINVAL;
    uint32_t workers = ncpus - config->compute - config->blocking, first = 0;
    if (workers > TN_CPUS_MAX)
        return TN_EINVAL;
    team_init(&kernel->workers, &first, workers);
    team_init(&kernel->compute, &first, config->compute);
    for (uint32_t i = 0; i < config->blocking; i++)
        team_init(&kernel->blocking[i], &first, 1);
    ASSERT(first == ncpus);
    kernel->ncpus = ncpus;
    return TN_OK;
}

static struct team *team_of(struct kernel *kernel, uint32_t cpu)
{
    struct team *team = &kernel->workers;
    if (cpu >= kernel->workers.n)
        team = &kernel->compute;
    if (cpu >= kernel->workers.n + kernel->compute.n)
        team = &kernel->blocking[cpu - kernel->workers.n - kernel->compute.n];
    ASSERT(cpu >= team->first && cpu < team->first + team->n);
    return team;
}

static tn_err boot_cpus(struct kernel *kernel)
{
    tn_time now = machine_now_ns();
    for (uint32_t i = 0; i < kernel->ncpus; i++) {
        struct cpu *cpu = mem_alloc(kernel->root, align_up(sizeof(*cpu), 64));
        if (cpu == NULL)
            return TN_ENOMEM;
        cpu->id = i;
        cpu->kernel = kernel;
        cpu->team = team_of(kernel, i);
        cpu->now = now;
        at_init(&cpu->inside, 0);
        at_init(&cpu->wanted, 0);
        at_init(&cpu->asked, NULL);
        at_init(&cpu->asleep, 0);
        at_init(&cpu->waits, 0);
        at_init(&cpu->next, NULL);
        at_init(&cpu->nqueued, 0);
        at_init(&cpu->batches, 0);
        lock_init(&cpu->seize, LOCK_SEIZE);
        for (uint32_t p = 0; p < TN_PRIORITIES; p++)
            list_init(&cpu->queue[p]);
        wheel_init(&cpu->wheel, now);
        kernel->cpu[i] = cpu;
        /* Set aside now: a CPU that starts late must not find that others use all. */
        if (!fiber_ensure(cpu, FIBERS_AT_BOOT))
            return TN_ENOMEM;
    }
    /* Where all together may have so many. */
    for (uint32_t i = 0; i < kernel->ncpus && kernel->fiber_cache >= FIBERS_AT_HAND; i++)
        (void)fiber_ensure(kernel->cpu[i], FIBERS_AT_HAND);
    return TN_OK;
}

static void stacks_give_back(struct kernel *kernel)
{
    struct fiber *fiber = kernel->fibers;
    while (fiber != NULL) {
        struct fiber *next = fiber->made_link;
        machine_stack_put(fiber, FIBER_STACK_BYTES);
        fiber = next;
    }
}

/* The untyped needs a limbo before the kernel has memory: the first page of the region holds it. */
tn_err kernel_boot(const struct kernel_config *config, struct kernel **ret_kernel)
{
    struct machine_region region;
    uint32_t i = 0;
    do {
        if (!machine_region(i++, &region))
            return TN_ENOMEM;
    } while (region.kind != MACHINE_AVAILABLE);
    uint64_t head = align_up(sizeof(struct kernel), MEM_RELEASE);
    if (region.size_bytes < head + MEM_RELEASE)
        return TN_ENOMEM;
    struct kernel *kernel = region.base;
    memset(kernel, 0, sizeof(*kernel));
    kernel->config = *config;
    if (kernel->config.fibers_max == 0)
        kernel->config.fibers_max = TN_FIBERS_DEFAULT;
    if (kernel->config.spin == 0)
        kernel->config.spin = SPIN_DEFAULT;
    if (kernel->config.policy == NULL)
        kernel->config.policy = &policy_adaptive;
    tn_err err = make_teams(kernel, machine_cpu_count());
    if (err != TN_OK)
        return err;
    kernel->fiber_cache = fiber_cache(kernel);
    limbo_init(&kernel->limbo, kernel->ncpus);
    cap_root_init(&kernel->caps);
    lock_init(&kernel->fiber_lock, LOCK_SCHED);
    at_init(&kernel->stopping, 0);
    at_init(&kernel->alive, 0);
    at_init(&kernel->draining, 0);
    err = untyped_boot((char *)region.base + head, region.size_bytes - head, &kernel->limbo,
                       &kernel->root);
    if (err == TN_OK)
        err = boot_cpus(kernel);
    if (err != TN_OK) {
        stacks_give_back(kernel);
        return err;
    }
    *ret_kernel = kernel;
    return TN_OK;
}

static void cpu_main(void *arg, uint32_t id)
{
    struct kernel *kernel = arg;
    struct cpu *cpu = kernel->cpu[id];
    limbo_busy(&kernel->limbo, id);
    struct fiber *first = fiber_get(cpu);
    fiber_switch_to(cpu, &cpu->boot, first);
    sched_landed(cpu);
    limbo_idle(&kernel->limbo, id);
}

/* SEQ_CST on both words: of drain and the last death, whichever comes second sees the other. */
static void kernel_stop_if_empty(struct kernel *kernel)
{
    if (at_load(&kernel->draining, SEQ_CST) != 0 && at_load(&kernel->alive, SEQ_CST) == 0)
        kernel_stop(kernel);
}

void kernel_drain(struct kernel *kernel)
{
    at_store(&kernel->draining, 1, SEQ_CST);
    kernel_stop_if_empty(kernel);
}

void kernel_begin(struct kernel *kernel, struct actor *first)
{
    struct embedded *begin = &kernel->begin;
    begin->object = actor_object(first);
    begin->cell.flags = CELL_EMBEDDED;
    begin->cell.cls = MSG_MODULE_LOAD;
    begin->cell.method = LIFE_START;
    begin->cell.cause = sched_cause(at_load(&first->home, RELAXED));
    bool claimed = embedded_claim(begin);
    ASSERT(claimed);
    sched_post(NULL, first, &begin->cell);
}

/* No CPU runs and all actors are dead: empties the mailboxes of those that were queued for that
 * when the CPUs left, so that nothing is kept by them. */
static void settle(struct kernel *kernel)
{
    for (uint32_t i = 0; i < kernel->ncpus; i++) {
        struct cpu *cpu = kernel->cpu[i];
        cpu_enter(cpu);
        queue_take_asked(cpu, true);
        for (struct actor *actor = queue_pop(cpu); actor != NULL; actor = queue_pop(cpu)) {
            actor->run = ACTOR_RUNNING;
            cpu_leave(cpu);
            sched_run_dead(cpu, actor);
            cpu_enter(cpu);
        }
        cells_back_flush(&cpu->back);
        cpu_leave(cpu);
    }
}

void kernel_run(struct kernel *kernel)
{
    kernel_stop_if_empty(kernel);
    machine_run(cpu_main, kernel);
    at_store(&kernel->stopping, 0, RELAXED); /* here, so that a stop before the run is not lost */
    if (at_load(&kernel->alive, RELAXED) == 0)
        settle(kernel);
}

void kernel_stop(struct kernel *kernel)
{
    at_store(&kernel->stopping, 1, SEQ_CST);
    for (uint32_t i = 0; i < kernel->ncpus; i++)
        machine_unpark(i);
}

void kernel_destroy(struct kernel *kernel)
{
    limbo_drain(&kernel->limbo);
    stacks_give_back(kernel);
}

void actor_kill(struct cpu *cpu, struct actor *actor)
{
    (void)cpu;
    uint32_t life = at_load(&actor->life, SEQ_CST);
    do {
        if (life == ACTOR_DYING || life == ACTOR_DEAD)
            return;
    } while (!at_cas(&actor->life, &life, ACTOR_DYING, SEQ_CST, SEQ_CST));
    sched_ask(actor, ASK_LOOK);
}

void actor_set_room(struct actor *actor)
{
    bool swaps = actor->swap != NULL;
    actor->room = actor->paused || swaps ? 0 : actor->concurrency;
    actor->held = actor->paused && !swap_has_turn(actor);
}

static void set_paused(struct cpu *cpu, struct actor *actor, bool paused)
{
    struct cpu *home = actor_lock(cpu, actor);
    /* Its home looks at it when it has its lock back, and finds what it may do now. */
    if (home != cpu)
        sched_ask(actor, ASK_LOOK);
    actor->paused = paused;
    actor_set_room(actor);
    if (home == cpu)
        sched_ready(cpu, actor);
    actor_unlock(cpu, home);
}

void actor_pause(struct cpu *cpu, struct actor *actor)
{
    set_paused(cpu, actor, true);
}

void actor_resume(struct cpu *cpu, struct actor *actor)
{
    set_paused(cpu, actor, false);
}

/* Ends the wait of a turn whose actor dies; false when there is none, or somebody else is
 * completing it. */
static bool wait_cancel(struct wait *wait)
{
    if (wait == NULL)
        return false;
    uint64_t generation = wait_generation(wait);
    if (!wait_claim(wait, generation, WAIT_FILLING))
        return false;
    wait->result = TN_ECANCELLED;
    wait_filled(wait, generation);
    return true;
}

static void turn_cancel(struct cpu *cpu, struct turn *turn)
{
    if (turn->refuses == TURN_CANCELLED)
        return;
    turn->refuses = TURN_CANCELLED;
    turn->info.flags |= TN_TURN_CANCELLED;
    if (wait_cancel(turn->wait))
        turn_wake_inside(cpu, turn);
}

void turns_cancel(struct cpu *cpu, struct actor *actor)
{
    for (struct turn *turn = actor->ready; turn != NULL; turn = turn->link)
        turn_cancel(cpu, turn);
    for (struct turn *turn = actor->waiting; turn != NULL;) {
        struct turn *next = turn->waits_link; /* it goes to the ready ones when it is woken */
        turn_cancel(cpu, turn);
        turn = next;
    }
}

/* Takes the turn of a data domain out of the actor's lists; NULL: it is woken in a moment, and we
 * run again. Inside. */
static struct turn *take_turn(struct actor *actor)
{
    struct turn *turn = actor->ready;
    if (turn != NULL) {
        actor->ready = turn->link;
        return turn;
    }
    turn = actor->waiting;
    ASSERT(turn != NULL && actor->turns == 1);
    if (!wait_cancel(turn->wait))
        return NULL;
    actor->waiting = turn->waits_link;
    return turn;
}

/* The turns that wait, or are woken, while their actor dies; true when none is left. Though we run
 * the actor, a thief that has our CPU's lock may find a turn of it woken: the lists are looked at
 * inside. */
static bool reap_turns(struct cpu *cpu, struct actor *actor)
{
    if (actor->turns == 0)
        return true;
    cpu_enter(cpu);
    if (actor->instance->domain->on_fiber) {
        turns_cancel(cpu, actor);
        cpu_leave(cpu);
        return false;
    }
    struct turn *turn = take_turn(actor);
    cpu_leave(cpu);
    if (turn == NULL)
        return false;
    if (turn->wait != NULL)
        wait_release(cpu, turn->wait);
    actor->instance->domain->abandon(cpu, turn);
    (void)turn_answer(cpu, turn, TN_EGONE, NULL);
    cpu_enter(cpu);
    turn_finish(cpu, turn);
    cpu_leave(cpu);
    return true;
}

/* Nobody runs the dead actor from here on; what comes too late is seen here or queues it. */
static void actor_gone(struct cpu *cpu, struct actor *actor)
{
    cpu_enter(cpu);
    mbox_settle(&actor->mbox);
    actor->run = ACTOR_GONE;
    credits_grant(cpu, actor);
    sched_ready(cpu, actor);
    sched_let_go(actor);
    cpu_leave(cpu);
}

void sched_run_dead(struct cpu *cpu, struct actor *actor)
{
    ASSERT(actor_life(actor) == ACTOR_DEAD && actor->turns == 0 && actor->instance == NULL);
    (void)mailbox_drain(cpu, actor); /* what is left queues it again */
    actor_gone(cpu, actor);
}

bool actor_reap(struct cpu *cpu, struct actor *actor)
{
    outbox_let_go(cpu); /* what its last turn sent */
    if (!reap_turns(cpu, actor))
        return false;
    if (!mailbox_drain(cpu, actor))
        return false;
    swap_abandon(cpu, actor);
    if (actor->instance != NULL) {
        actor->instance->domain->destroy(actor->instance);
        actor_set_instance(actor, NULL);
    }
    for (uint32_t i = 0; space_clear_step(actor->space, actor->cleared); i++) {
        actor->cleared++;
        if (i == CLEAR_STEPS)
            return false;
    }
    cpu_enter(cpu);
    cell_pool_close(actor->pool);
    cpu_leave(cpu);
    actor->pool = NULL;
    at_store(&actor->life, ACTOR_DEAD, SEQ_CST);
    actor_gone(cpu, actor);
    object_unref(actor_object(actor));
    (void)at_sub(&cpu->kernel->alive, 1, SEQ_CST);
    kernel_stop_if_empty(cpu->kernel);
    return true;
}
