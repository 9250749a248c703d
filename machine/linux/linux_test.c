/* linux_test.c: what only the Linux machine has: threads, signals, faults, mappings. */
#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <tenon/limits.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "kernel/machine.h"
#include "machine/hosted/memory.h"
#include "machine/linux/linux.h"
#include "machine/linux/node.h"

enum { MEMORY_BYTES = 4 * 1024 * 1024, PAGE_BYTES = 4096 };
enum { PING_PONGS = 100000, IDLE_MS = 100, IDLE_BUSY_MS_MAX = 10 };
#define MS_NS UINT64_C(1000000)

static int set_up_two(void **state)
{
    (void)state;
    return linux_machine_init(&(struct linux_machine){.cpus = 2, .memory_bytes = MEMORY_BYTES});
}

static int tear_down(void **state)
{
    (void)state;
    linux_machine_destroy();
    return 0;
}

/* Each CPU looks a different number of times before it sleeps, so that unparks meet every moment of
 * the other's way into its park. No deadline: one lost wake-up and the run never ends. */
struct ping_pong {
    atomic_u32 turn;
    uint64_t data;
};

static void ping_pong_entry(void *arg, uint32_t cpu)
{
    struct ping_pong *game = arg;
    uint32_t random = cpu + 1;
    for (uint32_t i = 0; i < PING_PONGS; i++) {
        random = random * 1664525 + 1013904223;
        uint32_t looks = random >> 26;
        while (at_load(&game->turn, ACQUIRE) % 2 != cpu) {
            if (looks > 0)
                looks--;
            else
                machine_park(cpu, UINT64_MAX);
        }
        game->data++;
        at_add(&game->turn, 1, RELEASE);
        machine_unpark(cpu ^ 1);
    }
}

static void test_ping_pong(void **state)
{
    (void)state;
    struct ping_pong game = {0};
    machine_run(ping_pong_entry, &game);
    assert_int_equal(game.data, 2 * PING_PONGS);
}

/* Fibers that two threads take turns at: each round is on the other thread. */
enum { MIGRATIONS = 10000 };

struct migration {
    struct machine_fiber boot[2], fiber;
    atomic_u32 turn;
    uint32_t cpu;
    uint64_t sum, wrong;
    pthread_t threads[2];
};

static void migrant_entry(void *arg)
{
    struct migration *m = arg;
    for (uint64_t i = 0;; i++) {
        m->sum += i;
        m->wrong += m->cpu != i % 2 || !pthread_equal(pthread_self(), m->threads[m->cpu]);
        machine_fiber_switch(&m->fiber, &m->boot[m->cpu]);
    }
}

static void migration_entry(void *arg, uint32_t cpu)
{
    struct migration *m = arg;
    m->threads[cpu] = pthread_self();
    for (uint32_t i = 0; i < MIGRATIONS; i++) {
        while (at_load(&m->turn, ACQUIRE) % 2 != cpu)
            machine_park(cpu, UINT64_MAX);
        m->cpu = cpu;
        machine_fiber_switch(&m->boot[cpu], &m->fiber);
        at_add(&m->turn, 1, RELEASE);
        machine_unpark(cpu ^ 1);
    }
}

static void test_fiber_migrates(void **state)
{
    (void)state;
    struct migration m = {0};
    void *stack = machine_stack_get(TN_FIBER_STACK);
    machine_fiber_init(&m.fiber, stack, TN_FIBER_STACK, migrant_entry, &m);
    machine_run(migration_entry, &m);
    machine_stack_put(stack, TN_FIBER_STACK);
    assert_int_equal(m.wrong, 0);
    assert_int_equal(m.sum, (uint64_t)MIGRATIONS * (2 * MIGRATIONS - 1));
}

static uint64_t busy_ns(void)
{
    struct timespec used;
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used), 0);
    return (uint64_t)used.tv_sec * 1000 * MS_NS + (uint64_t)used.tv_nsec;
}

static void idle_entry(void *arg, uint32_t cpu)
{
    uint64_t until_ns = *(const uint64_t *)arg;
    while (machine_now_ns() < until_ns)
        machine_park(cpu, until_ns);
}

static void test_idle_costs_nothing(void **state)
{
    (void)state;
    uint64_t before_ns = busy_ns(), until_ns = machine_now_ns() + IDLE_MS * MS_NS;
    machine_run(idle_entry, &until_ns);
    assert_true(machine_now_ns() >= until_ns);
    assert_true(busy_ns() - before_ns < IDLE_BUSY_MS_MAX * MS_NS);
}

/* CPU 1 sleeps without end; a thread that is no CPU wakes it, then a signal handler does. */
struct outside {
    atomic_u32 stage; /* CPU 1: 1 after the first wake-up, 2 after the second */
};

static void on_usr1(int sig)
{
    (void)sig;
    errno = 4711;
    machine_unpark(1);
    if (errno != 4711)
        abort();
}

static void *outside_thread(void *arg)
{
    (void)arg;
    machine_unpark(1);
    return NULL;
}

static void outside_entry(void *arg, uint32_t cpu)
{
    struct outside *o = arg;
    if (cpu == 1) {
        machine_park(1, UINT64_MAX);
        at_store(&o->stage, 1, RELEASE);
        machine_unpark(0);
        machine_park(1, UINT64_MAX);
        at_store(&o->stage, 2, RELEASE);
        machine_unpark(0);
        return;
    }
    pthread_t thread;
    if (pthread_create(&thread, NULL, outside_thread, NULL) != 0)
        abort();
    while (at_load(&o->stage, ACQUIRE) < 1)
        machine_park(0, UINT64_MAX);
    (void)pthread_join(thread, NULL);
    (void)raise(SIGUSR1);
    while (at_load(&o->stage, ACQUIRE) < 2)
        machine_park(0, UINT64_MAX);
}

static void test_unpark_from_outside(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = on_usr1}, former;
    assert_int_equal(sigaction(SIGUSR1, &action, &former), 0);
    struct outside o = {0};
    machine_run(outside_entry, &o);
    assert_int_equal(o.stage, 2);
    assert_int_equal(sigaction(SIGUSR1, &former, NULL), 0);
}

/* Runs `child` in a fork with its standard error in ret_text; returns the wait status. */
static int run_child(void (*child)(void), char *ret_text, size_t text_bytes)
{
    int ends[2], status = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)dup2(ends[1], STDERR_FILENO);
        (void)signal(SIGSEGV, SIG_DFL); /* the test library has its own */
        (void)signal(SIGBUS, SIG_DFL);
        child();
        _exit(0);
    }
    (void)close(ends[1]);
    size_t len = 0;
    ssize_t n;
    while ((n = read(ends[0], ret_text + len, text_bytes - 1 - len)) > 0)
        len += (size_t)n;
    ret_text[len] = '\0';
    (void)close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static struct machine_fiber child_boot;
static volatile uint64_t child_depth;

__attribute__((noinline)) static uint64_t recurse(uint64_t n)
{
    volatile unsigned char frame[512];
    frame[n % sizeof(frame)] = 1;
    child_depth = n;
    uint64_t deeper = n == UINT64_MAX ? 0 : recurse(n + 1);
    return deeper + frame[n % sizeof(frame)];
}

static void overflow_entry(void *arg)
{
    (void)recurse(0);
    machine_fiber_switch(arg, &child_boot);
}

static void overflow_on_cpu(void *arg, uint32_t cpu)
{
    (void)arg;
    struct machine_fiber fiber;
    if (cpu != 1)
        return;
    void *stack = machine_stack_get(TN_FIBER_STACK);
    machine_fiber_init(&fiber, stack, TN_FIBER_STACK, overflow_entry, &fiber);
    machine_fiber_switch(&child_boot, &fiber);
}

static void child_init(void)
{
    if (set_up_two(NULL) != 0)
        _exit(3);
}

static void overflow_child(void)
{
    child_init();
    machine_run(overflow_on_cpu, NULL);
}

/* From now on this process's system call `number` fails with `error` when its argument `index` is
 * `value`. */
static void forbid(uint32_t number, uint32_t index, uint32_t value, uint32_t error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 offsetof(struct seccomp_data, args) + (uint32_t)sizeof(uint64_t) * index),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = ARRAY_LEN(code), .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(4);
}

/* As on a Linux before 6.13: madvise does not know MADV_GUARD_INSTALL (102). */
static void forbid_guard_marks(void)
{
    forbid(SYS_madvise, 2, 102, EINVAL);
}

/* As on a Linux before 4.14. */
static void forbid_expedited_barrier(void)
{
    forbid(SYS_membarrier, 0, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, EINVAL);
}

static void slow_barrier_child(void)
{
    forbid_expedited_barrier();
    forbid(SYS_membarrier, 0, MEMBARRIER_CMD_PRIVATE_EXPEDITED, EPERM);
    child_init();
    machine_barrier();
    linux_machine_destroy();
}

static void no_barrier_child(void)
{
    forbid_expedited_barrier();
    forbid(SYS_membarrier, 0, MEMBARRIER_CMD_GLOBAL, EPERM);
    for (int i = 0; i < 2; i++)
        if (set_up_two(NULL) != -ENOSYS || machine_cpu_count() != 0)
            _exit(6);
}

static void overflow_child_older_linux(void)
{
    forbid_guard_marks();
    child_init();
    /* The overflow is then in the third slot, with a stack in use below its guard. */
    if (machine_stack_get(TN_FIBER_STACK) == NULL || machine_stack_get(TN_FIBER_STACK) == NULL)
        _exit(5);
    machine_run(overflow_on_cpu, NULL);
}

static void wild_on_cpu(void *arg, uint32_t cpu)
{
    if (cpu == 1)
        *(volatile uint32_t *)arg = 1;
}

static void wild_child(void)
{
    child_init();
    machine_run(wild_on_cpu, (void *)(uintptr_t)0xbad0);
}

static void sent_child(void)
{
    child_init();
    (void)raise(SIGSEGV);
    _exit(0);
}

static void test_stack_overflow(void **state)
{
    (void)state;
    char text[16384];
    int status = run_child(overflow_child, text, sizeof(text));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    assert_non_null(strstr(text, "stack overflow of a native turn"));
}

static void test_stack_overflow_older_linux(void **state)
{
    (void)state;
    char text[16384];
    int status = run_child(overflow_child_older_linux, text, sizeof(text));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    assert_non_null(strstr(text, "stack overflow of a native turn"));
}

static void test_barrier_older_linux(void **state)
{
    (void)state;
    char text[4096];
    assert_int_equal(run_child(slow_barrier_child, text, sizeof(text)), 0);
}

static void test_barrier_refused(void **state)
{
    (void)state;
    char text[4096];
    assert_int_equal(run_child(no_barrier_child, text, sizeof(text)), 0);
}

static void test_wild_access(void **state)
{
    (void)state;
    char text[16384];
    int status = run_child(wild_child, text, sizeof(text));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    assert_non_null(strstr(text, "memory fault at 0xbad0, pc 0x"));
    assert_null(strstr(text, "stack overflow of"));
}

static void test_sent_signal_still_kills(void **state)
{
    (void)state;
    char text[16384];
    int status = run_child(sent_child, text, sizeof(text));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    assert_non_null(strstr(text, "memory fault"));
}

static void on_segv(int sig)
{
    (void)sig;
}

static void test_handlers_are_restored(void **state)
{
    (void)state;
    struct sigaction mine = {.sa_handler = on_segv}, former, seen;
    assert_int_equal(sigaction(SIGSEGV, &mine, &former), 0);
    assert_int_equal(set_up_two(NULL), 0);
    assert_int_equal(sigaction(SIGSEGV, NULL, &seen), 0);
    assert_true(seen.sa_handler != on_segv);
    linux_machine_destroy();
    assert_int_equal(sigaction(SIGSEGV, NULL, &seen), 0);
    assert_true(seen.sa_handler == on_segv);
    assert_int_equal(sigaction(SIGSEGV, &former, NULL), 0);
}

/* The permissions of the mapping that holds `at`, as /proc/self/maps writes them. */
static void mapping_of(const void *at, char ret_access[5])
{
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    char line[512];
    uint64_t from, to;
    ret_access[0] = '\0';
    while (fgets(line, sizeof(line), maps) != NULL) {
        char access[5];
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &from, &to, access) == 3 &&
            (uintptr_t)at >= from && (uintptr_t)at < to)
            memcpy(ret_access, access, sizeof(access));
    }
    (void)fclose(maps);
}

static uint32_t mapping_count(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    uint32_t lines = 0;
    for (int c; (c = fgetc(maps)) != EOF;)
        lines += c == '\n';
    (void)fclose(maps);
    return lines;
}

static void test_code_is_never_writable_and_executable(void **state)
{
    (void)state;
    char access[5];
    char *code = machine_code_get(3 * PAGE_BYTES);
    assert_non_null(code);
    mapping_of(code, access);
    assert_string_equal(access, "rw-p");
    assert_true(machine_code_seal(code, 3 * PAGE_BYTES, 2 * PAGE_BYTES));
    mapping_of(code + 2 * PAGE_BYTES - 1, access);
    assert_string_equal(access, "r-xp");
    mapping_of(code + 2 * PAGE_BYTES, access);
    assert_string_equal(access, "r--p");
    machine_code_put(code, 3 * PAGE_BYTES);
    code = machine_code_get(PAGE_BYTES);
    assert_non_null(code);
    assert_true(machine_code_seal(code, PAGE_BYTES, 0));
    mapping_of(code, access);
    assert_string_equal(access, "r--p");
    machine_code_put(code, PAGE_BYTES);
}

static void test_stack_limit(void **state)
{
    (void)state;
    static void *stacks[STACK_SLOTS_MAX];
    uint32_t before = mapping_count();
    for (uint32_t i = 0; i < STACK_SLOTS_MAX; i++) {
        stacks[i] = machine_stack_get(PAGE_BYTES);
        assert_non_null(stacks[i]);
    }
    assert_null(machine_stack_get(PAGE_BYTES));
    assert_true(mapping_count() - before <= 2 * STACK_SLOTS_MAX + 2);
    assert_true(stack_guards((uintptr_t)stacks[7] - 1));
    assert_true(stack_guards((uintptr_t)stacks[7] - PAGE_BYTES));
    assert_false(stack_guards((uintptr_t)stacks[7]));
    assert_false(stack_guards((uintptr_t)stacks));
    for (uint32_t i = 0; i < STACK_SLOTS_MAX; i++)
        machine_stack_put(stacks[i], PAGE_BYTES);
    assert_ptr_equal(machine_stack_get(PAGE_BYTES), stacks[STACK_SLOTS_MAX - 1]);
    linux_machine_destroy();
    assert_true(mapping_count() <= before);
    assert_false(stack_guards((uintptr_t)stacks[7] - 1));
}

static void test_setup(void **state)
{
    (void)state;
    struct linux_machine config = {.cpus = 0, .memory_bytes = MEMORY_BYTES};
    cpu_set_t set;
    assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
    uint32_t allowed = (uint32_t)CPU_COUNT(&set);
    assert_int_equal(linux_machine_init(&config), 0);
    assert_int_equal(machine_cpu_count(), allowed < TN_CPUS_MAX ? allowed : TN_CPUS_MAX);
    assert_int_equal(linux_machine_init(&config), -EBUSY);
    linux_machine_destroy();
    config.more = 2;
    assert_int_equal(linux_machine_init(&config), 0);
    assert_int_equal(machine_cpu_count(), (allowed < TN_CPUS_MAX ? allowed : TN_CPUS_MAX) + 2);
    linux_machine_destroy();
    config.more = TN_THREADS_MAX - TN_CPUS_MAX + 1;
    assert_int_equal(linux_machine_init(&config), -EINVAL);
    config.more = 0;
    config.cpus = TN_CPUS_MAX + 1;
    assert_int_equal(linux_machine_init(&config), -EINVAL);
}

/* Lets the address space grow page by page until init succeeds: each failure on the way is -ENOMEM
 * or -EAGAIN and leaves nothing mapped. Sanitizers map terabytes and cannot be limited. */
static uint64_t address_space_bytes(void)
{
    FILE *statm = fopen("/proc/self/statm", "r");
    assert_non_null(statm);
    uint64_t pages = 0;
    assert_int_equal(fscanf(statm, "%" SCNu64, &pages), 1);
    (void)fclose(statm);
    return pages * PAGE_BYTES;
}

static void test_setup_fails_cleanly(void **state)
{
    (void)state;
    uint64_t base_bytes = address_space_bytes();
    if (base_bytes > UINT64_C(1) << 40)
        skip();
    struct linux_machine config = {.cpus = 3, .memory_bytes = MEMORY_BYTES};
    struct rlimit former, limit;
    assert_int_equal(getrlimit(RLIMIT_AS, &former), 0);
    uint32_t before = mapping_count(), failures = 0;
    int err = -ENOMEM;
    for (uint64_t room = 0; err != 0; room += 16 * PAGE_BYTES) {
        limit = former;
        limit.rlim_cur = base_bytes + room;
        assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
        err = linux_machine_init(&config);
        assert_int_equal(setrlimit(RLIMIT_AS, &former), 0);
        assert_true(err == 0 || err == -ENOMEM || err == -EAGAIN);
        failures += err != 0;
        if (err != 0)
            assert_int_equal(machine_cpu_count(), 0);
        assert_true(room < UINT64_C(1) << 30);
    }
    assert_true(failures > 3);
    linux_machine_destroy();
    /* glibc keeps the stacks of ended threads, a mapping and its guard each. */
    assert_true(mapping_count() <= before + 2 * 2 + 2);
}

static void set_of(const char *list, cpu_set_t *ret_set)
{
    CPU_ZERO(ret_set);
    node_parse(list, ret_set);
}

static void test_cpu_lists(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        int count, last;
    } cases[] = {{"0-3,8,10-11\n", 7, 11},
                 {"0", 1, 0},
                 {"\n", 0, -1},
                 {"", 0, -1},
                 {"5-", 0, -1},
                 {"1,2,x", 2, 2},
                 {"7-5", 0, -1},
                 {"1022-99999", 2, 1023},
                 {"99999999999999999999999", 0, -1}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cpu_set_t set;
        set_of(cases[i].list, &set);
        assert_int_equal(CPU_COUNT(&set), cases[i].count);
        if (cases[i].last >= 0)
            assert_true(CPU_ISSET((size_t)cases[i].last, &set));
    }
}

/* A folder as sysfs has it: node 0 with these CPUs, no node 1, node 2 with those. */
static char nodes_folder[64];

static void put_node(uint32_t number, const char *list)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/node%u", nodes_folder, number);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/node%u/cpulist", nodes_folder, number);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(list, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void make_nodes(const char *first, const char *second)
{
    (void)snprintf(nodes_folder, sizeof(nodes_folder), "/tmp/tenon-nodes-XXXXXX");
    assert_non_null(mkdtemp(nodes_folder));
    put_node(0, first);
    put_node(2, second);
}

static void remove_nodes(void)
{
    static const char *const parts[] = {"/node0/cpulist", "/node0", "/node2/cpulist", "/node2", ""};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%s%s", nodes_folder, parts[i]);
        assert_int_equal(remove(path), 0);
    }
}

static void test_nodes_are_found(void **state)
{
    (void)state;
    struct nodes nodes;
    cpu_set_t allowed;
    make_nodes("0-3,8-11\n", "4-7,12-15\n");
    set_of("2-5,8", &allowed);
    node_find(nodes_folder, &allowed, 7, &nodes);
    assert_int_equal(nodes.count, 2);
    static const uint8_t of[] = {0, 0, 1, 1, 0, 0, 0};
    assert_memory_equal(nodes.of, of, sizeof(of));
    assert_int_equal(CPU_COUNT(&nodes.allowed[0]), 3);
    assert_int_equal(CPU_COUNT(&nodes.allowed[1]), 2);
    set_of("6-7", &allowed); /* only of Linux's node 2: it is ours 0 */
    node_find(nodes_folder, &allowed, 2, &nodes);
    assert_int_equal(nodes.count, 1);
    assert_int_equal(nodes.of[1], 0);
    set_of("2-5", &allowed); /* workers on the first node only */
    node_find(nodes_folder, &allowed, 2, &nodes);
    assert_int_equal(nodes.count, 1);
    node_find("/nowhere", &allowed, TN_CPUS_MAX, &nodes);
    assert_int_equal(nodes.count, 1);
    assert_int_equal(CPU_COUNT(&nodes.allowed[0]), 4);
    remove_nodes();
}

struct placed {
    uint32_t node[2];
    cpu_set_t sets[2];
};

static void placed_entry(void *arg, uint32_t cpu)
{
    struct placed *placed = arg;
    placed->node[cpu] = machine_node(cpu);
    (void)sched_getaffinity(0, sizeof(placed->sets[cpu]), &placed->sets[cpu]);
}

/* Two CPUs of this system as if they were on two nodes. */
static void test_workers_stay_on_their_node(void **state)
{
    (void)state;
    cpu_set_t before, after, want;
    assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
    if (CPU_COUNT(&before) < 2)
        skip();
    char lists[2][16];
    uint32_t found = 0;
    for (int cpu = 0; found < 2; cpu++)
        if (CPU_ISSET((size_t)cpu, &before))
            (void)snprintf(lists[found++], sizeof(lists[0]), "%d\n", cpu);
    make_nodes(lists[0], lists[1]);
    struct linux_machine config = {
        .cpus = 2, .memory_bytes = MEMORY_BYTES, .nodes_path = nodes_folder};
    struct placed placed = {.node = {0}};
    assert_int_equal(linux_machine_init(&config), 0);
    machine_run(placed_entry, &placed);
    linux_machine_destroy();
    for (uint32_t i = 0; i < 2; i++) {
        set_of(lists[i], &want);
        assert_int_equal(placed.node[i], i);
        assert_true(CPU_EQUAL(&placed.sets[i], &want));
    }
    assert_int_equal(sched_getaffinity(0, sizeof(after), &after), 0);
    assert_true(CPU_EQUAL(&before, &after));
    remove_nodes();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setup_fails_cleanly),
        cmocka_unit_test(test_setup),
        cmocka_unit_test(test_cpu_lists),
        cmocka_unit_test(test_nodes_are_found),
        cmocka_unit_test(test_workers_stay_on_their_node),
        cmocka_unit_test(test_stack_overflow),
        cmocka_unit_test(test_stack_overflow_older_linux),
        cmocka_unit_test(test_barrier_older_linux),
        cmocka_unit_test(test_barrier_refused),
        cmocka_unit_test(test_wild_access),
        cmocka_unit_test(test_sent_signal_still_kills),
        cmocka_unit_test(test_handlers_are_restored),
        cmocka_unit_test_setup_teardown(test_ping_pong, set_up_two, tear_down),
        cmocka_unit_test_setup_teardown(test_fiber_migrates, set_up_two, tear_down),
        cmocka_unit_test_setup_teardown(test_idle_costs_nothing, set_up_two, tear_down),
        cmocka_unit_test_setup_teardown(test_unpark_from_outside, set_up_two, tear_down),
        cmocka_unit_test_setup_teardown(test_code_is_never_writable_and_executable, set_up_two,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_stack_limit, set_up_two, tear_down),
    };
    return cmocka_run_group_tests_name("linux", tests, NULL, NULL);
}
