/* symbols.c: names of functions by address (symbols.h). */
#include "machine/bare/symbols.h"

#include <stddef.h>

#include "machine/bare/boot.h"

/* Made by tools/bare_symbols: functions in the order of their addresses, each as its distance from
 * image_start and that of its name from symbols_names. */
extern const uint32_t symbols_count, symbols_at[], symbols_name[];
extern const char symbols_names[];

const char *symbol_find(uint64_t pc, uint64_t *ret_off)
{
    uint64_t start = (uint64_t)(uintptr_t)image_start;
    if (pc < start || pc >= (uint64_t)(uintptr_t)image_text_end || symbols_count == 0)
        return NULL;
    uint64_t off = pc - start;
    uint32_t low = 0, high = symbols_count; /* the first that begins behind it is in (low, high] */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (symbols_at[middle] <= off)
            low = middle;
        else
            high = middle;
    }
    if (symbols_at[low] > off)
        return NULL;
    *ret_off = off - symbols_at[low];
    return symbols_names + symbols_name[low];
}
