/* heap.h: memory through a wasm_alloc, counted; and an arena for what lives as long as a module. */
#ifndef WASM_HEAP_H
#define WASM_HEAP_H

#include "wasm/wasm.h"

struct heap {
    struct wasm_alloc alloc;
    size_t bytes; /* held now */
};

/* Zeroed; NULL when there is none. */
void *heap_take(struct heap *heap, size_t bytes);
/* NULL is harmless. */
void heap_give(struct heap *heap, void *at, size_t bytes);
/* Makes room for `need` elements in *at, which has room for *cap, at least doubling; false (nothing
 * changed) when there is no memory. New elements are zero. */
bool heap_grow(struct heap *heap, void **at, uint32_t *cap, uint64_t need, size_t elem_bytes);

struct chunk;
struct arena {
    struct heap heap;
    struct chunk *chunks; /* newest first */
};

/* Zeroed, aligned to 8; NULL when there is none. Given back with the whole arena. A size of 0 gives
 * a pointer that must not be read. */
void *arena_take(struct arena *arena, size_t bytes);
void arena_give_all(struct arena *arena);

#endif
