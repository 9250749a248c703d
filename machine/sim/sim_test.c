/* sim_test.c: the simulator repeats by seed, finds planted bugs, and tells deadlock from hanging.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <tenon/limits.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "kernel/machine.h"
#include "machine/sim/sim.h"

enum { MEMORY_BYTES = 2 * 1024 * 1024 };
#define SECOND_NS UINT64_C(1000000000)

static struct sim_machine config_of(uint64_t seed, uint32_t cpus)
{
    return (struct sim_machine){.seed = seed, .cpus = cpus, .memory_bytes = MEMORY_BYTES};
}

static struct sim_stats run(struct sim_machine config, void (*entry)(void *, uint32_t), void *arg)
{
    assert_int_equal(sim_machine_init(&config), 0);
    machine_run(entry, arg);
    struct sim_stats stats = sim_machine_stats();
    sim_machine_destroy();
    return stats;
}

/* Two CPUs that add, talk and wait: every kind of decision is taken. */
struct mixed {
    atomic_u64 sum, rounds;
};

static void mixed_entry(void *arg, uint32_t cpu)
{
    struct mixed *m = arg;
    for (uint32_t i = 0; i < 50; i++) {
        at_add(&m->sum, i, RELAXED);
        machine_unpark(cpu ^ 1u);
        machine_park(cpu, machine_now_ns() + 500);
        machine_relax();
    }
    at_add(&m->rounds, 1, RELAXED);
}

static void test_same_seed_same_run(void **state)
{
    (void)state;
    uint64_t hashes[200];
    for (uint32_t i = 0; i < ARRAY_LEN(hashes); i++) {
        struct sim_machine config = config_of(i / 2, 2);
        config.schedule = i % 2 == 0 ? SIM_RANDOM : SIM_PCT;
        struct mixed first = {0}, second = {0};
        struct sim_stats a = run(config, mixed_entry, &first);
        struct sim_stats b = run(config, mixed_entry, &second);
        assert_int_equal(a.trace_hash, b.trace_hash);
        assert_int_equal(a.steps, b.steps);
        assert_int_equal(a.switches, b.switches);
        assert_false(a.deadlock || a.hung);
        assert_int_equal(first.rounds, 2);
        assert_int_equal(first.sum, 2 * 1225);
        assert_true(a.switches > 0);
        hashes[i] = a.trace_hash;
    }
    for (uint32_t i = 0; i < ARRAY_LEN(hashes); i++)
        for (uint32_t j = 0; j < i; j++)
            assert_true(hashes[i] != hashes[j]);
}

/* The whole trace, terminated. */
static char *trace_of(struct sim_machine config, char *path, uint64_t *ret_hash)
{
    struct mixed m = {0};
    config.trace_path = path;
    assert_int_equal(truncate(path, 0), 0);
    *ret_hash = run(config, mixed_entry, &m).trace_hash;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 1000);
    assert_true(feof(file));
    (void)fclose(file);
    return text;
}

static void test_same_seed_same_text(void **state)
{
    (void)state;
    char path[] = "/tmp/tenon-trace-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct sim_machine config = config_of(seed, 2);
        struct mixed untold = {0};
        uint64_t hash[3];
        config.faults[SIM_FAULT_CLOCK] = 10;
        char *first = trace_of(config, path, &hash[0]), *second = trace_of(config, path, &hash[1]);
        hash[2] = run(config, mixed_entry, &untold).trace_hash;
        assert_string_equal(first, second);
        assert_true(hash[0] == hash[1] && hash[1] == hash[2]);
        assert_non_null(strstr(first, " park "));
        assert_non_null(strstr(first, " switch "));
        assert_non_null(strstr(first, " fault "));
        free(first);
        free(second);
    }
    assert_int_equal(unlink(path), 0);
    struct sim_machine config = config_of(1, 1);
    config.trace_path = "/nowhere/trace";
    assert_int_equal(sim_machine_init(&config), -ENOENT);
}

static void test_limits(void **state)
{
    (void)state;
    struct sim_machine config = config_of(1, 0);
    assert_true(sim_machine_init(&config) < 0);
    config.cpus = TN_THREADS_MAX + 1;
    assert_true(sim_machine_init(&config) < 0);
    config = config_of(1, 1);
    config.memory_bytes = MEMORY_BYTES + 4096;
    assert_true(sim_machine_init(&config) < 0);
    config = config_of(1, 1);
    config.pct_depth = 5;
    assert_true(sim_machine_init(&config) < 0);
    config.pct_depth = 4;
    assert_int_equal(sim_machine_init(&config), 0);
    sim_machine_destroy();
    sim_machine_destroy();
    struct mixed m = {0};
    struct sim_stats stats = run(config_of(1, TN_THREADS_MAX), mixed_entry, &m);
    assert_false(stats.deadlock || stats.hung);
    assert_int_equal(m.rounds, TN_THREADS_MAX);
}

static void test_no_run_no_race(void **state)
{
    (void)state;
    race_point();
    struct sim_machine config = config_of(1, 2);
    assert_int_equal(sim_machine_init(&config), 0);
    race_point();
    machine_relax();
    assert_int_equal(machine_now_ns(), 0);
    assert_int_equal(sim_machine_stats().steps, 0);
    sim_machine_destroy();
}

/* A counter that is read, given away and written back, and one that is added to. */
struct counter {
    uint64_t racy;
    atomic_u64 sound;
};

static void counter_entry(void *arg, uint32_t cpu)
{
    (void)cpu;
    struct counter *c = arg;
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t seen = c->racy;
        race_point();
        c->racy = seen + 1;
        at_add(&c->sound, 1, RELAXED);
    }
}

static void test_race_found(void **state)
{
    (void)state;
    for (enum sim_schedule schedule = SIM_RANDOM; schedule <= SIM_PCT; schedule++) {
        uint32_t found = 0;
        for (uint64_t seed = 0; seed < 200; seed++) {
            struct sim_machine config = config_of(seed, 2);
            config.schedule = schedule;
            config.pct_depth = 2;
            struct counter c = {0};
            (void)run(config, counter_entry, &c);
            found += c.racy != 6;
            assert_int_equal(c.sound, 6);
        }
        assert_true(found > 0);
    }
}

/* CPU 1 checks a pointer and uses it a step later; CPU 0 clears it in between: depth 2 (the clear
 * after the check, the use after the clear), hidden among 200 steps. */
struct hidden {
    bool present, caught;
};

static void hidden_entry(void *arg, uint32_t cpu)
{
    struct hidden *h = arg;
    for (uint32_t i = 0; i < 50; i++)
        race_point();
    if (cpu == 0) {
        h->present = false;
    } else if (h->present) {
        race_point();
        h->caught |= !h->present;
    }
    for (uint32_t i = 0; i < 50; i++)
        race_point();
}

static uint32_t hidden_count(uint32_t depth)
{
    uint32_t found = 0;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        struct sim_machine config = config_of(seed, 2);
        config.schedule = SIM_PCT;
        config.pct_depth = depth;
        config.pct_steps = 200;
        struct hidden h = {.present = true};
        (void)run(config, hidden_entry, &h);
        found += h.caught;
    }
    return found;
}

static void test_pct_depth(void **state)
{
    (void)state;
    assert_int_equal(hidden_count(1), 0);
    /* The paper's bound is 3000 / (2 * 200) = 7.5 on average. */
    assert_true(hidden_count(2) > 0);
}

static void deadlock_entry(void *arg, uint32_t cpu)
{
    atomic_u32 *parked = arg;
    if (cpu == 2)
        return;
    for (;;) {
        at_add(parked, 1, RELAXED);
        machine_park(cpu, UINT64_MAX);
    }
}

static void test_deadlock(void **state)
{
    (void)state;
    atomic_u32 parked = 0;
    struct sim_stats stats = run(config_of(7, 3), deadlock_entry, &parked);
    assert_true(stats.deadlock);
    assert_false(stats.hung);
    assert_true(parked >= 2);
}

static void hang_entry(void *arg, uint32_t cpu)
{
    (void)arg;
    while (cpu == 0)
        machine_relax();
}

static void test_hung(void **state)
{
    (void)state;
    struct sim_machine config = config_of(7, 2);
    config.steps_max = 5000;
    struct sim_stats stats = run(config, hang_entry, NULL);
    assert_true(stats.hung);
    assert_false(stats.deadlock);
    assert_int_equal(stats.steps, 5000);
}

struct clock_seen {
    uint64_t woke_ns[2];
};

static void clock_entry(void *arg, uint32_t cpu)
{
    struct clock_seen *seen = arg;
    uint64_t until_ns = (cpu + 1) * 3600 * SECOND_NS;
    while (machine_now_ns() < until_ns)
        machine_park(cpu, until_ns);
    seen->woke_ns[cpu] = machine_now_ns();
}

static void test_time_jumps(void **state)
{
    (void)state;
    struct clock_seen seen = {0};
    struct sim_stats stats = run(config_of(3, 2), clock_entry, &seen);
    assert_false(stats.deadlock || stats.hung);
    assert_true(stats.steps < 1000);
    for (uint32_t i = 0; i < 2; i++) {
        uint64_t until_ns = (i + 1) * 3600 * SECOND_NS;
        assert_in_range(seen.woke_ns[i], until_ns, until_ns + SECOND_NS / 1000);
    }
}

static void spin_entry(void *arg, uint32_t cpu)
{
    (void)arg;
    if (cpu == 1) {
        machine_park(cpu, 10 * SECOND_NS);
        return;
    }
    while (machine_now_ns() < 10 * SECOND_NS)
        machine_relax();
}

static void test_lone_spinner_gets_there(void **state)
{
    (void)state;
    struct sim_stats stats = run(config_of(3, 2), spin_entry, NULL);
    assert_false(stats.deadlock || stats.hung);
}

/* A lock-free stack of fibers that any CPU runs a while: fibers migrate, race points fall in the
 * middle of them. */
enum { MIGRANTS = 6, MIGRANT_ROUNDS = 20, MIGRANT_STACK_BYTES = 32 * 1024 };

struct migrant {
    struct machine_fiber fiber;
    struct migration *all;
    atomic_u32 owner; /* 0 ready, 1 running, 2 finished */
    uint32_t rounds, cpu, moves;
};

struct migration {
    struct machine_fiber boot[2];
    struct migrant migrants[MIGRANTS];
    atomic_u32 finished;
};

static void migrant_entry(void *arg)
{
    struct migrant *m = arg;
    uint32_t last = m->cpu;
    for (; m->rounds < MIGRANT_ROUNDS; m->rounds++) {
        race_point();
        m->moves += m->cpu != last;
        last = m->cpu;
        machine_fiber_switch(&m->fiber, &m->all->boot[m->cpu]);
    }
    machine_fiber_switch(&m->fiber, &m->all->boot[m->cpu]);
    abort();
}

static void migration_entry(void *arg, uint32_t cpu)
{
    struct migration *all = arg;
    while (at_load(&all->finished, ACQUIRE) < MIGRANTS) {
        for (uint32_t i = 0; i < MIGRANTS; i++) {
            struct migrant *m = &all->migrants[i];
            uint32_t ready = 0;
            if (!at_cas(&m->owner, &ready, 1, ACQ_REL, RELAXED))
                continue;
            m->cpu = cpu;
            machine_fiber_switch(&all->boot[cpu], &m->fiber);
            bool done = m->rounds == MIGRANT_ROUNDS;
            at_store(&m->owner, done ? 2 : 0, RELEASE);
            if (done)
                at_add(&all->finished, 1, RELEASE);
        }
        machine_relax();
    }
}

static void test_fibers_migrate(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct sim_machine config = config_of(seed, 2);
        config.schedule = seed % 2 == 0 ? SIM_RANDOM : SIM_PCT;
        assert_int_equal(sim_machine_init(&config), 0);
        struct migration all = {0};
        uint32_t moves = 0;
        for (uint32_t i = 0; i < MIGRANTS; i++) {
            struct migrant *m = &all.migrants[i];
            m->all = &all;
            void *stack = machine_stack_get(MIGRANT_STACK_BYTES);
            machine_fiber_init(&m->fiber, stack, MIGRANT_STACK_BYTES, migrant_entry, m);
        }
        machine_run(migration_entry, &all);
        assert_int_equal(all.finished, MIGRANTS);
        for (uint32_t i = 0; i < MIGRANTS; i++)
            moves += all.migrants[i].moves;
        assert_true(config.schedule == SIM_PCT || moves > 0);
        sim_machine_destroy();
    }
}

/* Two CPUs resume one fiber: the second finds it running. */
struct twice {
    struct machine_fiber boot[2], fiber;
};

static void twice_fiber(void *arg)
{
    (void)arg;
    for (;;)
        race_point();
}

static void twice_entry(void *arg, uint32_t cpu)
{
    struct twice *t = arg;
    machine_fiber_switch(&t->boot[cpu], &t->fiber);
}

static void twice_child(void)
{
    struct sim_machine config = config_of(41, 2);
    struct twice t = {0};
    if (sim_machine_init(&config) != 0)
        _exit(1);
    machine_fiber_init(&t.fiber, machine_stack_get(MIGRANT_STACK_BYTES), MIGRANT_STACK_BYTES,
                       twice_fiber, NULL);
    machine_run(twice_entry, &t);
    _exit(0);
}

/* Runs `child` in a fork with its standard error in ret_text; returns the signal that ended it. */
static int run_child(void (*child)(void), char *ret_text, size_t text_bytes)
{
    int ends[2], status = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)dup2(ends[1], STDERR_FILENO);
        (void)signal(SIGSEGV, SIG_DFL); /* the test library has its own */
        child();
        _exit(0);
    }
    (void)close(ends[1]);
    size_t len = 0;
    ssize_t n;
    while ((n = read(ends[0], ret_text + len, text_bytes - 1 - len)) > 0)
        len += (size_t)n;
    ret_text[len] = '\0';
    (void)close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_running_fiber_is_refused(void **state)
{
    (void)state;
    char text[16384];
    assert_int_equal(run_child(twice_child, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "not suspended"));
    assert_non_null(strstr(text, "seed 41 "));
}

static void overflow_entry(void *arg, uint32_t cpu)
{
    (void)cpu;
    struct twice *t = arg;
    machine_fiber_switch(&t->boot[0], &t->fiber);
}

static void overflow_fiber(void *arg)
{
    struct twice *t = arg;
    volatile unsigned char *at = t->fiber.stack;
    at[-1] = 1;
    abort();
}

static void overflow_child(void)
{
    struct sim_machine config = config_of(43, 1);
    struct twice t = {0};
    if (sim_machine_init(&config) != 0)
        _exit(1);
    machine_fiber_init(&t.fiber, machine_stack_get(MIGRANT_STACK_BYTES), MIGRANT_STACK_BYTES,
                       overflow_fiber, &t);
    machine_run(overflow_entry, &t);
}

static void test_overflow_names_the_seed(void **state)
{
    (void)state;
    char text[16384];
    assert_int_equal(run_child(overflow_child, text, sizeof(text)), SIGSEGV);
    assert_non_null(strstr(text, "stack overflow of a native turn"));
    assert_non_null(strstr(text, "seed 43 "));
}

struct checked {
    struct mixed mixed;
    uint64_t checks;
};

static void count_check(void *arg)
{
    struct checked *c = arg;
    c->checks++;
    (void)at_load(&c->mixed.sum, RELAXED); /* no race point on the host's stack */
}

static void test_check_after_every_switch(void **state)
{
    (void)state;
    struct checked c = {0};
    struct sim_machine config = config_of(9, 2);
    struct sim_stats unchecked = run(config, mixed_entry, &c.mixed);
    config.check = count_check;
    config.check_arg = &c;
    struct sim_stats stats = run(config, mixed_entry, &c.mixed);
    assert_int_equal(c.checks, stats.switches + 1); /* and once at the end */
    assert_int_equal(stats.trace_hash, unchecked.trace_hash);
}

static void test_choice_and_entropy(void **state)
{
    (void)state;
    uint8_t bytes[3][64];
    uint64_t choices[3][16];
    for (uint32_t i = 0; i < 3; i++) {
        struct sim_machine config = config_of(i / 2, 1);
        assert_int_equal(sim_machine_init(&config), 0);
        machine_random(bytes[i], sizeof(bytes[i]));
        for (uint32_t k = 0; k < 16; k++) {
            choices[i][k] = sim_choose(1000);
            assert_true(choices[i][k] < 1000);
        }
        assert_int_equal(sim_choose(1), 0);
        assert_int_equal(machine_wall_ns() % SECOND_NS, 0);
        sim_machine_destroy();
    }
    assert_memory_equal(bytes[0], bytes[1], sizeof(bytes[0]));
    assert_memory_equal(choices[0], choices[1], sizeof(choices[0]));
    assert_memory_not_equal(bytes[0], bytes[2], sizeof(bytes[0]));
    assert_memory_not_equal(choices[0], choices[2], sizeof(choices[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_same_run),
        cmocka_unit_test(test_same_seed_same_text),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_no_run_no_race),
        cmocka_unit_test(test_race_found),
        cmocka_unit_test(test_pct_depth),
        cmocka_unit_test(test_deadlock),
        cmocka_unit_test(test_hung),
        cmocka_unit_test(test_time_jumps),
        cmocka_unit_test(test_lone_spinner_gets_there),
        cmocka_unit_test(test_fibers_migrate),
        cmocka_unit_test(test_running_fiber_is_refused),
        cmocka_unit_test(test_overflow_names_the_seed),
        cmocka_unit_test(test_check_after_every_switch),
        cmocka_unit_test(test_choice_and_entropy),
    };
    return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}
