/* fence_light.h for machine/sim: a step, at which another virtual CPU may go on. */
#ifndef FENCE_LIGHT_H
#define FENCE_LIGHT_H

static inline void at_fence_light(void)
{
    race_point();
}

#endif
