/* hook_test.c: hook points: their table at its edges; handlers that refuse, change, hang, fail, die
 * and come back to the service, in a real kernel under many schedules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/atomic.h"
#include "base/bits.h"
#include "sdk/hook.h"
#include "tests/kit/explore.h"

enum {
    M_WRITE = TN_METHOD(9, 1),  /* of the service: stores what it is given */
    M_READ = TN_METHOD(9, 2),   /* what it stored */
    M_HOOK = TN_METHOD(9, 3),   /* adds a hook: struct request */
    M_UNHOOK = TN_METHOD(9, 4), /* removes what the caller added: how many */
    M_LIMIT = TN_METHOD(9, 6),  /* how long a handler may take */
    M_STATS = TN_METHOD(9, 5),  /* struct hook_stats of both points */
    H_PRE = TN_METHOD(10, 1),   /* of handlers */
    H_POST = TN_METHOD(10, 2),
    TEXT_MAX = 64,
    E_NO = 7,
};
#define LONG_NS  UINT64_C(60000000000) /* no handler that works takes so long */
#define SHORT_NS UINT64_C(2000000)

static const struct tn_pack nothing;

static tn_err pause_turn(void)
{
    machine_relax();
    return tn_yield();
}

/* The service: a text that is written and read, with a point before and one after the write. */
struct service {
    struct hook_point pre, post;
    uint32_t len;
    char text[TEXT_MAX];
};

struct request {
    uint32_t priority, post;
};

static tn_err service_write(struct service *s, const struct tn_turn *turn, const struct tn_pack *in)
{
    uint64_t room[2 * TEXT_MAX / 8];
    struct hook_args args = {.in = *in, .room = room, .room_bytes = sizeof(room)};
    tn_err err = hook_pre(&s->pre, turn, H_PRE, &args);
    if (err == TN_OK && args.in.len > TEXT_MAX)
        err = TN_ETOOBIG;
    if (err != TN_OK)
        return err;
    memcpy(s->text, args.in.data, args.in.len);
    s->len = args.in.len;
    hook_post(&s->post, turn, H_POST, &args.in);
    return TN_OK;
}

static tn_err say(struct tn_pack *out, const void *data, uint32_t len)
{
    if (out->size < len)
        return TN_ETOOBIG;
    memcpy(out->data, data, len);
    out->len = len;
    return TN_OK;
}

static tn_err service_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                           struct tn_pack *out)
{
    struct service *s = self;
    const struct request *request = in->data;
    switch (turn->method) {
    case M_WRITE:
        return service_write(s, turn, in);
    case M_LIMIT:
        memcpy(&s->pre.limit_ns, in->data, sizeof(s->pre.limit_ns));
        s->post.limit_ns = s->pre.limit_ns;
        return TN_OK;
    case M_READ:
        return say(out, s->text, s->len);
    case M_HOOK: {
        tn_err err = hook_add(request->post != 0 ? &s->post : &s->pre, request->priority,
                              turn->badge, in->caps[0], NULL);
        if (err != TN_OK)
            KIT_CHECK(tn_cap_drop(in->caps[0]) == TN_OK);
        return err;
    }
    case M_UNHOOK: {
        uint32_t removed = hook_remove_of(&s->pre, turn->badge);
        removed += hook_remove_of(&s->post, turn->badge);
        return say(out, &removed, sizeof(removed));
    }
    case M_STATS: {
        struct hook_stats both[2] = {s->pre.stats, s->post.stats};
        return say(out, both, sizeof(both));
    }
    default:
        return TN_EMETHOD;
    }
}
KIT_ROLE(service, .state_size = sizeof(struct service), .call = service_call);

/* A handler does what its badge says. */
enum { REFUSES = 1, APPENDS, DENIES, HANGS, OVERFLOWS, RETURNS, OBSERVES, APPENDS_TOO };

static struct kit_actor *handlers[4];
static atomic_u32 observed;

static tn_err append(const struct tn_pack *in, struct tn_pack *out, char c)
{
    if (out->size < in->len + 1)
        return TN_ETOOBIG;
    memcpy(out->data, in->data, in->len);
    ((char *)out->data)[in->len] = c;
    out->len = in->len + 1;
    return TN_OK;
}

static tn_err handler_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                           struct tn_pack *out)
{
    uint64_t bits;
    (void)self;
    switch (turn->badge) {
    case REFUSES:
        return E_NO;
    case DENIES:
        return TN_EDENIED;
    case APPENDS:
        return append(in, out, 'a');
    case APPENDS_TOO:
        return append(in, out, 'b');
    case HANGS:
        return tn_wait(kit_need("never"), TN_NEVER, &bits);
    case OVERFLOWS:
        out->len = out->size + 1;
        return TN_OK;
    case RETURNS: /* to the service, which asks it again */
        return tn_call(kit_need("service"), M_WRITE, in, NULL, TN_NEVER);
    case OBSERVES:
        at_add(&observed, 1, SEQ_CST);
        return TN_OK;
    default:
        return TN_EMETHOD;
    }
}
KIT_ROLE(handler, .call = handler_call);

static tn_err hook_to(const char *service_need, tn_cap to, uint64_t does, uint32_t priority,
                      uint32_t post)
{
    struct request request = {priority, post};
    tn_cap cap = 0;
    KIT_CHECK(tn_cap_mint(to, TN_R_CALL | TN_R_GRANT, does, &cap) == TN_OK);
    struct tn_pack in = {
        .data = &request, .len = sizeof(request), .ncaps = 1, .move = 1, .caps = {cap}};
    tn_err err = tn_call(kit_need(service_need), M_HOOK, &in, NULL, TN_NEVER);
    if (err != TN_OK)
        KIT_CHECK(tn_cap_drop(cap) == TN_EBADCAP); /* the service has it, and keeps it */
    return err;
}

static tn_err hook(uint64_t does, uint32_t priority, uint32_t post)
{
    return hook_to("service", kit_need("h0"), does, priority, post);
}

static tn_err write_text(const char *text)
{
    const struct tn_pack in = {.data = (void *)(uintptr_t)text, .len = (uint32_t)strlen(text)};
    return tn_call(kit_need("service"), M_WRITE, &in, NULL, TN_NEVER);
}

static bool text_is(const char *text)
{
    char got[TEXT_MAX + 1] = {0};
    struct tn_pack out = {.data = got, .size = TEXT_MAX};
    return tn_call(kit_need("service"), M_READ, &nothing, &out, TN_NEVER) == TN_OK &&
           strcmp(got, text) == 0;
}

static uint32_t unhook(void)
{
    uint32_t n = 0;
    struct tn_pack out = {.data = &n, .size = sizeof(n)};
    KIT_CHECK(tn_call(kit_need("service"), M_UNHOOK, &nothing, &out, TN_NEVER) == TN_OK);
    return n;
}

static void stats(struct hook_stats both[2])
{
    struct tn_pack out = {.data = both, .size = 2 * sizeof(both[0])};
    KIT_CHECK(tn_call(kit_need("service"), M_STATS, &nothing, &out, TN_NEVER) == TN_OK);
}

static void set_limit(uint64_t ns)
{
    const struct tn_pack in = {.data = &ns, .len = sizeof(ns)};
    KIT_CHECK(tn_call(kit_need("service"), M_LIMIT, &in, NULL, TN_NEVER) == TN_OK);
}

static void try_refusing(void)
{
    set_limit(LONG_NS);
    KIT_CHECK(write_text("x") == TN_OK && text_is("x"));
    KIT_CHECK(hook(REFUSES, 5, 0) == TN_OK && hook(OBSERVES, 1, 1) == TN_OK);
    KIT_CHECK(write_text("y") == E_NO && text_is("x"));
    KIT_CHECK(at_load(&observed, SEQ_CST) == 0 && unhook() == 2);
    KIT_CHECK(hook(DENIES, 0, 0) == TN_OK && write_text("y") == TN_EDENIED && unhook() == 1);
    /* In order, what one changes the next is given. */
    KIT_CHECK(hook(APPENDS_TOO, 9, 0) == TN_OK && hook(APPENDS, 3, 0) == TN_OK &&
              hook(OBSERVES, 3, 0) == TN_OK && hook(APPENDS_TOO, 0, 0) == TN_OK);
    KIT_CHECK(write_text("z") == TN_OK && text_is("zbab"));
    KIT_CHECK(at_load(&observed, SEQ_CST) == 1);
    /* The last in the way of those that changed: nothing was done. */
    KIT_CHECK(hook(REFUSES, UINT32_MAX, 0) == TN_OK && write_text("n") == E_NO && text_is("zbab"));
    char longest[TEXT_MAX + 1] = {0};
    memset(longest, 'l', TEXT_MAX);
    KIT_CHECK(write_text(longest) == TN_ETOOBIG && text_is("zbab"));
    KIT_CHECK(unhook() == 5 && unhook() == 0);
}

static void try_hanging(void)
{
    struct hook_stats before[2] = {{0}}, after[2] = {{0}};
    stats(before);
    set_limit(SHORT_NS);
    KIT_CHECK(hook(HANGS, 1, 0) == TN_OK);
    KIT_CHECK(write_text("h") == TN_ETIME && text_is("zbab") && unhook() == 1);
    set_limit(LONG_NS);
    KIT_CHECK(hook(OVERFLOWS, 1, 0) == TN_OK);
    KIT_CHECK(write_text("h") == TN_EINTERNAL && unhook() == 1);
    /* After the fact a failure is counted, each by itself, and those behind it are called. */
    at_store(&observed, 0, SEQ_CST);
    KIT_CHECK(hook(HANGS, 1, 1) == TN_OK && hook(REFUSES, 2, 1) == TN_OK &&
              hook_to("service", kit_need("h1"), HANGS, 3, 1) == TN_OK &&
              hook_to("service", kit_need("h2"), OBSERVES, 4, 1) == TN_OK);
    set_limit(SHORT_NS);
    KIT_CHECK(write_text("i") == TN_OK && text_is("i"));
    set_limit(LONG_NS);
    stats(after);
    KIT_CHECK(after[0].failed == before[0].failed + 2 && after[0].refused == before[0].refused);
    /* On a busy machine the last one may have been late too. */
    KIT_CHECK(after[1].failed - before[1].failed + at_load(&observed, SEQ_CST) == 4);
    KIT_CHECK(after[1].failed >= before[1].failed + 3 && after[1].runs == before[1].runs + 1);
    KIT_CHECK(unhook() == 4);
}

static void try_gone(void)
{
    struct hook_stats before[2] = {{0}}, after[2] = {{0}};
    tn_cap h3 = kit_need("h3"), parent;
    stats(before);
    KIT_CHECK(hook_to("service", h3, REFUSES, 1, 0) == TN_OK);
    KIT_CHECK(hook_to("service", h3, OBSERVES, 1, 1) == TN_OK);
    KIT_CHECK(tn_cap_mint(kit_need("h1"), TN_R_ALL, 0, &parent) == TN_OK);
    KIT_CHECK(hook_to("service", parent, REFUSES, 2, 0) == TN_OK);
    KIT_CHECK(hook_to("service", parent, OBSERVES, 2, 1) == TN_OK);
    KIT_CHECK(hook(APPENDS, 3, 0) == TN_OK);
    kit_kill(handlers[3]);
    KIT_CHECK(tn_cap_revoke(parent) == TN_OK);
    KIT_CHECK(write_text("g") == TN_OK && text_is("ga"));
    stats(after);
    KIT_CHECK(after[0].gone == before[0].gone + 2 && after[1].gone == before[1].gone + 2);
    KIT_CHECK(after[0].failed == before[0].failed && after[1].failed == before[1].failed);
    KIT_CHECK(unhook() == 1);
}

static bool nested; /* the service has turns to spare */

static void try_edges(void)
{
    uint32_t n = 0;
    while (hook(OBSERVES, 7, 0) == TN_OK)
        n++;
    KIT_CHECK(n == TN_HOOKS_MAX && hook(OBSERVES, 0, 0) == TN_ELIMIT);
    at_store(&observed, 0, SEQ_CST);
    KIT_CHECK(write_text("e") == TN_OK && at_load(&observed, SEQ_CST) == TN_HOOKS_MAX);
    KIT_CHECK(unhook() == TN_HOOKS_MAX);
    /* A hook that asks the service to do it again: as deep as hooks may nest. A service with one
     * turn, which waits for the handler, is not there: the handler is told. */
    struct hook_stats before[2] = {{0}}, after[2] = {{0}};
    KIT_CHECK(hook(RETURNS, 1, 0) == TN_OK);
    stats(before);
    tn_err err = write_text("r");
    stats(after);
    KIT_CHECK(err == (nested ? TN_EDEPTH : TN_EDEADLK));
    KIT_CHECK(!nested || after[0].runs == before[0].runs + HOOK_NESTED_MAX);
    KIT_CHECK(unhook() == 1 && write_text("ok") == TN_OK && text_is("ok"));
}

static void driver_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    try_refusing();
    try_hanging();
    try_gone();
    try_edges();
    kit_done();
}
KIT_ROLE(driver, .event = driver_event);

static struct kit_actor *make_service(struct kit *kit, uint8_t turns)
{
    const struct kit_config config = {
        .name = "service", .cpu = 1, .mailbox = 16, .concurrency = turns};
    struct kit_actor *a = kit_make_with(kit, &config, &service);
    static const char *const names[] = {"h0", "h1", "h2", "h3"};
    at_init(&observed, 0);
    for (uint32_t i = 0; i < ARRAY_LEN(handlers); i++) {
        const struct kit_config many = {
            .name = names[i], .cpu = i, .mailbox = 32, .concurrency = TN_TURNS_MAX};
        handlers[i] = kit_make_with(kit, &many, &handler);
        kit_give(handlers[i], "never", note_object(kit_note()), TN_R_READ);
        kit_wire(handlers[i], "service", a, TN_R_CALL, i);
    }
    return a;
}

static void steps(struct kit *kit)
{
    static const char *const names[] = {"h0", "h1", "h2", "h3"};
    struct kit_actor *one = kit_make(kit, "driver", &driver, 0, 1);
    nested = kit->run % 2 != 0;
    struct kit_actor *to = make_service(kit, nested ? TN_TURNS_MAX : 1);
    kit_wire(one, "service", to, TN_R_CALL, 99);
    for (uint32_t i = 0; i < ARRAY_LEN(handlers); i++)
        kit_wire(one, names[i], handlers[i], TN_R_ALL, 0);
    kit_run_all(kit, &one, 1);
}

/* Writers, while hooks come and go and a handler dies. */
enum { WRITES = 25, CHANGES = 12 };
static atomic_u32 writers_left;

static void writer_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    for (uint32_t i = 0; i < WRITES; i++) {
        tn_err err = write_text("w");
        KIT_CHECK(err == TN_OK || err == E_NO || err == TN_ETIME || err == TN_EFULL ||
                  err == TN_EDENIED || err == TN_ESTACK || err == TN_ECANCELLED);
        KIT_CHECK(pause_turn() == TN_OK);
    }
    (void)at_sub(&writers_left, 1, SEQ_CST);
    kit_done();
}
KIT_ROLE(writer, .event = writer_event);

static void changer_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    (void)self;
    (void)turn;
    (void)in;
    set_limit(SHORT_NS);
    static const uint64_t all[] = {APPENDS, REFUSES, OBSERVES, HANGS, APPENDS_TOO, DENIES};
    static const char *const names[] = {"h0", "h1", "h2", "h3"};
    for (uint32_t i = 0; i < CHANGES; i++) {
        for (uint32_t k = 0; k < 3; k++) {
            tn_err err = hook_to("service", kit_need(names[(i + k) % 4]),
                                 all[(i * 3 + k) % ARRAY_LEN(all)], i * 7 % 4, k % 2);
            KIT_CHECK(err == TN_OK || err == TN_ELIMIT);
        }
        if (i == CHANGES / 2)
            kit_kill(handlers[3]);
        KIT_CHECK(pause_turn() == TN_OK);
        if (i % 3 == 2)
            KIT_CHECK(unhook() <= 2 * TN_HOOKS_MAX);
    }
    (void)unhook();
    set_limit(LONG_NS);
    while (at_load(&writers_left, SEQ_CST) > 0)
        KIT_CHECK(pause_turn() == TN_OK);
    KIT_CHECK(write_text("last") == TN_OK && text_is("last"));
    kit_done();
}
KIT_ROLE(changer, .event = changer_event);

static void traffic(struct kit *kit)
{
    static const char *const names[] = {"h0", "h1", "h2", "h3"};
    struct kit_actor *drivers[3];
    struct kit_actor *to = make_service(kit, kit->run % 2 == 0 ? 1 : 4);
    at_init(&writers_left, 2);
    for (uint32_t i = 0; i < ARRAY_LEN(drivers); i++) {
        drivers[i] = kit_make(kit, "driver", i < 2 ? &writer : &changer, i, 1);
        kit_wire(drivers[i], "service", to, TN_R_CALL, 90 + i);
    }
    for (uint32_t i = 0; i < ARRAY_LEN(handlers); i++)
        kit_wire(drivers[2], names[i], handlers[i], TN_R_ALL, 0);
    kit_run_all(kit, drivers, ARRAY_LEN(drivers));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EXPLORE(steps),
        EXPLORE(traffic),
    };
    return cmocka_run_group_tests_name("hook", tests, NULL, NULL);
}
