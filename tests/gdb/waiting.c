/* waiting.c: a small system in which everybody waits, for a debugger to look at: stop it at
 * look_here. On the simulated machine, so that it looks the same each time (docs/debugging.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/bits.h"
#include "machine/sim/sim.h"
#include "tests/kit/kit.h"

enum { M_GET = TN_METHOD(7, 1), M_PUT = TN_METHOD(7, 2), M_NEST = TN_METHOD(7, 3), PUTS = 5 };
enum { SECOND_NS = 1000000000, SHELF_BYTES = 65536 };

static struct kit_actor *sender, *late, *roomy, *store;

/* Everybody is where he was to go. */
__attribute__((noinline)) static void look_here(void)
{
    __asm__ volatile("");
}

static tn_err hang(void)
{
    uint64_t bits;
    return tn_wait(kit_need("delivery"), TN_NEVER, &bits);
}

/* Waits for a delivery that never comes, with a timer that has rung. */
static tn_err store_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                         struct tn_pack *out)
{
    (void)self;
    (void)in;
    (void)out;
    KIT_CHECK(tn_timer_set(kit_need("timer"), turn->now + 1, 3) == TN_OK);
    return hang();
}
KIT_ROLE(store_role, .call = store_call);

static tn_err server_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    (void)self;
    (void)turn;
    (void)out;
    return tn_call(kit_need("store"), M_GET, in, NULL, TN_NEVER);
}
KIT_ROLE(server_role, .call = server_call);

/* Calls the server through a capability of its own making, with a buffer on its shelf. */
static void client_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    tn_cap server = 0, buffer = 0, slice = 0;
    (void)self;
    KIT_CHECK(tn_cap_mint(kit_need("server"), TN_R_CALL, 5, &server) == TN_OK);
    KIT_CHECK(tn_buf_new(kit_need("shelf"), 4096, &buffer) == TN_OK);
    KIT_CHECK(tn_buf_slice(buffer, 0, 512, TN_R_READ, &slice) == TN_OK);
    KIT_CHECK(tn_call(server, M_GET, in, NULL, turn->now + SECOND_NS) !=
              TN_OK); /* it ends with the system */
}
KIT_ROLE(client_role, .event = client_event);

static void late_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    static const char words[] = "once more";
    const struct tn_pack pack = {.data_bits = (uint64_t)(uintptr_t)words, .len = sizeof(words)};
    KIT_CHECK(tn_call(kit_need("server"), M_GET, &pack, NULL, TN_NEVER) !=
              TN_OK); /* it ends with the system */
}
KIT_ROLE(late_role, .event = late_event);

/* Sends until there is no room. */
static void sender_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    static const char word[] = "parcel";
    const struct tn_pack pack = {.data_bits = (uint64_t)(uintptr_t)word, .len = sizeof(word)};
    tn_err err = TN_OK;
    for (uint32_t i = 0; i < PUTS && err == TN_OK; i++)
        err = tn_send(kit_need("store"), M_PUT, &pack, TN_SEND_WAIT);
}
KIT_ROLE(sender_role, .event = sender_event);

/* Calls itself, for it may have three turns; the second waits. */
static void roomy_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    KIT_CHECK(tn_call(kit_need("self"), M_NEST, in, NULL, TN_NEVER) !=
              TN_OK); /* it ends with the system */
}

static tn_err roomy_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                         struct tn_pack *out)
{
    (void)self;
    (void)turn;
    (void)in;
    (void)out;
    return hang();
}
KIT_ROLE(roomy_role, .event = roomy_event, .call = roomy_call);

KIT_ROLE(next_role, .load = NULL);

static bool waits(struct kit_actor *a)
{
    struct wait *wait = at_load(&a->actor->waits, SEQ_CST);
    return wait != NULL && wait_is_open(wait, wait_generation(wait));
}

static tn_err main_start(void *self, const struct tn_turn *turn)
{
    static const struct tn_pack nothing;
    static const char *const names[] = {"client", "late", "roomy"};
    (void)self;
    (void)turn;
    for (uint32_t i = 0; i < ARRAY_LEN(names); i++)
        KIT_CHECK(tn_send(kit_need(names[i]), M_GET, &nothing, 0) == TN_OK);
    /* The sender begins when all that call are waiting, and the timer has rung. */
    while (!waits(late) || roomy->actor->turns < 2 || store->actor->mbox.first == NULL) {
        machine_relax();
        KIT_CHECK(tn_yield() == TN_OK);
    }
    KIT_CHECK(tn_send(kit_need("sender"), M_PUT, &nothing, 0) == TN_OK);
    while (!waits(sender) || at_load(&kit_now->kernel->cpu[1]->asleep, SEQ_CST) == 0) {
        machine_relax();
        KIT_CHECK(tn_yield() == TN_OK);
    }
    /* One is queued here, one is asked on the other CPU. */
    KIT_CHECK(tn_send(kit_need("next"), M_PUT, &nothing, 0) == TN_OK);
    KIT_CHECK(tn_send(kit_need("roomy"), M_PUT, &nothing, 0) == TN_OK);
    look_here();
    kit_stop();
    return TN_OK;
}
KIT_ROLE(main_role, .start = main_start);

static struct kit_actor *wire_all(struct kit *kit)
{
    const struct kit_config three = {.name = "roomy", .cpu = 1, .mailbox = 4, .concurrency = 3};
    struct kit_actor *first = kit_make(kit, "main", &main_role, 0, 1);
    struct kit_actor *client = kit_make(kit, "client", &client_role, 0, 2);
    struct kit_actor *server = kit_make(kit, "server", &server_role, 0, 4);
    store = kit_make(kit, "store", &store_role, 1, 3);
    late = kit_make(kit, "late", &late_role, 0, 2);
    sender = kit_make(kit, "sender", &sender_role, 0, 2);
    roomy = kit_make_with(kit, &three, &roomy_role);
    kit_wire(first, "client", client, TN_R_CALL, 0);
    kit_wire(first, "late", late, TN_R_CALL, 0);
    kit_wire(first, "roomy", roomy, TN_R_CALL, 0);
    kit_wire(first, "sender", sender, TN_R_CALL, 0);
    kit_wire(first, "next", kit_make(kit, "next", &next_role, 0, 2), TN_R_CALL, 0);
    kit_wire(client, "server", server, TN_R_CALL | TN_R_GRANT, 0);
    kit_memory(client, "shelf", SHELF_BYTES);
    kit_wire(late, "server", server, TN_R_CALL, 6);
    kit_wire(server, "store", store, TN_R_CALL, 0);
    kit_wire(sender, "store", store, TN_R_CALL, 9);
    kit_wire(roomy, "self", roomy, TN_R_CALL, 0);
    kit_timer(store, "timer");
    struct note *never = kit_note();
    kit_share(store, "delivery", note_object(never), TN_R_READ);
    kit_give(roomy, "delivery", note_object(never), TN_R_READ);
    return first;
}

int main(void)
{
    const struct sim_machine machine = {
        .seed = 1,
        .cpus = 2,
        .memory_bytes = 16 << 20,
        .stores_at_once = true,
        .switch_one_in = 1 << 20}; /* but for a relax: the other CPU sleeps on when it is asked */
    struct kit kit;
    if (sim_machine_init(&machine) != 0)
        return 1;
    kit_boot(&kit);
    kit_run(&kit, wire_all(&kit));
    kit_end(&kit);
    sim_machine_destroy();
    puts("everybody waited");
    return 0;
}
