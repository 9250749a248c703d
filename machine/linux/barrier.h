/* barrier.h: setting up machine_barrier, for linux.c. */
#ifndef MACHINE_LINUX_BARRIER_H
#define MACHINE_LINUX_BARRIER_H

/* Finds out how this system makes other threads pass a barrier. 0, or -ENOSYS when it has no
 * membarrier or refuses it. Once before any other thread may call machine_barrier. */
int barrier_init(void);

#endif
