/* race_point.h for real machines: other CPUs run when they like, stores wait in the real CPU's
 * buffer and memory runs out by itself, so there is nothing to do. */
#ifndef RACE_POINT_H
#define RACE_POINT_H

#include <stdbool.h>

static inline void race_point(void)
{
}

#define race_place(p)           (p)
#define race_store(p, v, order) at_store_now((p), (v), (order))
#define race_change(p)          (p)
#define race_init(p)            ((void)0)

static inline bool race_out_of_memory(void)
{
    return false;
}

#endif
