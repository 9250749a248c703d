/* gic.c: the interrupt controller of AArch64, version 2 (ARM IHI 0048) or 3 (ARM IHI 0069): the
 * interrupts between CPUs (SGI) and the timer's. Those of devices are off: routes come with
 * drivers. */
#include "base/bits.h"
#include "machine/aarch64/aarch64_int.h"

enum {
    /* registers, in words */
    DIST_CONTROL = 0,
    DIST_TYPE = 1,
    DIST_DISABLE = 0x180 / 4,
    DIST_TARGETS = 0x800 / 4,
    DIST_SOFTWARE = 0xf00 / 4,
    CPU_CONTROL = 0,
    CPU_PRIORITY = 1,
    CPU_BEGIN = 0xc / 4,
    CPU_END = 0x10 / 4,
    BANK_GROUP = 0x80 / 4,
    BANK_ENABLE = 0x100 / 4,
    BANK_PRIORITY = 0x400 / 4,
    REDIST_TYPE = 0x8 / 4,
    REDIST_WAKER = 0x14 / 4,
    REDIST_FRAME_BYTES = 0x10000,
    REDIST_BYTES = 2 * REDIST_FRAME_BYTES,
    REDIST_LAST = 1 << 4,
    WAKER_SLEEPS = 1 << 1,
    WAKER_CHILDREN = 1 << 2,
    DIST_BYTES = 0x10000,
    CPU_BYTES = 0x2000,
    DIST_ON_V3 = 0x13, /* both groups, by affinity */
    DIST_ON_V2 = 1,
    FIRST_SHARED = 32,
    PRIORITY = 0xa0,
    PRIORITY_ALL = 0xff,
    IRQ_MASK = 0x3ff,
    IRQ_NONE = 1020,
    LOOKS_MAX = 1000000,
};

static volatile uint32_t *dist, *cpu_registers;
static uint32_t target[TN_CPUS_MAX]; /* version 2: the CPU's bit */

/* The private interrupts of a CPU: the first three SGIs, and the timer. */
static void open_bank(volatile uint32_t *bank)
{
    for (uint32_t i = 0; i < FIRST_SHARED / 4; i++)
        bank[BANK_PRIORITY + i] = PRIORITY * 0x01010101u;
    bank[BANK_ENABLE] = ((1u << IPI_KINDS) - 1) | 1u << board.timer_irq;
}

static volatile uint32_t *find_redistributor(uint64_t mpidr)
{
    uint32_t affinity = (uint32_t)((mpidr & 0xffffff) | (mpidr >> 32 & 0xff) << 24);
    for (uint32_t i = 0; i < board.nredistributors; i++)
        for (uint64_t off = 0; off + REDIST_BYTES <= board.redistributor[i].bytes;
             off += REDIST_BYTES) {
            volatile uint32_t *at = bare_device(board.redistributor[i].phys + off, REDIST_BYTES);
            if (at[REDIST_TYPE + 1] == affinity)
                return at;
            if ((at[REDIST_TYPE] & REDIST_LAST) != 0)
                break;
        }
    bare_cannot("the interrupt controller has no part for CPU 0x%llx", (unsigned long long)mpidr);
}

static void open_v3(void)
{
    volatile uint32_t *at = find_redistributor(board.mpidr[arch_this_cpu()]);
    volatile uint32_t *bank = at + REDIST_FRAME_BYTES / 4;
    at[REDIST_WAKER] &= ~(uint32_t)WAKER_SLEEPS;
    for (uint32_t i = 0; i < LOOKS_MAX && (at[REDIST_WAKER] & WAKER_CHILDREN) != 0; i++)
        ;
    bank[BANK_GROUP] = UINT32_MAX;
    open_bank(bank);
    SYSTEM_WRITE(s3_0_c12_c12_5, SYSTEM_READ(s3_0_c12_c12_5) | 1); /* ICC_SRE_EL1 */
    __asm__ volatile("isb" ::: "memory");
    SYSTEM_WRITE(s3_0_c4_c6_0, PRIORITY_ALL); /* ICC_PMR_EL1 */
    SYSTEM_WRITE(s3_0_c12_c12_3, 0);          /* ICC_BPR1_EL1 */
    SYSTEM_WRITE(s3_0_c12_c12_4, 0);          /* ICC_CTLR_EL1: the end of one is one step */
    SYSTEM_WRITE(s3_0_c12_c12_7, 1);          /* ICC_IGRPEN1_EL1 */
    __asm__ volatile("isb" ::: "memory");
}

static void open_v2(void)
{
    uint32_t cpu = arch_this_cpu();
    target[cpu] = dist[DIST_TARGETS] & 0xff; /* of an SGI: the CPU that reads it */
    if (target[cpu] == 0)
        target[cpu] = 1; /* with a single CPU it reads as zero */
    open_bank(dist);
    cpu_registers[CPU_PRIORITY] = PRIORITY_ALL;
    cpu_registers[CPU_CONTROL] = 1;
}

void gic_init(void)
{
    dist = bare_device(board.gic_phys, DIST_BYTES);
    uint32_t banks = (dist[DIST_TYPE] & 31) + 1;
    dist[DIST_CONTROL] = 0;
    for (uint32_t i = 1; i < banks; i++)
        dist[DIST_DISABLE + i] = UINT32_MAX;
    dist[DIST_CONTROL] = board.gic_version == 3 ? DIST_ON_V3 : DIST_ON_V2;
    if (board.gic_version == 2)
        cpu_registers = bare_device(board.gic_cpu_phys, CPU_BYTES);
    gic_init_cpu();
}

void gic_init_cpu(void)
{
    if (board.gic_version == 3)
        open_v3();
    else
        open_v2();
}

uint32_t gic_begin(void)
{
    return board.gic_version == 3 ? (uint32_t)SYSTEM_READ(s3_0_c12_c12_0)
                                  : cpu_registers[CPU_BEGIN];
}

bool gic_is_none(uint32_t irq)
{
    return (irq & IRQ_MASK) >= IRQ_NONE;
}

void gic_end(uint32_t irq)
{
    if (board.gic_version == 3)
        SYSTEM_WRITE(s3_0_c12_c12_1, irq); /* ICC_EOIR1_EL1 */
    else
        cpu_registers[CPU_END] = irq;
}

void arch_ipi(uint32_t cpu, enum arch_ipi kind)
{
    __asm__ volatile("dsb ishst" ::: "memory"); /* what was written is seen by who is interrupted */
    if (dist == NULL)
        return;
    if (board.gic_version == 2) {
        dist[DIST_SOFTWARE] = target[cpu] << 16 | (uint32_t)kind;
        return;
    }
    uint64_t at = board.mpidr[cpu], low = at & 0xff;
    SYSTEM_WRITE(s3_0_c12_c11_5, /* ICC_SGI1R_EL1 */
                 (at >> 32 & 0xff) << 48 | (low >> 4) << 44 | (at >> 16 & 0xff) << 32 |
                     (uint64_t)kind << 24 | (at >> 8 & 0xff) << 16 | UINT64_C(1) << (low & 15));
    __asm__ volatile("isb" ::: "memory");
}
