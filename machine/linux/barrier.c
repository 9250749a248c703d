/* barrier.c: the heavy half of an asymmetric fence on Linux, by membarrier (2).
 *
 * PRIVATE_EXPEDITED interrupts the CPUs that run a thread of this process, and no other; it wants
 * the process registered. Linux before 4.14 has only GLOBAL, which waits until every CPU of the
 * host has passed through the scheduler: right, and slow. A system that has neither (a kernel
 * without the call, a seccomp filter that refuses it) cannot be told to give its threads a barrier
 * from outside, and the machine is not set up on it: stores and loads of other threads would pass
 * each other unseen. */
#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/atomic.h"
#include "kernel/machine.h"
#include "machine/linux/barrier.h"

/* What machine_barrier asks for; 0 until barrier_init. */
static int barrier_command;

static long membarrier(int command)
{
    return syscall(SYS_membarrier, command, 0, 0);
}

int barrier_init(void)
{
    if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0)
        barrier_command = MEMBARRIER_CMD_PRIVATE_EXPEDITED;
    else if (membarrier(MEMBARRIER_CMD_GLOBAL) == 0)
        barrier_command = MEMBARRIER_CMD_GLOBAL;
    else
        return -ENOSYS;
    return 0;
}

void machine_barrier(void)
{
    race_heavy_begin();
    if (membarrier(barrier_command) != 0)
        machine_panic("membarrier is refused, which was there at the start", __FILE__, __LINE__);
    race_heavy_end();
}
