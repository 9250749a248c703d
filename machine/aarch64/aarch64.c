/* aarch64.c: the machine aarch64: the board `virt` of QEMU, by its device tree.
 *
 * boot.S enters arm_boot on the first CPU and arm_cpu on the others. TPIDR_EL1 is the CPU's number.
 * Until the tree has been read, the console is where the board has it. */
#include "base/assert.h"
#include "base/bits.h"
#include "base/bytes.h"
#include "kernel/machine.h"
#include "machine/aarch64/aarch64_int.h"
#include "machine/bare/layout.h"
#include "machine/bare/paging.h"
#include "machine/bare/scale.h"

enum {
    UART_DATA = 0,
    UART_FLAGS = 0x18 / 4,
    UART_FULL = 1 << 5,
    UART_BYTES = 4096,
    UART_LOOKS_MAX = 100000,
    RTC_BYTES = 4096,
    SEMIHOSTING_EXIT = 0x20,
    SEMIHOSTING_DONE = 0x20026,
    GIB_LOG2 = 30,
};
#define UART_FIRST_PHYS UINT64_C(0x09000000)
#define PSCI_OFF        UINT64_C(0x84000008)
#define PSCI_ON         UINT64_C(0xc4000003)
#define SECOND_NS       UINT64_C(1000000000)
#define TCR_NO_LOWER    (UINT64_C(1) << 7)

struct cpu_slot cpu_slot;
extern char boot_other[], trap_vectors[], early_trap_stack_top[];
__attribute__((noreturn)) void arm_boot(uint64_t fdt_phys, uint64_t image_phys);
__attribute__((noreturn)) void arm_cpu(uint64_t cpu);

static struct boot_info info;
static volatile uint32_t *uart = (volatile uint32_t *)(LAYOUT_PHYS + UART_FIRST_PHYS);
static struct {
    uint64_t begin, ns_per_tick, ticks_per_ns; /* the latter two times 2^32 */
    uint64_t wall_ns;
} clock;
static bool exiting;

void arch_console(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        for (uint32_t looks = 0; looks < UART_LOOKS_MAX && (uart[UART_FLAGS] & UART_FULL) != 0;)
            looks++;
        if (at[i] == '\n')
            uart[UART_DATA] = '\r';
        uart[UART_DATA] = (uint8_t)at[i];
    }
}

/* The tree lies anywhere; its GiB is mapped by boot.S. */
static void read_tree(uint64_t phys)
{
    struct fdt fdt;
    if (phys == 0 || phys % 8 != 0 || phys >> GIB_LOG2 == 0 || phys >> GIB_LOG2 >= 512)
        bare_cannot("no device tree: its address is 0x%llx", (unsigned long long)phys);
    const void *at = (const void *)(uintptr_t)(LAYOUT_PHYS + phys);
    uint64_t room = (((phys >> GIB_LOG2) + 1) << GIB_LOG2) - phys;
    const char *wrong = fdt_open(&fdt, at, room < FDT_BYTES_MAX ? room : FDT_BYTES_MAX);
    if (wrong != NULL)
        bare_cannot("the device tree is broken: %s", wrong);
    board_read(&fdt, SYSTEM_READ(mpidr_el1) & MPIDR_AFFINITY, &info);
}

static void clock_init(void)
{
    uint64_t hz = SYSTEM_READ(cntfrq_el0);
    if (hz == 0 || hz > UINT32_MAX)
        bare_cannot("no timer: the generic timer has a speed of %llu Hz", (unsigned long long)hz);
    clock.ns_per_tick = scale_factor(hz, SECOND_NS);
    clock.ticks_per_ns = scale_factor(SECOND_NS, hz);
    clock.begin = SYSTEM_READ(cntvct_el0);
}

void arm_boot(uint64_t fdt_phys, uint64_t image_phys)
{
    SYSTEM_WRITE(vbar_el1, (uint64_t)(uintptr_t)trap_vectors);
    clock_init();
    read_tree(fdt_phys);
    info.image_phys = image_phys;
    info.reachable = ((image_phys >> GIB_LOG2) + 1) << GIB_LOG2;
    bare_boot(&info);
}

/* The console moves with the tables, and the lower half is no more. */
static void no_lower_half(void)
{
    SYSTEM_WRITE(tcr_el1, SYSTEM_READ(tcr_el1) | TCR_NO_LOWER);
    __asm__ volatile("isb; tlbi vmalle1; dsb nsh; isb" ::: "memory");
}

void arch_page_use(uint64_t phys)
{
    volatile uint32_t *there =
        bare_device(board.uart_phys != 0 ? board.uart_phys : UART_FIRST_PHYS, UART_BYTES);
    __asm__ volatile("dsb ishst; msr ttbr1_el1, %0; isb" ::"r"(phys) : "memory");
    uart = there;
    no_lower_half();
}

void arch_devices(void)
{
    gic_init();
    if (board.rtc_phys != 0) {
        volatile uint32_t *rtc = bare_device(board.rtc_phys, RTC_BYTES);
        clock.wall_ns = rtc[0] * SECOND_NS - arch_clock_ns();
    }
    arch_irq_on();
}

void arch_trap_stack(void *trap_stack_top)
{
    /* SP_EL1 can be written from where it is used alone. */
    uint64_t daif = SYSTEM_READ(daif);
    __asm__ volatile("msr daifset, #15\n"
                     "msr spsel, #1\n"
                     "mov sp, %0\n"
                     "msr spsel, #0\n"
                     "msr daif, %1" ::"r"(trap_stack_top),
                     "r"(daif)
                     : "memory");
}

static int64_t psci(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
    register uint64_t x0 __asm__("x0") = function;
    register uint64_t x1 __asm__("x1") = a;
    register uint64_t x2 __asm__("x2") = b;
    register uint64_t x3 __asm__("x3") = c;
    if (board.psci_by_smc)
        __asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
    else
        __asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
    return (int64_t)x0;
}

bool arch_cpu_start(uint32_t cpu, void *stack_top, void *trap_stack_top)
{
    uint64_t entry = info.image_phys + (uint64_t)(boot_other - image_start);
    cpu_slot = (struct cpu_slot){paging_root(), stack_top, trap_stack_top, cpu};
    arch_fence();
    return psci(PSCI_ON, board.mpidr[cpu], entry, 0) == 0;
}

void arm_cpu(uint64_t cpu)
{
    SYSTEM_WRITE(vbar_el1, (uint64_t)(uintptr_t)trap_vectors);
    no_lower_half();
    gic_init_cpu();
    bare_cpu_main((uint32_t)cpu);
}

uint32_t arch_this_cpu(void)
{
    return (uint32_t)SYSTEM_READ(tpidr_el1);
}

void arch_fence(void)
{
    __asm__ volatile("dmb ish" ::: "memory");
}

bool arch_irq_off(void)
{
    uint64_t daif = SYSTEM_READ(daif);
    __asm__ volatile("msr daifset, #2" ::: "memory");
    return (daif & 0x80) == 0;
}

void arch_irq_on(void)
{
    __asm__ volatile("msr daifclr, #2" ::: "memory");
}

void arch_halt(void)
{
    /* An interrupt ends wfi though it is not taken; then it is. */
    __asm__ volatile("dsb sy; wfi; msr daifclr, #2; isb; msr daifset, #2" ::: "memory");
}

void arch_timer_set(uint64_t at_ns)
{
    if (at_ns == UINT64_MAX) {
        SYSTEM_WRITE(cntv_ctl_el0, 2);
        return;
    }
    uint64_t now_ns = arch_clock_ns(), ticks = 0;
    if (at_ns > now_ns)
        ticks = scale(at_ns - now_ns, clock.ticks_per_ns) + 1;
    SYSTEM_WRITE(cntv_cval_el0, SYSTEM_READ(cntvct_el0) + ticks);
    SYSTEM_WRITE(cntv_ctl_el0, 1);
    __asm__ volatile("isb" ::: "memory");
}

uint64_t arch_clock_ns(void)
{
    __asm__ volatile("isb" ::: "memory"); /* not before what is before it */
    return scale(SYSTEM_READ(cntvct_el0) - clock.begin, clock.ns_per_tick);
}

uint64_t arch_wall_ns(void)
{
    return clock.wall_ns + arch_clock_ns();
}

uint64_t machine_now_ns(void)
{
    return arch_clock_ns();
}

uint64_t machine_wall_ns(void)
{
    return arch_wall_ns();
}

void machine_relax(void)
{
    /* yield is for who runs several CPUs on one; isb waits a little where it is nothing. */
    __asm__ volatile("yield; isb" ::: "memory");
}

static bool random_word(uint64_t *ret)
{
    uint64_t failed;
    __asm__ volatile("mrs %0, s3_3_c2_c4_0; cset %1, eq" : "=r"(*ret), "=r"(failed)::"cc");
    return failed == 0;
}

/* The CPU's own (FEAT_RNG), or what the boot loader left in the tree. */
size_t arch_entropy(void *at, size_t len)
{
    size_t done = 0;
    uint64_t word;
    bool draws = (SYSTEM_READ(id_aa64isar0_el1) >> 60 & 15) != 0;
    while (draws && done < len && random_word(&word)) {
        size_t n = len - done < sizeof(word) ? len - done : sizeof(word);
        memcpy((char *)at + done, &word, n);
        done += n;
    }
    if (done >= len)
        return done;
    done = len < board.seed_bytes ? len : board.seed_bytes;
    memcpy(at, board.seed, done);
    memset(board.seed, 0, sizeof(board.seed));
    board.seed_bytes = 0;
    return done;
}

void arch_stop(void)
{
    (void)arch_irq_off();
    for (;;)
        __asm__ volatile("wfi");
}

bool exit_not_taken(void)
{
    return exiting;
}

/* By semihosting, which has a code for it; where nobody takes that, it is an exception, and PSCI
 * ends the machine without one. */
void arch_exit(uint32_t code)
{
    const uint64_t how[2] = {SEMIHOSTING_DONE, code};
    register uint64_t x0 __asm__("x0") = SEMIHOSTING_EXIT;
    register const uint64_t *x1 __asm__("x1") = how;
    (void)arch_irq_off();
    exiting = true;
    __asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
    bare_say("tenon: off with exit code %u: nothing here takes it\n", code);
    (void)psci(PSCI_OFF, 0, 0, 0);
    arch_stop();
}
