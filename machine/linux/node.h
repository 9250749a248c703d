/* node.h: which NUMA node each worker belongs to, for linux.c. */
#ifndef MACHINE_LINUX_NODE_H
#define MACHINE_LINUX_NODE_H

#include <sched.h>
#include <stdint.h>

#include <tenon/limits.h>

/* Where Linux lists its nodes. */
#define NODE_SYSFS "/sys/devices/system/node"

struct nodes {
    uint32_t count;                    /* 1 when there is one, or the system does not say */
    uint8_t of[TN_THREADS_MAX];        /* by worker */
    cpu_set_t allowed[TN_THREADS_MAX]; /* by node: the CPUs of it that the process may use */
};

/* Deals `workers` workers to the CPUs of `allowed` in ascending order, and again from the first
 * when they are more, so that neighbours by number are on one node; reads the nodes of these CPUs
 * from the folder `path`. What cannot be read counts as the first node. */
void node_find(const char *path, const cpu_set_t *allowed, uint32_t workers, struct nodes *ret);

/* Adds the CPUs of a list like "0-3,8,10-11" to *set; those that a cpu_set_t does not hold, and
 * what is malformed, are left out. */
void node_parse(const char *list, cpu_set_t *set);

#endif
