/* apic.c: interrupt controllers of a PC: the local one of each CPU (Intel SDM, volume 3, chapter
 * 11), which has its timer and sends interrupts between CPUs. The old one and those for devices are
 * silenced: routes come with drivers. */
#include "base/assert.h"
#include "machine/x86_64/port.h"
#include "machine/x86_64/x86_64_int.h"

enum {
    MSR_APIC_BASE = 0x1b,
    APIC_BASE_X2 = 1 << 10,
    APIC_BASE_ON = 1 << 11,
    APIC_BYTES = 4096,
    /* registers, in words */
    APIC_END = 0xb0 / 4,
    APIC_SPURIOUS = 0xf0 / 4,
    APIC_COMMAND = 0x300 / 4,
    APIC_COMMAND_HIGH = 0x310 / 4,
    APIC_LVT_TIMER = 0x320 / 4,
    APIC_LVT_PINS = 0x350 / 4,
    APIC_TIMER_COUNT = 0x380 / 4,
    APIC_TIMER_LEFT = 0x390 / 4,
    APIC_TIMER_DIVIDE = 0x3e0 / 4,
    SPURIOUS_ON = 0x100,
    COMMAND_BUSY = 1 << 12,
    COMMAND_ASSERT = 1 << 14,
    COMMAND_NMI = 4 << 8,
    COMMAND_INIT = 5 << 8,
    COMMAND_START = 6 << 8,
    LVT_OFF = 1 << 16,
    DIVIDE_BY_16 = 3,
    PIC_MASTER = 0x21,
    PIC_SLAVE = 0xa1,
    IOAPIC_BYTES = 0x20,
    IOAPIC_WINDOW = 0x10 / 4,
    IOAPIC_VERSION = 1,
    IOAPIC_ROUTES = 0x10,
    COMMAND_LOOKS_MAX = 1 << 20,
};

static volatile uint32_t *registers;

static void silence_ioapic(uint64_t phys)
{
    volatile uint32_t *at = bare_device(phys, IOAPIC_BYTES);
    at[0] = IOAPIC_VERSION;
    uint32_t last = at[IOAPIC_WINDOW] >> 16 & 0xff;
    for (uint32_t i = 0; i <= last; i++) {
        at[0] = IOAPIC_ROUTES + 2 * i;
        at[IOAPIC_WINDOW] = LVT_OFF;
    }
}

void apic_init(void)
{
    if ((msr_read(MSR_APIC_BASE) & APIC_BASE_X2) != 0)
        bare_cannot("the firmware has left the interrupt controllers in x2APIC mode");
    port_out8(PIC_MASTER, 0xff);
    port_out8(PIC_SLAVE, 0xff);
    for (uint32_t i = 0; i < acpi.nioapics; i++)
        silence_ioapic(acpi.ioapic_phys[i]);
    registers = bare_device(acpi.apic_phys, APIC_BYTES);
    apic_init_cpu();
}

void apic_init_cpu(void)
{
    msr_write(MSR_APIC_BASE, acpi.apic_phys | APIC_BASE_ON |
                                 (msr_read(MSR_APIC_BASE) & 0x100)); /* keep: it is the first */
    registers[APIC_LVT_PINS] = LVT_OFF;
    registers[APIC_LVT_PINS + 4] = LVT_OFF;
    registers[APIC_LVT_PINS + 8] = LVT_OFF;
    registers[APIC_TIMER_DIVIDE] = DIVIDE_BY_16;
    registers[APIC_LVT_TIMER] = VECTOR_TIMER;
    registers[APIC_TIMER_COUNT] = 0;
    registers[APIC_SPURIOUS] = SPURIOUS_ON | VECTOR_SPURIOUS;
}

void apic_end(void)
{
    registers[APIC_END] = 0;
}

void apic_timer(uint32_t count)
{
    registers[APIC_TIMER_COUNT] = count;
}

uint32_t apic_timer_left(void)
{
    return registers[APIC_TIMER_LEFT];
}

/* Two registers make one command, so no interrupt handler may come in between with another. */
static void command(uint32_t apic_id, uint32_t what)
{
    bool on = arch_irq_off();
    registers[APIC_COMMAND_HIGH] = apic_id << 24;
    registers[APIC_COMMAND] = what | COMMAND_ASSERT;
    for (uint32_t i = 0; i < COMMAND_LOOKS_MAX && (registers[APIC_COMMAND] & COMMAND_BUSY); i++)
        __builtin_ia32_pause();
    if (on)
        arch_irq_on();
}

void apic_start(uint32_t apic_id, uint32_t page, bool init)
{
    command(apic_id, init ? COMMAND_INIT : COMMAND_START | page);
}

void arch_ipi(uint32_t cpu, enum arch_ipi kind)
{
    static const uint32_t what[IPI_KINDS] = {
        [IPI_WAKE] = VECTOR_TIMER, [IPI_ASK] = VECTOR_IPI, [IPI_STOP] = COMMAND_NMI};
    if (registers != NULL)
        command(percpu[cpu].apic_id, what[kind]);
}
