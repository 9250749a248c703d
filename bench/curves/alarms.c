/* alarms.c: timers, by how many are armed. */
#include "bench/core/timers.h"

#include "bench/curves/curves.h"

enum { TIMER_BYTES = 512, MARGIN_BYTES = 64 << 20 };

static uint64_t bytes;

static bool measure(uint32_t n, uint32_t runs, double (*what)(uint32_t runs), double *ret_value)
{
    if (!curves_open((uint64_t)n * TIMER_BYTES + MARGIN_BYTES))
        return false;
    timers_open(n, true);
    bytes = timers_bytes();
    *ret_value = what(runs);
    timers_close();
    curves_close();
    return true;
}

bool timer_set_any(uint32_t n, uint32_t runs, double *ret_value)
{
    return measure(n, runs, timers_set_cancel, ret_value);
}

bool timer_fire_some(uint32_t n, uint32_t runs, double *ret_value)
{
    return measure(n, runs, timers_fire_some, ret_value);
}

bool timer_fire_all(uint32_t n, uint32_t runs, double *ret_value)
{
    return measure(n, runs, timers_fire_all, ret_value);
}

bool timer_machine(uint32_t n, uint32_t runs, double *ret_value)
{
    const struct chase what = {.bytes = bytes, .lines = 5, .pieces = 2};
    return chase(&what, n, runs, ret_value);
}
