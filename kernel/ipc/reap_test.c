/* reap_test.c: what a busy system drops comes back as fast as it is dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/kit/explore.h"

enum { M_MAKE = TN_METHOD(9, 1), MESSAGES = 4000, BYTES = 4096, MEMORY = 2 << 20 };

static const struct tn_pack nothing;

static void maker_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    uint32_t *made = self;
    tn_cap buf = 0;
    (void)turn;
    (void)in;
    KIT_CHECK(tn_buf_new(kit_need("memory"), BYTES, &buf) == TN_OK);
    KIT_CHECK(tn_cap_drop(buf) == TN_OK);
    if (++*made == MESSAGES)
        kit_done();
}
KIT_ROLE(maker, .state_size = sizeof(uint32_t), .event = maker_event);

static void sender_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < MESSAGES; i++)
        KIT_CHECK(tn_send(kit_need("maker"), M_MAKE, &nothing, TN_SEND_WAIT) == TN_OK);
}
KIT_ROLE(sender, .event = sender_event);

static void scenario(struct kit *kit)
{
    struct kit_actor *makes = kit_make(kit, "maker", &maker, 1, 256);
    struct kit_actor *sends = kit_make(kit, "sender", &sender, 0, 4);
    kit_memory(makes, "memory", MEMORY);
    kit_wire(sends, "maker", makes, TN_R_CALL, 0);
    kit_run_all(kit, &sends, 1);
}

/* A buffer a message, with memory for far fewer than there are messages. On one CPU, so that no
 * other one holds up the grace period. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        EXPLORE_ON(scenario, .cpus_min = 1, .cpus_max = 1),
    };
    return cmocka_run_group_tests_name("reap", tests, NULL, NULL);
}
