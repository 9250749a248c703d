/* setup_test.c: the simulated machine for contract_test.c. */
#include "machine/setup_test.h"

#include "machine/sim/sim.h"

int setup_machine(uint32_t cpus, uint64_t memory_bytes)
{
    return sim_machine_init(
        &(struct sim_machine){.seed = 1, .cpus = cpus, .memory_bytes = memory_bytes});
}

void setup_end(void)
{
    sim_machine_destroy();
}
