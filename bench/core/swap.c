/* swap.c: what it costs to replace the instance of an actor, made and swapped, with 1 KiB of state
 * that is saved and restored: alone on one CPU, and between CPUs while others send to it. */
#include "bench/core/core.h"
#include "runtime/kernel/native.h"

enum { SWAPS = 5000, STATE_WORDS = 128, MAILBOX = 256, M_ONE = TN_METHOD(9, 1) };

static struct kit_actor *target;
static uint64_t begin_ns, end_ns, at_all;
static atomic_u32 stop;

/* Counts what comes; each instance knows of all that came to those before it. */
static void count_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)turn;
    (void)in;
    ++*(uint64_t *)self;
}

static tn_err count_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                         struct tn_pack *out)
{
    (void)turn;
    (void)in;
    (void)out;
    at_all = *(const uint64_t *)self;
    return TN_OK;
}

static tn_err count_save(void *self, struct tn_pack *out)
{
    out->len = STATE_WORDS * sizeof(uint64_t);
    memcpy(out->data, self, out->len);
    return TN_OK;
}

static tn_err count_restore(void *self, uint32_t from_version, const struct tn_pack *in)
{
    KIT_CHECK(from_version == 1 && in->len == STATE_WORDS * sizeof(uint64_t));
    memcpy(self, in->data, in->len);
    return TN_OK;
}
KIT_ROLE(counter, .state_size = STATE_WORDS * sizeof(uint64_t), .state_version = 1,
         .event = count_event, .call = count_call, .save = count_save, .restore = count_restore);

static void swap_one(void)
{
    const struct native_config config = {.component = &counter, .needs = &target->needs};
    struct instance *fresh;
    struct turn *turn = &fiber_self()->turn;
    KIT_CHECK(native_new(target->actor, &config, &fresh) == TN_OK);
    tn_err err = swap_begin(fiber_self()->cpu, turn, target->actor, fresh, 0, TN_NEVER);
    KIT_CHECK(err == IPC_PENDING);
    KIT_CHECK(call_end(turn_wait(fiber_self()->cpu, turn), turn, NULL) == TN_OK);
}

static void swapper_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    begin_ns = bench_now_ns();
    for (uint32_t i = 0; i < SWAPS; i++)
        swap_one();
    end_ns = bench_now_ns();
    at_store(&stop, 1, SEQ_CST);
    kit_done();
}
KIT_ROLE(swapper, .event = swapper_event);

static void sender_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    uint64_t sent = 0;
    (void)self;
    (void)turn;
    (void)in;
    while (at_load(&stop, SEQ_CST) == 0) {
        KIT_CHECK(tn_send(kit_need("counter"), M_ONE, NULL, TN_SEND_WAIT) == TN_OK);
        if (++sent % MAILBOX == 0)
            KIT_CHECK(tn_yield() == TN_OK);
    }
    tn_err err;
    while ((err = tn_call(kit_need("counter"), M_ONE, NULL, NULL, TN_NEVER)) == TN_EFULL)
        KIT_CHECK(tn_yield() == TN_OK);
    KIT_CHECK(err == TN_OK && at_all == sent); /* none lost, none twice */
    kit_done();
}
KIT_ROLE(sender, .event = sender_event);

static double swap_on(struct kit *kit, uint32_t cpu, uint32_t ndrivers)
{
    struct kit_actor *drivers[2] = {kit_make(kit, "swapper", &swapper, 0, 1)};
    target = kit_make(kit, "counter", &counter, cpu, MAILBOX);
    at_init(&stop, 0);
    if (ndrivers > 1) {
        drivers[1] = kit_make(kit, "sender", &sender, 0, 1);
        kit_wire(drivers[1], "counter", target, TN_R_CALL, 0);
    }
    kit_run_all(kit, drivers, ndrivers);
    return (double)(end_ns - begin_ns) / SWAPS;
}

double swap_alone(struct kit *kit)
{
    return swap_on(kit, 0, 1);
}

double swap_under_load(struct kit *kit)
{
    return swap_on(kit, 1, 2);
}
