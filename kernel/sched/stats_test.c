/* stats_test.c: what the kernel says that it has done, while it does it and when it is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bits.h"
#include "kernel/sched/stats.h"
#include "tests/kit/explore.h"

enum { M_WORK = TN_METHOD(9, 1), MESSAGES = 150, CALLS = 20, WATCHES = 40 };

static const struct tn_pack nothing;

static tn_err work_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                        struct tn_pack *out)
{
    (void)self;
    (void)turn;
    (void)in;
    (void)out;
    return tn_yield();
}

static void work_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
}
KIT_ROLE(worker, .call = work_call, .event = work_event);

static void boss_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < MESSAGES; i++)
        KIT_CHECK(tn_send(kit_need("worker"), M_WORK, &nothing, TN_SEND_WAIT) == TN_OK);
    for (uint32_t i = 0; i < CALLS; i++) {
        tn_err err;
        while ((err = tn_call(kit_need("worker"), M_WORK, &nothing, NULL, TN_NEVER)) == TN_EFULL) {
            machine_relax();
            KIT_CHECK(tn_yield() == TN_OK);
        }
        KIT_CHECK(err == TN_OK);
    }
    kit_done();
}
KIT_ROLE(boss, .event = boss_event);

/* Reads the counters of CPUs that run: none ever goes back. */
static void watch_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    struct kernel_stats last = {0};
    for (uint32_t i = 0; i < WATCHES; i++) {
        struct kernel_stats now = kernel_stats(kit_now->kernel);
        KIT_CHECK(now.context_switches >= last.context_switches);
        KIT_CHECK(now.messages_processed >= last.messages_processed);
        KIT_CHECK(now.idle_time_ns >= last.idle_time_ns);
        KIT_CHECK(now.active_time_ns >= last.active_time_ns && now.parks >= last.parks);
        KIT_CHECK(now.cpu_utilization_percent <= 100);
        last = now;
        KIT_CHECK(tn_yield() == TN_OK);
    }
    kit_done();
}
KIT_ROLE(watcher, .event = watch_event);

static void scenario(struct kit *kit)
{
    struct kernel_stats before = kernel_stats(kit->kernel);
    KIT_CHECK(before.messages_processed == 0 && before.cpu_utilization_percent == 0);
    KIT_CHECK(before.actors_alive == 0 && before.memory_allocated_bytes == kit->used_before);
    struct kit_actor *drivers[] = {kit_make(kit, "boss", &boss, 0, 2),
                                   kit_make(kit, "watcher", &watcher, 2, 2)};
    /* Calls are answered in order: behind the last one no message is left. */
    kit_wire(drivers[0], "worker", kit_make(kit, "worker", &worker, 1, 8), TN_R_CALL, 0);
    kit_run_all(kit, drivers, ARRAY_LEN(drivers));
    struct kernel *kernel = kit->kernel;
    struct kernel_stats stats = kernel_stats(kernel);
    struct cpu_stats sum = {0};
    uint64_t messages = 0;
    for (uint32_t i = 0; i < kernel->ncpus; i++) {
        sum.context_switches += kernel->cpu[i]->stats.context_switches;
        sum.messages_processed += kernel->cpu[i]->stats.messages_processed;
        sum.active_time_ns += kernel->cpu[i]->stats.active_time_ns;
        sum.idle_time_ns += kernel->cpu[i]->stats.idle_time_ns;
        sum.parks += kernel->cpu[i]->stats.parks;
        sum.stolen += kernel->cpu[i]->stats.stolen;
    }
    /* The CPUs have stopped: nothing is late. */
    KIT_CHECK(stats.context_switches == sum.context_switches && sum.context_switches > 0);
    KIT_CHECK(stats.messages_processed == sum.messages_processed);
    KIT_CHECK(stats.active_time_ns == sum.active_time_ns && stats.idle_time_ns == sum.idle_time_ns);
    KIT_CHECK(stats.parks == sum.parks && stats.stolen == sum.stolen);
    KIT_CHECK(stats.actors_alive == kit->nactors);
    KIT_CHECK(stats.memory_allocated_bytes > kit->used_before);
    for (uint32_t i = 0; i < kit->nactors; i++)
        messages += actor_account(kit->actors[i].actor).messages_processed;
    /* A call is a message when it was queued, and none when it ran at once. */
    KIT_CHECK(sum.messages_processed >= messages && sum.messages_processed <= messages + CALLS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EXPLORE(scenario),
    };
    return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
