/* linux.h: how a composition root sets up the Linux machine, before the kernel boots on it. */
#ifndef MACHINE_LINUX_LINUX_H
#define MACHINE_LINUX_LINUX_H

#include <stdint.h>

struct linux_machine {
    uint32_t cpus;         /* worker threads, 1 to TN_CPUS_MAX; 0: as many as the process may use */
    uint64_t memory_bytes; /* the one range reserved for the kernel, a multiple of 2 MiB */
};

/* Reserves the range and prepares the workers. 0, or a negative errno with nothing held. */
int linux_machine_init(const struct linux_machine *config);

/* Unmaps everything; only after machine_run returned. Harmless after a failed init. */
void linux_machine_destroy(void);

#endif
