/* trace.c: every decision of a run, as a hash and, where asked for, as text. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine/sim/sim_int.h"

static FILE *trace_file;

int sim_trace_open(const char *path)
{
    const char *name = path != NULL ? path : getenv("SIM_TRACE");
    if (name == NULL)
        return 0;
    trace_file = fopen(name, "ae");
    return trace_file != NULL ? 0 : -errno;
}

void sim_trace_close(void)
{
    if (trace_file != NULL)
        (void)fclose(trace_file); /* what could not be written is missed by who reads it */
    trace_file = NULL;
}

void sim_trace_flush(void)
{
    if (trace_file != NULL)
        (void)fflush(trace_file);
}

/* FNV-1a 64. */
static void hash_word(uint64_t word)
{
    for (uint32_t i = 0; i < 8; i++)
        sim.stats.trace_hash = (sim.stats.trace_hash ^ (word >> (8 * i) & 0xff)) * 0x100000001b3;
}

void sim_trace(enum sim_event event, uint32_t who, uint64_t what)
{
    static const char *const names[] = {
        [SIM_EVENT_BEGIN] = "begin",   [SIM_EVENT_SWITCH] = "switch", [SIM_EVENT_PARK] = "park",
        [SIM_EVENT_UNPARK] = "unpark", [SIM_EVENT_DRAIN] = "drain",   [SIM_EVENT_FAULT] = "fault",
        [SIM_EVENT_RETURN] = "return", [SIM_EVENT_END] = "end",
    };
    hash_word((uint64_t)event << 32 | who);
    hash_word(what);
    hash_word(sim.stats.steps);
    hash_word(sim.now_ns);
    if (trace_file != NULL)
        (void)fprintf(trace_file, "%" PRIu64 " %" PRIu64 " %s %" PRIu32 " %" PRIu64 "\n",
                      sim.stats.steps, sim.now_ns, names[event], who, what);
}
