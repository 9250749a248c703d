/* sandbox_wasm.c: the linear memory of a wasm component. */
#include "components/rogue/rogue_int.h"

enum { PAGE_BYTES = 65536 };

bool sandbox_there(void)
{
    return true;
}

uint8_t *sandbox_grow(void)
{
    size_t before = __builtin_wasm_memory_grow(0, 1);
    return before == SIZE_MAX ? NULL : (uint8_t *)(before * PAGE_BYTES);
}

uint32_t sandbox_pages(void)
{
    return (uint32_t)__builtin_wasm_memory_size(0);
}

void *sandbox_beyond(void)
{
    return (void *)(uintptr_t)0xfffff000u;
}
