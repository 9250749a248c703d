/* contract_test.c: what machine.h promises, held against whichever machine it is built with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <tenon/limits.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "kernel/machine.h"
#include "machine/common/fiber_checks.h"
#include "machine/setup_test.h"

enum { BLOCK_BYTES = 2 * 1024 * 1024, MEMORY_BYTES = 3 * BLOCK_BYTES, PAGE_BYTES = 4096 };
enum { PING_PONGS = 1000, FENCE_ROUNDS = 1000, LITMUS_ROUNDS = 10000, MEET_LOOKS = 4000 };

static int set_up_two(void **state)
{
    (void)state;
    return setup_machine(2, MEMORY_BYTES);
}

static int tear_down(void **state)
{
    (void)state;
    setup_end();
    return 0;
}

static bool all_zero(const unsigned char *at, size_t bytes)
{
    return at[0] == 0 && memcmp(at, at + 1, bytes - 1) == 0;
}

static void test_region(void **state)
{
    (void)state;
    struct machine_region region = {0};
    assert_true(machine_region(0, &region));
    assert_int_equal(region.kind, MACHINE_AVAILABLE);
    assert_int_equal(region.size_bytes, MEMORY_BYTES);
    assert_int_equal((uintptr_t)region.base % BLOCK_BYTES, 0);
    assert_true(all_zero(region.base, MEMORY_BYTES));
    assert_false(machine_region(1, &region));
    unsigned char *at = region.base;
    memset(at, 0xa5, MEMORY_BYTES);
    machine_pages_release(at + BLOCK_BYTES, BLOCK_BYTES);
    assert_int_equal(at[BLOCK_BYTES - 1], 0xa5);
    assert_true(all_zero(at + BLOCK_BYTES, BLOCK_BYTES));
    assert_int_equal(at[2 * (size_t)BLOCK_BYTES], 0xa5);
    machine_pages_release(at, MEMORY_BYTES);
    assert_true(all_zero(at, MEMORY_BYTES));
    machine_pages_release(at + MEMORY_BYTES, 0);
}

/* A function that returns 1742, as data; in assembly, by CPU. */
extern const unsigned char code_sample[], code_sample_end[];

static void test_code(void **state)
{
    (void)state;
    size_t bytes = 2 * PAGE_BYTES;
    unsigned char *code = machine_code_get(bytes);
    assert_non_null(code);
    assert_true(all_zero(code, bytes));
    memcpy(code, code_sample, (size_t)(code_sample_end - code_sample));
    code[PAGE_BYTES] = 42;
    assert_true(machine_code_seal(code, bytes, PAGE_BYTES));
    int (*function)(void) = (int (*)(void))(uintptr_t)code;
    assert_int_equal(function(), 1742);
    assert_int_equal(code[PAGE_BYTES], 42);
    machine_code_put(code, bytes);
    machine_code_put(NULL, bytes);
}

static void test_stacks(void **state)
{
    (void)state;
    enum { STACKS = 100 };
    unsigned char *stacks[STACKS];
    for (uint32_t i = 0; i < STACKS; i++) {
        stacks[i] = machine_stack_get(TN_FIBER_STACK);
        assert_non_null(stacks[i]);
        assert_int_equal((uintptr_t)stacks[i] % PAGE_BYTES, 0);
        memset(stacks[i], (int)i, TN_FIBER_STACK);
    }
    for (uint32_t i = 0; i < STACKS; i++) {
        assert_int_equal(stacks[i][0], i);
        assert_int_equal(stacks[i][TN_FIBER_STACK - 1], i);
    }
    unsigned char *last = stacks[STACKS - 1];
    for (uint32_t i = 0; i < STACKS; i++)
        machine_stack_put(stacks[i], TN_FIBER_STACK);
    assert_ptr_equal(machine_stack_get(TN_FIBER_STACK), last);
    machine_stack_put(last, TN_FIBER_STACK);
    machine_stack_put(NULL, TN_FIBER_STACK);
}

static void test_stack_sizes(void **state)
{
    (void)state;
    enum { SIZES_MAX = 8 };
    void *stacks[SIZES_MAX];
    for (size_t i = 0; i < SIZES_MAX; i++) {
        stacks[i] = machine_stack_get((i + 1) * PAGE_BYTES);
        assert_non_null(stacks[i]);
    }
    assert_null(machine_stack_get((SIZES_MAX + 1) * (size_t)PAGE_BYTES));
    for (size_t i = 0; i < SIZES_MAX; i++)
        machine_stack_put(stacks[i], (i + 1) * PAGE_BYTES);
}

struct fiber_results {
    const char *wrong[5];
    uint32_t ran;
};

static void fibers_entry(void *arg, uint32_t cpu)
{
    struct fiber_results *results = arg;
    if (cpu != 0)
        return;
    results->wrong[0] = fiber_check_switches();
    results->wrong[1] = fiber_check_nesting();
    results->wrong[2] = fiber_check_alignment();
    results->wrong[3] = fiber_check_registers();
    results->wrong[4] = fiber_check_reuse();
    results->ran = 1;
}

static void test_fibers(void **state)
{
    (void)state;
    struct fiber_results results = {0};
    machine_run(fibers_entry, &results);
    assert_int_equal(results.ran, 1);
    for (size_t i = 0; i < ARRAY_LEN(results.wrong); i++)
        if (results.wrong[i] != NULL)
            fail_msg("%s", results.wrong[i]);
}

struct runs {
    atomic_u32 entries, bits;
};

static void run_entry(void *arg, uint32_t cpu)
{
    struct runs *runs = arg;
    at_add(&runs->entries, 1, RELAXED);
    at_or(&runs->bits, 1u << cpu % 32, RELAXED);
}

static void test_run_again(void **state)
{
    (void)state;
    assert_int_equal(machine_cpu_count(), 2);
    struct runs runs = {0};
    for (uint32_t i = 1; i <= 3; i++) {
        machine_run(run_entry, &runs);
        assert_int_equal(runs.entries, 2 * i);
        assert_int_equal(runs.bits, 3);
    }
}

/* An unpark from before is remembered once: the second park must take its deadline to return. */
struct remembered {
    uint64_t first_ns, second_ns;
};

static void remembered_entry(void *arg, uint32_t cpu)
{
    struct remembered *seen = arg;
    if (cpu != 0)
        return;
    machine_unpark(0);
    machine_unpark(0);
    machine_park(0, UINT64_MAX);
    seen->first_ns = machine_now_ns();
    uint64_t until_ns = seen->first_ns + 1000000;
    while (machine_now_ns() < until_ns)
        machine_park(0, until_ns);
    seen->second_ns = machine_now_ns();
}

static void test_unpark_is_remembered(void **state)
{
    (void)state;
    struct remembered seen = {0};
    machine_run(remembered_entry, &seen);
    assert_true(seen.second_ns >= seen.first_ns + 1000000);
}

/* Each CPU waits for its turn asleep, with no deadline: one lost wake-up and the run never ends. */
struct ping_pong {
    atomic_u32 turn;
    uint64_t data; /* not atomic: `turn` orders it */
};

static void ping_pong_entry(void *arg, uint32_t cpu)
{
    struct ping_pong *game = arg;
    for (uint32_t i = 0; i < PING_PONGS; i++) {
        while (at_load(&game->turn, ACQUIRE) % 2 != cpu)
            machine_park(cpu, UINT64_MAX);
        game->data++;
        at_add(&game->turn, 1, RELEASE);
        machine_unpark(cpu ^ 1);
    }
}

static void test_no_lost_wake_up(void **state)
{
    (void)state;
    struct ping_pong game = {0};
    machine_run(ping_pong_entry, &game);
    assert_int_equal(game.turn, 2 * PING_PONGS);
    assert_int_equal(game.data, 2 * PING_PONGS);
}

/* Dekker's lock, asymmetric: CPU 0 comes often and goes through the light half, CPU 1 through the
 * heavy one. No other operation gives an order, and what they guard is not atomic, so that
 * ThreadSanitizer judges the pair as well. */
struct asymmetric {
    atomic_u32 often, seldom, done;
    uint32_t inside; /* guarded */
    uint64_t sum;    /* guarded */
    uint32_t overlaps;
};

static void guarded(struct asymmetric *game)
{
    game->overlaps += game->inside++ != 0;
    game->sum++;
    race_point(); /* the other may try to come in */
    game->overlaps += --game->inside != 0;
}

static void asymmetric_often(struct asymmetric *game, uint32_t *times)
{
    while (at_load(&game->done, RELAXED) == 0) {
        at_store(&game->often, 1, RELAXED);
        at_fence_light();
        if (at_load(&game->seldom, RELAXED) == 0) {
            at_fence_light();
            guarded(game);
            at_fence_light();
            (*times)++;
        }
        at_store(&game->often, 0, RELAXED);
        while (at_load(&game->seldom, RELAXED) != 0)
            machine_relax();
    }
}

static void asymmetric_seldom(struct asymmetric *game)
{
    for (uint32_t i = 0; i < FENCE_ROUNDS; i++) {
        at_store(&game->seldom, 1, RELAXED);
        machine_barrier();
        while (at_load(&game->often, RELAXED) != 0)
            machine_relax();
        machine_barrier();
        guarded(game);
        machine_barrier();
        at_store(&game->seldom, 0, RELAXED);
    }
    at_store(&game->done, 1, RELAXED);
}

struct asymmetric_run {
    struct asymmetric game;
    uint32_t times;
};

static void asymmetric_entry(void *arg, uint32_t cpu)
{
    struct asymmetric_run *run = arg;
    if (cpu == 0)
        asymmetric_often(&run->game, &run->times);
    else
        asymmetric_seldom(&run->game);
}

static void test_asymmetric_fence(void **state)
{
    (void)state;
    struct asymmetric_run run = {0};
    machine_run(asymmetric_entry, &run);
    assert_int_equal(run.game.overlaps, 0);
    assert_int_equal(run.game.sum, run.times + FENCE_ROUNDS);
}

/* The bare litmus test, a pair of words a round: not both may read 0. */
struct litmus {
    atomic_u32 light[LITMUS_ROUNDS], heavy[LITMUS_ROUNDS], begun[2];
    uint32_t light_saw[LITMUS_ROUNDS], heavy_saw[LITMUS_ROUNDS];
};

/* Waits for the other CPU to come to this round, but not for ever: there may be one real CPU. Then
 * each waits a little, differently in every round, so that they meet at every distance. */
static void litmus_meet(struct litmus *litmus, uint32_t cpu, uint32_t round)
{
    at_store(&litmus->begun[cpu], round + 1, RELEASE);
    for (uint32_t i = 0; i < MEET_LOOKS && at_load(&litmus->begun[cpu ^ 1], ACQUIRE) <= round; i++)
        machine_relax();
    for (volatile uint32_t i = 0; i < (round * 37 + cpu * 11 * round) % 64; i++)
        ;
}

static void litmus_entry(void *arg, uint32_t cpu)
{
    struct litmus *litmus = arg;
    for (uint32_t i = 0; i < LITMUS_ROUNDS; i++) {
        litmus_meet(litmus, cpu, i);
        if (cpu == 0) {
            at_store(&litmus->light[i], 1, RELAXED);
            at_fence_light();
            litmus->light_saw[i] = at_load(&litmus->heavy[i], RELAXED);
        } else {
            at_store(&litmus->heavy[i], 1, RELAXED);
            machine_barrier();
            litmus->heavy_saw[i] = at_load(&litmus->light[i], RELAXED);
        }
    }
}

static void test_barrier_litmus(void **state)
{
    (void)state;
    static struct litmus litmus;
    memset(&litmus, 0, sizeof(litmus));
    machine_run(litmus_entry, &litmus);
    for (uint32_t i = 0; i < LITMUS_ROUNDS; i++)
        assert_true(litmus.light_saw[i] + litmus.heavy_saw[i] > 0);
}

static void test_time_and_entropy(void **state)
{
    (void)state;
    uint64_t last_ns = machine_now_ns();
    for (uint32_t i = 0; i < 1000; i++) {
        uint64_t now_ns = machine_now_ns();
        assert_true(now_ns >= last_ns);
        last_ns = now_ns;
    }
    assert_true(machine_wall_ns() > UINT64_C(1700000000) * 1000000000);
    unsigned char a[1000] = {0}, b[1000] = {0};
    machine_random(a, sizeof(a));
    machine_random(b, sizeof(b) - 1);
    assert_memory_not_equal(a, b, sizeof(a) - 1);
    assert_int_equal(b[sizeof(b) - 1], 0);
    assert_false(all_zero(a + sizeof(a) - 32, 32));
}

static void test_setup_limits(void **state)
{
    (void)state;
    assert_true(setup_machine(TN_THREADS_MAX + 1, MEMORY_BYTES) < 0);
    assert_true(setup_machine(1, 0) < 0);
    assert_true(setup_machine(1, MEMORY_BYTES + PAGE_BYTES) < 0);
    assert_true(setup_machine(1, UINT64_MAX - BLOCK_BYTES + 1) < 0);
    struct machine_region region;
    assert_false(machine_region(0, &region));
    assert_int_equal(setup_machine(TN_THREADS_MAX, BLOCK_BYTES), 0);
    assert_int_equal(machine_cpu_count(), TN_THREADS_MAX);
    assert_int_equal(machine_node(0), 0);
    struct runs runs = {0};
    machine_run(run_entry, &runs);
    assert_int_equal(runs.entries, TN_THREADS_MAX);
    setup_end();
    setup_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_region, set_up_two, tear_down),
        cmocka_unit_test_setup_teardown(test_code, set_up_two, tear_down),
        cmocka_unit_test_setup_teardown(test_stacks, set_up_two, tear_down),
        cmocka_unit_test_setup_teardown(test_stack_sizes, set_up_two, tear_down),
        cmocka_unit_test_setup_teardown(test_fibers, set_up_two, tear_down),
        cmocka_unit_test_setup_teardown(test_run_again, set_up_two, tear_down),
        cmocka_unit_test_setup_teardown(test_unpark_is_remembered, set_up_two, tear_down),
        cmocka_unit_test_setup_teardown(test_no_lost_wake_up, set_up_two, tear_down),
        cmocka_unit_test_setup_teardown(test_asymmetric_fence, set_up_two, tear_down),
        cmocka_unit_test_setup_teardown(test_barrier_litmus, set_up_two, tear_down),
        cmocka_unit_test_setup_teardown(test_time_and_entropy, set_up_two, tear_down),
        cmocka_unit_test(test_setup_limits),
    };
    return cmocka_run_group_tests_name("machine contract", tests, NULL, NULL);
}
