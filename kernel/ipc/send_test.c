/* send_test.c: messages without a reply: capabilities in them, credits and who waits for them,
 * order, under many schedules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "kernel/cap/cap.h"
#include "tests/kit/explore.h"

enum { M_NOTE = TN_METHOD(9, 1), M_CAPS = TN_METHOD(9, 2), M_WAIT = TN_METHOD(9, 3) };

static const struct tn_pack nothing;

/* Lets others run, also under a schedule by priorities. */
static tn_err pause_turn(void)
{
    machine_relax();
    return tn_yield();
}

/* Capabilities: copied and moved, in sends, calls and replies; all or none. */

enum { TAKER_SLOTS = 6 };

static tn_err taker_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                         struct tn_pack *out)
{
    (void)self;
    (void)turn;
    for (uint32_t i = 0; i < in->ncaps; i++)
        KIT_CHECK(tn_signal(in->caps[i], UINT64_C(1) << i) == TN_OK);
    /* They go back, moved: the space is as empty as before. */
    memcpy(out->caps, in->caps, in->ncaps * sizeof(tn_cap));
    out->ncaps = in->ncaps;
    out->move = 15;
    return TN_OK;
}

static void taker_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    KIT_CHECK(in->len == 0 || *(const uint8_t *)in->data == 42);
    for (uint32_t i = 0; i < in->ncaps; i++) {
        KIT_CHECK(tn_signal(in->caps[i], 16) == TN_OK);
        KIT_CHECK(tn_cap_drop(in->caps[i]) == TN_OK);
    }
}
KIT_ROLE(taker, .call = taker_call, .event = taker_event);
KIT_ROLE(deaf, .call = NULL); /* takes neither calls nor events */

static tn_cap fresh_note(uint64_t badge)
{
    tn_cap cap = 0;
    KIT_CHECK(tn_cap_mint(kit_need("note"), TN_R_ALL, badge, &cap) == TN_OK);
    return cap;
}

/* Sends until there is room in the mailbox; what fails otherwise is returned. */
static tn_err send_caps(const char *to, const struct tn_pack *pack)
{
    return tn_send(kit_need(to), M_CAPS, pack, TN_SEND_WAIT);
}

static void moves_and_copies(const char *to, uint32_t len)
{
    uint8_t bytes[100] = {42};
    struct tn_pack pack = {.data = bytes, .len = len, .ncaps = 3, .move = 2};
    for (uint32_t i = 0; i < 3; i++)
        pack.caps[i] = fresh_note(i);
    KIT_CHECK(send_caps(to, &pack) == TN_OK);
    KIT_CHECK(tn_cap_drop(pack.caps[0]) == TN_OK);
    KIT_CHECK(tn_cap_drop(pack.caps[1]) == TN_EBADCAP);
    KIT_CHECK(tn_cap_drop(pack.caps[2]) == TN_OK);
}

/* Nothing goes when one cannot: stale, without the right to grant, named twice. */
static void all_or_none(void)
{
    struct tn_pack pack = {.ncaps = 2, .move = 3};
    tn_cap good = fresh_note(1), mute = 0;
    KIT_CHECK(tn_cap_mint(good, TN_R_ALL & ~TN_R_GRANT, 0, &mute) == TN_OK);
    const tn_cap others[] = {mute, 12345, good};
    static const tn_err want[] = {TN_ERIGHTS, TN_EBADCAP, TN_EINVAL};
    for (uint32_t i = 0; i < ARRAY_LEN(others); i++) {
        pack.caps[0] = good;
        pack.caps[1] = others[i];
        KIT_CHECK(send_caps("taker", &pack) == want[i]);
        tn_err err = tn_call(kit_need("taker"), M_CAPS, &pack, NULL, TN_NEVER);
        KIT_CHECK(err == want[i] || err == TN_EFULL);
        KIT_CHECK(tn_signal(good, 0) == TN_OK);
    }
    pack.ncaps = TN_PACK_CAPS + 1;
    KIT_CHECK(send_caps("taker", &pack) == TN_EINVAL);
    KIT_CHECK(tn_cap_drop(mute) == TN_OK && tn_cap_drop(good) == TN_OK);
}

static void there_and_back(void)
{
    struct tn_pack pack = {.ncaps = 4, .move = 15}, out = {.ncaps = 4};
    for (uint32_t i = 0; i < 4; i++)
        pack.caps[i] = fresh_note(i);
    tn_err err;
    while ((err = tn_call(kit_need("taker"), M_CAPS, &pack, &out, TN_NEVER)) == TN_EFULL ||
           err == TN_ENOSLOT) { /* what was sent before still fills its mailbox or its space */
        KIT_CHECK(tn_signal(pack.caps[0], 0) == TN_OK && tn_signal(pack.caps[3], 0) == TN_OK);
        KIT_CHECK(pause_turn() == TN_OK);
        out.ncaps = 4;
    }
    KIT_CHECK(err == TN_OK && out.ncaps == 4);
    for (uint32_t i = 0; i < 4; i++) {
        KIT_CHECK(tn_cap_drop(pack.caps[i]) == TN_EBADCAP);
        KIT_CHECK(tn_cap_drop(out.caps[i]) == TN_OK);
    }
}

/* A reply that brings more than the caller takes brings nothing, and what it moved is gone. */
static void too_many_back(void)
{
    struct tn_pack pack = {.ncaps = 2, .move = 3}, out = {.ncaps = 1};
    for (uint32_t i = 0; i < 2; i++)
        pack.caps[i] = fresh_note(i);
    tn_err err;
    while ((err = tn_call(kit_need("taker"), M_CAPS, &pack, &out, TN_NEVER)) == TN_EFULL ||
           err == TN_ENOSLOT)
        KIT_CHECK(pause_turn() == TN_OK);
    KIT_CHECK(err == TN_ETOOBIG && out.ncaps == 0);
    KIT_CHECK(tn_cap_drop(pack.caps[0]) == TN_EBADCAP);
    out.ncaps = TN_PACK_CAPS + 1;
    KIT_CHECK(tn_call(kit_need("taker"), M_CAPS, NULL, &out, TN_NEVER) == TN_EINVAL);
}

static void caps_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    moves_and_copies("taker", 0);
    moves_and_copies("taker", 8);
    moves_and_copies("taker", 9);
    moves_and_copies("taker", 100);
    all_or_none();
    there_and_back();
    too_many_back();
    struct tn_pack gift = {.ncaps = 1, .move = 1, .caps = {fresh_note(0)}};
    KIT_CHECK(send_caps("deaf", &gift) == TN_OK);
    gift.caps[0] = fresh_note(0);
    tn_err err;
    while ((err = tn_call(kit_need("deaf"), M_CAPS, &gift, NULL, TN_NEVER)) == TN_EFULL)
        KIT_CHECK(pause_turn() == TN_OK);
    KIT_CHECK(err == TN_EMETHOD);
    kit_done();
}
KIT_ROLE(giver, .event = caps_event);

static void capabilities(struct kit *kit)
{
    struct note *note = kit_note();
    struct kit_actor *to = kit_make(kit, "taker", &taker, 1, 2);
    struct kit_actor *silent = kit_make(kit, "deaf", &deaf, 2, 2);
    struct kit_actor *from = kit_make(kit, "giver", &giver, 0, 1);
    kit_wire(from, "taker", to, TN_R_CALL, 0);
    kit_wire(from, "deaf", silent, TN_R_CALL, 0);
    kit_give(from, "note", note_object(note), TN_R_ALL);
    kit_run_all(kit, &from, 1);
    /* What nobody looked at did not stay. */
    KIT_CHECK(space_count(silent->space) == 0);
}

static void test_capabilities(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = capabilities});
}

/* The receiver's space is full: the sender keeps what it wanted to move. */
static void full_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    struct tn_pack pack = {.ncaps = 4, .move = 15};
    for (uint32_t i = 0; i < 4; i++)
        pack.caps[i] = fresh_note(i);
    KIT_CHECK(tn_send(kit_need("small"), M_CAPS, &pack, 0) == TN_ENOSLOT);
    KIT_CHECK(tn_call(kit_need("small"), M_CAPS, &pack, NULL, TN_NEVER) == TN_ENOSLOT);
    for (uint32_t i = 0; i < 4; i++)
        KIT_CHECK(tn_cap_drop(pack.caps[i]) == TN_OK);
    KIT_CHECK(tn_send(kit_need("small"), M_CAPS, &nothing, 0) == TN_OK); /* no credit was lost */
    kit_done();
}
KIT_ROLE(filler, .event = full_event);

static void space_full(struct kit *kit)
{
    struct note *note = kit_note();
    const struct kit_config small = {.name = "small", .cpu = 1, .mailbox = 1, .slots = 3};
    struct kit_actor *to = kit_make_with(kit, &small, &taker);
    struct kit_actor *from = kit_make(kit, "filler", &filler, 0, 1);
    kit_wire(from, "small", to, TN_R_CALL, 0);
    kit_give(from, "note", note_object(note), TN_R_ALL);
    kit_run_all(kit, &from, 1);
}

static void test_space_full(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = space_full});
}

/* Credits. The receiver waits in its first turn until it is let go, so its mailbox fills. */

enum { CAPACITY = 3, WAITERS = 4 };

static atomic_u32 waiting, taken, is_shut;

static void gate_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    uint64_t bits;
    at_add(&taken, 1, RELAXED);
    if (turn->badge != 9 || at_swap(&is_shut, 1, SEQ_CST) != 0)
        return;
    tn_err err = tn_wait(kit_need("open"), TN_NEVER, &bits);
    KIT_CHECK(err == TN_OK || err == TN_ECANCELLED);
}
KIT_ROLE(gate, .event = gate_event);

/* The first to run shuts the gate and fills the mailbox; then all wait for credits. */
static void waiter_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    (void)turn;
    at_add(&waiting, 1, SEQ_CST);
    KIT_CHECK(tn_send(kit_need("gate"), M_NOTE, &nothing, TN_SEND_WAIT) == TN_OK);
    KIT_CHECK(tn_send(kit_need("gate"), M_NOTE, &nothing, TN_SEND_WAIT) == TN_OK);
    kit_done();
}
KIT_ROLE(waiter, .event = waiter_event);

static void opener_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    tn_cap gate_ = kit_need("gate"), shut = kit_need("shut");
    KIT_CHECK(tn_send(shut, M_NOTE, &nothing, TN_SEND_WAIT) == TN_OK);
    while (at_load(&waiting, SEQ_CST) < WAITERS || at_load(&is_shut, SEQ_CST) == 0)
        KIT_CHECK(pause_turn() == TN_OK);
    tn_err err;
    while ((err = tn_send(gate_, M_NOTE, &nothing, 0)) == TN_OK)
        KIT_CHECK(pause_turn() == TN_OK);
    KIT_CHECK(err == TN_EFULL);
    KIT_CHECK(tn_call(gate_, M_NOTE, &nothing, NULL, TN_NEVER) == TN_EFULL);
    KIT_CHECK(tn_signal(kit_need("open"), 1) == TN_OK);
    kit_done();
}
KIT_ROLE(opener, .event = opener_event);

static void credits(struct kit *kit)
{
    at_init(&waiting, 0);
    at_init(&taken, 0);
    at_init(&is_shut, 0);
    struct note *open = kit_note();
    struct kit_actor *to = kit_make(kit, "gate", &gate, 1, CAPACITY);
    struct kit_actor *drivers[WAITERS + 1] = {kit_make(kit, "opener", &opener, 0, 1)};
    kit_share(to, "open", note_object(open), TN_R_READ);
    kit_give(drivers[0], "open", note_object(open), TN_R_WRITE);
    kit_wire(drivers[0], "shut", to, TN_R_CALL, 9);
    kit_wire(drivers[0], "gate", to, TN_R_CALL, 1);
    for (uint32_t i = 1; i <= WAITERS; i++) {
        drivers[i] = kit_make(kit, "waiter", &waiter, i, 1);
        kit_wire(drivers[i], "gate", to, TN_R_CALL, 2);
    }
    kit_run_all(kit, drivers, WAITERS + 1);
    KIT_CHECK(at_load(&taken, RELAXED) > CAPACITY);
}

static void test_credits(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = credits});
}

/* Who waits for room is let in together with others when half of the mailbox is free; but at once
 * when its receiver waits, perhaps for what the sender does next. */

enum { ROOM = 8 };
static atomic_u32 slow_taken;

static void slow_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    uint64_t bits;
    if (at_add(&slow_taken, 1, SEQ_CST) == 0)
        KIT_CHECK(tn_wait(kit_need("go"), TN_NEVER, &bits) == TN_OK);
    else if (at_load(&slow_taken, SEQ_CST) == 2 * ROOM)
        kit_done();
}
KIT_ROLE(slow, .event = slow_event);

static void pours_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < 2 * ROOM; i++) {
        KIT_CHECK(tn_send(kit_need("slow"), M_NOTE, &nothing, TN_SEND_WAIT) == TN_OK);
        if (i == ROOM) /* one more than it holds: it has begun with the first */
            KIT_CHECK(tn_signal(kit_need("go"), 1) == TN_OK);
    }
}
KIT_ROLE(pours, .event = pours_event);

static void let_in(struct kit *kit)
{
    at_init(&slow_taken, 0);
    struct note *go = kit_note();
    struct kit_actor *to = kit_make(kit, "slow", &slow, 1, ROOM);
    struct kit_actor *from = kit_make(kit, "pours", &pours, 0, 1);
    kit_share(to, "go", note_object(go), TN_R_READ);
    kit_give(from, "go", note_object(go), TN_R_WRITE);
    kit_wire(from, "slow", to, TN_R_CALL, 0);
    kit_run_all(kit, &from, 1);
    KIT_CHECK(at_load(&slow_taken, RELAXED) == 2 * ROOM);
}

static void test_let_in(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = let_in});
}

/* A sender's deadline passes, the sender or the receiver is killed while it waits for a credit; a
 * message to itself that does not fit. */

static atomic_u32 blocked;
static struct kit_actor *victims[3];

static void blocked_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)in;
    at_add(&blocked, 1, SEQ_CST);
    tn_err err = tn_send(kit_need("gate"), M_NOTE, &nothing, TN_SEND_WAIT);
    /* Sent to the receiver as it died, if it was alive at the look and its mailbox empty after. */
    bool late = err == TN_OK && actor_life(victims[2]->actor) >= ACTOR_DYING;
    KIT_CHECK(late || err == TN_EGONE ||
              err == (turn->deadline != TN_NEVER ? TN_ETIME : TN_ECANCELLED));
    if (err == TN_ETIME)
        KIT_CHECK(machine_now_ns() >= turn->deadline);
    if (err != TN_ECANCELLED)
        kit_done();
}
KIT_ROLE(blocked_role, .event = blocked_event);

static tn_err drive_killer(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    KIT_CHECK(tn_send(kit_need("shut"), M_NOTE, &nothing, 0) == TN_OK);
    tn_err err;
    while (at_load(&is_shut, SEQ_CST) == 0)
        KIT_CHECK(pause_turn() == TN_OK);
    while ((err = tn_send(kit_need("shut"), M_NOTE, &nothing, 0)) == TN_OK)
        KIT_CHECK(pause_turn() == TN_OK);
    KIT_CHECK(err == TN_EFULL);
    KIT_CHECK(tn_send(kit_need("self"), M_NOTE, &nothing, 0) == TN_OK);
    KIT_CHECK(tn_send(kit_need("self"), M_NOTE, &nothing, 0) == TN_EFULL);
    KIT_CHECK(tn_send(kit_need("self"), M_NOTE, &nothing, TN_SEND_WAIT) == TN_EDEADLK);
    static const char *const names[] = {"v0", "v1", "v2"};
    for (uint32_t i = 0; i < 3; i++)
        KIT_CHECK(tn_send(kit_need(names[i]), M_NOTE, &nothing, 0) == TN_OK);
    while (at_load(&blocked, SEQ_CST) < 3)
        KIT_CHECK(pause_turn() == TN_OK);
    kit_kill(victims[0]); /* waits for a credit, or will find none */
    for (uint32_t i = 0; i < 50; i++)
        KIT_CHECK(pause_turn() == TN_OK);
    kit_kill(victims[2]);
    kit_done();
    return TN_OK;
}
KIT_ROLE(killer, .start = drive_killer);

/* Three wait: one is killed, one has a deadline, the third sees the receiver die. */
static void hopeless(struct kit *kit)
{
    at_init(&blocked, 0);
    at_init(&is_shut, 0);
    struct note *open = kit_note();
    struct kit_actor *to = kit_make(kit, "gate", &gate, 1, CAPACITY);
    kit_give(to, "open", note_object(open), TN_R_READ);
    struct kit_actor *first = kit_make(kit, "killer", &killer, 0, 1);
    kit_wire(first, "shut", to, TN_R_CALL, 9);
    kit_wire(first, "self", first, TN_R_CALL, 0);
    static const char *const names[] = {"v0", "v1", "v2"};
    for (uint32_t i = 0; i < 3; i++) {
        const struct kit_config config = {
            .name = "blocked", .cpu = i, .mailbox = 1, .deadline_ns = i == 1 ? 200000 : 0};
        victims[i] = kit_make_with(kit, &config, &blocked_role);
        kit_wire(first, names[i], victims[i], TN_R_CALL, 0);
        kit_wire(victims[i], "gate", to, TN_R_CALL, 1);
    }
    victims[2] = to;
    kit_expect(3);
    kit_run(kit, first);
}

static void test_hopeless(void **state)
{
    (void)state;
    explore(&(struct explore){.scenario = hopeless});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capabilities), cmocka_unit_test(test_space_full),
        cmocka_unit_test(test_credits),      cmocka_unit_test(test_let_in),
        cmocka_unit_test(test_hopeless),
    };
    return cmocka_run_group_tests_name("send", tests, NULL, NULL);
}
