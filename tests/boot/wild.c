/* wild.c: a program for bare machines that does what its command line says, and should not; the
 * test looks at what the machine says of it. */
#include "base/assert.h"
#include "base/bytes.h"
#include "kernel/machine.h"
#include "machine/bare/bare.h"
#include "machine/bare/layout.h"

enum { STACK_BYTES = 32 * 1024, DEEP = 4096, CODE_BYTES = 8192 };

static bool is(const char *cmdline, const char *word)
{
    return str_eq(str_of(cmdline), str_of(word));
}

/* The compiler must not see what is wrong with the addresses. */
static volatile uint64_t address;

__attribute__((noinline)) static void write_to(uint64_t at)
{
    address = at;
    *(volatile uint32_t *)(uintptr_t)address = 1;
}

__attribute__((noinline)) static void call_to(uint64_t at)
{
    address = at;
    ((void (*)(void))(uintptr_t)address)();
}

/* The compiler must not see that it has no end. */
static uint64_t volatile depth;
__attribute__((noinline)) static uint64_t wild_recursion(uint64_t n)
{
    volatile char room[DEEP];
    room[n % DEEP] = (char)n;
    depth++;
    return depth == 0 ? n : wild_recursion(n + 1) + (uint64_t)room[n % DEEP];
}

static void overflow_entry(void *arg)
{
    (void)arg;
    (void)wild_recursion(1);
}

static void overflow(void)
{
    struct machine_fiber here, fiber;
    void *stack = machine_stack_get(STACK_BYTES);
    ASSERT(stack != NULL);
    machine_fiber_init(&fiber, stack, STACK_BYTES, overflow_entry, NULL);
    machine_fiber_switch(&here, &fiber);
}

/* Sealed code may be read and run; its page behind may be read. */
static uint64_t sealed(uint64_t off)
{
    char *code = machine_code_get(CODE_BYTES);
    ASSERT(code != NULL && machine_code_seal(code, CODE_BYTES, CODE_BYTES / 2));
    return (uint64_t)(uintptr_t)code + off;
}

static void fault_entry(void *arg, uint32_t cpu)
{
    (void)arg;
    if (cpu == machine_cpu_count() - 1)
        write_to(8);
    for (;;)
        machine_park(cpu, UINT64_MAX);
}

static void say_sp(uint64_t sp)
{
    static const char with[] = "wild: asked to say more\n";
    if (bare_readable(sp))
        machine_console(with, sizeof(with) - 1);
}

uint32_t bare_main(const char *cmdline)
{
    static const char rodata[] = "constant";
    struct machine_region region;
    bare_say_more = say_sp;
    if (is(cmdline, "exit"))
        return 42;
    if (is(cmdline, "null"))
        write_to(0);
    if (is(cmdline, "call-null"))
        call_to(0);
    if (is(cmdline, "lower-half"))
        write_to(UINT64_C(0x100000));
    if (is(cmdline, "no-address"))
        write_to(UINT64_C(0x8000123412341234));
    if (is(cmdline, "text"))
        write_to((uint64_t)(uintptr_t)bare_main);
    if (is(cmdline, "rodata"))
        write_to((uint64_t)(uintptr_t)rodata);
    if (is(cmdline, "data-code"))
        call_to((uint64_t)(uintptr_t)&depth);
    if (is(cmdline, "memory-code") && machine_region(0, &region)) {
        write_to((uint64_t)(uintptr_t)region.base);
        call_to((uint64_t)(uintptr_t)region.base);
    }
    if (is(cmdline, "first-page"))
        write_to(LAYOUT_PHYS);
    if (is(cmdline, "sealed-write"))
        write_to(sealed(0));
    if (is(cmdline, "sealed-call"))
        call_to(sealed(CODE_BYTES / 2));
    if (is(cmdline, "opcode"))
        __builtin_trap();
    if (is(cmdline, "overflow"))
        overflow();
    if (is(cmdline, "panic"))
        ASSERT(cmdline[0] == 'x');
    if (is(cmdline, "other-cpu"))
        machine_run(fault_entry, NULL);
    return 1;
}
