/* maps.c: buffers in a guest's linear memory: copied in, and back when they were mapped to write.
 */
#include "runtime/wasm/guest_int.h"

#include "base/assert.h"
#include "base/bits.h"
#include "base/bytes.h"

/* An entry with room for `len`, made by growing the linear memory at need; NULL: none to be had. */
static struct guest_map *map_room(struct guest *guest, uint32_t len)
{
    struct guest_map *empty = NULL;
    for (uint32_t i = 0; i < TN_MAPS_MAX; i++) {
        struct guest_map *map = &guest->maps[i];
        if (map->len == 0 && map->room >= len)
            return map;
        if (map->len == 0 && (empty == NULL || map->room < empty->room))
            empty = map;
    }
    if (empty == NULL)
        return NULL;
    uint32_t pages = (len + WASM_PAGE_BYTES - 1) / WASM_PAGE_BYTES;
    uint32_t first = wasm_memory_grow(guest->wasm, pages);
    if (first == UINT32_MAX)
        return NULL;
    empty->at = first * WASM_PAGE_BYTES;
    empty->room = pages * WASM_PAGE_BYTES;
    return empty;
}

tn_err guest_map(struct guest *guest, tn_cap buf, uint64_t off, uint32_t len, uint32_t how,
                 uint32_t *ret_at)
{
    void *bytes;
    tn_err err = buf_range(&guest->turn, buf, off, len, how, &bytes);
    if (err != TN_OK)
        return err;
    if (len > GUEST_MAP_BYTES_MAX)
        return TN_ETOOBIG;
    struct guest_map *map = map_room(guest, len);
    if (map == NULL)
        return TN_ENOMEM;
    map->len = len;
    map->how = how;
    map->buf = buf;
    map->off = off;
    /* The right to write alone shows nothing of what is there. */
    if (buf_range(&guest->turn, buf, off, len, TN_MAP_READ, &bytes) == TN_OK)
        memcpy(guest_at(guest, map->at, len), bytes, len);
    else
        memset(guest_at(guest, map->at, len), 0, len);
    guest_pay(guest, len);
    *ret_at = map->at;
    return TN_OK;
}

/* Copies back what may be written, if the capability still allows it. */
static tn_err map_end(struct guest *guest, struct guest_map *map)
{
    void *bytes;
    tn_err err = TN_OK;
    if ((map->how & TN_MAP_WRITE) != 0) {
        err = buf_range(&guest->turn, map->buf, map->off, map->len, map->how, &bytes);
        if (err == TN_OK) {
            memcpy(bytes, guest_at(guest, map->at, map->len), map->len);
            guest_pay(guest, map->len);
        }
    }
    map->len = 0;
    return err;
}

tn_err guest_unmap(struct guest *guest, tn_cap buf, uint32_t at)
{
    struct cap_view view;
    tn_err err = cap_lookup(guest->turn.actor->space, buf, OBJ_BUFFER, 0, &view);
    for (uint32_t i = 0; i < TN_MAPS_MAX; i++) {
        struct guest_map *map = &guest->maps[i];
        if (map->len > 0 && map->at == at && map->buf == buf) {
            tn_err end = map_end(guest, map);
            return err != TN_OK ? err : end;
        }
    }
    return err != TN_OK ? err : TN_EINVAL;
}

void guest_unmap_all(struct guest *guest)
{
    for (uint32_t i = 0; i < TN_MAPS_MAX; i++) {
        if (guest->maps[i].len > 0)
            (void)map_end(guest, &guest->maps[i]);
    }
}
