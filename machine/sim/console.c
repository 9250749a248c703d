/* console.c: the console of last resort and the end, in the simulator. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "machine/sim/sim_int.h"

void machine_console(const char *at, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, at, len);
        if (n <= 0)
            return;
        at += n;
        len -= (size_t)n;
    }
}

void sim_say_where(void)
{
    char text[128];
    int n = snprintf(text, sizeof(text),
                     "tenon: in the simulation of seed %" PRIu64 " at step %" PRIu64 "\n",
                     sim.config.seed, sim.stats.steps);
    if (n > 0)
        machine_console(text, (size_t)n);
    sim_say_seed();
    sim_trace_flush();
}

void machine_panic(const char *what, const char *file, int line)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "tenon: kernel panic: %s (%s:%d)\n", what, file, line);
    if (n > 0)
        machine_console(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
    sim_say_where();
    abort();
}
