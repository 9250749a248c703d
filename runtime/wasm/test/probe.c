/* probe.c: a component that does on request whatever a guest can do, for tests of the domains. */
#include <tenon/component.h>

enum {
    M_ECHO = TN_METHOD(900, 1),
    M_FORWARD = TN_METHOD(900, 2),
    M_TRAP = TN_METHOD(900, 3),
    M_LOOP = TN_METHOD(900, 4),
    M_RECURSE = TN_METHOD(900, 5),
    M_COUNT = TN_METHOD(900, 6),
    M_SLEEP = TN_METHOD(900, 7),
    M_BUFFER = TN_METHOD(900, 8),
    M_WORK = TN_METHOD(900, 9),
    M_DEFER = TN_METHOD(900, 10),
    M_ANSWER = TN_METHOD(900, 11),
    M_OUTSIDE = TN_METHOD(900, 12),
    M_FLOOD = TN_METHOD(900, 13),
    M_MANY = TN_METHOD(900, 14),
    M_HOARD = TN_METHOD(900, 15),
    M_GIVE = TN_METHOD(900, 16),
    M_PEEK = TN_METHOD(900, 17),
    M_COPY = TN_METHOD(900, 18),
    M_YIELDS = TN_METHOD(900, 19),
    M_FORGE = TN_METHOD(900, 20),
    M_CHAIN = TN_METHOD(900, 21),
    M_MISREPLY = TN_METHOD(900, 22),
    M_FALL = TN_METHOD(900, 23),
    M_TALK = TN_METHOD(900, 24),
    M_MAPS = TN_METHOD(900, 25),
    M_WIDE = TN_METHOD(900, 26),
};

struct probe {
    uint64_t calls, events, timers, config;
    tn_cap held;
};

/* Deeper than any stack; the end is there only so that a compiler does not object. */
static uint64_t recurse(volatile uint64_t *depth)
{
    volatile uint64_t here[16];
    here[0] = ++*depth;
    return *depth == UINT64_MAX ? 0 : recurse(depth) + here[0];
}

static tn_err load(void *self, const struct tn_turn *turn, const struct tn_pack *config)
{
    struct probe *p = self;
    (void)turn;
    p->config = config->len;
    return config->len == 3 ? 55 : TN_OK;
}

static tn_err put(struct tn_pack *out, uint64_t value)
{
    if (out->size < sizeof(value))
        return TN_ETOOBIG;
    __builtin_memcpy(out->data, &value, sizeof(value));
    out->len = sizeof(value);
    return TN_OK;
}

static tn_err forward(const struct tn_pack *in, struct tn_pack *out)
{
    tn_cap next;
    tn_err err = tn_need("next", 4, &next);
    if (err != TN_OK)
        return err;
    struct tn_pack back = {.size = out->size};
    back.data_bits = (uintptr_t)out->data;
    err = tn_call(next, M_ECHO, in, &back, TN_NEVER);
    out->len = back.len;
    return err;
}

static tn_err buffer(struct tn_pack *out)
{
    tn_cap memory, buf, slice;
    void *at;
    tn_err err = tn_need("memory", 6, &memory);
    if (err == TN_OK)
        err = tn_buf_new(memory, 5000, &buf);
    if (err == TN_OK)
        err = tn_buf_map(buf, 0, 5000, TN_MAP_READ | TN_MAP_WRITE, &at);
    if (err != TN_OK)
        return err;
    for (uint32_t i = 0; i < 5000; i++)
        ((uint8_t *)at)[i] = (uint8_t)i;
    err = tn_buf_unmap(buf, at);
    if (err == TN_OK)
        err = tn_buf_slice(buf, 256, 100, TN_R_READ, &slice);
    if (err == TN_OK && tn_buf_map(slice, 0, 100, TN_MAP_WRITE, &at) != TN_ERIGHTS)
        return TN_EINTERNAL;
    if (err == TN_OK)
        err = tn_buf_map(slice, 0, 100, TN_MAP_READ, &at);
    if (err != TN_OK)
        return err;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < 100; i++)
        sum += ((uint8_t *)at)[i];
    return put(out, sum);
}

enum { FLOOD_MAX = 2000 };

static tn_err flood(struct tn_pack *out)
{
    tn_cap next;
    tn_err err = tn_need("next", 4, &next);
    uint64_t sent = 0;
    /* A receiver that keeps up never lets its mailbox fill. */
    while (err == TN_OK && sent < FLOOD_MAX && (err = tn_send(next, M_COUNT, NULL, 0)) == TN_OK)
        sent++;
    if (err != TN_EFULL && err != TN_OK)
        return err;
    return put(out, sent);
}

/* As many calls of `next` as the argument says. */
static tn_err many(const struct tn_pack *in, struct tn_pack *out)
{
    tn_cap next;
    uint64_t n, back = 0;
    if (in->len != sizeof(n))
        return TN_EARGS;
    __builtin_memcpy(&n, in->data, sizeof(n));
    tn_err err = tn_need("next", 4, &next);
    for (uint64_t i = 0; err == TN_OK && i < n; i++) {
        struct tn_pack args = {.len = sizeof(i)}, reply = {.size = sizeof(back)};
        args.data_bits = (uintptr_t)&i;
        reply.data_bits = (uintptr_t)&back;
        err = tn_call(next, M_ECHO, &args, &reply, TN_NEVER);
    }
    return err != TN_OK ? err : put(out, back);
}

/* Turns all memory into buffers, keeps them, and dies. */
static void hoard(void)
{
    tn_cap memory, buf;
    if (tn_need("memory", 6, &memory) != TN_OK)
        return;
    for (uint64_t bytes = 1 << 20; bytes >= 64; bytes /= 2) {
        while (tn_buf_new(memory, bytes, &buf) == TN_OK) {
        }
    }
    __builtin_trap();
}

static tn_err pause_until(tn_time until)
{
    tn_cap note;
    uint64_t bits;
    tn_err err = tn_need("note", 4, &note);
    return err == TN_OK ? tn_wait(note, until, &bits) : err;
}

static tn_err new_buffer(uint64_t bytes, tn_cap *ret_buf)
{
    tn_cap memory;
    tn_err err = tn_need("memory", 6, &memory);
    return err == TN_OK ? tn_buf_new(memory, bytes, ret_buf) : err;
}

/* The first of these lines that is not so, by its number; 0: all hold. */
static uint64_t wrong_map(tn_cap memory, tn_time now)
{
    enum { SIZE = 4096, BOTH = TN_MAP_READ | TN_MAP_WRITE };
    tn_cap buf, copy;
    void *at, *more[TN_MAPS_MAX];
#define IS(call, want)        \
    do {                      \
        if ((call) != (want)) \
            return __LINE__;  \
    } while (0)
    IS(new_buffer(SIZE, &buf), TN_OK);
    IS(tn_buf_map(buf, 0, 0, TN_MAP_READ, &at), TN_EINVAL);
    IS(tn_buf_map(buf, SIZE, 0, TN_MAP_READ, &at), TN_EINVAL);
    IS(tn_buf_map(buf, 0, 8, 0, &at), TN_EINVAL);
    IS(tn_buf_map(buf, 0, 8, TN_MAP_VOLATILE, &at), TN_EINVAL);
    IS(tn_buf_map(buf, SIZE, 1, TN_MAP_READ, &at), TN_EINVAL);
    IS(tn_buf_map(buf, 1, UINT32_MAX, TN_MAP_READ, &at), TN_EINVAL);
    IS(tn_buf_map(0, 0, 8, TN_MAP_READ, &at), TN_EBADCAP);
    IS(tn_buf_map(memory, 0, 8, TN_MAP_WRITE, &at), TN_ETYPE);
    IS(tn_cap_mint(buf, TN_R_READ, 0, &copy), TN_OK);
    IS(tn_buf_map(copy, 0, 8, BOTH, &at), TN_ERIGHTS);
    IS(tn_buf_map(buf, 0, SIZE, BOTH, &at), TN_OK);
    IS(tn_buf_unmap(buf, (uint8_t *)at + 1), TN_EINVAL);
    IS(tn_buf_unmap(buf, NULL), TN_EINVAL);
    IS(tn_buf_unmap(copy, at), TN_EINVAL);
    IS(tn_buf_unmap(memory, at), TN_ETYPE);
    IS(tn_buf_unmap(0, at), TN_EBADCAP);
    ((uint8_t *)at)[SIZE - 1] = 5;
    IS(tn_buf_unmap(buf, at), TN_OK);
    IS(tn_buf_unmap(buf, at), TN_EINVAL);
    for (uint32_t i = 0; i < TN_MAPS_MAX; i++)
        IS(tn_buf_map(buf, i, 8, TN_MAP_READ, &more[i]), TN_OK);
    IS(tn_buf_map(buf, 0, 8, TN_MAP_READ, &at), TN_ENOMEM);
    IS(tn_buf_unmap(buf, more[3]), TN_OK);
    IS(tn_buf_map(copy, SIZE - 1, 1, TN_MAP_READ, &at), TN_OK);
    IS(*(const uint8_t *)at, 5);
    IS(tn_buf_unmap(buf, more[0]), TN_OK);
    IS(tn_buf_map(buf, 0, 8, BOTH, &more[0]), TN_OK);
    IS(tn_cap_drop(buf), TN_OK);
    IS(tn_cap_drop(copy), TN_OK);
    IS(pause_until(now + 1000), TN_ETIME);
    IS(*(const uint8_t *)at, 5); /* still there, though nothing names it */
    *(uint8_t *)more[0] = 6;
    IS(tn_buf_unmap(buf, more[0]), TN_EBADCAP);
    IS(tn_buf_unmap(buf, more[1]), TN_EBADCAP);
    IS(tn_buf_unmap(copy, at), TN_EBADCAP);
#undef IS
    return 0;
}

/* What a map of `len` bytes of the buffer says, as a positive number. */
static tn_err wide(const struct tn_pack *in, struct tn_pack *out)
{
    uint32_t len;
    void *at;
    if (in->len != sizeof(len) || in->ncaps != 1)
        return TN_EARGS;
    __builtin_memcpy(&len, in->data, sizeof(len));
    return put(out, (uint32_t)-tn_buf_map(in->caps[0], 0, len, TN_MAP_WRITE, &at));
}

/* Moves a buffer to the caller, later. */
static tn_err give(tn_time when, struct tn_pack *out)
{
    tn_err err = new_buffer(64, &out->caps[0]);
    if (err != TN_OK || pause_until(when) != TN_ETIME)
        return TN_EINTERNAL;
    out->ncaps = 1;
    out->move = 1;
    return TN_OK;
}

/* The first byte of a buffer that it asks to write. */
static tn_err peek(const struct tn_pack *in, struct tn_pack *out)
{
    void *at;
    if (in->ncaps != 1)
        return TN_EARGS;
    tn_err err = tn_buf_map(in->caps[0], 0, 64, TN_MAP_WRITE, &at);
    return err == TN_OK ? put(out, *(const uint8_t *)at) : err;
}

/* Much copied by few instructions. */
static tn_err copy(struct tn_pack *out)
{
    enum { BYTES = 256 << 10, TIMES = 700 };
    tn_cap buf;
    void *at;
    tn_err err = new_buffer(BYTES, &buf);
    for (uint32_t i = 0; i < TIMES && err == TN_OK; i++) {
        err = tn_buf_map(buf, 0, BYTES, TN_MAP_READ | TN_MAP_WRITE, &at);
        if (err == TN_OK)
            err = tn_buf_unmap(buf, at);
    }
    return err == TN_OK ? put(out, TIMES) : err;
}

/* Long messages by few instructions: with `len` bytes and room for `size`, as often as it says. */
static tn_err talk(const struct tn_pack *in, struct tn_pack *out)
{
    uint32_t what[3];
    tn_cap next;
    if (in->len != sizeof(what) || tn_need("next", 4, &next) != TN_OK)
        return TN_EARGS;
    __builtin_memcpy(what, in->data, sizeof(what));
    tn_err err = TN_OK;
    for (uint32_t i = 0; i < what[2] && err == TN_OK; i++) {
        struct tn_pack args = {.len = what[0]}, reply = {.size = what[1]};
        args.data_bits = reply.data_bits = (uintptr_t)out->data;
        err = tn_call(next, M_COUNT, &args, &reply, TN_NEVER);
    }
    return err == TN_OK ? put(out, what[2]) : err;
}

/* A message of any method with any number of capabilities; what came of it. */
static tn_err forge(const struct tn_pack *in, struct tn_pack *out)
{
    uint32_t what[2];
    tn_cap next;
    struct tn_pack pack = {.len = 0};
    if (in->len != sizeof(what) || tn_need("next", 4, &next) != TN_OK)
        return TN_EARGS;
    __builtin_memcpy(what, in->data, sizeof(what));
    pack.ncaps = what[1];
    for (uint32_t i = 0; i < pack.ncaps; i++) {
        if (new_buffer(64, &pack.caps[i]) != TN_OK)
            return TN_ENOMEM;
    }
    return put(out, (uint32_t)-tn_send(next, what[0], &pack, 0));
}

/* What a hostile guest would try. */
static tn_err call_wild(const struct tn_turn *turn, const struct tn_pack *in, struct tn_pack *out)
{
    volatile uint64_t x = 0;
    tn_cap cap;
    switch (turn->method) {
    case M_GIVE:
        return give(turn->now + 1000000, out);
    case M_PEEK:
        return peek(in, out);
    case M_COPY:
        return copy(out);
    case M_YIELDS:
        while (tn_yield() == TN_OK)
            x++;
        return TN_ECANCELLED;
    case M_FORGE:
        return forge(in, out);
    case M_TALK:
        return talk(in, out);
    case M_MAPS:
        return tn_need("memory", 6, &cap) != TN_OK ? TN_ENOTWIRED
                                                   : put(out, wrong_map(cap, turn->now));
    case M_WIDE:
        return wide(in, out);
    case M_MISREPLY: {
        struct tn_pack wild = {.len = 64};
        wild.data_bits = 0xfffffff0u;
        if (tn_defer(&cap) != TN_OK || tn_reply(cap, TN_OK, &wild) != TN_EFAULT)
            return TN_EINTERNAL;
        return tn_reply(cap, TN_OK, NULL) == TN_EBADCAP ? TN_DEFERRED : TN_EINTERNAL;
    }
    case M_CHAIN:
        if (tn_need("next", 4, &cap) != TN_OK)
            __builtin_trap();
        return tn_call(cap, M_CHAIN, in, NULL, TN_NEVER);
    default:
        return TN_EMETHOD;
    }
}

static tn_err call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                   struct tn_pack *out)
{
    struct probe *p = self;
    volatile uint64_t x = 0;
    tn_cap cap;
    tn_err err;
    p->calls++;
    switch (turn->method) {
    case M_ECHO:
        if (in->len > out->size)
            return TN_ETOOBIG;
        __builtin_memcpy(out->data, in->data, in->len);
        out->len = in->len;
        return TN_OK;
    case M_FORWARD:
        return forward(in, out);
    case M_TRAP:
        __builtin_trap();
    case M_LOOP:
        for (;;)
            x++;
    case M_RECURSE:
        return put(out, recurse(&x));
    case M_COUNT:
        return put(out, p->calls * 1000000 + p->events * 1000 + p->timers * 100 + p->config);
    case M_SLEEP: {
        tn_time until = turn->now + 1000000;
        err = pause_until(until);
        return err == TN_ETIME && turn->now < until ? TN_EINTERNAL : err; /* its clock goes on */
    }
    case M_BUFFER:
        return buffer(out);
    case M_WORK:
        for (x = 0; x < 300000;)
            x++;
        return put(out, x);
    case M_DEFER:
        err = tn_defer(&p->held);
        return err == TN_OK ? TN_DEFERRED : err;
    case M_ANSWER:
        return tn_reply(p->held, TN_OK, in);
    case M_OUTSIDE: {
        struct tn_pack wild = {.len = 64};
        wild.data_bits = 0xfffffff0u;
        err = tn_need("next", 4, &cap);
        return err != TN_OK ? err : tn_call(cap, M_ECHO, &wild, NULL, TN_NEVER);
    }
    case M_FLOOD:
        return flood(out);
    case M_MANY:
        return many(in, out);
    case M_HOARD:
        hoard();
        return TN_EINTERNAL;
    default:
        return call_wild(turn, in, out);
    }
}

/* Falls while more messages wait; of what they bring, counts what can be used. */
static void event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    struct probe *p = self;
    void *at;
    if (turn->method == M_FALL && pause_until(turn->now + 1000000) == TN_ETIME)
        __builtin_trap();
    if (turn->method != M_PEEK || tn_buf_map(in->caps[0], 0, 64, TN_MAP_WRITE, &at) == TN_OK)
        p->events++;
}

static void timer(void *self, const struct tn_turn *turn)
{
    (void)turn;
    ((struct probe *)self)->timers++;
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct probe),
    .load = load,
    .call = call,
    .event = event,
    .timer = timer,
};
