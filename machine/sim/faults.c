/* faults.c: what goes wrong because the seed says so. */
#include "base/assert.h"
#include "base/race/sim/race_point.h"
#include "machine/sim/sim_int.h"

bool sim_fault(enum sim_fault fault)
{
    ASSERT(fault < SIM_FAULTS);
    if (sim.current == SIM_HOST)
        return false;
    uint64_t chance = ++sim.stats.chances[fault];
    uint32_t one_in = sim.config.faults[fault];
    bool happens = chance == sim.fault_nth[fault];
    if (one_in > 0)
        happens |= sim_random(&sim.fault_state) % one_in == 0;
    if (happens) {
        sim.stats.faults[fault]++;
        sim_trace(SIM_EVENT_FAULT, (uint32_t)fault, chance);
    }
    return happens;
}

void sim_fault_nth(enum sim_fault fault, uint64_t nth)
{
    ASSERT(fault < SIM_FAULTS);
    sim.fault_nth[fault] = nth > 0 ? sim.stats.chances[fault] + nth : 0;
}

bool race_out_of_memory(void)
{
    return sim_fault(SIM_FAULT_MEMORY);
}
