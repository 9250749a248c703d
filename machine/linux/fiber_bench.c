/* fiber_bench.c: what a switch of fiber costs, beside swapcontext. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#include "kernel/machine.h"
#include "machine/linux/linux.h"

enum { STACK_BYTES = 64 * 1024, ROUNDS = 10 };
static const uint64_t switch_pairs = 2000000, context_pairs = 200000;

static struct machine_fiber boot, fiber;
static ucontext_t boot_context, other_context;

static void fiber_entry(void *arg)
{
    (void)arg;
    for (;;)
        machine_fiber_switch(&fiber, &boot);
}

static void context_entry(void)
{
    for (;;)
        if (swapcontext(&other_context, &boot_context) != 0)
            abort();
}

/* Nanoseconds of one switch: the best of some rounds. */
static double best_ns(void (*pair)(void), uint64_t pairs)
{
    double best = 1e9;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint64_t begin_ns = machine_now_ns();
        for (uint64_t i = 0; i < pairs; i++)
            pair();
        double ns = (double)(machine_now_ns() - begin_ns) / (double)(2 * pairs);
        best = ns < best ? ns : best;
    }
    return best;
}

static void fiber_pair(void)
{
    machine_fiber_switch(&boot, &fiber);
}

static void context_pair(void)
{
    if (swapcontext(&boot_context, &other_context) != 0)
        abort();
}

static void bench(void *arg, uint32_t cpu)
{
    (void)arg;
    (void)cpu;
    machine_fiber_init(&fiber, machine_stack_get(STACK_BYTES), STACK_BYTES, fiber_entry, NULL);
    if (getcontext(&other_context) != 0)
        abort();
    other_context.uc_stack.ss_sp = machine_stack_get(STACK_BYTES);
    other_context.uc_stack.ss_size = STACK_BYTES;
    makecontext(&other_context, context_entry, 0);
    (void)printf("machine_fiber_switch %8.2f ns\n", best_ns(fiber_pair, switch_pairs));
    (void)printf("swapcontext          %8.2f ns\n", best_ns(context_pair, context_pairs));
}

int main(void)
{
    struct linux_machine config = {.cpus = 1, .memory_bytes = 2 * 1024 * 1024};
    if (linux_machine_init(&config) != 0)
        return 1;
    machine_run(bench, NULL);
    linux_machine_destroy();
    return 0;
}
