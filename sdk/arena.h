/* arena.h: memory handed out from a block, in order, and given back all at once or down to a mark.
 * The block is the component's own: part of its state, or a buffer. */
#ifndef SDK_ARENA_H
#define SDK_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* Not to be touched but through the functions. */
struct sdk_arena {
    uint8_t *at;
    size_t size, used;
};

void sdk_arena_init(struct sdk_arena *arena, void *block, size_t size_bytes);
/* `bytes` zeroed bytes at a multiple of `align`, a power of two; NULL when they do not fit. Never
 * NULL for 0 bytes in a block that is there. */
void *sdk_arena_get(struct sdk_arena *arena, size_t bytes, size_t align);
/* The same for `count` items of `item` bytes, aligned to 8; NULL also when the product overflows.
 */
void *sdk_arena_array(struct sdk_arena *arena, size_t count, size_t item);
/* What was handed out after a mark is given back by a reset to it; a mark of 0 gives back all. */
size_t sdk_arena_mark(const struct sdk_arena *arena);
void sdk_arena_reset(struct sdk_arena *arena, size_t mark);
size_t sdk_arena_left(const struct sdk_arena *arena);

#endif
