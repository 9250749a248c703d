/* heap.c: see heap.h. */
#include "wasm/heap.h"

#include "base/assert.h"
#include "base/bits.h"
#include "base/bytes.h"

enum { CHUNK_BYTES = 16 << 10 };

struct chunk {
    struct chunk *next;
    size_t bytes, used; /* header included */
};
_Static_assert(sizeof(struct chunk) % 8 == 0, "what follows a chunk's header is aligned");

void *heap_take(struct heap *heap, size_t bytes)
{
    ASSERT(bytes > 0);
    void *at = heap->alloc.alloc(heap->alloc.ctx, bytes);
    if (at != NULL)
        heap->bytes += bytes;
    return at;
}

void heap_give(struct heap *heap, void *at, size_t bytes)
{
    if (at == NULL)
        return;
    ASSERT(heap->bytes >= bytes);
    heap->bytes -= bytes;
    heap->alloc.free(heap->alloc.ctx, at, bytes);
}

bool heap_grow(struct heap *heap, void **at, uint32_t *cap, uint64_t need, size_t elem_bytes)
{
    ASSERT(elem_bytes > 0);
    if (need <= *cap)
        return true;
    uint64_t room = *cap == 0 ? 64 : 2 * (uint64_t)*cap;
    if (room < need)
        room = need;
    if (room > UINT32_MAX)
        return false;
    void *to = heap_take(heap, room * elem_bytes);
    if (to == NULL)
        return false;
    if (*cap > 0)
        memcpy(to, *at, *cap * elem_bytes);
    heap_give(heap, *at, *cap * elem_bytes);
    *at = to;
    *cap = (uint32_t)room;
    return true;
}

void *arena_take(struct arena *arena, size_t bytes)
{
    size_t need = align_up(bytes, 8);
    struct chunk *c = arena->chunks;
    if (c == NULL || c->bytes - c->used < need) {
        size_t room = need + sizeof(struct chunk);
        /* What is large gets a chunk of its own, behind the one that is being filled. */
        bool own = room > CHUNK_BYTES / 4 && c != NULL;
        if (!own && room < CHUNK_BYTES)
            room = CHUNK_BYTES;
        struct chunk *fresh = heap_take(&arena->heap, room);
        if (fresh == NULL)
            return NULL;
        fresh->bytes = room;
        fresh->used = sizeof(struct chunk);
        fresh->next = own ? c->next : c;
        *(own ? &c->next : &arena->chunks) = fresh;
        c = fresh;
    }
    ASSERT(c->used + need <= c->bytes);
    void *at = (uint8_t *)c + c->used;
    c->used += need;
    return at;
}

void arena_give_all(struct arena *arena)
{
    while (arena->chunks != NULL) {
        struct chunk *c = arena->chunks;
        arena->chunks = c->next;
        heap_give(&arena->heap, c, c->bytes);
    }
    ASSERT(arena->heap.bytes == 0);
}
