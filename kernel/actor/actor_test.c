/* actor_test.c: what actors and waits promise by themselves, without a CPU that runs. */
#include "kernel/mem/idle_test.h"

#include "kernel/actor/actor.h"
#include "kernel/cap/cap.h"
#include "kernel/mem/buddy_int.h"

enum { MIB = 1 << 20, MEMORY_MIN = 16384 };

struct fixture {
    struct stub_arena arena;
    struct cap_root caps;
    struct space *space;
    atomic_u32 alive;
};

static void fixture_open(struct fixture *f)
{
    arena_open(&f->arena, 8 * MIB);
    cap_root_init(&f->caps);
    at_init(&f->alive, 0);
    assert_int_equal(space_make(f->arena.root, &f->caps, &f->arena.limbo, 8, &f->space), TN_OK);
}

static void fixture_close(struct fixture *f)
{
    object_unref(space_object(f->space));
    limbo_drain(&f->arena.limbo);
    mem_check(f->arena.root);
    assert_int_equal(mem_stats(f->arena.root).used_bytes, 0);
    arena_close(&f->arena);
}

static struct actor_config config_of(struct fixture *f)
{
    return (struct actor_config){.name = "one",
                                 .memory = f->arena.root,
                                 .space = f->space,
                                 .mailbox = 4,
                                 .priority = TN_PRIORITY_DEFAULT,
                                 .limbo = &f->arena.limbo,
                                 .alive = &f->alive};
}

static struct actor *actor_with(struct fixture *f, const struct actor_config *config)
{
    struct actor *actor = NULL;
    assert_int_equal(actor_make(config, &actor), TN_OK);
    assert_ptr_equal(actor_of(actor_object(actor)), actor);
    (void)f;
    return actor;
}

/* Its maker's ref, and the one that its death would drop. */
static void actor_end(struct actor *actor)
{
    object_unref(actor_object(actor));
    object_unref(actor_object(actor));
}

static void test_configurations_at_their_limits(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct actor_config config = config_of(&f);
    struct actor *none = NULL;
    config.mailbox = 0;
    assert_int_equal(actor_make(&config, &none), TN_EINVAL);
    config.mailbox = TN_MAILBOX_MAX + 1;
    assert_int_equal(actor_make(&config, &none), TN_EINVAL);
    config.mailbox = TN_MAILBOX_MAX;
    config.priority = TN_PRIORITIES;
    assert_int_equal(actor_make(&config, &none), TN_EINVAL);
    config.priority = TN_PRIORITIES - 1;
    config.concurrency = TN_TURNS_MAX + 1;
    assert_int_equal(actor_make(&config, &none), TN_EINVAL);
    assert_null(none);
    assert_int_equal(at_load(&f.alive, RELAXED), 0);
    config.concurrency = TN_TURNS_MAX;
    struct actor *actor = actor_with(&f, &config);
    assert_int_equal(actor->concurrency, TN_TURNS_MAX);
    actor_end(actor);
    config.concurrency = 0;
    actor = actor_with(&f, &config);
    assert_int_equal(actor->concurrency, 1);
    actor_end(actor);
    assert_int_equal(at_load(&f.alive, RELAXED), 2);
    fixture_close(&f);
}

/* All that is left of a small untyped. */
struct filler {
    struct untyped *memory;
    void *at[MEMORY_MIN / MEM_CLASS_MIN];
    size_t bytes[MEMORY_MIN / MEM_CLASS_MIN];
    uint32_t n;
};

static void fill(struct filler *filler, struct untyped *memory)
{
    filler->memory = memory;
    filler->n = 0;
    for (size_t bytes = MEM_PAGE; bytes >= MEM_CLASS_MIN; bytes /= 2) {
        void *at;
        while ((at = mem_alloc(memory, bytes)) != NULL) {
            filler->at[filler->n] = at;
            filler->bytes[filler->n++] = bytes;
        }
    }
}

static void unfill(struct filler *filler)
{
    for (uint32_t i = 0; i < filler->n; i++)
        mem_free(filler->memory, filler->at[i], filler->bytes[i]);
}

static void test_no_memory_for_an_actor_or_a_wait(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct actor_config config = config_of(&f);
    assert_int_equal(untyped_make(f.arena.root, MEMORY_MIN, &config.memory), TN_OK);
    static struct filler filler;
    fill(&filler, config.memory);
    struct actor *actor = NULL;
    assert_int_equal(actor_make(&config, &actor), TN_ENOMEM);
    assert_null(actor);
    assert_int_equal(at_load(&f.alive, RELAXED), 0);
    unfill(&filler);
    actor = actor_with(&f, &config);
    assert_ptr_equal(actor_memory(actor), config.memory);
    fill(&filler, config.memory);
    /* Its own slab page may have room for one. */
    struct turn turns[MEM_PAGE / sizeof(struct wait) + 1] = {{.actor = actor}};
    uint32_t waits = 0;
    while (waits < ARRAY_LEN(turns) && (turns[waits].actor = actor, wait_open(&turns[waits])))
        waits++;
    assert_true(waits < ARRAY_LEN(turns));
    assert_null(turns[waits].wait);
    unfill(&filler);
    assert_non_null(wait_open(&turns[waits]));
    actor_end(actor);
    object_unref(untyped_object(config.memory));
    fixture_close(&f);
}

/* The end of a wait as its turn sees it. */
static void wait_end(struct turn *turn)
{
    struct wait *wait = turn->wait;
    wait->turn = NULL;
    turn->wait = NULL;
    wait_close(wait);
}

static void test_waits_are_reused_and_completed_once(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct actor_config config = config_of(&f);
    struct actor *actor = actor_with(&f, &config);
    struct turn one = {.actor = actor}, two = {.actor = actor};
    struct wait *first = wait_open(&one), *second = wait_open(&two);
    assert_true(first != second && first->turn == &one && second->turn == &two);
    uint64_t generation = wait_generation(first);
    assert_true(wait_is_open(first, generation));
    assert_true(wait_claim(first, generation, WAIT_FILLING));
    assert_false(wait_claim(first, generation, WAIT_FILLING)); /* once */
    assert_false(wait_is_open(first, generation));
    wait_filled(first, generation);
    wait_end(&one);
    assert_ptr_equal(wait_open(&one), first); /* the one that is free, of those that were made */
    assert_int_equal(wait_generation(first), generation + 1);
    assert_false(wait_claim(first, generation, WAIT_FILLING)); /* whoever is late */
    assert_true(wait_claim(first, generation + 1, WAIT_FILLING));
    wait_end(&one);
    wait_end(&two);
    actor_end(actor);
    fixture_close(&f);
}

static void test_a_queue_passes_over_who_is_not_in_need(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct actor_config config = config_of(&f);
    struct actor *actor = actor_with(&f, &config);
    struct turn turns[3];
    struct wait *waits[3];
    struct wait_queue queue;
    wait_queue_init(&queue);
    assert_null(wait_queue_claim(&queue));
    for (uint32_t i = 0; i < ARRAY_LEN(turns); i++) {
        turns[i] = (struct turn){.actor = actor};
        waits[i] = wait_open(&turns[i]);
        wait_enqueue(waits[i], &queue);
    }
    /* The first expired, the third went. */
    assert_true(wait_claim(waits[0], wait_generation(waits[0]), WAIT_FILLING));
    wait_dequeue(waits[2]);
    wait_dequeue(waits[2]); /* harmless */
    assert_ptr_equal(wait_queue_claim(&queue), waits[1]);
    assert_null(wait_queue_claim(&queue));
    assert_true(wait_queue_empty(&queue));
    for (uint32_t i = 0; i < ARRAY_LEN(turns); i++)
        wait_end(&turns[i]);
    actor_end(actor);
    fixture_close(&f);
}

/* What is lent is counted for each priority, raised in place, and taken back once. */
static void test_lending(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct actor_config config = config_of(&f);
    struct actor *lender = actor_with(&f, &config), *callee = actor_with(&f, &config);
    struct turn turn = {.actor = lender};
    struct wait *wait = wait_open(&turn);
    uint64_t generation = wait_generation(wait);
    assert_false(wait_lend(wait, generation, callee, TN_PRIORITY_DEFAULT)); /* as urgent as it is */
    assert_false(wait_lend(wait, generation + 1, callee, 0));               /* another time */
    assert_true(wait_lend(wait, generation, callee, 2));
    assert_int_equal(actor_priority(callee), 2);
    assert_false(wait_lend(wait, generation, callee, 2)); /* it does already */
    assert_false(wait_lend(wait, generation, callee, 3));
    assert_true(wait_lend(wait, generation, callee, 0));
    assert_int_equal(actor_priority(callee), 0);
    assert_int_equal(at_load(&callee->lent, RELAXED), 1); /* in place of what it lent before */
    wait_lend_end(wait, callee);
    wait_lend_end(wait, callee);
    assert_int_equal(actor_priority(callee), TN_PRIORITY_DEFAULT);
    assert_false(wait_lend(wait, generation, callee, 0)); /* it is over */
    wait_end(&turn);
    actor_end(lender);
    actor_end(callee);
    fixture_close(&f);
}

static void test_lenders_beyond_the_limit_change_nothing(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct actor_config config = config_of(&f);
    struct actor *lender = actor_with(&f, &config), *callee = actor_with(&f, &config);
    static struct turn turns[TN_LENDERS_MAX + 1];
    for (uint32_t i = 0; i < ARRAY_LEN(turns); i++) {
        turns[i] = (struct turn){.actor = lender};
        struct wait *wait = wait_open(&turns[i]);
        assert_int_equal(wait_lend(wait, wait_generation(wait), callee, 1), i < TN_LENDERS_MAX);
    }
    assert_int_equal(actor_priority(callee), 1);
    for (uint32_t i = 0; i < ARRAY_LEN(turns); i++) {
        assert_int_equal(actor_priority(callee), i < TN_LENDERS_MAX ? 1 : TN_PRIORITY_DEFAULT);
        wait_lend_end(turns[i].wait, callee);
        wait_end(&turns[i]);
    }
    assert_int_equal(at_load(&callee->lent, RELAXED), 0);
    actor_end(lender);
    actor_end(callee);
    fixture_close(&f);
}

static bool comes_round(const struct turn *turn)
{
    return wait_comes_round(turn->wait, NEEDS_A_TURN);
}

/* The turn waits for `callee`; it is to answer `upper`, which may be NULL. */
static void waits_for(struct turn *turn, struct actor *callee, const struct turn *upper)
{
    turn->caller = upper != NULL ? upper->wait : NULL;
    turn->generation = upper != NULL ? wait_generation(upper->wait) : 0;
    wait_set_callee(wait_open(turn), callee, SEQ_CST);
}

static void waits_no_more(struct turn *turn)
{
    at_store(&turn->wait->callee, NULL, RELAXED);
    wait_end(turn);
}

/* Who is held up by whom: a circle is one when nobody in it has a turn to spare. */
static void test_circles(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct actor_config config = config_of(&f);
    struct actor *a = actor_with(&f, &config), *b = actor_with(&f, &config);
    config.concurrency = 2;
    struct actor *roomy = actor_with(&f, &config);
    struct turn of_a = {.actor = a}, of_b = {.actor = b}, of_roomy = {.actor = roomy};
    waits_for(&of_a, b, NULL);
    assert_false(comes_round(&of_a));
    waits_for(&of_b, a, NULL);
    assert_true(comes_round(&of_a) && comes_round(&of_b));
    uint64_t generation = 0;
    struct actor *callee = NULL;
    assert_ptr_equal(wait_of_call(a, &generation, &callee), of_a.wait);
    assert_true(generation == wait_generation(of_a.wait) && callee == b);
    assert_null(wait_of_call(roomy, &generation, &callee));
    /* An answer ends it, though its turn has not gone on yet. */
    assert_true(wait_claim(of_b.wait, wait_generation(of_b.wait), WAIT_FILLING));
    assert_null(wait_callee(of_b.wait));
    assert_false(comes_round(&of_a));
    /* One of two turns waits for itself: the other could serve it. */
    waits_for(&of_roomy, roomy, NULL);
    assert_false(comes_round(&of_roomy));
    wait_end(&of_a);
    wait_end(&of_b);
    wait_end(&of_roomy);
    actor_end(a);
    actor_end(b);
    actor_end(roomy);
    fixture_close(&f);
}

/* A call that is being answered waits for that turn alone: others that the callee has to spare are
 * of no help. */
static void test_circles_through_one_turn(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct actor_config config = config_of(&f);
    struct actor *a = actor_with(&f, &config), *b = actor_with(&f, &config);
    config.concurrency = 3;
    struct actor *roomy = actor_with(&f, &config);
    struct turn of_a = {.actor = a}, of_b = {.actor = b};
    struct turn first = {.actor = roomy}, second = {.actor = roomy}, third = {.actor = roomy};
    /* It calls its caller back. */
    waits_for(&of_a, roomy, NULL);
    waits_for(&first, a, &of_a);
    assert_true(comes_round(&first));
    /* It calls back whoever waits in its mailbox: another turn can be had for him. */
    waits_no_more(&first);
    waits_for(&of_b, roomy, NULL);
    waits_for(&first, a, &of_b);
    assert_false(comes_round(&first));
    /* It calls somebody who waits in its mailbox, and again. */
    waits_no_more(&first);
    waits_no_more(&of_b);
    waits_for(&first, b, &of_a);
    waits_for(&of_b, a, NULL);
    assert_true(comes_round(&of_b));
    /* The turn that answered has answered, and waits for something else by now. */
    uint64_t generation = wait_generation(of_a.wait);
    waits_no_more(&of_a);
    waits_for(&of_a, roomy, NULL);
    assert_true(wait_generation(of_a.wait) == generation + 1);
    assert_false(comes_round(&of_b));
    /* It has called itself until no turn is left. */
    waits_for(&second, roomy, &first);
    assert_false(comes_round(&second));
    waits_no_more(&first);
    waits_no_more(&second);
    waits_for(&first, roomy, NULL);
    waits_for(&second, roomy, &first);
    assert_false(comes_round(&second));
    waits_for(&third, roomy, &second);
    assert_true(comes_round(&third));
    /* All of its turns are to end for a swap, and one of them waits for who asks. */
    waits_no_more(&first);
    waits_no_more(&second);
    waits_no_more(&third);
    waits_no_more(&of_a);
    waits_no_more(&of_b);
    waits_for(&of_a, roomy, NULL);
    assert_false(wait_comes_round(of_a.wait, NEEDS_NO_TURN));
    waits_for(&first, b, NULL);
    assert_false(wait_comes_round(of_a.wait, NEEDS_NO_TURN));
    waits_for(&second, a, NULL);
    assert_true(wait_comes_round(of_a.wait, NEEDS_NO_TURN));
    assert_false(comes_round(&of_a));
    waits_no_more(&first);
    waits_no_more(&second);
    waits_no_more(&of_a);
    actor_end(a);
    actor_end(b);
    actor_end(roomy);
    fixture_close(&f);
}

/* The search is bounded: a line that is too long is no circle that could be told. */
static void test_a_search_that_is_too_deep_finds_nothing(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct actor_config config = config_of(&f);
    struct actor *actors[TN_DEPTH_MAX + 2];
    struct turn turns[TN_DEPTH_MAX + 2];
    for (uint32_t i = 0; i < ARRAY_LEN(actors); i++)
        actors[i] = actor_with(&f, &config);
    for (uint32_t length = TN_DEPTH_MAX; length <= ARRAY_LEN(actors); length++) {
        for (uint32_t i = 0; i < length; i++) {
            turns[i] = (struct turn){.actor = actors[i]};
            wait_set_callee(wait_open(&turns[i]), actors[(i + 1) % length], SEQ_CST);
        }
        assert_int_equal(comes_round(&turns[0]), length <= TN_DEPTH_MAX);
        for (uint32_t i = 0; i < length; i++) {
            at_store(&turns[i].wait->callee, NULL, RELAXED);
            wait_end(&turns[i]);
        }
    }
    for (uint32_t i = 0; i < ARRAY_LEN(actors); i++)
        actor_end(actors[i]);
    fixture_close(&f);
}

static void test_life(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct actor_config config = config_of(&f);
    struct actor *actor = actor_with(&f, &config);
    assert_int_equal(actor_life(actor), ACTOR_CREATED);
    assert_false(actor_fail(actor)); /* it has not begun */
    assert_true(actor_ready(actor));
    assert_false(actor_ready(actor));
    assert_true(actor_fail(actor));
    assert_false(actor_fail(actor));
    assert_true(actor_ready(actor)); /* it was given a fresh instance */
    at_store(&actor->life, ACTOR_DYING, SEQ_CST);
    assert_false(actor_ready(actor) || actor_fail(actor));
    actor_end(actor);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configurations_at_their_limits),
        cmocka_unit_test(test_no_memory_for_an_actor_or_a_wait),
        cmocka_unit_test(test_waits_are_reused_and_completed_once),
        cmocka_unit_test(test_a_queue_passes_over_who_is_not_in_need),
        cmocka_unit_test(test_lending),
        cmocka_unit_test(test_lenders_beyond_the_limit_change_nothing),
        cmocka_unit_test(test_circles),
        cmocka_unit_test(test_circles_through_one_turn),
        cmocka_unit_test(test_a_search_that_is_too_deep_finds_nothing),
        cmocka_unit_test(test_life),
    };
    return cmocka_run_group_tests_name("actor", tests, NULL, NULL);
}
