/* objects.c: a component that uses kernel objects through object.h and tells what came of each
 * step, for tests that compare the domains: what it tells must not depend on where it runs. */
#include <tenon/object.h>

enum {
    M_USE = TN_METHOD(902, 1),   /* one of each: what came of it */
    M_TOLD = TN_METHOD(902, 2),  /* what its event and timer handlers were told */
    M_BUFFER = TN_METHOD(902, 3) /* makes a buffer of so many bytes, and drops it */
};

enum { LINES = 128, TICK_NS = 1000000 };

struct keeper {
    uint64_t told[4]; /* class and cookie, of event and of timer */
};

/* What came of the steps so far, in the reply's own room. */
struct log {
    uint64_t *line;
    uint32_t n, room;
};

static void add(struct log *log, uint64_t value)
{
    if (log->n < log->room)
        log->line[log->n++] = value;
}

static void add_err(struct log *log, tn_err err)
{
    add(log, (uint64_t)(int64_t)err);
}

static tn_cap need(const char *name, uint32_t len)
{
    tn_cap cap = 0;
    return tn_need(name, len, &cap) == TN_OK ? cap : 0;
}

static void use_memory(struct log *log, tn_cap memory)
{
    struct tn_untyped_info info = {0};
    struct tn_buffer_info buffer = {0};
    struct tn_channel_info channel = {0};
    tn_cap part = 0, made = 0, out = 0, in = 0;
    add_err(log, tn_untyped_make_untyped(memory, 65536, &part));
    add_err(log, tn_untyped_info(part, &info));
    add(log, info.size_bytes);
    add(log, info.used_bytes);
    add_err(log, tn_untyped_make_untyped(part, 65536, &made));
    add_err(log, tn_untyped_make_untyped(part, 1, &made));
    add_err(log, tn_untyped_make_buffer(part, 1000, &made));
    add_err(log, tn_buffer_info(made, &buffer));
    add(log, buffer.size_bytes + buffer.slice);
    add_err(log, tn_untyped_make_buffer(part, UINT64_MAX, &made));
    add_err(log, tn_untyped_make_channel(part, 64, &out, &in));
    add_err(log, tn_cap_drop(out));
    add_err(log, tn_channel_info(in, &channel));
    add(log, channel.capacity_bytes * 4 + channel.produces * 2u + channel.gone);
    add_err(log, tn_cap_revoke(part));
    add_err(log, tn_buffer_info(made, &buffer));
    add_err(log, tn_cap_drop(part));
}

static void use_space(struct log *log, tn_cap memory)
{
    struct tn_space_info info = {0};
    struct tn_space_inspect what = {0};
    struct tn_space_next next = {0};
    tn_cap space = 0, note = 0;
    uint64_t first = 0, second = 0, slots[2] = {0}, bits = 0;
    uint32_t from = 0;
    add_err(log, tn_untyped_make_space(memory, 6, &space));
    add_err(log, tn_untyped_make_notification(memory, &note));
    add_err(log, tn_space_put(space, note, TN_R_ALL, 11, &first));
    add_err(log, tn_space_mint(space, first, 0, TN_R_WRITE | TN_R_GRANT, 0, &second));
    add_err(log, tn_space_reserve(space, 2, slots));
    add_err(log, tn_space_fill(space, slots[0], note));
    add_err(log, tn_space_fill(space, slots[0], note));
    while (tn_space_next(space, &from, &next) == TN_OK)
        add(log, next.badge << 16 | next.type << 8 | next.rights << 4 | next.flags);
    add_err(log, tn_space_info(space, &info));
    add(log, info.capabilities * 1000u + info.reserved * 100u + info.slots_max);
    add_err(log, tn_space_revoke(space, first));
    add_err(log, tn_space_inspect(space, second, &what));
    add_err(log, tn_space_inspect(space, first, &what));
    add(log, what.flags);
    add_err(log, tn_space_put(space, space, TN_R_ALL, 0, &second));
    add_err(log, tn_space_get(space, first, TN_R_WRITE | TN_R_CALL, 0, &note));
    add_err(log, tn_signal(note, 5));
    add_err(log, tn_notification_poll(note, &bits));
    add_err(log, tn_cap_drop(space));
    add_err(log, tn_signal(note, 5)); /* derived from what went with the space */
}

static void use_actor(struct log *log, tn_cap memory, tn_cap self, tn_cap peer, tn_time now)
{
    struct tn_actor_state state = {0};
    struct tn_actor_limits limits = {0};
    struct tn_actor_stats stats = {0};
    struct tn_endpoint_info info = {0};
    tn_cap door = 0, badged = 0;
    uint64_t badge = 0;
    add_err(log, tn_actor_state(self, &state));
    add(log, state.state * 100u + state.priority * 10u + state.turns);
    add_err(log, tn_actor_limits(peer, &limits));
    add(log, limits.max_capabilities + limits.max_turns);
    add_err(log, tn_untyped_make_endpoint(memory, peer, 903, &door));
    add_err(log, tn_endpoint_info(door, &info));
    add(log, info.interface * 100u + info.targets * 10u + info.ready);
    add_err(log, tn_cap_mint(door, TN_R_CALL, 21, &badged));
    struct tn_pack out = {.data_bits = (uintptr_t)&badge, .size = sizeof(badge)};
    add_err(log, tn_call(badged, TN_METHOD(903, 1), NULL, &out, TN_NEVER));
    add(log, badge);
    add_err(log, tn_call(door, TN_METHOD(904, 1), NULL, NULL, TN_NEVER));
    add_err(log, tn_actor_pause(peer));
    add_err(log, tn_call(badged, TN_METHOD(903, 1), NULL, NULL, now + TICK_NS));
    add_err(log, tn_actor_state(peer, &state));
    add(log, state.state);
    add_err(log, tn_actor_resume(peer));
    add_err(log, tn_actor_stats(peer, &stats));
    add(log, stats.errors_encountered);
    add_err(log, tn_object_ask(peer, TN_METHOD(TN_ACTOR, 7), NULL, 0, NULL, 0));
    add_err(log, tn_object_ask(peer, TN_UNTYPED_INFO, NULL, 0, NULL, 0));
    add_err(log, tn_object_ask(peer, TN_METHOD(904, 1), NULL, 0, NULL, 0));
    add_err(log, tn_send(peer, TN_ACTOR_KILL, NULL, 0));
}

static void use_notes(struct log *log, tn_cap memory, tn_time now)
{
    struct tn_timer_info info = {0};
    tn_cap note = 0, timer = 0;
    add_err(log, tn_untyped_make_notification(memory, &note));
    add_err(log, tn_notification_bind(note, 0));
    add_err(log, tn_notification_bind(note, 0));
    add_err(log, tn_signal(note, 6));
    add_err(log, tn_untyped_make_timer(memory, &timer));
    add_err(log, tn_timer_set(timer, now + TICK_NS, 33));
    add_err(log, tn_timer_info(timer, &info));
    add(log, info.cookie);
}

static tn_err use(const struct tn_turn *turn, struct tn_pack *out)
{
    struct log log = {.line = out->data, .room = out->size / 8};
    tn_cap memory = need("memory", 6);
    if (log.room < LINES)
        return TN_ETOOBIG;
    use_memory(&log, memory);
    use_space(&log, memory);
    use_actor(&log, memory, need("self", 4), need("peer", 4), turn->now);
    use_notes(&log, memory, turn->now);
    out->len = log.n * 8;
    return log.n < LINES ? TN_OK : TN_ETOOBIG;
}

static tn_err buffer(const struct tn_pack *in)
{
    tn_cap made = 0;
    uint64_t bytes = 0;
    if (in->len != sizeof(bytes))
        return TN_EARGS;
    __builtin_memcpy(&bytes, in->data, sizeof(bytes));
    tn_err err = tn_untyped_make_buffer(need("memory", 6), bytes, &made);
    return err == TN_OK ? tn_cap_drop(made) : err;
}

static tn_err call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                   struct tn_pack *out)
{
    struct keeper *keeper = self;
    switch (turn->method) {
    case M_USE:
        return use(turn, out);
    case M_TOLD:
        __builtin_memcpy(out->data, keeper->told, sizeof(keeper->told));
        out->len = sizeof(keeper->told);
        return TN_OK;
    case M_BUFFER:
        return buffer(in);
    default:
        return TN_EMETHOD;
    }
}

static void event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    struct keeper *keeper = self;
    keeper->told[0] = turn->cls * 100u + in->len;
    keeper->told[1] = turn->cookie;
}

static void timer(void *self, const struct tn_turn *turn)
{
    struct keeper *keeper = self;
    keeper->told[2] = turn->cls;
    keeper->told[3] = turn->cookie;
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct keeper),
    .call = call,
    .event = event,
    .timer = timer,
};
