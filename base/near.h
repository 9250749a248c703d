/* near.h: the name that was meant: "did you mean 'memory'?". */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { NEAR_NAME_MAX = 63 }; /* bytes; a longer name is near to nothing */

struct near {
    struct str wanted;
    struct str best;
    uint32_t distance; /* of best */
};

/* Insertions, deletions, substitutions and swaps of neighbours that lead from a to b; anything over
 * `most` counts as most + 1. */
uint32_t edit_distance(struct str a, struct str b, uint32_t most);
struct near near_to(struct str wanted);
/* Remembers the candidate if it is the nearest so far. */
void near_try(struct near *near, struct str candidate);
/* Is best so near that it may have been meant? */
bool near_found(const struct near *near);

#endif
