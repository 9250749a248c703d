/* attempts_calls.c: calls that cannot be answered, answers that cannot be given, and turns that do
 * not end. */
#include "tests/hostile/abuser/abuser_int.h"

#include "base/bits.h"
#include "interfaces/demo_rogue.h"
#include "interfaces/demo_victim.h"
#include "sdk/mem.h"

enum { STORMS = 20000, FLOOD = 100000, PATIENCE_NS = 300000000 };

void try_deadlines(struct abuser *a, struct finding *f)
{
    uint64_t bits;
    IS(count(a, 0), TN_ETIME);
    IS(count(a, 1), TN_ETIME);
    IS(count(a, TN_NEVER), TN_OK);
    IS(count(a, TN_NEVER - 1), TN_OK);
    IS(tn_wait(a->timer, 0, &bits), TN_ETYPE);
    HOLDS(tn_cancelled() == 0);
    IS(tn_yield(), TN_OK);
}

/* Calls the accomplice, then asks what it was answered meanwhile. */
static void ask(struct abuser *a, struct finding *f, uint32_t method, tn_err wanted,
                const tn_err *told, uint32_t ntold)
{
    tn_time deadline = a->now + PATIENCE_NS;
    tn_err answers[ARRAY_LEN(a->told)] = {0};
    struct tn_pack out = {.size = sizeof(answers)};
    IS(tn_call(a->peer, method, NULL, NULL, deadline), wanted);
    out.data = answers;
    IS(tn_call(a->peer, DO_TELL, NULL, &out, TN_NEVER), TN_OK);
    for (uint32_t i = 0; i < ntold; i++)
        expect(f, answers[i] == told[i], answers[i], method * 100 + i);
}

static void try_answers(struct abuser *a, struct finding *f)
{
    const tn_err drop[] = {TN_EFAULT, TN_OK, TN_OK};
    ask(a, f, DO_DEFER_DROP, TN_EGONE, drop, ARRAY_LEN(drop));
    const tn_err twice[] = {TN_EFAULT, TN_OK, TN_EINVAL, TN_EFAULT, TN_EBADCAP, TN_EBADCAP};
    ask(a, f, DO_DEFER_TWICE, TN_EFAULT, twice, ARRAY_LEN(twice));
    const tn_err copy[] = {TN_EFAULT, TN_OK, TN_ERIGHTS, TN_ETYPE, TN_ERIGHTS, TN_OK, TN_EBADCAP};
    ask(a, f, DO_DEFER_COPY, 77, copy, ARRAY_LEN(copy));
    const tn_err send[] = {TN_EFAULT, TN_OK, TN_EMETHOD, TN_EMETHOD, TN_OK};
    ask(a, f, DO_DEFER_SEND, TN_EGONE, send, ARRAY_LEN(send));
    const tn_err surplus[] = {TN_EFAULT, TN_OK, TN_OK, TN_ETOOBIG, TN_OK};
    ask(a, f, DO_DEFER_SURPLUS, TN_ETOOBIG, surplus, ARRAY_LEN(surplus));
    const tn_err keep[] = {TN_EFAULT, TN_OK};
    ask(a, f, DO_DEFER_KEEP, TN_ETIME, keep, ARRAY_LEN(keep));
    const tn_err late[] = {TN_EGONE, TN_EBADCAP};
    ask(a, f, DO_LATE, TN_ETIME, late, 0); /* the time that was asked for is over by now */
}

void try_replies(struct abuser *a, struct finding *f)
{
    struct tn_pack out = {.size = 8};
    tn_cap reply = 0;
    out.data = a->bytes;
    IS(tn_call(a->peer, DO_OUT_WILD, NULL, &out, TN_NEVER), TN_EFAULT);
    IS(tn_call(a->peer, DO_OUT_HIGH, NULL, &out, TN_NEVER), TN_EFAULT);
    IS(tn_call(a->peer, DO_OUT_LONG, NULL, &out, TN_NEVER), TN_EINTERNAL);
    IS(tn_call(a->peer, DO_OUT_CAPS, NULL, &out, TN_NEVER), TN_EINTERNAL);
    FAILS(tn_call(a->peer, DO_OUT_FORGED, NULL, &out, TN_NEVER));
    IS(count(a, TN_NEVER), TN_OK);
    try_answers(a, f);
    IS(tn_reply(a->victim, TN_OK, NULL), TN_ETYPE);
    IS(tn_reply(reply, TN_OK, NULL), TN_EBADCAP);
    HOLDS(out.ncaps == 0);
}

void try_results(struct abuser *a, struct finding *f)
{
    const int32_t results[] = {1,         12345,         INT32_MAX - 1,      INT32_MAX,
                               INT32_MIN, INT32_MIN + 1, TN_ERRORS_LAST - 1, -1000};
    const tn_err wanted[] = {
        1,           12345, INT32_MAX - 1, TN_EINTERNAL, TN_EINTERNAL, TN_EINTERNAL, TN_EINTERNAL,
        TN_EINTERNAL};
    for (size_t i = 0; i < ARRAY_LEN(results); i++) {
        struct tn_pack in = {.len = sizeof(results[i])};
        memcpy(a->bytes, &results[i], sizeof(results[i]));
        in.data = a->bytes;
        IS(tn_call(a->peer, DO_RETURN, &in, NULL, TN_NEVER), wanted[i]);
    }
}

void try_circle(struct abuser *a, struct finding *f)
{
    IS(tn_call(a->peer, DO_CALL_BACK, NULL, NULL, TN_NEVER), TN_EDEADLK);
    IS(tn_call(a->peer, DO_TRAP, NULL, NULL, TN_NEVER), TN_ETRAP);
    IS(tn_call(a->peer, DO_ECHO, NULL, NULL, TN_NEVER), TN_OK); /* it is back */
    IS(tn_call(a->peer, DO_DEFER_TRAP, NULL, NULL, TN_NEVER), TN_EGONE);
    IS(tn_call(a->peer, DO_ECHO, NULL, NULL, TN_NEVER), TN_OK);
}

void try_sends(struct abuser *a, struct finding *f)
{
    struct tn_pack in = {.len = 8};
    uint32_t sent = 0;
    tn_err err = TN_OK;
    in.data = a->bytes;
    while (sent < FLOOD && (err = tn_send(a->victim, DEMO_VICTIM_POKE, &in, 0)) == TN_OK)
        sent++;
    IS(err, TN_EFULL);
    IS(tn_send(a->victim, DEMO_VICTIM_POKE, &in, UINT32_MAX & ~(uint32_t)TN_SEND_WAIT), TN_EFULL);
    for (uint32_t i = 0; i < 300; i++) /* waits for room each time there is none */
        IS(tn_send(a->victim, DEMO_VICTIM_POKE, &in, UINT32_MAX), TN_OK);
}

void try_timers(struct abuser *a, struct finding *f)
{
    IS(tn_timer_set(a->timer, TN_NEVER, 0), TN_OK);
    IS(tn_timer_set(a->timer, TN_NEVER - 1, UINT64_MAX), TN_OK);
    for (uint32_t i = 0; i < 64; i++)
        IS(tn_timer_set(a->timer, UINT64_C(1) << i, i), TN_OK);
    for (uint32_t i = 0; i < 1000; i++)
        IS(tn_timer_set(a->timer, i % 2 == 0 ? 0 : TN_NEVER, i), TN_OK);
    a->storms = STORMS;
    IS(tn_timer_set(a->timer, 0, 0), TN_OK);
}

void try_trap(struct abuser *a, struct finding *f)
{
    (void)a;
    (void)f;
    __builtin_trap();
}

void try_trap_mapped(struct abuser *a, struct finding *f)
{
    tn_cap buffer = 0, reply = 0;
    void *at;
    IS(tn_buf_new(a->memory, 65536, &buffer), TN_OK);
    IS(tn_buf_map(buffer, 0, 65536, TN_MAP_READ | TN_MAP_WRITE, &at), TN_OK);
    IS(tn_timer_set(a->timer, 0, 0), TN_OK);
    IS(tn_defer(&reply), TN_OK);
    IS(tn_cap_drop(reply), TN_OK); /* who called hears of it at once */
    a->storms = *(volatile uint32_t *)wild(memory_end());
}

void try_loop(struct abuser *a, struct finding *f)
{
    (void)f;
    volatile uint32_t *storms = &a->storms;
    for (;;)
        *storms = 0;
}
