/* wheel_test.c: the timing wheel against a plain list: order, never early, never late, and when to
 * wake up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/bits.h"
#include "kernel/time/wheel.h"

enum { TIMERS = 300 };
#define TICK ((uint64_t)WHEEL_TICK_NS)

static uint64_t random_state;

static uint64_t random64(void)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    uint64_t high = random_state >> 32;
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return high << 32 | random_state >> 32;
}

/* The model: who is armed, from which tick on, in which order. */
struct model {
    struct wheel wheel;
    struct wheel_timer timer[TIMERS];
    bool armed[TIMERS];
    uint64_t tick[TIMERS], order[TIMERS];
    uint64_t orders, count, now_ns;
};

/* The wheel's tick is behind the clock while there is more to do than there were steps for. */
static uint64_t tick_of(const struct model *m, uint64_t at_ns)
{
    uint64_t up = at_ns / TICK + (at_ns % TICK != 0), now = m->wheel.tick;
    return up > now ? up : now;
}

static struct model *model_new(uint64_t now_ns)
{
    struct model *m = calloc(1, sizeof(*m));
    assert_non_null(m);
    m->now_ns = now_ns;
    wheel_init(&m->wheel, now_ns);
    for (uint32_t i = 0; i < TIMERS; i++)
        wheel_timer_init(&m->timer[i]);
    return m;
}

static void model_add(struct model *m, uint32_t i, uint64_t at_ns)
{
    wheel_add(&m->wheel, &m->timer[i], at_ns);
    m->armed[i] = true;
    m->tick[i] = tick_of(m, at_ns);
    m->order[i] = m->orders++;
    m->count++;
}

static void model_cancel(struct model *m, uint32_t i)
{
    assert_int_equal(wheel_cancel(&m->wheel, &m->timer[i]), m->armed[i]);
    m->count -= m->armed[i];
    m->armed[i] = false;
}

/* The armed timer that must fire first; TIMERS when there is none. */
static uint32_t model_first(const struct model *m)
{
    uint32_t first = TIMERS;
    for (uint32_t i = 0; i < TIMERS; i++) {
        if (!m->armed[i])
            continue;
        if (first == TIMERS || m->tick[i] < m->tick[first] ||
            (m->tick[i] == m->tick[first] && m->order[i] < m->order[first]))
            first = i;
    }
    return first;
}

static bool is_one_tick(const struct list *slot)
{
    uint64_t first = 0;
    for (const struct list *link = slot->next; link != slot; link = link->next) {
        uint64_t at_ns = CONTAINER_OF(link, const struct wheel_timer, link)->at_ns;
        uint64_t due = at_ns / TICK + (at_ns % TICK != 0);
        if (link == slot->next)
            first = due;
        if (due != first)
            return false;
    }
    return true;
}

static void check_occupied(const struct model *m)
{
    assert_int_equal(m->wheel.armed, m->count);
    for (uint32_t level = 0; level < WHEEL_LEVELS; level++)
        for (uint32_t i = 0; i < WHEEL_SLOTS; i++)
            assert_int_equal(m->wheel.occupied[level] >> i & 1,
                             !list_empty(&m->wheel.slot[level][i]));
    for (uint32_t level = 1; level < WHEEL_LEVELS; level++)
        for (uint32_t i = 0; i < WHEEL_SLOTS; i++)
            assert_true((m->wheel.mixed[level] >> i & 1) != 0 ||
                        is_one_tick(&m->wheel.slot[level][i]));
    for (uint32_t i = 0; i < TIMERS; i++)
        assert_int_equal(wheel_armed(&m->timer[i]), m->armed[i]);
}

/* Pops one that is due at now_ns, in at most this many steps, and compares; false: none was due, or
 * the steps were used up, of which *ret_left is what was left. */
static bool model_pop(struct model *m, uint32_t steps, uint32_t *ret_left)
{
    uint32_t first = model_first(m), left = steps;
    bool due = first != TIMERS && m->tick[first] <= m->now_ns / TICK;
    struct wheel_timer *timer = wheel_pop_due(&m->wheel, m->now_ns, &left);
    assert_true(left <= steps);
    *ret_left = left;
    if (timer == NULL) {
        assert_true(!due || left == 0);
        return false;
    }
    assert_true(due && left < steps);
    assert_ptr_equal(timer, &m->timer[first]);
    assert_true(timer->at_ns <= m->now_ns);
    m->armed[first] = false;
    m->count--;
    return true;
}

/* The next wake-up is not too late, also in the middle of a cascade. */
static void check_next(const struct model *m)
{
    uint64_t next_ns = wheel_next_ns(&m->wheel);
    uint32_t first = model_first(m);
    if (first == TIMERS)
        assert_int_equal(next_ns, UINT64_MAX);
    else if (m->tick[first] <= UINT64_MAX / TICK)
        assert_true(next_ns <= m->tick[first] * TICK);
}

/* Pops all that is due at now_ns, or stops when so many steps are used up; each look has a few. */
static void model_advance_by(struct model *m, uint64_t now_ns, uint32_t most)
{
    m->now_ns = now_ns;
    uint32_t left = 0;
    for (uint32_t steps; most > 0; most -= steps - left) {
        steps = 1 + (uint32_t)(random64() % 9);
        steps = steps < most ? steps : most;
        if (!model_pop(m, steps, &left) && left > 0)
            break;
        check_next(m);
    }
    if (most == 0)
        return;
    check_next(m);
    assert_true(wheel_next_ns(&m->wheel) > now_ns || now_ns == UINT64_MAX);
}

static void model_advance(struct model *m, uint64_t now_ns)
{
    model_advance_by(m, now_ns, UINT32_MAX);
}

/* Spans from below a tick to beyond the reach of the wheel. */
static uint64_t random_span(void)
{
    return random64() >> (1 + random64() % 63);
}

static void test_against_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        random_state = seed;
        struct model *m = model_new(seed % 3 == 0 ? 0 : random64() >> 20);
        for (uint32_t op = 0; op < 3000; op++) {
            uint32_t i = (uint32_t)(random64() % TIMERS);
            switch (random64() % 8) {
            case 0:
                model_advance(m, m->now_ns + random_span() % (TICK * 1000));
                break;
            case 1:
                model_advance(m, m->now_ns + (random_span() >> (10 + random64() % 40)));
                break;
            case 2:
                model_advance_by(m, m->now_ns + random_span() % (TICK * 10000),
                                 1 + (uint32_t)(random64() % 99));
                model_cancel(m, i);
                break;
            case 3:
                model_cancel(m, i);
                model_add(m, i, m->now_ns - m->now_ns / (1 + random64() % 9));
                break;
            case 4:
                model_cancel(m, i);
                model_add(m, i, m->now_ns + random64() % (TICK * 8));
                break;
            default:
                model_cancel(m, i);
                model_add(m, i, m->now_ns + random_span() / 2);
                break;
            }
            if (op % 64 == 0)
                check_occupied(m);
        }
        /* Sleep from wake-up to wake-up until all have fired. */
        uint64_t wakes = 0, left = m->count;
        while (m->count > 0) {
            uint64_t next_ns = wheel_next_ns(&m->wheel);
            assert_true(next_ns != UINT64_MAX);
            if (next_ns > m->now_ns)
                wakes++;
            uint64_t far = (next_ns >> 52) - (m->now_ns >> 52);
            wakes -= far < wakes ? far : wakes;
            model_advance(m, next_ns > m->now_ns ? next_ns : m->now_ns);
        }
        assert_true(wakes <= left * (WHEEL_LEVELS + 1));
        check_occupied(m);
        free(m);
    }
}

/* Around each tick and each power of 64 of them: the tick before, at, after. */
static void test_edges(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 47; bits++) {
        for (int64_t off = -2; off <= 2; off++) {
            uint64_t base_ns = TICK * 63, at_ns = (UINT64_C(1) << (bits + 16)) + (uint64_t)off;
            if (at_ns <= base_ns)
                base_ns = 0;
            struct model *m = model_new(base_ns);
            model_add(m, 0, at_ns);
            uint64_t due_ns = tick_of(m, at_ns) * TICK;
            if (due_ns > 0) {
                model_advance(m, due_ns - 1);
                assert_int_equal(m->count, due_ns - 1 < base_ns ? 0 : 1);
            }
            model_advance(m, due_ns);
            assert_int_equal(m->count, 0);
            assert_true(due_ns >= at_ns && due_ns - at_ns < TICK);
            free(m);
        }
    }
}

static void test_past_and_never(void **state)
{
    (void)state;
    struct model *m = model_new(1000 * TICK + 5);
    model_add(m, 0, 0);
    model_add(m, 1, m->now_ns);
    model_add(m, 2, 999 * TICK);
    model_add(m, 3, UINT64_MAX);
    model_add(m, 4, UINT64_MAX - TICK);
    assert_int_equal(wheel_next_ns(&m->wheel), 1000 * TICK);
    model_advance(m, m->now_ns);
    assert_int_equal(m->count, 3);
    /* A clock that is read earlier than before changes nothing. */
    uint32_t steps = 1;
    assert_null(wheel_pop_due(&m->wheel, 0, &steps));
    assert_int_equal(steps, 1);
    assert_int_equal(m->wheel.tick, 1000);
    model_advance(m, 1001 * TICK);
    assert_int_equal(m->count, 2);
    model_advance(m, UINT64_MAX);
    assert_int_equal(m->count, 1);
    assert_int_equal(wheel_next_ns(&m->wheel), UINT64_MAX);
    model_cancel(m, 3);
    model_cancel(m, 3);
    check_occupied(m);
    free(m);
}

/* A slot of many moves down in steps: one less than it needs, just what it needs, one more. */
static void test_steps(void **state)
{
    (void)state;
    enum { MANY = 64, SLOT = 64 * 64 * 3 };
    for (uint32_t steps = MANY - 1; steps <= MANY + 1; steps++) {
        struct model *m = model_new(0);
        for (uint32_t i = 0; i < MANY; i++)
            model_add(m, i, (SLOT + 1 + i % 2) * TICK);
        m->now_ns = (SLOT + 1) * TICK;
        uint32_t left = 0;
        assert_int_equal(model_pop(m, steps, &left), steps > MANY);
        assert_int_equal(left, 0);
        assert_int_equal(list_empty(&m->wheel.moving), steps >= MANY);
        /* While it moves the wheel is awake; then it knows when to be. */
        uint64_t next = steps < MANY ? SLOT : SLOT + 1;
        assert_int_equal(wheel_next_ns(&m->wheel), next * TICK);
        check_occupied(m);
        model_advance(m, m->now_ns);
        assert_int_equal(m->count, MANY / 2);
        model_advance(m, (SLOT + 2) * TICK);
        assert_int_equal(m->count, 0);
        free(m);
    }
}

/* What is armed and cancelled while a slot moves keeps the order, and does not make it longer. */
static void test_meanwhile(void **state)
{
    (void)state;
    enum { MANY = 20, SLOT = 64 * 5 };
    struct model *m = model_new(0);
    model_add(m, 2 * MANY, (SLOT + 8) * TICK); /* or they would move as a whole */
    for (uint32_t i = 0; i < MANY; i++)
        model_add(m, i, (SLOT + 7) * TICK);
    m->now_ns = (SLOT + 7) * TICK;
    uint32_t left = 0;
    assert_false(model_pop(m, MANY - 1, &left));
    for (uint32_t i = MANY; i < 2 * MANY; i++)
        model_add(m, i, (i % 2 == 0 ? SLOT + 7 : 1) * TICK);
    model_cancel(m, 0); /* one that still moves, one that has, one that came */
    model_cancel(m, MANY - 1);
    model_cancel(m, MANY);
    model_add(m, 0, (SLOT + 7) * TICK);
    check_occupied(m);
    assert_true(
        model_pop(m, 2, &left)); /* one is left to move: the last one before the first fires */
    assert_int_equal(left, 0);
    model_advance(m, m->now_ns);
    assert_int_equal(m->count, 1);
    model_advance(m, (SLOT + 8) * TICK);
    assert_int_equal(m->count, 0);
    free(m);
}

/* All of one tick move down through every level as a whole, in no steps; one of another tick among
 * them, though it was cancelled, and they move one by one. */
static void test_whole(void **state)
{
    (void)state;
    enum { MANY = 64 };
    const uint64_t reach = UINT64_C(1) << 36, due = reach * 2 - 1;
    for (uint32_t strangers = 0; strangers < 2; strangers++) {
        struct model *m = model_new(0);
        for (uint32_t i = 0; i < MANY; i++) {
            model_add(m, i, due * TICK - i);
            if (i == MANY / 2 && strangers > 0) {
                model_add(m, MANY, (due - 1) * TICK);
                model_cancel(m, MANY);
            }
        }
        m->now_ns = due * TICK;
        uint32_t left = 0;
        assert_int_equal(model_pop(m, 1, &left), strangers == 0);
        assert_int_equal(left, 0);
        check_occupied(m);
        model_add(m, MANY, due * TICK);
        model_advance(m, m->now_ns);
        assert_int_equal(m->count, 0);
        free(m);
    }
}

/* Those beyond the reach of the wheel, of which some stay there, do not move for ever. */
static void test_far(void **state)
{
    (void)state;
    const uint64_t reach = UINT64_C(1) << 36;
    struct model *m = model_new(TICK);
    for (uint32_t i = 0; i < 30; i++)
        model_add(m, i, (reach * (1 + i % 3) + i / 6) * TICK);
    m->now_ns = reach * TICK;
    uint32_t left = 0;
    assert_false(model_pop(m, 29, &left));
    assert_int_equal(wheel_next_ns(&m->wheel), reach * TICK);
    model_add(m, 30, reach * 2 * TICK);
    model_add(m, 31, reach * TICK);
    model_advance(m, m->now_ns);
    assert_int_equal(m->count, 29);
    model_advance(m, (reach * 2 - 1) * TICK);
    assert_int_equal(m->count, 21);
    model_advance(m, reach * 4 * TICK);
    assert_int_equal(m->count, 0);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_model),  cmocka_unit_test(test_edges),
        cmocka_unit_test(test_past_and_never), cmocka_unit_test(test_steps),
        cmocka_unit_test(test_meanwhile),      cmocka_unit_test(test_far),
        cmocka_unit_test(test_whole),
    };
    return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
