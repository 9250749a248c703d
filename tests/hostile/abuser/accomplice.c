/* accomplice.c: what an abuser does when the other one calls it. */
#include "tests/hostile/abuser/abuser_int.h"

#include "base/bits.h"
#include "sdk/mem.h"

static void tell(struct abuser *a, tn_err err)
{
    if (a->ntold < ARRAY_LEN(a->told))
        a->told[a->ntold++] = err;
}

static tn_err reply_told(struct abuser *a, struct tn_pack *out)
{
    memcpy(out->data, a->told, sizeof(a->told));
    out->len = sizeof(a->told);
    return TN_OK;
}

static tn_err echo(const struct tn_pack *in, struct tn_pack *out)
{
    uint32_t len = in->len < out->size ? in->len : out->size;
    if (len > 0)
        memcpy(out->data, in->data, len);
    out->len = len;
    return TN_OK;
}

/* Replies with capabilities as they may, and may not, be given. */
static tn_err give(struct abuser *a, uint32_t method, struct tn_pack *out)
{
    tn_cap buffer = 0;
    tn_err err = tn_buf_new(a->memory, 4096, &buffer);
    if (err != TN_OK)
        return err;
    out->ncaps = method == DO_GIVE || method == DO_GIVE_MOVED ? 1 : 2;
    out->caps[0] = out->caps[1] = buffer;
    if (method == DO_GIVE)
        a->kept = buffer;
    else if (method == DO_GIVE_BOTH)
        out->move = 2;
    else
        out->move = UINT32_MAX;
    if (method == DO_GIVE_OWN) {
        out->move = 0; /* moved, they would be gone */
        out->caps[0] = a->memory;
        out->caps[1] = a->timer;
        return tn_cap_drop(buffer);
    }
    return TN_OK;
}

static tn_err bad_out(const struct abuser *a, const struct tn_turn *turn, struct tn_pack *out)
{
    switch (turn->method) {
    case DO_OUT_WILD:
        out->data = wild(memory_end() - 4);
        out->len = 8;
        break;
    case DO_OUT_HIGH:
        out->data_bits = UINT64_C(0xffff800000000000);
        out->len = 8;
        break;
    case DO_OUT_LONG:
        out->len = UINT32_MAX;
        break;
    case DO_OUT_CAPS:
        out->ncaps = UINT32_MAX;
        break;
    default:
        out->ncaps = 2;
        out->move = UINT32_MAX;
        out->caps[0] = UINT64_C(0x1000001);
        out->caps[1] = a->victim;
        break;
    }
    return TN_OK;
}

static tn_err defers(struct abuser *a, const struct tn_turn *turn)
{
    struct tn_pack small = {.data = a->bytes, .len = 8};
    tn_cap reply = 0, other = 0;
    a->ntold = 0;
    tell(a, tn_defer(wild(memory_end() - 4)));
    tell(a, tn_defer(&reply));
    switch (turn->method) {
    case DO_DEFER_DROP:
        tell(a, tn_cap_drop(reply));
        break;
    case DO_DEFER_TWICE:
        tell(a, tn_defer(&other));
        tell(a, tn_reply(reply, TN_OK, wild(memory_end())));
        tell(a, tn_reply(reply, TN_OK, &small));
        tell(a, tn_reply(reply, TN_OK, &small));
        break;
    case DO_DEFER_COPY:
        tell(a, tn_cap_mint(reply, TN_R_ALL, 0, &other));
        tell(a, tn_call(reply, DO_ECHO, NULL, NULL, TN_NEVER));
        tell(a, tn_cap_revoke(reply));
        tell(a, tn_reply(reply, 77, NULL));
        tell(a, tn_reply(reply, 78, NULL));
        break;
    case DO_DEFER_SEND: {
        struct tn_pack with = {.ncaps = 1, .caps = {reply}};
        tell(a, tn_send(a->peer, DO_ECHO, &with, 0));
        with.move = 1;
        tell(a, tn_send(a->peer, DO_ECHO, &with, 0));
        tell(a, tn_cap_drop(reply));
        break;
    }
    case DO_DEFER_SURPLUS: {
        struct tn_pack with = {.ncaps = 1, .move = 1};
        tell(a, tn_cap_mint(a->peer, TN_R_ALL, 0, &with.caps[0]));
        tell(a, tn_reply(reply, TN_OK, &with));
        tell(a, tn_cap_drop(with.caps[0])); /* it is still here */
        break;
    }
    case DO_DEFER_TRAP:
        __builtin_trap();
    default:
        a->kept = reply;
        break;
    }
    return TN_DEFERRED;
}

/* Late, and with too many bytes for who asked. */
static tn_err late(struct abuser *a)
{
    struct tn_pack all = {.data = a->bytes, .len = sizeof(a->bytes)};
    a->ntold = 0;
    tell(a, tn_reply(a->kept, TN_OK, &all));
    tell(a, tn_reply(a->kept, TN_OK, &all));
    a->kept = 0;
    return TN_OK;
}

tn_err accomplice(struct abuser *a, const struct tn_turn *turn, const struct tn_pack *in,
                  struct tn_pack *out)
{
    tn_err err = TN_OK;
    switch (turn->method) {
    case DO_ECHO:
        return echo(in, out);
    case DO_RETURN:
        memcpy(&err, in->data, sizeof(err));
        return err;
    case DO_TELL:
        return reply_told(a, out);
    case DO_DEFER_DROP:
    case DO_DEFER_TWICE:
    case DO_DEFER_KEEP:
    case DO_DEFER_TRAP:
    case DO_DEFER_COPY:
    case DO_DEFER_SEND:
    case DO_DEFER_SURPLUS:
        return defers(a, turn);
    case DO_LATE:
        return late(a);
    case DO_CALL_BACK:
        return tn_call(a->peer, DO_ECHO, NULL, NULL, TN_NEVER);
    case DO_OUT_WILD:
    case DO_OUT_HIGH:
    case DO_OUT_LONG:
    case DO_OUT_CAPS:
    case DO_OUT_FORGED:
        return bad_out(a, turn, out);
    case DO_TRAP:
        __builtin_trap();
    case DO_GIVE:
    case DO_GIVE_MOVED:
    case DO_GIVE_TWICE:
    case DO_GIVE_BOTH:
    case DO_GIVE_OWN:
        return give(a, turn->method, out);
    case DO_GIVE_SURPLUS:
        out->ncaps = 2;
        out->caps[0] = out->caps[1] = a->victim;
        return TN_OK;
    case DO_TAKE_BACK:
        err = tn_cap_revoke(a->kept);
        return err != TN_OK ? err : tn_cap_drop(a->kept);
    default:
        return TN_EMETHOD;
    }
}
