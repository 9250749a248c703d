/* seeds.c: how many seeds a test tries, said in one place for all. */
#include <errno.h>
#include <stdlib.h>

#include "base/assert.h"
#include "machine/sim/sim.h"

uint64_t sim_seeds(uint64_t few)
{
    const char *text = getenv("SEEDS");
    if (text == NULL)
        return few;
    char *end;
    errno = 0;
    uint64_t count = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || count == 0)
        machine_panic("SEEDS is no number above 0", __FILE__, __LINE__);
    return count > few ? count : few;
}
