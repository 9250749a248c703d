/* arena.c: memory handed out from a block, in order. */
#include "sdk/arena.h"

#include "sdk/mem.h"

void sdk_arena_init(struct sdk_arena *arena, void *block, size_t size_bytes)
{
    *arena = (struct sdk_arena){.at = block, .size = block != NULL ? size_bytes : 0};
}

void *sdk_arena_get(struct sdk_arena *arena, size_t bytes, size_t align)
{
    size_t pad = (0 - (size_t)(uintptr_t)(arena->at + arena->used)) & (align - 1);
    size_t left = arena->size - arena->used;
    if (arena->at == NULL || pad > left || bytes > left - pad)
        return NULL;
    uint8_t *at = arena->at + arena->used + pad;
    arena->used += pad + bytes;
    memset(at, 0, bytes);
    return at;
}

void *sdk_arena_array(struct sdk_arena *arena, size_t count, size_t item)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, item, &bytes))
        return NULL;
    return sdk_arena_get(arena, bytes, 8);
}

size_t sdk_arena_mark(const struct sdk_arena *arena)
{
    return arena->used;
}

void sdk_arena_reset(struct sdk_arena *arena, size_t mark)
{
    if (mark < arena->used)
        arena->used = mark;
}

size_t sdk_arena_left(const struct sdk_arena *arena)
{
    return arena->size - arena->used;
}
