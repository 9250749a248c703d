/* examples_test.c: the examples of docs/kernel.md, one for each kernel object, and what the page
 * says that an object costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <tenon/object.h>

#include "base/bits.h"
#include "kernel/ipc/ipc_int.h"
#include "tests/kit/explore.h"

enum { M_WHO = TN_METHOD(9, 1), M_COUNT = TN_METHOD(9, 2), M_LATER = TN_METHOD(9, 3) };
enum { MEMORY_BYTES = 65536, TIMER_NS = 1000000 };

static struct kit_actor *guide, *shy;

struct counter {
    uint32_t count;
    tn_cap held; /* a reply that is owed */
};

static tn_err count(struct counter *counter)
{
    uint32_t before = counter->count;
    counter->count++;
    KIT_CHECK(counter->count == before + 1); /* no other turn has run since */
    KIT_CHECK(tn_yield() == TN_OK);          /* here others may */
    return TN_OK;
}

static tn_err later(struct counter *counter)
{
    KIT_CHECK(tn_defer(&counter->held) == TN_OK);
    return TN_DEFERRED; /* the caller waits on; this actor serves others */
}

/* A oneway message to whoever owes a reply. */
static void server_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    struct counter *counter = self;
    (void)turn;
    (void)in;
    if (counter->held == 0)
        return; /* nobody has asked yet */
    KIT_CHECK(tn_reply(counter->held, TN_OK, NULL) == TN_OK);
    KIT_CHECK(tn_reply(counter->held, TN_OK, NULL) == TN_EBADCAP); /* it was good for one */
    counter->held = 0;
}

static tn_err server_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    (void)in;
    if (turn->method == M_COUNT)
        return count(self);
    if (turn->method == M_LATER)
        return later(self);
    out->len = sizeof(turn->badge);
    memcpy(out->data, &turn->badge, sizeof(turn->badge));
    return TN_OK;
}
KIT_ROLE(server_role, .state_size = sizeof(struct counter), .call = server_call,
         .event = server_event);

/* Waits in every call, so its mailbox fills. */
static tn_err shy_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                       struct tn_pack *out)
{
    uint64_t bits;
    (void)self;
    (void)turn;
    (void)in;
    (void)out;
    KIT_CHECK(tn_signal(kit_need("ready"), 1) == TN_OK);
    return tn_wait(kit_need("note"), TN_NEVER, &bits);
}
KIT_ROLE(shy_role, .call = shy_call);

/* Calls the shy one, and is told when that dies. */
static void companion_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    tn_cap cap = kit_need("shy");
    KIT_CHECK(tn_call(cap, M_COUNT, NULL, NULL, TN_NEVER) == TN_ECANCELLED); /* what it returned */
    kit_done();
}
KIT_ROLE(companion_role, .event = companion_event);

/* Asks for an answer that a message of the guide sets free. */
static atomic_u32 answered;

static void debtor_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    KIT_CHECK(tn_call(kit_need("server"), M_LATER, NULL, NULL, TN_NEVER) == TN_OK);
    at_store(&answered, 1, SEQ_CST);
    kit_done();
}
KIT_ROLE(debtor_role, .event = debtor_event);

static void memory_example(tn_cap memory)
{
    tn_cap buffer = 0;
    void *bytes;
    KIT_CHECK(tn_buf_new(memory, 4096, &buffer) == TN_OK);
    KIT_CHECK(tn_buf_new(memory, 1 << 20, &buffer) == TN_ENOMEM); /* more than was granted */
    KIT_CHECK(tn_cap_revoke(memory) == TN_OK);
    KIT_CHECK(tn_buf_map(buffer, 0, 1, TN_MAP_READ, &bytes) == TN_EBADCAP);
}

static void cap_example(tn_cap wire)
{
    tn_cap mine = 0, more = 0;
    uint64_t badge = 0;
    struct tn_pack answer = {.data = &badge, .size = sizeof(badge)};
    KIT_CHECK(tn_cap_mint(wire, TN_R_CALL, 7, &mine) == TN_OK);
    KIT_CHECK(tn_call(mine, M_WHO, NULL, &answer, TN_NEVER) == TN_OK && badge == 7);
    KIT_CHECK(tn_cap_mint(mine, TN_R_CALL, 8, &more) == TN_ERIGHTS); /* no right to grant */
    KIT_CHECK(tn_cap_drop(mine) == TN_OK);
    KIT_CHECK(tn_call(mine, M_WHO, NULL, &answer, TN_NEVER) == TN_EBADCAP);
}

static void endpoint_example(tn_cap wire)
{
    KIT_CHECK(tn_call(wire, M_COUNT, NULL, NULL, TN_NEVER) == TN_OK);
    KIT_CHECK(tn_call(wire, TN_METHOD(8, 1), NULL, NULL, TN_NEVER) == TN_EMETHOD);
}

static void note_example(tn_cap note)
{
    uint64_t bits = 0;
    KIT_CHECK(tn_signal(note, 1) == TN_OK);
    KIT_CHECK(tn_signal(note, 4) == TN_OK);
    KIT_CHECK(tn_wait(note, TN_NEVER, &bits) == TN_OK && bits == 5);
}

static void buffer_example(tn_cap memory)
{
    tn_cap whole = 0, part = 0;
    void *bytes;
    KIT_CHECK(tn_buf_new(memory, 4096, &whole) == TN_OK);
    KIT_CHECK(tn_buf_slice(whole, 1024, 512, TN_R_READ, &part) == TN_OK);
    KIT_CHECK(tn_buf_map(whole, 1024, 4, TN_MAP_WRITE, &bytes) == TN_OK);
    memcpy(bytes, "salt", 4);
    KIT_CHECK(tn_buf_map(part, 0, 4, TN_MAP_READ, &bytes) == TN_OK);
    KIT_CHECK(memcmp(bytes, "salt", 4) == 0); /* the same bytes, no copy */
    KIT_CHECK(tn_buf_map(part, 0, 4, TN_MAP_WRITE, &bytes) == TN_ERIGHTS);
}

/* Kernel objects, called. */
static void object_example(tn_cap memory, tn_cap actor)
{
    tn_cap part = 0, space = 0, note = 0, copy = 0;
    uint64_t handle = 0;
    struct tn_space_inspect found;
    struct tn_actor_state state;
    KIT_CHECK(tn_untyped_make_untyped(memory, 32768, &part) == TN_OK);
    KIT_CHECK(tn_untyped_make_space(part, 16, &space) == TN_OK);
    KIT_CHECK(tn_untyped_make_notification(part, &note) == TN_OK);
    KIT_CHECK(tn_space_put(space, note, TN_R_WRITE | TN_R_GRANT, 7, &handle) == TN_OK);
    KIT_CHECK(tn_space_inspect(space, handle, &found) == TN_OK);
    KIT_CHECK(found.type == TN_TYPE_NOTIFICATION && found.badge == 7);
    KIT_CHECK(tn_space_get(space, handle, TN_R_WRITE, 0, &copy) == TN_OK);
    KIT_CHECK(tn_cap_revoke(part) == TN_OK); /* the part's space and notification go with it */
    KIT_CHECK(tn_signal(copy, 1) == TN_EBADCAP);
    KIT_CHECK(tn_actor_state(actor, &state) == TN_OK && state.turns == 1);
    KIT_CHECK(tn_actor_kill(part) == TN_ETYPE); /* a method of another type of object */
}

/* The shy one has one turn, and that waits: two messages find room, the third none. */
static void mailbox_example(tn_cap wire)
{
    KIT_CHECK(tn_send(wire, M_WHO, NULL, 0) == TN_OK);
    KIT_CHECK(tn_send(wire, M_WHO, NULL, 0) == TN_OK);
    KIT_CHECK(tn_send(wire, M_WHO, NULL, 0) == TN_EFULL);
}

static void fiber_example(void)
{
    struct fiber *fiber = fiber_self();
    KIT_CHECK(fiber->turn.actor == guide->actor);
    KIT_CHECK(fiber->cpu == at_load(&guide->actor->home, RELAXED));
}

static void limbo_example(struct limbo *limbo)
{
    uint64_t ticket = limbo_ticket(limbo);
    while (!limbo_passed(limbo, ticket)) {
        machine_relax();
        KIT_CHECK(tn_yield() == TN_OK); /* every CPU, this one too, passes a turn boundary */
    }
}

static void actor_example(struct actor *actor, tn_cap wire)
{
    struct cpu *cpu = fiber_self()->cpu;
    actor_kill(cpu, actor);
    KIT_CHECK(actor_life(actor) >= ACTOR_DYING);
    KIT_CHECK(tn_call(wire, M_WHO, NULL, NULL, TN_NEVER) == TN_EGONE);
}

/* Somebody else's state, from anywhere: under the lock of the CPU that he lives on. */
static uint32_t cpu_example(struct cpu *own, struct actor *actor)
{
    struct cpu *home = actor_lock(own, actor);
    uint32_t turns = actor->turns;
    actor_unlock(own, home);
    return turns;
}

static void guide_timer(void *self, const struct tn_turn *turn)
{
    (void)self;
    KIT_CHECK(turn->cookie == 42 && turn->cls == MSG_TIMER_EXPIRED);
    kit_done();
}

static void guide_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    uint64_t bits;
    (void)self;
    (void)in;
    buffer_example(kit_need("memory"));
    memory_example(kit_need("memory"));
    cap_example(kit_need("server"));
    endpoint_example(kit_need("narrow"));
    note_example(kit_need("note"));
    fiber_example();
    limbo_example(&kit_now->kernel->limbo);
    /* Until the shy one waits. */
    KIT_CHECK(tn_wait(kit_need("ready"), TN_NEVER, &bits) == TN_OK);
    mailbox_example(kit_need("shy"));
    object_example(kit_need("memory"), kit_need("shy one"));
    KIT_CHECK(cpu_example(fiber_self()->cpu, shy->actor) == 1);
    actor_example(shy->actor, kit_need("shy"));
    while (at_load(&answered, SEQ_CST) == 0) {
        tn_err err = tn_send(kit_need("server"), M_LATER, NULL, 0);
        KIT_CHECK(err == TN_OK || err == TN_EFULL);
        machine_relax();
        KIT_CHECK(tn_yield() == TN_OK);
    }
    tn_cap timer = kit_need("timer");
    KIT_CHECK(tn_timer_set(timer, turn->now + TIMER_NS, 42) == TN_OK);
}
KIT_ROLE(guide_role, .event = guide_event, .timer = guide_timer);

static void scenario(struct kit *kit)
{
    struct kit_actor *server = kit_make(kit, "server", &server_role, 0, 4);
    shy = kit_make(kit, "shy", &shy_role, 1, 2);
    guide = kit_make(kit, "guide", &guide_role, 0, 2);
    struct kit_actor *companion = kit_make(kit, "companion", &companion_role, 1, 1);
    struct endpoint *narrow = NULL;
    struct kernel *kernel = kit->kernel;
    assert_int_equal(endpoint_make(kernel->root, &kernel->limbo, server->actor, 9, &narrow), TN_OK);
    kit_give(guide, "narrow", endpoint_object(narrow), TN_R_CALL);
    kit_wire(guide, "server", server, TN_R_CALL | TN_R_GRANT, 0);
    kit_wire(guide, "shy", shy, TN_R_CALL, 0);
    kit_wire(companion, "shy", shy, TN_R_CALL, 0);
    kit_share(guide, "shy one", actor_object(shy->actor), TN_R_ALL);
    kit_memory(guide, "memory", MEMORY_BYTES);
    kit_timer(guide, "timer");
    kit_give(guide, "note", note_object(kit_note()), TN_R_ALL);
    struct note *ready = kit_note();
    kit_share(shy, "ready", note_object(ready), TN_R_WRITE);
    kit_give(guide, "ready", note_object(ready), TN_R_READ);
    kit_give(shy, "note", note_object(kit_note()), TN_R_READ);
    struct kit_actor *debtor = kit_make(kit, "debtor", &debtor_role, 2, 1);
    kit_wire(debtor, "server", server, TN_R_CALL, 0);
    at_init(&answered, 0);
    struct kit_actor *drivers[] = {guide, companion, debtor};
    kit_run_all(kit, drivers, ARRAY_LEN(drivers));
}

static void test_examples(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = scenario});
}

/* What the page says that things cost: bytes as they are charged. */
static char page[65536];

static void page_read(void)
{
    FILE *file = fopen("docs/kernel.md", "r");
    assert_non_null(file);
    size_t len = fread(page, 1, sizeof(page) - 1, file);
    assert_int_equal(fclose(file), 0);
    assert_true(len > 0 && len < sizeof(page) - 1);
    page[len] = '\0';
}

/* The page rounds up, by a quarter at most. */
static void expect_row(const char *what, uint64_t bytes)
{
    char row[128];
    snprintf(row, sizeof(row), "| %s | ", what);
    const char *table = strstr(page, "| thing | bytes |");
    const char *at = table != NULL ? strstr(table, row) : NULL;
    uint64_t said = at != NULL ? strtoull(at + strlen(row), NULL, 10) : 0;
    if (said < bytes || said > bytes + bytes / 4)
        fail_msg("docs/kernel.md: %s costs %u bytes, it says %u", what, (unsigned)bytes,
                 (unsigned)said);
}

static uint64_t used(struct kit *kit)
{
    return mem_stats(kit->kernel->root).used_bytes;
}

static void costs(struct kit *kit)
{
    struct kernel *kernel = kit->kernel;
    struct untyped *root = kernel->root;
    struct kit_actor *a = kit_make_bare(kit, "actor", MEMORY_BYTES, 0, 4);
    expect_row("actor and its space", mem_stats(a->memory).used_bytes);
    uint64_t before = used(kit);
    uint64_t own = mem_stats(a->memory).used_bytes;
    kit_wire(a, "self", a, TN_R_CALL, 0);
    expect_row("endpoint", used(kit) - before);
    expect_row("first 8 slots of a space", mem_stats(a->memory).used_bytes - own);
    struct note *note = NULL;
    before = used(kit);
    assert_int_equal(note_make(root, &kernel->limbo, &note), TN_OK);
    expect_row("notification", used(kit) - before);
    before = used(kit);
    assert_int_equal(note_bind(kernel->cpu[0], note_object(note), a->actor), TN_OK);
    expect_row("binding of a notification", used(kit) - before);
    assert_int_equal(note_unbind(note_object(note)), TN_OK);
    object_unref(note_object(note));
    struct timer *timer = NULL;
    before = used(kit);
    assert_int_equal(timer_make(root, &kernel->limbo, a->actor, &timer), TN_OK);
    expect_row("timer", used(kit) - before);
    object_unref(timer_object(timer));
    struct buffer *buffer = NULL;
    before = used(kit);
    assert_int_equal(buffer_make(root, &kernel->limbo, MEM_PAGE, &buffer), TN_OK);
    expect_row("buffer, without its bytes", used(kit) - before - MEM_PAGE);
    object_unref(buffer_object(buffer));
    struct turn turn = {.actor = a->actor};
    before = mem_stats(a->memory).used_bytes;
    struct wait *wait = wait_open(&turn);
    assert_non_null(wait);
    expect_row("wait", mem_stats(a->memory).used_bytes - before);
    wait->turn = NULL;
    wait_close(wait);
    before = mem_stats(a->memory).used_bytes;
    cpu_enter(kernel->cpu[0]);
    struct cell *cell = actor_cell(a->actor);
    cpu_leave(kernel->cpu[0]);
    assert_non_null(cell);
    expect_row("pool of cells, with its first 15", mem_stats(a->memory).used_bytes - before);
    cpu_enter(kernel->cpu[0]);
    cell_give(kernel->cpu[0], NULL, cell);
    cpu_leave(kernel->cpu[0]);
}

static void test_costs(void **state)
{
    (void)state;
    page_read();
    explore(&(struct explore){.scenario = costs, .cpus_min = 1, .cpus_max = 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_costs),
    };
    return cmocka_run_group_tests_name("examples", tests, NULL, NULL);
}
