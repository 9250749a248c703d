/* attempts_memory.c: pointers, packs and buffers that cannot be. */
#include "tests/hostile/abuser/abuser_int.h"

#include "base/bits.h"
#include "interfaces/demo_victim.h"
#include "sdk/mem.h"

enum { PAGE = 65536, MAPS = TN_MAPS_MAX, CHAIN = 20000, BUFFERS = 64, PATIENCE = 100000 };

static void pointer(struct abuser *a, struct finding *f, uint32_t at)
{
    void *p = wild(at);
    struct tn_pack far = {.len = PAGE};
    struct tn_pack room = {.size = PAGE};
    far.data = p;
    room.data = p;
    IS(tn_call(a->victim, DEMO_VICTIM_COUNT, p, NULL, TN_NEVER), TN_EFAULT);
    IS(tn_call(a->victim, DEMO_VICTIM_COUNT, NULL, p, TN_NEVER), TN_EFAULT);
    IS(tn_call(a->victim, DEMO_VICTIM_COUNT, &far, NULL, TN_NEVER), TN_EFAULT);
    IS(tn_call(a->victim, DEMO_VICTIM_COUNT, NULL, &room, TN_NEVER), TN_EFAULT);
    IS(tn_send(a->victim, DEMO_VICTIM_POKE, p, 0), TN_EFAULT);
    IS(tn_send(a->victim, DEMO_VICTIM_POKE, &far, TN_SEND_WAIT), TN_EFAULT);
    IS(tn_defer(p), TN_EFAULT);
    IS(tn_reply(a->victim, 0, p), TN_ETYPE);
    IS(tn_wait(a->victim, TN_NEVER, p), TN_EFAULT);
    IS(tn_need("victim", 6, p), TN_EFAULT);
    IS(tn_need(p, 8, &a->kept), TN_EFAULT);
    IS(tn_cap_mint(a->victim, TN_R_ALL, 0, p), TN_EFAULT);
    IS(tn_buf_new(a->memory, 64, p), TN_EFAULT);
    IS(tn_buf_slice(a->memory, 0, 8, TN_R_ALL, p), TN_EFAULT);
}

/* A buffer from memory that was used up: what was dropped comes back when all CPUs have passed a
 * boundary between turns. */
static tn_err buffer_again(const struct abuser *a, tn_cap *ret_buffer)
{
    tn_err err = TN_ENOMEM;
    for (uint32_t i = 0; i < PATIENCE && err == TN_ENOMEM; i++) {
        err = tn_buf_new(a->memory, PAGE, ret_buffer);
        if (err == TN_ENOMEM && tn_yield() != TN_OK)
            return TN_ECANCELLED;
    }
    return err;
}

void try_pointers(struct abuser *a, struct finding *f)
{
    const uint32_t end = memory_end();
    const uint32_t places[] = {end, end - 1, end - 7, 0xffffffff, 0xfffffff9, 0xfffffffc};
    tn_cap buffer = 0;
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        pointer(a, f, places[i]);
    IS(buffer_again(a, &buffer), TN_OK);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (places[i] <= end - 4 && places[i] != end - 7)
            IS(tn_buf_map(buffer, 0, 8, TN_MAP_READ, wild(places[i])), TN_EFAULT);
        IS(tn_buf_unmap(buffer, wild(places[i])), TN_EINVAL);
    }
    IS(tn_cap_drop(buffer), TN_OK);
    /* Crooked, but its own. */
    uint8_t room[32];
    tn_cap cap = 0;
    IS(tn_need("victim", 6, (tn_cap *)(void *)(room + 3)), TN_OK);
    memcpy(&cap, room + 3, sizeof(cap));
    HOLDS(cap == a->victim);
}

void try_packs(struct abuser *a, struct finding *f)
{
    struct tn_pack none = {.len = 0};
    struct tn_pack in = none;
    in.data_bits = (UINT64_C(1) << 32) | (uint32_t)(uintptr_t)a->bytes;
    in.len = 8;
    IS(tn_call(a->peer, DO_ECHO, &in, NULL, TN_NEVER), TN_EFAULT);
    in.data = a->bytes;
    in.len = TN_ARGS_MAX + 1;
    IS(tn_call(a->peer, DO_ECHO, &in, NULL, TN_NEVER), TN_ETOOBIG);
    in.len = UINT32_MAX;
    IS(tn_send(a->peer, DO_ECHO, &in, 0), TN_ETOOBIG);
    in = none;
    for (uint32_t n = TN_PACK_CAPS + 1; n != 0; n <<= 1) {
        in.ncaps = n;
        IS(tn_call(a->peer, DO_ECHO, &in, NULL, TN_NEVER), TN_EINVAL);
        IS(tn_send(a->peer, DO_ECHO, &in, 0), TN_EINVAL);
        IS(tn_reply(a->peer, 0, &in), TN_ETYPE);
    }
    in = none;
    in.move = UINT32_MAX; /* of none */
    IS(tn_call(a->peer, DO_ECHO, &in, NULL, TN_NEVER), TN_OK);
    struct tn_pack out = {.size = UINT32_MAX};
    out.data = a->bytes;
    IS(tn_call(a->peer, DO_ECHO, &none, &out, TN_NEVER), TN_EFAULT);
    out.size = memory_end() - (uint32_t)(uintptr_t)a->bytes; /* all up to the end */
    for (uint32_t n = TN_PACK_CAPS + 1; n != 0; n <<= 1) {
        out.ncaps = n;
        IS(tn_call(a->peer, DO_ECHO, &none, &out, TN_NEVER), TN_EINVAL);
    }
    out.ncaps = TN_PACK_CAPS;
    IS(tn_call(a->peer, DO_ECHO, &none, &out, TN_NEVER), TN_OK);
    HOLDS(out.ncaps == 0 && out.len == 0);
    in.data = a->bytes;
    in.len = 16;
    out = (struct tn_pack){.size = 15};
    out.data = a->bytes + 16;
    IS(tn_call(a->peer, DO_ECHO, &in, &out, TN_NEVER), TN_OK);
    HOLDS(out.len == 15);
    IS(tn_call(a->victim, DEMO_VICTIM_COUNT, &in, &out, TN_NEVER), TN_OK); /* more than it asks */
}

void try_overlaps(struct abuser *a, struct finding *f)
{
    struct tn_pack both = {.len = 16, .size = 16};
    memset(a->bytes, 0x5a, 64);
    both.data = a->bytes;
    IS(tn_call(a->peer, DO_ECHO, &both, &both, TN_NEVER), TN_OK);
    HOLDS(both.len == 16 && a->bytes[15] == 0x5a);
    both.data = &both; /* the pack is its own room: the reply is written over it */
    both.len = sizeof(both);
    both.size = sizeof(both);
    both.ncaps = 0;
    IS(tn_call(a->peer, DO_ECHO, &both, &both, TN_NEVER), TN_OK);
    struct tn_pack in = {.len = 4096}, out = {.size = 4096};
    for (uint32_t i = 0; i < 4096; i++)
        a->bytes[i] = (uint8_t)(i * 7);
    in.data = a->bytes;
    out.data = a->bytes + 1;
    IS(tn_call(a->peer, DO_ECHO, &in, &out, TN_NEVER), TN_OK);
    bool same = out.len == 4096;
    for (uint32_t i = 0; i < 4096; i++)
        same = same && a->bytes[i + 1] == (uint8_t)(i * 7);
    HOLDS(same);
    in.data = (void *)(uintptr_t)16; /* the beginning of its memory, to its beginning */
    in.len = 64;
    out.data = a->bytes;
    IS(tn_call(a->peer, DO_ECHO, &in, &out, TN_NEVER), TN_OK);
}

static void map_edges(struct finding *f, tn_cap buffer)
{
    void *at;
    IS(tn_buf_map(buffer, 0, 0, TN_MAP_READ, &at), TN_EINVAL);
    IS(tn_buf_map(buffer, 0, 8, 0, &at), TN_EINVAL);
    IS(tn_buf_map(buffer, 0, 8, TN_MAP_VOLATILE, &at), TN_EINVAL);
    IS(tn_buf_map(buffer, 0, PAGE + 1, TN_MAP_READ, &at), TN_EINVAL);
    IS(tn_buf_map(buffer, PAGE, 1, TN_MAP_READ, &at), TN_EINVAL);
    IS(tn_buf_map(buffer, UINT64_MAX, 8, TN_MAP_READ, &at), TN_EINVAL);
    IS(tn_buf_map(buffer, UINT64_MAX - 3, 8, TN_MAP_READ, &at), TN_EINVAL);
    IS(tn_buf_map(buffer, 0, UINT32_MAX, TN_MAP_READ, &at), TN_EINVAL);
    IS(tn_buf_map(buffer, 0, 16 << 20, TN_MAP_READ, &at), TN_EINVAL);
}

void try_maps(struct abuser *a, struct finding *f)
{
    tn_cap buffer = 0, weak = 0;
    void *at[MAPS + 1];
    IS(tn_buf_new(a->memory, PAGE, &buffer), TN_OK);
    map_edges(f, buffer);
    for (uint32_t i = 0; i < MAPS; i++)
        IS(tn_buf_map(buffer, 0, PAGE, TN_MAP_READ | TN_MAP_WRITE, &at[i]), TN_OK);
    IS(tn_buf_map(buffer, 0, 8, TN_MAP_READ, &at[MAPS]), TN_ENOMEM);
    IS(tn_buf_unmap(buffer, at[0]), TN_OK);
    IS(tn_buf_unmap(buffer, at[0]), TN_EINVAL);
    IS(tn_buf_unmap(a->victim, at[1]), TN_ETYPE);
    IS(tn_buf_unmap(buffer, NULL), TN_EINVAL);
    IS(tn_cap_mint(buffer, TN_R_READ, 0, &weak), TN_OK);
    IS(tn_buf_map(weak, 0, 8, TN_MAP_WRITE, &at[0]), TN_ERIGHTS);
    IS(tn_buf_map(weak, 0, 8, UINT32_MAX, &at[0]), TN_ERIGHTS);
    IS(tn_buf_map(weak, 0, PAGE, TN_MAP_READ, &at[0]), TN_OK);
    memset(at[0], 0xff, PAGE); /* into its own copy */
    IS(tn_buf_unmap(weak, at[0]), TN_OK);
    IS(tn_buf_map(buffer, 0, 8, TN_MAP_READ, &at[0]), TN_OK);
    HOLDS(((uint8_t *)at[0])[0] == 0);
    IS(tn_cap_drop(weak), TN_OK);
    IS(tn_cap_drop(buffer), TN_OK); /* while it is mapped three times to write */
    IS(tn_buf_unmap(buffer, at[1]), TN_EBADCAP);
    memset(at[2], 0xff, PAGE);
}

void try_slices(struct abuser *a, struct finding *f)
{
    tn_cap buffer = 0, slice = 0, next = 0;
    void *at;
    IS(tn_buf_new(a->memory, 4096, &buffer), TN_OK);
    IS(tn_buf_slice(buffer, 0, 0, TN_R_ALL, &slice), TN_EINVAL);
    IS(tn_buf_slice(buffer, 1, 4096, TN_R_ALL, &slice), TN_EINVAL);
    IS(tn_buf_slice(buffer, UINT64_MAX, 2, TN_R_ALL, &slice), TN_EINVAL);
    IS(tn_buf_slice(buffer, 2, UINT64_MAX, TN_R_ALL, &slice), TN_EINVAL);
    IS(tn_buf_slice(buffer, 1, 4095, UINT32_MAX, &slice), TN_OK);
    IS(tn_cap_drop(buffer), TN_OK); /* the slice holds it */
    IS(tn_buf_slice(slice, 4095, 1, TN_R_ALL, &next), TN_EINVAL);
    /* Slices of slices, each of all of the last, of which only the newest has a name. */
    uint32_t deep = 0;
    for (tn_err err = TN_OK; deep < CHAIN && err == TN_OK; deep += err == TN_OK) {
        err = tn_buf_slice(slice, 0, 4095, TN_R_ALL, &next);
        if (err == TN_OK) {
            IS(tn_cap_drop(slice), TN_OK);
            slice = next;
        } else {
            IS(err, TN_ENOMEM);
        }
    }
    HOLDS(deep > 1000);
    IS(tn_buf_map(slice, 4094, 1, TN_MAP_READ, &at), TN_OK);
    IS(tn_cap_revoke(slice), TN_OK);
    IS(tn_cap_drop(slice), TN_OK);
}

void try_memory(struct abuser *a, struct finding *f)
{
    tn_cap buffers[BUFFERS], cap;
    struct tn_pack in = {.len = 4096};
    uint32_t n = 0;
    in.data = a->bytes;
    IS(tn_buf_new(a->memory, 0, &cap), TN_EINVAL);
    IS(tn_buf_new(a->memory, UINT64_MAX, &cap), TN_ETOOBIG);
    IS(tn_buf_new(a->memory, (UINT64_C(1) << 30) + 1, &cap), TN_ETOOBIG);
    IS(tn_buf_new(a->memory, 1 << 30, &cap), TN_ENOMEM);
    for (uint64_t size = 1 << 22; size >= 64 && n < BUFFERS;) {
        if (tn_buf_new(a->memory, size, &buffers[n]) == TN_OK)
            n++;
        else
            size /= 2;
    }
    HOLDS(n > 0);
    /* Without memory: what needs some fails, and nothing else. */
    tn_err err = tn_send(a->victim, DEMO_VICTIM_POKE, &in, 0);
    HOLDS(err == TN_OK || err == TN_ENOMEM || err == TN_EFULL);
    err = tn_call(a->peer, DO_ECHO, &in, NULL, TN_NEVER);
    HOLDS(err == TN_OK || err == TN_ENOMEM);
    err = tn_cap_mint(a->victim, TN_R_ALL, 0, &cap);
    HOLDS(err == TN_OK || err == TN_ENOMEM);
    if (err == TN_OK)
        IS(tn_cap_drop(cap), TN_OK);
    while (n > 0)
        IS(tn_cap_drop(buffers[--n]), TN_OK);
}

void try_grow(struct abuser *a, struct finding *f)
{
    tn_cap buffer = 0;
    void *at;
    uint32_t pages = 0;
    IS(buffer_again(a, &buffer), TN_OK);
    HOLDS(__builtin_wasm_memory_grow(0, 65536) == SIZE_MAX);
    HOLDS(__builtin_wasm_memory_grow(0, SIZE_MAX) == SIZE_MAX);
    while (pages < PAGE && __builtin_wasm_memory_grow(0, 1) != SIZE_MAX)
        pages++;
    IS(tn_buf_map(buffer, 0, PAGE, TN_MAP_READ, &at), TN_ENOMEM);
    pointer(a, f, memory_end() - 1);
    IS(tn_cap_drop(buffer), TN_OK);
}
