/* wire.h: arguments as bytes: the reader and the writer that generated stubs are made of.
 *
 * A message's arguments are a fixed part (fields in order, naturally aligned, padding zero,
 * little-endian) and a tail that holds what varies in length. docs/interfaces.md has the whole
 * form. What both sides rely on:
 *   1. A variable field is {u32 off, len_bytes} in the fixed part. Offsets count from the start,
 *      ascend in field order and do not overlap; an empty field has an offset too.
 *   2. The first variable field's offset is therefore where the sender's fixed part ends; without
 *      one, the fixed part is all there is.
 *   3. A field beyond that end is missing and reads as 0 (empty, no capability). Fields that the
 *      receiver does not know are ignored, wherever they are.
 *   4. A capability is a u8: its position in the pack's caps counted from 1, 0 for none.
 *
 * A reader never reads outside of the pack, whatever is in it. It does not check UTF-8 and padding:
 * the runtime does (interface.h), before a message crosses a wall. Freestanding, no allocation. */
#ifndef TENON_WIRE_H
#define TENON_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tenon/component.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the wire form is the machine's own");

#define TN_WIRE_NO_VAR UINT32_MAX /* a layout without variable fields */

/* What variable fields look like in generated structs. Decoded ones point into the message, so
 * they live as long as it does. Lists have no alignment: read them with tn_T_at(). */
struct tn_text {
    const char *at; /* UTF-8, not terminated */
    uint32_t len;
};

struct tn_bytes {
    const void *at;
    uint32_t len;
};

/* Texts in their wire form: for each {u32 len, its bytes, zero padding to 4}. */
struct tn_texts {
    const void *at;
    uint32_t len; /* bytes, all of them */
};

#define TN_TEXT(literal) ((struct tn_text){(literal), (uint32_t)sizeof(literal) - 1u})

/* struct tn_u32s, a list of uint32_t, and tn_u32s_at(), its item i < count; and the others. */
#define TN_WIRE_LIST(T, name)                                                                 \
    struct tn_##name {                                                                        \
        const void *at;                                                                       \
        uint32_t count;                                                                       \
    };                                                                                        \
    static inline T tn_##name##_at(struct tn_##name list, uint32_t i)                         \
    {                                                                                         \
        T item;                                                                               \
        __builtin_memcpy(&item, (const uint8_t *)list.at + (size_t)i * sizeof(T), sizeof(T)); \
        return item;                                                                          \
    }
TN_WIRE_LIST(uint8_t, u8s)
TN_WIRE_LIST(uint16_t, u16s)
TN_WIRE_LIST(uint32_t, u32s)
TN_WIRE_LIST(uint64_t, u64s)
TN_WIRE_LIST(int32_t, i32s)
TN_WIRE_LIST(int64_t, i64s)
TN_WIRE_LIST(double, f64s)
#undef TN_WIRE_LIST

static inline uint32_t tn_wire_load32(const void *at)
{
    uint32_t x;
    __builtin_memcpy(&x, at, sizeof(x));
    return x;
}

/* Takes the first text off `texts`. false at the end, or when what is left is malformed. */
static inline bool tn_texts_next(struct tn_texts *texts, struct tn_text *ret_text)
{
    if (texts->len < 4)
        return false;
    uint32_t len = tn_wire_load32(texts->at), rest = texts->len - 4;
    if (len > rest)
        return false;
    const char *at = (const char *)texts->at + 4;
    uint32_t step = len + (-len & 3u); /* len <= TN_ARGS_MAX: no overflow */
    *ret_text = (struct tn_text){at, len};
    texts->len = step > rest ? 0 : rest - step;
    texts->at = at + (step > rest ? rest : step);
    return true;
}

/* Appends one text at room[*used] and counts it. TN_ETOOBIG: no room, nothing changed. */
static inline TN_MUST tn_err tn_texts_add(void *room, uint32_t room_bytes, uint32_t *used,
                                          struct tn_text text)
{
    if (text.len > TN_ARGS_MAX || *used > room_bytes)
        return TN_ETOOBIG;
    uint32_t pad = -text.len & 3u, rest = room_bytes - *used;
    if (rest < 4 || rest - 4 < text.len + pad)
        return TN_ETOOBIG;
    uint8_t *at = (uint8_t *)room + *used;
    __builtin_memcpy(at, &text.len, 4);
    if (text.len > 0)
        __builtin_memcpy(at + 4, text.at, text.len);
    for (uint32_t i = 0; i < pad; i++)
        at[4 + text.len + i] = 0;
    *used += 4 + text.len + pad;
    return TN_OK;
}

/* A pack that is to be filled: by an encoder, or by a reply. Written through the 64-bit member, so
 * that the upper half of a wasm32 pointer is 0. */
static inline struct tn_pack tn_pack_room(void *room, size_t bytes)
{
    uint32_t size = bytes < TN_ARGS_MAX ? (uint32_t)bytes : (uint32_t)TN_ARGS_MAX;
    return (struct tn_pack){.data_bits = (uintptr_t)room, .size = size};
}

/* Reading. Generated code opens a pack, reads each field at its offset, then asks `bad`. */

struct tn_wire_in {
    const uint8_t *at;
    uint32_t len;   /* of the whole message */
    uint32_t fixed; /* where the sender's fixed part ends */
    uint32_t tail;  /* end of the last variable field read */
    const struct tn_pack *pack;
    bool bad;
};

/* `first_var`: offset of the layout's first variable field, or TN_WIRE_NO_VAR. */
static inline struct tn_wire_in tn_wire_open(const struct tn_pack *pack, uint32_t first_var)
{
    struct tn_wire_in in = {.at = pack->data, .len = pack->len, .pack = pack};
    if (in.len > TN_ARGS_MAX || (in.len > 0 && in.at == NULL)) {
        in.bad = true;
        in.len = 0;
    }
    in.fixed = in.len;
    if (first_var != TN_WIRE_NO_VAR && in.len >= 8 && first_var <= in.len - 8) {
        uint32_t off = tn_wire_load32(in.at + first_var);
        if (off < first_var + 8 || off > in.len)
            in.bad = true;
        else
            in.fixed = off;
    }
    in.tail = in.fixed;
    return in;
}

/* What reads below: 0, no capability or nothing where the field is missing; what is malformed sets
 * `bad` as well, which stays set and makes all that is read later missing.
 * Is [off, off + size) in the sender's fixed part? Fields are far below 2^31: no overflow. */
static inline bool tn_wire_has(const struct tn_wire_in *in, uint32_t off, uint32_t size)
{
    return !in->bad && off + size <= in->fixed;
}

#define TN_WIRE_GET(T, name)                                                  \
    static inline T tn_wire_##name(const struct tn_wire_in *in, uint32_t off) \
    {                                                                         \
        T x = 0;                                                              \
        if (tn_wire_has(in, off, (uint32_t)sizeof(T)))                        \
            __builtin_memcpy(&x, in->at + off, sizeof(T));                    \
        return x;                                                             \
    }
TN_WIRE_GET(uint8_t, u8)
TN_WIRE_GET(uint16_t, u16)
TN_WIRE_GET(uint32_t, u32)
TN_WIRE_GET(uint64_t, u64)
TN_WIRE_GET(int32_t, i32)
TN_WIRE_GET(int64_t, i64)
TN_WIRE_GET(double, f64)
#undef TN_WIRE_GET

static inline bool tn_wire_bool(struct tn_wire_in *in, uint32_t off)
{
    uint8_t x = tn_wire_u8(in, off);
    if (x > 1)
        in->bad = true;
    return x == 1;
}

static inline tn_cap tn_wire_cap(struct tn_wire_in *in, uint32_t off)
{
    uint32_t position = tn_wire_u8(in, off);
    if (position == 0)
        return 0;
    if (position > in->pack->ncaps || position > TN_PACK_CAPS) {
        in->bad = true;
        return 0;
    }
    return in->pack->caps[position - 1];
}

/* A variable field whose items have `item` bytes each (a power of two) and are at most `max`. */
static inline struct tn_bytes tn_wire_var(struct tn_wire_in *in, uint32_t off, uint32_t item,
                                          uint32_t max)
{
    struct tn_bytes none = {NULL, 0};
    if (!tn_wire_has(in, off, 8))
        return none;
    uint32_t start = tn_wire_load32(in->at + off), len = tn_wire_load32(in->at + off + 4);
    if (start < in->tail || start > in->len || len > in->len - start || (start & (item - 1)) != 0 ||
        (len & (item - 1)) != 0 || len / item > max) {
        in->bad = true;
        return none;
    }
    in->tail = start + len;
    return (struct tn_bytes){in->at + start, len};
}

/* Writing. Generated code begins a pack that has room (data, size), puts each field, ends it. */

struct tn_wire_out {
    uint8_t *at;
    uint32_t size; /* room */
    uint32_t end;  /* bytes written */
    uint32_t ncaps, move;
    tn_cap caps[TN_PACK_CAPS];
    tn_err err;
};

/* The first failure is kept in `err`, and what is put after it does nothing; tn_wire_end tells. */
static inline struct tn_wire_out tn_wire_begin(const struct tn_pack *pack, uint32_t fixed)
{
    struct tn_wire_out out = {.at = pack->data, .size = pack->size, .end = fixed};
    if (out.size > TN_ARGS_MAX)
        out.size = TN_ARGS_MAX;
    if (fixed > out.size || (fixed > 0 && out.at == NULL))
        out.err = TN_ETOOBIG;
    else if (fixed > 0)
        __builtin_memset(out.at, 0, fixed);
    return out;
}

static inline void tn_wire_put(struct tn_wire_out *out, uint32_t off, const void *from,
                               uint32_t len)
{
    if (out->err == TN_OK)
        __builtin_memcpy(out->at + off, from, len);
}

static inline void tn_wire_put_cap(struct tn_wire_out *out, uint32_t off, tn_cap cap, bool move)
{
    if (cap == 0 || out->err != TN_OK)
        return;
    out->caps[out->ncaps] = cap; /* the generator allows at most TN_PACK_CAPS in a layout */
    out->move |= move ? 1u << out->ncaps : 0u;
    out->at[off] = (uint8_t)++out->ncaps;
}

/* `count` items of `item` bytes, aligned to `item` in the message. Data that already sits at its
 * place in the message (see the generated _room functions) is not copied again. */
static inline void tn_wire_put_var(struct tn_wire_out *out, uint32_t off, const void *from,
                                   uint32_t count, uint32_t item, uint32_t max)
{
    if (out->err != TN_OK)
        return;
    if (count > max) {
        out->err = TN_EARGS;
        return;
    }
    uint32_t start = (out->end + item - 1) & ~(item - 1);
    if (start > out->size || count > (out->size - start) / item) {
        out->err = TN_ETOOBIG;
        return;
    }
    uint32_t len = count * item;
    while (out->end < start)
        out->at[out->end++] = 0;
    if (len > 0 && from != out->at + start)
        __builtin_memmove(out->at + start, from, len);
    __builtin_memcpy(out->at + off, &start, 4);
    __builtin_memcpy(out->at + off + 4, &len, 4);
    out->end = start + len;
}

/* Room for the only variable field of a layout, where it will sit: fill it, then encode with `at`
 * set to it. NULL and 0 when there is none. */
static inline void *tn_wire_room(const struct tn_pack *pack, uint32_t fixed, uint32_t item,
                                 uint32_t *ret_bytes)
{
    uint32_t start = (fixed + item - 1) & ~(item - 1);
    uint32_t size = pack->size < TN_ARGS_MAX ? pack->size : TN_ARGS_MAX;
    *ret_bytes = start <= size ? size - start : 0;
    return *ret_bytes > 0 ? (uint8_t *)pack->data + start : NULL;
}

/* Fills in the pack, or leaves it as it was. TN_ETOOBIG: the room or TN_ARGS_MAX is too small;
 * TN_EARGS: a field exceeds its own maximum. */
static inline TN_MUST tn_err tn_wire_end(const struct tn_wire_out *out, struct tn_pack *pack)
{
    if (out->err != TN_OK)
        return out->err;
    pack->len = out->end;
    pack->ncaps = out->ncaps;
    pack->move = out->move;
    for (uint32_t i = 0; i < TN_PACK_CAPS; i++)
        pack->caps[i] = out->caps[i];
    return TN_OK;
}

#endif
