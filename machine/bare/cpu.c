/* cpu.c: CPUs of a bare machine: run, sleep, wake, and the barrier that all pass.
 *
 * A CPU that has nothing to do halts. Its sleep is one word, whose protocol is
 * machine/common/park_word.h; who finds it PARKED sends an interrupt, which ends the halt. Between
 * its last look at the word and the halt interrupts are off, so none comes too early.
 *
 * Asking. machine_barrier, and the change of a page that others may remember, draw a ticket from
 * each other CPU and interrupt it; its handler passes a full barrier, forgets what it must and says
 * up to which ticket. Code runs with interrupts on but for moments in which nothing is waited for,
 * so two CPUs that ask each other both get their answer. A CPU that sleeps is not woken for that:
 * on its way out of its sleep it does the same before it runs on.
 *
 *  1. A CPU's word is written by itself, and by machine_unpark.
 *  2. `forget` only grows, before the tickets are drawn; a CPU that has seen a ticket has seen it.
 */
#include "base/assert.h"
#include "base/bits.h"
#include "machine/bare/arch.h"
#include "machine/bare/bare_int.h"
#include "machine/bare/layout.h"
#include "machine/common/fiber.h"
#include "machine/common/park_word.h"

enum { BOOT_STACK_BYTES = 64 * 1024 };
#define RUN_CPUS UINT32_C(0xff)
_Static_assert((uint32_t)TN_CPUS_MAX < RUN_CPUS, "CPUs of a run fit");

struct bare_cpu {
    atomic_u32 word;      /* enum park_state */
    atomic_u32 wanted;    /* tickets drawn */
    atomic_u32 done;      /* up to which it has answered */
    atomic_u64 forgotten; /* up to which change of page tables it has forgotten what was before */
    atomic_u32 up;
} __attribute__((aligned(64)));

static struct {
    uint32_t all; /* CPUs that are up */
    uint32_t limit;
    atomic_u64 forget;
    atomic_u32 run;  /* runs begun, and in the low byte how many CPUs the last one is for */
    atomic_u32 left; /* CPUs that have not returned from it */
    void (*entry)(void *arg, uint32_t cpu);
    void *arg;
    struct bare_cpu cpu[TN_CPUS_MAX];
} cpus = {.all = 1, .limit = 1};

uint32_t machine_cpu_count(void)
{
    return cpus.limit;
}

uint32_t machine_node(uint32_t cpu)
{
    ASSERT(cpu < cpus.limit);
    return 0;
}

bool cpus_limit(uint32_t n)
{
    if (n > cpus.all)
        return false;
    cpus.limit = n > 0 ? n : cpus.all;
    return true;
}

/* What a CPU owes those who asked; with interrupts off. */
static void answer(struct bare_cpu *self)
{
    uint32_t wanted = at_load(&self->wanted, ACQUIRE); /* pairs with the draw: sees its `forget` */
    uint64_t forget = at_load(&cpus.forget, ACQUIRE);
    if (at_load(&self->forgotten, RELAXED) != forget) {
        arch_page_forget_all();
        at_store(&self->forgotten, forget, RELAXED);
    }
    arch_fence();
    at_store(&self->done, wanted, RELEASE); /* pairs with the ACQUIRE of who waits */
}

void bare_ipi(void)
{
    answer(&cpus.cpu[arch_this_cpu()]);
}

/* A CPU that is not up, or sleeps, does it on its way out. SEQ_CST: it is after our fence, and its
 * own way out begins with a read-modify-write of the word that we read. */
static bool away(struct bare_cpu *cpu)
{
    return at_load(&cpu->up, SEQ_CST) == 0 || at_load(&cpu->word, SEQ_CST) == PARK_PARKED;
}

static void ask_all(void)
{
    uint32_t self = arch_this_cpu(), ticket[TN_CPUS_MAX] = {0};
    arch_fence();
    for (uint32_t i = 0; i < cpus.all; i++) {
        if (i == self)
            continue;
        ticket[i] = at_add(&cpus.cpu[i].wanted, 1, ACQ_REL) + 1;
        arch_fence();
        if (!away(&cpus.cpu[i]))
            arch_ipi(i, IPI_ASK);
    }
    for (uint32_t i = 0; i < cpus.all; i++) {
        if (i == self)
            continue;
        while ((int32_t)(at_load(&cpus.cpu[i].done, ACQUIRE) - ticket[i]) < 0 &&
               !away(&cpus.cpu[i]))
            machine_relax();
    }
    arch_fence();
}

void machine_barrier(void)
{
    race_heavy_begin();
    ask_all();
    race_heavy_end();
}

void cpus_forget_pages(void)
{
    at_add(&cpus.forget, 1, ACQ_REL);
    arch_page_forget_all();
    ask_all();
}

void machine_park(uint32_t cpu, uint64_t until_ns)
{
    ASSERT(cpu == arch_this_cpu());
    struct bare_cpu *self = &cpus.cpu[cpu];
    arch_fence(); /* what others may ask of us is behind us when they see PARKED */
    (void)arch_irq_off();
    if (park_word_sleep(&self->word)) {
        arch_timer_set(until_ns);
        /* RELAXED: park_word_wake acquires. */
        while (at_load(&self->word, RELAXED) == PARK_PARKED && arch_clock_ns() < until_ns)
            arch_halt();
        if (until_ns != UINT64_MAX)
            arch_timer_set(UINT64_MAX);
    }
    park_word_wake(&self->word);
    arch_fence();
    answer(self);
    arch_irq_on();
}

void machine_unpark(uint32_t cpu)
{
    ASSERT(cpu < cpus.all);
    if (park_word_notify(&cpus.cpu[cpu].word))
        arch_ipi(cpu, IPI_WAKE);
}

void machine_fiber_init(struct machine_fiber *fiber, void *stack, size_t stack_bytes,
                        void (*entry)(void *arg), void *arg)
{
    fiber_init(fiber, stack, stack_bytes, entry, arg);
}

void machine_fiber_switch(struct machine_fiber *from, struct machine_fiber *to)
{
    fiber_switch(from, to);
}

void machine_run(void (*entry)(void *arg, uint32_t cpu), void *arg)
{
    ASSERT(arch_this_cpu() == 0 && at_load(&cpus.left, RELAXED) == 0);
    cpus.entry = entry;
    cpus.arg = arg;
    at_store(&cpus.left, cpus.limit - 1, RELAXED);
    uint32_t run = (at_load(&cpus.run, RELAXED) | RUN_CPUS) + 1 + cpus.limit;
    at_store(&cpus.run, run, RELEASE); /* pairs with the ACQUIRE of those who wait for it */
    for (uint32_t i = 1; i < cpus.all; i++)
        machine_unpark(i);
    entry(arg, 0);
    while (at_load(&cpus.left, ACQUIRE) != 0)
        machine_park(0, UINT64_MAX);
}

void bare_cpu_main(uint32_t cpu)
{
    struct bare_cpu *self = &cpus.cpu[cpu];
    ASSERT(cpu == arch_this_cpu());
    (void)arch_irq_off();
    at_store(&self->up, 1, SEQ_CST);
    arch_fence();
    answer(self); /* what was asked before it counted as up */
    arch_irq_on();
    for (uint32_t run = 0;;) {
        uint32_t now = at_load(&cpus.run, ACQUIRE);
        if (now == run) {
            machine_park(cpu, UINT64_MAX);
            continue;
        }
        run = now;
        if (cpu >= (run & RUN_CPUS))
            continue;
        cpus.entry(cpus.arg, cpu);
        if (at_sub(&cpus.left, 1, ACQ_REL) == 1)
            machine_unpark(0);
    }
}

/* Upper end of a fresh stack. */
static void *stack_top(void)
{
    char *stack = stack_boot_get(BOOT_STACK_BYTES);
    if (stack == NULL)
        bare_cannot("no memory is left for the stacks of the CPUs");
    return stack + BOOT_STACK_BYTES;
}

void cpus_start(uint32_t n)
{
    ASSERT(n >= 1 && n <= TN_CPUS_MAX);
    arch_trap_stack(stack_top());
    at_store(&cpus.cpu[0].up, 1, SEQ_CST);
    for (uint32_t i = 1; i < n; i++) {
        void *stack = stack_top(), *trap_stack = stack_top();
        if (!arch_cpu_start(i, stack, trap_stack))
            bare_cannot("CPU %u of %u does not start", i, n);
        while (at_load(&cpus.cpu[i].up, ACQUIRE) == 0)
            machine_relax();
        cpus.all = i + 1;
    }
    cpus.limit = n;
}

void cpus_stop_others(void)
{
    uint32_t self = arch_this_cpu();
    for (uint32_t i = 0; i < cpus.all; i++)
        if (i != self)
            arch_ipi(i, IPI_STOP);
}
