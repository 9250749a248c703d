/* board.c: what there is, from the device tree: memory, CPUs, interrupt controller, timer, serial
 * port, clock, and how to start CPUs (PSCI). */
#include "base/bytes.h"
#include "machine/aarch64/aarch64_int.h"

enum { PPI_FIRST = 16, TIMER_VIRTUAL = 2, INTERRUPT_CELLS = 3 };

struct board board;

/* What was found so far. */
struct found {
    struct boot_info *info;
    uint64_t first_mpidr;
    bool first, gic, timer, psci;
};

static void add_range(struct boot_info *info, uint64_t base, uint64_t bytes,
                      enum machine_region_kind kind)
{
    const char *wrong = memmap_add(&info->map, base, bytes, kind);
    if (wrong != NULL)
        bare_cannot("the device tree is broken: memory at 0x%llx: %s", (unsigned long long)base,
                    wrong);
}

static void read_ranges(const struct fdt_walk *walk, struct found *found,
                        enum machine_region_kind kind)
{
    uint64_t base, bytes;
    for (uint32_t i = 0; fdt_reg(walk, i, &base, &bytes); i++)
        add_range(found->info, base, bytes, kind);
}

static void read_cpu(const struct fdt_walk *walk, struct found *found)
{
    struct boot_info *info = found->info;
    uint64_t mpidr, none;
    if (!fdt_reg(walk, 0, &mpidr, &none))
        bare_cannot("the device tree is broken: %s has no number", walk->name);
    if (mpidr == found->first_mpidr) {
        found->first = true;
        return;
    }
    if (!fdt_says(walk, "enable-method", "psci"))
        bare_cannot("%s is not started by PSCI: nothing else is known here", walk->name);
    if (info->ncpus < TN_CPUS_MAX)
        board.mpidr[info->ncpus] = mpidr;
    info->ncpus++;
}

static void read_gic(const struct fdt_walk *walk, struct found *found, uint32_t version)
{
    uint64_t bytes;
    uint32_t n = 1;
    board.gic_version = version;
    found->gic =
        fdt_reg(walk, 0, &board.gic_phys, &bytes) && fdt_reg(walk, 1, &board.gic_cpu_phys, &bytes);
    if (version == 3 && !fdt_u32(walk, "#redistributor-regions", 0, &n))
        n = 1;
    for (uint32_t i = 0; version == 3 && i < n && i < GIC_REDISTRIBUTORS_MAX; i++)
        if (fdt_reg(walk, 1 + i, &board.redistributor[i].phys, &board.redistributor[i].bytes))
            board.nredistributors = i + 1;
}

static void read_timer(const struct fdt_walk *walk, struct found *found)
{
    uint32_t is_ppi, number;
    found->timer = fdt_u32(walk, "interrupts", TIMER_VIRTUAL * INTERRUPT_CELLS, &is_ppi) &&
                   fdt_u32(walk, "interrupts", TIMER_VIRTUAL * INTERRUPT_CELLS + 1, &number) &&
                   is_ppi == 1 && number < 16;
    if (found->timer)
        board.timer_irq = PPI_FIRST + number;
}

static void read_chosen(const struct fdt_walk *walk, struct boot_info *info)
{
    const void *at;
    uint32_t len;
    if (fdt_property(walk, "bootargs", &at, &len))
        memcpy(info->cmdline, at, len < BOOT_CMDLINE_MAX ? len : BOOT_CMDLINE_MAX - 1);
    if (fdt_property(walk, "rng-seed", &at, &len)) {
        board.seed_bytes = len < BOARD_SEED_BYTES ? len : BOARD_SEED_BYTES;
        memcpy(board.seed, at, board.seed_bytes);
    }
}

static bool is_named(const struct fdt_walk *walk, uint32_t depth, const char *name)
{
    return walk->depth == depth && str_eq(str_of(walk->name), str_of(name));
}

/* What is only there once, by what it is compatible with. */
static void read_device(const struct fdt_walk *walk, struct found *found)
{
    uint64_t bytes;
    if (fdt_says(walk, "compatible", "arm,pl011") && board.uart_phys == 0)
        (void)fdt_reg(walk, 0, &board.uart_phys, &bytes);
    else if (fdt_says(walk, "compatible", "arm,pl031"))
        (void)fdt_reg(walk, 0, &board.rtc_phys, &bytes);
    else if (fdt_says(walk, "compatible", "arm,cortex-a15-gic") ||
             fdt_says(walk, "compatible", "arm,gic-400"))
        read_gic(walk, found, 2);
    else if (fdt_says(walk, "compatible", "arm,gic-v3"))
        read_gic(walk, found, 3);
    else if (fdt_says(walk, "compatible", "arm,armv8-timer"))
        read_timer(walk, found);
    else if (fdt_says(walk, "compatible", "arm,psci-0.2") ||
             fdt_says(walk, "compatible", "arm,psci-1.0")) {
        found->psci = true;
        board.psci_by_smc = fdt_says(walk, "method", "smc");
    }
}

static void read_node(const struct fdt_walk *walk, struct found *found)
{
    if (!fdt_enabled(walk))
        return;
    if (is_named(walk, 2, "chosen"))
        read_chosen(walk, found->info);
    else if (fdt_says(walk, "device_type", "memory"))
        read_ranges(walk, found, MACHINE_AVAILABLE);
    else if (fdt_says(walk, "device_type", "cpu"))
        read_cpu(walk, found);
    else
        read_device(walk, found);
}

static void read_reserved(const struct fdt *fdt, struct found *found)
{
    uint64_t base, bytes;
    uint32_t inside = 0; /* the depth of what is directly in /reserved-memory; 0: we are not */
    for (uint32_t i = 0; fdt_reserved(fdt, i, &base, &bytes); i++)
        add_range(found->info, base, bytes, MACHINE_RESERVED);
    for (struct fdt_walk walk = {.fdt = fdt}; fdt_next(&walk);) {
        if (is_named(&walk, 2, "reserved-memory"))
            inside = 3;
        else if (walk.depth < 3)
            inside = 0;
        else if (walk.depth == inside)
            read_ranges(&walk, found, MACHINE_RESERVED);
    }
}

void board_read(const struct fdt *fdt, uint64_t mpidr, struct boot_info *info)
{
    struct found found = {.info = info, .first_mpidr = mpidr};
    info->ncpus = 1;
    board.mpidr[0] = mpidr;
    for (struct fdt_walk walk = {.fdt = fdt}; fdt_next(&walk);)
        read_node(&walk, &found);
    read_reserved(fdt, &found);
    if (!found.first)
        bare_cannot("the device tree is broken: the CPU that boots, 0x%llx, is not in it",
                    (unsigned long long)mpidr);
    if (info->ncpus > TN_CPUS_MAX)
        bare_cannot("%u CPUs are more than the limit of %u", info->ncpus, TN_CPUS_MAX);
    if (!found.gic || (board.gic_version == 3 && board.nredistributors == 0))
        bare_cannot("no interrupt controller in the device tree: a GICv2 or GICv3 is needed");
    if (!found.timer)
        bare_cannot("no timer: the device tree names no generic timer with a virtual interrupt");
    if (info->ncpus > 1 && !found.psci)
        bare_cannot("the device tree names no PSCI, by which the other CPUs are started");
}
