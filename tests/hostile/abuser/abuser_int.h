/* abuser_int.h: what the abuser's files share: attempts, checks, and how two abusers talk. */
#ifndef TESTS_HOSTILE_ABUSER_INT_H
#define TESTS_HOSTILE_ABUSER_INT_H

#include <stdbool.h>
#include <tenon/component.h>

enum { ABUSER_TEXT_MAX = 380 };

struct abuser {
    tn_cap victim, peer, memory, timer;
    tn_time now;     /* when this turn began */
    tn_cap kept;     /* of the accomplice: a reply capability, or a buffer that it gave */
    uint32_t storms; /* timer turns that are still to come */
    tn_err told[8];  /* of the accomplice: what it was answered in its last turn */
    uint32_t ntold;
    uint8_t bytes[8192];
};

/* What an attempt found: `wrong` answers, of `checks`. */
struct finding {
    uint64_t checks, wrong;
    char text[ABUSER_TEXT_MAX];
    size_t used;
};

/* Notes the line when it is not what it should be. */
void expect(struct finding *f, bool right, int32_t got, uint32_t line);
#define IS(err, wanted)  expect_err(f, (err), (wanted), __LINE__)
#define FAILS(err)       expect_fails(f, (err), __LINE__)
#define HOLDS(condition) expect(f, (condition), 0, __LINE__)
static inline void expect_err(struct finding *f, tn_err got, tn_err wanted, uint32_t line)
{
    expect(f, got == wanted, got, line);
}
static inline void expect_fails(struct finding *f, tn_err got, uint32_t line)
{
    expect(f, got < 0, got, line);
}

/* What an accomplice does that its interface does not know of. */
enum accomplice_method {
    DO_ECHO = TN_METHOD(260, 1000), /* replies with the bytes that it got */
    DO_RETURN,                      /* returns the i32 that it got */
    DO_TELL,                        /* replies with what it was answered */
    DO_DEFER_DROP,                  /* takes the reply capability and drops it */
    DO_DEFER_TWICE,                 /* defers twice, replies twice */
    DO_DEFER_KEEP,                  /* and never replies */
    DO_DEFER_TRAP,                  /* and traps */
    DO_DEFER_COPY,                  /* tries to have a second reply capability */
    DO_DEFER_SEND,                  /* tries to send the reply capability away */
    DO_DEFER_SURPLUS,               /* replies with a capability that nobody asked for */
    DO_LATE,                        /* replies to what was kept */
    DO_CALL_BACK,                   /* calls who called */
    DO_OUT_WILD,                    /* reply packs that cannot be */
    DO_OUT_HIGH,
    DO_OUT_LONG,
    DO_OUT_CAPS,
    DO_OUT_FORGED,
    DO_TRAP,
    DO_GIVE,         /* replies with a new buffer, of which it keeps a copy */
    DO_GIVE_MOVED,   /* replies with a new buffer and keeps none */
    DO_GIVE_TWICE,   /* moves one twice */
    DO_GIVE_BOTH,    /* copies and moves one */
    DO_GIVE_OWN,     /* what it may not give: its memory and its timer */
    DO_TAKE_BACK,    /* revokes what it has given */
    DO_GIVE_SURPLUS, /* two copies of what it holds anyway */
};
tn_err accomplice(struct abuser *a, const struct tn_turn *turn, const struct tn_pack *in,
                  struct tn_pack *out);

/* Asks the victim how often it was poked. */
tn_err count(struct abuser *a, tn_time deadline);

static inline void *wild(uint32_t at)
{
    return (void *)(uintptr_t)at;
}
static inline uint32_t memory_end(void)
{
    return (uint32_t)__builtin_wasm_memory_size(0) * 65536u;
}

struct attempt {
    char name[32];
    void (*make)(struct abuser *abuser, struct finding *f);
};
/* attempts_memory.c: pointers, packs, buffers. */
void try_pointers(struct abuser *a, struct finding *f);
void try_packs(struct abuser *a, struct finding *f);
void try_overlaps(struct abuser *a, struct finding *f);
void try_maps(struct abuser *a, struct finding *f);
void try_slices(struct abuser *a, struct finding *f);
void try_memory(struct abuser *a, struct finding *f);
void try_grow(struct abuser *a, struct finding *f);
/* attempts_caps.c: handles, rights, slots. */
void try_handles(struct abuser *a, struct finding *f);
void try_types(struct abuser *a, struct finding *f);
void try_rights(struct abuser *a, struct finding *f);
void try_moves(struct abuser *a, struct finding *f);
void try_revokes(struct abuser *a, struct finding *f);
void try_slots(struct abuser *a, struct finding *f);
void try_needs(struct abuser *a, struct finding *f);
/* attempts_calls.c: deadlines, replies, timers, and what ends a turn. */
void try_deadlines(struct abuser *a, struct finding *f);
void try_replies(struct abuser *a, struct finding *f);
void try_results(struct abuser *a, struct finding *f);
void try_circle(struct abuser *a, struct finding *f);
void try_sends(struct abuser *a, struct finding *f);
void try_timers(struct abuser *a, struct finding *f);
void try_trap(struct abuser *a, struct finding *f);
void try_trap_mapped(struct abuser *a, struct finding *f);
void try_loop(struct abuser *a, struct finding *f);

#endif
