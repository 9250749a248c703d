/* linux.c: curves in ns, on a real machine: messages by actors, timers, capabilities.
 *
 *   bench_curves [--runs N] [NAME[@POINT]...]
 *
 * Prints JSON. Each point is the median of the runs (five unless said) behind one that warms up, in
 * CPU time of the thread. Beside each group stands what the machine takes to go through as many
 * cache lines of as much memory in the same order, with nothing done to them. How many an operation
 * touches is counted by cachegrind, as misses of its first level where things are too many for it:
 *
 *   valgrind --tool=cachegrind --cache-sim=yes bench_curves --runs 1 message_ring@100000 */
#include "machine/linux/linux.h"
#include "base/bits.h"
#include "bench/core/crowd.h"
#include "bench/curves/curves.h"

enum { BLOCK_BYTES = 2 << 20 };

bool curves_open(uint64_t bytes)
{
    if (bytes > bench_free_bytes() / 4 * 3)
        return false;
    const struct linux_machine machine = {.cpus = 1, .memory_bytes = align_up(bytes, BLOCK_BYTES)};
    BENCH_MUST(linux_machine_init(&machine) == 0);
    return true;
}

void curves_close(void)
{
    linux_machine_destroy();
}

#define MESSAGES "messages, by actors that are alive and talk"
#define TIMERS   "timers, by how many are armed"
#define CAPS     "capabilities, by how many are below one parent"
#define BY_MILLION                               \
    {                                            \
        10, 100, 1000, 10000, 100000, 1000000, 0 \
    }
#define BY_TIMERS                                   \
    {                                               \
        1, 10, 100, 1000, 10000, 100000, 1000000, 0 \
    }
#define BY_CAPS                            \
    {                                      \
        1, 10, 100, 1000, 10000, 100000, 0 \
    }

static const struct curve curves[] = {
    {MESSAGES, "message_ring", "one goes round a ring of them: a hop", "ns", message_ring,
     BY_MILLION},
    {MESSAGES, "ring_machine", "the machine: 15 lines of each", "ns", message_ring_machine,
     BY_MILLION},
    {MESSAGES, "message_pairs", "each pair has one under way: one way", "ns", message_pairs,
     BY_MILLION},
    {MESSAGES, "pairs_machine", "the machine: 20 lines of each", "ns", message_pairs_machine,
     BY_MILLION},
    {TIMERS, "timer_set", "any of them cancelled and set, both", "ns", timer_set_any, BY_TIMERS},
    {TIMERS,
     "timer_fire",
     "256 set a moment ago end, among the others: each",
     "ns",
     timer_fire_some,
     {1000, 10000, 100000, 1000000, 0}},
    {TIMERS,
     "timer_fire_all",
     "all end at one moment, each; three or four times through all",
     "ns",
     timer_fire_all,
     {1000, 10000, 100000, 1000000, 0}},
    {TIMERS, "timer_machine", "the machine: 5 lines of each", "ns", timer_machine, BY_TIMERS},
    {CAPS, "cap_lookup", "any of them looked up", "ns", cap_lookup_any, BY_CAPS},
    {CAPS, "cap_mint", "one more minted", "ns", cap_mint_more, BY_CAPS},
    {CAPS, "cap_delete", "any of them deleted", "ns", cap_delete_any, BY_CAPS},
    {CAPS, "cap_revoke", "all revoked, each", "ns", cap_revoke_all, BY_CAPS},
    {CAPS, "cap_machine", "the machine: a line of each", "ns", cap_machine, BY_CAPS},
};

int main(int argc, char **argv)
{
    return curves_main(argc, argv, "CPU time of the thread, warm", curves, ARRAY_LEN(curves));
}
