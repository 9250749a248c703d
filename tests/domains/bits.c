/* bits.c: a component whose job is to hash many results of the sdk. The hash must be the same
 * wherever it runs. */
#include <tenon/component.h>

#include "base/fmt.h"
#include "interfaces/tenon_job.h"
#include "sdk/arena.h"
#include "sdk/fmt.h"
#include "sdk/math.h"
#include "sdk/mem.h"

enum { ROUNDS = 20000, TEXT_MAX = 512 };

struct bits {
    uint64_t hash;
    uint8_t block[2 * TEXT_MAX];
};

/* FNV-1a. */
static void mix(struct bits *b, const void *at, uint32_t len)
{
    const uint8_t *bytes = at;
    for (uint32_t i = 0; i < len; i++)
        b->hash = (b->hash ^ bytes[i]) * UINT64_C(0x100000001b3);
}

static void mix_functions(struct bits *b, double x, double y)
{
    const double results[] = {
        sdk_exp(x),  sdk_expm1(x), sdk_log(x),    sdk_log1p(x), sdk_pow(x, y),
        sdk_sin(x),  sdk_cos(x),   sdk_tanh(x),   sdk_sqrt(x),  sdk_floor(x),
        sdk_ceil(x), sdk_round(x), sdk_pow(y, x), sdk_sin(y),   sdk_exp(y),
    };
    mix(b, results, sizeof(results));
}

static tn_err mix_texts(struct bits *b, double x, uint32_t decimals)
{
    struct sdk_arena arena;
    sdk_arena_init(&arena, b->block, sizeof(b->block));
    char *text = sdk_arena_get(&arena, TEXT_MAX, 1);
    if (text == NULL)
        return TN_ENOMEM;
    double back = 0;
    uint32_t len = sdk_f64_text(x, text);
    mix(b, text, len);
    tn_err err = sdk_parse_f64(text, len, &back);
    mix(b, &back, sizeof(back));
    mix(b, text, sdk_f64_fixed(x, decimals, text, TEXT_MAX));
    return err;
}

static tn_err bits_call(void *self, const struct tn_turn *turn, const struct tn_pack *in,
                        struct tn_pack *out)
{
    struct bits *b = self;
    struct sdk_rng rng;
    char text[64];
    (void)in;
    if (turn->method != TENON_JOB_RUN)
        return TN_EMETHOD;
    b->hash = UINT64_C(0xcbf29ce484222325);
    sdk_rng_seed(&rng, 2024);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        double x = sdk_rng_normal(&rng) * (i % 3 == 0 ? 1 : i % 3 == 1 ? 100 : 1e9);
        uint64_t raw = sdk_rng_u64(&rng);
        double y;
        memcpy(&y, &raw, sizeof(y)); /* any exponent; now and then no number */
        mix_functions(b, i % 2 ? x : sdk_fabs(x), i % 4 == 0 ? y : sdk_rng_f64(&rng) * 40 - 20);
        tn_err err = mix_texts(b, i % 8 == 0 ? y : x, i % 30);
        if (err != TN_OK)
            return err;
    }
    size_t len = fmt_print(text, sizeof(text), "%016llx", (unsigned long long)b->hash);
    struct tenon_job_run_reply reply = {.exit_code = 0, .summary = {text, (uint32_t)len}};
    return tenon_job_run_reply_encode(&reply, out);
}

const struct tn_component tn_component = {
    .abi = TN_ABI,
    .size = sizeof(struct tn_component),
    .state_size = sizeof(struct bits),
    .call = bits_call,
};
