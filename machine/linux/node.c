/* node.c: NUMA nodes, from sysfs (Documentation/ABI/stable/sysfs-devices-node). */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/linux/node.h"

enum { NODES_MAX = 256, LIST_BYTES = 4096 };

void node_parse(const char *list, cpu_set_t *set)
{
    const char *at = list;
    for (;;) {
        char *end;
        unsigned long first = strtoul(at, &end, 10), last = first;
        if (end == at)
            return;
        if (*end == '-') {
            at = end + 1;
            last = strtoul(at, &end, 10);
            if (end == at)
                return;
        }
        for (unsigned long cpu = first; cpu <= last && cpu < CPU_SETSIZE; cpu++)
            CPU_SET(cpu, set);
        if (*end != ',')
            return;
        at = end + 1;
    }
}

/* The CPUs of a node of Linux's numbering; none when there is no such node. */
static void read_node(const char *path, uint32_t number, cpu_set_t *ret_set)
{
    char name[512], list[LIST_BYTES];
    CPU_ZERO(ret_set);
    int n = snprintf(name, sizeof(name), "%s/node%u/cpulist", path, number);
    if (n < 0 || (size_t)n >= sizeof(name))
        return;
    FILE *file = fopen(name, "re");
    if (file == NULL)
        return;
    if (fgets(list, sizeof(list), file) != NULL)
        node_parse(list, ret_set);
    (void)fclose(file);
}

/* The CPUs of `allowed` in ascending order. */
static uint32_t list_cpus(const cpu_set_t *allowed, uint16_t ret_cpus[CPU_SETSIZE])
{
    uint32_t count = 0;
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, allowed))
            ret_cpus[count++] = (uint16_t)cpu;
    return count;
}

void node_find(const char *path, const cpu_set_t *allowed, uint32_t workers, struct nodes *ret)
{
    uint16_t cpus[CPU_SETSIZE];
    uint32_t ncpus = list_cpus(allowed, cpus), used = ncpus < workers ? ncpus : workers;
    uint8_t node_of[TN_THREADS_MAX] = {0};
    *ret = (struct nodes){.count = 0};
    for (uint32_t number = 0; number < NODES_MAX; number++) {
        cpu_set_t set;
        bool needed = false;
        read_node(path, number, &set);
        for (uint32_t i = 0; i < used; i++) {
            if (!CPU_ISSET(cpus[i], &set))
                continue;
            node_of[i] = (uint8_t)ret->count;
            needed = true;
        }
        if (needed)
            CPU_AND(&ret->allowed[ret->count++], &set, allowed);
    }
    for (uint32_t i = 0; i < workers && used > 0; i++)
        ret->of[i] = node_of[i % used];
    if (ret->count == 0)
        ret->allowed[ret->count++] = *allowed;
}
