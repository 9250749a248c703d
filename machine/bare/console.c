/* console.c: the console of last resort, panics, faults, and the end of a bare machine. */
#include "base/assert.h"
#include "base/bits.h"
#include "base/fmt.h"
#include "machine/bare/bare_int.h"
#include "machine/bare/paging.h"
#include "machine/bare/symbols.h"

enum { TEXT_BYTES = 256, FRAMES_MAX = 32, LOOKS_MAX = 1 << 24, A_LINE = 4 };

void (*bare_say_more)(uint64_t sp);

static struct bare_lock console_lock;
static atomic_u32 ending; /* 1 + the CPU that ends the machine; 0: nobody yet */

static size_t fits(size_t len, size_t size)
{
    return len < size ? len : size - 1;
}

/* Whole and in order, unless somebody who has the lock does not come back. */
void machine_console(const char *at, size_t len)
{
    uint32_t looks = 0;
    bool on = arch_irq_off();
    /* ACQUIRE pairs with the RELEASE of bare_lock_drop. */
    while (at_swap(&console_lock.taken, 1, ACQUIRE) != 0 && looks++ < LOOKS_MAX)
        machine_relax();
    arch_console(at, len);
    bare_lock_drop(&console_lock);
    if (on)
        arch_irq_on();
}

void bare_say(const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;
    va_start(args, format);
    size_t len = fmt_vprint(text, sizeof(text), format, args);
    va_end(args);
    arch_console(text, fits(len, sizeof(text)));
}

void bare_cannot(const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;
    va_start(args, format);
    size_t len = fmt_vprint(text, sizeof(text), format, args);
    va_end(args);
    bare_say("tenon: cannot boot: ");
    arch_console(text, fits(len, sizeof(text)));
    bare_say("\n");
    arch_exit(BARE_EXIT_CANNOT);
}

void bare_exit(uint32_t code)
{
    ASSERT(code < BARE_EXIT_CANNOT);
    arch_exit(code);
}

bool bare_readable(uint64_t at)
{
    uint64_t phys;
    uint32_t access;
    return paging_find(at, &phys, &access) && (access & PAGE_DEVICE) == 0;
}

bool bare_touched(uint64_t address)
{
    return region_touched(address);
}

bool bare_limit(uint32_t ncpus, uint64_t memory_bytes)
{
    if (ncpus > TN_CPUS_MAX || !region_limit(memory_bytes) || !cpus_limit(ncpus))
        return false;
    stacks_reset();
    return true;
}

/* The first CPU that ends the machine goes on; all others stop. */
static void end_alone(void)
{
    uint32_t nobody = 0, self = arch_this_cpu() + 1;
    (void)arch_irq_off();
    if (!at_cas(&ending, &nobody, self, SEQ_CST, SEQ_CST)) {
        if (nobody != self)
            arch_stop();
        /* What was to say why the machine ends has failed itself. */
        arch_exit(BARE_EXIT_FAULT);
    }
    cpus_stop_others();
}

static void say_place(uint64_t pc)
{
    uint64_t off;
    const char *name = symbol_find(pc, &off);
    if (name != NULL)
        bare_say("  0x%016llx %s+0x%llx\n", (unsigned long long)pc, name, (unsigned long long)off);
    else
        bare_say("  0x%016llx\n", (unsigned long long)pc);
}

/* Frames are chained by their frame pointers; each is looked up before it is read. */
static void say_backtrace(uint64_t pc, uint64_t link, uint64_t frame)
{
    bare_say("backtrace:\n");
    say_place(pc);
    if (link != 0)
        say_place(link - 1); /* in the call, not behind it */
    for (uint32_t i = 0; i < FRAMES_MAX && frame % 8 == 0; i++) {
        if (!bare_readable(frame) || !bare_readable(frame + 8))
            break;
        const uint64_t *at = (const uint64_t *)(uintptr_t)frame;
        if (at[1] == 0)
            break;
        say_place(at[1] - 1);
        if (at[0] <= frame)
            break;
        frame = at[0];
    }
}

void machine_panic(const char *what, const char *file, int line)
{
    end_alone();
    bare_say("tenon: kernel panic: %s (%s:%d), CPU %u\n", what, file, line, arch_this_cpu());
    say_backtrace((uint64_t)(uintptr_t)__builtin_return_address(0), 0,
                  (uint64_t)(uintptr_t)__builtin_frame_address(0));
    arch_exit(BARE_EXIT_PANIC);
}

static void say_registers(const struct bare_fault *fault)
{
    for (uint32_t i = 0; i < fault->nvalues; i++)
        bare_say("%s%5s 0x%016llx%s", i % A_LINE == 0 ? " " : "  ", fault->names[i],
                 (unsigned long long)fault->values[i],
                 i % A_LINE == A_LINE - 1 || i == fault->nvalues - 1 ? "\n" : "");
}

void bare_fault(const struct bare_fault *fault)
{
    end_alone();
    if (fault->has_address && stack_guards(fault->address))
        bare_say("tenon: stack overflow of a native turn: guard page touched at 0x%llx, pc 0x%llx, "
                 "CPU %u; use less stack there\n",
                 (unsigned long long)fault->address, (unsigned long long)fault->pc,
                 arch_this_cpu());
    else if (fault->has_address)
        bare_say("tenon: %s at 0x%llx, pc 0x%llx, CPU %u\n", fault->what,
                 (unsigned long long)fault->address, (unsigned long long)fault->pc,
                 arch_this_cpu());
    else
        bare_say("tenon: %s, pc 0x%llx, CPU %u\n", fault->what, (unsigned long long)fault->pc,
                 arch_this_cpu());
    say_registers(fault);
    say_backtrace(fault->pc, fault->link, fault->frame_pointer);
    if (bare_say_more != NULL)
        bare_say_more(fault->sp);
    arch_exit(BARE_EXIT_FAULT);
}
