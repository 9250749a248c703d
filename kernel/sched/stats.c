/* stats.c: statistics of a running kernel (stats.h). */
#include "kernel/sched/stats.h"

#include "base/assert.h"
#include "kernel/mem/mem.h"

/* RELAXED, here and below: counts; they hand over nothing, and only their owner writes them. */
void stats_show(struct cpu *cpu)
{
    const struct cpu_stats *stats = &cpu->stats;
    at_store(&cpu->shown.context_switches, stats->context_switches, RELAXED);
    at_store(&cpu->shown.messages_processed, stats->messages_processed, RELAXED);
    at_store(&cpu->shown.idle_time_ns, stats->idle_time_ns, RELAXED);
    at_store(&cpu->shown.active_time_ns, stats->active_time_ns, RELAXED);
    at_store(&cpu->shown.parks, stats->parks, RELAXED);
    at_store(&cpu->shown.stolen, stats->stolen, RELAXED);
}

struct kernel_stats kernel_stats(struct kernel *kernel)
{
    ASSERT(kernel->ncpus >= 1);
    struct kernel_stats sum = {.actors_alive = at_load(&kernel->alive, RELAXED),
                               .workers = kernel->workers.n,
                               .compute = kernel->compute.n,
                               .blocking = kernel->config.blocking};
    for (uint32_t i = 0; i < kernel->ncpus; i++) {
        struct cpu_shown *shown = &kernel->cpu[i]->shown;
        uint64_t active_ns = at_load(&shown->active_time_ns, RELAXED);
        sum.context_switches += at_load(&shown->context_switches, RELAXED);
        sum.messages_processed += at_load(&shown->messages_processed, RELAXED);
        sum.blocked_time_ns += at_load(&shown->blocked_time_ns, RELAXED);
        if (kernel->cpu[i]->team == &kernel->workers) {
            sum.idle_time_ns += at_load(&shown->idle_time_ns, RELAXED);
            sum.active_time_ns += active_ns;
        } else if (kernel->cpu[i]->team == &kernel->compute) {
            sum.compute_time_ns += active_ns;
        }
        sum.parks += at_load(&shown->parks, RELAXED);
        sum.stolen += at_load(&shown->stolen, RELAXED);
    }
    /* In steps of a percent of all time, so that no product overflows. */
    uint64_t step_ns = (sum.active_time_ns + sum.idle_time_ns) / 100;
    if (step_ns > 0) {
        uint64_t percent = sum.active_time_ns / step_ns;
        sum.cpu_utilization_percent = percent < 100 ? (uint32_t)percent : 100;
    }
    sum.memory_allocated_bytes = mem_stats(kernel->root).used_bytes;
    return sum;
}
