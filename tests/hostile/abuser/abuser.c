/* abuser.c: a component that calls every function of the component interface as it must not be
 * called. Each attempt knows what the answer has to be, and counts the others; where there is none
 * (a trap, no fuel), abuse_test.py knows. Two of them are wired to each other: one abuses, the
 * other is its accomplice (accomplice.c). */
#include "tests/hostile/abuser/abuser_int.h"

#include "base/bits.h"
#include "base/fmt.h"
#include "interfaces/demo_rogue.h"
#include "interfaces/demo_victim.h"
#include "sdk/mem.h"

static const struct attempt attempts[] = {
    {"pointers", try_pointers},
    {"packs", try_packs},
    {"overlaps", try_overlaps},
    {"maps", try_maps},
    {"slices", try_slices},
    {"handles", try_handles},
    {"types", try_types},
    {"rights", try_rights},
    {"moves", try_moves},
    {"revokes", try_revokes},
    {"slots", try_slots},
    {"needs", try_needs},
    {"deadlines", try_deadlines},
    {"replies", try_replies},
    {"results", try_results},
    {"circle", try_circle},
    {"sends", try_sends},
    {"timers", try_timers},
    {"trap", try_trap},
    {"trap mapped", try_trap_mapped},
    {"loop", try_loop},
    {"memory", try_memory},
    {"pointers again", try_pointers},
    {"grow", try_grow},
};

void expect(struct finding *f, bool right, int32_t got, uint32_t line)
{
    f->checks++;
    if (right)
        return;
    f->wrong++;
    f->used = fmt_add(f->text, sizeof(f->text), f->used, " line %u got %d", line, (int)got);
}

tn_err count(struct abuser *a, tn_time deadline)
{
    struct demo_victim_count_reply reply;
    return demo_victim_count(a->victim, &reply, deadline);
}

static tn_err reply_names(struct tn_pack *out)
{
    uint64_t room[128];
    uint32_t used = 0;
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
        struct tn_text text = {attempts[i].name, (uint32_t)str_length(attempts[i].name)};
        tn_err err = tn_texts_add(room, sizeof(room), &used, text);
        if (err != TN_OK)
            return err;
    }
    struct demo_rogue_attempts_reply reply = {{room, used}};
    return demo_rogue_attempts_reply_encode(&reply, out);
}

static tn_err reply_attempt(struct abuser *a, const struct tn_pack *in, struct tn_pack *out)
{
    struct demo_rogue_attempt_args args;
    struct finding f = {.checks = 0};
    tn_err err = demo_rogue_attempt_args_decode(in, &args);
    if (err != TN_OK)
        return err;
    if (args.number >= ARRAY_LEN(attempts))
        return DEMO_ROGUE_E_NO_ATTEMPT;
    attempts[args.number].make(a, &f);
    char text[ABUSER_TEXT_MAX + 20];
    size_t len = fmt_print(text, sizeof(text), "%llu checks%s", (unsigned long long)f.checks,
                           f.used > 0 ? f.text : "");
    struct demo_rogue_attempt_reply reply = {
        .gained = f.wrong,
        .text = {text, (uint32_t)(len < sizeof(text) ? len : sizeof(text) - 1)},
    };
    return demo_rogue_attempt_reply_encode(&reply, out);
}

static tn_err abuser_start(void *self, const struct tn_turn *turn)
{
    (void)turn;
    struct abuser *a = self;
    struct {
        const char *name;
        tn_cap *cap;
    } needs[] = {
        {"victim", &a->victim}, {"peer", &a->peer}, {"memory", &a->memory}, {"timer", &a->timer}};
    for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
        tn_err err = tn_need(needs[i].name, (uint32_t)str_length(needs[i].name), needs[i].cap);
        if (err != TN_OK)
            return err;
    }
    return TN_OK;
}

static tn_err abuser_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                          struct tn_pack *out)
{
    struct abuser *a = self;
    a->now = turn->now;
    switch (turn->method) {
    case DEMO_ROGUE_ATTEMPTS:
        return reply_names(out);
    case DEMO_ROGUE_ATTEMPT:
        return reply_attempt(a, in, out);
    default:
        return accomplice(a, turn, in, out);
    }
}

static void abuser_event(void *self, const struct tn_turn *turn, const struct tn_pack *in)
{
    struct tn_pack none = {.len = 0};
    tn_err err = accomplice(self, turn, in, &none);
    (void)err; /* nobody hears it */
}

/* A storm: armed again at a time that has passed, until it was told often enough. */
static void abuser_timer(void *self, const struct tn_turn *turn)
{
    struct abuser *a = self;
    if (a->storms == 0 || turn->cls != MSG_TIMER_EXPIRED)
        return;
    a->storms--;
    tn_err err = tn_timer_set(a->timer, a->storms % 2, turn->cookie + 1);
    (void)err; /* then the storm is over */
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct abuser),
    .state_version = 1,
    .start = abuser_start,
    .call = abuser_call,
    .event = abuser_event,
    .timer = abuser_timer,
};
