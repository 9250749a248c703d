/* world.c: the clock, entropy and choices of the simulated machine. */
#include "base/assert.h"
#include "machine/sim/sim_int.h"

/* 2026-01-01T00:00:00Z: where every simulation begins. */
static const uint64_t epoch_ns = UINT64_C(1767225600) * 1000000000;

uint32_t machine_cpu_count(void)
{
    return sim.config.cpus;
}

uint32_t machine_node(uint32_t cpu)
{
    ASSERT(cpu < sim.config.cpus);
    return cpu * sim.config.nodes / sim.config.cpus;
}

uint64_t machine_now_ns(void)
{
    if (sim.current != SIM_HOST)
        sim_step(); /* so that polling the clock gets somewhere, and counts */
    return sim.now_ns;
}

uint64_t machine_wall_ns(void)
{
    return epoch_ns + machine_now_ns();
}

void machine_random(void *at, size_t len)
{
    unsigned char *byte = at;
    for (size_t i = 0; i < len; i++)
        byte[i] = (unsigned char)(sim_random(&sim.entropy_state) >> 56);
}

struct sim_stats sim_machine_stats(void)
{
    return sim.stats;
}

uint64_t sim_choose(uint64_t n)
{
    ASSERT(n > 0);
    return sim_random(&sim.choose_state) % n;
}
