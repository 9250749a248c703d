/* sockets.h: what the programs that measure sockets share: where threads run, by which clock, and
 * what the process at the other end of a channel is asked to do. Included by one file of a program.
 */
#ifndef BENCH_PEERS_SOCKETS_H
#define BENCH_PEERS_SOCKETS_H

#include "bench/peers/peer.h"

enum { PRODUCERS = 8, SMALL_BYTES = 32, BULK_BYTES = 64 * 1024 };

static bool one_cpu; /* both threads on it, CPU time; else each its own, wall-clock time */
static bool placed;  /* threads are bound */

static uint64_t now_ns(void)
{
    return one_cpu ? peer_cpu_ns() : peer_wall_ns();
}

static void place(int nth)
{
    if (placed)
        peer_pin(one_cpu ? 0 : nth);
    else
        peer_unpin();
}

/* Sockets close in the background, so no address is used twice. */
static const char *fresh(void)
{
    static char address[PEER_TEXT_BYTES];
    static uint32_t used;
    snprintf(address, sizeof(address), "inproc://%u", used++);
    return address;
}

/* Channels to another process, by two sockets, of which one takes orders. */
enum job { JOB_ECHO, JOB_COUNT, JOB_END };
struct order {
    enum job job;
    uint64_t messages;
};
static char path[PEER_TEXT_BYTES], control[PEER_TEXT_BYTES]; /* in the abstract namespace */

/* Has peer_count messages of that size done with as ordered: ns each. The program's own. */
static double ordered(enum job job, size_t bytes);

static double channel_round_trip(void)
{
    return ordered(JOB_ECHO, SMALL_BYTES);
}

static double channel_message(void)
{
    return ordered(JOB_COUNT, SMALL_BYTES);
}

static double channel_bulk(void)
{
    return BULK_BYTES / ordered(JOB_COUNT, BULK_BYTES);
}

#endif
