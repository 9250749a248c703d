/* order_test.c: locks that are taken in the wrong order, or twice, are caught on the simulated
 * machine, whether they would have hung this time or not: spin locks (mem/lock.h) and the biased
 * ones of CPUs (cpu.h). */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bits.h"
#include "kernel/sched/cpu.h"
#include "machine/sim/sim.h"

enum { MEMORY_BYTES = 8 << 20, CPUS = 2, TEXT_BYTES = 8192 };

static struct kernel *kernel;
static struct spinlock note, other_note, caps, memory;

/* On a CPU of its own, which is `cpu`. */
typedef void on_cpu(struct cpu *cpu);

static void entry(void *arg, uint32_t cpu)
{
    on_cpu *const *step = arg;
    if (cpu == 0)
        (*step)(kernel->cpu[0]);
}

static void run(on_cpu *step)
{
    const struct sim_machine sim = {.seed = 5, .cpus = CPUS, .memory_bytes = MEMORY_BYTES};
    assert_int_equal(sim_machine_init(&sim), 0);
    assert_int_equal(kernel_boot(&(struct kernel_config){.spin = 4}, &kernel), TN_OK);
    lock_init(&note, LOCK_NOTE);
    lock_init(&other_note, LOCK_NOTE);
    lock_init(&caps, LOCK_CAPS);
    lock_init(&memory, LOCK_MEM);
    machine_run(entry, &step);
    kernel_destroy(kernel);
    sim_machine_destroy();
}

/* In a process of its own: what it says before it is stopped. */
static void assert_caught(on_cpu *step, const char *says)
{
    int ends[2], status = 0;
    char text[TEXT_BYTES];
    size_t len = 0;
    ssize_t n;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)close(ends[0]);
        (void)signal(SIGABRT, SIG_DFL);
        run(step);
        _exit(0);
    }
    (void)close(ends[1]);
    while ((n = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    (void)close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    if (strstr(text, says) == NULL)
        fail_msg("it says: %s", text);
}

static void in_order(struct cpu *cpu)
{
    for (uint32_t i = 0; i < 2; i++) {
        lock_take(&note);
        cpu_enter(cpu);
        lock_take(&caps);
        lock_take(&memory);
        lock_drop(&caps); /* in any order */
        lock_drop(&memory);
        cpu_leave(cpu);
        cpu_seize(kernel->cpu[1]);
        lock_take(&memory);
        lock_drop(&memory);
        cpu_release(kernel->cpu[1]);
        lock_drop(&note);
    }
}

static void test_the_right_order_passes(void **state)
{
    (void)state;
    run(in_order);
}

static void memory_then_caps(struct cpu *cpu)
{
    (void)cpu;
    lock_take(&memory);
    lock_take(&caps);
}

static void two_of_a_rank(struct cpu *cpu)
{
    (void)cpu;
    lock_take(&note);
    lock_take(&other_note);
}

static void inside_then_note(struct cpu *cpu)
{
    cpu_enter(cpu);
    lock_take(&note);
}

static void caps_then_inside(struct cpu *cpu)
{
    lock_take(&caps);
    cpu_enter(cpu);
}

static void inside_then_seize(struct cpu *cpu)
{
    cpu_enter(cpu);
    cpu_seize(kernel->cpu[1]);
}

static void seize_then_enter(struct cpu *cpu)
{
    cpu_seize(kernel->cpu[1]);
    cpu_enter(cpu);
}

static void test_the_wrong_order_is_caught(void **state)
{
    (void)state;
    assert_caught(memory_then_caps, "invariant lock-order: rank 4 is taken while 8 is held");
    assert_caught(two_of_a_rank, "invariant lock-order: rank 1 is taken while 1 is held");
    assert_caught(inside_then_note, "invariant lock-order: rank 1 is taken while 3 is held");
    assert_caught(caps_then_inside, "invariant lock-order: rank 3 is taken while 4 is held");
    assert_caught(inside_then_seize, "invariant lock-order: rank 2 is taken while 3 is held");
    assert_caught(seize_then_enter, "invariant lock-order: rank 3 is taken while 3 is held");
}

static void asleep_with_a_lock(struct cpu *cpu)
{
    lock_take(&memory);
    machine_park(cpu->id, machine_now_ns() + 1000);
}

static void switched_with_a_lock(struct cpu *cpu)
{
    struct fiber *fiber = fiber_get(cpu);
    cpu_enter(cpu);
    machine_fiber_switch(&cpu->boot, &fiber->machine);
}

static void test_no_lock_outlives_a_switch(void **state)
{
    (void)state;
    assert_caught(asleep_with_a_lock, "invariant lock-order: a lock is held in sleep");
    assert_caught(switched_with_a_lock,
                  "invariant lock-order: a lock is held across a switch of fiber");
}

/* Two parties in the same lock, as when one of them has not looked. */
static void twice(struct cpu *cpu)
{
    cpu_enter(cpu);
    race_lock_has(kernel->cpu[1], LOCK_CPU);
    race_lock_has(kernel->cpu[1], LOCK_CPU);
}

static void test_one_holds_a_lock(void **state)
{
    (void)state;
    assert_caught(twice, "invariant one-holder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_right_order_passes),
        cmocka_unit_test(test_the_wrong_order_is_caught),
        cmocka_unit_test(test_no_lock_outlives_a_switch),
        cmocka_unit_test(test_one_holds_a_lock),
    };
    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
