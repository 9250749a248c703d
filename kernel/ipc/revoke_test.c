/* revoke_test.c: revoke as a component asks for it: nothing of what is gone is in use when it
 * returns, others run between its steps, and it can end early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <tenon/object.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "tests/kit/explore.h"

enum {
    M_GO = TN_METHOD(9, 1),
    MANY = 1100, /* more than are deleted before others run */
    SOON_NS = 300000,
};

/* One that is in the middle of a turn, with a pointer that it looked up, ends it before the revoke
 * of another CPU returns. */

static atomic_u32 using, used;
static bool by_space; /* the revoke is asked of the space that the capability is in */
static struct kit_actor *user_actor;

static void use_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    struct cap_view view;
    tn_cap note = kit_need("note");
    at_store(&using, 1, SEQ_CST);
    while (cap_lookup(user_actor->space, note, OBJ_NOTE, TN_R_READ, &view) == TN_OK)
        machine_relax();
    for (uint32_t i = 0; i < 20; i++)
        machine_relax();
    at_store(&used, 1, SEQ_CST);
    kit_done();
}
KIT_ROLE(user, .event = use_event);

static tn_err revoke_note(void)
{
    tn_cap note = kit_need("note");
    return by_space ? tn_space_revoke(kit_need("space"), note) : tn_cap_revoke(note);
}

static void revoke_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    while (at_load(&using, SEQ_CST) == 0)
        machine_relax();
    KIT_CHECK(revoke_note() == TN_OK);
    KIT_CHECK(at_load(&used, SEQ_CST) == 1);
    kit_done();
}
KIT_ROLE(revoker, .event = revoke_event);

/* The user's capability is derived from the revoker's. Each stays on a CPU of its own, for who uses
 * does so in one turn. */
static void share_note(struct kit *kit, const struct tn_component *main_, tn_time deadline_ns,
                       const struct tn_component *other)
{
    kit->move = false;
    by_space = kit->run % 2 != 0;
    at_init(&using, 0);
    at_init(&used, 0);
    const struct kit_config config = {
        .name = "revoker", .cpu = 0, .mailbox = 2, .deadline_ns = deadline_ns};
    struct kit_actor *drivers[2] = {kit_make_with(kit, &config, main_),
                                    kit_make(kit, "user", other, 1, 2)};
    user_actor = drivers[1];
    struct note *note = kit_note();
    tn_cap top = kit_give(drivers[0], "note", note_object(note), TN_R_ALL), below = 0;
    kit_share(drivers[0], "space", space_object(drivers[0]->space), TN_R_ALL);
    assert_int_equal(cap_copy(drivers[0]->space, top, user_actor->space, &below), TN_OK);
    user_actor->need[user_actor->needs.n++] = (struct need){"note", 4, below};
    kit_run_all(kit, drivers, 2);
}

static void in_use(struct kit *kit)
{
    share_note(kit, &revoker, 0, &user);
}

/* It waits no longer than its turn may. */

static void late_revoke_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    while (at_load(&using, SEQ_CST) == 0)
        machine_relax();
    KIT_CHECK(revoke_note() == TN_ETIME);
    at_store(&used, 1, SEQ_CST);
    kit_done();
}
KIT_ROLE(late_revoker, .event = late_revoke_event);

static void linger_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    at_store(&using, 1, SEQ_CST);
    while (at_load(&used, SEQ_CST) == 0)
        machine_relax();
    uint64_t bits;
    KIT_CHECK(tn_wait(kit_need("note"), TN_NEVER, &bits) == TN_EBADCAP);
    kit_done();
}
KIT_ROLE(lingerer, .event = linger_event);

static void too_late(struct kit *kit)
{
    share_note(kit, &late_revoker, SOON_NS, &lingerer);
}

/* Others run while much is revoked, and it can be killed in the middle. */

static uint32_t turns_of_neighbour;
static struct kit_actor *busy_revoker;

static void neighbour_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    if (turns_of_neighbour++ == 0)
        kit_done();
    machine_relax(); /* it never rests, but others are to get on */
    KIT_CHECK(tn_send(kit_need("self"), M_GO, in, 0) == TN_OK);
}
KIT_ROLE(neighbour, .event = neighbour_event);

static void derive_many(tn_cap note)
{
    for (uint32_t i = 0; i < MANY; i++) {
        tn_cap below;
        KIT_CHECK(tn_cap_mint(note, TN_R_READ, 0, &below) == TN_OK);
    }
}

static void revoke_many_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    tn_cap note = kit_need("note");
    derive_many(note);
    uint32_t before = turns_of_neighbour;
    KIT_CHECK(tn_cap_revoke(note) == TN_OK);
    KIT_CHECK(turns_of_neighbour - before >= 2);
    KIT_CHECK(space_count(busy_revoker->space) == 1);
    KIT_CHECK(tn_cap_revoke(note) == TN_OK);
    KIT_CHECK(tn_cap_drop(note) == TN_OK);
    KIT_CHECK(tn_cap_revoke(note) == TN_EBADCAP);
    kit_done();
}
KIT_ROLE(many_revoker, .event = revoke_many_event);

static struct kit_actor *make_roomy(struct kit *kit, const struct tn_component *component)
{
    const struct kit_config config = {.name = "revoker", .cpu = 0, .mailbox = 2, .slots = 2 * MANY};
    return kit_make_with(kit, &config, component);
}

static void between_steps(struct kit *kit)
{
    kit->move = false;
    turns_of_neighbour = 0;
    struct kit_actor *drivers[2] = {kit_make(kit, "neighbour", &neighbour, 0, 2),
                                    make_roomy(kit, &many_revoker)};
    busy_revoker = drivers[1];
    kit_wire(drivers[0], "self", drivers[0], TN_R_CALL, 1);
    kit_give(drivers[1], "note", note_object(kit_note()), TN_R_ALL);
    kit_run_all(kit, drivers, 2);
}

static void hit_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    kit_kill(busy_revoker);
    kit_done();
}
KIT_ROLE(killer, .event = hit_event);

static void end_early_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    tn_cap note = kit_need("note");
    derive_many(note);
    KIT_CHECK(tn_send(kit_need("killer"), M_GO, in, 0) == TN_OK);
    tn_err err = tn_cap_revoke(note);
    KIT_CHECK(err == TN_OK || err == TN_ECANCELLED);
    KIT_CHECK(space_count(busy_revoker->space) <= 3); /* none was left behind */
}
KIT_ROLE(short_lived, .event = end_early_event);

static void killed(struct kit *kit)
{
    struct kit_actor *first = make_roomy(kit, &short_lived);
    struct kit_actor *second = kit_make(kit, "killer", &killer, 1, 2);
    busy_revoker = first;
    kit_give(first, "note", note_object(kit_note()), TN_R_ALL);
    kit_wire(first, "killer", second, TN_R_CALL, 1);
    kit_run_all(kit, &first, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EXPLORE_ON(in_use, .cpus_min = 2),
        EXPLORE_ON(too_late, .cpus_min = 2),
        EXPLORE(between_steps),
        EXPLORE(killed),
    };
    return cmocka_run_group_tests_name("revoke", tests, NULL, NULL);
}
