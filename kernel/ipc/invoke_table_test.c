/* invoke_table_test.c: interfaces/tenon.kernel.*.toml, object.h and the kernel's tables say the
 * same of every method: number, rights, where each argument and each part of the reply lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <tenon/interface.h>

#include "base/bits.h"
#include "kernel/ipc/invoke_int.h"

struct place {
    const char *name;
    uint32_t off;
};

struct method_spec {
    const char *name;
    uint32_t number;
    struct place args[12], reply[8]; /* as object.h has them */
};

#define A(method, field)                                   \
    {                                                      \
#field, offsetof(struct tn_##method##_args, field) \
    }
#define R(reply, field)                            \
    {                                              \
#field, offsetof(struct tn_##reply, field) \
    }
#define HANDLE R(space_handle_reply, handle)
#define OBJECT R(object_made, object)

static const struct method_spec untyped[] = {
    {"info",
     TN_UNTYPED_INFO,
     {{0}},
     {R(untyped_info, size_bytes), R(untyped_info, used_bytes), R(untyped_info, free_bytes),
      R(untyped_info, peak_bytes)}},
    {"make_untyped",
     TN_UNTYPED_MAKE_UNTYPED,
     {{"size_bytes", offsetof(struct tn_untyped_size_args, bytes)}},
     {OBJECT}},
    {"make_space", TN_UNTYPED_MAKE_SPACE, {A(untyped_make_space, slots_max)}, {OBJECT}},
    {"make_notification", TN_UNTYPED_MAKE_NOTIFICATION, {{0}}, {OBJECT}},
    {"make_timer", TN_UNTYPED_MAKE_TIMER, {{0}}, {OBJECT}},
    {"make_buffer",
     TN_UNTYPED_MAKE_BUFFER,
     {{"size_bytes", offsetof(struct tn_untyped_size_args, bytes)}},
     {OBJECT}},
    {"make_channel",
     TN_UNTYPED_MAKE_CHANNEL,
     {{"capacity_bytes", offsetof(struct tn_untyped_size_args, bytes)}},
     {{"producer", 0}, {"consumer", 1}}},
    {"make_endpoint",
     TN_UNTYPED_MAKE_ENDPOINT,
     {A(untyped_make_endpoint, interface), A(untyped_make_endpoint, actor)},
     {OBJECT}},
    {"make_route",
     TN_UNTYPED_MAKE_ROUTE,
     {A(untyped_make_route, interface),
      A(untyped_make_route, rule),
      A(untyped_make_route, hash_at),
      A(untyped_make_route, hash_len),
      {"weight_1", offsetof(struct tn_untyped_make_route_args, weight[0])},
      {"weight_2", offsetof(struct tn_untyped_make_route_args, weight[1])},
      {"weight_3", offsetof(struct tn_untyped_make_route_args, weight[2])},
      {"weight_4", offsetof(struct tn_untyped_make_route_args, weight[3])},
      {"target_1", offsetof(struct tn_untyped_make_route_args, target[0])},
      {"target_2", offsetof(struct tn_untyped_make_route_args, target[1])},
      {"target_3", offsetof(struct tn_untyped_make_route_args, target[2])},
      {"target_4", offsetof(struct tn_untyped_make_route_args, target[3])}},
     {OBJECT}},
};

static const struct method_spec space[] = {
    {"info",
     TN_SPACE_INFO,
     {{0}},
     {R(space_info, capabilities), R(space_info, reserved), R(space_info, retired),
      R(space_info, slots_max)}},
    {"inspect",
     TN_SPACE_INSPECT,
     {A(space_handle, handle)},
     {R(space_inspect, badge), R(space_inspect, type), R(space_inspect, rights),
      R(space_inspect, flags)}},
    {"next",
     TN_SPACE_NEXT,
     {A(space_next, from)},
     {R(space_next, handle), R(space_next, badge), R(space_next, type), R(space_next, rights),
      R(space_next, flags), R(space_next, next)}},
    {"get",
     TN_SPACE_GET,
     {A(space_get, handle), A(space_get, badge), A(space_get, rights)},
     {OBJECT}},
    {"take", TN_SPACE_TAKE, {A(space_handle, handle)}, {OBJECT}},
    {"put",
     TN_SPACE_PUT,
     {A(space_put, badge), A(space_put, rights), A(space_put, object)},
     {HANDLE}},
    {"give", TN_SPACE_GIVE, {A(space_give, object)}, {HANDLE}},
    {"mint",
     TN_SPACE_MINT,
     {A(space_mint, handle), A(space_mint, badge), A(space_mint, rights), A(space_mint, into)},
     {HANDLE}},
    {"move", TN_SPACE_MOVE, {A(space_move, handle), A(space_move, into)}, {HANDLE}},
    {"drop", TN_SPACE_DROP, {A(space_handle, handle)}, {{0}}},
    {"revoke",
     TN_SPACE_REVOKE,
     {A(space_revoke, handle), A(space_revoke, ticket)},
     {R(space_revoke_reply, ticket), R(space_revoke_reply, more)}},
    {"reserve",
     TN_SPACE_RESERVE,
     {A(space_reserve, count)},
     {{"slot_1", offsetof(struct tn_space_reserve_reply, slot[0])},
      {"slot_2", offsetof(struct tn_space_reserve_reply, slot[1])},
      {"slot_3", offsetof(struct tn_space_reserve_reply, slot[2])},
      {"slot_4", offsetof(struct tn_space_reserve_reply, slot[3])}}},
    {"unreserve",
     TN_SPACE_UNRESERVE,
     {{"slot", offsetof(struct tn_space_handle_args, handle)}},
     {{0}}},
    {"fill", TN_SPACE_FILL, {A(space_fill, slot), A(space_fill, object)}, {{0}}},
};

static const struct method_spec actor[] = {
    {"state",
     TN_ACTOR_STATE,
     {{0}},
     {R(actor_state, state), R(actor_state, priority), R(actor_state, lent_priority),
      R(actor_state, turns)}},
    {"stats",
     TN_ACTOR_STATS,
     {{0}},
     {R(actor_stats, cpu_time_used), R(actor_stats, memory_allocated),
      R(actor_stats, messages_processed), R(actor_stats, errors_encountered),
      R(actor_stats, calls_answered), R(actor_stats, calls_made), R(actor_stats, messages_sent),
      R(actor_stats, fuel_used)}},
    {"limits",
     TN_ACTOR_LIMITS,
     {{0}},
     {R(actor_limits, max_memory), R(actor_limits, max_cpu_time), R(actor_limits, max_capabilities),
      R(actor_limits, max_turns)}},
    {"pause", TN_ACTOR_PAUSE, {{0}}, {{0}}},
    {"resume", TN_ACTOR_RESUME, {{0}}, {{0}}},
    {"kill", TN_ACTOR_KILL, {{0}}, {{0}}},
};

static const struct method_spec notification[] = {
    {"signal",
     TN_NOTIFICATION_SIGNAL,
     {{"bits", offsetof(struct tn_notification_bits, bits)}},
     {{0}}},
    {"poll", TN_NOTIFICATION_POLL, {{0}}, {R(notification_bits, bits)}},
    {"bind", TN_NOTIFICATION_BIND, {A(notification_bind, actor)}, {{0}}},
    {"unbind", TN_NOTIFICATION_UNBIND, {{0}}, {{0}}},
};

static const struct method_spec timer[] = {
    {"set", TN_TIMER_SET, {A(timer_set, at), A(timer_set, cookie)}, {{0}}},
    {"cancel", TN_TIMER_CANCEL, {{0}}, {{0}}},
    {"info",
     TN_TIMER_INFO,
     {{0}},
     {R(timer_info, at), R(timer_info, cookie), R(timer_info, fired)}},
};

static const struct method_spec buffer[] = {
    {"info", TN_BUFFER_INFO, {{0}}, {R(buffer_info, size_bytes), R(buffer_info, slice)}},
    {"slice",
     TN_BUFFER_SLICE,
     {A(buffer_slice, off), A(buffer_slice, len), A(buffer_slice, rights)},
     {OBJECT}},
};

static const struct method_spec answer[] = {
    {"info", TN_REPLY_INFO, {{0}}, {R(reply_info, room_bytes), R(reply_info, waits)}},
};

static const struct method_spec channel[] = {
    {"info",
     TN_CHANNEL_INFO,
     {{0}},
     {R(channel_info, capacity_bytes), R(channel_info, produces), R(channel_info, gone)}},
};

static const struct method_spec endpoint[] = {
    {"info",
     TN_ENDPOINT_INFO,
     {{0}},
     {R(endpoint_info, interface), R(endpoint_info, targets), R(endpoint_info, ready),
      R(endpoint_info, rule)}},
};

static const struct {
    const char *name;
    enum object_type type;
    const struct method_spec *methods;
    uint32_t nmethods;
} interfaces[] = {
    {"tenon.kernel.untyped", OBJ_UNTYPED, untyped, ARRAY_LEN(untyped)},
    {"tenon.kernel.space", OBJ_SPACE, space, ARRAY_LEN(space)},
    {"tenon.kernel.actor", OBJ_ACTOR, actor, ARRAY_LEN(actor)},
    {"tenon.kernel.endpoint", OBJ_ENDPOINT, endpoint, ARRAY_LEN(endpoint)},
    {"tenon.kernel.notification", OBJ_NOTE, notification, ARRAY_LEN(notification)},
    {"tenon.kernel.timer", OBJ_TIMER, timer, ARRAY_LEN(timer)},
    {"tenon.kernel.buffer", OBJ_BUFFER, buffer, ARRAY_LEN(buffer)},
    {"tenon.kernel.reply", OBJ_REPLY, answer, ARRAY_LEN(answer)},
    {"tenon.kernel.channel", OBJ_CHANNEL, channel, ARRAY_LEN(channel)},
};

static const struct tn_interface *interface_named(const char *name)
{
    return tn_interface_by_name(name, (uint32_t)strlen(name));
}

/* The fields of a layout are those places; returns how many are capabilities. */
static uint32_t expect_layout(const char *what, const struct tn_layout *layout,
                              const struct place *places, uint32_t nplaces, uint32_t bytes)
{
    uint32_t ncaps = 0;
    if (layout->fixed_len > bytes || layout->first_var != UINT32_MAX)
        fail_msg("%s: %u bytes, in C %u", what, layout->fixed_len, bytes);
    for (uint32_t i = 0; i < layout->nfields; i++) {
        const struct tn_field *f = &layout->fields[i];
        ncaps += f->type == TN_FIELD_CAP;
        if (i >= nplaces || places[i].name == NULL || strcmp(f->name, places[i].name) != 0 ||
            f->off != places[i].off)
            fail_msg("%s: %s is not where object.h has it", what, f->name);
    }
    if (layout->nfields < nplaces)
        assert_null(places[layout->nfields].name);
    return ncaps;
}

static void test_all_agree(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < ARRAY_LEN(interfaces); i++) {
        const struct tn_interface *from = interface_named(interfaces[i].name);
        const struct invoke_interface *ours = invoke_interface(interfaces[i].type);
        assert_non_null(from);
        assert_int_equal(from->id, ours->id);
        assert_int_equal(from->nmethods, interfaces[i].nmethods);
        assert_int_equal(ours->nmethods, interfaces[i].nmethods);
        assert_int_equal(from->methods[0].ordinal, ours->first);
        for (uint32_t k = 0; k < from->nmethods; k++) {
            const struct tn_method *method = &from->methods[k];
            const struct method_spec *spec = &interfaces[i].methods[k];
            const struct invoke_method *own = &ours->methods[k];
            assert_string_equal(method->name, spec->name);
            assert_int_equal(TN_METHOD(from->id, method->ordinal), spec->number);
            assert_int_equal(method->ordinal, ours->first + k);
            assert_int_equal(method->rights, own->rights);
            assert_false(method->oneway);
            (void)expect_layout(spec->name, &method->args, spec->args, ARRAY_LEN(spec->args),
                                TN_OBJECT_ARGS);
            uint32_t ncaps = expect_layout(spec->name, &method->returns, spec->reply,
                                           ARRAY_LEN(spec->reply), own->reply_bytes);
            assert_int_equal(ncaps, own->reply_caps);
            assert_true(own->reply_bytes <= TN_OBJECT_REPLY);
        }
    }
}

static int64_t constant(const struct tn_interface *interface, const char *name)
{
    for (uint32_t i = 0; i < interface->nconstants; i++)
        if (strcmp(interface->constants[i].name, name) == 0)
            return interface->constants[i].number;
    fail_msg("%s has no constant %s", interface->name, name);
    return -1;
}

static void test_constants_agree(void **state)
{
    static const char *const types[] = {"type_untyped",  "type_space",        "type_actor",
                                        "type_endpoint", "type_notification", "type_timer",
                                        "type_buffer",   "type_reply",        "type_channel"};
    static const char *const states[] = {"state_created", "state_ready",  "state_running",
                                         "state_waiting", "state_paused", "state_failed",
                                         "state_dying",   "state_dead"};
    static const char *const rules[] = {"rule_single", "rule_weights", "rule_hash", "rule_per_cpu"};
    static const char *const flags[] = {"flag_derived", "flag_posted", "flag_revoking"};
    (void)state;
    for (uint32_t i = 0; i < ARRAY_LEN(types); i++)
        assert_int_equal(constant(interface_named("tenon.kernel.space"), types[i]), i + 1);
    for (uint32_t i = 0; i < ARRAY_LEN(flags); i++)
        assert_int_equal(constant(interface_named("tenon.kernel.space"), flags[i]), 1 << i);
    for (uint32_t i = 0; i < ARRAY_LEN(states); i++)
        assert_int_equal(constant(interface_named("tenon.kernel.actor"), states[i]), i);
    for (uint32_t i = 0; i < ARRAY_LEN(rules); i++)
        assert_int_equal(constant(interface_named("tenon.kernel.endpoint"), rules[i]), i);
    assert_int_equal(TN_TYPE_CHANNEL, ARRAY_LEN(types));
    assert_int_equal(TN_FLAG_REVOKING, 4);
    assert_int_equal(TN_STATE_DEAD + 1, ARRAY_LEN(states));
    assert_int_equal(TN_RULE_PER_CPU + 1, ARRAY_LEN(rules));
}

/* What is paid follows from what is asked for, whatever the bytes. */
static void test_prices(void **state)
{
    (void)state;
    const struct tn_untyped_size_args args = {UINT64_C(1) << 30};
    const struct tn_pack pack = {.data = (void *)(uintptr_t)&args, .len = sizeof(args)};
    const struct tn_pack cut = {.data = (void *)(uintptr_t)&args, .len = 7};
    const struct tn_pack nothing = {.len = 0};
    assert_int_equal(invoke_price_bytes(TN_UNTYPED_MAKE_BUFFER, &pack), args.bytes);
    assert_int_equal(invoke_price_bytes(TN_UNTYPED_MAKE_CHANNEL, &pack), args.bytes);
    assert_int_equal(invoke_price_bytes(TN_UNTYPED_MAKE_UNTYPED, &pack), args.bytes / 256);
    assert_int_equal(invoke_price_bytes(TN_UNTYPED_MAKE_BUFFER, &cut), 0);
    assert_int_equal(invoke_price_bytes(TN_UNTYPED_MAKE_BUFFER, &nothing), 0);
    assert_true(invoke_price_bytes(TN_SPACE_REVOKE, &pack) > 0);
    static const uint32_t free_of_charge[] = {
        0,
        TN_UNTYPED_INFO,
        TN_ENDPOINT_INFO,
        TN_METHOD(9, 1),
        UINT32_MAX,
        TN_METHOD(TN_UNTYPED, 0),
        TN_METHOD(TN_UNTYPED, 10),
        TN_METHOD(0xff00, 6),
        TN_METHOD(0xff0a, 1),
    };
    for (uint32_t i = 0; i < ARRAY_LEN(free_of_charge); i++)
        assert_int_equal(invoke_price_bytes(free_of_charge[i], &pack), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_agree),
        cmocka_unit_test(test_constants_agree),
        cmocka_unit_test(test_prices),
    };
    return cmocka_run_group_tests_name("invoke_table", tests, NULL, NULL);
}
