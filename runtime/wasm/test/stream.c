/* stream.c: a component at either end of a channel, for tests of the domains. */
#include "sdk/chan.h"

enum {
    M_MAKE = TN_METHOD(901, 1),  /* a channel: the consumer's end is the reply */
    M_POUR = TN_METHOD(901, 2),  /* oneway: writes as many records as it is told, drops its end */
    M_DRINK = TN_METHOD(901, 3), /* reads all from the end that it is given: count and hash */
    M_TAKE = TN_METHOD(901, 4),  /* keeps the end that it is given */
    M_SIP = TN_METHOD(901, 5),   /* one record, if there is one, from that end: its length */
    M_SPOIL = TN_METHOD(901, 6), /* writes what cannot be into its ring: what it is told of it */
    M_SIZES = TN_METHOD(901, 7), /* what becomes of rings that are large, or many */
    M_FLOOD = TN_METHOD(901, 8), /* oneway: so many records of so many bytes, as they are */
    M_SINK = TN_METHOD(901, 9),  /* counts the records, and their bytes, of the end it is given */
    CAPACITY = 1024,
    RECORD_MAX = 500,
};

struct stream {
    tn_cap producer, consumer;
    struct chan_out out;
    struct chan_in in;
    uint8_t record[RECORD_MAX];
};

static tn_err put(struct tn_pack *out, uint64_t a, uint64_t b)
{
    uint64_t both[2] = {a, b};
    if (out->size < sizeof(both))
        return TN_ETOOBIG;
    memcpy(out->data, both, sizeof(both));
    out->len = sizeof(both);
    return TN_OK;
}

static tn_err make(struct stream *s, const struct tn_pack *in, struct tn_pack *out)
{
    tn_cap memory;
    uint64_t capacity = CAPACITY;
    if (in->len == sizeof(capacity))
        memcpy(&capacity, in->data, sizeof(capacity));
    tn_err err = tn_need("memory", 6, &memory);
    if (err == TN_OK)
        err = tn_chan_new(memory, capacity, &s->producer, &out->caps[0]);
    if (err != TN_OK)
        return err;
    out->ncaps = 1;
    out->move = 1;
    return chan_out_open(&s->out, s->producer);
}

static void pour(struct stream *s, const struct tn_pack *in)
{
    uint64_t n = 0;
    tn_err err = chan_out_map(&s->out);
    if (in->len == sizeof(n))
        memcpy(&n, in->data, sizeof(n));
    for (uint64_t i = 0; i < n && err == TN_OK; i++) {
        uint32_t len = (uint32_t)(i * 37 % RECORD_MAX);
        for (uint32_t k = 0; k < len; k++)
            s->record[k] = (uint8_t)(i * 31 + k);
        err = chan_send(&s->out, s->record, len, TN_NEVER);
    }
    if (err == TN_OK)
        err = chan_flush(&s->out);
    if (err == TN_OK)
        err = tn_cap_drop(s->producer);
    s->producer = 0;
}

static void flood(struct stream *s, const struct tn_pack *in)
{
    uint64_t what[2] = {0, 0};
    tn_err err = chan_out_map(&s->out);
    if (in->len == sizeof(what))
        memcpy(what, in->data, sizeof(what));
    for (uint64_t i = 0; i < what[0] && err == TN_OK;) {
        void *at;
        err = chan_reserve(&s->out, (uint32_t)what[1], &at);
        if (err == TN_OK) {
            err = chan_commit(&s->out, (uint32_t)what[1]);
            i++;
        } else if (err == TN_EAGAIN) {
            err = chan_wait_room(&s->out, TN_NEVER);
        }
    }
    if (err == TN_OK)
        err = chan_flush(&s->out);
    if (err == TN_OK)
        err = tn_cap_drop(s->producer);
    s->producer = 0;
}

static tn_err sink(struct stream *s, struct tn_pack *out)
{
    uint64_t n = 0, bytes = 0;
    const void *at;
    uint32_t len;
    tn_err err = TN_OK;
    while (err == TN_OK) {
        err = chan_peek(&s->in, &at, &len);
        if (err == TN_OK) {
            chan_next(&s->in);
            n++;
            bytes += len;
        } else if (err == TN_EAGAIN) {
            err = chan_wait_data(&s->in, TN_NEVER);
        }
    }
    if (err != TN_EGONE)
        return err;
    err = tn_cap_drop(s->consumer);
    return err == TN_OK ? put(out, n, bytes) : err;
}

static tn_err drink(struct stream *s, struct tn_pack *out)
{
    uint64_t n = 0, hash = UINT64_C(0xcbf29ce484222325);
    uint32_t len;
    tn_err err;
    while ((err = chan_receive(&s->in, s->record, RECORD_MAX, &len, TN_NEVER)) == TN_OK) {
        for (uint32_t k = 0; k < len; k++)
            hash = (hash ^ s->record[k]) * UINT64_C(0x100000001b3);
        hash = (hash ^ len) * UINT64_C(0x100000001b3);
        if (++n % 3 == 0 && (err = chan_release(&s->in)) != TN_OK)
            return err;
    }
    if (err != TN_EGONE)
        return err;
    err = tn_cap_drop(s->consumer);
    return err == TN_OK ? put(out, n, hash) : err;
}

static tn_err take(struct stream *s, const struct tn_pack *in)
{
    if (in->ncaps != 1)
        return TN_EARGS;
    s->consumer = in->caps[0];
    return chan_in_open(&s->in, s->consumer);
}

static tn_err sip(struct stream *s, struct tn_pack *out)
{
    uint32_t len;
    tn_err err = chan_in_map(&s->in);
    if (err == TN_OK)
        err = chan_read(&s->in, s->record, RECORD_MAX, &len);
    if (err == TN_OK)
        err = chan_release(&s->in);
    return err == TN_OK ? put(out, len, 0) : err;
}

static tn_err spoil(struct stream *s, struct tn_pack *out)
{
    void *at;
    uint64_t size, bits;
    tn_err err = tn_chan_map(s->producer, &at, &size);
    if (err != TN_OK)
        return err;
    at_store(&((struct ring *)at)->head, size * 2 + 8, RELAXED);
    err = tn_signal(s->producer, TN_BELL_RING);
    return put(out, (uint32_t)-err, (uint32_t)-tn_wait(s->producer, 0, &bits));
}

enum { MANY = 12 };

/* How many ends can be had at a time, dropped ends given up; and the error of the next. */
static tn_err sizes(struct tn_pack *out)
{
    tn_cap memory, end[MANY][2];
    void *at;
    uint64_t size, had = 0;
    tn_err err = tn_need("memory", 6, &memory), last = TN_OK;
    for (uint32_t i = 0; i < MANY && err == TN_OK; i++) {
        err = tn_chan_new(memory, 64, &end[i][0], &end[i][1]);
        if (err == TN_OK && last == TN_OK)
            last = tn_chan_map(end[i][0], &at, &size);
        had += err == TN_OK && last == TN_OK;
    }
    for (uint32_t i = 0; i < MANY && err == TN_OK; i++)
        err = tn_cap_drop(end[i][0]);
    for (uint32_t i = 0; i < MANY && err == TN_OK; i++) {
        err = tn_chan_map(end[i][1], &at, &size);
        if (err == TN_OK)
            err = tn_cap_drop(end[i][1]);
    }
    return err == TN_OK ? put(out, had, (uint32_t)-last) : err;
}

static tn_err call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                   struct tn_pack *out)
{
    struct stream *s = self;
    tn_err err;
    switch (turn->method) {
    case M_MAKE:
        return make(s, in, out);
    case M_DRINK:
        err = take(s, in);
        return err == TN_OK ? drink(s, out) : err;
    case M_SINK:
        err = take(s, in);
        return err == TN_OK ? sink(s, out) : err;
    case M_TAKE:
        return take(s, in);
    case M_SIP:
        return sip(s, out);
    case M_SPOIL:
        return spoil(s, out);
    case M_SIZES:
        return sizes(out);
    default:
        return TN_EMETHOD;
    }
}

static void event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    if (turn->method == M_POUR)
        pour(self, in);
    else if (turn->method == M_FLOOD)
        flood(self, in);
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct stream),
    .call = call,
    .event = event,
};
