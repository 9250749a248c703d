/* linux.c: CPUs, sleep, time and entropy of the hosted machine.
 *
 * A CPU is a worker thread; CPU 0 is the thread that calls machine_run. The others are made by
 * linux_machine_init, so that lack of threads is an error there and not in the middle of a boot,
 * and wait for runs on a condition variable.
 *
 * Where the process may use CPUs of several NUMA nodes, each worker stays on those of its node (the
 * caller's thread while machine_run lasts); on one node, the system places them as it likes.
 *
 * A worker's sleep is one word, whose protocol is park_word.h, and a futex on it.
 *
 * Invariant: `machine` is written by linux_machine_init and destroy, and by machine_run with the
 * lock held; workers read entry and arg after they saw the run under the lock. */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <tenon/limits.h>

#include "base/assert.h"
#include "base/atomic.h"
#include "kernel/machine.h"
#include "machine/common/fiber.h"
#include "machine/common/park_word.h"
#include "machine/hosted/fault.h"
#include "machine/hosted/memory.h"
#include "machine/linux/barrier.h"
#include "machine/linux/linux.h"
#include "machine/linux/node.h"

enum { BOOT_STACK_BYTES = 256 * 1024, CACHE_LINE_BYTES = 64 };
#define SECOND_NS UINT64_C(1000000000)

struct worker {
    atomic_u32 park_word;
    pthread_t thread; /* not of CPU 0 */
    bool started;
    void *fault_stack;
} __attribute__((aligned(CACHE_LINE_BYTES)));

static struct {
    uint32_t cpus; /* workers, 0: not set up */
    uint32_t more; /* of them, beyond the CPUs that there are */
    uint64_t boot_ns;
    pthread_mutex_t lock;
    pthread_cond_t begin, done;
    uint32_t runs, running; /* runs begun; workers that have not returned from the last one */
    bool stop;
    void (*entry)(void *arg, uint32_t cpu);
    void *arg;
    struct nodes nodes;
    struct worker workers[TN_THREADS_MAX];
} machine = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .begin = PTHREAD_COND_INITIALIZER,
    .done = PTHREAD_COND_INITIALIZER,
};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now); /* both clocks exist on every Linux */
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

uint64_t machine_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC) - machine.boot_ns;
}

uint64_t machine_wall_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}

void machine_random(void *at, size_t len)
{
    char *to = at;
    while (len > 0) {
        ssize_t n = getrandom(to, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            machine_panic("getrandom gives no entropy", __FILE__, __LINE__);
        to += n;
        len -= (size_t)n;
    }
}

uint32_t machine_cpu_count(void)
{
    return machine.cpus;
}

uint32_t machine_node(uint32_t cpu)
{
    ASSERT(cpu < machine.cpus);
    return machine.nodes.of[cpu];
}

void machine_park(uint32_t cpu, uint64_t until_ns)
{
    ASSERT(cpu < machine.cpus);
    atomic_u32 *word = &machine.workers[cpu].park_word;
    if (park_word_sleep(word)) {
        struct timespec until, *timeout = NULL;
        uint64_t host_ns;
        if (!__builtin_add_overflow(until_ns, machine.boot_ns, &host_ns)) {
            until.tv_sec = (time_t)(host_ns / SECOND_NS);
            until.tv_nsec = (long)(host_ns % SECOND_NS);
            timeout = &until;
        }
        /* However it ends (woken, timed out, interrupted), the caller looks again by itself. */
        (void)syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, PARK_PARKED, timeout,
                      NULL, FUTEX_BITSET_MATCH_ANY);
    }
    park_word_wake(word);
}

void machine_unpark(uint32_t cpu)
{
    ASSERT(cpu < machine.cpus);
    atomic_u32 *word = &machine.workers[cpu].park_word;
    if (!park_word_notify(word))
        return;
    int saved_errno = errno; /* a signal handler may call this */
    (void)syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
    errno = saved_errno;
}

void machine_fiber_init(struct machine_fiber *fiber, void *stack, size_t stack_bytes,
                        void (*entry)(void *arg), void *arg)
{
    fiber_init(fiber, stack, stack_bytes, entry, arg);
}

void machine_fiber_switch(struct machine_fiber *from, struct machine_fiber *to)
{
    fiber_switch(from, to);
}

/* Runs one entry on the calling thread, with a stack for faults. */
static void worker_run(uint32_t cpu)
{
    stack_t before = fault_stack_use(machine.workers[cpu].fault_stack);
    machine.entry(machine.arg, cpu);
    fault_stack_restore(&before);
}

/* Keeps a thread on the CPUs of its worker's node when there are several. False when it stays where
 * it was, which costs speed and nothing else. */
static bool pin(pthread_t thread, uint32_t cpu, cpu_set_t *ret_before)
{
    const cpu_set_t *set = &machine.nodes.allowed[machine.nodes.of[cpu]];
    return machine.nodes.count > 1 &&
           pthread_getaffinity_np(thread, sizeof(*ret_before), ret_before) == 0 &&
           pthread_setaffinity_np(thread, sizeof(*set), set) == 0;
}

static void *worker_main(void *arg)
{
    uint32_t cpu = (uint32_t)((struct worker *)arg - machine.workers), runs_seen = 0;
    char name[16];
    uint32_t first = cpu < machine.cpus - machine.more ? 0 : machine.cpus - machine.more;
    (void)snprintf(name, sizeof(name), "tenon-%s%u", first == 0 ? "cpu" : "more", cpu - first);
    (void)pthread_setname_np(pthread_self(), name);
    (void)pthread_mutex_lock(&machine.lock);
    for (;;) {
        while (!machine.stop && machine.runs == runs_seen)
            (void)pthread_cond_wait(&machine.begin, &machine.lock);
        if (machine.stop)
            break;
        runs_seen = machine.runs;
        (void)pthread_mutex_unlock(&machine.lock);
        worker_run(cpu);
        (void)pthread_mutex_lock(&machine.lock);
        if (--machine.running == 0)
            (void)pthread_cond_signal(&machine.done);
    }
    (void)pthread_mutex_unlock(&machine.lock);
    return NULL;
}

void machine_run(void (*entry)(void *arg, uint32_t cpu), void *arg)
{
    ASSERT(machine.cpus > 0 && machine.running == 0);
    (void)pthread_mutex_lock(&machine.lock);
    machine.entry = entry;
    machine.arg = arg;
    machine.running = machine.cpus - 1;
    machine.runs++;
    (void)pthread_cond_broadcast(&machine.begin);
    (void)pthread_mutex_unlock(&machine.lock);
    cpu_set_t before;
    bool pinned = pin(pthread_self(), 0, &before);
    worker_run(0);
    if (pinned)
        (void)pthread_setaffinity_np(pthread_self(), sizeof(before), &before);
    (void)pthread_mutex_lock(&machine.lock);
    while (machine.running > 0)
        (void)pthread_cond_wait(&machine.done, &machine.lock);
    (void)pthread_mutex_unlock(&machine.lock);
}

/* How many workers the process's affinity allows, or `cpus`, with those beyond; fills in the nodes
 * of so many. */
static uint32_t find_cpus(const struct linux_machine *config)
{
    cpu_set_t set;
    uint32_t count = TN_CPUS_MAX; /* more CPUs than a cpu_set_t holds */
    bool known = sched_getaffinity(0, sizeof(set), &set) == 0;
    if (!known)
        CPU_ZERO(&set);
    else if ((uint32_t)CPU_COUNT(&set) < count)
        count = (uint32_t)CPU_COUNT(&set);
    count = (config->cpus > 0 ? config->cpus : count) + config->more;
    node_find(config->nodes_path != NULL ? config->nodes_path : NODE_SYSFS, &set, count,
              &machine.nodes);
    return count;
}

/* Starts the thread of a CPU that is not 0, with all signals but those of faults blocked: they
 * belong to the embedding program's threads. 0 or a positive errno. */
static int worker_start(struct worker *worker)
{
    pthread_attr_t attr;
    int err = pthread_attr_init(&attr);
    if (err != 0)
        return err;
    sigset_t mask;
    (void)sigfillset(&mask);
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        (void)sigdelset(&mask, faults[i]);
    err = pthread_attr_setstacksize(&attr, BOOT_STACK_BYTES);
    if (err == 0)
        err = pthread_attr_setsigmask_np(&attr, &mask);
    if (err == 0)
        err = pthread_create(&worker->thread, &attr, worker_main, worker);
    worker->started = err == 0;
    cpu_set_t before;
    if (err == 0)
        (void)pin(worker->thread, (uint32_t)(worker - machine.workers), &before);
    (void)pthread_attr_destroy(&attr);
    return err;
}

int linux_machine_init(const struct linux_machine *config)
{
    if (machine.cpus > 0)
        return -EBUSY;
    if (config->cpus > TN_CPUS_MAX || config->more > TN_THREADS_MAX - TN_CPUS_MAX)
        return -EINVAL;
    int err = barrier_init();
    if (err == 0)
        err = hosted_memory_init(config->memory_bytes);
    if (err < 0)
        return err;
    machine.cpus = find_cpus(config);
    machine.more = config->more;
    machine.boot_ns = clock_ns(CLOCK_MONOTONIC);
    machine.stop = false;
    machine.runs = 0;
    err = fault_init(NULL);
    for (uint32_t i = 0; i < machine.cpus && err == 0; i++) {
        struct worker *worker = &machine.workers[i];
        at_init(&worker->park_word, PARK_AWAKE);
        worker->fault_stack = fault_stack_get();
        if (worker->fault_stack == NULL)
            err = -ENOMEM;
        else if (i > 0)
            err = -worker_start(worker);
    }
    if (err < 0)
        linux_machine_destroy();
    return err;
}

void linux_machine_destroy(void)
{
    (void)pthread_mutex_lock(&machine.lock);
    ASSERT(machine.running == 0);
    machine.stop = true;
    (void)pthread_cond_broadcast(&machine.begin);
    (void)pthread_mutex_unlock(&machine.lock);
    for (uint32_t i = 0; i < machine.cpus; i++) {
        struct worker *worker = &machine.workers[i];
        if (worker->started)
            (void)pthread_join(worker->thread, NULL);
        worker->started = false;
        fault_stack_put(worker->fault_stack);
        worker->fault_stack = NULL;
    }
    fault_destroy();
    stack_destroy();
    hosted_memory_destroy();
    machine.cpus = 0;
}
