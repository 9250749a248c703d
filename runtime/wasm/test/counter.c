/* counter.c: a component that counts what it is sent and hands its count on when it is swapped, in
 * two versions of its state, for tests of swaps within and between the domains. */
#include "sdk/chan.h"

#ifndef COUNTER_VERSION
#define COUNTER_VERSION 1
#endif

enum {
    M_COUNT = TN_METHOD(902, 1),  /* oneway: the next number of this sender */
    M_ASK = TN_METHOD(902, 2),    /* struct answer */
    M_MODE = TN_METHOD(902, 3),   /* what goes wrong at the next swap */
    M_HOLD = TN_METHOD(902, 4),   /* answered by M_ANSWER */
    M_ANSWER = TN_METHOD(902, 5), /* also in another instance */
    M_TAKE = TN_METHOD(902, 6),   /* keeps a producer's end */
    M_NOTE = TN_METHOD(902, 7),   /* writes a record there, and tells nobody */
    M_SLEEP = TN_METHOD(902, 8),  /* waits until its deadline */
    SENDERS = 4,
    VERSION = COUNTER_VERSION,
    E_SAVE = 77,
    LONG = 400000, /* steps: some slices of fuel */
};

enum mode { WELL, SAVE_FAILS, SAVE_LONG, SAVE_TRAPS, RESTORE_TRAPS, RESTORE_LOOPS, RESTORE_LONG };

struct counter {
    uint64_t loads, starts, config;
    uint64_t next[SENDERS], bad, takeovers, mode, note;
    tn_cap held, end;
    struct chan_out out;
};

/* What is handed on, in every domain and version: 8 bytes a field. The second knows of `notes`. */
struct saved {
    uint64_t next[SENDERS], bad, takeovers, mode, held, end;
    uint64_t notes;
};

struct answer {
    uint64_t total, bad, takeovers, loads, starts, version, pointer_bytes, config, holds;
};

static tn_err load(void *self, const struct tn_turn *turn, const struct tn_pack *config)
{
    struct counter *c = self;
    (void)turn;
    c->loads++;
    c->config = config->len;
    return TN_OK;
}

static tn_err start(void *self, const struct tn_turn *turn)
{
    (void)turn;
    ((struct counter *)self)->starts++;
    return TN_OK;
}

static uint64_t work(uint64_t steps)
{
    volatile uint64_t done = 0;
    while (done < steps)
        done++;
    return done;
}

static void event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    struct counter *c = self;
    uint64_t number = UINT64_MAX;
    if (in->len == sizeof(number))
        memcpy(&number, in->data, sizeof(number));
    uint64_t *next = &c->next[turn->badge % SENDERS];
    c->bad += number != *next;
    *next = *next + 1;
    if (number % 8 == 3 && tn_yield() != TN_OK)
        c->bad += 1000;
}

static tn_err answer(const struct counter *c, struct tn_pack *out)
{
    struct answer a = {.bad = c->bad,
                       .takeovers = c->takeovers,
                       .loads = c->loads,
                       .starts = c->starts,
                       .version = VERSION,
                       .pointer_bytes = sizeof(void *),
                       .config = c->config,
                       .holds = c->held != 0};
    for (uint32_t i = 0; i < SENDERS; i++)
        a.total += c->next[i];
    if (out->size < sizeof(a))
        return TN_ETOOBIG;
    memcpy(out->data, &a, sizeof(a));
    out->len = sizeof(a);
    return TN_OK;
}

static tn_err note(struct counter *c)
{
    tn_err err = chan_out_map(&c->out);
    c->note++;
    if (err == TN_OK)
        err = ring_write(&c->out.ring, &c->note, sizeof(c->note));
    if (err == TN_OK)
        ring_publish(&c->out.ring);
    return err;
}

static tn_err call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                   struct tn_pack *out)
{
    struct counter *c = self;
    uint64_t bits;
    tn_cap never;
    switch (turn->method) {
    case M_ASK:
        return answer(c, out);
    case M_MODE:
        memcpy(&c->mode, in->data, sizeof(c->mode));
        return TN_OK;
    case M_HOLD:
        return tn_defer(&c->held) == TN_OK ? TN_DEFERRED : TN_EINTERNAL;
    case M_ANSWER:
        return tn_reply(c->held, 5, NULL);
    case M_TAKE:
        c->end = in->caps[0];
        return chan_out_open(&c->out, c->end);
    case M_NOTE:
        return note(c);
    case M_SLEEP: {
        tn_err err = tn_need("never", 5, &never);
        return err != TN_OK ? err : tn_wait(never, TN_NEVER, &bits);
    }
    default:
        return TN_EMETHOD;
    }
}

static tn_err save(void *self, struct tn_pack *out)
{
    struct counter *c = self;
    struct saved saved = {.bad = c->bad,
                          .takeovers = c->takeovers,
                          .mode = c->mode,
                          .held = c->held,
                          .end = c->end,
                          .notes = c->note};
    memcpy(saved.next, c->next, sizeof(saved.next));
    if (tn_yield() != TN_EAGAIN) /* what may wait does nothing here */
        saved.bad += 10000;
    if (c->mode == SAVE_FAILS)
        return E_SAVE;
    if (c->mode == SAVE_LONG)
        (void)work(LONG);
    if (c->mode == SAVE_TRAPS)
        __builtin_trap();
    out->len = VERSION == 1 ? offsetof(struct saved, notes) : sizeof(saved);
    if (out->size < out->len)
        return TN_ETOOBIG;
    memcpy(out->data, &saved, out->len);
    return TN_OK;
}

static tn_err restore(void *self, uint32_t from_version, const struct tn_pack *in)
{
    struct counter *c = self;
    struct saved saved = {.bad = 0};
    if (from_version > VERSION)
        return TN_EVERSION;
    if (in->len > sizeof(saved))
        return TN_EARGS;
    memcpy(&saved, in->data, in->len);
    memcpy(c->next, saved.next, sizeof(c->next));
    c->bad = saved.bad;
    c->takeovers = saved.takeovers + 1;
    c->mode = WELL;
    c->held = saved.held;
    c->end = saved.end;
    c->note = saved.notes;
    if (saved.mode == RESTORE_TRAPS)
        __builtin_trap();
    if (saved.mode == RESTORE_LOOPS)
        (void)work(UINT64_MAX);
    if (saved.mode == RESTORE_LONG)
        (void)work(LONG);
    return c->end != 0 ? chan_out_open(&c->out, c->end) : TN_OK;
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct counter),
    .state_version = VERSION,
    .load = load,
    .start = start,
    .call = call,
    .event = event,
    .save = save,
    .restore = restore,
};
