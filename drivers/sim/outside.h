/* outside.h: what lies outside of a simulated system: disks and streams that are late, lose things
 * and tear them, as the seed says.
 *
 * The drivers here stand in for those of drivers/linux on machine/sim. They take decisions from
 * whoever owns the seed, through struct outside; a test binds it to sim_fault and sim_choose of
 * machine/sim. What they reach lives outside of the kernel, so it survives a driver that crashes
 * and a kernel that is booted again: memory of the test's. */
#ifndef DRIVERS_SIM_OUTSIDE_H
#define DRIVERS_SIM_OUTSIDE_H

#include <stdbool.h>
#include <stdint.h>
#include <tenon/component.h>

enum outside_fault {
    OUTSIDE_LATE, /* it takes long */
    OUTSIDE_LOST, /* it does not happen, or nobody hears of it */
    OUTSIDE_TORN, /* a part of it happens */
};

struct outside {
    bool (*fault)(void *arg, enum outside_fault fault); /* whether it happens now */
    uint64_t (*choose)(void *arg, uint64_t n);          /* a number below n > 0 */
    void *arg;
};

static inline bool outside_fault(const struct outside *outside, enum outside_fault fault)
{
    return outside->fault(outside->arg, fault);
}

static inline uint64_t outside_choose(const struct outside *outside, uint64_t n)
{
    return outside->choose(outside->arg, n);
}

#endif
