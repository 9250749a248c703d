/* litmus_test.c: the memory order that the simulator shows is that of x86: what it allows is seen
 * under some seed, what it forbids under none. Names of the tests as in the literature (Alglave,
 * Maranget, Tautschnig, "Herding Cats", TOPLAS 2014). */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "kernel/machine.h"
#include "machine/sim/sim.h"

enum { SEEDS_DEFAULT = 400, SEEDS_FOUND = 400, MEMORY_BYTES = 2 * 1024 * 1024, WORDS = 4 };

/* Words that start at 0, and what each CPU read. */
static struct {
    atomic_u32 word[WORDS];
    atomic_ptr pointer;
    uint32_t saw[4][2];
    uint64_t plain[4];
} mem;

static struct sim_stats run(uint64_t seed, uint32_t cpus, void (*entry)(void *, uint32_t))
{
    struct sim_machine config = {.seed = seed,
                                 .cpus = cpus,
                                 .memory_bytes = MEMORY_BYTES,
                                 .schedule = seed % 2 == 0 ? SIM_RANDOM : SIM_PCT,
                                 .pct_steps = 30};
    memset(&mem, 0, sizeof(mem));
    assert_int_equal(sim_machine_init(&config), 0);
    machine_run(entry, NULL);
    struct sim_stats stats = sim_machine_stats();
    sim_machine_destroy();
    assert_false(stats.deadlock || stats.hung);
    return stats;
}

/* Under how many of the seeds `seen` holds after a run. */
static uint32_t count(uint32_t cpus, void (*entry)(void *, uint32_t), bool (*seen)(void))
{
    uint32_t found = 0;
    for (uint64_t seed = SIM_BEGIN; sim_next_seed(SEEDS_DEFAULT, &seed);) {
        (void)run(seed, cpus, entry);
        found += seen();
    }
    return found;
}

/* The same under seeds that do not depend on the environment: an outcome is to be found. */
static uint32_t count_found(uint32_t cpus, void (*entry)(void *, uint32_t), bool (*seen)(void))
{
    uint32_t found = 0;
    for (uint64_t seed = 0; seed < SEEDS_FOUND; seed++) {
        (void)run(seed, cpus, entry);
        found += seen();
    }
    return found;
}

/* SB: each stores to its word and reads the other's. */

static bool both_read_0(void)
{
    return mem.saw[0][0] == 0 && mem.saw[1][0] == 0;
}

static void sb(uint32_t cpu, int store, int load)
{
    at_store(&mem.word[cpu], 1, store);
    mem.saw[cpu][0] = at_load(&mem.word[cpu ^ 1], load);
}

static void sb_relaxed(void *arg, uint32_t cpu)
{
    (void)arg;
    sb(cpu, RELAXED, RELAXED);
}

static void sb_release(void *arg, uint32_t cpu)
{
    (void)arg;
    sb(cpu, RELEASE, ACQUIRE);
}

/* A load that is SEQ_CST drains nothing: it is the store that must be. */
static void sb_load_only(void *arg, uint32_t cpu)
{
    (void)arg;
    sb(cpu, RELEASE, SEQ_CST);
}

static void sb_light_only(void *arg, uint32_t cpu)
{
    (void)arg;
    at_store(&mem.word[cpu], 1, RELAXED);
    at_fence_light();
    mem.saw[cpu][0] = at_load(&mem.word[cpu ^ 1], RELAXED);
}

static void sb_seq_cst(void *arg, uint32_t cpu)
{
    (void)arg;
    sb(cpu, SEQ_CST, SEQ_CST);
}

/* A read-modify-write between the two, of another word and of any order. */
static void sb_rmw(void *arg, uint32_t cpu)
{
    (void)arg;
    at_store(&mem.word[cpu], 1, RELAXED);
    (void)at_add(&mem.word[2 + cpu], 1, RELAXED);
    mem.saw[cpu][0] = at_load(&mem.word[cpu ^ 1], RELAXED);
}

static void sb_asymmetric(void *arg, uint32_t cpu)
{
    (void)arg;
    at_store(&mem.word[cpu], 1, RELAXED);
    if (cpu == 0)
        at_fence_light();
    else
        machine_barrier();
    mem.saw[cpu][0] = at_load(&mem.word[cpu ^ 1], RELAXED);
}

static void test_store_buffering(void **state)
{
    (void)state;
    assert_true(count_found(2, sb_relaxed, both_read_0) > 0);
    assert_true(count_found(2, sb_release, both_read_0) > 0);
    assert_true(count_found(2, sb_load_only, both_read_0) > 0);
    assert_true(count_found(2, sb_light_only, both_read_0) > 0);
    assert_int_equal(count(2, sb_seq_cst, both_read_0), 0);
    assert_int_equal(count(2, sb_rmw, both_read_0), 0);
    assert_int_equal(count(2, sb_asymmetric, both_read_0), 0);
}

static void test_stores_at_once(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS_FOUND; seed++) {
        struct sim_machine config = {
            .seed = seed, .cpus = 2, .memory_bytes = MEMORY_BYTES, .stores_at_once = true};
        memset(&mem, 0, sizeof(mem));
        assert_int_equal(sim_machine_init(&config), 0);
        machine_run(sb_relaxed, NULL);
        assert_int_equal(sim_machine_stats().drains, 0);
        assert_false(both_read_0());
        sim_machine_destroy();
    }
}

/* MP: a message and the flag that says it is there; plain, and atomic. */

static void mp(void *arg, uint32_t cpu)
{
    (void)arg;
    if (cpu == 0) {
        mem.plain[0] = 42;
        at_store(&mem.word[0], 1, RELAXED);
        at_store(&mem.word[1], 1, RELEASE);
    } else {
        mem.saw[1][0] = at_load(&mem.word[1], ACQUIRE);
        mem.saw[1][1] = at_load(&mem.word[0], RELAXED);
        mem.plain[1] = mem.saw[1][0] == 1 ? mem.plain[0] : 42;
    }
}

static bool mp_broken(void)
{
    return (mem.saw[1][0] == 1 && mem.saw[1][1] == 0) || mem.plain[1] != 42;
}

static bool mp_late(void)
{
    return mem.saw[1][0] == 0 && mem.saw[1][1] == 1;
}

static void test_message_passing(void **state)
{
    (void)state;
    assert_int_equal(count(2, mp, mp_broken), 0);
    assert_true(count_found(2, mp, mp_late) > 0);
}

/* LB: each reads the other's word, then stores to its own: no store comes before a load. */

static void lb(void *arg, uint32_t cpu)
{
    (void)arg;
    mem.saw[cpu][0] = at_load(&mem.word[cpu ^ 1], RELAXED);
    at_store(&mem.word[cpu], 1, RELAXED);
}

static bool both_read_1(void)
{
    return mem.saw[0][0] == 1 && mem.saw[1][0] == 1;
}

static void test_load_buffering(void **state)
{
    (void)state;
    assert_int_equal(count(2, lb, both_read_1), 0);
}

/* IRIW: two writers; both readers see them in one order, for there is one memory. */

static void iriw(void *arg, uint32_t cpu)
{
    (void)arg;
    if (cpu < 2) {
        at_store(&mem.word[cpu], 1, RELAXED);
        return;
    }
    mem.saw[cpu][0] = at_load(&mem.word[cpu % 2], RELAXED);
    mem.saw[cpu][1] = at_load(&mem.word[cpu % 2 ^ 1], RELAXED);
}

static bool readers_disagree(void)
{
    return mem.saw[2][0] == 1 && mem.saw[2][1] == 0 && mem.saw[3][0] == 1 && mem.saw[3][1] == 0;
}

static void test_independent_reads(void **state)
{
    (void)state;
    assert_int_equal(count(4, iriw, readers_disagree), 0);
}

/* A CPU reads its own stores, the youngest, whatever the size of the word, while they wait. */

static void own_stores(void *arg, uint32_t cpu)
{
    static atomic_of(uint8_t) byte[2];
    static atomic_u64 wide[2];
    uint32_t other = 0;
    (void)arg;
    for (uint32_t i = 1; i <= 20; i++) {
        at_store(&mem.word[cpu], i, RELAXED);
        at_store(&byte[cpu], (uint8_t)(i + 250), RELEASE);
        at_store(&wide[cpu], UINT64_MAX - i, RELAXED);
        at_store(&mem.word[2 + cpu], 3 * i, RELAXED);
        mem.saw[cpu][0] += at_load(&mem.word[cpu], RELAXED) != i ||
                           at_load(&byte[cpu], ACQUIRE) != (uint8_t)(i + 250) ||
                           at_load(&wide[cpu], SEQ_CST) != UINT64_MAX - i ||
                           at_load(&mem.word[2 + cpu], RELAXED) != 3 * i;
        uint32_t seen = at_load(&mem.word[cpu ^ 1], RELAXED);
        mem.saw[cpu][0] += seen < other;
        other = seen;
    }
    mem.saw[cpu][0] += at_add(&mem.word[cpu], 1, RELAXED) != 20;
}

static bool own_stores_lost(void)
{
    return mem.saw[0][0] + mem.saw[1][0] > 0 || mem.word[0] != 21 || mem.word[3] != 60;
}

static void test_own_stores_are_seen(void **state)
{
    (void)state;
    assert_int_equal(count(2, own_stores, own_stores_lost), 0);
}

/* More CPUs and pointers: what is published behind a pointer is whole. */

struct letter {
    uint64_t head, tail;
};

static void publish(void *arg, uint32_t cpu)
{
    static struct letter letters[64];
    (void)arg;
    if (cpu == 0) {
        for (uint64_t i = 0; i < ARRAY_LEN(letters); i++) {
            letters[i] = (struct letter){i + 1, i + 1};
            at_store(&mem.pointer, &letters[i], RELEASE);
        }
        return;
    }
    for (uint32_t i = 0; i < 64; i++) {
        const struct letter *letter = at_load(&mem.pointer, ACQUIRE);
        mem.saw[cpu % 4][0] +=
            letter != NULL && (letter->head == 0 || letter->head != letter->tail);
    }
}

static bool letter_torn(void)
{
    return mem.saw[1][0] + mem.saw[2][0] + mem.saw[3][0] > 0;
}

static void test_publish(void **state)
{
    (void)state;
    assert_int_equal(count(4, publish, letter_torn), 0);
}

static void test_drains_are_decisions(void **state)
{
    (void)state;
    uint32_t differ = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct sim_stats a = run(seed, 2, own_stores), b = run(seed, 2, own_stores);
        assert_int_equal(a.trace_hash, b.trace_hash);
        assert_int_equal(a.drains, b.drains);
        assert_true(a.drains >= 20 * 4 * 2);
        struct sim_stats c = run(seed + 1, 2, own_stores);
        differ += a.trace_hash != c.trace_hash;
    }
    assert_int_equal(differ, 50);
}

/* Mistakes that a real x86 would forgive and the simulator cannot: each says what to do. */

static uint32_t use_again(uint32_t cpu, bool properly)
{
    at_store(&mem.word[cpu], 1, RELAXED);
    if (properly)
        at_init(&mem.word[cpu], 2);
    else
        memset(&mem.word[cpu], 2, sizeof(mem.word[cpu]));
    return at_add(&mem.word[2], 1, RELAXED);
}

static void use_again_properly(void *arg, uint32_t cpu)
{
    (void)arg;
    (void)use_again(cpu, true);
}

static void use_again_plainly(void *arg, uint32_t cpu)
{
    (void)arg;
    (void)use_again(cpu, false);
}

static void init_of_another(void *arg, uint32_t cpu)
{
    (void)arg;
    at_store(&mem.word[cpu], 1, RELAXED);
    race_point();
    at_init(&mem.word[cpu ^ 1], 0);
}

/* The signal that ends a run under any of 20 seeds, in a fork, with what it says in ret_text. */
static int run_child(void (*entry)(void *, uint32_t), char *ret_text, size_t text_bytes)
{
    int ends[2], status = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)dup2(ends[1], STDERR_FILENO);
        (void)unsetenv("SEED"); /* any of them must do */
        for (uint64_t seed = SIM_BEGIN; sim_next_seed(20, &seed);)
            (void)run(seed, 2, entry);
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
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void test_next_life_of_a_word(void **state)
{
    (void)state;
    char text[4096];
    assert_int_equal(run_child(use_again_properly, text, sizeof(text)), 0);
    assert_int_equal(run_child(use_again_plainly, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "begin its next life with at_init"));
    assert_int_equal(run_child(init_of_another, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "at_init of a word whose store still waits"));
    assert_non_null(strstr(text, "./dev sim --seed "));
    assert_non_null(strstr(text, " sim_litmus\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_buffering),
        cmocka_unit_test(test_stores_at_once),
        cmocka_unit_test(test_message_passing),
        cmocka_unit_test(test_load_buffering),
        cmocka_unit_test(test_independent_reads),
        cmocka_unit_test(test_own_stores_are_seen),
        cmocka_unit_test(test_publish),
        cmocka_unit_test(test_drains_are_decisions),
        cmocka_unit_test(test_next_life_of_a_word),
    };
    return cmocka_run_group_tests_name("memory order of the simulator", tests, NULL, NULL);
}
