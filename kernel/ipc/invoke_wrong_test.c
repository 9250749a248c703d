/* invoke_wrong_test.c: every method of every kernel object with every wrong capability, called or
 * among the arguments, with numbers at their edges, packs that lie, and memory that runs out: which
 * error it is, and that nothing has changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <tenon/interface.h>

#include "base/bits.h"
#include "kernel/cap/cap_int.h"
#include "kernel/ipc/invoke_int.h"
#include "tests/kit/explore.h"

enum { MEMORY_BYTES = 256 << 10, PART_BYTES = 64 << 10, SLOTS = 64 };

/* One capability of each type, by type; the driver's own. */
static struct {
    struct kit_actor *driver;
    tn_cap cap[OBJ_TYPES]; /* all rights, but of the reply and the channel */
    uint64_t in_space;     /* a notification in the space */
    tn_cap note;           /* another notification */
    const char *what;      /* is tried, for messages */
} w;

static bool expect(const char *what, uint32_t number, tn_err got, tn_err wanted)
{
    char text[160];
    snprintf(text, sizeof(text), "%s: %s, method %x: %d, not %d", w.what, what, number, got,
             wanted);
    return kit_check(got == wanted, text, __FILE__, __LINE__);
}

union args {
    uint64_t words[TN_OBJECT_ARGS / 8];
    struct tn_untyped_size_args size;
    struct tn_untyped_make_space_args make_space;
    struct tn_untyped_make_endpoint_args make_endpoint;
    struct tn_untyped_make_route_args make_route;
    struct tn_space_handle_args handle;
    struct tn_space_put_args put;
    struct tn_space_give_args give;
    struct tn_space_mint_args mint;
    struct tn_space_move_args move;
    struct tn_space_reserve_args reserve;
    struct tn_space_fill_args fill;
    struct tn_notification_bind_args bind;
    struct tn_buffer_slice_args slice;
};

static void space_args(union args *args, uint32_t number, uint8_t first)
{
    switch (number) {
    case TN_SPACE_PUT:
        args->put = (struct tn_space_put_args){.rights = TN_R_ALL, .object = first};
        break;
    case TN_SPACE_GIVE:
        args->give.object = first;
        break;
    case TN_SPACE_MINT:
        args->mint = (struct tn_space_mint_args){.handle = w.in_space, .into = first};
        break;
    case TN_SPACE_MOVE:
        args->move = (struct tn_space_move_args){.handle = w.in_space, .into = first};
        break;
    case TN_SPACE_RESERVE:
        args->reserve.count = 1;
        break;
    case TN_SPACE_FILL:
        args->fill.object = first;
        break;
    default: /* get and those that take a handle alone */
        args->handle.handle = w.in_space;
        break;
    }
}

static void other_args(union args *args, uint32_t number, uint8_t first)
{
    switch (number) {
    case TN_UNTYPED_MAKE_UNTYPED:
        args->size.bytes = MEM_UNTYPED_MIN;
        break;
    case TN_UNTYPED_MAKE_BUFFER:
    case TN_UNTYPED_MAKE_CHANNEL:
        args->size.bytes = 64;
        break;
    case TN_UNTYPED_MAKE_SPACE:
        args->make_space.slots_max = 4;
        break;
    case TN_UNTYPED_MAKE_ENDPOINT:
        args->make_endpoint.actor = first;
        break;
    case TN_UNTYPED_MAKE_ROUTE:
        args->make_route.target[0] = first;
        break;
    case TN_NOTIFICATION_BIND:
        args->bind.actor = first;
        break;
    case TN_BUFFER_SLICE:
        args->slice.len = 1;
        break;
    default:
        break;
    }
}

/* Calls with arguments that are right, or as right as `caps` lets them be. */
static tn_err call_with(tn_cap to, uint32_t number, const tn_cap *caps, uint32_t ncaps)
{
    union args args = {{0}};
    uint8_t first = ncaps > 0;
    if (number >> 16 == TN_SPACE)
        space_args(&args, number, first);
    else
        other_args(&args, number, first);
    uint64_t room[16];
    struct tn_pack in = {.data = &args, .len = sizeof(args), .ncaps = ncaps};
    struct tn_pack out = {.data = room, .size = sizeof(room), .ncaps = TN_PACK_CAPS};
    for (uint32_t i = 0; i < ncaps; i++)
        in.caps[i] = caps[i];
    return tn_call(to, number, &in, &out, TN_NEVER);
}

/* What could change: capabilities, and memory of the driver's. */
struct census {
    uint32_t caps, inside;
    uint64_t used_bytes;
};

static struct census census(void)
{
    struct tn_space_info info;
    KIT_CHECK(tn_space_info(w.cap[OBJ_SPACE], &info) == TN_OK);
    return (struct census){space_count(w.driver->space), info.capabilities + info.reserved,
                           mem_stats(w.driver->memory).used_bytes};
}

static void expect_refused(const char *what, tn_cap to, uint32_t number, const tn_cap *caps,
                           uint32_t ncaps, tn_err err)
{
    struct census before = census(), after;
    expect(what, number, call_with(to, number, caps, ncaps), err);
    after = census();
    KIT_CHECK(before.caps == after.caps && before.inside == after.inside);
    KIT_CHECK(before.used_bytes == after.used_bytes);
}

/* Goes through all methods of all types. */
static void each_method(void (*visit)(enum object_type type, const struct invoke_method *method,
                                      uint32_t number))
{
    for (uint32_t type = OBJ_UNTYPED; type < OBJ_TYPES; type++) {
        const struct invoke_interface *interface = invoke_interface((enum object_type)type);
        for (uint32_t i = 0; i < interface->nmethods; i++)
            visit((enum object_type)type, &interface->methods[i],
                  TN_METHOD(interface->id, interface->first + i));
    }
}

static tn_cap mint(tn_cap from, uint32_t rights)
{
    tn_cap made = 0;
    KIT_CHECK(tn_cap_mint(from, rights, 0, &made) == TN_OK);
    return made;
}

static void no_such_capability(enum object_type type, const struct invoke_method *method,
                               uint32_t number)
{
    tn_cap stale = mint(w.note, TN_R_ALL), good = w.cap[type];
    const uint64_t one = UINT64_C(1) << WORD_GENERATION_SHIFT;
    (void)method;
    KIT_CHECK(tn_cap_drop(stale) == TN_OK);
    const tn_cap wrong[] = {0,
                            stale,
                            good + one,
                            good | WORD_GENERATION,
                            good & ~WORD_GENERATION,
                            one | (SLOTS - 1),
                            one | SLOTS,
                            one | TN_SPACE_MAX,
                            UINT64_MAX,
                            UINT64_C(1) << 63};
    for (uint32_t i = 0; i < ARRAY_LEN(wrong); i++)
        expect_refused("no such capability", wrong[i], number, NULL, 0, TN_EBADCAP);
}

/* By an endpoint that leads to any interface it is a message to that actor. */
static void other_type(enum object_type type, const struct invoke_method *method, uint32_t number)
{
    (void)method;
    for (uint32_t other = OBJ_UNTYPED; other < OBJ_TYPES; other++) {
        if (other != (uint32_t)type && other != OBJ_ENDPOINT)
            expect_refused("another type", w.cap[other], number, NULL, 0, TN_ETYPE);
    }
    if (type != OBJ_ENDPOINT)
        expect_refused("an endpoint", w.cap[OBJ_ENDPOINT], number, NULL, 0, TN_EMETHOD);
}

static void missing_rights(enum object_type type, const struct invoke_method *method,
                           uint32_t number)
{
    uint32_t needed = method->rights | (uint32_t)TN_R_CALL;
    if (type == OBJ_REPLY)
        return; /* it has call, and nothing is derived from it */
    for (uint32_t rights = 0; rights <= TN_R_ALL; rights++) {
        if ((needed & ~rights) == 0)
            continue;
        tn_cap weak = mint(w.cap[type], rights);
        expect_refused("a right is missing", weak, number, NULL, 0, TN_ERIGHTS);
        KIT_CHECK(tn_cap_drop(weak) == TN_OK);
    }
}

static void no_such_method(enum object_type type, const struct invoke_method *method,
                           uint32_t number)
{
    const struct invoke_interface *interface = invoke_interface(type);
    (void)method;
    (void)number;
    static const uint32_t others[] = {0, 15, 40, 0x7fff, 0xffff};
    for (uint32_t i = 0; i < ARRAY_LEN(others); i++)
        expect_refused("no such method", w.cap[type], TN_METHOD(interface->id, others[i]), NULL, 0,
                       TN_EMETHOD);
    if (type == OBJ_ENDPOINT)
        return;
    static const uint32_t strange[] = {0, 2, 0xff00, 0xff0a, 0xffff};
    for (uint32_t i = 0; i < ARRAY_LEN(strange); i++)
        expect_refused("a method of another interface", w.cap[type],
                       TN_METHOD(strange[i], interface->first), NULL, 0, TN_ETYPE);
}

/* A reply that has no room, for bytes or capabilities, is refused before anything is done. */
static void no_room(enum object_type type, const struct invoke_method *method, uint32_t number)
{
    uint64_t room[16];
    struct tn_pack in = {.len = 0};
    struct tn_pack out = {.data = room, .size = method->reply_bytes - 1u};
    struct census before = census(), after;
    if (method->reply_bytes == 0)
        return;
    out.ncaps = TN_PACK_CAPS;
    expect("no room", number, tn_call(w.cap[type], number, &in, &out, TN_NEVER), TN_ETOOBIG);
    KIT_CHECK(out.len == method->reply_bytes && out.ncaps == 0);
    expect("no room at all", number, tn_call(w.cap[type], number, &in, NULL, TN_NEVER), TN_ETOOBIG);
    out = (struct tn_pack){.data = room, .size = sizeof(room)};
    out.ncaps = TN_PACK_CAPS + 1;
    expect("a pack that lies", number, tn_call(w.cap[type], number, &in, &out, TN_NEVER),
           TN_EINVAL);
    if (method->reply_caps > 0) {
        out.ncaps = method->reply_caps - 1u;
        expect("no room for it", number, tn_call(w.cap[type], number, &in, &out, TN_NEVER),
               TN_ETOOBIG);
    }
    after = census();
    KIT_CHECK(memcmp(&before, &after, sizeof(before)) == 0);
}

static void packs_that_lie(enum object_type type, const struct invoke_method *method,
                           uint32_t number)
{
    uint64_t room[16], bytes[1] = {0};
    struct tn_pack out = {.data = room, .size = sizeof(room), .ncaps = TN_PACK_CAPS};
    struct tn_pack in = {.data = bytes, .len = TN_ARGS_MAX + 1};
    (void)method;
    expect("too long", number, tn_call(w.cap[type], number, &in, &out, TN_NEVER), TN_ETOOBIG);
    in = (struct tn_pack){.ncaps = TN_PACK_CAPS + 1};
    expect("too many", number, tn_call(w.cap[type], number, &in, &out, TN_NEVER), TN_EINVAL);
}

/* Methods that take a capability: what it must be. */
static const struct {
    uint32_t number;
    enum object_type called, type; /* OBJ_NONE: any but a space */
    uint32_t rights;
} takes[] = {
    {TN_UNTYPED_MAKE_ENDPOINT, OBJ_UNTYPED, OBJ_ACTOR, TN_R_WRITE},
    {TN_UNTYPED_MAKE_ROUTE, OBJ_UNTYPED, OBJ_ACTOR, TN_R_WRITE},
    {TN_SPACE_PUT, OBJ_SPACE, OBJ_NONE, TN_R_GRANT},
    {TN_SPACE_GIVE, OBJ_SPACE, OBJ_NONE, TN_R_GRANT},
    {TN_SPACE_FILL, OBJ_SPACE, OBJ_NONE, TN_R_GRANT},
    {TN_SPACE_MINT, OBJ_SPACE, OBJ_SPACE, TN_R_WRITE},
    {TN_SPACE_MOVE, OBJ_SPACE, OBJ_SPACE, TN_R_WRITE},
    {TN_NOTIFICATION_BIND, OBJ_NOTE, OBJ_ACTOR, TN_R_WRITE},
};

static void wrong_arguments(void)
{
    tn_cap stale = mint(w.note, TN_R_ALL);
    KIT_CHECK(tn_cap_drop(stale) == TN_OK);
    for (uint32_t i = 0; i < ARRAY_LEN(takes); i++) {
        tn_cap to = w.cap[takes[i].called];
        enum object_type type = takes[i].type;
        uint32_t number = takes[i].number;
        const tn_cap none = 0, past = UINT64_MAX;
        expect_refused("a null argument", to, number, &none, 1, TN_EBADCAP);
        expect_refused("a stale argument", to, number, &stale, 1, TN_EBADCAP);
        expect_refused("an argument out of range", to, number, &past, 1, TN_EBADCAP);
        for (uint32_t other = OBJ_UNTYPED; other < OBJ_TYPES; other++) {
            if (type != OBJ_NONE && other != (uint32_t)type)
                expect_refused("an argument of another type", to, number, &w.cap[other], 1,
                               TN_ETYPE);
        }
        tn_cap weak = mint(type == OBJ_NONE ? w.note : w.cap[type], TN_R_ALL & ~takes[i].rights);
        expect_refused("an argument without the right", to, number, &weak, 1, TN_ERIGHTS);
        KIT_CHECK(tn_cap_drop(weak) == TN_OK);
        if (type == OBJ_NONE)
            expect_refused("a space for an argument", to, number, &w.cap[OBJ_SPACE], 1, TN_EINVAL);
    }
}

/* Positions that name nothing; bytes that stop in the middle of a field. */
static void wrong_bytes(void)
{
    uint64_t room[16];
    for (uint32_t position = 2; position < 256; position++) {
        struct tn_pack out = {.data = room, .size = sizeof(room), .ncaps = TN_PACK_CAPS};
        struct tn_untyped_make_endpoint_args args = {.actor = (uint8_t)position};
        struct tn_pack in = {.data = &args, .len = sizeof(args), .ncaps = 1};
        in.caps[0] = w.cap[OBJ_ACTOR];
        expect("a position", TN_UNTYPED_MAKE_ENDPOINT,
               tn_call(w.cap[OBJ_UNTYPED], TN_UNTYPED_MAKE_ENDPOINT, &in, &out, TN_NEVER),
               TN_EARGS);
    }
    /* A field that is cut off is missing, and reads as 0. */
    const struct tn_untyped_size_args size = {UINT64_MAX};
    for (uint32_t len = 0; len < sizeof(size); len++) {
        struct tn_pack out = {.data = room, .size = sizeof(room), .ncaps = TN_PACK_CAPS};
        struct tn_pack in = {.data_bits = (uintptr_t)&size, .len = len};
        expect("a cut field", TN_UNTYPED_MAKE_BUFFER,
               tn_call(w.cap[OBJ_UNTYPED], TN_UNTYPED_MAKE_BUFFER, &in, &out, TN_NEVER), TN_EINVAL);
    }
}

/* Sizes and ranges at their edges, and beyond what a sum can hold. */
static void wrong_numbers(void)
{
    static const uint64_t huge[] = {UINT64_MAX, UINT64_MAX - 4095, UINT64_C(1) << 63,
                                    (UINT64_C(1) << 40) + 1, UINT64_C(1) << 32};
    tn_cap memory = w.cap[OBJ_UNTYPED], buffer = w.cap[OBJ_BUFFER], made = 0, more = 0;
    struct tn_space_next found;
    struct census before = census(), after;
    for (uint32_t i = 0; i < ARRAY_LEN(huge); i++) {
        KIT_CHECK(tn_untyped_make_untyped(memory, huge[i], &made) == TN_ENOMEM);
        KIT_CHECK(tn_untyped_make_buffer(memory, huge[i], &made) == TN_ETOOBIG);
        tn_err err = tn_untyped_make_channel(memory, huge[i], &made, &more);
        KIT_CHECK(err == (is_pow2(huge[i]) ? TN_ETOOBIG : TN_EINVAL));
        const struct tn_buffer_slice_args args[] = {
            {huge[i], 1, 1, 0}, {1, huge[i], 1, 0}, {huge[i], huge[i], 1, 0}};
        for (uint32_t k = 0; k < ARRAY_LEN(args); k++)
            KIT_CHECK(tn_object_make(buffer, TN_BUFFER_SLICE, &args[k], sizeof(args[k]), &made) ==
                      TN_EINVAL);
    }
    KIT_CHECK(tn_untyped_make_buffer(memory, 0, &made) == TN_EINVAL);
    KIT_CHECK(tn_untyped_make_channel(memory, 0, &made, &more) == TN_EINVAL);
    KIT_CHECK(tn_untyped_make_untyped(memory, 0, &made) == TN_EINVAL);
    KIT_CHECK(tn_untyped_make_space(memory, UINT32_MAX, &made) == TN_EINVAL);
    static const uint32_t far[] = {SLOTS, TN_SPACE_MAX, UINT32_MAX - 63, UINT32_MAX};
    for (uint32_t i = 0; i < ARRAY_LEN(far); i++) {
        uint32_t from = far[i];
        KIT_CHECK(tn_space_next(w.cap[OBJ_SPACE], &from, &found) == TN_ENOTFOUND);
    }
    after = census();
    KIT_CHECK(memcmp(&before, &after, sizeof(before)) == 0);
}

/* A space that is full, the caller's: what was made is gone again. */
static void full_space(void)
{
    tn_cap filler[SLOTS], made = 0, more = 0;
    uint32_t n = 0;
    while (n < SLOTS && tn_cap_mint(w.note, TN_R_READ, 0, &filler[n]) == TN_OK)
        n++;
    KIT_CHECK(n > 0 && n < SLOTS);
    tn_cap memory = w.cap[OBJ_UNTYPED];
    KIT_CHECK(tn_untyped_make_notification(memory, &made) == TN_ENOSLOT);
    KIT_CHECK(tn_untyped_make_space(memory, 4, &made) == TN_ENOSLOT);
    KIT_CHECK(tn_untyped_make_untyped(memory, MEM_UNTYPED_MIN, &made) == TN_ENOSLOT);
    KIT_CHECK(tn_untyped_make_endpoint(memory, 0, 0, &made) == TN_ENOSLOT);
    KIT_CHECK(tn_untyped_make_channel(memory, 64, &made, &more) == TN_ENOSLOT);
    KIT_CHECK(tn_space_get(w.cap[OBJ_SPACE], w.in_space, TN_R_ALL, 0, &made) == TN_ENOSLOT);
    KIT_CHECK(tn_space_take(w.cap[OBJ_SPACE], w.in_space, &made) == TN_ENOSLOT);
    KIT_CHECK(tn_cap_drop(filler[--n]) == TN_OK);
    KIT_CHECK(tn_untyped_make_channel(memory, 64, &made, &more) == TN_ENOSLOT); /* room for one */
    KIT_CHECK(tn_untyped_make_notification(memory, &made) == TN_OK);
    KIT_CHECK(tn_cap_drop(made) == TN_OK);
    while (n > 0)
        KIT_CHECK(tn_cap_drop(filler[--n]) == TN_OK);
}

/* What the driver sets up with the very calls that it tests. */
static void make_all(void)
{
    tn_cap memory = kit_need("memory"), end = 0;
    w.cap[OBJ_UNTYPED] = memory;
    w.cap[OBJ_ACTOR] = kit_need("self");
    KIT_CHECK(tn_untyped_make_space(memory, SLOTS, &w.cap[OBJ_SPACE]) == TN_OK);
    KIT_CHECK(tn_untyped_make_endpoint(memory, 0, 9, &w.cap[OBJ_ENDPOINT]) == TN_OK);
    KIT_CHECK(tn_untyped_make_notification(memory, &w.cap[OBJ_NOTE]) == TN_OK);
    KIT_CHECK(tn_untyped_make_timer(memory, &w.cap[OBJ_TIMER]) == TN_OK);
    KIT_CHECK(tn_untyped_make_buffer(memory, 64, &w.cap[OBJ_BUFFER]) == TN_OK);
    KIT_CHECK(tn_untyped_make_channel(memory, 64, &w.cap[OBJ_CHANNEL], &end) == TN_OK);
    KIT_CHECK(tn_untyped_make_notification(memory, &w.note) == TN_OK);
    KIT_CHECK(tn_space_put(w.cap[OBJ_SPACE], w.note, TN_R_ALL, 0, &w.in_space) == TN_OK);
}

/* In a call, so that there is a reply too. */
static tn_err driver_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    (void)self;
    (void)turn;
    (void)in;
    (void)out;
    KIT_CHECK(tn_defer(&w.cap[OBJ_REPLY]) == TN_OK);
    make_all();
    w.what = "called";
    each_method(no_such_capability);
    each_method(other_type);
    each_method(missing_rights);
    each_method(no_such_method);
    each_method(no_room);
    each_method(packs_that_lie);
    wrong_bytes();
    wrong_numbers();
    full_space();
    KIT_CHECK(tn_reply(w.cap[OBJ_REPLY], TN_OK, NULL) == TN_OK);
    kit_stop();
    return TN_DEFERRED;
}
KIT_ROLE(driver_role, .call = driver_call);

static tn_err caller_start(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    KIT_CHECK(tn_call(kit_need("driver"), TN_METHOD(9, 1), NULL, NULL, TN_NEVER) == TN_OK);
    return TN_OK;
}
KIT_ROLE(caller_role, .start = caller_start);

static void make_driver(struct kit *kit, const struct tn_component *role, uint64_t bytes)
{
    const struct kit_config config = {
        .name = "driver", .mailbox = 2, .memory_bytes = MEMORY_BYTES, .slots = SLOTS};
    memset(&w, 0, sizeof(w));
    w.driver = kit_make_with(kit, &config, role);
    struct untyped *part = NULL;
    assert_int_equal(untyped_make(w.driver->memory, bytes, &part), TN_OK);
    kit_give(w.driver, "memory", untyped_object(part), TN_R_ALL);
    kit_share(w.driver, "self", actor_object(w.driver->actor), TN_R_ALL);
}

static void wrong(struct kit *kit)
{
    make_driver(kit, &driver_role, PART_BYTES);
    struct kit_actor *caller = kit_make(kit, "caller", &caller_role, 0, 2);
    kit_wire(caller, "driver", w.driver, TN_R_CALL, 0);
    kit_run(kit, caller);
}

static tn_err arguments_start(void *self, const struct tn_turn *turn)
{
    (void)self;
    (void)turn;
    make_all();
    w.what = "given";
    w.cap[OBJ_REPLY] = w.cap[OBJ_TIMER];
    wrong_arguments();
    kit_stop();
    return TN_OK;
}
KIT_ROLE(arguments_role, .start = arguments_start);

static void arguments(struct kit *kit)
{
    make_driver(kit, &arguments_role, PART_BYTES);
    kit_run(kit, w.driver);
}

/* Memory that runs out: all of it is taken, then given back a little at a time; each maker says so
 * until it succeeds, and what it made can be dropped. */

enum { GRAIN_BYTES = 64, GRAINS = PART_BYTES / GRAIN_BYTES };

static const uint32_t makers[] = {
    TN_UNTYPED_MAKE_SPACE,  TN_UNTYPED_MAKE_NOTIFICATION, TN_UNTYPED_MAKE_TIMER,
    TN_UNTYPED_MAKE_BUFFER, TN_UNTYPED_MAKE_CHANNEL,      TN_UNTYPED_MAKE_ENDPOINT,
    TN_UNTYPED_MAKE_ROUTE,  TN_UNTYPED_MAKE_UNTYPED,
};

static void runs_out(struct untyped *part, uint32_t number)
{
    static void *grain[GRAINS];
    static size_t bytes[GRAINS];
    uint32_t n = 0, failed = 0;
    while (mem_stats(part).used_bytes > 0) { /* what came before is on its way back */
        KIT_CHECK(tn_yield() == TN_OK);
        (void)limbo_reap(&kit_now->kernel->limbo, GRAINS);
        machine_relax();
    }
    for (size_t size = MEM_PAGE; size >= GRAIN_BYTES; size /= 2) {
        void *at;
        while (n < GRAINS && (at = mem_alloc(part, size)) != NULL) {
            grain[n] = at;
            bytes[n++] = size;
        }
    }
    const tn_cap self = kit_need("self");
    tn_err err;
    uint32_t before = space_count(w.driver->space);
    while ((err = call_with(kit_need("memory"), number, &self, 1)) != TN_OK) {
        expect("out of memory", number, err, TN_ENOMEM);
        KIT_CHECK(space_count(w.driver->space) == before);
        failed++;
        if (!KIT_CHECK(n > 0))
            break;
        n--;
        mem_free(part, grain[n], bytes[n]);
    }
    KIT_CHECK(failed > 0);
    KIT_CHECK(tn_cap_revoke(kit_need("memory")) == TN_OK);
    while (n > 0) {
        n--;
        mem_free(part, grain[n], bytes[n]);
    }
}

static tn_err poor_start(void *self, const struct tn_turn *turn)
{
    struct cap_view view;
    (void)self;
    (void)turn;
    w.what = "poor";
    KIT_CHECK(cap_lookup(w.driver->space, kit_need("memory"), OBJ_UNTYPED, 0, &view) == TN_OK);
    for (uint32_t i = 0; i < ARRAY_LEN(makers); i++)
        runs_out(untyped_of(view.object), makers[i]);
    kit_stop();
    return TN_OK;
}
KIT_ROLE(poor_role, .start = poor_start);

static void poor(struct kit *kit)
{
    make_driver(kit, &poor_role, PART_BYTES);
    kit_run(kit, w.driver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EXPLORE(wrong),
        EXPLORE(arguments),
        EXPLORE(poor),
    };
    return cmocka_run_group_tests_name("invoke_wrong", tests, NULL, NULL);
}
