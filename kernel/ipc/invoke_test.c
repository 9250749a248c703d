/* invoke_test.c: what each kind of kernel object answers, through the typed calls of object.h; in
 * actors, under many schedules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <tenon/object.h>

#include "base/bits.h"
#include "tests/kit/explore.h"

enum {
    M_WHO = TN_METHOD(9, 1),
    M_LATER = TN_METHOD(9, 2),
    MEMORY_BYTES = 256 << 10,
    PART_BYTES = 64 << 10,
    COOKIE = 77,
    TICK_NS = 1000000,
};

/* Whom the guide asks, watches and kills. It owes the reply that it took last. */
struct server {
    tn_cap held;
};

static tn_err server_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    struct server *server = self;
    (void)in;
    if (turn->method == M_LATER) {
        struct tn_reply_info info;
        KIT_CHECK(tn_defer(&server->held) == TN_OK);
        KIT_CHECK(tn_reply_info(server->held, &info) == TN_OK);
        KIT_CHECK(info.waits == 1 && info.room_bytes == 40);
        KIT_CHECK(tn_reply(server->held, TN_OK, NULL) == TN_OK);
        KIT_CHECK(tn_reply_info(server->held, &info) == TN_EBADCAP);
        return TN_DEFERRED;
    }
    out->len = sizeof(turn->badge);
    memcpy(out->data, &turn->badge, sizeof(turn->badge));
    return TN_OK;
}
KIT_ROLE(server_role, .state_size = sizeof(struct server), .call = server_call);

static uint64_t badge_of(tn_cap to)
{
    uint64_t badge = UINT64_MAX;
    struct tn_pack out = {.data = &badge, .size = sizeof(badge)};
    KIT_CHECK(tn_call(to, M_WHO, NULL, &out, TN_NEVER) == TN_OK);
    return badge;
}

/* Memory */

static void memory_answers(tn_cap memory)
{
    struct tn_untyped_info before, after;
    tn_cap part = 0, made[6] = {0};
    KIT_CHECK(tn_untyped_info(memory, &before) == TN_OK);
    KIT_CHECK(before.size_bytes == MEMORY_BYTES && before.used_bytes <= before.peak_bytes);
    KIT_CHECK(before.free_bytes + before.used_bytes < before.size_bytes);
    KIT_CHECK(tn_untyped_make_untyped(memory, PART_BYTES - 1, &part) == TN_OK);
    KIT_CHECK(tn_untyped_info(memory, &after) == TN_OK);
    KIT_CHECK(after.used_bytes == before.used_bytes + PART_BYTES);
    KIT_CHECK(tn_untyped_make_untyped(part, MEMORY_BYTES, &made[0]) == TN_ENOMEM);
    KIT_CHECK(tn_untyped_make_untyped(part, MEM_UNTYPED_MIN - 1, &made[0]) == TN_EINVAL);
    KIT_CHECK(tn_untyped_make_untyped(part, MEM_UNTYPED_MIN, &made[0]) == TN_OK);
    KIT_CHECK(tn_untyped_make_space(part, 0, &made[1]) == TN_EINVAL);
    KIT_CHECK(tn_untyped_make_space(part, TN_SPACE_MAX + 1, &made[1]) == TN_EINVAL);
    KIT_CHECK(tn_untyped_make_space(part, TN_SPACE_MAX, &made[1]) == TN_OK);
    KIT_CHECK(tn_untyped_make_notification(part, &made[2]) == TN_OK);
    KIT_CHECK(tn_untyped_make_timer(part, &made[3]) == TN_OK);
    KIT_CHECK(tn_untyped_make_buffer(part, 100, &made[4]) == TN_OK);
    KIT_CHECK(tn_untyped_make_endpoint(part, 0, UINT16_MAX + 1, &made[5]) == TN_EINVAL);
    KIT_CHECK(tn_untyped_make_endpoint(part, 0, 9, &made[5]) == TN_OK);
    /* What was made of the part goes with it, wherever it is. */
    KIT_CHECK(tn_cap_revoke(part) == TN_OK);
    for (uint32_t i = 0; i < ARRAY_LEN(made); i++)
        KIT_CHECK(tn_cap_drop(made[i]) == TN_EBADCAP);
    KIT_CHECK(tn_cap_drop(part) == TN_OK);
}

static void endpoint_answers(tn_cap memory, tn_cap server)
{
    struct tn_endpoint_info info;
    tn_cap door = 0, badged = 0, route = 0;
    KIT_CHECK(tn_untyped_make_endpoint(memory, server, 9, &door) == TN_OK);
    KIT_CHECK(tn_endpoint_info(door, &info) == TN_OK);
    KIT_CHECK(info.interface == 9 && info.targets == 1 && info.ready == 1);
    KIT_CHECK(tn_cap_mint(door, TN_R_CALL, 7, &badged) == TN_OK);
    KIT_CHECK(badge_of(door) == 0 && badge_of(badged) == 7);
    KIT_CHECK(tn_call(door, TN_METHOD(8, 1), NULL, NULL, TN_NEVER) == TN_EMETHOD);
    KIT_CHECK(tn_call(door, TN_METHOD(0, 17), NULL, NULL, TN_NEVER) == TN_EMETHOD);
    KIT_CHECK(tn_call(door, LIFE_STOP, NULL, NULL, TN_NEVER) == TN_EMETHOD);
    struct tn_untyped_make_route_args how = {.rule = TN_RULE_WEIGHTS, .weight = {1, 0, 3}};
    const tn_cap targets[] = {server, server, server};
    KIT_CHECK(tn_untyped_make_route(memory, &how, targets, 3, &route) == TN_OK);
    KIT_CHECK(tn_endpoint_info(route, &info) == TN_OK && info.interface == 0);
    KIT_CHECK(info.targets == 3 && info.ready == 2 && info.rule == TN_RULE_WEIGHTS);
    KIT_CHECK(badge_of(route) == 0);
    KIT_CHECK(tn_untyped_make_route(memory, &how, targets, 0, &route) == TN_EINVAL);
    how.weight[0] = how.weight[2] = 0;
    KIT_CHECK(tn_untyped_make_route(memory, &how, targets, 3, &route) == TN_EINVAL);
    how.rule = TN_RULE_PER_CPU + 1;
    KIT_CHECK(tn_untyped_make_route(memory, &how, targets, 1, &route) == TN_EINVAL);
    how.rule = TN_RULE_SINGLE;
    KIT_CHECK(tn_untyped_make_route(memory, &how, targets, 1, &door) == TN_OK);
    KIT_CHECK(tn_endpoint_info(door, &info) == TN_OK && info.targets == 1);
}

/* Spaces */

static void space_is_filled(tn_cap memory, tn_cap space)
{
    struct tn_space_info info;
    struct tn_space_inspect found;
    tn_cap note = 0, got = 0;
    uint64_t first = 0, second = 0, third = 0;
    KIT_CHECK(tn_untyped_make_notification(memory, &note) == TN_OK);
    KIT_CHECK(tn_space_put(space, note, TN_R_ALL & ~(uint32_t)TN_R_READ, 5, &first) == TN_OK);
    KIT_CHECK(tn_space_inspect(space, first, &found) == TN_OK);
    KIT_CHECK(found.type == TN_TYPE_NOTIFICATION && found.badge == 5 && found.flags == 0);
    KIT_CHECK(found.rights == (TN_R_ALL & ~(uint32_t)TN_R_READ));
    KIT_CHECK(tn_space_mint(space, first, 0, TN_R_WRITE, 6, &second) == TN_EINVAL);
    KIT_CHECK(tn_space_copy(space, first, 0, &second) == TN_OK && second != first);
    KIT_CHECK(tn_space_inspect(space, first, &found) == TN_OK && found.flags == TN_FLAG_DERIVED);
    KIT_CHECK(tn_space_get(space, second, TN_R_WRITE, 0, &got) == TN_OK);
    KIT_CHECK(tn_signal(got, 8) == TN_OK);
    KIT_CHECK(tn_notification_poll(got, &third) == TN_ERIGHTS);
    KIT_CHECK(tn_notification_poll(note, &third) == TN_OK && third == 8);
    KIT_CHECK(tn_space_get(space, second, TN_R_ALL, 6, &got) == TN_EINVAL);
    KIT_CHECK(tn_space_give(space, note, &third) == TN_OK);
    KIT_CHECK(tn_signal(note, 1) == TN_EBADCAP);
    KIT_CHECK(tn_space_info(space, &info) == TN_OK);
    KIT_CHECK(info.capabilities == 3 && info.reserved == 0 && info.slots_max == 8);
    KIT_CHECK(tn_space_move(space, second, 0, &first) == TN_OK);
    KIT_CHECK(tn_space_inspect(space, second, &found) == TN_EBADCAP);
    /* Of the root of them all: the others are gone, here and with us. */
    KIT_CHECK(tn_space_revoke(space, third) == TN_OK);
    KIT_CHECK(tn_signal(got, 1) == TN_EBADCAP);
    KIT_CHECK(tn_space_info(space, &info) == TN_OK && info.capabilities == 1);
    KIT_CHECK(tn_space_take(space, third, &note) == TN_OK && tn_signal(note, 1) == TN_OK);
    KIT_CHECK(tn_space_take(space, third, &note) == TN_EBADCAP);
    KIT_CHECK(tn_space_drop(space, third) == TN_EBADCAP);
    KIT_CHECK(tn_cap_drop(note) == TN_OK);
}

static void space_reserves(tn_cap memory, tn_cap space)
{
    struct tn_space_info info;
    struct tn_space_inspect found;
    uint64_t slots[TN_PACK_CAPS], more[TN_PACK_CAPS], handle = 0;
    tn_cap note = 0;
    KIT_CHECK(tn_untyped_make_notification(memory, &note) == TN_OK);
    KIT_CHECK(tn_space_reserve(space, 0, slots) == TN_EINVAL);
    KIT_CHECK(tn_space_reserve(space, 5, slots) == TN_EINVAL);
    KIT_CHECK(tn_space_reserve(space, 4, slots) == TN_OK);
    KIT_CHECK(tn_space_reserve(space, 4, more) == TN_OK);
    KIT_CHECK(tn_space_reserve(space, 1, &handle) == TN_ENOSLOT && handle == 0);
    KIT_CHECK(tn_space_put(space, note, TN_R_ALL, 0, &handle) == TN_ENOSLOT);
    KIT_CHECK(tn_space_inspect(space, slots[2], &found) == TN_EBADCAP);
    KIT_CHECK(tn_space_fill(space, slots[2], note) == TN_OK);
    KIT_CHECK(tn_space_fill(space, slots[2], note) == TN_ENOSLOT);
    KIT_CHECK(tn_space_inspect(space, slots[2], &found) == TN_OK);
    for (uint32_t i = 0; i < TN_PACK_CAPS; i++) {
        KIT_CHECK(tn_space_unreserve(space, slots[i]) == TN_OK); /* the filled one stays */
        KIT_CHECK(tn_space_unreserve(space, more[i]) == TN_OK);
    }
    KIT_CHECK(tn_space_info(space, &info) == TN_OK);
    KIT_CHECK(info.capabilities == 1 && info.reserved == 0);
    KIT_CHECK(tn_space_drop(space, slots[2]) == TN_OK);
    KIT_CHECK(tn_cap_drop(note) == TN_OK);
}

/* Far apart: more than one look of the kernel's. */
static void space_is_listed(tn_cap memory)
{
    enum { MANY = 300 };
    struct tn_space_next found;
    tn_cap space = 0, note = 0;
    uint64_t handle = 0, kept[2] = {0}, last = 0;
    uint32_t from = 0, n = 0;
    KIT_CHECK(tn_untyped_make_space(memory, MANY, &space) == TN_OK);
    KIT_CHECK(tn_space_next(space, &from, &found) == TN_ENOTFOUND);
    KIT_CHECK(tn_untyped_make_notification(memory, &note) == TN_OK);
    uint64_t all[MANY];
    for (uint32_t i = 0; i < MANY; i++)
        KIT_CHECK(tn_space_put(space, note, TN_R_READ, i, &all[i]) == TN_OK);
    KIT_CHECK(tn_space_put(space, note, TN_R_READ, 1, &handle) == TN_ENOSLOT);
    for (from = 0; tn_space_next(space, &from, &found) == TN_OK; n++) {
        KIT_CHECK(n < MANY && found.handle == all[n] && found.badge == n);
        KIT_CHECK(found.type == TN_TYPE_NOTIFICATION && found.rights == TN_R_READ);
    }
    KIT_CHECK(n == MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        if (i == 3 || i == 290)
            kept[i > 3] = all[i];
        else
            KIT_CHECK(tn_space_drop(space, all[i]) == TN_OK);
    }
    for (n = 0, from = 0; tn_space_next(space, &from, &found) == TN_OK; n++)
        KIT_CHECK(found.handle == kept[n & 1] && found.handle != last &&
                  (last = found.handle) != 0);
    KIT_CHECK(n == 2);
    KIT_CHECK(tn_cap_drop(space) == TN_OK && tn_cap_drop(note) == TN_OK);
}

/* Two spaces, neither of them the caller's own. */
static void spaces_exchange(tn_cap memory, tn_cap own)
{
    tn_cap a = 0, b = 0, note = 0, back = 0, more = 0;
    uint64_t in_a = 0, in_b = 0, moved = 0;
    KIT_CHECK(tn_untyped_make_space(memory, 8, &a) == TN_OK);
    KIT_CHECK(tn_untyped_make_space(memory, 1, &b) == TN_OK);
    KIT_CHECK(tn_untyped_make_notification(memory, &note) == TN_OK);
    KIT_CHECK(tn_space_put(a, note, TN_R_ALL, 0, &in_a) == TN_OK);
    KIT_CHECK(tn_space_mint(a, in_a, b, TN_R_READ | TN_R_GRANT, 9, &in_b) == TN_OK);
    KIT_CHECK(tn_space_mint(a, in_a, b, TN_R_READ, 9, &in_b) == TN_ENOSLOT);
    KIT_CHECK(tn_space_move(b, in_b, a, &moved) == TN_OK);
    KIT_CHECK(tn_space_move(a, moved, b, &in_b) == TN_OK);
    KIT_CHECK(tn_space_take(b, in_b, &back) == TN_OK);
    /* A space that held itself, or another that holds it, would never go. */
    KIT_CHECK(tn_space_put(a, a, TN_R_ALL, 0, &moved) == TN_EINVAL);
    KIT_CHECK(tn_space_put(a, b, TN_R_ALL, 0, &moved) == TN_EINVAL);
    KIT_CHECK(tn_space_give(a, b, &moved) == TN_EINVAL);
    KIT_CHECK(tn_space_give(b, b, &moved) == TN_EINVAL);
    KIT_CHECK(tn_space_reserve(a, 1, &moved) == TN_OK);
    KIT_CHECK(tn_space_fill(a, moved, b) == TN_EINVAL);
    /* Into one's own it goes, where it goes with its actor. */
    KIT_CHECK(tn_space_put(own, b, TN_R_ALL, 0, &moved) == TN_OK);
    KIT_CHECK(tn_space_mint(own, moved, a, TN_R_ALL, 0, &in_a) == TN_EINVAL);
    KIT_CHECK(tn_space_move(own, moved, a, &in_a) == TN_EINVAL);
    KIT_CHECK(tn_space_move(own, moved, 0, &in_a) == TN_OK);
    KIT_CHECK(tn_cap_drop(in_a) == TN_OK); /* a handle there is a handle of ours */
    KIT_CHECK(tn_space_put(own, own, TN_R_READ, 0, &more) == TN_OK && more != own);
    KIT_CHECK(tn_cap_drop(a) == TN_OK && tn_cap_drop(b) == TN_OK);
}

/* The derived in steps. */
static void space_revokes_many(tn_cap memory)
{
    enum { MANY = 200 };
    struct tn_space_info info;
    tn_cap space = 0, note = 0;
    uint64_t root = 0, handle = 0;
    KIT_CHECK(tn_untyped_make_space(memory, MANY + 1, &space) == TN_OK);
    KIT_CHECK(tn_untyped_make_notification(memory, &note) == TN_OK);
    KIT_CHECK(tn_space_put(space, note, TN_R_ALL, 0, &root) == TN_OK);
    for (uint32_t i = 0; i < MANY; i++)
        KIT_CHECK(tn_space_copy(space, root, 0, &handle) == TN_OK);
    KIT_CHECK(tn_space_copy(space, root, 0, &handle) == TN_ENOSLOT);
    KIT_CHECK(tn_space_revoke(space, root) == TN_OK);
    KIT_CHECK(tn_space_info(space, &info) == TN_OK && info.capabilities == 1);
    KIT_CHECK(tn_space_mint(space, root, 0, TN_R_READ, 0, &handle) == TN_OK);
    KIT_CHECK(tn_space_revoke(space, handle) == TN_ERIGHTS);
    struct tn_space_revoke_args wrong = {.handle = root, .ticket = UINT64_MAX};
    struct tn_space_revoke_reply reply = {0};
    KIT_CHECK(tn_object_ask(space, TN_SPACE_REVOKE, &wrong, sizeof(wrong), &reply, sizeof(reply)) ==
              TN_EINVAL);
    KIT_CHECK(tn_cap_drop(space) == TN_OK && tn_cap_drop(note) == TN_OK);
}

/* Actors */

static void actor_answers(tn_cap server, tn_cap self, tn_cap wire)
{
    struct tn_actor_state state;
    struct tn_actor_stats before, stats;
    struct tn_actor_limits limits;
    KIT_CHECK(tn_actor_state(self, &state) == TN_OK);
    KIT_CHECK(state.state == TN_STATE_RUNNING && state.turns == 1);
    KIT_CHECK(state.priority == TN_PRIORITY_DEFAULT && state.lent_priority == state.priority);
    KIT_CHECK(tn_actor_limits(self, &limits) == TN_OK);
    KIT_CHECK(limits.max_memory == MEMORY_BYTES && limits.max_cpu_time == 0);
    KIT_CHECK(limits.max_capabilities == 1024 && limits.max_turns == 1);
    KIT_CHECK(tn_actor_stats(self, &before) == TN_OK && before.memory_allocated > 0);
    KIT_CHECK(badge_of(wire) == 3);
    KIT_CHECK(tn_actor_stats(self, &stats) == TN_OK);
    KIT_CHECK(stats.calls_made == before.calls_made + 1);
    do { /* while it still ends its turn, what it has counted is not shown */
        KIT_CHECK(tn_yield() == TN_OK);
        machine_relax();
        KIT_CHECK(tn_actor_stats(server, &stats) == TN_OK && stats.messages_processed == 0);
    } while (stats.calls_answered == 0);
    KIT_CHECK(tn_actor_pause(server) == TN_OK && tn_actor_pause(server) == TN_OK);
    KIT_CHECK(tn_actor_state(server, &state) == TN_OK);
    KIT_CHECK(state.state == TN_STATE_PAUSED || state.state == TN_STATE_RUNNING);
    KIT_CHECK(tn_call(wire, M_WHO, NULL, NULL, machine_now_ns() + TICK_NS) == TN_ETIME);
    KIT_CHECK(tn_actor_state(server, &state) == TN_OK && state.state == TN_STATE_PAUSED);
    KIT_CHECK(tn_actor_resume(server) == TN_OK && badge_of(wire) == 3);
}

static void actor_is_killed(tn_cap server, tn_cap wire, tn_cap memory)
{
    struct tn_actor_state state;
    struct tn_actor_stats stats;
    tn_cap made = 0;
    KIT_CHECK(tn_actor_kill(server) == TN_OK);
    do {
        KIT_CHECK(tn_yield() == TN_OK);
        machine_relax();
        KIT_CHECK(tn_actor_state(server, &state) == TN_OK && state.state >= TN_STATE_DYING);
    } while (state.state != TN_STATE_DEAD);
    KIT_CHECK(tn_call(wire, M_WHO, NULL, NULL, TN_NEVER) == TN_EGONE);
    KIT_CHECK(tn_actor_kill(server) == TN_OK && tn_actor_pause(server) == TN_EGONE);
    KIT_CHECK(tn_actor_resume(server) == TN_EGONE);
    KIT_CHECK(tn_actor_stats(server, &stats) == TN_OK && stats.calls_answered > 0);
    KIT_CHECK(tn_untyped_make_endpoint(memory, server, 0, &made) == TN_EGONE);
    KIT_CHECK(tn_untyped_make_notification(memory, &made) == TN_OK);
    KIT_CHECK(tn_notification_bind(made, server) == TN_EGONE);
}

/* The rest */

static void small_ones_answer(tn_cap memory, tn_cap wire, tn_time now)
{
    struct tn_buffer_info buffer;
    struct tn_channel_info channel;
    struct tn_timer_info timer;
    tn_cap cap = 0, part = 0, out = 0, in = 0;
    uint64_t room[5];
    KIT_CHECK(tn_untyped_make_buffer(memory, 4096, &cap) == TN_OK);
    KIT_CHECK(tn_buf_slice(cap, 96, 100, TN_R_CALL, &part) == TN_OK);
    KIT_CHECK(tn_buffer_info(cap, &buffer) == TN_OK);
    KIT_CHECK(buffer.size_bytes == 4096 && buffer.slice == 0);
    KIT_CHECK(tn_buffer_info(part, &buffer) == TN_OK);
    KIT_CHECK(buffer.size_bytes == 100 && buffer.slice == 1);
    KIT_CHECK(tn_untyped_make_channel(memory, 1000, &out, &in) == TN_EINVAL);
    KIT_CHECK(tn_untyped_make_channel(memory, 1024, &out, &in) == TN_OK);
    KIT_CHECK(tn_channel_info(out, &channel) == TN_OK);
    KIT_CHECK(channel.capacity_bytes == 1024 && channel.produces == 1 && channel.gone == 0);
    KIT_CHECK(tn_cap_drop(out) == TN_OK && tn_channel_info(in, &channel) == TN_OK);
    KIT_CHECK(channel.produces == 0 && channel.gone == 1);
    KIT_CHECK(tn_untyped_make_timer(memory, &cap) == TN_OK);
    KIT_CHECK(tn_timer_info(cap, &timer) == TN_OK && timer.at == TN_NEVER);
    KIT_CHECK(tn_timer_set(cap, now + 1000 * TICK_NS, 5) == TN_OK);
    KIT_CHECK(tn_timer_info(cap, &timer) == TN_OK);
    KIT_CHECK(timer.at == now + 1000 * TICK_NS && timer.cookie == 5 && timer.fired == 0);
    KIT_CHECK(tn_timer_cancel(cap) == TN_OK);
    KIT_CHECK(tn_timer_info(cap, &timer) == TN_OK && timer.at == TN_NEVER);
    struct tn_pack reply = {.data = room, .size = sizeof(room)};
    KIT_CHECK(tn_call(wire, M_LATER, NULL, &reply, TN_NEVER) == TN_OK);
}

/* Notifications: what comes by a binding comes to event(). */

struct guide {
    uint64_t bits;
    bool ticked;
};

static void notes_answer(tn_cap memory, tn_cap server)
{
    tn_cap note = 0;
    uint64_t bits = 1;
    const struct tn_notification_bits three = {3};
    KIT_CHECK(tn_untyped_make_notification(memory, &note) == TN_OK);
    KIT_CHECK(tn_notification_poll(note, &bits) == TN_OK && bits == 0);
    KIT_CHECK(tn_object_ask(note, TN_NOTIFICATION_SIGNAL, &three, sizeof(three), NULL, 0) == TN_OK);
    KIT_CHECK(tn_notification_poll(note, &bits) == TN_OK && bits == 3);
    KIT_CHECK(tn_notification_unbind(note) == TN_ENOTFOUND);
    KIT_CHECK(tn_notification_bind(note, server) == TN_OK);
    KIT_CHECK(tn_notification_bind(note, 0) == TN_EBUSY);
    KIT_CHECK(tn_notification_unbind(note) == TN_OK);
    KIT_CHECK(tn_notification_unbind(note) == TN_ENOTFOUND);
    /* A wait comes before the message of a binding, and leaves it nothing. */
    KIT_CHECK(tn_notification_bind(note, 0) == TN_OK);
    KIT_CHECK(tn_signal(note, 32) == TN_OK);
    KIT_CHECK(tn_wait(note, TN_NEVER, &bits) == TN_OK && bits == 32);
    KIT_CHECK(tn_signal(note, 1) == TN_OK && tn_signal(note, 4) == TN_OK);
}

static void guide_done(const struct guide *guide)
{
    if (guide->ticked && guide->bits == 5)
        kit_stop();
}

static void guide_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    struct guide *guide = self;
    KIT_CHECK(turn->cls == MSG_INTERRUPT_NOTIFY && in->len == 0 && in->ncaps == 0);
    KIT_CHECK(turn->flags == TN_TURN_ONEWAY && guide->bits == 0);
    guide->bits = turn->cookie;
    KIT_CHECK(guide->bits == 5);
    guide_done(guide);
}

static void guide_timer(void *self, const struct tn_turn *turn)
{
    struct guide *guide = self;
    KIT_CHECK(turn->cookie == COOKIE);
    guide->ticked = true;
    guide_done(guide);
}

static tn_err guide_start(void *self, const struct tn_turn *turn)
{
    tn_cap memory = kit_need("memory"), server = kit_need("server"), wire = kit_need("wire");
    tn_cap own = kit_need("space"), space = 0, timer = 0;
    (void)self;
    memory_answers(memory);
    endpoint_answers(memory, server);
    KIT_CHECK(tn_untyped_make_space(memory, 8, &space) == TN_OK);
    space_is_filled(memory, space);
    space_reserves(memory, space);
    space_is_listed(memory);
    spaces_exchange(memory, own);
    space_revokes_many(memory);
    small_ones_answer(memory, wire, turn->now);
    actor_answers(server, kit_need("self"), wire);
    notes_answer(memory, server);
    actor_is_killed(server, wire, memory);
    KIT_CHECK(tn_untyped_make_timer(memory, &timer) == TN_OK);
    const struct tn_timer_set_args args = {machine_now_ns() + TICK_NS, COOKIE};
    KIT_CHECK(tn_object_ask(timer, TN_TIMER_SET, &args, sizeof(args), NULL, 0) == TN_OK);
    return TN_OK;
}
KIT_ROLE(guide_role, .state_size = sizeof(struct guide), .start = guide_start, .event = guide_event,
         .timer = guide_timer);

static void everything(struct kit *kit)
{
    struct kit_actor *server = kit_make(kit, "server", &server_role, 1, 4);
    const struct kit_config config = {.name = "guide", .mailbox = 2, .memory_bytes = MEMORY_BYTES};
    struct kit_actor *guide = kit_make_with(kit, &config, &guide_role);
    kit_share(guide, "memory", untyped_object(guide->memory), TN_R_ALL);
    kit_share(guide, "server", actor_object(server->actor), TN_R_ALL);
    kit_share(guide, "self", actor_object(guide->actor), TN_R_ALL);
    kit_share(guide, "space", space_object(guide->space), TN_R_ALL);
    kit_wire(guide, "wire", server, TN_R_CALL, 3);
    kit_run(kit, guide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {EXPLORE(everything)};
    return cmocka_run_group_tests_name("invoke", tests, NULL, NULL);
}
