/* reach.c: attempts at what others have: names it was not given, handles it guesses, memory that
 * is not its own. */
#include "base/bits.h"
#include "base/fmt.h"
#include "components/rogue/rogue_int.h"
#include "interfaces/demo_rogue.h"
#include "interfaces/demo_rows.h"
#include "interfaces/demo_victim.h"
#include "interfaces/tenon_file.h"
#include "sdk/math.h"
#include "sdk/mem.h"

enum {
    FORGE_INDICES = 2048,  /* a capability space is rarely larger */
    FORGE_GENERATIONS = 8, /* young ones are what a careful guesser tries */
    FORGE_RANDOM = 16384,  /* and then anything */
    FILE_GUESSES = 256,
    INDEX_BITS = 24,
};

static tn_cap handle_of(uint64_t generation, uint64_t index)
{
    return generation << INDEX_BITS | index;
}

static bool owns(const struct rogue *r, tn_cap cap)
{
    return cap == 0 || cap == r->victim || cap == r->peer || cap == r->memory || cap == r->timer;
}

/* Asks for needs of that name: how many are answered. *ret_err: the last answer that was none. */
static uint32_t ask(const char *const *names, size_t n, tn_err *ret_err)
{
    uint32_t given = 0;
    for (size_t i = 0; i < n; i++) {
        tn_cap cap;
        tn_err err = tn_need(names[i], (uint32_t)str_length(names[i]), &cap);
        if (err == TN_OK)
            given++;
        else
            *ret_err = err;
    }
    return given;
}

tn_err rogue_read_file(struct rogue *r, struct outcome *o)
{
    static const char names[][8] = {"file", "files", "out", "passwd", "root"};
    const char *asked[ARRAY_LEN(names)];
    uint32_t tried = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        asked[i] = names[i];
    o->gained = ask(asked, ARRAY_LEN(names), &o->stopped_by);
    for (uint64_t i = 0; i < FILE_GUESSES; i++) {
        uint64_t room[64];
        struct tenon_file_read_reply reply;
        tn_cap guess = handle_of(i % 4, i / 4);
        if (owns(r, guess))
            continue;
        tn_err err = tenon_file_read(guess, 0, 256, &reply, room, sizeof(room), TN_NEVER);
        tried++;
        if (err == TN_OK)
            o->gained++;
        else
            o->stopped_by = err;
    }
    (void)fmt_print(o->text, sizeof(o->text),
                    "asked for %u needs of that kind, then read from %u guessed handles",
                    (unsigned)ARRAY_LEN(names), tried);
    return TN_OK;
}

tn_err rogue_call_unwired(struct rogue *r, struct outcome *o)
{
    static const char names[][12] = {"rows",   "reader",   "report", "detector",
                                     "kernel", "registry", "root",   "log"};
    const char *asked[ARRAY_LEN(names)];
    struct demo_rows_about_reply reply;
    uint64_t room[128];
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        asked[i] = names[i];
    o->gained = ask(asked, ARRAY_LEN(names), &o->stopped_by);
    if (r->victim != 0) { /* what it may call, by methods that are somebody else's */
        tn_err err = demo_rows_about(r->victim, &reply, room, sizeof(room), TN_NEVER);
        o->gained += err == TN_OK;
    }
    (void)fmt_print(o->text, sizeof(o->text),
                    "asked for %u components by name, and one it has for another's methods",
                    (unsigned)ARRAY_LEN(names));
    return TN_OK;
}

/* Does this handle name anything? Each way of using one answers TN_EBADCAP when it does not. */
static bool names_something(tn_cap guess, uint64_t way)
{
    tn_cap made;
    void *at;
    switch (way % 5) {
    case 0:
        return tn_cap_mint(guess, TN_R_ALL, 0, &made) != TN_EBADCAP;
    case 1:
        return tn_signal(guess, 1) != TN_EBADCAP;
    case 2:
        return tn_buf_map(guess, 0, 8, TN_MAP_READ, &at) != TN_EBADCAP;
    case 3:
        return tn_send(guess, DEMO_VICTIM_POKE, &(struct tn_pack){0}, 0) != TN_EBADCAP;
    default:
        return tn_call(guess, TENON_FILE_SIZE, NULL, NULL, TN_NEVER) != TN_EBADCAP;
    }
}

tn_err rogue_forge(struct rogue *r, struct outcome *o)
{
    struct sdk_rng rng;
    uint64_t tried = 0;
    for (uint64_t g = 0; g < FORGE_GENERATIONS; g++) {
        for (uint64_t i = 0; i < FORGE_INDICES; i++) {
            tn_cap guess = handle_of(g, i);
            if (owns(r, guess))
                continue;
            o->gained += names_something(guess, g + i);
            tried++;
        }
    }
    sdk_rng_seed(&rng, 1);
    for (uint64_t i = 0; i < FORGE_RANDOM; i++) {
        tn_cap guess = sdk_rng_u64(&rng);
        if (i % 2 == 0) /* as a handle of the kernel would look: a low index */
            guess = handle_of(guess >> INDEX_BITS, guess & 63);
        if (owns(r, guess))
            continue;
        o->gained += names_something(guess, i);
        tried++;
    }
    o->stopped_by = o->gained == 0 ? TN_EBADCAP : TN_OK;
    (void)fmt_print(o->text, sizeof(o->text), "guessed %llu handles; %llu named something",
                    (unsigned long long)tried, (unsigned long long)o->gained);
    return TN_OK;
}

tn_err rogue_bad_pointers(struct rogue *r, struct outcome *o)
{
    if (!sandbox_there() || r->victim == 0)
        return DEMO_ROGUE_E_HARMLESS;
    void *beyond = sandbox_beyond();
    struct tn_pack far = {.len = 4096};
    tn_cap cap;
    far.data_bits = (uintptr_t)beyond;
    struct tn_pack high = {.data_bits = UINT64_C(0xffff800000000000), .len = 8};
    struct tn_pack huge = {.len = UINT32_MAX};
    struct tn_pack many = {.ncaps = UINT32_MAX};
    const struct tn_pack *packs[] = {&far, &high, &huge, &many, beyond};
    for (size_t i = 0; i < ARRAY_LEN(packs); i++) {
        tn_err err = tn_call(r->victim, DEMO_VICTIM_COUNT, packs[i], NULL, TN_NEVER);
        o->gained += err == TN_OK;
        o->stopped_by = err != TN_OK ? err : o->stopped_by;
    }
    tn_err err = tn_need(beyond, 64, &cap);
    o->gained += err == TN_OK;
    o->stopped_by = err != TN_OK ? err : o->stopped_by;
    (void)fmt_print(o->text, sizeof(o->text),
                    "made %u calls whose arguments lie outside of its memory, or claim to be huge",
                    (unsigned)ARRAY_LEN(packs) + 1);
    return TN_OK;
}
