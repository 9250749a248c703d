/* questions.c: what each figure of the core benchmark measures, in actors on a real kernel. */
#include <tenon/object.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "bench/core/core.h"
#include "kernel/cap/lookup.h"
#include "kernel/mem/mem.h"
#include "runtime/kernel/native.h"
#include "sdk/hook.h"

enum {
    MESSAGES = 400000,
    CALLS = 400000,
    SITES = 20000000,
    ACROSS = 4,  /* that many times fewer where a busy machine can make them slow */
    MINTS = 512, /* at a time, and so many times: */
    MINT_ROUNDS = 400,
    ACTORS = 2000, /* made in memory that nobody has touched */
    WARM = 256,    /* made at a time in memory that others had, and so many times: */
    WARM_ROUNDS = 32,
    MAILBOX = 1024,
    M_ONE = TN_METHOD(9, 1),
};

static uint64_t begin_ns, end_ns;

static double per(uint64_t operations)
{
    return (double)(end_ns - begin_ns) / (double)operations;
}

static uint32_t of_a_run(uint32_t operations)
{
    return bench_wall ? operations / ACROSS : operations;
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
    left = of_a_run(MESSAGES);
    kit_run(kit, a);
    return per(of_a_run(MESSAGES) / 2);
}

static double message_there_and_back(struct kit *kit)
{
    return bounce(kit, 0);
}

static double message_across(struct kit *kit)
{
    return bounce(kit, 1);
}

/* They begin apart: that the scheduler brings them together is in it. */
static double message_free(struct kit *kit)
{
    kit->move = true;
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
    for (uint32_t n = of_a_run(MESSAGES), i = 0; i < n; i++)
        KIT_CHECK(tn_send(to, M_ONE, &pack, TN_SEND_WAIT) == TN_OK);
    return TN_OK;
}
KIT_ROLE(pourer, .start = pour_start);

static double pour(struct kit *kit, uint32_t other_cpu)
{
    struct kit_actor *a = kit_make(kit, "a", &pourer, 0, 64);
    kit_wire(a, "other", kit_make(kit, "b", &counter, other_cpu, MAILBOX), TN_R_CALL, 1);
    left = of_a_run(MESSAGES);
    kit_run(kit, a);
    return per(of_a_run(MESSAGES));
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
    uint32_t calls = of_a_run(CALLS);
    begin_ns = bench_now_ns();
    for (uint32_t i = 0; i < calls; i++) {
        struct tn_pack in = {.data = &number, .len = sizeof(number)};
        struct tn_pack out = {.data = &number, .size = sizeof(number)};
        KIT_CHECK(tn_call(to, M_ONE, &in, &out, TN_NEVER) == TN_OK);
    }
    finish();
    KIT_CHECK(number == calls);
    return TN_OK;
}
KIT_ROLE(caller, .start = call_start);

static double call_to(struct kit *kit, uint32_t other_cpu)
{
    struct kit_actor *a = kit_make(kit, "a", &caller, 0, 64);
    kit_wire(a, "other", kit_make(kit, "b", &answerer, other_cpu, 64), TN_R_CALL, 1);
    kit_run(kit, a);
    return per(of_a_run(CALLS));
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
    return fiber_self()->turn.actor->space;
}

/* Inlined, as in send and call. The compiler knows neither the capability before nor what is done
 * with the answer: it is one lookup. */
static inline __attribute__((always_inline)) struct cap_view look(struct space *space, tn_cap cap)
{
    struct cap_view view = {0};
    __asm__ volatile("" : "+r"(cap));
    KIT_CHECK(__builtin_expect(cap_find(space, cap, OBJ_NOTE, TN_R_READ, &view) == TN_OK, 1));
    __asm__ volatile("" : : "r"(view.object), "r"(view.badge), "r"(view.rights));
    return view;
}

/* Eight a round: an eighth of the loop's own instructions is in each. */
static void lookup_loop(void)
{
    tn_cap note = kit_need("note");
    struct space *space = own_space();
    for (uint32_t i = 0; i < CALLS; i += 8) {
        (void)look(space, note);
        (void)look(space, note);
        (void)look(space, note);
        (void)look(space, note);
        (void)look(space, note);
        (void)look(space, note);
        (void)look(space, note);
        (void)look(space, note);
    }
}

static double lookup(struct kit *kit)
{
    return alone(kit, lookup_loop, CALLS);
}

/* A place where others may hook, and nobody does. */
static void hook_site_loop(void)
{
    static struct hook_point point;
    const struct tn_turn *turn = &fiber_self()->turn.info;
    struct hook_args args = {.room = NULL};
    for (uint32_t i = 0; i < SITES; i++) {
        __asm__ volatile("" : : "r"(&point) : "memory"); /* it may have changed */
        KIT_CHECK(hook_pre(&point, turn, M_ONE, &args) == TN_OK);
        hook_post(&point, turn, M_ONE, &args.in);
    }
}

static double hook_site(struct kit *kit)
{
    return alone(kit, hook_site_loop, 2 * SITES);
}

/* Each needs the badge of the last, which is 0, before it can begin. */
static void lookup_chain_loop(void)
{
    tn_cap note = kit_need("note");
    struct space *space = own_space();
    for (uint32_t i = 0; i < CALLS; i++)
        note |= look(space, note).badge;
}

static double lookup_chain(struct kit *kit)
{
    return alone(kit, lookup_chain_loop, CALLS);
}

static double mint_ns, delete_ns;

static void mint_loop(void)
{
    static tn_cap caps[MINTS];
    tn_cap note = kit_need("note");
    uint64_t minted = 0, deleted = 0;
    for (uint32_t round = 0; round < MINT_ROUNDS; round++) {
        uint64_t before = bench_now_ns();
        for (uint32_t i = 0; i < MINTS; i++)
            KIT_CHECK(tn_cap_mint(note, TN_R_READ, 7, &caps[i]) == TN_OK);
        uint64_t between = bench_now_ns();
        for (uint32_t i = 0; i < MINTS; i++)
            KIT_CHECK(tn_cap_drop(caps[i]) == TN_OK);
        minted += between - before;
        deleted += bench_now_ns() - between;
    }
    mint_ns = (double)minted / (MINTS * MINT_ROUNDS);
    delete_ns = (double)deleted / (MINTS * MINT_ROUNDS);
}

static double mint(struct kit *kit)
{
    (void)alone(kit, mint_loop, 1);
    return mint_ns;
}

static double delete_one(struct kit *kit)
{
    (void)alone(kit, mint_loop, 1);
    return delete_ns;
}

static void mint_delete_loop(void)
{
    tn_cap note = kit_need("note"), cap;
    for (uint32_t i = 0; i < CALLS; i++) {
        KIT_CHECK(tn_cap_mint(note, TN_R_READ, 7, &cap) == TN_OK);
        KIT_CHECK(tn_cap_drop(cap) == TN_OK);
    }
}

static double mint_delete(struct kit *kit)
{
    return alone(kit, mint_delete_loop, CALLS);
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
static double touch_ns, make_ns, destroy_ns, actor_bytes, space_bytes;
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

/* What it takes to make n of them, and to kill them until their memory is back, in ns. */
static void make_and_kill(uint32_t n, uint64_t *ret_make, uint64_t *ret_destroy)
{
    struct kernel *kernel = kit_now->kernel;
    uint64_t used = mem_stats(kernel->root).used_bytes;
    uint32_t alive = at_load(&kernel->alive, SEQ_CST);
    uint64_t before = bench_now_ns();
    for (uint32_t i = 0; i < n; i++)
        make_one(kernel, &made[i]);
    uint64_t between = bench_now_ns();
    actor_bytes = (double)(mem_stats(kernel->root).used_bytes - used) / n;
    uint64_t start = bench_now_ns();
    for (uint32_t i = 0; i < n; i++) {
        actor_kill(fiber_self()->cpu, made[i]);
        object_unref(actor_object(made[i]));
    }
    while (at_load(&kernel->alive, SEQ_CST) != alive || mem_stats(kernel->root).used_bytes != used)
        KIT_CHECK(tn_yield() == TN_OK);
    *ret_make += between - before;
    *ret_destroy += bench_now_ns() - start;
}

static void actors_loop(void)
{
    struct kernel *kernel = kit_now->kernel;
    uint64_t used = mem_stats(kernel->root).used_bytes, make = 0, destroy = 0;
    struct space *space = NULL;
    KIT_CHECK(space_make(kernel->root, &kernel->caps, &kernel->limbo, 8, &space) == TN_OK);
    space_bytes = (double)(mem_stats(kernel->root).used_bytes - used);
    object_unref(space_object(space));
    while (mem_stats(kernel->root).used_bytes != used)
        KIT_CHECK(tn_yield() == TN_OK);
    make_and_kill(ACTORS, &make, &destroy);
    touch_ns = (double)make / ACTORS;
    make = destroy = 0;
    for (uint32_t i = 0; i < WARM_ROUNDS; i++)
        make_and_kill(WARM, &make, &destroy);
    make_ns = (double)make / (WARM * WARM_ROUNDS);
    destroy_ns = (double)destroy / (WARM * WARM_ROUNDS);
}

static double actor_make_touch(struct kit *kit)
{
    (void)alone(kit, actors_loop, ACTORS);
    return touch_ns;
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
    {"message", "message there and back (a round trip), one CPU", "ns", 120, false,
     message_there_and_back, NULL},
    {"message_free", "the same, placed by the scheduler", "ns", 0, true, message_free, NULL},
    {"message_across", "the same, forced apart onto two CPUs", "ns", 0, true, message_across, NULL},
    {"message_one_way", "one producer to one consumer, one CPU", "ns", 60, false, message_one_way,
     NULL},
    {"message_one_way_across", "the same on two CPUs", "ns", 0, true, message_one_way_across, NULL},
    {"eight_to_one", "eight producers to one consumer, one CPU", "ns", 0, false, eight_to_one,
     NULL},
    {"eight_to_one_free", "the same, placed by the scheduler", "ns", 0, true, eight_to_one_free,
     NULL},
    {"eight_to_one_across", "the same, forced apart onto two CPUs", "ns", 0, true,
     eight_to_one_across, NULL},
    {"ring", "ring of 1,000 actors, a hop", "ns", 0, false, ring, NULL},
    {"call", "call and reply through an endpoint, one CPU", "ns", 100, false, call_inline, NULL},
    {"call_across", "call and reply between CPUs", "ns", 0, true, call_across, NULL},
    {"note", "signal and wait, the bits are there", "ns", 1000, false, signal_and_wait, NULL},
    {"note_switch", "signal to an actor that waits, until it runs", "ns", 1000, false,
     note_there_and_back, NULL},
    {"object_call", "call on a kernel object, and its reply", "ns", 500, false, object_call, NULL},
    {"cap_lookup", "capability lookup with rights check, inlined, one behind the other", "ns", 0,
     false, lookup, NULL},
    {"cap_lookup_chain", "the same, each begins when the last has its answer", "ns", 0, false,
     lookup_chain, NULL},
    {"cap_mint", "capability mint", "ns", 0, false, mint, NULL},
    {"cap_delete", "capability delete", "ns", 0, false, delete_one, NULL},
    {"cap_mint_delete", "capability mint and delete, in turn", "ns", 500, false, mint_delete, NULL},
    {"cap_revoke", "revoke, each descendant", "ns", 0, false, revoke, NULL},
    {"hook_site", "call site of a hook point without hooks", "ns", 0, false, hook_site, NULL},
    {"timer", "timer set and cancelled", "ns", 500, false, timer_set_cancel, NULL},
    {"timer_fire", "one of 1,000,000 timers that end at once, till handled", "ns", 0, true, NULL,
     timer_fire},
    {"fiber_switch", "fiber switch", "ns", 1000, false, fiber_switch_, NULL},
    {"yield", "yield: leave the turn, come back", "ns", 1000, false, yield, NULL},
    {"channel_round_trip", "channel between processes: 32 bytes there and back", "ns", 0, true,
     channel_round_trip, NULL},
    {"channel_message", "channel between processes: 32 bytes, one way", "ns", 0, true,
     channel_message, NULL},
    {"channel_bulk", "channel between processes: 64 KiB at a time", "GB/s", 0, true, channel_bulk,
     NULL},
    {"channel_round_trip_cpus", "channel between CPUs: 32 bytes there and back", "ns", 0, true,
     channel_round_trip_cpus, NULL},
    {"channel_message_cpus", "channel between CPUs: 32 bytes, one way", "ns", 0, true,
     channel_message_cpus, NULL},
    {"channel_bulk_cpus", "channel between CPUs: 64 KiB at a time", "GB/s", 0, true,
     channel_bulk_cpus, NULL},
    {"channel_asleep", "channel on one CPU, both sleep: 32 bytes there and back", "ns", 0, false,
     channel_round_trip_asleep, NULL},
    {"swap", "instance with 1 KiB of state made and swapped in, on one CPU", "ns", 10000000, false,
     swap_alone, NULL},
    {"swap_under_load", "the same between CPUs, while messages come", "ns", 10000000, true,
     swap_under_load, NULL},
    {"actor_make", "actor with space and native instance made, in memory that others had", "ns", 0,
     false, actor_make_one, NULL},
    {"actor_make_touch", "the same, in memory that nobody has touched", "ns", 0, false,
     actor_make_touch, NULL},
    {"actor_destroy", "actor killed, until its memory is back", "ns", 0, false, actor_destroy_one,
     NULL},
    {"actor_bytes", "idle actor with mailbox and native instance", "bytes", 512, false, actor_size,
     NULL},
    {"actor_space_bytes", "the same with an empty space", "bytes", 0, false, actor_and_space_size,
     NULL},
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
