/* race_point.h for machine/sim: before every atomic operation the seed may switch to another
 * virtual CPU. machine/sim defines race_point(). */
#ifndef RACE_POINT_H
#define RACE_POINT_H

void race_point(void);

#endif
