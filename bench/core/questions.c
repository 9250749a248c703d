/* questions.c: what each figure of the core benchmark measures, in actors on a real kernel. */
#include <tenon/object.h>
#include <time.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "bench/core/core.h"
#include "kernel/cap/cap.h"
#include "kernel/mem/mem.h"
#include "runtime/kernel/native.h"

enum {
    MESSAGES = 400000,
    CALLS = 400000,
    CAPS = 4000,
    ACTORS = 2000,
    MAILBOX = 1024,
    M_ONE = TN_METHOD(9, 1),
};

const struct question *question_now;
static uint64_t begin_ns, end_ns;

uint64_t bench_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(question_now->across ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static double per(uint64_t operations)
{
    return (double)(end_ns - begin_ns) / (double)operations;
}

static void finish(void)
{
    end_ns = bench_now_ns();
    kit_stop();
}

/* Messages */

static uint64_t left;

/* Its state is the capability that it looks up once. */
static tn_cap other_of(void *self)
{
    tn_cap *other = self;
    if (*other == 0)
        *other = kit_need("other");
    return *other;
}

static void bounce_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)turn;
    if (--left == 0)
        finish();
    else
        KIT_CHECK(tn_send(other_of(self), M_ONE, in, 0) == TN_OK);
}

static tn_err bounce_start(void *self, const struct tn_turn *turn)
{
    (void)turn;
    uint64_t number = 1;
    struct tn_pack pack = {.data = &number, .len = sizeof(number)};
    begin_ns = bench_now_ns();
    return tn_send(other_of(self), M_ONE, &pack, 0);
}
KIT_ROLE(bouncer, .state_size = sizeof(tn_cap), .start = bounce_start, .event = bounce_event);

static double bounce(struct kit *kit, uint32_t other_cpu)
{
    struct kit_actor *a = kit_make(kit, "a", &bouncer, 0, 64);
    struct kit_actor *b = kit_make(kit, "b", &bouncer, other_cpu, 64);
    kit_wire(a, "other", b, TN_R_CALL, 1);
    kit_wire(b, "other", a, TN_R_CALL, 1);
    left = MESSAGES;
    kit_run(kit, a);
    return per(MESSAGES);
}

static double message_there_and_back(struct kit *kit)
{
    return bounce(kit, 0);
}

static double message_across(struct kit *kit)
{
    return bounce(kit, 1);
}

static void count_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    if (--left == 0)
        finish();
}
KIT_ROLE(counter, .event = count_event);

static tn_err pour_start(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    uint64_t number = 1;
    struct tn_pack pack = {.data = &number, .len = sizeof(number)};
    tn_cap to = kit_need("other");
    begin_ns = bench_now_ns();
    for (uint32_t i = 0; i < MESSAGES; i++)
        KIT_CHECK(tn_send(to, M_ONE, &pack, TN_SEND_WAIT) == TN_OK);
    return TN_OK;
}
KIT_ROLE(pourer, .start = pour_start);

static double pour(struct kit *kit, uint32_t other_cpu)
{
    struct kit_actor *a = kit_make(kit, "a", &pourer, 0, 64);
    kit_wire(a, "other", kit_make(kit, "b", &counter, other_cpu, MAILBOX), TN_R_CALL, 1);
    left = MESSAGES;
    kit_run(kit, a);
    return per(MESSAGES);
}

static double message_one_way(struct kit *kit)
{
    return pour(kit, 0);
}

static double message_one_way_across(struct kit *kit)
{
    return pour(kit, 1);
}

/* Calls */

static tn_err answer_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    (void)self;
    (void)turn;
    *(uint64_t *)out->data = *(const uint64_t *)in->data + 1;
    out->len = sizeof(uint64_t);
    return TN_OK;
}
KIT_ROLE(answerer, .call = answer_call);

static tn_err call_start(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    tn_cap to = kit_need("other");
    uint64_t number = 0;
    begin_ns = bench_now_ns();
    for (uint32_t i = 0; i < CALLS; i++) {
        struct tn_pack in = {.data = &number, .len = sizeof(number)};
        struct tn_pack out = {.data = &number, .size = sizeof(number)};
        KIT_CHECK(tn_call(to, M_ONE, &in, &out, TN_NEVER) == TN_OK);
    }
    finish();
    KIT_CHECK(number == CALLS);
    return TN_OK;
}
KIT_ROLE(caller, .start = call_start);

static double call_to(struct kit *kit, uint32_t other_cpu)
{
    struct kit_actor *a = kit_make(kit, "a", &caller, 0, 64);
    kit_wire(a, "other", kit_make(kit, "b", &answerer, other_cpu, 64), TN_R_CALL, 1);
    kit_run(kit, a);
    return per(CALLS);
}

static double call_inline(struct kit *kit)
{
    return call_to(kit, 0);
}

static double call_across(struct kit *kit)
{
    return call_to(kit, 1);
}

/* Notifications: two actors wait for each other's signal. */

static void note_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    tn_cap mine = kit_need("mine"), other = kit_need("other");
    uint64_t bits;
    if (turn->badge == 0)
        begin_ns = bench_now_ns();
    for (uint32_t i = 0; i < MESSAGES / 4; i++) {
        if (turn->badge == 0)
            KIT_CHECK(tn_signal(other, 1) == TN_OK);
        KIT_CHECK(tn_wait(mine, TN_NEVER, &bits) == TN_OK);
        if (turn->badge != 0)
            KIT_CHECK(tn_signal(other, 1) == TN_OK);
    }
    if (turn->badge == 0)
        end_ns = bench_now_ns();
    kit_done();
}
KIT_ROLE(notifier, .event = note_event);

static double note_there_and_back(struct kit *kit)
{
    struct kit_actor *drivers[2] = {kit_make(kit, "a", &notifier, 0, 1),
                                    kit_make(kit, "b", &notifier, 0, 1)};
    struct note *notes[2] = {kit_note(), kit_note()};
    for (uint32_t i = 0; i < 2; i++) {
        kit_share(drivers[i], "mine", note_object(notes[i]), TN_R_READ);
        kit_share(drivers[i], "other", note_object(notes[1 - i]), TN_R_WRITE);
    }
    for (uint32_t i = 0; i < 2; i++)
        object_unref(note_object(notes[i]));
    kit_run_all(kit, drivers, 2);
    return per(MESSAGES / 2);
}

/* One actor alone: what its operations on kernel objects take. `loop` is timed. */

static void (*alone_loop)(void);

static tn_err alone_start(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    begin_ns = bench_now_ns();
    alone_loop();
    if (end_ns == 0)
        end_ns = bench_now_ns();
    kit_stop();
    return TN_OK;
}
KIT_ROLE(loner, .start = alone_start);

static double alone(struct kit *kit, void (*loop)(void), uint64_t operations)
{
    struct kit_actor *a = kit_make(kit, "a", &loner, 0, 1);
    struct note *note = kit_note();
    kit_give(a, "note", note_object(note), TN_R_ALL);
    kit_timer(a, "timer");
    alone_loop = loop;
    end_ns = 0;
    kit_run(kit, a);
    return per(operations);
}

static void signal_wait_loop(void)
{
    tn_cap note = kit_need("note");
    uint64_t bits;
    for (uint32_t i = 0; i < CALLS; i++)
        KIT_CHECK(tn_signal(note, 1) == TN_OK && tn_wait(note, TN_NEVER, &bits) == TN_OK);
}

static double signal_and_wait(struct kit *kit)
{
    return alone(kit, signal_wait_loop, CALLS);
}

/* Kernel objects, called: what a component's operation on one costs. */
static void object_loop(void)
{
    tn_cap note = kit_need("note");
    uint64_t bits;
    for (uint32_t i = 0; i < CALLS; i++)
        KIT_CHECK(tn_notification_poll(note, &bits) == TN_OK);
}

static double object_call(struct kit *kit)
{
    return alone(kit, object_loop, CALLS);
}

static void timer_loop(void)
{
    tn_cap timer = kit_need("timer");
    tn_time far = machine_now_ns() + UINT64_C(3600000000000);
    for (uint32_t i = 0; i < CALLS; i++) {
        KIT_CHECK(tn_timer_set(timer, far, 1) == TN_OK);
        KIT_CHECK(tn_timer_set(timer, TN_NEVER, 1) == TN_OK);
    }
}

static double timer_set_cancel(struct kit *kit)
{
    return alone(kit, timer_loop, CALLS);
}

static void yield_loop(void)
{
    for (uint32_t i = 0; i < CALLS; i++)
        KIT_CHECK(tn_yield() == TN_OK);
}

static double yield(struct kit *kit)
{
    return alone(kit, yield_loop, CALLS);
}

static struct space *own_space(void)
{
    return fiber_self()->turn->actor->space;
}

static void lookup_loop(void)
{
    struct cap_view view;
    tn_cap note = kit_need("note");
    struct space *space = own_space();
    for (uint32_t i = 0; i < CALLS; i++)
        KIT_CHECK(cap_lookup(space, note, OBJ_NOTE, TN_R_READ, &view) == TN_OK);
}

static double lookup(struct kit *kit)
{
    return alone(kit, lookup_loop, CALLS);
}

static void mint_loop(void)
{
    tn_cap note = kit_need("note"), cap;
    for (uint32_t i = 0; i < CALLS; i++) {
        KIT_CHECK(tn_cap_mint(note, TN_R_READ, 7, &cap) == TN_OK);
        KIT_CHECK(tn_cap_drop(cap) == TN_OK);
    }
}

static double mint_delete(struct kit *kit)
{
    return alone(kit, mint_loop, CALLS);
}

enum { DESCENDANTS = 1000 };

static void revoke_loop(void)
{
    tn_cap note = kit_need("note"), cap;
    for (uint32_t i = 0; i < DESCENDANTS; i++)
        KIT_CHECK(tn_cap_mint(note, TN_R_READ, 0, &cap) == TN_OK);
    begin_ns = bench_now_ns();
    KIT_CHECK(tn_cap_revoke(note) == TN_OK);
    end_ns = bench_now_ns();
}

static double revoke(struct kit *kit)
{
    return alone(kit, revoke_loop, DESCENDANTS);
}

/* Fibers */

static struct machine_fiber back, there;

static void other_fiber(void *arg)
{
    (void)arg;
    for (;;)
        machine_fiber_switch(&there, &back);
}

static void switch_loop(void)
{
    void *stack = machine_stack_get(FIBER_STACK_BYTES);
    machine_fiber_init(&there, stack, FIBER_STACK_BYTES, other_fiber, NULL);
    machine_fiber_switch(&back, &there);
    begin_ns = bench_now_ns();
    for (uint32_t i = 0; i < CALLS; i++)
        machine_fiber_switch(&back, &there);
    end_ns = bench_now_ns();
    machine_stack_put(stack, FIBER_STACK_BYTES);
}

static double fiber_switch_(struct kit *kit)
{
    return alone(kit, switch_loop, 2 * CALLS);
}

/* Actors: made with a space, a native instance and one capability; then killed and reaped. */

static const struct needs no_needs;
static struct actor *made[ACTORS];
static double make_ns, destroy_ns, actor_bytes, space_bytes;
KIT_ROLE(bare, .call = NULL);

static void make_one(struct kernel *kernel, struct actor **ret_actor)
{
    struct space *space = NULL;
    KIT_CHECK(space_make(kernel->root, &kernel->caps, &kernel->limbo, 8, &space) == TN_OK);
    const struct actor_config config = {.name = "idle",
                                        .memory = kernel->root,
                                        .space = space,
                                        .mailbox = 64,
                                        .home = kernel->cpu[0],
                                        .limbo = &kernel->limbo,
                                        .alive = &kernel->alive};
    KIT_CHECK(actor_make(&config, ret_actor) == TN_OK);
    KIT_CHECK(native_make(*ret_actor, &bare, &no_needs) == TN_OK);
    KIT_CHECK(actor_ready(*ret_actor));
    object_unref(space_object(space));
}

static void actors_loop(void)
{
    struct kernel *kernel = kit_now->kernel;
    uint64_t used = mem_stats(kernel->root).used_bytes;
    struct space *space = NULL;
    KIT_CHECK(space_make(kernel->root, &kernel->caps, &kernel->limbo, 8, &space) == TN_OK);
    space_bytes = (double)(mem_stats(kernel->root).used_bytes - used);
    object_unref(space_object(space));
    while (mem_stats(kernel->root).used_bytes != used)
        KIT_CHECK(tn_yield() == TN_OK);
    uint64_t start = bench_now_ns();
    uint32_t alive = at_load(&kernel->alive, SEQ_CST);
    for (uint32_t i = 0; i < ACTORS; i++)
        make_one(kernel, &made[i]);
    make_ns = (double)(bench_now_ns() - start) / ACTORS;
    actor_bytes = (double)(mem_stats(kernel->root).used_bytes - used) / ACTORS;
    start = bench_now_ns();
    for (uint32_t i = 0; i < ACTORS; i++) {
        actor_kill(fiber_self()->cpu, made[i]);
        object_unref(actor_object(made[i]));
    }
    while (at_load(&kernel->alive, SEQ_CST) != alive || mem_stats(kernel->root).used_bytes != used)
        KIT_CHECK(tn_yield() == TN_OK);
    destroy_ns = (double)(bench_now_ns() - start) / ACTORS;
}

static double actor_make_one(struct kit *kit)
{
    (void)alone(kit, actors_loop, ACTORS);
    return make_ns;
}

static double actor_destroy_one(struct kit *kit)
{
    (void)alone(kit, actors_loop, ACTORS);
    return destroy_ns;
}

static double actor_size(struct kit *kit)
{
    (void)alone(kit, actors_loop, ACTORS);
    return actor_bytes - space_bytes;
}

static double actor_and_space_size(struct kit *kit)
{
    (void)alone(kit, actors_loop, ACTORS);
    return actor_bytes;
}

const struct question questions[] = {
    {"message", "message, there and back on one CPU, each way", "ns", 60, false,
     message_there_and_back},
    {"message_one_way", "message, one way on one CPU", "ns", 60, false, message_one_way},
    {"message_across", "message, there and back between CPUs, each way", "ns", 0, true,
     message_across},
    {"message_one_way_across", "message, one way between CPUs", "ns", 0, true,
     message_one_way_across},
    {"call", "call and reply through an endpoint, on one CPU", "ns", 100, false, call_inline},
    {"call_across", "call and reply between CPUs", "ns", 0, true, call_across},
    {"note", "signal and wait, the bits are there", "ns", 1000, false, signal_and_wait},
    {"note_switch", "signal to an actor that waits, until it runs", "ns", 1000, false,
     note_there_and_back},
    {"object_call", "call on a kernel object, and its reply", "ns", 500, false, object_call},
    {"cap_lookup", "capability lookup", "ns", 0, false, lookup},
    {"cap_mint_delete", "capability mint and delete", "ns", 500, false, mint_delete},
    {"cap_revoke", "revoke, each descendant", "ns", 0, false, revoke},
    {"timer", "timer set and cancel", "ns", 500, false, timer_set_cancel},
    {"fiber_switch", "fiber switch", "ns", 1000, false, fiber_switch_},
    {"yield", "yield: leave the turn, come back", "ns", 1000, false, yield},
    {"channel_round_trip", "channel between processes: 32 bytes there and back", "ns", 0, true,
     channel_round_trip},
    {"channel_message", "channel between processes: 32 bytes, one way", "ns", 0, true,
     channel_message},
    {"channel_bulk", "channel between processes: 64 KiB at a time", "GB/s", 0, true, channel_bulk},
    {"channel_round_trip_cpus", "channel between CPUs: 32 bytes there and back", "ns", 0, true,
     channel_round_trip_cpus},
    {"channel_message_cpus", "channel between CPUs: 32 bytes, one way", "ns", 0, true,
     channel_message_cpus},
    {"channel_bulk_cpus", "channel between CPUs: 64 KiB at a time", "GB/s", 0, true,
     channel_bulk_cpus},
    {"channel_asleep", "channel on one CPU, both sleep: 32 bytes there and back", "ns", 0, false,
     channel_round_trip_asleep},
    {"actor_make", "actor with space and native instance, made", "ns", 0, false, actor_make_one},
    {"actor_destroy", "the same, killed until its memory is back", "ns", 0, false,
     actor_destroy_one},
    {"actor_bytes", "idle actor with native instance", "bytes", 512, false, actor_size},
    {"actor_space_bytes", "the same with an empty space", "bytes", 0, false, actor_and_space_size},
};
const uint32_t nquestions = ARRAY_LEN(questions);

const struct part parts[] = {
    {"struct actor", sizeof(struct actor)},
    {"struct wait, at the first wait", sizeof(struct wait)},
    {"struct turn", sizeof(struct turn)},
    {"struct cell", sizeof(struct cell)},
    {"struct fiber", sizeof(struct fiber)},
    {"struct cpu", sizeof(struct cpu)},
    {"struct kernel", sizeof(struct kernel)},
};
const uint32_t nparts = ARRAY_LEN(parts);
