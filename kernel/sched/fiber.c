/* fiber.c: the bounded pool of stacks. A stack holds its own descriptor at its lowest address. */
#include "kernel/sched/sched_int.h"

#include "base/assert.h"
#include "base/bits.h"

enum { FIBER_CACHE_MIN = 2, FIBER_CACHE_MAX = 8 };

uint32_t fiber_cache(const struct kernel *kernel)
{
    uint32_t share = kernel->config.fibers_max / (2 * kernel->ncpus);
    if (share < FIBER_CACHE_MIN)
        return FIBER_CACHE_MIN;
    return share < FIBER_CACHE_MAX ? share : FIBER_CACHE_MAX;
}

void fiber_set_up(struct fiber *fiber)
{
    char *stack = (char *)fiber;
    uint64_t used = align_up(sizeof(*fiber), 64);
    machine_fiber_init(&fiber->machine, stack + used, FIBER_STACK_BYTES - used, fiber_main, fiber);
}

static struct fiber *fiber_make(struct kernel *kernel)
{
    if (kernel->nfibers == kernel->config.fibers_max)
        return NULL;
    struct fiber *fiber = machine_stack_get(FIBER_STACK_BYTES);
    if (fiber == NULL)
        return NULL;
    ASSERT(((uintptr_t)fiber & (FIBER_STACK_BYTES - 1)) == 0);
    kernel->nfibers++;
    fiber->made_link = kernel->fibers;
    fiber->turn.fiber = fiber;
    fiber_set_up(fiber); /* here: who is the first to wait need not touch the stack's memory */
    fiber->ready = true;
    kernel->fibers = fiber;
    return fiber;
}

bool fiber_fetch(struct cpu *cpu, uint32_t n)
{
    struct kernel *kernel = cpu->kernel;
    ASSERT(n <= kernel->fiber_cache); /* what a CPU keeps at hand */
    while (cpu->nfree < n) {
        lock_take(&kernel->fiber_lock);
        struct fiber *fiber = kernel->fiber_free;
        if (fiber != NULL)
            kernel->fiber_free = fiber->link;
        else
            fiber = fiber_make(kernel);
        lock_drop(&kernel->fiber_lock);
        if (fiber == NULL)
            return false;
        fiber_put(cpu, fiber);
    }
    return true;
}

void fiber_put_back(struct kernel *kernel, struct fiber *fiber)
{
    lock_take(&kernel->fiber_lock);
    fiber->link = kernel->fiber_free;
    kernel->fiber_free = fiber;
    lock_drop(&kernel->fiber_lock);
}

void fiber_switch_to(struct cpu *cpu, struct machine_fiber *from, struct fiber *to)
{
    to->cpu = cpu;
    cpu->stats.context_switches++;
    machine_fiber_switch(from, &to->machine);
}
