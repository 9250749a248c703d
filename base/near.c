/* near.c: the name that was meant, by the restricted Damerau-Levenshtein distance: insertions,
 * deletions, substitutions and swaps of neighbours, none of them at the same place twice. */
#include "base/near.h"

enum { NEAR_MOST = 2 };

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

uint32_t edit_distance(struct str a, struct str b, uint32_t most)
{
    size_t longer = a.len > b.len ? a.len : b.len;
    size_t shorter = a.len > b.len ? b.len : a.len;
    if (longer > NEAR_NAME_MAX || longer - shorter > most)
        return most + 1;
    uint32_t rows[3][NEAR_NAME_MAX + 1];
    uint32_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (uint32_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (uint32_t i = 1; i <= a.len; i++) {
        uint32_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
        row[0] = i;
        for (uint32_t j = 1; j <= b.len; j++) {
            uint32_t same = a.at[i - 1] == b.at[j - 1] ? 0 : 1;
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + same);
            if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return least(row[b.len], most + 1);
}

struct near near_to(struct str wanted)
{
    return (struct near){wanted, STR(""), NEAR_MOST + 1};
}

void near_try(struct near *near, struct str candidate)
{
    /* A short name has little to be recognised by: at least half of it must be right. */
    uint32_t most = least(NEAR_MOST, (uint32_t)least((uint32_t)candidate.len, NEAR_NAME_MAX) / 2);
    uint32_t distance = edit_distance(near->wanted, candidate, most);
    if (distance <= most && distance < near->distance) {
        near->best = candidate;
        near->distance = distance;
    }
}

bool near_found(const struct near *near)
{
    return near->distance <= NEAR_MOST;
}
