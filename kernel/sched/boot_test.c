/* boot_test.c: a kernel that is made on machines that have not what it needs, and on one that has
 * just enough. */
#include "kernel/mem/stub_test.h"

#include "kernel/cap/cap.h"
#include "kernel/sched/cpu.h"

enum { MIB = 1 << 20, CPUS = 4, STACKS_MAX = 2 * TN_THREADS_MAX };

/* The machine under test. */
static struct {
    struct machine_region regions[3];
    uint32_t nregions, cpus;
    uint32_t stacks, stacks_max, given_back;
    void *stack[STACKS_MAX];
} machine;

uint32_t machine_cpu_count(void)
{
    return machine.cpus;
}

bool machine_region(uint32_t i, struct machine_region *ret_region)
{
    if (i >= machine.nregions)
        return false;
    *ret_region = machine.regions[i];
    return true;
}

void *machine_stack_get(size_t bytes)
{
    if (machine.stacks == machine.stacks_max)
        return NULL;
    void *at = mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(at != MAP_FAILED);
    machine.stack[machine.stacks++] = at;
    return (void *)align_up((uintptr_t)at, bytes);
}

void machine_stack_put(void *stack, size_t bytes)
{
    assert_non_null(stack);
    assert_int_equal(bytes, FIBER_STACK_BYTES);
    machine.given_back++;
}

uint64_t machine_now_ns(void)
{
    return 1000;
}

void machine_unpark(uint32_t cpu)
{
    assert_true(cpu < machine.cpus);
}

/* The rest is there so that nothing of a real machine is linked. */
#define NEVER(name, ...)                                   \
    void name(__VA_ARGS__)                                 \
    {                                                      \
        fail_msg("%s is called, but nothing runs", #name); \
    }

NEVER(machine_run, void (*entry)(void *arg, uint32_t cpu) __attribute__((unused)),
      void *arg __attribute__((unused)))
NEVER(machine_park, uint32_t cpu __attribute__((unused)), uint64_t until_ns __attribute__((unused)))
NEVER(machine_fiber_switch, struct machine_fiber *from __attribute__((unused)),
      struct machine_fiber *to __attribute__((unused)))
NEVER(machine_console, const char *at __attribute__((unused)), size_t len __attribute__((unused)))

/* A stack that is made ready, for nobody. */
void machine_fiber_init(struct machine_fiber *fiber, void *stack, size_t stack_bytes,
                        void (*entry)(void *arg), void *arg)
{
    assert_true(stack > (void *)fiber && stack_bytes < FIBER_STACK_BYTES);
    assert_true(entry != NULL && arg != NULL);
}

/* A machine with all that a kernel needs. */
static void machine_open(uint32_t cpus, uint64_t bytes)
{
    memset(&machine, 0, sizeof(machine));
    void *map = mmap(NULL, bytes + MEM_RELEASE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(map != MAP_FAILED);
    void *base = (void *)align_up((uintptr_t)map, MEM_RELEASE);
    machine.regions[0] = (struct machine_region){base, bytes, MACHINE_AVAILABLE};
    machine.nregions = 1;
    machine.cpus = cpus;
    machine.stacks_max = STACKS_MAX;
}

static const struct kernel_config defaults;

static void test_no_memory(void **state)
{
    (void)state;
    struct kernel *kernel = NULL;
    machine_open(1, 16 * MIB);
    machine.nregions = 0;
    assert_int_equal(kernel_boot(&defaults, &kernel), TN_ENOMEM);
    machine.nregions = 1;
    machine.regions[0].kind = MACHINE_RESERVED;
    assert_int_equal(kernel_boot(&defaults, &kernel), TN_ENOMEM);
    machine.regions[0].kind = MACHINE_AVAILABLE;
    machine.regions[0].size_bytes = MEM_RELEASE; /* the kernel's own head is all of it */
    assert_int_equal(kernel_boot(&defaults, &kernel), TN_ENOMEM);
    assert_null(kernel);
}

static void test_the_first_region_that_is_available_is_taken(void **state)
{
    (void)state;
    struct kernel *kernel = NULL;
    machine_open(1, 16 * MIB);
    machine.regions[2] = machine.regions[0];
    machine.regions[0].kind = MACHINE_DEVICE;
    machine.regions[1].kind = MACHINE_RESERVED;
    machine.nregions = 3;
    assert_int_equal(kernel_boot(&defaults, &kernel), TN_OK);
    assert_ptr_equal(kernel, machine.regions[2].base);
    kernel_destroy(kernel);
    assert_int_equal(machine.given_back, machine.stacks);
}

/* Each CPU has its stacks set aside at boot, or there is no kernel. */
static void test_no_stack_for_a_cpu(void **state)
{
    (void)state;
    for (uint32_t stacks = 0; stacks <= 2 * CPUS; stacks++) {
        struct kernel *kernel = NULL;
        machine_open(CPUS, 16 * MIB);
        machine.stacks_max = stacks;
        assert_int_equal(kernel_boot(&defaults, &kernel), stacks < 2 * CPUS ? TN_ENOMEM : TN_OK);
        assert_true((kernel != NULL) == (stacks == 2 * CPUS));
        if (kernel == NULL) /* none is kept by a kernel that there is not */
            assert_int_equal(machine.given_back, machine.stacks);
    }
}

/* A kernel that may have few stacks keeps few at hand, and never more than there may be. */
static void test_few_stacks(void **state)
{
    (void)state;
    struct kernel *kernel = NULL;
    machine_open(2, 16 * MIB);
    assert_int_equal(kernel_boot(&(struct kernel_config){.fibers_max = 5}, &kernel), TN_OK);
    assert_int_equal(machine.stacks, 4);
    struct cpu *cpu = kernel->cpu[0];
    assert_true(fiber_ensure(cpu, 2));
    struct fiber *one = fiber_get(cpu), *two = fiber_get(cpu);
    assert_true(fiber_ensure(cpu, 1)); /* the fifth */
    struct fiber *three = fiber_get(cpu);
    assert_false(fiber_ensure(cpu, 1));
    fiber_put(cpu, one);
    fiber_put(cpu, two);
    fiber_put(cpu, three); /* more than it keeps: for all */
    struct fiber *four = fiber_get(kernel->cpu[1]);
    assert_true(fiber_ensure(kernel->cpu[1], 2));
    fiber_put(kernel->cpu[1], four);
    assert_int_equal(machine.stacks, 5);
    EXPECT_PANIC((void)fiber_ensure(cpu, 3)); /* more than it may keep */
    kernel_destroy(kernel);
    assert_int_equal(machine.given_back, 5);
}

static void test_defaults(void **state)
{
    (void)state;
    struct kernel *kernel = NULL;
    machine_open(1, 16 * MIB);
    assert_int_equal(kernel_boot(&defaults, &kernel), TN_OK);
    assert_int_equal(kernel->config.fibers_max, TN_FIBERS_DEFAULT);
    assert_int_equal(machine.stacks, 3); /* the loop's, one to leave it for, one for a turn */
    assert_true(fiber_ensure(kernel->cpu[0], 3));
    assert_int_equal(machine.stacks, 3);
    assert_true(kernel->config.spin > 0);
    kernel_destroy(kernel);
    machine_open(1, 16 * MIB);
    const struct kernel_config config = {.fibers_max = 7, .spin = 9};
    assert_int_equal(kernel_boot(&config, &kernel), TN_OK);
    assert_int_equal(kernel->config.fibers_max, 7);
    assert_int_equal(kernel->config.spin, 9);
    kernel_destroy(kernel);
}

/* The last CPUs are the compute pool's and those of actors that block; at least one is left. */
static void test_teams(void **state)
{
    (void)state;
    struct kernel *kernel = NULL;
    machine_open(6, 16 * MIB);
    assert_int_equal(kernel_boot(&(struct kernel_config){.compute = 3, .blocking = 2}, &kernel),
                     TN_OK);
    assert_int_equal(kernel->ncpus, 6);
    assert_int_equal(kernel->workers.n, 1);
    assert_ptr_equal(kernel_worker(kernel, 3), kernel->cpu[0]);
    assert_ptr_equal(kernel_computer(kernel, 0), kernel->cpu[1]);
    assert_ptr_equal(kernel_computer(kernel, 5), kernel->cpu[3]);
    assert_ptr_equal(kernel_blocker(kernel, 1), kernel->cpu[5]);
    EXPECT_PANIC((void)kernel_blocker(kernel, 2));
    EXPECT_PANIC((void)kernel_blocker(kernel, TN_BLOCKING_MAX));
    for (uint32_t i = 0; i < 6; i++) {
        const struct team *team = kernel->cpu[i]->team;
        assert_true(i >= team->first && i < team->first + team->n);
        assert_int_equal(cpu_is_alone(kernel->cpu[i]), i >= 4);
    }
    kernel_destroy(kernel);
}

/* More than there may be is refused, and before anything was taken from the machine. */
static void test_too_many(void **state)
{
    (void)state;
    const struct kernel_config wrong[] = {
        {.compute = 6},
        {.blocking = 6},
        {.compute = 3, .blocking = 3},
        {.compute = TN_COMPUTE_MAX + 1},
        {.blocking = TN_BLOCKING_MAX + 1},
        {.compute = UINT32_MAX, .blocking = 1},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct kernel *kernel = NULL;
        machine_open(i < 3 ? 6 : TN_THREADS_MAX, 16 * MIB);
        assert_int_equal(kernel_boot(&wrong[i], &kernel), TN_EINVAL);
        assert_null(kernel);
        assert_int_equal(machine.stacks, 0);
    }
    struct kernel_config most = {.compute = TN_COMPUTE_MAX, .blocking = TN_BLOCKING_MAX};
    struct kernel *kernel = NULL;
    machine_open(TN_THREADS_MAX, 16 * MIB);
    assert_int_equal(kernel_boot(&most, &kernel), TN_OK);
    assert_int_equal(kernel->workers.n, TN_CPUS_MAX);
    kernel_destroy(kernel);
    most.blocking--; /* one more ordinary CPU than there may be */
    assert_int_equal(kernel_boot(&most, &kernel), TN_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_the_first_region_that_is_available_is_taken),
        cmocka_unit_test(test_no_stack_for_a_cpu),
        cmocka_unit_test(test_few_stacks),
        cmocka_unit_test(test_teams),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_defaults),
    };
    return cmocka_run_group_tests_name("kernel_boot", tests, NULL, NULL);
}
