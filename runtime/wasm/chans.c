/* chans.c: channels in a guest's linear memory: a copy of the ring, which the guest works on as if
 * it were the ring, and which is made equal to it whenever the guest asks the kernel for something
 * by that end (base/ring_mirror.h). All records that are ready pass with one copy.
 *
 * The ring is looked up anew each time: after a wait it may be gone. */
#include "runtime/wasm/guest_int.h"

#include "base/assert.h"
#include "base/bits.h"

struct guest_chan *guest_chan_find(struct guest *guest, tn_cap cap)
{
    for (uint32_t i = 0; i < GUEST_CHANS_MAX; i++) {
        if (guest->chans[i].end == cap && cap != 0)
            return &guest->chans[i];
    }
    return NULL;
}

static void *copy_of(struct guest *guest, const struct guest_chan *chan)
{
    void *at = guest_at(guest, chan->at, RING_HEADER + (uint32_t)chan->mirror.capacity);
    ASSERT(at != NULL); /* memory never shrinks */
    return at;
}

static tn_err exchange(struct guest *guest, struct guest_chan *chan, const struct chan_view *view)
{
    struct ring_exchange done;
    tn_err err = ring_mirror_exchange(&chan->mirror, view->at, copy_of(guest, chan), &done);
    guest_pay(guest, done.copied_bytes);
    if (done.bell) /* an end that is gone hears nothing */
        (void)note_signal(guest->cpu, &guest->turn, chan->end, TN_BELL_RING);
    return err;
}

tn_err guest_chan_exchange(struct guest *guest, struct guest_chan *chan)
{
    struct chan_view view;
    tn_err err = chan_view(&guest->turn, chan->end, &view);
    return err != TN_OK ? err : exchange(guest, chan, &view);
}

void guest_chans_settle(struct guest *guest)
{
    for (uint32_t i = 0; i < GUEST_CHANS_MAX; i++) {
        /* One that is gone, or was spoilt, has nothing to hand over. */
        if (guest->chans[i].end != 0)
            (void)guest_chan_exchange(guest, &guest->chans[i]);
    }
}

tn_err guest_chan_sleeps(struct guest *guest, struct guest_chan *chan)
{
    struct chan_view view;
    uint64_t known = chan->mirror.theirs; /* what the guest has seen when it went to sleep */
    tn_err err = chan_view(&guest->turn, chan->end, &view);
    if (err == TN_OK)
        err = exchange(guest, chan, &view);
    if (err != TN_OK)
        return err;
    if (chan->mirror.theirs != known)
        return TN_EAGAIN;
    if (ring_mirror_sleeps(&chan->mirror, view.at))
        return TN_OK;
    ring_mirror_awake(&chan->mirror, view.at);
    err = exchange(guest, chan, &view);
    return err != TN_OK ? err : TN_EAGAIN;
}

tn_err guest_chan_awake(struct guest *guest, struct guest_chan *chan)
{
    struct chan_view view;
    tn_err err = chan_view(&guest->turn, chan->end, &view);
    if (err != TN_OK)
        return err;
    ring_mirror_awake(&chan->mirror, view.at);
    return exchange(guest, chan, &view);
}

/* An entry with room for `bytes` that no live end uses, made by growing the linear memory at need;
 * NULL: none to be had. */
static struct guest_chan *chan_room(struct guest *guest, uint32_t bytes)
{
    struct guest_chan *empty = NULL;
    for (uint32_t i = 0; i < GUEST_CHANS_MAX; i++) {
        struct guest_chan *chan = &guest->chans[i];
        struct chan_view view;
        if (chan->end != 0 && chan_view(&guest->turn, chan->end, &view) == TN_OK)
            continue;
        chan->end = 0;
        if (chan->room >= bytes)
            return chan;
        if (empty == NULL || chan->room < empty->room)
            empty = chan;
    }
    if (empty == NULL)
        return NULL;
    uint32_t pages = (bytes + WASM_PAGE_BYTES - 1) / WASM_PAGE_BYTES;
    uint32_t first = wasm_memory_grow(guest->wasm, pages);
    if (first == UINT32_MAX)
        return NULL;
    empty->at = first * WASM_PAGE_BYTES;
    empty->room = pages * WASM_PAGE_BYTES;
    return empty;
}

tn_err guest_chan_map(struct guest *guest, tn_cap end, uint32_t *ret_at, uint32_t *ret_bytes)
{
    struct chan_view view;
    tn_err err = chan_view(&guest->turn, end, &view);
    if (err != TN_OK)
        return err;
    if (view.size_bytes > RING_HEADER + GUEST_MAP_BYTES_MAX)
        return TN_ETOOBIG;
    uint32_t bytes = (uint32_t)view.size_bytes;
    struct guest_chan *chan = guest_chan_find(guest, end);
    if (chan == NULL) {
        chan = chan_room(guest, bytes);
        if (chan == NULL)
            return TN_ENOMEM;
        err = ring_mirror_make(&chan->mirror, view.produces, view.at, view.size_bytes,
                               guest_at(guest, chan->at, bytes));
        if (err != TN_OK)
            return err;
        chan->end = end;
    }
    err = exchange(guest, chan, &view);
    if (err != TN_OK)
        return err;
    *ret_at = chan->at;
    *ret_bytes = bytes;
    return TN_OK;
}
