/* fiber_checks.c: see fiber_checks.h. */
#include "machine/common/fiber_checks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/machine.h"
#include "machine/common/fiber_regs.h"

enum { STACK_BYTES = 64 * 1024, SWITCHES = 10000, DEEP = 16, REUSES = 1000 };

struct runner {
    struct machine_fiber fiber, *back;
    void *stack;
    struct runner *inner; /* nesting: the fiber that this one resumes */
    uint64_t count, seen;
    uint64_t registers_lost;
    bool bad;
};

static bool runner_start(struct runner *runner, struct machine_fiber *back, void (*entry)(void *))
{
    *runner = (struct runner){.back = back};
    runner->stack = machine_stack_get(STACK_BYTES);
    if (runner->stack == NULL)
        return false;
    machine_fiber_init(&runner->fiber, runner->stack, STACK_BYTES, entry, runner);
    return true;
}

static void runner_end(struct runner *runner)
{
    machine_stack_put(runner->stack, STACK_BYTES);
}

static void counting_entry(void *arg)
{
    struct runner *self = arg;
    for (;;) {
        self->count++;
        machine_fiber_switch(&self->fiber, self->back);
    }
}

const char *fiber_check_switches(void)
{
    struct machine_fiber boot;
    struct runner a, b;
    if (!runner_start(&a, &boot, counting_entry) || !runner_start(&b, &boot, counting_entry))
        return "no stack";
    const char *wrong = NULL;
    for (uint64_t i = 1; i <= SWITCHES && wrong == NULL; i++) {
        machine_fiber_switch(&boot, &a.fiber);
        if (a.count != i || b.count != i - 1)
            wrong = "the first fiber did not run exactly once";
        machine_fiber_switch(&boot, &b.fiber);
        if (a.count != i || b.count != i)
            wrong = "the second fiber did not run exactly once";
    }
    runner_end(&a);
    runner_end(&b);
    return wrong;
}

static void nesting_entry(void *arg)
{
    struct runner *self = arg;
    for (;;) {
        if (self->inner != NULL) {
            machine_fiber_switch(&self->fiber, &self->inner->fiber);
            self->count += self->inner->count;
        } else {
            self->count++;
        }
        machine_fiber_switch(&self->fiber, self->back);
    }
}

const char *fiber_check_nesting(void)
{
    struct machine_fiber boot;
    struct runner runners[DEEP];
    for (uint32_t i = 0; i < DEEP; i++) {
        struct machine_fiber *back = i == 0 ? &boot : &runners[i - 1].fiber;
        if (!runner_start(&runners[i], back, nesting_entry))
            return "no stack";
        if (i > 0)
            runners[i - 1].inner = &runners[i];
    }
    machine_fiber_switch(&boot, &runners[0].fiber);
    machine_fiber_switch(&boot, &runners[0].fiber);
    /* Each adds what the next has: 1 each after the first round; then 2, 3, 4, ... upwards. */
    const char *wrong = NULL;
    for (uint32_t i = 0; i < DEEP; i++)
        if (runners[i].count != DEEP - i + 1)
            wrong = "a nested fiber lost count";
    for (uint32_t i = 0; i < DEEP; i++)
        runner_end(&runners[i]);
    return wrong;
}

static void alignment_entry(void *arg)
{
    struct runner *self = arg;
    /* The compiler places these by the alignment that the ABI promises at entry. */
    _Alignas(16) volatile unsigned char here[16] = {0};
    uintptr_t at = (uintptr_t)here, frame = (uintptr_t)__builtin_frame_address(0);
    uintptr_t low = (uintptr_t)self->stack, high = low + STACK_BYTES;
    self->bad = at % 16 != 0 || frame % 16 != 0 || frame <= low || frame >= high;
    self->seen = here[0] + (uint64_t)1;
    machine_fiber_switch(&self->fiber, self->back);
}

const char *fiber_check_alignment(void)
{
    struct machine_fiber boot;
    struct runner runner;
    if (!runner_start(&runner, &boot, alignment_entry))
        return "no stack";
    machine_fiber_switch(&boot, &runner.fiber);
    runner_end(&runner);
    if (runner.seen != 1)
        return "the fiber did not run";
    return runner.bad ? "a fiber's stack is not aligned, or not its own" : NULL;
}

static void switch_back(void *arg)
{
    struct runner *self = arg;
    machine_fiber_switch(&self->fiber, self->back);
}

static void registers_entry(void *arg)
{
    struct runner *self = arg;
    for (uint64_t pattern = UINT64_C(0x1111222233330000);; pattern += 0x100)
        self->registers_lost |= fiber_regs_lost(switch_back, self, pattern);
}

static void switch_to(void *arg)
{
    struct runner *runner = arg;
    machine_fiber_switch(runner->back, &runner->fiber);
}

const char *fiber_check_registers(void)
{
    struct machine_fiber boot;
    struct runner runner;
    if (!runner_start(&runner, &boot, registers_entry))
        return "no stack";
    uint64_t lost = 0;
    for (uint64_t i = 0; i < 100; i++)
        lost |= fiber_regs_lost(switch_to, &runner, UINT64_C(0x4444555566660000) + i * 0x100);
    runner_end(&runner);
    if (runner.registers_lost != 0)
        return "a fiber lost a callee-saved register";
    return lost != 0 ? "the boot stack lost a callee-saved register" : NULL;
}

static void reuse_entry(void *arg)
{
    struct runner *self = arg;
    volatile unsigned char frame[256];
    for (size_t i = 0; i < sizeof(frame); i++)
        frame[i] = (unsigned char)i;
    self->seen += frame[255] == 255;
    machine_fiber_switch(&self->fiber, self->back);
}

const char *fiber_check_reuse(void)
{
    struct machine_fiber boot;
    struct runner runner;
    if (!runner_start(&runner, &boot, reuse_entry))
        return "no stack";
    for (uint32_t i = 0; i < REUSES; i++) {
        machine_fiber_init(&runner.fiber, runner.stack, STACK_BYTES, reuse_entry, &runner);
        machine_fiber_switch(&boot, &runner.fiber);
    }
    runner_end(&runner);
    return runner.seen == REUSES ? NULL : "a fiber on a used stack did not run";
}
