/* lock_order.c: who holds which of the kernel's locks on the simulated machine: in order, and of
 * two parties never both the same one. */
#include "base/race/checked/lock_order.h"

#include "base/assert.h"
#include "machine/sim/sim_int.h"

static struct held *own(void)
{
    return sim.current == SIM_HOST ? &sim.host_held : &sim.cpus[sim.current].held;
}

void race_lock_wants(const void *lock, uint32_t rank)
{
    held_wants(own(), lock, rank);
}

void race_lock_has(const void *lock, uint32_t rank)
{
    bool taken = held_has(&sim.host_held, lock);
    for (uint32_t i = 0; i < sim.config.cpus; i++)
        taken |= held_has(&sim.cpus[i].held, lock);
    INVARIANT("one-holder", !taken);
    held_add(own(), lock, rank);
}

void race_lock_drops(const void *lock)
{
    held_remove(own(), lock);
}

void race_lock_forget(void)
{
    own()->count = 0;
}

void sim_holds_nothing(const char *what)
{
    if (own()->count > 0)
        machine_panic(what, __FILE__, __LINE__);
}
