/* x86_64.c: the machine x86_64: a PC without its firmware, as QEMU's q35 and microvm are.
 *
 * boot.S enters x86_boot on the first CPU and x86_cpu on the others. Which CPU one is on is read
 * through the GS base, which nobody changes. */
#include "base/assert.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "kernel/machine.h"
#include "machine/bare/layout.h"
#include "machine/bare/paging.h"
#include "machine/x86_64/port.h"
#include "machine/x86_64/x86_64_int.h"

enum {
    START_INFO_BYTES = 56,
    START_INFO_ENTRY = 24,
    START_INFO_ENTRIES_MAX = 128,
    E820_RAM = 1,
    LOW_BYTES = 0x100000, /* legacy devices and firmware live below */
    AP_PAGE = 0x8000,     /* boot.S knows it */
    AP_WAIT_NS = 200000,
    AP_LOOKS = 5000,
    TRAP_STACK_BYTES = 64 * 1024,
    DEBUG_EXIT = 0xf4,
};
#define START_INFO_MAGIC UINT32_C(0x336ec578)
#define EARLY_REACHABLE  (UINT64_C(4) << 30)

/* The ABI of PVH's boot (Xen, public/arch-x86/hvm/start_info.h). */
struct start_info {
    uint32_t magic, version, flags, modules;
    uint64_t modules_phys, cmdline_phys, rsdp_phys, memmap_phys;
    uint32_t memmap_entries, reserved;
};
struct start_range {
    uint64_t base, bytes;
    uint32_t type, reserved;
};
_Static_assert(sizeof(struct start_info) == START_INFO_BYTES &&
                   sizeof(struct start_range) == START_INFO_ENTRY,
               "the ABI");

struct percpu percpu[TN_CPUS_MAX];
struct ap_slot ap_slot;
extern const char ap_start[], ap_end[];
void x86_boot(uint64_t start_info_phys);
void x86_cpu(uint32_t cpu);

static struct boot_info info;
static char early_trap_stack[TRAP_STACK_BYTES] __attribute__((aligned(16)));

static const void *phys_at(uint64_t phys, uint64_t bytes, const char *what)
{
    if (phys == 0 || phys >= EARLY_REACHABLE || bytes > EARLY_REACHABLE - phys)
        bare_cannot("the boot information is broken: %s is at 0x%llx", what,
                    (unsigned long long)phys);
    return (const void *)(uintptr_t)(LAYOUT_PHYS + phys);
}

static void check_cpu(void)
{
    static const struct {
        uint32_t leaf;
        bool in_d;
        uint8_t bit;
        const char *name;
    } needed[] = {{1, false, 0, "SSE3"},        {1, false, 9, "SSSE3"},
                  {1, false, 13, "CMPXCHG16B"}, {1, false, 19, "SSE4.1"},
                  {1, false, 20, "SSE4.2"},     {1, false, 23, "POPCNT"},
                  {0x80000001, true, 20, "NX"}};
    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        struct cpuid id = cpuid_read(needed[i].leaf, 0);
        if (((needed[i].in_d ? id.d : id.c) >> needed[i].bit & 1) == 0)
            bare_cannot("the CPU has no %s; x86-64-v2 is the least that the kernel runs on",
                        needed[i].name);
    }
}

static void read_memory_map(const struct start_info *start)
{
    uint32_t n = start->memmap_entries;
    if (n == 0 || n > START_INFO_ENTRIES_MAX)
        bare_cannot("the memory map is broken: it has %u entries", n);
    const struct start_range *ranges =
        phys_at(start->memmap_phys, (uint64_t)n * START_INFO_ENTRY, "the memory map");
    for (uint32_t i = 0; i < n; i++) {
        const char *wrong =
            memmap_add(&info.map, ranges[i].base, ranges[i].bytes,
                       ranges[i].type == E820_RAM ? MACHINE_AVAILABLE : MACHINE_RESERVED);
        if (wrong != NULL)
            bare_cannot("the memory map is broken: entry %u: %s", i, wrong);
    }
    if (!memmap_is(&info.map, AP_PAGE, PAGE_BYTES, MACHINE_AVAILABLE))
        bare_cannot(
            "the memory map is broken: the page at 0x%x, where CPUs start, is not available",
            AP_PAGE);
    if (memmap_add(&info.map, 0, LOW_BYTES, MACHINE_RESERVED) != NULL)
        bare_cannot("the memory map is broken: more ranges than the limit");
}

static void read_cmdline(const struct start_info *start)
{
    if (start->cmdline_phys == 0)
        return;
    const char *at = phys_at(start->cmdline_phys, BOOT_CMDLINE_MAX, "the command line");
    for (uint32_t i = 0; i < BOOT_CMDLINE_MAX - 1 && at[i] != '\0'; i++)
        info.cmdline[i] = at[i];
}

void x86_boot(uint64_t start_info_phys)
{
    serial_init();
    trap_init(&percpu[0], early_trap_stack + TRAP_STACK_BYTES);
    check_cpu();
    const struct start_info *start = phys_at(start_info_phys, START_INFO_BYTES, "the start info");
    if (start->magic != START_INFO_MAGIC || start->version < 1)
        bare_cannot("the boot information is broken: magic 0x%x, version %u", start->magic,
                    start->version);
    read_memory_map(start);
    read_cmdline(start);
    acpi_read(start->rsdp_phys, EARLY_REACHABLE, cpuid_read(1, 0).b >> 24, &info.ncpus);
    if (info.ncpus > TN_CPUS_MAX)
        bare_cannot("%u CPUs are more than the limit of %u", info.ncpus, TN_CPUS_MAX);
    info.reachable = EARLY_REACHABLE;
    info.image_phys = (uint64_t)(uintptr_t)image_start - LAYOUT_IMAGE;
    bare_boot(&info);
}

void arch_devices(void)
{
    apic_init();
    clock_init();
    if (!paging_map(LAYOUT_PHYS + AP_PAGE, AP_PAGE, PAGE_BYTES, PAGE_WRITE))
        bare_cannot("no memory is left for page tables");
    memcpy((void *)(uintptr_t)(LAYOUT_PHYS + AP_PAGE), ap_start, (size_t)(ap_end - ap_start));
    arch_irq_on();
}

void arch_trap_stack(void *trap_stack_top)
{
    bool on = arch_irq_off();
    trap_init(&percpu[0], trap_stack_top);
    if (on)
        arch_irq_on();
}

bool arch_cpu_start(uint32_t cpu, void *stack_top, void *trap_stack_top)
{
    struct percpu *its = &percpu[cpu];
    its->cpu = cpu;
    memcpy(its->task_state, &trap_stack_top, sizeof(trap_stack_top)); /* for x86_cpu */
    ap_slot.stack = stack_top;
    ap_slot.percpu = its;
    ap_slot.cpu = cpu;
    ap_slot.tables = paging_root();
    at_store(&ap_slot.taken, 0, SEQ_CST); /* before the CPU begins */
    apic_start(its->apic_id, 0, true);
    clock_wait_ns(AP_WAIT_NS);
    for (uint32_t i = 0; i < AP_LOOKS; i++) {
        if (i < 2) /* once is enough for most CPUs, none wants more */
            apic_start(its->apic_id, AP_PAGE / PAGE_BYTES, false);
        clock_wait_ns(AP_WAIT_NS);
        if (at_load(&ap_slot.taken, ACQUIRE) != 0)
            return true;
    }
    return false;
}

void x86_cpu(uint32_t cpu)
{
    struct percpu *self = &percpu[cpu];
    void *trap_stack_top;
    memcpy(&trap_stack_top, self->task_state, sizeof(trap_stack_top));
    memset(self->task_state, 0, sizeof(trap_stack_top));
    trap_init(self, trap_stack_top);
    apic_init_cpu();
    bare_cpu_main(cpu);
}

uint32_t arch_this_cpu(void)
{
    uint32_t cpu;
    __asm__ volatile("movl %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

void arch_fence(void)
{
    __asm__ volatile("mfence" ::: "memory");
}

bool arch_irq_off(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags)::"memory");
    return (flags & 0x200) != 0;
}

void arch_irq_on(void)
{
    __asm__ volatile("sti" ::: "memory");
}

void arch_halt(void)
{
    /* Interrupts are taken from behind hlt on, not before it. */
    __asm__ volatile("sti; hlt; cli" ::: "memory");
}

void machine_relax(void)
{
    __builtin_ia32_pause();
}

uint64_t machine_now_ns(void)
{
    return arch_clock_ns();
}

uint64_t machine_wall_ns(void)
{
    return arch_wall_ns();
}

static bool random_word(bool seed, uint64_t *ret)
{
    enum { TRIES = 100 };
    for (uint32_t i = 0; i < TRIES; i++) {
        bool done;
        if (seed)
            __asm__ volatile("rdseed %0" : "=r"(*ret), "=@ccc"(done));
        else
            __asm__ volatile("rdrand %0" : "=r"(*ret), "=@ccc"(done));
        if (done)
            return true;
    }
    return false;
}

size_t arch_entropy(void *at, size_t len)
{
    bool seeds = cpuid_read(0, 0).a >= 7 && (cpuid_read(7, 0).b >> 18 & 1) != 0;
    bool draws = (cpuid_read(1, 0).c >> 30 & 1) != 0;
    size_t done = 0;
    uint64_t word;
    while (done < len &&
           ((seeds && random_word(true, &word)) || (draws && random_word(false, &word)))) {
        size_t n = len - done < sizeof(word) ? len - done : sizeof(word);
        memcpy((char *)at + done, &word, n);
        done += n;
    }
    return done;
}

void arch_stop(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

/* QEMU's isa-debug-exit, at a port where a PC has nothing: status 2 * code + 1. */
void arch_exit(uint32_t code)
{
    port_out32(DEBUG_EXIT, code);
    bare_say("tenon: halted with exit code %u: nothing here takes it and ends the machine\n", code);
    arch_stop();
}
