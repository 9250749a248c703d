/* exhaust.c: attempts at what all share: time, memory, stacks, mailboxes, and each other's
 * patience. */
#include "base/fmt.h"
#include "components/rogue/rogue_int.h"
#include "interfaces/demo_peer.h"
#include "interfaces/demo_rogue.h"
#include "interfaces/demo_victim.h"

enum {
    FLOOD_MAX = 1000000, /* messages, should nothing stop them */
    PAGES_MAX = 65536,   /* all that 32 bits address */
    FRAME_BYTES = 512,
    BUFFERS_MAX = 512,
    BUFFER_BYTES = 1 << 30,
    BUFFER_BYTES_LEAST = 64,
};

tn_err rogue_loop(struct rogue *r, struct outcome *o)
{
    (void)o;
    if (!sandbox_there())
        return DEMO_ROGUE_E_HARMLESS;
    volatile uint64_t *sink = &r->sink;
    for (;;)
        ++*sink;
}

/* Buffers of its own memory, ever smaller, until there is room for none; gives them back. */
static uint64_t eat_buffers(const struct rogue *r, tn_err *ret_err)
{
    tn_cap buffers[BUFFERS_MAX];
    uint32_t n = 0;
    uint64_t bytes = 0, size = BUFFER_BYTES;
    while (n < BUFFERS_MAX && size >= BUFFER_BYTES_LEAST) {
        *ret_err = tn_buf_new(r->memory, size, &buffers[n]);
        if (*ret_err != TN_OK) {
            size /= 2;
            continue;
        }
        bytes += size;
        n++;
    }
    while (n > 0 && tn_cap_drop(buffers[n - 1]) == TN_OK)
        n--;
    return bytes;
}

tn_err rogue_eat_memory(struct rogue *r, struct outcome *o)
{
    if (!sandbox_there())
        return DEMO_ROGUE_E_HARMLESS;
    uint32_t pages = 0;
    for (uint8_t *page; pages < PAGES_MAX && (page = sandbox_grow()) != NULL; pages++) {
        *(volatile uint8_t *)page = 1;
        r->sink += page[0];
    }
    uint64_t bytes = eat_buffers(r, &o->stopped_by);
    (void)fmt_print(o->text, sizeof(o->text),
                    "grew its memory by %u pages to %u KiB, then took %llu KiB as buffers, and got "
                    "no more",
                    pages, sandbox_pages() * 64, (unsigned long long)(bytes / 1024));
    return TN_OK;
}

/* Each frame is there until its own calls return, which they never do. */
static uint64_t deeper(struct rogue *r, uint64_t depth)
{
    volatile uint8_t frame[FRAME_BYTES];
    if (depth == UINT64_MAX)
        return 0;
    frame[depth % FRAME_BYTES] = (uint8_t)depth;
    r->sink = depth;
    uint64_t below = deeper(r, depth + 1);
    return below + frame[(depth + 1) % FRAME_BYTES];
}

tn_err rogue_overflow_stack(struct rogue *r, struct outcome *o)
{
    if (!sandbox_there())
        return DEMO_ROGUE_E_HARMLESS;
    o->gained = deeper(r, 0);
    return TN_OK;
}

tn_err rogue_flood(struct rogue *r, struct outcome *o)
{
    uint32_t sent = 0;
    tn_err err = r->victim == 0 ? TN_ENOTWIRED : TN_OK;
    while (err == TN_OK && sent < FLOOD_MAX) {
        err = demo_victim_poke(r->victim, sent, 0);
        sent += err == TN_OK;
    }
    o->stopped_by = err;
    (void)fmt_print(o->text, sizeof(o->text), "sent %u messages without waiting", sent);
    return TN_OK;
}

tn_err rogue_circle(struct rogue *r, struct outcome *o)
{
    struct demo_peer_bounce_reply reply = {0};
    tn_err err = r->peer == 0 ? TN_ENOTWIRED : demo_peer_bounce(r->peer, &reply, TN_NEVER);
    o->stopped_by = err != TN_OK ? err : reply.stopped_by;
    (void)fmt_print(o->text, sizeof(o->text), "called a peer that calls it back");
    return TN_OK;
}
