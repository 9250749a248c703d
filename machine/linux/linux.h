/* linux.h: how a composition root sets up the Linux machine, before the kernel boots on it. */
#ifndef MACHINE_LINUX_LINUX_H
#define MACHINE_LINUX_LINUX_H

#include <stdint.h>

struct linux_machine {
    uint32_t cpus;          /* workers, 1 to TN_CPUS_MAX; 0: as many as the process's CPU affinity
                               allows */
    uint32_t more;          /* workers beyond those, for code that blocks or computes, at most
                               TN_THREADS_MAX - TN_CPUS_MAX; the last ones of machine_cpu_count */
    uint64_t memory_bytes;  /* the one range reserved for the kernel, a multiple of 2 MiB, not 0 */
    const char *nodes_path; /* where NUMA nodes are listed; NULL: where Linux does */
};

/* Reserves the range, starts the workers (asleep until machine_run) with all signals but those of
 * faults blocked and, where there are several NUMA nodes, each kept on its own, and installs
 * handlers of SIGSEGV and SIGBUS that tell a stack overflow from another fault before the former
 * action takes over. One machine a process, not to be used in a child after fork. 0, or a negative
 * errno with nothing held: -EINVAL, -EBUSY, -ENOMEM, -EAGAIN (no more threads), -ENOSYS (no
 * membarrier system call, or a seccomp filter refuses it: see machine_barrier). */
int linux_machine_init(const struct linux_machine *config);

/* Ends the workers, puts the former handlers back, unmaps memory and all stacks; only after
 * machine_run returned. Harmless after a failed init. */
void linux_machine_destroy(void);

#endif
