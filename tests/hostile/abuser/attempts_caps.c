/* attempts_caps.c: handles that name nothing, rights that were not given, more than there is room
 * for. */
#include "tests/hostile/abuser/abuser_int.h"

#include "base/bits.h"
#include "interfaces/demo_victim.h"
#include "sdk/mem.h"

enum { SLOTS = 5000, MINTED = 500 };

static void handle(struct finding *f, tn_cap cap)
{
    tn_cap made;
    uint64_t bits;
    void *at;
    struct tn_pack with = {.ncaps = 1, .caps = {cap}};
    IS(tn_call(cap, DEMO_VICTIM_COUNT, NULL, NULL, TN_NEVER), TN_EBADCAP);
    IS(tn_call(cap, DO_ECHO, NULL, NULL, 0), TN_EBADCAP);
    IS(tn_send(cap, DEMO_VICTIM_POKE, &(struct tn_pack){0}, UINT32_MAX), TN_EBADCAP);
    IS(tn_reply(cap, 0, &with), TN_EBADCAP);
    IS(tn_signal(cap, UINT64_MAX), TN_EBADCAP);
    IS(tn_wait(cap, TN_NEVER, &bits), TN_EBADCAP);
    IS(tn_timer_set(cap, 0, 0), TN_EBADCAP);
    IS(tn_cap_mint(cap, TN_R_ALL, 0, &made), TN_EBADCAP);
    IS(tn_cap_drop(cap), TN_EBADCAP);
    IS(tn_cap_revoke(cap), TN_EBADCAP);
    IS(tn_buf_new(cap, 8, &made), TN_EBADCAP);
    IS(tn_buf_slice(cap, 0, 1, TN_R_ALL, &made), TN_EBADCAP);
    IS(tn_buf_map(cap, 0, 1, TN_MAP_READ, &at), TN_EBADCAP);
}

void try_handles(struct abuser *a, struct finding *f)
{
    tn_cap stale = 0;
    struct tn_pack with = {.ncaps = 1};
    IS(tn_cap_mint(a->victim, TN_R_CALL, 0, &stale), TN_OK);
    IS(tn_cap_drop(stale), TN_OK);
    const tn_cap forged[] = {0,
                             stale,
                             stale + (UINT64_C(1) << 24),
                             a->victim + (UINT64_C(1) << 24),
                             a->victim ^ 1u << 23,
                             UINT64_MAX,
                             UINT64_C(0xffffff),
                             a->victim | UINT64_C(0xfff) << 52,
                             UINT64_C(1) << 63};
    for (size_t i = 0; i < ARRAY_LEN(forged); i++) {
        handle(f, forged[i]);
        for (uint32_t move = 0; move < 2; move++) {
            with.caps[0] = forged[i];
            with.move = move;
            FAILS(tn_call(a->peer, DO_ECHO, &with, NULL, TN_NEVER));
            FAILS(tn_send(a->peer, DO_ECHO, &with, 0));
        }
    }
}

void try_types(struct abuser *a, struct finding *f)
{
    tn_cap buffer = 0, made;
    uint64_t bits;
    void *at;
    IS(tn_buf_new(a->memory, 64, &buffer), TN_OK);
    const tn_cap all[] = {a->victim, a->memory, a->timer, buffer};
    for (uint32_t i = 0; i < ARRAY_LEN(all); i++) {
        if (i != 0) {
            IS(tn_call(all[i], DO_ECHO, NULL, NULL, TN_NEVER), TN_ETYPE);
            IS(tn_send(all[i], DO_ECHO, NULL, 0), TN_ETYPE);
        }
        if (i != 1)
            IS(tn_buf_new(all[i], 64, &made), TN_ETYPE);
        if (i != 2)
            IS(tn_timer_set(all[i], 0, 0), TN_ETYPE);
        if (i != 3) {
            FAILS(tn_buf_slice(all[i], 0, 1, TN_R_ALL, &made));
            FAILS(tn_buf_map(all[i], 0, 1, TN_MAP_READ, &at));
        }
        IS(tn_signal(all[i], 1), TN_ETYPE);
        IS(tn_wait(all[i], TN_NEVER, &bits), TN_ETYPE);
        IS(tn_reply(all[i], TN_OK, NULL), TN_ETYPE);
    }
    IS(tn_cap_drop(buffer), TN_OK);
    IS(tn_call(a->victim, 0, NULL, NULL, TN_NEVER), TN_EMETHOD);
    IS(tn_call(a->victim, 1, NULL, NULL, TN_NEVER), TN_EMETHOD);
    IS(tn_call(a->victim, DO_ECHO, NULL, NULL, TN_NEVER), TN_EMETHOD);
    IS(tn_call(a->victim, UINT32_MAX, NULL, NULL, TN_NEVER), TN_EMETHOD);
    IS(tn_call(a->victim, TN_METHOD(261, 9), NULL, NULL, TN_NEVER), TN_EMETHOD);
}

void try_rights(struct abuser *a, struct finding *f)
{
    tn_cap strong = 0, weak = 0, made = 0, buffer = 0;
    struct tn_pack with = {.ncaps = 1};
    IS(tn_cap_mint(a->victim, UINT32_MAX, 0, &strong), TN_OK);
    IS(tn_cap_revoke(strong), TN_ERIGHTS); /* it was not given control, whatever it asked for */
    IS(tn_cap_mint(strong, 0, 0, &weak), TN_OK);
    IS(tn_call(weak, DEMO_VICTIM_COUNT, NULL, NULL, TN_NEVER), TN_ERIGHTS);
    IS(tn_send(weak, DEMO_VICTIM_POKE, NULL, 0), TN_ERIGHTS);
    IS(tn_cap_mint(weak, TN_R_ALL, 0, &made), TN_ERIGHTS);
    with.caps[0] = weak;
    FAILS(tn_call(a->peer, DO_ECHO, &with, NULL, TN_NEVER));
    with.move = 1;
    FAILS(tn_call(a->peer, DO_ECHO, &with, NULL, TN_NEVER));
    IS(tn_cap_drop(weak), TN_OK);
    IS(tn_cap_drop(strong), TN_OK);
    IS(tn_cap_mint(a->victim, TN_R_ALL, 12345, &made), TN_EINVAL); /* another's badge */
    IS(tn_cap_mint(a->memory, TN_R_ALL, 0, &made), TN_ERIGHTS);
    IS(tn_cap_mint(a->timer, TN_R_ALL, 0, &made), TN_ERIGHTS);
    IS(tn_buf_new(a->memory, 64, &buffer), TN_OK);
    IS(tn_cap_mint(buffer, TN_R_ALL, UINT64_MAX, &strong), TN_OK);
    IS(tn_cap_mint(strong, TN_R_ALL, 7, &weak), TN_EINVAL);
    IS(tn_cap_mint(strong, TN_R_ALL, UINT64_MAX, &weak), TN_OK);
    IS(tn_buf_slice(weak, 0, 8, 0x80000000u, &made), TN_OK);
    IS(tn_cap_mint(made, TN_R_ALL, 0, &strong), TN_ERIGHTS);
    IS(tn_cap_revoke(buffer), TN_OK);
    IS(tn_cap_drop(made), TN_EBADCAP);
    IS(tn_cap_drop(buffer), TN_OK);
}

void try_moves(struct abuser *a, struct finding *f)
{
    struct tn_pack back = {.ncaps = 1};
    void *at;
    IS(tn_call(a->peer, DO_GIVE_MOVED, NULL, &back, TN_NEVER), TN_OK);
    HOLDS(back.ncaps == 1);
    IS(tn_buf_map(back.caps[0], 0, 4096, TN_MAP_WRITE, &at), TN_OK);
    IS(tn_buf_unmap(back.caps[0], at), TN_OK);
    IS(tn_cap_drop(back.caps[0]), TN_OK);
    IS(tn_call(a->peer, DO_GIVE_MOVED, NULL, NULL, TN_NEVER), TN_ETOOBIG); /* nobody takes it */
    back.ncaps = TN_PACK_CAPS;
    IS(tn_call(a->peer, DO_GIVE_TWICE, NULL, &back, TN_NEVER), TN_EINVAL);
    HOLDS(back.ncaps == 0);
    back.ncaps = TN_PACK_CAPS;
    IS(tn_call(a->peer, DO_GIVE_BOTH, NULL, &back, TN_NEVER), TN_EINVAL);
    back.ncaps = TN_PACK_CAPS;
    IS(tn_call(a->peer, DO_GIVE_OWN, NULL, &back, TN_NEVER), TN_ERIGHTS);
    HOLDS(back.ncaps == 0);
    struct tn_pack with = {.ncaps = 4, .caps = {a->memory, a->timer, a->victim, a->peer}};
    for (uint32_t move = 0; move < 16; move++) { /* with a message that has no place for them */
        with.move = move;
        IS(tn_call(a->peer, DO_ECHO, &with, NULL, TN_NEVER), TN_EMETHOD);
        IS(tn_send(a->victim, DEMO_VICTIM_POKE, &with, TN_SEND_WAIT), TN_EARGS);
    }
    IS(count(a, TN_NEVER), TN_OK);
}

void try_revokes(struct abuser *a, struct finding *f)
{
    tn_cap cap = 0, child = 0;
    void *at;
    IS(tn_cap_revoke(a->victim), TN_ERIGHTS);
    IS(tn_cap_revoke(a->peer), TN_ERIGHTS);
    IS(tn_cap_revoke(a->memory), TN_ERIGHTS);
    IS(tn_cap_revoke(a->timer), TN_ERIGHTS);
    struct tn_pack back = {.ncaps = 1};
    IS(tn_call(a->peer, DO_GIVE, NULL, &back, TN_NEVER), TN_OK);
    IS(tn_buf_map(back.caps[0], 0, 64, TN_MAP_READ | TN_MAP_WRITE, &at), TN_OK);
    IS(tn_call(a->peer, DO_TAKE_BACK, NULL, NULL, TN_NEVER), TN_OK); /* beneath what is mapped */
    IS(tn_buf_unmap(back.caps[0], at), TN_EBADCAP);
    IS(tn_cap_drop(back.caps[0]), TN_EBADCAP);
    IS(tn_call(a->peer, DO_TAKE_BACK, NULL, NULL, TN_NEVER), TN_EBADCAP);
    IS(tn_buf_new(a->memory, 4096, &cap), TN_OK);
    for (uint32_t i = 0; i < MINTED; i++) {
        tn_err err = tn_cap_mint(i % 2 == 0 || child == 0 ? cap : child, TN_R_ALL, 0, &child);
        IS(err, TN_OK);
    }
    IS(tn_buf_map(child, 0, 64, TN_MAP_READ | TN_MAP_WRITE, &at), TN_OK);
    IS(tn_cap_revoke(cap), TN_OK);
    IS(tn_cap_drop(child), TN_EBADCAP);
    IS(tn_buf_unmap(child, at), TN_EBADCAP);
    IS(tn_cap_revoke(cap), TN_OK);
    IS(tn_cap_drop(cap), TN_OK);
    IS(tn_cap_revoke(cap), TN_EBADCAP);
}

/* Replies that bring more than was asked for, until a space would be full of them many times. */
static void try_surplus(struct abuser *a, struct finding *f)
{
    for (uint32_t i = 0; i < 2 * SLOTS; i++) {
        struct tn_pack back = {.ncaps = i % 2};
        IS(tn_call(a->peer, DO_GIVE_SURPLUS, NULL, &back, TN_NEVER), TN_ETOOBIG);
        HOLDS(back.ncaps == 0);
    }
    IS(tn_call(a->peer, DO_GIVE_MOVED, NULL, NULL, TN_NEVER), TN_ETOOBIG);
}

void try_slots(struct abuser *a, struct finding *f)
{
    tn_cap first = 0, cap = 0, last = 0;
    struct tn_pack back = {.ncaps = 1};
    uint32_t n = 0;
    tn_err err = TN_OK;
    try_surplus(a, f);
    IS(tn_buf_new(a->memory, 64, &first), TN_OK);
    for (; n < SLOTS && (err = tn_cap_mint(first, TN_R_ALL, 0, &cap)) == TN_OK; n++)
        last = cap;
    IS(err, TN_ENOSLOT);
    IS(tn_buf_new(a->memory, 64, &cap), TN_ENOSLOT);
    IS(tn_buf_slice(first, 0, 8, TN_R_ALL, &cap), TN_ENOSLOT);
    IS(tn_defer(&cap), TN_ENOSLOT);
    IS(count(a, TN_NEVER), TN_OK);
    IS(tn_call(a->peer, DO_GIVE_MOVED, NULL, &back, TN_NEVER), TN_ENOSLOT); /* no room for it */
    IS(tn_cap_drop(last), TN_OK);
    IS(tn_call(a->peer, DO_GIVE_MOVED, NULL, &back, TN_NEVER), TN_OK); /* into the last slot */
    HOLDS(back.ncaps == 1);
    IS(tn_cap_drop(back.caps[0]), TN_OK);
    IS(tn_cap_revoke(first), TN_OK);
    IS(tn_cap_drop(first), TN_OK);
    IS(tn_cap_mint(a->victim, TN_R_ALL, 0, &cap), TN_OK);
    IS(tn_cap_drop(cap), TN_OK);
}

void try_needs(struct abuser *a, struct finding *f)
{
    tn_cap cap = 0;
    (void)a;
    IS(tn_need("victim", 0, &cap), TN_ENOTWIRED);
    IS(tn_need("victim", 5, &cap), TN_ENOTWIRED);
    IS(tn_need("victim\0", 7, &cap), TN_ENOTWIRED);
    IS(tn_need("self", 4, &cap), TN_ENOTWIRED);
    IS(tn_need("VICTIM", 6, &cap), TN_ENOTWIRED);
    IS(tn_need("abuser.victim", 13, &cap), TN_ENOTWIRED);
    IS(tn_need((const char *)a->bytes, sizeof(a->bytes), &cap), TN_ENOTWIRED);
    IS(tn_need((const char *)a->bytes, UINT32_MAX, &cap), TN_EFAULT);
    HOLDS(cap == 0);
}
