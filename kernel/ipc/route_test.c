/* route_test.c: endpoints with several targets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "tests/kit/explore.h"

enum { M_ASK = TN_METHOD(9, 1), TARGETS = 4, ASKS = 600, KEYS = 64 };

struct question {
    uint64_t unused, key;
};

static atomic_u32 answered[TARGETS];
static struct kit_actor *targets[TARGETS];

/* A target is known by its number, which it answers. */
static tn_err target_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    (void)self;
    (void)turn;
    (void)in;
    uint64_t me;
    tn_cap cap = 0;
    for (me = 0; me < TARGETS && tn_need(&"0123"[me], 1, &cap) != TN_OK; me++)
        continue;
    (void)at_add(&answered[me], 1, RELAXED);
    *(uint64_t *)out->data = me;
    out->len = sizeof(me);
    return TN_OK;
}
KIT_ROLE(target, .call = target_call);

static tn_err ask_key(uint64_t key, uint64_t *ret_who)
{
    struct question question = {.unused = key * 3, .key = key};
    struct tn_pack in = {.data = &question, .len = sizeof(question)};
    struct tn_pack out = {.data = ret_who, .size = sizeof(*ret_who)};
    return tn_call(kit_need("service"), M_ASK, &in, &out, TN_NEVER);
}

/* Waits until a killed target is dead for senders: that is at once. */
static void kill_target(uint32_t i)
{
    kit_kill(targets[i]);
}

static void by_weight_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    uint64_t who;
    for (uint32_t i = 0; i < ASKS; i++)
        KIT_CHECK(ask_key(i, &who) == TN_OK);
    /* Weights 1, 3, 0, 2: a hundred, three hundred, none, two hundred of six hundred. */
    KIT_CHECK(at_load(&answered[2], RELAXED) == 0);
    KIT_CHECK(at_load(&answered[0], RELAXED) > 60 && at_load(&answered[0], RELAXED) < 150);
    KIT_CHECK(at_load(&answered[1], RELAXED) > 230 && at_load(&answered[1], RELAXED) < 370);
    KIT_CHECK(at_load(&answered[3], RELAXED) > 140 && at_load(&answered[3], RELAXED) < 270);
    kill_target(0);
    kill_target(1);
    kill_target(3);
    KIT_CHECK(ask_key(0, &who) == TN_EGONE); /* of weight 0 is never */
    kit_done();
}
KIT_ROLE(by_weight, .event = by_weight_event);

static void by_hash_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    uint64_t first[KEYS], who = 0, seen[TARGETS] = {0};
    for (uint64_t key = 0; key < KEYS; key++) {
        KIT_CHECK(ask_key(key, &first[key]) == TN_OK && first[key] < TARGETS);
        seen[first[key] % TARGETS]++;
    }
    for (uint32_t i = 0; i < TARGETS; i++)
        KIT_CHECK(seen[i] > 4); /* sixteen each if all were even */
    kill_target(1);
    for (uint64_t key = 0; key < KEYS; key++) {
        KIT_CHECK(ask_key(key, &who) == TN_OK);
        KIT_CHECK(first[key] == 1 ? who != 1 : who == first[key]); /* only its own keys move */
    }
    kit_done();
}
KIT_ROLE(by_hash, .event = by_hash_event);

static void stand_by_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    uint64_t who = 0;
    for (uint32_t i = 0; i < TARGETS; i++) {
        KIT_CHECK(ask_key(i, &who) == TN_OK && who == i);
        kill_target(i);
    }
    KIT_CHECK(ask_key(0, &who) == TN_EGONE);
    kit_done();
}
KIT_ROLE(stand_by, .event = stand_by_event);

static void per_cpu_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    uint64_t who = 0;
    uint32_t here = fiber_self()->cpu->id;
    KIT_CHECK(ask_key(7, &who) == TN_OK && who == here % TARGETS);
    kit_done();
}
KIT_ROLE(per_cpu, .event = per_cpu_event);

static struct endpoint_route route_now;
static const struct tn_component *driver_now;

static void routed(struct kit *kit)
{
    static const char *const names[TARGETS] = {"0", "1", "2", "3"};
    if (route_now.rule == ROUTE_PER_CPU)
        kit->move = false;
    struct kernel *kernel = kit->kernel;
    route_now.ntargets = TARGETS;
    for (uint32_t i = 0; i < TARGETS; i++) {
        at_init(&answered[i], 0);
        targets[i] = kit_make(kit, "target", &target, i, 4);
        kit_give(targets[i], names[i], note_object(kit_note()), TN_R_READ);
        route_now.target[i] = targets[i]->actor;
    }
    struct kit_actor *drivers[3];
    uint32_t n = route_now.rule == ROUTE_PER_CPU ? 3 : 1;
    for (uint32_t i = 0; i < n; i++) {
        struct endpoint *endpoint = NULL;
        drivers[i] = kit_make(kit, "driver", driver_now, i, 1);
        assert_int_equal(
            endpoint_make_routed(kernel->root, &kernel->limbo, &route_now, 0, &endpoint), TN_OK);
        kit_give(drivers[i], "service", endpoint_object(endpoint), TN_R_CALL);
    }
    kit_run_all(kit, drivers, n);
}

static void explore_rule(enum endpoint_rule rule, const struct tn_component *driver)
{
    route_now =
        (struct endpoint_route){.rule = rule, .weight = {1, 3, 0, 2}, .hash_at = 8, .hash_len = 8};
    driver_now = driver;
    explore(&(struct explore){.scenario = routed});
}

static void test_weights(void **state)
{
    (void)state;
    explore_rule(ROUTE_WEIGHTS, &by_weight);
}

static void test_hash(void **state)
{
    (void)state;
    explore_rule(ROUTE_HASH, &by_hash);
}

static void test_first_that_serves(void **state)
{
    (void)state;
    explore_rule(ROUTE_SINGLE, &stand_by);
}

static void test_per_cpu(void **state)
{
    (void)state;
    explore_rule(ROUTE_PER_CPU, &per_cpu);
}

/* What a route may not be, and at its limits. */
static void wrong_routes(struct kit *kit)
{
    struct kernel *kernel = kit->kernel;
    struct kit_actor *only = kit_make(kit, "target", &target, 0, 4);
    struct endpoint *endpoint = NULL;
    struct endpoint_route good = {.rule = ROUTE_WEIGHTS, .ntargets = TN_TARGETS_MAX};
    for (uint32_t i = 0; i < TN_TARGETS_MAX; i++) {
        good.target[i] = only->actor;
        good.weight[i] = TN_ROUTE_WEIGHT_MAX;
    }
    good.hash_len = TN_ROUTE_HASH_MAX;
    struct endpoint_route wrong[] = {good, good, good, good, good, good};
    wrong[0].ntargets = 0;
    wrong[1].ntargets = TN_TARGETS_MAX + 1;
    wrong[2].weight[3] = TN_ROUTE_WEIGHT_MAX + 1;
    for (uint32_t i = 0; i < TN_TARGETS_MAX; i++)
        wrong[3].weight[i] = 0;
    wrong[4].hash_len = TN_ROUTE_HASH_MAX + 1;
    wrong[5].rule = ROUTE_PER_CPU + 1;
    for (uint32_t i = 0; i < ARRAY_LEN(wrong); i++)
        KIT_CHECK(endpoint_make_routed(kernel->root, &kernel->limbo, &wrong[i], 0, &endpoint) ==
                      TN_EINVAL &&
                  endpoint == NULL);
    KIT_CHECK(endpoint_make_routed(kernel->root, &kernel->limbo, &good, 0, &endpoint) == TN_OK);
    object_unref(endpoint_object(endpoint));
    /* In memory for less and less: all or nothing. */
    struct untyped *small = NULL;
    assert_int_equal(untyped_make(kernel->root, MEM_UNTYPED_MIN, &small), TN_OK);
    uint64_t before = mem_stats(small).used_bytes;
    void *rest[1024];
    uint32_t n = 0;
    while (n < ARRAY_LEN(rest) && (rest[n] = mem_alloc(small, 512)) != NULL)
        n++;
    assert_true(n > 2 && n < ARRAY_LEN(rest));
    tn_err err = TN_ENOMEM;
    for (uint32_t i = n; err == TN_ENOMEM && i > 0; i--) {
        uint64_t used = mem_stats(small).used_bytes;
        err = endpoint_make_routed(small, &kernel->limbo, &good, 0, &endpoint);
        KIT_CHECK(err == TN_OK || mem_stats(small).used_bytes == used);
        mem_free(small, rest[i - 1], 512);
        n = i - 1;
    }
    KIT_CHECK(err == TN_OK);
    object_unref(endpoint_object(endpoint));
    limbo_drain(&kernel->limbo);
    while (n > 0)
        mem_free(small, rest[--n], 512);
    KIT_CHECK(mem_stats(small).used_bytes == before);
    object_unref(untyped_object(small));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_per_cpu),
        cmocka_unit_test(test_first_that_serves),
        EXPLORE_ON(wrong_routes, .cpus_min = 1, .cpus_max = 1),
    };
    return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
