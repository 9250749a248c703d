/* setup_test.c: the Linux machine for contract_test.c. */
#include "machine/setup_test.h"

#include <tenon/limits.h>

#include "machine/linux/linux.h"

int setup_machine(uint32_t cpus, uint64_t memory_bytes)
{
    uint32_t more = cpus > TN_CPUS_MAX ? cpus - TN_CPUS_MAX : 0;
    return linux_machine_init(
        &(struct linux_machine){.cpus = cpus - more, .more = more, .memory_bytes = memory_bytes});
}

void setup_end(void)
{
    linux_machine_destroy();
}
