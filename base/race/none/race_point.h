/* race_point.h for real machines: other CPUs run when they like, so there is nothing to do. */
#ifndef RACE_POINT_H
#define RACE_POINT_H

static inline void race_point(void)
{
}

#endif
