/* acpi.c: the few things that we ask of the firmware's tables (ACPI 6.4, 5.2): which CPUs and
 * interrupt controllers there are, and where the HPET is. All of it is checked before it is used:
 * that it is within the memory that is mapped, and its checksum. */
#include "base/bytes.h"
#include "machine/bare/layout.h"
#include "machine/x86_64/x86_64_int.h"

enum {
    RSDP_BYTES = 20,
    RSDP_BYTES_2 = 36,
    HEADER_BYTES = 36,
    TABLE_BYTES_MAX = 1 << 20,
    MADT_ENTRIES = 44,
    MADT_CPU = 0,
    MADT_IOAPIC = 1,
    MADT_APIC_ADDRESS = 5,
    MADT_CPU_X2 = 9,
    CPU_ENABLED = 1,
    HPET_ADDRESS = 44,
};

struct acpi acpi;
static uint64_t reachable;

struct table {
    const uint8_t *at;
    uint32_t len;
};

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static bool sums_up(const uint8_t *at, uint32_t len)
{
    uint8_t sum = 0;
    for (uint32_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + at[i]);
    return sum == 0;
}

static const uint8_t *bytes_at(uint64_t phys, uint64_t len, const char *what)
{
    if (phys == 0 || phys >= reachable || len > reachable - phys)
        bare_cannot("broken firmware tables (ACPI): %s is at 0x%llx", what,
                    (unsigned long long)phys);
    return (const uint8_t *)(uintptr_t)(LAYOUT_PHYS + phys);
}

static struct table table_at(uint64_t phys, const char *what)
{
    const uint8_t *at = bytes_at(phys, HEADER_BYTES, what);
    uint32_t len = get32(at + 4);
    if (len < HEADER_BYTES || len > TABLE_BYTES_MAX)
        bare_cannot("broken firmware tables (ACPI): %s has %u bytes", what, len);
    at = bytes_at(phys, len, what);
    if (!sums_up(at, len))
        bare_cannot("broken firmware tables (ACPI): the checksum of %s is wrong", what);
    return (struct table){at, len};
}

/* The table of that name; false when there is none. */
static bool find(struct table root, uint32_t entry_bytes, const char *name, struct table *ret)
{
    for (uint32_t i = HEADER_BYTES; i + entry_bytes <= root.len; i += entry_bytes) {
        uint64_t phys = entry_bytes == 8 ? get64(root.at + i) : get32(root.at + i);
        if (memcmp(bytes_at(phys, HEADER_BYTES, "a table"), name, 4) != 0)
            continue;
        *ret = table_at(phys, name);
        return true;
    }
    return false;
}

static void add_cpu(uint32_t apic_id, uint32_t flags, uint32_t first_id, uint32_t *ncpus)
{
    if ((flags & CPU_ENABLED) == 0 || apic_id == first_id)
        return;
    if (*ncpus < TN_CPUS_MAX)
        percpu[*ncpus] = (struct percpu){.cpu = *ncpus, .apic_id = apic_id};
    (*ncpus)++;
}

static void read_madt_entry(const uint8_t *at, uint32_t len, uint32_t first_id, uint32_t *ncpus)
{
    if (at[0] == MADT_CPU && len >= 8)
        add_cpu(at[3], get32(at + 4), first_id, ncpus);
    else if (at[0] == MADT_CPU_X2 && len >= 16)
        add_cpu(get32(at + 4), get32(at + 8), first_id, ncpus);
    else if (at[0] == MADT_IOAPIC && len >= 12 && acpi.nioapics < IOAPICS_MAX)
        acpi.ioapic_phys[acpi.nioapics++] = get32(at + 4);
    else if (at[0] == MADT_APIC_ADDRESS && len >= 12)
        acpi.apic_phys = get64(at + 4);
}

static uint32_t read_madt(struct table madt, uint32_t first_id)
{
    uint32_t ncpus = 1;
    percpu[0].apic_id = first_id;
    if (madt.len < MADT_ENTRIES)
        bare_cannot("broken firmware tables (ACPI): the list of CPUs has %u bytes", madt.len);
    acpi.apic_phys = get32(madt.at + HEADER_BYTES);
    for (uint32_t at = MADT_ENTRIES; at < madt.len;) {
        uint32_t len = madt.len - at >= 2 ? madt.at[at + 1] : 0;
        if (len < 2 || len > madt.len - at)
            bare_cannot("broken firmware tables (ACPI): an entry of the list of CPUs has %u bytes",
                        len);
        read_madt_entry(madt.at + at, len, first_id, &ncpus);
        at += len;
    }
    return ncpus;
}

void acpi_read(uint64_t rsdp_phys, uint64_t reachable_bytes, uint32_t apic_id, uint32_t *ret_ncpus)
{
    reachable = reachable_bytes;
    if (rsdp_phys == 0)
        bare_cannot(
            "no firmware tables (ACPI): they say which CPUs and interrupt controllers there "
            "are");
    const uint8_t *rsdp = bytes_at(rsdp_phys, RSDP_BYTES_2, "the root");
    bool second = rsdp[15] >= 2 && get64(rsdp + 24) != 0;
    if (memcmp(rsdp, "RSD PTR ", 8) != 0 || !sums_up(rsdp, second ? RSDP_BYTES_2 : RSDP_BYTES))
        bare_cannot("broken firmware tables (ACPI): the checksum of the root is wrong");
    struct table root = table_at(second ? get64(rsdp + 24) : get32(rsdp + 16), "the list"), found;
    uint32_t entry_bytes = second ? 8 : 4;
    if (!find(root, entry_bytes, "APIC", &found))
        bare_cannot("no list of CPUs in the firmware's tables (ACPI)");
    *ret_ncpus = read_madt(found, apic_id);
    if (find(root, entry_bytes, "HPET", &found) && found.len >= HPET_ADDRESS + 8)
        acpi.hpet_phys = get64(found.at + HPET_ADDRESS);
}
