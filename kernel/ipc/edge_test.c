/* edge_test.c: what operations refuse and how: memory that runs out under each of them, replies
 * that do not fit, deadlines that have passed, stacks that are used up; under many schedules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bits.h"
#include "kernel/mem/buddy_int.h"
#include "runtime/kernel/native.h"
#include "tests/kit/explore.h"

enum {
    M_ECHO = TN_METHOD(9, 1),
    M_LATER = TN_METHOD(9, 2),
    M_WRONG = TN_METHOD(9, 3),
    M_GO = TN_METHOD(9, 4),
    MEMORY_BYTES = 65536,
    LONG_BYTES = 1000, /* too long for a cell */
    GRAIN_BYTES = 256,
};

static const struct tn_pack nothing;

static tn_err pause_turn(void)
{
    machine_relax();
    return tn_yield();
}

static void wait_for(const char *note)
{
    uint64_t bits;
    KIT_CHECK(tn_wait(kit_need(note), TN_NEVER, &bits) == TN_OK);
}

/* Memory that runs out. Each operation is tried with all of the actor's memory taken, then with a
 * little more of it given back each time, until it succeeds; before that it says so and no more. */

struct grains {
    struct untyped *memory;
    void *at[MEMORY_BYTES / GRAIN_BYTES], *small[MEMORY_BYTES / MEM_CLASS_MIN];
    size_t small_bytes[MEMORY_BYTES / MEM_CLASS_MIN];
    uint32_t n, nsmall;
};

static struct grains grains;

static void take_all(struct grains *g, struct untyped *memory)
{
    g->memory = memory; /* one by one: a stack of the kernel has no room for a second of these */
    g->n = 0;
    g->nsmall = 0;
    void *at;
    while ((at = mem_alloc(memory, GRAIN_BYTES)) != NULL)
        g->at[g->n++] = at;
    for (size_t bytes = MEM_PAGE / 4; bytes >= MEM_CLASS_MIN; bytes -= MEM_CLASS_MIN / 2) {
        while ((at = mem_alloc(memory, bytes)) != NULL) {
            g->small[g->nsmall] = at;
            g->small_bytes[g->nsmall++] = bytes;
        }
    }
}

static bool give_one(struct grains *g)
{
    if (g->nsmall > 0) {
        g->nsmall--;
        mem_free(g->memory, g->small[g->nsmall], g->small_bytes[g->nsmall]);
        return true;
    }
    if (g->n == 0)
        return false;
    g->n--;
    mem_free(g->memory, g->at[g->n], GRAIN_BYTES);
    return true;
}

static uint8_t long_bytes[LONG_BYTES];

static tn_err op_send(void)
{
    return tn_send(kit_need("far"), M_ECHO, &nothing, 0);
}

static tn_err op_send_long(void)
{
    const struct tn_pack pack = {.data = long_bytes, .len = LONG_BYTES};
    return tn_send(kit_need("far"), M_ECHO, &pack, 0);
}

static tn_err op_call(void)
{
    const struct tn_pack pack = {.data = long_bytes, .len = LONG_BYTES};
    return tn_call(kit_need("far"), M_ECHO, &pack, NULL, TN_NEVER);
}

static tn_err op_call_near(void)
{
    const struct tn_pack pack = {.data = long_bytes, .len = LONG_BYTES};
    return tn_call(kit_need("near"), M_ECHO, &pack, NULL, TN_NEVER);
}

static tn_err op_wait(void)
{
    uint64_t bits;
    tn_err err = tn_wait(kit_need("note"), machine_now_ns() + 1000, &bits);
    return err == TN_ETIME ? TN_OK : err;
}

static tn_err op_buffer(void)
{
    tn_cap whole = 0;
    tn_err err = tn_buf_new(kit_need("memory"), 4096, &whole);
    return err == TN_OK ? tn_cap_drop(whole) : err;
}

static tn_err op_slice(void)
{
    tn_cap part = 0;
    tn_err err = tn_buf_slice(kit_need("whole"), 0, 8, TN_R_READ, &part);
    return err == TN_OK ? tn_cap_drop(part) : err;
}

/* What a slice leaves behind comes back late, and is too little for a buffer. */
static tn_err (*const operations[])(void) = {
    op_wait, op_send, op_send_long, op_call, op_call_near, op_slice, op_buffer,
};

static void poor_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    struct untyped *memory = actor_memory(fiber_self()->turn.actor);
    for (uint32_t i = 0; i < ARRAY_LEN(operations); i++) {
        take_all(&grains, memory);
        uint32_t refused = 0;
        tn_err err;
        while ((err = operations[i]()) != TN_OK) {
            /* A near callee that is busy, or one far away with a full mailbox, is no matter here.
             */
            if (err == TN_EFULL || !KIT_CHECK(err == TN_ENOMEM)) {
                KIT_CHECK(pause_turn() == TN_OK);
                continue;
            }
            refused++;
            if (!KIT_CHECK(give_one(&grains)))
                break;
        }
        KIT_CHECK(refused > 0);
        while (give_one(&grains))
            ;
        /* Behind this answer nothing that was sent before keeps memory that might come back. Not
         * before the first send, which makes the pool of cells. */
        while (i > 0 && tn_call(kit_need("far"), M_ECHO, &nothing, NULL, TN_NEVER) == TN_EFULL)
            KIT_CHECK(pause_turn() == TN_OK);
    }
    kit_done();
}
KIT_ROLE(poor, .event = poor_event);

static tn_err echo_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                        struct tn_pack *out)
{
    (void)self;
    (void)turn;
    (void)in;
    (void)out;
    return TN_OK;
}
KIT_ROLE(echo, .call = echo_call);

static void running_out(struct kit *kit)
{
    const struct kit_config config = {
        .name = "poor", .cpu = 0, .mailbox = 4, .memory_bytes = MEMORY_BYTES};
    struct kit_actor *driver = kit_make_with(kit, &config, &poor);
    kit_wire(driver, "far", kit_make(kit, "far", &echo, 1, 2), TN_R_CALL, 0);
    kit_wire(driver, "near", kit_make(kit, "near", &echo, 0, 2), TN_R_CALL, 0);
    kit_give(driver, "note", note_object(kit_note()), TN_R_ALL);
    object_ref(untyped_object(driver->memory));
    kit_give(driver, "memory", untyped_object(driver->memory), TN_R_ALL);
    struct buffer *whole = NULL;
    assert_int_equal(buffer_make(kit->kernel->root, &kit->kernel->limbo, 64, &whole), TN_OK);
    kit_give(driver, "whole", buffer_object(whole), TN_R_ALL);
    kit_run_all(kit, &driver, 1);
}

/* Replies that do not fit: both sides hear of it, and what was to come along stays. */

static tn_cap owed;

static tn_err service_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                           struct tn_pack *out)
{
    (void)self;
    (void)out;
    if (turn->method == M_WRONG)
        return in->len == 0 ? -1000 : TN_DEFERRED; /* no such error; said so, but it is not */
    KIT_CHECK(turn->method == M_LATER && owed == 0);
    KIT_CHECK(tn_defer(&owed) == TN_OK);
    KIT_CHECK(tn_signal(kit_need("owes"), 1) == TN_OK);
    return TN_DEFERRED;
}

/* How a deferred call of each size is answered. */
enum { REPLY_FITS, REPLY_LONG, REPLY_TOO_LONG, REPLY_TOO_MANY, REPLY_CAPS, REPLY_ODD, REPLIES };

static tn_err answer(uint32_t how)
{
    tn_cap reply = owed;
    owed = 0;
    struct tn_pack out = {.data = long_bytes, .len = 8};
    tn_err result = TN_OK;
    if (how == REPLY_LONG)
        out.len = 9;
    else if (how == REPLY_TOO_LONG)
        out.len = TN_ARGS_MAX + 1;
    else if (how == REPLY_TOO_MANY)
        out.ncaps = TN_PACK_CAPS + 1;
    else if (how == REPLY_CAPS)
        out = (struct tn_pack){.ncaps = 1, .caps = {kit_need("spare")}};
    else if (how == REPLY_ODD)
        result = TN_DEFERRED;
    tn_err err = tn_reply(reply, result, &out);
    KIT_CHECK(tn_reply(reply, TN_OK, NULL) == TN_EBADCAP); /* used up, whatever came of it */
    return err;
}

static void service_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    static const tn_err expected[REPLIES] = {TN_OK,     TN_ETOOBIG, TN_ETOOBIG,
                                             TN_EINVAL, TN_ETOOBIG, TN_OK};
    (void)self;
    (void)turn;
    uint32_t how = *(const uint8_t *)in->data;
    KIT_CHECK(answer(how) == expected[how]);
    struct cap_view view;
    KIT_CHECK(cap_lookup(fiber_self()->turn.actor->space, kit_need("spare"), OBJ_NOTE, 0, &view) ==
              TN_OK);
}
KIT_ROLE(service, .call = service_call, .event = service_event);

/* Says to the service how to answer, when it owes an answer. */
static void prompter_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint8_t how = 0; how < REPLIES; how++) {
        wait_for("owes");
        const struct tn_pack pack = {.data = &how, .len = 1};
        KIT_CHECK(tn_send(kit_need("service"), M_GO, &pack, 0) == TN_OK);
    }
    kit_done();
}
KIT_ROLE(prompter, .event = prompter_event);

static void customer_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    /* What was refused before it reached the caller is for the caller an answer that never comes.
     */
    static const tn_err expected[REPLIES] = {TN_OK,    TN_ETOOBIG, TN_EGONE,
                                             TN_EGONE, TN_ETOOBIG, TN_EINTERNAL};
    (void)self;
    (void)turn;
    (void)in;
    tn_cap to = kit_need("service");
    for (uint32_t how = 0; how < REPLIES; how++) {
        uint8_t room[8];
        struct tn_pack out = {.data = room, .size = sizeof(room)};
        KIT_CHECK(tn_call(to, M_LATER, &nothing, &out, TN_NEVER) == expected[how]);
        if (how == REPLY_LONG)
            KIT_CHECK(out.len == 9); /* what it would have needed */
    }
    const struct tn_pack one = {.data = long_bytes, .len = 1};
    KIT_CHECK(tn_call(to, M_WRONG, &nothing, NULL, TN_NEVER) == TN_EINTERNAL);
    KIT_CHECK(tn_call(to, M_WRONG, &one, NULL, TN_NEVER) == TN_EINTERNAL);
    kit_done();
}
KIT_ROLE(customer, .event = customer_event);

static void replies(struct kit *kit)
{
    owed = 0;
    struct kit_actor *serves = kit_make(kit, "service", &service, 1, 4);
    struct kit_actor *drivers[] = {kit_make(kit, "customer", &customer, 0, 1),
                                   kit_make(kit, "prompter", &prompter, 2, 1)};
    struct note *owes = kit_note();
    kit_share(serves, "owes", note_object(owes), TN_R_WRITE);
    kit_give(drivers[1], "owes", note_object(owes), TN_R_READ);
    kit_give(serves, "spare", note_object(kit_note()), TN_R_ALL);
    for (uint32_t i = 0; i < ARRAY_LEN(drivers); i++)
        kit_wire(drivers[i], "service", serves, TN_R_CALL, 0);
    kit_run_all(kit, drivers, ARRAY_LEN(drivers));
}

/* A send that would wait, in a turn whose deadline has passed, or when no stack is left. */

static atomic_u32 hangs; /* its one turn */

static void blocker_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    uint64_t bits;
    (void)self;
    (void)turn;
    (void)in;
    at_store(&hangs, 1, SEQ_CST);
    KIT_CHECK(tn_wait(kit_need("never"), TN_NEVER, &bits) == TN_ECANCELLED);
}
KIT_ROLE(blocker, .event = blocker_event);

enum { TURN_NS = 300000 };

static void hurried_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    tn_cap to = kit_need("full");
    tn_err err;
    KIT_CHECK(tn_send(to, M_GO, &nothing, 0) == TN_OK);
    while (at_load(&hangs, SEQ_CST) == 0)
        KIT_CHECK(pause_turn() == TN_OK);
    while ((err = tn_send(to, M_GO, &nothing, 0)) == TN_OK)
        ;
    KIT_CHECK(err == TN_EFULL);
    while (fiber_self()->cpu->now < turn->deadline) {
        machine_relax();
        KIT_CHECK(tn_yield() == TN_OK);
    }
    KIT_CHECK(tn_send(to, M_GO, &nothing, TN_SEND_WAIT) == TN_ETIME);
    KIT_CHECK(tn_call(to, M_GO, &nothing, NULL, TN_NEVER) == TN_ETIME);
    kit_done();
}
KIT_ROLE(hurried, .event = hurried_event);

static void late_sends(struct kit *kit)
{
    const struct kit_config config = {.name = "hurried", .mailbox = 1, .deadline_ns = TURN_NS};
    struct kit_actor *driver = kit_make_with(kit, &config, &hurried);
    struct kit_actor *full = kit_make(kit, "full", &blocker, 1, 2);
    at_init(&hangs, 0);
    kit_give(full, "never", note_object(kit_note()), TN_R_READ);
    kit_wire(driver, "full", full, TN_R_CALL, 0);
    kit_run_all(kit, &driver, 1);
}

/* A timer that expires before its actor's start begins comes to nothing. */

static struct kit_actor *young;
static atomic_u32 heard;

static tn_err young_load(void *self, const struct tn_turn *turn, const struct tn_pack *config)
{
    (void)self;
    (void)config;
    struct cpu *cpu = fiber_self()->cpu;
    KIT_CHECK(tn_timer_set(kit_need("timer"), turn->now + 1, 1) == TN_OK);
    while (cpu->wheel.armed > 0) {
        machine_relax();
        KIT_CHECK(tn_yield() == TN_OK);
        cpu = fiber_self()->cpu;
    }
    return TN_OK;
}

static tn_err young_start(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    at_store(&heard, 1, SEQ_CST);
    return TN_OK;
}

static void young_timer(void *self, const struct tn_turn *turn)
{
    (void)self;
    KIT_CHECK(turn->cookie != 1);
}
KIT_ROLE(young_role, .load = young_load, .start = young_start, .timer = young_timer);

static tn_err life(uint32_t method)
{
    struct fiber *here = fiber_self();
    tn_err err = life_begin(here->cpu, &here->turn, young->actor, method, &nothing, TN_NEVER);
    struct cpu *cpu = here->cpu;
    if (err == IPC_PENDING)
        cpu = turn_wait(cpu, &here->turn);
    else if (err != TN_OK)
        return err;
    return call_end(cpu, &here->turn, NULL);
}

static void nurse_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    KIT_CHECK(life(LIFE_LOAD) == TN_OK);
    KIT_CHECK(young->actor->mbox.first == NULL); /* nothing was sent to one that has not begun */
    KIT_CHECK(life(LIFE_START) == TN_OK && at_load(&heard, SEQ_CST) == 1);
    kit_done();
}
KIT_ROLE(nurse, .event = nurse_event);

static void early_timer(struct kit *kit)
{
    at_init(&heard, 0);
    struct kit_actor *driver = kit_make(kit, "nurse", &nurse, 0, 1);
    young = kit_make_bare(kit, "young", MEMORY_BYTES, 0, 4);
    assert_int_equal(native_make(young->actor, &young_role, &young->needs), TN_OK);
    kit_timer(young, "timer");
    kit_run_all(kit, &driver, 1);
}

static void test_memory_runs_out(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = running_out});
}

static void test_replies_that_do_not_fit(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = replies});
}

static void test_sends_after_the_deadline(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = late_sends});
}

static void test_a_timer_before_the_start(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = early_timer, .cpus_min = 1, .cpus_max = 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_runs_out),
        cmocka_unit_test(test_replies_that_do_not_fit),
        cmocka_unit_test(test_sends_after_the_deadline),
        cmocka_unit_test(test_a_timer_before_the_start),
    };
    return cmocka_run_group_tests_name("edge", tests, NULL, NULL);
}
